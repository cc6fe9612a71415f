//! `discover(data)`: the language's side of `discovery`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Body;
use super::data::seed;
use super::kept::Place;
use super::regress::{constants, operators};
use crate::base::{Code, Diagnostic, Event, Finding, FoundLaw, Meter, StopReason};
use crate::data::{Column, Role};
use crate::discovery::{self, Discovered, Noise, Path, Paths, Plan};
use crate::expression::print::Style;
use crate::expression::{Expr, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::render;
use crate::language::system::{State, System};
use crate::language::value::{Record, Value};
use crate::numeric::statistics;
use crate::regression::{Journal, Keeper};
use crate::syntax::tree::Name;
use crate::units::{Catalogue, Dimension, Unit};

/// The table.
pub const TABLE: &[(&str, Body)] = &[("discover", discover)];

/// Parts of a progress bar.
const PARTS: u64 = 1000;

fn discover(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let column = |name: &str| -> Result<Option<Arc<Column>>> {
        let word = args.word(name)?;
        match &*word {
            "none" => Ok(None),
            word => Ok(Some(d.column(word).map_err(|e| lift(&e, args.span_of(name)))?.clone())),
        }
    };
    let over = match column("over")? {
        Some(c) => c,
        None => {
            let known = d.columns().iter().find(|c| c.role == Role::Independent);
            let named = d.columns().iter().find(|c| &*c.name == "t");
            match known.or(named) {
                Some(c) => c.clone(),
                None => {
                    let first = d.names().next().unwrap_or("t");
                    let message = "expected data with an independent variable, found none";
                    return Err(fault_hint(6405, args.span_of("data"), message, format!("over: {first}")));
                }
            }
        }
    };
    let which = column("path")?;
    let states: Vec<Arc<Column>> = d
        .columns()
        .iter()
        .filter(|c| c.name != over.name && which.as_ref().is_none_or(|w| w.name != c.name))
        .filter(|c| c.is_numeric() && c.role != Role::Error)
        .cloned()
        .collect();
    for c in states.iter().chain([&over]) {
        if !c.is_numeric() {
            return Err(args.wrong("over", "a column of numbers", args.value("data")?));
        }
        if let Some(row) = (0..c.len()).find(|i| c.is_missing(*i)) {
            let fault = crate::data::DataError::MissingValue { name: c.name.to_string(), row };
            return Err(lift(&fault, args.span_of("data")));
        }
    }
    // Rows of each path, in the order in which the paths first come.
    let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
    for row in 0..d.rows() {
        let name = match &which {
            None => String::new(),
            Some(c) => format!("{:?}", c.cell(row)),
        };
        match rows.iter_mut().find(|(n, _)| *n == name) {
            Some((_, list)) => list.push(row),
            None => rows.push((name, vec![row])),
        }
    }
    let pick = |list: &[f64], rows: &[usize]| -> Vec<f64> { rows.iter().map(|r| list[*r]).collect() };
    let times = over.si_values();
    let values: Vec<Vec<f64>> = states.iter().map(|c| c.si_values()).collect();
    let errors: Option<Vec<Vec<f64>>> = states.iter().map(|c| c.si_errors()).collect();
    let units = args.boolean("units")?;
    let dimension = |c: &Column| c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
    let paths = Paths {
        over: Symbol::new(&over.name),
        over_dimension: dimension(&over),
        names: states.iter().map(|c| Symbol::new(&c.name)).collect(),
        dimensions: units.then(|| states.iter().map(|c| dimension(c)).collect()),
        units: states.iter().map(|c| c.unit.clone()).collect(),
        paths: rows
            .iter()
            .map(|(_, rows)| Path {
                times: pick(&times, rows),
                states: values.iter().map(|v| pick(v, rows)).collect(),
            })
            .collect(),
        sigma: errors.filter(|e| !e.is_empty()).map(|errors| {
            rows.iter().map(|(_, rows)| errors.iter().map(|e| pick(e, rows)).collect()).collect()
        }),
    };
    let work = args.integer("work")?;
    let plan = Plan {
        method: args
            .word("method")?
            .parse::<discovery::Method>()
            .map_err(|e| lift(&e, args.span_of("method")))?,
        operators: operators(args)?,
        constants: constants(context, args)?,
        work: u64::try_from(work).map_err(|_| {
            fault(6006, args.span_of("work"), format!("expected work of at least 0, found {work}"))
        })?,
        threads: context.threads,
        seed: seed(context, args)?,
        identity: context.new_identity(discovery::identities(states.len()).max(1 << 20)),
        forced: args.boolean("forced")?,
    };
    let time = args.get("time").is_some().then(|| args.real("time")).transpose()?;
    if time.is_some_and(|t| t <= 0.0) {
        return Err(fault_hint(6006, args.span_of("time"), "expected a time above 0", "time: 60 [s]"));
    }
    let cancel = match time {
        Some(time) => context.cancel.with_deadline(Instant::now() + Duration::from_secs_f64(time.min(1e9))),
        None => context.cancel.clone(),
    };
    let meter = Meter::new(&context.events, "discover", "parts", Some(PARTS)).limit(time);
    let meter = Mutex::new(meter);
    let told = |share: f64| {
        let done = (share.clamp(0.0, 1.0) * PARTS as f64) as u64;
        meter.lock().unwrap_or_else(PoisonError::into_inner).at(done, None);
    };
    let hash = discovery::checkpoint::fingerprint(&paths, &plan);
    let search = |keeper: Option<Keeper<'_>>| {
        let journal = keeper.map_or_else(Journal::none, |k| Journal::new(k, hash));
        discovery::discover_kept(&paths, &plan, &cancel, &told, &journal)
    };
    let encode = |found: &Discovered, catalogue: &Catalogue| match found.stopped {
        StopReason::Cancelled => None,
        _ => discovery::checkpoint::encode(found, catalogue),
    };
    let place = Place { store: context.checkpoints.as_deref(), catalogue: &context.catalogue };
    let form = (&encode as _, &discovery::checkpoint::decode as _);
    let (found, resumed) =
        place.finished_or(("discover", hash), form, search).map_err(|f| lift(&*f, args.span))?;
    drop(meter);
    for note in &found.notes {
        context.notify(Diagnostic::notice(Code(4120), args.span, note.clone()));
    }
    for k in 0..found.rates.len() {
        let finding = finding(context, &paths, &found, k, plan.seed);
        context.events.send(Event::Finding(Arc::new(Finding { resumed, ..finding })));
    }
    Ok(Value::System(Arc::new(system(&paths, &over, &states, found))))
}

