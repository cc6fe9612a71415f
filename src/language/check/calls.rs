//! Calls: what is called, and how arguments meet parameters.

use std::collections::HashMap;
use std::sync::Arc;

use super::arguments::Variables;
use super::{
    Callable, Checker, Condition, Dim, Inferred, Items, MAX_DEPTH, Quantity, Scope, Symbols, UserKind, unify,
};
use crate::base::{Code, Diagnostic, Span, suggest};
use crate::language::arguments::option_hint;
use crate::language::calls::{NAMED_ONLY, RESULT, layer_meant, product_hint, result_message};
use crate::language::error::{fault, fault_hint};
use crate::language::types::{Signature, Type};
use crate::syntax::print_expr;
use crate::syntax::tree::{Arg, ExprId, ExprKind, Name, Tree};

/// What argument binding needs of a parameter.
pub(super) struct Place {
    pub name: Name,
    pub variadic: bool,
    /// Whether it takes arguments of any name.
    pub any: bool,
}

impl Checker {
    pub(super) fn call(&mut self, tree: &Arc<Tree>, callee: ExprId, args: &[Arg], span: Span) -> Inferred {
        if let Some(k) = args.iter().position(|a| a.name.is_some())
            && let Some(late) = args[k..].iter().find(|a| a.name.is_none())
        {
            let message = "expected a named argument, found a positional one after a named one";
            let written = |a: &Arg| match &a.name {
                Some(name) => format!("{}: {}", name.name, print_expr(tree, a.value)),
                None => print_expr(tree, a.value),
            };
            let (named, bare): (Vec<&Arg>, Vec<&Arg>) = args.iter().partition(|a| a.name.is_some());
            let ordered: Vec<String> = bare.into_iter().chain(named).map(written).collect();
            let hint = format!("{}({})", print_expr(tree, callee), ordered.join(", "));
            self.report(fault_hint(6008, tree.span(late.value), message, hint));
            self.all_arguments(tree, args);
            return Inferred::Unknown;
        }
        if let ExprKind::Name(name) = tree.expr(callee) {
            let declared = self.library.signatures(name).is_some();
            // A bound number beside a function of the library: `gamma(3)` calls the function.
            let bound = self
                .lookup(name)
                .filter(|v| !(declared && matches!(v, Inferred::Quantity(q) if q.is_number())));
            return match bound {
                Some(value) => self.call_value(&value, tree, args, span, Some(name)),
                None if declared => self.call_builtin(name, tree, args, span),
                None if self.declared.contains_key(name) => {
                    let dim = self.symbol_dim(name);
                    let q = Inferred::Quantity(Quantity::symbol(name, dim));
                    self.call_value(&q, tree, args, span, Some(name))
                }
                None => {
                    self.all_arguments(tree, args);
                    // A function may call one that is defined below it.
                    if !self.active.is_empty() && self.later.contains(name) {
                        return Inferred::Unknown;
                    }
                    self.unknown_callee(name, args, tree, tree.span(callee))
                }
            };
        }
        let value = self.infer(tree, callee);
        self.call_value(&value, tree, args, span, None)
    }

    pub(super) fn unknown_callee(&mut self, name: &str, args: &[Arg], tree: &Tree, span: Span) -> Inferred {
        let names = self.names();
        let product = product_hint(tree, name, args);
        let near = suggest::nearest(name, names.iter().map(String::as_str));
        let hint = layer_meant(name, near).unwrap_or_else(|| match near {
            Some(near) => format!("did you mean `{near}`? A product is written `{product}`"),
            None => format!("a product is written `{product}`"),
        });
        self.report(fault_hint(
            6001,
            span,
            format!("expected a function, found the unknown name `{name}`"),
            hint,
        ))
    }

    /// Whether a symbol of this name is called as the library's function.
    pub(super) fn is_function_name(&self, name: &Name) -> bool {
        !self.declared.contains_key(name) && self.library.signatures(name).is_some()
    }

    /// Arguments of something unknown: their own faults count.
    fn all_arguments(&mut self, tree: &Arc<Tree>, args: &[Arg]) {
        for arg in args {
            self.infer(tree, arg.value);
        }
    }

