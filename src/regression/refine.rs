//! From a model to a candidate: parameters fitted in the target's own space (Levenberg-Marquardt on the tape's
//! derivatives), snapped to exact numbers where that shortens the description, the rest left uncertain with their
//! joint covariance.

use nalgebra::DMatrix;

use super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::describe;
use super::dimension_algebra;
use super::options::{Constants, Plan};
use super::problem::Problem;
use super::snap;
use crate::base::{CancelToken, hash};
use crate::expression::{Covariance, Expr, Function, Kind, Symbol, Uncertain};
use crate::numeric::{Options, Tape, levenberg_marquardt, relative_covariance};
use crate::units::{Dimension, Unit};

/// Largest power of a named constant.
const MAX_POWER: f64 = 6.0;
/// Nats that snapping a constant may save beside its digits: leaves that vanish.
const SLACK: f64 = 12.0;

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
    /// Code length of the residuals under noise in proportion to the law.
    pub relative: Option<f64>,
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
    // A column of one value stands for all rows.
    let columns_with = |p: &[f64]| -> Vec<Vec<f64>> { p.iter().map(|v| vec![*v]).collect() };
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
        let chi2 = weights.is_some().then_some(chi2);
        let relative = describe::relative_code(problem, &y);
        sse.is_finite().then_some(Fitted { values, covariance, sse, chi2, relative })
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
    // Where no errors are known and the scatter grows with the target, the errors follow from that.
    let relative = if weights.is_some() {
        None
    } else {
        let values = unscale(&found.parameters);
        let own = columns_with(&values);
        let mut columns: Vec<&[f64]> = problem.columns.iter().map(Vec::as_slice).collect();
        columns.extend(own.iter().map(Vec::as_slice));
        let derivatives = tape.jacobian(&columns, &wrt);
        let jacobian = DMatrix::from_fn(n, m, |i, k| derivatives[0][k + 1][i] * scale[k] / size);
        let fitted: Vec<f64> =
            found.residuals.iter().zip(&problem.target).map(|(r, y)| r + y / size).collect();
        relative_covariance(&jacobian, &found.residuals, &fitted)
    };
    let known = relative.as_ref().unwrap_or(&found.covariance);
    let covariance = DMatrix::from_fn(m, m, |a, b| known[(a, b)] * scale[a] * scale[b]);
    finish(unscale(&found.parameters), covariance)
}

/// A model on its way: constants that became exact stand in `template` as their values, in `skeleton` still as symbols, so
/// that their digits are charged once, by their own code.
#[derive(Clone)]
struct State {
    template: Expr,
    skeleton: Expr,
    parameters: Vec<Parameter>,
    fitted: Fitted,
    /// Code of the exact constants.
    exact: f64,
    /// Total code length.
    length: f64,
}

impl State {
    fn new(
        problem: &Problem,
        template: Expr,
        skeleton: Expr,
        parameters: Vec<Parameter>,
        exact: f64,
        cancel: &CancelToken,
    ) -> Option<State> {
        // A law without a constant or a feature says nothing: y = 0.
        if template.is_undefined() || skeleton.is_undefined() || template.is_zero() {
            return None;
        }
        let fitted = fit(problem, &template, &parameters, cancel)?;
        let mut length = describe::residual_code(problem, fitted.sse, fitted.chi2, fitted.relative) + exact;
        length += describe::tree_code(&skeleton, problem.names.len());
        for (k, p) in parameters.iter().enumerate() {
            length += describe::constant_code(fitted.values[k], fitted.error(k), problem.rows());
            if !p.dimension.is_none() {
                length += describe::UNIT_PRICE;
            }
        }
        Some(State { template, skeleton, parameters, fitted, exact, length })
    }

    /// The same with parameter k held at an exact value, the others fitted again.
    fn with(
        &self,
        problem: &Problem,
        k: usize,
        choice: &snap::Choice,
        cancel: &CancelToken,
    ) -> Option<State> {
        let symbol = self.parameters[k].symbol.clone();
        let put = |e: &Expr| e.substitute(&[(symbol.clone(), choice.value.clone())]);
        let vanishes = choice.value.is_zero() || choice.value.as_number().is_some_and(|n| n.abs().is_one());
        let skeleton = if vanishes { put(&self.skeleton) } else { self.skeleton.clone() };
        let mut parameters = self.parameters.clone();
        for (p, start) in parameters.iter_mut().zip(&self.fitted.values) {
            p.start = *start;
        }
        parameters.remove(k);
        State::new(problem, put(&self.template), skeleton, parameters, self.exact + choice.code, cancel)
    }
}

impl Fitted {
    /// The standard error of a parameter.
    fn error(&self, k: usize) -> f64 {
        self.covariance[(k, k)].max(0.0).sqrt()
    }
}

