//! The LaTeX that phys writes (`print/latex.rs`), read back by recursive descent. Products are factors side by side; a
//! name with `\left(` directly behind it is a function, with a blank between them a product.

use super::{ImportError, Language, MAX_DEPTH};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Relation};
use crate::expression::symbol::{Constant, Symbol};

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

/// Names that are functions where brackets follow at once.
const CALLED: &[(&str, Function)] =
    &[("Gamma", Function::Gamma), ("theta", Function::Step), ("O", Function::Order)];

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

const GREEK: &str = " alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi \
                     chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ";

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
                !matches!(
                    text,
                    "\\right"
                        | "\\cdot"
                        | "\\land"
                        | "\\lor"
                        | "\\end"
                        | "\\\\"
                        | "\\,"
                        | "\\pm"
                        | "\\rfloor"
                        | "\\rceil"
                ) && !RELATIONS.iter().any(|(sign, _)| *sign == text)
                    && !(text == "\\text" && matches!(self.ahead(2), "i" | "o"))
            }
            Some(c) => c.is_alphanumeric() || c == '{',
        }
    }

    /// A primary with what stands behind it: factorials and powers.
    fn factor(&mut self) -> Result<Expr> {
        let mut e = self.primary()?;
        loop {
            if self.takes("!") {
                e = Expr::call(Function::Factorial, vec![e]);
            } else if self.takes("^") {
                e = Expr::power(e, self.group()?);
            } else {
                return Ok(e);
            }
        }
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

    /// A number; `1.5 \cdot 10^{-12}` and `10^{6}` are floats.
    fn number(&mut self) -> Result<Expr> {
        let at = self.at();
        let text = self.advance();
        let scientific = |r: &Reader, by: usize| {
            let minus = usize::from(r.ahead(by + 3) == "-");
            let digits = r.ahead(by + 3 + minus);
            let form = r.ahead(by) == "10" && r.ahead(by + 1) == "^" && r.ahead(by + 2) == "{";
            (form
                && digits.bytes().all(|b| b.is_ascii_digit())
                && r.ahead(by + 4 + minus) == "}"
                && !digits.is_empty())
            .then(|| (format!("{}{digits}", if minus == 1 { "-" } else { "" }), by + 5 + minus))
        };
        let exponent = if self.text() == "\\cdot" {
            scientific(self, 1)
        } else if text == "10" && self.text() == "^" {
            self.next -= 1;
            let found = scientific(self, 0);
            if found.is_none() {
                self.next += 1;
            }
            found
        } else {
            None
        };
        let wrong = || fault(at, "a number", format!("`{text}`"));
        if let Some((power, length)) = exponent {
            let mantissa = if self.text() == "10" { "1" } else { text.as_str() };
            let value: f64 = format!("{mantissa}e{power}").parse().map_err(|_| wrong())?;
            self.next += length;
            return Ok(Expr::float(value));
        }
        if text.contains('.') {
            return text.parse().map(Expr::float).map_err(|_| wrong());
        }
        Number::parse_integer(&text).map(Expr::number).ok_or_else(wrong)
    }

    fn fraction(&mut self) -> Result<Expr> {
        self.needs(&["\\frac", "{"])?;
        let letter = self.text().to_owned();
        if matches!(letter.as_str(), "d" | "\\partial")
            && let Some(close) = self.closing()
            && self.tokens.get(close + 2).is_some_and(|t| t.text == letter)
        {
            return self.derivative(&letter);
        }
        let above = self.logic()?;
        self.needs(&["}", "{"])?;
        let below = self.logic()?;
        self.needs(&["}"])?;
        Ok(above / below)
    }

    /// The place of the `}` that closes the group within which the next token stands.
    fn closing(&self) -> Option<usize> {
        let mut open = 1;
        for (place, token) in self.tokens.iter().enumerate().skip(self.next) {
            match token.text.as_str() {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {}
            }
            if open == 0 {
                return Some(place);
            }
        }
        None
    }

    /// `d^{2} u\left(x\right)}{d x^{2}}`, the same with `\partial`.
    fn derivative(&mut self, letter: &str) -> Result<Expr> {
        self.needs(&[letter])?;
        if self.takes("^") {
            self.group()?;
        }
        let mut e = self.named()?;
        self.needs(&["}", "{"])?;
        while self.takes(letter) {
            let at = self.at();
            let variable = self.named()?;
            let Some(s) = variable.as_symbol() else {
                return Err(fault(at, "a variable", format!("`{variable}`")));
            };
            let order = if self.takes("^") { self.group()?.as_i64() } else { Some(1) };
            let Some(order) = order.filter(|n| (1..1000).contains(n)) else {
                return Err(fault(at, "an order from 1 to 999", "something else"));
            };
            e = e.diff_n(s, order as u32);
        }
        self.needs(&["}"])?;
        Ok(e)
    }

    fn root(&mut self) -> Result<Expr> {
        self.needs(&["\\sqrt"])?;
        let degree = if self.takes("[") {
            let n = self.logic()?;
            self.needs(&["]"])?;
            n
        } else {
            Expr::int(2)
        };
        Ok(Expr::power(self.group()?, degree.recip()))
    }

    /// `\left( ... \right)` and the other brackets.
    fn bracket(&mut self) -> Result<Expr> {
        self.needs(&["\\left"])?;
        let at = self.at();
        let open = self.advance();
        if open == "." {
            return self.taken_at();
        }
        let (close, f) = match open.as_str() {
            "(" => (")", None),
            "|" => ("|", Some(Function::Abs)),
            "\\lfloor" => ("\\rfloor", Some(Function::Floor)),
            "\\lceil" => ("\\rceil", Some(Function::Ceil)),
            other => return Err(fault(at, "`(`, `|`, `\\lfloor` or `\\lceil`", format!("`{other}`"))),
        };
        let inner = self.logic()?;
        self.needs(&["\\right", close])?;
        Ok(match f {
            Some(f) => Expr::call(f, vec![inner]),
            None => inner,
        })
    }

    /// `\left. ... \right|_{x = 0}`: a derivative, its variables put in.
    fn taken_at(&mut self) -> Result<Expr> {
        let e = self.primary()?;
        self.needs(&["\\right", "|", "_", "{"])?;
        let mut pairs = Vec::new();
        loop {
            let at = self.at();
            let variable = self.named()?;
            let Some(s) = variable.as_symbol() else {
                return Err(fault(at, "a variable", format!("`{variable}`")));
            };
            self.needs(&["="])?;
            pairs.push((s.clone(), self.sum()?));
            if !self.takes(",") {
                break;
            }
        }
        self.needs(&["}"])?;
        Ok(e.substitute(&pairs))
    }

    fn cases(&mut self) -> Result<Expr> {
        self.word("\\begin", "cases")?;
        let mut branches = Vec::new();
        loop {
            let value = self.logic()?;
            self.needs(&["&", "\\text"])?;
            let at = self.at();
            match self.letters()?.as_str() {
                "if" => branches.push((self.logic()?, value)),
                "otherwise" => {
                    self.word("\\end", "cases")?;
                    return Ok(Expr::piecewise(branches, value));
                }
                other => return Err(fault(at, "`\\text{if }` or `\\text{otherwise}`", format!("`{other}`"))),
            }
            if !self.takes("\\\\") {
                return Err(self.wrong("`\\\\` and a further case"));
            }
        }
    }

    fn word(&mut self, command: &str, word: &str) -> Result<()> {
        self.needs(&[command])?;
        let at = self.at();
        let found = self.letters()?;
        if found == word { Ok(()) } else { Err(fault(at, format!("`{{{word}}}`"), format!("`{found}`"))) }
    }

    /// Letters and digits in braces, `\_` as `_`.
    fn letters(&mut self) -> Result<String> {
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
    fn named(&mut self) -> Result<Expr> {
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
    fn arguments(&mut self, f: Function) -> Result<Vec<Expr>> {
        let at = self.at();
        let items = self.list()?;
        let (least, most) = f.row().arity;
        if (least..=most).contains(&items.len()) {
            return Ok(items);
        }
        Err(fault(at, format!("{least} arguments of `{}`", f.name()), items.len().to_string()))
    }
}
