//! Exact rational numbers of any size. Numerator and denominator live in machine words while they
//! fit; arithmetic that would overflow goes on with big integers, and results that fit come back.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use dashu_base::{Abs, BitTest, Sign, Signed};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// An exact rational number, in lowest terms with a positive denominator.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    /// `num / den`, `den > 0`, coprime, `num > i64::MIN`.
    Small(i64, i64),
    /// Anything that does not fit the above.
    Big(Arc<RBig>),
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number(Repr::Small(0, 1));
    /// One.
    pub const ONE: Number = Number(Repr::Small(1, 1));
    /// Minus one.
    pub const MINUS_ONE: Number = Number(Repr::Small(-1, 1));
    /// Two.
    pub const TWO: Number = Number(Repr::Small(2, 1));
    /// One half.
    pub const HALF: Number = Number(Repr::Small(1, 2));

    /// An integer.
    #[inline]
    pub fn int(n: i64) -> Number {
        if n == i64::MIN { Number::from_big(RBig::from(IBig::from(n))) } else { Number(Repr::Small(n, 1)) }
    }

    /// `num / den` in lowest terms; `None` where `den` is zero.
    pub fn ratio(num: i64, den: i64) -> Option<Number> {
        if den == 0 {
            return None;
        }
        Some(Number::reduce(num as i128, den as i128))
    }

    fn reduce(num: i128, den: i128) -> Number {
        let (num, den) = if den < 0 { (-num, -den) } else { (num, den) };
        if num == 0 {
            return Number::ZERO;
        }
        let (mut num, mut den) = (num, den);
        if den != 1 {
            let (mut a, mut b) = (num.unsigned_abs(), den.unsigned_abs());
            if let (Ok(x), Ok(y)) = (u64::try_from(a), u64::try_from(b)) {
                let g = gcd(x, y) as i128;
                num /= g;
                den /= g;
            } else {
                while b != 0 {
                    (a, b) = (b, a % b);
                }
                num /= a as i128;
                den /= a as i128;
            }
        }
        match (i64::try_from(num), i64::try_from(den)) {
            (Ok(n), Ok(d)) if n != i64::MIN => Number(Repr::Small(n, d)),
            _ => {
                Number(Repr::Big(Arc::new(RBig::from_parts(IBig::from(num), UBig::from(den.unsigned_abs())))))
            }
        }
    }

    /// From dashu's rational, which is in lowest terms.
    pub fn from_big(value: RBig) -> Number {
        if let (Ok(n), Ok(d)) = (i64::try_from(value.numerator()), i64::try_from(value.denominator()))
            && n != i64::MIN
        {
            return Number(Repr::Small(n, d));
        }
        Number(Repr::Big(Arc::new(value)))
    }

    /// As dashu's rational.
    pub fn to_big(&self) -> RBig {
        match &self.0 {
            Repr::Small(n, d) => RBig::from_parts(IBig::from(*n), UBig::from(*d as u64)),
            Repr::Big(b) => (**b).clone(),
        }
    }

    /// Reads digits, an integer of any size (`_` must have been removed).
    pub fn parse_integer(digits: &str) -> Option<Number> {
        if let Ok(n) = digits.parse::<i64>() {
            return Some(Number::int(n));
        }
        digits.parse::<IBig>().ok().map(|n| Number::from_big(RBig::from(n)))
    }

    /// The exact value of a finite float; `None` for infinities and NaN.
    pub fn from_f64_exact(x: f64) -> Option<Number> {
        if x.fract() == 0.0 && x.abs() < 9e15 {
            return Some(Number::int(x as i64));
        }
        RBig::try_from(x).ok().map(Number::from_big)
    }

    /// The shortest decimal that reads back as `x`, as an exact ratio (`0.1` gives 1/10).
    pub fn from_f64_decimal(x: f64) -> Option<Number> {
        if !x.is_finite() {
            return None;
        }
        Number::parse_decimal(&format!("{x:e}"))
    }

    /// The exact value of a decimal literal such as `6.674e-11`.
    pub fn parse_decimal(text: &str) -> Option<Number> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = format!("{whole}{fraction}");
        let value = Number::parse_integer(&digits)?;
        let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        if shift.abs() > 5_000 {
            return None;
        }
        let ten = Number::int(10).pow(shift)?;
        Some(&value * &ten)
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Small(n, d) if n.unsigned_abs() < 1 << 53 && *d < 1 << 53 => *n as f64 / *d as f64,
            _ => self.to_big().to_f64().value(),
        }
    }

    /// Whether it is an integer.
    #[inline]
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Small(_, d) => *d == 1,
            Repr::Big(b) => b.denominator().is_one(),
        }
    }

    /// The integer, where it is one that fits.
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Small(n, 1) => Some(*n),
            _ => None,
        }
    }

    /// Numerator and denominator, where both fit.
    #[inline]
    pub fn to_ratio(&self) -> Option<(i64, i64)> {
        match &self.0 {
            Repr::Small(n, d) => Some((*n, *d)),
            Repr::Big(_) => None,
        }
    }

    /// The numerator, with the sign.
    pub fn numerator(&self) -> Number {
        match &self.0 {
            Repr::Small(n, _) => Number::int(*n),
            Repr::Big(b) => Number::from_big(RBig::from(b.numerator().clone())),
        }
    }

    /// The denominator, positive.
    pub fn denominator(&self) -> Number {
        match &self.0 {
            Repr::Small(_, d) => Number::int(*d),
            Repr::Big(b) => Number::from_big(RBig::from(IBig::from(b.denominator().clone()))),
        }
    }

    /// Whether it is 0.
    #[inline]
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Small(0, _))
    }

    /// Whether it is 1.
    #[inline]
    pub fn is_one(&self) -> bool {
        matches!(self.0, Repr::Small(1, 1))
    }

    /// Whether it is -1.
    #[inline]
    pub fn is_minus_one(&self) -> bool {
        matches!(self.0, Repr::Small(-1, 1))
    }

    /// Whether it is below 0.
    #[inline]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Small(n, _) => *n < 0,
            Repr::Big(b) => b.is_negative(),
        }
    }

    /// Whether it is above 0.
    #[inline]
    pub fn is_positive(&self) -> bool {
        !self.is_negative() && !self.is_zero()
    }

    /// Whether it is an even integer.
    pub fn is_even(&self) -> bool {
        match &self.0 {
            Repr::Small(n, d) => *d == 1 && n % 2 == 0,
            Repr::Big(b) => b.denominator().is_one() && !b.numerator().bit(0),
        }
    }

    /// Whether it is an odd integer.
    pub fn is_odd(&self) -> bool {
        self.is_integer() && !self.is_even()
    }

    /// The absolute value.
    pub fn abs(&self) -> Number {
        if self.is_negative() { -self } else { self.clone() }
    }

    /// The reciprocal; `None` for 0.
    pub fn recip(&self) -> Option<Number> {
        match &self.0 {
            Repr::Small(0, _) => None,
            Repr::Small(n, d) => {
                Some(if *n < 0 { Number(Repr::Small(-d, -n)) } else { Number(Repr::Small(*d, *n)) })
            }
            Repr::Big(b) => Some(Number::from_big(RBig::ONE / (**b).clone())),
        }
    }

    /// The quotient; `None` where `other` is 0.
    pub fn checked_div(&self, other: &Number) -> Option<Number> {
        Some(self * &other.recip()?)
    }

    /// An integer power; `None` for a negative power of 0 and for results of over a million bits.
    pub fn pow(&self, exponent: i32) -> Option<Number> {
        if exponent < 0 {
            return self.recip()?.pow(exponent.checked_neg()?);
        }
        let bits = match &self.0 {
            Repr::Small(n, d) => 64 - n.unsigned_abs().max(*d as u64).leading_zeros() as u64,
            Repr::Big(b) => {
                (b.numerator().as_sign_words().1.len().max(b.denominator().as_words().len()) * 64) as u64
            }
        };
        if bits > 1 && bits.saturating_mul(exponent as u64) > 1_000_000 {
            return None;
        }
        let mut result = Number::ONE;
        let mut base = self.clone();
        let mut left = exponent as u32;
        while left > 0 {
            if left & 1 == 1 {
                result = &result * &base;
            }
            left >>= 1;
            if left > 0 {
                base = &base * &base;
            }
        }
        Some(result)
    }

    /// The exact `n`-th root of a non-negative number, where it is rational.
    pub fn exact_root(&self, n: u32) -> Option<Number> {
        if n == 0 || self.is_negative() {
            return None;
        }
        if self.is_zero() || self.is_one() {
            return Some(self.clone());
        }
        let big = self.to_big();
        let root = |v: &UBig| -> Option<UBig> {
            let r = dashu_int::UBig::nth_root(v, n as usize);
            (r.clone().pow(n as usize) == *v).then_some(r)
        };
        let num = root(&big.numerator().abs().unsigned_abs_ref())?;
        let den = root(big.denominator())?;
        Some(Number::from_big(RBig::from_parts(IBig::from(num), den)))
    }

    /// The greatest integer not above.
    pub fn floor(&self) -> Number {
        match &self.0 {
            Repr::Small(n, d) => Number::int(n.div_euclid(*d)),
            Repr::Big(b) => Number::from_big(RBig::from(b.floor())),
        }
    }

    /// Greatest common divisor of two rationals: the greatest `g > 0` of which both are integer
    /// multiples (0 only for two zeros).
    pub fn gcd(&self, other: &Number) -> Number {
        if self.is_zero() {
            return other.abs();
        }
        if other.is_zero() {
            return self.abs();
        }
        let cross = (&self.numerator() * &other.denominator()).abs();
        let other_cross = (&other.numerator() * &self.denominator()).abs();
        let den = &self.denominator() * &other.denominator();
        let g = integer_gcd(&cross, &other_cross);
        g.checked_div(&den).unwrap_or(Number::ONE)
    }

    /// A fixed hash of the value.
    pub fn stable_hash(&self) -> u64 {
        match &self.0 {
            Repr::Small(n, d) => super::hash::combine(super::hash::mix(*n as u64), *d as u64),
            Repr::Big(b) => super::hash::of_str(&b.to_string()),
        }
    }

    /// Number of decimal digits of numerator and denominator together.
    pub fn digits(&self) -> usize {
        match &self.0 {
            Repr::Small(n, d) => {
                n.unsigned_abs().checked_ilog10().unwrap_or(0) as usize
                    + 1
                    + if *d > 1 { d.ilog10() as usize + 1 } else { 0 }
            }
            Repr::Big(b) => b.to_string().len(),
        }
    }
}

