//! A problem that is a whole system: learned from the path of its first start, tried on it and on the path of the second
//! (S. d'Ascoli et al., "ODEFormer", ICLR 2024, sec. 5: reconstruction and generalisation, R2 weighted by variance). Noise is in
//! proportion to the values. A system has the structure of the truth where each of its rates has it, whatever the constants.

use super::problems::Problem;
use super::rows::Paths;
use super::verdict::Judge;
use crate::base::random::Streams;
use crate::base::{CancelToken, Code, Diagnostic};
use crate::discovery::{self, Discovered, Method, Plan};
use crate::expression::{Expr, Kind, Symbol, Uncertain};
use crate::language::Context;
use crate::numeric::ode::{self, End, TapeRates};
use crate::numeric::{normal, statistics};
use crate::regression::Constants;

/// Local error of the paths of the truth.
const TOLERANCE: f64 = 1e-12;
/// Local error of the paths of what was found, and most steps.
const COARSE: f64 = 1e-8;
const STEPS: u64 = 200_000;
/// The share of the variance that must be explained.
pub const ENOUGH: f64 = 0.9;
/// Work of each engine for each rate, where none is given.
pub const WORK: u64 = 60_000_000;

/// A system with the laws of its rates.
#[derive(Clone, Debug)]
pub struct System {
    /// Its paths: the first to learn from, the second for the test.
    pub paths: Paths,
    /// A problem for each rate.
    pub rates: Vec<Problem>,
}

/// What became of it.
#[derive(Debug)]
pub struct Learned {
    /// What was found.
    pub found: Discovered,
    /// The share of the variance explained on the path of the first start, without noise.
    pub reconstruction: f64,
    /// The same for the second.
    pub generalisation: f64,
    /// Whether each rate has the structure of the truth.
    pub structure: Vec<bool>,
}

fn path(
    rates: &[Expr],
    paths: &Paths,
    start: &[f64],
    relative: f64,
    cancel: &CancelToken,
) -> Option<Vec<Vec<f64>>> {
    let times: Vec<f64> = (0..paths.points).map(|k| k as f64 * paths.step).collect();
    let mut compiled = TapeRates::new(rates, &Symbol::new("#t"), &paths.states, &[]).ok()?;
    let options = ode::Options { relative, max_steps: STEPS, ..ode::Options::default() };
    let path = ode::integrate(&mut compiled, start, &times, ode::Method::Auto, &options, cancel).ok()?;
    (path.end == End::Complete).then_some(path.states)
}

/// 1 - squared residuals over squared deviations, of all states together.
fn explained(truth: &[Vec<f64>], found: Option<Vec<Vec<f64>>>) -> f64 {
    let Some(found) = found else { return f64::NEG_INFINITY };
    let (mut left, mut all) = (0.0, 0.0);
    for (x, y) in truth.iter().zip(&found) {
        let mean = statistics::mean(x);
        left += x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
        all += x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    }
    1.0 - left / all
}

/// Numbers without their uncertainty.
fn plain(e: &Expr) -> Expr {
    super::problems::plain(e)
}

/// A law whose constants may be anything.
fn loose(e: &Expr) -> Expr {
    e.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => {
            Expr::uncertain(Uncertain::new(u.id(), u.value(), 1e6 * u.value().abs().max(1.0)))
        }
        _ => e,
    })
}

/// Learns a system and judges it.
///
/// # Errors
/// A truth that cannot be followed, or data in which nothing was found.
pub fn learn(
    system: &System,
    settings: &super::Settings,
    seed: u64,
    context: &mut Context,
    cancel: &CancelToken,
    searched: &dyn Fn(),
) -> Result<Learned, Box<Diagnostic>> {
    let never = CancelToken::new();
    let truths: Option<Vec<Vec<Vec<f64>>>> = system
        .paths
        .starts
        .iter()
        .map(|s| path(&system.paths.rates, &system.paths, s, TOLERANCE, &never))
        .collect();
    let Some(truths) = truths.filter(|t| t.len() == 2) else {
        let message = "a path of the system cannot be followed to its end".to_string();
        return Err(Box::new(Diagnostic::error(Code(8034), None, message)));
    };
    let seen: Vec<Vec<f64>> = truths[0]
        .iter()
        .enumerate()
        .map(|(k, values)| {
            let mut rng = Streams::new(seed).block("bench/system", k as u64);
            let mut noisy = |x: &f64| match settings.relative_noise {
                0.0 => *x,
                share => x * (1.0 + share * normal::standard_normal(&mut rng)),
            };
            values.iter().map(&mut noisy).collect()
        })
        .collect();
    let times: Vec<f64> = (0..system.paths.points).map(|k| k as f64 * system.paths.step).collect();
    let paths = discovery::Paths {
        over: Symbol::new("t"),
        over_dimension: crate::units::Dimension::NONE,
        names: system.paths.states.clone(),
        dimensions: None,
        units: vec![None; system.paths.states.len()],
        paths: vec![discovery::Path { times, states: seen }],
        sigma: None,
    };
    let plan = Plan {
        method: settings.method.parse().unwrap_or(Method::Auto),
        operators: settings.operators.clone(),
        constants: Constants::Free,
        work: settings.work.unwrap_or(WORK),
        threads: 1,
        seed,
        identity: 1,
        forced: false,
    };
    let found = discovery::discover(&paths, &plan, cancel, &|_| {});
    searched();
    let found = found.map_err(|f| Box::new(Diagnostic::from_fault(&*f, None)))?;
    let rates: Vec<Expr> = found.rates.iter().map(|r| plain(&r.expr)).collect();
    let follow = |k: usize| {
        let own = path(&rates, &system.paths, &system.paths.starts[k], COARSE, &never);
        explained(&truths[k], own)
    };
    let structure = system
        .rates
        .iter()
        .zip(&found.rates)
        .map(|(problem, rate)| {
            Judge::new(problem, 1.0, None).is_some_and(|j| j.robust(&loose(&rate.expr), context).holds())
        })
        .collect();
    Ok(Learned { reconstruction: follow(0), generalisation: follow(1), structure, found })
}
