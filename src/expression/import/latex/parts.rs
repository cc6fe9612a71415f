//! What begins with a command or a bracket: numbers with a power of ten, fractions and derivatives, roots, brackets, cases.

use super::{Reader, Result, fault};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::Expr;

impl Reader {
    /// A number; `1.5 \cdot 10^{-12}` and `10^{6}` are floats.
    pub(super) fn number(&mut self) -> Result<Expr> {
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

    pub(super) fn fraction(&mut self) -> Result<Expr> {
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

    pub(super) fn root(&mut self) -> Result<Expr> {
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
    pub(super) fn bracket(&mut self) -> Result<Expr> {
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

    pub(super) fn cases(&mut self) -> Result<Expr> {
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
}
