//! Reads the one statement form of `stdlib/units/` until `syntax::parse` stands; then this file goes.

use super::spelling;
use crate::base::{Diagnostic, Number, Source, Span};
use crate::syntax::tree::*;

pub(super) fn parse(source: &Source) -> (Tree, Vec<Diagnostic>) {
    let mut r = Reader { text: &source.text, at: 0, tree: Tree::default() };
    if let Some(eq) = source.text.find('=') {
        r.at = eq + 1;
        let value = r.pm();
        let kind = StatementKind::Unit { names: Vec::new(), value };
        r.tree.statements.push(Statement { doc: None, kind, span: Span::default(), quiet: false });
    }
    (r.tree, Vec::new())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    tree: Tree,
}

impl Reader<'_> {
    fn push(&mut self, kind: ExprKind) -> ExprId {
        self.tree.exprs.push(ExprNode { kind, span: Span::default() });
        ExprId(self.tree.exprs.len() as u32 - 1)
    }
    fn eat(&mut self, c: char) -> bool {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        let hit = rest.starts_with(c);
        self.at += if hit { c.len_utf8() } else { 0 };
        hit
    }
    fn pm(&mut self) -> Option<ExprId> {
        let a = self.product()?;
        if self.eat('±') {
            let b = self.product()?;
            return Some(self.push(ExprKind::PlusMinus(a, b)));
        }
        Some(a)
    }
    fn product(&mut self) -> Option<ExprId> {
        let mut all = vec![(MulOp::Times, self.postfix()?)];
        loop {
            let op = if self.eat('*') {
                MulOp::Times
            } else if self.eat('/') {
                MulOp::Divide
            } else {
                break;
            };
            let f = self.postfix()?;
            all.push((op, f));
        }
        Some(if all.len() == 1 { all[0].1 } else { self.push(ExprKind::Product(all)) })
    }
    fn postfix(&mut self) -> Option<ExprId> {
        let mut a = self.atom()?;
        if self.eat('^') {
            let b = self.atom()?;
            a = self.push(ExprKind::Power(a, b));
        }
        if self.eat('[') {
            let end = self.at + self.text[self.at..].find(']')?;
            let unit = spelling::read(&self.text[self.at..end]).ok()?;
            self.at = end + 1;
            a = self.push(ExprKind::WithUnit(a, unit));
        }
        Some(a)
    }
    fn atom(&mut self) -> Option<ExprId> {
        if self.eat('(') {
            let inner = self.pm()?;
            return self.eat(')').then_some(inner);
        }
        if self.eat('-') {
            let inner = self.atom()?;
            return Some(self.push(ExprKind::Neg(inner)));
        }
        let rest = &self.text[self.at..];
        if let Some(after) = rest.strip_prefix("pi") {
            self.at = self.text.len() - after.len();
            return Some(self.push(ExprKind::Name("pi".into())));
        }
        let mut last = ' ';
        let n = rest
            .find(|c: char| {
                let ok = c.is_ascii_digit() || ".eE".contains(c) || (c == '-' && last == 'e');
                last = c;
                !ok
            })
            .unwrap_or(rest.len());
        let word = &rest[..n];
        self.at += n;
        let kind = match Number::parse_integer(word) {
            Some(i) => ExprKind::Integer(i),
            None => ExprKind::Float(word.parse().ok()?),
        };
        Some(self.push(kind))
    }
}
