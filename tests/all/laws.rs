//! Laws across the layers, on random programs. `PHYS_CASES` sets the number of cases (256 without it).

use phys::base::random::{Rng, Streams};
use phys::base::{CancelToken, Diagnostic, EventSink};
use phys::expression::Declarations;
use phys::language::{Value, check, dimension};
use phys::session::{Session, Status};
use rand::RngExt;
use std::path::Path;

fn cases() -> u64 {
    std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
}

fn pick<'a>(rng: &mut Rng, choices: &[&'a str]) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

/// A random expression with units; many add what cannot be added. Every part of it goes to `parts` as well.
fn quantity(rng: &mut Rng, depth: usize, parts: &mut Vec<String>) -> String {
    let text = any_quantity(rng, depth, parts);
    parts.push(text.clone());
    text
}

fn any_quantity(rng: &mut Rng, depth: usize, parts: &mut Vec<String>) -> String {
    if depth == 0 || rng.random_range(0..5) == 0 {
        return match rng.random_range(0..4) {
            0 => pick(rng, &["2", "3", "1/2", "1.5", "pi", "0"]).into(),
            _ => pick(
                rng,
                &["2 [m]", "3 [s]", "5 [kg]", "7 [km]", "4 [m/s]", "6 [N]", "30 [deg]", "50 [%]", "q"],
            )
            .into(),
        };
    }
    let a = quantity(rng, depth - 1, parts);
    let b = quantity(rng, depth - 1, parts);
    match rng.random_range(0..9) {
        0 | 1 => format!("(({a})*({b}))"),
        2 => format!("(({a})/({b}))"),
        3 => format!("(({a}) + ({a}))"),
        4 => format!("(({a}) + ({b}))"),
        5 => format!("({a})^2"),
        6 => format!("sqrt(abs({a}))"),
        7 => format!("max(({a}), ({b}))"),
        _ => format!("sin({a})"),
    }
}

/// Whether an expression is exactly zero when it runs.
fn vanishes(session: &mut Session, part: &str) -> bool {
    let (tree, _) = session.check("<part>", &format!("q = 3 [V]\n{part}\n"));
    let mut found = None;
    let ran = session.context.clone().run_values(&tree, &mut |v: &Value| found = v.as_expr());
    ran.is_ok() && found.is_some_and(|e| e.evaluate(&|_| None) == Some(0.0))
}

/// What stands in the innermost brackets around a place that hold more than it: the arguments of the call it is one of.
fn call_around(text: &str, mut start: usize, mut end: usize) -> &str {
    loop {
        let mut open = 0;
        let Some(left) = text[..start].rfind(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open > 0
        }) else {
            return "";
        };
        let mut closed = 0;
        let Some(right) = text[end..].find(|c| {
            closed += i32::from(c == ')') - i32::from(c == '(');
            closed > 0
        }) else {
            return "";
        };
        let inside = &text[left + 1..end + right];
        if inside.trim().len() > text[start..end].trim().len() {
            return inside;
        }
        (start, end) = (left, end + right + 1);
    }
}

/// Whether a place of this fault, or an argument beside it, holds a part that is exactly zero when it runs: zero fits any
/// unit, but only the value tells that `sin(pi)` is one. In `max(sin(0), 3 [s])` it is the first argument that sets the
/// unit, and the second at which the fault is told.
fn holds_a_zero(session: &mut Session, text: &str, fault: &Diagnostic, parts: &[String]) -> bool {
    let places: Vec<&str> = (fault.span.iter())
        .chain(fault.related.iter().map(|(span, _)| span))
        .filter_map(|span| text.get(span.start as usize..span.end as usize))
        .chain(fault.span.map(|span| call_around(text, span.start as usize, span.end as usize)))
        .collect();
    parts.iter().any(|part| {
        let bare = part.strip_prefix('(').and_then(|p| p.strip_suffix(')')).unwrap_or(part);
        places.iter().any(|place| place.contains(bare)) && vanishes(session, part)
    })
}

#[test]
fn the_checker_predicts_the_units_of_the_result() {
    let mut rng = Streams::new(11).stream("tests/units");
    let (mut predicted, mut refused, mut vanished) = (0, 0, 0);
    for case in 0..cases() {
        let depth = rng.random_range(1..4);
        let mut parts = Vec::new();
        let text = format!("q = 3 [V]\n{}\n", quantity(&mut rng, depth, &mut parts));
        let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
            panic!("the embedded library loads");
        };
        let (tree, faults) = session.check("<case>", &text);
        let faulty = faults.iter().any(Diagnostic::is_error);
        let expected = (!faulty).then(|| check::predict(&session.context, &tree)).flatten();
        let mut found = None;
        let ran = session.context.clone().run_values(&tree, &mut |v: &Value| found = v.as_expr());
        let unit_fault = matches!(&ran, Err(d) if [6021, 6022].contains(&d.code.0));
        assert!(!unit_fault || faulty, "case {case}: {text}the checker passed what failed: {ran:?}");
        if faulty && faults.iter().all(|d| [6021, 6022].contains(&d.code.0) || !d.is_error()) {
            refused += 1;
            if ran.is_ok() {
                vanished += 1;
                let errors: Vec<&Diagnostic> = faults.iter().filter(|d| d.is_error()).collect();
                let explained = errors.iter().all(|d| holds_a_zero(&mut session, &text, d, &parts));
                assert!(explained, "case {case}: {text}the checker refused what runs: {faults:?}");
            }
        }
        if let (Some(expected), Some(e)) = (expected, found.filter(|_| ran.is_ok()))
            && let Ok(Some(own)) = dimension::of(&e, &Declarations::new())
        {
            predicted += 1;
            assert_eq!(expected, own, "case {case}: {text}");
        }
    }
    assert!(predicted > 0 && refused > 8 * vanished, "{predicted} {refused} {vanished}");
}

#[test]
fn a_failed_line_changes_nothing() {
    let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
        panic!("the embedded library loads");
    };
    assert_eq!(session.line("x = 2; var r [m] in 1..5").status, Status::Done);
    assert_eq!(session.line("x = 3; y = 4; 1/0").status, Status::Failed);
    assert_eq!(session.line("x = 5; frobnicate(x)").status, Status::Faulty);
    let line = session.line("x");
    assert_eq!((line.status, line.shown), (Status::Done, vec!["2".to_string()]));
    assert_eq!(session.line("y").shown, ["y"]);
    assert_eq!(session.line("7*6").shown, ["42"]);
    assert_eq!(session.line("ans + 1").shown, ["43"]);
    assert!(session.line("8;").shown.is_empty());
    let (status, _) = session.run("<text>", "r + 1 [s]", Path::new("."), &mut |_, _| {});
    assert_eq!(status, Status::Faulty);
}
