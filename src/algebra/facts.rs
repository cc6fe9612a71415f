//! What is known of the value of an expression wherever it has one: real, integer, nonzero, and an interval
//! with open or closed ends, from the declarations of its symbols upwards (interval arithmetic, rounded
//! outwards). Only what follows is stated: "not known to be zero" is never "nonzero". A symbol that nobody
//! declared is real, of unknown sign.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::expression::{Constant, Declarations, Domain, Expr, Flags, Function, Kind, Relation, Symbol};

/// What holds for every value an expression takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Real wherever it is defined. The interval means something only then.
    pub real: bool,
    /// An integer.
    pub integer: bool,
    /// Never 0.
    pub nonzero: bool,
    /// Never infinite.
    pub finite: bool,
    /// No value is smaller.
    pub low: f64,
    /// No value is larger.
    pub high: f64,
    /// `low` itself is no value.
    pub low_open: bool,
    /// `high` itself is no value.
    pub high_open: bool,
}

impl Facts {
    /// Nothing is known.
    pub const UNKNOWN: Facts = Facts {
        real: false,
        integer: false,
        nonzero: false,
        finite: false,
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        low_open: false,
        high_open: false,
    };

    /// A real number.
    pub const REAL: Facts = Facts { real: true, finite: true, ..Facts::UNKNOWN };

    fn between(low: f64, low_open: bool, high: f64, high_open: bool) -> Facts {
        Facts { low, low_open, high, high_open, ..Facts::REAL }.settled()
    }

    fn point(x: f64, exact: bool) -> Facts {
        let (low, high) = if exact || x == 0.0 { (x, x) } else { (x.next_down(), x.next_up()) };
        Facts { integer: exact && x.fract() == 0.0, ..Facts::between(low, false, high, false) }
    }

    fn settled(mut self) -> Facts {
        if self.real {
            self.nonzero |= self.low > 0.0
                || self.high < 0.0
                || (self.low == 0.0 && self.low_open)
                || (self.high == 0.0 && self.high_open);
            if self.nonzero && self.low == 0.0 {
                self.low_open = true;
            }
            if self.nonzero && self.high == 0.0 {
                self.high_open = true;
            }
        }
        self
    }

    /// `> 0`
    pub fn is_positive(&self) -> bool {
        self.real && (self.low > 0.0 || (self.low == 0.0 && (self.low_open || self.nonzero)))
    }

    /// `>= 0`
    pub fn is_nonnegative(&self) -> bool {
        self.real && self.low >= 0.0
    }

    /// `< 0`
    pub fn is_negative(&self) -> bool {
        self.real && (self.high < 0.0 || (self.high == 0.0 && (self.high_open || self.nonzero)))
    }

    /// `<= 0`
    pub fn is_nonpositive(&self) -> bool {
        self.real && self.high <= 0.0
    }

    /// Whether a value is compatible with them, up to rounding.
    pub fn admits(&self, x: f64) -> bool {
        let slack = 1e-12 * x.abs().max(1e-300);
        !(self.real && (x < self.low - slack || x > self.high + slack))
            && !(self.nonzero && x == 0.0)
            && !(self.integer && x.is_finite() && (x - x.round()).abs() > 1e-9 * x.abs().max(1.0))
    }

    fn union(a: Facts, b: Facts) -> Facts {
        let (low, low_open) = smaller((a.low, a.low_open), (b.low, b.low_open));
        let (high, high_open) = larger((a.high, a.high_open), (b.high, b.high_open));
        Facts {
            real: a.real && b.real,
            integer: a.integer && b.integer,
            nonzero: a.nonzero && b.nonzero,
            finite: a.finite && b.finite,
            low,
            high,
            low_open,
            high_open,
        }
    }

    fn plus(a: Facts, b: Facts) -> Facts {
        if !(a.real && b.real) {
            return Facts { finite: a.finite && b.finite, ..Facts::UNKNOWN };
        }
        let low = add(a.low, b.low, false);
        let high = add(a.high, b.high, true);
        Facts {
            integer: a.integer && b.integer,
            finite: a.finite && b.finite,
            ..Facts::between(low, a.low_open || b.low_open, high, a.high_open || b.high_open)
        }
    }