/// The model with the units of its constants made of named ones; template and skeleton. `None` where they have no
/// such product, or where constants with units are not allowed.
fn named(plan: &Plan, model: &Model) -> Option<(Expr, Expr, Vec<Parameter>)> {
    let mut parameters = model.parameters.clone();
    let (mut template, mut skeleton) = (model.template.clone(), model.template.clone());
    for p in parameters.iter_mut().filter(|p| !p.dimension.is_none()) {
        let constants = match &plan.constants {
            Constants::Free => continue,
            Constants::Dimensionless => return None,
            Constants::Named(constants) => constants,
        };
        let dimensions: Vec<_> = constants.iter().map(|(_, _, d)| *d).collect();
        let powers = dimension_algebra::powers(&dimensions, p.dimension)?.particular;
        if powers.iter().any(|q| q.to_f64().abs() > MAX_POWER) {
            return None;
        }
        let product = |of: &dyn Fn(usize) -> Expr| {
            let factors = powers
                .iter()
                .enumerate()
                .filter(|(_, q)| !q.is_zero())
                .map(|(k, q)| Expr::power(of(k), Expr::number(q.clone())));
            Expr::product(factors.chain([Expr::symbol(p.symbol.clone())]))
        };
        let values = product(&|k| constants[k].1.clone());
        let names = product(&|k| Expr::symbol(format!("#{}", constants[k].0).as_str()));
        p.start /= values.evaluate(&|_| Some(1.0)).filter(|v| *v != 0.0)?;
        p.dimension = Dimension::NONE;
        template = template.substitute(&[(p.symbol.clone(), values)]);
        skeleton = skeleton.substitute(&[(p.symbol.clone(), names)]);
    }
    Some((template, skeleton, parameters))
}

/// The candidate that a model makes, `None` where it does not fit at all.
pub fn candidate(problem: &Problem, plan: &Plan, model: &Model, cancel: &CancelToken) -> Option<Candidate> {
    let (template, skeleton, parameters) = named(plan, model)?;
    let mut state = State::new(problem, template, skeleton, parameters, 0.0, cancel)?;
    let mut snapped: Vec<ConstantInfo> = Vec::new();
    // Snap one constant after the other, the one that is known best first; each time the others are fitted again.
    let mut tried: Vec<Symbol> = Vec::new();
    loop {
        let next = (0..state.parameters.len())
            .filter(|&k| !tried.contains(&state.parameters[k].symbol))
            .min_by(|&a, &b| relative_error(&state.fitted, a).total_cmp(&relative_error(&state.fitted, b)));
        let Some(k) = next else { break };
        if cancel.stop().is_some() {
            break;
        }
        tried.push(state.parameters[k].symbol.clone());
        let (value, error) = (state.fitted.values[k], state.fitted.error(k));
        let choices = if state.parameters[k].dimension.is_none() {
            snap::exact_values(value, error)
        } else {
            snap::zero(value, error).into_iter().collect()
        };
        let mut best: Option<(State, Expr)> = None;
        for choice in choices {
            // What its own code makes longer, no better fit of the others pays for.
            if choice.code > describe::constant_code(value, error, problem.rows()) + SLACK {
                continue;
            }
            let Some(new) = state.with(problem, k, &choice, cancel) else { continue };
            if new.length < state.length && best.as_ref().is_none_or(|(b, _)| new.length < b.length) {
                best = Some((new, choice.value));
            }
        }
        if let Some((new, value)) = best {
            if !value.is_zero() {
                snapped.push(ConstantInfo {
                    value: value.evaluate(&|_| None).unwrap_or(f64::NAN),
                    error: 0.0,
                    unit: Unit::coherent(Dimension::NONE),
                    exact: Some(value),
                });
            }
            state = new;
        }
    }
    state.template = unfold_logarithms(problem, &state.template);
    Some(assemble(problem, plan, model.engine, &state, snapped))
}

/// Logarithms of powers as multiples: 3*log(x) for log(x^3), where the data are positive.
fn unfold_logarithms(problem: &Problem, e: &Expr) -> Expr {
    let positive = |base: &Expr| {
        let place = base.as_symbol().and_then(|s| problem.names.iter().position(|n| n == s));
        place.is_some_and(|k| problem.columns[k].iter().all(|x| *x > 0.0))
    };
    e.transform(&mut |e| match e.kind() {
        Kind::Call(Function::Log, inside) => match inside[0].base_exponent() {
            (base, exponent) if exponent.as_number().is_some() && positive(&base) => {
                exponent * Expr::call(Function::Log, vec![base])
            }
            _ => e,
        },
        _ => e,
    })
}

fn relative_error(fitted: &Fitted, k: usize) -> f64 {
    if fitted.values[k] == 0.0 { f64::INFINITY } else { fitted.error(k) / fitted.values[k].abs() }
}

fn assemble(
    problem: &Problem,
    plan: &Plan,
    engine: &'static str,
    state: &State,
    mut constants: Vec<ConstantInfo>,
) -> Candidate {
    let State { template, parameters, fitted, length, .. } = state;
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
    // The mean explains nothing; its last bits would say otherwise.
    let r2 = if r2.abs() < 1e-12 { 0.0 } else { r2 };
    Candidate {
        size: super::size(template),
        expr,
        constants,
        loss: fitted.chi2.unwrap_or(fitted.sse) / n,
        r2,
        description_length: *length,
        engine: engine.into(),
    }
}
