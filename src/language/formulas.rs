//! Formulas over the columns of a dataset: conditions, derived columns, aggregates of a group. A column's name stands
//! for the whole column, so `v - mean(v)` is what it says. Formulas of arithmetic and elementary functions are built
//! once with the names as symbols and computed for all rows by the tape; all others are evaluated on the columns.
//! Errors of columns propagate through derivatives (of the first kind in first order, of the second through the
//! values). A row that lacks a value lacks the result, unless the formula itself asks `is_missing`.

use std::collections::HashSet;
use std::sync::Arc;

use super::calls::names_in;
use super::context::{Context, Scope};
use super::error::{Result, fault, fault_hint, lift};
use super::operations as op;
use super::value::{UserFunction, Value};
use super::{decide, dimension};
use crate::base::Span;
use crate::data::{Column, Dataset, Values};
use crate::expression::{Declaration, Declarations, Expr, Flags, Kind, Symbol};
use crate::numeric::Tape;
use crate::syntax::tree::{CompareOp, ExprId, ExprKind, MulOp, Name, StrPart, Tree};
use crate::units::{Dimension, Unit};

/// Functions that act on each element alone, whatever they are applied to.
const ELEMENTWISE: &[&str] = &[
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp",
    "log", "ln", "log10", "log2", "sqrt", "cbrt", "abs", "sign", "floor", "ceil", "round", "erf", "gamma",
];
/// Functions that act on each element alone where they have two arguments.
const PAIRWISE: &[&str] = &["min", "max", "mod", "atan2"];
/// The hidden name of the number of rows, which `count()` looks up.
pub const ROWS: &str = "#rows";

/// A formula and the dataset whose columns it is about.
pub struct Formula<'a> {
    data: &'a Dataset,
    written: &'a UserFunction,
    span: Span,
    /// Units of the numeric columns.
    units: Declarations,
}

/// What a part of a formula is.
enum Cells {
    /// One value for all rows.
    One(Value),
    /// A value for each row; nothing where it is missing.
    Rows(Vec<Value>),
    /// Numbers.
    Numbers(Numbers),
}

struct Numbers {
    expr: Expr,
    dimension: Dimension,
    /// In SI; NaN where missing.
    values: Vec<f64>,
    errors: Option<Vec<f64>>,
    missing: Vec<bool>,
}

