//! Sums: over all elements, over all but the last axis, over all but the channel axis. In one fixed
//! order, with partial sums that keep single precision accurate. Second derivatives: yes.

use candle_core::{Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, shape_error};
use super::real::{Real, by_type, chunks, rows_per_chunk, vectorised};

/// Partial sums of one stretch: enough for the additions to overlap.
pub(crate) const LANES: usize = 32;
/// Elements of one stretch; stretches are summed in f64.
const STRETCH: usize = 512;

vectorised! {
    /// The sum of one stretch in the order of `LANES` interleaved partial sums.
    fn stretch<T>(x: &[T]) -> T {
        let mut acc = [T::ZERO; LANES];
        let (whole, rest) = x.as_chunks::<LANES>();
        for c in whole {
            for (a, v) in acc.iter_mut().zip(c) {
                *a += *v;
            }
        }
        for (a, v) in acc.iter_mut().zip(rest) {
            *a += *v;
        }
        fold(acc)
    }
}

/// The sum of the lanes, halves first.
#[inline(always)]
pub(crate) fn fold<T: Real>(mut acc: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            let other = acc[i + half];
            acc[i] += other;
        }
        half /= 2;
    }
    acc[0]
}

/// The sum of a slice, in f64 over stretches.
pub(crate) fn sum<T: Real>(x: &[T]) -> f64 {
    x.chunks(STRETCH).map(|c| stretch(c).wide()).sum()
}

vectorised! {
    fn add_row<T>(to: &mut [T], from: &[T]) {
        for (t, f) in to.iter_mut().zip(from) {
            *t += *f;
        }
    }
}

/// Sums of the columns of rows of length `n`: blocks of rows each, then the blocks in order.
pub(crate) fn columns<T: Real>(x: &[T], n: usize) -> Vec<T> {
    let mut total = vec![T::ZERO; n];
    if n == 0 {
        return total;
    }
    let rows = x.len() / n;
    let block = rows_per_chunk(n).max(16);
    let mut partial = vec![T::ZERO; rows.div_ceil(block) * n];
    chunks(&mut partial, n, |i, p| {
        for row in x[i * block * n..].chunks_exact(n).take(block) {
            add_row(p, row);
        }
    });
    for p in partial.chunks_exact(n) {
        add_row(&mut total, p);
    }
    total
}

/// `[.., n] -> [n]`: the sum over all axes but the last.
pub fn sum_rows(x: &Tensor) -> Result<Tensor> {
    let dtype = x.dtype();
    let Some(&n) = x.dims().last() else {
        return Err(shape_error("sum_rows", "at least one axis", x.dims()));
    };
    apply(
        "sum_rows",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "sum_rows", T => Ok((T::to_cpu_storage_owned(columns::<T>(v[0].slice()?, n)), Shape::from(n))))
        },
        |i, _, g| Ok(vec![Some(g.broadcast_as(i[0].shape())?)]),
    )
}

/// `[n, c, ..] -> [c]`: the sum over all axes but the second.
pub fn channel_sum(x: &Tensor) -> Result<Tensor> {
    let dtype = x.dtype();
    let &[n, c, ..] = x.dims() else { return Err(shape_error("channel_sum", "[n, c, ..]", x.dims())) };
    let inner: usize = x.dims()[2..].iter().product();
    apply(
        "channel_sum",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "channel_sum", T => {
                let x = v[0].slice::<T>()?;
                let mut y = vec![T::ZERO; c];
                chunks(&mut y, 1, |c0, y| {
                    y[0] = T::of((0..n).map(|i| sum(&x[(i * c + c0) * inner..][..inner])).sum());
                });
                Ok((T::to_cpu_storage_owned(y), Shape::from(c)))
            })
        },
        move |i, _, g| {
            let mut dims = vec![1; i[0].rank()];
            dims[1] = c;
            Ok(vec![Some(g.reshape(dims)?.broadcast_as(i[0].shape())?)])
        },
    )
}

/// The sum of all elements: a scalar.
pub fn sum_all(x: &Tensor) -> Result<Tensor> {
    scaled_sum(x, 1.0)
}

/// The mean of all elements: a scalar.
pub fn mean_all(x: &Tensor) -> Result<Tensor> {
    if x.elem_count() == 0 {
        return Err(shape_error("mean_all", "at least one element", x.dims()));
    }
    scaled_sum(x, 1.0 / x.elem_count() as f64)
}

fn scaled_sum(x: &Tensor, scale: f64) -> Result<Tensor> {
    let dtype = x.dtype();
    apply(
        "sum_all",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "sum_all", T => Ok((T::to_cpu_storage_owned(vec![T::of(sum(v[0].slice::<T>()?) * scale)]), Shape::from(()))))
        },
        move |i, _, g| Ok(vec![Some((g * scale)?.broadcast_as(i[0].shape())?)]),
    )
}
