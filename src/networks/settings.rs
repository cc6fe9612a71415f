//! Named numbers with a default and a range each: what optimisers, schedules and losses are set by. A table row of each of
//! them lists its [`Setting`]s once; messages, documentation and the language read that list.

use std::fmt;

use super::error::NetworkError;
use crate::base::suggest;

/// One named number.
#[derive(Debug, PartialEq)]
pub struct Setting {
    /// Its name as it is typed (`rate`).
    pub name: &'static str,
    /// Its value where none is given.
    pub default: f64,
    /// What it may be.
    pub range: Range,
    /// What it means, one line.
    pub docs: &'static str,
}

/// What a number may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Greater than 0.
    Positive,
    /// 0 or greater.
    NotNegative,
    /// 0 <= x < 1.
    Share,
    /// 0 < x < 1.
    Inside,
    /// 0 < x <= 1.
    Factor,
    /// A whole number from 1.
    Count,
    /// 0 (no) or 1 (yes).
    Flag,
}

impl Range {
    /// Whether `x` lies in the range. A value that is not finite lies in none.
    pub fn holds(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Range::Positive => x > 0.0,
                Range::NotNegative => x >= 0.0,
                Range::Share => (0.0..1.0).contains(&x),
                Range::Inside => x > 0.0 && x < 1.0,
                Range::Factor => x > 0.0 && x <= 1.0,
                Range::Count => x >= 1.0 && x.fract() == 0.0 && x <= 1e15,
                Range::Flag => x == 0.0 || x == 1.0,
            }
    }

    /// The range in words.
    pub fn words(self) -> &'static str {
        match self {
            Range::Positive => "a number > 0",
            Range::NotNegative => "a number >= 0",
            Range::Share => "a number from 0 to below 1",
            Range::Inside => "a number between 0 and 1",
            Range::Factor => "a number > 0 and <= 1",
            Range::Count => "a whole number >= 1",
            Range::Flag => "0 or 1",
        }
    }
}

/// The values of a list of settings, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    list: &'static [Setting],
    values: Vec<f64>,
}

impl Settings {
    /// The defaults of `list` with the values that are given. `of` is what they belong to, for messages.
    ///
    /// # Errors
    /// A name is not in the list, or a value not in its range.
    pub fn new(of: &str, list: &'static [Setting], given: &[(&str, f64)]) -> Result<Settings, NetworkError> {
        let mut settings = Settings::defaults(list);
        for (name, value) in given {
            let Some(at) = list.iter().position(|s| s.name == *name) else {
                return Err(NetworkError::UnknownSetting {
                    of: of.into(),
                    name: (*name).into(),
                    names: list.iter().map(|s| s.name).collect::<Vec<_>>().join(", "),
                    nearest: suggest::nearest(name, list.iter().map(|s| s.name)).map(|s| s.to_string()),
                });
            };
            if !list[at].range.holds(*value) {
                return Err(NetworkError::SettingRange {
                    name: format!("{of}({})", list[at].name),
                    expected: list[at].range.words(),
                    found: *value,
                    default: list[at].default,
                });
            }
            settings.values[at] = *value;
        }
        Ok(settings)
    }

    /// The defaults of a list.
    pub fn defaults(list: &'static [Setting]) -> Settings {
        Settings { list, values: list.iter().map(|s| s.default).collect() }
    }

    /// The value of a name of the list; NaN for another (a table row reads its own names only).
    pub fn get(&self, name: &str) -> f64 {
        let at = self.list.iter().position(|s| s.name == name);
        at.map_or(f64::NAN, |at| self.values[at])
    }

    /// The same as a count.
    pub fn count(&self, name: &str) -> usize {
        self.get(name) as usize
    }

    /// The same as a flag.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == 1.0
    }
}

/// `(rate: 0.01, momentum: 0.9)`: the values that are not the defaults; nothing where all are.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.list.iter().zip(&self.values).filter(|(s, v)| s.default != **v);
        let words: Vec<String> = own.map(|(s, v)| format!("{}: {v}", s.name)).collect();
        if words.is_empty() { Ok(()) } else { write!(f, "({})", words.join(", ")) }
    }
}
