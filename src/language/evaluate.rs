//! Expressions of the syntax tree to values. Names are looked up here and never again; a name bound to
//! nothing is a symbol.

use std::sync::Arc;

use super::context::{Context, Scope};
use super::decide;
use super::error::{Result, fault, fault_hint, lift};
use super::operations as op;
use super::value::{Function, Record, Value};
use crate::base::{Code, Number, Span};
use crate::expression::{Constant, Expr, Flags, Relation, Uncertain};
use crate::syntax::tree::{
    CompareOp, ExprId, ExprKind, ForClause, MulOp, Name, Operator, Sign, StrPart, Tree, UnitExpr, WhereItem,
};
use crate::units::Unit;

impl Context {
    /// The value of an expression.
    pub fn evaluate(&mut self, tree: &Arc<Tree>, id: ExprId) -> Result<Value> {
        let span = tree.span(id);
        match tree.expr(id) {
            ExprKind::Integer(n) => Ok(Value::Expr(Expr::number(n.clone()))),
            ExprKind::Float(x) => Ok(Value::Expr(Expr::float(*x))),
            ExprKind::Name(name) => Ok(self.name(name)),
            ExprKind::Str { parts, .. } => self.text(tree, parts),
            ExprKind::Bool(b) => Ok(Value::boolean(*b)),
            ExprKind::Operator(o) => Ok(Value::Function(Function::Operator(*o))),
            ExprKind::Neg(a) => {
                let a = self.evaluate(tree, *a)?;
                op::negate(&a, span)
            }
            ExprKind::Pos(a) => self.evaluate(tree, *a),
            ExprKind::Root(a) => {
                let a = self.evaluate(tree, *a)?;
                op::binary(self, Operator::Pow, &a, &Value::Expr(Expr::number(Number::HALF)), span)
            }
            ExprKind::Not(a) => {
                let truth = self.truth(tree, *a)?;
                Ok(Value::boolean(!truth))
            }
            ExprKind::Sum(terms) => self.sum(tree, terms, span),
            ExprKind::Product(factors) => self.product(tree, factors, span),
            ExprKind::Juxtaposed(a, b) => {
                let (a, b) = (self.evaluate(tree, *a)?, self.evaluate(tree, *b)?);
                op::binary(self, Operator::Mul, &a, &b, span)
            }
            ExprKind::Power(a, b) => {
                let (a, b) = (self.evaluate(tree, *a)?, self.evaluate(tree, *b)?);
                op::binary(self, Operator::Pow, &a, &b, span)
            }
            ExprKind::Compare(first, rest) => self.compare(tree, *first, rest, span),
            ExprKind::And(items) => {
                for item in items {
                    if !self.truth(tree, *item)? {
                        return Ok(Value::boolean(false));
                    }
                }
                Ok(Value::boolean(true))
            }
            ExprKind::Or(items) => {
                for item in items {
                    if self.truth(tree, *item)? {
                        return Ok(Value::boolean(true));
                    }
                }
                Ok(Value::boolean(false))
            }
            ExprKind::Range(a, b) => self.range(tree, *a, *b),
            ExprKind::PlusMinus(a, b) => self.plus_minus(tree, *a, *b, span),
            ExprKind::WithUnit(a, unit) => {
                let unit = self.unit(unit)?;
                let value = self.evaluate(tree, *a)?;
                attach_unit(&value, &unit, span)
            }
            ExprKind::Convert(a, unit) => {
                let unit = self.unit(unit)?;
                let value = self.evaluate(tree, *a)?;
                op::convert(self, &value, &unit, span)
            }
            ExprKind::If { condition, then, otherwise } => {
                let c = self.evaluate(tree, *condition)?;
                match decide::decide(self, &c, tree.span(*condition))? {
                    Some(true) => self.evaluate(tree, *then),
                    Some(false) => self.evaluate(tree, *otherwise),
                    None => {
                        let c = op::expr_of(&c, tree.span(*condition))?;
                        let a = self.evaluate(tree, *then)?;
                        let b = self.evaluate(tree, *otherwise)?;
                        let a = op::settle(&op::expr_of(&a, tree.span(*then))?);
                        let b = op::settle(&op::expr_of(&b, tree.span(*otherwise))?);
                        op::same_units(self, &a, &b, span)?;
                        self.checked(Expr::piecewise(vec![(c, a)], b), span)
                    }
                }
            }
            ExprKind::Call { callee, args, .. } => self.call(tree, *callee, args, span),
            ExprKind::Index(target, index) => {
                let at = tree.span(*index);
                let target = self.evaluate(tree, *target)?;
                let index = self.evaluate(tree, *index)?;
                self.index(&target, &index, span).map_err(|mut e| {
                    if e.code == Code(6013) {
                        e.span = Some(at);
                    }
                    e
                })
            }
            ExprKind::Member(target, name) => {
                let target = self.evaluate(tree, *target)?;
                self.member(&target, &name.name, name.span)
            }
            ExprKind::List(items) => {
                let items: Result<Vec<Value>> = items.iter().map(|i| self.evaluate(tree, *i)).collect();
                Ok(Value::list(items?))
            }
            ExprKind::Comprehension { body, clauses, condition } => {
                let mut found = Vec::new();
                self.comprehension(tree, *body, clauses, *condition, &mut found)?;
                Ok(Value::list(found))
            }
            ExprKind::Record(entries) => {
                let mut record = Record::default();
                for entry in entries {
                    let Some(name) = &entry.name else { continue };
                    let value = self.evaluate(tree, entry.value)?;
                    record.entries.push((name.name.clone(), value));
                }
                Ok(Value::Record(Arc::new(record)))
            }
            ExprKind::Pipe(value, callee) => self.pipe(tree, *value, *callee, span),
            ExprKind::Error => Err(fault(6016, span, "this could not be read")),
        }
    }

