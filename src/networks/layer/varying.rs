//! Rows of different lengths in layers: what a kind makes of them while it is planned, and which elements are there while it
//! computes.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::lengths::{Lengths, Presence};
use super::super::shape::Shape;
use super::plan::{Node, Run, Site};

/// What a kind of layer makes of an input whose first size varies from row to row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Varying {
    /// It acts on every number by itself: the output varies as the input.
    Numbers,
    /// It acts on every position of a sequence by itself: the output varies as the input.
    Positions,
    /// It knows which elements are there, or its layers inside do; its plan says what comes out.
    Elements,
    /// It takes rows of one length. The hint is what would be right.
    Refused(&'static str),
}

impl Site<'_> {
    /// Whether the layer takes rows of different lengths in this shape.
    pub(super) fn check_varying(&self, x: &Shape) -> Result<(), NetworkError> {
        match self.layer.kind().varying {
            Varying::Refused(hint) => Err(self.varying_error(x, hint)),
            Varying::Positions => self.sequence(x),
            Varying::Numbers | Varying::Elements => Ok(()),
        }
    }

    /// A fault: the layer takes rows of one length.
    pub fn varying_error(&self, found: &Shape, hint: impl Into<String>) -> NetworkError {
        NetworkError::Varying { path: self.path(), found: found.to_string(), hint: hint.into() }
    }

    /// A fault where a shape that varies is no sequence: its features would be what varies.
    pub fn sequence(&self, x: &Shape) -> Result<(), NetworkError> {
        if x.varies().is_none() || x.rank() == 2 {
            return Ok(());
        }
        let error = self.shape_error("[length, features] where lengths vary", x);
        Err(if x.rank() > 2 { error.with_hint(format!("each({})", self.layer.short())) } else { error })
    }
}

impl Run<'_> {
    /// The lengths of the rows of a tensor of a planned shape; `None` where all are as long as the tensor.
    pub fn lengths(&self, shape: &Shape) -> Option<Lengths> {
        let varies = shape.varies()?;
        Some(self.lengths.get(varies.input)?.as_ref()?.through(varies))
    }

    /// Which elements of a tensor of a planned shape are there; `None` where all are.
    pub fn presence(&self, shape: &Shape, x: &Tensor) -> Result<Option<Presence>, NetworkError> {
        match self.lengths(shape) {
            Some(lengths) => Ok(Presence::new(lengths, x.dim(1)?)),
            None => Ok(None),
        }
    }

    /// A fault where two flows differ in the length of a row.
    pub fn agree(&self, node: &Node, a: (&Shape, &Tensor), b: (&Shape, &Tensor)) -> Result<(), NetworkError> {
        if a.0.varies() == b.0.varies() {
            return Ok(());
        }
        let of = |(shape, x): (&Shape, &Tensor)| -> Result<Lengths, NetworkError> {
            let (rows, longest) = (x.dim(0)?, x.dim(1)?);
            Ok(self.lengths(shape).unwrap_or_else(|| Lengths::new(vec![longest; rows])))
        };
        let (a, b) = (of(a)?, of(b)?);
        match a.rows().iter().zip(b.rows()).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(row) => {
                let expected = format!("{} elements as in the input beside it", a.rows()[row]);
                Err(NetworkError::Length { path: node.path.clone(), expected, row, found: b.rows()[row] })
            }
        }
    }
}
