//! Layer 7: a session. It owns the state of an evaluation, checks a text before it runs it, and survives what fails: a
//! line that fails leaves everything as it was, and a panic (a bug) is reported like any other fault.
//!
//! Text and progress reach the listener at once; diagnostics after each statement, when every source they point into
//! is in [`Sources`].

pub mod complete;
pub mod cursor;
pub mod describe;
mod glyphs;
mod program;
pub mod reading;
pub mod record;
mod sources;
mod worker;

pub use complete::{Candidate, Completion, complete, signature};
pub use describe::{Definition, Piece};
pub use program::{Program, UsedFile, survey};
pub use reading::readings;
pub use sources::Sources;
pub use worker::{Work, on_worker, start};

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::{CancelToken, Code, Diagnostic, Event, EventSink, Source, Span, StopReason};
use crate::language::library::FIRST_LIBRARY_SOURCE;
use crate::language::{Context, Library, Value, overrides, render};
use crate::syntax::tree::Tree;

/// What the codes of this layer mean (`phys explain`).
pub const CODES: &[(u16, &str, &str)] = &[(
    7001,
    "internal error",
    "phys itself went wrong: this is a bug, not a fault of the program. What was bound before the statement is kept at the prompt. Please report the statement with the message.",
)];

/// How a session starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The root seed.
    pub seed: u64,
    /// Threads that searches may use; 0 for all.
    pub threads: usize,
    /// Significant digits of floats in what is shown; 6 where not given.
    pub digits: Option<usize>,
    /// Whether what calls say under `smoke:` replaces their options.
    pub smoke: bool,
    /// Options to set, as `name.option=value`.
    pub set: Vec<String>,
    /// Where the sources go that diagnostics point into.
    pub sources: Sources,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Everything ran.
    Done,
    /// Faults were found before anything ran.
    Faulty,
    /// A check or a computation failed.
    Failed,
    /// Stopped from outside; what was found so far is kept.
    Interrupted,
}

/// What became of a line of the prompt.
#[derive(Debug)]
pub struct Line {
    /// What its bare expressions show, those hidden by `;` left out.
    pub shown: Vec<String>,
    /// The last value, shown or not.
    pub value: Option<Value>,
    /// How it ended.
    pub status: Status,
    /// Faults, warnings, notices; they have also been sent to the listener.
    pub diagnostics: Vec<Diagnostic>,
}

/// Is told the value of each bare expression and whether it is to be seen.
pub type Shown<'a> = &'a mut dyn FnMut(&Value, bool);

/// As [`Shown`], with the number of the value in `out` of the prompt.
pub type Numbered<'a> = &'a mut dyn FnMut(&Value, bool, usize);

/// Values that `out` keeps: more are numbered no further.
const MAX_OUT: usize = 10_000;

/// The state of one user's work. It is `Send`; run it on a thread with a large stack ([`on_worker`]).
pub struct Session {
    /// What evaluation needs and changes.
    pub context: Context,
    sources: Sources,
    events: EventSink,
    pending: Pending,
    lines: usize,
    set: Vec<String>,
    /// Values of bare expressions, in order: `out` of the prompt.
    outputs: Vec<Value>,
    /// What was bound to `out` last, to tell it from a binding of the user.
    bound_out: Option<Arc<Vec<Value>>>,
    /// What was typed for each name.
    definitions: BTreeMap<String, Definition>,
    /// Lines that ran.
    entries: Vec<record::Entry>,
}

/// Diagnostics that wait until their sources are known.
type Pending = Arc<Mutex<Vec<Diagnostic>>>;

/// The sink a context gets.
fn waiting_sink(events: &EventSink, pending: &Pending) -> EventSink {
    let (events, pending) = (events.clone(), pending.clone());
    EventSink::new(move |event| match event {
        Event::Diagnostic(d) => {
            let mut list = pending.lock().unwrap_or_else(PoisonError::into_inner);
            // A loop says the same thing many times.
            if !list.contains(&d) {
                list.push(d);
            }
        }
        other => events.send(other),
    })
}

impl Session {
    /// A session over the standard library, files under `PHYS_PATH` before the embedded ones.
    ///
    /// # Errors
    /// The first fault of the library, where a shadowing file has one.
    pub fn new(events: EventSink, cancel: CancelToken) -> Result<Session, Box<Diagnostic>> {
        Session::with(Options::default(), events, cancel)
    }

