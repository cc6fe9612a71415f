//! Nonlinear least squares by Levenberg and Marquardt: min chi2(p) = sum (w_i r_i(p))^2.
//!
//! A step solves (J^T J + mu D^2) s = -J^T r through the QR decomposition of J and of [R; sqrt(mu) D]; D are
//! the largest column lengths of J so far (Moré, "The Levenberg-Marquardt algorithm", 1978, sec. 6; Nocedal &
//! Wright, 2nd ed., ch. 10.3); mu follows the ratio of true to predicted gain (Nielsen, IMM-REP-1999-05).
//! Bounds: a parameter at a bound whose gradient points outward is held for that step; steps end at bounds.

use super::error::NumericError;
use super::linear::{Decomposed, covariance, normalise_columns};
use super::statistics;
use crate::base::{CancelToken, StopReason};
use nalgebra::{DMatrix, DVector};

/// How to fit. `Options::default()`: no weights, no bounds, at most 400 steps.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Factors of the residuals, 1/sigma; one for each point.
    pub weights: Option<&'a [f64]>,
    /// Lower and upper bound of each parameter; empty for none.
    pub bounds: &'a [(f64, f64)],
    /// Whether the weights are known errors; else the covariance is scaled by chi2/dof.
    pub absolute: bool,
    /// Most steps tried.
    pub steps: usize,
    /// Polled before every step.
    pub cancel: CancelToken,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { weights: None, bounds: &[], absolute: false, steps: 400, cancel: CancelToken::new() }
    }
}

/// A minimum, or the best point found.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    /// The parameters.
    pub parameters: Vec<f64>,
    /// Their covariance; parameters at a bound or undetermined have no finite variance.
    pub covariance: DMatrix<f64>,
    /// Sum of squared weighted residuals.
    pub chi2: f64,
    /// Points minus determined parameters.
    pub dof: usize,
    /// The residuals, not weighted.
    pub residuals: Vec<f64>,
    /// Steps tried.
    pub steps: usize,
    /// Found (the gradient vanishes or no step gains), work, time or cancelled.
    pub stopped: StopReason,
    /// Parameters held by a bound at the end.
    pub at_bound: Vec<usize>,
    /// Parameters that the data do not determine (one or several of a combination).
    pub undetermined: Vec<usize>,
}

