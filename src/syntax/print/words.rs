//! The text of what is no expression: units, strings, types.

use super::Printer;
use crate::base::Number;
use crate::syntax::tree::*;

impl<'t> Printer<'t> {
    pub(in crate::syntax) fn unit(&mut self, unit: &UnitExpr) {
        match self.slice(unit.span) {
            Some(text) => {
                let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                self.text(text);
            }
            None => {
                let text = format!("[{}]", unit_text(unit));
                self.text(text);
            }
        }
    }

    pub(super) fn string(&mut self, parts: &'t [StrPart], raw: bool) {
        if raw {
            let text: String =
                parts.iter().map(|p| if let StrPart::Text(t) = p { t.as_str() } else { "" }).collect();
            return self.text(format!("r\"{text}\""));
        }
        self.text("\"");
        for part in parts {
            match part {
                StrPart::Text(text) => {
                    let quoted = quoted(text);
                    self.text(&quoted[1..quoted.len() - 1]);
                }
                StrPart::Interpolation { expr, digits } => {
                    self.text("{");
                    self.any(*expr);
                    if let Some(digits) = digits {
                        self.text(format!(":{digits}"));
                    }
                    self.text("}");
                }
            }
        }
        self.text("\"");
    }

    pub(in crate::syntax) fn ty(&mut self, ty: &TypeExpr) {
        match ty {
            TypeExpr::Named(name) => self.ident(name),
            TypeExpr::Quantity(unit) => {
                self.text("quantity");
                self.unit(unit);
            }
            TypeExpr::List(inner) => {
                self.text("list[");
                self.ty(inner);
                self.text("]");
            }
            TypeExpr::Record(fields) => {
                self.text("record{");
                for (i, (name, ty)) in fields.iter().enumerate() {
                    if i > 0 {
                        self.text(", ");
                    }
                    self.ident(name);
                    self.text(": ");
                    self.ty(ty);
                }
                self.text("}");
            }
            TypeExpr::OneOf(names) => {
                self.text("one_of(");
                self.idents(names);
                self.text(")");
            }
            TypeExpr::Optional(inner) => {
                self.ty(inner);
                self.text("?");
            }
        }
    }
}

/// A string with its escapes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A unit without its brackets; reads back as the same factors.
pub fn unit_text(unit: &UnitExpr) -> String {
    let mut out = String::new();
    for (i, factor) in unit.factors.iter().enumerate() {
        let down = factor.power.is_negative();
        out.push_str(match (i, down) {
            (0, false) => "",
            (0, true) => "1/",
            (_, false) => "*",
            (_, true) => "/",
        });
        out.push_str(&factor.symbol);
        let power = factor.power.abs();
        if power.is_integer() {
            if power != Number::ONE {
                out.push_str(&format!("^{power}"));
            }
        } else {
            out.push_str(&format!("^({power})"));
        }
    }
    if out.is_empty() { "1".to_owned() } else { out }
}
