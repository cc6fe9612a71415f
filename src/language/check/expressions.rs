//! The kind of every expression, and the units of its parts.

use std::sync::Arc;

use super::kind::{Callable, Column, Kind};
use super::{Checker, loop_scope};
use crate::base::{Number, Span, suggest};
use crate::language::error::{Error, fault, fault_hint};
use crate::syntax::tree::{CompareOp, ExprId, ExprKind, ForClause, MulOp, Operator, Sign, StrPart, Tree};
use crate::units::{Dimension, Unit};

/// The fault of two dimensions that must be equal.
pub(super) fn mismatch(expected: Dimension, first: Span, found: Dimension, at: Span) -> Error {
    let (e, f) = (Unit::coherent(expected), Unit::coherent(found));
    let mut error = fault(6021, at, format!("expected a term in [{e}], found one in [{f}]"));
    error.label = format!("[{f}]");
    error.related.push((first, format!("[{e}]")));
    if let Ok(missing) = e.div(&f) {
        error.hint = Some(format!("multiply by something in [{}]", Unit::coherent(missing.dimension())));
    }
    error
}

impl Checker {
    /// The kind of an expression; its faults are reported.
    pub(super) fn kind(&mut self, tree: &Arc<Tree>, id: ExprId) -> Kind {
        let span = tree.span(id);
        match tree.expr(id) {
            ExprKind::Integer(n) if n.is_zero() => Kind::Zero,
            ExprKind::Integer(n) => Kind::Exact(n.clone()),
            ExprKind::Float(0.0) => Kind::Zero,
            ExprKind::Float(_) => Kind::pure(),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Str { parts, .. } => {
                for part in parts {
                    if let StrPart::Interpolation { expr, .. } = part {
                        self.kind(tree, *expr);
                    }
                }
                Kind::Text
            }
            ExprKind::Bool(_) => Kind::Condition,
            ExprKind::Operator(_) => Kind::Function(Callable::Operator),
            ExprKind::Neg(a) | ExprKind::Pos(a) => {
                let kind = self.numeric(tree, *a);
                match kind {
                    Kind::Exact(n) if matches!(tree.expr(id), ExprKind::Neg(_)) => Kind::Exact(-n),
                    other => other,
                }
            }
            ExprKind::Root(a) => {
                let kind = self.numeric(tree, *a);
                self.power(&kind, &Kind::Exact(Number::HALF), span)
            }
            ExprKind::Not(a) => {
                self.condition(tree, *a);
                Kind::Condition
            }
            ExprKind::Sum(terms) => self.sum(tree, terms),
            ExprKind::Product(factors) => self.product(tree, factors),
            ExprKind::Juxtaposed(a, b) => self.product(tree, &[(MulOp::Times, *a), (MulOp::Times, *b)]),
            ExprKind::Power(a, b) => {
                let (base, exponent) = (self.numeric(tree, *a), self.numeric(tree, *b));
                if let Some(d) = exponent.dimension().filter(|d| !d.is_none()) {
                    let message =
                        format!("expected a pure number as exponent, found one in [{}]", Unit::coherent(d));
                    return self.report(fault_hint(
                        6022,
                        tree.span(*b),
                        message,
                        "divide by a quantity of the same unit",
                    ));
                }
                self.power(&base, &exponent, span)
            }
            ExprKind::Compare(first, rest) => self.compare(tree, *first, rest),
            ExprKind::And(items) | ExprKind::Or(items) => {
                items.iter().for_each(|i| self.condition(tree, *i));
                Kind::Condition
            }
            ExprKind::Range(a, b) => {
                let (low, high) = (self.numeric(tree, *a), self.numeric(tree, *b));
                Kind::Range(self.shared(&low, *a, &high, *b, tree))
            }
            ExprKind::PlusMinus(a, b) => {
                let (value, error) = (self.numeric(tree, *a), self.numeric(tree, *b));
                Kind::Number(self.shared(&value, *a, &error, *b, tree))
            }
            ExprKind::WithUnit(a, unit) => {
                let unit = self.unit(unit);
                let kind = self.kind(tree, *a);
                match &kind {
                    Kind::List(_) | Kind::Dataset(_) | Kind::Record(_) | Kind::Column(_) => {
                        return self.report(fault_hint(
                            6020,
                            span,
                            format!("expected a number before the unit, found a {}", kind.name()),
                            "an index touches what it indexes: `xs[1]`",
                        ));
                    }
                    Kind::Number(Some(d)) if !d.is_none() => {
                        let shown = unit.map_or_else(|| "1".to_string(), |u| u.to_string());
                        return self.report(fault_hint(
                            6020,
                            span,
                            format!("expected a value without unit, found one in [{}]", Unit::coherent(*d)),
                            format!("-> [{shown}]"),
                        ));
                    }
                    Kind::Text | Kind::Function(_) => {
                        return self.report(fault(
                            6020,
                            span,
                            format!("expected a number before the unit, found a {}", kind.name()),
                        ));
                    }
                    _ => {}
                }
                match (kind, unit) {
                    (Kind::Range(_), unit) => Kind::Range(unit.map(|u| u.dimension())),
                    (_, unit) => Kind::Number(unit.map(|u| u.dimension())),
                }
            }
            ExprKind::Convert(a, unit) => {
                let unit = self.unit(unit);
                let kind = self.kind(tree, *a);
                if let (Some(u), Some(d)) = (&unit, kind.dimension())
                    && d != u.dimension()
                {
                    let found = Unit::coherent(d);
                    let mut error = fault(6021, span, format!("expected a unit of [{found}], found [{u}]"));
                    error.label = format!("a quantity in [{found}]");
                    if let Ok(missing) = Unit::coherent(u.dimension()).div(&found) {
                        error.hint = Some(format!(
                            "multiply by something in [{}]",
                            Unit::coherent(missing.dimension())
                        ));
                    }
                    return self.report(error);
                }
                match kind {
                    Kind::List(_) | Kind::Column(_) => {
                        Kind::List(Box::new(Kind::Number(unit.map(|u| u.dimension()))))
                    }
                    _ => Kind::Number(unit.map(|u| u.dimension())),
                }
            }
            ExprKind::If { condition, then, otherwise } => {
                self.kind(tree, *condition);
                let (a, b) = (self.kind(tree, *then), self.kind(tree, *otherwise));
                match (a.dimension(), b.dimension()) {
                    (Some(x), Some(y)) if x != y => {
                        self.report(mismatch(x, tree.span(*then), y, tree.span(*otherwise)))
                    }
                    (Some(x), Some(_)) => Kind::Number(Some(x)),
                    _ if matches!((&a, &b), (Kind::Text, Kind::Text)) => Kind::Text,
                    _ => Kind::Unknown,
                }
            }
            ExprKind::Call { callee, args, .. } => self.call(tree, *callee, args, None, span),
            ExprKind::Pipe(value, callee) => {
                let kind = self.kind(tree, *value);
                match tree.expr(*callee) {
                    ExprKind::Call { callee: f, args, .. } => {
                        self.call(tree, *f, args, Some((kind, *value)), span)
                    }
                    _ => self.call(tree, *callee, &[], Some((kind, *value)), span),
                }
            }
            ExprKind::Index(target, index) => {
                let (target, place) = (self.kind(tree, *target), self.kind(tree, *index));
                self.index(&target, &place, tree.span(*index))
            }
            ExprKind::Member(target, name) => {
                let target = self.kind(tree, *target);
                self.member(&target, &name.name, name.span)
            }
            ExprKind::List(items) => {
                let kinds: Vec<Kind> = items.iter().map(|i| self.kind(tree, *i)).collect();
                let first = kinds.first().and_then(Kind::dimension);
                let uniform = first.is_some()
                    && kinds
                        .iter()
                        .all(|k| matches!(k, Kind::Number(_) | Kind::Exact(_)) && k.dimension() == first);
                Kind::List(Box::new(if uniform { Kind::Number(first) } else { Kind::Unknown }))
            }
            ExprKind::Comprehension { body, clauses, condition } => {
                self.comprehension(tree, *body, clauses, *condition)
            }
            ExprKind::Record(entries) => {
                let entries = entries
                    .iter()
                    .filter_map(|e| Some((e.name.as_ref()?.name.clone(), self.kind(tree, e.value))))
                    .collect();
                Kind::Record(entries)
            }
            ExprKind::Error => Kind::Unknown,
        }
    }

