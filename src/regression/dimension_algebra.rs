//! Exact linear algebra on dimensions: which products of powers have a given dimension. Gauss-Jordan elimination over
//! the rationals; the null space holds the dimensionless products (Buckingham's pi theorem, Phys. Rev. 4, 345 (1914)).

use crate::base::Number;
use crate::units::Dimension;

/// All exponents p with `prod of[i]^p[i] = goal`: one solution, and a basis of what may be added to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Powers {
    /// One solution; quantities that are not needed have exponent 0, later ones first.
    pub particular: Vec<Number>,
    /// Exponents of independent dimensionless products.
    pub dimensionless: Vec<Vec<Number>>,
}

/// The exponents that make `goal` of dimensions, `None` where there are none.
pub fn powers(of: &[Dimension], goal: Dimension) -> Option<Powers> {
    let n = of.len();
    let entry = |d: &Dimension, k: usize| -> Option<Number> {
        let (p, q) = d.exponents()[k];
        Number::ratio(p.into(), q.into())
    };
    let mut rows: Vec<Vec<Number>> = Vec::with_capacity(7);
    for k in 0..7 {
        let row: Option<Vec<Number>> = of.iter().chain([&goal]).map(|d| entry(d, k)).collect();
        rows.push(row?);
    }
    let mut pivots: Vec<usize> = Vec::new();
    for column in 0..n {
        let next = pivots.len();
        let Some(found) = (next..rows.len()).find(|&r| !rows[r][column].is_zero()) else { continue };
        rows.swap(next, found);
        let lead = rows[next][column].recip()?;
        rows[next].iter_mut().for_each(|x| *x = &*x * &lead);
        let pivot = rows[next].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(r, _)| *r != next) {
            let factor = row[column].clone();
            if !factor.is_zero() {
                row.iter_mut().zip(&pivot).for_each(|(x, p)| *x = &*x - &(&factor * p));
            }
        }
        pivots.push(column);
    }
    if rows[pivots.len()..].iter().any(|r| !r[n].is_zero()) {
        return None;
    }
    let mut particular = vec![Number::ZERO; n];
    for (row, &column) in rows.iter().zip(&pivots) {
        particular[column] = row[n].clone();
    }
    let free = (0..n).filter(|c| !pivots.contains(c));
    let dimensionless = free
        .map(|f| {
            let mut v = vec![Number::ZERO; n];
            v[f] = Number::ONE;
            for (row, &column) in rows.iter().zip(&pivots) {
                v[column] = -&row[f];
            }
            v
        })
        .collect();
    Some(Powers { particular, dimensionless })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(of: &[Dimension], p: &[Number]) -> Option<Dimension> {
        of.iter().zip(p).try_fold(Dimension::NONE, |d, (x, p)| d.mul(x.pow(p)?))
    }

    #[test]
    fn pendulum_has_one_period_and_one_group() {
        let gravity = Dimension::LENGTH.div(Dimension::TIME.pow(&Number::TWO).unwrap()).unwrap();
        let found = powers(&[Dimension::LENGTH, gravity], Dimension::TIME).unwrap();
        assert_eq!(found.particular, [Number::HALF, -Number::HALF]);
        assert!(found.dimensionless.is_empty());
        assert_eq!(powers(&[Dimension::LENGTH, gravity], Dimension::MASS), None);
        let found = powers(&[Dimension::LENGTH, Dimension::LENGTH], Dimension::NONE).unwrap();
        assert_eq!(found.dimensionless, [[Number::MINUS_ONE, Number::ONE]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
        ))]

        #[test]
        fn solutions_have_the_dimension(
            of in proptest::collection::vec(proptest::array::uniform7(-3i16..4), 1..6),
            p in proptest::collection::vec(-2i64..3, 6),
        ) {
            let of: Vec<Dimension> =
                of.into_iter().map(|d| Dimension::from_exponents(d.map(|e| (e, 1))).unwrap()).collect();
            let p: Vec<Number> = p.into_iter().take(of.len()).map(Number::int).collect();
            let goal = product(&of, &p).unwrap();
            // It has a solution by construction.
            let found = powers(&of, goal).unwrap();
            if let Some(d) = product(&of, &found.particular) {
                prop_assert_eq!(d, goal);
            }
            for v in &found.dimensionless {
                if let Some(d) = product(&of, v) {
                    prop_assert!(d.is_none());
                }
            }
        }
    }
}
