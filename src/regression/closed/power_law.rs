//! Power laws y = C * prod x_i^p_i: weighted least squares on the logarithms, exponents rounded to simple fractions one
//! after the other in the order of their certainty, the others fitted again each time (conditional rounding; P. Babai,
//! Combinatorica 6, 1 (1986)). Units are exact linear constraints on the exponents.

use nalgebra::{DMatrix, DVector};

use crate::base::{CancelToken, Number};
use crate::expression::Expr;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::engine::Engine;
use crate::regression::options::{Constants, Plan};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// The engine.
#[derive(Default)]
pub struct PowerLaw {
    done: bool,
}

/// Denominators of exponents.
const DENOMINATORS: [i64; 5] = [1, 2, 3, 4, 6];
/// Largest exponent.
const MAX_EXPONENT: f64 = 6.0;
/// Singular values below this share of the largest are 0.
const RANK: f64 = 1e-9;

impl Engine for PowerLaw {
    fn name(&self) -> &'static str {
        "power law"
    }

    fn propose(&mut self, problem: &Problem, plan: &Plan, cancel: &CancelToken) -> Option<(Vec<Model>, u64)> {
        if std::mem::replace(&mut self.done, true) {
            return None;
        }
        let mut models = vec![constant(problem)];
        let mut work = problem.rows() as u64;
        let useful = problem.useful();
        let positive: Vec<usize> =
            useful.iter().copied().filter(|&k| problem.columns[k].iter().all(|x| *x != 0.0)).collect();
        let mut sets: Vec<Vec<usize>> = Vec::new();
        if !positive.is_empty() && plan.allows("*") || positive.len() == 1 {
            sets.push(positive.clone());
        }
        for (i, &a) in positive.iter().enumerate() {
            sets.push(vec![a]);
            for &b in positive[i + 1..].iter().filter(|_| plan.allows("*") && positive.len() <= 12) {
                sets.push(vec![a, b]);
            }
        }
        for set in sets {
            if cancel.stop().is_some() {
                break;
            }
            work += (problem.rows() * set.len()) as u64;
            let with_units = problem.dimensions.is_some();
            if with_units {
                models.extend(exponents(problem, &set, true).and_then(|p| model(problem, plan, &set, &p)));
            }
            if !with_units || plan.constants == Constants::Free {
                models.extend(exponents(problem, &set, false).and_then(|p| model(problem, plan, &set, &p)));
            }
        }
        let mut unique: Vec<Model> = Vec::new();
        for m in models {
            if !unique.iter().any(|u| u.template == m.template) {
                unique.push(m);
            }
        }
        Some((unique, work))
    }
}

/// The law y = C.
fn constant(problem: &Problem) -> Model {
    let mean = problem.target.iter().sum::<f64>() / problem.rows() as f64;
    Model {
        template: Expr::symbol(Parameter::symbol(0)),
        parameters: vec![Parameter { symbol: Parameter::symbol(0), start: mean, dimension: problem.goal() }],
        engine: "constant",
    }
}

/// A row of dimension exponents as floats.
fn row(d: Dimension) -> [f64; 7] {
    d.exponents().map(|(n, m)| n as f64 / m as f64)
}

/// The rounded exponents, `None` where no power law is near.
fn exponents(problem: &Problem, set: &[usize], with_units: bool) -> Option<Vec<Number>> {
    let sign =
        if problem.target.iter().filter(|y| **y > 0.0).count() * 2 >= problem.rows() { 1.0 } else { -1.0 };
    let largest = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    // Rows of the other sign are noise about 0, if anything; their logarithm says nothing.
    let rows: Vec<usize> = (0..problem.rows())
        .filter(|&i| {
            problem.target[i] * sign > 1e-6 * largest || problem.target[i] * sign > 0.0 && largest == 0.0
        })
        .collect();
    if rows.len() < set.len() + 2 || rows.len() * 10 < problem.rows() * 7 {
        return None;
    }
    let scatter = problem.target.iter().map(|y| (y / largest).abs()).sum::<f64>() / problem.rows() as f64;
    // sigma(log y) = sigma/y; for data of many magnitudes the relative error is taken as equal.
    let weight = |i: usize| -> f64 {
        match &problem.sigma {
            Some(s) => (problem.target[i] / s[i]).abs(),
            None if scatter > 0.05 => (problem.target[i] / largest).abs(),
            None => 1.0,
        }
    };
    let n = set.len();
    let a = DMatrix::from_fn(rows.len(), n + 1, |r, c| {
        let i = rows[r];
        weight(i) * if c == n { 1.0 } else { problem.columns[set[c]][i].abs().ln() }
    });
    let b = DVector::from_fn(rows.len(), |r, _| weight(rows[r]) * (problem.target[rows[r]] * sign).ln());
    let gram = a.transpose() * &a;
    let right = a.transpose() * &b;
    let mut constraints: Vec<(Vec<f64>, f64)> = Vec::new();
    if with_units {
        let goal = row(problem.goal());
        for (k, g) in goal.iter().enumerate() {
            let mut c: Vec<f64> = set.iter().map(|&x| row(problem.dimension(x))[k]).collect();
            c.push(0.0);
            if c.iter().any(|v| *v != 0.0) || *g != 0.0 {
                constraints.push((c, *g));
            }
        }
    }
    let (mut solution, mut covariance) = constrained(&gram, &right, &constraints)?;
    let mut rounded: Vec<Option<Number>> = vec![None; n];
    for _ in 0..n {
        let next = (0..n)
            .filter(|&k| rounded[k].is_none())
            .min_by(|&x, &y| covariance[(x, x)].total_cmp(&covariance[(y, y)]))?;
        let value = solution[next];
        if !value.is_finite() || value.abs() > MAX_EXPONENT + 0.25 {
            return None;
        }
        let nearest = DENOMINATORS
            .iter()
            .filter_map(|&q| Number::ratio((value * q as f64).round() as i64, q))
            .min_by(|x, y| {
                let cost = |n: &Number| (n.to_f64() - value).abs() + 0.004 * (n.denominator().to_f64() - 1.0);
                cost(x).total_cmp(&cost(y))
            })?;
        let mut c = vec![0.0; n + 1];
        c[next] = 1.0;
        constraints.push((c, nearest.to_f64()));
        rounded[next] = Some(nearest);
        (solution, covariance) = constrained(&gram, &right, &constraints)?;
    }
    rounded.into_iter().collect()
}

