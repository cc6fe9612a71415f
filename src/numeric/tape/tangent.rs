//! Derivatives. Forward mode (dual numbers): beside the value of every register runs its derivative by one
//! input. A register that does not depend on the input has the derivative 0, also where its own derivative does
//! not exist. Reverse mode: `reverse.rs`. Both take the partial derivatives of an instruction from here
//! (Griewank & Walther, "Evaluating Derivatives", 2nd ed. 2008, ch. 3).

use super::evaluate::{Trace, rows};
use super::kernels::{powi, select};
use super::{BLOCK, Op, Tape};
use crate::expression::Function;
use crate::numeric::vector::lanes::{Task, run};
use crate::numeric::vector::{Elementary, Unit};

/// The partial derivative of an instruction by one of its operands, over a block.
pub(super) enum Partial<'a> {
    /// The derivative does not pass: conditions.
    None,
    One,
    MinusOne,
    Values(&'a [f64]),
}

/// The registers of a block: [`BLOCK`] numbers each.
pub(super) fn register(values: &[f64], k: u32) -> &[f64] {
    &values[k as usize * BLOCK..][..BLOCK]
}

/// By operand number `which` of the instruction `at`; numbers that have to be computed are put into `room`.
/// Not for [`Op::Select`], which chooses between derivatives.
#[inline(always)]
pub(super) fn partial<'a, U: Unit>(
    op: Op,
    at: usize,
    which: usize,
    values: &'a [f64],
    room: &'a mut [f64],
) -> Partial<'a> {
    let x = |k: u32| register(values, k);
    let v = x(at as u32);
    match (op, which) {
        (Op::Add(..) | Op::Sub(..), 0) | (Op::Add(..), 1) => return Partial::One,
        (Op::Sub(..), 1) | (Op::Neg(_), _) => return Partial::MinusOne,
        (Op::Mul(_, b), 0) => return Partial::Values(x(b)),
        (Op::Mul(a, _), 1) => return Partial::Values(x(a)),
        (Op::Powi(a, 2), _) => fill(room, x(a), v, |x, _| x + x),
        (Op::Powi(a, n), _) => fill(room, x(a), v, |x, _| f64::from(n) * powi(x, n - 1)),
        (Op::Div(_, b), 0) => fill(room, x(b), v, |y, _| y.recip()),
        (Op::Div(_, b), 1) => fill(room, x(b), v, |y, v| -v / y),
        (Op::Sqrt(a), _) => fill(room, x(a), v, |_, v| 0.5 / v),
        (Op::Power(a, b), 0) => fill(room, x(a), x(b), |x, y| y * power::<U>(x, y - 1.0)),
        (Op::Power(a, b), 1) => {
            for (((r, x), y), v) in room.iter_mut().zip(x(a)).zip(x(b)).zip(v) {
                *r = if *x == 0.0 && *y > 0.0 { 0.0 } else { v * Elementary::Log.at::<U>(*x) };
            }
        }
        (Op::Call(f, a), _) => slopes_of::<U>(f, x(a), v, room),
        (Op::Call2(f, a, b), 0) => fill(room, x(a), x(b), |a, b| slopes(f, a, b).0),
        (Op::Call2(f, a, b), _) => fill(room, x(a), x(b), |a, b| slopes(f, a, b).1),
        _ => return Partial::None,
    }
    Partial::Values(room)
}

#[inline(always)]
fn fill(room: &mut [f64], a: &[f64], b: &[f64], value: impl Fn(f64, f64) -> f64) {
    for ((r, a), b) in room.iter_mut().zip(a).zip(b) {
        *r = value(*a, *b);
    }
}

#[inline(always)]
fn power<U: Unit>(x: f64, y: f64) -> f64 {
    use crate::numeric::vector::lanes::Zip;
    crate::numeric::vector::Pow::double::<U>(x, y)
}

