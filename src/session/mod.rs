//! Layer 7: one session: sources, bindings, history. A script is checked as a whole before anything runs; a failed
//! line of the prompt leaves the session as it was, and so does a panic, which is reported as the bug it is.

mod error;

pub use error::CODES;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{CancelToken, Code, Diagnostic, EventSink, Source};
use crate::language::library::LoadError;
use crate::language::render;
use crate::language::{Context, Library, Value};
use crate::syntax::tree::Tree;

/// Stack of the thread that evaluates; pages are used only where the depth needs them.
const STACK: usize = 1 << 29;

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything ran.
    Done,
    /// Faults were found before anything ran.
    Faulty,
    /// A check or a computation failed.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

/// What became of a line.
#[derive(Debug)]
pub struct Line {
    /// The value of its last bare expression, unless hidden by `;`.
    pub shown: Vec<String>,
    /// The last value, shown or not.
    pub value: Option<Value>,
    /// How it ended.
    pub status: Status,
    /// Faults, warnings, notices.
    pub diagnostics: Vec<Diagnostic>,
}

/// A session.
pub struct Session {
    /// What evaluation needs and changes.
    pub context: Context,
    lines: usize,
}

/// The values of a script's bare expressions, in order.
pub type Shown<'a> = &'a mut dyn FnMut(&Value, bool);

impl Session {
    /// A session over the embedded library, files under `PHYS_PATH` before it.
    pub fn new(events: EventSink, cancel: CancelToken) -> Result<Session, LoadError> {
        let shadow = std::env::var_os("PHYS_PATH").map(PathBuf::from);
        let library = Library::load(shadow.as_deref())?;
        Ok(Session { context: Context::new(library, events, cancel), lines: 0 })
    }

    /// Parses and checks a text. Errors among the diagnostics mean that it must not run.
    pub fn check(&mut self, name: &str, text: &str) -> (Arc<Tree>, Vec<Diagnostic>) {
        let source = self.context.add_source(name, text);
        let parsed = crate::syntax::parse(&source);
        let mut diagnostics = parsed.diagnostics;
        let tree = Arc::new(parsed.tree);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.extend(self.context.check_tree(&tree));
        }
        (tree, diagnostics)
    }

    /// Checks and runs a script; `shown` is told the value of each bare expression and whether it is to be seen.
    pub fn run(
        &mut self,
        name: &str,
        text: &str,
        folder: &Path,
        shown: Shown<'_>,
    ) -> (Status, Vec<Diagnostic>) {
        self.context.folder = folder.to_path_buf();
        let (tree, mut diagnostics) = self.check(name, text);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return (Status::Faulty, diagnostics);
        }
        let context = &mut self.context;
        let ran = catch_unwind(AssertUnwindSafe(|| -> Result<(), Box<Diagnostic>> {
            for statement in &tree.statements {
                if let Some(value) = context.execute(&tree, statement)? {
                    shown(&value, !statement.quiet && !matches!(value, Value::Nothing));
                }
            }
            Ok(())
        }));
        let status = match ran {
            Ok(Ok(())) => Status::Done,
            Ok(Err(d)) => {
                let interrupted = d.code == Code(6050);
                diagnostics.push(*d);
                if interrupted { Status::Interrupted } else { Status::Failed }
            }
            Err(panic) => {
                diagnostics.push(error::bug(&*panic));
                Status::Failed
            }
        };
        (status, diagnostics)
    }

    /// Whether a text ends inside something that goes on.
    pub fn is_incomplete(text: &str) -> bool {
        crate::syntax::parse(&Source::new(0, "", text)).incomplete
    }

    /// Runs a line of the prompt. `ans` is the last value.
    pub fn line(&mut self, text: &str) -> Line {
        self.lines += 1;
        let before = self.context.clone();
        let name = format!("<prompt {}>", self.lines);
        let folder = self.context.folder.clone();
        let mut values: Vec<(Value, bool)> = Vec::new();
        let (status, diagnostics) =
            self.run(&name, text, &folder, &mut |v, visible| values.push((v.clone(), visible)));
        let style = self.context.style.clone();
        let shown = values.iter().filter(|(_, s)| *s).map(|(v, _)| render::line(v, &style)).collect();
        let value = values.pop().map(|(v, _)| v);
        if status != Status::Done {
            // What was bound before the failure goes too; texts and counters stay, for messages.
            let (sources, next) = (self.context.sources.clone(), self.context.sources.len());
            self.context = before;
            self.context.adopt_sources(sources, next as u32);
        } else if let Some(v) = value.as_ref().filter(|v| !matches!(v, Value::Nothing)) {
            self.context.globals.insert("ans".into(), v.plain().clone());
        }
        Line { shown, value, status, diagnostics }
    }
}

/// Runs `work` on a thread with a stack for deep expressions.
pub fn on_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    std::thread::Builder::new()
        .name("phys".into())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|e| e.to_string())?
        .join()
        .map_err(|_| "the evaluation ended in a panic: this is a bug".to_string())
}
