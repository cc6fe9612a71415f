//! What the generators of a polynomial stand for. Every part of an expression that is no sum, product or
//! integer power of something else becomes a generator: symbols, `sin(x)`, `pi`, floats, undefined functions.
//! Fractional powers of one base share a root (`x^(1/2)` and `x^(1/3)` are powers of `x^(1/6)`), and so do
//! exponentials whose exponents differ by a rational factor (`exp(x)`, `exp(-2x)`, `y^n`, `y^(n + 1)`).
//!
//! Three kinds of generators obey a rule by which high powers are reduced: `i^2 = -1`, radicals of
//! primes, and roots of sums. Everything else is free, and an identity between free generators holds for
//! whatever they stand for.

use std::collections::{BTreeMap, HashMap};

use super::polynomial::{MAX_GENERATORS, Monomial, Poly};
use crate::base::Number;
use crate::expression::{Constant, Expr, Flags, Function, Kind};

/// The largest root a generator may be.
const MAX_ROOT: i64 = 60;

/// Replaces `generator ^ power`.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) power: u16,
    pub(super) by: Poly,
}

/// One generator: `base ^ (± unit / root)`.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    base: Expr,
    unit: Expr,
    /// Stands for the inverse; only where negative powers are generators of their own.
    inverse: bool,
    root: i64,
    pub(super) rule: Option<Rule>,
}

impl Kernel {
    /// Whether it can never be 0.
    pub(super) fn is_never_zero(&self) -> bool {
        match self.base.kind() {
            Kind::Number(n) => !n.is_zero(),
            Kind::Float(x) => *x != 0.0,
            Kind::Constant(_) | Kind::Unit(_) => true,
            _ => false,
        }
    }

    /// The factor of the exponent that is no number; 1 for plain powers.
    pub(super) fn unit(&self) -> &Expr {
        &self.unit
    }

    /// The denominator of the exponent.
    pub(super) fn root(&self) -> i64 {
        self.root
    }

    /// What is 0 where it is.
    pub(super) fn base(&self) -> &Expr {
        &self.base
    }
}

/// The generators of one computation.
#[derive(Clone, Debug, Default)]
pub(super) struct Kernels {
    list: Vec<Kernel>,
    index: HashMap<(Expr, Expr, bool), usize>,
    /// Whether negative powers are generators of their own.
    separate_inverses: bool,
}

/// A factor of a power, taken apart.
enum Piece {
    Number(Number),
    Atom(Expr, Expr, Number),
    Whole(Expr, i64),
}

impl Kernels {
    /// The generators of these expressions, inverses included; `None` where there are too many, or
    /// something is no number (a condition, infinity, NaN).
    pub(super) fn of(expressions: &[&Expr]) -> Option<Kernels> {
        Kernels::scan_all(expressions, false)
    }

    /// The same, with generators of their own for what is divided by.
    pub(super) fn with_inverses(expressions: &[&Expr]) -> Option<Kernels> {
        Kernels::scan_all(expressions, true)
    }

    fn scan_all(expressions: &[&Expr], separate_inverses: bool) -> Option<Kernels> {
        let mut kernels = Kernels { separate_inverses, ..Kernels::default() };
        for e in expressions {
            if e.flags().has(Flags::UNDEFINED.with(Flags::INFINITE)) {
                return None;
            }
            kernels.scan(e)?;
        }
        for i in 0..kernels.list.len() {
            let kernel = &kernels.list[i];
            if kernel.inverse || !kernel.unit.is_one() {
                continue;
            }
            let rule = match kernel.base.kind() {
                Kind::Constant(Constant::I) => Some(Rule { power: 2, by: Poly::constant(Number::MINUS_ONE) }),
                Kind::Number(n) if kernel.root > 1 => {
                    Some(Rule { power: kernel.root as u16, by: Poly::constant(n.clone()) })
                }
                Kind::Sum(_) if kernel.root > 1 => {
                    let (base, power) = (kernel.base.clone(), kernel.root as u16);
                    kernels.poly(&base).map(|by| Rule { power, by })
                }
                _ => None,
            };
            kernels.list[i].rule = rule;
        }
        Some(kernels)
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, generator: usize) -> &Kernel {
        &self.list[generator]
    }

