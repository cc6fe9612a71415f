//! The library of terms that rates are sums of.

use super::paths::Paths;
use crate::expression::{Expr, Function, Symbol};
use crate::units::Dimension;

/// Most terms of the library.
const LIBRARY: usize = 700;
/// Inner constants of saturating terms: so many, spread over the state's values.
const INNER: usize = 5;
/// Largest argument of an exponential.
const LARGEST: f64 = 30.0;
/// Frequencies at which a drive is looked for, half a turn along the paths apart, and phases of each.
const FREQUENCIES: usize = 32;
const PHASES: usize = 4;

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
pub fn inner(k: usize) -> Symbol {
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
/// dimension (restoring forces, relaxation, growth), ratios, and saturating terms (Michaelis and Menten, Hill, Fermi); where
/// the rate is `forced`, terms of the independent variable too. The first is 1.
pub fn library(paths: &Paths, states: &[Vec<f64>], allows: &dyn Fn(&str) -> bool, forced: bool) -> Vec<Term> {
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
    if forced {
        driven(&mut maker);
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
                    let signs = [(-1.0, "-"), (1.0, "+")];
                    for (sign, _) in signs.into_iter().filter(|s| (maker.allows)(s.1)) {
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
        if (maker.allows)("+") {
            saturating(&mut maker, &factors);
        }
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

/// Terms of the independent variable t: t, t^2, each also times a state, and sin(w t + p) with a fitted frequency and phase;
/// cos(w t) and sin(w t) alone and times a state.
fn driven(maker: &mut Maker<'_>) {
    let (paths, states) = (maker.paths, maker.states);
    let times: Vec<f64> = paths.paths.iter().flat_map(|p| p.times.iter().copied()).collect();
    let units = paths.dimensions.is_some();
    let own = if units { paths.over_dimension } else { Dimension::NONE };
    let t = Expr::symbol(paths.over.clone());
    let products: Vec<Option<usize>> =
        std::iter::once(None).chain((0..states.len()).filter(|_| (maker.allows)("*")).map(Some)).collect();
    for power in [1usize, 2] {
        if power > 1 && !(maker.allows)("*") && !(maker.allows)("^") {
            continue;
        }
        let dimension = (0..power).try_fold(Dimension::NONE, |d, _| d.mul(own));
        let clock = |i: usize| times[i].powi(power as i32);
        for state in &products {
            let expr = t.clone().powi(power as i64);
            match state {
                None => maker.push(power, expr, dimension, Vec::new(), &clock),
                Some(j) => {
                    let both = dimension.and_then(|d| d.mul(paths.dimension(*j)));
                    let expr = maker.symbol(*j) * expr;
                    maker.push(power, expr, both, Vec::new(), &|i| states[*j][i] * clock(i));
                }
            }
        }
    }
    let (low, high) =
        times.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), t| (a.min(*t), b.max(*t)));
    let Some(frequency) = Dimension::NONE.div(own).filter(|_| high > low && (maker.allows)("*")) else {
        return;
    };
    let shortest = paths.paths.iter().map(|p| p.times.len()).min().unwrap_or(0);
    let turn = t * Expr::symbol(inner(0));
    for k in 1..=FREQUENCIES.min(shortest / 2) {
        let w = std::f64::consts::PI * k as f64 / (high - low);
        for f in [Function::Cos, Function::Sin] {
            if !(maker.allows)(f.name()) {
                continue;
            }
            let value = f.row().value;
            let call = Expr::call(f, vec![turn.clone()]);
            for state in &products {
                maker.with(2, *state, call.clone(), &|i| value(&[w * times[i]]), vec![(w, frequency)]);
            }
        }
        if (maker.allows)("sin") && (maker.allows)("+") {
            let call = Expr::call(Function::Sin, vec![turn.clone() + Expr::symbol(inner(1))]);
            for phase in 0..PHASES {
                let p = std::f64::consts::PI * phase as f64 / PHASES as f64;
                let starts = vec![(w, frequency), (p, Dimension::NONE)];
                maker.with(2, None, call.clone(), &|i| (w * times[i] + p).sin(), starts);
            }
        }
    }
}
