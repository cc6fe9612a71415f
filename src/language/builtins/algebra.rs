//! Simplification, calculus and equations: the language's side of `algebra`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Body;
use super::elementary::each;
use crate::algebra::{self, Limits, rational};
use crate::base::{Meter, StopReason};
use crate::expression::{Expr, Flags, Kind, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{Answer, Value};

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("simplify", simplify),
    ("expand", expand),
    ("collect", collect),
    ("together", together),
    ("cancel", cancel),
    ("factor", factor),
    ("diff", diff),
    ("series", series),
    ("solve", solve),
    ("numerator", numerator),
    ("denominator", denominator),
];

/// A value under conditions; the value itself where there are none.
pub fn under_conditions(value: Value, conditions: Vec<Expr>, stopped: Option<StopReason>) -> Value {
    let complete = stopped.is_none_or(|s| matches!(s, StopReason::Found | StopReason::Saturated));
    if conditions.is_empty() && complete {
        return value;
    }
    Value::Answer(Arc::new(Answer { value, conditions, remark: None, shown: None, stopped }))
}

fn simplify(context: &mut Context, args: &Args) -> Result<Value> {
    let rules = context.rules(args.span)?;
    let time = match args.get("time") {
        Some(_) => Some(Duration::from_secs_f64(args.real("time")?.clamp(0.0, 1e6))),
        None => None,
    };
    let limits = Limits {
        nodes: usize::try_from(args.integer("nodes")?).unwrap_or(2000),
        iterations: usize::try_from(args.integer("iterations")?).unwrap_or(10),
        time,
    };
    let cancel = match time {
        Some(t) => context.cancel.with_deadline(Instant::now() + t),
        None => context.cancel.clone(),
    };
    let value = args.value("expr")?.clone();
    let events = context.events.clone();
    let _meter = Meter::new(&events, "simplify", "expressions", None);
    each(context, &value, args, &|context, e| {
        let e = op::settle(e);
        let found = algebra::simplify(&e, &context.declarations, &rules, &limits, &cancel);
        Ok(under_conditions(context.checked(found.expr, args.span)?, found.conditions, Some(found.stopped)))
    })
}

fn expand(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| {
        let e = algebra::expand::try_expand(e).map_err(|f| lift(&f, args.span))?;
        context.checked(e, args.span)
    })
}

fn collect(context: &mut Context, args: &Args) -> Result<Value> {
    let (e, part) = (args.expr("expr")?, args.expr("symbol")?);
    context.checked(algebra::collect(&e, &part), args.span)
}

fn together(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| context.checked(rational::together(e), args.span))
}

fn nonzero(factors: Vec<Expr>) -> Vec<Expr> {
    factors.into_iter().map(|f| algebra::nonzero_condition(&f)).collect()
}

fn cancel(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| match rational::cancel(e) {
        Some((reduced, removed)) => {
            let conditions = nonzero(removed)
                .into_iter()
                .filter(|c| algebra::prove(c, &context.declarations) != Some(true))
                .collect();
            Ok(under_conditions(context.checked(reduced, args.span)?, conditions, None))
        }
        None => Ok(Value::Expr(e.clone())),
    })
}

fn factor(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| {
        context.checked(rational::factor(e).unwrap_or_else(|| e.clone()), args.span)
    })
}

/// The symbol that a parameter names.
fn symbol(args: &Args, name: &str) -> Result<Symbol> {
    let e = args.expr(name)?;
    match e.kind() {
        Kind::Symbol(s) => Ok(s.clone()),
        _ => Err(fault_hint(
            6006,
            args.span_of(name),
            format!("`{name}` expects a symbol, found `{e}`"),
            "a name that is bound to a value is no symbol: choose another one",
        )),
    }
}

