//! From instructions to passes over blocks: integer powers become products, an arithmetic operation whose value
//! is used once by another joins it, and registers share slots of memory (linear scan, Poletto & Sarkar, ACM
//! TOPLAS 21 (1999) 895), so that a block of a large expression stays in the first cache. Inputs are read where
//! they lie, constants from one chunk, and an output is written where it is wanted.

use super::kernels::{Arithmetic, Pass, Run, runner};
use super::{Op, Tape};
use crate::numeric::vector::Level;
use crate::numeric::vector::lanes::{Chunk, LANES};

/// Where an operand is read: a region and a place in it. The regions are the slots, the constants, and each input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub region: u32,
    pub offset: u32,
}

impl Place {
    pub(super) const SLOTS: u32 = 0;
    pub(super) const CONSTANTS: u32 = 1;
    pub(super) const FIRST_INPUT: u32 = 2;
    /// For operands that are not read.
    const NOWHERE: Place = Place { region: Self::SLOTS, offset: 0 };

    fn slot(offset: u32) -> Place {
        Place { region: Self::SLOTS, offset }
    }

    fn input(input: u32) -> Place {
        Place { region: Self::FIRST_INPUT + input, offset: 0 }
    }
}

/// Where a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Goal {
    Slot(u32),
    Output(u32),
}

/// A pass over a block.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub double: Run<f64>,
    pub single: Run<f32>,
    pub operands: [Place; 3],
    pub goal: Goal,
}

/// All passes over a block.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub steps: Vec<Step>,
    /// How many slots the registers share.
    pub slots: usize,
    pub doubles: Vec<Chunk<f64>>,
    pub singles: Vec<Chunk<f32>>,
    /// Outputs that no pass writes: they are copied from where they stand.
    pub copies: Vec<(Place, u32)>,
}

/// A pass on registers. Registers below the number of instructions are those of the instructions.
#[derive(Clone, Copy, Debug)]
struct Flat {
    pass: Pass,
    operands: [Option<u32>; 3],
    out: u32,
}

impl Program {
    /// The passes of a tape. `keep` gives every instruction a slot of its own, by its number, and joins nothing:
    /// for derivatives, which need all values.
    pub(super) fn of(code: &[Op], outputs: &[u32], level: Level, keep: bool) -> Program {
        let (mut flat, registers) = flatten(code, keep);
        if !keep {
            join(&mut flat, outputs, registers);
            schedule(&mut flat, outputs, registers);
        }
        let mut program = Program {
            steps: Vec::new(),
            slots: 0,
            doubles: Vec::new(),
            singles: Vec::new(),
            copies: Vec::new(),
        };
        let mut places = vec![None; registers];
        for (at, op) in code.iter().enumerate() {
            places[at] = match *op {
                Op::Constant(x) => Some(program.constant(x)),
                Op::Imaginary => Some(program.constant(f64::NAN)),
                Op::Input(k) => Some(Place::input(k)),
                _ => None,
            };
        }
        let mut last = vec![0; registers];
        for (at, step) in flat.iter().enumerate() {
            for register in step.operands.into_iter().flatten() {
                last[register as usize] = at;
            }
        }
        // Outputs that are read no more go straight to their list; the others keep their slot to the end.
        let mut goals = vec![None; registers];
        for (k, &output) in outputs.iter().enumerate() {
            let computed = places[output as usize].is_none();
            let read = flat.iter().any(|step| step.operands.contains(&Some(output)));
            let once = outputs.iter().filter(|o| **o == output).count() == 1;
            if computed && !read && once && !keep {
                goals[output as usize] = Some(Goal::Output(k as u32));
            } else {
                last[output as usize] = usize::MAX;
            }
        }
        let mut free: Vec<u32> = Vec::new();
        for (at, step) in flat.iter().enumerate() {
            let operands = step.operands.map(|o| o.and_then(|register| places[register as usize]));
            let goal = goals[step.out as usize].unwrap_or_else(|| {
                let slot = match (keep && (step.out as usize) < code.len(), free.pop()) {
                    (true, _) => step.out,
                    (false, Some(slot)) => slot,
                    (false, None) => {
                        program.slots = program.slots.max(if keep { code.len() } else { 0 }) + 1;
                        program.slots as u32 - 1
                    }
                };
                places[step.out as usize] = Some(Place::slot(slot));
                Goal::Slot(slot)
            });
            program.steps.push(Step {
                double: runner(step.pass, level),
                single: runner(step.pass, level),
                operands: operands.map(|place| place.unwrap_or(Place::NOWHERE)),
                goal,
            });
            // A slot is free after the pass that reads it last, as a pass may not write what it reads.
            for (i, register) in step.operands.iter().enumerate() {
                if let (Some(register), Some(Place { region: Place::SLOTS, offset })) =
                    (register, operands[i])
                    && last[*register as usize] == at
                    && !step.operands[..i].contains(&Some(*register))
                    && !(keep && (*register as usize) < code.len())
                {
                    free.push(offset);
                }
            }
        }
        if keep {
            program.slots = program.slots.max(code.len());
        }
        for (k, &output) in outputs.iter().enumerate() {
            if goals[output as usize].is_none() {
                program.copies.push((places[output as usize].unwrap_or(Place::NOWHERE), k as u32));
            }
        }
        program
    }

    fn constant(&mut self, x: f64) -> Place {
        self.doubles.push([x; LANES]);
        self.singles.push([x as f32; LANES]);
        Place { region: Place::CONSTANTS, offset: self.doubles.len() as u32 - 1 }
    }
}

