//! Compiles expressions to a flat program: one instruction a line, each writing a register of its own, so that
//! a term which occurs twice is computed once. Values are in coherent SI units: a unit is the factor it is worth.
//!
//! ```text
//! x^2/(2*m) + x^2   =>   r0 = x; r1 = r0^2; r2 = m; r3 = 2; r4 = r3*r2; r5 = r1/r4; r6 = r1 + r5
//! ```
//!
//! Products become one quotient (numerator over denominator), integer powers are multiplied out, half-integer
//! powers go through the square root, conditions are 1 and 0. `program.rs` makes passes over blocks of points
//! from the instructions and `evaluate.rs` runs them on floats of either precision, with the loops of
//! `kernels.rs`; `complex.rs` runs the instructions on complex numbers, `tangent.rs` and `reverse.rs` give
//! derivatives.

mod complex;
mod evaluate;
mod kernels;
mod program;
mod reverse;
mod tangent;
#[cfg(test)]
mod tests;

use super::error::NumericError;
use super::vector::Level;
use crate::base::{Number, suggest};
use crate::expression::{Expr, Function, Kind, Relation, Symbol};
use std::collections::HashMap;

pub use evaluate::Scratch;
use program::Program;

/// Points whose derivatives are evaluated at once.
pub const BLOCK: usize = 4 * super::vector::lanes::LANES;

/// Greatest integer power that is multiplied out.
const MAX_POWER: i64 = 64;

/// One instruction; operands are numbers of earlier instructions.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Op {
    Constant(f64),
    /// The imaginary unit: NaN among the reals.
    Imaginary,
    Input(u32),
    Add(u32, u32),
    Sub(u32, u32),
    Mul(u32, u32),
    Div(u32, u32),
    Neg(u32),
    /// A power from 2 to [`MAX_POWER`].
    Powi(u32, u32),
    Sqrt(u32),
    Power(u32, u32),
    Call(Function, u32),
    Call2(Function, u32, u32),
    /// 1 where it holds, 0 where not, NaN where a side is.
    Compare(Relation, u32, u32),
    Not(u32),
    And(u32, u32),
    Or(u32, u32),
    /// Condition, value where it is 1, value where it is 0.
    Select(u32, u32, u32),
}

impl Op {
    fn operands(self) -> [Option<u32>; 3] {
        match self {
            Op::Constant(_) | Op::Imaginary | Op::Input(_) => [None; 3],
            Op::Neg(a) | Op::Powi(a, _) | Op::Sqrt(a) | Op::Call(_, a) | Op::Not(a) => [Some(a), None, None],
            Op::Add(a, b)
            | Op::Sub(a, b)
            | Op::Mul(a, b)
            | Op::Div(a, b)
            | Op::Power(a, b)
            | Op::Call2(_, a, b)
            | Op::Compare(_, a, b)
            | Op::And(a, b)
            | Op::Or(a, b) => [Some(a), Some(b), None],
            Op::Select(c, a, b) => [Some(c), Some(a), Some(b)],
        }
    }

    fn renumber(self, new: &[u32]) -> Op {
        let n = |k: u32| new[k as usize];
        match self {
            Op::Constant(_) | Op::Imaginary | Op::Input(_) => self,
            Op::Add(a, b) => Op::Add(n(a), n(b)),
            Op::Sub(a, b) => Op::Sub(n(a), n(b)),
            Op::Mul(a, b) => Op::Mul(n(a), n(b)),
            Op::Div(a, b) => Op::Div(n(a), n(b)),
            Op::Neg(a) => Op::Neg(n(a)),
            Op::Powi(a, k) => Op::Powi(n(a), k),
            Op::Sqrt(a) => Op::Sqrt(n(a)),
            Op::Power(a, b) => Op::Power(n(a), n(b)),
            Op::Call(f, a) => Op::Call(f, n(a)),
            Op::Call2(f, a, b) => Op::Call2(f, n(a), n(b)),
            Op::Compare(r, a, b) => Op::Compare(r, n(a), n(b)),
            Op::Not(a) => Op::Not(n(a)),
            Op::And(a, b) => Op::And(n(a), n(b)),
            Op::Or(a, b) => Op::Or(n(a), n(b)),
            Op::Select(c, a, b) => Op::Select(n(c), n(a), n(b)),
        }
    }

