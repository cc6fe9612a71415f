//! Calls: what is called, and what happens then (LANGUAGE, "Calls, options, blocks"); arguments stand in
//! `arguments.rs`.

use std::sync::Arc;

pub use super::arguments::{Args, takes};

use super::arguments::unknown_option;
use super::builtins;
use super::context::{Context, MAX_CALLS, Scope};
use super::error::{Error, Result, fault, fault_hint};
use super::operations as op;
use super::types::{Signature, Type};
use super::value::{Function, UserFunction, Value};
use crate::base::{Span, suggest};
use crate::expression::{Expr, Kind, Symbol};
use crate::syntax::tree::{Arg, ExprId, ExprKind, Name, Operator, Param, Tree, TypeExpr};

/// What is said where a law is called with arguments that have no names.
pub const NAMED_ONLY: &str = "expected named arguments of a law, found a positional one";

/// What stands for the name of an argument where a result is compared with its type.
pub(super) const RESULT: &str = "result";

/// What is said of a result, from what would be said of an argument.
pub(super) fn result_message(function: &str, message: &str) -> String {
    match message.strip_prefix("`result` expects ") {
        Some(rest) => format!("expected `{function}` to return {rest}"),
        None => format!("in what `{function}` returns: {message}"),
    }
}

/// What an unknown name that is called may be: a layer, by what another library calls it or by a near name.
pub fn layer_meant(name: &str, near: Option<&str>) -> Option<String> {
    #[cfg(feature = "networks")]
    {
        use crate::networks::layer::{KINDS, elsewhere};
        // `sin` is a function before it is a layer.
        let is_layer = |n: &&str| KINDS.iter().any(|k| k.name == *n) && !builtins::networks::is_function(n);
        let near = near.filter(is_layer);
        elsewhere(name).or(near).map(|layer| format!("did you mean `{layer}`?"))
    }
    #[cfg(not(feature = "networks"))]
    {
        let _ = (name, near);
        None
    }
}

/// `a(b + c)`, written as the product that may have been meant.
pub fn product_hint(tree: &Tree, name: &str, args: &[Arg]) -> String {
    match args {
        [Arg { name: None, value }] => format!("{name}*({})", crate::syntax::print_expr(tree, *value)),
        _ => format!("{name}*(...)"),
    }
}

impl Context {
    /// A function value over a body, with the bindings its free names have now.
    pub(super) fn closure(
        &self,
        tree: &Arc<Tree>,
        name: &Name,
        params: &[Param],
        result: Option<&TypeExpr>,
        body: ExprId,
        wheres: &[crate::syntax::tree::WhereItem],
    ) -> Value {
        let mut captured = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut bodies = vec![body];
        bodies.extend(wheres.iter().map(|w| w.value));
        bodies.extend(params.iter().filter_map(|p| p.default));
        for id in bodies {
            names_in(tree, id, &mut |n| {
                if n != name
                    && !params.iter().any(|p| p.name.name == *n)
                    && seen.insert(n.clone())
                    && let Some(value) = self.lookup(n)
                {
                    captured.push((n.clone(), value));
                }
            });
        }
        Value::Function(Function::User(Arc::new(UserFunction {
            name: name.clone(),
            params: params.to_vec(),
            result: result.cloned(),
            body,
            wheres: wheres.to_vec(),
            tree: tree.clone(),
            captured,
        })))
    }

    /// A call.
    pub(super) fn call(
        &mut self,
        tree: &Arc<Tree>,
        callee: ExprId,
        args: &[Arg],
        span: Span,
    ) -> Result<Value> {
        self.poll(span)?;
        if let ExprKind::Name(name) = tree.expr(callee) {
            let bound = self.lookup(name).filter(|v| {
                // A bound number beside a function of the library: `gamma(3)` calls the function.
                !(matches!(v.plain(), Value::Expr(e) if !e.is_symbolic())
                    && self.library.signatures(name).is_some())
            });
            return match bound {
                Some(value) => self.call_value(&value, tree, args, span, Some(name)),
                None if self.library.signatures(name).is_some() => {
                    self.call_builtin(name, tree, None, args, span)
                }
                None if self.is_declared(name) => {
                    let e = Value::Expr(Expr::symbol(name.clone()));
                    self.call_value(&e, tree, args, span, Some(name))
                }
                None => Err(self.unknown_callee(name, tree.span(callee))),
            };
        }
        let value = self.evaluate(tree, callee)?;
        self.call_value(&value, tree, args, span, None)
    }

