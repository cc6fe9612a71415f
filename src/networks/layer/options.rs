//! The options of layers: their types, defaults and values. The declarations of the language's library are checked
//! against these rows.

use std::fmt;

use super::super::error::NetworkError;
use crate::base::suggest;

/// The largest whole number: every one up to it is exact in single precision, too.
const LARGEST: f64 = 16_777_216.0;

/// The type of an option.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum OptionType {
    /// A whole number from 1.
    Size,
    /// A whole number from 0.
    Count,
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// A number above 0.
    Positive,
    /// A number from 0 to below 1.
    Fraction,
    /// true or false.
    Boolean,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a whole number from 0.
    WordOrCount(&'static [&'static str]),
    /// A whole number from 1, or a list of them.
    Sizes,
    /// A text in quotes.
    Text,
    /// A number, or a list of numbers.
    Reals,
}

impl OptionType {
    /// A value of this type, as source.
    pub fn example(self) -> &'static str {
        match self {
            OptionType::Size | OptionType::Sizes => "2",
            OptionType::Count | OptionType::Integer => "1",
            OptionType::Real | OptionType::Reals | OptionType::Positive => "1.0",
            OptionType::Fraction => "0.1",
            OptionType::Text => "\"x0^2\"",
            OptionType::Boolean => "true",
            OptionType::Word(words) | OptionType::WordOrCount(words) => words.first().copied().unwrap_or("1"),
        }
    }

    /// Whether its numbers are whole.
    fn is_whole(self) -> bool {
        matches!(self, OptionType::Size | OptionType::Count | OptionType::Integer)
    }

    /// The type in the language's declarations.
    pub fn declaration(self) -> String {
        match self {
            OptionType::Size | OptionType::Count | OptionType::Integer => "integer".into(),
            OptionType::Real | OptionType::Positive | OptionType::Fraction => "real".into(),
            OptionType::Boolean => "boolean".into(),
            OptionType::Text => "string".into(),
            OptionType::Word(words) => format!("one_of({})", words.join(", ")),
            OptionType::WordOrCount(_) | OptionType::Sizes | OptionType::Reals => "any".into(),
        }
    }
}

impl fmt::Display for OptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionType::Size => f.write_str("a whole number from 1"),
            OptionType::Count => f.write_str("a whole number from 0"),
            OptionType::Integer => f.write_str("a whole number"),
            OptionType::Real => f.write_str("a number"),
            OptionType::Positive => f.write_str("a number above 0"),
            OptionType::Fraction => f.write_str("a number from 0 to below 1"),
            OptionType::Boolean => f.write_str("true or false"),
            OptionType::Text => f.write_str("a text"),
            OptionType::Word(words) => write!(f, "one of {}", words.join(", ")),
            OptionType::WordOrCount(words) => write!(f, "{} or a whole number from 0", words.join(", ")),
            OptionType::Sizes => f.write_str("a whole number from 1 or a list of them"),
            OptionType::Reals => f.write_str("a number or a list of numbers"),
        }
    }
}

/// The value of an option.
#[derive(Clone, PartialEq, Debug)]
pub enum Setting {
    /// Not set, where that has a meaning of its own.
    Absent,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// true or false.
    Boolean(bool),
    /// A word.
    Word(String),
    /// A text.
    Text(String),
    /// Numbers.
    List(Vec<f64>),
}

impl Setting {
    /// The number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Setting::Integer(n) => Some(*n as f64),
            Setting::Real(x) => Some(*x),
            _ => None,
        }
    }
}

