//! What every expression is.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Callable, Checker, Condition, Dim, Inferred, Items, MAX_DEPTH, Quantity, Symbols};
use crate::base::Number;
use crate::language::error::fault_hint;
use crate::syntax::print_expr;
use crate::syntax::tree::{
    Arg, CompareOp, ExprId, ExprKind, ForClause, MulOp, Operator, StrPart, Tree, UnitExpr,
};
use crate::units::Unit;

impl Checker {
    /// What an expression is; its faults are reported.
    pub(super) fn infer(&mut self, tree: &Arc<Tree>, id: ExprId) -> Inferred {
        if self.depth >= MAX_DEPTH {
            return Inferred::Unknown;
        }
        self.depth += 1;
        let found = self.expression(tree, id);
        self.depth -= 1;
        found
    }

    fn expression(&mut self, tree: &Arc<Tree>, id: ExprId) -> Inferred {
        let span = tree.span(id);
        match tree.expr(id) {
            ExprKind::Integer(n) => Inferred::Quantity(self.number(n.clone(), false)),
            ExprKind::Float(x) => Inferred::Quantity(match Number::from_f64_decimal(*x) {
                Some(n) => self.number(n, true),
                None => Quantity { float: true, ..Quantity::pure() },
            }),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Str { parts, .. } => self.text(tree, parts),
            ExprKind::Bool(_) => {
                Inferred::Condition(Condition { symbols: Some(Symbols::new()), sides: None })
            }
            ExprKind::Operator(_) => Inferred::Function(Callable::Operator),
            ExprKind::Neg(a) => {
                let a = (self.infer(tree, *a), tree.span(*a));
                self.negate(&a.0, a.1)
            }
            ExprKind::Pos(a) => self.infer(tree, *a),
            ExprKind::Root(a) => {
                let base = (self.infer(tree, *a), tree.span(*a));
                let half = Quantity { exact: Some(Number::HALF), ..Quantity::pure() };
                self.binary(Operator::Pow, &base, &(Inferred::Quantity(half), span))
            }
            ExprKind::Not(a) => Inferred::Condition(Condition { sides: None, ..self.condition(tree, *a) }),
            ExprKind::Sum(terms) => self.sum(tree, terms),
            ExprKind::Product(factors) => self.product(tree, factors),
            ExprKind::Juxtaposed(a, b) => self.product(tree, &[(MulOp::Times, *a), (MulOp::Times, *b)]),
            ExprKind::Power(a, b) => {
                let a = (self.infer(tree, *a), tree.span(*a));
                let b = (self.infer(tree, *b), tree.span(*b));
                self.binary(Operator::Pow, &a, &b)
            }
            ExprKind::Compare(first, rest) => self.compare(tree, *first, rest),
            ExprKind::And(items) | ExprKind::Or(items) => {
                let mut symbols = Some(Symbols::new());
                for item in items {
                    let c = self.condition(tree, *item);
                    symbols = symbols.zip(c.symbols).map(|(mut a, b)| {
                        a.extend(b);
                        a
                    });
                }
                Inferred::Condition(Condition { symbols, sides: None })
            }
            ExprKind::Range(a, b) => match self.ends(tree, *a, *b) {
                Some(q) => Inferred::Range(Quantity { exact: None, ..q }),
                None => Inferred::Range(Quantity::soft(self.units.fresh())),
            },
            ExprKind::PlusMinus(a, b) => match self.ends(tree, *a, *b) {
                Some(q) => Inferred::Quantity(Quantity { exact: None, float: true, ..q }),
                None => Inferred::Unknown,
            },
            ExprKind::WithUnit(a, unit) => self.with_unit(tree, *a, unit, span),
            ExprKind::Convert(a, unit) => {
                let value = (self.infer(tree, *a), tree.span(*a));
                match self.unit(unit) {
                    Some(unit) => self.convert(&value.0, &unit, span),
                    None => Inferred::Unknown,
                }
            }
            ExprKind::If { condition, then, otherwise } => {
                let c = self.condition(tree, *condition);
                let (a, b) = (self.infer(tree, *then), self.infer(tree, *otherwise));
                // A condition on symbols makes a piecewise expression; one on numbers chooses.
                let open = c.symbols.as_ref().is_some_and(|s| !s.is_empty());
                if open
                    && let (Some(x), Some(y)) = (a.quantity(), b.quantity())
                    && !x.soft
                    && !y.soft
                {
                    let (x, y) = (x.clone(), y.clone());
                    if !self.same(&x.dim, tree.span(*then), &y.dim, tree.span(*otherwise)) {
                        return Inferred::Unknown;
                    }
                    let mut symbols = x.all_symbols(&y);
                    if let (Some(all), Some(own)) = (&mut symbols, c.symbols) {
                        all.extend(own);
                    }
                    return Inferred::Quantity(Quantity { symbols, ..Quantity::of(x.dim) });
                }
                self.join(&a, &b)
            }
            ExprKind::Call { callee, args, .. } => self.call(tree, *callee, args, span),
            ExprKind::Pipe(value, callee) => {
                let mut all = vec![Arg { name: None, value: *value }];
                match tree.expr(*callee) {
                    ExprKind::Call { callee: f, args, .. } => {
                        all.extend(args.iter().cloned());
                        self.call(tree, *f, &all, span)
                    }
                    _ => self.call(tree, *callee, &all, span),
                }
            }
            ExprKind::Index(target, index) => {
                let place = (self.infer(tree, *index), tree.span(*index));
                let target = (self.infer(tree, *target), tree.span(*target));
                self.index(&target, &place)
            }
            ExprKind::Member(target, name) => {
                let target = self.infer(tree, *target);
                self.member(&target, &name.name, name.span)
            }
            ExprKind::List(items) => Inferred::list(items.iter().map(|i| self.infer(tree, *i)).collect()),
            ExprKind::Comprehension { body, clauses, condition } => {
                let element = self.comprehension(tree, *body, clauses, *condition);
                Inferred::each(element)
            }
            ExprKind::Record(entries) => {
                let entries = entries
                    .iter()
                    .filter_map(|e| Some((e.name.as_ref()?.name.clone(), self.infer(tree, e.value))))
                    .collect();
                Inferred::Record(Some(Arc::new(entries)))
            }
            ExprKind::Error => Inferred::Unknown,
        }
    }

