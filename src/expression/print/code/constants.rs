//! The numbers of a law that get names: measured and fitted ones, floats, and all that have a unit. Exact numbers
//! without unit stay where they are.

use super::{CodeError, Constant};
use crate::expression::node::{Expr, Flags, Kind};
use crate::expression::symbol::Symbol;
use crate::units::Unit;
use std::collections::{HashMap, HashSet};

/// The formula with symbols `c1`, `c2`, ... in place of its numbers, and what these stand for. Names that the formula or
/// `taken` uses are passed over. Floats count as fitted where `fitted`.
///
/// # Errors
/// Where a unit has an offset (`degC`) beside what is no number.
pub fn named(formula: &Expr, taken: &[Symbol], fitted: bool) -> Result<(Expr, Vec<Constant>), CodeError> {
    let mut names: HashSet<String> = taken.iter().map(|s| s.name().to_owned()).collect();
    names.extend(formula.symbols().iter().map(|s| s.name().to_owned()));
    let mut namer = Namer { taken: names, fitted, next: 1, ..Namer::default() };
    let formula = namer.expr(formula);
    match namer.fault {
        Some(fault) => Err(fault),
        None => Ok((formula, namer.found)),
    }
}

#[derive(Default)]
struct Namer {
    taken: HashSet<String>,
    fitted: bool,
    next: usize,
    found: Vec<Constant>,
    /// Identity (0 for floats) and value in SI of what has a name already.
    known: HashMap<(u64, u64), Symbol>,
    done: HashMap<Expr, Expr>,
    fault: Option<CodeError>,
}

impl Namer {
    fn expr(&mut self, e: &Expr) -> Expr {
        if !e.flags().has(Flags::FLOAT.with(Flags::UNCERTAIN).with(Flags::UNIT)) {
            return e.clone();
        }
        if let Some(known) = self.done.get(e) {
            return known.clone();
        }
        let result = match e.kind() {
            Kind::Float(_) | Kind::Uncertain(_) => self.number(e, &[]),
            Kind::Unit(u) => self.factor(u),
            Kind::Product(items) => self.product(items),
            _ => e.map_children(|child| self.expr(child)),
        };
        self.done.insert(e.clone(), result.clone());
        result
    }

    /// A product: its units go to the first number in it, measured before exact.
    fn product(&mut self, items: &[Expr]) -> Expr {
        let units: Vec<&Unit> = items
            .iter()
            .filter_map(|f| match f.kind() {
                Kind::Unit(u) => Some(u),
                _ => None,
            })
            .collect();
        let rest: Vec<&Expr> = items.iter().filter(|f| !matches!(f.kind(), Kind::Unit(_))).collect();
        let carrier = if units.is_empty() {
            None
        } else {
            rest.iter()
                .position(|f| matches!(f.kind(), Kind::Uncertain(_)))
                .or_else(|| rest.iter().position(|f| f.is_plain_number()))
        };
        let mut factors: Vec<Expr> = Vec::with_capacity(rest.len() + 1);
        for (place, f) in rest.iter().enumerate() {
            factors.push(if Some(place) == carrier { self.number(f, &units) } else { self.expr(f) });
        }
        if carrier.is_none() {
            factors.extend(units.iter().map(|u| self.factor(u)).collect::<Vec<_>>());
        }
        Expr::product(factors)
    }

    /// A unit that stands beside no number.
    fn factor(&mut self, unit: &Unit) -> Expr {
        if !unit.is_ordinary() {
            self.fault = Some(CodeError::NotReal { found: format!("the offset of the unit [{unit}]") });
        }
        let factor = Expr::scale_factor(unit.scale());
        if factor.flags().has(Flags::FLOAT) { self.number(&factor, &[]) } else { factor }
    }

    /// The symbol of a number with these units.
    fn number(&mut self, e: &Expr, units: &[&Unit]) -> Expr {
        let (identity, value, sigma) = match e.kind() {
            Kind::Uncertain(u) => (u.id(), u.value(), Some(u.sigma())),
            _ => (0, e.as_f64().unwrap_or(f64::NAN), None),
        };
        if !value.is_finite() {
            return e.clone();
        }
        let mut scale = 1.0;
        let mut dimension = crate::units::Dimension::NONE;
        for u in units {
            if !u.is_ordinary() {
                self.fault = Some(CodeError::NotReal { found: format!("the offset of the unit [{u}]") });
            }
            scale *= u.to_si(1.0);
            dimension = dimension.mul(u.dimension()).unwrap_or(dimension);
        }
        let value = value * scale;
        let exact = matches!(e.kind(), Kind::Number(_));
        if let Some(symbol) = self.known.get(&(identity, value.to_bits())) {
            return Expr::symbol(symbol.clone());
        }
        let symbol = loop {
            let name = format!("c{}", self.next);
            self.next += 1;
            if self.taken.insert(name.clone()) {
                break Symbol::new(&name);
            }
        };
        self.known.insert((identity, value.to_bits()), symbol.clone());
        self.found.push(Constant {
            symbol: symbol.clone(),
            value,
            sigma: sigma.map(|s| s * scale.abs()),
            unit: Some(Unit::coherent(dimension)),
            fitted: sigma.is_some() || (self.fitted && !exact),
        });
        Expr::symbol(symbol)
    }
}
