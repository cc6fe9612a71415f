//! Changes of variables in place, one pass over memory each: Adam and AdamW, SGD with momentum,
//! y += a x; and the norm of all gradients in one fixed order.

use std::cell::Cell;

use candle_core::{CpuStorage, DType, Error, InplaceOp2, Layout, Result, Tensor, Var};

use super::custom::{shape_error, slices};
use super::layout::contiguous;
use super::real::{Real, by_type, chunks, vectorised};
use super::reduce::{LANES, fold};

/// Elements of one job.
const BLOCK: usize = 1 << 14;

struct InPlace<F>(&'static str, Cell<Option<F>>);

impl<F: FnOnce(&mut CpuStorage, &Layout, &CpuStorage, &Layout) -> Result<()>> InplaceOp2 for InPlace<F> {
    fn name(&self) -> &'static str {
        self.0
    }
    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        match self.1.take() {
            Some(f) => f(s1, l1, s2, l2),
            None => Ok(()),
        }
    }
}

fn in_place<T: Real>(
    name: &'static str,
    variable: &Var,
    other: &Tensor,
    f: impl FnOnce(&mut [T], &[T]),
) -> Result<()> {
    if variable.dims() != other.dims() {
        return Err(shape_error(name, format!("{:?}", variable.dims()), other.dims()));
    }
    if !variable.is_contiguous() {
        return Err(Error::RequiresContiguous { op: name });
    }
    let run = |s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout| {
        let (y, x) = (T::numbers(s1)?, T::cpu_storage_as_slice(s2)?);
        f(
            &mut y[l1.start_offset()..][..l1.shape().elem_count()],
            &x[l2.start_offset()..][..l2.shape().elem_count()],
        );
        Ok(())
    };
    variable.inplace_op2(&contiguous(&other.detach())?, &InPlace(name, Cell::new(Some(run))))
}

/// Numbers kept by an optimiser for one variable, of the variable's type.
#[derive(Clone, Debug)]
pub struct Slot(CpuStorage);

impl Slot {
    /// Zeros, as many as the variable has numbers.
    pub fn zeros(variable: &Var) -> Result<Slot> {
        let n = variable.elem_count();
        match variable.dtype() {
            DType::F32 => Ok(Slot(CpuStorage::F32(vec![0.0; n]))),
            DType::F64 => Ok(Slot(CpuStorage::F64(vec![0.0; n]))),
            other => Err(Error::UnsupportedDTypeForOp(other, "an optimiser")),
        }
    }
    /// The numbers (exact: f32 fits in f64).
    pub fn values(&self) -> Vec<f64> {
        match &self.0 {
            CpuStorage::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            CpuStorage::F64(v) => v.clone(),
            _ => Vec::new(),
        }
    }
    /// Puts the numbers of [`Slot::values`] back.
    pub fn set(&mut self, values: &[f64]) -> Result<()> {
        match &mut self.0 {
            CpuStorage::F32(v) if v.len() == values.len() => {
                v.iter_mut().zip(values).for_each(|(a, b)| *a = *b as f32)
            }
            CpuStorage::F64(v) if v.len() == values.len() => v.copy_from_slice(values),
            _ => {
                return Err(Error::Msg(format!(
                    "expected as many numbers as the variable has, found {}",
                    values.len()
                )));
            }
        }
        Ok(())
    }
    fn slice<T: Real>(&mut self) -> Result<&mut [T]> {
        T::numbers(&mut self.0)
    }
}

/// One step of Adam (Kingma and Ba 2014) or AdamW (Loshchilov and Hutter 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Weight decay.
    pub decay: f64,
    /// Decay apart from the gradient (AdamW) instead of within it (Adam with L2).
    pub decoupled: bool,
}

impl Default for Adam {
    fn default() -> Adam {
        Adam { rate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.0, decoupled: true }
    }
}

vectorised! {
    /// c: beta1, beta2, scale of the gradient, decay within the gradient, keep, step, root of the
    /// second correction, eps, 1 - beta1, 1 - beta2 (whose difference single precision would round).
    fn adam_block<T>(w: &mut [T], g: &[T], m: &mut [T], v: &mut [T], c: [T; 10]) {
        let [b1, b2, scale, inside, keep, step, root, eps, d1, d2] = c;
        for (((w, g), m), v) in w.iter_mut().zip(g).zip(m.iter_mut()).zip(v.iter_mut()) {
            let g = g.fma::<FMA>(scale, inside * *w);
            *m = m.fma::<FMA>(b1, d1 * g);
            *v = v.fma::<FMA>(b2, d2 * g * g);
            *w = w.fma::<FMA>(keep, -(step * *m / (v.sqrt() * root + eps)));
        }
    }
}

