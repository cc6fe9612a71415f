//! Least squares over the rows of all groups at once. Each constant of a law has a role: own to each group, shared by all,
//! or held. Laws without a shared constant fall apart into one fit a group; others are fitted on all rows
//! (Levenberg-Marquardt, the Jacobian's column of an own constant is 0 outside its group).

use nalgebra::DMatrix;

use super::super::candidate::Parameter;
use super::super::describe;
use super::super::problem::Problem;
use crate::base::CancelToken;
use crate::expression::{Expr, Symbol};
use crate::numeric::{Options, Tape, levenberg_marquardt, relative_covariance};

/// What a constant is to the groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// Each group has its own.
    Own,
    /// All groups have the same.
    Shared,
    /// It is not fitted.
    Held,
}

/// Some of the rows.
struct Part {
    columns: Vec<Vec<f64>>,
    target: Vec<f64>,
    /// 1/sigma in units of the target's size.
    weights: Option<Vec<f64>>,
    /// The group of each row.
    groups: Vec<usize>,
}

impl Part {
    fn new(problem: &Problem, groups: &[usize], rows: &[usize], size: f64) -> Part {
        let some = problem.pick(rows);
        Part {
            weights: some.weights().map(|w| w.iter().map(|w| w * size).collect()),
            columns: some.columns,
            target: some.target,
            groups: rows.iter().map(|&i| groups[i]).collect(),
        }
    }
}

/// The rows of all groups.
pub struct Grouped<'a> {
    /// The data.
    pub problem: &'a Problem,
    /// Rows of each group.
    pub counts: Vec<usize>,
    whole: Part,
    parts: Vec<Part>,
    /// Residuals are in units of the target's size.
    size: f64,
    floor: f64,
    cancel: &'a CancelToken,
}

/// Values of the constants and figures of the law with them.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Of each constant the value in each group.
    pub values: Vec<Vec<f64>>,
    /// The covariance of what was fitted, in the order of [`places`].
    pub covariance: DMatrix<f64>,
    /// Plain sum of squared residuals.
    pub sse: f64,
    /// Weighted sum, where errors are known.
    pub chi2: Option<f64>,
    /// Code length of the residuals under noise in proportion to the law.
    pub relative: Option<f64>,
}

/// Constant and group (the first for a shared one) of each number that is fitted.
pub fn places(roles: &[Role], groups: usize) -> Vec<(usize, usize)> {
    let of = |(k, role): (usize, &Role)| -> Vec<(usize, usize)> {
        match role {
            Role::Own => (0..groups).map(|g| (k, g)).collect(),
            Role::Shared => vec![(k, 0)],
            Role::Held => Vec::new(),
        }
    };
    roles.iter().enumerate().flat_map(of).collect()
}

impl Fit {
    /// The standard error of a constant in a group; 0 where it was held.
    pub fn error(&self, roles: &[Role], constant: usize, group: usize) -> f64 {
        let own = if roles[constant] == Role::Own { group } else { 0 };
        let place =
            places(roles, self.values.first().map_or(0, Vec::len)).iter().position(|p| *p == (constant, own));
        place.map_or(0.0, |p| self.covariance[(p, p)].max(0.0).sqrt())
    }
}

/// What one fit comes to: values of each constant in each group, covariance for residuals of variance 1.
type Solved = (Vec<Vec<f64>>, DMatrix<f64>);

