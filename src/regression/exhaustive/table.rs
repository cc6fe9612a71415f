//! All functions up to a size, each once: an entry holds its operation, its operands and its dimension in 12 bytes; a
//! set of function keys (8 bytes, open addressing, at most 7/10 full) tells whether a function is new, a map from class
//! keys to the smallest member (12 bytes) answers look-ups. Values are kept for the first entries and computed again for
//! the others. Entries of a size stand together, in it those of a dimension.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use super::grammar::{Grammar, Op};
use super::key::{self, Image, Projection, Values};
use crate::expression::Expr;
use crate::units::Dimension;

/// Entries whose values are kept (320 bytes each).
const KEPT: usize = 1 << 18;

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// First operand, or the number of the leaf.
    pub a: u32,
    /// Second operand; the first again where there is none.
    pub b: u32,
    /// Its dimension, by number.
    pub dimension: u16,
    /// Its operation, by number.
    op: u8,
    /// Whether it is a number.
    pub constant: bool,
}

/// A new function, before it has its place.
#[derive(Clone, Copy, Debug)]
pub struct New {
    /// Its operation.
    pub op: Op,
    /// Its operands.
    pub a: u32,
    /// The second.
    pub b: u32,
    /// Its dimension, by number.
    pub dimension: u16,
    /// Its key.
    pub function: u64,
    /// Its class.
    pub class: u64,
}

/// Entries of one size and one dimension, numbers apart.
#[derive(Clone, Debug)]
pub struct Group {
    /// The dimension, by number.
    pub dimension: u16,
    /// Whether they are numbers.
    pub constant: bool,
    /// The entries.
    pub range: Range<u32>,
}

/// Dimensions by number.
#[derive(Clone, Debug, Default)]
pub struct Dimensions {
    all: Vec<Dimension>,
    numbers: HashMap<Dimension, u16>,
}

impl Dimensions {
    /// The number of a dimension; `None` where there are too many.
    pub fn number(&mut self, d: Dimension) -> Option<u16> {
        if let Some(n) = self.numbers.get(&d) {
            return Some(*n);
        }
        let n = u16::try_from(self.all.len()).ok()?;
        self.all.push(d);
        self.numbers.insert(d, n);
        Some(n)
    }

    /// The dimension with a number.
    pub fn get(&self, number: u16) -> Dimension {
        self.all[usize::from(number)]
    }
}

/// The functions.
pub struct Table {
    /// What they are made of.
    pub grammar: Grammar,
    /// How they are told apart.
    pub projection: Projection,
    /// Their dimensions.
    pub dimensions: Dimensions,
    /// Operations by number.
    ops: Vec<Op>,
    entries: Vec<Entry>,
    /// Groups of each size, the first of size 1.
    levels: Vec<Vec<Group>>,
    /// Where each size begins, and the end.
    starts: Vec<u32>,
    values: Vec<Values>,
    images: Vec<Image>,
    functions: Set,
    classes: Map,
}

impl Table {
    /// A table without entries.
    pub fn new(grammar: Grammar, projection: Projection) -> Table {
        let mut ops = vec![Op::Leaf, Op::Add, Op::Subtract, Op::Multiply, Op::Divide];
        ops.extend(
            [(false, false), (false, true), (true, false), (true, true)].map(|(a, b)| Op::Power(a, b)),
        );
        ops.extend(grammar.unary.iter().map(|(op, _)| *op));
        Table {
            grammar,
            projection,
            dimensions: Dimensions::default(),
            ops,
            entries: Vec::new(),
            levels: Vec::new(),
            starts: vec![0],
            values: Vec::new(),
            images: Vec::new(),
            functions: Set::default(),
            classes: Map::default(),
        }
    }

    /// Number of functions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The largest size that is complete.
    pub fn level(&self) -> usize {
        self.levels.len()
    }

    /// The groups of a size.
    pub fn groups(&self, size: usize) -> &[Group] {
        &self.levels[size - 1]
    }

    /// The entries of a size.
    pub fn of_size(&self, size: usize) -> Range<u32> {
        self.starts[size - 1]..self.starts[size]
    }

    /// The size of an entry.
    pub fn size(&self, id: u32) -> usize {
        self.starts.partition_point(|s| *s <= id)
    }

    /// An entry.
    pub fn entry(&self, id: u32) -> Entry {
        self.entries[id as usize]
    }

    /// The operation of an entry.
    pub fn op(&self, id: u32) -> Op {
        self.ops[usize::from(self.entries[id as usize].op)]
    }

    /// The dimension of an entry.
    pub fn dimension(&self, id: u32) -> Dimension {
        self.dimensions.get(self.entry(id).dimension)
    }

    /// The values of an entry, in `buffer` where they are not kept.
    #[inline]
    pub fn values<'a>(&'a self, id: u32, buffer: &'a mut Values) -> &'a Values {
        if let Some(kept) = self.values.get(id as usize) {
            return kept;
        }
        self.compute(self.op(id), self.entry(id).a, self.entry(id).b, buffer);
        buffer
    }

    /// The image of an entry, where it is kept.
    #[inline]
    pub fn image(&self, id: u32) -> Option<&Image> {
        self.images.get(id as usize)
    }

    /// Fills `out` with the values of an operation on entries.
    pub fn compute(&self, op: Op, a: u32, b: u32, out: &mut Values) {
        if op == Op::Leaf {
            *out = *self.grammar.leaves[a as usize].values;
            return;
        }
        let (mut first, mut second) = ([0.0; key::ROWS], [0.0; key::ROWS]);
        let x = self.values(a, &mut first);
        let y = if op.is_binary() { self.values(b, &mut second) } else { x };
        op.apply(self.projection.level, x, y, out);
    }

