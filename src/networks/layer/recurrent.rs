//! Recurrent layers over `[length, features]`: the gated recurrent unit (Cho et al. 2014) and long short-term memory
//! (Hochreiter & Schmidhuber 1997), from a state of zeros. W are the input's weights, U the state's, o is the product
//! number by number:
//!
//! ```text
//! gru    r = s(W_r x + U_r h + b_r)    z = s(W_z x + U_z h + b_z)
//!        n = tanh(W_n x + b_n + r o (U_n h + c))    h' = (1 - z) o n + z o h
//! lstm   i, f, o = s(W x + U h + b)    g = tanh(W_g x + U_g h + b_g)
//!        c' = f o c + i o g    h' = o o tanh(c')
//! ```

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::{Shape, product};
use super::Behaviour;
use super::plan::{Node, Plan, Run, Site};

/// A recurrent cell; gates stand below each other in its weights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recurrent {
    /// Gates r, z, n.
    Gru,
    /// Gates i, f, o, g.
    Lstm,
}

impl Recurrent {
    fn gates(self) -> usize {
        if self == Recurrent::Gru { 3 } else { 4 }
    }
}

impl Behaviour for Recurrent {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        let (length, features) = (x.positions(), x.features());
        let (units, gates) = (site.layer.size_or("units", 1), self.gates());
        let output: Shape = if site.layer.flag("sequence") { x.with_features(units) } else { [units].into() };
        let bias = match self {
            Recurrent::Gru => Init::Constant(0.0),
            // the gate that forgets begins open (Jozefowicz, Zaremba & Sutskever 2015)
            Recurrent::Lstm => {
                Init::Values((0..4 * units).map(|i| if i / units == 1 { 1.0 } else { 0.0 }).collect())
            }
        };
        let mut plan = Plan::new(output)
            .parameter("weight", &[gates * units, features], Init::glorot(features, units))
            .parameter("state_weight", &[gates * units, units], Init::Orthogonal(gates))
            .parameter("bias", &[gates * units], bias);
        if *self == Recurrent::Gru {
            plan = plan.parameter("state_bias", &[units], Init::Constant(0.0));
        }
        Ok(plan.cost(product(&[length, gates, units, features + units])))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let (batch, length, _) = inputs[0].dims3()?;
        let units = node.layer.size_or("units", 1);
        let (weight, bias) = (run.weight(node, "weight")?, run.weight(node, "bias")?);
        let state_weight = run.weight(node, "state_weight")?;
        let state_bias = run.weight(node, "state_bias").ok();
        let driven = ops::linear(&inputs[0], &weight, Some(&bias))?;
        let mut h = Tensor::zeros((batch, units), driven.dtype(), driven.device())?;
        let mut c = h.clone();
        // Where a row has no step the state stays: zeros before its first, the last one behind it.
        let mask = match run.presence(&node.inputs[0], &inputs[0])? {
            Some(presence) => Some(presence.mask(&driven)?),
            None => None,
        };
        let mut states = Vec::with_capacity(length);
        for step in 0..length {
            let t = if node.layer.flag("reverse") { length - 1 - step } else { step };
            let a = driven.narrow(1, t, 1)?.squeeze(1)?;
            let b = ops::linear(&h, &state_weight, None)?;
            let gate = |t: &Tensor, from: usize, count: usize| t.narrow(1, from * units, count * units);
            let there = match &mask {
                Some(mask) => Some(mask.narrow(1, t, 1)?.squeeze(1)?),
                None => None,
            };
            let keep = |old: &Tensor, new: Tensor| match &there {
                Some(there) => old + (new - old)?.broadcast_mul(there)?,
                None => Ok(new),
            };
            let next = match self {
                Recurrent::Gru => {
                    let open = ops::sigmoid(&(gate(&a, 0, 2)? + gate(&b, 0, 2)?)?)?;
                    let (r, z) = (gate(&open, 0, 1)?, gate(&open, 1, 1)?);
                    let mut inner = gate(&b, 2, 1)?;
                    if let Some(bias) = &state_bias {
                        inner = inner.broadcast_add(bias)?;
                    }
                    let n = ops::tanh(&(gate(&a, 2, 1)? + r.mul(&inner)?)?)?;
                    // (1 - z) n + z h
                    (&n + z.mul(&(&h - &n)?)?)?
                }
                Recurrent::Lstm => {
                    let sum = (a + b)?;
                    let open = ops::sigmoid(&gate(&sum, 0, 3)?)?;
                    let g = ops::tanh(&gate(&sum, 3, 1)?)?;
                    c = keep(&c, (gate(&open, 1, 1)?.mul(&c)? + gate(&open, 0, 1)?.mul(&g)?)?)?;
                    gate(&open, 2, 1)?.mul(&ops::tanh(&c)?)?
                }
            };
            h = keep(&h, next)?;
            states.push(h.clone());
        }
        if !node.layer.flag("sequence") {
            return Ok(h);
        }
        if node.layer.flag("reverse") {
            states.reverse();
        }
        Ok(Tensor::stack(&states, 1)?)
    }
}
