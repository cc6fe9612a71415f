//! Random expressions, for property tests and benches. A [`RawTree`] is what a user might have typed, in no canonical
//! form: it converts to an [`Expr`] and has a value of its own, which the canonical form must not change.

use super::function::Function;
use super::node::{Expr, Relation};
use super::symbol::Symbol;
use crate::base::random::Rng;
use rand::RngExt;

/// An expression as typed.
#[derive(Clone, Debug, PartialEq)]
pub enum RawTree {
    /// A ratio of integers.
    Ratio(i64, i64),
    /// A float.
    Float(f64),
    /// pi.
    Pi,
    /// The symbol with this number.
    Symbol(usize),
    /// `a + b + ...`
    Sum(Vec<RawTree>),
    /// `a - b`
    Difference(Box<RawTree>, Box<RawTree>),
    /// `a*b*...`
    Product(Vec<RawTree>),
    /// `a/b`
    Quotient(Box<RawTree>, Box<RawTree>),
    /// `a^n`
    Power(Box<RawTree>, i64),
    /// `sqrt(a)`
    Root(Box<RawTree>),
    /// A function of one argument.
    Call(Function, Box<RawTree>),
}

/// Functions that are analytic where they are defined on the real line.
const ANALYTIC: &[Function] = &[
    Function::Exp,
    Function::Log,
    Function::Sin,
    Function::Cos,
    Function::Tan,
    Function::Asin,
    Function::Atan,
    Function::Sinh,
    Function::Cosh,
    Function::Tanh,
    Function::Asinh,
    Function::Erf,
];

/// A random tree of about `nodes` nodes over so many symbols.
pub fn random_tree(rng: &mut Rng, nodes: usize, symbols: usize) -> RawTree {
    if nodes <= 1 {
        return match rng.random_range(0..10u32) {
            0..=5 if symbols > 0 => RawTree::Symbol(rng.random_range(0..symbols)),
            6 => RawTree::Ratio(rng.random_range(-9i64..10), rng.random_range(1i64..7)),
            7 => RawTree::Pi,
            8 => RawTree::Float(f64::from(rng.random_range(-40..40i32)) / 8.0),
            _ => RawTree::Ratio(rng.random_range(-9i64..10), 1),
        };
    }
    let left = nodes - 1;
    let kind = rng.random_range(0..16u32);
    if left == 1 || kind >= 12 {
        let inner = Box::new(random_tree(rng, left, symbols));
        return match kind % 4 {
            0 => RawTree::Power(inner, rng.random_range(-3i64..5)),
            1 => RawTree::Root(inner),
            _ => RawTree::Call(ANALYTIC[rng.random_range(0..ANALYTIC.len())], inner),
        };
    }
    let first = rng.random_range(1..left);
    let mut two = || {
        let a = random_tree(rng, first, symbols);
        (a, random_tree(rng, left - first, symbols))
    };
    match kind {
        0..=4 => {
            let (a, b) = two();
            RawTree::Sum(vec![a, b])
        }
        5 | 6 => {
            let (a, b) = two();
            RawTree::Difference(Box::new(a), Box::new(b))
        }
        7..=10 => {
            let (a, b) = two();
            RawTree::Product(vec![a, b])
        }
        _ => {
            let (a, b) = two();
            RawTree::Quotient(Box::new(a), Box::new(b))
        }
    }
}

impl RawTree {
    /// In canonical form, over these symbols.
    pub fn to_expr(&self, symbols: &[Symbol]) -> Expr {
        let of = |t: &RawTree| t.to_expr(symbols);
        match self {
            RawTree::Ratio(a, b) => Expr::ratio(*a, *b),
            RawTree::Float(x) => Expr::float(*x),
            RawTree::Pi => Expr::pi(),
            RawTree::Symbol(n) => Expr::symbol(symbols[*n].clone()),
            RawTree::Sum(items) => Expr::sum(items.iter().map(of)),
            RawTree::Difference(a, b) => of(a) - of(b),
            RawTree::Product(items) => Expr::product(items.iter().map(of)),
            RawTree::Quotient(a, b) => of(a) / of(b),
            RawTree::Power(a, n) => of(a).powi(*n),
            RawTree::Root(a) => of(a).sqrt(),
            RawTree::Call(f, a) => Expr::call(*f, vec![of(a)]),
        }
    }

