//! Row-major copies of strided tensors, blocked so that transposes run at memory speed, and their
//! gradient (the gradient itself: the shape is unchanged).

use candle_core::{Layout, Result, Shape, Tensor};

use super::custom::{Made, apply_strided};
use super::real::{Real, Shared, by_type, each, unset};

/// The tensor in row-major order; itself where it is already. Any dtype.
/// Second derivatives: yes.
pub fn contiguous(x: &Tensor) -> Result<Tensor> {
    if x.is_contiguous() {
        return Ok(x.clone());
    }
    if !matches!(x.dtype(), candle_core::DType::F32 | candle_core::DType::F64) {
        return x.contiguous();
    }
    let dtype = x.dtype();
    apply_strided(
        "contiguous",
        x,
        move |storage, layout| by_type!(dtype, "contiguous", T => copy::<T>(<T as candle_core::WithDType>::cpu_storage_as_slice(storage)?, layout)),
        |_, _, g| Ok(vec![Some(g.clone())]),
    )
}

/// Axes swapped, in row-major order.
pub fn transpose(x: &Tensor, a: usize, b: usize) -> Result<Tensor> {
    contiguous(&x.transpose(a, b)?)
}

fn copy<T: Real>(all: &[T], layout: &Layout) -> Made {
    let shape = Shape::from(layout.dims());
    let n = shape.elem_count();
    let mut out = unset::<T>(n);
    // Axes of length 1 gone, neighbours that are one stretch of memory joined.
    let mut axes: Vec<(usize, usize)> = Vec::new();
    for (&d, &s) in layout.dims().iter().zip(layout.stride()) {
        if d == 1 {
            continue;
        }
        match axes.last_mut() {
            Some((pd, ps)) if *ps == d * s => {
                *pd *= d;
                *ps = s;
            }
            _ => axes.push((d, s)),
        }
    }
    if n == 0 {
        return Ok((T::to_cpu_storage_owned(out), shape));
    }
    let start = layout.start_offset();
    let (cols, col_stride) = axes.pop().unwrap_or((1, 1));
    let (rows, row_stride) = axes.pop().unwrap_or((1, 0));
    let outer: usize = axes.iter().map(|a| a.0).product();
    let shared = Shared::new(&mut out);
    each(outer, n, |o| {
        let mut rest = o;
        let mut from = start;
        for &(d, s) in axes.iter().rev() {
            from += rest % d * s;
            rest /= d;
        }
        // SAFETY: each `o` writes its own block of rows * cols.
        let block = unsafe { shared.part(o * rows * cols, rows * cols) };
        if col_stride == 1 {
            for (r, line) in block.chunks_exact_mut(cols).enumerate() {
                line.copy_from_slice(&all[from + r * row_stride..][..cols]);
            }
        } else {
            const TILE: usize = 16;
            for r0 in (0..rows).step_by(TILE) {
                let r1 = (r0 + TILE).min(rows);
                for c0 in (0..cols).step_by(TILE) {
                    let c1 = (c0 + TILE).min(cols);
                    for r in r0..r1 {
                        let line = &mut block[r * cols..][c0..c1];
                        let mut i = from + r * row_stride + c0 * col_stride;
                        for y in line {
                            *y = all[i];
                            i += col_stride;
                        }
                    }
                }
            }
        }
    });
    Ok((T::to_cpu_storage_owned(out), shape))
}
