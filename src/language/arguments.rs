//! How arguments meet parameters: which parameter takes which, how its type decides the reading, and whether the value
//! fits (LANGUAGE, "Calls, options, blocks").

use std::sync::Arc;

use super::context::{Context, Scope};
use super::error::{Error, Result, fault, fault_hint};
use super::operations as op;
use super::types::{Signature, Type, is_unit_variable};
use super::value::{Function, UserFunction, Value};
use crate::base::{Span, suggest};
use crate::expression::Expr;
use crate::syntax::tree::{Arg, ExprId, ExprKind, Name, Tree};

/// The arguments of a built-in, one place a parameter.
pub struct Args {
    /// The signature they were bound to.
    pub signature: Arc<Signature>,
    /// The values; `None` where an optional one was left out.
    pub values: Vec<Option<Value>>,
    /// Where each was written; the call itself for defaults.
    pub spans: Vec<Span>,
    /// The whole call.
    pub span: Span,
    /// Whether each was written (and is no default).
    pub given: Vec<bool>,
}

impl Args {
    fn position(&self, name: &str) -> Option<usize> {
        self.signature.params.iter().position(|p| &*p.name == name)
    }

    /// The argument of a parameter, where there is one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).and_then(|k| self.values[k].as_ref()).filter(|v| !matches!(v, Value::Nothing))
    }

    /// Where an argument was written.
    pub fn span_of(&self, name: &str) -> Span {
        self.position(name).map_or(self.span, |k| self.spans[k])
    }

    /// Whether an argument was written.
    pub fn is_given(&self, name: &str) -> bool {
        self.position(name).is_some_and(|k| self.given[k])
    }

    /// The argument of a parameter that always has one.
    pub fn value(&self, name: &str) -> Result<&Value> {
        self.get(name).ok_or_else(|| {
            fault(6004, self.span, format!("`{}` expects `{name}`, found nothing", self.signature.name))
        })
    }

    /// As an expression, offsets of temperatures resolved.
    pub fn expr(&self, name: &str) -> Result<Expr> {
        Ok(op::settle(&op::expr_of(self.value(name)?, self.span_of(name))?))
    }

    /// As a text or bare word.
    pub fn word(&self, name: &str) -> Result<Arc<str>> {
        match self.value(name)?.plain() {
            Value::Text(t) => Ok(t.clone()),
            other => Err(self.wrong(name, "a name", other)),
        }
    }

    /// As an integer.
    pub fn integer(&self, name: &str) -> Result<i64> {
        let value = self.value(name)?;
        match value.as_expr().and_then(|e| e.as_i64()) {
            Some(n) => Ok(n),
            None => Err(self.wrong(name, "an integer", value)),
        }
    }

    /// As a real number (units as SI).
    pub fn real(&self, name: &str) -> Result<f64> {
        let e = self.expr(name)?;
        e.evaluate(&|_| None)
            .ok_or_else(|| fault(6006, self.span_of(name), format!("`{name}` expects a number, found `{e}`")))
    }

    /// As a truth value.
    pub fn boolean(&self, name: &str) -> Result<bool> {
        let value = self.value(name)?;
        match value.as_expr().map(|e| e.kind().clone()) {
            Some(crate::expression::Kind::Bool(b)) => Ok(b),
            _ => Err(self.wrong(name, "true or false", value)),
        }
    }

    /// As the elements of a list, column or variadic parameter.
    pub fn list(&self, name: &str) -> Result<Arc<Vec<Value>>> {
        let value = self.value(name)?;
        op::as_list(value).ok_or_else(|| self.wrong(name, "a list", value))
    }

    /// As a dataset.
    pub fn dataset(&self, name: &str) -> Result<Arc<crate::data::Dataset>> {
        match self.value(name)?.plain() {
            Value::Dataset(d) => Ok(d.clone()),
            other => Err(self.wrong(name, "a dataset", other)),
        }
    }

    /// A formula over columns, as it was written.
    pub fn formula(&self, name: &str) -> Result<Arc<UserFunction>> {
        match self.value(name)? {
            Value::Function(Function::User(f)) => Ok(f.clone()),
            other => Err(self.wrong(name, "a formula over columns", other)),
        }
    }

    /// The formulas that a variadic parameter took, with their names.
    pub fn formulas(&self, name: &str) -> Result<Vec<(Name, Arc<UserFunction>)>> {
        let Some(Value::Record(r)) = self.get(name) else { return Ok(Vec::new()) };
        r.entries
            .iter()
            .map(|(n, v)| match v {
                Value::Function(Function::User(f)) => Ok((n.clone(), f.clone())),
                other => Err(self.wrong(name, "formulas over columns", other)),
            })
            .collect()
    }

    /// The fault of an argument of the wrong kind.
    pub fn wrong(&self, name: &str, expected: &str, found: &Value) -> Error {
        fault(6006, self.span_of(name), format!("`{name}` expects {expected}, found a {}", found.kind_name()))
    }
}

