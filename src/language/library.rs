//! The standard library: `stdlib/**/*.phys`, embedded in the binary and shadowed by the folder that
//! `PHYS_PATH` names. Modules are parsed when they are first asked for; declarations become [`Signature`]s.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::types::{Parameter, Signature, Type};
use super::value::UserFunction;
use crate::base::{Diagnostic, Source};
use crate::syntax::tree::{Name, Statement, StatementKind, Tree, UsePath};
use crate::units::Catalogue;

static STDLIB: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// A parsed module of the library, or a file that was `use`d.
#[derive(Debug)]
pub struct Module {
    /// `core.lists`, or the path of a file.
    pub name: String,
    /// Its text.
    pub source: Source,
    /// Its tree.
    pub tree: Arc<Tree>,
}

/// The texts of the library by module name.
#[derive(Clone, Debug)]
pub struct Library {
    texts: Arc<BTreeMap<String, (String, Arc<str>)>>,
    signatures: Arc<HashMap<Name, Vec<Arc<Signature>>>>,
    prelude: Arc<Vec<Arc<Module>>>,
    sources: Arc<Vec<Source>>,
    catalogue: Catalogue,
}

/// Sources of the library are numbered from here, so that they never meet those of a session.
pub const FIRST_LIBRARY_SOURCE: u32 = 1 << 30;

/// A fault of the library's own files (of those that shadow it), with the text it is in.
pub type LoadError = Box<(Diagnostic, Source)>;

impl Library {
    /// Reads the embedded library; files under `shadow` replace those of the same relative path.
    pub fn load(shadow: Option<&std::path::Path>) -> Result<Library, LoadError> {
        let mut texts: BTreeMap<String, (String, Arc<str>)> = BTreeMap::new();
        collect(&STDLIB, &mut texts);
        if let Some(folder) = shadow {
            overlay(folder, folder, &mut texts);
        }
        let mut library = Library {
            texts: Arc::new(texts),
            signatures: Arc::default(),
            prelude: Arc::default(),
            sources: Arc::default(),
            catalogue: Catalogue::default(),
        };
        let units: Vec<(String, Arc<str>)> = library
            .texts
            .iter()
            .filter(|(name, _)| name.starts_with("units."))
            .map(|(_, (path, text))| (path.clone(), text.clone()))
            .collect();
        // The others stand on the units of the SI.
        let mut units = units;
        units.sort_by_key(|(path, _)| !path.ends_with("si.phys"));
        let units: Vec<(&str, &str)> = units.iter().map(|(path, text)| (path.as_str(), &**text)).collect();
        library.catalogue = Catalogue::load(&units)
            .map_err(|d| (d, Source::new(FIRST_LIBRARY_SOURCE, "stdlib/units", "")))?;
        let Some((_, prelude)) = library.texts.get("prelude").cloned() else {
            return Ok(library);
        };
        let mut modules = Vec::new();
        let mut signatures: HashMap<Name, Vec<Arc<Signature>>> = HashMap::new();
        for name in used_modules(&prelude) {
            if cfg!(not(feature = "networks")) && name.starts_with("networks.") {
                continue;
            }
            let module = library.module(&name, modules.len() as u32)?;
            for signature in signatures_of(&module) {
                signatures.entry(signature.name.clone()).or_default().push(Arc::new(signature));
            }
            modules.push(module);
        }
        library.sources = Arc::new(modules.iter().map(|m| m.source.clone()).collect());
        library.signatures = Arc::new(signatures);
        library.prelude = Arc::new(modules);
        Ok(library)
    }

    /// The catalogue of units.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// All signatures of a declared function, in the order of declaration.
    pub fn signatures(&self, name: &str) -> Option<&[Arc<Signature>]> {
        self.signatures.get(name).map(Vec::as_slice)
    }

