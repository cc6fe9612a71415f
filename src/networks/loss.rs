//! Losses: what is minimised on the outputs of a network, one row of [`LOSSES`] each. With o the output, t the target,
//! r = o - t, and the mean over rows and their components:
//!
//! ```text
//! mse                   r^2
//! mae                   |r|
//! huber                 r^2/2 where |r| <= d, else d (|r| - d/2)                      Huber 1964
//! log_cosh              log cosh r
//! quantile_loss         max(q (t - o), (q - 1) (t - o))                               Koenker & Bassett 1978
//! cross_entropy         -log softmax(o)_t, smoothed: (1 - s) of it, s the mean over all classes
//! binary_cross_entropy  -p t log sigmoid(o) - (1 - t) log(1 - sigmoid(o))
//! kl                    sum_k t_k (log t_k - log softmax(o)_k)
//! poisson_nll           exp(o) - t o
//! gaussian_nll          (s + (t - m)^2 exp(-s)) / 2,  o = (m, s), s the log variance   Nix & Weigend 1994
//! moments               log sum (t - m)^2 + log sum ((t - m)^2 - d^2)^2,  o = (m, d)   Jeffrey & Wandelt 2020,
//!                       summed over the batch for each target, then the mean of targets;
//!                       the logarithms as in Villaescusa-Navarro et al. 2022
//! ```
//!
//! Rows may have weights w: a mean is then sum w l / sum w. The logarithms of `moments` make it no mean over rows.

use std::fmt;

use candle_core::{DType, Tensor};

use super::error::NetworkError;
use super::settings::{Setting, Settings};
use super::shape::Shape;
use crate::base::suggest;

mod table;
#[cfg(test)]
pub(super) mod tests;

pub use table::LOSSES;
use table::{Body, Elements};

/// What a loss compares the output with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetKind {
    /// Numbers, as many as outputs.
    Values,
    /// Numbers, half as many as outputs: an output is a location and a spread.
    Located,
    /// A class from 0 for each row or place; the outputs are logits along the last axis, or along the first of
    /// `[classes, height, width]`.
    Classes,
    /// Numbers from 0 to 1, as many as outputs (logits).
    Flags,
    /// Probabilities that sum to 1 along the last axis, as many as outputs (logits).
    Probabilities,
}

/// A row of the table of losses.
pub struct LossKind {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// What it is set by.
    pub settings: &'static [Setting],
    /// What the target is.
    pub target: TargetKind,
    /// Whether it is a mean of squared residuals, which Levenberg-Marquardt and the natural gradient need.
    pub squares: bool,
    body: Body,
}

impl fmt::Debug for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A loss with its settings.
#[derive(Clone, Debug)]
pub struct Loss {
    kind: &'static LossKind,
    settings: Settings,
    class_weights: Option<Vec<f64>>,
}

impl PartialEq for Loss {
    fn eq(&self, other: &Loss) -> bool {
        let same = self.kind.name == other.kind.name && self.settings == other.settings;
        same && self.class_weights == other.class_weights
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.name, self.settings)
    }
}

impl Loss {
    /// The loss of a name: `Loss::new("huber", &[("delta", 0.5)])`.
    ///
    /// # Errors
    /// No such loss, no such setting, or a value out of its range.
    pub fn new(name: &str, given: &[(&str, f64)]) -> Result<Loss, NetworkError> {
        let names = || LOSSES.iter().map(|k| k.name);
        let Some(kind) = LOSSES.iter().find(|k| k.name == name) else {
            return Err(NetworkError::UnknownName {
                what: "a loss",
                name: name.into(),
                names: names().collect::<Vec<_>>().join(", "),
                nearest: suggest::nearest(name, names()).map(str::to_string),
            });
        };
        Ok(Loss { kind, settings: Settings::new(name, kind.settings, given)?, class_weights: None })
    }