fn integer_gcd(a: &Number, b: &Number) -> Number {
    match (a.to_i64(), b.to_i64()) {
        (Some(x), Some(y)) => Number::int(gcd(x.unsigned_abs(), y.unsigned_abs()) as i64),
        _ => {
            use dashu_base::Gcd;
            let x = a.to_big().numerator().unsigned_abs_ref();
            let y = b.to_big().numerator().unsigned_abs_ref();
            Number::from_big(RBig::from(IBig::from(x.gcd(y))))
        }
    }
}

/// The magnitude of a big integer.
trait Magnitude {
    fn unsigned_abs_ref(&self) -> UBig;
}

impl Magnitude for IBig {
    fn unsigned_abs_ref(&self) -> UBig {
        let (sign, magnitude) = self.clone().into_parts();
        debug_assert!(sign == Sign::Positive || sign == Sign::Negative);
        magnitude
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number::int(n)
    }
}

impl std::ops::Neg for &Number {
    type Output = Number;
    fn neg(self) -> Number {
        match &self.0 {
            Repr::Small(n, d) => Number(Repr::Small(-n, *d)),
            Repr::Big(b) => Number::from_big(-(**b).clone()),
        }
    }
}

impl std::ops::Neg for Number {
    type Output = Number;
    fn neg(self) -> Number {
        -&self
    }
}

