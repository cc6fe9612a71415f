"""phys beside SymPy: `simplify` of 100 laws of physics, expanded and shuffled.

    python simplify_sympy.py --phys ../../target/release/phys [--cache sympy.json]

The laws are the right-hand sides of the AI Feynman catalogue (S.-M. Udrescu and M. Tegmark, Science Advances 6,
eaay2631, 2020; feynman100.csv: id, formula, name:low:high of each variable). Each is expanded by `sympy.expand`
and written with the operands of every sum and product in a random order (seed 0) to feynman100_expanded.txt, in
phys syntax. Both programs read those lines and know the same of the variables: SymPy that they are positive,
phys their ranges, which lie above 0.

Times are CPU seconds of `simplify` alone for SymPy, in one process with its modules loaded and its cache empty at the start, and for phys both what it reports per line
(`seconds`, the whole line: parse, check, simplify) and the CPU time of the process. Sizes are counted on the
SymPy strings of both by one counter: leaves plus operators, a rational one leaf (a + b + c is 5, x**2 is 3), a
function one operator, a sign in front of a number none. Values of the law as printed in the catalogue, of
SymPy's and of phys' answer are compared at 20 random points of the ranges.

Needs Python 3.9 or later with sympy. `--cache` keeps SymPy's half for later runs.
"""

import argparse
import ast
import csv
import json
import math
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "feynman100.csv")
LINES = os.path.join(HERE, "feynman100_expanded.txt")
POINTS = 20
TOLERANCE = 1e-9
LIMIT_S = 300


def read_table():
    rows = []
    with open(TABLE, encoding="utf-8") as f:
        for row in csv.DictReader(f):
            variables = []
            for item in row["variables"].split(";"):
                name, low, high = item.split(":")
                variables.append((name, low, high))
            rows.append((row["id"], row["formula"], variables))
    return rows


# --- the expanded, shuffled text


def phys_text(e, rng):
    """`e` in phys syntax, the operands of its sums and products in an order drawn from `rng`."""
    import sympy as sp

    def bracket(e):
        atom = e.is_Symbol or (e.is_Integer and e >= 0) or e.is_Function or isinstance(e, sp.exp) or e is sp.pi
        return text(e) if atom else f"({text(e)})"

    def power(base, exponent):
        """base^exponent for a positive exponent."""
        if exponent == 1:
            return bracket(base)
        if exponent == sp.Rational(1, 2):
            return f"sqrt({text(base)})"
        return f"{bracket(base)}^{bracket(exponent)}"

    def factor(e):
        """(whether it divides, its text)"""
        if e.is_Rational and not e.is_Integer:
            return (False, f"({e.p}/{e.q})") if e.p != 1 else (True, str(e.q))
        base, exponent = e.as_base_exp() if e.is_Pow and not isinstance(e, sp.exp) else (e, sp.Integer(1))
        if exponent.is_number and exponent.is_negative:
            return True, power(base, -exponent)
        if exponent.could_extract_minus_sign():
            return True, power(base, -exponent)
        return False, power(base, exponent)

    def product(e):
        negative = False
        factors = []
        for arg in e.args if e.is_Mul else [e]:
            if arg.is_Rational and arg.is_negative:
                negative, arg = not negative, -arg
            if arg != 1:
                factors.append(factor(arg))
        rng.shuffle(factors)
        out = ""
        for divides, body in factors:
            if not out:
                out = f"1/{body}" if divides else body
            else:
                out += ("/" if divides else "*") + body
        return ("-" if negative else "", out or "1")

    def text(e):
        if e.is_Add:
            terms = [product(arg) for arg in e.args]
            rng.shuffle(terms)
            out = terms[0][0] + terms[0][1]
            for sign, body in terms[1:]:
                out += (" - " if sign else " + ") + body
            return out
        if isinstance(e, sp.exp):
            return f"exp({text(e.args[0])})"
        if e.is_Function:
            return f"{e.func.__name__}({', '.join(text(a) for a in e.args)})"
        if e.is_Symbol:
            return e.name
        if e.is_Integer:
            return str(e)
        if e is sp.pi:
            return "pi"
        sign, body = product(e)
        return sign + body

    return text(e)


