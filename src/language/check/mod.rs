//! The checker: reads the whole tree before anything runs and reports every fault of names, types, units and options
//! with its place. It follows the program with what is known of values in place of values (`inferred.rs`); dimensions
//! that nobody declared are inferred by linear algebra (`unify.rs`), undeclared symbols within their statement only.
//! What is not known passes, so that nothing is reported that would have run; a faulty part is unknown from there on,
//! so that one fault is one report.

mod arguments;
mod arithmetic;
mod calls;
mod expressions;
mod files;
mod formulas;
mod inferred;
mod members;
mod modules;
mod notices;
mod outline;
mod results;
mod rules;
mod statements;
mod systems;
#[cfg(test)]
mod tests;
mod unify;

pub use inferred::{
    Callable, Cells, Columns, Condition, FitKind, Inferred, Items, Quantity, Symbols, SystemKind, UserKind,
};
pub use outline::{Member, members};
pub use unify::{Dim, Unifier};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::context::Context;
use super::error::Error;
use super::library::Library;
use crate::base::{Code, Diagnostic, Source, Span};
use crate::expression::Constant;
use crate::syntax::print_expr;
use crate::syntax::tree::{ExprId, ExprKind, Name, StatementKind, Tree, UnitExpr};
use crate::units::{Catalogue, Dimension, Unit};

/// What a check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Every fault, in the order of the program.
    pub diagnostics: Vec<Diagnostic>,
    /// What is known of each name that is bound at the end, sorted.
    pub bindings: Vec<(Name, Inferred)>,
    /// Files that the program uses: places may lie in them.
    pub sources: Vec<Source>,
}

/// Functions are followed this often in one check; after that their results are unknown.
const FUEL: usize = 20_000;
/// Expressions and calls are followed this deep.
const MAX_DEPTH: usize = 200;

/// Local names.
#[derive(Clone, Debug, Default)]
struct Scope {
    names: HashMap<Name, Inferred>,
    /// Whether unknown dimensions in them stand for any, anew at every use (bindings of earlier statements).
    general: bool,
}

/// The state of a check.
pub struct Checker {
    library: Library,
    catalogue: Catalogue,
    globals: HashMap<Name, Inferred>,
    declared: HashMap<Name, Dim>,
    constants: HashSet<Name>,
    /// Names that are bound to trained networks.
    trained: HashSet<Name>,
    locals: Vec<Scope>,
    /// Dimensions of the undeclared symbols of this statement.
    symbols: HashMap<Name, Dim>,
    /// Powers of units whose exponent is a symbol of this statement: base, exponent, dimension.
    powers: Vec<(Dim, Name, Dim)>,
    units: Unifier,
    /// Names that are bound anywhere in the program: a function may call what comes later.
    later: HashSet<Name>,
    diagnostics: Vec<Diagnostic>,
    folder: PathBuf,
    /// Whether options under `smoke:` replace those of their call.
    smoke: bool,
    /// Functions that are being followed.
    active: Vec<(usize, ExprId)>,
    fuel: usize,
    depth: usize,
    loops: usize,
    /// Modules that are being read.
    loading: Vec<String>,
    modules: BTreeMap<String, Inferred>,
    /// Files that the program uses, read by this check.
    sources: Vec<Source>,
    next_source: u32,
}

/// Every fault of a tree that is to run in this context.
pub fn check(context: &Context, tree: &Arc<Tree>) -> Vec<Diagnostic> {
    inspect(context, tree).diagnostics
}

/// Every fault of a tree that is to run in this context, and what is known of its bindings.
pub fn inspect(context: &Context, tree: &Arc<Tree>) -> Checked {
    let mut checker = Checker::new(context);
    checker.program(tree);
    let mut diagnostics = std::mem::take(&mut checker.diagnostics);
    let mut seen = HashSet::new();
    diagnostics.retain(|d| seen.insert((d.code, d.span)));
    // What a name may have been meant to be is said once.
    let mut names = HashSet::new();
    diagnostics.retain(|d| d.code != Code(6201) || names.insert(d.message.clone()));
    let mut bindings: Vec<(Name, Inferred)> = checker.globals.into_iter().collect();
    bindings.sort_by(|a, b| a.0.cmp(&b.0));
    Checked { diagnostics, bindings, sources: checker.sources }
}

/// The dimension of the last bare expression of a tree; `None` where it is no number, or its dimension depends on what
/// is not known before it runs.
pub fn predict(context: &Context, tree: &Arc<Tree>) -> Option<Dimension> {
    let mut checker = Checker::new(context);
    let (last, _) = tree.statements.split_last()?;
    let StatementKind::Expr { value, wheres } = &last.kind else { return None };
    checker.program_before_last(tree);
    let found = checker.with_wheres(tree, wheres, |c| c.infer(tree, *value));
    let q = found.quantity().filter(|q| !q.soft)?;
    checker.units.resolve(&q.dim).constant()
}