/// Least squares under linear constraints by a basis of their null space; solution and covariance up to a factor.
fn constrained(
    gram: &DMatrix<f64>,
    right: &DVector<f64>,
    constraints: &[(Vec<f64>, f64)],
) -> Option<(DVector<f64>, DMatrix<f64>)> {
    let n = right.len();
    if constraints.is_empty() {
        let inverse = gram.clone().pseudo_inverse(RANK * gram.norm()).ok()?;
        return Some((&inverse * right, inverse));
    }
    // A square matrix, so that the decomposition has the whole of the right basis.
    let m = constraints.len().max(n);
    let c = DMatrix::from_fn(m, n, |r, k| constraints.get(r).map_or(0.0, |(row, _)| row[k]));
    let d = DVector::from_fn(m, |r, _| constraints.get(r).map_or(0.0, |(_, v)| *v));
    let svd = c.clone().svd(true, true);
    let (u, v_t) = (svd.u.as_ref()?, svd.v_t.as_ref()?);
    let largest = svd.singular_values.max();
    let mut particular = DVector::zeros(n);
    let mut basis: Vec<DVector<f64>> = Vec::new();
    for k in 0..n {
        let v = v_t.row(k).transpose();
        let s = svd.singular_values[k];
        if s > RANK * largest {
            particular += &v * (u.column(k).dot(&d) / s);
        } else {
            basis.push(v);
        }
    }
    if (&c * &particular - &d).amax() > 1e-6 {
        return None;
    }
    if basis.is_empty() {
        return Some((particular, DMatrix::zeros(n, n)));
    }
    let z = DMatrix::from_columns(&basis);
    let inner = z.transpose() * gram * &z;
    let inverse = inner.clone().pseudo_inverse(RANK * inner.norm()).ok()?;
    let free = &inverse * (z.transpose() * (right - gram * &particular));
    Some((particular + &z * free, &z * inverse * z.transpose()))
}

/// The model of rounded exponents; `None` where an operator or the constant's unit is not allowed.
fn model(problem: &Problem, plan: &Plan, set: &[usize], exponents: &[Number]) -> Option<Model> {
    let mut factors = vec![Expr::symbol(Parameter::symbol(0))];
    let mut dimension = problem.goal();
    for (&k, p) in set.iter().zip(exponents) {
        if p.is_zero() {
            continue;
        }
        let allowed = (!p.is_negative() || plan.allows("/"))
            && (p.is_integer()
                || plan.allows("^")
                || (p.denominator().to_i64() == Some(2) && plan.allows("sqrt")))
            && (p.abs().is_one() || !p.is_integer() || plan.allows("^") || plan.allows("*"));
        if !allowed {
            return None;
        }
        let column = &problem.columns[k];
        if !p.is_integer() && column.iter().any(|x| *x < 0.0) {
            return None;
        }
        factors.push(Expr::power(Expr::symbol(problem.names[k].clone()), Expr::number(p.clone())));
        dimension = dimension.div(problem.dimension(k).pow(p)?)?;
    }
    if factors.len() < 2 || (plan.constants == Constants::Dimensionless && !dimension.is_none()) {
        return None;
    }
    // The constant from the median of the ratios: no row can spoil it.
    let mut ratios: Vec<f64> = (0..problem.rows())
        .map(|i| {
            set.iter().zip(exponents).fold(problem.target[i], |y, (&k, p)| {
                let x = problem.columns[k][i];
                y / if p.is_integer() { x.powi(p.to_f64() as i32) } else { x.powf(p.to_f64()) }
            })
        })
        .filter(|r| r.is_finite())
        .collect();
    ratios.sort_by(f64::total_cmp);
    let start = *ratios.get(ratios.len() / 2)?;
    Some(Model {
        template: Expr::product(factors),
        parameters: vec![Parameter { symbol: Parameter::symbol(0), start, dimension }],
        engine: "power law",
    })
}