    /// The expression of an entry.
    pub fn expr(&self, id: u32) -> Expr {
        let entry = self.entry(id);
        match self.op(id) {
            Op::Leaf => self.grammar.leaves[entry.a as usize].expr.clone(),
            op if op.is_binary() => op.expr(self.expr(entry.a), self.expr(entry.b)),
            op => op.expr(self.expr(entry.a), Expr::one()),
        }
    }

    /// Whether a function is in the table, or noted for the level that is under way.
    #[inline]
    pub fn knows(&self, function: u64) -> bool {
        self.functions.contains(function)
    }

    /// Notes a function; whether it is new.
    pub fn note(&mut self, function: u64) -> bool {
        self.functions.insert(function)
    }

    /// The smallest member of a class.
    #[inline]
    pub fn member(&self, class: u64) -> Option<u32> {
        self.classes.get(class)
    }

    /// Completes a level by its functions, which were noted before.
    pub fn complete(&mut self, mut new: Vec<New>) {
        new.sort_by_key(|n| (n.dimension, n.class == key::CONSTANT));
        let first = self.entries.len();
        self.classes.reserve(new.len());
        let mut groups: Vec<Group> = Vec::new();
        for n in &new {
            let id = self.entries.len() as u32;
            let constant = n.class == key::CONSTANT;
            let op = self.ops.iter().position(|o| *o == n.op).unwrap_or(0) as u8;
            self.entries.push(Entry { a: n.a, b: n.b, dimension: n.dimension, op, constant });
            self.classes.insert(n.class, id);
            match groups.last_mut() {
                Some(g) if g.dimension == n.dimension && g.constant == constant => g.range.end = id + 1,
                _ => groups.push(Group { dimension: n.dimension, constant, range: id..id + 1 }),
            }
        }
        let end = self.entries.len();
        let kept: Vec<(Values, Image)> = (first..end.min(KEPT).max(first))
            .into_par_iter()
            .map(|id| {
                let entry = self.entries[id];
                let mut values = [0.0; key::ROWS];
                self.compute(self.op(id as u32), entry.a, entry.b, &mut values);
                (values, self.projection.image(&values))
            })
            .collect();
        for (values, image) in kept {
            self.values.push(values);
            self.images.push(image);
        }
        self.levels.push(groups);
        self.starts.push(end as u32);
    }

    /// Forgets functions that were noted for a level that is not completed.
    pub fn forget(&mut self, new: &[New]) {
        new.iter().for_each(|n| self.functions.remove_last(n.function));
    }
}

/// A set of keys other than 0.
#[derive(Default)]
struct Set {
    slots: Vec<u64>,
    len: usize,
}

/// First number of places.
const PLACES: usize = 1 << 12;

fn is_full(len: usize, places: usize) -> bool {
    len * 10 >= places * 7
}

impl Set {
    #[inline]
    fn contains(&self, key: u64) -> bool {
        let Some(mask) = self.slots.len().checked_sub(1) else { return false };
        let mut at = key as usize >> 2 & mask;
        loop {
            match self.slots[at] {
                0 => return false,
                k if k == key => return true,
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn insert(&mut self, key: u64) -> bool {
        if is_full(self.len, self.slots.len()) {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![0; (2 * old.len()).max(PLACES)];
            old.into_iter().filter(|k| *k != 0).for_each(|k| {
                self.place(k);
            });
        }
        let new = self.place(key);
        self.len += usize::from(new);
        new
    }

    fn place(&mut self, key: u64) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = key as usize >> 2 & mask;
        loop {
            match self.slots[at] {
                0 => {
                    self.slots[at] = key;
                    return true;
                }
                k if k == key => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Takes a key out: those behind it move up where the gap would hide them.
    fn remove_last(&mut self, key: u64) {
        let Some(mask) = self.slots.len().checked_sub(1) else { return };
        let mut at = key as usize >> 2 & mask;
        while self.slots[at] != key {
            if self.slots[at] == 0 {
                return;
            }
            at = (at + 1) & mask;
        }
        self.len -= 1;
        self.slots[at] = 0;
        let mut next = (at + 1) & mask;
        while self.slots[next] != 0 {
            let moved = std::mem::take(&mut self.slots[next]);
            self.place(moved);
            next = (next + 1) & mask;
        }
    }
}

/// A map from keys other than 0 to numbers.
#[derive(Default)]
struct Map {
    keys: Vec<u64>,
    numbers: Vec<u32>,
    len: usize,
}

impl Map {
    #[inline]
    fn get(&self, key: u64) -> Option<u32> {
        let mask = self.keys.len().checked_sub(1)?;
        let mut at = key as usize >> 2 & mask;
        loop {
            match self.keys[at] {
                0 => return None,
                k if k == key => return Some(self.numbers[at]),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn reserve(&mut self, more: usize) {
        let mut places = self.keys.len().max(PLACES);
        while is_full(self.len + more, places) {
            places *= 2;
        }
        if places > self.keys.len() {
            let (keys, numbers) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.numbers));
            self.keys = vec![0; places];
            self.numbers = vec![0; places];
            self.len = 0;
            for (key, number) in keys.into_iter().zip(numbers).filter(|(k, _)| *k != 0) {
                self.insert(key, number);
            }
        }
    }

    /// Keeps the first number of a key. There must be room.
    fn insert(&mut self, key: u64, number: u32) {
        let mask = self.keys.len() - 1;
        let mut at = key as usize >> 2 & mask;
        loop {
            match self.keys[at] {
                0 => {
                    (self.keys[at], self.numbers[at]) = (key, number);
                    self.len += 1;
                    return;
                }
                k if k == key => return,
                _ => at = (at + 1) & mask,
            }
        }
    }
}
