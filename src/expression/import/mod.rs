//! Formulas of other programs as expressions: SymPy's `str` and `srepr` (`sympy.rs`, over the Python of `python.rs`) and
//! the LaTeX that phys writes (`latex.rs`). A fault says at which character of the text it stands and what would be right.

mod latex;
mod python;
mod sympy;
#[cfg(test)]
mod tests;

use super::node::Expr;
use crate::base::{Code, Fault};

/// The language of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// SymPy.
    Sympy,
    /// LaTeX.
    Latex,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected {expected} at character {at} of the text, found {found}")]
pub struct ImportError {
    /// The language it was read as.
    pub language: Language,
    /// The place: the number of the character, from 1.
    pub at: usize,
    /// What would be right.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// What to write instead, where that is known.
    pub hint: Option<String>,
}

impl Fault for ImportError {
    fn code(&self) -> Code {
        match self.language {
            Language::Sympy => Code(1206),
            Language::Latex => Code(1207),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint.clone().unwrap_or_else(|| match self.language {
            Language::Sympy => "from_sympy(\"x**2 + sin(x)/2\")".into(),
            Language::Latex => "from_latex(r\"\\frac{x^{2}}{2}\")".into(),
        }))
    }
}

/// Levels of brackets and calls that are read; deeper ones would overflow the stack.
const MAX_DEPTH: usize = 100;
/// Terms of a sum and factors of a product that are read.
const MAX_CHAIN: usize = 2000;

impl Expr {
    /// The expression that a text of SymPy states: what `str(e)` and `srepr(e)` give there, and what [`Expr::sympy`] and
    /// [`Expr::srepr`] write here. Assumptions on symbols are no part of an expression and are passed over.
    ///
    /// # Errors
    /// Where the text is no such expression, and where it holds a function or constant that phys has not.
    pub fn from_sympy(text: &str) -> Result<Expr, ImportError> {
        sympy::read(text)
    }

    /// The expression that a line of LaTeX states, in the form in which [`Expr::latex`] writes it, without units. Indices
    /// of digits belong to the name (`q_{1}` is `q1`), others follow a `_`; `x \left(y\right)` with a blank is a
    /// product, without it a function of y.
    ///
    /// # Errors
    /// Where the text is no such expression.
    pub fn from_latex(text: &str) -> Result<Expr, ImportError> {
        latex::read(text)
    }
}
