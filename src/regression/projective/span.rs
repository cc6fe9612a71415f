//! Pairs and triples of factors, each to any real power: the direction of the target lies in the plane or the space of
//! theirs. All scalar products are made once; a pair costs a few operations.

use rayon::prelude::*;

use super::view::{Point, product};

/// Most combinations that go on to be checked.
const KEPT: usize = 12;
/// Factors this close to each other are one.
const PARALLEL: f64 = 1e-6;

/// A combination with the squared share of the target that it leaves.
type Scored<const N: usize> = (f64, [u32; N]);

fn best<const N: usize>(mut all: Vec<Scored<N>>, costs: &[f64], kept: usize) -> Vec<[u32; N]> {
    let cost = |c: &[u32; N]| c.iter().map(|&k| costs[k as usize]).sum::<f64>();
    all.sort_by(|a, b| cost(&a.1).total_cmp(&cost(&b.1)).then(a.1.cmp(&b.1)));
    all.truncate(kept);
    all.into_iter().map(|(_, c)| c).collect()
}

/// Pairs of points whose plane holds the target within `tolerance`, the cheapest first.
pub fn pairs(points: &[Point], costs: &[f64], target: &Point, tolerance: f64) -> Vec<[u32; 2]> {
    let along: Vec<f64> = points.iter().map(|p| product(p, target)).collect();
    let limit = (tolerance * tolerance).max(1e-13);
    let found: Vec<Scored<2>> = (0..points.len())
        .into_par_iter()
        .with_min_len(32)
        .flat_map_iter(|i| {
            let mut own = Vec::new();
            let (p, a) = (&points[i], along[i]);
            for j in i + 1..points.len() {
                let g = product(p, &points[j]);
                let b = along[j];
                let free = 1.0 - g * g;
                let left = 1.0 - (a * a + b * b - 2.0 * a * b * g) / free;
                if left < limit && free > PARALLEL {
                    own.push((left, [i as u32, j as u32]));
                }
            }
            own
        })
        .collect();
    best(found, costs, KEPT)
}

/// Triples of points whose space holds the target within `tolerance`, the cheapest first.
pub fn triples(points: &[Point], costs: &[f64], target: &Point, tolerance: f64) -> Vec<[u32; 3]> {
    let along: Vec<f64> = points.iter().map(|p| product(p, target)).collect();
    let limit = (tolerance * tolerance).max(1e-12);
    let found: Vec<Scored<3>> = (0..points.len())
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
            let mut own = Vec::new();
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
                        own.push((after, [i as u32, (i + 1 + j) as u32, (i + 1 + k) as u32]));
                    }
                }
            }
            own
        })
        .collect();
    best(found, costs, KEPT)
}
