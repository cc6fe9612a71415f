//! The run folder: a listener that keeps what a script which searches or trains did, where a crash leaves all that came
//! before it.
//!
//! ```text
//! runs/coulomb/20261125T003105Z/
//!   coulomb.phys     the script as run; files that it uses keep their place beside it, others stand in used/
//!   manifest.json    what decides the values; the values; and, apart from them, `timing` and `host`
//!   metrics.csv      numbers of steps: task, step, metric, value, seconds
//!   events.jsonl     what happened, one object a line, with the seconds since the start
//!   figures/         every figure that was shown, as SVG and PNG
//!   checkpoints/     states of finished and of long work (`--resume`)
//!   report.html      all of it to read, in one file
//! ```

pub mod checkpoints;
pub mod clock;
pub mod folder;
mod report;

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use self::checkpoints::sha256;
use super::json::number;
use crate::base::{Code, Diagnostic, Drawing, Event, Finding, StopReason};
use crate::data;
use crate::session::{Program, Status};

/// Entries of each kind that the manifest lists; events.jsonl holds all.
const LISTED: usize = 10_000;
/// Fronts that the report shows beside their data; of further ones it has the table.
const PARTS: usize = 12;
/// The manifest is written again when so many times the time of the last writing went by.
const PAUSE: u32 = 10;

/// Pixels to a unit of a figure.
const SCALE: f32 = 2.0;

/// What decides a run, and how it was called.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The script as given.
    pub script: String,
    /// Its text.
    pub text: String,
    /// The folder its paths are relative to.
    pub base: PathBuf,
    /// What it uses and does.
    pub program: Program,
    /// The seed.
    pub seed: u64,
    /// Significant digits of what is shown.
    pub digits: u8,
    /// Whether trial options are used.
    pub smoke: bool,
    /// Options that are set.
    pub set: Vec<String>,
    /// Threads; 0 for all.
    pub threads: usize,
}

impl Plan {
    /// The name of the script without its folder and extension.
    pub fn stem(&self) -> String {
        if self.script.starts_with('<') {
            return "stdin".into();
        }
        Path::new(&self.script).file_stem().map_or_else(|| "script".into(), |s| s.to_string_lossy().into())
    }

    /// The files of the script with their places in the folder.
    fn copies(&self) -> Vec<(String, String, &str)> {
        let own = match self.script.starts_with('<') {
            true => "stdin.phys".to_string(),
            false => Path::new(&self.script)
                .file_name()
                .map_or_else(|| "script.phys".into(), |n| n.to_string_lossy().into_owned()),
        };
        let mut copies = vec![(self.script.clone(), own, self.text.as_str())];
        for (k, used) in self.program.used.iter().enumerate() {
            let relative = used.path.strip_prefix(&self.base).unwrap_or(&used.path);
            let inside = relative.components().all(|c| matches!(c, Component::Normal(_)));
            let name = relative.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            let mut place = match inside {
                true => relative.display().to_string().replace('\\', "/"),
                false => format!("used/{}-{name}", k + 1),
            };
            let top = place.split('/').next().unwrap_or_default();
            if folder::TAKEN.contains(&top) || copies.iter().any(|c| c.1 == place) {
                place = format!("used/{}-{name}", k + 1);
            }
            copies.push((used.path.display().to_string(), place, used.text.as_str()));
        }
        copies
    }
}

/// The listener. All clones write to the same folder.
#[derive(Clone)]
pub struct Recorder {
    /// The folder.
    pub folder: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    folder: PathBuf,
    started: Instant,
    events: File,
    metrics: File,
    /// Lines of the run that goes on, each used once.
    metrics_before: Vec<String>,
    manifest: Map<String, Json>,
    name: String,
    text: String,
    data: Vec<Json>,
    searches: Vec<Json>,
    values: Vec<Json>,
    figures: Vec<Json>,
    /// The SVG texts, for the report.
    drawings: Vec<(String, String)>,
    findings: Vec<Arc<Finding>>,
    diagnostics: Vec<Json>,
    fault: Option<String>,
    /// When the manifest was written, and how long that took.
    saved: (Instant, Duration),
}

