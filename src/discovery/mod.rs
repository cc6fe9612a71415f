//! Layer 5: systems of differential equations x' = f(x) from paths of their states. Where the points are exact, slopes
//! follow from local polynomials and each rate is a law that `regression` finds. Where they are noisy, states are smoothed
//! (`curve.rs`); sums of library terms come from the weak form (`weak.rs`), other laws from the engines of `regression`; every
//! proposal is fitted to the points themselves through the integrator (`shoot.rs`), and the description length of
//! the points decides, first of each rate alone, then of all together (`noisy.rs`).
//!
//! All numbers are in coherent SI units.

pub mod checkpoint;
mod curve;
mod error;
mod exact;
mod library;
mod noisy;
mod paths;
mod proposal;
mod shoot;
mod table;
#[cfg(test)]
mod tests;
mod weak;

pub use curve::Noise;
pub use error::{CODES, DiscoverError};
pub use paths::{FEWEST, Path, Paths};
pub use table::identities;

use crate::base::{CancelToken, Fault, StopReason, Threads};
use crate::expression::{Expr, Kind};
use crate::numeric::ode::{self, End, TapeRates};
use crate::numeric::statistics;
use crate::regression::{Constants, Journal};

/// Which proposals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All.
    Auto,
    /// Sums of library terms.
    Sindy,
    /// The genetic search.
    Genetic,
}

impl std::str::FromStr for Method {
    type Err = DiscoverError;

    fn from_str(word: &str) -> Result<Method, DiscoverError> {
        match word {
            "auto" => Ok(Method::Auto),
            "sindy" => Ok(Method::Sindy),
            "genetic" => Ok(Method::Genetic),
            _ => Err(DiscoverError::Method { found: word.into() }),
        }
    }
}

/// All options, every default filled in.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which proposals are made.
    pub method: Method,
    /// Names of operators and functions that rates may use.
    pub operators: Vec<String>,
    /// Which constants rates may have.
    pub constants: Constants,
    /// Bound on the work of each engine for each rate, in row evaluations of one term.
    pub work: u64,
    /// Threads; 0 for all.
    pub threads: usize,
    /// The seed.
    pub seed: u64,
    /// The identity of the first uncertain constant; those after it, [`identities`] in all, belong to the search.
    pub identity: u64,
    /// Whether rates may depend on the independent variable.
    pub forced: bool,
}

/// The rate of a state.
#[derive(Clone, Debug)]
pub struct Rate {
    /// The law: fitted constants are uncertain numbers with their unit.
    pub expr: Expr,
    /// Its size.
    pub size: usize,
    /// Description length in nats, of the law with the points of its state.
    pub description_length: f64,
    /// Which engine proposed it.
    pub engine: String,
}

/// A system that was found.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// The rates, in the order of the states.
    pub rates: Vec<Rate>,
    /// Other proposals for each rate, the shortest description first.
    pub others: Vec<Vec<Rate>>,
    /// The noise of each state.
    pub noise: Vec<Noise>,
    /// The states at the start of each path.
    pub starts: Vec<Vec<f64>>,
    /// Share of each state's variance that the integrated system explains, over all paths; NaN where it cannot be followed.
    pub r2: Vec<f64>,
    /// Why the search stopped.
    pub stopped: StopReason,
    /// The work done.
    pub work: u64,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// The operators that rates may have, unless said otherwise.
pub const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "abs"];

/// What makes a search impossible.
pub type Failure = Box<dyn Fault + Send>;

/// Finds the system. `progress` is told the share that is done.
///
/// # Errors
/// Data or options that cannot be used; a rate for which nothing was found.
pub fn discover(
    paths: &Paths,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Discovered, Failure> {
    discover_kept(paths, plan, cancel, progress, &Journal::none())
}

/// The same, going on from what a journal holds.
///
/// # Errors
/// Data or options that cannot be used; a rate for which nothing was found.
pub fn discover_kept(
    paths: &Paths,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &(dyn Fn(f64) + Sync),
    journal: &Journal<'_>,
) -> Result<Discovered, Failure> {
    paths.validate().map_err(boxed)?;
    let run = || search(paths, plan, cancel, progress, journal);
    Threads::new(plan.threads).run(run)
}

fn boxed<F: Fault + Send + 'static>(f: F) -> Failure {
    Box::new(f)
}

fn search(
    paths: &Paths,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &(dyn Fn(f64) + Sync),
    journal: &Journal<'_>,
) -> Result<Discovered, Failure> {
    let states = paths.names.len();
    let noise: Vec<Noise> = (0..states)
        .map(|k| {
            let lists: Vec<(&[f64], &[f64])> =
                paths.paths.iter().map(|p| (&p.times[..], &p.states[k][..])).collect();
            curve::noise(&lists)
        })
        .collect();
    let size = |k: usize| statistics::rms(&paths.state(k).collect::<Vec<f64>>());
    let exact = paths.sigma.is_none()
        && (0..states).all(|k| match noise[k] {
            Noise::Absolute(s) => s <= curve::EXACT * size(k),
            Noise::Relative(s) => s <= curve::EXACT,
        });
    let mut found = match exact {
        true => match exact::find(paths, plan, &noise, cancel, progress, journal) {
            // No time was left for some state.
            Err(_) if cancel.stop().is_some() => noisy::find(paths, plan, &noise, cancel, progress, journal)?,
            other => other?,
        },
        false => noisy::find(paths, plan, &noise, cancel, progress, journal)?,
    };
    // Bounded by its steps: what was found in time is still told apart.
    found.r2 = follow(paths, &found, &CancelToken::new());
    if let Some(reason) = cancel.stop() {
        found.stopped = reason;
    }
    for (k, r2) in found.r2.iter().enumerate() {
        if r2.is_nan() || *r2 <= 0.9 {
            let name = &paths.names[k];
            found.notes.push(match r2.is_finite() {
                true => format!("the system found explains {:.0} % of the variance of `{name}`", 100.0 * r2),
                false => format!("the system found cannot be followed along the path of `{name}`"),
            });
        }
    }
    progress(1.0);
    Ok(found)
}

/// The share of each state's variance that the system explains along the paths.
fn follow(paths: &Paths, found: &Discovered, cancel: &CancelToken) -> Vec<f64> {
    let plain: Vec<Expr> = found
        .rates
        .iter()
        .map(|r| {
            r.expr.transform(&mut |e| match e.kind() {
                Kind::Uncertain(u) => Expr::float(u.value()),
                _ => e,
            })
        })
        .collect();
    let states = paths.names.len();
    let mut residuals: Vec<Vec<f64>> = vec![Vec::new(); states];
    for (path, start) in paths.paths.iter().zip(&found.starts) {
        let Ok(mut rates) = TapeRates::new(&plain, &paths.over, &paths.names, &[]) else {
            return vec![f64::NAN; states];
        };
        let options = ode::Options { relative: 1e-7, max_steps: 100_000, ..ode::Options::default() };
        match ode::integrate(&mut rates, start, &path.times, ode::Method::Auto, &options, cancel) {
            Ok(p) if p.end == End::Complete => {
                for (k, left) in residuals.iter_mut().enumerate() {
                    left.extend(p.states[k].iter().zip(&path.states[k]).map(|(a, b)| a - b));
                }
            }
            _ => return vec![f64::NAN; states],
        }
    }
    (0..states).map(|k| statistics::r2(&paths.state(k).collect::<Vec<f64>>(), &residuals[k])).collect()
}
