"""Which results are the law: one check for all tools.

    python score.py RESULTS          (or run.py --out RESULTS --score)

*Law*: the tool's own choice
- has the law's values at 2000 fresh points of the ranges (to 1e-4 at 99.9 % of them) and at 2000 points of ranges
  widened by a quarter at either end (to 1e-3 at 99 % of those where the law is defined), relative to the law's value
  or its median size, whichever is more;
- has them ten times as closely once its numbers are fitted to the fresh points: a search ends before its numbers have
  all their digits, and a law then gains them, while an interpolant does not;
- and is at most 2.5 times as large as the law, counted after parts have been dropped that change no value by 1e-4 (a
  factor 1, an addend 1e-9: no tool is judged by how it prints).
With noise, numbers cannot be exact: in place of the first, the choice must be within 0.1 of the law at 90 % of the fresh
points.

*Literal*: without noise also the criterion of SRBench (La Cava et al., "Contemporary Symbolic Regression Methods and
their Relative Performance", NeurIPS Datasets and Benchmarks 2021): with its numbers rounded to three decimals, sympy
simplifies the difference to the law, or the ratio, to a constant.

*Hypervolume*: of the front, by one count for all tools: the mean over the sizes 1 to 40 of log10(1/(1 - R2))/10 of the
best member of at most that size, R2 on the training table, between 0 and 1 (there a search may end).
*To R2*: processor seconds until the R2 on the training table was over 0.999999, the median over all runs; one that was never
so far counts as longer than all. With that, the share of runs that were.

*Front*: some member of the tool's front is the law. *As printed*: the law, and of at most that size with all its parts. *Fits*: R2 above 0.999999 on the clean test table, but not the law.
The columns after the seeds are means over the seeds. Times are processor seconds of the search, the median over those that found the law.
"""

import ast
import copy
import hashlib
import json
import multiprocessing
import pathlib
import statistics
import sys
from collections import defaultdict

import numpy as np

from formula import Formula, r2
from problems import PROBLEMS, table_path, test_path

NEAR, WIDE, ROUGH, CLOSER, LARGER = 1e-4, 1e-3, 0.1, 0.1, 2.5
POINTS = 2000
#: Part of the cache's key: raise it when the check changes.
CHECK = 6
#: Of the hypervolume: the largest size, the error at which a search may end; and the R2 that is timed.
SIZES, LEAST, TIMED = 40, 1e-10, 0.999999


def errors(predicted, law):
    """Relative errors, infinite where a value is missing; points where the law itself has no value are left out."""
    defined = np.isfinite(law)
    scale = np.maximum(np.abs(law[defined]), np.median(np.abs(law[defined])))
    found = np.abs(predicted[defined] - law[defined]) / scale
    return np.where(np.isfinite(found), found, np.inf)


def pruned(formula, points, tolerance):
    """The formula without the parts that change no value by more than `tolerance`."""
    points = points[:300]
    aim = formula(points)

    def same(candidate):
        return np.max(errors(candidate(points), aim), initial=0) <= tolerance

    best, going = formula, True
    while going:
        going = False
        for spot, node in enumerate(list(ast.walk(best.root))):
            parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
            if isinstance(node, ast.Call):
                parts = node.args
            if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call)):
                continue
            inner = copy.copy(best)
            inner.root = node
            values = inner(points)
            middle = float(np.median(values))
            options = [ast.Constant(middle)] if np.isfinite(middle) else []
            options += parts + [ast.UnaryOp(ast.USub(), p) for p in parts if isinstance(node, ast.BinOp)]
            for option in options:
                trial = copy.deepcopy(best)
                trial.root = replaced(trial.root, spot, copy.deepcopy(option))
                if trial.size() < best.size() and same(trial):
                    best, going = trial, True
                    break
            if going:
                break
    return best


def replaced(root, spot, option):
    """The tree with its node number `spot`, in the order of `ast.walk`, exchanged."""
    old = list(ast.walk(root))[spot]
    if old is root:
        return option

    class Exchange(ast.NodeTransformer):
        def visit(self, node):
            return option if node is old else self.generic_visit(node)

    return Exchange().visit(root)


