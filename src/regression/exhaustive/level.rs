//! One size after the other: all operations on smaller functions whose sizes add up, blocks of pairs in parallel, what is
//! new noted in the order of the blocks. Numbers are combined among themselves up to size 3 only; an exponent is a
//! rational number or a single column.

use std::ops::Range;

use rayon::prelude::*;

use super::grammar::Op;
use super::key::{self, Image, ROWS, Values};
use super::table::{Group, New, Table};
use crate::base::{CancelToken, Number};
use crate::units::Dimension;

/// Pairs of a block.
const BLOCK: u32 = 1 << 12;
/// Blocks between two looks at the cancel token.
const BLOCKS: usize = 128;
/// Largest size of an expression of numbers alone.
const NUMBERS: usize = 3;
/// A sum or difference smaller than its terms by this is rounding.
const CANCELLED: f64 = 1e-6;

/// Operations of a block.
enum Block {
    Leaves,
    Unary {
        op: Op,
        dimension: u16,
        a: Range<u32>,
    },
    /// `b` from behind `a` on where both are of one group; operations with their operands' order and dimension.
    Pairs {
        a: Range<u32>,
        b: Range<u32>,
        same: bool,
        ops: Vec<(Op, bool, u16)>,
    },
}

/// The blocks of a size.
pub struct Level {
    blocks: Vec<Block>,
    /// Functions that will be computed.
    pub candidates: u64,
}

/// How a level ended.
pub enum Outcome {
    /// It is in the table.
    Complete,
    /// It would not fit.
    Full,
    /// Somebody asked to stop.
    Stopped,
}

impl Level {
    /// The blocks of the next size of a table.
    pub fn next(table: &mut Table) -> Level {
        let size = table.level() + 1;
        let mut level = Level { blocks: Vec::new(), candidates: 0 };
        if size == 1 {
            level.candidates = table.grammar.leaves.len() as u64;
            level.blocks.push(Block::Leaves);
            return level;
        }
        for (op, own) in table.grammar.unary.clone() {
            if size <= own {
                continue;
            }
            for group in table.groups(size - own).to_vec() {
                let numbers = matches!(op, Op::Root(_) | Op::Square) && size <= NUMBERS;
                if group.constant && !numbers {
                    continue;
                }
                let d = table.dimensions.get(group.dimension);
                let Some(dimension) = op.dimension(d, d).and_then(|d| table.dimensions.number(d)) else {
                    continue;
                };
                level.candidates += u64::from(group.range.end - group.range.start);
                for a in split(&group.range, BLOCK) {
                    level.blocks.push(Block::Unary { op, dimension, a });
                }
            }
        }
        for first in 1..=size.saturating_sub(2) {
            let second = size - 1 - first;
            for a in table.groups(first).to_vec() {
                for b in table.groups(second).to_vec() {
                    if a.constant && b.constant && size > NUMBERS {
                        continue;
                    }
                    if table.grammar.power {
                        level.powers(table, &a, &b, second);
                    }
                    // Of the two orders of a pair of groups, one.
                    if (second, b.range.start) >= (first, a.range.start) {
                        level.arithmetic(table, &a, &b);
                    }
                }
            }
        }
        level
    }

    fn arithmetic(&mut self, table: &mut Table, a: &Group, b: &Group) {
        let g = &table.grammar;
        let allowed = [
            (Op::Add, false, g.add),
            (Op::Subtract, false, g.subtract),
            (Op::Multiply, false, g.multiply),
            (Op::Divide, false, g.divide),
            (Op::Divide, true, g.divide),
        ];
        let (x, y) = (table.dimensions.get(a.dimension), table.dimensions.get(b.dimension));
        let mut ops = Vec::new();
        for (op, turned, _) in allowed.into_iter().filter(|o| o.2) {
            let d = if turned { op.dimension(y, x) } else { op.dimension(x, y) };
            if let Some(number) = d.and_then(|d| table.dimensions.number(d)) {
                ops.push((op, turned, number));
            }
        }
        self.pairs(&a.range, &b.range, a.range == b.range, &ops);
    }

    /// Powers with exponents from `b`, of the given size.
    fn powers(&mut self, table: &mut Table, a: &Group, b: &Group, size: usize) {
        let (base, exponent) = (table.dimensions.get(a.dimension), table.dimensions.get(b.dimension));
        if !exponent.is_none() {
            return;
        }
        if b.constant {
            for id in b.range.clone() {
                let expr = table.expr(id);
                let Some(n) = expr.as_number() else { continue };
                if n.is_one() || *n == Number::TWO || *n == Number::HALF || a.constant && size > 1 {
                    continue;
                }
                let Some(d) = base.pow(n).and_then(|d| table.dimensions.number(d)) else { continue };
                let mut ops = vec![(Op::Power(false, false), false, d)];
                if !n.is_integer() {
                    ops.push((Op::Power(true, false), false, d));
                }
                self.pairs(&a.range, &(id..id + 1), false, &ops);
            }
        } else if size == 1 && base.is_none() {
            let Some(d) = table.dimensions.number(Dimension::NONE) else { return };
            let signs = [(false, false), (false, true), (true, false), (true, true)];
            let ops: Vec<_> = signs
                .into_iter()
                .filter(|(negated, _)| !(a.constant && *negated))
                .map(|(negated, turned)| (Op::Power(negated, turned), false, d))
                .collect();
            self.pairs(&a.range, &b.range, false, &ops);
        }
    }