    /// A session with options. Text and progress go to `events` at once, diagnostics when their sources are in
    /// `options.sources`.
    ///
    /// # Errors
    /// As [`Session::new`]; the source of the fault is in `options.sources`.
    pub fn with(
        options: Options,
        events: EventSink,
        cancel: CancelToken,
    ) -> Result<Session, Box<Diagnostic>> {
        let shadow = std::env::var_os("PHYS_PATH").filter(|p| !p.is_empty()).map(PathBuf::from);
        let library = Library::load(shadow.as_deref()).map_err(|error| {
            let (diagnostic, source) = *error;
            options.sources.insert(source);
            Box::new(diagnostic)
        })?;
        let pending = Pending::default();
        let mut context = Context::new(library, waiting_sink(&events, &pending), cancel);
        context.seed = options.seed;
        context.threads = options.threads;
        context.smoke = options.smoke;
        if options.digits.is_some() {
            context.style.digits = options.digits;
        }
        Ok(Session {
            context,
            sources: options.sources,
            events,
            pending,
            lines: 0,
            outputs: Vec::new(),
            bound_out: None,
            definitions: BTreeMap::new(),
            entries: Vec::new(),
            set: options.set,
        })
    }

    /// A copy with its own listener, token and sources; what was read of the library is shared.
    pub fn fork(&self, events: EventSink, cancel: CancelToken) -> Session {
        let pending = Pending::default();
        let mut context = self.context.clone();
        context.events = waiting_sink(&events, &pending);
        context.cancel = cancel;
        Session {
            context,
            sources: Sources::default(),
            events,
            pending,
            lines: self.lines,
            outputs: self.outputs.clone(),
            bound_out: self.bound_out.clone(),
            definitions: self.definitions.clone(),
            entries: self.entries.clone(),
            set: self.set.clone(),
        }
    }

    /// A copy with its own listener and token that shares the sources, to go on from if this one is lost.
    pub fn backup(&self, events: EventSink, cancel: CancelToken) -> Session {
        Session { sources: self.sources.clone(), ..self.fork(events, cancel) }
    }

    /// Takes over from a copy what it read of the library and nothing else.
    pub fn learn(&mut self, other: &Session) {
        if self.context.rules.is_none() && other.context.own_rules.is_empty() {
            self.context.rules = other.context.rules.clone();
        }
    }

    /// The sources that diagnostics point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Parses and checks a text, with its paths relative to the context's folder and the options that were set put into
    /// its calls. Errors among the diagnostics mean
    /// that it must not run.
    pub fn check(&mut self, name: &str, text: &str) -> (Arc<Tree>, Vec<Diagnostic>) {
        let source = self.context.add_source(name, text);
        self.sources.insert(source.clone());
        let (context, set) = (&mut self.context, &self.set);
        let read = catch_unwind(AssertUnwindSafe(|| {
            let parsed = crate::syntax::parse(&source);
            let (mut tree, mut diagnostics) = (parsed.tree, parsed.diagnostics);
            if !diagnostics.iter().any(Diagnostic::is_error) {
                let read: Result<Vec<_>, _> = set.iter().map(|o| overrides::read(context, o)).collect();
                let done = read.and_then(|set| overrides::apply(context, &mut tree, &set));
                diagnostics.extend(done.err().map(|d| *d));
            }
            let tree = Arc::new(tree);
            if !diagnostics.iter().any(Diagnostic::is_error) {
                diagnostics.extend(context.check_tree(&tree));
            }
            (tree, diagnostics)
        }));
        self.sources.update(&self.context.sources);
        read.unwrap_or_else(|payload| (Arc::default(), vec![*bug(&*payload, Span::new(source.id, 0, 0))]))
    }

    /// Checks a script and, where there is no fault, runs it. Relative paths start at `folder`. The diagnostics that
    /// come back have also been sent to the listener, in their order.
    pub fn run(
        &mut self,
        name: &str,
        text: &str,
        folder: &Path,
        shown: Shown<'_>,
    ) -> (Status, Vec<Diagnostic>) {
        let (tree, mut told) = self.prepare(name, text, folder);
        let Some(tree) = tree else { return (Status::Faulty, told) };
        let status = self.perform(&tree, shown, &mut told);
        (status, told)
    }