    fn unknown_callee(&self, name: &Name, span: Span) -> Error {
        let names = self.known_names();
        let error = fault(6001, span, format!("expected a function, found the unknown name `{name}`"));
        let mut error = *error;
        let near = suggest::nearest(name, names.iter().map(String::as_str));
        error.hint = layer_meant(name, near).or_else(|| {
            Some(match near {
                Some(near) => format!("did you mean `{near}`? A product is written `{name}*(...)`"),
                None => format!("a product is written `{name}*(...)`"),
            })
        });
        Box::new(error)
    }

    /// `value |> callee`.
    pub(super) fn pipe(
        &mut self,
        tree: &Arc<Tree>,
        value: ExprId,
        callee: ExprId,
        span: Span,
    ) -> Result<Value> {
        match tree.expr(callee) {
            ExprKind::Call { callee: f, args, .. } => {
                let mut all = vec![Arg { name: None, value }];
                all.extend(args.iter().cloned());
                self.call(tree, *f, &all, span)
            }
            _ => self.call(tree, callee, &[Arg { name: None, value }], span),
        }
    }

    fn call_value(
        &mut self,
        value: &Value,
        tree: &Arc<Tree>,
        args: &[Arg],
        span: Span,
        name: Option<&Name>,
    ) -> Result<Value> {
        if let Some(function) = self.function_of(value)
            && !args.iter().any(|a| a.name.as_ref().is_some_and(|a| a.name == function))
        {
            return self.call_builtin(&function, tree, None, args, span);
        }
        match value.plain() {
            Value::Function(Function::User(f)) => self.call_user(&f.clone(), tree, args, span),
            Value::Function(Function::Builtin(n)) => self.call_builtin(&n.clone(), tree, None, args, span),
            Value::Function(Function::Operator(o)) => {
                let values: Result<Vec<Value>> = args.iter().map(|a| self.evaluate(tree, a.value)).collect();
                let values = values?;
                self.apply_operator(*o, &values, span)
            }
            Value::Field(field) => {
                let field = field.clone();
                if args.iter().any(|a| a.name.is_some()) {
                    let e = value.as_expr().unwrap_or_else(Expr::zero);
                    return self.put_in(&e, None, tree, args, span);
                }
                if args.len() != field.variables.len() {
                    let message = format!(
                        "`{}` is a field of {} variables, found {} arguments",
                        field.name,
                        field.variables.len(),
                        args.len()
                    );
                    return Err(fault(6005, span, message));
                }
                let values: Result<Vec<Expr>> = args
                    .iter()
                    .map(|a| {
                        let v = self.evaluate(tree, a.value)?;
                        op::expr_of(&v, tree.span(a.value))
                    })
                    .collect();
                self.checked(Expr::apply(field.name.clone(), values?), span)
            }
            Value::Law(law) => {
                let law = law.clone();
                self.put_in(&law.formula, Some(&law.declarations), tree, args, span)
            }
            Value::Expr(e) if args.iter().all(|a| a.name.is_some()) && !args.is_empty() => {
                let e = e.clone();
                self.put_in(&e, None, tree, args, span)
            }
            Value::Expr(e) if e.is_symbolic() => {
                let hint = match e.symbols().first() {
                    Some(s) => format!("name what is put in: `({s}: ...)`; a product is written `...*(...)`"),
                    None => "a product is written `...*(...)`".into(),
                };
                Err(fault_hint(6005, span, NAMED_ONLY, hint))
            }
            other => {
                let shown = name.map_or_else(|| "this".to_string(), |n| format!("`{n}`"));
                let hint = name.map_or_else(|| "...*(...)".to_string(), |n| format!("{n}*(...)"));
                Err(fault_hint(
                    6001,
                    span,
                    format!("expected a function, found {shown}, which is a {}", other.kind_name()),
                    hint,
                ))
            }
        }
    }

    /// The library's function that a symbol names: after `f = sqrt`, `f` is the symbol `sqrt`, and a symbol and a
    /// function may share a name, so that `f(4)` calls the function and `f + 1` is a sum.
    pub(super) fn function_of(&self, value: &Value) -> Option<Name> {
        let Value::Expr(e) = value.plain() else { return None };
        let Kind::Symbol(s) = e.kind() else { return None };
        let known = self.library.signatures(s.name()).is_some() && !self.is_declared(s.name());
        known.then(|| Name::from(s.name()))
    }

