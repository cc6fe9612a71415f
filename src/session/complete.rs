//! How what is being typed could end: names, options of the call at the cursor, units with their prefixes, members and
//! columns, files, modules, and signs behind a backslash. Nothing is run; a header of a file may be read, as the checker
//! does.

use std::collections::BTreeSet;
use std::path::Path;

use super::cursor::{self, Call, Cursor, Place};
use super::describe;
use super::glyphs;
use crate::base::Source;
use crate::language::Context;
use crate::language::check;
use crate::language::types::Type;
use crate::language::value::{Function, Value};
use crate::syntax::tree::{ExprId, StatementKind, Tree};

/// One ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What takes the place of the word.
    pub text: String,
    /// How it is listed.
    pub label: String,
}

/// All endings of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins.
    pub start: usize,
    /// The endings, best first.
    pub candidates: Vec<Candidate>,
}

/// Entries of a folder that are looked at.
const MAX_FILES: usize = 2_000;

fn candidate(text: impl Into<String>) -> Candidate {
    let text = text.into();
    Candidate { label: text.clone(), text }
}

/// A parameter of what is called.
pub(super) struct Parameter {
    pub name: String,
    pub ty: Option<Type>,
    pub default: Option<String>,
    pub variadic: bool,
}

/// How the word before the cursor could end.
pub fn complete(context: &Context, text: &str, at: usize) -> Completion {
    let cursor = cursor::cursor(text, at);
    let word = text.get(cursor.start..at).unwrap_or("");
    let candidates = match &cursor.place {
        Place::Nothing => Vec::new(),
        Place::Glyph => signs(&word[1..]),
        Place::Unit => units(context, word),
        Place::Module => context
            .library
            .module_names()
            .filter(|n| *n != "prelude" && n.starts_with(word))
            .map(candidate)
            .collect(),
        Place::Import(module) => imports(context, text.get(module.clone()).unwrap_or("").trim(), word),
        Place::Member(target) => {
            let found = check::members(context, text.get(target.clone()).unwrap_or(""));
            let names = found.into_iter().filter(|(n, _)| crate::syntax::is_name(n) && n.starts_with(word));
            names.map(|(n, kind)| Candidate { label: listed(&n, &kind), text: n }).collect()
        }
        Place::Text(Some(target)) => {
            let found = check::members(context, text.get(target.clone()).unwrap_or(""));
            let names = found.into_iter().filter(|(n, _)| n.starts_with(word));
            names.map(|(n, kind)| Candidate { label: listed(&n, &kind), text: format!("{n}\"]") }).collect()
        }
        Place::Text(None) => return files(&context.folder, word, cursor.start, true),
        Place::Name => names(context, text, &cursor, word),
    };
    Completion { start: cursor.start, candidates }
}

fn listed(name: &str, kind: &str) -> String {
    if kind.is_empty() || kind == name { name.to_string() } else { format!("{name}   {kind}") }
}

fn signs(word: &str) -> Vec<Candidate> {
    match glyphs::beginning(word).as_slice() {
        [(name, sign)] => vec![Candidate { text: (*sign).into(), label: format!("\\{name} {sign}") }],
        many => many
            .iter()
            .map(|(name, sign)| Candidate { text: format!("\\{name}"), label: format!("\\{name} {sign}") })
            .collect(),
    }
}

/// Units that begin so: those without prefix first, then prefixed symbols; prefixed names only for a longer word.
fn units(context: &Context, word: &str) -> Vec<Candidate> {
    let mut bare: BTreeSet<(usize, String)> = BTreeSet::new();
    for unit in context.catalogue.names() {
        for name in unit.names.iter().filter(|n| n.starts_with(word)) {
            if !word.is_empty() || name.chars().count() <= 3 {
                bare.insert((name.chars().count(), name.to_string()));
            }
        }
    }
    let mut prefixed: BTreeSet<(usize, String)> = BTreeSet::new();
    if !word.is_empty() {
        let long = word.chars().count() >= 3;
        for spelling in context.catalogue.spellings().filter(|s| s.starts_with(word)) {
            let length = spelling.chars().count();
            if (length <= 4 || long) && !bare.contains(&(length, spelling.clone())) {
                prefixed.insert((length, spelling));
            }
        }
    }
    bare.into_iter().chain(prefixed).map(|(_, name)| candidate(name)).collect()
}

