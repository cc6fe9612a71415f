//! Initial value problems y' = f(t, y). Three methods behind one call: the explicit method of Dormand & Prince of order 8
//! with adaptive step and dense output (`explicit.rs`), Radau IIA of order 5 for stiff problems (`stiff.rs`), and
//! composed Störmer-Verlet steps of order 8 for separable problems (`symplectic.rs`). `Method::Auto` begins with the
//! explicit one and goes on with the stiff one where the problem shows itself stiff.
//!
//! Sources: Hairer, Nørsett & Wanner, "Solving Ordinary Differential Equations I", 2nd ed. 1993; Hairer & Wanner, "... II",
//! 2nd ed. 1996; Hairer, Lubich & Wanner, "Geometric Numerical Integration", 2nd ed. 2006.
//!
//! The local error of state i is held below `relative * (|y_i| + floor * max |y_i| so far)`: relative to the state's own
//! size, so that no unit is better than another, and not without end where it passes zero.

mod dop853_table;
mod explicit;
mod rates;
mod stiff;
mod symplectic;
#[cfg(test)]
mod tests;

use super::error::NumericError;
use crate::base::{CancelToken, StopReason};
use nalgebra::DMatrix;

pub use rates::{Closure, TapeRates};
pub use symplectic::symplectic;

/// The right side of y' = f(t, y).
pub trait Rates {
    /// Fills `out` with the rates at time `t`.
    fn rates(&mut self, t: f64, y: &[f64], out: &mut [f64]);

    /// Fills `out` with the derivatives of the rates (rows) by the states (columns); forward differences unless better
    /// is known.
    fn jacobian(&mut self, t: f64, y: &[f64], out: &mut DMatrix<f64>) {
        let n = out.nrows();
        let (mut base, mut moved) = (vec![0.0; n], vec![0.0; n]);
        self.rates(t, y, &mut base);
        let mut at = y.to_vec();
        for j in 0..y.len() {
            let step = f64::EPSILON.sqrt() * if y[j] == 0.0 { f64::EPSILON.sqrt() } else { y[j].abs() };
            at[j] = y[j] + step;
            let step = at[j] - y[j];
            self.rates(t, &at, &mut moved);
            at[j] = y[j];
            for i in 0..n {
                out[(i, j)] = (moved[i] - base[i]) / step;
            }
        }
    }
}

/// Which method to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Explicit, and stiff from where the problem is stiff.
    Auto,
    /// Dormand & Prince of order 8.
    Explicit,
    /// Radau IIA of order 5.
    Stiff,
    /// Störmer-Verlet composed to order 8.
    Symplectic,
}

/// Bounds of the error and of the work.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Local error of a state as a share of its size.
    pub relative: f64,
    /// The share of a state's largest value so far below which its size is not counted any smaller.
    pub floor: f64,
    /// Most steps, rejected ones included.
    pub max_steps: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { relative: 1e-9, floor: 1e-3, max_steps: 10_000_000 }
    }
}

/// How an integration ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum End {
    /// At the last time.
    Complete,
    /// At a singularity: no step from `t` on, however small, keeps the error below its bound. `state` changes fastest for
    /// its size there, and has this value.
    Singular {
        /// The last time that was reached.
        t: f64,
        /// Number of the state.
        state: usize,
        /// Its value at `t`.
        value: f64,
    },
    /// At the bound on steps, Ctrl-C or a time limit.
    Stopped {
        /// The last time that was reached.
        t: f64,
        /// Which.
        reason: StopReason,
    },
}

/// The work that was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Accepted steps.
    pub steps: u64,
    /// Rejected steps.
    pub rejected: u64,
    /// Evaluations of the right side.
    pub evaluations: u64,
    /// Evaluations of the Jacobian.
    pub jacobians: u64,
    /// Decompositions of matrices.
    pub decompositions: u64,
}

/// A solution at the times that were reached.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    /// Times.
    pub times: Vec<f64>,
    /// One list for each state.
    pub states: Vec<Vec<f64>>,
    /// How it ended.
    pub end: End,
    /// The method (for `Auto` the last one in use).
    pub method: Method,
    /// Where `Auto` found the problem stiff.
    pub stiff_from: Option<f64>,
    /// The work.
    pub work: Work,
}

