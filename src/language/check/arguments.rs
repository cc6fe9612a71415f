//! Arguments and the types of their parameters: a type decides how its argument is read, and what may be wrong
//! with it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Callable, Cells, Checker, Condition, Dim, Inferred, Items, Quantity, Symbols};
use crate::base::{Span, suggest};
use crate::language::arguments::option_hint;
use crate::language::calls::layer_meant;
use crate::language::error::{fault, fault_hint};
use crate::language::types::{Signature, Type, is_unit_variable};
use crate::syntax::tree::{ExprId, ExprKind, Name, Tree, UnitExpr};
use crate::units::Catalogue;

/// Dimensions of the unit variables of one call.
pub(super) type Variables = HashMap<Name, Dim>;

/// The arguments of a call of a declared function.
pub(super) struct Bound {
    /// What each parameter got; several for a variadic one.
    pub values: Vec<Vec<Inferred>>,
    /// The unit variables.
    pub variables: Variables,
    /// Whether the function acts element by element on a list.
    pub list: bool,
    /// What the formulas of a variadic parameter are, with their names.
    pub formulas: Vec<(Name, Inferred)>,
}

impl Bound {
    /// All arguments of a parameter.
    pub fn of(&self, k: usize) -> &[Inferred] {
        self.values.get(k).map_or(&[], Vec::as_slice)
    }

    /// The first argument of a parameter.
    pub fn get(&self, k: usize) -> &Inferred {
        self.values.get(k).and_then(|v| v.first()).unwrap_or(&Inferred::Nothing)
    }
}

impl Checker {
    /// Reads and checks the arguments of a declared function.
    pub(super) fn bound_arguments(
        &mut self,
        signature: &Arc<Signature>,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        written: &[(ExprId, Name)],
    ) -> Bound {
        let mut bound = Bound {
            values: vec![Vec::new(); signature.params.len()],
            variables: HashMap::new(),
            list: false,
            formulas: Vec::new(),
        };
        let mut shadow: Vec<(Name, Inferred)> = Vec::new();
        // The variables of a law are symbols in its formula, which stands before them.
        let mut variables = None;
        for (k, p) in signature.params.iter().enumerate() {
            if &*p.name == "variables"
                && let Some(id) = places[k].first()
                && let ExprKind::Record(_) = tree.expr(*id)
            {
                let found = self.infer(tree, *id);
                if let Inferred::Record(Some(entries)) = &found {
                    for (name, value) in entries.iter() {
                        let dim = match value {
                            Inferred::Range(q) => q.dim.clone(),
                            other => match self.elements_of(other) {
                                Some(Inferred::Quantity(q)) => q.dim,
                                _ => self.units.fresh(),
                            },
                        };
                        shadow.push((name.clone(), Inferred::Quantity(Quantity::symbol(name, dim))));
                    }
                }
                variables = Some((k, found));
            }
        }
        let each = signature.params.first().is_some_and(|p| is_scalar(&p.ty));
        for (k, p) in signature.params.iter().enumerate() {
            if let Some((at, found)) = &variables
                && *at == k
            {
                bound.values[k].push(found.clone());
                continue;
            }
            for id in &places[k] {
                let before = self.diagnostics.len();
                // A form whose undefined functions are to be found.
                if p.ty == Type::Optional(Box::new(Type::Formula)) {
                    bound.values[k].push(Inferred::Unknown);
                    continue;
                }
                if p.ty == Type::Formula {
                    let data = bound.get(0).clone();
                    let name = written.iter().find(|(own, _)| own == id).map(|(_, n)| n);
                    let value = self.formula_argument(signature, tree, *id, name, data, &bound.formulas);
                    self.fill_hints(before, tree, *id);
                    if let Some(name) = name {
                        bound.formulas.push((name.clone(), value.clone()));
                    }
                    bound.values[k].push(value);
                    continue;
                }
                let scoped = match p.ty.required() {
                    Type::Expression | Type::Equation => true,
                    Type::List(inner) => **inner == Type::Expression,
                    Type::Other(kind) => &**kind == "record" && &*p.name == "constraints",
                    _ => false,
                };
                let names = if scoped { shadow.clone() } else { Vec::new() };
                let value = self.with_symbols(&names, |c| c.argument(tree, *id, &p.ty));
                if scoped {
                    self.columns_hide_prelude(tree, *id, &names);
                }
                if each && is_scalar(&p.ty) {
                    let (element, list) = self.innermost(&value);
                    bound.list |= list;
                    self.fits(&element, &p.ty, &p.name, tree.span(*id), &mut bound.variables);
                } else {
                    self.fits(&value, &p.ty, &p.name, tree.span(*id), &mut bound.variables);
                }
                self.fill_hints(before, tree, *id);
                if let Inferred::Dataset(Some(d)) = &value {
                    shadow.extend(d.columns.iter().map(|(n, c)| (n.clone(), c.symbol(n))));
                    self.known_columns(signature, tree, places, d);
                }
                bound.values[k].push(value);
            }
        }
        bound
    }

