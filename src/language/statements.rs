//! Statements: bindings, declarations, checks, loops, modules.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::decide;
use super::error::{Error, Result, fault, fault_hint, lift};
use super::evaluate::bind_names;
use super::operations as op;
use super::render;
use super::value::{Answer, Field, Law, ModuleValue, Record, Value};
use crate::algebra::Verdict;
use crate::base::{Diagnostic, Event, Span, suggest};
use crate::expression::{Assumptions, Declaration, Domain, Expr, Kind, Symbol};
use crate::syntax::tree::{
    Assumption, AssumptionKind, CompareOp, ExprId, ExprKind, ForClause, Ident, Name, Statement,
    StatementKind, Tree, UnitExpr, UsePath, WhereItem,
};
use crate::units::Unit;

/// A point with the values of both sides.
type Counterexample = (Vec<(Symbol, f64)>, f64, f64);

impl Context {
    /// Runs the statements of a script in order; bare expressions show their values.
    pub fn run(&mut self, tree: &Arc<Tree>) -> Result<()> {
        for statement in &tree.statements {
            if let Some(value) = self.execute(tree, statement)?
                && !statement.quiet
                && !matches!(value, Value::Nothing)
            {
                self.events.send(match value.plain() {
                    Value::Figure(f) => Event::Figure(f.clone()),
                    _ => Event::Text(render::line(&value, &self.style)),
                });
            }
        }
        Ok(())
    }

    /// Runs the statements of a tree in order; `value` is told that of each bare expression.
    pub fn run_values(&mut self, tree: &Arc<Tree>, value: &mut dyn FnMut(&Value)) -> Result<()> {
        for statement in &tree.statements {
            if let Some(found) = self.execute(tree, statement)? {
                value(&found);
            }
        }
        Ok(())
    }

