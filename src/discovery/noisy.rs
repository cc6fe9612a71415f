//! Noisy points: proposals for each rate, shot one by one and then together. The path of the system found is a better curve than
//! splines: along it, sums are looked for and all is shot again, as long as that shortens the description.

use rayon::prelude::*;
use serde_json::{Value as Json, json};

use super::curve::{self, Spline};
use super::library::library;
use super::paths::Paths;
use super::proposal::{Proposal, is_allowed, length, opened, price, restricted, shorter, written};
use super::shoot::{Course, Shot};
use super::table::{Table, engine, problem};
use super::weak::{self, Weak};
use super::{DiscoverError, Discovered, Failure, Method, Noise, Plan, Rate, boxed};
use crate::base::{CancelToken, StopReason};
use crate::expression::{Covariance, Expr, Uncertain};
use crate::numeric::statistics;
use crate::regression::candidate::Model;
use crate::regression::spelling::{bits, from_bits};
use crate::regression::{self, Journal, RegressError};

/// Most terms of a sum.
const TERMS: usize = 6;
/// Sums of library terms that are shot.
const SHOT: usize = 28;
/// Proposals of an engine that are shot, and those that are kept from round to round.
const FRONT: usize = 14;
/// Proposals of each rate that are tried together with the others.
const TOGETHER: usize = 6;
/// Windows on a path that are tried, fewest first, and chi2 for each point above which more are.
const WINDOWS: [usize; 3] = [1, 4, 12];
const LOST: f64 = 1.8;
/// Rounds.
const ROUNDS: usize = 3;
/// Noise below this share of a state's size is that of the curves and the integration.
const ROUNDING: f64 = 1e-5;
/// Relative difference of chi2 below which two laws say the same.
const SAME: f64 = 1e-6;
/// Models that are shot in more windows where one does not follow the points.
const AGAIN: usize = 16;
/// Standard errors from 0 at which a constant is sure, so that its term stays.
const SURE: f64 = 8.0;
/// Work of the closed forms.
const CLOSED: u64 = 20_000_000;

/// The names of engines in answers.
const ENGINES: [&str; 3] = [CLOSED_FORMS, GENETIC, weak::NAME];
const CLOSED_FORMS: &str = "closed forms";
const GENETIC: &str = "genetic";

/// Points with their curves and noise.
struct Smooth {
    /// Path, state.
    curves: Vec<Vec<Spline>>,
    /// Standard deviations of the points: path, state, row.
    sigma: Vec<Vec<Vec<f64>>>,
    /// The curves at all points, path after path, of each state.
    states: Vec<Vec<f64>>,
    /// Effective degrees of freedom: path, state.
    freedom: Vec<Vec<f64>>,
}

fn smoothed(paths: &Paths, noise: &[Noise]) -> Result<Smooth, DiscoverError> {
    let states = paths.names.len();
    let mut curves = Vec::new();
    let mut sigma = Vec::new();
    let mut freedom = Vec::new();
    for (place, path) in paths.paths.iter().enumerate() {
        let (mut own, mut errors, mut free) = (Vec::new(), Vec::new(), Vec::new());
        for (k, kind) in noise.iter().enumerate() {
            let x = &path.states[k];
            let largest = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let known = paths.sigma.as_ref().map(|s| s[place][k].clone());
            let by = |level: &dyn Fn(usize) -> f64| -> Vec<f64> {
                match (&known, *kind) {
                    (Some(known), _) => known.clone(),
                    (None, Noise::Absolute(s)) => {
                        vec![s.max(ROUNDING * largest).max(f64::MIN_POSITIVE); x.len()]
                    }
                    (None, Noise::Relative(s)) => (0..x.len())
                        .map(|i| (s * level(i).abs().max(curve::LEAST * largest)).max(ROUNDING * largest))
                        .collect(),
                }
            };
            let mut level = by(&|i| x[i]);
            let mut spline = None;
            for _ in 0..3 {
                let weights: Vec<f64> = level.iter().map(|s| 1.0 / s).collect();
                let Some(s) = Spline::smooth(&path.times, x, &weights) else { break };
                level = by(&|i| s.both(path.times[i]).0);
                spline = Some(s);
                if known.is_some() || matches!(kind, Noise::Absolute(_)) {
                    break;
                }
            }
            let Some(s) = spline else {
                return Err(DiscoverError::Nothing { state: paths.names[k].to_string() });
            };
            free.push(s.freedom);
            own.push(s);
            errors.push(level);
        }
        curves.push(own);
        sigma.push(errors);
        freedom.push(free);
    }
    let at = |k: usize| {
        let each = paths.paths.iter().zip(&curves);
        each.flat_map(|(p, c)| p.times.iter().map(|t| c[k].value(*t)).collect::<Vec<f64>>()).collect()
    };
    let states = (0..states).map(at).collect();
    Ok(Smooth { curves, sigma, states, freedom })
}

