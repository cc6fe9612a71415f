//! The LaTeX that phys writes (`print/latex.rs`), read back by recursive descent. Products are factors side by side; a
//! name with `\left(` directly behind it is a function, with a blank between them a product.

mod names;
mod parts;

use super::{ImportError, Language, MAX_DEPTH};
use crate::expression::function::Function;
use crate::expression::node::{Expr, Relation};
use crate::expression::symbol::Constant;

type Result<T> = std::result::Result<T, ImportError>;

/// Commands of functions with their arguments in brackets.
const FUNCTIONS: &[(&str, Function)] = &[
    ("\\ln", Function::Log),
    ("\\exp", Function::Exp),
    ("\\sin", Function::Sin),
    ("\\cos", Function::Cos),
    ("\\tan", Function::Tan),
    ("\\arcsin", Function::Asin),
    ("\\arccos", Function::Acos),
    ("\\arctan", Function::Atan),
    ("\\sinh", Function::Sinh),
    ("\\cosh", Function::Cosh),
    ("\\tanh", Function::Tanh),
    ("\\min", Function::Min),
    ("\\max", Function::Max),
    ("\\arg", Function::Arg),
];

const RELATIONS: &[(&str, Relation)] = &[
    ("=", Relation::Eq),
    ("\\neq", Relation::Ne),
    ("\\ne", Relation::Ne),
    ("<", Relation::Lt),
    ("\\leq", Relation::Le),
    ("\\le", Relation::Le),
    (">", Relation::Gt),
    ("\\geq", Relation::Ge),
    ("\\ge", Relation::Ge),
];

/// Commands that end a product.
const ENDS: &[&str] =
    &["\\right", "\\cdot", "\\land", "\\lor", "\\end", "\\\\", "\\,", "\\pm", "\\rfloor", "\\rceil"];

#[derive(Clone, Debug)]
struct Token {
    at: usize,
    /// Whether a blank stands before it.
    spaced: bool,
    text: String,
}

fn fault(at: usize, expected: impl Into<String>, found: impl Into<String>) -> ImportError {
    let (expected, found) = (expected.into(), found.into());
    ImportError { language: Language::Latex, at, expected, found, hint: None }
}

/// Commands, numbers, and single characters.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut i, mut spaced) = (0, false);
    while i < chars.len() {
        let start = i;
        let c = chars[i];
        i += 1;
        if c.is_whitespace() {
            spaced = true;
            continue;
        }
        if c == '\\' {
            let letters = chars[i..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
            i += letters.max(usize::from(i < chars.len()));
        } else if c.is_ascii_digit() {
            while i < chars.len()
                && (chars[i].is_ascii_digit()
                    || (chars[i] == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit)))
            {
                i += 1;
            }
        }
        found.push(Token { at: start + 1, spaced, text: chars[start..i].iter().collect() });
        spaced = false;
    }
    found.push(Token { at: chars.len() + 1, spaced: true, text: String::new() });
    found
}

pub(super) fn read(text: &str) -> Result<Expr> {
    let mut reader = Reader { tokens: tokens(text), next: 0, depth: 0 };
    let e = reader.logic()?;
    if reader.text().is_empty() { Ok(e) } else { Err(reader.wrong("an operator or the end")) }
}

struct Reader {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Reader {
    fn text(&self) -> &str {
        &self.tokens[self.next].text
    }

    fn ahead(&self, by: usize) -> &str {
        self.tokens.get(self.next + by).map_or("", |t| &t.text)
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    fn advance(&mut self) -> String {
        let text = self.text().to_owned();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        text
    }

    fn wrong(&self, expected: &str) -> ImportError {
        match self.text() {
            "" => fault(self.at(), expected, "the end"),
            "\\," | "\\pm" => {
                let mut e = fault(self.at(), expected, format!("`{}`", self.text()));
                e.hint = Some("leave out units and errors of numbers".into());
                e
            }
            text => fault(self.at(), expected, format!("`{text}`")),
        }
    }

    /// Takes a token if it is next.
    fn takes(&mut self, text: &str) -> bool {
        let is = self.text() == text;
        if is {
            self.advance();
        }
        is
    }

    fn needs(&mut self, texts: &[&str]) -> Result<()> {
        for text in texts {
            if !self.takes(text) {
                return Err(self.wrong(&format!("`{text}`")));
            }
        }
        Ok(())
    }

    fn logic(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(fault(self.at(), format!("at most {MAX_DEPTH} levels of brackets"), "more"));
        }
        let mut parts = vec![self.conjunction()?];
        while self.takes("\\lor") {
            parts.push(self.conjunction()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::or(parts) })
    }

    fn conjunction(&mut self) -> Result<Expr> {
        let mut parts = vec![self.relation()?];
        while self.takes("\\land") {
            parts.push(self.relation()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::and(parts) })
    }

