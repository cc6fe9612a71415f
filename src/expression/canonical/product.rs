//! Products in canonical form: numbers, powers of `i`, units, exponentials and radicals are gathered while the factors
//! come in, equal bases merged when all are there.

use super::{Num, is_radical, negate_sum, zero_quantity};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Flags, Kind};
use crate::expression::symbol::Constant;
use crate::units::Unit;

/// Collects the factors of a product.
#[derive(Default)]
pub(super) struct Builder {
    coefficient: Option<Num>,
    /// Power of `i`, modulo 4.
    imaginary: i64,
    unit: Option<Unit>,
    exponentials: Vec<Expr>,
    factors: Vec<Expr>,
    radicals: bool,
    complex: usize,
}

impl Builder {
    pub(super) fn multiply(&mut self, n: Num) {
        self.coefficient = Some(match &self.coefficient {
            None => n,
            Some(c) => c.mul(&n),
        });
    }

    pub(super) fn push(&mut self, e: &Expr) {
        match e.kind() {
            Kind::Number(n) => match &mut self.coefficient {
                Some(Num::Exact(c)) => *c = &*c * n,
                _ => self.multiply(Num::Exact(n.clone())),
            },
            Kind::Float(x) => self.multiply(Num::Float(*x)),
            Kind::Constant(Constant::I) => self.imaginary += 1,
            Kind::Unit(u) => self.push_unit(u),
            Kind::Call(Function::Exp, args) => self.exponentials.push(args[0].clone()),
            Kind::Product(inner) => inner.iter().for_each(|e| self.push(e)),
            // Signs of sums go to the coefficient, before equal bases are looked for: (a - b)*(b - a) is -(a - b)^2.
            Kind::Sum(items) if leads_negative(items) => {
                self.multiply(Num::Exact(Number::MINUS_ONE));
                self.complex += e.flags().has(Flags::IMAGINARY) as usize;
                self.factors.push(e.negate());
            }
            _ => {
                self.radicals |= is_radical(e);
                self.complex += e.flags().has(Flags::IMAGINARY) as usize;
                self.factors.push(e.clone());
            }
        }
    }

    pub(super) fn push_unit(&mut self, u: &Unit) {
        let Some(own) = self.unit.take() else {
            self.unit = Some(u.clone());
            return;
        };
        // Two units: to coherent SI, the scale goes to the coefficient.
        let Some(dimension) = own.dimension().mul(u.dimension()) else {
            // The exponents left the range of a dimension: keep both, the units check reports it.
            self.unit = Some(own);
            self.factors.push(Expr::unit(u.clone()));
            return;
        };
        let scale = own.scale().mul(u.scale());
        self.unit = Some(Unit::coherent(dimension)).filter(|u| !u.is_one());
        let factor = Expr::scale_factor(&scale);
        self.push(&factor);
    }

    pub(super) fn finish(mut self) -> Expr {
        let mut coefficient = self.coefficient.take().unwrap_or(Num::Exact(Number::ONE));
        if coefficient.is_zero() {
            // 0 absorbs what has a value; what has none stays undefined.
            let bad = self.factors.iter().any(|f| f.flags().has(Flags::UNDEFINED.with(Flags::INFINITE)));
            if bad {
                return Expr::float(f64::NAN);
            }
            // A zero quantity keeps its unit: `0 [m]`.
            return match self.unit {
                Some(unit) if self.factors.is_empty() && !unit.is_one() => zero_quantity(unit),
                _ => coefficient.expr(),
            };
        }
        match self.imaginary.rem_euclid(4) {
            0 => {}
            1 => self.factors.push(Expr::i()),
            2 => coefficient = coefficient.neg(),
            _ => {
                coefficient = coefficient.neg();
                self.factors.push(Expr::i());
            }
        }
        if self.complex > 0
            && let Some(result) = self.multiply_complex(&coefficient)
        {
            return result;
        }
        match self.exponentials.len() {
            0 => {}
            1 => self.factors.push(Expr::call(Function::Exp, vec![self.exponentials.remove(0)])),
            _ => {
                let merged =
                    Expr::call(Function::Exp, vec![Expr::sum(std::mem::take(&mut self.exponentials))]);
                match Num::of(&merged) {
                    Some(n) => coefficient = coefficient.mul(&n),
                    None => self.factors.extend_from_slice(merged.factors()),
                }
            }
        }
        let mut again = false;
        if self.factors.len() > 1 {
            self.factors.sort_unstable_by_key(base_hash);
            again = merge_factors(&mut self.factors, &mut coefficient);
        }
        if again {
            // A merged power unfolded into several factors: once more, from the start.
            let mut next = Builder { coefficient: Some(coefficient), unit: self.unit, ..Builder::default() };
            for f in &self.factors {
                next.push(f);
            }
            return next.finish();
        }
        if self.radicals && (self.factors.len() > 1 || !coefficient.is_exact_one()) {
            fold_radicals(&mut coefficient, &mut self.factors);
        }
        if self.factors.iter().any(|f| f.flags().has(Flags::INFINITE))
            && let Some(result) = infinite_product(&coefficient, &self.factors)
        {
            return result;
        }
        if let Some(unit) = self.unit {
            let unit = Expr::unit(unit);
            if !unit.is_one() {
                let at = self.factors.partition_point(|f| base_hash(f) < base_hash(&unit));
                self.factors.insert(at, unit);
            }
        }
        assemble(coefficient, self.factors)
    }