    /// The same with a weight for each class (cross entropy only), as where classes differ in their numbers of rows.
    ///
    /// # Errors
    /// Another loss, or weights that are negative, not finite or all 0.
    pub fn with_class_weights(mut self, weights: Vec<f64>) -> Result<Loss, NetworkError> {
        let bad = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0));
        let found = match bad {
            _ if self.kind.target != TargetKind::Classes => "a loss without classes".to_string(),
            Some(w) => w.to_string(),
            None if weights.iter().all(|w| *w == 0.0) => "only zeros".to_string(),
            None => {
                self.class_weights = Some(weights);
                return Ok(self);
            }
        };
        Err(self.input("class weights >= 0 of cross_entropy", found, Some("cross_entropy".into())))
    }

    /// Its row of the table.
    pub fn kind(&self) -> &'static LossKind {
        self.kind
    }

    /// The weights of classes, where there are some.
    pub fn class_weights(&self) -> Option<&[f64]> {
        self.class_weights.as_deref()
    }

    fn input(&self, expected: impl Into<String>, found: String, hint: Option<String>) -> NetworkError {
        NetworkError::LossInput { loss: self.to_string(), expected: expected.into(), found, hint }
    }

    /// Whether outputs and targets of these shapes, without the batch axis, fit; the number of classes where the target
    /// is classes. A target of shape `[]` fits one output `[1]`.
    ///
    /// # Errors
    /// The message says which target the loss takes for this output.
    pub fn check_shapes(&self, output: &Shape, target: &[usize]) -> Result<Option<usize>, NetworkError> {
        let o = output.sizes();
        let count = |sizes: &[usize]| sizes.iter().product::<usize>();
        let found = format!("a target of shape {target:?}");
        match self.kind.target {
            TargetKind::Classes => {
                let (classes, places) = match o {
                    [] => return Err(self.input("outputs that are logits of classes", found, None)),
                    [classes, height, width] => (*classes, vec![*height, *width]),
                    [places @ .., classes] => (*classes, places.to_vec()),
                };
                if target != places {
                    let expected = match places.as_slice() {
                        [] => format!("one class for each row with outputs {output}"),
                        _ => format!("a class for each of {places:?} with outputs {output}"),
                    };
                    return Err(self.input(expected, found, None));
                }
                if let Some(w) = self.class_weights.as_ref().filter(|w| w.len() != classes) {
                    let found = format!("{} class weights", w.len());
                    return Err(self.input(format!("a weight for each of {classes} classes"), found, None));
                }
                Ok(Some(classes))
            }
            TargetKind::Located => {
                let half = o.last().is_some_and(|k| k % 2 == 0) && count(o) == 2 * count(target);
                let same =
                    o.len() <= 1 || target.len() == o.len() && target[..o.len() - 1] == o[..o.len() - 1];
                if half && same {
                    return Ok(None);
                }
                let needed = 2 * target.last().copied().unwrap_or(1);
                let hint = Some(format!("dense({needed})"));
                let expected = format!("outputs that are twice the targets, {needed}");
                Err(self.input(expected, format!("outputs {output}"), hint))
            }
            _ if target == o || target.is_empty() && o == [1] => Ok(None),
            _ => {
                let hint = (o.len() == 1 && target.len() <= 1).then(|| format!("dense({})", count(target)));
                Err(self.input(format!("a target of the shape of the outputs, {output}"), found, hint))
            }
        }
    }

    /// The target as the body takes it.
    fn fit(&self, output: &Tensor, target: &Tensor) -> candle_core::Result<Tensor> {
        match self.kind.target {
            TargetKind::Classes => target.to_dtype(DType::U32),
            TargetKind::Located => {
                let mut dims = output.dims().to_vec();
                if let Some(last) = dims.last_mut() {
                    *last /= 2;
                }
                target.to_dtype(output.dtype())?.reshape(dims)
            }
            _ => target.to_dtype(output.dtype())?.reshape(output.shape()),
        }
    }

    /// The loss of a batch, a scalar in the outputs' precision: `output` `[rows, ...]`, `target` as [`Loss::check_shapes`]
    /// says, `weights` `[rows]`.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn value(
        &self,
        output: &Tensor,
        target: &Tensor,
        weights: Option<&Tensor>,
    ) -> Result<Tensor, NetworkError> {
        let target = self.fit(output, target)?;
        let Elements { values, weights: own } = match &self.kind.body {
            Body::Mean(body) => body(self, output, &target)?,
            Body::Whole(body) => return Ok(body(self, output, &target, weights)?),
        };
        let Some(rows) = weights else {
            return Ok(match own {
                None => values.mean_all()?,
                Some(own) => (values.sum_all()? / own.sum_all()?)?,
            });
        };
        let mut column = vec![1; values.rank()];
        column[0] = rows.elem_count();
        let rows = rows.reshape(column)?.broadcast_as(values.shape())?.contiguous()?;
        let total = match own {
            None => rows.sum_all()?,
            Some(own) => (own * &rows)?.sum_all()?,
        };
        Ok(((values * rows)?.sum_all()? / total)?)
    }

    /// Residuals r of a batch, one long column, such that the loss is the mean of r^2; `None` for a loss that is no mean
    /// of squares.
    pub fn residuals(
        &self,
        output: &Tensor,
        target: &Tensor,
        weights: Option<&Tensor>,
    ) -> Option<Result<Tensor, NetworkError>> {
        self.kind.squares.then(|| {
            let r = (output - self.fit(output, target)?)?;
            let Some(w) = weights else { return Ok(r.flatten_all()?) };
            let mut column = vec![1; r.rank()];
            column[0] = w.elem_count();
            let w = w.broadcast_div(&w.mean_all()?)?.sqrt()?.reshape(column)?;
            Ok(r.broadcast_mul(&w)?.flatten_all()?)
        })
    }
}
