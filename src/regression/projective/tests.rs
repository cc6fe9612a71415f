//! Laws of the class are found whatever product of powers, sign, size or digits they have; what is not of it is not claimed.

use rand::RngExt;

use crate::base::random::{Rng, Streams};
use crate::base::{CancelToken, StopReason};
use crate::regression::scheduler::Run;
use crate::regression::tests::{LENGTH, MASS, NONE, SPEED, holds, plan, sample, told};
use crate::regression::{Found, Method, Plan, Problem, checkpoint, regress};
use crate::units::{Catalogue, Dimension};

fn only(work: u64) -> Plan {
    Plan { method: Method::Projective, work: Some(work), ..plan() }
}

fn search(problem: &Problem, work: u64) -> Found {
    regress(problem, &only(work), &CancelToken::new(), &|_| {}).unwrap()
}

#[track_caller]
fn found(problem: &Problem, work: u64) -> Found {
    let found = search(problem, work);
    holds(&found);
    found
}

fn cases() -> u64 {
    std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256) / 32
}

fn bare(mut problem: Problem) -> Problem {
    problem.dimensions = None;
    problem.target_dimension = Dimension::NONE;
    problem
}

/// A product of powers of three features, in halves.
fn powers(rng: &mut Rng) -> [f64; 3] {
    std::array::from_fn(|_| f64::from(rng.random_range(-4..5)) / 2.0)
}

fn product(p: &[f64; 3], x: &[f64]) -> f64 {
    (0..3).map(|k| x[k].powf(p[k])).product()
}

/// Factors of textbooks of u = x/z.
const FACTORS: [fn(f64) -> f64; 6] = [
    |u| 1.0 + u * u,
    |u| (1.0 + u).sqrt(),
    |u| 1.0 / (u.exp() - 1.0),
    |u| u.sin(),
    |u| 1.0 - (-u).exp(),
    |u| (u * u + u).ln_1p(),
];

const FEATURES: [(&str, [i16; 7], f64, f64); 3] =
    [("x", LENGTH, 0.5, 2.0), ("z", LENGTH, 1.0, 3.0), ("m", MASS, 1.0, 4.0)];

#[test]
fn a_factor_is_found_behind_every_product_of_powers() {
    for case in 0..cases() {
        let mut rng = Streams::new(case).stream("test/powers");
        let (p, factor) = (powers(&mut rng), FACTORS[rng.random_range(0..5)]);
        let c = rng.random_range(-3.0..3.0);
        let law = |x: &[f64]| c * product(&p, x) * factor(x[0] / x[1]);
        // A target that has no unit of its own: the constant carries one.
        let typed = sample(&FEATURES, NONE, law, 200, 0.0, case);
        found(&typed, 100_000_000);
        found(&bare(typed), 100_000_000);
    }
}

#[test]
fn products_of_powers_cost_nothing() {
    // What stands before a factor changes neither the steps nor the work that find it.
    let law = |x: &[f64]| (1.0 + (x[0] / x[1]).sin()).sqrt() * ((x[0] / x[1]).exp() - 1.0);
    let told: Vec<(u64, u64)> = (0..4)
        .map(|case| {
            let p = powers(&mut Streams::new(case).stream("test/powers"));
            let one = bare(sample(&FEATURES, NONE, |x| product(&p, x) * law(x), 300, 0.0, 1));
            let found = found(&one, 400_000_000);
            (found.steps, found.work)
        })
        .collect();
    assert!(told.iter().all(|t| t.0 == told[0].0), "{told:?}");
}

#[test]
fn two_factors_of_different_arguments_are_told_apart() {
    let features =
        [("x", LENGTH, 0.5, 2.0), ("z", LENGTH, 1.0, 3.0), ("u", SPEED, 0.1, 0.6), ("c", SPEED, 1.0, 2.0)];
    for case in 0..cases() {
        let mut rng = Streams::new(case).stream("test/pairs");
        let (f, g) = (FACTORS[rng.random_range(0..5)], FACTORS[rng.random_range(0..5)]);
        let law = |x: &[f64]| 2.0 * f(x[0] / x[1]) * g(x[2] / x[3]) * x[0];
        found(&sample(&features, LENGTH, law, 300, 0.0, case), 400_000_000);
    }
}

