//! Exhaustive search: all functions of the columns and a few exact numbers, size after size, each once (`table.rs`,
//! `level.rs`), known by their values on a few rows (`key.rs`); each compared with the target up to a factor and an
//! offset, and the target undone by each and looked up among the others (`meet.rs`), which doubles the size that is
//! covered; the nearest get a constant inside (`near.rs`). Units are kept throughout: only functions that have a dimension are
//! built. The engine says up to which size no law agrees with the data.
//!
//! Bottom-up enumeration by observational equivalence: A. Albarghouthi, S. Gulwani, Z. Kincaid, "Recursive Program
//! Synthesis", CAV 2013; exhaustive laws: D. Bartlett, H. Desmond, P. Ferreira, IEEE Trans. Evol. Comput. 28, 950 (2024).

pub(super) mod grammar;
pub(super) mod key;
pub(super) mod level;
mod meet;
mod near;
pub(super) mod table;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use self::grammar::Grammar;
use self::key::{Projection, ROWS, Values};
use self::level::{Level, Outcome};
use self::meet::{Peel, Target};
use self::near::Near;
use self::table::Table;
use super::candidate::Model;
use super::describe;
use super::engine::{Batch, Engine, Search, Step};
use super::problem::Problem;
use crate::base::{CancelToken, hash};

/// The engine's name.
const NAME: &str = "exhaustive";
/// Functions that the table holds at most.
const CAPACITY: usize = 1 << 22;
/// Candidates of a level that are computed for each function that the table could still take.
const CANDIDATES: u64 = 40;
/// Different rows that a search needs.
pub(super) const LEAST_ROWS: usize = 6;
/// Functions by which the target is undone in one step.
const SLICE: u32 = 1 << 15;
/// Functions of a level that may get a constant.
const NEAREST: usize = 50;
/// Laws proposed by a step.
const PROPOSED: usize = 24;
/// Laws near the target, but not on it, that a level proposes.
const APPROXIMATE: usize = 2;
/// Work of one evaluation with a constant, in evaluations of one function; and evaluations of one function's places.
const TRIALS: u64 = 200;
/// A law with a constant inside must be closer by this than any before, if it does not agree.
const CLOSER: f64 = 0.5;
/// Deviation of a law that agrees, in units of the target's size, where the data are exact.
const EXACT: f64 = 1e-8;
/// The same in units of the rounding of the data.
const ROUNDINGS: f64 = 6.0;
/// The chance of a step of size 1, and its share for each size more.
const CHANCE: f64 = 0.02;
const FALLS: f64 = 0.8;

/// What is done for each size, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its functions are made.
    Enumerate,
    /// The target is undone by those from here on.
    Meet(u32),
    /// The nearest get a constant.
    Constants,
}

/// The engine.
pub struct Exhaustive {
    /// Bound on the engine's own work.
    bound: Option<u64>,
    /// Work done.
    work: u64,
    /// The size under way, from 1.
    size: usize,
    phase: Phase,
    /// The table is full, or the work is done.
    finished: bool,
    /// Laws that were proposed, by hash.
    proposed: HashSet<u64>,
    /// Size up to which no law agrees, with factor and offset free; the functions up to it.
    covered: usize,
    functions: usize,
    /// Size up to which no two functions joined agree.
    joined: usize,
    /// A law agreed.
    agreed: bool,
    /// The least distance proposed.
    least: f64,
    /// The numbers among the leaves, in words.
    numbers: String,
    state: Option<State>,
}

/// What follows from the data.
struct State {
    table: Table,
    target: Target,
    centred: Values,
    peels: Vec<Peel>,
    /// The number 1.
    one: u32,
    /// The nearest of the last size.
    near: Vec<Near>,
    /// Distance below which a function agrees; negative where none is sure to.
    close: f64,
    next: Option<Level>,
}

/// Work of the engine where others run beside it.
const BESIDE: u64 = 1 << 25;

