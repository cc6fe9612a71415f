//! Every law of a size is found, each function stands in the table once, in its unit, and how the search is interrupted or
//! shared among threads changes nothing.

use super::key::{Projection, ROWS, Values};
use super::level::{Level, Outcome};
use super::table::Table;
use super::*;
use crate::base::random::{Rng, Streams};
use crate::expression::{Expr, Function, Symbol};
use crate::regression::options::{Constants, Criteria, Method, Plan};
use crate::regression::{refine, regress};
use crate::units::Dimension;
use proptest::prelude::*;
use rand::RngExt;

fn plan(operators: &[&str]) -> Plan {
    Plan {
        method: Method::Exhaustive,
        operators: operators.iter().map(|o| (*o).to_string()).collect(),
        constants: Constants::Free,
        work: None,
        deadline: None,
        threads: 1,
        seed: 0,
        identity: 1 << 40,
        without: Vec::new(),
        criteria: Criteria::default(),
        own: Vec::new(),
        guesses: Vec::new(),
        denoise: false,
    }
}

/// Columns with values between 1 and 3; the target from `law`.
fn problem(
    columns: usize,
    dimensions: Option<Vec<Dimension>>,
    goal: Dimension,
    seed: u64,
    law: impl Fn(&[f64]) -> f64,
) -> Problem {
    let mut rng = Streams::new(seed).stream("test/exhaustive");
    let columns: Vec<Vec<f64>> =
        (0..columns).map(|_| (0..50).map(|_| 1.0 + 2.0 * rng.random::<f64>()).collect()).collect();
    let target = (0..50).map(|i| law(&columns.iter().map(|c| c[i]).collect::<Vec<_>>())).collect();
    Problem {
        names: (0..columns.len()).map(|k| Symbol::new(&format!("x{k}"))).collect(),
        units: vec![None; columns.len()],
        columns,
        dimensions,
        target,
        target_symbol: Symbol::new("y"),
        target_dimension: goal,
        target_unit: None,
        sigma: None,
        row_weights: None,
        resolution: None,
    }
}

/// A target that no law has.
fn noise(columns: usize) -> Problem {
    let mut p = problem(columns, None, Dimension::NONE, 3, |_| 0.0);
    let mut rng = Streams::new(5).stream("test/noise");
    p.target.iter_mut().for_each(|y| *y = rng.random());
    p
}

/// Steps until the first of a size that is `end`; what each proposed.
fn steps(engine: &mut Exhaustive, problem: &Problem, plan: &Plan, end: usize) -> Vec<Vec<Model>> {
    let cancel = CancelToken::new();
    let search = Search { problem, plan, cancel: &cancel };
    let mut found = Vec::new();
    while engine.next(&search).is_some() && engine.size < end {
        found.push(engine.run(&search).models);
    }
    found
}

/// Whether one of the models leaves nothing.
fn solved(problem: &Problem, models: &[Model]) -> bool {
    let size = problem.target.iter().map(|y| y * y).sum::<f64>();
    models.iter().any(|m| {
        refine::fit(problem, &m.template, &m.parameters, &CancelToken::new())
            .is_some_and(|f| f.sse <= 1e-14 * size)
    })
}

fn filled(problem: &Problem, plan: &Plan, size: usize) -> Table {
    let (rows, _) = probe_rows(problem);
    let mut table = Table::new(Grammar::new(problem, plan, &rows), Projection::new(0.0));
    for _ in 0..size {
        let level = Level::next(&mut table);
        assert!(matches!(level.run(&mut table, CAPACITY, &CancelToken::new()), Outcome::Complete));
    }
    table
}

/// A random expression of exactly this size over two columns and the numbers.
fn random(rng: &mut Rng, size: usize) -> Expr {
    let leaf = |rng: &mut Rng| match rng.random_range(0..6) {
        0 | 1 => Expr::symbol("x0"),
        2 | 3 => Expr::symbol("x1"),
        4 => Expr::int(2),
        _ => Expr::pi(),
    };
    match size {
        0 | 1 => leaf(rng),
        2 => match rng.random_range(0..3) {
            0 => random(rng, 1).sqrt(),
            1 => Expr::call(Function::Exp, vec![random(rng, 1)]),
            _ => Expr::call(Function::Sin, vec![random(rng, 1)]),
        },
        _ if rng.random_range(0..4) == 0 => {
            let inside = random(rng, size - 1);
            match rng.random_range(0..3) {
                0 => inside.sqrt(),
                1 => Expr::call(Function::Exp, vec![inside]),
                _ => Expr::call(Function::Sin, vec![inside]),
            }
        }
        _ => {
            let first = rng.random_range(1..size - 1);
            let (a, b) = (random(rng, first), random(rng, size - 1 - first));
            match rng.random_range(0..4) {
                0 => a + b,
                1 => a - b,
                2 => a * b,
                _ => a / b,
            }
        }
    }
}