    /// The generator of `base ^ 1`, and which power of it that is.
    pub(super) fn generator_of(&self, base: &Expr) -> Option<(usize, u16)> {
        let i = *self.index.get(&(base.clone(), Expr::one(), false))?;
        Some((i, self.list[i].root as u16))
    }

    fn register(&mut self, base: Expr, unit: Expr, exponent: &Number) -> Option<()> {
        let den = exponent.denominator().to_i64().filter(|d| *d <= MAX_ROOT)?;
        let inverse = self.separate_inverses && exponent.is_negative();
        let next = self.list.len();
        let at = *self.index.entry((base.clone(), unit.clone(), inverse)).or_insert(next);
        if at == next {
            if next == MAX_GENERATORS {
                return None;
            }
            self.list.push(Kernel { base, unit, inverse, root: den, rule: None });
            return Some(());
        }
        let root = &mut self.list[at].root;
        *root = *root / gcd(*root, den) * den;
        (*root <= MAX_ROOT).then_some(())
    }

    fn scan(&mut self, e: &Expr) -> Option<()> {
        match e.kind() {
            Kind::Number(_) => Some(()),
            Kind::Sum(items) | Kind::Product(items) => items.iter().try_for_each(|i| self.scan(i)),
            Kind::Relation(..) | Kind::Bool(_) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) => None,
            Kind::Constant(Constant::Infinity) => None,
            _ => {
                for piece in pieces(e) {
                    match piece {
                        Piece::Number(_) => {}
                        Piece::Whole(base, n) if n < 0 && self.separate_inverses => {
                            self.register(base, Expr::one(), &Number::int(n))?;
                        }
                        Piece::Whole(base, _) => self.scan(&base)?,
                        Piece::Atom(base, unit, n) => {
                            if matches!(base.kind(), Kind::Sum(_)) && unit.is_one() {
                                self.scan(&base)?;
                            }
                            self.register(base, unit, &n)?;
                        }
                    }
                }
                Some(())
            }
        }
    }

    /// Generator and exponent of a power of an atom.
    fn power_of(&self, base: Expr, unit: Expr, n: &Number) -> Option<(usize, i64)> {
        let inverse = self.separate_inverses && n.is_negative();
        let i = *self.index.get(&(base, unit, inverse))?;
        let n = if inverse { -n } else { n.clone() };
        Some((i, (&n * &Number::int(self.list[i].root)).to_i64()?))
    }

    /// The expression as a polynomial in the generators; `None` where it is none.
    pub(super) fn poly(&self, e: &Expr) -> Option<Poly> {
        match e.kind() {
            Kind::Number(n) => Some(Poly::constant(n.clone())),
            Kind::Sum(items) => {
                let mut terms = Vec::with_capacity(items.len());
                for item in items {
                    terms.extend(self.poly(item)?.into_terms());
                }
                self.reduced(Poly::from_terms(terms))
            }
            Kind::Product(items) => {
                let mut product = Poly::one();
                for item in items {
                    product = product.times(&self.poly(item)?)?;
                }
                self.reduced(product)
            }
            _ => {
                let mut product = Poly::one();
                let mut monomial = Monomial::ONE;
                for piece in pieces(e) {
                    match piece {
                        Piece::Number(n) => product = product.scaled(&n),
                        Piece::Whole(base, n) if n < 0 && self.separate_inverses => {
                            let (i, k) = self.power_of(base, Expr::one(), &Number::int(n))?;
                            monomial = monomial.times(&Monomial::power(i, u16::try_from(k).ok()?))?;
                        }
                        Piece::Whole(base, n) => {
                            let power = self.poly(&base)?.pow(u32::try_from(n).ok()?)?;
                            product = product.times(&self.reduced(power)?)?;
                        }
                        Piece::Atom(base, unit, n) => {
                            let (n, sign) = positive_float(&base, n);
                            let (i, k) = self.power_of(absolute(base), unit, &n)?;
                            monomial = monomial.times(&Monomial::power(i, u16::try_from(k).ok()?))?;
                            product = product.scaled(&sign);
                        }
                    }
                }
                self.reduced(product.times_term(&monomial, &Number::ONE)?)
            }
        }
    }

    /// Powers of generators and whole bases an expression that is no sum or product consists of: number,
    /// exponents by generator, and bases with integer exponents.
    #[allow(clippy::type_complexity)] // three plain lists, read once
    pub(super) fn take_apart(&self, e: &Expr) -> Option<(Number, Vec<(usize, i64)>, Vec<(Expr, i64)>)> {
        let (mut number, mut atoms, mut wholes) = (Number::ONE, Vec::new(), Vec::new());
        for piece in pieces(e) {
            match piece {
                Piece::Number(n) => number = &number * &n,
                Piece::Whole(base, n) => wholes.push((base, n)),
                Piece::Atom(base, unit, n) => {
                    let (n, sign) = positive_float(&base, n);
                    number = &number * &sign;
                    atoms.push(self.power_of(absolute(base), unit, &n)?);
                }
            }
        }
        Some((number, atoms, wholes))
    }

    /// High powers of generators with a rule, replaced.
    pub(super) fn reduced(&self, p: Poly) -> Option<Poly> {
        let mut p = p;
        for (i, kernel) in self.list.iter().enumerate() {
            let Some(rule) = &kernel.rule else { continue };
            let mut rounds = 0;
            while p.degree(i) >= rule.power {
                let mut out = Poly::zero();
                let mut plain = Vec::new();
                for (e, c) in p.coefficients(i) {
                    let (q, r) = (e / rule.power, e % rule.power);
                    let c = c.times_term(&Monomial::power(i, r), &Number::ONE)?;
                    if q == 0 {
                        plain.extend(c.into_terms());
                    } else {
                        out = out.plus(&c.times(&rule.by.pow(q as u32)?)?);
                    }
                }
                p = out.plus(&Poly::from_terms(plain));
                rounds += 1;
                if rounds > 8 {
                    return None;
                }
            }
        }
        Some(p)
    }

    /// A power of a generator as an expression.
    pub(super) fn power_expr(&self, generator: usize, exponent: i64) -> Expr {
        let k = &self.list[generator];
        let exponent = if k.inverse { -exponent } else { exponent };
        Expr::power(k.base.clone(), Expr::product([Expr::ratio(exponent, k.root), k.unit.clone()]))
    }

    /// A polynomial as an expression.
    pub(super) fn expr(&self, p: &Poly) -> Expr {
        let mut known: Vec<BTreeMap<u16, Expr>> = vec![BTreeMap::new(); self.list.len()];
        Expr::sum(p.terms().iter().map(|(m, c)| {
            let mut factors = vec![Expr::number(c.clone())];
            for (i, powers) in known.iter_mut().enumerate() {
                let e = m.exponent(i);
                if e > 0 {
                    let power = powers.entry(e).or_insert_with(|| self.power_expr(i, e as i64));
                    factors.push(power.clone());
                }
            }
            Expr::product(factors)
        }))
    }
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Floats are generators by their absolute value.
fn absolute(base: Expr) -> Expr {
    match base.kind() {
        Kind::Float(x) if *x < 0.0 => Expr::float(-x),
        _ => base,
    }
}

