//! Genetic search: islands of sums of trees with free factors, each a population in steady state (`island.rs`), changed by a
//! table of typed mutations and crossovers (`change.rs`), with subtrees from a library of all small functions and what the
//! target asks for in a place (`library.rs`, `invert.rs`), constants fitted by variable projection (`fit.rs`). A fixed number
//! of islands, whatever the processors; those of a ladder hold members up to an age, the lowest begins anew from time to time
//! (G. Hornby, GECCO 2006).

mod change;
mod fit;
mod invert;
mod island;
mod kernel;
mod library;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use rand::RngExt;
use rayon::prelude::*;
use serde_json::{Value as Json, json};

use self::change::{Genome, Maker, above, behind};
use self::fit::{Counts, Fitter, Linear, OwnLoss, Rows, View};
use self::island::{Island, Member, fitted, keep};
use self::kernel::{Owns, Sweep, derivative, owns};
use self::library::Library;
use self::tree::{Node, Tree};
use super::candidate::Model;
use super::describe;
use super::engine::{Batch, Engine, Search, Step};
use super::exhaustive::grammar::Leaf;
use super::problem::Problem;
use crate::base::random::{Rng, Streams};

/// The engine's name.
const NAME: &str = "genetic";
/// Islands, and those of a ladder.
const ISLANDS: usize = 12;
const LADDER: usize = 4;
/// The age in steps up to which each rung of a ladder holds its members.
const AGES: [u64; LADDER] = [20, 60, 200, u64::MAX];
/// Steps between two new beginnings of the lowest rung.
const ANEW: u64 = 20;
/// Work of an island in a step, in row evaluations of one node.
const QUOTA: u64 = 1_000_000;
/// Rows on which populations live, and the steps for which they are the same ones.
const ROWS: usize = 400;
const SAME_ROWS: u64 = 100;
/// Laws proposed by a step.
const PROPOSED: usize = 4;
/// Evaluations of a law on all rows until its constants are fitted and snapped, in those of one node.
const FITS: u64 = 1000;
/// Share by which a law must be better than smaller ones, and than the last proposed of its size.
const BETTER: f64 = 0.98;
/// How much worse a law may fit without one of its operators that it then loses.
const SAME: f64 = 1.001;
/// The losses, in those of roundings, that are all exact.
const EXACT: f64 = 4.0;
/// Quantiles of the target among which the best constant is looked for.
const CONSTANTS: usize = 40;
/// The chance of the first step, and the steps after which it is half of that.
const CHANCE: f64 = 0.004;
const HALVES: f64 = 50.0;
/// The chance that an island takes an elite from the other ladder.
const MIGRATES: f64 = 0.1;

/// The engine.
#[derive(Default)]
pub struct Genetic {
    step: u64,
    islands: Vec<Island>,
    /// The step from which on laws are proposed again.
    due: u64,
    /// The loss of the last proposed law of each complexity.
    proposed: BTreeMap<usize, f64>,
    state: Option<State>,
    /// Islands as they were kept, until the data are there to measure them.
    kept: Option<Json>,
    /// Nothing can be searched.
    finished: bool,
}

/// What follows from the data.
struct State {
    /// The subtree library, and that without functions of one or two arguments, where they differ.
    libraries: Vec<Library>,
    /// The outermost functions that undo the target on every row; first none.
    links: Vec<Option<Node>>,
    rows: Rows,
    /// The operators of the user.
    own: Owns,
    /// Which of the choices of rows it is.
    choice: u64,
}

impl State {
    /// What an island changes its members by: the last ladder has no functions but outermost ones, so that what needs none
    /// is not driven out by what bends more easily.
    fn maker<'a>(&'a self, search: &Search<'a>, island: usize) -> Maker<'a> {
        let plain = island / LADDER == ISLANDS / LADDER - 1;
        let library = &self.libraries[if plain { self.libraries.len() - 1 } else { 0 }];
        Maker::new(search.problem, search.plan, library, &self.links, &self.own)
    }
}

/// The engine.
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Genetic::default())]
}

