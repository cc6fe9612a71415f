//! `simplify`: the smallest of several ways of writing an expression, by the measure of `size.rs`.
//!
//! 1. The canonical form, which every expression has.
//! 2. `normal.rs`: what facts about the symbols allow.
//! 3. `region.rs`: rational functions, one level after the other from the inside.
//! 4. The rules of `stdlib/rules`, matched in sums and products of any length (`matching.rs`).
//! 5. `trigonometry.rs`: circular and hyperbolic functions as polynomials.
//! 6. `egraph.rs`: equality saturation under the rules that fit, bounded in nodes and iterations.
//! 7. The result is compared with the input at random points of the declared domains, and refused where it differs.
//!
//! A removable singularity may be cancelled and is listed (`x != 1`); every other condition is proved from the
//! declarations or the step is not taken. Steps 2 to 6 are repeated while they gain something.

mod egraph;
mod matching;
mod normal;
mod region;
mod rules;
#[cfg(test)]
mod tests;
mod trigonometry;
mod walk;

pub use rules::{Rule, Rules};

use std::time::{Duration, Instant};

use super::facts::{ExprMap, Knowledge};
use super::probe::{self, Points};
use super::size::size;
use crate::base::{CancelToken, StopReason};
use crate::expression::{Declarations, Expr, Flags, Kind, Relation};
use region::Best;

/// How much work a simplification may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Nodes of the e-graph.
    pub nodes: usize,
    /// Iterations of the e-graph.
    pub iterations: usize,
    /// Time, where the user sets one.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { nodes: 2000, iterations: 10, time: None }
    }
}

/// The answer of [`simplify`].
#[derive(Clone, Debug)]
pub struct Simplified {
    /// The expression.
    pub expr: Expr,
    /// Where it equals the input: relations `... != 0` of singularities that were removed.
    pub conditions: Vec<Expr>,
    /// Why the search ended.
    pub stopped: StopReason,
    /// The size of the input and of the result.
    pub size: (usize, usize),
    /// Points at which the result was compared with the input.
    pub points: usize,
}

/// Rounds of the whole sequence.
const MAX_ROUNDS: usize = 4;
/// Larger expressions skip the e-graph and the trigonometric expansions.
const MAX_NODES: u32 = 400;

struct Search<'a> {
    know: Knowledge<'a>,
    rules: &'a Rules,
    limits: &'a Limits,
    cancel: CancelToken,
    stopped: StopReason,
    shrunk: region::Memo,
    ruled: region::Memo,
    /// Expressions whose trigonometric forms have been tried.
    tried: ExprMap<()>,
    saturated: Option<Expr>,
}

/// Simplifies under the declarations. Relations, conditions and piecewise expressions are simplified part by part.
pub fn simplify(
    e: &Expr,
    declarations: &Declarations,
    rules: &Rules,
    limits: &Limits,
    cancel: &CancelToken,
) -> Simplified {
    let cancel = match limits.time {
        Some(time) => cancel.with_deadline(Instant::now() + time),
        None => cancel.clone(),
    };
    let before = size(e);
    let untouched = |stopped| Simplified {
        expr: e.clone(),
        conditions: Vec::new(),
        stopped,
        size: (before, before),
        points: 0,
    };
    if e.is_undefined() || e.depth() < 2 {
        return untouched(StopReason::Found);
    }
    if let Kind::Relation(op, a, b) = e.kind() {
        let (a, b) = (
            simplify(a, declarations, rules, limits, &cancel),
            simplify(b, declarations, rules, limits, &cancel),
        );
        let mut conditions = a.conditions;
        conditions.extend(b.conditions);
        let expr = Expr::relation(*op, a.expr, b.expr);
        let stopped = if a.stopped == StopReason::Saturated { b.stopped } else { a.stopped };
        return Simplified {
            size: (before, size(&expr)),
            expr,
            conditions,
            stopped,
            points: a.points.min(b.points),
        };
    }
    let mut search = Search {
        know: Knowledge::new(declarations),
        rules,
        limits,
        cancel,
        stopped: StopReason::Saturated,
        shrunk: region::Memo::default(),
        ruled: region::Memo::default(),
        tried: ExprMap::default(),
        saturated: None,
    };
    let mut best = Best::new(e.clone());
    let mut seen = vec![e.clone()];
    for _ in 0..MAX_ROUNDS {
        let start = best.expr.clone();
        let (found, conditions) = search.round(&start);
        let mut all = best.conditions.clone();
        all.extend(conditions);
        best.offer(found, &all);
        if best.expr == start || seen.contains(&best.expr) {
            break;
        }
        seen.push(best.expr.clone());
        if let Some(reason) = search.cancel.stop() {
            search.stopped = reason;
            break;
        }
    }
    if best.expr == *e {
        return untouched(search.stopped);
    }
    let Some(points) = agrees(e, &best.expr, declarations) else {
        return untouched(StopReason::Found);
    };
    let conditions = listed(best.conditions, &best.expr, &search.know);
    Simplified { size: (before, best.cost.0), expr: best.expr, conditions, stopped: search.stopped, points }
}

