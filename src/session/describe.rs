//! What is known of a name, a unit or some words: `?name`, `??name`, `?[N]`, `?"words"` at the prompt, the reference and
//! editors. Everything comes from the declarations of the library with their `##` lines, from the catalogue of units and
//! from what the session has bound.

use super::Session;
use super::complete::{bound_by, tree_of};
use crate::base::suggest;
use crate::expression::print::{self, Style};
use crate::expression::{Declaration, Symbol};
use crate::language::types::Signature;
use crate::language::value::Value;
use crate::language::{Context, Library, dimension, render};
use crate::syntax::tree::{StatementKind, Tree};
use crate::units::Unit;

/// Results of a search that are listed.
const LISTED: usize = 20;

/// A declaration of the library outside the prelude's functions, or one of them.
struct Entry {
    name: String,
    kind: &'static str,
    module: String,
    doc: String,
    text: String,
}

/// `f(x: real, n: integer = 3) -> real`, defaults as they are declared.
pub fn headline(s: &Signature) -> String {
    let params: Vec<String> = s
        .params
        .iter()
        .map(|p| {
            let dots = if p.variadic { "..." } else { "" };
            let default = p
                .default
                .map_or_else(String::new, |d| format!(" = {}", crate::syntax::print_expr(&s.tree, d)));
            format!("{}: {}{dots}{default}", p.name, p.ty)
        })
        .collect();
    format!("{}({}) -> {}", s.name, params.join(", "), s.result)
}

/// The names that a module declares.
pub(super) fn declared_in(library: &Library, module: &str) -> Vec<String> {
    let Ok(module) = library.module(module, 0) else { return Vec::new() };
    let mut names: Vec<String> = bound_by(&module.tree).into_iter().map(|(n, ..)| n).collect();
    names.dedup();
    names
}

fn kind_of(tree: &Tree, at: usize) -> &'static str {
    match &tree.statements[at].kind {
        StatementKind::Extern { .. } | StatementKind::Define { .. } => "function",
        StatementKind::Const { .. } => "constant",
        StatementKind::Unit { .. } => "unit",
        _ => "value",
    }
}

/// Every declaration of the library, units apart.
fn entries(library: &Library) -> Vec<Entry> {
    let mut all = Vec::new();
    let names: Vec<String> = library
        .module_names()
        .filter(|n| !n.starts_with("units.") && !n.starts_with("rules.") && *n != "prelude")
        .map(str::to_string)
        .collect();
    for name in names {
        let Ok(module) = library.module(&name, 0) else { continue };
        for (at, statement) in module.tree.statements.iter().enumerate() {
            let one = Tree { statements: vec![statement.clone()], ..Tree::default() };
            for (bound, span, doc) in bound_by(&one) {
                let text = module.source.slice(span).to_string();
                let law = text.contains("law");
                let kind = match kind_of(&module.tree, at) {
                    "value" if law => "law",
                    kind => kind,
                };
                all.push(Entry {
                    name: bound,
                    kind,
                    module: name.clone(),
                    doc: doc.unwrap_or_default(),
                    text,
                });
            }
        }
    }
    all
}

fn first_sentence(doc: &str) -> String {
    let text = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.split(" example:").next().unwrap_or("").to_string();
    match text.find(". ") {
        Some(end) => text[..=end].to_string(),
        None => text,
    }
}

/// Documentation without its examples, and the examples.
fn documentation(doc: &str) -> (String, Vec<String>) {
    let (mut words, mut examples) = (Vec::new(), Vec::new());
    for line in doc.lines() {
        match line.trim().strip_prefix("example:") {
            Some(code) => examples.push(code.trim().to_string()),
            None => words.push(line.trim().to_string()),
        }
    }
    (words.join("\n"), examples)
}

/// A piece of what is told, for whoever lays it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A line of code: a signature, an example, a source.
    Code(String),
    /// A paragraph of words.
    Words(String),
    /// A name with what it is.
    Row(String, String),
}

