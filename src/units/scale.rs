//! The factor between a unit and the coherent SI unit of its dimension:
//! `exact * pi^k * irrational * product of measured^p`. The exact part is a rational of any size, so that
//! conversions between defined units have no rounding; measured factors (the solar mass, the dalton)
//! keep their identity, so that they cancel without leaving an uncertainty behind.

use super::exponent::Exponent;
use crate::base::{Number, hash};
use std::f64::consts::PI;

/// A measured factor to some power.
#[derive(Clone, Debug)]
struct Measured {
    /// Which measurement: two factors cancel where this agrees.
    id: u64,
    value: f64,
    /// Relative standard uncertainty of `value`.
    sigma: f64,
    power: Exponent,
}

/// A positive factor; see the module.
#[derive(Clone, Debug)]
pub struct Scale {
    exact: Number,
    pi: i32,
    /// What roots of rationals left behind; 1 nearly always.
    irrational: f64,
    measured: Vec<Measured>,
}

impl Scale {
    /// The factor 1.
    pub const ONE: Scale = Scale { exact: Number::ONE, pi: 0, irrational: 1.0, measured: Vec::new() };

    /// An exact factor; `None` unless positive.
    pub fn from_number(exact: Number) -> Option<Scale> {
        exact.is_positive().then(|| Scale { exact, ..Scale::ONE })
    }

    /// `pi^power`.
    pub fn from_pi(power: i32) -> Scale {
        Scale { pi: power, ..Scale::ONE }
    }

    /// A measured factor with its relative standard uncertainty. `name` says which measurement it is:
    /// factors of one name cancel exactly. `None` unless both are finite, the value positive, sigma not negative.
    pub fn measured(name: &str, value: f64, relative_sigma: f64) -> Option<Scale> {
        let good = value.is_finite() && value > 0.0 && relative_sigma.is_finite() && relative_sigma >= 0.0;
        let id = hash::combine(hash::combine(hash::of_str(name), value.to_bits()), relative_sigma.to_bits());
        let factor = Measured { id, value, sigma: relative_sigma, power: Exponent::ONE };
        good.then(|| Scale { measured: vec![factor], ..Scale::ONE })
    }

    /// The rational part.
    pub fn exact(&self) -> &Number {
        &self.exact
    }

    /// The power of pi.
    pub fn pi_power(&self) -> i32 {
        self.pi
    }

    /// The rest, where there is one: its value and relative standard uncertainty.
    pub fn float(&self) -> Option<(f64, f64)> {
        if self.measured.is_empty() && self.irrational == 1.0 {
            return None;
        }
        let (mut value, mut variance) = (self.irrational, 0.0);
        for m in &self.measured {
            value *= m.value.powf(m.power.to_f64());
            variance += (m.sigma * m.power.to_f64()).powi(2);
        }
        Some((value, variance.sqrt()))
    }

    /// Whether it is exactly 1.
    pub fn is_one(&self) -> bool {
        self.exact.is_one() && self.pi == 0 && self.irrational == 1.0 && self.measured.is_empty()
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        self.exact.to_f64() * self.inexact()
    }

    fn inexact(&self) -> f64 {
        let pi = if self.pi == 0 { 1.0 } else { PI.powi(self.pi) };
        pi * self.float().map_or(1.0, |(value, _)| value)
    }

    /// `value` times the factor, with one rounding where the factor is an integer or the reciprocal of one.
    pub fn apply(&self, value: f64) -> f64 {
        let direct = || value * self.to_f64();
        match self.exact.to_ratio() {
            Some((num, den)) if num < 1 << 53 && den < 1 << 53 => {
                let scaled = value * num as f64 / den as f64;
                if scaled.is_finite() { scaled * self.inexact() } else { direct() }
            }
            _ => direct(),
        }
    }

    /// The product.
    pub fn mul(&self, other: &Scale) -> Scale {
        let mut result = Scale {
            exact: &self.exact * &other.exact,
            pi: 0,
            irrational: self.irrational * other.irrational,
            measured: self.measured.clone(),
        };
        match self.pi.checked_add(other.pi) {
            Some(pi) => result.pi = pi,
            None => result.irrational *= PI.powi(self.pi) * PI.powi(other.pi),
        }
        for m in &other.measured {
            let same = result.measured.iter().position(|known| known.id == m.id);
            match same.map(|at| (at, result.measured[at].power.add(m.power))) {
                Some((at, Some(power))) if power.is_zero() => drop(result.measured.remove(at)),
                Some((at, Some(power))) => result.measured[at].power = power,
                _ => result.measured.push(m.clone()),
            }
        }
        // One order for all products, so that equal scales compare equal.
        result.measured.sort_by_key(|m| m.id);
        result
    }

    /// 1/factor.
    pub fn recip(&self) -> Scale {
        let invert = |m: &Measured| Measured { power: m.power.neg(), ..m.clone() };
        Scale {
            exact: self.exact.recip().unwrap_or(Number::ONE),
            pi: -self.pi,
            irrational: self.irrational.recip(),
            measured: self.measured.iter().map(invert).collect(),
        }
    }

