//! Scaled dot-product attention in one operation: all heads, mask and softmax, straight from the
//! projected sequences without splitting them into heads. The weights of each head are kept for the
//! backward pass (batch * heads * queries * keys numbers). Second derivatives: yes, through the
//! formulas of `composed.rs`.
//! Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, Result, Shape, Tensor, WithDType};

use super::composed;
use super::custom::{Gradients, Made, View, apply, second_order, shape_error, slices, tensor};
use super::layout::contiguous;
use super::linear::{Matrix, product};
use super::real::{Real, Shared, by_type, each, unset};
use super::softmax::{rows_back, rows_in_place};

/// Who sees whom.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// Added to the scores before the softmax (minus infinity hides a key): `[tq, tk]`,
    /// `[b, tq, tk]` or `[b, heads, tq, tk]`, in the last form any axis may have length 1. No
    /// gradient flows into it. A query that sees no key gives zeros.
    pub added: Option<Tensor>,
    /// Query i sees the keys up to i (counted from the end if there are more keys than queries).
    pub causal: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    b: usize,
    pub(super) heads: usize,
    tq: usize,
    tk: usize,
    /// Width of one head.
    pub(super) w: usize,
}

impl Sizes {
    pub(super) fn scale(&self) -> f64 {
        1.0 / (self.w as f64).sqrt()
    }
    fn scores(&self) -> usize {
        self.tq * self.tk
    }
    fn work(&self) -> usize {
        self.b * self.heads * self.scores() * self.w
    }
}

/// A sequence whose tokens are `pitch` apart and start `shift` numbers into the data.
#[derive(Clone, Copy)]
struct Sequence<'a, T> {
    data: &'a [T],
    pitch: usize,
    shift: usize,
}

impl<T> Sequence<'_, T> {
    fn head(&self, s: &Sizes, tokens: usize, b: usize, h: usize) -> Matrix<T> {
        Matrix {
            at: self.data[b * tokens * self.pitch + self.shift + h * s.w..].as_ptr(),
            row: self.pitch,
            column: 1,
        }
    }
}

/// The mask as numbers with a stride for each of b, head, query, key.
#[derive(Clone)]
struct Added {
    values: Tensor,
    strides: [usize; 4],
}

fn added(mask: &Mask, s: &Sizes, x: &Tensor) -> Result<Option<Added>> {
    let Some(m) = &mask.added else { return Ok(None) };
    let m = match m.rank() {
        2 => m.unsqueeze(0)?.unsqueeze(0)?,
        3 => m.unsqueeze(1)?,
        _ => m.clone(),
    };
    let full = [s.b, s.heads, s.tq, s.tk];
    if m.rank() != 4 || m.dims().iter().zip(full).any(|(d, f)| *d != 1 && *d != f) {
        return Err(shape_error("attention", format!("a mask that fits {full:?}"), m.dims()));
    }
    let values = contiguous(&m.detach().to_dtype(x.dtype())?)?;
    let mut strides = [0; 4];
    let mut step = 1;
    for i in (0..4).rev() {
        if values.dims()[i] > 1 {
            strides[i] = step;
        }
        step *= values.dims()[i];
    }
    Ok(Some(Added { values, strides }))
}

/// How many keys a query sees where it sees those up to itself.
fn seen(s: &Sizes, query: usize) -> usize {
    (query + 1 + s.tk).saturating_sub(s.tq).min(s.tk)
}

/// What is added to the scores, that no later key is seen included.
fn whole_mask(added: Option<&Added>, causal: bool, s: &Sizes, x: &Tensor) -> Result<Option<Tensor>> {
    let added = added.map(|m| m.values.clone());
    if !causal {
        return Ok(added);
    }
    let hidden = |i: usize| if i % s.tk < seen(s, i / s.tk) { 0.0 } else { f64::NEG_INFINITY };
    let later = Tensor::from_vec((0..s.scores()).map(hidden).collect(), (1, 1, s.tq, s.tk), x.device())?;
    let later = later.to_dtype(x.dtype())?;
    Ok(Some(match added {
        Some(m) => m.broadcast_add(&later)?,
        None => later,
    }))
}

