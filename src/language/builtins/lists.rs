//! Lists and columns. Everything works on exact and symbolic elements too.

use std::cmp::Ordering;

use super::Body;
use crate::base::Number;
use crate::expression::{Expr, Function};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::decide;
use crate::language::error::{Result, fault};
use crate::language::operations as op;
use crate::language::value::{self, Value};
use crate::syntax::tree::Operator;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("length", length),
    ("sum", sum),
    ("product", product),
    ("mean", mean),
    ("median", median),
    ("std", std),
    ("variance", variance),
    ("min", extremum),
    ("max", extremum),
    ("sort", sort),
    ("reverse", reverse),
    ("concat", concat),
    ("linspace", linspace),
    ("map", map),
    ("zip", zip),
    ("enumerate", enumerate),
    ("all", all),
    ("any", any),
];

fn length(context: &mut Context, args: &Args) -> Result<Value> {
    let x = args.value("x")?;
    let n = match x.plain() {
        Value::Text(t) => t.chars().count(),
        Value::Record(r) => r.entries.len(),
        Value::Dataset(d) => d.rows(),
        Value::Column(c) => c.len(),
        Value::Front(f) => f.found.front.candidates().len(),
        Value::Range(..) => context.elements(x, args.span)?.len(),
        other => match op::as_list(other) {
            Some(items) => items.len(),
            None => return Err(args.wrong("x", "a list, column, text, record or dataset", other)),
        },
    };
    Ok(Value::int(n as i64))
}

/// The elements of the argument; a range counts.
fn elements(context: &mut Context, args: &Args, name: &str) -> Result<Vec<Value>> {
    let value = args.value(name)?.clone();
    context.elements(&value, args.span_of(name))
}

/// The elements that are there: of a column, without the missing values.
fn present(context: &mut Context, args: &Args, name: &str) -> Result<Vec<Value>> {
    let mut items = elements(context, args, name)?;
    if matches!(args.value(name)?.plain(), Value::Column(_)) {
        items.retain(|v| !matches!(v, Value::Nothing));
    }
    Ok(items)
}

fn fold(context: &mut Context, args: &Args, o: Operator, start: i64) -> Result<Value> {
    let items = present(context, args, "xs")?;
    let exprs: Option<Vec<Expr>> = items.iter().map(|v| v.as_expr().map(|e| op::settle(&e))).collect();
    if let Some(exprs) = exprs {
        if o == Operator::Add {
            if let Some((first, rest)) = exprs.split_first() {
                for e in rest {
                    op::same_units(context, first, e, args.span)?;
                }
            }
            return context.checked(Expr::sum(exprs), args.span);
        }
        return context.checked(Expr::product(exprs), args.span);
    }
    let mut total: Option<Value> = None;
    for item in items {
        total = Some(match total {
            None => item,
            Some(t) => op::binary(context, o, &t, &item, args.span)?,
        });
    }
    Ok(total.unwrap_or_else(|| Value::int(start)))
}

fn sum(context: &mut Context, args: &Args) -> Result<Value> {
    fold(context, args, Operator::Add, 0)
}

fn product(context: &mut Context, args: &Args) -> Result<Value> {
    fold(context, args, Operator::Mul, 1)
}

fn not_empty(args: &Args, n: usize, least: usize) -> Result<()> {
    if n >= least {
        return Ok(());
    }
    Err(fault(
        6006,
        args.span,
        format!("`{}` expects at least {least} elements, found {n}", args.signature.name),
    ))
}

fn mean(context: &mut Context, args: &Args) -> Result<Value> {
    let n = present(context, args, "xs")?.len();
    not_empty(args, n, 1)?;
    let total = sum(context, args)?;
    op::binary(context, Operator::Div, &total, &Value::int(n as i64), args.span)
}

fn variance(context: &mut Context, args: &Args) -> Result<Value> {
    let items = present(context, args, "xs")?;
    not_empty(args, items.len(), 2)?;
    let center = mean(context, args)?;
    let mut squares = Vec::with_capacity(items.len());
    for item in &items {
        let d = op::binary(context, Operator::Sub, item, &center, args.span)?;
        let d = op::expr_of(&d, args.span)?;
        squares.push(d.powi(2));
    }
    let total = Value::Expr(Expr::sum(squares));
    op::binary(context, Operator::Div, &total, &Value::int(items.len() as i64 - 1), args.span)
}

fn std(context: &mut Context, args: &Args) -> Result<Value> {
    let v = variance(context, args)?;
    op::binary(context, Operator::Pow, &v, &Value::Expr(Expr::number(Number::HALF)), args.span)
}

/// The numbers of quantities in SI, for ordering.
fn numbers(context: &mut Context, args: &Args, items: &[Value]) -> Result<Vec<f64>> {
    let mut first: Option<Expr> = None;
    items
        .iter()
        .map(|v| {
            let e = op::settle(&op::expr_of(v, args.span)?);
            match &first {
                None => first = Some(e.clone()),
                Some(f) => op::same_units(context, f, &e, args.span)?,
            }
            e.evaluate(&|_| None)
                .ok_or_else(|| fault(6006, args.span, format!("expected numbers, found `{e}`")))
        })
        .collect()
}

fn sorted(context: &mut Context, args: &Args) -> Result<Vec<Value>> {
    let items = present(context, args, "xs")?;
    if items.iter().all(|v| matches!(v, Value::Text(_))) && !items.is_empty() {
        let mut items = items;
        items.sort_by(|a, b| match (a, b) {
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        });
        return Ok(items);
    }
    let keys = numbers(context, args, &items)?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    Ok(order.into_iter().map(|k| items[k].clone()).collect())
}