    /// Multiplies numeric complex factors (`1 + 2i`) out; `None` where there are fewer than two parts.
    pub(super) fn multiply_complex(&mut self, coefficient: &Num) -> Option<Expr> {
        let mut value: Option<(Num, Num)> = None;
        let mut count = 0;
        let mut rest = Vec::new();
        for f in &self.factors {
            match complex_parts(f) {
                Some((re, im)) => {
                    count += 1;
                    value = Some(match value {
                        None => (re, im),
                        Some((a, b)) => (a.mul(&re).add(&b.mul(&im).neg()), a.mul(&im).add(&b.mul(&re))),
                    });
                }
                None => rest.push(f.clone()),
            }
        }
        let (re, im) = value?;
        if count < 2
            && (coefficient.is_exact_one()
                || self.unit.is_some()
                || !self.exponentials.is_empty()
                || !matches!(self.factors.as_slice(), [f] if matches!(f.kind(), Kind::Sum(_))))
        {
            return None;
        }
        let (re, im) = (re.mul(coefficient), im.mul(coefficient));
        let number = Expr::sum([re.expr(), assemble(im, vec![Expr::i()])]);
        rest.extend(self.exponentials.drain(..).map(|x| Expr::call(Function::Exp, vec![x])));
        if let Some(unit) = self.unit.take() {
            rest.push(Expr::unit(unit));
        }
        if rest.is_empty() {
            return Some(number);
        }
        rest.push(number);
        Some(Expr::product(rest))
    }
}

/// Real and imaginary part of a numeric complex number, `i` itself included.
pub(in crate::expression) fn complex_parts(e: &Expr) -> Option<(Num, Num)> {
    let imaginary = |e: &Expr| -> Option<Num> {
        match e.kind() {
            Kind::Constant(Constant::I) => Some(Num::Exact(Number::ONE)),
            Kind::Product(items)
                if items.len() == 2 && matches!(items[1].kind(), Kind::Constant(Constant::I)) =>
            {
                Num::of(&items[0])
            }
            _ => None,
        }
    };
    match e.kind() {
        Kind::Sum(items) if items.len() == 2 => Some((Num::of(&items[0])?, imaginary(&items[1])?)),
        _ => Some((Num::Exact(Number::ZERO), imaginary(e)?)),
    }
}

pub(in crate::expression) fn base_hash(e: &Expr) -> u64 {
    match e.kind() {
        Kind::Power(b, _) => b.0.hash,
        _ => e.0.hash,
    }
}

/// Whether the first non-constant term of a sum has a negative coefficient.
pub(in crate::expression) fn leads_negative(items: &[Expr]) -> bool {
    items.iter().find(|t| !t.is_plain_number()).is_some_and(Expr::is_negated)
}

/// The product of a coefficient and sorted, merged factors.
fn assemble(coefficient: Num, mut factors: Vec<Expr>) -> Expr {
    match factors.len() {
        0 => return coefficient.expr(),
        1 => {
            if coefficient.is_exact_one() {
                return factors.pop().unwrap_or_else(Expr::one);
            }
            if let Kind::Sum(items) = factors[0].kind()
                && matches!(&coefficient, Num::Exact(n) if n.is_minus_one())
            {
                return negate_sum(items);
            }
        }
        _ => {}
    }
    if !coefficient.is_exact_one() {
        factors.insert(0, coefficient.expr());
    }
    Expr::raw(Kind::Product(factors.into()))
}

/// Combines powers of equal bases among sorted factors. True where a result must be taken apart again.
fn merge_factors(factors: &mut Vec<Expr>, coefficient: &mut Num) -> bool {
    if factors.windows(2).all(|two| base_hash(&two[0]) != base_hash(&two[1])) {
        return false;
    }
    let mut again = false;
    let mut at = 0;
    let mut merged: Vec<Expr> = Vec::with_capacity(factors.len());
    while at < factors.len() {
        let mut end = at + 1;
        let first = base_hash(&factors[at]);
        while end < factors.len() && base_hash(&factors[end]) == first {
            end += 1;
        }
        if end == at + 1 {
            merged.push(factors[at].clone());
        } else {
            again |= merge_group(&factors[at..end], &mut merged, coefficient);
        }
        at = end;
    }
    *factors = merged;
    again
}

