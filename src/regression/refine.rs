//! From a model to a candidate: parameters fitted in the target's own space (Levenberg-Marquardt on the tape's
//! derivatives), snapped to exact numbers where that shortens the description, the rest left uncertain with their
//! joint covariance.

use nalgebra::DMatrix;

use super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::complexity::Complexity;
use super::describe;
use super::dimension_algebra;
use super::front::Front;
use super::options::{Constants, Criteria, Plan};
use super::problem::Problem;
use super::snap;
use crate::base::{CancelToken, Number, hash};
use crate::expression::{Covariance, Expr, Function, Kind, Symbol, Uncertain};
use crate::numeric::{Options, Tape, levenberg_marquardt, relative_covariance};
use crate::units::{Dimension, Unit};

/// Dimensionless products of named constants that are looked at.
const NULL_VECTORS: usize = 2;
/// Largest power of a named constant.
const MAX_POWER: f64 = 6.0;
/// Nats that snapping a constant may save beside its digits: leaves that vanish.
const SLACK: f64 = 12.0;

/// Rows on which a model is looked at first, where there are at least [`MANY`].
const FEW: usize = 200;
const MANY: usize = 800;
/// A model whose loss on few rows is so many times that of a law in the archive that is no larger goes no further: on a
/// thousand rows the factor alone is thousands of nats.
const HOPELESS: f64 = 100.0;
/// A number below this is tried as zero whatever its error.
const NOTHING: f64 = 1e-12;
/// Exact values of a constant for which the other constants are fitted again, those that promise most.
const REFITTED: usize = 3;

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The parameters, those that were held included.
    pub values: Vec<f64>,
    /// The covariance of those that were fitted, in their order.
    pub covariance: DMatrix<f64>,
    /// The same for residuals of variance 1.
    unit: DMatrix<f64>,
    /// Whether the errors are for noise in proportion to the law.
    proportional: bool,
    /// Sum of squared residuals, or of the user's loss, each row as often as its weight says.
    pub sse: f64,
    /// Sum of squared residuals, whatever the loss.
    squares: f64,
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
    let tape = compiled(problem, template, parameters)?;
    let starts: Vec<f64> = parameters.iter().map(|p| p.start).collect();
    let open: Vec<usize> = (0..starts.len()).collect();
    Fitter::new(problem, &tape, &Criteria::default(), cancel).fit(&starts, &open)
}

/// A law as a tape of the features, then its parameters.
fn compiled(problem: &Problem, template: &Expr, parameters: &[Parameter]) -> Option<Tape> {
    let mut inputs: Vec<Symbol> = problem.names.clone();
    inputs.extend(parameters.iter().map(|p| p.symbol.clone()));
    Tape::compile(std::slice::from_ref(template), &inputs).ok()
}

/// Fits a compiled law to the rows of a problem, some of its parameters held.
struct Fitter<'a> {
    problem: &'a Problem,
    tape: &'a Tape,
    criteria: &'a Criteria,
    /// 1/sigma where errors are known.
    weights: Option<Vec<f64>>,
    /// The same in units of `size`, or the roots of the rows' weights.
    scaled: Option<Vec<f64>>,
    /// Residuals are in units of the target's size: scales of 1e-34 fit too.
    size: f64,
    floor: f64,
    cancel: &'a CancelToken,
}

/// Rounds of weights for a loss of the user, and the relative gain of a round that goes on.
const ROUNDS: usize = 60;
const LEAST_GAIN: f64 = 1e-10;

