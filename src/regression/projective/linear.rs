//! Sums: y^p = c1*T1 + c2*T2 (+ c3*T3), where each T is a product of powers of the dimension of y^p times a factor or its
//! inverse. All pairs and, of the cheapest terms, all triples are tried by their scalar products.

use rayon::prelude::*;

use super::library::Library;
use super::nodes::{Arena, Node};
use super::view::{K, Lane, View};
use crate::base::Number;
use crate::expression::Expr;
use crate::numeric::linear_least_squares;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Most combinations that go on to be checked.
const KEPT: usize = 12;

/// A term: a product of powers and perhaps a factor to a power.
#[derive(Clone, Debug)]
pub struct Term {
    product: Vec<i8>,
    factor: Option<(u32, i8)>,
    cost: f64,
    /// Divided by y^p and by its length.
    lane: Lane,
}

/// Bounds of a search for sums.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most products.
    pub products: usize,
    /// Most factors.
    pub factors: usize,
    /// Most terms for pairs.
    pub pairs: usize,
    /// Most terms for triples.
    pub triples: usize,
}

fn dot(a: &Lane, b: &Lane) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

fn raise(y: f64, p: i8) -> f64 {
    y.powi(i32::from(p))
}

/// The powers of the target that are tried.
pub const POWERS: [i8; 4] = [1, -1, 2, -2];

/// The terms for y^p, cheapest first.
fn terms(problem: &Problem, view: &View, library: &Library, p: i8, bounds: Bounds) -> Vec<Term> {
    let Some(goal) = problem.goal().pow(&Number::int(p.into())) else { return Vec::new() };
    let y: Lane = std::array::from_fn(|k| raise(problem.target[view.rows[k]], p));
    let free = view.lattice.iter().all(|d| d.is_none());
    let goal = if free { Dimension::NONE } else { goal };
    let mut products: Vec<Vec<i8>> = view.products.of(goal).iter().take(bounds.products).cloned().collect();
    if goal.is_none() {
        products.insert(0, vec![0; view.dimensions.len()]);
        products.truncate(bounds.products);
    }
    let mut list: Vec<(f64, Vec<i8>, Option<(u32, i8)>)> = Vec::new();
    for m in &products {
        let total: i32 = m.iter().map(|x| i32::from(x.abs())).sum();
        let cost = 0.5 * f64::from(total) + 0.3;
        let halves: Vec<i8> = m.iter().map(|x| 2 * x).collect();
        list.push((cost, halves.clone(), None));
        for (k, f) in library.factors.iter().take(bounds.factors).enumerate() {
            for (power, extra) in [(2, 0.0), (-2, 0.4), (1, 0.6), (-1, 0.6), (4, 0.7)] {
                // Only roots of sums, not of waves.
                if power % 2 != 0 && !matches!(f.node, Node::Affine(..) | Node::Both(..)) {
                    continue;
                }
                list.push((cost + f.cost + extra, halves.clone(), Some((k as u32, power))));
            }
        }
    }
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list.truncate(2 * bounds.pairs);
    let powers: Vec<Lane> =
        library.factors.iter().take(bounds.factors).map(|f| library.arena.values(view, f.node)).collect();
    let made: Vec<Option<Term>> = list
        .into_par_iter()
        .map(|(cost, product, factor)| {
            let mut lane = view.monomial(&product);
            if let Some((k, power)) = factor {
                let values = &powers[k as usize];
                lane.iter_mut().zip(values).for_each(|(l, v)| *l *= v.powf(f64::from(power) / 2.0));
            }
            lane.iter_mut().zip(&y).for_each(|(l, y)| *l /= y);
            let size = dot(&lane, &lane).sqrt();
            lane.iter_mut().for_each(|l| *l /= size);
            (size.is_finite() && size > 0.0 && lane.iter().all(|x| x.is_finite())).then_some(Term {
                product,
                factor,
                cost,
                lane,
            })
        })
        .collect();
    let mut all: Vec<Term> = Vec::new();
    let mut sums = std::collections::HashSet::new();
    for term in made.into_iter().flatten() {
        // Equal terms have equal sums of their values.
        let sum: f64 = term.lane.iter().enumerate().map(|(k, x)| x * (1.0 + k as f64)).sum();
        if sums.insert((sum.abs() * 1e9).round() as i64) {
            all.push(term);
        }
    }
    all.truncate(bounds.pairs);
    all
}

