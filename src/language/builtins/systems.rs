//! Systems of differential equations and what is seen of their paths: the language's side of `numeric::ode`.

use std::sync::Arc;

use super::Body;
use crate::base::{Code, Diagnostic, Meter, StopReason};
use crate::data::{self, Column, Dataset, Observe, Role};
use crate::expression::{Domain, Expr, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::render;
use crate::language::system::{Parts, State, System};
use crate::language::value::{Record, Value};
use crate::numeric::NumericError;
use crate::numeric::ode::{self, End, Method, Options, Path, TapeRates};
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("system", system), ("integrate", integrate), ("observe", observe)];

/// Most points of one path.
const MAX_POINTS: i64 = 10_000_000;

fn system(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("equations");
    let written = args.value("equations")?;
    let items = op::as_list(written).unwrap_or_else(|| Arc::new(vec![written.clone()]));
    let equations = items.iter().map(|v| op::expr_of(v, at)).collect::<Result<Vec<Expr>>>()?;
    let Value::Record(initial) = args.value("initial")?.plain() else {
        return Err(args.wrong("initial", "a record of starting values", args.value("initial")?));
    };
    let parts = Parts {
        equations: &equations,
        at,
        initial,
        initial_at: args.span_of("initial"),
        over: Symbol::new(&args.word("over")?),
    };
    Ok(Value::System(Arc::new(System::build(context, &parts)?)))
}

/// A number in SI as a quantity in a unit.
pub fn quantity(si: f64, unit: &Unit) -> Expr {
    let number = Expr::float(unit.from_si(si));
    if unit.is_one() { number } else { Expr::product([number, Expr::unit(unit.clone())]) }
}

/// Members of a system.
pub fn system_member(s: &System, name: &str) -> (Option<Value>, Vec<String>) {
    let mut known = ["states", "equations", "initial", "parameters", "over"].map(String::from).to_vec();
    if let Some(found) = &s.found {
        known.extend(super::discover::FOUND.map(String::from));
        if let Some(value) = super::discover::found_member(s, found, name) {
            return (Some(value), known);
        }
    }
    let record = |entries: Vec<(&str, Value)>| {
        let entries = entries.into_iter().map(|(n, v)| (n.into(), v)).collect();
        Value::Record(Arc::new(Record { entries }))
    };
    let value = match name {
        "states" => {
            Value::list(s.states.iter().map(|s| Value::Expr(Expr::symbol(s.symbol.clone()))).collect())
        }
        "equations" => Value::list(s.equations.iter().cloned().map(Value::Expr).collect()),
        "initial" => record(
            s.states.iter().map(|s| (s.symbol.name(), Value::Expr(quantity(s.initial, &s.unit)))).collect(),
        ),
        "parameters" => {
            Value::list(s.parameters.iter().map(|p| Value::Expr(Expr::symbol(p.symbol.clone()))).collect())
        }
        "over" => Value::Expr(Expr::symbol(s.over.clone())),
        _ => return (None, known),
    };
    (Some(value), known)
}

