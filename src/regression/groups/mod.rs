//! One law for several groups of rows, in which constants may differ from group to group: y = a*x^2 + b with a and b of each
//! planet. Laws are looked for in some groups alone, where such constants are numbers, and in all rows together, which finds
//! what does not differ; every law of these archives is opened again (`template.rs`), fitted to all groups (`fit.rs`), and
//! what is shared is decided by description length (`share.rs`).

mod fit;
mod share;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::time::Instant;

use rayon::prelude::*;

use super::candidate::{Candidate, Model};
use super::describe;
use super::engine::Report;
use super::error::RegressError;
use super::front::{Found, Front};
use super::journal::Journal;
use super::options::Plan;
use super::problem::Problem;
use super::template::{self, Opening};
use crate::base::{CancelToken, StopReason, Threads};
use crate::expression::{Expr, Symbol, Uncertain};
use crate::units::Unit;
use fit::Grouped;
use share::Prepared;

/// Groups that are searched alone.
const SEARCHED: usize = 4;
/// Work on a part without a bound of its own, at least.
const LEAST: u64 = 1_000_000;
/// Rows with which a group is worth a search.
const WORTH: usize = 4;
/// Models whose constants are told apart, those that could have the shortest descriptions.
const CLOSEST: usize = 24;

/// A constant that each group has for itself.
#[derive(Clone, Debug)]
pub struct OwnConstant {
    /// Its symbol in the law.
    pub symbol: Symbol,
    /// The unit of its values.
    pub unit: Unit,
    /// Its value in each group, with standard error and covariances.
    pub values: Vec<Uncertain>,
}

/// A law of all groups.
#[derive(Clone, Debug)]
pub struct GroupLaw {
    /// The law: constants that groups have for themselves are symbols, shared ones uncertain or exact numbers, which alone are
    /// listed as its constants; loss and description length are those of all rows.
    pub law: Candidate,
    /// The constants that differ.
    pub own: Vec<OwnConstant>,
}

impl GroupLaw {
    /// The law of one group, with its constants.
    pub fn of(&self, group: usize) -> Expr {
        let pair = |c: &OwnConstant| {
            let value = c.values.get(group).cloned()?;
            Some((c.symbol.clone(), Expr::product([Expr::uncertain(value), Expr::unit(c.unit.clone())])))
        };
        self.law.expr.substitute(&self.own.iter().filter_map(pair).collect::<Vec<_>>())
    }
}

/// What a search in groups returns.
#[derive(Clone, Debug)]
pub struct FoundGroups {
    /// Names of the groups, in the order of the values of [`OwnConstant`].
    pub groups: Vec<String>,
    /// The laws of the front of size against loss, smallest first.
    pub laws: Vec<GroupLaw>,
    /// The place of the law with the shortest description.
    pub best: usize,
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
}

impl FoundGroups {
    /// The laws as a front, constants that differ standing in them as symbols.
    pub fn into_found(self) -> Found {
        Found {
            front: Front::restore(self.laws.into_iter().map(|l| l.law).collect(), 0.0),
            stopped: self.stopped,
            work: self.work,
            notes: self.notes,
            steps: self.steps,
            refined: self.refined,
            runner_up: None,
            noise: None,
        }
    }

    /// The law with the shortest description.
    pub fn best(&self) -> Option<&GroupLaw> {
        self.laws.get(self.best)
    }
}

