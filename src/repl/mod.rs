//! Layer 8: the prompt. History, multi-line input (a line that ends inside something goes on), `ans`; Ctrl-C stops the
//! running line and keeps the session, Ctrl-D ends. Where standard input is no terminal, it is a script.

use std::io::IsTerminal;
use std::path::PathBuf;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Config, Editor, Helper, Highlighter, Hinter};

use crate::base::CancelToken;
use crate::cli::{self, output, render};
use crate::session::Session;

/// Asks for more lines where the text goes on.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Continue;

impl Validator for Continue {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if Session::is_incomplete(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

/// Where the history is kept; nowhere if the system names no folder.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/state")))?;
    Some(state.join("phys").join("history"))
}

/// Starts the prompt, or runs standard input as a script.
pub fn start(json: Option<String>, cancel: CancelToken) -> u8 {
    if !std::io::stdin().is_terminal() {
        return cli::run_standard_input(json, cancel);
    }
    if json.is_some() {
        output::error_line("error[P8002]: --json goes with -e or a command, not with the prompt");
        return cli::FAULTY;
    }
    let events = crate::base::EventSink::new(|event| match event {
        crate::base::Event::Text(t) => output::line(&t),
        crate::base::Event::Diagnostic(d) => {
            let hint = d.hint.as_ref().map_or(String::new(), |h| format!(" ({h})"));
            output::error_line(&format!("{}{hint}", d.message));
        }
        crate::base::Event::Progress { .. } => {}
    });
    let mut session = match Session::new(events, cancel.clone()) {
        Ok(session) => session,
        Err(error) => {
            output::error_line(&error.0.message);
            return cli::FAULTY;
        }
    };
    let config = Config::builder().auto_add_history(true).build();
    let mut editor: Editor<Continue, DefaultHistory> = match Editor::with_config(config) {
        Ok(editor) => editor,
        Err(e) => {
            output::error_line(&format!("the prompt cannot start: {e}"));
            return cli::FAILED;
        }
    };
    editor.set_helper(Some(Continue));
    let history = history_file();
    if let Some(path) = &history {
        // No history yet is no fault.
        let _ = editor.load_history(path);
    }
    output::line(&format!("phys {}; :quit or Ctrl-D ends", env!("CARGO_PKG_VERSION")));
    loop {
        match editor.readline("> ") {
            Ok(line) if line.trim() == ":quit" => break,
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                cancel.reset();
                let done = session.line(&line);
                done.shown.iter().for_each(|t| output::line(t));
                render::show(&done.diagnostics, &session.context.sources);
            }
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    if let Some(path) = &history {
        if let Some(folder) = path.parent() {
            // Where the folder cannot be made, the history lives for this session only.
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = editor.save_history(path);
    }
    0
}
