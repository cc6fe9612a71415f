//! Reads the text of a unit, as it stands in the header of a CSV column or comes from another program:
//!
//! ```text
//! unit   := term (("*" | "·" | "/") term)*
//! term   := ("1" | name | "(" unit ")") power?
//! power  := "^" sign? digits | "^" "(" sign? digits ("/" digits)? ")" | superscripts
//! ```
//!
//! The same language as between the brackets of a phys source.

use super::error::UnitError;
use crate::base::{Number, Span};
use crate::syntax::tree::{UnitExpr, UnitFactor};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Brackets deeper than this are no unit.
const DEEPEST: usize = 32;

/// A spelling under NFKC, in which all names of units are compared: `µ` is `μ`, the ohm sign is `Ω`.
pub(super) fn normal(name: &str) -> Cow<'_, str> {
    if name.is_ascii() { Cow::Borrowed(name) } else { Cow::Owned(name.nfkc().collect()) }
}

/// The value of a superscript digit or sign.
fn superscript(c: char) -> Option<char> {
    Some(match c {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴'..='⁹' => char::from_digit(c as u32 - '⁰' as u32, 10)?,
        '⁻' => '-',
        '⁺' => '+',
        _ => return None,
    })
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '%' | '‰' | '°')
}

fn continues_name(c: char) -> bool {
    begins_name(c) || (c.is_numeric() && superscript(c).is_none())
}

/// Reads a whole text as a unit; spans are byte ranges of source 0.
pub(super) fn read(text: &str) -> Result<UnitExpr, UnitError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let factors = reader.product()?;
    if reader.peek().is_some() {
        return Err(reader.fault("`*`, `/`, `^` or the end"));
    }
    Ok(UnitExpr { factors, span: Span::new(0, 0, text.len() as u32) })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn fault(&mut self, expected: &'static str) -> UnitError {
        let found = self.peek().map_or("the end".to_string(), |c| format!("`{c}`"));
        UnitError::Unreadable { expected, found, text: self.text.chars().take(80).collect() }
    }

    fn product(&mut self) -> Result<Vec<UnitFactor>, UnitError> {
        let mut factors = self.term()?;
        loop {
            if self.eat('*') || self.eat('·') || self.eat('⋅') || self.eat('×') {
                factors.extend(self.term()?);
            } else if self.eat('/') {
                let below = self.term()?.into_iter().map(|f| UnitFactor { power: -f.power, ..f });
                factors.extend(below);
            } else {
                return Ok(factors);
            }
        }
    }

    fn term(&mut self) -> Result<Vec<UnitFactor>, UnitError> {
        const EXPECTED: &str = "the name of a unit, 1 or `(`";
        let mut factors = match self.peek() {
            Some('(') => {
                self.at += 1;
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(self.fault("fewer brackets"));
                }
                let inner = self.product()?;
                if !self.eat(')') {
                    return Err(self.fault("`)`"));
                }
                self.depth -= 1;
                inner
            }
            Some('1') => {
                self.at += 1;
                if self.text[self.at..]
                    .starts_with(|c: char| c.is_ascii_digit() || c == '.' || begins_name(c))
                {
                    self.at -= 1;
                    return Err(self.fault("no number but 1"));
                }
                Vec::new()
            }
            Some(c) if begins_name(c) => {
                let rest = &self.text[self.at..];
                let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
                let span = Span::new(0, self.at as u32, (self.at + length) as u32);
                self.at += length;
                vec![UnitFactor { symbol: normal(&rest[..length]).into(), power: Number::ONE, span }]
            }
            Some(c) if c.is_numeric() => return Err(self.fault("no number but 1")),
            _ => return Err(self.fault(EXPECTED)),
        };
        if let Some(power) = self.power()? {
            factors.iter_mut().for_each(|f| f.power = &f.power * &power);
        }
        Ok(factors)
    }

    fn power(&mut self) -> Result<Option<Number>, UnitError> {
        if self.eat('^') {
            let bracket = self.eat('(');
            let negative = self.eat('-') || self.eat('−');
            if !negative {
                self.eat('+');
            }
            let mut value = self.digits()?;
            if bracket {
                if self.eat('/') {
                    let below = self.digits()?;
                    value = value
                        .checked_div(&below)
                        .ok_or_else(|| self.fault("a power without a division by 0"))?;
                }
                if !self.eat(')') {
                    return Err(self.fault("`)`"));
                }
            }
            return Ok(Some(if negative { -value } else { value }));
        }
        let raised: String = self.text[self.at..].chars().map_while(superscript).collect();
        if raised.is_empty() {
            return Ok(None);
        }
        let power = Number::parse_integer(raised.strip_prefix('+').unwrap_or(&raised));
        let power = power.ok_or_else(|| self.fault("a power such as ² or ⁻¹"))?;
        self.at +=
            self.text[self.at..].chars().take(raised.chars().count()).map(char::len_utf8).sum::<usize>();
        Ok(Some(power))
    }

    fn digits(&mut self) -> Result<Number, UnitError> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let value = Number::parse_integer(&rest[..length]).filter(|_| length > 0 && length <= 9);
        let value = value.ok_or_else(|| self.fault("an integer as power"))?;
        self.at += length;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{normal, read};

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(unit) => {
                let parts: Vec<String> =
                    unit.factors.iter().map(|f| format!("{}^{}", f.symbol, f.power)).collect();
                parts.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_grammar_of_units() {
        assert_eq!(shown("kg*m^2/s²"), "kg^1 m^2 s^-2");
        assert_eq!(shown("m^3/(kg·s^2)"), "m^3 kg^-1 s^-2");
        assert_eq!(shown(" 1 / s "), "s^-1");
        assert_eq!(shown("V^(1/2)"), "V^1/2");
        assert_eq!(shown("m^(-2)"), "m^-2");
        assert_eq!(shown("m^-2"), "m^-2");
        assert_eq!(shown("s⁻¹"), "s^-1");
        assert_eq!(shown("(m/s)^2"), "m^2 s^-2");
        assert_eq!(shown("a/b/c*d"), "a^1 b^-1 c^-1 d^1");
        assert_eq!(shown("1"), "");
        assert_eq!(shown("%"), "%^1");
    }

    #[test]
    fn what_is_no_unit_says_so() {
        assert_eq!(shown(""), "expected the name of a unit, 1 or `(`, found the end in the unit []");
        assert_eq!(shown("2*m"), "expected no number but 1, found `2` in the unit [2*m]");
        assert_eq!(shown("10"), "expected no number but 1, found `1` in the unit [10]");
        assert_eq!(shown("m s"), "expected `*`, `/`, `^` or the end, found `s` in the unit [m s]");
        assert_eq!(shown("m^x"), "expected an integer as power, found `x` in the unit [m^x]");
        assert_eq!(
            shown("m^(1/0)"),
            "expected a power without a division by 0, found `)` in the unit [m^(1/0)]"
        );
        assert!(read(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn look_alikes_are_one_spelling() {
        assert_eq!(normal("\u{b5}m"), normal("\u{3bc}m"));
        assert_eq!(normal("\u{2126}"), "Ω");
        assert_eq!(normal("\u{212b}"), normal("\u{c5}"));
    }
}