    /// Takes the options of a trial (`smoke: {...}`) out of the arguments: what each parameter gets in a trial, where
    /// such options are written.
    pub(super) fn trial(
        &mut self,
        signature: &Signature,
        tree: &Arc<Tree>,
        places: &mut [Vec<ExprId>],
    ) -> Option<Vec<Vec<ExprId>>> {
        let k = signature.params.iter().position(|p| p.ty == Type::Options)?;
        let option = &signature.params[k].name;
        let id = std::mem::take(&mut places[k]).into_iter().next()?;
        let ExprKind::Record(entries) = tree.expr(id) else {
            if !matches!(tree.expr(id), ExprKind::Name(n) if &**n == "none") {
                let message = format!("`{option}` expects options of `{}` in braces", signature.name);
                self.report(fault_hint(6006, tree.span(id), message, format!("{option}: {{points: 100}}")));
            }
            return None;
        };
        let mut trial = places.to_vec();
        for entry in entries {
            let Some(name) = &entry.name else { continue };
            match signature.param(&name.name).filter(|(at, _)| *at != k) {
                Some((at, _)) => trial[at] = vec![entry.value],
                None => {
                    let known = signature.params.iter().map(|p| &p.name).filter(|n| *n != option);
                    let known: Vec<&str> = known.map(|n| &**n).collect();
                    let hint = option_hint(&name.name, &known);
                    let message = format!("`{}` has no option `{}`", signature.name, name.name);
                    self.report(fault_hint(6003, name.span, message, hint));
                }
            }
        }
        Some(trial)
    }

    /// Names of columns must be those of the dataset before them.
    fn known_columns(
        &mut self,
        signature: &Signature,
        tree: &Tree,
        places: &[Vec<ExprId>],
        data: &super::Columns,
    ) {
        if data.open {
            return;
        }
        for (k, p) in signature.params.iter().enumerate() {
            let named = match p.ty.required() {
                Type::Name => true,
                Type::Columns => true,
                // New names of old columns.
                Type::Formula => &*signature.name == "rename",
                _ => false,
            };
            // A target, and its errors, may be one of the vectors that the call names.
            let vectors = signature.param("vectors").is_some_and(|(v, _)| !places[v].is_empty());
            if !named || (vectors && matches!(&*p.name, "target" | "sigma")) {
                continue;
            }
            for id in &places[k] {
                let ids = match tree.expr(*id) {
                    ExprKind::List(items) => items.clone(),
                    _ => vec![*id],
                };
                for id in ids {
                    self.known_column(tree, id, data);
                }
            }
        }
    }