/// The derivative of a function of one argument over a block: the common ones in loops without a branch.
#[inline(always)]
fn slopes_of<U: Unit>(f: Function, x: &[f64], v: &[f64], room: &mut [f64]) {
    match f {
        Function::Exp => room.copy_from_slice(v),
        Function::Log => fill(room, x, v, |x, _| x.recip()),
        Function::Sin => fill(room, x, v, |x, _| Elementary::Cos.at::<U>(x)),
        Function::Cos => fill(room, x, v, |x, _| -Elementary::Sin.at::<U>(x)),
        Function::Tan => fill(room, x, v, |_, v| 1.0 + v * v),
        Function::Tanh => fill(room, x, v, |_, v| 1.0 - v * v),
        Function::Sinh => fill(room, x, v, |x, _| Elementary::Cosh.at::<U>(x)),
        Function::Cosh => fill(room, x, v, |x, _| Elementary::Sinh.at::<U>(x)),
        Function::Atan => fill(room, x, v, |x, _| (1.0 + x * x).recip()),
        _ => fill(room, x, v, |x, v| slope(f, x, v)),
    }
}

impl Tape {
    /// Values and derivatives by the inputs numbered `wrt`, at all points: for each output the list of its
    /// values, then one list of derivatives for each entry of `wrt`. Forward or in reverse, whichever takes
    /// fewer sweeps.
    pub fn jacobian(&self, columns: &[&[f64]], wrt: &[usize]) -> Vec<Vec<Vec<f64>>> {
        if self.outputs.len() < wrt.len() {
            self.jacobian_reverse(columns, wrt)
        } else {
            self.jacobian_forward(columns, wrt)
        }
    }

    /// [`Tape::jacobian`] by forward mode: one sweep for each entry of `wrt`.
    pub fn jacobian_forward(&self, columns: &[&[f64]], wrt: &[usize]) -> Vec<Vec<Vec<f64>>> {
        let rows = rows(columns);
        let mut out = vec![vec![Vec::with_capacity(rows); wrt.len() + 1]; self.outputs.len()];
        let depends: Vec<Vec<bool>> = wrt.iter().map(|input| self.depends_on(&[*input])).collect();
        let mut trace = Trace::new(self, columns);
        let mut tangents = vec![0.0; self.code.len() * BLOCK];
        let mut start = 0;
        while start < rows {
            let length = BLOCK.min(rows - start);
            let values = trace.block(start, length);
            for (lists, &output) in out.iter_mut().zip(&self.outputs) {
                lists[0].extend_from_slice(&register(values, output)[..length]);
            }
            for (k, depends) in depends.iter().enumerate() {
                run(self.level, Forward { tape: self, depends, values, tangents: &mut tangents });
                for (lists, &output) in out.iter_mut().zip(&self.outputs) {
                    lists[k + 1].extend_from_slice(&register(&tangents, output)[..length]);
                }
            }
            start += length;
        }
        out
    }

    /// Which registers depend on some of the inputs.
    pub(super) fn depends_on(&self, inputs: &[usize]) -> Vec<bool> {
        let mut depends: Vec<bool> = Vec::with_capacity(self.code.len());
        for op in &self.code {
            let here = match *op {
                Op::Input(k) => inputs.contains(&(k as usize)),
                Op::Compare(..) | Op::Not(_) | Op::And(..) | Op::Or(..) => false,
                Op::Select(_, a, b) => depends[a as usize] || depends[b as usize],
                _ => op.operands().iter().flatten().any(|k| depends[*k as usize]),
            };
            depends.push(here);
        }
        depends
    }
}

/// A sweep over the instructions in order.
struct Forward<'a> {
    tape: &'a Tape,
    depends: &'a [bool],
    values: &'a [f64],
    tangents: &'a mut [f64],
}