fn imports(context: &Context, module: &str, word: &str) -> Vec<Candidate> {
    let names = describe::declared_in(&context.library, module);
    names.into_iter().filter(|n| n.starts_with(word)).map(candidate).collect()
}

/// Files whose path begins so; a folder ends with `/`. Inside a string a whole name closes it.
pub fn files(folder: &Path, word: &str, start: usize, quoted: bool) -> Completion {
    let (within, name) = word.rsplit_once('/').map_or(("", word), |(a, b)| (&word[..a.len() + 1], b));
    let place = if within.is_empty() {
        if folder.as_os_str().is_empty() { Path::new(".").to_path_buf() } else { folder.to_path_buf() }
    } else {
        folder.join(within)
    };
    let mut found: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten().take(MAX_FILES) {
        let Ok(own) = entry.file_name().into_string() else { continue };
        if !own.starts_with(name)
            || own.starts_with('.') && !name.starts_with('.')
            || own.contains(['"', '{', '\\'])
        {
            continue;
        }
        let folder = entry.path().is_dir();
        found.push(format!("{own}{}", if folder { "/" } else { "" }));
    }
    found.sort();
    let candidates = found
        .into_iter()
        .map(|own| {
            let close = if quoted && !own.ends_with('/') { "\"" } else { "" };
            Candidate { text: format!("{within}{own}{close}"), label: own }
        })
        .collect();
    Completion { start, candidates }
}

/// Options of the call first, then what is bound, declared and known.
fn names(context: &Context, text: &str, cursor: &Cursor, word: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    if let Some(call) = &cursor.call {
        let parameters = parameters(context, text.get(call.callee.clone()).unwrap_or(""));
        let words = values(context, call, &parameters);
        let wanted: Vec<Candidate> = words.iter().filter(|w| w.starts_with(word)).map(candidate).collect();
        if call.begins && call.option.is_none() {
            let open = parameters
                .iter()
                .filter(|p| p.name.starts_with(word) && !p.variadic && !call.given.contains(&p.name));
            found.extend(open.map(|p| {
                let kind = p.ty.as_ref().map_or_else(String::new, Type::to_string);
                Candidate { text: format!("{}: ", p.name), label: listed(&format!("{}:", p.name), &kind) }
            }));
            if call.block {
                return found;
            }
        }
        if !wanted.is_empty() && (call.option.is_some() || found.is_empty()) {
            return wanted;
        }
        found.extend(wanted);
    }
    if word.is_empty() {
        return found;
    }
    let mut names: BTreeSet<String> = context.known_names().into_iter().collect();
    names.extend(["pi", "e", "i", "inf"].map(String::from));
    names.extend(cursor::keywords().map(String::from));
    found.extend(names.into_iter().filter(|n| n.starts_with(word)).map(candidate));
    found
}

/// Words that the argument at the cursor may be.
fn values(context: &Context, call: &Call, parameters: &[Parameter]) -> Vec<String> {
    let parameter = match &call.option {
        Some(option) => parameters.iter().find(|p| p.name == *option),
        None if call.block => None,
        None => parameters.get(call.position),
    };
    match parameter.and_then(|p| p.ty.as_ref()).map(Type::required) {
        Some(Type::OneOf(words)) => words.iter().map(|w| w.to_string()).collect(),
        Some(Type::Boolean) if call.option.is_some() => vec!["true".into(), "false".into()],
        Some(Type::Function) => {
            let mut all: Vec<String> = context.library.function_names().map(str::to_string).collect();
            all.sort();
            all
        }
        _ => Vec::new(),
    }
}

