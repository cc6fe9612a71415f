//! The coherent SI unit in which a result of some dimension is shown: the named unit where the dimension
//! is exactly that of N J W Pa C V Ω F T Wb H, else a product of base units. Hz, Bq, Gy, Sv, kat, lm, lx,
//! rad and sr are never chosen: which of them is meant, the dimension does not say.

use super::dimension::{BASE, Dimension};
use super::scale::Scale;
use super::unit::{Kind, Named, Unit};
use crate::base::Number;
use std::sync::Arc;

/// Symbol, LaTeX where it differs, and exponents of m, kg, s, A, K, mol, cd.
const NAMED: [(&str, Option<&str>, [i16; 7]); 11] = [
    ("N", None, [1, 1, -2, 0, 0, 0, 0]),
    ("J", None, [2, 1, -2, 0, 0, 0, 0]),
    ("W", None, [2, 1, -3, 0, 0, 0, 0]),
    ("Pa", None, [-1, 1, -2, 0, 0, 0, 0]),
    ("C", None, [0, 0, 1, 1, 0, 0, 0]),
    ("V", None, [2, 1, -3, -1, 0, 0, 0]),
    ("Ω", Some("\\Omega"), [2, 1, -3, -2, 0, 0, 0]),
    ("F", None, [-2, -1, 4, 2, 0, 0, 0]),
    ("T", None, [0, 1, -2, -1, 0, 0, 0]),
    ("Wb", None, [2, 1, -2, -1, 0, 0, 0]),
    ("H", None, [2, 1, -2, -2, 0, 0, 0]),
];

fn unit(symbol: &str, latex: Option<&str>, dimension: Dimension) -> Unit {
    Unit::named(Arc::new(Named {
        symbol: symbol.into(),
        latex: latex.map(str::to_string),
        dimension,
        scale: Scale::ONE,
        kind: Kind::Ordinary,
    }))
}

/// The base unit of this symbol.
pub(super) fn base(symbol: &str) -> Option<Unit> {
    let at = BASE.iter().position(|b| *b == symbol)?;
    let mut exponents = [0; 7];
    exponents[at] = 1;
    Some(unit(symbol, None, Dimension::integers(exponents)))
}

impl Unit {
    /// The unit in which a result of this dimension is shown; its scale is exactly 1.
    pub fn coherent(dimension: Dimension) -> Unit {
        if let Some((symbol, latex, _)) = NAMED.iter().find(|(_, _, e)| Dimension::integers(*e) == dimension)
        {
            return unit(symbol, *latex, dimension);
        }
        let (above, below) = dimension.parts();
        let mut result = Unit::one();
        for (symbol, power) in above.into_iter().chain(below) {
            let factor = base(symbol).and_then(|u| u.pow(&power.to_number()).ok());
            // Neither step can fail: the symbols are base units and the powers stood in a dimension.
            result = factor.and_then(|f| result.mul(&f).ok()).unwrap_or(result);
        }
        result
    }
}

/// The coherent unit of 1/`dimension` where it is the shorter one, with whether it was inverted.
pub(super) fn missing_factor(expected: Dimension, found: Dimension) -> Option<(bool, Unit)> {
    let factor = expected.div(found)?;
    let unit = Unit::coherent(factor);
    if unit.parts().all(|(_, power)| power.is_negative()) {
        return Some((true, unit.pow(&Number::MINUS_ONE).ok()?));
    }
    Some((false, unit))
}

#[cfg(test)]
mod tests {
    use super::{Dimension, NAMED, Number, Unit};

    #[test]
    fn named_units_only_where_the_dimension_is_exactly_theirs() {
        for (symbol, _, exponents) in NAMED {
            let unit = Unit::coherent(Dimension::integers(exponents));
            assert_eq!(unit.to_string(), symbol);
            assert!(unit.is_coherent());
        }
        let power = Dimension::integers([2, 1, -3, 0, 0, 0, 0]);
        let shown = |d: Dimension| Unit::coherent(d).to_string();
        assert_eq!(shown(power.mul(Dimension::LENGTH).unwrap()), "kg*m^3/s^3");
        assert_eq!(shown(Dimension::TIME.recip()), "1/s");
        assert_eq!(shown(Dimension::integers([3, -1, -2, 0, 0, 0, 0])), "m^3/(kg*s^2)");
        assert_eq!(shown(Dimension::integers([2, 0, -2, 0, 0, 0, 0])), "m^2/s^2");
        assert_eq!(shown(Dimension::LENGTH.pow(&Number::HALF).unwrap()), "m^(1/2)");
        assert!(Unit::coherent(Dimension::NONE).is_one());
    }
}
