//! Operations that are computed column by column in double precision: a function of the columns of `[rows, columns]` and
//! of a few numbers besides.

use candle_core::{DType, Result, Shape, Tensor, WithDType as _};

use super::custom::{Gradients, apply};
use super::real::Real;

/// The columns of numbers that stand row by row.
fn columns<T: Real>(all: &[T], width: usize, wide: fn(T) -> f64) -> Vec<Vec<f64>> {
    (0..width).map(|k| all.iter().skip(k).step_by(width.max(1)).map(|x| wide(*x)).collect()).collect()
}

/// The result of `forward` for the columns of the first tensor, `[rows, columns]`, and the numbers of the second; it
/// gives the numbers row by row and their sizes. `backward` gets both tensors and the gradient.
pub(crate) fn by_columns(
    name: &'static str,
    inputs: [&Tensor; 2],
    forward: impl Fn(&[Vec<f64>], &[f64]) -> (Vec<f64>, Shape) + Send + Sync + 'static,
    backward: impl Fn(&[&Tensor], &Tensor) -> Gradients + Send + Sync + 'static,
) -> Result<Tensor> {
    let single = inputs[0].dtype() == DType::F32;
    apply(
        name,
        &inputs,
        move |views| {
            let width = views[0].dims()[1];
            if single {
                let numbers: Vec<f64> = views[1].slice::<f32>()?.iter().map(|x| f64::from(*x)).collect();
                let (all, sizes) = forward(&columns(views[0].slice::<f32>()?, width, f64::from), &numbers);
                let all: Vec<f32> = all.into_iter().map(|x| x as f32).collect();
                return Ok((f32::to_cpu_storage_owned(all), sizes));
            }
            let (all, sizes) =
                forward(&columns(views[0].slice::<f64>()?, width, |x| x), views[1].slice::<f64>()?);
            Ok((f64::to_cpu_storage_owned(all), sizes))
        },
        move |inputs, _, gradient| backward(inputs, gradient),
    )
}
