//! The scheduler: one search from its first step to its end. It always runs the step with the highest chance of success for
//! its work, where an engine whose steps brought something counts for more than its prior chance; refines what the step
//! proposes, fills the archive and counts the work; never the clock. A bound on work therefore gives the same answer on
//! any number of threads.
//!
//! What is decided:
//! - A step counts as a whole or not at all. One that the clock or Ctrl-C cuts short leaves nothing: no law, no work. The
//!   work that a search reports therefore stands at the end of a step, and `work:` with that number does the same again.
//! - A law that leaves nothing but rounding is not taken for the answer at once: it is challenged by steps that are cheap
//!   beside what it took to find it, since one of them may bring a shorter one (1/(2 + 3*x) after (1/2)/(1 + 3*x/2)).
//! - Between two steps the whole state can be kept and taken up again (`checkpoint.rs`).

use std::collections::HashSet;

use rayon::prelude::*;

use super::candidate::{Candidate, Model};
use super::describe;
use super::engine::{Batch, Engine, Report, Search, Step, engines};
use super::front::{Found, Front};
use super::options::Plan;
use super::problem::Problem;
use super::projective;
use super::refine;
use crate::base::{CancelToken, StopReason, Threads, hash};
use crate::expression::Expr;

/// Least and most work that a complete law is challenged for; between them as much as led to it, or some steps like the one
/// that brought it.
const CHALLENGE: (u64, u64) = (250_000, 20_000_000);
/// So many.
const ALIKE: u64 = 4;
/// Nats that a step must gain for its engine to be given credit.
const GAIN: f64 = 3.0;
/// Most that the chance of an engine's step is multiplied by for what the steps before it gained.
const MOST_CREDIT: f64 = 4.0;
/// Laws that are kept, by description length, to tell the runner-up from.
const SHORTLIST: usize = 8;
/// Relative difference of losses below which two laws say the same in other words.
const SAME: f64 = 1e-9;
/// Starts of a model that agree to this relative precision are one.
const DIGITS: f64 = 1e3;

/// Constants up to which a law is not bent to what the rounding of the features leaves open.
const CONSTANTS: usize = 2;
/// Rows that each further constant of a complete law needs.
const ROWS_EACH: usize = 6;
/// The standard deviation of a rounding, half a unit of the last digit over the root of 3, for a resolution.
const FLAT: f64 = 0.2887 / super::projective::UNITS;
/// Relative resolution from which on a column does not stand in full.
const IN_FULL: f64 = 1e-13;
/// Rows on which the rounding of the features is followed through a law.
const ROUNDED_ROWS: usize = 200;

/// A law that became the best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// The work at the end of the step that brought it.
    pub work: u64,
    /// Its figures.
    pub loss: f64,
    /// The share of the variance that it explains.
    pub r2: f64,
    /// Its size.
    pub size: usize,
}

/// The loss below which all is rounding.
pub(super) fn floor(problem: &Problem, plan: &Plan) -> f64 {
    let floor = describe::noise_floor(problem);
    match &plan.criteria.loss {
        Some(loss) => loss.floor(&problem.target, floor),
        None if problem.sigma.is_some() => 0.0,
        None => floor * floor,
    }
}

/// A search on its way, between two steps.
pub struct Run<'a> {
    pub(super) problem: &'a Problem,
    /// What engines see of it: a target without its noise, where one was made.
    seen: &'a Problem,
    pub(super) plan: &'a Plan,
    pub(super) engines: Vec<Box<dyn Engine>>,
    /// Factor of an engine's chances, from 1 to [`MOST_CREDIT`].
    pub(super) credit: Vec<f64>,
    pub(super) front: Front,
    /// The best laws by description length, whether the front holds them or not.
    pub(super) shortlist: Vec<Candidate>,
    /// Models that were refined.
    pub(super) tried: HashSet<u64>,
    pub(super) work: u64,
    pub(super) steps: u64,
    pub(super) refined: u64,
    /// Chance that nothing so far found the law, if what engines expect of their steps is true.
    pub(super) open: f64,
    /// The work up to which a complete law is challenged, where there is one.
    pub(super) until: Option<u64>,
    pub(super) gains: Vec<Gain>,
    pub(super) notes: Vec<String>,
    threads: Threads,
    /// The relative resolution of each feature.
    grains: Vec<f64>,
}

