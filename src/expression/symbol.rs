//! Symbols and named constants. A symbol is its name; what is assumed of it stands in a table of
//! declarations (`declare.rs`) that is passed to whoever needs it, never in the expression.

use crate::base::hash;
use std::fmt;
use std::sync::Arc;

/// A symbol: `x`, `omega0`, `theta'` (a prime is a derivative by time for those who read it so).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// The symbol with this (normalised) name.
    pub fn new(name: &str) -> Symbol {
        Symbol(name.into())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// A fixed hash of the name.
    pub fn stable_hash(&self) -> u64 {
        hash::of_str(&self.0)
    }

    /// How many primes end the name.
    pub fn primes(&self) -> usize {
        self.0.chars().rev().take_while(|c| *c == '\'').count()
    }
}

impl From<&str> for Symbol {
    fn from(name: &str) -> Symbol {
        Symbol::new(name)
    }
}

impl From<Arc<str>> for Symbol {
    fn from(name: Arc<str>) -> Symbol {
        Symbol(name)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Constants of mathematics that stay symbolic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Constant {
    /// The circle number.
    Pi,
    /// Euler's number (`e^x` is held as `exp(x)`).
    E,
    /// The imaginary unit.
    I,
    /// Positive infinity.
    Infinity,
}

impl Constant {
    /// All of them.
    pub const ALL: [Constant; 4] = [Constant::Pi, Constant::E, Constant::I, Constant::Infinity];

    /// Its name in phys.
    pub fn name(self) -> &'static str {
        match self {
            Constant::Pi => "pi",
            Constant::E => "e",
            Constant::I => "i",
            Constant::Infinity => "inf",
        }
    }

    /// The constant with this name.
    pub fn from_name(name: &str) -> Option<Constant> {
        Constant::ALL.into_iter().find(|c| c.name() == name)
    }

    /// Its real value; `None` for `i`.
    pub fn to_f64(self) -> Option<f64> {
        match self {
            Constant::Pi => Some(std::f64::consts::PI),
            Constant::E => Some(std::f64::consts::E),
            Constant::Infinity => Some(f64::INFINITY),
            Constant::I => None,
        }
    }
}