/// The engine, with a bound on its own work where it runs beside others.
pub fn engines(alone: bool) -> Vec<Box<dyn Engine>> {
    vec![Box::new(Exhaustive::new((!alone).then_some(BESIDE)))]
}

/// Rows of the data by a hash of what is in them, so that their order does not matter: the first different ones, again from
/// the start where there are not enough; and how many are different.
pub(super) fn probe_rows(problem: &Problem) -> ([usize; ROWS], usize) {
    let mut hashed: Vec<(u64, usize)> = (0..problem.rows())
        .map(|r| {
            let cells = problem.columns.iter().chain([&problem.target]).map(|c| c[r].to_bits());
            (cells.fold(0, hash::combine), r)
        })
        .collect();
    hashed.sort_unstable();
    hashed.dedup_by_key(|h| h.0);
    let different = hashed.len().min(ROWS);
    (std::array::from_fn(|k| hashed[k % different].1), different)
}

impl State {
    /// `None` where the data have too few rows, or a target that does not vary on them.
    fn new(search: &Search<'_>) -> Option<State> {
        let Search { problem, plan, .. } = *search;
        let (rows, different) = probe_rows(problem);
        let values = rows.map(|r| problem.target[r]);
        let centred = near::centred(&values)?;
        if different < LEAST_ROWS {
            return None;
        }
        let mean = values.iter().sum::<f64>() / ROWS as f64;
        let spread = (values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / ROWS as f64).sqrt();
        let size = (values.iter().map(|y| y * y).sum::<f64>() / ROWS as f64).sqrt();
        let floor = match &problem.sigma {
            Some(sigma) => rows.iter().map(|r| sigma[*r]).sum::<f64>() / ROWS as f64,
            None => describe::noise_floor(problem),
        };
        let tolerance = (ROUNDINGS * floor).max(EXACT * size);
        let projection = Projection::new(floor / spread);
        // Where noise is large, no function agrees by more than chance.
        let close = if projection.resolves() { (tolerance / spread).powi(2) } else { -1.0 };
        let grammar = Grammar::new(problem, plan, &rows);
        let peels = Peel::allowed(&grammar);
        Some(State {
            table: Table::new(grammar, projection),
            target: Target { values, dimension: problem.goal(), tolerance },
            centred,
            peels,
            one: 0,
            near: Vec::new(),
            close,
            next: None,
        })
    }

    /// Makes the next size, and finds its nearest functions and those that agree.
    fn enumerate(&mut self, cancel: &CancelToken) -> Option<Vec<u32>> {
        let level = self.next.take().unwrap_or_else(|| Level::next(&mut self.table));
        match level.run(&mut self.table, CAPACITY, cancel) {
            Outcome::Complete => {}
            Outcome::Full | Outcome::Stopped => return None,
        }
        let size = self.table.level();
        let range = self.table.of_size(size);
        if size == 1 {
            self.one = range.clone().find(|id| self.table.expr(*id).is_one()).unwrap_or(0);
        }
        let (near, hits) = near::nearest(&self.table, &self.centred, range, NEAREST, self.close);
        self.near = near;
        Some(hits)
    }
}

impl Exhaustive {
    fn new(bound: Option<u64>) -> Exhaustive {
        Exhaustive {
            bound,
            work: 0,
            size: 1,
            phase: Phase::Enumerate,
            finished: false,
            proposed: HashSet::new(),
            covered: 0,
            functions: 0,
            joined: 0,
            agreed: false,
            least: 1.0,
            numbers: String::new(),
            state: None,
        }
    }

    /// The state where the engine is, made again where it is not there.
    fn ready(&mut self, search: &Search<'_>) -> Option<()> {
        if self.finished {
            return None;
        }
        if self.state.is_none() {
            self.state = State::new(search);
        }
        let complete = self.size - usize::from(self.phase == Phase::Enumerate);
        let Some(state) = &mut self.state else {
            self.finished = true;
            return None;
        };
        while state.table.level() < complete {
            state.enumerate(search.cancel)?;
        }
        Some(())
    }

