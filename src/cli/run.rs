//! `phys run FILE`, `phys -e EXPR`, and scripts from standard input.

use std::path::Path;
use std::process::ExitCode;

use super::terminal::{Terminal, writable, write_json};
use super::{RunOptions, exit, interruptible, json, script, session};
use crate::language::render;
use crate::session::Status;

/// Runs a script; `-` is standard input.
pub(super) fn file(file: &Path, options: &RunOptions) -> ExitCode {
    match script(file) {
        Ok((name, source, folder)) => text(&name, &source, &folder, options),
        Err(d) => {
            Terminal::new(options.json.as_deref(), Default::default()).diagnostic(&d);
            exit(Status::Faulty)
        }
    }
}

/// Runs a text.
pub(super) fn text(name: &str, text: &str, folder: &Path, options: &RunOptions) -> ExitCode {
    let json = options.json.as_deref();
    let started = options.session();
    let sources = started.sources.clone();
    let terminal = Terminal::new(json, sources.clone());
    if let Err(d) = writable(json) {
        terminal.diagnostic(&d);
        return exit(Status::Faulty);
    }
    let mut session = match session(&terminal, started, &interruptible()) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let style = session.context.style.clone();
    let mut values = Vec::new();
    let (status, diagnostics) = session.run(name, text, folder, &mut |value, visible| {
        if visible {
            let text = render::line(value, &style);
            terminal.text(&text);
            if json.is_some() {
                values.push(json::shown(value, &text));
            }
        }
    });
    if json.is_some()
        && let Err(d) = write_json(json, &json::outcome(status, values, &diagnostics, &sources, options.seed))
    {
        terminal.diagnostic(&d);
        return exit(Status::Failed);
    }
    // The process ends here: taking the state apart costs time that nobody gains from.
    std::mem::forget(session);
    exit(status)
}
