//! Runs a tape on floats: point by point, or pass by pass over blocks of points that fit the first cache. Both
//! give the same bits, on every processor with fused multiply-adds and with any number of threads; single
//! precision rounds every instruction to single precision.

use super::kernels::{self, Run};
use super::program::{Goal, Place, Program, Step};
use super::{BLOCK, Op, Tape};
use crate::numeric::vector::lanes::{Chunk, LANES, Real, Source, Task, run};
use crate::numeric::vector::{Level, Unit};

/// Bytes that the registers of a block may take: part of a first cache of 32 kB, beside inputs and outputs.
const REGISTER_BYTES: usize = 20 * 1024;

/// Below so many points they are evaluated one by one.
const FEW: usize = 6;

/// The registers of an evaluation, to be used again by the next.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) registers: Vec<f64>,
    double: Buffers<f64>,
    single: Buffers<f32>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Buffers<T> {
    slots: Vec<T>,
    /// For each input the chunk that follows its whole ones, or its only number in every lane.
    tails: Vec<Chunk<T>>,
    /// Columns that do not cover all rows, filled up.
    padded: Vec<Vec<T>>,
}

/// What a program holds for each precision.
pub(super) trait Precision: Real {
    fn buffers(scratch: &mut Scratch) -> &mut Buffers<Self>;
    fn constants(program: &Program) -> &[Chunk<Self>];
    fn runner(step: &Step) -> Run<Self>;
}

impl Precision for f64 {
    fn buffers(scratch: &mut Scratch) -> &mut Buffers<f64> {
        &mut scratch.double
    }
    fn constants(program: &Program) -> &[Chunk<f64>] {
        &program.doubles
    }
    #[inline]
    fn runner(step: &Step) -> Run<f64> {
        step.double
    }
}

impl Precision for f32 {
    fn buffers(scratch: &mut Scratch) -> &mut Buffers<f32> {
        &mut scratch.single
    }
    fn constants(program: &Program) -> &[Chunk<f32>] {
        &program.singles
    }
    #[inline]
    fn runner(step: &Step) -> Run<f32> {
        step.single
    }
}

/// The value of one instruction at a level, its operands read by `r`.
pub(super) fn scalar(level: Level, op: Op, r: impl Fn(u32) -> f64) -> f64 {
    struct One<F>(Op, F);
    impl<F: Fn(u32) -> f64> Task for One<F> {
        type Output = f64;
        #[inline(always)]
        fn run<U: Unit>(self) -> f64 {
            kernels::value::<U>(self.0, &[], self.1)
        }
    }
    run(level, One(op, r))
}

/// How many points the columns hold: the length of those that are no constants.
pub(super) fn rows<T>(columns: &[&[T]]) -> usize {
    columns.iter().map(|c| c.len()).find(|n| *n != 1).unwrap_or(1)
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
        if rows > FEW {
            return self.over_blocks(columns, rows, out, scratch);
        }
        out.iter_mut().for_each(Vec::clear);
        let (mut point, mut values) = (Vec::with_capacity(columns.len()), Vec::new());
        for row in 0..rows {
            point.clear();
            point.extend(columns.iter().map(|c| match c {
                [constant] => *constant,
                _ => c.get(row).copied().unwrap_or(f64::NAN),
            }));
            self.eval_point_with(&point, scratch, &mut values);
            out.iter_mut().zip(&values).for_each(|(list, value)| list.push(*value));
        }
    }

    /// Like [`Tape::eval`] in single precision: every instruction rounds to it, constants too.
    pub fn eval_f32(&self, columns: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut out = vec![Vec::new(); self.outputs.len()];
        self.eval_f32_with(columns, &mut out, &mut Scratch::default());
        out
    }

    /// Like [`Tape::eval_f32`], with lists and registers that are kept.
    pub fn eval_f32_with(&self, columns: &[&[f32]], out: &mut [Vec<f32>], scratch: &mut Scratch) {
        self.over_blocks(columns, rows(columns), out, scratch);
    }

    fn over_blocks<T: Precision>(
        &self,
        columns: &[&[T]],
        rows: usize,
        out: &mut [Vec<T>],
        scratch: &mut Scratch,
    ) {
        let Buffers { slots, tails, padded } = T::buffers(scratch);
        let program = &self.program;
        let whole = rows.div_ceil(LANES);
        for list in out.iter_mut() {
            list.resize(whole * LANES, T::ZERO);
        }
        let most = (REGISTER_BYTES / (size_of::<Chunk<T>>() * program.slots.max(1))).clamp(2, 16);
        let full = rows / LANES;
        let chunks = full.div_ceil(full.div_ceil(most).max(1)).max(1);
        let inputs = Inputs::of(columns, self.inputs.len(), |_| false, rows, tails, padded);
        slots.resize((program.slots * chunks * LANES + 64).max(slots.len()), T::ZERO);
        // Vector registers are read and written faster at multiples of their length.
        let skip = slots.as_ptr().align_offset(64).min(64);
        let (slots, _) = slots[skip..].as_chunks_mut::<LANES>();
        for start in (0..full).step_by(chunks) {
            program.block(&inputs, start, chunks.min(full - start), slots, out);
        }
        if full < whole {
            program.block(&inputs, full, 1, slots, out);
        }
        for list in out.iter_mut() {
            list.truncate(rows);
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
        struct Point<'a>(&'a [Op], &'a [f64], &'a mut [f64]);
        impl Task for Point<'_> {
            type Output = ();
            #[inline(always)]
            fn run<U: Unit>(self) {
                let Point(code, point, registers) = self;
                for (at, op) in code.iter().enumerate() {
                    registers[at] = kernels::value::<U>(*op, point, |k| registers[k as usize]);
                }
            }
        }
        let registers = &mut scratch.registers;
        registers.resize(self.code.len().max(registers.len()), 0.0);
        run(self.level, Point(&self.code, point, registers));
        out.clear();
        out.extend(self.outputs.iter().map(|k| registers[*k as usize]));
    }
}

