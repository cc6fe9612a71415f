//! An island: a population in steady state. A tournament among members up to a size, which another member sets, chooses a
//! parent, a change makes a child, the child takes the place of the oldest member where it is accepted (M. Cranmer,
//! arXiv:2305.01582: regularised evolution, annealing, frequency of sizes). A grid keeps the best of each size and kind
//! (J.-B. Mouret, J. Clune, arXiv:1504.04909). Members know how old their oldest part is (G. Hornby, GECCO 2006).

use std::collections::{BTreeMap, HashSet, VecDeque};

use rand::RngExt;
use serde_json::{Value as Json, json};

use super::change::{CHANGES, Change, Genome, Maker};
use super::fit::{Counts, Fitter, Linear};
use super::tree::{Node, Tree};
use crate::base::CancelToken;
use crate::base::random::Rng;

/// Members of an island.
pub const MEMBERS: usize = 80;
/// Members of a tournament, and the chance that its best wins, else the next.
const TOURNAMENT: usize = 10;
const WINS: f64 = 0.9;
/// Temperature of acceptance at the begin of a step; 0 at its end.
const HEAT: f64 = 3.0;
/// Children between which sizes are counted.
const WINDOW: f64 = 2000.0;
/// Numbers of constants that the grid tells apart.
const KINDS: usize = 6;
/// Sizes that are told apart.
const SIZES: usize = 64;
/// Structures that are remembered as tried.
const REMEMBERED: usize = 1 << 12;
/// Changes that are tried for a child that is new.
const TRIES: usize = 8;
/// Steps of a fit that every new structure gets, and those of a promising one; promising is a loss so many times the parent's.
const FIRST: usize = 3;
const FURTHER: usize = 12;
const PROMISING: f64 = 1.3;
/// Work between two looks at the cancel token.
const LOOK: u64 = 100_000;
/// Share of new individuals that are looked up.
const PEELED: f64 = 0.25;
/// Chance that a parent comes from the grid of elites.
const ELITE: f64 = 0.12;

/// An individual.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it is.
    pub genome: Genome,
    /// Its coefficients and what they leave.
    pub fit: Linear,
    /// Binary operators and leaves, as they would be written.
    pub size: usize,
    /// Its constants that are not 1 or -1.
    pub parameters: usize,
    /// The step in which the oldest of its parts was made.
    pub born: u64,
}

/// Relative distance from 1 below which a factor is not written.
const ONE: f64 = 1e-7;

impl Member {
    /// An individual with its figures.
    pub fn new(genome: Genome, fit: Linear, born: u64, counts: &Counts) -> Member {
        let size = size(&genome, &fit, counts);
        let inner: usize = genome.terms.iter().map(|t| t.constants().count()).sum();
        let outer = fit.factors.iter().filter(|c| !is_one(**c)).count() + usize::from(genome.intercept);
        Member { genome, fit, size, parameters: inner + outer, born }
    }

    /// Its place in the grid: its size, how many constants it has, and whether it calls functions.
    fn cell(&self) -> (usize, usize) {
        let linked = matches!(self.genome.link, Some(Node::Call(_)));
        let called = linked || self.genome.terms.iter().any(Tree::calls);
        (self.size.min(SIZES - 1), 2 * self.parameters.min(KINDS) + usize::from(called))
    }

    /// By what laws are compared that are no better: size, and constants again.
    pub fn complexity(&self) -> usize {
        self.size + self.parameters
    }
}

fn is_one(c: f64) -> bool {
    (c.abs() - 1.0).abs() < ONE
}

/// The size of an individual as it would be written: operators of two operands and of one, and leaves.
fn size(genome: &Genome, fit: &Linear, counts: &Counts) -> usize {
    let mut size = 0;
    for (t, c) in genome.terms.iter().zip(&fit.factors) {
        size += t.nodes.iter().map(|n| counts.of(*n)).sum::<usize>();
        size += if is_one(*c) { 0 } else { counts.factor() };
    }
    let link = genome.link.map_or(0, |l| counts.of(l));
    let plus = counts.of(Node::Add);
    let intercept = if genome.intercept { plus + counts.of(Node::Constant(1.0)) } else { 0 };
    size + (genome.terms.len() - 1) * plus + intercept + link
}

