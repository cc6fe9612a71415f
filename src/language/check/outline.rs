//! What can stand behind a dot: the members of a value, found without running anything. Of a name and its members the
//! bound value tells; of calls and indices what the checker infers.

use std::sync::Arc;

use super::{Checker, Inferred};
use crate::base::Source;
use crate::expression::Kind;
use crate::language::builtins::{data, regress, symbolic};
use crate::language::context::Context;
use crate::language::value::Value;
use crate::syntax::tree::{ExprId, ExprKind, StatementKind, Tree};

/// A member with the kind of its value, where that is known.
pub type Member = (String, String);

/// The members of the value of an expression, given as text; none where it cannot be read or has none.
pub fn members(context: &Context, text: &str) -> Vec<Member> {
    let parsed = crate::syntax::parse(&Source::new(u32::MAX, "", text));
    if parsed.has_errors() {
        return Vec::new();
    }
    let tree = Arc::new(parsed.tree);
    let [statement] = tree.statements.as_slice() else { return Vec::new() };
    let StatementKind::Expr { value, .. } = &statement.kind else { return Vec::new() };
    match bound(context, &tree, *value) {
        Some(value) => of_value(&value),
        None => {
            let mut checker = Checker::new(context);
            of_inferred(&checker.infer(&tree, *value))
        }
    }
}

/// The value of a name, or of a member of one.
fn bound(context: &Context, tree: &Tree, id: ExprId) -> Option<Value> {
    match tree.expr(id) {
        ExprKind::Name(name) => context.lookup(name),
        ExprKind::Member(target, name) => {
            let target = bound(context, tree, *target)?;
            match target.plain() {
                Value::Record(r) => r.get(&name.name).cloned(),
                Value::Module(m) => m.record.get(&name.name).cloned(),
                Value::Dataset(d) => d.column(&name.name).ok().map(|c| Value::Column(c.clone())),
                Value::Fit(f) => data::fit_member(f, &name.name).0,
                Value::Front(f) => regress::front_member(f, &name.name).0,
                Value::Law(l) => symbolic::law_member(l, &name.name).0,
                _ => None,
            }
        }
        _ => None,
    }
}

fn plain(names: Vec<String>) -> Vec<Member> {
    names.into_iter().map(|n| (n, String::new())).collect()
}

fn words(names: &[&str]) -> Vec<Member> {
    names.iter().map(|n| (n.to_string(), String::new())).collect()
}

fn of_value(value: &Value) -> Vec<Member> {
    let entries = |all: &[(crate::syntax::tree::Name, Value)]| {
        all.iter().map(|(n, v)| (n.to_string(), v.kind_name().to_string())).collect()
    };
    match value.plain() {
        Value::Record(r) => entries(&r.entries),
        Value::Module(m) => entries(&m.record.entries),
        Value::Dataset(d) => d.columns().iter().map(|c| (c.name.to_string(), c.header())).collect(),
        Value::Fit(f) => plain(data::fit_member(f, "").1),
        Value::Front(f) => plain(regress::front_member(f, "").1),
        Value::Law(l) => plain(symbolic::law_member(l, "").1),
        Value::Range(..) => words(&["low", "high"]),
        Value::Expr(e) if matches!(e.kind(), Kind::Relation(..)) => words(&["left", "right"]),
        _ => Vec::new(),
    }
}

fn of_inferred(known: &Inferred) -> Vec<Member> {
    match known {
        Inferred::Record(Some(entries)) | Inferred::Module(_, entries) => {
            entries.iter().map(|(n, i)| (n.to_string(), i.name().to_string())).collect()
        }
        Inferred::Dataset(Some(d)) => {
            d.columns.iter().map(|(n, _)| (n.to_string(), "column".into())).collect()
        }
        Inferred::Fit(fit) => {
            let own = fit.iter().flat_map(|f| f.parameters.iter().map(|(n, _)| n.to_string()));
            let mut all: Vec<Member> = plain(own.collect());
            all.extend(words(super::members::FIT));
            all
        }
        Inferred::Front(_) => {
            words(&["best", "accurate", "steepest", "laws", "r2", "loss", "size", "stopped", "work", "seed"])
        }
        Inferred::Law(..) => words(&["formula", "variables", "unit", "source"]),
        Inferred::Range(_) => words(&["low", "high"]),
        Inferred::Condition(c) if c.sides.is_some() => words(&["left", "right"]),
        _ => Vec::new(),
    }
}
