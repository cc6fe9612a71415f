//! Factors with an inner constant: 1 + c*T and u(c*T). The direction of the factor moves with c on a curve; c is looked
//! for on a grid, wide against the size of T, and refined by golden section where the curve passes close to the target.

use rayon::prelude::*;

use super::nodes::{Arena, Constant, Node, ONE, Parity, UNARY};
use super::view::{K, Point, View, length, product};
use crate::numeric::golden::golden;

/// Points of the grid to one factor of e.
const FINENESS: f64 = 5.0;
/// Range of |c| times the size of T.
const LOW: f64 = 0.02;
const HIGH: f64 = 60.0;
/// The same bound for targets after the first.
const FURTHER: f64 = 0.03;
/// Steps of the golden section.
const STEPS: usize = 44;

/// A factor with an inner constant.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// 1 + c*T
    Affine(u32),
    /// u(c*T)
    Apply(u8, u32),
}

impl Shape {
    /// With its constant.
    pub fn node(self, c: f64) -> Node {
        match self {
            Shape::Affine(t) => Node::Affine(ONE, Constant::Free(c), t),
            Shape::Apply(u, t) => Node::Apply(u, Constant::Free(c), t),
        }
    }

    fn block(self) -> u32 {
        match self {
            Shape::Affine(t) | Shape::Apply(_, t) => t,
        }
    }
}

/// A place on a curve that is close to a target.
#[derive(Clone, Copy, Debug)]
pub struct Close {
    /// The place of the target.
    pub target: usize,
    /// The factor.
    pub node: Node,
    /// Sine of the angle between both.
    pub distance: f64,
}

fn periodic(shape: Shape) -> bool {
    matches!(shape, Shape::Apply(u, _) if ["sin", "cos", "tan"].contains(&UNARY[u as usize].name))
}

/// Points of a finer grid.
const FINER: usize = 32;

/// The part of an interval around the least value on a finer grid.
fn finest(f: &impl Fn(f64) -> f64, from: f64, to: f64) -> (f64, f64) {
    let at = |k: usize| from + (to - from) * k as f64 / FINER as f64;
    let values: Vec<f64> = (0..=FINER).map(|k| f(at(k))).collect();
    let least = (0..=FINER).min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0);
    (at(least.saturating_sub(1)), at((least + 1).min(FINER)))
}

/// Sizes of c that are tried, before the sign.
fn grid(shape: Shape, arena: &Arena) -> Vec<f64> {
    let lane = &arena.blocks[shape.block() as usize].lane;
    let mut sizes: Vec<f64> = lane.iter().map(|x| x.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let (middle, largest) = (sizes[K / 2], sizes[K - 1]);
    if !(middle > 0.0 && largest.is_finite()) {
        return Vec::new();
    }
    let steps = ((HIGH / LOW).ln() * FINENESS) as i32;
    let mut all: Vec<f64> = (0..=steps).map(|k| LOW * (f64::from(k) / FINENESS).exp() / middle).collect();
    if periodic(shape) {
        // Periods across the data, evenly.
        let range = {
            let low = lane.iter().copied().fold(f64::INFINITY, f64::min);
            lane.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low
        };
        all.extend((2..100).map(|k| 0.4 * f64::from(k) / range));
        all.sort_by(f64::total_cmp);
    }
    all
}

/// The places of all curves that come closest to each target: within `tolerance` of it, or the nearest `spare` of each
/// target; with the row evaluations that it took. Minima whose squared sine is above `near` are not refined.
pub fn scan(
    view: &View,
    arena: &Arena,
    shapes: &[Shape],
    targets: &[(Point, f64)],
    near: f64,
    spare: usize,
) -> (Vec<Close>, u64) {
    let direction = |node: Node| -> Option<Point> {
        let point = view.point(&arena.logs(view, node))?;
        let size = length(&point);
        (size > 1e-9).then(|| point.map(|x| x / size))
    };
    let all: Vec<(Vec<Close>, u64)> = shapes
        .par_iter()
        .map(|&shape| {
            let mut close = Vec::new();
            let mut work = 0u64;
            let sizes = grid(shape, arena);
            let signs: &[f64] = match shape {
                Shape::Apply(u, _) if UNARY[u as usize].parity == Parity::Some => &[1.0],
                _ => &[1.0, -1.0],
            };
            for sign in signs {
                let curve: Vec<Option<Point>> =
                    sizes.iter().map(|c| direction(shape.node(sign * c))).collect();
                work += (K * sizes.len()) as u64;
                for (place, (target, tolerance)) in targets.iter().enumerate() {
                    // The target itself is worth more refinements than its peeled forms.
                    let near = if place == 0 { near } else { near.min(FURTHER) };
                    let away = |p: &Option<Point>| {
                        p.as_ref().map_or(f64::INFINITY, |p| 1.0 - product(p, target).powi(2))
                    };
                    let sines: Vec<f64> = curve.iter().map(away).collect();
                    for k in 0..sines.len() {
                        let lowest = sines[k] < if periodic(shape) { near.powf(0.3) } else { near }
                            && (k == 0 || sines[k] <= sines[k - 1])
                            && (k + 1 == sines.len() || sines[k] < sines[k + 1]);
                        if !lowest {
                            continue;
                        }
                        let from = sizes[k.saturating_sub(1)].ln();
                        let to = sizes[(k + 1).min(sizes.len() - 1)].ln();
                        let sine = |x: f64| match direction(shape.node(sign * x.exp())) {
                            // The difference keeps the digits that the product loses.
                            Some(p) => {
                                let s = product(&p, target).signum();
                                p.iter().zip(target).map(|(a, b)| (a - s * b).powi(2)).sum::<f64>()
                            }
                            None => f64::INFINITY,
                        };
                        // Where zeros move across rows the curve is rough between two points of the grid.
                        let (from, to) = if periodic(shape) { finest(&sine, from, to) } else { (from, to) };
                        // After 13 steps the bracket is 1/500: what is still far off stays so.
                        let far = 1e-3_f64.max(100.0 * tolerance * tolerance);
                        let least = golden(sine, from, to, STEPS, |step, least| step == 13 && least > far);
                        work +=
                            (least.evaluations + if periodic(shape) { FINER as u64 } else { 0 }) * K as u64;
                        let node = shape.node(sign * least.x.exp());
                        close.push(Close { target: place, node, distance: least.value.sqrt() });
                    }
                }
            }
            (close, work)
        })
        .collect();
    let work = all.iter().map(|(_, w)| w).sum();
    let mut all: Vec<Close> = all.into_iter().flat_map(|(c, _)| c).collect();
    all.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let mut left = vec![spare; targets.len()];
    all.retain(|c| {
        let within = c.distance <= targets[c.target].1;
        let kept = within || left[c.target] > 0;
        if !within && kept {
            left[c.target] -= 1;
        }
        kept
    });
    (all, work)
}
