//! The data of a search: columns of numbers in coherent SI units.

use super::error::RegressError;
use crate::expression::Symbol;
use crate::units::{Dimension, Unit};

/// What a law is looked for in.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The features' names.
    pub names: Vec<Symbol>,
    /// Their values, one list a feature.
    pub columns: Vec<Vec<f64>>,
    /// Their dimensions; `None`: units play no part.
    pub dimensions: Option<Vec<Dimension>>,
    /// Their units as in the data.
    pub units: Vec<Option<Unit>>,
    /// The target's values.
    pub target: Vec<f64>,
    /// The target's name.
    pub target_symbol: Symbol,
    /// The target's dimension.
    pub target_dimension: Dimension,
    /// The target's unit as in the data.
    pub target_unit: Option<Unit>,
    /// Standard errors of the target.
    pub sigma: Option<Vec<f64>>,
    /// How much each row counts, 1 on the average.
    pub row_weights: Option<Vec<f64>>,
    /// What the last digit of the target is worth, where it was read from text.
    pub resolution: Option<f64>,
}

impl Problem {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// Some of the rows.
    pub fn pick(&self, rows: &[usize]) -> Problem {
        let take = |list: &[f64]| -> Vec<f64> { rows.iter().map(|&i| list[i]).collect() };
        Problem {
            names: self.names.clone(),
            columns: self.columns.iter().map(|c| take(c)).collect(),
            dimensions: self.dimensions.clone(),
            units: self.units.clone(),
            target: take(&self.target),
            target_symbol: self.target_symbol.clone(),
            target_dimension: self.target_dimension,
            target_unit: self.target_unit.clone(),
            sigma: self.sigma.as_deref().map(take),
            row_weights: self.row_weights.as_deref().map(take),
            resolution: self.resolution,
        }
    }

    /// Factors of the residuals: 1/sigma where errors are known, times the root of the row's weight where there are some.
    pub fn weights(&self) -> Option<Vec<f64>> {
        if self.sigma.is_none() && self.row_weights.is_none() {
            return None;
        }
        let error = |k: usize| self.sigma.as_ref().map_or(1.0, |s| s[k]);
        Some((0..self.rows()).map(|k| self.row_weight(k).sqrt() / error(k)).collect())
    }

    /// How much a row counts.
    pub fn row_weight(&self, k: usize) -> f64 {
        self.row_weights.as_ref().map_or(1.0, |w| w[k])
    }

    /// Checks the data; notes on what is odd but usable come back.
    pub fn validate(&self) -> Result<Vec<String>, RegressError> {
        let n = self.rows();
        if n == 0 {
            return Err(RegressError::NoRows);
        }
        if self.columns.is_empty() {
            return Err(RegressError::NoFeatures { target: self.target_symbol.to_string() });
        }
        let named = self.names.iter().zip(&self.columns).map(|(s, c)| (s.name(), c));
        for (name, column) in named.chain([(self.target_symbol.name(), &self.target)]) {
            if let Some(row) = column.iter().position(|x| !x.is_finite()) {
                return Err(RegressError::NotFinite {
                    column: name.into(),
                    row: row + 1,
                    value: column[row],
                });
            }
        }
        if let Some(sigma) = &self.sigma
            && let Some(row) = sigma.iter().position(|s| !(s.is_finite() && *s > 0.0))
        {
            return Err(RegressError::Sigma { row: row + 1, value: sigma[row] });
        }
        if let Some(weights) = &self.row_weights {
            let wrong = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0));
            let none = weights.iter().all(|w| *w == 0.0).then_some(0);
            if let Some(row) = wrong.or(none) {
                return Err(RegressError::Weight { row: row + 1, value: weights[row] });
            }
        }
        if n < 3 {
            return Err(RegressError::FewRows { needed: 3, found: n });
        }
        if self.target.iter().all(|y| *y == self.target[0]) {
            let unit = self.target_unit.as_ref().map_or(self.target[0], |u| u.from_si(self.target[0]));
            return Err(RegressError::Constant { target: self.target_symbol.to_string(), value: unit });
        }
        let mut notes = Vec::new();
        for (k, column) in self.columns.iter().enumerate() {
            if column.iter().all(|x| *x == column[0]) {
                notes.push(format!("the column `{}` is constant and plays no part", self.names[k]));
            }
            if let Some(j) = (0..k).find(|&j| self.columns[j] == *column) {
                notes.push(format!("the columns `{}` and `{}` are equal", self.names[j], self.names[k]));
            }
        }
        Ok(notes)
    }

    /// The features that vary, each of equal ones once.
    pub fn useful(&self) -> Vec<usize> {
        (0..self.columns.len())
            .filter(|&k| self.columns[k].iter().any(|x| *x != self.columns[k][0]))
            .filter(|&k| !(0..k).any(|j| self.columns[j] == self.columns[k]))
            .collect()
    }

    /// The dimension of a feature; none where units play no part.
    pub fn dimension(&self, k: usize) -> Dimension {
        self.dimensions.as_ref().map_or(Dimension::NONE, |d| d[k])
    }

    /// The target's dimension; none where units play no part.
    pub fn goal(&self) -> Dimension {
        if self.dimensions.is_some() { self.target_dimension } else { Dimension::NONE }
    }
}
