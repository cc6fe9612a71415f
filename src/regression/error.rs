//! What can be wrong with a regression. Codes P40xx.

use crate::base::{Code, Fault};

/// A fault of a problem or of its options.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RegressError {
    /// No column of numbers.
    #[error("expected a column of numbers as target, found none")]
    NoTarget,
    /// No rows.
    #[error("expected rows, found none")]
    NoRows,
    /// Nothing to explain the target by.
    #[error("expected at least one column of numbers beside the target `{target}`, found none")]
    NoFeatures {
        /// The target.
        target: String,
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
    /// Fewer rows than any law with a constant needs.
    #[error("expected at least {needed} rows, found {found}")]
    FewRows {
        /// Rows needed.
        needed: usize,
        /// Rows found.
        found: usize,
    },
    /// A target without variation.
    #[error("expected a target that varies, found {value} in every row of `{target}`")]
    Constant {
        /// The target.
        target: String,
        /// Its value.
        value: f64,
    },
    /// A standard error that is not positive.
    #[error("expected positive standard errors, found {value} in row {row}")]
    Sigma {
        /// The row, from 1.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A method that is not built.
    #[error(
        "expected a method, auto, closed, algebraic, projective, exhaustive, symmetry or genetic, found `{found}`"
    )]
    Method {
        /// What was given.
        found: String,
    },
    /// An operator that no engine knows.
    #[error("expected an operator or function, found `{found}`")]
    Operator {
        /// What was given.
        found: String,
    },
    /// No law has the target's unit.
    #[error("no law of the columns has the unit of the target, [{unit}], with dimensionless constants")]
    NoUnit {
        /// The target's unit.
        unit: String,
    },
}

impl Fault for RegressError {
    fn code(&self) -> Code {
        Code(match self {
            RegressError::NoTarget => 4001,
            RegressError::NoRows => 4002,
            RegressError::NoFeatures { .. } => 4003,
            RegressError::NotFinite { .. } => 4004,
            RegressError::FewRows { .. } => 4005,
            RegressError::Sigma { .. } => 4006,
            RegressError::Method { .. } => 4007,
            RegressError::Operator { .. } => 4008,
            RegressError::NoUnit { .. } => 4009,
            RegressError::Constant { .. } => 4010,
        })
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            RegressError::NoTarget => "regress(data, target: y)".into(),
            RegressError::NoRows => "sample(F, points: 100)".into(),
            RegressError::NoFeatures { .. } => "a law needs a column that it depends on".into(),
            RegressError::NotFinite { .. } => "filter the rows first: filter(data, ...)".into(),
            RegressError::FewRows { .. } => {
                "measure more points, or fit one parameter: fit(data, y == a*x)".into()
            }
            RegressError::Sigma { .. } => "give standard errors above 0".into(),
            RegressError::Method { .. } => "method: auto".into(),
            RegressError::Operator { .. } => "operators: [+, -, *, /, sqrt, exp, log]".into(),
            RegressError::NoUnit { .. } => "constants: free".into(),
            RegressError::Constant { target, value } => format!("{target} = {value} is the whole law"),
        })
    }
}

/// What the codes mean.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        4001,
        "no target",
        "A search needs a column of numbers as target: the one named, or the last of the dataset. Example: `regress(data, \
         target: T)`.",
    ),
    (
        4002,
        "no rows",
        "The dataset is empty, so there is nothing to find a law in. A filter may have left out every row.",
    ),
    (
        4003,
        "no features",
        "Beside the target there is no column of numbers that a law could use. Labels and columns of standard errors are \
         no features.",
    ),
    (
        4004,
        "not a finite number",
        "A cell of a column is NaN or infinite. The message names column and row; leave such rows out with `filter`.",
    ),
    (
        4005,
        "too few rows",
        "With as few rows as constants every law fits, and none is found. A search needs at least three rows.",
    ),
    (
        4006,
        "standard errors",
        "The column of standard errors must hold positive numbers: each residual is divided by its own error.",
    ),
    (
        4007,
        "unknown method",
        "The method is not one of those that are built. `method: auto` uses all of them, `method: closed` the closed forms.",
    ),
    (
        4008,
        "unknown operator",
        "An operator of the search is not known. Operators are + - * / ^ and names of functions, for example \
         `operators: [+, *, sqrt, exp]`.",
    ),
    (
        4009,
        "no law with this unit",
        "With dimensionless constants no product of powers of the columns has the target's unit. Let constants carry units \
         with `constants: free`, or offer some: `constants: [constants.G]`.",
    ),
    (
        4010,
        "constant target",
        "The target has the same value in every row, so that this value is the whole law.",
    ),
    (
        4020,
        "note on a search",
        "What is worth knowing about the data of a search: equal or constant columns, a constant target.",
    ),
];