    /// A bare name that must be a column.
    pub(super) fn known_column(&mut self, tree: &Tree, id: ExprId, data: &super::Columns) {
        let ExprKind::Name(name) = tree.expr(id) else { return };
        let free = matches!(&**name, "last" | "none");
        if free || data.columns.iter().any(|(n, _)| n == name) {
            return;
        }
        let known: Vec<&str> = data.columns.iter().map(|(n, _)| &**n).collect();
        let hint = match suggest::nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known.join(", ")),
        };
        let message = format!("expected a column of the dataset, found `{name}`");
        self.report(fault_hint(6002, tree.span(id), message, hint));
    }

    /// An argument as its parameter's type reads it.
    pub(super) fn argument(&mut self, tree: &Arc<Tree>, id: ExprId, ty: &Type) -> Inferred {
        match (ty, tree.expr(id)) {
            (Type::Optional(inner), _) => self.argument(tree, id, inner),
            (Type::Name | Type::OneOf(_), ExprKind::Name(name)) => Inferred::Text(Some(name.clone())),
            (Type::Word, ExprKind::Name(name)) if self.lookup(name).is_none() => {
                Inferred::Text(Some(name.clone()))
            }
            (ty, ExprKind::Name(name)) if ty.is_named() => match self.lookup(name) {
                Some(found) if !matches!(found, Inferred::Function(_) | Inferred::Quantity(_)) => found,
                _ if &**name == "none" => Inferred::Nothing,
                _ => {
                    self.function_named(name, tree.span(id));
                    Inferred::Unknown
                }
            },
            (ty, ExprKind::List(items)) if ty.is_named() => {
                items.iter().for_each(|i| {
                    self.argument(tree, *i, ty);
                });
                Inferred::Unknown
            }
            (Type::List(inner), ExprKind::List(items)) if inner.is_named() => {
                items.iter().for_each(|i| {
                    self.argument(tree, *i, inner);
                });
                Inferred::Unknown
            }
            (Type::Columns, ExprKind::List(items)) => {
                Inferred::list(items.iter().map(|i| self.argument(tree, *i, &Type::Name)).collect())
            }
            (Type::Columns, _) => Inferred::list(vec![self.argument(tree, id, &Type::Name)]),
            (Type::Function, ExprKind::Name(name)) => self.function_named(name, tree.span(id)),
            (Type::List(inner), ExprKind::List(items))
                if matches!(**inner, Type::Name | Type::OneOf(_) | Type::Function) =>
            {
                Inferred::list(items.iter().map(|i| self.argument(tree, *i, inner)).collect())
            }
            (_, ExprKind::Name(name)) if &**name == "none" && !self.is_bound(name) => Inferred::Nothing,
            _ => self.infer(tree, id),
        }
    }

    fn function_named(&mut self, name: &Name, span: Span) -> Inferred {
        match self.lookup(name) {
            Some(found @ Inferred::Function(_)) => return found,
            Some(found) if found.is_open() => return Inferred::Unknown,
            Some(Inferred::Quantity(Quantity { bare: Some(n), .. })) if self.is_function_name(&n) => {
                return Inferred::Function(Callable::Builtin(n));
            }
            _ => {}
        }
        if self.library.signatures(name).is_some() {
            return Inferred::Function(Callable::Builtin(name.clone()));
        }
        if !self.active.is_empty() && self.later.contains(name) {
            return Inferred::Unknown;
        }
        let names: Vec<String> = self.library.function_names().map(str::to_string).collect();
        let mut error = fault(6001, span, format!("expected a function, found the unknown name `{name}`"));
        let near = suggest::nearest(name, names.iter().map(String::as_str));
        error.hint = layer_meant(name, near).or_else(|| near.map(|n| format!("did you mean `{n}`?")));
        self.report(error)
    }

    /// Whether a value may be of a type, by its kind alone.
    pub(super) fn may_be(value: &Inferred, ty: &Type) -> bool {
        if value.is_open() {
            return true;
        }
        let number = value.quantity().is_some() || matches!(value, Inferred::Condition(_));
        let list = matches!(value, Inferred::List(_) | Inferred::Column(_));
        match ty {
            Type::Any | Type::Word | Type::Name | Type::Formula | Type::Columns => true,
            Type::Optional(inner) => Checker::may_be(value, inner),
            Type::Real | Type::Quantity(_) => number || list,
            Type::Expression => number || matches!(value, Inferred::List(_)),
            Type::Integer => match value {
                Inferred::Quantity(q) => !(q.float || q.exact.as_ref().is_some_and(|n| !n.is_integer())),
                _ => number,
            },
            Type::Boolean | Type::Equation => matches!(value, Inferred::Condition(_)),
            Type::String | Type::OneOf(_) => matches!(value, Inferred::Text(_)),
            Type::Function => {
                matches!(value, Inferred::Function(_) | Inferred::Law(..) | Inferred::Field(..))
            }
            Type::List(_) => list,
            Type::Record(_) | Type::Options => matches!(value, Inferred::Record(_)),
            Type::Dataset => matches!(value, Inferred::Dataset(_)),
            Type::Other(kind) => match &**kind {
                "list" | "matrix" => list,
                "front" | "fit" | "law" | "column" | "field" | "range" | "figure" => {
                    value.name() == &**kind || matches!(value, Inferred::Quantity(q) if !q.is_number())
                }
                "record" => matches!(value, Inferred::Record(_)),
                "system" => matches!(value, Inferred::System(_)),
                // What a network is made of is not followed: a bare name of a layer is a symbol here.
                "network" => match value {
                    Inferred::Quantity(q) => !q.is_number(),
                    Inferred::List(Items::Known(items)) => items.iter().all(|i| Checker::may_be(i, ty)),
                    Inferred::List(Items::Each(element)) => Checker::may_be(element, ty),
                    other => matches!(other, Inferred::Function(_)),
                },
                _ => true,
            },
        }
    }

    /// Whether a value fits a type; the fault is reported.
    pub(super) fn fits(
        &mut self,
        value: &Inferred,
        ty: &Type,
        name: &str,
        span: Span,
        variables: &mut Variables,
    ) -> bool {
        let ty = ty.required();
        if matches!(value, Inferred::Unknown | Inferred::Nothing) {
            return true;
        }
        if let (Type::OneOf(words), Inferred::Text(Some(word))) = (ty, value) {
            if words.iter().any(|w| **w == **word) {
                return true;
            }
            let mut error = fault(6006, span, format!("`{name}` expects {ty}, found `{word}`"));
            let near = suggest::nearest(word, words.iter().map(|w| &**w));
            error.hint = near.map(|n| format!("did you mean `{n}`?"));
            self.report(error);
            return false;
        }
        if !Checker::may_be(value, ty) {
            let message = format!("`{name}` expects {}, found a {}", ty.described(), value.name());
            self.report(fault(6006, span, message));
            return false;
        }
        match ty {
            Type::Real | Type::Quantity(_) => {
                let (element, _) = self.innermost(value);
                match element.quantity() {
                    Some(q) => {
                        let dim = q.dim.clone();
                        self.fits_dim(&dim, ty, name, span, variables)
                    }
                    None if element.is_open() || matches!(element, Inferred::Condition(_)) => true,
                    None => self.fits(&element, ty, name, span, variables),
                }
            }
            Type::Integer => match value.quantity() {
                Some(q) => {
                    let dim = q.dim.clone();
                    self.fits_dim(&dim, &Type::Real, name, span, variables)
                }
                None => true,
            },
            Type::List(inner) => match value {
                Inferred::List(Items::Known(items)) if !matches!(**inner, Type::Any) => {
                    let items = items.clone();
                    items.iter().all(|i| self.fits(i, inner, name, span, variables))
                }
                Inferred::List(Items::Each(element)) => self.fits(element, inner, name, span, variables),
                Inferred::Column(cells @ (Cells::Numbers(_) | Cells::Labels)) => {
                    self.fits(&cells.element(), inner, name, span, variables)
                }
                _ => true,
            },
            Type::Record(entries) => {
                let Inferred::Record(Some(found)) = value else { return true };
                let found = found.clone();
                entries.iter().all(|(n, ty)| match found.iter().find(|(f, _)| f == n) {
                    Some((_, v)) => self.fits(v, ty, n, span, variables),
                    None if matches!(ty, Type::Optional(_)) => true,
                    None => {
                        self.report(fault(
                            6004,
                            span,
                            format!("`{name}` expects an entry `{n}: {ty}`, found none"),
                        ));
                        false
                    }
                })
            }
            _ => true,
        }
    }

    fn fits_dim(
        &mut self,
        found: &Dim,
        ty: &Type,
        name: &str,
        span: Span,
        variables: &mut Variables,
    ) -> bool {
        let expected = match ty {
            Type::Quantity(unit) => self.unit_dim(unit, variables),
            _ => Some(Dim::none()),
        };
        let Some(expected) = expected else { return true };
        if self.units.unify(&expected, found) {
            return true;
        }
        let (e, f) = (self.units.resolve(&expected), self.units.resolve(found));
        if e.is_none() {
            let message = format!("`{name}` expects a pure number, found a quantity in [{}]", f.shown());
            self.report(fault_hint(6022, span, message, "divide by a quantity of the same unit"));
            return false;
        }
        let shown = |d: &Dim| match d.is_none() {
            true => "a pure number".to_string(),
            false => format!("a quantity in [{}]", d.shown()),
        };
        let unit = match ty {
            Type::Quantity(unit) if !unit.factors.iter().any(|f| is_unit_variable(&f.symbol)) => {
                crate::language::types::unit_text(unit)
            }
            _ => e.shown(),
        };
        let message = format!("`{name}` expects a quantity in [{unit}], found {}", shown(&f));
        self.report(fault_hint(6021, span, message, format!("{name}: ... [{unit}]")));
        false
    }

    /// The dimension that a type's unit stands for; unit variables are unknown dimensions of the call.
    pub(super) fn unit_dim(&mut self, unit: &UnitExpr, variables: &mut Variables) -> Option<Dim> {
        let mut total = Dim::none();
        for factor in &unit.factors {
            let own = if is_unit_variable(&factor.symbol) {
                variables.entry(factor.symbol.clone()).or_insert_with(|| self.units.fresh()).clone()
            } else {
                single(&self.catalogue, factor)?
            };
            total = total.times(&own.power(&factor.power));
        }
        Some(total)
    }

    /// Something of a type, with these symbols.
    pub(super) fn of_type(
        &mut self,
        ty: &Type,
        variables: &mut Variables,
        symbols: Option<Symbols>,
    ) -> Inferred {
        match ty {
            Type::Real | Type::Integer => Inferred::Quantity(Quantity { symbols, ..Quantity::pure() }),
            Type::Quantity(unit) => {
                let dim = self.unit_dim(unit, variables).unwrap_or_else(|| self.units.fresh());
                Inferred::Quantity(Quantity { symbols, ..Quantity::of(dim) })
            }
            Type::Boolean | Type::Equation => Inferred::Condition(Condition::UNKNOWN),
            Type::String => Inferred::Text(None),
            Type::List(inner) => {
                let element = self.of_type(inner, variables, symbols);
                Inferred::each(element)
            }
            Type::Dataset => Inferred::Dataset(None),
            Type::Record(entries) => {
                let entries = entries
                    .iter()
                    .map(|(n, t)| (n.clone(), self.of_type(t, variables, symbols.clone())))
                    .collect();
                Inferred::Record(Some(Arc::new(entries)))
            }
            Type::Other(kind) => match &**kind {
                "nothing" => Inferred::Nothing,
                "fit" => Inferred::Fit(None),
                "figure" => Inferred::Figure,
                "record" => Inferred::Record(None),
                "system" => Inferred::System(None),
                _ => Inferred::Unknown,
            },
            Type::Any
            | Type::Name
            | Type::Expression
            | Type::Function
            | Type::OneOf(_)
            | Type::Options
            | Type::Formula
            | Type::Columns
            | Type::Word
            | Type::Optional(_) => Inferred::Unknown,
        }
    }
}

/// Whether a parameter takes one number, or a list of them element by element.
fn is_scalar(ty: &Type) -> bool {
    matches!(ty.required(), Type::Real | Type::Quantity(_))
}

fn single(catalogue: &Catalogue, factor: &crate::syntax::tree::UnitFactor) -> Option<Dim> {
    let mut factor = factor.clone();
    factor.power = crate::base::Number::ONE;
    let span = factor.span;
    catalogue.resolve(&UnitExpr { factors: vec![factor], span }).ok().map(|u| Dim::of_unit(&u))
}
