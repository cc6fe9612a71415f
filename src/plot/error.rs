//! What can go wrong with a figure. Codes P3101 to P3120.

use crate::base::{Code, Fault};
use crate::units::Unit;
use thiserror::Error;

/// Faults of figures.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlotError {
    /// There is nothing to draw.
    #[error("expected something to plot, found {found}")]
    Nothing {
        /// What was given.
        found: String,
    },
    /// Every value is infinite or no number.
    #[error("expected at least one finite value{}, found none among {count}", of(.name))]
    NoFinite {
        /// Whose values, may be empty.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// Two layers on one axis whose units cannot be converted.
    #[error(
        "expected one unit on the {axis} axis, found `{first}` in [{expected}] and `{second}` in [{found}]"
    )]
    Units {
        /// `x` or `y`.
        axis: &'static str,
        /// The layer that set the unit.
        first: String,
        /// Its unit.
        expected: Box<Unit>,
        /// The layer that does not fit.
        second: String,
        /// Its unit.
        found: Box<Unit>,
    },
    /// Symbols that have no value.
    #[error("expected one variable in `{expr}`, found {}", .symbols.join(", "))]
    Unbound {
        /// The expression.
        expr: String,
        /// Its free symbols.
        symbols: Vec<String>,
        /// The symbols that need a value.
        open: Vec<String>,
    },
    /// The variable's range is not known.
    #[error("expected a range for `{symbol}`, found none")]
    NoRange {
        /// The variable.
        symbol: String,
    },
    /// All values are at or below 0 on a logarithmic axis.
    #[error("expected values above 0 on the logarithmic {axis} axis, found none among {count}")]
    NotPositive {
        /// `x` or `y`.
        axis: &'static str,
        /// How many values there are.
        count: usize,
    },
    /// Columns of one curve differ in length.
    #[error("expected lists of one length, found {x} values of `{x_name}` and {y} of `{y_name}`")]
    Lengths {
        /// Length of x.
        x: usize,
        /// Its name.
        x_name: String,
        /// Length of y.
        y: usize,
        /// Its name.
        y_name: String,
    },
    /// An option out of its range.
    #[error("`{option}` expects {expected}, found {found}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
        /// What to type.
        hint: &'static str,
    },
    /// Values that no figure can be made of.
    #[error(
        "expected expressions, columns or lists of numbers, a dataset, a front, a model or figures, found a {found}"
    )]
    Kind {
        /// What was given.
        found: String,
    },
    /// Values without a real number anywhere in the range.
    #[error("expected a real value of `{expr}` somewhere in {range}, found none")]
    Undefined {
        /// The expression.
        expr: String,
        /// Where was looked.
        range: String,
    },
}

fn of(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" of `{name}`") }
}

impl Fault for PlotError {
    fn code(&self) -> Code {
        Code(match self {
            PlotError::Nothing { .. } => 3101,
            PlotError::NoFinite { .. } => 3102,
            PlotError::Units { .. } => 3103,
            PlotError::Unbound { .. } => 3104,
            PlotError::NoRange { .. } => 3105,
            PlotError::NotPositive { .. } => 3106,
            PlotError::Lengths { .. } => 3107,
            PlotError::Option { .. } => 3108,
            PlotError::Kind { .. } => 3109,
            PlotError::Undefined { .. } => 3110,
        })
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            PlotError::Nothing { .. } => "plot(sin(x), x in 0..10)".into(),
            PlotError::NoFinite { .. } => "leave rows out with filter(data, ...)".into(),
            PlotError::Units { second, expected, found, .. } => {
                let convertible = found.dimension() == expected.dimension();
                match expected.div(found) {
                    Ok(factor) if !convertible => format!(
                        "multiply `{second}` by something in [{factor}], `{second}*... -> [{expected}]`, or draw two panels: grid([plot(...), plot(...)])"
                    ),
                    _ => format!("{second} -> [{expected}]"),
                }
            }
            PlotError::Unbound { expr, open, .. } => {
                let values: Vec<String> = open.iter().map(|s| format!("{s}: ...")).collect();
                match is_name(expr) {
                    true => format!("put values in: {expr}({})", values.join(", ")),
                    false => format!("bind it to a name and put values in: F({})", values.join(", ")),
                }
            }
            PlotError::NoRange { symbol } => format!("plot(..., {symbol} in 0..10)"),
            PlotError::NotPositive { .. } => "leave `log:` out".into(),
            PlotError::Lengths { .. } => "take both from one dataset: plot(d.x, d.y)".into(),
            PlotError::Option { hint, .. } => (*hint).into(),
            PlotError::Kind { .. } => {
                "plot(x, y) of two lists, or plot(F, x in 0..10) of an expression".into()
            }
            PlotError::Undefined { .. } => "choose another range: plot(..., x in 1..10)".into(),
        })
    }
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// What the codes of this module mean (`phys explain`).
pub const CODES: &[(u16, &str, &str)] = &[
    (
        3101,
        "nothing to plot",
        "A figure needs an expression, two lists or columns, a dataset, a front or a trained network with something in it: `plot(sin(x), x in 0..10)`. A network that was read from a file has no history to draw.",
    ),
    (
        3102,
        "no finite value",
        "Every value is infinite, missing or no number. Where only some are, they are left out and a notice says how many.",
    ),
    (
        3103,
        "units differ on one axis",
        "What shares an axis shares its dimension: `plot(d.t, d.x, d.v)` with metres and metres per second is two panels, `grid([plot(d.t, d.x), plot(d.t, d.v)])`.",
    ),
    (
        3104,
        "symbols without a value",
        "A curve is an expression in one variable. The others get a value first: `plot(F(m: 2 [kg]), v in 0..3 [m/s])`.",
    ),
    (
        3105,
        "no range",
        "A variable is drawn over its declared domain, `var x [m] in 0..5`, or over a range that the call names, `plot(F, x in 0..5 [m])`.",
    ),
    (
        3106,
        "nothing positive on a logarithmic axis",
        "A logarithm needs values above 0. Where only some are at or below 0, they are left out and a notice says how many.",
    ),
    (3107, "lengths differ", "x and y of points are lists of one length: `plot([1, 2, 3], [1, 4, 9])`."),
    (
        3108,
        "option out of range",
        "A range needs a lower end below its upper end, a number of bins is from 1 to 10 000, a size from 100 to 10 000 units.",
    ),
    (
        3109,
        "no figure of this kind of value",
        "Figures are made of expressions, lists, columns, datasets, fronts, trained networks and other figures.",
    ),
    (
        3110,
        "no real value in the range",
        "The expression has no real value anywhere in the range, as `sqrt(x)` has none below 0: `plot(sqrt(x), x in 0..4)`.",
    ),
    (
        3120,
        "values left out",
        "Some values are infinite, missing, no number, or not positive on a logarithmic axis. The curve has a gap there.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_explained_and_hints_at_code() {
        let faults = [
            PlotError::Nothing { found: "nothing".into() },
            PlotError::NoFinite { name: String::new(), count: 3 },
            PlotError::Unbound {
                expr: "a*x".into(),
                symbols: vec!["a".into(), "x".into()],
                open: vec!["a".into()],
            },
            PlotError::NoRange { symbol: "x".into() },
            PlotError::NotPositive { axis: "y", count: 3 },
            PlotError::Kind { found: "string".into() },
        ];
        for fault in faults {
            assert!(fault.hint().is_some() && CODES.iter().any(|c| c.0 == fault.code().0), "{fault}");
        }
        assert!(CODES.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
