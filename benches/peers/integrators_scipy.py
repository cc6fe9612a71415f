"""Four known initial value problems by phys and by SciPy in one run: error, steps, evaluations, seconds.

    python benches/peers/integrators_scipy.py

runs `cargo bench --bench integrators` first. Errors: greatest relative error of the energy (oscillator), distance to the start
after ten periods (Kepler), to the Taylor series of order 30 (Lorenz), greatest relative error against the reference of Hairer and
Wanner (Robertson). Seconds are medians of repetitions.
"""

import statistics
import subprocess
import time

import numpy as np
import scipy
from scipy.integrate import solve_ivp


def oscillator(t, y):
    return [y[1], -y[0]]


def kepler(t, y):
    r3 = (y[0] * y[0] + y[1] * y[1]) ** 1.5
    return [y[2], y[3], -y[0] / r3, -y[1] / r3]


def lorenz(t, y):
    return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]


def robertson(t, y):
    slow, middle, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return [-slow + middle, slow - middle - fast, fast]


def robertson_jacobian(t, y):
    return [
        [-0.04, 1e4 * y[2], 1e4 * y[1]],
        [0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]],
        [0, 6e7 * y[1], 0],
    ]


def lorenz_by_taylor(end, steps):
    h, at = end / steps, [1.0, 1.0, 1.0]
    for _ in range(steps):
        x, y, z = [at[0]], [at[1]], [at[2]]
        for n in range(30):
            xz = sum(x[k] * z[n - k] for k in range(n + 1))
            xy = sum(x[k] * y[n - k] for k in range(n + 1))
            m = n + 1
            a, b, c = 10 * (y[n] - x[n]) / m, (28 * x[n] - xz - y[n]) / m, (xy - 8 / 3 * z[n]) / m
            x.append(a), y.append(b), z.append(c)
        at = [sum(c * h**k for k, c in enumerate(s)) for s in (x, y, z)]
    return np.array(at)


def run(case, method, repeat, error, f, grid, start, **options):
    seconds = []
    for _ in range(repeat):
        began = time.perf_counter()
        found = solve_ivp(f, (grid[0], grid[-1]), start, method=method, t_eval=grid, **options)
        seconds.append(time.perf_counter() - began)
    # solve_ivp does not tell its steps where t_eval is given: once more without.
    steps = len(solve_ivp(f, (grid[0], grid[-1]), start, method=method, **options).t) - 1
    print(f"{case},SciPy {method},{error(found.y):.1e},{steps},{found.nfev},{statistics.median(seconds):.2e}")


def main():
    ours = subprocess.run(["cargo", "bench", "--bench", "integrators"], stdout=subprocess.PIPE, text=True, check=True)
    print(ours.stdout.strip())
    print(f"# SciPy {scipy.__version__}")
    grid = np.linspace(0, 2e4 * np.pi, 1001)
    energy = lambda y: np.max(np.abs((y[0] ** 2 + y[1] ** 2) - 1))
    run("oscillator", "DOP853", 1, energy, oscillator, grid, [1, 0], rtol=1e-10, atol=1e-13)
    e = 0.6
    start = np.array([1 - e, 0, 0, np.sqrt((1 + e) / (1 - e))])
    grid = np.linspace(0, 20 * np.pi, 201)
    closes = lambda y: np.max(np.abs(y[:, -1] - start))
    run("kepler", "DOP853", 5, closes, kepler, grid, start, rtol=1e-12, atol=1e-15)
    reference = lorenz_by_taylor(10, 4000)
    grid = np.linspace(0, 10, 101)
    away = lambda y: np.max(np.abs(y[:, -1] - reference))
    run("lorenz", "DOP853", 5, away, lorenz, grid, [1, 1, 1], rtol=1e-10, atol=1e-13)
    published = np.array([0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050])
    relative = lambda y: np.max(np.abs(y[:, -1] / published - 1))
    for method in ("Radau", "LSODA"):
        run(
            "robertson", method, 5, relative, robertson, np.array([0, 1e11]), [1, 0, 0],
            rtol=1e-8, atol=1e-14, jac=robertson_jacobian,
        )


if __name__ == "__main__":
    main()
