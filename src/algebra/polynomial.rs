//! Sparse multivariate polynomials with exact rational coefficients. A term is an exponent vector of fixed
//! length and a coefficient; terms are sorted in decreasing lexicographic order, so that multiplication by
//! a term keeps the order and division is term by term. What the generators stand for is `kernels.rs`.
//!
//! Operations that could grow without bound return `None` where they would leave the bounds below.

use crate::base::Number;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How many generators a polynomial may have.
pub const MAX_GENERATORS: usize = 16;
/// How many terms a polynomial may have.
pub const MAX_TERMS: usize = 100_000;
/// How many term products one multiplication may take.
const MAX_PRODUCTS: usize = 4_000_000;

/// A product of powers of generators.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Monomial([u16; MAX_GENERATORS]);

impl Monomial {
    /// The empty product.
    pub const ONE: Monomial = Monomial([0; MAX_GENERATORS]);

    /// `generator ^ exponent`.
    pub fn power(generator: usize, exponent: u16) -> Monomial {
        Monomial::ONE.with(generator, exponent)
    }

    /// The exponent of a generator.
    #[inline]
    pub fn exponent(&self, generator: usize) -> u16 {
        self.0[generator]
    }

    /// The same with another exponent of one generator.
    #[must_use]
    pub fn with(mut self, generator: usize, exponent: u16) -> Monomial {
        self.0[generator] = exponent;
        self
    }

    /// The product; `None` on overflow.
    #[inline]
    pub fn times(&self, other: &Monomial) -> Option<Monomial> {
        let mut out = *self;
        for (a, b) in out.0.iter_mut().zip(other.0) {
            *a = a.checked_add(b)?;
        }
        Some(out)
    }

    /// The quotient, where it is one.
    #[inline]
    pub fn over(&self, other: &Monomial) -> Option<Monomial> {
        let mut out = *self;
        for (a, b) in out.0.iter_mut().zip(other.0) {
            *a = a.checked_sub(b)?;
        }
        Some(out)
    }

    /// The greatest common divisor.
    pub fn common(&self, other: &Monomial) -> Monomial {
        Monomial(std::array::from_fn(|i| self.0[i].min(other.0[i])))
    }

    /// The sum of all exponents.
    pub fn total_degree(&self) -> u32 {
        self.0.iter().map(|e| *e as u32).sum()
    }

    /// Whether it is the empty product.
    pub fn is_one(&self) -> bool {
        *self == Monomial::ONE
    }
}

/// A polynomial: nonzero terms in decreasing lexicographic order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct Poly {
    terms: Vec<(Monomial, Number)>,
}

impl Poly {
    /// 0.
    pub fn zero() -> Poly {
        Poly::default()
    }

    /// 1.
    pub fn one() -> Poly {
        Poly::constant(Number::ONE)
    }

    /// A number.
    pub fn constant(n: Number) -> Poly {
        Poly::term(Monomial::ONE, n)
    }

    /// One term.
    pub fn term(monomial: Monomial, coefficient: Number) -> Poly {
        if coefficient.is_zero() { Poly::zero() } else { Poly { terms: vec![(monomial, coefficient)] } }
    }

    /// A generator.
    pub fn generator(generator: usize) -> Poly {
        Poly::term(Monomial::power(generator, 1), Number::ONE)
    }

    /// The sum of terms in any order.
    pub fn from_terms(mut terms: Vec<(Monomial, Number)>) -> Poly {
        terms.sort_by_key(|t| std::cmp::Reverse(t.0));
        let mut out: Vec<(Monomial, Number)> = Vec::with_capacity(terms.len());
        for (m, c) in terms {
            match out.last_mut() {
                Some(last) if last.0 == m => last.1 = &last.1 + &c,
                _ => out.push((m, c)),
            }
        }
        out.retain(|t| !t.1.is_zero());
        Poly { terms: out }
    }

    /// Its terms, in decreasing order.
    pub fn terms(&self) -> &[(Monomial, Number)] {
        &self.terms
    }

    /// Its terms, taken.
    pub fn into_terms(self) -> Vec<(Monomial, Number)> {
        self.terms
    }

    /// How many terms it has.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it is 1.
    pub fn is_one(&self) -> bool {
        matches!(self.terms.as_slice(), [(m, c)] if m.is_one() && c.is_one())
    }

