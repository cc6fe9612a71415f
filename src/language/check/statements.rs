//! Statements: what they bind and declare.

use std::collections::HashMap;
use std::sync::Arc;

use super::arguments::Variables;
use super::{Callable, Checker, Condition, Dim, Inferred, Items, Quantity, UserKind};
use crate::base::suggest;
use crate::expression::Constant;
use crate::language::error::{fault, fault_hint, lift};
use crate::language::types::{self, Type, is_unit_variable};
use crate::syntax::tree::{
    ExprId, ExprKind, ForClause, Ident, Name, Param, Statement, StatementKind, Tree, TypeExpr, UnitExpr,
    UnitFactor, WhereItem,
};

/// Loops inside each other are followed this deep.
const MAX_LOOPS: usize = 6;

impl Checker {
    /// Checks a whole program.
    pub(super) fn program(&mut self, tree: &Arc<Tree>) {
        let mut later = std::mem::take(&mut self.later);
        bound_names(&tree.statements, &mut |n| {
            later.insert(n.clone());
        });
        self.later = later;
        self.all(tree, &tree.statements);
    }

    /// Follows a program up to its last statement.
    pub(super) fn program_before_last(&mut self, tree: &Arc<Tree>) {
        if let Some((_, before)) = tree.statements.split_last() {
            self.all(tree, before);
        }
    }

    fn all(&mut self, tree: &Arc<Tree>, statements: &[Statement]) {
        for statement in statements {
            self.statement(tree, statement);
            self.settle(statement);
        }
    }

    /// Puts what was found into what the statement bound and begins afresh: undeclared symbols belong to their
    /// statement, and earlier bindings are used as copies only.
    fn settle(&mut self, statement: &Statement) {
        let units = &self.units;
        let globals = &mut self.globals;
        bound_names(std::slice::from_ref(statement), &mut |name| {
            if let Some(value) = globals.get_mut(name) {
                *value = value.map(&mut |d| units.resolve(d));
            }
        });
        let declared = &mut self.declared;
        declared_names(std::slice::from_ref(statement), &mut |name| {
            if let Some(dim) = declared.get_mut(name) {
                *dim = units.resolve(dim);
            }
        });
        self.units.forget();
        self.symbols.clear();
        self.powers.clear();
    }

    fn block(&mut self, tree: &Arc<Tree>, body: &[Statement]) {
        for statement in body {
            self.symbols.clear();
            self.powers.clear();
            self.statement(tree, statement);
        }
    }

