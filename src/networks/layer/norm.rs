//! Normalisation: (x - mean)/(variance + epsilon)^(1/2), then a trained scale and shift for every feature. The kinds
//! differ in what mean and variance are taken over: the batch and all positions of a feature (Ioffe & Szegedy 2015), all
//! features of a position (Ba, Kiros & Hinton 2016), a group of features with all positions (Wu & He 2018); `rms_norm`
//! divides by the root of the mean square alone (Zhang & Sennrich 2019).

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::lengths::Presence;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::Shape;
use super::Behaviour;
use super::plan::{Node, Plan, Run, Site};

/// What statistics are taken over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Norm {
    /// The batch and the positions.
    Batch,
    /// The batch, the positions and the eight turned copies of a feature.
    Turned,
    /// The features at a position.
    Layer,
    /// A group of features and the positions.
    Group,
    /// The features at a position, with mean 0.
    Rms,
}

impl Norm {
    /// How many features have a scale and shift of their own, for so many features.
    fn own(self, site: &Site, x: &Shape) -> Result<usize, NetworkError> {
        let features = x.features();
        match self {
            Norm::Turned if !features.is_multiple_of(8) => {
                Err(site.shape_error("channels in eights, as d4_lift makes them", x))
            }
            Norm::Turned => Ok(features / 8),
            Norm::Group => {
                let groups = site.layer.size_or("groups", 1);
                if features.is_multiple_of(groups) {
                    Ok(features)
                } else {
                    Err(site.divide_error("a number of groups", "groups", features, groups))
                }
            }
            _ => Ok(features),
        }
    }
}

impl Behaviour for Norm {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let ranks: &[usize] = if *self == Norm::Turned { &[3] } else { &[1, 2, 3] };
        let x = site.ranked(&inputs[0], ranks)?;
        site.sequence(x)?;
        let own = self.own(site, x)?;
        let mut plan = Plan::new(x.clone());
        if site.layer.flag("affine") {
            plan = plan.parameter("weight", &[own], Init::Constant(1.0));
            if *self != Norm::Rms {
                plan = plan.parameter("bias", &[own], Init::Constant(0.0));
            }
        }
        if matches!(self, Norm::Batch | Norm::Turned) {
            plan = plan.buffer("mean", &[own], Init::Constant(0.0));
            plan = plan.buffer("variance", &[own], Init::Constant(1.0));
        }
        Ok(plan)
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        let (batch, features) = (x.dim(0)?, node.inputs[0].features());
        let epsilon = node.layer.real("epsilon");
        let turned = *self == Norm::Turned;
        let own = if turned { features / 8 } else { features };
        let weight = match run.weight(node, "weight") {
            Ok(weight) => weight,
            Err(_) => Tensor::ones(own, x.dtype(), x.device())?,
        };
        let bias = match run.bias(node) {
            Some(bias) => bias,
            None => Tensor::zeros(own, x.dtype(), x.device())?,
        };
        if let Some(presence) = run.presence(&node.inputs[0], x)? {
            if *self == Norm::Group {
                return over_elements(x, &presence, &weight, &bias, node);
            }
            if *self == Norm::Batch && run.pass.training {
                let elements = presence.gather(x)?.unsqueeze(2)?;
                return presence.spread(&by_batch(&elements, &weight, &bias, node, run)?.squeeze(2)?);
            }
        }
        match self {
            Norm::Layer | Norm::Rms => {
                let last =
                    if x.rank() == 4 { ops::contiguous(&x.permute((0, 2, 3, 1))?)? } else { x.clone() };
                let y = match self {
                    Norm::Layer => ops::layer_norm(&last, &weight, Some(&bias), epsilon)?,
                    _ => ops::rms_norm(&last, &weight, epsilon)?,
                };
                Ok(if x.rank() == 4 { ops::contiguous(&y.permute((0, 3, 1, 2))?)? } else { y })
            }
            Norm::Batch | Norm::Turned | Norm::Group => {
                // [batch, features, positions]
                let channels = match x.rank() {
                    4 => x.reshape((batch, own, ()))?,
                    3 => ops::contiguous(&x.transpose(1, 2)?)?,
                    _ => x.unsqueeze(2)?,
                };
                let y = if *self == Norm::Group {
                    let groups = node.layer.size_or("groups", 1);
                    ops::group_norm(&channels, &weight, &bias, groups, epsilon)?
                } else {
                    by_batch(&channels, &weight, &bias, node, run)?
                };
                Ok(if x.rank() == 3 { ops::contiguous(&y.transpose(1, 2)?)? } else { y.reshape(x.dims())? })
            }
        }
    }
}

/// Normalises the groups of features of `[batch, positions, features]` over the positions that are there.
fn over_elements(
    x: &Tensor,
    presence: &Presence,
    weight: &Tensor,
    bias: &Tensor,
    node: &Node,
) -> Result<Tensor, NetworkError> {
    let (batch, longest, features) = x.dims3()?;
    let groups = node.layer.size_or("groups", 1);
    let own = features / groups;
    let grouped = ops::contiguous(x)?.reshape((batch, longest, groups, own))?;
    // the mean over a group of the means over the positions
    let mean = |x: &Tensor| presence.mean(x)?.mean_keepdim(2)?.unsqueeze(1).map_err(NetworkError::from);
    let centred = grouped.broadcast_sub(&mean(&grouped)?)?;
    let deviation = (mean(&centred.sqr()?)? + node.layer.real("epsilon"))?.sqrt()?;
    let y = centred.broadcast_div(&deviation)?.reshape((batch, longest, features))?;
    Ok(y.broadcast_mul(weight)?.broadcast_add(bias)?)
}

/// Normalises `[batch, features, positions]` by the batch, whose statistics the buffers follow, or by the buffers.
fn by_batch(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    node: &Node,
    run: &Run,
) -> Result<Tensor, NetworkError> {
    let (mean, variance) = (run.buffer(node, "mean")?, run.buffer(node, "variance")?);
    let epsilon = node.layer.real("epsilon");
    if !run.pass.training {
        // copies, so that a later training pass does not change what this graph holds
        let (mean, variance) = (mean.as_detached_tensor().copy()?, variance.as_detached_tensor().copy()?);
        return Ok(ops::batch_norm_with(x, weight, bias, &mean, &variance, epsilon)?);
    }
    let normed = ops::batch_norm(x, weight, bias, epsilon)?;
    let momentum = node.layer.real("momentum");
    for (kept, now) in [(mean, &normed.mean), (variance, &normed.variance)] {
        let next = ((kept.as_detached_tensor() * (1.0 - momentum))? + (now * momentum)?)?;
        kept.set(&next)?;
    }
    Ok(normed.y)
}
