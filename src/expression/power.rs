//! The canonical power. Over the complex numbers with the principal branch, so that nothing needs an
//! assumption: `(x^a)^n = x^(a*n)` and `(x*y)^n = x^n*y^n` for integer n; a positive number, `pi`, `e` and units
//! come out of any power; numeric radicals keep exponents between -1 and 1.

use super::canonical::{Num, complex_parts, leads_negative};
use super::function::Function;
use super::node::{Expr, Flags, Kind};
use super::symbol::Constant;
use crate::base::Number;

/// Integer powers of numbers are carried out up to this many digits.
const MAX_DIGITS: usize = 20_000;

impl Expr {
    /// `base ^ exponent`.
    pub fn power(base: Expr, exponent: Expr) -> Expr {
        if exponent.is_one() {
            return base;
        }
        if let Kind::Number(n) = exponent.kind() {
            if n.is_zero() {
                // 0^0 = 1, as polynomials and series need it.
                return if base.is_undefined() { base } else { Expr::one() };
            }
            return number_power(base, n.clone(), exponent);
        }
        if let Kind::Float(x) = exponent.kind() {
            return float_power(base, *x, exponent);
        }
        match base.kind() {
            Kind::Constant(Constant::E) => return Expr::call(Function::Exp, vec![exponent]),
            Kind::Number(n) if n.is_one() => return base,
            _ => {}
        }
        Expr::raw(Kind::Power(base, exponent))
    }

    /// The square root.
    pub fn sqrt(self) -> Expr {
        Expr::power(self, Expr::number(Number::HALF))
    }

    /// `1/self`.
    pub fn recip(&self) -> Expr {
        Expr::power(self.clone(), Expr::int(-1))
    }

    /// `self ^ n`.
    pub fn powi(&self, n: i64) -> Expr {
        Expr::power(self.clone(), Expr::int(n))
    }

    /// The unit among the factors of a product, and what is left without it.
    pub fn split_unit(&self) -> (Expr, Option<crate::units::Unit>) {
        match self.kind() {
            Kind::Unit(u) => (Expr::one(), Some(u.clone())),
            Kind::Product(items) => {
                let unit = items.iter().find_map(|f| match f.kind() {
                    Kind::Unit(u) => Some(u.clone()),
                    _ => None,
                });
                match unit {
                    None => (self.clone(), None),
                    Some(u) => {
                        let rest: Vec<Expr> =
                            items.iter().filter(|f| !matches!(f.kind(), Kind::Unit(_))).cloned().collect();
                        (Expr::product(rest), Some(u))
                    }
                }
            }
            _ => (self.clone(), None),
        }
    }

    /// The factor a scale is worth: an exact number, powers of pi, or a float.
    pub fn scale_factor(scale: &crate::units::Scale) -> Expr {
        let mut factors = vec![Expr::number(scale.exact().clone())];
        if scale.pi_power() != 0 {
            factors.push(Expr::pi().powi(scale.pi_power() as i64));
        }
        if let Some((value, _)) = scale.float() {
            factors.push(Expr::float(value));
        }
        Expr::product(factors)
    }
}

fn number_power(base: Expr, n: Number, exponent: Expr) -> Expr {
    let integer = n.is_integer();
    match base.kind() {
        Kind::Number(b) => return exact_power(b, &n, &base, exponent),
        Kind::Float(b) => {
            return float_value(*b, n.to_f64()).unwrap_or_else(|| Expr::raw(Kind::Power(base, exponent)));
        }
        Kind::Constant(Constant::E) => return Expr::call(Function::Exp, vec![exponent]),
        Kind::Constant(Constant::I) if integer => {
            let quarter = n.to_i64().unwrap_or(0).rem_euclid(4);
            return match quarter {
                0 => Expr::one(),
                1 => base,
                2 => Expr::int(-1),
                _ => Expr::i().negate(),
            };
        }
        Kind::Constant(Constant::Infinity) => {
            return if n.is_positive() { base } else { Expr::zero() };
        }
        Kind::Unit(u) => {
            if let Ok(power) = u.pow(&n) {
                return unit_power(u, power);
            }
        }
        Kind::Power(b, e) if integer => return Expr::power(b.clone(), Expr::product([e.clone(), exponent])),
        Kind::Call(Function::Exp, args) if integer => {
            return Expr::call(Function::Exp, vec![Expr::product([args[0].clone(), exponent])]);
        }
        Kind::Product(items) if integer => {
            return Expr::product(items.iter().map(|f| Expr::power(f.clone(), exponent.clone())));
        }
        Kind::Product(items) => {
            if let Some(split) = extract_positive(items, &exponent) {
                return split;
            }
        }
        Kind::Sum(items) if integer => {
            if base.flags().has(Flags::IMAGINARY)
                && let Some(value) = complex_power(&base, &n)
            {
                return value;
            }
            if leads_negative(items) {
                let positive = Expr::raw(Kind::Power(base.negate(), exponent));
                return if n.is_even() { positive } else { positive.negate() };
            }
        }
        _ => {}
    }
    Expr::raw(Kind::Power(base, exponent))
}

