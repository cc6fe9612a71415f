//! Gaussian-process regression: y = h(x)^T b + f(x) + noise, where f has the squared-exponential covariance
//! s^2 exp(-sum_k (x_k - x'_k)^2/(2 l_k^2)), the noise of row i the variance s^2 g r_i, and the trend's coefficients b any
//! value (C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, ch. 2.7 and 5). With
//! R = K/s^2 + g diag(r), A = H R^-1 H^T and P = R^-1 - R^-1 H^T A^-1 H R^-1, the evidence at its best s^2 = y^T P y/(n - m)
//! is -(n - m)/2 ln s^2 - ln|R|/2 - ln|A|/2, and its derivative along R' is (a^T R' a/s^2 - tr(P R'))/2 with a = P y.

use super::factor::{cholesky, log_determinant, lower_inverse, square};
use crate::base::CancelToken;
use crate::numeric::minimize::{self, Objective, minimize};
use nalgebra::{DMatrix, DVector};

/// Bounds of ln l (columns have the standard deviation 1), the second by the degree of the trend: without one the greatest
/// must stand for no part in f beside a column in which f is all but linear.
const LENGTHS: (f64, [f64; 3]) = (-3.5, [7.0, 4.0, 4.0]);
/// Bounds of ln g.
const NOISE: (f64, f64) = (-27.0, 9.0);

/// Rows that a process is conditioned on.
#[derive(Clone)]
pub(super) struct Rows {
    /// The columns, standardised.
    pub columns: Vec<Vec<f64>>,
    /// The target.
    pub target: Vec<f64>,
    /// Relative variances r of the noise.
    pub variances: Vec<f64>,
    /// Degree of the trend in the columns: 0, 1 or 2.
    pub degree: usize,
}

impl Rows {
    /// Number of rows.
    pub fn count(&self) -> usize {
        self.target.len()
    }

    /// Some of the rows.
    pub fn pick(&self, rows: &[usize]) -> Rows {
        let take = |list: &[f64]| -> Vec<f64> { rows.iter().map(|&i| list[i]).collect() };
        Rows {
            columns: self.columns.iter().map(|c| take(c)).collect(),
            target: take(&self.target),
            variances: take(&self.variances),
            degree: self.degree,
        }
    }

    /// The trend's functions, one a column: products of up to `degree` columns.
    pub fn trend(&self) -> DMatrix<f64> {
        let (n, d) = (self.count(), self.columns.len());
        let mut h = vec![1.0; n];
        if self.degree >= 1 {
            h.extend(self.columns.iter().flatten());
        }
        if self.degree >= 2 {
            for (k, c) in self.columns.iter().enumerate() {
                h.extend((k..d).flat_map(|j| c.iter().zip(&self.columns[j]).map(|(a, b)| a * b)));
            }
        }
        DMatrix::from_vec(n, h.len() / n.max(1), h)
    }
}

/// Hyperparameters and their evidence.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// Logarithms of the length scales, then that of g.
    pub point: Vec<f64>,
    /// ln of the marginal likelihood, but for a constant of the rows.
    pub evidence: f64,
}

impl Fitted {
    /// Length scales of the standardised columns.
    pub fn lengths(&self) -> Vec<f64> {
        self.point[..self.point.len() - 1].iter().map(|l| l.exp()).collect()
    }

    /// The noise's variance over the signal's.
    pub fn noise(&self) -> f64 {
        self.point[self.point.len() - 1].exp()
    }

    /// Whether the noise is as small as can be told.
    pub fn exact(&self) -> bool {
        self.point[self.point.len() - 1] < NOISE.0 + 1.5
    }
}

/// exp(-sum_k (x_k - x'_k)^2/(2 l_k^2)) between two sets of rows, each row over its length scales.
pub(super) fn covariance(a: &[Vec<f64>], b: &[Vec<f64>], lengths: &[f64]) -> DMatrix<f64> {
    let (a, b) = (scaled(a, lengths), scaled(b, lengths));
    let d = lengths.len().max(1);
    let near = |u: &[f64], v: &[f64]| {
        let square: f64 = u.iter().zip(v).map(|(u, v)| (u - v) * (u - v)).sum();
        (-0.5 * square).exp()
    };
    DMatrix::from_fn(a.len() / d, b.len() / d, |i, j| near(&a[i * d..][..d], &b[j * d..][..d]))
}

/// The same between the rows of one set.
fn own_covariance(columns: &[Vec<f64>], lengths: &[f64]) -> DMatrix<f64> {
    let x = scaled(columns, lengths);
    let d = lengths.len().max(1);
    let n = x.len() / d;
    let mut k = DMatrix::from_element(n, n, 1.0);
    for j in 0..n {
        let v = &x[j * d..][..d];
        for i in j + 1..n {
            let u = &x[i * d..][..d];
            let square: f64 = u.iter().zip(v).map(|(u, v)| (u - v) * (u - v)).sum();
            let near = (-0.5 * square).exp();
            k[(i, j)] = near;
            k[(j, i)] = near;
        }
    }
    k
}

/// Rows one after the other, over the length scales; of no column one zero a row.
fn scaled(columns: &[Vec<f64>], lengths: &[f64]) -> Vec<f64> {
    let n = columns.first().map_or(0, Vec::len);
    (0..n).flat_map(|i| columns.iter().zip(lengths).map(move |(c, l)| c[i] / l)).collect()
}

/// What the rows say under given hyperparameters.
pub(super) struct Conditioned {
    /// Covariance of f over s^2.
    k: DMatrix<f64>,
    /// P.
    pub p: DMatrix<f64>,
    /// P y.
    pub alpha: DVector<f64>,
    /// s^2.
    pub signal: f64,
    /// The evidence.
    evidence: f64,
}

