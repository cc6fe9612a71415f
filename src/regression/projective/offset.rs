//! Outer sums with an unknown constant: y^p/m - c is a product of powers times at most one factor. The constant is
//! scanned beyond both ends of the values of y^p/m and refined by golden section.

use rayon::prelude::*;

use super::library::Library;
use super::nodes::{Constant, Node};
use super::peel::Peel;
use super::view::{K, Lane, Point, View, length, log, product};
use crate::numeric::golden::golden;

/// A place where the difference is near a direction.
#[derive(Clone, Debug)]
pub struct Near {
    /// The step backwards with its constant.
    pub peel: Peel,
    /// The factor, if any.
    pub factor: Option<Node>,
    /// Distance of both directions; of a product of powers, its share of the whole.
    pub distance: f64,
}

/// Steps of a refinement.
const STEPS: usize = 48;

/// Constants to try, beyond the ends of the values.
fn grid(ratios: &Lane) -> Vec<f64> {
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    if !(range > 0.0 && range.is_finite()) {
        return Vec::new();
    }
    let steps = (0..40).map(|k| range * 2e-3 * 1.3f64.powi(k));
    let mut all: Vec<f64> = steps.clone().map(|s| low - s).collect();
    all.reverse();
    all.extend(steps.map(|s| high + s));
    all
}

/// Looks for constants c and factors such that y^p/m - c is a product of powers, or one times a factor.
pub fn scan(
    view: &View,
    library: &Library,
    y: &Lane,
    peels: &[(i8, Vec<i8>)],
    few: usize,
) -> (Vec<Near>, u64) {
    let few = few.min(library.points.len());
    let all: Vec<Vec<Near>> = peels
        .par_iter()
        .map(|(power, monomial)| {
            let m = view.monomial(monomial);
            let ratios: Lane = std::array::from_fn(|k| y[k].powi(i32::from(power / 2)) / m[k]);
            let at = |c: f64| -> Option<(Point, f64, f64)> {
                let rest: Lane = std::array::from_fn(|k| ratios[k] - c);
                let logs = log(view.level, &rest);
                let point = view.point(&logs)?;
                let size = length(&point);
                // How much there is to explain: the spread of the logarithms.
                let mean = logs.iter().sum::<f64>() / K as f64;
                let spread = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>().sqrt();
                Some((point.map(|x| x / size), size, spread))
            };
            let constants = grid(&ratios);
            let mut found = Vec::new();
            // Products of powers, and the best factor at each constant.
            let curve: Vec<Option<(f64, f64, usize)>> = constants
                .iter()
                .map(|&c| {
                    let (point, size, spread) = at(c)?;
                    let (mut best, mut place) = (0.0, 0);
                    for (k, p) in library.points[..few].iter().enumerate() {
                        let cosine = product(p, &point).powi(2);
                        if cosine > best {
                            (best, place) = (cosine, k);
                        }
                    }
                    Some((size / spread, 1.0 - best, place))
                })
                .collect();
            let value = |k: usize, which: usize| match curve.get(k) {
                Some(Some((a, b, _))) => {
                    if which == 0 {
                        *a
                    } else {
                        *b
                    }
                }
                _ => f64::INFINITY,
            };
            for which in 0..2 {
                for k in 0..curve.len() {
                    let here = value(k, which);
                    let lowest = here < if which == 0 { 0.2 } else { 0.1 }
                        && (k == 0 || here <= value(k - 1, which))
                        && here <= value(k + 1, which);
                    if !lowest {
                        continue;
                    }
                    let factor = curve[k].map_or(0, |c| c.2);
                    let f = |c: f64| match at(c) {
                        Some((_, size, spread)) if which == 0 => size / spread,
                        Some((point, ..)) => {
                            let other = &library.points[factor];
                            let sign = product(&point, other).signum();
                            point.iter().zip(other).map(|(a, b)| (a - sign * b).powi(2)).sum::<f64>().sqrt()
                        }
                        None => f64::INFINITY,
                    };
                    let from = constants[k.saturating_sub(1)];
                    let to = constants[(k + 1).min(constants.len() - 1)];
                    let least = golden(f, from, to, STEPS, |_, _| false);
                    found.push(Near {
                        peel: Peel::Offset {
                            power: *power,
                            product: monomial.clone(),
                            factor: None,
                            offset: Constant::Free(least.x),
                        },
                        factor: (which == 1).then(|| library.factors[factor].node),
                        distance: least.value,
                    });
                }
            }
            found
        })
        .collect();
    let work = (peels.len() * 80 * (K + few / 4)) as u64;
    let mut all: Vec<Near> = all.into_iter().flatten().collect();
    all.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    (all, work)
}