fn sort(context: &mut Context, args: &Args) -> Result<Value> {
    if let Some(Value::Dataset(_)) = args.get("data").map(Value::plain) {
        return super::tables::sort(context, args);
    }
    Ok(Value::list(sorted(context, args)?))
}

fn median(context: &mut Context, args: &Args) -> Result<Value> {
    let items = sorted(context, args)?;
    not_empty(args, items.len(), 1)?;
    let half = items.len() / 2;
    if items.len() % 2 == 1 {
        return Ok(items[half].clone());
    }
    let total = op::binary(context, Operator::Add, &items[half - 1], &items[half], args.span)?;
    op::binary(context, Operator::Div, &total, &Value::int(2), args.span)
}

fn extremum(context: &mut Context, args: &Args) -> Result<Value> {
    let least = &*args.signature.name == "min";
    let items = if args.signature.params[0].name.as_ref() == "xs" {
        present(context, args, "xs")?
    } else {
        let mut items = vec![args.value("x")?.clone()];
        items.extend(args.list("others")?.iter().cloned());
        if let [only] = items.as_slice()
            && op::as_list(only).is_some()
        {
            items = context.elements(&only.clone(), args.span)?;
        }
        items
    };
    not_empty(args, items.len(), 1)?;
    let symbolic = items.iter().any(|v| v.as_expr().is_some_and(|e| e.is_symbolic()));
    if symbolic {
        let f = if least { Function::Min } else { Function::Max };
        return op::call_function(context, f, &items, args.span);
    }
    let keys = numbers(context, args, &items)?;
    let mut best = 0;
    for k in 1..keys.len() {
        if (keys[k] < keys[best]) == least && keys[k] != keys[best] {
            best = k;
        }
    }
    Ok(items[best].clone())
}

fn reverse(context: &mut Context, args: &Args) -> Result<Value> {
    let mut items = elements(context, args, "xs")?;
    items.reverse();
    Ok(Value::list(items))
}

fn concat(context: &mut Context, args: &Args) -> Result<Value> {
    if args.get("data").is_some() {
        return super::tables::concat(context, args);
    }
    let mut all = Vec::new();
    for list in args.list("lists")?.iter() {
        all.extend(context.elements(list, args.span)?);
    }
    Ok(Value::list(all))
}

fn linspace(context: &mut Context, args: &Args) -> Result<Value> {
    let (low, high) = (args.expr("low")?, args.expr("high")?);
    let count = args.integer("count")?;
    op::same_units(context, &low, &high, args.span)?;
    if !(2..=crate::language::members::MAX_ELEMENTS).contains(&count) {
        return Err(fault(6006, args.span_of("count"), format!("expected at least 2 points, found {count}")));
    }
    let step = &high - &low;
    let items = (0..count)
        .map(|k| {
            Value::Expr(Expr::sum([low.clone(), Expr::product([Expr::ratio(k, count - 1), step.clone()])]))
        })
        .collect();
    Ok(Value::list(items))
}

fn map(context: &mut Context, args: &Args) -> Result<Value> {
    let Value::Function(f) = args.value("f")?.plain().clone() else {
        return Err(args.wrong("f", "a function", args.value("f")?));
    };
    let items = elements(context, args, "xs")?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        context.poll(args.span)?;
        results.push(context.apply(&f, vec![item], args.span)?);
    }
    Ok(Value::list(results))
}

fn zip(context: &mut Context, args: &Args) -> Result<Value> {
    let mut lists = Vec::new();
    for list in args.list("lists")?.iter() {
        lists.push(context.elements(list, args.span)?);
    }
    let n = lists.first().map_or(0, Vec::len);
    if let Some(other) = lists.iter().find(|l| l.len() != n) {
        return Err(fault(
            6014,
            args.span,
            format!("expected lists of equal length, found {n} and {} elements", other.len()),
        ));
    }
    Ok(Value::list((0..n).map(|k| Value::list(lists.iter().map(|l| l[k].clone()).collect())).collect()))
}

fn enumerate(context: &mut Context, args: &Args) -> Result<Value> {
    let items = elements(context, args, "xs")?;
    Ok(Value::list(
        items.into_iter().enumerate().map(|(k, v)| Value::list(vec![Value::int(k as i64), v])).collect(),
    ))
}

fn truths(context: &mut Context, args: &Args) -> Result<Vec<bool>> {
    let items = elements(context, args, "conditions")?;
    items
        .iter()
        .map(|v| match decide::decide(context, v, args.span)? {
            Some(truth) => Ok(truth),
            None => Err(decide::undecided(context, v, args.span)),
        })
        .collect()
}

fn all(context: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::boolean(truths(context, args)?.into_iter().all(|b| b)))
}

fn any(context: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::boolean(truths(context, args)?.into_iter().any(|b| b)))
}

/// The rows of a matrix, or the fault that it is none.
pub fn rows(args: &Args, name: &str) -> Result<Vec<Vec<Value>>> {
    let items = args.list(name)?;
    if !value::is_matrix(&items) {
        return Err(fault(
            6006,
            args.span_of(name),
            format!("`{name}` expects a matrix, a list of rows of one length"),
        ));
    }
    Ok(items.iter().filter_map(|r| op::as_list(r).map(|l| l.to_vec())).collect())
}
