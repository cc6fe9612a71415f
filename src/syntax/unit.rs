//! Units as written, in brackets behind a value and in the headers of columns:
//!
//! ```text
//! product  = power { ("*" | "·" | "/") power }        left associative
//! power    = atom { "^" exponent | superscript }
//! atom     = "1" | symbol | "(" product ")"
//! exponent = [sign] integer | "(" [sign] integer [ "/" integer ] ")"
//! ```
//! What a symbol means is not known here; division becomes a negative power.

use super::errors::SyntaxError;
use super::names;
use super::tree::{Name, UnitExpr, UnitFactor};
use crate::base::{Diagnostic, Number, Span};

/// Brackets inside a unit, at most.
const MAX_DEPTH: usize = 64;

/// The unit inside a bracket whose text is `text`, the first byte of which stands at `offset`.
pub(super) fn parse_inside(text: &str, offset: u32, source: u32) -> Result<Vec<UnitFactor>, Diagnostic> {
    let mut parser = Parser { text, at: 0, offset, source };
    parser.blanks();
    if parser.rest().is_empty() {
        return Err(parser.fault("a unit", "nothing".to_owned(), Some("[1]".to_owned()), 0, 0));
    }
    let factors = parser.product(0)?;
    match parser.rest().chars().next() {
        None => Ok(factors),
        Some(c) => {
            let at = parser.at;
            let hint = match c {
                _ if names::is_start(c) => {
                    let before = parser.text[..at].trim_end();
                    Some(format!("[{before}*{}]", parser.rest()))
                }
                '+' | '-' | '−'
                    if parser.rest()[c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit()) =>
                {
                    Some(format!("[{}^{}]", parser.text[..at].trim_end(), parser.rest()))
                }
                '.' => Some(format!("[{}*{}]", parser.text[..at].trim_end(), &parser.rest()[1..])),
                _ => None,
            };
            let end = at + c.len_utf8();
            Err(parser.fault("`*`, `/`, `^` or `]`", format!("`{c}`"), hint, at, end))
        }
    }
}

/// The inside of a unit bracket, such as `km/s`. Places count from the start of the text.
///
/// # Errors
/// A diagnostic that says what could stand where.
pub fn parse_unit(text: &str) -> Result<UnitExpr, Diagnostic> {
    let factors = parse_inside(text, 0, 0)?;
    Ok(UnitExpr { factors, span: Span::new(0, 0, text.len() as u32) })
}