    /// Runs one statement; the value of a bare expression comes back.
    pub fn execute(&mut self, tree: &Arc<Tree>, statement: &Statement) -> Result<Option<Value>> {
        self.poll(statement.span)?;
        match &statement.kind {
            StatementKind::Bind { names, value, wheres } => {
                self.bind_statement(tree, names, *value, wheres)?
            }
            StatementKind::Define { name, params, result, body, wheres } => {
                self.may_bind(name)?;
                let f = self.closure(tree, &name.name, params, result.as_ref(), *body, wheres);
                self.globals.insert(name.name.clone(), f);
            }
            StatementKind::Var { names, unit, assumptions, domain } => {
                self.var(tree, names, unit.as_ref(), assumptions, *domain)?;
            }
            StatementKind::Param { name, unit, start, domain } => {
                self.param(tree, name, unit.as_ref(), *start, *domain)?;
            }
            StatementKind::Const { name, value } => {
                let found = self.evaluate(tree, *value)?;
                let e = op::expr_of(&found, tree.span(*value))?;
                if e.is_symbolic() {
                    let names: Vec<String> = e.symbols().iter().map(|s| s.to_string()).collect();
                    let message =
                        format!("expected the value of a constant, found the symbols {}", names.join(", "));
                    return Err(fault(6105, tree.span(*value), message));
                }
                self.globals.insert(name.name.clone(), Value::Expr(e));
                self.constants.insert(name.name.clone());
            }
            StatementKind::Unit { names, value } => {
                self.catalogue
                    .define(tree, names, *value, statement.doc.as_deref())
                    .map_err(|(e, span)| lift(&e, span))?;
            }
            StatementKind::Check { value, wheres } => {
                self.with_wheres(tree, wheres, |context| context.check(tree, *value))?;
            }
            StatementKind::For { clause, body } => self.for_loop(tree, clause, body)?,
            StatementKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.truth(tree, *condition)? {
                        return self.block(tree, body).map(|()| None);
                    }
                }
                if let Some(body) = otherwise {
                    self.block(tree, body)?;
                }
            }
            StatementKind::Rule { .. } => {
                self.own_rules.push((tree.clone(), statement.clone()));
                self.rules = None;
                // Read now, so that a fault shows at its place.
                self.rules(statement.span)?;
            }
            StatementKind::Extern { name, .. } => {
                return Err(fault(
                    6105,
                    name.span,
                    format!(
                        "expected a body for `{}`: only the standard library declares what Rust implements",
                        name.name
                    ),
                ));
            }
            StatementKind::Use { module, alias, names } => {
                self.use_module(module, alias.as_ref(), names.as_deref(), statement.span)?;
            }
            StatementKind::Expr { value, wheres } => {
                return self.with_wheres(tree, wheres, |context| context.bare(tree, *value)).map(Some);
            }
            StatementKind::Error => {}
        }
        Ok(None)
    }

    fn block(&mut self, tree: &Arc<Tree>, body: &[Statement]) -> Result<()> {
        for statement in body {
            self.execute(tree, statement)?;
        }
        Ok(())
    }

    fn for_loop(&mut self, tree: &Arc<Tree>, clause: &ForClause, body: &[Statement]) -> Result<()> {
        let source = self.evaluate(tree, clause.source)?;
        let at = tree.span(clause.source);
        // A range that counts is gone through without a list of its elements.
        if let Value::Range(low, high) = source.plain()
            && let (Some(first), Some(last)) = (low.as_number(), high.as_number())
        {
            let mut n = first.clone();
            while n <= *last {
                self.iteration(tree, clause, body, Value::Expr(Expr::number(n.clone())), at)?;
                n = &n + &crate::base::Number::ONE;
            }
            return Ok(());
        }
        for element in self.elements(&source, at)? {
            self.iteration(tree, clause, body, element, at)?;
        }
        Ok(())
    }

    fn iteration(
        &mut self,
        tree: &Arc<Tree>,
        clause: &ForClause,
        body: &[Statement],
        element: Value,
        at: Span,
    ) -> Result<()> {
        self.poll(at)?;
        self.locals.push(bind_names(clause, element, at)?);
        let done = self.block(tree, body);
        self.locals.pop();
        done
    }

    fn may_bind(&mut self, name: &Ident) -> Result<()> {
        if self.is_declared(&name.name) {
            return Err(fault_hint(
                6015,
                name.span,
                format!("expected a free name, found `{}`, which is declared", name.name),
                format!("put a value in instead: `F({}: ...)`", name.name),
            ));
        }
        if self.constants.contains(&name.name) {
            return Err(fault_hint(
                6015,
                name.span,
                format!("expected a free name, found the constant `{}`", name.name),
                format!("choose another name: `{}1 = ...`", name.name),
            ));
        }
        Ok(())
    }

    fn bind_statement(
        &mut self,
        tree: &Arc<Tree>,
        names: &[Ident],
        value: ExprId,
        wheres: &[WhereItem],
    ) -> Result<()> {
        for name in names {
            self.may_bind(name)?;
        }
        let outer = self.binding.take();
        self.binding = match names {
            [only] => Some(only.name.clone()),
            _ => None,
        };
        let found = self.with_wheres(tree, wheres, |context| context.evaluate(tree, value));
        self.binding = outer;
        let found = found?;
        if let [only] = names {
            let found = name_value(found, &only.name);
            self.globals.insert(only.name.clone(), found);
            return Ok(());
        }
        let Some(items) = op::as_list(&found) else {
            let message = format!("expected a list of {} values, found a {}", names.len(), found.kind_name());
            return Err(fault(6018, tree.span(value), message));
        };
        if items.len() != names.len() {
            let message = format!("expected {} values, found {}", names.len(), items.len());
            return Err(fault(6018, tree.span(value), message));
        }
        for (name, item) in names.iter().zip(items.iter()) {
            self.globals.insert(name.name.clone(), name_value(item.clone(), &name.name));
        }
        Ok(())
    }

    /// A bare expression: a comparison that can be decided shows what was written and its verdict.
    fn bare(&mut self, tree: &Arc<Tree>, id: ExprId) -> Result<Value> {
        let value = self.evaluate(tree, id)?;
        let ExprKind::Compare(..) = tree.expr(id) else { return Ok(value) };
        let span = tree.span(id);
        let shown = self.written(tree, id);
        let verdict = match value.plain() {
            Value::Expr(e) => decide::decide(self, &Value::Expr(e.clone()), span).unwrap_or(None),
            _ => None,
        };
        Ok(match verdict {
            Some(truth) => Value::Answer(Arc::new(Answer {
                value: Value::boolean(truth),
                conditions: Vec::new(),
                remark: Some(truth.to_string()),
                shown: Some(shown),
                stopped: None,
            })),
            None => value,
        })
    }

    /// An expression as it was written, on one line.
    fn written(&self, tree: &Tree, id: ExprId) -> String {
        let span = tree.span(id);
        let text = self.sources.get(&span.source).map_or("", |s| s.slice(span));
        if text.is_empty() || text.contains('#') {
            return crate::syntax::print_expr(tree, id);
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// `check`: the fault shows both sides and, where there is one, a counterexample.
    fn check(&mut self, tree: &Arc<Tree>, id: ExprId) -> Result<()> {
        let span = tree.span(id);
        let value = self.evaluate(tree, id)?;
        match decide::decide(self, &value, span)? {
            Some(true) => Ok(()),
            Some(false) => Err(self.check_fault(tree, id, &value, None)),
            None => {
                if let Value::Expr(e) = value.plain()
                    && let Kind::Relation(crate::expression::Relation::Eq, a, b) = e.kind()
                    && let Verdict::Counterexample { point, a: x, b: y } =
                        decide::verdict(self, a, b, &self.declarations.clone(), span)?
                    && (point.iter().all(|(s, _)| self.declarations.get(s).is_some()) || !point.is_empty())
                {
                    // An equation between undeclared symbols is open; between declared ones it fails.
                    if point.iter().all(|(s, _)| self.declarations.get(s).is_some())
                        || a.symbols() == b.symbols()
                    {
                        return Err(self.check_fault(tree, id, &value, Some((point, x, y))));
                    }
                }
                Err(decide::undecided(self, &value, span))
            }
        }
    }

    fn check_fault(
        &mut self,
        tree: &Arc<Tree>,
        id: ExprId,
        value: &Value,
        counterexample: Option<Counterexample>,
    ) -> Error {
        let span = tree.span(id);
        let mut error = *fault(6011, span, format!("check failed: `{}`", self.written(tree, id)));
        if let Value::Expr(e) = value.plain()
            && let Kind::Relation(_, a, b) = e.kind()
        {
            let (a, b) = (render::expr(a, &self.style), render::expr(b, &self.style));
            error.label = format!("{a} on the left, {b} on the right");
        } else if let ExprKind::Call { callee, args, .. } = tree.expr(id)
            && let (ExprKind::Name(name), [a, b, ..]) = (tree.expr(*callee), args.as_slice())
            && &**name == "close"
            && let (Ok(a), Ok(b)) = (self.evaluate(tree, a.value), self.evaluate(tree, b.value))
        {
            let (a, b) = (render::plain(&a, &self.style), render::plain(&b, &self.style));
            error.label = format!("{a} and {b} are further apart");
        }
        if let Some((point, x, y)) = counterexample {
            let number = |v: f64| crate::expression::print::float(v, &self.style);
            let point: Vec<String> = point.iter().map(|(s, v)| format!("{s} = {}", number(*v))).collect();
            error.hint =
                Some(format!("at {} the sides are {} and {}", point.join(", "), number(x), number(y)));
        }
        Box::new(error)
    }

    fn var(
        &mut self,
        tree: &Arc<Tree>,
        names: &[Ident],
        unit: Option<&UnitExpr>,
        assumptions: &[Assumption],
        domain: Option<ExprId>,
    ) -> Result<()> {
        let unit = unit.map(|u| self.unit(u)).transpose()?;
        let domain = match domain {
            Some(id) => Some((self.evaluate(tree, id)?, tree.span(id))),
            None => None,
        };
        let declaration = declaration(unit, assumptions, domain)?;
        for name in names {
            self.globals.remove(&name.name);
            self.declarations.insert(Symbol::new(&name.name), declaration.clone());
        }
        Ok(())
    }

    fn param(
        &mut self,
        tree: &Arc<Tree>,
        name: &Ident,
        unit: Option<&UnitExpr>,
        start: ExprId,
        domain: Option<ExprId>,
    ) -> Result<()> {
        let unit = unit.map(|u| self.unit(u)).transpose()?;
        let value = self.evaluate(tree, start)?;
        let at = tree.span(start);
        let e = op::settle(&op::expr_of(&value, at)?);
        let (_, own) = e.split_unit();
        let unit = match (unit, own) {
            (Some(u), Some(own)) if u.dimension() != own.dimension() => {
                return Err(fault(
                    6021,
                    at,
                    format!("expected a starting value in [{u}], found one in [{own}]"),
                ));
            }
            (Some(u), _) => Some(u),
            (None, own) => own,
        };
        let number = e
            .evaluate(&|_| None)
            .ok_or_else(|| fault(6006, at, format!("expected a number, found `{e}`")))?;
        let has_unit = e.split_unit().1.is_some();
        let si = match &unit {
            Some(u) if !has_unit => u.to_si(number),
            _ => number,
        };
        let domain = match domain {
            Some(id) => Some((self.evaluate(tree, id)?, tree.span(id))),
            None => None,
        };
        let mut declared = declaration(unit, &[], domain)?;
        declared.start = Some(si);
        self.globals.remove(&name.name);
        self.declarations.insert(Symbol::new(&name.name), declared);
        Ok(())
    }

    fn use_module(
        &mut self,
        module: &UsePath,
        alias: Option<&Ident>,
        names: Option<&[Ident]>,
        span: Span,
    ) -> Result<()> {
        let (value, short) = match module {
            UsePath::Module(parts) => {
                let name: String = parts.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".");
                let short = parts.last().map_or(name.clone(), |p| p.name.to_string());
                (self.library_module(&name, span)?, short)
            }
            UsePath::File(path, at) => {
                let short =
                    PathBuf::from(path).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
                (self.file_module(path, *at)?, short)
            }
        };
        let Value::Module(m) = &value else { return Ok(()) };
        match names {
            Some(names) => {
                for name in names {
                    match m.record.get(&name.name) {
                        Some(v) => {
                            self.globals.insert(name.name.clone(), v.clone());
                        }
                        None => {
                            let mut error = *fault(
                                6102,
                                name.span,
                                format!("expected a name of `{}`, found `{}`", m.name, name.name),
                            );
                            let known = m.record.entries.iter().map(|(n, _)| &**n);
                            error.hint =
                                suggest::nearest(&name.name, known).map(|n| format!("did you mean `{n}`?"));
                            return Err(Box::new(error));
                        }
                    }
                }
            }
            None => {
                let name: Name = alias.map_or_else(|| Name::from(short.as_str()), |a| a.name.clone());
                self.globals.insert(name, value);
            }
        }
        Ok(())
    }

    /// The value of a module of the library, evaluated when first asked for.
    pub fn library_module(&mut self, name: &str, span: Span) -> Result<Value> {
        if let Some(known) = self.modules.get(name) {
            return Ok(known.clone());
        }
        if !self.library.has_module(name) {
            let mut error = *fault(6101, span, format!("expected a module, found no `{name}`"));
            error.hint =
                suggest::nearest(name, self.library.module_names()).map(|n| format!("did you mean `{n}`?"));
            return Err(Box::new(error));
        }
        let module = self.load_module(name, span)?;
        let value = self.evaluate_module(name, &module.tree, self.folder.clone(), span)?;
        self.modules.insert(name.to_string(), value.clone());
        Ok(value)
    }

    fn file_module(&mut self, path: &str, span: Span) -> Result<Value> {
        let full = self.path(path);
        let key = full.display().to_string();
        if let Some(known) = self.modules.get(&key) {
            return Ok(known.clone());
        }
        let text = read_script(&full).map_err(|message| fault(6040, span, message))?;
        let source = self.add_source(&key, &text);
        let parsed = crate::syntax::parse(&source);
        if let Some(d) = parsed.diagnostics.into_iter().find(Diagnostic::is_error) {
            return Err(Box::new(d));
        }
        let folder = full.parent().map_or_else(|| self.folder.clone(), PathBuf::from);
        let value = self.evaluate_module(&key, &Arc::new(parsed.tree), folder, span)?;
        self.modules.insert(key, value.clone());
        Ok(value)
    }

    /// Evaluates a module in a context of its own; what it binds becomes its names.
    fn evaluate_module(
        &mut self,
        name: &str,
        tree: &Arc<Tree>,
        folder: PathBuf,
        span: Span,
    ) -> Result<Value> {
        if self.loading.iter().any(|l| l == name) {
            return Err(fault(6103, span, format!("`{name}` is used while it is being read")));
        }
        self.loading.push(name.to_string());
        let globals = std::mem::take(&mut self.globals);
        let constants = std::mem::take(&mut self.constants);
        let declarations = std::mem::take(&mut self.declarations);
        let locals = std::mem::take(&mut self.locals);
        let outer_folder = std::mem::replace(&mut self.folder, folder);
        let mut order: Vec<Name> = Vec::new();
        let mut result = Ok(());
        for statement in &tree.statements {
            if matches!(statement.kind, StatementKind::Extern { .. }) {
                continue;
            }
            result = self.execute(tree, statement).map(|_| ());
            if result.is_err() {
                break;
            }
            match &statement.kind {
                StatementKind::Bind { names, .. } => order.extend(names.iter().map(|n| n.name.clone())),
                StatementKind::Define { name, .. } | StatementKind::Const { name, .. } => {
                    order.push(name.name.clone());
                }
                _ => {}
            }
        }
        let made = std::mem::replace(&mut self.globals, globals);
        self.constants = constants;
        let own = std::mem::replace(&mut self.declarations, declarations);
        self.locals = locals;
        self.folder = outer_folder;
        self.loading.pop();
        result?;
        let mut record = Record::default();
        for n in order {
            if let Some(v) = made.get(&n)
                && record.get(&n).is_none()
            {
                record.entries.push((n, v.clone()));
            }
        }
        Ok(Value::Module(Arc::new(ModuleValue { name: name.to_string(), record, declarations: own })))
    }
}

