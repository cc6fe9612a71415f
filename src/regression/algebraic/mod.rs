//! Algebraic relations: laws that some polynomial in the target and the features makes zero.
//!
//! y = A/B, y = sqrt(A/B) and y = (A + sqrt(B))/C with polynomials A, B, C all satisfy c_0 + c_1*t_1 + ... = 0 in products t of
//! powers of y and the features, however many terms they have; the coefficients are the null vector of a matrix, found by
//! linear algebra alone (`relation.rs`). Units cut the products into groups of one dimension, each of them small. Functions
//! of features (sine and cosine, exponential, logarithm, roots) join as further variables, and functions of the target
//! (its logarithm, its tangent) stand for it (`dictionary.rs`). Where constants may carry units, the groups of y^0, y^1
//! and y^2 may differ in dimension, and at last all products meet in one group. What the null vector says is written as a
//! law (`law.rs`), whose numbers are fitted and made exact as those of every other law.
//!
//! Relations without a distinguished target were proposed for dynamics by M. Schmidt and H. Lipson (Genetic Programming
//! Theory and Practice VII, 73 (2010)); the vanishing ideal of points is that of H. M. Moeller and B. Buchberger (EUROCAM
//! 1982, LNCS 144, 24).
#![allow(
    clippy::needless_range_loop,
    clippy::neg_cmp_op_on_partial_ord,
    reason = "rows and columns are walked by place, a negated comparison is false for NaN too"
)]

mod dictionary;
mod inner;
mod law;
mod relation;
mod stages;
#[cfg(test)]
mod tests;

use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde_json::Value as Json;

use self::dictionary::{Atom, Link, Term, groups, products, terms, worthy};
use self::inner::Inner;
use self::law::Source;
use self::relation::Column;
use super::candidate::Model;
use super::describe;
use super::engine::{Batch, Engine, Search, Step};
use super::problem::Problem;
use super::projective::Grain;
use crate::base::Number;
use crate::base::random::Streams;
use crate::expression::Expr;
use crate::units::Dimension;

/// Its name in answers.
const NAME: &str = "algebraic";
/// Rows that a relation is checked on beside those it was found on.
const CHECKED: usize = 100;
/// Most products of atoms that are written out.
const PRODUCTS: usize = 20_000;
/// Most relations of a dictionary that become laws.
const RELATIONS: usize = 3;
/// Smallest and largest degree.
const LEAST: usize = 5;
/// The latter.
const DEGREE: usize = 10;
/// Products of atoms up to which the degree grows.
const WIDE: f64 = 5000.0;
/// Largest group beside terms of a foreign dimension.
const FOREIGN: usize = 80;
/// Terms of the foreign dimension.
const STRANGE: usize = 24;
/// How many such dimensions are tried.
const FOREIGNERS: usize = 16;
/// Groups of one dimension that an inner constant is looked for in.
const TYPED: usize = 2;
/// Largest group of pairs and triples of groups.
const JOINED: usize = 40;

/// The engines.
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Algebraic::default())]
}

/// Which products meet in one relation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// Those of one dimension, so many, for so many dimensions.
    Typed(usize, usize),
    /// One group of atoms of one dimension for each power of the target, up to a degree.
    Joined(usize),
    /// All, by degree, so many.
    All(usize),
    /// Those of one dimension and a few of another one, which a constant with a unit joins: so many pairs of dimensions.
    Foreign(usize),
    /// The target alone beside products of two of many atoms: a sum of many terms.
    Sum(usize),
}

/// What is looked for in one go.
#[derive(Clone, Debug)]
struct Task {
    link: Link,
    /// The feature that the target is a part of: it is divided by it before the link.
    whole: Option<usize>,
    /// Powers of the features that the target is divided by.
    strip: Vec<i8>,
    atoms: Vec<Atom>,
    /// Whether the atoms are squares, and the target's powers even.
    squares: bool,
    mode: Mode,
    /// A function with an open constant beside the atoms.
    inner: Option<Inner>,
}

/// Tasks that are alike.
#[derive(Debug)]
struct Stage {
    family: &'static str,
    tasks: Vec<Task>,
    step: Step,
}

#[derive(Debug)]
struct Base {
    epsilon: f64,
    rows: Vec<usize>,
    stages: Vec<Stage>,
}

/// The engine.
#[derive(Debug, Default)]
pub struct Algebraic {
    next: usize,
    prepared: bool,
    base: Option<Box<Base>>,
}

