//! `phys diff RUN_A RUN_B`: in what two runs differ. Values, laws, numbers and figures decide whether they are the
//! same (exit 0) or not (exit 1); script, options, seed and data say why. Laws are compared as expressions: with the
//! fitted constants of both within three standard errors they count as equal, and are told apart from identical ones.
//! Times and hosts never count.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::exit;
use super::record::folder::Kept;
use super::terminal::{Terminal, writable, write_json};
use crate::base::{CancelToken, Diagnostic, EventSink};
use crate::language::Value;
use crate::session::{Session, Status};

/// Lines of context around a change.
const CONTEXT: usize = 2;
/// Product of the lines of two texts up to which they are compared line by line.
const MAX_CELLS: usize = 25_000_000;

/// Compares two run folders.
pub(super) fn runs(a: &Path, b: &Path, json: Option<&str>) -> ExitCode {
    let terminal = Terminal::new(json, Default::default());
    let refuse = |d: &Diagnostic| {
        terminal.diagnostic(d);
        exit(Status::Faulty)
    };
    if let Err(d) = writable(json) {
        return refuse(&d);
    }
    let (a, b) = match (Kept::read(a), Kept::read(b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(d), _) | (_, Err(d)) => return refuse(&d),
    };
    let session = match Session::new(EventSink::none(), CancelToken::new()) {
        Ok(session) => session,
        Err(d) => return refuse(&d),
    };
    let found = compare(&a, &b, &session);
    terminal.text(&told(&found, &a, &b));
    if let Err(d) = write_json(json, &found) {
        return refuse(&d);
    }
    std::mem::forget(session);
    exit(if found["same"] == true { Status::Done } else { Status::Failed })
}