    /// The kind of an operand of arithmetic.
    fn numeric(&mut self, tree: &Arc<Tree>, id: ExprId) -> Kind {
        let kind = self.kind(tree, id);
        if kind.is_numeric() || matches!(kind, Kind::Text) {
            return kind;
        }
        let message = format!("expected a number or an expression, found a {}", kind.name());
        self.report(fault(6016, tree.span(id), message))
    }

    fn sum(&mut self, tree: &Arc<Tree>, terms: &[(Sign, ExprId)]) -> Kind {
        let mut known: Option<(Dimension, Span)> = None;
        let mut exact = Some(Number::ZERO);
        let (mut list, mut text, mut open, mut wrong) = (false, false, false, false);
        for (sign, id) in terms {
            let kind = self.numeric(tree, *id);
            list |= matches!(kind, Kind::List(_) | Kind::Column(_));
            text |= matches!(kind, Kind::Text);
            exact = match (exact, &kind) {
                (Some(n), Kind::Exact(m)) => Some(if *sign == Sign::Minus { &n - m } else { &n + m }),
                (Some(n), Kind::Zero) => Some(n),
                _ => None,
            };
            open |= kind.dimension().is_none() && !matches!(kind, Kind::Zero);
            if let Some(d) = kind.dimension() {
                match known {
                    None => known = Some((d, tree.span(*id))),
                    Some((expected, first)) if expected != d && !wrong => {
                        self.report(mismatch(expected, first, d, tree.span(*id)));
                        wrong = true;
                    }
                    Some(_) => {}
                }
            }
        }
        if wrong || text {
            return if text && !wrong { Kind::Text } else { Kind::Unknown };
        }
        let _ = open;
        match exact {
            Some(n) if n.is_zero() => Kind::Zero,
            Some(n) => Kind::Exact(n),
            None => {
                let number = Kind::Number(known.map(|k| k.0));
                if list { Kind::List(Box::new(number)) } else { number }
            }
        }
    }

