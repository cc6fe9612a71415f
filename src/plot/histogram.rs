//! Histograms: bins of equal width with nice edges. Without a number of bins the width is that of Freedman & Diaconis
//! (1981), 2 IQR n^(-1/3), with Sturges' number of bins where the quartiles coincide.

use super::axis::HUGE;
use super::figure::Bars;

/// How many bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Bins {
    /// As many as the data ask for.
    Auto,
    /// This many.
    Count(usize),
    /// These edges, in rising order.
    Edges(Vec<f64>),
}

/// Counts values in bins; `density` makes the area 1. Values that are not finite or lie outside are not counted.
pub fn histogram(values: &[f64], bins: &Bins, range: Option<(f64, f64)>, density: bool) -> Bars {
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|v| v.abs() < HUGE && range.is_none_or(|(a, b)| *v >= a && *v <= b))
        .collect();
    sorted.sort_by(f64::total_cmp);
    let edges = match bins {
        Bins::Edges(edges) => edges.clone(),
        Bins::Count(n) => {
            let (low, high) = ends(&sorted, range);
            (0..=*n).map(|k| low + (high - low) * k as f64 / (*n).max(1) as f64).collect()
        }
        Bins::Auto => automatic(&sorted, range),
    };
    let mut counts = vec![0.0; edges.len().saturating_sub(1)];
    if counts.is_empty() {
        return Bars { edges, heights: counts };
    }
    for v in &sorted {
        // A value on an edge counts above it; on the last edge below. Edges that were made of the values hold them
        // all, whatever the rounding.
        let above = edges.partition_point(|e| e <= v);
        let last = above == edges.len() && edges.last() == Some(v);
        let k = match bins {
            Bins::Edges(_) => above - usize::from(last),
            _ => above.clamp(1, counts.len()),
        };
        if k > 0 && k <= counts.len() {
            counts[k - 1] += 1.0;
        }
    }
    if density {
        let total: f64 = counts.iter().sum();
        for (k, c) in counts.iter_mut().enumerate() {
            *c /= total.max(1.0) * (edges[k + 1] - edges[k]);
        }
    }
    Bars { edges, heights: counts }
}

fn ends(sorted: &[f64], range: Option<(f64, f64)>) -> (f64, f64) {
    let found = sorted.first().copied().zip(sorted.last().copied());
    let (low, high) = range.or(found).unwrap_or((0.0, 1.0));
    if high > low { (low, high) } else { (low - 0.5, low + 0.5) }
}

fn automatic(sorted: &[f64], range: Option<(f64, f64)>) -> Vec<f64> {
    let (low, high) = ends(sorted, range);
    let n = sorted.len().max(1) as f64;
    let at = |share: f64| sorted.get((share * (n - 1.0)).round() as usize).copied().unwrap_or(0.0);
    let rule = 2.0 * (at(0.75) - at(0.25)) / n.cbrt();
    let sturges = (high - low) / (n.log2() + 1.0).ceil();
    let raw = if rule > 0.0 { rule.max((high - low) / 200.0) } else { sturges };
    // The nearest nice width: edges then stand at readable numbers.
    let power = 10f64.powf(raw.log10().floor());
    let width = [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .min_by(|a, b| (a / raw).ln().abs().total_cmp(&(b / raw).ln().abs()))
        .unwrap_or(raw);
    let first = (low / width).floor();
    let count = ((high / width).floor() - first + 1.0).clamp(1.0, 1000.0) as usize;
    (0..=count).map(|k| (first + k as f64) * width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
        ))]

        #[test]
        fn every_value_is_counted_once(
            values in proptest::collection::vec(-1e3..1e3f64, 1..200), count in 1..40usize,
        ) {
            for bins in [Bins::Auto, Bins::Count(count)] {
                let h = histogram(&values, &bins, None, false);
                prop_assert_eq!(h.edges.len(), h.heights.len() + 1);
                prop_assert!(h.edges.windows(2).all(|w| w[0] < w[1]));
                prop_assert_eq!(h.heights.iter().sum::<f64>(), values.len() as f64);
                let d = histogram(&values, &bins, None, true);
                let area: f64 = d.heights.iter().zip(d.edges.windows(2)).map(|(h, e)| h * (e[1] - e[0])).sum();
                prop_assert!((area - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn one_value_and_values_without_number() {
        assert_eq!(histogram(&[3.0, 3.0], &Bins::Auto, None, false).heights.iter().sum::<f64>(), 2.0);
        let h = histogram(&[f64::NAN, f64::INFINITY, 1.0], &Bins::Count(2), None, false);
        assert_eq!(h.heights.iter().sum::<f64>(), 1.0);
    }
}
