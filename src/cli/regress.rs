//! `phys regress data.csv --target y`: the search of the built-in `regress`, with its answer as a table and as JSON.
//!
//! The `sympy` of a law takes the numbers as they stand in the file and gives the target's number as it stands there:
//! units are converted inside.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::record::checkpoints::Single;
use super::record::clock::cpu_seconds;
use super::terminal::{Terminal, writable, write_json};
use super::{exit, interruptible, json, seconds, session};
use crate::base::{CancelToken, Checkpoints, Code, Diagnostic, Event, EventSink, Meter, StopReason};
use crate::data::{self, Column, Dataset, ReadOptions, Role};
use crate::expression::print::{Style, sympy_name};
use crate::expression::{Expr, Function, Kind, Symbol};
use crate::language::builtins::explain::beside;
use crate::language::builtins::regress::{Request, Watch, regress_dataset};
use crate::language::value::FrontValue;
use crate::language::{Value, render};
use crate::regression::{Candidate, Constants, Method};
use crate::session::{Options, Status};
use crate::units::Unit;

/// Which constants may be fitted.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
enum ConstantsOption {
    /// Also with a unit, at a price
    Free,
    /// Only without unit
    Dimensionless,
}

/// The arguments of the command.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The table: CSV with a header, units in brackets (`a [AU]`)
    file: PathBuf,
    /// The column to explain [default: the last one of numbers]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Which engines search: auto, closed, algebraic, projective, exhaustive, symmetry, genetic
    #[arg(long, default_value = "auto")]
    method: String,
    /// Operators and functions that laws may use
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        default_value = "+,-,*,/,^,sqrt,exp,log,sin,cos,tan,asin,acos,atan,sinh,cosh,tanh"
    )]
    operators: Vec<String>,
    /// Which constants may be fitted
    #[arg(long, value_enum, default_value = "free")]
    constants: ConstantsOption,
    /// Read the numbers without their units
    #[arg(long)]
    no_units: bool,
    /// The column of the target's standard errors
    #[arg(long, value_name = "COLUMN")]
    sigma: Option<String>,
    /// The column that says how much each row counts
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
    /// Stop after so many seconds [default: 60, without --work]
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "work")]
    time: Option<f64>,
    /// Stop after so much work; the answer is the same on any number of threads
    #[arg(long, value_name = "N")]
    work: Option<u64>,
    /// Stop after so many seconds of processor time
    #[arg(long, value_name = "S", value_parser = seconds)]
    cpu_time: Option<f64>,
    /// Threads (default: all)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Leave out engines or families of laws, to see what they bring (for measurements)
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = super::switch)]
    without: Vec<String>,
    /// Keep the state in this file; where it holds that of the same search, go on from there
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Tell no progress
    #[arg(long, short)]
    quiet: bool,
    /// Write the answer as JSON (`-`: standard output)
    #[arg(long, value_name = "PATH")]
    json: Option<String>,
    /// Also tell in the JSON when the best law became better: processor seconds, work, size and R2 of each
    #[arg(long, requires = "json")]
    trace: bool,
}

/// When the best law became better: the sink that looks on, and what it saw.
fn traced(events: &EventSink, started: Instant) -> (EventSink, Arc<Mutex<Vec<Gain>>>) {
    let gains: Arc<Mutex<Vec<Gain>>> = Arc::default();
    let (all, seen) = (events.clone(), gains.clone());
    let sink = EventSink::new(move |event| {
        if let Event::Metric { step, name, value, .. } = &event {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.last().is_none_or(|g: &Gain| g.work != *step) {
                seen.push(Gain { cpu_seconds: cpu_seconds(started), work: *step, ..Gain::default() });
            }
            match (seen.last_mut(), name.as_str()) {
                (Some(gain), "r2") => gain.r2 = *value,
                (Some(gain), "size") => gain.size = *value as usize,
                _ => {}
            }
        }
        all.send(event);
    });
    (sink, gains)
}