impl<'a> Run<'a> {
    /// A search of data and options that are known to be usable, at its beginning.
    pub fn new(problem: &'a Problem, seen: &'a Problem, plan: &'a Plan, notes: Vec<String>) -> Run<'a> {
        let floor = floor(problem, plan);
        let engines = engines(problem, plan);
        let grain = |k: usize| projective::resolution(&problem.columns[k]);
        Run {
            grains: (0..problem.columns.len()).map(grain).collect(),
            problem,
            seen,
            plan,
            credit: vec![1.0; engines.len()],
            engines,
            front: Front::new(floor),
            shortlist: Vec::new(),
            tried: HashSet::new(),
            work: 0,
            steps: 0,
            refined: 0,
            open: 1.0,
            until: None,
            gains: Vec::new(),
            notes,
            threads: Threads::new(plan.threads),
        }
    }

    /// How far it is.
    pub fn report(&self) -> Report<'_> {
        let share = match self.plan.work {
            Some(0) => 1.0,
            Some(bound) => (self.work as f64 / bound as f64).max(1.0 - self.open),
            None => 1.0 - self.open,
        };
        Report { share: share.min(1.0), work: self.work, front: &self.front, gains: &self.gains }
    }

    /// Does the next step; the reason where the search is over instead. Where a complete law is there, a bound that ends
    /// its challenge is no reason of its own.
    pub fn step(&mut self, cancel: &CancelToken) -> Option<StopReason> {
        let reason = self.advance(cancel)?;
        let bound = matches!(reason, StopReason::Work | StopReason::Time);
        Some(if bound && self.until.is_some() { StopReason::Found } else { reason })
    }

    fn advance(&mut self, cancel: &CancelToken) -> Option<StopReason> {
        if let Some(reason) = cancel.stop() {
            return Some(reason);
        }
        if self.good_enough() {
            return Some(StopReason::Goal);
        }
        if self.plan.work.is_some_and(|w| self.work >= w) {
            return Some(StopReason::Work);
        }
        let search = Search { problem: self.seen, plan: self.plan, cancel };
        // Steps that a complete law may still be challenged by.
        let room = self.until.map(|until| until.saturating_sub(self.work));
        let Some((place, expected)) = self.most_worth(&search, room) else {
            let over = if room.is_some() { StopReason::Found } else { StopReason::Saturated };
            return Some(cancel.stop().unwrap_or(over));
        };
        let before = self.engines[place].save();
        let Some((batch, candidates)) = self.run(place, &search) else {
            // Cut short: back to where it began.
            self.engines[place].restore(&before);
            return Some(cancel.stop().unwrap_or(StopReason::Cancelled));
        };
        self.steps += 1;
        self.open *= 1.0 - expected.chance.clamp(0.0, 0.99);
        self.work += batch.work.max(1);
        let evidence = self.engines[place].evidence();
        let length = |run: &Run<'_>| run.front.best().map(|c| c.description_length);
        let old = length(self);
        let mut kept = Vec::new();
        for (model, candidate) in batch.models.iter().zip(candidates) {
            self.work += (self.problem.rows() * (1 + model.parameters.len())) as u64;
            self.refined += 1;
            self.tried.insert(key(model));
            kept.extend(candidate);
        }
        for mut candidate in kept {
            candidate.evidence = self.told(&candidate, &batch, evidence.as_deref());
            self.list(&candidate);
            self.front.insert(candidate);
        }
        let new = length(self);
        let gained = match (old, new) {
            (Some(old), Some(new)) => old - new,
            (None, Some(_)) => GAIN,
            _ => 0.0,
        };
        let credit = &mut self.credit[place];
        *credit = if gained >= GAIN { (*credit * 2.0).min(MOST_CREDIT) } else { (*credit / 2.0).max(1.0) };
        if let Some(best) = self.front.best().filter(|_| gained > 0.0) {
            let gain = Gain { work: self.work, loss: best.loss, r2: best.r2, size: best.size };
            self.gains.push(gain);
        }
        if self.until.is_none() && self.complete() {
            let (least, most) = CHALLENGE;
            self.until = Some(self.work + self.work.max(ALIKE * expected.work).clamp(least, most));
        }
        None
    }