/// The times of a path: in the variable's unit, and in SI.
fn times(context: &Context, args: &Args, s: &System) -> Result<(Vec<f64>, Vec<f64>)> {
    let at = args.span_of("over");
    let unit = &s.over_unit;
    let hint = match unit.is_one() {
        true => format!("var {} in 0..20", s.over),
        false => format!("var {} [{unit}] in 0..20", s.over),
    };
    let declared = context.declarations.get(&s.over);
    let Some((declared, domain)) = declared.and_then(|d| Some((d, d.domain.as_ref()?))) else {
        let message = format!("expected a range of `{}`, found none", s.over);
        return Err(fault_hint(6030, at, message, hint));
    };
    if let Some(own) = declared.unit.as_ref().filter(|own| own.dimension() != unit.dimension()) {
        let message = format!("the system goes on in [{unit}], found `{}` in [{own}]", s.over);
        return Err(fault_hint(6021, at, message, hint));
    }
    let points = args.integer("points")?;
    if !(2..=MAX_POINTS).contains(&points) {
        let message = format!("expected from 2 to {MAX_POINTS} points, found {points}");
        return Err(fault_hint(6006, args.span_of("points"), message, "points: 400"));
    }
    // The ends as written have no rounding from SI and back.
    let written: Option<Vec<f64>> =
        declared.written.as_ref().and_then(|w| w.iter().map(Expr::as_f64).collect::<Option<Vec<f64>>>());
    let own = match domain {
        Domain::Interval { low, high } => {
            let (low, high) = match written.as_deref() {
                Some([low, high]) => (*low, *high),
                _ => (unit.from_si(*low), unit.from_si(*high)),
            };
            if !(low.is_finite() && high.is_finite() && low < high) {
                let message = format!("expected a finite range of `{}`, found {low}..{high}", s.over);
                return Err(fault_hint(6030, at, message, hint));
            }
            let share = |k: i64| k as f64 / (points - 1) as f64;
            (0..points).map(|k| if k == points - 1 { high } else { low + (high - low) * share(k) }).collect()
        }
        Domain::Values(values) => {
            let mut own = written.unwrap_or_else(|| values.iter().map(|x| unit.from_si(*x)).collect());
            own.sort_by(f64::total_cmp);
            own.dedup();
            own
        }
    };
    let si = own.iter().map(|t: &f64| unit.to_si(*t)).collect();
    Ok((own, si))
}

fn integrate(context: &mut Context, args: &Args) -> Result<Value> {
    let Value::System(s) = args.value("system")?.plain().clone() else {
        return Err(args.wrong("system", "a system", args.value("system")?));
    };
    let over = args.word("over")?;
    if *over != *s.over.name() {
        let message = format!("the system goes on with `{}`, found `{over}`", s.over);
        return Err(fault_hint(6401, args.span_of("over"), message, format!("system {{ over: {over} }}")));
    }
    let (own, times) = times(context, args, &s)?;
    let options = Options { relative: args.real("tolerance")?, ..Options::default() };
    let method = match &*args.word("method")? {
        "explicit" => Method::Explicit,
        "stiff" => Method::Stiff,
        "symplectic" => Method::Symplectic,
        _ => Method::Auto,
    };
    let meter = Meter::new(&context.events, "integrate", "times", None);
    let path = solve(context, args, &s, &times, method, &options)?;
    drop(meter);
    report(context, args, &s, &path);
    let rows = path.times.len();
    let unit = |u: &Unit| (!u.is_one()).then(|| u.clone());
    let time = Column::floats(s.over.name(), unit(&s.over_unit), own[..rows].to_vec());
    let mut columns = vec![time.with_role(Role::Independent)];
    for (state, values) in s.states.iter().zip(path.states) {
        let values = values.into_iter().map(|x| state.unit.from_si(x)).collect();
        columns.push(Column::floats(state.symbol.name(), unit(&state.unit), values));
    }
    let found = Dataset::new("integrate", columns).map_err(|e| lift(&e, args.span))?;
    Ok(Value::Dataset(Arc::new(found)))
}

