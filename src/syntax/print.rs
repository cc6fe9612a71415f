//! The text of a tree: as a document for the formatter, and as one line for messages. Brackets stand where the
//! precedence table asks for them and nowhere else. With a source at hand names, numbers, strings and units keep the
//! spelling of their author.

mod words;

use words::quoted;
pub use words::unit_text;

use super::layout::{Column, Op, set};
use super::lexer::{NO_MATE, RawTok, lex};
use super::names;
use super::token::{Raw, keyword};
use super::tree::*;
use crate::base::{Source, Span};

/// Levels of the precedence table, loosest first; an operand below the level its place asks for is bracketed.
mod level {
    pub const ANY: u8 = 0;
    pub const PIPE: u8 = 1;
    pub const OR: u8 = 2;
    pub const AND: u8 = 3;
    pub const NOT: u8 = 4;
    pub const COMPARE: u8 = 5;
    pub const CONVERT: u8 = 6;
    pub const RANGE: u8 = 7;
    pub const SUM: u8 = 8;
    pub const PRODUCT: u8 = 9;
    pub const PLUS_MINUS: u8 = 10;
    pub const UNIT: u8 = 11;
    pub const SIGN: u8 = 12;
    pub const TOUCHING: u8 = 13;
    pub const POWER: u8 = 14;
    pub const POSTFIX: u8 = 16;
    pub const ATOM: u8 = 17;
}

/// What an expression stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Anywhere.
    Free,
    /// In the head of a `for` or `if`, where a `{` behind a value opens the body.
    Head,
    /// At an end of a range, where sums are set without blanks.
    Tight,
}

/// The expression on one line, with the fewest brackets.
pub fn print_expr(tree: &Tree, id: ExprId) -> String {
    let mut printer = Printer::new(tree, None);
    printer.expr(id, level::ANY, Place::Free);
    printer.one_line()
}

/// Writes a tree as a document.
pub struct Printer<'t> {
    tree: &'t Tree,
    source: Option<&'t Source>,
    /// The raw tokens of the source, for the places of brackets.
    tokens: Vec<RawTok>,
    pub(super) ops: Vec<Op>,
    /// Comments that are written.
    pub(super) comments: usize,
}