impl<'a> Grouped<'a> {
    /// The rows of `groups`, numbers below `count`, each with a row.
    pub fn new(problem: &'a Problem, groups: &[usize], count: usize, cancel: &'a CancelToken) -> Grouped<'a> {
        let floor = describe::noise_floor(problem);
        let size = problem.target.iter().fold(floor, |m, y| m.max(y.abs()));
        let all: Vec<usize> = (0..problem.rows()).collect();
        let of = |g: usize| -> Vec<usize> { all.iter().copied().filter(|&i| groups[i] == g).collect() };
        let parts: Vec<Part> = (0..count).map(|g| Part::new(problem, groups, &of(g), size)).collect();
        Grouped {
            problem,
            counts: parts.iter().map(|p| p.target.len()).collect(),
            whole: Part::new(problem, groups, &all, size),
            parts,
            size,
            floor,
            cancel,
        }
    }

    /// A law as a tape of the features, then its constants.
    pub fn compiled(&self, law: &Expr, parameters: &[Parameter]) -> Option<Tape> {
        let mut inputs: Vec<Symbol> = self.problem.names.clone();
        inputs.extend(parameters.iter().map(|p| p.symbol.clone()));
        Tape::compile(std::slice::from_ref(law), &inputs).ok()
    }

    /// Fits the constants from `start`: of each constant the value in each group.
    pub fn fit(&self, tape: &Tape, roles: &[Role], start: &[Vec<f64>]) -> Option<Fit> {
        let groups = self.parts.len();
        let open = places(roles, groups);
        let (n, m) = (self.problem.rows(), open.len());
        if n < m || (m > 0 && n == m) {
            return None;
        }
        let (values, unit) = match roles.contains(&Role::Shared) {
            true => self.solve(tape, &self.whole, roles, &open, start)?,
            false => self.each(tape, roles, &open, start)?,
        };
        let mut fit = self.figures(tape, values)?;
        // For weighted residuals the units of `size` cancel.
        let (scatter, by) = match fit.chi2 {
            Some(_) => (1.0, 1.0),
            None => (fit.sse / (n - m) as f64, self.size),
        };
        fit.covariance = unit * (scatter / (by * by));
        Some(fit)
    }

    /// One fit a group.
    fn each(
        &self,
        tape: &Tape,
        roles: &[Role],
        open: &[(usize, usize)],
        start: &[Vec<f64>],
    ) -> Option<Solved> {
        let mut values = start.to_vec();
        let mut covariance = DMatrix::zeros(open.len(), open.len());
        let mut before: Option<usize> = None;
        for (g, part) in self.parts.iter().enumerate() {
            let here: Vec<usize> = (0..open.len()).filter(|&p| open[p].1 == g).collect();
            let own: Vec<(usize, usize)> = here.iter().map(|&p| open[p]).collect();
            let residual = |v: &[Vec<f64>]| {
                let y = evaluate(tape, part, v);
                y.iter().zip(&part.target).map(|(y, t)| (y - t).powi(2)).sum::<f64>()
            };
            let mut best: Option<(Solved, f64)> = None;
            // From the start, and from where the group before ended.
            let mut starts = vec![values.clone()];
            if let Some(b) = before {
                let mut other = values.clone();
                own.iter().for_each(|&(k, _)| other[k][g] = values[k][b]);
                starts.push(other);
            }
            for from in starts {
                let Some(solved) = self.solve(tape, part, roles, &own, &from) else { continue };
                let sse = residual(&solved.0);
                if sse.is_finite() && best.as_ref().is_none_or(|(_, least)| sse < *least) {
                    best = Some((solved, sse));
                }
            }
            let ((found, block), _) = best?;
            values = found;
            for (a, &p) in here.iter().enumerate() {
                for (b, &q) in here.iter().enumerate() {
                    covariance[(p, q)] = block[(a, b)];
                }
            }
            before = Some(g);
        }
        Some((values, covariance))
    }

    /// Fits the numbers `open` to some rows, all others held.
    fn solve(
        &self,
        tape: &Tape,
        part: &Part,
        roles: &[Role],
        open: &[(usize, usize)],
        start: &[Vec<f64>],
    ) -> Option<Solved> {
        let n = part.target.len();
        if open.is_empty() {
            return Some((start.to_vec(), DMatrix::zeros(0, 0)));
        }
        if n < open.len() {
            return None;
        }
        let at = |&(k, g): &(usize, usize)| start[k][g];
        let scale: Vec<f64> = open.iter().map(|p| if at(p) == 0.0 { 1.0 } else { at(p).abs() }).collect();
        let first: Vec<f64> = open.iter().zip(&scale).map(|(p, s)| at(p) / s).collect();
        let whole = |q: &[f64]| -> Vec<Vec<f64>> {
            let mut values = start.to_vec();
            for ((k, g), (q, s)) in open.iter().zip(q.iter().zip(&scale)) {
                match roles[*k] {
                    Role::Shared => values[*k].iter_mut().for_each(|v| *v = q * s),
                    _ => values[*k][*g] = q * s,
                }
            }
            values
        };
        let options = Options {
            weights: part.weights.as_deref(),
            // The covariance for residuals of variance 1.
            absolute: true,
            steps: 60,
            cancel: self.cancel.clone(),
            ..Options::default()
        };
        let size = self.size;
        let found = levenberg_marquardt(
            |q, r| {
                let y = evaluate(tape, part, &whole(q));
                r.iter_mut().zip(y.iter().zip(&part.target)).for_each(|(r, (y, t))| *r = (y - t) / size);
            },
            |q, j| jacobian(tape, part, roles, open, &whole(q), &scale, size, j),
            n,
            &first,
            &options,
        )
        .ok()?;
        if !found.undetermined.is_empty() {
            return None;
        }
        let m = open.len();
        // In units of `size`, which the caller takes out where there are no weights.
        let unit = DMatrix::from_fn(m, m, |a, b| found.covariance[(a, b)] * scale[a] * scale[b]);
        Some((whole(&found.parameters), unit))
    }

    /// The figures of a law with given constants; its covariance is left empty.
    pub fn figures(&self, tape: &Tape, values: Vec<Vec<f64>>) -> Option<Fit> {
        let y = evaluate(tape, &self.whole, &values);
        let left = || y.iter().zip(&self.problem.target).map(|(y, t)| y - t);
        let sse: f64 = left().map(|r| r * r).sum();
        let weights = self.problem.weights();
        let chi2 = weights.map(|w| left().zip(w).map(|(r, w)| (r * w).powi(2)).sum());
        let relative = describe::relative_code(self.problem, &y);
        let finite = sse.is_finite() && values.iter().flatten().all(|v| v.is_finite());
        finite.then_some(Fit { values, covariance: DMatrix::zeros(0, 0), sse, chi2, relative })
    }

    /// The covariance under noise in proportion to the law, where the data show such noise.
    pub fn proportional(&self, tape: &Tape, roles: &[Role], fit: &Fit) -> Option<DMatrix<f64>> {
        let (n, open) = (self.problem.rows(), places(roles, self.parts.len()));
        let exact = (fit.sse / n as f64).sqrt() <= 4.0 * self.floor;
        if self.problem.sigma.is_some() || exact || open.is_empty() {
            return None;
        }
        let scale: Vec<f64> = open
            .iter()
            .map(|&(k, g)| fit.values[k][g].abs())
            .map(|v| if v == 0.0 { 1.0 } else { v })
            .collect();
        let mut j = DMatrix::zeros(n, open.len());
        jacobian(tape, &self.whole, roles, &open, &fit.values, &scale, self.size, &mut j);
        let y = evaluate(tape, &self.whole, &fit.values);
        let residuals: Vec<f64> =
            y.iter().zip(&self.problem.target).map(|(y, t)| (y - t) / self.size).collect();
        let fitted: Vec<f64> = y.iter().map(|y| y / self.size).collect();
        let known = relative_covariance(&j, &residuals, &fitted)?;
        Some(DMatrix::from_fn(open.len(), open.len(), |a, b| known[(a, b)] * scale[a] * scale[b]))
    }
}

