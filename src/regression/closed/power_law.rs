//! Power laws y = C * prod x_i^p_i: weighted least squares on the logarithms, exponents rounded to simple fractions one
//! after the other in the order of their certainty, the others fitted again each time (conditional rounding; P. Babai,
//! Combinatorica 6, 1 (1986)). Units are exact linear constraints on the exponents.

use nalgebra::{DMatrix, DVector};
use serde_json::Value as Json;

use crate::base::Number;
use crate::expression::Expr;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::engine::{Batch, Engine, Search, Step};
use crate::regression::options::{Constants, Plan};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// The engine.
#[derive(Default)]
pub struct PowerLaw {
    done: bool,
}

/// Chance that a law of a textbook is a power law.
const CHANCE: f64 = 0.3;
/// Denominators of exponents.
const DENOMINATORS: [i64; 5] = [1, 2, 3, 4, 6];
/// Largest exponent.
const MAX_EXPONENT: f64 = 6.0;
/// Singular values below this share of the largest are 0.
const RANK: f64 = 1e-9;
/// Standard error of an exponent below which data are not trusted.
const LEAST_ERROR: f64 = 2e-3;
/// Steps of reweighting.
const REWEIGHTED: usize = 3;

/// How the noise of the target is seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noise {
    /// The same for all rows, or as given.
    Additive,
    /// A share of the target.
    Relative,
}

impl Engine for PowerLaw {
    fn name(&self) -> &'static str {
        "power law"
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        let columns = search.problem.columns.len() as u64;
        (!self.done).then(|| Step {
            work: search.problem.rows() as u64 * (1 + columns * columns.min(12)),
            chance: CHANCE,
        })
    }

    fn save(&self) -> Json {
        Json::from(self.done)
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.done = state.as_bool()?;
        Some(())
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Search { problem, plan, cancel } = *search;
        self.done = true;
        // With constants that have no unit, the constant law is one where the target has none.
        let mut models = Vec::new();
        if plan.constants != Constants::Dimensionless || problem.goal().is_none() {
            models.push(constant(problem));
        }
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
            for noise in [Noise::Additive, Noise::Relative] {
                if with_units {
                    models.extend(
                        exponents(problem, &set, true, noise)
                            .and_then(|e| model(problem, plan, &set, &e.rounded)),
                    );
                }
                if !with_units || plan.constants != Constants::Dimensionless {
                    let Some(e) = exponents(problem, &set, false, noise) else { continue };
                    models.extend(model(problem, plan, &set, &e.rounded));
                    models.extend(open_model(problem, plan, &set, &e));
                }
            }
        }
        let mut unique: Vec<Model> = Vec::new();
        for m in models {
            if !unique.iter().any(|u| u.template == m.template) {
                unique.push(m);
            }
        }
        Batch { models: unique, work }
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

/// Fitted exponents.
struct Exponents {
    rounded: Vec<Number>,
    /// As they were fitted, with the logarithm of the constant at the end.
    raw: Vec<f64>,
    errors: Vec<f64>,
}

