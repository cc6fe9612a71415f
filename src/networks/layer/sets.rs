//! Layers of sets `[elements, features]`, whose elements have no order: reordering the input reorders the output
//! (`set_dense`), or leaves it as it is (`deep_set`).

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::lengths::Presence;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::Shape;
use super::Behaviour;
use super::dense::first_values;
use super::plan::{Node, Plan, Run, Site};
use super::pool::over_positions;

/// readout(pool over elements of element(x_i)) (Zaheer et al. 2017).
pub(super) struct DeepSet;

impl Behaviour for DeepSet {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let [element, readout] = [&site.layer.inner()[0], &site.layer.inner()[1]];
        let x = site.ranked(&inputs[0], &[2])?;
        let count = x.positions();
        let element = site.inside(0, element, &[Shape::from([x.features()])], None)?;
        if element.output.rank() != 1 {
            return Err(site.shape_error("an element network that gives [features]", &element.output));
        }
        let readout = site.inside(1, readout, std::slice::from_ref(&element.output), site.after())?;
        let mut cost: usize = 0;
        element.visit(0, &mut |node, _| cost = cost.saturating_add(node.cost as usize));
        let output = readout.output.clone();
        Ok(Plan::new(output).children(vec![element, readout]).cost(cost.saturating_mul(count - 1)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let presence = run.presence(&node.inputs[0], &inputs[0])?;
        let y = by_element(&node.children[0], &inputs[0], presence.as_ref(), run)?;
        let pooled = over_positions(&y, node.layer.word("pool"), presence.as_ref())?;
        node.children[1].forward(&[pooled], run)
    }
}

/// A layer at every element along the first axis: `[batch, elements, ...output]`. Elements that are not there are left
/// out, and give zeros.
pub(super) fn by_element(
    layer: &Node,
    x: &Tensor,
    presence: Option<&Presence>,
    run: &mut Run,
) -> Result<Tensor, NetworkError> {
    match presence {
        Some(presence) => presence.spread(&layer.forward(&[presence.gather(x)?], run)?),
        None => {
            let y = layer.forward(&[ops::contiguous(x)?.flatten(0, 1)?], run)?;
            let sizes = [&[x.dim(0)?, x.dim(1)?], &y.dims()[1..]].concat();
            Ok(y.reshape(sizes)?)
        }
    }
}

/// W x_i + V pool(x) + b: the linear layer that commutes with reordering (Zaheer et al. 2017).
pub(super) struct SetDense;

impl Behaviour for SetDense {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        let (units, features) = (site.layer.size_or("units", 1), x.features());
        Ok(Plan::new(x.with_features(units))
            .parameter("weight", &[units, features], first_values(site, features, units))
            .parameter("pool_weight", &[units, features], first_values(site, features, units))
            .parameter("bias", &[units], Init::Constant(0.0))
            .cost((x.positions() + 1) * features * units))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let own = ops::linear(&inputs[0], &run.weight(node, "weight")?, run.bias(node).as_ref())?;
        let presence = run.presence(&node.inputs[0], &inputs[0])?;
        let pooled = over_positions(&inputs[0], node.layer.word("pool"), presence.as_ref())?;
        let shared = ops::linear(&pooled, &run.weight(node, "pool_weight")?, None)?;
        Ok(own.broadcast_add(&shared.unsqueeze(1)?)?)
    }
}
