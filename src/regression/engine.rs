//! Engines and the search they make. An engine proposes models step by step and says beforehand what the next step is
//! expected to cost and to bring; the scheduler (`scheduler.rs`) decides whose step comes next.

use rayon::prelude::*;
use serde_json::Value as Json;

use super::algebraic;
use super::candidate::{Candidate, Model};
use super::checkpoint;
use super::closed;
use super::dimension_algebra;
use super::error::RegressError;
use super::exhaustive;
use super::front::{Found, Front};
use super::genetic;
use super::guesses::Guesses;
use super::options::{Constants, Criteria, Method, Plan};
use super::prepare;
use super::problem::Problem;
use super::projective;
use super::refine;
use super::scheduler::{self, Gain, Run};
use super::symmetry;
use crate::base::{CancelToken, StopReason};
use crate::units::{Catalogue, Dimension, Unit};

/// What the next step of an engine is expected to cost and to bring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Expected work, in row evaluations of one term.
    pub work: u64,
    /// Prior chance that the step finds the law, where nothing before it did.
    pub chance: f64,
}

/// What a step brought.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The models.
    pub models: Vec<Model>,
    /// The work done, in row evaluations of one term.
    pub work: u64,
}

/// What an engine sees of the search.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The data.
    pub problem: &'a Problem,
    /// The options.
    pub plan: &'a Plan,
    /// Asked in every loop.
    pub cancel: &'a CancelToken,
}

/// A source of models. What a step proposes depends on the data, the options and the steps before, on nothing else.
pub trait Engine: Send + Sync {
    /// Its name in answers.
    fn name(&self) -> &'static str;

