//! Physical dimensions: the exponents of the seven SI base units (SI Brochure, 9th edition, 2019,
//! section 2.3.3). They form an abelian group under multiplication, closed under rational powers.

use super::exponent::{Exponent, write_product};
use crate::base::{Number, hash};
use std::fmt;

/// Symbols of the base units in the order of a [`Dimension`]'s exponents.
pub(super) const BASE: [&str; 7] = ["m", "kg", "s", "A", "K", "mol", "cd"];
/// The order in which a physicist writes them above the line (`A*s`, `kg*m^2`).
const ABOVE: [usize; 7] = [1, 0, 3, 2, 4, 5, 6];
/// The order below the line (`1/(kg*s^3*A)`).
const BELOW: [usize; 7] = [1, 0, 2, 3, 4, 5, 6];

/// Base units with their powers.
type Powers = Vec<(&'static str, Exponent)>;

/// Exponents of m, kg, s, A, K, mol, cd. Angles, counts and ratios have none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Dimension([Exponent; 7]);

impl Dimension {
    /// The dimension of plain numbers.
    pub const NONE: Dimension = Dimension([Exponent::ZERO; 7]);
    /// Length (m).
    pub const LENGTH: Dimension = Dimension::of_base(0);
    /// Mass (kg).
    pub const MASS: Dimension = Dimension::of_base(1);
    /// Time (s).
    pub const TIME: Dimension = Dimension::of_base(2);
    /// Electric current (A).
    pub const CURRENT: Dimension = Dimension::of_base(3);
    /// Temperature (K).
    pub const TEMPERATURE: Dimension = Dimension::of_base(4);
    /// Amount of substance (mol).
    pub const AMOUNT: Dimension = Dimension::of_base(5);
    /// Luminous intensity (cd).
    pub const LUMINOSITY: Dimension = Dimension::of_base(6);

    const fn of_base(at: usize) -> Dimension {
        let mut exponents = [Exponent::ZERO; 7];
        exponents[at] = Exponent::ONE;
        Dimension(exponents)
    }

    /// From integer exponents of m, kg, s, A, K, mol, cd.
    pub(super) const fn integers(e: [i16; 7]) -> Dimension {
        let mut exponents = [Exponent::ZERO; 7];
        let mut at = 0;
        while at < 7 {
            exponents[at] = Exponent::int(e[at]);
            at += 1;
        }
        Dimension(exponents)
    }

    /// From `(numerator, denominator)` of each exponent, in the order m, kg, s, A, K, mol, cd, reduced
    /// here; `None` for a zero denominator and for parts above 999.
    pub fn from_exponents(exponents: [(i16, i16); 7]) -> Option<Dimension> {
        let mut result = Dimension::NONE;
        for (slot, (num, den)) in result.0.iter_mut().zip(exponents) {
            *slot = Exponent::ratio(num.into(), den.into())?;
        }
        Some(result)
    }

    /// `(numerator, denominator)` of each exponent, in the order m, kg, s, A, K, mol, cd.
    pub fn exponents(&self) -> [(i16, i16); 7] {
        self.0.map(|e| (e.num, e.den))
    }

    /// Whether it is that of plain numbers.
    pub fn is_none(&self) -> bool {
        *self == Dimension::NONE
    }

    /// The dimension of a product; `None` where an exponent reaches 1000.
    #[expect(clippy::should_implement_trait, reason = "an operator cannot fail, exponents can overflow")]
    pub fn mul(self, other: Dimension) -> Option<Dimension> {
        let mut result = self;
        for (slot, e) in result.0.iter_mut().zip(other.0) {
            *slot = slot.add(e)?;
        }
        Some(result)
    }

    /// The dimension of a quotient; `None` where an exponent reaches 1000.
    #[expect(clippy::should_implement_trait, reason = "an operator cannot fail, exponents can overflow")]
    pub fn div(self, other: Dimension) -> Option<Dimension> {
        self.mul(other.recip())
    }

    /// The dimension of 1/x.
    pub fn recip(self) -> Dimension {
        Dimension(self.0.map(Exponent::neg))
    }

    /// The dimension of a power; `None` where an exponent reaches 1000.
    pub fn pow(self, power: &Number) -> Option<Dimension> {
        let mut result = self;
        for slot in &mut result.0 {
            if !slot.is_zero() {
                *slot = slot.mul(power)?;
            }
        }
        Some(result)
    }

    /// The same on every run and machine.
    pub fn stable_hash(&self) -> u64 {
        self.0.iter().fold(hash::of_str("dimension"), |h, e| hash::combine(h, e.word()))
    }

    /// What physicists call it (`length`, `energy`), where it has one common name.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(e, _)| Dimension::integers(*e) == *self).map(|(_, name)| *name)
    }

    /// Base units above and below the line, in the order written.
    pub(super) fn parts(&self) -> (Powers, Powers) {
        let pick = |order: [usize; 7], positive: bool| {
            let chosen =
                order.into_iter().filter(|&i| !self.0[i].is_zero() && (self.0[i].num > 0) == positive);
            chosen.map(|i| (BASE[i], self.0[i])).collect()
        };
        (pick(ABOVE, true), pick(BELOW, false))
    }
}

