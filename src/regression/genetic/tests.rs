//! Laws of the genetic engine: values and derivatives by a second way, normal forms that say the same, wanted values that
//! give the target, units that hold under any change of units, the same course from any state and on any threads.

use rand::RngExt;
use serde_json::Value as Json;

use super::change::{CHANGES, Maker};
use super::fit::Fitter;
use super::island::Member;
use super::kernel::{Owns, Sweep};
use super::library::{Library, ROWS};
use super::tree::{Node, Tree};
use super::{Genetic, State, links, rows};
use crate::base::random::{Rng, Streams};
use crate::base::{CancelToken, StopReason};
use crate::expression::{Expr, Function, Kind, Symbol};
use crate::regression::engine::{Engine, Search};
use crate::regression::options::Constants;
use crate::regression::rules::{Name, Rules};
use crate::regression::tests::{ENERGY, LENGTH, MASS, NONE, SPEED, holds, plan, sample, told};
use crate::regression::{Found, Method, Plan, Problem, regress};
use crate::units::Dimension;

fn options(work: u64) -> Plan {
    let mut plan = Plan { method: Method::Genetic, work: Some(work), ..plan() };
    plan.operators.extend(["tanh", "abs", "max", "min", "mod", "atan2"].map(String::from));
    plan
}

fn mechanics(rows: usize) -> Problem {
    let features =
        [("m", MASS, 1.0, 3.0), ("v", SPEED, -2.0, 4.0), ("x", LENGTH, 1.0, 2.0), ("a", NONE, -1.0, 1.0)];
    sample(&features, ENERGY, |x| 0.5 * x[0] * x[1] * x[1] * (1.0 + x[3]), rows, 0.0, 5)
}

fn bare(mut problem: Problem) -> Problem {
    problem.dimensions = None;
    problem
}

/// What an engine makes of a problem.
fn state(problem: &Problem, plan: &Plan) -> State {
    let library = Library::new(problem, plan, &CancelToken::new()).unwrap();
    let own = Owns::default();
    let links = links(problem, &Maker::new(problem, plan, &library, &[None], &own));
    let rows = rows(&search(problem, plan, &CancelToken::new()), &library, &links, &own, 0);
    State { libraries: vec![library], links, rows, own, choice: 0 }
}

fn search<'a>(problem: &'a Problem, plan: &'a Plan, cancel: &'a CancelToken) -> Search<'a> {
    Search { problem, plan, cancel }
}

/// Random individuals that went through many changes, each with its fit.
fn individuals(problem: &Problem, plan: &Plan, state: &State, count: usize) -> Vec<Member> {
    let cancel = CancelToken::new();
    let mut maker = state.maker(&search(problem, plan, &cancel), 0);
    let mut fitter = Fitter::new(&state.rows);
    let mut rng = Streams::new(3).stream("test/individuals");
    let mut all: Vec<Member> = Vec::new();
    let mut tries = 0;
    while all.len() < count {
        tries += 1;
        assert!(tries < 400 * count, "{} of {tries}", all.len());
        let genome = if all.len() < 20 || rng.random::<f64>() < 0.1 {
            maker.random(&mut rng)
        } else {
            let [a, b] = [0; 2].map(|_| rng.random_range(0..all.len()));
            let change = CHANGES[rng.random_range(0..CHANGES.len())].0;
            let (genome, fit, other) = (all[a].genome.clone(), all[a].fit.clone(), all[b].genome.clone());
            maker.change(change, &genome, &fit, &other, &mut rng)
        };
        let Some(genome) = genome else { continue };
        assert!(fitter.see(genome.link));
        if let Some(fit) = fitter.linear(&genome.terms, genome.intercept) {
            all.push(Member::new(genome, fit, 0, &fitter.rows().complexity));
        }
    }
    all
}

fn trees(count: usize) -> (Problem, State, Vec<Tree>) {
    let (problem, plan) = (bare(mechanics(60)), options(0));
    let state = state(&problem, &plan);
    let all = individuals(&problem, &plan, &state, count);
    let trees = all.into_iter().flat_map(|m| m.genome.terms).collect();
    (problem, state, trees)
}