impl<'a> Fitter<'a> {
    fn new(
        problem: &'a Problem,
        tape: &'a Tape,
        criteria: &'a Criteria,
        cancel: &'a CancelToken,
    ) -> Fitter<'a> {
        let floor = describe::noise_floor(problem);
        let size = problem.target.iter().fold(floor, |m, y| m.max(y.abs()));
        let factors = problem.weights();
        let by = if problem.sigma.is_some() { size } else { 1.0 };
        let scaled = factors.as_ref().map(|w| w.iter().map(|w| w * by).collect());
        let weights = factors.filter(|_| problem.sigma.is_some());
        Fitter { problem, tape, criteria, weights, scaled, size, floor, cancel }
    }

    /// The code of the residuals.
    fn code(&self, fitted: &Fitted) -> f64 {
        match &self.criteria.loss {
            Some(loss) => {
                let n = self.problem.rows() as f64;
                let floor = loss.floor(&self.problem.target, self.floor);
                n / loss.degree() * (fitted.sse / n + floor).ln()
            }
            None => describe::residual_code(self.problem, fitted.sse, fitted.chi2, fitted.relative),
        }
    }

    /// The columns of the features, then a column of one value, which stands for all rows, for each parameter.
    fn columns<'b>(&'b self, own: &'b [[f64; 1]]) -> Vec<&'b [f64]> {
        let features = self.problem.columns.iter().map(Vec::as_slice);
        features.chain(own.iter().map(|v| v.as_slice())).collect()
    }

    fn evaluate(&self, p: &[f64]) -> Vec<f64> {
        let own: Vec<[f64; 1]> = p.iter().map(|v| [*v]).collect();
        self.tape.eval(&self.columns(&own)).swap_remove(0)
    }

    /// Derivatives by the parameters `open`.
    fn derivatives(&self, p: &[f64], open: &[usize]) -> Vec<Vec<f64>> {
        let own: Vec<[f64; 1]> = p.iter().map(|v| [*v]).collect();
        let wrt: Vec<usize> = open.iter().map(|k| self.problem.names.len() + k).collect();
        let mut all = self.tape.jacobian(&self.columns(&own), &wrt).swap_remove(0);
        all.remove(0);
        all
    }

    fn fitted(&self, values: Vec<f64>, covariance: DMatrix<f64>) -> Option<Fitted> {
        let y = self.evaluate(&values);
        let mut squares = 0.0;
        let mut chi2 = 0.0;
        for (i, target) in self.problem.target.iter().enumerate() {
            let r = y[i] - target;
            squares += self.problem.row_weight(i) * r * r;
            if let Some(w) = &self.weights {
                chi2 += (r * w[i]).powi(2);
            }
        }
        let sse = match &self.criteria.loss {
            Some(_) => self.loss(&y),
            None => squares,
        };
        let chi2 = (self.weights.is_some() && self.criteria.loss.is_none()).then_some(chi2);
        let weighted = self.problem.row_weights.is_some() || self.criteria.loss.is_some();
        let relative = if weighted { None } else { describe::relative_code(self.problem, &y) };
        let finite = sse.is_finite() && squares.is_finite() && values.iter().all(|v| v.is_finite());
        let unit = covariance.clone();
        finite.then_some(Fitted {
            values,
            covariance,
            unit,
            proportional: false,
            sse,
            squares,
            chi2,
            relative,
        })
    }

    /// The user's loss of values, summed; infinite where it has none.
    fn loss(&self, values: &[f64]) -> f64 {
        let Some(loss) = &self.criteria.loss else { return f64::INFINITY };
        let all = loss.excess(values, &self.problem.target);
        let total: f64 = all.iter().enumerate().map(|(k, l)| self.problem.row_weight(k) * l).sum();
        if total.is_nan() { f64::INFINITY } else { total.max(0.0) }
    }

    /// Fits by rounds of least squares whose weights follow from the user's loss.
    fn reweighted(&self, start: &[f64], open: &[usize]) -> Option<Fitted> {
        let loss = self.criteria.loss.as_ref()?;
        let mut best: Option<Fitted> = None;
        let mut from = start.to_vec();
        let mut last = f64::INFINITY;
        for _ in 0..ROUNDS {
            let values = self.evaluate(&from);
            let base = self.scaled.as_ref().map_or_else(|| vec![1.0; values.len()], Clone::clone);
            let own = loss.weights(&values, &self.problem.target);
            let weights: Vec<f64> = base.iter().zip(&own).map(|(b, w)| b * w.sqrt()).collect();
            let Some(fitted) = self.fit_with(&from, open, Some(&weights)) else { break };
            let reached = fitted.sse;
            from.clone_from(&fitted.values);
            if best.as_ref().is_none_or(|b| reached < b.sse) {
                best = Some(fitted);
            }
            // Rounds may rise on their way where the loss is not convex.
            if (last - reached).abs() <= LEAST_GAIN * last || self.cancel.stop().is_some() {
                break;
            }
            last = reached;
        }
        best
    }

    /// Fits the parameters `open` from `start`, holding the others there.
    fn fit(&self, start: &[f64], open: &[usize]) -> Option<Fitted> {
        match &self.criteria.loss {
            Some(_) if !open.is_empty() => self.reweighted(start, open),
            _ => self.fit_with(start, open, self.scaled.as_deref()),
        }
    }

    /// The same by least squares with factors of the residuals.
    fn fit_with(&self, start: &[f64], open: &[usize], scaled: Option<&[f64]>) -> Option<Fitted> {
        let (n, m) = (self.problem.rows(), open.len());
        if m == 0 {
            return self.fitted(start.to_vec(), DMatrix::zeros(0, 0));
        }
        if n <= m {
            return None;
        }
        // Parameters in units of their start.
        let scale: Vec<f64> =
            open.iter().map(|&k| if start[k] == 0.0 { 1.0 } else { start[k].abs() }).collect();
        let first: Vec<f64> = open.iter().zip(&scale).map(|(&k, s)| start[k] / s).collect();
        let bounds: Vec<(f64, f64)> = match self.criteria.rules.bounds {
            Some((low, high)) => scale.iter().map(|s| (low / s, high / s)).collect(),
            None => Vec::new(),
        };
        let first: Vec<f64> = match self.criteria.rules.bounds {
            Some(_) => first.iter().zip(&bounds).map(|(q, b)| q.clamp(b.0, b.1)).collect(),
            None => first,
        };
        let whole = |q: &[f64]| -> Vec<f64> {
            let mut p = start.to_vec();
            open.iter().zip(q.iter().zip(&scale)).for_each(|(&k, (q, s))| p[k] = q * s);
            p
        };
        let options = Options {
            weights: scaled,
            bounds: &bounds,
            // The covariance for residuals of variance 1.
            absolute: true,
            steps: 60,
            cancel: self.cancel.clone(),
        };
        let (size, target) = (self.size, &self.problem.target);
        let fill = |p: &[f64], j: &mut DMatrix<f64>| {
            for (k, (column, s)) in self.derivatives(p, open).iter().zip(&scale).enumerate() {
                let factor = s / size;
                j.column_mut(k).iter_mut().zip(column).for_each(|(j, d)| *j = d * factor);
            }
        };
        let found = levenberg_marquardt(
            |q, r| {
                let y = self.evaluate(&whole(q));
                r.iter_mut().zip(y.iter().zip(target)).for_each(|(r, (y, t))| *r = (y - t) / size);
            },
            |q, j| fill(&whole(q), j),
            n,
            &first,
            &options,
        )
        .ok()?;
        if !found.undetermined.is_empty() {
            return None;
        }
        let values = whole(&found.parameters);
        let scatter = if self.weights.is_some() { 1.0 } else { found.chi2 / found.dof.max(1) as f64 };
        // Where no errors are known and the scatter grows with the target, the errors follow from that; rounding has
        // no such pattern worth looking for.
        let exact = found.chi2.sqrt() * size <= 4.0 * self.floor * (n as f64).sqrt();
        let relative = if scaled.is_some() || exact {
            None
        } else {
            let mut jacobian = DMatrix::zeros(n, m);
            fill(&values, &mut jacobian);
            let fitted: Vec<f64> = found.residuals.iter().zip(target).map(|(r, y)| r + y / size).collect();
            relative_covariance(&jacobian, &found.residuals, &fitted)
        };
        let proportional = relative.is_some();
        let known = relative.unwrap_or_else(|| &found.covariance * scatter);
        let covariance = DMatrix::from_fn(m, m, |a, b| known[(a, b)] * scale[a] * scale[b]);
        let by = if self.weights.is_some() { 1.0 } else { size };
        let unit =
            DMatrix::from_fn(m, m, |a, b| found.covariance[(a, b)] * (scale[a] / by) * (scale[b] / by));
        Some(Fitted { unit, proportional, ..self.fitted(values, covariance)? })
    }
}