/// Exponents of m, kg, s, A, K, mol, cd and the quantity's name. Torque is an energy here.
const NAMES: &[([i16; 7], &str)] = &[
    ([1, 0, 0, 0, 0, 0, 0], "length"),
    ([0, 1, 0, 0, 0, 0, 0], "mass"),
    ([0, 0, 1, 0, 0, 0, 0], "time"),
    ([0, 0, 0, 1, 0, 0, 0], "current"),
    ([0, 0, 0, 0, 1, 0, 0], "temperature"),
    ([0, 0, 0, 0, 0, 1, 0], "amount of substance"),
    ([0, 0, 0, 0, 0, 0, 1], "luminous intensity"),
    ([2, 0, 0, 0, 0, 0, 0], "area"),
    ([3, 0, 0, 0, 0, 0, 0], "volume"),
    ([-1, 0, 0, 0, 0, 0, 0], "wavenumber"),
    ([0, 0, -1, 0, 0, 0, 0], "frequency"),
    ([1, 0, -1, 0, 0, 0, 0], "velocity"),
    ([1, 0, -2, 0, 0, 0, 0], "acceleration"),
    ([1, 1, -1, 0, 0, 0, 0], "momentum"),
    ([2, 1, -1, 0, 0, 0, 0], "angular momentum"),
    ([1, 1, -2, 0, 0, 0, 0], "force"),
    ([2, 1, -2, 0, 0, 0, 0], "energy"),
    ([2, 1, -3, 0, 0, 0, 0], "power"),
    ([0, 1, -3, 0, 0, 0, 0], "irradiance"),
    ([-1, 1, -2, 0, 0, 0, 0], "pressure"),
    ([-3, 1, 0, 0, 0, 0, 0], "density"),
    ([-1, 1, -1, 0, 0, 0, 0], "viscosity"),
    ([2, 0, -1, 0, 0, 0, 0], "diffusivity"),
    ([0, 1, -2, 0, 0, 0, 0], "surface tension"),
    ([2, 1, 0, 0, 0, 0, 0], "moment of inertia"),
    ([0, 0, 1, 1, 0, 0, 0], "charge"),
    ([2, 1, -3, -1, 0, 0, 0], "voltage"),
    ([2, 1, -3, -2, 0, 0, 0], "resistance"),
    ([-2, -1, 3, 2, 0, 0, 0], "conductance"),
    ([-2, -1, 4, 2, 0, 0, 0], "capacitance"),
    ([2, 1, -2, -2, 0, 0, 0], "inductance"),
    ([0, 1, -2, -1, 0, 0, 0], "magnetic flux density"),
    ([2, 1, -2, -1, 0, 0, 0], "magnetic flux"),
    ([1, 1, -3, -1, 0, 0, 0], "electric field"),
    ([-2, 0, 0, 1, 0, 0, 0], "current density"),
    ([2, 1, -2, 0, -1, 0, 0], "heat capacity"),
    ([2, 0, -2, 0, -1, 0, 0], "specific heat capacity"),
    ([2, 0, -2, 0, 0, 0, 0], "specific energy"),
    ([1, 1, -3, 0, -1, 0, 0], "thermal conductivity"),
    ([0, 0, -1, 0, 0, 1, 0], "catalytic activity"),
];

impl fmt::Display for Dimension {
    /// In base units, `kg*m/s^2`; `1` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (above, below) = self.parts();
        write_product(f, above, below)
    }
}

#[cfg(test)]
mod tests {
    use super::Dimension;
    use crate::base::Number;
    use proptest::prelude::*;

    fn any_dimension() -> impl Strategy<Value = Dimension> {
        proptest::array::uniform7((-6i16..=6, 1i16..=4))
            .prop_map(|e| Dimension::from_exponents(e).expect("small exponents fit"))
    }

    #[test]
    fn displays_in_the_order_of_physics() {
        let force = Dimension::from_exponents([(1, 1), (1, 1), (-2, 1), (0, 1), (0, 1), (0, 1), (0, 1)]);
        assert_eq!(force.unwrap().to_string(), "kg*m/s^2");
        let volt = Dimension::integers([2, 1, -3, -1, 0, 0, 0]);
        assert_eq!(volt.to_string(), "kg*m^2/(s^3*A)");
        assert_eq!(Dimension::integers([0, 0, 1, 1, 0, 0, 0]).to_string(), "A*s");
        assert_eq!(Dimension::TIME.recip().to_string(), "1/s");
        assert_eq!(Dimension::NONE.to_string(), "1");
        assert_eq!(Dimension::LENGTH.pow(&Number::HALF).unwrap().to_string(), "m^(1/2)");
        assert_eq!(volt.name(), Some("voltage"));
    }

    #[test]
    fn overflow_is_none_never_a_wrong_exponent() {
        let far = Dimension::LENGTH.pow(&Number::int(999)).unwrap();
        assert_eq!(far.mul(Dimension::LENGTH), None);
        assert_eq!(far.pow(&Number::TWO), None);
        assert_eq!(Dimension::LENGTH.pow(&Number::int(-1000)), None);
        assert_eq!(Dimension::NONE.pow(&Number::int(1 << 40)), Some(Dimension::NONE));
        assert_eq!(Dimension::from_exponents([(1, 0); 7]), None);
    }

    proptest! {
        #![proptest_config(crate::units::laws::cases())]

        #[test]
        fn dimensions_are_an_abelian_group_with_roots(a in any_dimension(), b in any_dimension(), n in 1i64..5) {
            prop_assert_eq!(a.mul(b), b.mul(a));
            prop_assert_eq!(a.mul(b).and_then(|c| c.div(b)), Some(a));
            prop_assert_eq!(a.mul(a.recip()), Some(Dimension::NONE));
            let n = Number::int(n);
            let root = a.pow(&n.recip().unwrap()).unwrap();
            prop_assert_eq!(root.pow(&n), Some(a));
            prop_assert_eq!(a.mul(b).unwrap().pow(&n), a.pow(&n).unwrap().mul(b.pow(&n).unwrap()));
            prop_assert_eq!(Dimension::from_exponents(a.exponents()), Some(a));
            prop_assert_eq!(a == b, a.stable_hash() == b.stable_hash());
        }
    }
}
