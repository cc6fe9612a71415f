//! The standard library is well formed: every module checks on its own, every declaration has a body in Rust and every body
//! its declaration, and every example in the documentation runs and prints what it says.

use crate::support::{all, files, root, run, shown};
use phys::base::{CancelToken, EventSink};
use phys::language::{Library, Value, builtins, render};
use phys::session::{Session, Status};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_module_checks() {
    // The files of units are read by the catalogue, whose tests look at every definition.
    let modules = files(&root().join("stdlib"), "phys", &["units"]);
    all(&modules, "modules", |path| {
        let ran = run(&["check", &path.display().to_string()]);
        (ran.status != Some(0)).then(|| format!("{}\n{}", shown(path), ran.stderr))
    });
}

#[test]
fn declarations_and_bodies_are_pairs() {
    let library = Library::load(None).expect("the embedded library");
    let declared: BTreeSet<&str> = library.function_names().collect();
    let bodies: BTreeSet<&str> = builtins::names().collect();
    let without_body: Vec<_> = declared.difference(&bodies).collect();
    let undeclared: Vec<_> = bodies.difference(&declared).collect();
    assert!(without_body.is_empty(), "declared, but without a body: {without_body:?}");
    assert!(undeclared.is_empty(), "bodies that no module declares: {undeclared:?}");
    for name in declared {
        let documented = library.signatures(name).is_some_and(|s| s.iter().any(|s| !s.doc.is_empty()));
        assert!(documented, "`{name}` has no documentation");
    }
}

#[test]
fn every_example_of_the_library_runs() {
    let library = Library::load(None).expect("the embedded library");
    let mut faults = String::new();
    let mut count = 0;
    for signature in library.all_signatures() {
        for (code, expected) in signature.examples() {
            count += 1;
            let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
                panic!("the embedded library loads");
            };
            let mut last = String::new();
            let style = session.context.style.clone();
            let (status, diagnostics) = session.run("<example>", &code, Path::new("."), &mut |v, _| {
                last = render::line(v, &style);
            });
            if status != Status::Done {
                let words: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
                faults += &format!("{}: {code}\n    {}\n", signature.name, words.join("; "));
            } else if let Some(expected) = expected.filter(|e| *e != last) {
                faults +=
                    &format!("{}: {code}\n    expected {expected}\n    found    {last}\n", signature.name);
            }
        }
    }
    assert!(count >= 80, "only {count} examples");
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_law_of_the_feynman_catalogue_samples_in_its_unit() {
    let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
        panic!("the embedded library loads");
    };
    let mut run = |text: &str| {
        let mut last = None;
        let (status, told) = session.run("<laws>", text, Path::new("."), &mut |v, _| last = Some(v.clone()));
        assert_eq!(status, Status::Done, "{text}: {told:?}");
        last
    };
    let Some(Value::Module(module)) = run("use physics.feynman\nfeynman") else {
        panic!("a module is bound to its name");
    };
    let laws: Vec<_> =
        module.record.entries.iter().filter(|(_, value)| matches!(value, Value::Law(_))).collect();
    assert_eq!(laws.len(), 120);
    for (name, law) in laws {
        let Value::Law(law) = law else { continue };
        let Some(Value::Dataset(data)) = run(&format!("sample(feynman.{name}, points: 100)")) else {
            panic!("`{name}` is sampled to a dataset");
        };
        let target = data.target().expect("a target");
        let dimension = |unit: &Option<phys::units::Unit>| {
            unit.as_ref().map_or(phys::units::Dimension::NONE, phys::units::Unit::dimension)
        };
        assert_eq!(dimension(&target.unit), dimension(&law.unit), "{name}");
        assert!(target.si_values().iter().all(|y| y.is_finite()), "{name}");
    }
}