/// The rows that populations live on, by the number of the choice.
fn rows(search: &Search<'_>, library: &Library, links: &[Option<Node>], own: &Owns, choice: u64) -> Rows {
    let Search { problem, plan, .. } = *search;
    let criteria = &plan.criteria;
    let n = problem.rows();
    let chosen: Vec<usize> = if n <= ROWS {
        (0..n).collect()
    } else {
        let mut rng = Streams::new(plan.seed).block("regress/genetic/rows", choice);
        let mut all = rand::seq::index::sample(&mut rng, n, ROWS).into_vec();
        all.sort_unstable();
        all
    };
    let leaves = library.grammar.leaves.iter().map(|leaf| {
        let column = leaf.expr.as_symbol().and_then(|s| problem.names.iter().position(|n| n == s));
        match column {
            Some(k) => chosen.iter().map(|&r| problem.columns[k][r]).collect(),
            None => vec![leaf.values[0]; chosen.len()],
        }
    });
    let weights = problem.weights().map(|w| {
        let picked: Vec<f64> = chosen.iter().map(|&r| w[r]).collect();
        let mean = picked.iter().sum::<f64>() / picked.len() as f64;
        picked.iter().map(|w| w / mean).collect::<Vec<f64>>()
    });
    let at = |k: usize| weights.as_ref().map_or(1.0, |w| w[k]);
    let y: Vec<f64> = chosen.iter().map(|&r| problem.target[r]).collect();
    let total: f64 = (0..y.len()).map(|k| at(k) * at(k)).sum();
    let mean = y.iter().enumerate().map(|(k, y)| y * at(k) * at(k)).sum::<f64>() / total;
    let spread =
        y.iter().enumerate().map(|(k, y)| ((y - mean) * at(k)).powi(2)).sum::<f64>() / y.len() as f64;
    let views = links.iter().map(|&link| {
        let s = y.iter().map(|y| behind(link, *y));
        let weights: Option<Vec<f64>> = match link {
            None => weights.clone(),
            Some(_) => Some(y.iter().enumerate().map(|(k, y)| at(k) * slope(link, *y)).collect()),
        };
        let target = match &weights {
            Some(w) => s.zip(w).map(|(s, w)| s * w).collect(),
            None => s.collect(),
        };
        View { link, target, weights }
    });
    let floor = if problem.sigma.is_some() { 1e-30 } else { describe::noise_floor(problem).powi(2) / spread };
    let weights = &criteria.complexity;
    let count = |leaf: &Leaf| match leaf.expr.as_symbol() {
        Some(s) => weights.column(s.name()),
        None => weights.weight("constant"),
    };
    let counts = match weights.is_size() {
        true => Counts::default(),
        false => {
            Counts { weights: weights.clone(), leaves: library.grammar.leaves.iter().map(count).collect() }
        }
    };
    let mut rows = Rows {
        leaves: leaves.collect(),
        views: views.collect(),
        spread,
        floor: floor.max(1e-30),
        complexity: counts,
        loss: None,
        bounds: criteria.rules.bounds,
        own: own.clone(),
    };
    if let Some(loss) = &criteria.loss {
        let each = (0..y.len()).map(|k| problem.row_weight(chosen[k])).collect();
        let own = OwnLoss { loss: loss.clone(), target: y.clone(), rows: each };
        // The best constant: the target's value for which the loss is least.
        let mut tries = y.clone();
        tries.sort_by(f64::total_cmp);
        let at = |c: f64| own.mean(&vec![c; y.len()]);
        let best = (0..=CONSTANTS)
            .map(|k| tries[k * (y.len() - 1) / CONSTANTS])
            .min_by(|a, b| at(*a).total_cmp(&at(*b)))
            .unwrap_or(mean);
        rows.spread = at(best).max(f64::MIN_POSITIVE);
        rows.floor = (loss.floor(&y, describe::noise_floor(problem)) / rows.spread).max(1e-30);
        rows.loss = Some(own);
        reweigh(&mut rows, &vec![best; y.len()]);
    }
    rows
}

/// Weights for least squares that follow from the user's loss of these values.
fn reweigh(rows: &mut Rows, values: &[f64]) {
    let Some(own) = &rows.loss else { return };
    let factors = own.factors(values);
    let mean = factors.iter().sum::<f64>() / factors.len() as f64;
    let scaled: Vec<f64> = factors.iter().map(|f| f / mean.max(f64::MIN_POSITIVE)).collect();
    rows.views[0].target = own.target.iter().zip(&scaled).map(|(y, w)| y * w).collect();
    rows.views[0].weights = Some(scaled);
}

/// |g'(s)| where g(s) = y.
fn slope(link: Option<Node>, y: f64) -> f64 {
    let s = behind(link, y);
    match link {
        None => 1.0,
        Some(Node::Raise(h)) => (f64::from(h) / 2.0 * y / s).abs(),
        Some(Node::Call(f)) => derivative(f, s, y).abs(),
        Some(_) => f64::NAN,
    }
}

