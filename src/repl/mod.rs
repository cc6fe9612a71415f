//! Layer 8: the prompt. `assistant.rs` is what the line editor asks while a line is typed, `keys.rs` the keys with a
//! meaning of their own, `running.rs` runs a line so that it can be stopped, `display.rs` shows what came of it,
//! `commands.rs` holds the lines that begin with `:` or `?`. Without a terminal lines come from a text and the same
//! loop runs them.

mod assistant;
mod colour;
mod commands;
mod display;
mod keys;
mod places;
mod running;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustyline::config::{BellStyle, ColorMode, CompletionType, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Cmd, Editor, Event, EventHandler, KeyEvent};

use crate::base::{CancelToken, Code, Diagnostic};
use crate::cli::terminal::{Terminal, complain};
use crate::cli::{Start, read_file};
use crate::session::{Options, Session, Status, readings};
use assistant::{Assistant, goes_on};
use display::Display;
use running::{Heard, Interrupt, Lost, Voiced, attend};

/// Lines of history that are kept.
const HISTORY: usize = 10_000;
/// Longer lines are not kept in the history.
const HISTORY_LINE: usize = 20_000;

/// The state of the prompt.
pub struct Prompt {
    current: Voiced,
    interrupt: Interrupt,
    display: Arc<Display>,
    /// The time limit of a line.
    limit: Option<Duration>,
    /// Whether lines are read out where their meaning is not obvious.
    reading: bool,
    /// Whether any line failed.
    failed: bool,
}

/// Runs the prompt until the user ends it.
pub fn prompt(start: Start) -> ExitCode {
    let terminal = Terminal::new(None, start.options.sources.clone());
    let display = Arc::new(Display::new(terminal));
    let heard: Heard = Arc::new(AtomicBool::new(true));
    let session = match Session::with(start.options, display.sink(heard.clone()), CancelToken::new()) {
        Ok(session) => session,
        Err(d) => {
            display.terminal.diagnostic(&d);
            return ExitCode::from(2);
        }
    };
    let mut prompt = Prompt {
        current: Voiced { session, heard },
        interrupt: Interrupt::install(),
        reading: display.watched,
        display,
        limit: None,
        failed: false,
    };
    let code = match start.lines {
        Some(text) => {
            prompt.begin(start.script.as_deref());
            prompt.lines(&text);
            ExitCode::from(u8::from(prompt.failed))
        }
        None => prompt.typed(start.script.as_deref()),
    };
    // The process ends here: taking the state apart costs time that nobody gains from.
    std::mem::forget(prompt);
    code
}

impl Prompt {
    fn session(&self) -> &Session {
        &self.current.session
    }

    fn session_mut(&mut self) -> &mut Session {
        &mut self.current.session
    }

    /// Runs what stands before the first line: the startup file, then a script.
    fn begin(&mut self, script: Option<&Path>) {
        if let Some(file) = places::startup()
            && !self.load(&file, false)
        {
            self.display.remark(&format!("{} was not taken over", file.display()));
        }
        if let Some(script) = script {
            self.load(script, true);
        }
    }

