//! `use`: the names of modules, read from their trees.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Checker, Inferred};
use crate::base::{Diagnostic, Source, Span, suggest};
use crate::language::error::fault;
use crate::language::statements::read_script;
use crate::syntax::tree::{Ident, Name, Tree, UsePath};

/// Modules may use each other this deep.
const MAX_MODULES: usize = 32;

impl Checker {
    pub(super) fn use_module(
        &mut self,
        module: &UsePath,
        alias: Option<&Ident>,
        names: Option<&[Ident]>,
        span: Span,
    ) {
        let (short, value) = match module {
            UsePath::Module(parts) => {
                let full: String = parts.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".");
                let at = match (parts.first(), parts.last()) {
                    (Some(first), Some(last)) => first.span.to(last.span),
                    _ => span,
                };
                let short = parts.last().map_or(full.clone(), |p| p.name.to_string());
                (short, self.library_module(&full, at))
            }
            UsePath::File(path, at) => {
                let short =
                    PathBuf::from(path).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into());
                (short, self.file_module(path, *at))
            }
        };
        match names {
            None => {
                let name = alias.map_or_else(|| Name::from(short.as_str()), |a| a.name.clone());
                self.globals.insert(name, value);
            }
            Some(names) => {
                for name in names {
                    let found = match &value {
                        Inferred::Module(full, entries) => {
                            match entries.iter().find(|(n, _)| *n == name.name) {
                                Some((_, found)) => found.clone(),
                                None => {
                                    let message =
                                        format!("expected a name of `{full}`, found `{}`", name.name);
                                    let mut error = fault(6102, name.span, message);
                                    let known = entries.iter().map(|(n, _)| &**n);
                                    error.hint = suggest::nearest(&name.name, known)
                                        .map(|n| format!("did you mean `{n}`?"));
                                    self.report(error)
                                }
                            }
                        }
                        _ => Inferred::Unknown,
                    };
                    self.bind(name, found);
                }
            }
        }
    }

    fn library_module(&mut self, full: &str, span: Span) -> Inferred {
        if let Some(known) = self.modules.get(full) {
            return known.clone();
        }
        if !self.library.has_module(full) {
            let mut error = fault(6101, span, format!("expected a module, found no `{full}`"));
            error.hint =
                suggest::nearest(full, self.library.module_names()).map(|n| format!("did you mean `{n}`?"));
            return self.report(error);
        }
        // The library is checked by its own tests: a fault in it is not the program's.
        let Ok(module) = self.library.module(full, 1 << 29) else { return Inferred::Unknown };
        let (value, _) = self.read_module(full, &module.tree, self.folder.clone());
        self.modules.insert(full.to_string(), value.clone());
        value
    }

    fn file_module(&mut self, path: &str, at: Span) -> Inferred {
        let file = self.path(path);
        let key = file.display().to_string();
        if let Some(known) = self.modules.get(&key) {
            return known.clone();
        }
        if self.loading.contains(&key) {
            return self.report(fault(6103, at, format!("`{path}` is used while it is being read")));
        }
        let text = match read_script(&file) {
            Ok(text) => text,
            Err(words) => return self.report(fault(6040, at, words)),
        };
        let source = Source::new(self.next_source, &key, &text);
        self.next_source += 1;
        self.sources.push(source.clone());
        let parsed = crate::syntax::parse(&source);
        let mut faults = parsed.diagnostics;
        let mut value = Inferred::Unknown;
        if !faults.iter().any(Diagnostic::is_error) {
            let folder = file.parent().map_or_else(|| self.folder.clone(), PathBuf::from);
            let (found, checked) = self.read_module(&key, &Arc::new(parsed.tree), folder);
            value = found;
            faults.extend(checked);
        }
        if faults.iter().any(Diagnostic::is_error) {
            // Not kept: whoever uses the file again is told again, once for every place.
            for d in faults.iter_mut().filter(|d| d.is_error()) {
                d.related.push((at, "used here".into()));
            }
            value = Inferred::Unknown;
        } else {
            self.modules.insert(key, value.clone());
        }
        self.diagnostics.extend(faults);
        value
    }

    /// A module's names, and its faults.
    fn read_module(&mut self, name: &str, tree: &Arc<Tree>, folder: PathBuf) -> (Inferred, Vec<Diagnostic>) {
        if self.loading.len() >= MAX_MODULES {
            return (Inferred::Unknown, Vec::new());
        }
        let mut loading = self.loading.clone();
        loading.push(name.to_string());
        let mut inner = Checker {
            library: self.library.clone(),
            catalogue: self.catalogue.clone(),
            globals: HashMap::new(),
            declared: HashMap::new(),
            constants: Default::default(),
            trained: Default::default(),
            locals: Vec::new(),
            symbols: HashMap::new(),
            powers: Vec::new(),
            // Numbers of variables go on, so that none means two things.
            units: std::mem::take(&mut self.units),
            later: Default::default(),
            diagnostics: Vec::new(),
            folder,
            smoke: self.smoke,
            active: Vec::new(),
            fuel: self.fuel,
            depth: self.depth,
            loops: 0,
            loading,
            modules: std::mem::take(&mut self.modules),
            sources: std::mem::take(&mut self.sources),
            next_source: self.next_source,
        };
        // A `use` stands alone: nothing of its statement is being solved.
        inner.program(tree);
        self.units = inner.units;
        self.modules = inner.modules;
        self.fuel = inner.fuel;
        self.sources = inner.sources;
        self.next_source = inner.next_source;
        self.catalogue = inner.catalogue;
        let mut entries: Vec<(Name, Inferred)> = inner.globals.into_iter().collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        (Inferred::Module(name.into(), Arc::new(entries)), inner.diagnostics)
    }
}
