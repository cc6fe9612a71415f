//! From text to raw tokens: the logos automaton of `token`, and by hand what no automaton of that kind
//! can cut: strings with interpolation (a stack of open strings), comments that document the statement below,
//! numbers in a wrong form. Each bracket learns its partner, so that looking ahead is free.

use logos::Logos;

use super::errors::SyntaxError;
use super::parse::MAX_FAULTS;
use super::token::Raw;
use super::tree::Comment;
use crate::base::{Diagnostic, Span};

/// No partner.
pub const NO_MATE: u32 = u32::MAX;

/// A raw token.
#[derive(Clone, Copy, Debug)]
pub struct RawTok {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// For brackets, the index of the partner.
    pub mate: u32,
    /// What it is.
    pub kind: Raw,
    /// Whether it is the first on its line.
    pub first: bool,
}

/// All raw tokens of a source, with its comments and lexical faults.
#[derive(Debug, Default)]
pub struct Lexed {
    /// The tokens.
    pub tokens: Vec<RawTok>,
    /// The comments.
    pub comments: Vec<Comment>,
    /// For the first token below `##` lines, their text: (start of the token, text), in order.
    pub docs: Vec<(u32, String)>,
    /// Lexical faults.
    pub faults: Vec<Diagnostic>,
    /// Whether every bracket has its partner.
    pub balanced: bool,
}

/// Cuts a whole text.
pub fn lex(text: &str, source: u32) -> Lexed {
    let mut cutter = Cutter {
        text,
        source,
        out: Lexed { balanced: true, tokens: Vec::with_capacity(text.len() / 3), ..Lexed::default() },
        open: Vec::new(),
        strings: Vec::new(),
        first: true,
        line: 0,
        doc: None,
    };
    cutter.run();
    cutter.out
}

struct Cutter<'t> {
    text: &'t str,
    source: u32,
    out: Lexed,
    /// Open brackets: index of the token and its closing kind.
    open: Vec<(u32, Raw)>,
    /// For every open interpolation, how many `{` are open inside it.
    strings: Vec<u32>,
    first: bool,
    line: u32,
    /// `##` lines read and the number of the last of them.
    doc: Option<(String, u32)>,
}

