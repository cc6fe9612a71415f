//! The order in which people read formulas. The canonical form sorts by hashes; here the terms of a sum and the
//! factors of a product are put in the order of a textbook:
//!
//! - sums: time derivatives by their number, then polynomial terms by descending degree, within a degree single powers
//!   before mixed ones (`x^2 + y^2 + x*y`), positive before negative, then the alphabet; terms with functions and
//!   radicals after them, numbers last; a positive number goes before a negative first term (`1 - x^2`). A sum with
//!   `O(...)` ascends;
//! - products: number, constants, symbols by the alphabet, sums, functions; what has a negative numeric exponent goes
//!   below the fraction bar.

use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Flags, Kind};
use crate::expression::symbol::Constant;
use crate::units::Unit;
use std::cmp::Ordering;

/// The terms of a sum in the order of reading.
pub(super) fn terms(items: &[Expr]) -> Vec<Expr> {
    let mut keyed: Vec<(TermKey, &Expr)> = items.iter().map(|e| (TermKey::of(e), e)).collect();
    if items.iter().any(is_order) {
        // A series: ascending, the remainder last.
        keyed.sort_by(|(a, x), (b, y)| {
            is_order(x)
                .cmp(&is_order(y))
                .then(b.class.is_number().cmp(&a.class.is_number()))
                .then(b.degree_key().cmp(&a.degree_key()))
                .then_with(|| a.compare(b))
        });
        return keyed.into_iter().map(|(_, e)| e.clone()).collect();
    }
    keyed.sort_by(|(a, x), (b, y)| a.compare(b).then(x.stable_hash().cmp(&y.stable_hash())));
    let mut sorted: Vec<Expr> = keyed.iter().map(|(_, e)| (*e).clone()).collect();
    let last = sorted.len() - 1;
    let number_last = sorted[last].is_plain_number();
    let numeric = keyed.iter().all(|(k, _)| k.class >= Class::Numeric);
    if number_last && !sorted[last].is_negated_number() && (numeric || sorted[0].is_negated()) {
        let number = sorted.remove(last);
        sorted.insert(0, number);
    } else if number_last
        && items.iter().filter(|e| e.flags().has(Flags::IMAGINARY)).count() == last
        && numeric
    {
        // `-1 + 2*i`: the real part first.
        let number = sorted.remove(last);
        sorted.insert(0, number);
    } else if sorted.len() == 2
        && sorted[0].is_negated()
        && !sorted[1].is_negated()
        && keyed[0].0.class == keyed[1].0.class
    {
        sorted.swap(0, 1);
    }
    sorted
}

fn is_order(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Call(Function::Order, _))
}

