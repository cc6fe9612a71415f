//! Gradient checks: the backward pass against central differences in f64.
//!
//! A function of leaf tensors gives a scalar or a tensor; a tensor is projected on fixed random
//! numbers. The error of a leaf is the largest difference divided by the largest gradient of that
//! leaf; the largest over the leaves is returned. Differences use five points,
//! (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, so that smooth functions reach about 1e-10.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::RngExt as _;
use rand_distr::{Distribution, StandardNormal};

use super::ops;
use crate::base::random::{Rng, Streams};

/// Step of the differences.
const STEP: f64 = 1e-3;
/// Gradients are taken to be at least this large when errors are divided by them.
const FLOOR: f64 = 1e-6;

/// Random numbers of a named stream in [low, high), f64.
pub fn uniform(name: &str, shape: &[usize], low: f64, high: f64) -> Tensor {
    let mut rng: Rng = Streams::new(7).stream(name);
    let v: Vec<f64> = (0..shape.iter().product()).map(|_| rng.random_range(low..high)).collect();
    Tensor::from_vec(v, shape, &Device::Cpu).expect("the shape of the numbers")
}

/// Random numbers of either sign that keep away from zero by 0.1: for functions with a kink there.
pub fn off_zero(name: &str, shape: &[usize]) -> Tensor {
    let x = uniform(name, shape, -1.0, 1.0);
    ((&x * 1.5).unwrap() + (x.sign().unwrap() * 0.1).unwrap()).unwrap()
}

/// Distinct numbers in random order, 0.05 apart: for functions that compare.
pub fn distinct(name: &str, shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let mut rng: Rng = Streams::new(7).stream(name);
    let mut v: Vec<f64> = (0..n).map(|i| i as f64 * 0.05).collect();
    for i in (1..n).rev() {
        v.swap(i, rng.random_range(0..=i));
    }
    Tensor::from_vec(v, shape, &Device::Cpu).unwrap()
}

/// The scalar that is differentiated: the output on fixed random numbers.
fn project(y: &Tensor) -> Result<Tensor> {
    (y.contiguous()? * uniform("check/projection", y.dims(), -1.0, 1.0).to_dtype(y.dtype())?)?.sum_all()
}

fn differences(leaves: &[Tensor], f: &dyn Fn(&[Tensor]) -> Result<Tensor>) -> Result<Vec<Vec<f64>>> {
    let mut at: Vec<Vec<f64>> = leaves.iter().map(|l| l.flatten_all()?.to_vec1()).collect::<Result<_>>()?;
    let mut all = Vec::new();
    for l in 0..leaves.len() {
        let mut ds = Vec::new();
        for i in 0..at[l].len() {
            let x = at[l][i];
            let mut value = |d: f64| -> Result<f64> {
                at[l][i] = x + d;
                let tensors: Vec<Tensor> = at
                    .iter()
                    .zip(leaves)
                    .map(|(v, t)| Tensor::from_vec(v.clone(), t.dims(), &Device::Cpu))
                    .collect::<Result<_>>()?;
                f(&tensors)?.to_scalar()
            };
            let d = (8.0 * (value(STEP)? - value(-STEP)?) - (value(2.0 * STEP)? - value(-2.0 * STEP)?))
                / (12.0 * STEP);
            at[l][i] = x;
            ds.push(d);
        }
        all.push(ds);
    }
    Ok(all)
}

fn compare(leaves: &[Tensor], f: &dyn Fn(&[Tensor]) -> Result<Tensor>) -> Result<f64> {
    let variables: Vec<Var> = leaves.iter().map(Var::from_tensor).collect::<Result<_>>()?;
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let gradients = f(&tensors)?.backward()?;
    let mut worst = 0.0f64;
    for (v, fd) in variables.iter().zip(differences(leaves, f)?) {
        let g: Vec<f64> = match gradients.get(v) {
            Some(g) => g.contiguous()?.flatten_all()?.to_vec1()?,
            None => vec![0.0; fd.len()],
        };
        assert_eq!(g.len(), fd.len());
        let size = fd.iter().chain(&g).fold(FLOOR, |m, x| m.max(x.abs()));
        for (g, d) in g.iter().zip(&fd) {
            let e = (g - d).abs() / size;
            worst = if e.is_nan() { f64::INFINITY } else { worst.max(e) };
        }
    }
    Ok(worst)
}