impl Cutter<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start as u32, end as u32)
    }

    fn fault(&mut self, fault: SyntaxError, start: usize, end: usize) {
        // Nobody reads more; the count alone says that there are too many.
        if self.out.faults.len() <= MAX_FAULTS {
            let span = self.span(start, end);
            self.out.faults.push(fault.at(span));
        }
    }

    fn push(&mut self, kind: Raw, start: usize, end: usize) {
        if self.first
            && let Some((text, line)) = self.doc.take()
            && line + 1 == self.line
        {
            self.out.docs.push((start as u32, text));
        }
        let index = self.out.tokens.len() as u32;
        let mut mate = NO_MATE;
        if matches!(kind, Raw::RParen | Raw::RBracket | Raw::RBrace | Raw::StrMid | Raw::StrTail) {
            let wanted = if kind == Raw::StrMid { Raw::StrTail } else { kind };
            match self.open.last() {
                Some(&(opener, closer)) if closer == wanted => {
                    self.open.pop();
                    mate = opener;
                    self.out.tokens[opener as usize].mate = index;
                }
                _ => self.out.balanced = false,
            }
        }
        match kind {
            Raw::LParen => self.open.push((index, Raw::RParen)),
            Raw::LBracket => self.open.push((index, Raw::RBracket)),
            Raw::LBrace => self.open.push((index, Raw::RBrace)),
            Raw::StrHead | Raw::StrMid => self.open.push((index, Raw::StrTail)),
            _ => {}
        }
        self.out.tokens.push(RawTok { start: start as u32, end: end as u32, mate, kind, first: self.first });
        self.first = false;
    }

    fn run(&mut self) {
        let mut lex = Raw::lexer(self.text);
        while let Some(token) = lex.next() {
            let kind = token.unwrap_or(Raw::Bad);
            let (start, end) = (lex.span().start, lex.span().end);
            match kind {
                Raw::Newline => {
                    self.close_strings(start);
                    self.first = true;
                    self.line += 1;
                }
                Raw::Comment => {
                    self.close_strings(start);
                    self.comment(start, end);
                }
                Raw::Quote => {
                    let (length, how) = scan_string(lex.remainder());
                    lex.bump(length);
                    let end = end + length;
                    match how {
                        End::Quote => self.push(Raw::Str, start, end),
                        End::Brace => {
                            self.push(Raw::StrHead, start, end);
                            self.strings.push(0);
                        }
                        End::Line => {
                            self.open_string(start, end);
                            self.push(Raw::Str, start, end);
                        }
                    }
                }
                Raw::VerbatimQuote => {
                    let rest = lex.remainder();
                    let length = rest.find(['"', '\n']).unwrap_or(rest.len());
                    let closed = rest[length..].starts_with('"');
                    lex.bump(length + closed as usize);
                    let end = end + length + closed as usize;
                    if !closed {
                        self.open_string(start, end);
                    }
                    self.push(Raw::Verbatim, start, end);
                }
                Raw::LBrace => {
                    if let Some(depth) = self.strings.last_mut() {
                        *depth += 1;
                    }
                    self.push(kind, start, end);
                }
                Raw::RBrace => match self.strings.last_mut() {
                    Some(0) => {
                        let (length, how) = scan_string(lex.remainder());
                        lex.bump(length);
                        let end = end + length;
                        match how {
                            End::Brace => self.push(Raw::StrMid, start, end),
                            End::Quote => {
                                self.strings.pop();
                                self.push(Raw::StrTail, start, end);
                            }
                            End::Line => {
                                self.open_string(start, end);
                                self.strings.pop();
                                self.push(Raw::StrTail, start, end);
                            }
                        }
                    }
                    depth => {
                        if let Some(depth) = depth {
                            *depth -= 1;
                        }
                        self.push(kind, start, end);
                    }
                },
                Raw::Int | Raw::Float => {
                    let extra = self.malformed_number(kind, start, end);
                    lex.bump(extra);
                    let kind = if extra > 0 { Raw::Float } else { kind };
                    self.push(kind, start, end + extra);
                }
                Raw::Dot => {
                    let digits = digits_at(lex.remainder());
                    let touches =
                        self.out.tokens.last().is_some_and(|t| t.end as usize == start) && !self.first;
                    if digits > 0 && !touches {
                        lex.bump(digits);
                        let found = &self.text[start..end + digits];
                        let fault = SyntaxError::Number {
                            expected: "digits on both sides of the point",
                            found: format!("`{found}`"),
                            hint: Some(format!("0{found}")),
                        };
                        self.fault(fault, start, end + digits);
                        self.push(Raw::Float, start, end + digits);
                    } else {
                        self.push(kind, start, end);
                    }
                }
                Raw::Bad => {
                    // A run of strange characters is one fault.
                    if let Some(last) = self.out.tokens.last_mut()
                        && last.kind == Raw::Bad
                        && last.end as usize == start
                    {
                        last.end = end as u32;
                        if let Some(span) = self.out.faults.last_mut().and_then(|f| f.span.as_mut()) {
                            span.end = end as u32;
                        }
                    } else {
                        let fault = bad_character(&self.text[start..end]);
                        self.fault(fault, start, end);
                        // A string in typographic quotes is read as one.
                        let rest = lex.remainder();
                        let quoted = self.text[start..end].starts_with(['“', '”', '„', '«']);
                        let close = if quoted { rest.find(['“', '”', '»', '"', '\n']) } else { None };
                        match close.filter(|&i| !rest[i..].starts_with('\n')) {
                            Some(i) => {
                                let length = i + rest[i..].chars().next().map_or(0, char::len_utf8);
                                lex.bump(length);
                                self.push(Raw::Str, start, end + length);
                            }
                            None => self.push(kind, start, end),
                        }
                    }
                }
                _ => self.push(kind, start, end),
            }
        }
        self.close_strings(self.text.len());
        if !self.open.is_empty() {
            self.out.balanced = false;
        }
    }

    fn open_string(&mut self, start: usize, end: usize) {
        // A long one is most likely closed too late, not never.
        let text = self.text.get(start..end).filter(|t| t.len() <= 60).unwrap_or("\"...");
        self.fault(SyntaxError::OpenString { text: text.to_owned() }, start, end);
    }

    /// An interpolation ends with its line.
    fn close_strings(&mut self, at: usize) {
        if self.strings.is_empty() {
            return;
        }
        let start = self
            .out
            .tokens
            .iter()
            .rev()
            .find(|t| matches!(t.kind, Raw::StrHead | Raw::StrMid))
            .map_or(at, |t| t.start as usize);
        self.open_string(start, at);
        for _ in 0..std::mem::take(&mut self.strings).len() {
            self.push(Raw::StrTail, at, at);
        }
    }

    fn comment(&mut self, start: usize, end: usize) {
        let text = self.text[start..end].trim_end();
        let doc = self.first && text.starts_with("##") && !text.starts_with("###");
        self.out.comments.push(Comment {
            span: self.span(start, start + text.len()),
            doc,
            own_line: self.first,
        });
        if !self.first {
            return;
        }
        if !doc {
            self.doc = None;
            return;
        }
        let line = &text[2..];
        let line = line.strip_prefix(' ').unwrap_or(line);
        match &mut self.doc {
            Some((doc, last)) if *last + 1 == self.line => {
                doc.push('\n');
                doc.push_str(line);
                *last = self.line;
            }
            _ => self.doc = Some((line.to_owned(), self.line)),
        }
    }

    /// Reports a number in a wrong form and says how many more bytes belong to it.
    fn malformed_number(&mut self, kind: Raw, start: usize, end: usize) -> usize {
        let (number, rest) = (&self.text[start..end], &self.text[end..]);
        let Some(&next) = rest.as_bytes().first() else { return 0 };
        let (extra, expected, hint) = match next {
            b'.' if kind == Raw::Int => {
                let after = &rest[1..];
                let exponent = exponent_at(after);
                let name = after.chars().next().is_some_and(super::names::is_start);
                if after.starts_with('.') || (name && exponent == 0) {
                    return 0;
                }
                let hint = format!("{number}.0{}", &after[..exponent]);
                (1 + exponent, "digits on both sides of the point", Some(hint))
            }
            b'x' | b'X' | b'b' | b'B' | b'o' | b'O' if number == "0" => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_hexdigit).count();
                if digits == 0 {
                    return 0;
                }
                let base = match next.to_ascii_lowercase() {
                    b'x' => 16,
                    b'o' => 8,
                    _ => 2,
                };
                let value = u64::from_str_radix(&rest[1..=digits], base).ok();
                (1 + digits, "a decimal integer", value.map(|v| v.to_string()))
            }
            b'(' if kind == Raw::Float => {
                let digits = digits_at(&rest[1..]);
                if digits == 0 || !rest[1 + digits..].starts_with(')') {
                    return 0;
                }
                let exponent = exponent_at(&rest[2 + digits..]);
                let power = &rest[2 + digits..2 + digits + exponent];
                let hint =
                    last_digits(number, &rest[1..=digits]).map(|e| format!("{number}{power} ± {e}{power}"));
                (2 + digits + exponent, "an uncertain number with ±", hint)
            }
            b'_' => {
                let extra = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                let plain: String = [number, &rest[..extra]].concat().replace('_', "");
                let hint = plain.bytes().all(|b| b.is_ascii_digit()).then_some(plain);
                (extra, "single _ between digits", hint)
            }
            _ => return 0,
        };
        let found = format!("`{}`", &self.text[start..end + extra]);
        self.fault(SyntaxError::Number { expected, found, hint }, start, end + extra);
        extra
    }
}

