//! `report`: the page of a search as it was called for, what bad calls get, and the same blocks in the report of a run.

use crate::support::{files, phys, run_with};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A search that has answers in no time.
const SEARCH: &str = "var x [s] in 1..5\n\
                      data = sample(3.7 [m/s^2]*x^2, name: \"y\", points: 80, noise: 0.001, seed: 1)\n\
                      found = regress(data, work: 200000)\n";

fn run(folder: &Path, script: &str, record: bool) -> (Option<i32>, String) {
    fs::write(folder.join("law.phys"), script).expect("a scratch file");
    let mut command = phys();
    command.current_dir(folder).env_remove("PHYS_RUNS").args(["run", "law.phys"]);
    if !record {
        command.arg("--no-record");
    }
    let ran = run_with(command, None, Duration::from_secs(120));
    (ran.status, ran.stderr)
}

fn read(page: &str) -> roxmltree::Document<'_> {
    let body = page.split_once('\n').expect("a line").1;
    roxmltree::Document::parse(body).unwrap_or_else(|e| panic!("{e}\n{page}"))
}

#[test]
fn a_report_is_one_whole_file() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = format!("{SEARCH}report(found, data, \"law.html\")\n");
    let (status, told) = run(folder.path(), &script, true);
    assert_eq!(status, Some(0), "{told}");
    let page = fs::read_to_string(folder.path().join("law.html")).expect("a page");
    let document = read(&page);
    let text: String = document.descendants().filter_map(|n| n.text()).collect();
    for part in
        ["A law for y", "x^2", "standard error", "holds", "RMS of residuals", "m/s^2", "engine", "seed"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!page.contains("http") && !page.contains("<script") && page.matches("<svg").count() >= 4);
    // The run's report holds the same law and the same figures.
    let runs = files(&folder.path().join("runs"), "html", &[]);
    let whole = fs::read_to_string(runs.first().expect("a report")).expect("a report");
    let svgs = |page: &str| page.matches("<svg").count();
    assert_eq!(svgs(&whole), svgs(&page));
    assert!(whole.contains("Beyond the fitted range") && whole.contains("<h2>regress"));
    read(&whole.replacen("<meta charset=\"utf-8\">", "", 1));
}

#[test]
fn bad_calls_say_what_is_wrong_and_write_nothing() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let cases = [
        ("report(found, select(data, y), \"a.html\")", "P3", "`x`"),
        ("report(found, with(select(data, y), x: y), \"a.html\")", "P6021", "[s]"),
        ("report(found, data, \"a.pdf\")", "P6040", "a.html"),
        ("report(found, data, \"none/a.html\")", "P30", "none"),
        ("report(data, data, \"a.html\")", "P6006", "front"),
        ("report(found, found, \"a.html\")", "P6006", "dataset"),
        ("report(regress(data, work: 0), data, \"a.html\")", "P6006", "empty"),
    ];
    for (call, code, word) in cases {
        let (status, told) = run(folder.path(), &format!("{SEARCH}{call}\n"), false);
        assert!(status != Some(0) && !told.contains("panicked"), "{call}: {status:?} {told}");
        let told = told.replace("law.html", "a.html");
        assert!(told.contains(code) && told.contains(word), "{call}: no {code} {word} in {told}");
        assert!(!folder.path().join("a.html").exists() && !folder.path().join("a.pdf").exists(), "{call}");
    }
}

#[test]
fn laws_of_groups_vectors_and_forms_are_told_with_their_parts() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let page = |script: &str| {
        let (status, told) = run(folder.path(), &format!("{script}report(found, d, \"law.html\")\n"), true);
        assert_eq!(status, Some(0), "{script}\n{told}");
        let page = fs::read_to_string(folder.path().join("law.html")).expect("a page");
        let document = read(&page);
        let text: Vec<&str> = document.descendants().filter_map(|n| n.text()).collect();
        text.join(" ")
    };
    let groups = page(
        "xs = [1 + 3*mod(0.37*k, 1) for k in 0..59]\n\
         ls = [1.3, 2.17, 0.731]\n\
         d = dataset({x: xs, g: [mod(k, 3) for k in 0..59], y: [ls[mod(k, 3)]*xs[k]^2 for k in 0..59]})\n\
         found = regress(d, target: y, group: g, work: 5000000)\n",
    );
    for part in ["Constants of each group", "2.1699", "0.730", "c1 = ", "RMS of residuals", "holds"] {
        assert!(groups.contains(part), "no {part} in {groups}");
    }
    let vectors = page(
        "ks = [k for k in 0..39]\n\
         d = dataset({m: [1 + mod(0.37*k, 1) for k in ks], a: [mod(0.61*k, 1) - 0.3 for k in ks],\n\
         b: [mod(0.23*k, 1) - 0.6 for k in ks], c: [mod(0.77*k, 1) for k in ks]})\n\
         d = with(d, Fx: 2.5*m*a, Fy: 2.5*m*b, Fz: 2.5*m*c)\n\
         found = regress(d, target: F, vectors: {F: [Fx, Fy, Fz], g: [a, b, c]}, work: 5000000)\n",
    );
    for part in ["in words", "5/2*g*m", "Parts", "Fy", "5/2*b*m", "Constants", "the law is that of a vector"]
    {
        assert!(vectors.contains(part), "no {part} in {vectors}");
    }
    let form = page(
        "var x in 0.5..3\nvar z in 1..4\n\
         d = sample(2.5*sin(x) + 1/z, points: 100)\n\
         found = regress(d, form: f(x) + g(z), method: closed, work: 5000000)\n",
    );
    for part in ["Parts", "part", "law", "sin(x)"] {
        assert!(form.contains(part), "no {part} in {form}");
    }
    // The log of the run tells them too.
    let mut logs = files(&folder.path().join("runs"), "jsonl", &[]).into_iter();
    assert!(
        logs.any(|p| fs::read_to_string(p).is_ok_and(|t| t.contains("\"beside\":{\"words\":\"5/2*g*m\"")))
    );
}
