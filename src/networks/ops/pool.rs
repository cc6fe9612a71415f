//! Largest numbers of windows, with the gradient going to the pixel that was largest (the first in
//! row-major order among equals). Average pools are in `resample`. Second derivatives: the gradient
//! is linear in what comes back, so those through it exist.

use std::sync::{Arc, OnceLock};

use candle_core::{Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, shape_error};
use super::real::{Real, Shared, by_type, chunks, unset};
use super::resample::windows;

type Picks = Arc<OnceLock<Vec<u32>>>;

/// `[.., h, w]`: largest numbers of windows (kernel, stride and padding as (vertical, horizontal)).
/// The result has floor((h + 2 p - k) / s) + 1 rows: pixels beyond the last whole window are not
/// read; padding is never the largest.
pub fn max_pool2d(
    x: &Tensor,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
) -> Result<Tensor> {
    let name = "max_pool2d";
    let dtype = x.dtype();
    let &[.., h, w] = x.dims() else { return Err(shape_error(name, "x [.., h, w]", x.dims())) };
    let rows = windows(name, h, kernel.0, stride.0, padding.0)?;
    let columns = windows(name, w, kernel.1, stride.1, padding.1)?;
    if u32::try_from(h * w).is_err() {
        return Err(shape_error(name, "planes of fewer than 2^32 pixels", x.dims()));
    }
    let (oh, ow) = (rows.len(), columns.len());
    let picks = Picks::default();
    let filled = picks.clone();
    apply(
        name,
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "max_pool2d", T => {
                let x = v[0].slice::<T>()?;
                let mut dims = v[0].dims().to_vec();
                let r = dims.len();
                (dims[r - 2], dims[r - 1]) = (oh, ow);
                let planes = x.len() / (h * w).max(1);
                let mut y = unset::<T>(planes * oh * ow);
                let mut picks = vec![0u32; planes * oh * ow];
                let shared = Shared::new(&mut picks);
                let some = (4096 / (oh * ow)).max(1);
                chunks(&mut y, some * oh * ow, |i, y| {
                    // SAFETY: the picks of chunk i.
                    let picks = unsafe { shared.part(i * some * oh * ow, y.len()) };
                    let planes = x[i * some * h * w..].chunks_exact(h * w);
                    for ((x, y), picks) in planes.zip(y.chunks_exact_mut(oh * ow)).zip(picks.chunks_exact_mut(oh * ow)) {
                        largest(x, y, picks, w, &rows, &columns);
                    }
                });
                let _ = filled.set(picks); // set before only by the same numbers
                Ok((T::to_cpu_storage_owned(y), Shape::from(dims)))
            })
        },
        move |_, _, g| Ok(vec![Some(spread(g, picks.clone(), (h, w))?)]),
    )
}

fn largest<T: Real>(
    x: &[T],
    y: &mut [T],
    picks: &mut [u32],
    w: usize,
    rows: &[(usize, usize)],
    columns: &[(usize, usize)],
) {
    let mut out = y.iter_mut().zip(picks);
    for &(r0, r1) in rows {
        for (&(c0, c1), (y, pick)) in columns.iter().zip(&mut out) {
            let mut at = r0 * w + c0;
            let mut best = x[at];
            for r in r0..r1 {
                for c in c0..c1 {
                    let v = x[r * w + c];
                    let take = v > best;
                    best = if take { v } else { best };
                    at = if take { r * w + c } else { at };
                }
            }
            *y = best;
            *pick = at as u32;
        }
    }
}

/// The numbers of g laid where they were picked, summed.
fn spread(g: &Tensor, picks: Picks, (h, w): (usize, usize)) -> Result<Tensor> {
    let dtype = g.dtype();
    let back = picks.clone();
    apply(
        "gradient of max_pool2d",
        &[g],
        move |v: &[View]| -> Made {
            by_type!(dtype, "max_pool2d", T => {
                let g = v[0].slice::<T>()?;
                let picks = picks.get().map_or(&[][..], |p| p.as_slice());
                let mut dims = v[0].dims().to_vec();
                let r = dims.len();
                let m = dims[r - 2] * dims[r - 1];
                (dims[r - 2], dims[r - 1]) = (h, w);
                let mut d = vec![T::ZERO; g.len() / m.max(1) * h * w];
                let some = (4096 / (h * w)).max(1);
                chunks(&mut d, some * h * w, |i, d| {
                    for (k, d) in d.chunks_exact_mut(h * w).enumerate() {
                        let at = (i * some + k) * m;
                        for (g, p) in g[at..at + m].iter().zip(&picks[at..at + m]) {
                            d[*p as usize] += *g;
                        }
                    }
                });
                Ok((T::to_cpu_storage_owned(d), Shape::from(dims)))
            })
        },
        move |i, _, k| {
            let picks = back.get().map_or(&[][..], |p| p.as_slice());
            let m: usize = i[0].dims()[i[0].rank() - 2..].iter().product();
            let at: Vec<u32> = picks.iter().enumerate().map(|(j, p)| (j / m * h * w) as u32 + p).collect();
            let index = Tensor::from_vec(at, picks.len(), k.device())?;
            Ok(vec![Some(k.flatten_all()?.index_select(&index, 0)?.reshape(i[0].shape())?)])
        },
    )
}

/// `[n, c, ..] -> [n, c]`: the largest number of all further axes.
pub fn global_max_pool(x: &Tensor) -> Result<Tensor> {
    let &[n, c, ref rest @ ..] = x.dims() else {
        return Err(shape_error("global_max_pool", "x [n, c, ..]", x.dims()));
    };
    let m: usize = rest.iter().product();
    max_pool2d(&super::layout::contiguous(x)?.reshape((n, c, 1, m))?, (1, m), (1, 1), (0, 0))?.reshape((n, c))
}