/// The columns as operands: whole chunks where they lie, the rest in a chunk of its own.
pub(super) struct Inputs<'a, T> {
    columns: &'a [&'a [T]],
    inputs: usize,
    rows: usize,
    tails: &'a [Chunk<T>],
    padded: &'a [Vec<T>],
}

impl<'a, T: Real> Inputs<'a, T> {
    /// Columns of length 1 are constants, unless they are said to be columns; those shorter than `rows` are filled
    /// up, as a missing value is NaN.
    fn of(
        columns: &'a [&'a [T]],
        inputs: usize,
        is_column: impl Fn(usize) -> bool,
        rows: usize,
        tails: &'a mut Vec<Chunk<T>>,
        padded: &'a mut Vec<Vec<T>>,
    ) -> Inputs<'a, T> {
        tails.resize(inputs.max(tails.len()), [T::ZERO; LANES]);
        padded.resize_with(inputs.max(padded.len()), Vec::new);
        for (k, (tail, padded)) in tails.iter_mut().zip(padded.iter_mut()).take(inputs).enumerate() {
            padded.clear();
            let column = match columns.get(k).copied().unwrap_or(&[]) {
                [one] if !is_column(k) => {
                    tail.fill(*one);
                    continue;
                }
                column if column.len() < rows => {
                    padded.extend_from_slice(column);
                    padded.resize(rows, T::NAN);
                    padded.as_slice()
                }
                column => column,
            };
            let rest = rows % LANES;
            if rest != 0 {
                tail[..rest].copy_from_slice(&column[rows - rest..rows]);
                // Numbers that no function finds hard.
                tail[rest..].fill(T::ONE);
            }
        }
        Inputs { columns, inputs, rows, tails, padded }
    }

    /// From a chunk on, which is a whole one or the last.
    #[inline]
    fn source(&self, k: usize, start: usize) -> Source<T> {
        let column = match (self.columns.get(k), self.padded[k].as_slice()) {
            (Some([_]), []) => &[],
            (Some(column), []) => &column[..self.rows],
            (_, padded) => &padded[..self.rows],
        };
        match column.as_chunks().0.get(start..) {
            Some(chunks) if !chunks.is_empty() => Source::chunks(chunks.as_ptr()),
            _ => Source::constant(&self.tails[k]),
        }
    }
}