impl Context {
    pub(super) fn bind(
        &mut self,
        signature: &Arc<Signature>,
        tree: &Arc<Tree>,
        piped: Option<Value>,
        args: &[Arg],
        span: Span,
    ) -> Result<Args> {
        let count = signature.params.len();
        let mut places: Vec<Vec<ExprId>> = vec![Vec::new(); count];
        let mut next = piped.is_some() as usize;
        let mut named: Vec<(Name, ExprId)> = Vec::new();
        for arg in args {
            let at = tree.span(arg.value);
            match &arg.name {
                Some(name) => {
                    let Some((k, p)) = signature.param(&name.name) else {
                        if signature.any_name().is_some() {
                            if named.iter().any(|(n, _)| *n == name.name) {
                                let message = format!("expected `{}` once, found it twice", name.name);
                                return Err(fault(6007, name.span, message));
                            }
                            named.push((name.name.clone(), arg.value));
                            continue;
                        }
                        let names = signature.params.iter().map(|p| &*p.name);
                        return Err(unknown_option(&signature.name, &name.name, name.span, names));
                    };
                    if !places[k].is_empty() && !p.variadic {
                        return Err(fault(
                            6007,
                            name.span,
                            format!("expected `{}` once, found it twice", name.name),
                        ));
                    }
                    places[k].push(arg.value);
                }
                None => {
                    let variadic = signature.params.iter().position(|p| p.variadic).filter(|v| next >= *v);
                    let k = variadic.unwrap_or(next);
                    if k >= count {
                        let message = format!(
                            "`{}` expects at most {count} arguments, found {}",
                            signature.name,
                            args.len()
                        );
                        return Err(fault_hint(6005, at, message, signature.headline()));
                    }
                    places[k].push(arg.value);
                    if variadic.is_none() {
                        next += 1;
                    }
                }
            }
        }
        // Options of a trial replace those of the call where trials are asked for, and those that cannot stand beside them;
        // the record is never a value.
        let mut trial: Vec<usize> = Vec::new();
        for k in 0..count {
            if signature.params[k].ty != Type::Options {
                continue;
            }
            for id in std::mem::take(&mut places[k]) {
                let ExprKind::Record(entries) = tree.expr(id) else {
                    if matches!(tree.expr(id), ExprKind::Name(n) if &**n == "none") {
                        continue;
                    }
                    let p = &signature.params[k].name;
                    let message = format!("`{p}` expects options of `{}` in braces", signature.name);
                    return Err(fault_hint(6006, tree.span(id), message, format!("{p}: {{points: 100}}")));
                };
                for entry in entries {
                    let Some(name) = &entry.name else { continue };
                    let Some((at, _)) = signature.param(&name.name).filter(|(at, _)| *at != k) else {
                        let names = signature.params.iter().map(|p| &*p.name);
                        return Err(unknown_option(&signature.name, &name.name, name.span, names));
                    };
                    if self.smoke {
                        places[at] = vec![entry.value];
                        trial.push(at);
                    }
                }
            }
        }
        for [a, b] in RIVALS {
            for (own, rival) in [(a, b), (b, a)] {
                let of = |name: &str| signature.param(name).map(|(k, _)| k);
                if let (Some(own), Some(rival)) = (of(own), of(rival))
                    && trial.contains(&own)
                    && !trial.contains(&rival)
                {
                    places[rival].clear();
                }
            }
        }
        // Names that are read as symbols whatever they are bound to: columns of a dataset that stands before, and
        // the variables that a law lists.
        let mut shadow: Scope = Scope::new();
        for (k, p) in signature.params.iter().enumerate() {
            if &*p.name == "variables"
                && let Some(id) = places[k].first()
                && let ExprKind::Record(entries) = tree.expr(*id)
            {
                shadow.extend(entries.iter().filter_map(|e| e.name.as_ref()).map(|n| (n.name.clone(), None)));
            }
        }
        let mut values: Vec<Option<Value>> = vec![None; count];
        let mut spans = vec![span; count];
        let mut given = vec![false; count];
        if let Some(v) = piped {
            if let Value::Dataset(d) = v.plain() {
                shadow.extend(d.columns().iter().map(|c| (Name::from(&*c.name), None)));
            }
            values[0] = Some(v);
            given[0] = true;
        }
        for (k, p) in signature.params.iter().enumerate() {
            let ids = std::mem::take(&mut places[k]);
            if signature.any_name() == Some(k) {
                if let Some(id) = ids.first() {
                    let message = format!("`{}` expects a name before what it computes", signature.name);
                    let hint = format!("name: {}", crate::syntax::print_expr(tree, *id));
                    return Err(fault_hint(6005, tree.span(*id), message, hint));
                }
                let entries: Result<Vec<(Name, Value)>> = named
                    .drain(..)
                    .map(|(name, id)| Ok((name, self.read_argument(tree, id, &p.ty)?)))
                    .collect();
                values[k] = Some(Value::Record(Arc::new(super::value::Record { entries: entries? })));
                given[k] = true;
                continue;
            }
            if ids.is_empty() {
                continue;
            }
            given[k] = true;
            spans[k] = ids.iter().map(|id| tree.span(*id)).reduce(Span::to).unwrap_or(span);
            let formulas = match p.ty.required() {
                Type::Expression | Type::Equation => true,
                Type::List(inner) => **inner == Type::Expression,
                // Columns and what shapes hold in their places.
                Type::Other(kind) => &**kind == "record" && &*p.name == "constraints",
                _ => false,
            };
            let scoped = formulas && !shadow.is_empty();
            if scoped {
                self.locals.push(shadow.clone());
            }
            let read: Result<Vec<Value>> = ids
                .iter()
                .map(|id| {
                    let v = self.read_argument(tree, *id, p.ty.required())?;
                    self.fits(v, &p.ty, &p.name, tree.span(*id))
                })
                .collect();
            if scoped {
                self.locals.pop();
            }
            let mut read = read?;
            if let Some(Value::Dataset(d)) = read.first().map(Value::plain) {
                shadow.extend(d.columns().iter().map(|c| (Name::from(&*c.name), None)));
            }
            values[k] = Some(if p.variadic { Value::list(read) } else { read.swap_remove(0) });
        }
        for (k, p) in signature.params.iter().enumerate() {
            if values[k].is_some() {
                continue;
            }
            match p.default {
                Some(default) => {
                    let outer = std::mem::take(&mut self.locals);
                    let value = self.read_argument(&signature.tree.clone(), default, p.ty.required());
                    self.locals = outer;
                    values[k] = Some(value?);
                }
                None if p.variadic => values[k] = Some(Value::list(Vec::new())),
                None if p.is_optional() => {}
                None => {
                    let message =
                        format!("`{}` expects `{}: {}`, found nothing", signature.name, p.name, p.ty);
                    return Err(fault_hint(6004, span, message, signature.headline()));
                }
            }
        }
        Ok(Args { signature: signature.clone(), values, spans, span, given })
    }