    /// A unit as written.
    pub fn unit(&self, unit: &UnitExpr) -> Result<Unit> {
        self.catalogue.resolve(unit).map_err(|(e, span)| lift(&e, span))
    }

    fn name(&self, name: &Name) -> Value {
        if let Some(value) = self.lookup(name) {
            return value;
        }
        if self.is_local(name) || self.is_declared(name) {
            return Value::Expr(Expr::symbol(name.clone()));
        }
        match Constant::from_name(name) {
            Some(c) => Value::Expr(Expr::constant(c)),
            None => Value::Expr(Expr::symbol(name.clone())),
        }
    }

    fn text(&mut self, tree: &Arc<Tree>, parts: &[StrPart]) -> Result<Value> {
        let mut text = String::new();
        for part in parts {
            match part {
                StrPart::Text(t) => text.push_str(t),
                StrPart::Interpolation { expr, digits } => {
                    let value = self.evaluate(tree, *expr)?;
                    let mut style = self.style.clone();
                    match digits {
                        Some(n) => {
                            style.digits = Some(*n as usize);
                            let shown = match value.plain() {
                                // Asked for digits: an exact ratio is carried out.
                                Value::Expr(e) if !e.is_symbolic() && e.as_i64().is_none() => {
                                    match e.evaluate(&|_| None) {
                                        Some(x) if !e.flags().has(Flags::UNIT) => Value::Expr(Expr::float(x)),
                                        _ => value.clone(),
                                    }
                                }
                                _ => value.clone(),
                            };
                            text.push_str(&super::render::plain(&shown, &style));
                        }
                        None => text.push_str(&super::render::plain(&value, &style)),
                    }
                }
            }
        }
        Ok(Value::text(text))
    }

    fn sum(&mut self, tree: &Arc<Tree>, terms: &[(Sign, ExprId)], span: Span) -> Result<Value> {
        let mut values = Vec::with_capacity(terms.len());
        for (sign, id) in terms {
            values.push((*sign, self.evaluate(tree, *id)?, tree.span(*id)));
        }
        if values.iter().all(|(_, v, _)| v.as_expr().is_some()) {
            let mut exprs: Vec<Expr> = Vec::with_capacity(values.len());
            let mut known: Option<(Expr, crate::units::Dimension, Span)> = None;
            for (sign, v, at) in &values {
                let e = op::settle(&op::expr_of(v, *at)?);
                if !e.is_plain_number() || known.is_some() {
                    let d =
                        super::dimension::of(&e, &self.declarations).map_err(|m| op::unit_fault(&m, *at))?;
                    if let Some(d) = d {
                        match &known {
                            None => known = Some((e.clone(), d, *at)),
                            Some((_, expected, first)) if *expected != d => {
                                return Err(self.sum_mismatch(*expected, *first, d, *at));
                            }
                            Some(_) => {}
                        }
                    }
                } else if !e.is_zero() {
                    known = Some((e.clone(), crate::units::Dimension::NONE, *at));
                }
                exprs.push(if *sign == Sign::Minus { e.negate() } else { e });
            }
            return self.checked(Expr::sum(exprs), span);
        }
        let mut values = values.into_iter();
        let Some((_, mut total, _)) = values.next() else { return Ok(Value::int(0)) };
        for (sign, v, at) in values {
            let o = if sign == Sign::Minus { Operator::Sub } else { Operator::Add };
            total = op::binary(self, o, &total, &v, at)?;
        }
        Ok(total)
    }