/// The columns of the constants on some rows; one value stands for all rows where all groups share it.
fn constants(part: &Part, values: &[Vec<f64>]) -> Vec<Vec<f64>> {
    values
        .iter()
        .map(|v| match v.iter().all(|x| *x == v[0]) {
            true => vec![v[0]],
            false => part.groups.iter().map(|&g| v[g]).collect(),
        })
        .collect()
}

fn evaluate(tape: &Tape, part: &Part, values: &[Vec<f64>]) -> Vec<f64> {
    let own = constants(part, values);
    let columns: Vec<&[f64]> = part.columns.iter().chain(&own).map(Vec::as_slice).collect();
    tape.eval(&columns).swap_remove(0)
}

/// Derivatives of the residuals by the numbers `open`, each in units of its scale, over `size`.
#[allow(clippy::too_many_arguments)] // what a least-squares problem consists of
fn jacobian(
    tape: &Tape,
    part: &Part,
    roles: &[Role],
    open: &[(usize, usize)],
    values: &[Vec<f64>],
    scale: &[f64],
    size: f64,
    j: &mut DMatrix<f64>,
) {
    let own = constants(part, values);
    let columns: Vec<&[f64]> = part.columns.iter().chain(&own).map(Vec::as_slice).collect();
    let mut wanted: Vec<usize> = open.iter().map(|p| p.0).collect();
    wanted.dedup();
    let inputs: Vec<usize> = wanted.iter().map(|k| part.columns.len() + k).collect();
    // The value itself comes first.
    let derivatives = tape.jacobian(&columns, &inputs).swap_remove(0);
    for (place, (k, g)) in open.iter().enumerate() {
        let Some(column) = wanted.iter().position(|w| w == k).map(|at| &derivatives[at + 1]) else {
            continue;
        };
        let factor = scale[place] / size;
        for (row, d) in column.iter().enumerate() {
            let counts = roles[*k] == Role::Shared || part.groups[row] == *g;
            j[(row, place)] = if counts { d * factor } else { 0.0 };
        }
    }
}
