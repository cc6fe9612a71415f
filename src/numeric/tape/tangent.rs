//! Forward-mode derivatives: beside the value of every register runs its derivative by one input (dual numbers,
//! Griewank & Walther, "Evaluating Derivatives", 2nd ed. 2008, ch. 3). A register that does not depend on the
//! input has the derivative 0, also where its own derivative does not exist.

use super::evaluate::{rows, select};
use super::{BLOCK, Op, Tape};
use crate::expression::Function;

impl Tape {
    /// Values and derivatives by the inputs numbered `wrt`, at all points: for each output the list of its
    /// values, then one list of derivatives for each entry of `wrt`.
    pub fn jacobian(&self, columns: &[&[f64]], wrt: &[usize]) -> Vec<Vec<Vec<f64>>> {
        let rows = rows(columns);
        let mut out = vec![vec![Vec::with_capacity(rows); wrt.len() + 1]; self.outputs.len()];
        let depends: Vec<Vec<bool>> = wrt.iter().map(|input| self.depends_on(*input)).collect();
        let mut values = vec![0.0; self.code.len() * BLOCK];
        let mut tangents = vec![0.0; self.code.len() * BLOCK];
        let mut start = 0;
        while start < rows {
            let length = BLOCK.min(rows - start);
            self.run(columns, start, length, &mut values);
            for (lists, &register) in out.iter_mut().zip(&self.outputs) {
                lists[0].extend_from_slice(&values[register as usize * BLOCK..][..length]);
            }
            for (k, depends) in depends.iter().enumerate() {
                self.run_tangents(depends, length, &values, &mut tangents);
                for (lists, &register) in out.iter_mut().zip(&self.outputs) {
                    lists[k + 1].extend_from_slice(&tangents[register as usize * BLOCK..][..length]);
                }
            }
            start += length;
        }
        out
    }

    fn depends_on(&self, input: usize) -> Vec<bool> {
        let mut depends: Vec<bool> = Vec::with_capacity(self.code.len());
        for op in &self.code {
            let here = match *op {
                Op::Input(k) => k as usize == input,
                Op::Compare(..) | Op::Not(_) | Op::And(..) | Op::Or(..) => false,
                Op::Select(_, a, b) => depends[a as usize] || depends[b as usize],
                _ => op.operands().iter().flatten().any(|k| depends[*k as usize]),
            };
            depends.push(here);
        }
        depends
    }

    fn run_tangents(&self, depends: &[bool], length: usize, values: &[f64], tangents: &mut [f64]) {
        let x = |k: u32| &values[k as usize * BLOCK..][..length];
        for (at, op) in self.code.iter().enumerate() {
            let (done, rest) = tangents.split_at_mut(at * BLOCK);
            let out = &mut rest[..length];
            if !depends[at] {
                out.fill(0.0);
                continue;
            }
            let d = |k: u32| &done[k as usize * BLOCK..][..length];
            let on = |k: u32| depends[k as usize];
            let v = x(at as u32);
            for (i, o) in out.iter_mut().enumerate() {
                // The chain rule; a factor enters only where its operand depends on the input.
                let chain = |k: u32, slope: &dyn Fn() -> f64| if on(k) { slope() * d(k)[i] } else { 0.0 };
                *o = match *op {
                    Op::Input(_) => 1.0,
                    Op::Add(a, b) => d(a)[i] + d(b)[i],
                    Op::Sub(a, b) => d(a)[i] - d(b)[i],
                    Op::Mul(a, b) => chain(a, &|| x(b)[i]) + chain(b, &|| x(a)[i]),
                    Op::Div(a, b) => chain(a, &|| x(b)[i].recip()) + chain(b, &|| -v[i] / x(b)[i]),
                    Op::Neg(a) => -d(a)[i],
                    Op::Powi(a, n) => chain(a, &|| f64::from(n) * super::evaluate::powi(x(a)[i], n - 1)),
                    Op::Sqrt(a) => chain(a, &|| 0.5 / v[i]),
                    Op::Power(a, b) => {
                        let (base, exponent) = (x(a)[i], x(b)[i]);
                        chain(a, &|| exponent * base.powf(exponent - 1.0))
                            + chain(b, &|| if base == 0.0 && exponent > 0.0 { 0.0 } else { v[i] * base.ln() })
                    }
                    Op::Call(f, a) => chain(a, &|| slope(f, x(a)[i], v[i])),
                    Op::Call2(f, a, b) => {
                        let (da, db) = slopes(f, x(a)[i], x(b)[i]);
                        chain(a, &|| da) + chain(b, &|| db)
                    }
                    Op::Select(c, a, b) => select(x(c)[i], d(a)[i], d(b)[i]),
                    _ => 0.0,
                };
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
