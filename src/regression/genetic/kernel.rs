//! Values of trees and their derivatives by every node, on up to a few hundred rows at once: each node keeps its values,
//! and one sweep backwards gives what a change of any of them makes of the whole (reverse mode; Griewank & Walther,
//! "Evaluating Derivatives", 2nd ed. 2008, ch. 3.2).

use std::sync::Arc;

use super::tree::{Node, Tree};
use crate::expression::Function;
use crate::numeric::Tape;
use crate::numeric::vector::{self, Elementary, Level};
use crate::regression::options::OwnOperator;

/// Values beyond these in size are none.
const LARGEST: f64 = 1e150;

/// The operators of the user, compiled.
pub type Owns = Arc<Vec<Tape>>;

/// Compiles them; `None` where one has no value.
pub fn owns(operators: &[OwnOperator]) -> Option<Owns> {
    let compile = |o: &OwnOperator| Tape::compile(std::slice::from_ref(&o.body), &o.arguments).ok();
    operators.iter().map(compile).collect::<Option<Vec<Tape>>>().map(Arc::new)
}

/// The values of all nodes of a tree, and what they make of the whole.
#[derive(Debug)]
pub struct Sweep {
    level: Level,
    rows: usize,
    values: Vec<f64>,
    slopes: Vec<f64>,
    /// Rows of a constant operand, and of a partial derivative.
    scratch: Vec<f64>,
    operands: Vec<(u32, u32)>,
    own: Owns,
}

impl Sweep {
    /// Room for trees on so many rows, with the operators of the user that they may hold.
    pub fn with(rows: usize, own: Owns) -> Sweep {
        Sweep {
            level: Level::detect(),
            rows,
            values: Vec::new(),
            slopes: Vec::new(),
            scratch: vec![0.0; rows],
            operands: Vec::new(),
            own,
        }
    }

    /// The values of a node of the tree that was evaluated last.
    pub fn values(&self, k: usize) -> &[f64] {
        &self.values[k * self.rows..(k + 1) * self.rows]
    }

    /// What a change of a node makes of the whole tree, row by row, after [`Sweep::backward`].
    pub fn slopes(&self, k: usize) -> &[f64] {
        &self.slopes[k * self.rows..(k + 1) * self.rows]
    }

    /// Evaluates a tree on leaves; whether all its values are finite.
    pub fn forward(&mut self, tree: &Tree, leaves: &[Vec<f64>]) -> bool {
        let n = self.rows;
        self.values.resize(n * tree.len().max(self.values.len() / n.max(1)), 0.0);
        self.operands.clear();
        let mut stack: Vec<u32> = Vec::with_capacity(16);
        for (k, &node) in tree.nodes.iter().enumerate() {
            let (done, rest) = self.values.split_at_mut(k * n);
            let out = &mut rest[..n];
            let of = |j: u32| &done[j as usize * n..(j as usize + 1) * n];
            let operands = match node.arity() {
                0 => (0, 0),
                1 => {
                    let a = stack.pop().unwrap_or(0);
                    (a, a)
                }
                _ => {
                    let b = stack.pop().unwrap_or(0);
                    (stack.pop().unwrap_or(0), b)
                }
            };
            match node {
                Node::Leaf(l) => out.copy_from_slice(&leaves[usize::from(l)]),
                Node::Constant(c) => out.fill(c),
                Node::Negate => map(of(operands.0), out, |x| -x),
                Node::Raise(h) => raise(self.level, h, of(operands.0), out, &mut self.scratch),
                Node::Call(f) => call(self.level, f, of(operands.0), out),
                Node::Pair(f) => zip(of(operands.0), of(operands.1), out, |x, y| (f.row().value)(&[x, y])),
                Node::Own(k) => own(&self.own, k, &[of(operands.0)], out),
                Node::OwnPair(k) => own(&self.own, k, &[of(operands.0), of(operands.1)], out),
                Node::Add => zip(of(operands.0), of(operands.1), out, |x, y| x + y),
                Node::Subtract => zip(of(operands.0), of(operands.1), out, |x, y| x - y),
                Node::Multiply => zip(of(operands.0), of(operands.1), out, |x, y| x * y),
                Node::Divide => zip(of(operands.0), of(operands.1), out, |x, y| x / y),
                Node::Power => vector::pow(self.level, of(operands.0), of(operands.1), out),
            }
            self.operands.push(operands);
            stack.push(k as u32);
        }
        self.values(tree.len() - 1).iter().all(|v| v.abs() < LARGEST)
    }

