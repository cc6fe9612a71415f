//! The one expression type. An [`Expr`] is immutable and shared; every node caches a hash, the hash of
//! its term without numeric coefficient (so that like terms meet when sorted), its size and depth. All
//! construction goes through `canonical.rs`: two expressions that the canonical form makes equal have equal
//! hashes and compare equal.

use std::fmt;
use std::sync::Arc;

use super::function::Function;
use super::symbol::{Constant, Symbol};
use super::uncertain::Uncertain;
use crate::base::{Number, hash};
use crate::units::Unit;

/// An expression in canonical form.
#[derive(Clone)]
pub struct Expr(pub(super) Arc<Node>);

pub(super) struct Node {
    pub(super) hash: u64,
    /// Hash of the term without its numeric coefficient.
    pub(super) key: u64,
    pub(super) size: u32,
    pub(super) depth: u32,
    pub(super) flags: Flags,
    pub(super) kind: Kind,
}

/// What occurs somewhere in an expression, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    /// A float.
    pub const FLOAT: Flags = Flags(1);
    /// A symbol or an undefined function.
    pub const SYMBOL: Flags = Flags(2);
    /// An uncertain number.
    pub const UNCERTAIN: Flags = Flags(4);
    /// A unit.
    pub const UNIT: Flags = Flags(8);
    /// Something without a value: a division by exact zero, NaN.
    pub const UNDEFINED: Flags = Flags(16);
    /// The imaginary unit.
    pub const IMAGINARY: Flags = Flags(32);
    /// An undefined function or a derivative of one.
    pub const APPLY: Flags = Flags(64);
    /// A piecewise expression, relation or connective.
    pub const LOGIC: Flags = Flags(128);
    /// Infinity.
    pub const INFINITE: Flags = Flags(256);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// Comparisons as expressions. `a > b` stays as written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Relation {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Relation {
    /// Its sign in phys.
    pub fn sign(self) -> &'static str {
        match self {
            Relation::Eq => "==",
            Relation::Ne => "!=",
            Relation::Lt => "<",
            Relation::Le => "<=",
            Relation::Gt => ">",
            Relation::Ge => ">=",
        }
    }

    /// The relation that holds exactly where this does not (for real numbers).
    pub fn negated(self) -> Relation {
        match self {
            Relation::Eq => Relation::Ne,
            Relation::Ne => Relation::Eq,
            Relation::Lt => Relation::Ge,
            Relation::Le => Relation::Gt,
            Relation::Gt => Relation::Le,
            Relation::Ge => Relation::Lt,
        }
    }

    /// Whether it holds for these floats.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Relation::Eq => a == b,
            Relation::Ne => a != b,
            Relation::Lt => a < b,
            Relation::Le => a <= b,
            Relation::Gt => a > b,
            Relation::Ge => a >= b,
        }
    }
}

/// A derivative of an undefined function: one order for each argument slot, and the arguments, so
/// that `diff(u, x)` at `x = 0` is an ordinary expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Derivative {
    /// The function's name.
    pub function: Symbol,
    /// How often by each argument; as many as arguments, not all 0.
    pub orders: Box<[u32]>,
    /// Where it is taken.
    pub args: Box<[Expr]>,
}

/// The kinds of expressions. Sums and products keep the invariants stated at [`Expr::sum`] and
/// [`Expr::product`].
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// An exact rational number.
    Number(Number),
    /// A float.
    Float(f64),
    /// A measured number.
    Uncertain(Uncertain),
    /// A unit, worth its factor to SI; a quantity is a product of a number and a unit.
    Unit(Unit),
    /// `pi`, `e`, `i`, `inf`.
    Constant(Constant),
    /// A symbol.
    Symbol(Symbol),
    /// At least two terms; a numeric constant, if any, is the first.
    Sum(Box<[Expr]>),
    /// At least two factors; a numeric coefficient, if any, is the first.
    Product(Box<[Expr]>),
    /// Base and exponent.
    Power(Expr, Expr),
    /// A known function.
    Call(Function, Box<[Expr]>),
    /// An undefined function (a field).
    Apply(Symbol, Box<[Expr]>),
    /// A derivative of an undefined function.
    Derivative(Box<Derivative>),
    /// An equation or inequality.
    Relation(Relation, Expr, Expr),
    /// Negation of a condition.
    Not(Expr),
    /// All of at least two conditions.
    And(Box<[Expr]>),
    /// Any of at least two conditions.
    Or(Box<[Expr]>),
    /// A decided condition.
    Bool(bool),
    /// The first value whose condition holds; else the last expression.
    Piecewise(Box<[(Expr, Expr)]>, Expr),
}

/// All plain numbers share one key, so that they meet in a sum.
pub(super) const NUMBER_KEY: u64 = 0x6e75_6d62_6572_0001;

