//! Layers as text: what [`Layer`] prints, and the reader of exactly that, by which a file of weights can say which
//! network they belong to.
//!
//! ```text
//! layer  = name [ "(" [ entry { "," entry } ] ")" ]
//! entry  = layer | value | name ":" value
//! value  = number | "true" | "false" | name | text | "[" number { "," number } "]"
//! ```

use std::fmt;
use std::str::FromStr;

use super::super::error::NetworkError;
use super::options::{Preset, Setting};
use super::{Inner, Layer, kind};

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name)?;
        let mut entries: Vec<String> = self.inner().iter().map(Layer::to_string).collect();
        for (row, setting) in self.settings() {
            if row.preset == Preset::Required {
                entries.push(setting.to_string());
            } else if row.preset.setting().as_ref() != Some(setting) {
                entries.push(format!("{}: {setting}", row.name));
            }
        }
        if entries.is_empty() { Ok(()) } else { write!(f, "({})", entries.join(", ")) }
    }
}

impl FromStr for Layer {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Layer, NetworkError> {
        let mut reader = Reader { text, at: 0 };
        let layer = reader.layer(0)?;
        if reader.peek().is_some() { Err(reader.fault("the end")) } else { Ok(layer) }
    }
}

/// How deep layers may stand inside each other in a text, and so in a network that is trained.
pub(in crate::networks) const DEPTH: usize = 256;
/// So many letters before a fault are shown.
const SHOWN: usize = 40;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn run(&mut self, fits: fn(char) -> bool) -> &str {
        self.peek();
        let rest = &self.text[self.at..];
        let run = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += run.len();
        run
    }

    fn fault(&mut self, expected: &'static str) -> NetworkError {
        let found = self.peek().map_or("the end".to_string(), |c| format!("`{c}`"));
        let from = self.text[..self.at].char_indices().rev().nth(SHOWN - 1).map_or(0, |(i, _)| i);
        let before = format!("{}{}", if from > 0 { "..." } else { "" }, &self.text[from..self.at]);
        NetworkError::Text { expected, found, at: self.at, before }
    }

    fn name(&mut self) -> Result<String, NetworkError> {
        let name = self.run(|c| c.is_alphanumeric() || c == '_').to_string();
        if name.is_empty() { Err(self.fault("a name")) } else { Ok(name) }
    }

    fn layer(&mut self, depth: usize) -> Result<Layer, NetworkError> {
        if depth > DEPTH {
            return Err(self.fault("layers at most 256 deep"));
        }
        let name = self.name()?;
        let kind = kind(&name)?;
        let (mut positional, mut named, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        if self.take('(') && !self.take(')') {
            loop {
                let start = self.at;
                let word = self.run(|c| c.is_alphanumeric() || c == '_').to_string();
                if !word.is_empty() && self.take(':') {
                    named.push((word, self.value()?));
                } else {
                    self.at = start;
                    match kind.inner {
                        Inner::None => positional.push(self.value()?),
                        _ => inner.push(self.layer(depth + 1)?),
                    }
                }
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(self.fault("`,` or `)`"));
                }
            }
        }
        Layer::call(&name, positional, named, inner)
    }

    fn number(&mut self) -> Result<Setting, NetworkError> {
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        if let Ok(n) = digits.parse::<i64>() {
            return Ok(Setting::Integer(n));
        }
        if let Ok(x) = digits.parse::<f64>() {
            return Ok(Setting::Real(x));
        }
        self.at = start;
        Err(self.fault("a number"))
    }

    /// A text in quotes, with the quotes and backslashes inside behind a backslash.
    fn quoted(&mut self) -> Result<Setting, NetworkError> {
        self.take('"');
        let mut text = String::new();
        let mut rest = self.text[self.at..].char_indices();
        while let Some((k, c)) = rest.next() {
            match c {
                '"' => {
                    self.at += k + 1;
                    return Ok(Setting::Text(text));
                }
                '\\' => text.extend(rest.next().map(|(_, c)| c)),
                c => text.push(c),
            }
        }
        Err(self.fault("a text in quotes"))
    }

    fn value(&mut self) -> Result<Setting, NetworkError> {
        match self.peek() {
            Some('[') => {
                self.take('[');
                let mut list = Vec::new();
                while !self.take(']') {
                    list.push(self.number()?.number().unwrap_or(f64::NAN));
                    if !self.take(',') && self.peek() != Some(']') {
                        return Err(self.fault("`,` or `]`"));
                    }
                }
                Ok(Setting::List(list))
            }
            Some('"') => self.quoted(),
            Some(c) if c.is_alphabetic() => Ok(match self.name()?.as_str() {
                "true" => Setting::Boolean(true),
                "false" => Setting::Boolean(false),
                "none" => Setting::Absent,
                word => Setting::Word(word.to_string()),
            }),
            _ => self.number(),
        }
    }
}
