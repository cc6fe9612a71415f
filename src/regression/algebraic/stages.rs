//! What the algebraic search looks at: the stages, from what is most worth its work on. A stage is a list of tasks of one
//! family; each family has a method here, with the general reason why laws are of its kind.

use super::dictionary::{Atom, Link, Shape};
use super::inner::{self, Inner};
use super::{Mode, Stage, Task, part_of, relation};
use crate::base::Number;
use crate::numeric::linear_least_squares;
use crate::regression::engine::Step;
use crate::regression::options::{Constants, Plan};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Dictionaries of a step.
const BATCH: usize = 24;
/// Pairs of functions, and functions beside divisors, that are tried.
const PAIRS: usize = 800;
/// Bases that functions join.
const BASES: usize = 8;
/// Features up to which the target is divided by their powers, and how many of these are tried.
const STRIPPED: usize = 9;
/// So many.
const STRIPS: usize = 12;
/// Slope from which on a feature is taken for one that divides.
const DIVIDES: f64 = -0.3;
/// Most terms of a sum of many.
const WIDEST: usize = 600;
/// Most arguments of three features.
const THREES: usize = 1000;

/// Functions of one argument as atoms, and the feature that they stand for.
type Functions = (Vec<Atom>, Option<usize>);

/// All stages; `None` where the data have nothing to look at.
pub fn all(problem: &Problem, plan: &Plan) -> Option<Vec<Stage>> {
    let room = Room::new(problem, plan)?;
    let mut list = List { plan, stages: Vec::new() };
    room.relations(&mut list);
    room.links(&mut list);
    room.functions(&mut list);
    room.angles(&mut list);
    room.functions_under_links(&mut list);
    room.functions_with_units(&mut list);
    room.sums(&mut list);
    room.pairs(&mut list);
    room.divided(&mut list);
    room.inner(&mut list);
    // Stable: what is worth as much stays in this order.
    let worth = |s: &Stage| s.step.chance / s.step.work as f64;
    list.stages.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
    Some(list.stages)
}

/// Stages as they are added.
struct List<'a> {
    plan: &'a Plan,
    stages: Vec<Stage>,
}

impl List<'_> {
    /// Tasks of a family, each of so much work, the chance that they hold the law together; later batches have less of it.
    fn add(&mut self, family: &'static str, tasks: Vec<Task>, work: u64, chance: f64) {
        if self.plan.without.iter().any(|w| w == family) {
            return;
        }
        for (batch, some) in tasks.chunks(BATCH).enumerate() {
            let chance = chance / (1.0 + batch as f64);
            let work = work * some.len() as u64;
            self.stages.push(Stage { family, tasks: some.to_vec(), step: Step { work, chance } });
        }
    }
}

/// Work by the mode: groups of one dimension are several.
fn cost(mode: Mode, work: u64) -> u64 {
    if matches!(mode, Mode::All(_)) { work * 2 / 5 } else { work }
}

/// A task.
fn make(link: Link, strip: &[i8], base: &[Atom], more: &[Atom], mode: Mode) -> Task {
    let atoms = base.iter().chain(more).cloned().collect();
    Task { link, whole: None, strip: strip.to_vec(), atoms, squares: false, mode, inner: None }
}

/// A task with the functions of one argument in place of it, or beside it.
fn with(link: Link, strip: &[i8], base: &[Atom], functions: &[&Functions], mode: Mode) -> Task {
    let stands = |k: usize| functions.iter().any(|f| f.1 == Some(k));
    let kept: Vec<Atom> = (0..base.len()).filter(|k| !stands(*k)).map(|k| base[k].clone()).collect();
    let more: Vec<Atom> = functions.iter().flat_map(|f| f.0.iter().cloned()).collect();
    make(link, strip, &kept, &more, mode)
}

/// What tasks are made of.
struct Room<'a> {
    problem: &'a Problem,
    plan: &'a Plan,
    features: Vec<Atom>,
    /// Whether dimensions say anything.
    typed: bool,
    /// Whether constants may carry units.
    free: bool,
    /// Functions of one argument, those of features first.
    functions: Vec<Functions>,
    /// How many of them are of features that they replace.
    single: usize,
    logs: Vec<Atom>,
    angles: Vec<Atom>,
    /// Features that are no numbers.
    not_angles: Vec<Atom>,
    /// Links that the data allow.
    links: Vec<Link>,
}