impl Task for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<U: Unit>(self) {
        let Forward { tape, depends, values, tangents } = self;
        let mut room = [0.0; BLOCK];
        for (at, op) in tape.code.iter().enumerate() {
            let (done, rest) = tangents.split_at_mut(at * BLOCK);
            let out = &mut rest[..BLOCK];
            out.fill(0.0);
            if !depends[at] {
                continue;
            }
            if let Op::Select(c, a, b) = *op {
                let d = |k: u32| register(done, k).iter();
                for (((o, c), a), b) in out.iter_mut().zip(register(values, c)).zip(d(a)).zip(d(b)) {
                    *o = select(*c, *a, *b);
                }
                continue;
            }
            if let Op::Input(_) = op {
                out.fill(1.0);
            }
            // The chain rule; a factor enters only where its operand depends on the input.
            for (which, k) in op.operands().into_iter().enumerate() {
                let Some(k) = k.filter(|k| depends[*k as usize]) else { continue };
                let d = register(done, k).iter();
                match partial::<U>(*op, at, which, values, &mut room) {
                    Partial::None => {}
                    Partial::One => out.iter_mut().zip(d).for_each(|(o, d)| *o += d),
                    Partial::MinusOne => out.iter_mut().zip(d).for_each(|(o, d)| *o -= d),
                    Partial::Values(p) => out.iter_mut().zip(d).zip(p).for_each(|((o, d), p)| *o += p * d),
                }
            }
        }
    }
}

/// The derivative of a function of one argument at `x`, where its value is `v`.
pub(super) fn slope(f: Function, x: f64, v: f64) -> f64 {
    use Function::*;
    use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};
    match f {
        Exp => v,
        Log => x.recip(),
        Log10 => (x * LN_10).recip(),
        Log2 => (x * LN_2).recip(),
        Sin => x.cos(),
        Cos => -x.sin(),
        Tan => 1.0 + v * v,
        Asin => (1.0 - x * x).sqrt().recip(),
        Acos => -(1.0 - x * x).sqrt().recip(),
        Atan => (1.0 + x * x).recip(),
        Sinh => x.cosh(),
        Cosh => x.sinh(),
        Tanh => 1.0 - v * v,
        Asinh => x.hypot(1.0).recip(),
        Acosh => ((x - 1.0).sqrt() * (x + 1.0).sqrt()).recip(),
        Atanh => (1.0 - x * x).recip(),
        Abs => x.signum(),
        Factorial => v * digamma(x + 1.0),
        Gamma => v * digamma(x),
        LogGamma => digamma(x),
        Erf => FRAC_2_SQRT_PI * (-x * x).exp(),
        Erfc => -FRAC_2_SQRT_PI * (-x * x).exp(),
        Re | Conj => 1.0,
        Sign | Step | Floor | Ceil | Round | Im | Arg => 0.0,
        Atan2 | Mod | Min | Max | Order => f64::NAN,
    }
}

/// The derivatives of a function of two arguments.
fn slopes(f: Function, a: f64, b: f64) -> (f64, f64) {
    let first = |yes: bool| if yes { (1.0, 0.0) } else { (0.0, 1.0) };
    match f {
        Function::Atan2 => {
            let square = a * a + b * b;
            (b / square, -a / square)
        }
        Function::Mod => (1.0, -(a / b).floor()),
        Function::Min => first(a <= b),
        Function::Max => first(a >= b),
        _ => (f64::NAN, f64::NAN),
    }
}

/// The logarithmic derivative of gamma: recurrence up to 8, then the asymptotic series (Abramowitz & Stegun
/// 6.3.5, 6.3.18); reflection for negative arguments (6.3.7).
fn digamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x.fract() == 0.0 {
            return f64::NAN;
        }
        let pi = std::f64::consts::PI;
        return digamma(1.0 - x) - pi / (pi * x).tan();
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 8.0 {
        sum -= x.recip();
        x += 1.0;
    }
    let y = (x * x).recip();
    let series = y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y / 132.0))));
    sum + x.ln() - 0.5 / x - series
}
