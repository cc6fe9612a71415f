//! The values that a hole should have, the others as they are: those for which the form meets the target, by Newton's method
//! in each row. They make the data of a search for the hole's law.

use super::fit::{Fit, Fitting};
use super::{Problem, Units, Unknown};
use crate::numeric::{linear_least_squares, statistics};
use crate::units::Dimension;

/// Steps of Newton's method.
const STEPS: usize = 12;
/// Share of the median influence on the form below which a row says nothing about the hole.
const SILENT: f64 = 1e-3;
/// Ratio of the upper to the lower decile of the influence above which rows count differently.
const UNEVEN: f64 = 3.0;
/// Share of a hole's influence that a free shift leaves.
const FREE: f64 = 1e-7;
/// Share of the largest argument below which the least is close to 0.
const CLOSE: f64 = 0.1;
/// Scatter below this share of the target's size is that of the curves.
const EXACT: f64 = 1e-6;

/// A row in which the form meets the target, or comes near it.
struct Met {
    /// The value of the call.
    value: f64,
    /// The form's slope by it.
    slope: f64,
    /// What the target is beyond the form.
    miss: f64,
    /// The share of a step of Newton's that is taken next.
    share: f64,
}

impl Fitting<'_> {
    /// The values of a call for which the form meets the target, row by row, and the form's slope by them.
    fn inverted(&self, fit: &Fit, call: usize) -> Vec<Met> {
        let (columns, target, state) = (&self.problem.columns, &self.problem.target, &fit.state);
        let first = self.shape.evaluate(columns, state, None);
        let slopes = self.shape.adjoints(columns, state, &first).swap_remove(call);
        let begin = |i: usize| Met {
            value: first.calls[call][i],
            slope: slopes[i],
            miss: target[i] - first.value[i],
            share: 1.0,
        };
        let mut rows: Vec<Met> = (0..target.len()).map(begin).collect();
        for _ in 0..STEPS {
            let trial: Vec<f64> = rows.iter().map(|r| r.value + r.share * r.miss / r.slope).collect();
            let trace = self.shape.evaluate(columns, state, Some((call, &trial)));
            let new = self.shape.adjoints(columns, state, &trace).swap_remove(call);
            for (i, row) in rows.iter_mut().enumerate() {
                let miss = target[i] - trace.value[i];
                if miss.abs() < row.miss.abs() && new[i].is_finite() {
                    *row = Met { value: trial[i], slope: new[i], miss, share: row.share };
                } else {
                    row.share *= 0.5;
                }
            }
        }
        rows
    }

    /// Shifts of a hole's values between which the form does not choose, as that of f in f(x) - f(z): those that make the
    /// curve vanish where its argument does, or is nearest to that, and at the other end. Most laws vanish at one of both.
    pub fn shifts(&self, fit: &Fit, hole: usize) -> Vec<f64> {
        let own = &self.form.holes[hole];
        let columns = &self.problem.columns;
        let trace = self.shape.evaluate(columns, &fit.state, None);
        let calls = self.shape.calls_of(hole);
        let adjoints = self.shape.adjoints(columns, &fit.state, &trace);
        let mut moved = vec![0.0; self.problem.rows()];
        let mut largest = 0.0f64;
        for call in &calls {
            for (m, a) in moved.iter_mut().zip(&adjoints[*call]) {
                *m += a;
                largest = largest.max(a.abs());
            }
        }
        // What the constants and the other holes can do as well.
        let jacobian = self.shape.jacobian(columns, &fit.state, &trace);
        let before: usize = fit.state.parts[..hole].iter().map(|p| p.parameters().len()).sum();
        let first = fit.state.constants.len() + before;
        let apart = first..first + fit.state.parts[hole].parameters().len();
        let others = (0..jacobian.ncols()).filter(|j| !apart.contains(j));
        let others: Vec<Vec<f64>> = others.map(|j| jacobian.column(j).iter().copied().collect()).collect();
        let lists: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
        let left = if lists.is_empty() {
            statistics::rms(&moved)
        } else {
            let found = linear_least_squares(&lists, &moved, None, false);
            found.map_or(f64::INFINITY, |f| statistics::rms(&f.residuals))
        };
        let free = left <= FREE * largest;
        if own.arguments.len() != 1 || !free {
            return vec![0.0];
        }
        let xs: Vec<f64> = calls.iter().flat_map(|c| trace.args[*c][0].iter().copied()).collect();
        let by_size = |a: &f64, b: &f64| a.abs().total_cmp(&b.abs());
        let (Some(near), Some(far)) =
            (xs.iter().copied().min_by(by_size), xs.iter().copied().max_by(by_size))
        else {
            return vec![0.0];
        };
        let at = |x: f64| fit.state.parts[hole].values(&[vec![x]]).first().copied().unwrap_or(f64::NAN);
        let close = near.abs() <= CLOSE * far.abs();
        let ends = [if close { at(0.0) } else { f64::NAN }, at(near), at(far)];
        let mut shifts: Vec<f64> = ends.into_iter().filter(|v| v.is_finite()).map(|v| -v).collect();
        if shifts.len() == 3 {
            shifts.remove(1);
        }
        if shifts.is_empty() { vec![0.0] } else { shifts }
    }

    /// The data of a hole, with units where they are decided; `None` where the form hardly depends on it.
    pub fn wanted(&self, fit: &Fit, hole: usize, units: Option<&Units>) -> Option<Problem> {
        let own = &self.form.holes[hole];
        let trace = self.shape.evaluate(&self.problem.columns, &fit.state, None);
        let mut columns = vec![Vec::new(); own.arguments.len()];
        let (mut target, mut slopes, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for call in self.shape.calls_of(hole) {
            let rows = self.inverted(fit, call);
            columns.iter_mut().zip(&trace.args[call]).for_each(|(to, from)| to.extend_from_slice(from));
            target.extend(rows.iter().map(|r| r.value));
            slopes.extend(rows.iter().map(|r| r.slope.abs()));
            let known = self.problem.sigma.as_deref();
            errors.extend((0..rows.len()).map(|i| known.map_or(fit.scatter, |s| s[i])));
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
            row_weights: None,
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
