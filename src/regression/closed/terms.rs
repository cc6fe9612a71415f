//! Terms that sparse laws are made of: products of powers of the features, and functions of one dimensionless feature.

use crate::base::Number;
use crate::expression::{Expr, Function};
use crate::regression::options::Plan;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// A term with its values on the data.
#[derive(Clone, Debug)]
pub struct Term {
    /// The term, without coefficient.
    pub expr: Expr,
    /// Its values.
    pub values: Vec<f64>,
    /// Its dimension.
    pub dimension: Dimension,
}

/// At most this many terms.
const MAX_TERMS: usize = 320;

/// Single powers, from the commonest in laws of physics on.
const POWERS: [(i64, i64); 9] = [(1, 1), (2, 1), (-1, 1), (-2, 1), (3, 1), (1, 2), (-1, 2), (3, 2), (-3, 1)];
/// Powers of the factors of a product of two.
const PAIRS: [i64; 4] = [1, 2, -1, -2];

/// With more columns than this, products are chosen by what they explain.
const WIDE: usize = 16;
/// Products that are chosen one after the other by what the ones before leave, and those chosen by the target alone.
const PURSUED: usize = 24;
const CORRELATED: usize = 120;
/// Rows on which they are chosen.
const ROWS: usize = 800;

/// Of all powers and products of two columns, those that explain most: by the target alone, and one after the other by what
/// the ones before leave of it (orthogonal matching pursuit; Y. Pati et al., Asilomar Conf. 27, 40 (1993)).
fn screened(problem: &Problem, plan: &Plan, useful: &[usize]) -> Vec<Vec<(usize, Number)>> {
    let rows: Vec<usize> = (0..problem.rows()).step_by(problem.rows().div_ceil(ROWS).max(1)).collect();
    let columns: Vec<Vec<f64>> =
        useful.iter().map(|&k| rows.iter().map(|&r| problem.columns[k][r]).collect()).collect();
    let fits = |i: usize, p: i64, j: usize, q: i64| {
        let own = |k: usize, p: i64| problem.dimension(useful[k]).pow(&Number::int(p));
        let product = own(i, p).and_then(|a| a.mul(if q == 0 { Dimension::NONE } else { own(j, q)? }));
        problem.dimensions.is_none() || product == Some(problem.goal())
    };
    // (column, power, column, power); the power 0 for none.
    let mut all: Vec<(usize, i64, usize, i64)> = Vec::new();
    let allowed =
        |p: i64| (p > 0 || plan.allows("/")) && (p.abs() == 1 || plan.allows("*") || plan.allows("^"));
    for i in 0..useful.len() {
        all.extend([2, -1, -2, 3].into_iter().filter(|p| allowed(*p)).map(|p| (i, p, i, 0)));
        if plan.allows("*") {
            for j in 0..useful.len() {
                let pairs: &[(i64, i64)] = if j > i { &[(1, 1), (1, -1)] } else { &[(1, -1)] };
                if j != i {
                    all.extend(pairs.iter().filter(|p| allowed(p.1)).map(|&(p, q)| (i, p, j, q)));
                }
            }
        }
    }
    all.retain(|&(i, p, j, q)| fits(i, p, j, q));
    let values = |&(i, p, j, q): &(usize, i64, usize, i64), out: &mut Vec<f64>| {
        out.clear();
        let power = |x: f64, p: i64| if p == 1 { x } else { x.powi(p as i32) };
        out.extend(columns[i].iter().zip(&columns[j]).map(|(x, y)| match q {
            0 => power(*x, p),
            _ => power(*x, p) * power(*y, q),
        }));
        let mean = out.iter().sum::<f64>() / out.len() as f64;
        out.iter_mut().for_each(|v| *v -= mean);
        out.iter().map(|v| v * v).sum::<f64>().sqrt()
    };
    let mut left: Vec<f64> = rows.iter().map(|&r| problem.target[r]).collect();
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    left.iter_mut().for_each(|y| *y -= mean);
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let mut chosen: Vec<usize> = Vec::new();
    let mut own = Vec::with_capacity(rows.len());
    for round in 0..PURSUED {
        let mut gains: Vec<(f64, usize)> = Vec::with_capacity(all.len());
        for (k, term) in all.iter().enumerate() {
            let norm = values(term, &mut own);
            let along: f64 = own.iter().zip(&left).map(|(x, y)| x * y).sum();
            let gain = (along / norm).abs();
            gains.push((if gain.is_finite() { gain } else { 0.0 }, k));
        }
        gains.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        if round == 0 {
            chosen.extend(gains.iter().take(CORRELATED).map(|g| g.1));
        }
        let Some(&(gain, best)) = gains.first() else { break };
        if gain <= 0.0 || basis.len() + 2 > rows.len() {
            break;
        }
        chosen.push(best);
        values(&all[best], &mut own);
        let mut q = own.clone();
        for b in &basis {
            let along: f64 = q.iter().zip(b).map(|(x, y)| x * y).sum();
            q.iter_mut().zip(b).for_each(|(x, y)| *x -= along * y);
        }
        let norm = q.iter().map(|x| x * x).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            break;
        }
        q.iter_mut().for_each(|x| *x /= norm);
        let along: f64 = left.iter().zip(&q).map(|(x, y)| x * y).sum();
        left.iter_mut().zip(&q).for_each(|(x, y)| *x -= along * y);
        basis.push(q);
    }
    // Those of the pursuit first: a full list ends with the others.
    chosen.reverse();
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|k| seen.insert(*k));
    let exponents = |&(i, p, j, q): &(usize, i64, usize, i64)| {
        let mut factors = vec![(useful[i], Number::int(p))];
        if q != 0 {
            factors.push((useful[j], Number::int(q)));
        }
        factors
    };
    chosen.iter().map(|k| exponents(&all[*k])).collect()
}

