//! Scalings lead to laws that the engines alone do not reach, give them no unit, and stand in the checkpoint.

use crate::base::{CancelToken, StopReason};
use crate::regression::engine::{Engine, Search};
use crate::regression::scheduler::Run;
use crate::regression::symmetry::Symmetry;
use crate::regression::tests::{LENGTH, NONE, SPEED, plan, sample, told};
use crate::regression::{Method, Plan, Problem, checkpoint, regress};
use crate::units::{Catalogue, Dimension};

fn law(x: &[f64]) -> f64 {
    x[3] * x[0].powi(3) / ((x[1] * x[0] / x[2]).exp() - 1.0)
}

fn problem() -> Problem {
    let features =
        [("f", NONE, 1.0, 5.0), ("h", NONE, 0.5, 2.0), ("T", NONE, 1.0, 4.0), ("A", NONE, 1.0, 3.0)];
    sample(&features, NONE, law, 400, 0.0, 3)
}

fn bare(mut problem: Problem) -> Problem {
    problem.dimensions = None;
    problem.target_dimension = Dimension::NONE;
    problem
}

fn alone(work: u64) -> Plan {
    Plan { method: Method::Symmetry, work: Some(work), ..plan() }
}

#[test]
fn a_law_is_found_by_its_scalings_on_any_number_of_threads() {
    let problem = bare(problem());
    let one = regress(&problem, &alone(400_000_000), &CancelToken::new(), &|_| {}).unwrap();
    assert_eq!(one.stopped, StopReason::Found, "{}", told(&one));
    let plan = Plan { threads: 2, ..alone(400_000_000) };
    let two = regress(&problem, &plan, &CancelToken::new(), &|_| {}).unwrap();
    assert_eq!((one.work, told(&one)), (two.work, told(&two)));
}

#[test]
fn it_goes_on_where_it_was_stopped() {
    let (problem, catalogue, cancel) =
        (bare(problem()), Catalogue::load(&[("test", "unit metre, m\n")]).unwrap(), CancelToken::new());
    let plan = alone(30_000_000);
    let mut run = Run::new(&problem, &problem, &plan, Vec::new());
    let mut states = vec![checkpoint::state(&run, &catalogue).unwrap()];
    while run.step(&cancel).is_none() {
        states.push(checkpoint::state(&run, &catalogue).unwrap());
    }
    assert!(states.len() > 3, "{}", states.len());
    for (k, pair) in states.windows(2).enumerate() {
        let mut again = Run::new(&problem, &problem, &plan, Vec::new());
        checkpoint::resume(&mut again, &pair[0], &catalogue).unwrap();
        assert!(checkpoint::state(&again, &catalogue).unwrap() == pair[0], "state {k}");
        assert_eq!(again.step(&cancel), None);
        assert!(checkpoint::state(&again, &catalogue).unwrap() == pair[1], "step {k}");
    }
}

#[test]
fn scalings_that_units_tell_already_are_not_searched_again() {
    let features = [("x", LENGTH, 1.0, 3.0), ("t", [0, 0, 1, 0, 0, 0, 0], 1.0, 2.0), ("v", SPEED, 1.0, 4.0)];
    let typed =
        sample(&features, LENGTH, |x| x[0] + x[1] * x[2] + x[0].sqrt() * (x[1] * x[2]).sqrt(), 300, 0.0, 1);
    let plan = alone(1_000_000);
    for (problem, goes_on) in [(typed.clone(), false), (bare(typed), true)] {
        let search = Search { problem: &problem, plan: &plan, cancel: &CancelToken::new() };
        let mut engine = Symmetry::default();
        engine.run(&search);
        assert_eq!(engine.next(&search).is_some(), goes_on);
    }
}
