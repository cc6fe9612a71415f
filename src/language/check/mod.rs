//! The checker: reads the whole tree before anything runs and reports every fault of names, types, units and options with
//! its place. It follows the program with kinds in place of values (`kind.rs`); what it does not know it lets pass,
//! so that it never reports what would have run. A faulty part is of unknown kind: one fault, one report.

mod calls;
mod expressions;
mod kind;

pub use kind::Kind;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use kind::{Callable, UserKind};

use super::context::Context;
use super::error::{Error, fault, fault_hint};
use super::library::Library;
use crate::base::{Diagnostic, Source, Span, suggest};
use crate::expression::{Constant, Declaration, Declarations, Symbol};
use crate::syntax::tree::{
    ExprId, ForClause, Ident, Name, Statement, StatementKind, Tree, UnitExpr, UsePath, WhereItem,
};
use crate::units::{Catalogue, Dimension, Unit};

/// Functions of phys are followed this deep into each other.
const MAX_CALLS: usize = 6;
/// Modules may use each other this deep.
const MAX_MODULES: usize = 8;

/// The state of a check.
pub struct Checker {
    library: Library,
    catalogue: Catalogue,
    declarations: Declarations,
    constants: Vec<Name>,
    /// Global names first, then local scopes. `None` makes a name a symbol.
    scopes: Vec<HashMap<Name, Option<Kind>>>,
    diagnostics: Vec<Diagnostic>,
    folder: PathBuf,
    calls: usize,
    modules: usize,
    next_source: u32,
}

/// The dimension that the checker gives the last bare expression of a tree, where it knows it.
pub fn predict(context: &Context, tree: &Arc<Tree>) -> Option<Dimension> {
    let mut checker = Checker::new(context);
    let (last, before) = tree.statements.split_last()?;
    before.iter().for_each(|s| checker.statement(tree, s));
    match &last.kind {
        StatementKind::Expr { value, wheres } => {
            checker.with_wheres(tree, wheres, |c| c.kind(tree, *value)).dimension()
        }
        _ => None,
    }
}

/// Every fault of a tree that is to run in this context.
pub fn check(context: &Context, tree: &Arc<Tree>) -> Vec<Diagnostic> {
    let mut checker = Checker::new(context);
    for statement in &tree.statements {
        checker.statement(tree, statement);
    }
    let mut found = checker.diagnostics;
    let mut seen = std::collections::HashSet::new();
    found.retain(|d| seen.insert((d.code, d.span, d.message.clone())));
    found
}

impl Checker {
    fn new(context: &Context) -> Checker {
        let globals = context
            .globals
            .iter()
            .map(|(n, v)| (n.clone(), Some(Kind::of(v, &context.declarations))))
            .collect();
        Checker {
            library: context.library.clone(),
            catalogue: context.catalogue.clone(),
            declarations: context.declarations.clone(),
            constants: context.constants.iter().cloned().collect(),
            scopes: vec![globals],
            diagnostics: Vec::new(),
            folder: context.folder.clone(),
            calls: 0,
            modules: 0,
            next_source: 1 << 20,
        }
    }
}

impl Checker {
    // Boxed as every function of the language returns it.
    #[allow(clippy::boxed_local)]
    fn report(&mut self, error: Error) -> Kind {
        self.diagnostics.push(*error);
        Kind::Unknown
    }

    /// A path of the script, relative to its folder.
    fn path(&self, written: &str) -> PathBuf {
        if self.folder.as_os_str() == "." { PathBuf::from(written) } else { self.folder.join(written) }
    }

    fn lookup(&self, name: &str) -> Option<Option<&Kind>> {
        self.scopes.iter().rev().find_map(|s| s.get(name)).map(Option::as_ref)
    }

