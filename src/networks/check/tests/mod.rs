//! How the tests of each table check its gradients, and the check itself checked.

mod page;

use candle_core::Var;

use super::{Function, Gap, Sample, Subject, normal};
use crate::networks::ops;

/// Prints the errors of all samples and fails where one is not within the bounds. `only` chooses samples by
/// the name of their subject and how many numbers they are functions of.
pub(crate) fn check(
    subjects: fn() -> Vec<Subject>,
    (training, order): (bool, usize),
    bounds: Gap,
    only: fn(&str, usize) -> bool,
) {
    let wrong = ops::deep(move || {
        let mut wrong = Vec::new();
        for subject in subjects() {
            for sample in &subject.samples {
                let numbers = (sample.make)(training).0.iter().map(|v| v.elem_count()).sum();
                if !only(subject.name, numbers) {
                    continue;
                }
                let gap = sample.gap(training, order);
                let line =
                    format!("{:<20} {:.1e} {:.1e}  {}", subject.name, gap.number, gap.variable, sample.text);
                println!("{line}");
                if !gap.within(bounds) {
                    wrong.push(line);
                }
            }
        }
        wrong
    });
    let wrong = wrong.unwrap();
    assert!(wrong.is_empty(), "training: {training}, order {order}\n{}", wrong.join("\n"));
}

/// Every sample.
pub(crate) fn every(_: &str, _: usize) -> bool {
    true
}

/// What a test says in a process of its own, in which backward passes keep their graph: whether they do is
/// read from the environment before they first run. `None` in that process.
pub(crate) fn keeping_graphs(test: &str) -> Option<String> {
    const KEEP: &str = "CANDLE_GRAD_DO_NOT_DETACH";
    if std::env::var(KEEP).is_ok() {
        return None;
    }
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(KEEP, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && said.contains("1 passed"), "{said}{errors}");
    Some(said)
}

#[test]
fn a_wrong_gradient_is_found() {
    let wrong = |_| {
        let x = Var::from_tensor(&normal("x", &[3])).unwrap();
        let y = x.as_tensor().clone();
        // the last term is 0 and its gradient a thousandth
        let f = move || y.sqr()? + ((&y - y.detach())? * 1e-3)?;
        (vec![x], Box::new(f) as Function)
    };
    let gap = Sample { text: "wrong".into(), make: Box::new(wrong) }.gap(false, 1);
    assert!(gap.number > 1e-4 && gap.variable > 1e-4, "{gap:?}");
    // the root of -1, and the slope of the root of 0
    for from in [-1.0, 0.0] {
        let endless = move |_| {
            let x = Var::from_tensor(&(normal("x", &[3]) * 0.0).unwrap()).unwrap();
            let y = x.as_tensor().clone();
            (vec![x], Box::new(move || (&y + from)?.sqrt()) as Function)
        };
        let gap = Sample { text: "not finite".into(), make: Box::new(endless) }.gap(false, 1);
        assert!(gap.number.is_infinite() && gap.variable.is_infinite(), "{gap:?}");
    }
}
