//! Sparse laws g(y) = sum of at most five terms, y itself or through a link g (log, exp, square, inverse ...), and
//! rational functions (sum of terms)/(1 + sum of terms), linear in their constants after multiplication. Terms are chosen
//! by the Gram matrix of the weighted terms: all pairs, then a beam that grows term by term. What is proposed is fitted
//! again in the target's own space, so that the linearisation decides nothing. Multiplying by the denominator multiplies
//! the noise with it, and may put a pole where none is; a rational law therefore starts also from solutions with each row
//! divided by the denominator found before (C. Sanathanan, J. Koerner, IEEE Trans. Autom. Control 8, 56 (1963)).

use nalgebra::{DMatrix, DVector};
use serde_json::Value as Json;

use super::terms::{Term, terms};
use crate::base::{CancelToken, Number};
use crate::expression::{Expr, Function, Kind};
use crate::numeric::linear_least_squares;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::engine::{Batch, Engine, Search, Step};
use crate::regression::options::Constants;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Most terms of a law.
const MAX_CHOSEN: usize = 5;
/// Width of the beam.
const BEAM: usize = 12;
/// Laws proposed for each number of terms.
const PROPOSED: usize = 3;
/// Rounds of dividing by the denominator found before.
const ROUNDS: usize = 8;
/// Starts of a rational law.
const STARTS: usize = 4;
/// Starts closer than this in every constant are one.
const SAME: f64 = 1e-3;
/// Rows that the choice of terms looks at.
const ROWS: usize = 800;

/// A link on the target.
struct Link {
    name: &'static str,
    /// g and its derivative.
    forward: fn(f64) -> (f64, f64),
    /// The law from the sum: the inverse of g.
    inverse: fn(Expr) -> Expr,
    /// The power of the target's dimension that g has; `None`: the target must be a pure number.
    power: Option<i64>,
    /// An operator the law needs.
    needs: &'static str,
}

fn half() -> Expr {
    Expr::number(Number::HALF)
}

const IDENTITY: Link =
    Link { name: "sparse", forward: |y| (y, 1.0), inverse: |e| e, power: Some(1), needs: "+" };

const LINKS: [Link; 8] = [
    Link {
        name: "inverse",
        forward: |y| (1.0 / y, -1.0 / (y * y)),
        inverse: |e| e.recip(),
        power: Some(-1),
        needs: "/",
    },
    Link {
        name: "square",
        forward: |y| (y * y, 2.0 * y),
        inverse: |e| Expr::power(e, half()),
        power: Some(2),
        needs: "sqrt",
    },
    Link {
        name: "inverse square",
        forward: |y| (1.0 / (y * y), -2.0 / (y * y * y)),
        inverse: |e| Expr::power(e, half().negate()),
        power: Some(-2),
        needs: "sqrt",
    },
    Link {
        name: "logarithm",
        forward: |y| (y.ln(), 1.0 / y),
        inverse: |e| Expr::call(Function::Exp, vec![e]),
        power: None,
        needs: "exp",
    },
    Link {
        name: "exponential",
        forward: |y| (y.exp(), y.exp()),
        inverse: |e| Expr::call(Function::Log, vec![e]),
        power: None,
        needs: "log",
    },
    Link {
        name: "square root",
        forward: |y| (y.sqrt(), 0.5 / y.sqrt()),
        inverse: |e| Expr::power(e, Expr::int(2)),
        power: None,
        needs: "*",
    },
    Link {
        name: "arc sine",
        forward: |y| (y.asin(), 1.0 / (1.0 - y * y).sqrt()),
        inverse: |e| Expr::call(Function::Sin, vec![e]),
        power: None,
        needs: "sin",
    },
    Link {
        name: "arc cosine",
        forward: |y| (y.acos(), -1.0 / (1.0 - y * y).sqrt()),
        inverse: |e| Expr::call(Function::Cos, vec![e]),
        power: None,
        needs: "cos",
    },
];

impl Link {
    /// Whether a single term under the link is a power law, which has its own engine.
    fn keeps_powers(&self) -> bool {
        self.power.is_some_and(|p| p != 1) || self.name == "square root"
    }

    /// exp(a + b) = exp(a)*exp(b): a constant in the sum is a factor of the law, with the target's unit.
    fn has_prefactor(&self) -> bool {
        self.name == "logarithm"
    }
}