    /// A number as written; 0 fits any unit.
    pub(super) fn number(&mut self, n: Number, float: bool) -> Quantity {
        let dim = if n.is_zero() { self.units.fresh() } else { Dim::none() };
        Quantity { exact: Some(n), float, ..Quantity::of(dim) }
    }

    fn text(&mut self, tree: &Arc<Tree>, parts: &[StrPart]) -> Inferred {
        let mut known = Some(String::new());
        for part in parts {
            match part {
                StrPart::Text(t) => {
                    if let Some(k) = &mut known {
                        k.push_str(t);
                    }
                }
                StrPart::Interpolation { expr, .. } => {
                    self.infer(tree, *expr);
                    known = None;
                }
            }
        }
        Inferred::Text(known.map(Into::into))
    }

    fn comprehension(
        &mut self,
        tree: &Arc<Tree>,
        body: ExprId,
        clauses: &[ForClause],
        condition: Option<ExprId>,
    ) -> Inferred {
        let Some((clause, rest)) = clauses.split_first() else {
            if let Some(c) = condition {
                self.condition(tree, c);
            }
            return self.infer(tree, body);
        };
        let element = self.element(tree, clause.source);
        let names: HashMap<_, _> = self.loop_names(clause, element, tree);
        self.within(names, |c| c.comprehension(tree, body, rest, condition))
    }

    fn with_unit(
        &mut self,
        tree: &Arc<Tree>,
        a: ExprId,
        unit: &UnitExpr,
        span: crate::base::Span,
    ) -> Inferred {
        let value = self.infer(tree, a);
        let written = crate::language::types::unit_text(unit);
        let name = match tree.expr(a) {
            ExprKind::Name(n) => n.to_string(),
            _ => "xs".to_string(),
        };
        // `xs [1]` and `xs [k]` were meant as an index.
        let index =
            if unit.factors.is_empty() || self.is_bound(&written) { written.clone() } else { "1".into() };
        let index = if matches!(value, Inferred::Record(_)) { "\"name\"".to_string() } else { index };
        match &value {
            Inferred::List(_) | Inferred::Column(_) | Inferred::Dataset(_) | Inferred::Record(_) => {
                let message = format!("expected a number before the unit, found a {}", value.name());
                return self.report(fault_hint(6020, span, message, format!("{name}[{index}]")));
            }
            _ => {}
        }
        let Some(unit) = self.unit(unit) else { return Inferred::Unknown };
        match &value {
            Inferred::Quantity(q) => {
                self.attach(q, &unit, tree, a, span).map_or(Inferred::Unknown, Inferred::Quantity)
            }
            Inferred::Law(q, _) | Inferred::Field(_, q) => {
                self.attach(q, &unit, tree, a, span).map_or(Inferred::Unknown, Inferred::Quantity)
            }
            Inferred::Range(q) => {
                self.attach(q, &unit, tree, a, span).map_or(Inferred::Unknown, Inferred::Range)
            }
            Inferred::Unknown => Inferred::Unknown,
            other => {
                let message = format!("expected a number before the unit, found a {}", other.name());
                self.report(fault_hint(6020, span, message, format!("1 [{written}]")))
            }
        }
    }

