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
    /// A form in which there is nothing to find.
    #[error("expected a form with functions to find, found only constants to fit")]
    FormHoles,
    /// A hole called in two ways.
    #[error("expected {expected} in every call of `{hole}`, found {found}", expected = count(*expected), found = count(*found))]
    FormArity {
        /// The hole.
        hole: String,
        /// Its number of arguments.
        expected: usize,
        /// That of another call.
        found: usize,
    },
    /// A hole that depends on nothing.
    #[error("expected an argument of `{hole}` that varies, found {found}")]
    FormArgument {
        /// The hole.
        hole: String,
        /// What was found.
        found: String,
    },
    /// A form without values on the data.
    #[error(
        "expected a form with finite values, found none in row {row} for any start of its functions and constants"
    )]
    FormNotFinite {
        /// The row, from 1.
        row: usize,
    },
    /// A form that no units of its holes and constants make that of the target.
    #[error("expected units of the functions and constants that make the form [{unit}], found none: {why}")]
    FormUnits {
        /// The target's unit.
        unit: String,
        /// What does not go together.
        why: String,
    },
    /// A symbol that is neither a column nor a constant.
    #[error(
        "expected a column, a constant or an argument of a function to find, found `{symbol}` in the form"
    )]
    FormSymbol {
        /// The symbol.
        symbol: String,
    },
    /// Something in a form that cannot be evaluated.
    #[error("expected a form of sums, products, powers and functions, found {found}")]
    FormPart {
        /// What was found.
        found: String,
    },
    /// A hole that the form does not call.
    #[error("expected a call of `{hole}` in the form, found none")]
    FormUnused {
        /// The hole.
        hole: String,
    },
    /// A name that stands for two things.
    #[error("expected one meaning of `{name}`, found it as {first} and as {second}")]
    FormName {
        /// The name.
        name: String,
        /// One meaning.
        first: &'static str,
        /// The other.
        second: &'static str,
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
    /// A vector only some of whose components have errors.
    #[error("expected errors of every component of `{vector}`, found none of `{component}`")]
    ComponentErrors {
        /// The vector.
        vector: String,
        /// A component without errors.
        component: String,
    },
}

/// A number of arguments in words.
fn count(n: usize) -> String {
    if n == 1 { "1 argument".into() } else { format!("{n} arguments") }
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
            RegressError::OneGroup { .. } => 4040,
            RegressError::LoneRow { .. } => 4041,
            RegressError::FewInGroup { .. } => 4042,
            RegressError::Groups { .. } => 4043,
            RegressError::Component { .. } => 4044,
            RegressError::Components { .. } => 4045,
            RegressError::ComponentErrors { .. } => 4047,
            RegressError::Parts { .. } => 4046,
            RegressError::FormHoles => 4030,
            RegressError::FormArity { .. } => 4031,
            RegressError::FormArgument { .. } => 4032,
            RegressError::FormNotFinite { .. } => 4033,
            RegressError::FormUnits { .. } => 4034,
            RegressError::FormSymbol { .. } => 4035,
            RegressError::FormPart { .. } => 4036,
            RegressError::FormUnused { .. } => 4037,
            RegressError::FormName { .. } => 4038,
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
            RegressError::ComponentErrors { .. } => {
                "sigma: s, a column of errors of all components, or a vector with those of each".into()
            }
            RegressError::FormHoles => "fit the constants: fit(data, y == a*x + b)".into(),
            RegressError::FormArity { hole, expected, .. } => {
                format!("give every call of {hole} {}, or two functions two names", count(*expected))
            }
            RegressError::FormArgument { hole, .. } => {
                format!("call {hole} with columns, or write a constant: {hole}")
            }
            RegressError::FormNotFinite { .. } => {
                "leave out rows where a part of the form has no value: filter(data, x > 0)".into()
            }
            RegressError::FormUnits { .. } => {
                "multiply by a constant to fit, which takes the unit that is missing: c*f(x)".into()
            }
            RegressError::FormSymbol { symbol } => format!("name {symbol} as a constant of the form"),
            RegressError::FormPart { .. } => "form: a*f(x) + g(y)/z".into(),
            RegressError::FormUnused { hole } => format!("call {hole} with columns, or leave it out"),
            RegressError::FormName { name, .. } => format!("rename one of them: {name}1"),
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
    (
        4030,
        "form without functions",
        "A form of a search holds functions that are not declared, the laws to find. With none there are only constants, \
         which `fit` finds. Example: `fit(data, y == a*x + b)`.",
    ),
    (
        4031,
        "calls of one function with different arguments",
        "A function to find stands for one law, so that every call of it in the form has the same number of arguments.",
    ),
    (
        4032,
        "function of nothing",
        "A function to find needs arguments, and each of them must vary over the rows: `f()` and `f(3)` are constants, \
         which a form writes as symbols.",
    ),
    (
        4033,
        "form without values",
        "Whatever the functions and constants of the form, some row gives no finite number, as 1/x does at x = 0. Leave \
         such rows out with `filter`.",
    ),
    (
        4034,
        "units of a form",
        "Functions and constants of a form take the units that it needs, but no units of theirs make its terms agree, or \
         give it the unit of the target.",
    ),
    (
        4035,
        "unknown symbol in a form",
        "Every symbol of a form is a column of the data or one of its constants.",
    ),
    (
        4036,
        "form that cannot be evaluated",
        "A form is made of sums, products, powers and functions of columns, constants and functions to find. Derivatives \
         of these functions and imaginary numbers have no place in it.",
    ),
    (
        4037,
        "function that is not called",
        "A function to find that the form does not call could be anything.",
    ),
    (4038, "one name for two things", "Columns, constants and functions of a form have different names."),
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
        4047,
        "errors of some components",
        "Either all components of a vector have standard errors, or none has. `sigma` names one column for all of them, or a \
         vector whose components are the errors.",
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
];
