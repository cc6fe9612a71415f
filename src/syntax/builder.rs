//! The actions of the grammar: they fill the arena of the tree, read the text of tokens, and report what is
//! well formed for the grammar but wrong for the language (`f(2) = 3`, `a == b == c`) or unclear (`1/2x`).

mod declarations;

use std::cell::Cell;
use std::collections::HashMap;

use lalrpop_util::{ErrorRecovery, ParseError};

use super::errors::SyntaxError;
use super::expect;
use super::names::{normalise_name, normalise_unit};
use super::resolve::MAX_DEPTH;
use super::token::Tok;
use super::tree::*;
use super::unit;
use crate::base::{Diagnostic, Number, Span};

/// What the parser hands over when it goes on behind a fault.
pub type Recovery = ErrorRecovery<u32, Tok, ()>;

/// An interpolated expression and the place of its `:4`.
pub type Piece = (ExprId, Option<(u32, u32)>);

/// Conditions of an `if` with their bodies, from the last to the first, and the body of the final `else`.
pub type Branches = (Vec<(ExprId, Vec<Statement>)>, Option<Vec<Statement>>);

/// The arguments in a call's round brackets, with the place of the brackets.
#[derive(Default)]
pub struct CallArgs {
    /// The arguments.
    pub args: Vec<Arg>,
    /// From `(` to behind `)`; empty where there are none.
    pub span: (u32, u32),
}

/// State of one parse.
pub struct Builder<'s> {
    pub(super) text: &'s str,
    pub(super) source: u32,
    pub(super) tokens: &'s [(u32, Tok, u32)],
    /// Stretches in which the parser's own faults are not reported.
    pub(super) swallowed: &'s [(u32, u32)],
    /// Places of the faults the resolver found.
    pub(super) known: Vec<u32>,
    /// Documentation by the start of the token below.
    pub(super) docs: &'s [(u32, String)],
    pub(super) exprs: Vec<ExprNode>,
    depths: Vec<u16>,
    names: HashMap<&'s str, Name>,
    pub(super) faults: Vec<Diagnostic>,
    /// Number of errors so far; the token stream ends when there are too many.
    pub(super) errors: &'s Cell<usize>,
    /// Tokens read since an action was last called; many of them mean that the parser is dropping tokens.
    idle: &'s Cell<u32>,
    /// Faults that only say that the text ended.
    pub(super) at_end: usize,
    too_deep: bool,
    /// `body{` tokens the recovery dropped, whose `}` is no fault.
    dropped_bodies: usize,
}