    fn times(a: Facts, b: Facts) -> Facts {
        let nonzero = a.nonzero && b.nonzero;
        if !(a.real && b.real) {
            return Facts { nonzero, finite: a.finite && b.finite, ..Facts::UNKNOWN };
        }
        let (mut low, mut high) = ((f64::INFINITY, true), (f64::NEG_INFINITY, true));
        for (x, xo) in [(a.low, a.low_open), (a.high, a.high_open)] {
            for (y, yo) in [(b.low, b.low_open), (b.high, b.high_open)] {
                if x == 0.0 || y == 0.0 {
                    let open = (x != 0.0 || xo) && (y != 0.0 || yo);
                    low = smaller(low, (0.0, open));
                    high = larger(high, (0.0, open));
                } else {
                    let p = x * y;
                    let exact = p.fract() == 0.0 && p.abs() < 9e15 && x.fract() == 0.0 && y.fract() == 0.0;
                    let (down, up) =
                        if exact || p.is_infinite() { (p, p) } else { (p.next_down(), p.next_up()) };
                    low = smaller(low, (down, xo || yo));
                    high = larger(high, (up, xo || yo));
                }
            }
        }
        Facts {
            nonzero,
            integer: a.integer && b.integer,
            finite: a.finite && b.finite,
            ..Facts::between(low.0, low.1, high.0, high.1)
        }
        .settled()
    }

    /// `x^n` for a positive integer.
    fn integer_power(x: Facts, n: i64) -> Facts {
        if !x.real {
            return Facts { nonzero: x.nonzero, finite: x.finite, ..Facts::UNKNOWN };
        }
        let power = |v: f64, up: bool| -> f64 {
            if v == 0.0 || v.is_infinite() || v.abs() == 1.0 {
                return if n % 2 == 0 { v.abs() } else { v };
            }
            let p = v.powf(n as f64);
            if v.fract() == 0.0 && p.abs() < 9e15 { p } else { outward(p, up) }
        };
        let (low, high) = if n % 2 != 0 || x.low >= 0.0 {
            ((power(x.low, false), x.low_open), (power(x.high, true), x.high_open))
        } else if x.high <= 0.0 {
            ((power(x.high, false), x.high_open), (power(x.low, true), x.low_open))
        } else {
            let top = larger((power(x.low, true), x.low_open), (power(x.high, true), x.high_open));
            ((0.0, x.nonzero), top)
        };
        Facts {
            nonzero: x.nonzero,
            integer: x.integer,
            finite: x.finite,
            ..Facts::between(low.0, low.1, high.0, high.1)
        }
        .settled()
    }

    fn reciprocal(x: Facts) -> Facts {
        let base = Facts { nonzero: x.finite, finite: true, ..Facts::UNKNOWN };
        if !x.real {
            return base;
        }
        let (low, high) = if x.is_nonnegative() {
            let low =
                if x.high.is_infinite() { (0.0, true) } else { (outward(1.0 / x.high, false), x.high_open) };
            let high =
                if x.low == 0.0 { (f64::INFINITY, false) } else { (outward(1.0 / x.low, true), x.low_open) };
            (low, high)
        } else if x.is_nonpositive() {
            let high =
                if x.low.is_infinite() { (0.0, true) } else { (outward(1.0 / x.low, true), x.low_open) };
            let low = if x.high == 0.0 {
                (f64::NEG_INFINITY, false)
            } else {
                (outward(1.0 / x.high, false), x.high_open)
            };
            (low, high)
        } else {
            ((f64::NEG_INFINITY, false), (f64::INFINITY, false))
        };
        Facts { nonzero: base.nonzero, ..Facts::between(low.0, low.1, high.0, high.1) }.settled()
    }

