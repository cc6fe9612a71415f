//! Reverse mode: one sweep backwards over the instructions gives the derivatives of one output by all inputs, at
//! the cost of a few evaluations whatever their number (Griewank & Walther, "Evaluating Derivatives", 2nd ed.
//! 2008, ch. 3.2). All values of a block are kept, so memory grows with the tape and not with the rows.

use super::evaluate::{Trace, rows};
use super::tangent::{Partial, partial, register};
use super::{BLOCK, Op, Tape};
use crate::numeric::vector::Unit;
use crate::numeric::vector::lanes::{Task, run};

/// Partial sums of a long sum.
const PARTS: usize = 16;

impl Tape {
    /// [`Tape::jacobian`] by reverse mode: one sweep for each output.
    pub fn jacobian_reverse(&self, columns: &[&[f64]], wrt: &[usize]) -> Vec<Vec<Vec<f64>>> {
        let rows = rows(columns);
        let mut out = vec![vec![Vec::with_capacity(rows); wrt.len() + 1]; self.outputs.len()];
        let mut sweep = Sweep::new(self, wrt);
        let mut trace = Trace::new(self, columns);
        let mut start = 0;
        while start < rows {
            let length = BLOCK.min(rows - start);
            let values = trace.block(start, length);
            for (lists, &output) in out.iter_mut().zip(&self.outputs) {
                lists[0].extend_from_slice(&register(values, output)[..length]);
                sweep.start();
                sweep.seed(output, |_| 1.0);
                sweep.back(values);
                for (list, input) in lists[1..].iter_mut().zip(wrt) {
                    match sweep.adjoint_of(*input) {
                        Some(adjoint) => list.extend_from_slice(&adjoint[..length]),
                        None => list.resize(list.len() + length, 0.0),
                    }
                }
            }
            start += length;
        }
        out
    }

    /// The vector-Jacobian product `sum_o weights[o] d(output o)/d(input)` for each input of `wrt`: one number a
    /// point for a column, and the sum over all points for a column of length 1, as its one number stands at
    /// all of them. With the derivatives of a loss by the outputs as weights it is the gradient of the loss.
    /// Weights have the length of the columns, or length 1; a missing weight is 0. Sums are taken in a fixed
    /// order.
    pub fn pull_back(&self, columns: &[&[f64]], weights: &[&[f64]], wrt: &[usize]) -> Vec<Vec<f64>> {
        let rows = rows(columns);
        let mut sweep = Sweep::new(self, wrt);
        let mut trace = Trace::new(self, columns);
        let is_one = |input: usize| columns.get(input).is_some_and(|c| c.len() == 1);
        let mut lists: Vec<Vec<f64>> = wrt.iter().map(|_| Vec::new()).collect();
        let mut sums = vec![[0.0; PARTS]; wrt.len()];
        let mut start = 0;
        while start < rows {
            let length = BLOCK.min(rows - start);
            let values = trace.block(start, length);
            sweep.start();
            for (&output, &weight) in self.outputs.iter().zip(weights) {
                sweep.seed(output, |i| match weight {
                    [one] => *one,
                    _ => weight.get(start + i).copied().unwrap_or(0.0),
                });
            }
            sweep.back(values);
            for ((list, sum), input) in lists.iter_mut().zip(&mut sums).zip(wrt) {
                match sweep.adjoint_of(*input) {
                    Some(adjoint) if is_one(*input) => {
                        for part in adjoint[..length].chunks(PARTS) {
                            sum.iter_mut().zip(part).for_each(|(s, a)| *s += a);
                        }
                    }
                    Some(adjoint) => list.extend_from_slice(&adjoint[..length]),
                    None if is_one(*input) => {}
                    None => list.resize(list.len() + length, 0.0),
                }
            }
            start += length;
        }
        for ((list, sum), input) in lists.iter_mut().zip(&sums).zip(wrt) {
            if is_one(*input) {
                list.push(pairwise(sum));
            }
        }
        lists
    }
}

fn pairwise(parts: &[f64; PARTS]) -> f64 {
    let mut sums = *parts;
    let mut half = PARTS / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The adjoints of a block: the derivatives of what was seeded by every register.
struct Sweep<'a> {
    tape: &'a Tape,
    /// Registers that depend on an input asked for.
    active: Vec<bool>,
    /// Registers that count only where a branch is chosen: elsewhere an infinite derivative must not turn the
    /// adjoint 0 into NaN.
    guarded: Vec<bool>,
    /// Adjoints that hold something.
    reached: Vec<bool>,
    adjoints: Vec<f64>,
}