/// The outermost functions that undo the target on every row, and let a change of what is under them be seen; first none.
fn links(problem: &Problem, maker: &Maker<'_>) -> Vec<Option<Node>> {
    let undoes = |link: &Option<Node>| {
        maker.goal(*link).is_some()
            && problem.target.iter().all(|y| {
                let (s, slope) = (behind(*link, *y), slope(*link, *y));
                // The value comes back: a branch of an inverse is no inverse beyond it.
                let back = link.is_none_or(|l| (above(l, s) - y).abs() <= 1e-9 * y.abs());
                back && slope.is_finite() && slope > 0.0
            })
    };
    std::iter::once(None).chain(maker.outermost().into_iter().map(Some).filter(undoes)).collect()
}

/// The generator of an island in a step.
fn stream(seed: u64, island: usize, step: u64) -> Rng {
    Streams::new(seed).block(&format!("regress/genetic/island{island}"), step)
}

/// The best individual.
fn best(islands: &[Island]) -> Option<&Member> {
    islands
        .iter()
        .flat_map(|i| i.elites.values())
        .min_by(|a, b| a.fit.loss.total_cmp(&b.fit.loss).then(a.complexity().cmp(&b.complexity())))
}

/// The values of an individual without an outermost function.
fn values(genome: &Genome, fit: &Linear, rows: &Rows) -> Option<Vec<f64>> {
    let mut sweep = Sweep::with(rows.len(), rows.own.clone());
    let mut all = vec![fit.intercept; rows.len()];
    for (tree, factor) in genome.terms.iter().zip(&fit.factors) {
        sweep.forward(tree, &rows.leaves).then_some(())?;
        all.iter_mut().zip(sweep.values(tree.len() - 1)).for_each(|(v, x)| *v += factor * x);
    }
    Some(all)
}

impl Genetic {
    /// Makes what follows from the data, where it is not there; `None` where nothing can be searched.
    fn ready(&mut self, search: &Search<'_>) -> Option<u64> {
        if self.finished {
            return None;
        }
        let mut work = 0;
        if self.state.is_none() {
            let Search { problem, plan, cancel } = *search;
            let Some(library) = Library::new(problem, plan, cancel) else {
                self.finished = cancel.stop().is_none();
                return None;
            };
            // What is made again after an interruption is no new work.
            let counts = u64::from(self.step == 0);
            work = counts * library.work;
            let Some(own) = owns(&plan.own) else {
                self.finished = true;
                return None;
            };
            // Behind an outermost function a loss of the user is no sum of squares.
            let links = match plan.criteria.loss {
                Some(_) => vec![None],
                None => links(problem, &Maker::new(problem, plan, &library, &[None], &own)),
            };
            let mut libraries = vec![library];
            let mut plain = plan.clone();
            plain.operators.retain(|o| ["+", "-", "*", "/", "^", "sqrt", "cbrt"].contains(&o.as_str()));
            if plain.operators.len() < plan.operators.len()
                && let Some(library) = Library::new(problem, &plain, cancel)
            {
                work += counts * library.work;
                libraries.push(library);
            }
            let choice = self.step / SAME_ROWS;
            let rows = rows(search, &libraries[0], &links, &own, choice);
            self.state = Some(State { libraries, links, rows, own, choice });
        }
        if let Some(kept) = self.kept.take() {
            let state = self.state.as_mut()?;
            // They were measured on the rows of the step before.
            let choice = self.step.saturating_sub(1) / SAME_ROWS;
            if choice != state.choice {
                state.rows = rows(search, &state.libraries[0], &state.links, &state.own, choice);
                state.choice = choice;
            }
            let leaves = state.libraries[0].grammar.leaves.len();
            let mut fitter = Fitter::new(&state.rows);
            let all: Option<Vec<Island>> =
                kept.as_array()?.iter().map(|i| Island::restore(i, leaves, &mut fitter)).collect();
            match all {
                Some(islands) => self.islands = islands,
                // They are those of other data: from the beginning.
                None => *self = Genetic { state: self.state.take(), ..Genetic::default() },
            }
        }
        Some(work)
    }

    /// The best of each complexity that is better than all simpler ones, the simplest first.
    fn front(&self, maker: &Maker<'_>) -> Vec<Member> {
        let mut best: BTreeMap<usize, &Member> = BTreeMap::new();
        let all = self.islands.iter().flat_map(|i| i.elites.values());
        for member in all.filter(|m| maker.is_whole(&m.genome)) {
            let slot = best.entry(member.complexity()).or_insert(member);
            if member.fit.loss < slot.fit.loss {
                *slot = member;
            }
        }
        let mut least = f64::INFINITY;
        let mut front = Vec::new();
        for member in best.into_values() {
            if member.fit.loss < BETTER * least {
                least = member.fit.loss;
                front.push(member.clone());
            }
        }
        front
    }