    /// `F(r: 2 [m])`: everything is put in at once.
    fn put_in(
        &mut self,
        e: &Expr,
        declarations: Option<&crate::expression::Declarations>,
        tree: &Arc<Tree>,
        args: &[Arg],
        span: Span,
    ) -> Result<Value> {
        let known = e.symbols();
        let mut pairs: Vec<(Symbol, Expr)> = Vec::new();
        for arg in args {
            let Some(name) = &arg.name else {
                return Err(fault(6005, tree.span(arg.value), NAMED_ONLY));
            };
            let symbol = Symbol::new(&name.name);
            // A derivative may have lost a declared symbol; putting it in is no mistake.
            if !known.contains(&symbol) && self.declarations.get(&symbol).is_none() {
                let mut error =
                    *fault(6003, name.span, format!("expected a symbol of the law, found `{}`", name.name));
                let names: Vec<&str> = known.iter().map(Symbol::name).collect();
                error.hint = Some(match suggest::nearest(&name.name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "it has no symbols".into(),
                    None => format!("it has {}", names.join(", ")),
                });
                return Err(Box::new(error));
            }
            if pairs.iter().any(|(s, _)| *s == symbol) {
                return Err(fault(6007, name.span, format!("expected `{}` once, found it twice", name.name)));
            }
            let value = self.evaluate(tree, arg.value)?;
            let at = tree.span(arg.value);
            if let Some(items) = op::as_list(&value) {
                // A list is put in element by element.
                let results: Result<Vec<Value>> = items
                    .iter()
                    .map(|item| {
                        let item = op::expr_of(item, at)?;
                        self.checked(e.substitute(&[(symbol.clone(), op::settle(&item))]), span)
                    })
                    .collect();
                if args.len() == 1 {
                    return Ok(Value::list(results?));
                }
                return Err(fault(6006, at, "a list can be put in for one symbol at a time"));
            }
            let x = op::settle(&op::expr_of(&value, at)?);
            let declared = declarations
                .and_then(|d| d.get(&symbol))
                .or_else(|| self.declarations.get(&symbol))
                .and_then(|d| d.unit.clone());
            if let Some(unit) = declared {
                let d = super::dimension::of(&x, &self.declarations).map_err(|m| op::unit_fault(&m, at))?;
                if let Some(found) = d.filter(|d| *d != unit.dimension()) {
                    let found = crate::units::Unit::coherent(found);
                    let message = format!("`{}` is in [{unit}], found a value in [{found}]", name.name);
                    return Err(fault(6021, at, message));
                }
            }
            pairs.push((symbol, x));
        }
        let result = e.substitute(&pairs);
        // Numbers that meet units give one quantity.
        self.checked(result, span)
    }

    fn apply_operator(&mut self, o: Operator, values: &[Value], span: Span) -> Result<Value> {
        match values {
            [only] if o == Operator::Sub => op::negate(only, span),
            [first, rest @ ..] if !rest.is_empty() => {
                let mut total = first.clone();
                for v in rest {
                    total = op::binary(self, o, &total, v, span)?;
                }
                Ok(total)
            }
            _ => Err(fault(6004, span, "an operator needs two arguments")),
        }
    }

    fn call_user(
        &mut self,
        f: &Arc<UserFunction>,
        tree: &Arc<Tree>,
        args: &[Arg],
        span: Span,
    ) -> Result<Value> {
        let mut values: Vec<Option<(Value, Span)>> = vec![None; f.params.len()];
        let mut next = 0;
        for arg in args {
            let at = tree.span(arg.value);
            let k = match &arg.name {
                Some(name) => f.params.iter().position(|p| p.name.name == name.name).ok_or_else(|| {
                    unknown_option(&f.name, &name.name, name.span, f.params.iter().map(|p| &*p.name.name))
                })?,
                None => {
                    let k = next;
                    next += 1;
                    if k >= f.params.len() {
                        return Err(fault(
                            6005,
                            at,
                            format!(
                                "`{}` expects {} arguments, found {}",
                                f.name,
                                f.params.len(),
                                args.len()
                            ),
                        ));
                    }
                    k
                }
            };
            if values[k].is_some() {
                return Err(fault(
                    6007,
                    at,
                    format!("expected `{}` once, found it twice", f.params[k].name.name),
                ));
            }
            let ty = f.params[k].ty.as_ref().map_or(Type::Any, Type::of);
            let value = self.read_argument(tree, arg.value, &ty)?;
            let value = self.fits(value, &ty, &f.params[k].name.name, at)?;
            values[k] = Some((value, at));
        }
        self.enter(f, values, span)
    }