/// Slopes of smoothed points as a table.
fn smooth_table(paths: &Paths, smooth: &Smooth, k: usize) -> Table {
    let mut rates = Vec::new();
    let mut sigma = Vec::new();
    for (path, curves) in paths.paths.iter().zip(&smooth.curves) {
        let s = &curves[k];
        for t in &path.times {
            rates.push(s.both(*t).1);
            // The points' slopes hold no more than the degrees of freedom of their curve.
            sigma.push(s.slope_error(*t) * (path.times.len() as f64 / s.freedom).sqrt());
        }
    }
    let size = statistics::rms(&rates).max(f64::MIN_POSITIVE);
    sigma.iter_mut().for_each(|s| *s = s.max(1e-9 * size));
    let times = paths.paths.iter().flat_map(|p| p.times.iter().copied()).collect();
    Table { times, states: smooth.states.clone(), rates, sigma: Some(sigma), resolution: None }.thinned()
}

/// What all rounds share.
struct Seen<'a> {
    paths: &'a Paths,
    plan: &'a Plan,
    smooth: &'a Smooth,
    cancel: &'a CancelToken,
    journal: &'a Journal<'a>,
}

/// Proposals that were tried together.
struct Together {
    /// The place of each state's proposal.
    chosen: Vec<usize>,
    shot: Shot,
    /// The description length of all.
    total: f64,
    /// Windows on each path with which it was fitted.
    each: usize,
}

impl Together {
    fn write(&self) -> Json {
        json!([self.chosen, self.shot.write(), bits(self.total), self.each])
    }

    fn read(value: &Json) -> Option<Together> {
        let place = |c: &Json| usize::try_from(c.as_u64()?).ok();
        Some(Together {
            chosen: value[0].as_array()?.iter().map(place).collect::<Option<_>>()?,
            shot: Shot::read(&value[1])?,
            total: from_bits(&value[2])?,
            each: place(&value[3])?,
        })
    }
}

