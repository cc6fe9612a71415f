//! The complexity of laws: how much each operator, column and constant counts for. Without weights it is the size, binary
//! operators and leaves (`algebra::size`).

use std::collections::BTreeMap;

use crate::algebra::{Costs, Token, size, size_by};
use crate::expression::Expr;

/// What the keys of weights may be beside names of columns and functions.
pub const WORDS: [&str; 8] = ["constant", "variable", "plus", "minus", "times", "divide", "power", "sqrt"];

/// Weights by name; what has none counts once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Complexity {
    /// Names of columns and functions, and [`WORDS`].
    pub weights: BTreeMap<String, usize>,
}

impl Complexity {
    /// Whether everything counts once.
    pub fn is_size(&self) -> bool {
        self.weights.is_empty()
    }

    /// The weight of a name.
    pub fn weight(&self, name: &str) -> usize {
        self.weights.get(name).copied().unwrap_or(1)
    }

    /// The weight of a column.
    pub fn column(&self, name: &str) -> usize {
        self.weights.get(name).copied().unwrap_or_else(|| self.weight("variable"))
    }

    /// The complexity of a law; fitted constants may stand in it as symbols that begin with `#`.
    pub fn of(&self, e: &Expr) -> usize {
        if self.is_size() { size(e) } else { size_by(e, self) }
    }
}

impl Costs for Complexity {
    fn of(&self, token: Token<'_>) -> usize {
        match token {
            Token::Number => self.weight("constant"),
            Token::Symbol(s) if s.name().starts_with('#') => self.weight("constant"),
            Token::Symbol(s) => self.column(s.name()),
            Token::Add => self.weight("plus"),
            Token::Subtract => self.weight("minus"),
            Token::Multiply => self.weight("times"),
            Token::Divide => self.weight("divide"),
            Token::Power => self.weight("power"),
            Token::Root => self.weight("sqrt"),
            Token::Call(f) => self.weight(f.name()),
            Token::Other => 1,
        }
    }
}