impl<'a> Room<'a> {
    fn new(problem: &'a Problem, plan: &'a Plan) -> Option<Room<'a>> {
        let features = Atom::features(problem);
        if features.is_empty() || features.len() != problem.useful().len() || problem.rows() < 8 {
            return None;
        }
        let typed = problem.dimensions.is_some()
            && (features.iter().any(|a| !a.dimension.is_none()) || !problem.goal().is_none());
        let arguments = arguments(&features, typed);
        let mut functions: Vec<Functions> = Vec::new();
        for shape in Shape::ALL {
            let one = |k: usize| (shape.of(&features[k], plan), shape.replaces().then_some(k));
            functions.extend((0..features.len()).map(one));
        }
        for a in arguments.iter().filter(|a| !features.iter().any(|f| f.expr == a.expr)) {
            let shapes = [Shape::Exp, Shape::Log, Shape::Angle, Shape::Pythagoras, Shape::HalfAngle];
            functions.extend(shapes.map(|shape| (shape.of(a, plan), None)));
        }
        functions.retain(|f| !f.0.is_empty());
        let all_of =
            |shape: Shape| -> Vec<Atom> { features.iter().flat_map(|a| shape.of(a, plan)).collect() };
        Some(Room {
            typed,
            free: !typed || plan.constants == Constants::Free,
            single: functions.iter().filter(|f| f.1.is_some()).count(),
            logs: all_of(Shape::Log),
            angles: all_of(Shape::Angle),
            not_angles: features.iter().filter(|a| !a.dimension.is_none()).cloned().collect(),
            links: Link::OUTER.into_iter().filter(|l| l.forward(problem, plan).is_some()).collect(),
            functions,
            features,
            problem,
            plan,
        })
    }

    /// The atoms that a shape makes of the features.
    fn all_of(&self, shape: Shape) -> Vec<Atom> {
        self.features.iter().flat_map(|a| shape.of(a, self.plan)).collect()
    }

    /// Which products meet, for groups of this size.
    fn modes(&self, group: usize) -> Vec<Mode> {
        let all = self.free.then_some(Mode::All(group));
        self.typed.then_some(Mode::Typed(group, 5)).into_iter().chain(all).collect()
    }

    /// The features and more atoms.
    fn plain(&self, more: &[Atom], mode: Mode) -> Task {
        make(Link::Plain, &[], &self.features, more, mode)
    }

    /// The same in squares: laws that are roots.
    fn squared(&self, tasks: &[Task]) -> Vec<Task> {
        let one = |t: &Task| {
            let atoms: Vec<Atom> = t.atoms.iter().filter_map(Atom::squared).collect();
            (atoms.len() == t.atoms.len()).then(|| Task { atoms, squares: true, ..t.clone() })
        };
        if self.plan.allows("sqrt") { tasks.iter().filter_map(one).collect() } else { Vec::new() }
    }

    /// Ratios and roots of polynomials. Under noise no relation holds: what costs most comes after the sums of few terms,
    /// which noise leaves.
    fn relations(&self, list: &mut List<'_>) {
        if self.typed {
            list.add("relations", vec![self.plain(&[], Mode::Typed(90, 60))], 700_000, 0.03);
            list.add("relations", self.squared(&[self.plain(&[], Mode::Typed(90, 60))]), 700_000, 0.02);
            list.add("relations", vec![self.plain(&[], Mode::Typed(250, 20))], 6_000_000, 0.02);
        }
        if self.free {
            list.add("relations", vec![self.plain(&[], Mode::All(60))], 150_000, 0.03);
            list.add("relations", vec![self.plain(&[], Mode::All(150))], 1_500_000, 0.03);
            list.add("relations", self.squared(&[self.plain(&[], Mode::All(90))]), 300_000, 0.02);
            list.add("relations", vec![self.plain(&[], Mode::All(320))], 12_000_000, 0.02);
        }
        if self.typed && self.free {
            list.add("relations", vec![self.plain(&[], Mode::Joined(3))], 1_000_000, 0.03);
            list.add("foreign", vec![self.plain(&[], Mode::Foreign(60))], 5_000_000, 0.02);
        }
    }

    /// Functions of polynomials. Under a link, a plain sum of logarithms is a product of powers.
    fn links(&self, list: &mut List<'_>) {
        let of = |more: &[Atom], mode: Mode, links: &mut dyn Iterator<Item = &Link>| -> Vec<Task> {
            links.map(|l| make(*l, &[], &self.features, more, mode)).collect()
        };
        list.add("links", of(&[], Mode::All(40), &mut self.links.iter()), 60_000, 0.015);
        if self.free {
            let tasks = of(&[], Mode::All(60), &mut self.links.iter().filter(|l| l.angle()));
            list.add("links", self.squared(&tasks), 150_000, 0.01);
        }
        if self.free && !self.logs.is_empty() {
            for (most, work) in [(60, 200_000), (300, 8_000_000)] {
                list.add("links", of(&self.logs, Mode::All(most), &mut self.links.iter()), work, 0.02);
            }
        }
    }

    /// Functions of one argument in polynomials.
    fn functions(&self, list: &mut List<'_>) {
        for mode in self.modes(90) {
            let tasks: Vec<Task> =
                self.functions.iter().map(|f| with(Link::Plain, &[], &self.features, &[f], mode)).collect();
            list.add("functions as variables", self.squared(&tasks), cost(mode, 300_000), 0.015);
            list.add("functions as variables", tasks, cost(mode, 400_000), 0.04);
            // Sines beside their angle.
            let both = self.functions[..self.single].iter().filter(|f| f.1.is_some());
            let both = both.map(|f| self.plain(&f.0, mode)).collect();
            list.add("functions as variables", both, cost(mode, 400_000), 0.01);
        }
    }

    /// Several angles at once; their tangents, in which ratios of sines and cosines have a low degree.
    fn angles(&self, list: &mut List<'_>) {
        if self.angles.len() > 2 && self.angles.len() <= 8 {
            for mode in self.modes(200) {
                let task = make(Link::Plain, &[], &self.not_angles, &self.angles, mode);
                let squared = self.squared(std::slice::from_ref(&task));
                list.add("functions as variables", squared, cost(mode, 2_500_000), 0.01);
                list.add("functions as variables", vec![task], cost(mode, 2_500_000), 0.02);
                list.add(
                    "functions as variables",
                    vec![self.plain(&self.angles, mode)],
                    cost(mode, 2_500_000),
                    0.01,
                );
            }
            for mode in self.modes(100) {
                let one = |l: &Link| make(*l, &[], &self.not_angles, &self.angles, mode);
                list.add("links", self.links.iter().map(one).collect(), cost(mode, 500_000), 0.01);
            }
        }
        let tangents: Vec<Atom> = self.all_of(Shape::Tan);
        if !tangents.is_empty() && tangents.len() * 2 == self.angles.len() {
            for mode in self.modes(90) {
                let task = make(Link::Plain, &[], &self.not_angles, &tangents, mode);
                let squared = self.squared(std::slice::from_ref(&task));
                list.add("functions as variables", squared, cost(mode, 500_000), 0.01);
                list.add("functions as variables", vec![task], cost(mode, 500_000), 0.01);
            }
        }
    }

    /// Functions of one argument under a link. What is an angle often depends on angles.
    fn functions_under_links(&self, list: &mut List<'_>) {
        let singles = &self.functions[..self.single];
        for link in &self.links {
            for mode in self.modes(60) {
                let tasks: Vec<Task> =
                    singles.iter().map(|f| with(*link, &[], &self.features, &[f], mode)).collect();
                let (squares, plain) = if link.angle() { (0.004, 0.01) } else { (0.0005, 0.003) };
                list.add("links", self.squared(&tasks), cost(mode, 150_000), squares);
                list.add("links", tasks, cost(mode, 200_000), plain);
            }
        }
        for link in self.links.iter().filter(|l| l.angle() && self.free) {
            let of = |f| with(*link, &[], &self.features, &[f], Mode::All(250));
            list.add("links", singles.iter().map(of).collect(), 4_000_000, 0.01);
        }
    }

    /// Functions of one argument where constants with a unit join groups of several dimensions.
    fn functions_with_units(&self, list: &mut List<'_>) {
        if !(self.typed && self.free) {
            return;
        }
        let of = |f: &Functions, mode: Mode| with(Link::Plain, &[], &self.features, &[f], mode);
        let joined = self.functions.iter().map(|f| of(f, Mode::Joined(2))).collect();
        list.add("functions as variables", joined, 1_000_000, 0.01);
        let foreign = self.functions.iter().filter(|f| f.1.is_some()).map(|f| of(f, Mode::Foreign(60)));
        list.add("foreign", foreign.collect(), 5_000_000, 0.03);
        if self.logs.len() > 1 {
            let modes = [Mode::Foreign(60), Mode::Typed(200, 5)];
            list.add(
                "functions as variables",
                modes.map(|m| self.plain(&self.logs, m)).to_vec(),
                5_000_000,
                0.01,
            );
        }
    }

    /// Sums of many terms, whose coefficients a wide dictionary shows all at once; of the target, of a link of it, and of
    /// what part of a feature it is, as that which saturates.
    fn sums(&self, list: &mut List<'_>) {
        if !self.free {
            return;
        }
        let (problem, plan) = (self.problem, self.plan);
        let mut distances: Vec<Atom> = Vec::new();
        for (i, a) in self.features.iter().enumerate() {
            for b in &self.features[i + 1..] {
                let both = [1.0, -1.0].into_iter().filter_map(|sign| a.plus(b, sign));
                distances.extend(both.flat_map(|d| Shape::Log.of(&d, plan)));
            }
        }
        let wide = |lists: &[&Vec<Atom>]| -> Vec<Atom> {
            let mut wide: Vec<Atom> = self.features.iter().filter_map(Atom::inverted).collect();
            for more in lists {
                let n = self.features.len() + wide.len() + more.len();
                if (n + 1) * (n + 2) / 2 + 2 <= WIDEST.min(problem.rows()) {
                    wide.extend(more.iter().cloned());
                }
            }
            wide
        };
        let mut dictionaries = vec![wide(&[&self.logs, &self.all_of(Shape::Sqrt), &self.angles])];
        // Powers of what exceeds a threshold, of a distance, of a sum of two amounts.
        if !distances.is_empty() {
            dictionaries.push(wide(&[&self.logs, &distances]));
        }
        let part = |k: usize| -> Option<(usize, Problem)> {
            let own = part_of(problem, k);
            let inside = own.target.iter().all(|v| *v > 0.0 && *v < 1.0);
            (inside && problem.dimension(k) == problem.goal()).then_some((k, own))
        };
        let parts: Vec<(usize, Problem)> = problem.useful().into_iter().filter_map(part).collect();
        for more in &dictionaries {
            let of = |l: Link| make(l, &[], &self.features, more, Mode::Sum(WIDEST));
            let plain_and_links = std::iter::once(Link::Plain).chain(self.links.iter().copied());
            list.add("sums of many", plain_and_links.map(of).collect(), 2_000_000, 0.03);
            let of_parts = parts.iter().flat_map(|(k, own)| {
                let links = [Link::Logit, Link::Rest, Link::Least, Link::Largest].into_iter();
                let links = links.filter(|l| l.forward(own, plan).is_some());
                links.map(|l| Task { whole: Some(*k), ..of(l) })
            });
            list.add("sums of many", of_parts.collect(), 2_000_000, 0.02);
        }
    }

    /// Two functions at once, those of early ones first.
    fn pairs(&self, list: &mut List<'_>) {
        let functions = &self.functions;
        let mut pairs = Vec::new();
        for total in 1..functions.len() {
            for i in 0..functions.len() {
                if let Some(j) = total.checked_sub(i).filter(|j| *j > i && *j < functions.len()) {
                    pairs.push([&functions[i], &functions[j]]);
                }
            }
        }
        pairs.truncate(PAIRS);
        for mode in self.modes(110) {
            let one = |p: &[&Functions; 2]| with(Link::Plain, &[], &self.features, p, mode);
            let tasks: Vec<Task> = pairs.iter().map(one).collect();
            list.add("functions as variables", self.squared(&tasks), cost(mode, 600_000), 0.004);
            list.add("functions as variables", tasks, cost(mode, 800_000), 0.012);
        }
    }

    /// The target divided by a product of powers; features that divide as their reciprocals, or those that do not: 1/y may
    /// be a sum of what divides, as that of things in series.
    fn divided(&self, list: &mut List<'_>) {
        let (powers, slopes) = strips(self.problem, &self.problem.useful(), self.typed);
        let turned = |which: &dyn Fn(f64) -> bool| -> Option<Vec<Atom>> {
            let turn = |k: usize| slopes.get(k).is_some_and(|s| which(*s)) && self.plan.allows("/");
            let one = |(k, a): (usize, &Atom)| if turn(k) { a.inverted() } else { Some(a.clone()) };
            let all = self.features.iter().enumerate().map(one).collect::<Option<_>>();
            all.filter(|_| (0..self.features.len()).any(turn))
        };
        let (falling, rising) = (turned(&|s| s < DIVIDES), turned(&|s| s > -DIVIDES));
        let mut bases: Vec<(&[i8], &[Atom])> = Vec::new();
        bases.extend(falling.iter().map(|t| (&[][..], t.as_slice())));
        bases.extend(rising.iter().map(|t| (&[][..], t.as_slice())));
        for p in &powers {
            bases.push((p, &self.features));
            bases.extend(falling.iter().map(|t| (p.as_slice(), t.as_slice())));
        }
        for mode in self.modes(70) {
            let tasks: Vec<Task> = bases.iter().map(|(p, b)| make(Link::Plain, p, b, &[], mode)).collect();
            list.add("divided", self.squared(&tasks), cost(mode, 200_000), 0.02);
            list.add("divided", tasks, cost(mode, 250_000), 0.03);
        }
        for mode in self.modes(90) {
            let few = bases.iter().take(BASES);
            let tasks = few.flat_map(|b| self.functions.iter().map(move |f| (b, f))).take(PAIRS);
            let tasks: Vec<Task> = tasks.map(|((p, b), f)| with(Link::Plain, p, b, &[f], mode)).collect();
            list.add("divided", self.squared(&tasks), cost(mode, 400_000), 0.006);
            list.add("divided", tasks, cost(mode, 500_000), 0.012);
        }
    }

    /// One inner constant: of features, their reciprocals and squares, then of products and ratios of two and three (energies
    /// over temperatures, times over products).
    fn inner(&self, list: &mut List<'_>) {
        let features = &self.features;
        let mut alone: Vec<Atom> = features.clone();
        alone.extend(features.iter().filter_map(Atom::inverted));
        alone.extend(features.iter().filter_map(Atom::squared));
        let (mut two, mut three) = (Vec::new(), Vec::new());
        for (i, a) in features.iter().enumerate() {
            for (j, b) in features.iter().enumerate().filter(|(j, _)| *j != i) {
                two.extend((i < j).then(|| a.with(b, false)).flatten());
                two.extend(a.with(b, true));
                let others = features.iter().enumerate().filter(|(k, _)| *k != i && *k > j);
                for c in others.map(|(_, c)| c).take(THREES.saturating_sub(three.len())) {
                    three.extend(a.with(b, true).and_then(|m| m.with(c, true)));
                    three.extend(b.with(c, false).and_then(|m| m.with(a, true)));
                }
            }
        }
        let of = |link: Link, mode: Mode, arguments: &[Atom], powers: bool| -> Vec<Task> {
            let mut tasks = Vec::new();
            for shape in inner::Shape::ALL {
                for (k, argument) in arguments.iter().enumerate() {
                    let plain: Vec<f64> = argument.values.iter().map(|v| v * argument.scale).collect();
                    let fits =
                        shape.allowed(&plain, self.plan) && (self.free || argument.dimension.is_none());
                    // Powers of a reciprocal or a square are powers.
                    let again = shape == inner::Shape::Power && !(powers && k < features.len());
                    if fits && !again {
                        let inner = Some(Inner { shape, argument: argument.clone() });
                        tasks.push(Task { inner, ..make(link, &[], features, &[], mode) });
                    }
                }
            }
            tasks
        };
        for mode in self.modes(inner::LARGEST) {
            let work = cost(mode, 6_000_000);
            list.add("inner", of(Link::Plain, mode, &alone, true), work, 0.02);
            list.add("inner", of(Link::Plain, mode, &two, false), work, 0.006);
            list.add("inner", of(Link::Plain, mode, &three, false), work, 0.003);
            if self.links.contains(&Link::Log) {
                list.add("inner", of(Link::Log, mode, &alone, true), work, 0.004);
            }
        }
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
