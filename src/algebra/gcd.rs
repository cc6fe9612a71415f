//! Greatest common divisors of multivariate polynomials over the integers.
//!
//! Images modulo a prime at fixed points bound the degree of the divisor in each generator: most pairs
//! are coprime, and this proves it at once. What is left goes to the heuristic method (evaluate at a large
//! integer, take integer divisors, read the digits back, divide to verify: Char, Geddes and Gonnet, J. Symb.
//! Comp. 7 (1989) 31), then to primitive remainder sequences (Knuth, TAOCP 2, 4.6.1). A budget of term
//! operations bounds the work; `None` says that it was used up.

use super::polynomial::{MAX_GENERATORS, Monomial, Poly};
use crate::base::{Number, hash};

/// Term operations one call may take.
const BUDGET: u64 = 3_000_000;
/// Bits the integers of the heuristic may have.
const MAX_BITS: usize = 12_000;
/// 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

/// The greatest common divisor, with coprime integer coefficients and a positive first one. The divisor of
/// 0 and p is p. `None` where it would take too much work.
pub fn gcd(a: &Poly, b: &Poly) -> Option<Poly> {
    Search { left: BUDGET }.gcd(a, b)
}

/// The greatest common divisor of the coefficients by one generator.
pub fn content(p: &Poly, generator: usize) -> Option<Poly> {
    Search { left: BUDGET }.content(p, generator)
}

struct Search {
    left: u64,
}

impl Search {
    fn spend(&mut self, work: usize) -> Option<()> {
        self.left = self.left.checked_sub(work as u64)?;
        Some(())
    }

    fn product(&mut self, a: &Poly, b: &Poly) -> Option<Poly> {
        self.spend(a.len().saturating_mul(b.len()))?;
        a.times(b)
    }

    fn quotient(&mut self, a: &Poly, b: &Poly) -> Option<Option<Poly>> {
        self.spend(a.len() + b.len())?;
        let q = a.exact_div(b);
        self.spend(q.as_ref().map_or(a.len(), Poly::len).saturating_mul(b.len()))?;
        Some(q)
    }

    fn content(&mut self, p: &Poly, generator: usize) -> Option<Poly> {
        let mut coefficients: Vec<Poly> = p.coefficients(generator).into_iter().map(|(_, c)| c).collect();
        coefficients.sort_by_key(Poly::len);
        let mut g = Poly::zero();
        for c in &coefficients {
            g = self.gcd(&g, c)?;
            if g.is_one() {
                break;
            }
        }
        Some(g)
    }

    fn gcd(&mut self, a: &Poly, b: &Poly) -> Option<Poly> {
        if a.is_zero() {
            return Some(b.primitive().1);
        }
        if b.is_zero() {
            return Some(a.primitive().1);
        }
        self.spend(a.len() + b.len())?;
        let (ma, mb) = (a.monomial_content(), b.monomial_content());
        let common = ma.common(&mb);
        let a = a.over_monomial(&ma)?.primitive().1;
        let b = b.over_monomial(&mb)?.primitive().1;
        let g = self.without_monomials(a, b)?;
        g.times_term(&common, &Number::ONE)
    }

    /// Both primitive, without monomial factors.
    fn without_monomials(&mut self, mut a: Poly, mut b: Poly) -> Option<Poly> {
        // A generator in only one of them: the divisor divides all its coefficients.
        loop {
            if a.as_constant().is_some() || b.as_constant().is_some() {
                return Some(Poly::one());
            }
            if a == b {
                return Some(a);
            }
            let (va, vb) = (a.variables(), b.variables());
            if va & vb == 0 {
                return Some(Poly::one());
            }
            let only = va ^ vb;
            if only == 0 {
                break;
            }
            let v = only.trailing_zeros() as usize;
            if va >> v & 1 == 1 {
                a = self.content(&a, v)?;
            } else {
                b = self.content(&b, v)?;
            }
        }
        let variables = a.variable_list();
        let mut bounds = [0u16; MAX_GENERATORS];
        for &v in &variables {
            self.spend(4 * (a.len() + b.len()))?;
            bounds[v] = degree_bound(&a, &b, v);
        }
        if variables.iter().all(|v| bounds[*v] == 0) {
            return Some(Poly::one());
        }
        if let Some(&v) = variables.iter().find(|v| bounds[**v] == 0) {
            let (ca, cb) = (self.content(&a, v)?, self.content(&b, v)?);
            return self.gcd(&ca, &cb);
        }
        for (small, large) in [(&b, &a), (&a, &b)] {
            if variables.iter().all(|v| bounds[*v] == small.degree(*v))
                && self.quotient(large, small)?.is_some()
            {
                return Some(small.clone());
            }
        }
        if let Some(g) = self.heuristic(&a, &b) {
            return Some(g.primitive().1);
        }
        let v = variables.iter().copied().min_by_key(|v| (a.degree(*v).min(b.degree(*v)), *v))?;
        self.remainders(a, b, v)
    }

