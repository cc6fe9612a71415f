//! Weighted linear least squares, min |W (A p - y)|: the columns of A are scaled to length 1 (van der Sluis
//! 1969), the scaled matrix is decomposed A = Q R by Householder reflections, and the singular values of R give
//! the condition and the rank (Golub & Van Loan, 4th ed., 5.3, 5.5). Directions below the rank are left out
//! (the shortest solution), and the coefficients they mix are named.

use super::error::NumericError;
use super::statistics;
use nalgebra::{DMatrix, DVector};

/// A solution of linear least squares.
#[derive(Clone, Debug)]
pub struct LinearFit {
    /// The coefficients.
    pub coefficients: Vec<f64>,
    /// Their covariance matrix; infinite diagonal where no degree of freedom tells the scatter.
    pub covariance: DMatrix<f64>,
    /// Sum of squared weighted residuals.
    pub chi2: f64,
    /// Points minus rank.
    pub dof: usize,
    /// `A p - y`, not weighted.
    pub residuals: Vec<f64>,
    /// Ratio of the largest to the smallest singular value of the scaled matrix.
    pub condition: f64,
    /// The coefficients that the data do not determine (one or several of a combination).
    pub undetermined: Vec<usize>,
}

/// Fits `y` by a combination of `columns`. `weights` multiply the residuals (1/sigma). With `absolute` the
/// weights are known errors; else the covariance is scaled by the scatter, chi2/dof.
///
/// # Errors
/// Fewer points than columns, lists of different lengths, and numbers that are not finite.
pub fn linear_least_squares(
    columns: &[&[f64]],
    y: &[f64],
    weights: Option<&[f64]>,
    absolute: bool,
) -> Result<LinearFit, NumericError> {
    let (m, n) = (y.len(), columns.len());
    if m < n || m == 0 {
        return Err(NumericError::TooFewPoints { points: m, parameters: n.max(1) });
    }
    for list in columns.iter().copied().chain(weights) {
        if list.len() != m {
            return Err(NumericError::Length { expected: m, found: list.len() });
        }
    }
    for list in columns.iter().copied().chain(weights).chain([y]) {
        if let Some(row) = list.iter().position(|x| !x.is_finite()) {
            return Err(NumericError::NotFinite { row: row + 1, value: list[row] });
        }
    }
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let mut a = DMatrix::from_fn(m, n, |i, j| columns[j][i] * weight(i));
    let lengths = normalise_columns(&mut a);
    let target = DVector::from_fn(m, |i, _| y[i] * weight(i));
    let decomposed = Decomposed::new(&a);
    let mut scaled = decomposed.solve(&target);
    if decomposed.undetermined.is_empty() {
        // One step of refinement removes what rounding in the factors left (Bjorck 1967).
        let left = &target - &a * &scaled;
        scaled += decomposed.solve(&left);
    }
    let coefficients: Vec<f64> = (0..n).map(|j| scaled[j] / lengths[j]).collect();
    let residuals: Vec<f64> = (0..m)
        .map(|i| statistics::sum_of((0..n).map(|j| columns[j][i] * coefficients[j]).chain([-y[i]])))
        .collect();
    let chi2 = statistics::sum_of(residuals.iter().enumerate().map(|(i, r)| (r * weight(i)).powi(2)));
    let dof = m - decomposed.rank;
    let covariance = covariance(&decomposed, &lengths, chi2, dof, absolute);
    Ok(LinearFit {
        coefficients,
        covariance,
        chi2,
        dof,
        residuals,
        condition: decomposed.condition,
        undetermined: decomposed.undetermined,
    })
}

