//! The stages of the projective search, from the cheapest on. A stage looks at one kind of law in one library; its models
//! depend on the data, the options and its place in the list alone.

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::extend::{self, Extension};
use super::hit;
use super::library::{ADDED, FURTHEST, LARGE, Library, MEDIUM, SMALL, Size};
use super::linear::{self, Bounds};
use super::nodes::{Constant, MINUS, Node, ONE, allowed};
use super::offset;
use super::peel::{Grain, Peel, Target, links};
use super::scan::{self, Shape};
use super::span;
use super::view::{K, Lane, Point, View, length, product};
use crate::base::Number;
use crate::regression::candidate::Model;
use crate::regression::engine::{Batch, Engine, Search, Step};
use crate::regression::options::Constants;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// The engine's name.
const NAME: &str = "projective";
/// Most models of one stage.
const MODELS: usize = 24;
/// Tolerance of ln |h| on the rows of the check.
const CHECK: f64 = 1e-6;
/// The same where an inner constant is still to be fitted.
const ROUGH: f64 = 1e-3;
/// Sets of added variables in one stage.
const SETS: usize = 8;

/// Which library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Small,
    Medium,
    Large,
}

/// One kind of law in one library.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// A product of powers.
    Powers,
    /// One factor.
    Lookup(Which),
    /// One factor with an inner constant.
    Scan { shapes: usize },
    /// The same beside one factor of the small library.
    ScanBeside,
    /// Two factors of one library to any power.
    Pairs(Which, usize),
    /// A factor of the small library to a simple power beside one of another.
    Beside(Which),
    /// The same behind an outer sum and a function.
    BesideFactor,
    /// Three factors.
    Triples(usize),
    /// An outer sum with an exact constant, and one factor.
    Offsets(Which, usize),
    /// An outer sum behind a factor.
    FactorOffsets,
    /// An outer sum with an unknown constant.
    OffsetScan(usize),
    /// A sum of terms.
    Sums(Which, usize),
    /// A constant with a unit inside a function.
    Free,
    /// An outer sum with an unknown constant, both with units.
    FreeOffset,
    /// Added variables: this batch of their sets.
    Extended(usize),
}

impl Stage {
    /// The family that switches it off.
    fn family(self) -> &'static str {
        match self {
            Stage::Powers => "powers",
            Stage::Lookup(_) => "lookup",
            Stage::Scan { .. } | Stage::ScanBeside => "scan",
            Stage::Pairs(..) | Stage::Beside(_) | Stage::BesideFactor => "pairs",
            Stage::Triples(_) => "triples",
            Stage::Offsets(..) | Stage::FactorOffsets | Stage::OffsetScan(_) => "offsets",
            Stage::Sums(..) => "linear",
            Stage::Free | Stage::FreeOffset => "free",
            Stage::Extended(_) => "extensions",
        }
    }
}

/// What the search has prepared.
#[derive(Debug)]
struct Base {
    view: View,
    free: Option<View>,
    y: Lane,
    grain: Grain,
    rows: Vec<usize>,
    stages: Vec<(Stage, Step)>,
    extensions: Vec<Extension>,
    sets: Vec<Vec<usize>>,
    libraries: [Option<Library>; 3],
}

/// The engine.
#[derive(Debug, Default)]
pub struct Projective {
    next: usize,
    /// Libraries whose work is counted.
    made: [bool; 3],
    /// What the last step looked at.
    last: Option<Stage>,
    prepared: bool,
    base: Option<Box<Base>>,
}

impl Engine for Projective {
    fn name(&self) -> &'static str {
        NAME
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        if !std::mem::replace(&mut self.prepared, true) {
            self.base = Base::new(search).map(Box::new);
        }
        self.base.as_ref()?.stages.get(self.next).map(|(_, step)| *step)
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Some(base) = &mut self.base else { return Batch::default() };
        let Some(&(stage, _)) = base.stages.get(self.next) else { return Batch::default() };
        self.next += 1;
        self.last = Some(stage);
        let (mut models, work) = base.run(search, stage, &mut self.made);
        models.truncate(MODELS);
        Batch { models, work }
    }

    fn save(&self) -> Json {
        json!([self.next, self.made])
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.next = usize::try_from(state[0].as_u64()?).ok()?;
        for (k, made) in self.made.iter_mut().enumerate() {
            *made = state[1][k].as_bool()?;
        }
        Some(())
    }

    fn evidence(&self) -> Option<String> {
        self.last.map(|stage| format!("stage `{}`", stage.family()))
    }
}