const OPERATORS: [&str; 7] = ["+", "-", "*", "/", "sqrt", "exp", "sin"];

/// The problem of a law; `None` where it is not finite, or (nearly) constant, or left by cancellation.
fn planted(law: &Expr) -> Option<Problem> {
    let value = |x: &[f64]| {
        law.evaluate(&|s| match s.name() {
            "x0" => Some(x[0]),
            "x1" => Some(x[1]),
            _ => None,
        })
    };
    let p = problem(2, None, Dimension::NONE, 1, |x| value(x).unwrap_or(f64::NAN));
    let largest = p.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    let spread = p.target.iter().map(|y| (y - p.target[0]).abs()).fold(0.0, f64::max);
    let usable =
        p.target.iter().all(|y| y.is_finite()) && (1e-6..1e9).contains(&largest) && spread > 1e-3 * largest;
    usable.then_some(p)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PHYS_CASES").ok().and_then(|n| n.parse::<u32>().ok()).unwrap_or(256) / 8 + 1
    ))]

    /// Every law up to a size is found when that size is made.
    #[test]
    fn a_law_of_a_size_is_found(seed in any::<u64>(), size in 1usize..5) {
        let law = random(&mut Streams::new(seed).stream("law"), size);
        if let Some(p) = planted(&law) {
            let mut engine = Exhaustive::new(None);
            let plan = plan(&OPERATORS);
            let cancel = CancelToken::new();
            let search = Search { problem: &p, plan: &plan, cancel: &cancel };
            let mut models = Vec::new();
            while engine.next(&search).is_some() && engine.size <= size {
                models.extend(engine.run(&search).models);
            }
            prop_assert!(solved(&p, &models), "{}", law);
            prop_assert!(engine.covered < size);
        }
    }

    /// Two functions joined by one operation are found when the size of the larger is met.
    #[test]
    fn two_functions_joined_are_found(seed in any::<u64>(), size in 1usize..5, op in 0usize..4) {
        let mut rng = Streams::new(seed).stream("law");
        let (a, b) = (random(&mut rng, size), random(&mut rng, size));
        let law = match op {
            0 => a + b,
            1 => a - b,
            2 => a * b,
            _ => a / b,
        };
        if let Some(p) = planted(&law) {
            let plan = plan(&OPERATORS);
            let mut engine = Exhaustive::new(None);
            let models: Vec<Model> = steps(&mut engine, &p, &plan, size + 1).into_iter().flatten().collect();
            prop_assert!(solved(&p, &models), "{}", law);
        }
    }
}

/// All values of expressions of each size, by recursion without any table.
fn brute(leaves: &[Values], size: usize) -> Vec<Values> {
    if size == 1 {
        return leaves.to_vec();
    }
    let mut all: Vec<Values> = brute(leaves, size - 1).iter().map(|v| v.map(f64::exp)).collect();
    // A function stands for its negative too.
    all.extend(brute(leaves, size - 1).iter().map(|v| v.map(|x| (-x).exp())));
    for first in 1..size.saturating_sub(1) {
        for a in brute(leaves, first) {
            for b in brute(leaves, size - 1 - first) {
                let join = |f: fn(f64, f64) -> f64| std::array::from_fn(|i| f(a[i], b[i]));
                all.extend([join(|x, y| x + y), join(|x, y| x - y), join(|x, y| x * y), join(|x, y| x / y)]);
            }
        }
    }
    all.retain(|v| v.iter().all(|x| x.is_finite()) && v.iter().any(|x| x.abs() > 1e-9));
    all
}

