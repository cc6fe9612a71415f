//! Message passing on points (Gilmer et al. 2017; Satorras, Hoogeboom & Welling 2021 for messages of distances): every
//! node hears from the k nodes nearest to it,
//!
//! ```text
//! m_ij = message(h_i, h_j, e_ij)    h_i' = update(h_i, pool_j m_ij)
//! ```
//!
//! with e_ij the distance, or the displacement x_j - x_i and the distance. In a periodic box the displacement is that to
//! the nearest image. Gradients flow through displacements; the choice of neighbours is piecewise constant. A row with
//! fewer nodes than neighbours hears all of the others.

use candle_core::{D, DType, Tensor};

use super::super::error::NetworkError;
use super::super::lengths::{Lengths, Presence};
use super::super::ops;
use super::super::shape::Shape;
use super::plan::{Node, Plan, Run, Site};
use super::{Behaviour, Layer};

/// Below this the distance is rounded, so that its slope stays finite where two points coincide.
const SMALL: f64 = 1e-12;

/// One round of messages; inputs `[nodes, features]` and the points `[nodes, dimensions]`, or points alone.
pub(super) struct MessagePassing;

impl MessagePassing {
    /// The lengths of the periodic box; empty for none.
    fn periods(site: &Site, dimensions: usize) -> Result<Vec<f64>, NetworkError> {
        let given = site.layer.reals("box");
        if given.iter().any(|l| *l <= 0.0) {
            return Err(site.option_error("box", "lengths above 0", site.layer.setting("box")));
        }
        match given.len() {
            0 => Ok(given),
            1 => Ok(vec![given[0]; dimensions]),
            n if n == dimensions => Ok(given),
            n => Err(site.option_error("box", format!("one length or {dimensions}"), format!("{n} lengths"))),
        }
    }
}

impl Behaviour for MessagePassing {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let h = site.ranked(&inputs[0], &[2])?;
        let points = site.ranked(inputs.get(1).unwrap_or(h), &[2])?;
        let (nodes, features, dimensions) = (h.positions(), h.features(), points.features());
        if points.positions() != nodes || points.varies().is_some() != h.varies().is_some() {
            return Err(site.shape_error(format!("{} points, one a node", h.with_features(1)), points));
        }
        let (units, near) = (site.layer.size_or("units", 1), site.layer.size_or("neighbours", 1));
        if near >= nodes && h.varies().is_none() {
            let error = site.option_error("neighbours", format!("fewer than the {nodes} nodes"), near);
            return Err(error.with_hint(format!("neighbours: {}", (nodes - 1).max(1))));
        }
        MessagePassing::periods(site, dimensions)?;
        let hidden = site.layer.size_or("hidden", units);
        let edge = if site.layer.word("edges") == "distance" { 1 } else { dimensions + 1 };
        let dense = |units: usize| Layer::new("dense", &[("units", units.into())], vec![]);
        let silu = || Layer::new("silu", &[], vec![]);
        let message = Layer::chain(vec![dense(hidden)?, silu()?, dense(hidden)?, silu()?])?;
        let update = Layer::chain(vec![dense(hidden)?, silu()?, dense(units)?])?;
        let message = site.inside(0, &message, &[Shape::from([nodes * near, 2 * features + edge])], None)?;
        let update = site.inside(1, &update, &[Shape::from([nodes, features + hidden])], None)?;
        Ok(Plan::new(h.with_features(units)).children(vec![message, update]))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let h = &inputs[0];
        let points = inputs.get(1).unwrap_or(h);
        let (batch, nodes, features) = h.dims3()?;
        let dimensions = points.dim(2)?;
        let periods = MessagePassing::periods(&Site::top(&node.layer), dimensions)?;
        if let Some(shape) = node.inputs.get(1) {
            run.agree(node, (&node.inputs[0], h), (shape, points))?;
        }
        let lengths = run.lengths(&node.inputs[0]).unwrap_or_else(|| Lengths::new(vec![nodes; batch]));
        // As many as the row with the most nodes has; the nodes of others hear fewer.
        let most = lengths.longest().saturating_sub(1).max(1);
        let near = node.layer.size_or("neighbours", 1).min(most);
        let found = Neighbours::find(points, near, &periods, lengths.rows())?;