    /// Nothing more is done; what the table holds is let go.
    fn finish(&mut self) {
        self.finished = true;
        self.state = None;
    }

    fn chance(&self) -> f64 {
        CHANCE * FALLS.powi(self.size as i32 - 1)
    }

    /// What the next step costs, without the bound.
    fn expected(&mut self, search: &Search<'_>) -> Option<Step> {
        self.ready(search)?;
        let chance = self.chance();
        let state = self.state.as_mut()?;
        let rows = ROWS as u64;
        Some(match self.phase {
            Phase::Enumerate => {
                let level = state.next.get_or_insert_with(|| Level::next(&mut state.table));
                let room = (CAPACITY - state.table.len()) as u64;
                if level.candidates > CANDIDATES * room {
                    self.finish();
                    return None;
                }
                Step { work: rows * level.candidates, chance }
            }
            Phase::Meet(from) => {
                let all = state.table.len() as u64;
                let slice = (all - u64::from(from)).min(SLICE.into());
                let work = rows * slice * 2 * state.peels.len() as u64;
                Step { work, chance: 2.0 * chance * slice as f64 / all as f64 }
            }
            Phase::Constants => {
                let work = rows * state.near.len() as u64 * TRIALS * self.size as u64;
                Step { work, chance: chance / 4.0 }
            }
        })
    }

    /// Keeps laws that were not proposed before, at most so many.
    fn propose(&mut self, models: impl IntoIterator<Item = Model>, most: usize) -> Vec<Model> {
        let mut new = Vec::new();
        for model in models {
            if new.len() >= most {
                break;
            }
            if self.proposed.insert(model.template.stable_hash()) {
                new.push(model);
            }
        }
        new
    }

    fn enumerate(&mut self, search: &Search<'_>) -> Vec<Model> {
        let Some(mut state) = self.state.take() else { return Vec::new() };
        let Some(hits) = state.enumerate(search.cancel) else {
            match search.cancel.stop() {
                Some(_) => self.state = Some(state),
                None => self.finish(),
            }
            return Vec::new();
        };
        if !self.agreed {
            self.agreed = !hits.is_empty();
            if !self.agreed && state.close > 0.0 {
                self.covered = self.size;
                self.functions = state.table.len();
                self.numbers = state.table.grammar.numbers_in_words();
            }
        }
        let mut models =
            self.propose(hits.iter().flat_map(|id| near::laws(&state.table, &state.target, *id)), PROPOSED);
        // Where others run beside, what only comes near is theirs.
        if hits.is_empty() && self.bound.is_none() {
            let closer: Vec<Near> =
                state.near.iter().take(APPROXIMATE).filter(|n| n.distance < self.least).copied().collect();
            self.least = closer.first().map_or(self.least, |n| n.distance);
            let laws = closer.iter().flat_map(|n| near::laws(&state.table, &state.target, n.id));
            models.extend(self.propose(laws, PROPOSED));
        }
        self.state = Some(state);
        self.phase = Phase::Meet(0);
        models
    }

    fn meet(&mut self, search: &Search<'_>, start: u32) -> Vec<Model> {
        let Some(state) = self.state.take() else { return Vec::new() };
        let all = state.table.len() as u32;
        let end = (start + SLICE).min(all);
        let from = state.table.of_size(self.size).start;
        let mut models = Vec::new();
        if state.table.projection.resolves() {
            let hits = meet::meet(&state.table, &state.target, &state.peels, start..end, from, search.cancel);
            let Some(hits) = hits else {
                self.state = Some(state);
                return models;
            };
            self.agreed |= !hits.is_empty();
            let laws = hits.iter().filter_map(|h| h.model(&state.table, &state.target, search.plan));
            models = self.propose(laws, PROPOSED);
            if end == all && !self.agreed {
                self.joined = 2 * self.size + 1;
            }
        }
        self.phase = if end == all { Phase::Constants } else { Phase::Meet(end) };
        self.state = Some(state);
        models
    }

