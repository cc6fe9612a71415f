//! Shooting: the constants of rates fitted to the points themselves, through the integrator. States that are not shot follow
//! their curves, so that a rate is judged by its own path alone; windows with starts of their own keep a long or chaotic
//! path from hiding the constants (H. Bock, "Recent advances in parameter identification problems for ODE", 1983). All
//! windows, and all constants moved by a little, are lanes of one integration: Runge and Kutta's method of order 4.

use std::cell::RefCell;

use nalgebra::DMatrix;
use serde_json::{Value as Json, json};

use super::curve::{Spline, fornberg};
use super::paths::Paths;
use crate::base::CancelToken;
use crate::expression::{Expr, Symbol};
use crate::numeric::{Options, Scratch, Tape, levenberg_marquardt};
use crate::regression::candidate::Model;
use crate::regression::spelling::{floats, from_floats};

/// Most steps of a fit.
const STEPS: usize = 30;
/// Relative distance by which a constant is moved.
const MOVED: f64 = 1e-6;
/// Limits of the largest step of the integration times the fastest relative change of the states, h; between them
/// the step's error, about h^4/120, is this share of the noise.
const STRIDE: (f64, f64) = (0.06, 0.35);
const SHARE: f64 = 0.01;
/// Points of the polynomial that a path is interpolated by.
const NODES: usize = 6;
/// Most steps of the integration between two points.
const MOST: usize = 10;

/// Paths ready to be shot at.
pub struct Course<'a> {
    paths: &'a Paths,
    /// Standard deviations of the points, as the states lie.
    sigma: &'a [Vec<Vec<f64>>],
    /// Steps between two points.
    steps: usize,
    /// The curves' values at the ends and middles of all steps: path, state, place.
    driven: Vec<Vec<Vec<f64>>>,
}

/// What a fit found.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The constants of each model.
    pub values: Vec<Vec<f64>>,
    /// Their standard errors.
    pub errors: Vec<Vec<f64>>,
    /// Covariance of all constants, model after model.
    pub covariance: DMatrix<f64>,
    /// Sum of squared residuals over sigma, of each shot state.
    pub chi2: Vec<f64>,
    /// Points of each state.
    pub points: usize,
    /// Windows of all paths.
    pub windows: usize,
    /// The states at the start of the first window of each path.
    pub starts: Vec<Vec<f64>>,
    /// The shot states at all points: path, state, row.
    pub path: Vec<Vec<Vec<f64>>>,
}

impl Shot {
    /// Whether chi2 of no state is more than so much for each point.
    pub fn follows(&self, most: f64) -> bool {
        self.chi2.iter().all(|c| *c < most * self.points as f64)
    }
}

/// Lists of lists of floats.
fn lists(all: &[Vec<f64>]) -> Json {
    all.iter().map(|l| floats(l)).collect::<Vec<_>>().into()
}

fn from_lists(value: &Json) -> Option<Vec<Vec<f64>>> {
    value.as_array()?.iter().map(from_floats).collect()
}

impl Shot {
    /// It as JSON.
    pub fn write(&self) -> Json {
        let path: Vec<Json> = self.path.iter().map(|p| lists(p)).collect();
        json!({
            "values": lists(&self.values),
            "errors": lists(&self.errors),
            "covariance": floats(self.covariance.as_slice()),
            "chi2": floats(&self.chi2),
            "points": self.points,
            "windows": self.windows,
            "starts": lists(&self.starts),
            "path": path,
        })
    }

    /// What [`Shot::write`] wrote.
    pub fn read(value: &Json) -> Option<Shot> {
        let covariance = from_floats(&value["covariance"])?;
        let n = covariance.len().isqrt();
        Some(Shot {
            values: from_lists(&value["values"])?,
            errors: from_lists(&value["errors"])?,
            covariance: (n * n == covariance.len()).then(|| DMatrix::from_vec(n, n, covariance))?,
            chi2: from_floats(&value["chi2"])?,
            points: usize::try_from(value["points"].as_u64()?).ok()?,
            windows: usize::try_from(value["windows"].as_u64()?).ok()?,
            starts: from_lists(&value["starts"])?,
            path: value["path"].as_array()?.iter().map(from_lists).collect::<Option<_>>()?,
        })
    }
}

/// A window: rows of a path.
#[derive(Clone, Copy, Debug)]
struct Window {
    path: usize,
    first: usize,
    /// Rows, the first included; the last is the first of the next window where there is one.
    rows: usize,
}

