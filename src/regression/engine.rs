//! Engines and their scheduler. An engine proposes models step by step and says beforehand what the next step is
//! expected to cost and to bring. The scheduler always runs the step with the highest chance of success for its work,
//! refines what it proposes, fills the archive and counts the work; never the clock. A bound on work therefore gives
//! the same answer on any number of threads, and a search goes on where a checkpoint left it.

use std::collections::HashSet;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::candidate::{Candidate, Model};
use super::closed;
use super::describe;
use super::error::RegressError;
use super::exhaustive;
use super::front::{Found, Front};
use super::options::{Constants, Method, Plan};
use super::problem::Problem;
use super::projective;
use super::refine;
use crate::base::{CancelToken, StopReason};
use crate::units::Unit;

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

    /// What it can say about laws that it did not find.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The engines of a method; the order decides between steps of equal worth.
fn engines(plan: &Plan) -> Vec<Box<dyn Engine>> {
    let mut engines = match plan.method {
        Method::Auto => {
            let mut all = closed::engines();
            all.extend(projective::engines());
            all.extend(exhaustive::engines(false));
            all
        }
        Method::Closed => closed::engines(),
        Method::Projective => projective::engines(),
        Method::Exhaustive => exhaustive::engines(true),
    };
    engines.retain(|e| !plan.without.iter().any(|w| w == e.name()));
    engines
}

/// Steps like the largest one so far for which a search goes on once a law leaves nothing but rounding.
const SHORTER: u64 = 4;

/// How far a search is.
#[derive(Debug)]
pub struct Report<'a> {
    /// Share of the steps that are done, 0 to 1.
    pub share: f64,
    /// Work done so far.
    pub work: u64,
    /// The laws so far.
    pub front: &'a Front,
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
    let mut notes = problem.validate()?;
    plan.validate()?;
    // A caller that is itself in a pool of this size keeps its thread: its processor time is then that of the search.
    let inside = rayon::current_thread_index().is_some() && rayon::current_num_threads() == plan.threads;
    let pool = match inside {
        true => None,
        false => rayon::ThreadPoolBuilder::new().num_threads(plan.threads).build().ok(),
    };
    let floor = describe::noise_floor(problem);
    let mut front = Front::new(if problem.sigma.is_some() { 0.0 } else { floor * floor });
    let mut work = 0u64;
    let mut stopped = StopReason::Saturated;
    let mut engines = engines(plan);
    let mut tried: HashSet<u64> = HashSet::new();
    let search = Search { problem, plan, cancel };
    let mut rounds = 0;
    let mut largest = 0u64;
    let mut limit: Option<u64> = None;
    loop {
        progress(&Report { share: 1.0 - 1.0 / (1.0 + f64::from(rounds)), work, front: &front });
        if let Some(reason) = cancel.stop() {
            stopped = reason;
            break;
        }
        if plan.work.is_some_and(|w| work >= w) {
            stopped = if limit.is_some() { StopReason::Found } else { StopReason::Work };
            break;
        }
        let Some((place, next)) = most_worth(&mut engines, &search) else {
            if limit.is_some() {
                stopped = StopReason::Found;
            }
            break;
        };
        if limit.is_some_and(|l| work + next.work > l) {
            stopped = StopReason::Found;
            break;
        }
        let mut step = || -> (Batch, Vec<Option<Candidate>>) {
            let mut batch = engines[place].run(&search);
            // A model without parameters is the same whoever proposes it.
            batch.models.retain(|m| !m.parameters.is_empty() || tried.insert(m.template.stable_hash()));
            let refined =
                batch.models.par_iter().map(|m| refine::candidate(problem, plan, m, cancel)).collect();
            (batch, refined)
        };
        let (batch, candidates) = match &pool {
            Some(pool) => pool.install(step),
            None => step(),
        };
        work += batch.work.max(1);
        for (model, c) in batch.models.iter().zip(candidates) {
            work += (problem.rows() * (1 + model.parameters.len())) as u64;
            if let Some(c) = c {
                front.insert(c);
            }
        }
        rounds += 1;
        largest = largest.max(next.work);
        // A complete law may have a shorter spelling among the steps that cost as much.
        if limit.is_none() && complete(problem, &front) {
            limit = Some(work + SHORTER * largest);
        }
    }
    if front.candidates().is_empty() && plan.constants == Constants::Dimensionless && cancel.stop().is_none()
    {
        return Err(RegressError::NoUnit { unit: Unit::coherent(problem.target_dimension).to_string() });
    }
    front.settle();
    notes.extend(engines.iter().flat_map(|e| e.notes()));
    progress(&Report { share: 1.0, work, front: &front });
    Ok(Found { front, stopped, work, notes })
}

/// The engine whose next step has the highest chance for its work; the first of equals.
fn most_worth(engines: &mut [Box<dyn Engine>], search: &Search<'_>) -> Option<(usize, Step)> {
    let mut best: Option<(usize, f64, Step)> = None;
    for (place, engine) in engines.iter_mut().enumerate() {
        let Some(step) = engine.next(search) else { continue };
        let worth = step.chance / step.work.max(1) as f64;
        if best.is_none_or(|(_, b, _)| worth > b) {
            best = Some((place, worth, step));
        }
    }
    best.map(|(place, _, step)| (place, step))
}

/// Whether the best law leaves nothing but the rounding of the data.
fn complete(problem: &Problem, front: &Front) -> bool {
    front.best().is_some_and(|b| {
        let floor = describe::noise_floor(problem);
        problem.sigma.is_none() && b.loss <= (4.0 * floor).powi(2)
    })
}
