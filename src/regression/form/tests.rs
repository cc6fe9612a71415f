//! Laws and constants of forms are found again in data made from them; forms that cannot be used are told apart.

use super::*;
use crate::base::{Fault, StopReason};
use crate::expression::read::parse;
use crate::regression::Constants;
use crate::regression::tests::{LENGTH, NONE, SPEED, plan, sample};

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
            c.size,
            c.loss,
            c.description_length,
            c.expr,
            laws.join("; "),
            constants.join("; ")
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
    let own: Vec<(&'static str, [i16; 7], f64, f64)> = features
        .iter()
        .map(|f| (Box::leak(f.0.to_string().into_boxed_str()) as &'static str, NONE, f.1, f.2))
        .collect();
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

fn made(
    features: &[(&'static str, f64, f64)],
    law: impl Fn(&[f64]) -> f64,
    rows: usize,
    noise: f64,
) -> Problem {
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

/// The closed forms only: fast, and enough for these.
fn quick() -> Plan {
    Plan { work: Some(20_000_000), ..plan() }
}

#[track_caller]
fn exactly(case: usize) -> FoundForm {
    let (text, features, law) = CASES[case];
    let problem = made(features, law, 120, 0.0);
    let found = find(&problem, text, &quick());
    agrees(&found, features, law, 1e-9);
    assert_eq!(found.found.stopped, StopReason::Found, "{}", told(&found));
    fills(&found, text, &problem.names);
    found
}

/// What stands in the form makes the whole law, for all laws of the front.
#[track_caller]
fn fills(found: &FoundForm, text: &str, names: &[Symbol]) {
    let own = form(text, names);
    assert_eq!(found.filled.len(), found.found.front.candidates().len());
    for (c, f) in found.found.front.candidates().iter().zip(&found.filled) {
        let pairs: Vec<(Symbol, Expr)> =
            own.constants.iter().map(|c| c.symbol.clone()).zip(f.constants.iter().cloned()).collect();
        let whole = joint::filled(&own, &f.laws).substitute(&pairs);
        for k in 0..5 {
            let at = |s: &Symbol| {
                names.iter().position(|n| n == s).map(|j| 0.7 + 0.31 * k as f64 + 0.17 * j as f64)
            };
            let (a, b) = (whole.evaluate(&at), c.expr.evaluate(&at));
            let (Some(a), Some(b)) = (a, b) else { continue };
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{whole} is not {}", c.expr);
        }
        for (law, hole) in f.laws.iter().zip(&own.holes) {
            let open: Vec<Symbol> =
                law.symbols().into_iter().filter(|s| !hole.arguments.contains(s)).collect();
            assert!(open.is_empty() && !law.is_undefined(), "{law}");
        }
    }
}

#[test]
fn two_laws_in_one_form() {
    let found = exactly(0);
    let laws: Vec<String> = best(&found).1.laws.iter().map(ToString::to_string).collect();
    assert_eq!(laws, ["sin(x)", "sqrt(z)"]);
    // A constant before a law takes its factor.
    let found = exactly(1);
    assert_eq!(best(&found).1.constants, [parse("5/2")]);
}

#[test]
fn one_law_called_twice() {
    let found = exactly(2);
    assert_eq!(best(&found).1.laws, [parse("x1^2*exp(-x1)")]);
    // An offset that cancels is none.
    assert_eq!(best(&exactly(3)).1.laws, [parse("sqrt(x1)")]);
}

#[test]
fn a_damped_oscillation() {
    let found = exactly(5);
    assert_eq!(best(&found).1.constants, [parse("3/10")]);
}

#[test]
fn a_law_of_two_arguments_with_a_decay() {
    exactly(4);
}

#[test]
fn a_wave_with_its_speed() {
    exactly(8);
}

#[test]
fn a_product_of_laws() {
    exactly(6);
}

#[test]
fn a_quotient_of_laws() {
    exactly(7);
}

#[test]
fn a_law_under_a_root() {
    exactly(9);
}

#[test]
fn a_law_of_a_law() {
    exactly(10);
}

#[test]
fn a_law_of_a_product() {
    exactly(11);
}

#[test]
fn three_laws() {
    exactly(12);
}

#[test]
fn noise_leaves_the_structure() {
    for (case, laws) in [(0, ["sin(x)", "sqrt(z)"]), (6, ["x^2 + 1", "log(y)"])] {
        let (text, features, law) = CASES[case];
        let problem = made(features, law, 150, 0.01);
        let found = find(&problem, text, &quick());
        let (c, filled) = best(&found);
        let own: Vec<String> = filled.laws.iter().map(ToString::to_string).collect();
        assert_eq!(own, laws, "{}", told(&found));
        assert!(c.r2 > 0.999, "{}", told(&found));
    }
}

#[test]
fn units_are_those_of_the_form() {
    // v = a*f(x) + g(t): f takes the unit of v, or a does.
    let law = |x: &[f64]| 3.0 * x[0].sqrt() + 0.5 * x[1] * x[1];
    let time = [0, 0, 1, 0, 0, 0, 0];
    let problem = sample(&[("x", LENGTH, 1.0, 5.0), ("t", time, 1.0, 4.0)], SPEED, law, 120, 0.0, 3);
    let found = find(&problem, "f(x) + g(t)", &quick());
    assert_eq!(found.found.stopped, StopReason::Found, "{}", told(&found));
    crate::regression::tests::whole(&problem, &found.found);
    // A constant that the form decides.
    let law = |x: &[f64]| x[0].powi(2) * (-0.25 * x[1]).exp();
    let area = [2, 0, 0, 0, 0, 0, 0];
    let problem = sample(&[("x", LENGTH, 1.0, 5.0), ("t", time, 1.0, 4.0)], area, law, 120, 0.0, 3);
    let found = find(&problem, "f(x)*exp(-k*t)", &quick());
    let (_, filled) = best(&found);
    assert_eq!(filled.laws, [parse("x^2")], "{}", told(&found));
    let rate = &filled.constants[0];
    assert!((rate.evaluate(&|_| None).unwrap() - 0.25).abs() < 1e-9);
    let (_, unit) = rate.split_unit();
    let per_second = Dimension::TIME.recip();
    assert_eq!(unit.map(|u| u.dimension()), Some(per_second), "{rate}");
    crate::regression::tests::whole(&problem, &found.found);
}

#[test]
fn the_same_on_any_number_of_threads() {
    let (text, features, law) = CASES[1];
    let problem = made(features, law, 80, 0.01);
    let texts: Vec<String> = [1, 2]
        .iter()
        .map(|threads| {
            told(&find(&problem, text, &Plan { threads: *threads, work: Some(4_000_000), ..plan() }))
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn bounds_and_cancelling_are_honoured() {
    let (text, features, law) = CASES[0];
    let problem = made(features, law, 60, 0.05);
    let own = form(text, &problem.names);
    let cancel = CancelToken::new();
    cancel.cancel();
    let found = regress_form(&problem, &own, &plan(), &cancel, &|_| {}).unwrap();
    assert_eq!(found.found.stopped, StopReason::Cancelled);
    assert!(found.found.front.candidates().is_empty());
    let bound = 1_000_000;
    let shares = std::cell::RefCell::new(Vec::new());
    let plan = Plan { work: Some(bound), ..plan() };
    let found = regress_form(&problem, &own, &plan, &CancelToken::new(), &|r| {
        shares.borrow_mut().push(r.share);
    });
    assert_eq!(found.unwrap().found.stopped, StopReason::Work);
    assert!(shares.borrow().iter().all(|s| (0.0..=1.0).contains(s)) && shares.borrow().last() == Some(&1.0));
}

#[test]
fn forms_that_cannot_be_used() {
    let law = |x: &[f64]| x[0] * x[1];
    let problem = made(&[("x", -1.0, 1.0), ("y", 1.0, 2.0)], law, 40, 0.0);
    let names = problem.names.clone();
    let own =
        |f: &Form| regress_form(&problem, f, &quick(), &CancelToken::new(), &|_| {}).map(|_| ()).unwrap_err();
    let code = |text: &str| match Form::of(&parse(text), &names) {
        Ok(form) => own(&form).code().0,
        Err(fault) => fault.code().0,
    };
    assert_eq!(code("a*x + b"), 4030);
    assert_eq!(code("f(x) + f(x, y)"), 4031);
    assert_eq!(code("f(3)*x"), 4032);
    assert_eq!(code("f(x) + sqrt(x - 5)"), 4033);
    assert_eq!(code("f(log(x))"), 4033);
    assert_eq!(code("f(x) + i*y"), 4036);
    assert_eq!(code("f(x) + diff(g(y), y)"), 4036);
    assert_eq!(code("x(y) + f(x)"), 4038);
    let mut other = form("f(x) + a", &names);
    other.constants.clear();
    assert_eq!(own(&other).code().0, 4035);
    let mut other = form("f(x)", &names);
    other.holes.push(Hole { name: Symbol::new("g"), arguments: symbols(&["y"]) });
    assert_eq!(own(&other).code().0, 4037);
    other.holes.pop();
    other.holes[0].arguments.clear();
    assert_eq!(own(&other).code().0, 4031);
    // Units: metres and square metres.
    let problem = sample(&[("x", LENGTH, 1.0, 2.0)], LENGTH, |x| x[0] * x[0], 40, 0.0, 1);
    let fault = |text: &str| {
        regress_form(&problem, &form(text, &problem.names), &quick(), &CancelToken::new(), &|_| {})
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(fault("f(x) + x^2").code().0, 4034);
    assert_eq!(fault("f(f(x))*x").code().0, 4034);
    for fault in [fault("f(x) + x^2"), own(&other)] {
        assert!(fault.hint().is_some() && !fault.to_string().is_empty());
    }
}

#[test]
fn constants_may_be_kept_without_units() {
    let problem = sample(&[("x", LENGTH, 1.0, 2.0)], LENGTH, |x| x[0] * (x[0]).sin(), 60, 0.0, 1);
    let plan = Plan { constants: Constants::Dimensionless, work: Some(2_000_000), ..plan() };
    let found = find(&problem, "x*f(x)", &plan);
    for c in found.found.front.candidates() {
        assert!(c.constants.iter().all(|c| c.unit.dimension().is_none()));
    }
}

#[test]
fn resuming_equals_never_stopping() {
    use crate::regression::journal::tests::in_pieces;
    for (case, noise) in [(1, 0.01), (8, 0.01)] {
        let (text, features, law) = CASES[case];
        let problem = made(features, law, 80, noise);
        let (own, plan) = (form(text, &problem.names), Plan { work: Some(3_000_000), ..plan() });
        let whole = find(&problem, text, &plan);
        let (found, states) = in_pieces(2, |journal, cancel| {
            let found = regress_form_kept(&problem, &own, &plan, cancel, &|_| {}, journal).unwrap();
            (found.found.stopped != StopReason::Cancelled).then_some(found)
        });
        assert_eq!(format!("{found:?}"), format!("{whole:?}"));
        assert!(states.len() > 1, "{text}: cut {} times", states.len());
    }
}
