//! Factors generated from a grammar in the order of their cost, with an index of their directions. Two factors whose
//! ratio is a product of powers have one direction; the cheaper one is kept.
//!
//! The grammar: products of powers d without dimension; functions u(c*d); products d*u(c*d'); roots sqrt(1 +- d); sums
//! d +- d'. Of these terms T are made the factors exp(T), 1 + c*T, u(c*T) and 1 + c*T + c'*T'.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::lattice::primitive;
use super::nodes::{Arena, Constant, MINUS, Node, ONE, Parity, UNARY, allowed};
use super::view::{Point, View, length, product};
use crate::base::hash;
use crate::regression::options::Plan;
use crate::units::Dimension;

/// How much of the grammar is written out.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Products of powers, before powers of them.
    pub products: usize,
    /// Largest sum of their absolute exponents.
    pub longest: usize,
    /// Products that stand inside functions.
    pub arguments: usize,
    /// Products times functions.
    pub mixed: usize,
    /// Roots.
    pub roots: usize,
    /// Sums of products as arguments.
    pub sums: usize,
    /// Terms of which pairs are added.
    pub paired: usize,
    /// Whether constants other than 1 and -1 are tried.
    pub constants: bool,
    /// Most factors.
    pub most: usize,
}

/// A few thousand factors: what most laws hold.
pub const SMALL: Size = Size {
    products: 24,
    longest: 6,
    arguments: 60,
    mixed: 0,
    roots: 8,
    sums: 12,
    paired: 16,
    constants: false,
    most: 3000,
};
/// Some ten thousand.
pub const MEDIUM: Size = Size {
    products: 120,
    longest: 8,
    arguments: 300,
    mixed: 4000,
    roots: 60,
    sums: 150,
    paired: 60,
    constants: true,
    most: 30_000,
};
/// For views with added variables, of which there are many.
pub const ADDED: Size = Size {
    products: 30,
    longest: 6,
    arguments: 60,
    mixed: 1500,
    roots: 12,
    sums: 12,
    paired: 24,
    constants: true,
    most: 6000,
};
/// Some hundred thousand.
pub const LARGE: Size = Size {
    products: 1500,
    longest: 9,
    arguments: 1500,
    mixed: 60_000,
    roots: 400,
    sums: 1500,
    paired: 250,
    constants: true,
    most: 400_000,
};

/// A factor.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// What it is.
    pub node: Node,
    /// Its price.
    pub cost: f64,
}

/// Factors of a view with their directions.
#[derive(Clone, Debug)]
pub struct Library {
    /// Their blocks.
    pub arena: Arena,
    /// Cheapest first.
    pub factors: Vec<Factor>,
    /// Their directions: unit points.
    pub points: Vec<Point>,
    /// The lengths of their coordinates.
    pub sizes: Vec<f64>,
    /// The products of powers among the blocks.
    pub products: Vec<u32>,
    /// The functions of such among the blocks.
    pub functions: Vec<u32>,
    /// The roots among the blocks.
    pub roots: Vec<u32>,
    /// Products times functions among the blocks.
    pub mixed: Vec<u32>,
    /// Row evaluations that it took.
    pub work: u64,
    index: Index,
}

/// Constants that stand before a term where more than 1 and -1 are tried: small integers and halves, as kinetic terms,
/// counting and half angles have them; and turns, in which waves count their phases.
const TURNS: [Constant; 8] = [
    ONE,
    MINUS,
    Constant::Exact(2, 1),
    Constant::Exact(-2, 1),
    Constant::Exact(1, 2),
    Constant::Exact(-1, 2),
    Constant::Free(std::f64::consts::PI),
    Constant::Free(std::f64::consts::TAU),
];

/// Those of them that are exact.
const CONSTANTS: &[Constant] = TURNS.split_at(6).0;

/// What a turn costs beside another constant.
const TURN: f64 = 0.8;

/// Products of powers as terms: themselves, inverse, squares (Pythagoras, energies), cubes and fourth powers (volumes,
/// moments of area, radiation), roots; powers in halves.
const POWERS: [(i8, f64); 10] = [
    (2, 0.0),
    (-2, 0.2),
    (4, 0.25),
    (-4, 0.45),
    (6, 0.7),
    (-6, 0.9),
    (8, 0.8),
    (-8, 1.0),
    (1, 0.8),
    (-1, 0.9),
];

