//! Values as JSON: the exact one-line form, SymPy, LaTeX and the unit, each where the value has one.

use serde_json::{Map, Value as Json, json};

use crate::base::{Diagnostic, Severity};
use crate::expression::Expr;
use crate::expression::print::Style;
use crate::language::{Value, render};
use crate::session::{Sources, Status};

/// The expressions of a value: itself, or the elements of a list.
enum Form {
    One(Expr),
    Many(Vec<Form>),
}

fn form(value: &Value) -> Option<Form> {
    match value.plain() {
        Value::List(items) => items.iter().map(form).collect::<Option<Vec<Form>>>().map(Form::Many),
        Value::Front(front) => front.chosen().map(|c| Form::One(c.expr.clone())),
        Value::Fit(fit) => Some(Form::One(fit.law())),
        other => other.as_expr().map(Form::One),
    }
}

fn spell(form: &Form, open: &str, close: &str, one: &impl Fn(&Expr) -> String) -> String {
    match form {
        Form::One(e) => one(e),
        Form::Many(items) => {
            let items: Vec<String> = items.iter().map(|f| spell(f, open, close, one)).collect();
            format!("{open}{}{close}", items.join(", "))
        }
    }
}

/// The unit of a number with one.
fn unit(value: &Value) -> Option<String> {
    let Value::Expr(e) = value.plain() else { return None };
    if e.is_symbolic() {
        return None;
    }
    let si = e.evaluate(&|_| None)?;
    render::in_unit(e, si, 0.0).0.filter(|u| !u.is_one()).map(|u| u.to_string())
}

/// The exact one-line form (floats in the shortest digits that read back), SymPy, LaTeX and unit.
pub fn fields(value: &Value) -> Map<String, Json> {
    let form = form(value);
    let text = |open: &str, close: &str, one: &dyn Fn(&Expr) -> String| {
        form.as_ref().map_or(Json::Null, |f| Json::from(spell(f, open, close, &|e| one(e))))
    };
    let mut fields = Map::new();
    fields.insert("value".into(), Json::from(render::line(value, &Style::exact())));
    fields.insert("sympy".into(), text("[", "]", &Expr::sympy));
    fields.insert("latex".into(), text("\\left[", "\\right]", &Expr::latex));
    fields.insert("unit".into(), unit(value).map_or(Json::Null, Json::from));
    fields
}

/// A diagnostic.
pub fn diagnostic(d: &Diagnostic, sources: &Sources) -> Json {
    let place = d.span.and_then(|span| Some((sources.get(span.source)?, span)));
    let at = place.as_ref().map(|(source, span)| source.line_column(span.start));
    json!({
        "severity": match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        },
        "code": d.code.to_string(),
        "message": d.message,
        "source": place.as_ref().map(|(source, _)| source.name.to_string()),
        "line": at.map(|(line, _)| line),
        "column": at.map(|(_, column)| column),
        "hint": d.hint,
    })
}

/// A value that was shown, with its one-line form.
pub fn shown(value: &Value, text: &str) -> Json {
    let mut entry = Map::new();
    entry.insert("kind".into(), Json::from(value.kind_name()));
    entry.insert("text".into(), Json::from(text));
    entry.append(&mut fields(value));
    Json::Object(entry)
}

/// The word of a status.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Done => "done",
        Status::Faulty => "faulty",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    }
}

/// What `phys run --json` writes.
pub fn outcome(
    status: Status,
    values: Vec<Json>,
    diagnostics: &[Diagnostic],
    sources: &Sources,
    seed: u64,
) -> Json {
    json!({
        "schema": 1,
        "status": self::status(status),
        "seed": seed,
        "values": values,
        "diagnostics": diagnostics.iter().map(|d| diagnostic(d, sources)).collect::<Vec<_>>(),
    })
}

/// A number, or null where JSON has none.
pub fn number(x: f64) -> Json {
    serde_json::Number::from_f64(x).map_or(Json::Null, Json::Number)
}