    /// Primitive remainder sequence by one generator.
    fn remainders(&mut self, a: Poly, b: Poly, v: usize) -> Option<Poly> {
        let (ca, cb) = (self.content(&a, v)?, self.content(&b, v)?);
        let common = self.gcd(&ca, &cb)?;
        let (mut a, mut b) = (a.exact_div(&ca)?, b.exact_div(&cb)?);
        if a.degree(v) < b.degree(v) {
            std::mem::swap(&mut a, &mut b);
        }
        loop {
            let r = self.pseudo_remainder(&a, &b, v)?;
            if r.is_zero() {
                break;
            }
            if r.degree(v) == 0 {
                return Some(common);
            }
            let r = r.primitive().1;
            let c = self.content(&r, v)?;
            (a, b) = (b, r.exact_div(&c)?);
        }
        Some(self.product(&common, &b)?.primitive().1)
    }

    fn pseudo_remainder(&mut self, a: &Poly, b: &Poly, v: usize) -> Option<Poly> {
        let n = b.degree(v);
        let lead = b.coefficient(v, n);
        let tail = b.minus(&lead.times_term(&Monomial::power(v, n), &Number::ONE)?);
        let mut r = a.clone();
        while !r.is_zero() && r.degree(v) >= n {
            let d = r.degree(v);
            let top = r.coefficient(v, d);
            let rest = r.minus(&top.times_term(&Monomial::power(v, d), &Number::ONE)?);
            let shifted = self.product(&top, &tail)?.times_term(&Monomial::power(v, d - n), &Number::ONE)?;
            r = self.product(&rest, &lead)?.minus(&shifted);
            if n == 0 {
                break;
            }
        }
        Some(r)
    }

    /// The heuristic; `None` where it fails or would need long integers. The result is verified.
    fn heuristic(&mut self, a: &Poly, b: &Poly) -> Option<Poly> {
        let shared = a.variables() | b.variables();
        if shared == 0 {
            let (x, y) = (a.as_constant()?, b.as_constant()?);
            return Some(Poly::constant(x.gcd(&y)));
        }
        // The generator of highest degree last: the integers stay shortest that way.
        let v = (0..MAX_GENERATORS)
            .filter(|v| shared >> v & 1 == 1)
            .min_by_key(|v| a.degree(*v).max(b.degree(*v)))?;
        let (da, db) = (a.degree(v), b.degree(v));
        let mut xi = &(&Number::TWO * &height(a).min(height(b))) + &Number::int(29);
        for _ in 0..3 {
            if (xi.digits() * 10 / 3 + 1) * da.max(db) as usize > MAX_BITS {
                return None;
            }
            self.spend(a.len() + b.len())?;
            let (ea, eb) = (a.at(v, &xi)?, b.at(v, &xi)?);
            if !ea.is_zero()
                && !eb.is_zero()
                && let Some(image) = self.heuristic(&ea, &eb)
            {
                let g = digits(&image, &xi, v, da.min(db))?.primitive().1;
                if !g.is_zero() && self.quotient(a, &g)?.is_some() && self.quotient(b, &g)?.is_some() {
                    let content = a.numeric_content().gcd(&b.numeric_content());
                    return Some(g.scaled(&content));
                }
            }
            // A quotient of irrational look, so that unlucky points do not repeat.
            xi = (&xi * &Number::ratio(73_794, 27_011)?).floor();
        }
        None
    }
}

/// The largest absolute coefficient.
fn height(p: &Poly) -> Number {
    p.terms().iter().map(|(_, c)| c.abs()).max().unwrap_or(Number::ONE)
}

/// Reads the coefficients by `v` from the value at `xi`: symmetric remainders.
fn digits(image: &Poly, xi: &Number, v: usize, degree: u16) -> Option<Poly> {
    let half = xi.checked_div(&Number::TWO)?;
    let mut terms = Vec::new();
    let mut rest = image.clone();
    let mut e = 0u16;
    while !rest.is_zero() {
        if e > degree {
            return None;
        }
        let mut next = Vec::new();
        for (m, c) in rest.terms() {
            let mut q = c.checked_div(xi)?.floor();
            let mut r = c - &(&q * xi);
            if r > half {
                r = &r - xi;
                q = &q + &Number::ONE;
            }
            if !r.is_zero() {
                terms.push((m.with(v, e), r));
            }
            if !q.is_zero() {
                next.push((*m, q));
            }
        }
        rest = Poly::from_terms(next);
        e += 1;
    }
    Some(Poly::from_terms(terms))
}