/// Changes `variable` by step number `step` (from 1) of Adam; `scale` multiplies the gradient
/// (clipping). `first` and `second` are its moments.
pub fn adam(
    variable: &Var,
    gradient: &Tensor,
    first: &mut Slot,
    second: &mut Slot,
    rule: &Adam,
    step: u64,
    scale: f64,
) -> Result<()> {
    let t = step.max(1) as f64;
    let c1 = 1.0 - rule.beta1.powf(t);
    let c2 = 1.0 - rule.beta2.powf(t);
    let (inside, keep) = if rule.decoupled { (0.0, 1.0 - rule.rate * rule.decay) } else { (rule.decay, 1.0) };
    let c = [
        rule.beta1,
        rule.beta2,
        scale,
        inside,
        keep,
        rule.rate / c1,
        1.0 / c2.sqrt(),
        rule.eps,
        1.0 - rule.beta1,
        1.0 - rule.beta2,
    ];
    by_type!(variable.dtype(), "adam", T => {
        let (m, v) = (first.slice::<T>()?, second.slice::<T>()?);
        in_place::<T>("adam", variable, gradient, |w, g| {
            let (m, v) = (super::real::Shared::new(m), super::real::Shared::new(v));
            chunks(w, BLOCK, |i, w| {
                let at = i * BLOCK;
                // SAFETY: the moments of block i.
                let (m, v) = unsafe { (m.part(at, w.len()), v.part(at, w.len())) };
                adam_block(w, &g[at..][..w.len()], m, v, c.map(T::of));
            });
        })
    })
}

/// One step of stochastic gradient descent with momentum (Nesterov's if told).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub rate: f64,
    /// Share of the last velocity kept.
    pub momentum: f64,
    /// Weight decay, within the gradient.
    pub decay: f64,
    /// Looks ahead by the velocity.
    pub nesterov: bool,
}

vectorised! {
    fn sgd_block<T>(w: &mut [T], g: &[T], v: &mut [T], c: [T; 4], nesterov: bool) {
        let [rate, momentum, decay, scale] = c;
        for ((w, g), v) in w.iter_mut().zip(g).zip(v.iter_mut()) {
            let g = g.fma::<FMA>(scale, decay * *w);
            *v = v.fma::<FMA>(momentum, g);
            let step = if nesterov { v.fma::<FMA>(momentum, g) } else { *v };
            *w = step.fma::<FMA>(-rate, *w);
        }
    }
}

/// v = momentum v + g, w -= rate v (Nesterov: rate (momentum v + g)); `scale` multiplies the
/// gradient.
pub fn sgd(variable: &Var, gradient: &Tensor, velocity: &mut Slot, rule: &Sgd, scale: f64) -> Result<()> {
    let c = [rule.rate, rule.momentum, rule.decay, scale];
    by_type!(variable.dtype(), "sgd", T => {
        let v = velocity.slice::<T>()?;
        in_place::<T>("sgd", variable, gradient, |w, g| {
            let v = super::real::Shared::new(v);
            chunks(w, BLOCK, |i, w| {
                // SAFETY: the velocities of block i.
                let v = unsafe { v.part(i * BLOCK, w.len()) };
                sgd_block(w, &g[i * BLOCK..][..w.len()], v, c.map(T::of), rule.nesterov);
            });
        })
    })
}

vectorised! {
    fn blend<T>(y: &mut [T], x: &[T], a: T, b: T) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = y.fma::<FMA>(b, a * *x);
        }
    }
}

/// variable = a x + b variable, in place (steps along a direction, averages of weights).
pub fn axpby(variable: &Var, a: f64, x: &Tensor, b: f64) -> Result<()> {
    by_type!(variable.dtype(), "axpby", T => in_place::<T>("axpby", variable, x, |y, x| {
        chunks(y, BLOCK, |i, y| blend(y, &x[i * BLOCK..][..y.len()], T::of(a), T::of(b)));
    }))
}

vectorised! {
    fn squares<T>(x: &[T]) -> f64 {
        let mut acc = [T::ZERO; LANES];
        let (whole, rest) = x.as_chunks::<LANES>();
        for c in whole { for (a, v) in acc.iter_mut().zip(c) { *a = v.fma::<FMA>(*v, *a); } }
        for (a, v) in acc.iter_mut().zip(rest) { *a = v.fma::<FMA>(*v, *a); }
        fold(acc).wide()
    }
}

vectorised! {
    fn products<T>(x: &[T], y: &[T]) -> f64 {
        let mut acc = [T::ZERO; LANES];
        let (xs, x_rest) = x.as_chunks::<LANES>();
        let (ys, y_rest) = y.as_chunks::<LANES>();
        for (x, y) in xs.iter().zip(ys) { for i in 0..LANES { acc[i] = x[i].fma::<FMA>(y[i], acc[i]); } }
        for (i, (x, y)) in x_rest.iter().zip(y_rest).enumerate() { acc[i] = x.fma::<FMA>(*y, acc[i]); }
        fold(acc).wide()
    }
}

/// The Euclidean norm of all numbers of the tensors, in the order given.
pub fn norm(tensors: &[Tensor]) -> Result<f64> {
    let mut total = 0.0;
    for t in tensors {
        total += by_type!(t.dtype(), "norm", T => slices::<T, _>(&[t], |v| v[0].chunks(4096).map(squares).sum::<f64>()))?;
    }
    Ok(total.sqrt())
}

/// The sum of the products of all numbers of two lists of tensors, in the order given.
pub fn dot(a: &[Tensor], b: &[Tensor]) -> Result<f64> {
    let mut total = 0.0;
    for (a, b) in a.iter().zip(b) {
        if a.dims() != b.dims() {
            return Err(shape_error("dot", format!("{:?}", a.dims()), b.dims()));
        }
        total += by_type!(a.dtype(), "dot", T => slices::<T, _>(&[a, b], |v| {
            v[0].chunks(4096).zip(v[1].chunks(4096)).map(|(x, y)| products(x, y)).sum::<f64>()
        }))?;
    }
    Ok(total)
}
