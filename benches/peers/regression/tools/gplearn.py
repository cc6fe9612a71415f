"""gplearn (BSD-3-Clause): genetic programming over trees, one generation after the other.

Its division, root and logarithm are the protected ones that it brings; population 1000, tournament 20, parsimony 0.001.
It keeps no front: its answer is its best program.
"""

import importlib.metadata
import pathlib
import sys
import warnings

# This file has the package's name: the package must be found first.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
import numpy as np  # noqa: E402
from gplearn.functions import make_function  # noqa: E402
from gplearn.genetic import SymbolicRegressor  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import common  # noqa: E402

INFIX = {"add": "({}+{})", "sub": "({}-{})", "mul": "({}*{})", "div": "({}/{})", "sqrt": "sqrt(abs({}))", "log": "log(abs({}))"}


def exponential(x):
    with np.errstate(over="ignore"):
        found = np.exp(x)
    return np.where(np.isfinite(found), found, 0.0)


def square(x):
    with np.errstate(over="ignore"):
        return np.minimum(x * x, 1e300)


def infix(program):
    """A program, in prefix order with all digits of its numbers, as a formula over `x0`, `x1`, ..."""
    parts = iter(program)

    def one():
        part = next(parts)
        if isinstance(part, (int, np.integer)):
            return f"x{part}"
        if isinstance(part, (float, np.floating)):
            return f"({float(part)!r})"
        return INFIX.get(part.name, part.name + "({})").format(*(one() for _ in range(part.arity)))

    return one()


def main():
    warnings.filterwarnings("ignore")
    args = common.arguments()
    x, y = common.table(args.table)
    clock = common.Clock()
    functions = ["add", "sub", "mul", "div", *(f for f in common.FUNCTIONS if f != "exp"),
                 make_function(function=exponential, name="exp", arity=1), make_function(function=square, name="square", arity=1)]
    search = SymbolicRegressor(population_size=1000, generations=1, function_set=functions, tournament_size=20, metric="mse",
                               parsimony_coefficient=0.001, const_range=(-5.0, 5.0), warm_start=True, n_jobs=1,
                               random_state=args.seed)
    best, stopped = None, "time"
    while clock.seconds() < args.seconds:
        search.fit(x, y)
        program = search._program
        if best is None or program.raw_fitness_ < best.raw_fitness_:
            best = program
            clock.note(1 - best.raw_fitness_ / np.var(y))
        if best.raw_fitness_ <= common.STOP * np.var(y):
            stopped = "exact"
            break
        search.set_params(generations=search.generations + 1)
    used = clock.seconds()
    text = infix(best.program)
    member = {"expression": text, "size": best.length_, "loss": float(best.raw_fitness_)}
    common.answer(args.out, tool="gplearn", version=importlib.metadata.version("gplearn"), settings="population 1000",
                  expression=text, front=[member], search_cpu=used, trace=clock.trace, stopped=stopped,
                  evaluations=1000 * search.generations)


main()