impl std::ops::Add for &Number {
    type Output = Number;
    #[inline]
    fn add(self, other: &Number) -> Number {
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            if *b == 1
                && *d == 1
                && let Some(sum) = a.checked_add(*c)
                && sum != i64::MIN
            {
                return Number(Repr::Small(sum, 1));
            }
            let (a, b, c, d) = (*a as i128, *b as i128, *c as i128, *d as i128);
            // |a*d + c*b| < 2^127: each product is below 2^126.
            return Number::reduce(a * d + c * b, b * d);
        }
        Number::from_big(self.to_big() + other.to_big())
    }
}

impl std::ops::Sub for &Number {
    type Output = Number;
    #[inline]
    fn sub(self, other: &Number) -> Number {
        self + &-other
    }
}

impl std::ops::Mul for &Number {
    type Output = Number;
    #[inline]
    fn mul(self, other: &Number) -> Number {
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            if *b == 1
                && *d == 1
                && let Some(product) = a.checked_mul(*c)
                && product != i64::MIN
            {
                return Number(Repr::Small(product, 1));
            }
            return Number::reduce(*a as i128 * *c as i128, *b as i128 * *d as i128);
        }
        Number::from_big(self.to_big() * other.to_big())
    }
}

macro_rules! owned_operators {
    ($($trait:ident $method:ident),*) => {$(
        impl std::ops::$trait for Number {
            type Output = Number;
            fn $method(self, other: Number) -> Number {
                std::ops::$trait::$method(&self, &other)
            }
        }
    )*};
}
owned_operators!(Add add, Sub sub, Mul mul);