/// The covariance of f over s^2, and the factor of R; `None` where R is not positive definite in floating point.
fn factored(rows: &Rows, point: &[f64]) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    let d = rows.columns.len();
    let lengths: Vec<f64> = point[..d].iter().map(|l| l.exp()).collect();
    let noise = point[d].exp();
    let k = own_covariance(&rows.columns, &lengths);
    let mut r = k.clone();
    (0..rows.count()).for_each(|i| r[(i, i)] += noise * rows.variances[i]);
    Some((k, cholesky(r)?))
}

/// s^2 and the evidence from y^T P y and the factors of R and A.
fn evidence(rows: &Rows, square: f64, l: &DMatrix<f64>, a: &DMatrix<f64>) -> Option<(f64, f64)> {
    let free = rows.count().checked_sub(a.nrows()).filter(|f| *f > 0)? as f64;
    let signal = square / free;
    let evidence = -0.5 * (free * signal.ln() + log_determinant(l) + log_determinant(a));
    (signal > 0.0 && evidence.is_finite()).then_some((signal, evidence))
}

/// The evidence alone.
fn evidence_at(rows: &Rows, point: &[f64]) -> Option<f64> {
    let (_, l) = factored(rows, point)?;
    let v = l.solve_lower_triangular(&DVector::from_column_slice(&rows.target))?;
    let u = l.solve_lower_triangular(&rows.trend())?;
    let a = cholesky(u.transpose() * &u)?;
    let trend = a.solve_lower_triangular(&(u.transpose() * &v))?;
    Some(evidence(rows, v.norm_squared() - trend.norm_squared(), &l, &a)?.1)
}

/// Conditions the process on rows; `None` where R is not positive definite in floating point.
pub(super) fn condition(rows: &Rows, point: &[f64]) -> Option<Conditioned> {
    let (k, l) = factored(rows, point)?;
    let mut p = square(&lower_inverse(&l));
    let h = rows.trend();
    let rh = &p * &h;
    let a = cholesky(h.transpose() * &rh)?;
    let half = rh * lower_inverse(&a).transpose();
    let across = half.transpose();
    p.gemm(-1.0, &half, &across, 1.0);
    let y = DVector::from_column_slice(&rows.target);
    let alpha = &p * &y;
    let (signal, evidence) = evidence(rows, y.dot(&alpha), &l, &a)?;
    Some(Conditioned { k, p, alpha, signal, evidence })
}

/// Minus the evidence as a function of the hyperparameters.
struct Evidence<'a> {
    rows: &'a Rows,
}

impl Objective for Evidence<'_> {
    fn value(&mut self, x: &[f64]) -> f64 {
        evidence_at(self.rows, x).map_or(f64::INFINITY, |e| -e)
    }

    fn gradient(&mut self, x: &[f64], out: &mut [f64]) -> f64 {
        let Some(c) = condition(self.rows, x) else {
            out.fill(0.0);
            return f64::INFINITY;
        };
        slope(self.rows, &c, x, out);
        out.iter_mut().for_each(|g| *g = -*g);
        -c.evidence
    }
}

/// The gradient of the evidence.
fn slope(rows: &Rows, c: &Conditioned, point: &[f64], out: &mut [f64]) {
    let (n, d) = (rows.count(), rows.columns.len());
    let mut m = -&c.p;
    m.ger(1.0 / c.signal, &c.alpha, &c.alpha, 1.0);
    let noise = point[d].exp();
    out[d] = 0.5 * noise * (0..n).map(|i| rows.variances[i] * m[(i, i)]).sum::<f64>();
    m.component_mul_assign(&c.k);
    // sum_ij m_ij (x_i - x_j)^2 = 2 sum_i x_i^2 (sum_j m_ij) - 2 x^T m x, with the row sums as one more column.
    let x = DMatrix::from_fn(n, d + 1, |i, k| if k == d { 1.0 } else { rows.columns[k][i] });
    let mx = &m * &x;
    for (k, (slope, length)) in out.iter_mut().zip(&point[..d]).enumerate() {
        let sum: f64 = (0..n).map(|i| x[(i, k)] * (x[(i, k)] * mx[(i, d)] - mx[(i, k)])).sum();
        *slope = sum / (2.0 * length).exp();
    }
}

/// Looks for the hyperparameters of greatest evidence from a start, with more noise where the start has too little for
/// floating point; `None` where there is no evidence at all.
pub(super) fn fit(rows: &Rows, start: &[f64], work: u64, cancel: &CancelToken) -> Option<Fitted> {
    let d = rows.columns.len();
    let lengths = (LENGTHS.0, LENGTHS.1[rows.degree.min(2)]);
    let bounds: Vec<(f64, f64)> = (0..=d).map(|k| if k == d { NOISE } else { lengths }).collect();
    let options = minimize::Options {
        method: minimize::Method::Bfgs,
        starts: 1,
        tolerance: 2e-3,
        evaluations: work,
        seed: 0,
    };
    let mut start: Vec<f64> = start.iter().zip(&bounds).map(|(x, (l, h))| x.clamp(*l, *h)).collect();
    while evidence_at(rows, &start).is_none() && start[d] < 0.0 && cancel.stop().is_none() {
        start[d] += 3.0;
    }
    let found = minimize(&mut Evidence { rows }, &start, &bounds, &options, cancel);
    found.value.is_finite().then(|| Fitted { point: found.point, evidence: -found.value })
}

#[cfg(test)]
pub(super) fn evidence_and_slope(rows: &Rows, point: &[f64]) -> Option<(f64, Vec<f64>)> {
    let c = condition(rows, point)?;
    let mut out = vec![0.0; point.len()];
    slope(rows, &c, point, &mut out);
    Some((c.evidence, out))
}
