//! Equations for one unknown. The equation is written as one fraction equal to 0; its numerator is factored,
//! and each factor is a polynomial in one generator that holds the unknown: linear or quadratic, possibly in a
//! power of it. A generator that is a function or a power is inverted, which gives an equation for what
//! stands inside. Two generators are taken only where one is the square root of a sum, which is isolated
//! and squared.
//!
//! Every root is put back into the equation, with numbers for the other symbols; what does not fulfil it (squaring
//! brings such) is dropped. What had to be assumed and is not proved from declarations stands among the conditions.

use super::error::AlgebraError;
use super::factor::factor;
use super::fraction::Fraction;
use super::gcd::gcd;
use super::kernels::Kernels;
use super::polynomial::{Monomial, Poly};
use super::rational::{cancel, vanishes};
use super::verify::Samples;
use crate::base::Number;
use crate::expression::{Assumptions, Constant, Declarations, Expr, Function, Kind, Relation, Symbol};

/// How deep inversions may nest.
const MAX_STEPS: usize = 16;

/// The roots of an equation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solutions {
    /// Values of the unknown: numbers in ascending order, else in the order of discovery (minus before plus).
    pub roots: Vec<Expr>,
    /// What was assumed and is not proved from declarations.
    pub conditions: Vec<Expr>,
    /// Whether these are all roots (`false` where periodic functions were inverted: principal values only).
    pub all: bool,
    /// Whether every value of the unknown is a solution.
    pub identity: bool,
    /// Whether there are roots that are not real, left out because the unknown is real.
    pub no_real: bool,
}

/// Solves `equation` (`a == b`, or an expression to be 0) for `unknown`, which is real unless declared complex.
///
/// # Errors
/// Where it is no equation, or none of the kinds that are solved.
pub fn solve(
    equation: &Expr,
    unknown: &Symbol,
    declarations: &Declarations,
) -> Result<Solutions, AlgebraError> {
    let f = as_zero(equation)?;
    let assumptions = declarations.get(unknown).map_or_else(Assumptions::default, |d| d.assumptions);
    let mut solver = Solver {
        unknown,
        declarations,
        complex: assumptions.complex,
        out: Solutions { all: true, ..Solutions::default() },
    };
    if !f.contains_symbol(unknown) {
        return match f.is_zero() || vanishes(&f) {
            true => Ok(Solutions { identity: true, all: true, ..Solutions::default() }),
            false if f.is_symbolic() => Err(solver.cannot("an equation without it")),
            false => Ok(solver.out),
        };
    }
    solver.zero(&f, 0)?;
    solver.finish(&f, assumptions)
}

/// The expression that is 0 where the equation holds.
pub(super) fn as_zero(equation: &Expr) -> Result<Expr, AlgebraError> {
    let found = match equation.kind() {
        Kind::Relation(Relation::Eq, a, b) => return as_zero(&(a - b)),
        Kind::Relation(..) => "an inequality",
        Kind::Bool(_) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) => "a condition",
        _ if equation.is_undefined() => "something without a value",
        _ => return Ok(equation.clone()),
    };
    Err(AlgebraError::NotAnEquation { found })
}

/// `e != 0`, in parts; without what holds anyway.
pub(super) fn nonzero_conditions(p: &Poly, kernels: &Kernels, declarations: &Declarations) -> Vec<Expr> {
    let factors = factor(p);
    let bases = (0..kernels.len())
        .filter(|i| factors.monomial.exponent(*i) > 0 && !kernels.get(*i).is_never_zero())
        .flat_map(|i| bases_of(kernels.get(i).base()));
    bases
        .chain(factors.list.iter().map(|(q, _)| kernels.expr(q)))
        .filter_map(|e| needed(Expr::relation(Relation::Ne, e, Expr::zero()), declarations))
        .collect()
}

/// What must not be 0 for a product not to be.
fn bases_of(e: &Expr) -> Vec<Expr> {
    e.factors().iter().filter(|f| !f.is_plain_number()).map(|f| f.base_exponent().0).collect()
}

