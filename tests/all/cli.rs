//! The commands' contracts: exit codes, JSON, and what bad input gets. 0 done; 1 a check or a computation failed;
//! 2 usage or faults found before anything ran; 130 interrupted.

use crate::support::{Ran, phys, root, run, run_input, run_with};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran
}

/// Status 2 or 1 with words: no panic, a code, nothing on standard output.
fn refused(ran: &Ran, status: i32) {
    assert_eq!(ran.status, Some(status), "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(!ran.stderr.trim().is_empty(), "no words");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a scratch file");
    path.display().to_string()
}

fn planets() -> String {
    root().join("examples/data/planets.csv").display().to_string()
}

// --- running

#[test]
fn an_expression_from_the_command_line() {
    assert_eq!(ok(run(&["-e", "1+1"])).stdout, "2\n");
    assert_eq!(ok(run(&["-e", "20 [degC] -> [K]"])).stdout, "293.15 [K]\n");
    assert_eq!(ok(run(&["-e", "x = 3; x^2"])).stdout, "9\n");
    refused(&run(&["-e", "1 + "]), 2);
    refused(&run(&["-e", "1/0"]), run(&["-e", "1/0"]).status.unwrap_or(0).clamp(1, 2));
}

#[test]
fn a_script_from_standard_input() {
    assert_eq!(ok(run_input(&["run", "-"], "x = 2\nx + 1\n")).stdout, "3\n");
    assert_eq!(ok(run_input(&[], "x = 2\nx + 1\n")).stdout, "3\n");
    refused(&run_input(&["run", "-"], "x = (\n"), 2);
    refused(&run_input(&["run", "-"], "check 1 == 2\n"), 1);
}

#[test]
fn exit_codes() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let good = script(folder.path(), "good.phys", "check 1 + 1 == 2\n");
    let failing = script(folder.path(), "failing.phys", "print(\"before\")\ncheck 1 + 1 == 3\n");
    let faulty = script(folder.path(), "faulty.phys", "print(\"before\")\n1 [m] + 1 [s]\n");
    ok(run(&["run", &good]));
    let ran = run(&["run", &failing]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), "before\n"));
    let ran = run(&["run", &faulty]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""));
    for usage in [&["frobnicate"][..], &["run"], &["run", "--no-such-option", &good], &["explain", "P0000"]] {
        refused(&run(usage), 2);
    }
    for help in [&["--help"][..], &["--version"], &["regress", "--help"]] {
        assert!(!ok(run(help)).stdout.is_empty());
    }
}

#[test]
fn check_reports_every_fault_and_runs_nothing() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let good = script(folder.path(), "good.phys", "print(\"ran\")\n");
    assert!(!ok(run(&["check", &good])).stdout.contains("ran"));
    let faulty = script(
        folder.path(),
        "faulty.phys",
        "print(\"ran\")\na = simplfy(x)\nb = 1 [m] + 1 [s]\nc = 5 [zorkmid]\n",
    );
    let ran = run(&["check", &faulty]);
    refused(&ran, 2);
    for part in ["simplify", "[m]", "[s]", "zorkmid"] {
        assert!(ran.stderr.contains(part), "no {part} in {}", ran.stderr);
    }
}

#[test]
fn fmt_keeps_comments_and_is_stable() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let text = "# head\nx=1+2*y   # tail\n\n## doc\nf( a,b )=a+\n  b\nr = { a:1\n b: [ 1,2 ] }\n";
    let path = script(folder.path(), "a.phys", text);
    ok(run(&["fmt", &path]));
    let once = fs::read_to_string(&path).expect("the file");
    assert_ne!(once, text);
    for part in ["# head", "# tail", "## doc", "x = 1 + 2*y"] {
        assert!(once.contains(part), "no `{part}` in:\n{once}");
    }
    ok(run(&["fmt", &path]));
    assert_eq!(fs::read_to_string(&path).expect("the file"), once);

    // A file that does not parse stays as it is.
    let broken = script(folder.path(), "b.phys", "x = (1\ny=2\n");
    refused(&run(&["fmt", &broken]), 2);
    assert_eq!(fs::read_to_string(&broken).expect("the file"), "x = (1\ny=2\n");
}

#[test]
fn explain_tells_about_a_code() {
    let ran = run(&["-e", "1 [m] + 1 [s]"]);
    refused(&ran, 2);
    let at = ran.stderr.find('P').expect("a code");
    let code = ran.stderr[at..].chars().take(5).collect::<String>();
    let told = ok(run(&["explain", &code]));
    assert!(told.stdout.contains(&code) && told.stdout.len() > 60, "{}", told.stdout);
}

