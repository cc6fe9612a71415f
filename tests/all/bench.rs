//! `phys bench`: the fields of its results, that a bench which was killed goes on as if it never stopped, and what bad
//! input gets. Searches are bounded by work, so that results are the same on every machine.

use crate::support::{Ran, run};
use serde_json::Value;
use std::fs;

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran
}

fn bench(arguments: &[&str]) -> Value {
    let all: Vec<&str> = ["bench"].iter().chain(arguments).chain(&["--json", "-"]).copied().collect();
    let ran = ok(run(&all));
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout))
}

/// A line without what differs between two equal runs.
fn timeless(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    if let Some(fields) = line.as_object_mut() {
        fields.remove("seconds");
        fields.remove("cpu_seconds");
    }
    line
}

#[test]
fn results_have_their_fields_and_classic_suites_two_columns() {
    let answer = bench(&["nguyen", "--only", "nguyen_1", "--work", "3000000"]);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    for (line, operators) in results.iter().zip(["literature", "phys"]) {
        for field in [
            "problem",
            "seed",
            "noise",
            "units",
            "rows",
            "solved",
            "solved_literal",
            "seconds",
            "cpu_seconds",
            "work",
            "expression",
            "size",
            "r2_test",
            "engine",
            "stopped",
        ] {
            assert!(!line[field].is_null(), "{field} in {line}");
        }
        assert_eq!(line["problem"], "nguyen_1");
        assert_eq!(line["operators"], operators);
        assert_eq!(line["rows"], 20);
        assert_eq!(line["solved"], true, "{line}");
        assert_eq!(line["solved_literal"], true, "{line}");
    }
    assert_eq!(answer["summary"][0]["solved"], 1);
    assert_eq!(answer["not_done"], 0);
}

#[test]
fn a_bench_that_was_killed_goes_on_as_if_it_never_stopped() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("r.jsonl");
    let out = path.display().to_string();
    let arguments = [
        "feynman",
        "--units",
        "--only",
        "I_12_1,I_12_5,I_14_3",
        "--work",
        "200000",
        "--jobs",
        "1",
        "--out",
        &out,
    ];
    bench(&arguments);
    let whole = fs::read_to_string(&path).expect("results");
    assert_eq!(whole.lines().count(), 3);
    let expected: Vec<Value> = whole.lines().map(timeless).collect();
    // Killed in the middle of the second line.
    let first = whole.find('\n').expect("a line") + 1;
    fs::write(&path, &whole[..first + 40]).expect("a scratch file");
    let summary = bench(&arguments)["summary"].clone();
    let resumed = fs::read_to_string(&path).expect("results");
    assert_eq!(resumed[..first], whole[..first], "what was done is done again");
    assert_eq!(resumed.lines().map(timeless).collect::<Vec<_>>(), expected);
    assert_eq!(summary[0]["total"], 3);
    // Nothing is left to do; two jobs give what one gave; other settings are done anew.
    bench(&arguments);
    assert_eq!(fs::read_to_string(&path).expect("results"), resumed);
    let two =
        bench(&["feynman", "--units", "--only", "I_12_1,I_12_5,I_14_3", "--work", "200000", "--jobs", "2"]);
    let again: Vec<Value> =
        two["results"].as_array().expect("results").iter().map(|l| timeless(&l.to_string())).collect();
    assert_eq!(again, expected);
    bench(&["feynman", "--only", "I_12_1", "--work", "200000", "--out", &out]);
    assert_eq!(fs::read_to_string(&path).expect("results").lines().count(), 4);
}

#[test]
fn paths_of_systems_and_the_protocol_of_srbench() {
    let answer = bench(&["strogatz", "--only", "vdp2,lv1", "--work", "20000000"]);
    let results = answer["results"].as_array().expect("results");
    for line in results {
        assert_eq!(line["rows"], 300, "{line}");
        assert_eq!(line["solved"], true, "{line}");
    }
    let answer = bench(&["srbench", "--only", "I_12_1", "--noise", "0.01", "--work", "2000000"]);
    assert_eq!(answer["results"][0]["rows"], 10_000);
    assert_eq!(answer["results"][0]["solved"], true, "{answer}");
    assert_eq!(answer["results"][0]["set"], "feynman");
}

