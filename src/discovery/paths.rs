//! What systems are looked for in: paths of states over one variable, in coherent SI units.

use super::error::DiscoverError;
use crate::expression::Symbol;
use crate::units::{Dimension, Unit};

/// Fewest points of a path.
pub const FEWEST: usize = 12;

/// The path of a system from one start.
#[derive(Clone, Debug)]
pub struct Path {
    /// Values of the independent variable, increasing.
    pub times: Vec<f64>,
    /// The states there, one list a state.
    pub states: Vec<Vec<f64>>,
}

/// Paths of one system.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The independent variable.
    pub over: Symbol,
    /// Its dimension.
    pub over_dimension: Dimension,
    /// The states.
    pub names: Vec<Symbol>,
    /// Their dimensions; `None`: units play no part.
    pub dimensions: Option<Vec<Dimension>>,
    /// Their units as in the data.
    pub units: Vec<Option<Unit>>,
    /// The paths.
    pub paths: Vec<Path>,
    /// Standard errors of the states, as the states lie, where they are known.
    pub sigma: Option<Vec<Vec<Vec<f64>>>>,
}

impl Paths {
    /// Points of all paths.
    pub fn rows(&self) -> usize {
        self.paths.iter().map(|p| p.times.len()).sum()
    }

    /// All values of a state.
    pub fn state(&self, k: usize) -> impl Iterator<Item = f64> + '_ {
        self.paths.iter().flat_map(move |p| p.states[k].iter().copied())
    }

    /// The dimension of a state; none where units play no part.
    pub fn dimension(&self, k: usize) -> Dimension {
        self.dimensions.as_ref().map_or(Dimension::NONE, |d| d[k])
    }

    /// The dimension of a state's rate.
    pub fn rate_dimension(&self, k: usize) -> Dimension {
        match self.dimensions {
            Some(_) => self.dimension(k).div(self.over_dimension).unwrap_or(Dimension::NONE),
            None => Dimension::NONE,
        }
    }

    /// Checks the data.
    ///
    /// # Errors
    /// No states, too few points on a path, numbers that are not finite, times that do not increase, a state that never
    /// changes, standard errors that are not positive.
    pub fn validate(&self) -> Result<(), DiscoverError> {
        if self.names.is_empty() {
            return Err(DiscoverError::NoStates { over: self.over.to_string() });
        }
        if self.paths.is_empty() {
            return Err(DiscoverError::FewRows { path: 1, needed: FEWEST, found: 0 });
        }
        let mut before = 0;
        for (place, path) in self.paths.iter().enumerate() {
            if path.times.len() < FEWEST {
                let found = path.times.len();
                return Err(DiscoverError::FewRows { path: place + 1, needed: FEWEST, found });
            }
            let named = self.names.iter().map(Symbol::name).zip(&path.states);
            for (name, values) in named.chain([(self.over.name(), &path.times)]) {
                if let Some(row) = values.iter().position(|x| !x.is_finite()) {
                    let value = values[row];
                    return Err(DiscoverError::NotFinite {
                        column: name.into(),
                        row: before + row + 1,
                        value,
                    });
                }
            }
            if let Some(k) = path.times.windows(2).position(|w| w[1] <= w[0]) {
                return Err(DiscoverError::Order { over: self.over.to_string(), row: before + k + 2 });
            }
            before += path.times.len();
        }
        let sigma = self.sigma.iter().flatten().flatten().flatten();
        if let Some(value) = sigma.copied().find(|s| !(s.is_finite() && *s > 0.0)) {
            return Err(DiscoverError::Sigma { value });
        }
        for (k, name) in self.names.iter().enumerate() {
            let mut values = self.state(k);
            let first = values.next();
            if values.all(|x| Some(x) == first) {
                return Err(DiscoverError::Constant { state: name.to_string(), value: first.unwrap_or(0.0) });
            }
        }
        Ok(())
    }
}
