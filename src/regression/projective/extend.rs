//! Variables that are added to the features: sums and differences of two with one dimension, and sums of a feature and a
//! product of two others; sums and differences of squares; a number and 1. Physics depends on where things are relative to
//! each other, on differences of phases, on sums of partial effects and in quadrature, and on what is left of a whole. Up to three that share no feature are added at once.

use nalgebra::{DMatrix, DVector};

use super::view::Variable;
use crate::expression::Expr;
use crate::regression::options::Plan;
use crate::regression::problem::Problem;

/// An added variable: the features it is made of, and its values.
#[derive(Clone, Debug)]
pub struct Extension {
    /// Places of its features.
    pub features: Vec<usize>,
    /// The variable.
    pub variable: Variable,
    /// How it is made of them.
    kind: Kind,
    /// The sign of its second part.
    pub sign: f64,
    /// Price.
    pub cost: f64,
}

/// How an added variable is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// x + z
    Sum,
    /// x + z*w
    Product,
    /// x^2 + z^2
    Squares,
    /// 1 + x
    One,
}

/// The part of the gradient that a sum of 1 and a feature is taken to miss: along one feature there is no other direction.
const MISSED: f64 = 0.02;
/// Most sets of added variables that are tried.
const SETS: usize = 600;
/// Columns up to which sums with products are made.
const FEW: usize = 7;

/// Rows that the ranking looks at.
const RANKED: usize = 1500;

/// The places of the extensions, those first along whose features the target changes as it would if it knew only their
/// combination: the gradient of a polynomial through ln |y| (of the third degree, where there are rows for it), against
/// the gradient of the extension.
pub fn ranking(problem: &Problem, all: &[Extension]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    let Some(gradient) = gradient(problem) else { return order };
    let rows = gradient.first().map_or(0, Vec::len);
    let step = problem.rows().div_ceil(RANKED).max(1);
    let scores: Vec<f64> = all
        .iter()
        .map(|e| {
            let (mut across, mut whole) = (0.0, 0.0);
            for r in 0..rows {
                let own: Vec<f64> = e.features.iter().map(|&f| gradient[f][r]).collect();
                let direction = e.slope(problem, r * step);
                let along: f64 = own.iter().zip(&direction).map(|(a, b)| a * b).sum();
                let square: f64 = own.iter().map(|x| x * x).sum();
                let size: f64 = direction.iter().map(|x| x * x).sum();
                across += square - along * along / size;
                whole += square;
            }
            if e.kind == Kind::One {
                across = MISSED * whole;
            }
            // Small sines first; the price decides between the others.
            across / whole.max(f64::MIN_POSITIVE) + 0.02 * e.cost
        })
        .collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order
}

impl Extension {
    /// The gradient by its features in a row.
    fn slope(&self, problem: &Problem, row: usize) -> Vec<f64> {
        let x = |k: usize| problem.columns[self.features[k]][row];
        let sign = self.sign;
        match self.kind {
            Kind::Sum => vec![1.0, sign],
            Kind::Product => vec![1.0, sign * x(2), sign * x(1)],
            Kind::Squares => vec![x(0), sign * x(1)],
            Kind::One => vec![sign],
        }
    }
}

/// The gradient of ln |y| by each feature, on evenly spread rows; `None` where there are too few for a polynomial.
fn gradient(problem: &Problem) -> Option<Vec<Vec<f64>>> {
    let step = problem.rows().div_ceil(RANKED).max(1);
    let rows: Vec<usize> = (0..problem.rows()).step_by(step).collect();
    let useful = problem.useful();
    let n = useful.len();
    // Exponents up to the degree.
    let powers = |degree: usize| -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..degree {
            last = last
                .iter()
                .flat_map(|p| (p.last().copied().unwrap_or(0)..n).map(move |k| [p.clone(), vec![k]].concat()))
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    };
    let degree = (1..=3).rev().find(|&d| powers(d).len() * 2 <= rows.len())?;
    if degree < 2 {
        return None;
    }
    let powers = powers(degree);
    // Features scaled to -1..1.
    let scaled: Vec<(f64, f64)> = useful
        .iter()
        .map(|&k| {
            let column = &problem.columns[k];
            let low = column.iter().copied().fold(f64::INFINITY, f64::min);
            let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            ((low + high) / 2.0, (high - low) / 2.0)
        })
        .collect();
    let place = |k: usize, i: usize| (problem.columns[useful[k]][i] - scaled[k].0) / scaled[k].1;
    let usable: Vec<usize> = rows.iter().copied().filter(|&i| problem.target[i] != 0.0).collect();
    let design = DMatrix::from_fn(usable.len(), powers.len(), |r, c| {
        powers[c].iter().map(|&k| place(k, usable[r])).product::<f64>()
    });
    let goal = DVector::from_iterator(usable.len(), usable.iter().map(|&i| problem.target[i].abs().ln()));
    let mut normal = design.transpose() * &design;
    for k in 0..powers.len() {
        normal[(k, k)] += 1e-9 * usable.len() as f64;
    }
    let solved = normal.cholesky()?.solve(&(design.transpose() * goal));
    let mut out = vec![vec![0.0; rows.len()]; problem.columns.len()];
    for (r, &i) in rows.iter().enumerate() {
        for (c, p) in powers.iter().enumerate() {
            for (at, &k) in p.iter().enumerate() {
                let rest: f64 =
                    p.iter().enumerate().filter(|(b, _)| *b != at).map(|(_, &j)| place(j, i)).product();
                out[useful[k]][r] += solved[c] * rest / scaled[k].1;
            }
        }
    }
    Some(out)
}