    /// The laws to be proposed: those that gained most over the last of their size, without what does nothing in them. The
    /// work it took.
    fn propose(&mut self, search: &Search<'_>) -> (Vec<Model>, u64) {
        let Some(state) = &self.state else { return (Vec::new(), 0) };
        let mut gained: Vec<(f64, Member)> = Vec::new();
        let maker = state.maker(search, 0);
        for member in self.front(&maker) {
            let old = self.proposed.get(&member.complexity()).copied().unwrap_or(f64::INFINITY);
            if member.fit.loss < BETTER * old {
                gained.push(((old.min(1.0) / member.fit.loss).ln(), member));
            }
        }
        gained.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.complexity().cmp(&b.1.complexity())));
        let gained: Vec<Member> = gained.into_iter().take(PROPOSED).map(|g| g.1).collect();
        let shorter = |member: &Member| {
            let mut fitter = Fitter::new(&state.rows);
            (shortened(member.clone(), &maker, &mut fitter), fitter.work)
        };
        let short: Vec<(Member, u64)> = gained.par_iter().map(shorter).collect();
        let mut models = Vec::new();
        for (member, (short, _)) in gained.iter().zip(&short) {
            self.proposed.insert(member.complexity(), member.fit.loss);
            if short.complexity() < member.complexity() {
                let old = self.proposed.entry(short.complexity()).or_insert(f64::INFINITY);
                if short.fit.loss >= BETTER * *old {
                    // It is there already.
                    continue;
                }
                *old = short.fit.loss;
                keep(&mut self.islands[LADDER - 1].elites, short);
            }
            let fit = &short.fit;
            models.extend(maker.model(&short.genome, &fit.factors, fit.intercept));
        }
        (models, short.iter().map(|s| s.1).sum())
    }

    /// Members that are too old go up their ladder; the lowest rung begins anew from time to time; elites cross over.
    fn migrate(&mut self, seed: u64) {
        for k in 0..ISLANDS {
            let rung = k % LADDER;
            if rung + 1 == LADDER {
                continue;
            }
            let anew = rung == 0 && self.step % ANEW == ANEW - 1;
            // The whole lowest rung goes up before it begins anew.
            let old = if anew {
                self.islands[k].elites.clear();
                self.islands[k].members.drain(..).collect()
            } else {
                self.islands[k].retire(self.step, AGES[rung])
            };
            for member in old {
                self.islands[k + 1].welcome(member);
            }
        }
        let mut rng = Streams::new(seed).block("regress/genetic/migration", self.step);
        for k in 0..ISLANDS {
            let from = (k + LADDER * rng.random_range(1..ISLANDS / LADDER)) % ISLANDS;
            let n = self.islands[from].elites.len();
            if n > 0 && rng.random::<f64>() < MIGRATES {
                let member = self.islands[from].elites.values().nth(rng.random_range(0..n)).cloned();
                // What a ladder may not make does not come to live there.
                let plain = |m: &Member| m.genome.terms.iter().all(|t| !t.calls());
                member
                    .filter(|m| k < ISLANDS - LADDER || plain(m))
                    .into_iter()
                    .for_each(|m| self.islands[k].welcome(m));
            }
        }
    }
}

/// The individual without the operators that do nothing in it: as long as one of them gives way to an operand, or a term
/// goes, and what is left fits as well.
fn shortened(mut member: Member, maker: &Maker<'_>, fitter: &mut Fitter<'_>) -> Member {
    let floor = fitter.rows().floor;
    'again: loop {
        let terms = &member.genome.terms;
        let mut tries: Vec<(usize, Option<Tree>)> = Vec::new();
        for (t, tree) in terms.iter().enumerate() {
            for place in (0..tree.len()).rev().filter(|&k| tree.nodes[k].arity() > 0) {
                let (a, b) = tree.operands(place);
                tries.push((t, Some(tree.replaced(place, &tree.subtree(a)))));
                if b != a {
                    tries.push((t, Some(tree.replaced(place, &tree.subtree(b)))));
                }
            }
            tries.push((t, None));
        }
        let allowed = (SAME * member.fit.loss).max(EXACT * floor);
        for (t, with) in tries {
            let mut genome = member.genome.clone();
            match with {
                Some(tree) => genome.terms[t] = tree,
                None => drop(genome.terms.remove(t)),
            }
            let Some(mut genome) = maker.normal(genome) else { continue };
            if !maker.is_whole(&genome) {
                continue;
            }
            let Some(fit) = fitted(&mut genome, member.fit.loss, fitter) else { continue };
            let shorter = Member::new(genome, fit, member.born, &fitter.rows().complexity);
            let fits = shorter.fit.loss <= allowed && maker.obeys(&shorter);
            if fits && shorter.complexity() < member.complexity() {
                member = shorter;
                continue 'again;
            }
        }
        return member;
    }
}