fn solve(
    context: &Context,
    args: &Args,
    s: &System,
    times: &[f64],
    method: Method,
    options: &Options,
) -> Result<Path> {
    let at = |e: NumericError| match e {
        NumericError::NotFinite { row, value } => {
            let state = s.states.get(row - 1).map_or("", |s| s.symbol.name());
            let message = format!("expected a finite rate of `{state}` at the start, found {value}");
            fault_hint(6402, args.span, message, "choose other starting values, or another range")
        }
        NumericError::Tolerance { .. } => lift(&e, args.span_of("tolerance")),
        other => lift(&other, args.span),
    };
    let parameters: Vec<(Symbol, f64)> = s.parameters.iter().map(|p| (p.symbol.clone(), p.value)).collect();
    let compiled = |of: &[usize], inputs: &[usize]| {
        let rates: Vec<Expr> = of.iter().map(|k| s.states[*k].rate.clone()).collect();
        let symbols: Vec<Symbol> = inputs.iter().map(|k| s.states[*k].symbol.clone()).collect();
        TapeRates::new(&rates, &s.over, &symbols, &parameters)
    };
    let start: Vec<f64> = s.states.iter().map(|s| s.initial).collect();
    let all: Vec<usize> = (0..s.states.len()).collect();
    if method != Method::Symplectic {
        let mut rates = compiled(&all, &all).map_err(at)?;
        return ode::integrate(&mut rates, &start, times, method, options, &context.cancel).map_err(at);
    }
    let Some((q, p)) = s.halves() else {
        return Err(lift(&NumericError::NotSeparable, args.span_of("method")));
    };
    let mut drift = compiled(&q, &p).map_err(at)?;
    let mut kick = compiled(&p, &q).map_err(at)?;
    let part = |half: &[usize]| half.iter().map(|k| start[*k]).collect::<Vec<f64>>();
    let halves: (&[f64], &[f64]) = (&part(&q), &part(&p));
    let order: Vec<usize> = q.iter().chain(&p).copied().collect();
    let mut path = ode::symplectic(&mut drift, &mut kick, halves, times, options, &context.cancel).map_err(
        |e| match e {
            NumericError::NotFinite { row, value } => {
                at(NumericError::NotFinite { row: order.get(row - 1).map_or(row, |k| k + 1), value })
            }
            other => at(other),
        },
    )?;
    let mut states = vec![Vec::new(); start.len()];
    for (k, values) in order.iter().zip(std::mem::take(&mut path.states)) {
        states[*k] = values;
    }
    path.states = states;
    if let End::Singular { state, .. } = &mut path.end {
        *state = order.get(*state).copied().unwrap_or(0);
    }
    Ok(path)
}

/// Tells where and why a path ends early.
fn report(context: &Context, args: &Args, s: &System, path: &Path) {
    let shown = |si: f64, unit: &Unit| render::expr(&quantity(si, unit), &context.style);
    let rows = path.times.len();
    let (message, hint) = match path.end {
        End::Complete => return,
        End::Singular { t, state, value } => {
            let named = |s: &State| (s.symbol.name().to_string(), shown(value, &s.unit));
            let (name, value) = s.states.get(state).map(named).unwrap_or_default();
            let at = shown(t, &s.over_unit);
            (
                format!(
                    "the solution ends at {} = {at}, where `{name}` = {value} changes without bound",
                    s.over
                ),
                "the part before is kept".to_string(),
            )
        }
        End::Stopped { t, reason } => {
            let why = match reason {
                StopReason::Work => "after the greatest number of steps",
                StopReason::Time => "at the time limit",
                _ => "interrupted",
            };
            let hint = match reason {
                StopReason::Work => "method: stiff, or a greater tolerance",
                _ => "the part before is kept",
            };
            (format!("stopped {why} at {} = {}", s.over, shown(t, &s.over_unit)), hint.to_string())
        }
    };
    let rows = format!("{rows} row{} of the path", if rows == 1 { "" } else { "s" });
    let warning = Diagnostic::warning(Code(6404), args.span, message);
    context.notify(warning.label(rows).hint(hint));
}

fn observe(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let over = args.word("over")?;
    let independent: Vec<String> = match Some(over).filter(|name| **name != *"none") {
        Some(name) => {
            d.column(&name).map_err(|e| lift(&e, args.span_of("over")))?;
            vec![name.to_string()]
        }
        None => {
            let known = d.columns().iter().filter(|c| c.role == Role::Independent);
            let known: Vec<String> = known.map(|c| c.name.to_string()).collect();
            if known.is_empty() {
                let first = d.names().next().unwrap_or("t");
                let message = "expected data with an independent variable, found none";
                return Err(fault_hint(6405, args.span_of("data"), message, format!("over: {first}")));
            }
            known
        }
    };
    let seed = match args.get("seed") {
        None => context.seed,
        Some(_) => {
            let n = args.integer("seed")?;
            u64::try_from(n).map_err(|_| {
                fault(6006, args.span_of("seed"), format!("expected a seed of at least 0, found {n}"))
            })?
        }
    };
    let plan = Observe {
        independent: &independent,
        noise: args.real("noise")?,
        relative_noise: args.real("relative_noise")?,
        seed,
    };
    let seen = data::observe(&d, &plan).map_err(|e| lift(&e, args.span))?;
    Ok(Value::Dataset(Arc::new(seen)))
}