/// The parameters of what a text names: a function of the library or of the user, or the symbols of a law.
pub(super) fn parameters(context: &Context, callee: &str) -> Vec<Parameter> {
    // `f(data)` of `f(data) { ... }`.
    let name = callee.split('(').next().unwrap_or("").trim();
    let symbols = |names: Vec<String>| -> Vec<Parameter> {
        names.into_iter().map(|name| Parameter { name, ty: None, default: None, variadic: false }).collect()
    };
    match context.lookup(name) {
        Some(Value::Function(Function::User(f))) => f
            .params
            .iter()
            .map(|p| Parameter {
                name: p.name.name.to_string(),
                ty: p.ty.as_ref().map(Type::of),
                default: p.default.map(|d| crate::syntax::print_expr(&f.tree, d)),
                variadic: p.variadic,
            })
            .collect(),
        Some(Value::Function(Function::Builtin(name))) => declared(context, &name),
        Some(Value::Law(law)) => symbols(law.order.iter().map(|s| s.to_string()).collect()),
        Some(value) if context.library.signatures(name).is_none() => match value.as_expr() {
            Some(e) => symbols(e.symbols().iter().map(|s| s.to_string()).collect()),
            None => Vec::new(),
        },
        _ => declared(context, name),
    }
}

fn declared(context: &Context, name: &str) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for signature in context.library.signatures(name).unwrap_or_default() {
        for p in &signature.params {
            if all.iter().all(|known| known.name != *p.name) {
                all.push(Parameter {
                    name: p.name.to_string(),
                    ty: Some(p.ty.clone()),
                    default: p.default.map(|d: ExprId| crate::syntax::print_expr(&signature.tree, d)),
                    variadic: p.variadic,
                });
            }
        }
    }
    all
}

/// The call at the cursor as a reminder of its arguments: `simplify(expr, nodes: 2000, ...)`. The argument at the cursor
/// stands between `<` and `>`.
pub fn signature(context: &Context, text: &str, at: usize) -> Option<String> {
    let cursor = cursor::cursor(text, at);
    let call = cursor.call?;
    if matches!(cursor.place, Place::Text(_) | Place::Nothing) {
        return None;
    }
    let callee = text.get(call.callee.clone())?;
    let name = callee.split('(').next().unwrap_or("").trim();
    let parameters = parameters(context, callee);
    if parameters.is_empty() {
        return None;
    }
    let at_cursor = match &call.option {
        Some(option) => parameters.iter().position(|p| p.name == *option),
        None if call.block => None,
        None => Some(call.position.min(parameters.len() - 1)),
    };
    let shown: Vec<String> = parameters
        .iter()
        .enumerate()
        .map(|(k, p)| {
            let dots = if p.variadic { "..." } else { "" };
            let text = match &p.default {
                Some(default) => format!("{}: {default}", p.name),
                None => format!("{}{dots}", p.name),
            };
            if Some(k) == at_cursor { format!("<{text}>") } else { text }
        })
        .collect();
    Some(format!("{name}({})", shown.join(", ")))
}

/// What the statements of a tree bind or declare, with the place of each.
pub(super) fn bound_by(tree: &Tree) -> Vec<(String, crate::base::Span, Option<String>)> {
    let mut all = Vec::new();
    for s in &tree.statements {
        let names: Vec<&crate::syntax::tree::Ident> = match &s.kind {
            StatementKind::Bind { names, .. }
            | StatementKind::Var { names, .. }
            | StatementKind::Unit { names, .. } => names.iter().collect(),
            StatementKind::Define { name, .. }
            | StatementKind::Param { name, .. }
            | StatementKind::Const { name, .. }
            | StatementKind::Extern { name, .. } => vec![name],
            _ => Vec::new(),
        };
        all.extend(names.into_iter().map(|n| (n.name.to_string(), s.span, s.doc.clone())));
    }
    all
}

/// A text as a tree, faulty or not.
pub(super) fn tree_of(text: &str) -> Tree {
    crate::syntax::parse(&Source::new(0, "", text)).tree
}