fn forward<T: Real>(
    q: Sequence<T>,
    k: Sequence<T>,
    v: Sequence<T>,
    s: Sizes,
    mask: Option<(&[T], [usize; 4])>,
    causal: bool,
) -> (Vec<T>, Vec<T>) {
    let d = s.heads * s.w;
    let mut y = unset::<T>(s.b * s.tq * d);
    let mut p = unset::<T>(s.b * s.heads * s.scores());
    let (to, weights) = (Shared::new(&mut y), Shared::new(&mut p));
    each(s.b * s.heads, s.work(), |i| {
        let (b, h) = (i / s.heads, i % s.heads);
        // SAFETY: the weights of one head of one sample.
        let p = unsafe { weights.part(i * s.scores(), s.scores()) };
        // SAFETY: heads write disjoint columns of the sample's rows.
        unsafe {
            product(
                (s.tq, s.tk, s.w),
                p.as_mut_ptr(),
                s.tk,
                false,
                q.head(&s, s.tq, b, h),
                k.head(&s, s.tk, b, h).t(),
                T::of(s.scale()),
                false,
            )
        };
        if let Some((m, strides)) = mask {
            let start = b * strides[0] + h * strides[1];
            for (r, row) in p.chunks_exact_mut(s.tk).enumerate() {
                let line = start + r * strides[2];
                row.iter_mut().enumerate().for_each(|(c, x)| *x += m[line + c * strides[3]]);
            }
        }
        if causal {
            for (r, row) in p.chunks_exact_mut(s.tk).enumerate() {
                row[seen(&s, r)..].fill(T::MIN);
            }
        }
        rows_in_place(p, s.tk);
        // SAFETY: as above; the columns of head h.
        unsafe {
            let y = to.part(b * s.tq * d + h * s.w, (s.tq - 1) * d + s.w).as_mut_ptr();
            product(
                (s.tq, s.w, s.tk),
                y,
                d,
                false,
                Matrix::rows(p, s.tk),
                v.head(&s, s.tk, b, h),
                T::ONE,
                false,
            );
        }
    });
    (y, p)
}

/// Where the gradients of q, k, v go: first element, distance of tokens.
type Targets<T> = [(*mut T, usize); 3];

#[derive(Clone, Copy)]
struct Send3<T>(Targets<T>);
// SAFETY: jobs write disjoint columns or rows through them.
unsafe impl<T> Send for Send3<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Send3<T> {}
impl<T: Copy> Send3<T> {
    fn get(&self) -> Targets<T> {
        self.0
    }
}

fn backward<T: Real>(
    q: Sequence<T>,
    k: Sequence<T>,
    v: Sequence<T>,
    p: &[T],
    g: &[T],
    s: Sizes,
    to: Targets<T>,
) {
    let d = s.heads * s.w;
    let to = Send3(to);
    let g = Sequence { data: g, pitch: d, shift: 0 };
    each(s.b * s.heads, 2 * s.work(), |i| {
        let (b, h) = (i / s.heads, i % s.heads);
        let [(dq, dq_pitch), (dk, dk_pitch), (dv, dv_pitch)] = to.get();
        let p = &p[i * s.scores()..][..s.scores()];
        let mut ds = unset::<T>(s.scores());
        let gh = g.head(&s, s.tq, b, h);
        let weights = Matrix::rows(p, s.tk);
        // SAFETY: head h of sample b writes its own columns of its own rows.
        unsafe {
            product(
                (s.tq, s.tk, s.w),
                ds.as_mut_ptr(),
                s.tk,
                false,
                gh,
                v.head(&s, s.tk, b, h).t(),
                T::ONE,
                false,
            );
            product(
                (s.tk, s.w, s.tq),
                dv.add(b * s.tk * dv_pitch + h * s.w),
                dv_pitch,
                false,
                weights.t(),
                gh,
                T::ONE,
                false,
            );
            rows_back(p, &mut ds, s.tk);
            let ds = Matrix::rows(&ds, s.tk);
            let scale = T::of(s.scale());
            product(
                (s.tq, s.w, s.tk),
                dq.add(b * s.tq * dq_pitch + h * s.w),
                dq_pitch,
                false,
                ds,
                k.head(&s, s.tk, b, h),
                scale,
                false,
            );
            product(
                (s.tk, s.w, s.tq),
                dk.add(b * s.tk * dk_pitch + h * s.w),
                dk_pitch,
                false,
                ds.t(),
                q.head(&s, s.tq, b, h),
                scale,
                false,
            );
        }
    });
}

type Kept = Arc<OnceLock<CpuStorage>>;

fn heads_of(name: &'static str, d: usize, heads: usize, dims: &[usize]) -> Result<usize> {
    if heads == 0 || d == 0 || !d.is_multiple_of(heads) {
        return Err(shape_error(name, format!("a width that is a multiple of {heads} heads"), dims));
    }
    Ok(d / heads)
}