// --- JSON

#[test]
fn eval_answers_every_line() {
    let lines = [
        "1 + 1",
        "x = 3; x^2",
        "1/0",
        "simplify(",
        "diff(x^2, x)",
        "9.81 [m/s^2] * 3 [s]",
        "y",
        "x",
        "é + )",
    ];
    let ran = ok(run_input(&["eval", "--lines"], &(lines.join("\n") + "\n")));
    let answers: Vec<Value> = ran.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), lines.len(), "{}", ran.stdout);
    for (answer, line) in answers.iter().zip(lines) {
        assert_eq!(answer["input"], line);
        for key in ["ok", "value", "sympy", "latex", "unit", "seconds", "stopped", "error"] {
            assert!(answer.get(key).is_some(), "no {key} in {answer}");
        }
        assert!(answer["seconds"].is_number());
        assert_eq!(answer["ok"] == true, answer["error"].is_null(), "{answer}");
    }
    let value = |i: usize| answers[i]["value"].as_str().map(String::from).unwrap_or_default();
    assert_eq!([value(0), value(1), value(4)], ["2", "9", "2*x"]);
    assert_eq!(answers[4]["sympy"], "2*x");
    assert_eq!(answers[4]["latex"], "2 x");
    assert_eq!(answers[5]["unit"], "m/s");
    // Each line starts from a fresh prelude: `x` is a symbol again.
    assert_eq!(value(7), "x");
    for failed in [2, 3, 8] {
        let error = &answers[failed]["error"];
        assert_eq!(answers[failed]["ok"], false);
        assert!(error["code"].as_str().is_some_and(|c| c.len() == 5 && c.starts_with('P')), "{error}");
        assert!(error["message"].is_string() && error.get("hint").is_some(), "{error}");
        assert!(error["column"].as_u64().is_some_and(|c| c >= 1), "{error}");
    }
    // In characters, not bytes.
    assert_eq!(answers[8]["error"]["column"], 5);
}

#[test]
fn eval_limits_each_line() {
    let ran = ok(run_input(
        &["eval", "--lines", "--limit", "1"],
        "s = 0; for n in 1..1000000000000 { s = s + n }; s\n1 + 1\n",
    ));
    let answers: Vec<Value> = ran.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["ok"], false);
    assert_eq!(answers[1]["value"], "2");
    assert!(ran.seconds < 20.0, "{} s", ran.seconds);
}

#[test]
fn json_on_standard_output_is_alone_there() {
    let ran = ok(run(&["-e", "1 + 1", "--json", "-"]));
    assert_eq!(json(&ran.stdout)["schema"], 1);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = script(folder.path(), "a.phys", "print(\"words\")\n1 + 1\n");
    let ran = ok(run(&["run", &path, "--json", "-"]));
    assert_eq!(json(&ran.stdout)["schema"], 1);
    assert!(ran.stderr.contains("words"));
}

#[test]
fn regress_writes_its_contract() {
    for options in [&[][..], &["--no-units"]] {
        holds_the_contract(options);
    }
}

fn holds_the_contract(options: &[&str]) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("out.json").display().to_string();
    let planets = planets();
    ok(run(&[&["regress", &planets, "--target", "T", "--json", &path], options].concat()));
    let found = json(&fs::read_to_string(&path).expect("the JSON"));
    for key in [
        "schema",
        "expression",
        "sympy",
        "variables",
        "constants",
        "size",
        "r2",
        "loss",
        "seconds",
        "cpu_seconds",
        "work",
        "threads",
        "seed",
        "engine",
        "stopped",
        "front",
    ] {
        assert!(found.get(key).is_some(), "no {key} in {found}");
    }
    assert_eq!(found["schema"], 1);
    assert_eq!(found["seed"], 0);
    assert!(found["r2"].as_f64().is_some_and(|r2| r2 > 0.9999));
    let stopped = found["stopped"].as_str().unwrap_or_default();
    assert!(["found", "saturated", "nodes", "work", "time", "cancelled"].contains(&stopped), "{stopped}");
    assert!(found["sympy"].as_str().is_some_and(|s| s.contains("a**(3/2)")), "{}", found["sympy"]);
    for variable in found["variables"].as_array().expect("variables") {
        for key in ["name", "sympy", "unit"] {
            assert!(variable.get(key).is_some(), "{variable}");
        }
    }
    for constant in found["constants"].as_array().expect("constants") {
        for key in ["value", "error", "unit", "exact"] {
            assert!(constant.get(key).is_some(), "{constant}");
        }
    }
    let front = found["front"].as_array().expect("a front");
    assert!(!front.is_empty());
    for member in front {
        for key in ["size", "loss", "r2", "description_length", "expression", "sympy"] {
            assert!(member.get(key).is_some(), "no {key} in {member}");
        }
    }
    // Larger members fit better: nothing dominated stands in a front.
    for pair in front.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        assert!(
            a["size"].as_u64() < b["size"].as_u64() && a["loss"].as_f64() > b["loss"].as_f64(),
            "{a} {b}"
        );
    }
}

