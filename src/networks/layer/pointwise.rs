//! Layers that leave the shape as it is: activations, softmax, dropout, and scaling by fixed numbers.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::ops::{self, Activation};
use super::super::shape::Shape;
use super::plan::{Node, Plan, Run, Site, Table};
use super::{Behaviour, Layer};

/// A function of every number by itself.
pub(super) struct Pointwise(pub fn(&Tensor, &Layer) -> candle_core::Result<Tensor>);

impl Behaviour for Pointwise {
    fn plan(&self, _: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        Ok(Plan::new(inputs[0].clone()))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        Ok((self.0)(&inputs[0], &node.layer)?)
    }
}

/// One of the activations that are an operation of their own.
pub(super) struct Fixed(pub Activation);

impl Behaviour for Fixed {
    fn plan(&self, _: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        Ok(Plan::new(inputs[0].clone()))
    }

    fn forward(&self, _: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        Ok(ops::activate(&inputs[0], self.0)?)
    }
}

/// sin(frequency x).
pub(super) fn sine(x: &Tensor, layer: &Layer) -> candle_core::Result<Tensor> {
    let frequency = layer.real("frequency");
    let inside = if frequency == 1.0 { x.clone() } else { (x * frequency)? };
    ops::activate(&inside, Activation::Sin)
}

/// An operation along the features.
pub(super) struct AlongFeatures(pub fn(&Tensor) -> candle_core::Result<Tensor>);

impl Behaviour for AlongFeatures {
    fn plan(&self, _: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        Ok(Plan::new(inputs[0].clone()))
    }

    fn forward(&self, _: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        if x.rank() != 4 {
            return Ok((self.0)(x)?);
        }
        let y = (self.0)(&ops::contiguous(&x.permute((0, 2, 3, 1))?)?)?;
        Ok(ops::contiguous(&y.permute((0, 3, 1, 2))?)?)
    }
}

/// In training every number is dropped with a probability, and those kept are divided by the probability to be kept
/// (Srivastava et al. 2014).
pub(super) struct Dropout;

impl Behaviour for Dropout {
    fn plan(&self, _: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        Ok(Plan::new(inputs[0].clone()))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        if !run.pass.training {
            return Ok(inputs[0].clone());
        }
        Ok(ops::dropout(&inputs[0], node.layer.real("rate"), &mut run.pass.rng)?)
    }
}

/// `factor x + shift` with fixed numbers, one for all or one a feature.
pub(super) enum Affine {
    /// factor x + shift
    Scale,
    /// (x - mean)/deviation
    Normalise,
}

impl Affine {
    /// The numbers of an option for so many features.
    fn numbers(site: &Site, x: &Shape, option: &'static str) -> Result<Vec<f64>, NetworkError> {
        let given = site.layer.reals(option);
        match given.len() {
            // Where the first of three sizes varies it is none of features.
            1 if x.varies().is_some() && x.rank() != 2 => Ok(given),
            1 => Ok(vec![given[0]; x.features()]),
            n if n == x.features() && (x.varies().is_none() || x.rank() == 2) => Ok(given),
            n => {
                let expected = format!("one number or {} (one a feature of {x})", x.features());
                Err(site.option_error(option, expected, format!("{n} numbers")))
            }
        }
    }
}

impl Behaviour for Affine {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[1, 2, 3])?;
        let (factor, shift) = match self {
            Affine::Scale => (Affine::numbers(site, x, "factor")?, Affine::numbers(site, x, "shift")?),
            Affine::Normalise => {
                let (mean, deviation) =
                    (Affine::numbers(site, x, "mean")?, Affine::numbers(site, x, "deviation")?);
                if deviation.iter().any(|d| *d <= 0.0) {
                    let found = site.layer.setting("deviation");
                    return Err(site.option_error("deviation", "numbers above 0", found));
                }
                let shift = mean.iter().zip(&deviation).map(|(m, d)| -m / d).collect();
                (deviation.iter().map(|d| 1.0 / d).collect(), shift)
            }
        };
        let mut sizes = vec![1; x.rank() + 1];
        sizes[x.feature_axis() + 1] = factor.len();
        Ok(Plan::new(x.clone()).constant(&sizes, Table::Reals(factor)).constant(&sizes, Table::Reals(shift)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let (factor, shift) = (run.constant(node, 0)?, run.constant(node, 1)?);
        Ok(inputs[0].broadcast_mul(&factor)?.broadcast_add(&shift)?)
    }
}