#[test]
fn differences_become_variables() {
    let features = [
        ("x1", LENGTH, 1.0, 2.0),
        ("x2", LENGTH, 3.0, 5.0),
        ("y1", LENGTH, 1.0, 2.0),
        ("y2", LENGTH, 3.0, 5.0),
    ];
    let law = |x: &[f64]| 3.0 / ((x[1] - x[0]).powi(2) + (x[3] - x[2]).powi(2));
    found(&sample(&features, NONE, law, 300, 0.0, 1), 800_000_000);
}

#[test]
fn a_target_of_both_signs_is_no_obstacle() {
    let features = [("x", LENGTH, -2.0, 2.0), ("z", LENGTH, 1.0, 3.0), ("m", MASS, -4.0, 4.0)];
    found(&sample(&features, NONE, |x| -2.0 * x[2] * (x[0] / x[1]).tanh(), 300, 0.0, 1), 400_000_000);
    found(
        &sample(&features, NONE, |x| x[0] * x[2] / (1.0 + (x[0] / x[1]).powi(2)), 300, 0.0, 1),
        400_000_000,
    );
}

#[test]
fn digits_of_the_data_set_the_tolerance() {
    for (digits, least) in [(8usize, 1.0 - 1e-12), (6, 1.0 - 1e-9), (4, 1.0 - 1e-6)] {
        let round = |x: f64| -> f64 { format!("{x:.*e}", digits - 1).parse().unwrap() };
        let law = |x: &[f64]| x[2] * x[0] / ((x[0] / x[1]).exp() - 1.0);
        let mut problem = sample(&FEATURES, NONE, law, 400, 0.0, 4);
        problem.columns.iter_mut().flatten().chain(&mut problem.target).for_each(|x| *x = round(*x));
        let found = search(&problem, 60_000_000);
        let best = found.front.best().unwrap();
        assert!(best.r2 > least && best.size <= 12, "{digits} digits: {}", told(&found));
    }
}

#[test]
fn what_is_no_such_law_is_not_claimed() {
    let noise = sample(&FEATURES, NONE, |x| (x[0] * 1e7).sin(), 200, 0.0, 1);
    let found = search(&noise, 30_000_000);
    assert_ne!(found.stopped, StopReason::Found, "{}", told(&found));
}

#[test]
fn it_goes_on_in_any_library_as_if_it_had_not_stopped() {
    let catalogue = Catalogue::load(&[("test", "unit metre, m\nunit kilogram, kg\n")]).unwrap();
    let (problem, cancel) = (
        bare(sample(&FEATURES[..2], NONE, |x| x[0].sin() + x[1] * x[0] + 1.0 / x[1], 40, 0.3, 1)),
        CancelToken::new(),
    );
    let plan = only(300_000_000);
    let mut run = Run::new(&problem, &problem, &plan, Vec::new());
    let mut states = vec![checkpoint::state(&run, &catalogue).unwrap()];
    while run.step(&cancel).is_none() {
        states.push(checkpoint::state(&run, &catalogue).unwrap());
    }
    assert!(states.len() > 10, "{}", states.len());
    // The late states are those of large libraries, which a search that goes on makes again.
    let every = states.windows(2).enumerate().filter(|(k, _)| k % 5 == 3 || k + 4 > states.len());
    for (k, pair) in every {
        let mut again = Run::new(&problem, &problem, &plan, Vec::new());
        checkpoint::resume(&mut again, &pair[0], &catalogue).unwrap();
        assert_eq!(again.step(&cancel), None);
        assert!(checkpoint::state(&again, &catalogue).unwrap() == pair[1], "step {k}");
    }
}
