//! What is inside a value: by index, by name, and all of it in a loop.

use std::sync::Arc;

use super::context::Context;
use super::error::{Result, fault};
use super::operations as op;
use super::value::{Record, Value};
use crate::base::{Number, Span, suggest};
use crate::expression::{Expr, Kind};
use crate::syntax::tree::Name;

/// Lists, ranges and loops have at most this many elements.
pub const MAX_ELEMENTS: i64 = 10_000_000;

impl Context {
    /// `target[index]`.
    pub fn index(&mut self, target: &Value, index: &Value, span: Span) -> Result<Value> {
        match (target.plain(), index.plain()) {
            (Value::Record(_) | Value::Dataset(_) | Value::Fit(_), Value::Text(name)) => {
                self.member(target, name, span)
            }
            (Value::Dataset(d), Value::Range(low, high)) => {
                let (from, to) = slice_bounds(low, high, d.rows(), span)?;
                Ok(Value::Dataset(Arc::new(d.slice(from..to))))
            }
            (Value::Dataset(d), _) => {
                let row = place(index, d.rows(), span)?;
                let entries =
                    d.columns().iter().map(|c| (Name::from(&*c.name), op::column_element(c, row))).collect();
                Ok(Value::Record(Arc::new(Record { entries })))
            }
            (Value::Column(c), Value::Expr(_)) => {
                let row = place(index, c.len(), span)?;
                Ok(op::column_element(c, row))
            }
            (Value::Front(f), _) => {
                let candidates = f.found.front.candidates();
                let at = place(index, candidates.len(), span)?;
                Ok(Value::Expr(candidates[at].expr.clone()))
            }
            (Value::Text(t), Value::Expr(_)) => {
                let chars: Vec<char> = t.chars().collect();
                let at = place(index, chars.len(), span)?;
                Ok(Value::text(chars[at].to_string()))
            }
            (Value::Range(..), _) => {
                let items = self.elements(target, span)?;
                self.index(&Value::list(items), index, span)
            }
            _ => match (op::as_list(target), index.plain()) {
                (Some(items), Value::Range(low, high)) => {
                    let (from, to) = slice_bounds(low, high, items.len(), span)?;
                    Ok(Value::list(items[from..to].to_vec()))
                }
                (Some(items), _) => {
                    let at = place(index, items.len(), span)?;
                    Ok(items[at].clone())
                }
                (None, _) => Err(fault(
                    6016,
                    span,
                    format!("expected a list, column or dataset, found a {}", target.kind_name()),
                )),
            },
        }
    }

    /// `target.name`.
    pub fn member(&mut self, target: &Value, name: &str, span: Span) -> Result<Value> {
        let (found, known): (Option<Value>, Vec<String>) = match target.plain() {
            Value::Record(r) => {
                (r.get(name).cloned(), r.entries.iter().map(|(n, _)| n.to_string()).collect())
            }
            Value::Module(m) => {
                (m.record.get(name).cloned(), m.record.entries.iter().map(|(n, _)| n.to_string()).collect())
            }
            Value::Dataset(d) => match d.column(name) {
                Ok(c) => (Some(Value::Column(c.clone())), Vec::new()),
                Err(_) => (None, d.columns().iter().map(|c| c.name.to_string()).collect()),
            },
            Value::Fit(f) => super::builtins::data::fit_member(f, name),
            Value::Front(f) => super::builtins::regress::front_member(f, name),
            #[cfg(feature = "networks")]
            Value::Model(m) => super::builtins::training::model_member(m, name, &self.catalogue),
            Value::Law(l) => super::builtins::symbolic::law_member(l, name),
            Value::System(s) => super::builtins::systems::system_member(s, name),
            Value::Range(low, high) => match name {
                "low" => (Some(Value::Expr(low.clone())), Vec::new()),
                "high" => (Some(Value::Expr(high.clone())), Vec::new()),
                _ => (None, vec!["low".into(), "high".into()]),
            },
            Value::Expr(e) => match (e.kind(), name) {
                (Kind::Relation(_, a, _), "left") => (Some(Value::Expr(a.clone())), Vec::new()),
                (Kind::Relation(_, _, b), "right") => (Some(Value::Expr(b.clone())), Vec::new()),
                (Kind::Relation(..), _) => (None, vec!["left".into(), "right".into()]),
                _ => (None, Vec::new()),
            },
            _ => (None, Vec::new()),
        };
        if let Some(value) = found {
            return Ok(value);
        }
        let mut error =
            fault(6002, span, format!("expected a member of the {}, found `{name}`", target.kind_name()));
        if let Some(near) = suggest::nearest(name, known.iter().map(String::as_str)) {
            error.hint = Some(format!("did you mean `{near}`?"));
        } else if !known.is_empty() {
            error.hint = Some(format!("it has {}", known.join(", ")));
        } else {
            error.hint = Some(format!("a {} has no members", target.kind_name()));
        }
        Err(error)
    }