impl<'a> Course<'a> {
    /// Paths with their curves (path, state) and noise.
    pub fn new(paths: &'a Paths, curves: &[Vec<Spline>], sigma: &'a [Vec<Vec<f64>>]) -> Course<'a> {
        // How fast states change: the slope's change for its size.
        let mut fastest = 0.0f64;
        let mut quietest = f64::INFINITY;
        for ((path, curves), sigma) in paths.paths.iter().zip(curves).zip(sigma) {
            for ((curve, values), sigma) in curves.iter().zip(&path.states).zip(sigma) {
                let noise = crate::numeric::statistics::rms(sigma) / crate::numeric::statistics::rms(values);
                quietest = quietest.min(noise);
                let slopes: Vec<f64> = path.times.iter().map(|t| curve.both(*t).1).collect();
                let size = crate::numeric::statistics::rms(&slopes);
                let changes: Vec<f64> = slopes
                    .windows(2)
                    .zip(path.times.windows(2))
                    .map(|(s, t)| (s[1] - s[0]) / (t[1] - t[0]))
                    .collect();
                if size > 0.0 {
                    fastest = fastest.max(crate::numeric::statistics::rms(&changes) / size);
                }
            }
        }
        let longest =
            paths.paths.iter().flat_map(|p| p.times.windows(2).map(|t| t[1] - t[0])).fold(0.0f64, f64::max);
        let stride = (120.0 * SHARE * quietest).powf(0.25).clamp(STRIDE.0, STRIDE.1);
        let steps = ((longest * fastest / stride).ceil() as usize).clamp(1, MOST);
        let driven = paths
            .paths
            .iter()
            .zip(curves)
            .map(|(path, curves)| {
                let mut places: Vec<f64> = Vec::new();
                for t in path.times.windows(2) {
                    places
                        .extend((0..2 * steps).map(|k| t[0] + (t[1] - t[0]) * k as f64 / (2 * steps) as f64));
                }
                places.extend(path.times.last());
                curves.iter().map(|c| places.iter().map(|t| c.value(*t)).collect()).collect()
            })
            .collect();
        Course { paths, sigma, steps, driven }
    }

    /// Lets states that are not shot follow other points: path, state, row.
    pub fn drive(&mut self, along: &[Vec<Vec<f64>>]) {
        for ((path, values), driven) in self.paths.paths.iter().zip(along).zip(&mut self.driven) {
            for (values, driven) in values.iter().zip(driven) {
                let mut next = 0;
                for (row, t) in path.times.windows(2).enumerate() {
                    let nodes = row.saturating_sub(NODES / 2 - 1).min(path.times.len().saturating_sub(NODES));
                    let nodes = nodes..(nodes + NODES).min(path.times.len());
                    for k in 0..2 * self.steps {
                        let at = t[0] + (t[1] - t[0]) * k as f64 / (2 * self.steps) as f64;
                        let (w, _) = fornberg(at, &path.times[nodes.clone()]);
                        driven[next] = w.iter().zip(&values[nodes.clone()]).map(|(w, x)| w * x).sum();
                        next += 1;
                    }
                }
                if let (Some(last), Some(x)) = (driven.last_mut(), values.last()) {
                    *last = *x;
                }
            }
        }
    }

    fn windows(&self, each: usize) -> Vec<Window> {
        let mut all = Vec::new();
        for (path, p) in self.paths.paths.iter().enumerate() {
            let intervals = p.times.len() - 1;
            let each = each.min(intervals / 4).max(1);
            for k in 0..each {
                let (first, last) = (intervals * k / each, intervals * (k + 1) / each);
                all.push(Window { path, first, rows: last - first + 1 });
            }
        }
        all
    }

    /// Fits the constants of the rates of some states (their places, in order), with so many windows on each path.
    pub fn shoot(
        &self,
        shot: &[usize],
        models: &[&Model],
        from: &[Vec<f64>],
        each: usize,
        cancel: &CancelToken,
    ) -> Option<Shot> {
        let windows = self.windows(each);
        let mut rates: Vec<Expr> = Vec::new();
        let mut inputs = vec![self.paths.over.clone()];
        inputs.extend(self.paths.names.iter().cloned());
        let mut start: Vec<f64> = Vec::new();
        for (j, model) in models.iter().enumerate() {
            let mut own: Vec<(Symbol, Expr)> = Vec::new();
            for (k, parameter) in model.parameters.iter().enumerate() {
                let symbol = Symbol::new(&format!("#{j}_{k}"));
                own.push((parameter.symbol.clone(), Expr::symbol(symbol.clone())));
                inputs.push(symbol);
                start.push(from[j][k]);
            }
            rates.push(model.template.substitute(&own));
        }
        let constants = start.len();
        let tape = Tape::compile(&rates, &inputs).ok()?;
        // The typical size of each constant and state, by which it is moved.
        let mut sizes: Vec<f64> = start.iter().map(|x| if *x == 0.0 { 1.0 } else { x.abs() }).collect();
        for w in &windows {
            for state in shot {
                let value = self.driven[w.path][*state][2 * self.steps * w.first];
                start.push(value);
                let list = &self.paths.paths[w.path].states[*state];
                sizes.push(list.iter().fold(0.0f64, |m, x| m.max(x.abs())).max(1e-300));
            }
        }
        let moves: Vec<f64> = sizes.iter().map(|s| MOVED * s).collect();
        let scaled: Vec<f64> = start.iter().zip(&sizes).map(|(x, s)| x / s).collect();
        // A point between two windows counts in both halves, by the root of one half.
        let mut points: Vec<(usize, usize, usize, f64)> = Vec::new();
        for (w, window) in windows.iter().enumerate() {
            for row in 0..window.rows {
                for s in 0..shot.len() {
                    let inner = row == 0 && window.first > 0
                        || row + 1 == window.rows
                            && window.first + row + 1 < self.paths.paths[window.path].times.len();
                    points.push((w, row, s, if inner { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 }));
                }
            }
        }
        let flight = RefCell::new(Flight {
            course: self,
            tape: &tape,
            windows: &windows,
            shot,
            constants,
            scratch: Scratch::default(),
        });
        let residual = |at: &(usize, usize, usize, f64), value: f64| {
            let (w, row, s, share) = *at;
            let (path, place) = (windows[w].path, windows[w].first + row);
            let state = shot[s];
            share * (value - self.paths.paths[path].states[state][place]) / self.sigma[path][state][place]
        };
        let most = windows.iter().map(|w| w.rows).max()?;
        let place = |lane: usize, lanes: usize, row: usize, s: usize| (row * shot.len() + s) * lanes + lane;
        let unscaled = |q: &[f64]| -> Vec<f64> { q.iter().zip(&sizes).map(|(q, s)| q * s).collect() };
        let found = levenberg_marquardt(
            |q, r| {
                let p = unscaled(q);
                let lanes = windows.len();
                let values = flight.borrow_mut().fly(&p, 1, most, &[]);
                for (at, r) in points.iter().zip(r.iter_mut()) {
                    *r = residual(at, values[place(at.0, lanes, at.1, at.2)]);
                }
            },
            |q, j: &mut DMatrix<f64>| {
                let p = unscaled(q);
                // Lanes of a window: as it is, each constant moved, each start moved.
                let each = 1 + constants + shot.len();
                let lanes = windows.len() * each;
                let values = flight.borrow_mut().fly(&p, each, most, &moves);
                j.fill(0.0);
                for (i, at) in points.iter().enumerate() {
                    let (w, row, s, share) = *at;
                    let (path, row_place) = (windows[w].path, windows[w].first + row);
                    let weight = share / self.sigma[path][shot[s]][row_place];
                    let base = values[place(w * each, lanes, row, s)];
                    for k in 0..constants + shot.len() {
                        let moved = values[place(w * each + 1 + k, lanes, row, s)];
                        let column =
                            if k < constants { k } else { constants + w * shot.len() + k - constants };
                        j[(i, column)] = (moved - base) * weight / MOVED;
                    }
                }
            },
            points.len(),
            &scaled,
            &Options { steps: STEPS, cancel: cancel.clone(), ..Options::default() },
        )
        .ok()?;
        let mut chi2 = vec![0.0; shot.len()];
        for (at, r) in points.iter().zip(&found.residuals) {
            chi2[at.2] += r * r;
        }
        if chi2.iter().any(|c| !c.is_finite()) {
            return None;
        }
        let mut path: Vec<Vec<Vec<f64>>> =
            self.paths.paths.iter().map(|p| vec![vec![0.0; p.times.len()]; shot.len()]).collect();
        for (at, r) in points.iter().zip(&found.residuals) {
            let (w, row, s, share) = *at;
            let (own, place) = (windows[w].path, windows[w].first + row);
            let state = shot[s];
            path[own][s][place] =
                self.paths.paths[own].states[state][place] + r / share * self.sigma[own][state][place];
        }
        let values = unscaled(&found.parameters);
        let mut own = Vec::new();
        let mut errors = Vec::new();
        let mut next = 0;
        for model in models {
            let n = model.parameters.len();
            own.push(values[next..next + n].to_vec());
            errors.push((next..next + n).map(|k| found.covariance[(k, k)].sqrt() * sizes[k]).collect());
            next += n;
        }
        let covariance =
            DMatrix::from_fn(constants, constants, |i, j| found.covariance[(i, j)] * sizes[i] * sizes[j]);
        let starts = (0..self.paths.paths.len())
            .filter_map(|path| {
                let w = windows.iter().position(|w| w.path == path && w.first == 0)?;
                let from = constants + w * shot.len();
                Some(values[from..from + shot.len()].to_vec())
            })
            .collect();
        Some(Shot {
            values: own,
            errors,
            covariance,
            chi2,
            points: self.paths.rows(),
            windows: windows.len(),
            starts,
            path,
        })
    }
}

