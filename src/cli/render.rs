//! Diagnostics for people, through ariadne: code, message, the place in the source, the hint.

use std::collections::BTreeMap;
use std::ops::Range;

use ariadne::{Config, IndexType, Label, Report, ReportKind};

use super::output;
use crate::base::{Diagnostic, Severity, Source, Span};

/// Lines longer than this are not quoted.
const MAX_QUOTED: usize = 400;

struct Place(u32, Range<usize>);

impl ariadne::Span for Place {
    type SourceId = u32;
    fn source(&self) -> &u32 {
        &self.0
    }
    fn start(&self) -> usize {
        self.1.start
    }
    fn end(&self) -> usize {
        self.1.end
    }
}

struct Cache<'a> {
    sources: &'a BTreeMap<u32, Source>,
    read: BTreeMap<u32, ariadne::Source<String>>,
}

impl ariadne::Cache<u32> for Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &u32) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        let Some(source) = self.sources.get(id) else { return Err(format!("no source {id}")) };
        Ok(self.read.entry(*id).or_insert_with(|| ariadne::Source::from(source.text.to_string())))
    }

    fn display<'b>(&self, id: &'b u32) -> Option<impl std::fmt::Display + 'b> {
        self.sources.get(id).map(|s| s.name.to_string())
    }
}

/// A diagnostic as text.
pub fn text(d: &Diagnostic, sources: &BTreeMap<u32, Source>) -> String {
    let word = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    let quotable = |span: &Span| {
        sources.get(&span.source).is_some_and(|s| {
            let text: &str = &s.text;
            let bytes = text.as_bytes();
            // A place after the last line is quoted with that line.
            let mut at = (span.start as usize).min(text.len());
            while at > 0 && (at == text.len() || bytes[at] == b'\n') {
                at -= 1;
            }
            let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |i| at + i);
            let to = (span.end as usize).min(text.len());
            end - start <= MAX_QUOTED && to.saturating_sub(at) <= 20 * MAX_QUOTED
        })
    };
    let mut plain = format!("{word}[{}]: {}", d.code, d.message);
    let Some(span) = d.span else {
        if let Some(hint) = &d.hint {
            plain.push_str(&format!("\n  hint: {hint}"));
        }
        return plain;
    };
    if !quotable(&span) {
        if let Some(source) = sources.get(&span.source) {
            let (line, column) = source.line_column(span.start);
            plain.push_str(&format!("\n  at {}:{line}:{column}", source.name));
        }
        if let Some(hint) = &d.hint {
            plain.push_str(&format!("\n  hint: {hint}"));
        }
        return plain;
    }
    let range = |s: &Span| s.start as usize..(s.end as usize).max(s.start as usize);
    let kind = ReportKind::Custom(word, ariadne::Color::Red);
    let mut report = Report::build(kind, Place(span.source, range(&span)))
        .with_config(Config::default().with_index_type(IndexType::Byte).with_color(false))
        .with_code(d.code)
        .with_message(&d.message)
        .with_label(Label::new(Place(span.source, range(&span))).with_message(if d.label.is_empty() {
            "here"
        } else {
            &d.label
        }));
    for (place, remark) in d.related.iter().filter(|(p, _)| quotable(p)) {
        report = report.with_label(Label::new(Place(place.source, range(place))).with_message(remark));
    }
    if let Some(hint) = &d.hint {
        report = report.with_help(hint);
    }
    let mut bytes = Vec::new();
    let mut cache = Cache { sources, read: BTreeMap::new() };
    match report.finish().write(&mut cache, &mut bytes) {
        Ok(()) => {
            let text = without_escapes(&String::from_utf8_lossy(&bytes));
            text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
        }
        Err(_) => plain,
    }
}

/// The text without terminal escapes: messages are the same in a file and on a terminal.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        rest = rest[at + 2..].find('m').map_or("", |end| &rest[at + 2 + end + 1..]);
    }
    plain.push_str(rest);
    plain
}

/// Diagnostics on standard error: errors and warnings in full, notices on one line.
pub fn show(diagnostics: &[Diagnostic], sources: &BTreeMap<u32, Source>) {
    for d in diagnostics {
        if d.severity == Severity::Notice {
            let hint = d.hint.as_ref().map_or(String::new(), |h| format!(" ({h})"));
            output::error_line(&format!("notice[{}]: {}{hint}", d.code, d.message));
        } else {
            output::error_line(&text(d, sources));
        }
    }
}
