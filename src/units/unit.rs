//! A unit: an ordered product of named units with rational powers, kept as written (`km/h` stays `km/h`).
//! Equal names are merged (`m*m` is `m^2`, `m/m` is `1`); positive powers stand before negative ones, so
//! that what is printed reads back as the same unit.

use super::dimension::Dimension;
use super::error::UnitError;
use super::exponent::{Exponent, write_product};
use super::scale::Scale;
use crate::base::{Number, hash};
use std::fmt;
use std::sync::Arc;

/// How a named unit's numbers become SI numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `si = value * scale`.
    Ordinary,
    /// `si = (value + offset) * scale`: degC, degF.
    Affine(Number),
    /// `si = 10^(value / divisor) * scale`: dB with divisor 10.
    Logarithmic(f64),
}

/// A named unit as spelled, with its prefix.
#[derive(Debug)]
pub(super) struct Named {
    /// The spelling (`km`, `μs`, `metre`).
    pub symbol: Arc<str>,
    /// Its LaTeX in roman (`km`, `\mu s`), where it differs.
    pub latex: Option<String>,
    pub dimension: Dimension,
    pub scale: Scale,
    pub kind: Kind,
}

impl PartialEq for Named {
    fn eq(&self, other: &Named) -> bool {
        self.symbol == other.symbol
            && self.dimension == other.dimension
            && self.scale == other.scale
            && self.kind == other.kind
    }
}

#[derive(Debug)]
struct Product {
    /// Positive powers first; no name twice; no power zero.
    factors: Vec<(Arc<Named>, Exponent)>,
    dimension: Dimension,
    scale: Scale,
    hash: u64,
}

/// A unit of measurement. Cloning is cheap. Two units are equal where they are written with the same
/// names and powers in the same order; see [`Unit::is_equivalent`] for the same size.
#[derive(Clone, Debug)]
pub struct Unit(Option<Arc<Product>>);

static ONE: Scale = Scale::ONE;

impl Unit {
    /// The unit of plain numbers, `[1]`.
    pub const fn one() -> Unit {
        Unit(None)
    }

    /// A named unit by itself.
    pub(super) fn named(named: Arc<Named>) -> Unit {
        let (dimension, scale) = (named.dimension, named.scale.clone());
        Unit::finish(vec![(named, Exponent::ONE)], dimension, scale)
    }

    fn finish(mut factors: Vec<(Arc<Named>, Exponent)>, dimension: Dimension, scale: Scale) -> Unit {
        if factors.is_empty() {
            return Unit::one();
        }
        factors.sort_by_key(|(_, power)| power.num < 0);
        let hash = factors.iter().fold(hash::of_str("unit"), |h, (named, power)| {
            let h = hash::combine(hash::combine(h, hash::of_str(&named.symbol)), power.word());
            hash::combine(h, named.scale.stable_hash())
        });
        Unit(Some(Arc::new(Product { factors, dimension, scale, hash })))
    }

    fn factors(&self) -> &[(Arc<Named>, Exponent)] {
        self.0.as_deref().map_or(&[], |p| &p.factors)
    }

    /// Whether it is `[1]`. Note that `[rad]` and `[%]` are not.
    pub fn is_one(&self) -> bool {
        self.0.is_none()
    }

    /// Its dimension.
    pub fn dimension(&self) -> Dimension {
        self.0.as_deref().map_or(Dimension::NONE, |p| p.dimension)
    }

    /// The factor to the coherent SI unit (without the offset of degC and degF; 1 for dB).
    pub fn scale(&self) -> &Scale {
        self.0.as_deref().map_or(&ONE, |p| &p.scale)
    }

    /// Whether it is an ordinary unit of scale exactly 1.
    pub fn is_coherent(&self) -> bool {
        self.is_ordinary() && self.scale().is_one()
    }

    fn kind(&self) -> &Kind {
        match self.factors() {
            [(named, _)] => &named.kind,
            _ => &Kind::Ordinary,
        }
    }

    /// Whether its zero is not the zero of the quantity (degC, degF). Such a unit stands alone.
    pub fn is_affine(&self) -> bool {
        matches!(self.kind(), Kind::Affine(_))
    }

    /// Whether its numbers are logarithms (dB). Such a unit stands alone.
    pub fn is_logarithmic(&self) -> bool {
        matches!(self.kind(), Kind::Logarithmic(_))
    }

    /// Whether its numbers are proportional to the quantity: neither affine nor logarithmic.
    pub fn is_ordinary(&self) -> bool {
        matches!(self.kind(), Kind::Ordinary)
    }

    /// Whether it measures the same with the same numbers: same dimension, scale and kind, however written.
    pub fn is_equivalent(&self, other: &Unit) -> bool {
        self == other
            || (self.dimension() == other.dimension()
                && self.kind() == other.kind()
                && self.scale() == other.scale())
    }

    /// The product. Units that stand alone (degC, degF, dB) take no factor but 1.
    pub fn mul(&self, other: &Unit) -> Result<Unit, UnitError> {
        if other.is_one() {
            return Ok(self.clone());
        }
        if self.is_one() {
            return Ok(other.clone());
        }
        self.must_be_ordinary()?;
        other.must_be_ordinary()?;
        let overflow = || UnitError::PowerOverflow { unit: format!("({self})*({other})") };
        let mut factors = self.factors().to_vec();
        for (named, power) in other.factors() {
            match factors.iter().position(|(known, _)| known == named) {
                Some(at) => {
                    let sum = factors[at].1.add(*power).ok_or_else(overflow)?;
                    if sum.is_zero() {
                        factors.remove(at);
                    } else {
                        factors[at].1 = sum;
                    }
                }
                None => factors.push((named.clone(), *power)),
            }
        }
        let dimension = self.dimension().mul(other.dimension()).ok_or_else(overflow)?;
        Ok(Unit::finish(factors, dimension, self.scale().mul(other.scale())))
    }