    fn product(&mut self, tree: &Arc<Tree>, factors: &[(MulOp, ExprId)]) -> Kind {
        let mut total = Some(Dimension::NONE);
        let mut exact = Some(Number::ONE);
        let (mut list, mut vectors) = (false, false);
        for (o, id) in factors {
            let kind = self.numeric(tree, *id);
            if matches!(kind, Kind::Text) {
                self.report(fault(
                    6016,
                    tree.span(*id),
                    "expected a number or an expression, found a string",
                ));
                return Kind::Unknown;
            }
            list |= matches!(kind, Kind::List(_) | Kind::Column(_));
            vectors |= matches!(o, MulOp::Dot | MulOp::Cross);
            let own = match &kind {
                Kind::Exact(_) => Some(Dimension::NONE),
                other => other.dimension(),
            };
            exact = match (exact, &kind, o) {
                (Some(n), Kind::Exact(m), MulOp::Divide) => n.checked_div(m),
                (Some(n), Kind::Exact(m), _) => Some(&n * m),
                _ => None,
            };
            total = match (total, own, o) {
                (Some(t), Some(d), MulOp::Divide) => t.div(d),
                (Some(t), Some(d), _) => t.mul(d),
                _ => None,
            };
        }
        if list && vectors {
            return Kind::Unknown;
        }
        match exact {
            Some(n) => Kind::Exact(n),
            None if list => Kind::List(Box::new(Kind::Number(total))),
            None => Kind::Number(total),
        }
    }

    /// Base to the power of exponent.
    pub(super) fn power(&mut self, base: &Kind, exponent: &Kind, _span: Span) -> Kind {
        if let Kind::Exact(n) = base
            && let Kind::Exact(p) = exponent
            && let Some(k) = p.to_i64().filter(|k| k.abs() <= 64).and_then(|k| i32::try_from(k).ok())
            && let Some(value) = n.pow(k)
        {
            return Kind::Exact(value);
        }
        let d = match (base.dimension(), exponent) {
            (Some(d), _) if d.is_none() => Some(d),
            (Some(d), Kind::Exact(n)) => d.pow(n),
            _ => None,
        };
        match base {
            Kind::List(_) | Kind::Column(_) => Kind::List(Box::new(Kind::Number(d))),
            _ => Kind::Number(d),
        }
    }

    fn compare(&mut self, tree: &Arc<Tree>, first: ExprId, rest: &[(CompareOp, ExprId)]) -> Kind {
        let mut left = (self.kind(tree, first), first);
        for (o, id) in rest {
            let right = self.kind(tree, *id);
            if let (Some(a), Some(b)) = (left.0.dimension(), right.dimension())
                && a != b
            {
                self.report(mismatch(a, tree.span(left.1), b, tree.span(*id)));
            } else if *o == CompareOp::In
                && matches!(
                    right,
                    Kind::Number(Some(_)) | Kind::Exact(_) | Kind::Zero | Kind::Condition | Kind::Function(_)
                )
            {
                let message = format!("expected a range or a list after `in`, found a {}", right.name());
                self.report(fault_hint(6016, tree.span(*id), message, "x in 1..5"));
            }
            left = (right, *id);
        }
        Kind::Condition
    }

