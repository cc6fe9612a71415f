//! A view of the data: the features, with sums, differences and products added as further variables, on a few probe
//! rows. Logarithms of the values are projected onto W directions at right angles to 1 and to the logarithms of all
//! variables: the coordinates of a factor forget its constant and every product of powers that stands before it.

use std::sync::Arc;

use rand::seq::SliceRandom;

use super::lattice::Lattice;

use crate::base::random::Streams;
use crate::expression::Expr;
use crate::numeric::normal::standard_normal;
use crate::numeric::vector::{Elementary, Level};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Probe rows.
pub const K: usize = 64;
/// Directions.
pub const W: usize = 12;
/// Fewest directions that tell factors apart.
const FEWEST: usize = 4;

/// Values on the probe rows.
pub type Lane = [f64; K];
/// Coordinates in the directions.
pub type Point = [f64; W];

/// A variable of a view.
#[derive(Clone, Debug)]
pub struct Variable {
    /// What it is in the features.
    pub expr: Expr,
    /// Its dimension.
    pub dimension: Dimension,
    /// Its values on all rows.
    pub values: Vec<f64>,
}

/// The variables with the probe rows and the directions.
#[derive(Clone, Debug)]
pub struct View {
    /// Features first.
    pub variables: Vec<Variable>,
    /// Their dimensions.
    pub dimensions: Vec<Dimension>,
    /// The dimensions that products of powers must cancel: those of the variables, or none where constants may carry units.
    pub lattice: Vec<Dimension>,
    /// How many variables at the end were added to the features.
    pub added: usize,
    /// Products of powers by their dimension.
    pub products: Arc<Lattice>,
    /// The probe rows; places beyond the data repeat them.
    pub rows: Vec<usize>,
    /// The variables on the probe rows.
    pub lanes: Vec<Lane>,
    /// Vector instructions.
    pub level: Level,
    directions: Vec<Lane>,
}

/// ln |x|.
pub fn log(level: Level, x: &Lane) -> Lane {
    let mut sizes = [0.0; K];
    sizes.iter_mut().zip(x).for_each(|(s, x)| *s = x.abs());
    let mut out = [0.0; K];
    Elementary::Log.apply(level, &sizes, &mut out);
    out
}

