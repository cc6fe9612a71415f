//! Rational functions of expressions: one fraction out of many, cancelling, factoring. The work is done in
//! `fraction.rs` on the generators of `kernels.rs`. Only the top of an expression is looked at: what
//! stands inside a function is a generator.

use super::factor::factor as factor_poly;
use super::fraction::Fraction;
use super::kernels::Kernels;
use super::polynomial::Poly;
use crate::expression::{Expr, Kind, Relation};

fn fraction(e: &Expr) -> Option<(Fraction, Kernels)> {
    let kernels = Kernels::of(&[e])?;
    let f = Fraction::of(e, &kernels)?;
    Some((f, kernels))
}

/// Applies `f` to both sides of a relation, or to what is none.
fn each_side(e: &Expr, f: impl Fn(&Expr) -> Expr) -> Expr {
    match e.kind() {
        Kind::Relation(op, a, b) => Expr::relation(*op, f(a), f(b)),
        _ => f(e),
    }
}

/// Writes a sum of fractions as one fraction over the least common denominator. What cancels on the way stays
/// written (`x/x`), so that the result is defined where `e` is, and only there. An expression without
/// fractions, or too large, comes back as it is.
pub fn together(e: &Expr) -> Expr {
    each_side(e, |e| {
        if !has_inner_denominator(e) {
            return e.clone();
        }
        let Some((f, kernels)) = fraction(e) else { return e.clone() };
        let (result, poles) = (f.expr(&kernels), f.lost_poles(&kernels));
        let mut items = vec![result];
        for p in poles {
            let p = kernels.expr(&p);
            items.push(p.recip());
            items.push(p);
        }
        Expr::product(items)
    })
}

/// Whether a sum somewhere on top of it has a fraction among its terms.
fn has_inner_denominator(e: &Expr) -> bool {
    fn negative_power(e: &Expr) -> bool {
        match e.kind() {
            Kind::Power(b, x) => x.is_negated() || negative_power(b),
            Kind::Product(items) | Kind::Sum(items) => items.iter().any(negative_power),
            _ => false,
        }
    }
    match e.kind() {
        Kind::Sum(items) => items.iter().any(|t| {
            negative_power(t)
                || t.coefficient_and_factors().0.and_then(Expr::as_number).is_some_and(|n| !n.is_integer())
        }),
        Kind::Product(items) => items.iter().any(has_inner_denominator),
        Kind::Power(b, _) => has_inner_denominator(b),
        _ => false,
    }
}

/// Numerator and denominator of [`together`], without cancelling.
pub fn numerator_denominator(e: &Expr) -> (Expr, Expr) {
    let (mut top, mut bottom) = (Vec::new(), Vec::new());
    for factor in together(e).factors() {
        match factor.kind() {
            Kind::Number(n) => {
                top.push(Expr::number(n.numerator()));
                bottom.push(Expr::number(n.denominator()));
            }
            Kind::Power(b, x) if x.is_negated() => bottom.push(Expr::power(b.clone(), x.negate())),
            _ => top.push(factor.clone()),
        }
    }
    (Expr::product(top), Expr::product(bottom))
}

/// Cancels common factors of numerator and denominator, after writing everything as one fraction.
/// Returns the result and the expressions that must not be 0, because they were divided by and no longer
/// are (`x - 1` for `(x^2 - 1)/(x - 1)`). `None` where `e` is no rational function of at most 16
/// generators, or too large.
pub fn cancel(e: &Expr) -> Option<(Expr, Vec<Expr>)> {
    let (f, kernels) = fraction(e)?;
    let conditions = f.lost_poles(&kernels).iter().map(|p| condition(p, &kernels)).collect();
    Some((f.expr(&kernels), conditions))
}

/// What must not be 0: for a root of something, the something.
fn condition(p: &Poly, kernels: &Kernels) -> Expr {
    match p.terms() {
        [(m, _)] => (0..kernels.len())
            .find(|i| m.exponent(*i) > 0)
            .map_or_else(|| kernels.expr(p), |i| kernels.get(i).base().clone()),
        _ => kernels.expr(p),
    }
}

