//! Fits the parameters of an equation to data: the names that are columns are data, the others parameters, all
//! in coherent SI units. The residual of a row is left side minus right side.
//!
//! Parameters that enter linearly are solved for exactly (QR); else Levenberg-Marquardt runs from the declared
//! starts, or from the best of a search (`starts.rs`). Standard errors of columns become weights through the
//! derivatives of the residual, sigma_i^2 = sum over columns (dr/dc)^2 sigma_c^2 at the fitted parameters,
//! repeated until they agree ("effective variance", Orear, Am. J. Phys. 50 (1982) 912). Without any, the scatter of the
//! residuals tells the errors: the same for all rows, or in proportion to the left side (`numeric::noise`).

use super::dataset::Dataset;
use super::error::DataError;
use super::linear::{linear_parts, linear_subset};
use super::starts::{Prior, Search};
use crate::base::{CancelToken, EventSink, Meter, StopReason, hash, suggest};
use crate::expression::{Covariance, Expr, Symbol, Uncertain};
use crate::numeric::{
    LeastSquares, NumericError, Options, Scratch, Tape, levenberg_marquardt, linear_least_squares,
    multi_start, relative_covariance, statistics,
};
use nalgebra::DMatrix;

/// Rounds of weights from errors of columns.
const ROUNDS: usize = 30;

/// What is known of a parameter beforehand, in coherent SI units.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// The parameter.
    pub symbol: Symbol,
    /// Where to start; `None` to search.
    pub start: Option<f64>,
    /// Lowest and highest value; infinite for none.
    pub bounds: (f64, f64),
}

impl ParamSpec {
    /// A parameter of which nothing is known.
    pub fn free(symbol: Symbol) -> ParamSpec {
        ParamSpec { symbol, start: None, bounds: (f64::NEG_INFINITY, f64::INFINITY) }
    }
}

/// A fitted equation; all numbers in coherent SI units.
#[derive(Clone, Debug)]
pub struct FitResult {
    /// The parameters with their joint covariance.
    pub parameters: Vec<(Symbol, Uncertain)>,
    /// The covariance matrix, in the order of the parameters; infinite variances where there are as many
    /// parameters as rows and no known errors.
    pub covariance: Covariance,
    /// Sum of squared residuals, each over its standard error where errors are known.
    pub chi2: f64,
    /// Rows minus parameters.
    pub dof: usize,
    /// Whether the errors were known (`sigma` or columns of errors); else they are taken from the scatter.
    pub errors_known: bool,
    /// Whether the scatter grows with the left side, so that the covariance is that of noise in proportion to it.
    pub relative: bool,
    /// Root mean square of the residuals.
    pub residual_rms: f64,
    /// Share of the left side's variance that the right side explains.
    pub r2: f64,
    /// Why it stopped.
    pub stopped: StopReason,
    /// Left side minus right side, row by row of [`FitResult::rows`].
    pub residuals: Vec<f64>,
    /// The rows used (those without missing values), counted from 0.
    pub rows: Vec<usize>,
    /// Parameters held at a bound; their variance is 0.
    pub at_bound: Vec<Symbol>,
}

/// The equation and the data it is fitted to.
struct Problem<'a> {
    residual: Expr,
    /// Inputs: columns, then parameters.
    tape: Tape,
    /// The left side, of the same inputs.
    target: Tape,
    /// Whether the left side holds no parameter.
    measured: bool,
    names: Vec<Symbol>,
    columns: Vec<Vec<f64>>,
    /// Numbers of the columns that have standard errors, and these.
    errors: Vec<(usize, Vec<f64>)>,
    params: Vec<ParamSpec>,
    rows: Vec<usize>,
    cancel: &'a CancelToken,
    events: &'a EventSink,
}