/// A law that became the best.
#[derive(Clone, Debug, Default)]
struct Gain {
    cpu_seconds: f64,
    work: u64,
    size: usize,
    r2: f64,
}

/// Sets the token when the processor time is used up.
fn watch_cpu(limit: f64, token: CancelToken, started: Instant) {
    std::thread::spawn(move || {
        while cpu_seconds(started) < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        token.cancel();
    });
}

/// Runs the command.
pub(super) fn regress(arguments: &Arguments) -> ExitCode {
    let started = Instant::now();
    let json = arguments.json.as_deref();
    let options = Options { seed: arguments.seed, ..Options::default() };
    let terminal = Terminal::with(json, options.sources.clone(), arguments.quiet);
    let refuse = |d: &Diagnostic, status: Status| {
        terminal.diagnostic(d);
        exit(status)
    };
    if let Err(d) = writable(json) {
        return refuse(&d, Status::Faulty);
    }
    let interrupt = interruptible();
    let session = match session(&terminal, options, &interrupt) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let catalogue = &session.context.catalogue;
    let events = terminal.sink();
    // A large table takes its time: that is shown.
    let meter = Meter::new(&events, &format!("read {}", arguments.file.display()), "rows", None);
    let data = match table(arguments, catalogue) {
        Ok(data) => data,
        Err(d) => {
            drop(meter);
            return refuse(&d, Status::Faulty);
        }
    };
    drop(meter);
    let threads = arguments
        .threads
        .map_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
    let request = Request {
        target: arguments.target.as_deref().map(Arc::from),
        method: Arc::from(arguments.method.as_str()),
        operators: arguments.operators.clone(),
        constants: match arguments.constants {
            ConstantsOption::Free => Constants::Free,
            ConstantsOption::Dimensionless => Constants::Dimensionless,
        },
        sigma: arguments.sigma.as_deref().map(Arc::from),
        units: !arguments.no_units,
        time: arguments.time.or_else(|| arguments.work.is_none().then_some(60.0)),
        work: arguments.work,
        seed: arguments.seed,
        threads,
        without: arguments.without.clone(),
        weights: arguments.weights.as_deref().map(Arc::from),
        ..Request::default()
    };
    if let Err(e) = arguments.method.parse::<Method>() {
        return refuse(&Diagnostic::from_fault(&e, None).hint("--method auto"), Status::Faulty);
    }
    for note in &data.notes {
        terminal.diagnostic(note);
    }
    // The processor's limit has a token of its own, so that it is told from Ctrl-C.
    let token = match arguments.cpu_time {
        None => interrupt.clone(),
        Some(limit) => {
            let token = CancelToken::new();
            watch_cpu(limit, token.clone(), started);
            let (from, to) = (interrupt.clone(), token.clone());
            std::thread::spawn(move || {
                while !from.is_cancelled() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                to.cancel();
            });
            token
        }
    };
    let store = match arguments.checkpoint.as_deref().map(|p| Single::open(p, events.clone())).transpose() {
        Ok(store) => store,
        Err(d) => return refuse(&d, Status::Faulty),
    };
    let checkpoints = store.as_ref().map(|s| s as &dyn Checkpoints);
    let (looking, gains) = traced(&events, started);
    let listener = if arguments.trace { &looking } else { &events };
    let watch = Watch { events: listener, name: None, checkpoints, catalogue, cancel: &token };
    let mut front = match regress_dataset(&data, &request, 1, watch) {
        Ok(front) => front,
        Err(fault) => {
            // Only the last of these codes can follow a search.
            let status = if fault.code() == Code(4009) { Status::Failed } else { Status::Faulty };
            return refuse(&Diagnostic::from_fault(&*fault, None), status);
        }
    };
    if front.found.stopped == StopReason::Cancelled && !interrupt.is_cancelled() {
        front.found.stopped = StopReason::Time;
    }
    for note in &front.found.notes {
        terminal.diagnostic(&Diagnostic::notice(Code(4020), None, note.clone()));
    }
    let mut answer = answer(&front, &data, arguments, threads, started);
    if arguments.trace {
        let gains = gains.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |g: &Gain| {
            json!({
                "cpu_seconds": json::number(g.cpu_seconds),
                "work": g.work,
                "size": g.size,
                "r2": json::number(g.r2),
            })
        };
        answer["trace"] = gains.iter().map(line).collect();
    }
    let front = Value::Front(Arc::new(front));
    terminal.text(&render::line(&front, &session.context.style));
    if let Err(d) = write_json(json, &answer) {
        return refuse(&d, Status::Failed);
    }
    let status = match &front {
        _ if interrupt.is_cancelled() => Status::Interrupted,
        Value::Front(f) if f.found.front.best().is_none() => {
            let words = format!("expected a law, found none (stopped: {})", f.found.stopped);
            terminal.diagnostic(&Diagnostic::error(Code(8004), None, words));
            Status::Failed
        }
        _ => Status::Done,
    };
    std::mem::forget(session);
    exit(status)
}