    /// The quotient; see [`Unit::mul`].
    pub fn div(&self, other: &Unit) -> Result<Unit, UnitError> {
        if other.is_one() {
            return Ok(self.clone());
        }
        self.mul(&other.pow(&Number::MINUS_ONE)?)
    }

    /// A power. Units that stand alone (degC, degF, dB) have none but the first.
    pub fn pow(&self, power: &Number) -> Result<Unit, UnitError> {
        if self.is_one() || power.is_one() {
            return Ok(self.clone());
        }
        self.must_be_ordinary()?;
        if power.is_zero() {
            return Ok(Unit::one());
        }
        let overflow = || UnitError::PowerOverflow { unit: format!("({self})^({power})") };
        let mut factors = Vec::with_capacity(self.factors().len());
        for (named, old) in self.factors() {
            factors.push((named.clone(), old.mul(power).ok_or_else(overflow)?));
        }
        let dimension = self.dimension().pow(power).ok_or_else(overflow)?;
        Ok(Unit::finish(factors, dimension, self.scale().pow(power)))
    }

    fn must_be_ordinary(&self) -> Result<(), UnitError> {
        if self.is_ordinary() { Ok(()) } else { Err(UnitError::StandsAlone { unit: self.clone() }) }
    }

    /// The SI number of a number in this unit, with offset or logarithm.
    pub fn to_si(&self, value: f64) -> f64 {
        match self.kind() {
            Kind::Ordinary => self.scale().apply(value),
            Kind::Affine(offset) => self.scale().apply(value + offset.to_f64()),
            Kind::Logarithmic(divisor) => self.scale().apply(10f64.powf(value / divisor)),
        }
    }

    /// The number in this unit of an SI number; the inverse of [`Unit::to_si`].
    pub fn from_si(&self, value: f64) -> f64 {
        let value = self.scale().recip().apply(value);
        match self.kind() {
            Kind::Ordinary => value,
            Kind::Affine(offset) => value - offset.to_f64(),
            Kind::Logarithmic(divisor) => value.log10() * divisor,
        }
    }

    /// For degC and degF: the number to add, in this unit, before scaling to SI. For others `None`.
    pub fn offset(&self) -> Option<&Number> {
        if let Kind::Affine(offset) = self.kind() { Some(offset) } else { None }
    }

    /// The factor by which numbers in this unit are multiplied to be in `to`. Fails where the dimensions
    /// differ, and where either is affine or logarithmic, as there is no such factor (unless they are equal).
    pub fn convert_scale(&self, to: &Unit) -> Result<Scale, UnitError> {
        if self.dimension() != to.dimension() {
            return Err(UnitError::Mismatch { expected: to.clone(), found: self.clone() });
        }
        if self.is_equivalent(to) {
            return Ok(Scale::ONE);
        }
        for unit in [self, to] {
            if !unit.is_ordinary() {
                return Err(UnitError::NoFactor { from: self.clone(), to: to.clone(), unit: unit.clone() });
            }
        }
        Ok(self.scale().div(to.scale()))
    }

    /// A number in this unit as a number in `to`, offsets and logarithms included.
    pub fn convert(&self, value: f64, to: &Unit) -> Result<f64, UnitError> {
        match self.convert_scale(to) {
            Ok(scale) => Ok(scale.apply(value)),
            Err(UnitError::NoFactor { .. }) => Ok(to.from_si(self.to_si(value))),
            Err(error) => Err(error),
        }
    }

    /// The named factors in order, each with its power.
    pub fn parts(&self) -> impl Iterator<Item = (Unit, Number)> + '_ {
        self.factors().iter().map(|(named, power)| (Unit::named(named.clone()), power.to_number()))
    }

    /// The same on every run and machine; equal units have equal hashes.
    pub fn stable_hash(&self) -> u64 {
        self.0.as_deref().map_or(hash::of_str("unit one"), |p| p.hash)
    }

    /// LaTeX in roman with thin spaces and negative powers: `\mathrm{kg\,m\,s^{-2}}`; empty for `[1]`.
    pub fn latex(&self) -> String {
        let part = |(named, power): &(Arc<Named>, Exponent)| {
            let symbol = named.latex.clone().unwrap_or_else(|| named.symbol.replace('_', "\\_"));
            match (power.num, power.den) {
                (1, 1) => symbol,
                (n, 1) => format!("{symbol}^{{{n}}}"),
                (n, d) => format!("{symbol}^{{{n}/{d}}}"),
            }
        };
        if self.is_one() {
            return String::new();
        }
        let parts: Vec<String> = self.factors().iter().map(part).collect();
        format!("\\mathrm{{{}}}", parts.join("\\,"))
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Unit) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || (a.hash == b.hash && a.factors == b.factors),
            _ => false,
        }
    }
}

impl Eq for Unit {}

impl std::hash::Hash for Unit {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.stable_hash());
    }
}

impl fmt::Display for Unit {
    /// As inside the brackets of phys: `kg*m^2/s^2`, `1/s`, `m^(1/2)`, `1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |(named, power): &'_ (Arc<Named>, Exponent)| (named.symbol.clone(), *power);
        let split = self.factors().partition_point(|(_, power)| power.num > 0);
        let all: Vec<_> = self.factors().iter().map(part).collect();
        let (above, below) = all.split_at(split);
        write_product(f, above.iter().map(|(n, p)| (&**n, *p)), below.iter().map(|(n, p)| (&**n, *p)))
    }
}