/// Minimises from `start`. `residual(p, r)` fills the residuals of the points, `jacobian(p, j)` their derivatives
/// (points in rows, parameters in columns). NaN residuals are allowed away from the start: such steps are refused.
///
/// # Errors
/// Fewer points than parameters; a residual or derivative at the start that is not finite.
pub fn levenberg_marquardt(
    mut residual: impl FnMut(&[f64], &mut [f64]),
    mut jacobian: impl FnMut(&[f64], &mut DMatrix<f64>),
    points: usize,
    start: &[f64],
    options: &Options<'_>,
) -> Result<LeastSquares, NumericError> {
    let n = start.len();
    if points < n || points == 0 {
        return Err(NumericError::TooFewPoints { points, parameters: n });
    }
    if let Some(w) = options.weights.filter(|w| w.len() != points) {
        return Err(NumericError::Length { expected: points, found: w.len() });
    }
    let bounds = |j: usize| options.bounds.get(j).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let weight = |i: usize| options.weights.map_or(1.0, |w| w[i]);
    let mut weighted = |p: &[f64], r: &mut DVector<f64>| {
        residual(p, r.as_mut_slice());
        r.iter_mut().enumerate().for_each(|(i, r)| *r *= weight(i));
        r.norm()
    };
    let mut p: Vec<f64> = (0..n).map(|j| clamp(start[j], bounds(j))).collect();
    let mut r = DVector::zeros(points);
    let mut norm = weighted(&p, &mut r);
    if let Some(row) = r.iter().position(|x| !x.is_finite()) {
        return Err(NumericError::NotFinite { row: row + 1, value: r[row] });
    }
    let mut j = DMatrix::zeros(points, n);
    let (mut mu, mut grow) = (f64::NAN, 2.0);
    let mut scale = vec![0.0f64; n];
    let mut trial = DVector::zeros(points);
    let mut steps = 0;
    let mut fresh = true;
    let (mut reduced, mut projected) = (DMatrix::zeros(n, n), DVector::zeros(n));
    let mut free: Vec<usize> = (0..n).collect();
    let stopped = loop {
        if let Some(reason) = options.cancel.stop() {
            break reason;
        }
        if steps >= options.steps {
            break StopReason::Work;
        }
        if fresh {
            jacobian(&p, &mut j);
            weigh(&mut j, &weight);
            if let Some(at) = j.iter().position(|x| !x.is_finite()) {
                if steps == 0 {
                    return Err(NumericError::NotFinite { row: at % points + 1, value: j[at] });
                }
                break StopReason::Saturated;
            }
            for (k, s) in scale.iter_mut().enumerate() {
                *s = s.max(j.column(k).norm());
            }
            let gradient = j.transpose() * &r;
            free = (0..n)
                .filter(|&k| {
                    let (low, high) = bounds(k);
                    !((p[k] <= low && gradient[k] > 0.0) || (p[k] >= high && gradient[k] < 0.0))
                })
                .collect();
            // The cosine between residual and columns (Moré 1978, sec. 3).
            let steepest = free.iter().filter(|k| scale[**k] > 0.0).map(|&k| {
                let length = j.column(k).norm();
                if length > 0.0 { gradient[k].abs() / length } else { 0.0 }
            });
            if norm == 0.0 || steepest.fold(0.0, f64::max) <= 1e-15 * norm {
                break StopReason::Found;
            }
            let active = j.select_columns(&free);
            let qr = active.qr();
            projected = qr.q().transpose() * &r;
            reduced = qr.r();
            if mu.is_nan() {
                mu = 1e-3;
            }
            fresh = false;
        }
        steps += 1;
        let Some(step) = damped(&reduced, &projected, &free, &scale, mu) else {
            mu *= grow;
            grow *= 2.0;
            if mu > 1e300 {
                break StopReason::Found;
            }
            continue;
        };
        let mut next = p.clone();
        for (i, &k) in free.iter().enumerate() {
            next[k] = clamp(p[k] + step[i], bounds(k));
        }
        let moved = DVector::from_iterator(free.len(), free.iter().map(|&k| next[k] - p[k]));
        let tiny = free
            .iter()
            .enumerate()
            .all(|(i, &k)| moved[i].abs() <= 1e-15 * p[k].abs() || scale[k] * moved[i].abs() <= 1e-17 * norm);
        if tiny {
            break StopReason::Found;
        }
        let next_norm = weighted(&next, &mut trial);
        let model = &projected + &reduced * &moved;
        let predicted = projected.norm_squared() - model.norm_squared();
        let gained = (norm - next_norm) * (norm + next_norm);
        if next_norm.is_finite() && gained > 0.0 && predicted > 0.0 {
            let ratio = gained / predicted;
            p = next;
            std::mem::swap(&mut r, &mut trial);
            let small = gained <= 1e-15 * norm * norm && predicted <= 1e-15 * norm * norm;
            norm = next_norm;
            mu = (mu * (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0)).max(1e-16);
            grow = 2.0;
            fresh = true;
            if small {
                break StopReason::Found;
            }
        } else {
            // No step of rounding's size gains: this is the minimum.
            if next_norm.is_finite() && predicted <= 1e-15 * norm * norm {
                break StopReason::Found;
            }
            mu *= grow;
            grow *= 2.0;
            if mu > 1e300 {
                break StopReason::Found;
            }
        }
    };
    jacobian(&p, &mut j);
    weigh(&mut j, &weight);
    Ok(finish(p, j, r, steps, stopped, &free, options))
}

