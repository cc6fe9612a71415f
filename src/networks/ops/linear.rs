//! Matrix products and the affine map. Replaces candle's, which is wrong for some transposed inputs
//! and spends a pass over memory on transposes and on the bias. Second derivatives: yes, of any order.

use candle_core::{Result, Shape, Tensor, WithDType};
use gemm::Parallelism;

use super::custom::{Made, View, apply, shape_error, wants};
use super::real::{Real, Shared, by_type, each, threads, unset};
use super::reduce::sum_rows;

/// A matrix in memory: first element, rows and columns apart.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<T> {
    pub at: *const T,
    pub row: usize,
    pub column: usize,
}

impl<T> Matrix<T> {
    /// A row-major matrix with rows of length `n`.
    pub(crate) fn rows(x: &[T], n: usize) -> Matrix<T> {
        Matrix { at: x.as_ptr(), row: n, column: 1 }
    }
    pub(crate) fn t(self) -> Matrix<T> {
        Matrix { at: self.at, row: self.column, column: self.row }
    }
    pub(crate) fn turned(self, turn: bool) -> Matrix<T> {
        if turn { self.t() } else { self }
    }
}

/// `c = scale a b` (added to `c` if `add`), c `[m, n]` with rows `pitch` apart, a `[m, k]`, b `[k, n]`.
///
/// # Safety
/// The three matrices lie in live memory; no other thread uses c's.
#[allow(clippy::too_many_arguments)] // a matrix product has these
pub(crate) unsafe fn product<T: Real>(
    (m, n, k): (usize, usize, usize),
    c: *mut T,
    pitch: usize,
    add: bool,
    a: Matrix<T>,
    b: Matrix<T>,
    scale: T,
    parallel: bool,
) {
    let parallelism =
        if parallel && threads() > 1 { Parallelism::Rayon(threads()) } else { Parallelism::None };
    // SAFETY: the caller's promise; the number type is f32 or f64.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            pitch as isize,
            add,
            a.at,
            a.column as isize,
            a.row as isize,
            b.at,
            b.column as isize,
            b.row as isize,
            T::ONE,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Batched product of contiguous operands `[batch, ..]`, each used transposed if told.
fn multiply(a: &Tensor, b: &Tensor, ta: bool, tb: bool) -> Result<Tensor> {
    let name = "matmul";
    let dtype = a.dtype();
    let (ra, rb) = (a.rank(), b.rank());
    if ra < 2 || ra != rb || a.dims()[..ra - 2] != b.dims()[..rb - 2] {
        return Err(shape_error(
            name,
            format!("matrices with the same leading axes as {:?}", b.dims()),
            a.dims(),
        ));
    }
    let (a0, a1, b0, b1) = (a.dims()[ra - 2], a.dims()[ra - 1], b.dims()[rb - 2], b.dims()[rb - 1]);
    let (m, k) = if ta { (a1, a0) } else { (a0, a1) };
    let (k2, n) = if tb { (b1, b0) } else { (b0, b1) };
    if k != k2 {
        return Err(shape_error(name, format!("an inner length of {k}"), b.dims()));
    }
    let mut dims = a.dims()[..ra - 2].to_vec();
    let batch: usize = dims.iter().product();
    dims.extend([m, n]);
    apply(
        name,
        &[a, b],
        move |v: &[View]| -> Made {
            by_type!(dtype, "matmul", T => {
                let (a, b) = (v[0].slice::<T>()?, v[1].slice::<T>()?);
                let mut c = unset::<T>(batch * m * n);
                let shared = Shared::new(&mut c);
                each(batch, batch * m * n * k.div_ceil(8), |i| {
                    // SAFETY: matrix i of each; c's is written by this job only.
                    unsafe {
                        let c = shared.part(i * m * n, m * n);
                        let a = Matrix::rows(&a[i * m * k..], a1).turned(ta);
                        let b = Matrix::rows(&b[i * k * n..], b1).turned(tb);
                        product((m, n, k), c.as_mut_ptr(), n, false, a, b, T::ONE, batch == 1);
                    }
                });
                Ok((T::to_cpu_storage_owned(c), Shape::from(dims.clone())))
            })
        },
        move |i, _, g| {
            let (a, b) = (i[0], i[1]);
            let da = match wants(a) {
                true if ta => Some(multiply(b, g, tb, true)?),
                true => Some(multiply(g, b, false, !tb)?),
                false => None,
            };
            let db = match wants(b) {
                true if tb => Some(multiply(g, a, true, ta)?),
                true => Some(multiply(a, g, !ta, false)?),
                false => None,
            };
            Ok(vec![da, db])
        },
    )
}

/// `[.., m, k] x [.., k, n] -> [.., m, n]`. The leading axes are equal, or one operand is a single
/// matrix or has axes of length 1 (broadcast). Any strides.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (ra, rb) = (a.rank(), b.rank());
    if ra < 2 || rb < 2 {
        return Err(shape_error(
            "matmul",
            "two operands with at least two axes",
            if ra < 2 { a.dims() } else { b.dims() },
        ));
    }
    if ra > 2 && rb == 2 {
        // All rows of the batch times one matrix: one product.
        let mut dims = a.dims().to_vec();
        let k = dims[ra - 1];
        let flat = super::layout::contiguous(a)?.reshape((a.elem_count() / k.max(1), k))?;
        dims[ra - 1] = b.dim(1)?;
        return multiply(&flat, b, false, false)?.reshape(dims);
    }
    if a.dims()[..ra - 2] == b.dims()[..rb - 2] {
        return multiply(a, b, false, false);
    }
    let (a, b) = (a.clone(), b.clone());
    let (lead_a, lead_b) = (Shape::from(&a.dims()[..ra - 2]), Shape::from(&b.dims()[..rb - 2]));
    let lead = lead_a.broadcast_shape_binary_op(&lead_b, "matmul")?;
    let wide = |x: &Tensor| -> Result<Tensor> {
        let mut dims = lead.dims().to_vec();
        dims.extend(&x.dims()[x.rank() - 2..]);
        x.broadcast_as(dims)
    };
    multiply(&wide(&a)?, &wide(&b)?, false, false)
}

