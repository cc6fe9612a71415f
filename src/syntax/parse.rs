//! A whole source in one call: lexer, resolver, parser, and the merging of what each of them reported.

use std::cell::Cell;

use super::builder::Builder;
use super::errors::SyntaxError;
use super::grammar::ProgramParser;
use super::token::Tok;
use super::tree::Tree;
use super::{lexer, resolve};
use crate::base::{Diagnostic, Source, Span};

/// The greatest source that is read, in bytes.
pub const MAX_BYTES: usize = 8_000_000;
/// Faults that are listed of one source.
pub const MAX_FAULTS: usize = 200;

/// Tokens without any action of the parser, after which those that cannot end a statement are dropped unseen. A faultless text
/// within the limit of depth never comes near.
const MAX_IDLE: u32 = 2_400;

/// What came of a source.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree; faulty pieces are `Error` nodes.
    pub tree: Tree,
    /// Errors and warnings in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the only thing wrong is that the text ended too early, so that a prompt should ask for more.
    pub incomplete: bool,
}

impl Parsed {
    /// Whether there are errors (warnings apart).
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads a source. Never fails: faults are in the answer, each with its place, and the statements around them are there.
pub fn parse(source: &Source) -> Parsed {
    let text: &str = &source.text;
    if text.len() > MAX_BYTES {
        let fault = SyntaxError::TooLarge { limit: MAX_BYTES, found: text.len() };
        let diagnostics = vec![fault.at(Span::new(source.id, 0, 0))];
        return Parsed { diagnostics, ..Parsed::default() };
    }
    let mut lexed = lexer::lex(text, source.id);
    let mut resolved = resolve::resolve(text, source.id, &lexed);
    let errors = Cell::new(lexed.faults.len() + resolved.faults.len());
    let idle = Cell::new(0);
    let mut builder = Builder::new(text, source.id, &resolved.tokens, &errors, &idle);
    builder.swallowed = &resolved.swallowed;
    builder.docs = &lexed.docs;
    builder.known =
        resolved.faults.iter().chain(&lexed.faults).filter_map(|d| d.span).map(|s| s.start).collect();
    // The stream ends early when there are more faults than anybody reads, and thins out while the parser drops
    // tokens behind a fault: looking for a place to go on costs time at each of them.
    let tokens = resolved
        .tokens
        .iter()
        .take_while(|_| errors.get() < MAX_FAULTS)
        .filter(|t| {
            idle.set(idle.get().saturating_add(1));
            let limit = if errors.get() > 10 { MAX_IDLE / 20 } else { MAX_IDLE };
            idle.get() < limit || matches!(t.1, Tok::Newline | Tok::Semi | Tok::RBody)
        })
        .map(|&t| Ok::<(u32, Tok, u32), ()>(t));
    let statements = match ProgramParser::new().parse(&mut builder, tokens) {
        Ok(statements) => statements,
        Err(error) => {
            builder.parse_error(error);
            Vec::new()
        }
    };
    let at_end = builder.at_end;
    let faults = std::mem::take(&mut builder.faults);
    let exprs = std::mem::take(&mut builder.exprs);
    drop(builder);

    let early =
        lexed.faults.len() + resolved.early_faults + faults.iter().filter(|d| d.is_error()).count() - at_end;
    let incomplete = early == 0 && (resolved.open_at_end || resolved.dangling || at_end > 0);
    let mut diagnostics = std::mem::take(&mut lexed.faults);
    diagnostics.append(&mut resolved.faults);
    diagnostics.extend(faults);
    diagnostics.sort_by_key(|d| d.span.map_or(0, |s| s.start));
    diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code);
    if errors.get() >= MAX_FAULTS {
        let end = diagnostics.get(MAX_FAULTS).and_then(|d| d.span).unwrap_or(Span::new(source.id, 0, 0));
        diagnostics.truncate(MAX_FAULTS);
        diagnostics.push(SyntaxError::TooMany { limit: MAX_FAULTS }.at(end));
    }
    Parsed { tree: Tree { exprs, statements, comments: lexed.comments }, diagnostics, incomplete }
}

#[cfg(test)]
mod tests;