impl Program {
    /// Runs all passes over `count` chunks from `start` on, which are whole, or one that is the last; slots lie
    /// `count` chunks apart.
    pub(super) fn block<T: Precision>(
        &self,
        inputs: &Inputs<'_, T>,
        start: usize,
        count: usize,
        slots: &mut [Chunk<T>],
        out: &mut [Vec<T>],
    ) {
        assert!(self.slots * count <= slots.len() && (count == 1 || start + count <= inputs.rows / LANES));
        let (slots, constants) = (slots.as_mut_ptr(), T::constants(self));
        // The first of each region and how far its places are apart.
        let region = |r: usize| match r as u32 {
            Place::SLOTS => (Source::chunks(slots), count),
            Place::CONSTANTS => (Source::constant(constants.as_ptr()), 1),
            input => (inputs.source((input - Place::FIRST_INPUT) as usize, start), 0),
        };
        let regions = 2 + inputs.inputs;
        // Most tapes have few inputs.
        let (mut few, mut many);
        let table = if regions <= 16 {
            few = [region(0); 16];
            few.as_mut_slice()
        } else {
            many = vec![region(0); regions];
            many.as_mut_slice()
        };
        table.iter_mut().take(regions).enumerate().for_each(|(r, entry)| *entry = region(r));
        let source = |place: Place| {
            let (first, apart) = table[place.region as usize];
            first.further(place.offset as usize * apart)
        };
        for step in &self.steps {
            let goal = match step.goal {
                // SAFETY: slots have been counted above, the pointer is that of the whole list, and no step
                // writes a slot that it reads.
                Goal::Slot(slot) => unsafe {
                    std::slice::from_raw_parts_mut(slots.add(slot as usize * count), count)
                },
                Goal::Output(output) => {
                    let Some(list) = out.get_mut(output as usize) else { continue };
                    &mut list.as_chunks_mut().0[start..start + count]
                }
            };
            let operands = step.operands.map(source);
            // SAFETY: operands are slots of `count` chunks other than the goal, constants of one chunk, or inputs
            // that have `count` chunks from `start` on (`Inputs` fills shorter ones up; the last chunk has its
            // own, as `count` is 1). The level of the kernels has been cut to the processor's.
            unsafe { pass(T::runner(step), goal, &operands) };
        }
        for &(place, output) in &self.copies {
            let Some(list) = out.get_mut(output as usize) else { continue };
            for (i, chunk) in list.as_chunks_mut().0[start..start + count].iter_mut().enumerate() {
                // SAFETY: as above.
                *chunk = *unsafe { source(place).at(i) };
            }
        }
    }
}

/// # Safety
/// That of the kernel.
#[inline]
unsafe fn pass<T: Real>(runner: Run<T>, out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
    match runner {
        // SAFETY: the caller's.
        Run::Loop(kernel) => unsafe { kernel(out, operands) },
        Run::Each(value, arity) => {
            for (i, chunk) in out.iter_mut().enumerate() {
                for (lane, o) in chunk.iter_mut().enumerate() {
                    let mut at = [0.0; 2];
                    for (at, operand) in at.iter_mut().zip(operands).take(arity) {
                        // SAFETY: the caller's.
                        *at = unsafe { operand.at(i) }[lane].to_double();
                    }
                    *o = T::from_double(value(&at[..arity]));
                }
            }
        }
    }
}

/// The values of all instructions over a block, for derivatives.
pub(super) struct Trace<'a> {
    tape: &'a Tape,
    columns: Vec<&'a [f64]>,
    tails: Vec<Chunk<f64>>,
    padded: Vec<Vec<f64>>,
    slots: Vec<f64>,
}

impl<'a> Trace<'a> {
    pub(super) fn new(tape: &'a Tape, columns: &[&'a [f64]]) -> Trace<'a> {
        let slots = vec![0.0; tape.trace.slots * BLOCK];
        Trace { tape, columns: columns.to_vec(), tails: Vec::new(), padded: Vec::new(), slots }
    }

    /// Values of `length` (at most [`BLOCK`]) points from `start` on: instruction `k` has the [`BLOCK`] numbers
    /// from `k*BLOCK` on, those beyond `length` without meaning.
    pub(super) fn block(&mut self, start: usize, length: usize) -> &[f64] {
        let window: Vec<&[f64]> = self
            .columns
            .iter()
            .map(|c| match c {
                [constant] => std::slice::from_ref(constant),
                _ => c.get(start..(start + length).min(c.len())).unwrap_or(&[]),
            })
            .collect();
        let is_column = |k: usize| self.columns.get(k).is_some_and(|c| c.len() != 1);
        // Columns that end inside the block are filled up to it.
        let inputs =
            Inputs::of(&window, self.tape.inputs.len(), is_column, BLOCK, &mut self.tails, &mut self.padded);
        self.tape.trace.block(&inputs, 0, BLOCK / LANES, self.slots.as_chunks_mut().0, &mut []);
        &self.slots
    }
}
