//! Rational functions in factored form: a number, a Laurent monomial and pairwise different polynomials with
//! integer exponents. A sum takes the common powers of both sides out (denominators have negative ones,
//! so this finds the common denominator) and adds what is left; denominators are made coprime by
//! divisors first, and every new numerator is divided by what it shares with a denominator. Whatever cancels is
//! remembered: there the original was not defined.

use super::gcd::gcd;
use super::kernels::Kernels;
use super::polynomial::{MAX_GENERATORS, Monomial, Poly};
use crate::base::Number;
use crate::expression::{Expr, Kind};

/// A rational function of the generators.
#[derive(Clone, Debug)]
pub(super) struct Fraction {
    pub(super) number: Number,
    pub(super) powers: [i32; MAX_GENERATORS],
    /// Primitive, not constant, without monomial factors; different from each other.
    pub(super) factors: Vec<(Poly, i32)>,
    /// What was cancelled.
    pub(super) removed: Vec<Poly>,
}

/// Whether two polynomials have generators in common.
fn related(a: &Poly, b: &Poly) -> bool {
    a.variables() & b.variables() != 0
}

impl Fraction {
    pub(super) fn number(number: Number) -> Fraction {
        Fraction { number, powers: [0; MAX_GENERATORS], factors: Vec::new(), removed: Vec::new() }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.number.is_zero()
    }

    fn from_poly(p: &Poly) -> Option<Fraction> {
        let (number, rest) = p.primitive();
        let mut out = Fraction::number(number);
        let common = rest.monomial_content();
        for (i, e) in out.powers.iter_mut().enumerate() {
            *e = common.exponent(i) as i32;
        }
        let rest = rest.over_monomial(&common)?;
        if !rest.is_zero() && rest.as_constant().is_none() {
            out.factors.push((rest, 1));
        }
        Some(out)
    }

    /// Multiplies by `generator ^ exponent`.
    fn put_power(&mut self, generator: usize, exponent: i32) -> Option<()> {
        let own = &mut self.powers[generator];
        if (*own > 0 && exponent < 0) || (*own < 0 && exponent > 0) {
            self.removed.push(Poly::generator(generator));
        }
        *own = own.checked_add(exponent)?;
        Some(())
    }

    /// Multiplies by `factor ^ exponent`; divisors shared with factors on the other side of the bar
    /// cancel.
    fn put(&mut self, factor: Poly, exponent: i32) -> Option<()> {
        let mut waiting = vec![(factor, exponent)];
        while let Some((p, e)) = waiting.pop() {
            if e == 0 || p.as_constant().is_some() {
                continue;
            }
            if let Some(at) = self.factors.iter().position(|(q, _)| *q == p) {
                let own = &mut self.factors[at].1;
                if (*own > 0) != (e > 0) {
                    self.removed.push(p);
                }
                *own = own.checked_add(e)?;
                if *own == 0 {
                    self.factors.remove(at);
                }
                continue;
            }
            let mut shared = None;
            for (at, (q, k)) in self.factors.iter().enumerate() {
                if (*k < 0 || e < 0) && related(&p, q) {
                    let g = gcd(&p, q)?;
                    if g.as_constant().is_none() {
                        shared = Some((at, g));
                        break;
                    }
                }
            }
            match shared {
                None => self.factors.push((p, e)),
                Some((at, g)) => {
                    let (q, k) = self.factors.remove(at);
                    let rest_q = q.exact_div(&g)?.primitive().1;
                    let rest_p = p.exact_div(&g)?.primitive().1;
                    // Both are primitive with positive first coefficients, so numbers do not arise.
                    waiting.push((rest_p, e));
                    waiting.push((g.clone(), e));
                    waiting.push((g, k));
                    waiting.push((rest_q, k));
                }
            }
        }
        Some(())
    }

    pub(super) fn times(mut self, other: Fraction) -> Option<Fraction> {
        self.number = &self.number * &other.number;
        for (i, e) in other.powers.iter().enumerate() {
            if *e != 0 {
                self.put_power(i, *e)?;
            }
        }
        for (p, e) in other.factors {
            self.put(p, e)?;
        }
        self.removed.extend(other.removed);
        Some(self)
    }

    /// The integer power; `None` for a division by 0. A pole that becomes a zero is remembered.
    pub(super) fn pow(mut self, n: i64) -> Option<Fraction> {
        let n = i32::try_from(n).ok()?;
        if n < 0 {
            for (i, e) in self.powers.iter().enumerate() {
                if *e < 0 {
                    self.removed.push(Poly::generator(i));
                }
            }
            let poles: Vec<Poly> =
                self.factors.iter().filter(|(_, e)| *e < 0).map(|(p, _)| p.clone()).collect();
            self.removed.extend(poles);
        }
        if self.is_zero() && n <= 0 {
            return None;
        }
        self.number = self.number.pow(n)?;
        for e in &mut self.powers {
            *e = e.checked_mul(n)?;
        }
        for (_, e) in &mut self.factors {
            *e = e.checked_mul(n)?;
        }
        Some(self)
    }

