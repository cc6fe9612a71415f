//! What can go wrong with numbers: a name without a value, a system without one solution.

use crate::base::{Code, Fault};

/// The faults of the numeric layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NumericError {
    /// A symbol that is no input.
    #[error("expected a value for every symbol, found none for `{name}`")]
    UnknownSymbol {
        /// The symbol.
        name: String,
        /// An input spelled nearly the same.
        nearest: Option<String>,
    },
    /// A function that nobody defined.
    #[error("expected a function with a value, found `{name}`, which is undefined")]
    UndefinedFunction {
        /// The function.
        name: String,
    },
    /// A term that stands for no number.
    #[error("expected a term with a value, found {what}")]
    NoValue {
        /// What was found.
        what: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// Fewer equations than unknowns.
    #[error("expected at least {parameters} points for {parameters} parameters, found {points}")]
    TooFewPoints {
        /// Equations.
        points: usize,
        /// Unknowns.
        parameters: usize,
    },
    /// A NaN or an infinity where a finite number is needed.
    #[error("expected finite numbers, found {value} in row {row}")]
    NotFinite {
        /// Which row, from 1.
        row: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// Lists that should have one length.
    #[error("expected {expected} numbers, found {found}")]
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A bracket without a change of sign.
    #[error("expected a change of sign between {low} and {high}, found none")]
    NoBracket {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

impl Fault for NumericError {
    fn code(&self) -> Code {
        match self {
            NumericError::UnknownSymbol { .. } => Code(2001),
            NumericError::UndefinedFunction { .. } => Code(2002),
            NumericError::NoValue { .. } => Code(2003),
            NumericError::TooFewPoints { .. } => Code(2004),
            NumericError::NotFinite { .. } => Code(2005),
            NumericError::Length { .. } => Code(2006),
            NumericError::NoBracket { .. } => Code(2007),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            NumericError::UnknownSymbol { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            NumericError::UnknownSymbol { name, .. } => Some(format!("var {name} in 0..1")),
            NumericError::UndefinedFunction { name } => {
                let name = name.trim_end_matches('\'');
                Some(format!("define it first: {name}(x) = x^2"))
            }
            NumericError::NoValue { hint, .. } => Some((*hint).to_string()),
            NumericError::TooFewPoints { .. } => Some("take more points, or fix a parameter".to_string()),
            NumericError::NotFinite { .. } => Some("leave the row out: filter(d, x > 0)".to_string()),
            NumericError::NoBracket { .. } => Some("choose ends at which the signs differ".to_string()),
            NumericError::Length { .. } => None,
        }
    }
}

/// The explanations behind `phys explain`.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        2001,
        "a symbol without a value",
        "A formula was to be evaluated, and one of its symbols is neither a column nor declared with a domain. \
         Declare it (`var x in 0..1`), or put a value in: `F(x: 2)`.",
    ),
    (
        2002,
        "an undefined function",
        "A formula was to be evaluated, and it contains a function that has no definition, such as the field \
         `u(x, t)`. Define it (`u(x, t) = sin(x - t)`), or solve for it first.",
    ),
    (
        2003,
        "a term without a number",
        "Some terms stand for no number: the remainder `O(x^6)` of a series, or a scale with an offset used as a \
         factor (`[degC]`). Drop the remainder, or write the temperature in kelvin: `20 [degC] -> [K]`.",
    ),
    (
        2004,
        "fewer points than parameters",
        "A fit determines at most as many parameters as there are points. Take more points, or give some of the \
         parameters their values.",
    ),
    (
        2005,
        "a number that is not finite",
        "A computation needs finite numbers and met NaN or an infinity: a division by zero, the logarithm of a \
         negative number, an overflow. Leave such rows out with `filter(d, x > 0)`.",
    ),
    (
        2006,
        "lists of different lengths",
        "Columns, weights and results of one computation have one number for each point. Check the lengths: \
         `length(xs)`.",
    ),
    (
        2007,
        "no change of sign",
        "A root is searched between two ends at which the function has different signs; `x^2 + 1` has none \
         anywhere. Choose other ends.",
    ),
];