    fn call_value(
        &mut self,
        value: &Inferred,
        tree: &Arc<Tree>,
        args: &[Arg],
        span: Span,
        name: Option<&Name>,
    ) -> Inferred {
        let named = !args.is_empty() && args.iter().all(|a| a.name.is_some());
        match value {
            Inferred::Function(Callable::User(f)) => self.call_user(f, tree, args, span),
            Inferred::Function(Callable::Builtin(n)) => self.call_builtin(n, tree, args, span),
            Inferred::Field(names, q) if !named => {
                self.all_arguments(tree, args);
                if args.len() != names.len() {
                    let message =
                        format!("the field has {} variables, found {} arguments", names.len(), args.len());
                    return self.report(fault_hint(6005, span, message, format!("({})", names.join(", "))));
                }
                Inferred::Quantity(Quantity::open(q.dim.clone()))
            }
            Inferred::Law(q, _) | Inferred::Field(_, q) => self.put_in(q, tree, args),
            Inferred::Quantity(q) if q.soft => {
                self.all_arguments(tree, args);
                Inferred::Unknown
            }
            // `f = sqrt`, then `f(4)`: a symbol that is the name of a function.
            Inferred::Quantity(Quantity { bare: Some(n), .. })
                if self.is_function_name(n)
                    && !args.iter().any(|a| a.name.as_ref().is_some_and(|a| a.name == *n)) =>
            {
                self.call_builtin(&n.clone(), tree, args, span)
            }
            Inferred::Quantity(q) if named => self.put_in(q, tree, args),
            Inferred::Condition(c) if named => {
                let sides = c.sides.clone().unwrap_or_else(Dim::none);
                let q = Quantity { symbols: c.symbols.clone(), ..Quantity::of(sides) };
                match self.put_in(&q, tree, args) {
                    Inferred::Quantity(q) => Inferred::Condition(Condition {
                        symbols: q.symbols,
                        sides: c.sides.as_ref().map(|_| q.dim),
                    }),
                    _ => Inferred::Unknown,
                }
            }
            Inferred::Quantity(q) if !q.is_number() && !args.is_empty() => {
                self.all_arguments(tree, args);
                let shown = name.map_or("F", |n| n);
                let product = product_hint(tree, shown, args);
                let hint = match q.symbols.as_ref().and_then(|s| s.keys().next()) {
                    Some(s) => {
                        let put = print_expr(tree, args[0].value);
                        format!(
                            "name what is put in: `{shown}({s}: {put})`; a product is written `{product}`"
                        )
                    }
                    None => format!("a product is written `{product}`"),
                };
                let at = tree.span(args[0].value);
                self.report(fault_hint(6005, at, NAMED_ONLY, hint))
            }
            Inferred::Quantity(_) | Inferred::Text(_) | Inferred::Record(_) | Inferred::Range(_) => {
                self.all_arguments(tree, args);
                let shown = name.map_or_else(|| "this".to_string(), |n| format!("`{n}`"));
                let hint = product_hint(tree, name.map_or("...", |n| n), args);
                let message = format!("expected a function, found {shown}, which is a {}", value.name());
                self.report(fault_hint(6001, span, message, hint))
            }
            _ => {
                self.all_arguments(tree, args);
                Inferred::Unknown
            }
        }
    }

