//! From raw tokens to the tokens of the grammar: one pass with a stack of open brackets that settles
//! what an LR(1) grammar could not: whether `[` opens a list, an index or a unit; whether `{` opens a record,
//! a block or a body; where a line ends a statement; where a number multiplies what it touches; whether
//! `f(x) = ...` defines a function. It also reports what only the context can explain (`f (x)`, `2 m`, a forgotten
//! bracket) and goes on with the tokens that were meant, so that one fault is reported once.

mod brackets;
mod mistakes;

use super::errors::SyntaxError;
use super::lexer::{Lexed, NO_MATE, RawTok};
use super::parse::MAX_FAULTS;
use super::token::{Raw, Tok};
use crate::base::{Diagnostic, Span};

/// Levels of brackets that are read.
pub const MAX_DEPTH: usize = 1000;

/// The tokens for the grammar and what was found on the way.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Tokens with their places.
    pub tokens: Vec<(u32, Tok, u32)>,
    /// Faults.
    pub faults: Vec<Diagnostic>,
    /// Stretches swallowed by a forgotten bracket: the parser's own faults inside them are not reported.
    pub swallowed: Vec<(u32, u32)>,
    /// Whether a bracket was still open at the end of the text.
    pub open_at_end: bool,
    /// Whether the last token cannot end a statement.
    pub dangling: bool,
    /// Faults that do not come from the end of the text.
    pub early_faults: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Top,
    Group,
    Call,
    List,
    Index,
    Record,
    Block,
    Body,
    Interpolation,
}

impl Kind {
    /// Round or square: newlines inside mean nothing.
    fn is_inline(self) -> bool {
        matches!(self, Kind::Group | Kind::Call | Kind::List | Kind::Index)
    }

    fn has_entries(self) -> bool {
        matches!(self, Kind::Record | Kind::Block)
    }

    fn has_statements(self) -> bool {
        matches!(self, Kind::Top | Kind::Body)
    }

    fn closer(self) -> (Tok, &'static str) {
        match self {
            Kind::Group | Kind::Call => (Tok::RParen, ")"),
            Kind::List | Kind::Index => (Tok::RBracket, "]"),
            Kind::Record | Kind::Block => (Tok::REntries, "}"),
            Kind::Body | Kind::Top => (Tok::RBody, "}"),
            Kind::Interpolation => (Tok::StrTail, "}"),
        }
    }
}

/// What the first words of a statement say about the tokens to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Plain,
    /// `var`, `param` or `for`, before `=` or `in`: a bracket behind a name is a unit.
    Names,
    /// `unit`, before `=`.
    UnitNames,
    /// `extern`, or a definition before its `=`: behind `->` stands a type.
    Typed,
    /// After `where`.
    Where,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: Kind,
    /// Place of the opening bracket.
    start: u32,
    end: u32,
    /// Indentation of its line.
    indent: u32,
    mode: Mode,
    /// Whether the next `{` behind a value opens the body of this `for` or `if`.
    head: Option<Raw>,
    /// Whether it holds the parameters of a definition.
    params: bool,
    /// Whether a type is being read.
    in_type: bool,
}

/// Resolves all tokens of a source.
pub fn resolve(text: &str, source: u32, lexed: &Lexed) -> Resolved {
    let top = Frame {
        kind: Kind::Top,
        start: 0,
        end: 0,
        indent: 0,
        mode: Mode::Plain,
        head: None,
        params: false,
        in_type: false,
    };
    let mut resolver = Resolver {
        text,
        source,
        raws: &lexed.tokens,
        balanced: lexed.balanced,
        out: Resolved {
            tokens: Vec::with_capacity(lexed.tokens.len() + lexed.tokens.len() / 4),
            ..Resolved::default()
        },
        frames: vec![top],
        prev: None,
        prev_end: 0,
        prev_raw: 0,
        indent: 0,
        else_of_body: false,
        params_next: false,
        line_start: 0,
        reported_line: None,
        too_deep: false,
    };
    let mut i = 0;
    while i < lexed.tokens.len() && resolver.out.faults.len() < MAX_FAULTS {
        i = resolver.step(i);
    }
    resolver.finish();
    resolver.out
}