def symbols_of(variables):
    import sympy as sp

    return {
        name: sp.Symbol(name, positive=True) if float(low) > 0 else sp.Symbol(name, real=True)
        for name, low, _ in variables
    }


def write_lines(rows):
    import sympy as sp

    rng = random.Random(0)
    lines = []
    for _, formula, variables in rows:
        e = sp.sympify(formula, locals=symbols_of(variables))
        lines.append(phys_text(sp.expand(e), rng))
    with open(LINES, "w", encoding="utf-8", newline="\n") as f:
        f.write("\n".join(lines) + "\n")
    return lines


# --- size and values, on SymPy strings


def size(text):
    """Leaves plus operators; a ratio of two integers is one leaf."""

    def number(n):
        return isinstance(n, ast.Constant) or (
            isinstance(n, ast.UnaryOp) and isinstance(n.operand, ast.Constant)
        )

    def go(n):
        if number(n):
            return 1
        if isinstance(n, ast.BinOp):
            if isinstance(n.op, ast.Div) and number(n.left) and number(n.right):
                return 1
            return 1 + go(n.left) + go(n.right)
        if isinstance(n, ast.UnaryOp):
            return 1 + go(n.operand)
        if isinstance(n, ast.Call):
            if getattr(n.func, "id", "") == "Rational":
                return 1
            return 1 + sum(go(a) for a in n.args)
        return 1

    return go(ast.parse(text, mode="eval").body)


FUNCTIONS = {
    name: getattr(math, name)
    for name in "sqrt exp log sin cos tan asin acos atan sinh cosh tanh".split()
} | {"pi": math.pi, "E": math.e, "Abs": abs, "Rational": lambda p, q: p / q,
     "cot": lambda x: 1 / math.tan(x), "sec": lambda x: 1 / math.cos(x), "csc": lambda x: 1 / math.sin(x),
     "coth": lambda x: 1 / math.tanh(x), "sech": lambda x: 1 / math.cosh(x), "csch": lambda x: 1 / math.sinh(x),
     "sinc": lambda x: math.sin(x) / x if x else 1.0}


def value(text, point):
    """The value of a SymPy string; `name_` stands for a name that SymPy would not read as a symbol."""
    env = dict(FUNCTIONS)
    for name, x in point.items():
        env[name] = x
        env.setdefault(name + "_", x)
    code = re.sub(r"\blambda_?\b", "lambda_", text)
    try:
        return eval(code, {"__builtins__": {}}, env)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def differs(formula, answer, variables, rng):
    """A point where the two are not equal, else None. Points where the formula has no value are passed over."""
    for _ in range(POINTS):
        point = {name: rng.uniform(float(low), float(high)) for name, low, high in variables}
        a, b = value(formula, point), value(answer, point)
        if math.isnan(a):
            continue
        if not abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 1e-300):
            return {"point": point, "law": a, "answer": b}
    return None


# --- the two programs


def run_sympy(rows, lines):
    import sympy as sp
    from sympy.core.cache import clear_cache

    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    sp.simplify(sp.sympify("sin(a)**2 + cos(a)**2 + (b**2 - 1)/(b - 1)"))  # loads the modules
    clear_cache()
    out = []
    for (name, _, variables), line in zip(rows, lines):
        e = sp.sympify(line.replace("^", "**"), locals=symbols_of(variables))
        signal.alarm(LIMIT_S)
        start = time.process_time()
        try:
            answer = sp.simplify(e)
        except TimeoutError:
            answer = e
        seconds = time.process_time() - start
        signal.alarm(0)
        out.append({"id": name, "seconds": seconds, "sympy": str(answer)})
        print(f"{name:12} {seconds:8.3f} s  {answer}", file=sys.stderr)
    return {"version": sp.__version__, "lines": out}


