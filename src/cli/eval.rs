//! `phys eval --lines`: one line of phys in, one JSON object out, in order. Each line starts from a fresh prelude, in its
//! own time limit; a failing line ends nothing.

use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{FAULTY, json as values, output, run};
use crate::base::{CancelToken, Diagnostic, EventSink};
use crate::language::{Value, render};
use crate::session::{Session, Status};

/// Arguments of `phys eval`.
#[derive(clap::Args)]
pub struct EvalArguments {
    /// Reads lines from standard input.
    #[arg(long, required = true)]
    lines: bool,
    /// Seconds that each line may take.
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    limit: f64,
}

/// Answers the lines of standard input.
pub fn lines(a: EvalArguments, cancel: CancelToken) -> u8 {
    if !(a.lines && a.limit > 0.0 && a.limit.is_finite()) {
        output::error_line(&format!("error[P8002]: expected a limit above 0 seconds, found {}", a.limit));
        return FAULTY;
    }
    let Some(mut session) = run::session(EventSink::none(), cancel.clone()) else { return FAULTY };
    for line in std::io::stdin().lock().split(b'\n') {
        let Ok(bytes) = line else { break };
        if cancel.is_cancelled() {
            return super::INTERRUPTED;
        }
        let text = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_string();
        let fresh = session.context.clone();
        output::line(&answer(&mut session, &text, a.limit, &cancel).to_string());
        let rules = session.context.rules.take().filter(|_| session.context.own_rules.is_empty());
        session.context = fresh;
        // The rules of the library are the same for every line.
        session.context.rules = session.context.rules.take().or(rules);
    }
    0
}

fn answer(session: &mut Session, text: &str, limit: f64, cancel: &CancelToken) -> Json {
    let start = Instant::now();
    session.context.cancel = cancel.with_deadline(start + Duration::from_secs_f64(limit));
    let mut last: Option<Value> = None;
    let (status, diagnostics) =
        session.run("<line>", text, Path::new("."), &mut |v, _| last = Some(v.clone()));
    let seconds = start.elapsed().as_secs_f64();
    let error = diagnostics.iter().find(|d| Diagnostic::is_error(d)).filter(|_| status != Status::Done);
    let stopped = match (&last, error.map(|d| d.code.0)) {
        (_, Some(6051)) => Some("time"),
        (_, Some(6050)) => Some("cancelled"),
        (Some(Value::Answer(a)), _) => a.stopped.map(|s| s.word()),
        _ => None,
    };
    let last = last.filter(|_| error.is_none());
    let style = session.context.style.clone();
    json!({
        "input": text,
        "ok": error.is_none(),
        "value": last.as_ref().map(|v| render::line(v, &style)),
        "sympy": last.as_ref().and_then(values::sympy),
        "latex": last.as_ref().and_then(values::latex),
        "unit": last.as_ref().and_then(values::unit),
        "seconds": seconds,
        "stopped": stopped,
        "error": error.map(|d| values::diagnostic(d, session)),
    })
}
