//! Levenberg-Marquardt for sums of squares (Nocedal & Wright 2006, section 10.3) with geodesic acceleration and delayed
//! gratification (Transtrum & Sethna 2012, "Improvements to the Levenberg-Marquardt algorithm for nonlinear least-squares
//! minimization"): with residuals r, their Jacobian J and damping m, a step v + a/2 solves
//!
//! ```text
//! (J^T J + m I) v = -J^T r          k = (2/h) ((r(w + h v) - r)/h - J v)      the second derivative along v
//! (J^T J + m I) a = -J^T k          kept where |a| <= 3/4 |v|
//! ```
//!
//! by Cholesky in f64; with more parameters than residuals in sample space, v = -J^T (J J^T + m I)^-1 r. A step that lowers
//! the sum is taken, and m falls by 5 where it gained a quarter of what the linear model promised; else m grows a little
//! and the next is tried.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::jacobian::Jacobian;
use super::{Ground, Method, Taken};
use crate::base::StopReason;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::parameters::Parameters;
use crate::networks::settings::Settings;

/// Share of a step over which its second derivative is taken.
const PROBE: f64 = 0.1;

struct LevenbergMarquardt {
    /// The first damping, relative to the greatest curvature.
    first: f64,
    tries: usize,
    /// The damping; `None` before the first step.
    damping: Option<f64>,
}

/// Begins `levenberg_marquardt`.
pub(super) fn begin(s: &Settings, _: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    Ok(Box::new(LevenbergMarquardt { first: s.get("damping"), tries: s.count("tries"), damping: None }))
}

/// The steps of one linearisation, for any damping.
pub(super) struct Normal<'a> {
    jacobian: &'a Jacobian,
    /// J^T J or J J^T, whichever is smaller.
    gram: DMatrix<f64>,
    /// J^T r.
    pub gradient: DVector<f64>,
    sample_space: bool,
}

impl<'a> Normal<'a> {
    /// Of residuals and their Jacobian.
    pub fn new(jacobian: &'a Jacobian) -> Normal<'a> {
        let j = &jacobian.matrix;
        let sample_space = j.ncols() > j.nrows();
        let gram = if sample_space { j * j.transpose() } else { j.tr_mul(j) };
        Normal { jacobian, gram, gradient: j.tr_mul(&jacobian.residuals), sample_space }
    }

    /// The greatest element of the diagonal.
    pub fn scale(&self) -> f64 {
        self.gram.diagonal().iter().fold(0.0, |a: f64, b| a.max(*b))
    }

    /// The damped matrix; `None` where it is not positive in rounding.
    pub fn factor(&self, damping: f64) -> Option<Cholesky<f64, Dyn>> {
        let mut matrix = self.gram.clone();
        (0..matrix.nrows()).for_each(|i| matrix[(i, i)] += damping);
        Cholesky::new(matrix)
    }

    /// The step that the residuals `r` ask for; `None` where it is not finite.
    pub fn step(&self, factor: &Cholesky<f64, Dyn>, r: &DVector<f64>) -> Option<DVector<f64>> {
        let j = &self.jacobian.matrix;
        let step = if self.sample_space { -j.tr_mul(&factor.solve(r)) } else { -factor.solve(&j.tr_mul(r)) };
        step.iter().all(|d| d.is_finite()).then_some(step)
    }
}

impl Method for LevenbergMarquardt {
    fn step(&mut self, ground: &mut Ground<'_>, _: f64, _: Option<f64>) -> Result<Taken, NetworkError> {
        let weights = DVector::from_vec(ground.model().parameters.flatten()?);
        let jacobian = ground.jacobian()?;
        let n = jacobian.residuals.len() as f64;
        let square = jacobian.residuals.norm_squared();
        let loss = square / n;
        if !loss.is_finite() || jacobian.matrix.iter().any(|x| !x.is_finite()) {
            return Ok(Taken::unusable(loss));
        }
        let normal = Normal::new(&jacobian);
        let scale = normal.scale();
        let mut evaluations = 1;
        if scale == 0.0 {
            let ended = ground.fixed().then_some(StopReason::Found);
            return Ok(Taken { ended, ..Taken::step(loss, evaluations) });
        }
        let mut damping = self.damping.unwrap_or(self.first * scale);
        for attempt in 0..self.tries {
            let factor = normal.factor(damping);
            let speed = factor.as_ref().and_then(|f| normal.step(f, &jacobian.residuals));
            if let (Some(factor), Some(speed)) = (factor, speed) {
                let mut step = speed.clone();
                // The second derivative along the speed, by a difference over a tenth of it.
                let ahead = ground.residuals_at((&weights + &speed * PROBE).as_slice())?;
                evaluations += 2;
                let bend =
                    ((ahead - &jacobian.residuals) / PROBE - &jacobian.matrix * &speed) * (2.0 / PROBE);
                if let Some(a) = normal.step(&factor, &bend).filter(|a| a.norm() <= 0.75 * speed.norm()) {
                    step += a * 0.5;
                }
                let found = ground.loss_at((&weights + step).as_slice())? * n;
                if found < square {
                    let promised = damping * speed.norm_squared() - speed.dot(&normal.gradient);
                    let gained = (square - found) / promised;
                    let fall = if gained > 0.25 { 5.0 } else { 1.0 };
                    self.damping = Some((damping / fall).max(scale * 1e-18));
                    return Ok(Taken::step(loss, evaluations));
                }
            }
            damping *= if attempt == 0 { 1.5 } else { 2.0 };
        }
        ground.model().parameters.assign(weights.as_slice())?;
        // Far beyond the greatest curvature a step is lost in rounding.
        let ended = (ground.fixed() && damping > 1e9 * scale).then_some(StopReason::Saturated);
        self.damping = Some(damping);
        Ok(Taken { ended, ..Taken::step(loss, evaluations) })
    }

    fn save(&self, out: &mut Writer) {
        out.option(self.damping.as_ref(), |out, x| out.f64(*x));
    }

    fn load(&mut self, from: &mut Reader<'_>, _: &Parameters) -> Option<()> {
        self.damping = from.option(|from| from.f64())?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_the_same_step() {
        let values = |n: usize| (0..n).map(|k| ((k * k + 3) as f64 * 0.7).sin()).collect::<Vec<f64>>();
        for (rows, columns) in [(9, 4), (4, 9), (5, 5)] {
            let matrix = DMatrix::from_row_slice(rows, columns, &values(rows * columns));
            let residuals = DVector::from_vec(values(rows));
            let direct = (matrix.tr_mul(&matrix) + DMatrix::identity(columns, columns) * 0.3).lu();
            let expected = -direct.solve(&matrix.tr_mul(&residuals)).unwrap();
            let jacobian = Jacobian { residuals, matrix };
            let normal = Normal::new(&jacobian);
            let found = normal.step(&normal.factor(0.3).unwrap(), &jacobian.residuals).unwrap();
            assert!((found - expected).amax() < 1e-12);
        }
    }
}