/// How a piece of a string ends.
enum End {
    Quote,
    Brace,
    Line,
}

/// The length of a piece of a string, its end mark included.
fn scan_string(rest: &str) -> (usize, End) {
    let bytes = rest.as_bytes();
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        match b {
            b'"' => return (i + 1, End::Quote),
            b'{' => return (i + 1, End::Brace),
            b'\n' => break,
            // The byte behind a backslash is taken as it is; it may begin a longer character.
            b'\\' if bytes.get(i + 1).is_some_and(|&b| b != b'\n') => i += 2,
            _ => i += 1,
        }
    }
    let mut end = i.min(bytes.len());
    if rest[..end].ends_with('\r') {
        end -= 1;
    }
    (end, End::Line)
}

fn digits_at(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of `e-3` at the start of the text.
fn exponent_at(text: &str) -> usize {
    if !text.starts_with(['e', 'E']) {
        return 0;
    }
    let sign = text[1..].starts_with(['+', '-']) as usize;
    match digits_at(&text[1 + sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

/// `5` as the uncertainty of the last digits of `1.234` is `0.005`.
fn last_digits(number: &str, digits: &str) -> Option<String> {
    let decimals = number.split_once('.').filter(|(_, f)| f.bytes().all(|b| b.is_ascii_digit()))?.1.len();
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    Some(format!("{whole}.{fraction}"))
}

fn bad_character(text: &str) -> SyntaxError {
    let c = text.chars().next().unwrap_or('\0');
    let (found, hint) = match c {
        '“' | '”' | '„' | '«' | '»' => (format!("the quote {c}"), Some("\"...\"")),
        '\'' | '‘' | '’' => (format!("the quote {c}"), Some("\"...\"")),
        '–' | '—' | '‐' => (format!("the dash {c}"), Some("-")),
        '&' => ("`&`".to_owned(), Some("and")),
        '|' => ("`|`".to_owned(), Some("or")),
        '~' => ("`~`".to_owned(), Some("not")),
        'ⁿ' | 'ⁱ' => (format!("`{c}`"), Some(if c == 'ⁿ' { "x^n" } else { "x^i" })),
        '∇' => ("`∇`".to_owned(), Some("diff(f, x)")),
        '∫' => ("`∫`".to_owned(), Some("integrate(f, x)")),
        '²'..='³' | '⁰'..='⁾' => (format!("`{c}`"), Some("x^2")),
        '@' | '$' | '`' | '\\' => (format!("`{c}`"), None),
        c if c.is_control() => (format!("the control character U+{:04X}", c as u32), None),
        c => (format!("`{c}` (U+{:04X})", c as u32), None),
    };
    SyntaxError::Character { found, hint: hint.map(str::to_owned) }
}
