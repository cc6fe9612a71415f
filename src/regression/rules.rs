//! What a law must obey: shapes it may not hold, what may stand inside what and how large, columns it must or may not hold,
//! bounds of its constants, the direction in which it goes with a column, and values it must take. Every law of an archive
//! obeys all of them, whichever engine found it; the genetic search makes nothing else.

use std::collections::BTreeMap;

use super::complexity::Complexity;
use super::error::RegressError;
use super::problem::Problem;
use crate::expression::{Expr, Function, Kind, Symbol};
use crate::numeric::Tape;

/// An operator or a function as it is named in rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// a + b and a - b.
    Sum,
    /// a*b.
    Product,
    /// a/b: the denominator is its argument.
    Quotient,
    /// a^b with another exponent than -1: the base and the exponent are its arguments.
    Power,
    /// sqrt(a).
    Root,
    /// A function.
    Call(Function),
}

impl Name {
    /// What a word names.
    pub fn of(word: &str) -> Option<Name> {
        Some(match word {
            "plus" | "minus" | "+" | "-" => Name::Sum,
            "times" | "*" => Name::Product,
            "divide" | "/" => Name::Quotient,
            "power" | "^" => Name::Power,
            "sqrt" => Name::Root,
            "ln" => Name::Call(Function::Log),
            word => Name::Call(Function::from_name(word)?),
        })
    }

    /// What of an expression are the arguments of this operator, where it is one at its root.
    fn arguments(self, e: &Expr) -> Vec<Expr> {
        match (self, e.kind()) {
            (Name::Sum, Kind::Sum(items)) | (Name::Product, Kind::Product(items)) => items.to_vec(),
            (Name::Call(f), Kind::Call(g, args)) if f == *g => args.to_vec(),
            (Name::Root, Kind::Power(b, x)) if is_half(x) => vec![b.clone()],
            (Name::Quotient, Kind::Power(b, x)) if x.is_negated() => vec![b.clone()],
            (Name::Power, Kind::Power(b, x)) if !is_half(x) && x.as_i64() != Some(-1) => {
                vec![b.clone(), x.clone()]
            }
            _ => Vec::new(),
        }
    }
}

fn is_half(x: &Expr) -> bool {
    x.as_number().is_some_and(|n| n.abs() == crate::base::Number::HALF)
}

/// What a law is where some columns have certain values.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The columns by place, with their values in SI; infinite for a limit.
    pub at: Vec<(usize, f64)>,
    /// The value of the law in SI.
    pub value: f64,
}

/// All rules; none by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Shapes that no part of a law may have; symbols of [`Rules::wild`] stand for anything.
    pub forbidden: Vec<Expr>,
    /// The symbols that stand for anything in shapes.
    pub wild: Vec<Symbol>,
    /// What may not stand anywhere inside what.
    pub nesting: Vec<(Name, Vec<Name>)>,
    /// The largest complexity of an argument.
    pub arguments: Vec<(Name, usize)>,
    /// Columns that a law must hold.
    pub required: Vec<Symbol>,
    /// Columns that it may not hold.
    pub excluded: Vec<Symbol>,
    /// Where fitted constants may lie, in SI.
    pub bounds: Option<(f64, f64)>,
    /// Columns by place with which a law only rises (`true`) or only falls.
    pub monotone: Vec<(usize, bool)>,
    /// Values it must take.
    pub limits: Vec<Limit>,
}

