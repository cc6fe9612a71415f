//! Systems of nonlinear equations F(x) = 0 by Newton's method with a backtracking line search on |F|^2/2 (Dennis &
//! Schnabel, "Numerical Methods for Unconstrained Optimization and Nonlinear Equations", 1983, alg. A6.3.1). Where the
//! Jacobian is singular the step is the shortest one of least squares. Unknowns may be bounded: steps end at bounds.

use super::linear::Decomposed;
use crate::base::{CancelToken, StopReason};
use nalgebra::{DMatrix, DVector};

/// Most iterations.
const ITERATIONS: usize = 200;

/// The equations: residuals with the sizes of what was subtracted, and their derivatives.
pub trait Equations {
    /// Fills residuals and sizes (a residual of 1e-13 of its size is rounding).
    fn residuals(&mut self, x: &[f64], out: &mut [f64], sizes: &mut [f64]);
    /// Fills the derivatives of the residuals (rows) by the unknowns (columns).
    fn jacobian(&mut self, x: &[f64], out: &mut DMatrix<f64>);
}

/// Where Newton's method ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Root {
    /// The unknowns.
    pub point: Vec<f64>,
    /// Whether the equations hold there to rounding.
    pub converged: bool,
    /// Iterations.
    pub iterations: usize,
    /// `Found`; `Saturated` at a local minimum of |F| that is no root; a bound otherwise.
    pub stopped: StopReason,
}

