//! Operations over candle's tensors (CPU, f32 and f64) that are right, fast and differentiable.
//!
//! Everything in the layer goes through these functions; of candle itself only what its tests and
//! ours found right is used: elementwise arithmetic, reshape, permute, narrow, cat, stack,
//! broadcast, reductions over axes, comparison. Inputs may have any strides. Errors are candle's
//! (`Result`), with the operation's name, what was expected and what was found.
//!
//! Results do not depend on the number of threads (see `real.rs`). Every gradient can be
//! differentiated again, as often as one likes, where the environment variable
//! `CANDLE_GRAD_DO_NOT_DETACH=1` is set before a thread's first backward pass.

mod activation;
mod attention;
mod backward;
mod columns;
mod composed;
mod conv;
mod conv_kernel;
mod custom;
mod dropout;
mod index;
mod lanes;
mod layout;
mod linear;
mod math;
mod norm;
mod norm_channels;
mod pool;
pub(crate) mod real;
mod reduce;
mod registers;
mod resample;
mod softmax;
mod update;

#[cfg(test)]
pub(super) mod tests;

pub use activation::{
    Activation, activate, cos, exp, gelu, gelu_tanh, relu, selu, sigmoid, silu, sin, softplus, softsign, tanh,
};
pub use attention::{Mask, attention, self_attention};
pub use backward::{deep, deep_pool, gradients};
pub(crate) use columns::by_columns;
pub use conv::{Conv, conv_transpose2d, conv1d, conv2d};
pub use dropout::dropout;
pub use index::{embedding, gather_rows, pick, scatter_add, segment_mean};
pub use layout::{contiguous, transpose};
pub use linear::{linear, matmul};
pub use norm::{layer_norm, rms_norm};
pub use norm_channels::{BatchNorm, batch_norm, batch_norm_with, channel_affine, group_norm};
pub use pool::{global_max_pool, max_pool2d};
pub use reduce::{channel_sum, mean_all, sum_all, sum_rows};
pub use resample::{Padding, avg_pool2d, global_avg_pool, pad1d, pad2d, upsample_bilinear, upsample_nearest};
pub use softmax::{log_softmax, softmax};
pub use update::{Adam, Sgd, Slot, adam, axpby, dot, norm, sgd};