    /// What a loop goes through.
    pub fn elements(&mut self, value: &Value, span: Span) -> Result<Vec<Value>> {
        if let Some(items) = op::as_list(value) {
            return Ok(items.to_vec());
        }
        match value.plain() {
            Value::Range(low, high) => {
                let (n_low, unit) = low.split_unit();
                let (n_high, _) = high.split_unit();
                let (Some(a), Some(b)) = (n_low.as_number(), n_high.as_number()) else {
                    return self.float_range(low, high, span);
                };
                let count = (b - a).floor();
                let count = match count.to_i64() {
                    Some(n) if n < MAX_ELEMENTS => n,
                    _ => {
                        return Err(fault(
                            6006,
                            span,
                            format!("expected at most {MAX_ELEMENTS} elements, found {count}"),
                        ));
                    }
                };
                let element = |k: i64| {
                    let n = Expr::number(a + &Number::int(k));
                    match &unit {
                        Some(u) => Expr::product([n, Expr::unit(u.clone())]),
                        None => n,
                    }
                };
                Ok((0..=count).map(|k| Value::Expr(element(k))).collect())
            }
            Value::Dataset(d) => {
                let rows = d.rows();
                (0..rows).map(|r| self.index(value, &Value::int(r as i64), span)).collect()
            }
            Value::Record(r) => {
                Ok(r.entries.iter().map(|(n, v)| Value::list(vec![Value::text(n), v.clone()])).collect())
            }
            Value::Front(f) => {
                Ok(f.found.front.candidates().iter().map(|c| Value::Expr(c.expr.clone())).collect())
            }
            other => Err(fault(
                6006,
                span,
                format!("expected a list, range, column or dataset, found a {}", other.kind_name()),
            )),
        }
    }

    fn float_range(&mut self, low: &Expr, high: &Expr, span: Span) -> Result<Vec<Value>> {
        let (Some(a), Some(b)) = (low.split_unit().0.as_f64(), high.split_unit().0.as_f64()) else {
            return Err(fault(6006, span, format!("expected numbers at both ends, found {low}..{high}")));
        };
        if b - a >= MAX_ELEMENTS as f64 {
            return Err(fault(6006, span, format!("expected at most {MAX_ELEMENTS} elements")));
        }
        let mut items = Vec::new();
        let mut k = 0;
        while a + k as f64 <= b + 1e-12 * b.abs().max(1.0) {
            let n = Expr::float(a + k as f64);
            items.push(Value::Expr(match low.split_unit().1 {
                Some(u) => Expr::product([n, Expr::unit(u)]),
                None => n,
            }));
            k += 1;
        }
        Ok(items)
    }
}

/// An index as a place in `0..length`.
pub(super) fn place(index: &Value, length: usize, span: Span) -> Result<usize> {
    let n = match index.plain() {
        Value::Expr(e) => e.as_i64(),
        _ => None,
    };
    let Some(n) = n else {
        return Err(fault(
            6013,
            span,
            format!("expected an integer as index, found a {}", index.kind_name()),
        ));
    };
    let at = if n < 0 { n + length as i64 } else { n };
    if at < 0 || at >= length as i64 {
        let range = if length == 0 { "none (it is empty)".to_string() } else { format!("0..{}", length - 1) };
        return Err(fault(6013, span, format!("expected an index in {range}, found {n}")));
    }
    Ok(at as usize)
}

/// A slice `low..high`, both included, negative ends from the back.
fn slice_bounds(low: &Expr, high: &Expr, length: usize, span: Span) -> Result<(usize, usize)> {
    let end = |e: &Expr| -> Result<i64> {
        e.as_i64()
            .map(|n| if n < 0 { n + length as i64 } else { n })
            .ok_or_else(|| fault(6013, span, format!("expected integers in a slice, found {e}")))
    };
    let (from, to) = (end(low)?, end(high)?);
    if from < 0 || to >= length as i64 {
        let message = format!("expected indices in 0..{}, found {low}..{high}", length as i64 - 1);
        return Err(fault(6013, span, message));
    }
    Ok(if to < from { (0, 0) } else { (from as usize, to as usize + 1) })
}
