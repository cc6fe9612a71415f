//! Starting values of the parameters that do not enter linearly. For each trial of these the others follow by
//! linear least squares, so that only the nonlinear ones are searched (variable projection, Golub & Pereyra
//! 1973): magnitudes of all decades one parameter at a time, then seeded draws of all together around 1 and
//! around the scales of the data.

use super::linear::linear_parts;
use crate::base::CancelToken;
use crate::base::random::{Rng, Streams};
use crate::expression::{Expr, Symbol};
use crate::numeric::{NumericError, Scratch, Tape, linear_least_squares, statistics};
use rand::RngExt;

/// Rows looked at while searching.
const ROWS: usize = 500;
/// Draws of all parameters together.
const DRAWS: usize = 400;
/// Starts returned.
const STARTS: usize = 8;

/// The search for starting values.
pub(super) struct Search {
    tape: Tape,
    columns: Vec<Vec<f64>>,
    linear: usize,
    scales: Vec<f64>,
}

/// What is known of a nonlinear parameter beforehand.
#[derive(Clone, Copy)]
pub(super) struct Prior {
    pub start: Option<f64>,
    pub bounds: (f64, f64),
}

impl Search {
    /// For `residual`, whose inputs are columns named `names`, `linear` and `nonlinear` parameters.
    pub fn new(
        residual: &Expr,
        names: &[Symbol],
        columns: &[Vec<f64>],
        linear: &[Symbol],
        nonlinear: &[Symbol],
    ) -> Result<Search, NumericError> {
        let zeros = || (residual.clone(), Vec::new());
        let (rest, coefficients) = linear_parts(residual, linear).unwrap_or_else(zeros);
        let outputs: Vec<Expr> = std::iter::once(rest).chain(coefficients).collect();
        let inputs: Vec<Symbol> = names.iter().chain(nonlinear).cloned().collect();
        let tape = Tape::compile(&outputs, &inputs)?;
        let rows = columns.first().map_or(1, Vec::len);
        let stride = rows.div_ceil(ROWS).max(1);
        let thin = |c: &Vec<f64>| c.iter().step_by(stride).copied().collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = columns.iter().map(thin).collect();
        let mut scales = vec![1.0];
        for column in &columns {
            let size = statistics::rms(column);
            if size > 0.0 && size.is_finite() && (size.recip()).is_finite() {
                scales.extend([size, size.recip()]);
            }
        }
        Ok(Search { tape, columns, linear: outputs.len() - 1, scales })
    }

    /// Sum of squares at these nonlinear parameters, and the linear ones that go with them.
    pub fn project(&self, q: &[f64], scratch: &mut Scratch) -> Option<(f64, Vec<f64>)> {
        let columns: Vec<&[f64]> =
            self.columns.iter().map(Vec::as_slice).chain(q.iter().map(std::slice::from_ref)).collect();
        let mut out = vec![Vec::new(); self.linear + 1];
        self.tape.eval_with(&columns, &mut out, scratch);
        let rest = out.remove(0);
        if self.linear == 0 {
            let sum = statistics::sum_of(rest.iter().map(|r| r * r));
            return sum.is_finite().then_some((sum, Vec::new()));
        }
        let target: Vec<f64> = rest.iter().map(|r| -r).collect();
        let lists: Vec<&[f64]> = out.iter().map(Vec::as_slice).collect();
        let solved = linear_least_squares(&lists, &target, None, true).ok()?;
        solved.chi2.is_finite().then_some((solved.chi2, solved.coefficients))
    }

    /// The most promising starting values, best first.
    pub fn starts(&self, priors: &[Prior], cancel: &CancelToken) -> Vec<Vec<f64>> {
        let mut scratch = Scratch::default();
        let mut pool: Vec<(f64, Vec<f64>)> = Vec::new();
        let mut trial = |q: &[f64], pool: &mut Vec<(f64, Vec<f64>)>| {
            let value = self.project(q, &mut scratch).map_or(f64::INFINITY, |(chi2, _)| chi2);
            if value.is_finite() {
                pool.push((value, q.to_vec()));
            }
            value
        };
        let inside = |x: f64, p: &Prior| x.max(p.bounds.0).min(p.bounds.1);
        let mut q: Vec<f64> = priors.iter().map(|p| p.start.unwrap_or_else(|| inside(1.0, p))).collect();
        let mut best = trial(&q, &mut pool);
        for _ in 0..2 {
            for (k, prior) in priors.iter().enumerate() {
                if prior.start.is_some() {
                    continue;
                }
                let mut here = q.clone();
                for candidate in self.candidates(prior) {
                    if cancel.stop().is_some() {
                        return ranked(pool);
                    }
                    here[k] = candidate;
                    let value = trial(&here, &mut pool);
                    if value < best {
                        best = value;
                        q[k] = candidate;
                    }
                }
            }
        }
        let mut rng = Streams::new(0).stream("fit/starts");
        for _ in 0..DRAWS {
            if cancel.stop().is_some() {
                break;
            }
            let drawn: Vec<f64> = priors.iter().map(|p| self.draw(p, &mut rng)).collect();
            trial(&drawn, &mut pool);
        }
        ranked(pool)
    }

    fn candidates(&self, prior: &Prior) -> Vec<f64> {
        let (low, high) = prior.bounds;
        if low.is_finite() && high.is_finite() {
            return (0..=32).map(|i| low + (high - low) * f64::from(i) / 32.0).collect();
        }
        let decades = (-30..=30).map(|k| 10f64.powi(k));
        let near = [0.2, 0.5, 1.5, 2.0, 3.0, 5.0];
        let sizes = decades.chain(near).chain(self.scales.iter().copied());
        sizes.flat_map(|s| [s, -s]).filter(|x| *x >= low && *x <= high).collect()
    }

    fn draw(&self, prior: &Prior, rng: &mut Rng) -> f64 {
        let (low, high) = prior.bounds;
        let u: f64 = rng.random();
        let scale = self.scales[rng.random_range(0..self.scales.len() as u64) as usize];
        let negative = rng.random_range(0..4u64) == 0;
        if let Some(start) = prior.start {
            // Around what was declared.
            let x = if start == 0.0 { 2.0 * u - 1.0 } else { start * 10f64.powf(2.0 * u - 1.0) };
            return x.max(low).min(high);
        }
        if low.is_finite() && high.is_finite() {
            return low + (high - low) * u;
        }
        let size = scale * 10f64.powf(4.0 * u - 2.0);
        (if negative { -size } else { size }).max(low).min(high)
    }
}

/// The best of the pool that differ from each other.
fn ranked(mut pool: Vec<(f64, Vec<f64>)>) -> Vec<Vec<f64>> {
    pool.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut chosen: Vec<Vec<f64>> = Vec::new();
    for (_, q) in pool {
        let near = |c: &Vec<f64>| c.iter().zip(&q).all(|(a, b)| (a - b).abs() <= 0.02 * a.abs().max(b.abs()));
        if !chosen.iter().any(near) {
            chosen.push(q);
        }
        if chosen.len() == STARTS {
            break;
        }
    }
    chosen
}
