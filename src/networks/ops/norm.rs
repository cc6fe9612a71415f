//! Normalisations over the last axis, each one kernel forward and one backward. Second derivatives:
//! yes, through the formulas of `composed.rs`.

use std::sync::{Arc, OnceLock};

use candle_core::{Result, Shape, Tensor, WithDType};

use super::composed;
use super::custom::{Gradients, Made, View, apply, second_order, shape_error, slices, tensor};
use super::real::{Real, Shared, by_type, chunks, rows_per_chunk, unset, vectorised};
use super::reduce::{LANES, fold};

/// Mean and reciprocal deviation of each row (or set), kept for the backward pass.
pub(super) type Kept = Arc<OnceLock<Vec<[f64; 2]>>>;

vectorised! {
    fn row_forward<T>(x: &[T], gamma: &[T], beta: Option<&[T]>, y: &mut [T], n: usize, eps: f64, centre: bool, kept: &mut [[f64; 2]]) {
        let inv = 1.0 / n as f64;
        for ((x, y), kept) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)).zip(kept) {
            let mut acc = [T::ZERO; LANES];
            let mut mean = 0.0;
            if centre {
                let (whole, rest) = x.as_chunks::<LANES>();
                for c in whole { for (a, v) in acc.iter_mut().zip(c) { *a += *v; } }
                for (a, v) in acc.iter_mut().zip(rest) { *a += *v; }
                mean = fold(acc).wide() * inv;
                acc = [T::ZERO; LANES];
            }
            let m = T::of(mean);
            let (whole, rest) = x.as_chunks::<LANES>();
            for c in whole { for (a, v) in acc.iter_mut().zip(c) { let d = *v - m; *a = d.fma::<FMA>(d, *a); } }
            for (a, v) in acc.iter_mut().zip(rest) { let d = *v - m; *a = d.fma::<FMA>(d, *a); }
            let r = 1.0 / (fold(acc).wide() * inv + eps).sqrt();
            *kept = [mean, r];
            let r = T::of(r);
            match beta {
                Some(beta) => for (((y, x), g), b) in y.iter_mut().zip(x).zip(gamma).zip(beta) {
                    *y = ((*x - m) * r).fma::<FMA>(*g, *b);
                },
                None => for ((y, x), g) in y.iter_mut().zip(x).zip(gamma) {
                    *y = (*x - m) * r * *g;
                },
            }
        }
    }
}

vectorised! {
    /// dx of the rows, and the rows' part of the sums for gamma and beta.
    fn row_backward<T>(x: &[T], g: &[T], gamma: &[T], dx: &mut [T], dgamma: &mut [T], dbeta: &mut [T], n: usize, centre: bool, kept: &[[f64; 2]]) {
        let inv = T::of(1.0 / n as f64);
        for (((x, g), dx), kept) in x.chunks_exact(n).zip(g.chunks_exact(n)).zip(dx.chunks_exact_mut(n)).zip(kept) {
            let (m, r) = (T::of(kept[0]), T::of(kept[1]));
            let mut sum = [T::ZERO; LANES];
            let mut dot = [T::ZERO; LANES];
            let (xs, x_rest) = x.as_chunks::<LANES>();
            let (gs, g_rest) = g.as_chunks::<LANES>();
            let (ws, w_rest) = gamma.as_chunks::<LANES>();
            for ((x, g), w) in xs.iter().zip(gs).zip(ws) {
                for i in 0..LANES {
                    let h = g[i] * w[i];
                    sum[i] += h;
                    dot[i] = h.fma::<FMA>((x[i] - m) * r, dot[i]);
                }
            }
            for (i, ((x, g), w)) in x_rest.iter().zip(g_rest).zip(w_rest).enumerate() {
                let h = *g * *w;
                sum[i] += h;
                dot[i] = h.fma::<FMA>((*x - m) * r, dot[i]);
            }
            let s = if centre { fold(sum) * inv } else { T::ZERO };
            let d = fold(dot) * inv;
            for ((((dx, x), g), w), (dg, db)) in dx.iter_mut().zip(x).zip(g).zip(gamma).zip(dgamma.iter_mut().zip(dbeta.iter_mut())) {
                let hat = (*x - m) * r;
                *dx = r * (g.fma::<FMA>(*w, -s) - hat * d);
                *dg = g.fma::<FMA>(hat, *dg);
                *db += *g;
            }
        }
    }
}

