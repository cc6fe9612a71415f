//! Sums of library terms for a rate, from the weak form: for test functions f that vanish at the ends of their window,
//! the integral of f x' is that of -f' x, so that noisy points need no derivative (D. Messenger, D. Bortz, Multiscale
//! Model. Simul. 19, 1474 (2021)). The errors of overlapping windows are correlated and are whitened. Terms are chosen by the
//! Gram matrix, a beam that grows term by term (cf. S. Brunton, J. Proctor, J. Kutz, PNAS 113, 3932 (2016), whose thresholds
//! it does without).

use nalgebra::{DMatrix, DVector};

use super::paths::Paths;
use crate::expression::{Expr, Function, Symbol};
use crate::regression::candidate::{Model, Parameter};
use crate::units::Dimension;

/// Most terms of a rate, sets kept for each number of terms, and those proposed.
const MOST: usize = 6;
const BEAM: usize = 24;
const PROPOSED: usize = 5;
/// Most terms of the library.
const LIBRARY: usize = 700;
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
/// Inner constants of saturating terms: so many, spread over the state's values.
const INNER: usize = 5;
/// Largest argument of an exponential.
const LARGEST: f64 = 30.0;

/// The name of the proposals' engine.
pub const NAME: &str = "sparse";

/// A term of the library.
#[derive(Clone, Debug)]
pub struct Term {
    /// The term; inner constants are the symbols of [`inner`].
    pub expr: Expr,
    /// Its values at all points, path after path.
    pub values: Vec<f64>,
    /// Its dimension.
    pub dimension: Dimension,
    /// Starts and dimensions of its inner constants.
    pub inner: Vec<(f64, Dimension)>,
    /// In which of the nested libraries it stands first.
    pub tier: usize,
}

/// The symbol of an inner constant of a term.
fn inner(k: usize) -> Symbol {
    Symbol::new(&format!("#inner{k}"))
}

/// What the library is made of.
struct Maker<'a> {
    paths: &'a Paths,
    /// States at all points, path after path.
    states: &'a [Vec<f64>],
    allows: &'a dyn Fn(&str) -> bool,
    found: Vec<Term>,
}

impl Maker<'_> {
    fn push(
        &mut self,
        tier: usize,
        expr: Expr,
        dimension: Option<Dimension>,
        starts: Vec<(f64, Dimension)>,
        value: &dyn Fn(usize) -> f64,
    ) {
        let Some(dimension) = dimension else { return };
        if self.found.len() >= LIBRARY {
            return;
        }
        let values: Vec<f64> = (0..self.states[0].len()).map(value).collect();
        if values.iter().all(|v| v.is_finite()) && values.iter().any(|v| *v != 0.0) {
            self.found.push(Term { expr, values, dimension, inner: starts, tier });
        }
    }

    fn symbol(&self, k: usize) -> Expr {
        Expr::symbol(self.paths.names[k].clone())
    }

    /// The product of a state, if any, and a function of states without dimension.
    fn with(
        &mut self,
        tier: usize,
        times: Option<usize>,
        function: Expr,
        value: &dyn Fn(usize) -> f64,
        starts: Vec<(f64, Dimension)>,
    ) {
        let states = self.states;
        match times {
            None => self.push(tier, function, Some(Dimension::NONE), starts, value),
            Some(j) => {
                let expr = self.symbol(j) * function;
                let dimension = Some(self.paths.dimension(j));
                self.push(tier, expr, dimension, starts, &|i| states[j][i] * value(i));
            }
        }
    }
}

/// Exponents of `n` states with a sum of `degree`.
fn exponents(n: usize, degree: usize) -> Vec<Vec<usize>> {
    if n == 1 {
        return vec![vec![degree]];
    }
    let mut all = Vec::new();
    for first in (0..=degree).rev() {
        for rest in exponents(n - 1, degree - first) {
            all.push([vec![first], rest].concat());
        }
    }
    all
}

