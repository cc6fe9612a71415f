//! Radau IIA of order 5 for stiff problems: simplified Newton on the three stages, transformed to one real and one
//! complex system; embedded estimator of order 3; predictive step control; dense output by the polynomial through
//! the stages (Hairer & Wanner II, sect. IV.5 and IV.8).

use super::{End, Progress, Rates, noise_of};
use nalgebra::{Complex, DMatrix, DVector, Dyn, LU, Matrix3};

/// Most iterations of Newton's method.
const ITERATIONS: u32 = 7;

/// The constants of the method.
struct Radau {
    /// The places of the stages.
    c: [f64; 3],
    /// Weights of the estimator.
    e: [f64; 3],
    /// The eigenvalues of the inverse of the matrix of the method: the real one, and the one of the complex pair that acts on
    /// w1 + i w2 in the basis of real and imaginary part of the other's eigenvector.
    real: f64,
    complex: Complex<f64>,
    /// The transformation that makes that inverse block diagonal, and its inverse.
    t: Matrix3<f64>,
    ti: Matrix3<f64>,
}

impl Radau {
    fn new() -> Radau {
        let s6 = 6f64.sqrt();
        let (r, q) = (3f64.powf(1.0 / 3.0), 3f64.powf(2.0 / 3.0));
        let complex = Complex::new(3.0 + 0.5 * (r - q), -0.5 * (3f64.powf(5.0 / 6.0) + 3f64.powf(7.0 / 6.0)));
        #[rustfmt::skip]
        let a = Matrix3::new(
            (88.0 - 7.0 * s6) / 360.0, (296.0 - 169.0 * s6) / 1800.0, (-2.0 + 3.0 * s6) / 225.0,
            (296.0 + 169.0 * s6) / 1800.0, (88.0 + 7.0 * s6) / 360.0, (-2.0 - 3.0 * s6) / 225.0,
            (16.0 - s6) / 36.0, (16.0 + s6) / 36.0, 1.0 / 9.0,
        );
        let mut radau = Radau {
            c: [(4.0 - s6) / 10.0, (4.0 + s6) / 10.0, 1.0],
            e: [(-13.0 - 7.0 * s6) / 3.0, (-13.0 + 7.0 * s6) / 3.0, -1.0 / 3.0],
            real: 3.0 + q - r,
            complex,
            t: Matrix3::identity(),
            ti: Matrix3::identity(),
        };
        // Columns: the real eigenvector, and real and imaginary part of the complex one.
        let first = eigenvector(&a, Complex::new(radau.real, 0.0).inv());
        let second = eigenvector(&a, radau.complex.conj().inv());
        for i in 0..3 {
            radau.t[(i, 0)] = first[i].re;
            radau.t[(i, 1)] = second[i].re;
            radau.t[(i, 2)] = second[i].im;
        }
        radau.ti = radau.t.try_inverse().unwrap_or_else(Matrix3::identity);
        radau
    }

    /// The values at `theta` of the polynomial that is 0 at 0 and z at the stages.
    fn weights(&self, theta: f64) -> [f64; 3] {
        let w = lagrange(&self.c, theta);
        [w[0], w[1], w[2]]
    }
}

/// The weights at `theta` of the polynomial that is 0 at 0 and has given values at the nodes.
fn lagrange(nodes: &[f64], theta: f64) -> Vec<f64> {
    let weight = |i: usize| {
        let others = nodes.iter().enumerate().filter(|(j, _)| *j != i);
        theta / nodes[i] * others.map(|(_, x)| (theta - x) / (nodes[i] - x)).product::<f64>()
    };
    (0..nodes.len()).map(weight).collect()
}

/// The eigenvector of an eigenvalue, its last entry 1, from the first two rows.
fn eigenvector(a: &Matrix3<f64>, lambda: Complex<f64>) -> [Complex<f64>; 3] {
    let at = |i: usize, j: usize| Complex::from(a[(i, j)]) - if i == j { lambda } else { Complex::from(0.0) };
    let det = at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0);
    let (b0, b1) = (-at(0, 2), -at(1, 2));
    [(b0 * at(1, 1) - at(0, 1) * b1) / det, (at(0, 0) * b1 - b0 * at(1, 0)) / det, Complex::from(1.0)]
}

type RealLu = LU<f64, Dyn, Dyn>;
type ComplexLu = LU<Complex<f64>, Dyn, Dyn>;

/// What Newton's method found.
struct Stages {
    z: [Vec<f64>; 3],
    iterations: u32,
    rate: f64,
}