/// A model on its way: constants that became exact are held at their values, and stand in `skeleton` still as symbols, so that
/// their digits are charged once, by their own code.
#[derive(Clone)]
struct State {
    skeleton: Expr,
    /// The parameters that are not exact, by place.
    open: Vec<usize>,
    /// Exact values of the others.
    exact: Vec<(Symbol, Expr)>,
    fitted: Fitted,
    /// Code of the exact constants.
    code: f64,
    /// Total code length.
    length: f64,
}

/// What all states of a model share.
struct Refining<'a> {
    fitter: Fitter<'a>,
    template: &'a Expr,
    parameters: &'a [Parameter],
}

impl Refining<'_> {
    fn state(
        &self,
        start: &[f64],
        open: Vec<usize>,
        exact: Vec<(Symbol, Expr)>,
        skeleton: Expr,
        code: f64,
    ) -> Option<State> {
        // A law without a constant or a feature says nothing: y = 0.
        if skeleton.is_undefined() || skeleton.is_zero() {
            return None;
        }
        let fitted = self.fitter.fit(start, &open)?;
        let length = self.length(&fitted, &open, &skeleton, code);
        Some(State { skeleton, open, exact, fitted, code, length })
    }

    fn length(&self, fitted: &Fitted, open: &[usize], skeleton: &Expr, code: f64) -> f64 {
        let problem = self.fitter.problem;
        let mut length = self.fitter.code(fitted) + code;
        length += describe::tree_code(skeleton, problem.names.len(), &self.fitter.criteria.complexity);
        for (place, &k) in open.iter().enumerate() {
            length += describe::constant_code(fitted.values[k], fitted.error(place), problem.rows());
            if !self.parameters[k].dimension.is_none() {
                length += describe::UNIT_PRICE;
            }
        }
        length
    }

    /// The same with the parameter at `place` of the open ones held at an exact value, the others fitted again.
    fn with(&self, state: &State, place: usize, choice: &snap::Choice, value: f64) -> Option<State> {
        let k = state.open[place];
        let symbol = &self.parameters[k].symbol;
        let vanishes = choice.value.is_zero() || choice.value.as_number().is_some_and(|n| n.abs().is_one());
        let mut exact = state.exact.clone();
        exact.push((symbol.clone(), choice.value.clone()));
        let skeleton = if vanishes {
            let law = self.template.substitute(&exact);
            if law.is_undefined() || law.is_zero() {
                return None;
            }
            state.skeleton.substitute(&[(symbol.clone(), choice.value.clone())])
        } else {
            state.skeleton.clone()
        };
        // The others move with it as far as they are correlated.
        let (unit, step) = (&state.fitted.unit, value - state.fitted.values[k]);
        let mut start = state.fitted.values.clone();
        for (other, &j) in state.open.iter().enumerate() {
            let moved = start[j] + unit[(other, place)] / unit[(place, place)] * step;
            if moved.is_finite() && (moved - start[j]).abs() <= start[j].abs() {
                start[j] = moved;
            }
        }
        start[k] = value;
        let mut open = state.open.clone();
        open.remove(place);
        self.state(&start, open, exact, skeleton, state.code + choice.code)
    }

    /// Nats by which the residuals' code grows, to second order, when a parameter is moved by `step`.
    fn rise(&self, fitted: &Fitted, place: usize, step: f64) -> f64 {
        let n = self.fitter.problem.rows() as f64;
        if fitted.proportional {
            return n / 2.0 * (step * step / (n * fitted.covariance[(place, place)])).ln_1p();
        }
        let squares = step * step / fitted.unit[(place, place)];
        match fitted.chi2 {
            Some(_) => squares / 2.0,
            None => n / 2.0 * (squares / (fitted.sse + n * self.fitter.floor.powi(2))).ln_1p(),
        }
    }
}