    /// Checks a script, its paths relative to `folder`, and tells what was found; the tree comes back where it may run
    /// ([`Session::perform`]).
    pub fn prepare(&mut self, name: &str, text: &str, folder: &Path) -> (Option<Arc<Tree>>, Vec<Diagnostic>) {
        self.context.folder = folder.to_path_buf();
        let (tree, found) = self.check(name, text);
        let faulty = found.iter().any(Diagnostic::is_error);
        let mut told = Vec::new();
        self.tell(&mut told, found);
        ((!faulty).then_some(tree), told)
    }

    /// Runs a script that was found to be without fault; what it tells is added to `told`.
    pub fn perform(&mut self, tree: &Arc<Tree>, shown: Shown<'_>, told: &mut Vec<Diagnostic>) -> Status {
        match self.execute(tree, shown, told, None) {
            Ok(()) if self.context.cancel.is_cancelled() => Status::Interrupted,
            Ok(()) => Status::Done,
            Err(error) => {
                let interrupted = error.code == Code(6050);
                self.tell(told, vec![*error]);
                if interrupted { Status::Interrupted } else { Status::Failed }
            }
        }
    }

    /// Runs a line of the prompt: `ans` is the last value, and where the line fails everything is as it was before.
    pub fn line(&mut self, text: &str) -> Line {
        let style = self.context.style.clone();
        let mut shown = Vec::new();
        let mut line = self.line_with(text, &mut |v, visible, _| {
            // A figure was drawn by who listens.
            if visible && !matches!(v.plain(), Value::Figure(_)) {
                shown.push(render::line(v, &style));
            }
        });
        line.shown = shown;
        line
    }

    /// Runs a line of the prompt and tells every value as soon as it is there.
    pub fn line_with(&mut self, text: &str, shown: Numbered<'_>) -> Line {
        self.lines += 1;
        let name = format!("<prompt {}>", self.lines);
        let folder = self.context.folder.clone();
        self.text(&name, text, &folder, shown)
    }

    /// Runs a text within the session, as a line of the prompt: a file that is loaded, with its paths relative to its
    /// folder. What failed leaves everything as it was; what was interrupted, or ran out of time, keeps what its finished
    /// statements gave.
    pub fn text(&mut self, name: &str, text: &str, folder: &Path, shown: Numbered<'_>) -> Line {
        let before = self.context.clone();
        let first = self.outputs.len();
        self.context.folder = folder.to_path_buf();
        let (tree, found) = self.check(name, text);
        let faulty = found.iter().any(Diagnostic::is_error);
        let mut told = Vec::new();
        self.tell(&mut told, found);
        let mut line = Line { shown: Vec::new(), value: None, status: Status::Faulty, diagnostics: told };
        if faulty {
            self.roll_back(before, first);
            return line;
        }
        let mut values: Vec<Value> = Vec::new();
        let mut finished = (self.context.clone(), 0);
        let mut ran = text.len();
        let ended = self.execute(
            &tree,
            &mut |value, visible| {
                shown(value, visible, first + values.len());
                values.push(value.clone());
            },
            &mut line.diagnostics,
            Some(&mut finished),
        );
        line.status = match ended {
            Ok(()) if self.context.cancel.is_cancelled() => Status::Interrupted,
            Ok(()) => Status::Done,
            Err(error) => {
                let (code, partial) = (error.code, finished.1 > 0);
                self.tell(&mut line.diagnostics, vec![*error]);
                match code {
                    Code(6050 | 6051) if partial => {
                        self.roll_back(finished.0, first);
                        ran = tree.statements.get(finished.1 - 1).map_or(0, |s| s.span.end as usize);
                        Status::Interrupted
                    }
                    Code(6050) => {
                        self.roll_back(before, first);
                        return Line { status: Status::Interrupted, ..line };
                    }
                    _ => {
                        self.roll_back(before, first);
                        return Line { status: Status::Failed, ..line };
                    }
                }
            }
        };
        self.context.folder = before.folder.clone();
        line.value = values.last().cloned();
        self.accept(name, text.get(..ran).unwrap_or(text), first, values);
        line
    }

