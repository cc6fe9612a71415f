//! Calls: which function, which parameter each argument belongs to, and whether types and units fit.

use std::collections::HashMap;
use std::sync::Arc;

use super::kind::{Callable, Column, Kind, UserKind};
use super::{Checker, MAX_CALLS};
use crate::base::{Span, suggest};
use crate::language::error::{fault, fault_hint};
use crate::language::types::{Signature, Type, is_unit_variable};
use crate::syntax::tree::{Arg, ExprId, ExprKind, Name, Param, Tree, UnitExpr};
use crate::units::{Dimension, Unit};

impl Checker {
    /// What a parameter may be, for the body of its function.
    pub(super) fn parameter_kind(&mut self, p: &Param) -> Kind {
        match p.ty.as_ref().map(Type::of) {
            Some(Type::Quantity(unit)) if !has_variable(&unit) => {
                Kind::Number(self.catalogue.resolve(&unit).ok().map(|u| u.dimension()))
            }
            Some(Type::Real | Type::Integer) => Kind::pure(),
            Some(Type::String) => Kind::Text,
            _ => Kind::Unknown,
        }
    }

    /// The kind of a function's body for these arguments.
    pub(super) fn enter(&mut self, f: &Arc<UserKind>, arguments: Vec<Kind>) -> Kind {
        if self.calls >= MAX_CALLS {
            return Kind::Unknown;
        }
        self.calls += 1;
        let scope: HashMap<Name, Option<Kind>> =
            f.params.iter().zip(arguments).map(|(p, k)| (p.name.name.clone(), Some(k))).collect();
        // A function sees the globals and its own names.
        let outer = self.scopes.split_off(1);
        self.scopes.push(scope);
        let tree = f.tree.clone();
        let kind = self.with_wheres(&tree, &f.wheres, |c| c.kind(&tree, f.body));
        self.scopes.truncate(1);
        self.scopes.extend(outer);
        self.calls -= 1;
        kind
    }

