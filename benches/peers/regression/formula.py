"""Formulas as text, the same for every tool: values, size, constants.

Read are numbers, names, `+ - * / ** ^`, and calls of the functions below. The size is the count of nodes: a number, a
name, an operator, and a function are one each; a sign before a number belongs to it; `square(a)` and `cube(a)` count
as the powers that they are, so that no tool gains by a name.
"""

import ast
import copy

import numpy as np

FUNCTIONS = {name: getattr(np, name) for name in ("sqrt", "cbrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs")}
FUNCTIONS |= {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "Abs": np.abs, "ln": np.log, "sign": np.sign}
POWERS = {"square": 2, "abs2": 2, "cube": 3, "inv": -1, "reciprocal": -1}
OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide, ast.Pow: np.power}
NUMBERS = {"pi": np.pi, "E": np.e}


class Formula:
    """A formula in the columns `x0`, `x1`, ... Raises `ValueError` for what is no formula."""

    def __init__(self, text):
        try:
            root = ast.parse(text.replace("^", "**").strip(), mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"expected a formula, found {text[:80]!r}") from error
        self.root = normal(root)

    def __str__(self):
        return ast.unparse(self.root)

    def renamed(self, names):
        """The same formula with other names of variables."""
        found = copy.deepcopy(self)
        for node in ast.walk(found.root):
            if isinstance(node, ast.Name):
                node.id = names.get(node.id, node.id)
        return found

    def size(self):
        """The number of nodes."""
        called = {id(n.func) for n in ast.walk(self.root) if isinstance(n, ast.Call)}
        kinds = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Constant, ast.Name)
        return sum(isinstance(n, kinds) and id(n) not in called for n in ast.walk(self.root))

    def __call__(self, points):
        """The values at the rows of `points`; what is not defined there is NaN or infinite."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(value(self.root, points), len(points)).astype(float)

    def free(self):
        """The nodes of its numbers, without exponents that are multiples of a half."""
        fixed = {
            id(n.right) for n in ast.walk(self.root)
            if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) and isinstance(n.right, ast.Constant)
            and float(2 * n.right.value).is_integer()
        }
        return [n for n in ast.walk(self.root) if isinstance(n, ast.Constant) and id(n) not in fixed]

    def refitted(self, points, target):
        """The formula with its numbers fitted by least squares, from where they are."""
        from scipy.optimize import least_squares

        found = copy.deepcopy(self)
        free = found.free()
        scale = np.std(target) or 1.0

        def residuals(numbers):
            for node, number in zip(free, numbers):
                node.value = float(number)
            r = (found(points) - target) / scale
            return np.where(np.isfinite(r), r, 1.0)

        start = np.array([float(n.value) for n in free])
        if len(free) == 0:
            return found
        fit = least_squares(residuals, start, x_scale=np.maximum(np.abs(start), 1e-3), xtol=1e-15, ftol=1e-15, gtol=1e-15,
                            max_nfev=200)
        residuals(fit.x)
        return found


def normal(node):
    """The tree with signs joined to numbers and named powers as powers; refuses all else."""
    match node:
        case ast.Constant(value=bool() | str() | bytes() | None | complex()):
            raise ValueError(f"expected a number, found {node.value!r}")
        case ast.Constant():
            return ast.Constant(node.value)
        case ast.Name():
            return ast.Name(node.id)
        case ast.UnaryOp(op=ast.UAdd()):
            return normal(node.operand)
        case ast.UnaryOp(op=ast.USub()):
            inner = normal(node.operand)
            return ast.Constant(-inner.value) if isinstance(inner, ast.Constant) else ast.UnaryOp(ast.USub(), inner)
        case ast.BinOp() if type(node.op) in OPERATORS:
            return ast.BinOp(normal(node.left), node.op, normal(node.right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name in POWERS:
                return ast.BinOp(normal(argument), ast.Pow(), ast.Constant(POWERS[name]))
            if name in FUNCTIONS:
                return ast.Call(ast.Name(name), [normal(argument)], [])
        case ast.Call(func=ast.Name(id="Rational"), args=[above, below], keywords=[]):
            return ast.BinOp(normal(above), ast.Div(), normal(below))
    raise ValueError(f"expected a formula, found {ast.unparse(node)[:80]!r}")


def value(node, points):
    match node:
        case ast.Constant():
            return np.float64(node.value)
        case ast.Name(id=name) if name in NUMBERS:
            return NUMBERS[name]
        case ast.Name(id=name) if name[:1] == "x" and name[1:].isdigit() and int(name[1:]) < points.shape[1]:
            return points[:, int(name[1:])]
        case ast.UnaryOp():
            return -value(node.operand, points)
        case ast.BinOp():
            return OPERATORS[type(node.op)](value(node.left, points), value(node.right, points))
        case ast.Call():
            return FUNCTIONS[node.func.id](value(node.args[0], points))
    raise ValueError(f"expected a column, found {ast.unparse(node)!r}")


def r2(predicted, target):
    """The share of the variance explained; minus infinity where a value is missing."""
    if not np.all(np.isfinite(predicted)):
        return float("-inf")
    return float(1 - np.mean((predicted - target) ** 2) / np.var(target))