impl Fitted {
    /// The standard error of the parameter at a place of those that were fitted.
    fn error(&self, place: usize) -> f64 {
        self.covariance[(place, place)].max(0.0).sqrt()
    }
}

/// Powers of named constants whose product has a dimension: those that leave the shortest number beside them.
fn powers_of(
    constants: &[(String, Expr, Dimension)],
    dimension: Dimension,
    (value, error): (f64, f64),
    features: usize,
) -> Option<Vec<Number>> {
    let dimensions: Vec<_> = constants.iter().map(|(_, _, d)| *d).collect();
    let found = dimension_algebra::powers(&dimensions, dimension)?;
    // Dimensionless products of the constants may be multiplied in.
    let mut all = vec![found.particular];
    for more in found.dimensionless.iter().take(NULL_VECTORS) {
        let times = |p: &[Number], k: i64| -> Vec<Number> {
            p.iter().zip(more).map(|(p, m)| p + &(m * &Number::int(k))).collect()
        };
        all = all.iter().flat_map(|p| (-2..=2).map(move |k| times(p, k))).collect();
    }
    let cost = |powers: &[Number]| -> f64 {
        let used = || powers.iter().enumerate().filter(|(_, q)| !q.is_zero());
        let number = |k: usize| constants[k].1.evaluate(&|_| Some(1.0)).unwrap_or(f64::NAN);
        let product: f64 = used().map(|(k, q)| number(k).powf(q.to_f64())).product();
        let (value, error) = (value / product, (error / product).abs());
        let exact = snap::exact_values(value, error).first().map_or(f64::INFINITY, |c| c.code);
        let leaf = ((features + 6) as f64).ln();
        let leaves: f64 = used()
            .map(|(_, q)| 2.0 * leaf + q.numerator().to_f64().abs().ln() + q.denominator().to_f64().ln())
            .sum();
        if product.is_normal() {
            leaves + exact.min(describe::constant_code(value, error, 1))
        } else {
            f64::INFINITY
        }
    };
    all.retain(|p| p.iter().all(|q| q.to_f64().abs() <= MAX_POWER));
    let costs: Vec<f64> = all.iter().map(|p| cost(p)).collect();
    let best =
        (0..all.len()).filter(|k| costs[*k].is_finite()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]))?;
    Some(all.swap_remove(best))
}

