//! Diagnostics as text, through ariadne with byte spans: code, message, place, the line with its label, further
//! places, and the hint. Spans are cut to their first line; of lines too long to read only the place is told.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind};

use crate::base::{Diagnostic, Severity, Source, Span};
use crate::session::Sources;

/// Bytes of a line that is still quoted.
const MAX_LINE: usize = 400;

/// Renders diagnostics; keeps the line tables of the sources it has seen.
pub struct Renderer {
    sources: Sources,
    colour: bool,
    read: HashMap<u32, (Source, ariadne::Source<Arc<str>>)>,
}

/// The texts as ariadne asks for them.
struct Texts<'a>(&'a HashMap<u32, (Source, ariadne::Source<Arc<str>>)>);

impl ariadne::Cache<u32> for Texts<'_> {
    type Storage = Arc<str>;

    fn fetch(&mut self, id: &u32) -> Result<&ariadne::Source<Arc<str>>, impl fmt::Debug> {
        self.0.get(id).map(|(_, text)| text).ok_or("no such source")
    }

    fn display<'a>(&self, id: &'a u32) -> Option<impl fmt::Display + 'a> {
        self.0.get(id).map(|(source, _)| source.name.to_string())
    }
}

impl Renderer {
    /// A renderer over these sources, with or without colour.
    pub fn new(sources: Sources, colour: bool) -> Renderer {
        Renderer { sources, colour, read: HashMap::new() }
    }

    /// The text of a diagnostic, without a newline at its end. A notice is one line with its place, except at the
    /// prompt, where the line is in sight; what points into a line too long to quote is not quoted.
    pub fn render(&mut self, d: &Diagnostic) -> String {
        if d.severity == Severity::Notice {
            let hint = d.hint.as_ref().map_or_else(String::new, |h| format!(" ({h})"));
            let place = d.span.and_then(|span| {
                let source = self.source(span.source).filter(|s| !s.name.starts_with('<'))?;
                let (line, column) = source.line_column(span.start);
                Some(format!(" at {}:{line}:{column}", source.name))
            });
            return format!("notice[{}]{}: {}{hint}", d.code, place.unwrap_or_default(), d.message);
        }
        self.quoted(d).unwrap_or_else(|| self.unquoted(d))
    }

    /// The source under a number, with its table of lines; a prompt uses a number again after a failed line.
    fn source(&mut self, id: u32) -> Option<&Source> {
        let found = self.sources.get(id)?;
        let stale = self.read.get(&id).is_none_or(|(known, _)| !Arc::ptr_eq(&known.text, &found.text));
        if stale {
            let text = ariadne::Source::from(found.text.clone());
            self.read.insert(id, (found, text));
        }
        self.read.get(&id).map(|(source, _)| source)
    }

    fn unquoted(&self, d: &Diagnostic) -> String {
        let mut text = format!("{}[{}]: {}", word(d.severity), d.code, d.message);
        if let Some(span) = d.span
            && let Some(source) = self.sources.get(span.source)
        {
            let (line, column) = source.line_column(span.start);
            text += &format!("\n  at {}:{line}:{column}", source.name);
        }
        if let Some(hint) = &d.hint {
            text += &format!("\n  hint: {}", hint.replace('\n', "\n        "));
        }
        text
    }

    fn quoted(&mut self, d: &Diagnostic) -> Option<String> {
        let span = d.span?;
        let at = cut(self.source(span.source)?, span)?;
        let mut labels = vec![(span.source, at.clone(), d.label.clone())];
        for (place, remark) in &d.related {
            if let Some(range) = self.source(place.source).and_then(|source| cut(source, *place)) {
                labels.push((place.source, range, remark.clone()));
            }
        }
        let colour = match d.severity {
            Severity::Error => Color::Red,
            Severity::Warning => Color::Yellow,
            Severity::Notice => Color::Cyan,
        };
        let config =
            Config::default().with_color(self.colour).with_index_type(IndexType::Byte).with_tab_width(4);
        let mut report = Report::build(ReportKind::Custom(word(d.severity), colour), (span.source, at))
            .with_config(config)
            .with_code(d.code)
            .with_message(&d.message);
        for (order, (source, range, words)) in labels.into_iter().enumerate() {
            let mut label =
                Label::new((source, range)).with_color(if order == 0 { colour } else { Color::Blue });
            // Without words ariadne underlines nothing.
            label = label.with_message(if words.is_empty() { "here".into() } else { words });
            report = report.with_label(label);
        }
        if let Some(hint) = &d.hint {
            report = report.with_help(hint);
        }
        let report = report.finish();
        let texts = &self.read;
        let mut bytes = Vec::new();
        // Spans come from many places; whatever ariadne makes of them, the message is told.
        catch_unwind(AssertUnwindSafe(|| report.write(Texts(texts), &mut bytes).ok())).ok().flatten()?;
        let text = String::from_utf8(bytes).ok()?;
        let text = if self.colour { text } else { without_escapes(&text) };
        Some(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
    }
}

/// The text without terminal escapes: ariadne colours the kind of a report whatever its configuration says.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// The part of a span on its first line, on character boundaries; `None` where the line is too long to quote.
fn cut(source: &Source, span: Span) -> Option<Range<usize>> {
    let text: &str = &source.text;
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let mut start = boundary(span.start as usize);
    // The end of a text that ends with a newline is shown behind its last line.
    if start == text.len() && !text.is_empty() {
        start = text.trim_end_matches(['\n', '\r']).len();
    }
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |i| start + i);
    let end = boundary(span.end as usize).clamp(start, line_end.max(start));
    (line_end - line_start <= MAX_LINE).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Code;

    fn rendered(text: &str, d: &Diagnostic) -> String {
        let sources = Sources::default();
        sources.insert(Source::new(0, "a.phys", text));
        Renderer::new(sources, false).render(d)
    }

    #[test]
    fn every_span_of_a_text_can_be_shown() {
        let text = "é = 1\r\n\n  [m] + \t∂x\nlast";
        for start in 0..=text.len() as u32 + 2 {
            for end in start..=text.len() as u32 + 2 {
                let d = Diagnostic::error(Code(1234), Span::new(0, start, end), "words").label("here");
                let shown = rendered(text, &d);
                assert!(shown.starts_with("[P1234] error: words\n"), "{start}..{end}: {shown}");
                assert!(shown.contains("a.phys:") && shown.contains("here"), "{start}..{end}: {shown}");
            }
        }
    }

    #[test]
    fn long_lines_are_not_quoted() {
        let d = Diagnostic::error(Code(1234), Span::new(0, 5, 6), "words").hint("x\ny");
        let shown = rendered(&"1 + ".repeat(1000), &d);
        assert_eq!(shown, "error[P1234]: words\n  at a.phys:1:6\n  hint: x\n        y");
        let nowhere = Diagnostic::warning(Code(1234), None, "words");
        assert_eq!(rendered("", &nowhere), "warning[P1234]: words");
    }
}
