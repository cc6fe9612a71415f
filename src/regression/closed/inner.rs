//! Laws with one constant inside a function of one feature: waves A*sin(k*x + phi) + C, exponentials A*exp(k*x) + C and powers
//! A*x^p + C. The inner constant is scanned, since the loss has many minima in it; the others follow by linear least
//! squares at every point of the scan (variable projection; G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)).

use std::f64::consts::PI;

use nalgebra::{DMatrix, DVector};
use serde_json::Value as Json;

use crate::base::CancelToken;
use crate::expression::{Expr, Function};
use crate::regression::candidate::{Model, Parameter};
use crate::regression::engine::{Batch, Engine, Search, Step};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Chance that a law of a textbook is one of one feature with an inner constant.
const CHANCE: f64 = 0.05;
/// Rows that the scan looks at.
const ROWS: usize = 200;
/// Most periods of a wave within the data.
const PERIODS: usize = 50;
/// Points of the scan to one half period across the data.
const FINENESS: usize = 8;
/// Minima of a scan that are refined.
const MINIMA: usize = 2;

/// The engine: one batch a feature.
#[derive(Default)]
pub struct Inner {
    next: usize,
}

impl Engine for Inner {
    fn name(&self) -> &'static str {
        "inner constant"
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        let features = search.problem.useful().len();
        let points = (FINENESS * 2 * PERIODS + 3 * 48) as u64;
        (self.next < features).then(|| Step {
            work: 3 * points * search.problem.rows().min(ROWS) as u64
                + 6 * 200 * search.problem.rows() as u64,
            chance: CHANCE / features as f64,
        })
    }

    fn save(&self) -> Json {
        Json::from(self.next)
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.next = usize::try_from(state.as_u64()?).ok()?;
        Some(())
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Search { problem, plan, cancel } = *search;
        let Some(&feature) = problem.useful().get(self.next) else { return Batch::default() };
        self.next += 1;
        let scan = Scan::new(problem, feature);
        let mut models = Vec::new();
        let mut work = 0;
        if plan.allows("sin") && plan.allows("*") {
            let points = FINENESS * (2 * PERIODS).min(problem.rows());
            let grid: Vec<f64> = (2..points).map(|k| k as f64 * PI / FINENESS as f64).collect();
            let basis = |u: f64, k: f64| vec![(k * u).sin(), (k * u).cos()];
            for (k, c) in scan.minima(&grid, basis, cancel, &mut work) {
                models.extend(scan.waves(k, &c));
            }
        }
        if plan.allows("exp") {
            for sign in [-1.0, 1.0] {
                let grid: Vec<f64> = (0..48).map(|k| sign * 0.1 * 1.15f64.powi(k)).collect();
                let basis = |u: f64, k: f64| vec![(k * if k > 0.0 { u - 1.0 } else { u }).exp()];
                for (k, c) in scan.minima(&grid, basis, cancel, &mut work).into_iter().take(1) {
                    models.extend(scan.exponential(k, &c));
                }
            }
        }
        let positive = problem.columns[feature].iter().all(|x| *x > 0.0);
        if plan.allows("^") && positive && problem.dimension(feature).is_none() {
            let largest = scan.low + scan.range;
            let grid: Vec<f64> = (-20..=20).filter(|k| *k != 0).map(|k| f64::from(k) / 4.0).collect();
            let basis = |u: f64, p: f64| {
                let x = (scan.low + u * scan.range) / if p > 0.0 { largest } else { scan.low };
                vec![x.powf(p)]
            };
            for (p, c) in scan.minima(&grid, basis, cancel, &mut work).into_iter().take(1) {
                let size = if p > 0.0 { largest } else { scan.low };
                let a = c[1] * size.powf(-p);
                let power = Expr::power(scan.x(), parameter(1));
                models.push(scan.model(
                    parameter(0) * power,
                    vec![(a, scan.goal), (p, Dimension::NONE)],
                    c[0],
                ));
            }
        }
        Batch { models, work }
    }
}

fn parameter(k: usize) -> Expr {
    Expr::symbol(Parameter::symbol(k))
}

/// One feature scaled to 0..1, the target to at most 1.
struct Scan {
    u: Vec<f64>,
    y: DVector<f64>,
    low: f64,
    range: f64,
    size: f64,
    goal: Dimension,
    /// The dimension of an inner constant.
    inverse: Dimension,
    symbol: Expr,
}

