//! The catalogue of units: which names there are, what they mean, and with which prefixes. It is read from
//! `stdlib/units/*.phys` and passed down; a user's `unit` statement goes into a clone, which shares all
//! else. Definitions are parsed when they are first needed.
//!
//! A spelling of up to three letters is a symbol (`km`: symbol of a prefix, symbol of a unit), one of three
//! or more is a name (`kilometre`); `## symbols:` adds symbols of any length.

use super::coherent;
use super::define::{self, Resolve};
use super::dimension::Dimension;
use super::error::UnitError;
use super::library::{Cut, Notes, cut};
use super::prefix::{Prefix, Prefixes, splits};
use super::scale::Scale;
use super::suggestion;
use super::unit::{Kind, Named, Unit};
use crate::base::{Code, Diagnostic, Source, Span};
use crate::syntax::tree::{ExprId, Ident, StatementKind, Tree, UnitExpr};
use crate::syntax::{self, normalise_unit};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, OnceLock};

/// A unit of the catalogue, for completion and manuals.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitName {
    /// All its spellings without prefix.
    pub names: Vec<Arc<str>>,
    /// What it is, with source and year.
    pub doc: String,
    /// Whether a prefix may stand before it.
    pub takes_prefixes: bool,
    /// Whether a `unit` statement of the user defined it.
    pub by_user: bool,
}

/// What a unit is, once its definition has been read.
#[derive(Clone, Debug, PartialEq)]
struct Meaning {
    dimension: Dimension,
    scale: Scale,
}

#[derive(Debug)]
struct Entry {
    names: Vec<Arc<str>>,
    notes: Notes,
    /// The statement; `None` where the meaning was given.
    text: Option<Arc<str>>,
    meaning: OnceLock<Result<Meaning, UnitError>>,
    by_user: bool,
}

impl Entry {
    fn spellings(&self) -> impl Iterator<Item = &Arc<str>> {
        // A name may be listed again as a symbol, to take symbols of prefixes (`Mbyte`).
        self.names.iter().chain(self.notes.symbols.iter().filter(|s| !self.names.contains(s)))
    }

    /// Whether `spelling` takes symbols of prefixes, and names of prefixes.
    fn roles(&self, spelling: &str) -> (bool, bool) {
        let length = spelling.chars().count();
        let listed = self.notes.symbols.iter().any(|s| **s == *spelling);
        (length <= 3 || listed, length >= 3)
    }
}

#[derive(Clone, Debug, Default)]
struct Inner {
    entries: Vec<Arc<Entry>>,
    index: HashMap<Arc<str>, u32>,
}

/// All known units. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Catalogue(Arc<Inner>);

/// A spelling taken apart.
struct Found<'a> {
    at: u32,
    prefix: Option<(&'static Prefix, &'static str)>,
    base: &'a str,
}

impl Catalogue {
    /// Reads files of `unit` statements, `(name shown in messages, text)` each, in order: a definition may
    /// use the units above it. Values are parsed later; [`Catalogue::verify`] reads them all.
    pub fn load(files: &[(&str, &str)]) -> Result<Catalogue, Diagnostic> {
        let mut inner = Inner::default();
        for (file, text) in files {
            for Cut { names, notes, text, defined } in cut(file, text)? {
                let fault = |found: String| {
                    Diagnostic::error(
                        Code(1108),
                        None,
                        format!("expected a new unit, found {found} in {file}"),
                    )
                };
                let meaning = if defined { OnceLock::new() } else { base_meaning(&names, &notes).into() };
                let entry = Entry { names, notes, text: defined.then_some(text), meaning, by_user: false };
                let at = inner.entries.len() as u32;
                for spelling in entry.spellings() {
                    match inner.index.entry(spelling.clone()) {
                        Slot::Occupied(_) => return Err(fault(format!("`{spelling}` again"))),
                        Slot::Vacant(slot) => slot.insert(at),
                    };
                }
                inner.entries.push(Arc::new(entry));
            }
        }
        Ok(Catalogue(Arc::new(inner)))
    }

    /// Reads every definition; the first fault found.
    pub fn verify(&self) -> Result<(), UnitError> {
        (0..self.0.entries.len()).try_for_each(|at| self.meaning(at as u32).map(drop))
    }

    /// A unit as written in a source.
    pub fn resolve(&self, unit: &UnitExpr) -> Result<Unit, (UnitError, Span)> {
        self.resolve_below(unit, u32::MAX)
    }

    /// A unit as text, without brackets: `km/h`.
    pub fn parse(&self, text: &str) -> Result<Unit, UnitError> {
        let unit = syntax::parse_unit(text).map_err(|fault| UnitError::Unreadable(Box::new(fault)))?;
        self.resolve(&unit).map_err(|(error, _)| error)
    }

    /// Whether this spelling, prefix included, is a unit.
    pub fn contains(&self, symbol: &str) -> bool {
        self.find(&normalise_unit(symbol), u32::MAX).is_ok()
    }

