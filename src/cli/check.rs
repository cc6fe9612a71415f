//! `phys check`.

use std::path::PathBuf;

use serde_json::json;

use super::{FAULTY, json as values, output, render, run};
use crate::base::{CancelToken, Diagnostic, EventSink};
use crate::language::statements::read_script;

/// Checks files; every fault of every file is shown.
pub fn files(files: &[PathBuf], json: Option<String>, cancel: CancelToken) -> u8 {
    let mut code = 0;
    let mut reports = Vec::new();
    for path in files {
        let Some(mut session) = run::session(EventSink::none(), cancel.clone()) else { return FAULTY };
        match read_script(path) {
            Ok(text) => {
                session.context.folder = path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
                let (_, diagnostics) = session.check(&path.display().to_string(), &text);
                render::show(&diagnostics, &session.context.sources);
                reports.push(json!({
                    "file": path.display().to_string(),
                    "diagnostics": diagnostics.iter().map(|d| values::diagnostic(d, &session)).collect::<Vec<_>>(),
                }));
                if diagnostics.iter().any(Diagnostic::is_error) {
                    code = FAULTY;
                }
            }
            Err(words) => {
                output::error_line(&format!("error[P6040]: {words}"));
                reports.push(json!({
                    "file": path.display().to_string(),
                    "diagnostics": [{"code": "P6040", "message": words, "line": null, "column": 1, "hint": null}],
                }));
                code = FAULTY;
            }
        }
    }
    if let Some(path) = json
        && let Err(words) = output::json(&path, &json!({"schema": 1, "ok": code == 0, "files": reports}))
    {
        output::error_line(&format!("error[P8001]: {words}"));
        return FAULTY;
    }
    code
}
