"""The problems of the comparison: laws of physics with the ranges from which their variables are drawn.

The twelve rows below are published: Udrescu and Tegmark, "AI Feynman", Science Advances 6 (2020), eaay2631, table S4
and the data base beside it. A further problem is a further row; nothing else has to change.
A formula is written in the operators of Python, `sqrt exp log sin cos tan` and `pi`.

    python problems.py FOLDER      writes the tables of all problems
"""

import pathlib
import sys
from dataclasses import dataclass

import numpy as np

from formula import Formula

ROWS, TEST_ROWS = 1000, 2000


@dataclass(frozen=True)
class Problem:
    """A law and, in the order of the columns, the range of each variable."""

    name: str
    law: str
    ranges: dict

    def formula(self):
        """The law between the columns: `x0`, `x1`, ..."""
        return Formula(self.law).renamed({v: f"x{i}" for i, v in enumerate(self.ranges)})

    def points(self, rows, generator, widen=0.0):
        """Columns drawn uniformly; `widen` moves each end outwards by that share of the range, but stays positive."""
        columns = []
        for low, high in self.ranges.values():
            margin = widen * (high - low)
            start = low - margin
            if margin > 0 and low >= 0 and start <= 0:
                start = low / 2
            columns.append(generator.uniform(start, high + margin, rows))
        return np.column_stack(columns)


PROBLEMS = [
    Problem("I.6.2a", "exp(-theta**2/2)/sqrt(2*pi)", {"theta": (1, 3)}),
    Problem("I.8.14", "sqrt((x2-x1)**2+(y2-y1)**2)", {v: (1, 5) for v in ("x1", "x2", "y1", "y2")}),
    Problem("I.9.18", "G*m1*m2/((x2-x1)**2+(y2-y1)**2+(z2-z1)**2)",
            {"m1": (1, 2), "m2": (1, 2), "G": (1, 2), "x1": (3, 4), "x2": (1, 2), "y1": (3, 4), "y2": (1, 2),
             "z1": (3, 4), "z2": (1, 2)}),
    Problem("I.12.11", "q*(Ef+B*v*sin(theta))", {v: (1, 5) for v in ("q", "Ef", "B", "v", "theta")}),
    Problem("I.15.3x", "(x-u*t)/sqrt(1-u**2/c**2)", {"x": (5, 10), "u": (1, 2), "c": (3, 20), "t": (1, 2)}),
    Problem("I.29.16", "sqrt(x1**2+x2**2-2*x1*x2*cos(theta1-theta2))",
            {v: (1, 5) for v in ("x1", "x2", "theta1", "theta2")}),
    Problem("I.40.1", "n_0*exp(-m*g*x/(kb*T))", {v: (1, 5) for v in ("n_0", "m", "x", "T", "g", "kb")}),
    Problem("I.44.4", "n*kb*T*log(V2/V1)", {v: (1, 5) for v in ("n", "kb", "T", "V1", "V2")}),
    Problem("II.6.15a", "p_d/(4*pi*epsilon)*3*z/r**5*sqrt(x**2+y**2)",
            {v: (1, 3) for v in ("epsilon", "p_d", "r", "x", "y", "z")}),
    Problem("II.11.27", "n*alpha/(1-n*alpha/3)*epsilon*Ef",
            {"n": (0, 1), "alpha": (0, 1), "epsilon": (1, 2), "Ef": (1, 2)}),
    Problem("III.4.33", "h/(2*pi)*omega/(exp(h/(2*pi)*omega/(kb*T))-1)",
            {v: (1, 5) for v in ("h", "omega", "kb", "T")}),
    Problem("III.21.20", "-rho*q*A/m", {v: (1, 5) for v in ("rho", "q", "A", "m")}),
]


def table_path(folder, problem, noise):
    """Where the training table of a problem lies."""
    return pathlib.Path(folder) / f"{problem.name}_noise{noise:g}.csv"


def test_path(folder, problem):
    """Where the clean test table of a problem lies."""
    return pathlib.Path(folder) / f"{problem.name}_test.csv"


def write(folder, noise, seed=1):
    """Writes training and test table of every problem, where they do not exist.

    The points depend on the problem's name and `seed` alone, so a further row changes no other table. The noise is
    normal with standard deviation `noise` times the root mean square of the target.
    """
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for problem in PROBLEMS:
        generator = np.random.default_rng([seed, *problem.name.encode()])
        law = problem.formula()
        head = ",".join([f"x{i}" for i in range(len(problem.ranges))] + ["y"])
        points = problem.points(ROWS, generator)
        target = law(points)
        target = target + noise * np.sqrt(np.mean(target**2)) * generator.standard_normal(ROWS)
        tests = problem.points(TEST_ROWS, np.random.default_rng([seed, 1, *problem.name.encode()]))
        for path, x, y in (
            (table_path(folder, problem, noise), points, target),
            (test_path(folder, problem), tests, law(tests)),
        ):
            if not path.exists():
                part = path.with_suffix(".part")
                np.savetxt(part, np.column_stack([x, y]), delimiter=",", header=head, comments="", fmt="%.17g")
                part.rename(path)


if __name__ == "__main__":
    for level in (0.0, 0.1):
        write(sys.argv[1], level)