    fn sum_mismatch(
        &self,
        expected: crate::units::Dimension,
        first: Span,
        found: crate::units::Dimension,
        at: Span,
    ) -> super::error::Error {
        let (e, f) = (Unit::coherent(expected), Unit::coherent(found));
        let mut error = fault(6021, at, format!("expected a term in [{e}], found one in [{f}]"));
        error.label = format!("[{f}]");
        error.related.push((first, format!("[{e}]")));
        if let Ok(missing) = e.div(&f) {
            error.hint = Some(format!("multiply by something in [{}]", Unit::coherent(missing.dimension())));
        }
        error
    }

    fn product(&mut self, tree: &Arc<Tree>, factors: &[(MulOp, ExprId)], span: Span) -> Result<Value> {
        let mut values = Vec::with_capacity(factors.len());
        for (o, id) in factors {
            values.push((*o, self.evaluate(tree, *id)?, tree.span(*id)));
        }
        if values.iter().all(|(_, v, _)| v.as_expr().is_some()) {
            let mut exprs = Vec::with_capacity(values.len());
            for (o, v, at) in &values {
                let e = op::settle(&op::expr_of(v, *at)?);
                if *o == MulOp::Divide {
                    if e.is_zero() {
                        return Err(fault_hint(
                            6012,
                            *at,
                            "expected a divisor other than zero, found 0",
                            "where the divisor can be zero, use `if`",
                        ));
                    }
                    exprs.push(e.recip());
                } else {
                    exprs.push(e);
                }
            }
            let units = exprs.iter().filter_map(|e| e.split_unit().1).collect::<Vec<_>>();
            let result = Expr::product(exprs);
            return self.checked(keep_operand_unit(result, &units), span);
        }
        let mut values = values.into_iter();
        let Some((_, mut total, _)) = values.next() else { return Ok(Value::int(1)) };
        for (o, v, at) in values {
            total = match o {
                MulOp::Times => op::binary(self, Operator::Mul, &total, &v, at)?,
                MulOp::Divide => op::binary(self, Operator::Div, &total, &v, at)?,
                MulOp::Dot => op::dot(self, &total, &v, at)?,
                MulOp::Cross => op::cross(self, &total, &v, at)?,
            };
        }
        Ok(total)
    }

    fn compare(
        &mut self,
        tree: &Arc<Tree>,
        first: ExprId,
        rest: &[(CompareOp, ExprId)],
        span: Span,
    ) -> Result<Value> {
        let mut left = self.evaluate(tree, first)?;
        let mut conditions = Vec::with_capacity(rest.len());
        for (o, id) in rest {
            let right = self.evaluate(tree, *id)?;
            conditions.push(self.comparison(*o, &left, &right, span)?);
            left = right;
        }
        if conditions.len() == 1 {
            return Ok(Value::Expr(conditions.remove(0)));
        }
        Ok(Value::Expr(Expr::and(conditions)))
    }

    /// One comparison: an equation or inequality of expressions, a decided condition of anything else.
    pub(super) fn comparison(&mut self, o: CompareOp, a: &Value, b: &Value, span: Span) -> Result<Expr> {
        if o == CompareOp::In {
            return self.membership(a, b, span);
        }
        let relation = match o {
            CompareOp::Eq => Relation::Eq,
            CompareOp::Ne => Relation::Ne,
            CompareOp::Lt => Relation::Lt,
            CompareOp::Le => Relation::Le,
            CompareOp::Gt => Relation::Gt,
            CompareOp::Ge | CompareOp::In => Relation::Ge,
        };
        match (a.as_expr(), b.as_expr()) {
            (Some(x), Some(y)) => {
                let (x, y) = (op::settle(&x), op::settle(&y));
                if !x.is_plain_number() || !y.is_plain_number() {
                    op::same_units(self, &x, &y, span)?;
                }
                Ok(Expr::relation(relation, x, y))
            }
            _ => match relation {
                Relation::Eq | Relation::Ne => {
                    let equal = decide::equal_values(self, a, b, span)?;
                    Ok(Expr::boolean(equal == (relation == Relation::Eq)))
                }
                _ => match (a.plain(), b.plain()) {
                    (Value::Text(x), Value::Text(y)) => {
                        let holds = match relation {
                            Relation::Lt => x < y,
                            Relation::Le => x <= y,
                            Relation::Gt => x > y,
                            _ => x >= y,
                        };
                        Ok(Expr::boolean(holds))
                    }
                    _ => {
                        let message = format!(
                            "expected numbers or texts to compare, found a {} and a {}",
                            a.kind_name(),
                            b.kind_name()
                        );
                        Err(fault(6016, span, message))
                    }
                },
            },
        }
    }

