//! The constants of an individual, y = c0 + sum of c_k*T_k(x; p): the coefficients by least squares through an orthogonal
//! basis, the constants inside the terms by Levenberg and Marquardt on what the coefficients leave (variable projection;
//! G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 413 (1973), with the approximation of L. Kaufman, BIT 15, 49 (1975)).

use nalgebra::{DMatrix, DVector};

use super::change::above;
use super::kernel::{Owns, Sweep};
use super::tree::{Node, Tree};
use crate::regression::complexity::Complexity;
use crate::regression::loss::Loss;

/// The rows on which a population lives.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The values of the leaves.
    pub leaves: Vec<Vec<f64>>,
    /// The target as it is, then as the functions that may be outermost undo it, those that have a value on every row.
    pub views: Vec<View>,
    /// The weighted mean square of the target about its mean.
    pub spread: f64,
    /// What is left is rounding below this, relative to `spread`.
    pub floor: f64,
    /// What nodes count for.
    pub complexity: Counts,
    /// What is minimised, where it is not the sum of squares; `spread` is then the mean loss of the best constant.
    pub loss: Option<OwnLoss>,
    /// Where constants may lie.
    pub bounds: Option<(f64, f64)>,
    /// The operators of the user.
    pub own: Owns,
}

/// A loss of the user on the rows.
#[derive(Clone, Debug)]
pub struct OwnLoss {
    /// The loss.
    pub loss: Loss,
    /// The target as it is.
    pub target: Vec<f64>,
    /// How much each row counts.
    pub rows: Vec<f64>,
}

impl OwnLoss {
    /// The mean loss of values; infinite where there is none.
    pub fn mean(&self, values: &[f64]) -> f64 {
        let all = self.loss.excess(values, &self.target);
        let total: f64 = all.iter().zip(&self.rows).map(|(l, w)| l * w).sum();
        let mean = total / values.len() as f64;
        if mean.is_nan() { f64::INFINITY } else { mean.max(0.0) }
    }

    /// The factors of the residuals of the next fit by least squares.
    pub fn factors(&self, values: &[f64]) -> Vec<f64> {
        let own = self.loss.weights(values, &self.target);
        own.iter().zip(&self.rows).map(|(l, w)| (l * w).sqrt()).collect()
    }
}

/// What the nodes of a tree count for.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The weights.
    pub weights: Complexity,
    /// Those of the leaves; empty where everything counts once.
    pub leaves: Vec<usize>,
}

impl Counts {
    /// Of a node, the exponent of a power with it.
    pub fn of(&self, node: Node) -> usize {
        if self.leaves.is_empty() {
            return match node {
                Node::Raise(1) => 1,
                Node::Raise(_) => 2,
                Node::Negate => 0,
                _ => 1,
            };
        }
        let w = |name: &str| self.weights.weight(name);
        match node {
            Node::Leaf(k) => self.leaves.get(usize::from(k)).copied().unwrap_or(1),
            Node::Constant(_) => w("constant"),
            Node::Negate => 0,
            Node::Raise(1) => w("sqrt"),
            Node::Raise(-2) => w("divide") + w("constant"),
            Node::Raise(_) => w("power") + w("constant"),
            Node::Call(f) | Node::Pair(f) => w(f.name()),
            Node::Own(_) | Node::OwnPair(_) => 1,
            Node::Add => w("plus"),
            Node::Subtract => w("minus"),
            Node::Multiply => w("times"),
            Node::Divide => w("divide"),
            Node::Power => w("power"),
        }
    }

    /// Of a factor before a term, and of an intercept beside terms.
    pub fn factor(&self) -> usize {
        self.of(Node::Multiply) + self.of(Node::Constant(1.0))
    }
}

/// Rounds of weights for a loss of the user.
const ROUNDS: usize = 4;

/// The target behind an outermost function g: y = g(s).
#[derive(Clone, Debug)]
pub struct View {
    /// The function; `None` for the target itself.
    pub link: Option<Node>,
    /// s, weighted.
    pub target: Vec<f64>,
    /// The weight of each row: 1/sigma in units of its mean, times |g'(s)|, so that what is left counts as in y, to first
    /// order.
    pub weights: Option<Vec<f64>>,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.views[0].target.len()
    }
}

