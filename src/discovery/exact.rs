//! Exact points: each rate is a law for the engines of `regression`.

use super::curve;
use super::table::{Table, engine, problem};
use super::{DiscoverError, Discovered, Failure, Method, Noise, Paths, Plan, Rate, boxed};
use crate::base::{CancelToken, StopReason};
use crate::expression::Expr;
use crate::numeric::statistics;
use crate::regression::cancel::cancelled;
use crate::regression::{self, Candidate, Journal, RegressError};
use crate::units::Unit;

/// Rows of exact slopes that must be left.
const FEW: usize = 24;
/// Laws of a front that are kept beside the best.
const OTHERS: usize = 14;

/// A number with so many significant digits.
fn rounded(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits.max(1) - 1).parse().unwrap_or(x)
}

/// The slopes of exact points as a table, rounded to the digits that hold.
fn exact_table(paths: &Paths, k: usize, noise: Noise) -> Table {
    let mut table = Table {
        times: Vec::new(),
        states: vec![Vec::new(); paths.names.len()],
        rates: Vec::new(),
        sigma: None,
        resolution: None,
    };
    let mut squares = 0.0;
    for path in &paths.paths {
        let size = statistics::rms(&path.states[k]);
        let level = match noise {
            Noise::Absolute(s) => s,
            Noise::Relative(s) => s * size,
        };
        let slopes = curve::slopes(&path.times, &path.states[k], level.max(1e-16 * size));
        let n = path.times.len();
        // One-sided polynomials at the ends are worse.
        let inside = slopes.side..n - slopes.side;
        squares += slopes.error * slopes.error * inside.len() as f64;
        table.times.extend(&path.times[inside.clone()]);
        table.rates.extend(&slopes.values[inside.clone()]);
        for (all, own) in table.states.iter_mut().zip(&path.states) {
            all.extend(&own[inside.clone()]);
        }
    }
    let error = (squares / table.rates.len().max(1) as f64).sqrt();
    let size = statistics::rms(&table.rates);
    let digits = ((size / error.max(1e-13 * size)).log10().floor() as usize).saturating_sub(1).clamp(3, 11);
    // A small slope has fewer digits than are claimed for all.
    let least = error * 10f64.powi(digits as i32);
    let keep: Vec<bool> = table.rates.iter().map(|r| r.abs() >= least).collect();
    let kept = keep.iter().filter(|k| **k).count();
    if kept >= FEW.min(table.rates.len()) {
        table = table.keep(&keep);
    }
    table.rates.iter_mut().for_each(|r| *r = rounded(*r, digits));
    let last = |r: &f64| match *r {
        0.0 => 0.0,
        r => 10f64.powf(r.abs().log10().floor() + 1.0 - digits as f64),
    };
    let grain = statistics::rms(&table.rates.iter().map(last).collect::<Vec<f64>>());
    table.resolution = Some(grain.hypot(error.max(1e-13 * size) * 12f64.sqrt()));
    table.thinned()
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
    let mut rates = Vec::new();
    let mut others = Vec::new();
    let mut work = 0;
    let mut notes = Vec::new();
    let mut stopped = StopReason::Found;
    for (k, level) in noise.iter().enumerate() {
        let table = exact_table(paths, k, *level);
        let problem = problem(paths, plan, k, &table);
        let first = match plan.method {
            Method::Auto => regression::Method::Auto,
            Method::Sindy => regression::Method::Closed,
            Method::Genetic => regression::Method::Genetic,
        };
        let mut all: Vec<Candidate> = Vec::new();
        let mut complete = false;
        let mut methods = vec![first];
        if plan.method == Method::Auto {
            methods.push(regression::Method::Genetic);
        }
        for (m, method) in methods.into_iter().enumerate() {
            if complete || cancel.stop().is_some() {
                break;
            }
            let options = engine(plan, method, plan.work, k + states * m);
            let told = |r: &regression::Report<'_>| {
                progress((k as f64 + 0.5 * (m as f64 + r.share)) / states as f64);
            };
            match journal.regress(&problem, &options, cancel, &told) {
                Ok(found) => {
                    work += found.work;
                    complete = found.stopped == StopReason::Found;
                    all.extend(found.front.candidates().iter().cloned());
                }
                // A rate that is the same number in all rows.
                Err(RegressError::Constant { value, .. }) => {
                    let unit = Unit::coherent(paths.rate_dimension(k));
                    let value = Expr::float(value);
                    let expr = if unit.is_one() { value } else { value * Expr::unit(unit) };
                    rates.push(Rate { size: 1, expr, description_length: 0.0, engine: "constant".into() });
                    others.push(Vec::new());
                    break;
                }
                Err(fault) => return Err(boxed(fault)),
            }
        }
        if rates.len() > k {
            continue;
        }
        if !complete {
            stopped = StopReason::Work;
            notes.push(format!("the rate of `{}` was not found exactly", paths.names[k]));
        }
        all.sort_by(|a, b| a.description_length.total_cmp(&b.description_length).then(a.size.cmp(&b.size)));
        let mut own = all.iter().map(|c| {
            let expr = cancelled(&c.expr);
            Rate {
                size: if expr == c.expr { c.size } else { regression::size(&expr) },
                expr,
                description_length: c.description_length,
                engine: c.engine.to_string(),
            }
        });
        let Some(best) = own.next() else {
            return Err(boxed(DiscoverError::Nothing { state: paths.names[k].to_string() }));
        };
        others.push(own.take(OTHERS).collect());
        rates.push(best);
    }
    let starts = paths.paths.iter().map(|p| p.states.iter().map(|s| s[0]).collect()).collect();
    Ok(Discovered { rates, others, noise: noise.to_vec(), starts, r2: Vec::new(), stopped, work, notes })
}
