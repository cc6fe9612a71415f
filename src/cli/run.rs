//! `phys run` and `phys -e`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{FAILED, FAULTY, INTERRUPTED, json as values, output, render};
use crate::base::{CancelToken, Event, EventSink, Severity};
use crate::language::statements::{read_script, script_text};
use crate::session::{Session, Status};

/// Arguments of `phys run`.
#[derive(clap::Args)]
pub struct RunArguments {
    /// The script; `-` for standard input.
    file: String,
    /// Root seed of everything random that names none.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads that searches use.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Significant digits of floats.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,
}

/// What changes a session before it runs.
#[derive(Default)]
pub struct Settings {
    seed: Option<u64>,
    threads: Option<usize>,
    digits: Option<u8>,
}

/// Runs a file.
pub fn file(a: RunArguments, json: Option<String>, cancel: CancelToken) -> u8 {
    let settings = Settings { seed: a.seed, threads: a.threads, digits: a.digits };
    if a.file == "-" {
        return standard_input(json, Some(settings), cancel);
    }
    let path = PathBuf::from(&a.file);
    match read_script(&path) {
        Ok(script) => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            text(&a.file, &script, folder, json, Some(settings), cancel)
        }
        Err(words) => {
            output::error_line(&format!("error[P6040]: {words}"));
            FAULTY
        }
    }
}

/// Runs what standard input holds.
pub fn standard_input(json: Option<String>, settings: Option<Settings>, cancel: CancelToken) -> u8 {
    let mut bytes = Vec::new();
    if let Err(e) = std::io::stdin().lock().read_to_end(&mut bytes) {
        output::error_line(&format!("error[P6040]: standard input cannot be read: {e}"));
        return FAULTY;
    }
    match script_text(bytes, "<standard input>") {
        Ok(script) => text("<standard input>", &script, Path::new("."), json, settings, cancel),
        Err(words) => {
            output::error_line(&format!("error[P6040]: {words}"));
            FAULTY
        }
    }
}

/// A listener that prints: texts to standard output (to standard error where JSON goes there), diagnostics to
/// standard error.
pub fn printer(json_on_output: bool) -> EventSink {
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    EventSink::new(move |event| match event {
        Event::Text(t) if json_on_output => output::error_line(&t),
        Event::Text(t) => output::line(&t),
        Event::Diagnostic(d) if d.severity != Severity::Error => {
            let hint = d.hint.as_ref().map_or(String::new(), |h| format!(" ({h})"));
            let word = if d.severity == Severity::Warning { "warning" } else { "notice" };
            let text = format!("{word}[{}]: {}{hint}", d.code, d.message);
            // A loop says the same thing once.
            if let Ok(mut seen) = seen.lock()
                && !seen.contains(&text)
            {
                output::error_line(&text);
                seen.push(text);
            }
        }
        _ => {}
    })
}

/// A session for a command; its own faults are reported here.
pub fn session(events: EventSink, cancel: CancelToken) -> Option<Session> {
    match Session::new(events, cancel) {
        Ok(session) => Some(session),
        Err(error) => {
            let (d, source) = *error;
            let sources = std::collections::BTreeMap::from([(source.id, source)]);
            output::error_line(&render::text(&d, &sources));
            None
        }
    }
}

/// Runs a text.
pub fn text(
    name: &str,
    script: &str,
    folder: &Path,
    json: Option<String>,
    settings: Option<Settings>,
    cancel: CancelToken,
) -> u8 {
    let json_on_output = json.as_deref() == Some("-");
    let Some(mut session) = self::session(printer(json_on_output), cancel) else { return FAULTY };
    if let Some(s) = settings {
        session.context.seed = s.seed.unwrap_or(0);
        session.context.threads = s.threads.unwrap_or(0);
        if let Some(digits) = s.digits {
            session.context.style.digits = Some(digits as usize);
        }
    }
    let style = session.context.style.clone();
    let mut found = Vec::new();
    let (status, diagnostics) = session.run(name, script, folder, &mut |v, visible| {
        if visible {
            let line = crate::language::render::line(v, &style);
            if json_on_output { output::error_line(&line) } else { output::line(&line) }
        }
        if json.is_some() {
            found.push(values::value(v));
        }
    });
    render::show(&diagnostics, &session.context.sources);
    let code = match status {
        Status::Done => 0,
        Status::Faulty => FAULTY,
        Status::Failed => FAILED,
        Status::Interrupted => INTERRUPTED,
    };
    if let Some(path) = json {
        let report = json!({
            "schema": 1,
            "ok": code == 0,
            "seed": session.context.seed,
            "values": found,
            "diagnostics": diagnostics.iter().map(|d| values::diagnostic(d, &session)).collect::<Vec<_>>(),
        });
        if let Err(words) = output::json(&path, &report) {
            output::error_line(&format!("error[P8001]: {words}"));
            return code.max(FAILED);
        }
    }
    code
}