/// An individual's coefficients and what they leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// The intercept; 0 where there is none.
    pub intercept: f64,
    /// Factors of the terms.
    pub factors: Vec<f64>,
    /// Mean square of what is left, relative to the target's variance.
    pub loss: f64,
    /// By how much the loss would rise without the intercept, where there is one, and without each term.
    pub gains: Vec<f64>,
}

/// A column is within the others where so little of it is left.
const DEPENDENT: f64 = 1e-9;
/// Steps of a fit, and the least relative gain of a step that goes on.
const STEPS: usize = 12;
const LEAST_GAIN: f64 = 1e-4;
/// Steps that go nowhere before a fit ends.
const REFUSED: usize = 4;
/// A term or an intercept that explains less than this share of what is left is left out, or less than so many times the
/// rounding.
const NOTHING: f64 = 1e-2;
const ROUNDINGS: f64 = 4.0;
/// A constant is no part of a sum where it is so many times what it is added to.
const OVERWHELMING: f64 = 1e4;

/// An orthonormal basis of the intercept and the terms, the triangle that leads back, and what is left of the target.
struct Projected {
    basis: Vec<Vec<f64>>,
    triangle: Vec<Vec<f64>>,
    along: Vec<f64>,
    left: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x, y) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (p, q) in x.0.iter().zip(y.0) {
        for k in 0..8 {
            sums[k] += p[k] * q[k];
        }
    }
    sums.iter().sum::<f64>() + x.1.iter().zip(y.1).map(|(p, q)| p * q).sum::<f64>()
}

fn subtract(from: &mut [f64], factor: f64, what: &[f64]) {
    for (f, w) in from.iter_mut().zip(what) {
        *f -= factor * w;
    }
}

/// Gram and Schmidt, modified, each column twice (L. Giraud et al., Numer. Math. 101, 87 (2005)).
fn project(columns: &[Vec<f64>], target: &[f64]) -> Option<Projected> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    let mut triangle = Vec::with_capacity(columns.len());
    for column in columns {
        let mut q = column.clone();
        let whole = dot(&q, &q).sqrt();
        let mut above = vec![0.0; basis.len() + 1];
        for _ in 0..2 {
            for (k, b) in basis.iter().enumerate() {
                let along = dot(&q, b);
                above[k] += along;
                subtract(&mut q, along, b);
            }
        }
        let rest = dot(&q, &q).sqrt();
        if !(rest > DEPENDENT * whole && rest.is_finite()) {
            return None;
        }
        q.iter_mut().for_each(|x| *x /= rest);
        above[basis.len()] = rest;
        basis.push(q);
        triangle.push(above);
    }
    let mut left = target.to_vec();
    let mut along = vec![0.0; basis.len()];
    for _ in 0..2 {
        for (k, b) in basis.iter().enumerate() {
            let a = dot(&left, b);
            along[k] += a;
            subtract(&mut left, a, b);
        }
    }
    Some(Projected { basis, triangle, along, left })
}

impl Projected {
    fn coefficients(&self) -> Vec<f64> {
        let m = self.along.len();
        let mut c = self.along.clone();
        for k in (0..m).rev() {
            c[k] /= self.triangle[k][k];
            let own = c[k];
            for (c, t) in c[..k].iter_mut().zip(&self.triangle[k]) {
                *c -= t * own;
            }
        }
        c
    }
}

impl Projected {
    /// What the sum of squares gains by each column: the square of its coefficient over its diagonal element of the
    /// inverse Gram matrix.
    fn gains(&self) -> Vec<f64> {
        let m = self.along.len();
        let coefficients = self.coefficients();
        (0..m)
            .map(|k| {
                // A row of the inverse triangle.
                let mut row = vec![0.0; m];
                row[k] = 1.0 / self.triangle[k][k];
                for j in k + 1..m {
                    let sum: f64 = (k..j).map(|i| row[i] * self.triangle[j][i]).sum();
                    row[j] = -sum / self.triangle[j][j];
                }
                coefficients[k].powi(2) / row.iter().map(|x| x * x).sum::<f64>()
            })
            .collect()
    }
}

/// Fits individuals on rows; counts the work.
pub struct Fitter<'a> {
    rows: &'a Rows,
    /// What is fitted.
    view: &'a View,
    sweep: Sweep,
    /// Node evaluations times rows.
    pub work: u64,
}

