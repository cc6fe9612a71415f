//! Laws of the class are found whatever they are; what is not of it is not claimed.

use rand::RngExt;

use crate::base::random::Streams;
use crate::base::{CancelToken, StopReason};
use crate::regression::tests::{LENGTH, MASS, NONE, SPEED, holds, plan, sample, told};
use crate::regression::{Found, Method, Plan, Problem, regress};

fn search(problem: &Problem, method: Method, operators: &[&str]) -> Found {
    let mut plan = Plan { method, work: Some(200_000_000), ..plan() };
    plan.operators.extend(operators.iter().map(|o| (*o).to_string()));
    regress(problem, &plan, &CancelToken::new(), &|_| {}).unwrap()
}

#[track_caller]
fn found(problem: &Problem, operators: &[&str]) {
    let found = search(problem, Method::Algebraic, operators);
    holds(&found);
}

/// A polynomial in three variables: coefficients from -3 to 3, exponents, so many terms.
fn polynomial(rng: &mut impl RngExt, terms: usize) -> Vec<(f64, [i32; 3])> {
    (0..terms)
        .map(|_| {
            let c = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0][rng.random_range(0..6)];
            let mut p = [0; 3];
            for _ in 0..rng.random_range(0..3) {
                p[rng.random_range(0..3)] += 1;
            }
            (c, p)
        })
        .collect()
}

fn value(p: &[(f64, [i32; 3])], x: &[f64]) -> f64 {
    p.iter().map(|(c, e)| c * (0..3).map(|k| x[k].powi(e[k])).product::<f64>()).sum()
}

#[test]
fn ratios_and_roots_of_any_polynomials_are_found() {
    let features = [("u", NONE, 0.5, 2.0), ("v", NONE, 1.0, 3.0), ("w", NONE, 0.3, 1.5)];
    let cases: u64 = std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256) / 32;
    for case in 0..cases {
        let mut rng = Streams::new(case).stream("test/polynomials");
        let (a, b) = (polynomial(&mut rng, 4), polynomial(&mut rng, 3));
        let positive = |x: &[f64]| 0.5 + value(&b, x).powi(2);
        found(&sample(&features, NONE, |x| value(&a, x) / positive(x), 300, 0.0, case), &[]);
        found(&sample(&features, NONE, |x| (x[1] + value(&a, x).powi(2)).sqrt(), 300, 0.0, case), &[]);
    }
}

#[test]
fn both_solutions_of_a_quadratic_equation_are_told_apart() {
    let features = [("b", LENGTH, 3.0, 5.0), ("c", LENGTH, -2.0, 1.0), ("d", LENGTH, 1.0, 2.0)];
    for sign in [-1.0, 1.0] {
        let law = |x: &[f64]| (x[0] + x[1] + sign * (x[0] * x[0] + 4.0 * x[2] * x[2]).sqrt()) / 2.0;
        found(&sample(&features, LENGTH, law, 200, 0.0, 3), &[]);
    }
}

#[test]
fn sums_under_a_link_and_functions_in_sums_are_found() {
    let features =
        [("t", NONE, 0.2, 1.4), ("p", NONE, 0.3, 1.2), ("x", LENGTH, 1.0, 4.0), ("z", LENGTH, 2.0, 3.0)];
    let arc = ["tan", "atan"];
    found(
        &sample(&features, NONE, |x| (x[0].sin() / (2.0 + x[0].cos() * x[2] / x[3])).atan(), 300, 0.0, 1),
        &arc,
    );
    found(
        &sample(&features, LENGTH, |x| x[2] * x[0].sin() + x[3] * x[1].cos() * x[0].cos(), 300, 0.0, 1),
        &[],
    );
    found(&sample(&features, NONE, |x| 1.0 / ((x[2] / x[3] - x[0]).exp() + 1.0), 300, 0.0, 1), &[]);
    found(&sample(&features, NONE, |x| x[0] * (x[2] / x[3]).ln() + x[1] * x[1], 300, 0.0, 1), &[]);
}

#[test]
fn constants_with_a_unit_join_groups_of_different_dimension() {
    // v^2 = u^2 + 2 g x + k m x^2, g and k with units.
    let features = [("u", SPEED, 1.0, 5.0), ("x", LENGTH, 0.5, 4.0), ("m", MASS, 1.0, 2.0)];
    let law = |x: &[f64]| (x[0] * x[0] + 2.0 * 9.80665 * x[1] + 0.37 * x[2] * x[1] * x[1]).sqrt();
    found(&sample(&features, SPEED, law, 300, 0.0, 5), &[]);
}

#[test]
fn rounded_data_are_met_within_their_rounding() {
    let features = [("u", NONE, 0.5, 2.0), ("v", NONE, 1.0, 3.0)];
    let mut problem = sample(&features, NONE, |x| (1.0 + x[0] * x[1]) / (2.0 + x[0]), 300, 0.0, 2);
    for y in &mut problem.target {
        *y = format!("{y:.5e}").parse().unwrap();
    }
    let found = search(&problem, Method::Algebraic, &[]);
    assert!(found.front.best().is_some_and(|b| b.size <= 11 && b.r2 > 1.0 - 1e-9), "{}", told(&found));
}

#[test]
fn noise_and_what_is_no_relation_give_no_law() {
    let features = [("u", NONE, 0.5, 2.0), ("v", NONE, 1.0, 3.0)];
    let noisy = sample(&features, NONE, |x| x[0] / (1.0 + x[1]), 300, 1e-3, 2);
    let other =
        sample(&features, NONE, |x| (x[0] * x[1].sin().exp() + x[1].sqrt().sin()).tanh(), 300, 0.0, 2);
    for problem in [noisy, other] {
        let found = search(&problem, Method::Algebraic, &[]);
        assert!(found.stopped != StopReason::Found, "{}", told(&found));
    }
}

#[test]
fn few_rows_and_one_feature_do_no_harm() {
    let features = [("u", NONE, 0.5, 2.0)];
    for rows in [3, 5, 9, 12] {
        let problem = sample(&features, NONE, |x| (1.0 + x[0]) / (2.0 + x[0]), rows, 0.0, 2);
        search(&problem, Method::Algebraic, &[]);
    }
}