    /// Calls a function of phys with values.
    pub(super) fn apply_user(
        &mut self,
        f: &Arc<UserFunction>,
        args: Vec<Value>,
        span: Span,
    ) -> Result<Value> {
        if args.len() > f.params.len() {
            return Err(fault(
                6005,
                span,
                format!("`{}` expects {} arguments, found {}", f.name, f.params.len(), args.len()),
            ));
        }
        let mut values: Vec<Option<(Value, Span)>> = args.into_iter().map(|v| Some((v, span))).collect();
        values.resize(f.params.len(), None);
        self.enter(f, values, span)
    }

    fn enter(
        &mut self,
        f: &Arc<UserFunction>,
        values: Vec<Option<(Value, Span)>>,
        span: Span,
    ) -> Result<Value> {
        if self.calls >= MAX_CALLS {
            return Err(fault_hint(
                6019,
                span,
                format!("expected at most {MAX_CALLS} calls inside each other, found more of `{}`", f.name),
                "end it with `if`: `f(n) = if n <= 1 then 1 else n*f(n - 1)`",
            ));
        }
        let mut scope: Scope = f.captured.iter().map(|(n, v)| (n.clone(), Some(v.clone()))).collect();
        scope.insert(f.name.clone(), Some(Value::Function(Function::User(f.clone()))));
        // A function sees its captured names, not the scopes of its caller.
        let outer = std::mem::replace(&mut self.locals, vec![scope]);
        self.calls += 1;
        let result = (|| {
            for (param, value) in f.params.iter().zip(values) {
                let value = match (value, param.default) {
                    (Some((value, _)), _) => value,
                    (None, Some(default)) => self.evaluate(&f.tree, default)?,
                    (None, None) => {
                        return Err(fault(
                            6004,
                            span,
                            format!("`{}` expects `{}`, found nothing", f.name, param.name.name),
                        ));
                    }
                };
                if let Some(scope) = self.locals.last_mut() {
                    scope.insert(param.name.name.clone(), Some(value));
                }
            }
            let tree = f.tree.clone();
            self.with_wheres(&tree, &f.wheres, |context| context.evaluate(&tree, f.body))
        })();
        self.calls -= 1;
        self.locals = outer;
        match &f.result {
            Some(written) => self.returned(f, result?, &Type::of(written)),
            None => result,
        }
    }

    /// What a function returns, if it is of the type that it declares.
    fn returned(&mut self, f: &UserFunction, value: Value, ty: &Type) -> Result<Value> {
        self.fits(value, ty, RESULT, f.tree.span(f.body)).map_err(|mut e| {
            e.message = result_message(&f.name, &e.message);
            e.hint = Some(format!("leave the type out, or return {}", ty.described()));
            e
        })
    }

    /// Calls a declared function.
    pub(super) fn call_builtin(
        &mut self,
        name: &Name,
        tree: &Arc<Tree>,
        piped: Option<Value>,
        args: &[Arg],
        span: Span,
    ) -> Result<Value> {
        let Some(signatures) = self.library.signatures(name).map(<[Arc<Signature>]>::to_vec) else {
            return Err(self.unknown_callee(name, span));
        };
        let signature = self.choose(&signatures, tree, piped.as_ref(), args)?;
        let args = self.bind(&signature, tree, piped, args, span)?;
        self.run_declared(&args)
    }

    /// Whole numbers of which a network is composed are counts: none is below 0.
    fn sizes(&self, args: &Args) -> Result<()> {
        if args.signature.result != Type::Other("network".into()) {
            return Ok(());
        }
        for (k, p) in args.signature.params.iter().enumerate().filter(|(_, p)| p.ty == Type::Integer) {
            let n = args.values[k].as_ref().and_then(Value::as_expr).and_then(|e| e.as_i64());
            if let Some(n) = n.filter(|n| *n < 0) {
                let message = format!("expected a number of at least 0 for `{}`, found {n}", p.name);
                let hint = format!("{}({}: 2)", args.signature.name, p.name);
                return Err(fault_hint(6006, args.spans[k], message, hint));
            }
        }
        Ok(())
    }