/// Reads a script: a regular file of UTF-8 text without NUL bytes, 8 MB at most.
pub fn read_script(path: &std::path::Path) -> std::result::Result<String, String> {
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => format!("expected a file, found nothing at `{shown}`"),
        _ => format!("`{shown}` cannot be read: {e}"),
    })?;
    if meta.is_dir() {
        return Err(format!("expected a file, found the folder `{shown}`"));
    }
    let bytes = std::fs::read(path).map_err(|e| format!("`{shown}` cannot be read: {e}"))?;
    script_text(bytes, &shown.to_string())
}

/// Bytes as the text of a script.
pub fn script_text(bytes: Vec<u8>, shown: &str) -> std::result::Result<String, String> {
    if bytes.contains(&0) {
        return Err(format!("expected a text, found a binary file: `{shown}` has NUL bytes"));
    }
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).map_err(|e| {
        format!("expected UTF-8 text: `{shown}` has another byte at offset {}", e.utf8_error().valid_up_to())
    })
}

/// Laws and fields take the name they are bound to first.
fn name_value(value: Value, name: &Name) -> Value {
    match value {
        Value::Law(law) if law.name.is_none() => {
            Value::Law(Arc::new(Law { name: Some(name.clone()), ..(*law).clone() }))
        }
        Value::Field(field) if field.name.name().is_empty() => {
            Value::Field(Arc::new(Field { name: Symbol::new(name), variables: field.variables.clone() }))
        }
        other => other,
    }
}

