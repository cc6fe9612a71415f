//! Layer 1: dimensions, units and the catalogue of units.
//!
//! A [`Dimension`] is a vector of seven rational exponents (metre, kilogram, second, ampere, kelvin, mole,
//! candela). A [`Scale`] is the factor to the coherent SI unit: an exact rational times a power of pi,
//! times measured constants with their uncertainty. A [`Unit`] is a product of named units as the user
//! wrote it. The [`Catalogue`] knows the names; it is read from `stdlib/units/*.phys` and passed down.

mod catalogue;
mod coherent;
mod define;
mod dimension;
mod error;
mod exponent;
#[cfg(test)]
mod laws;
mod library;
mod prefix;
mod scale;
mod suggestion;
mod unit;

pub use catalogue::{Catalogue, UnitName};
pub use dimension::Dimension;
pub use error::{CODES, UnitError};
pub use scale::Scale;
pub use unit::Unit;
