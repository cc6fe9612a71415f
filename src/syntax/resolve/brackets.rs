//! Brackets: what each opens, which closes which, and where a forgotten one must have ended.

use super::{Frame, Kind, MAX_DEPTH, Mode, Raw, Resolver, Tok};
use crate::syntax::errors::SyntaxError;
use crate::syntax::lexer::{NO_MATE, RawTok};

impl Resolver<'_> {
    pub(super) fn starts_statement(&self, i: usize) -> bool {
        let kind = |j: usize| self.raws.get(j).map(|t| t.kind);
        match self.effective(i) {
            Raw::Var
            | Raw::Param
            | Raw::Const
            | Raw::Unit
            | Raw::Check
            | Raw::Use
            | Raw::Extern
            | Raw::Rule => true,
            Raw::Name => match kind(i + 1) {
                Some(Raw::Assign) => true,
                Some(Raw::LParen) => {
                    // `name(...) =` on one line.
                    let mut depth = 0usize;
                    for (j, raw) in self.raws.iter().enumerate().skip(i + 1) {
                        if raw.first {
                            return false;
                        }
                        match raw.kind {
                            Raw::LParen => depth += 1,
                            Raw::RParen => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                        if depth == 0 {
                            return kind(j + 1) == Some(Raw::Assign);
                        }
                    }
                    false
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A line that can only begin a statement, no deeper than the line of an open bracket, shows that the bracket was
    /// forgotten.
    pub(super) fn close_forgotten(&mut self, i: usize) {
        let frame = *self.frame();
        if frame.kind.has_statements() || self.indent > frame.indent || !self.starts_statement(i) {
            return;
        }
        let at = self.raws[i].start;
        while self.frames.len() > 1 {
            let frame = *self.frame();
            if frame.kind.has_statements() || self.indent > frame.indent {
                break;
            }
            self.forget(at);
        }
    }

    /// Closes the innermost bracket, which was forgotten, and reports it.
    pub(super) fn forget(&mut self, at: u32) {
        let Some(frame) = self.frames.pop() else { return };
        let (tok, closer) = frame.kind.closer();
        self.fault(SyntaxError::Unclosed { closer }, frame.start, frame.end);
        self.out.swallowed.push((frame.start, at));
        let end = self.prev_end;
        self.emit(tok, end, end);
    }

    /// Opens a bracket, or jumps over it where it is too deep.
    pub(super) fn open(&mut self, i: usize, tok: Tok, kind: Kind) -> usize {
        let raw = self.raws[i];
        if self.frames.len() > MAX_DEPTH {
            if !self.too_deep {
                self.too_deep = true;
                self.fault(SyntaxError::TooDeep { limit: MAX_DEPTH }, raw.start, raw.end);
            }
            let next = if raw.mate == NO_MATE || raw.mate as usize <= i {
                self.raws.len()
            } else {
                raw.mate as usize + 1
            };
            self.emit(Tok::Error, raw.start, self.raws[next - 1].end);
            return next;
        }
        let params = std::mem::take(&mut self.params_next) && kind == Kind::Call;
        let in_type = self.frame().in_type;
        self.frames.push(Frame {
            kind,
            start: raw.start,
            end: raw.end,
            indent: self.indent,
            mode: Mode::Plain,
            head: None,
            params,
            in_type: in_type && !params,
        });
        self.emit(tok, raw.start, raw.end);
        i + 1
    }

    pub(super) fn close(&mut self, i: usize, kind: Raw) -> usize {
        let raw = self.raws[i];
        let fits = |k: Kind| match kind {
            Raw::RParen => matches!(k, Kind::Group | Kind::Call),
            Raw::RBracket => matches!(k, Kind::List | Kind::Index),
            _ => k.has_entries() || k == Kind::Body,
        };
        // How many brackets must be closed before the one that fits; a round or square one closes only what
        // stands inside the innermost brace.
        let depth = self.frames.iter().rev().take_while(|f| !fits(f.kind) && f.kind.is_inline()).count();
        let target = self.frames.len() - 1 - depth;
        if fits(self.frames[target].kind) {
            for _ in 0..depth {
                self.forget(raw.start);
            }
            let (tok, _) = self.frame().kind.closer();
            self.frames.pop();
            self.emit(tok, raw.start, raw.end);
            if tok == Tok::RBody {
                self.end_statement();
            }
            return i + 1;
        }
        let text = match kind {
            Raw::RParen => ")",
            Raw::RBracket => "]",
            _ => "}",
        };
        if kind != Raw::RBrace && self.frame().kind.is_inline() {
            let frame = *self.frame();
            let (tok, closer) = frame.kind.closer();
            let hint = Some(closer.to_owned());
            let fault =
                SyntaxError::Unexpected { expected: format!("`{closer}`"), found: format!("`{text}`"), hint };
            let diagnostic = fault
                .at(self.span(raw.start, raw.end))
                .related(self.span(frame.start, frame.end), "opened here");
            self.out.faults.push(diagnostic);
            self.frames.pop();
            self.emit(tok, raw.start, raw.end);
        } else {
            self.fault(SyntaxError::Unopened { found: text }, raw.start, raw.end);
            if !self.prev.is_none_or(Tok::ends_operand) {
                // Stands for the value that is missing before it.
                self.emit(Tok::Error, raw.start, raw.end);
            }
        }
        i + 1
    }

    /// Closes what is open inside an interpolation.
    pub(super) fn close_interpolation(&mut self, at: u32) -> bool {
        let Some(target) = self.frames.iter().rposition(|f| f.kind == Kind::Interpolation) else {
            return false;
        };
        while self.frames.len() > target + 1 {
            self.forget(at);
        }
        true
    }

    /// A unit bracket is one token; it ends on its line.
    pub(super) fn unit(&mut self, i: usize) -> usize {
        let raw = self.raws[i];
        let mut j = i + 1;
        let mut end = raw.end;
        while let Some(t) = self.raws.get(j) {
            if t.first || matches!(t.kind, Raw::LBracket | Raw::Semi) {
                break;
            }
            end = t.end;
            j += 1;
            if t.kind == Raw::RBracket {
                self.emit(Tok::Unit, raw.start, end);
                return j;
            }
        }
        // Not closed on its line.
        self.fault(SyntaxError::Unclosed { closer: "]" }, raw.start, raw.end);
        self.emit(Tok::Unit, raw.start, end);
        self.out.swallowed.push((raw.start, end));
        j
    }

    pub(super) fn round(&mut self, i: usize, raw: RawTok) -> usize {
        if !self.behind_value() {
            return self.open(i, Tok::Group, Kind::Group);
        }
        let touches = self.touches(&raw);
        match self.prev {
            Some(Tok::Int | Tok::Float) if touches => {
                self.emit(Tok::Juxt, raw.start, raw.start);
                self.open(i, Tok::Group, Kind::Group)
            }
            Some(Tok::Name | Tok::RParen | Tok::RBracket | Tok::REntries) if touches => {
                self.open(i, Tok::Call, Kind::Call)
            }
            Some(Tok::Name) => {
                let name = self.slice(&self.raws[self.prev_raw]);
                let inside = match raw.mate {
                    NO_MATE => "(...)",
                    mate => &self.text[raw.start as usize..self.raws[mate as usize].end as usize],
                };
                let inside = if inside.len() > 60 || inside.contains('\n') { "(...)" } else { inside };
                let hint = format!("{name}{inside}, or {name}*{inside} to multiply");
                let start = self.prev_end;
                self.fault(SyntaxError::SpacedCall { hint }, start, raw.end);
                self.open(i, Tok::Call, Kind::Call)
            }
            _ => {
                self.side_by_side(i);
                self.open(i, Tok::Group, Kind::Group)
            }
        }
    }

    pub(super) fn square(&mut self, i: usize, raw: RawTok) -> usize {
        let frame = *self.frame();
        match self.prev {
            Some(Tok::Quantity) => return self.unit(i),
            Some(Tok::Arrow) if !frame.in_type => return self.unit(i),
            Some(Tok::Name) if frame.mode == Mode::Names => return self.unit(i),
            _ => {}
        }
        if !self.behind_value() {
            return self.open(i, Tok::List, Kind::List);
        }
        let indexable = !matches!(self.prev, Some(Tok::Int | Tok::Float | Tok::Super | Tok::Unit));
        if frame.in_type || (self.touches(&raw) && indexable) {
            return self.open(i, Tok::Index, Kind::Index);
        }
        self.unit(i)
    }
}
