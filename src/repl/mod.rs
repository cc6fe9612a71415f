//! Layer 8: the prompt. History, lines that go on while something is open, `ans`, `;` at the end of a line hides its
//! value, Ctrl-C stops a running line and keeps the session, Ctrl-D or `:quit` ends it.

use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Editor, Helper, Highlighter, Hinter};

use crate::cli::terminal::{Terminal, complain, say};
use crate::session::{Options, Session};

/// Lines of history that are kept.
const HISTORY: usize = 10_000;

const HELP: &str = "\
an expression shows its value; `;` at the end hides it; `ans` is the last value
?name       what a function of the library does
:digits N   significant digits of what is shown
:quit       ends the session (also Ctrl-D)";

/// What the editor asks: whether a line goes on, and how a name could end.
#[derive(Helper, Highlighter, Hinter)]
struct Assistant {
    names: Vec<String>,
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        // Two line ends in a row give up on completing the line: its fault is told.
        let goes_on = !text.ends_with("\n\n") && !is_command(text) && Session::is_incomplete(text);
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &line[..at];
        let start = before
            .char_indices()
            .rev()
            .find(|(_, c)| !(c.is_alphanumeric() || *c == '_'))
            .map_or(0, |(i, c)| i + c.len_utf8());
        let word = &before[start..];
        if word.is_empty() {
            return Ok((at, Vec::new()));
        }
        let names = self.names.iter().filter(|n| n.starts_with(word));
        Ok((start, names.map(|n| Pair { display: n.clone(), replacement: n.clone() }).collect()))
    }
}

fn is_command(text: &str) -> bool {
    text.trim_start().starts_with([':', '?'])
}

/// Where the history is kept: the user's state folder.
fn history_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?.join("phys");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Runs the prompt until the user ends it.
pub fn prompt(options: Options) -> ExitCode {
    let terminal = Terminal::new(None, options.sources.clone());
    let cancel = crate::cli::interruptible();
    let mut session = match Session::with(options, terminal.sink(), cancel.clone()) {
        Ok(session) => session,
        Err(d) => {
            terminal.diagnostic(&d);
            return ExitCode::from(2);
        }
    };
    let mut editor: Editor<Assistant, DefaultHistory> = match Editor::new() {
        Ok(editor) => editor,
        Err(e) => {
            complain(&format!("phys: the terminal cannot be used: {e}"));
            return ExitCode::from(1);
        }
    };
    // Where the history cannot be kept the prompt works without.
    let _ = editor.set_max_history_size(HISTORY);
    editor.set_auto_add_history(true);
    let history = history_file();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    say(&format!("phys {}   (:help, Ctrl-D ends)", env!("CARGO_PKG_VERSION")));
    loop {
        editor.set_helper(Some(Assistant { names: session.context.known_names() }));
        let line = match editor.readline("> ") {
            Ok(line) => line,
            // Ctrl-C drops the line.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(e) => {
                complain(&format!("phys: the terminal cannot be read: {e}"));
                break;
            }
        };
        if is_command(&line) {
            if !command(line.trim(), &mut session) {
                break;
            }
        } else if !line.trim().is_empty() {
            cancel.reset();
            for text in session.line(&line).shown {
                say(&text);
            }
        }
        if let Some(file) = &history {
            let _ = editor.save_history(file);
        }
    }
    ExitCode::SUCCESS
}

/// Does what a line that begins with `:` or `?` says; whether the session goes on.
fn command(line: &str, session: &mut Session) -> bool {
    let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(w, r)| (w, r.trim()));
    match word {
        ":quit" | ":q" | ":exit" => return false,
        ":help" | ":h" | "?" => say(HELP),
        ":digits" => match rest.parse() {
            Ok(digits @ 1..=17) => session.context.style.digits = Some(digits),
            _ => complain(&format!("expected 1 to 17 digits, found `{rest}`\n  hint: :digits 6")),
        },
        _ if word.starts_with('?') => describe(word.trim_start_matches('?'), session),
        _ => complain(&format!("expected a command of the prompt, found `{word}`\n  hint: :help")),
    }
    true
}

/// What the library says of a name.
fn describe(name: &str, session: &Session) {
    let library = &session.context.library;
    let Some(signatures) = library.signatures(name) else {
        let near = crate::base::suggest::nearest(name, library.function_names());
        let hint = near.map_or_else(String::new, |n| format!("\n  hint: ?{n}"));
        complain(&format!("expected a function of the library, found `{name}`{hint}"));
        return;
    };
    for signature in signatures {
        let parameters: Vec<&str> = signature.params.iter().map(|p| &*p.name).collect();
        say(&format!("{}({})   ({})", signature.name, parameters.join(", "), signature.module));
        if !signature.doc.is_empty() {
            say(&signature.doc);
        }
    }
}
