//! Run folders: what they hold, that equal runs give equal bytes on any number of threads, that resuming equals never
//! stopping, and what bad input gets. And the reference, which is made of the declarations.

use crate::support::{Ran, all, bless, difference, files, phys, root, run_with, shown, snapshot};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two searches whose answers do not depend on the clock.
const SEARCHES: &str = "var x, y [m] in 1..5\n\
                        F = 3.5*x^2/y\n\
                        data = sample(F, points: 200, noise: 0.01, seed: 7, smoke: {points: 40})\n\
                        found = regress(data, work: 2000000) { smoke: {work: 100000} }\n\
                        found\n\
                        other = regress(sample(x*y + x^2, name: \"z\", points: 100), work: 500000)\n\
                        print(other.best)\n";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(script: &str) -> Place {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::write(folder.path().join("law.phys"), script).expect("a scratch file");
        Place { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = phys();
        command.current_dir(self.path()).env_remove("PHYS_RUNS").args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        run_with(self.command(args), None, Duration::from_secs(120))
    }

    /// The folders of all runs, oldest first.
    fn runs(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = files(&self.path().join("runs"), "json", &[])
            .iter()
            .filter_map(|p| Some(p.parent()?.into()))
            .collect();
        found.sort_by_key(|p| fs::metadata(p.join("manifest.json")).and_then(|m| m.created()).ok());
        found.sort();
        found
    }
}

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.status, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    ran
}