    /// The body of a declared function.
    fn run_declared(&mut self, args: &Args) -> Result<Value> {
        let name = &args.signature.name;
        if let Some(written) = args.signature.body.clone() {
            // What the program binds means nothing to the library.
            let globals = std::mem::take(&mut self.globals);
            let declarations = std::mem::take(&mut self.declarations);
            let values =
                args.values.iter().zip(&args.spans).map(|(v, s)| v.clone().map(|v| (v, *s))).collect();
            let result = self.sizes(args).and_then(|()| self.enter(&written, values, args.span));
            self.globals = globals;
            self.declarations = declarations;
            // A fault within the library is one of the call.
            let inside = written.tree.span(written.body).source;
            return result.map_err(|mut e| {
                if e.span.is_some_and(|s| s.source == inside) && args.span.source != inside {
                    e.message = format!("in `{name}`: {}", e.message);
                    // What would be right there is not what would be right here.
                    (e.span, e.label, e.hint) = (Some(args.span), String::new(), None);
                    e.related.clear();
                }
                e
            });
        }
        let Some(body) = builtins::body(name) else {
            return Err(fault(6001, args.span, format!("`{name}` is declared, but has no body")));
        };
        body(self, args)
    }

    /// Of several signatures the one whose first parameter takes the first argument.
    fn choose(
        &mut self,
        signatures: &[Arc<Signature>],
        tree: &Arc<Tree>,
        piped: Option<&Value>,
        args: &[Arg],
    ) -> Result<Arc<Signature>> {
        if let [only] = signatures {
            return Ok(only.clone());
        }
        let first = match (piped, args.first()) {
            (Some(v), _) => Some(v.clone()),
            (None, Some(arg)) => Some(self.evaluate(tree, arg.value)?),
            (None, None) => None,
        };
        if let Some(first) = first {
            for s in signatures {
                let fits = s.params.first().is_some_and(|p| takes(p.ty.required(), &first));
                let count = s.params.iter().any(|p| p.variadic) || args.len() <= s.params.len();
                if fits && count {
                    return Ok(s.clone());
                }
            }
        }
        Ok(signatures[0].clone())
    }

    /// Calls any function value with values.
    pub fn apply(&mut self, f: &Function, args: Vec<Value>, span: Span) -> Result<Value> {
        match f {
            Function::User(user) => self.apply_user(&user.clone(), args, span),
            Function::Operator(o) => self.apply_operator(*o, &args, span),
            Function::Builtin(name) => {
                let Some(signature) = self.library.signatures(name).and_then(|s| {
                    s.iter()
                        .find(|s| {
                            s.params.first().zip(args.first()).is_some_and(|(p, a)| takes(p.ty.required(), a))
                        })
                        .or(s.first())
                        .cloned()
                }) else {
                    return Err(self.unknown_callee(name, span));
                };
                let count = signature.params.len();
                let mut values: Vec<Option<Value>> = vec![None; count];
                let variadic = signature.params.iter().position(|p| p.variadic);
                for (k, v) in args.into_iter().enumerate() {
                    match variadic {
                        Some(at) if k >= at => match &mut values[at] {
                            Some(Value::List(items)) => Arc::make_mut(items).push(v),
                            other => *other = Some(Value::list(vec![v])),
                        },
                        _ if k < count => values[k] = Some(v),
                        _ => {
                            return Err(fault(
                                6005,
                                span,
                                format!("`{name}` expects at most {count} arguments"),
                            ));
                        }
                    }
                }
                for (k, p) in signature.params.iter().enumerate() {
                    if values[k].is_none()
                        && let Some(default) = p.default
                    {
                        values[k] =
                            Some(self.read_argument(&signature.tree.clone(), default, p.ty.required())?);
                    }
                }
                let args =
                    Args { signature, values, spans: vec![span; count], span, given: vec![true; count] };
                self.run_declared(&args)
            }
        }
    }
}

/// Every name that occurs in an expression.
pub fn names_in(tree: &Tree, id: ExprId, f: &mut impl FnMut(&Name)) {
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if let ExprKind::Name(name) = tree.expr(id) {
            f(name);
        }
        tree.expr(id).each_child(&mut |child| stack.push(child));
    }
}
