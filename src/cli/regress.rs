//! `phys regress data.csv --target y`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::{FAILED, FAULTY, INTERRUPTED, output, run};
use crate::base::{CancelToken, Fault, StopReason};
use crate::data::{self, Dataset, ReadOptions};
use crate::expression::print::{Style, sympy_name};
use crate::language::builtins::data::{Request, regress_dataset};
use crate::language::render;
use crate::language::value::{FrontValue, Value};
use crate::regression::{Candidate, Constants};
use crate::units::Unit;

/// Arguments of `phys regress`.
#[derive(clap::Args)]
pub struct RegressArguments {
    /// The table: CSV with a header, `name [unit]`.
    file: PathBuf,
    /// The column to explain; the last one where none is named.
    #[arg(long)]
    target: Option<String>,
    /// The engines: auto, closed.
    #[arg(long, default_value = "auto")]
    method: String,
    /// Operators and functions that laws may use, separated by commas.
    #[arg(long, default_value = "+,-,*,/,^,sqrt,exp,log,sin,cos", allow_hyphen_values = true)]
    operators: String,
    /// free: fitted constants may carry a unit; dimensionless: they may not.
    #[arg(long, default_value = "free", value_parser = ["free", "dimensionless"])]
    constants: String,
    /// Units play no part.
    #[arg(long)]
    no_units: bool,
    /// A column of standard errors of the target.
    #[arg(long, value_name = "COLUMN")]
    sigma: Option<String>,
    /// Seconds by the clock (60 where no other bound is given).
    #[arg(long, value_name = "S", conflicts_with_all = ["work", "cpu_time"])]
    time: Option<f64>,
    /// Bound on the work; replays to the byte on any number of threads.
    #[arg(long, value_name = "N")]
    work: Option<u64>,
    /// Seconds of processor time, all threads together.
    #[arg(long, value_name = "S", conflicts_with = "work")]
    cpu_time: Option<f64>,
    /// Threads; all where not given.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub fn file(a: RegressArguments, json: Option<String>, cancel: CancelToken) -> u8 {
    for seconds in [a.time, a.cpu_time].into_iter().flatten() {
        if !(seconds > 0.0 && seconds.is_finite()) {
            output::error_line(&format!("error[P8002]: expected a time above 0 seconds, found {seconds}"));
            return FAULTY;
        }
    }
    let Some(session) = run::session(run::printer(json.as_deref() == Some("-")), cancel.clone()) else {
        return FAULTY;
    };
    let read = data::read_csv(&a.file, &session.context.catalogue, &ReadOptions::default());
    let table = match read {
        Ok(table) => table,
        Err(e) => return refuse(&e, FAULTY),
    };
    for note in &table.notes {
        output::error_line(&format!("notice[{}]: {}", note.code, note.message));
    }
    let threads = a.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    // Processor time is bounded through the clock: with n threads busy it passes n times as fast.
    let time = a.time.or(a.cpu_time.map(|s| s / threads.max(1) as f64));
    let request = Request {
        target: a.target.as_deref().map(Arc::from),
        method: a.method.as_str().into(),
        operators: a.operators.split(',').map(|o| o.trim().to_string()).filter(|o| !o.is_empty()).collect(),
        constants: if a.constants == "dimensionless" { Constants::Dimensionless } else { Constants::Free },
        sigma: a.sigma.as_deref().map(Arc::from),
        units: !a.no_units,
        time: time.or_else(|| a.work.is_none().then_some(60.0)),
        work: a.work,
        seed: a.seed,
        threads,
    };
    let started = Instant::now();
    let cpu = processor_seconds();
    let front = match regress_dataset(&table, &request, 1, &cancel) {
        Ok(front) => front,
        Err(e) => return refuse(&*e, FAULTY),
    };
    for note in &front.found.notes {
        output::error_line(&format!("notice[P4020]: {note}"));
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = processor_seconds() - cpu;
    let stopped = front.found.stopped;
    let Some(best) = front.found.front.best().cloned() else {
        output::error_line(&format!("error[P4011]: no law was found (stopped: {stopped})"));
        return if stopped == StopReason::Cancelled { INTERRUPTED } else { FAILED };
    };
    if json.as_deref() != Some("-") {
        output::line(&render::line(&Value::Front(Arc::new(clone_front(&front))), &Style::default()));
    }
    if let Some(path) = json {
        let report = report(&table, &front, &best, &request, (seconds, cpu));
        if let Err(words) = output::json(&path, &report) {
            output::error_line(&format!("error[P8001]: {words}"));
            return FAILED;
        }
    }
    if stopped == StopReason::Cancelled { INTERRUPTED } else { 0 }
}

fn clone_front(f: &FrontValue) -> FrontValue {
    FrontValue {
        found: f.found.clone(),
        target: f.target.clone(),
        target_unit: f.target_unit.clone(),
        declarations: f.declarations.clone(),
        seconds: f.seconds,
        seed: f.seed,
    }
}

fn refuse(fault: &dyn Fault, code: u8) -> u8 {
    let hint = fault.hint().map_or(String::new(), |h| format!("\n  hint: {h}"));
    output::error_line(&format!("error[{}]: {fault}{hint}", fault.code()));
    code
}

/// Processor seconds of this process so far, all threads; 0 where the system does not tell.
fn processor_seconds() -> f64 {
    // utime and stime, fields 14 and 15 after the command's name, in clock ticks of 1/100 s (proc(5)).
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else { return 0.0 };
    let Some((_, rest)) = text.rsplit_once(") ") else { return 0.0 };
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |k: usize| fields.get(k).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn report(
    table: &Dataset,
    front: &FrontValue,
    best: &Candidate,
    request: &Request,
    time: (f64, f64),
) -> Json {
    let text = |c: &Candidate| render::expr(&c.expr, &Style::exact());
    let variables: Vec<Json> = table
        .columns()
        .iter()
        .filter(|c| *c.name != *front.target && c.is_numeric())
        .map(|c| {
            json!({
                "name": &*c.name,
                "sympy": sympy_name(&c.name),
                "unit": c.unit.as_ref().map_or_else(|| "1".to_string(), Unit::to_string),
            })
        })
        .collect();
    let constants: Vec<Json> = best
        .constants
        .iter()
        .map(|c| {
            json!({
                "value": c.value,
                "error": if c.error.is_finite() { json!(c.error) } else { Json::Null },
                "unit": c.unit.to_string(),
                "exact": c.exact.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let members: Vec<Json> = front
        .found
        .front
        .candidates()
        .iter()
        .map(|c| {
            json!({
                "size": c.size,
                "loss": c.loss,
                "r2": c.r2,
                "description_length": c.description_length,
                "expression": text(c),
                "sympy": c.expr.sympy(),
            })
        })
        .collect();
    json!({
        "schema": 1,
        "expression": text(best),
        "sympy": best.expr.sympy(),
        "variables": variables,
        "constants": constants,
        "size": best.size,
        "r2": best.r2,
        "loss": best.loss,
        "seconds": time.0,
        "cpu_seconds": time.1,
        "work": front.found.work,
        "threads": request.threads,
        "seed": front.seed,
        "engine": best.engine,
        "stopped": front.found.stopped.word(),
        "front": members,
    })
}