    fn relation(&mut self) -> Result<Expr> {
        if self.takes("\\neg") {
            return Ok(Expr::not(self.factor()?));
        }
        let left = self.sum()?;
        match RELATIONS.iter().find(|(sign, _)| *sign == self.text()) {
            Some((_, op)) => {
                self.advance();
                Ok(Expr::relation(*op, left, self.sum()?))
            }
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut terms = Vec::new();
        loop {
            let negative = match self.text() {
                "-" => true,
                "+" if !terms.is_empty() => false,
                _ if terms.is_empty() => {
                    terms.push(self.product()?);
                    continue;
                }
                _ => break,
            };
            self.advance();
            let term = self.product()?;
            terms.push(if negative { term.negate() } else { term });
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Expr::sum(terms) })
    }

    fn product(&mut self) -> Result<Expr> {
        let mut factors = vec![self.factor()?];
        loop {
            if self.takes("\\cdot") || self.begins_factor() {
                factors.push(self.factor()?);
            } else {
                break;
            }
        }
        Ok(if factors.len() == 1 { factors.remove(0) } else { Expr::product(factors) })
    }

    fn begins_factor(&self) -> bool {
        let text = self.text();
        match text.chars().next() {
            None => false,
            Some('\\') => {
                let relation = RELATIONS.iter().any(|(sign, _)| *sign == text);
                let condition = text == "\\text" && matches!(self.ahead(2), "i" | "o");
                !(ENDS.contains(&text) || relation || condition)
            }
            Some(c) => c.is_alphanumeric() || c == '{',
        }
    }

    /// A primary with what stands behind it: factorials and powers.
    fn factor(&mut self) -> Result<Expr> {
        let mut e = self.primary()?;
        for _ in 0..=MAX_DEPTH {
            if self.takes("!") {
                e = Expr::call(Function::Factorial, vec![e]);
            } else if self.takes("^") {
                e = Expr::power(e, self.group()?);
            } else {
                return Ok(e);
            }
        }
        Err(fault(self.at(), format!("at most {MAX_DEPTH} powers in a row"), "more"))
    }

    /// `{...}`, or the one character that may stand for it.
    fn group(&mut self) -> Result<Expr> {
        if self.text() != "{" {
            return self.primary();
        }
        self.needs(&["{"])?;
        let e = self.logic()?;
        self.needs(&["}"])?;
        Ok(e)
    }

    fn primary(&mut self) -> Result<Expr> {
        let text = self.text().to_owned();
        if let Some((_, f)) = FUNCTIONS.iter().find(|(name, _)| *name == text) {
            self.advance();
            if *f == Function::Log && self.text() == "\\Gamma" {
                self.advance();
                return Ok(Expr::call(Function::LogGamma, self.arguments(Function::LogGamma)?));
            }
            let exponent = if self.takes("^") { Some(self.group()?) } else { None };
            let e = Expr::call(*f, self.arguments(*f)?);
            return Ok(match exponent {
                Some(n) => Expr::power(e, n),
                None => e,
            });
        }
        match text.as_str() {
            "{" => self.group(),
            "\\frac" => self.fraction(),
            "\\sqrt" => self.root(),
            "\\left" => self.bracket(),
            "\\begin" => self.cases(),
            "\\overline" => {
                self.advance();
                Ok(Expr::call(Function::Conj, vec![self.group()?]))
            }
            "\\log" => {
                let at = self.at();
                self.needs(&["\\log", "_"])?;
                let base = self.group()?;
                let f = match base.as_i64() {
                    Some(10) => Function::Log10,
                    Some(2) => Function::Log2,
                    _ => {
                        return Err(fault(at, "a logarithm to the base 10 or 2", format!("the base {base}")));
                    }
                };
                Ok(Expr::call(f, self.arguments(f)?))
            }
            "\\operatorname" => {
                self.advance();
                let at = self.at();
                let name = self.letters()?;
                let f = Function::from_name(&name)
                    .ok_or_else(|| fault(at, "a function of phys", format!("`{name}`")))?;
                Ok(Expr::call(f, self.arguments(f)?))
            }
            "\\text" => {
                self.advance();
                let at = self.at();
                match self.letters()?.as_str() {
                    "true" => Ok(Expr::boolean(true)),
                    "false" => Ok(Expr::boolean(false)),
                    "undefined" => Ok(Expr::float(f64::NAN)),
                    other => Err(fault(at, "true, false or undefined", format!("`{other}`"))),
                }
            }
            "\\infty" => {
                self.advance();
                Ok(Expr::constant(Constant::Infinity))
            }
            "\\pi" if self.ahead(1) != "_" => {
                self.advance();
                Ok(Expr::pi())
            }
            "i" if !matches!(self.ahead(1), "_" | "'") => {
                self.advance();
                Ok(Expr::i())
            }
            "e" if !matches!(self.ahead(1), "_" | "'") => {
                self.advance();
                if self.takes("^") {
                    return Ok(Expr::call(Function::Exp, vec![self.group()?]));
                }
                Ok(Expr::constant(Constant::E))
            }
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            _ => self.named(),
        }
    }

    fn word(&mut self, command: &str, word: &str) -> Result<()> {
        self.needs(&[command])?;
        let at = self.at();
        let found = self.letters()?;
        if found == word { Ok(()) } else { Err(fault(at, format!("`{{{word}}}`"), format!("`{found}`"))) }
    }
}
