//! Engines and their scheduler. An engine proposes models in batches; the scheduler refines them, fills the archive and
//! counts the work, so that a bound on work gives the same answer on any number of threads.

use rayon::prelude::*;

use super::candidate::{Candidate, Model};
use super::closed;
use super::describe;
use super::error::RegressError;
use super::front::{Found, Front};
use super::options::{Constants, Method, Plan};
use super::problem::Problem;
use super::refine;
use crate::base::{CancelToken, StopReason};
use crate::units::Unit;

/// A source of models.
pub trait Engine: Send {
    /// Its name in answers.
    fn name(&self) -> &'static str;

    /// The next batch of models with the work it took; `None` when it has nothing left.
    fn propose(&mut self, problem: &Problem, plan: &Plan, cancel: &CancelToken) -> Option<(Vec<Model>, u64)>;
}

/// The engines of a method, in the order of their cost.
fn engines(method: Method) -> Vec<Box<dyn Engine>> {
    match method {
        Method::Auto | Method::Closed => closed::engines(),
    }
}

/// How far a search is.
#[derive(Debug)]
pub struct Report<'a> {
    /// Share of the engines that are done, 0 to 1.
    pub share: f64,
    /// Work done so far.
    pub work: u64,
    /// The laws so far.
    pub front: &'a Front,
}

/// Finds laws. `progress` is told how far the search is, after every batch.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress(
    problem: &Problem,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<Found, RegressError> {
    let notes = problem.validate()?;
    plan.validate()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(plan.threads).build().ok();
    let floor = describe::noise_floor(problem);
    let mut front = Front::new(if problem.sigma.is_some() { 0.0 } else { floor * floor });
    let mut work = 0u64;
    let mut stopped = StopReason::Saturated;
    let mut engines = engines(plan.method);
    let count = engines.len();
    'search: for (done, engine) in engines.iter_mut().enumerate() {
        let share = done as f64 / count as f64;
        loop {
            progress(&Report { share, work, front: &front });
            if let Some(reason) = cancel.stop() {
                stopped = reason;
                break 'search;
            }
            if plan.work.is_some_and(|w| work >= w) {
                stopped = StopReason::Work;
                break 'search;
            }
            let Some((models, spent)) = engine.propose(problem, plan, cancel) else { break };
            work += spent;
            let refine = || -> Vec<Option<Candidate>> {
                models.par_iter().map(|m| refine::candidate(problem, plan, m, cancel)).collect()
            };
            let candidates = match &pool {
                Some(pool) => pool.install(refine),
                None => refine(),
            };
            for (model, c) in models.iter().zip(candidates) {
                work += (problem.rows() * (1 + model.parameters.len())) as u64;
                if let Some(c) = c {
                    front.insert(c);
                }
            }
        }
        if stopped == StopReason::Saturated && complete(problem, &front) {
            stopped = StopReason::Found;
            break;
        }
    }
    if front.candidates().is_empty() && plan.constants == Constants::Dimensionless && cancel.stop().is_none()
    {
        return Err(RegressError::NoUnit { unit: Unit::coherent(problem.target_dimension).to_string() });
    }
    front.settle();
    progress(&Report { share: 1.0, work, front: &front });
    Ok(Found { front, stopped, work, notes })
}

/// Whether the best law leaves nothing but the rounding of the data.
fn complete(problem: &Problem, front: &Front) -> bool {
    front.best().is_some_and(|b| {
        let floor = describe::noise_floor(problem);
        problem.sigma.is_none() && b.loss <= (4.0 * floor).powi(2)
    })
}
