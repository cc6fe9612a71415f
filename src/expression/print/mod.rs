//! The printers. `order.rs` decides in which order the terms of a sum and the factors of a product stand and what
//! stands below the fraction bar; every printer lays out the same decisions: `line.rs` in phys and SymPy syntax,
//! `code/` in programming languages, `latex.rs`, `pretty.rs` in two dimensions. `srepr.rs` and `prefix.rs` write the
//! nodes as they are. Numbers: `number.rs`.
//!
//! `Display` prints exactly: what is read back is the same expression (uncertain numbers apart, whose identity has no
//! spelling). [`Expr::display`] prints for people.

pub mod code;
mod latex;
mod line;
mod number;
mod order;
mod prefix;
mod pretty;
mod srepr;
mod sympy;
#[cfg(test)]
mod tests;

pub use number::{float, uncertain};
pub use prefix::PrefixError;
pub use sympy::{is_taken_by_sympy, sympy_function, sympy_function_name, sympy_name};

use super::node::Expr;
use std::fmt;

/// How numbers are shown, and how much is shown at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Significant digits of floats; `None` for the shortest text that reads back as the same float.
    pub digits: Option<usize>,
    /// Expressions of more nodes are summarised by their size.
    pub max_nodes: u32,
}

/// Nodes up to which an expression is printed. Shared nodes count each time they occur, so that a small expression in
/// memory may be a text of any length.
pub const MAX_NODES: u32 = 200_000;

/// Levels up to which an expression is printed; deeper ones would overflow the stack.
const MAX_DEPTH: u32 = 2_000;

impl Default for Style {
    /// Six significant digits.
    fn default() -> Style {
        Style { digits: Some(6), max_nodes: MAX_NODES }
    }
}

impl Style {
    /// Every float in full: what is printed reads back as the same expression.
    pub fn exact() -> Style {
        Style { digits: None, max_nodes: MAX_NODES }
    }
}

/// The text shown in place of what is too large, where it is.
fn summary(e: &Expr, max_nodes: u32) -> Option<String> {
    (e.node_count() > max_nodes || e.depth() > MAX_DEPTH)
        .then(|| format!("<expression of {} nodes>", e.node_count()))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.display(&Style::exact()))
    }
}

impl Expr {
    /// One line of phys.
    pub fn display(&self, style: &Style) -> String {
        summary(self, style.max_nodes).unwrap_or_else(|| line::Writer::phys(style).text(self))
    }

    /// LaTeX, without dollar signs.
    pub fn latex(&self) -> String {
        summary(self, MAX_NODES).map_or_else(|| latex::text(self), |s| format!("\\text{{{s}}}"))
    }

    /// One line that SymPy's `sympify` reads: units become their factor to SI, names that SymPy would not read as
    /// plain symbols get a trailing `_` (see [`sympy_name`]).
    pub fn sympy(&self) -> String {
        line::Writer::sympy(&Style::exact()).text(self)
    }

    /// SymPy's `srepr`, which `eval` after `from sympy import *` reads without `sympify`; units become their factor to SI,
    /// names stay as they are.
    pub fn srepr(&self) -> String {
        srepr::text(self)
    }

    /// Two-dimensional Unicode, one string a row.
    pub fn pretty(&self) -> Vec<String> {
        summary(self, 4_000)
            .map_or_else(|| pretty::rows(self, &Style::default()), |_| vec![self.display(&Style::default())])
    }

    /// Two-dimensional Unicode within a width, one string a row: a sum or relation that is wider goes on in further
    /// blocks of rows. `None` where it does not fit or is too large to be read as a formula.
    pub fn pretty_within(&self, style: &Style, width: usize) -> Option<Vec<String>> {
        match summary(self, 600) {
            None => pretty::rows_within(self, style, width),
            Some(_) => None,
        }
    }
}
