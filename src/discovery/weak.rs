//! Sums of library terms for a rate, from the weak form: for test functions f that vanish at the ends of their window,
//! the integral of f x' is that of -f' x, so that noisy points need no derivative (D. Messenger, D. Bortz, Multiscale
//! Model. Simul. 19, 1474 (2021)). The errors of overlapping windows are correlated and are whitened. Terms are chosen by the
//! Gram matrix, a beam that grows term by term (cf. S. Brunton, J. Proctor, J. Kutz, PNAS 113, 3932 (2016), whose thresholds
//! it does without).

use nalgebra::{DMatrix, DVector};

use super::library::{Term, inner};
use super::paths::Paths;
use crate::expression::{Expr, Symbol};
use crate::regression::candidate::{Model, Parameter};
use crate::units::Dimension;

/// Sets kept for each number of terms, and those proposed.
const BEAM: usize = 24;
const PROPOSED: usize = 5;
/// Points that a test function covers at least.
const COVERED: usize = 9;
/// Windows for each degree of freedom of the curve.
const WINDOWS: f64 = 3.0;
/// Widths of windows, in those of the narrowest.
const STRETCHES: [f64; 2] = [1.0, 3.0];
/// Exponent of the test functions (1 - s^2)^p.
const SHARP: i32 = 3;
/// Share of the diagonal that is added to a Gram matrix.
const RIDGE: f64 = 1e-11;

/// The name of the proposals' engine, the word of the option `method`.
pub const NAME: &str = "sindy";

/// The weak form of one state's rate: rows of test functions, whitened.
pub struct Weak {
    /// What the integrals of the terms must give.
    target: DVector<f64>,
    /// From integrals to rows.
    whiten: DMatrix<f64>,
    /// Test functions times quadrature weights, a row each, over all points.
    tests: DMatrix<f64>,
}

impl Weak {
    /// For a state with its points, standard deviations, and the degrees of freedom of its curve on each path.
    pub fn new(paths: &Paths, state: usize, sigma: &[Vec<f64>], freedom: &[f64]) -> Option<Weak> {
        let total = paths.rows();
        let mut tests: Vec<Vec<f64>> = Vec::new();
        let mut slopes: Vec<Vec<f64>> = Vec::new();
        let mut before = 0;
        for (place, path) in paths.paths.iter().enumerate() {
            let t = &path.times;
            let n = t.len();
            let (low, high) = (t[0], t[n - 1]);
            let span = high - low;
            let windows = (WINDOWS * freedom[place]).clamp(4.0, ((2 * n / COVERED) as f64).max(4.0));
            // Windows overlap by half.
            let half = (span / (windows / 2.0 + 0.5) / 2.0).min(span / 2.0);
            let weight = |i: usize| {
                let left = if i == 0 { 0.0 } else { t[i] - t[i - 1] };
                let right = if i + 1 == n { 0.0 } else { t[i + 1] - t[i] };
                0.5 * (left + right)
            };
            // Wide windows too: they hold what is slow.
            for stretch in STRETCHES {
                let half = (half * stretch).min(span / 2.0);
                let count = match stretch {
                    1.0 => windows.floor() as usize,
                    _ => ((span / half - 1.0).floor() as usize).max(1),
                };
                for k in 0..count {
                    let centre = low + half + (span - 2.0 * half) * k as f64 / (count.max(2) - 1) as f64;
                    let mut own = vec![0.0; total];
                    let mut slope = vec![0.0; total];
                    for i in 0..n {
                        let s = (t[i] - centre) / half;
                        if s.abs() < 1.0 {
                            let u = 1.0 - s * s;
                            own[before + i] = weight(i) * u.powi(SHARP);
                            slope[before + i] =
                                weight(i) * -2.0 * f64::from(SHARP) * s / half * u.powi(SHARP - 1);
                        }
                    }
                    tests.push(own);
                    slopes.push(slope);
                }
            }
            before += n;
        }
        let m = tests.len();
        let points: Vec<f64> = paths.state(state).collect();
        let sigma: Vec<f64> = sigma.iter().flatten().copied().collect();
        let target =
            DVector::from_fn(m, |k, _| -slopes[k].iter().zip(&points).map(|(s, x)| s * x).sum::<f64>());
        let mut covariance = DMatrix::from_fn(m, m, |i, j| {
            slopes[i].iter().zip(&slopes[j]).zip(&sigma).map(|((a, b), s)| a * b * s * s).sum::<f64>()
        });
        let most = covariance.diagonal().max();
        if most.is_nan() || most <= 0.0 {
            return None;
        }
        for k in 0..m {
            covariance[(k, k)] += 1e-9 * most;
        }
        let whiten = covariance.cholesky()?.l().try_inverse()?;
        let tests = DMatrix::from_fn(m, total, |i, j| tests[i][j]);
        Some(Weak { target: &whiten * target, whiten, tests })
    }