impl Scan {
    fn new(problem: &Problem, feature: usize) -> Scan {
        let column = &problem.columns[feature];
        let low = column.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let size = problem.target.iter().fold(f64::MIN_POSITIVE, |m, y| m.max(y.abs()));
        let rows: Vec<usize> = (0..problem.rows()).step_by(problem.rows().div_ceil(ROWS).max(1)).collect();
        Scan {
            u: rows.iter().map(|&i| (column[i] - low) / (high - low)).collect(),
            y: DVector::from_iterator(rows.len(), rows.iter().map(|&i| problem.target[i] / size)),
            low,
            range: high - low,
            size,
            goal: problem.goal(),
            inverse: problem.dimension(feature).recip(),
            symbol: Expr::symbol(problem.names[feature].clone()),
        }
    }

    fn x(&self) -> Expr {
        self.symbol.clone()
    }

    /// The best points of a grid with their linear coefficients (offset first, in units of the target).
    fn minima(
        &self,
        grid: &[f64],
        basis: impl Fn(f64, f64) -> Vec<f64>,
        cancel: &CancelToken,
        work: &mut u64,
    ) -> Vec<(f64, Vec<f64>)> {
        let n = self.u.len();
        let mut losses: Vec<(f64, Vec<f64>)> = Vec::with_capacity(grid.len());
        for &k in grid {
            if cancel.stop().is_some() {
                return Vec::new();
            }
            let rows: Vec<Vec<f64>> = self.u.iter().map(|&u| basis(u, k)).collect();
            let m = 1 + rows.first().map_or(0, Vec::len);
            *work += (n * m) as u64;
            let a = DMatrix::from_fn(n, m, |i, j| if j == 0 { 1.0 } else { rows[i][j - 1] });
            let solved = (a.transpose() * &a).cholesky().map(|c| c.solve(&(a.transpose() * &self.y)));
            let entry = match solved {
                Some(c) if n > m => {
                    ((&self.y - &a * &c).norm_squared(), c.iter().map(|c| c * self.size).collect())
                }
                _ => (f64::INFINITY, Vec::new()),
            };
            losses.push(entry);
        }
        let mut places: Vec<usize> = (0..grid.len())
            .filter(|&i| {
                losses[i].0.is_finite()
                    && (i == 0 || losses[i].0 <= losses[i - 1].0)
                    && (i + 1 == grid.len() || losses[i].0 <= losses[i + 1].0)
            })
            .collect();
        places.sort_by(|&a, &b| losses[a].0.total_cmp(&losses[b].0));
        places.truncate(MINIMA);
        places.into_iter().map(|i| (grid[i], losses[i].1.clone())).collect()
    }

    /// Adds the offset as last parameter; the refinement drops it where it is nothing.
    fn model(&self, law: Expr, starts: Vec<(f64, Dimension)>, offset: f64) -> Model {
        let last = starts.len();
        let starts = starts.into_iter().chain([(offset, self.goal)]);
        let parameters = starts
            .enumerate()
            .map(|(k, (start, dimension))| Parameter { symbol: Parameter::symbol(k), start, dimension })
            .collect();
        Model { template: law + parameter(last), parameters, engine: "inner constant" }
    }

    /// The wave through sine and through cosine.
    fn waves(&self, k: f64, c: &[f64]) -> Vec<Model> {
        let rate = k / self.range;
        // c1 sin(k u) + c2 cos(k u) = A sin(k u + phase)
        let (amplitude, phase) = (c[1].hypot(c[2]), c[2].atan2(c[1]) - rate * self.low);
        [(Function::Sin, 0.0), (Function::Cos, PI / 2.0)]
            .into_iter()
            .map(|(f, turn)| {
                // The phase in -pi/2..pi/2, the sign in the amplitude.
                let turned = phase - turn;
                let half_turns = (turned / PI).round();
                let sign = if half_turns.rem_euclid(2.0) == 1.0 { -1.0 } else { 1.0 };
                let inside = parameter(1) * self.x() + parameter(2);
                let starts = vec![
                    (sign * amplitude, self.goal),
                    (rate, self.inverse),
                    (turned - PI * half_turns, Dimension::NONE),
                ];
                self.model(parameter(0) * Expr::call(f, vec![inside]), starts, c[0])
            })
            .collect()
    }

    fn exponential(&self, k: f64, c: &[f64]) -> Option<Model> {
        let rate = k / self.range;
        let origin = if k > 0.0 { self.low + self.range } else { self.low };
        let a = c[1] * (-rate * origin).exp();
        let law = parameter(0) * Expr::call(Function::Exp, vec![parameter(1) * self.x()]);
        a.is_finite().then(|| self.model(law, vec![(a, self.goal), (rate, self.inverse)], c[0]))
    }
}