/// Covariance and what is not determined, at the end.
fn finish(
    parameters: Vec<f64>,
    jacobian: DMatrix<f64>,
    weighted: DVector<f64>,
    steps: usize,
    stopped: StopReason,
    free: &[usize],
    options: &Options<'_>,
) -> LeastSquares {
    let (points, n) = jacobian.shape();
    let chi2 = statistics::sum_of(weighted.iter().map(|r| r * r));
    let unbounded = |k: &usize| {
        options.bounds.get(*k).is_none_or(|(low, high)| *low < parameters[*k] && parameters[*k] < *high)
    };
    let inside: Vec<usize> = (0..n).filter(|k| free.contains(k) || unbounded(k)).collect();
    let at_bound = (0..n).filter(|k| !inside.contains(k)).collect();
    let mut full = DMatrix::from_fn(n, n, |i, k| if i == k { f64::INFINITY } else { 0.0 });
    let mut undetermined = Vec::new();
    let mut dof = points - inside.len().min(points);
    let mut active = jacobian.select_columns(&inside);
    if active.iter().all(|x| x.is_finite()) && !inside.is_empty() {
        let lengths = normalise_columns(&mut active);
        let decomposed = Decomposed::new(&active);
        dof = points - decomposed.rank;
        let known = covariance(&decomposed, &lengths, chi2, dof, options.absolute);
        for (a, &i) in inside.iter().enumerate() {
            for (b, &k) in inside.iter().enumerate() {
                full[(i, k)] = known[(a, b)];
            }
        }
        undetermined = decomposed.undetermined.iter().map(|k| inside[*k]).collect();
    }
    let residuals = match options.weights {
        None => weighted.iter().copied().collect(),
        Some(w) => weighted.iter().zip(w).map(|(r, w)| r / w).collect(),
    };
    LeastSquares {
        parameters,
        covariance: full,
        chi2,
        dof,
        residuals,
        steps,
        stopped,
        at_bound,
        undetermined,
    }
}

fn clamp(x: f64, (low, high): (f64, f64)) -> f64 {
    x.max(low).min(high)
}

fn weigh(j: &mut DMatrix<f64>, weight: &impl Fn(usize) -> f64) {
    for mut column in j.column_iter_mut() {
        column.iter_mut().enumerate().for_each(|(i, x)| *x *= weight(i));
    }
}

/// The step of the free parameters, min |R s + q|^2 + mu |D s|^2, in scaled variables; `None` where it is not
/// finite.
fn damped(
    reduced: &DMatrix<f64>,
    projected: &DVector<f64>,
    free: &[usize],
    scale: &[f64],
    mu: f64,
) -> Option<DVector<f64>> {
    let n = free.len();
    let unit = |k: usize| if scale[free[k]] > 0.0 { scale[free[k]] } else { 1.0 };
    let rows = reduced.nrows();
    let stacked = DMatrix::from_fn(rows + n, n, |i, k| {
        if i < rows { reduced[(i, k)] / unit(k) } else { f64::from(u8::from(i - rows == k)) * mu.sqrt() }
    });
    let target = DVector::from_fn(rows + n, |i, _| if i < rows { -projected[i] } else { 0.0 });
    let qr = stacked.qr();
    let right = qr.q().transpose() * target;
    let mut step = qr.r().solve_upper_triangular(&right)?;
    step.iter_mut().enumerate().for_each(|(k, s)| *s /= unit(k));
    step.iter().all(|s| s.is_finite()).then_some(step)
}

