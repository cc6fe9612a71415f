//! Convolutions of sequences `[length, channels]` and images `[channels, height, width]`, by the rank of the input, and
//! their transposes. `same` and `circular` pad d (k - 1) numbers along each axis, the odd one at the end, so that a
//! stride s gives ceil(n / s) positions; `valid` pads none.

use candle_core::Tensor;

use super::super::error::NetworkError;
use super::super::lengths::Varies;
use super::super::ops::{self, Conv, Padding};
use super::super::parameters::Init;
use super::super::shape::{Shape, product};
use super::dense::first_values;
use super::plan::{Node, Plan, Run, Site};
use super::{Behaviour, Layer, Setting};

/// Along one axis: the kernel's way over `n` numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Track {
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Numbers added before and after.
    pub pad: (usize, usize),
    pub out: usize,
}

impl Track {
    /// The way, or the least `n` where the kernel does not fit.
    fn new(
        n: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        padding: &Setting,
    ) -> Result<Track, usize> {
        let reach = dilation * (kernel - 1);
        let pad = match padding {
            Setting::Word(word) if word == "valid" => (0, 0),
            Setting::Word(_) => (reach / 2, reach - reach / 2),
            other => {
                let p = other.number().unwrap_or(0.0) as usize;
                (p, p)
            }
        };
        let circular = matches!(padding, Setting::Word(word) if word == "circular");
        if circular && pad.1 > n {
            return Err(pad.1);
        }
        match (n + pad.0 + pad.1).checked_sub(reach + 1) {
            Some(room) => Ok(Track { kernel, stride, dilation, pad, out: room / stride + 1 }),
            None => Err((reach + 1).saturating_sub(pad.0 + pad.1)),
        }
    }
}

/// The ways along the positions' axes, [rows, columns]; a sequence has one row.
pub(super) fn tracks(site: &Site, x: &Shape) -> Result<[Track; 2], NetworkError> {
    let layer = site.layer;
    let lengths: Vec<usize> = positions(x).to_vec();
    let axes = lengths.len();
    let option = |name: &'static str| -> Result<Vec<usize>, NetworkError> {
        let sizes = layer.sizes(name, axes).unwrap_or_else(|| vec![1; axes]);
        if sizes.len() == axes {
            return Ok(sizes);
        }
        let expected = if axes == 1 { "one number".to_string() } else { "one number or two".to_string() };
        Err(site.option_error(name, format!("{expected} for the input {x}"), layer.setting(name)))
    };
    let (kernel, stride, dilation) = (option("kernel")?, option("stride")?, option("dilation")?);
    let padding = layer.setting("padding");
    let still = Track { kernel: 1, stride: 1, dilation: 1, pad: (0, 0), out: 1 };
    let mut ways = [still; 2];
    for (i, n) in lengths.iter().enumerate() {
        let at = i + 2 - axes;
        ways[at] = Track::new(*n, kernel[i], stride[i], dilation[i], padding).map_err(|least| {
            site.shape_error(format!("at least {least} along every axis for this kernel"), x).with_hint(
                format!("padding: {}", if padding == &Setting::from("same") { "valid" } else { "same" }),
            )
        })?;
    }
    Ok(ways)
}

/// The sizes along the positions' axes.
pub(super) fn positions(x: &Shape) -> &[usize] {
    if x.rank() == 3 { &x.sizes()[1..] } else { &x.sizes()[..1] }
}

/// How the lengths of sequences change on a way, where they vary.
fn lengths(site: &Site, x: &Shape, way: &Track) -> Result<Option<Varies>, NetworkError> {
    let Some(varies) = x.varies() else { return Ok(None) };
    site.sequence(x)?;
    if is_circular(site.layer) {
        return Err(site.varying_error(x, "padding: same"));
    }
    let ends = (way.pad.0 + way.pad.1) as isize - (way.dilation * (way.kernel - 1)) as isize - 1;
    Ok(Some(varies.then(ends + way.stride as isize, way.stride)))
}