    pub(super) fn call(
        &mut self,
        tree: &Arc<Tree>,
        callee: ExprId,
        args: &[Arg],
        piped: Option<(Kind, ExprId)>,
        span: Span,
    ) -> Kind {
        if let Some(k) = args.iter().position(|a| a.name.is_some())
            && let Some(late) = args[k..].iter().find(|a| a.name.is_none())
        {
            self.arguments(tree, args);
            let message = "expected a named argument, found a positional one after a named one";
            return self.report(fault_hint(6008, tree.span(late.value), message, "f(a, b, key: value)"));
        }
        if let ExprKind::Name(name) = tree.expr(callee) {
            let in_library = self.library.signatures(name).is_some();
            let bound = self.lookup(name).flatten().cloned();
            let bound =
                bound.filter(|k| !(in_library && matches!(k, Kind::Number(_) | Kind::Exact(_) | Kind::Zero)));
            return match bound {
                Some(kind) => self.call_kind(&kind, Some(name), tree, args, piped, span),
                None if in_library => self.call_builtin(name, tree, args, piped, span),
                None if self.declarations.get(&crate::expression::Symbol::new(name)).is_some()
                    && args.iter().all(|a| a.name.is_some())
                    && !args.is_empty() =>
                {
                    self.arguments(tree, args);
                    Kind::Unknown
                }
                None => {
                    self.arguments(tree, args);
                    let names = self.names();
                    let at = tree.span(callee);
                    let mut error =
                        fault(6001, at, format!("expected a function, found the unknown name `{name}`"));
                    error.hint = Some(match suggest::nearest(name, names.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`? A product is written `{name}*(...)`"),
                        None => format!("a product is written `{name}*(...)`"),
                    });
                    self.report(error)
                }
            };
        }
        let kind = self.kind(tree, callee);
        self.call_kind(&kind, None, tree, args, piped, span)
    }

    fn arguments(&mut self, tree: &Arc<Tree>, args: &[Arg]) -> Vec<Kind> {
        args.iter().map(|a| self.kind(tree, a.value)).collect()
    }

    fn call_kind(
        &mut self,
        kind: &Kind,
        name: Option<&Name>,
        tree: &Arc<Tree>,
        args: &[Arg],
        piped: Option<(Kind, ExprId)>,
        span: Span,
    ) -> Kind {
        match kind {
            Kind::Function(Callable::Builtin(n)) => self.call_builtin(&n.clone(), tree, args, piped, span),
            Kind::Function(Callable::User(f)) => self.call_user(&f.clone(), tree, args, piped, span),
            Kind::Law(symbols, d) => {
                for a in args {
                    let given = self.kind(tree, a.value);
                    let Some(n) = &a.name else {
                        self.report(fault(6005, tree.span(a.value), "a law takes named arguments only"));
                        continue;
                    };
                    match symbols.iter().find(|(s, _)| *s == n.name) {
                        None => {
                            let known: Vec<&str> = symbols.iter().map(|(s, _)| &**s).collect();
                            let mut error = fault(
                                6003,
                                n.span,
                                format!("expected a symbol of the law, found `{}`", n.name),
                            );
                            error.hint = Some(match suggest::nearest(&n.name, known.iter().copied()) {
                                Some(near) => format!("did you mean `{near}`?"),
                                None => format!("it has {}", known.join(", ")),
                            });
                            self.report(error);
                        }
                        Some((_, Some(own))) => {
                            if let Some(found) = given.dimension().filter(|f| f != own) {
                                let (e, f) = (Unit::coherent(*own), Unit::coherent(found));
                                let message = format!("`{}` is in [{e}], found a value in [{f}]", n.name);
                                self.report(fault(6021, tree.span(a.value), message));
                            }
                        }
                        Some(_) => {}
                    }
                }
                Kind::Number(*d)
            }
            Kind::Exact(_) | Kind::Zero | Kind::Text | Kind::List(_) | Kind::Condition | Kind::Record(_)
                if !args.iter().any(|a| a.name.is_some()) =>
            {
                self.arguments(tree, args);
                let shown = name.map_or_else(|| "this".to_string(), |n| format!("`{n}`"));
                let hint = name.map_or_else(|| "...*(...)".to_string(), |n| format!("{n}*(...)"));
                let message = format!("expected a function, found {shown}, which is a {}", kind.name());
                self.report(fault_hint(6001, span, message, hint))
            }
            Kind::Number(_) => {
                // Symbols that take values need names; which symbols an expression has is known when it runs.
                let all_named = args.iter().all(|a| a.name.is_some()) && piped.is_none();
                for a in args {
                    self.kind(tree, a.value);
                    if let Some(n) = &a.name
                        && let Some(declared) =
                            self.declarations.get(&crate::expression::Symbol::new(&n.name))
                        && let Some(unit) = declared.unit.clone()
                    {
                        let given = self.kind(tree, a.value);
                        if let Some(found) = given.dimension().filter(|f| *f != unit.dimension()) {
                            let f = Unit::coherent(found);
                            let message = format!("`{}` is in [{unit}], found a value in [{f}]", n.name);
                            self.report(fault(6021, tree.span(a.value), message));
                        }
                    }
                }
                if all_named || args.is_empty() {
                    return Kind::Unknown;
                }
                self.report(fault_hint(
                    6005,
                    span,
                    "a law takes named arguments only",
                    "name what is put in: `(x: ...)`; a product is written `...*(...)`",
                ))
            }
            Kind::Field(count) => {
                self.arguments(tree, args);
                if args.iter().all(|a| a.name.is_none()) && args.len() != *count {
                    let message =
                        format!("a field of {count} variables takes as many arguments, found {}", args.len());
                    return self.report(fault(6005, span, message));
                }
                Kind::Number(None)
            }
            _ => {
                self.arguments(tree, args);
                Kind::Unknown
            }
        }
    }

    fn call_user(
        &mut self,
        f: &Arc<UserKind>,
        tree: &Arc<Tree>,
        args: &[Arg],
        piped: Option<(Kind, ExprId)>,
        span: Span,
    ) -> Kind {
        let mut kinds: Vec<Option<Kind>> = vec![None; f.params.len()];
        let mut next = 0;
        let mut faulty = false;
        let given = piped.map(|(k, id)| (None, k, id)).into_iter();
        let mut all: Vec<(Option<&crate::syntax::tree::Ident>, Kind, ExprId)> = given.collect();
        for a in args {
            all.push((a.name.as_ref(), self.kind(tree, a.value), a.value));
        }
        for (name, kind, id) in all {
            let place = match name {
                Some(n) => match f.params.iter().position(|p| p.name.name == n.name) {
                    Some(k) => k,
                    None => {
                        let names: Vec<&str> = f.params.iter().map(|p| &*p.name.name).collect();
                        self.unknown_option(&f.name, &n.name, n.span, &names);
                        faulty = true;
                        continue;
                    }
                },
                None => {
                    next += 1;
                    next - 1
                }
            };
            if place >= f.params.len() {
                let message = format!("`{}` expects {} arguments, found more", f.name, f.params.len());
                self.report(fault(6005, tree.span(id), message));
                return Kind::Unknown;
            }
            if kinds[place].is_some() {
                let message = format!("`{}` is given twice", f.params[place].name.name);
                self.report(fault(6007, tree.span(id), message));
                faulty = true;
            }
            let ty = f.params[place].ty.as_ref().map_or(Type::Any, Type::of);
            faulty |= !self.fits(&kind, &ty, &f.params[place].name.name, tree, id, &mut HashMap::new());
            kinds[place] = Some(kind);
        }
        let mut arguments = Vec::with_capacity(kinds.len());
        for (p, kind) in f.params.iter().zip(kinds) {
            match (kind, p.default) {
                (Some(k), _) => arguments.push(k),
                (None, Some(id)) => {
                    let tree = f.tree.clone();
                    arguments.push(self.kind(&tree, id));
                }
                (None, None) => {
                    let message = format!("`{}` expects `{}`, found nothing", f.name, p.name.name);
                    self.report(fault(6004, span, message));
                    return Kind::Unknown;
                }
            }
        }
        if faulty { Kind::Unknown } else { self.enter(f, arguments) }
    }

    fn unknown_option(&mut self, f: &str, name: &str, span: Span, known: &[&str]) {
        let mut error = fault(6003, span, format!("`{f}` has no option `{name}`"));
        error.hint = Some(match suggest::nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", known.join(", ")),
        });
        self.report(error);
    }

    fn call_builtin(
        &mut self,
        name: &Name,
        tree: &Arc<Tree>,
        args: &[Arg],
        piped: Option<(Kind, ExprId)>,
        span: Span,
    ) -> Kind {
        let Some(signatures) = self.library.signatures(name).map(<[Arc<Signature>]>::to_vec) else {
            return Kind::Unknown;
        };
        let signature = match signatures.as_slice() {
            [only] => only.clone(),
            many => {
                let first = match (&piped, args.first()) {
                    (Some((k, _)), _) => k.clone(),
                    (None, Some(a)) => self.kind(tree, a.value),
                    (None, None) => Kind::Unknown,
                };
                let list = matches!(first, Kind::List(_) | Kind::Column(_) | Kind::Unknown);
                let wants_list =
                    |s: &Signature| s.params.first().is_some_and(|p| matches!(p.ty, Type::List(_)));
                let count = args.len() + piped.is_some() as usize;
                many.iter().find(|s| wants_list(s) == (list && count == 1)).unwrap_or(&many[0]).clone()
            }
        };
        // Each argument to its parameter.
        let count = signature.params.len();
        let mut places: Vec<Vec<ExprId>> = vec![Vec::new(); count];
        let mut next = piped.is_some() as usize;
        let mut faulty = false;
        for a in args {
            let place = match &a.name {
                Some(n) => match signature.param(&n.name) {
                    Some((k, _)) => k,
                    None => {
                        let names: Vec<&str> = signature.params.iter().map(|p| &*p.name).collect();
                        self.unknown_option(name, &n.name, n.span, &names);
                        faulty = true;
                        continue;
                    }
                },
                None => {
                    let variadic = signature.params.iter().position(|p| p.variadic).filter(|v| next >= *v);
                    let k = variadic.unwrap_or(next);
                    if k >= count {
                        let message =
                            format!("`{name}` expects at most {count} arguments, found {}", args.len());
                        self.report(fault_hint(6005, tree.span(a.value), message, signature.headline()));
                        return Kind::Unknown;
                    }
                    next += variadic.is_none() as usize;
                    k
                }
            };
            if !places[place].is_empty() && !signature.params[place].variadic {
                let message = format!("`{}` is given twice", signature.params[place].name);
                self.report(fault(6007, tree.span(a.value), message));
                faulty = true;
            }
            places[place].push(a.value);
        }
        let mut shadow: HashMap<Name, Option<Kind>> = HashMap::new();
        for (k, p) in signature.params.iter().enumerate() {
            if &*p.name == "variables"
                && let Some(id) = places[k].first()
                && let ExprKind::Record(entries) = tree.expr(*id)
            {
                for e in entries {
                    let kind = match self.kind(tree, e.value) {
                        Kind::Range(d) => Kind::Number(d),
                        Kind::List(inner) => Kind::Number(inner.dimension()),
                        _ => Kind::Number(None),
                    };
                    shadow.extend(e.name.as_ref().map(|n| (n.name.clone(), Some(kind))));
                }
            }
        }
        let mut variables: HashMap<Name, Dimension> = HashMap::new();
        let mut kinds: Vec<Option<Kind>> = vec![None; count];
        for (k, p) in signature.params.iter().enumerate() {
            let ids = &places[k];
            if ids.is_empty() {
                if k == 0
                    && let Some((kind, id)) = &piped
                {
                    faulty |= !self.fits(kind, &p.ty, &p.name, tree, *id, &mut variables);
                    self.columns(kind, &mut shadow);
                    kinds[0] = Some(kind.clone());
                } else if !p.is_optional() {
                    let message = format!("`{name}` expects `{}: {}`, found nothing", p.name, p.ty);
                    self.report(fault_hint(6004, span, message, signature.headline()));
                    faulty = true;
                }
                continue;
            }
            for id in ids {
                let scoped =
                    matches!(p.ty.required(), Type::Expression | Type::Equation) && !shadow.is_empty();
                if scoped {
                    self.scopes.push(shadow.clone());
                }
                let kind = self.argument(tree, *id, p.ty.required(), &p.name);
                if scoped {
                    self.scopes.pop();
                }
                let Some(kind) = kind else {
                    faulty = true;
                    continue;
                };
                faulty |= !self.fits(&kind, &p.ty, &p.name, tree, *id, &mut variables);
                self.columns(&kind, &mut shadow);
                kinds[k] = Some(kind);
            }
        }
        if faulty {
            return Kind::Unknown;
        }
        if &**name == "solve"
            && let Some(Kind::Number(_) | Kind::Exact(_) | Kind::Zero | Kind::Text) = &kinds[0]
            && let Some(id) = places[0].first()
            && !matches!(tree.expr(*id), ExprKind::Name(_))
        {
            let message = "`equation` expects an equation, found an expression";
            return self.report(fault_hint(6006, tree.span(*id), message, "solve(... == 0, x)"));
        }
        self.result(&signature, tree, &places, &kinds, &variables)
    }

    fn columns(&self, kind: &Kind, shadow: &mut HashMap<Name, Option<Kind>>) {
        if let Kind::Dataset(Some(columns)) = kind {
            for (n, c) in columns {
                let kind = match c {
                    Column::Numbers(d) => Kind::Number(*d),
                    Column::Labels => Kind::Text,
                };
                shadow.insert(n.clone(), Some(kind));
            }
        }
    }

    /// The kind of an argument as its parameter reads it; `None` where that is a fault.
    fn argument(&mut self, tree: &Arc<Tree>, id: ExprId, ty: &Type, name: &str) -> Option<Kind> {
        match (ty, tree.expr(id)) {
            (Type::Name, ExprKind::Name(_)) => Some(Kind::Unknown),
            (Type::OneOf(words), ExprKind::Name(word)) => {
                if words.iter().any(|w| w == word) {
                    return Some(Kind::Text);
                }
                let mut error = fault(6006, tree.span(id), format!("`{name}` expects {ty}, found `{word}`"));
                error.hint = suggest::nearest(word, words.iter().map(|w| &**w))
                    .map(|n| format!("did you mean `{n}`?"));
                self.report(error);
                None
            }
            (Type::Function, ExprKind::Name(word)) => self.function_name(word, tree.span(id)),
            (Type::List(inner), ExprKind::List(items)) if matches!(**inner, Type::Function) => {
                let mut fine = true;
                for item in items {
                    if let ExprKind::Name(word) = tree.expr(*item) {
                        fine &= self.function_name(word, tree.span(*item)).is_some();
                    } else if !Checker::is_operator(tree, *item) {
                        self.kind(tree, *item);
                    }
                }
                fine.then(|| Kind::List(Box::new(Kind::Unknown)))
            }
            (Type::Expression, ExprKind::Name(word)) if self.lookup(word).is_none() => {
                Some(self.symbol(word))
            }
            (_, ExprKind::Name(word)) if &**word == "none" && self.lookup("none").is_none() => {
                Some(Kind::Nothing)
            }
            _ => Some(self.kind(tree, id)),
        }
    }

    fn function_name(&mut self, word: &Name, span: Span) -> Option<Kind> {
        if let Some(Some(kind @ Kind::Function(_))) = self.lookup(word) {
            return Some(kind.clone());
        }
        if self.library.signatures(word).is_some() {
            return Some(Kind::Function(Callable::Builtin(word.clone())));
        }
        let mut error = fault(6001, span, format!("expected a function, found the unknown name `{word}`"));
        let names = self.names();
        error.hint =
            suggest::nearest(word, names.iter().map(String::as_str)).map(|n| format!("did you mean `{n}`?"));
        self.report(error);
        None
    }

    /// Whether a kind fits a type; the fault is reported.
    fn fits(
        &mut self,
        kind: &Kind,
        ty: &Type,
        name: &str,
        tree: &Arc<Tree>,
        id: ExprId,
        variables: &mut HashMap<Name, Dimension>,
    ) -> bool {
        let span = tree.span(id);
        let ty = ty.required();
        if matches!(kind, Kind::Unknown | Kind::Nothing) {
            return true;
        }
        let fine = match ty {
            Type::Any | Type::Other(_) | Type::Name => true,
            Type::Real => {
                if let Some(d) = kind.dimension().filter(|d| !d.is_none()) {
                    let message = format!(
                        "`{name}` expects a pure number, found a quantity in [{}]",
                        Unit::coherent(d)
                    );
                    self.report(fault_hint(6022, span, message, "divide by a quantity of the same unit"));
                    return false;
                }
                kind.is_numeric()
            }
            Type::Quantity(unit) => {
                if !kind.is_numeric() {
                    false
                } else {
                    return self.quantity(kind, unit, name, span, variables);
                }
            }
            Type::Integer => match kind {
                Kind::Exact(n) => n.is_integer(),
                Kind::Number(Some(d)) => d.is_none(),
                other => other.is_numeric() && !matches!(other, Kind::List(_) | Kind::Column(_)),
            },
            Type::Boolean | Type::Equation => !matches!(
                kind,
                Kind::Exact(_)
                    | Kind::Zero
                    | Kind::Text
                    | Kind::List(_)
                    | Kind::Record(_)
                    | Kind::Number(Some(_))
                    | Kind::Range(_)
            ),
            Type::String | Type::OneOf(_) => matches!(kind, Kind::Text),
            Type::Expression => kind.is_numeric(),
            Type::Function => matches!(kind, Kind::Function(_) | Kind::Field(_) | Kind::Law(..)),
            Type::List(inner) => match (kind, &**inner) {
                (Kind::List(element), Type::Quantity(unit)) if element.dimension().is_some() => {
                    return self.quantity(element, unit, name, span, variables);
                }
                (Kind::Column(Column::Numbers(d)), Type::Quantity(unit)) => {
                    return self.quantity(&Kind::Number(*d), unit, name, span, variables);
                }
                (Kind::List(_) | Kind::Column(_) | Kind::Range(_), _) => true,
                _ => false,
            },
            Type::Record(_) => matches!(kind, Kind::Record(_)),
            Type::Dataset => matches!(kind, Kind::Dataset(_)),
            Type::Optional(_) => true,
        };
        if !fine {
            let message = format!("`{name}` expects a value of type {ty}, found a {}", kind.name());
            self.report(fault(6006, span, message));
        }
        fine
    }

    /// Whether a number has the declared unit; a variable takes the first unit it meets.
    fn quantity(
        &mut self,
        kind: &Kind,
        unit: &UnitExpr,
        name: &str,
        span: Span,
        variables: &mut HashMap<Name, Dimension>,
    ) -> bool {
        let Some(found) = kind.dimension() else { return true };
        let expected = if let [only] = unit.factors.as_slice()
            && is_unit_variable(&only.symbol)
        {
            match variables.get(&only.symbol) {
                Some(known) => known.pow(&only.power),
                None => {
                    if let Some(d) = only.power.recip().and_then(|p| found.pow(&p)) {
                        variables.insert(only.symbol.clone(), d);
                    }
                    return true;
                }
            }
        } else if has_variable(unit) {
            None
        } else {
            self.catalogue.resolve(unit).ok().map(|u| u.dimension())
        };
        match expected {
            Some(e) if e != found => {
                let (e, f) = (Unit::coherent(e), Unit::coherent(found));
                let shown = |u: &Unit| {
                    if u.is_one() { "a pure number".to_string() } else { format!("a quantity in [{u}]") }
                };
                let mut error =
                    fault(6021, span, format!("`{name}` expects {}, found {}", shown(&e), shown(&f)));
                if !e.is_one() {
                    error.hint = Some(format!("{name}: ... [{e}]"));
                }
                self.report(error);
                false
            }
            _ => true,
        }
    }

    /// What a call returns.
    fn result(
        &mut self,
        signature: &Signature,
        tree: &Arc<Tree>,
        places: &[Vec<ExprId>],
        kinds: &[Option<Kind>],
        variables: &HashMap<Name, Dimension>,
    ) -> Kind {
        match &*signature.name {
            "read" => return self.read(tree, places),
            "filter" => return kinds[0].clone().unwrap_or(Kind::Unknown),
            "select" => return select(tree, places, kinds),
            "split" => {
                let set = kinds[0].clone().unwrap_or(Kind::Unknown);
                return Kind::Record(
                    ["train", "validation", "test"].map(|n| (Name::from(n), set.clone())).to_vec(),
                );
            }
            "law" => return law(tree, places, kinds, signature),
            "field" => return Kind::Field(places[0].len()),
            _ => {}
        }
        let list = kinds.iter().flatten().any(|k| matches!(k, Kind::List(_) | Kind::Column(_)));
        let each = signature.params.first().is_some_and(|p| matches!(p.ty, Type::Real | Type::Quantity(_)));
        let wrap = |k: Kind| if list && each { Kind::List(Box::new(k)) } else { k };
        match &signature.result {
            Type::Real => wrap(Kind::pure()),
            Type::Integer => Kind::pure(),
            Type::Quantity(unit) => wrap(Kind::Number(dimension_of(unit, variables, self))),
            Type::Boolean => Kind::Condition,
            Type::String => Kind::Text,
            Type::Dataset => Kind::Dataset(None),
            Type::List(inner) => match &**inner {
                Type::Quantity(unit) => {
                    Kind::List(Box::new(Kind::Number(dimension_of(unit, variables, self))))
                }
                _ => Kind::List(Box::new(Kind::Unknown)),
            },
            Type::Other(kind) => match &**kind {
                "front" => Kind::Front,
                "fit" => Kind::Fit,
                "nothing" => Kind::Nothing,
                _ => Kind::Unknown,
            },
            _ => Kind::Unknown,
        }
    }

    /// `read("file.csv")` with a literal path: the header tells the columns.
    fn read(&mut self, tree: &Arc<Tree>, places: &[Vec<ExprId>]) -> Kind {
        let Some(id) = places[0].first() else { return Kind::Dataset(None) };
        let ExprKind::Str { parts, .. } = tree.expr(*id) else { return Kind::Dataset(None) };
        let path = match parts.as_slice() {
            [crate::syntax::tree::StrPart::Text(path)] => path.clone(),
            _ => return Kind::Dataset(None),
        };
        match crate::data::read_header(&self.path(&path), &self.catalogue) {
            Ok(columns) => Kind::Dataset(Some(
                columns
                    .into_iter()
                    .map(|(n, u)| {
                        // Without a unit a column may hold labels: its cells tell.
                        let d = u.map(|u| u.dimension());
                        (Name::from(&*n), Column::Numbers(d))
                    })
                    .collect(),
            )),
            Err(e) => {
                self.report(crate::language::error::lift(&e, tree.span(*id)));
                Kind::Unknown
            }
        }
    }
}

fn has_variable(unit: &UnitExpr) -> bool {
    unit.factors.iter().any(|f| is_unit_variable(&f.symbol))
}

fn dimension_of(
    unit: &UnitExpr,
    variables: &HashMap<Name, Dimension>,
    checker: &Checker,
) -> Option<Dimension> {
    if !has_variable(unit) {
        return checker.catalogue.resolve(unit).ok().map(|u| u.dimension());
    }
    let mut total = Dimension::NONE;
    for f in &unit.factors {
        let own = variables.get(&f.symbol)?;
        total = total.mul(own.pow(&f.power)?)?;
    }
    Some(total)
}

fn select(tree: &Tree, places: &[Vec<ExprId>], kinds: &[Option<Kind>]) -> Kind {
    let Some(Kind::Dataset(Some(columns))) = &kinds[0] else { return Kind::Dataset(None) };
    let names: Vec<&Name> = places[1]
        .iter()
        .filter_map(|id| match tree.expr(*id) {
            ExprKind::Name(n) => Some(n),
            _ => None,
        })
        .collect();
    Kind::Dataset(Some(columns.iter().filter(|(n, _)| names.contains(&n)).cloned().collect()))
}

fn law(tree: &Tree, places: &[Vec<ExprId>], kinds: &[Option<Kind>], signature: &Signature) -> Kind {
    let place = |name: &str| signature.params.iter().position(|p| &*p.name == name);
    let (Some(formula), Some(variables)) = (place("formula"), place("variables")) else {
        return Kind::Unknown;
    };
    let Some(Kind::Record(entries)) = &kinds[variables] else { return Kind::Unknown };
    let _ = (tree, places);
    let symbols = entries
        .iter()
        .map(|(n, k)| {
            let d = match k {
                Kind::Range(d) => d.or(Some(Dimension::NONE)),
                Kind::List(inner) => inner.dimension(),
                _ => None,
            };
            (n.clone(), d)
        })
        .collect();
    Kind::Law(symbols, kinds[formula].as_ref().and_then(Kind::dimension))
}
