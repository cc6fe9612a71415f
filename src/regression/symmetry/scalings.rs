//! Scalings that a set of data obeys: x_i -> x_i*s^v_i takes y to y*s^w. They are read from the data alone: along a smooth
//! surface through ln x they make v.grad ln y = w (or v.grad y = w*y) on every row, so that (v, w) lies in the null space
//! of the gradients. Its vectors are written in echelon form and rounded to simple rationals; a set of scalings is
//! believed when a surface in the products of powers that it leaves unchanged fits rows unseen as well as one in all
//! coordinates. That surface has fewer coordinates, hence a higher degree, and may show more scalings.
//!
//! A scaling is to the search what a base unit is: Buckingham's theorem (Phys. Rev. 4, 345 (1914)) without the units.
//! Null spaces of gradients are the active subspaces of P. Constantine (Active Subspaces, SIAM 2015, ch. 1).

use nalgebra::{DMatrix, SymmetricEigen};
use rand::seq::SliceRandom;

use super::surface::Surface;
use crate::base::Number;
use crate::base::random::Streams;
use crate::numeric::linear_least_squares;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Rows that surfaces are fitted to.
const ROWS: usize = 1000;
/// Most scalings: base dimensions that a dimension has.
const MOST: usize = 7;
/// How exponents are rounded: the largest denominator, and the distance that rounding bridges, divided by the denominator.
/// A coarse surface tells integers only; the surface of what they leave unchanged shows whether they were right.
const ROUNDINGS: [(i64, f64); 3] = [(4, 0.1), (2, 0.25), (1, 0.45)];
/// Largest exponent.
const LARGEST: f64 = 8.0;
/// A surface in fewer coordinates may have an error this much larger.
const ALLOWED: f64 = 1.2;
/// Error of a surface from which on it tells nothing.
const USELESS: f64 = 0.5;
/// Error below which surfaces are equally good.
const GOOD: f64 = 1e-7;

/// What is known of the scalings.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalings {
    /// How each feature scales: one exponent a scaling, as dimensions.
    pub features: Vec<Dimension>,
    /// How the target does.
    pub target: Dimension,
    /// Number of scalings.
    pub rank: usize,
}

/// A coordinate of the surface.
#[derive(Clone)]
struct Coordinate {
    feature: usize,
    /// Whether it is a logarithm, which scalings may move.
    log: bool,
    values: Vec<f64>,
}

/// Coordinates and target, some scalings taken out.
struct State {
    coordinates: Vec<Coordinate>,
    target: Vec<f64>,
    /// Whether the target is a logarithm.
    log: bool,
}

/// A scaling in the coordinates of a state: exponents of its coordinates, and of the target.
#[derive(Debug)]
struct Generator {
    pivot: usize,
    exponents: Vec<Number>,
    target: Number,
}

/// The simplest rational near a number.
fn rational(x: f64, (largest, near): (i64, f64)) -> Option<Number> {
    (1..=largest).find_map(|q| {
        let p = (x * q as f64).round();
        ((x - p / q as f64).abs() <= near / q as f64 && p.abs() <= LARGEST * q as f64)
            .then(|| Number::ratio(p as i64, q))?
    })
}

/// The first `count` vectors as scalings in echelon form; `None` where they are not close to rationals.
fn generators(vectors: &DMatrix<f64>, count: usize, rounding: (i64, f64)) -> Option<Vec<Generator>> {
    let width = vectors.nrows();
    let mut rows: Vec<Vec<f64>> = (0..count).map(|k| vectors.column(k).iter().copied().collect()).collect();
    let mut pivots: Vec<usize> = Vec::new();
    for k in 0..count {
        let places = (k..count).flat_map(|r| (0..width - 1).map(move |c| (r, c)));
        let (row, column) = places
            .filter(|(_, c)| !pivots.contains(c))
            .max_by(|a, b| rows[a.0][a.1].abs().total_cmp(&rows[b.0][b.1].abs()).then(b.cmp(a)))?;
        rows.swap(k, row);
        let lead = rows[k][column];
        if lead.abs() < 1e-3 {
            return None;
        }
        rows[k].iter_mut().for_each(|x| *x /= lead);
        let own = rows[k].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(r, _)| *r != k) {
            let factor = row[column];
            row.iter_mut().zip(&own).for_each(|(x, o)| *x -= factor * o);
        }
        pivots.push(column);
    }
    let one = |(row, pivot): (&Vec<f64>, usize)| -> Option<Generator> {
        let mut exponents: Vec<Number> = row.iter().map(|x| rational(*x, rounding)).collect::<Option<_>>()?;
        let target = exponents.pop()?;
        Some(Generator { pivot, exponents, target })
    };
    rows.iter().zip(pivots).map(one).collect()
}