/// x `[.., in]`, weight `[out, in]`, bias `[out]` -> `[.., out]`: x weight^T + bias.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let name = "linear";
    let dtype = x.dtype();
    let (&[out, inner], Some(&k)) = (weight.dims(), x.dims().last()) else {
        return Err(shape_error(name, "x [.., in] and a weight [out, in]", weight.dims()));
    };
    if k != inner {
        return Err(shape_error(name, format!("x [.., {inner}]"), x.dims()));
    }
    if let Some(b) = bias.filter(|b| b.dims() != [out]) {
        return Err(shape_error(name, format!("a bias [{out}]"), b.dims()));
    }
    let rows = x.elem_count() / k.max(1);
    let mut dims = x.dims().to_vec();
    if let Some(last) = dims.last_mut() {
        *last = out;
    }
    let mut all = vec![x, weight];
    all.extend(bias);
    apply(
        name,
        &all,
        move |v: &[View]| -> Made {
            by_type!(dtype, "linear", T => {
                let (x, w) = (v[0].slice::<T>()?, v[1].slice::<T>()?);
                let mut y = unset::<T>(rows * out);
                if let Some(b) = v.get(2) {
                    let b = b.slice::<T>()?;
                    y.chunks_exact_mut(out.max(1)).for_each(|r| r.copy_from_slice(b));
                }
                // SAFETY: the slices have these sizes.
                unsafe {
                    product((rows, out, k), y.as_mut_ptr(), out, v.len() > 2, Matrix::rows(x, k), Matrix::rows(w, k).t(), T::ONE, true);
                }
                Ok((T::to_cpu_storage_owned(y), Shape::from(dims.clone())))
            })
        },
        move |i, _, g| {
            let (x, w) = (i[0], i[1]);
            let flat = g.reshape((rows, out))?;
            Ok(vec![
                if wants(x) { Some(multiply(&flat, w, false, false)?.reshape(x.shape())?) } else { None },
                if wants(w) { Some(multiply(&flat, &x.reshape((rows, k))?, true, false)?) } else { None },
                if i.len() > 2 && wants(i[2]) { Some(sum_rows(&flat)?) } else { None },
            ])
        },
    )
}
