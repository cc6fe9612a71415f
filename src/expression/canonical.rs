//! The canonical form, kept by the constructors of sums and products (powers and calls: `power.rs`,
//! `call.rs`). It uses no assumptions on symbols and never cancels a symbolic factor (`x/x` stays):
//!
//! - sums and products are n-ary, flat and sorted by a fixed hash; like terms and equal bases are
//!   combined; numbers are folded, exact ones exactly;
//! - `x^a * x^b` is `x^(a + b)` where a and b are numbers of one sign, or where the sum is not a number;
//! - a prime of a numeric radical stands either in the coefficient or under the root: `3/2*sqrt(2)` is `3/sqrt(2)`;
//! - `exp(a)*exp(b)` is `exp(a + b)`; units are multiplied out, different ones to coherent SI;
//! - `-(a + b)` is `-a - b`; any other number before a sum stays outside; inside a product every sum has a
//!   positive first term.

mod product;

pub(super) use product::{base_hash, complex_parts, leads_negative};

use product::Builder;

use super::node::{Expr, Flags, Kind, NUMBER_KEY};
use super::symbol::{Constant, Symbol};
use crate::base::Number;
use crate::units::Unit;

/// A plain number on its way through an operation: exact until a float comes in.
#[derive(Clone, Debug)]
pub(super) enum Num {
    Exact(Number),
    Float(f64),
}

impl Num {
    pub(super) fn of(e: &Expr) -> Option<Num> {
        match e.kind() {
            Kind::Number(n) => Some(Num::Exact(n.clone())),
            Kind::Float(x) => Some(Num::Float(*x)),
            _ => None,
        }
    }

    pub(super) fn to_f64(&self) -> f64 {
        match self {
            Num::Exact(n) => n.to_f64(),
            Num::Float(x) => *x,
        }
    }

    pub(super) fn add(&self, other: &Num) -> Num {
        match (self, other) {
            (Num::Exact(a), Num::Exact(b)) => Num::Exact(a + b),
            (a, b) => Num::Float(a.to_f64() + b.to_f64()),
        }
    }

    pub(super) fn mul(&self, other: &Num) -> Num {
        match (self, other) {
            (Num::Exact(a), Num::Exact(b)) => Num::Exact(a * b),
            (a, b) => Num::Float(a.to_f64() * b.to_f64()),
        }
    }

    pub(super) fn neg(&self) -> Num {
        match self {
            Num::Exact(a) => Num::Exact(-a),
            Num::Float(x) => Num::Float(-x),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            Num::Exact(n) => n.is_zero(),
            Num::Float(x) => *x == 0.0,
        }
    }

    pub(super) fn is_exact_one(&self) -> bool {
        matches!(self, Num::Exact(n) if n.is_one())
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Num::Exact(n) => n.is_negative(),
            Num::Float(x) => *x < 0.0,
        }
    }

    pub(super) fn expr(self) -> Expr {
        match self {
            Num::Exact(n) => Expr::number(n),
            Num::Float(x) => Expr::float(x),
        }
    }
}

impl Expr {
    /// An exact number.
    pub fn number(n: Number) -> Expr {
        Expr::raw(Kind::Number(n))
    }

    /// An integer.
    pub fn int(n: i64) -> Expr {
        Expr::number(Number::int(n))
    }

    /// The ratio of two integers; undefined (NaN) for a zero denominator.
    pub fn ratio(num: i64, den: i64) -> Expr {
        Number::ratio(num, den).map_or_else(|| Expr::float(f64::NAN), Expr::number)
    }

    /// 0.
    pub fn zero() -> Expr {
        Expr::number(Number::ZERO)
    }

    /// 1.
    pub fn one() -> Expr {
        Expr::number(Number::ONE)
    }

    /// A float. Infinities become `inf`.
    pub fn float(x: f64) -> Expr {
        if x.is_infinite() {
            let inf = Expr::constant(Constant::Infinity);
            return if x > 0.0 { inf } else { Expr::raw(Kind::Product([Expr::int(-1), inf].into())) };
        }
        Expr::raw(Kind::Float(x))
    }

    /// A symbol.
    pub fn symbol(name: impl Into<Symbol>) -> Expr {
        Expr::raw(Kind::Symbol(name.into()))
    }

    /// A named constant.
    pub fn constant(c: Constant) -> Expr {
        Expr::raw(Kind::Constant(c))
    }

    /// pi.
    pub fn pi() -> Expr {
        Expr::constant(Constant::Pi)
    }

    /// The imaginary unit.
    pub fn i() -> Expr {
        Expr::constant(Constant::I)
    }

    /// A unit as a factor; `[1]` is the number 1.
    pub fn unit(unit: Unit) -> Expr {
        if unit.is_one() { Expr::one() } else { Expr::raw(Kind::Unit(unit)) }
    }

    /// An uncertain number.
    pub fn uncertain(u: super::uncertain::Uncertain) -> Expr {
        Expr::raw(Kind::Uncertain(u))
    }