impl Engine for Algebraic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        if !std::mem::replace(&mut self.prepared, true) {
            self.base = Base::new(search).map(Box::new);
        }
        self.base.as_ref()?.stages.get(self.next).map(|s| s.step)
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Some(base) = &self.base else { return Batch::default() };
        let Some(stage) = base.stages.get(self.next) else { return Batch::default() };
        self.next += 1;
        let found: Vec<(Vec<Model>, u64)> = stage
            .tasks
            .par_iter()
            .map(|t| if search.cancel.stop().is_some() { (Vec::new(), 0) } else { base.run(search, t) })
            .collect();
        let work = found.iter().map(|f| f.1).sum();
        Batch { models: found.into_iter().flat_map(|f| f.0).collect(), work }
    }

    fn evidence(&self) -> Option<String> {
        let stage = self.base.as_ref()?.stages.get(self.next.checked_sub(1)?)?;
        Some(format!("family `{}`", stage.family))
    }

    fn save(&self) -> Json {
        Json::from(self.next)
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.next = usize::try_from(state.as_u64()?).ok()?;
        Some(())
    }
}

/// The degree of products of these atoms: few of them may stand in higher powers.
fn degree(atoms: &[Atom]) -> usize {
    let size = |degree: usize| (1..=atoms.len()).fold(1.0, |c, i| c * (degree + i) as f64 / i as f64);
    (LEAST..=DEGREE).rev().find(|d| size(*d) <= WIDE).unwrap_or(LEAST)
}

/// The data with the target as a part of one of the features.
fn part_of(problem: &Problem, whole: usize) -> Problem {
    let ratio = problem.target.iter().zip(&problem.columns[whole]).map(|(y, x)| y / x).collect();
    Problem { target: ratio, target_dimension: Dimension::NONE, target_unit: None, ..problem.clone() }
}

impl Base {
    fn new(search: &Search<'_>) -> Option<Base> {
        let Search { problem, plan, .. } = *search;
        if !["+", "*"].iter().all(|o| plan.allows(o)) {
            return None;
        }
        let grain = Grain::of(problem);
        let floor = describe::noise_floor(problem);
        let size = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        let read = if problem.resolution.is_some() && size > 0.0 { floor / size } else { 0.0 };
        let epsilon = (grain.target + grain.features).max(read).max(1e-15);
        let mut rows: Vec<usize> = (0..problem.rows()).collect();
        rows.shuffle(&mut Streams::new(plan.seed).stream("regress/algebraic/rows"));
        Some(Base { epsilon, rows, stages: stages::all(problem, plan)? })
    }