    /// Reads an argument as its parameter's type wants it.
    pub(super) fn read_argument(&mut self, tree: &Arc<Tree>, id: ExprId, ty: &Type) -> Result<Value> {
        match (ty, tree.expr(id)) {
            (Type::Name | Type::OneOf(_), ExprKind::Name(name)) => Ok(Value::text(name)),
            (Type::Function, ExprKind::Name(name)) => Ok(self.function_named(name)),
            (Type::List(inner), ExprKind::List(items))
                if matches!(**inner, Type::Name | Type::OneOf(_) | Type::Function) =>
            {
                let items: Result<Vec<Value>> =
                    items.iter().map(|i| self.read_argument(tree, *i, inner)).collect();
                Ok(Value::list(items?))
            }
            (Type::Word, ExprKind::Name(name)) if self.lookup(name).is_none() => Ok(Value::text(name)),
            (ty, ExprKind::Name(name)) if ty.is_named() => match self.lookup(name) {
                Some(found) if self.function_of(&found).is_none() => Ok(found),
                _ if &**name == "none" => Ok(Value::Nothing),
                _ => Ok(self.function_named(name)),
            },
            (ty, ExprKind::List(items)) if ty.is_named() => {
                let items: Result<Vec<Value>> =
                    items.iter().map(|i| self.read_argument(tree, *i, ty)).collect();
                Ok(Value::list(items?))
            }
            (Type::List(inner), ExprKind::List(items)) if inner.is_named() => {
                let items: Result<Vec<Value>> =
                    items.iter().map(|i| self.read_argument(tree, *i, inner)).collect();
                Ok(Value::list(items?))
            }
            (Type::Optional(inner), _) => self.read_argument(tree, id, inner),
            (Type::Formula, _) => Ok(self.closure(tree, &"formula".into(), &[], None, id, &[])),
            (Type::Columns, ExprKind::List(items)) => {
                let items: Result<Vec<Value>> =
                    items.iter().map(|i| self.read_argument(tree, *i, &Type::Name)).collect();
                Ok(Value::list(items?))
            }
            (Type::Columns, _) => Ok(Value::list(vec![self.read_argument(tree, id, &Type::Name)?])),
            // `none` as the default of an optional parameter.
            (_, ExprKind::Name(name)) if &**name == "none" && self.lookup("none").is_none() => {
                Ok(Value::Nothing)
            }
            _ => self.evaluate(tree, id),
        }
    }