pub(super) fn slice_hash(tag: u64, items: &[Expr]) -> u64 {
    items.iter().fold(hash::mix(tag), |h, e| hash::combine(h, e.0.hash))
}

const SUM: u64 = 101;
const PRODUCT: u64 = 102;

impl Expr {
    /// A node from its kind, without canonicalisation; the invariants are the caller's.
    pub(super) fn raw(kind: Kind) -> Expr {
        use Kind::*;
        let mut size = 1u32;
        let mut depth = 0u32;
        let mut flags = Flags::default();
        let mut child = |e: &Expr| {
            size = size.saturating_add(e.0.size);
            depth = depth.max(e.0.depth);
            flags = flags.with(e.0.flags);
        };
        let (hash, key) = match &kind {
            Number(n) => (hash::combine(1, n.stable_hash()), NUMBER_KEY),
            Float(x) => {
                flags = if x.is_nan() { Flags::FLOAT.with(Flags::UNDEFINED) } else { Flags::FLOAT };
                // -0.0 and 0.0 are the same number.
                (hash::combine(2, if *x == 0.0 { 0 } else { x.to_bits() }), NUMBER_KEY)
            }
            Uncertain(u) => {
                flags = Flags::UNCERTAIN.with(Flags::FLOAT);
                let h = hash::combine(3, u.stable_hash());
                (h, h)
            }
            Unit(u) => {
                flags = Flags::UNIT;
                let h = hash::combine(4, u.stable_hash());
                (h, h)
            }
            Constant(c) => {
                flags = match c {
                    super::symbol::Constant::I => Flags::IMAGINARY,
                    super::symbol::Constant::Infinity => Flags::INFINITE,
                    _ => Flags::default(),
                };
                let h = hash::combine(5, *c as u64);
                (h, h)
            }
            Symbol(s) => {
                flags = Flags::SYMBOL;
                let h = hash::combine(6, s.stable_hash());
                (h, h)
            }
            Sum(items) => {
                items.iter().for_each(&mut child);
                let h = slice_hash(SUM, items);
                (h, h)
            }
            Product(items) => {
                items.iter().for_each(&mut child);
                if items[0].is_plain_number() {
                    let key = product_key(&items[1..]);
                    (hash::combine(key, items[0].0.hash), key)
                } else {
                    let key = product_key(items);
                    (key, key)
                }
            }
            Power(b, e) => {
                child(b);
                child(e);
                let h = hash::combine(hash::combine(103, b.0.hash), e.0.hash);
                (h, h)
            }
            Call(f, args) => {
                args.iter().for_each(&mut child);
                let h = slice_hash(200 + *f as u64, args);
                (h, h)
            }
            Apply(f, args) => {
                args.iter().for_each(&mut child);
                flags = flags.with(Flags::APPLY).with(Flags::SYMBOL);
                let h = slice_hash(hash::combine(104, f.stable_hash()), args);
                (h, h)
            }
            Derivative(d) => {
                d.args.iter().for_each(&mut child);
                flags = flags.with(Flags::APPLY).with(Flags::SYMBOL);
                let tag = d.orders.iter().fold(d.function.stable_hash(), |h, n| hash::combine(h, *n as u64));
                let h = slice_hash(hash::combine(105, tag), &d.args);
                (h, h)
            }
            Relation(op, a, b) => {
                child(a);
                child(b);
                flags = flags.with(Flags::LOGIC);
                let h = hash::combine(hash::combine(110 + *op as u64, a.0.hash), b.0.hash);
                (h, h)
            }
            Not(a) => {
                child(a);
                flags = flags.with(Flags::LOGIC);
                let h = hash::combine(120, a.0.hash);
                (h, h)
            }
            And(items) | Or(items) => {
                items.iter().for_each(&mut child);
                flags = flags.with(Flags::LOGIC);
                let h = slice_hash(if matches!(&kind, And(_)) { 121 } else { 122 }, items);
                (h, h)
            }
            Bool(b) => {
                flags = Flags::LOGIC;
                let h = hash::combine(123, *b as u64);
                (h, h)
            }
            Piecewise(branches, otherwise) => {
                let mut h = hash::mix(124);
                for (c, v) in branches {
                    child(c);
                    child(v);
                    h = hash::combine(hash::combine(h, c.0.hash), v.0.hash);
                }
                child(otherwise);
                h = hash::combine(h, otherwise.0.hash);
                flags = flags.with(Flags::LOGIC);
                (h, h)
            }
        };
        Expr(Arc::new(Node { hash, key, size, depth: depth + 1, flags, kind }))
    }

    /// What it is.
    #[inline]
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// A fixed hash: equal for equal expressions, the same on every run.
    #[inline]
    pub fn stable_hash(&self) -> u64 {
        self.0.hash
    }