    /// Equal for equal instructions; constants by their bits.
    fn key(self) -> (u8, u64, u32, u32) {
        match self {
            Op::Constant(x) => (0, x.to_bits(), 0, 0),
            Op::Imaginary => (1, 0, 0, 0),
            Op::Input(k) => (2, 0, k, 0),
            Op::Add(a, b) => (3, 0, a, b),
            Op::Sub(a, b) => (4, 0, a, b),
            Op::Mul(a, b) => (5, 0, a, b),
            Op::Div(a, b) => (6, 0, a, b),
            Op::Neg(a) => (7, 0, a, 0),
            Op::Powi(a, k) => (8, 0, a, k),
            Op::Sqrt(a) => (9, 0, a, 0),
            Op::Power(a, b) => (10, 0, a, b),
            Op::Call(f, a) => (11, f as u64, a, 0),
            Op::Call2(f, a, b) => (12, f as u64, a, b),
            Op::Compare(r, a, b) => (13, r as u64, a, b),
            Op::Not(a) => (14, 0, a, 0),
            Op::And(a, b) => (15, 0, a, b),
            Op::Or(a, b) => (16, 0, a, b),
            Op::Select(c, a, b) => (17, u64::from(c), a, b),
        }
    }
}

/// A compiled list of expressions. Evaluation takes one column for each input; a column of length 1 is a
/// constant.
#[derive(Clone, Debug)]
pub struct Tape {
    code: Vec<Op>,
    outputs: Vec<u32>,
    inputs: Vec<Symbol>,
    level: Level,
    program: Program,
    /// The program that keeps every value.
    trace: Program,
}

impl Tape {
    /// Compiles expressions of the symbols `inputs`; uncertain numbers count as their values.
    ///
    /// # Errors
    /// [`NumericError::UnknownSymbol`] and [`NumericError::UndefinedFunction`] for what has no value,
    /// [`NumericError::NoValue`] for a series' remainder and for units with an offset.
    pub fn compile(outputs: &[Expr], inputs: &[Symbol]) -> Result<Tape, NumericError> {
        let mut compiler = Compiler {
            inputs,
            level: Level::detect(),
            code: Vec::new(),
            known: HashMap::new(),
            done: HashMap::new(),
        };
        let outputs = outputs.iter().map(|e| compiler.expression(e)).collect::<Result<Vec<u32>, _>>()?;
        let (code, outputs) = without_dead_code(compiler.code, outputs);
        Ok(Tape::assembled(code, outputs, inputs.to_vec(), compiler.level))
    }

    /// The symbols, in the order in which their columns are given.
    pub fn inputs(&self) -> &[Symbol] {
        &self.inputs
    }

    /// Number of expressions.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Number of instructions: the work of one point.
    pub fn work(&self) -> usize {
        self.code.len()
    }

    fn assembled(code: Vec<Op>, outputs: Vec<u32>, inputs: Vec<Symbol>, level: Level) -> Tape {
        let level = level.or_less();
        let program = Program::of(&code, &outputs, level, false);
        let trace = Program::of(&code, &outputs, level, true);
        Tape { code, outputs, inputs, level, program, trace }
    }
}

/// Only what the outputs need, renumbered.
fn without_dead_code(code: Vec<Op>, mut outputs: Vec<u32>) -> (Vec<Op>, Vec<u32>) {
    let mut live = vec![false; code.len()];
    for &output in &outputs {
        live[output as usize] = true;
    }
    for at in (0..code.len()).rev() {
        if live[at] {
            for operand in code[at].operands().into_iter().flatten() {
                live[operand as usize] = true;
            }
        }
    }
    let mut new = vec![0; code.len()];
    let mut kept = Vec::with_capacity(code.len());
    for (at, op) in code.iter().enumerate() {
        if live[at] {
            new[at] = kept.len() as u32;
            kept.push(op.renumber(&new));
        }
    }
    for output in &mut outputs {
        *output = new[*output as usize];
    }
    (kept, outputs)
}

struct Compiler<'a> {
    inputs: &'a [Symbol],
    level: Level,
    code: Vec<Op>,
    known: HashMap<(u8, u64, u32, u32), u32>,
    done: HashMap<Expr, u32>,
}