    /// A function that never decreases, with its range.
    fn monotone(x: Facts, f: fn(f64) -> f64, range: (f64, f64)) -> Facts {
        let low = outward(f(x.low), false).max(range.0);
        let high = outward(f(x.high), true).min(range.1);
        let zero = |v: f64, at: f64| v == 0.0 && at == 0.0;
        Facts::between(
            if zero(f(x.low), x.low) { 0.0 } else { low },
            x.low_open && zero(f(x.low), x.low),
            if zero(f(x.high), x.high) { 0.0 } else { high },
            x.high_open && zero(f(x.high), x.high),
        )
    }
}

fn smaller(a: (f64, bool), b: (f64, bool)) -> (f64, bool) {
    if a.0 < b.0 || (a.0 == b.0 && !a.1) { a } else { b }
}

fn larger(a: (f64, bool), b: (f64, bool)) -> (f64, bool) {
    if a.0 > b.0 || (a.0 == b.0 && !a.1) { a } else { b }
}

/// Some ulps outwards: library functions are good to a few.
fn outward(x: f64, up: bool) -> f64 {
    if x == 0.0 || x.is_infinite() {
        return x;
    }
    if x.is_nan() {
        return if up { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    let step = 4.0 * f64::EPSILON * x.abs();
    if up { x + step } else { x - step }
}

fn add(a: f64, b: f64, up: bool) -> f64 {
    let sum = a + b;
    let exact = a == 0.0 || b == 0.0 || (a.fract() == 0.0 && b.fract() == 0.0 && sum.abs() < 9e15);
    if sum.is_nan() {
        return if up { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    if exact || sum.is_infinite() {
        sum
    } else if up {
        sum.next_up()
    } else {
        sum.next_down()
    }
}

/// Expressions carry a good hash already.
#[derive(Clone, Copy, Debug, Default)]
pub struct CachedHash(u64);

impl Hasher for CachedHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.0 = crate::base::hash::combine(self.0, u64::from(*b)));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// A table by expression.
pub type ExprMap<T> = HashMap<Expr, T, BuildHasherDefault<CachedHash>>;

/// Facts of expressions under some declarations, each found once.
#[derive(Debug)]
pub struct Knowledge<'a> {
    declarations: Cow<'a, Declarations>,
    memo: RefCell<ExprMap<Facts>>,
}

impl<'a> Knowledge<'a> {
    /// What follows from these declarations.
    pub fn new(declarations: &'a Declarations) -> Knowledge<'a> {
        Knowledge { declarations: Cow::Borrowed(declarations), memo: RefCell::default() }
    }

    /// The same with its own copy of the declarations.
    pub fn owned(declarations: Declarations) -> Knowledge<'static> {
        Knowledge { declarations: Cow::Owned(declarations), memo: RefCell::default() }
    }

    /// The declarations.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// What is known of an expression.
    pub fn of(&self, e: &Expr) -> Facts {
        match e.kind() {
            Kind::Number(n) => {
                let x = n.to_f64();
                let exact = crate::base::Number::from_f64_exact(x).is_some_and(|m| m == *n);
                return Facts { integer: n.is_integer(), nonzero: !n.is_zero(), ..Facts::point(x, exact) };
            }
            Kind::Symbol(s) => return self.symbol(s),
            _ => {}
        }
        if let Some(known) = self.memo.borrow().get(e) {
            return *known;
        }
        let mut facts = self.compute(e).settled();
        if e.flags().has(Flags::INFINITE.with(Flags::UNDEFINED)) {
            facts = Facts::UNKNOWN;
        }
        self.memo.borrow_mut().insert(e.clone(), facts);
        facts
    }

    fn symbol(&self, s: &Symbol) -> Facts {
        let Some(declared) = self.declarations.get(s) else { return Facts::REAL };
        let a = declared.assumptions;
        let nonzero = a.nonzero || a.positive || a.negative;
        if a.complex {
            return Facts { nonzero, finite: true, ..Facts::UNKNOWN };
        }
        let mut facts = Facts { nonzero, integer: a.integer, ..Facts::REAL };
        if a.positive || a.nonnegative {
            (facts.low, facts.low_open) = (0.0, a.positive);
        }
        if a.negative || a.nonpositive {
            (facts.high, facts.high_open) = (0.0, a.negative);
        }
        if let Some(domain) = &declared.domain {
            let (low, high) = domain.bounds();
            if low > facts.low {
                (facts.low, facts.low_open) = (low, false);
            }
            if high < facts.high {
                (facts.high, facts.high_open) = (high, false);
            }
            if let Domain::Values(values) = domain {
                facts.nonzero |= !values.contains(&0.0);
                facts.integer |= values.iter().all(|v| v.fract() == 0.0);
            }
        }
        facts.settled()
    }

    fn compute(&self, e: &Expr) -> Facts {
        match e.kind() {
            Kind::Number(_) | Kind::Symbol(_) => self.of(e),
            Kind::Float(x) => Facts::point(*x, true),
            Kind::Uncertain(u) => {
                if u.value().abs() > 3.0 * u.sigma() {
                    let far = if u.value() > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
                    Facts::between(far.min(0.0), true, far.max(0.0), true)
                } else {
                    Facts::REAL
                }
            }
            Kind::Unit(_) => Facts::between(0.0, true, f64::INFINITY, false),
            Kind::Constant(Constant::I) => Facts { nonzero: true, finite: true, ..Facts::UNKNOWN },
            Kind::Constant(Constant::Infinity) => Facts::UNKNOWN,
            Kind::Constant(c) => c.to_f64().map_or(Facts::UNKNOWN, |x| Facts::point(x, false)),
            Kind::Sum(items) => self.sum(items),
            Kind::Product(items) => {
                items.iter().map(|f| self.of(f)).reduce(Facts::times).unwrap_or(Facts::UNKNOWN)
            }
            Kind::Power(b, x) => self.power(b, x),
            Kind::Call(f, args) => self.call(*f, args),
            Kind::Apply(..) | Kind::Derivative(_) => Facts::REAL,
            Kind::Piecewise(branches, last) => {
                branches.iter().fold(self.of(last), |all, (_, v)| Facts::union(all, self.of(v)))
            }
            _ => Facts::UNKNOWN,
        }
    }

    fn sum(&self, items: &[Expr]) -> Facts {
        items.iter().map(|t| self.of(t)).reduce(Facts::plus).unwrap_or(Facts::UNKNOWN)
    }

    fn power(&self, b: &Expr, x: &Expr) -> Facts {
        let (base, exponent) = (self.of(b), self.of(x));
        if let Some(n) = x.as_i64() {
            let positive = Facts::integer_power(base, n.abs());
            return if n < 0 { Facts::reciprocal(positive) } else { positive };
        }
        let fallback = Facts { nonzero: base.nonzero && exponent.finite, finite: true, ..Facts::UNKNOWN };
        if !base.is_nonnegative() || !exponent.real {
            return fallback;
        }
        let strict = base.is_positive() || exponent.is_nonpositive();
        let Some(r) = x.as_f64() else {
            return Facts::between(0.0, strict, f64::INFINITY, false);
        };
        let at = |v: f64, up: bool| outward(v.powf(r.abs()), up).max(0.0);
        let low = if base.low == 0.0 { 0.0 } else { at(base.low, false) };
        let positive = Facts {
            nonzero: base.nonzero,
            ..Facts::between(low, base.low_open, at(base.high, true), base.high_open)
        }
        .settled();
        if r < 0.0 { Facts::reciprocal(positive) } else { positive }
    }

    fn call(&self, f: Function, args: &[Expr]) -> Facts {
        use Function::*;
        const INF: f64 = f64::INFINITY;
        const PI_UP: f64 = std::f64::consts::PI * (1.0 + f64::EPSILON);
        let Some(first) = args.first() else { return Facts::UNKNOWN };
        let x = self.of(first);
        let all_real = args.iter().all(|a| self.of(a).real);
        match f {
            Exp if x.real => {
                let low = if x.low == -INF { 0.0 } else { outward(x.low.exp(), false).max(0.0) };
                let high = outward(x.high.exp(), true);
                Facts { nonzero: true, ..Facts::between(low, low == 0.0, high, false) }
            }
            Exp => Facts { nonzero: x.finite, finite: true, ..Facts::UNKNOWN },
            Abs if x.real => {
                let (low, high) = (x.low.abs(), x.high.abs());
                let zero_inside = x.low <= 0.0 && x.high >= 0.0;
                let least = if zero_inside { 0.0 } else { low.min(high) };
                Facts {
                    integer: x.integer,
                    ..Facts::between(least, least == 0.0 && x.nonzero, low.max(high), false)
                }
            }
            Abs => Facts::between(0.0, x.nonzero, INF, false),
            Sin | Cos if x.real => Facts::between(-1.0, false, 1.0, false),
            Log | Log10 | Log2 if x.is_nonnegative() => {
                let value = match f {
                    Log => f64::ln as fn(f64) -> f64,
                    Log10 => f64::log10,
                    _ => f64::log2,
                };
                let low =
                    if x.low == 1.0 { (0.0, x.low_open) } else { (outward(value(x.low), false), false) };
                let high =
                    if x.high == 1.0 { (0.0, x.high_open) } else { (outward(value(x.high), true), false) };
                Facts::between(low.0, low.1, high.0, high.1)
            }
            Tan | Erf | Erfc | Sinh | Asinh | Atan | Tanh if !x.real => Facts::UNKNOWN,
            Sinh => Facts { nonzero: x.nonzero, ..Facts::monotone(x, f64::sinh, (-INF, INF)) },
            Asinh => Facts { nonzero: x.nonzero, ..Facts::monotone(x, f64::asinh, (-INF, INF)) },
            Tanh => Facts { nonzero: x.nonzero, ..Facts::monotone(x, f64::tanh, (-1.0, 1.0)) },
            Atan => {
                Facts { nonzero: x.nonzero, ..Facts::monotone(x, f64::atan, (-PI_UP / 2.0, PI_UP / 2.0)) }
            }
            Erf => Facts { nonzero: x.nonzero, ..Facts::monotone(x, libm::erf, (-1.0, 1.0)) },
            Erfc => Facts::between(0.0, false, 2.0, false),
            Tan => Facts::REAL,
            Cosh if x.real => Facts::between(1.0, x.nonzero, INF, false),
            Asin if x.real && x.low >= -1.0 && x.high <= 1.0 => {
                Facts { nonzero: x.nonzero, ..Facts::between(-PI_UP / 2.0, false, PI_UP / 2.0, false) }
            }
            Acos if x.real && x.low >= -1.0 && x.high <= 1.0 => Facts::between(0.0, false, PI_UP, false),
            Acosh if x.real && x.low >= 1.0 => Facts::between(0.0, false, INF, false),
            Atanh if x.real && x.low >= -1.0 && x.high <= 1.0 => Facts { nonzero: x.nonzero, ..Facts::REAL },
            Atan2 if all_real => Facts::between(-PI_UP, false, PI_UP, false),
            Sign if x.real => {
                let low = if x.is_positive() {
                    1.0
                } else if x.is_nonnegative() {
                    0.0
                } else {
                    -1.0
                };
                let high = if x.is_negative() {
                    -1.0
                } else if x.is_nonpositive() {
                    0.0
                } else {
                    1.0
                };
                Facts { integer: true, nonzero: x.nonzero, ..Facts::between(low, false, high, false) }
            }
            Step if x.real => Facts::between(0.0, false, 1.0, false),
            Floor | Ceil | Round if x.real => {
                Facts { integer: true, ..Facts::between(x.low.floor(), false, x.high.ceil(), false) }
            }
            Mod if all_real => Facts::REAL,
            Min | Max if all_real => args
                .iter()
                .map(|a| self.of(a))
                .reduce(|a, b| {
                    let (low, high) = if f == Min {
                        (
                            smaller((a.low, a.low_open), (b.low, b.low_open)),
                            if a.high < b.high {
                                (a.high, a.high_open)
                            } else {
                                (b.high, b.high_open && (a.high != b.high || a.high_open))
                            },
                        )
                    } else {
                        (
                            if a.low > b.low {
                                (a.low, a.low_open)
                            } else {
                                (b.low, b.low_open && (a.low != b.low || a.low_open))
                            },
                            larger((a.high, a.high_open), (b.high, b.high_open)),
                        )
                    };
                    Facts {
                        integer: a.integer && b.integer,
                        nonzero: a.nonzero && b.nonzero,
                        ..Facts::between(low.0, low.1, high.0, high.1)
                    }
                })
                .unwrap_or(Facts::UNKNOWN),
            Factorial | Gamma if x.is_positive() => Facts::between(0.0, true, INF, false),
            LogGamma if x.is_positive() => Facts::REAL,
            Re | Im | Arg => Facts::REAL,
            Conj => x,
            _ => Facts::UNKNOWN,
        }
    }

    /// Decides a condition: `Some(true)` where it holds for all values the declarations allow, `Some(false)` where it
    /// holds for none, `None` where neither follows.
    pub fn prove(&self, condition: &Expr) -> Option<bool> {
        match condition.kind() {
            Kind::Bool(b) => Some(*b),
            Kind::Not(inner) => self.prove(inner).map(|b| !b),
            Kind::And(items) => {
                let mut all = Some(true);
                for item in items {
                    match self.prove(item) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Kind::Or(items) => {
                let mut any = Some(false);
                for item in items {
                    match self.prove(item) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
            Kind::Relation(op, a, b) => self.prove_relation(*op, a, b),
            _ => None,
        }
    }

    fn prove_relation(&self, op: Relation, a: &Expr, b: &Expr) -> Option<bool> {
        // `floor(n) == n` is how a condition says that n is an integer.
        if op == Relation::Eq {
            for (floor, n) in [(a, b), (b, a)] {
                if matches!(floor.kind(), Kind::Call(Function::Floor, args) if args[0] == *n)
                    && self.of(n).integer
                {
                    return Some(true);
                }
            }
        }
        let difference = if b.is_zero() { a.clone() } else { a - b };
        let mut d = self.of(&difference);
        if let Kind::Number(n) = difference.kind() {
            return Some(op.holds(
                if n.is_zero() {
                    0.0
                } else if n.is_negative() {
                    -1.0
                } else {
                    1.0
                },
                0.0,
            ));
        }
        if !d.nonzero && matches!(difference.kind(), Kind::Sum(_)) && op != Relation::Eq {
            // Signs may show in the factors.
            if let Some(factored) = super::rational::factor(&difference).filter(|f| *f != difference) {
                let other = self.of(&factored);
                if other.real && d.real {
                    if other.low > d.low || (other.low == d.low && other.low_open) {
                        (d.low, d.low_open) = (other.low, other.low_open);
                    }
                    if other.high < d.high || (other.high == d.high && other.high_open) {
                        (d.high, d.high_open) = (other.high, other.high_open);
                    }
                }
                d.nonzero |= other.nonzero;
                d = d.settled();
            }
        }
        let (truth, lie) = match op {
            Relation::Eq => (false, d.nonzero),
            Relation::Ne => (d.nonzero, false),
            Relation::Lt => (d.is_negative(), d.is_nonnegative()),
            Relation::Le => (d.is_nonpositive(), d.is_positive()),
            Relation::Gt => (d.is_positive(), d.is_nonpositive()),
            Relation::Ge => (d.is_nonnegative(), d.is_negative()),
        };
        match (truth, lie) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// Decides a condition under these declarations; see [`Knowledge::prove`].
pub fn prove(condition: &Expr, declarations: &Declarations) -> Option<bool> {
    Knowledge::new(declarations).prove(condition)
}
