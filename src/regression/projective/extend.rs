//! Variables that are added to the features: sums and differences of two with one dimension, and sums of a feature and a
//! product of two others. Physics depends on where things are relative to each other, on differences of phases, and on
//! sums of partial effects. Up to three that share no feature are added at once.

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
    /// Price.
    pub cost: f64,
}

/// Most sets of added variables that are tried.
const SETS: usize = 600;
/// Columns up to which sums with products are made.
const FEW: usize = 7;

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
                    features: vec![i, j],
                    variable: Variable { expr: symbol(i) + other, dimension: problem.dimension(i), values },
                    cost,
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
                            features: vec![k, i, j],
                            variable: Variable {
                                expr: symbol(k) + other,
                                dimension: problem.dimension(k),
                                values,
                            },
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
