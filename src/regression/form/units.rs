//! Units of a form: those of its functions, of their arguments and of its constants are unknown; terms of one unit, pure
//! arguments and the target's unit are equations between them, linear in the exponents. Gauss-Jordan elimination over the
//! rationals, one equation at a time, tells what they decide and whether they agree.

use std::collections::BTreeMap;

use crate::base::Number;
use crate::expression::{Expr, Function, Kind, Symbol};
use crate::units::{Dimension, Unit};

/// Something whose unit is unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// A constant.
    Constant(Symbol),
    /// An argument of a function to find.
    Argument(Symbol, usize),
    /// The value of one.
    Value(Symbol),
}

/// A known dimension times powers of unknown ones.
#[derive(Clone, Debug, PartialEq)]
struct Mixed {
    known: Dimension,
    powers: BTreeMap<Unknown, Number>,
}

impl Mixed {
    fn known(known: Dimension) -> Mixed {
        Mixed { known, powers: BTreeMap::new() }
    }

    fn of(unknown: Unknown) -> Mixed {
        Mixed { known: Dimension::NONE, powers: BTreeMap::from([(unknown, Number::ONE)]) }
    }

    /// `self * other^power`; `None` where exponents overflow.
    fn times(mut self, other: &Mixed, power: &Number) -> Option<Mixed> {
        self.known = self.known.mul(other.known.pow(power)?)?;
        for (unknown, q) in &other.powers {
            let sum = self.powers.get(unknown).unwrap_or(&Number::ZERO) + &(q * power);
            if sum.is_zero() {
                self.powers.remove(unknown);
            } else {
                self.powers.insert(unknown.clone(), sum);
            }
        }
        Some(self)
    }

    /// In words: the known part.
    fn told(&self) -> String {
        let unit = Unit::coherent(self.known);
        if self.powers.is_empty() { format!("[{unit}]") } else { format!("an open unit times [{unit}]") }
    }
}

/// Equations between unknown dimensions, solved as far as they go: each gives one unknown by the others, none of which
/// another equation gives.
#[derive(Clone, Debug, Default)]
pub struct Units {
    solved: BTreeMap<Unknown, Mixed>,
}

/// What of an expression is known beforehand.
pub type Known<'a> = &'a dyn Fn(&Symbol) -> Option<Dimension>;

impl Units {
    /// The equations that an expression of the unit `goal` makes; else why there is no solution.
    pub fn of(e: &Expr, goal: Dimension, known: Known<'_>) -> Result<Units, String> {
        let mut units = Units::default();
        let found = units.walk(e, known)?;
        if let Some(found) = found {
            units.equate(&found, &Mixed::known(goal), || "the form".into())?;
        }
        Ok(units)
    }

    /// The dimension of an unknown; `None` where it is open.
    pub fn get(&self, unknown: &Unknown) -> Option<Dimension> {
        self.solved.get(unknown).filter(|m| m.powers.is_empty()).map(|m| m.known)
    }

    /// Makes an unknown a pure number where it is open.
    pub fn pin(&mut self, unknown: &Unknown) {
        if self.get(unknown).is_none() {
            // An open unknown may be anything.
            let _ = self.equate(&Mixed::of(unknown.clone()), &Mixed::known(Dimension::NONE), String::new);
        }
    }

    /// Adds an equation; the error names `what`.
    fn equate(&mut self, a: &Mixed, b: &Mixed, what: impl Fn() -> String) -> Result<(), String> {
        let overflow = || "exponents of units that are too large".to_string();
        let mut difference = a.clone().times(b, &Number::MINUS_ONE).ok_or_else(overflow)?;
        for (unknown, q) in difference.powers.clone() {
            if let Some(row) = self.solved.get(&unknown) {
                difference.powers.remove(&unknown);
                difference = difference.times(row, &q).ok_or_else(overflow)?;
            }
        }
        let Some((pivot, q)) = difference.powers.pop_first() else {
            return match difference.known.is_none() {
                true => Ok(()),
                false => Err(format!("{} is in {}, not in {}", what(), a.told(), b.told())),
            };
        };
        let factor = q.recip().ok_or_else(overflow)?;
        let row = Mixed::known(Dimension::NONE).times(&difference, &-factor).ok_or_else(overflow)?;
        for other in self.solved.values_mut() {
            if let Some(q) = other.powers.remove(&pivot) {
                *other = other.clone().times(&row, &q).ok_or_else(overflow)?;
            }
        }
        self.solved.insert(pivot, row);
        Ok(())
    }

