//! The summary of a bench: a table by set, each miss with the law that was chosen instead, and both as JSON.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Settings;
use crate::cli::json::number;
use crate::numeric::statistics;

/// What was found.
#[derive(Debug)]
pub struct Report {
    settings: Json,
    lines: Vec<Json>,
    /// Results that are not there: the bench was stopped.
    open: usize,
    seconds: f64,
}

/// Counts of a set.
struct Counts {
    total: usize,
    solved: usize,
    literal: usize,
    in_front: usize,
    /// Systems that follow their first path, and their second.
    follow: Option<(usize, usize)>,
    median: f64,
    slowest: f64,
    cpu: f64,
}

impl Counts {
    fn of(lines: &[&Json]) -> Counts {
        let count = |field: &str| lines.iter().filter(|l| l[field] == true).count();
        let time = |l: &Json| l["cpu_seconds"].as_f64().unwrap_or(f64::NAN);
        let times: Vec<f64> = lines.iter().filter(|l| l["solved"] == true).map(|l| time(l)).collect();
        Counts {
            total: lines.len(),
            solved: count("solved"),
            literal: count("solved_literal"),
            in_front: count("in_front"),
            follow: lines
                .iter()
                .any(|l| l.get("reconstructed").is_some())
                .then(|| (count("reconstructed"), count("generalised"))),
            median: statistics::median(&times),
            slowest: times.iter().fold(f64::NAN, |m, t| m.max(*t)),
            cpu: lines.iter().map(|l| time(l)).sum(),
        }
    }

    fn json(&self, set: &str, operators: &str) -> Json {
        let mut told = json!({
            "set": set,
            "operators": operators,
            "total": self.total,
            "solved": self.solved,
            "solved_literal": self.literal,
            "in_front": self.in_front,
            "median_cpu_seconds": number(self.median),
            "slowest_cpu_seconds": number(self.slowest),
            "cpu_seconds": number(self.cpu),
        });
        if let Some((first, second)) = self.follow {
            told["reconstructed"] = json!(first);
            told["generalised"] = json!(second);
        }
        told
    }

    fn row(&self, set: &str, operators: &str) -> Vec<String> {
        let share = 100.0 * self.solved as f64 / self.total.max(1) as f64;
        let mut follow = Vec::new();
        if let Some((first, second)) = self.follow {
            let share = |n: usize| format!("{n} ({:.1} %)", 100.0 * n as f64 / self.total.max(1) as f64);
            follow = vec![share(first), share(second)];
        }
        let mut row = vec![
            set.into(),
            operators.into(),
            format!("{}/{}", self.solved, self.total),
            format!("{share:.1} %"),
            self.literal.to_string(),
            self.in_front.to_string(),
            short(self.median),
            short(self.slowest),
            short(self.cpu),
        ];
        row.extend(follow);
        row
    }
}

/// Seconds in a few digits; nothing for none.
fn short(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "-".into(),
        s if s < 10.0 => format!("{s:.3}"),
        s => format!("{s:.1}"),
    }
}

impl Report {
    /// The report on some results, in their order; nothing where one is not there.
    pub fn new(settings: &[Settings], lines: Vec<Option<Json>>, seconds: f64) -> Report {
        let open = lines.iter().filter(|l| l.is_none()).count();
        Report {
            settings: settings.iter().map(Settings::json).collect(),
            lines: lines.into_iter().flatten().collect(),
            open,
            seconds,
        }
    }

    /// Counts by set and choice of operators; where there are several sets, of all together too.
    fn sets(&self) -> Vec<(String, String, Counts)> {
        let text = |l: &Json, field: &str| l[field].as_str().unwrap_or("").to_string();
        let mut order: Vec<(String, String)> = Vec::new();
        let mut groups: BTreeMap<(String, String), Vec<&Json>> = BTreeMap::new();
        let mut add = |set: String, l| {
            let key = (set, text(l, "operators"));
            if !groups.contains_key(&key) {
                order.push(key.clone());
            }
            groups.entry(key).or_default().push(l);
        };
        for l in &self.lines {
            add(text(l, "set"), l);
        }
        if self.lines.iter().any(|l| l["set"] != self.lines[0]["set"]) {
            for l in &self.lines {
                add("all".into(), l);
            }
        }
        order.sort_by_key(|(set, _)| set == "all");
        order
            .into_iter()
            .filter_map(|key| {
                let counts = Counts::of(groups.get(&key)?);
                Some((key.0, key.1, counts))
            })
            .collect()
    }