    /// The names of all declared functions.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.signatures.keys().map(|n| &**n)
    }

    /// Every signature.
    pub fn all_signatures(&self) -> impl Iterator<Item = &Arc<Signature>> {
        self.signatures.values().flatten()
    }

    /// The modules of the prelude, in order.
    pub fn prelude(&self) -> &[Arc<Module>] {
        &self.prelude
    }

    /// Sources of the prelude's modules, for messages.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The names of all modules.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Whether there is such a module.
    pub fn has_module(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// The texts of the modules whose name begins with `prefix.`: path and text.
    pub fn texts_under(&self, prefix: &str) -> Vec<(&str, &str)> {
        let prefix = format!("{prefix}.");
        self.texts
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix))
            .map(|(_, (path, text))| (path.as_str(), &**text))
            .collect()
    }

    /// Parses a module of the library; `number` tells its source apart from others.
    pub fn module(&self, name: &str, number: u32) -> Result<Arc<Module>, LoadError> {
        let Some((path, text)) = self.texts.get(name) else {
            let d = Diagnostic::error(
                crate::base::Code(6101),
                None,
                format!("expected a module, found no `{name}`"),
            );
            return Err(Box::new((d, Source::new(FIRST_LIBRARY_SOURCE, name, ""))));
        };
        let source = Source::new(FIRST_LIBRARY_SOURCE + number, path, text);
        let parsed = crate::syntax::parse(&source);
        if let Some(d) = parsed.diagnostics.iter().find(|d| d.is_error()) {
            return Err(Box::new((d.clone(), source)));
        }
        Ok(Arc::new(Module { name: name.to_string(), source, tree: Arc::new(parsed.tree) }))
    }
}

/// Module names of the `use` lines of the prelude, read without the parser (they are all it may hold).
fn used_modules(prelude: &str) -> Vec<String> {
    prelude
        .lines()
        .filter_map(|line| line.trim().strip_prefix("use "))
        .map(|name| name.trim().to_string())
        .collect()
}

/// The signatures a module declares.
pub fn signatures_of(module: &Module) -> Vec<Signature> {
    module.tree.statements.iter().filter_map(|s| signature(s, &module.tree, &module.name)).collect()
}

fn signature(statement: &Statement, tree: &Arc<Tree>, module: &str) -> Option<Signature> {
    let (name, params, result, body) = match &statement.kind {
        StatementKind::Extern { name, params, result } => (name, params, Type::of(result), None),
        // A function of the library that is written in phys: what its free names mean is the library's alone.
        StatementKind::Define { name, params, result, body, wheres } => {
            let function = UserFunction {
                name: name.name.clone(),
                params: params.clone(),
                result: result.clone(),
                body: *body,
                wheres: wheres.clone(),
                tree: tree.clone(),
                captured: Vec::new(),
            };
            (name, params, result.as_ref().map_or(Type::Any, Type::of), Some(Arc::new(function)))
        }
        _ => return None,
    };
    let mut doc = statement.doc.clone().unwrap_or_default();
    let run = doc.lines().find_map(|line| line.trim().strip_prefix("run:")).map(|w| w.trim().to_string());
    if run.is_some() {
        let kept: Vec<&str> = doc.lines().filter(|line| !line.trim().starts_with("run:")).collect();
        doc = kept.join("\n");
    }
    Some(Signature {
        name: name.name.clone(),
        params: params
            .iter()
            .map(|p| Parameter {
                name: p.name.name.clone(),
                ty: p.ty.as_ref().map_or(Type::Any, Type::of),
                variadic: p.variadic,
                default: p.default,
            })
            .collect(),
        result,
        body,
        doc,
        run,
        module: module.to_string(),
        tree: tree.clone(),
    })
}

/// The dotted name of a `use` path.
pub fn dotted(path: &UsePath) -> Option<String> {
    match path {
        UsePath::Module(parts) => Some(parts.iter().map(|p| &*p.name).collect::<Vec<_>>().join(".")),
        UsePath::File(..) => None,
    }
}

fn module_name(path: &std::path::Path) -> Option<String> {
    let stem = path.with_extension("");
    let parts: Vec<&str> = stem.iter().filter_map(|p| p.to_str()).collect();
    (path.extension().is_some_and(|e| e == "phys")).then(|| parts.join("."))
}

fn collect(dir: &Dir<'static>, texts: &mut BTreeMap<String, (String, Arc<str>)>) {
    for file in dir.files() {
        if let (Some(name), Some(text)) = (module_name(file.path()), file.contents_utf8()) {
            texts.insert(name, (format!("stdlib/{}", file.path().display()), text.into()));
        }
    }
    for inner in dir.dirs() {
        collect(inner, texts);
    }
}

fn overlay(
    root: &std::path::Path,
    folder: &std::path::Path,
    texts: &mut BTreeMap<String, (String, Arc<str>)>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            overlay(root, &path, texts);
        } else if let Ok(relative) = path.strip_prefix(root)
            && let Some(name) = module_name(relative)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            texts.insert(name, (path.display().to_string(), text.into()));
        }
    }
}
