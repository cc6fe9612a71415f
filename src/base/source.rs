//! Source texts and places in them. A span is a range of bytes of one source.

use std::fmt;
use std::sync::Arc;

/// A range of bytes `start..end` of the source with number `source`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// Which source (its place in the list of sources a session has read).
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of source number `source`.
    pub fn new(source: u32, start: u32, end: u32) -> Span {
        Span { source, start, end }
    }

    /// The smallest span that holds both; the source is that of `self`.
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `other` lies inside `self`.
    pub fn contains(self, other: Span) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.source, self.start, self.end)
    }
}

/// A text that was read, with the name shown in messages (a path, `<prompt 3>`, `stdlib/core/list.phys`).
#[derive(Clone, Debug)]
pub struct Source {
    /// Its number, the same that spans carry.
    pub id: u32,
    /// What messages call it.
    pub name: Arc<str>,
    /// The text as read (UTF-8).
    pub text: Arc<str>,
}

impl Source {
    /// A source numbered `id`.
    pub fn new(id: u32, name: &str, text: &str) -> Source {
        Source { id, name: name.into(), text: text.into() }
    }

    /// The text under a span; empty where the span does not fit.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column, both from 1, the column in characters, of a byte offset.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (line, before[start..].chars().count() + 1)
    }
}