def run_phys(phys, rows, lines):
    text = ""
    for (_, _, variables), line in zip(rows, lines):
        declared = "".join(f"var {name} in {low}..{high}; " for name, low, high in variables)
        text += f"{declared}simplify({line})\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([phys, "eval", "--lines"], input=text, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    if len(answers) != len(lines):
        sys.exit(f"phys answered {len(answers)} of {len(lines)} lines, exit {done.returncode}\n{done.stderr[-2000:]}")
    return answers, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--phys", default=os.path.join(HERE, "../../target/release/phys"))
    parser.add_argument("--cache", help="JSON file with SymPy's half: read if it fits, else written")
    parser.add_argument("--sympy-only", action="store_true")
    parser.add_argument("--json", help="write every row")
    options = parser.parse_args()

    rows = read_table()
    lines = write_lines(rows)
    peer = None
    if options.cache and os.path.exists(options.cache):
        with open(options.cache, encoding="utf-8") as f:
            kept = json.load(f)
        if kept.get("input") == lines:
            peer = kept
    if peer is None:
        peer = run_sympy(rows, lines) | {"input": lines}
        if options.cache:
            with open(options.cache, "w", encoding="utf-8") as f:
                json.dump(peer, f, indent=1)
    if options.sympy_only:
        total = sum(r["seconds"] for r in peer["lines"])
        print(f"SymPy {peer['version']}: {total:.2f} s, size {sum(size(r['sympy']) for r in peer['lines'])}")
        return 0

    answers, cpu = run_phys(options.phys, rows, lines)
    rng = random.Random(1)
    table, wrong, failed = [], [], []
    for (name, formula, variables), line, theirs, ours in zip(rows, lines, peer["lines"], answers):
        text = ours.get("sympy") if ours["ok"] else None
        if text is None:
            failed.append((name, ours.get("error")))
            text = line.replace("^", "**")
        row = {
            "id": name,
            "sympy_seconds": theirs["seconds"],
            "phys_seconds": ours["seconds"],
            "input_size": size(line.replace("^", "**")),
            "sympy_size": size(theirs["sympy"]),
            "phys_size": size(text),
            "sympy": theirs["sympy"],
            "phys": text,
            "stopped": ours.get("stopped"),
        }
        for who, answer in (("input", line.replace("^", "**")), ("sympy", theirs["sympy"]), ("phys", text)):
            miss = differs(formula, answer, variables, rng)
            if miss:
                wrong.append((name, who, answer, miss))
        table.append(row)

    def total(key):
        return sum(row[key] for row in table)

    print(f"{'':8} {'seconds':>10} {'size':>6}")
    print(f"{'input':8} {'':>10} {total('input_size'):6}")
    print(f"{'SymPy':8} {total('sympy_seconds'):10.4f} {total('sympy_size'):6}   version {peer['version']}, CPU seconds")
    print(f"{'phys':8} {total('phys_seconds'):10.4f} {total('phys_size'):6}   whole lines; process CPU {cpu:.4f} s")
    if total("phys_seconds") > 0:
        print(f"times faster {total('sympy_seconds') / total('phys_seconds'):.1f} (by process CPU {total('sympy_seconds') / max(cpu, 1e-9):.1f}),"
              f" size {100 * (total('phys_size') / total('sympy_size') - 1):+.2f} %")
    smaller = [row for row in table if row["sympy_size"] < row["phys_size"]]
    larger = [row for row in table if row["sympy_size"] > row["phys_size"]]
    print(f"phys smaller in {len(larger)}, equal in {len(table) - len(smaller) - len(larger)}, SymPy smaller in {len(smaller)}:")
    for row in smaller:
        print(f"  {row['id']:10} {row['sympy_size']:3} {row['sympy']}\n  {'':10} {row['phys_size']:3} {row['phys']}   stopped: {row['stopped']}")
    slowest = sorted(table, key=lambda row: -row["phys_seconds"])[:5]
    print("slowest lines of phys: " + ", ".join(f"{row['id']} {1e3 * row['phys_seconds']:.1f} ms" for row in slowest))
    print(f"lines that failed: {len(failed)}")
    for name, error in failed:
        print(f"  {name}: {error}")
    print(f"values that differ: {len(wrong)}")
    for name, who, answer, miss in wrong:
        print(f"  {name} ({who}): {answer}  {miss}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(table, f, indent=1)
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