fn merge_group(group: &[Expr], merged: &mut Vec<Expr>, coefficient: &mut Num) -> bool {
    let base = match group[0].kind() {
        Kind::Power(b, _) => b.clone(),
        _ => group[0].clone(),
    };
    let numeric_base = match base.kind() {
        Kind::Constant(c) => matches!(c, Constant::Pi | Constant::E),
        Kind::Uncertain(u) => u.value() != 0.0,
        _ => base.is_plain_number(),
    };
    let (mut positive, mut negative, mut symbolic) = (Vec::new(), Vec::new(), Vec::new());
    for f in group {
        let (b, e) = f.base_exponent();
        if b != base {
            // Two bases with one hash: keep both as they are.
            merged.push(f.clone());
            continue;
        }
        match Num::of(&e) {
            Some(n) if numeric_base || !n.is_negative() => positive.push(e),
            Some(_) => negative.push(e),
            None => symbolic.push(e),
        }
    }
    let mut again = false;
    let mut put = |exponent: Expr| {
        let power = Expr::power(base.clone(), exponent);
        match power.kind() {
            Kind::Number(_) | Kind::Float(_) => {
                if let Some(n) = Num::of(&power) {
                    *coefficient = coefficient.mul(&n);
                }
            }
            Kind::Product(_) => {
                again = true;
                merged.push(power);
            }
            Kind::Power(b, _) if *b == base => merged.push(power),
            _ if power == base => merged.push(power),
            _ => {
                again = true;
                merged.push(power);
            }
        }
    };
    if !symbolic.is_empty() {
        let mut all = symbolic.clone();
        all.extend(positive.iter().cloned());
        let total = Expr::sum(all);
        if total.is_plain_number() && !numeric_base {
            symbolic.into_iter().for_each(&mut put);
        } else {
            put(total);
            positive.clear();
        }
    }
    if !positive.is_empty() {
        put(Expr::sum(positive));
    }
    if !negative.is_empty() {
        put(Expr::sum(negative));
    }
    again
}

/// Brings numeric radicals and the coefficient to one form: every prime has one exponent; its integer
/// part (towards 0) goes to the coefficient, its fraction stays under the root, primes with equal
/// fractions together.
fn fold_radicals(coefficient: &mut Num, factors: &mut Vec<Expr>) {
    let mut primes: std::collections::BTreeMap<Number, Number> = std::collections::BTreeMap::new();
    let mut signs: Vec<Expr> = Vec::new();
    factors.retain(|f| {
        let Kind::Power(b, e) = f.kind() else { return true };
        let (Some(base), Some(exponent)) = (b.as_number(), e.as_number()) else { return true };
        if !base.is_positive() || !base.is_integer() {
            signs.push(f.clone());
            return false;
        }
        for (prime, times) in crate::expression::power::small_factors(base) {
            let total = &Number::int(times) * exponent;
            let entry = primes.entry(prime).or_insert(Number::ZERO);
            *entry = &*entry + &total;
        }
        false
    });
    if let Num::Exact(c) = coefficient {
        let (mut num, mut den) = (c.numerator(), c.denominator());
        for (prime, exponent) in primes.iter_mut() {
            let mut moved = 0i64;
            while let Some(q) = num.checked_div(prime).filter(|q| q.is_integer() && !num.is_zero()) {
                num = q;
                moved += 1;
            }
            while let Some(q) = den.checked_div(prime).filter(Number::is_integer) {
                den = q;
                moved -= 1;
            }
            *exponent = &*exponent + &Number::int(moved);
        }
        *c = num.checked_div(&den).unwrap_or(Number::ONE);
    }
    let mut groups: std::collections::BTreeMap<Number, Number> = std::collections::BTreeMap::new();
    for (prime, exponent) in primes {
        let whole = if exponent.is_negative() { -(-&exponent).floor() } else { exponent.floor() };
        let fraction = &exponent - &whole;
        if let Some(factor) = whole.to_i64().and_then(|w| i32::try_from(w).ok()).and_then(|w| prime.pow(w)) {
            *coefficient = coefficient.mul(&Num::Exact(factor));
        }
        if !fraction.is_zero() {
            let entry = groups.entry(fraction).or_insert(Number::ONE);
            *entry = &*entry * &prime;
        }
    }
    factors.extend(signs);
    for (exponent, base) in groups {
        factors.push(Expr::raw(Kind::Power(Expr::number(base), Expr::number(exponent))));
    }
    factors.sort_unstable_by_key(base_hash);
}

fn infinite_product(coefficient: &Num, factors: &[Expr]) -> Option<Expr> {
    let mut sign = if coefficient.is_negative() { -1.0 } else { 1.0 };
    for f in factors {
        match f.kind() {
            Kind::Constant(Constant::Infinity) => {}
            Kind::Constant(Constant::Pi | Constant::E) => {}
            _ if is_radical(f) => {}
            Kind::Uncertain(u) if u.value() != 0.0 => sign *= u.value().signum(),
            _ => return None,
        }
    }
    Some(if sign > 0.0 {
        Expr::constant(Constant::Infinity)
    } else {
        Expr::raw(Kind::Product([Expr::int(-1), Expr::constant(Constant::Infinity)].into()))
    })
}
