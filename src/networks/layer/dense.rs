//! The dense layer and first values for weights.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::Shape;
use super::Behaviour;
use super::plan::{Node, Plan, Run, Site};

/// First values for a weight with so many inputs and outputs a number, by the option `init` or, where that is `auto`,
/// by the activation that follows.
pub(super) fn first_values(site: &Site, fan_in: usize, fan_out: usize) -> Init {
    match (site.layer.word("init"), site.after()) {
        ("he", _) => Init::he(fan_in),
        ("lecun", _) => Init::lecun(fan_in),
        ("glorot", _) => Init::glorot(fan_in, fan_out),
        ("orthogonal", _) => Init::Orthogonal(1),
        ("zeros", _) => Init::Constant(0.0),
        (_, Some("relu" | "leaky_relu" | "elu" | "gelu" | "silu")) => Init::he(fan_in),
        (_, Some("selu")) => Init::lecun(fan_in),
        _ => Init::glorot(fan_in, fan_out),
    }
}

/// `y = W x + b` at every position.
pub(super) struct Dense;

impl Behaviour for Dense {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[1, 2])?;
        let (units, features) = (site.layer.size_or("units", 1), x.features());
        let plan = Plan::new(x.with_features(units))
            .parameter("weight", &[units, features], first_values(site, features, units))
            .cost(x.positions() * features * units);
        Ok(if site.layer.flag("bias") { plan.parameter("bias", &[units], Init::Constant(0.0)) } else { plan })
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        Ok(ops::linear(&inputs[0], &run.weight(node, "weight")?, run.bias(node).as_ref())?)
    }
}