/// The library for paths whose states at all points are `states`: powers and products, functions of states without
/// dimension (restoring forces, relaxation, growth), ratios, and saturating terms (Michaelis and Menten, Hill, Fermi). The
/// first is 1.
pub fn library(paths: &Paths, states: &[Vec<f64>], allows: &dyn Fn(&str) -> bool) -> Vec<Term> {
    let n = paths.names.len();
    let mut maker = Maker { paths, states, allows, found: Vec::new() };
    maker.push(0, Expr::one(), Some(Dimension::NONE), Vec::new(), &|_| 1.0);
    let degrees = match n {
        1 => 5,
        2..=4 => 3,
        _ => 2,
    };
    for degree in 1..=degrees {
        if degree > 1 && !allows("*") && !allows("^") {
            break;
        }
        for powers in exponents(n, degree) {
            if !allows("*") && powers.iter().filter(|p| **p > 0).count() > 1 {
                continue;
            }
            let factors = powers.iter().enumerate().filter(|(_, p)| **p > 0);
            let expr = Expr::product(factors.clone().map(|(k, p)| maker.symbol(k).powi(*p as i64)));
            let dimension = factors
                .clone()
                .try_fold(Dimension::NONE, |d, (k, p)| (0..*p).try_fold(d, |d, _| d.mul(paths.dimension(k))));
            let value = |i: usize| {
                powers.iter().enumerate().map(|(k, p)| states[k][i].powi(*p as i32)).product::<f64>()
            };
            maker.push((degree - 1).min(2), expr, dimension, Vec::new(), &value);
        }
    }
    let pure: Vec<usize> = (0..n).filter(|k| paths.dimension(*k).is_none()).collect();
    let factors: Vec<Option<usize>> =
        std::iter::once(None).chain((0..n).filter(|_| allows("*")).map(Some)).collect();
    for f in [Function::Sin, Function::Cos, Function::Exp, Function::Log, Function::Tanh] {
        if !(maker.allows)(f.name()) {
            continue;
        }
        let value = f.row().value;
        for &k in &pure {
            let x = &states[k];
            let large = f == Function::Exp && x.iter().any(|x| x.abs() > LARGEST);
            if large || f == Function::Log && x.iter().any(|x| *x <= 0.0) {
                continue;
            }
            for times in &factors {
                let call = Expr::call(f, vec![maker.symbol(k)]);
                maker.with(3, *times, call, &|i| value(&[x[i]]), Vec::new());
                if f == Function::Exp {
                    let call = Expr::call(f, vec![maker.symbol(k).negate()]);
                    maker.with(3, *times, call, &|i| value(&[-x[i]]), Vec::new());
                }
            }
        }
    }
    let trigonometric = (maker.allows)("sin") && (maker.allows)("cos");
    if trigonometric {
        let (sin, cos) = (Function::Sin, Function::Cos);
        for &a in &pure {
            for &b in &pure {
                let (x, y) = (&states[a], &states[b]);
                let (p, q) = (maker.symbol(a), maker.symbol(b));
                if (maker.allows)("*") {
                    let product = Expr::call(sin, vec![p.clone()]) * Expr::call(cos, vec![q.clone()]);
                    maker.with(4, None, product, &|i| x[i].sin() * y[i].cos(), Vec::new());
                }
                if a < b {
                    for sign in [-1.0, 1.0] {
                        let both = if sign < 0.0 { p.clone() - q.clone() } else { p.clone() + q.clone() };
                        let inside = |i: usize| x[i] + sign * y[i];
                        let (s, c) = (Expr::call(sin, vec![both.clone()]), Expr::call(cos, vec![both]));
                        maker.with(4, None, s, &|i| inside(i).sin(), Vec::new());
                        maker.with(4, None, c, &|i| inside(i).cos(), Vec::new());
                    }
                }
            }
        }
    }
    if (maker.allows)("abs") && (maker.allows)("*") {
        // Friction against the motion.
        for (k, x) in states.iter().enumerate() {
            if x.iter().any(|x| *x < 0.0) && x.iter().any(|x| *x > 0.0) {
                let expr = maker.symbol(k) * Expr::call(Function::Abs, vec![maker.symbol(k)]);
                let dimension = paths.dimension(k).mul(paths.dimension(k));
                maker.push(3, expr, dimension, Vec::new(), &|i| x[i] * x[i].abs());
            }
        }
    }
    if (maker.allows)("/") {
        for (k, x) in states.iter().enumerate() {
            let largest = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            // No pole along the path.
            let crosses = x.iter().any(|x| *x < 0.0) && x.iter().any(|x| *x > 0.0);
            if crosses || x.iter().any(|x| x.abs() < 1e-3 * largest) {
                continue;
            }
            for power in [1i64, 2] {
                let inverse = maker.symbol(k).powi(-power);
                let own = (0..power).try_fold(Dimension::NONE, |d, _| d.div(paths.dimension(k)));
                maker.push(3, inverse.clone(), own, Vec::new(), &|i| x[i].powi(-power as i32));
                for j in (0..n).filter(|j| *j != k) {
                    let y = &states[j];
                    let dimension = own.and_then(|d| d.mul(paths.dimension(j)));
                    let expr = maker.symbol(j) * inverse.clone();
                    maker.push(3, expr, dimension, Vec::new(), &|i| y[i] * x[i].powi(-power as i32));
                }
            }
        }
        saturating(&mut maker, &factors);
    }
    maker.found
}

