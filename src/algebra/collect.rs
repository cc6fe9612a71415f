//! Sorting an expression by powers of a symbol or of another part.

use super::expand::expand;
use crate::expression::{Expr, Kind};

/// Multiplies `e` out and writes it as a sum of coefficients times powers of `part`: `collect(a*x + b*x + 1, x)`
/// is `(a + b)*x + 1`. `part` is a symbol, a function call, or anything else that occurs as a factor. Equations
/// are collected on both sides.
pub fn collect(e: &Expr, part: &Expr) -> Expr {
    if let Kind::Relation(op, a, b) = e.kind() {
        return Expr::relation(*op, collect(a, part), collect(b, part));
    }
    let groups = powers_of(&expand(e), part);
    Expr::sum(
        groups
            .into_iter()
            .map(|(exponent, coefficient)| Expr::product([coefficient, Expr::power(part.clone(), exponent)])),
    )
}

/// The exponents with which `part` occurs as a factor of the terms of `e`, and the sums of what stands before
/// it, in order of appearance.
pub fn powers_of(e: &Expr, part: &Expr) -> Vec<(Expr, Expr)> {
    let (base, unit) = part.base_exponent();
    let mut groups: Vec<(Expr, Vec<Expr>)> = Vec::new();
    for term in e.terms() {
        let (mut exponents, mut others) = (Vec::new(), Vec::new());
        for factor in term.factors() {
            let (b, x) = factor.base_exponent();
            let quotient = if factor == part {
                Some(Expr::one())
            } else if b == base {
                if unit.is_one() { Some(x) } else { rational_quotient(&x, &unit) }
            } else {
                None
            };
            match quotient {
                Some(x) => exponents.push(x),
                None => others.push(factor.clone()),
            }
        }
        let (exponent, coefficient) = (Expr::sum(exponents), Expr::product(others));
        match groups.iter_mut().find(|(known, _)| *known == exponent) {
            Some((_, list)) => list.push(coefficient),
            None => groups.push((exponent, vec![coefficient])),
        }
    }
    groups.into_iter().map(|(exponent, list)| (exponent, Expr::sum(list))).collect()
}

/// `x/unit` where that is an integer.
fn rational_quotient(x: &Expr, unit: &Expr) -> Option<Expr> {
    let q = x.as_number()?.checked_div(unit.as_number()?)?;
    q.is_integer().then(|| Expr::number(q))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_meet_at_their_power() {
        let (a, b, x) = (Expr::symbol("a"), Expr::symbol("b"), Expr::symbol("x"));
        let e = &(&a * &x) + &(&(&b * &x) + &(&x.powi(2) + &Expr::one()));
        let collected = collect(&e, &x);
        assert_eq!(collected, Expr::sum([(&a + &b) * &x, x.powi(2), Expr::one()]));
        assert_eq!(expand(&collected), expand(&e));
        let sine = Expr::call(crate::expression::Function::Sin, vec![x.clone()]);
        let e = &(&a * &sine) - &(&x * &sine);
        assert_eq!(collect(&e, &sine), (a - x) * sine);
    }
}
