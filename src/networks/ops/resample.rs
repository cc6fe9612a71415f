//! Everything that is linear along each of the two image axes: padding (zero, periodic, replicated,
//! reflected), up-sampling (nearest, bilinear), average pooling. One operation, y = A x B^T with
//! sparse A and B for every plane; its gradient is the same with the transposes, so derivatives of
//! any order exist and other consumers of the input do not matter.

use std::sync::Arc;

use candle_core::{Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, shape_error};
use super::real::{Real, by_type, chunks, unset, vectorised};

/// A sparse matrix by rows.
#[derive(Clone, Debug, PartialEq)]
struct Sparse {
    columns: usize,
    /// Row r has the entries `starts[r]..starts[r + 1]`.
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
    /// Every row has one entry and that is 1: a selection.
    selects: bool,
}

impl Sparse {
    fn new(rows: usize, columns: usize, row: impl Fn(usize) -> Vec<(usize, f64)>) -> Sparse {
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for r in 0..rows {
            entries.extend(row(r));
            starts.push(entries.len());
        }
        Sparse {
            columns,
            starts,
            selects: entries.len() == rows && entries.iter().all(|e| e.1 == 1.0),
            entries,
        }
    }
    fn rows(&self) -> usize {
        self.starts.len() - 1
    }
    fn row(&self, r: usize) -> &[(usize, f64)] {
        &self.entries[self.starts[r]..self.starts[r + 1]]
    }
    fn transposed(&self) -> Sparse {
        let mut rows = vec![Vec::new(); self.columns];
        for r in 0..self.rows() {
            for &(c, w) in self.row(r) {
                rows[c].push((r, w));
            }
        }
        Sparse::new(self.columns, self.rows(), |r| rows[r].clone())
    }
}

vectorised! {
    fn add_scaled<T>(to: &mut [T], from: &[T], w: T) {
        for (t, f) in to.iter_mut().zip(from) {
            *t = f.fma::<FMA>(w, *t);
        }
    }
}

fn plane<T: Real>(x: &[T], y: &mut [T], a: &Sparse, b: &Sparse, line: &mut [T]) {
    let (w, ow) = (b.columns, b.rows());
    for (r, out) in y.chunks_exact_mut(ow).enumerate() {
        let from: &[T] = match a.row(r) {
            [(c, 1.0)] => &x[c * w..][..w],
            entries => {
                line.fill(T::ZERO);
                for &(c, weight) in entries {
                    add_scaled(line, &x[c * w..][..w], T::of(weight));
                }
                line
            }
        };
        if b.selects {
            for (o, (c, _)) in out.iter_mut().zip(&b.entries) {
                *o = from[*c];
            }
        } else {
            for (i, o) in out.iter_mut().enumerate() {
                let mut sum = T::ZERO;
                for (c, weight) in b.row(i) {
                    sum += from[*c] * T::of(*weight);
                }
                *o = sum;
            }
        }
    }
}

fn resample(name: &'static str, x: &Tensor, a: Arc<Sparse>, b: Arc<Sparse>) -> Result<Tensor> {
    let dtype = x.dtype();
    let (a2, b2) = (a.clone(), b.clone());
    apply(
        name,
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "resample", T => {
                let x = v[0].slice::<T>()?;
                let mut dims = v[0].dims().to_vec();
                let r = dims.len();
                let (from, to) = (a.columns * b.columns, a.rows() * b.rows());
                let planes: usize = dims[..r - 2].iter().product();
                dims[r - 2] = a.rows();
                dims[r - 1] = b.rows();
                let mut y = unset::<T>(planes * to);
                let some = (4096 / to.max(1)).max(1);
                chunks(&mut y, some * to, |i, y| {
                    let mut line = unset::<T>(b.columns);
                    for (k, y) in y.chunks_exact_mut(to).enumerate() {
                        plane(&x[(i * some + k) * from..][..from], y, &a, &b, &mut line);
                    }
                });
                Ok((T::to_cpu_storage_owned(y), Shape::from(dims)))
            })
        },
        move |_, _, g| {
            Ok(vec![Some(resample(name, g, Arc::new(a2.transposed()), Arc::new(b2.transposed()))?)])
        },
    )
}

fn image(name: &'static str, x: &Tensor) -> Result<(usize, usize)> {
    match *x.dims() {
        [_, .., h, w] if x.rank() >= 3 && h * w > 0 => Ok((h, w)),
        _ => Err(shape_error(name, "x [.., h, w] with at least three axes and one pixel", x.dims())),
    }
}

/// What stands outside the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// Zeros.
    Zero,
    /// The image again: a periodic field.
    Periodic,
    /// The nearest pixel of the edge.
    Replicate,
    /// The image mirrored at its edge pixels, which are not repeated.
    Reflect,
}

