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
    /// Times that do not increase, or fewer than two.
    #[error("expected at least two finite times that increase")]
    Times,
    /// A tolerance out of range.
    #[error("expected a tolerance from 1e-14 to 0.1, found {found}")]
    Tolerance {
        /// What was asked for.
        found: f64,
    },
    /// A symplectic method for a problem that is not separable.
    #[error("expected a separable system such as x'' == a(x), found states that act on their own rates")]
    NotSeparable,
    /// An integrand without a finite value.
    #[error("expected a finite integrand, found {value} at {at}")]
    Integrand {
        /// The place.
        at: f64,
        /// NaN or an infinity.
        value: f64,
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
            NumericError::Times => Code(2008),
            NumericError::Tolerance { .. } => Code(2009),
            NumericError::NotSeparable => Code(2010),
            NumericError::Integrand { .. } => Code(2011),
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
            NumericError::Tolerance { .. } => Some("tolerance: 1e-9".to_string()),
            NumericError::NotSeparable => Some("method: explicit".to_string()),
            NumericError::Integrand { .. } => Some("choose a range in which it has values".to_string()),
            NumericError::Times => Some("var t in 0..1".to_string()),
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
    (
        2008,
        "times that do not increase",
        "An integration goes forward through at least two different times. Declare a range: `var t [s] in 0..20`.",
    ),
    (
        2009,
        "a tolerance out of range",
        "A tolerance is a relative error: below 1e-14 there are no digits left, above 0.1 there is no answer. Write \
         `tolerance: 1e-9`.",
    ),
    (
        2010,
        "a system that is not separable",
        "Symplectic methods move positions by momenta and momenta by positions: x'' == a(x), or x' == v, v' == a(x). With \
         friction, v' == a(x) - v, the rate of v depends on v itself. Use `method: explicit`.",
    ),
    (
        2011,
        "an integrand without a value",
        "An integral needs a finite value of its integrand almost everywhere in the range; at the ends and at single points \
         it may be infinite. `sqrt(x)` has no real value on -1..0.",
    ),
];