    /// Its value as typed, NaN outside the reals and where a part is infinite. `noise` is between 0 and 1 and perturbs every step by up to 1e-12
    /// of its size, so that two values tell how far rounding may carry; 0 is no noise.
    pub fn value(&self, at: &[f64], noise: &mut f64) -> f64 {
        let value = match self {
            RawTree::Ratio(a, b) => *a as f64 / *b as f64,
            RawTree::Float(x) => *x,
            RawTree::Pi => std::f64::consts::PI,
            RawTree::Symbol(n) => at[*n],
            RawTree::Sum(items) => items.iter().map(|t| t.value(at, noise)).sum(),
            RawTree::Difference(a, b) => a.value(at, noise) - b.value(at, noise),
            RawTree::Product(items) => items.iter().map(|t| t.value(at, noise)).product(),
            RawTree::Quotient(a, b) => a.value(at, noise) / b.value(at, noise),
            // NaN^0 would be 1.
            RawTree::Power(a, n) => match a.value(at, noise) {
                base if base.is_nan() => base,
                base => base.powi(*n as i32),
            },
            RawTree::Root(a) => a.value(at, noise).sqrt(),
            RawTree::Call(f, a) => (f.row().value)(&[a.value(at, noise)]),
        };
        if !value.is_finite() {
            return f64::NAN;
        }
        if *noise == 0.0 {
            return value;
        }
        *noise = (*noise * 97.0 + 0.123).fract();
        value * (1.0 + 2e-12 * (*noise - 0.5))
    }
}

/// A random expression of about `nodes` nodes that is analytic wherever it has a value.
pub fn random_analytic(rng: &mut Rng, nodes: usize, symbols: &[Symbol]) -> Expr {
    random_tree(rng, nodes, symbols.len()).to_expr(symbols)
}

/// A random expression of about `nodes` nodes, of all kinds but units and uncertain numbers.
pub fn random_expr(rng: &mut Rng, nodes: usize, symbols: &[Symbol]) -> Expr {
    if nodes <= 1 {
        return match rng.random_range(0..12u32) {
            0 => Expr::i(),
            1 => Expr::constant(super::symbol::Constant::E),
            _ => random_tree(rng, 1, symbols.len()).to_expr(symbols),
        };
    }
    let left = nodes - 1;
    let kind = rng.random_range(0..24u32);
    let part = |rng: &mut Rng, n: usize| random_expr(rng, n, symbols);
    match kind {
        _ if left < 2 => random_tree(rng, nodes, symbols.len()).to_expr(symbols),
        0..=4 => {
            let (a, b) = (part(rng, left / 2), part(rng, left - left / 2));
            if kind < 3 { a + b } else { a - b }
        }
        5..=9 => {
            let n = rng.random_range(1..left);
            let (a, b) = (part(rng, n), part(rng, left - n));
            if kind < 8 { a * b } else { a / b }
        }
        10 => {
            let x = part(rng, left / 2);
            Expr::power(part(rng, left - left / 2), x)
        }
        11 | 12 => {
            let x = Expr::ratio(rng.random_range(-5..6), rng.random_range(1..4));
            Expr::power(part(rng, left), x)
        }
        13 => Expr::apply(Symbol::new("u"), vec![part(rng, left / 2), part(rng, left - left / 2)]),
        14 => {
            let orders = vec![rng.random_range(0..3), rng.random_range(0..2)];
            Expr::derivative(Symbol::new("u"), orders, vec![part(rng, 1), part(rng, left - 1)])
        }
        15 => {
            let op = [Relation::Eq, Relation::Ne, Relation::Lt, Relation::Le, Relation::Gt, Relation::Ge]
                [rng.random_range(0..6)];
            let condition = Expr::relation(op, part(rng, 1), part(rng, 1));
            let other = Expr::relation(Relation::Lt, part(rng, 1), part(rng, 1));
            let condition = match rng.random_range(0..3u32) {
                0 => Expr::and([condition, other]),
                1 => Expr::or([condition, other]),
                _ => condition,
            };
            Expr::piecewise(vec![(condition, part(rng, left / 2))], part(rng, left / 2))
        }
        16 => {
            let f = [Function::Min, Function::Max, Function::Atan2, Function::Mod][rng.random_range(0..4)];
            Expr::call(f, vec![part(rng, left / 2), part(rng, left - left / 2)])
        }
        17 => {
            let all = super::function::FUNCTIONS;
            let row = &all[rng.random_range(0..all.len())];
            if row.arity.0 == 1 { Expr::call(row.function, vec![part(rng, left)]) } else { part(rng, left) }
        }
        _ => random_tree(rng, nodes, symbols.len()).to_expr(symbols),
    }
}

/// How many random cases a property is tested on: `PHYS_CASES`, else 256.
#[cfg(test)]
pub(crate) fn cases() -> usize {
    std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
}
