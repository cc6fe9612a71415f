"""eggp (GPL-3.0, run as a program of its own): genetic programming whose population lives in an e-graph.

It knows only a limit by the clock, takes no seed, and ends by the limit alone. So that a busy machine does not shorten
its search, it is run again from its saved e-graph until nine tenths of the processor seconds are used.
Where no member is exact, the answer is the one with the least Bayesian information criterion.
"""

import importlib.metadata
import math
import os
import pathlib
import re
import sys
import tempfile

# This file has the package's name: the package must be found first. GHC reads its threads when it starts.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
os.environ["GHCRTS"] = "-N1"
import numpy as np  # noqa: E402
from eggp import EGGP  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import common  # noqa: E402


def member(row):
    numbers = [t for t in str(row["theta"]).split(";") if t]
    text = re.sub(r"t\[(\d+)\]", lambda m: f"({numbers[int(m[1])]})", str(row["Numpy"]))
    text = re.sub(r"x\[:,\s*(\d+)\]", r"x\1", text).replace("np.", "")
    return {"expression": text, "size": int(row["size"]), "loss": float(row["loss_train"])}


def main():
    args = common.arguments()
    x, y = common.table(args.table)
    clock = common.Clock()
    stopped = "time"
    with tempfile.TemporaryDirectory() as folder:
        graph = os.path.join(folder, "graph")
        while clock.seconds() < 0.9 * args.seconds:
            search = EGGP(gen=10**6, nPop=200, maxSize=30, loss="MSE", optIter=50, optRepeat=2, dumpTo=graph,
                          nonterminals=",".join(("add", "sub", "mul", "div", "square", *common.FUNCTIONS)),
                          max_time=math.ceil(args.seconds - clock.seconds()) + 1,
                          loadFrom=graph if os.path.exists(graph) else "")
            search.fit(x, y)
            front = [member(row) for _, row in search.results.iterrows()]
            clock.note(1 - min(m["loss"] for m in front) / np.var(y))
            if common.exact(front, y):
                stopped = "exact"
                break
    used = clock.seconds()
    front.sort(key=lambda m: m["size"])

    def criterion(m):
        return len(y) * math.log(max(m["loss"], 1e-300)) + m["size"] * math.log(len(y))

    best = common.exact(front, y) or min(front, key=criterion)
    common.answer(args.out, tool="eggp", version=importlib.metadata.version("eggp"), settings="population 200, size 30",
                  expression=best["expression"], front=front, search_cpu=used, trace=clock.trace, stopped=stopped)


main()