/// The engine: one batch a link and pass.
pub struct Sparse {
    links: Vec<Link>,
    rational: bool,
    /// Link and whether units are left free; what comes next.
    next: usize,
    terms: Option<Vec<Term>>,
}

impl Sparse {
    /// Sums of terms.
    pub fn linear() -> Sparse {
        Sparse { links: vec![IDENTITY], rational: false, next: 0, terms: None }
    }

    /// Sums of terms under a link.
    pub fn links() -> Sparse {
        Sparse { links: LINKS.into(), rational: false, next: 0, terms: None }
    }

    /// Ratios of sums of terms.
    pub fn rational() -> Sparse {
        Sparse { links: vec![IDENTITY], rational: true, next: 0, terms: None }
    }
}

impl Engine for Sparse {
    fn name(&self) -> &'static str {
        if self.rational { "rational" } else { "sparse" }
    }

    fn next(&mut self, search: &Search<'_>) -> Option<Step> {
        let columns = search.problem.useful().len() as u64;
        // About as many terms as there are pairs and triples of columns, a Gram matrix of them, and a beam.
        let terms = (10 + 4 * columns * columns + columns * columns * columns / 6).min(320);
        let (place, free) = (self.next / 2, self.next % 2 == 1);
        let chance = if self.rational {
            0.02
        } else if place == 0 && self.links.len() == 1 {
            0.08
        } else {
            0.012
        };
        (self.next < 2 * self.links.len()).then(|| Step {
            // What it proposes is fitted on all rows, from several starts.
            work: terms * terms * search.problem.rows().min(ROWS) as u64 / 8
                + 24 * 200 * search.problem.rows() as u64,
            chance: if free { 0.5 * chance } else { chance },
        })
    }

    fn save(&self) -> Json {
        Json::from(self.next)
    }

    fn restore(&mut self, state: &Json) -> Option<()> {
        self.next = usize::try_from(state.as_u64()?).ok()?;
        Some(())
    }

    fn run(&mut self, search: &Search<'_>) -> Batch {
        let Search { problem, plan, cancel } = *search;
        let (place, free) = (self.next / 2, self.next % 2 == 1);
        self.next += 1;
        let link = &self.links[place];
        let skip = !plan.allows(link.needs)
            || (free && (problem.dimensions.is_none() || plan.constants == Constants::Dimensionless))
            || (self.rational && !plan.allows("/"));
        let goal = match link.power {
            Some(p) => problem.goal().pow(&Number::int(p)),
            None => (problem.goal().is_none() || link.has_prefactor()).then_some(Dimension::NONE),
        };
        // With dimensionless constants a denominator 1 + ... has dimensionless terms.
        let (Some(goal), false) = (goal, skip) else { return Batch::default() };
        let own = self.terms.get_or_insert_with(|| terms(problem, plan));
        let pool: Vec<&Term> = own
            .iter()
            .filter(|t| {
                free || problem.dimensions.is_none()
                    || t.dimension == goal
                    || self.rational && t.dimension.is_none()
            })
            .collect();
        let Some(choice) = Choice::new(problem, link, &pool, goal, self.rational, free) else {
            return Batch { models: Vec::new(), work: problem.rows() as u64 };
        };
        let (models, work) = choice.models(problem, link, cancel);
        Batch { models, work }
    }
}

/// The linear problem behind one batch.
struct Choice<'a> {
    terms: Vec<(&'a Term, bool)>,
    gram: DMatrix<f64>,
    right: DVector<f64>,
    square: f64,
    scale: Vec<f64>,
    goal: Dimension,
    /// The rows looked at.
    places: Vec<usize>,
    weights: Vec<f64>,
    rational: bool,
}