/// Integrates to the last time.
pub(super) fn run(rates: &mut dyn Rates, p: &mut Progress<'_>) -> Option<End> {
    let n = p.y.len();
    let radau = Radau::new();
    let mut h = if p.h > 0.0 { p.h } else { p.first_step(rates, 3.0) };
    let mut jacobian = DMatrix::zeros(n, n);
    rates.jacobian(p.t, &p.y, &mut jacobian);
    p.work.jacobians += 1;
    let mut current = true;
    let mut decomposed: Option<(f64, RealLu, ComplexLu)> = None;
    // The collocation polynomial of the step before with its step and the states it began at.
    let mut previous: Option<([Vec<f64>; 3], f64, Vec<f64>)> = None;
    let mut history: Option<(f64, f64)> = None;
    let mut refused = false;
    loop {
        if let Some(end) = p.stop() {
            return Some(end);
        }
        let left = p.end() - p.t;
        if left <= 0.0 {
            return Some(End::Complete);
        }
        if p.is_too_small(h) {
            return Some(p.singular());
        }
        let last = h * (1.0 + 1e-12) >= left;
        if last {
            h = left;
        }
        if jacobian.iter().any(|x| !x.is_finite()) {
            return Some(p.singular());
        }
        if decomposed.as_ref().is_none_or(|(own, ..)| *own != h) {
            decomposed = Some(decompose(&radau, &jacobian, h));
            p.work.decompositions += 2;
        }
        let Some((_, real, complex)) = &decomposed else { return Some(p.singular()) };
        let noise = noise_of(&jacobian, &p.y, h);
        // The polynomial of the step before, continued, begins the iteration.
        let start: [Vec<f64>; 3] = match &previous {
            Some((z, own, _)) => std::array::from_fn(|s| {
                let (w, end) = (radau.weights(1.0 + radau.c[s] * h / own), radau.weights(1.0));
                (0..n).map(|i| (0..3).map(|k| (w[k] - end[k]) * z[k][i]).sum()).collect()
            }),
            None => std::array::from_fn(|_| vec![0.0; n]),
        };
        let found = newton(rates, p, &radau, (real, complex), h, start, &noise);
        let Some(stages) = found else {
            if current {
                h *= 0.5;
                decomposed = None;
            } else {
                rates.jacobian(p.t, &p.y, &mut jacobian);
                p.work.jacobians += 1;
                current = true;
                decomposed = None;
            }
            previous = None;
            p.work.rejected += 1;
            continue;
        };
        let y: Vec<f64> = p.y.iter().zip(&stages.z[2]).map(|(y, z)| y + z).collect();
        let t = if last { p.end() } else { p.t + h };
        let weighted: Vec<f64> =
            (0..n).map(|i| (0..3).map(|s| radau.e[s] * stages.z[s][i]).sum::<f64>() / h).collect();
        let filtered = |f: &[f64]| {
            let right = DVector::from_iterator(n, f.iter().zip(&weighted).map(|(f, w)| f + w));
            real.solve(&right).unwrap_or_else(|| DVector::repeat(n, f64::INFINITY))
        };
        let mut gap = filtered(&p.f);
        let mut error = p.norm(&y, Some(&noise), &|i| gap[i]);
        if error > 1.0 && (refused || p.work.steps == 0) && error.is_finite() {
            let moved: Vec<f64> = p.y.iter().zip(gap.iter()).map(|(y, g)| y + g).collect();
            let mut f = vec![0.0; n];
            rates.rates(p.t, &moved, &mut f);
            p.work.evaluations += 1;
            gap = filtered(&f);
            error = p.norm(&y, Some(&noise), &|i| gap[i]);
        }
        let most = f64::from(2 * ITERATIONS + 1);
        let safety = 0.9 * most / (most - 1.0 + f64::from(stages.iterations));
        let predicted = match history {
            Some((own, old)) if error > 0.0 => (h / own * (old / error).powf(0.25)).min(1.0),
            _ => 1.0,
        } * error.max(1e-12).powf(-0.25);
        if error > 1.0 || error.is_nan() {
            h *= if error.is_finite() { (safety * predicted).clamp(0.2, 0.9) } else { 0.1 };
            decomposed = None;
            refused = true;
            p.work.rejected += 1;
            continue;
        }
        let mut f = vec![0.0; n];
        rates.rates(t, &y, &mut f);
        p.work.evaluations += 1;
        if f.iter().chain(&y).any(|x| !x.is_finite()) {
            h *= 0.1;
            decomposed = None;
            refused = true;
            p.work.rejected += 1;
            continue;
        }
        if p.samples.are_due(t) {
            let (t0, y0) = (p.t, p.y.clone());
            // The cubic of the stages; with two stages of the step before, where it was about as long, of degree 5: stages of a
            // stiff problem are far more exact than a cubic between them.
            let mut nodes = radau.c.to_vec();
            let mut values: Vec<&[f64]> = stages.z.iter().map(Vec::as_slice).collect();
            let earlier: Vec<Vec<f64>> = match &previous {
                Some((z, own, from)) if (0.2..5.0).contains(&(own / h)) => {
                    nodes.extend(radau.c[..2].iter().map(|c| (c - 1.0) * own / h));
                    let value = |z: &Vec<f64>| (0..n).map(|i| from[i] + z[i] - y0[i]).collect();
                    z[..2].iter().map(value).collect()
                }
                _ => Vec::new(),
            };
            values.extend(earlier.iter().map(Vec::as_slice));
            p.samples.record(t, &mut |due, out| {
                let w = lagrange(&nodes, (due - t0) / h);
                for i in 0..n {
                    out[i] = y0[i] + w.iter().zip(&values).map(|(w, z)| w * z[i]).sum::<f64>();
                }
            });
        }
        let from = p.y.clone();
        p.accept(t, &y, &f);
        history = Some((h, error.max(1e-2)));
        let slow = stages.iterations > 2 && stages.rate > 1e-3;
        current = slow;
        if slow {
            rates.jacobian(p.t, &p.y, &mut jacobian);
            p.work.jacobians += 1;
            decomposed = None;
        }
        let factor = (safety * predicted).clamp(0.2, if refused { 1.0 } else { 10.0 });
        previous = Some((stages.z, h, from));
        // A step that hardly changes keeps its decomposition.
        if slow || !(1.0..1.2).contains(&factor) {
            h *= factor;
        }
        refused = false;
        p.h = h;
    }
}

