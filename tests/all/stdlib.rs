//! The standard library is well formed: every module checks on its own, every declaration has a body in Rust and every body
//! its declaration, and every example in the documentation runs and prints what it says.

use crate::support::{all, files, root, run, shown};
use phys::base::{CancelToken, EventSink, Source};
use phys::language::library::signatures_of;
use phys::language::types::{Signature, Type};
use phys::language::{Library, Value, builtins, render};
use phys::session::{Session, Status};
use phys::syntax::tree::StatementKind;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

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
    // Functions that are written in phys have their body there.
    let in_rust = |n: &&str| library.signatures(n).is_some_and(|s| s.iter().any(|s| s.body.is_none()));
    let declared: BTreeSet<&str> = library.function_names().filter(in_rust).collect();
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

/// Every declaration says what it takes and returns in types that a script may write, and none that is written in phys leaves
/// its result open.
#[test]
fn declarations_have_known_types() {
    fn words(ty: &Type, found: &mut Vec<String>) {
        match ty {
            Type::List(inner) | Type::Optional(inner) => words(inner, found),
            Type::Record(entries) => entries.iter().for_each(|(_, t)| words(t, found)),
            Type::Quantity(_) | Type::OneOf(_) => {}
            other => found.push(other.to_string()),
        }
    }
    let library = Library::load(None).expect("the embedded library");
    let mut signatures: Vec<Arc<Signature>> = library.all_signatures().cloned().collect();
    let losses = library.module("losses", 0).expect("a module");
    signatures.extend(signatures_of(&losses).into_iter().map(Arc::new));
    let mut written = 0;
    for s in signatures {
        let mut found = Vec::new();
        s.params.iter().map(|p| &p.ty).chain([&s.result]).for_each(|ty| words(ty, &mut found));
        for word in found {
            assert!(phys::language::types::is_name(&word), "`{word}` of `{}` is no known type", s.name);
        }
        if s.body.is_some() {
            written += 1;
            assert!(s.result != Type::Any, "`{}` does not say what it returns", s.name);
        }
    }
    assert!(written >= if cfg!(feature = "networks") { 19 } else { 6 }, "only {written}");
}

/// The declarations of layers, optimizers, schedules, losses and augmentations are those of their tables.
#[cfg(feature = "networks")]
#[test]
fn layers_are_declared_as_their_tables_say() {
    for (file, expected) in builtins::networks::declarations() {
        let path = root().join("stdlib").join(file);
        if std::env::var_os("PHYS_BLESS").is_some() {
            fs::write(&path, &expected).expect("the declarations");
        }
        let found = fs::read_to_string(&path).expect("the declarations");
        assert!(found == expected, "stdlib/{file} differs from its table; PHYS_BLESS=1 writes it");
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

#[test]
fn every_law_of_the_library_is_documented_and_samples_in_its_unit() {
    let modules = files(&root().join("stdlib/physics/laws"), "phys", &[]);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = String::new();
    for path in &modules {
        let topic = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).expect("a module");
        let parsed = phys::syntax::parse(&Source::new(0, &shown(path), &text));
        for d in &parsed.diagnostics {
            faults += &format!("{topic}: {}\n", d.message);
        }
        let mut bound = BTreeSet::new();
        let mut documented = BTreeSet::new();
        for statement in &parsed.tree.statements {
            let StatementKind::Bind { names, .. } = &statement.kind else { continue };
            bound.extend(names.iter().map(|n| &*n.name));
            if statement.doc.as_ref().is_some_and(|d| !d.trim().is_empty()) {
                documented.extend(names.iter().map(|n| &*n.name));
            }
        }
        let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
            panic!("the embedded library loads");
        };
        let mut run = |text: &str| {
            let mut last = None;
            let (status, told) =
                session.run("<laws>", text, Path::new("."), &mut |v, _| last = Some(v.clone()));
            if status == Status::Done { Ok(last) } else { Err(format!("{text}: {told:?}\n")) }
        };
        let module = match run(&format!("use physics.laws.{topic} as topic\ntopic")) {
            Ok(Some(Value::Module(module))) => module,
            Ok(_) => panic!("a module is bound to its name"),
            Err(told) => {
                faults += &told;
                continue;
            }
        };
        for (name, value) in &module.record.entries {
            // The constants that a module imports are no laws; what it binds must be one.
            let Value::Law(law) = value else {
                if bound.contains(&**name) {
                    faults += &format!("{topic}.{name}: not a law\n");
                }
                continue;
            };
            if let Some(other) = names.insert(name.to_string(), topic.clone()) {
                faults += &format!("{topic}.{name}: {other} has that name too\n");
            }
            let sourced = law.source.as_deref().is_some_and(|s| !s.trim().is_empty());
            if !sourced || !documented.contains(&**name) {
                faults += &format!("{topic}.{name}: without a source or a line of documentation\n");
            }
            let data = match run(&format!("sample(topic.{name}, points: 256)")) {
                Ok(Some(Value::Dataset(data))) => data,
                Ok(_) => panic!("`{name}` is sampled to a dataset"),
                Err(told) => {
                    faults += &told;
                    continue;
                }
            };
            let target = data.target().expect("a target");
            let dimension = |unit: &Option<phys::units::Unit>| {
                unit.as_ref().map_or(phys::units::Dimension::NONE, phys::units::Unit::dimension)
            };
            if dimension(&target.unit) != dimension(&law.unit) {
                faults += &format!("{topic}.{name}: another unit than it says\n");
            }
            let values = target.si_values();
            if !values.iter().all(|y| y.is_finite()) {
                faults += &format!("{topic}.{name}: not finite everywhere\n");
            }
            let (low, high) =
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(*y), h.max(*y)));
            if high - low <= 1e-3 * high.abs().max(low.abs()) {
                faults += &format!("{topic}.{name}: does not vary\n");
            }
        }
    }
    assert!(names.len() >= 300, "only {} laws", names.len());
    assert!(faults.is_empty(), "\n{faults}");
}