    /// The derivatives of the whole by its nodes, of the tree that was evaluated last.
    pub fn backward(&mut self, tree: &Tree) {
        let n = self.rows;
        self.slopes.resize(n * tree.len().max(self.slopes.len() / n.max(1)), 0.0);
        let last = tree.len() - 1;
        self.slopes[last * n..(last + 1) * n].fill(1.0);
        for k in (0..tree.len()).rev() {
            let node = tree.nodes[k];
            if node.arity() == 0 {
                continue;
            }
            let (a, b) = (self.operands[k].0 as usize, self.operands[k].1 as usize);
            let value = |j: usize| &self.values[j * n..(j + 1) * n];
            let (below, own) = self.slopes.split_at_mut(k * n);
            let own = &own[..n];
            let (x, y, z) = (value(a), value(b), value(k));
            match node {
                Node::Negate => map(own, &mut below[a * n..(a + 1) * n], |s| -s),
                Node::Raise(h) => {
                    let power = f64::from(h) / 2.0;
                    let out = &mut below[a * n..(a + 1) * n];
                    for i in 0..n {
                        out[i] = own[i] * if x[i] == 0.0 && h == 4 { 0.0 } else { power * z[i] / x[i] };
                    }
                }
                Node::Call(f) => {
                    let out = &mut below[a * n..(a + 1) * n];
                    for i in 0..n {
                        out[i] = own[i] * derivative(f, x[i], z[i]);
                    }
                }
                Node::Own(f) => {
                    let slopes = slopes(&self.own, f, &[x]);
                    zip(own, &slopes[1], &mut below[a * n..(a + 1) * n], |s, d| s * d);
                }
                Node::OwnPair(f) => {
                    let slopes = slopes(&self.own, f, &[x, y]);
                    let (first, second) = below.split_at_mut(b * n);
                    zip(own, &slopes[1], &mut first[a * n..(a + 1) * n], |s, d| s * d);
                    zip(own, &slopes[2], &mut second[..n], |s, d| s * d);
                }
                _ => {
                    // a ends before b does.
                    let (first, second) = below.split_at_mut(b * n);
                    let (first, second) = (&mut first[a * n..(a + 1) * n], &mut second[..n]);
                    for i in 0..n {
                        let s = own[i];
                        let (da, db) = match node {
                            Node::Add => (s, s),
                            Node::Subtract => (s, -s),
                            Node::Multiply => (s * y[i], s * x[i]),
                            Node::Divide => (s / y[i], -s * z[i] / y[i]),
                            Node::Power => (s * y[i] * z[i] / x[i], s * z[i] * x[i].ln()),
                            Node::Pair(f) => pair(f, x[i], y[i], s),
                            _ => (0.0, 0.0),
                        };
                        first[i] = da;
                        second[i] = db;
                    }
                }
            }
        }
    }
}

#[inline]
fn map(x: &[f64], out: &mut [f64], f: impl Fn(f64) -> f64) {
    for (o, x) in out.iter_mut().zip(x) {
        *o = f(*x);
    }
}

#[inline]
fn zip(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    for ((o, x), y) in out.iter_mut().zip(x).zip(y) {
        *o = f(*x, *y);
    }
}

/// An operator of the user; no value where there is no such one.
fn own(all: &Owns, k: u8, arguments: &[&[f64]], out: &mut [f64]) {
    match all.get(usize::from(k)) {
        Some(tape) => out.copy_from_slice(&tape.eval(arguments)[0]),
        None => out.fill(f64::NAN),
    }
}

