//! Factors of polynomials over the rationals: monomials, contents by each generator (which finds
//! factors by grouping), square-free decomposition (Yun, SYMSAC 1976), then for each square-free part:
//! substitution of powers (`x^4` as `(x^2)^2`), quadratics whose discriminant is a square (among them the
//! difference of squares), homogeneous ones through one generator less, rational roots and quadratic factors
//! of polynomials in one generator (Kronecker). What none of these takes apart is returned whole; the
//! factors need not be irreducible.

use super::gcd::{content, gcd};
use super::polynomial::{Monomial, Poly};
use crate::base::Number;

/// A factored polynomial.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// The numeric factor, with the sign.
    pub number: Number,
    /// The monomial factor.
    pub monomial: Monomial,
    /// Primitive factors without common parts and their multiplicities, smallest first.
    pub list: Vec<(Poly, u32)>,
}

impl Factors {
    /// The product.
    #[cfg(test)]
    pub fn product(&self) -> Option<Poly> {
        let mut p = Poly::term(self.monomial, self.number.clone());
        for (f, k) in &self.list {
            p = p.times(&f.pow(*k)?)?;
        }
        Some(p)
    }
}

/// Takes a polynomial apart as far as the methods above reach.
pub fn factor(p: &Poly) -> Factors {
    let (number, rest) = p.primitive();
    let monomial = rest.monomial_content();
    let mut list = Vec::new();
    if let Some(rest) = rest.over_monomial(&monomial)
        && rest.as_constant().is_none()
    {
        by_content(rest, 1, &mut list);
    }
    let mut merged: Vec<(Poly, u32)> = Vec::new();
    for (f, k) in list {
        match merged.iter_mut().find(|(g, _)| *g == f) {
            Some(known) => known.1 += k,
            None => merged.push((f, k)),
        }
    }
    merged.sort_by(|(a, i), (b, j)| {
        (degree(a), a.len(), i).cmp(&(degree(b), b.len(), j)).then_with(|| b.terms().cmp(a.terms()))
    });
    let mut factors = Factors { number, monomial, list: merged };
    // Factors are primitive with a positive first coefficient, so only a sign could be left over.
    let sign = factors.list.iter().fold(Number::ONE, |s, (f, k)| match f.leading() {
        Some((_, c)) if c.is_negative() && k % 2 == 1 => -s,
        _ => s,
    });
    factors.number = &factors.number * &sign;
    factors
}

fn degree(p: &Poly) -> u32 {
    p.terms().iter().map(|(m, _)| m.total_degree()).max().unwrap_or(0)
}

/// Splits off contents by each generator, then repeated factors.
fn by_content(p: Poly, times: u32, out: &mut Vec<(Poly, u32)>) {
    if p.as_constant().is_some() {
        return;
    }
    let variables = p.variable_list();
    if variables.len() > 1 {
        for v in &variables {
            if let Some(c) = content(&p, *v)
                && c.as_constant().is_none()
                && let Some(rest) = p.exact_div(&c)
            {
                by_content(c, times, out);
                by_content(rest.primitive().1, times, out);
                return;
            }
        }
    }
    if variables.iter().any(|v| p.degree(*v) == 1) {
        // Linear in one generator and without content: irreducible.
        out.push((p, times));
        return;
    }
    match square_free(&p) {
        Some(parts) => parts.into_iter().for_each(|(q, k)| apart(q, k * times, out)),
        None => out.push((p, times)),
    }
}

/// Square-free parts with their multiplicities.
fn square_free(p: &Poly) -> Option<Vec<(Poly, u32)>> {
    let v = p.variable_list().into_iter().min_by_key(|v| p.degree(*v))?;
    let d = p.derivative(v);
    let mut c = gcd(p, &d)?;
    let mut w = p.exact_div(&c)?.primitive().1;
    let mut parts = Vec::new();
    let mut k = 1;
    while w.as_constant().is_none() {
        let y = gcd(&w, &c)?;
        let part = w.exact_div(&y)?.primitive().1;
        if part.as_constant().is_none() {
            parts.push((part, k));
        }
        c = c.exact_div(&y)?;
        w = y;
        k += 1;
    }
    // What has no `v` is content, which was split off before.
    if c.as_constant().is_none() {
        parts.push((c.primitive().1, 1));
    }
    Some(parts)
}