/// The price of a product of powers.
fn product_cost(p: &[i8]) -> f64 {
    let total: f64 = p.iter().map(|x| f64::from(x.abs())).sum();
    0.4 + 0.45 * total + 0.15 * p.iter().filter(|x| **x != 0).count() as f64
}

/// The part of a list that is cheapest, in the order of the cost.
fn cheapest<T>(mut list: Vec<(f64, T)>, most: usize) -> Vec<(f64, T)> {
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list.truncate(most);
    list
}

impl Library {
    /// Writes out the grammar over a view. `off` names the families that stay away.
    pub fn new(view: &View, plan: &Plan, size: Size, off: &dyn Fn(&str) -> bool) -> Library {
        let mut arena = Arena::default();
        let functions = allowed(plan);
        let root = plan.allows("sqrt") || plan.allows("^");
        let sums = plan.allows("+") || plan.allows("-");
        let signs = if size.constants { CONSTANTS } else { &CONSTANTS[..2] };
        let price =
            |c: Constant| if c.value().abs() == 1.0 { if c.value() < 0.0 { 0.1 } else { 0.0 } } else { 0.7 };

        // Products of powers.
        let total = |p: &&Vec<i8>| p.iter().map(|x| x.unsigned_abs() as usize).sum::<usize>() <= size.longest;
        let exponents = view.products.of(Dimension::NONE).iter().filter(|p| primitive(p)).filter(total);
        let features = view.variables.len() - view.added;
        // Groups that no smaller set of the variables makes are the natural ones: their length counts little.
        let support =
            |p: &[i8]| p.iter().enumerate().fold(0u64, |s, (k, x)| s | u64::from(*x != 0) << (k & 63));
        let supports: BTreeSet<u64> = view.products.of(Dimension::NONE).iter().map(|p| support(p)).collect();
        let forbids = view.lattice.iter().any(|d| !d.is_none());
        let natural = |p: &[i8]| {
            let own = support(p);
            forbids && !supports.iter().any(|s| *s != own && s & own == *s)
        };
        // Without added variables the same factors were tried before.
        let priced = |p: &Vec<i8>| {
            let new = p[features..].iter().filter(|x| **x != 0).count();
            let total: f64 = p.iter().map(|x| f64::from(x.abs())).sum();
            let saved = if natural(p) { 0.35 * (total - 3.0).max(0.0) } else { 0.0 };
            let made = if forbids && !natural(p) { 0.8 } else { 0.0 };
            product_cost(p) - saved + made - 0.5 * new as f64
        };
        let list = exponents.map(|p| (priced(p), p.clone())).collect();
        let mut all = Vec::new();
        for (cost, p) in cheapest(list, size.products) {
            for (power, extra) in POWERS {
                if (power % 2 != 0 && !root) || (power < 0 && !plan.allows("/")) {
                    continue;
                }
                let largest = p.iter().map(|x| x.abs()).max().unwrap_or(0);
                if i32::from(largest) * i32::from(power.abs()) <= 16 {
                    all.push((cost + extra, p.iter().map(|x| x * power).collect::<Vec<i8>>()));
                }
            }
        }
        let mut products: Vec<u32> = Vec::new();
        for (cost, halves) in cheapest(all, usize::MAX) {
            products.extend(arena.push_monomial(view, halves, cost));
        }
        let cost = |arena: &Arena, k: u32| arena.blocks[k as usize].cost;

        // Functions of products.
        let mut list = Vec::new();
        for &d in products.iter().take(size.arguments) {
            for &u in &functions {
                let row = &UNARY[u as usize];
                let periodic = ["sin", "cos", "tan"].contains(&row.name);
                let own = match (periodic, size.constants) {
                    (true, true) => &TURNS[..],
                    (true, false) => CONSTANTS,
                    (false, _) => signs,
                };
                for &c in own {
                    if (c.value() < 0.0 && row.parity == Parity::Some) || (row.name == "log" && c != ONE) {
                        continue;
                    }
                    let turn = if matches!(c, Constant::Free(_)) { TURN } else { 0.0 };
                    list.push((cost(&arena, d) + row.cost + price(c) + turn, Node::Apply(u, c, d)));
                }
            }
        }
        let mut of_products = Vec::new();
        for (cost, node) in cheapest(list, usize::MAX) {
            of_products.extend(arena.push(view, node, cost));
        }
        let mut squares: Vec<u32> = Vec::new();
        // Squares of waves, their inverse and inverse squares: intensities, projections.
        if plan.allows("*") && !off("squares") {
            for k in of_products.clone() {
                let Node::Apply(u, ..) = arena.blocks[k as usize].node else { continue };
                if ["sin", "cos"].contains(&UNARY[u as usize].name) {
                    for (halves, extra) in [(4, 0.6), (-2, 0.7), (-4, 1.0)] {
                        squares.extend(arena.push(view, Node::Raise(halves, k), cost(&arena, k) + extra));
                    }
                }
            }
        }
        // Roots.
        let mut roots = Vec::new();
        if root && sums && !off("roots") {
            for &d in products.iter().take(size.roots) {
                for sign in [ONE, MINUS] {
                    let price = cost(&arena, d) + 0.8;
                    let inside = arena.push(view, Node::Affine(ONE, sign, d), price);
                    // Roots; inverse sums and their squares, as resonances have them.
                    for (halves, extra) in [(1, 0.3), (-2, 0.5), (-4, 0.9)] {
                        if halves == 1 || (size.constants && plan.allows("/")) {
                            roots.extend(
                                inside.and_then(|i| arena.push(view, Node::Raise(halves, i), price + extra)),
                            );
                        }
                    }
                }
            }
        }
        // Powers with variable exponents: measured exponents of saturation, failure, flow.
        let mut variable = Vec::new();
        if plan.allows("^") && !off("powers of variables") {
            let exponents: Vec<u32> = products.iter().copied().take(size.roots).collect();
            for &e in &exponents {
                let Node::Monomial(m) = arena.blocks[e as usize].node else { continue };
                if arena.monomials[m as usize].iter().filter(|h| **h != 0).count() > 1 {
                    continue;
                }
                let less = arena.push(view, Node::Affine(MINUS, ONE, e), cost(&arena, e) + 0.6);
                for b in exponents.clone().into_iter().filter(|b| *b != e) {
                    let base = cost(&arena, b);
                    variable.extend(arena.push(view, Node::Power(b, e), base + cost(&arena, e) + 0.5));
                    if let Some(less) = less {
                        variable.extend(arena.push(
                            view,
                            Node::Power(b, less),
                            base + cost(&arena, less) + 0.5,
                        ));
                    }
                }
            }
        }
        // Sums of products.
        let mut list = Vec::new();
        if sums && !off("sums") {
            let few = (2.0 * (size.sums as f64).sqrt()) as usize + 2;
            for (i, &a) in products.iter().take(few).enumerate() {
                for &b in products.iter().take(few).skip(i + 1) {
                    for sign in [ONE, MINUS] {
                        list.push((cost(&arena, a) + cost(&arena, b) + 0.5, Node::Add(ONE, a, sign, b)));
                    }
                }
            }
        }
        let mut added = Vec::new();
        for (cost, node) in cheapest(list, size.sums) {
            added.extend(arena.push(view, node, cost));
        }
        // Functions of sums.
        let mut of_sums = Vec::new();
        for &a in &added {
            for &u in &functions {
                let row = &UNARY[u as usize];
                of_sums.extend(arena.push(view, Node::Apply(u, ONE, a), cost(&arena, a) + row.cost));
            }
        }
        // Products times functions and roots.
        let mut list = Vec::new();
        if size.mixed > 0 && !off("mixed") {
            let wide = (size.mixed as f64).sqrt() as usize * 2;
            for &d in products.iter().take(wide) {
                for &u in of_products
                    .iter()
                    .take(3 * wide)
                    .chain(of_sums.iter().chain(&squares).chain(&roots).chain(&variable).take(2 * wide))
                {
                    list.push((cost(&arena, d) + cost(&arena, u) + 0.2, Node::Times(d, u)));
                }
            }
        }
        let mut mixed = Vec::new();
        for (cost, node) in cheapest(list, size.mixed) {
            mixed.extend(arena.push(view, node, cost));
        }

        // Factors.
        let mut factors: Vec<(f64, Node)> = Vec::new();
        let terms: Vec<u32> = products
            .iter()
            .chain(&of_products)
            .chain(&of_sums)
            .chain(&squares)
            .chain(&roots)
            .chain(&variable)
            .chain(&mixed)
            .copied()
            .collect();
        let at = |t: u32| arena.blocks[t as usize].cost;
        if plan.allows("exp") && !off("exponential") {
            // exp(log(u)) is u.
            let log = |t: u32| match arena.blocks[t as usize].node {
                Node::Apply(u, ..) => UNARY[u as usize].name.starts_with("log"),
                _ => false,
            };
            let own = terms.iter().filter(|t| !log(**t));
            factors.extend(own.map(|&t| (at(t) + 0.5, Node::Exponential(t))));
        }
        if !off("function") {
            factors.extend(of_products.iter().map(|&t| (at(t), arena.blocks[t as usize].node)));
            factors.extend(of_sums.iter().map(|&t| (at(t), arena.blocks[t as usize].node)));
            for &a in roots.iter().chain(mixed.iter().take(size.mixed / 10)) {
                let own = functions.iter().map(|&u| (at(a) + UNARY[u as usize].cost, Node::Apply(u, ONE, a)));
                factors.extend(own);
            }
        }
        if sums && !off("affine") {
            for &t in &terms {
                factors.extend(signs.iter().map(|&c| (at(t) + 0.6 + price(c), Node::Affine(ONE, c, t))));
            }
        }
        if sums && !off("both") {
            let near = cheapest(terms.iter().map(|&t| (at(t), t)).collect(), size.paired);
            for (i, &(x, a)) in near.iter().enumerate() {
                for &(y, b) in &near[i + 1..] {
                    for &c in signs {
                        for &d in signs {
                            // At most one constant that is not 1 or -1, and none in the longest lists.
                            let plain = [c, d].iter().filter(|c| c.value().abs() == 1.0).count();
                            if plain + usize::from(size.paired <= 60) < 2 {
                                continue;
                            }
                            let node = Node::Both(c, a, d, b);
                            factors.push((x + y + 0.9 + price(c) + price(d), node));
                        }
                    }
                }
            }
        }
        let factors = cheapest(factors, size.most);
        let work = ((arena.blocks.len() + factors.len()) * super::view::K) as u64;
        let points: Vec<Option<(Point, f64)>> = factors
            .par_iter()
            .with_min_len(256)
            .map(|(_, node)| {
                let point = view.point(&arena.logs(view, *node))?;
                let size = length(&point);
                (size > 1e-7).then(|| (point.map(|x| x / size), size))
            })
            .collect();
        let mut library = Library {
            arena,
            factors: Vec::new(),
            points: Vec::new(),
            sizes: Vec::new(),
            products,
            functions: of_products,
            roots,
            mixed,
            work,
            index: Index::new(factors.len(), view.width()),
        };
        for ((cost, node), point) in factors.into_iter().zip(points) {
            let Some((point, size)) = point else { continue };
            if library.near(&point, 1e-9).is_empty() {
                library.index.insert(&point, library.points.len() as u32);
                library.points.push(point);
                library.sizes.push(size);
                library.factors.push(Factor { node, cost });
            }
        }
        library
    }