/// Steps between two proposals, so that what is proposed costs no more than the steps: a proposed law is fitted on all rows
/// some hundred times.
fn pause(rows: usize) -> u64 {
    (rows as u64 * PROPOSED as u64 * FITS).div_ceil(QUOTA * ISLANDS as u64)
}

impl Engine for Genetic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn next(&mut self, _: &Search<'_>) -> Option<Step> {
        // What has not been found for long is hardly found by the next step.
        let chance = CHANCE / (1.0 + self.step as f64 / HALVES);
        (!self.finished).then_some(Step { work: QUOTA * ISLANDS as u64, chance })
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Some(mut work) = self.ready(search) else { return Batch::default() };
        let Some(state) = self.state.as_mut() else { return Batch::default() };
        let seed = search.plan.seed;
        let choice = self.step / SAME_ROWS;
        let moved = choice != state.choice && search.problem.rows() > ROWS;
        if moved {
            state.rows = rows(search, &state.libraries[0], &state.links, &state.own, choice);
            self.proposed.clear();
        }
        state.choice = choice;
        self.islands.resize_with(ISLANDS, Island::default);
        if state.rows.loss.is_some()
            && let Some(values) = best(&self.islands).and_then(|m| values(&m.genome, &m.fit, &state.rows))
        {
            reweigh(&mut state.rows, &values);
        }
        let (step, state) = (self.step, &*state);
        let lived: Vec<(u64, bool)> = self
            .islands
            .par_iter_mut()
            .enumerate()
            .map(|(k, island)| {
                let mut maker = state.maker(search, k);
                let mut fitter = Fitter::new(&state.rows);
                let mut rng = stream(seed, k, step);
                if moved {
                    island.measure(&mut fitter);
                }
                if step == 0 {
                    for guess in &search.plan.guesses {
                        island.seed(maker.genome_of(guess), &mut maker, &mut fitter);
                    }
                }
                if island.members.len() < search.plan.guesses.len().max(1) && (step == 0 || k % LADDER == 0) {
                    island.fill(step, &mut maker, &mut fitter, &mut rng);
                }
                let whole = island.live(step, QUOTA, &mut maker, &mut fitter, search.cancel, &mut rng);
                (maker.work + fitter.work, whole)
            })
            .collect();
        work += lived.iter().map(|l| l.0).sum::<u64>();
        if lived.iter().any(|l| !l.1) {
            return Batch::default();
        }
        let models = if self.step >= self.due {
            self.due = self.step + pause(search.problem.rows()).min(self.step + 1);
            let (models, shortening) = self.propose(search);
            work += shortening;
            models
        } else {
            Vec::new()
        };
        self.migrate(seed);
        self.step += 1;
        Batch { models, work }
    }

    fn save(&self) -> Json {
        let islands = match &self.kept {
            Some(kept) => kept.clone(),
            None => self.islands.iter().map(Island::save).collect(),
        };
        let proposed: Vec<(usize, u64)> = self.proposed.iter().map(|(s, l)| (*s, l.to_bits())).collect();
        json!({ "step": self.step, "due": self.due, "islands": islands, "proposed": proposed, "finished": self.finished })
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        let islands = state.get("islands")?;
        let all = islands.as_array().filter(|i| i.is_empty() || i.len() == ISLANDS)?;
        all.iter().try_for_each(Island::well_formed)?;
        let proposed = state.get("proposed")?.as_array()?.iter().map(|p| {
            let size = usize::try_from(p.get(0)?.as_u64()?).ok()?;
            Some((size, f64::from_bits(p.get(1)?.as_u64()?)))
        });
        self.proposed = proposed.collect::<Option<_>>()?;
        self.step = state.get("step")?.as_u64()?;
        self.due = state.get("due")?.as_u64()?;
        self.finished = state.get("finished")?.as_bool()?;
        self.kept = Some(islands.clone());
        self.islands.clear();
        Some(())
    }

    fn evidence(&self) -> Option<String> {
        let fitted: u64 = self.islands.iter().map(|i| i.fitted).sum();
        Some(format!("the best of its complexity among {fitted} individuals"))
    }
}
