//! Laws of a given form with holes: `y = a*f(x) + g(z)/w`, where f and g are laws to find and a is a constant to fit.
//!
//! Curves are fitted into all holes at once (`fit.rs`). They give the values each hole should have (`wanted.rs`), and the
//! search for laws runs on these. What it proposes is put together in the form and refined on the data (`joint.rs`). Then each
//! hole is searched again beside the laws of the others, which are better curves, until that gains nothing; the backfitting of
//! J. Friedman, W. Stuetzle, J. Am. Stat. Assoc. 76, 817 (1981), with laws for smoothers.

mod check;
mod curve;
mod fit;
mod joint;
mod search;
mod shape;
mod units;
mod wanted;

use super::engine::Report;
use super::error::RegressError;
use super::front::Found;
use super::journal::Journal;
use super::options::Plan;
use super::problem::Problem;
use crate::base::CancelToken;
use crate::expression::{Expr, Symbol};
use crate::units::Dimension;

pub use units::{Units, Unknown};

/// A function to find.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// Its name.
    pub name: Symbol,
    /// Its formal arguments, in which its law is written.
    pub arguments: Vec<Symbol>,
}

/// A constant of a form, to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct FormConstant {
    /// Its symbol.
    pub symbol: Symbol,
    /// Its dimension; `None`: the one that the form needs, else none.
    pub dimension: Option<Dimension>,
    /// Where to start, in SI; `None`: sizes that the data offer.
    pub start: Option<f64>,
}

/// A form with holes: undefined functions in it are laws to find.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The form, over columns, constants and calls of holes.
    pub template: Expr,
    /// The holes.
    pub holes: Vec<Hole>,
    /// The constants.
    pub constants: Vec<FormConstant>,
}

/// What the holes and constants of a form became.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The law of each hole, in its formal arguments.
    pub laws: Vec<Expr>,
    /// Each constant: exact, or uncertain with its unit.
    pub constants: Vec<Expr>,
}

/// What a search with a form returns.
#[derive(Clone, Debug)]
pub struct FoundForm {
    /// The whole laws, as of a search without a form.
    pub found: Found,
    /// For each law of the front, in its order, what stands in the form.
    pub filled: Vec<Filled>,
}

/// Finds the laws of a form's holes and its constants. `progress` is told how far the search is.
///
/// # Errors
/// Data, options or a form that cannot be used; see [`RegressError`].
pub fn regress_form(
    problem: &Problem,
    form: &Form,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<FoundForm, RegressError> {
    regress_form_kept(problem, form, plan, cancel, progress, &Journal::none())
}

/// The same, going on from what a journal holds.
///
/// # Errors
/// Data, options or a form that cannot be used; see [`RegressError`].
pub fn regress_form_kept(
    problem: &Problem,
    form: &Form,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<FoundForm, RegressError> {
    search::search(problem, form, plan, cancel, progress, journal)
}

#[cfg(test)]
mod tests;