/// x^m/(c^m + x^m), and with "exp" 1/(1 + exp(-(x - c)/w)), times a state.
fn saturating(maker: &mut Maker<'_>, factors: &[Option<usize>]) {
    let (paths, states) = (maker.paths, maker.states);
    for (k, x) in states.iter().enumerate() {
        let d = paths.dimension(k);
        let low = x.iter().fold(f64::INFINITY, |m, x| m.min(*x));
        let high = x.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
        let place = |share: f64| low + (high - low) * share;
        if low >= 0.0 && high > 0.0 {
            for j in 0..INNER {
                let c = high * 10f64.powf(1.0 - 2.0 * j as f64 / (INNER - 1) as f64) / 3.0;
                for m in [1i64, 2] {
                    let top = maker.symbol(k).powi(m);
                    let constant = Expr::symbol(inner(0));
                    let expr = top.clone() / (constant.clone().powi(m) + top);
                    let value = |i: usize| x[i].powi(m as i32) / (c.powi(m as i32) + x[i].powi(m as i32));
                    for times in factors.iter().filter(|t| **t != Some(k)) {
                        maker.with(5, *times, expr.clone(), &value, vec![(c, d)]);
                    }
                }
            }
        }
        // What rises and falls again: inhibition by the substrate (J. B. S. Haldane 1930), dispersion at a resonance.
        let largest = low.abs().max(high.abs());
        for j in 0..INNER {
            let c = largest * 10f64.powf(1.0 - 2.0 * j as f64 / (INNER - 1) as f64) / 3.0;
            let constant = Expr::symbol(inner(0));
            let expr = constant.clone() * maker.symbol(k) / (constant.powi(2) + maker.symbol(k).powi(2));
            let value = |i: usize| c * x[i] / (c * c + x[i] * x[i]);
            for times in factors {
                maker.with(5, *times, expr.clone(), &value, vec![(c, d)]);
            }
        }
        if (maker.allows)("exp") {
            for j in 0..INNER {
                let c = place(j as f64 / (INNER - 1) as f64);
                for share in [0.1, 0.3, 1.0] {
                    let w = (high - low) * share;
                    let inside = (maker.symbol(k) - Expr::symbol(inner(0))) / Expr::symbol(inner(1));
                    let expr = (Expr::one() + Expr::call(Function::Exp, vec![inside.negate()])).recip();
                    let value = |i: usize| 1.0 / (1.0 + (-(x[i] - c) / w).exp());
                    maker.with(5, None, expr, &value, vec![(c, d), (w, d)]);
                }
            }
        }
    }
}

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

    /// Sums of terms of the library: for each of the nested libraries and each number of terms the best, with
    /// the sum of squares that each leaves of the whitened rows.
    pub fn sums(&self, terms: &[Term], goal: Dimension, free: bool) -> Vec<(Model, f64)> {
        let usable: Vec<usize> = (0..terms.len()).filter(|k| free || terms[*k].dimension == goal).collect();
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
        let mut found: Vec<(Vec<usize>, f64, Vec<f64>)> = Vec::new();
        for tier in 0..=highest {
            let open: Vec<usize> =
                (0..usable.len()).filter(|j| terms[usable[*j]].tier <= tier && lengths[*j] > 0.0).collect();
            let mut beam: Vec<(Vec<usize>, f64, Vec<f64>)> = vec![(Vec::new(), square, Vec::new())];
            for _ in 0..MOST.min(self.rows() / 3) {
                let mut next: Vec<(Vec<usize>, f64, Vec<f64>)> = Vec::new();
                for (set, ..) in &beam {
                    for &j in &open {
                        if set.iter().any(|i| kind[*i] == kind[j]) {
                            continue;
                        }
                        let mut grown = set.clone();
                        grown.push(j);
                        grown.sort_unstable();
                        if next.iter().any(|n| n.0 == grown) {
                            continue;
                        }
                        if let Some((left, c)) = solved(&gram, &right, square, &grown) {
                            let own = kinds(&grown);
                            if let Some(at) = next.iter().position(|n| kinds(&n.0) == own) {
                                if next[at].1 <= left {
                                    continue;
                                }
                                next.remove(at);
                            }
                            // The beam is kept short on the way: the list of what is known is looked through often.
                            let worst = next.get(BEAM - 1).map_or(f64::INFINITY, |n| n.1);
                            if left < worst {
                                let at = next.partition_point(|n| n.1 <= left);
                                next.insert(at, (grown, left, c));
                                next.truncate(BEAM);
                            }
                        }
                    }
                }
                for (set, left, c) in next.iter().take(PROPOSED) {
                    if !found.iter().any(|f| f.0 == *set) {
                        found.push((set.clone(), *left, c.clone()));
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
            .map(|(set, left, c)| {
                let chosen = set.iter().zip(&c).map(|(j, c)| (&terms[usable[*j]], c / lengths[*j]));
                (model(chosen, goal), left)
            })
            .collect()
    }
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