/// Solves y' = f(t, y) from `start` at `times[0]`, for the states at `times` (increasing). A path that could not be finished
/// holds the times before its end.
///
/// # Errors
/// A start or a rate at the start that is not finite, times that do not increase, a tolerance outside 1e-14..0.1, and
/// [`Method::Symplectic`], for which [`symplectic`] takes the two halves of the problem.
pub fn integrate(
    rates: &mut dyn Rates,
    start: &[f64],
    times: &[f64],
    method: Method,
    options: &Options,
    cancel: &CancelToken,
) -> Result<Path, NumericError> {
    let mut progress = Progress::new(start, times, options, cancel)?;
    progress.first_rates(rates)?;
    let mut stiff_from = None;
    let mut used = method;
    let end = match method {
        Method::Symplectic => return Err(NumericError::NotSeparable),
        Method::Stiff => stiff::run(rates, &mut progress),
        Method::Explicit => explicit::run(rates, &mut progress, false),
        Method::Auto => {
            used = Method::Explicit;
            match explicit::run(rates, &mut progress, true) {
                None => {
                    used = Method::Stiff;
                    stiff_from = Some(progress.t);
                    stiff::run(rates, &mut progress)
                }
                end => end,
            }
        }
    };
    let end = end.unwrap_or(End::Complete);
    if let End::Singular { t, .. } = end {
        progress.samples.drop_near(t);
    }
    Ok(Path {
        times: progress.samples.times[..progress.samples.next].to_vec(),
        states: progress.samples.states,
        end,
        method: used,
        stiff_from,
        work: progress.work,
    })
}

/// The requested times, and the states at those that were reached.
struct Samples<'a> {
    times: &'a [f64],
    next: usize,
    states: Vec<Vec<f64>>,
}

impl Samples<'_> {
    /// Whether times up to `t` are waiting.
    fn are_due(&self, t: f64) -> bool {
        self.times.get(self.next).is_some_and(|due| *due <= t)
    }

    /// Forgets the samples that a singularity at `t` has spoilt.
    fn drop_near(&mut self, t: f64) {
        let last = t - 1e-7 * (t - self.times[0]);
        while self.next > 1 && self.times[self.next - 1] > last {
            self.next -= 1;
        }
        self.states.iter_mut().for_each(|list| list.truncate(self.next));
    }

    /// Takes the states at all times up to `t` from a dense output that fills a list.
    fn record(&mut self, t: f64, dense: &mut dyn FnMut(f64, &mut [f64])) {
        let mut y = vec![0.0; self.states.len()];
        while let Some(due) = self.times.get(self.next).copied().filter(|due| *due <= t) {
            dense(due, &mut y);
            self.states.iter_mut().zip(&y).for_each(|(list, y)| list.push(*y));
            self.next += 1;
        }
    }
}

/// A solution on its way.
struct Progress<'a> {
    t: f64,
    y: Vec<f64>,
    /// The rates at `t`.
    f: Vec<f64>,
    /// A step worth trying; 0 where nobody knows.
    h: f64,
    /// The largest value of each state so far.
    largest: Vec<f64>,
    samples: Samples<'a>,
    options: Options,
    cancel: &'a CancelToken,
    work: Work,
}