/// The grid of elites.
pub type Grid = BTreeMap<(usize, usize), Member>;

/// Puts a member into its cell where it is better than what is there; whether it was.
pub fn keep(grid: &mut Grid, member: &Member) -> bool {
    let better = grid.get(&member.cell()).is_none_or(|old| member.fit.loss < old.fit.loss);
    if better {
        grid.insert(member.cell(), member.clone());
    }
    better
}

/// A population.
#[derive(Clone, Debug, Default)]
pub struct Island {
    /// The members, the oldest first.
    pub members: VecDeque<Member>,
    /// The best of each size and kind.
    pub elites: Grid,
    /// How often each size was a child's, forgetting slowly.
    frequency: Vec<f64>,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    /// Individuals that were fitted.
    pub fitted: u64,
}

impl Island {
    /// Notes a structure; whether it is new.
    fn note(&mut self, hash: u64) -> bool {
        if !self.seen.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.seen.remove(&old);
        }
        true
    }

    /// Fills the island with new individuals.
    pub fn fill(&mut self, step: u64, maker: &mut Maker<'_>, fitter: &mut Fitter<'_>, rng: &mut Rng) {
        let mut tries = 0;
        while self.members.len() < MEMBERS && tries < 20 * MEMBERS {
            tries += 1;
            let genome = if rng.random::<f64>() < PEELED { maker.peeled(rng) } else { maker.random(rng) };
            let Some(mut genome) = genome else { continue };
            if let Some(fit) = fitted(&mut genome, f64::INFINITY, fitter) {
                self.note(genome.hash());
                let member = Member::new(genome, fit, step, &fitter.rows().complexity);
                if maker.obeys(&member) {
                    self.enter(member);
                }
            }
        }
    }

    /// Takes in a law that the user begins with.
    pub fn seed(&mut self, genome: Option<Genome>, maker: &mut Maker<'_>, fitter: &mut Fitter<'_>) {
        let Some(mut genome) = genome.and_then(|g| maker.normal(g)) else { return };
        if let Some(fit) = fitted(&mut genome, f64::INFINITY, fitter) {
            let member = Member::new(genome, fit, 0, &fitter.rows().complexity);
            if maker.obeys(&member) && self.note(member.genome.hash()) {
                self.enter(member);
            }
        }
    }

    fn enter(&mut self, member: Member) {
        keep(&mut self.elites, &member);
        self.members.push_back(member);
    }

    fn common(&self, size: usize) -> f64 {
        let total: f64 = self.frequency.iter().sum();
        let own = self.frequency.get(size.min(SIZES - 1)).copied().unwrap_or(0.0);
        (own + 1.0) / (total + SIZES as f64)
    }

    /// A parent.
    fn parent(&self, rng: &mut Rng) -> Option<Member> {
        if rng.random::<f64>() < ELITE && !self.elites.is_empty() {
            return self.elites.values().nth(rng.random_range(0..self.elites.len())).cloned();
        }
        let n = self.members.len();
        if n == 0 {
            return None;
        }
        // One member says how large the parent may be and how many constants it may have; the best of some wins.
        let first = &self.members[rng.random_range(0..n)];
        let (largest, most) = (first.size, first.parameters);
        let mut round: Vec<usize> = (0..TOURNAMENT)
            .map(|_| rng.random_range(0..n))
            .filter(|&k| self.members[k].size <= largest && self.members[k].parameters <= most)
            .collect();
        let loss = |k: usize| self.members[k].fit.loss;
        round.sort_by(|&a, &b| loss(a).total_cmp(&loss(b)).then(a.cmp(&b)));
        let winner = round.iter().find(|_| rng.random::<f64>() < WINS).or(round.last());
        Some(self.members[winner.copied().unwrap_or_else(|| rng.random_range(0..n))].clone())
    }

    /// Lives through a step: as many children as the work allows. `false` where it was cut short.
    pub fn live(
        &mut self,
        step: u64,
        quota: u64,
        maker: &mut Maker<'_>,
        fitter: &mut Fitter<'_>,
        cancel: &CancelToken,
        rng: &mut Rng,
    ) -> bool {
        self.frequency.resize(SIZES, 0.0);
        let all: f64 = CHANGES.iter().map(|c| c.1).sum();
        let mut looked = 0;
        let mut idle = 0;
        loop {
            let work = maker.work + fitter.work;
            // Where nothing new can be made the step ends too.
            if work >= quota || idle > 50 * MEMBERS || self.members.is_empty() {
                return true;
            }
            if work >= looked + LOOK {
                looked = work;
                if cancel.stop().is_some() {
                    return false;
                }
            }
            idle += 1;
            let (Some(parent), Some(other)) = (self.parent(rng), self.parent(rng)) else { return true };
            let mut child = None;
            for _ in 0..TRIES {
                let mut u = rng.random::<f64>() * all;
                let picked = CHANGES.iter().find(|c| {
                    u -= c.1;
                    u < 0.0
                });
                let change = picked.map_or(Change::Subtree, |c| c.0);
                // What is looked up shall cost no more than what is fitted.
                let looks = matches!(change, Change::Wanted | Change::WantedTerm);
                if looks && maker.work > fitter.work {
                    continue;
                }
                let made = maker.change(change, &parent.genome, &parent.fit, &other.genome, rng);
                let Some(genome) = made else { continue };
                // A perturbed constant is the only child that may repeat a structure.
                if self.note(genome.hash()) || change == Change::Perturb {
                    child = Some((change, genome));
                    break;
                }
            }
            let Some((change, mut genome)) = child else { continue };
            let Some(fit) = fitted(&mut genome, parent.fit.loss, fitter) else { continue };
            idle = 0;
            self.fitted += 1;
            let crossed = matches!(change, Change::Crossover | Change::Mix);
            let born = match change {
                Change::Random => step,
                _ if crossed => parent.born.min(other.born),
                _ => parent.born,
            };
            let child = Member::new(genome, fit, born, &fitter.rows().complexity);
            if !maker.obeys(&child) {
                continue;
            }
            keep(&mut self.elites, &child);
            let cell = &mut self.frequency[child.size.min(SIZES - 1)];
            *cell += 1.0;
            if self.frequency.iter().sum::<f64>() > WINDOW {
                self.frequency.iter_mut().for_each(|f| *f *= 0.5);
            }
            let heat = HEAT * (1.0 - work as f64 / quota as f64).max(0.01);
            let worse = (child.fit.loss / parent.fit.loss).ln().max(0.0);
            let chance = (-worse / heat).exp() * self.common(parent.size) / self.common(child.size);
            if rng.random::<f64>() < chance {
                if self.members.len() >= MEMBERS {
                    self.members.pop_front();
                }
                self.members.push_back(child);
            }
        }
    }

    /// Members older than `age` steps leave.
    pub fn retire(&mut self, step: u64, age: u64) -> Vec<Member> {
        let (old, young): (Vec<Member>, Vec<Member>) =
            self.members.drain(..).partition(|m| step.saturating_sub(m.born) > age);
        self.members = young.into();
        old
    }

    /// Takes a member in, in the place of the worst of its rivals where it is full.
    pub fn welcome(&mut self, member: Member) {
        keep(&mut self.elites, &member);
        if self.members.len() < MEMBERS {
            self.members.push_back(member);
            return;
        }
        let worst = (0..self.members.len())
            .max_by(|&a, &b| self.members[a].fit.loss.total_cmp(&self.members[b].fit.loss));
        if let Some(k) = worst.filter(|&k| self.members[k].fit.loss > member.fit.loss) {
            self.members.remove(k);
            self.members.push_back(member);
        }
    }

    /// All individuals measured on other rows.
    pub fn measure(&mut self, fitter: &mut Fitter<'_>) {
        let mut again = |m: Member| {
            let fit = linear(&m.genome, fitter)?;
            Some(Member::new(m.genome, fit, m.born, &fitter.rows().complexity))
        };
        self.members = self.members.drain(..).filter_map(&mut again).collect();
        let elites = std::mem::take(&mut self.elites);
        for member in elites.into_values().filter_map(again) {
            keep(&mut self.elites, &member);
        }
    }

    /// As JSON: genomes, ages, counts; what follows from them is left out.
    pub fn save(&self) -> Json {
        let spell = |m: &Member| {
            let terms: Vec<String> = m.genome.terms.iter().map(Tree::spell).collect();
            let link = m.genome.link.map_or(String::new(), |l| Tree::leaf(l).spell());
            json!([terms.join("; "), m.genome.intercept, m.born, link])
        };
        let frequency: Vec<String> = self.frequency.iter().map(|f| format!("{:x}", f.to_bits())).collect();
        let order: String = self.order.iter().map(|h| format!("{h:016x}")).collect();
        json!({
            "members": self.members.iter().map(spell).collect::<Vec<_>>(),
            "elites": self.elites.values().map(spell).collect::<Vec<_>>(),
            "frequency": frequency.join(" "),
            "seen": order,
            "fitted": self.fitted,
        })
    }

    /// Whether it is what `save` writes.
    pub fn well_formed(state: &Json) -> Option<()> {
        for name in ["members", "elites"] {
            state.get(name)?.as_array()?.iter().try_for_each(|m| read(m, usize::MAX).map(|_| ()))?;
        }
        state.get("frequency")?.as_str()?;
        state.get("seen")?.as_str()?;
        state.get("fitted")?.as_u64().map(|_| ())
    }

    /// Reads what `save` wrote; individuals are measured by `fitter`.
    pub fn restore(state: &Json, leaves: usize, fitter: &mut Fitter<'_>) -> Option<Island> {
        let mut read = |m: &Json| {
            let (genome, born) = read(m, leaves)?;
            let fit = linear(&genome, fitter)?;
            Some(Member::new(genome, fit, born, &fitter.rows().complexity))
        };
        let mut list = |name: &str| -> Option<Vec<Member>> {
            state.get(name)?.as_array()?.iter().map(&mut read).collect()
        };
        let members = list("members")?.into();
        let mut elites = Grid::new();
        for m in list("elites")? {
            elites.insert(m.cell(), m);
        }
        let bits = |w: &str| u64::from_str_radix(w, 16).ok();
        let frequency = state.get("frequency")?.as_str()?;
        let frequency = frequency.split_whitespace().map(|w| bits(w).map(f64::from_bits));
        let seen = state.get("seen")?.as_str()?;
        let order: VecDeque<u64> =
            (0..seen.len() / 16).map(|k| bits(seen.get(16 * k..16 * k + 16)?)).collect::<Option<_>>()?;
        Some(Island {
            members,
            elites,
            frequency: frequency.collect::<Option<_>>()?,
            seen: order.iter().copied().collect(),
            order,
            fitted: state.get("fitted")?.as_u64()?,
        })
    }
}