    /// No factors.
    pub fn empty(view: &View) -> Library {
        Library {
            arena: Arena::default(),
            factors: Vec::new(),
            points: Vec::new(),
            sizes: Vec::new(),
            products: Vec::new(),
            functions: Vec::new(),
            roots: Vec::new(),
            mixed: Vec::new(),
            work: 0,
            index: Index::new(0, view.width()),
        }
    }

    /// An arena that holds the blocks of another library and a node of this one.
    pub fn joined(&self, node: Node, other: &Library) -> (Arena, Node) {
        let mut arena = other.arena.clone();
        let blocks = arena.blocks.len() as u32;
        let monomials = arena.monomials.len() as u32;
        let moved = |n: Node| match n {
            Node::Monomial(m) => Node::Monomial(m + monomials),
            Node::Times(a, b) => Node::Times(a + blocks, b + blocks),
            Node::Affine(x, c, a) => Node::Affine(x, c, a + blocks),
            Node::Add(c, a, d, b) => Node::Add(c, a + blocks, d, b + blocks),
            Node::Both(c, a, d, b) => Node::Both(c, a + blocks, d, b + blocks),
            Node::Apply(u, c, a) => Node::Apply(u, c, a + blocks),
            Node::Raise(h, a) => Node::Raise(h, a + blocks),
            Node::Exponential(a) => Node::Exponential(a + blocks),
            Node::Power(a, b) => Node::Power(a + blocks, b + blocks),
        };
        arena.monomials.extend(self.arena.monomials.iter().cloned());
        arena.blocks.extend(
            self.arena.blocks.iter().map(|b| super::nodes::Block { node: moved(b.node), ..b.clone() }),
        );
        (arena, moved(node))
    }

