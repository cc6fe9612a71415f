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
#[cfg(test)]
mod tests;

use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde_json::Value as Json;

use self::dictionary::{Atom, Link, Shape, Term, groups, products, terms, worthy};
use self::inner::Inner;
use self::law::Source;
use self::relation::Column;
use super::candidate::Model;
use super::describe;
use super::engine::{Batch, Engine, Search, Step};
use super::options::Constants;
use super::problem::Problem;
use super::projective::Grain;
use crate::base::Number;
use crate::base::random::Streams;
use crate::expression::Expr;
use crate::numeric::linear_least_squares;
use crate::units::Dimension;

/// Its name in answers.
const NAME: &str = "algebraic";
/// Dictionaries of a step.
const BATCH: usize = 24;
/// Rows that a relation is checked on beside those it was found on.
const CHECKED: usize = 100;
/// Most products of atoms that are written out.
const PRODUCTS: usize = 20_000;
/// Pairs of functions, and functions beside divisors, that are tried.
const PAIRS: usize = 800;
/// Bases that functions join.
const JOINED_BASES: usize = 8;
/// Most relations of a dictionary that become laws.
const RELATIONS: usize = 3;
/// Features up to which the target is divided by their powers, and how many of these are tried.
const STRIPPED: usize = 9;
/// So many.
const STRIPS: usize = 12;
/// Slope from which on a feature is taken for one that divides.
const DIVIDES: f64 = -0.3;
/// Smallest and largest degree.
const LEAST: usize = 5;
/// The latter.
const DEGREE: usize = 10;
/// Products of atoms up to which the degree grows.
const WIDE: f64 = 5000.0;
/// Most terms of a sum of many.
const WIDEST: usize = 600;
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

