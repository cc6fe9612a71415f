//! From a relation to a law: ratios of its coefficients that are exact numbers are written as such, the rest become
//! parameters, and the relation is solved for the target (a ratio, a root, or the solution of a quadratic equation).

use super::dictionary::{Atom, Link, Term};
use crate::algebra::rational::{cancelled_and_factored, factor};
use crate::base::Number;
use crate::expression::{Expr, Kind, Symbol};
use crate::regression::candidate::{Model, Parameter};
use crate::regression::problem::Problem;
use crate::regression::{size, snap};
use crate::units::Dimension;

/// Most terms of a relation that may be a law.
const TERMS: usize = 16;
/// Share of the digits of the data that numbers without an exact form may use up; more of them fit anything smooth.
const SHARE: f64 = 0.5;
/// Rows on which signs are looked up.
const ROWS: usize = 200;

/// All that a relation was found with.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The data.
    pub problem: &'a Problem,
    /// The atoms.
    pub atoms: &'a [Atom],
    /// The link.
    pub link: Link,
    /// The linked target, divided by its scale.
    pub target: &'a [f64],
    /// That scale.
    pub scale: f64,
    /// The sign that the link lost.
    pub sign: f64,
    /// What the target was divided by.
    pub stripped: &'a Expr,
    /// Relative rounding of the data.
    pub epsilon: f64,
    /// The name of the engine.
    pub engine: &'static str,
    /// Constants inside the atoms.
    pub inner: &'a [Parameter],
}

impl Source<'_> {
    /// A term on a row, of scaled atoms.
    pub fn value(&self, term: &Term, row: usize) -> f64 {
        let mut v = self.target[row].powi(i32::from(term.target));
        for (a, p) in self.atoms.iter().zip(&term.powers) {
            if *p > 0 {
                v *= a.values[row].powi(i32::from(*p));
            }
        }
        v
    }

    /// What scaling made of a term.
    fn scale_of(&self, term: &Term) -> f64 {
        let mut s = f64::from(term.target) * self.scale.ln();
        for (a, p) in self.atoms.iter().zip(&term.powers) {
            s += f64::from(*p) * a.scale.ln();
        }
        s
    }

    /// The atoms' part of a term.
    fn expr(&self, term: &Term) -> Expr {
        let factors = self.atoms.iter().zip(&term.powers).filter(|(_, p)| **p > 0);
        Expr::product(factors.map(|(a, p)| a.expr.powi(i64::from(*p))))
    }

    /// The law that the relation `sum coefficient * term = 0` of scaled terms states; `None` where it states none, or where
    /// it is no better than any curve through smooth data.
    pub fn law(&self, terms: &[Term], coefficients: &[f64]) -> Option<Model> {
        if terms.len() > TERMS {
            return None;
        }
        let digits = -self.epsilon.max(1e-15).log10();
        let reach = self.epsilon.max(1e-15) * 1e4;
        let most = 0.6 * (1.0 / reach.max(1e-10)).ln();
        let scales: Vec<f64> = terms.iter().map(|t| self.scale_of(t)).collect();
        let ratio = |i: usize, p: usize| coefficients[i] / coefficients[p] * (scales[p] - scales[i]).exp();
        let exact = |i: usize, p: usize| -> Option<(Expr, f64)> {
            if terms[i].dimension != terms[p].dimension {
                return None;
            }
            let r = ratio(i, p);
            let found = snap::exact_values(r, r.abs() * reach).into_iter().find(|c| !c.value.is_zero())?;
            (found.code <= most).then_some((found.value, found.code))
        };
        // The term that makes the others shortest.
        let price = |p: usize| -> f64 {
            (0..terms.len()).map(|i| if i == p { 0.0 } else { exact(i, p).map_or(20.0, |e| e.1) }).sum()
        };
        let pivot = (0..terms.len()).min_by(|&a, &b| price(a).total_cmp(&price(b)))?;
        let mut parameters = self.inner.to_vec();
        let mut written = Vec::with_capacity(terms.len());
        for (i, t) in terms.iter().enumerate() {
            let coefficient = if i == pivot {
                Expr::one()
            } else if let Some((value, _)) = exact(i, pivot) {
                value
            } else {
                let start = ratio(i, pivot);
                if !(start.is_finite() && start != 0.0) {
                    return None;
                }
                let symbol = Parameter::symbol(parameters.len());
                let dimension = match &self.problem.dimensions {
                    Some(_) => terms[pivot].dimension.div(t.dimension)?,
                    None => Dimension::NONE,
                };
                parameters.push(Parameter { symbol: symbol.clone(), start, dimension });
                Expr::symbol(symbol)
            };
            written.push(coefficient);
        }
        if parameters.len() as f64 > SHARE * digits {
            return None;
        }
        let part = |k: u8| -> Vec<Expr> {
            let own = terms.iter().zip(&written).filter(|(t, _)| t.target == k);
            own.map(|(t, c)| Expr::product([c.clone(), self.expr(t)])).collect()
        };
        // As written, the pivot is positive.
        let number = |k: u8, row: usize| -> f64 {
            let own = terms.iter().zip(coefficients).filter(|(t, _)| t.target == k);
            own.map(|(t, c)| c * self.value(t, row) * coefficients[pivot].signum()).sum()
        };
        let highest = terms.iter().map(|t| t.target).max()?;
        let rows = self.problem.rows();
        let looked: Vec<usize> = (0..rows).step_by(rows.div_ceil(ROWS).max(1)).collect();
        let one_sign = |f: &dyn Fn(usize) -> f64| -> Option<i64> {
            let positive = looked.iter().filter(|&&r| f(r) > 0.0).count();
            let negative = looked.iter().filter(|&&r| f(r) < 0.0).count();
            match (positive, negative) {
                (0, 0) => None,
                (_, 0) => Some(1),
                (0, _) => Some(-1),
                _ => None,
            }
        };
        let middle = (1..highest).any(|k| terms.iter().any(|t| t.target == k));
        let signs = Signs { source: self, parameters: &parameters, rows: &looked };
        let linked = match (highest, middle) {
            (1, _) => shortest_ratio(&part(0), &part(1)),
            (k, false) => {
                let sign = match k % 2 {
                    0 => one_sign(&|r| self.target[r])?,
                    _ => one_sign(&|r| self.target[r]).filter(|s| *s > 0)?,
                };
                let inside = shortest_ratio(&part(0), &part(k));
                &Expr::int(sign) * &signs.root(&inside, k)
            }
            (2, true) => {
                let sign = one_sign(&|r| (2.0 * number(2, r) + number(1, r)) / self.target[r])?;
                let (a, b, c) = (Expr::sum(part(2)), Expr::sum(part(1)), Expr::sum(part(0)));
                let inside = &b.powi(2) - &(&Expr::int(4) * &(&a * &c));
                let root = signs.root(&factor(&inside).unwrap_or(inside), 2);
                let above = &(-&b) + &(&Expr::int(sign) * &root);
                let below = &Expr::int(2) * &a;
                let whole = &above / &below;
                let single = a.factors().len() == a.terms().len() || a.terms().len() == 1;
                let spread = Expr::sum(above.terms().iter().map(|t| t / &below));
                if single && size(&spread) <= size(&whole) { spread } else { whole }
            }
            _ => return None,
        };
        let law = self.link.inverse(linked, self.problem, self.sign);
        let product = Expr::product([self.stripped.clone(), law]);
        let ways = if self.stripped.is_one() { None } else { cancelled_and_factored(&product) };
        let ways = ways.into_iter().flat_map(|(a, b, _)| [b, a]);
        let template = [product.clone()].into_iter().chain(ways).min_by_key(size).unwrap_or(product);
        let used: Vec<Parameter> =
            parameters.into_iter().filter(|p| template.contains_symbol(&p.symbol)).collect();
        (!template.is_undefined()).then_some(Model { template, parameters: used, engine: self.engine })
    }
}