struct Resolver<'a> {
    text: &'a str,
    source: u32,
    raws: &'a [RawTok],
    balanced: bool,
    out: Resolved,
    frames: Vec<Frame>,
    prev: Option<Tok>,
    prev_end: u32,
    prev_raw: usize,
    indent: u32,
    /// The last token was the `else` behind a body.
    else_of_body: bool,
    /// The next `(` opens parameters.
    params_next: bool,
    /// First byte of the line's first token.
    line_start: u32,
    /// The line in which values side by side were last reported.
    reported_line: Option<u32>,
    too_deep: bool,
}

impl<'a> Resolver<'a> {
    fn slice(&self, raw: &RawTok) -> &'a str {
        &self.text[raw.start as usize..raw.end as usize]
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.source, start, end)
    }

    fn fault(&mut self, fault: SyntaxError, start: u32, end: u32) {
        let span = self.span(start, end);
        self.out.faults.push(fault.at(span));
    }

    /// The innermost open bracket; the first frame is never closed.
    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn emit(&mut self, tok: Tok, start: u32, end: u32) {
        self.out.tokens.push((start, tok, end));
        self.prev = Some(tok);
        self.prev_end = end;
    }

    /// The raw kind with reserved words turned into names before `:` and after `.`.
    fn effective(&self, i: usize) -> Raw {
        let kind = self.raws[i].kind;
        if !kind.is_keyword() {
            return kind;
        }
        let after_dot = i > 0 && self.raws[i - 1].kind == Raw::Dot;
        let before_colon = self.raws.get(i + 1).is_some_and(|t| t.kind == Raw::Colon)
            && self.frames.last().is_some_and(|f| f.kind != Kind::Interpolation);
        if after_dot || before_colon { Raw::Name } else { kind }
    }

    /// Whether a statement or an entry can begin with this token.
    fn begins(kind: Raw) -> bool {
        use Raw::*;
        matches!(
            kind,
            Name | Int
                | Float
                | Str
                | Verbatim
                | StrHead
                | LParen
                | LBracket
                | Root
                | Bad
                | Bang
                | UnitSign
                | If
                | For
                | Var
                | Param
                | Const
                | Unit
                | Check
                | Use
                | Extern
                | Rule
                | Not
                | True
                | False
        )
    }

    fn at_statement_start(&self) -> bool {
        matches!(self.prev, None | Some(Tok::Newline | Tok::Semi | Tok::Body))
            && self.frames.last().is_some_and(|f| f.kind.has_statements())
    }

    fn end_statement(&mut self) {
        let frame = self.frame();
        frame.mode = Mode::Plain;
        frame.head = None;
        frame.in_type = false;
        self.else_of_body = false;
        self.params_next = false;
    }

    /// Reads the token `i` and says which comes next.
    fn step(&mut self, i: usize) -> usize {
        let raw = self.raws[i];
        let mut kind = self.effective(i);
        if kind.is_keyword() && self.raws.get(i + 1).is_some_and(|t| t.kind == Raw::Assign) {
            // Between entries and arguments the fault is the `=`.
            if self.frame().kind.has_statements() {
                let word = self.slice(&raw);
                let fault = SyntaxError::Unexpected {
                    expected: "a name before =".to_owned(),
                    found: format!("the reserved word `{word}`"),
                    hint: Some(format!("{word}_")),
                };
                self.fault(fault, raw.start, raw.end);
            }
            kind = Raw::Name;
        }
        if raw.first {
            self.line_start = raw.start;
            if !self.balanced {
                let before = &self.text.as_bytes()[..raw.start as usize];
                self.indent = before.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count() as u32;
                self.close_forgotten(i);
            }
            self.line_end(i, kind);
        }
        let next = self.token(i, raw, kind);
        self.prev_raw = next - 1;
        next
    }

    /// Decides whether the line above ended a statement or an entry.
    fn line_end(&mut self, i: usize, kind: Raw) {
        let Some(prev) = self.prev else { return };
        let frame = *self.frame();
        let entries = frame.kind.has_entries();
        if !entries && !frame.kind.has_statements() {
            return;
        }
        if prev == Tok::RBody {
            if kind != Raw::Else && kind != Raw::RBrace {
                self.emit(Tok::Newline, self.prev_end, self.prev_end);
                self.end_statement();
            }
            return;
        }
        let bare = entries && prev.is_bare_operator() && {
            let n = self.out.tokens.len();
            n >= 2 && self.out.tokens[n - 2].1 == Tok::Colon
        };
        if !prev.ends_operand() && !bare {
            return;
        }
        if Self::begins(kind) {
            self.emit(if entries { Tok::EntryEnd } else { Tok::Newline }, self.prev_end, self.prev_end);
            if !entries {
                self.end_statement();
            }
        } else if matches!(kind, Raw::Plus | Raw::Minus) && !bare {
            let raw = self.raws[i];
            let sign = if kind == Raw::Plus { '+' } else { '-' };
            self.fault(SyntaxError::LeadingSign { sign }, raw.start, raw.end);
        }
    }

    /// Whether the token stands behind a value in the same statement.
    fn behind_value(&self) -> bool {
        self.prev.is_some_and(|p| p.ends_operand() && p != Tok::RBody)
    }

    fn touches(&self, raw: &RawTok) -> bool {
        self.prev_end == raw.start && !raw.first
    }

    /// The place behind `-> type` at `i`, or `i` where there is none.
    fn behind_result(&self, i: usize) -> usize {
        let kind = |i: usize| self.raws.get(i).map(|t| t.kind);
        if kind(i) != Some(Raw::Arrow) || kind(i + 1) != Some(Raw::Name) {
            return i;
        }
        let mut next = i + 2;
        if let Some(open) = self.raws.get(next).filter(|t| t.mate != NO_MATE && t.mate as usize > next) {
            next = open.mate as usize + 1;
        }
        while kind(next) == Some(Raw::Question) {
            next += 1;
        }
        next
    }

    /// Whether `name(` at `i` begins a definition: its bracket holds parameters and is followed by `=`, where `typed` is so
    /// by `-> type =`, too.
    fn is_definition(&self, i: usize, typed: bool) -> bool {
        let Some(open) = self.raws.get(i + 1).filter(|t| t.kind == Raw::LParen && !t.first) else {
            return false;
        };
        if open.mate == NO_MATE {
            return false;
        }
        let close = open.mate as usize;
        let behind = if typed { self.behind_result(close + 1) } else { close + 1 };
        if self.raws.get(behind).is_none_or(|t| t.kind != Raw::Assign) {
            return false;
        }
        let mut j = i + 2;
        loop {
            if j >= close {
                return true;
            }
            let name = self.raws[j].kind;
            if name != Raw::Name && !(name.is_keyword() && self.raws[j + 1].kind == Raw::Colon) {
                return false;
            }
            j += 1;
            match self.raws[j].kind {
                Raw::Comma | Raw::RParen => {}
                Raw::Colon | Raw::Assign => {
                    while j < close && self.raws[j].kind != Raw::Comma {
                        let mate = self.raws[j].mate;
                        j = if mate != NO_MATE && mate as usize > j { mate as usize + 1 } else { j + 1 };
                    }
                }
                _ => return false,
            }
            j += 1;
        }
    }

    fn token(&mut self, i: usize, raw: RawTok, kind: Raw) -> usize {
        let (start, end) = (raw.start, raw.end);
        let else_of_body = std::mem::take(&mut self.else_of_body);
        match kind {
            Raw::LParen => return self.round(i, raw),
            Raw::LBracket => return self.square(i, raw),
            Raw::LBrace => {
                let behind = self.behind_value();
                let frame = self.frame();
                if else_of_body || (behind && frame.head.is_some()) {
                    frame.head = None;
                    return self.open(i, Tok::Body, Kind::Body);
                }
                if behind {
                    return self.open(i, Tok::Block, Kind::Block);
                }
                return self.open(i, Tok::Record, Kind::Record);
            }
            Raw::RParen | Raw::RBracket | Raw::RBrace => return self.close(i, kind),
            Raw::StrHead => {
                self.side_by_side(i);
                return self.open(i, Tok::StrHead, Kind::Interpolation);
            }
            Raw::StrMid => {
                if self.close_interpolation(start) {
                    self.emit(Tok::StrMid, start, end);
                }
            }
            Raw::StrTail => {
                if self.close_interpolation(start) {
                    self.frames.pop();
                    self.emit(Tok::StrTail, start, end);
                }
            }
            Raw::Name => return self.name(i, raw),
            Raw::Int | Raw::Float | Raw::Str | Raw::Verbatim | Raw::True | Raw::False => {
                self.side_by_side(i);
                self.emit(simple(kind), start, end);
            }
            Raw::Root => {
                if matches!(self.prev, Some(Tok::Int | Tok::Float)) && self.touches(&raw) {
                    self.emit(Tok::Juxt, start, start);
                } else {
                    self.side_by_side(i);
                }
                self.emit(Tok::Root, start, end);
            }
            Raw::Colon => {
                let frame = self.frame();
                if frame.params {
                    frame.in_type = true;
                }
                let interpolation = frame.kind == Kind::Interpolation;
                if interpolation
                    && let (Some(digits), Some(after)) = (self.raws.get(i + 1), self.raws.get(i + 2))
                    && digits.kind == Raw::Int
                    && matches!(after.kind, Raw::StrMid | Raw::StrTail)
                {
                    self.emit(Tok::Digits, start, digits.end);
                    return i + 2;
                }
                self.emit(Tok::Colon, start, end);
            }
            Raw::Comma => {
                let frame = self.frame();
                if frame.params {
                    frame.in_type = false;
                }
                let tok = if frame.kind.has_entries() { Tok::EntryComma } else { Tok::Comma };
                self.emit(tok, start, end);
            }
            Raw::Assign | Raw::ColonEq => {
                if kind == Raw::ColonEq {
                    self.foreign(i, kind);
                }
                let frame = self.frame();
                if frame.params || frame.mode == Mode::Typed {
                    frame.in_type = false;
                }
                if matches!(frame.mode, Mode::Names | Mode::UnitNames | Mode::Typed) {
                    frame.mode = Mode::Plain;
                }
                self.emit(Tok::Assign, start, end);
            }
            Raw::Semi => match self.frame().kind {
                kind if kind.has_statements() => {
                    self.emit(Tok::Semi, start, end);
                    self.end_statement();
                }
                kind if kind.has_entries() => self.emit(Tok::EntryEnd, start, end),
                kind => {
                    let (_, closer) = kind.closer();
                    let fault = SyntaxError::Unexpected {
                        expected: format!("`,` or `{closer}`"),
                        found: "`;`".to_owned(),
                        hint: Some(",".to_owned()),
                    };
                    self.fault(fault, start, end);
                    self.emit(Tok::Comma, start, end);
                }
            },
            Raw::Arrow => {
                let frame = self.frame();
                if frame.kind.has_statements() && frame.mode == Mode::Typed {
                    frame.in_type = true;
                }
                self.emit(Tok::Arrow, start, end);
            }
            Raw::StarStar | Raw::AndAnd | Raw::OrOr | Raw::LtGt | Raw::LongArrow => {
                self.foreign(i, kind);
                self.emit(simple(kind), start, end);
            }
            Raw::UnitSign => self.unit_sign(i, raw),
            Raw::Bang => {
                self.foreign(i, kind);
                // `n!` behind a value has no meaning to go on with; before one it is `not`.
                if !self.behind_value() {
                    self.emit(Tok::Not, start, end);
                }
            }
            Raw::Bad => self.emit(Tok::Error, start, end),
            _ => self.word(kind, start, end, else_of_body),
        }
        i + 1
    }

    /// Keywords and plain operators.
    fn word(&mut self, kind: Raw, start: u32, end: u32, else_of_body: bool) {
        let starts = self.at_statement_start();
        let prev = self.prev;
        let frame = self.frame();
        match kind {
            Raw::Var | Raw::Param if starts => frame.mode = Mode::Names,
            Raw::Unit if starts => frame.mode = Mode::UnitNames,
            Raw::Extern if starts => frame.mode = Mode::Typed,
            Raw::If if starts || else_of_body => frame.head = Some(kind),
            Raw::For => {
                frame.mode = Mode::Names;
                if starts {
                    frame.head = Some(kind);
                }
            }
            Raw::Then if frame.head == Some(Raw::If) => frame.head = None,
            Raw::In if frame.mode == Mode::Names => frame.mode = Mode::Plain,
            Raw::Where if frame.kind.has_statements() => frame.mode = Mode::Where,
            Raw::Else => self.else_of_body = prev == Some(Tok::RBody),
            _ => {}
        }
        self.emit(simple(kind), start, end);
    }

    fn name(&mut self, i: usize, raw: RawTok) -> usize {
        let (start, end) = (raw.start, raw.end);
        let frame = *self.frame();
        if frame.in_type
            && self.slice(&raw) == "quantity"
            && self.raws.get(i + 1).is_some_and(|t| t.kind == Raw::LBracket && t.start == end)
        {
            self.emit(Tok::Quantity, start, end);
            return i + 1;
        }
        let starts = self.at_statement_start();
        let may_define = frame.kind.has_statements()
            && (starts || (frame.mode == Mode::Where && matches!(self.prev, Some(Tok::Where | Tok::Comma))));
        if may_define && self.is_definition(i, starts) {
            if starts {
                self.frame().mode = Mode::Typed;
            }
            self.emit(Tok::Def, start, start);
            self.emit(Tok::Name, start, end);
            self.params_next = true;
            return i + 1;
        }
        if matches!(self.prev, Some(Tok::Int | Tok::Float)) && self.touches(&raw) {
            self.emit(Tok::Juxt, start, start);
        } else {
            self.side_by_side(i);
        }
        if frame.mode == Mode::Typed && self.prev == Some(Tok::Extern) {
            self.params_next = true;
        }
        self.emit(Tok::Name, start, end);
        i + 1
    }

    fn finish(&mut self) {
        let at = self.text.len() as u32;
        self.out.early_faults = self.out.faults.len();
        self.out.dangling =
            self.prev.is_some_and(|p| !p.ends_operand() && !matches!(p, Tok::Newline | Tok::Semi));
        if self.frames.len() > 1 {
            self.out.open_at_end = true;
        }
        while self.frames.len() > 1 {
            self.forget(at + 1);
        }
    }
}