        let rows = |t: &Tensor, width: usize| ops::contiguous(t)?.reshape((batch * nodes, width));
        let (all, places) = (rows(h, features)?, rows(points, dimensions)?);
        let own = |t: &Tensor, width: usize| {
            t.unsqueeze(1)?.broadcast_as((batch * nodes, near, width))?.contiguous()
        };
        let other = |t: &Tensor, width: usize| {
            ops::gather_rows(t, &found.index)?.reshape((batch * nodes, near, width))
        };
        let shift = found.shift.to_dtype(points.dtype())?;
        let displacement = ((other(&places, dimensions)? - own(&places, dimensions)?)? + shift)?;
        let distance = (displacement.sqr()?.sum_keepdim(D::Minus1)? + SMALL)?.sqrt()?;
        let mut parts = vec![own(&all, features)?, other(&all, features)?, distance];
        if node.layer.word("edges") != "distance" {
            parts.push(displacement);
        }
        let edges = Tensor::cat(&parts, 2)?.reshape((batch, nodes * near, ()))?;
        let messages = node.children[0].forward(&[edges], run)?;
        let messages = messages.reshape((batch * nodes, near, ()))?;
        let heard = match Presence::new(Lengths::new(found.heard), near) {
            None => match node.layer.word("pool") {
                "max" => messages.max(1)?,
                "sum" => messages.sum(1)?,
                _ => messages.mean(1)?,
            },
            // A node that is alone hears nothing: zeros.
            Some(presence) => match node.layer.word("pool") {
                "max" => presence.greatest(&messages)?,
                "sum" => presence.sum(&messages)?,
                _ => presence.mean(&messages)?,
            },
        };
        let state = Tensor::cat(&[h.contiguous()?, heard.reshape((batch, nodes, ()))?], 2)?;
        node.children[1].forward(&[state], run)
    }
}

/// The nearest nodes of every node.
struct Neighbours {
    /// `[batch nodes neighbours]`: rows of the batch's nodes.
    index: Tensor,
    /// `[batch nodes, neighbours, dimensions]`: whole periods to be added to x_j - x_i.
    shift: Tensor,
    /// How many of them each node has; in their places behind these it stands itself.
    heard: Vec<usize>,
}

impl Neighbours {
    /// Nearest first; equally near ones in the order of the nodes. Row k has the first `lengths[k]` of the nodes.
    fn find(
        points: &Tensor,
        near: usize,
        periods: &[f64],
        lengths: &[usize],
    ) -> Result<Neighbours, NetworkError> {
        let (batch, nodes, dimensions) = points.dims3()?;
        let x = points.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let (mut index, mut shift, mut heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut order: Vec<(f64, usize)> = Vec::with_capacity(nodes);
        for i in 0..batch * nodes {
            let first = i / nodes * nodes;
            let gap = |j: usize, d: usize| {
                let gap = x[j * dimensions + d] - x[i * dimensions + d];
                periods.get(d).map_or((gap, 0.0), |l| {
                    let whole = -l * (gap / l).round();
                    (gap + whole, whole)
                })
            };
            order.clear();
            let there = lengths.get(i / nodes).copied().unwrap_or(nodes).min(nodes);
            for j in (first..first + there).filter(|j| *j != i && i < first + there) {
                order.push(((0..dimensions).map(|d| gap(j, d).0.powi(2)).sum(), j));
            }
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let found = near.min(order.len());
            for (_, j) in &order[..found] {
                index.push(*j as u32);
                shift.extend((0..dimensions).map(|d| gap(*j, d).1));
            }
            index.resize(index.len() + near - found, i as u32);
            shift.resize(shift.len() + (near - found) * dimensions, 0.0);
            heard.push(found);
        }
        let device = points.device();
        Ok(Neighbours {
            index: Tensor::from_vec(index, batch * nodes * near, device)?,
            shift: Tensor::from_vec(shift, (batch * nodes, near, dimensions), device)?,
            heard,
        })
    }
}
