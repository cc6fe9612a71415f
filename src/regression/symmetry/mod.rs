//! Search with dimensions read from the data. A law of physics keeps its form when units change, and without given units
//! the data still say so: the scalings that they obey (`scalings.rs`) are dimensions, of which there may be more than
//! units tell. The engines that live on dimensions run on the data with these, and what they find is refined and judged as
//! every other law is.

mod scalings;
mod surface;
#[cfg(test)]
mod tests;

use serde_json::{Value as Json, json};

use self::scalings::Scalings;
use super::dimension_algebra;
use super::engine::{Batch, Engine, Search, Step};
use super::options::{Constants, Plan};
use super::problem::Problem;
use super::{algebraic, closed, projective};
use crate::units::Dimension;

/// Its name in answers.
const NAME: &str = "symmetry";
/// The reading of the scalings: its expected work, and the chance of what it opens.
const READ: Step = Step { work: 3_000_000, chance: 0.1 };
/// Factor of the chances of steps in the space that the scalings leave: it is the smaller one.
const CREDIT: f64 = 3.0;

/// The engines.
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Symmetry::default())]
}

/// The data with dimensions of their own, and what runs on them.
struct Inner {
    problem: Problem,
    plan: Plan,
    rank: usize,
    engines: Vec<Box<dyn Engine>>,
}

/// The engine.
#[derive(Default)]
pub struct Symmetry {
    /// Whether the work of the reading is counted.
    counted: bool,
    read: bool,
    inner: Option<Box<Inner>>,
    last: Option<usize>,
    /// States of the inner engines, until there are some.
    waiting: Vec<Json>,
}

/// Number of independent dimensions.
fn rank(of: &[Dimension]) -> usize {
    let groups = dimension_algebra::powers(of, Dimension::NONE).map_or(0, |p| p.dimensionless.len());
    of.len() - groups
}

impl Inner {
    fn new(search: &Search<'_>, work: &mut u64) -> Option<Inner> {
        let Search { problem, plan, .. } = *search;
        let Scalings { features, target, rank: found } = scalings::scalings(problem, plan.seed, work)?;
        // Given units are scalings, too.
        if problem.dimensions.as_ref().is_some_and(|d| rank(d) >= found) {
            return None;
        }
        let mut own = problem.clone();
        own.dimensions = Some(features);
        own.target_dimension = target;
        let own_plan = Plan { constants: Constants::Dimensionless, ..plan.clone() };
        let mut engines = projective::engines();
        engines.extend(algebraic::engines());
        engines.extend(closed::engines());
        engines.retain(|e| !plan.without.iter().any(|w| w == e.name()));
        Some(Inner { problem: own, plan: own_plan, rank: found, engines })
    }

    /// The engine whose step has the highest chance for its work.
    fn most_worth(&mut self, outer: &Search<'_>) -> Option<(usize, Step)> {
        let search = Search { problem: &self.problem, plan: &self.plan, cancel: outer.cancel };
        let mut best: Option<(usize, Step)> = None;
        let worth = |s: &Step| s.chance / s.work.max(1) as f64;
        for (place, engine) in self.engines.iter_mut().enumerate() {
            if let Some(step) = engine.next(&search)
                && best.is_none_or(|(_, b)| worth(&step) > worth(&b))
            {
                best = Some((place, step));
            }
        }
        best
    }
}

impl Symmetry {
    /// Reads the scalings where that is still to do.
    fn prepare(&mut self, search: &Search<'_>) -> u64 {
        if std::mem::replace(&mut self.read, true) {
            return 0;
        }
        let mut work = 0;
        self.inner = Inner::new(search, &mut work).map(Box::new);
        if let Some(inner) = &mut self.inner {
            for (engine, state) in inner.engines.iter_mut().zip(self.waiting.drain(..)) {
                if engine.restore(&state).is_none() {
                    // A state of other engines: the search that kept it is not this one.
                    self.inner = None;
                    break;
                }
            }
        }
        work
    }
}

impl Engine for Symmetry {
    fn name(&self) -> &'static str {
        NAME
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        if !self.counted {
            return Some(READ);
        }
        self.prepare(search);
        let (_, step) = self.inner.as_mut()?.most_worth(search)?;
        Some(Step { chance: (CREDIT * step.chance).min(0.5), ..step })
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        if !std::mem::replace(&mut self.counted, true) {
            let work = self.prepare(search);
            return Batch { models: Vec::new(), work };
        }
        self.prepare(search);
        let Some(inner) = &mut self.inner else { return Batch::default() };
        let Some((place, _)) = inner.most_worth(search) else { return Batch::default() };
        self.last = Some(place);
        let Inner { problem, plan, engines, .. } = &mut **inner;
        engines[place].run(&Search { problem, plan, cancel: search.cancel })
    }

    fn evidence(&self) -> Option<String> {
        let inner = self.inner.as_ref()?;
        let engine = &inner.engines[self.last?];
        let scalings = if inner.rank == 1 { "one scaling" } else { &format!("{} scalings", inner.rank) };
        let words = engine.evidence().map_or_else(String::new, |e| format!(", {e}"));
        Some(format!("{scalings} read from the data, engine `{}`{words}", engine.name()))
    }

    fn save(&self) -> Json {
        let states: Vec<Json> = match &self.inner {
            Some(inner) => inner.engines.iter().map(|e| e.save()).collect(),
            None => self.waiting.clone(),
        };
        json!([self.counted, self.last, states])
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.counted = state[0].as_bool()?;
        self.last = match &state[1] {
            Json::Null => None,
            place => Some(usize::try_from(place.as_u64()?).ok()?),
        };
        let states = state[2].as_array()?;
        match &mut self.inner {
            Some(inner) => {
                for (engine, state) in inner.engines.iter_mut().zip(states) {
                    engine.restore(state)?;
                }
            }
            None => self.waiting = states.clone(),
        }
        Some(())
    }
}