/// Searches a root of `count` equations from `start`, within `bounds` (one pair for each unknown).
pub fn newton(
    equations: &mut dyn Equations,
    count: usize,
    start: &[f64],
    bounds: &[(f64, f64)],
    cancel: &CancelToken,
) -> Root {
    let n = start.len();
    let mut x: Vec<f64> = start.iter().zip(bounds).map(|(x, (l, h))| x.clamp(*l, *h)).collect();
    let (mut f, mut sizes) = (vec![0.0; count], vec![0.0; count]);
    let (mut next, mut next_sizes) = (vec![0.0; count], vec![0.0; count]);
    equations.residuals(&x, &mut f, &mut sizes);
    // Equations are weighed by their sizes at the start, so that units do not matter.
    let mut weights: Vec<f64> = sizes.iter().map(|s| if *s > 0.0 { 1.0 / s } else { 1.0 }).collect();
    let scale: Vec<f64> = x
        .iter()
        .zip(bounds)
        .map(|(x, (l, h))| {
            let width = h - l;
            if *x != 0.0 {
                x.abs()
            } else if width.is_finite() && width > 0.0 {
                width
            } else {
                1.0
            }
        })
        .collect();
    let objective = |f: &[f64], w: &[f64]| f.iter().zip(w).map(|(f, w)| (f * w).powi(2)).sum::<f64>();
    let is_root =
        |f: &[f64], sizes: &[f64]| f.iter().zip(sizes).all(|(f, s)| f.abs() <= 1e-13 * s || *f == 0.0);
    let mut jacobian = DMatrix::zeros(count, n);
    let root =
        |point: Vec<f64>, converged, iterations, stopped| Root { point, converged, iterations, stopped };
    if f.iter().any(|f| !f.is_finite()) {
        return root(x, false, 0, StopReason::Saturated);
    }
    for k in 0..ITERATIONS {
        if let Some(reason) = cancel.stop() {
            return root(x, false, k, reason);
        }
        for (w, s) in weights.iter_mut().zip(&sizes) {
            // A size may grow far beyond that of the start.
            *w = if *s > 0.0 { w.min(1e6 / s) } else { *w };
        }
        equations.jacobian(&x, &mut jacobian);
        let scaled = DMatrix::from_fn(count, n, |i, j| weights[i] * jacobian[(i, j)] * scale[j]);
        if scaled.iter().any(|v| !v.is_finite()) {
            return root(x, is_root(&f, &sizes), k, StopReason::Saturated);
        }
        let right = DVector::from_fn(count, |i, _| -weights[i] * f[i]);
        let direct = if count == n { scaled.clone().lu().solve(&right) } else { None };
        let step = direct.filter(|s| s.iter().all(|v| v.is_finite() && v.abs() < 1e8)).unwrap_or_else(|| {
            if count >= n { Decomposed::new(&scaled).solve(&right) } else { DVector::zeros(n) }
        });
        let before = objective(&f, &weights);
        let gradient = scaled.transpose() * DVector::from_fn(count, |i, _| weights[i] * f[i]);
        let slope = 2.0 * gradient.dot(&step);
        let moved = |lambda: f64| -> Vec<f64> {
            (0..n)
                .map(|j| (x[j] + lambda * step[j] * scale[j]).clamp(bounds[j].0, bounds[j].1))
                .collect::<Vec<f64>>()
        };
        let mut lambda = 1.0f64;
        let accepted = loop {
            let trial = moved(lambda);
            equations.residuals(&trial, &mut next, &mut next_sizes);
            let after = objective(&next, &weights);
            if after.is_finite() && after <= before + 1e-4 * lambda * slope.min(0.0) {
                break Some(trial);
            }
            // The minimum of the parabola through value and slope at 0 and the value at lambda.
            let parabola = -slope * lambda * lambda / (2.0 * (after - before - slope * lambda));
            lambda =
                if parabola.is_finite() { parabola.clamp(0.1 * lambda, 0.5 * lambda) } else { 0.1 * lambda };
            if lambda < 1e-14 {
                break None;
            }
        };
        let Some(trial) = accepted else {
            let good = is_root(&f, &sizes) || before <= 1e-24;
            return root(x, good, k, if good { StopReason::Found } else { StopReason::Saturated });
        };
        let small = (0..n).all(|j| {
            let size = trial[j].abs().max(1e-3 * scale[j] * f64::from(u8::from(trial[j] == 0.0)));
            (trial[j] - x[j]).abs() <= 4.0 * f64::EPSILON * size
        });
        x = trial;
        f.copy_from_slice(&next);
        sizes.copy_from_slice(&next_sizes);
        if f.iter().all(|f| *f == 0.0) {
            return root(x, true, k + 1, StopReason::Found);
        }
        if small {
            let left = objective(&f, &weights);
            let good = is_root(&f, &sizes) || left <= 1e-20;
            return root(x, good, k + 1, if good { StopReason::Found } else { StopReason::Saturated });
        }
    }
    let good = is_root(&f, &sizes);
    root(x, good, ITERATIONS, if good { StopReason::Found } else { StopReason::Work })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closures<F, J>(F, J);

    impl<F: FnMut(&[f64], &mut [f64]), J: FnMut(&[f64], &mut DMatrix<f64>)> Equations for Closures<F, J> {
        fn residuals(&mut self, x: &[f64], out: &mut [f64], sizes: &mut [f64]) {
            (self.0)(x, out);
            sizes.fill(1.0);
        }
        fn jacobian(&mut self, x: &[f64], out: &mut DMatrix<f64>) {
            (self.1)(x, out);
        }
    }

    const FREE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    #[test]
    fn a_circle_meets_a_line_and_a_far_start_is_no_harm() {
        let mut both = Closures(
            |x: &[f64], f: &mut [f64]| {
                f[0] = x[0] * x[0] + x[1] * x[1] - 1.0;
                f[1] = x[0] - x[1];
            },
            |x: &[f64], j: &mut DMatrix<f64>| {
                j[(0, 0)] = 2.0 * x[0];
                j[(0, 1)] = 2.0 * x[1];
                j[(1, 0)] = 1.0;
                j[(1, 1)] = -1.0;
            },
        );
        for start in [[1.0, 0.5], [300.0, -20.0]] {
            let found = newton(&mut both, 2, &start, &[FREE, FREE], &CancelToken::new());
            assert!(found.converged, "{found:?}");
            assert!(found.point.iter().all(|x| (x - 0.5f64.sqrt()).abs() < 1e-14), "{found:?}");
        }
    }

    #[test]
    fn the_line_search_tames_the_arctangent() {
        let mut atan = Closures(
            |x: &[f64], f: &mut [f64]| f[0] = x[0].atan(),
            |x: &[f64], j: &mut DMatrix<f64>| j[(0, 0)] = 1.0 / (1.0 + x[0] * x[0]),
        );
        let found = newton(&mut atan, 1, &[20.0], &[FREE], &CancelToken::new());
        assert!(found.converged && found.point[0].abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn what_has_no_root_is_not_converged() {
        let mut none = Closures(
            |x: &[f64], f: &mut [f64]| f[0] = x[0] * x[0] + 1.0,
            |x: &[f64], j: &mut DMatrix<f64>| j[(0, 0)] = 2.0 * x[0],
        );
        let found = newton(&mut none, 1, &[3.0], &[FREE], &CancelToken::new());
        assert!(!found.converged, "{found:?}");
    }
}