/// A model with the units of its constants made of named ones.
pub(super) struct Named {
    /// The law.
    pub template: Expr,
    /// The template with the names of constants.
    pub skeleton: Expr,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What stands for parameters that had a unit.
    products: Vec<(Symbol, Expr)>,
}

/// The model with the units of its constants made of named ones. `None` where they have no such product, or where
/// constants with units are not allowed.
pub(super) fn named(problem: &Problem, plan: &Plan, model: &Model, cancel: &CancelToken) -> Option<Named> {
    let mut parameters = model.parameters.clone();
    let (mut template, mut skeleton) = (model.template.clone(), model.template.clone());
    let mut products = Vec::new();
    let with_unit = parameters.iter().any(|p| !p.dimension.is_none());
    let constants = match &plan.constants {
        Constants::Dimensionless if with_unit => return None,
        Constants::Named(constants) if with_unit => constants,
        _ => return Some(Named { template, skeleton, parameters, products }),
    };
    let fitted = fit(problem, &template, &parameters, cancel)?;
    for (place, p) in parameters.iter_mut().enumerate().filter(|(_, p)| !p.dimension.is_none()) {
        let measured = (fitted.values[place], fitted.error(place));
        let powers = powers_of(constants, p.dimension, measured, problem.names.len())?;
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
        p.start = fitted.values[place] / values.evaluate(&|_| Some(1.0)).filter(|v| *v != 0.0)?;
        p.dimension = Dimension::NONE;
        template = template.substitute(&[(p.symbol.clone(), values.clone())]);
        skeleton = skeleton.substitute(&[(p.symbol.clone(), names)]);
        products.push((p.symbol.clone(), values));
    }
    Some(Named { template, skeleton, parameters, products })
}