impl Compiler<'_> {
    /// Children first, by an explicit stack: depth costs no stack.
    fn expression(&mut self, root: &Expr) -> Result<u32, NumericError> {
        let mut stack = vec![(root.clone(), false)];
        while let Some((e, ready)) = stack.pop() {
            if self.done.contains_key(&e) {
                continue;
            }
            if ready {
                let register = self.node(&e)?;
                self.done.insert(e, register);
            } else {
                let children: Vec<Expr> = e.children().into_iter().rev().cloned().collect();
                stack.push((e, true));
                stack.extend(children.into_iter().map(|c| (c, false)));
            }
        }
        Ok(self.register(root))
    }

    /// The register of a node that was compiled.
    fn register(&self, e: &Expr) -> u32 {
        self.done.get(e).copied().unwrap_or(0)
    }

    fn constant(&mut self, x: f64) -> u32 {
        self.push(Op::Constant(x))
    }

    fn value(&self, register: u32) -> Option<f64> {
        match self.code[register as usize] {
            Op::Constant(x) => Some(x),
            _ => None,
        }
    }

    /// Adds an instruction unless it stands already; folds constants where the result is a real number.
    fn push(&mut self, op: Op) -> u32 {
        let op = match op {
            Op::Add(a, b) => match (self.code[a as usize], self.code[b as usize]) {
                (_, Op::Neg(c)) => Op::Sub(a, c),
                (Op::Neg(c), _) => Op::Sub(b, c),
                _ => op,
            },
            Op::Mul(a, b) if self.value(a) == Some(1.0) => return b,
            Op::Mul(a, b) | Op::Div(a, b) if self.value(b) == Some(1.0) => return a,
            Op::Mul(a, b) if self.value(a) == Some(-1.0) => Op::Neg(b),
            _ => op,
        };
        if let Some(&at) = self.known.get(&op.key()) {
            return at;
        }
        let operands = op.operands();
        if operands[0].is_some() && operands.iter().flatten().all(|k| self.value(*k).is_some()) {
            let folded = evaluate::scalar(self.level, op, |k| self.value(k).unwrap_or(f64::NAN));
            if !folded.is_nan() {
                return self.push(Op::Constant(folded));
            }
        }
        let at = self.code.len() as u32;
        self.code.push(op);
        self.known.insert(op.key(), at);
        at
    }

    fn fold(&mut self, items: &[Expr], op: fn(u32, u32) -> Op) -> u32 {
        let mut registers = items.iter().map(|e| self.register(e)).collect::<Vec<_>>().into_iter();
        let first = registers.next().unwrap_or(0);
        registers.fold(first, |sum, next| self.push(op(sum, next)))
    }

    fn node(&mut self, e: &Expr) -> Result<u32, NumericError> {
        Ok(match e.kind() {
            Kind::Number(n) => self.constant(n.to_f64()),
            Kind::Float(x) => self.constant(*x),
            Kind::Uncertain(u) => self.constant(u.value()),
            Kind::Unit(_) => self.product(std::slice::from_ref(e))?,
            Kind::Constant(c) => match c.to_f64() {
                Some(x) => self.constant(x),
                None => self.push(Op::Imaginary),
            },
            Kind::Symbol(s) => match self.inputs.iter().position(|i| i == s) {
                Some(at) => self.push(Op::Input(at as u32)),
                None => {
                    let names = self.inputs.iter().map(Symbol::name);
                    let nearest = suggest::nearest(s.name(), names).map(str::to_string);
                    return Err(NumericError::UnknownSymbol { name: s.name().to_string(), nearest });
                }
            },
            Kind::Sum(items) => self.fold(items, Op::Add),
            Kind::Product(items) => self.product(items)?,
            Kind::Power(..) => self.product(std::slice::from_ref(e))?,
            Kind::Call(Function::Order, _) => {
                return Err(NumericError::NoValue {
                    what: "the remainder O(...) of a series".to_string(),
                    hint: "take the terms without their remainder",
                });
            }
            Kind::Call(f, args) => {
                let f = *f;
                match args.as_ref() {
                    [a] => {
                        let a = self.register(a);
                        self.push(Op::Call(f, a))
                    }
                    [a, b] => {
                        let (a, b) = (self.register(a), self.register(b));
                        self.push(Op::Call2(f, a, b))
                    }
                    // Only min and max take more.
                    many => {
                        let registers: Vec<u32> = many.iter().map(|a| self.register(a)).collect();
                        let first = registers.first().copied().unwrap_or(0);
                        registers.into_iter().skip(1).fold(first, |m, next| self.push(Op::Call2(f, m, next)))
                    }
                }
            }
            Kind::Apply(f, _) => {
                return Err(NumericError::UndefinedFunction { name: f.name().to_string() });
            }
            Kind::Derivative(d) => {
                return Err(NumericError::UndefinedFunction { name: d.function.name().to_string() });
            }
            Kind::Relation(op, a, b) => {
                let (a, b) = (self.register(a), self.register(b));
                self.push(Op::Compare(*op, a, b))
            }
            Kind::Not(a) => {
                let a = self.register(a);
                self.push(Op::Not(a))
            }
            Kind::And(items) => self.fold(items, Op::And),
            Kind::Or(items) => self.fold(items, Op::Or),
            Kind::Bool(b) => self.constant(f64::from(u8::from(*b))),
            Kind::Piecewise(branches, otherwise) => {
                let mut last = self.register(otherwise);
                for (condition, value) in branches.iter().rev() {
                    let (c, v) = (self.register(condition), self.register(value));
                    last = self.push(Op::Select(c, v, last));
                }
                last
            }
        })
    }

    /// Numerator over denominator. Exact coefficients and units are multiplied exactly first.
    fn product(&mut self, factors: &[Expr]) -> Result<u32, NumericError> {
        let mut exact = Number::ONE;
        let mut float = 1.0;
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for factor in factors {
            match factor.kind() {
                Kind::Number(n) => exact = &exact * n,
                Kind::Float(x) => float *= x,
                Kind::Unit(unit) => {
                    if !unit.is_ordinary() {
                        return Err(NumericError::NoValue {
                            what: format!("the unit [{unit}], which is no factor"),
                            hint: "convert it first: 20 [degC] -> [K]",
                        });
                    }
                    let scale = unit.scale();
                    exact = &exact * scale.exact();
                    float *= std::f64::consts::PI.powi(scale.pi_power());
                    float *= scale.float().map_or(1.0, |(value, _)| value);
                }
                Kind::Power(base, exponent) => {
                    let base = self.register(base);
                    match exponent.as_number() {
                        Some(n) if n.is_negative() => below.push(self.power(base, &-n)),
                        Some(n) => above.push(self.power(base, n)),
                        None => {
                            let exponent = self.register(exponent);
                            above.push(self.push(Op::Power(base, exponent)));
                        }
                    }
                }
                _ => above.push(self.register(factor)),
            }
        }
        let (numerator, denominator) = match exact.to_ratio() {
            Some((n, d)) if n.unsigned_abs() < 1 << 53 && d.unsigned_abs() < 1 << 53 => (n as f64, d as f64),
            _ => (exact.to_f64(), 1.0),
        };
        let sign_only = numerator == -1.0 && float == 1.0 && !above.is_empty();
        let mut top = self.constant(if sign_only { 1.0 } else { numerator * float });
        for register in above {
            top = self.push(Op::Mul(top, register));
        }
        let mut bottom = self.constant(denominator);
        for register in below {
            bottom = self.push(Op::Mul(bottom, register));
        }
        let quotient = self.push(Op::Div(top, bottom));
        Ok(if sign_only { self.push(Op::Neg(quotient)) } else { quotient })
    }

    /// `base ^ n` for exact `n > 0`.
    fn power(&mut self, base: u32, n: &Number) -> u32 {
        if n.is_one() {
            return base;
        }
        if let Some(k) = n.to_i64().filter(|k| (2..=MAX_POWER).contains(k)) {
            return self.push(Op::Powi(base, k as u32));
        }
        if let Some(k) = (&Number::TWO * n).to_i64().filter(|k| (1..=2 * MAX_POWER).contains(k)) {
            let root = self.push(Op::Sqrt(base));
            return match (k - 1) / 2 {
                0 => root,
                1 => self.push(Op::Mul(base, root)),
                whole => {
                    let whole = self.push(Op::Powi(base, whole as u32));
                    self.push(Op::Mul(whole, root))
                }
            };
        }
        let exponent = self.constant(n.to_f64());
        self.push(Op::Power(base, exponent))
    }
}
