//! Laws of one part of a whole, such as a scalar of a vector or the real part of a complex number: as models, so that all
//! constants of the whole can be fitted at once.

use super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::engine::Report;
use super::error::RegressError;
use super::front::{Found, Front};
use super::journal::Journal;
use super::options::Plan;
use super::problem::Problem;
use super::template::{self, Opening};
use super::{describe, refine};
use crate::base::CancelToken;
use crate::expression::{Expr, Symbol};
use crate::numeric::statistics;

/// Share of the size of a part, or of the whole, up to which values are rounding.
pub const EXACT: f64 = 1e-9;
/// Work on a part where there is no bound.
pub const WORK: u64 = 10_000_000;
/// Laws of a part that are tried with those of the others.
const LAWS: usize = 4;

/// A law of a part.
#[derive(Clone, Debug)]
pub struct Part {
    /// It as a model.
    pub model: Model,
    /// The constants that are exact in it, which no fit of the whole moves.
    pub exact: Vec<ConstantInfo>,
}

impl From<Model> for Part {
    fn from(model: Model) -> Part {
        Part { model, exact: Vec::new() }
    }
}

/// A model of one constant.
pub fn constant(problem: &Problem, start: f64) -> Model {
    let symbol = Parameter::symbol(0);
    let parameter = Parameter { symbol: symbol.clone(), start, dimension: problem.goal() };
    Model { template: Expr::symbol(symbol), parameters: vec![parameter], engine: "parts" }
}

/// Laws of a part, that with the shortest description first, a constant last, and what the search came to; none is needed
/// for a part that is constant, or nothing beside `whole`, up to rounding.
pub fn laws(
    problem: &Problem,
    whole: f64,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<(Vec<Part>, Option<Found>), RegressError> {
    let mean = statistics::mean(&problem.target);
    let largest = |of: &dyn Fn(f64) -> f64| problem.target.iter().fold(0.0f64, |m, y| m.max(of(*y).abs()));
    if largest(&|y| y) <= EXACT * whole {
        let zero = Model { template: Expr::zero(), parameters: Vec::new(), engine: "parts" };
        return Ok((vec![zero.into()], None));
    }
    if largest(&|y| y - mean) <= EXACT * mean.abs() {
        return Ok((vec![constant(problem, mean).into()], None));
    }
    let found = journal.regress(problem, plan, cancel, progress)?;
    let mut laws: Vec<&Candidate> = found.front.candidates().iter().chain(&found.runner_up).collect();
    laws.sort_by(|a, b| a.description_length.total_cmp(&b.description_length));
    laws.truncate(LAWS);
    let open = |c: &Candidate| {
        let model = template::open(problem, &c.expr, Opening::Fitted, "parts")?;
        Some(Part { model, exact: c.constants.iter().filter(|k| k.exact.is_some()).cloned().collect() })
    };
    let mut parts: Vec<Part> = laws.into_iter().filter_map(open).collect();
    parts.push(constant(problem, mean).into());
    Ok((parts, Some(found)))
}

/// Which law of each part: the first of all, then of each part in turn another one.
pub fn picks(laws: &[Vec<Part>]) -> Vec<Vec<&Part>> {
    let Some(first) = laws.iter().map(|own| own.first()).collect::<Option<Vec<&Part>>>() else {
        return Vec::new();
    };
    let mut all = vec![first.clone()];
    for (place, own) in laws.iter().enumerate() {
        for other in own.iter().skip(1) {
            let mut pick = first.clone();
            pick[place] = other;
            all.push(pick);
        }
    }
    all
}

/// The candidates of a model of the whole, as it is and with constants that agree made one; with each the values of the
/// model's parameters. Their constants are those that are exact in its parts, then their own.
pub fn solved(
    whole: &Problem,
    plan: &Plan,
    model: Model,
    parts: &[&Part],
    cancel: &CancelToken,
) -> Vec<(Candidate, Vec<(Symbol, Expr)>)> {
    let floor = describe::noise_floor(whole);
    // Nothing is hopeless beside an empty archive.
    let none = Front::new(floor * floor);
    let fit = |model: &Model| {
        let mut r = refine::refined(whole, plan, model, &none, cancel)?;
        let mut exact: Vec<ConstantInfo> = Vec::new();
        for c in parts.iter().flat_map(|p| &p.exact) {
            // One constant in two parts is one, and so is one that the fit of the whole made exact.
            let known = exact.iter().chain(&r.candidate.constants);
            if !known.into_iter().any(|k| k.exact == c.exact && k.unit == c.unit) {
                exact.push(c.clone());
            }
        }
        r.candidate.constants.splice(..0, exact);
        Some((r.candidate, r.values))
    };
    let mut found: Vec<(Candidate, Vec<(Symbol, Expr)>)> = fit(&model).into_iter().collect();
    if let Some((pairs, merged)) = template::merged(whole, &model, cancel)
        && let Some((candidate, values)) = fit(&merged)
    {
        let gone = pairs.into_iter().map(|(s, e)| (s, e.substitute(&values)));
        let all = gone.chain(values.iter().cloned()).collect();
        found.push((candidate, all));
    }
    found
}