/// Tokens that do not depend on their context.
fn simple(kind: Raw) -> Tok {
    match kind {
        Raw::Int => Tok::Int,
        Raw::Float => Tok::Float,
        Raw::Str => Tok::Str,
        Raw::Verbatim => Tok::RawStr,
        Raw::True => Tok::True,
        Raw::False => Tok::False,
        Raw::If => Tok::If,
        Raw::Then => Tok::Then,
        Raw::Else => Tok::Else,
        Raw::For => Tok::For,
        Raw::In => Tok::In,
        Raw::Where => Tok::Where,
        Raw::Var => Tok::Var,
        Raw::Param => Tok::Param,
        Raw::Const => Tok::Const,
        Raw::Unit => Tok::UnitWord,
        Raw::Check => Tok::Check,
        Raw::Use => Tok::Use,
        Raw::As => Tok::As,
        Raw::Extern => Tok::Extern,
        Raw::Rule => Tok::Rule,
        Raw::When => Tok::When,
        Raw::And | Raw::AndAnd => Tok::And,
        Raw::Or | Raw::OrOr => Tok::Or,
        Raw::Not => Tok::Not,
        Raw::Dot => Tok::Dot,
        Raw::DotDot => Tok::DotDot,
        Raw::Ellipsis => Tok::Ellipsis,
        Raw::EqEq => Tok::EqEq,
        Raw::Ne | Raw::LtGt => Tok::Ne,
        Raw::Lt => Tok::Lt,
        Raw::Le => Tok::Le,
        Raw::Gt => Tok::Gt,
        Raw::Ge => Tok::Ge,
        Raw::FatArrow | Raw::LongArrow => Tok::FatArrow,
        Raw::Plus => Tok::Plus,
        Raw::Minus => Tok::Minus,
        Raw::Star => Tok::Star,
        Raw::Slash => Tok::Slash,
        Raw::CenterDot => Tok::CenterDot,
        Raw::Cross => Tok::Cross,
        Raw::Caret | Raw::StarStar => Tok::Caret,
        Raw::PlusMinus => Tok::PlusMinus,
        Raw::Pipe => Tok::Pipe,
        Raw::Question => Tok::Question,
        Raw::Super => Tok::Super,
        // The others are handled where their context is known.
        _ => Tok::Error,
    }
}
