//! What can be wrong with the discovery of a system. Codes P41xx.

use crate::base::{Code, Fault};

/// A fault of paths or of the options of their search.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DiscoverError {
    /// No column but the independent one.
    #[error("expected columns of states beside `{over}`, found none")]
    NoStates {
        /// The independent variable.
        over: String,
    },
    /// A path that is too short.
    #[error("expected at least {needed} points on a path, found {found} on path {path}")]
    FewRows {
        /// Which path, from 1.
        path: usize,
        /// Points needed.
        needed: usize,
        /// Points found.
        found: usize,
    },
    /// A value that is no finite number.
    #[error("expected finite numbers in `{column}`, found {value} in row {row}")]
    NotFinite {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Times that do not increase.
    #[error("expected values of `{over}` that increase along a path, found one that does not in row {row}")]
    Order {
        /// The independent variable.
        over: String,
        /// The row, from 1.
        row: usize,
    },
    /// A state that never changes.
    #[error("expected states that change, found {value} in every row of `{state}`")]
    Constant {
        /// The state.
        state: String,
        /// Its value in SI.
        value: f64,
    },
    /// A standard error that is not positive.
    #[error("expected positive standard errors, found {value}")]
    Sigma {
        /// The value.
        value: f64,
    },
    /// A method that is not built.
    #[error("expected a method, auto, sindy or genetic, found `{found}`")]
    Method {
        /// What was given.
        found: String,
    },
    /// No rate was found.
    #[error("found no law for the rate of `{state}`")]
    Nothing {
        /// The state.
        state: String,
    },
}

impl Fault for DiscoverError {
    fn code(&self) -> Code {
        Code(match self {
            DiscoverError::NoStates { .. } => 4101,
            DiscoverError::FewRows { .. } => 4102,
            DiscoverError::NotFinite { .. } => 4103,
            DiscoverError::Order { .. } => 4104,
            DiscoverError::Constant { .. } => 4105,
            DiscoverError::Sigma { .. } => 4106,
            DiscoverError::Method { .. } => 4107,
            DiscoverError::Nothing { .. } => 4108,
        })
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            DiscoverError::NoStates { .. } => "select(data, t, x)".into(),
            DiscoverError::FewRows { .. } => "integrate(system, t, points: 200)".into(),
            DiscoverError::NotFinite { .. } => "filter the rows first: filter(data, ...)".into(),
            DiscoverError::Order { .. } => {
                "tell the paths of several starts apart: discover(data, path: run)".into()
            }
            DiscoverError::Constant { .. } => "leave it out: select(data, ...)".into(),
            DiscoverError::Sigma { .. } => "give standard errors above 0".into(),
            DiscoverError::Method { .. } => "method: auto".into(),
            DiscoverError::Nothing { .. } => "allow more operators, or more work".into(),
        })
    }
}

/// What the codes mean.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        4101,
        "no states",
        "A system is found in the paths of its states: the dataset needs at least one column of numbers beside the \
         independent variable.",
    ),
    (4102, "a short path", "Rates follow from neighbouring points: each path needs at least twelve of them."),
    (
        4103,
        "not a finite number",
        "A cell of a path is NaN or infinite. The message names column and row; leave such rows out with `filter`.",
    ),
    (
        4104,
        "times that do not increase",
        "Along a path the independent variable must increase from row to row. Paths from several starts stand below each other \
         in one dataset with a column that numbers them: `discover(data, path: run)`.",
    ),
    (
        4105,
        "a state that never changes",
        "A column with one value in all rows is a parameter, not a state. Leave it out with `select`.",
    ),
    (
        4106,
        "standard errors",
        "Standard errors of states must be positive: each residual is divided by its own error.",
    ),
    (
        4107,
        "unknown method",
        "The method is not one of those that are built. `method: auto` uses all of them, `method: sindy` sums of library \
         terms, `method: genetic` the genetic search.",
    ),
    (
        4108,
        "nothing found",
        "No expression of the allowed operators follows the rate of a state. Allow more operators, or more work.",
    ),
    (
        4120,
        "note on a discovery",
        "What is worth knowing about the paths or the system found in them: how well it follows the data, what was cut short.",
    ),
];
