//! Convolutions that commute with the eight symmetries of the square, D4 (Cohen & Welling 2016). `d4_lift` correlates an
//! image with all eight turned and mirrored copies of a kernel; its channels come in eights, one a copy. `d4_conv` goes
//! on from there, and `d4_pool` leaves one channel of every eight. Turning a square image turns the result; after a pool
//! over all pixels nothing changes.
//!
//! ```text
//! lift   y[u, g]  = sum_c x[c] * (g k[u, c])
//! conv   y[u, g]  = sum_c,h x[c, h] * (g k[u, c, g^-1 h])
//! ```

use candle_core::{D, Tensor};

use super::super::error::NetworkError;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::{Shape, product};
use super::Behaviour;
use super::conv::{convolve, output, tracks};
use super::dense::first_values;
use super::plan::{Node, Plan, Run, Site, Table};

/// For a symmetry (quarter turns, then 4 more after a reflection) of a square of n pixels: where each pixel of the result
/// comes from.
pub(super) fn sources(symmetry: usize, n: usize) -> Vec<usize> {
    let (turns, mirrored) = (symmetry % 4, symmetry >= 4);
    let pixel = |mut i: usize, mut j: usize| {
        for _ in 0..turns {
            (i, j) = (j, n - 1 - i);
        }
        i * n + if mirrored { n - 1 - j } else { j }
    };
    (0..n * n).map(|p| pixel(p / n, p % n)).collect()
}

/// g^-1 h, found by what the symmetries do to nine pixels.
pub(super) fn undone(g: usize, h: usize) -> usize {
    let (g, h) = (sources(g, 3), sources(h, 3));
    // g f = h, pixel for pixel: (g f)(p) = f(g(p))
    let agrees = |f: &usize| {
        let f = sources(*f, 3);
        (0..9).all(|p| f[g[p]] == h[p])
    };
    (0..8).find(agrees).unwrap_or(0)
}

/// A convolution with turned kernels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// Of an image.
    Lift,
    /// Of channels in eights.
    Conv,
}

impl Turned {
    /// Where the numbers of the whole kernel `[channels 8, in, k, k]` lie in the trained one, `[channels, in, k, k]` of an
    /// image and `[channels, in / 8, 8, k, k]` of channels in eights.
    fn places(self, channels: usize, entering: usize, k: usize) -> Vec<u32> {
        let maps: Vec<_> = (0..8).map(|g| sources(g, k)).collect();
        let mut places = Vec::with_capacity(channels * 8 * entering * k * k);
        for u in 0..channels {
            for (g, map) in maps.iter().enumerate() {
                for c in 0..entering {
                    let from = match self {
                        Turned::Lift => c,
                        Turned::Conv => c / 8 * 8 + undone(g, c % 8),
                    };
                    let first = (u * entering + from) * k * k;
                    places.extend(map.iter().map(|p| (first + p) as u32));
                }
            }
        }
        places
    }
}

impl Behaviour for Turned {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[3])?;
        let (channels, k, entering) =
            (site.layer.size_or("channels", 1), site.layer.size_or("kernel", 1), x.features());
        if *self == Turned::Conv && !entering.is_multiple_of(8) {
            let error = site.shape_error("channels in eights, as d4_lift makes them", x);
            return Err(error.with_hint(format!("chain(d4_lift({channels}, {k}), {})", site.layer)));
        }
        let ways = tracks(site, x)?;
        if ways.iter().any(|w| w.pad.0 != w.pad.1) {
            let error = site.option_error("kernel", "an odd number (an even one needs padding: valid)", k);
            return Err(error.with_hint(format!("kernel: {}", k + 1)));
        }
        let sizes = match self {
            Turned::Lift => vec![channels, entering, k, k],
            Turned::Conv => vec![channels, entering / 8, 8, k, k],
        };
        let out = output(x, 8 * channels, &ways);
        let cost = product(&[out.count(), entering, k, k]);
        let values = first_values(site, entering * k * k, 8 * channels * k * k);
        site.check_size("a kernel", product(&[8 * channels, entering, k, k]))?;
        let places = self.places(channels, entering, k);
        let plan = Plan::new(out)
            .parameter("weight", &sizes, values)
            .constant(&[places.len()], Table::Places(places))
            .cost(cost);
        Ok(if site.layer.flag("bias") {
            plan.parameter("bias", &[channels], Init::Constant(0.0))
        } else {
            plan
        })
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let (channels, k) = (node.layer.size_or("channels", 1), node.layer.size_or("kernel", 1));
        let ways = tracks(&Site::top(&node.layer), &node.inputs[0])?;
        let flat = run.weight(node, "weight")?.flatten_all()?;
        let kernel = ops::gather_rows(&flat, &run.constant(node, 0)?)?;
        let kernel = kernel.reshape((8 * channels, node.inputs[0].features(), k, k))?;
        let bias = match run.bias(node) {
            Some(bias) => Some(bias.unsqueeze(1)?.broadcast_as((channels, 8))?.contiguous()?.flatten_all()?),
            None => None,
        };
        let circular = node.layer.word("padding") == "circular";
        convolve(&inputs[0], &kernel, bias.as_ref(), &ways, 1, circular)
    }
}

/// One channel of every eight: the mean or the greatest of the copies.
pub(super) struct GroupPool;

impl Behaviour for GroupPool {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = &inputs[0];
        let axis = x.feature_axis();
        if !matches!(x.rank(), 1 | 3) || !x.features().is_multiple_of(8) {
            return Err(site.shape_error("channels in eights, as d4_lift makes them", x));
        }
        Ok(Plan::new(x.with(axis, x.features() / 8)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], _: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        let (batch, channels) = (x.dim(0)?, node.output.features());
        // the eight copies last
        let copies = ops::transpose(&ops::contiguous(x)?.reshape((batch * channels, 8, ()))?, 1, 2)?;
        let y =
            if node.layer.word("kind") == "max" { copies.max(D::Minus1)? } else { copies.mean(D::Minus1)? };
        Ok(y.reshape(node.output.batched(batch))?)
    }
}