impl State {
    fn surface(&self, work: &mut u64) -> Option<Surface> {
        let all: Vec<&[f64]> = self.coordinates.iter().map(|c| c.values.as_slice()).collect();
        Surface::through(&all, &self.target, work)
    }

    /// Vectors (v, w), those first along which the target changes least beside a scaling.
    fn directions(&self, surface: &Surface, movable: &[usize]) -> DMatrix<f64> {
        let rows = self.target.len();
        let width = movable.len() + 1;
        let last = |r: usize| if self.log { -1.0 } else { -surface.values[r] };
        let entry = |r: usize, k: usize| match movable.get(k) {
            Some(&c) => surface.slopes[c][r],
            None => last(r),
        };
        // Every row counts alike.
        let size = |r: usize| (0..width).map(|k| entry(r, k).powi(2)).sum::<f64>().sqrt().max(1e-300);
        let matrix = DMatrix::from_fn(rows, width, |r, k| entry(r, k) / size(r));
        let eigen = SymmetricEigen::new(matrix.tr_mul(&matrix));
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]));
        DMatrix::from_fn(width, width, |r, k| eigen.eigenvectors[(r, order[k])])
    }

    /// Coordinates and target that these scalings leave unchanged.
    fn without(&self, generators: &[Generator], movable: &[usize]) -> State {
        let rows = self.target.len();
        let pivots: Vec<&Vec<f64>> =
            generators.iter().map(|g| &self.coordinates[movable[g.pivot]].values).collect();
        let shift = |row: usize, of: &dyn Fn(&Generator) -> f64| -> f64 {
            generators.iter().zip(&pivots).map(|(g, p)| of(g) * p[row]).sum()
        };
        let mut coordinates = Vec::new();
        for (place, c) in self.coordinates.iter().enumerate() {
            let own = movable.iter().position(|m| *m == place);
            if own.is_some_and(|k| generators.iter().any(|g| g.pivot == k)) {
                continue;
            }
            let values = match own {
                Some(k) => {
                    let of = |g: &Generator| g.exponents[k].to_f64();
                    (0..rows).map(|r| c.values[r] - shift(r, &of)).collect()
                }
                None => c.values.clone(),
            };
            coordinates.push(Coordinate { values, ..*c });
        }
        let of = |g: &Generator| g.target.to_f64();
        let target = (0..rows)
            .map(|r| {
                if self.log {
                    self.target[r] - shift(r, &of)
                } else {
                    self.target[r] * (-shift(r, &of)).exp()
                }
            })
            .collect();
        State { coordinates, target, log: self.log }
    }
}

/// The power law nearest to |y|, exponents rounded to halves, those of features that are not positive zero.
fn near(columns: &[(bool, Vec<f64>)], y: &[f64]) -> Option<Vec<Number>> {
    let rows: Vec<usize> = (0..y.len()).filter(|&r| y[r] != 0.0).collect();
    let take = |c: &[f64]| -> Vec<f64> { rows.iter().map(|&r| c[r]).collect() };
    let goal: Vec<f64> = rows.iter().map(|&r| y[r].abs().ln()).collect();
    let mut lists = vec![vec![1.0; rows.len()]];
    lists.extend(columns.iter().filter(|c| c.0).map(|c| take(&c.1)));
    let lists: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
    let solved = linear_least_squares(&lists, &goal, None, false).ok()?.coefficients;
    let mut next = solved[1..].iter();
    let half = |x: &f64| Number::ratio((2.0 * x.clamp(-LARGEST, LARGEST)).round() as i64, 2);
    columns.iter().map(|c| if c.0 { half(next.next()?) } else { Some(Number::ZERO) }).collect()
}