#[test]
fn names_that_sympy_reads_otherwise_carry_an_underscore() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut table = String::from("lambda,I,y\n");
    for k in 1..30 {
        let (a, b) = (f64::from(k), f64::from((k * 7) % 11 + 1));
        table += &format!("{a},{b},{}\n", 2.0 * a * b);
    }
    let data = script(folder.path(), "data.csv", &table);
    let ran = ok(run(&["regress", &data, "--target", "y", "--seed", "3", "--threads", "1", "--json", "-"]));
    let found = json(&ran.stdout);
    assert_eq!(found["seed"], 3);
    let sympy = found["sympy"].as_str().unwrap_or_default();
    assert!(sympy.contains("lambda_") && sympy.contains("I_"), "{sympy}");
    assert_eq!(found["variables"][0]["name"], "lambda");
    assert_eq!(found["variables"][0]["sympy"], "lambda_");
    assert!(found["expression"].as_str().is_some_and(|e| e.contains("lambda") && !e.contains("lambda_")));
}

#[test]
fn a_run_is_the_same_on_any_number_of_threads() {
    let answer = |threads: &str| {
        let ran = ok(run(&[
            "regress",
            &planets(),
            "--target",
            "T",
            "--work",
            "200000",
            "--threads",
            threads,
            "--json",
            "-",
        ]));
        let mut found = json(&ran.stdout);
        for key in ["seconds", "cpu_seconds", "threads"] {
            if let Some(object) = found.as_object_mut() {
                object.remove(key);
            }
        }
        found.to_string()
    };
    assert_eq!(answer("1"), answer("2"));
}

// --- bad input

#[test]
fn files_that_cannot_be_scripts() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let here = folder.path().display().to_string();
    refused(&run(&["run", &here]), 2);
    refused(&run(&["run", &format!("{here}/absent.phys")]), 2);
    refused(&run(&["check", &here]), 2);
    refused(&run(&["fmt", &format!("{here}/absent.phys")]), 2);
    let binary = folder.path().join("binary.phys");
    fs::write(&binary, [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0xff, 0xfe, 0]).expect("a scratch file");
    refused(&run(&["run", &binary.display().to_string()]), 2);
    ok(run(&["run", &script(folder.path(), "empty.phys", "")]));
    ok(run(&["run", &script(folder.path(), "bom.phys", "\u{feff}1 + 1\r\n")]));
}

#[test]
fn deep_nesting_is_refused() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, text) in [
        ("brackets", format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000))),
        ("lists", format!("x = {}1{}\n", "[".repeat(100_000), "]".repeat(100_000))),
        ("open", format!("x = {}\n", "(".repeat(100_000))),
        ("minus", format!("x = {}1\n", "-".repeat(100_000))),
        ("not", format!("x = {}true\n", "not ".repeat(100_000))),
        ("powers", format!("x = {}2\n", "2^".repeat(100_000))),
        ("calls", format!("x = {}1{}\n", "sin(".repeat(50_000), ")".repeat(50_000))),
        ("conditions", format!("x = {}1\n", "if true then 1 else ".repeat(50_000))),
        ("bodies", format!("{}{}\n", "if true {\n".repeat(20_000), "}\n".repeat(20_000))),
    ] {
        let ran = run(&["run", &script(folder.path(), &format!("{name}.phys"), &text)]);
        assert_eq!(ran.status, Some(2), "{name}: {}", &ran.stderr[..ran.stderr.len().min(400)]);
        assert!(!ran.stderr.contains("panicked") && ran.stderr.len() < 100_000, "{name}");
    }
    // A long sum is not a deep tree.
    let long = vec!["1"; 20_000].join(" + ");
    assert_eq!(ok(run(&["run", &script(folder.path(), "long.phys", &long)])).stdout, "20000\n");
}