/// The shape with this many channels at the positions that the ways lead to.
pub(super) fn output(x: &Shape, channels: usize, ways: &[Track; 2]) -> Shape {
    if x.rank() == 3 {
        Shape::from([channels, ways[0].out, ways[1].out])
    } else {
        Shape::from([ways[1].out, channels])
    }
}

/// Images `[batch, channels, height, width]` of a batch of sequences or images.
pub(super) fn as_images(x: &Tensor) -> Result<Tensor, NetworkError> {
    Ok(if x.rank() == 4 { x.clone() } else { ops::contiguous(&x.transpose(1, 2)?)?.unsqueeze(2)? })
}

/// Back from [`as_images`].
pub(super) fn from_images(y: &Tensor, rank: usize) -> Result<Tensor, NetworkError> {
    Ok(if rank == 4 { y.clone() } else { ops::contiguous(&y.squeeze(2)?.transpose(1, 2)?)? })
}

/// A convolution along the ways; the kernel is `[out, in / groups, rows, columns]`.
pub(super) fn convolve(
    images: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    ways: &[Track; 2],
    groups: usize,
    circular: bool,
) -> Result<Tensor, NetworkError> {
    let [rows, columns] = ways;
    let (mut x, mut padding) = (images.clone(), (rows.pad.0, columns.pad.0));
    if circular || rows.pad.0 != rows.pad.1 || columns.pad.0 != columns.pad.1 {
        x = ops::pad2d(&x, rows.pad, columns.pad, if circular { Padding::Periodic } else { Padding::Zero })?;
        padding = (0, 0);
    }
    let (stride, dilation) = ((rows.stride, columns.stride), (rows.dilation, columns.dilation));
    Ok(ops::conv2d(&x, kernel, bias, &Conv { stride, padding, dilation, groups })?)
}

fn is_circular(layer: &Layer) -> bool {
    layer.word("padding") == "circular"
}

/// A correlation with trained kernels.
pub(super) struct Convolution;

impl Behaviour for Convolution {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        let ways = tracks(site, x)?;
        let (channels, groups) = (site.layer.size_or("channels", 1), site.layer.size_or("groups", 1));
        let entering = x.features();
        if !entering.is_multiple_of(groups) {
            return Err(site.divide_error("a number of groups", "groups", entering, groups));
        }
        if !channels.is_multiple_of(groups) {
            return Err(site.divide_error("a number of groups", "groups", channels, groups));
        }
        let taps = product(&[ways[0].kernel, ways[1].kernel]);
        let mut sizes = vec![channels, entering / groups, ways[0].kernel, ways[1].kernel];
        if x.rank() == 2 {
            sizes.remove(2);
        }
        let out = output(x, channels, &ways).varying(lengths(site, x, &ways[1])?);
        let values =
            first_values(site, product(&[entering / groups, taps]), product(&[channels / groups, taps]));
        let cost = product(&[out.count(), entering / groups, taps]);
        let plan = Plan::new(out).parameter("weight", &sizes, values).cost(cost);
        Ok(if site.layer.flag("bias") {
            plan.parameter("bias", &[channels], Init::Constant(0.0))
        } else {
            plan
        })
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let short = run.lengths(&node.output).and_then(|l| l.rows().iter().position(|n| *n == 0));
        if let (Some(row), Some(found)) = (short, run.lengths(&node.inputs[0])) {
            let found = found.rows()[row];
            let expected = "at least as many elements as the kernel reaches over".into();
            return Err(NetworkError::Length { path: node.path.clone(), expected, row, found });
        }
        let ways = tracks(&Site::top(&node.layer), &node.inputs[0].actual(&inputs[0]))?;
        let mut kernel = run.weight(node, "weight")?;
        if kernel.rank() == 3 {
            kernel = kernel.unsqueeze(2)?;
        }
        let bias = run.bias(node);
        let groups = node.layer.size_or("groups", 1);
        // Behind the end of a row stand zeros, as behind the end of the longest.
        let images = match run.presence(&node.inputs[0], &inputs[0])? {
            Some(presence) => as_images(&presence.masked(&inputs[0])?)?,
            None => as_images(&inputs[0])?,
        };
        let y = convolve(&images, &kernel, bias.as_ref(), &ways, groups, is_circular(&node.layer))?;
        from_images(&y, inputs[0].rank())
    }
}

