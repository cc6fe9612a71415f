//! An axis: what it shows, in which unit, and how its values become places.

use crate::units::Unit;

use super::typeset;

/// Values beyond this are taken as infinite: ranges of twice the size must still be numbers.
pub const HUGE: f64 = 1e300;

/// An axis. Values of layers are in its unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it shows, as it is drawn; may be empty.
    pub name: String,
    /// The unit of its values.
    pub unit: Option<Unit>,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Whether it shows whole numbers (indices, sizes): there are no ticks between them.
    pub whole: bool,
    /// Its ends, where they are set; in the unit. The first may be the larger one: the axis runs backwards.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis with a name and a unit.
    pub fn new(name: impl Into<String>, unit: Option<Unit>) -> Axis {
        Axis { name: name.into(), unit: unit.filter(|u| !u.is_one()), ..Axis::default() }
    }

    /// `name [unit]`, the unit with a power of ten before it where the tick labels leave one out.
    pub fn label(&self, exponent: i32) -> String {
        let power =
            if exponent == 0 { String::new() } else { format!("10{}", typeset::superscript(exponent)) };
        let unit = self.unit.as_ref().map(typeset::unit).unwrap_or_default();
        let inside = match (power.is_empty(), unit.is_empty()) {
            (true, true) => return self.name.clone(),
            (false, false) => format!("{power} {unit}"),
            _ => format!("{power}{unit}"),
        };
        if self.name.is_empty() { format!("[{inside}]") } else { format!("{} [{inside}]", self.name) }
    }

    /// Whether a value has a place on it.
    pub fn shows(&self, value: f64) -> bool {
        value.abs() < HUGE && (!self.log || value > 0.0)
    }

    /// The projection over these ends, widened where they are equal, with a margin at both ends where none was set.
    pub fn projection(&self, extent: Option<(f64, f64)>, margin: (f64, f64)) -> Projection {
        let usable = |(a, b): (f64, f64)| self.shows(a) && self.shows(b);
        if let Some((a, b)) = self.range.filter(|r| usable(*r) && r.0 != r.1) {
            return Projection { low: a, high: b, log: self.log };
        }
        let fallback = if self.log { (1.0, 10.0) } else { (0.0, 1.0) };
        let (low, high) = extent.filter(|e| usable(*e)).unwrap_or(fallback);
        let (low, high) = if self.log { (low.log10(), high.log10()) } else { (low, high) };
        let (low, high) = widen(low, high, self.log);
        let size = high - low;
        let (low, high) = (low - margin.0 * size, high + margin.1 * size);
        match self.log {
            true => Projection { low: 10f64.powf(low), high: 10f64.powf(high), log: true },
            false => Projection { low, high, log: false },
        }
    }
}

/// A range of some width about one value.
fn widen(low: f64, high: f64, log: bool) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > size * 1e-12 {
        return (low, high);
    }
    let half = if log || size == 0.0 { 0.5 } else { 0.1 * size };
    (low - half, high + half)
}

/// Maps values to 0..1 along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// The value at 0.
    pub low: f64,
    /// The value at 1.
    pub high: f64,
    /// Whether distances are ratios.
    pub log: bool,
}

impl Projection {
    /// Where a value lies; NaN where it has no place.
    pub fn place(&self, value: f64) -> f64 {
        let f = |v: f64| if self.log { v.log10() } else { v };
        let (low, high) = (f(self.low), f(self.high));
        (f(value) - low) / (high - low)
    }

    /// The value at a place.
    pub fn value(&self, place: f64) -> f64 {
        match self.log {
            true => 10f64.powf(self.low.log10() + place * (self.high.log10() - self.low.log10())),
            false => self.low + place * (self.high - self.low),
        }
    }

    /// The ends, the smaller first.
    pub fn ends(&self) -> (f64, f64) {
        (self.low.min(self.high), self.low.max(self.high))
    }
}
