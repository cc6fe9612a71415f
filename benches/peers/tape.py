"""The tape beside its peers: node evaluations a second on the trees of tape_trees.txt, on one core, in one run.

    python benches/peers/tape.py [--rounds 3]

Runs, one after the other and as often as `--rounds` says, `cargo bench --bench tape`, the `dynamic_expressions`
crate (its own package beside this file, built for the running processor: `-C target-cpu=native`), and NumPy here,
and prints the median of the rounds' medians.
Times are those of the thread's processor time (on Linux). Needs cargo and numpy.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402

HERE = pathlib.Path(__file__).parent
BINARY = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "pow": np.power}
UNARY = {name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt", "abs")}
ROUNDS = 5


def trees(kind):
    lines = (line.split() for line in (HERE / "tape_trees.txt").read_text().splitlines())
    return [line[1:] for line in lines if line[0] == kind]


def evaluate(words, columns, precision):
    stack = []
    for word in words:
        if word in BINARY:
            b, a = stack.pop(), stack.pop()
            stack.append(BINARY[word](a, b))
        elif word in UNARY:
            stack.append(UNARY[word](stack.pop()))
        else:
            stack.append(columns[int(word[1:])] if word[0] == "x" else precision(word))
    return stack[0]


def numpy_lines():
    for kind in ("arithmetic", "all"):
        chosen = trees(kind)
        nodes = sum(map(len, chosen))
        for points in (1000, 10_000):
            for name, precision in (("f64", np.float64), ("f32", np.float32)):
                i = np.arange(points)
                columns = [(0.5 + 2.5 * ((i * (k + 7) * 37) % 1009) / 1009).astype(precision) for k in range(5)]
                rates = []
                for _ in range(ROUNDS):
                    start = time.thread_time()
                    repeats = 0
                    while time.thread_time() - start < 0.05:
                        for words in chosen:
                            evaluate(words, columns, precision)
                        repeats += 1
                    rates.append(nodes * points * repeats / (time.thread_time() - start))
                total = evaluate(chosen[0], columns, precision).astype(np.float64).sum()
                digits = 9 if name == "f64" else 5
                yield f"numpy {kind} {name} {points} {statistics.median(rates):.3e} {max(rates):.3e} {total:.{digits}e}"


def run(command, where, **environment):
    done = subprocess.run(command, cwd=where, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    peer = HERE / "dynamic_expressions"
    rates, sums = {}, {}
    for _ in range(rounds):
        lines = run(["cargo", "bench", "-q", "--bench", "tape"], HERE.parent.parent)
        lines += run(["cargo", "run", "-q", "--release"], peer, RUSTFLAGS="-C target-cpu=native")
        lines += list(numpy_lines())
        for line in lines:
            if line.startswith("#"):
                print(line)
                continue
            name, kind, precision, points, median, _, total = line.split()
            rates.setdefault((kind, precision, int(points), name), []).append(float(median))
            sums.setdefault((kind, precision, int(points)), set()).add(float(total))
    for case, found in sums.items():
        if max(found) - min(found) > (1e-8 if case[1] == "f64" else 1e-4) * abs(max(found)):
            print(f"values differ: {case}: {found}")
    names = ["phys", "dynamic_expressions", "numpy"]
    print("| trees | points |", " | ".join(names), "| phys / dynamic_expressions |")
    print("| --- | --- |", " --- |" * 4)
    for kind, precision, points in sums:
        row = [statistics.median(rates[kind, precision, points, name]) for name in names]
        cells = " | ".join(f"{rate:.2e}" for rate in row)
        print(f"| {kind}, {precision} | {points} | {cells} | {row[0] / row[1]:.1f} |")


if __name__ == "__main__":
    main()