    /// Adds a `unit` statement of the user (to this clone only), with the `##` lines above it. Its value is
    /// a constant such as `201.168 [m]`; see [`Catalogue::define_as`] for values computed elsewhere.
    pub fn define(
        &mut self,
        tree: &Tree,
        names: &[Ident],
        value: Option<ExprId>,
        doc: Option<&str>,
    ) -> Result<Unit, (UnitError, Span)> {
        let first = names.first().map_or("", |n| &n.name);
        let place = names.first().map_or(Span::default(), |n| n.span);
        let Some(value) = value else {
            let (expected, found) = ("a value with a unit", "none".to_string());
            return Err((UnitError::Definition { name: first.into(), expected, found }, place));
        };
        let resolve: Resolve<'_> = &|unit| self.resolve(unit);
        let (dimension, scale) = define::evaluate(first, tree, value, resolve)?;
        let spelled: Vec<&str> = names.iter().map(|n| &*n.name).collect();
        self.define_as(&spelled, doc, scale, dimension).map_err(|error| {
            let taken = |n: &&Ident| matches!(&error, UnitError::NameTaken { name, .. } if **name == *n.name);
            let span = names.iter().find(taken).map_or(place, |n| n.span);
            (error, span)
        })
    }

    /// Adds a unit of the user with a computed size. Another unit of the user may be replaced; the
    /// library's may not, but saying again what is known is no fault.
    pub fn define_as(
        &mut self,
        names: &[&str],
        doc: Option<&str>,
        scale: Scale,
        dimension: Dimension,
    ) -> Result<Unit, UnitError> {
        let first = names.first().copied().unwrap_or("");
        let bad = |found| UnitError::Definition { name: first.into(), expected: "a known remark", found };
        let notes = Notes::read(doc.unwrap_or("")).map_err(bad)?;
        let meaning = Meaning { dimension, scale };
        let names: Vec<Arc<str>> = names.iter().map(|n| normalise_unit(n)).collect();
        let entry = Entry { names, notes, text: None, meaning: Ok(meaning.clone()).into(), by_user: true };
        let Some(shown) = entry.names.first().cloned() else {
            return Err(UnitError::Definition {
                name: String::new(),
                expected: "a name",
                found: "none".into(),
            });
        };
        for spelling in entry.spellings() {
            let Ok(found) = self.find(spelling, u32::MAX) else { continue };
            if self.0.entries[found.at as usize].by_user {
                continue;
            }
            let known = self.unit_of(spelling, &found)?;
            let same = known.dimension() == dimension && *known.scale() == meaning.scale;
            if !same || !known.is_ordinary() {
                let meaning = match found.prefix {
                    Some((prefix, _)) => format!("the {}{}", prefix.name, self.long_name(found.at)),
                    None => format!("the {}", self.long_name(found.at)),
                };
                return Err(UnitError::NameTaken { name: spelling.to_string(), meaning });
            }
        }
        let inner = Arc::make_mut(&mut self.0);
        let at = inner.entries.len() as u32;
        for spelling in entry.spellings() {
            inner.index.insert(spelling.clone(), at);
        }
        inner.entries.push(Arc::new(entry));
        self.symbol(&shown)
    }