/// What listeners are told of a rate: the law, and how the path of its state follows from the system.
fn finding(context: &Context, paths: &Paths, found: &Discovered, k: usize, seed: u64) -> Finding {
    let rate = &found.rates[k];
    let values: Vec<f64> = paths.state(k).collect();
    let target = format!("{}'", paths.names[k]);
    let law = FoundLaw {
        expression: render::expr(&rate.expr, &Style::exact()),
        latex: rate.expr.latex(),
        size: rate.size,
        loss: (1.0 - found.r2[k]) * statistics::variance(&values),
        r2: found.r2[k],
        description_length: rate.description_length,
        beside: Vec::new(),
        chosen: true,
    };
    Finding {
        task: "discover".into(),
        name: context.binding.as_ref().map(|n| n.to_string()),
        text: format!("{target} == {}", render::expr(&rate.expr, &context.style)),
        target,
        laws: vec![law],
        figures: vec![("work", found.work as f64)],
        stopped: Some(found.stopped),
        seed,
        resumed: false,
        part: None,
    }
}

/// What was found as a system.
fn system(paths: &Paths, over: &Column, columns: &[Arc<Column>], found: Discovered) -> System {
    let rate = |k: usize| Expr::symbol(Symbol::new(&format!("{}'", paths.names[k])));
    let equations =
        found.rates.iter().enumerate().map(|(k, r)| Expr::equation(rate(k), r.expr.clone())).collect();
    let states = found
        .rates
        .iter()
        .zip(columns)
        .enumerate()
        .map(|(k, (r, c))| State {
            symbol: paths.names[k].clone(),
            unit: c.unit.clone().unwrap_or_else(Unit::one),
            initial: found.starts.first().map_or(0.0, |s| s[k]),
            rate: r.expr.clone(),
        })
        .collect();
    System {
        over: paths.over.clone(),
        over_unit: over.unit.clone().unwrap_or_else(Unit::one),
        equations,
        states,
        parameters: Vec::new(),
        found: Some(Arc::new(found)),
    }
}

/// Members of a system that was found.
pub fn found_member(s: &System, found: &Discovered, name: &str) -> Option<Value> {
    let number = |x: f64| Value::Expr(Expr::float(x));
    let record = |value: &dyn Fn(usize) -> Value| {
        let entries = s.states.iter().enumerate().map(|(k, s)| (Name::from(s.symbol.name()), value(k)));
        Value::Record(Arc::new(Record { entries: entries.collect() }))
    };
    Some(match name {
        "r2" => record(&|k| number(found.r2[k])),
        "noise" => record(&|k| match found.noise[k] {
            Noise::Absolute(x) => Value::Expr(super::systems::quantity(x, &s.states[k].unit)),
            Noise::Relative(share) => {
                Value::Expr(Expr::float(share) * Expr::symbol(s.states[k].symbol.clone()))
            }
        }),
        "others" => {
            record(&|k| Value::list(found.others[k].iter().map(|r| Value::Expr(r.expr.clone())).collect()))
        }
        "engines" => record(&|k| Value::text(&found.rates[k].engine)),
        "stopped" => Value::text(found.stopped.word()),
        "work" => Value::int(found.work as i64),
        _ => return None,
    })
}

/// Their names.
pub const FOUND: [&str; 6] = ["r2", "noise", "others", "engines", "stopped", "work"];
