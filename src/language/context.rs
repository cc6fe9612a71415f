//! The state of an evaluation: bindings, declarations, units, streams, and the listeners. A session
//! holds one and clones it before each line, so that a failed line leaves everything as it was.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{Error, Result, fault};
use super::library::{Library, Module};
use super::value::Value;
use crate::algebra::Rules;
use crate::base::random::Streams;
use crate::base::{CancelToken, Checkpoints, Diagnostic, Event, EventSink, Source, Span};
use crate::expression::print::Style;
use crate::expression::{Declarations, Expr, Symbol};
use crate::syntax::tree::{Name, Statement, Tree};
use crate::units::Catalogue;

/// Names of one local scope; `None` makes a name a symbol whatever it is bound to outside.
pub type Scope = HashMap<Name, Option<Value>>;

/// Calls may be nested this deep.
pub const MAX_CALLS: usize = 1_000;
/// Expressions may be nested this deep.
pub const MAX_DEPTH: u32 = 10_000;

/// What evaluation needs and changes.
#[derive(Clone)]
pub struct Context {
    /// The standard library.
    pub library: Library,
    /// Units, those of the script included.
    pub catalogue: Catalogue,
    /// Global bindings.
    pub globals: HashMap<Name, Value>,
    /// Names of constants (they cannot be bound again).
    pub constants: HashSet<Name>,
    /// What `var` and `param` declare.
    pub declarations: Declarations,
    /// Rewrite rules of the library and of the script; read when first needed.
    pub rules: Option<Arc<Rules>>,
    /// Rules of the script, kept until the library's are read.
    pub own_rules: Vec<(Arc<Tree>, Statement)>,
    /// Listeners.
    pub events: EventSink,
    /// Asked in every loop.
    pub cancel: CancelToken,
    /// How values are shown.
    pub style: Style,
    /// The folder that paths are relative to.
    pub folder: PathBuf,
    /// The root seed.
    pub seed: u64,
    /// Threads that searches may use; 0 means all.
    pub threads: usize,
    /// Whether what a call says under `smoke:` replaces its options.
    pub smoke: bool,
    /// Where long work keeps its state, so that a run can go on where another stopped.
    pub checkpoints: Option<Arc<dyn Checkpoints>>,
    /// The binding whose value is being evaluated, where it is one name.
    pub binding: Option<Name>,
    /// Sources read so far (scripts, lines, used files), by number.
    pub sources: BTreeMap<u32, Source>,
    /// Modules evaluated so far.
    pub modules: HashMap<String, Value>,
    pub(super) locals: Vec<Scope>,
    pub(super) calls: usize,
    pub(super) loading: Vec<String>,
    pub(super) next_identity: u64,
    pub(super) next_source: u32,
}

impl Context {
    /// A fresh context over a library.
    pub fn new(library: Library, events: EventSink, cancel: CancelToken) -> Context {
        let catalogue = library.catalogue().clone();
        let sources = library.sources().iter().map(|s| (s.id, s.clone())).collect();
        Context {
            library,
            catalogue,
            globals: HashMap::new(),
            constants: HashSet::new(),
            declarations: Declarations::new(),
            rules: None,
            own_rules: Vec::new(),
            events,
            cancel,
            style: Style { digits: Some(6), ..Style::default() },
            folder: PathBuf::from("."),
            seed: 0,
            threads: 0,
            smoke: false,
            checkpoints: None,
            binding: None,
            sources,
            modules: HashMap::new(),
            locals: Vec::new(),
            calls: 0,
            loading: Vec::new(),
            next_identity: 1,
            next_source: 0,
        }
    }

    /// A path of the script, relative to its folder.
    pub fn path(&self, written: &str) -> PathBuf {
        if self.folder.as_os_str() == "." { PathBuf::from(written) } else { self.folder.join(written) }
    }

    /// Registers a text and gives it a number.
    pub fn add_source(&mut self, name: &str, text: &str) -> Source {
        let source = Source::new(self.next_source, name, text);
        self.next_source += 1;
        self.sources.insert(source.id, source.clone());
        source
    }

    /// Takes over the texts of a context that is given up, so that messages still find them.
    pub fn adopt_sources(&mut self, sources: BTreeMap<u32, Source>, next: u32) {
        self.next_source = self.next_source.max(next);
        self.sources = sources;
    }