/// The header of a column: its name as it stands, its unit where one is written, and whether it holds standard errors
/// (`± v [km/s]`).
///
/// # Errors
/// Where the bracket holds no unit or nothing names the column.
pub fn parse_header(text: &str) -> Result<(Name, Option<UnitExpr>, bool), Diagnostic> {
    let whole = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let (body, errors) = match whole.strip_prefix('±').or_else(|| whole.strip_prefix("+/-")) {
        Some(rest) => (rest.trim_start(), true),
        None => (whole, false),
    };
    let (name, unit) = match body.strip_suffix(']').and_then(|b| b.rsplit_once('[')) {
        Some((name, inside)) => {
            let start = inside.as_ptr() as usize - text.as_ptr() as usize;
            let factors = parse_inside(inside, start as u32, 0)?;
            let span = Span::new(0, start as u32 - 1, (start + inside.len() + 1) as u32);
            (name.trim_end(), Some(UnitExpr { factors, span }))
        }
        None => (body, None),
    };
    if name.is_empty() {
        let found = if whole.is_empty() { "an empty header".to_owned() } else { format!("`{whole}`") };
        return Err(SyntaxError::Header { found }.at(Span::new(0, 0, text.len() as u32)));
    }
    Ok((name.into(), unit, errors))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    offset: u32,
    source: u32,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.offset + start as u32, self.offset + end as u32)
    }

    fn fault(
        &self,
        expected: &'static str,
        found: String,
        hint: Option<String>,
        start: usize,
        end: usize,
    ) -> Diagnostic {
        // Where the bracket ends there may be no letter to point at.
        let mut end = end.max(start).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        SyntaxError::UnitSyntax { expected, found, hint }.at(self.span(start, end))
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, signs: &[char]) -> Option<char> {
        let c = self.rest().chars().next().filter(|c| signs.contains(c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn product(&mut self, depth: usize) -> Result<Vec<UnitFactor>, Diagnostic> {
        let mut factors = self.power(depth)?;
        loop {
            self.blanks();
            let at = self.at;
            if self.rest().starts_with("**") {
                return Err(self.fault(
                    "`^` for a power",
                    "`**`".to_owned(),
                    Some("^".to_owned()),
                    at,
                    at + 2,
                ));
            }
            match self.eat(&['*', '·', '⋅', '\u{387}', '×', '/', '÷']) {
                None => return Ok(factors),
                Some('/' | '÷') => {
                    for factor in self.power(depth)? {
                        factors.push(UnitFactor { power: -&factor.power, ..factor });
                    }
                }
                Some(_) => factors.extend(self.power(depth)?),
            }
        }
    }

    fn power(&mut self, depth: usize) -> Result<Vec<UnitFactor>, Diagnostic> {
        self.blanks();
        let start = self.at;
        let mut factors = self.atom(depth)?;
        let plain_one = factors.is_empty();
        loop {
            self.blanks();
            let power = if self.eat(&['^']).is_some() {
                self.exponent()?
            } else {
                match self.superscript() {
                    Some(power) => power?,
                    None => return Ok(factors),
                }
            };
            let single = !plain_one && factors.len() == 1;
            for factor in &mut factors {
                factor.power = &factor.power * &power;
                if single {
                    factor.span = self.span(start, self.at);
                }
            }
        }
    }

    fn atom(&mut self, depth: usize) -> Result<Vec<UnitFactor>, Diagnostic> {
        let start = self.at;
        let Some(c) = self.rest().chars().next() else {
            return Err(self.fault("a unit", "the end of the bracket".to_owned(), None, start, start));
        };
        if c == '(' {
            if depth >= MAX_DEPTH {
                return Err(SyntaxError::TooDeep { limit: MAX_DEPTH }.at(self.span(start, start + 1)));
            }
            self.at += 1;
            let factors = self.product(depth + 1)?;
            if self.eat(&[')']).is_none() {
                let found = self.rest().chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
                return Err(self.fault("`)`", found, Some(")".to_owned()), self.at, self.at + 1));
            }
            return Ok(factors);
        }
        if c.is_ascii_digit() {
            let rest = self.rest();
            let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let number = &rest[..length];
            self.at += length;
            if number == "1" {
                return Ok(Vec::new());
            }
            let unit = rest[length..].trim_start().strip_prefix(['*', '·']).map_or("m", str::trim);
            let hint = Some(format!("{number} [{unit}]: a number stands before the bracket"));
            return Err(self.fault(
                "1 as the only number",
                format!("`{number}`"),
                hint,
                start,
                start + length,
            ));
        }
        let sign = matches!(c, '%' | '‰' | '°');
        if sign || names::is_start(c) {
            self.at += c.len_utf8();
            let rest = self.rest();
            let length = match sign {
                true => rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()),
                false => names::continued(rest),
            };
            self.at += length;
            let symbol = names::normalise_unit(&self.text[start..self.at]);
            return Ok(vec![UnitFactor { symbol, power: Number::ONE, span: self.span(start, self.at) }]);
        }
        Err(self.fault("a unit", format!("`{c}`"), None, start, start + c.len_utf8()))
    }

    fn exponent(&mut self) -> Result<Number, Diagnostic> {
        self.blanks();
        if self.eat(&['(']).is_some() {
            self.blanks();
            let start = self.at;
            let top = self.integer()?;
            self.blanks();
            let mut value = top;
            if self.eat(&['/', '÷']).is_some() {
                self.blanks();
                let bottom = self.integer()?;
                value = value.checked_div(&bottom).ok_or_else(|| {
                    self.fault(
                        "a fraction with a denominator that is not 0",
                        "0".to_owned(),
                        None,
                        start,
                        self.at,
                    )
                })?;
                self.blanks();
            }
            if self.eat(&[')']).is_none() {
                return Err(self.fault(
                    "`)` behind the exponent",
                    self.found(),
                    Some(")".to_owned()),
                    self.at,
                    self.at + 1,
                ));
            }
            return Ok(value);
        }
        let start = self.at;
        let value = self.integer()?;
        if let Some(fraction) = self.rest().strip_prefix('.') {
            let length = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            self.at += 1 + length;
            let typed = &self.text[start..self.at];
            let exact = Number::parse_decimal(typed).map(|n| format!("^({n})"));
            return Err(self.fault(
                "an integer or a fraction as exponent",
                format!("`{typed}`"),
                exact,
                start,
                self.at,
            ));
        }
        Ok(value)
    }

    fn found(&self) -> String {
        self.rest().chars().next().map_or("the end of the bracket".to_owned(), |c| format!("`{c}`"))
    }

    fn integer(&mut self) -> Result<Number, Diagnostic> {
        let start = self.at;
        let negative = matches!(self.eat(&['-', '−', '+']), Some('-' | '−'));
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(self.fault(
                "an integer as exponent",
                self.found(),
                Some("m^2".to_owned()),
                start,
                self.at + 1,
            ));
        }
        self.at += digits;
        let text = &self.text[self.at - digits..self.at];
        self.small(text, negative, start)
    }

    fn small(&self, digits: &str, negative: bool, start: usize) -> Result<Number, Diagnostic> {
        match digits.parse::<i64>() {
            Ok(n) if n < 1000 => Ok(Number::int(if negative { -n } else { n })),
            _ => Err(self.fault("an exponent below 1000", format!("`{digits}`"), None, start, self.at)),
        }
    }

    fn superscript(&mut self) -> Option<Result<Number, Diagnostic>> {
        let start = self.at;
        let (negative, digits, length) = superscript(self.rest())?;
        self.at += length;
        Some(self.small(&digits, negative, start))
    }
}