/// -(sum of `above`)/(sum of `below`), the shortest of some ways to write it.
fn shortest_ratio(above: &[Expr], below: &[Expr]) -> Expr {
    let minus = Expr::int(-1);
    let (high, low) = (Expr::sum(above.iter().cloned()), Expr::sum(below.iter().cloned()));
    let negated = |terms: &[Expr]| Expr::sum(terms.iter().map(|t| &minus * t));
    let mut ways = vec![&negated(above) / &low, &high / &negated(below)];
    let plain = ways[0].clone();
    if below.len() == 1 {
        ways.push(Expr::sum(above.iter().map(|t| &minus * &(t / &low))));
    }
    if let Some((cancelled, factored, _)) = cancelled_and_factored(&plain) {
        ways.extend([factored, cancelled]);
    }
    let best = ways.into_iter().min_by_key(|e| (size(e), negatives(e)));
    best.unwrap_or(plain)
}

/// How many minus signs are written.
fn negatives(e: &Expr) -> usize {
    let mut count = 0;
    e.visit(&mut |e| {
        if let Kind::Sum(terms) = e.kind() {
            let negative = |t: &&Expr| t.factors()[0].as_number().is_some_and(Number::is_negative);
            count += terms.iter().filter(negative).count();
        }
    });
    count
}

struct Signs<'a> {
    source: &'a Source<'a>,
    parameters: &'a [Parameter],
    rows: &'a [usize],
}

impl Signs<'_> {
    /// The sign of an expression where it has one on all rows.
    fn of(&self, e: &Expr) -> Option<i64> {
        let problem = self.source.problem;
        let mut seen = 0;
        for &row in self.rows {
            let look = |s: &Symbol| -> Option<f64> {
                let parameter = self.parameters.iter().find(|p| p.symbol == *s).map(|p| p.start);
                let feature = || problem.names.iter().position(|n| n == s).map(|k| problem.columns[k][row]);
                parameter.or_else(feature)
            };
            let sign = match e.evaluate(&look)? {
                v if v > 0.0 => 1,
                v if v < 0.0 => -1,
                _ => continue,
            };
            if seen != 0 && seen != sign {
                return None;
            }
            seen = sign;
        }
        (seen != 0).then_some(seen)
    }

    /// The k-th root of what is positive, with powers taken out of it.
    fn root(&self, e: &Expr, k: u8) -> Expr {
        let k = i64::from(k);
        let exponent = |n: i64, d: i64| Expr::number(Number::ratio(n, d).unwrap_or(Number::ONE));
        let (mut outside, mut inside) = (Vec::new(), Vec::new());
        for f in e.factors() {
            let (base, power) = f.base_exponent();
            let n = power.as_number().and_then(Number::to_i64);
            let sign = match n {
                Some(n) if n.abs() >= k && !matches!(base.kind(), Kind::Number(_)) => self.of(&base),
                _ => None,
            };
            let (Some(n), Some(sign)) = (n, sign) else {
                inside.push(f.clone());
                continue;
            };
            let (out, rest) = (n.div_euclid(k), n.rem_euclid(k));
            // A square of what is negative: the root of its size.
            let size = if sign < 0 { -&base } else { base.clone() };
            if sign < 0 && n % 2 != 0 {
                inside.push(f.clone());
                continue;
            }
            outside.push(Expr::power(size.clone(), Expr::int(out)));
            inside.push(Expr::power(size, Expr::int(rest)));
        }
        outside.push(Expr::power(Expr::product(inside), exponent(1, k)));
        Expr::product(outside)
    }
}
