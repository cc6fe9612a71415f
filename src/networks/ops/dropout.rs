//! Dropout with a mask drawn here, from a stream the caller names. Second derivatives: yes.

use std::sync::Arc;

use candle_core::{Result, Shape, Tensor, WithDType};
use rand::Rng as _;

use super::custom::{Made, View, apply, shape_error};
use super::real::{Real, by_type, unset};
use crate::base::random::Rng;

/// x with each number set to zero with probability `p` (0 <= p < 1) and the others divided by
/// 1 - p. One 32-bit draw a number, in row-major order.
pub fn dropout(x: &Tensor, p: f64, rng: &mut Rng) -> Result<Tensor> {
    if !(0.0..1.0).contains(&p) {
        return Err(shape_error("dropout", "a probability in [0, 1)", x.dims()));
    }
    if p == 0.0 {
        return Ok(x.clone());
    }
    let below = (p * 4_294_967_296.0) as u32;
    let keep: Vec<bool> = (0..x.elem_count()).map(|_| rng.next_u32() >= below).collect();
    masked(x, keep.into(), 1.0 / (1.0 - p))
}

fn masked(x: &Tensor, keep: Arc<[bool]>, scale: f64) -> Result<Tensor> {
    let dtype = x.dtype();
    let again = keep.clone();
    apply(
        "dropout",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "dropout", T => {
                let x = v[0].slice::<T>()?;
                let s = T::of(scale);
                let mut y = unset::<T>(x.len());
                for ((y, x), k) in y.iter_mut().zip(x).zip(keep.iter()) {
                    *y = if *k { *x * s } else { T::ZERO };
                }
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        move |_, _, g| Ok(vec![Some(masked(g, again.clone(), scale)?)]),
    )
}