/// The integration of many lanes.
struct Flight<'a> {
    course: &'a Course<'a>,
    tape: &'a Tape,
    windows: &'a [Window],
    shot: &'a [usize],
    constants: usize,
    scratch: Scratch,
}

impl Flight<'_> {
    /// The shot states at all rows of the windows: row, state, lane. `each` lanes a window: one as it is, then
    /// one for each constant and each of its starts, moved by what `moves` has for it.
    fn fly(&mut self, p: &[f64], each: usize, most: usize, moves: &[f64]) -> Vec<f64> {
        let (windows, shot, steps) = (self.windows, self.shot, self.course.steps);
        let lanes = windows.len() * each;
        let names = self.course.paths.names.len();
        let mut columns: Vec<Vec<f64>> = vec![vec![0.0; lanes]; 1 + names + self.constants];
        for w in 0..windows.len() {
            for k in 0..each {
                let lane = w * each + k;
                for c in 0..self.constants {
                    let own = if k == c + 1 { moves[c] } else { 0.0 };
                    columns[1 + names + c][lane] = p[c] + own;
                }
            }
        }
        let mut y: Vec<Vec<f64>> = vec![vec![0.0; lanes]; shot.len()];
        for (w, _) in windows.iter().enumerate() {
            for (s, y) in y.iter_mut().enumerate() {
                let at = self.constants + w * shot.len() + s;
                for k in 0..each {
                    let own = if k == 1 + self.constants + s { moves[at] } else { 0.0 };
                    y[w * each + k] = p[at] + own;
                }
            }
        }
        let mut out = vec![0.0; most * shot.len() * lanes];
        let keep = |row: usize, y: &[Vec<f64>], out: &mut [f64]| {
            for (s, y) in y.iter().enumerate() {
                let from = (row * shot.len() + s) * lanes;
                out[from..from + lanes].copy_from_slice(y);
            }
        };
        keep(0, &y, &mut out);
        let mut slopes: Vec<Vec<Vec<f64>>> = vec![vec![Vec::new(); shot.len()]; 4];
        for row in 0..most - 1 {
            for step in 0..steps {
                for stage in 0..4 {
                    // 0: begin, 1 and 2: middle, 3: end of the step.
                    let half = [0, 1, 1, 2][stage];
                    for (w, window) in windows.iter().enumerate() {
                        let path = &self.course.paths.paths[window.path];
                        let at = (window.first + row).min(path.times.len() - 2);
                        let h = (path.times[at + 1] - path.times[at]) / steps as f64;
                        let t = path.times[at] + h * (step as f64 + half as f64 / 2.0);
                        let place = 2 * steps * at + 2 * step + half;
                        let lanes = w * each..(w + 1) * each;
                        columns[0][lanes.clone()].fill(t);
                        for state in 0..names {
                            if !shot.contains(&state) {
                                columns[1 + state][lanes.clone()]
                                    .fill(self.course.driven[window.path][state][place]);
                            }
                        }
                        let share = [0.0, 0.5, 0.5, 1.0][stage] * h;
                        for (s, state) in shot.iter().enumerate() {
                            for lane in lanes.clone() {
                                let before = if stage == 0 { 0.0 } else { slopes[stage - 1][s][lane] };
                                columns[1 + state][lane] = y[s][lane] + share * before;
                            }
                        }
                    }
                    let lists: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
                    let mut rates = std::mem::take(&mut slopes[stage]);
                    self.tape.eval_with(&lists, &mut rates, &mut self.scratch);
                    slopes[stage] = rates;
                }
                for (w, window) in windows.iter().enumerate() {
                    let path = &self.course.paths.paths[window.path];
                    let at = (window.first + row).min(path.times.len() - 2);
                    let h = (path.times[at + 1] - path.times[at]) / steps as f64;
                    for lane in w * each..(w + 1) * each {
                        for (s, y) in y.iter_mut().enumerate() {
                            let k = |stage: usize| slopes[stage][s][lane];
                            y[lane] += h / 6.0 * (k(0) + 2.0 * k(1) + 2.0 * k(2) + k(3));
                        }
                    }
                }
            }
            keep(row + 1, &y, &mut out);
        }
        out
    }
}
