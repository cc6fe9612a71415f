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
    /// All rows are of one group.
    #[error("expected rows of at least two groups, found those of `{group}` only")]
    OneGroup {
        /// The group.
        group: String,
    },
    /// A group with one row.
    #[error("expected at least two rows in each group, found one in `{group}`")]
    LoneRow {
        /// The group.
        group: String,
    },
    /// A group with fewer rows than a law has constants.
    #[error(
        "expected at least {constants} rows in each group, one for each constant, found {rows} in `{group}`"
    )]
    FewInGroup {
        /// The group.
        group: String,
        /// Its rows.
        rows: usize,
        /// Constants of the law.
        constants: usize,
    },
    /// Rows without a group.
    #[error("expected one of {names} groups for each of {rows} rows, found {found} numbers of groups")]
    Groups {
        /// Names of groups.
        names: usize,
        /// Rows.
        rows: usize,
        /// Rows whose group has a name.
        found: usize,
    },
    /// A component of a vector that is no feature.
    #[error("expected components of `{vector}` among {known} columns, found column {column}")]
    Component {
        /// The vector.
        vector: String,
        /// The place of the component.
        column: usize,
        /// Columns that there are.
        known: usize,
    },
    /// A complex column of another length.
    #[error("expected real and imaginary parts of `{column}` for {rows} rows, found {re} and {im}")]
    Parts {
        /// The column.
        column: String,
        /// Rows of the data.
        rows: usize,
        /// Real parts.
        re: usize,
        /// Imaginary parts.
        im: usize,
    },
    /// Components with several units.
    #[error("expected one unit for the three components of `{vector}`, found several")]
    Components {
        /// The vector.
        vector: String,
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
            RegressError::OneGroup { .. } => 4040,
            RegressError::LoneRow { .. } => 4041,
            RegressError::FewInGroup { .. } => 4042,
            RegressError::Groups { .. } => 4043,
            RegressError::Component { .. } => 4044,
            RegressError::Components { .. } => 4045,
            RegressError::Parts { .. } => 4046,
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
            RegressError::OneGroup { .. } => "leave `group` out: regress(data)".into(),
            RegressError::LoneRow { group } | RegressError::FewInGroup { group, .. } => {
                format!("leave the group out: filter(data, group != \"{group}\")")
            }
            RegressError::Groups { .. } => "name a column that says the group of each row".into(),
            RegressError::Component { .. } => "name three columns of numbers as components".into(),
            RegressError::Parts { .. } => "give a complex number for each row".into(),
            RegressError::Components { .. } => {
                "a vector has three components of one unit, for example x, y, z in m".into()
            }
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
        4040,
        "one group",
        "With `group:` constants may differ between groups of rows. Where all rows are of one group there is nothing to \
         compare; leave `group` out.",
    ),
    (
        4041,
        "group of one row",
        "One row does not tell a constant of its group from noise. Leave the group out with `filter`, or measure it again.",
    ),
    (
        4042,
        "too few rows in a group",
        "The law that describes the groups has more constants than one of the groups has rows. Leave that group out with \
         `filter`, or measure more of it.",
    ),
    (
        4043,
        "rows without a group",
        "Each row belongs to one group, which a column of labels or numbers names.",
    ),
    (4044, "component of a vector", "A vector consists of three columns of numbers of the dataset."),
    (
        4045,
        "units of a vector",
        "The three components of a vector have one unit: its length is the root of the sum of their squares.",
    ),
    (4046, "parts of complex numbers", "A complex column has a real and an imaginary part in each row."),
    (
        4020,
        "note on a search",
        "What is worth knowing about the data of a search: equal or constant columns, a constant target.",
    ),
];