impl Checker {
    fn new(context: &Context) -> Checker {
        let mut units = Unifier::default();
        let globals = context
            .globals
            .iter()
            .map(|(n, v)| (n.clone(), Inferred::of(v, &context.declarations, &mut units)))
            .collect();
        let declared = context
            .declarations
            .iter()
            .map(|(s, d)| {
                let dim = d.unit.as_ref().map_or_else(|| units.fresh(), Dim::of_unit);
                (Name::from(s.name()), dim)
            })
            .collect();
        Checker {
            library: context.library.clone(),
            catalogue: context.catalogue.clone(),
            globals,
            declared,
            constants: context.constants.iter().cloned().collect(),
            trained: HashSet::new(),
            locals: Vec::new(),
            symbols: HashMap::new(),
            powers: Vec::new(),
            units,
            later: HashSet::new(),
            diagnostics: Vec::new(),
            folder: context.folder.clone(),
            smoke: context.smoke,
            active: Vec::new(),
            fuel: FUEL,
            depth: 0,
            loops: 0,
            loading: Vec::new(),
            modules: BTreeMap::new(),
            sources: Vec::new(),
            next_source: context.next_source,
        }
    }

    /// A path of the script, relative to its folder.
    fn path(&self, written: &str) -> PathBuf {
        if self.folder.as_os_str() == "." { PathBuf::from(written) } else { self.folder.join(written) }
    }

    // Boxed as every function of the language returns it.
    #[allow(clippy::boxed_local)]
    fn report(&mut self, error: Error) -> Inferred {
        self.diagnostics.push(*error);
        Inferred::Unknown
    }

    /// What a name is bound to: local scopes from the inside, then globals.
    fn lookup(&mut self, name: &str) -> Option<Inferred> {
        for scope in self.locals.iter().rev() {
            if let Some(found) = scope.names.get(name) {
                let (found, general) = (found.clone(), scope.general);
                return Some(if general { self.instance(&found) } else { found });
            }
        }
        let found = self.globals.get(name)?.clone();
        Some(self.instance(&found))
    }

    fn is_bound(&self, name: &str) -> bool {
        self.locals.iter().any(|s| s.names.contains_key(name)) || self.globals.contains_key(name)
    }

    /// A value of an earlier statement: its unknown dimensions stand for any, but its symbols are those of this
    /// statement where that is possible.
    fn instance(&mut self, value: &Inferred) -> Inferred {
        let mut renamed: HashMap<unify::Variable, Dim> = HashMap::new();
        let units = &mut self.units;
        let fresh =
            value.map(&mut |d| d.replace(&mut |v| renamed.entry(v).or_insert_with(|| units.fresh()).clone()));
        if renamed.is_empty() {
            return fresh;
        }
        let symbols = match &fresh {
            Inferred::Condition(c) => c.symbols.clone(),
            other => other.quantity().and_then(|q| q.symbols.clone()),
        };
        for (name, dim) in symbols.into_iter().flatten() {
            let own = self.symbol_dim(&name);
            self.units.unify(&own, &dim);
        }
        fresh
    }

    /// The dimension of a symbol, declared or of this statement.
    fn symbol_dim(&mut self, name: &Name) -> Dim {
        if let Some(declared) = self.declared.get(name) {
            return declared.clone();
        }
        if let Some(own) = self.symbols.get(name) {
            return own.clone();
        }
        let own = self.units.fresh();
        self.symbols.insert(name.clone(), own.clone());
        own
    }

    /// What a bare name is.
    fn name(&mut self, name: &Name, at: Span) -> Inferred {
        if let Some(found) = self.lookup(name) {
            return found;
        }
        if !self.declared.contains_key(name) {
            match Constant::from_name(name) {
                Some(Constant::Infinity) => return Inferred::Quantity(Quantity::of(self.units.fresh())),
                Some(_) => return Inferred::Quantity(Quantity::pure()),
                None => self.maybe_misspelt(name, at),
            }
        }
        let dim = self.symbol_dim(name);
        Inferred::Quantity(Quantity::symbol(name, dim))
    }