    fn function_named(&self, name: &Name) -> Value {
        match self.lookup(name) {
            Some(v @ Value::Function(_)) => v,
            other => {
                let named = other.and_then(|v| self.function_of(&v));
                Value::Function(Function::Builtin(named.unwrap_or_else(|| name.clone())))
            }
        }
    }

    /// The value, where it is of the type; a clear fault where it is not.
    pub(super) fn fits(&mut self, value: Value, ty: &Type, name: &str, span: Span) -> Result<Value> {
        if let Type::Optional(inner) = ty {
            return if matches!(value, Value::Nothing) {
                Ok(value)
            } else {
                self.fits(value, inner, name, span)
            };
        }
        if let Type::OneOf(words) = ty {
            let Value::Text(t) = value.plain() else {
                return Err(fault(
                    6006,
                    span,
                    format!("`{name}` expects {ty}, found a {}", value.kind_name()),
                ));
            };
            if words.iter().any(|w| w == t) {
                return Ok(value);
            }
            let mut error = *fault(6006, span, format!("`{name}` expects {ty}, found `{t}`"));
            if let Some(near) = suggest::nearest(t, words.iter().map(|w| &**w)) {
                error.hint = Some(format!("did you mean `{near}`?"));
            }
            return Err(Box::new(error));
        }
        if let Type::Quantity(unit) = ty
            && !unit.factors.iter().any(|f| is_unit_variable(&f.symbol))
            && let Ok(unit) = self.catalogue.resolve(unit)
            && let Some(e) = value.as_expr()
        {
            let d = super::dimension::of(&e, &self.declarations).map_err(|m| op::unit_fault(&m, span))?;
            if let Some(found) = d.filter(|d| *d != unit.dimension()) {
                let found = crate::units::Unit::coherent(found);
                let shown = if found.is_one() {
                    "a pure number".to_string()
                } else {
                    format!("a quantity in [{found}]")
                };
                return Err(fault_hint(
                    6021,
                    span,
                    format!("`{name}` expects a quantity in [{unit}], found {shown}"),
                    format!("{name}: ... [{unit}]"),
                ));
            }
            return Ok(value);
        }
        if takes(ty, &value) {
            return Ok(value);
        }
        Err(fault(6006, span, format!("`{name}` expects {}, found a {}", ty.described(), value.kind_name())))
    }
}