/// The terms, cheapest first; the first is the constant 1.
pub fn terms(problem: &Problem, plan: &Plan) -> Vec<Term> {
    let n = problem.rows();
    let useful = problem.useful();
    let mut found = vec![Term { expr: Expr::one(), values: vec![1.0; n], dimension: Dimension::NONE }];
    let most = if useful.len() > WIDE { useful.len() + 1 + MAX_TERMS } else { MAX_TERMS };
    let mut push = |factors: &[(usize, Number)]| {
        if found.len() >= most {
            return;
        }
        let mut expr = Vec::new();
        let mut values = vec![1.0; n];
        let mut dimension = Some(Dimension::NONE);
        for (k, p) in factors {
            let exponent = p.to_f64();
            let column = &problem.columns[*k];
            for (v, x) in values.iter_mut().zip(column) {
                *v *= if p.is_integer() { x.powi(exponent as i32) } else { x.powf(exponent) };
            }
            expr.push(Expr::power(Expr::symbol(problem.names[*k].clone()), Expr::number(p.clone())));
            dimension = dimension.and_then(|d| d.mul(problem.dimension(*k).pow(p)?));
        }
        if let Some(dimension) = dimension
            && values.iter().all(|v| v.is_finite())
        {
            found.push(Term { expr: Expr::product(expr), values, dimension });
        }
    };
    let power_allowed = |p: &Number| {
        (!p.is_negative() || plan.allows("/"))
            && (p.is_integer() || plan.allows("sqrt") || plan.allows("^"))
            && (p.abs().is_one() || !p.is_integer() || plan.allows("*") || plan.allows("^"))
    };
    let powers = if useful.len() > WIDE { &POWERS[..1] } else { &POWERS[..] };
    for &(num, den) in powers {
        let Some(p) = Number::ratio(num, den).filter(|p| power_allowed(p)) else { continue };
        for &k in &useful {
            push(&[(k, p.clone())]);
        }
    }
    if useful.len() > WIDE {
        for factors in screened(problem, plan, &useful) {
            push(&factors);
        }
        return found;
    }
    if plan.allows("*") {
        for total in 2..=4 {
            for p in PAIRS {
                for q in PAIRS {
                    if p.abs() + q.abs() != total || (p < 0 || q < 0) && !plan.allows("/") {
                        continue;
                    }
                    for (i, &a) in useful.iter().enumerate() {
                        for &b in &useful[i + 1..] {
                            push(&[(a, Number::int(p)), (b, Number::int(q))]);
                        }
                    }
                }
            }
        }
        for (i, &a) in useful.iter().enumerate() {
            for (j, &b) in useful.iter().enumerate().skip(i + 1) {
                for &c in &useful[j + 1..] {
                    push(&[(a, Number::ONE), (b, Number::ONE), (c, Number::ONE)]);
                }
            }
        }
    }
    let functions = [Function::Sin, Function::Cos, Function::Exp, Function::Log, Function::Tanh];
    for f in functions.into_iter().filter(|f| plan.allows(f.name())) {
        for &k in useful.iter().filter(|&&k| problem.dimension(k).is_none()) {
            let values: Vec<f64> = problem.columns[k].iter().map(|x| (f.row().value)(&[*x])).collect();
            if values.iter().all(|v| v.is_finite()) {
                let expr = Expr::call(f, vec![Expr::symbol(problem.names[k].clone())]);
                found.push(Term { expr, values, dimension: Dimension::NONE });
            }
        }
    }
    found
}