/// A run of superscripts at the start of the text: its sign, its digits, its length in bytes.
pub(super) fn superscript(text: &str) -> Option<(bool, String, usize)> {
    let mut digits = String::new();
    let mut negative = false;
    let mut length = 0;
    for (i, c) in text.char_indices() {
        match c {
            '⁻' if i == 0 => negative = true,
            '⁺' if i == 0 => {}
            _ => match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|s| s == c) {
                Some(d) => digits.push((b'0' + d as u8) as char),
                None => break,
            },
        }
        length = i + c.len_utf8();
    }
    (!digits.is_empty()).then_some((negative, digits, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let unit = parse_unit(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
        let factors: Vec<String> = unit.factors.iter().map(|f| format!("{}^{}", f.symbol, f.power)).collect();
        factors.join(" ")
    }

    #[test]
    fn units_read_left_to_right() {
        for (text, factors) in [
            ("kg*m^2/s²", "kg^1 m^2 s^-2"),
            ("V^(1/2)", "V^1/2"),
            ("m^-2", "m^-2"),
            ("m^(-2)", "m^-2"),
            ("1", ""),
            ("1/s", "s^-1"),
            ("%", "%^1"),
            ("Ω", "Ω^1"),
            ("\u{B5}m", "μm^1"),
            ("a/b/c", "a^1 b^-1 c^-1"),
            ("a/b*c", "a^1 b^-1 c^1"),
            ("m^3/(kg*s^2)", "m^3 kg^-1 s^-2"),
            ("(m/s)^2", "m^2 s^-2"),
            ("(m/s)²", "m^2 s^-2"),
            ("s⁻¹⁰", "s^-10"),
            ("°C", "°C^1"),
            ("M_sun · pc", "M_sun^1 pc^1"),
            ("1/(m*(s/kg))", "m^-1 s^-1 kg^1"),
            ("m^(3/2)^2", "m^3"),
        ] {
            assert_eq!(shown(text), factors, "{text}");
        }
    }

    #[test]
    fn faults_say_what_to_type() {
        for (text, hint) in [
            ("N m", "[N*m]"),
            ("m^0.5", "^(1/2)"),
            ("s-1", "[s^-1]"),
            ("", "[1]"),
            ("m**2", "^"),
            ("10 m", "10 [m]: a number stands before the bracket"),
        ] {
            assert_eq!(parse_unit(text).unwrap_err().hint.as_deref(), Some(hint), "{text}");
        }
        for text in ["m/", "(m", "m)", "m^", "m^(1/0)", "m^99999", "m^(1/2", "*m", "m,s", &"(".repeat(5000)] {
            assert!(parse_unit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_are_a_name_and_a_unit() {
        let read = |text: &str| {
            let (name, unit, errors) = parse_header(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
            (name.to_string(), unit.map(|u| u.factors.len()), errors)
        };
        assert_eq!(read("r [m]"), ("r".to_owned(), Some(1), false));
        assert_eq!(read(" orbital period [day] "), ("orbital period".to_owned(), Some(1), false));
        assert_eq!(read("± v [km/s]"), ("v".to_owned(), Some(2), true));
        assert_eq!(read("+/- v"), ("v".to_owned(), None, true));
        assert_eq!(read("type"), ("type".to_owned(), None, false));
        assert_eq!(read("x [1]"), ("x".to_owned(), Some(0), false));
        for text in ["", "[m]", "± ", "r [10]", "r []"] {
            assert!(parse_header(text).is_err(), "{text}");
        }
        let (_, unit, _) = parse_header("r [m]").unwrap();
        assert_eq!(unit.map(|u| (u.span.start, u.span.end)), Some((2, 5)));
    }
}