    fn run(&self, search: &Search<'_>, task: &Task) -> (Vec<Model>, u64) {
        let part = task.whole.map(|k| part_of(search.problem, k));
        let problem = part.as_ref().unwrap_or(search.problem);
        let Some((mut target, sign)) = task.link.forward(problem, search.plan) else {
            return (Vec::new(), 0);
        };
        let mut stripped = match task.whole {
            Some(k) => Expr::symbol(problem.names[k].clone()),
            None => Expr::one(),
        };
        if !task.strip.is_empty() {
            for (p, k) in task.strip.iter().zip(problem.useful()) {
                let factors = problem.columns[k].iter().map(|x| x.powi(i32::from(*p)));
                target.iter_mut().zip(factors).for_each(|(y, f)| *y /= f);
                let feature = Expr::symbol(problem.names[k].clone());
                stripped = Expr::product([stripped, feature.powi(i64::from(*p))]);
            }
        }
        let largest = target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        if !(largest.is_finite() && largest > 0.0) || target.iter().any(|y| !y.is_finite()) {
            return (Vec::new(), 0);
        }
        target.iter_mut().for_each(|y| *y /= largest);
        let source = Source {
            problem,
            atoms: &task.atoms,
            link: task.link,
            target: &target,
            scale: largest,
            sign,
            stripped: &stripped,
            epsilon: self.epsilon,
            engine: NAME,
            inner: &[],
        };
        let dimension = task.link.dimension(problem);
        let of_strip = task.strip.iter().zip(problem.useful()).try_fold(Dimension::NONE, |d, (p, k)| {
            d.mul(problem.dimension(k).pow(&Number::int(i64::from(*p)))?)
        });
        let Some(dimension) = of_strip.and_then(|d| dimension.div(d)) else { return (Vec::new(), 0) };
        let powers: &[u8] = match (task.link, task.squares) {
            (_, true) => &[0, 2],
            // Solutions of quadratic equations, also those that an angle has for its cosine or tangent.
            (link, _) if link == Link::Plain || link.angle() => &[0, 1, 2],
            _ => &[0, 1],
        };
        let room = self.rows.len().saturating_sub(6);
        if let Some(inner) = &task.inner {
            return self.inner(search, task, inner, &source, dimension);
        }
        let mut work = 0;
        let mut models = Vec::new();
        let mut look = |group: &[Term], most: usize, work: &mut u64| -> bool {
            let group = &group[..group.len().min(most).min(room)];
            if worthy(group) && search.cancel.stop().is_none() {
                models.extend(self.relation(&source, group, work));
            }
            models.len() >= RELATIONS
        };
        match task.mode {
            Mode::Typed(most, dimensions) => {
                let degree = degree(&task.atoms);
                let all = terms(&products(&task.atoms, degree, PRODUCTS), dimension, powers, degree);
                work += all.len() as u64;
                let mut groups = groups(&all);
                groups.retain(|g| worthy(g));
                groups.sort_by_key(|g| (g[0].degree(), g.len()));
                for group in groups.iter().take(dimensions) {
                    if look(group, most, &mut work) {
                        break;
                    }
                }
            }
            Mode::All(most) => {
                let degree = 6;
                let all = terms(&products(&task.atoms, degree, most), dimension, powers, degree);
                look(&all, most, &mut work);
            }
            Mode::Foreign(most) => {
                let degree = degree(&task.atoms);
                let own = products(&task.atoms, degree, PRODUCTS);
                let all = terms(&own, dimension, powers, degree);
                let mut typed = groups(&all);
                typed.retain(|g| g.iter().any(|t| t.target > 0));
                typed.sort_by_key(|g| (g[0].degree(), g.len()));
                typed.iter_mut().for_each(|g| g.truncate(FOREIGN));
                let few = terms(&products(&task.atoms, 6, PRODUCTS), dimension, &[0], 6);
                let mut foreign = groups(&few);
                foreign.sort_by_key(|g| (g[0].degree(), g.len()));
                foreign.truncate(FOREIGNERS);
                work += all.len() as u64;
                let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
                for (i, group) in typed.iter().enumerate() {
                    for (j, more) in foreign.iter().enumerate() {
                        if more[0].dimension != group[0].dimension {
                            pairs.push((group[0].degree() + more[0].degree(), i, j));
                        }
                    }
                }
                pairs.sort_unstable();
                let joined = pairs.into_iter().map(|(_, i, j)| -> Vec<Term> {
                    let mut own: Vec<Term> =
                        typed[i].iter().chain(foreign[j].iter().take(STRANGE)).cloned().collect();
                    own.sort_by_key(Term::degree);
                    own
                });
                for group in joined.filter(|g| worthy(g)).take(most) {
                    if look(&group, FOREIGN + STRANGE, &mut work) {
                        break;
                    }
                }
            }
            Mode::Sum(most) => {
                let own = products(&task.atoms, 2, most);
                let alone = |t: &Term| t.target == 0 || t.degree() == 1;
                let mut all = terms(&own, dimension, &[0, 1], 2);
                all.retain(alone);
                // The target comes last: it is to be found in the others.
                all.sort_by_key(|t| (t.target, t.degree()));
                if all.len() + 20 < room && all.len() <= most {
                    look(&all, most, &mut work);
                }
            }
            Mode::Joined(degree) => {
                let own = groups(&products(&task.atoms, degree, PRODUCTS));
                let raised = |group: &[Term], k: u8| -> Vec<Term> {
                    let of_target = dimension.pow(&Number::int(i64::from(k)));
                    let one = |t: &Term| {
                        let dimension = t.dimension.mul(of_target?)?;
                        Some(Term { target: k, powers: t.powers.clone(), dimension })
                    };
                    group.iter().filter_map(one).collect()
                };
                let mut joined: Vec<Vec<Term>> = Vec::new();
                for &k in &powers[1..] {
                    for a in &own {
                        for b in &own {
                            if a.len() + b.len() > JOINED || a.len() + b.len() < 3 {
                                continue;
                            }
                            let mut group = raised(b, k);
                            if group.first().is_none_or(|t| t.dimension == a[0].dimension) {
                                continue;
                            }
                            group.extend(a.iter().cloned());
                            group.sort_by_key(Term::degree);
                            joined.push(group);
                        }
                    }
                }
                joined.sort_by_key(Vec::len);
                for group in &joined {
                    if look(group, JOINED, &mut work) {
                        break;
                    }
                }
            }
        }
        (models, work)
    }

