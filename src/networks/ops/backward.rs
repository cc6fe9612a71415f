//! Gradients of a scalar with respect to an ordered list of variables, safe for deep graphs: the
//! walk over a graph and its release recurse, so they run in a thread with a big stack.

use std::cell::Cell;

use candle_core::{Error, Result, Tensor, Var};

/// Stack of a deep thread (address space; only what is used becomes memory): room for about two
/// million chained operations.
const STACK: usize = 512 << 20;

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` in a thread whose stack holds the recursion of deep graphs, or at once if this thread
/// is such. Build, differentiate and drop graphs of more than ten thousand chained operations
/// within it.
pub fn deep<R: Send>(f: impl FnOnce() -> R + Send) -> Result<R> {
    if DEEP.with(Cell::get) {
        return Ok(f());
    }
    std::thread::scope(|scope| {
        let run = || {
            DEEP.with(|d| d.set(true));
            f()
        };
        let thread =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).map_err(Error::wrap)?;
        match thread.join() {
            Ok(r) => Ok(r),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A pool of so many threads (0: all there are), each of which is deep: what is installed on it needs no other thread.
pub fn deep_pool(threads: usize) -> std::result::Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    let deepened = |_| DEEP.with(|d| d.set(true));
    rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).start_handler(deepened).build()
}

/// d loss / d variable for each variable, in their order; zeros where the loss does not depend on
/// it. The loss is a scalar. Any depth of the graph if called within [`deep`]; otherwise as deep as
/// can be dropped on this thread.
pub fn gradients(loss: &Tensor, variables: &[Var]) -> Result<Vec<Tensor>> {
    if loss.elem_count() != 1 {
        return Err(super::custom::shape_error("gradients", "a scalar", loss.dims()));
    }
    deep(|| {
        let mut all = loss.backward()?;
        variables.iter().map(|v| all.remove(v).map_or_else(|| v.zeros_like(), Ok)).collect()
    })?
}