    /// Takes over what a line gave: `ans`, `out`, its text and its definitions.
    fn accept(&mut self, name: &str, text: &str, first: usize, values: Vec<Value>) {
        self.entries.push(record::Entry { text: text.to_string(), first });
        self.definitions.extend(describe::definitions(text, name));
        let last = values.iter().rev().find(|v| !matches!(v, Value::Nothing)).cloned();
        let room = MAX_OUT.saturating_sub(self.outputs.len());
        self.outputs.extend(values.into_iter().take(room));
        let Some(last) = last else { return };
        let context = &mut self.context;
        if !context.is_declared("ans") && !context.constants.contains("ans") {
            context.globals.insert("ans".into(), last);
        }
        let own = match (context.globals.get("out"), &self.bound_out) {
            (None, _) => true,
            (Some(Value::List(bound)), Some(ours)) => Arc::ptr_eq(bound, ours),
            _ => false,
        };
        if own && !context.is_declared("out") && !context.constants.contains("out") {
            let list = Arc::new(self.outputs.clone());
            context.globals.insert("out".into(), Value::List(list.clone()));
            self.bound_out = Some(list);
        }
    }

    /// Goes back to a context of before; texts and what was read of the library stay.
    fn roll_back(&mut self, before: Context, outputs: usize) {
        let failed = std::mem::replace(&mut self.context, before);
        self.outputs.truncate(outputs);
        if self.context.own_rules.len() == failed.own_rules.len() {
            self.context.rules = failed.rules;
        }
        // Texts and their numbers stay, for messages.
        let next =
            failed.sources.keys().filter(|id| **id < FIRST_LIBRARY_SOURCE).max().map_or(0, |id| id + 1);
        self.context.adopt_sources(failed.sources, next);
    }

    /// The values of bare expressions so far.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    /// The lines that ran, as a script that runs again.
    pub fn script(&self) -> String {
        record::script(&self.entries)
    }

    /// Runs a text again and again on copies of the session and returns the time of each run: at least three runs, then
    /// until `budget` is spent. Reading and checking are not timed.
    ///
    /// # Errors
    /// The text is faulty or a run failed; the diagnostics have been sent.
    pub fn bench(&mut self, text: &str, budget: Duration) -> Result<Vec<Duration>, Status> {
        const MOST: usize = 100_000;
        let before = self.context.clone();
        let (tree, found) = self.check("<bench>", text);
        let faulty = found.iter().any(Diagnostic::is_error);
        let mut told = Vec::new();
        self.tell(&mut told, found);
        // What is printed or drawn is so once only, when the line itself is run.
        self.context.events = EventSink::none();
        let mut times = Vec::new();
        let mut status = if faulty { Status::Faulty } else { Status::Done };
        let start = Instant::now();
        while status == Status::Done && times.len() < MOST && (times.len() < 3 || start.elapsed() < budget) {
            let fresh = self.context.clone();
            let began = Instant::now();
            let ended = self.execute(&tree, &mut |_, _| {}, &mut told, None);
            times.push(began.elapsed());
            self.context = fresh;
            if let Err(error) = ended {
                status = if error.code == Code(6050) { Status::Interrupted } else { Status::Failed };
                self.tell(&mut told, vec![*error]);
            }
            if self.context.cancel.stop().is_some() {
                status = Status::Interrupted;
            }
        }
        let outputs = self.outputs.len();
        self.roll_back(before, outputs);
        if status == Status::Done { Ok(times) } else { Err(status) }
    }

    /// Whether a text ends inside something that goes on.
    pub fn is_incomplete(text: &str) -> bool {
        crate::syntax::parse(&Source::new(0, "", text)).incomplete
    }

    fn execute(
        &mut self,
        tree: &Arc<Tree>,
        shown: Shown<'_>,
        told: &mut Vec<Diagnostic>,
        mut finished: Option<&mut (Context, usize)>,
    ) -> Result<(), Box<Diagnostic>> {
        for (count, statement) in tree.statements.iter().enumerate() {
            if let Some(state) = &mut finished
                && count > 0
            {
                **state = (self.context.clone(), count);
            }
            let context = &mut self.context;
            let done = catch_unwind(AssertUnwindSafe(|| {
                if let Some(value) = context.execute(tree, statement)? {
                    let visible = !statement.quiet && !matches!(value, Value::Nothing);
                    if let (true, Value::Figure(f)) = (visible, value.plain()) {
                        context.events.send(Event::Figure(f.clone()));
                    }
                    shown(&value, visible);
                }
                Ok(())
            }));
            let waiting = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
            self.tell(told, waiting);
            done.unwrap_or_else(|payload| Err(bug(&*payload, statement.span)))?;
        }
        Ok(())
    }