/// Where the fit on all rows begins: what a fit on few rows came to; `None` where that is hopeless beside the archive.
fn first_look(
    problem: &Problem,
    model: &Expr,
    tape: &Tape,
    parameters: &[Parameter],
    (front, criteria): (&Front, &Criteria),
    cancel: &CancelToken,
) -> Option<Vec<f64>> {
    let starts: Vec<f64> = parameters.iter().map(|p| p.start).collect();
    let n = problem.rows();
    if n < MANY || parameters.is_empty() {
        return Some(starts);
    }
    let rows: Vec<usize> = (0..FEW).map(|k| k * n / FEW).collect();
    let few = problem.pick(&rows);
    let fitter = Fitter::new(&few, tape, criteria, cancel);
    let open: Vec<usize> = (0..starts.len()).collect();
    let Some(fitted) = fitter.fit(&starts, &open) else { return Some(starts) };
    // Parameters that vanish make it smaller.
    let size = criteria.complexity.of(model).saturating_sub(2 * parameters.len()).max(1);
    let loss = fitted.chi2.unwrap_or(fitted.sse) / FEW as f64;
    (loss <= HOPELESS * front.least_loss(size)).then_some(fitted.values)
}

/// The candidate that a model makes, `None` where it does not fit at all, or much worse than a law of `front` that is no
/// larger.
pub fn candidate(
    problem: &Problem,
    plan: &Plan,
    model: &Model,
    front: &Front,
    cancel: &CancelToken,
) -> Option<Candidate> {
    refined(problem, plan, model, front, cancel).map(|r| r.candidate)
}

/// A law that was found on some rows with its open constants fitted to all; what is exact stays.
pub fn refit(problem: &Problem, plan: &Plan, law: &Candidate, cancel: &CancelToken) -> Option<Candidate> {
    let Model { template, parameters, .. } = law.reopened("");
    let tape = compiled(problem, &template, &parameters)?;
    let fitter = Fitter::new(problem, &tape, &plan.criteria, cancel);
    let refining = Refining { fitter, template: &template, parameters: &parameters };
    let start: Vec<f64> = parameters.iter().map(|p| p.start).collect();
    let open: Vec<usize> = (0..start.len()).collect();
    let state = refining.state(&start, open, Vec::new(), template.clone(), 0.0)?;
    let exact = law.constants.iter().filter(|c| c.exact.is_some()).cloned().collect();
    let fitted = assemble(plan, "", &refining, &state, &template, exact)?.candidate;
    Some(Candidate { engine: law.engine.clone(), evidence: law.evidence.clone(), ..fitted })
}

/// A refined law with what its parameters became.
pub struct Refined {
    /// The law.
    pub candidate: Candidate,
    /// The parameters' values as they stand in the law: exact, uncertain, or made of named constants.
    pub values: Vec<(Symbol, Expr)>,
}