/// The best of several fits, by chi2; the first of equals. Starts that cannot be evaluated are passed over.
///
/// # Errors
/// The fault of the first start, where none could be evaluated.
pub fn multi_start<'a>(
    starts: impl IntoIterator<Item = &'a [f64]>,
    mut fit: impl FnMut(&[f64]) -> Result<LeastSquares, NumericError>,
) -> Result<LeastSquares, NumericError> {
    let mut best: Option<LeastSquares> = None;
    let mut fault = None;
    for start in starts {
        match fit(start) {
            Ok(found) => {
                let interrupted = matches!(found.stopped, StopReason::Cancelled | StopReason::Time);
                if best.as_ref().is_none_or(|b| found.chi2 < b.chi2) {
                    best = Some(found);
                }
                if interrupted {
                    break;
                }
            }
            Err(e) => {
                fault.get_or_insert(e);
            }
        }
    }
    best.ok_or_else(|| fault.unwrap_or(NumericError::TooFewPoints { points: 0, parameters: 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expr, Symbol};
    use crate::numeric::Tape;

    /// Fits `y == model(x; b)`, derivatives from the tape.
    fn fit(
        model: &Expr,
        names: &[&str],
        x: &[f64],
        y: &[f64],
        start: &[f64],
        bounds: &[(f64, f64)],
    ) -> LeastSquares {
        let inputs: Vec<Symbol> = ["x"].iter().chain(names).map(|n| Symbol::new(n)).collect();
        let tape = Tape::compile(std::slice::from_ref(model), &inputs).unwrap();
        let wrt: Vec<usize> = (1..inputs.len()).collect();
        let columns = |p: &[f64]| -> Vec<Vec<f64>> {
            std::iter::once(x.to_vec()).chain(p.iter().map(|v| vec![*v])).collect()
        };
        let refs = |c: &[Vec<f64>]| -> Vec<Vec<f64>> { c.to_vec() };
        levenberg_marquardt(
            |p, r| {
                let c = refs(&columns(p));
                let c: Vec<&[f64]> = c.iter().map(Vec::as_slice).collect();
                for (r, (f, y)) in r.iter_mut().zip(tape.eval(&c)[0].iter().zip(y)) {
                    *r = f - y;
                }
            },
            |p, j| {
                let c = columns(p);
                let c: Vec<&[f64]> = c.iter().map(Vec::as_slice).collect();
                for (k, d) in tape.jacobian(&c, &wrt)[0][1..].iter().enumerate() {
                    j.column_mut(k).copy_from_slice(d);
                }
            },
            x.len(),
            start,
            &Options { bounds, ..Options::default() },
        )
        .unwrap()
    }

    fn symbol(name: &str) -> Expr {
        Expr::symbol(name)
    }

    fn exp(e: Expr) -> Expr {
        Expr::call(crate::expression::Function::Exp, vec![e])
    }

    const MISRA_X: [f64; 14] =
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0];
    const MISRA_Y: [f64; 14] =
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78];

    #[test]
    fn misra1a_of_nist() {
        // y = b1*(1 - exp(-b2*x)); certified values of the NIST StRD.
        let model = symbol("b1") * (Expr::one() - exp(-(symbol("b2") * symbol("x"))));
        for start in [[500.0, 0.0001], [250.0, 0.0005]] {
            let found = fit(&model, &["b1", "b2"], &MISRA_X, &MISRA_Y, &start, &[]);
            let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-8;
            assert!(close(found.parameters[0], 2.3894212918e2), "{:?}", found.parameters);
            assert!(close(found.parameters[1], 5.5015643181e-4));
            assert!(close(found.covariance[(0, 0)].sqrt(), 2.7070075241));
            assert!(close(found.covariance[(1, 1)].sqrt(), 7.2668688436e-6));
            assert!(close(found.chi2, 1.2455138894e-1));
            assert_eq!(found.stopped, StopReason::Found);
        }
    }

    #[test]
    fn rosenbrock_through_its_valley() {
        let found = levenberg_marquardt(
            |p, r| {
                r[0] = 10.0 * (p[1] - p[0] * p[0]);
                r[1] = 1.0 - p[0];
            },
            |p, j| {
                (j[(0, 0)], j[(0, 1)]) = (-20.0 * p[0], 10.0);
                (j[(1, 0)], j[(1, 1)]) = (-1.0, 0.0);
            },
            2,
            &[-1.2, 1.0],
            &Options::default(),
        )
        .unwrap();
        assert!(found.parameters.iter().all(|p| (p - 1.0).abs() < 1e-10), "{:?}", found.parameters);
        assert_eq!(found.stopped, StopReason::Found);
    }

    #[test]
    fn bounds_hold_and_are_named() {
        let model = symbol("b1") * (Expr::one() - exp(-(symbol("b2") * symbol("x"))));
        let bounds = [(0.0, 200.0), (0.0, 1.0)];
        let found = fit(&model, &["b1", "b2"], &MISRA_X, &MISRA_Y, &[150.0, 0.0005], &bounds);
        assert_eq!(found.parameters[0], 200.0);
        assert_eq!(found.at_bound, [0]);
        assert!(found.covariance[(0, 0)].is_infinite() && found.covariance[(1, 1)].is_finite());
    }

    #[test]
    fn parameters_that_cannot_be_told_apart_are_named() {
        let model = exp(symbol("a") + symbol("b")) * symbol("x") + symbol("c");
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        let y = [2.0, 4.1, 5.9, 8.1, 9.9];
        let found = fit(&model, &["a", "b", "c"], &x, &y, &[0.1, 0.1, 0.0], &[]);
        assert_eq!(found.undetermined, [0, 1]);
    }

    #[test]
    fn cancelling_returns_what_there_is() {
        let options = Options::default();
        options.cancel.cancel();
        let found =
            levenberg_marquardt(|p, r| r[0] = p[0] - 3.0, |_, j| j[(0, 0)] = 1.0, 1, &[1.0], &options)
                .unwrap();
        assert_eq!((found.stopped, found.parameters[0]), (StopReason::Cancelled, 1.0));
    }
}