/// Takes a square-free polynomial without contents apart.
fn apart(p: Poly, times: u32, out: &mut Vec<(Poly, u32)>) {
    let variables = p.variable_list();
    if p.as_constant().is_some() {
        return;
    }
    if variables.iter().any(|v| p.degree(*v) == 1) {
        out.push((p, times));
        return;
    }
    let parts = quadratic(&p, &variables)
        .or_else(|| deflated(&p, &variables))
        .or_else(|| homogeneous(&p, &variables))
        .or_else(|| match variables.as_slice() {
            [v] => univariate(&p, *v),
            _ => None,
        });
    match parts {
        Some(parts) => {
            for q in parts {
                by_content(q.primitive().1, times, out);
            }
        }
        None => out.push((p, times)),
    }
}

/// A quadratic whose discriminant is a square.
fn quadratic(p: &Poly, variables: &[usize]) -> Option<Vec<Poly>> {
    for &v in variables.iter().filter(|v| p.degree(**v) == 2) {
        let (a, b, c) = (p.coefficient(v, 2), p.coefficient(v, 1), p.coefficient(v, 0));
        let discriminant = b.times(&b)?.minus(&a.times(&c)?.scaled(&Number::int(4)));
        let Some(root) = discriminant.sqrt() else { continue };
        // 2*a*v + b - root is a multiple of one factor.
        let line = a.scaled(&Number::TWO).times_term(&Monomial::power(v, 1), &Number::ONE)?;
        let line = line.plus(&b).minus(&root);
        let Some(factor) = gcd(p, &line) else { continue };
        if factor.as_constant().is_none()
            && factor != *p
            && let Some(rest) = p.exact_div(&factor)
        {
            return Some(vec![factor, rest]);
        }
    }
    None
}

/// Reads a polynomial in `x^k` as one in `x`.
fn deflated(p: &Poly, variables: &[usize]) -> Option<Vec<Poly>> {
    for k in [2u16, 3, 5, 7] {
        let fit: Vec<usize> = variables
            .iter()
            .copied()
            .filter(|v| p.terms().iter().all(|(m, _)| m.exponent(*v) % k == 0))
            .collect();
        if fit.is_empty() {
            continue;
        }
        let change = |p: &Poly, f: &dyn Fn(u16) -> Option<u16>| -> Option<Poly> {
            let terms = p
                .terms()
                .iter()
                .map(|(m, c)| {
                    let mut m = *m;
                    for v in &fit {
                        m = m.with(*v, f(m.exponent(*v))?);
                    }
                    Some((m, c.clone()))
                })
                .collect::<Option<Vec<_>>>()?;
            Some(Poly::from_terms(terms))
        };
        let small = change(p, &|e| Some(e / k))?;
        let factors = factor(&small);
        if factors.list.iter().map(|(_, k)| k).sum::<u32>() > 1 {
            return factors.list.iter().map(|(f, _)| change(f, &|e| e.checked_mul(k))).collect();
        }
    }
    None
}

/// Sets one generator of a homogeneous polynomial to 1, factors, and brings it back.
fn homogeneous(p: &Poly, variables: &[usize]) -> Option<Vec<Poly>> {
    let total = degree(p);
    if variables.len() < 2 || p.terms().iter().any(|(m, _)| m.total_degree() != total) {
        return None;
    }
    let v = *variables.last()?;
    let factors = factor(&p.at(v, &Number::ONE)?);
    if factors.list.iter().map(|(_, k)| k).sum::<u32>() < 2 {
        return None;
    }
    let mut out = Vec::new();
    for (f, k) in &factors.list {
        let top = degree(f);
        let terms = f
            .terms()
            .iter()
            .map(|(m, c)| Some((m.with(v, u16::try_from(top - m.total_degree()).ok()?), c.clone())))
            .collect::<Option<Vec<_>>>()?;
        out.extend(std::iter::repeat_n(Poly::from_terms(terms), *k as usize));
    }
    Some(out)
}

/// The positive divisors of an integer up to 10^10; `None` beyond, and for 0.
fn divisors(n: &Number) -> Option<Vec<i64>> {
    let n = n.abs().to_i64().filter(|n| (1..=10_000_000_000).contains(n))?;
    let mut out = Vec::new();
    let mut d = 1;
    while d * d <= n {
        if n % d == 0 {
            out.push(d);
            if d * d != n {
                out.push(n / d);
            }
        }
        d += 1;
    }
    out.sort_unstable();
    Some(out)
}

fn horner(coefficients: &[Number], x: &Number) -> Number {
    coefficients.iter().rev().fold(Number::ZERO, |sum, c| &(&sum * x) + c)
}

