//! The archive: for each size the most accurate law, no law that another beats in both. What is kept does not depend on
//! the order of insertion.

use super::candidate::Candidate;
use crate::base::StopReason;

/// The Pareto front of size against loss, smallest first.
#[derive(Clone, Debug, Default)]
pub struct Front {
    candidates: Vec<Candidate>,
}

impl Front {
    /// Adds a candidate; what it beats in size and loss goes, except the law with the shortest description.
    pub fn insert(&mut self, new: Candidate) {
        if !new.loss.is_finite() || !new.description_length.is_finite() {
            return;
        }
        if self
            .candidates
            .iter()
            .any(|c| c.expr == new.expr && c.description_length <= new.description_length)
        {
            return;
        }
        self.candidates.retain(|c| c.expr != new.expr);
        self.candidates.push(new);
        self.candidates.sort_by(|a, b| {
            (a.size.cmp(&b.size))
                .then(a.loss.total_cmp(&b.loss))
                .then(a.expr.stable_hash().cmp(&b.expr.stable_hash()))
        });
        let best = self.best_index();
        let mut least = f64::INFINITY;
        let mut place = 0;
        self.candidates.retain(|c| {
            // What is better by rounding only is no better.
            let keep = c.loss < least * (1.0 - 1e-6) || Some(place) == best;
            least = least.min(c.loss);
            place += 1;
            keep
        });
    }

    /// The candidates, smallest first.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The place of the law with the shortest description.
    pub fn best_index(&self) -> Option<usize> {
        (0..self.candidates.len()).min_by(|&a, &b| {
            let (x, y) = (&self.candidates[a], &self.candidates[b]);
            x.description_length.total_cmp(&y.description_length).then(x.size.cmp(&y.size))
        })
    }

    /// The law with the shortest description.
    pub fn best(&self) -> Option<&Candidate> {
        self.best_index().map(|k| &self.candidates[k])
    }
}

/// What a search returns.
#[derive(Clone, Debug)]
pub struct Found {
    /// The laws.
    pub front: Front,
    /// Why it stopped.
    pub stopped: StopReason,
    /// The work done, in row evaluations of one term.
    pub work: u64,
    /// What is worth knowing about the data.
    pub notes: Vec<String>,
}
