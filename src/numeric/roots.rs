//! Roots of functions of one variable by Brent's method (Brent 1973, ch. 4): inverse quadratic interpolation and
//! secants guarded by bisection; superlinear where the function is smooth, and never slower than bisection by
//! more than a constant factor.

use super::error::NumericError;

/// A root of `f` between `low` and `high`, where the signs of `f` differ, to `tolerance` (0: to rounding).
///
/// # Errors
/// [`NumericError::NoBracket`] where the signs do not differ or a value is NaN.
pub fn brent(
    mut f: impl FnMut(f64) -> f64,
    low: f64,
    high: f64,
    tolerance: f64,
) -> Result<f64, NumericError> {
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa == 0.0 {
        return Ok(a);
    }
    if fb == 0.0 {
        return Ok(b);
    }
    if fa.is_nan() || fb.is_nan() || (fa > 0.0) == (fb > 0.0) {
        return Err(NumericError::NoBracket { low, high });
    }
    let (mut c, mut fc) = (a, fa);
    let (mut step, mut before) = (b - a, b - a);
    // Bisection alone needs about 1100 halvings of the widest bracket.
    for _ in 0..2000 {
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            before = step;
        }
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let enough = 2.0 * f64::EPSILON * b.abs() + 0.5 * tolerance;
        let half = 0.5 * (c - b);
        if half.abs() <= enough || fb == 0.0 {
            return Ok(b);
        }
        if before.abs() >= enough && fa.abs() > fb.abs() {
            let s = fb / fa;
            let (mut p, mut q) = if a == c {
                (2.0 * half * s, 1.0 - s)
            } else {
                let (q, r) = (fa / fc, fb / fc);
                (s * (2.0 * half * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
            };
            if p > 0.0 {
                q = -q;
            }
            p = p.abs();
            if 2.0 * p < (3.0 * half * q - (enough * q).abs()).min((before * q).abs()) {
                before = step;
                step = p / q;
            } else {
                step = half;
                before = half;
            }
        } else {
            step = half;
            before = half;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > enough { step } else { enough.copysign(half) };
        fb = f(b);
        if fb.is_nan() {
            return Err(NumericError::NoBracket { low, high });
        }
    }
    Ok(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_rounding() {
        let root = brent(|x| x * x - 2.0, 0.0, 2.0, 0.0).unwrap();
        assert!((root - 2f64.sqrt()).abs() < 1e-15);
        let dottie = brent(|x| x.cos() - x, 0.0, 1.0, 0.0).unwrap();
        assert!((dottie - 0.739_085_133_215_160_6).abs() < 1e-15);
        let flat = brent(|x| (x - 1.0).powi(9), -4.0, 3.0, 1e-9).unwrap();
        assert!((flat - 1.0).abs() < 1e-8);
        let mut calls = 0;
        brent(
            |x| {
                calls += 1;
                x.exp() - 5.0
            },
            -10.0,
            10.0,
            0.0,
        )
        .unwrap();
        assert!(calls < 25);
    }

    #[test]
    fn a_bracket_without_a_root_is_a_fault() {
        assert!(matches!(brent(|x| x * x + 1.0, -1.0, 1.0, 0.0), Err(NumericError::NoBracket { .. })));
    }
}
