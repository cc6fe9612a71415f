"""The problems of the comparison: laws of physics with the ranges from which their variables are drawn.

The first twelve rows are published: Udrescu and Tegmark, "AI Feynman", Science Advances 6 (2020), eaay2631, table S4
and the data base beside it; the other set says where its rows come from. A further problem is a further row; nothing else
has to change.
A formula is written in the operators of Python, `sqrt exp log sin cos tan asin` and `pi`.

    python problems.py FOLDER      writes the tables of all problems
"""

import pathlib
import sys
from dataclasses import dataclass

import numpy as np

from formula import Formula

TEST_ROWS = 2000


@dataclass(frozen=True)
class Problem:
    """A law and, in the order of the columns, the range of each variable."""

    name: str
    law: str
    ranges: dict
    #: Rows of the training table; with `step` each variable runs evenly from end to end.
    rows: int = 1000
    step: float = 0.0

    def formula(self):
        """The law between the columns: `x0`, `x1`, ..."""
        return Formula(self.law).renamed({v: f"x{i}" for i, v in enumerate(self.ranges)})

    def training(self, generator):
        """The columns of the training table."""
        if not self.step:
            return self.points(self.rows, generator)
        ends = self.ranges.values()
        axes = [low + self.step * np.arange(int(round((high - low) / self.step)) + 1) for low, high in ends]
        return np.column_stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])

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