    fn membership(&mut self, a: &Value, b: &Value, span: Span) -> Result<Expr> {
        match b.plain() {
            Value::Range(low, high) => {
                let x = op::settle(&op::expr_of(a, span)?);
                op::same_units(self, low, &x, span)?;
                Ok(Expr::and([
                    Expr::relation(Relation::Le, low.clone(), x.clone()),
                    Expr::relation(Relation::Le, x, high.clone()),
                ]))
            }
            Value::List(_) | Value::Column(_) => {
                let Some(items) = op::as_list(b) else { return Ok(Expr::boolean(false)) };
                for item in items.iter() {
                    if decide::equal_values(self, a, item, span)? {
                        return Ok(Expr::boolean(true));
                    }
                }
                Ok(Expr::boolean(false))
            }
            Value::Text(whole) => match a.plain() {
                Value::Text(part) => Ok(Expr::boolean(whole.contains(&**part))),
                _ => Err(fault(6016, span, format!("expected a text in a text, found a {}", a.kind_name()))),
            },
            Value::Record(r) => match a.plain() {
                Value::Text(name) => Ok(Expr::boolean(r.get(name).is_some())),
                _ => Err(fault(6016, span, "expected the name of an entry, in quotes")),
            },
            other => Err(fault(
                6016,
                span,
                format!("expected a range or a list after `in`, found a {}", other.kind_name()),
            )),
        }
    }

    /// The truth of an expression; what cannot be decided is an error.
    pub fn truth(&mut self, tree: &Arc<Tree>, id: ExprId) -> Result<bool> {
        let value = self.evaluate(tree, id)?;
        let span = tree.span(id);
        match decide::decide(self, &value, span)? {
            Some(truth) => Ok(truth),
            None => Err(decide::undecided(self, &value, span)),
        }
    }

    fn range(&mut self, tree: &Arc<Tree>, a: ExprId, b: ExprId) -> Result<Value> {
        let (low, high) = (self.evaluate(tree, a)?, self.evaluate(tree, b)?);
        let low = op::settle(&op::expr_of(&low, tree.span(a))?);
        let high = op::settle(&op::expr_of(&high, tree.span(b))?);
        let (low, high) = share_unit(low, high);
        op::same_units(self, &low, &high, tree.span(b))?;
        Ok(Value::Range(low, high))
    }

    fn plus_minus(&mut self, tree: &Arc<Tree>, a: ExprId, b: ExprId, span: Span) -> Result<Value> {
        let (value, error) = (self.evaluate(tree, a)?, self.evaluate(tree, b)?);
        let (value, error) = (op::expr_of(&value, tree.span(a))?, op::expr_of(&error, tree.span(b))?);
        let (value, error) = share_unit(value, error);
        op::same_units(self, &value, &error, tree.span(b))?;
        let (number, unit) = value.split_unit();
        let size = match (&unit, error.split_unit()) {
            (Some(u), (e, Some(own))) => {
                let scale = own.convert_scale(u).map_err(|e| lift(&e, tree.span(b)))?;
                Expr::product([e, Expr::scale_factor(&scale)])
            }
            (_, (e, _)) => e,
        };
        let (Some(mean), Some(sigma)) = (number.evaluate(&|_| None), size.evaluate(&|_| None)) else {
            return Err(fault(6006, span, "expected numbers on both sides of ±, found symbols"));
        };
        if sigma < 0.0 || !sigma.is_finite() {
            return Err(fault(
                6006,
                tree.span(b),
                format!("expected an uncertainty of at least 0, found {sigma}"),
            ));
        }
        let id = self.new_identity(1);
        let number = Expr::uncertain(Uncertain::new(id, mean, sigma));
        Ok(Value::Expr(match unit {
            Some(u) => Expr::product([number, Expr::unit(u)]),
            None => number,
        }))
    }