    /// Lines from a text; one that goes on takes the next with it.
    fn lines(&mut self, text: &str) {
        let mut pending = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if !pending.is_empty() {
                pending.push('\n');
            }
            pending.push_str(line);
            let last = lines.peek().is_none();
            if !last && !line.trim().is_empty() && goes_on(&pending) {
                continue;
            }
            let whole = std::mem::take(&mut pending);
            if !self.enter(&whole) {
                break;
            }
        }
    }

    /// Lines from the terminal.
    fn typed(&mut self, script: Option<&Path>) -> ExitCode {
        let mut editor: Editor<Assistant, DefaultHistory> = match Editor::new() {
            Ok(editor) => editor,
            Err(e) => {
                complain(&format!("phys: the terminal cannot be used: {e}"));
                return ExitCode::from(1);
            }
        };
        let overflow = Arc::new(AtomicBool::new(false));
        let history = self.prepare(&mut editor, overflow.clone());
        self.resize(&mut editor);
        let greeting = format!("phys {}   (:help, Tab completes, Ctrl-D ends)", env!("CARGO_PKG_VERSION"));
        self.display.text(&commands::narrow(&greeting, self.display.width().saturating_sub(1)));
        self.begin(script);
        loop {
            self.resize(&mut editor);
            let (context, width) = (self.session().context.clone(), self.display.width());
            editor.set_helper(Some(Assistant::new(context, width, self.display.colour)));
            let line = editor.readline("> ");
            if overflow.swap(false, Ordering::SeqCst) {
                self.too_long();
                continue;
            }
            let line = match line {
                Ok(line) => line,
                // Ctrl-C drops the line.
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => break,
                Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => break,
                Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
                    self.fault(Diagnostic::error(
                        Code(8005),
                        None,
                        "expected UTF-8 text, found another byte",
                    ));
                    continue;
                }
                Err(e) => {
                    complain(&format!("phys: the terminal cannot be read: {e}"));
                    return ExitCode::from(1);
                }
            };
            if !line.trim().is_empty() && line.len() <= HISTORY_LINE {
                let added = editor.add_history_entry(line.trim_end()).unwrap_or(false);
                if let Some(file) = history.as_ref().filter(|_| added) {
                    // A history that can no longer be written is given up in silence.
                    let _ = editor.append_history(file);
                }
            }
            self.resize(&mut editor);
            if !self.enter(&line) {
                break;
            }
        }
        ExitCode::SUCCESS
    }

    /// Sets the editor up; where the history is kept.
    fn prepare(
        &mut self,
        editor: &mut Editor<Assistant, DefaultHistory>,
        overflow: Arc<AtomicBool>,
    ) -> Option<PathBuf> {
        // Where the history cannot be kept the prompt works without.
        let _ = editor.set_max_history_size(HISTORY);
        let _ = editor.set_history_ignore_dups(true);
        editor.set_completion_type(CompletionType::List);
        editor.set_completion_show_all_if_ambiguous(true);
        editor.set_bell_style(BellStyle::None);
        editor.set_color_mode(if self.display.colour { ColorMode::Enabled } else { ColorMode::Disabled });
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(keys::Keys::new(overflow))));
        editor.bind_sequence(KeyEvent::alt('\r'), Cmd::Newline);
        let history = places::history();
        if let Some(file) = &history {
            let _ = editor.load_history(file);
        }
        history
    }

    fn resize(&mut self, editor: &mut Editor<Assistant, DefaultHistory>) {
        if let Some((columns, rows)) = editor.dimensions() {
            self.display.resize(usize::from(columns), usize::from(rows));
        }
    }

    /// Does what one line says; whether the session goes on.
    fn enter(&mut self, line: &str) -> bool {
        if line.len() > keys::MAX_BYTES || line.matches('\n').count() > keys::MAX_LINES {
            self.too_long();
            return true;
        }
        if commands::split(line).is_some() {
            return commands::run(self, line);
        }
        if !line.trim().is_empty() {
            self.line(line);
        }
        true
    }

    fn too_long(&mut self) {
        let message = format!(
            "expected a line of at most {} bytes ({} if typed) and {} line ends, found a longer one: nothing of it was run",
            keys::MAX_BYTES,
            keys::MAX_TYPED,
            keys::MAX_LINES
        );
        self.fault(Diagnostic::error(Code(8022), None, message).hint(":load file.phys"));
    }

    /// Runs a line of code and shows what it gives.
    fn line(&mut self, text: &str) {
        if self.reading {
            for reading in readings(text) {
                self.display.remark(&format!("= {reading}"));
            }
        }
        let (display, heard) = (self.display.clone(), self.current.heard.clone());
        let text = text.to_string();
        let line = self.attend(move |session| {
            let style = session.context.style.clone();
            session.line_with(&text, &mut |value, visible, number| {
                if visible && heard.load(Ordering::SeqCst) {
                    display.value(value, &style, Some(number));
                }
            })
        });
        self.told(line.map(|l| (l.status, l.diagnostics.iter().any(Diagnostic::is_error))));
    }

    /// Runs a file within the session; whether it was taken over.
    fn load(&mut self, file: &Path, shown: bool) -> bool {
        let (name, text, folder) = match read_file(file) {
            Ok(script) => script,
            Err(d) => {
                self.fault(*d);
                return false;
            }
        };
        let (display, heard) = (self.display.clone(), self.current.heard.clone());
        let line = self.attend(move |session| {
            let style = session.context.style.clone();
            session.text(&name, &text, &folder, &mut |value, visible, number| {
                if visible && shown && heard.load(Ordering::SeqCst) {
                    display.value(value, &style, Some(number));
                }
            })
        });
        let done = line.as_ref().is_some_and(|l| l.status == Status::Done);
        self.told(line.map(|l| (l.status, l.diagnostics.iter().any(Diagnostic::is_error))));
        done
    }

    /// Says how a line ended, where its diagnostics have not.
    fn told(&mut self, ended: Option<(Status, bool)>) {
        match ended {
            Some((Status::Interrupted, false)) => {
                self.display.remark("interrupted: what was found so far is kept");
            }
            Some((Status::Faulty | Status::Failed, _)) | None => self.failed = true,
            Some(_) => {}
        }
    }

    /// Does some work on the session on a thread of its own; `None` where it was lost, which has been told.
    fn attend<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Option<T> {
        let heard: Heard = Arc::new(AtomicBool::new(true));
        let copy = self.session().backup(self.display.sink(heard.clone()), CancelToken::new());
        let copy = Voiced { session: copy, heard };
        let ended = attend(&mut self.current, copy, &self.interrupt, self.limit, work);
        self.display.terminal.clear();
        let lost = match ended {
            Ok(result) => return Some(result),
            Err(lost) => lost,
        };
        let d = match lost {
            Lost::GivenUp => Diagnostic::error(Code(8023), None, "the line did not stop and was given up"),
            Lost::TimedOut => Diagnostic::error(
                Code(8023),
                None,
                "the time limit is over; the line did not stop and was given up",
            ),
            Lost::Broken(words) => Diagnostic::error(Code(7001), None, format!("internal error: {words}")),
        };
        self.fault(d.hint("the session is as it was before the line"));
        None
    }

    /// Tells a fault of the prompt's own.
    fn fault(&mut self, d: Diagnostic) {
        self.failed = true;
        self.display.terminal.diagnostic(&d);
    }

    /// Begins anew, with the same options.
    fn reset(&mut self) {
        let heard: Heard = Arc::new(AtomicBool::new(true));
        let context = &self.session().context;
        let options = Options {
            seed: context.seed,
            threads: context.threads,
            digits: context.style.digits,
            sources: self.session().sources().clone(),
            ..Options::default()
        };
        match Session::with(options, self.display.sink(heard.clone()), CancelToken::new()) {
            Ok(session) => self.current = Voiced { session, heard },
            Err(d) => self.fault(*d),
        }
    }
}