    fn statement(&mut self, tree: &Arc<Tree>, statement: &Statement) {
        match &statement.kind {
            StatementKind::Bind { names, value, wheres } => self.bind_statement(tree, names, *value, wheres),
            StatementKind::Define { name, params, result, body, wheres } => {
                let free = self.may_bind(name);
                let written = params.iter().filter_map(|p| p.ty.as_ref()).chain(result);
                written.for_each(|ty| self.known_type(ty));
                let user = self.closure(tree, &name.name, params, result.as_ref(), *body, wheres);
                if free {
                    self.hides_prelude(name);
                    self.globals.insert(name.name.clone(), Inferred::Function(Callable::User(user.clone())));
                }
                self.definition(&user);
            }
            StatementKind::Var { names, unit, domain, .. } => {
                let dim = self.declared_dim(tree, unit.as_ref(), *domain);
                names.iter().for_each(|n| self.declare(n, dim.clone()));
            }
            StatementKind::Param { name, unit, start, domain } => {
                let at = tree.span(*start);
                let start = self.infer(tree, *start);
                let own = start.quantity().map(|q| q.dim.clone());
                let dim = match (unit, own) {
                    (Some(unit), own) => {
                        let dim = self.unit(unit).map_or_else(|| self.units.fresh(), |u| Dim::of_unit(&u));
                        // A bare number takes the unit.
                        if let Some(own) = own.filter(|d| !self.units.resolve(d).is_none())
                            && !self.units.unify(&dim, &own)
                        {
                            let (e, f) = (self.shown(&dim), self.shown(&own));
                            let message = format!("expected a starting value in [{e}], found one in [{f}]");
                            self.report(fault(6021, at, message));
                        }
                        dim
                    }
                    (None, Some(own)) => own,
                    (None, None) => self.units.fresh(),
                };
                if let Some(id) = domain {
                    self.domain(tree, *id, Some(&dim));
                }
                self.declare(name, dim);
            }
            StatementKind::Const { name, value } => {
                let found = self.infer(tree, *value);
                self.bind(name, found);
                self.constants.insert(name.name.clone());
            }
            StatementKind::Unit { names, value } => {
                let defined = self.catalogue.define(tree, names, *value, statement.doc.as_deref());
                if let Err((e, span)) = defined {
                    self.report(lift(&e, span));
                }
            }
            StatementKind::Check { value, wheres } => {
                self.with_wheres(tree, wheres, |c| c.condition(tree, *value));
            }
            StatementKind::For { clause, body } => {
                let element = self.element(tree, clause.source);
                let names = self.loop_names(clause, element, tree);
                self.repeated(tree, names, body);
            }
            StatementKind::If { branches, otherwise } => {
                let before = self.globals.clone();
                let mut after: Option<HashMap<Name, Inferred>> = None;
                for (condition, body) in branches {
                    self.condition(tree, *condition);
                    self.branch(tree, body, &before, &mut after);
                }
                self.branch(tree, otherwise.as_deref().unwrap_or(&[]), &before, &mut after);
                self.globals = after.unwrap_or(before);
            }
            StatementKind::Rule { from, to, condition } => {
                self.rule(tree, statement, *from, *to, *condition);
            }
            StatementKind::Error => {}
            StatementKind::Extern { name, .. } => {
                // The library's own files may be checked as they are.
                if self.loading.is_empty() && self.library.signatures(&name.name).is_none() {
                    self.report(fault(
                        6105,
                        name.span,
                        format!(
                            "expected a body for `{}`: only the standard library declares what Rust implements",
                            name.name
                        ),
                    ));
                }
            }
            StatementKind::Use { module, alias, names } => {
                self.use_module(module, alias.as_ref(), names.as_deref(), statement.span);
            }
            StatementKind::Expr { value, wheres } => {
                self.with_wheres(tree, wheres, |c| c.infer(tree, *value));
            }
        }
    }

    /// One way through an `if`: what is bound afterwards is what all ways agree on.
    fn branch(
        &mut self,
        tree: &Arc<Tree>,
        body: &[Statement],
        before: &HashMap<Name, Inferred>,
        after: &mut Option<HashMap<Name, Inferred>>,
    ) {
        self.globals = before.clone();
        self.block(tree, body);
        let here = std::mem::take(&mut self.globals);
        *after = Some(match after.take() {
            None => here,
            Some(others) => self.merge(others, &here),
        });
    }

    fn merge(
        &mut self,
        mut a: HashMap<Name, Inferred>,
        b: &HashMap<Name, Inferred>,
    ) -> HashMap<Name, Inferred> {
        for (name, y) in b {
            let joined = match a.get(name) {
                Some(x) => {
                    let x = x.clone();
                    self.join(&x, y)
                }
                None => Inferred::Unknown,
            };
            a.insert(name.clone(), joined);
        }
        for (name, x) in &mut a {
            if !b.contains_key(name) {
                *x = Inferred::Unknown;
            }
        }
        a
    }

    /// A loop's body: names that change from one round to the next are followed as far as both rounds agree.
    fn repeated(&mut self, tree: &Arc<Tree>, names: HashMap<Name, Inferred>, body: &[Statement]) {
        let mut changed: Vec<Name> = Vec::new();
        bound_names(body, &mut |n| changed.push(n.clone()));
        changed.retain(|n| self.globals.contains_key(n));
        if self.loops >= MAX_LOOPS {
            // Each level is followed twice; far inside, what changes is not followed.
            for name in &changed {
                self.globals.insert(name.clone(), Inferred::Unknown);
            }
            changed.clear();
        }
        self.loops += 1;
        if !changed.is_empty() {
            let before = self.globals.clone();
            self.quietly(|c| c.within(names.clone(), |c| c.block(tree, body)));
            let after = std::mem::replace(&mut self.globals, before);
            for name in changed {
                if let (Some(x), Some(y)) = (self.globals.get(&name).cloned(), after.get(&name)) {
                    let joined = forget_value(self.join(&x, y));
                    self.globals.insert(name, joined);
                }
            }
        }
        let before = self.globals.clone();
        self.within(names, |c| c.block(tree, body));
        // The body may not run at all.
        let after = std::mem::take(&mut self.globals);
        self.globals = self.merge(after, &before);
        self.loops -= 1;
    }

