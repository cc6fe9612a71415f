//! Gradients of normalisation and attention as formulas of differentiable operations. Where backward
//! passes keep their graph they stand in for the kernels, which give the same numbers in fewer passes
//! over memory, so that a gradient can be differentiated as often as one likes: means, deviations and
//! weights of attention are functions of the inputs here.

use candle_core::{Result, Tensor};

use super::attention::Sizes;
use super::custom::{Gradients, wants};
use super::layout::{contiguous, transpose};
use super::linear::matmul;
use super::norm_channels::{Sets, channel_affine};
use super::reduce::{channel_sum, sum_rows};
use super::softmax::{softmax, softmax_back};

/// The mean of each row of `[rows, n]`, `[rows, 1]`; in double precision over stretches.
fn mean(x: &Tensor) -> Result<Tensor> {
    let (rows, n) = x.dims2()?;
    (channel_sum(&x.unsqueeze(0)?)? / n as f64)?.reshape((rows, 1))
}

/// Rows x `[rows, n]` less their means m (if `centre`), and their reciprocal deviations r `[rows, 1]`.
fn standard(x: &Tensor, eps: f64, centre: bool) -> Result<(Tensor, Tensor)> {
    let centred = if centre { x.broadcast_sub(&mean(x)?)? } else { x.clone() };
    let r = (mean(&centred.sqr()?)? + eps)?.sqrt()?.recip()?;
    Ok((centred, r))
}

/// The gradient of x^ = (x - m) r by the rows x, from that by x^, h: r (h - mean h - x^ mean(h x^)), the
/// first mean with `centre` only.
fn through(hat: &Tensor, r: &Tensor, h: &Tensor, centre: bool) -> Result<Tensor> {
    let along = hat.broadcast_mul(&mean(&(h * hat)?)?)?;
    let across = if centre { h.broadcast_sub(&mean(h)?)? } else { h.clone() };
    (across - along)?.broadcast_mul(r)
}

/// Gradients of [`layer_norm`](super::layer_norm) and, without `centre`, of
/// [`rms_norm`](super::rms_norm) by x `[.., n]`, gamma `[n]` and, where there is one, beta `[n]`.
pub(super) fn rows(inputs: &[&Tensor], g: &Tensor, eps: f64, centre: bool) -> Gradients {
    let (x, gamma) = (inputs[0], inputs[1]);
    let n = gamma.elem_count();
    let (rows, g) = (x.reshape(((), n))?, g.reshape(((), n))?);
    let (centred, r) = standard(&rows, eps, centre)?;
    let hat = centred.broadcast_mul(&r)?;
    let mut all = vec![None, None];
    if wants(x) {
        let dx = through(&hat, &r, &g.broadcast_mul(gamma)?, centre)?;
        all[0] = Some(dx.reshape(x.shape())?);
    }
    if wants(gamma) {
        all[1] = Some(sum_rows(&(&g * &hat)?)?);
    }
    if inputs.get(2).is_some_and(|beta| wants(beta)) {
        all.push(Some(sum_rows(&g)?));
    }
    Ok(all)
}

/// Gradients of normalisations of these sets of x `[n, c, ..]` by x, gamma `[c]` and beta `[c]`.
pub(super) fn channels(inputs: &[&Tensor], g: &Tensor, eps: f64, sets: &Sets) -> Gradients {
    let [x, gamma, beta] = [inputs[0], inputs[1], inputs[2]];
    let (centred, r) = standard(&sets.rows(x)?, eps, true)?;
    let hat = centred.broadcast_mul(&r)?;
    let mut all = vec![None, None, None];
    if wants(x) {
        let h = channel_affine(g, gamma, &gamma.zeros_like()?)?;
        let dx = sets.channels(&through(&hat, &r, &sets.rows(&h)?, true)?)?;
        all[0] = Some(dx.reshape(x.shape())?);
    }
    if wants(gamma) {
        let hat = sets.channels(&hat)?;
        all[1] = Some(channel_sum(&(g.reshape(hat.shape())? * hat)?)?);
    }
    if wants(beta) {
        all[2] = Some(channel_sum(g)?);
    }
    Ok(all)
}

/// Gradients of attention by q, k and v `[b, t, heads w]`, from that by its output. With the weights of
/// the keys p = softmax(q k^T s + mask): dp = g v^T, ds = p (dp - sum of dp p), dq = ds k s,
/// dk = ds^T q s, dv = p^T g, for every head. `mask` fits `[b, heads, tq, tk]`.
pub(super) fn attention(
    [q, k, v]: [&Tensor; 3],
    g: &Tensor,
    s: &Sizes,
    mask: Option<&Tensor>,
) -> Result<[Tensor; 3]> {
    // [b, t, heads w] and [b, heads, t, w]
    let split = |x: &Tensor| -> Result<Tensor> {
        let (b, t, _) = x.dims3()?;
        transpose(&contiguous(x)?.reshape((b, t, s.heads, s.w))?, 1, 2)
    };
    let join = |x: Tensor| transpose(&x, 1, 2)?.flatten_from(2);
    let [q, k, v, g] = [split(q)?, split(k)?, split(v)?, split(g)?];
    let mut scores = (matmul(&q, &k.t()?)? * s.scale())?;
    if let Some(mask) = mask {
        scores = scores.broadcast_add(mask)?;
    }
    let p = softmax(&scores)?;
    let dp = matmul(&g, &v.t()?)?;
    let ds = (softmax_back(&p, &dp)? * s.scale())?;
    Ok([join(matmul(&ds, &k)?)?, join(matmul(&ds.t()?, &q)?)?, join(matmul(&p.t()?, &g)?)?])
}
