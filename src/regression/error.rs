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
    /// A loss that cannot be computed.
    #[error("expected a loss of a prediction and a target, found one without a value: {why}")]
    LossForm {
        /// Why not.
        why: String,
    },
    /// A loss that is no finite number for a constant prediction.
    #[error(
        "expected a finite loss in every row, found {value} in row {row} for the prediction {prediction}"
    )]
    LossValue {
        /// The row, from 1.
        row: usize,
        /// The loss.
        value: f64,
        /// The prediction, in SI.
        prediction: f64,
    },
    /// A loss whose derivative tells nothing.
    #[error("expected a loss that has a derivative by the prediction, found one that is flat")]
    LossFlat,
    /// A loss that is not least at the target.
    #[error(
        "expected a loss that is least where prediction and target are equal, found a lower one elsewhere"
    )]
    LossLeast,
    /// Rules that no law obeys.
    #[error("no law obeys the constraints: {why}")]
    Contradiction {
        /// What contradicts what.
        why: String,
    },
    /// A rule about a column that is not there.
    #[error("expected a column that a law may hold, found `{name}`")]
    RuleColumn {
        /// What was given.
        name: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// An operator without a derivative beside a rule that needs one.
    #[error("expected operators with a derivative, since `monotone` needs one, found `{operator}`")]
    NoDerivative {
        /// The operator.
        operator: String,
    },
    /// A guess of another unit than the target.
    #[error("expected a guess in the unit of the target, [{expected}], found `{guess}` in [{found}]")]
    GuessUnit {
        /// The guess.
        guess: String,
        /// The unit of the target.
        expected: String,
        /// The unit of the guess.
        found: String,
    },
    /// A guess without a finite value on the data.
    #[error("expected a guess with finite values on the data, found `{guess}`")]
    GuessValue {
        /// The guess.
        guess: String,
    },
    /// Row weights that are none.
    #[error("expected weights of at least 0, not all 0, found {value} in row {row}")]
    Weight {
        /// The row, from 1.
        row: usize,
        /// The value.
        value: f64,
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
            RegressError::LossForm { .. } => 4050,
            RegressError::LossValue { .. } => 4051,
            RegressError::LossFlat => 4052,
            RegressError::LossLeast => 4053,
            RegressError::Contradiction { .. } => 4054,
            RegressError::RuleColumn { .. } => 4055,
            RegressError::NoDerivative { .. } => 4056,
            RegressError::GuessUnit { .. } => 4057,
            RegressError::GuessValue { .. } => 4058,
            RegressError::Weight { .. } => 4059,
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
            RegressError::LossForm { .. } => {
                "use losses, then loss: losses.absolute, or a function f(p, y) of your own".into()
            }
            RegressError::LossValue { .. } => {
                "a loss for data of this kind: absolute(p, y) = abs(p - y)".into()
            }
            RegressError::LossFlat => "a loss that rises with abs(p - y)".into(),
            RegressError::LossLeast => "(p - y)^2 and not p - y".into(),
            RegressError::Contradiction { .. } => "leave one of them out".into(),
            RegressError::RuleColumn { name, columns } => {
                match crate::base::suggest::nearest(name, columns.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the columns are {}", columns.join(", ")),
                }
            }
            RegressError::NoDerivative { operator } => format!("leave `{operator}` out of the operators"),
            RegressError::GuessUnit { .. } => "multiply by a quantity of the missing unit".into(),
            RegressError::GuessValue { .. } => "a guess that has a value in every row".into(),
            RegressError::Weight { .. } => "give weights of at least 0".into(),
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
        4050,
        "loss without a value",
        "A loss is a number that follows from a prediction and a target: a function of two arguments, `l(p, y) = abs(p - \
         y)`, or one of those of the library.",
    ),
    (
        4051,
        "loss that is not finite",
        "The loss has no finite value for some row of the data, for example a logarithm of a negative target. The message \
         names the row.",
    ),
    (
        4052,
        "loss that is flat",
        "Constants are fitted along the derivative of the loss by the prediction; a loss that counts errors, or a constant \
         one, has none.",
    ),
    (
        4053,
        "loss that is not least at the target",
        "Where the prediction equals the target the loss must be least: `(p - y)^2`, not `p - y`.",
    ),
    (
        4054,
        "contradictory constraints",
        "No law obeys all constraints: a column is required and excluded, a bound lies above the other, a law is to rise and \
         to fall with one column, or to have two values in one place.",
    ),
    (
        4055,
        "unknown column in a constraint",
        "A constraint or a weight names something that is no column the law may hold.",
    ),
    (
        4056,
        "operator without a derivative",
        "Whether a law rises is told from its derivative; floor, step and their like have none that tells.",
    ),
    (
        4057,
        "unit of a guess",
        "A guess is a law for the target and has its unit. Names in it that are no columns are constants, whose units are \
         found.",
    ),
    (
        4058,
        "guess without values",
        "A guess must have a finite value in every row: a root or a logarithm of a negative number has none.",
    ),
    (4059, "row weights", "The column of weights must hold numbers of at least 0 that are not all 0."),
    (
        4020,
        "note on a search",
        "What is worth knowing about the data of a search: equal or constant columns, a constant target.",
    ),
];
