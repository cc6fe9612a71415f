//! Before the search: which columns matter, and the target without its noise.

mod factor;
mod process;
mod screen;
mod select;
mod smooth;
#[cfg(test)]
mod tests;

pub use select::{Selection, features};
pub use smooth::{Smooth, smooth};

use crate::base::random::Streams;
use crate::numeric::statistics;
use rand::RngExt;

/// A list of mean 0 and standard deviation 1.
#[derive(Clone, Debug)]
struct Standard {
    values: Vec<f64>,
    mean: f64,
    deviation: f64,
    /// Whether mean and deviation are those of the logarithms.
    logarithmic: bool,
}

impl Standard {
    /// Standardises a list; `None` where it does not vary.
    fn of(list: &[f64]) -> Option<Standard> {
        // Over the largest, so that squares of very large and very small numbers are finite and not 0.
        let largest = list.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let shares: Vec<f64> = list.iter().map(|x| x / largest).collect();
        let (mean, deviation) = (statistics::mean(&shares), statistics::standard_deviation(&shares));
        let varies = deviation > 0.0 && deviation.is_finite();
        varies.then(|| Standard {
            values: shares.iter().map(|x| (x - mean) / deviation).collect(),
            mean: mean * largest,
            deviation: deviation * largest,
            logarithmic: false,
        })
    }

    /// Standardises the logarithms.
    fn of_logarithms(list: &[f64]) -> Option<Standard> {
        let logarithms: Vec<f64> = list.iter().map(|x| x.ln()).collect();
        Standard::of(&logarithms).map(|s| Standard { logarithmic: true, ..s })
    }
}

/// At most `most` of `n` rows, drawn without replacement, in order.
fn sample_rows(n: usize, most: usize, seed: u64, path: &str) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let mut rng = Streams::new(seed).stream(path);
    // Floyd's sampling (Comm. ACM 30 (1987) 754).
    let mut chosen = std::collections::BTreeSet::new();
    for high in n - most..n {
        let row = rng.random_range(0..=high);
        if !chosen.insert(row) {
            chosen.insert(high);
        }
    }
    chosen.into_iter().collect()
}

/// Variances of the noise over their mean.
fn relative_variances(sigma: Option<&[f64]>, n: usize) -> Vec<f64> {
    let Some(sigma) = sigma else { return vec![1.0; n] };
    let largest = sigma.iter().fold(0.0f64, |m, s| m.max(*s));
    let squares: Vec<f64> = sigma.iter().map(|s| (s / largest).powi(2)).collect();
    let mean = squares.iter().sum::<f64>() / n as f64;
    // A row of nearly no error beside others would make the covariance singular.
    squares.iter().map(|s| (s / mean).max(1e-8)).collect()
}