    /// Every unit, in the order of the files.
    pub fn names(&self) -> impl Iterator<Item = UnitName> + '_ {
        self.0
            .entries
            .iter()
            .enumerate()
            .filter(|(at, entry)| {
                // A unit that the user has replaced is still here for what was built with it.
                !entry.by_user || entry.spellings().any(|s| self.0.index.get(s) == Some(&(*at as u32)))
            })
            .map(|(_, entry)| UnitName {
                names: entry.spellings().cloned().collect(),
                doc: entry.notes.doc.clone(),
                takes_prefixes: entry.notes.prefixes != Prefixes::None,
                by_user: entry.by_user,
            })
    }

    /// Every spelling that [`Catalogue::resolve`] knows, prefixes included, each as often as it can be read.
    pub fn spellings(&self) -> impl Iterator<Item = String> + '_ {
        use super::prefix::PREFIXES;
        self.0.entries.iter().flat_map(|entry| {
            entry.spellings().flat_map(move |spelling| {
                let (as_symbol, as_name) = entry.roles(spelling);
                let allowed = PREFIXES.iter().filter(|p| entry.notes.prefixes.allows(p));
                let prefixed = allowed.flat_map(move |p| {
                    let symbols = p.symbols.iter().copied().filter(move |_| as_symbol);
                    symbols.chain(as_name.then_some(p.name)).map(move |p| format!("{p}{spelling}"))
                });
                std::iter::once(spelling.to_string()).chain(prefixed)
            })
        })
    }

    fn long_name(&self, at: u32) -> &str {
        let names = &self.0.entries[at as usize].names;
        names.first().map_or("", |n| n)
    }

    fn resolve_below(&self, unit: &UnitExpr, limit: u32) -> Result<Unit, (UnitError, Span)> {
        let mut result = Unit::one();
        for factor in &unit.factors {
            let place = |error: UnitError| {
                let span =
                    if matches!(error, UnitError::PowerOverflow { .. }) { unit.span } else { factor.span };
                (error, span)
            };
            let symbol = &*factor.symbol;
            let named = self.find(symbol, limit).and_then(|found| self.unit_of(symbol, &found));
            let power = named.and_then(|u| u.pow(&factor.power)).map_err(place)?;
            // `degC*m` and `m*degC` are the fault of the unit that stands alone.
            result = result.mul(&power).map_err(|error| (error, unit.span))?;
        }
        Ok(result)
    }

    fn symbol(&self, symbol: &str) -> Result<Unit, UnitError> {
        let found = self.find(symbol, u32::MAX)?;
        self.unit_of(symbol, &found)
    }

    /// Takes a spelling apart, among the entries before `limit`.
    fn find<'a>(&self, symbol: &'a str, limit: u32) -> Result<Found<'a>, UnitError> {
        let inner = &*self.0;
        let known = |name: &str| inner.index.get(name).copied().filter(|at| *at < limit);
        if let Some(at) = known(symbol) {
            return Ok(Found { at, prefix: None, base: symbol });
        }
        let mut refused = None;
        for (prefix, spelled, base, is_symbol) in splits(symbol) {
            let Some(at) = known(base) else { continue };
            let entry = &inner.entries[at as usize];
            let (as_symbol, as_name) = entry.roles(base);
            if entry.notes.prefixes.allows(prefix) && (if is_symbol { as_symbol } else { as_name }) {
                return Ok(Found { at, prefix: Some((prefix, spelled)), base });
            }
            refused.get_or_insert((prefix, spelled, base, at));
        }
        Err(match refused {
            Some((prefix, spelled, base, at)) => {
                let entry = &inner.entries[at as usize];
                let repaired = entry.spellings().find_map(|spelling| {
                    let (as_symbol, as_name) = entry.roles(spelling);
                    match (as_symbol, as_name) {
                        _ if !entry.notes.prefixes.allows(prefix) => None,
                        (true, _) => Some(format!("{}{spelling}", prefix.symbols[0])),
                        (_, true) => Some(format!("{}{spelling}", prefix.name)),
                        _ => None,
                    }
                });
                let instead = repaired.unwrap_or_else(|| base.to_string());
                UnitError::PrefixNotAllowed { prefix: spelled.into(), unit: base.into(), instead }
            }
            None => UnitError::Unknown { name: symbol.into(), nearest: suggestion::nearest(symbol, self) },
        })
    }

    fn meaning(&self, at: u32) -> Result<&Meaning, UnitError> {
        let entry = &self.0.entries[at as usize];
        let read = || {
            let name = entry.names.first().map_or("", |n| n);
            let text = entry.text.as_deref().unwrap_or("");
            let unread = |found: String| UnitError::Definition {
                name: name.into(),
                expected: "a value with a unit",
                found,
            };
            let parsed = syntax::parse(&Source::new(0, name, text));
            if let Some(fault) = parsed.diagnostics.iter().find(|d| d.is_error()) {
                return Err(unread(fault.message.clone()));
            }
            let tree = parsed.tree;
            let value = tree.statements.first().and_then(|s| match &s.kind {
                StatementKind::Unit { value, .. } => *value,
                _ => None,
            });
            let value = value.ok_or_else(|| unread(text.into()))?;
            // Only the units above: a definition can never need itself.
            let resolve: Resolve<'_> = &|unit| self.resolve_below(unit, at);
            let (dimension, scale) =
                define::evaluate(name, &tree, value, resolve).map_err(|(error, _)| error)?;
            Ok(Meaning { dimension, scale })
        };
        entry.meaning.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    fn unit_of(&self, symbol: &str, found: &Found<'_>) -> Result<Unit, UnitError> {
        let entry = &self.0.entries[found.at as usize];
        let meaning = self.meaning(found.at)?;
        let base_latex = entry.notes.latex.clone();
        let (scale, latex) = match found.prefix {
            None => (meaning.scale.clone(), base_latex),
            Some((prefix, spelled)) => {
                let micro = matches!(spelled, "μ" | "u");
                let shown = if micro { "\\mu " } else { spelled };
                let latex = (micro || base_latex.is_some())
                    .then(|| format!("{shown}{}", base_latex.as_deref().unwrap_or(found.base)));
                (meaning.scale.mul(&prefix.scale()), latex)
            }
        };
        let (symbol, dimension) = (symbol.into(), meaning.dimension);
        Ok(Unit::named(Arc::new(Named { symbol, latex, dimension, scale, kind: entry.notes.kind.clone() })))
    }
}

/// The meaning of a base unit: one of its spellings is its symbol in the SI.
fn base_meaning(names: &[Arc<str>], notes: &Notes) -> Result<Meaning, UnitError> {
    let unit = names.iter().chain(&notes.symbols).find_map(|name| coherent::base(name));
    let name = || names.first().map_or(String::new(), |n| n.to_string());
    let none = || UnitError::Definition { name: name(), expected: "a value", found: "none".into() };
    unit.filter(|_| notes.kind == Kind::Ordinary)
        .map(|u| Meaning { dimension: u.dimension(), scale: Scale::ONE })
        .ok_or_else(none)
}