#[test]
fn a_line_of_fifty_megabytes_is_refused() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = script(folder.path(), "huge.phys", &"1 + ".repeat(13_000_000));
    let ran = run(&["run", &path]);
    refused(&ran, 2);
    assert!(ran.stderr.len() < 10_000, "the message quotes the line");
}

#[test]
fn tables_that_cannot_be_fitted() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, table) in [
        ("empty", ""),
        ("no_rows", "x,y\n"),
        ("one_row", "x,y\n1,2\n"),
        ("missing_cell", "x,y\n1,2\n,3\n4,5\n"),
        ("text_cell", "x,y\n1,2\nthree,3\n4,5\n"),
        ("ragged", "x,y\n1,2\n3\n4,5\n"),
        ("duplicate", "x,x,y\n1,1,2\n2,2,3\n3,3,4\n"),
        ("no_header", "1,2\n2,3\n3,4\n"),
        ("nan", "x,y\n1,2\n2,nan\n3,4\n"),
        ("inf", "x,y\n1,2\n2,inf\n3,4\n"),
        ("constant", "x,y\n1,2\n2,2\n3,2\n4,2\n"),
        ("unit", "x [zorkmid],y\n1,2\n2,3\n3,4\n"),
    ] {
        let ran = run(&["regress", &script(folder.path(), &format!("{name}.csv"), table), "--target", "y"]);
        assert!(matches!(ran.status, Some(1 | 2)), "{name}: {:?}\n{}{}", ran.status, ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.trim().is_empty(), "{name}: {}", ran.stderr);
    }
    let data = script(folder.path(), "good.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n");
    for usage in [
        &["--target", "z"][..],
        &["--target", "y", "--method", "magic"],
        &["--target", "y", "--operators", "+,frobnicate"],
        &["--target", "y", "--time", "soon"],
        &["--target", "y", "--sigma", "z"],
        &["--target", "y", "--time", "1", "--work", "10"],
    ] {
        let mut args = vec!["regress", data.as_str()];
        args.extend(usage);
        refused(&run(&args), 2);
    }
    refused(&run(&["regress", &folder.path().display().to_string(), "--target", "y"]), 2);
    refused(&run(&["regress", "absent.csv", "--target", "y"]), 2);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    // A folder stands where the file should go.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).expect("a scratch folder");
    fs::write(taken.join("kept"), "old").expect("a scratch file");
    let ran = run(&["regress", &planets(), "--target", "T", "--json", &taken.display().to_string()]);
    assert!(matches!(ran.status, Some(1 | 2)), "{:?}", ran.status);
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.trim().is_empty());
    assert_eq!(fs::read_to_string(taken.join("kept")).expect("the old file"), "old");
    let absent = folder.path().join("absent/out.json").display().to_string();
    let ran = run(&["-e", "1 + 1", "--json", &absent]);
    assert!(matches!(ran.status, Some(1 | 2)), "{:?}", ran.status);
    let left: Vec<_> = fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = script(folder.path(), "secret.phys", "1 + 1\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("permissions");
    // A superuser reads everything: then there is nothing to test.
    if fs::read(&path).is_err() {
        refused(&run(&["run", &path]), 2);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_or_full_output_is_no_panic() {
    let mut command = phys();
    command.args(["-e", "1 + 1"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    command.stdout(full).stderr(std::process::Stdio::piped());
    let output = command.output().expect("the binary starts");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    assert_ne!(output.status.code(), Some(101));
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_and_says_so() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = script(
        folder.path(),
        "long.phys",
        "print(\"started\")\ns = 0\nfor n in 1..1000000000000 { s = s + n }\n",
    );
    let mut command = phys();
    command.arg("run").arg(&path).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    std::thread::sleep(Duration::from_millis(700));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|s| s.success()));
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break status.code();
        }
        if start.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            let _ = child.wait();
            panic!("still running 20 s after the interrupt");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status, Some(130));
}

#[test]
fn a_session_survives_a_failing_line() {
    // From a pipe the prompt's rules do not hold: a script stops at its first failure.
    let mut command = phys();
    command.args(["run", "-"]);
    let ran = run_with(command, Some("1 + 1\nxs = [1]\nxs[7]\n3 + 3\n"), Duration::from_secs(30));
    assert_eq!(ran.status, Some(1), "{}", ran.stderr);
    assert_eq!(ran.stdout, "2\n");
}