    /// Rows of the weak form.
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// Sums of at most `most` terms of the library: for each of the nested libraries and each number of terms the best, with
    /// the sum of squares that each leaves of the whitened rows. `allows`: whether a constant may have a dimension.
    pub fn sums(
        &self,
        terms: &[Term],
        goal: Dimension,
        most: usize,
        allows: &dyn Fn(Dimension) -> bool,
    ) -> Vec<(Model, f64)> {
        let factor = |t: &Term| goal.div(t.dimension).is_some_and(allows);
        let usable: Vec<usize> = (0..terms.len())
            .filter(|k| factor(&terms[*k]) && terms[*k].inner.iter().all(|(_, d)| allows(*d)))
            .collect();
        if usable.is_empty() {
            return Vec::new();
        }
        let values = DMatrix::from_fn(self.tests.ncols(), usable.len(), |i, j| terms[usable[j]].values[i]);
        let mut rows = &self.whiten * (&self.tests * values);
        let mut lengths = Vec::new();
        for j in 0..rows.ncols() {
            let length = rows.column(j).norm();
            lengths.push(length);
            if length > 0.0 {
                rows.column_mut(j).scale_mut(1.0 / length);
            }
        }
        let gram = rows.transpose() * &rows;
        let right = rows.transpose() * &self.target;
        let square = self.target.norm_squared();
        let highest = usable.iter().map(|k| terms[*k].tier).max().unwrap_or(0);
        // One term with several starts of its inner constants is one kind.
        let kind: Vec<u64> = usable.iter().map(|k| terms[*k].expr.stable_hash()).collect();
        let kinds = |set: &[usize]| {
            let mut all: Vec<u64> = set.iter().map(|j| kind[*j]).collect();
            all.sort_unstable();
            all
        };
        let mut found: Vec<Set> = Vec::new();
        for tier in 0..=highest {
            let open: Vec<usize> =
                (0..usable.len()).filter(|j| terms[usable[*j]].tier <= tier && lengths[*j] > 0.0).collect();
            let mut beam = vec![Set { left: square, ..Set::default() }];
            for _ in 0..most.min(self.rows() / 3) {
                let mut next: Vec<Set> = Vec::new();
                for Set { terms: set, .. } in &beam {
                    for &j in &open {
                        if set.iter().any(|i| kind[*i] == kind[j]) {
                            continue;
                        }
                        let mut grown = set.clone();
                        grown.push(j);
                        grown.sort_unstable();
                        if next.iter().any(|n| n.terms == grown) {
                            continue;
                        }
                        if let Some((left, factors)) = solved(&gram, &right, square, &grown) {
                            let own = kinds(&grown);
                            if let Some(at) = next.iter().position(|n| n.kinds == own) {
                                if next[at].left <= left {
                                    continue;
                                }
                                next.remove(at);
                            }
                            // The beam is kept short on the way: the list of what is known is looked through often.
                            let worst = next.get(BEAM - 1).map_or(f64::INFINITY, |n| n.left);
                            if left < worst {
                                let at = next.partition_point(|n| n.left <= left);
                                next.insert(at, Set { terms: grown, kinds: own, left, factors });
                                next.truncate(BEAM);
                            }
                        }
                    }
                }
                for set in next.iter().take(PROPOSED) {
                    if !found.iter().any(|f| f.terms == set.terms) {
                        found.push(set.clone());
                    }
                }
                if next.is_empty() {
                    break;
                }
                beam = next;
            }
        }
        found
            .into_iter()
            .map(|set| {
                let factors = set.terms.iter().zip(&set.factors);
                (model(factors.map(|(j, c)| (&terms[usable[*j]], c / lengths[*j])), goal), set.left)
            })
            .collect()
    }
}

/// A set of terms that was tried.
#[derive(Clone, Default)]
struct Set {
    /// The terms, by place.
    terms: Vec<usize>,
    /// Their kinds, sorted.
    kinds: Vec<u64>,
    /// What they leave of the target.
    left: f64,
    /// Their factors.
    factors: Vec<f64>,
}

/// What is left of the target, and the factors, for a set of columns.
fn solved(gram: &DMatrix<f64>, right: &DVector<f64>, square: f64, set: &[usize]) -> Option<(f64, Vec<f64>)> {
    let n = set.len();
    let a = DMatrix::from_fn(n, n, |i, j| gram[(set[i], set[j])] + if i == j { RIDGE } else { 0.0 });
    let b = DVector::from_fn(n, |i, _| right[set[i]]);
    let c = a.cholesky()?.solve(&b);
    let left = square - c.dot(&b);
    Some((left.max(1e-15 * square), c.iter().copied().collect()))
}

/// The sum of terms with their factors as a model.
fn model<'a>(chosen: impl Iterator<Item = (&'a Term, f64)>, goal: Dimension) -> Model {
    let mut parameters: Vec<Parameter> = Vec::new();
    let push = |start: f64, dimension: Dimension, parameters: &mut Vec<Parameter>| {
        let symbol = Parameter::symbol(parameters.len());
        parameters.push(Parameter { symbol: symbol.clone(), start, dimension });
        Expr::symbol(symbol)
    };
    let mut sum = Vec::new();
    for (term, factor) in chosen {
        let own = goal.div(term.dimension).unwrap_or(Dimension::NONE);
        let factor = push(factor, own, &mut parameters);
        let places: Vec<(Symbol, Expr)> = term
            .inner
            .iter()
            .enumerate()
            .map(|(k, (start, d))| (inner(k), push(*start, *d, &mut parameters)))
            .collect();
        sum.push(factor * term.expr.substitute(&places));
    }
    Model { template: Expr::sum(sum), parameters, engine: NAME }
}