/// A power of a unit: a coherent one by its dimension (`[m/s]^2` is `[m^2/s^2]`), another to SI.
fn unit_power(unit: &crate::units::Unit, power: crate::units::Unit) -> Expr {
    if power.dimension().is_none() && power.is_coherent() {
        return Expr::one();
    }
    let coherent = Expr::unit(crate::units::Unit::coherent(power.dimension()));
    if unit.is_coherent() {
        return coherent;
    }
    Expr::product([Expr::scale_factor(power.scale()), coherent])
}

fn exact_power(b: &Number, n: &Number, base: &Expr, exponent: Expr) -> Expr {
    if b.is_one() {
        return base.clone();
    }
    if b.is_zero() {
        return if n.is_positive() { base.clone() } else { undefined_power(base, exponent) };
    }
    if n.is_integer() {
        let result = n
            .to_i64()
            .and_then(|k| i32::try_from(k).ok())
            .filter(|k| {
                b.digits().saturating_mul(k.unsigned_abs() as usize) <= MAX_DIGITS || b.is_minus_one()
            })
            .and_then(|k| b.pow(k));
        if b.is_minus_one() {
            return Expr::int(if n.is_even() { 1 } else { -1 });
        }
        return result.map_or_else(|| Expr::raw(Kind::Power(base.clone(), exponent)), Expr::number);
    }
    if b.is_negative() {
        let positive = Expr::power(Expr::number(-b), exponent.clone());
        let twice = &Number::TWO * n;
        if let Some(k) = twice.to_i64() {
            // A half-integer power of -1 is a power of i.
            return Expr::product([positive, Expr::i().powi(k)]);
        }
        let minus = Expr::raw(Kind::Power(Expr::int(-1), exponent));
        return if positive.is_one() { minus } else { Expr::product([positive, minus]) };
    }
    radical(b, n)
}

/// `b ^ n` for positive `b` and a fraction `n`: rational part out, one radical a fraction.
fn radical(b: &Number, n: &Number) -> Expr {
    let mut coefficient = Number::ONE;
    let mut groups: std::collections::BTreeMap<Number, Number> = std::collections::BTreeMap::new();
    for (part, sign) in [(b.numerator(), 1), (b.denominator(), -1)] {
        for (prime, times) in small_factors(&part) {
            let total = &Number::int(times * sign) * n;
            let whole = if total.is_negative() { -(-&total).floor() } else { total.floor() };
            let fraction = &total - &whole;
            if let Some(factor) =
                whole.to_i64().and_then(|w| i32::try_from(w).ok()).and_then(|w| prime.pow(w))
            {
                coefficient = &coefficient * &factor;
            }
            if !fraction.is_zero() {
                let entry = groups.entry(fraction).or_insert(Number::ONE);
                *entry = &*entry * &prime;
            }
        }
    }
    let mut factors: Vec<Expr> = groups
        .into_iter()
        .map(|(exponent, base)| Expr::raw(Kind::Power(Expr::number(base), Expr::number(exponent))))
        .collect();
    if factors.is_empty() {
        return Expr::number(coefficient);
    }
    if coefficient.is_one() && factors.len() == 1 {
        return factors.remove(0);
    }
    factors.sort_unstable_by_key(super::canonical::base_hash);
    if !coefficient.is_one() {
        factors.insert(0, Expr::number(coefficient));
    }
    Expr::raw(Kind::Product(factors.into()))
}

/// The factors of a positive integer: primes below 1000 with their multiplicities, then what is left, itself
/// taken apart only where it is a perfect power. 1 has none.
pub(super) fn small_factors(n: &Number) -> Vec<(Number, i64)> {
    let mut left = n.clone();
    let mut found = Vec::new();
    if let Some(mut small) = left.to_i64() {
        let mut d = 2;
        while d < 1000 && d * d <= small {
            let mut times = 0;
            while small % d == 0 {
                small /= d;
                times += 1;
            }
            if times > 0 {
                found.push((Number::int(d), times));
            }
            d += if d == 2 { 1 } else { 2 };
        }
        left = Number::int(small);
    } else {
        for d in std::iter::once(2).chain((3..1000).step_by(2)) {
            let d = Number::int(d);
            let mut times = 0;
            while let Some(q) = left.checked_div(&d).filter(Number::is_integer) {
                left = q;
                times += 1;
            }
            if times > 0 {
                found.push((d, times));
            }
        }
    }
    if !left.is_one() {
        let (base, times) = [2u32, 3, 5, 7]
            .into_iter()
            .find_map(|k| left.exact_root(k).map(|r| (r, k as i64)))
            .unwrap_or((left, 1));
        found.push((base, times));
    }
    found
}

/// `0^-n`: has no value, and says so through its flag.
fn undefined_power(base: &Expr, exponent: Expr) -> Expr {
    let nan = Expr::float(f64::NAN);
    // The node keeps what was divided, for the message; NaN inside marks it.
    Expr::raw(Kind::Product([nan, Expr::raw(Kind::Power(base.clone(), exponent))].into()))
}

