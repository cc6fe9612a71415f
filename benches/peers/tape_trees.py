"""Writes benches/peers/tape_trees.txt: random trees of 20 nodes for benches/tape.rs and its peers.

    python benches/peers/tape_trees.py > benches/peers/tape_trees.txt

One tree a line, in postfix: x0 to x4, numbers, + - * / and pow between two, functions of one. `arithmetic`
trees have 19 and 21 nodes in turn (a binary tree has an odd number), `all` trees have 20. Up to a third of the
leaves are numbers, no larger subtree is. Trees whose value is not finite at some of fifty points with 0.5 < x < 3 are left out: no evaluator gains
by early exits.
"""

import math
import random

BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "pow": lambda a, b: math.nan if a < 0 else a**b,
}
UNARY = {
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "abs": abs,
}


def tree(rng, nodes, binary, unary, column=False):
    if nodes == 1:
        return [f"x{rng.randrange(5)}"] if column or rng.random() < 2 / 3 else [f"{rng.uniform(0.2, 3):.4f}"]
    if unary and (nodes == 2 or rng.random() < 0.35):
        return tree(rng, nodes - 1, binary, unary, True) + [rng.choice(unary)]
    sizes = range(1, nodes - 1) if unary else range(1, nodes - 1, 2)
    left = rng.choice(list(sizes))
    # Of two leaves one is a column: no subtree is a number.
    return (
        tree(rng, left, binary, unary, nodes == 3)
        + tree(rng, nodes - 1 - left, binary, unary)
        + [rng.choice(binary)]
    )


def value(words, point):
    stack = []
    for word in words:
        if word in BINARY:
            b, a = stack.pop(), stack.pop()
            stack.append(BINARY[word](a, b))
        elif word in UNARY:
            stack.append(UNARY[word](stack.pop()))
        else:
            stack.append(point[int(word[1:])] if word.startswith("x") else float(word))
    return stack[0]


def is_finite(words, points):
    try:
        return all(math.isfinite(v) and abs(v) < 1e15 for v in (value(words, p) for p in points))
    except (ValueError, ZeroDivisionError, OverflowError):
        return False


rng = random.Random(0)
points = [[rng.uniform(0.5, 3) for _ in range(5)] for _ in range(50)]
for kind, binary, unary in [("arithmetic", ["+", "-", "*", "/"], []), ("all", list(BINARY), list(UNARY))]:
    kept = 0
    while kept < 100:
        nodes = 20 if unary else (19 if kept % 2 else 21)
        words = tree(rng, nodes, binary, unary)
        if is_finite(words, points):
            print(kind, *words)
            kept += 1