/// Like [`candidate`], with the values of the model's parameters.
pub fn refined(
    problem: &Problem,
    plan: &Plan,
    model: &Model,
    front: &Front,
    cancel: &CancelToken,
) -> Option<Refined> {
    let Named { template, skeleton, parameters, products } = named(problem, plan, model, cancel)?;
    if template.is_undefined() || template.is_zero() {
        return None;
    }
    let tape = compiled(problem, &template, &parameters)?;
    let criteria = &plan.criteria;
    // What no constants can make allowed is not fitted.
    if !criteria.rules.allow_form(&template, &Complexity::default()) && criteria.rules.arguments.is_empty() {
        return None;
    }
    let start = first_look(problem, &template, &tape, &parameters, (front, criteria), cancel)?;
    let fitter = Fitter::new(problem, &tape, criteria, cancel);
    let refining = Refining { fitter, template: &template, parameters: &parameters };
    let open: Vec<usize> = (0..parameters.len()).collect();
    let mut state = refining.state(&start, open, Vec::new(), skeleton, 0.0)?;
    let mut snapped: Vec<ConstantInfo> = Vec::new();
    // Snap one constant after the other, the one that is known best first; each time the others are fitted again.
    let mut tried: Vec<usize> = Vec::new();
    loop {
        let relative = |place: usize| {
            let value = state.fitted.values[state.open[place]];
            if value == 0.0 { f64::INFINITY } else { state.fitted.error(place) / value.abs() }
        };
        let next = (0..state.open.len())
            .filter(|&place| !tried.contains(&state.open[place]))
            .min_by(|&a, &b| relative(a).total_cmp(&relative(b)));
        let Some(place) = next else { break };
        if cancel.stop().is_some() {
            break;
        }
        let k = state.open[place];
        tried.push(k);
        let (value, error) = (state.fitted.values[k], state.fitted.error(place));
        let unit = Unit::coherent(parameters[k].dimension);
        let choices = if parameters[k].dimension.is_none() {
            let mut exact = snap::exact_values(value, error);
            // The error of exact data is that of the rounding of floats, which a fit may leave behind many times over.
            if value.abs() <= NOTHING && !exact.iter().any(|c| c.value.is_zero()) {
                exact.extend(snap::zero(value, value.abs()));
            }
            exact
        } else {
            let decimal = snap::decimal(value, error).map(|c| {
                let value = Expr::product([c.value, Expr::unit(unit.clone())]);
                snap::Choice { value, ..c }
            });
            snap::zero(value, error).into_iter().chain(decimal).collect()
        };
        // What its own code and the distance make longer, no better fit of the others pays for.
        let most = describe::constant_code(value, error, problem.rows()) + SLACK;
        let mut promising: Vec<(f64, f64, snap::Choice)> = choices
            .into_iter()
            .filter(|c| c.code <= most)
            .filter_map(|c| {
                let exact = c.value.evaluate(&|_| None)?;
                let cost = c.code + refining.rise(&state.fitted, place, exact - value);
                // Without a finite estimate it is tried after the others.
                Some((if cost.is_nan() { f64::INFINITY } else { cost }, exact, c))
            })
            .collect();
        promising.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.code.total_cmp(&b.2.code)));
        let mut best: Option<(State, Expr, f64)> = None;
        for (_, exact, choice) in promising.into_iter().take(REFITTED) {
            let Some(new) = refining.with(&state, place, &choice, exact) else { continue };
            if new.length < state.length && best.as_ref().is_none_or(|(b, ..)| new.length < b.length) {
                best = Some((new, choice.value, exact));
            }
        }
        if let Some((new, form, exact)) = best {
            if !form.is_zero() {
                snapped.push(ConstantInfo {
                    value: exact,
                    error: 0.0,
                    unit,
                    exact: Some(form),
                    fitted: (value, error),
                    gained: state.length - new.length,
                });
            }
            state = new;
        }
    }
    let law = unfold_logarithms(problem, &template.substitute(&state.exact));
    let mut refined = assemble(plan, model.engine, &refining, &state, &law, snapped)?;
    for (symbol, product) in products {
        let whole = product.substitute(&refined.values);
        refined.values.retain(|(own, _)| *own != symbol);
        refined.values.push((symbol, whole));
    }
    Some(refined)
}