    fn attach(
        &mut self,
        q: &Quantity,
        unit: &Unit,
        tree: &Tree,
        a: ExprId,
        span: crate::base::Span,
    ) -> Option<Quantity> {
        if q.exact.is_some() {
            self.units.unify(&q.dim, &Dim::none());
        }
        let dim = self.units.resolve(&q.dim);
        if dim.is_known() && !dim.is_none() {
            let message = format!("expected a value without unit, found one in [{}]", dim.shown());
            let written = print_expr(tree, a);
            // `->` converts within a dimension; another unit multiplies.
            let hint = match dim == Dim::of_unit(unit) {
                true => format!("{written} -> [{unit}]"),
                false => {
                    format!("-> converts to a unit of [{}]; `{written}*1 [{unit}]` multiplies", dim.shown())
                }
            };
            self.report(fault_hint(6020, span, message, hint));
            return None;
        }
        Some(Quantity { dim: dim.times(&Dim::of_unit(unit)), exact: None, bare: None, ..q.clone() })
    }

    /// What a loop over this gives.
    pub(super) fn element(&mut self, tree: &Arc<Tree>, id: ExprId) -> Inferred {
        let found = self.infer(tree, id);
        match &found {
            Inferred::List(items) => self.representative(items),
            Inferred::Range(q) => {
                Inferred::Quantity(Quantity { soft: false, symbols: Some(Symbols::new()), ..q.clone() })
            }
            Inferred::Column(cells) => cells.element(),
            Inferred::Dataset(Some(d)) if !d.open => {
                let entries = d.columns.iter().map(|(n, c)| (n.clone(), c.element())).collect();
                Inferred::Record(Some(Arc::new(entries)))
            }
            Inferred::Dataset(_) => Inferred::Record(None),
            Inferred::Record(_) => Inferred::list(vec![Inferred::Text(None), Inferred::Unknown]),
            Inferred::Front(q) => Inferred::Quantity(q.clone()),
            Inferred::Unknown => Inferred::Unknown,
            other if other.is_open() => Inferred::Unknown,
            other => {
                let message = format!("expected a list, range, column or dataset, found a {}", other.name());
                let hint = match other {
                    Inferred::Quantity(q) if q.exact.is_some() => "a range: `1..n`",
                    _ => "for n in 1..10 { ... }",
                };
                self.report(fault_hint(6006, tree.span(id), message, hint))
            }
        }
    }

    fn compare(&mut self, tree: &Arc<Tree>, first: ExprId, rest: &[(CompareOp, ExprId)]) -> Inferred {
        let mut symbols = Some(Symbols::new());
        let mut sides = None;
        let mut left = (self.infer(tree, first), tree.span(first));
        let only = rest.len() == 1;
        for (o, id) in rest {
            let right = (self.infer(tree, *id), tree.span(*id));
            let c = self.comparison(*o, &left, &right);
            symbols = symbols.zip(c.symbols).map(|(mut a, b)| {
                a.extend(b);
                a
            });
            sides = c.sides.filter(|_| only);
            left = right;
        }
        Inferred::Condition(Condition { symbols, sides })
    }

    /// The elements of a list or column, as one.
    pub(super) fn elements_of(&mut self, value: &Inferred) -> Option<Inferred> {
        match value {
            Inferred::List(items) => Some(self.representative(items)),
            Inferred::Column(cells) => Some(cells.element()),
            _ => None,
        }
    }

    /// Elements that are known one by one.
    pub(super) fn known_items(value: &Inferred) -> Option<&[Inferred]> {
        match value {
            Inferred::List(Items::Known(items)) => Some(items),
            _ => None,
        }
    }
}
