//! Systems of linear equations, by fraction-free elimination (Bareiss, Math. Comp. 22 (1968) 565, with the common
//! divisor of each row taken out): the coefficients are polynomials in whatever is no unknown.

use super::error::AlgebraError;
use super::fraction::Fraction;
use super::gcd::gcd;
use super::kernels::Kernels;
use super::polynomial::{Monomial, Poly};
use super::rational::{cancel, vanishes};
use super::solve::{as_zero, nonzero_conditions};
use crate::base::Number;
use crate::expression::{Declarations, Expr, Symbol};

/// Solves equations that are linear in the unknowns together. Returns one value for each unknown, in their order,
/// and the conditions (determinants that must not be 0). An unknown that the equations leave free is
/// its own value.
///
/// # Errors
/// Where there is nothing to solve, an equation is not linear, or the equations contradict each other.
pub fn solve_linear_system(
    equations: &[Expr],
    unknowns: &[Symbol],
    declarations: &Declarations,
) -> Result<(Vec<Expr>, Vec<Expr>), AlgebraError> {
    if equations.is_empty() || unknowns.is_empty() {
        return Err(AlgebraError::EmptySystem { equations: equations.len(), unknowns: unknowns.len() });
    }
    let not_linear = || AlgebraError::NotLinear {
        unknowns: unknowns.iter().map(Symbol::name).collect::<Vec<_>>().join(", "),
    };
    let zeros = equations.iter().map(as_zero).collect::<Result<Vec<_>, _>>()?;
    let mut scanned: Vec<Expr> = zeros.clone();
    scanned.extend(unknowns.iter().map(|u| Expr::symbol(u.clone())));
    let kernels = Kernels::of(&scanned.iter().collect::<Vec<_>>()).ok_or_else(not_linear)?;
    let mut columns = Vec::new();
    for u in unknowns {
        let (i, root) = kernels.generator_of(&Expr::symbol(u.clone())).ok_or_else(not_linear)?;
        if root != 1 {
            return Err(not_linear());
        }
        columns.push(i);
    }
    let mut rows: Vec<Vec<Poly>> = Vec::new();
    for f in &zeros {
        let fraction = Fraction::of(f, &kernels).ok_or_else(not_linear)?;
        let (top, _) = fraction.expanded().ok_or_else(not_linear)?;
        rows.push(row(&top, &columns, &kernels, unknowns).ok_or_else(not_linear)?);
    }
    let mut conditions: Vec<Expr> = Vec::new();
    let mut pivots: Vec<(usize, usize)> = Vec::new();
    for column in 0..unknowns.len() {
        let free = (0..rows.len()).filter(|r| pivots.iter().all(|(p, _)| p != r));
        let Some(pivot) =
            free.filter(|r| !rows[*r][column].is_zero()).min_by_key(|r| cost(&rows[*r][column]))
        else {
            continue;
        };
        pivots.push((pivot, column));
        for r in 0..rows.len() {
            if r != pivot && !rows[r][column].is_zero() {
                let reduced = eliminate(&rows[r], &rows[pivot], column, &kernels).ok_or_else(not_linear)?;
                rows[r] = without_content(reduced).ok_or_else(not_linear)?;
            }
        }
    }
    let n = unknowns.len();
    for (r, row) in rows.iter().enumerate() {
        if pivots.iter().all(|(p, _)| *p != r) && !row[n].is_zero() {
            return Err(AlgebraError::Inconsistent);
        }
    }
    let mut values: Vec<Expr> = unknowns.iter().map(|u| Expr::symbol(u.clone())).collect();
    for (r, column) in &pivots {
        let pivot = &rows[*r][*column];
        for condition in nonzero_conditions(pivot, &kernels, declarations) {
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        let mut top = rows[*r][n].negated();
        for other in (0..n).filter(|c| c != column) {
            if !rows[*r][other].is_zero() {
                let term = rows[*r][other]
                    .times_term(&Monomial::power(columns[other], 1), &Number::MINUS_ONE)
                    .ok_or_else(not_linear)?;
                top = top.plus(&term);
            }
        }
        let value = kernels.expr(&top) / kernels.expr(pivot);
        values[*column] = cancel(&value).map_or(value, |(short, _)| short);
    }
    let pairs: Vec<(Symbol, Expr)> = unknowns.iter().cloned().zip(values.iter().cloned()).collect();
    for f in &zeros {
        let at = f.substitute(&pairs);
        if at.is_undefined() || !(vanishes(&at) || at.to_f64().is_none_or(|v| v.abs() < 1e-6)) {
            return Err(AlgebraError::Inconsistent);
        }
    }
    Ok((values, conditions))
}

/// Coefficients of the unknowns, then what is left; `None` where the polynomial is not linear in them.
fn row(p: &Poly, columns: &[usize], kernels: &Kernels, unknowns: &[Symbol]) -> Option<Vec<Poly>> {
    let hidden = (0..kernels.len()).any(|i| {
        p.degree(i) > 0
            && !columns.contains(&i)
            && unknowns
                .iter()
                .any(|u| kernels.get(i).base().contains_symbol(u) || kernels.get(i).unit().contains_symbol(u))
    });
    if hidden {
        return None;
    }
    let mut parts: Vec<Vec<(Monomial, Number)>> = vec![Vec::new(); columns.len() + 1];
    for (m, c) in p.terms() {
        let degrees: Vec<u16> = columns.iter().map(|i| m.exponent(*i)).collect();
        match degrees.iter().sum::<u16>() {
            0 => parts[columns.len()].push((*m, c.clone())),
            1 => {
                let at = degrees.iter().position(|d| *d == 1)?;
                parts[at].push((m.with(columns[at], 0), c.clone()));
            }
            _ => return None,
        }
    }
    Some(parts.into_iter().map(Poly::from_terms).collect())
}

/// Numbers before symbols, short before long.
fn cost(p: &Poly) -> (bool, usize) {
    (p.as_constant().is_none(), p.len())
}

/// `pivot*row - entry*pivot_row`, which has 0 in the column.
fn eliminate(row: &[Poly], pivot_row: &[Poly], column: usize, kernels: &Kernels) -> Option<Vec<Poly>> {
    let (entry, pivot) = (&row[column], &pivot_row[column]);
    row.iter().zip(pivot_row).map(|(a, b)| kernels.reduced(a.times(pivot)?.minus(&b.times(entry)?))).collect()
}

fn without_content(row: Vec<Poly>) -> Option<Vec<Poly>> {
    let mut shared = Poly::zero();
    let mut number = Number::ZERO;
    for p in &row {
        shared = gcd(&shared, p)?;
        number = number.gcd(&p.numeric_content());
    }
    if number.is_zero() {
        return Some(row);
    }
    let shared = shared.scaled(&number);
    row.iter().map(|p| p.exact_div(&shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::read::parse;

    fn solved(equations: &[&str], unknowns: &[&str]) -> Result<(Vec<Expr>, Vec<Expr>), AlgebraError> {
        let equations: Vec<Expr> = equations.iter().map(|t| parse(t)).collect();
        let unknowns: Vec<Symbol> = unknowns.iter().map(|u| Symbol::new(u)).collect();
        solve_linear_system(&equations, &unknowns, &Declarations::new())
    }

    #[test]
    fn numbers_and_symbols() {
        let (values, conditions) = solved(&["x + y == 3", "x - y == 1"], &["x", "y"]).unwrap();
        assert_eq!(values, [Expr::int(2), Expr::int(1)]);
        assert!(conditions.is_empty());
        let (values, conditions) = solved(&["a*x + b*y == e1", "c*x + d*y == f"], &["x", "y"]).unwrap();
        assert!(vanishes(&(values[0].clone() - parse("(d*e1 - b*f)/(a*d - b*c)"))));
        assert!(!conditions.is_empty());
        let (values, _) = solved(&["x + y == z"], &["x", "y"]).unwrap();
        assert_eq!(values, [parse("z - y"), parse("y")]);
    }

    #[test]
    fn values_fulfil_random_systems() {
        for seed in 0..30i64 {
            let n = |k: i64| (seed * (3 * k + 7) + k * k * 5) % 13 - 6;
            let unknowns = ["x", "y", "z"];
            let equations: Vec<Expr> = (0..3)
                .map(|r| {
                    let terms = (0..3).map(|c| Expr::int(n(4 * r + c)) * Expr::symbol(unknowns[c as usize]));
                    Expr::equation(Expr::sum(terms), Expr::int(n(4 * r + 3)) * Expr::symbol("a"))
                })
                .collect();
            let names: Vec<Symbol> = unknowns.iter().map(|u| Symbol::new(u)).collect();
            let Ok((values, _)) = solve_linear_system(&equations, &names, &Declarations::new()) else {
                continue;
            };
            let pairs: Vec<(Symbol, Expr)> = names.into_iter().zip(values).collect();
            for equation in &equations {
                assert!(vanishes(&as_zero(&equation.substitute(&pairs)).unwrap()), "seed {seed}");
            }
        }
    }

    #[test]
    fn faults() {
        assert_eq!(solved(&["x + y == 1", "x + y == 2"], &["x", "y"]), Err(AlgebraError::Inconsistent));
        assert!(matches!(solved(&["x*y == 1"], &["x", "y"]), Err(AlgebraError::NotLinear { .. })));
        assert!(matches!(solved(&["sin(x) + y == 1"], &["x", "y"]), Err(AlgebraError::NotLinear { .. })));
        assert!(matches!(solved(&[], &["x"]), Err(AlgebraError::EmptySystem { .. })));
    }
}
