//! Gradient checks: backward passes against central differences in f64.
//!
//! A function of variables is projected on fixed random numbers, and each number of its gradient compared
//! with the difference (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, which smooth functions reach to about
//! 1e-10. Gradients of order k > 1 are those of a projection of all gradients of order k - 1; they begin
//! with the square of the function, so that they depend on the variables of a linear one, too.
//!
//! What is checked is a [`Subject`]: a kind of layer, a loss, an operation. Their errors stand on a page of
//! the documentation (`page`).

mod page;

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::RngExt as _;
use rand_distr::{Distribution, StandardNormal};

use super::ops;
use crate::base::random::{Rng, Streams};

/// Steps of the differences. A further one is taken where those before leave an error above 1e-7: a kink
/// stands within a step, or it is too short for a steep function.
const STEPS: [f64; 3] = [3e-4, 1e-5, 2e-3];
/// The least scale of errors relative to a variable.
const FLOOR: f64 = 1e-6;

/// Random numbers of a named stream in [low, high), f64.
pub(crate) fn uniform(name: &str, shape: &[usize], low: f64, high: f64) -> Tensor {
    let mut rng: Rng = Streams::new(7).stream(name);
    let v: Vec<f64> = (0..shape.iter().product()).map(|_| rng.random_range(low..high)).collect();
    Tensor::from_vec(v, shape, &Device::Cpu).expect("the shape of the numbers")
}

/// Random numbers of either sign that keep away from zero by 0.1: for functions with a kink there.
pub(crate) fn off_zero(name: &str, shape: &[usize]) -> Tensor {
    let x = uniform(name, shape, -1.0, 1.0);
    ((&x * 1.5).unwrap() + (x.sign().unwrap() * 0.1).unwrap()).unwrap()
}

/// Distinct numbers in random order, 0.05 apart: for functions that compare.
pub(crate) fn distinct(name: &str, shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let mut rng: Rng = Streams::new(7).stream(name);
    let mut v: Vec<f64> = (0..n).map(|i| i as f64 * 0.05).collect();
    for i in (1..n).rev() {
        v.swap(i, rng.random_range(0..=i));
    }
    Tensor::from_vec(v, shape, &Device::Cpu).unwrap()
}

/// Normal numbers from the stream with a name.
pub(crate) fn normal(name: &str, sizes: &[usize]) -> Tensor {
    let mut rng = Streams::new(7).stream(name);
    let count = sizes.iter().product();
    let values: Vec<f64> = (0..count).map(|_| StandardNormal.sample(&mut rng)).collect();
    Tensor::from_vec(values, sizes, &Device::Cpu).unwrap()
}

/// A function of variables that stand somewhere inside it.
pub(crate) type Function = Box<dyn Fn() -> Result<Tensor>>;

/// One way to use what is checked.
pub(crate) struct Sample {
    /// In words.
    pub text: String,
    /// Variables and a function of them, in evaluation or (true) in training.
    pub make: Box<dyn Fn(bool) -> (Vec<Var>, Function)>,
}

/// What gradients are checked of.
pub(crate) struct Subject {
    pub name: &'static str,
    pub samples: Vec<Sample>,
}

/// The greatest errors of a gradient.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Gap {
    /// Relative to the number itself or, where that is less, to a thousandth of the greatest number in all
    /// gradients.
    pub number: f64,
    /// Relative to the greatest number in the gradient by the same variable.
    pub variable: f64,
}

impl Gap {
    /// Nothing is above 1e-6.
    pub const MILLIONTH: Gap = Gap { number: 1e-6, variable: f64::INFINITY };

    fn with(self, other: Gap) -> Gap {
        Gap { number: self.number.max(other.number), variable: self.variable.max(other.variable) }
    }

    fn within(self, bounds: Gap) -> bool {
        self.number <= bounds.number && self.variable <= bounds.variable
    }
}

impl Subject {
    /// The greatest error over the samples.
    pub(crate) fn gap(&self, training: bool, order: usize) -> Gap {
        self.samples.iter().map(|s| s.gap(training, order)).fold(Gap::default(), Gap::with)
    }
}

impl Sample {
    /// The error of gradients of an order. From the second on, backward passes must keep their graph.
    pub(crate) fn gap(&self, training: bool, order: usize) -> Gap {
        let (vars, f) = (self.make)(training);
        gap(&vars, &f, order).unwrap_or_else(|e| panic!("{}: {e}", self.text))
    }
}

/// Prints the errors of all samples and fails where one is not within the bounds. `only` chooses samples by
/// the name of their subject and how many numbers they are functions of.
pub(crate) fn check(
    subjects: fn() -> Vec<Subject>,
    (training, order): (bool, usize),
    bounds: Gap,
    only: fn(&str, usize) -> bool,
) {
    let wrong = ops::deep(move || {
        let mut wrong = Vec::new();
        for subject in subjects() {
            for sample in &subject.samples {
                let numbers = (sample.make)(training).0.iter().map(|v| v.elem_count()).sum();
                if !only(subject.name, numbers) {
                    continue;
                }
                let gap = sample.gap(training, order);
                let line =
                    format!("{:<20} {:.1e} {:.1e}  {}", subject.name, gap.number, gap.variable, sample.text);
                println!("{line}");
                if !gap.within(bounds) {
                    wrong.push(line);
                }
            }
        }
        wrong
    });
    let wrong = wrong.unwrap();
    assert!(wrong.is_empty(), "training: {training}, order {order}\n{}", wrong.join("\n"));
}