/// Exponent of an atom and the sign that leaves a float's absolute value.
fn positive_float(base: &Expr, n: Number) -> (Number, Number) {
    match base.kind() {
        Kind::Float(x) if *x < 0.0 && n.is_odd() => (n, Number::MINUS_ONE),
        _ => (n, Number::ONE),
    }
}

/// Terms of an exponent as rational number times the rest (1 for a plain number).
fn split_exponent(e: &Expr) -> Vec<(Number, Expr)> {
    e.terms()
        .iter()
        .map(|term| {
            let (c, rest) = term.split_coefficient();
            match c.as_number() {
                Some(c) => (c.clone(), rest),
                None => (Number::ONE, term.clone()),
            }
        })
        .collect()
}

/// A factor that is no sum or product, taken apart into powers.
fn pieces(e: &Expr) -> Vec<Piece> {
    let (base, exponent) = match e.kind() {
        Kind::Number(n) => return vec![Piece::Number(n.clone())],
        Kind::Sum(_) | Kind::Product(_) => return vec![Piece::Whole(e.clone(), 1)],
        Kind::Float(x) => {
            return vec![Piece::Atom(Expr::float(x.abs()), Expr::one(), Number::ONE)]
                .into_iter()
                .chain((*x < 0.0).then_some(Piece::Number(Number::MINUS_ONE)))
                .collect();
        }
        Kind::Power(b, x) => (b.clone(), x.clone()),
        Kind::Call(Function::Exp, args) => (Expr::constant(Constant::E), args[0].clone()),
        _ => (e.clone(), Expr::one()),
    };
    let mut out = Vec::new();
    for (n, unit) in split_exponent(&exponent) {
        if !unit.is_one() {
            out.push(Piece::Atom(base.clone(), unit, n));
            continue;
        }
        match base.kind() {
            Kind::Number(b) if n.is_integer() => {
                let value = n.to_i64().and_then(|k| i32::try_from(k).ok()).and_then(|k| b.pow(k));
                match value {
                    Some(value) if value.digits() < 2_000 => out.push(Piece::Number(value)),
                    _ => out.push(Piece::Atom(base.clone(), Expr::one(), n)),
                }
            }
            Kind::Number(b) if b.is_positive() => {
                for (prime, times) in primes(b) {
                    out.push(Piece::Atom(Expr::number(prime), Expr::one(), &n * &Number::int(times)));
                }
            }
            Kind::Sum(_) | Kind::Product(_) if n.is_integer() => match n.to_i64() {
                Some(k) => out.push(Piece::Whole(base.clone(), k)),
                None => out.push(Piece::Atom(base.clone(), Expr::one(), n)),
            },
            _ => out.push(Piece::Atom(base.clone(), Expr::one(), n)),
        }
    }
    out
}