/// Whether a value is of a type, as far as its kind tells.
pub fn takes(ty: &Type, value: &Value) -> bool {
    let value = value.plain();
    match ty {
        Type::Any | Type::Word => true,
        Type::Optional(inner) => matches!(value, Value::Nothing) || takes(inner, value),
        Type::Real | Type::Quantity(_) => match value {
            Value::List(_) | Value::Column(_) => true,
            _ => value.as_expr().is_some(),
        },
        Type::Integer => match value {
            Value::Expr(e) => e.is_symbolic() || e.as_number().is_some_and(crate::base::Number::is_integer),
            _ => false,
        },
        Type::Boolean => matches!(value, Value::Expr(e) if e.flags().has(crate::expression::Flags::LOGIC)),
        Type::String | Type::Name | Type::OneOf(_) => matches!(value, Value::Text(_)),
        Type::Expression => value.as_expr().is_some() || matches!(value, Value::List(_)),
        Type::Equation => matches!(value, Value::Expr(e) if e.flags().has(crate::expression::Flags::LOGIC)),
        Type::Function => matches!(value, Value::Function(_)),
        Type::List(inner) => match value {
            Value::List(items) => items.iter().all(|v| takes(inner, v)),
            Value::Column(_) => true,
            _ => false,
        },
        Type::Record(entries) => match value {
            Value::Record(r) => entries.iter().all(|(n, t)| match r.get(n) {
                Some(v) => takes(t, v),
                None => matches!(t, Type::Optional(_)),
            }),
            _ => false,
        },
        Type::Dataset => matches!(value, Value::Dataset(_)),
        Type::Options => matches!(value, Value::Record(_)),
        Type::Formula => matches!(value, Value::Function(_)),
        Type::Columns => match value {
            Value::List(items) => items.iter().all(|v| matches!(v, Value::Text(_))),
            _ => false,
        },
        Type::Other(kind) => match &**kind {
            "list" => matches!(value, Value::List(_) | Value::Column(_)),
            "matrix" => matches!(value, Value::List(_)),
            "network" => match value {
                Value::Function(Function::Builtin(_)) => true,
                Value::Expr(e) => matches!(e.kind(), crate::expression::Kind::Symbol(_)),
                Value::List(items) => items.iter().all(|v| takes(ty, v)),
                other => matches!(other.kind_name(), "network" | "model"),
            },
            other if ty.is_named() => {
                matches!(value, Value::Function(Function::Builtin(_))) || value.kind_name() == other
            }
            other => value.kind_name() == other,
        },
    }
}

pub(super) fn unknown_option<'a>(
    f: &str,
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    let known: Vec<&str> = known.collect();
    let mut error = *fault(6003, span, format!("expected an option of `{f}`, found `{name}`"));
    error.hint = Some(option_hint(name, &known));
    Box::new(error)
}

/// Options by the names that users of PyTorch and Keras type.
const ELSEWHERE: &[(&str, &str)] = &[
    ("learning_rate", "rate"),
    ("lr", "rate"),
    ("batch_size", "batch"),
    ("n_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("max_epochs", "epochs"),
    ("weight_decay", "decay"),
    ("early_stopping", "patience"),
    ("validation_split", "validation"),
    ("criterion", "loss"),
    ("out_features", "units"),
    ("out_channels", "channels"),
    ("filters", "channels"),
    ("kernel_size", "kernel"),
    ("hidden_size", "units"),
    ("num_heads", "heads"),
    ("n_heads", "heads"),
    ("p", "rate"),
    ("eps", "epsilon"),
];

/// What an unknown option may mean, or the options there are.
pub(super) fn option_hint(name: &str, known: &[&str]) -> String {
    let other = ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, own)| *own);
    match other.filter(|own| known.contains(own)).or_else(|| suggest::nearest(name, known.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        // The rate of a training is that of its optimizer.
        None if matches!(other, Some("rate" | "decay")) && known.contains(&"optimizer") => {
            format!("optimizer: adam({}: 0.001)", other.unwrap_or_default())
        }
        None => format!("it has {}", known.join(", ")),
    }
}

/// Options of which a call has one: a trial that sets one takes the other out.
pub(super) const RIVALS: &[[&str; 2]] = &[["epochs", "steps"], ["average", "average_from"]];