impl Seen<'_> {
    /// The sums of [`Seen::sums`], or those that were found before.
    fn kept_sums(&self, k: usize, states: &[Vec<f64>]) -> Vec<Model> {
        self.journal.step(
            "sums",
            self.cancel,
            || self.sums(k, states),
            |all, w| all.iter().map(|m| w.model(m)).collect(),
            |all, r| all.as_array()?.iter().map(|m| r.model(m, &ENGINES)).collect(),
        )
    }

    fn states(&self) -> usize {
        self.paths.names.len()
    }

    /// Sums of library terms for the rate of a state, where the states are `states`; the shortest descriptions first.
    fn sums(&self, k: usize, states: &[Vec<f64>]) -> Vec<Model> {
        let (paths, plan) = (self.paths, self.plan);
        let sigma: Vec<Vec<f64>> = self.smooth.sigma.iter().map(|s| s[k].clone()).collect();
        let freedom: Vec<f64> = self.smooth.freedom.iter().map(|f| f[k]).collect();
        let Some(weak) = Weak::new(paths, k, &sigma, &freedom) else { return Vec::new() };
        let allows = |name: &str| plan.operators.iter().any(|o| o == name);
        let library = library(paths, states, &allows, plan.forced);
        let most = if allows("+") { TERMS } else { 1 };
        let rows = weak.rows();
        let mut sums: Vec<(Model, f64)> = weak
            .sums(&library, paths.rate_dimension(k), most, &|d| is_allowed(&plan.constants, d))
            .into_iter()
            .filter_map(|(m, chi2)| Some((restricted(m, &plan.constants)?, chi2)))
            .map(|(m, chi2)| {
                let starts: Vec<f64> = m.parameters.iter().map(|p| p.start).collect();
                let unknown = vec![f64::NAN; starts.len()];
                let length = length(&m, &starts, &unknown, chi2, rows, self.states());
                (m, length)
            })
            .collect();
        sums.sort_by(|a, b| a.1.total_cmp(&b.1));
        sums.into_iter().take(SHOT).map(|s| s.0).collect()
    }

    /// Laws of the engines for the rate of a state, the work, and whether a bound on it was reached.
    fn laws(&self, k: usize) -> Result<(Vec<Model>, u64, bool), Failure> {
        let (paths, plan) = (self.paths, self.plan);
        let problem = problem(paths, plan, k, &smooth_table(paths, self.smooth, k));
        let mut methods = Vec::new();
        if plan.method == Method::Auto {
            methods.push((regression::Method::Closed, CLOSED.min(plan.work), CLOSED_FORMS));
        }
        if plan.method != Method::Sindy {
            methods.push((regression::Method::Genetic, plan.work, GENETIC));
        }
        let (mut models, mut work, mut bounded) = (Vec::new(), 0, false);
        for (method, bound, name) in methods {
            if self.cancel.stop().is_some() {
                break;
            }
            match self.journal.regress(&problem, &engine(plan, method, bound, k), self.cancel, &|_| {}) {
                Ok(found) => {
                    work += found.work;
                    bounded |= found.stopped == StopReason::Work;
                    let front = found.front.candidates();
                    let best = found.front.best_index().unwrap_or(0);
                    let from = (best + 3).saturating_sub(FRONT).min(front.len());
                    let laws = front[from..].iter().take(FRONT).map(|c| opened(&c.expr, name));
                    models.extend(laws.filter_map(|m| restricted(m, &plan.constants)));
                }
                Err(RegressError::Constant { .. }) => {}
                Err(fault) => return Err(boxed(fault)),
            }
        }
        Ok((models, work, bounded))
    }

    /// The proposals for the rate of a state, shot alone, the shortest description first.
    fn alone(&self, course: &Course<'_>, k: usize, models: &[Model]) -> Vec<Proposal> {
        // A few windows keep a wrong rate comparable.
        let fewest = if self.states() == 1 { 1 } else { 2 };
        let shot = |(place, model): (usize, &Model)| -> Option<Proposal> {
            let starts: Vec<f64> = model.parameters.iter().map(|p| p.start).collect();
            let mut best: Option<Proposal> = None;
            for each in WINDOWS.into_iter().filter(|w| *w >= fewest) {
                let from = std::slice::from_ref(&starts);
                let Some(shot) = course.shoot(&[k], &[model], from, each, self.cancel) else { continue };
                let Shot { mut values, mut errors, chi2, points, windows, .. } = shot;
                let (values, errors) = (values.swap_remove(0), errors.swap_remove(0));
                let own = length(model, &values, &errors, chi2[0], points, self.states());
                let length = own + price(windows, points);
                if length.is_finite() && best.as_ref().is_none_or(|b| length < b.length) {
                    best = Some(Proposal { model: model.clone(), values, chi2: chi2[0], length });
                }
                if chi2[0] < LOST * points as f64 || place >= AGAIN {
                    break;
                }
            }
            best
        };
        let mut own: Vec<Proposal> = models.par_iter().enumerate().filter_map(shot).collect();
        own.sort_by(|a, b| a.length.total_cmp(&b.length));
        let mut kept: Vec<Proposal> = Vec::new();
        for p in own {
            let same =
                |q: &Proposal| q.values.len() == p.values.len() && (q.chi2 - p.chi2).abs() < SAME * p.chi2;
            if !kept.iter().any(same) {
                kept.push(p);
            }
        }
        kept
    }

    /// The proposals that describe all points best together: from the best of each, one exchanged at a time.
    fn together(&self, course: &Course<'_>, proposals: &[Vec<Proposal>]) -> Option<Together> {
        let states: Vec<usize> = (0..proposals.len()).collect();
        let fit = |chosen: &[usize], each: usize| -> Option<Together> {
            let picked: Vec<&Proposal> = chosen.iter().enumerate().map(|(k, c)| &proposals[k][*c]).collect();
            let models: Vec<&Model> = picked.iter().map(|p| &p.model).collect();
            let values: Vec<Vec<f64>> = picked.iter().map(|p| p.values.clone()).collect();
            let (shot, _, total) = self.fitted(course, &states, &models, &values, each)?;
            Some(Together { chosen: chosen.to_vec(), shot, total, each })
        };
        // As few windows as follow the points.
        let mut best: Option<Together> = None;
        for each in WINDOWS {
            if let Some(found) = fit(&vec![0; proposals.len()], each) {
                let follows = found.shot.follows(LOST);
                if follows || best.as_ref().is_none_or(|b| found.total < b.total) {
                    best = Some(found);
                }
                if follows {
                    break;
                }
            }
        }
        let mut best = best?;
        loop {
            let mut tries = Vec::new();
            for (k, own) in proposals.iter().enumerate() {
                for c in (0..own.len().min(TOGETHER)).filter(|c| *c != best.chosen[k]) {
                    let mut other = best.chosen.clone();
                    other[k] = c;
                    tries.push(other);
                }
            }
            let tried: Vec<Option<Together>> = tries.par_iter().map(|t| fit(t, best.each)).collect();
            let least = tried.into_iter().flatten().min_by(|a, b| a.total.total_cmp(&b.total));
            match least {
                Some(found) if found.total < best.total && self.cancel.stop().is_none() => best = found,
                _ => break,
            }
        }
        Some(best)
    }

    /// The same with terms left out one by one, as long as that shortens the description: alone, along curves that are not
    /// the path, a term may make up for what they are off.
    fn shortened(
        &self,
        course: &Course<'_>,
        proposals: &mut [Vec<Proposal>],
        mut best: Together,
    ) -> Together {
        let states: Vec<usize> = (0..proposals.len()).collect();
        while self.cancel.stop().is_none() {
            let picked: Vec<&Proposal> =
                best.chosen.iter().enumerate().map(|(k, c)| &proposals[k][*c]).collect();
            let mut tries: Vec<(usize, Model, Vec<f64>)> = Vec::new();
            for (k, p) in picked.iter().enumerate() {
                let unsure = |j: usize| {
                    let (value, error) = (best.shot.values[k][j], best.shot.errors[k][j]);
                    value.abs().total_cmp(&(SURE * error)).is_le() || error.is_nan()
                };
                tries.extend(
                    shorter(&p.model, &best.shot.values[k], &unsure).into_iter().map(|(m, v)| (k, m, v)),
                );
            }
            let fit = |(k, model, values): &(usize, Model, Vec<f64>)| -> Option<(Shot, Vec<f64>, f64)> {
                let models: Vec<&Model> =
                    picked.iter().enumerate().map(|(j, p)| if j == *k { model } else { &p.model }).collect();
                let mut from = best.shot.values.clone();
                from[*k].clone_from(values);
                self.fitted(course, &states, &models, &from, best.each)
            };
            let tried: Vec<Option<(Shot, Vec<f64>, f64)>> = tries.par_iter().map(fit).collect();
            let found = tries.into_iter().zip(tried).filter_map(|(t, f)| Some((t, f?)));
            match found.min_by(|a, b| a.1.2.total_cmp(&b.1.2)) {
                Some(((k, model, _), (shot, lengths, total))) if total < best.total => {
                    let (values, chi2) = (shot.values[k].clone(), shot.chi2[k]);
                    best.chosen[k] = proposals[k].len();
                    proposals[k].push(Proposal { model, values, chi2, length: lengths[k] });
                    best = Together { shot, total, ..best };
                }
                _ => break,
            }
        }
        best
    }

    /// The rates of all states fitted together: the fit, the description length of each, and that of all.
    fn fitted(
        &self,
        course: &Course<'_>,
        states: &[usize],
        models: &[&Model],
        values: &[Vec<f64>],
        each: usize,
    ) -> Option<(Shot, Vec<f64>, f64)> {
        let shot = course.shoot(states, models, values, each, self.cancel)?;
        let own = |k: usize| {
            length(models[k], &shot.values[k], &shot.errors[k], shot.chi2[k], shot.points, models.len())
        };
        let lengths: Vec<f64> = (0..models.len()).map(own).collect();
        let total = lengths.iter().sum::<f64>() + price(shot.windows * models.len(), shot.points);
        total.is_finite().then_some((shot, lengths, total))
    }

    /// In as few windows as now follow the points: the answer is one path.
    fn joined(&self, course: &Course<'_>, proposals: &[Vec<Proposal>], mut best: Together) -> Together {
        let states: Vec<usize> = (0..proposals.len()).collect();
        for fewer in WINDOWS.into_iter().filter(|w| *w < best.each) {
            let models: Vec<&Model> =
                best.chosen.iter().enumerate().map(|(k, c)| &proposals[k][*c].model).collect();
            if let Some(shot) = course.shoot(&states, &models, &best.shot.values, fewer, self.cancel)
                && shot.follows(LOST)
            {
                best.shot = shot;
                break;
            }
        }
        best
    }
}

