//! SI prefixes (SI Brochure, 9th edition with the 2022 additions ronna, quetta, ronto, quecto; table 7)
//! and the binary prefixes of IEC 80000-13:2008. Symbols of prefixes go with symbols of units, names with
//! names.

use super::scale::Scale;
use crate::base::Number;

/// One prefix.
#[derive(Debug)]
pub(super) struct Prefix {
    /// Spellings before a symbol (`μ`, `u`).
    pub symbols: &'static [&'static str],
    /// Before a name (`micro`).
    pub name: &'static str,
    base: i64,
    power: i32,
}

impl Prefix {
    pub fn scale(&self) -> Scale {
        Number::int(self.base).pow(self.power).and_then(Scale::from_number).unwrap_or(Scale::ONE)
    }
}

const fn decimal(symbols: &'static [&'static str], name: &'static str, power: i32) -> Prefix {
    Prefix { symbols, name, base: 10, power }
}

const fn binary(symbols: &'static [&'static str], name: &'static str, power: i32) -> Prefix {
    Prefix { symbols, name, base: 2, power }
}

/// All prefixes; `da` stands before `d`.
pub(super) const PREFIXES: [Prefix; 30] = [
    decimal(&["Q"], "quetta", 30),
    decimal(&["R"], "ronna", 27),
    decimal(&["Y"], "yotta", 24),
    decimal(&["Z"], "zetta", 21),
    decimal(&["E"], "exa", 18),
    decimal(&["P"], "peta", 15),
    decimal(&["T"], "tera", 12),
    decimal(&["G"], "giga", 9),
    decimal(&["M"], "mega", 6),
    decimal(&["k"], "kilo", 3),
    decimal(&["h"], "hecto", 2),
    decimal(&["da"], "deca", 1),
    decimal(&["d"], "deci", -1),
    decimal(&["c"], "centi", -2),
    decimal(&["m"], "milli", -3),
    decimal(&["μ", "u"], "micro", -6),
    decimal(&["n"], "nano", -9),
    decimal(&["p"], "pico", -12),
    decimal(&["f"], "femto", -15),
    decimal(&["a"], "atto", -18),
    decimal(&["z"], "zepto", -21),
    decimal(&["y"], "yocto", -24),
    decimal(&["r"], "ronto", -27),
    decimal(&["q"], "quecto", -30),
    binary(&["Ki"], "kibi", 10),
    binary(&["Mi"], "mebi", 20),
    binary(&["Gi"], "gibi", 30),
    binary(&["Ti"], "tebi", 40),
    binary(&["Pi"], "pebi", 50),
    binary(&["Ei"], "exbi", 60),
];

/// Which prefixes a unit takes: the word after `## prefixes:`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefixes {
    /// None.
    None,
    /// All decimal ones.
    Metric,
    /// Kilo and above: years, light years, tonnes.
    Large,
    /// Binary ones, and kilo and above.
    Binary,
}

impl Prefixes {
    pub fn read(word: &str) -> Option<Prefixes> {
        Some(match word {
            "none" => Prefixes::None,
            "metric" => Prefixes::Metric,
            "large" => Prefixes::Large,
            "binary" => Prefixes::Binary,
            _ => return None,
        })
    }

    pub fn allows(self, prefix: &Prefix) -> bool {
        match self {
            Prefixes::None => false,
            Prefixes::Metric => prefix.base == 10,
            Prefixes::Large => prefix.base == 10 && prefix.power >= 3,
            Prefixes::Binary => prefix.base == 2 || prefix.power >= 3,
        }
    }
}

/// Every way to split `text` into a prefix (as spelled) and the rest; whether the prefix is a symbol.
pub(super) fn splits(text: &str) -> impl Iterator<Item = (&'static Prefix, &'static str, &str, bool)> + '_ {
    PREFIXES.iter().flat_map(move |prefix| {
        let spellings = prefix.symbols.iter().map(|s| (*s, true)).chain([(prefix.name, false)]);
        spellings.filter_map(move |(spelling, symbol)| {
            let rest = text.strip_prefix(spelling).filter(|rest| !rest.is_empty())?;
            Some((prefix, spelling, rest, symbol))
        })
    })
}