/// The condition, where it is not proved.
fn needed(condition: Expr, declarations: &Declarations) -> Option<Expr> {
    (verdict(&condition, declarations) != Some(true)).then_some(condition)
}

fn verdict(condition: &Expr, declarations: &Declarations) -> Option<bool> {
    condition.decide(&|_| None).or_else(|| super::prove(condition, declarations))
}

/// `e >= 0`, without factors that are never negative, and with negative terms on the right.
fn not_negative(e: &Expr) -> Expr {
    let whole = super::rational::factor(e).unwrap_or_else(|| e.clone());
    let mut factors = Vec::new();
    for f in whole.factors() {
        let (base, exponent) = f.base_exponent();
        match (base.kind(), exponent.as_number()) {
            (Kind::Number(n), Some(_)) => factors.push(Expr::int(if n.is_negative() { -1 } else { 1 })),
            (Kind::Constant(Constant::Pi | Constant::E), Some(_)) => {}
            (Kind::Call(Function::Exp | Function::Abs, _), Some(_)) => {}
            (_, Some(n)) if n.is_even() || !n.is_integer() => {}
            (_, Some(n)) => factors.push(base.powi(if n.is_negative() { -1 } else { 1 })),
            _ => factors.push(f.clone()),
        }
    }
    let e = Expr::product(factors);
    let (negative, positive): (Vec<Expr>, Vec<Expr>) = e.terms().iter().cloned().partition(Expr::is_negated);
    if positive.is_empty() {
        return Expr::relation(Relation::Le, e.negate(), Expr::zero());
    }
    Expr::relation(Relation::Ge, Expr::sum(positive), Expr::sum(negative.iter().map(Expr::negate)))
}

/// Joins `p >= 0` with `!= 0` of what p consists of to `p > 0`, drops what is divided by in the equation itself, and
/// writes `a - b != 0` as `a != b`.
fn joined(conditions: Vec<Expr>, f: &Expr) -> Vec<Expr> {
    let mut given: Vec<Expr> = Vec::new();
    f.visit(&mut |e| {
        if let Kind::Power(b, n) = e.kind()
            && n.is_negated()
        {
            given.push(b.clone());
        }
    });
    let (mut nonzero, mut others): (Vec<Expr>, Vec<Expr>) =
        conditions.into_iter().partition(|c| matches!(c.kind(), Kind::Relation(Relation::Ne, ..)));
    let left = |c: &Expr| match c.kind() {
        Kind::Relation(_, a, _) => a.clone(),
        _ => c.clone(),
    };
    nonzero.retain(|c| !given.contains(&left(c)));
    for c in &mut others {
        let Kind::Relation(op @ (Relation::Ge | Relation::Gt), p, zero) = c.kind() else { continue };
        let bases: Vec<(Expr, bool)> = p
            .factors()
            .iter()
            .filter(|f| !f.is_plain_number())
            .map(|f| (f.base_exponent().0, f.base_exponent().1.is_negated()))
            .collect();
        let excluded = |b: &Expr| nonzero.iter().any(|c| left(c) == *b);
        if !zero.is_zero() || !(*op == Relation::Gt || bases.iter().all(|(b, under)| *under || excluded(b))) {
            continue;
        }
        nonzero.retain(|c| !bases.iter().any(|(b, _)| *b == left(c)));
        *c = Expr::relation(Relation::Gt, p.clone(), zero.clone());
    }
    nonzero.iter().map(|c| super::nonzero_condition(&left(c))).chain(others).collect()
}

struct Solver<'a> {
    unknown: &'a Symbol,
    declarations: &'a Declarations,
    complex: bool,
    out: Solutions,
}