    /// Number of nodes, shared ones counted each time they occur (saturating).
    #[inline]
    pub fn node_count(&self) -> u32 {
        self.0.size
    }

    /// Levels of the tree.
    #[inline]
    pub fn depth(&self) -> u32 {
        self.0.depth
    }

    /// What occurs in it.
    #[inline]
    pub fn flags(&self) -> Flags {
        self.0.flags
    }

    /// Whether symbols or undefined functions occur.
    pub fn is_symbolic(&self) -> bool {
        self.0.flags.has(Flags::SYMBOL)
    }

    /// Whether it has no value (division by exact zero, NaN somewhere).
    pub fn is_undefined(&self) -> bool {
        self.0.flags.has(Flags::UNDEFINED)
    }

    /// Whether it is an exact number or a float.
    #[inline]
    pub fn is_plain_number(&self) -> bool {
        matches!(self.0.kind, Kind::Number(_) | Kind::Float(_))
    }

    /// The exact number, if it is one.
    #[inline]
    pub fn as_number(&self) -> Option<&Number> {
        match &self.0.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The value of an exact number or float.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.0.kind {
            Kind::Number(n) => Some(n.to_f64()),
            Kind::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The integer, if it is one that fits.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::to_i64)
    }

    /// The symbol, if it is one.
    pub fn as_symbol(&self) -> Option<&Symbol> {
        match &self.0.kind {
            Kind::Symbol(s) => Some(s),
            _ => None,
        }
    }

    /// Whether it is exactly 0 (or the float 0), with or without a unit.
    #[inline]
    pub fn is_zero(&self) -> bool {
        match &self.0.kind {
            Kind::Number(n) => n.is_zero(),
            Kind::Float(x) => *x == 0.0,
            // `0 [m]`
            Kind::Product(items) => items[0].is_plain_number() && items[0].is_zero(),
            _ => false,
        }
    }

    /// Whether it is the exact 1.
    #[inline]
    pub fn is_one(&self) -> bool {
        matches!(&self.0.kind, Kind::Number(n) if n.is_one())
    }

