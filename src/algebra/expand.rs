//! Multiplying out. Products over sums and positive integer powers of sums become sums of products, in function
//! arguments too; what is divided by keeps its form, and functions keep theirs (`exp(a + b)` stays).
//! Up to 16 generators it is polynomial arithmetic (`polynomial.rs`); beyond, terms are multiplied one by one.

use super::error::AlgebraError;
use super::kernels::Kernels;
use super::polynomial::MAX_TERMS;
use crate::expression::{Expr, Kind};

/// The expression multiplied out. Parts that would have too many terms stay as they are.
pub fn expand(e: &Expr) -> Expr {
    expand_with(e, &mut false)
}

/// The expression multiplied out, or an error where that has more than 100 000 terms somewhere.
pub fn try_expand(e: &Expr) -> Result<Expr, AlgebraError> {
    let mut too_large = false;
    let result = expand_with(e, &mut too_large);
    if too_large { Err(AlgebraError::TooManyTerms { limit: MAX_TERMS }) } else { Ok(result) }
}

fn expand_with(e: &Expr, too_large: &mut bool) -> Expr {
    e.transform(&mut |node| {
        let (expanded, large) = expand_top(&node);
        *too_large |= large;
        expanded
    })
}

/// Whether a node is a sum to be multiplied out.
fn is_open(e: &Expr) -> bool {
    match e.kind() {
        Kind::Product(items) => items.iter().any(|f| is_sum(f) || is_open_power(f)),
        Kind::Power(..) => is_open_power(e),
        _ => false,
    }
}

fn is_sum(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Sum(_))
}

fn is_open_power(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Power(b, n) if is_sum(b) && n.as_i64().is_some_and(|n| n > 1))
}

/// Multiplies one product or power out whose parts are expanded already.
fn expand_top(e: &Expr) -> (Expr, bool) {
    if !is_open(e) {
        return (e.clone(), false);
    }
    if let Some(kernels) = Kernels::with_inverses(&[e]) {
        return match kernels.poly(e) {
            Some(p) => (kernels.expr(&p), false),
            None => (e.clone(), true),
        };
    }
    let mut terms = vec![Expr::one()];
    for factor in e.factors() {
        let (base, times) = match factor.kind() {
            Kind::Power(b, n) if is_open_power(factor) => (b.clone(), n.as_i64().unwrap_or(1)),
            _ => (factor.clone(), 1),
        };
        for _ in 0..times {
            if terms.len().saturating_mul(base.terms().len()) > 4 * MAX_TERMS {
                return (e.clone(), true);
            }
            let products = terms
                .iter()
                .flat_map(|a| base.terms().iter().map(move |b| Expr::product([a.clone(), b.clone()])));
            terms = Expr::sum(products).terms().to_vec();
            if terms.len() > MAX_TERMS {
                return (e.clone(), true);
            }
        }
    }
    (Expr::sum(terms), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_sums() {
        let (x, y, z) = (Expr::symbol("x"), Expr::symbol("y"), Expr::symbol("z"));
        let base = &(&x + &y) + &(&z + &Expr::one());
        assert_eq!(expand(&base.powi(15)).terms().len(), 816);
        assert_eq!(expand(&((&x + &y) * (&x - &y))), x.powi(2) - y.powi(2));
        // What is divided by stays.
        let e = (&x + &y) / (&x + &Expr::one());
        assert_eq!(expand(&e).terms().len(), 2);
        let many = Expr::sum((0..8).map(|i| Expr::symbol(format!("a{i}").as_str())));
        assert!(matches!(try_expand(&many.powi(40)), Err(AlgebraError::TooManyTerms { .. })));
        assert_eq!(expand(&many.powi(40)), many.powi(40));
    }

    #[test]
    fn more_symbols_than_generators() {
        let a = Expr::sum((0..12).map(|i| Expr::symbol(format!("a{i}").as_str())));
        let b = Expr::sum((0..12).map(|i| Expr::symbol(format!("b{i}").as_str())));
        assert_eq!(expand(&(&a * &b)).terms().len(), 144);
        assert_eq!(expand(&(&a - &a.clone())).terms().len(), 1);
    }

    #[test]
    fn cancelled_factors_stay_written() {
        let x = Expr::symbol("x");
        let e = &x * &(&x.recip() + &Expr::one());
        assert_eq!(expand(&e), (&x / &x) + x);
    }

    #[test]
    fn floats_and_roots() {
        let x = Expr::symbol("x");
        let e = (&x + &Expr::float(0.5)).powi(2);
        assert_eq!(
            expand(&e),
            Expr::sum(
                [x.powi(2), x.clone(), Expr::float(0.25)]
                    .map(|t| { if t == x { Expr::float(1.0) * t } else { t } })
            )
        );
        let e = (&Expr::one() + &Expr::int(2).sqrt()).powi(2);
        assert_eq!(expand(&e), Expr::int(3) + Expr::int(8).sqrt());
    }
}