impl<'a> Formula<'a> {
    /// A formula over the columns of a dataset.
    pub fn new(data: &'a Dataset, written: &'a UserFunction, span: Span) -> Formula<'a> {
        let mut units = Declarations::new();
        for c in data.columns().iter().filter(|c| c.is_numeric()) {
            let unit = Some(c.unit.clone().unwrap_or_else(Unit::one));
            units.insert(Symbol::new(&c.name), Declaration { unit, ..Declaration::default() });
        }
        Formula { data, written, span, units }
    }

    fn tree(&self) -> &Arc<Tree> {
        &self.written.tree
    }

    /// The columns that a formula names: a name, a text, or a list of these.
    pub fn names(&self) -> Result<Vec<Arc<str>>> {
        let name = |id: ExprId| match self.tree().expr(id) {
            ExprKind::Name(name) => Some(Arc::from(&**name)),
            ExprKind::Str { parts, .. } => match parts.as_slice() {
                [StrPart::Text(text)] => Some(Arc::from(&**text)),
                _ => None,
            },
            _ => None,
        };
        let names: Option<Vec<Arc<str>>> = match self.tree().expr(self.written.body) {
            ExprKind::List(items) => items.iter().map(|i| name(*i)).collect(),
            _ => name(self.written.body).map(|n| vec![n]),
        };
        names.filter(|n| !n.is_empty()).ok_or_else(|| {
            fault_hint(
                6006,
                self.span,
                "expected the name of a column, or a list of names",
                "kind, \"orbital period\" or [kind, year]",
            )
        })
    }

    /// The names of columns that occur, in the order of the data.
    fn used(&self) -> Vec<&'a Arc<Column>> {
        let mut met: HashSet<Name> = HashSet::new();
        names_in(self.tree(), self.written.body, &mut |n| {
            met.insert(n.clone());
        });
        self.data.columns().iter().filter(|c| met.contains(&*c.name)).collect()
    }

    /// Whether the formula asks which values are missing.
    fn asks_missing(&self) -> bool {
        let mut asks = false;
        names_in(self.tree(), self.written.body, &mut |n| asks |= &**n == "is_missing");
        asks
    }

    /// The rows to compute; `None` for all.
    fn complete(&self) -> Option<Vec<usize>> {
        let lacking: Vec<&str> =
            self.used().into_iter().filter(|c| c.missing.is_some()).map(|c| &*c.name).collect();
        (!lacking.is_empty() && !self.asks_missing()).then(|| self.data.complete_rows(&lacking))
    }

    /// A column of the formula's values.
    pub fn column(&self, context: &mut Context, name: &str) -> Result<Column> {
        if let Some(rows) = self.complete() {
            let part = self.data.take(&rows).map_err(|e| lift(&e, self.span))?;
            let column = Formula::new(&part, self.written, self.span).column(context, name)?;
            let mut places = vec![None; self.data.rows()];
            rows.iter().enumerate().for_each(|(k, row)| places[*row] = Some(k));
            return Ok(column.take_or_missing(&places));
        }
        let (mut id, mut unit) = (self.written.body, None);
        if let ExprKind::Convert(inner, to) = self.tree().expr(id) {
            unit = Some(context.unit(to)?);
            id = *inner;
        }
        let column = match self.tree().expr(id) {
            ExprKind::Name(own) if self.data.get(own).is_some() => {
                let own = self.data.column(own).map_err(|e| lift(&e, self.span))?;
                Column { name: name.into(), ..(**own).clone() }
            }
            _ => match self.cells(context, id)? {
                Cells::One(value) => from_values(name, &vec![value; self.data.rows()], self.span)?,
                Cells::Rows(values) => from_values(name, &values, self.span)?,
                Cells::Numbers(numbers) => self.numbers(name, numbers)?,
            },
        };
        match unit {
            None => Ok(column),
            Some(unit) => column.in_unit(Some(&unit)).map_err(|(found, expected)| {
                fault(
                    6021,
                    self.span,
                    format!("expected a unit of [{expected}], found a column in [{found}]"),
                )
            }),
        }
    }

    fn numbers(&self, name: &str, numbers: Numbers) -> Result<Column> {
        let Numbers { expr, dimension, values, errors, missing } = numbers;
        if let Some(row) = (0..values.len()).find(|i| !values[*i].is_finite() && !missing[*i]) {
            return Err(not_finite(name, values[row], row, self.span));
        }
        let columns = || expr.symbols().into_iter().filter_map(|s| self.data.get(s.name()));
        let unit = self.unit_of(&expr, dimension);
        let whole = errors.is_none()
            && is_whole(&expr)
            && columns()
                .all(|c| matches!(c.values, Values::Integer(_)) && c.unit.as_ref().is_none_or(Unit::is_one))
            && values.iter().all(|v| v.abs() < 9e15);
        let from_si = |v: &f64| unit.as_ref().map_or(*v, |u| u.from_si(*v));
        let values = match whole {
            true => Values::Integer(values.iter().map(|v| *v as i64).collect()),
            false => Values::F64(values.iter().map(from_si).collect()),
        };
        let mut column = Column::new(name, unit.clone(), values);
        column.errors =
            errors.map(|e| e.iter().map(|x| unit.as_ref().map_or(*x, |u| u.from_si(*x))).collect());
        column.missing = missing.contains(&true).then_some(missing);
        Ok(column)
    }

    /// The unit of what an expression of columns is: as in arithmetic of quantities, an operand's unit where the
    /// dimension is unchanged, else the coherent one.
    fn unit_of(&self, expr: &Expr, dimension: Dimension) -> Option<Unit> {
        if dimension.is_none() {
            return None;
        }
        let symbols = expr.symbols();
        let units = symbols.iter().filter_map(|s| self.data.get(s.name())?.unit.clone());
        let own = units.into_iter().find(|u| u.dimension() == dimension && u.is_ordinary());
        Some(own.unwrap_or_else(|| Unit::coherent(dimension)))
    }

    /// Whether the formula holds, row by row; `None` where a value is missing.
    pub fn mask(&self, context: &mut Context) -> Result<Vec<Option<bool>>> {
        let Some(rows) = self.complete() else { return self.truths(context, self.written.body) };
        let part = self.data.take(&rows).map_err(|e| lift(&e, self.span))?;
        let found = Formula::new(&part, self.written, self.span).truths(context, self.written.body)?;
        let mut all = vec![None; self.data.rows()];
        rows.iter().zip(found).for_each(|(row, truth)| all[*row] = truth);
        Ok(all)
    }

    /// One value of all rows: an aggregate.
    pub fn value(&self, context: &mut Context) -> Result<Value> {
        let tree = self.tree().clone();
        let body = self.written.body;
        let value = self.on_columns(context, |c| c.evaluate(&tree, body))?;
        let shown = || super::render::line(&value, &Default::default());
        match value.plain() {
            Value::Text(_) => Ok(value),
            Value::Expr(e) if !e.is_symbolic() => Ok(value),
            Value::Expr(e) => {
                let unknown = e.symbols().into_iter().next().map_or(String::new(), |s| s.name().to_string());
                let error = self.data.column(&unknown).err();
                Err(error.map_or_else(|| fault(6006, self.span, shown()), |e| lift(&e, self.span)))
            }
            other => Err(fault_hint(
                6006,
                self.span,
                format!("expected one value for each group, found a {}", other.kind_name()),
                "mean(x), sum(x), max(x), count()",
            )),
        }
    }

    /// Evaluates with the formula's own names and these local ones.
    fn within<T>(
        &self,
        context: &mut Context,
        names: Scope,
        run: impl FnOnce(&mut Context) -> Result<T>,
    ) -> Result<T> {
        let captured = self.written.captured.iter().map(|(n, v)| (n.clone(), Some(v.clone()))).collect();
        let outer = std::mem::replace(&mut context.locals, vec![captured, names]);
        let result = run(context);
        context.locals = outer;
        result
    }

    /// Evaluates with the names of columns standing for the columns.
    fn on_columns<T>(&self, context: &mut Context, run: impl FnOnce(&mut Context) -> Result<T>) -> Result<T> {
        let columns = self.data.columns().iter();
        let mut names: Scope =
            columns.map(|c| (Name::from(&*c.name), Some(Value::Column(c.clone())))).collect();
        names.insert(ROWS.into(), Some(Value::int(self.data.rows() as i64)));
        self.within(context, names, run)
    }

    /// Evaluates with the names of numeric columns standing for symbols of their units.
    fn on_symbols(&self, context: &mut Context, id: ExprId) -> Result<Expr> {
        let tree = self.tree().clone();
        let names = self.data.columns().iter().filter(|c| c.is_numeric());
        let names = names.map(|c| (Name::from(&*c.name), None)).collect();
        let declarations = self.units.or(&context.declarations);
        let outer = std::mem::replace(&mut context.declarations, declarations);
        let value = self.within(context, names, |c| c.evaluate(&tree, id));
        context.declarations = outer;
        Ok(op::settle(&op::expr_of(&value?, self.span)?))
    }

    /// Whether a part of the formula means the same for symbols as for their values.
    fn is_plain(&self, context: &Context, id: ExprId) -> bool {
        let all = |ids: &[ExprId]| ids.iter().all(|i| self.is_plain(context, *i));
        match self.tree().expr(id) {
            ExprKind::Integer(_) | ExprKind::Float(_) => true,
            ExprKind::Name(name) => match self.data.get(name) {
                Some(column) => column.is_numeric(),
                None => self.bound(context, name).is_none_or(|v| v.as_expr().is_some()),
            },
            ExprKind::Neg(a) | ExprKind::Pos(a) | ExprKind::Root(a) | ExprKind::WithUnit(a, _) => all(&[*a]),
            ExprKind::Juxtaposed(a, b) | ExprKind::Power(a, b) | ExprKind::Range(a, b) => all(&[*a, *b]),
            ExprKind::Sum(terms) => terms.iter().all(|(_, t)| self.is_plain(context, *t)),
            ExprKind::Product(factors) => factors
                .iter()
                .all(|(o, f)| matches!(o, MulOp::Times | MulOp::Divide) && self.is_plain(context, *f)),
            ExprKind::Compare(first, rest) => {
                let range = |id: ExprId| matches!(self.tree().expr(id), ExprKind::Range(..));
                self.is_plain(context, *first)
                    && rest
                        .iter()
                        .all(|(o, b)| self.is_plain(context, *b) && (*o != CompareOp::In || range(*b)))
            }
            ExprKind::Call { callee, args, .. } => {
                let ExprKind::Name(name) = self.tree().expr(*callee) else { return false };
                let known = match args.len() {
                    1 => ELEMENTWISE.contains(&&**name),
                    2 => PAIRWISE.contains(&&**name),
                    _ => false,
                };
                known
                    && self.bound(context, name).is_none()
                    && args.iter().all(|a| a.name.is_none() && self.is_plain(context, a.value))
            }
            _ => false,
        }
    }

    fn bound(&self, context: &Context, name: &Name) -> Option<Value> {
        let captured = self.written.captured.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        captured.or_else(|| context.globals.get(name).cloned())
    }

    fn cells(&self, context: &mut Context, id: ExprId) -> Result<Cells> {
        let tree = self.tree().clone();
        match tree.expr(id) {
            ExprKind::Name(name) if self.data.get(name).is_some() => {
                let own = self.data.column(name).map_err(|e| lift(&e, self.span))?;
                Ok(Cells::Rows((0..own.len()).map(|i| op::column_element(own, i)).collect()))
            }
            ExprKind::If { condition, then, otherwise } => {
                let truths = self.truths(context, *condition)?;
                let (a, b) = (self.values(context, *then)?, self.values(context, *otherwise)?);
                let rows = truths.into_iter().enumerate().map(|(i, truth)| match truth {
                    Some(true) => a[i].clone(),
                    Some(false) => b[i].clone(),
                    None => Value::Nothing,
                });
                Ok(Cells::Rows(rows.collect()))
            }
            ExprKind::Str { parts, .. }
                if parts.iter().any(|p| matches!(p, StrPart::Interpolation { .. })) =>
            {
                self.each_row(context, id).map(Cells::Rows)
            }
            _ if self.is_plain(context, id) => {
                let expr = self.on_symbols(context, id)?;
                if expr.symbols().is_empty() {
                    return Ok(Cells::One(Value::Expr(expr)));
                }
                self.compute(context, expr).map(Cells::Numbers)
            }
            _ => {
                let value = self.on_columns(context, |c| c.evaluate(&tree, id))?;
                match op::as_list(&value) {
                    Some(items) if items.len() == self.data.rows() => Ok(Cells::Rows(items.to_vec())),
                    Some(items) => Err(fault(
                        6014,
                        self.span,
                        format!("expected {} values, one a row, found {}", self.data.rows(), items.len()),
                    )),
                    None => match value.as_expr() {
                        // A law that was bound before, with the columns as its symbols.
                        Some(e) if e.is_symbolic() && !e.flags().has(Flags::LOGIC) => {
                            self.compute(context, op::settle(&e)).map(Cells::Numbers)
                        }
                        _ => Ok(Cells::One(value)),
                    },
                }
            }
        }
    }

    /// Evaluates row by row with the names standing for the elements.
    fn each_row(&self, context: &mut Context, id: ExprId) -> Result<Vec<Value>> {
        let tree = self.tree().clone();
        let used = self.used();
        let mut values = Vec::with_capacity(self.data.rows());
        for row in 0..self.data.rows() {
            context.poll(self.span)?;
            let names =
                used.iter().map(|c| (Name::from(&*c.name), Some(op::column_element(c, row)))).collect();
            values.push(self.within(context, names, |c| c.evaluate(&tree, id))?);
        }
        Ok(values)
    }

    /// A value for each row.
    fn values(&self, context: &mut Context, id: ExprId) -> Result<Vec<Value>> {
        Ok(match self.cells(context, id)? {
            Cells::One(value) => vec![value; self.data.rows()],
            Cells::Rows(values) => values,
            Cells::Numbers(n) => {
                let unit = self.unit_of(&n.expr, n.dimension).unwrap_or_else(Unit::one);
                let quantity = |i: usize| {
                    if n.missing[i] {
                        return Value::Nothing;
                    }
                    let number = match &n.errors {
                        Some(e) => {
                            let id = context.new_identity(1);
                            let (value, error) = (unit.from_si(n.values[i]), unit.from_si(e[i]));
                            Expr::uncertain(crate::expression::Uncertain::new(id, value, error))
                        }
                        None => Expr::float(unit.from_si(n.values[i])),
                    };
                    Value::Expr(match unit.is_one() {
                        true => number,
                        false => Expr::product([number, Expr::unit(unit.clone())]),
                    })
                };
                (0..n.values.len()).map(quantity).collect()
            }
        })
    }

    /// The values of an expression of numeric columns.
    fn compute(&self, context: &mut Context, expr: Expr) -> Result<Numbers> {
        let found = dimension::of(&expr, &self.units).map_err(|m| op::unit_fault(&m, self.span))?;
        let symbols = expr.symbols();
        let columns: Vec<&Arc<Column>> = symbols
            .iter()
            .map(|s| self.data.numbers(s.name()))
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| lift(&e, self.span))?;
        let stripped = op::strip_units(&expr);
        let uncertain: Vec<usize> = (0..columns.len()).filter(|k| columns[*k].errors.is_some()).collect();
        let mut outputs = vec![stripped.clone()];
        outputs.extend(uncertain.iter().map(|k| stripped.diff(&symbols[*k])));
        let tape = Tape::compile(&outputs, &symbols).map_err(|e| lift(&e, self.span))?;
        let inputs: Vec<Vec<f64>> = columns.iter().map(|c| c.si_values()).collect();
        context.poll(self.span)?;
        let mut found_values = if self.data.rows() == 0 {
            vec![Vec::new(); outputs.len()]
        } else {
            tape.eval(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let slopes = found_values.split_off(1);
        let values = found_values.remove(0);
        let errors = (!uncertain.is_empty()).then(|| {
            let mut squares = vec![0.0; values.len()];
            for (k, slope) in uncertain.iter().zip(&slopes) {
                let sizes = columns[*k].si_errors().unwrap_or_default();
                for ((sum, s), e) in squares.iter_mut().zip(slope).zip(sizes) {
                    *sum += (s * e).powi(2);
                }
            }
            squares.into_iter().map(f64::sqrt).collect()
        });
        let missing = (0..self.data.rows()).map(|i| columns.iter().any(|c| c.is_missing(i))).collect();
        Ok(Numbers { expr, dimension: found.unwrap_or(Dimension::NONE), values, errors, missing })
    }

    fn truths(&self, context: &mut Context, id: ExprId) -> Result<Vec<Option<bool>>> {
        let tree = self.tree().clone();
        let rows = self.data.rows();
        match tree.expr(id) {
            ExprKind::Bool(b) => Ok(vec![Some(*b); rows]),
            ExprKind::Not(a) => Ok(self.truths(context, *a)?.into_iter().map(|t| t.map(|b| !b)).collect()),
            ExprKind::And(items) | ExprKind::Or(items) => {
                // The value that decides alone.
                let strong = matches!(tree.expr(id), ExprKind::Or(_));
                let mut all = vec![Some(!strong); rows];
                for item in items {
                    for (sum, next) in all.iter_mut().zip(self.truths(context, *item)?) {
                        *sum = match (*sum, next) {
                            (Some(a), _) if a == strong => Some(strong),
                            (_, Some(b)) if b == strong => Some(strong),
                            (Some(_), Some(_)) => Some(!strong),
                            _ => None,
                        };
                    }
                }
                Ok(all)
            }
            ExprKind::Compare(..) if self.is_plain(context, id) => {
                let condition = self.on_symbols(context, id)?;
                self.decide_rows(context, &condition)
            }
            ExprKind::Compare(first, rest) => {
                let mut all = vec![Some(true); rows];
                let mut left = self.values(context, *first)?;
                for (o, right) in rest {
                    let right = if *o == CompareOp::In {
                        let whole = self.on_columns(context, |c| c.evaluate(&tree, *right))?;
                        vec![whole; rows]
                    } else {
                        self.values(context, *right)?
                    };
                    for (i, sum) in all.iter_mut().enumerate() {
                        let next = self.compare(context, *o, &left[i], &right[i], i)?;
                        *sum = match (*sum, next) {
                            (Some(false), _) | (_, Some(false)) => Some(false),
                            (Some(true), Some(true)) => Some(true),
                            _ => None,
                        };
                    }
                    left = right;
                }
                Ok(all)
            }
            _ => {
                let value = self.on_columns(context, |c| c.evaluate(&tree, id))?;
                if let Some(items) = op::as_list(&value) {
                    if items.len() != rows {
                        let message =
                            format!("expected {rows} truth values, one a row, found {}", items.len());
                        return Err(fault(6014, self.span, message));
                    }
                    return items
                        .iter()
                        .map(|v| match v {
                            Value::Nothing => Ok(None),
                            v => decide::decide(context, v, self.span),
                        })
                        .collect();
                }
                match value.as_expr() {
                    // A condition that was bound before, with the columns as its symbols.
                    Some(e) if e.is_symbolic() => self.decide_rows(context, &e),
                    _ => Ok(vec![decide::decide(context, &value, self.span)?; rows]),
                }
            }
        }
    }

    /// Whether a condition on numeric columns holds, row by row.
    fn decide_rows(&self, context: &mut Context, condition: &Expr) -> Result<Vec<Option<bool>>> {
        dimension::of(condition, &self.units).map_err(|m| op::unit_fault(&m, self.span))?;
        let mut columns: Vec<(Symbol, Vec<f64>, &Arc<Column>)> = Vec::new();
        for s in condition.symbols() {
            let c = self.data.numbers(s.name()).map_err(|e| lift(&e, self.span))?;
            columns.push((s, c.si_values(), c));
        }
        let condition = op::strip_units(condition);
        let mut truths = Vec::with_capacity(self.data.rows());
        for row in 0..self.data.rows() {
            if row.is_multiple_of(1024) {
                context.poll(self.span)?;
            }
            if columns.iter().any(|(_, _, c)| c.is_missing(row)) {
                truths.push(None);
                continue;
            }
            let value = |s: &Symbol| columns.iter().find(|(n, _, _)| n == s).map(|(_, v, _)| v[row]);
            match condition.decide(&value) {
                Some(truth) => truths.push(Some(truth)),
                None => {
                    let message = format!("the condition cannot be decided in row {row}, counted from 0");
                    return Err(fault(6010, self.span, message));
                }
            }
        }
        Ok(truths)
    }

    fn compare(
        &self,
        context: &mut Context,
        o: CompareOp,
        a: &Value,
        b: &Value,
        row: usize,
    ) -> Result<Option<bool>> {
        if matches!(a, Value::Nothing) || matches!(b, Value::Nothing) {
            return Ok(None);
        }
        if row.is_multiple_of(1024) {
            context.poll(self.span)?;
        }
        let condition = context.comparison(o, a, b, self.span)?;
        match decide::decide(context, &Value::Expr(condition.clone()), self.span)? {
            Some(truth) => Ok(Some(truth)),
            None => Err(decide::undecided(context, &Value::Expr(condition), self.span)),
        }
    }
}