    pub(super) fn plus(self, other: Fraction, kernels: &Kernels) -> Option<Fraction> {
        let (mut a, mut b) = (self, other);
        let mut removed = std::mem::take(&mut a.removed);
        removed.append(&mut b.removed);
        let mut sum = if a.is_zero() {
            b
        } else if b.is_zero() {
            a
        } else {
            align(&mut a.factors, &mut b.factors)?;
            let mut common = Fraction::number(Number::ONE);
            for i in 0..MAX_GENERATORS {
                common.powers[i] = a.powers[i].min(b.powers[i]);
            }
            let mut bases: Vec<(Poly, i32)> = Vec::new();
            for (p, e) in &a.factors {
                let other = b.factors.iter().find(|(q, _)| q == p).map_or(0, |(_, k)| *k);
                bases.push((p.clone(), other.min(*e)));
            }
            for (p, e) in &b.factors {
                if !a.factors.iter().any(|(q, _)| q == p) {
                    bases.push((p.clone(), 0.min(*e)));
                }
            }
            bases.retain(|(_, e)| *e != 0);
            let left = rest(&a, &common.powers, &bases)?;
            let right = rest(&b, &common.powers, &bases)?;
            common.factors = bases;
            let total = kernels.reduced(left.plus(&right))?;
            if total.is_zero() {
                // What was divided by must not be forgotten.
                let mut zero = Fraction::number(Number::ZERO);
                for (i, e) in common.powers.iter().enumerate() {
                    if *e < 0 {
                        removed.push(Poly::generator(i));
                    }
                }
                removed.extend(common.factors.into_iter().filter(|(_, e)| *e < 0).map(|(p, _)| p));
                zero.removed = removed;
                return Some(zero);
            }
            common.times(Fraction::from_poly(&total)?)?
        };
        sum.removed.append(&mut removed);
        Some(sum)
    }

    /// Powers of generators with a rule, brought into range; roots of sums united with their sums.
    pub(super) fn settled(mut self, kernels: &Kernels) -> Option<Fraction> {
        for i in 0..kernels.len() {
            let Some(rule) = &kernels.get(i).rule else { continue };
            let power = rule.power as i32;
            if let Some(value) = rule.by.as_constant() {
                let e = self.powers[i];
                self.number = &self.number * &value.pow(e.div_euclid(power))?;
                self.powers[i] = e.rem_euclid(power);
                continue;
            }
            while let Some(at) = self
                .factors
                .iter()
                .position(|(p, e)| *p == rule.by && e.signum() * self.powers[i].signum() < 0)
            {
                let step = self.factors[at].1.signum();
                if step > 0 {
                    self.removed.push(rule.by.clone());
                }
                self.powers[i] += step * power;
                self.factors[at].1 -= step;
                if self.factors[at].1 == 0 {
                    self.factors.remove(at);
                }
            }
            let whole = self.powers[i] / power;
            if whole != 0 {
                self.powers[i] -= whole * power;
                self = self.times(Fraction::from_poly(&rule.by)?.pow(whole as i64)?)?;
            }
        }
        Some(self)
    }

    /// The rational function that an expression is.
    pub(super) fn of(e: &Expr, kernels: &Kernels) -> Option<Fraction> {
        match e.kind() {
            Kind::Number(n) => Some(Fraction::number(n.clone())),
            Kind::Product(items) => {
                let mut product = Fraction::number(Number::ONE);
                for item in items {
                    product = product.times(Fraction::of(item, kernels)?)?;
                }
                product.settled(kernels)
            }
            Kind::Sum(items) => {
                // What is polynomial is added at once.
                let mut terms = Vec::new();
                let mut others: Vec<Fraction> = Vec::new();
                for item in items {
                    match kernels.poly(item) {
                        Some(p) => terms.extend(p.into_terms()),
                        None => others.push(Fraction::of(item, kernels)?),
                    }
                }
                let polynomial = kernels.reduced(Poly::from_terms(terms))?;
                // Few factors first, so that the common denominator grows late.
                others.sort_by_key(|f| f.factors.len());
                let mut sum = Fraction::number(Number::ZERO);
                for f in others {
                    sum = sum.plus(f, kernels)?;
                }
                sum.plus(Fraction::from_poly(&polynomial)?, kernels)?.settled(kernels)
            }
            _ => {
                let (number, atoms, wholes) = kernels.take_apart(e)?;
                let mut out = Fraction::number(number);
                for (generator, exponent) in atoms {
                    out.put_power(generator, i32::try_from(exponent).ok()?)?;
                }
                for (base, n) in wholes {
                    out = out.times(Fraction::of(&base, kernels)?.pow(n)?)?;
                }
                out.settled(kernels)
            }
        }
    }

