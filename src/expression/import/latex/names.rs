//! Names: letters, Greek, upright words, indices and primes; and functions with their arguments.

use super::{Reader, Result, fault};
use crate::expression::function::Function;
use crate::expression::node::Expr;
use crate::expression::symbol::Symbol;

/// Names that are functions where brackets follow at once.
const CALLED: &[(&str, Function)] =
    &[("Gamma", Function::Gamma), ("theta", Function::Step), ("O", Function::Order)];

const GREEK: &str = " alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi \
                     chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ";

impl Reader {
    /// Letters and digits in braces, `\_` as `_`.
    pub(super) fn letters(&mut self) -> Result<String> {
        self.needs(&["{"])?;
        let mut word = String::new();
        while !self.takes("}") {
            match self.advance().as_str() {
                "\\_" => word.push('_'),
                t if t.chars().all(char::is_alphanumeric) && !t.is_empty() => word.push_str(t),
                _ => {
                    self.next -= usize::from(!self.text().is_empty());
                    return Err(self.wrong("letters and `}`"));
                }
            }
        }
        Ok(word)
    }

    /// A letter, Greek name or upright word.
    fn stem(&mut self) -> Result<String> {
        let text = self.text().to_owned();
        if text == "\\mathrm" {
            self.advance();
            return self.letters();
        }
        let known = match text.strip_prefix('\\') {
            Some(name) => GREEK.contains(&format!(" {name} ")) || name == "pi",
            None => text.chars().next().is_some_and(char::is_alphabetic),
        };
        if !known {
            return Err(self.wrong("a formula"));
        }
        self.advance();
        Ok(text.trim_start_matches('\\').to_owned())
    }

    /// A symbol, or an undefined function of what stands in brackets behind it.
    pub(super) fn named(&mut self) -> Result<Expr> {
        let mut name = self.stem()?;
        if self.takes("_") {
            self.needs(&["{"])?;
            loop {
                if self.text().bytes().all(|b| b.is_ascii_digit()) && !self.text().is_empty() {
                    let digits = self.advance();
                    let joint = if name.contains('_') { "_" } else { "" };
                    name.push_str(&format!("{joint}{digits}"));
                } else {
                    let part = self.stem()?;
                    name.push_str(&format!("_{part}"));
                }
                if !self.takes(",") {
                    break;
                }
            }
            self.needs(&["}"])?;
        }
        while self.takes("'") {
            name.push('\'');
        }
        let called = self.text() == "\\left" && self.ahead(1) == "(" && !self.tokens[self.next].spaced;
        if !called {
            return Ok(Expr::symbol(Symbol::new(&name)));
        }
        match CALLED.iter().find(|(own, _)| *own == name) {
            Some((_, f)) => Ok(Expr::call(*f, self.arguments(*f)?)),
            None => Ok(Expr::apply(Symbol::new(&name), self.list()?)),
        }
    }

    fn list(&mut self) -> Result<Vec<Expr>> {
        self.needs(&["\\left", "("])?;
        let mut items = vec![self.logic()?];
        while self.takes(",") {
            items.push(self.logic()?);
        }
        self.needs(&["\\right", ")"])?;
        Ok(items)
    }

    /// The arguments of a known function.
    pub(super) fn arguments(&mut self, f: Function) -> Result<Vec<Expr>> {
        let at = self.at();
        let items = self.list()?;
        let (least, most) = f.row().arity;
        if (least..=most).contains(&items.len()) {
            return Ok(items);
        }
        Err(fault(at, format!("{least} arguments of `{}`", f.name()), items.len().to_string()))
    }
}