/// An upper bound of the divisor's degree in `v`: the degree of the divisor of two images modulo a prime, at
/// points where neither leading coefficient vanishes.
fn degree_bound(a: &Poly, b: &Poly, v: usize) -> u16 {
    let mut best = a.degree(v).min(b.degree(v));
    for attempt in 0..2u64 {
        let points: [u64; MAX_GENERATORS] =
            std::array::from_fn(|i| hash::mix(attempt * 1000 + i as u64 + 17) % PRIME);
        let (Some(x), Some(y)) = (image(a, v, &points), image(b, v, &points)) else { continue };
        if x.len() != a.degree(v) as usize + 1 || y.len() != b.degree(v) as usize + 1 {
            continue;
        }
        best = best.min(modular_degree(x, y));
        if best == 0 {
            break;
        }
    }
    best
}

fn residue(n: &Number) -> Option<u64> {
    if let Some(k) = n.to_i64() {
        return Some(k.rem_euclid(PRIME as i64) as u64);
    }
    let modulus = Number::int(PRIME as i64);
    let q = n.checked_div(&modulus)?.floor();
    (n - &(&q * &modulus)).to_i64().map(|k| k as u64)
}

fn times(a: u64, b: u64) -> u64 {
    (a as u128 * b as u128 % PRIME as u128) as u64
}

fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

/// The polynomial in `v` alone modulo the prime, constant first, without leading zeros.
fn image(p: &Poly, v: usize, points: &[u64; MAX_GENERATORS]) -> Option<Vec<u64>> {
    let mut out = vec![0u64; p.degree(v) as usize + 1];
    for (m, c) in p.terms() {
        let mut value = residue(c)?;
        for (i, point) in points.iter().enumerate() {
            let e = m.exponent(i);
            if i != v && e > 0 {
                value = times(value, power(*point, e as u64));
            }
        }
        let slot = &mut out[m.exponent(v) as usize];
        *slot = (*slot + value) % PRIME;
    }
    while out.last() == Some(&0) {
        out.pop();
    }
    Some(out)
}

fn modular_degree(mut a: Vec<u64>, mut b: Vec<u64>) -> u16 {
    if a.len() < b.len() {
        std::mem::swap(&mut a, &mut b);
    }
    while !b.is_empty() {
        let inverse = power(b[b.len() - 1], PRIME - 2);
        while a.len() >= b.len() {
            let factor = times(a[a.len() - 1], inverse);
            let shift = a.len() - b.len();
            for (i, c) in b.iter().enumerate() {
                let slot = &mut a[shift + i];
                *slot = (*slot + PRIME - times(factor, *c)) % PRIME;
            }
            while a.last() == Some(&0) {
                a.pop();
            }
        }
        std::mem::swap(&mut a, &mut b);
    }
    (a.len().max(1) - 1) as u16
}

#[cfg(test)]
mod tests {
    use super::super::polynomial::tests::random;
    use super::*;

    #[test]
    fn the_divisor_divides_and_contains_the_common_factor() {
        for seed in 0..120u64 {
            let variables = 1 + (seed % 4) as usize;
            let (a, b) = (random(seed, variables, 3, 5), random(seed + 500, variables, 3, 5));
            let c = random(seed + 900, variables, 2, 4);
            if a.is_zero() || b.is_zero() || c.is_zero() {
                continue;
            }
            let (ac, bc) = (a.times(&c).unwrap(), b.times(&c).unwrap());
            let g = gcd(&ac, &bc).unwrap();
            assert!(ac.exact_div(&g).is_some(), "seed {seed}");
            assert!(bc.exact_div(&g).is_some(), "seed {seed}");
            assert!(g.exact_div(&c.primitive().1).is_some(), "seed {seed}");
            // What is left is coprime.
            let rest = gcd(&ac.exact_div(&g).unwrap(), &bc.exact_div(&g).unwrap()).unwrap();
            assert!(rest.is_one(), "seed {seed}");
        }
    }

    #[test]
    fn six_generators_of_degree_ten() {
        let (a, b) = (random(1, 6, 10, 8), random(2, 6, 10, 8));
        let c = random(3, 6, 3, 5).primitive().1;
        let g = gcd(&a.times(&c).unwrap(), &b.times(&c).unwrap());
        // Either it is found, or the search says that it gave up.
        assert!(g.is_none_or(|g| g.exact_div(&c).is_some()));
        let coprime = gcd(&a, &b).unwrap();
        assert!(coprime.len() == 1, "a monomial at most: {coprime:?}");
    }

    #[test]
    fn remainder_sequences_agree_with_the_heuristic() {
        for seed in 0..40u64 {
            let (a, b, c) = (random(seed, 2, 2, 4), random(seed + 70, 2, 2, 4), random(seed + 140, 2, 2, 3));
            let (a, b) = (a.times(&c).unwrap(), b.times(&c).unwrap());
            if a.degree(0) == 0 || b.degree(0) == 0 {
                continue;
            }
            let mut search = Search { left: BUDGET };
            let slow = search.remainders(a.primitive().1, b.primitive().1, 0).unwrap();
            assert_eq!(gcd(&a, &b), Some(slow), "seed {seed}");
        }
    }
}