/// The statement of what was tried is true: the table holds as many functions as there are, counted otherwise.
#[test]
fn the_table_holds_every_function_once() {
    let p = problem(2, None, Dimension::NONE, 1, |x| x[0]);
    let plan = plan(&["+", "-", "*", "/", "exp"]);
    let (rows, _) = probe_rows(&p);
    let leaves: Vec<Values> = Grammar::new(&p, &plan, &rows).leaves.iter().map(|l| *l.values).collect();
    let mut all: Vec<Values> = Vec::new();
    for size in 1..=4 {
        all.extend(brute(&leaves, size));
        // Numbers are not put into functions, so they are left out of the count.
        let varies = |v: &&Values| v.iter().any(|x| (x - v[0]).abs() > 1e-9 * v[0].abs());
        let of_numbers = |v: &Values| {
            // With only numbers put into exp, e and the like would follow.
            let e = std::f64::consts::E;
            leaves.iter().take(2).any(|l| same(v, &l.map(|x| x * e)) || same(v, &l.map(|x| x / e)))
        };
        let mut distinct: Vec<Values> = Vec::new();
        let mut sorted: Vec<Values> =
            all.iter().filter(varies).map(|v| if v[0] < 0.0 { v.map(|x| -x) } else { *v }).collect();
        sorted.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for v in sorted {
            let near = distinct.iter().rev().take_while(|d| (d[0] - v[0]).abs() <= 1e-9 * v[0].abs());
            if near.into_iter().all(|d| !same(d, &v)) {
                distinct.push(v);
            }
        }
        let table = filled(&p, &plan, size);
        let held: Vec<Values> = (0..table.len() as u32)
            .filter(|id| !table.entry(*id).constant)
            .map(|id| *table.values(id, &mut [0.0; ROWS]))
            .collect();
        // Each that is held is one of those counted, none twice.
        let known = |v: &Values, of: &[Values]| of.iter().filter(|d| same(d, v)).count();
        assert!(held.iter().all(|v| known(v, &held) == 1));
        let missing: Vec<&Values> =
            distinct.iter().filter(|d| known(d, &held) == 0 && !of_numbers(d)).collect();
        let numbers_inside = missing.iter().filter(|v| holds_number_function(v, &leaves)).count();
        assert_eq!(missing.len(), numbers_inside, "size {size}");
        assert!(held.iter().all(|v| known(v, &distinct) == 1), "size {size}");
    }
}

fn same(a: &Values, b: &Values) -> bool {
    let close = |sign: f64| a.iter().zip(b).all(|(x, y)| (x - sign * y).abs() <= 1e-9 * x.abs().max(1e-3));
    close(1.0) || close(-1.0)
}

/// Whether values are a column joined with exp of a number, which the search leaves out.
fn holds_number_function(v: &Values, leaves: &[Values]) -> bool {
    let numbers: Vec<f64> = leaves[2..].iter().map(|l| l[0]).collect();
    let functions: Vec<f64> = numbers.iter().flat_map(|n| [n.exp(), (-n).exp()]).collect();
    leaves[..2].iter().any(|x| {
        functions.iter().any(|f| {
            [x.map(|x| x + f), x.map(|x| x - f), x.map(|x| x * f), x.map(|x| x / f), x.map(|x| f / x)]
                .iter()
                .any(|w| same(v, w))
        })
    })
}

#[test]
fn functions_scale_as_their_units() {
    let length = Dimension::LENGTH;
    let speed = length.div(Dimension::TIME).unwrap();
    let dimensions = vec![length, length, speed, Dimension::TIME];
    let p = problem(4, Some(dimensions.clone()), speed, 1, |x| x[2]);
    let operators = ["+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos"];
    let table = filled(&p, &plan(&operators), 5);
    assert!(table.len() > 300);
    // Other units of length and time.
    let factor = |d: Dimension| {
        let [m, _, s, ..] = d.exponents().map(|(p, q)| f64::from(p) / f64::from(q));
        3.0f64.powf(m) * 0.7f64.powf(s)
    };
    let mut other = p.clone();
    for (column, d) in other.columns.iter_mut().zip(&dimensions) {
        column.iter_mut().for_each(|x| *x *= factor(*d));
    }
    let (rows, _) = probe_rows(&p);
    let at = |p: &Problem, e: &Expr, row: usize| {
        e.evaluate(&|s| p.names.iter().position(|n| n == s).map(|k| p.columns[k][row]))
    };
    for id in (0..table.len() as u32).step_by(7) {
        let e = table.expr(id);
        let (Some(a), Some(b)) = (at(&p, &e, rows[0]), at(&other, &e, rows[0])) else {
            panic!("{e} has no value")
        };
        let expected = a * factor(table.dimension(id));
        assert!((b - expected).abs() <= 1e-6 * expected.abs().max(1e-6), "{e}: {b}, not {expected}");
        // The expression is the function.
        let v = table.values(id, &mut [0.0; ROWS])[0];
        assert!((v - a).abs() <= 1e-9 * a.abs().max(1e-3), "{e}: {v}, not {a}");
    }
}

fn told(batches: &[Vec<Model>]) -> Vec<Vec<String>> {
    let line = |m: &Model| {
        let starts: Vec<u64> = m.parameters.iter().map(|p| p.start.to_bits()).collect();
        format!("{} {starts:?}", m.template)
    };
    batches.iter().map(|b| b.iter().map(line).collect()).collect()
}

