//! The rounds of a search with a form: curves, laws for each hole, laws together; then each hole beside laws of the others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::fit::{Fit, Fitting};
use super::joint::{Joining, Joint, Proposal, opened};
use super::shape::{Part, Shape, State};
use super::{Filled, Form, FoundForm, Units};
use crate::base::{CancelToken, StopReason, Threads, hash};
use crate::expression::{Expr, Symbol};
use crate::numeric::{Tape, statistics};
use crate::regression::engine::Report;
use crate::regression::front::{Found, Front};
use crate::regression::journal::Journal;
use crate::regression::options::{Criteria, Method, Plan};
use crate::regression::problem::Problem;
use crate::regression::scheduler::Gain;
use crate::regression::{Candidate, RegressError, describe};

/// Rows that curves are fitted to, and laws of holes.
const ROWS: usize = 600;
/// Laws of each search for a hole that go on.
const KEPT: usize = 6;
/// Combinations of laws that are all tried; of more, those that differ from the best in one hole.
const ALL: usize = 40;
/// Part of a search's work that closed forms may take where all engines run.
const CLOSED: u64 = 3;
/// Work of the first search for a hole; twice as much in each later round.
const SHARE: u64 = 8_000_000;
/// Part of the remaining work that the holes get in a round.
const PART: u64 = 2;
/// Rounds without gain after which a search without bound ends.
const PATIENCE: usize = 2;
/// Laws of another hole that a hole is searched beside.
const BESIDE: usize = 3;
/// Nats that count as a gain.
const GAIN: f64 = 0.1;

/// A search on its way.
struct Search<'a> {
    form: &'a Form,
    problem: &'a Problem,
    plan: &'a Plan,
    cancel: &'a CancelToken,
    progress: &'a dyn Fn(&Report<'_>),
    journal: &'a Journal<'a>,
    shape: &'a Shape,
    units: Option<Units>,
    fitting: Fitting<'a>,
    joining: Joining<'a>,
    threads: Threads,
    front: Front,
    /// The laws of the front by their hash.
    members: HashMap<u64, Joint>,
    /// The best laws by description length.
    shortlist: Vec<Joint>,
    tried: HashSet<u64>,
    proposals: Vec<Vec<Proposal>>,
    work: u64,
    steps: u64,
    refined: u64,
    gains: Vec<Gain>,
}

