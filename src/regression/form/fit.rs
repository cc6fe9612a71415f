//! All holes of a form at once without formulas: curves whose coefficients are fitted together with the constants by
//! Levenberg-Marquardt on the whole form. What a form leaves open, as the scale between a constant and a hole, stays where it
//! began. The number of coefficients is the one that generalised cross-validation prefers (P. Craven, G. Wahba, Numer. Math.
//! 31, 377 (1979)).

use nalgebra::DMatrix;
use rand::RngExt;
use rayon::prelude::*;

use super::curve::Basis;
use super::shape::{Part, Shape, State};
use super::{Form, Problem};
use crate::base::random::Streams;
use crate::base::{CancelToken, Threads};
use crate::numeric::{Options, levenberg_marquardt, statistics};
use crate::regression::describe;

/// Degrees of the curves, by the number of arguments, coarse first.
const DEGREES: [[usize; 3]; 7] =
    [[1, 1, 1], [3, 2, 2], [5, 3, 2], [8, 5, 3], [12, 6, 4], [17, 8, 4], [24, 9, 5]];
/// The step of [`DEGREES`] at which starts are compared.
const COMPARED: usize = 2;
/// Starts that are drawn, and those that are fitted.
const DRAWN: usize = 240;
const FITTED: usize = 8;
/// Steps of a fit, of the first look and of the last.
const STEPS: usize = 40;
const FIRST: usize = 15;
const LAST: usize = 120;
/// What a coefficient costs in cross-validation: above 1, so that simple curves are preferred.
const COST: f64 = 1.4;
/// Share by which the range of an argument that moves is widened.
const WIDENED: f64 = 0.3;
/// Factors of the natural size of a constant that starts are drawn from.
const FACTORS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];

/// A fit of a form.
#[derive(Clone)]
pub struct Fit {
    /// What was fitted.
    pub state: State,
    /// Root of the mean squared (weighted) residual, for each degree of freedom.
    pub scatter: f64,
    /// The score of cross-validation.
    pub score: f64,
}

/// A form with its data, to be fitted.
pub struct Fitting<'a> {
    /// The form.
    pub form: &'a Form,
    /// The form, compiled.
    pub shape: &'a Shape,
    /// The data.
    pub problem: &'a Problem,
    /// Asked before every step.
    pub cancel: &'a CancelToken,
    /// The work done.
    pub work: std::sync::atomic::AtomicU64,
}