#[test]
fn stopping_and_threads_change_nothing() {
    let p = noise(2);
    let plan = plan(&OPERATORS);
    let mut engine = Exhaustive::new(None);
    let whole = told(&steps(&mut engine, &p, &plan, 6));
    let notes = engine.notes();
    assert!(notes[0].contains("up to size 5"), "{notes:?}");
    // Nothing is proposed twice.
    let all: Vec<&String> = whole.iter().flatten().collect();
    let distinct: HashSet<&String> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len());
    assert!(all.len() > 5);
    // A checkpoint after every step.
    let cancel = CancelToken::new();
    let search = Search { problem: &p, plan: &plan, cancel: &cancel };
    let mut parts = Vec::new();
    let mut engine = Exhaustive::new(None);
    while engine.next(&search).is_some() && engine.size < 6 {
        parts.push(engine.run(&search).models);
        let text = engine.save().to_string();
        engine = Exhaustive::new(None);
        engine.restore(&serde_json::from_str(&text).unwrap()).unwrap();
    }
    assert_eq!(told(&parts), whole);
    assert_eq!(engine.notes(), notes);
    assert!(engine.restore(&serde_json::json!({"size": 2})).is_none());
    let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let shared = four.install(|| told(&steps(&mut Exhaustive::new(None), &p, &plan, 6)));
    assert_eq!(shared, whole);
}

#[test]
fn a_step_that_is_stopped_is_done_again() {
    let p = noise(3);
    let plan = plan(&OPERATORS);
    let whole = told(&steps(&mut Exhaustive::new(None), &p, &plan, 5));
    let mut engine = Exhaustive::new(None);
    let mut parts = Vec::new();
    let (free, stopped) = (CancelToken::new(), CancelToken::new());
    stopped.cancel();
    while engine.next(&Search { problem: &p, plan: &plan, cancel: &free }).is_some() && engine.size < 5 {
        let batch = engine.run(&Search { problem: &p, plan: &plan, cancel: &stopped });
        assert!(batch.models.is_empty());
        parts.push(engine.run(&Search { problem: &p, plan: &plan, cancel: &free }).models);
    }
    assert_eq!(told(&parts), whole);
}

/// Laws with a free factor, an offset or an inner constant, found whole.
#[test]
fn laws_with_constants() {
    let all = ["+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos"];
    let found = |columns: usize, size: usize, law: fn(&[f64]) -> f64| {
        let p = problem(columns, None, Dimension::NONE, 2, law);
        let found = regress(&p, &plan(&all), &CancelToken::new(), &|_| {}).unwrap();
        let best = found.front.best().unwrap();
        assert!(best.r2 > 1.0 - 1e-12 && best.size <= size, "{} {}", best.expr, best.r2);
    };
    found(2, 6, |x| 3.5 * x[0] * x[1].sqrt());
    found(2, 8, |x| x[0] * (1.0 - 0.25 * x[1]).exp());
    found(2, 7, |x| x[0] / (x[1] * x[1] + 0.37));
    found(3, 15, |x| x[0] / (1.0 - x[1] * x[1] / (16.0 * x[2] * x[2])).sqrt());
    found(3, 8, |x| (x[0] + x[1]) * (x[2] - x[0]).sin());
}

#[test]
fn odd_data_end_the_search() {
    let cancel = CancelToken::new();
    let plan = plan(&OPERATORS);
    // Too few different rows, and a target of one value on them.
    let mut few = problem(1, None, Dimension::NONE, 1, |x| x[0]);
    for column in few.columns.iter_mut().chain([&mut few.target]) {
        for i in 0..50 {
            column[i] = column[i % 4];
        }
    }
    let flat = problem(1, None, Dimension::NONE, 1, |_| 2.0);
    for p in [few, flat] {
        let mut engine = Exhaustive::new(None);
        assert!(engine.next(&Search { problem: &p, plan: &plan, cancel: &cancel }).is_none());
        assert!(engine.run(&Search { problem: &p, plan: &plan, cancel: &cancel }).models.is_empty());
        assert!(engine.notes().is_empty());
    }
    // Scales far apart.
    for scale in [1e-60, 1e-34, 1e30] {
        let p = problem(2, None, Dimension::NONE, 1, |x| x[0] * x[1]);
        let mut scaled = p.clone();
        scaled.columns[0].iter_mut().for_each(|x| *x *= scale);
        scaled.target.iter_mut().for_each(|y| *y *= scale);
        let found = regress(&scaled, &plan, &cancel, &|_| {}).unwrap();
        assert_eq!(found.front.best().unwrap().expr.to_string(), "x0*x1");
    }
}
