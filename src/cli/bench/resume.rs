//! The file of results: one JSON object a line, written and flushed as soon as a problem is finished. A bench that is run
//! again takes over the lines that were made with the same settings; a last line that was cut short is dropped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value as Json;

use crate::base::{Code, Diagnostic};

/// What tells one result from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The problem.
    pub problem: String,
    /// The seed.
    pub seed: u64,
    /// The fingerprint of everything else that decides it.
    pub settings: String,
}

impl Key {
    fn of(line: &Json) -> Option<Key> {
        Some(Key {
            problem: line["problem"].as_str()?.into(),
            seed: line["seed"].as_u64()?,
            settings: line["settings"].as_str()?.into(),
        })
    }
}

/// The file, open for further lines.
#[derive(Debug)]
pub struct Results {
    file: Option<File>,
    done: HashMap<Key, Json>,
}

impl Results {
    /// No file: nothing is known and nothing is kept.
    pub fn none() -> Results {
        Results { file: None, done: HashMap::new() }
    }

    /// Opens or makes the file and reads what is there.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds whole lines that are no results.
    pub fn open(path: &Path) -> Result<Results, Box<Diagnostic>> {
        let unusable = |reason: String| {
            let message = format!("expected a file of results at `{}`: {reason}", path.display());
            Box::new(Diagnostic::error(Code(8032), None, message).hint("--out results.jsonl"))
        };
        let io = |e: std::io::Error| unusable(e.to_string());
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut done = HashMap::new();
        for (k, line) in bytes[..whole].split(|b| *b == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line: Option<Json> = serde_json::from_slice(line).ok();
            let entry = line.and_then(|line| Some((Key::of(&line)?, line)));
            let (key, line) = entry.ok_or_else(|| unusable(format!("line {} is no result", k + 1)))?;
            done.insert(key, line);
        }
        // A file that is not ours must not lose its text.
        if whole < bytes.len() && !bytes[whole..].starts_with(b"{\"problem\"") {
            let torn = b"{\"problem\"".starts_with(&bytes[whole..]);
            if !torn {
                return Err(unusable("it holds something else".into()));
            }
        }
        file.set_len(whole as u64).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(Results { file: Some(file), done })
    }

    /// What is known of a problem.
    pub fn get(&self, key: &Key) -> Option<&Json> {
        self.done.get(key)
    }

    /// Adds a result.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn push(&mut self, line: &Json) -> std::io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        // One write, so that lines of two processes do not mix.
        file.write_all(format!("{line}\n").as_bytes())?;
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(problem: &str, seed: u64) -> Json {
        json!({"problem": problem, "seed": seed, "settings": "s", "solved": true})
    }

    fn key(problem: &str, seed: u64) -> Key {
        Key { problem: problem.into(), seed, settings: "s".into() }
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let whole = format!("{}\n", line("a", 0));
        let second = format!("{}\n", line("b", 1));
        for cut in 0..second.len() {
            std::fs::write(&path, format!("{whole}{}", &second[..cut])).unwrap();
            let mut results = Results::open(&path).unwrap();
            assert_eq!(results.get(&key("a", 0)), Some(&line("a", 0)));
            assert_eq!(results.get(&key("b", 1)), None);
            results.push(&line("b", 1)).unwrap();
            drop(results);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{whole}{second}"));
            assert!(Results::open(&path).unwrap().get(&key("b", 1)).is_some());
        }
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for text in ["dear diary", "dear diary\n", "{\"a\": 1}\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Results::open(&path).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
