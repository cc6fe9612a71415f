//! Standard normal deviates, by the Ziggurat algorithm of `rand_distr` (Marsaglia & Tsang 2000), whose values
//! are stable between versions.

use crate::base::random::Rng;
use rand_distr::{Distribution, StandardNormal};

/// One deviate.
pub fn standard_normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// `count` deviates.
pub fn standard_normals(rng: &mut Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| standard_normal(rng)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Streams;
    use crate::numeric::statistics::{mean, variance};

    #[test]
    fn moments_are_those_of_the_distribution_and_a_seed_fixes_them() {
        let draw = |seed| standard_normals(&mut Streams::new(seed).stream("normal"), 20_000);
        let xs = draw(1);
        assert!(mean(&xs).abs() < 0.03);
        assert!((variance(&xs) - 1.0).abs() < 0.05);
        let fourth = xs.iter().map(|x| x.powi(4)).sum::<f64>() / xs.len() as f64;
        assert!((fourth - 3.0).abs() < 0.3);
        assert_eq!(xs, draw(1));
        assert_ne!(xs, draw(2));
    }
}