impl<'a> Fitter<'a> {
    /// For these rows.
    pub fn new(rows: &'a Rows) -> Fitter<'a> {
        Fitter { rows, view: &rows.views[0], sweep: Sweep::with(rows.len(), rows.own.clone()), work: 0 }
    }

    /// Fits behind an outermost function from now on; whether there is such a view.
    pub fn see(&mut self, link: Option<Node>) -> bool {
        let view = self.rows.views.iter().find(|v| v.link == link);
        self.view = view.unwrap_or(self.view);
        view.is_some()
    }

    /// The rows.
    pub fn rows(&self) -> &'a Rows {
        self.rows
    }

    /// The weighted values of a tree; `None` where they are not finite.
    pub fn column(&mut self, tree: &Tree) -> Option<Vec<f64>> {
        self.work += (tree.len() * self.rows.len()) as u64;
        if !self.sweep.forward(tree, &self.rows.leaves) {
            return None;
        }
        let mut out = self.sweep.values(tree.len() - 1).to_vec();
        self.weigh(&mut out);
        Some(out)
    }

    fn weigh(&self, column: &mut [f64]) {
        if let Some(w) = &self.view.weights {
            column.iter_mut().zip(w).for_each(|(x, w)| *x *= w);
        }
    }

    fn columns(&mut self, terms: &[Tree], intercept: bool) -> Option<Vec<Vec<f64>>> {
        let mut columns = Vec::with_capacity(terms.len() + 1);
        if intercept {
            let mut one = vec![1.0; self.rows.len()];
            self.weigh(&mut one);
            columns.push(one);
        }
        for t in terms {
            columns.push(self.column(t)?);
        }
        Some(columns)
    }

    /// The coefficients of terms as they are; `None` where they have no values, or one says nothing beside the others.
    pub fn linear(&mut self, terms: &[Tree], intercept: bool) -> Option<Linear> {
        let columns = self.columns(terms, intercept)?;
        self.work += (columns.len() * columns.len() * self.rows.len()) as u64;
        let projected = project(&columns, &self.view.target)?;
        let told = self.told(&projected, intercept)?;
        self.reweighted(terms, intercept, told)
    }

    /// The coefficients that make the user's loss least, from those by least squares with the weights of the step.
    fn reweighted(&mut self, terms: &[Tree], intercept: bool, first: Linear) -> Option<Linear> {
        let Some(own) = &self.rows.loss else { return Some(first) };
        let n = self.rows.len();
        let mut raw: Vec<Vec<f64>> = Vec::with_capacity(terms.len() + 1);
        if intercept {
            raw.push(vec![1.0; n]);
        }
        for tree in terms {
            self.work += (tree.len() * n) as u64;
            self.sweep.forward(tree, &self.rows.leaves).then_some(())?;
            raw.push(self.sweep.values(tree.len() - 1).to_vec());
        }
        let sum = |fit: &Linear| -> Vec<f64> {
            let mut values = vec![fit.intercept; n];
            for (factor, column) in fit.factors.iter().zip(&raw[usize::from(intercept)..]) {
                values.iter_mut().zip(column).for_each(|(v, x)| *v += factor * x);
            }
            values
        };
        let per = n as f64 * self.rows.spread * own.loss.degree();
        let (floor, spread) = (self.rows.floor, self.rows.spread);
        let measure = |fit: &mut Linear| {
            let values = sum(fit);
            let loss = own.mean(&values) / spread;
            fit.loss = if loss < floor { floor } else { loss };
            values
        };
        let mut best = first;
        let mut values = measure(&mut best);
        for _ in 0..ROUNDS {
            let factors = own.factors(&values);
            let times = |x: &[f64]| x.iter().zip(&factors).map(|(x, w)| x * w).collect::<Vec<f64>>();
            let columns: Vec<Vec<f64>> = raw.iter().map(|c| times(c)).collect();
            self.work += ((columns.len() * columns.len() + 8) * n) as u64;
            let Some(projected) = project(&columns, &times(&own.target)) else { break };
            let mut all = projected.coefficients();
            let constant = if intercept { all.remove(0) } else { 0.0 };
            if !constant.is_finite() || all.iter().any(|c| !c.is_finite()) {
                break;
            }
            let gains = projected.gains().iter().map(|g| g / per).collect();
            let mut fit = Linear { intercept: constant, factors: all, loss: f64::INFINITY, gains };
            values = measure(&mut fit);
            let gained = fit.loss < best.loss * (1.0 - LEAST_GAIN);
            if fit.loss < best.loss {
                best = fit;
            }
            if !gained {
                break;
            }
        }
        (best.loss.is_finite() && self.within(&best)).then_some(best)
    }