/// A genome as `save` wrote it, and when it was born.
fn read(m: &Json, leaves: usize) -> Option<(Genome, u64)> {
    let terms = m.get(0)?.as_str()?.split("; ").map(|t| Tree::parse(t, leaves)).collect::<Option<_>>()?;
    let link = match m.get(3)?.as_str()? {
        "" => None,
        word => Some(Tree::parse(&format!("l0 {word}"), 1)?.nodes[1]),
    };
    Some((Genome { terms, intercept: m.get(1)?.as_bool()?, link }, m.get(2)?.as_u64()?))
}

/// The coefficients of an individual as it is.
fn linear(genome: &Genome, fitter: &mut Fitter<'_>) -> Option<Linear> {
    fitter.see(genome.link).then_some(())?;
    fitter.linear(&genome.terms, genome.intercept)
}

/// Fits a new individual: a few steps for its constants, more where it is promising beside its parent.
pub fn fitted(genome: &mut Genome, parent: f64, fitter: &mut Fitter<'_>) -> Option<Linear> {
    fitter.see(genome.link).then_some(())?;
    let constants = genome.terms.iter().any(|t| t.constants().next().is_some());
    let mut fit = if constants {
        let first = fitter.fit(&mut genome.terms, genome.intercept, FIRST)?;
        if first.loss < PROMISING * parent && first.loss > fitter.rows().floor {
            fitter.fit(&mut genome.terms, genome.intercept, FURTHER)?
        } else {
            first
        }
    } else {
        fitter.linear(&genome.terms, genome.intercept)?
    };
    if constants && !fitter.sound(&genome.terms) {
        return None;
    }
    fit = fitter.pruned(&mut genome.terms, &mut genome.intercept, fit);
    Some(fit)
}