impl Solver<'_> {
    fn cannot(&self, found: &'static str) -> AlgebraError {
        AlgebraError::CannotSolve { unknown: self.unknown.name().to_string(), found }
    }

    fn assume(&mut self, condition: Expr) {
        if let Some(condition) = needed(condition, self.declarations)
            && !self.out.conditions.contains(&condition)
        {
            self.out.conditions.push(condition);
        }
    }

    fn assume_nonzero(&mut self, p: &Poly, kernels: &Kernels) {
        for condition in nonzero_conditions(p, kernels, self.declarations) {
            self.assume(condition);
        }
    }

    /// Whether the condition can hold; where that is open it is assumed.
    fn require(&mut self, condition: Expr) -> bool {
        if self.complex {
            return true;
        }
        match verdict(&condition, self.declarations) {
            Some(holds) => {
                self.out.no_real |= !holds;
                holds
            }
            None => {
                self.assume(condition);
                true
            }
        }
    }

    fn root(&mut self, root: Expr) {
        // The simplest form; what is divided by was assumed not to be 0.
        let tidy = match cancel(&root) {
            Some((short, _)) if short.node_count() <= root.node_count() => short,
            _ => root,
        };
        if !self.out.roots.contains(&tidy) {
            self.out.roots.push(tidy);
        }
    }

    /// Finds the roots of `f`.
    fn zero(&mut self, f: &Expr, step: usize) -> Result<(), AlgebraError> {
        if step > MAX_STEPS {
            return Err(self.cannot("too many functions inside each other"));
        }
        if f.as_symbol() == Some(self.unknown) {
            self.root(Expr::zero());
            return Ok(());
        }
        let kernels =
            Kernels::of(&[f]).ok_or_else(|| self.cannot("more than 16 different parts, or a condition"))?;
        let fraction =
            Fraction::of(f, &kernels).ok_or_else(|| self.cannot("a polynomial that is too large"))?;
        if fraction.is_zero() {
            self.out.identity = true;
            return Ok(());
        }
        for i in (0..kernels.len()).filter(|i| fraction.powers[*i] > 0) {
            if self.holds_unknown(&kernels, i) {
                self.invert(&kernels, i, 1, Expr::zero(), step)?;
            } else {
                self.assume_nonzero(&Poly::generator(i), &kernels);
            }
        }
        for (p, _) in fraction.factors.iter().filter(|(_, e)| *e > 0) {
            for (q, _) in factor(p).list {
                self.polynomial(&q, &kernels, step)?;
            }
        }
        Ok(())
    }

    fn holds_unknown(&self, kernels: &Kernels, i: usize) -> bool {
        let k = kernels.get(i);
        k.base().contains_symbol(self.unknown) || k.unit().contains_symbol(self.unknown)
    }

    /// Roots of a polynomial in generators.
    fn polynomial(&mut self, p: &Poly, kernels: &Kernels, step: usize) -> Result<(), AlgebraError> {
        let inside: Vec<usize> =
            p.variable_list().into_iter().filter(|i| self.holds_unknown(kernels, *i)).collect();
        let g = match inside.as_slice() {
            [] => {
                self.assume_nonzero(p, kernels);
                return Ok(());
            }
            [only] => *only,
            _ => return self.isolate(p, &inside, kernels, step),
        };
        // A polynomial in a power of the generator is one in that power.
        let mut coefficients = p.coefficients(g);
        let k = coefficients.iter().fold(0, |k, (e, _)| greatest(k, *e)).max(1);
        for (e, _) in &mut coefficients {
            *e /= k;
        }
        if coefficients[0].1.leading().is_some_and(|(_, c)| c.is_negative()) {
            for (_, c) in &mut coefficients {
                *c = c.negated();
            }
        }
        let of =
            |n: u16| coefficients.iter().find(|(e, _)| *e == n).map_or_else(Poly::zero, |(_, c)| c.clone());
        let too_large = || AlgebraError::CannotSolve {
            unknown: self.unknown.name().to_string(),
            found: "a polynomial that is too large",
        };
        let values = match coefficients[0].0 {
            1 => {
                let (a, b) = (of(1), of(0));
                self.assume_nonzero(&a, kernels);
                vec![kernels.expr(&b.negated()) / kernels.expr(&a)]
            }
            2 => {
                let (a, b, c) = (of(2), of(1), of(0));
                self.assume_nonzero(&a, kernels);
                let discriminant = b
                    .times(&b)
                    .and_then(|bb| Some(bb.minus(&a.times(&c)?.scaled(&Number::int(4)))))
                    .and_then(|d| kernels.reduced(d))
                    .ok_or_else(too_large)?;
                self.quadratic(&a, &b, &discriminant, kernels).ok_or_else(too_large)?
            }
            3 => return Err(self.cannot("a cubic without rational roots")),
            _ => return Err(self.cannot("a polynomial of degree above 3 without rational factors")),
        };
        for value in values {
            let value = match cancel(&value) {
                Some((short, _)) if short.node_count() <= value.node_count() => short,
                _ => value,
            };
            self.invert(kernels, g, k as i64, value, step)?;
        }
        Ok(())
    }

    /// `(-b ± sqrt(d))/(2*a)`, minus first; none where d is negative and the unknown real.
    fn quadratic(&mut self, a: &Poly, b: &Poly, d: &Poly, kernels: &Kernels) -> Option<Vec<Expr>> {
        let twice_a = a.scaled(&Number::TWO);
        if d.is_zero() {
            return Some(vec![kernels.expr(&b.negated()) / kernels.expr(&twice_a)]);
        }
        // d = outside^2 * inside
        let factors = factor(d);
        let (mut outside, mut inside) = split_square(&factors.number);
        let mut powers = (Monomial::ONE, Monomial::ONE);
        for i in 0..kernels.len() {
            let e = factors.monomial.exponent(i);
            powers = (powers.0.with(i, e / 2), powers.1.with(i, e % 2));
        }
        outside = outside.times_term(&powers.0, &Number::ONE)?;
        inside = inside.times_term(&powers.1, &Number::ONE)?;
        for (p, n) in &factors.list {
            outside = outside.times(&p.pow(n / 2)?)?;
            inside = inside.times(&p.pow(n % 2)?)?;
        }
        let under = kernels.expr(&inside);
        if !self.require(not_negative(&under)) {
            return Some(Vec::new());
        }
        let shared = gcd(&gcd(b, &outside)?, &twice_a)?;
        let number = b.numeric_content().gcd(&outside.numeric_content()).gcd(&twice_a.numeric_content());
        let shared = shared.scaled(&number);
        let b = kernels.expr(&b.exact_div(&shared)?);
        let bottom = kernels.expr(&twice_a.exact_div(&shared)?);
        let root = kernels.expr(&outside.exact_div(&shared)?) * under.sqrt();
        Some([root.negate(), root].map(|r| (r - b.clone()) / bottom.clone()).into())
    }

    /// `a*r + b == 0` with a square root r of a sum: the roots of `a^2*r^2 - b^2`.
    fn isolate(
        &mut self,
        p: &Poly,
        inside: &[usize],
        kernels: &Kernels,
        step: usize,
    ) -> Result<(), AlgebraError> {
        for &i in inside {
            let Some(rule) = kernels.get(i).rule.as_ref().filter(|r| r.power == 2) else { continue };
            if p.degree(i) != 1 {
                continue;
            }
            let (a, b) = (p.coefficient(i, 1), p.coefficient(i, 0));
            let squared = a
                .times(&a)
                .and_then(|aa| aa.times(&rule.by))
                .and_then(|left| Some(left.minus(&b.times(&b)?)))
                .and_then(|q| kernels.reduced(q));
            if let Some(q) = squared {
                return self.zero(&kernels.expr(&q), step + 1);
            }
        }
        Err(self.cannot("it inside different functions"))
    }

    /// Roots of `generator^k == value`.
    fn invert(
        &mut self,
        kernels: &Kernels,
        generator: usize,
        k: i64,
        value: Expr,
        step: usize,
    ) -> Result<(), AlgebraError> {
        let kernel = kernels.get(generator);
        let (base, unit) = (kernel.base().clone(), kernel.unit().clone());
        let exponent = match Number::ratio(k, kernel.root()) {
            Some(n) => n,
            None => return Err(self.cannot("an exponent without a value")),
        };
        if unit.contains_symbol(self.unknown) {
            if base.contains_symbol(self.unknown) {
                return Err(self.cannot("it in a base and its exponent"));
            }
            // base^(exponent*unit) == value
            if !matches!(base.kind(), Kind::Constant(_)) {
                self.require(Expr::relation(Relation::Gt, base.clone(), Expr::zero()));
            }
            if value.is_zero() || !self.require(Expr::relation(Relation::Gt, value.clone(), Expr::zero())) {
                return Ok(());
            }
            let inverse = exponent.recip().unwrap_or(Number::ONE);
            let target = logarithm(&value, &base) * Expr::number(inverse);
            return self.zero(&(unit - target), step + 1);
        }
        let exponent = Expr::number(exponent) * unit;
        for target in self.roots_of_power(&exponent, value)? {
            match base.kind() {
                Kind::Symbol(s) if s == self.unknown => self.root(target),
                Kind::Call(function, args) => self.invert_call(*function, args, target, step)?,
                Kind::Sum(_) | Kind::Product(_) | Kind::Power(..) => {
                    self.zero(&(&base - &target), step + 1)?;
                }
                _ => return Err(self.cannot("it inside a function that has no inverse here")),
            }
        }
        Ok(())
    }

    /// The values of b with `b^exponent == value`.
    fn roots_of_power(&mut self, exponent: &Expr, value: Expr) -> Result<Vec<Expr>, AlgebraError> {
        if exponent.is_one() {
            return Ok(vec![value]);
        }
        if value.is_zero() {
            return Ok(vec![value]);
        }
        let inverse = exponent.recip();
        let Some(n) = exponent.as_number().and_then(Number::to_i64) else {
            // A principal power is not negative; neither is its base, where it is real.
            let possible = self.require(not_negative(&value));
            if exponent.is_symbolic() {
                self.assume(Expr::relation(Relation::Ne, exponent.clone(), Expr::zero()));
            }
            return Ok(if possible { vec![Expr::power(value, inverse)] } else { Vec::new() });
        };
        if self.complex {
            let first = Expr::power(value, inverse);
            return Ok((0..n)
                .map(|j| {
                    let angle = Expr::product([Expr::ratio(2 * j, n), Expr::pi(), Expr::i()]);
                    &first * &Expr::call(Function::Exp, vec![angle])
                })
                .collect());
        }
        let negative = verdict(&Expr::relation(Relation::Lt, value.clone(), Expr::zero()), self.declarations);
        if n % 2 != 0 {
            if negative == Some(true) {
                return Ok(vec![Expr::power(value.negate(), inverse).negate()]);
            }
            self.require(not_negative(&value));
            return Ok(vec![Expr::power(value, inverse)]);
        }
        if !self.require(not_negative(&value)) {
            return Ok(Vec::new());
        }
        let root = if n == 2 { root_of_square(&value) } else { Expr::power(value, inverse) };
        Ok(vec![root.negate(), root])
    }

    /// Roots of `function(args) == value`.
    fn invert_call(
        &mut self,
        function: Function,
        args: &[Expr],
        value: Expr,
        step: usize,
    ) -> Result<(), AlgebraError> {
        use Function::*;
        let [inside] = args else { return Err(self.cannot("it inside a function of several arguments")) };
        let call = |f: Function| Expr::call(f, vec![value.clone()]);
        let within = |op, bound: Expr| Expr::relation(op, call(Abs), bound);
        let half_pi = || Expr::ratio(1, 2) * Expr::pi();
        let at_least = |bound: Expr| Expr::relation(Relation::Ge, value.clone(), bound);
        let (possible, targets) = match function {
            Sin => (self.require(within(Relation::Le, Expr::one())), vec![call(Asin)]),
            Cos => (self.require(within(Relation::Le, Expr::one())), vec![call(Acos)]),
            Tan => (true, vec![call(Atan)]),
            Asin => (self.require(within(Relation::Le, half_pi())), vec![call(Sin)]),
            Acos => {
                let low = self.require(at_least(Expr::zero()));
                (
                    low && self.require(Expr::relation(Relation::Le, value.clone(), Expr::pi())),
                    vec![call(Cos)],
                )
            }
            Atan => (self.require(within(Relation::Lt, half_pi())), vec![call(Tan)]),
            Sinh => (true, vec![call(Asinh)]),
            Cosh => (self.require(at_least(Expr::one())), vec![call(Acosh).negate(), call(Acosh)]),
            Tanh => (self.require(within(Relation::Lt, Expr::one())), vec![call(Atanh)]),
            Asinh => (true, vec![call(Sinh)]),
            Acosh => (self.require(at_least(Expr::zero())), vec![call(Cosh)]),
            Atanh => (true, vec![call(Tanh)]),
            Log => (true, vec![call(Exp)]),
            Log10 => (true, vec![Expr::power(Expr::int(10), value.clone())]),
            Log2 => (true, vec![Expr::power(Expr::int(2), value.clone())]),
            Abs if !self.complex => (self.require(not_negative(&value)), vec![value.negate(), value.clone()]),
            _ => return Err(self.cannot("it inside a function that has no inverse here")),
        };
        if matches!(function, Sin | Cos | Tan) {
            self.out.all = false;
        }
        if possible {
            for target in targets {
                self.zero(&(inside - &target), step + 1)?;
            }
        }
        Ok(())
    }

    /// Drops what does not fulfil the equation or contradicts declarations, and sorts.
    fn finish(mut self, f: &Expr, assumptions: Assumptions) -> Result<Solutions, AlgebraError> {
        if self.out.identity {
            return Ok(Solutions { identity: true, all: true, ..Solutions::default() });
        }
        let samples = Samples::new(self.declarations);
        let mut kept = Vec::new();
        for root in std::mem::take(&mut self.out.roots) {
            if !self.admits(&root, assumptions) || !self.keeps_denominators(f, &root) {
                continue;
            }
            match samples.fulfils(f, self.unknown, &root, &self.out.conditions, self.complex) {
                Some(false) => {}
                _ => kept.push(root),
            }
        }
        if kept.iter().all(|r| !r.is_symbolic()) {
            // By real part, then by imaginary part.
            let value = |r: &Expr| r.evaluate_complex(&|_| None).map(|(re, im)| (re + 0.0, im));
            let mut valued: Vec<((f64, f64), Expr)> =
                kept.iter().filter_map(|r| Some((value(r)?, r.clone()))).collect();
            if valued.len() == kept.len() {
                valued.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
                kept = valued.into_iter().map(|(_, r)| r).collect();
            }
        }
        self.out.roots = kept;
        let conditions = std::mem::take(&mut self.out.conditions);
        if !self.out.roots.is_empty() {
            self.out.conditions = joined(conditions, f);
        }
        Ok(self.out)
    }

    /// Whether a root agrees with what is declared of the unknown.
    fn admits(&self, root: &Expr, a: Assumptions) -> bool {
        let refuted =
            |op| verdict(&Expr::relation(op, root.clone(), Expr::zero()), self.declarations) == Some(false);
        let whole = root.as_number().is_none_or(Number::is_integer);
        !((a.positive && refuted(Relation::Gt))
            || (a.negative && refuted(Relation::Lt))
            || (a.nonnegative && refuted(Relation::Ge))
            || (a.nonpositive && refuted(Relation::Le))
            || (a.nonzero && refuted(Relation::Ne))
            || (a.integer && !whole))
    }

    /// Whether nothing in `f` that is divided by becomes 0 at the root; where that is open it is assumed.
    fn keeps_denominators(&mut self, f: &Expr, root: &Expr) -> bool {
        let mut divisors: Vec<Expr> = Vec::new();
        f.visit(&mut |e| {
            if let Kind::Power(b, n) = e.kind()
                && n.is_negated()
                && b.contains_symbol(self.unknown)
            {
                divisors.push(b.clone());
            }
        });
        for d in divisors {
            let at = d.substitute(&[(self.unknown.clone(), root.clone())]);
            if at.is_undefined() || vanishes(&at) {
                return false;
            }
            let Some((short, _)) = cancel(&at) else { continue };
            let Some(kernels) = Kernels::of(&[&short]) else { continue };
            if let Some(top) = Fraction::of(&short, &kernels).and_then(|s| s.expanded()) {
                self.assume_nonzero(&top.0, &kernels);
            }
        }
        true
    }
}