impl Session {
    /// What is known of a name.
    ///
    /// # Errors
    /// Nothing is; the nearest name, if one is near.
    pub fn describe(&self, name: &str) -> Result<Vec<Piece>, Option<String>> {
        let context = &self.context;
        let mut told = self.binding(name);
        for s in context.library.signatures(name).unwrap_or_default() {
            let (words, examples) = documentation(&s.doc);
            told.push(Piece::Code(headline(s)));
            if !words.is_empty() {
                told.push(Piece::Words(words));
            }
            for example in examples {
                let (code, shown) = example.split_once("# =>").unwrap_or((&example, ""));
                let shown = if shown.is_empty() { String::new() } else { format!("\n  {}", shown.trim()) };
                told.push(Piece::Code(format!("  > {}{shown}", code.trim())));
            }
            told.push(Piece::Words(format!("({})", s.module)));
        }
        if !told.is_empty() {
            return Ok(told);
        }
        if let Some(words) = constant(name) {
            return Ok(vec![Piece::Words(words.into())]);
        }
        if let Some(words) = keyword(name) {
            return Ok(vec![Piece::Code(words.0.into()), Piece::Words(words.1.into())]);
        }
        if context.library.has_module(name) {
            let names = declared_in(&context.library, name);
            told.push(Piece::Code(format!("use {name}")));
            told.push(Piece::Words(names.join(", ")));
            return Ok(told);
        }
        let all = entries(&context.library);
        for e in all.iter().filter(|e| e.name == name) {
            told.push(Piece::Code(e.text.clone()));
            told.push(Piece::Words(documentation(&e.doc).0));
            told.push(Piece::Code(format!("  use {}: {}", e.module, e.name)));
        }
        if !told.is_empty() {
            return Ok(told);
        }
        if let Ok(unit) = self.describe_unit(name) {
            return Ok(unit);
        }
        let mut known = context.known_names();
        known.extend(all.into_iter().map(|e| e.name));
        Err(suggest::nearest(name, known.iter().map(String::as_str)).map(str::to_string))
    }

    /// A binding or declaration of the user: kind, unit, value, definition, its `##` lines.
    fn binding(&self, name: &str) -> Vec<Piece> {
        let context = &self.context;
        let key = crate::syntax::normalise_name(name);
        let mut told = Vec::new();
        let definition = self.definitions.get(&*key);
        if let Some(value) = context.lookup(&key) {
            let mut head = format!("{name}: {}", value.kind_name());
            if let Some(unit) = unit_of(context, &value) {
                head += &format!(" [{unit}]");
            }
            told.push(Piece::Code(head));
            if let Some(Some(doc)) = definition.map(|d| &d.doc) {
                told.push(Piece::Words(documentation(doc).0));
            }
            let shown = clipped(&render::line(&value, &context.style));
            if let Some(text) = definition.map(|d| d.text.trim()).filter(|t| *t != shown) {
                told.push(Piece::Code(format!("  {}", text.replace('\n', "\n  "))));
            }
            told.push(Piece::Code(format!("  {}", shown.replace('\n', "\n  "))));
        } else if let Some(d) = context.declarations.get(&Symbol::new(&key)) {
            told.push(Piece::Code(declaration(&key, d, context)));
            if let Some(Some(doc)) = definition.map(|d| &d.doc) {
                told.push(Piece::Words(documentation(doc).0));
            }
        }
        told
    }

    /// Where a name is defined, as text: a declaration of the library, or what the user typed.
    ///
    /// # Errors
    /// No such definition; the nearest name, if one is near.
    pub fn source_of(&self, name: &str) -> Result<Vec<Piece>, Option<String>> {
        let key = crate::syntax::normalise_name(name);
        if let Some(d) = self.definitions.get(&*key) {
            return Ok(vec![Piece::Code(d.text.clone()), Piece::Words(format!("({})", d.place))]);
        }
        let mut told = Vec::new();
        for e in entries(&self.context.library).into_iter().filter(|e| *e.name == *key) {
            let doc: Vec<String> = e.doc.lines().map(|l| format!("## {}", l.trim())).collect();
            let doc = if doc.is_empty() { String::new() } else { doc.join("\n") + "\n" };
            told.push(Piece::Code(format!("{doc}{}", e.text)));
            let body = if e.text.starts_with("extern") { "; the body is compiled" } else { "" };
            told.push(Piece::Words(format!("(stdlib/{}.phys{body})", e.module.replace('.', "/"))));
        }
        if told.is_empty() { Err(self.describe(name).err().flatten()) } else { Ok(told) }
    }

