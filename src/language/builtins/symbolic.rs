//! Expressions as things: their parts, their printed forms, laws and fields.

use std::sync::Arc;

use super::Body;
use super::elementary::each;
use crate::algebra::{self, Verdict};
use crate::expression::{Declarations, Expr, Kind, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::statements::declaration;
use crate::language::value::{Answer, Field, Law, Record, Value};
use crate::language::{decide, dimension};
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("substitute", substitute),
    ("symbols", symbols),
    ("equivalent", equivalent),
    ("identical", identical),
    ("size", size),
    ("latex", latex),
    ("sympy", sympy),
    ("srepr", sympy),
    ("from_sympy", from_text),
    ("from_latex", from_text),
    ("prefix", prefix),
    ("pretty", pretty),
    ("left", side),
    ("right", side),
    ("law", law),
    ("field", field),
    ("unit_of", unit_of),
    ("dimension_of", dimension_of),
    ("kind_of", kind_of),
];

fn substitute(context: &mut Context, args: &Args) -> Result<Value> {
    let (old, new) = (args.expr("old")?, args.expr("new")?);
    let value = args.value("expr")?.clone();
    each(context, &value, args, &|context, e| {
        let e = match old.as_symbol() {
            Some(s) => e.substitute(&[(s.clone(), new.clone())]),
            None => e.replace(&old, &new),
        };
        context.checked(e, args.span)
    })
}

fn symbols(_: &mut Context, args: &Args) -> Result<Value> {
    let e = args.expr("expr")?;
    Ok(Value::list(e.symbols().into_iter().map(|s| Value::Expr(Expr::symbol(s))).collect()))
}

/// The declarations of the context, with those of laws among the arguments.
fn declarations_of(context: &Context, values: &[&Value]) -> Declarations {
    let mut all = context.declarations.clone();
    for v in values {
        match v.plain() {
            Value::Law(law) => all = law.declarations.or(&all),
            Value::Front(f) => all = all.or(&f.declarations),
            _ => {}
        }
    }
    all
}

fn equivalent(context: &mut Context, args: &Args) -> Result<Value> {
    let (a, b) = (args.expr("a")?, args.expr("b")?);
    op::same_units(context, &a, &b, args.span)?;
    let declarations = declarations_of(context, &[args.value("a")?, args.value("b")?]);
    let verdict = decide::verdict(context, &a, &b, &declarations, args.span)?;
    let (truth, remark) = match verdict {
        Verdict::Proved => (true, "proved".to_string()),
        Verdict::Held { points } => (true, format!("held at {points} points")),
        Verdict::Counterexample { point, a, b } => {
            let number = |v: f64| crate::expression::print::float(v, &context.style);
            let at: Vec<String> = point.iter().map(|(s, v)| format!("{s} = {}", number(*v))).collect();
            let place = if at.is_empty() { String::new() } else { format!(" at {}", at.join(", ")) };
            (false, format!("differ{place}: {} and {}", number(a), number(b)))
        }
        Verdict::Undecided => {
            return Err(fault_hint(
                6010,
                args.span,
                "expected something that can be decided, found no point where both sides have a value",
                "declare where the symbols live: `var x in 1..5`",
            ));
        }
    };
    Ok(Value::Answer(Arc::new(Answer {
        value: Value::boolean(truth),
        conditions: Vec::new(),
        remark: None,
        shown: Some(remark),
        stopped: None,
    })))
}

fn identical(_: &mut Context, args: &Args) -> Result<Value> {
    fn same(a: &Value, b: &Value) -> bool {
        match (a.plain(), b.plain()) {
            (Value::List(x), Value::List(y)) => {
                x.len() == y.len() && x.iter().zip(y.iter()).all(|(p, q)| same(p, q))
            }
            (Value::Text(x), Value::Text(y)) => x == y,
            (Value::Record(x), Value::Record(y)) => {
                x.entries.len() == y.entries.len()
                    && x.entries.iter().all(|(n, v)| y.get(n).is_some_and(|w| same(v, w)))
            }
            (x, y) => match (x.as_expr(), y.as_expr()) {
                (Some(x), Some(y)) => x == y,
                _ => false,
            },
        }
    }
    Ok(Value::boolean(same(args.value("a")?, args.value("b")?)))
}