    /// What the next step would cost; `None` when nothing is left.
    fn next(&mut self, search: &Search<'_>) -> Option<Step>;

    /// Does the next step.
    fn run(&mut self, search: &Search<'_>) -> Batch;

    /// Where it is, for a checkpoint.
    fn save(&self) -> Json;

    /// Goes to where `save` was called; `None` where the state is not one of this engine.
    fn restore(&mut self, state: &Json) -> Option<()>;

    /// What its last step looked through, in words: part of a law's evidence.
    fn evidence(&self) -> Option<String> {
        None
    }

    /// What it can say at the end about laws that it did not find.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What `without` switches off: engines, then families of the projective search, of its factors, and of the algebraic one.
pub const SWITCHES: [&str; 34] = [
    "power law",
    "sparse",
    "inner constant",
    "rational",
    "exhaustive",
    "projective",
    "algebraic",
    "symmetry",
    "genetic",
    // Stages of the projective search.
    "powers",
    "lookup",
    "scan",
    "pairs",
    "triples",
    "offsets",
    "linear",
    "free",
    "extensions",
    // Its factors.
    "affine",
    "both",
    "exponential",
    "function",
    "mixed",
    "powers of variables",
    "roots",
    "squares",
    "sums",
    // Relations.
    "relations",
    "links",
    "functions as variables",
    "divided",
    "sums of many",
    "inner",
    "foreign",
];

/// Columns up to which the algebraic search makes its dictionaries: beyond, all products of three are too many.
const NARROW: usize = 24;

/// Whether `auto` needs the genetic search: for what no other engine looks at, operators and losses of the user, rules, guesses
/// to go on from, and for many columns.
fn wants_genetic(problem: &Problem, plan: &Plan) -> bool {
    let own = plan.own.iter().any(|o| plan.allows(&o.name));
    own || !plan.guesses.is_empty() || plan.criteria != Criteria::default() || problem.useful().len() > NARROW
}

/// The engines of a method; the order decides between steps of equal worth.
pub(super) fn engines(problem: &Problem, plan: &Plan) -> Vec<Box<dyn Engine>> {
    let mut engines = match plan.method {
        Method::Auto => {
            let mut all = closed::engines();
            all.extend(projective::engines());
            if problem.useful().len() <= NARROW {
                all.extend(algebraic::engines());
            }
            all.extend(exhaustive::engines(false));
            all.extend(symmetry::engines());
            if wants_genetic(problem, plan) {
                all.extend(genetic::engines());
            }
            all
        }
        Method::Closed => closed::engines(),
        Method::Algebraic if problem.useful().len() > NARROW => Vec::new(),
        Method::Algebraic => algebraic::engines(),
        Method::Projective => projective::engines(),
        Method::Exhaustive => exhaustive::engines(true),
        Method::Symmetry => symmetry::engines(),
        Method::Genetic => genetic::engines(),
    };
    if !plan.guesses.is_empty() {
        engines.insert(0, Box::<Guesses>::default());
    }
    engines.retain(|e| !plan.without.iter().any(|w| w == e.name()));
    engines
}

/// How far a search is.
#[derive(Debug)]
pub struct Report<'a> {
    /// Expected share of the search that is done, 0 to 1: of the bound on work, else the chance that the law would have been
    /// found by now.
    pub share: f64,
    /// Work done so far.
    pub work: u64,
    /// The laws so far.
    pub front: &'a Front,
    /// The laws that became the best, one after the other.
    pub gains: &'a [Gain],
}

/// Work between two states that are offered for keeping, in row evaluations of one term.
pub const INTERVAL: u64 = 1_000_000;

/// Takes states of a search. It is told whether this is the last one, and given a function that writes the state out, which
/// it need not call before.
pub type Keep<'a> = &'a dyn Fn(bool, &dyn Fn() -> Option<Vec<u8>>);

/// Where a search goes on, and where it leaves its states.
pub struct Keeping<'a> {
    /// Reads the units of what was kept.
    pub catalogue: &'a Catalogue,
    /// The state to go on from.
    pub from: Option<&'a [u8]>,
    /// Is offered a state every [`INTERVAL`] of work, and one at the end of a search that was cut short.
    pub keep: Keep<'a>,
    /// Is told that `from` is no state of this search, which then begins anew.
    pub refuse: &'a dyn Fn(),
}

/// Finds laws. `progress` is told how far the search is, after every step.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress(
    problem: &Problem,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<Found, RegressError> {
    regress_kept(problem, plan, cancel, progress, None)
}

/// Whether some law can have the target's unit with the constants that are allowed: sums and functions bring no unit that
/// products of powers do not.
fn has_unit(problem: &Problem, plan: &Plan) -> bool {
    let mut dimensions: Vec<Dimension> = problem.useful().into_iter().map(|k| problem.dimension(k)).collect();
    match &plan.constants {
        Constants::Free => return true,
        Constants::Dimensionless => {}
        Constants::Named(named) => dimensions.extend(named.iter().map(|(_, _, d)| *d)),
    }
    dimension_algebra::powers(&dimensions, problem.goal()).is_some()
}

/// Rows up to which a search looks at all of them.
const ROWS: usize = 20_000;
/// Rows of a larger table that it looks at.
const SAMPLE: usize = 10_000;

/// Some of the rows of a large table, evenly spread.
fn sampled(problem: &Problem) -> Option<Problem> {
    let n = problem.rows();
    (n > ROWS).then(|| {
        problem
            .pick(&(0..SAMPLE).map(|k| (k as u128 * n as u128 / SAMPLE as u128) as usize).collect::<Vec<_>>())
    })
}

/// What was found on some rows, fitted to all.
fn on_all_rows(mut found: Found, problem: &Problem, plan: &Plan) -> Found {
    let floor = scheduler::floor(problem, plan);
    let go_on = CancelToken::new();
    let fitted = |c: &Candidate| refine::refit(problem, plan, c, &go_on);
    let all: Vec<Option<Candidate>> = found.front.candidates().par_iter().map(fitted).collect();
    let mut front = Front::new(floor);
    all.into_iter().flatten().for_each(|c| front.insert(c));
    front.settle();
    found.front = front;
    found.runner_up = found.runner_up.as_ref().and_then(fitted);
    found
}

/// Why an engine that was asked for does not run.
fn too_wide(problem: &Problem, plan: &Plan) -> Option<String> {
    let columns = problem.useful().len();
    (plan.method == Method::Algebraic && columns > NARROW).then(|| {
        format!("the algebraic search takes at most {NARROW} columns, found {columns}; `features: 10` chooses some")
    })
}

/// The same from where an earlier search was, leaving states on the way. A search that goes on ends with the same bytes as
/// one that never stopped.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress_kept(
    problem: &Problem,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    keeping: Option<&Keeping<'_>>,
) -> Result<Found, RegressError> {
    let notes = problem.validate()?;
    plan.validate()?;
    plan.criteria.rules.validate(problem, &plan.operators)?;
    if !has_unit(problem, plan) {
        return Err(RegressError::NoUnit { unit: Unit::coherent(problem.target_dimension).to_string() });
    }
    let mut notes = notes;
    notes.extend(too_wide(problem, plan));
    let part = sampled(problem);
    let searched = part.as_ref().unwrap_or(problem);
    if part.is_some() {
        let (few, all) = (searched.rows(), problem.rows());
        notes.push(format!("laws are looked for on {few} of {all} rows; those found are fitted to all"));
    }
    let smooth = if plan.denoise { prepare::smooth(searched, plan.seed, cancel) } else { None };
    let quiet = smooth.as_ref().filter(|s| s.sigma > 0.0).map(|s| Problem {
        target: s.target.clone(),
        sigma: Some(s.error.iter().map(|e| e.max(1e-3 * s.sigma)).collect()),
        resolution: None,
        ..searched.clone()
    });
    if let Some(s) = &smooth {
        let (sigma, unit) = (s.sigma, Unit::coherent(problem.target_dimension));
        let unit = if unit.is_one() { String::new() } else { format!(" [{unit}]") };
        notes.push(format!("the noise of `{}` is {sigma:.4}{unit}", problem.target_symbol));
    }
    let seen = quiet.as_ref().unwrap_or(searched);
    let begin = || Run::new(searched, seen, plan, notes.clone());
    let mut run = begin();
    if let Some(k) = keeping
        && let Some(bytes) = k.from
        && checkpoint::resume(&mut run, bytes, k.catalogue).is_none()
    {
        (k.refuse)();
        run = begin();
    }
    let mut kept = run.work;
    let stopped = loop {
        progress(&run.report());
        if let Some(reason) = run.step(cancel) {
            break reason;
        }
        if let Some(k) = keeping.filter(|_| run.work >= kept + INTERVAL) {
            kept = run.work;
            (k.keep)(false, &|| checkpoint::state(&run, k.catalogue));
        }
    };
    if let Some(k) = keeping.filter(|_| stopped == StopReason::Cancelled) {
        (k.keep)(true, &|| checkpoint::state(&run, k.catalogue));
    }
    let mut found = run.finish(stopped);
    found.noise = smooth.map(|s| s.sigma);
    if part.is_some() && stopped != StopReason::Cancelled {
        found = on_all_rows(found, problem, plan);
    }
    progress(&Report { share: 1.0, work: found.work, front: &found.front, gains: &[] });
    Ok(found)
}