    fn pairs(&mut self, a: &Range<u32>, b: &Range<u32>, same: bool, ops: &[(Op, bool, u16)]) {
        if ops.is_empty() {
            return;
        }
        let (n, m) = (u64::from(a.end - a.start), u64::from(b.end - b.start));
        self.candidates += ops.len() as u64 * if same { n * (n - 1) / 2 } else { n * m };
        for b in split(b, BLOCK) {
            for a in split(a, (BLOCK / (b.end - b.start)).max(1)) {
                if !same || a.start + 1 < b.end {
                    self.blocks.push(Block::Pairs { a, b: b.clone(), same, ops: ops.to_vec() });
                }
            }
        }
    }

    /// Adds the level to its table, which holds at most `capacity` functions.
    pub fn run(self, table: &mut Table, capacity: usize, cancel: &CancelToken) -> Outcome {
        let numbers = table.level() < NUMBERS;
        let mut new: Vec<New> = Vec::new();
        // The leaves' dimensions get their numbers here, where the table can be changed.
        let leaves: Vec<Option<u16>> = (0..table.grammar.leaves.len())
            .map(|k| table.dimensions.number(table.grammar.leaves[k].dimension))
            .collect();
        for blocks in self.blocks.chunks(BLOCKS) {
            if cancel.stop().is_some() {
                table.forget(&new);
                return Outcome::Stopped;
            }
            let shared = &*table;
            let found: Vec<Vec<New>> = blocks.par_iter().map(|b| b.run(shared, &leaves)).collect();
            for n in found.into_iter().flatten() {
                if (numbers || n.class != key::CONSTANT) && table.note(n.function) {
                    new.push(n);
                }
            }
            if table.len() + new.len() > capacity {
                table.forget(&new);
                return Outcome::Full;
            }
        }
        table.complete(new);
        Outcome::Complete
    }
}

/// A range in pieces.
fn split(range: &Range<u32>, most: u32) -> impl Iterator<Item = Range<u32>> + use<> {
    let end = range.end;
    range.clone().step_by(most as usize).map(move |at| at..(at + most).min(end))
}

impl Block {
    /// What it brings that is not in the table.
    fn run(&self, table: &Table, leaves: &[Option<u16>]) -> Vec<New> {
        let mut new = Vec::new();
        let mut values: Values = [0.0; ROWS];
        let mut push = |op, a, b, dimension, image: &Image| {
            let Some(function) = key::function(image).filter(|f| !table.knows(*f)) else { return };
            if let Some(class) = table.projection.class(image) {
                new.push(New { op, a, b, dimension, function, class });
            }
        };
        match self {
            Block::Leaves => {
                for (k, dimension) in leaves.iter().enumerate() {
                    let Some(dimension) = dimension else { continue };
                    let image = table.projection.image(&table.grammar.leaves[k].values);
                    push(Op::Leaf, k as u32, k as u32, *dimension, &image);
                }
            }
            Block::Unary { op, dimension, a } => {
                for a in a.clone() {
                    table.compute(*op, a, a, &mut values);
                    push(*op, a, a, *dimension, &table.projection.image(&values));
                }
            }
            Block::Pairs { a, b, same, ops } => {
                let (mut first, mut second) = ([0.0; ROWS], [0.0; ROWS]);
                for a in a.clone() {
                    let x = table.values(a, &mut first);
                    let x_image = table.projection.image(x);
                    for b in b.clone().skip_while(|b| *same && *b <= a) {
                        let y = table.values(b, &mut second);
                        let kept = table.image(b).copied();
                        for (op, turned, dimension) in ops {
                            let image = match op {
                                Op::Add | Op::Subtract => {
                                    let y_image = kept.unwrap_or_else(|| table.projection.image(y));
                                    let sign = if *op == Op::Add { 1.0 } else { -1.0 };
                                    let sum: Image = std::array::from_fn(|j| x_image[j] + sign * y_image[j]);
                                    if key::extent(&sum) < CANCELLED * key::extent(&x_image) {
                                        continue;
                                    }
                                    sum
                                }
                                _ => {
                                    let (u, v) = if *turned { (y, x) } else { (x, y) };
                                    op.apply(table.projection.level, u, v, &mut values);
                                    table.projection.image(&values)
                                }
                            };
                            let (a, b) = if *turned { (b, a) } else { (a, b) };
                            push(*op, a, b, *dimension, &image);
                        }
                    }
                }
            }
        }
        new
    }
}