    /// The dimension two ends share; the end without a unit takes the other's.
    fn shared(
        &mut self,
        a: &Kind,
        a_id: ExprId,
        b: &Kind,
        b_id: ExprId,
        tree: &Arc<Tree>,
    ) -> Option<Dimension> {
        match (a.dimension(), b.dimension()) {
            (Some(x), Some(y)) if x == y => Some(x),
            (Some(x), Some(y)) if x.is_none() && matches!(a, Kind::Exact(_) | Kind::Number(_)) => Some(y),
            (Some(x), Some(y)) if y.is_none() => Some(x),
            (Some(x), Some(y)) => {
                self.report(mismatch(x, tree.span(a_id), y, tree.span(b_id)));
                None
            }
            (x, y) => x.or(y),
        }
    }

    fn comprehension(
        &mut self,
        tree: &Arc<Tree>,
        body: ExprId,
        clauses: &[ForClause],
        condition: Option<ExprId>,
    ) -> Kind {
        let Some((clause, rest)) = clauses.split_first() else {
            if let Some(c) = condition {
                self.condition(tree, c);
            }
            return Kind::List(Box::new(self.kind(tree, body)));
        };
        let element = self.element(tree, clause.source);
        self.scopes.push(loop_scope(clause, element));
        let kind = self.comprehension(tree, body, rest, condition);
        self.scopes.pop();
        kind
    }

    fn index(&mut self, target: &Kind, place: &Kind, span: Span) -> Kind {
        if let Kind::Exact(n) = place
            && !n.is_integer()
        {
            return self.report(fault(6013, span, format!("expected an integer as index, found {n}")));
        }
        match (target, place) {
            (Kind::Record(_) | Kind::Dataset(_), Kind::Text) => Kind::Unknown,
            (Kind::List(_) | Kind::Dataset(_), Kind::Range(_)) => target.clone(),
            (Kind::List(inner), _) => (**inner).clone(),
            (Kind::Column(Column::Numbers(d)), Kind::Exact(_) | Kind::Zero) => Kind::Number(*d),
            (Kind::Column(Column::Labels), Kind::Exact(_) | Kind::Zero) => Kind::Text,
            (Kind::Dataset(Some(columns)), Kind::Exact(_) | Kind::Zero) => Kind::Record(
                columns
                    .iter()
                    .map(|(n, c)| {
                        let kind = match c {
                            Column::Numbers(d) => Kind::Number(*d),
                            Column::Labels => Kind::Text,
                        };
                        (n.clone(), kind)
                    })
                    .collect(),
            ),
            (Kind::Number(_) | Kind::Exact(_) | Kind::Zero | Kind::Condition, _)
                if !matches!(target, Kind::Number(None)) =>
            {
                self.report(fault(
                    6016,
                    span,
                    format!("expected a list, column or dataset, found a {}", target.name()),
                ))
            }
            _ => Kind::Unknown,
        }
    }

    fn member(&mut self, target: &Kind, name: &str, span: Span) -> Kind {
        let (found, known): (Option<Kind>, Vec<String>) = match target {
            Kind::Record(entries) | Kind::Module(_, entries) => (
                entries.iter().find(|(n, _)| &**n == name).map(|(_, k)| k.clone()),
                entries.iter().map(|(n, _)| n.to_string()).collect(),
            ),
            Kind::Dataset(Some(columns)) => (
                columns.iter().find(|(n, _)| &**n == name).map(|(_, c)| Kind::Column(*c)),
                columns.iter().map(|(n, _)| n.to_string()).collect(),
            ),
            Kind::Number(Some(_))
            | Kind::Exact(_)
            | Kind::Zero
            | Kind::Text
            | Kind::List(_)
            | Kind::Column(_) => (None, Vec::new()),
            Kind::Law(..) => {
                let known = ["formula", "variables", "unit", "source"];
                (known.contains(&name).then_some(Kind::Unknown), known.map(String::from).to_vec())
            }
            Kind::Front => {
                let known = ["best", "laws", "r2", "loss", "size", "stopped", "work", "seed"];
                (known.contains(&name).then_some(Kind::Unknown), known.map(String::from).to_vec())
            }
            _ => return Kind::Unknown,
        };
        if let Some(kind) = found {
            return kind;
        }
        let mut error =
            fault(6002, span, format!("expected a member of the {}, found `{name}`", target.name()));
        error.hint = Some(match suggest::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("a {} has no members", target.name()),
            None => format!("it has {}", known.join(", ")),
        });
        self.report(error)
    }

    /// The name of an operator, for lists of them.
    pub(super) fn is_operator(tree: &Tree, id: ExprId) -> bool {
        matches!(
            tree.expr(id),
            ExprKind::Operator(Operator::Add | Operator::Sub | Operator::Mul | Operator::Div | Operator::Pow)
        )
    }
}
