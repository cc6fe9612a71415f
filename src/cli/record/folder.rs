//! Where run folders are, and what an earlier run left: read back for `--resume` and `phys diff`.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::checkpoints::{self, sha256};
use super::{Plan, unwritable, words};
use crate::base::{Code, Diagnostic};

/// The version of the manifest.
pub const SCHEMA: u64 = 1;
/// Names in a run folder that no file of a script may take.
pub const TAKEN: &[&str] =
    &["manifest.json", "metrics.csv", "events.jsonl", "figures", "checkpoints", "report.html", "used"];

/// The folder of runs: that of the option, else of `PHYS_RUNS`, else `runs`; `None` where `PHYS_RUNS` is `none`.
pub fn root(option: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = option {
        return Some(path.to_path_buf());
    }
    match std::env::var_os("PHYS_RUNS").filter(|v| !v.is_empty()) {
        Some(word) if word == "none" => None,
        Some(path) => Some(PathBuf::from(path)),
        None => Some(PathBuf::from("runs")),
    }
}

/// Makes a folder `name` below `parent` that was not there; one of the same second gets a number.
///
/// # Errors
/// The place is a file, or cannot be written.
pub fn make(parent: &Path, name: &str) -> Result<PathBuf, Box<Diagnostic>> {
    std::fs::create_dir_all(parent).map_err(|e| {
        let file = parent.ancestors().find(|p| p.is_file());
        let reason = file.map_or_else(|| words(&e), |f| format!("`{}` is a file", f.display()));
        unwritable(parent, &reason)
    })?;
    for k in 1.. {
        let folder = if k == 1 { parent.join(name) } else { parent.join(format!("{name}-{k}")) };
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && k < 10_000 => {}
            Err(e) => return Err(unwritable(&folder, &words(&e))),
        }
    }
    Err(unwritable(parent, "no free name"))
}

/// Where a plan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// In the folder of the earlier run.
    Here,
    /// In a folder of its own, with the checkpoints of the earlier run.
    Beside,
}

/// An earlier run.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Json,
}

impl Kept {
    /// Reads the manifest of a run folder.
    ///
    /// # Errors
    /// There is none, or it is not one of this version.
    pub fn read(folder: &Path) -> Result<Kept, Box<Diagnostic>> {
        let shown = folder.display();
        let fault =
            |message: String| Box::new(Diagnostic::error(Code(8007), None, message).hint(near(folder)));
        let path = folder.join("manifest.json");
        let text = std::fs::read_to_string(&path).map_err(|e| {
            fault(match folder.is_dir() {
                true => format!("expected a run folder, found no manifest.json in `{shown}`: {}", words(&e)),
                false => format!("expected a run folder, found none at `{shown}`"),
            })
        })?;
        let manifest: Json = serde_json::from_str(&text).map_err(|e| {
            fault(format!("expected a manifest in `{}`, found text that is no JSON: {e}", path.display()))
        })?;
        match manifest["schema"].as_u64() {
            Some(SCHEMA) => Ok(Kept { folder: folder.to_path_buf(), manifest }),
            Some(other) => Err(fault(format!(
                "expected a manifest of version {SCHEMA}, found version {other} in `{shown}`"
            ))),
            None => {
                Err(fault(format!("expected a manifest of phys, found other JSON in `{}`", path.display())))
            }
        }
    }

    /// The copy of the script.
    pub fn script(&self) -> String {
        let name = self.manifest["script"]["copy"].as_str().unwrap_or_default();
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Where a plan goes on: here, where it is that of this run, or in a folder of its own that takes over what both compute
    /// alike, where its script has changed since. The checkpoints are whole.
    ///
    /// # Errors
    /// The first thing that makes it another plan.
    pub fn admits(&self, plan: &Plan) -> Result<Goes, Box<Diagnostic>> {
        let fault = |message: String, hint: &str| {
            Err(Box::new(Diagnostic::error(Code(8008), None, message).hint(hint.to_string())))
        };
        let m = &self.manifest;
        let shown = self.folder.display();
        let anew = "without --resume the script runs anew";
        let name = m["script"]["path"].as_str().unwrap_or_default();
        let changed = m["script"]["sha256"] != sha256(plan.text.as_bytes()).as_str();
        if changed && name != plan.script {
            return fault(
                format!(
                    "expected a run of `{}`, found in `{shown}` one of `{name}`, another script",
                    plan.script
                ),
                anew,
            );
        }
        let used: Vec<String> = plan.program.used.iter().map(|u| sha256(u.text.as_bytes())).collect();
        let kept: Vec<&str> =
            m["used"].as_array().into_iter().flatten().filter_map(|u| u["sha256"].as_str()).collect();
        let changed = changed || used != kept;
        if m["seed"] != plan.seed {
            return fault(
                format!("expected the seed {} of the run in `{shown}`, found {}", m["seed"], plan.seed),
                "without --seed the run's is used",
            );
        }
        if m["smoke"] != plan.smoke || m["set"] != Json::from(plan.set.clone()) {
            return fault(
                format!("expected the options of the run in `{shown}`, found others"),
                "without --set and --smoke the run's are used",
            );
        }
        checkpoints::verify(&self.folder.join("checkpoints"))?;
        Ok(if changed { Goes::Beside } else { Goes::Here })
    }
}

/// What could have been meant: the newest run below a folder.
fn near(folder: &Path) -> String {
    let mut open = vec![folder.to_path_buf(), PathBuf::from("runs")];
    let mut found: Vec<PathBuf> = Vec::new();
    for _ in 0..3 {
        let mut inner: Vec<PathBuf> = Vec::new();
        for f in &open {
            inner.extend(
                std::fs::read_dir(f).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()),
            );
        }
        found.extend(inner.iter().filter(|p| p.join("manifest.json").is_file()).cloned());
        open = inner;
        if open.len() > 1000 {
            break;
        }
    }
    match found.iter().max_by_key(|p| p.file_name().map(|n| n.to_os_string())) {
        Some(run) => format!("the newest run is `{}`", run.display()),
        None => "a run folder holds manifest.json: runs/SCRIPT/TIME".into(),
    }
}
