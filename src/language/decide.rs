//! Truth. An equation is decided exactly where it can be, then within uncertainty, then by the simplifier and at
//! random points of the declared domains; what stays open is open, never false.

use super::context::Context;
use super::error::{Error, Result, fault, fault_hint};
use super::operations as op;
use super::value::Value;
use crate::algebra::{self, Verdict};
use crate::base::Span;
use crate::expression::{Declarations, Expr, Flags, Kind, Relation, Symbol};

/// Floats are equal where they differ by less than this share of the larger one.
const FLOAT_TOLERANCE: f64 = 1e-12;

/// Whether a value is true, as far as it can be decided.
pub fn decide(context: &mut Context, value: &Value, span: Span) -> Result<Option<bool>> {
    match value.plain() {
        Value::Expr(e) => decide_expr(context, e, span),
        other => Err(fault(6010, span, format!("expected a condition, found a {}", other.kind_name()))),
    }
}

fn decide_expr(context: &mut Context, e: &Expr, span: Span) -> Result<Option<bool>> {
    Ok(match e.kind() {
        Kind::Bool(b) => Some(*b),
        Kind::Not(a) => decide_expr(context, a, span)?.map(|b| !b),
        Kind::And(items) => {
            let mut all = Some(true);
            for item in items {
                match decide_expr(context, item, span)? {
                    Some(false) => return Ok(Some(false)),
                    None => all = None,
                    Some(true) => {}
                }
            }
            all
        }
        Kind::Or(items) => {
            let mut any = Some(false);
            for item in items {
                match decide_expr(context, item, span)? {
                    Some(true) => return Ok(Some(true)),
                    None => any = None,
                    Some(false) => {}
                }
            }
            any
        }
        Kind::Relation(relation, a, b) => decide_relation(context, *relation, a, b, span)?,
        _ => {
            let found = if e.is_symbolic() { "an expression" } else { "a number" };
            return Err(fault_hint(
                6010,
                span,
                format!("expected a condition, found {found}"),
                "compare it: `... == 0`",
            ));
        }
    })
}

fn decide_relation(
    context: &mut Context,
    relation: Relation,
    a: &Expr,
    b: &Expr,
    span: Span,
) -> Result<Option<bool>> {
    match relation {
        Relation::Eq => equal(context, a, b, span),
        Relation::Ne => Ok(equal(context, a, b, span)?.map(|x| !x)),
        _ => {
            if a.is_symbolic() || b.is_symbolic() {
                let e = Expr::relation(relation, a.clone(), b.clone());
                return Ok(algebra::prove(&e, &context.declarations));
            }
            let (a, b) = (op::strip_units(a), op::strip_units(b));
            Ok(Expr::relation(relation, a, b).decide(&|_| None))
        }
    }
}

/// Whether two expressions are equal, as far as it can be decided.
pub fn equal(context: &mut Context, a: &Expr, b: &Expr, span: Span) -> Result<Option<bool>> {
    if a == b {
        return Ok(Some(true));
    }
    let uncertain = a.flags().with(b.flags()).has(Flags::UNCERTAIN);
    if !a.is_symbolic() && !b.is_symbolic() {
        if uncertain {
            return Ok(a.equal_within(b, 3.0));
        }
        let (x, y) = (op::strip_units(a), op::strip_units(b));
        if x == y {
            return Ok(Some(true));
        }
        let float = x.flags().with(y.flags()).has(Flags::FLOAT);
        if !float {
            let difference = &x - &y;
            if let Some(n) = difference.as_number() {
                return Ok(Some(n.is_zero()));
            }
            if let Some(verdict) = Expr::relation(Relation::Eq, x.clone(), y.clone()).decide(&|_| None) {
                return Ok(Some(verdict));
            }
        }
        let (Some(p), Some(q)) = (x.evaluate_complex(&|_| None), y.evaluate_complex(&|_| None)) else {
            return Ok(None);
        };
        let close = |p: f64, q: f64| p == q || (p - q).abs() <= FLOAT_TOLERANCE * p.abs().max(q.abs());
        let scale = p.0.hypot(p.1).max(q.0.hypot(q.1));
        let near = (p.0 - q.0).hypot(p.1 - q.1) <= FLOAT_TOLERANCE * scale;
        return Ok(Some(near || (close(p.0, q.0) && close(p.1, q.1))));
    }
    if uncertain {
        return Ok(laws_agree(context, a, b, span)?.then_some(true).or(Some(false)));
    }
    match verdict(context, a, b, &context.declarations.clone(), span)? {
        Verdict::Proved | Verdict::Held { .. } => Ok(Some(true)),
        Verdict::Counterexample { .. } => {
            // It fails somewhere; it may hold elsewhere, so it is false only as an identity.
            Ok(None)
        }
        Verdict::Undecided => Ok(None),
    }
}

/// The verdict on an identity.
pub fn verdict(
    context: &mut Context,
    a: &Expr,
    b: &Expr,
    declarations: &Declarations,
    span: Span,
) -> Result<Verdict> {
    let rules = context.rules(span)?;
    let (a, b) = (op::strip_units(a), op::strip_units(b));
    Ok(algebra::equivalent(&a, &b, declarations, &rules, &context.cancel, context.seed))
}