impl Base {
    fn new(search: &Search<'_>) -> Option<Base> {
        let Search { problem, plan, .. } = *search;
        if !plan.allows("*") {
            return None;
        }
        let view = View::new(problem, extend::features(problem), 0, plan.seed)?;
        let y: Lane = std::array::from_fn(|k| problem.target[view.rows[k]]);
        let extensions = extend::extensions(problem, plan);
        let order = extend::ranking(problem, &extensions);
        let sets = extend::sets(&extensions, &order);
        let with_units = problem.dimensions.is_some() && view.dimensions.iter().any(|d| !d.is_none());
        let free = (with_units && plan.constants == Constants::Free).then(|| view.free());
        let mut stages = Vec::new();
        let mut add = |stage: Stage, work: u64, chance: f64| {
            if !plan.without.iter().any(|w| w == stage.family()) {
                stages.push((stage, Step { work, chance }));
            }
        };
        // Work in row evaluations as measured on a thousand rows of five columns. Chances: how often laws of textbooks
        // have the form, where they have none of the forms before.
        add(Stage::Powers, 20_000, 0.3);
        add(Stage::Lookup(Which::Small), 300_000, 0.3);
        add(Stage::Offsets(Which::Small, 60), 50_000, 0.05);
        add(Stage::Sums(Which::Small, 300), 1_000_000, 0.08);
        add(Stage::OffsetScan(40), 1_000_000, 0.03);
        add(Stage::Lookup(Which::Medium), 3_000_000, 0.08);
        add(Stage::Offsets(Which::Medium, 300), 300_000, 0.005);
        add(Stage::Pairs(Which::Small, 1500), 4_000_000, 0.07);
        add(Stage::Scan { shapes: 100 }, 10_000_000, 0.08);
        add(Stage::Beside(Which::Medium), 10_000_000, 0.06);
        if free.is_some() {
            add(Stage::FreeOffset, 1_000_000, 0.03);
            add(Stage::Free, 10_000_000, 0.08);
        }
        // The best ranked single additions, then the others and several at once.
        for batch in 0..sets.len().div_ceil(SETS) {
            let rank = batch as f64;
            add(Stage::Extended(batch), 18_000_000, 0.08 / (1.0 + rank).powf(1.3));
        }
        add(Stage::Sums(Which::Medium, 2000), 12_000_000, 0.03);
        add(Stage::FactorOffsets, 8_000_000, 0.01);
        add(Stage::ScanBeside, 30_000_000, 0.03);
        add(Stage::Pairs(Which::Medium, 6000), 40_000_000, 0.03);
        add(Stage::Triples(1000), 20_000_000, 0.008);
        add(Stage::OffsetScan(300), 6_000_000, 0.002);
        add(Stage::BesideFactor, 25_000_000, 0.01);
        add(Stage::Lookup(Which::Large), 60_000_000, 0.02);
        add(Stage::Offsets(Which::Large, 2000), 1_000_000, 0.0002);
        add(Stage::Beside(Which::Large), 40_000_000, 0.01);
        add(Stage::Scan { shapes: 2000 }, 200_000_000, 0.03);
        // Stable: what is worth as much stays in this order.
        let worth = |s: &(Stage, Step)| s.1.chance / s.1.work as f64;
        stages.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        Some(Base {
            rows: hit::check_rows(problem),
            grain: Grain::of(problem),
            y,
            free,
            view,
            stages,
            extensions,
            sets,
            libraries: [None, None, None],
        })
    }

