"""Coefficients of the vector functions (src/numeric/vector): minimax polynomials by Remez' exchange.

    python tools/vector_polynomials.py

needs mpmath. Each line names the polynomial, its largest error relative to the function, and its coefficients
rounded to double precision, the constant one first.
"""

from mpmath import asin, atan, fabs, factorial, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sign, sqrt

mp.prec = 240


def remez(f, weight, low, high, degree, rounds=12):
    """The polynomial p for which the largest |weight (p - f)| on [low, high] is least, and that error."""
    n = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * mp.cos(pi * mpf(2 * i + 1) / (2 * n)) for i in range(n)]
    for _ in range(rounds):
        a, b = matrix(n, n), matrix(n, 1)
        for i, x in enumerate(points):
            for j in range(degree + 1):
                a[i, j] = x**j
            a[i, degree + 1] = (-1) ** i / weight(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        c = [solution[j] for j in range(degree + 1)]
        grid = [low + (high - low) * (1 - mp.cos(pi * mpf(k) / (60 * n))) / 2 for k in range(60 * n + 1)]
        errors = [weight(x) * (polyval(c[::-1], x) - f(x)) for x in grid]
        extrema = []
        for x, error in zip(grid, errors):
            if extrema and sign(extrema[-1][1]) == sign(error):
                if fabs(error) > fabs(extrema[-1][1]):
                    extrema[-1] = (x, error)
            else:
                extrema.append((x, error))
        while len(extrema) > n:
            extrema.pop(0 if fabs(extrema[0][1]) < fabs(extrema[-1][1]) else -1)
        if len(extrema) < n:
            break
        moved = max(fabs(p - x) for p, (x, _) in zip(points, extrema))
        points = [x for x, _ in extrema]
        if moved < mpf(10) ** -8:
            break
    return c, max(map(fabs, errors))


def show(name, f, weight, low, high, degree):
    c, worst = remez(f, weight, mpf(low), mpf(high), degree)
    print(f"{name}: 2^{nstr(log(worst, 2), 4)} [{', '.join(repr(float(x)) for x in c)}]")


def powers(coefficient):
    """A power series, or enough of it."""
    return lambda x: sum(coefficient(k) * x**k for k in range(60))


def beside_zero(f, a, b):
    """f, and the first terms of its series where f cannot be computed."""
    return lambda z: f(z) if z > mpf(10) ** -12 else a + b * z


half_log = log(mpf(2)) / 2 * (1 + mpf(2) ** -20)
s = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1) * (1 + mpf(2) ** -20)
quarter_pi = pi / 4 * (1 + mpf(2) ** -17)
atan_part = beside_zero(lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z, -mpf(1) / 3, mpf(1) / 5)
asin_part = beside_zero(lambda z: (asin(sqrt(z)) / sqrt(z) - 1) / z, mpf(1) / 6, mpf(3) / 40)

show("EXP", powers(lambda k: 1 / factorial(k + 3)), lambda r: max(fabs(r), mpf("1e-3")) ** 3, -half_log, half_log, 8)
show("EXP_SHORT", powers(lambda k: 1 / factorial(k + 2)), lambda r: max(fabs(r), mpf("1e-3")) ** 2, -half_log, half_log, 5)
show("SINH", powers(lambda k: 1 / factorial(2 * k + 3)), lambda z: z, 0, half_log**2, 4)
show("COSH", powers(lambda k: 1 / factorial(2 * k + 4)), lambda z: z * z, 0, half_log**2, 3)
show("LOG", powers(lambda k: mpf(2) / (2 * k + 3)), lambda z: z / 2, 0, s * s, 6)
show("LOG_SHORT", powers(lambda k: mpf(2) / (2 * k + 3)), lambda z: z / 2, 0, s * s, 3)
show("POWER", powers(lambda k: mpf(2) / (2 * k + 5)), lambda z: z * z / 2, 0, s * s, 6)
for name, degree in (("SIN", 5), ("SIN_SHORT", 3)):
    show(name, powers(lambda k: (-1) ** (k + 1) / factorial(2 * k + 3)), lambda z: z, 0, quarter_pi**2, degree)
for name, degree in (("COS", 5), ("COS_SHORT", 3)):
    show(name, powers(lambda k: (-1) ** k / factorial(2 * k + 4)), lambda z: z * z, 0, quarter_pi**2, degree)
for name, degree in (("ATAN", 12), ("ATAN_SHORT", 6)):
    show(name, atan_part, lambda z: z, 0, 0.25, degree)
for name, degree in (("ASIN", 12), ("ASIN_SHORT", 6)):
    show(name, asin_part, lambda z: z, 0, 0.25, degree)
