//! A smooth surface through scattered data: a polynomial of full degree in coordinates scaled to -1..1, by least squares in
//! products of Legendre polynomials. Its error is measured on rows that it was not fitted to.

use nalgebra::{DMatrix, DVector};

/// Most terms of the polynomial.
const TERMS: usize = 260;
/// Highest degree.
const DEGREE: usize = 14;
/// One row in so many checks the fit.
const CHECKED: usize = 4;
/// Rows that a term needs.
const ROWS: f64 = 2.5;
/// Ridge, relative to the mean of the Gram matrix's diagonal.
const RIDGE: f64 = 1e-13;
/// Multiplications that cost as much as the evaluation of a term on a row.
const DENSE: usize = 20;

/// The surface on all rows.
pub struct Surface {
    /// Root mean square of what is left on the rows of the check, in standard deviations of the target.
    pub error: f64,
    /// Its values.
    pub values: Vec<f64>,
    /// Its derivatives, one list a coordinate.
    pub slopes: Vec<Vec<f64>>,
}

/// All exponents of so many coordinates up to a total degree.
fn exponents(coordinates: usize, degree: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..coordinates {
        all = all
            .into_iter()
            .flat_map(|e: Vec<usize>| {
                let left = degree - e.iter().sum::<usize>();
                (0..=left).map(move |k| e.iter().copied().chain([k]).collect())
            })
            .collect();
    }
    all
}

/// Number of those exponents.
fn count(coordinates: usize, degree: usize) -> f64 {
    (1..=coordinates).fold(1.0, |c, i| c * (degree + i) as f64 / i as f64)
}

/// Legendre polynomials and their derivatives at a point, from degree 0 on.
fn legendre(x: f64, degree: usize) -> Vec<(f64, f64)> {
    let mut all = vec![(1.0, 0.0), (x, 1.0)];
    for k in 1..degree {
        let (n, (p, _), (q, e)) = (k as f64, all[k], all[k - 1]);
        all.push((((2.0 * n + 1.0) * x * p - n * q) / (n + 1.0), (2.0 * n + 1.0) * p + e));
    }
    all
}

impl Surface {
    /// The surface of highest degree that the rows allow, at least 2; `None` where they allow none.
    pub fn through(coordinates: &[&[f64]], target: &[f64], work: &mut u64) -> Option<Surface> {
        let (n, rows) = (coordinates.len(), target.len());
        let fitted: Vec<usize> = (0..rows).filter(|r| r % CHECKED != 0).collect();
        let most = (TERMS as f64).min(fitted.len() as f64 / ROWS);
        let degree = (2..=DEGREE).rev().find(|d| count(n, *d) <= most)?;
        let terms = exponents(n, degree);
        let ranges: Vec<(f64, f64)> = coordinates
            .iter()
            .map(|c| c.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x))))
            .map(|(low, high)| ((low + high) / 2.0, (high - low) / 2.0))
            .collect();
        if ranges.iter().any(|(_, half)| !(*half > 0.0 && half.is_finite())) {
            return None;
        }
        let tables: Vec<Vec<Vec<(f64, f64)>>> = coordinates
            .iter()
            .zip(&ranges)
            .map(|(c, (mid, half))| c.iter().map(|x| legendre((x - mid) / half, degree)).collect())
            .collect();
        let product = |row: usize, term: &[usize]| -> f64 {
            term.iter().zip(&tables).map(|(k, t)| t[row][*k].0).product()
        };
        let matrix = DMatrix::from_fn(fitted.len(), terms.len(), |i, j| product(fitted[i], &terms[j]));
        let mean = fitted.iter().map(|&r| target[r]).sum::<f64>() / fitted.len() as f64;
        let right = DVector::from_iterator(fitted.len(), fitted.iter().map(|&r| target[r] - mean));
        let mut gram = matrix.tr_mul(&matrix);
        let ridge = RIDGE * gram.diagonal().mean();
        (0..terms.len()).for_each(|k| gram[(k, k)] += ridge);
        let solved = gram.cholesky()?.solve(&matrix.tr_mul(&right));
        *work += (fitted.len() * terms.len() * terms.len() / DENSE + rows * terms.len() * (n + 1)) as u64;
        let values: Vec<f64> = (0..rows)
            .map(|r| mean + terms.iter().zip(&solved).map(|(t, c)| c * product(r, t)).sum::<f64>())
            .collect();
        let slope = |row: usize, along: usize| -> f64 {
            let one = |term: &[usize]| -> f64 {
                let factor = |(k, table): (usize, &Vec<Vec<(f64, f64)>>)| {
                    let (value, slope) = table[row][term[k]];
                    if k == along { slope } else { value }
                };
                tables.iter().enumerate().map(factor).product()
            };
            let dependent = terms.iter().zip(&solved).filter(|(t, _)| t[along] > 0);
            dependent.map(|(t, c)| c * one(t)).sum::<f64>() / ranges[along].1
        };
        let slopes = (0..n).map(|k| (0..rows).map(|r| slope(r, k)).collect()).collect();
        let (mut left, mut spread, mut checked) = (0.0, 0.0, 0);
        for r in (0..rows).filter(|r| r % CHECKED == 0) {
            left += (target[r] - values[r]).powi(2);
            checked += 1;
        }
        for y in target {
            spread += (y - mean).powi(2) / rows as f64;
        }
        let error = (left / f64::from(checked.max(1)) / spread).sqrt();
        error.is_finite().then_some(Surface { error, values, slopes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_its_own_surface() {
        let rows = 200;
        let x: Vec<f64> = (0..rows).map(|r| ((r * 37) % rows) as f64 / 50.0).collect();
        let y: Vec<f64> = (0..rows).map(|r| 1.0 + ((r * 71) % rows) as f64 / 90.0).collect();
        let z: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x * x * y - 3.0 * y + 2.0 * x).collect();
        let found = Surface::through(&[&x, &y], &z, &mut 0).unwrap();
        assert!(found.error < 1e-8, "{}", found.error);
        for r in 0..rows {
            assert!((found.values[r] - z[r]).abs() < 1e-7);
            assert!((found.slopes[0][r] - (2.0 * x[r] * y[r] + 2.0)).abs() < 1e-6);
            assert!((found.slopes[1][r] - (x[r] * x[r] - 3.0)).abs() < 1e-6);
        }
    }
}