fn decompose(radau: &Radau, jacobian: &DMatrix<f64>, h: f64) -> (f64, RealLu, ComplexLu) {
    let n = jacobian.nrows();
    let real = DMatrix::from_fn(n, n, |i, j| if i == j { radau.real / h } else { 0.0 } - jacobian[(i, j)]);
    let complex = DMatrix::from_fn(n, n, |i, j| {
        Complex::from(-jacobian[(i, j)]) + if i == j { radau.complex / h } else { Complex::from(0.0) }
    });
    (h, real.lu(), complex.lu())
}

/// Simplified Newton iterations for the stages; `None` where they do not converge.
fn newton(
    rates: &mut dyn Rates,
    p: &mut Progress<'_>,
    radau: &Radau,
    (real, complex): (&RealLu, &ComplexLu),
    h: f64,
    start: [Vec<f64>; 3],
    noise: &[f64],
) -> Option<Stages> {
    let n = p.y.len();
    let tolerance = (10.0 * f64::EPSILON / p.options.relative).max(p.options.relative.sqrt().min(0.03));
    let transform = |m: &Matrix3<f64>, v: &[Vec<f64>; 3]| -> [Vec<f64>; 3] {
        std::array::from_fn(|s| (0..n).map(|i| (0..3).map(|k| m[(s, k)] * v[k][i]).sum()).collect())
    };
    let mut z = start;
    let mut w = transform(&radau.ti, &z);
    let mut f: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; n]);
    let (mut before, mut rate): (Option<f64>, Option<f64>) = (None, None);
    for k in 0..ITERATIONS {
        for s in 0..3 {
            let at: Vec<f64> = p.y.iter().zip(&z[s]).map(|(y, z)| y + z).collect();
            rates.rates(p.t + radau.c[s] * h, &at, &mut f[s]);
        }
        p.work.evaluations += 3;
        if f.iter().flatten().any(|x| !x.is_finite()) {
            return None;
        }
        let g = transform(&radau.ti, &f);
        let right = DVector::from_fn(n, |i, _| g[0][i] - radau.real / h * w[0][i]);
        let pair = DVector::from_fn(n, |i, _| {
            Complex::new(g[1][i], g[2][i]) - radau.complex / h * Complex::new(w[1][i], w[2][i])
        });
        let (d0, d12) = (real.solve(&right)?, complex.solve(&pair)?);
        for i in 0..n {
            w[0][i] += d0[i];
            w[1][i] += d12[i].re;
            w[2][i] += d12[i].im;
        }
        z = transform(&radau.t, &w);
        let size = {
            let square = |i: usize| {
                let reach = z.iter().fold(0.0f64, |m, z| if z[i].abs() > m.abs() { z[i] } else { m });
                let scale = p.scale(i, p.y[i] + reach).max(noise[i]);
                let squares = d0[i] * d0[i] + d12[i].norm_sqr();
                if squares == 0.0 { 0.0 } else { squares / (scale * scale) }
            };
            ((0..n).map(square).sum::<f64>() / (3 * n).max(1) as f64).sqrt()
        };
        if !size.is_finite() {
            return None;
        }
        if let Some(old) = before {
            let now = size / old;
            rate = Some(now);
            let rest = (ITERATIONS - k) as i32;
            if now >= 1.0 || now.powi(rest) / (1.0 - now) * size > tolerance {
                return None;
            }
        }
        if size == 0.0 || rate.is_some_and(|r| r / (1.0 - r) * size < tolerance) {
            return Some(Stages { z, iterations: k + 1, rate: rate.unwrap_or(0.0) });
        }
        before = Some(size);
    }
    None
}