#[test]
fn values_are_those_of_the_expression() {
    let (problem, state, trees) = trees(300);
    let (library, rows) = (&state.libraries[0], &state.rows);
    let typing = super::tree::Typing { grammar: &library.grammar, constant: Some(Dimension::NONE), own: &[] };
    let mut sweep = Sweep::with(rows.len(), Owns::default());
    for tree in &trees {
        let mut parameters = Vec::new();
        let expr = tree.expr(&typing, Dimension::NONE, &mut parameters).unwrap();
        if !sweep.forward(tree, &rows.leaves) {
            continue;
        }
        for row in [0, 17, 59] {
            let value = expr.evaluate(&|s| {
                let constant = parameters.iter().find(|p| p.symbol == *s).map(|p| p.start);
                constant.or_else(|| Some(problem.columns[problem.names.iter().position(|n| n == s)?][row]))
            });
            let own = sweep.values(tree.len() - 1)[row];
            let largest = (0..tree.len()).fold(0.0f64, |m, k| m.max(sweep.values(k)[row].abs()));
            let value = value.unwrap_or(f64::NAN);
            assert!((own - value).abs() <= 1e-9 * largest.max(own.abs()), "{expr}: {own} {value}");
        }
    }
}

#[test]
fn derivatives_are_those_of_differences() {
    let (_, state, trees) = trees(200);
    let rows = &state.rows;
    let (mut sweep, mut other) =
        (Sweep::with(rows.len(), Owns::default()), Sweep::with(rows.len(), Owns::default()));
    let mut compared = 0;
    for tree in &trees {
        for place in tree.constants() {
            if !sweep.forward(tree, &rows.leaves) {
                continue;
            }
            sweep.backward(tree);
            let Node::Constant(c) = tree.nodes[place] else { unreachable!() };
            let h = 1e-5 * c.abs().max(1e-3);
            let mut at = |c: f64| {
                let mut moved = tree.clone();
                moved.nodes[place] = Node::Constant(c);
                let finite = other.forward(&moved, &rows.leaves);
                finite.then(|| other.values(tree.len() - 1).to_vec())
            };
            let (Some(up), Some(down), Some(near), Some(far)) =
                (at(c + h), at(c - h), at(c + 2.0 * h), at(c - 2.0 * h))
            else {
                continue;
            };
            for row in 0..rows.len() {
                let first = (up[row] - down[row]) / (2.0 * h);
                let second = (near[row] - far[row]) / (4.0 * h);
                let slope = sweep.slopes(place)[row];
                // Where two widths disagree there is a kink, or rounding.
                let scale = slope.abs().max(1e-6 * up[row].abs() / h);
                if (first - second).abs() < 1e-5 * scale {
                    assert!(
                        (slope - first).abs() <= 1e-3 * scale,
                        "{} row {row}: {slope} {first}",
                        tree.spell()
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2000, "{compared}");
}

#[test]
fn the_normal_form_says_the_same_and_is_its_own() {
    let (_, state, trees) = trees(300);
    let rows = &state.rows;
    let mut rng = Streams::new(1).stream("test/normal");
    let (mut sweep, mut other) =
        (Sweep::with(rows.len(), Owns::default()), Sweep::with(rows.len(), Owns::default()));
    for pair in trees.windows(2) {
        // Clumsy trees: joined with numbers, signs and themselves.
        let number = Tree::leaf(Node::Constant(rng.random::<f64>() - 0.5));
        let ops = [Node::Add, Node::Subtract, Node::Multiply, Node::Divide, Node::Pair(Function::Max)];
        let op = |rng: &mut Rng| ops[rng.random_range(0..ops.len())];
        let with = if rng.random::<f64>() < 0.5 { &number } else { &pair[1] };
        let clumsy = pair[0].clone().join(with, op(&mut rng)).under(Node::Negate).join(&number, op(&mut rng));
        for tree in [clumsy, pair[0].clone()] {
            let normal = tree.normal((false, false));
            assert_eq!(normal, normal.normal((false, false)), "{}", tree.spell());
            if !sweep.forward(&tree, &rows.leaves) {
                continue;
            }
            assert!(other.forward(&normal, &rows.leaves), "{} {}", tree.spell(), normal.spell());
            let (x, y) = (sweep.values(tree.len() - 1), other.values(normal.len() - 1));
            for row in 0..rows.len() {
                let largest = (0..tree.len()).fold(0.0f64, |m, k| m.max(sweep.values(k)[row].abs()));
                assert!((x[row] - y[row]).abs() <= 1e-8 * largest, "{} {}", tree.spell(), normal.spell());
            }
        }
    }
}

#[test]
fn what_is_spelled_is_read() {
    let (_, state, trees) = trees(200);
    let leaves = state.libraries[0].grammar.leaves.len();
    for tree in trees {
        assert_eq!(Tree::parse(&tree.spell(), leaves), Some(tree));
    }
    for wrong in ["", "l0 l1", "+", "l0 +", "l99", "fnone", "l0 fnone", "c", "x", "l0 r", "l0 l1 + +"] {
        assert_eq!(Tree::parse(wrong, leaves), None, "{wrong}");
    }
}

#[test]
fn wanted_values_give_the_target() {
    let (_, state, trees) = trees(300);
    let library = &state.libraries[0];
    let mut rng = Streams::new(2).stream("test/wanted");
    let (mut sweep, mut other) = (Sweep::with(ROWS, Owns::default()), Sweep::with(ROWS, Owns::default()));
    let mut compared = 0;
    for tree in trees {
        if !sweep.forward(&tree, &library.leaves) {
            continue;
        }
        // Values near the present ones, that the tree may take.
        let target = std::array::from_fn(|k| {
            sweep.values(tree.len() - 1)[k] * (1.0 + 0.1 * (rng.random::<f64>() - 0.5))
        });
        for place in 0..tree.len() {
            let Some((values, weights)) = super::invert::wanted_at(&tree, &sweep, &target, place) else {
                continue;
            };
            let mut leaves = library.leaves.clone();
            leaves.push(values.to_vec());
            let leaf = Tree::leaf(Node::Leaf(library.leaves.len() as u16));
            let replaced = tree.replaced(place, &leaf);
            other.forward(&replaced, &leaves);
            for k in (0..ROWS).filter(|&k| weights[k] > 0.0) {
                let largest = (0..replaced.len()).fold(0.0f64, |m, j| m.max(other.values(j)[k].abs()));
                let got = other.values(replaced.len() - 1)[k];
                assert!(
                    (got - target[k]).abs() <= 1e-6 * largest,
                    "{} at {place}: {got} {}",
                    tree.spell(),
                    target[k]
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}

/// A law is right in any units or in none: with every column and constant in units that are other by random factors, its
/// values are those of the target's unit.
#[test]
fn no_change_breaks_the_units() {
    for constants in [Constants::Free, Constants::Dimensionless] {
        let (problem, plan) = (mechanics(60), Plan { constants: constants.clone(), ..options(0) });
        let state = state(&problem, &plan);
        let cancel = CancelToken::new();
        let maker = state.maker(&search(&problem, &plan, &cancel), 0);
        let base = [1.7, 0.3, 2.9, 1.1, 0.7, 1.3, 0.9];
        let factor = |d: Dimension| -> f64 {
            let powers = d.exponents().map(|(p, q)| f64::from(p) / f64::from(q));
            base.iter().zip(powers).map(|(b, p): (&f64, f64)| b.powf(p)).product()
        };
        let mut compared = 0;
        for member in individuals(&problem, &plan, &state, 1500) {
            let fit = &member.fit;
            let law = maker.model(&member.genome, &fit.factors, fit.intercept).unwrap();
            if constants == Constants::Dimensionless {
                assert!(law.parameters.iter().all(|p| p.dimension.is_none()), "{}", law.template);
            }
            let value = |other: bool| {
                let scale = |d: Dimension| if other { factor(d) } else { 1.0 };
                law.template.evaluate(&|s| {
                    let own =
                        law.parameters.iter().find(|p| p.symbol == *s).map(|p| p.start * scale(p.dimension));
                    own.or_else(|| {
                        let k = problem.names.iter().position(|n| n == s)?;
                        Some(problem.columns[k][7] * scale(problem.dimension(k)))
                    })
                })
            };
            let (Some(x), Some(y)) = (value(false), value(true)) else { continue };
            let expected = x * factor(problem.goal());
            if x.is_finite() && x.abs() > 1e-6 * member.fit.factors.iter().fold(0.0f64, |m, c| m.max(c.abs()))
            {
                assert!((y - expected).abs() <= 1e-6 * expected.abs(), "{}: {y} {expected}", law.template);
                compared += 1;
            }
        }
        assert!(compared > 500, "{constants:?}: {compared}");
    }
}

#[test]
fn no_change_brings_in_an_operator() {
    let (problem, mut plan) = (bare(mechanics(60)), options(0));
    plan.operators = ["+", "/", "sin"].map(String::from).to_vec();
    let state = state(&problem, &plan);
    for member in individuals(&problem, &plan, &state, 500) {
        for node in member.genome.terms.iter().flat_map(|t| &t.nodes) {
            let foreign = matches!(node, Node::Multiply | Node::Subtract | Node::Power | Node::Pair(_));
            assert!(!foreign && *node != Node::Raise(1), "{:?}", member.genome);
            assert!(!matches!(node, Node::Call(f) if *f != Function::Sin), "{:?}", member.genome);
        }
    }
}

#[test]
fn constants_inside_are_fitted_by_variable_projection() {
    let features = [("x", NONE, 0.0, 5.0)];
    let problem = sample(
        &features,
        NONE,
        |x| 2.5 * (-0.7 * x[0]).exp() + 1.3 - 0.4 * (1.9 * x[0] + 0.3).sin(),
        200,
        0.0,
        1,
    );
    let state = state(&problem, &options(0));
    let mut fitter = Fitter::new(&state.rows);
    let c = |c: f64| Tree::leaf(Node::Constant(c));
    let x = Tree::leaf(Node::Leaf(0));
    let decay = x.clone().join(&c(-1.0), Node::Multiply).under(Node::Call(Function::Exp));
    let wave = x.join(&c(1.7), Node::Multiply).join(&c(0.0), Node::Add).under(Node::Call(Function::Sin));
    let mut terms = vec![decay, wave];
    let before = fitter.linear(&terms, true).unwrap();
    // A few steps at a time; none makes it worse.
    let mut last = before.loss;
    for _ in 0..8 {
        let fit = fitter.fit(&mut terms, true, 3).unwrap();
        assert!(fit.loss <= last);
        last = fit.loss;
    }
    assert!(last < 1e-20, "{} {last}", before.loss);
    let fit = fitter.linear(&terms, true).unwrap();
    let constants: Vec<f64> = terms
        .iter()
        .flat_map(|t| t.nodes.iter().filter_map(|n| if let Node::Constant(c) = n { Some(*c) } else { None }))
        .collect();
    for (found, true_value) in
        constants.iter().zip([-0.7, 1.9, 0.3]).chain(fit.factors.iter().zip([2.5, -0.4]))
    {
        assert!((found - true_value).abs() < 1e-9, "{constants:?} {fit:?}");
    }
    // What a term gains is what the loss rises by without it.
    for k in 0..2 {
        let mut fewer = terms.clone();
        fewer.remove(k);
        let without = fitter.linear(&fewer, true).unwrap();
        assert!((without.loss - fit.loss - fit.gains[k + 1]).abs() < 1e-9 * without.loss);
    }
}

fn find(problem: &Problem, plan: &Plan) -> Found {
    regress(problem, plan, &CancelToken::new(), &|_| {}).unwrap()
}

#[test]
fn laws_are_found() {
    let two = [("x", NONE, 0.5, 3.0), ("z", NONE, -2.0, 2.0)];
    let five = [
        ("a", NONE, 1.0, 3.0),
        ("b", NONE, 1.0, 3.0),
        ("c", NONE, 1.0, 3.0),
        ("d", NONE, 1.0, 3.0),
        ("e", NONE, 1.0, 3.0),
    ];
    let work = 1_500_000_000;
    let laws: [(&str, Problem); 6] = [
        ("two waves", sample(&two, NONE, |x| x[0].sin() + (x[1] * x[1]).cos(), 100, 0.0, 1)),
        ("an outermost function", sample(&two, NONE, |x| (x[0] * x[0] + x[0] + 2.0).ln(), 100, 0.0, 1)),
        ("constants inside", sample(&two, NONE, |x| 3.1 * (-0.83 * x[0]).exp() + 0.5 * x[1], 200, 0.0, 1)),
        (
            "more rows than a population sees",
            sample(&five, NONE, |x| x[0] * x[1] - x[2] / x[3], 3000, 0.0, 1),
        ),
        ("a kink", sample(&two, NONE, |x| x[1].max(x[0] - 1.5), 200, 0.0, 1)),
        ("units", mechanics(300)),
    ];
    for (name, problem) in laws {
        let found = find(&problem, &options(work));
        holds(&found);
        let best = found.front.best().unwrap();
        assert!(best.size <= 16 && best.evidence.contains("individuals"), "{name}: {}", told(&found));
    }
}

#[test]
fn noise_does_not_hide_a_law() {
    let two = [("x", NONE, 0.5, 3.0), ("z", NONE, -2.0, 2.0)];
    let law = |x: &[f64]| 2.0 * x[0] * x[1] + x[0].sin();
    let problem = sample(&two, NONE, law, 400, 0.02, 1);
    let found = find(&problem, &options(600_000_000));
    let row = |k: usize| law(&[problem.columns[0][k], problem.columns[1][k]]) - problem.target[k];
    let noise = (0..400).map(|k| row(k).powi(2)).sum::<f64>() / 400.0;
    // What is left is the noise, and the law is no larger than the true one.
    let best = found.front.best().unwrap();
    assert!(best.loss <= 1.000_001 * noise && best.size <= 8, "{noise:e} {}", told(&found));
}

#[test]
fn threads_and_interruptions_change_nothing() {
    let problem = sample(
        &[("x", NONE, 0.5, 3.0), ("z", NONE, -2.0, 2.0)],
        NONE,
        |x| (x[0] * x[1]).sin() * (-x[0]).exp() + 0.3 * x[1].powi(3),
        600,
        0.05,
        1,
    );
    let plan = options(0);
    let cancel = CancelToken::new();
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let course = |threads: usize, interrupted: bool| {
        let mut engine = Genetic::default();
        let mut laws: Vec<String> = Vec::new();
        for _ in 0..6 {
            if interrupted {
                let state: Json = serde_json::from_str(&engine.save().to_string()).unwrap();
                engine = Genetic::default();
                engine.restore(&state).unwrap();
            }
            let batch = pool(threads).install(|| engine.run(&search(&problem, &plan, &cancel)));
            laws.push(format!(
                "{} {:?}",
                batch.work,
                batch
                    .models
                    .iter()
                    .map(|m| (
                        m.template.to_string(),
                        m.parameters.iter().map(|p| p.start.to_bits()).collect::<Vec<_>>()
                    ))
                    .collect::<Vec<_>>()
            ));
        }
        (laws, engine.save().to_string())
    };
    let (whole, end) = course(1, false);
    let (other, other_end) = course(2, false);
    assert_eq!((&whole, &end), (&other, &other_end));
    let (again, again_end) = course(1, true);
    assert_eq!((whole, end), (again, again_end));
    assert!(Genetic::default().restore(&Json::Null).is_none());
}

#[test]
fn odd_data_end_well() {
    let plan = options(30_000_000);
    let line = [("x", NONE, 0.0, 1.0)];
    // Four rows: no library.
    let few = sample(&line, NONE, |x| x[0] + 1.0, 4, 0.0, 1);
    assert_eq!(find(&few, &plan).stopped, StopReason::Saturated);
    // Scales that are far apart, heavy tails, whole numbers.
    let tiny = sample(
        &[("x", NONE, 1e-34, 2e-34), ("z", NONE, 1e29, 1e30)],
        NONE,
        |x| 3e4 * x[0] * x[1],
        50,
        0.0,
        1,
    );
    let tails = sample(&line, NONE, |x| 1.0 / (x[0] - 0.5).powi(3), 50, 0.0, 1);
    let whole = sample(&[("x", NONE, 0.0, 50.0)], NONE, |x| x[0].floor(), 50, 0.0, 1);
    for problem in [tiny, tails, whole] {
        let found = find(&problem, &plan);
        assert!(found.front.best().is_some_and(|b| b.loss.is_finite()), "{}", told(&found));
        assert!(found.front.candidates().iter().all(|c| c.constants.iter().all(|k| k.value.is_finite())));
    }
}

/// Whether a sine or cosine stands anywhere inside another one, told without what the search uses.
fn nested(e: &Expr, inside: bool) -> bool {
    let wave = matches!(e.kind(), Kind::Call(Function::Sin | Function::Cos, _));
    if wave && inside {
        return true;
    }
    let deeper = inside || wave;
    match e.kind() {
        Kind::Sum(items) | Kind::Product(items) | Kind::Call(_, items) => {
            items.iter().any(|x| nested(x, deeper))
        }
        Kind::Power(b, x) => nested(b, deeper) || nested(x, deeper),
        _ => false,
    }
}

/// The largest argument of an exponential.
fn largest_exponent(e: &Expr) -> usize {
    let mut most = 0;
    e.visit(&mut |x| {
        if let Kind::Call(Function::Exp, args) = x.kind() {
            most = most.max(crate::algebra::size(&args[0]));
        }
    });
    most
}

#[test]
fn no_candidate_of_a_hundred_thousand_breaks_a_rule() {
    let problem = bare(mechanics(60));
    let mut plan = options(0);
    let wave = [Name::Call(Function::Sin), Name::Call(Function::Cos)];
    let product = Expr::symbol("x") * Expr::symbol("a");
    plan.criteria.rules = Rules {
        nesting: wave.iter().map(|w| (*w, wave.to_vec())).collect(),
        arguments: vec![(Name::Call(Function::Exp), 5)],
        forbidden: vec![product.clone()],
        excluded: vec![Symbol::new("m")],
        bounds: Some((-20.0, 20.0)),
        monotone: vec![(1, true)],
        ..Rules::default()
    };
    let state = state(&problem, &plan);
    let cancel = CancelToken::new();
    let mut maker = state.maker(&search(&problem, &plan, &cancel), 0);
    let mut fitter = Fitter::new(&state.rows);
    let mut rng = Streams::new(9).stream("test/rules");
    let mut all: Vec<Member> = Vec::new();
    let (mut made, mut fitted_count) = (0, 0);
    while made < 100_000 {
        let genome = if all.len() < 2 || rng.random::<f64>() < 0.02 {
            maker.random(&mut rng)
        } else {
            let [a, b] = [0, 0].map(|_| rng.random_range(0..all.len()));
            let change = CHANGES[rng.random_range(0..CHANGES.len())].0;
            maker.change(change, &all[a].genome, &all[a].fit, &all[b].genome, &mut rng)
        };
        let Some(mut genome) = genome else { continue };
        made += 1;
        let factors = vec![1.0; genome.terms.len()];
        let law = maker.model(&genome, &factors, 1.0).unwrap().template;
        assert!(!nested(&law, false) && largest_exponent(&law) <= 5, "{law}");
        assert!(!law.contains_symbol(&Symbol::new("m")), "{law}");
        law.visit(&mut |e| {
            if let Kind::Product(items) = e.kind() {
                let holds =
                    |name: &str| items.iter().any(|i| i.as_symbol().is_some_and(|s| s.name() == name));
                assert!(!(holds("x") && holds("a")), "{law}");
            }
        });
        // The values of some.
        if made % 20 != 0 {
            continue;
        }
        let Some(fit) = super::island::fitted(&mut genome, f64::INFINITY, &mut fitter) else { continue };
        let member = Member::new(genome, fit, 0, &fitter.rows().complexity);
        if !maker.obeys(&member) {
            continue;
        }
        fitted_count += 1;
        let bounded = |c: f64| c.abs() <= 20.0 * (1.0 + 1e-9);
        assert!(member.fit.factors.iter().all(|c| bounded(*c)) && bounded(member.fit.intercept));
        let inner = member.genome.terms.iter().flat_map(|t| &t.nodes);
        assert!(inner.clone().all(|n| !matches!(n, Node::Constant(c) if !bounded(*c))));
        // It rises with v: by differences on the rows.
        let model = maker.model(&member.genome, &member.fit.factors, member.fit.intercept).unwrap();
        for row in (0..problem.rows()).step_by(7) {
            let at = |v: f64| {
                model.template.evaluate(&|s| {
                    let k = problem.names.iter().position(|n| n == s);
                    let own = k.map(|k| if k == 1 { v } else { problem.columns[k][row] });
                    own.or_else(|| model.parameters.iter().find(|p| p.symbol == *s).map(|p| p.start))
                })
            };
            let v = problem.columns[1][row];
            if let (Some(low), Some(high)) = (at(v - 1e-4), at(v + 1e-4))
                && low.is_finite()
                && high.is_finite()
            {
                let size = low.abs().max(high.abs()).max(1.0);
                assert!(high - low >= -1e-6 * size, "{}", model.template);
            }
        }
        if all.len() < 300 {
            all.push(member);
        } else {
            let place = rng.random_range(0..all.len());
            all[place] = member;
        }
    }
    assert!(fitted_count > 500, "{fitted_count}");
}
