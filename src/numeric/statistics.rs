//! Sums and moments of lists of floats. Sums are compensated (Neumaier, ZAMM 54 (1974) 39), so that the order
//! of magnitude of the terms does not matter; moments are taken about the mean (two passes).

/// The sum.
pub fn sum(xs: &[f64]) -> f64 {
    sum_of(xs.iter().copied())
}

/// The sum of what an iterator yields.
pub fn sum_of(xs: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for x in xs {
        let next = sum + x;
        lost += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    if lost.is_finite() { sum + lost } else { sum }
}

/// The mean; NaN for none.
pub fn mean(xs: &[f64]) -> f64 {
    sum(xs) / xs.len() as f64
}

/// The sample variance, over n - 1; NaN for fewer than two.
pub fn variance(xs: &[f64]) -> f64 {
    if xs.len() < 2 {
        return f64::NAN;
    }
    let mean = mean(xs);
    sum_of(xs.iter().map(|x| (x - mean) * (x - mean))) / (xs.len() - 1) as f64
}

/// The sample standard deviation.
pub fn standard_deviation(xs: &[f64]) -> f64 {
    variance(xs).sqrt()
}

/// The covariance of two lists of one length, over n - 1.
pub fn covariance(xs: &[f64], ys: &[f64]) -> f64 {
    let n = xs.len().min(ys.len());
    if n < 2 {
        return f64::NAN;
    }
    let (mx, my) = (mean(&xs[..n]), mean(&ys[..n]));
    sum_of(xs.iter().zip(ys).map(|(x, y)| (x - mx) * (y - my))) / (n - 1) as f64
}

/// Pearson's coefficient of correlation; NaN where a list is constant.
pub fn correlation(xs: &[f64], ys: &[f64]) -> f64 {
    let n = xs.len().min(ys.len());
    covariance(xs, ys) / (standard_deviation(&xs[..n]) * standard_deviation(&ys[..n]))
}

/// The middle value.
pub fn median(xs: &[f64]) -> f64 {
    quantile(xs, 0.5)
}

/// The quantile `p` from 0 to 1, linear between neighbours (type 7 of Hyndman & Fan 1996); NaN for none.
pub fn quantile(xs: &[f64], p: f64) -> f64 {
    let mut sorted = xs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = p.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let (low, high) = (sorted[below], sorted[above]);
    if low == high { low } else { low + (high - low) * (place - below as f64) }
}

/// Counts in bins of equal width from the least to the greatest value, which is in the last bin: the edges, and one count
/// fewer. Values that are not finite are in none; of equal values the one bin is around them.
pub fn histogram(xs: &[f64], bins: usize) -> (Vec<f64>, Vec<u64>) {
    let finite = || xs.iter().copied().filter(|x| x.is_finite());
    let (mut low, mut high) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        (low, high) = (0.0, 1.0);
    } else if low == high {
        let half = if low == 0.0 { 0.5 } else { 0.5 * low.abs() };
        (low, high) = (low - half, high + half);
    }
    let edge = |k: usize| if k == bins { high } else { low + (high - low) * (k as f64 / bins as f64) };
    let edges: Vec<f64> = (0..=bins).map(edge).collect();
    let mut counts = vec![0; bins];
    for x in finite() {
        // By the edges themselves: a share may round across one.
        let place = edges[1..bins.max(1)].partition_point(|e| *e <= x);
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    (edges, counts)
}

/// The root of the mean square, without overflow; NaN for none.
pub fn rms(xs: &[f64]) -> f64 {
    let largest = xs.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return if xs.is_empty() { f64::NAN } else { largest };
    }
    largest * (sum_of(xs.iter().map(|x| (x / largest) * (x / largest))) / xs.len() as f64).sqrt()
}

/// The coefficient of determination: 1 - (sum of squared residuals)/(sum of squares about the mean). Of a
/// constant target it is 1 where the residuals vanish, else minus infinity.
pub fn r2(target: &[f64], residuals: &[f64]) -> f64 {
    let mean = mean(target);
    let deviations: Vec<f64> = target.iter().map(|y| y - mean).collect();
    let (left, all) = (rms(residuals), rms(&deviations));
    if left == 0.0 { 1.0 } else { 1.0 - (left / all).powi(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_small_terms() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(mean(&[1e16, 1.0, -1e16]), 1.0 / 3.0);
    }

    #[test]
    fn moments_of_small_lists_are_exact() {
        let xs = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(variance(&xs), 32.0 / 7.0);
        assert_eq!(median(&xs), 4.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
        assert_eq!(rms(&[3e200, 4e200]), 5e200 / 2f64.sqrt());
        assert!((correlation(&xs, &xs) - 1.0).abs() < 1e-15);
        assert!(mean(&[]).is_nan() && median(&[]).is_nan() && rms(&[]).is_nan());
    }

    #[test]
    fn every_finite_value_is_in_one_bin() {
        let xs = [0.0, 1.0, 1.0, 2.0, 4.0, f64::NAN];
        let (edges, counts) = histogram(&xs, 4);
        assert_eq!((edges, counts), (vec![0.0, 1.0, 2.0, 3.0, 4.0], vec![1, 2, 1, 1]));
        assert_eq!(histogram(&[3.0, 3.0], 2), (vec![1.5, 3.0, 4.5], vec![0, 2]));
        assert_eq!(histogram(&[], 1).1, vec![0]);
    }

    #[test]
    fn r2_is_one_for_the_law_and_zero_for_the_mean() {
        let y = [1.0, 2.0, 3.0];
        assert_eq!(r2(&y, &[0.0; 3]), 1.0);
        assert!(r2(&y, &[-1.0, 0.0, 1.0]).abs() < 1e-15);
        assert_eq!(r2(&[2.0, 2.0], &[0.0, 1.0]), f64::NEG_INFINITY);
    }
}
