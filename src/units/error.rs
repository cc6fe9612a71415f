//! What can be wrong with a unit. Codes P1101 to P1108.

use super::coherent::missing_factor;
use super::unit::Unit;
use crate::base::{Code, Diagnostic, Fault};
use thiserror::Error;

/// Faults of the units layer.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum UnitError {
    /// No unit of this name.
    #[error("expected a unit, found the unknown name `{name}`")]
    Unknown {
        /// As spelled.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The unit exists, but not with this prefix.
    #[error("expected `{unit}` without the prefix `{prefix}`, found `{prefix}{unit}`")]
    PrefixNotAllowed {
        /// The prefix as spelled.
        prefix: String,
        /// The unit as spelled.
        unit: String,
        /// A spelling that works.
        instead: String,
    },
    /// Dimensions differ.
    #[error("expected a unit of {}, found {}", described(expected), described(found))]
    Mismatch {
        /// What the place asks for.
        expected: Unit,
        /// What stands there.
        found: Unit,
    },
    /// degC, degF or dB inside a product or under a power.
    #[error("expected `{unit}` alone in its brackets, found it in a product or power")]
    StandsAlone {
        /// The unit.
        unit: Unit,
    },
    /// A single factor was asked for between scales that have none.
    #[error(
        "expected units related by a factor, found [{from}] and [{to}]; `{unit}` has an offset or is logarithmic"
    )]
    NoFactor {
        /// From.
        from: Unit,
        /// To.
        to: Unit,
        /// Which of them.
        unit: Unit,
    },
    /// A power, or the denominator of one, reached 1000.
    #[error("expected powers of units below 1000, found a greater one in [{unit}]")]
    PowerOverflow {
        /// As written.
        unit: String,
    },
    /// The text of a unit cannot be read; what the syntax says of it.
    #[error("{}", .0.message)]
    Unreadable(Box<Diagnostic>),
    /// A `unit` statement whose value is no unit.
    #[error("expected {expected} as definition of the unit `{name}`, found {found}")]
    Definition {
        /// The unit defined.
        name: String,
        /// What could stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A `unit` statement for a name that means something else already.
    #[error("expected a new name for a unit, found `{name}`, which is {meaning} already")]
    NameTaken {
        /// The name.
        name: String,
        /// What it means.
        meaning: String,
    },
}

/// `length [m]`, `dimension kg^2/m [kg^2/m]`, `no dimension [1]`.
fn described(unit: &Unit) -> String {
    let dimension = unit.dimension();
    match dimension.name() {
        _ if dimension.is_none() => format!("no dimension [{unit}]"),
        Some(name) => format!("{name} [{unit}]"),
        None if unit.to_string() == dimension.to_string() => format!("dimension [{unit}]"),
        None => format!("dimension {dimension} [{unit}]"),
    }
}

impl Fault for UnitError {
    fn code(&self) -> Code {
        Code(match self {
            UnitError::Unknown { .. } => 1101,
            UnitError::PrefixNotAllowed { .. } => 1102,
            UnitError::Mismatch { .. } => 1103,
            UnitError::StandsAlone { .. } => 1104,
            UnitError::NoFactor { .. } => 1105,
            UnitError::PowerOverflow { .. } => 1106,
            UnitError::Unreadable(fault) => return fault.code,
            UnitError::Definition { .. } => 1107,
            UnitError::NameTaken { .. } => 1108,
        })
    }

    fn hint(&self) -> Option<String> {
        match self {
            UnitError::Unknown { nearest, .. } => nearest.as_ref().map(|n| format!("did you mean [{n}]?")),
            UnitError::PrefixNotAllowed { instead, .. } => Some(format!("write [{instead}]")),
            UnitError::Mismatch { expected, found } => mismatch_hint(expected, found),
            UnitError::StandsAlone { unit } if unit.is_affine() => {
                Some("use [K] for differences and products of temperatures".into())
            }
            UnitError::StandsAlone { .. } => Some("convert to a plain ratio first: -> [1]".into()),
            UnitError::NoFactor { .. } => Some("convert a value: x -> [unit]".into()),
            UnitError::PowerOverflow { .. } => None,
            UnitError::Unreadable(fault) => fault.hint.clone(),
            UnitError::Definition { name, .. } => Some(format!("unit {name} = 201.168 [m]")),
            UnitError::NameTaken { name, .. } => Some(format!("unit my_{name} = ...")),
        }
    }
}

