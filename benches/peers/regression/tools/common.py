"""What every tool's script shares: the command line, the table, the clock, and the answer.

    python TOOL.py TABLE.csv --seconds S --seed N --out ANSWER.json

The answer holds `tool`, `version`, `settings`, `expression` (the tool's own choice, over `x0`, `x1`, ...), `front`
(members `{expression, size, loss}`: the tool's own count of nodes, the mean squared error), `search_cpu` (processor
seconds from the moment the table is read), `trace` (pairs of processor seconds and the best R2 until then) and
`stopped`: `exact` (training 1 - R2 under STOP), `time`, or `done`.
"""

import argparse
import json
import os
import pathlib
import sys
import time

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
import numpy as np  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

#: A training 1 - R2 below this ends a search: what is left is rounding.
STOP = 1e-10
#: The functions that all tools may use, beside `+ - * /` and squares.
FUNCTIONS = ("sqrt", "exp", "log", "sin", "cos")


def arguments(**more):
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    for name in more:
        parser.add_argument(f"--{name}", default=more[name])
    return parser.parse_args()


def table(path):
    """The columns and the target, which is the last column."""
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    return np.ascontiguousarray(rows[:, :-1]), np.ascontiguousarray(rows[:, -1])


class Clock:
    """Processor seconds of this process, children not counted, and the trace of the best R2."""

    def __init__(self):
        self.start = time.process_time()
        self.trace = []
        self.best = -np.inf

    def seconds(self):
        return time.process_time() - self.start

    def note(self, r2, seconds=None):
        """The best R2 so far; `seconds`: when, of a program that keeps its own clock."""
        if r2 > self.best + 1e-12:
            self.best = float(r2)
            self.trace.append([round(self.seconds() if seconds is None else seconds, 3), self.best])


def exact(front, target):
    """The smallest member that explains the target to rounding, or None."""
    good = [m for m in front if m["loss"] <= STOP * np.var(target)]
    return min(good, key=lambda m: m["size"], default=None)


def answer(path, **parts):
    part = pathlib.Path(path).with_suffix(".part")
    part.write_text(json.dumps(parts, default=float))
    part.rename(path)
