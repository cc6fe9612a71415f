//! Laws and constants of forms are found again in data made from them; forms that cannot be used are told apart.

use super::*;
use crate::base::{Fault, StopReason};
use crate::expression::read::parse;
use crate::regression::tests::{LENGTH, NONE, SPEED, dimension, plan, sample};
use crate::regression::{Constants, Method};

fn symbols(names: &[&str]) -> Vec<Symbol> {
    names.iter().map(|n| Symbol::new(n)).collect()
}

fn form(text: &str, names: &[Symbol]) -> Form {
    Form::of(&parse(text), names).unwrap()
}

fn find(problem: &Problem, text: &str, plan: &Plan) -> FoundForm {
    regress_form(problem, &form(text, &problem.names), plan, &CancelToken::new(), &|_| {}).unwrap()
}

fn told(found: &FoundForm) -> String {
    let mut text = format!("{:?} work {}", found.found.stopped, found.found.work);
    for (c, f) in found.found.front.candidates().iter().zip(&found.filled) {
        let laws: Vec<String> = f.laws.iter().map(ToString::to_string).collect();
        let constants: Vec<String> = f.constants.iter().map(ToString::to_string).collect();
        text += &format!(
            "\n  {} loss {:.3e} dl {:.2} {}\n     laws {} constants {}",
            c.size, c.loss, c.description_length, c.expr, laws.join("; "), constants.join("; ")
        );
    }
    text
}

fn best(found: &FoundForm) -> (&crate::regression::Candidate, &Filled) {
    let k = found.found.front.best_index().unwrap();
    assert_eq!(found.found.front.candidates().len(), found.filled.len());
    (&found.found.front.candidates()[k], &found.filled[k])
}

/// The value of a law of plain numbers.
fn at(law: &Expr, names: &[&str], x: &[f64]) -> f64 {
    law.evaluate(&|s| names.iter().position(|n| *n == s.name()).map(|k| x[k])).unwrap_or(f64::NAN)
}

/// The chosen law is the true one on fresh points, to a share of its largest value.
#[track_caller]
fn agrees(found: &FoundForm, features: &[(&str, f64, f64)], law: impl Fn(&[f64]) -> f64, within: f64) {
    let own: Vec<(&'static str, [i16; 7], f64, f64)> =
        features.iter().map(|f| (Box::leak(f.0.to_string().into_boxed_str()) as &'static str, NONE, f.1, f.2)).collect();
    let fresh = sample(&own, NONE, law, 50, 0.0, 977);
    let names: Vec<&str> = features.iter().map(|f| f.0).collect();
    let c = best(found).0;
    let largest = fresh.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    for i in 0..fresh.rows() {
        let x: Vec<f64> = fresh.columns.iter().map(|c| c[i]).collect();
        let off = (at(&c.expr, &names, &x) - fresh.target[i]).abs();
        assert!(off <= within * largest, "off by {off:e} at {x:?}: {}", told(found));
    }
}

fn made(features: &[(&'static str, f64, f64)], law: impl Fn(&[f64]) -> f64, rows: usize, noise: f64) -> Problem {
    let own: Vec<_> = features.iter().map(|f| (f.0, NONE, f.1, f.2)).collect();
    let mut problem = sample(&own, NONE, law, rows, noise, 5);
    problem.dimensions = None;
    problem
}

type Case = (&'static str, &'static [(&'static str, f64, f64)], fn(&[f64]) -> f64);

/// Forms with what is true of them.
const CASES: &[Case] = &[
    ("2.5*f(x) + g(z)/w", &[("x", 0.2, 6.0), ("z", 0.5, 9.0), ("w", 1.0, 4.0)], |v| {
        2.5 * v[0].sin() + v[1].sqrt() / v[2]
    }),
    ("a*f(x) + g(z)/w", &[("x", 0.2, 6.0), ("z", 0.5, 9.0), ("w", 1.0, 4.0)], |v| {
        2.5 * v[0].sin() + v[1].sqrt() / v[2]
    }),
    ("f(x) - f(z)", &[("x", 0.1, 5.0), ("z", 0.1, 5.0)], |v| {
        v[0] * v[0] * (-v[0]).exp() - v[1] * v[1] * (-v[1]).exp()
    }),
    ("f(x) - f(z)", &[("x", 0.1, 5.0), ("z", 0.1, 5.0)], |v| v[0].sqrt() - v[1].sqrt()),
    ("f(x, z)*exp(-k*t)", &[("x", 0.5, 3.0), ("z", 0.5, 3.0), ("t", 0.0, 4.0)], |v| {
        v[0] * v[1] / (v[0] + v[1]) * (-0.7 * v[2]).exp()
    }),
    ("exp(-g*t)*f(w)", &[("t", 0.0, 5.0), ("w", 0.0, 8.0)], |v| (-0.3 * v[0]).exp() * (1.5 * v[1]).cos()),
    ("f(x)*g(y)", &[("x", 0.5, 4.0), ("y", 0.5, 4.0)], |v| (v[0] * v[0] + 1.0) * (v[1]).ln()),
    ("f(x)/(1 + g(y))", &[("x", 0.5, 4.0), ("y", 0.5, 4.0)], |v| v[0].powi(3) / (1.0 + v[1].exp())),
    ("f(x - c*t)", &[("x", 0.0, 5.0), ("t", 0.0, 2.0)], |v| (-(v[0] - 1.5 * v[1]).powi(2)).exp()),
    ("sqrt(f(x) + y^2)", &[("x", 0.5, 4.0), ("y", 0.5, 4.0)], |v| (v[0].powi(3) + v[1] * v[1]).sqrt()),
    ("f(g(x) + y)", &[("x", 0.5, 3.0), ("y", 0.5, 3.0)], |v| (v[0].powi(2) + v[1]).ln()),
    ("f(x*y, z)", &[("x", 0.5, 3.0), ("y", 0.5, 3.0), ("z", 0.5, 3.0)], |v| {
        v[0] * v[1] / (1.0 + v[2] * v[0] * v[1])
    }),
    ("f(x) + g(y) + h(z)", &[("x", 0.5, 3.0), ("y", 0.5, 3.0), ("z", 0.5, 3.0)], |v| {
        v[0].recip() + v[1].sin() + v[2].powi(2)
    }),
];

/// The whole table, with noise from the environment; its output is the record of what is found.
#[test]
#[ignore = "a survey, to be read: cargo test --lib form::tests::survey -- --ignored --nocapture"]
fn survey() {
    let set = |name: &str, default: f64| {
        std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let (noise, work, rows) = (set("PHYS_NOISE", 0.0), set("PHYS_WORK", 2e7), set("PHYS_ROWS", 200.0));
    for (k, (text, features, law)) in CASES.iter().enumerate() {
        if std::env::var("PHYS_CASE").ok().is_some_and(|c| c != k.to_string()) {
            continue;
        }
        let problem = made(features, law, rows as usize, noise);
        let method = if std::env::var("PHYS_CLOSED").is_ok() { Method::Closed } else { Method::Auto };
        let plan = Plan { work: Some(work as u64), method, ..plan() };
        let begin = std::time::Instant::now();
        let found = find(&problem, text, &plan);
        println!("{k} {text} in {:.1?}: {}", begin.elapsed(), told(&found));
    }
}
