//! Layers that rearrange numbers or take some of them: flatten, reshape, patches, average, element.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::lengths::Lengths;
use super::super::ops;
use super::super::shape::Shape;
use super::Behaviour;
use super::plan::{Node, Plan, Run, Site};

/// Another shape of the same numbers in the same order: one axis, or the option `shape`.
pub(super) enum Reshape {
    /// One axis.
    Flat,
    /// The option `shape`.
    Given,
}

impl Behaviour for Reshape {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = &inputs[0];
        let output = match self {
            Reshape::Flat => Shape::from([x.count()]),
            Reshape::Given => Shape::new(&site.layer.sizes("shape", 1).unwrap_or_default()),
        };
        if output.count() != x.count() || output.rank() > 3 {
            let expected = format!("a shape of at most three axes with {} numbers, as {x} has", x.count());
            return Err(site.option_error("shape", expected, &output));
        }
        Ok(Plan::new(output))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let x = ops::contiguous(&inputs[0])?;
        Ok(x.reshape(node.output.batched(x.dim(0)?))?)
    }
}

/// An image cut into squares, each a row of `channels size^2` numbers, in reading order (Dosovitskiy et al. 2021).
pub(super) struct Patches;

impl Behaviour for Patches {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[3])?;
        let (size, &[channels, h, w]) = (site.layer.size_or("size", 1), x.sizes()) else {
            return Err(site.shape_error("[channels, height, width]", x));
        };
        for length in [h, w] {
            if !length.is_multiple_of(size) {
                return Err(site.divide_error("a patch size", "size", length, size));
            }
        }
        Ok(Plan::new(Shape::from([(h / size) * (w / size), channels * size * size])))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let size = node.layer.size_or("size", 1);
        let (n, c, h, w) = inputs[0].dims4()?;
        let x = inputs[0].contiguous()?.reshape(&[n, c, h / size, size, w / size, size])?;
        let x = ops::contiguous(&x.permute(&[0, 2, 4, 1, 3, 5][..])?)?;
        Ok(x.reshape(node.output.batched(n))?)
    }
}

/// The mean along an axis, which goes.
pub(super) struct Mean;

impl Behaviour for Mean {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let (x, axis) = (&inputs[0], site.layer.size_or("axis", 0));
        if axis >= x.rank() || x.rank() < 2 {
            return Err(site.option_error("axis", format!("an axis of {x} (with two axes or more)"), axis));
        }
        Ok(Plan::new(x.without(axis)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let axis = node.layer.size_or("axis", 0);
        match run.presence(&node.inputs[0], &inputs[0])? {
            Some(presence) if axis == 0 => presence.mean(&inputs[0]),
            _ => Ok(inputs[0].mean(axis + 1)?),
        }
    }
}

/// One element along the first axis; a negative index counts from the end.
pub(super) struct Select;

impl Select {
    fn place(site: &Site, x: &Shape) -> Result<usize, NetworkError> {
        let (index, n) = (site.layer.real("index") as i64, x.sizes()[0] as i64);
        let place = if index < 0 { index + n } else { index };
        if (0..n).contains(&place) {
            return Ok(place as usize);
        }
        Err(site.option_error("index", format!("an index from {} to {}", -n, n - 1), index))
    }
}

impl Behaviour for Select {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        Select::place(site, x)?;
        Ok(Plan::new(x.without(0)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        if node.inputs[0].varies().is_none() {
            let place = Select::place(&Site::top(&node.layer), &node.inputs[0])?;
            return Ok(x.narrow(1, place, 1)?.squeeze(1)?.contiguous()?);
        }
        // Counted from the end of every row.
        let (batch, longest) = (x.dim(0)?, x.dim(1)?);
        let lengths = run.lengths(&node.inputs[0]).unwrap_or_else(|| Lengths::new(vec![longest; batch]));
        let index = node.layer.real("index") as i64;
        let mut places = Vec::with_capacity(batch);
        for (row, n) in lengths.rows().iter().enumerate() {
            let place = if index < 0 { index + *n as i64 } else { index };
            if !(0..*n as i64).contains(&place) {
                return Err(NetworkError::Length {
                    path: node.path.clone(),
                    expected: format!("an element {index}"),
                    row,
                    found: *n,
                });
            }
            places.push((row * longest) as u32 + place as u32);
        }
        let places = Tensor::from_vec(places, batch, x.device())?;
        Ok(ops::gather_rows(&ops::contiguous(x)?.flatten(0, 1)?, &places)?)
    }
}
