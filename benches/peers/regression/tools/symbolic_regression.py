"""The crate symbolic_regression (Apache-2.0), a port of SymbolicRegression.jl, through the program beside this folder.

All settings are the crate's defaults, but for the functions. The answer is chosen as PySR documents its `best`: the
largest drop of the log of the error per node among members whose error is at most 1.5 times the least one.
"""

import json
import math
import subprocess

import common


def best(front):
    least = min(m["loss"] for m in front)
    scored, before = [], None
    for m in front:
        gain = 0.0
        if before is not None:
            drop = math.log(max(before["loss"], 1e-300)) - math.log(max(m["loss"], 1e-300))
            gain = drop / (m["size"] - before["size"])
        scored.append((gain, m))
        before = m
    return max((s for s in scored if s[1]["loss"] <= 1.5 * least), key=lambda s: s[0])[1]


def main():
    args = common.arguments(binary="")
    _, y = common.table(args.table)
    run = subprocess.run(
        [args.binary, args.table, str(args.seconds), str(args.seed), repr(common.STOP), ",".join(common.FUNCTIONS)],
        check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(run.stdout)
    found["front"].sort(key=lambda m: m["size"])
    chosen = common.exact(found["front"], y) or best(found["front"])
    common.answer(args.out, tool="symbolic_regression", expression=chosen["expression"], **found)


main()