    /// Runs the next step of an engine and refines what is new in it; `None` where it was cut short.
    fn run(&mut self, place: usize, search: &Search<'_>) -> Option<(Batch, Vec<Option<Candidate>>)> {
        let (engine, tried) = (&mut self.engines[place], &self.tried);
        let (front, problem) = (&self.front, self.problem);
        let step = || {
            let mut batch = engine.run(search);
            let mut own = HashSet::new();
            batch.models.retain(|m| !tried.contains(&key(m)) && own.insert(key(m)));
            let refined: Vec<Option<Candidate>> = batch
                .models
                .par_iter()
                .map(|m| refine::candidate(problem, search.plan, m, front, search.cancel))
                .collect();
            (batch, refined)
        };
        let done = self.threads.run(step);
        search.cancel.stop().is_none().then_some(done)
    }

    /// The engine whose next step has the highest chance for its work, and the step; the first of equals. With `room`, only
    /// steps of no more work.
    fn most_worth(&mut self, search: &Search<'_>, room: Option<u64>) -> Option<(usize, Step)> {
        let mut best: Option<(usize, Step, f64)> = None;
        for (place, engine) in self.engines.iter_mut().enumerate() {
            let Some(step) = engine.next(search) else { continue };
            if room.is_some_and(|room| step.work > room) {
                continue;
            }
            let worth = self.credit[place] * step.chance / step.work.max(1) as f64;
            if best.is_none_or(|(.., b)| worth > b) {
                best = Some((place, step, worth));
            }
        }
        best.map(|(place, step, _)| (place, step))
    }

    /// Whether a law is as good as was asked for.
    fn good_enough(&self) -> bool {
        let met =
            |c: &Candidate| self.plan.criteria.until.as_ref().is_some_and(|u| u.met(c.loss, c.r2, c.size));
        self.front.candidates().iter().any(met)
    }

    /// Whether the best law leaves nothing but the rounding of the data.
    fn complete(&self) -> bool {
        let Some(best) = self.front.best().filter(|_| self.problem.sigma.is_none()) else { return false };
        // Constants enough bend any smooth curve through a few rows.
        let fitted = best.constants.iter().filter(|c| c.exact.is_none()).count();
        if fitted > CONSTANTS && fitted * ROWS_EACH > self.problem.rows() {
            return false;
        }
        let floor = self.front.floor();
        if best.loss <= 16.0 * floor {
            return true;
        }
        if self.plan.criteria.loss.is_some() {
            return false;
        }
        // Constants bend a wrong law to what rounded columns leave open; few of them do not.
        best.constants.len() <= CONSTANTS
            && best.loss <= 4.0 * (floor + rounding(self.problem, &self.grains, &best.expr))
    }

    /// On what evidence a law stands.
    fn told(&self, c: &Candidate, batch: &Batch, engine: Option<&str>) -> std::sync::Arc<str> {
        let rows = self.problem.rows();
        let n = batch.models.len();
        let mut words = engine.map_or_else(String::new, |e| format!("{e}; "));
        words += &match n {
            1 => "the only law of its step".to_string(),
            _ => format!("one of {n} laws of its step"),
        };
        if self.plan.criteria.loss.is_some() {
            words += &format!("; mean loss {:.3e} on {rows} rows", c.loss);
        } else if self.problem.sigma.is_some() {
            words += &format!("; chi2 per row {:.3} on {rows} rows", c.loss);
        } else {
            let rms = crate::numeric::statistics::rms(&self.problem.target);
            let share = if rms > 0.0 { c.loss.sqrt() / rms } else { 0.0 };
            words += &format!("; agrees on all {rows} rows to {share:.1e} of the target's RMS");
        }
        words.into()
    }