    fn may_bind(&mut self, name: &Ident) -> bool {
        let shown = &name.name;
        let (words, hint) = if self.declared.contains_key(shown) {
            (
                format!("found `{shown}`, which is declared"),
                format!("put a value in instead: `F({shown}: ...)`"),
            )
        } else if self.constants.contains(shown) {
            (format!("found the constant `{shown}`"), format!("choose another name: `{shown}1 = ...`"))
        } else {
            return true;
        };
        self.report(fault_hint(6015, name.span, format!("expected a free name, {words}"), hint));
        false
    }

    fn bind_statement(&mut self, tree: &Arc<Tree>, names: &[Ident], value: ExprId, wheres: &[WhereItem]) {
        let before = self.diagnostics.len();
        let free: Vec<bool> = names.iter().map(|n| self.may_bind(n)).collect();
        self.fill_hints(before, tree, value);
        let found = self.with_wheres(tree, wheres, |c| c.infer(tree, value));
        let at = tree.span(value);
        if let [only] = names {
            match self.is_trained(tree, value) {
                true => self.trained.insert(only.name.clone()),
                false => self.trained.remove(&only.name),
            };
        }
        let values: Vec<Inferred> = match (names, &found) {
            ([only], Inferred::Law(q, None)) => vec![Inferred::Law(q.clone(), Some(only.name.clone()))],
            ([_], _) => vec![found],
            (_, Inferred::List(Items::Known(items))) if items.len() != names.len() => {
                let message = format!("expected {} values, found {}", names.len(), items.len());
                self.report(fault(6018, at, message));
                vec![Inferred::Unknown; names.len()]
            }
            (_, Inferred::List(Items::Known(items))) => items.to_vec(),
            (_, Inferred::List(Items::Each(element))) => vec![(**element).clone(); names.len()],
            (_, Inferred::Column(cells)) => vec![cells.element(); names.len()],
            (_, other) => {
                if !other.is_open() {
                    let message =
                        format!("expected a list of {} values, found a {}", names.len(), other.name());
                    self.report(fault(6018, at, message));
                }
                vec![Inferred::Unknown; names.len()]
            }
        };
        for ((name, value), free) in names.iter().zip(values).zip(free) {
            if free {
                self.bind(name, value);
            }
        }
    }

    fn declare(&mut self, name: &Ident, dim: Dim) {
        if self.globals.remove(&name.name).is_some() || Constant::from_name(&name.name).is_some() {
            let message = format!("the declaration of `{}` hides what the name meant before", name.name);
            self.notice(6202, name.span, message, None);
        }
        self.declared.insert(name.name.clone(), dim);
    }

    /// The dimension of a `var` line: its unit, else its domain's, else none.
    fn declared_dim(&mut self, tree: &Arc<Tree>, unit: Option<&UnitExpr>, domain: Option<ExprId>) -> Dim {
        let unit = unit.map(|u| self.unit(u).map_or_else(|| self.units.fresh(), |u| Dim::of_unit(&u)));
        match domain {
            Some(id) => self.domain(tree, id, unit.as_ref()),
            None => unit.unwrap_or_else(Dim::none),
        }
    }

