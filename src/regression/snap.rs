//! Exact numbers near a fitted one: ratios of small integers, times one of a few constants of mathematics. A value
//! is offered where it lies within three standard errors; whether it is taken decides the description length.

use crate::base::Number;
use crate::expression::{Expr, Function};
use crate::units::Dimension;

/// An exact value and what it costs to say it, in nats.
pub struct Choice {
    /// The value.
    pub value: Expr,
    /// Its code length beyond that of its tree.
    pub code: f64,
}

/// Denominators that are tried.
const DENOMINATORS: [i64; 14] = [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 20, 24, 32];
/// Relative error below which floats are not told apart.
const ROUNDING: f64 = 1e-9;

/// The constants a ratio may be multiplied by, with the price of choosing one.
fn factors() -> Vec<(Expr, f64)> {
    let (pi, two, three) = (Expr::pi(), Expr::int(2), Expr::int(3));
    let rows = vec![
        (Expr::one(), 0.0),
        (pi.clone(), 1.5),
        (pi.recip(), 1.5),
        (pi.powi(2), 2.5),
        (pi.powi(-2), 2.5),
        (pi.clone().sqrt(), 2.5),
        (pi.clone().sqrt().recip(), 2.5),
        (two.clone().sqrt(), 2.0),
        (three.sqrt(), 2.5),
        ((&two * &pi).sqrt(), 3.0),
        ((&two * &pi).sqrt().recip(), 3.0),
        (Expr::call(Function::Exp, vec![Expr::one()]), 3.0),
        (Expr::call(Function::Log, vec![two]), 3.0),
    ];
    rows
}

/// Exact values within three standard errors of a dimensionless number, the cheapest of each kind.
pub fn exact_values(value: f64, error: f64) -> Vec<Choice> {
    let mut found = Vec::new();
    if !value.is_finite() {
        return found;
    }
    let reach = (3.0 * error).max(ROUNDING * value.abs());
    if !reach.is_finite() {
        return found;
    }
    if value.abs() <= reach {
        found.push(Choice { value: Expr::zero(), code: 0.0 });
    }
    for (factor, price) in factors() {
        let Some(f) = factor.evaluate(&|_| None) else { continue };
        let mut of_factor = 0;
        for q in DENOMINATORS {
            let p = (value / f * q as f64).round();
            if p == 0.0 || p.abs() > 1e6 {
                continue;
            }
            let exact = p / q as f64 * f;
            if (exact - value).abs() > reach {
                continue;
            }
            // A long numerator within a wide error says nothing.
            if let Some(ratio) = Number::ratio(p as i64, q)
                && ratio.denominator().to_i64() == Some(q)
            {
                found.push(Choice {
                    value: Expr::product([Expr::number(ratio), factor.clone()]),
                    code: price,
                });
                of_factor += 1;
                if of_factor == 2 {
                    break;
                }
            }
        }
    }
    found.truncate(12);
    found
}

/// Ratios of small integers times a named constant of the dimension.
pub fn named_values(
    value: f64,
    error: f64,
    dimension: Dimension,
    named: &[(String, Expr, Dimension)],
) -> Vec<Choice> {
    let mut found = Vec::new();
    for (_, constant, own) in named.iter().filter(|(_, _, d)| *d == dimension) {
        let _ = own;
        let Some(c) = constant.evaluate(&|_| None).filter(|c| *c != 0.0) else { continue };
        for choice in exact_values(value / c, error / c.abs()) {
            if !choice.value.is_zero() {
                found.push(Choice { value: choice.value * constant, code: choice.code + 1.0 });
            }
        }
    }
    found
}