fn not_finite(name: &str, value: f64, row: usize, span: Span) -> super::error::Error {
    fault_hint(
        6006,
        span,
        format!("expected a finite value of `{name}` in row {row} (counted from 0), found {value}"),
        "leave such rows out first: filter(d, x > 0)",
    )
}

/// Whether an expression of whole numbers is one.
fn is_whole(e: &Expr) -> bool {
    match e.kind() {
        Kind::Number(n) => n.is_integer(),
        Kind::Symbol(_) => true,
        Kind::Sum(items) | Kind::Product(items) => items.iter().all(is_whole),
        Kind::Power(base, exponent) => is_whole(base) && exponent.as_i64().is_some_and(|n| n >= 0),
        _ => false,
    }
}

/// A column of arrays from lists within lists, of one shape but for the first size, which may differ from row to row;
/// nothing is a missing array.
fn from_lists(name: &str, items: &[Value], at: Span) -> Result<Column> {
    fn sizes(v: &Value) -> Vec<usize> {
        let Some(list) = op::as_list(v) else { return Vec::new() };
        std::iter::once(list.len()).chain(list.first().map(sizes).into_iter().flatten()).collect()
    }
    fn flatten(v: &Value, sizes: &[usize], leaves: &mut Vec<Value>) -> bool {
        match (op::as_list(v), sizes.split_first()) {
            (Some(list), Some((n, rest))) => {
                list.len() == *n && list.iter().all(|v| flatten(v, rest, leaves))
            }
            (None, None) => {
                leaves.push(v.clone());
                true
            }
            _ => false,
        }
    }
    let hint = "dataset({x: [[1, 2], [3, 4]]})";
    let first = items.iter().find(|v| !matches!(v, Value::Nothing)).map(sizes).unwrap_or_default();
    if first.is_empty() || first.contains(&0) {
        let message = format!("expected arrays of one shape in `{name}`, found {first:?} in the first row");
        return Err(fault_hint(6014, at, message, hint));
    }
    let (mut leaves, mut lengths) = (Vec::new(), Vec::new());
    for (row, v) in items.iter().enumerate() {
        if matches!(v, Value::Nothing) {
            lengths.push(None);
            leaves.push(Vec::new());
            continue;
        }
        let list = op::as_list(v);
        let n = list.as_ref().map_or(0, |l| l.len());
        let mut own = Vec::new();
        if n == 0 || !flatten(v, &[&[n], &first[1..]].concat(), &mut own) {
            let found = sizes(v);
            let found = match found.as_slice() {
                [] => format!("no list ({})", v.kind_name()),
                [0, ..] => "no element".to_string(),
                [_, rest @ ..] if rest == &first[1..] => "a ragged list".to_string(),
                other => format!("{other:?}"),
            };
            let message = format!(
                "expected arrays of one shape {first:?} in `{name}` (their first size may differ, from 1), found {found} in row {row}"
            );
            return Err(fault_hint(6014, at, message, hint));
        }
        lengths.push(Some(n));
        leaves.push(own);
    }
    let varies = lengths.iter().flatten().any(|n| *n != first[0]);
    let width: usize = first[1..].iter().product();
    let lacking = if varies { 1 } else { first[0] };
    for (own, _) in leaves.iter_mut().zip(&lengths).filter(|(_, n)| n.is_none()) {
        *own = vec![Value::Nothing; lacking * width];
    }
    let flat = from_values(name, &leaves.concat(), at)?;
    if !flat.is_numeric() || flat.errors.is_some() {
        let found = if flat.errors.is_some() { "uncertain numbers" } else { flat.kind() };
        let message = format!("expected arrays of plain numbers in `{name}`, found {found}");
        return Err(fault_hint(6006, at, message, "nominal(x)"));
    }
    let numbers = flat.floats_in_unit();
    let stack = if varies {
        let lengths: Vec<usize> = lengths.into_iter().map(|n| n.unwrap_or(lacking)).collect();
        crate::data::Stack::varying(&lengths, &first[1..], numbers)
    } else {
        crate::data::Stack::new(&first, numbers)
    };
    let stack = stack.ok_or_else(|| fault(6014, at, format!("expected arrays of one shape in `{name}`")))?;
    Ok(Column::new(name, flat.unit.clone(), Values::Array(stack)))
}

