//! How an operation becomes a node of candle's graph: a forward function over contiguous slices
//! and a backward function over tensors.
//!
//! A backward is made of these operations and of candle's differentiable ones, so that it can be
//! differentiated again. Kernels without a gradient may stand in for it only where [`second_order`]
//! is false: there nothing differentiates what they give.

use candle_core::op::BackpropOp;
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Error, Layout, Result, Shape, Storage, Tensor,
};

use super::layout::contiguous;
use super::real::Real;

/// A contiguous input of a forward function.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    storage: &'a CpuStorage,
    layout: &'a Layout,
}

impl<'a> View<'a> {
    /// The numbers in row-major order.
    pub(crate) fn slice<T: candle_core::WithDType>(&self) -> Result<&'a [T]> {
        let all = T::cpu_storage_as_slice(self.storage)?;
        match self.layout.contiguous_offsets() {
            Some((from, to)) => Ok(&all[from..to]),
            None => Err(Error::RequiresContiguous { op: "a view of a kernel" }),
        }
    }
    pub(crate) fn dims(&self) -> &'a [usize] {
        self.layout.dims()
    }
}

/// What a forward function returns.
pub(crate) type Made = Result<(CpuStorage, Shape)>;
/// Gradients of the inputs, in their order; `None` where one is not wanted.
pub(crate) type Gradients = Result<Vec<Option<Tensor>>>;

struct Custom<F, B> {
    name: &'static str,
    forward: F,
    backward: B,
}

impl<F, B> Custom<F, B>
where
    F: Fn(&[View]) -> Made + Send + Sync,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync,
{
    fn back(&self, inputs: &[&Tensor], result: &Tensor, gradient: &Tensor) -> Gradients {
        let gradient = contiguous(gradient)?;
        let mut all = if second_order() {
            (self.backward)(inputs, result, &gradient)?
        } else {
            // Without the graph of the backward pass its tensors need not keep the inputs alive;
            // an input that wants no gradient stays recognisable by `wants`.
            (self.backward)(inputs, result, &gradient)?.into_iter().map(|g| g.map(|g| g.detach())).collect()
        };
        all.resize(inputs.len(), None);
        Ok(all)
    }
}

impl<F, B> CustomOp1 for Custom<F, B>
where
    F: Fn(&[View]) -> Made + Send + Sync,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Made {
        (self.forward)(&[View { storage, layout }])
    }
    fn bwd(&self, x: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.back(&[x], result, gradient)?.swap_remove(0))
    }
}

impl<F, B> CustomOp2 for Custom<F, B>
where
    F: Fn(&[View]) -> Made + Send + Sync,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Made {
        (self.forward)(&[View { storage: s1, layout: l1 }, View { storage: s2, layout: l2 }])
    }
    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut all = self.back(&[a, b], result, gradient)?;
        let second = all.pop().flatten();
        Ok((all.pop().flatten(), second))
    }
}

impl<F, B> CustomOp3 for Custom<F, B>
where
    F: Fn(&[View]) -> Made + Send + Sync,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Made {
        (self.forward)(&[
            View { storage: s1, layout: l1 },
            View { storage: s2, layout: l2 },
            View { storage: s3, layout: l3 },
        ])
    }
    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut all = self.back(&[a, b, c], result, gradient)?;
        let third = all.pop().flatten();
        let second = all.pop().flatten();
        Ok((all.pop().flatten(), second, third))
    }
}

/// Applies an operation to one to three tensors, made contiguous first.
pub(crate) fn apply<F, B>(name: &'static str, inputs: &[&Tensor], forward: F, backward: B) -> Result<Tensor>
where
    F: Fn(&[View]) -> Made + Send + Sync + 'static,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync + 'static,
{
    let op = Custom { name, forward, backward };
    match inputs {
        [a] => contiguous(a)?.apply_op1(op),
        [a, b] => contiguous(a)?.apply_op2(&contiguous(b)?, op),
        [a, b, c] => contiguous(a)?.apply_op3(&contiguous(b)?, &contiguous(c)?, op),
        _ => Err(Error::Msg(format!("{name}: expected one to three inputs, found {}", inputs.len()))),
    }
}

/// As [`apply`], without any call of [`contiguous`]: for `contiguous` itself.
pub(crate) fn apply_strided<F, B>(name: &'static str, x: &Tensor, forward: F, backward: B) -> Result<Tensor>
where
    F: Fn(&CpuStorage, &Layout) -> Made + Send + Sync + 'static,
    B: Fn(&[&Tensor], &Tensor, &Tensor) -> Gradients + Send + Sync + 'static,
{
    let forward = move |views: &[View]| forward(views[0].storage, views[0].layout);
    x.apply_op1(Custom { name, forward, backward })
}

/// Whether the input is part of the graph, so that its gradient is worth computing.
pub(crate) fn wants(x: &Tensor) -> bool {
    x.track_op()
}

thread_local! {
    // candle reads the same variable, once a thread, at its first backward pass.
    static SECOND_ORDER: bool = std::env::var("CANDLE_GRAD_DO_NOT_DETACH").is_ok_and(|s| !s.is_empty() && s != "0");
}

/// Whether backward passes of this thread build a graph of their own (second derivatives).
pub(crate) fn second_order() -> bool {
    SECOND_ORDER.with(|b| *b)
}

/// A tensor of these numbers, outside any graph.
pub(crate) fn tensor<T: Real>(data: Vec<T>, shape: impl Into<Shape>) -> Tensor {
    Tensor::from_storage(Storage::Cpu(T::to_cpu_storage_owned(data)), shape, BackpropOp::none(), false)
}

/// Runs `f` over the numbers of contiguous tensors, outside any graph.
pub(crate) fn slices<T: Real, R>(tensors: &[&Tensor], f: impl FnOnce(&[&[T]]) -> R) -> Result<R> {
    let kept: Vec<Tensor> = tensors.iter().map(|t| contiguous(&t.detach())).collect::<Result<_>>()?;
    let guards: Vec<_> = kept.iter().map(|t| t.storage_and_layout()).collect();
    let mut parts = Vec::with_capacity(guards.len());
    for (storage, layout) in &guards {
        match &**storage {
            Storage::Cpu(storage) => parts.push(View { storage, layout }.slice::<T>()?),
            _ => return Err(Error::Msg("expected a tensor in main memory".into())),
        }
    }
    Ok(f(&parts))
}

/// An error about shapes: "expected X, found Y", with the operation's name.
pub(crate) fn shape_error(name: &str, expected: impl std::fmt::Display, found: &[usize]) -> Error {
    Error::Msg(format!("{name}: expected {expected}, found {found:?}"))
}