/// What a `var` line says, as a declaration.
pub fn declaration(
    unit: Option<Unit>,
    assumptions: &[Assumption],
    domain: Option<(Value, Span)>,
) -> Result<Declaration> {
    let mut declared = Declaration { unit, ..Declaration::default() };
    let a: &mut Assumptions = &mut declared.assumptions;
    for assumption in assumptions {
        match assumption.kind {
            AssumptionKind::Real => {}
            AssumptionKind::Complex => a.complex = true,
            AssumptionKind::Integer => a.integer = true,
            AssumptionKind::Sign(CompareOp::Gt) => a.positive = true,
            AssumptionKind::Sign(CompareOp::Lt) => a.negative = true,
            AssumptionKind::Sign(CompareOp::Ge) => a.nonnegative = true,
            AssumptionKind::Sign(CompareOp::Le) => a.nonpositive = true,
            AssumptionKind::Sign(CompareOp::Ne) => a.nonzero = true,
            AssumptionKind::Sign(_) => {}
        }
    }
    let Some((domain, span)) = domain else {
        declared.unit.get_or_insert_with(Unit::one);
        return Ok(declared);
    };
    let ends: Vec<Expr> = match domain.plain() {
        Value::Range(low, high) => vec![low.clone(), high.clone()],
        Value::List(items) => {
            let items: Result<Vec<Expr>> =
                items.iter().map(|v| Ok(op::settle(&op::expr_of(v, span)?))).collect();
            items?
        }
        other => {
            return Err(fault_hint(
                6006,
                span,
                format!("expected a range or a list as domain, found a {}", other.kind_name()),
                "in 1..5",
            ));
        }
    };
    if declared.unit.is_none() {
        declared.unit = ends.iter().find_map(|e| e.split_unit().1).or_else(|| Some(Unit::one()));
    }
    let unit = declared.unit.clone().unwrap_or_else(Unit::one);
    let mut si = Vec::with_capacity(ends.len());
    for e in &ends {
        let Some(number) = e.evaluate(&|_| None) else {
            return Err(fault(6006, span, format!("expected numbers in the domain, found `{e}`")));
        };
        match e.split_unit().1 {
            Some(own) if own.dimension() != unit.dimension() => {
                return Err(fault(
                    6021,
                    span,
                    format!("expected a domain in [{unit}], found one in [{own}]"),
                ));
            }
            Some(_) => si.push(number),
            None => si.push(unit.to_si(number)),
        }
    }
    if si.iter().any(|v| v.is_nan()) {
        return Err(fault(6006, span, "expected numbers in the domain"));
    }
    declared.domain = Some(match domain.plain() {
        Value::Range(..) => {
            let (low, high) = (si[0], si[1]);
            if low > high {
                return Err(fault_hint(
                    6006,
                    span,
                    format!("expected a domain from low to high, found {}..{}", ends[0], ends[1]),
                    format!("{}..{}", ends[1], ends[0]),
                ));
            }
            Domain::Interval { low, high }
        }
        _ if si.is_empty() => return Err(fault(6006, span, "expected at least one value in the domain")),
        _ => Domain::Values(si),
    });
    declared.written = Some(ends);
    Ok(declared)
}