    /// `F(r: 2 [m])`: names must be symbols of the law, values have their units.
    fn put_in(&mut self, q: &Quantity, tree: &Arc<Tree>, args: &[Arg]) -> Inferred {
        let values: Vec<(Option<&crate::syntax::tree::Ident>, Inferred, Span)> =
            args.iter().map(|a| (a.name.as_ref(), self.infer(tree, a.value), tree.span(a.value))).collect();
        let own = q.map(&mut |d| self.units.resolve(d));
        // A copy in which only the symbols that stay are those of this statement.
        let mut renamed: HashMap<unify::Variable, Dim> = HashMap::new();
        let units = &mut self.units;
        let copy =
            own.map(&mut |d| d.replace(&mut |v| renamed.entry(v).or_insert_with(|| units.fresh()).clone()));
        let Some(symbols) = &copy.symbols else {
            for (name, _, at) in &values {
                if name.is_none() {
                    self.report(fault(6005, *at, NAMED_ONLY));
                }
            }
            return Inferred::Unknown;
        };
        let (mut wrong, mut list) = (false, false);
        let mut left: Option<Symbols> = Some(symbols.clone());
        let mut added: Option<Symbols> = Some(Symbols::new());
        let mut soft = copy.soft;
        let mut given: Vec<&Name> = Vec::new();
        for (name, value, at) in &values {
            let Some(name) = name else {
                self.report(fault(6005, *at, NAMED_ONLY));
                wrong = true;
                continue;
            };
            let Some(dim) = symbols.get(&name.name) else {
                let known: Vec<&str> = symbols.keys().map(|n| &**n).collect();
                let hint = match suggest::nearest(&name.name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "it has no symbols".into(),
                    None => format!("it has {}", known.join(", ")),
                };
                let message = format!("expected a symbol of the law, found `{}`", name.name);
                self.report(fault_hint(6003, name.span, message, hint));
                wrong = true;
                continue;
            };
            if given.contains(&&name.name) {
                self.report(fault(6007, name.span, format!("expected `{}` once, found it twice", name.name)));
                wrong = true;
                continue;
            }
            given.push(&name.name);
            let element = self.elements_of(value);
            list |= element.is_some();
            let value = element.unwrap_or_else(|| value.clone());
            if let Some(symbols) = &mut left {
                symbols.remove(&name.name);
            }
            match value.quantity() {
                Some(x) => {
                    let x = x.clone();
                    soft |= x.soft;
                    added = added.zip(x.symbols.clone()).map(|(mut a, b)| {
                        a.extend(b);
                        a
                    });
                    if !self.units.unify(dim, &x.dim) {
                        let (e, f) = (self.shown(dim), self.shown(&x.dim));
                        let message = format!("`{}` is in [{e}], found a value in [{f}]", name.name);
                        self.report(fault_hint(6021, *at, message, format!("{}: ... [{e}]", name.name)));
                        wrong = true;
                    }
                }
                None => {
                    if !value.is_open() && !matches!(value, Inferred::Condition(_)) {
                        let message = format!("expected a number or an expression, found a {}", value.name());
                        self.report(fault(6016, *at, message));
                    }
                    wrong = true;
                }
            }
        }
        if wrong {
            return Inferred::Unknown;
        }
        for (name, dim) in left.iter().flatten() {
            if let Some(before) = own.symbols.as_ref().and_then(|s| s.get(name)) {
                self.units.unify(before, dim);
            }
        }
        let symbols = left.zip(added).map(|(mut a, b)| {
            a.extend(b);
            a
        });
        let result = Inferred::Quantity(Quantity { symbols, soft, ..Quantity::of(copy.dim.clone()) });
        if list { Inferred::each(result) } else { result }
    }

    /// The arguments of each parameter; `None` where they cannot be bound.
    pub(super) fn places(
        &mut self,
        function: &str,
        params: &[Place],
        tree: &Arc<Tree>,
        args: &[Arg],
        headline: Option<String>,
    ) -> Option<Vec<Vec<ExprId>>> {
        let count = params.len();
        let mut places: Vec<Vec<ExprId>> = vec![Vec::new(); count];
        let (mut next, mut faulty, mut many) = (0, false, false);
        for arg in args {
            let at = tree.span(arg.value);
            let (k, at) = match &arg.name {
                Some(name) => match params.iter().position(|p| p.name == name.name && !p.any) {
                    Some(k) => (k, name.span),
                    None if params.iter().any(|p| p.any) => {
                        let Some(k) = params.iter().position(|p| p.any) else { continue };
                        let own = |a: &&Arg| a.name.as_ref().is_some_and(|n| n.name == name.name);
                        if args.iter().filter(own).count() > 1 && !places[k].is_empty() {
                            let first = args.iter().find(own).map(|a| a.value);
                            if first != Some(arg.value) {
                                self.report(fault(
                                    6007,
                                    name.span,
                                    format!("`{}` is given twice", name.name),
                                ));
                                faulty = true;
                            }
                        }
                        (k, name.span)
                    }
                    None => {
                        let known: Vec<&str> = params.iter().map(|p| &*p.name).collect();
                        let message = format!("expected an option of `{function}`, found `{}`", name.name);
                        let hint = option_hint(&name.name, &known);
                        self.report(fault_hint(6003, name.span, message, hint));
                        faulty = true;
                        self.quietly(|c| c.infer(tree, arg.value));
                        continue;
                    }
                },
                None => {
                    let variadic = params.iter().position(|p| p.variadic).filter(|v| next >= *v);
                    let k = variadic.unwrap_or(next);
                    if params.get(k).is_some_and(|p| p.any) {
                        let message = format!("`{function}` expects a name before what it computes");
                        let shown = crate::syntax::print_expr(tree, arg.value);
                        self.report(fault_hint(6005, at, message, format!("name: {shown}")));
                        faulty = true;
                        continue;
                    }
                    if variadic.is_none() {
                        next += 1;
                    }
                    if k >= count {
                        if !many {
                            let found = args.iter().filter(|a| a.name.is_none()).count();
                            let plural = if count == 1 { "argument" } else { "arguments" };
                            let message =
                                format!("`{function}` expects at most {count} {plural}, found {found}");
                            let mut error = fault(6005, at, message);
                            error.hint = headline.clone();
                            self.report(error);
                        }
                        (many, faulty) = (true, true);
                        continue;
                    }
                    (k, at)
                }
            };
            if !places[k].is_empty() && !params[k].variadic {
                self.report(fault(6007, at, format!("expected `{}` once, found it twice", params[k].name)));
                faulty = true;
                continue;
            }
            places[k].push(arg.value);
        }
        (!faulty).then_some(places)
    }

