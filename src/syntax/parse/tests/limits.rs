//! What nobody writes on purpose: texts without end, deep ones, garbage; and every program of the repository.

use super::*;

#[test]
fn depth_and_size_have_limits() {
    for opener in [
        "(",
        "[",
        "f(",
        "{a: ",
        "-",
        "√",
        "not ",
        "2^",
        "if a then b else ",
        "if a {\n",
        "for x in xs {\n",
        "\"{",
        "x |> f(",
        "list[",
        "x[",
        "(-",
    ] {
        let parsed = read(&opener.repeat(10_000));
        assert!(parsed.has_errors(), "{opener}");
        let text = format!("{}x", opener.repeat(10_000));
        assert!(read(&text).has_errors(), "{opener}");
    }
    let nested = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    fault(&nested, 1019, "");
    let deep = format!("{}1{}", "[".repeat(900), "]".repeat(900));
    tree(&deep);
    fault(&format!("x{}", ".a".repeat(5_000)), 1019, "");
    let bodies = format!("{}x = 1{}", "if a {\n".repeat(5_000), "\n}".repeat(5_000));
    fault(&bodies, 1019, "");
    let types = format!("extern f(x: {}real{}) -> real", "list[".repeat(5_000), "]".repeat(5_000));
    fault(&types, 1019, "");
    // A long line is not deep.
    let long = vec!["a*b"; 50_000].join(" + ");
    tree(&long);
    let large = "x = 1\n".repeat(2_000_000);
    fault(&large, 1020, "");
}

#[test]
fn faults_beyond_counting_end_the_list() {
    let parsed = read(&"x = )\n".repeat(5_000));
    assert_eq!(parsed.diagnostics.len(), MAX_FAULTS + 1);
    assert_eq!(parsed.diagnostics.last().map(|d| d.code.0), Some(1026));
    let parsed = read(&"= x\n".repeat(5_000));
    assert!(parsed.diagnostics.len() <= MAX_FAULTS + 1);
    let parsed = read(&"\u{0}".repeat(1_000));
    assert_eq!(parsed.diagnostics.len(), 1);
}

#[test]
fn hostile_texts_take_time_in_proportion() {
    // Each of these took a second or more per 10 kB with a look-ahead or a recovery that was quadratic.
    let deep = "f {a: ".repeat(900);
    for text in [
        format!("{}a then {}", "(".repeat(900), "b * ".repeat(100_000)),
        format!("{deep} then {} {}", "b * ".repeat(100_000), "}".repeat(900)),
        format!("{deep} then {}\n", "}".repeat(900)).repeat(30),
        format!("{}{}", "(".repeat(999), "}".repeat(400_000)),
        "(".repeat(700_000),
        "{".repeat(700_000),
        "-".repeat(700_000),
        "\"{".repeat(300_000),
        "a ".repeat(300_000),
        "f(\n".repeat(200_000),
        "f(a, ".repeat(100_000),
        "a [(".repeat(200_000),
        "\u{0} ".repeat(200_000),
        "x = (\n".repeat(100_000),
        "\"{x\n".repeat(100_000),
        "“ ".repeat(100_000),
        format!("if a {{ }} {}", "else if a { } ".repeat(50_000)),
    ] {
        read(&text);
    }
}

fn cases() -> proptest::prelude::ProptestConfig {
    let cases = std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256);
    proptest::prelude::ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

/// Everything a text may be made of, in pieces that often fit together.
fn pieces() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let words = [
        "x",
        "f",
        "2",
        "1.5",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ";",
        "\n",
        " ",
        "+",
        "-",
        "*",
        "/",
        "^",
        "==",
        "=",
        "<",
        "..",
        "->",
        "=>",
        "|>",
        "±",
        "²",
        "√",
        "if ",
        "then ",
        "else ",
        "for ",
        "in ",
        "where ",
        "var ",
        "param ",
        "const ",
        "unit ",
        "check ",
        "use ",
        "as ",
        "extern ",
        "rule ",
        "when ",
        "and ",
        "or ",
        "not ",
        "true",
        "\"",
        "\"{",
        "}\"",
        "r\"",
        "\\",
        "#",
        "##",
        "'",
        ".",
        "%",
        "°",
        "!",
        "α",
        "é",
        "\u{0}",
        "quantity[",
        "list[",
        "?",
        "...",
        " [m] ",
        "f(x) = ",
        "a: ",
        "0x1",
        "5.",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..60).prop_map(|v| v.concat())
}

proptest::proptest! {
    #![proptest_config(cases())]

    #[test]
    fn garbage_never_panics(text in ".*") {
        read(&text);
    }

    #[test]
    fn broken_programs_never_panic_and_places_fit(text in pieces()) {
        let parsed = read(&text);
        for d in &parsed.diagnostics {
            let span = d.span.unwrap();
            proptest::prop_assert!(text.get(span.start as usize..(span.end as usize).min(text.len())).is_some(), "{:?} in {:?}", d, text);
        }
        for node in &parsed.tree.exprs {
            proptest::prop_assert!(text.get(node.span.start as usize..node.span.end as usize).is_some());
        }
        if !parsed.has_errors() {
            for (i, node) in parsed.tree.exprs.iter().enumerate() {
                node.kind.each_child(|c| assert!((c.0 as usize) < i));
                assert!(node.kind != ExprKind::Error);
            }
        }
    }
}

/// Every program of the repository.
fn corpus() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = ["stdlib", "tests/spec", "examples"].iter().map(|f| root.join(f)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "phys") {
                files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_library_and_the_specification_parse() {
    let files = corpus();
    assert!(!files.is_empty());
    let faulty: Vec<String> = files
        .iter()
        .flat_map(|(name, text)| {
            let source = Source::new(0, name, text);
            let parsed = parse(&source);
            let errors: Vec<String> = parsed
                .diagnostics
                .into_iter()
                .filter(Diagnostic::is_error)
                .map(|d| {
                    let (line, column) = source.line_column(d.span.unwrap().start);
                    format!("{name}:{line}:{column}: {} {} | {:?}", d.code, d.message, d.hint)
                })
                .collect();
            errors
        })
        .collect();
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}
