//! From a model to a candidate: parameters fitted in the target's own space (Levenberg-Marquardt on the tape's
//! derivatives), snapped to exact numbers where that shortens the description, the rest left uncertain with their
//! joint covariance.

use nalgebra::DMatrix;

use super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::describe;
use super::options::{Constants, Plan};
use super::problem::Problem;
use super::snap;
use crate::base::{CancelToken, hash};
use crate::expression::{Covariance, Expr, Symbol, Uncertain};
use crate::numeric::{Options, Tape, levenberg_marquardt};
use crate::units::Unit;

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The parameters.
    pub values: Vec<f64>,
    /// Their covariance.
    pub covariance: DMatrix<f64>,
    /// Plain sum of squared residuals.
    pub sse: f64,
    /// Weighted sum, where errors are known.
    pub chi2: Option<f64>,
}

/// Fits the parameters of a model; `None` where it has no finite value on the data.
pub fn fit(
    problem: &Problem,
    template: &Expr,
    parameters: &[Parameter],
    cancel: &CancelToken,
) -> Option<Fitted> {
    let n = problem.rows();
    let mut inputs: Vec<Symbol> = problem.names.clone();
    inputs.extend(parameters.iter().map(|p| p.symbol.clone()));
    let tape = Tape::compile(std::slice::from_ref(template), &inputs).ok()?;
    let features = problem.names.len();
    let weights = problem.weights();
    let columns_with = |p: &[f64]| -> Vec<Vec<f64>> { p.iter().map(|v| vec![*v; n]).collect() };
    let evaluate = |p: &[f64]| -> Vec<f64> {
        let own = columns_with(p);
        let mut columns: Vec<&[f64]> = problem.columns.iter().map(Vec::as_slice).collect();
        columns.extend(own.iter().map(Vec::as_slice));
        tape.eval(&columns).swap_remove(0)
    };
    let finish = |values: Vec<f64>, covariance: DMatrix<f64>| -> Option<Fitted> {
        let y = evaluate(&values);
        let mut sse = 0.0;
        let mut chi2 = 0.0;
        for i in 0..n {
            let r = y[i] - problem.target[i];
            sse += r * r;
            if let Some(w) = &weights {
                chi2 += (r * w[i]).powi(2);
            }
        }
        sse.is_finite().then_some(Fitted { values, covariance, sse, chi2: weights.is_some().then_some(chi2) })
    };
    if parameters.is_empty() {
        return finish(Vec::new(), DMatrix::zeros(0, 0));
    }
    if n <= parameters.len() {
        return None;
    }
    // Parameters in units of their start, residuals in units of the target's size: scales of 1e-34 fit too.
    let scale: Vec<f64> =
        parameters.iter().map(|p| if p.start == 0.0 { 1.0 } else { p.start.abs() }).collect();
    let size = describe::noise_floor(problem).max(problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs())));
    let start: Vec<f64> = parameters.iter().zip(&scale).map(|(p, s)| p.start / s).collect();
    let unscale = |q: &[f64]| -> Vec<f64> { q.iter().zip(&scale).map(|(q, s)| q * s).collect() };
    let wrt: Vec<usize> = (features..features + parameters.len()).collect();
    let scaled_weights: Option<Vec<f64>> = weights.as_ref().map(|w| w.iter().map(|w| w * size).collect());
    let options = Options {
        weights: scaled_weights.as_deref(),
        absolute: weights.is_some(),
        steps: 60,
        cancel: cancel.clone(),
        ..Options::default()
    };
    let found = levenberg_marquardt(
        |q, r| {
            let y = evaluate(&unscale(q));
            for i in 0..n {
                r[i] = (y[i] - problem.target[i]) / size;
            }
        },
        |q, j| {
            let own = columns_with(&unscale(q));
            let mut columns: Vec<&[f64]> = problem.columns.iter().map(Vec::as_slice).collect();
            columns.extend(own.iter().map(Vec::as_slice));
            let derivatives = tape.jacobian(&columns, &wrt);
            for k in 0..wrt.len() {
                for i in 0..n {
                    j[(i, k)] = derivatives[0][k + 1][i] * scale[k] / size;
                }
            }
        },
        n,
        &start,
        &options,
    )
    .ok()?;
    if !found.undetermined.is_empty() {
        return None;
    }
    let m = parameters.len();
    let covariance = DMatrix::from_fn(m, m, |a, b| found.covariance[(a, b)] * scale[a] * scale[b]);
    finish(unscale(&found.parameters), covariance)
}

/// The total code length of a fitted model.
fn total(problem: &Problem, template: &Expr, parameters: &[Parameter], fitted: &Fitted, exact: f64) -> f64 {
    let mut code = describe::residual_code(problem, fitted.sse, fitted.chi2) + exact;
    code += describe::tree_code(template, problem.names.len());
    for (k, p) in parameters.iter().enumerate() {
        code += describe::constant_code(
            fitted.values[k],
            fitted.covariance[(k, k)].max(0.0).sqrt(),
            problem.rows(),
        );
        if !p.dimension.is_none() {
            code += describe::UNIT_PRICE;
        }
    }
    code
}