    fn call_user(&mut self, f: &Arc<UserKind>, tree: &Arc<Tree>, args: &[Arg], span: Span) -> Inferred {
        let places: Vec<Place> = f
            .params
            .iter()
            .map(|p| Place { name: p.name.name.clone(), variadic: false, any: false })
            .collect();
        let words: Vec<&str> = f.params.iter().map(|p| &*p.name.name).collect();
        let headline = format!("{}({})", f.name, words.join(", "));
        let Some(places) = self.places(&f.name, &places, tree, args, Some(headline.clone())) else {
            return Inferred::Unknown;
        };
        let mut values: Vec<Option<Inferred>> = vec![None; f.params.len()];
        let mut faulty = false;
        let mut variables = HashMap::new();
        for (k, p) in f.params.iter().enumerate() {
            let Some(id) = places[k].first() else {
                if p.default.is_none() {
                    let message = format!("`{}` expects `{}`, found nothing", f.name, p.name.name);
                    self.report(fault_hint(6004, span, message, headline.clone()));
                    faulty = true;
                }
                continue;
            };
            let ty = p.ty.as_ref().map_or(Type::Any, Type::of);
            let before = self.diagnostics.len();
            let value = self.argument(tree, *id, &ty);
            let fine = self.fits(&value, &ty, &p.name.name, tree.span(*id), &mut variables);
            self.fill_hints(before, tree, *id);
            values[k] = Some(if fine { value } else { Inferred::Unknown });
        }
        if faulty {
            return Inferred::Unknown;
        }
        self.enter(f, values, &mut variables, Some(span))
    }

    /// Follows a function's body with these arguments. From a call, what is wrong in it with these arguments only is
    /// reported at the call.
    pub(super) fn enter(
        &mut self,
        f: &Arc<UserKind>,
        values: Vec<Option<Inferred>>,
        variables: &mut Variables,
        call: Option<Span>,
    ) -> Inferred {
        let key = (Arc::as_ptr(&f.tree) as usize, f.body);
        if self.active.contains(&key) || self.fuel == 0 || self.depth + 1 >= MAX_DEPTH {
            let ty = f.result.as_ref().map_or(Type::Any, Type::of);
            return self.any_of_type(&ty, variables);
        }
        self.fuel -= 1;
        self.active.push(key);
        let before = self.diagnostics.len();
        let mut captured = f.captured.clone();
        captured.insert(f.name.clone(), Inferred::Function(Callable::User(f.clone())));
        // A function sees its captured names, not the scopes of its caller.
        let outer = std::mem::replace(
            &mut self.locals,
            vec![Scope { names: captured, general: true }, Scope::default()],
        );
        let tree = f.tree.clone();
        for (p, value) in f.params.iter().zip(values) {
            let value = match (value, p.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.infer(&tree, default),
                (None, None) => Inferred::Unknown,
            };
            if let Some(scope) = self.locals.last_mut() {
                scope.names.insert(p.name.name.clone(), value);
            }
        }
        let mut result = self.with_wheres(&tree, &f.wheres, |c| c.infer(&tree, f.body));
        self.locals = outer;
        self.active.pop();
        if let Some(written) = &f.result {
            result = self.returned(f, result, &Type::of(written), variables);
        }
        let Some(call) = call else { return result };
        let found = self.diagnostics.split_off(before);
        let known = |d: &Diagnostic| self.diagnostics.iter().any(|k| k.code == d.code && k.span == d.span);
        let fresh = found.iter().find(|d| d.is_error() && !known(d)).cloned();
        match fresh {
            Some(d) => {
                let mut error = Diagnostic::error(Code(d.code.0), call, d.message.clone());
                error.label = format!("with these arguments of `{}`", f.name);
                let known =
                    |s: &Span| s.source == call.source || self.sources.iter().any(|f| f.id == s.source);
                if let Some(inner) = d.span.filter(known) {
                    error
                        .related
                        .push((inner, if d.label.is_empty() { "here".into() } else { d.label.clone() }));
                }
                error.hint = d.hint.clone();
                self.report(Box::new(error))
            }
            None if found.iter().any(Diagnostic::is_error) => Inferred::Unknown,
            None => result,
        }
    }