/// The transpose of a convolution: every number spreads over a kernel.
pub(super) struct Transposed;

impl Transposed {
    /// For every axis of positions: kernel, stride, first number kept, numbers kept.
    fn ways(site: &Site, x: &Shape) -> Result<Vec<[usize; 4]>, NetworkError> {
        let layer = site.layer;
        let lengths = positions(x);
        let kernel = layer.sizes("kernel", lengths.len()).unwrap_or_default();
        let stride = layer.sizes("stride", lengths.len()).unwrap_or_default();
        for (name, sizes) in [("kernel", &kernel), ("stride", &stride)] {
            if sizes.len() != lengths.len() {
                return Err(site.option_error(
                    name,
                    format!("one number an axis of {x}"),
                    layer.setting(name),
                ));
            }
        }
        let way = |((n, k), s): ((&usize, &usize), &usize)| {
            let full = (n - 1) * s + k;
            let (first, kept) = match layer.setting("padding") {
                Setting::Word(word) if word == "valid" => (0, full),
                Setting::Word(_) => ((k.saturating_sub(*s)) / 2, n * s),
                other => {
                    let p = other.number().unwrap_or(0.0) as usize;
                    (p, full.saturating_sub(2 * p))
                }
            };
            if kept == 0 || first + kept > full {
                let error = site.option_error("kernel", format!("at least the stride {s}"), k);
                return Err(error.with_hint(format!("kernel: {}", s.max(k))));
            }
            Ok([*k, *s, first, kept])
        };
        lengths.iter().zip(&kernel).zip(&stride).map(way).collect()
    }
}

impl Behaviour for Transposed {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2, 3])?;
        let ways = Transposed::ways(site, x)?;
        let (channels, entering) = (site.layer.size_or("channels", 1), x.features());
        let taps: usize = ways.iter().map(|w| w[0]).product();
        let mut sizes = vec![entering, channels];
        sizes.extend(ways.iter().map(|w| w[0]));
        let out = match ways[..] {
            [row, column] => Shape::from([channels, row[3], column[3]]),
            _ => Shape::from([ways[0][3], channels]),
        };
        let strides: usize = ways.iter().map(|w| w[1]).product();
        let values =
            first_values(site, product(&[entering, taps]) / strides.max(1), product(&[channels, taps]));
        let cost = product(&[x.count(), channels, taps]);
        let plan = Plan::new(out).parameter("weight", &sizes, values).cost(cost);
        Ok(if site.layer.flag("bias") {
            plan.parameter("bias", &[channels], Init::Constant(0.0))
        } else {
            plan
        })
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let ways = Transposed::ways(&Site::top(&node.layer), &node.inputs[0])?;
        let mut kernel = run.weight(node, "weight")?;
        if kernel.rank() == 3 {
            kernel = kernel.unsqueeze(2)?;
        }
        let stride = match ways[..] {
            [row, column] => (row[1], column[1]),
            _ => (1, ways[0][1]),
        };
        let conv = Conv { stride, ..Conv::default() };
        let x = as_images(&inputs[0])?;
        let mut y = ops::conv_transpose2d(&x, &kernel, run.bias(node).as_ref(), &conv, (0, 0))?;
        for (i, [_, _, first, kept]) in ways.iter().enumerate() {
            y = y.narrow(i + 4 - ways.len(), *first, *kept)?;
        }
        from_images(&ops::contiguous(&y)?, inputs[0].rank())
    }
}
