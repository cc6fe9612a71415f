//! Laws of groups are found again: what differs differs, what is shared is shared, on any number of threads.

use super::super::tests::{NONE, plan, sample};
use super::super::{Constants, Plan, Problem, RegressError};
use super::{FoundGroups, regress_groups};
use crate::base::CancelToken;
use crate::base::random::Streams;
use crate::expression::Symbol;
use crate::numeric::normal::standard_normals;

/// `rows` rows of each group, the target from `law` of the group and its features.
fn data(
    features: &[(&'static str, [i16; 7], f64, f64)],
    goal: [i16; 7],
    (groups, rows): (usize, usize),
    law: impl Fn(usize, &[f64]) -> f64,
    noise: f64,
) -> (Problem, Vec<usize>, Vec<String>) {
    let of: Vec<usize> = (0..groups * rows).map(|i| i / rows).collect();
    let mut problem = sample(features, goal, |_| 1.0, groups * rows, 0.0, 7);
    let errors = standard_normals(&mut Streams::new(5).stream("noise"), groups * rows);
    let values = |i: usize| problem.columns.iter().map(|c| c[i]).collect::<Vec<f64>>();
    let target: Vec<f64> =
        (0..of.len()).map(|i| law(of[i], &values(i)) * (1.0 + noise * errors[i])).collect();
    problem.target = target;
    (problem, of, (0..groups).map(|g| format!("group {g}")).collect())
}

fn quick() -> Plan {
    Plan { work: Some(2_000_000), ..plan() }
}

fn find(problem: &Problem, groups: &[usize], names: &[String]) -> FoundGroups {
    regress_groups(problem, groups, names, &quick(), &CancelToken::new(), &|_| {})
        .unwrap_or_else(|e| panic!("{e}"))
}

fn told(found: &FoundGroups) -> String {
    let lines = found.laws.iter().map(|l| {
        let own: Vec<String> =
            l.own.iter().map(|c| format!("{} {:?}", c.symbol, c.values.first().map(|u| u.value()))).collect();
        format!(
            "\n    {:2} loss {:.3e} dl {:.2} {} {own:?}",
            l.law.size, l.law.loss, l.law.description_length, l.law.expr
        )
    });
    format!("best {} of {}", found.best, lines.collect::<String>())
}

/// The best law agrees with `law` in every row to a share of the largest target, with so many own and shared fitted constants.
#[track_caller]
fn agrees(
    problem: &Problem,
    groups: &[usize],
    found: &FoundGroups,
    law: impl Fn(usize, &[f64]) -> f64,
    (own, shared): (usize, usize),
    share: f64,
) {
    let best = found.best().unwrap();
    assert_eq!(best.own.len(), own, "{}", told(found));
    assert_eq!(best.law.constants.iter().filter(|c| c.exact.is_none()).count(), shared, "{}", told(found));
    let largest = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    let laws: Vec<_> = (0..found.groups.len()).map(|g| best.of(g)).collect();
    for (i, &g) in groups.iter().enumerate() {
        let row: Vec<f64> = problem.columns.iter().map(|c| c[i]).collect();
        let value = laws[g].evaluate(&|s| problem.names.iter().position(|n| n == s).map(|k| row[k])).unwrap();
        assert!((value - law(g, &row)).abs() <= share * largest, "row {i}: {value} {}", told(found));
    }
    // A front: sizes grow, losses fall.
    for pair in found.laws.windows(2) {
        assert!(pair[0].law.size < pair[1].law.size && pair[0].law.loss > pair[1].law.loss);
    }
}

const X: (&str, [i16; 7], f64, f64) = ("x", NONE, 0.5, 4.0);

fn parabola(g: usize, x: &[f64]) -> f64 {
    let (a, b) = ([1.3, 2.17, 0.731, 3.91, 1.777][g], [0.37, 2.9, 1.31, 0.0, 5.123][g]);
    a * x[0] * x[0] + b
}

#[test]
fn parabolas_of_five_groups() {
    for (noise, share) in [(0.0, 1e-9), (0.01, 0.01)] {
        let (problem, groups, names) = data(&[X], NONE, (5, 12), parabola, noise);
        let found = find(&problem, &groups, &names);
        agrees(&problem, &groups, &found, parabola, (2, 0), share);
        let a = &found.best().unwrap().own;
        let errors: Vec<f64> = a.iter().flat_map(|c| c.values.iter().map(|u| u.sigma())).collect();
        assert!(errors.iter().all(|e| e.is_finite()) && errors.len() == 10);
        // Errors are those of the scatter.
        let near = |truth: f64| {
            a.iter().any(|c| (c.values[1].value() - truth).abs() <= 4.0 * c.values[1].sigma() + 1e-9)
        };
        assert!(near(2.17) && near(2.9), "{a:?}");
    }
}

#[test]
fn the_third_law_of_kepler_for_several_suns() {
    let length = [1, 0, 0, 0, 0, 0, 0];
    let time = [0, 0, 1, 0, 0, 0, 0];
    let mass = [1.0, 2.3, 0.41, 7.7];
    let law = |g: usize, x: &[f64]| {
        (4.0 * std::f64::consts::PI.powi(2) * x[0].powi(3) / (1.327e20 * mass[g])).sqrt()
    };
    let (problem, groups, names) = data(&[("a", length, 1e11, 8e11)], time, (4, 8), law, 0.0);
    let found = find(&problem, &groups, &names);
    agrees(&problem, &groups, &found, law, (1, 0), 1e-9);
    let own = &found.best().unwrap().own[0];
    // s/m^(3/2)
    assert_eq!(own.unit.dimension().exponents()[0], (-3, 2), "{}", own.unit);
}

#[test]
fn decays_with_one_time_and_several_amplitudes() {
    let law = |g: usize, x: &[f64]| [2.3, 4.71, 0.91, 7.13, 3.37][g] * (-x[0] / 1.83).exp();
    for (noise, share) in [(0.0, 1e-9), (0.01, 0.02)] {
        let (problem, groups, names) = data(&[X], NONE, (5, 12), law, noise);
        let found = find(&problem, &groups, &names);
        let exact = found.best().unwrap().law.constants.iter().filter(|c| c.exact.is_some()).count();
        agrees(&problem, &groups, &found, law, (1, 1 - exact), share);
    }
}

#[test]
fn twenty_groups_of_ten_rows() {
    let slope = |g: usize| 1.0 + 0.37 * ((g * 7) % 20) as f64;
    let law = |g: usize, x: &[f64]| slope(g) * x[0] / (x[0] + 0.613);
    let (problem, groups, names) = data(&[X], NONE, (20, 10), law, 0.0);
    let found = find(&problem, &groups, &names);
    let exact = found.best().unwrap().law.constants.iter().filter(|c| c.exact.is_some()).count();
    agrees(&problem, &groups, &found, law, (1, 1 - exact), 1e-9);
}

#[test]
fn what_does_not_differ_is_shared() {
    let law = |_: usize, x: &[f64]| 3.0 * x[0] * x[0] + 2.5;
    let (problem, groups, names) = data(&[X], NONE, (3, 8), law, 0.0);
    let found = find(&problem, &groups, &names);
    agrees(&problem, &groups, &found, law, (0, 0), 1e-12);
}

#[test]
fn threads_change_nothing() {
    let (problem, groups, names) = data(&[X], NONE, (3, 8), parabola, 0.01);
    let run = |threads: usize| {
        let plan = Plan { threads, ..quick() };
        let found = regress_groups(&problem, &groups, &names, &plan, &CancelToken::new(), &|_| {}).unwrap();
        let laws: Vec<String> = found
            .laws
            .iter()
            .map(|l| {
                let own: Vec<u64> =
                    l.own.iter().flat_map(|c| c.values.iter().map(|u| u.value().to_bits())).collect();
                format!("{} {:x} {own:?}", l.law.expr, l.law.description_length.to_bits())
            })
            .collect();
        (laws, found.work, found.best)
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn columns_named_as_constants_are_left_alone() {
    let law = |g: usize, x: &[f64]| [1.7, 2.31][g] * x[0];
    let (problem, groups, names) = data(&[("c1", NONE, 1.0, 2.0)], NONE, (2, 6), law, 0.0);
    let found = find(&problem, &groups, &names);
    assert_eq!(found.best().unwrap().own[0].symbol, Symbol::new("c2"), "{}", told(&found));
}

#[test]
fn groups_that_say_nothing() {
    let (mut problem, mut groups, names) = data(&[X], NONE, (3, 8), parabola, 0.01);
    let run = |problem: &Problem, groups: &[usize]| {
        regress_groups(problem, groups, &names, &quick(), &CancelToken::new(), &|_| {}).map(|_| ())
    };
    let one = RegressError::OneGroup { group: "group 1".into() };
    assert_eq!(run(&problem, &[1; 24]), Err(one));
    let found = RegressError::Groups { names: 3, rows: 24, found: 23 };
    let mut wrong = groups.clone();
    wrong[3] = 9;
    assert_eq!(run(&problem, &wrong), Err(found));
    groups = vec![0; 24];
    groups[12..23].fill(1);
    groups[23] = 2;
    assert_eq!(run(&problem, &groups), Err(RegressError::LoneRow { group: "group 2".into() }));
    // Three constants of each group, one group of two rows.
    groups[22] = 2;
    problem.target = (0..24)
        .map(|i| {
            let x = problem.columns[0][i];
            [1.31, -2.7, 0.77][groups[i]] * x * x
                + [2.13, 0.431, -3.9][groups[i]] * x
                + [0.37, 5.1, 1.77][groups[i]]
        })
        .collect();
    let error = run(&problem, &groups);
    assert_eq!(error, Err(RegressError::FewInGroup { group: "group 2".into(), rows: 2, constants: 3 }));
}

#[test]
fn constants_without_units_stay_so() {
    let length = [1, 0, 0, 0, 0, 0, 0];
    let law = |g: usize, x: &[f64]| [1.7, 2.31, 0.613][g] * x[0];
    let (problem, groups, names) = data(&[("a", length, 1.0, 2.0)], length, (3, 6), law, 0.0);
    let plan = Plan { constants: Constants::Dimensionless, ..quick() };
    let found = regress_groups(&problem, &groups, &names, &plan, &CancelToken::new(), &|_| {}).unwrap();
    agrees(&problem, &groups, &found, law, (1, 0), 1e-12);
    assert!(found.laws.iter().all(|l| l.own.iter().all(|c| c.unit.dimension().is_none())));
}

#[test]
fn ctrl_c_leaves_what_was_found() {
    let (problem, groups, names) = data(&[X], NONE, (3, 8), parabola, 0.0);
    let cancel = CancelToken::new();
    let found = regress_groups(&problem, &groups, &names, &quick(), &cancel, &|r| {
        if r.front.best().is_some() {
            cancel.cancel();
        }
    })
    .unwrap();
    assert_eq!(found.stopped, crate::base::StopReason::Cancelled);
    assert!(found.best().is_some());
}

#[test]
fn resuming_equals_never_stopping() {
    use crate::base::StopReason;
    let (problem, groups, names) = data(&[X], NONE, (3, 12), parabola, 0.01);
    let plan = Plan { work: Some(8_000_000), ..plan() };
    let whole = regress_groups(&problem, &groups, &names, &plan, &CancelToken::new(), &|_| {}).unwrap();
    let (found, states) = super::super::journal::tests::in_pieces(1, |journal, cancel| {
        let run = super::regress_groups_kept(&problem, (&groups, &names), &plan, cancel, &|_| {}, journal);
        run.ok().filter(|f| f.stopped != StopReason::Cancelled)
    });
    assert_eq!(format!("{found:?}"), format!("{whole:?}"));
    assert!(states.len() > 2, "cut {} times", states.len());
}