impl Expr {
    fn is_negated_number(&self) -> bool {
        match self.kind() {
            Kind::Number(n) => n.is_negative(),
            Kind::Float(x) => *x < 0.0,
            _ => self.is_negated(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Primed,
    Polynomial,
    Functions,
    Numeric,
    Number,
}

impl Class {
    fn is_number(self) -> bool {
        self >= Class::Numeric
    }
}

struct TermKey {
    class: Class,
    primes: usize,
    degree: Degree,
    exponents: Vec<Degree>,
    negative: bool,
    names: String,
}

/// A degree: a fraction, compared as a float.
#[derive(Clone, Copy, PartialEq)]
struct Degree(f64);

impl Eq for Degree {}
impl PartialOrd for Degree {
    fn partial_cmp(&self, other: &Degree) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Degree {
    fn cmp(&self, other: &Degree) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl TermKey {
    fn of(e: &Expr) -> TermKey {
        let mut key = TermKey {
            class: Class::Number,
            primes: 0,
            degree: Degree(0.0),
            exponents: Vec::new(),
            negative: e.is_negated(),
            names: String::new(),
        };
        if e.is_plain_number() {
            key.negative = e.is_negated_number();
            return key;
        }
        key.class = Class::Numeric;
        for f in e.coefficient_and_factors().1 {
            let (base, exponent) = match f.kind() {
                Kind::Power(b, x) if x.is_plain_number() => (b, x.as_f64().unwrap_or(0.0)),
                _ => (f, 1.0),
            };
            if !f.is_symbolic() {
                continue;
            }
            let polynomial = exponent.fract() == 0.0 && matches!(base.kind(), Kind::Symbol(_) | Kind::Sum(_));
            key.class = if polynomial && key.class != Class::Functions {
                Class::Polynomial
            } else {
                Class::Functions
            };
            if polynomial {
                key.exponents.push(Degree(exponent));
                key.degree.0 += exponent;
                if let Kind::Symbol(s) = base.kind() {
                    key.primes = key.primes.max(s.primes());
                }
            }
        }
        if key.primes > 0 && key.class == Class::Polynomial {
            key.class = Class::Primed;
        }
        key.exponents.sort_by(|a, b| b.cmp(a));
        key.names = alphabetical(e);
        key
    }

    fn degree_key(&self) -> std::cmp::Reverse<Degree> {
        std::cmp::Reverse(self.degree)
    }

    fn compare(&self, other: &TermKey) -> Ordering {
        self.class
            .cmp(&other.class)
            .then(other.primes.cmp(&self.primes))
            .then(other.degree.cmp(&self.degree))
            .then_with(|| other.exponents.cmp(&self.exponents))
            .then(self.negative.cmp(&other.negative))
            .then_with(|| self.names.cmp(&other.names))
    }
}

/// Longest key for the alphabet.
const KEY_LENGTH: usize = 60;

/// A text to sort by: the names in it, in the order of reading, to a limited depth and length.
pub(super) fn alphabetical(e: &Expr) -> String {
    let mut key = String::new();
    collect(e, 5, &mut key);
    key
}

fn collect(e: &Expr, depth: u32, key: &mut String) {
    if depth == 0 || key.len() > KEY_LENGTH {
        return;
    }
    let list = |items: &mut dyn Iterator<Item = &Expr>, sorted: bool, key: &mut String| {
        let mut parts: Vec<String> = items
            .take(12)
            .map(|e| {
                let mut part = String::new();
                collect(e, depth - 1, &mut part);
                part
            })
            .collect();
        if sorted {
            parts.sort();
        }
        for part in parts {
            key.push_str(&part);
            key.push(' ');
        }
    };
    match e.kind() {
        Kind::Number(n) => key.push_str(&n.to_string()),
        Kind::Float(x) => key.push_str(&x.to_string()),
        Kind::Uncertain(u) => key.push_str(&u.value().to_string()),
        Kind::Unit(u) => key.push_str(&u.to_string()),
        Kind::Constant(c) => key.push_str(c.name()),
        Kind::Symbol(s) => {
            key.extend(s.name().chars().flat_map(char::to_lowercase));
            // Upper case after lower case of the same letter.
            if s.name().chars().any(char::is_uppercase) {
                key.push('\u{1}');
            }
        }
        Kind::Sum(items) => list(&mut items.iter().filter(|e| !e.is_plain_number()), true, key),
        Kind::Product(items) => {
            let mut factors: Vec<&Expr> = items.iter().filter(|e| !e.is_plain_number()).collect();
            factors.sort_by_cached_key(|e| factor_key(e));
            list(&mut factors.into_iter(), false, key);
        }
        Kind::Power(b, x) => {
            collect(b, depth - 1, key);
            if !x.is_plain_number() {
                key.push('^');
                collect(x, depth - 1, key);
            }
        }
        Kind::Call(f, args) => {
            key.push_str(f.name());
            key.push(' ');
            list(&mut args.iter(), false, key);
        }
        Kind::Apply(f, args) => {
            key.push_str(f.name());
            key.push(' ');
            list(&mut args.iter(), false, key);
        }
        Kind::Derivative(d) => {
            key.push_str("diff ");
            key.push_str(d.function.name());
            for (n, arg) in d.orders.iter().zip(d.args.iter()) {
                if *n > 0 {
                    key.push(' ');
                    collect(arg, depth - 1, key);
                }
            }
        }
        Kind::Bool(b) => key.push_str(if *b { "true" } else { "false" }),
        _ => list(&mut e.children().into_iter(), false, key),
    }
}

/// The place of a factor in a product: kind, then the alphabet.
fn factor_key(e: &Expr) -> (u8, String) {
    let class = |base: &Expr| match base.kind() {
        Kind::Number(_) | Kind::Float(_) => 0,
        Kind::Uncertain(_) => 1,
        Kind::Constant(Constant::Pi | Constant::E) => 2,
        Kind::Constant(_) => 3,
        Kind::Symbol(_) => 4,
        Kind::Sum(_) => 5,
        Kind::Apply(..) => 7,
        Kind::Derivative(_) => 8,
        Kind::Piecewise(..) => 9,
        _ => 6,
    };
    let place = match e.kind() {
        Kind::Power(b, x) => match class(b) {
            0 if !x.is_plain_number() => 6,
            5 if x.as_i64().is_none() => 6,
            place => place,
        },
        _ => class(e),
    };
    (place, alphabetical(e))
}

/// A product as it is laid out. Every factor in `above` and `below` has a positive exponent.
pub(super) struct Layout {
    /// Whether a minus sign stands before it.
    pub negative: bool,
    /// A ratio that stands before the factors, as in `1/2*m*v^2`; then nothing is below.
    pub ratio: Option<Number>,
    /// A positive float coefficient.
    pub float: Option<f64>,
    /// A positive integer above, where it is not 1.
    pub above_number: Option<Number>,
    pub above: Vec<Expr>,
    /// A positive integer below, where it is not 1.
    pub below_number: Option<Number>,
    pub below: Vec<Expr>,
    pub units: Vec<Unit>,
}

impl Layout {
    /// Of anything: what is no product is one factor.
    pub(super) fn of(e: &Expr) -> Layout {
        let mut layout = Layout {
            negative: false,
            ratio: None,
            float: None,
            above_number: None,
            above: Vec::new(),
            below_number: None,
            below: Vec::new(),
            units: Vec::new(),
        };
        let (coefficient, factors) = e.coefficient_and_factors();
        let mut number = Number::ONE;
        match coefficient.map(Expr::kind) {
            Some(Kind::Number(n)) => {
                layout.negative = n.is_negative();
                number = n.abs();
            }
            // NaN marks what has no value; what follows it says why.
            Some(Kind::Float(x)) if x.is_nan() && !factors.is_empty() => {}
            Some(Kind::Float(x)) => {
                layout.negative = *x < 0.0;
                layout.float = Some(x.abs());
            }
            _ => {}
        }
        let mut factors: Vec<Expr> = merge_radicals(factors);
        factors.sort_by_cached_key(|f| (factor_key(f), f.stable_hash()));
        for f in factors {
            match f.kind() {
                Kind::Unit(u) => layout.units.push(u.clone()),
                Kind::Power(b, x) => match negated_exponent(x) {
                    Some(x) if x.is_one() => layout.below.push(b.clone()),
                    Some(x) => layout.below.push(Expr::raw(Kind::Power(b.clone(), x))),
                    None => layout.above.push(f),
                },
                _ => layout.above.push(f),
            }
        }
        if layout.negative && layout.float.is_none() {
            layout.absorb_sign(&number);
        }
        let (over, under) = (number.numerator(), number.denominator());
        if under.is_one() || !layout.below.is_empty() || layout.above.len() < 2 {
            layout.above_number = Some(over).filter(|n| !n.is_one());
            layout.below_number = Some(under).filter(|n| !n.is_one());
        } else {
            layout.ratio = Some(number);
        }
        layout
    }

    /// Puts a minus sign into a sum that reads better so: `x*(b - a)`, `(-b - c)/(2*a)`.
    fn absorb_sign(&mut self, number: &Number) {
        let leads_positive = |e: &Expr| match e.kind() {
            Kind::Sum(items) => terms(items).first().is_some_and(|t| !t.is_negated_number()),
            _ => false,
        };
        let alone = self.above.len() == 1
            && number.numerator().is_one()
            && matches!(self.above[0].kind(), Kind::Sum(_))
            && self.units.is_empty();
        for side in [&mut self.above, &mut self.below] {
            for f in side.iter_mut() {
                if !matches!(f.kind(), Kind::Sum(_)) {
                    continue;
                }
                let turned = f.negate();
                if alone || leads_positive(&turned) {
                    *f = turned;
                    self.negative = false;
                    return;
                }
            }
            if alone {
                return;
            }
        }
    }

    /// Whether nothing stands above the bar but a number.
    pub(super) fn has_below(&self) -> bool {
        self.below_number.is_some() || !self.below.is_empty()
    }
}

/// The exponent with its sign turned, where it is a negative number.
fn negated_exponent(x: &Expr) -> Option<Expr> {
    match x.kind() {
        Kind::Number(n) if n.is_negative() => Some(Expr::number(-n)),
        Kind::Float(v) if *v < 0.0 => Some(Expr::float(-v)),
        _ => None,
    }
}

/// Puts radicals of numbers and pi under one root with one symbolic radical of the same exponent, where what is
/// printed then reads back as the same product: `1/sqrt(2*pi)`.
fn merge_radicals(factors: &[Expr]) -> Vec<Expr> {
    let fraction = |f: &Expr| match f.kind() {
        Kind::Power(b, x) => x.as_number().filter(|n| !n.is_integer()).map(|n| (b.clone(), n.clone())),
        _ => None,
    };
    let numeric = |b: &Expr| {
        b.as_number().is_some_and(Number::is_positive) || matches!(b.kind(), Kind::Constant(Constant::Pi))
    };
    let mut result: Vec<Expr> = factors.to_vec();
    let exponents: Vec<Number> =
        factors.iter().filter_map(|f| fraction(f).filter(|(b, _)| numeric(b)).map(|(_, x)| x)).collect();
    for exponent in exponents {
        let same = |f: &Expr| fraction(f).filter(|(_, x)| *x == exponent);
        let mut group: Vec<Expr> =
            result.iter().filter(|f| same(f).is_some_and(|(b, _)| numeric(&b))).cloned().collect();
        let others: Vec<&Expr> =
            result.iter().filter(|f| same(f).is_some_and(|(b, _)| !numeric(&b))).collect();
        if let [only] = others.as_slice() {
            group.push((*only).clone());
        }
        if group.len() < 2 {
            continue;
        }
        let inside = Expr::product(group.iter().filter_map(|f| fraction(f).map(|(b, _)| b)));
        let x = Expr::number(exponent.clone());
        // Read back, a root below the bar is a power of a power.
        let read = if exponent.is_negative() {
            Expr::power(Expr::power(inside.clone(), Expr::number(-&exponent)), Expr::int(-1))
        } else {
            Expr::power(inside.clone(), x.clone())
        };
        if read == Expr::product(group.iter().cloned()) {
            result.retain(|f| !group.contains(f));
            result.push(Expr::raw(Kind::Power(inside, x)));
        }
    }
    result
}