    fn comprehension(
        &mut self,
        tree: &Arc<Tree>,
        body: ExprId,
        clauses: &[ForClause],
        condition: Option<ExprId>,
        found: &mut Vec<Value>,
    ) -> Result<()> {
        let Some((clause, rest)) = clauses.split_first() else {
            if let Some(condition) = condition
                && !self.truth(tree, condition)?
            {
                return Ok(());
            }
            found.push(self.evaluate(tree, body)?);
            return Ok(());
        };
        let source = self.evaluate(tree, clause.source)?;
        for element in self.elements(&source, tree.span(clause.source))? {
            self.poll(tree.span(body))?;
            let scope = bind_names(clause, element, tree.span(clause.source))?;
            self.locals.push(scope);
            let done = self.comprehension(tree, body, rest, condition, found);
            self.locals.pop();
            done?;
        }
        Ok(())
    }

    /// Evaluates with the local names of `where`, in order.
    pub(super) fn with_wheres<T>(
        &mut self,
        tree: &Arc<Tree>,
        wheres: &[WhereItem],
        f: impl FnOnce(&mut Context) -> Result<T>,
    ) -> Result<T> {
        if wheres.is_empty() {
            return f(self);
        }
        self.locals.push(Scope::new());
        let result = (|| {
            for item in wheres {
                let value = match &item.params {
                    None => self.evaluate(tree, item.value)?,
                    Some(params) => self.closure(tree, &item.name.name, params, None, item.value, &[]),
                };
                if let Some(scope) = self.locals.last_mut() {
                    scope.insert(item.name.name.clone(), Some(value));
                }
            }
            f(self)
        })();
        self.locals.pop();
        result
    }
}

/// The scope that a loop's names make of one element.
pub(super) fn bind_names(clause: &ForClause, element: Value, span: Span) -> Result<Scope> {
    let mut scope = Scope::new();
    if let [only] = clause.names.as_slice() {
        scope.insert(only.name.clone(), Some(element));
        return Ok(scope);
    }
    let parts = op::as_list(&element).map(|l| l.to_vec()).unwrap_or_else(|| vec![element]);
    if parts.len() != clause.names.len() {
        let message = format!("expected {} elements, found {}", clause.names.len(), parts.len());
        return Err(fault(6018, span, message));
    }
    for (name, part) in clause.names.iter().zip(parts) {
        scope.insert(name.name.clone(), Some(part));
    }
    Ok(scope)
}

/// `value [unit]`.
fn attach_unit(value: &Value, unit: &Unit, span: Span) -> Result<Value> {
    match value.plain() {
        Value::Expr(e) => {
            if e.split_unit().1.is_some() {
                return Err(fault_hint(
                    6020,
                    span,
                    "expected a value without unit, found one that has one",
                    format!("-> [{unit}]"),
                ));
            }
            Ok(Value::Expr(Expr::product([e.clone(), Expr::unit(unit.clone())])))
        }
        Value::Range(low, high) => Ok(Value::Range(
            Expr::product([low.clone(), Expr::unit(unit.clone())]),
            Expr::product([high.clone(), Expr::unit(unit.clone())]),
        )),
        other => Err(fault_hint(
            6020,
            span,
            format!("expected a number before the unit, found a {}", other.kind_name()),
            "an index touches what it indexes: `xs[1]`",
        )),
    }
}

/// Gives the side without unit the unit of the other.
fn share_unit(a: Expr, b: Expr) -> (Expr, Expr) {
    match (a.split_unit().1, b.split_unit().1) {
        (None, Some(u)) if !a.is_symbolic() && !a.flags().has(Flags::UNIT) => {
            let a = Expr::product([a, Expr::unit(u)]);
            (a, b)
        }
        (Some(u), None) if !b.is_symbolic() && !b.flags().has(Flags::UNIT) => {
            let b = Expr::product([b, Expr::unit(u)]);
            (a, b)
        }
        _ => (a, b),
    }
}

/// A result keeps an operand's unit where the dimension is unchanged.
fn keep_operand_unit(result: Expr, operands: &[Unit]) -> Expr {
    if operands.len() < 2 {
        return result;
    }
    let (number, Some(unit)) = result.split_unit() else { return result };
    let Some(own) = operands.iter().find(|u| u.dimension() == unit.dimension() && **u != unit) else {
        return result;
    };
    match unit.convert_scale(own) {
        Ok(scale) => Expr::product([number, Expr::scale_factor(&scale), Expr::unit(own.clone())]),
        Err(_) => result,
    }
}