/// Scales every column to length 1 in place; the lengths, 1 for a column of zeros.
pub(super) fn normalise_columns(a: &mut DMatrix<f64>) -> Vec<f64> {
    let mut lengths = Vec::with_capacity(a.ncols());
    for mut column in a.column_iter_mut() {
        let largest = column.amax();
        let length = if largest > 0.0 { largest * (&column / largest).norm() } else { 0.0 };
        if length > 0.0 {
            // In two steps: the length of a column of tiny numbers may have no reciprocal.
            column /= largest;
            column /= length / largest;
        }
        lengths.push(if length > 0.0 { length } else { 1.0 });
    }
    lengths
}

/// The covariance matrix in the units of the coefficients.
pub(super) fn covariance(
    decomposed: &Decomposed,
    lengths: &[f64],
    chi2: f64,
    dof: usize,
    absolute: bool,
) -> DMatrix<f64> {
    let n = lengths.len();
    if !absolute && dof == 0 {
        return DMatrix::from_fn(n, n, |i, j| if i == j { f64::INFINITY } else { 0.0 });
    }
    let scatter = if absolute { 1.0 } else { chi2 / dof as f64 };
    let inverse = decomposed.inverse_gram();
    DMatrix::from_fn(n, n, |i, j| {
        if decomposed.undetermined.contains(&i) || decomposed.undetermined.contains(&j) {
            return if i == j { f64::INFINITY } else { 0.0 };
        }
        inverse[(i, j)] * scatter / lengths[i] / lengths[j]
    })
}

/// A matrix with columns of length 1, decomposed.
pub(super) struct Decomposed {
    q: DMatrix<f64>,
    u: DMatrix<f64>,
    v: DMatrix<f64>,
    singular: Vec<f64>,
    /// Least singular value that counts.
    least: f64,
    pub rank: usize,
    pub condition: f64,
    pub undetermined: Vec<usize>,
}

impl Decomposed {
    /// The matrix has at least as many rows as columns, and finite entries.
    pub fn new(a: &DMatrix<f64>) -> Decomposed {
        let (m, n) = a.shape();
        let qr = a.clone().qr();
        let (q, r) = (qr.q(), qr.r());
        let svd = r.svd(true, true);
        let singular: Vec<f64> = svd.singular_values.iter().copied().collect();
        let identity = || DMatrix::identity(n, n);
        let u = svd.u.unwrap_or_else(identity);
        let v = svd.v_t.unwrap_or_else(identity).transpose();
        let largest = singular.iter().copied().fold(0.0, f64::max);
        let smallest = singular.iter().copied().fold(f64::INFINITY, f64::min);
        let least = largest * f64::EPSILON * 4.0 * m.max(n) as f64;
        let rank = singular.iter().filter(|s| **s > least).count();
        let lost: Vec<usize> = (0..n).filter(|k| singular[*k] <= least).collect();
        // A coefficient takes part in a lost direction where it has a sizeable component there.
        let undetermined = (0..n).filter(|j| lost.iter().any(|k| v[(*j, *k)].abs() > 1e-4)).collect();
        let condition = if n == 0 { 1.0 } else { largest / smallest };
        Decomposed { q, u, v, singular, least, rank, condition, undetermined }
    }

    /// The shortest solution of least squares.
    pub fn solve(&self, target: &DVector<f64>) -> DVector<f64> {
        let mut projected = self.u.transpose() * (self.q.transpose() * target);
        for (k, s) in self.singular.iter().enumerate() {
            projected[k] = if *s > self.least { projected[k] / s } else { 0.0 };
        }
        &self.v * projected
    }

    /// An orthonormal basis of the columns, one a column; where the rank is full.
    pub fn basis(&self) -> DMatrix<f64> {
        &self.q * &self.u
    }

    /// What carries coordinates in [`Decomposed::basis`] to coefficients of the scaled columns.
    pub fn back(&self) -> DMatrix<f64> {
        let mut scaled = self.v.clone();
        for (k, s) in self.singular.iter().enumerate() {
            let factor = if *s > self.least { s.recip() } else { 0.0 };
            scaled.column_mut(k).scale_mut(factor);
        }
        scaled
    }

