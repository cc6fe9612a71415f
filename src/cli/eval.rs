//! `phys eval --lines`: one line of phys in, one JSON object out, in order. Each line starts from a fresh prelude
//! within its own time limit. A line that neither ends nor asks for the time is given up with its thread.

use std::io::BufRead;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::terminal::{Terminal, say};
use super::{exit, interruptible, json, session};
use crate::base::{CancelToken, Code, Diagnostic, EventSink, Span, StopReason};
use crate::language::Value;
use crate::session::{Options, Session, Status, on_worker, stopped};

/// How long past its limit a line is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// How often the line being answered is looked at.
const WATCH: Duration = Duration::from_millis(100);

/// Answers every line of standard input. The rules are read before the first line, so that no line pays for them.
pub(super) fn lines(limit: f64) -> ExitCode {
    let limit = Duration::from_secs_f64(limit);
    let options = Options::default();
    let terminal = Terminal::new(None, options.sources.clone());
    let cancel = interruptible();
    let mut fresh = match session(&terminal, options, &cancel) {
        Ok(session) => session,
        Err(code) => return code,
    };
    if let Err(d) = fresh.context.rules(Span::default()) {
        terminal.diagnostic(&d);
        return exit(Status::Faulty);
    }
    let shared = Arc::new(Shared::default());
    Worker::start(&fresh, 0, limit, &cancel, &shared);
    let mut state = lock(&shared.state);
    loop {
        if cancel.is_cancelled() && state.line.is_none() {
            return exit(Status::Interrupted);
        }
        if let Some(end) = state.end.take() {
            drop(state);
            std::mem::forget(fresh);
            return match end {
                Ok(()) => exit(Status::Done),
                Err(d) => {
                    terminal.diagnostic(&d);
                    exit(Status::Failed)
                }
            };
        }
        let lost = state.line.as_ref().is_some_and(|(_, start)| start.elapsed() > limit + GRACE);
        if lost && let Some((line, _)) = state.line.take() {
            let d = Diagnostic::error(Code(6051), None, "the time limit is over");
            say(&failure(&line, &d, 1, limit.as_secs_f64(), Some(StopReason::Time)).to_string());
            state.worker += 1;
            Worker::start(&fresh, state.worker, limit, &cancel, &shared);
        }
        state = shared.changed.wait_timeout(state, WATCH).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// What the threads that answer and the one that watches them share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the worker that may speak; one that was given up may not.
    worker: usize,
    /// The line being answered, and since when.
    line: Option<(String, Instant)>,
    /// The end of the input, or why it cannot be read.
    end: Option<Result<(), Diagnostic>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that reads and answers lines.
struct Worker {
    fresh: Session,
    number: usize,
    limit: Duration,
    cancel: CancelToken,
    shared: Arc<Shared>,
}

impl Worker {
    fn start(fresh: &Session, number: usize, limit: Duration, cancel: &CancelToken, shared: &Arc<Shared>) {
        let fresh = fresh.fork(EventSink::none(), CancelToken::new());
        let mut worker = Worker { fresh, number, limit, cancel: cancel.clone(), shared: shared.clone() };
        std::thread::spawn(move || {
            let (shared, number) = (worker.shared.clone(), worker.number);
            let end = on_worker(move || worker.answer_all())
                .unwrap_or_else(|words| Err(Diagnostic::error(Code(7001), None, words)));
            let mut state = lock(&shared.state);
            if state.worker == number {
                state.end = Some(end);
                shared.changed.notify_all();
            }
        });
    }

    fn answer_all(&mut self) -> Result<(), Diagnostic> {
        while let Some(read) = next_line()? {
            let line = match read {
                Ok(line) => line,
                Err(answer) => {
                    say(&answer);
                    continue;
                }
            };
            let start = Instant::now();
            lock(&self.shared.state).line = Some((line.clone(), start));
            let answer = answer(&mut self.fresh, &line, self.cancel.with_deadline(start + self.limit));
            let mut state = lock(&self.shared.state);
            if state.worker != self.number {
                break;
            }
            state.line = None;
            say(&answer.to_string());
            if self.cancel.is_cancelled() {
                self.shared.changed.notify_all();
                break;
            }
        }
        Ok(())
    }
}

/// The next line of standard input without its end; a line that is not UTF-8 is its answer.
fn next_line() -> Result<Option<Result<String, String>>, Diagnostic> {
    let mut bytes = Vec::new();
    match std::io::stdin().lock().read_until(b'\n', &mut bytes) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(e) => {
            let words = format!("standard input cannot be read: {e}");
            return Err(Diagnostic::error(Code(8001), None, words));
        }
    }
    while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(Some(String::from_utf8(bytes).map_err(|e| {
        let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        let d = Diagnostic::error(Code(8005), None, "expected UTF-8 text, found another byte");
        failure(&String::from_utf8_lossy(e.as_bytes()), &d, column, 0.0, None).to_string()
    })))
}

fn answer(fresh: &mut Session, line: &str, cancel: CancelToken) -> Json {
    let start = Instant::now();
    let mut session = fresh.fork(EventSink::none(), cancel);
    let mut last: Option<Value> = None;
    let (status, diagnostics) = session.run("<line>", line, std::path::Path::new(""), &mut |value, _| {
        if !matches!(value, Value::Nothing) {
            last = Some(value.clone());
        }
    });
    // The forms of the value are part of the answer, and so is their time.
    let forms = last.as_ref().filter(|_| status == Status::Done).map(json::fields);
    let seconds = start.elapsed().as_secs_f64();
    fresh.learn(&session);
    let error = diagnostics.iter().rev().find(|d| d.is_error());
    if let Some(d) = error {
        let column = d.span.and_then(|s| Some(session.sources().get(s.source)?.line_column(s.start).1));
        return failure(line, d, column.unwrap_or(1), seconds, stopped(&diagnostics));
    }
    let mut answer = head(line, true);
    match forms {
        Some(mut forms) => answer.append(&mut forms),
        None => empty(&mut answer),
    }
    tail(answer, seconds, last.as_ref().and_then(stop_of), Json::Null)
}

fn failure(line: &str, d: &Diagnostic, column: usize, seconds: f64, stopped: Option<StopReason>) -> Json {
    let mut answer = head(line, false);
    empty(&mut answer);
    let error = json!({"code": d.code.to_string(), "message": d.message, "column": column, "hint": d.hint});
    tail(answer, seconds, stopped, error)
}

fn head(line: &str, ok: bool) -> Map<String, Json> {
    let mut answer = Map::new();
    answer.insert("input".into(), Json::from(line));
    answer.insert("ok".into(), Json::from(ok));
    answer
}

fn empty(answer: &mut Map<String, Json>) {
    for key in ["value", "sympy", "latex", "unit"] {
        answer.insert(key.into(), Json::Null);
    }
}

fn tail(mut answer: Map<String, Json>, seconds: f64, stopped: Option<StopReason>, error: Json) -> Json {
    answer.insert("seconds".into(), json::number(seconds));
    answer.insert("stopped".into(), stopped.map_or(Json::Null, |s| Json::from(s.word())));
    answer.insert("error".into(), error);
    Json::Object(answer)
}

/// Why the search behind a value stopped.
fn stop_of(value: &Value) -> Option<StopReason> {
    match value {
        Value::Answer(a) => a.stopped.or_else(|| stop_of(&a.value)),
        Value::Front(f) => Some(f.found.stopped),
        Value::Fit(f) => Some(f.result.stopped),
        _ => None,
    }
}
