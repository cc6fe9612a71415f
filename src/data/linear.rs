//! Splits an expression that is linear in some symbols: `e = rest + sum of coefficient_k * symbol_k`, by its
//! structure, without expanding products of sums.

use crate::expression::{Expr, Kind, Symbol};

/// The part without the symbols, and the coefficient of each.
pub type Parts = (Expr, Vec<Expr>);

/// The part without the symbols and the coefficient of each; `None` where the expression is not visibly linear
/// in them together.
pub fn linear_parts(e: &Expr, symbols: &[Symbol]) -> Option<Parts> {
    let depends = |e: &Expr| symbols.iter().any(|s| e.contains_symbol(s));
    if !depends(e) {
        return Some((e.clone(), vec![Expr::zero(); symbols.len()]));
    }
    match e.kind() {
        Kind::Symbol(s) => {
            let pick = |k: &Symbol| if k == s { Expr::one() } else { Expr::zero() };
            Some((Expr::zero(), symbols.iter().map(pick).collect()))
        }
        Kind::Sum(items) => {
            let parts = items.iter().map(|t| linear_parts(t, symbols)).collect::<Option<Vec<_>>>()?;
            let rest = Expr::sum(parts.iter().map(|(rest, _)| rest.clone()));
            let sum = |k: usize| Expr::sum(parts.iter().map(|(_, c)| c[k].clone()));
            Some((rest, (0..symbols.len()).map(sum).collect()))
        }
        Kind::Product(items) => {
            let (inside, outside): (Vec<&Expr>, Vec<&Expr>) = items.iter().partition(|f| depends(f));
            let [only] = inside.as_slice() else { return None };
            let (rest, coefficients) = linear_parts(only, symbols)?;
            let times = |x: &Expr| Expr::product(outside.iter().map(|f| (*f).clone()).chain([x.clone()]));
            Some((times(&rest), coefficients.iter().map(times).collect()))
        }
        Kind::Piecewise(branches, otherwise) if !branches.iter().any(|(c, _)| depends(c)) => {
            let values =
                branches.iter().map(|(_, v)| linear_parts(v, symbols)).collect::<Option<Vec<_>>>()?;
            let last = linear_parts(otherwise, symbols)?;
            let join = |pick: &dyn Fn(&Parts) -> Expr| {
                let chosen = branches.iter().zip(&values).map(|((c, _), v)| (c.clone(), pick(v))).collect();
                Expr::piecewise(chosen, pick(&last))
            };
            let coefficients = (0..symbols.len()).map(|k| join(&|v| v.1[k].clone())).collect();
            Some((join(&|v| v.0.clone()), coefficients))
        }
        _ => None,
    }
}

/// A largest set of the symbols, taken in order, in which the expression is linear together.
pub(super) fn linear_subset(e: &Expr, symbols: &[Symbol]) -> Vec<Symbol> {
    let mut chosen: Vec<Symbol> = Vec::new();
    for symbol in symbols {
        chosen.push(symbol.clone());
        if linear_parts(e, &chosen).is_none() {
            chosen.pop();
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Function;

    #[test]
    fn parts_add_up_to_the_expression() {
        let s = Expr::symbol;
        let wave = Expr::call(Function::Sin, vec![s("w") * s("x")]);
        let e = s("a") * wave.clone() + s("x") * (s("b") + Expr::int(2)) + s("c") * s("w");
        let names = ["a".into(), "b".into(), "c".into()];
        let (rest, c) = linear_parts(&e, &names).unwrap();
        assert_eq!(c, [wave, s("x"), s("w")]);
        assert_eq!(rest, Expr::int(2) * s("x"));
        assert!(linear_parts(&e, &["w".into()]).is_none());
        assert!(linear_parts(&(s("a") * s("b")), &["a".into(), "b".into()]).is_none());
        assert_eq!(linear_subset(&e, &["w".into(), "a".into(), "c".into()]), ["a".into(), "c".into()]);
    }
}