    /// Every name that is bound, declared or a function, for suggestions.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.globals.keys().map(|n| n.to_string()).collect();
        names.extend(self.locals.iter().flat_map(|s| s.names.keys().map(|n| n.to_string())));
        names.extend(self.library.function_names().map(str::to_string));
        names.extend(self.declared.keys().map(|n| n.to_string()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A unit as written.
    fn unit(&mut self, unit: &UnitExpr) -> Option<Unit> {
        match self.catalogue.resolve(unit) {
            Ok(u) => Some(u),
            Err((e, span)) => {
                self.report(super::error::lift(&e, span));
                None
            }
        }
    }

    /// Does something with local names in force.
    fn within<T>(&mut self, names: HashMap<Name, Inferred>, f: impl FnOnce(&mut Checker) -> T) -> T {
        self.locals.push(Scope { names, general: false });
        let result = f(self);
        self.locals.pop();
        result
    }

    /// Puts what was written in the place of `...` in the hints of the faults since there were `before`: the number
    /// alone before a unit, the whole elsewhere.
    fn fill_hints(&mut self, before: usize, tree: &Tree, id: ExprId) {
        for d in &mut self.diagnostics[before..] {
            let Some(hint) = d.hint.as_mut().filter(|h| h.contains("...")) else { continue };
            let written = match tree.expr(id) {
                ExprKind::WithUnit(number, _) if hint.contains("... [") => *number,
                ExprKind::Integer(_) | ExprKind::Float(_) | ExprKind::Neg(_) => id,
                ExprKind::Name(_) | ExprKind::Call { .. } if !hint.contains("... [") => id,
                _ => continue,
            };
            *hint = hint.replace("...", &print_expr(tree, written));
        }
    }

    /// Does something and forgets the faults it met.
    fn quietly<T>(&mut self, f: impl FnOnce(&mut Checker) -> T) -> T {
        let before = self.diagnostics.len();
        let result = f(self);
        self.diagnostics.truncate(before);
        result
    }

    /// The faults found since there were `before`.
    fn is_faulty_since(&self, before: usize) -> bool {
        self.diagnostics[before..].iter().any(Diagnostic::is_error)
    }

    /// What holds for both.
    fn join(&mut self, a: &Inferred, b: &Inferred) -> Inferred {
        match (a, b) {
            (Inferred::Quantity(x), Inferred::Quantity(y)) => {
                let (dx, dy) = (self.units.resolve(&x.dim), self.units.resolve(&y.dim));
                let dim = match (x.is_zero(), y.is_zero()) {
                    (true, _) => Some(dy),
                    (_, true) => Some(dx),
                    _ if dx == dy => Some(dx),
                    _ => None,
                };
                let soft = dim.is_none() || x.soft || y.soft;
                Inferred::Quantity(Quantity {
                    dim: dim.unwrap_or_else(|| self.units.fresh()),
                    // Two zeros are zero.
                    exact: x.exact.clone().filter(|n| y.exact.as_ref() == Some(n)),
                    float: x.float && y.float,
                    soft,
                    symbols: x.all_symbols(y),
                    bare: x.bare.clone().filter(|n| y.bare.as_ref() == Some(n)),
                })
            }
            (Inferred::Condition(x), Inferred::Condition(y)) => {
                let symbols = x.symbols.clone().zip(y.symbols.clone()).map(|(mut p, q)| {
                    p.extend(q);
                    p
                });
                Inferred::Condition(Condition { symbols, sides: None })
            }
            (Inferred::Text(x), Inferred::Text(y)) => {
                Inferred::Text(x.clone().filter(|t| y.as_ref() == Some(t)))
            }
            (Inferred::List(x), Inferred::List(y)) => {
                let (x, y) = (self.representative(x), self.representative(y));
                Inferred::each(self.join(&x, &y))
            }
            (Inferred::Dataset(_), Inferred::Dataset(_)) => Inferred::Dataset(None),
            (Inferred::Record(_), Inferred::Record(_)) => Inferred::Record(None),
            _ => Inferred::Unknown,
        }
    }

    /// What every element of a list is.
    fn representative(&mut self, items: &Items) -> Inferred {
        match items {
            Items::Each(element) => (**element).clone(),
            Items::Known(items) => {
                let mut items = items.iter();
                let Some(first) = items.next() else { return Inferred::Unknown };
                let mut all = first.clone();
                for item in items {
                    all = self.join(&all, item);
                    if matches!(all, Inferred::Unknown) {
                        break;
                    }
                }
                all
            }
        }
    }

    /// Where a dimension comes from in a message: `[m]`.
    fn shown(&self, d: &Dim) -> String {
        self.units.resolve(d).shown()
    }

    /// Makes two dimensions equal, or reports that they are not.
    fn same(&mut self, a: &Dim, first: Span, b: &Dim, at: Span) -> bool {
        self.units.unify(a, b) || {
            let error = self.mismatch(a, first, b, at);
            self.report(error);
            false
        }
    }
}
