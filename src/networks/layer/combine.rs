//! Layers made of layers.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::shape::Shape;
use super::plan::{Node, Plan, Run, Site};
use super::sets::by_element;
use super::{Behaviour, Layer, Setting};

/// The activation that a layer's output meets first, through layers that only rescale, drop or thin out.
fn meets<'a>(rest: impl Iterator<Item = &'a Layer>) -> Option<&'static str> {
    let passes = ["batch_norm", "layer_norm", "group_norm", "rms_norm", "d4_norm", "dropout", "pool"];
    rest.map(|l| l.kind().name).find(|name| !passes.contains(name))
}

/// One after the other. The first layer gets all inputs; every later one gets the output of the one before and, where
/// it takes more, the further inputs of the chain.
pub(super) struct Chain;

impl Behaviour for Chain {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let mut flow = inputs.to_vec();
        let mut children = Vec::new();
        let layers = site.layer.inner();
        for (i, layer) in layers.iter().enumerate() {
            let after = if i + 1 == layers.len() { site.after() } else { meets(layers[i + 1..].iter()) };
            let node = site.inside(i, layer, &flow, after)?;
            flow[0] = node.output.clone();
            children.push(node);
        }
        Ok(Plan::new(flow.swap_remove(0)).children(children))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let mut flow = inputs.to_vec();
        for child in &node.children {
            flow[0] = child.forward(&flow, run)?;
        }
        Ok(flow.swap_remove(0))
    }
}

/// `x + f(x)` (He et al. 2016). Where f changes the shape, x goes through a projection: a convolution with kernel 1 and
/// a stride, normalised if f is, or a dense layer.
pub(super) struct Residual;

impl Residual {
    fn projection(site: &Site, x: &Shape, y: &Shape) -> Result<Layer, NetworkError> {
        let unfit = || {
            let error = site.shape_error(format!("an inner layer that gives {x} or fewer positions"), y);
            error.with_hint("padding: same")
        };
        if x.rank() != y.rank() {
            return Err(unfit());
        }
        let off = Setting::Boolean(false);
        if x.rank() < 3 {
            if x.positions() != y.positions() || x.varies() != y.varies() {
                return Err(unfit());
            }
            return Layer::new("dense", &[("units", y.features().into()), ("bias", off)], vec![]);
        }
        if ["d4_lift", "d4_conv"].iter().any(|kind| contains(site.layer, kind)) {
            // the shortcut must turn as the layer inside does
            let eights = x.features().is_multiple_of(8) && y.features().is_multiple_of(8);
            if !eights || x.sizes()[1..] != y.sizes()[1..] {
                return Err(unfit());
            }
            let options = [("channels", (y.features() / 8).into()), ("kernel", 1.into()), ("bias", off)];
            return Layer::new("d4_conv", &options, vec![]);
        }
        let strides: Vec<usize> = (1..3).map(|i| x.sizes()[i].div_ceil(y.sizes()[i])).collect();
        if (1..3).any(|i| x.sizes()[i].div_ceil(strides[i - 1]) != y.sizes()[i]) {
            return Err(unfit());
        }
        let list = Setting::List(strides.iter().map(|s| *s as f64).collect());
        let stride = if strides[0] == strides[1] { strides[0].into() } else { list };
        let options =
            [("channels", y.features().into()), ("kernel", 1.into()), ("stride", stride), ("bias", off)];
        let conv = Layer::new("conv", &options, vec![])?;
        if contains(site.layer, "batch_norm") {
            return Layer::chain(vec![conv, Layer::new("batch_norm", &[], vec![])?]);
        }
        Ok(conv)
    }
}

fn contains(layer: &Layer, kind: &str) -> bool {
    layer.kind().name == kind || layer.inner().iter().any(|l| contains(l, kind))
}

impl Behaviour for Residual {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let inner = site.inside(0, &site.layer.inner()[0], inputs, None)?;
        let output = inner.output.clone();
        let mut children = vec![inner];
        if output != inputs[0] {
            let projection = Residual::projection(site, &inputs[0], &output)?;
            children.push(site.inside(1, &projection, &inputs[..1], None)?);
        }
        Ok(Plan::new(output).children(children))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let y = node.children[0].forward(inputs, run)?;
        let x = match node.children.get(1) {
            Some(projection) => projection.forward(inputs, run)?,
            None => inputs[0].clone(),
        };
        Ok((x + y)?)
    }
}