    /// A source of the library that was read later than the prelude.
    pub(super) fn load_module(&mut self, name: &str, span: Span) -> Result<Arc<Module>> {
        let number = 1_000 + self.modules.len() as u32 + self.loading.len() as u32;
        match self.library.module(name, number) {
            Ok(module) => {
                self.sources.insert(module.source.id, module.source.clone());
                Ok(module)
            }
            Err(error) => {
                let (mut d, source) = *error;
                if d.span.is_some() {
                    self.sources.insert(source.id, source);
                } else {
                    d.span = Some(span);
                }
                Err(Box::new(d))
            }
        }
    }

    /// The streams of a seed given by the user, or of the root seed.
    pub fn streams(&self, seed: Option<u64>) -> Streams {
        Streams::new(seed.unwrap_or(self.seed))
    }

    /// A new identity for an uncertain number.
    pub fn new_identity(&mut self, count: u64) -> u64 {
        let id = self.next_identity;
        self.next_identity += count;
        id
    }

    /// The rewrite rules, read when first asked for.
    pub fn rules(&mut self, span: Span) -> Result<Arc<Rules>> {
        if let Some(rules) = &self.rules {
            return Ok(rules.clone());
        }
        let texts = self.library.texts_under("rules");
        let mut rules = Rules::load(&texts).map_err(|d| -> Error {
            let mut d = d;
            d.span.get_or_insert(span);
            Box::new(d)
        })?;
        let catalogue = self.catalogue.clone();
        for (tree, statement) in &self.own_rules {
            let rule = crate::expression::read::rule(tree, statement, &|u| catalogue.resolve(u).ok())
                .map_err(|e| super::error::lift(&e, e.span()))?;
            rules.add(rule).map_err(|e| super::error::lift(&e, statement.span))?;
        }
        let rules = Arc::new(rules);
        self.rules = Some(rules.clone());
        Ok(rules)
    }

    /// Looks a name up: local scopes from the inside, then globals. `None`: bound to nothing, a symbol.
    pub fn lookup(&self, name: &str) -> Option<Value> {
        for scope in self.locals.iter().rev() {
            if let Some(found) = scope.get(name) {
                return found.clone();
            }
        }
        self.globals.get(name).cloned()
    }

    /// Whether a local scope knows the name.
    pub fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|scope| scope.contains_key(name))
    }

    /// Tells listeners something.
    pub fn notify(&self, diagnostic: Diagnostic) {
        self.events.send(Event::Diagnostic(diagnostic));
    }

    /// Checks a tree before it runs.
    pub fn check_tree(&mut self, tree: &Arc<Tree>) -> Vec<Diagnostic> {
        let found = super::check::inspect(self, tree);
        // Files that were read: faults may lie in them.
        for source in found.sources {
            self.next_source = self.next_source.max(source.id + 1);
            self.sources.insert(source.id, source);
        }
        found.diagnostics
    }

    /// Stops here where somebody asked to.
    pub fn poll(&self, span: Span) -> Result<()> {
        match self.cancel.stop() {
            None => Ok(()),
            Some(crate::base::StopReason::Time) => Err(fault(6051, span, "the time limit is over")),
            Some(_) => Err(fault(6050, span, "interrupted")),
        }
    }

    /// An expression as a result: it must have a value and stay within the depth limit.
    pub(super) fn checked(&self, e: Expr, span: Span) -> Result<Value> {
        if e.is_undefined() {
            let hint = "where the divisor can be zero, use `if`";
            return Err(super::error::fault_hint(
                6012,
                span,
                "expected an expression that has a value, found a division by zero",
                hint,
            ));
        }
        if e.depth() > MAX_DEPTH {
            return Err(fault(
                6017,
                span,
                format!("expected at most {MAX_DEPTH} levels, found {}", e.depth()),
            ));
        }
        Ok(Value::Expr(e))
    }

    /// Every name that is bound or declared, for suggestions and completion.
    pub fn known_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.globals.keys().map(|n| n.to_string()).collect();
        names.extend(self.declarations.iter().map(|(s, _)| s.name().to_string()));
        names.extend(self.library.function_names().map(str::to_string));
        for scope in &self.locals {
            names.extend(scope.keys().map(|n| n.to_string()));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Whether the name is declared by `var` or `param`.
    pub fn is_declared(&self, name: &str) -> bool {
        self.declarations.get(&Symbol::new(name)).is_some()
    }
}