/// Compares with the input; `None` where they differ, else at how many points they agree.
fn agrees(before: &Expr, after: &Expr, declarations: &Declarations) -> Option<usize> {
    if (before.flags().with(after.flags())).has(Flags::IMAGINARY.with(Flags::INFINITE)) {
        return Some(0);
    }
    let mut symbols = before.symbols();
    symbols.extend(after.symbols().into_iter().filter(|s| !before.contains_symbol(s)));
    let mut rng = probe::stream(0, "simplify/guard");
    let mut agree = 0;
    for _ in 0..3 {
        let points = Points::draw(&symbols, declarations, &mut rng);
        let found = probe::compare(before, after, &points);
        if found.differ.is_some() || found.only_first.is_some() {
            return None;
        }
        agree += found.agree;
        if agree >= probe::LANES / 2 {
            return Some(agree);
        }
        // Hardly real anywhere: on the complex principal branches.
        for lane in 0..probe::LANES / 2 {
            let point = points.point(lane);
            let at =
                |s: &crate::expression::Symbol| point.iter().find(|(t, _)| t == s).map(|(_, v)| (*v, 0.0));
            let (Some(a), Some(b)) = (before.evaluate_complex(&at), after.evaluate_complex(&at)) else {
                continue;
            };
            let far = (a.0 - b.0).hypot(a.1 - b.1);
            let scale = a.0.hypot(a.1).max(b.0.hypot(b.1));
            if far.is_finite() && far > 1e-6 * scale.max(1e-9) {
                return None;
            }
        }
    }
    Some(agree)
}

/// The conditions that the result does not show itself.
fn listed(conditions: Vec<Expr>, result: &Expr, know: &Knowledge) -> Vec<Expr> {
    let mut poles: Vec<Expr> = Vec::new();
    result.visit(&mut |node| {
        if let Kind::Power(b, x) = node.kind()
            && x.is_negated()
        {
            poles.extend(b.factors().iter().map(|f| f.base_exponent().0));
        }
    });
    let mut bases = Vec::new();
    for c in conditions {
        normal::list(&c, know, &mut bases);
    }
    let mut out: Vec<Expr> = Vec::new();
    for base in bases {
        if poles.contains(&base) || poles.contains(&base.negate()) {
            continue;
        }
        let relation = nonzero_condition(&base);
        if !out.contains(&relation) {
            out.push(relation);
        }
    }
    out
}

/// The condition that `base` is not 0, as it reads best: `x != 1` for `x - 1`.
pub fn nonzero_condition(base: &Expr) -> Expr {
    if let Kind::Sum(items) = base.kind()
        && let [constant, term] = items.as_ref()
    {
        let (c, rest) = term.split_coefficient();
        let plain = c.is_one() || c.as_i64() == Some(-1);
        if plain && constant.is_plain_number() {
            let value = if c.is_one() { constant.negate() } else { constant.clone() };
            return Expr::relation(Relation::Ne, rest, value);
        }
        // a - b
        if constant.is_negated() != term.is_negated() {
            let (a, b) = if term.is_negated() { (constant, term) } else { (term, constant) };
            return Expr::relation(Relation::Ne, a.clone(), b.negate());
        }
    }
    Expr::relation(Relation::Ne, base.clone(), Expr::zero())
}