impl<'t> Printer<'t> {
    pub(super) fn new(tree: &'t Tree, source: Option<&'t Source>) -> Printer<'t> {
        let tokens = source.map_or_else(Vec::new, |s| lex(&s.text, s.id).tokens);
        Printer { tree, source, tokens, ops: Vec::new(), comments: 0 }
    }

    /// All on one line.
    fn one_line(self) -> String {
        let mut out = String::new();
        for op in self.ops {
            match op {
                Op::Text(text) => out.push_str(&text),
                Op::Line(flat) | Op::Fill(flat) => out.push_str(flat),
                _ => {}
            }
        }
        out
    }

    pub(super) fn finish(self) -> String {
        if self.ops.is_empty() {
            return String::new();
        }
        set(&self.ops)
    }

    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.ops.push(Op::Text(text.into()));
    }

    pub(super) fn slice(&self, span: Span) -> Option<&'t str> {
        self.source.map(|s| s.slice(span)).filter(|s| !s.is_empty())
    }

    /// The column of a place in the source, in characters.
    pub(super) fn column(&self, at: u32) -> u32 {
        let Some(source) = self.source else { return 0 };
        let before = source.text.get(..at as usize).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        before[start..].chars().count() as u32
    }

    pub(super) fn stop(&mut self, column: Column, at: u32) {
        if self.source.is_some() {
            let source = self.column(at);
            self.ops.push(Op::Stop(column, source));
        }
    }

    /// The first token of a kind at or behind a place.
    pub(super) fn token(&self, from: u32, kind: Raw) -> Option<&RawTok> {
        let at = self.tokens.partition_point(|t| t.start < from);
        self.tokens[at..].iter().find(|t| t.kind == kind)
    }

    /// The first bracket of a kind at or behind a place: where it opens and where its partner stands.
    pub(super) fn bracket(&self, from: u32, kind: Raw) -> (u32, u32) {
        match self.token(from, kind) {
            Some(t) if t.mate != NO_MATE => {
                (t.start, self.tokens.get(t.mate as usize).map_or(t.end, |m| m.start))
            }
            _ => (from, from),
        }
    }

    /// Whether the token before the one at a place is the first on its line.
    pub(super) fn begins_line_before(&self, at: u32) -> bool {
        let at = self.tokens.partition_point(|t| t.start < at);
        at.checked_sub(1).is_some_and(|i| self.tokens[i].first)
    }

    /// Whether the source has a line end between two places.
    pub(super) fn breaks(&self, from: u32, to: u32) -> bool {
        self.source.and_then(|s| s.text.get(from as usize..to as usize)).is_some_and(|t| t.contains('\n'))
    }

    /// Whether a comment stands between two places.
    pub(super) fn has_comments(&self, from: u32, to: u32) -> bool {
        let comments = &self.tree.comments;
        let at = comments.partition_point(|c| c.span.start < from);
        comments.get(at).is_some_and(|c| c.span.start < to)
    }

    fn level(&self, id: ExprId) -> u8 {
        match self.tree.expr(id) {
            ExprKind::If { .. } => level::ANY,
            ExprKind::Pipe(..) => level::PIPE,
            ExprKind::Or(_) => level::OR,
            ExprKind::And(_) => level::AND,
            ExprKind::Not(_) => level::NOT,
            ExprKind::Compare(..) => level::COMPARE,
            ExprKind::Convert(..) => level::CONVERT,
            ExprKind::Range(..) => level::RANGE,
            ExprKind::Sum(_) => level::SUM,
            ExprKind::Product(_) => level::PRODUCT,
            ExprKind::PlusMinus(..) => level::PLUS_MINUS,
            ExprKind::WithUnit(..) => level::UNIT,
            ExprKind::Neg(_) | ExprKind::Pos(_) => level::SIGN,
            ExprKind::Juxtaposed(..) => level::TOUCHING,
            ExprKind::Power(..) | ExprKind::Root(_) => level::POWER,
            ExprKind::Call { .. } | ExprKind::Index(..) | ExprKind::Member(..) => level::POSTFIX,
            _ => level::ATOM,
        }
    }

    /// Where an expression ends in the source.
    pub(super) fn end_of(&self, id: ExprId) -> u32 {
        self.tree.span(id).end
    }

    fn bracketed(&mut self, id: ExprId) {
        self.text("(");
        self.expr(id, level::ANY, Place::Free);
        self.text(")");
    }

    /// An expression at any level.
    pub(super) fn any(&mut self, id: ExprId) {
        self.expr(id, level::ANY, Place::Free);
    }

    /// The value of a `param`, before `in`.
    pub(super) fn below_comparison(&mut self, id: ExprId) {
        self.expr(id, level::CONVERT, Place::Free);
    }

    /// The condition or source in the head of a statement.
    pub(super) fn head(&mut self, id: ExprId) {
        self.expr(id, level::PIPE, Place::Head);
    }

    /// An expression that is a statement: the condition of an `if` at its start is read as a head.
    /// Below a complete line a sign or a brace at its start would go on with that line, so the whole is bracketed.
    pub(super) fn statement_expr(&mut self, id: ExprId, below: bool) {
        let start = self.ops.len();
        match self.tree.expr(id) {
            ExprKind::If { condition, then, otherwise } => {
                self.conditional(*condition, *then, *otherwise, Place::Head)
            }
            _ => self.any(id),
        }
        let first = self.ops[start..].iter().find_map(|op| match op {
            Op::Text(text) => Some(text.as_str()),
            _ => None,
        });
        if below && first.is_some_and(|t| t.trim_start().starts_with(['-', '+', '{'])) {
            self.ops.insert(start, Op::Text("(".to_owned()));
            self.text(")");
        }
    }

    fn conditional(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId, place: Place) {
        self.ops.push(Op::Open(false));
        self.text("if ");
        let least = if place == Place::Head { level::PIPE } else { level::ANY };
        self.expr(condition, least, place);
        self.ops.extend([Op::Indent, Op::Line(" ")]);
        self.text("then ");
        self.any(then);
        self.ops.push(Op::Line(" "));
        self.text("else ");
        self.any(otherwise);
        self.ops.extend([Op::Dedent, Op::Close]);
    }

    /// Operands with operators between, which end a line where the line is too long.
    fn chain(
        &mut self,
        operands: impl Iterator<Item = (String, ExprId)>,
        least: u8,
        place: Place,
        flat: &'static str,
    ) {
        self.ops.extend([Op::Open(false), Op::Indent]);
        for (i, (sign, x)) in operands.enumerate() {
            if i > 0 {
                self.text(sign);
                self.ops.push(Op::Fill(flat));
            }
            self.expr(x, least, place);
        }
        self.ops.extend([Op::Dedent, Op::Close]);
    }

    /// An expression, bracketed where it binds looser than its place asks.
    fn expr(&mut self, id: ExprId, least: u8, place: Place) {
        let tree = self.tree;
        if self.level(id) < least {
            return self.bracketed(id);
        }
        // What stands in a head stays in the head; blanks around signs return behind other operators.
        let inner = if place == Place::Tight { Place::Free } else { place };
        match tree.expr(id) {
            ExprKind::Integer(n) => match self.slice(tree.span(id)) {
                Some(text) if text.starts_with(|c: char| c.is_ascii_digit()) => self.text(text),
                _ => self.text(n.to_string()),
            },
            ExprKind::Float(x) => match self.slice(tree.span(id)) {
                Some(text) => self.text(text),
                None => self.text(format!("{x:?}")),
            },
            ExprKind::Name(name) => match self.slice(tree.span(id)) {
                Some(text) => self.text(text),
                None => self.text(&**name),
            },
            ExprKind::Str { parts, raw } => match self.slice(tree.span(id)) {
                Some(text) => self.text(text),
                None => self.string(parts, *raw),
            },
            ExprKind::Bool(value) => self.text(if *value { "true" } else { "false" }),
            ExprKind::Operator(operator) => self.text(match operator {
                Operator::Add => "+",
                Operator::Sub => "-",
                Operator::Mul => "*",
                Operator::Div => "/",
                Operator::Pow => "^",
            }),
            ExprKind::Neg(x) | ExprKind::Pos(x) => {
                self.text(if matches!(tree.expr(id), ExprKind::Neg(_)) { "-" } else { "+" });
                self.expr(*x, level::SIGN, inner);
            }
            ExprKind::Root(x) => {
                self.text("√");
                self.exponent(*x, inner);
            }
            ExprKind::Not(x) => {
                self.text("not ");
                self.expr(*x, level::NOT, inner);
            }
            ExprKind::Sum(terms) => {
                // `3e` with a sign and a digit behind it would be a number with an exponent.
                let tight = place == Place::Tight && !terms.iter().any(|t| self.ends_like_exponent(t.1));
                let signs = terms.iter().map(|(sign, x)| {
                    let sign = if *sign == Sign::Plus { "+" } else { "-" };
                    (if tight { sign.to_owned() } else { format!(" {sign}") }, *x)
                });
                self.chain(signs, level::PRODUCT, inner, if tight { "" } else { " " });
            }
            ExprKind::Product(factors) => {
                let units =
                    factors.iter().filter(|f| matches!(tree.expr(f.1), ExprKind::WithUnit(..))).count();
                let wide =
                    units > 1 || factors.iter().any(|f| matches!(tree.expr(f.1), ExprKind::PlusMinus(..)));
                for (i, (op, x)) in factors.iter().enumerate() {
                    if i > 0 {
                        let sign = match op {
                            MulOp::Times => "*",
                            MulOp::Divide => "/",
                            MulOp::Dot => "·",
                            MulOp::Cross => "×",
                        };
                        self.text(if wide { format!(" {sign} ") } else { sign.to_owned() });
                    }
                    self.expr(*x, level::PLUS_MINUS, inner);
                }
            }
            ExprKind::Juxtaposed(number, x) => {
                self.expr(*number, level::ATOM, inner);
                self.touching(*number, *x, inner);
            }
            ExprKind::Power(base, exponent) => {
                match tree.expr(*base) {
                    // A literal may stand before `^`, though not before `(`, `[` or `.`.
                    ExprKind::Integer(_) | ExprKind::Float(_) => self.expr(*base, level::ATOM, inner),
                    _ => self.expr(*base, level::POSTFIX, inner),
                }
                match self.slice(tree.span(*exponent)).filter(|t| super::unit::superscript(t).is_some()) {
                    Some(text) => self.text(text),
                    None => {
                        self.text("^");
                        self.exponent(*exponent, inner);
                    }
                }
            }
            ExprKind::Compare(first, rest) => {
                let all = std::iter::once((String::new(), *first))
                    .chain(rest.iter().map(|(op, x)| (format!(" {}", op.sign()), *x)));
                self.chain(all, level::CONVERT, inner, " ");
            }
            ExprKind::And(xs) => {
                self.chain(xs.iter().map(|x| (" and".to_owned(), *x)), level::NOT, inner, " ")
            }
            ExprKind::Or(xs) => self.chain(xs.iter().map(|x| (" or".to_owned(), *x)), level::AND, inner, " "),
            ExprKind::Range(a, b) => {
                let inner = if inner == Place::Free { Place::Tight } else { inner };
                self.expr(*a, level::SUM, inner);
                self.text("..");
                self.expr(*b, level::SUM, inner);
            }
            ExprKind::PlusMinus(a, b) => {
                self.expr(*a, level::UNIT, inner);
                self.text(" ± ");
                self.expr(*b, level::UNIT, inner);
            }
            ExprKind::WithUnit(x, unit) => {
                self.expr(*x, level::SIGN, inner);
                self.text(" ");
                self.unit(unit);
            }
            ExprKind::Convert(x, unit) => {
                self.expr(*x, level::CONVERT, inner);
                self.text(" -> ");
                self.unit(unit);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.conditional(*condition, *then, *otherwise, inner)
            }
            ExprKind::Call { callee, args, block } => self.call(id, *callee, args, *block, inner),
            ExprKind::Index(x, i) => {
                self.postfix(*x, inner);
                self.text("[");
                self.any(*i);
                self.text("]");
            }
            ExprKind::Member(x, name) => {
                self.postfix(*x, inner);
                self.text(".");
                self.ident(name);
            }
            ExprKind::List(xs) => {
                let simple = xs.len() > 4
                    && xs.iter().all(|x| {
                        matches!(
                            tree.expr(*x),
                            ExprKind::Integer(_)
                                | ExprKind::Float(_)
                                | ExprKind::Name(_)
                                | ExprKind::Neg(_)
                                | ExprKind::Operator(_)
                        )
                    });
                let span = tree.span(id);
                let starts: Vec<u32> = xs.iter().map(|x| tree.span(*x).start).collect();
                let separator = if simple { Op::Fill(" ") } else { Op::Line(" ") };
                self.items(
                    "[",
                    "]",
                    (span.start, span.end.saturating_sub(1)),
                    &starts,
                    Some(separator),
                    |p, i| p.any(xs[i]),
                );
            }
            ExprKind::Comprehension { body, clauses, condition } => {
                self.ops.push(Op::Open(false));
                self.text("[");
                self.ops.push(Op::Indent);
                self.any(*body);
                for clause in clauses {
                    self.ops.push(Op::Line(" "));
                    self.text("for ");
                    self.idents(&clause.names);
                    self.text(" in ");
                    self.any(clause.source);
                }
                if let Some(condition) = condition {
                    self.ops.push(Op::Line(" "));
                    self.text("if ");
                    self.any(*condition);
                }
                self.ops.push(Op::Dedent);
                self.text("]");
                self.ops.push(Op::Close);
            }
            ExprKind::Record(entries) => {
                let span = tree.span(id);
                self.entries("{", (span.start, span.end.saturating_sub(1)), entries);
            }
            ExprKind::Pipe(x, f) => {
                self.ops.push(Op::Open(false));
                self.expr(*x, level::PIPE, inner);
                self.ops.extend([Op::Indent, Op::Line(" ")]);
                self.text("|> ");
                self.expr(*f, level::POSTFIX, inner);
                self.ops.extend([Op::Dedent, Op::Close]);
            }
            ExprKind::Error => self.text("<error>"),
        }
    }

    /// What stands before `(`, `[`, `.` or a block.
    fn postfix(&mut self, id: ExprId, place: Place) {
        match self.tree.expr(id) {
            ExprKind::Integer(_) | ExprKind::Float(_) => self.bracketed(id),
            _ => self.expr(id, level::POSTFIX, place),
        }
    }

    fn exponent(&mut self, id: ExprId, place: Place) {
        match self.tree.expr(id) {
            ExprKind::Neg(x) | ExprKind::Pos(x) => {
                self.text(if matches!(self.tree.expr(id), ExprKind::Neg(_)) { "-" } else { "+" });
                self.exponent(*x, place);
            }
            _ => self.expr(id, level::POWER, place),
        }
    }

    /// Whether it ends with a number that the name `e` touches.
    fn ends_like_exponent(&self, id: ExprId) -> bool {
        match self.tree.expr(id) {
            ExprKind::Juxtaposed(_, x) => {
                matches!(self.tree.expr(*x), ExprKind::Name(name) if matches!(&**name, "e" | "E"))
            }
            ExprKind::Product(factors) => factors.last().is_some_and(|f| self.ends_like_exponent(f.1)),
            ExprKind::Neg(x) | ExprKind::Pos(x) | ExprKind::PlusMinus(_, x) => self.ends_like_exponent(*x),
            _ => false,
        }
    }

    /// What a number touches: it must begin with a name, a bracket or a root, and must not read as part of the number.
    fn touching(&mut self, number: ExprId, id: ExprId, place: Place) {
        let mut first = id;
        let begins = loop {
            match self.tree.expr(first) {
                _ if self.level(first) < level::POWER => break true,
                ExprKind::Name(name) => {
                    let zero = matches!(self.tree.expr(number), ExprKind::Integer(n) if n.is_zero());
                    let rest = name.trim_start_matches(['e', 'E']);
                    let exponent =
                        rest.len() + 1 == name.len() && rest.starts_with(|c: char| c.is_ascii_digit());
                    let based = zero && name.starts_with(['x', 'X', 'b', 'B', 'o', 'O']);
                    break !(exponent || based || name.starts_with('_'));
                }
                ExprKind::Root(_) => break true,
                ExprKind::Power(x, _)
                | ExprKind::Index(x, _)
                | ExprKind::Member(x, _)
                | ExprKind::Call { callee: x, .. } => {
                    if self.level(*x) < level::POSTFIX {
                        break true;
                    }
                    first = *x;
                }
                _ => break false,
            }
        };
        let call = match self.tree.expr(id) {
            ExprKind::Integer(_) => matches!(self.tree.expr(number), ExprKind::Float(_)),
            _ => false,
        };
        match (begins, call) {
            // `1.5(2)` would be an uncertain number.
            (_, true) => {
                self.text("(");
                self.bracketed(id);
                self.text(")");
            }
            (true, _) => self.expr(id, level::POWER, place),
            (false, _) => self.bracketed(id),
        }
    }

    fn call(&mut self, id: ExprId, callee: ExprId, args: &'t [Arg], block: Option<u32>, place: Place) {
        let tree = self.tree;
        if block.is_some() && place == Place::Head {
            return self.bracketed(id);
        }
        match tree.expr(callee) {
            // A bracket that touches these would not call.
            ExprKind::Str { .. } | ExprKind::Bool(_) => self.bracketed(callee),
            ExprKind::Name(_) | ExprKind::Member(..) | ExprKind::Index(..) | ExprKind::Call { .. } => {
                self.postfix(callee, place)
            }
            // A block belongs to a name; behind others it is read where they stand in brackets.
            _ if block.is_some() => self.bracketed(callee),
            _ => self.postfix(callee, place),
        }
        let split = args.len() - (block.unwrap_or(0) as usize).min(args.len());
        let (inline, entries) = args.split_at(split);
        let mut end = tree.span(callee).end;
        // Behind another call an empty bracket keeps the block from being that call's.
        let behind_call = matches!(tree.expr(callee), ExprKind::Call { .. });
        if block.is_none() || !inline.is_empty() || behind_call {
            let (open, close) = self.bracket(end, Raw::LParen);
            let starts: Vec<u32> = inline.iter().map(|a| self.arg_start(a)).collect();
            self.items("(", ")", (open, close), &starts, Some(Op::Line(" ")), |p, i| p.arg(&inline[i]));
            end = close;
        }
        if block.is_some() {
            let place = self.bracket(end, Raw::LBrace);
            self.entries(" {", place, entries);
        }
    }

    fn arg_start(&self, arg: &Arg) -> u32 {
        arg.name.as_ref().map_or(self.tree.span(arg.value).start, |n| n.span.start)
    }

    fn arg(&mut self, arg: &Arg) {
        if let Some(name) = &arg.name {
            self.entry_name(name);
            self.text(": ");
        }
        self.any(arg.value);
    }

    fn entry_name(&mut self, name: &Ident) {
        match self.slice(name.span) {
            Some(text) => self.text(text),
            None if names::is_name(&name.name) && names::normalise_name(&name.name) == name.name => {
                self.text(&*name.name)
            }
            None => {
                let text = quoted(&name.name);
                self.text(text);
            }
        }
    }

    /// Entries of a record or block: on one line with commas, or one a line without.
    fn entries(&mut self, open: &str, place: (u32, u32), entries: &'t [Arg]) {
        let starts: Vec<u32> = entries.iter().map(|e| self.arg_start(e)).collect();
        self.items(open, "}", place, &starts, None, |p, i| {
            let entry = &entries[i];
            if let Some(name) = &entry.name {
                p.entry_name(name);
                p.text(": ");
                p.stop(Column::Value, p.tree.span(entry.value).start);
            }
            p.any(entry.value);
        });
    }

    /// A bracketed list. It is broken where it does not fit, holds comments, or had a line end before its first item in the source.
    /// Without a separator the items are entries.
    pub(super) fn items(
        &mut self,
        open: &str,
        close: &str,
        (from, to): (u32, u32),
        starts: &[u32],
        separator: Option<Op>,
        mut item: impl FnMut(&mut Self, usize),
    ) {
        let comments = self.source.is_some() && self.has_comments(from, to);
        if starts.is_empty() && !comments {
            self.text(format!("{open}{close}"));
            return;
        }
        let force = comments || starts.first().is_some_and(|&first| self.breaks(from, first));
        self.text(open);
        self.ops.extend([Op::Open(force), Op::Indent]);
        let edge = if open == " {" { " " } else { "" };
        for (i, &start) in starts.iter().enumerate() {
            if i == 0 {
                self.flush(start, None);
                self.ops.push(Op::Line(edge));
            } else {
                match &separator {
                    Some(separator) => {
                        self.text(",");
                        self.flush(start, None);
                        self.blank_before(start);
                        self.ops.push(separator.clone());
                    }
                    None => {
                        self.flush(start, None);
                        self.blank_before(start);
                        self.ops.push(Op::Line(", "));
                    }
                }
            }
            item(self, i);
        }
        if comments {
            self.flush(to, None);
        }
        self.ops.extend([Op::Dedent, Op::Line(edge), Op::Close]);
        self.text(close);
    }

    /// An empty line before a place, where the source has one or more.
    pub(super) fn blank_before(&mut self, at: u32) {
        let Some(source) = self.source else { return };
        let before = source.text.get(..at as usize).unwrap_or("");
        let gap = &before[before.trim_end_matches(is_blank).len()..];
        if gap.matches('\n').count() > 1 {
            self.ops.push(Op::Blank);
        }
    }

    /// Behind the `;` of a statement that ended at `end`; comments may stand between, and document nothing.
    pub(super) fn quiet_end(&self, end: u32) -> u32 {
        match self.code_at(end) {
            Some((at, ';')) => at + 1,
            _ => end,
        }
    }

    /// The first character of code from a place on, whatever comments stand before it.
    fn code_after(&self, place: u32) -> Option<char> {
        self.code_at(place).map(|(_, c)| c)
    }

    fn code_at(&self, place: u32) -> Option<(u32, char)> {
        let source = self.source?;
        let mut at = place as usize;
        loop {
            let rest = source.text.get(at..)?;
            let code = rest.trim_start_matches(is_blank);
            at += rest.len() - code.len();
            match code.chars().next()? {
                '#' => at += code.find('\n').unwrap_or(code.len()),
                c => return Some((at as u32, c)),
            }
        }
    }

    /// Writes the comments before a place: those behind code in its line, others on lines of their own. What stood inside the
    /// statement that ended at `inside` can document nothing below it.
    pub(super) fn flush(&mut self, before: u32, inside: Option<u32>) {
        let Some(source) = self.source else { return };
        let tree = self.tree;
        let mut trailing = true;
        while let Some(comment) = tree.comments.get(self.comments).filter(|c| c.span.start < before) {
            self.comments += 1;
            let mut text = source.slice(comment.span).trim_end().to_owned();
            let displaced = inside.is_some_and(|end| comment.span.start < end);
            let severed = self.code_after(comment.span.end) == Some(';');
            let own_line = comment.own_line || !trailing || self.ops.is_empty();
            if own_line
                && text.starts_with("##")
                && !text.starts_with("###")
                && (displaced || severed || !comment.doc)
            {
                text.remove(0);
            }
            if own_line {
                if !displaced {
                    self.blank_before(comment.span.start);
                }
                if !self.ops.is_empty() {
                    self.ops.push(Op::Hard);
                }
                self.ops.push(Op::Comment(text));
            } else {
                let column = self.column(comment.span.start);
                self.ops.push(Op::Trailing(text, column));
            }
            trailing = false;
        }
    }

    pub(super) fn ident(&mut self, ident: &Ident) {
        match self.slice(ident.span) {
            Some(text) => self.text(text),
            None => self.text(&*ident.name),
        }
    }

    pub(super) fn idents(&mut self, idents: &[Ident]) {
        for (i, ident) in idents.iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.ident(ident);
        }
    }
}

/// What may stand between tokens: line ends and the blanks that the lexer skips.
fn is_blank(c: char) -> bool {
    matches!(c, '\n' | ' ' | '\t' | '\r' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '\u{FEFF}')
}

/// Whether a name can be typed where a value is read.
pub fn is_plain_name(name: &str) -> bool {
    names::is_name(name) && keyword(name).is_none() && &*names::normalise_name(name) == name
}