    /// The inverse of A^T A in the determined directions.
    pub fn inverse_gram(&self) -> DMatrix<f64> {
        let scaled = self.back();
        &scaled * scaled.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_textbook_errors() {
        let x: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];
        let y = [1.1, 2.9, 5.2, 6.8, 9.1];
        let ones = [1.0; 5];
        let fit = linear_least_squares(&[&ones, &x], &y, None, false).unwrap();
        let (mx, my) = (statistics::mean(&x), statistics::mean(&y));
        let sxx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let slope = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / sxx;
        assert!((fit.coefficients[1] - slope).abs() < 1e-14);
        assert!((fit.coefficients[0] - (my - slope * mx)).abs() < 1e-14);
        let s2 = fit.chi2 / 3.0;
        assert!((fit.covariance[(1, 1)] - s2 / sxx).abs() < 1e-14);
        assert!((fit.covariance[(0, 0)] - s2 * (0.2 + mx * mx / sxx)).abs() < 1e-14);
        assert!((fit.covariance[(0, 1)] + s2 * mx / sxx).abs() < 1e-14);
    }

    #[test]
    fn weights_are_repetitions() {
        let once =
            linear_least_squares(&[&[1.0, 1.0]], &[1.0, 4.0], Some(&[2f64.sqrt(), 1.0]), true).unwrap();
        let twice = linear_least_squares(&[&[1.0; 3]], &[1.0, 1.0, 4.0], None, true).unwrap();
        assert!((once.coefficients[0] - twice.coefficients[0]).abs() < 1e-15);
        assert!((once.covariance[(0, 0)] - twice.covariance[(0, 0)]).abs() < 1e-15);
    }

    #[test]
    fn scale_does_not_matter_and_equal_columns_are_named() {
        let x = [1e-150, 2e-150, 3e-150, 5e-150];
        let y = [2e140, 4e140, 6e140, 10e140];
        let fit = linear_least_squares(&[&x], &y, None, false).unwrap();
        assert!((fit.coefficients[0] / 2e290 - 1.0).abs() < 1e-14);
        let a = [1.0, 2.0, 3.0, 5.0];
        let b = [2.0, 4.0, 6.0, 10.0];
        let c = [1.0, 0.0, 1.0, 0.0];
        let fit = linear_least_squares(&[&a, &c, &b], &[1.0, 2.0, 3.0, 4.0], None, false).unwrap();
        assert_eq!(fit.undetermined, [0, 2]);
        assert!(fit.covariance[(0, 0)].is_infinite() && fit.covariance[(1, 1)].is_finite());
        let zero = linear_least_squares(&[&a, &[0.0; 4]], &a, None, false).unwrap();
        assert_eq!(zero.undetermined, [1]);
    }

    #[test]
    fn a_badly_conditioned_polynomial_keeps_its_digits() {
        let x: Vec<f64> = (0..21).map(f64::from).collect();
        let columns: Vec<Vec<f64>> = (0..6).map(|k| x.iter().map(|x| x.powi(k)).collect()).collect();
        let y: Vec<f64> = x.iter().map(|x| (0..6).map(|k| x.powi(k)).sum()).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        // All coefficients are 1 (the Wampler1 problem of NIST).
        let fit = linear_least_squares(&columns, &y, None, false).unwrap();
        assert!(fit.coefficients.iter().all(|c| (c - 1.0).abs() < 1e-8), "{:?}", fit.coefficients);
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        let fault = linear_least_squares(&[&[1.0, f64::NAN]], &[1.0, 2.0], None, false).unwrap_err();
        assert!(matches!(fault, NumericError::NotFinite { row: 2, .. }));
        let fault = linear_least_squares(&[&[1.0], &[2.0]], &[1.0], None, false).unwrap_err();
        assert_eq!(fault, NumericError::TooFewPoints { points: 1, parameters: 2 });
    }
}
