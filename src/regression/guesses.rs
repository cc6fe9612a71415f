//! Laws that the user begins with: proposed in the first step, whatever the method; the genetic search takes them into its
//! populations as well.

use serde_json::Value as Json;

use super::engine::{Batch, Engine, Search, Step};

/// The engine.
#[derive(Debug, Default)]
pub struct Guesses {
    done: bool,
}

impl Engine for Guesses {
    fn name(&self) -> &'static str {
        "guess"
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        let work = (search.problem.rows() * search.plan.guesses.len()) as u64;
        // It comes before all others.
        (!self.done).then_some(Step { work: work.max(1), chance: 0.5 })
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        self.done = true;
        let work = (search.problem.rows() * search.plan.guesses.len()) as u64;
        Batch { models: search.plan.guesses.clone(), work }
    }

    fn save(&self) -> Json {
        self.done.into()
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.done = state.as_bool()?;
        Some(())
    }

    fn evidence(&self) -> Option<String> {
        Some("a law to begin with".into())
    }
}