    /// Writes out a library where it is needed first; the work. A search that goes on makes its libraries again, which was
    /// counted before.
    fn prepare(&mut self, search: &Search<'_>, which: Which, made: &mut [bool; 3]) -> u64 {
        let size = match which {
            Which::Small => SMALL,
            Which::Medium => MEDIUM,
            Which::Large => LARGE,
        };
        let slot = &mut self.libraries[which as usize];
        if slot.is_some() {
            return 0;
        }
        let library = make(&self.view, search, size);
        let work = library.work;
        *slot = Some(library);
        if std::mem::replace(&mut made[which as usize], true) { 0 } else { work }
    }

    fn library(&self, which: Which) -> Option<&Library> {
        self.libraries[which as usize].as_ref()
    }

    fn run(&mut self, search: &Search<'_>, stage: Stage, made: &mut [bool; 3]) -> (Vec<Model>, u64) {
        let mut work = 0;
        let needed: &[Which] = match stage {
            Stage::Lookup(w) | Stage::Pairs(w, _) | Stage::Sums(w, _) => &[w],
            Stage::Offsets(w, _) | Stage::Beside(w) => &[Which::Small, w],
            Stage::Scan { shapes } if shapes > 200 => &[Which::Medium],
            Stage::ScanBeside | Stage::BesideFactor => &[Which::Small, Which::Medium],
            Stage::Powers | Stage::Free | Stage::FreeOffset | Stage::Extended(_) => &[],
            _ => &[Which::Small],
        };
        for &which in needed {
            work += self.prepare(search, which, made);
        }
        let (models, more) = self.search(search, stage);
        (models, work + more)
    }

    fn search(&self, search: &Search<'_>, stage: Stage) -> (Vec<Model>, u64) {
        let empty = Library::empty(&self.view);
        let library = |which| self.library(which).unwrap_or(&empty);
        let small = library(Which::Small);
        let room = Room { search, view: &self.view, y: &self.y, grain: self.grain, rows: &self.rows };
        match stage {
            Stage::Powers => room.powers(small),
            Stage::Lookup(which) => room.lookup(library(which)),
            Stage::Scan { shapes } => {
                let which = if shapes > 200 { Which::Medium } else { Which::Small };
                room.scan(library(which), shapes)
            }
            Stage::ScanBeside => room.scan_beside(small, library(Which::Medium)),
            Stage::Pairs(which, most) => room.pairs(library(which), most),
            Stage::Beside(which) => {
                let targets = room.outer_targets(40);
                room.beside(small, library(which), targets)
            }
            Stage::BesideFactor => {
                let targets = room.behind_factors(small, 12, 6);
                room.beside(small, library(Which::Medium), targets)
            }
            Stage::Triples(most) => room.triples(small, most),
            Stage::Offsets(which, most) => room.offsets(library(which), most),
            Stage::FactorOffsets => room.factor_offsets(small),
            Stage::OffsetScan(most) => room.offset_scan(small, most),
            Stage::Sums(which, most) => room.sums(library(which), most),
            Stage::Free | Stage::FreeOffset => {
                let Some(view) = &self.free else { return (Vec::new(), 0) };
                let library = make(view, search, SMALL);
                let room = Room { view, ..room };
                let (models, work) = if stage == Stage::Free {
                    let (mut models, work) = room.lookup(&library);
                    let (more, further) = room.scan(&library, 400);
                    models.extend(more);
                    (models, work + further)
                } else {
                    room.offset_scan(&library, 40)
                };
                (models, work + library.work)
            }
            Stage::Extended(batch) => {
                let sets: Vec<&Vec<usize>> = self.sets.iter().skip(batch * SETS).take(SETS).collect();
                let all: Vec<(Vec<Model>, u64)> = sets
                    .par_iter()
                    .map(|set| {
                        let mut variables = self.view.variables.clone();
                        variables.extend(set.iter().map(|&e| self.extensions[e].variable.clone()));
                        let seed = search.plan.seed;
                        let Some(view) = View::new(search.problem, variables, set.len(), seed) else {
                            return (Vec::new(), 0);
                        };
                        let y: Lane = std::array::from_fn(|k| search.problem.target[view.rows[k]]);
                        Room { search, view: &view, y: &y, grain: self.grain, rows: &self.rows }.extended()
                    })
                    .collect();
                let work = all.iter().map(|a| a.1).sum();
                (all.into_iter().flat_map(|a| a.0).collect(), work)
            }
        }
    }
}