/// The features as variables.
pub fn features(problem: &Problem) -> Vec<Variable> {
    let own = |k: usize| Variable {
        expr: Expr::symbol(problem.names[k].clone()),
        dimension: problem.dimension(k),
        values: problem.columns[k].clone(),
    };
    // A feature that is often 0 has no logarithm; it lives on in sums and differences.
    let often = |k: usize| {
        let zeros = problem.columns[k].iter().filter(|x| **x == 0.0).count();
        zeros * 5 > problem.rows()
    };
    problem.useful().into_iter().filter(|&k| !often(k)).map(own).collect()
}

/// All single extensions, cheapest first.
pub fn extensions(problem: &Problem, plan: &Plan) -> Vec<Extension> {
    let useful = problem.useful();
    let mut all = Vec::new();
    let symbol = |k: usize| Expr::symbol(problem.names[k].clone());
    for (place, &i) in useful.iter().enumerate() {
        for &j in &useful[place + 1..] {
            if problem.dimension(i) != problem.dimension(j) {
                continue;
            }
            for (sign, name, cost) in [(-1.0, "-", 0.0), (1.0, "+", 0.3)] {
                if !plan.allows(name) {
                    continue;
                }
                let values: Vec<f64> =
                    problem.columns[i].iter().zip(&problem.columns[j]).map(|(a, b)| a + sign * b).collect();
                let other = if sign < 0.0 { symbol(j).negate() } else { symbol(j) };
                all.push(Extension {
                    kind: Kind::Sum,
                    features: vec![i, j],
                    variable: Variable { expr: symbol(i) + other, dimension: problem.dimension(i), values },
                    sign,
                    cost,
                });
            }
        }
    }
    for (place, &i) in useful.iter().enumerate() {
        for (sign, name, cost) in [(-1.0, "-", 0.2), (1.0, "+", 0.4)] {
            if !plan.allows(name) {
                continue;
            }
            if problem.dimension(i).is_none() {
                let values = problem.columns[i].iter().map(|x| 1.0 + sign * x).collect();
                let own = if sign < 0.0 { symbol(i).negate() } else { symbol(i) };
                let variable = Variable { expr: Expr::one() + own, dimension: problem.dimension(i), values };
                all.push(Extension { features: vec![i], kind: Kind::One, variable, sign, cost });
            }
            for &j in useful[place + 1..].iter().filter(|_| plan.allows("*")) {
                let square = problem.dimension(i).mul(problem.dimension(i));
                let Some(dimension) = square.filter(|_| problem.dimension(i) == problem.dimension(j)) else {
                    continue;
                };
                let (a, b) = (&problem.columns[i], &problem.columns[j]);
                let values = a.iter().zip(b).map(|(a, b)| a * a + sign * b * b).collect();
                let other = symbol(j).powi(2);
                let other = if sign < 0.0 { other.negate() } else { other };
                let variable = Variable { expr: symbol(i).powi(2) + other, dimension, values };
                all.push(Extension {
                    features: vec![i, j],
                    kind: Kind::Squares,
                    variable,
                    sign,
                    cost: cost + 0.2,
                });
            }
        }
    }
    if useful.len() <= FEW && plan.allows("*") {
        for &k in &useful {
            for (place, &i) in useful.iter().enumerate() {
                for &j in &useful[place..] {
                    let dimension = problem.dimension(i).mul(problem.dimension(j));
                    if i == k || j == k || dimension != Some(problem.dimension(k)) {
                        continue;
                    }
                    for (sign, name, cost) in [(-1.0, "-", 1.0), (1.0, "+", 1.1)] {
                        if !plan.allows(name) {
                            continue;
                        }
                        let (x, a, b) = (&problem.columns[k], &problem.columns[i], &problem.columns[j]);
                        let values = (0..x.len()).map(|r| x[r] + sign * a[r] * b[r]).collect();
                        let product = symbol(i) * symbol(j);
                        let other = if sign < 0.0 { product.negate() } else { product };
                        all.push(Extension {
                            kind: Kind::Product,
                            features: vec![k, i, j],
                            variable: Variable {
                                expr: symbol(k) + other,
                                dimension: problem.dimension(k),
                                values,
                            },
                            sign,
                            cost,
                        });
                    }
                }
            }
        }
    }
    all.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    all
}

/// Sets of one, two and three extensions that share no feature; `order` ranks the single ones, best first.
pub fn sets(all: &[Extension], order: &[usize]) -> Vec<Vec<usize>> {
    let apart = |a: usize, b: usize| all[a].features.iter().all(|f| !all[b].features.contains(f));
    let mut found: Vec<Vec<usize>> = order.iter().map(|&a| vec![a]).collect();
    // Pairs and triples in the order of the sum of their ranks.
    let near = order.len().min(40);
    let mut several: Vec<(usize, Vec<usize>)> = Vec::new();
    for i in 0..near {
        for j in i + 1..near {
            if !apart(order[i], order[j]) {
                continue;
            }
            several.push((i + j + 2, vec![order[i], order[j]]));
            for k in j + 1..near {
                if apart(order[i], order[k]) && apart(order[j], order[k]) {
                    several.push((i + j + k + 6, vec![order[i], order[j], order[k]]));
                }
            }
        }
    }
    several.sort();
    found.extend(several.into_iter().map(|(_, s)| s));
    found.truncate(SETS);
    found
}