/// Points on which values are looked at beside the rows.
const POINTS: usize = 128;
/// Rows on which values are looked at.
const ROWS: usize = 256;
/// What counts as nothing, relative to the size of what is compared.
const NOTHING: f64 = 1e-9;
/// How closely a value must be met, relative to the target's size; that of a limit at infinity.
const MET: f64 = 1e-6;
const MET_FAR: f64 = 1e-3;
/// How far out, in units of the largest value of the column, a limit at infinity is looked at.
const FAR: [f64; 2] = [1e5, 1e8];

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Rules::default()
    }

    /// Whether any of them is about values.
    pub fn about_values(&self) -> bool {
        !self.monotone.is_empty() || !self.limits.is_empty()
    }

    /// What contradicts itself.
    ///
    /// # Errors
    /// Rules that no law obeys.
    pub fn validate(&self, problem: &Problem, operators: &[String]) -> Result<(), RegressError> {
        let contradiction = |why: String| Err(RegressError::Contradiction { why });
        if let Some(s) = self.required.iter().find(|s| self.excluded.contains(s)) {
            return contradiction(format!("`{s}` is required and excluded"));
        }
        let all = |s: &Symbol| problem.names.iter().any(|n| n == s);
        if let Some(s) = self.required.iter().chain(&self.excluded).find(|s| !all(s)) {
            return Err(RegressError::RuleColumn { name: s.to_string(), columns: names(problem) });
        }
        if !problem.names.iter().any(|n| !self.excluded.contains(n)) {
            return contradiction("every column is excluded".into());
        }
        if let Some((low, high)) = self.bounds
            && low > high
        {
            return contradiction(format!("no constant lies in {low}..{high}"));
        }
        for (k, rising) in &self.monotone {
            if self.monotone.iter().any(|(j, other)| j == k && other != rising) {
                return contradiction(format!("the law rises and falls with `{}`", problem.names[*k]));
            }
            let steps = ["step", "sign", "floor", "ceil", "round", "mod"];
            if let Some(name) = operators.iter().find(|o| steps.contains(&o.as_str())) {
                return Err(RegressError::NoDerivative { operator: name.clone() });
            }
        }
        for (k, a) in self.limits.iter().enumerate() {
            if let Some(b) = self.limits[..k].iter().find(|b| b.at == a.at && b.value != a.value) {
                return contradiction(format!("the law is {} and {} in one place", b.value, a.value));
            }
        }
        Ok(())
    }

    /// Whether the form of a law is allowed; fitted constants may stand in it as symbols that begin with `#`.
    pub fn allow_form(&self, law: &Expr, complexity: &Complexity) -> bool {
        if self.required.iter().any(|s| !law.contains_symbol(s))
            || self.excluded.iter().any(|s| law.contains_symbol(s))
        {
            return false;
        }
        self.allow_parts(law, complexity)
    }

    /// The same but for the columns it must hold: parts of a law that is on its way.
    pub fn allow_parts(&self, law: &Expr, complexity: &Complexity) -> bool {
        if self.excluded.iter().any(|s| law.contains_symbol(s)) {
            return false;
        }
        if self.forbidden.is_empty() && self.nesting.is_empty() && self.arguments.is_empty() {
            return true;
        }
        let mut fine = true;
        law.visit(&mut |e| {
            fine = fine
                && !self.forbidden.iter().any(|shape| self.has_shape(e, shape))
                && self.nesting.iter().all(|(outer, inner)| {
                    outer.arguments(e).iter().all(|a| !inner.iter().any(|name| holds(a, *name)))
                })
                && self
                    .arguments
                    .iter()
                    .all(|(name, most)| name.arguments(e).iter().all(|a| complexity.of(a) <= *most));
        });
        fine
    }

    /// Whether an expression itself, not a part of it, has a shape.
    fn has_shape(&self, e: &Expr, shape: &Expr) -> bool {
        matches(e, shape, &self.wild, &mut BTreeMap::new())
    }

    /// Whether a constant lies where it may.
    pub fn allow_constant(&self, value: f64) -> bool {
        // What a fit puts on a bound may be off by rounding.
        let slack = |b: f64| NOTHING * b.abs();
        self.bounds.is_none_or(|(low, high)| value >= low - slack(low) && value <= high + slack(high))
    }

    /// Whether the values of a law are allowed: a tape of the features, then of `constants`.
    pub fn allow_values(&self, problem: &Problem, tape: &Tape, constants: &[f64]) -> bool {
        if !self.about_values() {
            return true;
        }
        let n = problem.rows();
        let rows: Vec<usize> = (0..n).step_by(n.div_ceil(ROWS).max(1)).collect();
        let mut columns: Vec<Vec<f64>> =
            problem.columns.iter().map(|c| rows.iter().map(|&r| c[r]).collect()).collect();
        let measured = rows.len();
        let size = (problem.target.iter().map(|y| y * y).sum::<f64>() / n as f64).sqrt();
        let own: Vec<[f64; 1]> = constants.iter().map(|c| [*c]).collect();
        let all = |columns: &[Vec<f64>]| -> Vec<Vec<f64>> {
            let lists: Vec<&[f64]> =
                columns.iter().map(Vec::as_slice).chain(own.iter().map(|c| c.as_slice())).collect();
            tape.eval(&lists)
        };
        for limit in &self.limits {
            let far = limit.at.iter().any(|(_, x)| x.is_infinite());
            let (scales, met): (&[f64], f64) = if far { (&FAR, MET_FAR) } else { (&[1.0], MET) };
            for scale in scales {
                let mut there = columns.clone();
                for &(k, x) in &limit.at {
                    let largest = problem.columns[k].iter().fold(0.0, |m: f64, x| m.max(x.abs()));
                    let value = if x.is_infinite() { x.signum() * scale * largest } else { x };
                    there[k].fill(value);
                }
                let values = all(&there).swap_remove(0);
                if !values.iter().all(|v| (v - limit.value).abs() <= met * size.max(limit.value.abs())) {
                    return false;
                }
            }
        }
        if self.monotone.is_empty() {
            return true;
        }
        // Rows, and points between them: a lattice of the box that they span.
        for (k, column) in columns.iter_mut().enumerate() {
            let low = problem.columns[k].iter().copied().fold(f64::INFINITY, f64::min);
            let high = problem.columns[k].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let step = SPREAD[k % SPREAD.len()];
            column.extend((0..POINTS).map(|i| low + (high - low) * ((i as f64 + 0.5) * step).fract()));
        }
        let lists: Vec<&[f64]> =
            columns.iter().map(Vec::as_slice).chain(own.iter().map(|c| c.as_slice())).collect();
        let wrt: Vec<usize> = self.monotone.iter().map(|m| m.0).collect();
        let slopes = tape.jacobian(&lists, &wrt).swap_remove(0);
        self.monotone.iter().zip(&slopes[1..]).all(|((k, rising), slope)| {
            let width = problem.columns[*k].iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let least = NOTHING * size / if width > 0.0 { width } else { 1.0 };
            slope.iter().enumerate().all(|(i, s)| {
                let along = if *rising { *s } else { -s };
                // Between the rows a law may have no value; where it has one it obeys.
                along >= -least || i >= measured && s.is_nan()
            })
        })
    }
}

