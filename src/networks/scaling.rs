//! What the outputs of a network mean for a loss: their location and size, and the number that they stand for. A loss that sees (x - shift)/factor of outputs and targets does not depend on the unit of
//! the target: its gradients, tolerances and goals are those of numbers near 1.

use candle_core::Tensor;

use super::error::NetworkError;
use super::loss::{Loss, TargetKind};
use super::shape::Shape;

/// Location and size of every feature of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Taken off.
    pub shift: Vec<f64>,
    /// Divided by; above 0.
    pub factor: Vec<f64>,
}

/// Whether targets of a loss are numbers that have a scale.
pub fn is_scaled(loss: &Loss) -> bool {
    match loss.kind().target {
        TargetKind::Values => loss.kind().name != "poisson_nll",
        TargetKind::Located => true,
        _ => false,
    }
}

/// From an output of a network to the number that it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// The output itself.
    Same,
    /// exp(o): the logarithm of a mean.
    Exp,
    /// exp(o/2): the logarithm of a variance, as a deviation.
    Deviation,
    /// |o|: a deviation of either sign.
    Size,
}

impl Link {
    /// What output `k` of `width` along the last axis stands for.
    pub fn of(loss: &Loss, k: usize, width: usize) -> Link {
        match loss.kind().name {
            "poisson_nll" => Link::Exp,
            "gaussian_nll" if 2 * k >= width => Link::Deviation,
            "moments" if 2 * k >= width => Link::Size,
            _ => Link::Same,
        }
    }

    /// The number that an output stands for.
    pub fn apply(self, o: f64) -> f64 {
        match self {
            Link::Same => o,
            Link::Exp => o.exp(),
            Link::Deviation => (o / 2.0).exp(),
            Link::Size => o.abs(),
        }
    }
}

impl Scaling {
    /// Shift and factor of the outputs of a network whose targets have this scaling: a network for gaussian_nll gives the
    /// logarithm of a variance beside a mean, one for moments a deviation.
    pub fn of_outputs(&self, loss: &Loss) -> Scaling {
        let Scaling { shift, factor } = self;
        if loss.kind().target != TargetKind::Located {
            return self.clone();
        }
        let k = factor.len();
        let logarithm = loss.kind().name == "gaussian_nll";
        let more_shift = (0..k).map(|i| if logarithm { 2.0 * factor[i].ln() } else { 0.0 });
        let more_factor = (0..k).map(|i| if logarithm { 1.0 } else { factor[i] });
        Scaling {
            shift: shift.iter().copied().chain(more_shift).collect(),
            factor: factor.iter().copied().chain(more_factor).collect(),
        }
    }

    /// (x - shift)/factor for `[rows, ...]`.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let sizes = &x.dims()[1.min(x.rank())..];
        let mut along = vec![1; x.rank()];
        let axis = 1 + Shape::new(sizes).feature_axis();
        if let Some(size) = along.get_mut(axis).filter(|_| self.factor.len() > 1) {
            *size = self.factor.len();
        }
        let tensor = |values: Vec<f64>| -> Result<Tensor, NetworkError> {
            Ok(Tensor::from_vec(values, along.as_slice(), x.device())?.to_dtype(x.dtype())?)
        };
        let inverse = tensor(self.factor.iter().map(|f| 1.0 / f).collect())?;
        Ok(x.broadcast_sub(&tensor(self.shift.clone())?)?.broadcast_mul(&inverse)?)
    }

    /// Outputs and targets of a batch as the loss sees them.
    pub(crate) fn both(
        &self,
        loss: &Loss,
        output: &Tensor,
        target: &Tensor,
    ) -> Result<(Tensor, Tensor), NetworkError> {
        let mut dims = output.dims().to_vec();
        if let Some(last) = dims.last_mut().filter(|_| loss.kind().target == TargetKind::Located) {
            *last /= 2;
        }
        let target = target.to_dtype(output.dtype())?.reshape(dims)?;
        Ok((self.of_outputs(loss).apply(output)?, self.apply(&target)?))
    }
}