/// The largest relative error of the gradients of `f` at these f64 leaves.
pub fn max_relative_error(leaves: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<f64> {
    assert!(leaves.iter().all(|l| l.dtype() == DType::F64));
    compare(leaves, &|x| project(&f(x)?))
}

/// The same for the gradients of the gradients: s = sum of (projected gradient of f), by a second
/// backward pass. Runs in a thread of its own, where backward passes build graphs.
pub fn second_order_error(leaves: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor> + Sync) -> Result<f64> {
    // SAFETY: tests read the environment through std only, which locks it.
    unsafe { std::env::set_var("CANDLE_GRAD_DO_NOT_DETACH", "1") };
    std::thread::scope(|s| {
        let run = || {
            compare(leaves, &|x| {
                // Leaves of the inner backward pass must be variables; the outer pass reaches those it is given.
                let inner: Vec<Tensor> =
                    x.iter()
                        .map(|t| {
                            if t.is_variable() {
                                Ok(t.clone())
                            } else {
                                Ok(Var::from_tensor(t)?.into_inner())
                            }
                        })
                        .collect::<Result<_>>()?;
                let gradients = project(&f(&inner)?)?.backward()?;
                let mut s = Tensor::zeros((), DType::F64, &Device::Cpu)?;
                for t in &inner {
                    if let Some(g) = gradients.get(t) {
                        s = (s + project(g)?)?;
                    }
                }
                Ok(s)
            })
        };
        s.spawn(run).join().expect("the checking thread")
    })
}

// Of functions of variables that stand somewhere inside: the parameters of layers.

/// Normal numbers from the stream with a name.
pub(crate) fn normal(name: &str, sizes: &[usize]) -> Tensor {
    let mut rng = Streams::new(7).stream(name);
    let count = sizes.iter().product();
    let values: Vec<f64> = (0..count).map(|_| StandardNormal.sample(&mut rng)).collect();
    Tensor::from_vec(values, sizes, &Device::Cpu).unwrap()
}

/// The projection of an output.
fn projected(f: &dyn Fn() -> Result<Tensor>) -> Result<Tensor> {
    let y = f()?;
    (y.flatten_all()? * normal("projection", &[y.elem_count()]))?.sum_all()
}

/// The greatest relative error of the gradients of `f` by the variables it is made of. An error is relative to the
/// number itself or, where that is less, to a thousandth of the greatest number in all gradients.
pub(crate) fn gradient_error(vars: &[Var], f: &dyn Fn() -> Result<Tensor>) -> Result<f64> {
    let slopes = ops::gradients(&projected(f)?, vars)?;
    compare_variables(vars, &slopes, &|| projected(f)?.to_scalar::<f64>())
}

/// The same for gradients of gradients: of a projection of all first gradients. The backward pass must keep its graph.
pub(crate) fn second_error(vars: &[Var], f: &dyn Fn() -> Result<Tensor>) -> Result<f64> {
    let slope = || -> Result<Tensor> {
        // a square, so that the first gradients of a linear function depend on its variables
        let y = f()?.flatten_all()?;
        let loss = (y.sqr()? * normal("projection", &[y.elem_count()]))?.sum_all()?;
        let mut sum = Tensor::zeros((), DType::F64, &Device::Cpu)?;
        for (i, g) in ops::gradients(&loss, vars)?.iter().enumerate() {
            let weights = normal(&format!("projection{i}"), g.dims());
            sum = (sum + (g * weights)?.sum_all()?)?;
        }
        Ok(sum)
    };
    let slopes = ops::gradients(&slope()?, vars)?;
    compare_variables(vars, &slopes, &|| slope()?.to_scalar::<f64>())
}

fn compare_variables(vars: &[Var], slopes: &[Tensor], value: &dyn Fn() -> Result<f64>) -> Result<f64> {
    let slopes: Vec<Vec<f64>> = slopes.iter().map(|s| s.flatten_all()?.to_vec1()).collect::<Result<_>>()?;
    let greatest = slopes.iter().flatten().fold(0.0, |m: f64, s| m.max(s.abs()));
    let mut worst: f64 = 0.0;
    for (var, slopes) in vars.iter().zip(&slopes) {
        let start: Vec<f64> = var.as_detached_tensor().copy()?.flatten_all()?.to_vec1()?;
        for (i, slope) in slopes.iter().enumerate() {
            let at = |step: f64| -> Result<f64> {
                let mut x = start.clone();
                x[i] += step;
                var.set(&Tensor::from_vec(x, var.dims(), &Device::Cpu)?)?;
                value()
            };
            let differences = |h: f64| -> Result<f64> {
                Ok((8.0 * (at(h)? - at(-h)?) - (at(2.0 * h)? - at(-2.0 * h)?)) / (12.0 * h))
            };
            let error = |found: f64| {
                let scale = slope.abs().max(found.abs()).max(1e-3 * greatest);
                if scale == 0.0 { 0.0 } else { (slope - found).abs() / scale }
            };
            let mut e = error(differences(3e-4)?);
            if e > 1e-7 {
                // a kink within the first step, or a step too short for a steep function
                e = e.min(error(differences(1e-5)?)).min(error(differences(2e-3)?));
            }
            worst = if e.is_nan() { f64::NAN } else { worst.max(e) };
        }
        var.set(&Tensor::from_vec(start, var.dims(), &Device::Cpu)?)?;
    }
    Ok(worst)
}