/// One of the two square roots, with squares of symbols taken out (the other is its negative).
fn root_of_square(value: &Expr) -> Expr {
    let Some(factored) = super::rational::factor(value) else { return value.clone().sqrt() };
    let (mut outside, mut inside) = (Vec::new(), Vec::new());
    for f in factored.factors() {
        let (base, exponent) = f.base_exponent();
        match exponent.as_i64() {
            Some(k) if k % 2 == 0 => outside.push(base.powi(k / 2)),
            _ => inside.push(f.clone()),
        }
    }
    if outside.is_empty() {
        return value.clone().sqrt();
    }
    outside.push(Expr::product(inside).sqrt());
    Expr::product(outside)
}

fn greatest(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { greatest(b, a % b) }
}

/// `n = outside^2 * inside` with the largest square that trial division finds; the sign stays inside.
fn split_square(n: &Number) -> (Poly, Poly) {
    let size = Expr::number(n.abs()).sqrt();
    let (outside, radical) = size.split_coefficient();
    let outside = outside.as_number().cloned().unwrap_or(Number::ONE);
    let square = &outside * &outside;
    let inside = n.checked_div(&square).unwrap_or_else(|| n.clone());
    debug_assert!(radical.as_number().is_none_or(Number::is_one) || !inside.is_one());
    (Poly::constant(outside), Poly::constant(inside))
}