/// All differences; `same` says whether the values are the same.
fn compare(a: &Kept, b: &Kept, session: &Session) -> Json {
    let (ma, mb) = (&a.manifest, &b.manifest);
    let script = match ma["script"]["sha256"] == mb["script"]["sha256"] {
        true => Json::Null,
        false => Json::from(unified(&a.script(), &b.script())),
    };
    let mut options = Vec::new();
    let pairs = [
        ("seed", &ma["seed"], &mb["seed"]),
        ("smoke", &ma["smoke"], &mb["smoke"]),
        ("set", &ma["set"], &mb["set"]),
        ("digits", &ma["digits"], &mb["digits"]),
        ("phys", &ma["phys"]["version"], &mb["phys"]["version"]),
        ("commit", &ma["phys"]["commit"], &mb["phys"]["commit"]),
        ("status", &ma["status"], &mb["status"]),
    ];
    for (name, x, y) in pairs {
        if x != y {
            options.push(json!({"name": name, "a": x, "b": y}));
        }
    }
    let hashes = |m: &Json| -> BTreeMap<String, Json> {
        let rows = list(&m["data"]).chain(list(&m["used"]));
        rows.map(|d| (d["path"].as_str().unwrap_or_default().to_string(), d["sha256"].clone())).collect()
    };
    let data = differing(&hashes(ma), &hashes(mb));
    let values =
        paired(&ma["values"], &mb["values"], |x, y| x["text"] == y["text"] && x["value"] == y["value"]);
    let figures = paired(&ma["figures"], &mb["figures"], |x, y| {
        x["svg_sha256"] == y["svg_sha256"] && x["png_sha256"] == y["png_sha256"]
    });
    let metrics = differing(&last_metrics(a), &last_metrics(b));
    let mut laws = Vec::new();
    let count = list(&ma["searches"]).count().max(list(&mb["searches"]).count());
    for k in 0..count {
        let (x, y) = (chosen(&ma["searches"][k]), chosen(&mb["searches"][k]));
        let verdict = match (&x, &y) {
            (Some(x), Some(y)) if x == y => "identical",
            (Some(x), Some(y)) if equal(session, x, y) => "equal",
            // A training has figures and no law.
            (None, None) if ma["searches"][k] == mb["searches"][k] => "identical",
            _ => "different",
        };
        let name = [&ma["searches"][k], &mb["searches"][k]].into_iter().find(|s| !s.is_null());
        let name = name.map_or(Json::Null, |s| json!([s["task"], s["name"]]));
        let shown = |law: Option<String>, search: &Json| law.map_or_else(|| figures_of(search), Json::from);
        let (x, y) = (shown(x, &ma["searches"][k]), shown(y, &mb["searches"][k]));
        laws.push(json!({"name": name, "a": x, "b": y, "verdict": verdict}));
    }
    let same = values.is_empty()
        && figures.is_empty()
        && metrics.is_empty()
        && laws.iter().all(|l| l["verdict"] == "identical")
        && ma["status"] == mb["status"];
    json!({
        "schema": 1,
        "same": same,
        "script": script,
        "options": options,
        "data": data,
        "values": values,
        "laws": laws,
        "metrics": metrics,
        "figures": figures,
        "seconds": [ma["timing"]["seconds"], mb["timing"]["seconds"]],
    })
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// Entries of two lists that differ, with their place.
fn paired(a: &Json, b: &Json, same: impl Fn(&Json, &Json) -> bool) -> Vec<Json> {
    let count = list(a).count().max(list(b).count());
    let rows = (0..count).filter(|&k| a[k].is_null() || b[k].is_null() || !same(&a[k], &b[k]));
    rows.map(|k| json!({"place": k, "a": a[k], "b": b[k]})).collect()
}

/// Names with different values.
fn differing(a: &BTreeMap<String, Json>, b: &BTreeMap<String, Json>) -> Vec<Json> {
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    let rows = names.into_iter().filter(|n| a.get(*n) != b.get(*n));
    rows.map(|n| json!({"name": n, "a": a.get(n), "b": b.get(n)})).collect()
}

/// The last value of every metric.
fn last_metrics(run: &Kept) -> BTreeMap<String, Json> {
    let mut last = BTreeMap::new();
    let Ok(mut reader) = csv::ReaderBuilder::new().flexible(true).from_path(run.folder.join("metrics.csv"))
    else {
        return last;
    };
    for row in reader.records().flatten() {
        if let (Some(task), Some(name), Some(value)) = (row.get(0), row.get(2), row.get(3)) {
            last.insert(format!("{task}: {name}"), Json::from(value));
        }
    }
    last
}

/// What a search or a training without a law came to, in words.
fn figures_of(search: &Json) -> Json {
    let Some(figures) = search["figures"].as_object() else { return Json::Null };
    let words = figures.iter().map(|(name, x)| format!("{name} {x}"));
    let stopped = search["stopped"].as_str().map(|word| format!("stopped: {word}"));
    let all: Vec<String> = words.chain(stopped).collect();
    if all.is_empty() { Json::Null } else { all.join(", ").into() }
}

fn chosen(search: &Json) -> Option<String> {
    let law = list(&search["laws"]).find(|l| l["chosen"] == true)?;
    law["expression"].as_str().map(String::from)
}

/// Whether two laws are equal as the language compares them.
fn equal(session: &Session, a: &str, b: &str) -> bool {
    let mut session = session.fork(EventSink::none(), CancelToken::new());
    let line = session.line(&format!("({a}) == ({b})"));
    let verdict = line.value.as_ref().map(Value::plain).and_then(Value::as_expr);
    line.status == Status::Done && verdict.is_some_and(|e| e.to_string() == "true")
}

/// The differences in words.
fn told(found: &Json, a: &Kept, b: &Kept) -> String {
    let mut lines = vec![format!("a: {}", a.folder.display()), format!("b: {}", b.folder.display())];
    let word = |v: &Json| match v {
        Json::Null => "(none)".to_string(),
        Json::String(s) => s.clone(),
        other => other.to_string(),
    };
    if let Some(text) = found["script"].as_str() {
        lines.push("\nscript".into());
        lines.extend(text.lines().map(|l| format!("  {l}")));
    }
    for (key, title) in [("options", "options"), ("data", "data and used files"), ("metrics", "metrics")] {
        let rows: Vec<[String; 3]> =
            list(&found[key]).map(|r| [word(&r["name"]), word(&r["a"]), word(&r["b"])]).collect();
        if rows.is_empty() {
            continue;
        }
        lines.push(format!("\n{title}"));
        let width = |k: usize| rows.iter().map(|r| r[k].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        lines.extend(rows.iter().map(|[n, x, y]| format!("  {n:first$}  {x:second$}  {y}")));
    }
    let laws: Vec<&Json> = list(&found["laws"]).filter(|l| l["verdict"] != "identical").collect();
    if !laws.is_empty() {
        lines.push("\nlaws".into());
    }
    for law in laws {
        let name: Vec<String> = list(&law["name"]).filter(|n| !n.is_null()).map(&word).collect();
        lines.push(format!("  {}: {}", name.join(" "), word(&law["verdict"])));
        lines.push(format!("    a  {}", word(&law["a"])));
        lines.push(format!("    b  {}", word(&law["b"])));
    }
    for (key, title, field) in [("values", "values", "text"), ("figures", "figures", "svg")] {
        let rows: Vec<&Json> = list(&found[key]).collect();
        if rows.is_empty() {
            continue;
        }
        lines.push(format!("\n{title}"));
        for row in rows {
            for side in ["a", "b"] {
                let shown = word(&row[side][field]);
                lines.extend(shown.lines().map(|l| format!("  {} {side}  {l}", row["place"])));
            }
        }
    }
    let seconds =
        |k: usize| found["seconds"][k].as_f64().map_or_else(|| "?".into(), super::progress::duration);
    lines.push(match found["same"] == true {
        true => format!("\nthe same values (in {} and {})", seconds(0), seconds(1)),
        false => format!("\ndifferent values (in {} and {})", seconds(0), seconds(1)),
    });
    lines.join("\n")
}

/// A unified diff of two texts, by the longest common subsequence of their lines.
fn unified(a: &str, b: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    // What both begin and end with needs no table.
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (mid_a, mid_b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let mut script: Vec<(char, &str)> = a[..head].iter().map(|l| (' ', *l)).collect();
    if mid_a.len().saturating_mul(mid_b.len()) > MAX_CELLS {
        script.extend(mid_a.iter().map(|l| ('-', *l)));
        script.extend(mid_b.iter().map(|l| ('+', *l)));
    } else {
        let mut common = vec![vec![0u32; mid_b.len() + 1]; mid_a.len() + 1];
        for i in (0..mid_a.len()).rev() {
            for j in (0..mid_b.len()).rev() {
                common[i][j] = match mid_a[i] == mid_b[j] {
                    true => common[i + 1][j + 1] + 1,
                    false => common[i + 1][j].max(common[i][j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < mid_a.len() || j < mid_b.len() {
            if i < mid_a.len() && j < mid_b.len() && mid_a[i] == mid_b[j] {
                script.push((' ', mid_a[i]));
                (i, j) = (i + 1, j + 1);
            } else if i < mid_a.len() && (j == mid_b.len() || common[i + 1][j] >= common[i][j + 1]) {
                script.push(('-', mid_a[i]));
                i += 1;
            } else {
                script.push(('+', mid_b[j]));
                j += 1;
            }
        }
    }
    script.extend(a[a.len() - tail..].iter().map(|l| (' ', *l)));
    hunks(&script)
}

/// Changes with the lines around them.
fn hunks(script: &[(char, &str)]) -> String {
    let near = |k: usize| {
        let (low, high) = (k.saturating_sub(CONTEXT), (k + CONTEXT + 1).min(script.len()));
        script[low..high].iter().any(|(mark, _)| *mark != ' ')
    };
    let (mut text, mut line_a, mut line_b, mut open) = (String::new(), 1, 1, false);
    for (k, (mark, line)) in script.iter().enumerate() {
        if near(k) {
            if !open {
                let end = (k..script.len()).find(|k| !near(*k)).unwrap_or(script.len());
                let count = |other: char| script[k..end].iter().filter(|(m, _)| *m != other).count();
                text += &format!("@@ -{line_a},{} +{line_b},{} @@\n", count('+'), count('-'));
            }
            text += &format!("{mark}{line}\n");
        }
        open = near(k);
        line_a += usize::from(*mark != '+');
        line_b += usize::from(*mark != '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unified_diff_names_the_lines() {
        let a = "1\n2\n3\n4\n5\n6\n7\n-\n8\n9\n";
        let b = "1\n2\n3\n4\nfive\n6\n7\n-\n8\n9\nten\n";
        assert_eq!(
            unified(a, b),
            "@@ -3,5 +3,5 @@\n 3\n 4\n-5\n+five\n 6\n 7\n@@ -9,2 +9,3 @@\n 8\n 9\n+ten\n"
        );
        assert_eq!(unified(a, a), "");
        assert_eq!(unified("", "x\n"), "@@ -1,0 +1,1 @@\n+x\n");
    }

    #[test]
    fn laws_are_compared_as_the_language_compares_them() {
        let session = Session::new(EventSink::none(), CancelToken::new()).unwrap();
        assert!(equal(&session, "x^2 - 1", "(x - 1)*(x + 1)"));
        assert!(equal(&session, "(2.0 ± 0.1 [m])*x", "(2.1 ± 0.1 [m])*x"));
        assert!(!equal(&session, "2*x", "3*x"));
        assert!(!equal(&session, "(", "x"));
    }
}
