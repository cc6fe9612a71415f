//! How values look: the one-line form. Numbers to the digits of the style, quantities with their unit,
//! uncertain numbers with two digits of their error.

use super::dimension;
use super::value::{Answer, Field, FrontValue, Function, Value};
use crate::base::StopReason;
use crate::expression::print::{self, Style};
use crate::expression::{Expr, Flags, Kind};
use crate::units::Unit;

/// The one-line form of a value.
pub fn line(value: &Value, style: &Style) -> String {
    let line = |value: &Value, style: &Style| match value {
        // Within something else nothing is a value that is missing.
        Value::Nothing => "missing".to_string(),
        value => line(value, style),
    };
    match value {
        Value::Expr(e) => expr(e, style),
        Value::Text(t) => format!("\"{}\"", escape(t)),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|v| line(v, style)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Record(r) => {
            let entries: Vec<String> =
                r.entries.iter().map(|(n, v)| format!("{n}: {}", line(v, style))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Range(low, high) => range(low, high, style),
        Value::Function(f) => function(f),
        Value::Law(l) => expr(&l.formula, style),
        Value::Field(f) => field(f),
        Value::Dataset(d) => dataset(d),
        Value::Column(c) => column(c, style),
        Value::Fit(f) => {
            let parts: Vec<String> = f
                .result
                .parameters
                .iter()
                .filter_map(|(s, _)| f.parameter(s.name()).map(|e| format!("{s} = {}", expr(&e, style))))
                .collect();
            let early = matches!(f.result.stopped, StopReason::Cancelled | StopReason::Time);
            let note = if early { format!("   (stopped: {})", f.result.stopped) } else { String::new() };
            format!("{}{note}", parts.join(", "))
        }
        Value::Front(f) => front(f, style),
        Value::Figure(f) => f.summary(),
        Value::System(s) => system(s, style),
        #[cfg(feature = "networks")]
        Value::Network(n) => n.to_string(),
        #[cfg(feature = "networks")]
        Value::Part(p) => p.to_string(),
        #[cfg(feature = "networks")]
        Value::Model(m) => super::builtins::training::line(m),
        Value::Module(m) => format!("module {}", m.name),
        Value::Answer(a) => answer(a, style),
        Value::Nothing => String::new(),
    }
}

/// The form that `print` and string interpolation use: texts without quotes.
pub fn plain(value: &Value, style: &Style) -> String {
    match value {
        Value::Text(t) => t.to_string(),
        other => line(other, style),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn function(f: &Function) -> String {
    match f {
        Function::Builtin(name) => name.to_string(),
        Function::User(user) => {
            let params: Vec<&str> = user.params.iter().map(|p| &*p.name.name).collect();
            format!(
                "{}({}) = {}",
                user.name,
                params.join(", "),
                crate::syntax::print_expr(&user.tree, user.body)
            )
        }
        Function::Operator(op) => {
            use crate::syntax::tree::Operator::*;
            match op {
                Add => "+",
                Sub => "-",
                Mul => "*",
                Div => "/",
                Pow => "^",
            }
            .into()
        }
    }
}

/// The equations, one a line, and the states at the start with their units.
fn system(s: &super::system::System, style: &Style) -> String {
    let over = match s.over_unit.is_one() {
        true => s.over.to_string(),
        false => format!("{} [{}]", s.over, s.over_unit),
    };
    let mut lines = vec![format!("system in {over}")];
    lines.extend(s.equations.iter().map(|e| format!("  {}", expr(e, style))));
    let start = |s: &super::system::State| {
        format!("{} = {}", s.symbol, expr(&super::builtins::systems::quantity(s.initial, &s.unit), style))
    };
    let starts: Vec<String> = s.states.iter().map(start).collect();
    lines.push(format!("  at the start {}", starts.join(", ")));
    if !s.parameters.is_empty() {
        let shown = |p: &super::system::Parameter| {
            format!("{} = {}", p.symbol, expr(&super::builtins::systems::quantity(p.value, &p.unit), style))
        };
        let names: Vec<String> = s.parameters.iter().map(shown).collect();
        lines.push(format!("  with {}", names.join(", ")));
    }
    lines.join("\n")
}

/// `dataset of 10 rows: name, a [AU], T [day]`.
fn dataset(d: &crate::data::Dataset) -> String {
    let headers: Vec<String> = d.columns().iter().map(|c| c.shown_header()).collect();
    let rows = d.rows();
    format!("dataset of {rows} row{}: {}", if rows == 1 { "" } else { "s" }, headers.join(", "))
}

/// The first and last elements of a column.
fn column(c: &crate::data::Column, style: &Style) -> String {
    let shown = |k: usize| match (c.arrays(), super::operations::column_element(c, k)) {
        (Some(stack), _) if !c.is_missing(k) => match c.unit.as_ref().filter(|u| !u.is_one()) {
            Some(unit) => format!("{} [{unit}]", stack.text(k)),
            None => stack.text(k),
        },
        (_, Value::Nothing) => "missing".to_string(),
        (_, value) => line(&value, style),
    };
    let n = c.len();
    let items: Vec<String> = if n <= 10 {
        (0..n).map(shown).collect()
    } else {
        (0..5).map(shown).chain(["...".to_string()]).chain((n - 3..n).map(shown)).collect()
    };
    format!("[{}]", items.join(", "))
}

fn range(low: &Expr, high: &Expr, style: &Style) -> String {
    let unit = high.split_unit().1;
    match low.split_unit() {
        (number, Some(own)) if unit.as_ref() == Some(&own) => {
            let number = if number.is_zero() { Expr::zero() } else { number };
            format!("{}..{}", expr(&number, style), expr(high, style))
        }
        _ => format!("{}..{}", expr(low, style), expr(high, style)),
    }
}

fn field(f: &Field) -> String {
    let variables: Vec<&str> = f.variables.iter().map(|v| v.name()).collect();
    format!("{}({})", f.name, variables.join(", "))
}

fn answer(a: &Answer, style: &Style) -> String {
    let mut text = a.shown.clone().unwrap_or_else(|| line(&a.value, style));
    let mut remarks: Vec<String> = a.conditions.iter().map(|c| expr(c, style)).collect();
    remarks.extend(a.remark.clone());
    if let Some(stopped) = a
        .stopped
        .filter(|s| !matches!(s, crate::base::StopReason::Found | crate::base::StopReason::Saturated))
    {
        remarks.push(format!("stopped: {stopped}"));
    }
    if !remarks.is_empty() {
        text.push_str(&format!("   ({})", remarks.join(", ")));
    }
    text
}

/// The one-line form of an expression: numbers are carried out where there is a float, a unit or an
/// uncertainty; exact ones stay exact.
pub fn expr(e: &Expr, style: &Style) -> String {
    match e.kind() {
        Kind::Relation(op, a, b) => return format!("{} {} {}", expr(a, style), op.sign(), expr(b, style)),
        Kind::Bool(b) => return b.to_string(),
        _ => {}
    }
    if e.is_symbolic() {
        let shown = uncertain_constants(e);
        return shown.display(style);
    }
    if e.flags().has(Flags::UNCERTAIN)
        && let Some((value, sigma)) = e.uncertainty()
    {
        let (unit, value, sigma) = in_unit(e, value, sigma);
        let number = print::uncertain(value, sigma);
        return match unit {
            Some(unit) => format!("{number} [{unit}]"),
            None => number,
        };
    }
    if e.flags().has(Flags::FLOAT) && !e.flags().has(Flags::LOGIC) {
        if let Some(value) = e.evaluate(&|_| None) {
            let (unit, value, _) = in_unit(e, value, 0.0);
            let number = print::float(value, style);
            return match unit {
                Some(unit) => format!("{number} [{unit}]"),
                None => number,
            };
        }
        if let Some((re, im)) = e.evaluate_complex(&|_| None)
            && re.is_finite()
            && im.is_finite()
        {
            return Expr::sum([Expr::float(re), Expr::product([Expr::float(im), Expr::i()])]).display(style);
        }
    }
    e.display(style)
}

/// A formula in two dimensions, within a width, with its conditions behind it; `None` where one line says it as well
/// (numbers, other values, what has neither fraction nor root nor raised exponent) or it does not fit.
pub fn formula(value: &Value, style: &Style, width: usize) -> Option<Vec<String>> {
    let e = match value.plain() {
        Value::Expr(e) => e.clone(),
        Value::Law(l) => l.formula.clone(),
        _ => return None,
    };
    let mut conditions = String::new();
    if let Value::Answer(a) = value {
        if a.shown.is_some() || a.remark.is_some() {
            return None;
        }
        let whole = answer(a, style);
        let start = whole.len() - whole.strip_prefix(&line(&a.value, style))?.len();
        conditions = whole[start..].trim_start().to_string();
    }
    if !e.is_symbolic() {
        return None;
    }
    let shown = uncertain_constants(&e);
    if shown.pretty_within(style, usize::MAX)?.len() < 2 {
        return None;
    }
    let mut rows = shown.pretty_within(style, width)?;
    if !conditions.is_empty() {
        rows.push(conditions);
    }
    Some(rows)
}

/// The unit a plain quantity is shown in, with value and uncertainty (given in SI) in that unit.
pub fn in_unit(e: &Expr, si: f64, sigma: f64) -> (Option<Unit>, f64, f64) {
    let unit = match e.split_unit().1 {
        Some(unit) => Some(unit),
        None => match dimension::of(e, &crate::expression::Declarations::new()) {
            Ok(Some(d)) if !d.is_none() => {
                first_unit(e).filter(|u| u.dimension() == d).or_else(|| Some(Unit::coherent(d)))
            }
            _ => None,
        },
    };
    match unit {
        Some(unit) if unit.is_ordinary() => {
            let factor = unit.scale().to_f64();
            (Some(unit), si / factor, sigma / factor)
        }
        Some(unit) => {
            // The product holds the number as written on the offset scale.
            let value = e.split_unit().0.evaluate(&|_| None).unwrap_or(si);
            (Some(unit), value, sigma)
        }
        None => (None, si, sigma),
    }
}

fn first_unit(e: &Expr) -> Option<Unit> {
    e.terms().iter().find_map(|t| t.split_unit().1)
}

/// In an expression with symbols, uncertain numbers are shown by their value (the front's table and the fit say
/// the uncertainty).
fn uncertain_constants(e: &Expr) -> Expr {
    if !e.flags().has(Flags::UNCERTAIN) {
        return e.clone();
    }
    e.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => Expr::float(u.value()),
        _ => e,
    })
}

/// The front as a table, the chosen law marked.
pub fn front(f: &FrontValue, style: &Style) -> String {
    let mut rows: Vec<[String; 4]> =
        vec![["size".into(), "loss".into(), "R2".into(), format!("{} =", f.target)]];
    let chosen = f.chosen_index();
    let short = Style { digits: Some(4), ..style.clone() };
    for (place, c) in f.found.front.candidates().iter().enumerate() {
        let mark = if Some(place) == chosen { "* " } else { "  " };
        rows.push([
            format!("{mark}{}", c.size),
            print::float(c.loss, &short),
            print::float(c.r2, &Style { digits: Some(6), ..style.clone() }),
            match f.words.get(place) {
                Some(words) => words.clone(),
                None => format!("{}{}", expr(&c.expr, style), constants_note(c, style)),
            },
        ]);
    }
    let width = |k: usize| {
        rows.iter().map(|r| unicode_width::UnicodeWidthStr::width(r[k].as_str())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..3).map(width).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|r| {
            let mut text = String::new();
            for k in 0..3 {
                let pad = widths[k] - unicode_width::UnicodeWidthStr::width(r[k].as_str());
                text.push_str(&" ".repeat(pad));
                text.push_str(&r[k]);
                text.push_str("  ");
            }
            text.push_str(&r[3]);
            text.trim_end().to_string()
        })
        .collect();
    if let Some(parts) = chosen.and_then(|k| f.parts.get(k)) {
        let short = |(n, e): &(crate::syntax::tree::Name, Expr)| format!("{n} = {}", expr(e, style));
        lines.push(parts.iter().map(short).collect::<Vec<_>>().join(", "));
    }
    if let Some(table) = chosen.and_then(|k| f.groups.as_ref()?.table(k)) {
        lines.push(plain(&Value::Dataset(std::sync::Arc::new(table)), style));
    }
    lines.push(format!("stopped: {}, seed {}", f.found.stopped, f.seed));
    lines.join("\n")
}

fn constants_note(c: &crate::regression::Candidate, style: &Style) -> String {
    let uncertain = c.expr.uncertain_leaves();
    let _ = style;
    if uncertain.is_empty() {
        return String::new();
    }
    let notes: Vec<String> = uncertain.iter().map(|u| print::uncertain(u.value(), u.sigma())).collect();
    format!("   ({})", notes.join(", "))
}