fn size(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::int(algebra::size(&args.expr("expr")?) as i64))
}

fn latex(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::text(latex_of(args.value("expr")?, args)?))
}

/// A value in LaTeX.
fn latex_of(value: &Value, args: &Args) -> Result<String> {
    if let Some(items) = op::as_list(value) {
        let items: Result<Vec<String>> = items.iter().map(|v| latex_of(v, args)).collect();
        return Ok(format!(r"\left[ {} \right]", items?.join(", ")));
    }
    Ok(op::expr_of(value, args.span)?.latex())
}

/// `sympy` and `srepr`.
fn sympy(_: &mut Context, args: &Args) -> Result<Value> {
    fn text(value: &Value, args: &Args) -> Result<String> {
        if let Some(items) = op::as_list(value) {
            let items: Result<Vec<String>> = items.iter().map(|v| text(v, args)).collect();
            return Ok(format!("[{}]", items?.join(", ")));
        }
        let e = op::expr_of(value, args.span)?;
        Ok(if &*args.signature.name == "srepr" { e.srepr() } else { e.sympy() })
    }
    Ok(Value::text(text(args.value("expr")?, args)?))
}

/// `from_sympy` and `from_latex`.
fn from_text(context: &mut Context, args: &Args) -> Result<Value> {
    let text = args.word("text")?;
    let read = if &*args.signature.name == "from_sympy" { Expr::from_sympy } else { Expr::from_latex };
    let e = read(&text).map_err(|e| lift(&e, args.span_of("text")))?;
    context.checked(e, args.span)
}

fn prefix(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::text(args.expr("expr")?.prefix()))
}

fn pretty(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::text(args.expr("expr")?.pretty().join("\n")))
}

fn side(_: &mut Context, args: &Args) -> Result<Value> {
    let e = args.expr("equation")?;
    match e.kind() {
        Kind::Relation(_, a, b) => {
            Ok(Value::Expr(if &*args.signature.name == "left" { a.clone() } else { b.clone() }))
        }
        _ => Err(fault(6006, args.span, "expected one equation or inequality")),
    }
}

fn law(context: &mut Context, args: &Args) -> Result<Value> {
    let formula = args.expr("formula")?;
    let Value::Record(variables) = args.value("variables")?.plain() else {
        return Err(args.wrong("variables", "a record of domains", args.value("variables")?));
    };
    let mut declarations = Declarations::new();
    let mut order = Vec::new();
    for (name, domain) in &variables.entries {
        let declared = declaration(None, &[], Some((domain.clone(), args.span_of("variables"))))?;
        declarations.insert(Symbol::new(name), declared);
        order.push(Symbol::new(name));
    }
    for s in formula.symbols() {
        if declarations.get(&s).is_none() {
            return Err(fault_hint(
                6030,
                args.span_of("formula"),
                format!("expected a domain for every symbol of the formula, found none for `{s}`"),
                format!("variables: {{{s}: 1..5}}"),
            ));
        }
    }
    let found =
        dimension::of(&formula, &declarations).map_err(|m| op::unit_fault(&m, args.span_of("formula")))?;
    let unit = match args.get("unit") {
        Some(v) => {
            let e = op::expr_of(v, args.span_of("unit"))?;
            let unit = match e.split_unit() {
                (_, Some(u)) => u,
                _ if e.is_plain_number() => Unit::one(),
                _ => return Err(fault_hint(6006, args.span_of("unit"), "expected a unit", "unit: 1 [N]")),
            };
            if let Some(d) = found.filter(|d| *d != unit.dimension()) {
                let message = format!("the formula is in [{}], found the unit [{unit}]", Unit::coherent(d));
                return Err(fault(6021, args.span_of("unit"), message));
            }
            Some(unit)
        }
        None => found.map(Unit::coherent),
    };
    let source = args.word("source")?;
    let _ = &context;
    Ok(Value::Law(Arc::new(Law {
        name: None,
        formula,
        declarations,
        order,
        unit,
        source: (!source.is_empty()).then_some(source),
    })))
}