impl Padding {
    fn matrix(self, n: usize, before: usize, after: usize) -> Sparse {
        Sparse::new(n + before + after, n, |r| {
            let i = r as isize - before as isize;
            let m = n as isize;
            let at = match self {
                Padding::Zero if i < 0 || i >= m => return Vec::new(),
                Padding::Zero => i,
                Padding::Periodic => i.rem_euclid(m),
                Padding::Replicate => i.clamp(0, m - 1),
                Padding::Reflect if m == 1 => 0,
                Padding::Reflect => {
                    let k = i.rem_euclid(2 * (m - 1));
                    k.min(2 * (m - 1) - k)
                }
            };
            vec![(at as usize, 1.0)]
        })
    }
}

/// `[.., h, w]` padded above, below, left and right.
pub fn pad2d(
    x: &Tensor,
    (above, below): (usize, usize),
    (left, right): (usize, usize),
    padding: Padding,
) -> Result<Tensor> {
    let (h, w) = image("pad2d", x)?;
    resample("pad2d", x, Arc::new(padding.matrix(h, above, below)), Arc::new(padding.matrix(w, left, right)))
}

/// `[.., n]` padded at both ends of the last axis (at least two axes).
pub fn pad1d(x: &Tensor, before: usize, after: usize, padding: Padding) -> Result<Tensor> {
    let n = x.rank();
    if n < 2 {
        return Err(shape_error("pad1d", "x [.., n] with at least two axes", x.dims()));
    }
    pad2d(&x.unsqueeze(n - 1)?, (0, 0), (before, after), padding)?.squeeze(n - 1)
}

/// `[.., h, w] -> [.., oh, ow]`: pixel i of the result is pixel floor(i h / oh) of x.
pub fn upsample_nearest(x: &Tensor, oh: usize, ow: usize) -> Result<Tensor> {
    let (h, w) = image("upsample_nearest", x)?;
    let m = |n: usize, to: usize| Arc::new(Sparse::new(to, n, |i| vec![(i * n / to, 1.0)]));
    resample("upsample_nearest", x, m(h, oh), m(w, ow))
}

/// `[.., h, w] -> [.., oh, ow]`, linear between pixel centres: position (i + 1/2) h / oh - 1/2, held
/// within the image (corners are not aligned).
pub fn upsample_bilinear(x: &Tensor, oh: usize, ow: usize) -> Result<Tensor> {
    let (h, w) = image("upsample_bilinear", x)?;
    let m = |n: usize, to: usize| {
        Arc::new(Sparse::new(to, n, |i| {
            let at = (((i as f64 + 0.5) * n as f64 / to as f64) - 0.5).clamp(0.0, (n - 1) as f64);
            let low = at.floor() as usize;
            let part = at - low as f64;
            if part == 0.0 { vec![(low, 1.0)] } else { vec![(low, 1.0 - part), (low + 1, part)] }
        }))
    };
    resample("upsample_bilinear", x, m(h, oh), m(w, ow))
}

/// The windows of a pooling along one axis: from i s - p, k long, cut off at the image's border.
/// Their number is floor((n + 2 p - k) / s) + 1: pixels beyond the last whole window are not read.
pub(crate) fn windows(
    name: &'static str,
    n: usize,
    k: usize,
    s: usize,
    p: usize,
) -> Result<Vec<(usize, usize)>> {
    if k == 0 || s == 0 || 2 * p > k {
        return Err(shape_error(
            name,
            "a window and a stride of at least 1 and a padding of at most half the window",
            &[k, s, p],
        ));
    }
    let Some(last) = (n + 2 * p).checked_sub(k) else {
        return Err(shape_error(name, format!("an axis of at least {k} pixels with its padding"), &[n]));
    };
    Ok((0..=last / s).map(|i| ((i * s).saturating_sub(p), (i * s + k - p).min(n))).collect())
}

/// `[.., h, w]`: means over windows (kernel, stride and padding as (vertical, horizontal)). The
/// result has floor((h + 2 p - k) / s) + 1 rows: pixels beyond the last whole window are not read.
/// Padding is not counted: each mean is over the pixels inside the image.
pub fn avg_pool2d(
    x: &Tensor,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
) -> Result<Tensor> {
    let (h, w) = image("avg_pool2d", x)?;
    let m = |n: usize, k: usize, s: usize, p: usize| -> Result<Arc<Sparse>> {
        let windows = windows("avg_pool2d", n, k, s, p)?;
        Ok(Arc::new(Sparse::new(windows.len(), n, |i| {
            let (from, to) = windows[i];
            (from..to).map(|j| (j, 1.0 / (to - from) as f64)).collect()
        })))
    };
    resample("avg_pool2d", x, m(h, kernel.0, stride.0, padding.0)?, m(w, kernel.1, stride.1, padding.1)?)
}

/// `[n, c, ..] -> [n, c]`: the mean over all further axes.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    let &[n, c, ref rest @ ..] = x.dims() else {
        return Err(shape_error("global_avg_pool", "x [n, c, ..]", x.dims()));
    };
    let m: usize = rest.iter().product();
    let flat = super::layout::contiguous(x)?.reshape((n, c, 1, m))?;
    avg_pool2d(&flat, (1, m), (1, 1), (0, 0))?.reshape((n, c))
}