impl<'s> Builder<'s> {
    /// A builder of the tree of a text.
    pub fn new(
        text: &'s str,
        source: u32,
        tokens: &'s [(u32, Tok, u32)],
        errors: &'s Cell<usize>,
        idle: &'s Cell<u32>,
    ) -> Builder<'s> {
        Builder {
            text,
            source,
            tokens,
            swallowed: &[],
            known: Vec::new(),
            docs: &[],
            exprs: Vec::with_capacity(tokens.len()),
            depths: Vec::with_capacity(tokens.len()),
            names: HashMap::new(),
            faults: Vec::new(),
            errors,
            idle,
            at_end: 0,
            too_deep: false,
            dropped_bodies: 0,
        }
    }

    pub(super) fn slice(&self, l: u32, r: u32) -> &'s str {
        self.text.get(l as usize..r as usize).unwrap_or("")
    }

    /// The text at a place, for a message: short and on one line.
    pub(super) fn shown(&self, l: u32, r: u32, otherwise: &str) -> String {
        let text = self.slice(l, r).trim();
        if text.is_empty() || text.len() > 60 || text.contains('\n') {
            otherwise.to_owned()
        } else {
            text.to_owned()
        }
    }

    fn span(&self, l: u32, r: u32) -> Span {
        Span::new(self.source, l, r.max(l))
    }

    pub(super) fn fault(&mut self, fault: SyntaxError, l: u32, r: u32) {
        self.report(fault.at(self.span(l, r)));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.errors.set(self.errors.get() + 1);
        self.faults.push(diagnostic);
    }

    /// Whether a fault of the resolver lies here, from which another would only follow.
    fn is_known(&self, l: u32, r: u32) -> bool {
        self.known.iter().any(|&at| l <= at && at < r)
    }

    fn warn(&mut self, fault: SyntaxError, l: u32, r: u32) {
        let diagnostic = fault.warning_at(self.span(l, r));
        self.faults.push(diagnostic);
    }

    /// Adds an expression; one that is nested too deep becomes an error.
    pub fn push(&mut self, l: u32, kind: ExprKind, r: u32) -> ExprId {
        self.idle.set(0);
        let mut depth = 0;
        kind.each_child(|child| depth = depth.max(self.depths.get(child.0 as usize).copied().unwrap_or(0)));
        let (kind, depth) = if depth as usize >= MAX_DEPTH {
            if !self.too_deep {
                self.too_deep = true;
                self.fault(SyntaxError::TooDeep { limit: MAX_DEPTH }, l, r);
            }
            (ExprKind::Error, 0)
        } else {
            (kind, depth)
        };
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(ExprNode { kind, span: self.span(l, r) });
        self.depths.push(depth + 1);
        id
    }

    fn kind(&self, id: ExprId) -> &ExprKind {
        &self.exprs[id.0 as usize].kind
    }

    /// Whether the expression stood in brackets, given where its text began and ended.
    fn bracketed(&self, id: ExprId, l: u32) -> bool {
        self.exprs[id.0 as usize].span.start != l
    }

    // Names and literals

    fn intern(&mut self, text: &'s str) -> Name {
        self.names.entry(text).or_insert_with(|| normalise_name(text)).clone()
    }

    pub fn ident(&mut self, l: u32, r: u32) -> Ident {
        self.idle.set(0);
        let name = self.intern(self.slice(l, r));
        Ident { name, span: self.span(l, r) }
    }

    pub fn name(&mut self, ident: Ident) -> ExprId {
        self.push(ident.span.start, ExprKind::Name(ident.name), ident.span.end)
    }

    pub fn unit_name(&mut self, l: u32, r: u32) -> Ident {
        Ident { name: normalise_unit(self.slice(l, r)), span: self.span(l, r) }
    }

    pub fn integer(&mut self, l: u32, r: u32) -> ExprId {
        let text = self.slice(l, r);
        let number = if text.contains('_') {
            Number::parse_integer(&text.replace('_', ""))
        } else {
            Number::parse_integer(text)
        };
        self.push(l, ExprKind::Integer(number.unwrap_or(Number::ZERO)), r)
    }

    pub fn float(&mut self, l: u32, r: u32) -> ExprId {
        let text = self.slice(l, r);
        let value =
            if text.contains('_') { text.replace('_', "").parse::<f64>() } else { text.parse::<f64>() };
        // A malformed number has been reported by the lexer.
        let value = value.unwrap_or(0.0);
        if value.is_infinite() {
            let fault = SyntaxError::Number {
                expected: "a number below 1.8e308",
                found: format!("`{}`", self.shown(l, r, "a greater one")),
                hint: Some("inf".to_owned()),
            };
            self.fault(fault, l, r);
        }
        self.push(l, ExprKind::Float(value), r)
    }

    pub fn superscript(&mut self, l: u32, base: ExprId, m: u32, r: u32) -> ExprId {
        let (negative, digits, _) = unit::superscript(self.slice(m, r)).unwrap_or((false, String::new(), 0));
        let number = Number::parse_integer(&digits).unwrap_or(Number::ONE);
        let mut exponent = self.push(m, ExprKind::Integer(number), r);
        if negative {
            exponent = self.push(m, ExprKind::Neg(exponent), r);
        }
        self.push(l, ExprKind::Power(base, exponent), r)
    }

    // Strings

    /// Text with its escapes resolved; unknown ones are reported.
    fn unescape(&mut self, l: u32, r: u32) -> String {
        let text = self.slice(l, r);
        if !text.contains('\\') {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut chars = text.char_indices();
        while let Some((i, c)) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, c @ ('"' | '\\' | '{' | '}'))) => out.push(c),
                Some((j, c)) => {
                    let (from, to) = (l + i as u32, l + (j + c.len_utf8()) as u32);
                    self.fault(SyntaxError::Escape { found: format!("\\{c}") }, from, to);
                    out.push(c);
                }
                None => {}
            }
        }
        out
    }

    fn plain_text(&mut self, l: u32, r: u32) -> String {
        let text = self.slice(l, r);
        // A string that was not closed has no second quote.
        let closed = text.len() > 1 && text.ends_with('"');
        self.unescape(l + 1, if closed { r - 1 } else { r })
    }

    fn raw_text(&self, l: u32, r: u32) -> String {
        let text = self.slice(l, r);
        let inside = text.get(2..).unwrap_or("");
        inside.strip_suffix('"').unwrap_or(inside).to_owned()
    }

    pub fn string(&mut self, l: u32, r: u32) -> ExprId {
        let text = self.plain_text(l, r);
        let parts = if text.is_empty() { Vec::new() } else { vec![StrPart::Text(text)] };
        self.push(l, ExprKind::Str { parts, raw: false }, r)
    }

    pub fn raw_string(&mut self, l: u32, r: u32) -> ExprId {
        let text = self.raw_text(l, r);
        let parts = if text.is_empty() { Vec::new() } else { vec![StrPart::Text(text)] };
        self.push(l, ExprKind::Str { parts, raw: true }, r)
    }

    pub fn interpolated(
        &mut self,
        head: (u32, u32),
        first: Piece,
        rest: Vec<((u32, u32), Piece)>,
        tail: (u32, u32),
    ) -> ExprId {
        let mut parts = Vec::new();
        self.text_part(&mut parts, head.0 + 1, head.1.saturating_sub(1));
        let mut pieces = vec![first];
        let mut texts = Vec::new();
        for (text, piece) in rest {
            texts.push((text.0 + 1, text.1.saturating_sub(1)));
            pieces.push(piece);
        }
        let closed = self.slice(tail.0, tail.1).len() > 1 && self.slice(tail.0, tail.1).ends_with('"');
        texts.push((tail.0 + 1, if closed { tail.1 - 1 } else { tail.1 }));
        for ((expr, digits), text) in pieces.into_iter().zip(texts) {
            let digits = digits.and_then(|(l, r)| self.digits(l, r));
            parts.push(StrPart::Interpolation { expr, digits });
            self.text_part(&mut parts, text.0, text.1);
        }
        self.push(head.0, ExprKind::Str { parts, raw: false }, tail.1)
    }

    fn text_part(&mut self, parts: &mut Vec<StrPart>, l: u32, r: u32) {
        if l < r {
            let text = self.unescape(l, r);
            if !text.is_empty() {
                parts.push(StrPart::Text(text));
            }
        }
    }

    /// `:4`, significant digits from 1 to 17.
    fn digits(&mut self, l: u32, r: u32) -> Option<u32> {
        let text = self.slice(l, r).trim_start_matches(':').trim();
        match text.parse::<u32>() {
            Ok(n) if (1..=17).contains(&n) => Some(n),
            _ => {
                let fault = SyntaxError::Number {
                    expected: "1 to 17 significant digits",
                    found: format!("`{text}`"),
                    hint: Some("{x:4}".to_owned()),
                };
                self.fault(fault, l, r);
                None
            }
        }
    }

    pub fn string_name(&mut self, l: u32, r: u32) -> Ident {
        Ident { name: self.plain_text(l, r).into(), span: self.span(l, r) }
    }

    pub fn use_file(&mut self, l: u32, r: u32) -> UsePath {
        let raw = self.slice(l, r).starts_with('r');
        let path = if raw { self.raw_text(l, r) } else { self.plain_text(l, r) };
        UsePath::File(path, self.span(l, r))
    }

    pub fn unit(&mut self, l: u32, r: u32) -> UnitExpr {
        let text = self.slice(l, r);
        let span = self.span(l, r);
        let Some(inside) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) else {
            // Not closed; reported by the resolver.
            return UnitExpr { factors: Vec::new(), span };
        };
        match unit::parse_inside(inside, l + 1, self.source) {
            Ok(factors) => UnitExpr { factors, span },
            Err(mut diagnostic) => {
                // Behind a value and a space it may have been meant as an index.
                let before = &self.text[..l as usize];
                let value = before.trim_end();
                let word = value.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                let indexable = match value.chars().next_back() {
                    Some(')' | ']') => true,
                    _ => !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()),
                };
                if indexable && value.len() < before.len() {
                    let index = self.shown(l, r, "[i]");
                    let word = if word.is_empty() { "xs" } else { word };
                    let other = diagnostic.hint.map_or(String::new(), |h| format!("{h}, or "));
                    diagnostic.hint = Some(format!("{other}{word}{index} for an index"));
                }
                self.report(diagnostic);
                UnitExpr { factors: Vec::new(), span }
            }
        }
    }

    // Operators

    pub fn factor(
        &mut self,
        l: u32,
        mut factors: Vec<(MulOp, ExprId)>,
        op: MulOp,
        m: u32,
        factor: ExprId,
        r: u32,
    ) -> Vec<(MulOp, ExprId)> {
        if op == MulOp::Divide && !self.bracketed(factor, m) {
            let left = self.shown(l, m, "a/");
            let right = self.shown(m, r, "b");
            match self.kind(factor) {
                ExprKind::Juxtaposed(number, _) => {
                    let number = self.exprs[number.0 as usize].span;
                    let (digits, rest) =
                        (self.slice(number.start, number.end), self.shown(number.end, r, "x"));
                    let fault = SyntaxError::TightProduct {
                        found: format!("{left}{right}"),
                        meaning: format!("{left}({right})"),
                        hint: format!("{left}({right}), or {left}{digits}*{rest}"),
                    };
                    self.warn(fault, l, r);
                }
                ExprKind::WithUnit(..) => {
                    let plain = factors.iter().all(|&(_, f)| !matches!(self.kind(f), ExprKind::WithUnit(..)));
                    let number = matches!(self.kind(factor), ExprKind::WithUnit(x, _) if self.is_literal(*x));
                    if plain && number {
                        let unit_at = right.find('[').unwrap_or(right.len());
                        let (value, unit) = right.split_at(unit_at);
                        let fault = SyntaxError::TightUnit {
                            found: format!("{left}{right}"),
                            meaning: format!("{left}({right})"),
                            hint: format!("({left}{}) {unit}, or {left}({right})", value.trim_end()),
                        };
                        self.warn(fault, l, r);
                    }
                }
                _ => {}
            }
        }
        factors.push((op, factor));
        factors
    }

    fn is_literal(&self, id: ExprId) -> bool {
        matches!(self.kind(id), ExprKind::Integer(_) | ExprKind::Float(_))
    }

    pub fn juxtaposed(&mut self, l: u32, number: ExprId, m: u32, factor: ExprId, r: u32) -> ExprId {
        if self.is_literal(number) {
            return self.push(l, ExprKind::Juxtaposed(number, factor), r);
        }
        let (left, right) = (self.shown(l, m, "a"), self.shown(m, r, "b"));
        let before = self.slice(l, m);
        let new_line = before[before.trim_end().len()..].contains('\n');
        let hint = match left.rsplit_once('^') {
            // Inside brackets a new line separates nothing.
            _ if new_line => "a comma at the end of the line, between two entries".to_owned(),
            Some((base, exponent)) => format!("{left}*{right}, or {base}^({exponent}{right})"),
            None => format!("{left}*{right}"),
        };
        self.fault(SyntaxError::SideBySide { hint }, l, r);
        self.push(l, ExprKind::Product(vec![(MulOp::Times, number), (MulOp::Times, factor)]), r)
    }

    pub fn second_unit(&mut self, l: u32, value: ExprId, m: u32, unit: UnitExpr, r: u32) -> ExprId {
        let typed = self.shown(m, r, "[m]");
        let fault = SyntaxError::UnitPlace {
            expected: "one unit",
            found: format!("a second one, {typed}"),
            hint: format!("{} -> {typed}", self.shown(l, m, "x")),
        };
        self.fault(fault, m, r);
        self.push(l, ExprKind::Convert(value, unit), r)
    }

    pub fn power_of_unit(&mut self, l: u32, value: ExprId, m: u32, r: u32) -> ExprId {
        let (quantity, power) = (self.shown(l, m, "3 [m]"), self.shown(m, r, "^2"));
        let mut hint = format!("({quantity}){power}");
        if let Some(inside) = quantity.strip_suffix(']') {
            let simple = inside.rsplit('[').next().is_some_and(|u| u.chars().all(char::is_alphanumeric));
            if simple {
                hint = format!("{inside}{power}], or {hint}");
            }
        }
        let fault = SyntaxError::UnitPlace {
            expected: "a power inside the unit or behind a bracket",
            found: format!("`{power}`"),
            hint,
        };
        self.fault(fault, m, r);
        // Goes on with the quantity itself.
        value
    }

    pub fn compare(&mut self, l: u32, first: ExprId, rest: Vec<(CompareOp, ExprId)>, r: u32) -> ExprId {
        let up = |op: CompareOp| matches!(op, CompareOp::Lt | CompareOp::Le);
        let down = |op: CompareOp| matches!(op, CompareOp::Gt | CompareOp::Ge);
        if rest.len() > 1 && !rest.iter().all(|&(op, _)| up(op)) && !rest.iter().all(|&(op, _)| down(op)) {
            let mut parts = Vec::new();
            let mut left = self.exprs[first.0 as usize].span;
            for &(op, right) in &rest {
                let right = self.exprs[right.0 as usize].span;
                let (a, b) = (self.shown(left.start, left.end, "a"), self.shown(right.start, right.end, "b"));
                parts.push(format!("{a} {} {b}", op.sign()));
                left = right;
            }
            let signs: Vec<&str> = rest.iter().map(|(op, _)| op.sign()).collect();
            let fault = SyntaxError::Chain { found: signs.join(" and "), hint: parts.join(" and ") };
            self.fault(fault, l, r);
        }
        self.push(l, ExprKind::Compare(first, rest), r)
    }

    pub fn pipe(&mut self, l: u32, x: ExprId, m: u32, f: ExprId, r: u32) -> ExprId {
        if !matches!(
            self.kind(f),
            ExprKind::Name(_) | ExprKind::Call { .. } | ExprKind::Member(..) | ExprKind::Error
        ) {
            let found = format!("`{}`", self.shown(m, r, "something else"));
            self.fault(SyntaxError::PipeTarget { found, hint: Some("x |> f(a)".to_owned()) }, m, r);
        }
        self.push(l, ExprKind::Pipe(x, f), r)
    }

    // Calls

    pub fn call(
        &mut self,
        l: u32,
        callee: ExprId,
        m: u32,
        args: CallArgs,
        block: Option<Vec<Arg>>,
        r: u32,
    ) -> ExprId {
        let CallArgs { mut args, span } = args;
        let written = span != (0, 0);
        let name = self.shown(l, m, "f");
        match self.kind(callee) {
            ExprKind::Name(primed) if primed.ends_with('\'') && !self.bracketed(callee, l) => {
                let plain = name.trim_end_matches(['\'', '′', '″', '‴']);
                let order = primed.len() - primed.trim_end_matches('\'').len();
                let inside = if written { self.shown(span.0 + 1, span.1 - 1, "x") } else { "x".to_owned() };
                let order = if order > 1 { format!(", {order}") } else { String::new() };
                let hint = format!("diff({plain}({inside}), {inside}{order})");
                self.fault(SyntaxError::PrimeCall { found: format!("`{name}`"), hint }, l, m);
            }
            _ if written && self.slice(l, m).ends_with(')') && args.iter().any(|a| a.name.is_none()) => {
                let hint = format!("{}*{}", self.shown(l, m, "(...)"), self.shown(span.0, span.1, "(...)"));
                self.fault(SyntaxError::SideBySide { hint }, l, r);
            }
            ExprKind::Name(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Call { .. }
            | ExprKind::Error => {}
            _ if block.is_some() && !self.slice(l, m).ends_with(')') => {
                let fault = SyntaxError::Misplaced {
                    expected: "a name, call, member or index before a block",
                    found: format!("`{name}`"),
                    hint: Some("f(x) { option: 1 }".to_owned()),
                };
                self.fault(fault, l, m);
            }
            _ => {}
        }
        let count = block.as_ref().map(|b| b.len() as u32);
        args.extend(block.into_iter().flatten());
        self.push(l, ExprKind::Call { callee, args, block: count }, r)
    }

    pub fn second_block(&mut self, call: ExprId, l: u32, r: u32) -> ExprId {
        let fault = SyntaxError::Misplaced {
            expected: "one block a call",
            found: "a second one".to_owned(),
            hint: Some("f(x) { a: 1, b: 2 }".to_owned()),
        };
        self.fault(fault, l, r);
        call
    }

    pub fn many_indices(
        &mut self,
        l: u32,
        x: ExprId,
        m: u32,
        first: ExprId,
        more: Vec<ExprId>,
        r: u32,
    ) -> ExprId {
        let mut hint = self.shown(l, m, "xs");
        for id in std::iter::once(first).chain(more) {
            let span = self.exprs[id.0 as usize].span;
            hint.push_str(&format!("[{}]", self.shown(span.start, span.end, "i")));
        }
        let fault = SyntaxError::Misplaced {
            expected: "one index a bracket",
            found: "several".to_owned(),
            hint: Some(hint),
        };
        self.fault(fault, m, r);
        self.push(l, ExprKind::Index(x, first), r)
    }

    pub fn tuple(&mut self, l: u32, first: ExprId, mut more: Vec<ExprId>, r: u32) -> ExprId {
        let inside = self.shown(l + 1, r - 1, "a, b");
        let fault = SyntaxError::Misplaced {
            expected: "one expression in round brackets",
            found: "several".to_owned(),
            hint: Some(format!("[{inside}]")),
        };
        self.fault(fault, l, r);
        more.insert(0, first);
        self.push(l, ExprKind::List(more), r)
    }

    pub fn argument_with_equals(&mut self, l: u32, target: ExprId, m: u32, value: ExprId, r: u32) -> Arg {
        let span = self.exprs[target.0 as usize].span;
        let (left, right) = (self.shown(span.start, span.end, "name"), self.shown(m, r, "value"));
        let name = match self.kind(target) {
            ExprKind::Name(name) => Some(Ident { name: name.clone(), span }),
            _ => None,
        };
        let hint = if name.is_some() { format!("{left}: {right}") } else { format!("{left} == {right}") };
        let found = format!("`{}`", self.shown(l, r, "="));
        self.fault(SyntaxError::Entry { found, hint: Some(hint) }, l, r);
        Arg { name, value }
    }

    pub fn nameless_entry(&mut self, l: u32, x: ExprId, r: u32) -> Option<Arg> {
        let text = self.shown(l, r, "a value");
        let hint = match self.kind(x) {
            _ if self.is_known(l, r) => return None,
            ExprKind::Error => return None,
            ExprKind::Name(name) => format!("{name}: {name}"),
            _ => format!("name: {text}, or a list in [ ]"),
        };
        self.fault(SyntaxError::Entry { found: format!("`{text}`"), hint: Some(hint) }, l, r);
        None
    }

    // Recovery

    /// Reports what the parser stumbled over, unless it follows from a fault that has been reported.
    pub fn recover(&mut self, recovery: Recovery) {
        let bodies = recovery.dropped_tokens.iter().filter(|t| t.1 == Tok::Body).count();
        self.dropped_bodies += bodies;
        let tokens = recovery.dropped_tokens;
        self.parse_error(recovery.error);
        drop(tokens);
    }

    /// Reports an error of the generated parser.
    pub fn parse_error(&mut self, error: ParseError<u32, Tok, ()>) {
        let (token, expected) = match error {
            ParseError::UnrecognizedToken { token, expected } => (Some(token), expected),
            ParseError::ExtraToken { token } => (Some(token), Vec::new()),
            ParseError::UnrecognizedEof { expected, .. } => (None, expected),
            ParseError::InvalidToken { .. } | ParseError::User { .. } => (None, Vec::new()),
        };
        let end = self.text.len() as u32;
        let (l, tok, r) = match token {
            Some((l, tok, r)) => (l, Some(tok), r),
            None => (end, None, end),
        };
        if tok == Some(Tok::Error) || self.swallowed.iter().any(|&(from, to)| from <= l && l <= to) {
            return;
        }
        if tok == Some(Tok::RBody) && self.dropped_bodies > 0 {
            self.dropped_bodies -= 1;
            return;
        }
        if tok.is_none() {
            self.at_end += 1;
        }
        let fault = expect::explain(self, l, tok, r, &expected);
        // A fault at the end of a line is shown behind its last character.
        let next = self.text[l as usize..].chars().next().map_or(0, char::len_utf8) as u32;
        let r = if l == r { l + next } else { r };
        self.fault(fault, l, r);
    }
}