/// Logarithms of powers as multiples: 3*log(x) for log(x^3), where the data are positive.
pub(super) fn unfold_logarithms(problem: &Problem, e: &Expr) -> Expr {
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

/// The candidate of a state whose law, with its exact constants, is `law`, and the values of the parameters.
fn assemble(
    plan: &Plan,
    engine: &'static str,
    refining: &Refining<'_>,
    state: &State,
    law: &Expr,
    mut constants: Vec<ConstantInfo>,
) -> Option<Refined> {
    let State { open, fitted, .. } = state;
    let problem = refining.fitter.problem;
    let parameters: Vec<Parameter> = open.iter().map(|&k| refining.parameters[k].clone()).collect();
    let values: Vec<f64> = open.iter().map(|&k| fitted.values[k]).collect();
    // The figures are those of the law as it is written.
    let tape = compiled(problem, law, &parameters)?;
    let criteria = &plan.criteria;
    let writer = Fitter::new(problem, &tape, criteria, refining.fitter.cancel);
    let written = writer.fitted(values.clone(), fitted.covariance.clone())?;
    let length = state.length - writer.code(fitted) + writer.code(&written);
    let m = parameters.len();
    let size = criteria.complexity.of(law);
    let rules = &criteria.rules;
    let within = |c: f64| rules.allow_constant(c);
    let obeys = criteria.largest.is_none_or(|most| size <= most)
        && rules.allow_form(law, &criteria.complexity)
        && values.iter().copied().all(within)
        && constants.iter().all(|c| within(c.unit.to_si(c.value)))
        && rules.allow_values(problem, &tape, &values);
    if !obeys {
        return None;
    }
    let matrix: Vec<f64> = (0..m * m).map(|k| fitted.covariance[(k / m, k % m)]).collect();
    if matrix.iter().any(|x| x.is_nan()) {
        return None;
    }
    // One identity for each law, so that constants of two laws never count as one measurement.
    let identity = plan.identity ^ (hash::combine(law.stable_hash(), plan.seed) >> 1);
    let uncertain = Uncertain::joint(identity, &values, Covariance { size: m, matrix });
    let mut pairs = Vec::with_capacity(m);
    for (p, u) in parameters.iter().zip(uncertain) {
        let unit = Unit::coherent(p.dimension);
        constants.push(ConstantInfo {
            value: u.value(),
            error: u.sigma(),
            unit: unit.clone(),
            exact: None,
            fitted: (u.value(), u.sigma()),
            gained: 0.0,
        });
        pairs.push((p.symbol.clone(), Expr::product([Expr::uncertain(u), Expr::unit(unit)])));
    }
    let expr = law.substitute(&pairs);
    let n = problem.rows() as f64;
    let rows = || problem.target.iter().enumerate().map(|(k, y)| (problem.row_weight(k), y));
    let mean = rows().map(|(w, y)| w * y).sum::<f64>() / rows().map(|(w, _)| w).sum::<f64>();
    let spread: f64 = rows().map(|(w, y)| w * (y - mean).powi(2)).sum();
    let r2 = if spread > 0.0 { 1.0 - written.squares / spread } else { 1.0 };
    // The mean explains nothing; its last bits would say otherwise.
    let r2 = if r2.abs() < 1e-12 { 0.0 } else { r2 };
    let candidate = Candidate {
        size,
        expr,
        constants,
        loss: written.chi2.unwrap_or(written.sse) / n,
        r2,
        description_length: length,
        engine: engine.into(),
        evidence: "".into(),
    };
    pairs.extend(state.exact.iter().cloned());
    Some(Refined { candidate, values: pairs })
}