/// The scalings of a set of data; `None` where there is none that can be read from it.
pub fn scalings(problem: &Problem, seed: u64, work: &mut u64) -> Option<Scalings> {
    let mut rows: Vec<usize> = (0..problem.rows()).collect();
    rows.shuffle(&mut Streams::new(seed).stream("regress/symmetry/rows"));
    rows.truncate(ROWS);
    let useful = problem.useful();
    let columns: Vec<(bool, Vec<f64>)> = useful
        .iter()
        .map(|&k| {
            let own: Vec<f64> = rows.iter().map(|&r| problem.columns[k][r]).collect();
            match own.iter().all(|x| *x > 0.0) {
                true => (true, own.iter().map(|x| x.ln()).collect()),
                false => (false, own),
            }
        })
        .collect();
    let y: Vec<f64> = rows.iter().map(|&r| problem.target[r]).collect();
    let strip = near(&columns, &y)?;
    let stripped: Vec<f64> = (0..rows.len())
        .map(|r| {
            let power: f64 =
                columns.iter().zip(&strip).map(|(c, p)| if c.0 { p.to_f64() * c.1[r] } else { 0.0 }).sum();
            y[r] * (-power).exp()
        })
        .collect();
    let coordinates: Vec<Coordinate> = useful
        .iter()
        .zip(&columns)
        .map(|(&feature, (log, values))| Coordinate { feature, log: *log, values: values.clone() })
        .collect();
    // The target as it is, or its logarithm: what is smoother.
    let mut best: Option<(State, Surface)> = None;
    for log in [false, true] {
        let one_sign = y.iter().all(|y| *y > 0.0) || y.iter().all(|y| *y < 0.0);
        if log && !one_sign {
            continue;
        }
        let target = stripped.iter().map(|z| if log { z.abs().ln() } else { *z }).collect();
        let state = State { coordinates: coordinates.clone(), target, log };
        let Some(surface) = state.surface(work) else { continue };
        if best.as_ref().is_none_or(|b| surface.error < b.1.error) {
            best = Some((state, surface));
        }
    }
    let (mut state, mut surface) = best?;
    let mut features: Vec<Vec<Number>> = vec![Vec::new(); problem.columns.len()];
    let mut goal: Vec<Number> = Vec::new();
    while surface.error < USELESS && goal.len() < MOST && state.coordinates.len() > 1 {
        let movable: Vec<usize> =
            (0..state.coordinates.len()).filter(|&k| state.coordinates[k].log).collect();
        let directions = state.directions(&surface, &movable);
        let most = movable.len().min(state.coordinates.len() - 1).min(MOST - goal.len());
        let ways = (1..=most).rev().flat_map(|count| ROUNDINGS.map(|r| (count, r)));
        let taken = ways.into_iter().find_map(|(count, rounding)| {
            let found = generators(&directions, count, rounding)?;
            let next = state.without(&found, &movable);
            let fitted = next.surface(work)?;
            (fitted.error <= (ALLOWED * surface.error).max(GOOD)).then_some((found, next, fitted))
        });
        let Some((found, next, fitted)) = taken else { break };
        for (place, &c) in movable.iter().enumerate() {
            let own = &mut features[state.coordinates[c].feature];
            own.extend(found.iter().map(|g| g.exponents[place].clone()));
        }
        for c in state.coordinates.iter().filter(|c| !c.log) {
            features[c.feature].extend(found.iter().map(|_| Number::ZERO));
        }
        // Pivots of before are products that no scaling of now moves.
        let width = goal.len() + found.len();
        features.iter_mut().for_each(|f| f.resize(width, Number::ZERO));
        goal.extend(found.iter().map(|g| g.target.clone()));
        (state, surface) = (next, fitted);
    }
    let rank = goal.len();
    if rank == 0 {
        return None;
    }
    let dimension = |exponents: &[Number]| -> Option<Dimension> {
        let mut all = [(0i16, 1i16); 7];
        for (slot, x) in all.iter_mut().zip(exponents) {
            let (p, q) = x.to_ratio()?;
            *slot = (i16::try_from(p).ok()?, i16::try_from(q).ok()?);
        }
        Dimension::from_exponents(all)
    };
    let features: Vec<Dimension> = features.iter().map(|f| dimension(f)).collect::<Option<_>>()?;
    let stripped =
        useful.iter().zip(&strip).try_fold(Dimension::NONE, |d, (&k, p)| d.mul(features[k].pow(p)?));
    Some(Scalings { target: stripped?.mul(dimension(&goal)?)?, features, rank })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::tests::{NONE, sample};

    const PLANCK: [(&str, [i16; 7], f64, f64); 4] =
        [("f", NONE, 1.0, 2.5), ("h", NONE, 0.5, 1.5), ("T", NONE, 1.0, 2.0), ("A", NONE, 1.0, 2.0)];

    fn planck(x: &[f64]) -> f64 {
        x[3] * x[0].powi(3) / ((x[1] * x[0] / x[2]).exp() - 1.0)
    }

    /// The exponents of one scaling.
    fn column(of: &Scalings, k: usize) -> (Vec<f64>, f64) {
        let exponent = |d: &Dimension| {
            let (p, q) = d.exponents()[k];
            f64::from(p) / f64::from(q)
        };
        (of.features.iter().map(exponent).collect(), exponent(&of.target))
    }

    #[test]
    fn scalings_of_a_law_hold_on_the_law_itself() {
        for noise in [0.0, 1e-3, 1e-2] {
            let problem = sample(&PLANCK, NONE, planck, 600, noise, 3);
            let found = scalings(&problem, 1, &mut 0).unwrap();
            assert_eq!(found.rank, 3, "{noise} {found:?}");
            for k in 0..found.rank {
                let (v, w) = column(&found, k);
                assert!(v.iter().any(|v| *v != 0.0), "{found:?}");
                let before = [2.0, 0.7, 1.3, 1.9];
                let after: Vec<f64> = before.iter().zip(&v).map(|(x, v)| x * 1.4f64.powf(*v)).collect();
                let ratio = planck(&after) / planck(&before);
                assert!((ratio / 1.4f64.powf(w) - 1.0).abs() < 1e-12, "{noise} {k} {found:?}");
            }
        }
    }

    #[test]
    fn a_law_without_scalings_shows_none() {
        let features = [("x", NONE, 0.5, 2.0), ("z", NONE, 1.0, 3.0)];
        let problem = sample(&features, NONE, |x| x[0].exp() + x[1].sin() + x[0] * x[1], 600, 0.0, 3);
        assert_eq!(scalings(&problem, 1, &mut 0), None);
    }

    #[test]
    fn halves_and_quarters_are_read() {
        let features = [("x", NONE, 1.0, 3.0), ("z", NONE, 2.0, 5.0), ("t", NONE, 0.5, 2.0)];
        let law = |x: &[f64]| x[0].powf(0.25) / (1.0 + x[0].sqrt() / x[1] * x[2]);
        let problem = sample(&features, NONE, law, 1000, 0.0, 5);
        let found = scalings(&problem, 1, &mut 0).unwrap();
        assert_eq!(found.rank, 2, "{found:?}");
        for k in 0..2 {
            let (v, w) = column(&found, k);
            assert!((0.5 * v[0] - v[1] + v[2]).abs() < 1e-12, "{found:?}");
            assert!((0.25 * v[0] - w).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn data_that_say_nothing_give_nothing_and_do_no_harm() {
        let features = [("x", NONE, -1.0, 1.0), ("z", NONE, 1.0, 2.0)];
        for rows in [2, 5, 12, 40] {
            let problem = sample(&features, NONE, |x| x[0] * x[1], rows, 0.0, 1);
            scalings(&problem, 1, &mut 0);
            let alternating = |x: &[f64]| if (x[1] * 1e4) as i64 % 2 == 0 { 1.0 } else { -1.0 };
            let noise = sample(&features, NONE, alternating, rows, 0.0, 1);
            assert_eq!(scalings(&noise, 1, &mut 0), None);
        }
    }
}