/// The exponents, `None` where no power law is near.
fn exponents(problem: &Problem, set: &[usize], with_units: bool, noise: Noise) -> Option<Exponents> {
    let (rows, n) = (problem.rows(), set.len());
    let sign = if problem.target.iter().filter(|y| **y > 0.0).count() * 2 >= rows { 1.0 } else { -1.0 };
    let largest = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    let y: Vec<f64> = problem.target.iter().map(|y| y * sign / largest).collect();
    let sigma = |i: usize| problem.sigma.as_ref().map_or(1.0, |s| s[i] / largest);
    // Rows of the other sign are noise about 0, if anything; their logarithm says nothing.
    let usable = y.iter().filter(|y| **y > 0.0).count();
    if usable < n + 2 || usable * 10 < rows * 7 {
        return None;
    }
    // Logarithms about their means: the constant is then independent of the exponents.
    let logs: Vec<Vec<f64>> = set
        .iter()
        .map(|&k| {
            let logs: Vec<f64> = problem.columns[k].iter().map(|x| x.abs().ln()).collect();
            let mean = logs.iter().sum::<f64>() / rows as f64;
            logs.iter().map(|l| l - mean).collect()
        })
        .collect();
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
    let design =
        |w: &[f64]| DMatrix::from_fn(rows, n + 1, |i, c| w[i] * if c == n { 1.0 } else { logs[c][i] });
    let mut weights: Vec<f64> = (0..rows)
        .map(|i| match noise {
            _ if y[i] <= 0.0 => 0.0,
            Noise::Additive => y[i] / sigma(i),
            Noise::Relative => 1.0,
        })
        .collect();
    let mut a = design(&weights);
    let mut b = DVector::from_fn(rows, |i, _| if y[i] > 0.0 { weights[i] * y[i].ln() } else { 0.0 });
    let (mut solution, mut covariance) =
        constrained(&(a.transpose() * &a), &(a.transpose() * &b), &constraints)?;
    // The working response of a generalised linear model with logarithmic link (P. McCullagh, J. Nelder, "Generalized
    // Linear Models", 2nd ed., sec. 2.5): unbiased where noise is not small, and all rows count.
    for _ in 0..if noise == Noise::Additive { REWEIGHTED } else { 0 } {
        let eta: Vec<f64> =
            (0..rows).map(|i| solution[n] + (0..n).map(|c| logs[c][i] * solution[c]).sum::<f64>()).collect();
        if !eta.iter().all(|e| (-700.0..3.0).contains(e)) {
            break;
        }
        weights = (0..rows).map(|i| eta[i].exp() / sigma(i)).collect();
        let a_new = design(&weights);
        let b_new = DVector::from_fn(rows, |i, _| weights[i] * eta[i] + (y[i] - eta[i].exp()) / sigma(i));
        let Some(next) =
            constrained(&(a_new.transpose() * &a_new), &(a_new.transpose() * &b_new), &constraints)
        else {
            break;
        };
        (a, b, (solution, covariance)) = (a_new, b_new, next);
    }
    let free = usable.saturating_sub(n + 1).max(1);
    let spread = ((&a * &solution - &b).norm_squared() / free as f64).sqrt();
    let (gram, right) = (a.transpose() * &a, a.transpose() * &b);
    let errors =
        |c: &DMatrix<f64>| -> Vec<f64> { (0..n).map(|k| spread * c[(k, k)].max(0.0).sqrt()).collect() };
    let (raw, raw_errors) = (solution.iter().copied().collect(), errors(&covariance));
    let mut rounded: Vec<Option<Number>> = vec![None; n];
    for _ in 0..n {
        let open = (0..n).filter(|&k| rounded[k].is_none());
        let next = open.min_by(|&p, &q| covariance[(p, p)].total_cmp(&covariance[(q, q)]))?;
        let value = solution[next];
        if !value.is_finite() || value.abs() > MAX_EXPONENT + 0.25 {
            return None;
        }
        let nearest = simplest(value, errors(&covariance)[next])?;
        let mut c = vec![0.0; n + 1];
        c[next] = 1.0;
        constraints.push((c, nearest.to_f64()));
        rounded[next] = Some(nearest);
        (solution, covariance) = constrained(&gram, &right, &constraints)?;
    }
    let rounded: Option<Vec<Number>> = rounded.into_iter().collect();
    Some(Exponents { rounded: rounded?, raw, errors: raw_errors })
}

/// The exponent that is likely for a value with an error: small whole numbers before fractions.
fn simplest(value: f64, error: f64) -> Option<Number> {
    let error = error.max(LEAST_ERROR);
    let cost = |n: &Number| {
        let (p, q) = (n.numerator().to_f64().abs(), n.denominator().to_f64());
        ((n.to_f64() - value) / error).powi(2) / 2.0 + 1.5 * q.ln() + 0.7 * (1.0 + p).ln()
    };
    let near = DENOMINATORS.iter().filter_map(|&q| Number::ratio((value * q as f64).round() as i64, q));
    near.chain([Number::ZERO]).min_by(|x, y| cost(x).total_cmp(&cost(y)))
}

/// The law with its exponents fitted, where no simple ones are near and the features are pure numbers.
fn open_model(problem: &Problem, plan: &Plan, set: &[usize], e: &Exponents) -> Option<Model> {
    let pure =
        set.iter().all(|&k| problem.dimension(k).is_none() && problem.columns[k].iter().all(|x| *x > 0.0));
    let far = |k: usize| (e.rounded[k].to_f64() - e.raw[k]).abs() > 3.0 * e.errors[k].max(LEAST_ERROR);
    if !pure || set.len() > 3 || !plan.allows("^") || !(0..set.len()).any(far) {
        return None;
    }
    let factors = set.iter().enumerate().map(|(place, &k)| {
        Expr::power(Expr::symbol(problem.names[k].clone()), Expr::symbol(Parameter::symbol(place + 1)))
    });
    let template = Expr::product(factors.chain([Expr::symbol(Parameter::symbol(0))]));
    let parameter = |place: usize, start: f64, dimension: Dimension| Parameter {
        symbol: Parameter::symbol(place),
        start,
        dimension,
    };
    let mut ratios: Vec<f64> = (0..problem.rows())
        .map(|i| {
            set.iter().zip(&e.raw).fold(problem.target[i], |y, (&k, p)| y / problem.columns[k][i].powf(*p))
        })
        .filter(|r| r.is_finite())
        .collect();
    ratios.sort_by(f64::total_cmp);
    let mut parameters = vec![parameter(0, *ratios.get(ratios.len() / 2)?, problem.goal())];
    parameters.extend((0..set.len()).map(|k| parameter(k + 1, e.raw[k], Dimension::NONE)));
    Some(Model { template, parameters, engine: "power law" })
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
    let mut rooted = Vec::new();
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
        let name = Expr::symbol(problem.names[k].clone());
        if p.abs() == Number::HALF {
            // sqrt(L/g), as it is written.
            rooted.push(if p.is_negative() { name.recip() } else { name });
        } else {
            factors.push(Expr::power(name, Expr::number(p.clone())));
        }
        dimension = dimension.div(problem.dimension(k).pow(p)?)?;
    }
    if !rooted.is_empty() {
        factors.push(Expr::power(Expr::product(rooted), Expr::number(Number::HALF)));
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