fn float_value(b: f64, n: f64) -> Option<Expr> {
    if b == 0.0 && n < 0.0 {
        return Some(Expr::float(f64::NAN));
    }
    if b < 0.0 && n.fract() != 0.0 {
        let size = (-b).powf(n);
        let angle = std::f64::consts::PI * n;
        let (mut re, im) = (size * angle.cos(), size * angle.sin());
        if (n * 2.0).fract() == 0.0 {
            re = 0.0;
        }
        let imaginary = Expr::product([Expr::float(im), Expr::i()]);
        return Some(if re == 0.0 { imaginary } else { Expr::sum([Expr::float(re), imaginary]) });
    }
    let value = if n.fract() == 0.0 && n.abs() <= 64.0 { b.powi(n as i32) } else { b.powf(n) };
    Some(Expr::float(value))
}

fn float_power(base: Expr, x: f64, exponent: Expr) -> Expr {
    if x == 0.0 {
        return Expr::one();
    }
    match base.kind() {
        Kind::Number(b) if b.is_one() => base,
        Kind::Number(b) => {
            float_value(b.to_f64(), x).unwrap_or_else(|| Expr::raw(Kind::Power(base, exponent)))
        }
        Kind::Float(b) => float_value(*b, x).unwrap_or_else(|| Expr::raw(Kind::Power(base, exponent))),
        Kind::Constant(Constant::E) => Expr::float(x.exp()),
        Kind::Constant(Constant::Pi) => Expr::float(std::f64::consts::PI.powf(x)),
        Kind::Product(items) => match extract_positive(items, &exponent) {
            Some(split) => split,
            None => Expr::raw(Kind::Power(base, exponent)),
        },
        Kind::Unit(u) => {
            // A unit takes a float power only where the float is a simple fraction.
            match Number::from_f64_decimal(x).and_then(|n| u.pow(&n).ok()) {
                Some(power) => unit_power(u, power),
                None => Expr::raw(Kind::Power(base, exponent)),
            }
        }
        _ => Expr::raw(Kind::Power(base, exponent)),
    }
}

/// Takes positive numbers, `pi`, `e`, units, radicals and exponentials of numbers out of a product under a
/// power; `None` where there is nothing to take.
fn extract_positive(items: &[Expr], exponent: &Expr) -> Option<Expr> {
    let mut out: Vec<Expr> = Vec::new();
    let mut inside: Vec<Expr> = Vec::new();
    for f in items {
        match f.kind() {
            Kind::Number(n) if n.is_positive() => out.push(f.clone()),
            Kind::Number(n) if !n.is_minus_one() => {
                out.push(Expr::number(-n));
                inside.push(Expr::int(-1));
            }
            Kind::Float(x) if *x > 0.0 => out.push(f.clone()),
            Kind::Float(x) if *x < 0.0 => {
                out.push(Expr::float(-x));
                inside.push(Expr::int(-1));
            }
            Kind::Constant(Constant::Pi | Constant::E) | Kind::Unit(_) => out.push(f.clone()),
            Kind::Power(b, e)
                if matches!(b.kind(), Kind::Number(n) if n.is_positive())
                    || (matches!(b.kind(), Kind::Constant(Constant::Pi)) && e.is_plain_number()) =>
            {
                out.push(f.clone());
            }
            Kind::Uncertain(u) if u.value() > 0.0 => out.push(f.clone()),
            _ => inside.push(f.clone()),
        }
    }
    if out.is_empty() {
        return None;
    }
    let mut factors: Vec<Expr> = out
        .into_iter()
        .map(|f| match f.kind() {
            Kind::Power(b, e) => Expr::power(b.clone(), Expr::product([e.clone(), exponent.clone()])),
            _ => Expr::power(f, exponent.clone()),
        })
        .collect();
    if !inside.is_empty() {
        factors.push(Expr::power(Expr::product(inside), exponent.clone()));
    }
    Some(Expr::product(factors))
}

/// An integer power of a numeric complex number.
fn complex_power(base: &Expr, n: &Number) -> Option<Expr> {
    let (re, im) = complex_parts(base)?;
    let k = n.to_i64().filter(|k| k.abs() <= 64)?;
    let (mut a, mut b) = (Num::Exact(Number::ONE), Num::Exact(Number::ZERO));
    for _ in 0..k.abs() {
        (a, b) = (a.mul(&re).add(&b.mul(&im).neg()), a.mul(&im).add(&b.mul(&re)));
    }
    if k < 0 {
        let size = a.mul(&a).add(&b.mul(&b));
        let inverse = match &size {
            Num::Exact(s) => Num::Exact(s.recip()?),
            Num::Float(s) => Num::Float(1.0 / s),
        };
        (a, b) = (a.mul(&inverse), b.neg().mul(&inverse));
    }
    Some(Expr::sum([a.expr(), Expr::product([b.expr(), Expr::i()])]))
}
