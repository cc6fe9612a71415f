//! Output and texts.

use super::Body;
use crate::base::Event;
use crate::expression::print::Style;
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault};
use crate::language::render;
use crate::language::value::Value;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("print", print), ("text", text), ("join", join)];

fn print(context: &mut Context, args: &Args) -> Result<Value> {
    let items = args.list("items")?;
    let is_figure = |v: &&Value| matches!(v.plain(), Value::Figure(_));
    let parts: Vec<String> =
        items.iter().filter(|v| !is_figure(v)).map(|v| render::plain(v, &context.style)).collect();
    if !parts.is_empty() || items.is_empty() {
        context.events.send(Event::Text(parts.join(" ")));
    }
    // Figures are drawn by who listens, below the line.
    for item in items.iter() {
        if let Value::Figure(f) = item.plain() {
            context.events.send(Event::Figure(f.clone()));
        }
    }
    Ok(Value::Nothing)
}

fn text(context: &mut Context, args: &Args) -> Result<Value> {
    let digits = args.integer("digits")?;
    if !(1..=17).contains(&digits) {
        return Err(fault(6006, args.span_of("digits"), format!("expected 1 to 17 digits, found {digits}")));
    }
    let style = Style { digits: Some(digits as usize), ..context.style.clone() };
    let value = match args.value("x")?.plain() {
        Value::Expr(e) if args.is_given("digits") && !e.is_symbolic() && e.as_i64().is_none() => {
            match e.evaluate(&|_| None) {
                Some(x) if e.split_unit().1.is_none() => Value::Expr(crate::expression::Expr::float(x)),
                _ => Value::Expr(e.clone()),
            }
        }
        other => other.clone(),
    };
    Ok(Value::text(render::plain(&value, &style)))
}

fn join(context: &mut Context, args: &Args) -> Result<Value> {
    if args.get("left").is_some() {
        return super::tables::join(context, args);
    }
    let separator = args.word("separator")?;
    let parts: Vec<String> = args.list("texts")?.iter().map(|v| render::plain(v, &context.style)).collect();
    Ok(Value::text(parts.join(&separator)))
}
