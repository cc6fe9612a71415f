//! What is declared of symbols: unit, assumptions and domain, from `var`, `param` and `law`. The one
//! declaration serves the units check, the simplifier's conditions, sampling and fitting. A symbol that
//! nobody declared is real and finite, of unknown unit.

use std::collections::BTreeMap;

use super::node::Expr;
use super::symbol::Symbol;
use crate::units::Unit;

/// Assumptions on a symbol. Everything false means: real and finite, nothing else known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// May be complex; then no sign holds.
    pub complex: bool,
    /// An integer.
    pub integer: bool,
    /// `> 0`
    pub positive: bool,
    /// `< 0`
    pub negative: bool,
    /// `>= 0`
    pub nonnegative: bool,
    /// `<= 0`
    pub nonpositive: bool,
    /// `!= 0`
    pub nonzero: bool,
}

/// Where a symbol's values lie, in coherent SI units.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// From `low` to `high`, both ends included where finite.
    Interval {
        /// Lower end in SI.
        low: f64,
        /// Upper end in SI.
        high: f64,
    },
    /// One of these values, in SI.
    Values(Vec<f64>),
}

impl Domain {
    /// Smallest and largest value.
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            Domain::Interval { low, high } => (*low, *high),
            Domain::Values(values) => values
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v))),
        }
    }
}

/// What is known of one symbol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declaration {
    /// The unit of its values; `None` where nobody said (inferred where needed). A declared symbol without a
    /// unit has `Unit::one()`.
    pub unit: Option<Unit>,
    /// Assumptions.
    pub assumptions: Assumptions,
    /// Its domain.
    pub domain: Option<Domain>,
    /// The domain as it was written, in the declared unit (for display): low and high, or the values.
    pub written: Option<Vec<Expr>>,
    /// A `param`: its starting value in SI.
    pub start: Option<f64>,
}

/// All declarations in force, by symbol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declarations {
    table: BTreeMap<Symbol, Declaration>,
}

impl Declarations {
    /// None.
    pub fn new() -> Declarations {
        Declarations::default()
    }

    /// What is declared of a symbol.
    pub fn get(&self, symbol: &Symbol) -> Option<&Declaration> {
        self.table.get(symbol)
    }

    /// Declares a symbol, or declares it anew.
    pub fn insert(&mut self, symbol: Symbol, declaration: Declaration) {
        self.table.insert(symbol, declaration);
    }

    /// All, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Symbol, &Declaration)> {
        self.table.iter()
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// These, with those of `other` where these say nothing.
    pub fn or(&self, other: &Declarations) -> Declarations {
        let mut table = other.table.clone();
        table.extend(self.table.iter().map(|(s, d)| (s.clone(), d.clone())));
        Declarations { table }
    }
}