    /// The dimension of a domain; where another was declared it must be that, or the numbers bare.
    fn domain(&mut self, tree: &Arc<Tree>, id: ExprId, declared: Option<&Dim>) -> Dim {
        let at = tree.span(id);
        let found = match self.infer(tree, id) {
            Inferred::Range(q) => q.dim,
            Inferred::List(items) => match self.representative(&items) {
                Inferred::Quantity(q) if !q.soft => q.dim,
                _ => self.units.fresh(),
            },
            Inferred::Column(cells) => match cells.element() {
                Inferred::Quantity(q) => q.dim,
                _ => self.units.fresh(),
            },
            other => {
                if !other.is_open() {
                    let message = format!("expected a range or a list as domain, found a {}", other.name());
                    self.report(fault_hint(6006, at, message, "in 1..5"));
                }
                self.units.fresh()
            }
        };
        let found = self.units.resolve(&found);
        match declared {
            Some(unit) => {
                if !found.is_none() && !self.units.unify(unit, &found) {
                    let (e, f) = (self.shown(unit), self.shown(&found));
                    self.report(fault(6021, at, format!("expected a domain in [{e}], found one in [{f}]")));
                }
                unit.clone()
            }
            // Zeros alone say nothing: pure numbers.
            None if found.is_known() => found,
            None => {
                self.units.unify(&found, &Dim::none());
                found
            }
        }
    }

    /// With the local names of `where`, in order.
    pub(super) fn with_wheres<T>(
        &mut self,
        tree: &Arc<Tree>,
        wheres: &[WhereItem],
        f: impl FnOnce(&mut Checker) -> T,
    ) -> T {
        if wheres.is_empty() {
            return f(self);
        }
        self.within(HashMap::new(), |c| {
            for item in wheres {
                let value = match &item.params {
                    None => c.infer(tree, item.value),
                    Some(params) => {
                        let user = c.closure(tree, &item.name.name, params, None, item.value, &[]);
                        c.definition(&user);
                        Inferred::Function(Callable::User(user))
                    }
                };
                if let Some(scope) = c.locals.last_mut() {
                    scope.names.insert(item.name.name.clone(), value);
                }
            }
            f(c)
        })
    }

    /// A function with what its free names are bound to now.
    fn closure(
        &mut self,
        tree: &Arc<Tree>,
        name: &Name,
        params: &[Param],
        result: Option<&TypeExpr>,
        body: ExprId,
        wheres: &[WhereItem],
    ) -> Arc<UserKind> {
        let mut captured = HashMap::new();
        let mut open: Vec<ExprId> = vec![body];
        open.extend(wheres.iter().map(|w| w.value));
        open.extend(params.iter().filter_map(|p| p.default));
        while let Some(id) = open.pop() {
            if let ExprKind::Name(n) = tree.expr(id)
                && n != name
                && !params.iter().any(|p| p.name.name == *n)
                && !captured.contains_key(n)
            {
                let local = self.locals.iter().rev().find_map(|s| s.names.get(n));
                if let Some(value) = local.or_else(|| self.globals.get(n)) {
                    captured.insert(n.clone(), value.clone());
                }
            }
            tree.expr(id).each_child(|child| open.push(child));
        }
        Arc::new(UserKind {
            name: name.clone(),
            params: params.to_vec(),
            result: result.cloned(),
            body,
            wheres: wheres.to_vec(),
            tree: tree.clone(),
            captured,
        })
    }

    /// Checks a function where it is defined, for parameters of any unit that their types allow.
    fn definition(&mut self, user: &Arc<UserKind>) {
        let mut variables = HashMap::new();
        let values = user.params.iter().map(|p| Some(self.parameter(p, &mut variables))).collect();
        self.enter(user, values, &mut variables, None);
    }

    /// A fault for every word in a written type that names none.
    fn known_type(&mut self, written: &TypeExpr) {
        match written {
            TypeExpr::Named(ident) if !types::is_name(&ident.name) => {
                let message = format!("expected a type, found the unknown name `{}`", ident.name);
                let mut error = fault(6001, ident.span, message);
                let near = suggest::nearest(&ident.name, types::names());
                error.hint = near.map(|n| format!("did you mean `{n}`?"));
                self.report(error);
            }
            TypeExpr::Named(_) | TypeExpr::OneOf(_) => {}
            TypeExpr::Quantity(unit) => {
                let known = |f: &&UnitFactor| !is_unit_variable(&f.symbol);
                let factors = unit.factors.iter().filter(known).cloned().collect();
                self.unit(&UnitExpr { factors, span: unit.span });
            }
            TypeExpr::List(inner) | TypeExpr::Optional(inner) => self.known_type(inner),
            TypeExpr::Record(entries) => entries.iter().for_each(|(_, t)| self.known_type(t)),
        }
    }