    /// The factors whose direction is within a distance of a unit point or of its opposite, cheapest first.
    pub fn near(&self, point: &Point, distance: f64) -> Vec<u32> {
        let mut found = Vec::new();
        self.index.visit(point, distance, &mut |k| {
            let other = &self.points[k as usize];
            let sign = product(point, other).signum();
            let apart: f64 = point.iter().zip(other).map(|(a, b)| (a - sign * b).powi(2)).sum();
            if apart <= distance * distance {
                found.push(k);
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Coordinates that a key is made of.
const KEYED: usize = 6;
/// Width of a cell. Lookups reach up to half of it.
const CELL: f64 = 0.01;
/// The furthest lookup.
pub const FURTHEST: f64 = CELL / 2.0;

/// A hash table of directions: open addressing, several entries a key.
#[derive(Clone, Debug)]
struct Index {
    slots: Vec<(u64, u32)>,
    mask: usize,
    keyed: usize,
}

impl Index {
    fn new(entries: usize, width: usize) -> Index {
        let size = (2 * entries.max(8)).next_power_of_two();
        Index { slots: vec![(0, u32::MAX); size], mask: size - 1, keyed: KEYED.min(width) }
    }

    /// A direction and its opposite get one sign; how far it is from being undecided.
    fn sign(point: &Point) -> (f64, f64) {
        let along: f64 = point.iter().enumerate().map(|(i, x)| x / (1.0 + 0.37 * i as f64)).sum();
        (if along < 0.0 { -1.0 } else { 1.0 }, along.abs())
    }

    fn key(cells: &[i32]) -> u64 {
        // 0 marks no slot, since empty ones are told by their entry.
        cells.iter().fold(1, |h, c| hash::combine(h, *c as u64))
    }

    fn insert(&mut self, point: &Point, entry: u32) {
        let (sign, _) = Index::sign(point);
        let mut cells = [0i32; KEYED];
        for (c, x) in cells.iter_mut().zip(point).take(self.keyed) {
            *c = (sign * x / CELL).floor() as i32;
        }
        let key = Index::key(&cells[..self.keyed]);
        let mut at = key as usize & self.mask;
        while self.slots[at].1 != u32::MAX {
            at = (at + 1) & self.mask;
        }
        self.slots[at] = (key, entry);
    }

    fn visit(&self, point: &Point, distance: f64, f: &mut impl FnMut(u32)) {
        let (sign, margin) = Index::sign(point);
        self.cells(point, sign, distance, f);
        if margin < 4.0 * distance {
            self.cells(point, -sign, distance, f);
        }
    }

    fn cells(&self, point: &Point, sign: f64, distance: f64, f: &mut impl FnMut(u32)) {
        // Each coordinate lies in one cell, or near the border of a second.
        let mut choices = [(0i32, 0i32); KEYED];
        for (choice, x) in choices.iter_mut().zip(point).take(self.keyed) {
            let place = sign * x / CELL;
            let cell = place.floor();
            let within = (place - cell) * CELL;
            let other = if within < distance {
                -1
            } else if CELL - within < distance {
                1
            } else {
                0
            };
            *choice = (cell as i32, other);
        }
        let mut cells = [0i32; KEYED];
        for mask in 0u32..1 << self.keyed {
            let mut wanted = true;
            for k in 0..self.keyed {
                let (cell, other) = choices[k];
                let second = mask >> k & 1 == 1;
                wanted &= !second || other != 0;
                cells[k] = if second { cell + other } else { cell };
            }
            if wanted {
                self.look(Index::key(&cells[..self.keyed]), f);
            }
        }
    }

    fn look(&self, key: u64, f: &mut impl FnMut(u32)) {
        let mut at = key as usize & self.mask;
        while self.slots[at].1 != u32::MAX {
            if self.slots[at].0 == key {
                f(self.slots[at].1);
            }
            at = (at + 1) & self.mask;
        }
    }
}
