//! Exact numbers near a fitted one: ratios of small integers, times one of a few constants of mathematics. A value
//! is offered where it lies within three standard errors; whether it is taken decides the description length.

use crate::base::Number;
use crate::expression::{Expr, Function};

/// An exact value and what it costs to say it, in nats.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The value.
    pub value: Expr,
    /// Its code length.
    pub code: f64,
}

/// Denominators that are tried.
const DENOMINATORS: [i64; 21] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 20, 24, 25, 32, 50, 100, 1000, 10_000];
/// Largest numerator.
const MAX_NUMERATOR: f64 = 1e6;
/// Relative error below which floats are not told apart.
const ROUNDING: f64 = 1e-9;
/// Nats for saying that a constant is exact, and its sign.
const EXACT: f64 = 1.2;
/// Nats for each natural logarithm of numerator and denominator. Above 1, so that among the many ratios within
/// an error a chance hit is rare: with errors of a share s it is about s^(1/3).
const DIGITS: f64 = 1.5;
/// Most values offered.
const OFFERED: usize = 12;

/// The constants a ratio may be multiplied by, with the price of choosing one.
fn factors() -> Vec<(Expr, f64)> {
    let (pi, two, three) = (Expr::pi(), Expr::int(2), Expr::int(3));
    vec![
        (Expr::one(), 0.0),
        (pi.clone(), 1.5),
        (pi.recip(), 1.5),
        (pi.powi(2), 2.0),
        (pi.powi(-2), 2.5),
        (pi.clone().sqrt(), 3.0),
        (pi.clone().sqrt().recip(), 2.5),
        (two.clone().sqrt(), 2.0),
        (three.sqrt(), 2.5),
        ((&two * &pi).sqrt(), 3.0),
        ((&two * &pi).sqrt().recip(), 2.5),
        (Expr::call(Function::Exp, vec![Expr::one()]), 3.0),
        (Expr::call(Function::Log, vec![two]), 3.0),
    ]
}

/// How far an exact value may lie.
fn reach(value: f64, error: f64) -> Option<f64> {
    let reach = (3.0 * error).max(ROUNDING * value.abs());
    (value.is_finite() && reach.is_finite()).then_some(reach)
}

/// Zero, where it is within three standard errors.
pub fn zero(value: f64, error: f64) -> Option<Choice> {
    reach(value, error).filter(|r| value.abs() <= *r).map(|_| Choice { value: Expr::zero(), code: 0.0 })
}

/// Most digits of a decimal that a constant with a unit may be.
const DECIMALS: usize = 7;
/// Largest relative error of such a constant: what is measured keeps its error.
const KNOWN: f64 = 1e-8;
/// Relative distance within which a decimal is met.
const MET: f64 = 1e-11;

/// The short decimal that a constant with a unit is, where the data give it almost exactly.
pub fn decimal(value: f64, error: f64) -> Option<Choice> {
    if !(value != 0.0 && value.is_finite() && error <= KNOWN * value.abs()) {
        return None;
    }
    (1..=DECIMALS).find_map(|digits| {
        let short: f64 = format!("{value:.*e}", digits - 1).parse().ok()?;
        let near = (short - value).abs() <= (3.0 * error).max(MET * value.abs());
        let code = EXACT + DIGITS * digits as f64 * std::f64::consts::LN_10;
        near.then_some(Choice { value: Expr::number(Number::from_f64_decimal(short)?), code })
    })
}

/// Exact values within three standard errors of a dimensionless number, the shortest first.
pub fn exact_values(value: f64, error: f64) -> Vec<Choice> {
    let mut found: Vec<Choice> = zero(value, error).into_iter().collect();
    let Some(reach) = reach(value, error) else { return found };
    for (factor, price) in factors() {
        let Some(f) = factor.evaluate(&|_| None) else { continue };
        for q in DENOMINATORS {
            let p = (value / f * q as f64).round();
            if p == 0.0 || p.abs() > MAX_NUMERATOR || (p / q as f64 * f - value).abs() > reach {
                continue;
            }
            // A ratio that reduces stands with its smaller denominator already.
            if let Some(ratio) = Number::ratio(p as i64, q)
                && ratio.denominator().to_i64() == Some(q)
            {
                found.push(Choice {
                    value: Expr::product([Expr::number(ratio), factor.clone()]),
                    code: EXACT + price + DIGITS * (p.abs().ln() + (q as f64).ln()),
                });
            }
        }
    }
    found.sort_by(|a, b| a.code.total_cmp(&b.code));
    found.truncate(OFFERED);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn decimals_are_those_of_constants_that_are_almost_exact() {
        let met = |value, error| decimal(value, error).map(|c| c.value.to_f64().unwrap());
        assert_eq!(met(9.806_649_999_999_994, 1e-14), Some(9.80665));
        assert_eq!(met(1.380_649_000_000_01e-23, 1e-36), Some(1.380_649e-23));
        assert_eq!(met(5.45e-10, 1e-12), None);
        assert_eq!(met(std::f64::consts::PI, 1e-14), None);
        assert_eq!(met(0.0, 0.0), None);
    }

    fn first(value: f64, error: f64) -> Option<Expr> {
        exact_values(value, error).into_iter().next().map(|c| c.value)
    }

    #[test]
    fn exact_values_are_found_and_lie_within_the_error() {
        assert_eq!(first(0.5001, 0.001), Some(Expr::ratio(1, 2)));
        assert_eq!(first(0.0796, 0.00003), Some((Expr::int(4) * Expr::pi()).recip()));
        assert_eq!(first(2.0 * PI, 1e-12), Some(Expr::int(2) * Expr::pi()));
        assert_eq!(first(1e-20, 1e-15), Some(Expr::zero()));
        assert_eq!(first(0.83, 1e-14), Some(Expr::ratio(83, 100)));
        for (value, error) in [(0.731, 0.01), (1234.5, 0.2), (-3.3, 1e-3), (1e-30, 1e-33)] {
            for c in exact_values(value, error) {
                assert!((c.value.to_f64().unwrap() - value).abs() <= 3.0 * error * (1.0 + 1e-9));
            }
        }
        assert!(exact_values(f64::NAN, 1.0).is_empty() && exact_values(1.0, f64::INFINITY).is_empty());
    }
}
