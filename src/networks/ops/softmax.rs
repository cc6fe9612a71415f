//! Softmax and its logarithm over the last axis, with their gradients. Replaces candle's fused
//! softmax, which has no gradient, and its slow composed one. Second derivatives: yes.

use candle_core::{D, Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, shape_error, wants};
use super::real::{Real, by_type, chunks, rows_per_chunk, unset, vectorised};
use super::reduce::{LANES, fold};

vectorised! {
    /// Softmax of each row in place. A row of minus infinities becomes zeros.
    pub(crate) fn rows_in_place<T>(x: &mut [T], n: usize) {
        for row in x.chunks_exact_mut(n) {
            let max = largest(row);
            if max == T::MIN {
                row.fill(T::ZERO);
                continue;
            }
            let mut acc = [T::ZERO; LANES];
            let (whole, rest) = row.as_chunks_mut::<LANES>();
            for c in whole {
                for (v, a) in c.iter_mut().zip(&mut acc) {
                    *v = (*v - max).exp::<FMA>();
                    *a += *v;
                }
            }
            for (v, a) in rest.iter_mut().zip(&mut acc) {
                *v = (*v - max).exp::<FMA>();
                *a += *v;
            }
            let r = T::ONE / fold(acc);
            for v in row {
                *v *= r;
            }
        }
    }
}

/// The largest number of a row; NaN is passed over here and shows in the sum.
#[inline(always)]
fn largest<T: Real>(row: &[T]) -> T {
    let mut acc = [T::MIN; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for c in whole {
        for (a, v) in acc.iter_mut().zip(c) {
            *a = if *v > *a { *v } else { *a };
        }
    }
    for (a, v) in acc.iter_mut().zip(rest) {
        *a = if *v > *a { *v } else { *a };
    }
    let mut max = T::MIN;
    for a in acc {
        max = if a > max { a } else { max };
    }
    max
}

vectorised! {
    /// d = y (g - sum of g y) in each row, into g.
    pub(crate) fn rows_back<T>(y: &[T], g: &mut [T], n: usize) {
        for (y, g) in y.chunks_exact(n).zip(g.chunks_exact_mut(n)) {
            let mut acc = [T::ZERO; LANES];
            let (ys, y_rest) = y.as_chunks::<LANES>();
            let (gs, g_rest) = g.as_chunks::<LANES>();
            for (y, g) in ys.iter().zip(gs) {
                for i in 0..LANES {
                    acc[i] = y[i].fma::<FMA>(g[i], acc[i]);
                }
            }
            for (i, (y, g)) in y_rest.iter().zip(g_rest).enumerate() {
                acc[i] = y.fma::<FMA>(*g, acc[i]);
            }
            let s = fold(acc);
            for (g, y) in g.iter_mut().zip(y) {
                *g = *y * (*g - s);
            }
        }
    }
}

vectorised! {
    fn log_rows<T>(x: &[T], y: &mut [T], n: usize) {
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            let max = largest(x);
            let mut acc = [T::ZERO; LANES];
            let (whole, rest) = x.as_chunks::<LANES>();
            for c in whole {
                for (a, v) in acc.iter_mut().zip(c) {
                    *a += (*v - max).exp::<FMA>();
                }
            }
            for (a, v) in acc.iter_mut().zip(rest) {
                *a += (*v - max).exp::<FMA>();
            }
            let log = max + fold(acc).ln();
            for (y, x) in y.iter_mut().zip(x) {
                *y = *x - log;
            }
        }
    }
}

vectorised! {
    /// d = g - e^y sum of g in each row, into g.
    fn log_rows_back<T>(y: &[T], g: &mut [T], n: usize) {
        for (y, g) in y.chunks_exact(n).zip(g.chunks_exact_mut(n)) {
            let mut acc = [T::ZERO; LANES];
            let (whole, rest) = g.as_chunks::<LANES>();
            for c in whole { for (a, v) in acc.iter_mut().zip(c) { *a += *v; } }
            for (a, v) in acc.iter_mut().zip(rest) { *a += *v; }
            let s = fold(acc);
            for (g, y) in g.iter_mut().zip(y) {
                *g -= y.exp::<FMA>() * s;
            }
        }
    }
}