    fn constants(&mut self, search: &Search<'_>) -> Vec<Model> {
        let Some(state) = self.state.take() else { return Vec::new() };
        let mut models = Vec::new();
        let found = near::inner(&state.table, &state.centred, &state.near, search.cancel);
        let stopped = found.is_none();
        let found = found.unwrap_or_default();
        let exact = found.iter().filter(|i| i.distance <= state.close);
        let laws = |i: &near::Inner| i.laws(&state.table, &state.target);
        models.extend(self.propose(exact.flat_map(laws), PROPOSED));
        if models.is_empty()
            && self.bound.is_none()
            && let Some(best) = found.first().filter(|i| i.distance < CLOSER * self.least)
        {
            self.least = best.distance;
            models.extend(self.propose(laws(best), PROPOSED));
        }
        self.state = Some(state);
        if !stopped {
            self.size += 1;
            self.phase = Phase::Enumerate;
        }
        models
    }
}

impl Engine for Exhaustive {
    fn name(&self) -> &'static str {
        NAME
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        let step = self.expected(search)?;
        if self.bound.is_some_and(|b| self.work + step.work > b) {
            self.finish();
            return None;
        }
        Some(step)
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Some(step) = self.expected(search) else { return Batch::default() };
        let models = match self.phase {
            Phase::Enumerate => self.enumerate(search),
            Phase::Meet(start) => self.meet(search, start),
            Phase::Constants => self.constants(search),
        };
        self.work += step.work;
        Batch { models, work: step.work }
    }

    fn save(&self) -> Json {
        let (phase, from) = match self.phase {
            Phase::Enumerate => ("enumerate", 0),
            Phase::Meet(from) => ("meet", from),
            Phase::Constants => ("constants", 0),
        };
        let mut proposed: Vec<u64> = self.proposed.iter().copied().collect();
        proposed.sort_unstable();
        json!({
            "size": self.size,
            "phase": phase,
            "from": from,
            "work": self.work,
            "finished": self.finished,
            "covered": self.covered,
            "functions": self.functions,
            "joined": self.joined,
            "agreed": self.agreed,
            "least": self.least.to_bits(),
            "numbers": self.numbers,
            "proposed": proposed,
        })
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        let whole = |key: &str| state[key].as_u64();
        let number = |key: &str| whole(key).and_then(|n| usize::try_from(n).ok());
        let from = u32::try_from(whole("from")?).ok()?;
        let phase = match state["phase"].as_str()? {
            "enumerate" => Phase::Enumerate,
            "meet" => Phase::Meet(from),
            "constants" => Phase::Constants,
            _ => return None,
        };
        let proposed =
            state["proposed"].as_array()?.iter().map(Json::as_u64).collect::<Option<HashSet<u64>>>()?;
        *self = Exhaustive {
            bound: self.bound,
            work: whole("work")?,
            size: number("size").filter(|s| *s >= 1)?,
            phase,
            finished: state["finished"].as_bool()?,
            proposed,
            covered: number("covered")?,
            functions: number("functions")?,
            joined: number("joined")?,
            agreed: state["agreed"].as_bool()?,
            least: f64::from_bits(whole("least")?),
            numbers: state["numbers"].as_str()?.into(),
            state: None,
        };
        Some(())
    }

    fn notes(&self) -> Vec<String> {
        // Beside others it tells what it covered to nobody who did not ask.
        if self.covered == 0 || self.bound.is_some() {
            return Vec::new();
        }
        let mut note = format!(
            "no law up to size {} agrees with the data: {} functions of the columns and {} were tried, each with a free factor and \
             offset",
            self.covered, self.functions, self.numbers,
        );
        if self.joined > self.covered {
            note += &format!("; nor does one up to size {} that joins two of them at the end", self.joined);
        }
        vec![note]
    }
}
