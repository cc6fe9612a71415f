//! A small exact rational: the power of a base unit or of a named unit. In lowest terms, denominator
//! positive; numerators and denominators stay below 1000, as between brackets: what leaves that range is
//! `None`, and the caller reports a power overflow.

use crate::base::Number;
use std::fmt;

/// The greatest numerator or denominator.
const LIMIT: i16 = 999;

/// `num/den` in lowest terms, `den > 0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Exponent {
    pub num: i16,
    pub den: i16,
}

impl Exponent {
    pub const ZERO: Exponent = Exponent { num: 0, den: 1 };
    pub const ONE: Exponent = Exponent { num: 1, den: 1 };

    pub const fn int(num: i16) -> Exponent {
        Exponent { num, den: 1 }
    }

    /// `num/den` reduced; `None` where it does not fit or `den` is zero.
    pub fn ratio(num: i64, den: i64) -> Option<Exponent> {
        Exponent::from_number(&Number::ratio(num, den)?)
    }

    pub fn from_number(value: &Number) -> Option<Exponent> {
        let (num, den) = value.to_ratio()?;
        let small = |n: i64| i16::try_from(n).ok().filter(|n| n.abs() <= LIMIT);
        Some(Exponent { num: small(num)?, den: small(den)? })
    }

    pub fn to_number(self) -> Number {
        Number::ratio(self.num.into(), self.den.into()).unwrap_or(Number::ZERO)
    }

    pub fn to_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    pub fn is_zero(self) -> bool {
        self.num == 0
    }

    pub fn neg(self) -> Exponent {
        Exponent { num: -self.num, den: self.den }
    }

    pub fn abs(self) -> Exponent {
        Exponent { num: self.num.abs(), den: self.den }
    }

    pub fn add(self, other: Exponent) -> Option<Exponent> {
        if self.den == 1 && other.den == 1 {
            // Neither is above the limit, so the sum fits its type.
            return Some(Exponent::int(self.num + other.num)).filter(|sum| sum.num.abs() <= LIMIT);
        }
        let (a, b) = (i64::from(self.num), i64::from(self.den));
        let (c, d) = (i64::from(other.num), i64::from(other.den));
        Exponent::ratio(a * d + c * b, b * d)
    }

    pub fn mul(self, factor: &Number) -> Option<Exponent> {
        Exponent::from_number(&(&self.to_number() * factor))
    }

    /// Both parts as one word, for hashes.
    pub fn word(self) -> u64 {
        u64::from(self.num as u16) << 16 | u64::from(self.den as u16)
    }
}

impl fmt::Display for Exponent {
    /// `^2`, `^(1/2)`, nothing for 1: what stands after a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.num, self.den) {
            (1, 1) => Ok(()),
            (n, 1) if n >= 0 => write!(f, "^{n}"),
            (n, 1) => write!(f, "^({n})"),
            (n, d) => write!(f, "^({n}/{d})"),
        }
    }
}

/// Prints a product of named powers: positive powers first, then `/` and the others, in brackets where
/// there are several; `1` for none.
pub(super) fn write_product<'a, N, D>(f: &mut fmt::Formatter<'_>, numerator: N, denominator: D) -> fmt::Result
where
    N: IntoIterator<Item = (&'a str, Exponent)>,
    D: IntoIterator<Item = (&'a str, Exponent)>,
{
    let mut empty = true;
    for (name, power) in numerator {
        write!(f, "{}{name}{power}", if empty { "" } else { "*" })?;
        empty = false;
    }
    let below: Vec<_> = denominator.into_iter().collect();
    match below.as_slice() {
        [] if empty => write!(f, "1"),
        [] => Ok(()),
        [(name, power)] => write!(f, "{}/{name}{}", if empty { "1" } else { "" }, power.abs()),
        many => {
            write!(f, "{}/(", if empty { "1" } else { "" })?;
            for (i, (name, power)) in many.iter().enumerate() {
                write!(f, "{}{name}{}", if i == 0 { "" } else { "*" }, power.abs())?;
            }
            write!(f, ")")
        }
    }
}