impl<'a> Choice<'a> {
    fn new(
        problem: &Problem,
        link: &Link,
        pool: &[&'a Term],
        goal: Dimension,
        rational: bool,
        free: bool,
    ) -> Option<Choice<'a>> {
        let stride = problem.rows().div_ceil(ROWS).max(1);
        let rows: Vec<usize> = (0..problem.rows()).step_by(stride).collect();
        let size = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        let mut weights = Vec::with_capacity(rows.len());
        let mut target = Vec::with_capacity(rows.len());
        for &i in &rows {
            let (g, slope) = (link.forward)(problem.target[i]);
            let sigma = problem.sigma.as_ref().map_or(size, |s| s[i]);
            let w = 1.0 / (slope * sigma);
            if !g.is_finite() || !w.is_finite() || w == 0.0 {
                return None;
            }
            weights.push(w.abs());
            target.push(g * w.abs());
        }
        let mut list: Vec<(&Term, bool)> = Vec::new();
        for t in pool {
            if free || problem.dimensions.is_none() || t.dimension == goal {
                list.push((t, false));
            }
        }
        if rational {
            // Numerators and denominators from the shorter half, so that all pairs stay few.
            list.truncate(60);
            let below: Vec<&Term> = pool.iter().copied().filter(|t| !t.expr.is_one()).take(60).collect();
            list.extend(below.into_iter().filter(|t| free || t.dimension.is_none()).map(|t| (t, true)));
        }
        if list.is_empty() {
            return None;
        }
        let columns: Vec<Vec<f64>> = list
            .iter()
            .map(|(t, below)| {
                rows.iter()
                    .zip(&weights)
                    .map(|(&i, w)| w * t.values[i] * if *below { -problem.target[i] } else { 1.0 })
                    .collect()
            })
            .collect();
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let scale: Vec<f64> = columns.iter().map(|c| norm(c)).collect();
        let keep: Vec<usize> = (0..list.len()).filter(|&k| scale[k].is_finite() && scale[k] > 0.0).collect();
        let a = DMatrix::from_fn(rows.len(), keep.len(), |i, k| columns[keep[k]][i] / scale[keep[k]]);
        let t = DVector::from_vec(target);
        let whole = t.norm();
        if !(whole.is_finite() && whole > 0.0) {
            return None;
        }
        let t = t / whole;
        Some(Choice {
            terms: keep.iter().map(|&k| list[k]).collect(),
            gram: a.transpose() * &a,
            right: a.transpose() * &t,
            square: 1.0,
            scale: keep.iter().map(|&k| scale[k] / whole).collect(),
            goal,
            places: rows,
            weights,
            rational,
        })
    }

    /// Coefficients of the scaled terms and what is left of the target's square.
    fn solve(&self, chosen: &[usize]) -> Option<(Vec<f64>, f64)> {
        let k = chosen.len();
        let g = DMatrix::from_fn(k, k, |i, j| self.gram[(chosen[i], chosen[j])]);
        let r = DVector::from_fn(k, |i, _| self.right[chosen[i]]);
        let c = g.cholesky()?.solve(&r);
        let left = self.square - c.dot(&r);
        c.iter().all(|x| x.is_finite() && x.abs() < 1e9).then(|| (c.iter().copied().collect(), left))
    }

    fn models(&self, problem: &Problem, link: &Link, cancel: &CancelToken) -> (Vec<Model>, u64) {
        let n = self.terms.len();
        let mut work = (n * n * self.places.len() / 8) as u64;
        let mut beam: Vec<(Vec<usize>, f64)> = Vec::new();
        let mut models = Vec::new();
        for count in 1..=MAX_CHOSEN.min(n) {
            if cancel.stop().is_some() || count + 2 > problem.rows() {
                break;
            }
            let mut grown: Vec<(Vec<usize>, f64)> = Vec::new();
            let mut grow = |chosen: &[usize], k: usize| {
                if chosen.contains(&k) {
                    return;
                }
                let mut next = chosen.to_vec();
                next.push(k);
                next.sort_unstable();
                if let Some((_, left)) = self.solve(&next) {
                    grown.push((next, left));
                }
            };
            match count {
                1 => (0..n).for_each(|k| grow(&[], k)),
                2 => (0..n).for_each(|j| (j + 1..n).for_each(|k| grow(&[j], k))),
                _ => beam.iter().for_each(|(chosen, _)| (0..n).for_each(|k| grow(chosen, k))),
            }
            work += grown.len() as u64;
            grown.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
            grown.dedup_by(|a, b| a.0 == b.0);
            grown.truncate(BEAM * 4);
            if count > 1 || self.rational || !link.keeps_powers() {
                // log(c*x^p) = p*log(x) + log(c) is a sum already.
                let splits = |chosen: &[usize]| {
                    link.name == "exponential"
                        && count == 1
                        && self.terms[chosen[0]].0.expr.symbols().len() < 2
                };
                let new = grown.iter().filter(|(chosen, _)| !splits(chosen));
                let new = new
                    .map(|(chosen, _)| self.proposals(problem, link, chosen))
                    .filter(|same| !same.is_empty());
                // Single terms are many sizes of law.
                models.extend(new.take(if count == 1 { 4 * PROPOSED } else { PROPOSED }).flatten());
            }
            grown.truncate(BEAM);
            beam = grown;
        }
        (models, work)
    }

