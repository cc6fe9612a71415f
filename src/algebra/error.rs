//! What can go wrong in algebra and calculus. Codes P2101 to P2110.

use crate::base::{Code, Fault};
use thiserror::Error;

/// Faults of expansion, equations and series.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum AlgebraError {
    /// An expanded form would have too many terms.
    #[error("expected an expansion of at most {limit} terms, found more")]
    TooManyTerms {
        /// The bound.
        limit: usize,
    },
    /// No method reaches this equation.
    #[error(
        "expected an equation that is linear, quadratic, a polynomial with rational roots, or has `{unknown}` once inside invertible functions; found {found}"
    )]
    CannotSolve {
        /// What was asked for.
        unknown: String,
        /// What stands in the way.
        found: &'static str,
    },
    /// Something else than an equation.
    #[error("expected an equation or an expression to set to 0, found {found}")]
    NotAnEquation {
        /// What stands there.
        found: &'static str,
    },
    /// A system that is not linear.
    #[error("expected equations that are linear in {unknowns}, found one that is not")]
    NotLinear {
        /// The unknowns, separated by commas.
        unknowns: String,
    },
    /// A system without a solution.
    #[error("expected equations that can hold together, found a contradiction between them")]
    Inconsistent,
    /// A series about infinity.
    #[error("expected a finite point to expand about, found inf")]
    SeriesAtInfinity {
        /// The variable.
        variable: String,
    },
    /// A function without a power series there.
    #[error("expected a function with a power series in `{variable}` there, found {found}")]
    NoSeries {
        /// The variable.
        variable: String,
        /// What has none.
        found: String,
    },
    /// An order beyond the bound.
    #[error("expected an order of at most {limit}, found {found}")]
    OrderTooHigh {
        /// The bound.
        limit: u32,
        /// What was asked for.
        found: u32,
    },
    /// The unknown is no symbol the equations could be solved for.
    #[error("expected at least one equation and one unknown, found {equations} and {unknowns}")]
    EmptySystem {
        /// How many equations.
        equations: usize,
        /// How many unknowns.
        unknowns: usize,
    },
    /// A rewrite rule whose right side or condition has a name of its own.
    #[error("expected only names of the left side in what a rule puts in its place, found `{symbol}`")]
    UnboundInRule {
        /// The name.
        symbol: String,
    },
}

impl Fault for AlgebraError {
    fn code(&self) -> Code {
        Code(match self {
            AlgebraError::TooManyTerms { .. } => 2101,
            AlgebraError::NotAnEquation { .. } => 2102,
            AlgebraError::CannotSolve { .. } => 2103,
            AlgebraError::NotLinear { .. } => 2104,
            AlgebraError::Inconsistent => 2105,
            AlgebraError::EmptySystem { .. } => 2106,
            AlgebraError::SeriesAtInfinity { .. } => 2107,
            AlgebraError::NoSeries { .. } => 2108,
            AlgebraError::OrderTooHigh { .. } => 2109,
            AlgebraError::UnboundInRule { .. } => 2110,
        })
    }

    fn hint(&self) -> Option<String> {
        match self {
            AlgebraError::NotAnEquation { .. } => Some("write solve(x^2 == 2, x)".into()),
            AlgebraError::CannotSolve { unknown, .. } => {
                Some(format!("take it apart by hand, e.g. solve(s^2 == 2, s) with s for a part in {unknown}"))
            }
            AlgebraError::EmptySystem { .. } => Some("write solve([x + y == 3, x - y == 1], [x, y])".into()),
            AlgebraError::SeriesAtInfinity { variable } => {
                Some(format!("substitute {variable} = 1/s and expand about s = 0"))
            }
            AlgebraError::NoSeries { .. } => Some("expand about another point".into()),
            AlgebraError::OrderTooHigh { limit, .. } => Some(format!("ask for order {limit}")),
            AlgebraError::UnboundInRule { symbol } => {
                Some(format!("let `{symbol}` stand on the left too: rule a*x => x when a > 0"))
            }
            AlgebraError::TooManyTerms { .. }
            | AlgebraError::NotLinear { .. }
            | AlgebraError::Inconsistent => None,
        }
    }
}

/// Codes of this module: number, title, explanation.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        2101,
        "expansion too large",
        "Multiplying the brackets out would give more terms than the bound. \
         (a + b + c + d + f + g)^40 is an example; keep it factored, or expand a part of it.",
    ),
    (
        2102,
        "not an equation",
        "`solve` takes an equation with `==`, or an expression that is set to 0. \
         Inequalities and conditions are not solved. Example: solve(x^2 == 2, x).",
    ),
    (
        2103,
        "equation out of reach",
        "The equation is none of those that are solved: linear, quadratic and biquadratic equations, polynomials \
         that factor over the rationals into such, and equations in which the unknown occurs once inside \
         powers, exp, log, sin, cos, tan and their inverses. x + sin(x) == 1 is out of reach.",
    ),
    (
        2104,
        "system not linear",
        "Systems of equations are solved where each equation is linear in all unknowns together. \
         x*y == 1 is not linear in x and y; solve one equation, substitute it in the other.",
    ),
    (
        2105,
        "contradicting equations",
        "No values of the unknowns fulfil all equations: x + y == 1 and x + y == 2 contradict each other.",
    ),
    (
        2106,
        "empty system",
        "A system needs at least one equation and one unknown: solve([x + y == 3, x - y == 1], [x, y]).",
    ),
    (
        2107,
        "series about infinity",
        "Series are expanded about finite points. For large x put x = 1/s and expand about s = 0.",
    ),
    (
        2108,
        "no power series",
        "The function has no series in integer powers at that point: log(x) and sqrt(x) at 0, abs(x) at 0. \
         Expand about another point, e.g. series(log(x), x, 1, 4).",
    ),
    (
        2109,
        "order too high",
        "Series are computed up to a fixed order. Ask for a lower one: series(exp(x), x, 0, 20).",
    ),
    (
        2110,
        "unbound name in a rule",
        "Every name in the right side and in the condition of a rule must stand in its left side: it is what was \
         found there that is put in. `rule sin(x)^2 => 1 - cos(y)^2` says nothing about y.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_explained() {
        let fault = AlgebraError::Inconsistent;
        assert!(CODES.iter().any(|(code, ..)| *code == fault.code().0));
        assert!(CODES.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
