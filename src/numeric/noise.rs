//! Standard errors where none are given and the scatter grows with what is measured. The normal matrix alone would take
//! the small absolute scatter of the small rows for that of the large ones, which decide the parameters. Two models of
//! noise are compared by their likelihood: the same for all rows, or in proportion to the fitted value (each with one
//! scale, estimated without bias from the residuals of least squares). Where the second is decisively more likely, the
//! covariance of the least-squares estimate under it is (J^T J)^-1 J^T V J (J^T J)^-1, V = s^2 diag(f^2) (the "sandwich"
//! with a modelled variance; J. G. MacKinnon, H. White, J. Econometrics 29, 305 (1985) put squared residuals for V, which
//! says too little where one row decides: that row's residual is nearly 0 whatever its error).

use super::linear::{Decomposed, normalise_columns};
use super::statistics::sum_of;
use nalgebra::DMatrix;

/// Nats by which relative noise must be more likely: 20 to 1.
const DECISIVE: f64 = 3.0;

/// The covariance of least-squares parameters under noise in proportion to `fitted`; `None` where noise of one size for
/// all rows explains the residuals as well, or the fitted values have two signs. `jacobian`: points in rows, not weighted.
pub fn relative_covariance(
    jacobian: &DMatrix<f64>,
    residuals: &[f64],
    fitted: &[f64],
) -> Option<DMatrix<f64>> {
    let (n, p) = jacobian.shape();
    let size = fitted.iter().fold(0.0f64, |m, f| m.max(f.abs()));
    let one_sign = fitted.iter().all(|f| *f > 0.0) || fitted.iter().all(|f| *f < 0.0);
    if n <= p || p == 0 || !one_sign || !size.is_finite() || jacobian.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let share: Vec<f64> = fitted.iter().map(|f| f.abs() / size).collect();
    let mut a = jacobian.clone();
    let lengths = normalise_columns(&mut a);
    let decomposed = Decomposed::new(&a);
    if decomposed.rank < p {
        return None;
    }
    let basis = decomposed.basis();
    // U^T D U, D the squares of the shares.
    let weighted = DMatrix::from_fn(n, p, |i, k| basis[(i, k)] * share[i]);
    let middle = weighted.transpose() * &weighted;
    // The expected sum of (r/f)^2 is s^2 times this: residuals are (1 - H) e, H = U U^T.
    let free = sum_of((0..n).map(|i| {
        let row = basis.row(i);
        let leverage = row.norm_squared();
        let carried = (row * &middle * row.transpose())[(0, 0)] / (share[i] * share[i]);
        1.0 - 2.0 * leverage + carried
    }));
    let absolute = sum_of(residuals.iter().map(|r| (r / size).powi(2))) / (n - p) as f64;
    let relative = sum_of(residuals.iter().zip(&share).map(|(r, f)| (r / size / f).powi(2))) / free;
    if !(absolute > 0.0 && relative > 0.0 && relative.is_finite()) {
        return None;
    }
    let half = n as f64 / 2.0;
    let gain = half * (absolute.ln() - relative.ln()) - sum_of(share.iter().map(|f| f.ln()));
    if gain <= DECISIVE {
        return None;
    }
    let back = decomposed.back();
    let covariance = &back * middle * back.transpose();
    // The scale in units of the residuals.
    Some(DMatrix::from_fn(p, p, |i, k| {
        covariance[(i, k)] * relative * (size / lengths[i]) * (size / lengths[k])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Streams;
    use crate::numeric::linear_least_squares;
    use crate::numeric::normal::standard_normals;

    /// Fits y = a*x^(3/2) + b*x, x over three decades, in many samples: the mean square of the deviations in units of their
    /// standard errors for `a`, how often relative noise was seen, and in how many samples `a` lies within 3 errors.
    fn pulls(relative: bool, classic: bool) -> (f64, usize, usize) {
        let x: Vec<f64> = (0..24).map(|i| 10f64.powf(f64::from(i) / 8.0)).collect();
        let columns = [x.iter().map(|x| x.powf(1.5)).collect::<Vec<f64>>(), x.clone()];
        let lists = [columns[0].as_slice(), columns[1].as_slice()];
        let jacobian = DMatrix::from_fn(24, 2, |i, k| columns[k][i]);
        let (mut squares, mut seen, mut within) = (0.0, 0, 0);
        for seed in 0..200 {
            let noise = standard_normals(&mut Streams::new(seed).stream("noise"), 24);
            let law = |i: usize| 2.0 * columns[0][i] + 3.0 * columns[1][i];
            let y: Vec<f64> =
                (0..24).map(|i| law(i) + noise[i] * if relative { 1e-3 * law(i) } else { 10.0 }).collect();
            let fit = linear_least_squares(&lists, &y, None, false).unwrap();
            let fitted: Vec<f64> = (0..24).map(|i| y[i] + fit.residuals[i]).collect();
            let found = relative_covariance(&jacobian, &fit.residuals, &fitted);
            seen += usize::from(found.is_some());
            let covariance = found.filter(|_| !classic).unwrap_or(fit.covariance);
            let pull = (fit.coefficients[0] - 2.0) / covariance[(0, 0)].sqrt();
            squares += pull * pull / 200.0;
            within += usize::from(pull.abs() < 3.0);
        }
        (squares, seen, within)
    }

    #[test]
    fn errors_are_honest_under_both_noises() {
        let (relative, seen, within) = pulls(true, false);
        assert!(
            (0.75..1.3).contains(&relative) && seen >= 195 && within >= 195,
            "{relative} {seen} {within}"
        );
        let (absolute, seen, within) = pulls(false, false);
        assert!((0.75..1.3).contains(&absolute) && seen <= 2 && within >= 195, "{absolute} {seen} {within}");
        // What it is for: the normal matrix alone is too sure of itself.
        assert!(pulls(true, true).0 > 1.5);
    }

    #[test]
    fn two_signs_and_no_scatter_have_no_relative_noise() {
        let j = DMatrix::from_fn(4, 1, |i, _| i as f64 + 1.0);
        assert!(relative_covariance(&j, &[1e-9, 0.1, -10.0, 100.0], &[1e-8, 1.0, -2.0, 3.0]).is_none());
        assert!(relative_covariance(&j, &[0.0; 4], &[1.0, 2.0, 3.0, 4.0]).is_none());
        assert!(relative_covariance(&j, &[0.0; 4], &[0.0; 4]).is_none());
    }
}