    /// The law of the chosen terms from each of its starts.
    fn proposals(&self, problem: &Problem, link: &Link, chosen: &[usize]) -> Vec<Model> {
        let Some((scaled, _)) = self.solve(chosen) else { return Vec::new() };
        let first: Vec<f64> = chosen.iter().zip(scaled).map(|(&k, c)| c / self.scale[k]).collect();
        if !self.rational
            || chosen.iter().all(|&k| self.terms[k].1)
            || !chosen.iter().any(|&k| self.terms[k].1)
        {
            return self.model(problem, link, chosen, &first).into_iter().collect();
        }
        let mut starts = vec![first.clone()];
        let mut add = |c: &[f64]| {
            let close = |a: f64, b: f64| (a - b).abs() <= SAME * a.abs().max(b.abs());
            if starts.len() < STARTS && !starts.iter().any(|s| s.iter().zip(c).all(|(a, b)| close(*a, *b))) {
                starts.push(c.to_vec());
            }
        };
        // From the plain solution, and from one in which all rows count alike.
        let largest = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        let alike: Vec<f64> =
            self.places.iter().map(|&i| 1.0 / (problem.target[i].abs() + 1e-3 * largest)).collect();
        for seed in [Some(first), self.solve_weighted(problem, chosen, &alike)].into_iter().flatten() {
            add(&seed);
            let mut now = seed;
            for _ in 0..ROUNDS {
                let below = self.denominator(chosen, &now);
                let size = below.iter().fold(0.0f64, |m, d| m.max(d.abs()));
                let weights: Vec<f64> = below.iter().map(|d| 1.0 / d.abs().max(1e-6 * size)).collect();
                let Some(next) = self.solve_weighted(problem, chosen, &weights) else { break };
                now = next;
            }
            add(&now);
        }
        starts.iter().filter_map(|start| self.model(problem, link, chosen, start)).collect()
    }

    /// The values of 1 + sum of the terms below the bar.
    fn denominator(&self, chosen: &[usize], coefficients: &[f64]) -> Vec<f64> {
        let at = |&i: &usize| {
            let below = chosen.iter().zip(coefficients).filter(|(k, _)| self.terms[**k].1);
            1.0 + below.map(|(&k, c)| c * self.terms[k].0.values[i]).sum::<f64>()
        };
        self.places.iter().map(at).collect()
    }

    /// The coefficients with the rows weighted anew.
    fn solve_weighted(&self, problem: &Problem, chosen: &[usize], weights: &[f64]) -> Option<Vec<f64>> {
        let factors: Vec<f64> = weights.iter().zip(&self.weights).map(|(a, b)| a * b).collect();
        let columns: Vec<Vec<f64>> = chosen
            .iter()
            .map(|&k| {
                let (term, below) = self.terms[k];
                let value = |&i: &usize| term.values[i] * if below { -problem.target[i] } else { 1.0 };
                self.places.iter().map(value).collect()
            })
            .collect();
        let lists: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let target: Vec<f64> = self.places.iter().map(|&i| problem.target[i]).collect();
        let solved = linear_least_squares(&lists, &target, Some(&factors), true).ok()?;
        (solved.undetermined.is_empty() && solved.coefficients.iter().all(|c| c.is_finite()))
            .then_some(solved.coefficients)
    }