impl Search<'_> {
    /// The whole sequence once.
    fn round(&mut self, e: &Expr) -> (Expr, Vec<Expr>) {
        let mut best = Best::new(e.clone());
        let mut way = |search: &mut Self, start: &Expr, conditions: Vec<Expr>, fractions: bool| {
            let mut all = conditions;
            let found = search.pass(start, fractions, &mut all);
            best.offer(found.clone(), &all);
            (found, all)
        };
        let (first, conditions) = way(self, e, Vec::new(), false);
        if has_fraction_under_root(e) {
            way(self, e, Vec::new(), true);
        }
        for (start, base) in [(e, Vec::new()), (&first, conditions)] {
            let again = self.tried.insert(start.clone(), ()).is_some();
            if again || start.node_count() > MAX_NODES || self.cancel.stop().is_some() {
                continue;
            }
            for (other, more) in trigonometry::candidates(start, &self.know) {
                let all = base.iter().cloned().chain(more).collect();
                way(self, &other, all, false);
            }
        }
        if let Some(found) = self.saturate(&best.expr) {
            let mut all = best.conditions.clone();
            let found = self.pass(&found, false, &mut all);
            best.offer(found, &all);
        }
        (best.expr, best.conditions)
    }

    /// Facts, rational functions and rules, one after the other.
    fn pass(&mut self, e: &Expr, fractions: bool, conditions: &mut Vec<Expr>) -> Expr {
        let mut open = normal::normal(e, fractions, &self.know, conditions);
        let mut e = open.clone();
        for _ in 0..3 {
            let shrunk = region::shrink(&open, &self.know, &mut self.shrunk, conditions);
            e = self.use_rules(&shrunk, conditions);
            if e == shrunk {
                break;
            }
            let next = normal::normal(&e, fractions, &self.know, conditions);
            // What the rules put together was taken apart again: nothing new.
            if next == open || next == shrunk {
                break;
            }
            open = next;
        }
        if !has_symbolic_power(&e) {
            return e;
        }
        let joined = normal::combine_roots(&e, &self.know);
        if joined == e {
            return e;
        }
        let joined = self.use_rules(&joined, conditions);
        if region::cost(&joined) < region::cost(&e) { joined } else { e }
    }

    /// The rules, bottom-up, as long as one fits.
    fn use_rules(&mut self, e: &Expr, conditions: &mut Vec<Expr>) -> Expr {
        let counts = rules::count_calls(e);
        let roots = has_symbolic_power(e);
        let fitting: Vec<&Rule> =
            self.rules.iter().filter(|r| if r.is_algebraic() { roots } else { r.fits(&counts) }).collect();
        if fitting.is_empty() {
            return e.clone();
        }
        let (know, memo) = (&self.know, &mut self.ruled);
        walk::bottom_up(e, &mut |mut node| {
            if node.depth() < 2 {
                return node;
            }
            if let Some((known, own)) = memo.get(&node) {
                conditions.extend_from_slice(own);
                return known.clone();
            }
            let start = node.clone();
            let mut own = Vec::new();
            for _ in 0..8 {
                let Some((smaller, more)) = fitting.iter().find_map(|r| r.apply(&node, know)) else {
                    break;
                };
                own.extend(more);
                node = smaller;
            }
            conditions.extend_from_slice(&own);
            memo.insert(start, (node.clone(), own));
            node
        })
    }

    fn saturate(&mut self, e: &Expr) -> Option<Expr> {
        let again = self.saturated.as_ref() == Some(e);
        if again || e.node_count() > MAX_NODES || e.node_count() < 6 || self.cancel.stop().is_some() {
            return None;
        }
        let counts = rules::count_calls(e);
        let fits: Vec<usize> = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, r)| !r.is_algebraic() && r.fits(&counts))
            .map(|(i, _)| i)
            .collect();
        self.saturated = Some(e.clone());
        if fits.is_empty() {
            return None;
        }
        let compiled = self.rules.compiled();
        let chosen: Vec<_> = fits.iter().map(|i| &compiled[*i]).collect();
        let out =
            egraph::saturate(e, &chosen, &self.know, self.limits.nodes, self.limits.iterations, &self.cancel);
        if self.stopped == StopReason::Saturated {
            self.stopped = out.stopped;
        }
        out.expr.filter(|found| found != e && size(found) <= size(e))
    }
}

/// Whether a root has a sum with a fraction in it.
fn has_fraction_under_root(e: &Expr) -> bool {
    walk::any(e, &|node| match node.kind() {
        Kind::Power(b, x) if matches!(b.kind(), Kind::Sum(_)) && x.as_i64().is_none() => {
            walk::any(b, &|inner| matches!(inner.kind(), Kind::Power(_, x) if x.is_negated()))
        }
        _ => false,
    })
}

/// Whether there is a power whose exponent is no integer.
fn has_symbolic_power(e: &Expr) -> bool {
    walk::any(e, &|node| matches!(node.kind(), Kind::Power(_, x) if x.as_i64().is_none()))
}