fn unwritable(folder: &Path, reason: &str) -> Box<Diagnostic> {
    let message = format!("expected to write the run folder `{}`: {reason}", folder.display());
    let d = Diagnostic::error(Code(8006), None, message);
    Box::new(d.hint("--runs DIR writes elsewhere, --no-record nothing"))
}

fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

impl Recorder {
    /// Makes a new folder below `runs`, or goes on in the folder of an earlier run.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(
        plan: &Plan,
        runs: &Path,
        resume: Option<&folder::Kept>,
    ) -> Result<Recorder, Box<Diagnostic>> {
        let start = clock::now();
        let folder = match resume {
            Some(kept) => kept.folder.clone(),
            None => folder::make(&runs.join(plan.stem()), &clock::folder_name(start))?,
        };
        let fault = |e: &std::io::Error| unwritable(&folder, &words(e));
        for inner in ["figures", "checkpoints"] {
            std::fs::create_dir_all(folder.join(inner)).map_err(|e| fault(&e))?;
        }
        let mut files = Vec::new();
        for (written, place, text) in plan.copies() {
            let to = folder.join(&place);
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent).map_err(|e| fault(&e))?;
            }
            std::fs::write(&to, text).map_err(|e| fault(&e))?;
            files.push(json!({"path": written, "copy": place, "sha256": sha256(text.as_bytes())}));
        }
        let mut earlier = Vec::new();
        if let Some(kept) = resume {
            earlier = kept.manifest["earlier"].as_array().cloned().unwrap_or_default();
            earlier.push(json!({"status": kept.manifest["status"], "timing": kept.manifest["timing"]}));
            // Figures are drawn again, maybe fewer.
            for old in std::fs::read_dir(folder.join("figures")).into_iter().flatten().flatten() {
                let _ = std::fs::remove_file(old.path());
            }
        }
        let manifest = json!({
            "schema": folder::SCHEMA,
            "status": "running",
            "phys": {"version": env!("CARGO_PKG_VERSION"), "commit": option_env!("PHYS_COMMIT")},
            "command": std::env::args().collect::<Vec<_>>(),
            "script": files.remove(0),
            "used": files,
            "seed": plan.seed,
            "digits": plan.digits,
            "smoke": plan.smoke,
            "set": plan.set,
            "work": plan.program.work,
            "timing": {"start": clock::utc(start)},
            "host": clock::host(plan.threads),
            "earlier": earlier,
        });
        let Json::Object(manifest) = manifest else { return Err(unwritable(&folder, "no manifest")) };
        let metrics_before = match resume {
            Some(_) => std::fs::read_to_string(folder.join("metrics.csv")).unwrap_or_default(),
            None => String::new(),
        };
        let create = |name: &str| File::create(folder.join(name)).map_err(|e| fault(&e));
        let mut metrics = create("metrics.csv")?;
        metrics.write_all(b"task,step,metric,value,seconds\n").map_err(|e| fault(&e))?;
        let mut state = State {
            folder: folder.clone(),
            started: Instant::now(),
            metrics_before: metrics_before.lines().skip(1).map(String::from).collect(),
            events: create("events.jsonl")?,
            metrics,
            manifest,
            name: plan.stem(),
            text: plan.text.clone(),
            data: Vec::new(),
            searches: Vec::new(),
            values: Vec::new(),
            figures: Vec::new(),
            drawings: Vec::new(),
            findings: Vec::new(),
            diagnostics: Vec::new(),
            fault: None,
            saved: (Instant::now(), Duration::ZERO),
        };
        state.log("start", json!({"resumed": resume.is_some()}));
        state.write_manifest();
        match state.fault.take() {
            Some(reason) => Err(unwritable(&folder, &reason)),
            None => Ok(Recorder { folder, state: Arc::new(Mutex::new(state)) }),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what happened. `shown` makes a diagnostic a JSON object with its place.
    pub fn event(&self, event: &Event, shown: &dyn Fn(&Diagnostic) -> Json) {
        self.with(|s| match event {
            Event::Text(text) => {
                State::list(&mut s.values, json!({"kind": "print", "text": text}));
                s.log("text", json!({"text": text}));
            }
            Event::Diagnostic(d) => {
                let d = shown(d);
                s.log("diagnostic", d.clone());
                State::list(&mut s.diagnostics, d);
            }
            Event::Figure(figure) => s.figure(&**figure),
            Event::Metric { task, step, name, value } => s.metric(task, *step, name, *value),
            Event::Read(read) => {
                let hashed = checkpoints::sha256_of(&read.path);
                let entry = json!({
                    "path": read.path.display().to_string(),
                    "sha256": hashed.as_ref().map(|h| &h.0),
                    "bytes": hashed.as_ref().map(|h| h.1),
                    "summary": read.summary,
                });
                s.log("read", entry.clone());
                if !s.data.contains(&entry) {
                    s.data.push(entry);
                }
                s.save();
            }
            Event::Finding(finding) => s.finding(finding),
            Event::Progress(_) => {}
        });
    }

    /// Keeps the value of a bare expression.
    pub fn value(&self, value: Json) {
        self.with(|s| {
            s.log("value", value.clone());
            State::list(&mut s.values, value);
        });
    }

    /// Ends the run. What could not be written comes back, once for all.
    pub fn finish(&self, status: Status) -> Option<Box<Diagnostic>> {
        self.with(|s| {
            let word = super::json::status(status);
            s.manifest.insert("status".into(), word.into());
            s.log("end", json!({"status": word}));
            s.write_manifest();
            s.write("report.html", report::html(&s.summary()).as_bytes());
            s.fault.take().map(|reason| {
                let folder = s.folder.display();
                let message = format!("the run folder `{folder}` could not be written in whole: {reason}");
                Box::new(Diagnostic::warning(Code(8010), None, message))
            })
        })
    }
}