fn last_axis(
    name: &'static str,
    x: &Tensor,
    gamma: &Tensor,
    beta: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let dtype = x.dtype();
    let n = x.dims().last().copied().unwrap_or(0);
    if n == 0 {
        return Err(shape_error(name, "x [.., n] with n of at least 1", x.dims()));
    }
    for w in [Some(gamma), beta].into_iter().flatten() {
        if w.dims() != [n] {
            return Err(shape_error(name, format!("weights [{n}]"), w.dims()));
        }
    }
    let centre = name == "layer_norm";
    let rows = x.elem_count() / n;
    let block = rows_per_chunk(n);
    let kept: Kept = Arc::default();
    let filled = kept.clone();
    let mut all = vec![x, gamma];
    all.extend(beta);
    apply(
        name,
        &all,
        move |v: &[View]| -> Made {
            by_type!(dtype, "norm", T => {
                let (x, gamma) = (v[0].slice::<T>()?, v[1].slice::<T>()?);
                let beta = v.get(2).map(|b| b.slice::<T>()).transpose()?;
                let mut y = unset::<T>(x.len());
                let mut stats = vec![[0.0; 2]; rows];
                let shared = Shared::new(&mut stats);
                chunks(&mut y, block * n, |i, y| {
                    let len = y.len() / n;
                    // SAFETY: the rows of chunk i.
                    let stats = unsafe { shared.part(i * block, len) };
                    row_forward(&x[i * block * n..][..y.len()], gamma, beta, y, n, eps, centre, stats);
                });
                // Already set only if the same closure ran before, with the same numbers.
                let _ = filled.set(stats);
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        move |i, _, g| -> Gradients {
            if second_order() {
                return composed::rows(i, g, eps, centre);
            }
            let kept = kept.get().map_or(&[][..], |k| k.as_slice());
            let (dx, dw, db) = by_type!(dtype, "norm", T => slices::<T, _>(&[i[0], i[1], g], |v| {
                let (x, gamma, g) = (v[0], v[1], v[2]);
                let mut dx = unset::<T>(x.len());
                let mut partial = vec![T::ZERO; rows.div_ceil(block) * 2 * n];
                let shared = Shared::new(&mut partial);
                chunks(&mut dx, block * n, |i, dx| {
                    let at = i * block * n..i * block * n + dx.len();
                    // SAFETY: the sums of chunk i.
                    let (dg, db) = unsafe { shared.part(i * 2 * n, 2 * n) }.split_at_mut(n);
                    row_backward(&x[at.clone()], &g[at], gamma, dx, dg, db, n, centre, &kept[i * block..][..dx.len() / n]);
                });
                let sums = super::reduce::columns(&partial, 2 * n);
                (tensor(dx, i[0].shape()), tensor(sums[..n].to_vec(), n), tensor(sums[n..].to_vec(), n))
            }))?;
            Ok([dx, dw, db].into_iter().map(Some).take(i.len()).collect())
        },
    )
}

/// x `[.., n]`, gamma and beta `[n]`: (x - mean) / sqrt(variance + eps) gamma + beta over the last
/// axis (Ba, Kiros and Hinton 2016).
pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: Option<&Tensor>, eps: f64) -> Result<Tensor> {
    last_axis("layer_norm", x, gamma, beta, eps)
}

/// x `[.., n]`, gamma `[n]`: x / sqrt(mean of x^2 + eps) gamma (Zhang and Sennrich 2019).
pub fn rms_norm(x: &Tensor, gamma: &Tensor, eps: f64) -> Result<Tensor> {
    last_axis("rms_norm", x, gamma, None, eps)
}