/// Reads the table; what no search can use is refused.
fn table(arguments: &Arguments, catalogue: &crate::units::Catalogue) -> Result<Dataset, Box<Diagnostic>> {
    let lift = |e: data::DataError| Box::new(Diagnostic::from_fault(&e, None));
    let mut found =
        data::read(Path::new(&arguments.file), catalogue, &ReadOptions::default()).map_err(lift)?;
    if arguments.no_units {
        let bare = found.columns().iter().map(|c| Column { unit: None, ..(**c).clone() }).collect();
        found = Dataset::new(&arguments.file.display().to_string(), bare).map_err(lift)?;
    }
    if let Some(target) = &arguments.target {
        found.numbers(target).map_err(lift)?;
    }
    if let Some(sigma) = &arguments.sigma {
        found.numbers(sigma).map_err(lift)?;
    }
    Ok(found)
}

/// The columns a law may hold.
fn features<'a>(
    data: &'a Dataset,
    target: &'a str,
    arguments: &'a Arguments,
) -> impl Iterator<Item = &'a Arc<Column>> {
    data.columns().iter().filter(move |c| {
        *c.name != *target
            && c.is_numeric()
            && c.role != Role::Error
            && arguments.sigma.as_deref() != Some(&*c.name)
            && arguments.weights.as_deref() != Some(&*c.name)
    })
}

/// The JSON of the contract.
fn answer(
    front: &FrontValue,
    data: &Dataset,
    arguments: &Arguments,
    threads: usize,
    started: Instant,
) -> Json {
    let units: Vec<(Symbol, Option<Unit>)> =
        features(data, &front.target, arguments).map(|c| (Symbol::new(&c.name), c.unit.clone())).collect();
    let sympy = |c: &Candidate| in_columns(&c.expr, &units, front.target_unit.as_ref()).sympy();
    let expression = |c: &Candidate| render::expr(&c.expr, &Style::exact());
    let best = front.chosen();
    let variables: Vec<Json> = features(data, &front.target, arguments)
        .map(|c| {
            let unit = c.unit.as_ref().map_or_else(|| "1".to_string(), Unit::to_string);
            json!({"name": &*c.name, "sympy": sympy_name(&c.name), "unit": unit})
        })
        .collect();
    let constants: Vec<Json> = best
        .iter()
        .flat_map(|c| &c.constants)
        .map(|k| {
            json!({
                "value": json::number(k.value),
                "error": json::number(k.error),
                "unit": k.unit.to_string(),
                "exact": k.exact.as_ref().map(Expr::to_string),
            })
        })
        .collect();
    let members: Vec<Json> = front
        .found
        .front
        .candidates()
        .iter()
        .enumerate()
        .map(|(k, c)| {
            let mut law = json!({
                "size": c.size,
                "loss": json::number(c.loss),
                "r2": json::number(c.r2),
                "description_length": json::number(c.description_length),
                "expression": expression(c),
                "sympy": sympy(c),
            });
            let beside = beside(front, Some(k), &Style::exact()).named();
            if !beside.is_empty() {
                law["beside"] = Json::Object(beside.into_iter().map(|(n, t)| (n, t.into())).collect());
            }
            law
        })
        .collect();
    json!({
        "schema": 1,
        "expression": best.map(expression),
        "sympy": best.map(sympy),
        "variables": variables,
        "constants": constants,
        "size": best.map(|c| c.size),
        "r2": best.map(|c| json::number(c.r2)),
        "loss": best.map(|c| json::number(c.loss)),
        "seconds": json::number(started.elapsed().as_secs_f64()),
        "cpu_seconds": json::number(cpu_seconds(started)),
        "work": front.found.work,
        "threads": threads,
        "seed": arguments.seed,
        "engine": best.map(|c| &*c.engine),
        "stopped": front.found.stopped.word(),
        "front": members,
    })
}

