//! Denoising: the target is replaced by the mean of a Gaussian process given all rows, with one length scale a column,
//! white noise and a linear trend (`process.rs`). Hyperparameters are those of greatest evidence on a subset of the rows,
//! from several starts on fewer rows yet; positive columns of wide range are tried by their logarithms too, and the
//! evidence decides. Tables of many rows are smoothed by the projected process of the subset (Rasmussen & Williams 2006,
//! ch. 8.3.4), which uses every row.

use super::factor::{cholesky, lower_inverse, square};
use super::process::{Conditioned, Fitted, Rows, condition, covariance, fit};
use super::{Standard, relative_variances, sample_rows};
use crate::base::CancelToken;
use crate::numeric::{linear_least_squares, statistics};
use crate::regression::Problem;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Rows from which starts are compared.
const FEW: usize = 160;
/// Rows by which the hyperparameters are found.
const SUBSET: usize = 500;
/// Rows up to which the process is conditioned on each without projection.
const ALL: usize = 1000;
/// Rows of a block of predictions.
const BLOCK: usize = 512;
/// Evaluations of a start, and of the polish.
const WORK: (u64, u64) = (60, 80);
/// Noise below this share of the target's spread is none.
const EXACT: f64 = 1e-5;

/// A target without its noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Smooth {
    /// The smooth target, in the unit of the target.
    pub target: Vec<f64>,
    /// Its posterior standard deviation a row.
    pub error: Vec<f64>,
    /// Standard deviation of the noise found; with known errors a row, the root mean square over rows. 0: the data are exact,
    /// and the target is as it was.
    pub sigma: f64,
    /// Length scale of each column in the column's unit (of a column taken by its logarithm: times its geometric mean);
    /// infinite where the column is constant or a repetition, and where
    /// a polynomial of degree 2 alone fits exactly.
    pub length_scales: Vec<f64>,
}

/// Smooths the target of a problem. `None`: fewer than 10 rows, no column that varies, a constant target, numbers that are
/// not finite, no process that fits, or a stop asked for. Exact data come back as they are, with `sigma` 0.
pub fn smooth(problem: &Problem, seed: u64, cancel: &CancelToken) -> Option<Smooth> {
    let n = problem.rows();
    let useful = problem.useful();
    let finite = |list: &[f64]| list.iter().all(|x| x.is_finite());
    let errors_hold = problem.sigma.as_ref().is_none_or(|s| finite(s) && s.iter().all(|s| *s > 0.0));
    if n < 10 || useful.is_empty() || !errors_hold || !problem.columns.iter().all(|c| finite(c)) {
        return None;
    }
    let target = Standard::of(&problem.target)?;
    let variants = variants(problem, &useful)?;
    let variances = relative_variances(problem.sigma.as_deref(), n);
    let all: Vec<Rows> = variants
        .iter()
        .map(|columns| Rows {
            columns: columns.iter().map(|c| c.values.clone()).collect(),
            target: target.values.clone(),
            variances: variances.clone(),
            degree: degree(useful.len(), n.min(FEW)),
        })
        .collect();
    let subset = sample_rows(n, SUBSET, seed, "prepare/smooth");
    if follows_trend(&all[0])? {
        return Some(unchanged(problem, vec![f64::INFINITY; problem.columns.len()]));
    }
    let (variant, fitted) = hyperparameters(&all, &subset, cancel)?;
    let (rows, columns) = (&all[variant], &variants[variant]);
    let length_scales = length_scales(problem.columns.len(), &useful, columns, &fitted.lengths());
    let smooth = if n <= ALL { exact(rows, &fitted)? } else { projected(rows, &subset, &fitted, cancel)? };
    if cancel.stop().is_some() {
        return None;
    }
    if smooth.sigma <= EXACT || fitted.exact() && smooth.sigma <= 1e-4 {
        return Some(unchanged(problem, length_scales));
    }
    Some(Smooth {
        target: smooth.target.iter().map(|y| target.mean + target.deviation * y).collect(),
        error: smooth.error.iter().map(|e| target.deviation * e).collect(),
        sigma: target.deviation * smooth.sigma,
        length_scales,
    })
}

/// Exact data as they are.
fn unchanged(problem: &Problem, length_scales: Vec<f64>) -> Smooth {
    let error = vec![0.0; problem.rows()];
    Smooth { target: problem.target.clone(), error, sigma: 0.0, length_scales }
}