impl State {
    fn seconds(&self) -> Json {
        number((self.started.elapsed().as_secs_f64() * 1e3).round() / 1e3)
    }

    fn note<T, E: std::fmt::Display>(&mut self, done: Result<T, E>) {
        if let Err(e) = done {
            let text = e.to_string();
            let reason = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
            self.fault.get_or_insert(reason);
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) {
        let done = data::write_atomic(&self.folder.join(name), bytes);
        self.note(done);
    }

    /// A line of events.jsonl.
    fn log(&mut self, kind: &str, fields: Json) {
        let mut entry = Map::new();
        entry.insert("event".into(), kind.into());
        if let Json::Object(fields) = fields {
            entry.extend(fields);
        }
        entry.insert("seconds".into(), self.seconds());
        let done = self.events.write_all(format!("{}\n", Json::Object(entry)).as_bytes());
        self.note(done);
    }

    fn metric(&mut self, task: &str, step: u64, name: &str, value: f64) {
        let seconds = self.seconds();
        let quoted = |word: &str| match word.contains([',', '"', '\n']) {
            true => format!("\"{}\"", word.replace('"', "\"\"")),
            false => word.to_string(),
        };
        let line = format!("{},{step},{},{value:?},{seconds}\n", quoted(task), quoted(name));
        let done = self.metrics.write_all(line.as_bytes());
        self.note(done);
    }

    /// What an earlier run wrote of the steps of a task, up to its end; kept where the task was taken over from it.
    fn earlier_metrics(&mut self, task: &str, keep: bool) {
        let mut ended = false;
        let (own, rest) =
            std::mem::take(&mut self.metrics_before).into_iter().partition::<Vec<_>, _>(|line| {
                let mine = line.strip_prefix(task).is_some_and(|l| l.starts_with(',')) && !ended;
                ended |= mine && line.contains(",final r2,");
                mine
            });
        self.metrics_before = rest;
        let own: String =
            own.iter().filter(|l| keep && !l.contains(",final ")).map(|l| format!("{l}\n")).collect();
        let done = self.metrics.write_all(own.as_bytes());
        self.note(done);
    }

    fn figure(&mut self, figure: &dyn Drawing) {
        let title = figure.title().to_string();
        let slug: String =
            title.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let slug: Vec<&str> = slug.split('-').filter(|p| !p.is_empty()).take(6).collect();
        let name =
            [vec![format!("{:02}", self.figures.len() + 1)], slug.iter().map(|s| s.to_string()).collect()]
                .concat()
                .join("-");
        let (svg, png) = (figure.svg(), figure.png(SCALE));
        let (svg_name, png_name) = (format!("figures/{name}.svg"), format!("figures/{name}.png"));
        self.write(&svg_name, svg.as_bytes());
        self.write(&png_name, &png);
        let entry = json!({
            "title": title,
            "svg": svg_name,
            "svg_sha256": sha256(svg.as_bytes()),
            "png": png_name,
            "png_sha256": sha256(&png),
        });
        self.log("figure", entry.clone());
        self.figures.push(entry);
        self.drawings.push((title, svg));
        self.save();
    }

    fn finding(&mut self, finding: &Arc<Finding>) {
        let laws: Vec<Json> = finding
            .laws
            .iter()
            .map(|l| {
                let mut law = json!({
                    "expression": l.expression,
                    "size": l.size,
                    "loss": number(l.loss),
                    "r2": number(l.r2),
                    "description_length": number(l.description_length),
                    "chosen": l.chosen,
                });
                if !l.beside.is_empty() {
                    let beside = l.beside.iter().map(|(n, t)| (n.clone(), t.as_str().into()));
                    law["beside"] = Json::Object(beside.collect());
                }
                law
            })
            .collect();
        let figures: Map<String, Json> =
            finding.figures.iter().map(|(n, v)| ((*n).to_string(), number(*v))).collect();
        let entry = json!({
            "task": finding.task,
            "name": finding.name,
            "target": finding.target,
            "seed": finding.seed,
            "stopped": finding.stopped.map(StopReason::word),
            "figures": figures,
            "laws": laws,
        });
        self.log("finding", entry.clone());
        // What a search came to stands at the end of its metrics, under the name of its result.
        let task = match &finding.name {
            Some(name) => format!("{} {name}", finding.task),
            None => finding.task.clone(),
        };
        self.earlier_metrics(&task, finding.resumed);
        if let Some(law) = finding.laws.iter().find(|l| l.chosen) {
            let step = finding.figures.iter().find(|(n, _)| *n == "work").map_or(0, |(_, v)| *v as u64);
            for (name, value) in [("final loss", law.loss), ("final r2", law.r2)] {
                self.metric(&task, step, name, value);
            }
        }
        State::list(&mut self.searches, entry);
        if self.findings.len() < LISTED {
            // A part holds the data of its search.
            let parts = self.findings.iter().filter(|f| f.part.is_some()).count();
            self.findings.push(match parts < PARTS {
                true => finding.clone(),
                false => Arc::new(Finding { part: None, ..(**finding).clone() }),
            });
        }
        self.save();
    }

    /// The manifest as it is now.
    fn summary(&self) -> report::Summary<'_> {
        report::Summary {
            name: &self.name,
            script: &self.text,
            manifest: self.json(),
            findings: &self.findings,
            drawings: &self.drawings,
        }
    }

