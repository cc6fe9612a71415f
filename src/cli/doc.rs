//! `phys doc`: the reference, made of the declarations of the standard library. A page a module: functions with their
//! signature, text, options and examples; constants, bindings, definitions and rules as tables and lines. The
//! checker, the prompt and these pages read the same declarations.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::exit;
use super::terminal::{complain, say};
use crate::base::{Code, Diagnostic, Fault, suggest};
use crate::data;
use crate::language::Library;
use crate::language::library::{Module, signatures_of};
use crate::language::types::{Parameter, Signature, Type};
use crate::session::Status;
use crate::syntax::print_expr;
use crate::syntax::tree::{Statement, StatementKind};

/// A page of the reference.
struct Page {
    file: String,
    text: String,
}

fn library() -> Result<Library, Box<Diagnostic>> {
    let shadow = std::env::var_os("PHYS_PATH").filter(|p| !p.is_empty());
    Library::load(shadow.as_deref().map(Path::new)).map_err(|e| Box::new(e.0))
}

fn refuse(d: &Diagnostic) -> ExitCode {
    let hint = d.hint.as_ref().map_or_else(String::new, |h| format!("\n  hint: {h}"));
    complain(&format!("error[{}]: {}{hint}", d.code, d.message));
    exit(Status::Faulty)
}

/// Prints what the library says of a function or module.
pub(super) fn name(name: &str) -> ExitCode {
    let library = match library() {
        Ok(library) => library,
        Err(d) => return refuse(&d),
    };
    if let Some(signatures) = library.signatures(name) {
        say(function(signatures).trim_end());
        return ExitCode::SUCCESS;
    }
    if library.has_module(name) {
        return match library.module(name, 1 << 20) {
            Ok(module) => {
                say(page(&module).text.trim_end());
                ExitCode::SUCCESS
            }
            Err(e) => refuse(&e.0),
        };
    }
    let known: Vec<&str> = library.function_names().chain(library.module_names()).collect();
    let message = format!("expected a function or module of the library, found `{name}`");
    let near = suggest::nearest(name, known.iter().copied());
    refuse(&Diagnostic::error(Code(8011), None, message).hint(match near {
        Some(near) => format!("phys doc {near}"),
        None => "phys doc core.lists".into(),
    }))
}

/// Writes all pages.
pub(super) fn pages(out: &Path) -> ExitCode {
    let written = library().and_then(|library| write(&library, out));
    match written {
        Ok(count) => {
            say(&format!("{count} pages in {}", out.display()));
            ExitCode::SUCCESS
        }
        Err(d) => refuse(&d),
    }
}

fn write(library: &Library, out: &Path) -> Result<usize, Box<Diagnostic>> {
    let lift = |e: &dyn Fault| Box::new(Diagnostic::from_fault(e, None));
    std::fs::create_dir_all(out).map_err(|e| {
        let message = format!("expected to write pages to `{}`: {e}", out.display());
        Box::new(Diagnostic::error(Code(8003), None, message).hint("phys doc --out DIR"))
    })?;
    let mut pages = Vec::new();
    let mut index = String::from(
        "# Reference\n\nMade by `phys doc` from the declarations of the standard library; `phys doc NAME` prints one, `?NAME` at \
         the prompt too.\n\n| module | holds |\n| --- | --- |\n",
    );
    for name in modules(library) {
        let module = library.module(&name, 1 << 20).map_err(|e| Box::new(e.0))?;
        let page = page(&module);
        let _ = writeln!(index, "| [`{name}`]({}) | {} |", page.file, contents(&module));
        pages.push(page);
    }
    pages.push(Page { file: "index.md".into(), text: index });
    for page in &pages {
        data::write_atomic(&out.join(&page.file), page.text.as_bytes()).map_err(|e| lift(&e))?;
    }
    let kept: BTreeSet<&str> = pages.iter().map(|p| p.file.as_str()).collect();
    // A page whose module is gone goes too.
    for old in std::fs::read_dir(out).into_iter().flatten().flatten() {
        let file = old.file_name().to_string_lossy().into_owned();
        if file.ends_with(".md") && !kept.contains(file.as_str()) {
            let _ = std::fs::remove_file(old.path());
        }
    }
    Ok(pages.len())
}

/// Modules with a page: those of the prelude in its order, then the others. Units have a chapter of their own.
fn modules(library: &Library) -> Vec<String> {
    let mut names: Vec<String> = library.prelude().iter().map(|m| m.name.clone()).collect();
    for name in library.module_names() {
        if name != "prelude" && !name.starts_with("units.") && !names.iter().any(|n| n == name) {
            names.push(name.to_string());
        }
    }
    names
}

/// The names of a module, shortly.
fn contents(module: &Arc<Module>) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut rules = 0;
    for s in &module.tree.statements {
        match &s.kind {
            StatementKind::Extern { name, .. }
            | StatementKind::Const { name, .. }
            | StatementKind::Define { name, .. } => names.push(name.name.to_string()),
            StatementKind::Bind { names: bound, .. } => {
                names.extend(bound.iter().map(|n| n.name.to_string()))
            }
            StatementKind::Rule { .. } => rules += 1,
            _ => {}
        }
    }
    names.dedup();
    let more = names.len().saturating_sub(8);
    let mut text: Vec<String> = names.iter().take(8).map(|n| format!("`{n}`")).collect();
    if more > 0 {
        text.push(format!("{more} more"));
    }
    if rules > 0 {
        text.push(format!("{rules} rewrite rules"));
    }
    text.join(", ")
}

