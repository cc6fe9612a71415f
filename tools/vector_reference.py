"""Writes src/numeric/vector/reference.txt: values of the vector functions to 106 bits, as the sum of two doubles
times a power of two. Lines: name, argument, second argument, the two parts, the exponent; numbers as bits.

    python tools/vector_reference.py > src/numeric/vector/reference.txt

needs mpmath.
"""

import random
import struct

from mpmath import acos, asin, atan, cos, cosh, exp, floor, log, mp, mpf, sin, sinh, tan, tanh

mp.prec = 1400  # arguments up to 2^1024 and results near a multiple of pi/2


def bits(x):
    return f"{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}"


rng = random.Random(3)
anywhere = [1e-300, -1e-20, 1e-9, 0.1, -0.3, 0.5, 0.7071, 1.0, -1.5, 2.0, 3.0, 10.0, -22.0, 100.0]
inside = [1e-300, -1e-20, 1e-9, 0.1, -0.3, 0.5, -0.5, 0.7071, 1.0, -1.0, 0.999999999, -0.9999999999999999]
positive = [5e-324, 1e-310, 1e-20, 0.3, 0.70710678, 0.9999999999999999, 1.0000000000000002, 1.41421356, 2.0, 10.0, 1e308]
angles = anywhere + [1.5707963267948966, 3.141592653589793, 1e5, -355.0, 6381956970095103 * 2.0**-33, 1e9]
exponents = [x for x in anywhere] + [709.7, -708.0, -745.0, 300.0]
cases = {
    "exp": (exp, exponents),
    "log": (log, positive),
    "log2": (lambda x: log(x) / log(mpf(2)), positive),
    "log10": (lambda x: log(x) / log(mpf(10)), positive),
    "sin": (sin, angles),
    "cos": (cos, angles),
    "tan": (tan, angles),
    "asin": (asin, inside),
    "acos": (acos, inside),
    "atan": (atan, anywhere + [1e10, -1e300]),
    "sinh": (sinh, exponents),
    "cosh": (cosh, exponents),
    "tanh": (tanh, anywhere),
}


def line(name, x, y, value):
    exponent = 0 if value == 0 else int(floor(log(abs(value)) / log(mpf(2))))
    value = value / mpf(2) ** exponent
    high = float(value)
    print(name, bits(x), bits(y), bits(high), bits(float(value - mpf(high))), exponent)


for name, (function, arguments) in cases.items():
    more = {"log": lambda: rng.uniform(0.1, 10), "asin": lambda: rng.uniform(-1, 1)}
    draw = more.get(name.rstrip("210").replace("acos", "asin"), lambda: rng.uniform(-20, 20))
    for x in arguments + [draw() for _ in range(12)]:
        line(name, x, 0.0, function(mpf(x)))
for x, y in [(100.0, 77.0), (2.0, 0.5), (10.0, -300.0), (1.0000000001, 1e12), (0.3, 500.0), (5e-324, 0.9), (1e308, 1.0)]:
    line("pow", x, y, exp(mpf(y) * log(mpf(x))))
for _ in range(12):
    x, y = rng.uniform(0.01, 20), rng.uniform(-50, 50)
    line("pow", x, y, exp(mpf(y) * log(mpf(x))))