/// The candidate that a model makes, `None` where it does not fit at all.
pub fn candidate(problem: &Problem, plan: &Plan, model: &Model, cancel: &CancelToken) -> Option<Candidate> {
    let mut template = model.template.clone();
    let mut parameters = model.parameters.clone();
    let mut fitted = fit(problem, &template, &parameters, cancel)?;
    let mut snapped: Vec<ConstantInfo> = Vec::new();
    let mut exact_code = 0.0;
    let mut length = total(problem, &template, &parameters, &fitted, exact_code);
    // Snap one constant after the other, the one that is known best first; each time the others are fitted again.
    let mut tried: Vec<Symbol> = Vec::new();
    loop {
        let next = (0..parameters.len())
            .filter(|&k| !tried.contains(&parameters[k].symbol))
            .min_by(|&a, &b| relative_error(&fitted, a).total_cmp(&relative_error(&fitted, b)));
        let Some(k) = next else { break };
        if cancel.stop().is_some() {
            break;
        }
        tried.push(parameters[k].symbol.clone());
        let (value, error) = (fitted.values[k], fitted.covariance[(k, k)].max(0.0).sqrt());
        let p = parameters[k].clone();
        let choices = if p.dimension.is_none() {
            snap::exact_values(value, error)
        } else {
            match &plan.constants {
                Constants::Named(named) => snap::named_values(value, error, p.dimension, named),
                _ => Vec::new(),
            }
        };
        let mut best: Option<(f64, Expr, Vec<Parameter>, Fitted, f64, Expr)> = None;
        for choice in choices {
            let put = template.substitute(&[(p.symbol.clone(), choice.value.clone())]);
            if put.is_undefined() {
                continue;
            }
            let mut rest: Vec<Parameter> = parameters.clone();
            rest.remove(k);
            let mut starts: Vec<f64> = fitted.values.clone();
            starts.remove(k);
            for (q, start) in rest.iter_mut().zip(starts) {
                q.start = start;
            }
            let Some(again) = fit(problem, &put, &rest, cancel) else { continue };
            let code = exact_code + choice.code;
            let new = total(problem, &put, &rest, &again, code);
            if new < length && best.as_ref().is_none_or(|b| new < b.0) {
                best = Some((new, put, rest, again, code, choice.value));
            }
        }
        if let Some((new, put, rest, again, code, value)) = best {
            snapped.push(ConstantInfo {
                value: value.evaluate(&|_| None).unwrap_or(f64::NAN),
                error: 0.0,
                unit: Unit::coherent(p.dimension),
                exact: Some(value),
            });
            (template, parameters, fitted, exact_code, length) = (put, rest, again, code, new);
        }
    }
    Some(assemble(problem, plan, model.engine, &template, &parameters, &fitted, snapped, length))
}

fn relative_error(fitted: &Fitted, k: usize) -> f64 {
    let error = fitted.covariance[(k, k)].max(0.0).sqrt();
    if fitted.values[k] == 0.0 { f64::INFINITY } else { error / fitted.values[k].abs() }
}

#[allow(clippy::too_many_arguments)] // the parts of one finished search step, used once
fn assemble(
    problem: &Problem,
    plan: &Plan,
    engine: &'static str,
    template: &Expr,
    parameters: &[Parameter],
    fitted: &Fitted,
    mut constants: Vec<ConstantInfo>,
    description_length: f64,
) -> Candidate {
    let m = parameters.len();
    let matrix: Vec<f64> = (0..m * m).map(|k| fitted.covariance[(k / m, k % m)]).collect();
    // One identity for each law, so that constants of two laws never count as one measurement.
    let identity = plan.identity ^ (hash::combine(template.stable_hash(), plan.seed) >> 1);
    let values = Uncertain::joint(identity, &fitted.values, Covariance { size: m, matrix });
    let mut pairs = Vec::with_capacity(m);
    for (p, u) in parameters.iter().zip(values) {
        let unit = Unit::coherent(p.dimension);
        constants.push(ConstantInfo { value: u.value(), error: u.sigma(), unit: unit.clone(), exact: None });
        pairs.push((p.symbol.clone(), Expr::product([Expr::uncertain(u), Expr::unit(unit)])));
    }
    let expr = template.substitute(&pairs);
    let n = problem.rows() as f64;
    let mean = problem.target.iter().sum::<f64>() / n;
    let spread: f64 = problem.target.iter().map(|y| (y - mean).powi(2)).sum();
    let r2 = if spread > 0.0 { 1.0 - fitted.sse / spread } else { 1.0 };
    Candidate {
        size: super::size(template),
        expr,
        constants,
        loss: fitted.chi2.unwrap_or(fitted.sse) / n,
        r2,
        description_length,
        engine,
    }
}
