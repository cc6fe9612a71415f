//! `explain(found)`: which engine found a law of a front and on what evidence, how its constants became exact, which law
//! came second, and why the search stopped.

use super::Body;
use crate::expression::print::{self, Style};
use crate::expression::{Expr, Uncertain};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault_hint};
use crate::language::render;
use crate::language::value::{FrontValue, Value};
use crate::regression::{Candidate, ConstantInfo};
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("explain", explain)];

fn explain(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("found")?;
    let Value::Front(front) = value.plain() else {
        return Err(args.wrong("found", "what `regress` found", value));
    };
    let laws = front.found.front.candidates();
    let chosen = front.chosen_index();
    let place = match args.get("law") {
        None => chosen,
        Some(_) => {
            let n = args.integer("law")?;
            let place = usize::try_from(if n < 0 { n + laws.len() as i64 } else { n }).ok();
            match place.filter(|k| *k < laws.len()) {
                Some(k) => Some(k),
                None => {
                    let message = format!("expected the place of one of {} laws, found {n}", laws.len());
                    return Err(fault_hint(6006, args.span_of("law"), message, "explain(found, law: 0)"));
                }
            }
        }
    };
    Ok(Value::text(words(front, place, &context.style)))
}

/// The explanation, several lines; `place`: which law, none where there is none.
fn words(front: &FrontValue, place: Option<usize>, style: &Style) -> String {
    let head = match place.map(|k| &front.found.front.candidates()[k]) {
        None => "no law was found".to_string(),
        Some(law) => format!("{} = {}", front.target, render::expr(&law.expr, style)),
    };
    let rows = rows(front, place, style);
    let lines = rows.iter().map(|(name, text)| format!("  {name:<10}{text}"));
    [head].into_iter().chain(lines).collect::<Vec<String>>().join("\n")
}

/// What is told of a law, by name; the name is empty where a line goes on.
pub(super) fn rows(front: &FrontValue, place: Option<usize>, style: &Style) -> Vec<(&'static str, String)> {
    let found = &front.found;
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(law) = place.map(|k| &found.front.candidates()[k]) {
        rows.extend(parts(front, place, style));
        rows.push(("engine", law.engine.to_string()));
        if !law.evidence.is_empty() {
            rows.push(("evidence", law.evidence.to_string()));
        }
        for (k, c) in law.constants.iter().enumerate() {
            rows.push((if k == 0 { "constants" } else { "" }, constant(c, style)));
        }
        rows.extend(second(front, place, law, style));
    }
    let stopped = format!(
        "{} after {} steps, {} laws fitted, work {}",
        found.stopped, found.steps, found.refined, found.work
    );
    rows.push(("stopped", stopped));
    rows.extend(found.notes.iter().map(|n| ("note", n.clone())));
    rows
}

/// What the law at a place is made of, where more than columns and constants: it in words, the laws of its parts, the
/// constants of its groups. The name is empty where a line goes on.
fn parts(front: &FrontValue, place: Option<usize>, style: &Style) -> Vec<(&'static str, String)> {
    let beside = beside(front, place, style);
    let mut rows: Vec<(&str, String)> = beside.words.map(|w| ("in words", w)).into_iter().collect();
    for (k, (name, law)) in beside.parts.iter().enumerate() {
        rows.push((if k == 0 { "parts" } else { "" }, format!("{name} = {law}")));
    }
    for (k, (name, values)) in beside.groups.iter().enumerate() {
        let each: Vec<String> = values.iter().map(|(group, value)| format!("{value} of {group}")).collect();
        let mark = if k == 0 { "groups" } else { "" };
        rows.push((mark, format!("{name} = {}", each.join(", "))));
    }
    rows
}

/// What stands beside a law, in words.
#[derive(Debug, Default)]
pub struct Beside {
    /// The law in words.
    pub words: Option<String>,
    /// The laws that it is made of, by name.
    pub parts: Vec<(String, String)>,
    /// Constants, each with the groups and its values there.
    pub groups: Vec<(String, Vec<(String, String)>)>,
}

impl Beside {
    /// All of it as names with texts.
    pub fn named(self) -> Vec<(String, String)> {
        let words = self.words.map(|w| ("words".to_string(), w));
        let groups = self.groups.into_iter().flat_map(|(name, values)| {
            values.into_iter().map(move |(group, value)| (format!("{name} of {group}"), value))
        });
        words.into_iter().chain(self.parts).chain(groups).collect()
    }
}

/// What stands beside the law at a place.
pub fn beside(front: &FrontValue, place: Option<usize>, style: &Style) -> Beside {
    let Some(place) = place else { return Beside::default() };
    let parts = front.parts.get(place).map_or(&[][..], Vec::as_slice);
    let mut groups = Vec::new();
    if let Some(g) = &front.groups {
        for c in g.own.get(place).map_or(&[][..], Vec::as_slice) {
            let unit = if c.unit.is_one() { String::new() } else { format!(" [{}]", c.unit) };
            let value = |u: &Uncertain| match u.sigma() {
                s if s > 0.0 && s.is_finite() => format!("{}{unit}", print::uncertain(u.value(), s)),
                _ => format!("{}{unit}", render::expr(&Expr::float(u.value()), style)),
            };
            let values = g.names.iter().cloned().zip(c.values.iter().map(value)).collect();
            groups.push((c.symbol.to_string(), values));
        }
    }
    Beside {
        words: front.words.get(place).cloned(),
        parts: parts.iter().map(|(n, e)| (n.to_string(), render::expr(e, style))).collect(),
        groups,
    }
}

/// A constant with its error, or its exact form with what it was before.
fn constant(c: &ConstantInfo, style: &Style) -> String {
    let unit = if c.unit == Unit::one() { String::new() } else { format!(" [{}]", c.unit) };
    let fitted = match c.fitted {
        (value, error) if error > 0.0 && error.is_finite() => print::uncertain(value, error),
        (value, _) => render::expr(&Expr::float(value), style),
    };
    match &c.exact {
        None => format!("{fitted}{unit}, fitted"),
        Some(form) => format!(
            "{}{unit}, exact; fitted {fitted}, the exact form saves {:.1} nats",
            render::expr(form, style),
            c.gained
        ),
    }
}

/// The law that came second; where the law is not the chosen one, by how much it lost.
fn second(
    front: &FrontValue,
    place: Option<usize>,
    law: &Candidate,
    style: &Style,
) -> Option<(&'static str, String)> {
    let found = &front.found;
    if place != found.front.best_index() {
        let best = found.front.best()?;
        let longer = law.description_length - best.description_length;
        let text = format!("{longer:.1} nats longer than {}", render::expr(&best.expr, style));
        return Some(("not chosen", text));
    }
    Some(match &found.runner_up {
        Some(other) => {
            let longer = other.description_length - law.description_length;
            let text =
                format!("{}, {longer:.1} nats longer [{}]", render::expr(&other.expr, style), other.engine);
            ("runner-up", text)
        }
        None => ("runner-up", "none that says something else".into()),
    })
}
