//! Runs a tape on floats: point by point, or in blocks of points with one loop an instruction.

use super::{BLOCK, Op, Tape};
use crate::expression::Function;

/// The registers of an evaluation, to be used again by the next.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) registers: Vec<f64>,
}

/// The value of one instruction, its operands read by `r`.
pub(super) fn scalar(op: Op, inputs: &[f64], r: impl Fn(u32) -> f64) -> f64 {
    match op {
        Op::Constant(x) => x,
        Op::Imaginary => f64::NAN,
        Op::Input(k) => inputs.get(k as usize).copied().unwrap_or(f64::NAN),
        Op::Add(a, b) => r(a) + r(b),
        Op::Sub(a, b) => r(a) - r(b),
        Op::Mul(a, b) => r(a) * r(b),
        Op::Div(a, b) => r(a) / r(b),
        Op::Neg(a) => -r(a),
        Op::Powi(a, n) => powi(r(a), n),
        Op::Sqrt(a) => r(a).sqrt(),
        Op::Power(a, b) => r(a).powf(r(b)),
        Op::Call(f, a) => (f.row().value)(&[r(a)]),
        Op::Call2(f, a, b) => call2(f, r(a), r(b)),
        Op::Compare(relation, a, b) => compare(relation, r(a), r(b)),
        Op::Not(a) => 1.0 - r(a),
        Op::And(a, b) => and(r(a), r(b)),
        Op::Or(a, b) => 1.0 - and(1.0 - r(a), 1.0 - r(b)),
        Op::Select(c, a, b) => select(r(c), r(a), r(b)),
    }
}

/// `x^n` by squaring.
pub(super) fn powi(x: f64, n: u32) -> f64 {
    let (mut result, mut base, mut left) = (1.0, x, n);
    loop {
        if left & 1 == 1 {
            result *= base;
        }
        left >>= 1;
        if left == 0 {
            return result;
        }
        base *= base;
    }
}

/// NaN on either side has no minimum and no maximum.
pub(super) fn call2(f: Function, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { (f.row().value)(&[a, b]) }
}

fn compare(relation: crate::expression::Relation, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { f64::from(u8::from(relation.holds(a, b))) }
}

fn and(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

pub(super) fn select(condition: f64, a: f64, b: f64) -> f64 {
    if condition.is_nan() {
        f64::NAN
    } else if condition != 0.0 {
        a
    } else {
        b
    }
}

/// How many points the columns hold: the length of those that are no constants.
pub(super) fn rows(columns: &[&[f64]]) -> usize {
    columns.iter().map(|c| c.len()).find(|n| *n != 1).unwrap_or(1)
}

/// Reads `out.len()` points of a column from `start` on.
pub(super) fn load(columns: &[&[f64]], input: u32, start: usize, out: &mut [f64]) {
    match columns.get(input as usize).copied() {
        Some([constant]) => out.fill(*constant),
        Some(column) => {
            let there = column.get(start..).unwrap_or(&[]);
            for (i, o) in out.iter_mut().enumerate() {
                *o = there.get(i).copied().unwrap_or(f64::NAN);
            }
        }
        None => out.fill(f64::NAN),
    }
}

impl Tape {
    /// The outputs at all points of the columns, one list an output. Columns have one length, or length 1.
    pub fn eval(&self, columns: &[&[f64]]) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); self.outputs.len()];
        self.eval_block(columns, &mut out);
        out
    }

    /// Like [`Tape::eval`], into lists that are kept: each is emptied and filled.
    pub fn eval_block(&self, columns: &[&[f64]], out: &mut [Vec<f64>]) {
        self.eval_with(columns, out, &mut Scratch::default());
    }

    /// Like [`Tape::eval_block`], with registers that are kept as well.
    pub fn eval_with(&self, columns: &[&[f64]], out: &mut [Vec<f64>], scratch: &mut Scratch) {
        let rows = rows(columns);
        for list in out.iter_mut() {
            list.clear();
            list.reserve(rows);
        }
        scratch.registers.resize((self.code.len() * BLOCK).max(scratch.registers.len()), 0.0);
        let mut start = 0;
        while start < rows {
            let length = BLOCK.min(rows - start);
            self.run(columns, start, length, &mut scratch.registers);
            for (list, &register) in out.iter_mut().zip(&self.outputs) {
                list.extend_from_slice(&scratch.registers[register as usize * BLOCK..][..length]);
            }
            start += length;
        }
    }

    /// Fills the registers, [`BLOCK`] apart, with the values of `length` points from `start` on.
    pub(super) fn run(&self, columns: &[&[f64]], start: usize, length: usize, registers: &mut [f64]) {
        for (at, op) in self.code.iter().enumerate() {
            let (done, rest) = registers.split_at_mut(at * BLOCK);
            let out = &mut rest[..length];
            let r = |k: u32| &done[k as usize * BLOCK..][..length];
            match *op {
                Op::Constant(x) => out.fill(x),
                Op::Imaginary => out.fill(f64::NAN),
                Op::Input(k) => load(columns, k, start, out),
                Op::Add(a, b) => zip(out, r(a), r(b), |x, y| x + y),
                Op::Sub(a, b) => zip(out, r(a), r(b), |x, y| x - y),
                Op::Mul(a, b) => zip(out, r(a), r(b), |x, y| x * y),
                Op::Div(a, b) => zip(out, r(a), r(b), |x, y| x / y),
                Op::Power(a, b) => zip(out, r(a), r(b), f64::powf),
                Op::Neg(a) => map(out, r(a), |x| -x),
                Op::Powi(a, 2) => map(out, r(a), |x| x * x),
                Op::Powi(a, n) => map(out, r(a), |x| powi(x, n)),
                Op::Sqrt(a) => map(out, r(a), f64::sqrt),
                Op::Not(a) => map(out, r(a), |x| 1.0 - x),
                Op::Call(f, a) => {
                    let value = f.row().value;
                    map(out, r(a), |x| value(&[x]));
                }
                Op::Call2(f, a, b) => zip(out, r(a), r(b), |x, y| call2(f, x, y)),
                Op::Compare(relation, a, b) => zip(out, r(a), r(b), |x, y| compare(relation, x, y)),
                Op::And(a, b) => zip(out, r(a), r(b), and),
                Op::Or(a, b) => zip(out, r(a), r(b), |x, y| 1.0 - and(1.0 - x, 1.0 - y)),
                Op::Select(c, a, b) => {
                    for (i, o) in out.iter_mut().enumerate() {
                        *o = select(r(c)[i], r(a)[i], r(b)[i]);
                    }
                }
            }
        }
    }

    /// The outputs at one point: one number for each input.
    pub fn eval_point(&self, point: &[f64]) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.outputs.len());
        self.eval_point_with(point, &mut Scratch::default(), &mut out);
        out
    }

    /// Like [`Tape::eval_point`], allocating nothing the second time; `out` is emptied and filled.
    pub fn eval_point_with(&self, point: &[f64], scratch: &mut Scratch, out: &mut Vec<f64>) {
        let registers = &mut scratch.registers;
        registers.resize(self.code.len().max(registers.len()), 0.0);
        for (at, op) in self.code.iter().enumerate() {
            registers[at] = scalar(*op, point, |k| registers[k as usize]);
        }
        out.clear();
        out.extend(self.outputs.iter().map(|k| registers[*k as usize]));
    }
}

fn map(out: &mut [f64], x: &[f64], f: impl Fn(f64) -> f64) {
    for (o, x) in out.iter_mut().zip(x) {
        *o = f(*x);
    }
}

fn zip(out: &mut [f64], x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) {
    for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
        *o = f(*x, *y);
    }
}