/// Factors numerator and denominator over the rationals, cancelling as [`cancel`] does except that where
/// something is lost it returns `None`, as for what is no rational function. See `factor.rs` for what is found.
pub fn factor(e: &Expr) -> Option<Expr> {
    if let Kind::Relation(Relation::Eq, a, b) = e.kind() {
        return Some(Expr::equation(factor(a)?, factor(b)?));
    }
    let (f, kernels) = fraction(e)?;
    if !f.lost_poles(&kernels).is_empty() {
        return None;
    }
    Some(factored(&f, &kernels))
}

/// [`cancel`] and [`factor`] at once: the factored result and what must not be 0.
pub fn cancel_and_factor(e: &Expr) -> Option<(Expr, Vec<Expr>)> {
    let (f, kernels) = fraction(e)?;
    let conditions = f.lost_poles(&kernels).iter().map(|p| condition(p, &kernels)).collect();
    Some((factored(&f, &kernels), conditions))
}

/// [`cancel`] and [`cancel_and_factor`] with the work done once: the cancelled form, the factored one, and what must
/// not be 0.
pub fn cancelled_and_factored(e: &Expr) -> Option<(Expr, Expr, Vec<Expr>)> {
    let (f, kernels) = fraction(e)?;
    let conditions = f.lost_poles(&kernels).iter().map(|p| condition(p, &kernels)).collect();
    Some((f.expr(&kernels), factored(&f, &kernels), conditions))
}

fn factored(f: &Fraction, kernels: &Kernels) -> Expr {
    let mut items = vec![Expr::number(f.number.clone())];
    for (i, k) in f.powers.iter().enumerate().filter(|(_, k)| **k != 0) {
        items.push(kernels.power_expr(i, *k as i64));
    }
    for (p, k) in &f.factors {
        let parts = factor_poly(p);
        items.push(Expr::number(parts.number).powi(*k as i64));
        for (q, n) in parts.list {
            items.push(kernels.expr(&q).powi(n as i64 * *k as i64));
        }
    }
    Expr::product(items)
}

/// Whether the expression is 0 wherever it is defined, as a rational function of its generators. `false` says
/// nothing where generators depend on each other (`sin(x)^2 + cos(x)^2 - 1`).
pub fn vanishes(e: &Expr) -> bool {
    e.is_zero() || fraction(e).is_some_and(|(f, _)| f.is_zero())
}