/// Steps of a lattice that fills a box: fractional parts of roots of primes.
const SPREAD: [f64; 10] = [
    0.414213562373095,
    0.732050807568877,
    0.236067977499790,
    0.645751311064591,
    0.316624790355400,
    0.605551275463989,
    0.123105625617661,
    0.358898943540674,
    0.795831523312720,
    0.385164807134504,
];

fn names(problem: &Problem) -> Vec<String> {
    problem.names.iter().map(Symbol::to_string).collect()
}

/// Whether an operator stands anywhere in an expression.
fn holds(e: &Expr, name: Name) -> bool {
    let mut found = false;
    e.visit(&mut |e| found = found || !name.arguments(e).is_empty());
    found
}

/// Whether an expression has a shape in which some symbols stand for anything, each for one thing; of a sum or a product the
/// shape may be a part.
fn matches(e: &Expr, shape: &Expr, wild: &[Symbol], bound: &mut BTreeMap<String, Expr>) -> bool {
    if let Some(s) = shape.as_symbol()
        && wild.contains(s)
    {
        return match bound.get(s.name()) {
            Some(other) => other == e,
            None => {
                bound.insert(s.name().to_string(), e.clone());
                true
            }
        };
    }
    match (e.kind(), shape.kind()) {
        (Kind::Sum(items), Kind::Sum(parts)) | (Kind::Product(items), Kind::Product(parts)) => {
            some_of(items, parts, wild, bound)
        }
        (Kind::Power(b, x), Kind::Power(c, y)) => {
            let before = bound.clone();
            let found = matches(b, c, wild, bound) && matches(x, y, wild, bound);
            if !found {
                *bound = before;
            }
            found
        }
        (Kind::Call(f, args), Kind::Call(g, parts)) if f == g && args.len() == parts.len() => {
            let before = bound.clone();
            let found = args.iter().zip(parts.iter()).all(|(a, p)| matches(a, p, wild, bound));
            if !found {
                *bound = before;
            }
            found
        }
        _ => e == shape,
    }
}

/// Whether every part of a shape is met by another item.
fn some_of(items: &[Expr], parts: &[Expr], wild: &[Symbol], bound: &mut BTreeMap<String, Expr>) -> bool {
    let Some((first, rest)) = parts.split_first() else { return true };
    for k in 0..items.len() {
        let before = bound.clone();
        if matches(&items[k], first, wild, bound) {
            let mut left = items.to_vec();
            left.remove(k);
            if some_of(&left, rest, wild, bound) {
                return true;
            }
        }
        *bound = before;
    }
    false
}