    /// The quotient.
    pub fn div(&self, other: &Scale) -> Scale {
        self.mul(&other.recip())
    }

    /// A power: exact where the result is rational (and pi's power an integer), else in the float part.
    pub fn pow(&self, power: &Number) -> Scale {
        let mut result = Scale::ONE;
        match exact_power(&self.exact, power) {
            Some(exact) => result.exact = exact,
            None => result.irrational *= self.exact.to_f64().powf(power.to_f64()),
        }
        let pi = (&Number::int(self.pi.into()) * power).to_i64().and_then(|n| i32::try_from(n).ok());
        match pi {
            Some(pi) if pi != i32::MIN => result.pi = pi,
            _ => result.irrational *= PI.powf(f64::from(self.pi) * power.to_f64()),
        }
        if self.irrational != 1.0 {
            result.irrational *= self.irrational.powf(power.to_f64());
        }
        for m in &self.measured {
            match m.power.mul(power) {
                Some(p) if p.is_zero() => {}
                Some(p) => result.measured.push(Measured { power: p, ..m.clone() }),
                None => result.irrational *= m.value.powf(m.power.to_f64() * power.to_f64()),
            }
        }
        result
    }

    /// The same on every run and machine.
    pub fn stable_hash(&self) -> u64 {
        let mut h = hash::combine(self.exact.stable_hash(), self.pi as u64);
        h = hash::combine(h, self.irrational.to_bits());
        self.measured.iter().fold(h, |h, m| hash::combine(hash::combine(h, m.id), m.power.word()))
    }
}

/// `base^power` where it is rational and of reasonable size.
fn exact_power(base: &Number, power: &Number) -> Option<Number> {
    if base.is_one() {
        return Some(Number::ONE);
    }
    let (num, den) = power.to_ratio()?;
    let root = if den == 1 { base.clone() } else { base.exact_root(u32::try_from(den).ok()?)? };
    root.pow(i32::try_from(num).ok()?)
}

impl PartialEq for Scale {
    fn eq(&self, other: &Scale) -> bool {
        let same = |(a, b): (&Measured, &Measured)| a.id == b.id && a.power == b.power;
        self.exact == other.exact
            && self.pi == other.pi
            && self.irrational.to_bits() == other.irrational.to_bits()
            && self.measured.len() == other.measured.len()
            && self.measured.iter().zip(&other.measured).all(same)
    }
}

impl Eq for Scale {}

#[cfg(test)]
mod tests {
    use super::Scale;
    use crate::base::Number;
    use proptest::prelude::*;

    fn any_scale() -> impl Strategy<Value = Scale> {
        (1i64..2000, 1i64..2000, -3i32..=3, 0usize..3).prop_map(|(num, den, pi, sun)| {
            let exact = Scale::from_number(Number::ratio(num, den).unwrap()).unwrap();
            let measured = Scale::measured("sun", 1.98841e30, 2e-5).unwrap();
            exact.mul(&Scale::from_pi(pi)).mul(&measured.pow(&Number::int(sun as i64)))
        })
    }

    #[test]
    fn measured_factors_cancel_without_a_trace() {
        let sun = Scale::measured("sun", 1.98841e30, 2e-5).unwrap();
        let (value, sigma) = sun.pow(&Number::TWO).float().unwrap();
        assert!((value / 1.98841e30f64.powi(2) - 1.0).abs() < 1e-14 && (sigma - 4e-5).abs() < 1e-15);
        assert!(sun.div(&sun).is_one());
        assert!(sun.pow(&Number::HALF).pow(&Number::TWO).div(&sun).is_one());
    }

    #[test]
    fn roots_are_exact_where_they_are_rational() {
        let four = Scale::from_number(Number::ratio(4, 9).unwrap()).unwrap();
        assert_eq!(four.pow(&Number::HALF).exact(), &Number::ratio(2, 3).unwrap());
        assert!(four.pow(&Number::HALF).float().is_none());
        let two = Scale::from_number(Number::TWO).unwrap();
        assert_eq!(two.pow(&Number::HALF).float(), Some((2f64.sqrt(), 0.0)));
        assert_eq!(Scale::from_number(Number::ZERO), None);
    }

    proptest! {
        #![proptest_config(crate::units::laws::cases())]

        #[test]
        fn scales_are_a_group(a in any_scale(), b in any_scale(), n in -3i64..4) {
            prop_assert_eq!(a.mul(&b), b.mul(&a));
            prop_assert!(a.mul(&a.recip()).is_one());
            prop_assert_eq!(a.mul(&b).div(&b), a.clone());
            let n = Number::int(n);
            prop_assert_eq!(a.mul(&b).pow(&n), a.pow(&n).mul(&b.pow(&n)));
            prop_assert!((a.mul(&b).to_f64() / (a.to_f64() * b.to_f64()) - 1.0).abs() < 1e-13);
            prop_assert!((a.apply(3.0) / (3.0 * a.to_f64()) - 1.0).abs() < 1e-14);
        }
    }
}
