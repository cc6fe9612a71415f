//! Rewrite rules: names of the right side and the condition must stand on the left, functions must be of the kind that
//! stays in formulas, the rule must change something, and both sides must have one unit whatever the units of the
//! patterns are. The last is decided with one unknown dimension a pattern: what the sides say about them may be solved
//! for, but their quotient must come out as a pure number.

use std::collections::HashMap;
use std::sync::Arc;

use super::unify::Variable;
use super::{Checker, Dim, Inferred, Quantity};
use crate::algebra::AlgebraError;
use crate::base::{Number, Span};
use crate::expression::{Constant, Function, Kind, read};
use crate::language::error::{fault, fault_hint, lift};
use crate::syntax::tree::{ExprId, ExprKind, Name, Statement, Tree};

impl Checker {
    pub(super) fn rule(
        &mut self,
        tree: &Arc<Tree>,
        statement: &Statement,
        from: ExprId,
        to: ExprId,
        condition: Option<ExprId>,
    ) {
        let before = self.diagnostics.len();
        let patterns = pattern_names(tree, from);
        let mut told: Vec<Name> = Vec::new();
        for id in [Some(to), condition].into_iter().flatten() {
            for (name, at) in pattern_names(tree, id) {
                if !patterns.iter().any(|(n, _)| *n == name) && !told.contains(&name) {
                    self.report(lift(&AlgebraError::UnboundInRule { symbol: name.to_string() }, at));
                    told.push(name);
                }
            }
        }
        for id in [Some(from), Some(to), condition].into_iter().flatten() {
            self.formula_functions(tree, id);
        }
        let mut own: Vec<(Name, Variable)> = Vec::new();
        let mut names = HashMap::new();
        for (name, _) in &patterns {
            let dim = self.units.fresh();
            own.extend(dim.variables().map(|v| (name.clone(), v)));
            names.insert(name.clone(), Inferred::Quantity(Quantity::symbol(name, dim)));
        }
        if self.is_faulty_since(before) {
            return;
        }
        let (left, right) = self.within(names, |c| {
            let sides = (c.infer(tree, from), c.infer(tree, to));
            if let Some(id) = condition {
                c.condition(tree, id);
            }
            sides
        });
        if self.is_faulty_since(before) {
            return;
        }
        let catalogue = self.catalogue.clone();
        let rule = match read::rule(tree, statement, &|u| catalogue.resolve(u).ok()) {
            Ok(rule) => rule,
            Err(e) => {
                self.report(lift(&e, e.span()));
                return;
            }
        };
        let at = tree.span(from);
        if !matches!(rule.lhs.kind(), Kind::Sum(_) | Kind::Product(_) | Kind::Power(..) | Kind::Call(..))
            && !matches!(rule.lhs.kind(), Kind::Apply(..))
        {
            let message =
                format!("expected an operation or a function of patterns on the left, found `{}`", rule.lhs);
            self.report(fault_hint(6106, at, message, "rule sin(x)^2 + cos(x)^2 => 1"));
            return;
        }
        if rule.lhs == rule.rhs {
            let message = format!("expected a right side other than the left, found `{}` again", rule.rhs);
            self.report(fault(6106, tree.span(to), message));
            return;
        }
        if let (Some(x), Some(y)) = (left.quantity(), right.quantity())
            && !x.soft
            && !y.soft
        {
            let (x, y) = (self.units.resolve(&x.dim), self.units.resolve(&y.dim));
            let quotient = x.over(&y);
            // What else is unknown in it (zeros, powers with a symbol as exponent) decides nothing.
            let decided = quotient.variables().all(|v| own.iter().any(|(_, p)| *p == v));
            if decided && !quotient.is_none() {
                let (e, f) = (in_patterns(&x, &own), in_patterns(&y, &own));
                let mut error = fault(
                    6021,
                    tree.span(to),
                    format!("expected a right side in the unit of {e}, found one in that of {f}"),
                );
                error.label = format!("the unit of {f}");
                error.related.push((at, format!("the unit of {e}")));
                self.report(error);
            }
        }
    }

    /// Functions that are put in where they are called, or that compute something, never stand in a formula.
    fn formula_functions(&mut self, tree: &Arc<Tree>, id: ExprId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if let ExprKind::Call { callee, args, .. } = tree.expr(id)
                && let ExprKind::Name(name) = tree.expr(*callee)
            {
                let stays = Function::from_name(name).is_some()
                    || matches!(&**name, "sqrt" | "cbrt" | "ln" | "diff")
                    || matches!(self.lookup(name), Some(Inferred::Field(..) | Inferred::Unknown));
                let known = self.library.signatures(name).is_some() || self.is_bound(name);
                if !stays && known {
                    let message = format!("expected a function that stays in formulas, found `{name}`");
                    let hint = format!("`{name}` is computed where it is called: no formula holds it");
                    self.report(fault_hint(6106, tree.span(*callee), message, hint));
                } else if !stays {
                    self.unknown_callee(name, args, tree, tree.span(*callee));
                }
            }
            tree.expr(id).each_child(|child| open.push(child));
        }
    }
}

/// The names that are patterns, with their first places: all but constants and what is called.
fn pattern_names(tree: &Tree, id: ExprId) -> Vec<(Name, Span)> {
    let mut found: Vec<(Name, Span)> = Vec::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        match tree.expr(id) {
            ExprKind::Name(name) => {
                if Constant::from_name(name).is_none() && !found.iter().any(|(n, _)| n == name) {
                    found.push((name.clone(), tree.span(id)));
                }
            }
            ExprKind::Call { callee, args, .. } => {
                if !matches!(tree.expr(*callee), ExprKind::Name(_)) {
                    open.push(*callee);
                }
                open.extend(args.iter().rev().map(|a| a.value));
            }
            other => {
                let first = open.len();
                other.each_child(|child| open.push(child));
                open[first..].reverse();
            }
        }
    }
    found
}

/// A dimension in terms of those of the patterns: `x^2*[m]`, `1`.
fn in_patterns(dim: &Dim, own: &[(Name, Variable)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (name, v) in own {
        let n = dim.exponent(*v);
        if n == Number::ONE {
            parts.push(name.to_string());
        } else if !n.is_zero() {
            let n = if n.is_integer() { n.to_string() } else { format!("({n})") };
            parts.push(format!("{name}^{n}"));
        }
    }
    let known = dim.known();
    if !known.is_none() {
        parts.push(format!("[{}]", known.shown()));
    }
    if parts.is_empty() { "1".into() } else { parts.join("*") }
}