fn diff(context: &mut Context, args: &Args) -> Result<Value> {
    let x = symbol(args, "symbol")?;
    let order = args.integer("order")?;
    if !(0..=100).contains(&order) {
        return Err(fault(
            6006,
            args.span_of("order"),
            format!("expected an order in 0..100, found {order}"),
        ));
    }
    let rules = context.rules(args.span)?;
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| {
        let e = op::settle(e);
        if let Kind::Relation(relation, a, b) = e.kind() {
            let (a, b) = (a.diff_n(&x, order as u32), b.diff_n(&x, order as u32));
            return context.checked(Expr::relation(*relation, a, b), args.span);
        }
        let derivative = e.diff_n(&x, order as u32);
        if derivative.flags().has(Flags::APPLY) || order == 0 {
            return context.checked(derivative, args.span);
        }
        let limits = Limits::default();
        let tidy = algebra::simplify(&derivative, &context.declarations, &rules, &limits, &context.cancel);
        // What would need a condition is not done to a derivative.
        let best = if tidy.conditions.is_empty() && algebra::size(&tidy.expr) < algebra::size(&derivative) {
            tidy.expr
        } else {
            derivative
        };
        context.checked(best, args.span)
    })
}

fn series(context: &mut Context, args: &Args) -> Result<Value> {
    let x = symbol(args, "symbol")?;
    let order = args.integer("order")?;
    let order = u32::try_from(order).ok().filter(|n| (1..=200).contains(n)).ok_or_else(|| {
        fault(6006, args.span_of("order"), format!("expected an order in 1..200, found {order}"))
    })?;
    let s = algebra::series(&args.expr("expr")?, &x, &args.expr("about")?, order)
        .map_err(|e| lift(&e, args.span))?;
    context.checked(s, args.span)
}

fn solve(context: &mut Context, args: &Args) -> Result<Value> {
    let equation = args.value("equation")?.clone();
    if let Some(equations) = op::as_list(&equation) {
        return solve_system(context, args, &equations);
    }
    let x = symbol(args, "unknown")?;
    let e = args.expr("equation")?;
    let found =
        algebra::solve(&e, &x, &context.declarations).map_err(|f| lift(&f, args.span_of("equation")))?;
    if found.identity {
        return Ok(Value::Answer(Arc::new(Answer {
            value: Value::list(vec![Value::Expr(Expr::symbol(x.clone()))]),
            conditions: Vec::new(),
            remark: Some(format!("holds for every {x}")),
            shown: None,
            stopped: None,
        })));
    }
    let roots = found.roots.into_iter().map(Value::Expr).collect();
    Ok(under_conditions(Value::list(roots), found.conditions, None))
}

fn solve_system(context: &mut Context, args: &Args, equations: &[Value]) -> Result<Value> {
    let unknowns = args.list("unknown")?;
    let unknowns: Result<Vec<Symbol>> = unknowns
        .iter()
        .map(|v| {
            let e = op::expr_of(v, args.span_of("unknown"))?;
            e.as_symbol().cloned().ok_or_else(|| {
                fault(6006, args.span_of("unknown"), format!("expected a list of symbols, found `{e}`"))
            })
        })
        .collect();
    let equations: Result<Vec<Expr>> =
        equations.iter().map(|v| op::expr_of(v, args.span_of("equation"))).collect();
    let (equations, unknowns) = (equations?, unknowns?);
    let (values, conditions) = algebra::solve_linear_system(&equations, &unknowns, &context.declarations)
        .map_err(|f| lift(&f, args.span_of("equation")))?;
    let entries = unknowns.iter().zip(values).map(|(s, e)| (s.name(), Value::Expr(e))).collect();
    Ok(under_conditions(Value::record(entries), conditions, None))
}

fn numerator(context: &mut Context, args: &Args) -> Result<Value> {
    context.checked(rational::numerator_denominator(&args.expr("expr")?).0, args.span)
}

fn denominator(context: &mut Context, args: &Args) -> Result<Value> {
    context.checked(rational::numerator_denominator(&args.expr("expr")?).1, args.span)
}