    /// Keeps a law among the best by description length.
    fn list(&mut self, c: &Candidate) {
        if !c.loss.is_finite() || !c.description_length.is_finite() {
            return;
        }
        if self.shortlist.iter().any(|o| o.expr == c.expr && o.description_length <= c.description_length) {
            return;
        }
        self.shortlist.retain(|o| o.expr != c.expr);
        self.shortlist.push(c.clone());
        self.shortlist.sort_by(|a, b| {
            (a.description_length.total_cmp(&b.description_length))
                .then(a.size.cmp(&b.size))
                .then(a.expr.stable_hash().cmp(&b.expr.stable_hash()))
        });
        self.shortlist.truncate(SHORTLIST);
    }

    /// The shortest law that says something else than the best.
    fn runner_up(&self) -> Option<Candidate> {
        let best = self.front.best()?;
        let floor = 16.0 * self.front.floor();
        let other = |c: &&Candidate| {
            let same = (c.loss - best.loss).abs() <= SAME * best.loss.max(c.loss)
                || c.loss <= floor && best.loss <= floor;
            c.expr != best.expr && !same
        };
        let all = self.shortlist.iter().chain(self.front.candidates());
        all.filter(other).min_by(|a, b| a.description_length.total_cmp(&b.description_length)).cloned()
    }

    /// The answer.
    pub fn finish(mut self, stopped: StopReason) -> Found {
        let runner_up = self.runner_up();
        self.front.settle();
        self.notes.extend(self.engines.iter().flat_map(|e| e.notes()));
        Found {
            front: self.front,
            stopped,
            work: self.work,
            notes: self.notes,
            steps: self.steps,
            refined: self.refined,
            runner_up,
            noise: None,
        }
    }
}

/// The standard deviation of a number's rounding, from the relative resolution of its column: that stands for digits, of
/// which a number with the mantissa 1 has coarser ones than one with 9.
fn step(x: f64, grain: f64) -> f64 {
    if x == 0.0 { 0.0 } else { grain * 10f64.powf(x.abs().log10().floor()) * FLAT }
}

/// Mean square of what the rounding of the features (`grains`, relative) makes of a law's values; 0 where they stand in full.
fn rounding(problem: &Problem, grains: &[f64], law: &Expr) -> f64 {
    let rounded: Vec<usize> = (0..grains.len()).filter(|&k| grains[k] > IN_FULL).collect();
    if rounded.is_empty() {
        return 0.0;
    }
    let rows = (0..problem.rows()).step_by(problem.rows().div_ceil(ROUNDED_ROWS).max(1));
    let (mut sum, mut count) = (0.0, 0);
    for row in rows {
        // The law where one feature is off by its rounding.
        let value = |off: Option<usize>| {
            law.evaluate(&|s| {
                let k = problem.names.iter().position(|n| n == s)?;
                let x = problem.columns[k][row];
                Some(if off == Some(k) { x + step(x, grains[k]) } else { x })
            })
        };
        let Some(middle) = value(None) else { return 0.0 };
        for &k in &rounded {
            sum += value(Some(k)).map_or(0.0, |v| (v - middle).powi(2));
        }
        count += 1;
    }
    let mean = sum / f64::from(count);
    if mean.is_finite() { mean } else { 0.0 }
}

/// Equal for models that are refined to the same law: equal templates with starts that hardly differ.
fn key(model: &Model) -> u64 {
    model.parameters.iter().fold(model.template.stable_hash(), |h, p| {
        let (mantissa, exponent) = if p.start == 0.0 {
            (0, 0)
        } else {
            let e = p.start.abs().log2().floor();
            ((p.start / e.exp2() * DIGITS).round() as i64, e as i64)
        };
        hash::combine(hash::combine(h, mantissa as u64), exponent as u64)
    })
}