/// Whether the trend alone leaves nothing.
fn follows_trend(rows: &Rows) -> Option<bool> {
    let trend = rows.trend();
    let columns: Vec<&[f64]> = trend.as_slice().chunks(rows.count()).collect();
    let fit = linear_least_squares(&columns, &rows.target, None, false).ok()?;
    Some(statistics::rms(&fit.residuals) <= EXACT)
}

/// The degree of the trend that rows can afford.
fn degree(columns: usize, rows: usize) -> usize {
    let terms = [1 + columns, (columns + 1) * (columns + 2) / 2];
    terms.iter().filter(|t| 10 * **t <= rows).count()
}

/// The columns as they are, and with logarithms of the positive ones that span more than a decade.
fn variants(problem: &Problem, useful: &[usize]) -> Option<Vec<Vec<Standard>>> {
    let plain: Option<Vec<Standard>> = useful.iter().map(|&k| Standard::of(&problem.columns[k])).collect();
    let wide = |c: &[f64]| {
        let (low, high) = c.iter().fold((f64::INFINITY, 0.0f64), |(l, h), x| (l.min(*x), h.max(*x)));
        low > 0.0 && high > 10.0 * low
    };
    let mut variants = vec![plain?];
    if useful.iter().any(|&k| wide(&problem.columns[k])) {
        let warped: Option<Vec<Standard>> = useful
            .iter()
            .map(|&k| match &problem.columns[k] {
                c if wide(c) => Standard::of_logarithms(c),
                c => Standard::of(c),
            })
            .collect();
        variants.extend(warped);
    }
    Some(variants)
}

/// The best variant and its hyperparameters: all starts on few rows, the best two of them on the subset.
fn hyperparameters(all: &[Rows], subset: &[usize], cancel: &CancelToken) -> Option<(usize, Fitted)> {
    let few: Vec<usize> = subset.iter().step_by(subset.len().div_ceil(FEW)).copied().collect();
    let starts: Vec<(usize, f64, f64)> = (0..all.len())
        .flat_map(|v| [(0.7, 0.01), (2.0, 0.01), (2.0, 1.0)].map(|(length, noise)| (v, length, noise)))
        .collect();
    let best = |tried: Vec<(usize, u64, Vec<f64>)>, rows: &[usize]| -> Vec<(usize, Fitted)> {
        let mut found: Vec<(usize, Fitted)> = tried
            .par_iter()
            .filter_map(|(v, work, start)| Some((*v, fit(&all[*v].pick(rows), start, *work, cancel)?)))
            .collect();
        found.sort_by(|a, b| b.1.evidence.total_cmp(&a.1.evidence));
        found
    };
    let tried = starts.into_iter().map(|(v, length, noise): (usize, f64, f64)| {
        let d = all[v].columns.len();
        let mut start = vec![(length * (d as f64).sqrt()).ln(); d];
        start.push(noise.ln());
        (v, WORK.0, start)
    });
    let mut found = best(tried.collect(), &few);
    // A second polish only where the starts led to different places.
    let first = found.first()?.1.clone();
    let differs = |f: &Fitted| f.point.iter().zip(&first.point).any(|(a, b)| (a - b).abs() > 0.5);
    let second = found.iter().skip(1).position(|(_, f)| differs(f)).map(|at| found.remove(at + 1));
    found.truncate(1);
    found.extend(second);
    best(found.into_iter().map(|(v, f)| (v, WORK.1, f.point)).collect(), subset).into_iter().next()
}

/// Smooth target, error and noise in units of the target's spread.
struct Posterior {
    target: Vec<f64>,
    error: Vec<f64>,
    sigma: f64,
}

/// The process given each row: the noise of row i has the mean g r_i (P y)_i and the variance
/// s^2 g r_i (1 - g r_i P_ii).
fn exact(rows: &Rows, fitted: &Fitted) -> Option<Posterior> {
    let Conditioned { p, alpha, signal, .. } = condition(rows, &fitted.point)?;
    let noise: Vec<f64> = rows.variances.iter().map(|r| r * fitted.noise()).collect();
    let each = 0..rows.count();
    Some(Posterior {
        target: each.clone().map(|i| rows.target[i] - noise[i] * alpha[i]).collect(),
        error: each.map(|i| (signal * noise[i] * (1.0 - noise[i] * p[(i, i)]).max(0.0)).sqrt()).collect(),
        sigma: (signal * fitted.noise()).sqrt(),
    })
}

