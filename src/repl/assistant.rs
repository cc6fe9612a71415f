//! What the editor asks while a line is typed: whether it goes on, how a word could end, what the history or the call at
//! the cursor suggests, and its colours. It looks at a copy of the session's context and changes nothing.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

use rustyline::Helper;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};

use super::colour;
use super::commands;
use crate::language::Context;
use crate::language::value::{Function, Value};
use crate::session::{Completion, Session, complete, signature};

/// The editor's helper.
pub struct Assistant {
    context: Context,
    functions: HashSet<String>,
    history: HistoryHinter,
    width: usize,
    colour: bool,
    at: Cell<Option<usize>>,
}

impl Assistant {
    /// A helper over a copy of the context, for a terminal of this width.
    pub fn new(context: Context, width: usize, colour: bool) -> Assistant {
        let mut functions: HashSet<String> = context.library.function_names().map(str::to_string).collect();
        for (name, value) in &context.globals {
            match value {
                Value::Function(Function::User(_) | Function::Builtin(_)) => {
                    functions.insert(name.to_string())
                }
                _ => functions.remove(&**name),
            };
        }
        Assistant { context, functions, history: HistoryHinter::new(), width, colour, at: Cell::new(None) }
    }
}

impl Helper for Assistant {}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let goes_on = goes_on(text);
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

/// Whether a text goes on in the next line: something is open, or its last line documents what comes below. Two line ends
/// in a row give up on it: its fault is told.
pub fn goes_on(text: &str) -> bool {
    let code = match commands::split(text) {
        Some((command, rest)) if commands::takes_code(command) => rest,
        Some(_) => return false,
        None => text,
    };
    let documents = code.lines().next_back().is_some_and(|l| l.trim_start().starts_with("##"));
    code.len() <= super::keys::MAX_BYTES
        && !text.ends_with("\n\n")
        && (documents && !text.ends_with('\n') || Session::is_incomplete(code))
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = self.endings(line, at);
        let pairs = found.candidates.into_iter().map(|c| Pair { display: c.label, replacement: c.text });
        Ok((found.start, pairs.collect()))
    }
}

impl Assistant {
    fn endings(&self, line: &str, at: usize) -> Completion {
        if let Some(found) = commands::complete_line(&self.context, line, at) {
            return found;
        }
        let mut found = complete(&self.context, line, at);
        // What closes a string or index may stand there already.
        let behind = &line[at..];
        for c in &mut found.candidates {
            for close in ["\"]", "\""] {
                if let Some(open) = c.text.strip_suffix(close)
                    && behind.starts_with('"')
                {
                    c.text = open.to_string();
                    break;
                }
            }
        }
        found
    }
}

/// What stands behind the cursor in grey.
pub struct Suggestion {
    shown: String,
    /// What the right arrow puts in.
    taken: Option<String>,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.as_deref()
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    fn hint(&self, line: &str, at: usize, context: &rustyline::Context<'_>) -> Option<Suggestion> {
        // Without colours a suggestion could be taken for what was typed.
        if !self.colour || line.is_empty() || at < line.len() || line.len() > 2_000 {
            return None;
        }
        let used = unicode_width::UnicodeWidthStr::width(line.rsplit('\n').next().unwrap_or("")) + 2;
        let room = self.width.saturating_sub(used + 1);
        if let Some(rest) = self.history.hint(line, at, context)
            && !rest.contains('\n')
            && rest.chars().count() <= room
        {
            return Some(Suggestion { shown: rest.clone(), taken: Some(rest) });
        }
        let call = signature(&self.context, line, at)?;
        let text = format!("   {call}");
        let shown = if text.chars().count() <= room { text } else { shortened(&text, room)? };
        Some(Suggestion { shown, taken: None })
    }
}

/// The first columns of a text, or nothing where that says nothing.
fn shortened(text: &str, room: usize) -> Option<String> {
    (room >= 16).then(|| text.chars().take(room - 3).chain("...".chars()).collect())
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.colour || line.len() > colour::MAX {
            return Cow::Borrowed(line);
        }
        Cow::Owned(colour::line(line, self.at.get(), &self.functions))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour { Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, line: &str, at: usize, kind: CmdKind) -> bool {
        let marks = kind != CmdKind::ForcedRefresh;
        self.at.set(Some(at).filter(|_| marks));
        self.colour && line.len() <= colour::MAX
    }
}