/// Prime factors below 1000 of a positive rational; what is left counts as a prime.
fn primes(n: &Number) -> Vec<(Number, i64)> {
    let mut out = Vec::new();
    for (part, sign) in [(n.numerator(), 1), (n.denominator(), -1)] {
        let mut left = part;
        for d in std::iter::once(2).chain((3..1000).step_by(2)).map(Number::int) {
            if left.is_one() {
                break;
            }
            let mut times = 0;
            while let Some(q) = left.checked_div(&d).filter(Number::is_integer) {
                left = q;
                times += 1;
            }
            if times > 0 {
                out.push((d, sign * times));
            }
        }
        if !left.is_one() {
            out.push((left, sign));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x() -> Expr {
        Expr::symbol("x")
    }

    #[test]
    fn polynomials_come_back_as_they_were() {
        let cases = [
            x().powi(3) + Expr::int(2) * x() + Expr::one(),
            Expr::power(x(), Expr::ratio(1, 2)) + Expr::power(x(), Expr::ratio(1, 3)),
            Expr::call(Function::Exp, vec![x() + Expr::int(2)]) + Expr::call(Function::Sin, vec![x()]),
            Expr::int(2).sqrt() * x() + Expr::int(6).sqrt() + Expr::i() * Expr::pi(),
            Expr::power(x(), Expr::symbol("n") + Expr::one()) - Expr::float(-2.5) * x(),
        ];
        for e in cases {
            let kernels = Kernels::of(&[&e]).unwrap();
            assert_eq!(kernels.expr(&kernels.poly(&e).unwrap()), e);
        }
    }

    #[test]
    fn rules_reduce_powers() {
        let e = (Expr::one() + Expr::i()).powi(2) + (x() + Expr::int(2).sqrt()) * Expr::int(8).sqrt();
        let kernels = Kernels::of(&[&e]).unwrap();
        let expected = Expr::int(2) * Expr::i() + Expr::int(8).sqrt() * x() + Expr::int(4);
        assert_eq!(kernels.expr(&kernels.poly(&e).unwrap()), expected);
    }
}