/// q `[b, tq, d]`, k and v `[b, tk, d]` -> `[b, tq, d]`: for each of `heads` slices of the width,
/// softmax(q k^T / sqrt(d / heads) + mask) v.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, mask: &Mask) -> Result<Tensor> {
    let name = "attention";
    let (&[b, tq, d], &[bk, tk, dk]) = (q.dims(), k.dims()) else {
        return Err(shape_error(name, "q, k, v [b, t, d]", q.dims()));
    };
    if (bk, dk) != (b, d) || v.dims() != k.dims() || tk == 0 || tq == 0 {
        return Err(shape_error(name, format!("keys and values [{b}, t, {d}]"), v.dims()));
    }
    let s = Sizes { b, heads, tq, tk, w: heads_of(name, d, heads, q.dims())? };
    let added = added(mask, &s, q)?;
    let again = added.clone();
    let causal = mask.causal;
    let dtype = q.dtype();
    let kept = Kept::default();
    let filled = kept.clone();
    apply(
        name,
        &[q, k, v],
        move |i: &[View]| -> Made {
            by_type!(dtype, "attention", T => {
                let [q, k, v] = [i[0].slice::<T>()?, i[1].slice()?, i[2].slice()?].map(|data| Sequence { data, pitch: d, shift: 0 });
                let (y, p) = match &added {
                    Some(m) => slices::<T, _>(&[&m.values], |a| forward(q, k, v, s, Some((a[0], m.strides)), causal))?,
                    None => forward(q, k, v, s, None, causal),
                };
                let _ = filled.set(T::to_cpu_storage_owned(p)); // set before only by the same numbers
                Ok((T::to_cpu_storage_owned(y), Shape::from((b, tq, d))))
            })
        },
        move |i, _, g| -> Gradients {
            if second_order() {
                let mask = whole_mask(again.as_ref(), causal, &s, g)?;
                let all = composed::attention([i[0], i[1], i[2]], g, &s, mask.as_ref())?;
                return Ok(all.into_iter().map(Some).collect());
            }
            let Some(kept) = kept.get() else { return Ok(vec![]) };
            let [dq, dk, dv] = by_type!(dtype, "attention", T => slices::<T, _>(&[i[0], i[1], i[2], g], |x| -> Result<[Tensor; 3]> {
                let p = <T as WithDType>::cpu_storage_as_slice(kept)?;
                let [q, k, v] = [x[0], x[1], x[2]].map(|data| Sequence { data, pitch: d, shift: 0 });
                let (mut dq, mut dk, mut dv) = (unset::<T>(q.data.len()), unset::<T>(k.data.len()), unset::<T>(v.data.len()));
                backward(q, k, v, p, x[3], s, [(dq.as_mut_ptr(), d), (dk.as_mut_ptr(), d), (dv.as_mut_ptr(), d)]);
                Ok([tensor(dq, (b, tq, d)), tensor(dk, (b, tk, d)), tensor(dv, (b, tk, d))])
            })?)?;
            Ok(vec![Some(dq), Some(dk), Some(dv)])
        },
    )
}

/// qkv `[b, t, 3 d]` (queries, keys and values of each token side by side) -> `[b, t, d]`: as
/// [`attention`] of a sequence with itself, without taking the three apart.
pub fn self_attention(qkv: &Tensor, heads: usize, mask: &Mask) -> Result<Tensor> {
    let name = "self_attention";
    let &[b, t, d3] = qkv.dims() else { return Err(shape_error(name, "qkv [b, t, 3 d]", qkv.dims())) };
    if d3 % 3 != 0 || t == 0 {
        return Err(shape_error(name, "qkv [b, t, 3 d] with at least one token", qkv.dims()));
    }
    let d = d3 / 3;
    let s = Sizes { b, heads, tq: t, tk: t, w: heads_of(name, d, heads, qkv.dims())? };
    let added = added(mask, &s, qkv)?;
    let again = added.clone();
    let causal = mask.causal;
    let dtype = qkv.dtype();
    let kept = Kept::default();
    let filled = kept.clone();
    apply(
        name,
        &[qkv],
        move |i: &[View]| -> Made {
            by_type!(dtype, "attention", T => {
                let data = i[0].slice::<T>()?;
                let [q, k, v] = [0, d, 2 * d].map(|shift| Sequence { data, pitch: 3 * d, shift });
                let (y, p) = match &added {
                    Some(m) => slices::<T, _>(&[&m.values], |a| forward(q, k, v, s, Some((a[0], m.strides)), causal))?,
                    None => forward(q, k, v, s, None, causal),
                };
                let _ = filled.set(T::to_cpu_storage_owned(p)); // as above
                Ok((T::to_cpu_storage_owned(y), Shape::from((b, t, d))))
            })
        },
        move |i, _, g| -> Gradients {
            if second_order() {
                let mask = whole_mask(again.as_ref(), causal, &s, g)?;
                let third = |k: usize| i[0].narrow(2, k * d, d);
                let all = composed::attention([&third(0)?, &third(1)?, &third(2)?], g, &s, mask.as_ref())?;
                return Ok(vec![Some(Tensor::cat(&all, 2)?)]);
            }
            let Some(kept) = kept.get() else { return Ok(vec![]) };
            let dx = by_type!(dtype, "attention", T => slices::<T, _>(&[i[0], g], |x| -> Result<Tensor> {
                let p = <T as WithDType>::cpu_storage_as_slice(kept)?;
                let [q, k, v] = [0, d, 2 * d].map(|shift| Sequence { data: x[0], pitch: 3 * d, shift });
                let mut dx = unset::<T>(x[0].len());
                let at = dx.as_mut_ptr();
                // SAFETY: offsets within the first token.
                let to = unsafe { [(at, 3 * d), (at.add(d), 3 * d), (at.add(2 * d), 3 * d)] };
                backward(q, k, v, p, x[1], s, to);
                Ok(tensor(dx, (b, t, 3 * d)))
            })?)?;
            Ok(vec![Some(dx)])
        },
    )
}