    /// What a function returns, if it may be of the type that it declares; what the type says, where nothing else is known.
    fn returned(
        &mut self,
        f: &Arc<UserKind>,
        found: Inferred,
        ty: &Type,
        variables: &mut Variables,
    ) -> Inferred {
        if matches!(found, Inferred::Unknown) {
            return self.any_of_type(ty, variables);
        }
        if matches!(found, Inferred::Nothing) && matches!(ty, Type::Optional(_)) {
            return found;
        }
        let before = self.diagnostics.len();
        let fine = self.fits(&found, ty, RESULT, f.tree.span(f.body), variables);
        for d in &mut self.diagnostics[before..] {
            d.message = result_message(&f.name, &d.message);
            d.hint = Some(format!("leave the type out, or return {}", ty.described()));
        }
        if fine { found } else { Inferred::Unknown }
    }

    fn call_builtin(&mut self, name: &Name, tree: &Arc<Tree>, args: &[Arg], span: Span) -> Inferred {
        let signatures = self.library.signatures(name).map(<[Arc<Signature>]>::to_vec).unwrap_or_default();
        let signature = match signatures.as_slice() {
            [] => {
                self.all_arguments(tree, args);
                return self.unknown_callee(name, args, tree, span);
            }
            [only] => only.clone(),
            [first, ..] => {
                let value = args.first().map(|a| self.quietly(|c| c.infer(tree, a.value)));
                if value.as_ref().is_some_and(Inferred::is_open) {
                    self.all_arguments(tree, args);
                    return Inferred::Unknown;
                }
                let fits = |s: &&Arc<Signature>| {
                    let count = s.params.iter().any(|p| p.variadic) || args.len() <= s.params.len();
                    count
                        && s.params
                            .first()
                            .zip(value.as_ref())
                            .is_some_and(|(p, v)| Checker::may_be(v, &p.ty))
                };
                signatures.iter().find(fits).unwrap_or(first).clone()
            }
        };
        let any = signature.any_name();
        let places: Vec<Place> = signature
            .params
            .iter()
            .enumerate()
            .map(|(k, p)| Place { name: p.name.clone(), variadic: p.variadic, any: any == Some(k) })
            .collect();
        let names: Vec<(ExprId, Name)> =
            args.iter().filter_map(|a| Some((a.value, a.name.as_ref()?.name.clone()))).collect();
        let Some(mut places) = self.places(name, &places, tree, args, Some(signature.headline())) else {
            return Inferred::Unknown;
        };
        let before = self.diagnostics.len();
        if let Some(trial) = self.trial(&signature, tree, &mut places) {
            // Both are checked; what runs decides what is known of the result.
            let other = if self.smoke { std::mem::replace(&mut places, trial) } else { trial };
            self.bound_arguments(&signature, tree, &other, &names);
        }
        for (k, p) in signature.params.iter().enumerate() {
            if places[k].is_empty() && !p.is_optional() {
                let message = format!("`{name}` expects `{}: {}`, found nothing", p.name, p.ty);
                self.report(fault_hint(6004, span, message, signature.headline()));
            }
        }
        let found = self.bound_arguments(&signature, tree, &places, &names);
        if self.is_faulty_since(before) {
            return Inferred::Unknown;
        }
        self.result(&signature, tree, &places, &found)
    }

    /// Symbols that stand for themselves in some arguments: columns of data, variables of a law.
    pub(super) fn with_symbols<T>(
        &mut self,
        names: &[(Name, Inferred)],
        f: impl FnOnce(&mut Checker) -> T,
    ) -> T {
        if names.is_empty() {
            return f(self);
        }
        let mut hidden: Vec<(Name, Option<Dim>)> = Vec::new();
        for (name, value) in names {
            // Laws that were built before mean these symbols too.
            if let Inferred::Quantity(q) = value
                && !self.declared.contains_key(name)
            {
                hidden.push((name.clone(), self.symbols.insert(name.clone(), q.dim.clone())));
            }
        }
        let result = self.within(names.iter().cloned().collect(), f);
        for (name, dim) in hidden {
            match dim {
                Some(dim) => self.symbols.insert(name, dim),
                None => self.symbols.remove(&name),
            };
        }
        result
    }

    /// A list's elements or the value itself: what functions see that act element by element.
    pub(super) fn innermost(&mut self, value: &Inferred) -> (Inferred, bool) {
        let mut value = value.clone();
        let mut list = false;
        while let Some(element) = self.elements_of(&value) {
            list = true;
            if matches!(&value, Inferred::List(Items::Known(items)) if items.is_empty()) {
                return (Inferred::Unknown, true);
            }
            value = element;
        }
        (value, list)
    }
}