/// The search; see [`super::regress_form`].
pub fn search(
    problem: &Problem,
    form: &Form,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<FoundForm, RegressError> {
    let notes = problem.validate()?;
    plan.validate()?;
    form.validate(&problem.names)?;
    let units = form.units(problem)?;
    let shape = Shape::new(form, &problem.names)?;
    let least = 2 + form.constants.len() + form.holes.iter().map(|h| 1 + h.arguments.len()).sum::<usize>();
    if problem.rows() < least {
        return Err(RegressError::FewRows { needed: least, found: problem.rows() });
    }
    let n = problem.rows();
    let rows: Vec<usize> = (0..n.min(ROWS)).map(|k| k * n / n.min(ROWS)).collect();
    let few = problem.pick(&rows);
    let floor = describe::noise_floor(problem);
    let mut search = Search {
        form,
        problem,
        plan,
        cancel,
        progress,
        journal,
        shape: &shape,
        units,
        fitting: Fitting::new(form, &shape, &few, cancel),
        joining: Joining::new(form, problem, plan, cancel),
        threads: Threads::new(plan.threads),
        front: Front::new(if problem.sigma.is_some() { 0.0 } else { floor * floor }),
        members: HashMap::new(),
        shortlist: Vec::new(),
        tried: HashSet::new(),
        proposals: vec![Vec::new(); form.holes.len()],
        work: 0,
        steps: 0,
        refined: 0,
        gains: Vec::new(),
    };
    let stopped = search.rounds()?;
    Ok(search.finish(stopped, notes))
}

impl Search<'_> {
    /// Why the search should end.
    fn over(&self) -> Option<StopReason> {
        if self.complete() {
            return Some(StopReason::Found);
        }
        let bound = self.plan.work.is_some_and(|w| self.work >= w);
        self.cancel.stop().or(bound.then_some(StopReason::Work))
    }

    /// Whether the best law leaves nothing but the rounding of the data.
    fn complete(&self) -> bool {
        let floor = describe::noise_floor(self.problem).powi(2);
        self.problem.sigma.is_none() && self.front.best().is_some_and(|b| b.loss <= 16.0 * floor)
    }

    /// The work of one search for a hole in a round.
    fn share(&self, round: usize) -> u64 {
        let own = SHARE << round.min(16);
        let holes = self.form.holes.len() as u64;
        let left = |w: u64| (w.saturating_sub(self.work) / (PART * holes)).max(1);
        self.plan.work.map_or(own, |w| own.min(left(w)))
    }

    fn tell(&self, work: u64) {
        let share = match self.plan.work {
            Some(bound) => (self.work + work) as f64 / bound.max(1) as f64,
            None => 1.0 - 0.7f64.powf((self.work + work) as f64 / SHARE as f64),
        };
        let (front, gains) = (&self.front, self.gains.as_slice());
        (self.progress)(&Report { share: share.min(1.0), work: self.work + work, front, gains });
    }

    /// Takes over the work of fits.
    fn fitted(&mut self) {
        self.work += self.fitting.work.swap(0, Ordering::Relaxed);
    }

    fn rounds(&mut self) -> Result<StopReason, RegressError> {
        self.tell(0);
        let holes = self.form.holes.len();
        let open: Vec<Option<Part>> = vec![None; holes];
        let (few, seed) = (self.fitting.problem, self.plan.seed);
        let plain = self.fitting.default_state();
        self.form.arguments(self.shape, few, &plain)?;
        let fits = self.fitting.curves(seed, &open, None, 2, &self.threads);
        self.fitted();
        let Some(first) = fits.first() else {
            if let Some(reason) = self.cancel.stop() {
                return Ok(reason);
            }
            let value = self.shape.evaluate(&few.columns, &plain, None).value;
            let row = value.iter().position(|v| !v.is_finite()).unwrap_or(0);
            let row = row * self.problem.rows() / few.rows() + 1;
            return Err(RegressError::FormNotFinite { row });
        };
        let mut bounded = false;
        for hole in 0..holes {
            bounded |= self.propose(first, hole, self.share(0));
        }
        self.combine();
        let (mut idle, mut round) = (0, 0);
        loop {
            if let Some(reason) = self.over() {
                return Ok(reason);
            }
            if idle >= PATIENCE && (self.plan.work.is_none() || !bounded) {
                return Ok(StopReason::Saturated);
            }
            round += 1;
            bounded = false;
            let before = self.length();
            for hole in 0..holes {
                if self.over().is_some() {
                    break;
                }
                let fit = match round % 2 {
                    1 => self.beside_curves(hole),
                    _ => self.beside_laws(),
                };
                let fit = fit.or_else(|| fits.get(1).cloned());
                self.fitted();
                let Some(fit) = fit else { continue };
                let known = self.proposals[hole].len();
                bounded |= self.propose(&fit, hole, self.share(round));
                let new = self.proposals[hole].split_off(known);
                self.exchange(hole, &new);
                self.proposals[hole].extend(new);
            }
            idle = if self.length() < before - GAIN { 0 } else { idle + 1 };
        }
    }

    /// The least description length so far.
    fn length(&self) -> f64 {
        self.front.best().map_or(f64::INFINITY, |b| b.description_length)
    }

    /// Searches for laws of a hole beside what stands in the others; whether the work ended the search.
    fn propose(&mut self, fit: &Fit, hole: usize, share: u64) -> bool {
        let Some(mut data) = self.fitting.wanted(fit, hole, self.units.as_ref()) else {
            // Values that do not vary are a law too.
            if self.proposals[hole].is_empty() {
                let trace = self.shape.evaluate(&self.fitting.problem.columns, &fit.state, None);
                let values =
                    self.shape.calls_of(hole).into_iter().flat_map(|c| trace.calls[c].iter().copied());
                let mean = statistics::mean(&values.collect::<Vec<f64>>());
                self.proposals[hole].push(opened(&Expr::float(mean), hole, &fit.state.constants));
            }
            return false;
        };
        let shifts = self.fitting.shifts(fit, hole);
        let (mut bounded, mut laws) = (false, Vec::new());
        let (all, own) = (data.target.clone(), share / shifts.len() as u64);
        for shift in shifts {
            data.target = all.iter().map(|v| v + shift).collect();
            // Closed forms first: they are fast, and see noise best.
            let mut left = own;
            if self.plan.method == Method::Auto {
                let (work, _) = self.regress(&mut data, Method::Closed, own / CLOSED, &mut laws);
                left = left.saturating_sub(work);
            }
            bounded |= self.regress(&mut data, self.plan.method, left.max(1), &mut laws).1;
        }
        if laws.is_empty() && self.cancel.stop().is_none() {
            laws.push(Expr::float(statistics::mean(&all)));
        }
        let mut known: HashSet<u64> = HashSet::new();
        for law in laws {
            let p = opened(&law, hole, &fit.state.constants);
            if known.insert(p.law.stable_hash()) {
                self.proposals[hole].push(p);
            }
        }
        bounded
    }

    /// One search for a hole: its work, and whether that ended it. The laws of shortest description are added.
    fn regress(
        &mut self,
        data: &mut Problem,
        method: Method,
        work: u64,
        laws: &mut Vec<Expr>,
    ) -> (u64, bool) {
        // What is asked of whole laws is asked of them when they are put together.
        let complexity = self.plan.criteria.complexity.clone();
        let criteria = Criteria { complexity, ..Criteria::default() };
        let guesses = Vec::new();
        let plan = Plan { method, work: Some(work), criteria, guesses, denoise: false, ..self.plan.clone() };
        let own = |r: &Report<'_>| self.tell(r.work);
        let mut found = self.journal.regress(data, &plan, self.cancel, &own);
        if let Err(RegressError::NoUnit { .. }) = found {
            // Its unit may come from a constant of the form.
            data.dimensions = None;
            found = self.journal.regress(data, &plan, self.cancel, &own);
        }
        let Ok(found) = found else { return (0, false) };
        self.work += found.work;
        self.steps += found.steps;
        self.refined += found.refined;
        let mut all = found.front.candidates().to_vec();
        all.extend(found.runner_up);
        all.sort_by(|a, b| a.description_length.total_cmp(&b.description_length));
        laws.extend(all.into_iter().take(KEPT).map(|c| c.expr));
        (found.work, found.stopped == StopReason::Work)
    }

    /// Refines laws together where that was not done; the joint laws enter the front.
    fn join(&mut self, choices: Vec<Vec<&Proposal>>) {
        let mut new: Vec<Vec<&Proposal>> = Vec::new();
        for choice in choices {
            if self.tried.insert(key(&choice)) {
                new.push(choice);
            }
        }
        let (joining, front) = (&self.joining, &self.front);
        // The constants of the form are those that most of the laws were found beside.
        let one = |choice: &Vec<&Proposal>| joining.refine(choice, &choice[0].constants, front);
        let joined = self.journal.step(
            "joint",
            self.cancel,
            || -> Vec<(Option<Joint>, u64)> { self.threads.run(|| new.par_iter().map(one).collect()) },
            |all, w| all.iter().map(|(j, work)| json!([work, j.as_ref().map(|j| j.write(w))])).collect(),
            |all, r| {
                let one = |j: &Json| match &j[1] {
                    Json::Null => Some((None, j[0].as_u64()?)),
                    joint => Some((Some(Joint::read(joint, r)?), j[0].as_u64()?)),
                };
                all.as_array()?.iter().map(one).collect()
            },
        );
        let count = joined.len();
        for (joint, work) in joined {
            self.work += work;
            self.refined += 1;
            let Some(mut joint) = joint else { continue };
            let before = self.length();
            joint.candidate.evidence = self.told(&joint.candidate, count);
            self.front.insert(joint.candidate.clone());
            self.members.insert(joint.candidate.expr.stable_hash(), joint.clone());
            if joint.candidate.description_length < before {
                let c = &joint.candidate;
                self.gains.push(Gain { work: self.work, loss: c.loss, r2: c.r2, size: c.size });
            }
            self.shortlist.push(joint);
        }
        self.shortlist.sort_by(|a, b| {
            (a.candidate.description_length.total_cmp(&b.candidate.description_length))
                .then(a.candidate.size.cmp(&b.candidate.size))
                .then(a.candidate.expr.stable_hash().cmp(&b.candidate.expr.stable_hash()))
        });
        self.shortlist.dedup_by(|a, b| a.candidate.expr == b.candidate.expr);
        self.shortlist.truncate(BESIDE);
        self.tell(0);
    }

    /// On what evidence a law stands.
    fn told(&self, c: &Candidate, count: usize) -> Arc<str> {
        let rows = self.problem.rows();
        let begin = match count {
            1 => "laws put together in the form".to_string(),
            _ => format!("one of {count} ways to put laws together in the form"),
        };
        let end = if self.problem.sigma.is_some() {
            format!("chi2 per row {:.3} on {rows} rows", c.loss)
        } else {
            let rms = statistics::rms(&self.problem.target);
            let share = if rms > 0.0 { c.loss.sqrt() / rms } else { 0.0 };
            format!("agrees on all {rows} rows to {share:.1e} of the target's RMS")
        };
        format!("{begin}; {end}").into()
    }

    /// The proposals of all holes together.
    fn combine(&mut self) {
        let proposals = self.proposals.clone();
        if proposals.iter().any(Vec::is_empty) {
            return;
        }
        let pick = |choice: &[usize]| -> Vec<&Proposal> {
            proposals.iter().zip(choice).map(|(all, k)| &all[*k]).collect()
        };
        if proposals.iter().map(Vec::len).product::<usize>() <= ALL {
            let mut choices = vec![Vec::new()];
            for all in &proposals {
                let with = |c: &Vec<usize>| (0..all.len()).map(|k| [c.as_slice(), &[k]].concat()).collect();
                choices = choices.iter().flat_map(|c| -> Vec<Vec<usize>> { with(c) }).collect();
            }
            self.join(choices.iter().map(|c| pick(c)).collect());
            return;
        }
        let mut best = vec![0; proposals.len()];
        loop {
            let mut choices = vec![best.clone()];
            for (hole, all) in proposals.iter().enumerate() {
                choices.extend((0..all.len()).map(|k| {
                    let mut other = best.clone();
                    other[hole] = k;
                    other
                }));
            }
            let before = self.length();
            // What stands in the best joint law is where to go on from.
            let mut least = (before, None);
            for choice in choices {
                self.join(vec![pick(&choice)]);
                if self.length() < least.0 {
                    least = (self.length(), Some(choice));
                }
            }
            match least.1 {
                Some(choice) if least.0 < before - GAIN && self.over().is_none() => best = choice,
                _ => break,
            }
        }
    }

    /// New laws of a hole beside those that the others have in the best joint laws, and beside the first of the others.
    fn exchange(&mut self, hole: usize, new: &[Proposal]) {
        let value = |e: &Expr| e.evaluate(&|_| None).unwrap_or(1.0);
        let mut beside: Vec<Vec<Proposal>> = Vec::new();
        for joint in &self.shortlist {
            let constants: Vec<f64> = joint.constants.iter().map(value).collect();
            let laws = joint.laws.iter().enumerate();
            beside.push(laws.map(|(k, law)| opened(law, k, &constants)).collect());
        }
        let others: Vec<Vec<Proposal>> = self.proposals.clone();
        if (0..others.len()).all(|k| k == hole || !others[k].is_empty()) {
            for place in 0..BESIDE {
                let of = |k: usize| others[k].get(place).or(others[k].first());
                let each = (0..others.len()).map(|k| if k == hole { new.first() } else { of(k) });
                if let Some(all) = each.collect::<Option<Vec<&Proposal>>>() {
                    beside.push(all.into_iter().cloned().collect());
                }
            }
        }
        let mut choices = Vec::new();
        for own in &beside {
            for p in new {
                let mut choice: Vec<&Proposal> = own.iter().collect();
                choice[hole] = p;
                // The constants are those of the first.
                choices.push(choice);
            }
        }
        self.join(choices);
    }

    /// The best joint law as what stands in the holes.
    fn beside_laws(&self) -> Option<Fit> {
        let joint = self.shortlist.first()?;
        let constants: Option<Vec<f64>> = joint.constants.iter().map(|c| c.evaluate(&|_| None)).collect();
        let parts: Option<Vec<Part>> = (joint.laws.iter().zip(&self.form.holes))
            .map(|(law, hole)| {
                let tape = Tape::compile(std::slice::from_ref(law), &hole.arguments).ok()?;
                Some(Part::Law { tape: Arc::new(tape), values: Vec::new() })
            })
            .collect();
        let state = State { constants: constants?, parts: parts? };
        let scatter = joint.candidate.loss.sqrt();
        Some(Fit { state, scatter, score: scatter })
    }

    /// Curves in a hole and in the others but one, which has the law that makes them fit best.
    fn beside_curves(&self, hole: usize) -> Option<Fit> {
        let holes = self.form.holes.len();
        let mut tries = Vec::new();
        for other in (0..holes).filter(|k| *k != hole) {
            for p in self.proposals[other].iter().rev().take(BESIDE).chain(self.proposals[other].first()) {
                let mut inputs = self.form.holes[other].arguments.clone();
                inputs.extend(p.parameters.iter().map(|p| p.0.clone()));
                let Ok(tape) = Tape::compile(std::slice::from_ref(&p.law), &inputs) else { continue };
                let values = p.parameters.iter().map(|p| p.1).collect();
                let mut held: Vec<Option<Part>> = vec![None; holes];
                held[other] = Some(Part::Law { tape: Arc::new(tape), values });
                tries.push((held, p.constants.clone()));
            }
        }
        if tries.is_empty() {
            return None;
        }
        let fits = tries.iter().flat_map(|(held, constants)| {
            self.fitting.curves(self.plan.seed, held, Some(constants), 1, &self.threads)
        });
        fits.min_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// The answer.
    fn finish(mut self, stopped: StopReason, notes: Vec<String>) -> FoundForm {
        let best = self.front.best().map(|b| (b.expr.clone(), b.loss));
        let floor = 16.0 * self.front.floor();
        let runner_up = best.and_then(|(expr, loss)| {
            let all = self.shortlist.iter().map(|j| &j.candidate).chain(self.front.candidates());
            let other = |c: &&Candidate| {
                let same =
                    (c.loss - loss).abs() <= 1e-9 * loss.max(c.loss) || c.loss <= floor && loss <= floor;
                c.expr != expr && !same
            };
            all.filter(other).min_by(|a, b| a.description_length.total_cmp(&b.description_length)).cloned()
        });
        self.front.settle();
        let filled = |c: &Candidate| {
            let joint = self.members.get(&c.expr.stable_hash());
            joint.map(|j| Filled { laws: j.laws.clone(), constants: j.constants.clone() })
        };
        let filled: Vec<Filled> = self.front.candidates().iter().filter_map(filled).collect();
        let found = Found {
            noise: None,
            front: self.front,
            stopped,
            work: self.work,
            notes,
            steps: self.steps,
            refined: self.refined,
            runner_up,
        };
        (self.progress)(&Report { share: 1.0, work: found.work, front: &found.front, gains: &[] });
        FoundForm { found, filled }
    }
}

/// Equal for laws that are refined to the same: equal templates with starts that hardly differ.
fn key(choice: &[&Proposal]) -> u64 {
    let digits = |x: f64| format!("{x:.2e}");
    let first = choice.first().map_or(&[][..], |p| &p.constants);
    let begin = first.iter().fold(0, |h, x| hash::combine(h, hash::of_str(&digits(*x))));
    choice.iter().fold(begin, |h, p| {
        let h = hash::combine(h, p.law.stable_hash());
        let own = |h: u64, (s, x): &(Symbol, f64)| {
            hash::combine(hash::combine(h, s.stable_hash()), hash::of_str(&digits(*x)))
        };
        p.parameters.iter().fold(h, own)
    })
}