/// Every sample.
pub(crate) fn all(_: &str, _: usize) -> bool {
    true
}

/// What a test says in a process of its own, in which backward passes keep their graph: whether they do is
/// read from the environment before they first run. `None` in that process.
pub(crate) fn keeping_graphs(test: &str) -> Option<String> {
    const KEEP: &str = "CANDLE_GRAD_DO_NOT_DETACH";
    if std::env::var(KEEP).is_ok() {
        return None;
    }
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(KEEP, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && said.contains("1 passed"), "{said}{errors}");
    Some(said)
}

/// The scalar whose gradient is of an order: a projection of the function or of its square, or of all
/// gradients of the order before.
fn projected(vars: &[Var], f: &Function, order: usize, square: bool) -> Result<Tensor> {
    if order == 1 {
        let y = f()?.flatten_all()?;
        let y = if square { y.sqr()? } else { y };
        return (&y * normal("projection", y.dims()))?.sum_all();
    }
    let mut sum = Tensor::zeros((), DType::F64, &Device::Cpu)?;
    for (i, g) in ops::gradients(&projected(vars, f, order - 1, true)?, vars)?.iter().enumerate() {
        sum = (sum + (g * normal(&format!("projection{i}"), g.dims()))?.sum_all()?)?;
    }
    Ok(sum)
}

fn gap(vars: &[Var], f: &Function, order: usize) -> Result<Gap> {
    let slopes = ops::gradients(&projected(vars, f, order, false)?, vars)?;
    let slopes: Vec<Vec<f64>> = slopes.iter().map(|s| s.flatten_all()?.to_vec1()).collect::<Result<_>>()?;
    let greatest = |all: &[f64]| all.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
    let floor = 1e-3 * slopes.iter().map(|s| greatest(s)).fold(0.0, f64::max);
    let mut worst = Gap::default();
    for (var, slopes) in vars.iter().zip(&slopes) {
        let start: Vec<f64> = var.as_detached_tensor().copy()?.flatten_all()?.to_vec1()?;
        let value_at = |i: usize, step: f64| -> Result<f64> {
            let mut x = start.clone();
            x[i] += step;
            var.set(&Tensor::from_vec(x, var.dims(), &Device::Cpu)?)?;
            projected(vars, f, order, false)?.to_scalar()
        };
        let mut scale = greatest(slopes).max(FLOOR);
        let mut apart: f64 = 0.0;
        for (i, slope) in slopes.iter().enumerate() {
            let at = |step: f64| value_at(i, step);
            let difference = |h: f64| -> Result<f64> {
                Ok((8.0 * (at(h)? - at(-h)?) - (at(2.0 * h)? - at(-2.0 * h)?)) / (12.0 * h))
            };
            let off = |found: f64| {
                let off = (slope - found).abs();
                if off.is_nan() { f64::INFINITY } else { off }
            };
            let error = |found: f64| {
                let scale = slope.abs().max(found.abs()).max(floor);
                // no difference of two zeros
                if off(found) == 0.0 { 0.0 } else { off(found) / scale }
            };
            let mut found = difference(STEPS[0])?;
            for step in &STEPS[1..] {
                if error(found) <= 1e-7 {
                    break;
                }
                let other = difference(*step)?;
                if error(other) < error(found) {
                    found = other;
                }
            }
            scale = scale.max(found.abs());
            worst.number = worst.number.max(error(found));
            apart = apart.max(off(found));
        }
        worst.variable = worst.variable.max(apart / scale);
        var.set(&Tensor::from_vec(start, var.dims(), &Device::Cpu)?)?;
    }
    Ok(worst)
}

#[test]
fn a_wrong_gradient_is_found() {
    let wrong = |_| {
        let x = Var::from_tensor(&normal("x", &[3])).unwrap();
        let y = x.as_tensor().clone();
        // the last term is 0 and its gradient a thousandth
        let f = move || y.sqr()? + ((&y - y.detach())? * 1e-3)?;
        (vec![x], Box::new(f) as Function)
    };
    let gap = Sample { text: "wrong".into(), make: Box::new(wrong) }.gap(false, 1);
    assert!(gap.number > 1e-4 && gap.variable > 1e-4, "{gap:?}");
    let endless = |_| {
        let x = Var::from_tensor(&normal("x", &[3])).unwrap();
        let y = x.as_tensor().clone();
        let f = move || (y.sqr()?.neg()?.sqrt()?) + &y;
        (vec![x], Box::new(f) as Function)
    };
    let gap = Sample { text: "not a number".into(), make: Box::new(endless) }.gap(false, 1);
    assert!(gap.number.is_infinite() && gap.variable.is_infinite(), "{gap:?}");
}