    /// The sum. Of quantities in different units of one dimension the first decides the unit.
    pub fn sum(items: impl IntoIterator<Item = Expr>) -> Expr {
        let mut constant = Num::Exact(Number::ZERO);
        let mut terms: Vec<Expr> = Vec::new();
        let mut with_units = 0;
        let mut zero_unit: Option<Unit> = None;
        let mut push = |e: &Expr, terms: &mut Vec<Expr>| match e.kind() {
            Kind::Product(items) if items[0].is_zero() => {
                if let Some(Kind::Unit(u)) = items.get(1).map(Expr::kind) {
                    zero_unit.get_or_insert_with(|| u.clone());
                }
            }
            Kind::Number(n) => {
                constant = match &constant {
                    Num::Exact(c) => Num::Exact(c + n),
                    Num::Float(c) => Num::Float(c + n.to_f64()),
                }
            }
            Kind::Float(x) => constant = Num::Float(constant.to_f64() + x),
            _ => {
                with_units += e.flags().has(Flags::UNIT) as usize;
                terms.push(e.clone());
            }
        };
        for item in items {
            match item.kind() {
                Kind::Sum(inner) => inner.iter().for_each(|e| push(e, &mut terms)),
                _ => push(&item, &mut terms),
            }
        }
        if with_units > 1 {
            unify_units(&mut terms);
        }
        if terms.iter().any(|t| t.flags().has(Flags::INFINITE))
            && let Some(result) = infinite_sum(&constant, &terms)
        {
            return result;
        }
        if terms.len() > 1 {
            if with_units > 0 && zero_unit.is_none() {
                zero_unit = terms.first().and_then(plain_quantity_unit);
            }
            terms.sort_unstable_by_key(|e| e.0.key);
            merge_terms(&mut terms);
            // Merging may uncover a number (a coefficient times a radical that became rational never does,
            // but a sum of products may collapse to one).
            if terms.iter().any(|t| t.0.key == NUMBER_KEY || matches!(t.kind(), Kind::Sum(_))) {
                terms.push(constant.expr());
                return Expr::sum(terms);
            }
        }
        if matches!(constant, Num::Float(x) if x.is_nan()) {
            return Expr::float(f64::NAN);
        }
        match (terms.len(), constant.is_zero()) {
            (0, true) => zero_unit.map_or_else(|| constant.expr(), zero_quantity),
            (0, false) => constant.expr(),
            (1, true) => terms.pop().unwrap_or_else(Expr::zero),
            (_, true) => Expr::raw(Kind::Sum(terms.into())),
            (_, false) => {
                terms.insert(0, constant.expr());
                Expr::raw(Kind::Sum(terms.into()))
            }
        }
    }

    /// The product.
    pub fn product(items: impl IntoIterator<Item = Expr>) -> Expr {
        let mut builder = Builder::default();
        for item in items {
            match item.kind() {
                Kind::Product(inner) => inner.iter().for_each(|e| builder.push(e)),
                _ => builder.push(&item),
            }
        }
        builder.finish()
    }

    /// `-self`.
    pub fn negate(&self) -> Expr {
        match self.kind() {
            Kind::Number(n) => Expr::number(-n),
            Kind::Float(x) => Expr::float(-x),
            Kind::Sum(items) => negate_sum(items),
            _ => self.scale(&Num::Exact(Number::MINUS_ONE)),
        }
    }

    /// `coefficient * self` for what is no sum or number.
    fn scale(&self, c: &Num) -> Expr {
        if c.is_exact_one() {
            return self.clone();
        }
        if self.is_plain_number() || matches!(self.kind(), Kind::Sum(_)) || c.is_zero() {
            return Expr::product([c.clone().expr(), self.clone()]);
        }
        // A numeric radical may share a prime with the coefficient: the product looks after it.
        if self.factors().iter().any(is_radical) {
            return Expr::product([c.clone().expr(), self.clone()]);
        }
        let (own, rest) = self.coefficient_and_factors();
        let c = own.and_then(Num::of).map_or(c.clone(), |own| own.mul(c));
        if c.is_exact_one() {
            return match rest {
                [only] => only.clone(),
                _ => Expr::raw(Kind::Product(rest.into())),
            };
        }
        let mut factors = Vec::with_capacity(rest.len() + 1);
        factors.push(c.expr());
        factors.extend_from_slice(rest);
        Expr::raw(Kind::Product(factors.into()))
    }
}

/// `0 [unit]`.
fn zero_quantity(unit: Unit) -> Expr {
    Expr::raw(Kind::Product([Expr::zero(), Expr::unit(unit)].into()))
}