impl<'a> Sweep<'a> {
    fn new(tape: &'a Tape, wrt: &[usize]) -> Sweep<'a> {
        let count = tape.code.len();
        let mut guarded = vec![true; count];
        for output in &tape.outputs {
            guarded[*output as usize] = false;
        }
        for (at, op) in tape.code.iter().enumerate().rev() {
            if !guarded[at] && !matches!(op, Op::Select(..)) {
                for k in op.operands().into_iter().flatten() {
                    guarded[k as usize] = false;
                }
            }
        }
        Sweep {
            tape,
            active: tape.depends_on(wrt),
            guarded,
            reached: vec![false; count],
            adjoints: vec![0.0; count * BLOCK],
        }
    }

    fn start(&mut self) {
        self.reached.fill(false);
    }

    /// Adds weights to the adjoint of a register.
    fn seed(&mut self, register: u32, weight: impl Fn(usize) -> f64) {
        let at = register as usize;
        let adjoint = &mut self.adjoints[at * BLOCK..][..BLOCK];
        if !std::mem::replace(&mut self.reached[at], true) {
            adjoint.fill(0.0);
        }
        adjoint.iter_mut().enumerate().for_each(|(i, a)| *a += weight(i));
    }

    fn back(&mut self, values: &[f64]) {
        run(self.tape.level, Back { sweep: self, values });
    }

    /// The adjoint of an input; none where nothing depends on it.
    fn adjoint_of(&self, input: usize) -> Option<&[f64]> {
        let at = self.tape.code.iter().position(|op| *op == Op::Input(input as u32))?;
        self.reached[at].then(|| register(&self.adjoints, at as u32))
    }
}

/// A sweep over the instructions in reverse.
struct Back<'s, 'a> {
    sweep: &'s mut Sweep<'a>,
    values: &'s [f64],
}

impl Task for Back<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<U: Unit>(self) {
        let Back { sweep, values } = self;
        let Sweep { tape, active, guarded, reached, adjoints } = sweep;
        let mut room = [0.0; BLOCK];
        for (at, op) in tape.code.iter().enumerate().rev() {
            if !active[at] || !reached[at] {
                continue;
            }
            let (before, rest) = adjoints.split_at_mut(at * BLOCK);
            let w = &rest[..BLOCK];
            for (which, k) in op.operands().into_iter().enumerate() {
                let Some(k) = k.filter(|k| active[*k as usize]) else { continue };
                let to = &mut before[k as usize * BLOCK..][..BLOCK];
                if !std::mem::replace(&mut reached[k as usize], true) {
                    to.fill(0.0);
                }
                if let Op::Select(c, ..) = *op {
                    let c = register(values, c);
                    match which {
                        1 => chosen(to, w, c, |c| c != 0.0),
                        2 => chosen(to, w, c, |c| c == 0.0),
                        _ => {}
                    }
                    continue;
                }
                match partial::<U>(*op, at, which, values, &mut room) {
                    Partial::None => {}
                    Partial::One => to.iter_mut().zip(w).for_each(|(t, w)| *t += w),
                    Partial::MinusOne => to.iter_mut().zip(w).for_each(|(t, w)| *t -= w),
                    Partial::Values(p) if guarded[at] => {
                        for ((t, w), p) in to.iter_mut().zip(w).zip(p) {
                            *t += if *w == 0.0 { 0.0 } else { w * p };
                        }
                    }
                    Partial::Values(p) => to.iter_mut().zip(w).zip(p).for_each(|((t, w), p)| *t += w * p),
                }
            }
        }
    }
}

/// Passes an adjoint on where a branch is chosen; an undecided condition makes it NaN.
#[inline(always)]
fn chosen(to: &mut [f64], w: &[f64], condition: &[f64], is_chosen: impl Fn(f64) -> bool) {
    for ((t, w), c) in to.iter_mut().zip(w).zip(condition) {
        let part = if is_chosen(*c) { *w } else { 0.0 };
        *t += if c.is_nan() { f64::NAN } else { part };
    }
}
