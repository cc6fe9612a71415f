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

/// The terms, cheapest first; the first is the constant 1.
pub fn terms(problem: &Problem, plan: &Plan) -> Vec<Term> {
    let n = problem.rows();
    let useful = problem.useful();
    let mut found = vec![Term { expr: Expr::one(), values: vec![1.0; n], dimension: Dimension::NONE }];
    let mut push = |factors: &[(usize, Number)]| {
        if found.len() >= MAX_TERMS {
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
    for (num, den) in POWERS {
        let Some(p) = Number::ratio(num, den).filter(|p| power_allowed(p)) else { continue };
        for &k in &useful {
            push(&[(k, p.clone())]);
        }
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