/// Sums of two and three terms that equal y^p on the probe rows within `tolerance`, as models that hold on `rows`.
pub fn sums(
    problem: &Problem,
    view: &View,
    library: &Library,
    p: i8,
    bounds: Bounds,
    tolerance: f64,
    rows: &[usize],
    engine: &'static str,
) -> (Vec<Model>, u64) {
    let terms = terms(problem, view, library, p, bounds);
    let one = [1.0 / (K as f64).sqrt(); K];
    let along: Vec<f64> = terms.iter().map(|t| dot(&t.lane, &one)).collect();
    let limit = (tolerance * tolerance).max(1e-13);
    let mut work = (terms.len() * terms.len() / 2 + terms.len() * K) as u64;
    let mut found: Vec<(f64, Vec<usize>)> = (0..terms.len())
        .into_par_iter()
        .with_min_len(16)
        .flat_map_iter(|i| {
            let mut own = Vec::new();
            let a = along[i];
            for j in i + 1..terms.len() {
                let g = dot(&terms[i].lane, &terms[j].lane);
                let b = along[j];
                let free = 1.0 - g * g;
                if free > 1e-8 && 1.0 - (a * a + b * b - 2.0 * a * b * g) / free < limit {
                    own.push((terms[i].cost + terms[j].cost, vec![i, j]));
                }
            }
            own
        })
        .collect();
    let few = terms.len().min(bounds.triples);
    if found.is_empty() && few >= 3 {
        let gram: Vec<Vec<f64>> = (0..few)
            .into_par_iter()
            .map(|i| (0..few).map(|j| dot(&terms[i].lane, &terms[j].lane)).collect())
            .collect();
        work += (few * few * few / 6) as u64 / 4;
        found = (0..few)
            .into_par_iter()
            .flat_map_iter(|i| {
                let mut own = Vec::new();
                let left = 1.0 - along[i] * along[i];
                for j in i + 1..few {
                    let n = 1.0 - gram[i][j] * gram[i][j];
                    if n < 1e-8 {
                        continue;
                    }
                    let b = along[j] - gram[i][j] * along[i];
                    let after = left - b * b / n;
                    for k in j + 1..few {
                        let g = gram[j][k] - gram[i][j] * gram[i][k];
                        let free = 1.0 - gram[i][k] * gram[i][k] - g * g / n;
                        let c = along[k] - gram[i][k] * along[i] - g * b / n;
                        if free > 1e-8 && after - c * c / free < limit {
                            own.push((terms[i].cost + terms[j].cost + terms[k].cost, vec![i, j, k]));
                        }
                    }
                }
                own
            })
            .collect();
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(KEPT);
    let models = found
        .into_iter()
        .filter_map(|(_, chosen)| {
            let chosen: Vec<&Term> = chosen.iter().map(|&k| &terms[k]).collect();
            model(problem, view, &library.arena, library, p, &chosen, rows, tolerance, engine)
        })
        .collect();
    (models, work)
}

fn model(
    problem: &Problem,
    view: &View,
    arena: &Arena,
    library: &Library,
    p: i8,
    chosen: &[&Term],
    rows: &[usize],
    tolerance: f64,
    engine: &'static str,
) -> Option<Model> {
    let y: Vec<f64> = rows.iter().map(|&i| raise(problem.target[i], p)).collect();
    let mut columns = Vec::new();
    for t in chosen {
        let mut values = view.monomial_on(&t.product, rows);
        if let Some((k, power)) = t.factor {
            let f = arena.values_on(view, library.factors[k as usize].node, rows);
            values.iter_mut().zip(f).for_each(|(v, f)| *v *= f.powf(f64::from(power) / 2.0));
        }
        values.iter_mut().zip(&y).for_each(|(v, y)| *v /= y);
        columns.push(values);
    }
    let lists: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let ones = vec![1.0; rows.len()];
    let solved = linear_least_squares(&lists, &ones, None, false).ok()?;
    let worst = solved.residuals.iter().fold(0.0f64, |m, r| m.max(r.abs()));
    if !(worst <= 30.0 * tolerance.max(1e-7)) || !solved.undetermined.is_empty() {
        return None;
    }
    let goal = problem.goal().pow(&Number::int(p.into()))?;
    let mut parameters = Vec::new();
    let mut sum = Vec::new();
    for (t, c) in chosen.iter().zip(&solved.coefficients) {
        let symbol = Parameter::symbol(parameters.len());
        let mut dimension = Dimension::NONE;
        let mut factors = vec![Expr::symbol(symbol.clone())];
        for (h, v) in t.product.iter().zip(&view.variables).filter(|(h, _)| **h != 0) {
            let power = Number::ratio(i64::from(*h), 2)?;
            dimension = dimension.mul(v.dimension.pow(&power)?)?;
            factors.push(Expr::power(v.expr.clone(), Expr::number(power)));
        }
        let dimension = if problem.dimensions.is_some() { goal.div(dimension)? } else { Dimension::NONE };
        parameters.push(Parameter { symbol, start: *c, dimension });
        if let Some((k, power)) = t.factor {
            let own = arena.expr(view, library.factors[k as usize].node, &mut parameters)?;
            factors.push(Expr::power(own, Expr::number(Number::ratio(i64::from(power), 2)?)));
        }
        sum.push(Expr::product(factors));
    }
    let root = Expr::power(Expr::sum(sum), Expr::number(Number::int(p.into()).recip()?));
    let negative = p % 2 == 0 && problem.target.iter().all(|y| *y <= 0.0);
    let template = if negative { root.negate() } else { root };
    Some(Model { template, parameters, engine })
}