/// The projected process: f = Phi b with Phi = [K_nm L^-T, H], L L^T = K_mm, the prior of b white with variance s^2 for the
/// first m and unbounded for the trend. The noise is told anew by all rows: residuals over their degrees of freedom.
fn projected(rows: &Rows, subset: &[usize], fitted: &Fitted, cancel: &CancelToken) -> Option<Posterior> {
    let (lengths, g) = (fitted.lengths(), fitted.noise());
    let few = rows.pick(subset);
    let signal = condition(&few, &fitted.point)?.signal;
    let m = subset.len();
    let k = covariance(&few.columns, &few.columns, &lengths);
    let l = (0..8).find_map(|power| {
        let jitter = (1e-4 * g).max(1e-12) * 10f64.powi(power);
        cholesky(&k + DMatrix::identity(m, m) * jitter)
    })?;
    let whiten = lower_inverse(&l).transpose();
    let features = |from: usize| -> DMatrix<f64> {
        let block = rows.pick(&(from..(from + BLOCK).min(rows.count())).collect::<Vec<_>>());
        let near = covariance(&block.columns, &few.columns, &lengths) * &whiten;
        let trend = block.trend();
        let mut phi = DMatrix::zeros(block.count(), m + trend.ncols());
        phi.columns_mut(0, m).copy_from(&near);
        phi.columns_mut(m, trend.ncols()).copy_from(&trend);
        phi
    };
    let trend = few.trend().ncols();
    let size = m + trend;
    let mut normal = DMatrix::zeros(size, size);
    let mut right = DVector::zeros(size);
    let blocks: Vec<usize> = (0..rows.count()).step_by(BLOCK).collect();
    // Few blocks at a time, summed in their order: memory stays small and the sum is the same on any number of threads.
    for group in blocks.chunks(16) {
        if cancel.stop().is_some() {
            return None;
        }
        let sums: Vec<(DMatrix<f64>, DVector<f64>)> = group
            .par_iter()
            .map(|&from| {
                let phi = features(from);
                let weighted =
                    DMatrix::from_fn(phi.nrows(), size, |i, j| phi[(i, j)] / rows.variances[from + i]);
                let y = DVector::from_column_slice(&rows.target[from..from + phi.nrows()]);
                let across = weighted.transpose();
                (&across * phi, across * y)
            })
            .collect();
        for (a, b) in sums {
            normal += a;
            right += b;
        }
    }
    (0..m).for_each(|i| normal[(i, i)] += g);
    // The trend needs no prior but must not make the matrix singular.
    (m..size).for_each(|i| normal[(i, i)] *= 1.0 + 1e-12);
    let inverse = lower_inverse(&cholesky(normal)?);
    let whole = square(&inverse);
    let weights = &whole * right;
    let ranges: Vec<Vec<(f64, f64)>> = blocks
        .par_iter()
        .map(|&from| {
            if cancel.stop().is_some() {
                return Vec::new();
            }
            let phi = features(from);
            let mean = &phi * &weights;
            let spread = &phi * &inverse.transpose();
            // What the subset cannot tell, and what the rows leave open of what it can.
            (0..phi.nrows())
                .map(|i| {
                    let untold = (1.0 - phi.row(i).columns(0, m).norm_squared()).max(0.0);
                    (mean[i], untold + g * spread.row(i).norm_squared())
                })
                .collect()
        })
        .collect();
    let (target, open): (Vec<f64>, Vec<f64>) = ranges.into_iter().flatten().unzip();
    if target.len() < rows.count() {
        return None;
    }
    let squares: f64 =
        (0..rows.count()).map(|i| (rows.target[i] - target[i]).powi(2) / rows.variances[i]).sum();
    let used = size as f64 - g * (0..m).map(|i| whole[(i, i)]).sum::<f64>();
    let sigma = (squares / (rows.count() as f64 - used)).sqrt();
    let error = open.iter().map(|v| (signal * v).sqrt()).collect();
    Some(Posterior { target, error, sigma })
}

/// Length scales of all columns in their own units.
fn length_scales(count: usize, useful: &[usize], columns: &[Standard], lengths: &[f64]) -> Vec<f64> {
    let mut scales = vec![f64::INFINITY; count];
    for ((&k, column), length) in useful.iter().zip(columns).zip(lengths) {
        let unit = if column.logarithmic { column.mean.exp() } else { 1.0 };
        scales[k] = length * column.deviation * unit;
    }
    scales
}