class Check:
    """The points and values of one problem."""

    def __init__(self, problem):
        seed = [20, *problem.name.encode()]
        self.law = problem.formula()
        self.fresh = problem.points(POINTS, np.random.default_rng([1, *seed]))
        self.wide = problem.points(POINTS, np.random.default_rng([2, *seed]), widen=0.25)
        self.at_fresh, self.at_wide = self.law(self.fresh), self.law(self.wide)

    def verdict(self, text, noisy):
        """Of one expression: is it the law, its size as it stands and pruned, its errors."""
        try:
            formula = Formula(text)
            rough = float(np.quantile(errors(formula(self.fresh), self.at_fresh), 0.9, method="higher"))
        except ValueError as error:
            return {"law": False, "unread": str(error)}
        near, wide = self.distance(formula)
        found = {"law": False, "size": formula.size(), "law_size": self.law.size(), "rough": rough, "near": near, "wide": wide}
        if not (rough <= ROUGH if noisy else near <= NEAR and wide <= WIDE):
            return found
        if not (near <= CLOSER * NEAR and wide <= CLOSER * WIDE):
            formula = formula.refitted(self.fresh, self.at_fresh)
            near, wide = self.distance(formula)
            found |= {"fitted_near": near, "fitted_wide": wide}
        if near <= CLOSER * NEAR and wide <= CLOSER * WIDE:
            found["pruned"] = pruned(formula, self.fresh, NEAR).size()
            found["law"] = found["pruned"] <= LARGER * self.law.size()
            found["plain"] = found["law"] and found["size"] <= LARGER * self.law.size()
        return found

    def distance(self, formula):
        """The errors that decide, at the fresh and at the widened points."""
        return (float(np.quantile(errors(formula(self.fresh), self.at_fresh), 0.999, method="higher")),
                float(np.quantile(errors(formula(self.wide), self.at_wide), 0.99, method="higher")))


def rounded(expression, sympy):
    """Numbers to three decimals, those under 1e-4 to zero, whole ones as integers."""
    def one(x):
        near = round(float(x), 3)
        return sympy.Integer(round(near)) if near == round(near) else sympy.Float(near)

    return expression.xreplace({x: one(x) for x in expression.atoms(sympy.Float)})


def literal_in_process(text, law, width, answer):
    import sympy

    columns = {f"x{i}": sympy.Symbol(f"x{i}", positive=True) for i in range(width)}
    found = rounded(sympy.sympify(str(Formula(text)), locals=columns), sympy)
    truth = sympy.sympify(str(law), locals=columns)
    for way in (lambda: found - truth, lambda: found / truth):
        left = rounded(sympy.simplify(way()), sympy)
        if not left.free_symbols and left.is_finite and left != 0 or left == 0:
            answer.put(True)
            return
    answer.put(False)


def literal(text, law, width, seconds=30):
    """The literal criterion, or "timeout" where sympy takes longer than `seconds`."""
    answer = multiprocessing.Queue()
    child = multiprocessing.Process(target=literal_in_process, args=(text, law, width, answer))
    child.start()
    child.join(seconds)
    if child.is_alive():
        child.kill()
        child.join()
        return "timeout"
    return answer.get() if child.exitcode == 0 else "error"


def scored(folder):
    """All results of the folder with their verdicts; verdicts are kept in scores.json."""
    folder = pathlib.Path(folder)
    store = folder / "scores.json"
    known = json.loads(store.read_text()) if store.exists() else {}
    problems = {p.name: p for p in PROBLEMS}
    checks, tests, results = {}, {}, []
    for path in sorted(folder.glob("runs/*/*.json")):
        run = json.loads(path.read_text())
        problem = problems.get(run["problem"])
        if problem is None:
            continue
        if "expression" in run and run["expression"] is not None:
            members = [m["expression"] for m in run["front"]]
            key = hashlib.sha256(json.dumps(
                [CHECK, NEAR, WIDE, ROUGH, CLOSER, LARGER, problem.law, problem.ranges, run["noise"] > 0, run["expression"], members]
            ).encode()).hexdigest()
            if key not in known:
                if problem.name not in checks:
                    checks[problem.name] = Check(problem)
                    rows = np.loadtxt(test_path(folder / "data", problem), delimiter=",", skiprows=1)
                    tests[problem.name] = rows[:, :-1], rows[:, -1]
                known[key] = judge(run, members, checks[problem.name], *tests[problem.name],
                                   table_path(folder / "data", problem, run["noise"]))
                store.write_text(json.dumps(known, indent=1))
            run["verdict"] = known[key]
        results.append(run)
    return results


def hypervolume(members, points, target):
    """The share of sizes and logarithms of errors that the members are better than."""
    best = np.zeros(SIZES)
    for text in members:
        try:
            formula = Formula(text)
            left = max(1 - r2(formula(points), target), LEAST)
        except ValueError:
            continue
        if formula.size() <= SIZES and left < 1:
            gain = np.log10(left) / np.log10(LEAST)
            best[formula.size() - 1:] = np.maximum(best[formula.size() - 1:], gain)
    return float(best.mean())