/// A linear factor by a rational root, or a quadratic one by Kronecker's interpolation.
fn univariate(p: &Poly, v: usize) -> Option<Vec<Poly>> {
    let coefficients = p.dense(v)?;
    let n = coefficients.len() - 1;
    if n < 2 {
        return None;
    }
    let tops = divisors(&coefficients[n]);
    if let (Some(ends), Some(tops)) = (divisors(&coefficients[0]), &tops)
        && ends.len() * tops.len() <= 20_000
    {
        for q in tops {
            for e in &ends {
                for s in [*e, -e] {
                    let Some(root) = Number::ratio(s, *q) else { continue };
                    if root.denominator() == Number::int(*q) && horner(&coefficients, &root).is_zero() {
                        let line = Poly::from_dense(v, &[Number::int(-s), Number::int(*q)]);
                        return Some(vec![line.clone(), p.exact_div(&line)?]);
                    }
                }
            }
        }
    }
    if n < 4 {
        return None;
    }
    // A quadratic factor g has g(t) | p(t) at t = -1, 0, 1 and a leading coefficient that divides p's.
    let values: Vec<Vec<i64>> = [-1, 0, 1]
        .iter()
        .map(|t| divisors(&horner(&coefficients, &Number::int(*t))))
        .collect::<Option<_>>()?;
    if values.iter().map(Vec::len).product::<usize>() > 5_000 {
        return None;
    }
    for &at_zero in &values[1] {
        for left in values[0].iter().flat_map(|d| [*d, -d]) {
            for right in values[2].iter().flat_map(|d| [*d, -d]) {
                // a + b + c = right, a - b + c = left
                let twice_a = left + right - 2 * at_zero;
                if twice_a == 0 || twice_a % 2 != 0 || (right - left) % 2 != 0 {
                    continue;
                }
                let (a, b) = (twice_a / 2, (right - left) / 2);
                if !coefficients[n].checked_div(&Number::int(a))?.is_integer() {
                    continue;
                }
                let g = Poly::from_dense(v, &[Number::int(at_zero), Number::int(b), Number::int(a)]);
                if let Some(rest) = p.exact_div(&g) {
                    return Some(vec![g, rest]);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::polynomial::tests::random;
    use super::*;

    fn x() -> Poly {
        Poly::generator(0)
    }

    fn y() -> Poly {
        Poly::generator(1)
    }

    fn number_of_factors(p: &Poly) -> u32 {
        let f = factor(p);
        assert_eq!(f.product().unwrap(), *p);
        f.list.iter().map(|(_, k)| k).sum()
    }

    #[test]
    fn the_product_of_the_factors_is_the_polynomial() {
        for seed in 0..150u64 {
            let variables = 1 + (seed % 3) as usize;
            let (a, b) = (random(seed, variables, 2, 3), random(seed + 300, variables, 2, 3));
            let p = a.times(&b).unwrap().times(&b).unwrap();
            if p.is_zero() {
                continue;
            }
            let f = factor(&p);
            assert_eq!(f.product().unwrap(), p, "seed {seed}");
        }
    }

    #[test]
    fn textbook_factorisations() {
        let one = Poly::one();
        let power = |p: &Poly, n: u32| p.pow(n).unwrap();
        assert_eq!(number_of_factors(&power(&x(), 2).minus(&power(&y(), 2))), 2);
        assert_eq!(number_of_factors(&power(&x(), 3).minus(&power(&y(), 3))), 2);
        assert_eq!(number_of_factors(&power(&x(), 4).minus(&power(&y(), 4))), 3);
        assert_eq!(number_of_factors(&power(&x(), 6).minus(&one)), 4);
        // x^4 + x^2 + 1 and x^4 + 4
        let quartic = power(&x(), 4).plus(&power(&x(), 2)).plus(&one);
        assert_eq!(number_of_factors(&quartic), 2);
        assert_eq!(number_of_factors(&power(&x(), 4).plus(&Poly::constant(Number::int(4)))), 2);
        // (x + y)^3*(x - 1), x^2 + 1
        let p = power(&x().plus(&y()), 3).times(&x().minus(&one)).unwrap();
        assert_eq!(number_of_factors(&p), 4);
        assert_eq!(number_of_factors(&power(&x(), 2).plus(&one)), 1);
        // a*c + a*d + b*c + b*d
        let sum = |a: usize, b: usize| Poly::generator(a).plus(&Poly::generator(b));
        assert_eq!(number_of_factors(&sum(0, 1).times(&sum(2, 3)).unwrap()), 2);
    }
}