    /// Declarations, units, constants and laws whose name or documentation holds all of the words, best first.
    pub fn search(&self, words: &str) -> Vec<Piece> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let rank = |names: &str, doc: &str| -> Option<usize> {
            let (names, doc) = (names.to_lowercase(), doc.to_lowercase());
            let found = words.iter().all(|w| names.contains(w) || doc.contains(w));
            found.then(|| {
                let first = first_sentence(&doc);
                // What begins with the very words is what was meant.
                if words.len() > 1 && doc.trim_start().starts_with(&words.join(" ")) {
                    return 0;
                }
                words
                    .iter()
                    .map(|w| match () {
                        () if names == *w => 0,
                        () if names.contains(w) => 1,
                        () if first.contains(w) => 2,
                        () => 3,
                    })
                    .sum()
            })
        };
        let mut found: Vec<(usize, String, String)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for e in entries(&self.context.library) {
            if let Some(rank) = rank(&e.name, &format!("{} {} {}", e.doc, e.module, e.kind))
                && seen.insert((e.name.clone(), e.module.clone()))
            {
                let place =
                    if e.module.starts_with("core.") { String::new() } else { format!("{}.", e.module) };
                found.push((
                    rank,
                    format!("{place}{}", e.name),
                    format!("{}. {}", e.kind, first_sentence(&e.doc)),
                ));
            }
        }
        for u in self.context.catalogue.names() {
            if let Some(rank) = rank(&u.names.join(" "), &u.doc) {
                let names: Vec<&str> = u.names.iter().map(|n| &**n).collect();
                found.push((
                    rank,
                    format!("[{}]", names.last().unwrap_or(&"")),
                    format!("unit. {}", first_sentence(&u.doc)),
                ));
            }
        }
        for (name, d) in &self.definitions {
            if let Some(rank) = rank(name, d.doc.as_deref().unwrap_or("")) {
                found.push((
                    rank,
                    name.clone(),
                    format!("yours. {}", first_sentence(d.doc.as_deref().unwrap_or(""))),
                ));
            }
        }
        found.sort();
        let more = found.len().saturating_sub(LISTED);
        let mut told: Vec<Piece> =
            found.into_iter().take(LISTED).map(|(_, name, what)| Piece::Row(name, what)).collect();
        if more > 0 {
            told.push(Piece::Words(format!("and {more} more: add a word to narrow the search")));
        }
        told
    }

    /// A unit as written without its brackets: what it is, its size in base units, its dimension, others of it.
    ///
    /// # Errors
    /// The fault of the unit, in words.
    pub fn describe_unit(&self, text: &str) -> Result<Vec<Piece>, String> {
        let catalogue = &self.context.catalogue;
        let unit = catalogue.parse(text).map_err(|e| e.to_string())?;
        let mut told = Vec::new();
        let base = Unit::coherent(unit.dimension());
        let exact = Style { digits: Some(12), ..Style::default() };
        let size = print::float(unit.scale().to_f64(), &exact);
        let definition = match unit.is_ordinary() {
            true if unit.dimension().is_none() => format!("1 [{text}] = {size}"),
            true => format!("1 [{text}] = {size} [{}]", unit.dimension()),
            false => format!("[{text}] is an offset or logarithmic scale of [{base}]"),
        };
        told.push(Piece::Code(definition));
        if let Some(known) = catalogue.names().find(|u| u.names.iter().any(|n| **n == *text)) {
            told.push(Piece::Words(known.doc.clone()));
            let names: Vec<&str> = known.names.iter().map(|n| &**n).collect();
            let prefixes = if known.takes_prefixes { "; takes prefixes" } else { "" };
            told.push(Piece::Words(format!("names: {}{prefixes}", names.join(", "))));
        }
        let dimension = unit.dimension();
        if !dimension.is_none() {
            let name = dimension.name().map_or_else(String::new, |n| format!(" ({n})"));
            told.push(Piece::Words(format!("dimension: {dimension}{name}")));
        }
        let same: Vec<String> = catalogue
            .names()
            .filter_map(|u| {
                let first = u.names.first()?;
                let own = catalogue.parse(first).ok()?;
                let short = u.names.iter().min_by_key(|n| n.chars().count())?;
                let listed = own.dimension() == dimension && !u.names.iter().any(|n| **n == *text);
                listed.then(|| short.to_string())
            })
            .collect();
        if !same.is_empty() {
            told.push(Piece::Words(format!("same dimension: {}", same.join(", "))));
        }
        Ok(told)
    }

    /// Every binding and declaration of the user: name, kind with unit, value on one line.
    pub fn variables(&self) -> Vec<(String, String, String)> {
        let context = &self.context;
        let mut all: Vec<(String, String, String)> = context
            .globals
            .iter()
            .map(|(name, value)| {
                let unit = unit_of(context, value).map_or_else(String::new, |u| format!(" [{u}]"));
                let shown = render::line(value, &context.style).replace('\n', " ");
                (name.to_string(), format!("{}{unit}", value.kind_name()), clipped(&shown))
            })
            .collect();
        for (symbol, d) in context.declarations.iter() {
            let shown = declaration(symbol.name(), d, context);
            let kind = if d.start.is_some() { "param" } else { "var" };
            let unit =
                d.unit.as_ref().filter(|u| !u.is_one()).map_or_else(String::new, |u| format!(" [{u}]"));
            all.push((symbol.to_string(), format!("{kind}{unit}"), shown));
        }
        all.sort();
        all
    }
}

/// A text of at most 2000 characters.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(2_000) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}