/// Whether two laws have one structure and every number agrees within three standard errors (exact numbers: to
/// 1e-9).
pub fn laws_agree(context: &mut Context, a: &Expr, b: &Expr, span: Span) -> Result<bool> {
    let rules = context.rules(span)?;
    let limits = algebra::Limits::default();
    let plain = |e: &Expr| op::strip_units(e);
    let (a, b) = (plain(a), plain(b));
    if agree(&a, &b) {
        return Ok(true);
    }
    // One structure may be written in several ways: compare what simplify makes of both, with the numbers that
    // were fitted as symbols of their own.
    let simplify = |e: &Expr, context: &Context| {
        let (named, back) = name_uncertain(e);
        let s = algebra::simplify(&named, &context.declarations, &rules, &limits, &context.cancel);
        s.expr.substitute(&back)
    };
    let (x, y) = (simplify(&a, context), simplify(&b, context));
    if agree(&x, &y) {
        return Ok(true);
    }
    Ok(agree(&algebra::expand(&x), &algebra::expand(&y)))
}

fn name_uncertain(e: &Expr) -> (Expr, Vec<(Symbol, Expr)>) {
    let mut back = Vec::new();
    for (k, u) in e.uncertain_leaves().into_iter().enumerate() {
        back.push((Symbol::new(&format!("fitted#{k}")), Expr::uncertain(u)));
    }
    let named = e.transform(&mut |e| match e.kind() {
        Kind::Uncertain(_) => back.iter().find(|(_, u)| *u == e).map_or(e, |(s, _)| Expr::symbol(s.clone())),
        _ => e,
    });
    (named, back)
}

/// Structural comparison; the numeric factors of a product and the numeric terms of a sum count as one number.
fn agree(a: &Expr, b: &Expr) -> bool {
    if a == b {
        return true;
    }
    let numeric = |e: &Expr| !e.is_symbolic();
    if numeric(a) && numeric(b) {
        return numbers_agree(a, b);
    }
    match (a.kind(), b.kind()) {
        (Kind::Sum(_), Kind::Sum(_)) => match_parts(a.terms(), b.terms(), Expr::sum, &|x, y| agree(x, y)),
        (Kind::Product(_), _) | (_, Kind::Product(_)) => {
            match_parts(a.factors(), b.factors(), Expr::product, &|x, y| agree(x, y))
        }
        (Kind::Power(p, x), Kind::Power(q, y)) => agree(p, q) && agree(x, y),
        (Kind::Call(f, x), Kind::Call(g, y)) => {
            f == g && x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| agree(x, y))
        }
        (Kind::Relation(f, p, q), Kind::Relation(g, r, s)) => f == g && agree(p, r) && agree(q, s),
        _ => false,
    }
}

fn match_parts(
    a: &[Expr],
    b: &[Expr],
    fold: impl Fn(Vec<Expr>) -> Expr,
    same: &dyn Fn(&Expr, &Expr) -> bool,
) -> bool {
    let split =
        |items: &[Expr]| -> (Vec<Expr>, Vec<Expr>) { items.iter().cloned().partition(|e| !e.is_symbolic()) };
    let ((numbers_a, rest_a), (numbers_b, mut rest_b)) = (split(a), split(b));
    if rest_a.len() != rest_b.len() || !numbers_agree(&fold(numbers_a), &fold(numbers_b)) {
        return false;
    }
    for x in &rest_a {
        match rest_b.iter().position(|y| same(x, y)) {
            Some(at) => {
                rest_b.swap_remove(at);
            }
            None => return false,
        }
    }
    true
}

fn numbers_agree(a: &Expr, b: &Expr) -> bool {
    if a == b {
        return true;
    }
    if a.flags().with(b.flags()).has(Flags::UNCERTAIN) {
        // Rounding in the last digits never makes two laws differ.
        let close = match (a.evaluate(&|_| None), b.evaluate(&|_| None)) {
            (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
            _ => false,
        };
        return close || a.equal_within(b, 3.0) == Some(true);
    }
    match (a.evaluate(&|_| None), b.evaluate(&|_| None)) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
        _ => false,
    }
}

/// Equality of any two values; an open one is an error.
pub fn equal_values(context: &mut Context, a: &Value, b: &Value, span: Span) -> Result<bool> {
    if let (Some(x), Some(y)) = (a.as_expr(), b.as_expr()) {
        op::same_units(context, &x, &y, span)?;
        return match equal(context, &op::settle(&x), &op::settle(&y), span)? {
            Some(verdict) => Ok(verdict),
            None => Err(undecided(context, &Value::Expr(Expr::equation(x, y)), span)),
        };
    }
    Ok(match (a.plain(), b.plain()) {
        (Value::Text(x), Value::Text(y)) => x == y,
        (Value::Record(x), Value::Record(y)) => {
            if x.entries.len() != y.entries.len() {
                return Ok(false);
            }
            for (name, value) in &x.entries {
                match y.get(name) {
                    Some(other) if equal_values(context, value, other, span)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Range(p, q), Value::Range(r, s)) => p == r && q == s,
        (Value::Nothing, Value::Nothing) => true,
        _ => match (op::as_list(a), op::as_list(b)) {
            (Some(x), Some(y)) => {
                if x.len() != y.len() {
                    return Ok(false);
                }
                for (p, q) in x.iter().zip(y.iter()) {
                    if !equal_values(context, p, q, span)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        },
    })
}

/// The fault of something that is neither true nor false.
pub fn undecided(context: &mut Context, value: &Value, span: Span) -> Error {
    let shown = super::render::line(value, &context.style);
    let mut error = fault(6010, span, format!("expected something that can be decided, found `{shown}`"));
    error.hint = Some(match value.plain() {
        Value::Expr(e) => match e.symbols().first() {
            Some(s) => format!("say where it lives: `var {s} in 1..5`, or bind it: `{s} = ...`"),
            None => "write a comparison of numbers".into(),
        },
        _ => "write a comparison of numbers".into(),
    });
    error
}
