//! Description length of a law with its data, in nats: the Gaussian code of the residuals, the code of the
//! constants, and the code of the tree (D. J. Bartlett, H. Desmond, P. G. Ferreira, "Exhaustive Symbolic Regression",
//! IEEE Trans. Evol. Comput. 28, 950 (2024), eq. 9; J. Rissanen, Automatica 14, 465 (1978)).

use super::complexity::Complexity;
use super::problem::Problem;
use crate::expression::Expr;

/// Price in nats of a constant that carries a unit nobody asked for.
pub const UNIT_PRICE: f64 = 4.0;

/// The noise below which residuals are not told apart: the rounding of the data as read, else of floats.
pub fn noise_floor(problem: &Problem) -> f64 {
    let n = problem.rows() as f64;
    let rms = (problem.target.iter().map(|y| y * y).sum::<f64>() / n).sqrt();
    let rounding = problem.resolution.map_or(0.0, |r| r / 12f64.sqrt());
    rounding.max(1e-11 * rms).max(f64::MIN_POSITIVE)
}

/// Nats by which noise in proportion to the law must make residuals shorter to be taken for it.
const DECISIVE: f64 = 3.0;

/// Code length of the residuals, up to a constant of the data. `sse` is the plain sum of squares, `chi2` the
/// weighted one where errors are known, `relative` that of [`relative_code`].
pub fn residual_code(problem: &Problem, sse: f64, chi2: Option<f64>, relative: Option<f64>) -> f64 {
    let n = problem.rows() as f64;
    match chi2 {
        Some(chi2) => chi2 / 2.0,
        None => {
            let floor = noise_floor(problem);
            let absolute = n / 2.0 * (sse / n + floor * floor).ln();
            // One bit says which noise it is.
            relative
                .map(|r| r + std::f64::consts::LN_2)
                .filter(|r| *r < absolute - DECISIVE)
                .unwrap_or(absolute)
        }
    }
}

/// Code length of the residuals under noise in proportion to the law's values, which have one sign.
pub fn relative_code(problem: &Problem, values: &[f64]) -> Option<f64> {
    let one_sign = values.iter().all(|v| *v > 0.0) || values.iter().all(|v| *v < 0.0);
    let n = values.len() as f64;
    let floor = noise_floor(problem);
    let squares =
        values.iter().zip(&problem.target).map(|(v, y)| ((v - y).powi(2) + floor * floor) / (v * v));
    let scale: f64 = squares.sum::<f64>() / n;
    let code = n / 2.0 * scale.ln() + values.iter().map(|v| v.abs().ln()).sum::<f64>();
    (one_sign && code.is_finite()).then_some(code)
}

/// Relative error of a constant that the data give exactly: that of a float with a margin for the rounding of a fit.
const FLOAT: f64 = 1e-13;

/// Code length of a fitted constant: its significant digits, half a logarithm of the rows where its error is unknown.
pub fn constant_code(value: f64, error: f64, rows: usize) -> f64 {
    let digits = if error.is_finite() && value != 0.0 {
        (1.0 + value.abs() / error.max(FLOAT * value.abs())).ln()
    } else {
        0.0
    };
    digits.max(0.5 * (rows as f64).ln()) + std::f64::consts::LN_2
}

/// Code length of the tree: each node is one of the symbols in use; numbers in it are charged by their size. Constants
/// stand in it as symbols, whether exact or not: their digits have their own code.
pub fn tree_code(e: &Expr, features: usize, complexity: &Complexity) -> f64 {
    let mut numbers = 0.0;
    e.visit(&mut |x| {
        if let Some(n) = x.as_number() {
            let (p, q) = (n.numerator().to_f64().abs(), n.denominator().to_f64());
            numbers += (p.max(1.0)).ln() + q.ln() + 0.5;
        }
    });
    complexity.of(e) as f64 * ((features + 6) as f64).ln() + numbers
}