/// Finds the system.
pub fn find(
    paths: &Paths,
    plan: &Plan,
    noise: &[Noise],
    cancel: &CancelToken,
    progress: &(dyn Fn(f64) + Sync),
    journal: &Journal<'_>,
) -> Result<Discovered, Failure> {
    let states = paths.names.len();
    let smooth = smoothed(paths, noise).map_err(boxed)?;
    let seen = Seen { paths, plan, smooth: &smooth, cancel, journal };
    let mut course = Course::new(paths, &smooth.curves, &smooth.sigma);
    let mut along = smooth.states.clone();
    let mut models: Vec<Vec<Model>> = Vec::new();
    let (mut work, mut stopped) = (0, StopReason::Saturated);
    for k in 0..states {
        let mut own = match plan.method {
            Method::Genetic => Vec::new(),
            _ => seen.kept_sums(k, &along),
        };
        let (laws, done, bounded) = seen.laws(k)?;
        own.extend(laws);
        work += done;
        if bounded {
            stopped = StopReason::Work;
        }
        models.push(own);
        progress(0.6 * (k + 1) as f64 / states as f64);
    }
    let mut best: Option<(Together, Vec<Vec<Proposal>>)> = None;
    for round in 0..ROUNDS {
        let mut proposals = Vec::new();
        for (k, own) in models.iter_mut().enumerate() {
            let mut known = std::collections::HashSet::new();
            own.retain(|m| known.insert(m.template.stable_hash()));
            let shot = journal.step(
                "alone",
                cancel,
                || seen.alone(&course, k, own),
                |all, w| all.iter().map(|p| p.write(w)).collect(),
                |all, r| all.as_array()?.iter().map(|p| Proposal::read(p, r, &ENGINES)).collect(),
            );
            if shot.is_empty() {
                return Err(boxed(DiscoverError::Nothing { state: paths.names[k].to_string() }));
            }
            proposals.push(shot);
        }
        progress(0.6 + 0.4 * (round + 1) as f64 / ROUNDS as f64);
        let found = journal.step(
            "together",
            cancel,
            || seen.together(&course, &proposals),
            |found, _| found.as_ref().map_or(Json::Null, Together::write),
            |found, _| match found {
                Json::Null => Some(None),
                found => Together::read(found).map(Some),
            },
        );
        let Some(found) = found else { break };
        let found = seen.shortened(&course, &mut proposals, found);
        let found = seen.joined(&course, &proposals, found);
        let better = best.as_ref().is_none_or(|b| found.total < b.0.total);
        // Along a path that follows the points, all is looked for again.
        let goes_on = better && found.shot.follows(LOST);
        if goes_on {
            along = (0..states)
                .map(|k| found.shot.path.iter().flat_map(|p| p[k].iter().copied()).collect())
                .collect();
            course.drive(&found.shot.path);
            models = proposals
                .iter()
                .enumerate()
                .map(|(k, own)| {
                    let kept = own.iter().take(FRONT).map(|p| {
                        let mut model = p.model.clone();
                        model.parameters.iter_mut().zip(&p.values).for_each(|(p, x)| p.start = *x);
                        model
                    });
                    let mut all: Vec<Model> = kept.collect();
                    if plan.method != Method::Genetic {
                        all.extend(seen.kept_sums(k, &along));
                    }
                    all
                })
                .collect();
        }
        if better || best.is_none() {
            best = Some((found, proposals));
        }
        if !goes_on || cancel.stop().is_some() {
            break;
        }
    }
    let Some((found, proposals)) = best else {
        return Err(boxed(DiscoverError::Nothing { state: paths.names[0].to_string() }));
    };
    let all: Vec<f64> = found.shot.values.concat();
    let covariance = Covariance { size: all.len(), matrix: found.shot.covariance.iter().copied().collect() };
    let constants = Uncertain::joint(plan.identity, &all, covariance);
    let mut next = 0;
    let mut rates = Vec::new();
    for (own, c) in proposals.iter().zip(&found.chosen) {
        let p = &own[*c];
        let n = p.model.parameters.len();
        let expr = written(&p.model, constants[next..next + n].iter().map(|u| Expr::uncertain(u.clone())));
        next += n;
        rates.push(rate(expr, p));
    }
    let others = proposals
        .iter()
        .zip(&found.chosen)
        .map(|(own, chosen)| {
            let rest = own.iter().enumerate().filter(|(k, _)| k != chosen).take(FRONT);
            rest.map(|(_, p)| rate(written(&p.model, p.values.iter().map(|x| Expr::float(*x))), p)).collect()
        })
        .collect();
    Ok(Discovered {
        rates,
        others,
        noise: noise.to_vec(),
        starts: found.shot.starts,
        r2: Vec::new(),
        stopped,
        work,
        notes: Vec::new(),
    })
}

fn rate(expr: Expr, p: &Proposal) -> Rate {
    let size = regression::size(&expr);
    Rate { expr, size, description_length: p.length, engine: p.model.engine.into() }
}
