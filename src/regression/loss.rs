//! Losses of the user: any function l(p, y) of the prediction and the target that is least where both are equal. What is
//! minimised is the excess l(p, y) - l(y, y), so that a perfect law has the loss 0. Constants are fitted by reweighted least
//! squares with the weights l'(p)/(p - y), which has the minimum of the loss as its fixed point (P. Holland, R. Welsch,
//! Commun. Stat. A6, 813 (1977)).

use super::error::RegressError;
use crate::expression::{Expr, Symbol};
use crate::numeric::Tape;

/// A loss.
#[derive(Clone, Debug)]
pub struct Loss {
    /// What it is, for a fingerprint.
    words: String,
    /// The loss as a function of prediction and target.
    tape: Tape,
    /// The power of the residual that it grows with, about the target's own spread.
    degree: f64,
    /// The target's spread about its median.
    spread: f64,
}

/// Residuals below this share of their median are taken for as large: an absolute loss has no weight at zero.
const LEAST: f64 = 1e-4;
/// Weights above so many times their median are cut.
const HEAVIEST: f64 = 1e8;

impl PartialEq for Loss {
    fn eq(&self, other: &Loss) -> bool {
        self.words == other.words
    }
}

fn median(list: &[f64]) -> f64 {
    let mut sorted = list.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

impl Loss {
    /// The loss that an expression of two symbols, prediction and target, is, for the values of a target.
    ///
    /// # Errors
    /// A loss without a value or a derivative at the data, and one that is less elsewhere than at the target.
    pub fn new(
        expr: &Expr,
        prediction: &Symbol,
        target: &Symbol,
        values: &[f64],
    ) -> Result<Loss, RegressError> {
        let tape = Tape::compile(std::slice::from_ref(expr), &[prediction.clone(), target.clone()])
            .map_err(|e| RegressError::LossForm { why: e.to_string() })?;
        let middle = median(values);
        let spread = median(&values.iter().map(|y| (y - middle).abs()).collect::<Vec<f64>>());
        let largest = values.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
        let spread = if spread > 0.0 { spread } else { largest };
        let mut loss = Loss { words: expr.prefix(), tape, degree: 2.0, spread };
        let constant = vec![middle; values.len()];
        let at = loss.excess(&constant, values);
        if let Some(row) = at.iter().position(|l| !l.is_finite()) {
            return Err(RegressError::LossValue { row: row + 1, value: at[row], prediction: middle });
        }
        let total: f64 = at.iter().sum();
        let slopes = loss.slopes(&constant, values);
        let steep: f64 = slopes.iter().zip(values).map(|(s, y)| s * (middle - y)).sum();
        if !slopes.iter().all(|s| s.is_finite()) || steep == 0.0 {
            return Err(RegressError::LossFlat);
        }
        let less = at.iter().any(|l| *l < -1e-9 * total.abs().max(1e-300) / at.len() as f64);
        if less || total <= 0.0 {
            return Err(RegressError::LossLeast);
        }
        loss.degree = (steep / total).clamp(0.5, 4.0);
        Ok(loss)
    }

    /// What it is.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The power of the residual that it grows with.
    pub fn degree(&self) -> f64 {
        self.degree
    }

    fn raw(&self, prediction: &[f64], target: &[f64]) -> Vec<f64> {
        self.tape.eval(&[prediction, target]).swap_remove(0)
    }

    /// l(p, y) - l(y, y), row by row.
    pub fn excess(&self, prediction: &[f64], target: &[f64]) -> Vec<f64> {
        let own = self.raw(target, target);
        let mut all = self.raw(prediction, target);
        for (k, l) in all.iter_mut().enumerate() {
            let mut least = own[k];
            if !least.is_finite() {
                // p - y*log(p) at y = 0 has a limit and no value.
                let near = target[k] + 1e-12 * self.spread;
                least = self.raw(&[near], &[target[k]])[0];
            }
            *l -= least;
        }
        all
    }

    /// The derivative by the prediction.
    fn slopes(&self, prediction: &[f64], target: &[f64]) -> Vec<f64> {
        let mut all = self.tape.jacobian(&[prediction, target], &[0]).swap_remove(0);
        all.swap_remove(1)
    }

    /// The weight of each row for the next least-squares fit.
    pub fn weights(&self, prediction: &[f64], target: &[f64]) -> Vec<f64> {
        let left: Vec<f64> = prediction.iter().zip(target).map(|(p, y)| (p - y).abs()).collect();
        let least = (LEAST * median(&left)).max(1e-12 * self.spread);
        let moved: Vec<f64> = prediction
            .iter()
            .zip(target)
            .map(|(p, y)| if (p - y).abs() < least { y + least.copysign(p - y) } else { *p })
            .collect();
        let slopes = self.slopes(&moved, target);
        let mut weights: Vec<f64> = (0..target.len())
            .map(|k| slopes[k] / (moved[k] - target[k]))
            .map(|w| if w.is_finite() { w.max(0.0) } else { 0.0 })
            .collect();
        let middle = median(&weights);
        let most = if middle > 0.0 { HEAVIEST * middle } else { f64::INFINITY };
        weights.iter_mut().for_each(|w| *w = w.min(most));
        weights
    }

    /// The mean loss of residuals of one size, where all below is rounding.
    pub fn floor(&self, target: &[f64], size: f64) -> f64 {
        let moved: Vec<f64> = target.iter().map(|y| y + size).collect();
        let all = self.excess(&moved, target);
        let mean = all.iter().filter(|l| l.is_finite()).sum::<f64>() / target.len().max(1) as f64;
        mean.max(f64::MIN_POSITIVE)
    }
}
