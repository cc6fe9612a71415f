//! Mistakes that only the context explains, each with the code that was meant: values side by side, signs of other
//! languages, `%` and `°` outside a unit.

use super::{Mode, Raw, Resolver, Tok};
use crate::syntax::errors::SyntaxError;
use crate::syntax::lexer::{NO_MATE, RawTok};

impl<'a> Resolver<'a> {
    /// The value before the token and the token behind it, for a hint; letters where they are missing or long.
    pub(super) fn neighbours(&self, i: usize) -> (&'a str, &'a str) {
        let short = |text: &'a str, other: &'static str| {
            if text.len() > 40 || text.contains('\n') { other } else { text }
        };
        let left = match self.behind_value() {
            true => short(
                self.text.get(self.operand_start() as usize..self.prev_end as usize).unwrap_or("a"),
                "a",
            ),
            false => "a",
        };
        let right = self.raws.get(i + 1).filter(|t| !t.first && Self::begins(t.kind)).map_or("b", |t| {
            let end = if t.mate != NO_MATE { self.raws[t.mate as usize].end.max(t.end) } else { t.end };
            short(&self.text[t.start as usize..end as usize], "b")
        });
        (left, right)
    }

    /// Where the value before this place begins, as far as one token or bracket tells.
    pub(super) fn operand_start(&self) -> u32 {
        let raw = &self.raws[self.prev_raw];
        if matches!(raw.kind, Raw::RParen | Raw::RBracket | Raw::RBrace) && raw.mate != NO_MATE {
            let open = raw.mate as usize;
            // A unit belongs to the value before it.
            let first = if self.prev == Some(Tok::Unit) { open.saturating_sub(1) } else { open };
            return self.raws[first].start;
        }
        raw.start
    }

    pub(super) fn product_hint(&self, i: usize) -> String {
        let raw = &self.raws[i];
        let prev = &self.raws[self.prev_raw];
        let left = &self.text[self.operand_start() as usize..prev.end as usize];
        let end = if raw.kind == Raw::LParen && raw.mate != NO_MATE {
            self.raws[raw.mate as usize].end
        } else {
            raw.end
        };
        let right = &self.text[raw.start as usize..end as usize];
        let words = |word: &str| -> Option<String> {
            let first = matches!(self.out.tokens.len(), 1) || {
                let n = self.out.tokens.len();
                n >= 2 && matches!(self.out.tokens[n - 2].1, Tok::Newline | Tok::Semi | Tok::Body)
            };
            if !first {
                return None;
            }
            Some(match word {
                "let" | "set" | "def" | "fn" | "function" | "func" => format!("{right} = ..."),
                "import" | "from" | "using" | "include" => format!("use {right}"),
                "print" | "plot" | "show" => format!("{word}({right})"),
                "assert" => format!("check {right}"),
                "while" => format!("for i in 1..100 {{ if {right} {{ ... }} }}"),
                "return" => right.to_owned(),
                _ => return None,
            })
        };
        if let Some(hint) = words(left) {
            return hint;
        }
        if left.len() > 60 || right.len() > 60 || left.contains('\n') || right.contains('\n') {
            return "a*b".to_owned();
        }
        match (prev.kind, raw.kind) {
            (Raw::Int | Raw::Float, Raw::Name) => format!("{left}*{right}, or {left} [{right}] for a unit"),
            (Raw::Super, Raw::LParen) => {
                let before =
                    self.prev_raw.checked_sub(1).map(|j| &self.raws[j]).filter(|t| t.kind == Raw::Name);
                match before {
                    Some(name) => format!("{}{right}{left}", self.slice(name)),
                    None => format!("x{left}*{right}"),
                }
            }
            (Raw::Super, _) => format!("x{left}*{right}"),
            _ => format!("{left}*{right}"),
        }
    }

    /// Two values side by side: reports them and puts `*` between.
    pub(super) fn side_by_side(&mut self, i: usize) {
        let frame = *self.frame();
        if !self.behind_value() || self.prev == Some(Tok::Error) || frame.in_type {
            return;
        }
        if matches!(frame.mode, Mode::Names | Mode::UnitNames) {
            return;
        }
        let raw = self.raws[i];
        if self.reported_line != Some(self.line_start) {
            self.reported_line = Some(self.line_start);
            let hint = self.product_hint(i);
            let start = self.operand_start();
            self.fault(SyntaxError::SideBySide { hint }, start, raw.end);
        }
        self.emit(Tok::Star, raw.start, raw.start);
    }

    /// A sign of another language.
    pub(super) fn foreign(&mut self, i: usize, kind: Raw) {
        let raw = self.raws[i];
        let (left, right) = self.neighbours(i);
        let (expected, hint) = match kind {
            Raw::StarStar => ("^ for a power", format!("{left}^{right}")),
            Raw::AndAnd => ("and", format!("{left} and {right}")),
            Raw::OrOr => ("or", format!("{left} or {right}")),
            Raw::LtGt => ("!=", format!("{left} != {right}")),
            Raw::LongArrow => ("=> in a rule", format!("{left} => {right}")),
            Raw::ColonEq => ("= to bind or == to state", format!("{left} = {right}")),
            Raw::Bang if self.behind_value() => ("the function factorial", format!("factorial({left})")),
            _ => ("not", format!("not {right}")),
        };
        let found = format!("`{}`", self.slice(&raw));
        self.fault(SyntaxError::Foreign { expected, found, hint }, raw.start, raw.end);
    }

    /// `%` and `°`: words of a `unit` line; else an operator of other languages or a forgotten bracket.
    pub(super) fn unit_sign(&mut self, i: usize, raw: RawTok) {
        if self.frame().mode == Mode::UnitNames {
            self.emit(Tok::UnitSign, raw.start, raw.end);
            return;
        }
        let text = self.slice(&raw);
        let behind = self.behind_value();
        let letters = text.trim_start_matches(['%', '‰', '°']);
        let next = self.raws.get(i + 1).filter(|t| !t.first);
        let value_follows = next.is_some_and(|t| Self::begins(t.kind)) || !letters.is_empty();
        let modulo = text.starts_with('%') && behind && value_follows;
        let found = format!("`{text}`");
        let fault = if modulo {
            let (left, right) = self.neighbours(i);
            let right = if letters.is_empty() { right } else { letters };
            let hint = format!("mod({left}, {right})");
            SyntaxError::Foreign { expected: "the function mod for a remainder", found, hint }
        } else {
            let unit = match text {
                "°" => "deg",
                "°C" => "degC",
                "°F" => "degF",
                _ => text,
            };
            SyntaxError::Foreign { expected: "a unit in square brackets", found, hint: format!("x [{unit}]") }
        };
        self.fault(fault, raw.start, raw.end);
        if modulo {
            self.emit(Tok::Star, raw.start, raw.end);
        }
        if !behind || (modulo && !letters.is_empty()) {
            self.emit(Tok::Error, raw.start, raw.end);
        }
    }
}