    fn parameter(&mut self, p: &Param, variables: &mut Variables) -> Inferred {
        let Some(written) = &p.ty else { return Inferred::Quantity(Quantity::soft(self.units.fresh())) };
        self.any_of_type(&Type::of(written), variables)
    }

    /// Anything of a type: any number of it, and a list of them.
    pub(super) fn any_of_type(&mut self, ty: &Type, variables: &mut Variables) -> Inferred {
        match self.of_type(ty, variables, None) {
            Inferred::Quantity(q) => Inferred::Quantity(Quantity { soft: true, symbols: None, ..q }),
            other => other,
        }
    }

    /// Something that must be true or false.
    pub(super) fn condition(&mut self, tree: &Arc<Tree>, id: ExprId) -> Condition {
        let found = self.infer(tree, id);
        let before = self.diagnostics.len();
        let condition = self.truth(&found, tree.span(id));
        self.fill_hints(before, tree, id);
        condition
    }

    /// A value as a condition; a fault where it is none.
    pub(super) fn truth(&mut self, found: &Inferred, span: crate::base::Span) -> Condition {
        match found {
            Inferred::Condition(c) => c.clone(),
            other => {
                if !other.is_open() {
                    let message = format!("expected a condition, found a {}", other.name());
                    self.report(fault_hint(6010, span, message, "compare it: `... == 0`"));
                }
                Condition::UNKNOWN
            }
        }
    }

    /// The names of a loop, of one element.
    pub(super) fn loop_names(
        &mut self,
        clause: &ForClause,
        element: Inferred,
        tree: &Tree,
    ) -> HashMap<Name, Inferred> {
        let names = &clause.names;
        if let [only] = names.as_slice() {
            return HashMap::from([(only.name.clone(), element)]);
        }
        let parts = match &element {
            Inferred::List(Items::Known(items)) if items.len() == names.len() => items.to_vec(),
            Inferred::List(Items::Known(items)) => {
                let message = format!("expected {} elements, found {}", names.len(), items.len());
                self.report(fault(6018, tree.span(clause.source), message));
                vec![Inferred::Unknown; names.len()]
            }
            Inferred::List(Items::Each(inner)) => vec![(**inner).clone(); names.len()],
            _ => vec![Inferred::Unknown; names.len()],
        };
        names.iter().map(|n| n.name.clone()).zip(parts).collect()
    }
}

/// Every name that statements bind, those inside bodies included.
fn bound_names(statements: &[Statement], f: &mut dyn FnMut(&Name)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Bind { names, .. } => names.iter().for_each(|n| f(&n.name)),
            StatementKind::Define { name, .. } | StatementKind::Const { name, .. } => f(&name.name),
            StatementKind::For { body, .. } => bound_names(body, f),
            StatementKind::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| bound_names(body, f));
                otherwise.iter().for_each(|body| bound_names(body, f));
            }
            StatementKind::Use { names: Some(names), .. } => names.iter().for_each(|n| f(&n.name)),
            _ => {}
        }
    }
}

/// Every name that statements declare.
fn declared_names(statements: &[Statement], f: &mut dyn FnMut(&Name)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Var { names, .. } => names.iter().for_each(|n| f(&n.name)),
            StatementKind::Param { name, .. } => f(&name.name),
            StatementKind::For { body, .. } => declared_names(body, f),
            StatementKind::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| declared_names(body, f));
                otherwise.iter().for_each(|body| declared_names(body, f));
            }
            _ => {}
        }
    }
}

/// Without the number that was written.
fn forget_value(value: Inferred) -> Inferred {
    match value {
        Inferred::Quantity(q) => Inferred::Quantity(Quantity { exact: None, float: false, ..q }),
        Inferred::Text(_) => Inferred::Text(None),
        other => other,
    }
}
