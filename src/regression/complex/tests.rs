//! Complex laws are found again, with and without units.

use super::super::tests::{NONE, dimension, plan, sample};
use super::super::{Plan, Problem, RegressError};
use super::*;
use crate::base::CancelToken;
use crate::base::random::Streams;
use crate::numeric::normal::standard_normals;

const RESISTANCE: [i16; 7] = [2, 1, -3, -2, 0, 0, 0];
const INDUCTANCE: [i16; 7] = [2, 1, -2, -2, 0, 0, 0];
const CAPACITANCE: [i16; 7] = [-2, -1, 4, 2, 0, 0, 0];
const FREQUENCY: [i16; 7] = [0, 0, -1, 0, 0, 0, 0];
const TIME: [i16; 7] = [0, 0, 1, 0, 0, 0, 0];

type Feature = (&'static str, [i16; 7], f64, f64);

fn data(features: &[Feature], rows: usize, units: bool) -> Problem {
    let mut problem = sample(features, NONE, |x| x[0], rows, 0.0, 11);
    if !units {
        problem.dimensions = None;
    }
    problem
}

fn target(
    problem: &Problem,
    law: impl Fn(&[f64]) -> (f64, f64),
    noise: f64,
    goal: [i16; 7],
) -> ComplexTarget {
    let row = |i: usize| problem.columns.iter().map(|c| c[i]).collect::<Vec<f64>>();
    let all: Vec<(f64, f64)> = (0..problem.rows()).map(|i| law(&row(i))).collect();
    let errors = standard_normals(&mut Streams::new(2).stream("noise"), 2 * all.len());
    let column = ComplexColumn {
        name: Symbol::new("Z"),
        re: all.iter().zip(&errors).map(|(z, e)| z.0 + noise * e).collect(),
        im: all.iter().zip(&errors[all.len()..]).map(|(z, e)| z.1 + noise * e).collect(),
        dimension: dimension(goal),
        unit: None,
    };
    ComplexTarget { column, sigma: None, resolution: None }
}

fn quick() -> Plan {
    Plan { work: Some(4_000_000), ..plan() }
}

/// The law; it agrees with the target in all rows to a share of the largest modulus.
#[track_caller]
fn found(problem: &Problem, features: &[ComplexColumn], target: &ComplexTarget, share: f64) -> ComplexLaw {
    let found = regress_complex(problem, features, target, &quick(), &CancelToken::new(), &|_| {}).unwrap();
    let best = found.best().unwrap();
    let size = target.column.re.iter().chain(&target.column.im).fold(0.0f64, |m, y| m.max(y.abs()));
    for i in 0..problem.rows() {
        let value = best.law.expr.evaluate_complex(&|s| {
            let feature = features.iter().find(|z| z.name == *s).map(|z| (z.re[i], z.im[i]));
            feature
                .or_else(|| problem.names.iter().position(|n| n == s).map(|k| (problem.columns[k][i], 0.0)))
        });
        let (re, im) = value.unwrap();
        let left = (re - target.column.re[i]).hypot(im - target.column.im[i]);
        let all: Vec<String> = found
            .laws
            .iter()
            .map(|l| {
                format!("{} ({}, {:.1}, {:.1e})", l.law.expr, l.form, l.law.description_length, l.law.loss)
            })
            .collect();
        assert!(left <= share * size, "row {i}: {left} of {size} {all:#?}");
    }
    best.clone()
}

#[test]
fn impedance_of_a_coil() {
    for units in [true, false] {
        let problem = data(
            &[("R", RESISTANCE, 1.0, 3.0), ("w", FREQUENCY, 1.0, 9.0), ("L", INDUCTANCE, 0.2, 2.0)],
            20,
            units,
        );
        for (noise, share) in [(0.0, 1e-9), (0.01, 0.05)] {
            let target = target(&problem, |x| (x[0], x[1] * x[2]), noise, RESISTANCE);
            let law = found(&problem, &[], &target, share);
            assert_eq!(law.law.expr.to_string(), "i*L*w + R");
        }
    }
}

#[test]
fn impedance_of_a_circuit() {
    for units in [true, false] {
        let problem = data(
            &[
                ("R", RESISTANCE, 1.0, 3.0),
                ("w", FREQUENCY, 1.0, 4.0),
                ("L", INDUCTANCE, 0.5, 2.0),
                ("C", CAPACITANCE, 0.2, 1.0),
            ],
            30,
            units,
        );
        let target = target(&problem, |x| (x[0], x[1] * x[2] - 1.0 / (x[1] * x[3])), 0.0, RESISTANCE);
        let law = found(&problem, &[], &target, 1e-9);
        assert!(law.law.constants.iter().all(|c| c.exact.is_some()), "{}", law.law.expr);
        assert_eq!(law.form, "a + i*b");
    }
}

#[test]
fn a_turning_pointer() {
    for units in [true, false] {
        let problem = data(&[("w", FREQUENCY, 0.5, 2.5), ("t", TIME, 0.1, 4.0)], 120, units);
        let target = target(&problem, |x| ((x[0] * x[1]).cos(), (x[0] * x[1]).sin()), 0.0, NONE);
        let law = found(&problem, &[], &target, 1e-9);
        assert_eq!(law.law.expr, crate::expression::read::parse("exp(i*w*t)"));
    }
}

#[test]
fn a_low_pass() {
    let low = |x: f64| (1.0 / (1.0 + x * x), -x / (1.0 + x * x));
    for units in [true, false] {
        let problem = data(&[("w", FREQUENCY, 0.5, 5.0), ("tau", TIME, 0.1, 1.0)], 25, units);
        let both = target(&problem, |x| low(x[0] * x[1]), 0.0, NONE);
        let law = found(&problem, &[], &both, 1e-9);
        assert_eq!(law.law.expr, crate::expression::read::parse("1/(1 + i*w*tau)"));
        // One time constant, which is fitted.
        let problem = data(&[("w", FREQUENCY, 0.5, 5.0)], 25, units);
        let one = target(&problem, |x| low(x[0] * 0.7313), 0.001, NONE);
        let law = found(&problem, &[], &one, 0.01);
        let open: Vec<_> = law.law.constants.iter().filter(|c| c.exact.is_none()).collect();
        assert_eq!((law.form, open.len()), ("1/(a + i*b)", 1), "{}", law.law.expr);
        assert!((open[0].value.abs() - 0.7313).abs() <= 4.0 * open[0].error, "{open:?}");
    }
}

#[test]
fn a_complex_feature() {
    let draw = data(&[("a", NONE, -2.0, 3.0), ("b", NONE, -3.0, 2.0), ("x", NONE, 0.5, 2.0)], 20, false);
    let z = ComplexColumn {
        name: Symbol::new("z"),
        re: draw.columns[0].clone(),
        im: draw.columns[1].clone(),
        dimension: Dimension::NONE,
        unit: None,
    };
    let mut problem = draw.clone();
    problem.names = vec![Symbol::new("x")];
    problem.columns = vec![draw.columns[2].clone()];
    problem.units = vec![None];
    let twice = target(&draw, |x| (x[2] * x[0], x[2] * x[1]), 0.0, NONE);
    let law = found(&problem, std::slice::from_ref(&z), &twice, 1e-9);
    assert_eq!(law.law.expr, crate::expression::read::parse("x*z"));
    let conjugate = target(&draw, |x| (x[0], -x[1]), 0.0, NONE);
    let law = found(&problem, std::slice::from_ref(&z), &conjugate, 1e-9);
    assert_eq!(law.law.expr, crate::expression::read::parse("conj(z)"));
    let (real, derived) = parts(&problem, std::slice::from_ref(&z)).unwrap();
    assert_eq!(real.names.len(), 5);
    for d in &derived {
        let k = real.names.iter().position(|n| *n == d.symbol).unwrap();
        for i in 0..20 {
            let defined = d.definition.evaluate_complex(&|_| Some((z.re[i], z.im[i]))).unwrap();
            assert!((defined.0 - real.columns[k][i]).abs() < 1e-12 && defined.1 == 0.0, "{}", d.words);
        }
    }
}

#[test]
fn columns_that_do_not_fit() {
    let problem = data(&[("w", NONE, 0.5, 5.0)], 6, false);
    let mut wrong = target(&problem, |x| (x[0], 1.0), 0.0, NONE);
    wrong.column.im.pop();
    let run = |t: &ComplexTarget| {
        regress_complex(&problem, &[], t, &quick(), &CancelToken::new(), &|_| {}).map(|_| ())
    };
    assert_eq!(run(&wrong), Err(RegressError::Parts { column: "Z".into(), rows: 6, re: 6, im: 5 }));
    let same = target(&problem, |_| (2.0, 1.0), 0.0, NONE);
    assert!(matches!(run(&same), Err(RegressError::Constant { .. })));
}

#[test]
fn resuming_equals_never_stopping() {
    use crate::base::StopReason;
    let problem = data(&[("R", NONE, 1.0, 3.0), ("w", NONE, 1.0, 9.0), ("L", NONE, 0.2, 2.0)], 30, false);
    let target = target(&problem, |x| (x[0], x[1] * x[2] - 1.3 / x[1]), 0.02, NONE);
    let plan = Plan { work: Some(9_000_000), ..plan() };
    let whole = regress_complex(&problem, &[], &target, &plan, &CancelToken::new(), &|_| {}).unwrap();
    let (found, states) = super::super::journal::tests::in_pieces(2, |journal, cancel| {
        let run = regress_complex_kept((&problem, &[]), &target, &plan, cancel, &|_| {}, journal);
        run.ok().filter(|f| f.stopped != StopReason::Cancelled)
    });
    assert_eq!(format!("{found:?}"), format!("{whole:?}"));
    assert!(states.len() > 1, "cut {} times", states.len());
}