#[test]
fn systems_are_learned_from_one_path_and_tried_on_another() {
    let exact = bench(&["odebench", "--only", "ode_02,ode_25,ode_56", "--work", "3000000"]);
    for line in exact["results"].as_array().expect("results") {
        for field in ["solved", "reconstructed", "generalised"] {
            assert_eq!(line[field], true, "{field} in {line}");
        }
        assert!(line["r2_generalisation"].as_f64().is_some_and(|r| r > 0.9999), "{line}");
    }
    assert_eq!(exact["summary"][3]["generalised"], 3);
    let noisy = ["odebench", "--only", "ode_27", "--method", "sindy", "--relative-noise", "0.05"];
    let noisy = bench(&[&noisy[..], &["--work", "0"]].concat());
    let line = &noisy["results"][0];
    assert_eq!((&line["solved"], &line["generalised"]), (&true.into(), &true.into()), "{line}");
    assert_eq!(line["relative_noise"], 0.05);
}

#[test]
fn universal_constants_are_numbers_of_a_law() {
    let answer = bench(&["laws", "--only", "light_deflection", "--units", "--work", "2000000"]);
    let line = &answer["results"][0];
    assert_eq!(line["solved"], true, "{line}");
}

#[test]
fn misses_of_the_untouched_half_are_counted_and_not_shown() {
    let only = "escape_speed,vis_viva_speed,light_deflection,perihelion_advance,gravitational_redshift";
    let mut total = 0;
    for half in ["tuned", "untouched"] {
        let ran = ok(run(&["bench", "laws", "--half", half, "--only", only, "--work", "1"]));
        let misses = ran.stdout.contains("\nmissed\n");
        assert!(half == "tuned" || !misses, "{}", ran.stdout);
        let answer = bench(&["laws", "--half", half, "--only", only, "--work", "1"]);
        total += answer["results"].as_array().expect("results").len();
    }
    assert_eq!(total, 5);
}

#[test]
fn digits_round_the_data() {
    let answer = bench(&["feynman", "--only", "I_12_1", "--digits", "4", "--work", "2000000"]);
    assert_eq!(answer["results"][0]["digits"], 4);
    assert_eq!(answer["results"][0]["solved"], true, "{answer}");
}

#[test]
fn bad_input_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "dear diary\n").expect("a scratch file");
    let notes = notes.display().to_string();
    for (arguments, words) in [
        (vec!["feynmann"], "phys bench feynman"),
        (vec!["zebra"], "nguyen"),
        (vec!["feynman", "--only", "I_12_11,I_12_3"], "--only I_12_"),
        (vec!["nguyen", "--set", "bonus"], "--set"),
        (vec!["feynman", "--half", "tuned"], "--half"),
        (vec!["nguyen", "--units"], "--units"),
        (vec!["srbench", "--units"], "--units"),
        (vec!["odebench", "--noise", "0.1"], "--relative-noise"),
        (vec!["odebench", "--digits", "4"], "found `--digits`"),
        (vec!["odebench", "--without", "sparse"], "found `--without`"),
        (vec!["odebench", "--method", "closed"], "sindy"),
        (vec!["feynman", "--relative-noise", "0.1"], "odebench"),
        (vec!["nguyen", "--rows", "50"], "--rows"),
        (vec!["feynman", "--operators", "+,sinus"], "sinus"),
        (vec!["feynman", "--method", "magic"], "magic"),
        (vec!["feynman", "--without", "magic"], "algebraic"),
        (vec!["feynman", "--out", &notes], "notes.txt"),
        (vec!["feynman", "--noise", "-1"], "noise"),
        (vec!["feynman", "--time", "0"], "time"),
        (vec!["feynman", "--json", "/nowhere/at/all.json"], "P8003"),
    ] {
        let all: Vec<&str> = ["bench"].iter().chain(&arguments).copied().collect();
        let ran = run(&all);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(&notes).expect("the notes"), "dear diary\n");
}
