//! Values as JSON.

use serde_json::{Value as Json, json};

use crate::base::Diagnostic;
use crate::expression::print::Style;
use crate::language::Value;
use crate::language::render;
use crate::session::Session;

/// A value: kind, text, and where it is an expression its SymPy, LaTeX and unit.
pub fn value(v: &Value) -> Json {
    let style = Style::default();
    json!({
        "kind": v.kind_name(),
        "text": render::line(v, &style),
        "sympy": sympy(v),
        "latex": latex(v),
        "unit": unit(v),
    })
}

fn items<T>(v: &Value, f: &dyn Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match v.plain() {
        Value::List(list) => list.iter().map(f).collect(),
        _ => None,
    }
}

/// The value as SymPy reads it.
pub fn sympy(v: &Value) -> Option<String> {
    match items(v, &sympy) {
        Some(list) => Some(format!("[{}]", list.join(", "))),
        None => v.as_expr().map(|e| e.sympy()),
    }
}

/// The value in LaTeX.
pub fn latex(v: &Value) -> Option<String> {
    match items(v, &latex) {
        Some(list) => Some(format!("\\left[ {} \\right]", list.join(", "))),
        None => v.as_expr().map(|e| e.latex()),
    }
}

/// The unit a quantity is shown in.
pub fn unit(v: &Value) -> Option<String> {
    let e = v.as_expr()?;
    match e.split_unit().1 {
        Some(u) => Some(u.to_string()),
        None if e.is_symbolic() || e.flags().has(crate::expression::Flags::LOGIC) => None,
        None => render::in_unit(&e, 0.0, 0.0).0.map(|u| u.to_string()),
    }
}

/// A diagnostic: code, message, column (from 1, in characters), hint.
pub fn diagnostic(d: &Diagnostic, session: &Session) -> Json {
    let place =
        d.span.and_then(|s| session.context.sources.get(&s.source).map(|source| source.line_column(s.start)));
    json!({
        "code": d.code.to_string(),
        "message": d.message,
        "line": place.map(|p| p.0),
        "column": place.map_or(1, |p| p.1),
        "hint": d.hint,
    })
}
