//! `phys eval --lines`: one line of phys in, one JSON object out, in order. Each line starts from a fresh prelude
//! within its own time limit. A line that neither ends nor asks for the time is given up with its thread.

use std::io::BufRead;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::terminal::{Terminal, say};
use super::{exit, interruptible, json, session};
use crate::base::{CancelToken, Code, Diagnostic, EventSink, StopReason};
use crate::language::Value;
use crate::session::{Options, Session, Status, on_worker, stopped};

/// How long past its limit a line is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Answers every line of standard input.
pub(super) fn lines(limit: f64) -> ExitCode {
    let limit = Duration::from_secs_f64(limit);
    let options = Options::default();
    let terminal = Terminal::new(None, options.sources.clone());
    let cancel = interruptible();
    let fresh = match session(&terminal, options, &cancel) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let mut worker = Worker::start(&fresh);
    let mut input = std::io::stdin().lock();
    loop {
        let mut bytes = Vec::new();
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(e) => {
                let words = format!("standard input cannot be read: {e}");
                terminal.diagnostic(&Diagnostic::error(Code(8001), None, words));
                return exit(Status::Failed);
            }
        }
        while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            bytes.pop();
        }
        let line = match String::from_utf8(bytes) {
            Ok(line) => line,
            Err(e) => {
                let column =
                    String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]).chars().count()
                        + 1;
                let d = Diagnostic::error(Code(8005), None, "expected UTF-8 text, found another byte");
                say(&failure(&String::from_utf8_lossy(e.as_bytes()), &d, column, 0.0, None).to_string());
                continue;
            }
        };
        let answer = worker.answer(line.clone(), limit, &cancel).unwrap_or_else(|| {
            worker = Worker::start(&fresh);
            let d = Diagnostic::error(Code(6051), None, "the time limit is over");
            failure(&line, &d, 1, limit.as_secs_f64(), Some(StopReason::Time))
        });
        say(&answer.to_string());
        if cancel.is_cancelled() {
            return exit(Status::Interrupted);
        }
    }
    std::mem::forget(fresh);
    exit(Status::Done)
}

/// A thread that answers lines.
struct Worker {
    lines: Sender<(String, CancelToken)>,
    answers: Receiver<Json>,
}

impl Worker {
    fn start(fresh: &Session) -> Worker {
        let mut fresh = fresh.fork(EventSink::none(), CancelToken::new());
        let (lines, inbox) = mpsc::channel::<(String, CancelToken)>();
        let (outbox, answers) = mpsc::channel();
        std::thread::spawn(move || {
            on_worker(move || {
                for (line, cancel) in inbox {
                    // Nobody listens any more where the line was given up.
                    if outbox.send(answer(&mut fresh, &line, cancel)).is_err() {
                        break;
                    }
                }
            })
        });
        Worker { lines, answers }
    }

    /// The answer; `None` where the thread is lost.
    fn answer(&self, line: String, limit: Duration, cancel: &CancelToken) -> Option<Json> {
        let token = cancel.with_deadline(Instant::now() + limit);
        self.lines.send((line, token)).ok()?;
        let end = Instant::now() + limit + GRACE;
        loop {
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if Instant::now() > end => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
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