fn refused(ran: &Ran, code: &str) {
    assert_eq!(ran.status, Some(2), "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(code) && !ran.stderr.contains("panicked"), "no {code} in {}", ran.stderr);
    assert!(ran.stdout.is_empty(), "something ran: {}", ran.stdout);
}

fn manifest(run: &Path) -> Value {
    let text = fs::read_to_string(run.join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A manifest without what may differ between two equal runs.
fn decided(run: &Path) -> Value {
    let mut found = manifest(run);
    let fields = found.as_object_mut().expect("an object");
    for apart in ["timing", "host", "earlier", "command"] {
        assert!(fields.remove(apart).is_some(), "no {apart}");
    }
    found
}

/// metrics.csv without the seconds.
fn metrics(run: &Path) -> String {
    let text = fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    text.lines().filter_map(|l| l.rsplit_once(',')).map(|(l, _)| format!("{l}\n")).collect()
}

#[test]
fn a_search_leaves_a_folder_and_a_plain_script_none() {
    let place = Place::new(SEARCHES);
    fs::write(
        place.path().join("plain.phys"),
        "1 + 1\nvar x in 0..1\nfit(sample(2*x, points: 9), y == a*x)\n",
    )
    .expect("a scratch file");
    ok(place.run(&["run", "plain.phys"]));
    ok(place.run(&["run", "law.phys", "--no-record"]));
    let mut command = place.command(&["run", "law.phys"]);
    command.env("PHYS_RUNS", "none");
    ok(run_with(command, None, Duration::from_secs(60)));
    assert!(!place.path().join("runs").exists());

    let ran = ok(place.run(&["run", "law.phys", "--seed", "3"]));
    let [run] = place.runs().try_into().expect("one run");
    assert!(run.starts_with(place.path().join("runs/law")));
    assert!(ran.stderr.contains("run: runs/law/"), "{}", ran.stderr);
    for name in
        ["law.phys", "manifest.json", "metrics.csv", "events.jsonl", "figures", "checkpoints", "report.html"]
    {
        assert!(run.join(name).exists(), "no {name}");
    }
    assert_eq!(fs::read_to_string(run.join("law.phys")).expect("the script"), SEARCHES);
    let found = manifest(&run);
    assert_eq!(
        (&found["status"], &found["seed"], &found["smoke"]),
        (&"done".into(), &3.into(), &false.into())
    );
    assert_eq!(found["command"][1], "run");
    assert_eq!(found["searches"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["searches"][0]["name"], "found");
    assert_eq!(found["searches"][1]["stopped"], "found");
    assert_eq!(found["values"][1]["text"], "x*(x + y)");
    assert!(found["timing"]["start"].as_str().is_some_and(|s| s.ends_with('Z')));
    assert!(found["timing"]["cpu_seconds"].is_number() && found["host"]["os"].is_string());
    for line in fs::read_to_string(run.join("events.jsonl")).expect("events").lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(event["event"].is_string() && event["seconds"].is_number(), "{line}");
    }
    assert!(metrics(&run).starts_with("task,step,metric,value\nregress found,"), "{}", metrics(&run));
    let report = fs::read_to_string(run.join("report.html")).expect("a report");
    assert!(report.contains("7*x^2/(2*y)") && report.contains("points: 200") && !report.contains("http"));
    // A second run has a folder of its own; the option and the variable choose another place.
    ok(place.run(&["run", "law.phys", "--smoke", "--quiet"]));
    assert_eq!(place.runs().len(), 2);
    ok(place.run(&["run", "law.phys", "--smoke", "--runs", "elsewhere"]));
    assert!(place.path().join("elsewhere/law").is_dir());
}

#[test]
fn figures_are_kept_as_they_were_shown() {
    let place = Place::new(
        "var x in 1..5\ndata = sample(3*x^2, points: 60, noise: 0.01)\nfound = regress(data, work: 100000)\n\
         plot(found)\nplot(data.x, data.y)\n",
    );
    let run = |threads: &str| {
        ok(place.run(&["run", "law.phys", "--quiet", "--threads", threads, "--runs", threads]));
        let folder =
            files(&place.path().join(threads), "json", &[])[0].parent().expect("a folder").to_path_buf();
        (decided(&folder), folder)
    };
    let ((one, folder), (two, _)) = (run("1"), run("2"));
    assert_eq!(one, two);
    let figures = one["figures"].as_array().expect("figures");
    assert_eq!(figures.len(), 2);
    for figure in figures {
        let svg =
            fs::read_to_string(folder.join(figure["svg"].as_str().unwrap_or_default())).expect("an SVG");
        assert!(svg.contains("<svg"), "{svg}");
        let png = fs::read(folder.join(figure["png"].as_str().unwrap_or_default())).expect("a PNG");
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    }
    let report = fs::read_to_string(folder.join("report.html")).expect("a report");
    assert_eq!(report.matches("data:image/svg+xml;base64,").count(), 2);
}

#[test]
fn used_files_and_data_are_kept() {
    let place = Place::new("use \"lib/laws.phys\": find\ndata = read(\"d.csv\")\nfind(data)\n");
    fs::create_dir(place.path().join("lib")).expect("a scratch folder");
    fs::write(place.path().join("lib/laws.phys"), "find(d) = regress(d, work: 100000)\n")
        .expect("a scratch file");
    let table: String = (1..20).map(|k| format!("{k},{}\n", 3 * k * k)).collect();
    fs::write(place.path().join("d.csv"), format!("x,y\n{table}")).expect("a scratch file");
    ok(place.run(&["run", "law.phys"]));
    let [run] = place.runs().try_into().expect("one run");
    assert!(run.join("lib/laws.phys").is_file());
    let found = manifest(&run);
    assert_eq!(found["used"][0]["copy"], "lib/laws.phys");
    assert_eq!(
        (&found["data"][0]["path"], &found["data"][0]["summary"]),
        (&"d.csv".into(), &"19 rows: x, y".into())
    );
    assert_eq!(found["data"][0]["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn equal_runs_give_equal_bytes_on_any_number_of_threads() {
    let place = Place::new(SEARCHES);
    let one = ok(place.run(&["run", "law.phys", "--threads", "1", "--runs", "one"]));
    let two = ok(place.run(&["run", "law.phys", "--threads", "2", "--runs", "two"]));
    assert_eq!(one.stdout, two.stdout);
    let run = |name: &str| {
        files(&place.path().join(name), "json", &[])[0].parent().expect("a folder").to_path_buf()
    };
    assert_eq!(decided(&run("one")), decided(&run("two")));
    assert_eq!(metrics(&run("one")), metrics(&run("two")));
    let (a, b) = (run("one").display().to_string(), run("two").display().to_string());
    let told = ok(place.run(&["diff", &a, &b]));
    assert!(told.stdout.contains("the same values"), "{}", told.stdout);
}

#[test]
fn resuming_equals_never_stopping() {
    let place = Place::new(SEARCHES);
    let whole =
        ok(place.run(&["run", "law.phys", "--seed", "5", "--set", "data.points=150", "--runs", "whole"]));
    ok(place.run(&["run", "law.phys", "--seed", "5", "--set", "data.points=150"]));
    let [run] = place.runs().try_into().expect("one run");
    // As if it had been stopped in the second search: the state of the first is there, nothing of the second.
    let states = files(&run.join("checkpoints"), "state", &[]);
    assert_eq!(states.len(), 2);
    let log = fs::read_to_string(run.join("events.jsonl")).expect("events");
    assert!(log.contains("\"finding\""));
    let newest =
        states.iter().max_by_key(|p| fs::metadata(p).and_then(|m| m.modified()).ok()).expect("a state");
    fs::remove_file(newest).expect("the state can be removed");
    let shown = run.display().to_string();
    let again = ok(place.run(&["run", "law.phys", "--resume", &shown]));
    assert_eq!(again.stdout, whole.stdout);
    let other = files(&place.path().join("whole"), "json", &[])[0].parent().expect("a folder").to_path_buf();
    assert_eq!(decided(&run), decided(&other));
    assert_eq!(metrics(&run), metrics(&other));
    assert_eq!(manifest(&run)["earlier"][0]["status"], "done");
    let log = fs::read_to_string(run.join("events.jsonl")).expect("events");
    assert!(log.starts_with("{\"event\":\"start\",\"resumed\":true"), "{log}");
    // All of it is there now: nothing is searched, and nothing changes.
    let third = ok(place.run(&["run", "law.phys", "--resume", &shown]));
    assert_eq!((third.stdout, metrics(&run)), (whole.stdout, metrics(&other)));
}

/// A search that takes a while and ends by itself.
const LONG: &str = "var a, b, c, d in 1..5\n\
                    F = 2.7*a/(1 + b*c) + sin(d)\n\
                    data = sample(F, points: 300, noise: 0.01, seed: 2)\n\
                    found = regress(data, method: closed, work: 1000000000)\n\
                    found\nprint(found.work)\n";

/// Starts a command and kills it (SIGKILL) as soon as `there` says so.
fn killed(mut command: std::process::Command, there: impl Fn() -> bool) {
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    let begun = std::time::Instant::now();
    while !there() {
        assert!(child.try_wait().expect("the child can be waited for").is_none(), "it ended by itself");
        assert!(begun.elapsed() < Duration::from_secs(100), "no state was kept");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("the child can be waited for");
}

/// Whether a file below a folder holds the state of a search under way.
fn under_way(folder: &Path) -> bool {
    files(folder, "state", &[]).iter().any(|p| {
        fs::read(p).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("\"finished\":false"))
    })
}

#[test]
fn killed_in_the_middle_of_a_search_it_goes_on() {
    let place = Place::new(LONG);
    let whole = ok(place.run(&["run", "law.phys", "--seed", "5", "--runs", "whole"]));
    killed(place.command(&["run", "law.phys", "--seed", "5"]), || under_way(&place.path().join("runs")));
    let [run] = place.runs().try_into().expect("one run");
    assert_eq!(manifest(&run)["status"], "running");
    let again = ok(place.run(&["run", "law.phys", "--resume", &run.display().to_string(), "--threads", "1"]));
    assert!(!again.stderr.contains("P8009"), "{}", again.stderr);
    assert_eq!(again.stdout, whole.stdout);
    let other = files(&place.path().join("whole"), "json", &[])[0].parent().expect("a folder").to_path_buf();
    assert_eq!(decided(&run), decided(&other));
    assert_eq!(metrics(&run), metrics(&other));
}

/// A training that is killed ends, where it is resumed on another number of threads, in the same bytes as one that never
/// stopped; and a run that ended says the same when it is resumed.
#[cfg(feature = "networks")]
fn goes_on_after_it_was_killed(script: &str) {
    let place = Place::new(script);
    let model = place.path().join("m.safetensors");
    let whole = ok(place.run(&["run", "law.phys", "--seed", "5", "--runs", "whole"]));
    assert!(whole.stdout.contains("stopped: finished"), "{}", whole.stdout);
    let first = fs::read(&model).expect("the model");
    fs::remove_file(&model).expect("the model");
    let kept = || !files(&place.path().join("runs"), "state", &[]).is_empty();
    killed(place.command(&["run", "law.phys", "--seed", "5"]), kept);
    assert!(!model.exists(), "the training ended before it was killed");
    let [run] = place.runs().try_into().expect("one run");
    for _ in 0..2 {
        let again =
            ok(place.run(&["run", "law.phys", "--resume", &run.display().to_string(), "--threads", "1"]));
        assert!(!again.stderr.contains("P8009"), "{}", again.stderr);
        assert_eq!(again.stdout, whole.stdout);
        assert!(fs::read(&model).expect("the model") == first, "other weights");
    }
    assert_eq!(manifest(&run)["searches"][0]["stopped"], "finished");
}

#[cfg(feature = "networks")]
#[test]
fn killed_in_the_middle_of_a_training_it_goes_on() {
    goes_on_after_it_was_killed(
        "var x in -1..2\n\
         d = sample(sin(pi*x), points: 200, name: \"y\")\n\
         m = train(mlp(width: 32, depth: 2), d) { epochs: 400, batch: 16, optimizer: adamw, schedule: cosine, validation: 0.2 }\n\
         m\n\
         print(sum(predict(m, d)), m.history.loss[-1])\n\
         export(m, \"m.safetensors\")\n",
    );
}

/// The rows that a function makes go on with those that would have come.
#[cfg(feature = "networks")]
#[test]
fn killed_in_the_middle_of_a_training_on_a_function_it_goes_on() {
    goes_on_after_it_was_killed(
        "draw(k) = {x: 3*mod(0.618034*k, 1) - 1, z: sin(1.7*k), y: sin(3*mod(0.618034*k, 1)) + 0.1*sin(1.7*k)}\n\
         v = dataset(draw, rows: 50)\n\
         m = train(mlp(width: 32, depth: 2), {train: draw, validation: v}) { rows: 320, epochs: 60, batch: 16, optimizer: adamw }\n\
         m\n\
         print(sum(predict(m, v)), m.history.loss[-1])\n\
         export(m, \"m.safetensors\")\n",
    );
}

/// Searches that are made of several: for the holes of a form, in groups, for complex numbers, for a system.
const PIECES: [&str; 4] = [
    "var x in 0.2..6\nvar z in 0.5..9\nvar w in 1..4\n\
     d = sample(2.5*sin(x) + sqrt(z)/w, points: 120, name: \"u\", noise: 0.01, seed: 3)\n\
     found = regress(d, form: a*f(x) + g(z)/w, work: 12000000)\n\
     found\nprint(found.f, found.g, found.a, found.work)\n",
    "xs = [0.5 + 3.5*mod(0.37*k, 1) for k in 0..119]\n\
     ys = [2.3*x/(1 + 0.7*x) + sin(x) + 0.01*sin(10000*x) for x in xs]\n\
     all = dataset({x: xs, g: [mod(k, 3) for k in 0..119], y: ys})\n\
     found = regress(all, target: y, group: g, work: 40000000)\n\
     found\nprint(found.groups, found.work)\n",
    "ws = [1 + 8*k/39 for k in 0..39]\n\
     Rs = [1 + 2*mod(0.61*k, 1) for k in 0..39]\n\
     Zs = [Rs[k]*1.01^mod(k, 2) + i*(ws[k] - 1.3/ws[k])*1.02^mod(k, 3) for k in 0..39]\n\
     found = regress(dataset({R: Rs, w: ws, Z: Zs}), target: Z, work: 40000000)\n\
     found\nprint(found.words, found.work)\n",
    "var t in 0..20\n\
     hunters = system {\n    equations: [x' == 3*x/2 - x*y, y' == x*y - y]\n    initial: {x: 1, y: 0.5}\n}\n\
     seen = observe(integrate(hunters, t, points: 200), noise: 0.03, seed: 1)\n\
     found = discover(seen, work: 4000000)\n\
     found\nprint(found.work, found.r2)\n",
];

#[test]
fn killed_in_the_middle_of_several_searches_they_go_on() {
    for script in PIECES {
        let place = Place::new(script);
        let whole = ok(place.run(&["run", "law.phys", "--seed", "5", "--runs", "whole"]));
        // Something of it has ended, and something is under way.
        let between = || {
            files(&place.path().join("runs"), "state", &[]).iter().any(|p| {
                let bytes = fs::read(p).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                text.contains("\"finished\":false") && text.contains("\"ended\":{\"s")
            })
        };
        killed(place.command(&["run", "law.phys", "--seed", "5"]), between);
        let [run] = place.runs().try_into().expect("one run");
        let shown = run.display().to_string();
        let again = ok(place.run(&["run", "law.phys", "--resume", &shown, "--threads", "1"]));
        assert!(!again.stderr.contains("P8009"), "{}", again.stderr);
        assert_eq!(again.stdout, whole.stdout);
        let other =
            files(&place.path().join("whole"), "json", &[])[0].parent().expect("a folder").to_path_buf();
        assert_eq!(decided(&run), decided(&other));
        // Finished: it is read, not done again.
        let third = ok(place.run(&["run", "law.phys", "--resume", &shown]));
        assert_eq!(third.stdout, whole.stdout);
        assert_eq!(decided(&run), decided(&other));
    }
}

#[test]
fn the_command_keeps_its_state_in_a_file() {
    let place = Place::new(LONG);
    fs::write(
        place.path().join("data.phys"),
        format!("{}export(data, \"d.csv\")\n", &LONG[..LONG.find("found").unwrap_or(0)]),
    )
    .expect("a scratch file");
    ok(place.run(&["run", "data.phys", "--quiet"]));
    let args = ["regress", "d.csv", "--method", "closed", "--work", "1000000000", "--quiet", "--json", "-"];
    let answer = |more: &[&str]| {
        let ran = ok(place.run(&[&args, more].concat()));
        let mut json: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout));
        for clock in ["seconds", "cpu_seconds", "threads"] {
            json.as_object_mut().expect("an object").remove(clock);
        }
        (json, ran.stderr)
    };
    let (whole, _) = answer(&[]);
    killed(place.command(&[&args[..], &["--checkpoint", "s.state"]].concat()), || under_way(place.path()));
    let (again, told) = answer(&["--checkpoint", "s.state", "--threads", "1"]);
    assert!(!told.contains("P8009"), "{told}");
    assert_eq!(again, whole);
    // Finished now: it is read. Another search leaves it alone; another file is not overwritten.
    assert!(!under_way(place.path()));
    assert_eq!(answer(&["--checkpoint", "s.state"]).0, whole);
    let state = fs::read(place.path().join("s.state")).expect("a state");
    let other = ["--checkpoint", "s.state", "--without", "rational,inner constant,sparse"];
    assert!(answer(&other).1.contains("P8009"));
    assert_eq!(fs::read(place.path().join("s.state")).expect("a state"), state);
    refused(&place.run(&[&args[..7], &["--checkpoint", "d.csv"]].concat()), "P8009");
}

#[test]
fn what_cannot_be_resumed_is_refused() {
    let place = Place::new(SEARCHES);
    ok(place.run(&["run", "law.phys", "--smoke"]));
    let [run] = place.runs().try_into().expect("one run");
    let shown = run.display().to_string();
    fs::write(place.path().join("other.phys"), "var x in 0..1\nregress(sample(x, points: 9), work: 9)\n")
        .expect("a scratch file");
    fs::write(place.path().join("plain.phys"), "1 + 1\n").expect("a scratch file");
    refused(&place.run(&["run", "other.phys", "--resume", &shown]), "P8008");
    refused(&place.run(&["run", "plain.phys", "--resume", &shown]), "P8008");
    refused(&place.run(&["run", "law.phys", "--resume", &shown, "--seed", "9"]), "P8008");
    refused(&place.run(&["run", "law.phys", "--resume", &shown, "--set", "data.points=9"]), "P8008");
    refused(&place.run(&["run", "law.phys", "--resume", "absent"]), "P8007");
    refused(&place.run(&["run", "law.phys", "--resume", "law.phys"]), "P8007");
    refused(&place.run(&["run", "law.phys", "--resume", "."]), "P8007");
    let state = &files(&run.join("checkpoints"), "state", &[])[0];
    let bytes = fs::read(state).expect("a state");
    fs::write(state, &bytes[..bytes.len() / 2]).expect("a scratch file");
    refused(&place.run(&["run", "law.phys", "--resume", &shown]), "P8009");
    fs::remove_file(state).expect("the state can be removed");
    fs::write(run.join("manifest.json"), "{\"schema\": 1, ").expect("a scratch file");
    refused(&place.run(&["run", "law.phys", "--resume", &shown]), "P8007");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_work_begins() {
    let place = Place::new(&format!("print(\"ran\")\n{SEARCHES}"));
    fs::write(place.path().join("runs"), "a file").expect("a scratch file");
    refused(&place.run(&["run", "law.phys"]), "P8006");
    fs::create_dir(place.path().join("other")).expect("a scratch folder");
    fs::write(place.path().join("other/law"), "a file").expect("a scratch file");
    refused(&place.run(&["run", "law.phys", "--runs", "other"]), "P8006");
    #[cfg(target_os = "linux")]
    refused(&place.run(&["run", "law.phys", "--runs", "/proc/nothing"]), "P8006");
    assert_eq!(fs::read_to_string(place.path().join("runs")).expect("the file"), "a file");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_goes_away_costs_no_values() {
    let place =
        Place::new(&format!("{SEARCHES}for k in 1..3 {{ print(regress(data, work: 50000 + k).size) }}\n"));
    let mut command = place.command(&["run", "law.phys"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("the binary starts");
    // As soon as the folder of the run is there: one above it would be made again.
    let begun = || {
        let mut runs = fs::read_dir(place.path().join("runs/law")).into_iter().flatten().flatten();
        runs.any(|run| run.path().join("law.phys").exists())
    };
    for _ in 0..2000 {
        if begun() && fs::remove_dir_all(place.path().join("runs")).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("the child ends");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{words}");
    assert!(words.contains("P8010") || words.contains("P8006"), "{words}");
}

#[test]
fn options_are_set_and_checked_before_anything_runs() {
    let place = Place::new(&format!("print(\"ran\")\n{SEARCHES}"));
    let ran = ok(place.run(&[
        "run",
        "law.phys",
        "--smoke",
        "--set",
        "data.points=30",
        "--set",
        "found.work = 50000",
    ]));
    assert!(ran.stdout.starts_with("ran\n"));
    let [run] = place.runs().try_into().expect("one run");
    assert_eq!(manifest(&run)["set"][0], "data.points=30");
    for (option, code, words) in [
        ("fuond.work=3", "P6302", "did you mean `found.work`?"),
        ("F.work=3", "P6302", "data, found, other"),
        ("found.wrok=3", "P6003", "did you mean `work`?"),
        ("found.time=3", "P6021", "[s]"),
        ("found.method=colsed", "P6006", "did you mean `closed`?"),
        ("found.work=(", "P1", ""),
        ("found.work", "P6301", "--set found.time"),
        ("found=3", "P6301", ""),
        ("", "P6301", ""),
    ] {
        let ran = place.run(&["run", "law.phys", "--set", option]);
        refused(&ran, code);
        assert!(ran.stderr.contains(words), "{option}: {}", ran.stderr);
    }
}

#[test]
fn trial_options_count_only_in_trials() {
    let place = Place::new(
        "var x in 0..1\nd = sample(x, points: 50, smoke: {points: 5})\nprint(length(d))\n\
         e = sample(x, smoke: {points: length(d)})\nprint(length(e))\n",
    );
    assert_eq!(ok(place.run(&["run", "law.phys"])).stdout, "50\n1000\n");
    assert_eq!(ok(place.run(&["run", "law.phys", "--smoke"])).stdout, "5\n5\n");
    for (options, words) in [
        ("{point: 5}", "did you mean `points`?"),
        ("{points: \"a\"}", "integer"),
        ("{smoke: {points: 3}}", "no option `smoke`"),
        ("3", "in braces"),
        ("{points: 1/0}", ""),
    ] {
        fs::write(
            place.path().join("faulty.phys"),
            format!("print(\"ran\")\nvar x in 0..1\nsample(x, smoke: {options})\n"),
        )
        .expect("a scratch file");
        let ran = place.run(&["run", "faulty.phys"]);
        if !words.is_empty() {
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{options}: {}", ran.stderr);
            assert!(ran.stderr.contains(words), "{options}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("panicked"));
    }
}

#[test]
fn two_runs_are_compared() {
    let place = Place::new(SEARCHES);
    ok(place.run(&["run", "law.phys", "--runs", "a"]));
    ok(place.run(&["run", "law.phys", "--runs", "b", "--seed", "1", "--set", "data.seed=8"]));
    let run = |name: &str| {
        files(&place.path().join(name), "json", &[])[0].parent().expect("a folder").to_path_buf()
    };
    let (a, b) = (run("a").display().to_string(), run("b").display().to_string());
    assert_eq!(ok(place.run(&["diff", &a, &a])).stdout.matches("the same values").count(), 1);
    let told = place.run(&["diff", &a, &b]);
    assert_eq!(told.status, Some(1), "{}", told.stderr);
    for part in ["seed", "data.seed=8", "regress found: loss", "different values"] {
        assert!(told.stdout.contains(part), "no {part} in {}", told.stdout);
    }
    let found = place.run(&["diff", &a, &b, "--json", "-"]);
    let found: Value = serde_json::from_str(&found.stdout).expect("JSON");
    assert_eq!(
        (&found["schema"], &found["same"], &found["script"]),
        (&1.into(), &false.into(), &Value::Null)
    );
    assert_eq!(found["laws"][0]["verdict"], "identical");
    // Another script: a unified diff.
    fs::write(place.path().join("law.phys"), SEARCHES.replace("points: 200", "points: 210"))
        .expect("a scratch file");
    ok(place.run(&["run", "law.phys", "--runs", "c"]));
    let told = place.run(&["diff", &a, &run("c").display().to_string()]);
    assert!(
        told.stdout.contains("\n  -data = sample") && told.stdout.contains("\n  +data = sample"),
        "{}",
        told.stdout
    );
    refused(&place.run(&["diff", &a, "absent"]), "P8007");
}

#[cfg(unix)]
#[test]
fn an_interrupt_shows_the_front_so_far_and_keeps_the_folder() {
    // Rows without end for an engine that has found a law at once.
    let place = Place::new(
        "var a, b, c, d, f in 1..5\nF = 3.5*a^2*sin(b)/c + exp(d)*f\n\
         data = sample(F, points: 20000, noise: 0.01)\nfound = regress(data)\nprint(\"never\")\n",
    );
    let mut command = place.command(&["run", "law.phys"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // The first gain of the search is a line of metrics.
    let mut begun = false;
    for _ in 0..9000 {
        begun = place.runs().first().is_some_and(|run| metrics(run).lines().count() > 1);
        if begun || child.try_wait().expect("the child can be waited for").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begun, "the search never began");
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|s| s.success()));
    let output = child.wait_with_output().expect("the child ends");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(out.contains("stopped: cancelled") && !out.contains("never"), "{out}\n{err}");
    assert!(!err.contains('\u{1b}'), "{err}");
    let [run] = place.runs().try_into().expect("one run");
    let found = manifest(&run);
    assert_eq!(
        (&found["status"], &found["searches"][0]["stopped"]),
        (&"interrupted".into(), &"cancelled".into())
    );
    assert!(run.join("report.html").is_file());
    // What was stopped is no finished search: its state is kept, and a run that goes on takes it up there.
    let states = files(&run.join("checkpoints"), "state", &[]);
    assert_eq!(states.len(), 1, "{states:?}");
    let kept = fs::read_to_string(&states[0]).expect("a checkpoint");
    assert!(kept.contains("\"finished\":false"), "{kept}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_goes_away_leaves_a_readable_folder() {
    let place = Place::new(&format!("{SEARCHES}for n in 1..100000 {{ print(n) }}\n"));
    let mut command = place.command(&["run", "law.phys", "--smoke"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the child ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let [run] = place.runs().try_into().expect("one run");
    let found = manifest(&run);
    assert_eq!(found["searches"][0]["name"], "found");
    assert_eq!(found["status"], "interrupted");
    assert_ne!(found["values"][0], serde_json::Value::Null);
    assert!(run.join("report.html").is_file());
}

/// Programs that draw random numbers, search or work in parallel print the same on one thread and on two, and draw the
/// same figures.
#[test]
fn threads_change_no_output() {
    let mut programs = files(&root().join("examples"), "phys", &[]);
    programs.extend(files(&root().join("tests/spec"), "phys", &["parts", "data"]));
    let words = ["regress(", "sample(", "split(", "fit(", "plot", "integrate(", "observe(", "seed:"];
    programs.retain(|p| {
        let text = fs::read_to_string(p).unwrap_or_default();
        words.iter().any(|w| text.contains(w))
    });
    assert!(programs.len() >= 10, "only {} programs", programs.len());
    all(&programs, "programs", |path| {
        let folder = tempfile::tempdir().ok()?;
        let run = |threads: &str| {
            let mut command = phys();
            let runs = folder.path().join(threads);
            command.current_dir(root()).arg("run").arg(shown(path)).args(["--threads", threads]);
            // Written files go beside the script: only the first run may make them.
            command.arg("--runs").arg(&runs);
            let ran = run_with(command, None, Duration::from_secs(240));
            let figures: Vec<(String, Vec<u8>)> = ["svg", "png"]
                .iter()
                .flat_map(|e| files(&runs, e, &[]))
                .map(|p| {
                    (
                        p.file_name().unwrap_or_default().to_string_lossy().into(),
                        fs::read(&p).unwrap_or_default(),
                    )
                })
                .collect();
            (ran.stdout, ran.status, figures)
        };
        let (one, two) = (run("1"), run("2"));
        if one.0 != two.0 {
            return Some(format!("{}\n{}", shown(path), difference(&one.0, &two.0)));
        }
        (one != two).then(|| format!("{}: status or figures differ", shown(path)))
    });
}

// --- the reference

/// docs/src/reference is what `phys doc` writes, and the book lists its pages.
#[test]
fn the_reference_is_that_of_the_declarations() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut command = phys();
    command.args(["doc", "--out", &folder.path().display().to_string()]);
    ok(run_with(command, None, Duration::from_secs(60)));
    let book = root().join("docs/src/reference");
    let names = |folder: &Path| -> Vec<String> {
        let pages = files(folder, "md", &[]);
        pages.iter().filter_map(|p| Some(p.file_name()?.to_string_lossy().into())).collect()
    };
    let pages = names(folder.path());
    if bless() {
        fs::create_dir_all(&book).expect("a folder");
        names(&book).iter().filter(|n| !pages.contains(n)).for_each(|n| {
            let _ = fs::remove_file(book.join(n));
        });
    }
    let mut faults = String::new();
    for name in &pages {
        let text = fs::read_to_string(folder.path().join(name)).expect("a page");
        if let Some(found) = snapshot(&book.join(name), &text) {
            faults += &format!("{name}\n{found}");
        }
    }
    let hint = "PHYS_BLESS=1 cargo test --test all the_reference writes them anew";
    assert!(faults.is_empty(), "\n{faults}\n{hint}");
    assert_eq!(names(&book), pages, "{hint}");
    // The summary lists them in the order of the index.
    let index = fs::read_to_string(folder.path().join("index.md")).expect("the index");
    let mut lines = vec!["- [Reference](reference/index.md)".to_string()];
    for line in index.lines().filter_map(|l| l.strip_prefix("| [`")) {
        let (name, rest) = line.split_once("`](").expect("a link");
        let (file, _) = rest.split_once(')').expect("a link");
        lines.push(format!("  - [{name}](reference/{file})"));
    }
    let path = root().join("docs/src/SUMMARY.md");
    let summary = fs::read_to_string(&path).expect("the summary");
    let is_ours = |l: &&str| l.contains("](reference/");
    if bless() {
        let at = summary.lines().position(|l| is_ours(&l)).unwrap_or(summary.lines().count());
        let mut kept: Vec<String> = summary.lines().filter(|l| !is_ours(l)).map(String::from).collect();
        kept.splice(at.min(kept.len())..at.min(kept.len()), lines);
        fs::write(&path, kept.join("\n") + "\n").expect("the summary can be written");
        return;
    }
    let listed: Vec<&str> = summary.lines().filter(is_ours).collect();
    assert_eq!(listed, lines, "{hint}");
}

#[test]
fn the_reference_of_one_name() {
    let run = |args: &[&str]| {
        let mut command = phys();
        command.args(args);
        run_with(command, None, Duration::from_secs(30))
    };
    let told = ok(run(&["doc", "regress"])).stdout;
    assert!(
        told.starts_with("## regress\n") && told.contains("| `work` |") && told.contains("phys-example"),
        "{told}"
    );
    assert!(ok(run(&["doc", "core.lists"])).stdout.starts_with("# core.lists\n"));
    let absent = run(&["doc", "regres"]);
    refused(&absent, "P8011");
    assert!(absent.stderr.contains("phys doc regress"), "{}", absent.stderr);
    refused(&run(&["doc", "--out", "/dev/null/x"]), "P8003");
}
