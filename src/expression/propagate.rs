//! First-order propagation of uncertainty (JCGM 100:2008, eq. 13): the variance of f is the sum over pairs of uncertain
//! numbers of df/da * df/db * cov(a, b). Each uncertain number is one variable however often it occurs, so that
//! `g - g` is exact.

use super::node::{Expr, Flags};

/// Numbers that differ relatively by less are the same up to rounding.
pub(super) const ROUNDING: f64 = 1e-12;

impl Expr {
    /// Value and standard uncertainty of a real number, in SI where it has a unit; `None` where symbols or
    /// no real value stand in the way.
    pub fn uncertainty(&self) -> Option<(f64, f64)> {
        if self.is_symbolic() {
            return None;
        }
        let value = self.evaluate(&|_| None)?;
        let leaves = self.uncertain_leaves();
        let mut slopes = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            let mut slope = self.diff_uncertain(leaf).evaluate(&|_| None)?;
            // An offset scale is no factor: the derivative by a number in degC still is the size of the degree.
            if let Some(unit) = self.split_unit().1.filter(|u| !u.is_ordinary()) {
                slope = (unit.to_si(leaf.value() + leaf.sigma()) - unit.to_si(leaf.value()))
                    / leaf.sigma().max(f64::MIN_POSITIVE);
            }
            slopes.push(slope);
        }
        let (mut variance, mut size) = (0.0, 0.0);
        for (a, slope_a) in leaves.iter().zip(&slopes) {
            for (b, slope_b) in leaves.iter().zip(&slopes) {
                let part: f64 = slope_a * slope_b * a.covariance(b);
                variance += part;
                size += part.abs();
            }
        }
        // What is left where the parts cancel is rounding; the covariance matrix is semidefinite.
        Some((value, if variance <= 1e-14 * size { 0.0 } else { variance.sqrt() }))
    }

    /// Whether two numbers differ by at most `k` standard uncertainties of their difference, correlations
    /// used; numbers without uncertainty must agree up to rounding. `None` where there is no real value.
    pub fn equal_within(&self, other: &Expr, k: f64) -> Option<bool> {
        if self == other {
            return (!self.is_symbolic()).then_some(true);
        }
        let (a, b) = (self.evaluate(&|_| None)?, other.evaluate(&|_| None)?);
        let rounding = ROUNDING * a.abs().max(b.abs());
        if !self.flags().with(other.flags()).has(Flags::UNCERTAIN) {
            return Some((a - b).abs() <= rounding);
        }
        let (_, sigma) = (self - other).uncertainty()?;
        Some((a - b).abs() <= k * sigma + rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::uncertain::{Covariance, Uncertain};

    fn measured(id: u64, value: f64, sigma: f64) -> Expr {
        Expr::uncertain(Uncertain::new(id, value, sigma))
    }

    fn close(e: &Expr, value: f64, sigma: f64) -> bool {
        let (v, s) = e.uncertainty().unwrap();
        (v - value).abs() < 1e-12 * (1.0 + value.abs()) && (s - sigma).abs() < 1e-12 * (1.0 + sigma)
    }

    #[test]
    fn the_same_measurement_is_correlated_with_itself() {
        let (a, b) = (measured(1, 3.0, 0.1), measured(2, 4.0, 0.1));
        assert!(close(&(&a * &b), 12.0, 0.5));
        assert!(close(&(a.powi(2) + b.powi(2)).sqrt(), 5.0, 0.1));
        assert!(close(&(&a - &b), -1.0, 0.02f64.sqrt()));
        assert!(close(&(&a + &a), 6.0, 0.2));
        assert!(close(&((&a + &b) - &b), 3.0, 0.1));
        assert!((&a - &a).is_zero());
        assert!(close(&(&a / &a), 1.0, 0.0));
    }

    #[test]
    fn common_covariance_counts() {
        let matrix = vec![0.04, 0.04, 0.04, 0.04];
        let pair = Uncertain::joint(7, &[1.0, 2.0], Covariance { size: 2, matrix });
        let [a, b] = [0, 1].map(|i: usize| Expr::uncertain(pair[i].clone()));
        assert!(close(&(&b - &a), 1.0, 0.0));
        assert!(close(&(&b + &a), 3.0, 0.4));
    }

    #[test]
    fn equality_within_standard_errors() {
        let (a, b) = (measured(1, 10.0, 0.1), measured(2, 10.4, 0.1));
        assert_eq!(a.equal_within(&b, 3.0), Some(true));
        assert_eq!(a.equal_within(&b, 2.0), Some(false));
        assert_eq!(a.equal_within(&(&a + &Expr::float(1e-3)), 3.0), Some(false));
        assert_eq!(Expr::float(0.1 + 0.2).equal_within(&Expr::float(0.3), 3.0), Some(true));
        assert_eq!(Expr::symbol("x").equal_within(&a, 3.0), None);
    }
}