    fn pure(&mut self, e: &Expr, known: Known<'_>) -> Result<(), String> {
        match self.walk(e, known)? {
            Some(found) => self.equate(&found, &Mixed::known(Dimension::NONE), || format!("`{e}`")),
            None => Ok(()),
        }
    }

    /// One dimension for all.
    fn same<'a>(
        &mut self,
        items: impl Iterator<Item = &'a Expr>,
        known: Known<'_>,
    ) -> Result<Option<Mixed>, String> {
        let mut first: Option<Mixed> = None;
        for item in items {
            let Some(found) = self.walk(item, known)? else { continue };
            match &first {
                Some(first) => self.equate(&found, first, || format!("`{item}`"))?,
                None => first = Some(found),
            }
        }
        Ok(first)
    }

    /// The dimension of an expression, its equations added; `None` for what fits any unit.
    fn walk(&mut self, e: &Expr, known: Known<'_>) -> Result<Option<Mixed>, String> {
        use Function::*;
        let pure = Some(Mixed::known(Dimension::NONE));
        let overflow = || "exponents of units that are too large".to_string();
        Ok(match e.kind() {
            Kind::Number(_) | Kind::Float(_) if e.is_zero() => None,
            Kind::Unit(u) => Some(Mixed::known(u.dimension())),
            Kind::Symbol(s) => {
                Some(known(s).map_or_else(|| Mixed::of(Unknown::Constant(s.clone())), Mixed::known))
            }
            Kind::Sum(items) => self.same(items.iter(), known)?,
            Kind::Product(items) => {
                let mut total = Mixed::known(Dimension::NONE);
                for item in items.iter() {
                    let Some(own) = self.walk(item, known)? else { return Ok(None) };
                    total = total.times(&own, &Number::ONE).ok_or_else(overflow)?;
                }
                Some(total)
            }
            Kind::Power(base, exponent) => {
                let power = match exponent.kind() {
                    Kind::Number(n) => Some(n.clone()),
                    Kind::Float(x) => Number::from_f64_decimal(*x),
                    _ => None,
                };
                match power {
                    Some(power) => match self.walk(base, known)? {
                        Some(own) => {
                            let one = Mixed::known(Dimension::NONE);
                            Some(one.times(&own, &power).ok_or_else(overflow)?)
                        }
                        None => pure,
                    },
                    None => {
                        self.pure(base, known)?;
                        self.pure(exponent, known)?;
                        pure
                    }
                }
            }
            Kind::Call(Abs | Floor | Ceil | Round, args) if args.len() == 1 => self.walk(&args[0], known)?,
            Kind::Call(Min | Max | Mod, args) => self.same(args.iter(), known)?,
            Kind::Call(Atan2, args) => {
                self.same(args.iter(), known)?;
                pure
            }
            Kind::Call(Sign | Step, args) => {
                self.walk(&args[0], known)?;
                pure
            }
            Kind::Call(_, args) => {
                for arg in args.iter() {
                    self.pure(arg, known)?;
                }
                pure
            }
            Kind::Apply(hole, args) => {
                for (k, arg) in args.iter().enumerate() {
                    if let Some(own) = self.walk(arg, known)? {
                        let slot = Mixed::of(Unknown::Argument(hole.clone(), k));
                        self.equate(&own, &slot, || format!("the argument `{arg}` of `{hole}`"))?;
                    }
                }
                Some(Mixed::of(Unknown::Value(hole.clone())))
            }
            Kind::Piecewise(branches, otherwise) => {
                for (condition, _) in branches.iter() {
                    self.walk(condition, known)?;
                }
                self.same(branches.iter().map(|(_, v)| v).chain([otherwise]), known)?
            }
            Kind::Relation(_, a, b) => {
                self.same([a, b].into_iter(), known)?;
                pure
            }
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) => {
                for part in e.children() {
                    self.walk(part, known)?;
                }
                pure
            }
            _ => pure,
        })
    }
}