    fn json(&self) -> Json {
        let mut whole = self.manifest.clone();
        // Times and host stand at the end, apart from what two equal runs share.
        let (timing, host, earlier) =
            (whole.shift_remove("timing"), whole.shift_remove("host"), whole.shift_remove("earlier"));
        whole.insert("data".into(), self.data.clone().into());
        whole.insert("searches".into(), self.searches.clone().into());
        whole.insert("values".into(), self.values.clone().into());
        whole.insert("figures".into(), self.figures.clone().into());
        whole.insert("diagnostics".into(), self.diagnostics.clone().into());
        let mut timing = timing.unwrap_or_default();
        timing["seconds"] = self.seconds();
        timing["cpu_seconds"] = number(clock::cpu_seconds(self.started));
        whole.insert("timing".into(), timing);
        whole.insert("host".into(), host.unwrap_or_default());
        whole.insert("earlier".into(), earlier.unwrap_or_default());
        Json::Object(whole)
    }

    /// Writes the manifest where that is not most of what the run does.
    fn save(&mut self) {
        let (when, took) = self.saved;
        if when.elapsed() >= took * PAUSE {
            self.write_manifest();
        }
    }

    fn write_manifest(&mut self) {
        let begun = Instant::now();
        let text = format!("{:#}\n", self.json());
        self.write("manifest.json", text.as_bytes());
        self.saved = (Instant::now(), begun.elapsed());
    }

    /// Adds to a list of the manifest, which ends somewhere.
    fn list(list: &mut Vec<Json>, entry: Json) {
        if list.len() < LISTED {
            list.push(entry);
        } else if list.len() == LISTED {
            list.push(json!({"text": "more stand in events.jsonl"}));
        }
    }
}