/// Its values and its derivatives by its arguments.
fn slopes(all: &Owns, k: u8, arguments: &[&[f64]]) -> Vec<Vec<f64>> {
    let wrt: Vec<usize> = (0..arguments.len()).collect();
    match all.get(usize::from(k)) {
        Some(tape) => tape.jacobian(arguments, &wrt).swap_remove(0),
        None => vec![vec![0.0; arguments[0].len()]; wrt.len() + 1],
    }
}

fn raise(level: Level, h: i8, x: &[f64], out: &mut [f64], scratch: &mut [f64]) {
    match h {
        1 => map(x, out, f64::sqrt),
        -1 => map(x, out, |x| 1.0 / x.sqrt()),
        -2 => map(x, out, |x| 1.0 / x),
        4 => map(x, out, |x| x * x),
        -4 => map(x, out, |x| 1.0 / (x * x)),
        3 => map(x, out, |x| x * x.sqrt()),
        6 => map(x, out, |x| x * x * x),
        8 => map(x, out, |x| (x * x) * (x * x)),
        _ if h % 2 == 0 => map(x, out, |x| x.powi(i32::from(h) / 2)),
        _ => {
            let scratch = &mut scratch[..x.len()];
            scratch.fill(f64::from(h) / 2.0);
            vector::pow(level, x, scratch, out);
        }
    }
}

fn call(level: Level, f: Function, x: &[f64], out: &mut [f64]) {
    match Elementary::of(f) {
        Some(e) => e.apply(level, x, out),
        None => {
            let value = f.row().value;
            map(x, out, |x| value(&[x]));
        }
    }
}

/// f'(x), where y = f(x).
pub fn derivative(f: Function, x: f64, y: f64) -> f64 {
    use std::f64::consts::{LN_2, LN_10, PI};
    match f {
        Function::Exp => y,
        Function::Log => 1.0 / x,
        Function::Log2 => 1.0 / (x * LN_2),
        Function::Log10 => 1.0 / (x * LN_10),
        Function::Sin => x.cos(),
        Function::Cos => -x.sin(),
        Function::Tan => 1.0 + y * y,
        Function::Asin => 1.0 / (1.0 - x * x).sqrt(),
        Function::Acos => -1.0 / (1.0 - x * x).sqrt(),
        Function::Atan => 1.0 / (1.0 + x * x),
        Function::Sinh => (1.0 + y * y).sqrt(),
        Function::Cosh => x.sinh(),
        Function::Tanh => 1.0 - y * y,
        Function::Asinh => 1.0 / (x * x + 1.0).sqrt(),
        Function::Acosh => 1.0 / (x * x - 1.0).sqrt(),
        Function::Atanh => 1.0 / (1.0 - x * x),
        Function::Abs => x.signum(),
        Function::Sign | Function::Step | Function::Floor | Function::Ceil | Function::Round => 0.0,
        Function::Erf => 2.0 / PI.sqrt() * (-x * x).exp(),
        Function::Erfc => -2.0 / PI.sqrt() * (-x * x).exp(),
        _ => {
            // The rest are smooth, and rare enough for a difference.
            let h = 1e-6 * x.abs().max(1e-3);
            let value = f.row().value;
            (value(&[x + h]) - value(&[x - h])) / (2.0 * h)
        }
    }
}

/// What a change of the operands of a function of two makes.
fn pair(f: Function, x: f64, y: f64, s: f64) -> (f64, f64) {
    match f {
        Function::Max => {
            if x >= y {
                (s, 0.0)
            } else {
                (0.0, s)
            }
        }
        Function::Min => {
            if x <= y {
                (s, 0.0)
            } else {
                (0.0, s)
            }
        }
        Function::Mod => (s, -s * (x / y).floor()),
        Function::Atan2 => {
            let r = x * x + y * y;
            (s * y / r, -s * x / r)
        }
        _ => (0.0, 0.0),
    }
}