/// Finds laws whose constants may differ between groups. `groups` holds the group of each row, a place in `names`; groups
/// without rows play no part. `progress` is told the share of all, with the laws of the part that is searched.
///
/// # Errors
/// Data, groups or options that cannot be used; see [`RegressError`].
pub fn regress_groups(
    problem: &Problem,
    groups: &[usize],
    names: &[String],
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<FoundGroups, RegressError> {
    regress_groups_kept(problem, (groups, names), plan, cancel, progress, &Journal::none())
}

/// The same, going on from what a journal holds. The groups are those of the rows and their names.
///
/// # Errors
/// Data, groups or options that cannot be used; see [`RegressError`].
pub fn regress_groups_kept(
    problem: &Problem,
    (groups, names): (&[usize], &[String]),
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<FoundGroups, RegressError> {
    let notes = problem.validate()?;
    plan.validate()?;
    let (groups, names) = present(problem, groups, names)?;
    let rows = |g: usize| -> Vec<usize> { (0..groups.len()).filter(|&i| groups[i] == g).collect() };
    let mut parts: Vec<Problem> =
        searched(problem, &groups, names.len()).map(|g| problem.pick(&rows(g))).collect();
    parts.push(problem.clone());
    let searched = search(&parts, plan, cancel, progress, journal)?;
    // What was found until Ctrl-C is still told apart, of each part the best law only.
    let fresh = CancelToken::new();
    let cut = cancel.stop().is_some();
    let token = if cut { &fresh } else { cancel };
    let grouped = Grouped::new(problem, &groups, names.len(), token);
    let fit = || fit_all(&grouped, &parts, &searched, plan, (token, cut));
    let fitted = Threads::new(plan.threads).run(fit);
    let mut found = FoundGroups {
        laws: Vec::new(),
        best: 0,
        stopped: stopped(&searched, cancel),
        work: fitted.work + searched.iter().flatten().map(|f| f.work).sum::<u64>(),
        notes,
        steps: searched.iter().flatten().map(|f| f.steps).sum(),
        refined: fitted.refined + searched.iter().flatten().map(|f| f.refined).sum::<u64>(),
        groups: names,
    };
    let floor = describe::noise_floor(problem);
    let mut front = Front::new(if problem.sigma.is_some() { 0.0 } else { floor * floor });
    fitted.laws.iter().for_each(|l| front.insert(l.law.clone()));
    front.settle();
    let of = |c: &Candidate| {
        let same = fitted.laws.iter().filter(|l| l.law.expr == c.expr);
        same.min_by(|a, b| a.law.description_length.total_cmp(&b.law.description_length)).cloned()
    };
    found.best = front.best_index().unwrap_or(0);
    found.laws = front.candidates().iter().filter_map(of).collect();
    too_few(&grouped, &found, &fitted, floor)?;
    if let Some((g, constants)) = fitted.too_small {
        found.notes.push(format!(
            "the group `{}` has {} rows, too few for laws with {constants} constants of each group",
            found.groups[g], grouped.counts[g]
        ));
    }
    Ok(found)
}

/// The groups that have rows, numbered anew, with their names.
fn present(
    problem: &Problem,
    groups: &[usize],
    names: &[String],
) -> Result<(Vec<usize>, Vec<String>), RegressError> {
    let known = groups.iter().filter(|g| **g < names.len()).count();
    if groups.len() != problem.rows() || known != problem.rows() {
        return Err(RegressError::Groups { names: names.len(), rows: problem.rows(), found: known });
    }
    let mut counts = vec![0usize; names.len()];
    groups.iter().for_each(|&g| counts[g] += 1);
    let used: Vec<usize> = (0..names.len()).filter(|&g| counts[g] > 0).collect();
    if let [only] = used[..] {
        return Err(RegressError::OneGroup { group: names[only].clone() });
    }
    if let Some(&lone) = used.iter().find(|&&g| counts[g] == 1) {
        return Err(RegressError::LoneRow { group: names[lone].clone() });
    }
    let mut place = vec![0; names.len()];
    used.iter().enumerate().for_each(|(new, &old)| place[old] = new);
    Ok((groups.iter().map(|&g| place[g]).collect(), used.iter().map(|&g| names[g].clone()).collect()))
}

/// The groups to search alone: those with the most rows, among equals those whose target has the widest range.
fn searched(problem: &Problem, groups: &[usize], count: usize) -> impl Iterator<Item = usize> {
    let of = |g: usize| problem.target.iter().zip(groups).filter(move |(_, of)| **of == g).map(|(y, _)| *y);
    let range = |g: usize| {
        let (low, high) = of(g).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        high - low
    };
    let mut all: Vec<(usize, usize, f64)> = (0..count)
        .map(|g| (g, of(g).count(), range(g)))
        .filter(|(_, rows, range)| *rows >= WORTH && *range > 0.0)
        .collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
    all.into_iter().take(SEARCHED).map(|(g, ..)| g)
}

/// One search a part, each with its share of work and time; the error of all where each has one.
fn search(
    parts: &[Problem],
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<Vec<Option<Found>>, RegressError> {
    let count = parts.len();
    let (begun, done) = (Instant::now(), Cell::new(0u64));
    let mut most = 0;
    let mut found = Vec::with_capacity(count);
    let mut error = None;
    for (place, part) in parts.iter().enumerate() {
        // Without a bound the first part decides what the others may take.
        let work = plan.work.map(|w| w / count as u64).or((place > 0).then_some(most.max(LEAST)));
        let share =
            |t: Instant| begun + t.saturating_duration_since(begun) * (place as u32 + 1) / (count as u32 + 1);
        let own = Plan { work, deadline: plan.deadline.map(share), ..plan.clone() };
        let token = own.deadline.map_or_else(|| cancel.clone(), |t| cancel.with_deadline(t));
        let told = |r: &Report<'_>| {
            let share = (place as f64 + r.share) / count as f64;
            progress(&Report { share, work: done.get() + r.work, front: r.front, gains: r.gains });
        };
        let result = journal.regress(part, &own, &token, &told);
        if let Ok(f) = &result {
            most = most.max(f.work);
            done.set(done.get() + f.work);
        }
        match result {
            Ok(f) => found.push(Some(f)),
            Err(e) => {
                error = Some(e);
                found.push(None);
            }
        }
    }
    match error {
        Some(e) if found.iter().all(Option::is_none) => Err(e),
        _ => Ok(found),
    }
}

/// Why the searches stopped: what cut one short counts first.
fn stopped(searched: &[Option<Found>], cancel: &CancelToken) -> StopReason {
    if let Some(reason) = cancel.stop() {
        return reason;
    }
    let any = |r: StopReason| searched.iter().flatten().any(|f| f.stopped == r);
    use StopReason::{Cancelled, Found, Saturated, Time, Work};
    // A part where the law was found says enough: that of all rows cannot find what differs.
    [Cancelled, Time, Found, Work].into_iter().find(|r| any(*r)).unwrap_or(Saturated)
}

/// Laws of all groups.
struct Fitted {
    laws: Vec<GroupLaw>,
    work: u64,
    refined: u64,
    /// A group that is too small for constants of its own, and the constants of the smallest such model.
    too_small: Option<(usize, usize)>,
    /// Constants and loss of the best law of each group that was searched alone.
    expected: Vec<(usize, f64)>,
}

/// Fits every law of the archives to all groups. Models are independent of each other, and their order is that of the
/// archives: threads change nothing.
fn fit_all(
    grouped: &Grouped<'_>,
    parts: &[Problem],
    searched: &[Option<Found>],
    plan: &Plan,
    (cancel, cut): (&CancelToken, bool),
) -> Fitted {
    let mut models: Vec<(usize, Model)> = Vec::new();
    let mut expected = Vec::new();
    for (place, found) in searched.iter().enumerate() {
        let Some(found) = found else { continue };
        if let Some(best) = found.front.best().filter(|_| place + 1 < parts.len()) {
            let model = template::open(&parts[place], &best.expr, Opening::Numbers, "groups");
            expected.push((model.map_or(0, |m| m.parameters.len()), best.loss));
        }
        let all: Vec<&Candidate> = match cut {
            true => found.front.best().into_iter().collect(),
            false => found.front.candidates().iter().chain(&found.runner_up).collect(),
        };
        for candidate in all {
            for model in template::models(&parts[place], candidate, "groups") {
                let allowed = model.parameters.iter().all(|p| share::allowed(plan, p.dimension));
                if allowed && !models.iter().any(|(_, m)| m.template == model.template) {
                    models.push((place, model));
                }
            }
        }
    }
    let refined = models.len() as u64;
    let mut prepared: Vec<Prepared> = models
        .par_iter()
        .map(|(place, model)| share::prepare(grouped, &parts[*place], plan, model, cancel))
        .collect::<Vec<_>>()
        .into_iter()
        .flatten()
        .collect();
    let least = grouped.counts.iter().copied().min().unwrap_or(0);
    let smallest = grouped.counts.iter().position(|n| *n == least);
    let large = models.iter().map(|(_, m)| m.parameters.len()).filter(|k| *k > least).min();
    let too_small = smallest.zip(large);
    let mut order: Vec<usize> = (0..prepared.len()).collect();
    order.sort_by(|&a, &b| prepared[a].bound.total_cmp(&prepared[b].bound).then(a.cmp(&b)));
    // Those close to the shortest, and those that no other beats in size and loss.
    let beaten = |a: &Prepared| {
        prepared.iter().any(|b| {
            let (x, y) = (super::size(&a.template), super::size(&b.template));
            y <= x && b.sse <= a.sse && (y < x || b.sse < a.sse)
        })
    };
    let keep: Vec<bool> = (0..prepared.len())
        .map(|k| order.iter().take(CLOSEST).any(|o| *o == k) || !beaten(&prepared[k]))
        .collect();
    let mut place = 0;
    prepared.retain(|_| {
        place += 1;
        keep[place - 1]
    });
    let laws: Vec<GroupLaw> = prepared
        .par_iter_mut()
        .map(|p| p.finish(grouped, plan, cancel))
        .collect::<Vec<_>>()
        .into_iter()
        .flatten()
        .collect();
    let work = prepared.iter().map(|p| p.work).sum();
    Fitted { laws, work, refined, too_small, expected }
}

/// Loss of a law of all groups, as a multiple of that of the laws of single groups, that says that it does not hold.
const WORSE: f64 = 4.0;

/// A group with fewer rows than the laws of other groups have constants, where no law holds in all groups.
fn too_few(
    grouped: &Grouped<'_>,
    found: &FoundGroups,
    fitted: &Fitted,
    floor: f64,
) -> Result<(), RegressError> {
    let smallest = (0..grouped.counts.len()).min_by_key(|&g| grouped.counts[g]);
    let needed = fitted.expected.iter().map(|e| e.0).min().unwrap_or(0);
    let alone = fitted.expected.iter().fold(16.0 * floor * floor, |m, e| m.max(e.1));
    let holds = found.best().is_some_and(|b| b.law.loss <= WORSE * alone);
    match smallest {
        Some(g) if needed > grouped.counts[g] && !holds => Err(RegressError::FewInGroup {
            group: found.groups[g].clone(),
            rows: grouped.counts[g],
            constants: needed,
        }),
        _ => Ok(()),
    }
}