/// The shape of branches put together: side by side along the features, or combined number by number.
fn merged(site: &Site, shapes: &[Shape]) -> Result<Shape, NetworkError> {
    let first = &shapes[0];
    let concat = site.layer.word("merge") == "concat";
    for shape in shapes {
        let fits = shape.rank() == first.rank()
            && if concat {
                shape.with_features(1).is_like(&first.with_features(1))
            } else {
                shape.is_like(first)
            };
        if !fits {
            let expected = if concat {
                format!("branches of the same positions as {first}")
            } else {
                format!("branches of shape {first}")
            };
            return Err(site.shape_error(expected, shape).with_hint("merge: concat"));
        }
    }
    if !concat {
        return Ok(first.clone());
    }
    Ok(first.with_features(shapes.iter().map(Shape::features).sum()))
}

/// Branches `branches` of the shapes `shapes` as one.
fn merge(node: &Node, shapes: &[&Shape], branches: &[Tensor], run: &Run) -> Result<Tensor, NetworkError> {
    let first = &branches[0];
    for (shape, branch) in shapes.iter().zip(branches).skip(1) {
        run.agree(node, (shapes[0], first), (shape, branch))?;
    }
    let rest = branches[1..].iter();
    Ok(match node.layer.word("merge") {
        "add" => rest.clone().try_fold(first.clone(), |sum, b| sum.add(b))?,
        "multiply" => rest.clone().try_fold(first.clone(), |product, b| product.mul(b))?,
        _ => Tensor::cat(branches, node.output.feature_axis() + 1)?.contiguous()?,
    })
}

/// All inner layers see the same inputs; their outputs are merged.
pub(super) struct Parallel;

impl Behaviour for Parallel {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let branch = |(i, layer)| site.inside(i, layer, inputs, None);
        let children: Vec<Node> =
            site.layer.inner().iter().enumerate().map(branch).collect::<Result<_, _>>()?;
        let shapes: Vec<Shape> = children.iter().map(|c| c.output.clone()).collect();
        Ok(Plan::new(merged(site, &shapes)?).children(children))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let branches: Vec<Tensor> =
            node.children.iter().map(|c| c.forward(inputs, run)).collect::<Result<_, _>>()?;
        let shapes: Vec<&Shape> = node.children.iter().map(|c| &c.output).collect();
        merge(node, &shapes, &branches, run)
    }
}

/// The input merged with what the inner layer makes of it.
pub(super) struct Skip;

impl Behaviour for Skip {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let inner = site.inside(0, &site.layer.inner()[0], inputs, None)?;
        let output = merged(site, &[inputs[0].clone(), inner.output.clone()])?;
        Ok(Plan::new(output).children(vec![inner]))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let y = node.children[0].forward(inputs, run)?;
        merge(node, &[&node.inputs[0], &node.children[0].output], &[inputs[0].clone(), y], run)
    }
}

/// `network(x, context(c), ...)`: the second input goes through a network of its own first.
pub(super) struct Conditioned;

impl Behaviour for Conditioned {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let [context, network] = [&site.layer.inner()[0], &site.layer.inner()[1]];
        if network.takes() < 2 {
            let expected = "a second layer inside that takes two inputs".to_string();
            return Err(NetworkError::Inputs { path: site.path(), expected, found: network.takes() });
        }
        let context = site.inside(0, context, &inputs[1..], None)?;
        let mut flow = inputs.to_vec();
        flow[1] = context.output.clone();
        let network = site.inside(1, network, &flow, site.after())?;
        Ok(Plan::new(network.output.clone()).children(vec![context, network]))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let mut flow = inputs.to_vec();
        flow[1] = node.children[0].forward(&inputs[1..], run)?;
        node.children[1].forward(&flow, run)
    }
}

/// One of several inputs.
pub(super) struct Input;

impl Behaviour for Input {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let index = site.layer.size_or("index", 0);
        let input = inputs.get(index).ok_or_else(|| NetworkError::Inputs {
            path: site.path(),
            expected: format!("at least {} inputs", index + 1),
            found: inputs.len(),
        })?;
        Ok(Plan::new(input.clone()))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        Ok(inputs[node.layer.size_or("index", 0)].clone())
    }
}

/// The same layer at every element along the first axis.
pub(super) struct Each;

impl Behaviour for Each {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3, 4])?;
        let count = x.sizes()[0];
        let inner = site.inside(0, &site.layer.inner()[0], &[x.without(0)], site.after())?;
        let output = Shape::new(&inner.output.batched(count)).varying(x.varies().copied());
        // the cost of the layer inside is counted once there, for the other elements here
        let mut cost: usize = 0;
        inner.visit(0, &mut |node, _| cost = cost.saturating_add(node.cost as usize));
        Ok(Plan::new(output).children(vec![inner]).cost(cost.saturating_mul(count - 1)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let presence = run.presence(&node.inputs[0], &inputs[0])?;
        by_element(&node.children[0], &inputs[0], presence.as_ref(), run)
    }
}