fn dot(a: &Lane, b: &Lane) -> f64 {
    // Separate sums, which the compiler keeps in one vector register each.
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

impl View {
    /// A view of these variables; `None` where the data have too few rows for it.
    pub fn new(problem: &Problem, variables: Vec<Variable>, added: usize, seed: u64) -> Option<View> {
        let usable = |i: usize| {
            problem.target[i] != 0.0
                && variables.iter().all(|v| v.values[i] != 0.0 && v.values[i].is_finite())
        };
        let mut places: Vec<usize> = (0..problem.rows()).filter(|&i| usable(i)).collect();
        if places.len() < variables.len() + 1 + FEWEST || places.len() * 2 < problem.rows() {
            return None;
        }
        let mut rng = Streams::new(seed).stream("regress/projective/rows");
        places.shuffle(&mut rng);
        let different = places.len().min(K);
        let rows: Vec<usize> = (0..K).map(|k| places[k % different]).collect();
        let lanes: Vec<Lane> = variables.iter().map(|v| std::array::from_fn(|k| v.values[rows[k]])).collect();
        let level = Level::detect();
        let logs: Vec<Lane> = lanes.iter().map(|l| log(level, l)).collect();
        // Gram-Schmidt, twice for accuracy; what depends on the ones before is dropped.
        let mut basis: Vec<Lane> = Vec::new();
        let clear = |mut lane: Lane| -> Lane {
            lane[different..].fill(0.0);
            lane
        };
        let push = |basis: &mut Vec<Lane>, lane: Lane| -> bool {
            let mut rest = clear(lane);
            let size = dot(&rest, &rest).sqrt();
            for _ in 0..2 {
                for b in basis.iter() {
                    let c = dot(&rest, b);
                    rest.iter_mut().zip(b).for_each(|(r, b)| *r -= c * b);
                }
            }
            let left = dot(&rest, &rest).sqrt();
            let new = left > 1e-9 * size && left > 0.0;
            if new {
                rest.iter_mut().for_each(|r| *r /= left);
                basis.push(rest);
            }
            new
        };
        push(&mut basis, [1.0; K]);
        logs.iter().for_each(|l| {
            push(&mut basis, *l);
        });
        let taken = basis.len();
        let width = W.min(different.saturating_sub(taken));
        if width < FEWEST {
            return None;
        }
        let mut rng = Streams::new(seed).stream("regress/projective/directions");
        while basis.len() < taken + width {
            let lane: Lane = std::array::from_fn(|_| standard_normal(&mut rng));
            push(&mut basis, lane);
        }
        let dimensions: Vec<Dimension> = variables.iter().map(|v| v.dimension).collect();
        let products = Arc::new(lattice_of(&dimensions, added));
        Some(View {
            added,
            products,
            lattice: variables.iter().map(|v| v.dimension).collect(),
            dimensions: variables.iter().map(|v| v.dimension).collect(),
            directions: basis.split_off(taken),
            variables,
            rows,
            lanes,
            level,
        })
    }

    /// The same view without the rule of dimensions for products of powers.
    pub fn free(&self) -> View {
        let lattice = vec![Dimension::NONE; self.variables.len()];
        let products = Arc::new(lattice_of(&lattice, 0));
        View { lattice, products, ..self.clone() }
    }

    /// Number of directions in use.
    pub fn width(&self) -> usize {
        self.directions.len()
    }

    /// The coordinates of a lane; `None` where it is not finite.
    pub fn point(&self, lane: &Lane) -> Option<Point> {
        let mut out = [0.0; W];
        for (o, d) in out.iter_mut().zip(&self.directions) {
            *o = dot(lane, d);
        }
        out.iter().all(|x| x.is_finite()).then_some(out)
    }

    /// The values of a product of powers, exponents in halves.
    pub fn monomial(&self, halves: &[i8]) -> Lane {
        let mut out = [1.0; K];
        for (lane, &h) in self.lanes.iter().zip(halves).filter(|(_, h)| **h != 0) {
            power(&mut out, lane, h);
        }
        out
    }

    /// The same on other rows.
    pub fn monomial_on(&self, halves: &[i8], rows: &[usize]) -> Vec<f64> {
        let mut out = vec![1.0; rows.len()];
        for (v, &h) in self.variables.iter().zip(halves).filter(|(_, h)| **h != 0) {
            for (o, &i) in out.iter_mut().zip(rows) {
                *o *= halves_power(v.values[i], h);
            }
        }
        out
    }
}

/// Largest sum of absolute exponents.
const LONGEST: usize = 10;

fn lattice_of(dimensions: &[Dimension], added: usize) -> Lattice {
    // Where dimensions forbid nothing, short ones are many already; views with added variables are many themselves.
    let forbids = dimensions.iter().any(|d| !d.is_none());
    let most = if added > 0 {
        1e4
    } else if forbids {
        6e5
    } else {
        2e4
    };
    Lattice::new(dimensions, LONGEST, most)
}

fn halves_power(x: f64, halves: i8) -> f64 {
    if halves % 2 == 0 { x.powi(i32::from(halves / 2)) } else { x.sqrt().powi(i32::from(halves)) }
}

fn power(out: &mut Lane, lane: &Lane, halves: i8) {
    match halves {
        2 => out.iter_mut().zip(lane).for_each(|(o, x)| *o *= x),
        -2 => out.iter_mut().zip(lane).for_each(|(o, x)| *o /= x),
        h => out.iter_mut().zip(lane).for_each(|(o, x)| *o *= halves_power(*x, h)),
    }
}

/// The scalar product of two points.
#[inline(always)]
pub fn product(a: &Point, b: &Point) -> f64 {
    let mut sums = [0.0; 4];
    for i in 0..3 {
        for j in 0..4 {
            sums[j] += a[4 * i + j] * b[4 * i + j];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// The length of a point.
pub fn length(a: &Point) -> f64 {
    product(a, a).sqrt()
}
