//! `phys check FILE...`: every fault of every script; nothing runs.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::terminal::{Terminal, writable, write_json};
use super::{exit, json, script, session};
use crate::base::{CancelToken, Diagnostic};
use crate::session::{Options, Sources, Status};

pub(super) fn files(files: &[PathBuf], json: Option<&str>) -> ExitCode {
    let options = Options::default();
    let terminal = Terminal::new(json, options.sources.clone());
    if let Err(d) = writable(json) {
        terminal.diagnostic(&d);
        return exit(Status::Faulty);
    }
    let fresh = match session(&terminal, options, &CancelToken::new()) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let mut status = Status::Done;
    let mut reports = Vec::new();
    for file in files {
        let (diagnostics, sources) = match script(file) {
            Ok((name, text, folder)) => {
                let mut session = fresh.fork(terminal.sink(), CancelToken::new());
                session.context.folder = folder;
                let (_, diagnostics) = session.check(&name, &text);
                (diagnostics, session.sources().clone())
            }
            Err(d) => (vec![*d], Sources::default()),
        };
        let terminal = Terminal::new(json, sources.clone());
        for d in &diagnostics {
            terminal.diagnostic(d);
        }
        if diagnostics.iter().any(Diagnostic::is_error) {
            status = Status::Faulty;
        }
        reports.push(json!({
            "file": file.display().to_string(),
            "diagnostics": diagnostics.iter().map(|d| json::diagnostic(d, &sources)).collect::<Vec<_>>(),
        }));
    }
    let report = json!({"schema": 1, "ok": status == Status::Done, "files": reports});
    if let Err(d) = write_json(json, &report) {
        terminal.diagnostic(&d);
        return exit(Status::Failed);
    }
    exit(status)
}
