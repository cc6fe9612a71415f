//! Attention: softmax(Q K^T/d^(1/2)) V for several heads side by side (Vaswani et al. 2017), and the block of a
//! transformer made of it.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::ops::{self, Mask};
use super::super::parameters::Init;
use super::super::shape::{Shape, product};
use super::plan::{Node, Plan, Run, Site};
use super::{Behaviour, Layer, Setting};

/// Who asks whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attention {
    /// A sequence itself.
    Own,
    /// A sequence another one, the second input.
    Cross,
    /// Trained queries a sequence: a fixed number of answers (Lee et al. 2019).
    Pool,
}

impl Attention {
    /// The number of heads, which must divide the width.
    fn heads(site: &Site, width: usize) -> Result<usize, NetworkError> {
        let heads = site.layer.size_or("heads", 1);
        if width.is_multiple_of(heads) {
            return Ok(heads);
        }
        Err(site.divide_error("a number of heads", "heads", width, heads))
    }
}

impl Behaviour for Attention {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        let width = x.features();
        Attention::heads(site, width)?;
        let keys = if *self == Attention::Cross { site.ranked(&inputs[1], &[2])? } else { x };
        let queries = if *self == Attention::Pool { site.layer.size_or("seeds", 1) } else { x.positions() };
        let square = |out: usize| Init::glorot(width, out);
        let zeros = Init::Constant(0.0);
        let length = x.varies().filter(|_| *self != Attention::Pool);
        let mut plan = Plan::new(Shape::from([queries, width]).varying(length.copied()));
        if *self == Attention::Own {
            // the bound is that of each of the three square matrices
            plan = plan.parameter("weight", &[3 * width, width], square(width));
            plan = plan.parameter("bias", &[3 * width], zeros.clone());
        } else {
            if *self == Attention::Pool {
                plan = plan.parameter("seeds", &[queries, width], Init::Normal(1.0));
            }
            plan = plan.parameter("query_weight", &[width, width], square(width));
            plan = plan.parameter("query_bias", &[width], zeros.clone());
            let memory = keys.features();
            plan = plan.parameter("weight", &[2 * width, memory], Init::glorot(memory, width));
            plan = plan.parameter("bias", &[2 * width], zeros.clone());
        }
        plan = plan.parameter("out_weight", &[width, width], square(width));
        plan = plan.parameter("out_bias", &[width], zeros);
        let costs = [
            product(&[2, queries, width, width]),
            product(&[2, keys.count(), width]),
            product(&[2, queries, keys.positions(), width]),
        ];
        Ok(plan.cost(costs.iter().fold(0, |sum: usize, c| sum.saturating_add(*c))))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        let heads = node.layer.size_or("heads", 1);
        let keys = usize::from(*self == Attention::Cross);
        let added = match run.presence(&node.inputs[keys], &inputs[keys])? {
            Some(presence) => Some(presence.hidden(x)?),
            None => None,
        };
        let mask = Mask { added, causal: node.layer.flag("causal") };
        let (weight, bias) = (run.weight(node, "weight")?, run.weight(node, "bias")?);
        let seen = if *self == Attention::Own {
            ops::self_attention(&ops::linear(x, &weight, Some(&bias))?, heads, &mask)?
        } else {
            let queries = match self {
                Attention::Pool => {
                    let seeds = run.weight(node, "seeds")?;
                    seeds.unsqueeze(0)?.broadcast_as((x.dim(0)?, seeds.dim(0)?, seeds.dim(1)?))?
                }
                _ => x.clone(),
            };
            let memory = if *self == Attention::Cross { &inputs[1] } else { x };
            let (query_weight, query_bias) =
                (run.weight(node, "query_weight")?, run.weight(node, "query_bias")?);
            let q = ops::linear(&ops::contiguous(&queries)?, &query_weight, Some(&query_bias))?;
            let pairs = ops::linear(memory, &weight, Some(&bias))?;
            let width = q.dim(2)?;
            let (k, v) = (pairs.narrow(2, 0, width)?, pairs.narrow(2, width, width)?);
            ops::attention(&q, &k, &v, heads, &mask)?
        };
        Ok(ops::linear(&seen, &run.weight(node, "out_weight")?, Some(&run.weight(node, "out_bias")?))?)
    }
}

/// Attention, attention to another sequence if `cross`, and a network of two dense layers at every position; each in a
/// residual, with its normalisation before (Xiong et al. 2020) or after (Vaswani et al. 2017).
pub(super) struct Block;

impl Block {
    fn layers(site: &Site, width: usize) -> Result<Layer, NetworkError> {
        let block = site.layer;
        let rate = block.real("dropout");
        let heads = block.setting("heads").clone();
        let norm = || Layer::new("layer_norm", &[], vec![]);
        let dense = |units: usize| Layer::new("dense", &[("units", units.into())], vec![]);
        let before = block.word("norm") == "before";
        let part = |mut layers: Vec<Layer>, out: &mut Vec<Layer>| -> Result<(), NetworkError> {
            if rate > 0.0 {
                layers.push(Layer::new("dropout", &[("rate", rate.into())], vec![])?);
            }
            if before {
                layers.insert(0, norm()?);
            }
            out.push(Layer::new("residual", &[], vec![Layer::chain(layers)?])?);
            if !before {
                out.push(norm()?);
            }
            Ok(())
        };
        let mut parts = Vec::new();
        let causal = Setting::Boolean(block.flag("causal"));
        part(
            vec![Layer::new("attention", &[("heads", heads.clone()), ("causal", causal)], vec![])?],
            &mut parts,
        )?;
        if block.flag("cross") {
            part(vec![Layer::new("cross_attention", &[("heads", heads)], vec![])?], &mut parts)?;
        }
        let hidden = block.size_or("hidden", 4 * width);
        let activation = Layer::new(block.word("activation"), &[], vec![])?;
        part(vec![dense(hidden)?, activation, dense(width)?], &mut parts)?;
        Layer::chain(parts)
    }
}

impl Behaviour for Block {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        Attention::heads(site, x.features())?;
        if site.layer.flag("cross") && inputs.len() < 2 {
            let expected = "2 inputs (a sequence, and another one to attend to)".to_string();
            return Err(NetworkError::Inputs { path: site.path(), expected, found: inputs.len() });
        }
        let node = site.as_other(&Block::layers(site, x.features())?, inputs)?;
        Ok(Plan::new(node.output.clone()).children(vec![node]))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        node.children[0].forward(inputs, run)
    }
}