/// Numerator and denominator multiplied out, in coprime form, and what must not be 0.
pub fn expanded_fraction(e: &Expr) -> Option<(Expr, Expr, Vec<Expr>)> {
    let (f, kernels) = fraction(e)?;
    let conditions = f.lost_poles(&kernels).iter().map(|p| condition(p, &kernels)).collect();
    let (top, bottom) = f.expanded()?;
    Some((kernels.expr(&top), kernels.expr(&bottom), conditions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(name: &str) -> Expr {
        Expr::symbol(name)
    }

    #[test]
    fn cancelling_names_what_it_removed() {
        let x = s("x");
        let e = (x.powi(2) - Expr::one()) / (&x - &Expr::one());
        assert_eq!(cancel(&e), Some((&x + &Expr::one(), vec![&x - &Expr::one()])));
        let e = &x / &x;
        assert_eq!(cancel(&e), Some((Expr::one(), vec![x.clone()])));
        // A pole that stays needs no condition.
        assert_eq!(cancel(&(&x / &x.powi(2))), Some((x.recip(), vec![])));
        let y = s("y");
        let e = (x.powi(2) - y.powi(2)) / (&x + &y) - (&x - &y);
        let (zero, conditions) = cancel(&e).unwrap();
        assert!(zero.is_zero());
        assert_eq!(conditions, vec![&x + &y]);
    }

    #[test]
    fn roots_are_generators() {
        let (x, y) = (s("x"), s("y"));
        let e = (&x - &y) / (x.clone().sqrt() - y.clone().sqrt());
        let (result, conditions) = cancel(&e).unwrap();
        assert_eq!(result, x.clone().sqrt() + y.sqrt());
        assert_eq!(conditions.len(), 1);
        let root = (&x + &Expr::one()).sqrt();
        let (result, _) = cancel(&(&root + &root.recip())).unwrap();
        assert_eq!(result, (&x + &Expr::int(2)) / root.clone());
        let (result, _) = cancel(&((&x + &Expr::one()) / root.clone())).unwrap();
        assert_eq!(result, root);
    }

    #[test]
    fn one_fraction_over_the_least_denominator() {
        let x = s("x");
        let one = Expr::one();
        let e = (x.powi(2) - one.clone()).recip() + (&x - &one).recip();
        let (top, bottom) = numerator_denominator(&e);
        assert_eq!(top, &x + &Expr::int(2));
        assert_eq!(super::super::expand::expand(&bottom), x.powi(2) - one.clone());
        // Nothing to do.
        let plain = &x * &(&x + &one);
        assert_eq!(together(&plain), plain);
        // A cancelled pole stays written.
        let e = (&x - &one).recip() - &x / (&x - &one);
        assert!(!together(&e).is_plain_number());
    }

    #[test]
    fn factors_are_found_through_generators() {
        let (a, b, x) = (s("a"), s("b"), s("x"));
        let sine = Expr::call(crate::expression::Function::Sin, vec![x.clone()]);
        let e = a.powi(2) * &sine - b.powi(2) * &sine;
        let f = factor(&e).unwrap();
        assert_eq!(f.factors().iter().filter(|f| !f.is_plain_number()).count(), 3);
        assert!(vanishes(&(f - e)));
        assert!(!vanishes(&(sine - x)));
        assert!(vanishes(&((&a + &b).powi(3) - super::super::expand::expand(&(&a + &b).powi(3)))));
    }

    /// Sums, products and powers of symbols, roots, functions and floats.
    fn random(rng: &mut crate::base::random::Rng, nodes: usize) -> Expr {
        use rand::RngExt;
        if nodes <= 1 {
            return match rng.random_range(0..8u32) {
                0..=4 => s(["x", "y", "z"][rng.random_range(0..3usize)]),
                5 => Expr::call(crate::expression::Function::Sin, vec![s("x")]),
                6 => Expr::power(s("y"), Expr::ratio(rng.random_range(1..4i64), 2)),
                _ => Expr::int(rng.random_range(-4..5i64)),
            };
        }
        let first = rng.random_range(1..nodes);
        let a = random(rng, first);
        let b = random(rng, nodes - first);
        match rng.random_range(0..7u32) {
            0..=2 => a + b,
            3 => a * b,
            4 => a - b,
            5 => a / b,
            _ => (a + b).powi(rng.random_range(2..4i64)),
        }
    }

    fn cases() -> u64 {
        std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
    }

    #[test]
    fn values_stay_as_they_are() {
        let mut rng = crate::base::random::Streams::new(7).stream("rational laws");
        for case in 0..cases() {
            let e = random(&mut rng, 3 + (case % 8) as usize);
            let mut forms = vec![("expand", super::super::expand::expand(&e)), ("together", together(&e))];
            forms.extend(cancel(&e).map(|(short, _)| ("cancel", short)));
            forms.extend(factor(&e).map(|f| ("factor", f)));
            forms.extend(cancel_and_factor(&e).map(|(f, _)| ("cancel_and_factor", f)));
            // Long sums with signs lose digits by themselves.
            forms.extend(
                expanded_fraction(&e)
                    .filter(|(top, ..)| top.terms().len() < 40)
                    .map(|(top, bottom, _)| ("expanded", top / bottom)),
            );
            let (top, bottom) = numerator_denominator(&e);
            forms.push(("numerator and denominator", top / bottom));
            forms.retain(|(_, form)| form.node_count() < 200);
            for point in [[0.7, 1.3, 2.1], [1.9, 0.4, 0.6], [2.3, 1.7, 0.9]] {
                let at = |name: &crate::expression::Symbol| {
                    ["x", "y", "z"].iter().position(|n| *n == name.name()).map(|i| point[i])
                };
                let Some(value) = e.evaluate(&at).filter(|v| v.is_finite() && v.abs() < 1e8) else {
                    continue;
                };
                for (name, form) in &forms {
                    let other = form.evaluate(&at).unwrap_or(f64::NAN);
                    assert!(
                        (value - other).abs() <= 1e-6 * (1.0 + value.abs()),
                        "{name} of {e} is {form}: {value} became {other}"
                    );
                }
            }
        }
    }
}