/// The unit of a term that is a number times a unit.
fn plain_quantity_unit(e: &Expr) -> Option<Unit> {
    match e.factors() {
        [c, u] if !c.is_symbolic() => match (c.kind(), u.kind()) {
            (_, Kind::Unit(u)) | (Kind::Unit(u), _) => Some(u.clone()),
            _ => None,
        },
        [u] => match u.kind() {
            Kind::Unit(u) => Some(u.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn negate_sum(items: &[Expr]) -> Expr {
    let mut negated: Vec<Expr> = items.iter().map(Expr::negate).collect();
    // Keys do not depend on coefficients, so the order stands, except that a negated product of one
    // sum unfolds into its terms.
    if negated.iter().any(|e| matches!(e.kind(), Kind::Sum(_))) {
        return Expr::sum(negated);
    }
    if negated.len() == 1 {
        return negated.pop().unwrap_or_else(Expr::zero);
    }
    Expr::raw(Kind::Sum(negated.into()))
}

/// Whether two terms differ at most in their numeric coefficients.
fn same_rest(a: &Expr, b: &Expr) -> bool {
    if a.0.key != b.0.key {
        return false;
    }
    let (_, a) = a.coefficient_and_factors();
    let (_, b) = b.coefficient_and_factors();
    a == b
}

fn merge_terms(terms: &mut Vec<Expr>) {
    if terms.windows(2).all(|two| two[0].0.key != two[1].0.key) {
        return;
    }
    let mut merged: Vec<Expr> = Vec::with_capacity(terms.len());
    for term in terms.drain(..) {
        match merged.last_mut() {
            Some(last) if same_rest(last, &term) => {
                let one = Num::Exact(Number::ONE);
                let a = last.coefficient_and_factors().0.and_then(Num::of).unwrap_or_else(|| one.clone());
                let b = term.coefficient_and_factors().0.and_then(Num::of).unwrap_or(one);
                let c = a.add(&b);
                if c.is_zero() {
                    merged.pop();
                    continue;
                }
                let (_, rest) = term.coefficient_and_factors();
                let rest = match rest {
                    [only] => only.clone(),
                    _ => Expr::raw(Kind::Product(rest.into())),
                };
                *last = match rest.kind() {
                    Kind::Sum(_) => Expr::product([c.expr(), rest]),
                    _ => rest.scale(&c),
                };
            }
            _ => merged.push(term),
        }
    }
    *terms = merged;
}

/// Rewrites plain quantities (number times unit) in the unit of the first one of the same dimension.
fn unify_units(terms: &mut [Expr]) {
    let quantity = |e: &Expr| -> Option<(Expr, Unit)> {
        let (rest, unit) = e.split_unit();
        match unit {
            Some(unit) if !rest.flags().has(Flags::UNIT) => Some((rest, unit)),
            _ => None,
        }
    };
    let mut first: Vec<Unit> = Vec::new();
    for term in terms.iter_mut() {
        let Some((value, unit)) = quantity(term) else { continue };
        match first.iter().find(|u| u.dimension() == unit.dimension()) {
            Some(target) if *target == unit => {}
            Some(target) => {
                if let Ok(scale) = unit.convert_scale(target) {
                    *term = Expr::product([value, Expr::scale_factor(&scale), Expr::unit(target.clone())]);
                }
            }
            None => first.push(unit),
        }
    }
}

fn infinite_sum(constant: &Num, terms: &[Expr]) -> Option<Expr> {
    let mut sign = 0;
    for term in terms {
        let s = match term.kind() {
            Kind::Constant(Constant::Infinity) => 1,
            Kind::Product(items)
                if items.len() == 2 && matches!(items[1].kind(), Kind::Constant(Constant::Infinity)) =>
            {
                if items[0].is_negated() {
                    -1
                } else {
                    1
                }
            }
            _ if term.is_symbolic() || term.flags().has(Flags::INFINITE) => return None,
            _ => continue,
        };
        if sign * s < 0 {
            return Some(Expr::float(f64::NAN));
        }
        sign = s;
    }
    if matches!(constant, Num::Float(x) if x.is_nan()) {
        return Some(Expr::float(f64::NAN));
    }
    Some(Expr::float(if sign < 0 { f64::NEG_INFINITY } else { f64::INFINITY }))
}

/// A radical of a positive integer: `n^(p/q)` with `-1 < p/q < 1`.
pub(super) fn is_radical(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Power(b, x) if b.as_number().is_some() && x.as_number().is_some())
}

macro_rules! operators {
    ($($trait:ident $method:ident |$a:ident, $b:ident| $body:expr;)*) => {$(
        impl std::ops::$trait<&Expr> for &Expr {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                let ($a, $b) = (self, other);
                $body
            }
        }
        impl std::ops::$trait<Expr> for Expr {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                std::ops::$trait::$method(&self, &other)
            }
        }
        impl std::ops::$trait<&Expr> for Expr {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                std::ops::$trait::$method(&self, other)
            }
        }
        impl std::ops::$trait<Expr> for &Expr {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                std::ops::$trait::$method(self, &other)
            }
        }
    )*};
}

operators! {
    Add add |a, b| Expr::sum([a.clone(), b.clone()]);
    Sub sub |a, b| Expr::sum([a.clone(), b.negate()]);
    Mul mul |a, b| Expr::product([a.clone(), b.clone()]);
    Div div |a, b| Expr::product([a.clone(), Expr::power(b.clone(), Expr::int(-1))]);
}

impl std::ops::Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.negate()
    }
}

impl std::ops::Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.negate()
    }
}