    /// The summary in words. `hidden`: misses are counted, not shown.
    pub fn table(&self, verbose: bool, hidden: bool) -> String {
        let mut text = String::new();
        let heads =
            ["set", "operators", "solved", "share", "literal", "in front", "median s", "slowest s", "cpu s"];
        let mut rows = vec![heads.map(String::from).to_vec()];
        if self.lines.iter().any(|l| l.get("reconstructed").is_some()) {
            rows[0].extend(["reconstructed", "generalised"].map(String::from));
        }
        rows.extend(self.sets().iter().map(|(set, whose, counts)| counts.row(set, whose)));
        text += &columns(&rows);
        let misses: Vec<&Json> = self.lines.iter().filter(|l| l["solved"] != true).collect();
        let shown: Vec<&Json> = match (verbose, hidden) {
            (_, true) => Vec::new(),
            (true, _) => self.lines.iter().collect(),
            (false, _) => misses.clone(),
        };
        if hidden && !misses.is_empty() {
            text += &format!("\n{} missed, not shown (--show-untouched)\n", misses.len());
        }
        if !shown.is_empty() {
            text += if verbose { "\n" } else { "\nmissed\n" };
            let mut rows = vec![
                ["problem", "seed", "", "cpu s", "r2 test", "size", "engine", "stopped", "law"]
                    .map(String::from)
                    .to_vec(),
            ];
            rows.extend(shown.iter().map(|l| row(l)));
            text += &columns(&rows);
        }
        if self.open > 0 {
            text += &format!("\n{} problems not done\n", self.open);
        }
        text += &format!("\n{} s", short(self.seconds));
        text
    }

    /// Results and summary.
    pub fn json(&self) -> Json {
        json!({
            "schema": 1,
            "settings": self.settings,
            "seconds": number(self.seconds),
            "not_done": self.open,
            "summary": self.sets().iter().map(|(set, whose, c)| c.json(set, whose)).collect::<Vec<_>>(),
            "results": self.lines,
        })
    }
}

fn row(l: &Json) -> Vec<String> {
    let text = |field: &str| l[field].as_str().unwrap_or("-").to_string();
    let whole = |field: &str| l[field].as_u64().map_or_else(|| "-".into(), |n| n.to_string());
    let mark = match (l["solved"] == true, l["in_front"] == true) {
        (true, _) => "solved",
        (false, true) => "in front",
        (false, false) => "",
    };
    let law = l["expression"].as_str().or(l["fault"].as_str()).unwrap_or("-");
    let law: String = match law.chars().count() {
        n if n > 100 => law.chars().take(97).collect::<String>() + "...",
        _ => law.into(),
    };
    vec![
        text("problem"),
        whole("seed"),
        mark.into(),
        short(l["cpu_seconds"].as_f64().unwrap_or(f64::NAN)),
        l["r2_test"].as_f64().map_or_else(|| "-".into(), r2),
        whole("size"),
        text("engine"),
        text("stopped"),
        law,
    ]
}

/// Rows in columns, two blanks between.
fn columns(rows: &[Vec<String>]) -> String {
    let width =
        |k: usize| rows.iter().filter_map(|r| r.get(k)).map(|c| c.chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, w)| format!("{cell}{}", " ".repeat(w - cell.chars().count())))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A coefficient of determination: what is far below 0 by its order of magnitude alone.
fn r2(value: f64) -> String {
    if value.abs() < 1000.0 { format!("{value:.6}") } else { format!("{value:.1e}") }
}