    /// Sends diagnostics, each once, and keeps them.
    fn tell(&self, told: &mut Vec<Diagnostic>, diagnostics: Vec<Diagnostic>) {
        if diagnostics.is_empty() {
            return;
        }
        self.sources.update(&self.context.sources);
        for d in diagnostics {
            if !told.contains(&d) {
                self.events.send(Event::Diagnostic(d.clone()));
                told.push(d);
            }
        }
    }
}

/// Why a run was stopped from outside, if it was.
pub fn stopped(diagnostics: &[Diagnostic]) -> Option<StopReason> {
    diagnostics.iter().find_map(|d| match d.code {
        Code(6050) => Some(StopReason::Cancelled),
        Code(6051) => Some(StopReason::Time),
        _ => None,
    })
}

/// A panic as a diagnostic.
fn bug(payload: &(dyn Any + Send), span: Span) -> Box<Diagnostic> {
    let words = payload
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into());
    let d = Diagnostic::error(Code(7001), span, format!("internal error: {words}"));
    Box::new(d.hint("this is a bug of phys: please report it with the statement"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(EventSink::none(), CancelToken::new()).unwrap()
    }

    #[test]
    fn a_failed_line_leaves_the_session_as_it_was() {
        let mut s = session();
        assert_eq!(s.line("x = 3").status, Status::Done);
        assert_eq!(s.line("x + 1").shown, ["4"]);
        assert_eq!(s.line("x = 5; [1][7]").status, Status::Failed);
        assert_eq!(s.line("x").shown, ["3"]);
        assert_eq!(s.line("y = (").status, Status::Faulty);
        assert_eq!(s.line("ans*2").shown, ["6"]);
    }

    #[test]
    fn a_session_is_send_and_its_copies_are_independent() {
        fn send<T: Send>(_: &T) {}
        let s = session();
        send(&s);
        let mut a = s.fork(EventSink::none(), CancelToken::new());
        let mut b = s.fork(EventSink::none(), CancelToken::new());
        a.line("x = 3");
        assert_eq!(b.line("x").shown, ["x"]);
    }

    #[test]
    fn a_token_stops_a_line() {
        let token = CancelToken::new();
        token.cancel();
        let line = session().fork(EventSink::none(), token).line("1 + 1");
        assert_eq!(line.status, Status::Interrupted);
        assert_eq!(stopped(&line.diagnostics), Some(StopReason::Cancelled));
    }

    #[test]
    fn every_diagnostic_is_told_once_with_its_source() {
        let (sink, events) = EventSink::collect();
        let sources = Sources::default();
        let options = Options { sources: sources.clone(), ..Options::default() };
        let mut s = Session::with(options, sink, CancelToken::new()).unwrap();
        let text = "F = m*a\nfor k in 1..3 { m = k }\n1/0\n";
        let (status, told) = s.run("<text>", text, Path::new(""), &mut |_, _| {});
        assert_eq!(status, Status::Failed);
        let events = events.lock().unwrap();
        let sent: Vec<_> =
            events.iter().filter_map(|e| if let Event::Diagnostic(d) = e { Some(d) } else { None }).collect();
        assert_eq!(sent, told.iter().collect::<Vec<_>>());
        assert!(told.iter().all(|d| d.span.is_some_and(|s| sources.get(s.source).is_some())));
    }

    #[test]
    fn unfinished_lines_are_told_from_faulty_ones() {
        for text in ["f(", "x = ", "[1,", "if a {"] {
            assert!(Session::is_incomplete(text), "{text}");
        }
        for text in ["1 + 1", ")", "x = )", ""] {
            assert!(!Session::is_incomplete(text), "{text}");
        }
    }

    #[test]
    fn a_panic_is_a_fault_with_its_words() {
        let payload = catch_unwind(|| std::panic::panic_any("words".to_string())).unwrap_err();
        let d = bug(&*payload, Span::default());
        assert!(d.is_error() && d.message.ends_with("words"));
    }
}