fn page(module: &Arc<Module>) -> Page {
    let mut text = format!("# {}\n\n", module.name);
    // The comment at the head of the file says what it holds.
    let lead: Vec<&str> = module
        .source
        .text
        .lines()
        .take_while(|l| l.starts_with('#') && !l.starts_with("##"))
        .map(|l| l.trim_start_matches('#').trim())
        .collect();
    if !lead.is_empty() {
        let _ = writeln!(text, "{}\n", lead.join("\n"));
    }
    let signatures: Vec<Arc<Signature>> = signatures_of(module).into_iter().map(Arc::new).collect();
    let mut done: Vec<&str> = Vec::new();
    for signature in &signatures {
        if done.contains(&&*signature.name) {
            continue;
        }
        done.push(&signature.name);
        let all: Vec<Arc<Signature>> =
            signatures.iter().filter(|s| s.name == signature.name).cloned().collect();
        text += &function(&all);
    }
    let table = |head: &str, rows: Vec<String>, text: &mut String| {
        if !rows.is_empty() {
            let _ = write!(text, "{head}\n{}\n", rows.join("\n"));
            text.push('\n');
        }
    };
    let own = &module.tree.statements;
    let says = |s: &Statement| cell(&s.doc.clone().unwrap_or_default().replace('\n', " "));
    let constants = own.iter().filter_map(|s| match &s.kind {
        StatementKind::Const { name, value } => {
            Some(format!("| `{}` | `{}` | {} |", name.name, cell(&print_expr(&module.tree, *value)), says(s)))
        }
        _ => None,
    });
    table("| constant | value | |\n| --- | --- | --- |", constants.collect(), &mut text);
    let definitions = own.iter().filter_map(|s| match &s.kind {
        StatementKind::Bind { names, value, .. } => {
            let names: Vec<&str> = names.iter().map(|n| &*n.name).collect();
            Some(format!(
                "| `{}` | `{}` | {} |",
                names.join(", "),
                cell(&print_expr(&module.tree, *value)),
                says(s)
            ))
        }
        _ => None,
    });
    table("| name | is | |\n| --- | --- | --- |", definitions.collect(), &mut text);
    let rules: Vec<String> = own
        .iter()
        .filter_map(|s| match &s.kind {
            StatementKind::Rule { .. } => Some(module.source.slice(s.span).to_string()),
            _ => None,
        })
        .collect();
    if !rules.is_empty() {
        let _ = write!(text, "```text\n{}\n```\n", rules.join("\n"));
    }
    Page { file: format!("{}.md", module.name.replace('.', "-")), text: text.trim_end().to_string() + "\n" }
}

/// A text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A section: signatures, text, options, examples.
fn function(signatures: &[Arc<Signature>]) -> String {
    let Some(first) = signatures.first() else { return String::new() };
    let mut text = format!("## {}\n\n```text\n", first.name);
    for s in signatures {
        let params: Vec<String> = s.params.iter().map(|p| parameter(s, p)).collect();
        let line = format!("{}({}) -> {}", s.name, params.join(", "), s.result);
        if line.chars().count() <= 100 {
            let _ = writeln!(text, "{line}");
        } else {
            let indent = " ".repeat(s.name.chars().count() + 1);
            let _ = writeln!(text, "{}({}) -> {}", s.name, params.join(&format!(",\n{indent}")), s.result);
        }
    }
    text += "```\n\n";
    let mut seen: Vec<&str> = Vec::new();
    for s in signatures {
        let words: Vec<&str> = s.doc.lines().filter(|l| !l.trim_start().starts_with("example:")).collect();
        let words = words.join("\n");
        if !words.trim().is_empty() {
            let _ = writeln!(text, "{}\n", words.trim());
        }
    }
    for s in signatures {
        if let Some(f) = &s.body {
            let params: Vec<&str> = f.params.iter().map(|p| &*p.name.name).collect();
            let body = print_expr(&f.tree, f.body);
            let _ = writeln!(text, "```text\n{}({}) = {body}\n```\n", s.name, params.join(", "));
        }
    }
    if let Some(work) = signatures.iter().find_map(|s| s.run.as_ref()) {
        let _ = writeln!(text, "A script that calls it leaves a [run folder](../runs.md) ({work}).\n");
    }
    let options: Vec<String> = signatures
        .iter()
        .flat_map(|s| s.params.iter().map(move |p| (s, p)))
        .filter(|(_, p)| {
            p.default.is_some() && !seen.contains(&&*p.name) && {
                seen.push(&p.name);
                true
            }
        })
        .map(|(s, p)| {
            let default = p.default.map_or_else(String::new, |d| print_expr(&s.tree, d));
            let ty = match &p.ty {
                Type::Formula => "an expression over the columns of the dataset".to_string(),
                Type::Columns => "the name of a column, or a list of names".to_string(),
                Type::Options => "options of a trial, used by `phys run --smoke`".to_string(),
                other => format!("`{}`", cell(&other.to_string())),
            };
            format!("| `{}` | {ty} | `{}` |", p.name, cell(&default))
        })
        .collect();
    if !options.is_empty() {
        let _ = writeln!(text, "| option | type | default |\n| --- | --- | --- |\n{}\n", options.join("\n"));
    }
    let examples: Vec<String> = signatures
        .iter()
        .flat_map(|s| s.examples())
        .map(|(code, result)| match result {
            Some(result) => format!("{code}   # => {result}"),
            None => code,
        })
        .collect();
    if !examples.is_empty() {
        let _ = writeln!(text, "```phys-example\n{}\n```\n", examples.join("\n"));
    }
    text
}

fn parameter(s: &Signature, p: &Parameter) -> String {
    let variadic = if p.variadic { "..." } else { "" };
    let default = p.default.map_or_else(String::new, |d| format!(" = {}", print_expr(&s.tree, d)));
    format!("{}: {}{variadic}{default}", p.name, p.ty)
}