/// One pass an instruction; powers as products in the order of `kernels::powi`.
fn flatten(code: &[Op], keep: bool) -> (Vec<Flat>, usize) {
    let mut flat = Vec::with_capacity(code.len());
    let mut registers = code.len() as u32;
    for (at, op) in code.iter().enumerate() {
        let out = at as u32;
        let mut push = |pass, a: Option<u32>, b: Option<u32>, out| {
            flat.push(Flat { pass, operands: [a, b, None], out });
        };
        match *op {
            Op::Constant(_) | Op::Imaginary | Op::Input(_) if keep => push(Pass::Copy, Some(out), None, out),
            Op::Constant(_) | Op::Imaginary | Op::Input(_) => {}
            Op::Add(a, b) => push(Pass::Arithmetic(Arithmetic::Add), Some(a), Some(b), out),
            Op::Sub(a, b) => push(Pass::Arithmetic(Arithmetic::Sub), Some(a), Some(b), out),
            Op::Mul(a, b) => push(Pass::Arithmetic(Arithmetic::Mul), Some(a), Some(b), out),
            Op::Div(a, b) => push(Pass::Arithmetic(Arithmetic::Div), Some(a), Some(b), out),
            Op::Power(a, b) => push(Pass::Power, Some(a), Some(b), out),
            Op::Powi(a, n) => {
                let (mut base, mut result, mut left) = (a, None, n);
                loop {
                    let next = left >> 1;
                    if left & 1 == 1 {
                        result = Some(match result {
                            None => base,
                            Some(r) => {
                                let to = if next == 0 { out } else { registers };
                                registers += u32::from(next != 0);
                                push(Pass::Arithmetic(Arithmetic::Mul), Some(r), Some(base), to);
                                to
                            }
                        });
                    }
                    if next == 0 {
                        break;
                    }
                    // The last squaring of a power of two is the result.
                    let to = if next == 1 && result.is_none() { out } else { registers };
                    registers += u32::from(to != out);
                    push(Pass::Arithmetic(Arithmetic::Mul), Some(base), Some(base), to);
                    base = to;
                    left = next;
                }
                if result == Some(a) {
                    push(Pass::Copy, Some(a), None, out);
                }
            }
            _ => flat.push(Flat { pass: Pass::Other(*op), operands: op.operands(), out }),
        }
    }
    (flat, registers as usize)
}

/// Joins arithmetic whose value is used once with the arithmetic that uses it.
fn join(flat: &mut Vec<Flat>, outputs: &[u32], registers: usize) {
    let mut uses = vec![0; registers];
    for register in flat.iter().flat_map(|step| step.operands).flatten().chain(outputs.iter().copied()) {
        uses[register as usize] += 1;
    }
    let mut writer = vec![None; registers];
    let mut gone = vec![false; flat.len()];
    for at in 0..flat.len() {
        let step = flat[at];
        writer[step.out as usize] = Some(at);
        let (Pass::Arithmetic(second), [Some(a), Some(b), None]) = (step.pass, step.operands) else {
            continue;
        };
        let first = |register: u32| {
            let from: usize = writer[register as usize].filter(|_| uses[register as usize] == 1)?;
            match (flat[from].pass, flat[from].operands) {
                (Pass::Arithmetic(x), [p, q, None]) => Some((from, x, p, q)),
                _ => None,
            }
        };
        let (joined, rest, second) = match (first(a), first(b)) {
            (Some(joined), _) => (joined, b, second),
            (None, Some(joined)) => (joined, a, reversed(second)),
            (None, None) => continue,
        };
        let (from, x, p, q) = joined;
        gone[from] = true;
        flat[at] = Flat { pass: Pass::Pair(x, second), operands: [p, q, Some(rest)], out: step.out };
    }
    let mut at = 0;
    flat.retain(|_| {
        at += 1;
        !gone[at - 1]
    });
}

/// Orders passes so that few values wait at a time: operands right before what needs them, those that need most
/// registers first (Sethi & Ullman, J. ACM 17 (1970) 715).
fn schedule(flat: &mut Vec<Flat>, outputs: &[u32], registers: usize) {
    let mut writer = vec![None; registers];
    let mut order: Vec<[Option<usize>; 3]> = Vec::with_capacity(flat.len());
    let mut need: Vec<usize> = Vec::with_capacity(flat.len());
    for (at, step) in flat.iter().enumerate() {
        let mut from = step.operands.map(|o| o.and_then(|register| writer[register as usize]));
        from.sort_by_key(|o: &Option<usize>| std::cmp::Reverse(o.map(|at| need[at])));
        need.push(from.iter().flatten().enumerate().map(|(i, at)| need[*at] + i).max().unwrap_or(0).max(1));
        order.push(from);
        writer[step.out as usize] = Some(at);
    }
    let mut done = vec![false; flat.len()];
    let mut scheduled = Vec::with_capacity(flat.len());
    let mut stack: Vec<(usize, bool)> = Vec::new();
    for output in outputs {
        stack.extend(writer[*output as usize].map(|at| (at, false)));
        while let Some((at, ready)) = stack.pop() {
            if done[at] {
                continue;
            }
            if ready {
                done[at] = true;
                scheduled.push(flat[at]);
            } else {
                stack.push((at, true));
                stack.extend(order[at].iter().rev().flatten().map(|from| (*from, false)));
            }
        }
    }
    *flat = scheduled;
}

fn reversed(operation: Arithmetic) -> Arithmetic {
    match operation {
        Arithmetic::Sub => Arithmetic::SubFrom,
        Arithmetic::Div => Arithmetic::DivInto,
        Arithmetic::SubFrom => Arithmetic::Sub,
        Arithmetic::DivInto => Arithmetic::Div,
        same => same,
    }
}

impl Tape {
    /// The same tape for another level, or the best that the processor has if it lacks it.
    #[must_use]
    pub fn at_level(self, level: Level) -> Tape {
        Tape::assembled(self.code, self.outputs, self.inputs, level)
    }
}
