"""Tests of the check: `python -m unittest discover benches/peers/regression` (in the environment of setup.py)."""

import ast
import unittest

import numpy as np

import score
from formula import Formula
from problems import PROBLEMS, TWELVE


def shifted(formula, share):
    """Every number that may be fitted, moved, each by another share; a number one is put before the whole."""
    found = Formula(f"1.0*({formula})")
    for place, node in enumerate(found.free(), 1):
        node.value = float(node.value) * (1 + 1.7**place * share)
    return str(found)


class Law(unittest.TestCase):
    def test_every_law_is_itself(self):
        for problem in PROBLEMS:
            with self.subTest(problem.name):
                verdict = score.Check(problem).verdict(str(problem.formula()), noisy=False)
                self.assertTrue(verdict["law"] and verdict["plain"], verdict)

    def test_a_law_with_other_numbers_is_another(self):
        for problem in PROBLEMS:
            with self.subTest(problem.name):
                verdict = score.Check(problem).verdict(shifted(problem.formula(), 0.003), noisy=False)
                self.assertFalse(verdict["law"], verdict)

    def test_with_noise_numbers_may_be_off(self):
        for problem in PROBLEMS:
            with self.subTest(problem.name):
                verdict = score.Check(problem).verdict(shifted(problem.formula(), 0.0003), noisy=True)
                self.assertTrue(verdict["law"], verdict)

    def test_parts_that_do_nothing_do_not_count(self):
        problem = TWELVE[-1]
        text = f"1.00000001*({problem.formula()}) + 1e-9*x0*exp(-x1) + (x2 - x2)*(x1 + x3*x0 - sin(x1 + 2*x2))"
        verdict = score.Check(problem).verdict(text, noisy=False)
        self.assertTrue(verdict["law"] and not verdict["plain"], verdict)

    def test_an_interpolant_is_no_law(self):
        problem = PROBLEMS[0]
        points = np.linspace(1, 3, 400)
        text = "0"
        for c in np.polyfit(points, problem.formula()(points[:, None]), 7):
            text = f"({text})*x0 + {float(c)!r}"
        verdict = score.Check(problem).verdict(text, noisy=False)
        self.assertLess(verdict["near"], score.NEAR)
        self.assertFalse(verdict["law"], verdict)

    def test_what_is_no_formula_is_told(self):
        check = score.Check(PROBLEMS[0])
        for text in ("x0 +", "open('a')", "x9", "x0.real", "True", "f(x0)", "'a'"):
            with self.subTest(text):
                self.assertIn("unread", check.verdict(text, noisy=False))

    def test_the_literal_check(self):
        self.assertIs(score.literal("2.0001*x0/(x1*x0) + 1.5", Formula("2/x1"), 2), True)
        self.assertIs(score.literal("2.1*exp(x0 + 1)", Formula("exp(x0)"), 1), True)
        self.assertIs(score.literal("2.1*exp(x0) + x0", Formula("exp(x0)"), 1), False)


class Size(unittest.TestCase):
    def test_nodes(self):
        for text, size in {"x0": 1, "-2.5": 1, "-x0": 2, "x0 - 2*pi": 5, "square(x0)": 3, "x0^2": 3, "exp(-x0)/2": 5}.items():
            with self.subTest(text):
                self.assertEqual(Formula(text).size(), size)

    def test_spots_are_found_again_in_a_copy(self):
        formula = Formula("exp(x0 + 2)*x1 - x0")
        for spot, node in enumerate(ast.walk(formula.root)):
            if isinstance(node, ast.Constant):
                self.assertEqual(ast.unparse(score.replaced(Formula(str(formula)).root, spot, ast.Name("x2"))), "exp(x0 + x2) * x1 - x0")


if __name__ == "__main__":
    unittest.main()