impl PartialEq for Number {
    #[inline]
    fn eq(&self, other: &Number) -> bool {
        match (&self.0, &other.0) {
            (Repr::Small(a, b), Repr::Small(c, d)) => a == c && b == d,
            (Repr::Big(a), Repr::Big(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.stable_hash());
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small(a, b), Repr::Small(c, d)) => {
                (*a as i128 * *d as i128).cmp(&(*c as i128 * *b as i128))
            }
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Small(n, 1) => write!(f, "{n}"),
            Repr::Small(n, d) => write!(f, "{n}/{d}"),
            Repr::Big(b) if b.denominator().is_one() => write!(f, "{}", b.numerator()),
            Repr::Big(b) => write!(f, "{}/{}", b.numerator(), b.denominator()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn arithmetic_survives_overflow_and_comes_back() {
        let big = &Number::int(i64::MAX) * &Number::int(i64::MAX);
        assert_eq!(big.to_string(), "85070591730234615847396907784232501249");
        assert_eq!(big.checked_div(&Number::int(i64::MAX)), Some(Number::int(i64::MAX)));
        assert_eq!(
            &Number::int(i64::MAX) + &Number::ONE,
            Number::parse_integer("9223372036854775808").unwrap()
        );
        let third = Number::ratio(1, 3).unwrap();
        assert_eq!((&third + &third).to_string(), "2/3");
        assert_eq!(Number::ratio(6, -4).unwrap().to_string(), "-3/2");
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(Number::from_f64_decimal(0.1), Number::ratio(1, 10));
        assert_eq!(Number::parse_decimal("6.02e3"), Some(Number::int(6020)));
        assert_eq!(Number::parse_decimal("-2.5e-1"), Number::ratio(-1, 4));
    }

    #[test]
    fn roots_and_common_divisors() {
        assert_eq!(Number::ratio(4, 9).unwrap().exact_root(2), Number::ratio(2, 3));
        assert_eq!(Number::int(2).exact_root(2), None);
        assert_eq!(
            Number::ratio(3, 4).unwrap().gcd(&Number::ratio(1, 2).unwrap()),
            Number::ratio(1, 4).unwrap()
        );
        assert_eq!(Number::int(2).pow(-3), Number::ratio(1, 8));
        assert_eq!(Number::ZERO.pow(-1), None);
    }
}
