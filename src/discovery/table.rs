//! Tables of rates for the engines of `regression`.

use super::Plan;
use super::paths::Paths;
use crate::expression::Symbol;
use crate::regression::{self, Problem};
use crate::units::{Dimension, Unit};

/// Rows that engines look at.
const ROWS: usize = 600;

/// Identities of the uncertain constants of one search for a rate.
const OWN: u64 = 1 << 16;
/// Searches for each rate.
pub const SEARCHES: usize = 2;

/// How many identities of uncertain constants the searches for the rates of so many states take.
pub fn identities(states: usize) -> u64 {
    OWN * (SEARCHES * states) as u64
}

/// The options of an engine's search, one of [`SEARCHES`] times the states.
pub fn engine(plan: &Plan, method: regression::Method, work: u64, k: usize) -> regression::Plan {
    regression::Plan {
        method,
        operators: plan.operators.clone(),
        constants: plan.constants.clone(),
        work: Some(work),
        deadline: None,
        threads: rayon::current_num_threads(),
        seed: plan.seed,
        identity: plan.identity + OWN * k as u64,
        without: Vec::new(),
        criteria: regression::Criteria::default(),
        own: Vec::new(),
        guesses: Vec::new(),
        denoise: false,
    }
}

/// A table of a state's rate.
pub fn problem(paths: &Paths, plan: &Plan, k: usize, rows: &Table) -> Problem {
    let mut names = paths.names.clone();
    let mut columns = rows.states.clone();
    let mut dimensions: Vec<Dimension> = (0..names.len()).map(|k| paths.dimension(k)).collect();
    let mut units = paths.units.clone();
    if plan.forced {
        names.push(paths.over.clone());
        columns.push(rows.times.clone());
        dimensions.push(if paths.dimensions.is_some() { paths.over_dimension } else { Dimension::NONE });
        units.push(paths.dimensions.is_some().then(|| Unit::coherent(paths.over_dimension)));
    }
    let dimension = paths.rate_dimension(k);
    Problem {
        names,
        columns,
        dimensions: paths.dimensions.is_some().then_some(dimensions),
        units,
        target: rows.rates.clone(),
        target_symbol: Symbol::new(&format!("{}'", paths.names[k])),
        target_dimension: dimension,
        target_unit: (!dimension.is_none()).then(|| Unit::coherent(dimension)),
        sigma: rows.sigma.clone(),
        row_weights: None,
        resolution: rows.resolution,
    }
}

/// Rows for an engine.
pub struct Table {
    /// Values of the independent variable.
    pub times: Vec<f64>,
    /// The states, a list each.
    pub states: Vec<Vec<f64>>,
    /// The rate of one of them.
    pub rates: Vec<f64>,
    /// Its standard errors.
    pub sigma: Option<Vec<f64>>,
    /// What its last digit is worth.
    pub resolution: Option<f64>,
}

impl Table {
    /// With no more rows than engines look at.
    pub fn thinned(mut self) -> Table {
        let n = self.rates.len();
        let step = n.div_ceil(ROWS).max(1);
        let thin = |list: &mut Vec<f64>| *list = list.iter().copied().step_by(step).collect();
        thin(&mut self.times);
        self.states.iter_mut().for_each(thin);
        thin(&mut self.rates);
        self.sigma.iter_mut().for_each(thin);
        self
    }

    /// Some of the rows.
    pub fn keep(mut self, keep: &[bool]) -> Table {
        let pick = |list: &mut Vec<f64>| {
            *list = list.iter().zip(keep).filter(|(_, k)| **k).map(|(x, _)| *x).collect();
        };
        pick(&mut self.times);
        self.states.iter_mut().for_each(pick);
        pick(&mut self.rates);
        self.sigma.iter_mut().for_each(pick);
        self
    }
}