    /// The number it is, if it is one.
    pub fn as_constant(&self) -> Option<Number> {
        match self.terms.as_slice() {
            [] => Some(Number::ZERO),
            [(m, c)] if m.is_one() => Some(c.clone()),
            _ => None,
        }
    }

    /// Its first term.
    pub fn leading(&self) -> Option<&(Monomial, Number)> {
        self.terms.first()
    }

    /// The generators in it, as bits.
    pub fn variables(&self) -> u32 {
        let mut bits = 0;
        for (m, _) in &self.terms {
            for (i, e) in m.0.iter().enumerate() {
                bits |= ((*e > 0) as u32) << i;
            }
        }
        bits
    }

    /// The numbers of the generators in it.
    pub fn variable_list(&self) -> Vec<usize> {
        let bits = self.variables();
        (0..MAX_GENERATORS).filter(|i| bits >> i & 1 == 1).collect()
    }

    /// The degree in a generator (0 for 0).
    pub fn degree(&self, generator: usize) -> u16 {
        self.terms.iter().map(|(m, _)| m.exponent(generator)).max().unwrap_or(0)
    }

    /// The sum.
    pub fn plus(&self, other: &Poly) -> Poly {
        let mut out = Vec::with_capacity(self.len() + other.len());
        let (mut a, mut b) = (self.terms.iter().peekable(), other.terms.iter().peekable());
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            match x.0.cmp(&y.0) {
                Ordering::Greater => out.extend(a.next().cloned()),
                Ordering::Less => out.extend(b.next().cloned()),
                Ordering::Equal => {
                    let c = &x.1 + &y.1;
                    if !c.is_zero() {
                        out.push((x.0, c));
                    }
                    a.next();
                    b.next();
                }
            }
        }
        out.extend(a.cloned());
        out.extend(b.cloned());
        Poly { terms: out }
    }

    /// The difference.
    pub fn minus(&self, other: &Poly) -> Poly {
        self.plus(&other.negated())
    }

    /// The negative.
    pub fn negated(&self) -> Poly {
        Poly { terms: self.terms.iter().map(|(m, c)| (*m, -c)).collect() }
    }

    /// A numeric multiple.
    pub fn scaled(&self, n: &Number) -> Poly {
        if n.is_zero() {
            return Poly::zero();
        }
        Poly { terms: self.terms.iter().map(|(m, c)| (*m, c * n)).collect() }
    }

    /// The product with one term.
    pub fn times_term(&self, monomial: &Monomial, n: &Number) -> Option<Poly> {
        if n.is_zero() {
            return Some(Poly::zero());
        }
        let terms =
            self.terms.iter().map(|(m, c)| Some((m.times(monomial)?, c * n))).collect::<Option<Vec<_>>>()?;
        Some(Poly { terms })
    }

    /// The product.
    pub fn times(&self, other: &Poly) -> Option<Poly> {
        let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        match small.terms.as_slice() {
            [] => return Some(Poly::zero()),
            [(m, c)] => return large.times_term(m, c),
            _ => {}
        }
        if small.len().saturating_mul(large.len()) > MAX_PRODUCTS {
            return None;
        }
        // Few terms by many: merging shifted copies pairwise keeps every step a linear merge.
        let mut rows: Vec<Poly> =
            small.terms.iter().map(|(m, c)| large.times_term(m, c)).collect::<Option<_>>()?;
        while rows.len() > 1 {
            rows = rows
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] => a.plus(b),
                    _ => pair[0].clone(),
                })
                .collect();
        }
        let product = rows.pop().unwrap_or_default();
        (product.len() <= MAX_TERMS).then_some(product)
    }

    /// The power.
    pub fn pow(&self, n: u32) -> Option<Poly> {
        match self.terms.as_slice() {
            _ if n == 0 => return Some(Poly::one()),
            [] => return Some(Poly::zero()),
            [(m, c)] => {
                let mut power = Monomial::ONE;
                for (to, from) in power.0.iter_mut().zip(m.0) {
                    *to = u16::try_from(u32::from(from).checked_mul(n)?).ok()?;
                }
                return Some(Poly::term(power, c.pow(i32::try_from(n).ok()?)?));
            }
            _ => {}
        }
        // A power has at least n + 1 terms.
        if n as usize >= MAX_TERMS {
            return None;
        }
        // For sparse polynomials n - 1 products with the base are cheaper than squarings.
        let mut result = self.clone();
        for _ in 1..n {
            result = result.times(self)?;
        }
        Some(result)
    }

    /// The derivative by a generator.
    pub fn derivative(&self, generator: usize) -> Poly {
        let terms = self
            .terms
            .iter()
            .filter(|(m, _)| m.exponent(generator) > 0)
            .map(|(m, c)| {
                let e = m.exponent(generator);
                (m.with(generator, e - 1), c * &Number::int(e as i64))
            })
            .collect();
        Poly { terms }
    }

    /// Coefficients by powers of a generator, highest first; those that are 0 are left out.
    pub fn coefficients(&self, generator: usize) -> Vec<(u16, Poly)> {
        let mut by_power: BTreeMap<u16, Vec<(Monomial, Number)>> = BTreeMap::new();
        for (m, c) in &self.terms {
            by_power.entry(m.exponent(generator)).or_default().push((m.with(generator, 0), c.clone()));
        }
        by_power.into_iter().rev().map(|(e, terms)| (e, Poly { terms })).collect()
    }

    /// The coefficient of one power of a generator.
    pub fn coefficient(&self, generator: usize, power: u16) -> Poly {
        let terms = self
            .terms
            .iter()
            .filter(|(m, _)| m.exponent(generator) == power)
            .map(|(m, c)| (m.with(generator, 0), c.clone()))
            .collect();
        Poly { terms }
    }

    /// All coefficients of a polynomial in one generator, constant first; `None` where others occur.
    pub fn dense(&self, generator: usize) -> Option<Vec<Number>> {
        if self.variables() & !(1 << generator) != 0 {
            return None;
        }
        let mut out = vec![Number::ZERO; self.degree(generator) as usize + 1];
        for (m, c) in &self.terms {
            out[m.exponent(generator) as usize] = c.clone();
        }
        Some(out)
    }

    /// The polynomial in one generator with these coefficients, constant first.
    pub fn from_dense(generator: usize, coefficients: &[Number]) -> Poly {
        let terms = coefficients
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, c)| !c.is_zero())
            .map(|(e, c)| (Monomial::power(generator, e as u16), c.clone()))
            .collect();
        Poly { terms }
    }

    /// The value with a number for one generator.
    pub fn at(&self, generator: usize, value: &Number) -> Option<Poly> {
        let mut powers: BTreeMap<u16, Number> = BTreeMap::new();
        let mut terms = Vec::with_capacity(self.len());
        for (m, c) in &self.terms {
            let e = m.exponent(generator);
            let power = match powers.get(&e) {
                Some(p) => p.clone(),
                None => {
                    let p = value.pow(e as i32)?;
                    powers.insert(e, p.clone());
                    p
                }
            };
            terms.push((m.with(generator, 0), c * &power));
        }
        Some(Poly::from_terms(terms))
    }

    /// The quotient where `other` divides it.
    pub fn exact_div(&self, other: &Poly) -> Option<Poly> {
        let (lead, lead_c) = other.leading()?;
        let inverse = lead_c.recip()?;
        if let [_] = other.terms.as_slice() {
            let terms = self
                .terms
                .iter()
                .map(|(m, c)| Some((m.over(lead)?, c * &inverse)))
                .collect::<Option<Vec<_>>>()?;
            return Some(Poly { terms });
        }
        for v in 0..MAX_GENERATORS {
            if other.degree(v) > self.degree(v) {
                return None;
            }
        }
        let mut rest: BTreeMap<Monomial, Number> = self.terms.iter().cloned().collect();
        let mut quotient = Vec::new();
        while let Some((m, c)) = rest.pop_last() {
            let q = m.over(lead)?;
            let qc = &c * &inverse;
            for (om, oc) in &other.terms[1..] {
                let at = q.times(om)?;
                let change = &qc * oc;
                match rest.entry(at) {
                    std::collections::btree_map::Entry::Vacant(slot) => {
                        slot.insert(-change);
                    }
                    std::collections::btree_map::Entry::Occupied(mut slot) => {
                        let left = slot.get() - &change;
                        if left.is_zero() {
                            slot.remove();
                        } else {
                            *slot.get_mut() = left;
                        }
                    }
                }
            }
            quotient.push((q, qc));
            if quotient.len() > MAX_TERMS {
                return None;
            }
        }
        Some(Poly { terms: quotient })
    }

    /// The greatest number that leaves integer coefficients without a common divisor, with the sign of the
    /// first coefficient; 0 for 0.
    pub fn numeric_content(&self) -> Number {
        let mut g = Number::ZERO;
        for (_, c) in &self.terms {
            g = g.gcd(c);
        }
        if self.leading().is_some_and(|(_, c)| c.is_negative()) { -g } else { g }
    }

    /// Numeric content and what is left.
    pub fn primitive(&self) -> (Number, Poly) {
        let content = self.numeric_content();
        match content.recip() {
            Some(_) if content.is_one() => (content, self.clone()),
            Some(inverse) => (content, self.scaled(&inverse)),
            None => (content, Poly::zero()),
        }
    }

    /// The greatest monomial that divides it.
    pub fn monomial_content(&self) -> Monomial {
        let mut terms = self.terms.iter();
        let Some((first, _)) = terms.next() else { return Monomial::ONE };
        terms.fold(*first, |common, (m, _)| common.common(m))
    }

    /// The quotient by a monomial that divides it.
    pub fn over_monomial(&self, monomial: &Monomial) -> Option<Poly> {
        let terms = self
            .terms
            .iter()
            .map(|(m, c)| Some((m.over(monomial)?, c.clone())))
            .collect::<Option<Vec<_>>>()?;
        Some(Poly { terms })
    }

    /// The square root with a positive first coefficient, where it is a polynomial.
    pub fn sqrt(&self) -> Option<Poly> {
        let Some((m, c)) = self.leading() else { return Some(Poly::zero()) };
        let mut half = Monomial::ONE;
        for (to, from) in half.0.iter_mut().zip(m.0) {
            if from % 2 != 0 {
                return None;
            }
            *to = from / 2;
        }
        let lead = Poly::term(half, c.exact_root(2)?);
        let twice = lead.scaled(&Number::TWO);
        let mut root = lead.clone();
        let mut rest = self.minus(&lead.times(&lead)?);
        // A root has no more terms than its square; each round fixes one.
        for _ in 0..self.len() {
            let Some((m, c)) = rest.leading().cloned() else { return Some(root) };
            let step = Poly::term(m, c).exact_div(&twice)?;
            // (r + s)^2 = r^2 + s*(2r + s)
            let change = root.scaled(&Number::TWO).plus(&step).times(&step)?;
            rest = rest.minus(&change);
            root = root.plus(&step);
        }
        rest.is_zero().then_some(root)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::hash;

    /// A pseudo-random polynomial in `variables` generators of degree up to `degree` in each.
    pub(in crate::algebra) fn random(seed: u64, variables: usize, degree: u16, terms: usize) -> Poly {
        let mut state = seed;
        let mut next = move |n: u64| {
            state = hash::mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            state % n
        };
        let terms = (0..terms)
            .map(|_| {
                let mut m = Monomial::ONE;
                for v in 0..variables {
                    m = m.with(v, next(degree as u64 + 1) as u16);
                }
                (m, Number::int(next(19) as i64 - 9))
            })
            .collect();
        Poly::from_terms(terms)
    }

    #[test]
    fn ring_laws_and_exact_division() {
        for seed in 0..100 {
            let (a, b, c) =
                (random(seed, 3, 4, 6), random(seed + 1000, 3, 3, 5), random(seed + 2000, 3, 3, 4));
            let left = a.times(&b.plus(&c)).unwrap();
            let right = a.times(&b).unwrap().plus(&a.times(&c).unwrap());
            assert_eq!(left, right);
            if !b.is_zero() {
                assert_eq!(a.times(&b).unwrap().exact_div(&b), Some(a.clone()));
            }
            let square = a.times(&a).unwrap();
            let root = square.sqrt().unwrap();
            assert!(root == a || root == a.negated());
            assert_eq!(a.pow(3).unwrap(), square.times(&a).unwrap());
        }
    }

    #[test]
    fn a_large_power_is_quick_and_complete() {
        let base = (0..3).fold(Poly::one(), |p, v| p.plus(&Poly::generator(v)));
        assert_eq!(base.pow(15).unwrap().len(), 816);
        assert_eq!(Poly::generator(0).plus(&Poly::one()).pow(200_000), None);
    }
}