    /// Whether coefficients lie where constants may.
    fn within(&self, fit: &Linear) -> bool {
        let Some((low, high)) = self.rows.bounds else { return true };
        let fine = |c: f64| (low..=high).contains(&c);
        fit.factors.iter().all(|c| fine(*c)) && fine(fit.intercept)
    }

    fn told(&self, projected: &Projected, intercept: bool) -> Option<Linear> {
        let mut all = projected.coefficients();
        let first = if intercept { all.remove(0) } else { 0.0 };
        let loss = match (self.view.link, &self.view.weights) {
            (Some(link), Some(weights)) => {
                // In y itself, to all orders.
                let (direct, n) = (&self.rows.views[0], self.rows.len());
                let square = |k: usize| {
                    let own = direct.weights.as_ref().map_or(1.0, |w| w[k]);
                    let s = (self.view.target[k] - projected.left[k]) / weights[k];
                    (above(link, s) * own - direct.target[k]).powi(2)
                };
                let sum: f64 = (0..n).map(square).sum();
                self.above_floor(sum / n as f64 / self.rows.spread)
            }
            _ => self.loss(&projected.left),
        };
        let finite = loss.is_finite() && first.is_finite() && all.iter().all(|c| c.is_finite());
        let per = self.rows.len() as f64 * self.rows.spread;
        let gains = projected.gains().iter().map(|g| g / per).collect();
        let fit = Linear { intercept: first, factors: all, loss, gains };
        (finite && (self.rows.loss.is_some() || self.within(&fit))).then_some(fit)
    }

    fn loss(&self, left: &[f64]) -> f64 {
        self.above_floor(dot(left, left) / self.rows.len() as f64 / self.rows.spread)
    }

    /// A loss, no lower than rounding; no number stays none.
    fn above_floor(&self, loss: f64) -> f64 {
        if loss < self.rows.floor { self.rows.floor } else { loss }
    }

    /// The fit without terms and intercept that explain next to nothing, one after the other.
    pub fn pruned(&mut self, terms: &mut Vec<Tree>, intercept: &mut bool, mut fit: Linear) -> Linear {
        while terms.len() + usize::from(*intercept) > 1 {
            let allowed = (NOTHING * fit.loss).max(ROUNDINGS * self.rows.floor);
            let least = (0..fit.gains.len()).min_by(|&a, &b| fit.gains[a].total_cmp(&fit.gains[b]));
            let Some(k) = least.filter(|&k| fit.gains[k] <= allowed) else { break };
            let mut fewer = terms.clone();
            let constant = *intercept && k == 0;
            if !constant {
                fewer.remove(k - usize::from(*intercept));
            }
            if fewer.is_empty() {
                break;
            }
            let Some(new) = self.linear(&fewer, *intercept && !constant) else { break };
            *terms = fewer;
            *intercept &= !constant;
            fit = new;
        }
        fit
    }

