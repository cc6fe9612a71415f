//! The values that a hole should have, the others as they are: those for which the form meets the target, by Newton's method
//! in each row. They make the data of a search for the hole's law.

use super::fit::{Fit, Fitting};
use super::{Problem, Units, Unknown};
use crate::numeric::statistics;
use crate::units::Dimension;

/// Steps of Newton's method.
const STEPS: usize = 12;
/// Share of the median influence on the form below which a row says nothing about the hole.
const SILENT: f64 = 1e-3;
/// Ratio of the upper to the lower decile of the influence above which rows count differently.
const UNEVEN: f64 = 3.0;
/// Scatter below this share of the target's size is that of the curves.
const EXACT: f64 = 1e-6;

impl Fitting<'_> {
    /// The values of a call for which the form meets the target, row by row, and the form's slope by them.
    fn inverted(&self, fit: &Fit, call: usize) -> (Vec<f64>, Vec<f64>) {
        let (columns, target) = (&self.problem.columns, &self.problem.target);
        let state = &fit.state;
        let first = self.shape.evaluate(columns, state, None);
        let mut best = first.calls[call].clone();
        let mut slopes = self.shape.adjoints(columns, state, &first).swap_remove(call);
        let mut misses: Vec<f64> = target.iter().zip(&first.value).map(|(y, v)| y - v).collect();
        let mut shorter = vec![1.0; best.len()];
        for _ in 0..STEPS {
            let trial: Vec<f64> =
                (0..best.len()).map(|i| best[i] + shorter[i] * misses[i] / slopes[i]).collect();
            let trace = self.shape.evaluate(columns, state, Some((call, &trial)));
            let new = self.shape.adjoints(columns, state, &trace).swap_remove(call);
            for i in 0..best.len() {
                let miss = target[i] - trace.value[i];
                if miss.abs() < misses[i].abs() && new[i].is_finite() {
                    (best[i], misses[i], slopes[i]) = (trial[i], miss, new[i]);
                } else {
                    shorter[i] *= 0.5;
                }
            }
        }
        (best, slopes)
    }

    /// The data of a hole, with units where they are decided; `None` where the form hardly depends on it.
    pub fn wanted(&self, fit: &Fit, hole: usize, units: Option<&Units>) -> Option<Problem> {
        let own = &self.form.holes[hole];
        let trace = self.shape.evaluate(&self.problem.columns, &fit.state, None);
        let mut columns = vec![Vec::new(); own.arguments.len()];
        let (mut target, mut slopes, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for call in self.shape.calls_of(hole) {
            let (values, slope) = self.inverted(fit, call);
            columns.iter_mut().zip(&trace.args[call]).for_each(|(to, from)| to.extend_from_slice(from));
            target.extend(values);
            slopes.extend(slope.iter().map(|s| s.abs()));
            let known = self.problem.sigma.as_deref();
            errors.extend((0..slope.len()).map(|i| known.map_or(fit.scatter, |s| s[i])));
        }
        let counted: Vec<f64> = slopes.iter().copied().filter(|s| s.is_finite() && *s > 0.0).collect();
        if counted.is_empty() {
            return None;
        }
        let least = SILENT * statistics::median(&counted);
        let said = |i: &usize| {
            slopes[*i] >= least
                && slopes[*i].is_finite()
                && target[*i].is_finite()
                && columns.iter().all(|c| c[*i].is_finite())
        };
        let mut rows: Vec<usize> = (0..target.len()).filter(said).collect();
        // Several calls give as many rows together as one.
        let most = self.problem.rows();
        if rows.len() > most {
            rows = (0..most).map(|k| rows[k * rows.len() / most]).collect();
        }
        let take = |list: &[f64]| -> Vec<f64> { rows.iter().map(|i| list[*i]).collect() };
        let uneven = statistics::quantile(&counted, 0.9) > UNEVEN * statistics::quantile(&counted, 0.1);
        let exact = fit.scatter <= EXACT * statistics::rms(&self.problem.target);
        let weighed = self.problem.sigma.is_some() || uneven && !exact;
        let sigma: Vec<f64> = rows.iter().map(|i| errors[*i] / slopes[*i]).collect();
        let weighed = weighed && sigma.iter().all(|s| s.is_finite() && *s > 0.0);
        let dimensions = units.and_then(|u| {
            let argument = |k| u.get(&Unknown::Argument(own.name.clone(), k));
            let arguments: Option<Vec<Dimension>> = (0..own.arguments.len()).map(argument).collect();
            Some((arguments?, u.get(&Unknown::Value(own.name.clone()))?))
        });
        let goal = dimensions.as_ref().map_or(Dimension::NONE, |d| d.1);
        let problem = Problem {
            names: own.arguments.clone(),
            columns: columns.iter().map(|c| take(c)).collect(),
            dimensions: dimensions.map(|d| d.0),
            units: vec![None; own.arguments.len()],
            target: take(&target),
            target_symbol: own.name.clone(),
            target_dimension: goal,
            target_unit: None,
            sigma: weighed.then_some(sigma),
            resolution: None,
        };
        problem.validate().is_ok().then_some(problem)
    }
}
