//! The archive: for each size the most accurate law, no law that another beats in both. What is kept does not depend on
//! the order of insertion.

use super::candidate::Candidate;
use crate::base::StopReason;

/// Nats by which a law longer than the chosen one may lose and still be shown.
const SHOWN: f64 = 10.0;
/// Relative gain in loss that is no gain.
const ROUNDING: f64 = 1e-6;
/// Steps in nats in which description lengths are compared: what is closer is decided by size.
const STEPS: f64 = 1e4;

/// The Pareto front of size against loss, smallest first.
#[derive(Clone, Debug, Default)]
pub struct Front {
    candidates: Vec<Candidate>,
    /// Losses below are rounding.
    floor: f64,
}

impl Front {
    /// An empty front; losses below `floor` count as equal to it.
    pub fn new(floor: f64) -> Front {
        Front { candidates: Vec::new(), floor }
    }

    /// A front as it was, from its candidates in their order.
    pub fn restore(candidates: Vec<Candidate>, floor: f64) -> Front {
        Front { candidates, floor }
    }

    /// The loss below which all is rounding.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Adds a candidate; what it beats in size and loss goes, except the law with the shortest description: until
    /// [`Front::settle`], others may beat that one.
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
        let floor = self.floor;
        let loss = |c: &Candidate| c.loss.max(floor);
        self.candidates.sort_by(|a, b| {
            (a.size.cmp(&b.size))
                .then(loss(a).total_cmp(&loss(b)))
                .then(a.description_length.total_cmp(&b.description_length))
                .then(a.expr.stable_hash().cmp(&b.expr.stable_hash()))
        });
        let best = self.best_index();
        let mut least = f64::INFINITY;
        let mut place = 0;
        self.candidates.retain(|c| {
            let keep = loss(c) < least * (1.0 - ROUNDING) || Some(place) == best;
            least = least.min(loss(c));
            place += 1;
            keep
        });
    }

    /// Makes the front strictly improving: laws that are no larger than the chosen one and fit as well go, since it was
    /// chosen before them; so do larger ones whose gain the data do not support. Called once, at the end.
    pub fn settle(&mut self) {
        let Some(best) = self.best_index() else { return };
        let floor = self.floor;
        let (size, length) = (self.candidates[best].size, self.candidates[best].description_length);
        let least = self.candidates[best].loss.max(floor);
        let mut place = 0;
        self.candidates.retain(|c| {
            let supported = if c.size <= size {
                c.loss.max(floor) > least
            } else {
                c.description_length <= length + SHOWN
            };
            place += 1;
            supported || place - 1 == best
        });
    }

    /// The candidates, smallest first.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The least loss of laws no larger than `size`; infinite where there is none.
    pub fn least_loss(&self, size: usize) -> f64 {
        let small = self.candidates.iter().filter(|c| c.size <= size);
        small.map(|c| c.loss.max(self.floor)).fold(f64::INFINITY, f64::min)
    }

    /// The place of the law with the shortest description; the smaller of equals.
    pub fn best_index(&self) -> Option<usize> {
        let length = |c: &Candidate| (c.description_length * STEPS).round();
        (0..self.candidates.len()).min_by(|&a, &b| {
            let (x, y) = (&self.candidates[a], &self.candidates[b]);
            (length(x).total_cmp(&length(y)))
                .then(x.size.cmp(&y.size))
                .then(x.loss.max(self.floor).total_cmp(&y.loss.max(self.floor)))
        })
    }

    /// The law with the least loss; the smaller of equals.
    pub fn accurate(&self) -> Option<&Candidate> {
        let loss = |c: &Candidate| c.loss.max(self.floor);
        self.candidates.iter().min_by(|a, b| loss(a).total_cmp(&loss(b)).then(a.size.cmp(&b.size)))
    }

    /// The law at which the logarithm of the loss falls most for each step in size from the law before it (the score of
    /// M. Cranmer, arXiv:2305.01582, sec. 2.3; of Schmidt and Lipson before); the first of equals.
    pub fn steepest(&self) -> Option<&Candidate> {
        let ln = |c: &Candidate| c.loss.max(self.floor).max(f64::MIN_POSITIVE).ln();
        let falls = self.candidates.windows(2).map(|pair| {
            let step = pair[1].size.abs_diff(pair[0].size).max(1) as f64;
            ((ln(&pair[0]) - ln(&pair[1])) / step, &pair[1])
        });
        let most = falls.fold(None, |best: Option<(f64, &Candidate)>, fall| match best {
            Some(b) if b.0 >= fall.0 => Some(b),
            _ => Some(fall),
        });
        most.map(|m| m.1).or(self.candidates.first())
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
    /// The steps that engines did.
    pub steps: u64,
    /// The models whose constants were fitted.
    pub refined: u64,
    /// The law with the shortest description but the best, where it says something else.
    pub runner_up: Option<Candidate>,
    /// The standard deviation of the noise that the target was freed of, in SI, where that was asked for.
    pub noise: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expr;
    use proptest::prelude::*;

    fn candidate((size, loss, length): (usize, u32, i32)) -> Candidate {
        Candidate {
            expr: Expr::symbol(format!("law_{size}_{loss}_{length}").as_str()),
            constants: Vec::new(),
            loss: f64::from(loss),
            r2: 0.0,
            description_length: f64::from(length),
            size,
            engine: "test".into(),
            evidence: "".into(),
        }
    }

    #[test]
    fn the_most_accurate_and_the_steepest_law() {
        let mut front = Front::new(0.0);
        assert!(front.accurate().is_none() && front.steepest().is_none());
        // Losses 8, 7, 1, 0.
        for law in [(1, 8, 3), (3, 7, 2), (4, 1, 1), (9, 0, 4)] {
            front.insert(candidate(law));
        }
        // To nothing it falls by hundreds of nats, over five steps.
        assert_eq!(front.accurate().map(|c| c.size), Some(9));
        assert_eq!(front.steepest().map(|c| c.size), Some(9));
        let mut front = Front::new(0.5);
        for law in [(1, 8, 3), (3, 7, 2), (4, 1, 1), (9, 0, 4)] {
            front.insert(candidate(law));
        }
        assert_eq!(front.steepest().map(|c| c.size), Some(4));
        assert_eq!(front.best().map(|c| c.size), Some(4));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
        ))]

        #[test]
        fn order_of_insertion_changes_nothing_and_nothing_is_beaten(
            laws in proptest::collection::vec((1usize..8, 1u32..9, -5i32..6), 1..20),
        ) {
            let names = |laws: &[(usize, u32, i32)]| {
                let mut front = Front::new(2.0);
                laws.iter().for_each(|l| front.insert(candidate(*l)));
                let best = front.best().map(|c| c.expr.clone());
                let least = laws.iter().map(|l| l.2).min().unwrap();
                assert_eq!(front.best().unwrap().description_length, f64::from(least));
                front.settle();
                // The chosen law is the same, sizes grow, losses fall.
                assert_eq!(front.best().map(|c| c.expr.clone()), best);
                for pair in front.candidates().windows(2) {
                    assert!(pair[0].size < pair[1].size);
                    assert!(pair[0].loss > pair[1].loss && pair[0].loss > 2.0);
                }
                front.candidates().iter().map(|c| c.expr.to_string()).collect::<Vec<_>>()
            };
            let mut turned = laws.clone();
            turned.reverse();
            prop_assert_eq!(names(&laws), names(&turned));
            turned.sort();
            prop_assert_eq!(names(&laws), names(&turned));
        }
    }
}
