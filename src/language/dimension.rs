//! The dimension of an expression under declarations: the run-time half of the units check. What the
//! checker proves from the source, this finds again from the value.

use crate::base::Number;
use crate::expression::{Declarations, Expr, Function, Kind};
use crate::units::{Dimension, Unit};

/// Why an expression has no dimension.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// Two terms, or two sides, of different dimension.
    Terms(Expr, Dimension, Expr, Dimension),
    /// A dimension where a pure number must stand.
    NotPure(Expr, Dimension),
    /// Two parts that no units of the unknown symbols in them make equal; their dimensions in words.
    Open(Expr, String, Expr, String),
}

impl Mismatch {
    /// The words of the message.
    pub fn message(&self) -> String {
        match self {
            Mismatch::Terms(a, da, b, db) => {
                format!(
                    "expected equal units, found `{a}` in [{}] and `{b}` in [{}]",
                    Unit::coherent(*da),
                    Unit::coherent(*db)
                )
            }
            Mismatch::Open(a, da, b, db) => {
                format!("expected equal units, found `{a}` in [{da}] and `{b}` in [{db}]")
            }
            Mismatch::NotPure(e, d) => {
                format!("expected a pure number, found `{e}` in [{}]", Unit::coherent(*d))
            }
        }
    }
}

/// The dimension; `None` where it depends on symbols of unknown unit. Zero fits any unit and has none.
pub fn of(e: &Expr, declarations: &Declarations) -> Result<Option<Dimension>, Mismatch> {
    use Function::*;
    let pure = Some(Dimension::NONE);
    Ok(match e.kind() {
        Kind::Number(n) if n.is_zero() => None,
        Kind::Float(0.0) => None,
        Kind::Number(_) | Kind::Float(_) | Kind::Uncertain(_) | Kind::Bool(_) => pure,
        Kind::Constant(crate::expression::Constant::Infinity) => None,
        Kind::Constant(_) => pure,
        Kind::Unit(u) => Some(u.dimension()),
        Kind::Symbol(s) => declarations.get(s).and_then(|d| d.unit.as_ref()).map(Unit::dimension),
        Kind::Sum(items) => same(items.iter(), declarations)?,
        Kind::Product(items) => {
            let mut total = pure;
            for item in items {
                let d = of(item, declarations)?;
                total = match (total, d) {
                    (Some(a), Some(b)) => a.mul(b),
                    _ => None,
                };
            }
            total
        }
        Kind::Power(base, exponent) => {
            needs_pure(exponent, declarations)?;
            let d = of(base, declarations)?;
            match (d, exponent.kind()) {
                (Some(d), _) if d.is_none() => pure,
                (Some(d), Kind::Number(n)) => d.pow(n),
                (Some(d), Kind::Float(x)) => Number::from_f64_decimal(*x).and_then(|n| d.pow(&n)),
                _ => None,
            }
        }
        Kind::Call(f, args) => match f {
            Abs | Re | Im | Conj | Floor | Ceil | Round if args.len() == 1 => of(&args[0], declarations)?,
            Min | Max | Mod => same(args.iter(), declarations)?,
            Atan2 => {
                same(args.iter(), declarations)?;
                pure
            }
            Sign | Step | Arg => {
                of(&args[0], declarations)?;
                pure
            }
            Order => of(&args[0], declarations)?,
            _ => {
                for arg in args {
                    needs_pure(arg, declarations)?;
                }
                pure
            }
        },
        Kind::Apply(..) | Kind::Derivative(_) => None,
        Kind::Relation(_, a, b) => {
            same([a, b].into_iter(), declarations)?;
            pure
        }
        Kind::Not(a) => {
            of(a, declarations)?;
            pure
        }
        Kind::And(items) | Kind::Or(items) => {
            for item in items {
                of(item, declarations)?;
            }
            pure
        }
        Kind::Piecewise(branches, otherwise) => {
            for (condition, _) in branches {
                of(condition, declarations)?;
            }
            same(branches.iter().map(|(_, v)| v).chain([otherwise]), declarations)?
        }
    })
}

fn needs_pure(e: &Expr, declarations: &Declarations) -> Result<(), Mismatch> {
    match of(e, declarations)? {
        Some(d) if !d.is_none() => Err(Mismatch::NotPure(e.clone(), d)),
        _ => Ok(()),
    }
}

fn same<'a>(
    items: impl Iterator<Item = &'a Expr>,
    declarations: &Declarations,
) -> Result<Option<Dimension>, Mismatch> {
    let mut known: Option<(&Expr, Dimension)> = None;
    for item in items {
        if let Some(d) = of(item, declarations)? {
            match known {
                None => known = Some((item, d)),
                Some((first, expected)) if expected != d => {
                    return Err(Mismatch::Terms(first.clone(), expected, item.clone(), d));
                }
                Some(_) => {}
            }
        }
    }
    Ok(known.map(|(_, d)| d))
}