/// The arguments of functions: dimensionless features, products and ratios of two features, of three.
fn arguments(features: &[Atom], typed: bool) -> Vec<Atom> {
    let mut all: Vec<Atom> = features.iter().filter(|a| a.dimension.is_none()).cloned().collect();
    let mut more = Vec::new();
    for (i, a) in features.iter().enumerate() {
        for (j, b) in features.iter().enumerate() {
            if i < j {
                more.extend(a.with(b, false));
            }
            if i < j || (typed && i != j) {
                more.extend(a.with(b, true));
            }
        }
    }
    let two: Vec<Atom> = more.clone();
    all.extend(more.into_iter().filter(|m| m.dimension.is_none()));
    for (i, a) in features.iter().enumerate() {
        for b in &features[i + 1..] {
            all.extend([-1.0, 1.0].into_iter().filter_map(|sign| a.plus(b, sign)));
        }
    }
    if typed {
        for m in &two {
            for f in features {
                for divided in [false, true] {
                    let Some(three) = m.with(f, divided) else { continue };
                    let known = all.iter().any(|a| a.expr == three.expr);
                    if three.dimension.is_none() && !known {
                        all.push(three);
                    }
                }
            }
        }
    }
    all
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

/// Powers of the features near those of a power law through |y|, that the target may be divided by; those first after
/// which least is left. With units only those of the target's dimension.
fn strips(problem: &Problem, features: &[usize], typed: bool) -> (Vec<Vec<i8>>, Vec<f64>) {
    let n = features.len();
    let none = (Vec::new(), vec![0.0; n]);
    let log = |c: &[f64]| -> Vec<f64> { c.iter().map(|v| v.abs().ln()).collect() };
    let mut lists: Vec<Vec<f64>> = features.iter().map(|&k| log(&problem.columns[k])).collect();
    let mut y = log(&problem.target);
    let kept: Vec<usize> =
        (0..y.len()).filter(|&r| y[r].is_finite() && lists.iter().all(|l| l[r].is_finite())).collect();
    if kept.len() < 3 * n + 10 || n > STRIPPED {
        return none;
    }
    let centred = |l: &[f64]| -> Vec<f64> {
        let mean = kept.iter().map(|&r| l[r]).sum::<f64>() / kept.len() as f64;
        kept.iter().map(|&r| l[r] - mean).collect()
    };
    y = centred(&y);
    lists = lists.iter().map(|l| centred(l)).collect();
    let columns: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
    let Ok(solved) = linear_least_squares(&columns, &y, None, false) else { return none };
    let slopes = solved.coefficients;
    let gram: Vec<Vec<f64>> =
        lists.iter().map(|a| lists.iter().map(|b| relation::dot(a, b)).collect()).collect();
    let with: Vec<f64> = lists.iter().map(|a| relation::dot(a, &y)).collect();
    let choices: Vec<Vec<i8>> = slopes
        .iter()
        .map(|s| {
            let mut near: Vec<i8> = [0.0, s.floor(), s.ceil()].map(|v| v.clamp(-4.0, 4.0) as i8).to_vec();
            near.sort_unstable();
            near.dedup();
            near
        })
        .collect();
    let dimensions: Vec<_> = features.iter().map(|&k| problem.dimension(k)).collect();
    let mut found: Vec<(f64, Vec<i8>)> = Vec::new();
    let mut place = vec![0; n];
    loop {
        let p: Vec<i8> = place.iter().zip(&choices).map(|(&i, c)| c[i]).collect();
        let dimension = p
            .iter()
            .zip(&dimensions)
            .try_fold(Dimension::NONE, |d, (p, of)| d.mul(of.pow(&Number::int(i64::from(*p)))?));
        if p.iter().any(|p| *p != 0) && (!typed || dimension == Some(problem.goal())) {
            let mut left = 0.0;
            for i in 0..n {
                left -= 2.0 * f64::from(p[i]) * with[i];
                for j in 0..n {
                    left += f64::from(p[i]) * f64::from(p[j]) * gram[i][j];
                }
            }
            found.push((left, p));
        }
        let Some(k) = (0..n).find(|&k| place[k] + 1 < choices[k].len()) else { break };
        place[..k].fill(0);
        place[k] += 1;
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    found.truncate(STRIPS);
    (found.into_iter().map(|f| f.1).collect(), slopes)
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
        let features = Atom::features(problem);
        if features.is_empty() || features.len() != problem.useful().len() || problem.rows() < 8 {
            return None;
        }
        let typed = problem.dimensions.is_some()
            && (features.iter().any(|a| !a.dimension.is_none()) || !problem.goal().is_none());
        let free = !typed || plan.constants == Constants::Free;
        let off = |family: &str| plan.without.iter().any(|w| w == family);
        let mut stages = Vec::new();
        let mut add = |family: &'static str, tasks: Vec<Task>, work: u64, chance: f64| {
            if off(family) {
                return;
            }
            for (batch, some) in tasks.chunks(BATCH).enumerate() {
                let chance = chance / (1.0 + batch as f64);
                let work = work * some.len() as u64;
                stages.push(Stage { family, tasks: some.to_vec(), step: Step { work, chance } });
            }
        };
        // Functions of one argument, those of single features first; the feature that a function stands for.
        let arguments = arguments(&features, typed);
        let mut functions: Vec<(Vec<Atom>, Option<usize>)> = Vec::new();
        for shape in Shape::ALL {
            let one = |k: usize| (shape.of(&features[k], plan), shape.replaces().then_some(k));
            functions.extend((0..features.len()).map(one));
        }
        for a in arguments.iter().filter(|a| !features.iter().any(|f| f.expr == a.expr)) {
            let shapes = [Shape::Exp, Shape::Log, Shape::Angle, Shape::Pythagoras, Shape::HalfAngle];
            functions.extend(shapes.map(|shape| (shape.of(a, plan), None)));
        }
        functions.retain(|f| !f.0.is_empty());
        let single = functions.iter().filter(|f| f.1.is_some()).count();
        let all_of =
            |shape: Shape| -> Vec<Atom> { features.iter().flat_map(|a| shape.of(a, plan)).collect() };
        let (logs, angles) = (all_of(Shape::Log), all_of(Shape::Angle));
        let links: Vec<Link> =
            Link::OUTER.into_iter().filter(|l| l.forward(problem, plan).is_some()).collect();
        let (powers, slopes) = strips(problem, &problem.useful(), typed);
        let reciprocal = |k: usize| slopes.get(k).is_some_and(|s| *s < DIVIDES) && plan.allows("/");
        let turned: Vec<Atom> = (0..features.len())
            .filter_map(|k| if reciprocal(k) { features[k].inverted() } else { Some(features[k].clone()) })
            .collect();
        let turn = (0..features.len()).any(reciprocal) && turned.len() == features.len();
        // 1/y may be a sum of what divides: things in series.
        let grows = |k: usize| slopes.get(k).is_some_and(|s| *s > -DIVIDES) && plan.allows("/");
        let raised: Vec<Atom> = (0..features.len())
            .filter_map(|k| if grows(k) { features[k].inverted() } else { Some(features[k].clone()) })
            .collect();
        let turn_up = (0..features.len()).any(grows);
        let squares = plan.allows("sqrt").then_some(true);
        let modes = |group: usize| -> Vec<Mode> {
            let all = free.then_some(Mode::All(group));
            typed.then_some(Mode::Typed(group, 5)).into_iter().chain(all).collect()
        };
        // Groups of one dimension are several.
        let cost = |mode: Mode, work: u64| if matches!(mode, Mode::All(_)) { work * 2 / 5 } else { work };
        let make = |link: Link, strip: &[i8], base: &[Atom], more: &[Atom], mode: Mode| -> Task {
            let atoms = base.iter().chain(more).cloned().collect();
            Task { link, whole: None, strip: strip.to_vec(), atoms, squares: false, mode, inner: None }
        };
        let plain = |more: &[Atom], mode: Mode| make(Link::Plain, &[], &features, more, mode);
        // With the functions of one argument in place of it, or beside it.
        let with =
            |link: Link, strip: &[i8], base: &[Atom], f: &[&(Vec<Atom>, Option<usize>)], mode: Mode| {
                let kept =
                    (0..base.len()).filter(|k| !f.iter().any(|f| f.1 == Some(*k))).map(|k| base[k].clone());
                let atoms = kept.chain(f.iter().flat_map(|f| f.0.iter().cloned())).collect();
                Task { link, whole: None, strip: strip.to_vec(), atoms, squares: false, mode, inner: None }
            };
        let squared = |tasks: &[Task]| -> Vec<Task> {
            let one = |t: &Task| {
                let atoms: Vec<Atom> = t.atoms.iter().filter_map(Atom::squared).collect();
                (atoms.len() == t.atoms.len()).then(|| Task { atoms, squares: true, ..t.clone() })
            };
            squares.map_or_else(Vec::new, |_| tasks.iter().filter_map(one).collect())
        };
        // Under noise no relation holds: what costs most comes after the sums of few terms, which noise leaves.
        if typed {
            add("relations", vec![plain(&[], Mode::Typed(90, 60))], 700_000, 0.03);
            add("relations", squared(&[plain(&[], Mode::Typed(90, 60))]), 700_000, 0.02);
            add("relations", vec![plain(&[], Mode::Typed(250, 20))], 6_000_000, 0.02);
        }
        if free {
            add("relations", vec![plain(&[], Mode::All(60))], 150_000, 0.03);
            add("relations", vec![plain(&[], Mode::All(150))], 1_500_000, 0.03);
            add("relations", squared(&[plain(&[], Mode::All(90))]), 300_000, 0.02);
            add("relations", vec![plain(&[], Mode::All(320))], 12_000_000, 0.02);
        }
        if typed && free {
            add("relations", vec![plain(&[], Mode::Joined(3))], 1_000_000, 0.03);
            add("foreign", vec![plain(&[], Mode::Foreign(60))], 5_000_000, 0.02);
        }
        // Under a link, a plain sum of logarithms is a product of powers.
        let bare = |mode: Mode| links.iter().map(|l| make(*l, &[], &features, &[], mode)).collect();
        add("links", bare(Mode::All(40)), 60_000, 0.015);
        if free {
            let angles: Vec<Link> = links.iter().copied().filter(|l| l.angle()).collect();
            let tasks: Vec<Task> =
                angles.iter().map(|l| make(*l, &[], &features, &[], Mode::All(60))).collect();
            add("links", squared(&tasks), 150_000, 0.01);
        }
        if free && !logs.is_empty() {
            for (most, work) in [(60, 200_000), (300, 8_000_000)] {
                let all: Vec<Task> =
                    links.iter().map(|l| make(*l, &[], &features, &logs, Mode::All(most))).collect();
                add("links", all, work, 0.02);
            }
        }
        for mode in modes(90) {
            let tasks: Vec<Task> =
                functions.iter().map(|f| with(Link::Plain, &[], &features, &[f], mode)).collect();
            add("functions", squared(&tasks), cost(mode, 300_000), 0.015);
            add("functions", tasks, cost(mode, 400_000), 0.04);
            // Sines beside their angle.
            let both = functions[..single].iter().filter(|f| f.1.is_some());
            add("functions", both.map(|f| plain(&f.0, mode)).collect(), cost(mode, 400_000), 0.01);
        }
        let many = angles.len() > 2 && angles.len() <= 8;
        let not_angles: Vec<Atom> = features.iter().filter(|a| !a.dimension.is_none()).cloned().collect();
        if many {
            for mode in modes(200) {
                let task = make(Link::Plain, &[], &not_angles, &angles, mode);
                add("functions", squared(std::slice::from_ref(&task)), cost(mode, 2_500_000), 0.01);
                add("functions", vec![task], cost(mode, 2_500_000), 0.02);
                add("functions", vec![plain(&angles, mode)], cost(mode, 2_500_000), 0.01);
            }
            for mode in modes(100) {
                let all = links.iter().map(|l| make(*l, &[], &not_angles, &angles, mode)).collect();
                add("links", all, cost(mode, 500_000), 0.01);
            }
        }
        let tangents: Vec<Atom> = all_of(Shape::Tan);
        if !tangents.is_empty() && tangents.len() * 2 == angles.len() {
            for mode in modes(90) {
                let task = make(Link::Plain, &[], &not_angles, &tangents, mode);
                add("functions", squared(std::slice::from_ref(&task)), cost(mode, 500_000), 0.01);
                add("functions", vec![task], cost(mode, 500_000), 0.01);
            }
        }
        for link in &links {
            for mode in modes(60) {
                let tasks: Vec<Task> =
                    functions[..single].iter().map(|f| with(*link, &[], &features, &[f], mode)).collect();
                add("links", squared(&tasks), cost(mode, 150_000), if link.angle() { 0.004 } else { 0.0005 });
                add("links", tasks, cost(mode, 200_000), if link.angle() { 0.01 } else { 0.003 });
            }
        }
        for link in links.iter().filter(|l| l.angle() && free) {
            let of = |f| with(*link, &[], &features, &[f], Mode::All(250));
            add("links", functions[..single].iter().map(of).collect(), 4_000_000, 0.01);
        }
        if typed && free {
            let one =
                |f: &(Vec<Atom>, Option<usize>)| with(Link::Plain, &[], &features, &[f], Mode::Joined(2));
            add("functions", functions.iter().map(one).collect(), 1_000_000, 0.01);
            let one =
                |f: &(Vec<Atom>, Option<usize>)| with(Link::Plain, &[], &features, &[f], Mode::Foreign(60));
            let single = functions.iter().filter(|f| f.1.is_some());
            add("foreign", single.map(one).collect(), 5_000_000, 0.03);
            if logs.len() > 1 {
                let all = vec![plain(&logs, Mode::Foreign(60)), plain(&logs, Mode::Typed(200, 5))];
                add("functions", all, 5_000_000, 0.01);
            }
        }
        // Sums of many terms, whose coefficients a wide dictionary shows all at once.
        let mut distances: Vec<Atom> = Vec::new();
        for (i, a) in features.iter().enumerate() {
            for b in &features[i + 1..] {
                let both = [1.0, -1.0].into_iter().filter_map(|sign| a.plus(b, sign));
                distances.extend(both.flat_map(|d| Shape::Log.of(&d, plan)));
            }
        }
        let wide = |lists: &[&Vec<Atom>]| -> Vec<Atom> {
            let mut wide: Vec<Atom> = features.iter().filter_map(Atom::inverted).collect();
            for more in lists {
                let n = features.len() + wide.len() + more.len();
                if (n + 1) * (n + 2) / 2 + 2 <= WIDEST.min(problem.rows()) {
                    wide.extend(more.iter().cloned());
                }
            }
            wide
        };
        // Parts of one of the features: what saturates.
        let part = |k: usize| -> Option<(usize, Problem)> {
            let own = part_of(problem, k);
            let inside = own.target.iter().all(|v| *v > 0.0 && *v < 1.0);
            (inside && problem.dimension(k) == problem.goal()).then_some((k, own))
        };
        let parts: Vec<(usize, Problem)> = problem.useful().into_iter().filter_map(part).collect();
        let roots = all_of(Shape::Sqrt);
        let mut dictionaries = vec![wide(&[&logs, &roots, &angles])];
        // Powers of what exceeds a threshold, of a distance, of a sum of two amounts.
        if !distances.is_empty() {
            dictionaries.push(wide(&[&logs, &distances]));
        }
        for more in dictionaries.iter().filter(|_| free) {
            let of = |l: Link| make(l, &[], &features, more, Mode::Sum(WIDEST));
            let plain_and_links = std::iter::once(Link::Plain).chain(links.iter().copied());
            add("sums of many", plain_and_links.map(of).collect(), 2_000_000, 0.03);
            let of_parts = parts.iter().flat_map(|(k, own)| {
                let links = [Link::Logit, Link::Rest, Link::Least, Link::Largest].into_iter();
                let links = links.filter(|l| l.forward(own, plan).is_some());
                links.map(|l| Task { whole: Some(*k), ..of(l) })
            });
            add("sums of many", of_parts.collect(), 2_000_000, 0.02);
        }
        // Two functions at once.
        let mut pairs = Vec::new();
        for total in 1..functions.len() {
            for i in 0..functions.len() {
                if let Some(j) = total.checked_sub(i).filter(|j| *j > i && *j < functions.len()) {
                    pairs.push([&functions[i], &functions[j]]);
                }
            }
        }
        pairs.truncate(PAIRS);
        for mode in modes(110) {
            let tasks: Vec<Task> = pairs.iter().map(|p| with(Link::Plain, &[], &features, p, mode)).collect();
            add("functions", squared(&tasks), cost(mode, 600_000), 0.004);
            add("functions", tasks, cost(mode, 800_000), 0.012);
        }
        // The target divided by a product of powers, and features that divide as their reciprocals.
        let mut bases: Vec<(&[i8], &[Atom])> = Vec::new();
        if turn {
            bases.push((&[], &turned));
        }
        if raised.len() == features.len() && turn_up {
            bases.push((&[], &raised));
        }
        for p in &powers {
            bases.push((p, &features));
            if turn {
                bases.push((p, &turned));
            }
        }
        for mode in modes(70) {
            let tasks: Vec<Task> = bases.iter().map(|(p, b)| make(Link::Plain, p, b, &[], mode)).collect();
            add("divided", squared(&tasks), cost(mode, 200_000), 0.02);
            add("divided", tasks, cost(mode, 250_000), 0.03);
        }
        for mode in modes(90) {
            let few = bases.iter().take(JOINED_BASES);
            let tasks = few.flat_map(|b| functions.iter().map(move |f| (b, f))).take(PAIRS);
            let tasks: Vec<Task> = tasks.map(|((p, b), f)| with(Link::Plain, p, b, &[f], mode)).collect();
            add("divided", squared(&tasks), cost(mode, 400_000), 0.006);
            add("divided", tasks, cost(mode, 500_000), 0.012);
        }
        // One inner constant: of features, their reciprocals and squares, then of products and ratios of two.
        let mut open: Vec<Atom> = features.clone();
        open.extend(features.iter().filter_map(Atom::inverted));
        open.extend(features.iter().filter_map(Atom::squared));
        let alone = open.len();
        for (i, a) in features.iter().enumerate() {
            for (j, b) in features.iter().enumerate().filter(|(j, _)| *j != i) {
                open.extend((i < j).then(|| a.with(b, false)).flatten());
                open.extend(a.with(b, true));
            }
        }
        // Energies over temperatures, times over products: rates of three features.
        let mut three: Vec<Atom> = Vec::new();
        for (k, a) in features.iter().enumerate() {
            for (i, b) in features.iter().enumerate().filter(|(i, _)| *i != k) {
                for (_, c) in features.iter().enumerate().filter(|(j, _)| *j != k && *j > i) {
                    three.extend(a.with(b, true).and_then(|m| m.with(c, true)));
                    three.extend(b.with(c, false).and_then(|m| m.with(a, true)));
                }
            }
        }
        let inner = |link: Link, mode: Mode, arguments: &[Atom], powers: bool| -> Vec<Task> {
            let mut tasks = Vec::new();
            for shape in inner::Shape::ALL {
                for (k, argument) in arguments.iter().enumerate() {
                    let plain: Vec<f64> = argument.values.iter().map(|v| v * argument.scale).collect();
                    let fits = shape.allowed(&plain, plan) && (free || argument.dimension.is_none());
                    // Powers of a reciprocal or a square are powers.
                    let again = shape == inner::Shape::Power && !(powers && k < features.len());
                    if fits && !again {
                        let inner = Some(Inner { shape, argument: argument.clone() });
                        tasks.push(Task { inner, ..make(link, &[], &features, &[], mode) });
                    }
                }
            }
            tasks
        };
        for mode in modes(inner::LARGEST) {
            add("inner", inner(Link::Plain, mode, &open[..alone], true), cost(mode, 6_000_000), 0.02);
            add("inner", inner(Link::Plain, mode, &open[alone..], false), cost(mode, 6_000_000), 0.006);
            add("inner", inner(Link::Plain, mode, &three, false), cost(mode, 6_000_000), 0.003);
            if links.contains(&Link::Log) {
                add("inner", inner(Link::Log, mode, &open[..alone], true), cost(mode, 6_000_000), 0.004);
            }
        }
        let worth = |s: &Stage| s.step.chance / s.step.work as f64;
        stages.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        Some(Base { epsilon, rows, stages })
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