impl<'a> Fitting<'a> {
    pub fn new(
        form: &'a Form,
        shape: &'a Shape,
        problem: &'a Problem,
        cancel: &'a CancelToken,
    ) -> Fitting<'a> {
        Fitting { form, shape, problem, cancel, work: 0.into() }
    }

    /// Adds evaluations of the form to the work.
    fn count(&self, evaluations: usize) {
        let terms = (self.problem.rows() * self.shape.work() * evaluations) as u64;
        self.work.fetch_add(terms, std::sync::atomic::Ordering::Relaxed);
    }

    /// The sum of squared residuals.
    fn squares(&self, state: &State) -> f64 {
        self.count(1);
        let value = self.shape.evaluate(&self.problem.columns, state, None).value;
        let sigma = self.problem.sigma.as_deref();
        let each = value.iter().zip(&self.problem.target).enumerate();
        each.map(|(i, (v, y))| ((v - y) / sigma.map_or(1.0, |s| s[i])).powi(2)).sum()
    }

    /// Fits all parameters of a state; `None` where it has no finite values.
    pub fn polish(&self, state: &State, steps: usize) -> Option<Fit> {
        let (n, start) = (self.problem.rows(), state.parameters());
        let target = &self.problem.target;
        let size = target.iter().fold(f64::MIN_POSITIVE, |m, y| m.max(y.abs()));
        let weights: Option<Vec<f64>> =
            self.problem.sigma.as_ref().map(|s| s.iter().map(|s| size / s).collect());
        let m = start.len();
        if n <= m {
            return None;
        }
        let options = Options {
            weights: weights.as_deref(),
            absolute: true,
            steps,
            cancel: self.cancel.clone(),
            ..Options::default()
        };
        let columns = &self.problem.columns;
        let found = levenberg_marquardt(
            |p, r| {
                self.count(1);
                let value = self.shape.evaluate(columns, &state.with(p), None).value;
                r.iter_mut().zip(value.iter().zip(target)).for_each(|(r, (v, y))| *r = (v - y) / size);
            },
            |p, j: &mut DMatrix<f64>| {
                self.count(m);
                let state = state.with(p);
                let trace = self.shape.evaluate(columns, &state, None);
                *j = self.shape.jacobian(columns, &state, &trace) / size;
            },
            n,
            &start,
            &options,
        )
        .ok()?;
        let squares = if weights.is_some() { found.chi2 } else { found.chi2 * size * size };
        let (n, m) = (n as f64, m as f64);
        let free = n - COST * m;
        let score = if free > 0.0 { n * squares / (free * free) } else { f64::INFINITY };
        let scatter = (squares / (n - m)).sqrt();
        scatter.is_finite().then(|| Fit { state: state.with(&found.parameters), scatter, score })
    }

    /// The state with finer or coarser curves; `None` where no values are there to begin from.
    fn refined(&self, state: &State, level: usize, keep: &[bool]) -> Option<State> {
        let trace = self.shape.evaluate(&self.problem.columns, state, None);
        let mut new = state.clone();
        for (hole, part) in new.parts.iter_mut().enumerate() {
            if keep[hole] {
                continue;
            }
            let calls = self.shape.calls_of(hole);
            let arguments = self.form.holes[hole].arguments.len();
            let mut args = vec![Vec::new(); arguments];
            let mut values = Vec::new();
            let mut moves = false;
            for call in calls {
                args.iter_mut().zip(&trace.args[call]).for_each(|(to, from)| to.extend_from_slice(from));
                values.extend_from_slice(&trace.calls[call]);
                moves |= self.shape.moves(call);
            }
            let degree = DEGREES[level][arguments.clamp(1, 3) - 1];
            let basis = Basis::new(&args, degree, if moves { WIDENED } else { 0.0 });
            let coefficients = basis.project(&args, &values)?;
            *part = Part::Curve { basis, coefficients };
        }
        Some(new)
    }

    /// A curve with a value, and a slope in units of it, along its first argument.
    fn plain(&self, hole: usize, value: f64, slope: f64) -> Part {
        let arguments = self.form.holes[hole].arguments.len();
        let basis = Basis::new(&vec![vec![-1.0, 1.0]; arguments], 1, 0.0);
        let mut coefficients = vec![0.0; basis.len()];
        coefficients[0] = value;
        if let Some(last) = coefficients.last_mut() {
            *last = value * slope;
        }
        Part::Curve { basis, coefficients }
    }

    /// Plain curves and constants of 1, to see where a form has no value.
    pub fn default_state(&self) -> State {
        let constants = self.form.constants.iter().map(|c| c.start.unwrap_or(1.0)).collect();
        let parts = (0..self.form.holes.len()).map(|k| self.plain(k, 1.0, 0.25)).collect();
        let state = State { constants, parts };
        self.ranged(&state, &vec![false; self.form.holes.len()]).unwrap_or(state)
    }

    /// Starts by the size of the residuals they leave: constants near the natural sizes that the data offer, holes with a
    /// value of the size of 1 or of the target. Parts in `held` stay.
    fn starts(&self, seed: u64, held: &[Option<Part>], constants: Option<&[f64]>) -> Vec<State> {
        let mut rng = Streams::new(seed).stream("regress/form/starts");
        let size = statistics::rms(&self.problem.target).max(f64::MIN_POSITIVE);
        let sizes: Vec<f64> =
            self.problem.columns.iter().map(|c| statistics::rms(c)).filter(|s| *s > 0.0).collect();
        let mut natural = vec![1.0, size];
        natural.extend(sizes.iter().flat_map(|s| [1.0 / s, *s]));
        let offered = [1.0, size, size.sqrt(), 1.0 / size];
        let mut drawn: Vec<(f64, State)> = Vec::new();
        for k in 0..DRAWN {
            let mut pick = |list: &[f64]| list[rng.random_range(0..list.len())];
            let sign = |x: f64| if x > 0.7 { -1.0 } else { 1.0 };
            let own = self.form.constants.iter().enumerate().map(|(j, c)| match (constants, c.start) {
                (Some(known), _) => known[j],
                (None, Some(start)) if k < DRAWN / 2 => start,
                (None, _) if k == 0 => 1.0,
                (None, start) => {
                    let base = start.unwrap_or_else(|| pick(&natural));
                    base * pick(&FACTORS) * sign(pick(&[0.0, 0.0, 0.0, 1.0]))
                }
            });
            let own: Vec<f64> = own.collect();
            let parts = held.iter().enumerate().map(|(hole, part)| match part {
                Some(part) => part.clone(),
                None => {
                    let value = if k == 0 { 1.0 } else { pick(&offered) };
                    self.plain(hole, value, if k == 0 { 0.25 } else { pick(&[-0.5, 0.25, 0.5]) })
                }
            });
            let state = State { constants: own, parts: parts.collect() };
            // Plain curves are of the range of what they are called with.
            let keep: Vec<bool> = held.iter().map(Option::is_some).collect();
            let Some(state) = self.ranged(&state, &keep) else { continue };
            let squares = self.squares(&state);
            if squares.is_finite() {
                drawn.push((squares, state));
            }
            // Nothing else can be drawn.
            if self.cancel.stop().is_some() {
                break;
            }
        }
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Equal residuals say that nothing differs.
        drawn.dedup_by(|a, b| (a.0 - b.0).abs() <= 1e-9 * b.0);
        drawn.into_iter().map(|d| d.1).collect()
    }

    /// Plain curves over the ranges of their arguments, inner calls first.
    fn ranged(&self, state: &State, keep: &[bool]) -> Option<State> {
        let mut state = state.clone();
        // A call inside another is ranged before it.
        for _ in 0..state.parts.len() {
            let trace = self.shape.evaluate(&self.problem.columns, &state, None);
            for (hole, keep) in keep.iter().enumerate() {
                if *keep {
                    continue;
                }
                let mut args = vec![Vec::new(); self.form.holes[hole].arguments.len()];
                for call in self.shape.calls_of(hole) {
                    args.iter_mut().zip(&trace.args[call]).for_each(|(to, from)| to.extend_from_slice(from));
                }
                if args.iter().flatten().any(|x| !x.is_finite()) {
                    return None;
                }
                if let Part::Curve { basis, .. } = &mut state.parts[hole] {
                    *basis = Basis::new(&args, 1, WIDENED);
                }
            }
            if !(0..self.shape.work() - 1).any(|c| self.shape.moves(c)) {
                break;
            }
        }
        Some(state)
    }

    /// The best fits with curves in the holes that are not `held`, at the degree that cross-validation prefers; different
    /// starts, the best first.
    pub fn curves(
        &self,
        seed: u64,
        held: &[Option<Part>],
        constants: Option<&[f64]>,
        count: usize,
        threads: &Threads,
    ) -> Vec<Fit> {
        let keep: Vec<bool> = held.iter().map(Option::is_some).collect();
        let starts = self.starts(seed, held, constants);
        let look = |state: &State| -> Option<(Fit, usize)> {
            let mut best = self.polish(state, FIRST)?;
            let mut level = 0;
            for next in 1..=COMPARED {
                let Some(finer) = self.refined(&best.state, next, &keep).and_then(|s| self.polish(&s, FIRST))
                else {
                    break;
                };
                (best, level) = (finer, next);
            }
            Some((best, level))
        };
        let first: Vec<State> = starts.into_iter().take(FITTED).collect();
        let mut looked: Vec<(Fit, usize)> = threads.run(|| first.par_iter().filter_map(look).collect());
        looked.sort_by(|a, b| a.0.score.total_cmp(&b.0.score));
        looked.truncate(count);
        let ladder = |(first, level): &(Fit, usize)| -> Option<Fit> {
            let mut last = self.polish(&first.state, STEPS)?;
            let mut best = last.clone();
            let mut worse = 0;
            for next in level + 1..DEGREES.len() {
                let Some(finer) = self.refined(&last.state, next, &keep).and_then(|s| self.polish(&s, STEPS))
                else {
                    break;
                };
                worse = if finer.score < best.score { 0 } else { worse + 1 };
                if finer.score < best.score {
                    best = finer.clone();
                }
                if worse == 2 || self.exact(&best) {
                    break;
                }
                last = finer;
            }
            self.polish(&best.state, LAST).filter(|f| f.score <= best.score).or(Some(best))
        };
        let mut fits: Vec<Fit> = threads.run(|| looked.par_iter().filter_map(ladder).collect());
        fits.sort_by(|a, b| a.score.total_cmp(&b.score));
        fits
    }

    /// Whether a fit leaves nothing but rounding.
    fn exact(&self, fit: &Fit) -> bool {
        self.problem.sigma.is_none() && fit.scatter <= 2.0 * describe::noise_floor(self.problem)
    }
}