/// A law in SI as a law between the numbers of the columns: `x` becomes what its number means in SI, and the value is
/// turned back into the target's unit. Constants become plain numbers.
fn in_columns(law: &Expr, units: &[(Symbol, Option<Unit>)], target: Option<&Unit>) -> Expr {
    let si = law.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => Expr::float(u.value()),
        Kind::Unit(u) if u.is_ordinary() => factor(u.scale().to_f64()),
        Kind::Symbol(s) => match units.iter().find(|(name, _)| name == s) {
            Some((_, Some(unit))) => to_si(&e, unit),
            _ => e,
        },
        // The number goes out of the bracket, to be joined with those that stand there.
        Kind::Power(base, exponent) => {
            let (number, rest) = base.split_coefficient();
            match (number.as_f64(), exponent.as_f64()) {
                (Some(c), Some(p)) if c > 0.0 && c != 1.0 && has_float(&number) => {
                    Expr::product([Expr::float(c.powf(p)), Expr::power(rest, exponent.clone())])
                }
                _ => e,
            }
        }
        _ => e,
    });
    match target {
        Some(unit) => from_si(&si, unit),
        None => si,
    }
}

fn has_float(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Float(_))
}

fn factor(x: f64) -> Expr {
    if x == 1.0 { Expr::one() } else { Expr::float(x) }
}

fn to_si(x: &Expr, unit: &Unit) -> Expr {
    let zero = unit.to_si(0.0);
    if unit.is_logarithmic() {
        return Expr::product([
            Expr::float(zero),
            Expr::power(Expr::float(unit.to_si(1.0) / zero), x.clone()),
        ]);
    }
    if unit.is_affine() {
        let slope = factor(unit.scale().to_f64());
        return Expr::sum([Expr::product([slope, x.clone()]), Expr::float(zero)]);
    }
    Expr::product([factor(unit.scale().to_f64()), x.clone()])
}

fn from_si(e: &Expr, unit: &Unit) -> Expr {
    let zero = unit.to_si(0.0);
    if unit.is_logarithmic() {
        let ratio = Expr::product([Expr::float(1.0 / zero), e.clone()]);
        let logarithm = Expr::call(Function::Log, vec![ratio]);
        return Expr::product([Expr::float(1.0 / (unit.to_si(1.0) / zero).ln()), logarithm]);
    }
    let shifted = if unit.is_affine() { Expr::sum([e.clone(), Expr::float(-zero)]) } else { e.clone() };
    let scale = factor(1.0 / unit.scale().to_f64());
    // A number before a sum goes to its terms, so that numbers meet.
    let terms: Vec<Expr> =
        shifted.terms().iter().map(|t| Expr::product([scale.clone(), t.clone()])).collect();
    Expr::sum(terms)
}