/// The factor that would repair it, where it is short enough to help.
fn mismatch_hint(expected: &Unit, found: &Unit) -> Option<String> {
    let (inverted, factor) = missing_factor(expected.dimension(), found.dimension())?;
    if factor.is_one() || factor.parts().count() > 3 {
        return None;
    }
    Some(format!("{} by [{factor}]", if inverted { "divide" } else { "multiply" }))
}

/// Code, title and explanation of each fault, for `phys explain`.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        1101,
        "unknown unit",
        "The name between the square brackets is no unit and no prefix followed by one. Case matters: `[km]` is a \
         kilometre, `[Km]` is nothing; seconds are `[s]`, hours `[h]`. A unit of your own is declared by \
         `unit smoot = 1.7018 [m]`.",
    ),
    (
        1102,
        "prefix not allowed",
        "The unit exists but takes no prefix of this kind: `[kmin]` and `[mft]` are not used by anyone. Symbols of \
         prefixes go with symbols of units (`[km]`), their names with names (`[kilometre]`).",
    ),
    (
        1103,
        "units do not fit",
        "Two quantities that are added, compared or put in place of each other must have the same dimension, and `->` \
         converts only within one dimension: `1 [m] + 1 [s]` has no meaning. The hint names the factor that is missing.",
    ),
    (
        1104,
        "unit stands alone",
        "`[degC]` and `[degF]` count from an offset and `[dB]` is a logarithm, so they cannot be multiplied, divided or \
         raised to a power: `[J/degC]` is an error. Write `[J/K]`; a difference of one degree Celsius is `1 [K]`.",
    ),
    (
        1105,
        "no conversion factor",
        "Between a scale with an offset or a logarithm and another one there is no single factor; only values convert: \
         `20 [degC] -> [K]` is 293.15 K.",
    ),
    (
        1106,
        "power of a unit too large",
        "Powers of units are exact ratios of integers below 1000. A power such as `[m^4000]` is almost certainly a slip, \
         for instance an exponent that should have been dimensionless.",
    ),
    (
        1107,
        "not a definition of a unit",
        "A `unit` statement needs a positive constant with a unit: `unit furlong = 201.168 [m]`. Numbers, `pi`, `*`, `/`, \
         integer powers and `±` may be used; symbols may not, since a unit never changes.",
    ),
    (
        1108,
        "name of a unit taken",
        "The name already means a unit of the library, by itself or as a prefix and a unit, and a second meaning would \
         make texts ambiguous. Choose another name, for instance `unit my_cup = 0.25 [L]`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::{CODES, UnitError};
    use crate::base::Fault;
    use crate::units::{Dimension, Unit};

    #[test]
    fn a_mismatch_names_both_and_the_missing_factor() {
        let (m, s) = (Unit::coherent(Dimension::LENGTH), Unit::coherent(Dimension::TIME));
        let error = m.convert_scale(&s).unwrap_err();
        assert_eq!(error.to_string(), "expected a unit of time [s], found length [m]");
        assert_eq!(error.hint().as_deref(), Some("multiply by [s/m]"));
        let rate = UnitError::Mismatch { expected: s.pow(&(-1).into()).unwrap(), found: Unit::one() };
        assert_eq!(rate.to_string(), "expected a unit of frequency [1/s], found no dimension [1]");
        assert_eq!(rate.hint().as_deref(), Some("divide by [s]"));
    }

    #[test]
    fn every_code_is_explained_once() {
        for window in CODES.windows(2) {
            assert!(window[0].0 < window[1].0);
        }
        assert_eq!(CODES.len(), 8);
    }
}