    /// The laws with a function whose constant is open.
    fn inner(
        &self,
        search: &Search<'_>,
        task: &Task,
        inner: &Inner,
        source: &Source<'_>,
        dimension: Dimension,
    ) -> (Vec<Model>, u64) {
        let (n, count) = (task.atoms.len(), inner.shape.atoms());
        let mut work = 0;
        // Products of atoms as if the functions were some, of which one stands in a term, once.
        let mut stand_in = task.atoms.clone();
        let number = |a: &Atom| Atom { dimension: Dimension::NONE, ..a.clone() };
        stand_in.extend(std::iter::repeat_n(number(&inner.argument), count));
        let simple = |t: &Term| t.powers[n..].iter().map(|p| usize::from(*p)).sum::<usize>() <= 1;
        let of_degree = |degree: usize| -> Vec<Term> {
            let all = terms(&products(&stand_in, degree, PRODUCTS), dimension, &[0, 1], degree);
            all.into_iter().filter(simple).collect()
        };
        let groups: Vec<Vec<Term>> = match task.mode {
            Mode::Typed(..) => {
                let mut all = groups(&of_degree(6));
                all.retain(|g| worthy(g) && g.iter().any(|t| t.powers[n..].iter().any(|p| *p > 0)));
                all.sort_by_key(|g| (g[0].degree(), g.len()));
                all.truncate(TYPED);
                all
            }
            _ => {
                // 1 and the atoms, beside the functions and the target.
                let few = |t: &Term| t.powers[..n].iter().map(|p| usize::from(*p)).sum::<usize>() <= 1;
                let mut own = of_degree(3);
                own.retain(few);
                let more = of_degree(4);
                // A single feature has terms to spare.
                if n == 1 { vec![own, more] } else { vec![own] }
            }
        };
        let mut models = Vec::new();
        for mut group in groups {
            group.truncate(inner::LARGEST);
            let rows = &self.rows[..self.rows.len().min(2 * group.len() + 30)];
            if rows.len() < group.len() + 6 || search.cancel.stop().is_some() {
                continue;
            }
            let outer = |t: &Term, row: usize| source.value(t, row);
            let constants = inner.scan(&group, rows, &outer, self.epsilon, &mut work);
            for (c, places) in constants.into_iter().take(2 * RELATIONS) {
                let group: Vec<Term> = places.iter().map(|&k| group[k].clone()).collect();
                let Some(parameter) = inner.parameter(c, 0) else { continue };
                let Some(made) = inner.with(c, &Expr::symbol(parameter.symbol.clone())) else { continue };
                let mut atoms = task.atoms.clone();
                atoms.extend(made);
                let inner = [parameter];
                let source = Source { atoms: &atoms, inner: &inner, epsilon: 30.0 * self.epsilon, ..*source };
                models.extend(self.relation(&source, &group, &mut work));
            }
            if models.len() >= RELATIONS {
                break;
            }
        }
        (models, work)
    }

    /// The law of the first relation in a group.
    fn relation(&self, source: &Source<'_>, group: &[Term], work: &mut u64) -> Option<Model> {
        let rows = &self.rows[..self.rows.len().min(group.len() + 40)];
        let values: Vec<Vec<f64>> =
            group.iter().map(|t| rows.iter().map(|&r| source.value(t, r)).collect()).collect();
        *work += (rows.len() * group.len() / 2) as u64;
        // A relation holds row by row: rows where all is small count as the others.
        let weights: Vec<f64> = if source.inner.is_empty() {
            let norms: Vec<f64> = values.iter().map(|v| relation::dot(v, v).sqrt()).collect();
            let most = |r: usize| values.iter().zip(&norms).fold(0.0f64, |m, (v, n)| m.max(v[r].abs() / n));
            (0..rows.len()).map(|r| 1.0 / most(r)).collect()
        } else {
            inner::weights(&values)
        };
        let one = |(v, t): (Vec<f64>, &Term)| {
            Column::new(v.iter().zip(&weights).map(|(v, w)| v * w).collect(), t.target)
        };
        let columns: Vec<Column> = values.into_iter().zip(group).map(one).collect::<Option<_>>()?;
        let relation = relation::first(&columns, source.epsilon, work)?;
        let terms: Vec<Term> = relation.places.iter().map(|&k| group[k].clone()).collect();
        let coefficients: Vec<f64> =
            relation.places.iter().zip(&relation.factors).map(|(&k, x)| x / columns[k].norm).collect();
        // It must hold on rows that it was not made from, too.
        let start = if self.rows.len() > rows.len() + CHECKED { rows.len() } else { 0 };
        for &row in self.rows[start..].iter().take(CHECKED) {
            let values = terms.iter().zip(&coefficients).map(|(t, c)| c * source.value(t, row));
            let (sum, size) = values.fold((0.0, 0.0), |(s, z), v| (s + v, z + v.abs()));
            if !(f64::abs(sum) <= 1e4 * source.epsilon * size) {
                return None;
            }
        }
        source.law(&terms, &coefficients)
    }
}