/// Members of a law.
pub fn law_member(l: &Law, name: &str) -> (Option<Value>, Vec<String>) {
    let known = ["formula", "variables", "unit", "source"].map(String::from).to_vec();
    let value = match name {
        "formula" => Value::Expr(l.formula.clone()),
        "variables" => {
            let entries = l
                .order
                .iter()
                .filter_map(|s| {
                    let ends = l.declarations.get(s)?.written.clone()?;
                    let value = match ends.as_slice() {
                        [low, high] => Value::Range(low.clone(), high.clone()),
                        many => Value::list(many.iter().cloned().map(Value::Expr).collect()),
                    };
                    Some((s.name().into(), value))
                })
                .collect();
            Value::Record(Arc::new(Record { entries }))
        }
        "unit" => Value::text(l.unit.as_ref().map_or_else(|| "1".to_string(), Unit::to_string)),
        "source" => Value::text(l.source.as_deref().unwrap_or("")),
        _ => return (None, known),
    };
    (Some(value), known)
}

fn field(_: &mut Context, args: &Args) -> Result<Value> {
    let variables: Result<Vec<Symbol>> = args
        .list("variables")?
        .iter()
        .map(|v| {
            let e = op::expr_of(v, args.span)?;
            e.as_symbol()
                .cloned()
                .ok_or_else(|| fault(6006, args.span, format!("expected the field's variables, found `{e}`")))
        })
        .collect();
    let variables = variables?;
    if variables.is_empty() {
        return Err(fault_hint(6004, args.span, "a field needs at least one variable", "field(x, t)"));
    }
    Ok(Value::Field(Arc::new(Field { name: Symbol::new(""), variables })))
}

fn unit_of(context: &mut Context, args: &Args) -> Result<Value> {
    let unit = match args.value("x")?.plain() {
        Value::Column(c) => c.unit.clone().unwrap_or_else(Unit::one),
        Value::Law(l) => l.unit.clone().unwrap_or_else(Unit::one),
        other => {
            let e = op::expr_of(other, args.span)?;
            match e.split_unit().1 {
                Some(u) => u,
                None => Unit::coherent(known_dimension(context, &e, args)?),
            }
        }
    };
    Ok(Value::text(unit.to_string()))
}

fn known_dimension(context: &Context, e: &Expr, args: &Args) -> Result<crate::units::Dimension> {
    match dimension::of(e, &context.declarations).map_err(|m| op::unit_fault(&m, args.span))? {
        Some(d) => Ok(d),
        None if e.is_zero() => Ok(crate::units::Dimension::NONE),
        None => {
            let open = e.symbols().into_iter().find(|s| context.declarations.get(s).is_none());
            let hint = open.map_or_else(|| "var x [m]".to_string(), |s| format!("var {s} [m]"));
            Err(fault_hint(6023, args.span, "expected a known unit, found a symbol of unknown unit", hint))
        }
    }
}

fn dimension_of(context: &mut Context, args: &Args) -> Result<Value> {
    let d = match args.value("x")?.plain() {
        Value::Column(c) => c.unit.as_ref().map_or(crate::units::Dimension::NONE, Unit::dimension),
        Value::Law(l) => l.unit.as_ref().map_or(crate::units::Dimension::NONE, Unit::dimension),
        other => {
            let e = op::settle(&op::expr_of(other, args.span)?);
            known_dimension(context, &e, args)?
        }
    };
    Ok(Value::text(d.to_string()))
}

fn kind_of(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(Value::text(args.value("x")?.kind_name()))
}
