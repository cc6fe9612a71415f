//! Actions of statements, declarations and types.

use super::{Branches, Builder};
use crate::syntax::errors::SyntaxError;
use crate::syntax::tree::*;

impl Builder<'_> {
    // Types and assumptions

    pub fn named_type(&mut self, i: Ident) -> TypeExpr {
        TypeExpr::Named(i)
    }

    fn type_fault(&mut self, i: &Ident, expected: &'static str) {
        let fault = SyntaxError::Type { expected, found: format!("`{}`", i.name) };
        self.fault(fault, i.span.start, i.span.end);
    }

    pub fn list_type(&mut self, i: Ident, t: TypeExpr) -> TypeExpr {
        if &*i.name != "list" {
            self.type_fault(&i, "list[...] or quantity[...]");
        }
        TypeExpr::List(Box::new(t))
    }

    pub fn record_type(&mut self, i: Ident, fields: Vec<(Ident, TypeExpr)>) -> TypeExpr {
        if &*i.name != "record" {
            self.type_fault(&i, "record{...}");
        }
        TypeExpr::Record(fields)
    }

    pub fn one_of_type(&mut self, i: Ident, names: Vec<Ident>) -> TypeExpr {
        if &*i.name != "one_of" {
            self.type_fault(&i, "one_of(...)");
        }
        TypeExpr::OneOf(names)
    }

    pub fn optional_type(&mut self, l: u32, t: TypeExpr, r: u32) -> TypeExpr {
        if matches!(t, TypeExpr::Optional(_)) {
            self.fault(SyntaxError::Type { expected: "one ?", found: "two".to_owned() }, l, r);
            return t;
        }
        TypeExpr::Optional(Box::new(t))
    }

    pub fn assumption(&mut self, l: u32, r: u32) -> Option<Assumption> {
        let word = self.slice(l, r);
        let kind = match word {
            "real" => AssumptionKind::Real,
            "complex" => AssumptionKind::Complex,
            "integer" => AssumptionKind::Integer,
            _ => {
                let near = crate::base::suggest::nearest(word, ["real", "complex", "integer"]);
                let hint = match (near, word) {
                    (Some(near), _) => Some(near.to_owned()),
                    (None, "positive") => Some("> 0".to_owned()),
                    (None, "negative") => Some("< 0".to_owned()),
                    (None, "nonzero") => Some("!= 0".to_owned()),
                    _ => None,
                };
                self.fault(SyntaxError::Assumption { found: format!("`{word}`"), hint }, l, r);
                return None;
            }
        };
        Some(Assumption { kind, span: self.span(l, r) })
    }

    pub fn sign_assumption(
        &mut self,
        l: u32,
        op: CompareOp,
        m: u32,
        n: ExprId,
        r: u32,
    ) -> Option<Assumption> {
        let zero = match self.kind(n) {
            ExprKind::Integer(n) => n.is_zero(),
            ExprKind::Float(x) => *x == 0.0,
            _ => false,
        };
        if !zero {
            let text = self.shown(m, r, "1");
            let hint = match op {
                CompareOp::Gt | CompareOp::Ge => Some(format!("in {text}..inf")),
                CompareOp::Lt | CompareOp::Le => Some(format!("in -inf..{text}")),
                _ => None,
            };
            self.fault(SyntaxError::Assumption { found: format!("a comparison with {text}"), hint }, l, r);
            return None;
        }
        Some(Assumption { kind: AssumptionKind::Sign(op), span: self.span(l, r) })
    }

    // Statements

    pub fn statement(&mut self, l: u32, kind: StatementKind, r: u32) -> Statement {
        self.idle.set(0);
        let doc = match self.docs.binary_search_by_key(&l, |d| d.0) {
            Ok(i) => Some(self.docs[i].1.clone()),
            Err(_) => None,
        };
        Statement { doc, kind, span: self.span(l, r), quiet: false }
    }

    /// The names before `=`; anything else is an equation in the wrong dress.
    fn targets(&mut self, l: u32, targets: &[ExprId], m: u32, r: u32) -> Option<Vec<Ident>> {
        let mut names = Vec::with_capacity(targets.len());
        for &target in targets {
            let node = &self.exprs[target.0 as usize];
            match &node.kind {
                ExprKind::Name(name) if !name.ends_with('\'') => {
                    names.push(Ident { name: name.clone(), span: node.span })
                }
                ExprKind::Error => return None,
                kind => {
                    if self.is_known(l, r) {
                        return None;
                    }
                    let span = node.span;
                    let text = self.shown(span.start, span.end, "an expression");
                    let found = match kind {
                        ExprKind::Name(_) => format!("the time derivative `{text}`"),
                        _ => format!("`{text}`"),
                    };
                    let (left, right) = (self.shown(l, m, "a"), self.shown(m + 1, r, "b"));
                    let hint = format!("{left} == {right}");
                    self.fault(SyntaxError::BindTarget { found, hint }, span.start, span.end);
                    return None;
                }
            }
        }
        Some(names)
    }

    pub fn bind(
        &mut self,
        l: u32,
        targets: Vec<ExprId>,
        m: u32,
        value: ExprId,
        r: u32,
        wheres: Vec<WhereItem>,
    ) -> StatementKind {
        match self.targets(l, &targets, m, r) {
            Some(names) => StatementKind::Bind { names, value, wheres },
            None => StatementKind::Error,
        }
    }

    pub fn where_binding(
        &mut self,
        l: u32,
        target: ExprId,
        m: u32,
        value: ExprId,
        r: u32,
    ) -> Option<WhereItem> {
        let name = self.targets(l, &[target], m, r)?.pop()?;
        Some(WhereItem { name, params: None, value })
    }

    /// A function's name has no primes.
    pub fn defined_name(&mut self, name: &Ident) {
        if name.name.ends_with('\'') {
            let plain = name.name.trim_end_matches('\'');
            let hint = format!("diff({plain}(x), x)");
            self.fault(
                SyntaxError::PrimeCall { found: format!("`{}`", name.name), hint },
                name.span.start,
                name.span.end,
            );
        }
    }

    pub fn branches(&mut self, condition: ExprId, body: Vec<Statement>, tail: Branches) -> StatementKind {
        let (mut branches, otherwise) = tail;
        branches.push((condition, body));
        branches.reverse();
        StatementKind::If { branches, otherwise }
    }
}