    fn bind(&mut self, name: &Name, kind: Kind) {
        if let Some(scope) = self.scopes.first_mut() {
            scope.insert(name.clone(), Some(kind));
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.scopes.iter().flat_map(|s| s.keys().map(|n| n.to_string())).collect();
        names.extend(self.library.function_names().map(str::to_string));
        names.extend(self.declarations.iter().map(|(s, _)| s.to_string()));
        names
    }

    fn unit(&mut self, unit: &UnitExpr) -> Option<Unit> {
        match self.catalogue.resolve(unit) {
            Ok(u) => Some(u),
            Err((e, span)) => {
                self.report(super::error::lift(&e, span));
                None
            }
        }
    }

    fn may_bind(&mut self, name: &Ident) {
        if self.declarations.get(&Symbol::new(&name.name)).is_some() {
            self.report(fault_hint(
                6015,
                name.span,
                format!("expected a free name, found `{}`, which is declared", name.name),
                format!("put a value in instead: `F({}: ...)`", name.name),
            ));
        } else if self.constants.contains(&name.name) {
            self.report(fault_hint(
                6015,
                name.span,
                format!("expected a free name, found the constant `{}`", name.name),
                format!("choose another name: `{}1 = ...`", name.name),
            ));
        }
    }

    fn block(&mut self, tree: &Arc<Tree>, body: &[Statement]) {
        body.iter().for_each(|s| self.statement(tree, s));
    }

    fn with_wheres<T>(
        &mut self,
        tree: &Arc<Tree>,
        wheres: &[WhereItem],
        f: impl FnOnce(&mut Checker) -> T,
    ) -> T {
        if wheres.is_empty() {
            return f(self);
        }
        self.scopes.push(HashMap::new());
        for item in wheres {
            let kind = match &item.params {
                None => self.kind(tree, item.value),
                Some(params) => Kind::Function(Callable::User(Arc::new(UserKind {
                    name: item.name.name.clone(),
                    params: params.clone(),
                    body: item.value,
                    wheres: Vec::new(),
                    tree: tree.clone(),
                }))),
            };
            if let Some(scope) = self.scopes.last_mut() {
                scope.insert(item.name.name.clone(), Some(kind));
            }
        }
        let result = f(self);
        self.scopes.pop();
        result
    }

    fn statement(&mut self, tree: &Arc<Tree>, statement: &Statement) {
        match &statement.kind {
            StatementKind::Bind { names, value, wheres } => {
                names.iter().for_each(|n| self.may_bind(n));
                let kind = self.with_wheres(tree, wheres, |c| c.kind(tree, *value));
                if let [only] = names.as_slice() {
                    self.bind(&only.name, kind);
                } else {
                    let element = match kind {
                        Kind::List(inner) => *inner,
                        Kind::Unknown | Kind::Column(_) => Kind::Unknown,
                        other => self.report(fault(
                            6018,
                            tree.span(*value),
                            format!("expected a list of {} values, found a {}", names.len(), other.name()),
                        )),
                    };
                    names.iter().for_each(|n| self.bind(&n.name, element.clone()));
                }
            }
            StatementKind::Define { name, params, body, wheres } => {
                self.may_bind(name);
                let user = Arc::new(UserKind {
                    name: name.name.clone(),
                    params: params.clone(),
                    body: *body,
                    wheres: wheres.clone(),
                    tree: tree.clone(),
                });
                self.bind(&name.name, Kind::Function(Callable::User(user.clone())));
                let arguments = params.iter().map(|p| self.parameter_kind(p)).collect();
                self.enter(&user, arguments);
            }
            StatementKind::Var { names, unit, domain, .. } => {
                let unit = unit.as_ref().map(|u| self.unit(u));
                let unit = match (unit, domain) {
                    (Some(unit), domain) => {
                        if let (Some(u), Some(id)) = (&unit, domain)
                            && let Some(found) =
                                self.domain(tree, *id).filter(|d| *d != u.dimension() && !d.is_none())
                        {
                            let found = Unit::coherent(found);
                            let message = format!("expected a domain in [{u}], found one in [{found}]");
                            self.report(fault(6021, tree.span(*id), message));
                        }
                        unit
                    }
                    (None, Some(id)) => {
                        self.domain(tree, *id).map(Unit::coherent).or_else(|| Some(Unit::one()))
                    }
                    (None, None) => Some(Unit::one()),
                };
                for name in names {
                    self.declare(name, unit.clone());
                }
            }
            StatementKind::Param { name, unit, start, domain } => {
                let declared = unit.as_ref().and_then(|u| self.unit(u));
                let kind = self.kind(tree, *start);
                if let Some(id) = domain {
                    self.kind(tree, *id);
                }
                let unit = match (declared, kind.dimension()) {
                    (Some(u), Some(d)) if !d.is_none() && d != u.dimension() => {
                        let found = Unit::coherent(d);
                        let message = format!("expected a starting value in [{u}], found one in [{found}]");
                        self.report(fault(6021, tree.span(*start), message));
                        Some(u)
                    }
                    (Some(u), _) => Some(u),
                    (None, d) => d.map(Unit::coherent),
                };
                self.declare(name, unit);
            }
            StatementKind::Const { name, value } => {
                let kind = self.kind(tree, *value);
                self.bind(&name.name, kind);
                self.constants.push(name.name.clone());
            }
            StatementKind::Unit { names, value } => {
                if let Err((e, span)) = self.catalogue.define(tree, names, *value, statement.doc.as_deref()) {
                    self.report(super::error::lift(&e, span));
                }
            }
            StatementKind::Check { value, wheres } => {
                self.with_wheres(tree, wheres, |c| c.condition(tree, *value));
            }
            StatementKind::For { clause, body } => {
                let element = self.element(tree, clause.source);
                self.scopes.push(loop_scope(clause, element));
                self.block(tree, body);
                self.scopes.pop();
            }
            StatementKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.condition(tree, *condition);
                    self.block(tree, body);
                }
                otherwise.iter().for_each(|body| self.block(tree, body));
            }
            StatementKind::Rule { .. } | StatementKind::Error => {}
            StatementKind::Extern { .. } => {}
            StatementKind::Use { module, alias, names } => {
                self.use_module(module, alias.as_ref(), names.as_deref(), statement.span)
            }
            StatementKind::Expr { value, wheres } => {
                self.with_wheres(tree, wheres, |c| c.kind(tree, *value));
            }
        }
    }

    fn declare(&mut self, name: &Ident, unit: Option<Unit>) {
        for scope in &mut self.scopes {
            scope.remove(&name.name);
        }
        self.declarations.insert(Symbol::new(&name.name), Declaration { unit, ..Declaration::default() });
    }

    /// The dimension of a domain.
    fn domain(&mut self, tree: &Arc<Tree>, id: ExprId) -> Option<Dimension> {
        match self.kind(tree, id) {
            Kind::Range(d) => d,
            Kind::List(inner) => inner.dimension(),
            Kind::Unknown => None,
            other => {
                let message = format!("expected a range or a list as domain, found a {}", other.name());
                self.report(fault_hint(6006, tree.span(id), message, "in 1..5"));
                None
            }
        }
    }

    /// What a loop over this gives.
    fn element(&mut self, tree: &Arc<Tree>, id: ExprId) -> Kind {
        match self.kind(tree, id) {
            Kind::List(inner) => *inner,
            Kind::Range(d) => Kind::Number(d),
            Kind::Column(kind::Column::Numbers(d)) => Kind::Number(d),
            Kind::Column(kind::Column::Labels) => Kind::Text,
            kind @ (Kind::Number(_)
            | Kind::Exact(_)
            | Kind::Zero
            | Kind::Text
            | Kind::Condition
            | Kind::Function(_)) => {
                let message = format!("expected a list, range, column or dataset, found a {}", kind.name());
                self.report(fault_hint(6006, tree.span(id), message, "for n in 1..10 { ... }"))
            }
            _ => Kind::Unknown,
        }
    }

    fn use_module(&mut self, module: &UsePath, alias: Option<&Ident>, names: Option<&[Ident]>, span: Span) {
        let Some((full, short, kind)) = self.module(module, span) else { return };
        let Kind::Module(_, entries) = &kind else { return };
        match names {
            Some(names) => {
                for name in names {
                    match entries.iter().find(|(n, _)| *n == name.name) {
                        Some((_, k)) => self.bind(&name.name, k.clone()),
                        None => {
                            let message = format!("expected a name of `{full}`, found `{}`", name.name);
                            let mut error = fault(6102, name.span, message);
                            let known = entries.iter().map(|(n, _)| &**n);
                            error.hint =
                                suggest::nearest(&name.name, known).map(|n| format!("did you mean `{n}`?"));
                            self.report(error);
                        }
                    }
                }
            }
            None => {
                let name = alias.map_or_else(|| Name::from(short.as_str()), |a| a.name.clone());
                self.bind(&name, kind);
            }
        }
    }

    /// Full and short name of a module, and its names.
    fn module(&mut self, module: &UsePath, span: Span) -> Option<(String, String, Kind)> {
        let (full, short, tree, folder) = match module {
            UsePath::Module(parts) => {
                let full: String = parts.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".");
                if !self.library.has_module(&full) {
                    let mut error = fault(6101, span, format!("expected a module, found no `{full}`"));
                    error.hint = suggest::nearest(&full, self.library.module_names())
                        .map(|n| format!("did you mean `{n}`?"));
                    self.report(error);
                    return None;
                }
                let short = parts.last().map_or(full.clone(), |p| p.name.to_string());
                let parsed = self.library.module(&full, 100_000).ok()?;
                (full, short, parsed.tree.clone(), self.folder.clone())
            }
            UsePath::File(path, at) => {
                let file = self.path(path);
                let text = match super::statements::read_script(&file) {
                    Ok(text) => text,
                    Err(words) => {
                        self.report(fault(6040, *at, words));
                        return None;
                    }
                };
                self.next_source += 1;
                let parsed = crate::syntax::parse(&Source::new(self.next_source, path, &text));
                if parsed.diagnostics.iter().any(Diagnostic::is_error) {
                    self.report(fault_hint(
                        6040,
                        *at,
                        format!("`{path}` has faults"),
                        format!("phys check {path}"),
                    ));
                    return None;
                }
                let short =
                    PathBuf::from(path).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
                let folder = file.parent().map_or_else(|| self.folder.clone(), PathBuf::from);
                (path.clone(), short, Arc::new(parsed.tree), folder)
            }
        };
        if self.modules >= MAX_MODULES {
            return Some((full.clone(), short, Kind::Unknown));
        }
        // A module is checked where it is written; here its names matter.
        let mut inner = Checker {
            library: self.library.clone(),
            catalogue: self.catalogue.clone(),
            declarations: Declarations::new(),
            constants: Vec::new(),
            scopes: vec![HashMap::new()],
            diagnostics: Vec::new(),
            folder,
            calls: 0,
            modules: self.modules + 1,
            next_source: self.next_source + 1000,
        };
        inner.block(&tree, &tree.statements);
        let entries = inner.scopes.swap_remove(0).into_iter().filter_map(|(n, k)| Some((n, k?))).collect();
        Some((full.clone(), short, Kind::Module(full, entries)))
    }

    /// What a name is.
    fn name(&mut self, name: &Name) -> Kind {
        if let Some(found) = self.lookup(name) {
            return match found {
                Some(kind) => kind.clone(),
                None => self.symbol(name),
            };
        }
        self.symbol(name)
    }

    fn symbol(&self, name: &str) -> Kind {
        if let Some(declared) = self.declarations.get(&Symbol::new(name)) {
            return Kind::Number(declared.unit.as_ref().map(Unit::dimension));
        }
        match Constant::from_name(name) {
            Some(Constant::Infinity) | None => Kind::Number(None),
            Some(_) => Kind::pure(),
        }
    }

    /// Something that must be true or false.
    fn condition(&mut self, tree: &Arc<Tree>, id: ExprId) {
        let kind = self.kind(tree, id);
        if matches!(
            kind,
            Kind::Number(Some(_))
                | Kind::Exact(_)
                | Kind::Zero
                | Kind::Text
                | Kind::List(_)
                | Kind::Function(_)
                | Kind::Range(_)
                | Kind::Record(_)
        ) {
            let message = format!("expected a condition, found a {}", kind.name());
            self.report(fault_hint(6010, tree.span(id), message, "compare it: `... == 0`"));
        }
    }
}

/// The scope of a loop's names.
fn loop_scope(clause: &ForClause, element: Kind) -> HashMap<Name, Option<Kind>> {
    match clause.names.as_slice() {
        [only] => HashMap::from([(only.name.clone(), Some(element))]),
        names => {
            let inner = match element {
                Kind::List(inner) => *inner,
                _ => Kind::Unknown,
            };
            names.iter().map(|n| (n.name.clone(), Some(inner.clone()))).collect()
        }
    }
}