/// A column of values: texts, or numbers of one dimension in the unit of the first that has one; of lists of one shape a
/// column of arrays. Nothing is a missing value; 0 fits any unit; uncertain numbers give the column errors.
pub fn from_values(name: &str, items: &[Value], at: Span) -> Result<Column> {
    let missing: Vec<bool> = items.iter().map(|v| matches!(v, Value::Nothing)).collect();
    let lacks = missing.contains(&true).then_some(missing);
    if items.iter().any(|v| matches!(v, Value::Text(_))) {
        let labels: Result<Vec<Arc<str>>> = items
            .iter()
            .map(|v| match v.plain() {
                Value::Text(t) => Ok(t.clone()),
                Value::Nothing => Ok("".into()),
                other => {
                    let message = format!("expected texts in `{name}`, found a {} too", other.kind_name());
                    Err(fault(6006, at, message))
                }
            })
            .collect();
        let mut column = Column::new(name, None, Values::Label(labels?));
        column.missing = lacks;
        return Ok(column);
    }
    if items.iter().any(|v| matches!(v.plain(), Value::List(_) | Value::Column(_))) {
        let mut column = from_lists(name, items, at)?;
        column.missing = lacks;
        return Ok(column);
    }
    let mut unit: Option<Unit> = None;
    let mut parts: Vec<Option<(Expr, Option<Unit>)>> = Vec::with_capacity(items.len());
    for v in items {
        if matches!(v, Value::Nothing) {
            parts.push(None);
            continue;
        }
        let e = op::settle(&op::expr_of(v, at)?);
        let e = match e.kind() {
            Kind::Bool(b) => Expr::int(i64::from(*b)),
            _ => e,
        };
        let (mut number, mut own) = e.split_unit();
        if own.is_none() && number.flags().has(Flags::UNIT) {
            // A sum of quantities: in the coherent unit.
            let found = dimension::of(&number, &Declarations::new()).map_err(|m| op::unit_fault(&m, at))?;
            own = found.filter(|d| !d.is_none()).map(Unit::coherent);
            number = op::strip_units(&number);
        }
        unit = unit.or_else(|| own.clone());
        parts.push(Some((number, own)));
    }
    let (mut numbers, mut errors) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    let mut complex: Vec<(f64, f64)> = Vec::new();
    let mut whole = true;
    for (row, part) in parts.into_iter().enumerate() {
        let Some((number, own)) = part else {
            numbers.push(f64::NAN);
            errors.push(0.0);
            complex.push((f64::NAN, f64::NAN));
            continue;
        };
        let scale = match (&unit, own) {
            (Some(u), Some(own)) if *u != own => own.convert_scale(u).map_err(|e| lift(&e, at))?.to_f64(),
            (Some(u), None) if !u.is_one() && !number.is_zero() => {
                let message = format!("expected one unit for all elements of `{name}`, found [{u}] and none");
                return Err(fault(6021, at, message));
            }
            _ => 1.0,
        };
        whole &= scale == 1.0 && number.as_i64().is_some();
        match number.uncertainty() {
            Some((x, sigma)) => {
                if !x.is_finite() {
                    return Err(not_finite(name, x, row, at));
                }
                numbers.push(x * scale);
                errors.push(sigma * scale);
                complex.push((x * scale, 0.0));
            }
            None => match number.evaluate_complex(&|_| None) {
                Some((re, im)) if !number.is_symbolic() => {
                    numbers.push(f64::NAN);
                    errors.push(0.0);
                    complex.push((re * scale, im * scale));
                }
                _ => return Err(fault(6006, at, format!("expected numbers in `{name}`, found `{number}`"))),
            },
        }
    }
    let is_complex = complex.iter().zip(&numbers).any(|(z, x)| x.is_nan() && !z.0.is_nan());
    let values = if is_complex {
        Values::Complex(complex)
    } else if whole {
        Values::Integer(numbers.iter().map(|x| if x.is_nan() { 0 } else { *x as i64 }).collect())
    } else {
        Values::F64(numbers)
    };
    let mut column = Column::new(name, unit, values);
    column.missing = lacks;
    if !is_complex && errors.iter().any(|e| *e > 0.0) {
        column.errors = Some(errors);
    }
    Ok(column)
}
