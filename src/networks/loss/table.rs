//! The table of losses, one row each, and how each is computed.

use candle_core::{D, DType, Result, Tensor};

use super::super::ops;
use super::super::settings::{Range, Setting};
use super::{Loss, LossKind, TargetKind};

/// The numbers that a mean is taken over, and their weights where they have some.
pub(super) struct Elements {
    pub values: Tensor,
    pub weights: Option<Tensor>,
}

/// How a loss is computed.
pub(super) enum Body {
    /// A mean of numbers, each of one row.
    Mean(fn(&Loss, &Tensor, &Tensor) -> Result<Elements>),
    /// A number of the whole batch; the last argument are the weights of the rows.
    Whole(fn(&Loss, &Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>),
}

fn plain(values: Tensor) -> Result<Elements> {
    Ok(Elements { values, weights: None })
}

/// log(1 + exp(x)) without overflow and with the derivative sigmoid(x) everywhere.
fn softplus(x: &Tensor) -> Result<Tensor> {
    let top = x.relu()?.detach();
    (top.neg()?.exp()? + (x - &top)?.exp()?)?.log()? + top
}

/// 1 where `mask` holds, else 0, in the type of `like`.
fn indicator(mask: &Tensor, like: &Tensor) -> Result<Tensor> {
    Ok(mask.to_dtype(like.dtype())?.detach())
}

fn huber(loss: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    let d = loss.settings.get("delta");
    let r = (o - t)?;
    let size = r.abs()?;
    let inner = indicator(&size.le(d)?, &r)?;
    let outer = (1.0 - &inner)?;
    plain(((r.sqr()? * 0.5)? * inner)?.add(&(((size - 0.5 * d)? * d)? * outer)?)?)
}

fn log_cosh(_: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    // log cosh r = softplus(2r) - r - log 2
    let r = (o - t)?;
    plain(((softplus(&(&r * 2.0)?)? - r)? - std::f64::consts::LN_2)?)
}

fn quantile(loss: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    let q = loss.settings.get("q");
    let r = (t - o)?;
    let slope = (indicator(&r.lt(0.0)?, &r)?.neg()? + q)?;
    plain((r * slope)?)
}

/// Logits with the classes last, and the classes, in one long column each.
fn class_rows(o: &Tensor, t: &Tensor) -> Result<(Tensor, Tensor)> {
    let o = if o.rank() == 4 { o.permute((0, 2, 3, 1))?.contiguous()? } else { o.contiguous()? };
    let classes = o.dim(D::Minus1)?;
    Ok((o.reshape(((), classes))?, t.flatten_all()?.contiguous()?))
}

fn cross_entropy(loss: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    let (o, classes) = class_rows(o, t)?;
    let logs = ops::log_softmax(&o)?;
    let of_classes = match &loss.class_weights {
        Some(w) => Some(Tensor::from_slice(w, w.len(), o.device())?.to_dtype(o.dtype())?),
        None => None,
    };
    let mut values = ops::pick(&logs, &classes)?.neg()?;
    let weights = of_classes.as_ref().map(|w| w.index_select(&classes, 0)).transpose()?;
    if let Some(w) = &weights {
        values = (values * w)?;
    }
    let s = loss.settings.get("smoothing");
    if s > 0.0 {
        let all = match &of_classes {
            Some(w) => logs.broadcast_mul(w)?,
            None => logs,
        };
        values = ((values * (1.0 - s))? + (all.mean(1)? * -s)?)?;
    }
    let weights = weights.map(|w| w.reshape(t.shape())).transpose()?;
    Ok(Elements { values: values.reshape(t.shape())?, weights })
}

fn binary_cross_entropy(loss: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    let up = softplus(o)?;
    let down = (&up - o)?;
    plain(((down * (t * loss.settings.get("positive"))?)? + (up * (1.0 - t)?)?)?)
}

fn kl(_: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    // t log t is 0 where t is 0
    let logs = (t + indicator(&t.le(0.0)?, t)?)?.log()?;
    plain((t * (logs - ops::log_softmax(o)?)?)?.sum(D::Minus1)?)
}

fn halves(o: &Tensor) -> Result<(Tensor, Tensor)> {
    let k = o.dim(D::Minus1)? / 2;
    Ok((o.narrow(D::Minus1, 0, k)?.contiguous()?, o.narrow(D::Minus1, k, k)?.contiguous()?))
}

fn gaussian_nll(_: &Loss, o: &Tensor, t: &Tensor) -> Result<Elements> {
    let (m, s) = halves(o)?;
    plain((((t - m)?.sqr()? * s.neg()?.exp()?)? + s)?.affine(0.5, 0.0)?)
}

fn moments(loss: &Loss, o: &Tensor, t: &Tensor, weights: Option<&Tensor>) -> Result<Tensor> {
    let (m, d) = halves(o)?;
    let square = (t - m)?.sqr()?;
    let spread = (&square - d.sqr()?)?.sqr()?;
    let mut terms = Tensor::stack(&[square, spread], 0)?.flatten_from(2)?;
    if let Some(w) = weights {
        terms = terms.broadcast_mul(&w.reshape((1, (), 1))?)?;
    }
    let sums = if loss.settings.is("log") {
        // the smallest sum that a logarithm can take keeps a perfect fit finite
        let least = if o.dtype() == DType::F64 { 1e-300 } else { 1e-37 };
        (terms.sum(1)? + least)?.log()?
    } else if let Some(w) = weights {
        terms.sum(1)?.broadcast_div(&w.sum_all()?)?
    } else {
        terms.mean(1)?
    };
    sums.sum(0)?.mean_all()
}

const fn setting(name: &'static str, default: f64, range: Range, docs: &'static str) -> Setting {
    Setting { name, default, range, docs }
}

macro_rules! row {
    ($name:literal, $docs:literal, $target:ident, $squares:literal, [$($setting:expr),*], $body:expr) => {
        LossKind {
            name: $name,
            docs: $docs,
            settings: &[$($setting),*],
            target: TargetKind::$target,
            squares: $squares,
            body: $body,
        }
    };
}

/// Every loss.
#[rustfmt::skip]
pub const LOSSES: &[LossKind] = &[
    row!("mse", "mean squared residual", Values, true, [], Body::Mean(|_, o, t| plain((o - t)?.sqr()?))),
    row!("mae", "mean absolute residual", Values, false, [], Body::Mean(|_, o, t| plain((o - t)?.abs()?))),
    row!("huber", "squared near 0, absolute beyond `delta`", Values, false,
        [setting("delta", 1.0, Range::Positive, "where it turns from squared to absolute")], Body::Mean(huber)),
    row!("log_cosh", "logarithm of the hyperbolic cosine of the residual", Values, false, [], Body::Mean(log_cosh)),
    row!("quantile_loss", "the output becomes the quantile `q` of the target", Values, false,
        [setting("q", 0.5, Range::Inside, "the quantile")], Body::Mean(quantile)),
    row!("cross_entropy", "of classes given as numbers, from logits", Classes, false,
        [setting("smoothing", 0.0, Range::Share, "share of the label that is spread over all classes")],
        Body::Mean(cross_entropy)),
    row!("binary_cross_entropy", "of yes and no (1 and 0), from logits", Flags, false,
        [setting("positive", 1.0, Range::Positive, "weight of yes against no")], Body::Mean(binary_cross_entropy)),
    row!("kl", "divergence of softmax of the outputs from given probabilities", Probabilities, false, [],
        Body::Mean(kl)),
    row!("poisson_nll", "of counts; the output is the logarithm of their mean", Values, false, [],
        Body::Mean(|_, o, t| plain((o.exp()? - (t * o)?)?))),
    row!("gaussian_nll", "of normal targets; the outputs are means, then logarithms of variances", Located, false, [],
        Body::Mean(gaussian_nll)),
    row!("moments", "the outputs become posterior means, then standard deviations", Located, false,
        [setting("log", 1.0, Range::Flag, "whether logarithms balance the terms")], Body::Whole(moments)),
];
