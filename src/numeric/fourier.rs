//! Discrete Fourier transforms of any length, by rustfft: X_k = sum over n of x_n exp(-2 pi i k n/N) forward, and with the
//! other sign and 1/N backward, so that one undoes the other.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Real and imaginary part.
pub type Pair = (f64, f64);

/// The transform.
pub fn forward(x: &[Pair]) -> Vec<Pair> {
    transform(x, false)
}

/// The inverse transform.
pub fn inverse(x: &[Pair]) -> Vec<Pair> {
    let n = x.len().max(1) as f64;
    transform(x, true).into_iter().map(|(re, im)| (re / n, im / n)).collect()
}

/// The frequencies of a transform of `count` samples `spacing` apart: 0, 1/(N d), ..., then the negative ones.
pub fn frequencies(count: usize, spacing: f64) -> Vec<f64> {
    let span = count as f64 * spacing;
    let place = |k: usize| if 2 * k < count + count % 2 { k as f64 } else { k as f64 - count as f64 };
    (0..count).map(|k| place(k) / span).collect()
}

fn transform(x: &[Pair], inverse: bool) -> Vec<Pair> {
    if x.is_empty() {
        return Vec::new();
    }
    let mut planner = FftPlanner::new();
    let fft = if inverse { planner.plan_fft_inverse(x.len()) } else { planner.plan_fft_forward(x.len()) };
    let mut buffer: Vec<Complex<f64>> = x.iter().map(|(re, im)| Complex::new(*re, *im)).collect();
    fft.process(&mut buffer);
    buffer.into_iter().map(|z| (z.re, z.im)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config() -> ProptestConfig {
        let cases = std::env::var("PHYS_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(256);
        ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
    }

    fn power(x: &[Pair]) -> f64 {
        x.iter().map(|(re, im)| re * re + im * im).sum()
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn the_inverse_undoes_and_power_is_kept(x in proptest::collection::vec((-1e3..1e3, -1e3..1e3), 1..200)) {
            let there = forward(&x);
            let back = inverse(&there);
            for (a, b) in x.iter().zip(&back) {
                prop_assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
            }
            // Parseval.
            let (before, after) = (power(&x), power(&there) / x.len() as f64);
            prop_assert!((before - after).abs() <= 1e-10 * before);
        }
    }

    #[test]
    fn a_wave_has_one_line_at_its_frequency() {
        let n = 48;
        let x: Vec<Pair> =
            (0..n).map(|k| ((std::f64::consts::TAU * 5.0 * k as f64 / n as f64).cos(), 0.0)).collect();
        let lines = forward(&x);
        for (k, (re, im)) in lines.iter().enumerate() {
            let expected = if k == 5 || k == n - 5 { n as f64 / 2.0 } else { 0.0 };
            assert!((re - expected).abs() < 1e-12 && im.abs() < 1e-12, "{k}: {re} {im}");
        }
        assert_eq!(frequencies(4, 0.5), [0.0, 0.5, -1.0, -0.5]);
        assert_eq!(frequencies(5, 1.0), [0.0, 0.2, 0.4, -0.4, -0.2]);
        assert!(forward(&[]).is_empty());
    }
}