    /// Its terms: those of a sum, else itself.
    pub fn terms(&self) -> &[Expr] {
        match &self.0.kind {
            Kind::Sum(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Its factors: those of a product, else itself.
    pub fn factors(&self) -> &[Expr] {
        match &self.0.kind {
            Kind::Product(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Numeric coefficient and the other factors: `3*x*y` gives `(3, [x, y])`, `x` gives `(1, [x])`,
    /// a number itself and no factors. The coefficient is `None` where it is 1.
    pub fn coefficient_and_factors(&self) -> (Option<&Expr>, &[Expr]) {
        match &self.0.kind {
            Kind::Product(items) if items[0].is_plain_number() => (Some(&items[0]), &items[1..]),
            Kind::Product(items) => (None, items),
            _ if self.is_plain_number() => (Some(self), &[]),
            _ => (None, std::slice::from_ref(self)),
        }
    }

    /// Numeric coefficient (1 where there is none) and the rest of the term.
    pub fn split_coefficient(&self) -> (Expr, Expr) {
        match self.coefficient_and_factors() {
            (None, _) => (Expr::one(), self.clone()),
            (Some(c), []) => (c.clone(), Expr::one()),
            (Some(c), [rest]) => (c.clone(), rest.clone()),
            (Some(c), rest) => (c.clone(), Expr::raw(Kind::Product(rest.into()))),
        }
    }

    /// Base and exponent: `(x, 1)` for what is no power; `exp(x)` is itself to the power 1.
    pub fn base_exponent(&self) -> (Expr, Expr) {
        match &self.0.kind {
            Kind::Power(b, e) => (b.clone(), e.clone()),
            _ => (self.clone(), Expr::one()),
        }
    }

    /// Whether the numeric coefficient is negative.
    pub fn is_negated(&self) -> bool {
        match self.coefficient_and_factors().0.map(Expr::kind) {
            Some(Kind::Number(n)) => n.is_negative(),
            Some(Kind::Float(x)) => x.is_sign_negative() && *x != 0.0,
            _ => false,
        }
    }

    /// Its direct children, in internal order.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.0.kind {
            Kind::Number(_)
            | Kind::Float(_)
            | Kind::Uncertain(_)
            | Kind::Unit(_)
            | Kind::Constant(_)
            | Kind::Symbol(_)
            | Kind::Bool(_) => Vec::new(),
            Kind::Sum(items)
            | Kind::Product(items)
            | Kind::Call(_, items)
            | Kind::Apply(_, items)
            | Kind::And(items)
            | Kind::Or(items) => items.iter().collect(),
            Kind::Derivative(d) => d.args.iter().collect(),
            Kind::Power(a, b) | Kind::Relation(_, a, b) => vec![a, b],
            Kind::Not(a) => vec![a],
            Kind::Piecewise(branches, otherwise) => {
                branches.iter().flat_map(|(c, v)| [c, v]).chain([otherwise]).collect()
            }
        }
    }

    /// The same node over other children, brought into canonical form again.
    pub fn map_children(&self, mut f: impl FnMut(&Expr) -> Expr) -> Expr {
        match &self.0.kind {
            Kind::Number(_)
            | Kind::Float(_)
            | Kind::Uncertain(_)
            | Kind::Unit(_)
            | Kind::Constant(_)
            | Kind::Symbol(_)
            | Kind::Bool(_) => self.clone(),
            Kind::Sum(items) => Expr::sum(items.iter().map(f)),
            Kind::Product(items) => Expr::product(items.iter().map(f)),
            Kind::Power(b, e) => {
                let (b, e) = (f(b), f(e));
                Expr::power(b, e)
            }
            Kind::Call(function, args) => Expr::call(*function, args.iter().map(f).collect()),
            Kind::Apply(function, args) => Expr::apply(function.clone(), args.iter().map(f).collect()),
            Kind::Derivative(d) => Expr::raw(Kind::Derivative(Box::new(Derivative {
                function: d.function.clone(),
                orders: d.orders.clone(),
                args: d.args.iter().map(f).collect(),
            }))),
            Kind::Relation(op, a, b) => {
                let (a, b) = (f(a), f(b));
                Expr::relation(*op, a, b)
            }
            Kind::Not(a) => Expr::not(f(a)),
            Kind::And(items) => Expr::and(items.iter().map(f)),
            Kind::Or(items) => Expr::or(items.iter().map(f)),
            Kind::Piecewise(branches, otherwise) => {
                let branches = branches.iter().map(|(c, v)| (f(c), f(v))).collect();
                let otherwise = f(otherwise);
                Expr::piecewise(branches, otherwise)
            }
        }
    }

    /// Rebuilds the expression bottom-up; `f` sees every node after its children were rebuilt. Shared
    /// nodes are visited once.
    pub fn transform(&self, f: &mut impl FnMut(Expr) -> Expr) -> Expr {
        fn go(
            e: &Expr,
            f: &mut dyn FnMut(Expr) -> Expr,
            done: &mut std::collections::HashMap<*const Node, Expr>,
        ) -> Expr {
            let at = Arc::as_ptr(&e.0);
            if let Some(known) = done.get(&at) {
                return known.clone();
            }
            let rebuilt = e.map_children(|child| go(child, f, done));
            let result = f(rebuilt);
            done.insert(at, result.clone());
            result
        }
        go(self, f, &mut std::collections::HashMap::new())
    }

    /// Visits every distinct node once, parents before children.
    pub fn visit<'a>(&'a self, f: &mut impl FnMut(&'a Expr)) {
        let mut seen = std::collections::HashSet::new();
        let mut stack = vec![self];
        while let Some(e) = stack.pop() {
            if seen.insert(Arc::as_ptr(&e.0)) {
                f(e);
                stack.extend(e.children().into_iter().rev());
            }
        }
    }

    /// The symbols in it, sorted by name.
    pub fn symbols(&self) -> Vec<Symbol> {
        let mut found = std::collections::BTreeSet::new();
        if self.is_symbolic() {
            self.visit(&mut |e| {
                if let Kind::Symbol(s) = e.kind() {
                    found.insert(s.clone());
                }
            });
        }
        found.into_iter().collect()
    }

    /// Whether this symbol occurs in it.
    pub fn contains_symbol(&self, symbol: &Symbol) -> bool {
        let mut found = false;
        if self.is_symbolic() {
            self.visit(&mut |e| found |= e.as_symbol() == Some(symbol));
        }
        found
    }

    /// The distinct uncertain numbers in it, by identity.
    pub fn uncertain_leaves(&self) -> Vec<Uncertain> {
        let mut found: Vec<Uncertain> = Vec::new();
        if self.0.flags.has(Flags::UNCERTAIN) {
            self.visit(&mut |e| {
                if let Kind::Uncertain(u) = e.kind()
                    && !found.contains(u)
                {
                    found.push(u.clone());
                }
            });
        }
        found.sort_by_key(Uncertain::id);
        found
    }

    /// Whether both are the same node in memory.
    pub fn ptr_eq(&self, other: &Expr) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The key of a product's non-numeric factors: that of the factor itself where there is one.
pub(super) fn product_key(factors: &[Expr]) -> u64 {
    match factors {
        [only] => only.0.key,
        _ => slice_hash(PRODUCT, factors),
    }
}

impl PartialEq for Expr {
    #[inline]
    fn eq(&self, other: &Expr) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.0.kind == other.0.kind)
    }
}

impl Eq for Expr {}

impl std::hash::Hash for Expr {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.kind, f)
    }
}