fn make(view: &View, search: &Search<'_>, size: Size) -> Library {
    let off = |family: &str| search.plan.without.iter().any(|w| w == family);
    Library::new(view, search.plan, size, &off)
}

/// A view with all that a stage needs.
#[derive(Clone, Copy)]
struct Room<'a> {
    search: &'a Search<'a>,
    view: &'a View,
    y: &'a Lane,
    grain: Grain,
    rows: &'a [usize],
}

impl Room<'_> {
    fn problem(&self) -> &Problem {
        self.search.problem
    }

    fn model(&self, library: &Library, peel: &Peel, factors: &[Node], tolerance: f64) -> Option<Model> {
        let grain = 30.0 * (self.grain.target + self.grain.features);
        let tolerance = tolerance.max(grain);
        hit::model(self.problem(), self.view, &library.arena, peel, factors, self.rows, tolerance, NAME)
    }

    fn target(&self, peel: Peel, factor: Option<&Lane>) -> Option<Target> {
        Target::new(self.view, self.y, self.grain, peel, factor)
    }

    /// Products of powers with the dimension of y^p, exponents in halves, shortest first.
    fn products(&self, p: i64, most: usize) -> Vec<Vec<i8>> {
        let Some(goal) = self.problem().goal().pow(&Number::int(p)) else { return Vec::new() };
        let free = self.view.lattice.iter().all(|d| d.is_none());
        let goal = if free { Dimension::NONE } else { goal };
        let one = goal.is_none().then(|| vec![0; self.view.lattice.len()]);
        let list = self.view.products.of(goal).iter().map(|m| m.iter().map(|x| 2 * x).collect());
        one.into_iter().chain(list).take(most).collect()
    }

    /// The target itself, its links, and y/m for y = m*log(h).
    fn targets(&self, products: usize) -> Vec<Target> {
        let plan = self.search.plan;
        let mut all: Vec<Target> = self.target(Peel::Plain, None).into_iter().collect();
        if !plan.without.iter().any(|w| w == "links") {
            let few = self.products(1, products.clamp(4, 16));
            all.extend(links(plan, &few).into_iter().filter_map(|p| self.target(p, None)));
        }
        if plan.allows("log") && !plan.without.iter().any(|w| w == "logarithms") {
            let products = self.products(1, products);
            all.extend(products.into_iter().filter_map(|m| self.target(Peel::Logarithm(m), None)));
        }
        all
    }

    fn powers(&self, library: &Library) -> (Vec<Model>, u64) {
        let targets = self.targets(60);
        let work = (targets.len() * K) as u64;
        let models = targets.iter().filter_map(|t| self.model(library, &t.peel, &[], CHECK)).collect();
        (models, work)
    }

    /// Hits of a target in a library.
    fn hits(&self, library: &Library, target: &Target, most: usize) -> Vec<Model> {
        let near = library.near(&target.point, target.tolerance.min(FURTHEST));
        near.into_iter()
            .take(most)
            .filter_map(|k| self.model(library, &target.peel, &[library.factors[k as usize].node], CHECK))
            .collect()
    }

    fn lookup(&self, library: &Library) -> (Vec<Model>, u64) {
        let targets = self.targets(200);
        let models = targets.iter().flat_map(|t| self.hits(library, t, 4)).collect();
        (models, (targets.len() * K) as u64)
    }

    fn pairs(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        let n = library.points.len().min(most);
        let costs: Vec<f64> = library.factors[..n].iter().map(|f| f.cost).collect();
        let mut models = Vec::new();
        let mut work = 0;
        // y/m for logarithms of products of two sums: only the simplest m.
        for t in self.targets(3) {
            let found = span::pairs(&library.points[..n], &costs, &t.point, t.tolerance);
            work += (n * n / 8) as u64;
            models.extend(found.into_iter().filter_map(|pair| {
                let nodes = pair.map(|k| library.factors[k as usize].node);
                self.model(library, &t.peel, &nodes, CHECK)
            }));
        }
        (models, work)
    }

    /// Three functions of products of powers.
    fn triples(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        let product = |t: u32| matches!(library.arena.blocks[t as usize].node, Node::Monomial(_));
        let simple: Vec<usize> = (0..library.factors.len())
            .filter(|&k| match library.factors[k].node {
                Node::Apply(_, _, t) | Node::Affine(_, _, t) => product(t),
                _ => false,
            })
            .take(most)
            .collect();
        let n = simple.len();
        let costs: Vec<f64> = simple.iter().map(|&k| library.factors[k].cost).collect();
        let points: Vec<Point> = simple.iter().map(|&k| library.points[k]).collect();
        let Some(t) = self.target(Peel::Plain, None) else { return (Vec::new(), 0) };
        let found = span::triples(&points, &costs, &t.point, t.tolerance);
        let models = found.into_iter().filter_map(|triple| {
            let nodes = triple.map(|k| library.factors[simple[k as usize]].node);
            self.model(library, &t.peel, &nodes, CHECK)
        });
        (models.collect(), (n * n * n / 24) as u64)
    }

    /// What is left of a target behind each of the first factors to simple powers.
    fn remainders(&self, library: &Library, target: &Target, most: usize) -> Vec<(Point, f64, u32)> {
        let n = library.points.len().min(most);
        let powers = [1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5];
        (0..n)
            .flat_map(|k| powers.map(|q| (k, q)))
            .filter_map(|(k, q)| {
                let (p, size) = (&library.points[k], library.sizes[k]);
                let rest: Point = std::array::from_fn(|i| target.point[i] * target.size - q * p[i] * size);
                let left = length(&rest);
                // What the factor explains whole was found before; a factor that dwarfs the target hides it.
                let seen = left > 1e-6 * target.size && left < 1e3 * target.size;
                seen.then(|| {
                    let tolerance = target.tolerance * target.size / left;
                    (rest.map(|x| x / left), tolerance.max(2e-8), k as u32)
                })
            })
            .collect()
    }

    /// The target and its outer sums, with how many first factors are worth a try.
    fn outer_targets(&self, sums: usize) -> Vec<(Target, usize)> {
        let own = self.targets(3).into_iter().map(|t| (t, 1000));
        let peels = self.offset_peels(sums, &[ONE, MINUS]);
        own.chain(peels.into_iter().filter_map(|p| Some((self.target(p, None)?, 300)))).collect()
    }

    /// Outer sums behind each of the first functions.
    fn behind_factors(&self, library: &Library, functions: usize, products: usize) -> Vec<(Target, usize)> {
        let function = |f: &&super::library::Factor| matches!(f.node, Node::Apply(..) | Node::Affine(..));
        let mut targets = Vec::new();
        for f in library.factors.iter().filter(function).take(functions) {
            let lane = library.arena.values(self.view, f.node);
            for p in [1i8, -1] {
                for product in self.products(i64::from(p), products) {
                    for (inverse, offset) in [(false, ONE), (false, MINUS), (true, ONE), (true, MINUS)] {
                        let factor = Some((f.node, inverse));
                        let peel = Peel::Offset { power: 2 * p, product: product.clone(), factor, offset };
                        targets.extend(self.target(peel, Some(&lane)).map(|t| (t, 120)));
                    }
                }
            }
        }
        targets
    }

    /// One factor of the small library to a simple power beside one of the other, for the target and its outer sums.
    fn beside(&self, small: &Library, library: &Library, targets: Vec<(Target, usize)>) -> (Vec<Model>, u64) {
        let mut work = 0;
        let mut found: Vec<(f64, usize, u32, u32)> = Vec::new();
        for (place, (t, most)) in targets.iter().enumerate() {
            let rests = self.remainders(small, t, *most);
            work += (rests.len() * 4) as u64;
            let own: Vec<(f64, usize, u32, u32)> = rests
                .par_iter()
                .with_min_len(64)
                .flat_map_iter(|(point, tolerance, k)| {
                    let near =
                        if *tolerance < FURTHEST { library.near(point, *tolerance) } else { Vec::new() };
                    // What is left of a large factor points along the factor itself.
                    let own = small.points[*k as usize];
                    let other = move |j: &u32| product(&own, &library.points[*j as usize]).abs() < 1.0 - 1e-9;
                    near.into_iter().filter(other).take(2).map(move |j| {
                        let cost = small.factors[*k as usize].cost + library.factors[j as usize].cost;
                        (cost, place, *k, j)
                    })
                })
                .collect();
            found.extend(own);
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2, a.3).cmp(&(b.1, b.2, b.3))));
        found.truncate(24);
        // Both factors in one arena.
        let models = found.into_par_iter().filter_map(|(_, t, k, j)| {
            let (arena, first) = small.joined(small.factors[k as usize].node, library);
            let mut peel = targets[t].0.peel.clone();
            if let Peel::Offset { factor: Some((f, _)), .. } = &mut peel {
                *f = small.joined(*f, library).1;
            }
            hit::model(
                self.problem(),
                self.view,
                &arena,
                &peel,
                &[first, library.factors[j as usize].node],
                self.rows,
                CHECK.max(30.0 * (self.grain.target + self.grain.features)),
                NAME,
            )
        });
        (models.collect(), work)
    }

    fn shapes(&self, library: &Library, most: usize) -> Vec<Shape> {
        let plan = self.search.plan;
        let functions = allowed(plan);
        let mut all: Vec<(f64, Shape)> = Vec::new();
        let cost = |t: u32| library.arena.blocks[t as usize].cost;
        for &t in &library.products {
            if plan.allows("+") {
                all.push((cost(t) + 0.6, Shape::Affine(t)));
            }
            for &u in &functions {
                let row = &super::nodes::UNARY[u as usize];
                if row.name != "log" {
                    all.push((cost(t) + row.cost, Shape::Apply(u, t)));
                }
            }
        }
        if plan.allows("+") {
            let terms = library.functions.iter().chain(&library.roots);
            all.extend(terms.chain(&library.mixed).map(|&t| (cost(t) + 0.6, Shape::Affine(t))));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.truncate(most);
        all.into_iter().map(|(_, s)| s).collect()
    }

    fn scan(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        let shapes = self.shapes(library, most);
        let mut targets = self.targets(8);
        let outer = self.offset_peels(2, &[ONE, MINUS]);
        targets.extend(outer.into_iter().filter_map(|p| self.target(p, None)));
        let points: Vec<(Point, f64)> = targets.iter().map(|t| (t.point, t.tolerance.max(1e-6))).collect();
        let (close, work) = scan::scan(self.view, &library.arena, &shapes, &points, 0.5, 2);
        let models = close
            .into_iter()
            .take(40)
            .filter_map(|c| {
                self.model(library, &targets[c.target].peel, &[c.node], ROUGH.max(3.0 * c.distance))
            })
            .collect();
        (models, work)
    }

    fn scan_beside(&self, small: &Library, library: &Library) -> (Vec<Model>, u64) {
        let Some(t) = self.target(Peel::Plain, None) else { return (Vec::new(), 0) };
        let shapes = self.shapes(library, 500);
        let rests = self.remainders(small, &t, 60);
        let points: Vec<(Point, f64)> = rests.iter().map(|r| (r.0, r.1.max(1e-6))).collect();
        let (close, work) = scan::scan(self.view, &library.arena, &shapes, &points, 0.01, 0);
        let models = close
            .into_iter()
            .take(16)
            .filter_map(|c| {
                let (arena, first) = small.joined(small.factors[rests[c.target].2 as usize].node, library);
                hit::model(
                    self.problem(),
                    self.view,
                    &arena,
                    &t.peel,
                    &[first, c.node],
                    self.rows,
                    ROUGH,
                    NAME,
                )
            })
            .collect();
        (models, work)
    }

    /// Steps y^p/m - c with exact c.
    fn offset_peels(&self, most: usize, constants: &[Constant]) -> Vec<Peel> {
        let mut all = Vec::new();
        for p in [1i8, -1, 2, -2] {
            let products = self.products(i64::from(p), most);
            for product in products {
                for &offset in constants {
                    let product = product.clone();
                    all.push(Peel::Offset { power: 2 * p, product, factor: None, offset });
                }
            }
        }
        all
    }

    fn offsets(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        let plan = self.search.plan;
        if !plan.allows("+") && !plan.allows("-") {
            return (Vec::new(), 0);
        }
        let many = most > 100;
        let constants = [ONE, MINUS, Constant::Exact(2, 1), Constant::Exact(-2, 1), Constant::Exact(1, 2)];
        let peels = self.offset_peels(most, if many { &constants } else { &constants[..2] });
        let work = (peels.len() * K) as u64;
        let models: Vec<Model> = peels
            .into_par_iter()
            .with_min_len(32)
            .flat_map_iter(|peel| {
                let Some(t) = self.target(peel, None) else { return Vec::new() };
                let mut own = Vec::new();
                // A direction of no length: a product of powers.
                if t.tolerance > 0.2 || t.size < 1e-5 {
                    own.extend(self.model(library, &t.peel, &[], CHECK));
                }
                if t.tolerance < FURTHEST {
                    own.extend(self.hits(library, &t, 2));
                }
                own
            })
            .collect();
        (models, work)
    }

    fn factor_offsets(&self, library: &Library) -> (Vec<Model>, u64) {
        let n = library.factors.len().min(250);
        let lanes: Vec<Lane> =
            library.factors[..n].iter().map(|f| library.arena.values(self.view, f.node)).collect();
        let mut peels = Vec::new();
        for p in [1i8, -1, 2, -2] {
            for product in self.products(i64::from(p), 40) {
                for k in 0..n {
                    for inverse in [false, true] {
                        for offset in [ONE, MINUS] {
                            let factor = Some((library.factors[k].node, inverse));
                            let product = product.clone();
                            peels.push((k, Peel::Offset { power: 2 * p, product, factor, offset }));
                        }
                    }
                }
            }
        }
        let work = (peels.len() * K) as u64;
        let models: Vec<Model> = peels
            .into_par_iter()
            .with_min_len(64)
            .flat_map_iter(|(k, peel)| {
                let Some(t) = self.target(peel, Some(&lanes[k])) else { return Vec::new() };
                let mut own = Vec::new();
                if t.tolerance > 0.2 || t.size < 1e-5 {
                    own.extend(self.model(library, &t.peel, &[], CHECK));
                }
                if t.tolerance < FURTHEST {
                    own.extend(self.hits(library, &t, 1));
                }
                own
            })
            .collect();
        (models, work)
    }

    fn offset_scan(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        if !self.search.plan.allows("+") {
            return (Vec::new(), 0);
        }
        let mut peels = Vec::new();
        for p in [1i8, -1] {
            peels.extend(self.products(i64::from(p), most).into_iter().map(|m| (2 * p, m)));
        }
        let (near, work) = offset::scan(self.view, library, self.y, &peels, 600);
        let models = near
            .into_iter()
            .take(12)
            .filter_map(|n| {
                let factors: Vec<Node> = n.factor.into_iter().collect();
                self.model(library, &n.peel, &factors, (10.0 * n.distance).max(ROUGH))
            })
            .collect();
        (models, work)
    }

    fn sums(&self, library: &Library, most: usize) -> (Vec<Model>, u64) {
        if !self.search.plan.allows("+") {
            return (Vec::new(), 0);
        }
        let many = most > 500;
        let bounds = Bounds {
            products: if many { 60 } else { 24 },
            factors: if many { 300 } else { 60 },
            pairs: most,
            triples: if many { 300 } else { 120 },
        };
        let tolerance = (3.0 * (self.grain.target + 2.0 * self.grain.features)).max(1e-7);
        let mut all = (Vec::new(), 0);
        for p in linear::POWERS {
            let (models, work) =
                linear::sums(self.problem(), self.view, library, p, bounds, tolerance, self.rows, NAME);
            all.0.extend(models);
            all.1 += work;
        }
        all
    }

    /// All cheap stages in a view with added variables.
    fn extended(&self) -> (Vec<Model>, u64) {
        let library = make(self.view, self.search, ADDED);
        let mut all = (Vec::new(), library.work);
        for (models, work) in [
            self.powers(&library),
            self.lookup(&library),
            self.offsets(&library, 30),
            self.beside(&library, &library, self.outer_targets(12)),
        ] {
            all.0.extend(models);
            all.1 += work;
        }
        all
    }
}