    /// Fits the constants inside the terms, in place; `None` where they have no values from the start.
    pub fn fit(&mut self, terms: &mut [Tree], intercept: bool, steps: usize) -> Option<Linear> {
        let rows = self.rows.len();
        let places: Vec<(usize, usize)> =
            terms.iter().enumerate().flat_map(|(t, tree)| tree.constants().map(move |k| (t, k))).collect();
        let m = places.len();
        let mut columns = self.columns(terms, intercept)?;
        let mut projected = project(&columns, &self.view.target)?;
        let mut loss = self.loss(&projected.left);
        if m == 0 || m > rows / 2 {
            let told = self.told(&projected, intercept)?;
            return self.reweighted(terms, intercept, told);
        }
        let mut mu = 1e-3;
        let mut refused = 0;
        let mut system: Option<(DMatrix<f64>, DVector<f64>)> = None;
        for _ in 0..steps.min(STEPS) {
            if loss <= self.rows.floor {
                break;
            }
            if system.is_none() {
                system = self.system(terms, &places, intercept, &projected);
            }
            let Some((gram, gradient)) = &system else { break };
            let mut damped = gram.clone();
            for k in 0..m {
                damped[(k, k)] *= 1.0 + mu;
                damped[(k, k)] += 1e-300;
            }
            let Some(step) = damped.cholesky().map(|c| c.solve(gradient)) else {
                mu *= 10.0;
                refused += 1;
                if refused > REFUSED {
                    break;
                }
                continue;
            };
            let old: Vec<f64> = places.iter().map(|&(t, k)| constant(&terms[t], k)).collect();
            for (j, &(t, k)) in places.iter().enumerate() {
                let (low, high) = self.rows.bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                terms[t].nodes[k] = Node::Constant((old[j] + step[j]).clamp(low, high));
            }
            let new = self.columns(terms, intercept).and_then(|c| Some((project(&c, &self.view.target)?, c)));
            let better = new.filter(|(p, _)| self.loss(&p.left) < loss);
            if let Some((p, c)) = better {
                let gained = 1.0 - self.loss(&p.left) / loss;
                loss = self.loss(&p.left);
                (projected, columns) = (p, c);
                system = None;
                mu = (mu / 10.0).max(1e-12);
                refused = 0;
                if gained < LEAST_GAIN {
                    break;
                }
            } else {
                for (j, &(t, k)) in places.iter().enumerate() {
                    terms[t].nodes[k] = Node::Constant(old[j]);
                }
                mu *= 10.0;
                refused += 1;
                if refused > REFUSED {
                    break;
                }
            }
        }
        self.work += (columns.len() * rows) as u64;
        let told = self.told(&projected, intercept)?;
        self.reweighted(terms, intercept, told)
    }

    /// Whether no constant is so large beside what it is added to that only the rounding of the sum is left of that: such
    /// constants turn products into sums.
    pub fn sound(&mut self, terms: &[Tree]) -> bool {
        let size = |values: &[f64]| (dot(values, values) / values.len() as f64).sqrt();
        terms.iter().filter(|t| t.constants().next().is_some()).all(|tree| {
            self.work += (tree.len() * self.rows.len()) as u64;
            self.sweep.forward(tree, &self.rows.leaves)
                && (0..tree.len()).filter(|&k| matches!(tree.nodes[k], Node::Add | Node::Subtract)).all(|k| {
                    let (a, b) = tree.operands(k);
                    match tree.nodes[b] {
                        Node::Constant(c) => c.abs() <= OVERWHELMING * size(self.sweep.values(a)),
                        _ => true,
                    }
                })
        })
    }

    /// The normal equations of the constants on what the coefficients leave; `None` where a derivative is not finite.
    fn system(
        &mut self,
        terms: &[Tree],
        places: &[(usize, usize)],
        intercept: bool,
        projected: &Projected,
    ) -> Option<(DMatrix<f64>, DVector<f64>)> {
        let rows = self.rows.len();
        let coefficients = projected.coefficients();
        let mut jacobian: Vec<Vec<f64>> = Vec::with_capacity(places.len());
        for (t, tree) in terms.iter().enumerate() {
            if !places.iter().any(|p| p.0 == t) {
                continue;
            }
            self.work += (3 * tree.len() * rows) as u64;
            self.sweep.forward(tree, &self.rows.leaves);
            self.sweep.backward(tree);
            let c = coefficients[t + usize::from(intercept)];
            for &(_, k) in places.iter().filter(|p| p.0 == t) {
                let mut column: Vec<f64> = self.sweep.slopes(k).iter().map(|s| c * s).collect();
                self.weigh(&mut column);
                for b in &projected.basis {
                    let along = dot(&column, b);
                    subtract(&mut column, along, b);
                }
                jacobian.push(column);
            }
        }
        let m = places.len();
        self.work += (m * (m + 2 * projected.basis.len()) * rows) as u64;
        let gram = DMatrix::from_fn(m, m, |i, j| dot(&jacobian[i], &jacobian[j]));
        let gradient = DVector::from_fn(m, |i, _| dot(&jacobian[i], &projected.left));
        (gram.iter().chain(gradient.iter()).all(|x| x.is_finite())).then_some((gram, gradient))
    }
}

fn constant(tree: &Tree, k: usize) -> f64 {
    match tree.nodes[k] {
        Node::Constant(c) => c,
        _ => f64::NAN,
    }
}