    /// Numerator and denominator as polynomials; the denominator has no numeric factor.
    pub(super) fn expanded(&self) -> Option<(Poly, Poly)> {
        let (mut top, mut bottom) = (Poly::constant(self.number.clone()), Poly::one());
        for (i, e) in self.powers.iter().enumerate() {
            let power = Monomial::power(i, u16::try_from(e.unsigned_abs()).ok()?);
            let side = if *e > 0 { &mut top } else { &mut bottom };
            *side = side.times_term(&power, &Number::ONE)?;
        }
        for (p, e) in &self.factors {
            let side = if *e > 0 { &mut top } else { &mut bottom };
            *side = side.times(&p.pow(e.unsigned_abs())?)?;
        }
        Some((top, bottom))
    }

    /// What was cancelled and is no longer divided by: its zeros are where only the original is undefined.
    pub(super) fn lost_poles(&self, kernels: &Kernels) -> Vec<Poly> {
        let mut out: Vec<Poly> = Vec::new();
        for p in &self.removed {
            let factors = super::factor::factor(p);
            let mut parts: Vec<Poly> = factors.list.into_iter().map(|(f, _)| f).collect();
            parts.extend(
                (0..kernels.len())
                    .filter(|i| factors.monomial.exponent(*i) > 0 && !kernels.get(*i).is_never_zero())
                    .map(Poly::generator),
            );
            for part in parts {
                let still_there = match part.terms() {
                    [(m, _)] => (0..kernels.len()).any(|i| m.exponent(i) > 0 && self.powers[i] < 0),
                    _ => self.factors.iter().any(|(q, e)| *e < 0 && q.exact_div(&part).is_some()),
                };
                if !still_there && !out.contains(&part) {
                    out.push(part);
                }
            }
        }
        out
    }

    /// As an expression.
    pub(super) fn expr(&self, kernels: &Kernels) -> Expr {
        let mut items = vec![Expr::number(self.number.clone())];
        for (i, e) in self.powers.iter().enumerate().filter(|(_, e)| **e != 0) {
            items.push(kernels.power_expr(i, *e as i64));
        }
        for (p, e) in &self.factors {
            items.push(kernels.expr(p).powi(*e as i64));
        }
        Expr::product(items)
    }
}

/// Splits denominators of both sides until each two are equal or coprime.
fn align(a: &mut Vec<(Poly, i32)>, b: &mut Vec<(Poly, i32)>) -> Option<()> {
    'again: loop {
        for i in 0..a.len() {
            for j in 0..b.len() {
                if a[i].0 == b[j].0 || a[i].1 > 0 || b[j].1 > 0 || !related(&a[i].0, &b[j].0) {
                    continue;
                }
                let g = gcd(&a[i].0, &b[j].0)?;
                if g.as_constant().is_none() {
                    split(a, i, &g)?;
                    split(b, j, &g)?;
                    continue 'again;
                }
            }
        }
        return Some(());
    }
}

/// Replaces a factor by `g` and what is left of it.
fn split(list: &mut Vec<(Poly, i32)>, at: usize, g: &Poly) -> Option<()> {
    let (p, e) = list.remove(at);
    let left = p.exact_div(g)?.primitive().1;
    for part in [g.clone(), left] {
        if part.as_constant().is_some() {
            continue;
        }
        match list.iter_mut().find(|(q, _)| *q == part) {
            Some(known) => known.1 += e,
            None => list.push((part, e)),
        }
    }
    Some(())
}

/// What is left of a fraction without the common powers.
fn rest(f: &Fraction, powers: &[i32; MAX_GENERATORS], bases: &[(Poly, i32)]) -> Option<Poly> {
    let mut monomial = Monomial::ONE;
    for (i, (own, taken)) in f.powers.iter().zip(powers).enumerate() {
        monomial = monomial.with(i, u16::try_from(own.checked_sub(*taken)?).ok()?);
    }
    let mut p = Poly::term(monomial, f.number.clone());
    for (q, e) in &f.factors {
        let taken = bases.iter().find(|(b, _)| b == q).map_or(0, |(_, k)| *k);
        p = p.times(&q.pow(u32::try_from(e - taken).ok()?)?)?;
    }
    for (b, k) in bases {
        if !f.factors.iter().any(|(q, _)| q == b) {
            p = p.times(&b.pow(u32::try_from(-k).ok()?)?)?;
        }
    }
    Some(p)
}
