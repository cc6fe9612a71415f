//! Elementary functions and numbers.

use super::Body;
use crate::base::{Code, Number};
use crate::expression::{Expr, Function, Kind};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::decide;
use crate::language::error::{Result, fault};
use crate::language::operations as op;
use crate::language::value::Value;
use crate::syntax::tree::Operator;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("sqrt", sqrt),
    ("cbrt", cbrt),
    ("exp", function),
    ("log", function),
    ("ln", function),
    ("log10", function),
    ("log2", function),
    ("sin", function),
    ("cos", function),
    ("tan", function),
    ("asin", function),
    ("acos", function),
    ("atan", function),
    ("atan2", function),
    ("sinh", function),
    ("cosh", function),
    ("tanh", function),
    ("asinh", function),
    ("acosh", function),
    ("atanh", function),
    ("abs", function),
    ("sign", function),
    ("step", function),
    ("floor", function),
    ("ceil", function),
    ("round", function),
    ("mod", function),
    ("factorial", function),
    ("gamma", function),
    ("loggamma", function),
    ("erf", function),
    ("erfc", function),
    ("re", function),
    ("im", function),
    ("conj", function),
    ("arg", function),
    ("float", float),
    ("exact", exact),
    ("nominal", nominal),
    ("uncertainty", uncertainty),
    ("close", close),
    ("clamp", clamp),
    ("gcd", gcd),
];

fn function(context: &mut Context, args: &Args) -> Result<Value> {
    let name: &str = &args.signature.name;
    let f = Function::from_name(if name == "ln" { "log" } else { name })
        .ok_or_else(|| fault(6001, args.span, format!("`{name}` has no body")))?;
    let values: Vec<Value> = args.values.iter().flatten().cloned().collect();
    if f == Function::Mod && values.get(1).and_then(Value::as_expr).is_some_and(|e| e.is_zero()) {
        return Err(fault(6012, args.span_of("b"), "expected a divisor other than zero, found 0"));
    }
    op::call_function(context, f, &values, args.span).map_err(|mut e| {
        // What is wrong with the number is shown at the number.
        if e.code == Code(6006) && e.span == Some(args.span) {
            e.span = args.spans.first().copied().or(e.span);
        }
        e
    })
}

fn sqrt(context: &mut Context, args: &Args) -> Result<Value> {
    op::binary(context, Operator::Pow, args.value("x")?, &Value::Expr(Expr::number(Number::HALF)), args.span)
}

fn cbrt(context: &mut Context, args: &Args) -> Result<Value> {
    op::binary(context, Operator::Pow, args.value("x")?, &Value::Expr(Expr::ratio(1, 3)), args.span)
}

/// Applies `f` to an expression, or to each element of a list.
pub fn each(
    context: &mut Context,
    value: &Value,
    args: &Args,
    f: &dyn Fn(&mut Context, &Expr) -> Result<Value>,
) -> Result<Value> {
    if let Some(items) = op::as_list(value) {
        let items: Result<Vec<Value>> = items.iter().map(|v| each(context, v, args, f)).collect();
        return Ok(Value::list(items?));
    }
    let e = op::expr_of(value, args.span)?;
    f(context, &e)
}

fn float(context: &mut Context, args: &Args) -> Result<Value> {
    each(context, args.value("x")?, args, &|_, e| {
        if e.is_symbolic() {
            return Ok(Value::Expr(e.transform(&mut |e| match e.kind() {
                Kind::Number(n) if !n.is_integer() => Expr::float(n.to_f64()),
                _ => e,
            })));
        }
        let (number, unit) = e.split_unit();
        let value = match number.evaluate(&|_| None) {
            Some(x) => Expr::float(x),
            None => match number.evaluate_complex(&|_| None) {
                Some((re, im)) => Expr::sum([Expr::float(re), Expr::product([Expr::float(im), Expr::i()])]),
                None => {
                    return Err(fault(6012, args.span, "expected a number, found something without a value"));
                }
            },
        };
        Ok(Value::Expr(match unit {
            Some(u) => Expr::product([value, Expr::unit(u)]),
            None => value,
        }))
    })
}

fn exact(context: &mut Context, args: &Args) -> Result<Value> {
    each(context, args.value("x")?, args, &|_, e| {
        Ok(Value::Expr(e.transform(&mut |e| match e.kind() {
            Kind::Float(x) => Number::from_f64_decimal(*x).map_or(e, Expr::number),
            _ => e,
        })))
    })
}

fn nominal(context: &mut Context, args: &Args) -> Result<Value> {
    each(context, args.value("x")?, args, &|_, e| {
        Ok(Value::Expr(e.transform(&mut |e| match e.kind() {
            Kind::Uncertain(u) => Expr::float(u.value()),
            _ => e,
        })))
    })
}

fn uncertainty(context: &mut Context, args: &Args) -> Result<Value> {
    each(context, args.value("x")?, args, &|_, e| {
        let Some((value, sigma)) = e.uncertainty() else {
            return Err(fault(6006, args.span, "expected a number, found symbols"));
        };
        let (unit, _, sigma) = crate::language::render::in_unit(e, value, sigma);
        let sigma = Expr::float(sigma);
        Ok(Value::Expr(match unit {
            Some(u) => Expr::product([sigma, Expr::unit(u)]),
            None => sigma,
        }))
    })
}

fn close(context: &mut Context, args: &Args) -> Result<Value> {
    let (a, b) = (args.value("a")?.clone(), args.value("b")?.clone());
    let (rel, abs) = (args.real("rel")?, args.real("abs")?);
    Ok(Value::boolean(close_values(context, args, &a, &b, rel, abs)?))
}

fn close_values(
    context: &mut Context,
    args: &Args,
    a: &Value,
    b: &Value,
    rel: f64,
    abs: f64,
) -> Result<bool> {
    if let (Some(x), Some(y)) = (op::as_list(a), op::as_list(b)) {
        if x.len() != y.len() {
            return Err(fault(
                6014,
                args.span,
                format!("expected lists of equal length, found {} and {} elements", x.len(), y.len()),
            ));
        }
        for (p, q) in x.iter().zip(y.iter()) {
            if !close_values(context, args, p, q, rel, abs)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let (x, y) =
        (op::settle(&op::expr_of(a, args.span_of("a"))?), op::settle(&op::expr_of(b, args.span_of("b"))?));
    op::same_units(context, &x, &y, args.span)?;
    match (x.evaluate_complex(&|_| None), y.evaluate_complex(&|_| None)) {
        (Some(p), Some(q)) => {
            let distance = (p.0 - q.0).hypot(p.1 - q.1);
            let size = p.0.hypot(p.1).max(q.0.hypot(q.1));
            Ok(distance <= (rel * size).max(abs))
        }
        _ => match decide::equal(context, &x, &y, args.span)? {
            Some(truth) => Ok(truth),
            None => Err(decide::undecided(context, &Value::Expr(Expr::equation(x, y)), args.span)),
        },
    }
}

fn clamp(context: &mut Context, args: &Args) -> Result<Value> {
    let low = op::call_function(
        context,
        Function::Max,
        &[args.value("x")?.clone(), args.value("low")?.clone()],
        args.span,
    )?;
    op::call_function(context, Function::Min, &[low, args.value("high")?.clone()], args.span)
}

fn gcd(_: &mut Context, args: &Args) -> Result<Value> {
    let (a, b) = (args.expr("a")?, args.expr("b")?);
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) if a.is_integer() && b.is_integer() => Ok(Value::Expr(Expr::number(a.gcd(b)))),
        _ => Err(fault(6006, args.span, "expected two integers")),
    }
}