/// Fits the parameters of `lhs == rhs`. Names that are no columns and have no entry in `params` are free
/// parameters. `sigma`: standard error of the left side in SI, one a row of the data or one for all; it replaces
/// errors of columns. `events` is told how far the search among several starts is.
///
/// # Errors
/// No column on the left, no parameter, fewer rows than parameters, rows where a side has no value, parameters
/// that the data do not determine, and what [`Tape::compile`] refuses.
pub fn fit(
    data: &Dataset,
    lhs: &Expr,
    rhs: &Expr,
    params: &[ParamSpec],
    sigma: Option<&[f64]>,
    cancel: &CancelToken,
    events: &EventSink,
) -> Result<FitResult, DataError> {
    let problem = Problem::new(data, lhs, rhs, params, sigma.is_some(), (cancel, events))?;
    let given = sigma.map(|s| problem.given_weights(data, s)).transpose()?;
    let found = problem.solve(given)?;
    Ok(problem.report(found))
}

/// A solution with the weights it was found by.
struct Found {
    fit: LeastSquares,
    weighted: bool,
}

impl<'a> Problem<'a> {
    fn new(
        data: &Dataset,
        lhs: &Expr,
        rhs: &Expr,
        params: &[ParamSpec],
        ignore_errors: bool,
        (cancel, events): (&'a CancelToken, &'a EventSink),
    ) -> Result<Problem<'a>, DataError> {
        let both = Expr::equation(lhs.clone(), rhs.clone());
        let (names, free): (Vec<Symbol>, Vec<Symbol>) =
            both.symbols().into_iter().partition(|s| data.get(s.name()).is_some());
        for name in &names {
            data.numbers(name.name())?;
        }
        if !names.iter().any(|s| lhs.contains_symbol(s)) {
            let nearest = lhs.symbols().iter().find_map(|s| {
                let near = suggest::nearest(s.name(), data.names())?;
                Some((s.name().to_string(), near.to_string()))
            });
            return Err(DataError::NoColumn { columns: data.names().map(str::to_string).collect(), nearest });
        }
        let declared = params.iter().filter(|p| free.contains(&p.symbol)).cloned();
        let others = free.iter().filter(|s| params.iter().all(|p| p.symbol != **s));
        let params: Vec<ParamSpec> = declared.chain(others.cloned().map(ParamSpec::free)).collect();
        if params.is_empty() {
            let target = names.first().map_or("y", Symbol::name);
            let feature = data.names().find(|n| *n != target).unwrap_or("x");
            return Err(DataError::NoParameter { example: format!("fit(d, {target} == a*{feature})") });
        }
        let used: Vec<&str> = names.iter().map(Symbol::name).collect();
        let rows = data.complete_rows(&used);
        if rows.len() < params.len() {
            return Err(DataError::FewerRows {
                rows: rows.len(),
                parameters: params.len(),
                names: params.iter().map(|p| p.symbol.name().to_string()).collect(),
            });
        }
        let pick = |all: Vec<f64>| rows.iter().map(|i| all[*i]).collect::<Vec<f64>>();
        let mut columns = Vec::with_capacity(names.len());
        let mut errors = Vec::new();
        for (k, name) in names.iter().enumerate() {
            let column = data.column(name.name())?;
            columns.push(pick(column.si_values()));
            if let Some(sizes) = column.si_errors().filter(|_| !ignore_errors) {
                errors.push((k, pick(sizes)));
            }
        }
        let residual = Expr::sum([lhs.clone(), rhs.negate()]);
        let inputs: Vec<Symbol> =
            names.iter().cloned().chain(params.iter().map(|p| p.symbol.clone())).collect();
        let tape = Tape::compile(std::slice::from_ref(&residual), &inputs)?;
        let target = Tape::compile(std::slice::from_ref(lhs), &inputs)?;
        let measured = params.iter().all(|p| !lhs.contains_symbol(&p.symbol));
        Ok(Problem { residual, tape, target, measured, names, columns, errors, params, rows, cancel, events })
    }

    /// Columns and parameters as inputs of the tape.
    fn inputs<'b>(&'b self, p: &'b [f64]) -> Vec<&'b [f64]> {
        self.columns.iter().map(Vec::as_slice).chain(p.iter().map(std::slice::from_ref)).collect()
    }

    fn row_fault(&self, row: usize, value: f64) -> DataError {
        DataError::Residual { row: self.rows.get(row - 1).copied().unwrap_or(row), value }
    }

    fn fault(&self, error: NumericError) -> DataError {
        match error {
            NumericError::NotFinite { row, value } => self.row_fault(row, value),
            other => other.into(),
        }
    }

    /// 1/sigma of the rows used.
    fn given_weights(&self, data: &Dataset, sigma: &[f64]) -> Result<Vec<f64>, DataError> {
        let all = match sigma {
            [one] => vec![*one; data.rows()],
            many if many.len() == data.rows() => many.to_vec(),
            many => {
                let (expected, found) = (data.rows(), many.len());
                return Err(DataError::Length { name: "sigma".to_string(), expected, found });
            }
        };
        self.weights(self.rows.iter().map(|i| all[*i]).collect())
    }

    fn weights(&self, sigma: Vec<f64>) -> Result<Vec<f64>, DataError> {
        if let Some(i) = sigma.iter().position(|s| !(*s > 0.0 && s.is_finite())) {
            return Err(DataError::ZeroError { row: self.rows[i], value: sigma[i] });
        }
        Ok(sigma.iter().map(|s| s.recip()).collect())
    }

    /// 1/sigma of the residuals from the errors of columns, at parameters `p`.
    fn effective_weights(&self, p: &[f64]) -> Result<Vec<f64>, DataError> {
        let wrt: Vec<usize> = self.errors.iter().map(|(k, _)| *k).collect();
        let derivatives = self.tape.jacobian(&self.inputs(p), &wrt).swap_remove(0);
        let sigma = |i: usize| {
            let parts =
                self.errors.iter().enumerate().map(|(k, (_, sizes))| derivatives[k + 1][i] * sizes[i]);
            parts.fold(0.0, f64::hypot)
        };
        self.weights((0..self.rows.len()).map(sigma).collect())
    }

    fn solve(&self, given: Option<Vec<f64>>) -> Result<Found, DataError> {
        let mut weights = given;
        let mut fit = self.solve_once(weights.as_deref(), None)?;
        if weights.is_none() && !self.errors.is_empty() {
            for _ in 0..ROUNDS {
                let next = self.effective_weights(&fit.parameters)?;
                let refit = self.solve_once(Some(&next), Some(&fit.parameters))?;
                weights = Some(next);
                let still = (0..self.params.len()).all(|k| {
                    let moved = (refit.parameters[k] - fit.parameters[k]).abs();
                    let sigma = refit.covariance[(k, k)].sqrt();
                    moved <= 1e-9 * sigma || moved <= 1e-14 * fit.parameters[k].abs()
                });
                fit = refit;
                if still || self.cancel.stop().is_some() {
                    break;
                }
            }
        }
        if !fit.undetermined.is_empty() && !matches!(fit.stopped, StopReason::Cancelled | StopReason::Time) {
            let name = |k: &usize| self.params[*k].symbol.name().to_string();
            return Err(DataError::NotDetermined { names: fit.undetermined.iter().map(name).collect() });
        }
        Ok(Found { fit, weighted: weights.is_some() })
    }

    /// One fit at fixed weights, from `from` where the parameters are nearly known.
    fn solve_once(&self, weights: Option<&[f64]>, from: Option<&[f64]>) -> Result<LeastSquares, DataError> {
        let symbols: Vec<Symbol> = self.params.iter().map(|p| p.symbol.clone()).collect();
        let linear = linear_subset(&self.residual, &symbols);
        if linear.len() == symbols.len()
            && let Some(fit) = self.solve_linear(&symbols, weights)?
        {
            return Ok(fit);
        }
        if let Some(from) = from {
            return self.descend(from, weights).map_err(|e| self.fault(e));
        }
        let nonlinear: Vec<Symbol> = symbols.iter().filter(|s| !linear.contains(s)).cloned().collect();
        let search = Search::new(&self.residual, &self.names, &self.columns, &linear, &nonlinear)?;
        let prior = |s: &Symbol| {
            let spec = self.params.iter().find(|p| p.symbol == *s);
            Prior {
                start: spec.and_then(|p| p.start),
                bounds: spec.map_or((f64::NEG_INFINITY, f64::INFINITY), |p| p.bounds),
            }
        };
        let priors: Vec<Prior> = nonlinear.iter().map(prior).collect();
        let mut scratch = Scratch::default();
        let mut whole = |q: &[f64]| -> Option<Vec<f64>> {
            let (_, solved) = search.project(q, &mut scratch)?;
            let value = |s: &Symbol| {
                let at = nonlinear.iter().position(|n| n == s).map(|k| q[k]);
                at.or_else(|| linear.iter().position(|n| n == s).map(|k| solved[k]))
            };
            symbols.iter().map(value).collect()
        };
        let declared: Option<Vec<f64>> = priors.iter().map(|p| p.start).collect();
        let mut best = None;
        if let Some(start) = declared.and_then(|q| whole(&q)) {
            let found = self.descend(&start, weights).ok();
            // A declared start is trusted where it leads somewhere.
            if let Some(found) = &found
                && (found.stopped == StopReason::Cancelled || self.explained(found) > 0.9)
            {
                return Ok(found.clone());
            }
            best = found;
        }
        let starts: Vec<Vec<f64>> =
            search.starts(&priors, self.cancel).iter().filter_map(|q| whole(q)).collect();
        let mut meter = Meter::new(self.events, "fit", "starts", Some(starts.len() as u64));
        let (mut done, mut least) = (0, f64::INFINITY);
        let fitted = multi_start(starts.iter().map(Vec::as_slice), |s| {
            let found = self.descend(s, weights);
            done += 1;
            let better = found.as_ref().ok().filter(|f| f.chi2 < least);
            least = better.map_or(least, |f| f.chi2);
            meter.at(done, better.map(|f| format!("sum of squares {:.4e}", f.chi2)));
            found
        });
        drop(meter);
        match (best, fitted) {
            (Some(best), Ok(other)) if other.chi2 >= best.chi2 => Ok(best),
            (_, Ok(other)) => Ok(other),
            (Some(best), Err(_)) => Ok(best),
            (None, Err(error)) if starts.is_empty() => {
                // No start could be evaluated: say at which row.
                let ones: Vec<f64> = self.params.iter().map(|p| p.start.unwrap_or(1.0)).collect();
                Err(match self.descend(&ones, weights) {
                    Err(error) => self.fault(error),
                    Ok(_) => self.fault(error),
                })
            }
            (None, Err(error)) => Err(self.fault(error)),
        }
    }

    /// All parameters by linear least squares; `None` where a bound would be crossed.
    fn solve_linear(
        &self,
        symbols: &[Symbol],
        weights: Option<&[f64]>,
    ) -> Result<Option<LeastSquares>, DataError> {
        let Some((rest, coefficients)) = linear_parts(&self.residual, symbols) else { return Ok(None) };
        let outputs: Vec<Expr> = std::iter::once(rest).chain(coefficients).collect();
        let tape = Tape::compile(&outputs, &self.names)?;
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let mut values = tape.eval(&columns);
        let target: Vec<f64> = values.remove(0).iter().map(|r| -r).collect();
        let lists: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        let solved = linear_least_squares(&lists, &target, weights, weights.is_some())
            .map_err(|error| self.fault(error))?;
        let inside =
            self.params.iter().zip(&solved.coefficients).all(|(p, c)| p.bounds.0 <= *c && *c <= p.bounds.1);
        Ok(inside.then(|| LeastSquares {
            parameters: solved.coefficients,
            covariance: solved.covariance,
            chi2: solved.chi2,
            dof: solved.dof,
            residuals: solved.residuals,
            steps: 1,
            stopped: StopReason::Found,
            at_bound: Vec::new(),
            undetermined: solved.undetermined,
        }))
    }

    fn descend(&self, start: &[f64], weights: Option<&[f64]>) -> Result<LeastSquares, NumericError> {
        let bounds: Vec<(f64, f64)> = self.params.iter().map(|p| p.bounds).collect();
        let wrt: Vec<usize> = (0..self.params.len()).map(|k| self.names.len() + k).collect();
        let mut scratch = Scratch::default();
        let mut out = [Vec::new()];
        levenberg_marquardt(
            |p, r| {
                self.tape.eval_with(&self.inputs(p), &mut out, &mut scratch);
                r.copy_from_slice(&out[0]);
            },
            |p, j| {
                let lists = self.tape.jacobian(&self.inputs(p), &wrt).swap_remove(0);
                for (k, list) in lists[1..].iter().enumerate() {
                    j.column_mut(k).copy_from_slice(list);
                }
            },
            self.rows.len(),
            start,
            &Options {
                weights,
                bounds: &bounds,
                absolute: weights.is_some(),
                cancel: self.cancel.clone(),
                ..Options::default()
            },
        )
    }

    /// The share of the left side's variance that a fit explains.
    fn explained(&self, fit: &LeastSquares) -> f64 {
        statistics::r2(&self.left(&fit.parameters), &fit.residuals)
    }

    /// The left side, row by row.
    fn left(&self, p: &[f64]) -> Vec<f64> {
        let mut left = self.target.eval(&self.inputs(p)).swap_remove(0);
        left.resize(self.rows.len(), left.first().copied().unwrap_or(f64::NAN));
        left
    }

    /// The covariance under noise in proportion to the left side, where the residuals show it.
    fn relative(&self, fit: &LeastSquares) -> Option<DMatrix<f64>> {
        let n = self.params.len();
        let free: Vec<usize> = (0..n).filter(|k| !fit.at_bound.contains(k)).collect();
        let wrt: Vec<usize> = free.iter().map(|k| self.names.len() + k).collect();
        let lists = self.tape.jacobian(&self.inputs(&fit.parameters), &wrt).swap_remove(0);
        let jacobian = DMatrix::from_fn(self.rows.len(), free.len(), |i, k| lists[k + 1][i]);
        let left = self.left(&fit.parameters);
        let fitted: Vec<f64> = left.iter().zip(&fit.residuals).map(|(l, r)| l - r).collect();
        let known = relative_covariance(&jacobian, &fit.residuals, &fitted)?;
        let mut full = fit.covariance.clone();
        for (a, &i) in free.iter().enumerate() {
            for (b, &k) in free.iter().enumerate() {
                full[(i, k)] = known[(a, b)];
            }
        }
        Some(full)
    }

    fn report(&self, found: Found) -> FitResult {
        let Found { mut fit, weighted } = found;
        let relative = if weighted || !self.measured { None } else { self.relative(&fit) };
        let is_relative = relative.is_some();
        if let Some(covariance) = relative {
            fit.covariance = covariance;
        }
        let n = self.params.len();
        let held = |k: &usize| fit.at_bound.contains(k);
        let entry = |at: usize| {
            let (i, k) = (at / n, at % n);
            if held(&i) || held(&k) { 0.0 } else { fit.covariance[(i, k)] }
        };
        let covariance = Covariance { size: n, matrix: (0..n * n).map(entry).collect() };
        let id = self.params.iter().zip(&fit.parameters).fold(hash::of_str("fit"), |h, (p, v)| {
            hash::combine(hash::combine(h, p.symbol.stable_hash()), v.to_bits())
        });
        let numbers = Uncertain::joint(id, &fit.parameters, covariance.clone());
        FitResult {
            parameters: self.params.iter().map(|p| p.symbol.clone()).zip(numbers).collect(),
            covariance,
            chi2: fit.chi2,
            dof: fit.dof,
            errors_known: weighted,
            relative: is_relative,
            residual_rms: statistics::rms(&fit.residuals),
            r2: self.explained(&fit),
            stopped: fit.stopped,
            residuals: fit.residuals.clone(),
            rows: self.rows.clone(),
            at_bound: fit.at_bound.iter().map(|k| self.params[*k].symbol.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