#[test]
fn eval_answers_bytes_that_are_no_text() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("lines");
    fs::write(&path, b"1 + 1\n\xff\xfe\n\n2 + 2").expect("a scratch file");
    let mut command = phys();
    command.args(["eval", "--lines"]).stdin(fs::File::open(&path).expect("the scratch file"));
    let ran = ok(run_with(command, None, Duration::from_secs(30)));
    let answers: Vec<Value> = ran.stdout.lines().map(json).collect();
    assert_eq!(answers.len(), 4, "{}", ran.stdout);
    assert_eq!([&answers[0]["value"], &answers[3]["value"]], ["2", "4"]);
    assert_eq!(answers[1]["error"]["code"], "P8005");
    assert_eq!((&answers[2]["ok"], &answers[2]["value"]), (&Value::Bool(true), &Value::Null));
}

#[test]
fn json_holds_exact_values_and_what_was_told() {
    let ran = ok(run(&["-e", "1.0/3; 2.0/3; [1, 2]*1 [m]", "--json", "-"]));
    let found = json(&ran.stdout);
    assert_eq!(found["status"], "done");
    let ran = ok(run(&["-e", "2.0/3", "--json", "-", "--digits", "3"]));
    let value = &json(&ran.stdout)["values"][0];
    assert_eq!([&value["kind"], &value["text"], &value["value"]], ["float", "0.667", "0.6666666666666666"]);
    let ran = run(&["-e", "1 [m] + 1 [s]", "--json", "-"]);
    refused(&ran, 2);
    let fault = &json(&ran.stdout)["diagnostics"][0];
    assert_eq!((&fault["code"], fault["column"].as_u64()), (&Value::from("P6021"), Some(9)));
}

/// `sympy` takes the numbers of the file and gives the target's number, whatever their units.
#[test]
fn sympy_is_a_law_between_the_numbers_of_the_table() {
    let ran = ok(run(&["regress", &planets(), "--target", "T", "--json", "-"]));
    let law = json(&ran.stdout)["sympy"].as_str().unwrap_or_default().to_string();
    // T = 365.256 d * (a/AU)^(3/2) for a light planet.
    let factor: f64 = law.split('*').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    assert!((factor - 365.256).abs() < 0.5, "{law}");
    let bare = ok(run(&["regress", &planets(), "--target", "T", "--no-units", "--json", "-"]));
    let bare = json(&bare.stdout);
    assert!(bare["expression"].as_str().is_some_and(|e| !e.contains('[')), "{}", bare["expression"]);
    assert_eq!(
        bare["expression"].as_str().map(|e| e.replace('^', "**")),
        bare["sympy"].as_str().map(String::from)
    );
}

#[test]
fn a_failed_write_keeps_the_old_json() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = script(folder.path(), "out.json", "old");
    // Faults are results too: they are written, whole.
    refused(&run(&["-e", "x = (", "--json", &path]), 2);
    assert_eq!(json(&fs::read_to_string(&path).expect("the JSON"))["status"], "faulty");
    // Usage errors write nothing.
    fs::write(&path, "old").expect("a scratch file");
    refused(&run(&["regress", "absent.csv", "--target", "y", "--json", &path]), 2);
    assert_eq!(fs::read_to_string(&path).expect("the old file"), "old");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_misspelt_script_is_named() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    script(folder.path(), "kepler.phys", "1 + 1\n");
    let ran = run(&["run", &folder.path().join("keppler.phys").display().to_string()]);
    refused(&ran, 2);
    assert!(ran.stderr.contains("kepler.phys`?"), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut command = phys();
    command.args(["-e", "for n in 1..100000 { print(n) }"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the child ends");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_its_results() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let out = folder.path().join("out.json");
    let path = script(folder.path(), "long.phys", "6*7\ns = 0\nfor n in 1..1000000000000 { s = s + n }\n");
    let mut command = phys();
    command.args(["run", &path, "--json", &out.display().to_string()]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    std::thread::sleep(Duration::from_millis(700));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|s| s.success()));
    assert_eq!(child.wait().expect("the child ends").code(), Some(130));
    let found = json(&fs::read_to_string(&out).expect("the JSON"));
    assert_eq!((&found["status"], &found["values"][0]["text"]), (&"interrupted".into(), &"42".into()));
}