fn last(name: &'static str, x: &Tensor) -> Result<usize> {
    match x.dims().last() {
        Some(&n) if n > 0 => Ok(n),
        _ => Err(shape_error(name, "x [.., n] with n of at least 1", x.dims())),
    }
}

/// `[.., n]`: e^x / sum of e^x over the last axis. A row of minus infinities gives zeros.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let n = last("softmax", x)?;
    let dtype = x.dtype();
    apply(
        "softmax",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "softmax", T => {
                let mut y = v[0].slice::<T>()?.to_vec();
                chunks(&mut y, rows_per_chunk(n) * n, |_, y| rows_in_place(y, n));
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        |_, y, g| Ok(vec![Some(softmax_back(y, g)?)]),
    )
}

/// The gradient y (g - sum of g y) of a softmax y from that by y.
pub(super) fn softmax_back(y: &Tensor, g: &Tensor) -> Result<Tensor> {
    let n = last("gradient of softmax", y)?;
    let dtype = y.dtype();
    apply(
        "gradient of softmax",
        &[y, g],
        move |v: &[View]| -> Made {
            by_type!(dtype, "softmax", T => {
                let y = v[0].slice::<T>()?;
                let mut d = v[1].slice::<T>()?.to_vec();
                let size = rows_per_chunk(n) * n;
                chunks(&mut d, size, |i, d| rows_back(&y[i * size..][..d.len()], d, n));
                Ok((T::to_cpu_storage_owned(d), Shape::from(v[0].dims())))
            })
        },
        move |i, _, h| {
            let (y, g) = (i[0], i[1]);
            // d (y g - y s) / dy with s = sum of g y: h (g - s) - g sum of (h y)
            let dy = if wants(y) {
                let s = (g * y)?.sum_keepdim(D::Minus1)?;
                let t = (h * y)?.sum_keepdim(D::Minus1)?;
                Some(((h * g.broadcast_sub(&s)?)? - g.broadcast_mul(&t)?)?)
            } else {
                None
            };
            Ok(vec![dy, if wants(g) { Some(softmax_back(y, h)?) } else { None }])
        },
    )
}

/// `[.., n]`: x - ln(sum of e^x) over the last axis.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let n = last("log_softmax", x)?;
    let dtype = x.dtype();
    apply(
        "log_softmax",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "log_softmax", T => {
                let x = v[0].slice::<T>()?;
                let mut y = unset::<T>(x.len());
                let size = rows_per_chunk(n) * n;
                chunks(&mut y, size, |i, y| log_rows(&x[i * size..][..y.len()], y, n));
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        move |_, y, g| Ok(vec![Some(log_softmax_back(y, g, n)?)]),
    )
}

fn log_softmax_back(y: &Tensor, g: &Tensor, n: usize) -> Result<Tensor> {
    let dtype = y.dtype();
    apply(
        "gradient of log_softmax",
        &[y, g],
        move |v: &[View]| -> Made {
            by_type!(dtype, "log_softmax", T => {
                let y = v[0].slice::<T>()?;
                let mut d = v[1].slice::<T>()?.to_vec();
                let size = rows_per_chunk(n) * n;
                chunks(&mut d, size, |i, d| log_rows_back(&y[i * size..][..d.len()], d, n));
                Ok((T::to_cpu_storage_owned(d), Shape::from(v[0].dims())))
            })
        },
        |i, _, h| {
            let (y, g) = (i[0], i[1]);
            let p = super::activation::exp(y)?;
            let ph = (&p * h)?;
            let dy = ph.broadcast_mul(&g.sum_keepdim(D::Minus1)?)?.neg()?;
            Ok(vec![Some(dy), Some(h.broadcast_sub(&ph.sum_keepdim(D::Minus1)?)?)])
        },
    )
}
