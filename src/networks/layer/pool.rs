//! Layers that change the resolution: pooling, upsampling, and pooling over all positions.

use candle_core::{D, Tensor};

use super::super::error::NetworkError;
use super::super::lengths::Presence;
use super::super::ops;
use super::super::shape::Shape;
use super::conv::{as_images, from_images, positions};
use super::plan::{Node, Plan, Run, Site};
use super::{Behaviour, Setting};

/// The shape with other sizes along the positions' axes.
fn resized(x: &Shape, sizes: &[usize]) -> Shape {
    let first = if x.rank() == 3 { 1 } else { 0 };
    sizes.iter().enumerate().fold(x.clone(), |shape, (i, n)| shape.with(first + i, *n))
}

/// Sizes of an option, one for every axis of positions.
fn axis_sizes(site: &Site, x: &Shape, option: &'static str) -> Result<Vec<usize>, NetworkError> {
    let axes = positions(x).len();
    match site.layer.sizes(option, axes) {
        Some(sizes) if sizes.len() == axes => Ok(sizes),
        _ => Err(site.option_error(option, format!("one number an axis of {x}"), site.layer.setting(option))),
    }
}

/// The greatest or the mean of windows.
pub(super) struct Pool;

impl Pool {
    /// For every axis of positions: size, stride, windows.
    fn windows(site: &Site, x: &Shape) -> Result<Vec<[usize; 3]>, NetworkError> {
        let sizes = axis_sizes(site, x, "size")?;
        let strides = match site.layer.size("stride") {
            Some(stride) => vec![stride; sizes.len()],
            None if *site.layer.setting("stride") == Setting::Absent => sizes.clone(),
            None => axis_sizes(site, x, "stride")?,
        };
        // A stride that is written leaves out what no whole window covers.
        let whole = *site.layer.setting("stride") == Setting::Absent;
        let window = |((n, size), stride): ((&usize, &usize), &usize)| {
            if whole && !n.is_multiple_of(*size) {
                let size_of = site.layer.setting("size");
                let windows = format!("pool({size_of}, stride: {size_of}), which leaves out the rest");
                return Err(site.divide_error("a pool size", "size", *n, *size).with_hint(windows));
            }
            match n.checked_sub(*size) {
                Some(room) => Ok([*size, *stride, room / stride + 1]),
                None => Err(site.shape_error(format!("at least {size} along every axis"), x)),
            }
        };
        positions(x).iter().zip(&sizes).zip(&strides).map(window).collect()
    }
}

impl Behaviour for Pool {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        let windows = Pool::windows(site, x)?;
        Ok(Plan::new(resized(x, &windows.iter().map(|w| w[2]).collect::<Vec<_>>())))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let windows = Pool::windows(&Site::top(&node.layer), &node.inputs[0])?;
        let (row, column) = match windows[..] {
            [row, column] => (row, column),
            _ => ([1, 1, 1], windows[0]),
        };
        let x = as_images(&inputs[0])?;
        let (kernel, stride) = ((row[0], column[0]), (row[1], column[1]));
        let y = match node.layer.word("kind") {
            "max" => ops::max_pool2d(&x, kernel, stride, (0, 0))?,
            _ => ops::avg_pool2d(&x, kernel, stride, (0, 0))?,
        };
        from_images(&y, inputs[0].rank())
    }
}

/// More positions: every number repeated, or a straight line between neighbours.
pub(super) struct Upsample;

impl Behaviour for Upsample {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        let factors = axis_sizes(site, x, "factor")?;
        let sizes: Vec<usize> = positions(x).iter().zip(&factors).map(|(n, f)| n * f).collect();
        Ok(Plan::new(resized(x, &sizes)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let (rows, columns) = match *positions(&node.output) {
            [rows, columns] => (rows, columns),
            _ => (1, positions(&node.output)[0]),
        };
        let x = as_images(&inputs[0])?;
        let y = match node.layer.word("mode") {
            "linear" => ops::upsample_bilinear(&x, rows, columns)?,
            _ => ops::upsample_nearest(&x, rows, columns)?,
        };
        from_images(&y, inputs[0].rank())
    }
}

/// One number a feature from all positions: mean, maximum or sum. It does not depend on their order.
pub(super) struct GlobalPool;

/// Numbers over positions `[batch, features]` of a batch of sequences or images: over those that are there.
pub(super) fn over_positions(
    x: &Tensor,
    kind: &str,
    presence: Option<&Presence>,
) -> Result<Tensor, NetworkError> {
    if let Some(presence) = presence {
        return match kind {
            "max" => over_positions(&presence.lowered(x)?, kind, None),
            "sum" => presence.sum(x),
            _ => presence.mean(x),
        };
    }
    let channels = if x.rank() == 4 { x.clone() } else { ops::contiguous(&x.transpose(1, 2)?)? };
    Ok(match kind {
        "max" => ops::global_max_pool(&channels)?,
        "sum" => channels.flatten_from(2)?.sum(D::Minus1)?,
        _ => ops::global_avg_pool(&channels)?,
    })
}

impl Behaviour for GlobalPool {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        site.sequence(x)?;
        Ok(Plan::new(Shape::from([x.features()])))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let presence = run.presence(&node.inputs[0], &inputs[0])?;
        over_positions(&inputs[0], node.layer.word("kind"), presence.as_ref())
    }
}