impl<'a> Progress<'a> {
    fn new(
        start: &[f64],
        times: &'a [f64],
        options: &Options,
        cancel: &'a CancelToken,
    ) -> Result<Progress<'a>, NumericError> {
        if let Some(row) = start.iter().position(|y| !y.is_finite()) {
            return Err(NumericError::NotFinite { row: row + 1, value: start[row] });
        }
        let increasing = times.windows(2).all(|w| w[0] < w[1]) && times.iter().all(|t| t.is_finite());
        if times.len() < 2 || !increasing {
            return Err(NumericError::Times);
        }
        if !(1e-14..=0.1).contains(&options.relative) {
            return Err(NumericError::Tolerance { found: options.relative });
        }
        let mut samples =
            Samples { times, next: 0, states: vec![Vec::with_capacity(times.len()); start.len()] };
        samples.record(times[0], &mut |_, y| y.copy_from_slice(start));
        Ok(Progress {
            t: times[0],
            y: start.to_vec(),
            f: vec![0.0; start.len()],
            h: 0.0,
            largest: start.iter().map(|y| y.abs()).collect(),
            samples,
            options: *options,
            cancel,
            work: Work::default(),
        })
    }

    fn first_rates(&mut self, rates: &mut dyn Rates) -> Result<(), NumericError> {
        rates.rates(self.t, &self.y, &mut self.f);
        self.work.evaluations += 1;
        match self.f.iter().position(|f| !f.is_finite()) {
            Some(row) => Err(NumericError::NotFinite { row: row + 1, value: self.f[row] }),
            None => Ok(()),
        }
    }

    fn end(&self) -> f64 {
        self.samples.times[self.samples.times.len() - 1]
    }

    /// What counts as an error of 1 in each state, going from `y` to `new`.
    fn scale(&self, i: usize, new: f64) -> f64 {
        let own = self.y[i].abs().max(new.abs());
        self.options.relative * (own + self.options.floor * self.largest[i].max(new.abs()))
    }

    /// The root mean square of errors in units of their scales; a state that is 0 and stays 0 has none.
    fn norm(&self, new: &[f64], noise: Option<&[f64]>, error: &dyn Fn(usize) -> f64) -> f64 {
        let square = |i: usize| {
            let e = error(i).abs();
            let scale = self.scale(i, new[i]).max(noise.map_or(0.0, |n| n[i]));
            if e == 0.0 { 0.0 } else { (e / scale).powi(2) }
        };
        ((0..new.len()).map(square).sum::<f64>() / new.len().max(1) as f64).sqrt()
    }

    /// What rounding makes of the rates over a step: 64 units in the last place of the terms J_ij y_j.
    fn noise(&mut self, rates: &mut dyn Rates, h: f64) -> Vec<f64> {
        let n = self.y.len();
        let mut jacobian = DMatrix::zeros(n, n);
        rates.jacobian(self.t, &self.y, &mut jacobian);
        self.work.jacobians += 1;
        noise_of(&jacobian, &self.y, h)
    }

    /// The first step after Hairer, Nørsett & Wanner, sect. II.4, for an estimator of this order.
    fn first_step(&mut self, rates: &mut dyn Rates, order: f64) -> f64 {
        let span = self.end() - self.t;
        let (n, y, f) = (self.y.len(), &self.y, &self.f);
        let known = |i: &usize| self.scale(*i, 0.0) > 0.0;
        let count = (0..n).filter(known).count().max(1) as f64;
        let mean = |v: &dyn Fn(usize) -> f64| {
            let square = |i| (v(i) / self.scale(i, 0.0)).powi(2);
            ((0..n).filter(known).map(square).sum::<f64>() / count).sqrt()
        };
        let (d0, d1) = (mean(&|i| y[i]), mean(&|i| f[i]));
        let mut h0 = if d0 > 0.0 && d1 > 0.0 { 0.01 * d0 / d1 } else { 1e-6 * span };
        h0 = h0.min(span);
        let moved: Vec<f64> = (0..n).map(|i| y[i] + h0 * f[i]).collect();
        let mut after = vec![0.0; n];
        rates.rates(self.t + h0, &moved, &mut after);
        let d2 = mean(&|i| after[i] - f[i]) / h0;
        self.work.evaluations += 1;
        let fastest = d1.max(d2);
        let h1 = if fastest.is_finite() && fastest > 0.0 {
            (0.01 / fastest).powf(1.0 / (order + 1.0))
        } else {
            h0 * 1e-3
        };
        // d1 and d2 are in units of the tolerance: h1 asks for an error of 0.01 of it.
        (100.0 * h0).min(h1).min(span)
    }

    /// Why to stop before the next step, if at all.
    fn stop(&self) -> Option<End> {
        if self.work.steps + self.work.rejected >= self.options.max_steps {
            return Some(End::Stopped { t: self.t, reason: StopReason::Work });
        }
        self.cancel.stop().map(|reason| End::Stopped { t: self.t, reason })
    }

    /// Whether a step is so small that it does not move the time.
    fn is_too_small(&self, h: f64) -> bool {
        h.is_nan() || h <= 10.0 * f64::EPSILON * self.t.abs() || h < 1e-290
    }

    /// The end at a singularity: the state that changes fastest for its size.
    fn singular(&self) -> End {
        let pace = |i: usize| {
            let size = self.y[i].abs().max(self.options.floor * self.largest[i]);
            if size > 0.0 { self.f[i].abs() / size } else { 0.0 }
        };
        let state = (0..self.y.len()).fold(0, |best, i| if pace(i) > pace(best) { i } else { best });
        End::Singular { t: self.t, state, value: self.y.get(state).copied().unwrap_or(f64::NAN) }
    }

    /// Takes an accepted step over.
    fn accept(&mut self, t: f64, y: &[f64], f: &[f64]) {
        self.t = t;
        self.y.copy_from_slice(y);
        self.f.copy_from_slice(f);
        self.largest.iter_mut().zip(y).for_each(|(m, y)| *m = m.max(y.abs()));
        self.work.steps += 1;
    }
}

fn noise_of(jacobian: &DMatrix<f64>, y: &[f64], h: f64) -> Vec<f64> {
    let row = |i: usize| {
        let terms: f64 = y.iter().enumerate().map(|(j, y)| (jacobian[(i, j)] * y).abs()).sum();
        if terms.is_finite() { 64.0 * f64::EPSILON * h * terms } else { 0.0 }
    };
    (0..jacobian.nrows()).map(row).collect()
}