/// The logarithm of `value` to `base`, exact where it is an integer.
fn logarithm(value: &Expr, base: &Expr) -> Expr {
    if matches!(base.kind(), Kind::Constant(Constant::E)) {
        return Expr::call(Function::Log, vec![value.clone()]);
    }
    if let (Some(v), Some(b)) = (value.as_number(), base.as_number())
        && let Some(k) = (-64..=64).find(|k| b.pow(*k).as_ref() == Some(v))
    {
        return Expr::int(k as i64);
    }
    let log = |e: &Expr| Expr::call(Function::Log, vec![e.clone()]);
    log(value) / log(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Declaration;
    use crate::expression::read::parse;

    fn roots_of(text: &str) -> Solutions {
        solve(&parse(text), &Symbol::new("x"), &Declarations::new()).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn shown(text: &str) -> String {
        let s = roots_of(text);
        let list = |items: &[Expr]| items.iter().map(Expr::to_string).collect::<Vec<_>>().join(", ");
        let conditions =
            if s.conditions.is_empty() { String::new() } else { format!(" if {}", list(&s.conditions)) };
        format!("[{}]{conditions}", list(&s.roots))
    }

    #[test]
    fn textbook_equations() {
        for (text, expected) in [
            (
                "a*x^2 + b*x + c == 0",
                "[(-b - sqrt(b^2 - 4*a*c))/(2*a), (-b + sqrt(b^2 - 4*a*c))/(2*a)] if a != 0, b^2 >= 4*a*c",
            ),
            ("x^2 - 5*x + 6 == 0", "[2, 3]"),
            ("2*x + 3 == 7", "[2]"),
            ("x^2 == 2", "[-sqrt(2), sqrt(2)]"),
            ("x^2 - x - 1 == 0", "[(1 - sqrt(5))/2, (1 + sqrt(5))/2]"),
            ("x^2 + 1 == 0", "[]"),
            ("x^2 - 2*x + 1 == 0", "[1]"),
            ("F == m*x", "[F/m] if m != 0"),
            ("v == v0 + a*x", "[(v - v0)/a] if a != 0"),
            ("x^4 - 5*x^2 + 4 == 0", "[-2, -1, 1, 2]"),
            ("x^3 - 6*x^2 + 11*x - 6 == 0", "[1, 2, 3]"),
            ("x^3 == -8", "[-2]"),
            ("1/x + 1/(x + 1) == 3/2", "[-2/3, 1]"),
            ("(x^2 - 1)/(x - 1) == 0", "[-1]"),
            ("sqrt(x + 1) == x - 1", "[3]"),
            ("sqrt(x + 1) == -2", "[]"),
            ("exp(2*x) - 3*exp(x) + 2 == 0", "[0, log(2)]"),
            ("2^x == 8", "[3]"),
            ("log(x) == 2", "[exp(2)]"),
            ("sin(x) == 1/2", "[pi/6]"),
            ("sin(x) == 2", "[]"),
            ("x^(3/2) == 8", "[4]"),
            ("abs(x - 1) == 2", "[-1, 3]"),
            ("exp(k*x) == a", "[log(a)/k] if k != 0, a > 0"),
            ("x*y == x", "[0] if y != 1"),
            ("T == 2*pi*sqrt(x/g)", "[g*T^2/(4*pi^2)] if T >= 0"),
            ("F == G*m1*m2/x^2", "[-sqrt(G*m1*m2/F), sqrt(G*m1*m2/F)] if G*m1*m2/F > 0"),
            ("1/f == 1/a + 1/x", "[a*f/(a - f)] if a != f"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert!(roots_of("x^2 + 1 == 0").no_real);
        assert!(roots_of("x + 1 == 1 + x").identity);
        assert!(!roots_of("sin(x) == 1/2").all);
    }

    #[test]
    fn complex_unknowns_and_declared_signs() {
        let declare = |a: Assumptions| {
            let mut d = Declarations::new();
            d.insert(Symbol::new("x"), Declaration { assumptions: a, ..Declaration::default() });
            d
        };
        let complex = declare(Assumptions { complex: true, ..Assumptions::default() });
        let found = solve(&parse("x^2 + 1 == 0"), &Symbol::new("x"), &complex).unwrap();
        assert_eq!(found.roots, [Expr::i().negate(), Expr::i()]);
        let cube = solve(&parse("x^3 == 1"), &Symbol::new("x"), &complex).unwrap();
        assert_eq!(cube.roots.len(), 3);
        let positive = declare(Assumptions { positive: true, ..Assumptions::default() });
        let found = solve(&parse("x^2 == 4"), &Symbol::new("x"), &positive).unwrap();
        assert_eq!(found.roots, [Expr::int(2)]);
    }

    #[test]
    fn what_is_out_of_reach_says_so() {
        let x = Symbol::new("x");
        let failed = |text: &str| solve(&parse(text), &x, &Declarations::new()).unwrap_err();
        for text in ["x + sin(x) == 1", "x^5 - x - 1 == 0", "x^x == 2", "u(x) == 0", "a == b"] {
            assert!(matches!(failed(text), AlgebraError::CannotSolve { .. }), "{text}");
        }
        assert!(matches!(failed("x < 2"), AlgebraError::NotAnEquation { .. }));
    }

    #[test]
    fn roots_fulfil_their_equations() {
        // (p*x - q)*(r*x - s) == 0 for many small integers.
        for seed in 0..60i64 {
            let n = |k: i64| Expr::int((seed * (2 * k + 3) + 5 * k) % 11 - 5);
            let x = Expr::symbol("x");
            let f = super::super::expand::expand(&((n(1) * &x - n(2)) * (n(3) * &x - n(4)) + n(5)));
            if !f.is_symbolic() {
                continue;
            }
            let found = solve(&f, &Symbol::new("x"), &Declarations::new()).unwrap();
            for root in &found.roots {
                let at = f.substitute(&[(Symbol::new("x"), root.clone())]);
                assert!(super::super::expand::expand(&at).to_f64().unwrap().abs() < 1e-9, "{f}: {root}");
            }
            assert_eq!(found.roots.is_empty(), found.no_real, "{f}");
        }
    }
}