def reached(run):
    """When the run's R2 was over TIMED first; infinite where it never was."""
    return next((seconds for seconds, value in run.get("trace", []) if value > TIMED), np.inf)


def judge(run, members, check, points, target, training):
    noisy = run["noise"] > 0
    verdict = check.verdict(run["expression"], noisy)
    if "unread" not in verdict:
        verdict["r2"] = r2(Formula(run["expression"])(points), target)
        if not noisy and verdict["r2"] > 0.999:
            verdict["literal"] = literal(run["expression"], check.law, points.shape[1])
    rows = np.loadtxt(training, delimiter=",", skiprows=1)
    verdict["hypervolume"] = hypervolume({*members, run["expression"]}, rows[:, :-1], rows[:, -1])
    verdict["front"] = verdict["law"] or any(check.verdict(m, noisy)["law"] for m in members)
    return verdict


def line(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def seconds(runs):
    """The median processor seconds of the runs that found the law."""
    found = [r["search_cpu"] for r in runs if r.get("verdict", {}).get("law")]
    if not found:
        return "-"
    middle = statistics.median(found)
    return f"{middle:.2g} s" if middle >= 0.01 else "under 0.01 s"


def tables(results):
    """Two markdown tables for each noise and bound: the tools, and each problem."""
    groups = defaultdict(lambda: defaultdict(list))
    for run in results:
        groups[run["noise"], run["seconds"]][run["name"]].append(run)
    for (noise, bound), tools in sorted(groups.items()):
        seeds = sorted({r["seed"] for runs in tools.values() for r in runs})
        names = sorted(tools, key=lambda n: -sum(r.get("verdict", {}).get("law", False) for r in tools[n]) / len(tools[n]))
        yield f"### Noise {noise:g}, {bound:g} processor seconds a search, one thread\n"
        head = ["tool", "version", *(f"laws, seed {s}" for s in seeds), "mean", "literal", "in the front",
                "as printed", "fits, not the law", "median time to the law",
                "hypervolume", "R2 over 0.999999", "median time to R2", "failed"]
        yield line(head)
        yield line(["---"] * len(head))
        for name in names:
            runs = tools[name]
            verdicts = [r.get("verdict", {}) for r in runs]
            cells, per_seed = [], []
            for seed in seeds:
                of = [r for r in runs if r["seed"] == seed]
                laws = sum(r.get("verdict", {}).get("law", False) for r in of)
                cells.append(f"{laws} of {len(of)}" if of else "")
                if of:
                    per_seed.append(laws)
            count = len(per_seed) or 1
            fits = sum(v.get("r2", 0) > 0.999999 and not v["law"] for v in verdicts)
            plain = sum(v.get("literal") is True for v in verdicts)
            printed = sum(v.get("plain", False) for v in verdicts)
            front = sum(v.get("front", False) for v in verdicts)
            failed = sum("failure" in r or "unread" in r.get("verdict", {}) for r in runs)
            volume = statistics.mean(v.get("hypervolume", 0.0) for v in verdicts)
            times = [reached(r) for r in runs]
            there = sum(np.isfinite(t) for t in times) / len(times)
            middle = statistics.median_low(times)
            timed = f"{middle:.2g} s" if np.isfinite(middle) else "-"
            version = next((r["version"] for r in runs if "version" in r), "")
            yield line([name, version, *cells, f"{statistics.mean(per_seed):.1f}", "" if noise else f"{plain / count:.1f}",
                        f"{front / count:.1f}", f"{printed / count:.1f}", f"{fits / count:.1f}", seconds(runs),
                        f"{volume:.3f}", f"{100 * there:.0f} %", timed, failed])
        yield ""
        yield line(["problem", *names])
        yield line(["---"] * (len(names) + 1))
        for problem in PROBLEMS:
            cells = []
            for name in names:
                of = [r for r in tools[name] if r["problem"] == problem.name]
                laws = sum(r.get("verdict", {}).get("law", False) for r in of)
                cells.append(f"{laws} of {len(of)}" + (f", {seconds(of)}" if laws else "") if of else "")
            if any(cells):
                yield line([problem.name, *cells])
        yield ""


def main(folder):
    results = scored(folder)
    if not results:
        sys.exit(f"expected results in {folder}, found none")
    for run in results:
        if "unread" in run.get("verdict", {}):
            print(f"{run['name']} {run['problem']} seed {run['seed']}: {run['verdict']['unread']}", file=sys.stderr)
    print("\n".join(tables(results)))


if __name__ == "__main__":
    main(sys.argv[1])
