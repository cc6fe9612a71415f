//! The natural gradient of a sum of squares by the pseudo-inverse of the feature matrix (ANaGRAM: Schwencke & Furtlehner
//! 2024, "ANaGRAM: a natural gradient relative to adapted model for efficient PINNs learning", alg. 1): with residuals r
//! and their Jacobian J = U S V^T, the features of the samples,
//!
//! ```text
//! d = -V S^+ U^T r,     1/s for singular values s > cutoff s_max, 0 for the others
//! ```
//!
//! and the length of the step is the best of 1, 1/2, 1/4 ... on the loss. The factors come from a QR decomposition of the
//! longer side followed by a singular value decomposition of the square rest, so that J^T J, whose condition is the square,
//! is never formed. With more parameters than residuals the longer side is that of the parameters: the sample-space form.
//!
//! A low cut-off follows the samples to the last digit but only near the answer; a high one leads there. So it is adapted:
//! where the step keeps at least a tenth of its length the cut-off falls by 10, where it keeps less than 1/256, or nothing
//! lowers the loss, it rises by 10.

use nalgebra::{DVector, Dyn, QR, SVD};

use super::jacobian::Jacobian;
use super::{Ground, Method, Taken};
use crate::base::StopReason;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::parameters::Parameters;
use crate::networks::settings::Settings;

struct NaturalGradient {
    cutoff: f64,
    /// The least that it may fall to; the first where it is not adapted.
    least: f64,
    adapt: bool,
    halvings: usize,
}

/// The greatest cut-off: little more than the first singular vector.
const MOST: f64 = 0.9;

/// Begins `natural_gradient`.
pub(super) fn begin(s: &Settings, _: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    let (cutoff, adapt) = (s.get("cutoff"), s.is("adapt"));
    Ok(Box::new(NaturalGradient {
        cutoff,
        least: s.get("least").min(cutoff),
        adapt,
        halvings: s.count("halvings"),
    }))
}

/// The factors of a Jacobian.
pub(super) struct Factors<'a> {
    jacobian: &'a Jacobian,
    qr: QR<f64, Dyn, Dyn>,
    svd: SVD<f64, Dyn, Dyn>,
}

impl<'a> Factors<'a> {
    /// `None` where the decomposition does not converge.
    pub fn new(jacobian: &'a Jacobian) -> Option<Factors<'a>> {
        let j = &jacobian.matrix;
        let qr = if j.nrows() >= j.ncols() { j.clone().qr() } else { j.transpose().qr() };
        let svd = qr.r().try_svd(true, true, f64::EPSILON, 10_000)?;
        Some(Factors { jacobian, qr, svd })
    }

    /// -J^+ r with a relative cut-off of singular values; `None` where it is not finite.
    pub fn step(&self, cutoff: f64) -> Option<DVector<f64>> {
        let (j, r) = (&self.jacobian.matrix, &self.jacobian.residuals);
        let (u, v_t, s) = (self.svd.u.as_ref()?, self.svd.v_t.as_ref()?, &self.svd.singular_values);
        let greatest = s.max();
        let inverse = s.map(|s| if s > cutoff * greatest { 1.0 / s } else { 0.0 });
        // J = Q R = (Q U) S V^T, or J^T = Q R, thus J = V S (Q U)^T with U and V those of R.
        let step = if j.nrows() >= j.ncols() {
            let mut c = r.clone();
            self.qr.q_tr_mul(&mut c);
            let c = c.rows(0, j.ncols()).into_owned();
            v_t.tr_mul(&u.tr_mul(&c).component_mul(&inverse))
        } else {
            self.qr.q() * (u * (v_t * r).component_mul(&inverse))
        };
        step.iter().all(|d| d.is_finite()).then(|| -step)
    }
}

impl NaturalGradient {
    /// Halves a step until the loss is lower than before, then as long as it still falls; the best length.
    fn search(
        &self,
        ground: &mut Ground<'_>,
        weights: &DVector<f64>,
        step: &DVector<f64>,
        loss: f64,
        evaluations: &mut u64,
    ) -> Result<Option<f64>, NetworkError> {
        let mut best: Option<(f64, f64)> = None;
        let mut length = 1.0;
        for _ in 0..self.halvings {
            let found = ground.loss_at((weights + step * length).as_slice())?;
            *evaluations += 1;
            match best {
                Some((_, lowest)) if found.is_nan() || found >= lowest => break,
                _ if found < loss => best = Some((length, found)),
                _ => {}
            }
            length /= 2.0;
        }
        Ok(best.map(|(length, _)| length))
    }
}

impl Method for NaturalGradient {
    fn step(&mut self, ground: &mut Ground<'_>, _: f64, _: Option<f64>) -> Result<Taken, NetworkError> {
        let weights = DVector::from_vec(ground.model().parameters.flatten()?);
        let jacobian = ground.jacobian()?;
        let loss = jacobian.residuals.norm_squared() / jacobian.residuals.len() as f64;
        if !loss.is_finite() || jacobian.matrix.iter().any(|x| !x.is_finite()) {
            return Ok(Taken::unusable(loss));
        }
        let mut evaluations = 1;
        let factors = Factors::new(&jacobian);
        while let Some(step) = factors.as_ref().and_then(|f| f.step(self.cutoff)) {
            let found = self.search(ground, &weights, &step, loss, &mut evaluations)?;
            let used = self.cutoff;
            if self.adapt {
                match found {
                    Some(length) if length >= 0.1 => self.cutoff = (used / 10.0).max(self.least),
                    Some(length) if length >= 1.0 / 256.0 => {}
                    _ => self.cutoff = (used * 10.0).min(MOST),
                }
            }
            if let Some(length) = found {
                ground.model().parameters.assign((&weights + step * length).as_slice())?;
                return Ok(Taken::step(loss, evaluations));
            }
            if self.cutoff == used {
                break;
            }
        }
        ground.model().parameters.assign(weights.as_slice())?;
        let ended = ground.fixed().then_some(StopReason::Saturated);
        Ok(Taken { ended, ..Taken::step(loss, evaluations) })
    }

    fn save(&self, out: &mut Writer) {
        out.f64(self.cutoff);
    }

    fn load(&mut self, from: &mut Reader<'_>, _: &Parameters) -> Option<()> {
        self.cutoff = from.f64()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    #[test]
    fn the_pseudo_inverse_is_that_of_the_definition() {
        let values = |n: usize| (0..n).map(|k| ((k * k + 3) as f64 * 0.7).sin()).collect::<Vec<f64>>();
        for (rows, columns) in [(9, 4), (4, 9), (5, 5)] {
            let mut matrix = DMatrix::from_row_slice(rows, columns, &values(rows * columns));
            // Of lower rank: the last column is twice the first.
            let twice = matrix.column(0) * 2.0;
            matrix.set_column(columns - 1, &twice);
            let residuals = DVector::from_vec(values(rows));
            let expected = -(matrix.clone().pseudo_inverse(1e-10).unwrap() * &residuals);
            let jacobian = Jacobian { residuals, matrix };
            let found = Factors::new(&jacobian).unwrap().step(1e-10).unwrap();
            assert!((found - expected).amax() < 1e-11);
        }
    }
}