impl From<usize> for Setting {
    fn from(n: usize) -> Setting {
        Setting::Integer(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Setting {
    fn from(x: f64) -> Setting {
        Setting::Real(x)
    }
}

impl From<bool> for Setting {
    fn from(b: bool) -> Setting {
        Setting::Boolean(b)
    }
}

impl From<&str> for Setting {
    fn from(word: &str) -> Setting {
        Setting::Word(word.to_string())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Absent => f.write_str("none"),
            Setting::Integer(n) => write!(f, "{n}"),
            // the shortest digits that read back as the same number, always with a point or an exponent
            Setting::Real(x) => write!(f, "{x:?}"),
            Setting::Boolean(b) => write!(f, "{b}"),
            Setting::Word(word) => f.write_str(word),
            Setting::Text(text) => write!(f, "{text:?}"),
            Setting::List(list) => {
                f.write_str("[")?;
                for (i, x) in list.iter().enumerate() {
                    write!(f, "{}{x}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// The default of an option.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Preset {
    /// It must be given.
    Required,
    /// Not set.
    Absent,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// true or false.
    Boolean(bool),
    /// A word.
    Word(&'static str),
}

impl Preset {
    /// The value, where there is one.
    pub fn setting(self) -> Option<Setting> {
        Some(match self {
            Preset::Required => return None,
            Preset::Absent => Setting::Absent,
            Preset::Integer(n) => Setting::Integer(n),
            Preset::Real(x) => Setting::Real(x),
            Preset::Boolean(b) => Setting::Boolean(b),
            Preset::Word(word) => Setting::Word(word.to_string()),
        })
    }
}

/// An option of a kind of layer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OptionRow {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: OptionType,
    /// Its default.
    pub preset: Preset,
    /// One line of documentation.
    pub docs: &'static str,
}

impl OptionRow {
    /// The option in the declaration of its kind.
    pub fn declaration(&self) -> String {
        let (name, kind) = (self.name, self.kind.declaration());
        match self.preset.setting() {
            None => format!("{name}: {kind}"),
            Some(Setting::Absent) => format!("{name}: {kind}?"),
            Some(setting) => format!("{name}: {kind} = {setting}"),
        }
    }

    /// The value in the form in which layers keep it, if it is of the type.
    pub(crate) fn accept(&self, layer: &'static str, value: &Setting) -> Result<Setting, NetworkError> {
        if *value == Setting::Absent && self.preset == Preset::Absent {
            return Ok(Setting::Absent);
        }
        let whole = |least: f64| {
            let fits = |x: &f64| x.fract() == 0.0 && *x >= least && x.abs() <= LARGEST;
            value.number().filter(fits).map(|x| Setting::Integer(x as i64))
        };
        let real =
            |fits: fn(f64) -> bool| value.number().filter(|x| x.is_finite() && fits(*x)).map(Setting::Real);
        let list = |fits: fn(f64) -> bool| match value {
            Setting::List(list) if !list.is_empty() && list.iter().all(|x| x.is_finite() && fits(*x)) => {
                Some(value.clone())
            }
            _ => None,
        };
        let word = |words: &[&str]| match value {
            Setting::Word(word) if words.contains(&word.as_str()) => Some(value.clone()),
            _ => None,
        };
        let accepted = match self.kind {
            OptionType::Size => whole(1.0),
            OptionType::Count => whole(0.0),
            OptionType::Integer => whole(f64::MIN),
            OptionType::Real => real(|_| true),
            OptionType::Positive => real(|x| x > 0.0),
            OptionType::Fraction => real(|x| (0.0..1.0).contains(&x)),
            OptionType::Boolean => matches!(value, Setting::Boolean(_)).then(|| value.clone()),
            OptionType::Word(words) => word(words),
            OptionType::WordOrCount(words) => word(words).or_else(|| whole(0.0)),
            OptionType::Sizes => {
                whole(1.0).or_else(|| list(|x| x >= 1.0 && x.fract() == 0.0 && x <= LARGEST))
            }
            OptionType::Text => matches!(value, Setting::Text(_)).then(|| value.clone()),
            OptionType::Reals => real(|_| true).or_else(|| list(|_| true)),
        };
        accepted.ok_or_else(|| NetworkError::OptionValue {
            layer,
            option: self.name,
            expected: match value.number() {
                Some(x) if x.abs() > LARGEST && self.kind.is_whole() => format!("{} to {LARGEST}", self.kind),
                _ => self.kind.to_string(),
            },
            found: value.to_string(),
            hint: match (self.kind, value) {
                (OptionType::Word(words) | OptionType::WordOrCount(words), Setting::Word(word)) => {
                    suggest::nearest(word, words.iter().copied()).map(|w| format!("{}: {w}", self.name))
                }
                _ => Some(format!("{}: {}", self.name, self.kind.example())),
            },
        })
    }
}
