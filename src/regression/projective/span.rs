//! Pairs and triples of factors, each to any real power: the direction of the target lies in the plane or the space of
//! theirs. All scalar products are made once; a pair costs a few operations.

use rayon::prelude::*;

use super::view::{Point, product};

/// Most combinations that go on to be checked.
const KEPT: usize = 12;
/// Factors this close to each other are one.
const PARALLEL: f64 = 1e-6;

/// The cheapest combinations of those that are offered in the order of their places; the first of equals.
struct Cheapest<const N: usize> {
    list: Vec<(f64, [u32; N])>,
}

impl<const N: usize> Cheapest<N> {
    fn new() -> Cheapest<N> {
        Cheapest { list: Vec::with_capacity(KEPT + 1) }
    }

    /// Rounded data may let nearly all pass: what is dearer than those that are kept costs one comparison.
    fn offer(&mut self, places: [usize; N], costs: &[f64]) {
        let cost = places.iter().map(|&k| costs[k]).sum::<f64>();
        if self.list.len() == KEPT && self.list.last().is_some_and(|(worst, _)| cost >= *worst) {
            return;
        }
        let at = self.list.partition_point(|(c, _)| *c <= cost);
        self.list.insert(at, (cost, places.map(|k| k as u32)));
        self.list.truncate(KEPT);
    }
}

/// The cheapest of several lists of such.
fn best<const N: usize>(mut all: Vec<(f64, [u32; N])>) -> Vec<[u32; N]> {
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.truncate(KEPT);
    all.into_iter().map(|(_, c)| c).collect()
}

/// Pairs of points whose plane holds the target within `tolerance`, the cheapest first.
pub fn pairs(points: &[Point], costs: &[f64], target: &Point, tolerance: f64) -> Vec<[u32; 2]> {
    let along: Vec<f64> = points.iter().map(|p| product(p, target)).collect();
    let limit = (tolerance * tolerance).max(1e-13);
    let found: Vec<(f64, [u32; 2])> = (0..points.len())
        .into_par_iter()
        .with_min_len(32)
        .flat_map_iter(|i| {
            let mut own = Cheapest::new();
            let (p, a) = (&points[i], along[i]);
            for j in i + 1..points.len() {
                let g = product(p, &points[j]);
                let b = along[j];
                let free = 1.0 - g * g;
                let left = 1.0 - (a * a + b * b - 2.0 * a * b * g) / free;
                if left < limit && free > PARALLEL {
                    own.offer([i, j], costs);
                }
            }
            own.list
        })
        .collect();
    best(found)
}

/// Triples of points whose space holds the target within `tolerance`, the cheapest first.
pub fn triples(points: &[Point], costs: &[f64], target: &Point, tolerance: f64) -> Vec<[u32; 3]> {
    let along: Vec<f64> = points.iter().map(|p| product(p, target)).collect();
    let limit = (tolerance * tolerance).max(1e-12);
    let found: Vec<(f64, [u32; 3])> = (0..points.len())
        .into_par_iter()
        .flat_map_iter(|i| {
            // Everything at right angles to the first point.
            let p = &points[i];
            let rest: Vec<(Point, f64, f64)> = points[i + 1..]
                .iter()
                .zip(&along[i + 1..])
                .map(|(q, b)| {
                    let g = product(p, q);
                    let own: Point = std::array::from_fn(|k| q[k] - g * p[k]);
                    (own, b - g * along[i], product(&own, &own))
                })
                .collect();
            let left = 1.0 - along[i] * along[i];
            let mut own = Cheapest::new();
            for (j, (q, b, n)) in rest.iter().enumerate() {
                if *n < PARALLEL {
                    continue;
                }
                let after = left - b * b / n;
                for (k, (r, c, m)) in rest.iter().enumerate().skip(j + 1) {
                    let g = product(q, r);
                    let free = m - g * g / n;
                    let c = c - g * b / n;
                    if free > PARALLEL && after - c * c / free < limit {
                        own.offer([i, i + 1 + j, i + 1 + k], costs);
                    }
                }
            }
            own.list
        })
        .collect();
    best(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_are_those_of_a_full_sort() {
        let costs: Vec<f64> = (0..40).map(|k| f64::from((k * 17) % 11) / 2.0).collect();
        let mut all = Vec::new();
        let mut lists = Vec::new();
        for i in 0..40 {
            let mut own = Cheapest::new();
            for j in i + 1..40 {
                own.offer([i, j], &costs);
                all.push((costs[i] + costs[j], [i as u32, j as u32]));
            }
            lists.extend(own.list);
        }
        assert_eq!(best(lists), best(all));
    }
}