/// The unit of a value that is a number or an expression and has one.
fn unit_of(context: &Context, value: &Value) -> Option<String> {
    match value.plain() {
        Value::Column(c) => c.unit.as_ref().filter(|u| !u.is_one()).map(Unit::to_string),
        Value::Law(l) => l.unit.as_ref().filter(|u| !u.is_one()).map(Unit::to_string),
        Value::Expr(e) => {
            if let Some(unit) = e.split_unit().1 {
                return Some(unit.to_string());
            }
            match dimension::of(e, &context.declarations) {
                Ok(Some(d)) if !d.is_none() => Some(Unit::coherent(d).to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A declaration as it could be typed.
fn declaration(name: &str, d: &Declaration, context: &Context) -> String {
    let mut text = format!("{} {name}", if d.start.is_some() { "param" } else { "var" });
    if let Some(unit) = d.unit.as_ref().filter(|u| !u.is_one()) {
        text += &format!(" [{unit}]");
    }
    if let Some(start) = d.start {
        let own = d.unit.as_ref().filter(|u| u.is_ordinary()).map_or(1.0, |u| u.scale().to_f64());
        text += &format!(" = {}", print::float(start / own, &context.style));
    }
    let a = &d.assumptions;
    for (holds, words) in [
        (a.complex, " complex"),
        (a.integer, " integer"),
        (a.positive, " > 0"),
        (a.negative, " < 0"),
        (a.nonnegative && !a.positive, " >= 0"),
        (a.nonpositive && !a.negative, " <= 0"),
        (a.nonzero && !a.positive && !a.negative, " != 0"),
    ] {
        if holds {
            text += words;
        }
    }
    match d.written.as_deref() {
        Some([low, high]) if matches!(d.domain, Some(crate::expression::Domain::Interval { .. })) => {
            let shown = |e| render::expr(e, &context.style);
            text += &format!(" in {}..{}", shown(low), shown(high));
        }
        Some(many) => {
            let shown: Vec<String> = many.iter().map(|e| render::expr(e, &context.style)).collect();
            text += &format!(" in [{}]", shown.join(", "));
        }
        None => {}
    }
    text
}

/// A name that the language itself binds.
fn constant(name: &str) -> Option<&'static str> {
    Some(match &*crate::syntax::normalise_name(name) {
        "pi" => {
            "pi: the ratio of a circle's circumference to its diameter, 3.14159...; exact until a float is asked for"
        }
        "e" => "e: the base of natural logarithms, 2.71828...; e^x is exp(x)",
        "i" => "i: the imaginary unit, sqrt(-1)",
        "inf" => "inf: infinity, an end of a range or a limit",
        _ => return None,
    })
}

/// How a reserved word is used.
fn keyword(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "if" | "then" | "else" => (
            "if c then a else b\nif c { ... } else { ... }",
            "An expression, where an undecided condition makes a piecewise one; or a statement.",
        ),
        "for" | "in" => (
            "for k in 1..3 { ... }\n[k^2 for k in 1..3 if k != 2]",
            "A loop over a range or list, and a list made by one.",
        ),
        "where" => ("E = 1/2*m*v^2 where v = p/m", "Local names at the end of a statement."),
        "var" => (
            "var r [m] > 0 in 1..5",
            "Declares symbols: unit, assumptions and domain, each optional, in this order.",
        ),
        "param" => ("param a [m] = 1 in 0..10", "A symbol with a starting value that fits may adjust."),
        "const" => ("const G = 6.67430e-11 [m^3/(kg*s^2)]", "A name that cannot be bound again."),
        "unit" => ("unit furlong = 201.168 [m]", "Defines a unit."),
        "check" => (
            "check sin(x)^2 + cos(x)^2 == 1",
            "Must hold; a failure stops and shows both sides with a counterexample.",
        ),
        "use" | "as" => (
            "use physics.constants: c, hbar\nuse \"mine.phys\" as mine",
            "Brings in a module of the library or a file.",
        ),
        "rule" | "when" => ("rule sqrt(x^2) => x when x >= 0", "A rewrite rule for `simplify`."),
        "and" | "or" | "not" | "true" | "false" => ("x > 0 and not x == 1", "Conditions."),
        "extern" => {
            ("extern f(x: real) -> real", "Declares what Rust implements; only the standard library does.")
        }
        _ => return None,
    })
}

/// A definition as it was typed.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The statement.
    pub text: String,
    /// Its `##` lines.
    pub doc: Option<String>,
    /// What the source is called.
    pub place: String,
}

/// The definitions in a text that was run.
pub(super) fn definitions(text: &str, place: &str) -> Vec<(String, Definition)> {
    let tree = tree_of(text);
    bound_by(&tree)
        .into_iter()
        .map(|(name, span, doc)| {
            let text = text.get(span.start as usize..span.end as usize).unwrap_or("").to_string();
            (name, Definition { text, doc, place: place.to_string() })
        })
        .collect()
}