TWELVE = [
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

#: Where no shortcut of algebra shall count: every sixth of the 120 laws of the AI Feynman data base (two more of them stand
#: above), the laws of Nguyen (N. Q. Uy et al., Genet. Program. Evolvable Mach. 12, 91 (2011)) and those of M. Keijzer
#: (EuroGP 2003) on their own tables.
GENETIC = [
    Problem("I.11.19", "x1*y1+x2*y2+x3*y3", {v: (1, 5) for v in ("x1", "x2", "x3", "y1", "y2", "y3")}),
    Problem("I.13.4", "1/2*m*(v**2+u**2+w**2)", {v: (1, 5) for v in ("m", "v", "u", "w")}),
    Problem("I.15.1", "m_0*v/sqrt(1-v**2/c**2)", {"m_0": (1, 5), "v": (1, 2), "c": (3, 10)}),
    Problem("I.25.13", "q/C", {v: (1, 5) for v in ("q", "C")}),
    Problem("I.30.5", "asin(lambd/(n*d))", {"lambd": (1, 2), "d": (2, 5), "n": (1, 5)}),
    Problem("I.34.27", "(h/(2*pi))*omega", {v: (1, 5) for v in ("omega", "h")}),
    Problem("I.47.23", "sqrt(gamma*pr/rho)", {v: (1, 5) for v in ("gamma", "pr", "rho")}),
    Problem("II.6.11", "1/(4*pi*epsilon)*p_d*cos(theta)/r**2", {v: (1, 3) for v in ("epsilon", "p_d", "theta", "r")}),
    Problem("II.11.3", "q*Ef/(m*(omega_0**2-omega**2))",
            {"q": (1, 3), "Ef": (1, 3), "m": (1, 3), "omega_0": (3, 5), "omega": (1, 2)}),
    Problem("II.13.23", "rho_c_0/sqrt(1-v**2/c**2)", {"rho_c_0": (1, 5), "v": (1, 2), "c": (3, 10)}),
    Problem("II.27.16", "epsilon*c*Ef**2", {v: (1, 5) for v in ("epsilon", "c", "Ef")}),
    Problem("II.34.29b", "g_*mom*B*Jz/(h/(2*pi))", {v: (1, 5) for v in ("g_", "h", "Jz", "mom", "B")}),
    Problem("II.38.14", "Y/(2*(1+sigma))", {v: (1, 5) for v in ("Y", "sigma")}),
    Problem("III.10.19", "mom*sqrt(Bx**2+By**2+Bz**2)", {v: (1, 5) for v in ("mom", "Bx", "By", "Bz")}),
    Problem("III.15.27", "2*pi*alpha/(n*d)", {v: (1, 5) for v in ("alpha", "n", "d")}),
    Problem("test_3", "d*(1-alpha**2)/(1+alpha*cos(theta1-theta2))",
            {"d": (1, 3), "alpha": (2, 4), "theta1": (4, 5), "theta2": (4, 5)}),
    Problem("test_9", "-32/5*G**4/c**5*(m1*m2)**2*(m1+m2)/r**5",
            {"G": (1, 2), "c": (1, 2), "m1": (1, 5), "m2": (1, 5), "r": (1, 2)}),
    Problem("test_15", "sqrt(1-v**2/c**2)*omega/(1+v/c*cos(theta))",
            {"c": (5, 20), "v": (1, 3), "omega": (1, 5), "theta": (0, 6)}),
    Problem("Nguyen-1", "x1**3 + x1**2 + x1", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-2", "x1**4 + x1**3 + x1**2 + x1", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-3", "x1**5 + x1**4 + x1**3 + x1**2 + x1", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-4", "x1**6 + x1**5 + x1**4 + x1**3 + x1**2 + x1", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-5", "sin(x1**2) * cos(x1) - 1", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-6", "sin(x1) + sin(x1 + x1**2)", {"x1": (-1, 1)}, rows=20),
    Problem("Nguyen-7", "log(x1 + 1) + log(x1**2 + 1)", {"x1": (0, 2)}, rows=20),
    Problem("Nguyen-8", "sqrt(x1)", {"x1": (0, 4)}, rows=20),
    Problem("Nguyen-9", "sin(x1) + sin(x2**2)", {"x1": (0, 1), "x2": (0, 1)}, rows=20),
    Problem("Nguyen-10", "2 * sin(x1) * cos(x2)", {"x1": (0, 1), "x2": (0, 1)}, rows=20),
    Problem("Nguyen-11", "x1**x2", {"x1": (0, 1), "x2": (0, 1)}, rows=20),
    Problem("Nguyen-12", "x1**4 - x1**3 + x2**2 / 2 - x2", {"x1": (0, 1), "x2": (0, 1)}, rows=20),
    Problem("Keijzer-1", "0.3 * x1 * sin(2 * pi * x1)", {"x1": (-1, 1)}, step=0.1),
    Problem("Keijzer-2", "0.3 * x1 * sin(2 * pi * x1)", {"x1": (-2, 2)}, step=0.1),
    Problem("Keijzer-3", "0.3 * x1 * sin(2 * pi * x1)", {"x1": (-3, 3)}, step=0.1),
    Problem("Keijzer-4", "x1**3 * exp(-x1) * cos(x1) * sin(x1) * (sin(x1)**2 * cos(x1) - 1)",
            {"x1": (0, 10)}, step=0.1),
    Problem("Keijzer-5", "30 * x1 * x3 / ((x1 - 10) * x2**2)",
            {"x1": (-1, 1), "x2": (-1, 1), "x3": (1, 2)}, rows=1000),
    Problem("Keijzer-6", "x1 * (x1 + 1) / 2", {"x1": (1, 50)}, step=1),
    Problem("Keijzer-7", "log(x1)", {"x1": (1, 100)}, step=1),
    Problem("Keijzer-8", "sqrt(x1)", {"x1": (0, 100)}, step=1),
    Problem("Keijzer-9", "log(x1 + sqrt(x1**2 + 1))", {"x1": (0, 100)}, step=1),
    Problem("Keijzer-10", "x1**x2", {"x1": (0, 1), "x2": (0, 1)}, rows=100),
    Problem("Keijzer-11", "x1 * x2 + sin((x1 - 1) * (x2 - 1))", {"x1": (-3, 3), "x2": (-3, 3)}, rows=20),
    Problem("Keijzer-12", "x1**4 - x1**3 + x2**2 / 2 - x2", {"x1": (-3, 3), "x2": (-3, 3)}, rows=20),
    Problem("Keijzer-13", "6 * sin(x1) * cos(x2)", {"x1": (-3, 3), "x2": (-3, 3)}, rows=20),
    Problem("Keijzer-14", "8 / (2 + x1**2 + x2**2)", {"x1": (-3, 3), "x2": (-3, 3)}, rows=20),
    Problem("Keijzer-15", "x1**3 / 5 + x2**3 / 2 - x2 - x1", {"x1": (-3, 3), "x2": (-3, 3)}, rows=20),
    *(problem for problem in TWELVE if problem.name in ("I.6.2a", "I.40.1")),
]

SETS = {"twelve": TWELVE, "genetic": GENETIC}
PROBLEMS = list({problem.name: problem for problems in SETS.values() for problem in problems}.values())


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
        points = problem.training(generator)
        target = law(points)
        target = target + noise * np.sqrt(np.mean(target**2)) * generator.standard_normal(len(target))
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