    fn model(&self, problem: &Problem, link: &Link, chosen: &[usize], starts: &[f64]) -> Option<Model> {
        let mut parameters = Vec::new();
        let (mut above, mut below, mut factors) = (Vec::new(), Vec::new(), Vec::new());
        let mut prefactor = false;
        for (place, &k) in chosen.iter().enumerate() {
            let (term, denominator) = self.terms[k];
            let symbol = Parameter::symbol(place);
            let own = Expr::symbol(symbol.clone());
            let mut start = starts[place];
            let goal = if denominator { Dimension::NONE } else { self.goal };
            let mut dimension =
                if problem.dimensions.is_some() { goal.div(term.dimension)? } else { Dimension::NONE };
            if link.has_prefactor() && term.expr.is_one() {
                (start, dimension, prefactor) = (start.exp(), problem.goal(), true);
                factors.push(own);
            } else if let (true, Kind::Call(Function::Log, inside)) = (link.has_prefactor(), term.expr.kind())
            {
                factors.push(Expr::power(inside[0].clone(), own));
            } else {
                let list = if denominator { &mut below } else { &mut above };
                list.push(Expr::product([own, term.expr.clone()]));
            }
            parameters.push(Parameter { symbol, start, dimension });
        }
        if (above.is_empty() && factors.len() < 2)
            || (self.rational && (below.is_empty() || above.is_empty()))
            || (link.has_prefactor() && !prefactor && !problem.goal().is_none())
        {
            return None;
        }
        let mut sum = Expr::sum(above);
        let mut engine = link.name;
        if !below.is_empty() {
            below.push(Expr::one());
            sum = sum / Expr::sum(below);
            engine = "rational";
        }
        factors.push((link.inverse)(sum));
        Some(Model { template: Expr::product(factors), parameters, engine })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Streams;
    use crate::expression::Symbol;
    use crate::numeric::normal::standard_normals;
    use crate::regression::options::{Method, Plan};
    use crate::regression::refine::fit;
    use rand::RngExt;

    fn plan() -> Plan {
        Plan {
            method: Method::Closed,
            operators: ["+", "-", "*", "/", "^"].map(String::from).to_vec(),
            constants: Constants::Free,
            work: None,
            deadline: None,
            threads: 1,
            seed: 0,
            identity: 1 << 40,
            without: Vec::new(),
            criteria: crate::regression::Criteria::default(),
            own: Vec::new(),
            guesses: Vec::new(),
            denoise: false,
        }
    }

    /// A resonance y = a/(1 + b*x + c*x^2) = 1/((x - 1)^2 + g^2), with noise as a share of its RMS.
    fn resonance(g: f64, noise: f64, seed: u64) -> (Problem, [f64; 3]) {
        let mut rng = Streams::new(seed).stream("test/rows");
        let x: Vec<f64> = (0..80).map(|_| 3.0 * rng.random::<f64>()).collect();
        let mut target: Vec<f64> = x.iter().map(|x| 1.0 / ((x - 1.0).powi(2) + g * g)).collect();
        let rms = crate::numeric::statistics::rms(&target);
        let errors = standard_normals(&mut Streams::new(seed).stream("test/noise"), 80);
        target.iter_mut().zip(errors).for_each(|(y, e)| *y += noise * rms * e);
        let problem = Problem {
            names: vec![Symbol::new("x")],
            columns: vec![x],
            dimensions: None,
            units: vec![None],
            target,
            target_symbol: Symbol::new("y"),
            target_dimension: Dimension::NONE,
            target_unit: None,
            sigma: None,
            row_weights: None,
            resolution: None,
        };
        let whole = 1.0 + g * g;
        (problem, [1.0 / whole, -2.0 / whole, 1.0 / whole])
    }

    #[test]
    fn several_starts_find_what_one_misses() {
        let (mut first, mut all, mut cases) = (0, 0, 0);
        for seed in 0..40 {
            let (problem, truth) = resonance(0.2, 0.05, seed);
            let own = terms(&problem, &plan());
            let pool: Vec<&Term> = own.iter().collect();
            let choice = Choice::new(&problem, &IDENTITY, &pool, Dimension::NONE, true, true).unwrap();
            let x = Expr::symbol("x");
            let place = |e: &Expr, below: bool| {
                choice.terms.iter().position(|(t, b)| t.expr == *e && *b == below).unwrap()
            };
            let chosen = [place(&Expr::one(), false), place(&x, true), place(&x.powi(2), true)];
            let models = choice.proposals(&problem, &IDENTITY, &chosen);
            let mut exact = models[0].clone();
            exact.parameters.iter_mut().zip(truth).for_each(|(p, t)| p.start = t);
            let loss = |m: &Model| {
                fit(&problem, &m.template, &m.parameters, &CancelToken::new())
                    .map_or(f64::INFINITY, |f| f.sse)
            };
            let best = loss(&exact);
            let reached = |m: &Model| loss(m) <= best * (1.0 + 1e-6);
            first += usize::from(reached(&models[0]));
            all += usize::from(models.iter().any(reached));
            cases += 1;
        }
        assert!(all == cases && first < cases, "{first} and {all} of {cases}");
    }
}
