//! Laws of a vector: F = sum of s_k*B_k, where B are the vectors of the data and their cross products, and s_k scalars.
//! For each choice of at most three of B the scalars follow row by row from linear equations. The smallest choices that
//! leave nothing, or the least, go on: each scalar is a law of the invariants that `regress` finds, and all constants are
//! fitted again on the three components at once. The description length of the three components decides.

use nalgebra::{DMatrix, DVector};

use super::super::candidate::{Candidate, Model};
use super::super::engine::Report;
use super::super::error::RegressError;
use super::super::front::{Found, Front};
use super::super::journal::Journal;
use super::super::options::Plan;
use super::super::parts::{self, EXACT, Part, WORK};
use super::super::problem::Problem;
use super::super::{describe, template};
use super::{Components, Derived, Vectors, components, expand, invariants, spoken};
use crate::base::{CancelToken, StopReason};
use crate::expression::{Expr, Symbol};
use crate::units::{Dimension, Unit};

/// Most vectors whose cross products are made.
const CROSSED: usize = 4;
/// Choices of each size that go on where the data are noisy.
const NOISY: usize = 2;
/// Choices that go on where several are exact.
const SEVERAL: usize = 3;
/// Choices that leave more of the target's RMS say nothing.
const MOST: f64 = 0.5;
/// Ratio of singular values below which the vectors of a row are not independent.
const INDEPENDENT: f64 = 1e-6;

/// A vector to explain.
#[derive(Clone, Debug)]
pub struct VectorTarget {
    /// Its name.
    pub name: Symbol,
    /// Its components.
    pub components: [Vec<f64>; 3],
    /// Its dimension.
    pub dimension: Dimension,
    /// Its unit as in the data.
    pub unit: Option<Unit>,
    /// Standard errors of the components.
    pub sigma: Option<[Vec<f64>; 3]>,
    /// What the last digit is worth, where it was read from text.
    pub resolution: Option<f64>,
}

/// A law of a vector.
#[derive(Clone, Debug)]
pub struct VectorLaw {
    /// The law: vectors, cross products and invariants are symbols whose names say what they are. Loss, R2 and description
    /// length are those of the three components together.
    pub law: Candidate,
    /// It in words: `q*E + q*cross(v, B)`.
    pub words: String,
    /// The three components in the columns of the data.
    pub components: [Expr; 3],
}

/// What a search for a vector returns.
#[derive(Clone, Debug)]
pub struct FoundVector {
    /// The laws of the front of size against loss, smallest first.
    pub laws: Vec<VectorLaw>,
    /// The place of the law with the shortest description.
    pub best: usize,
    /// Why it stopped.
    pub stopped: StopReason,
    /// The work done, in row evaluations of one term.
    pub work: u64,
    /// What is worth knowing about the data.
    pub notes: Vec<String>,
}

impl FoundVector {
    /// The law with the shortest description.
    pub fn best(&self) -> Option<&VectorLaw> {
        self.laws.get(self.best)
    }
}

/// Some of the vectors, and the scalars that they need in each row.
struct Choice {
    basis: Vec<usize>,
    /// Rows in which the vectors are independent.
    rows: Vec<usize>,
    /// Of each vector the scalars in those rows.
    scalars: Vec<Vec<f64>>,
    /// Standard errors of the scalars: for those of the components, or where these are not known for residuals of variance 1.
    errors: Vec<Vec<f64>>,
    /// RMS of what is left, over that of the target, in units of the errors where these are known.
    left: f64,
}

/// What the parts of a search share.
struct Searching<'a> {
    /// Scalars and invariants, a row each row.
    scalars: Problem,
    derived: Vec<Derived>,
    basis: Vec<Components>,
    /// Scalars, invariants and vectors of the basis, the rows of the three components one after the other.
    stacked: Problem,
    target: &'a VectorTarget,
    plan: &'a Plan,
    cancel: &'a CancelToken,
    journal: &'a Journal<'a>,
}

/// Finds laws of a vector. The features of `problem` are scalars and the components of `vectors`; its own target plays no
/// part. `progress` is told the share of all, with the laws of the scalar that is searched.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress_vector(
    problem: &Problem,
    vectors: &[Vectors],
    target: &VectorTarget,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<FoundVector, RegressError> {
    regress_vector_kept((problem, vectors), target, plan, cancel, progress, &Journal::none())
}

/// The same, going on from what a journal holds. The features come with the vectors among them.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress_vector_kept(
    (problem, vectors): (&Problem, &[Vectors]),
    target: &VectorTarget,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<FoundVector, RegressError> {
    let notes = checked(problem, target)?;
    plan.validate()?;
    let mut basis = components(problem, vectors)?;
    let crossed = basis.len().min(CROSSED);
    for a in 0..crossed {
        for b in a + 1..crossed {
            basis.extend(basis[a].cross(&basis[b]));
        }
    }
    let (scalars, derived) = invariants(problem, vectors)?;
    let stacked = stack(&scalars, &basis, target);
    let searching = Searching { scalars, derived, basis, stacked, target, plan, cancel, journal };
    let choices = searching.choices();
    let floor = describe::noise_floor(&searching.stacked);
    let mut front = Front::new(if target.sigma.is_some() { 0.0 } else { floor * floor });
    let mut found = FoundVector { laws: Vec::new(), best: 0, stopped: StopReason::Saturated, work: 0, notes };
    let searches: usize = choices.iter().map(|c| c.basis.len()).sum();
    let (mut done, mut error) = (0, None);
    for choice in &choices {
        let mut laws = Vec::with_capacity(choice.basis.len());
        for place in 0..choice.basis.len() {
            let before = found.work;
            let told = |r: &Report<'_>| {
                let share = (done as f64 + r.share) / searches as f64;
                progress(&Report { share, work: before + r.work, front: r.front, gains: r.gains });
            };
            let work = plan.work.map_or(WORK, |w| w.saturating_sub(before) / (searches - done) as u64);
            match searching.scalar(choice, place, work, &told) {
                Ok((models, searched)) => {
                    found.work += searched.as_ref().map_or(0, |s| s.work);
                    found.stopped = searched.map_or(StopReason::Found, |s| s.stopped);
                    laws.push(models);
                }
                Err(e) => error = Some(e),
            }
            done += 1;
        }
        if laws.len() == choice.basis.len() {
            let joined = journal.step(
                "joint",
                cancel,
                || searching.join(choice, &laws),
                |all, w| w.candidates(all),
                |all, r| r.candidates(all),
            );
            joined.into_iter().for_each(|c| front.insert(c));
        }
    }
    if let Some(reason) = cancel.stop() {
        found.stopped = reason;
    }
    front.settle();
    found.best = front.best_index().unwrap_or(0);
    found.laws = front.candidates().iter().map(|c| searching.told(c)).collect();
    match error {
        Some(e) if found.laws.is_empty() => Err(e),
        _ => Ok(found),
    }
}

/// The data as those of a scalar, component by component: finite, with rows, not zero everywhere.
fn checked(problem: &Problem, target: &VectorTarget) -> Result<Vec<String>, RegressError> {
    let mut notes = Vec::new();
    let mut varies = false;
    for (k, component) in target.components.iter().enumerate() {
        let name = format!("{}[{}]", target.name, k + 1);
        let mut one = problem.clone();
        one.target = component.clone();
        one.target_symbol = Symbol::new(&name);
        one.target_dimension = target.dimension;
        one.target_unit = target.unit.clone();
        one.sigma = target.sigma.as_ref().map(|s| s[k].clone());
        match one.validate() {
            Ok(more) => {
                varies = true;
                notes = more;
            }
            // A component may be 0.
            Err(RegressError::Constant { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    let whole = || RegressError::Constant { target: target.name.to_string(), value: target.components[0][0] };
    if varies { Ok(notes) } else { Err(whole()) }
}

/// All rows of the three components as one problem.
fn stack(scalars: &Problem, basis: &[Components], target: &VectorTarget) -> Problem {
    let thrice = |c: &Vec<f64>| [c.as_slice(), c, c].concat();
    let mut all = scalars.clone();
    all.columns = scalars.columns.iter().map(thrice).collect();
    for vector in basis {
        all.names.push(Symbol::new(&vector.name));
        all.columns.push(vector.values.concat());
        all.units.push(None);
        if let Some(d) = &mut all.dimensions {
            d.push(vector.dimension);
        }
    }
    all.target = target.components.concat();
    all.target_symbol = target.name.clone();
    all.target_dimension = target.dimension;
    all.target_unit = target.unit.clone();
    all.sigma = target.sigma.as_ref().map(|s| s.concat());
    all.resolution = target.resolution;
    all
}

impl Searching<'_> {
    /// The choices of vectors that go on.
    fn choices(&self) -> Vec<Choice> {
        let n = self.basis.len();
        let mut by_size: Vec<Vec<Choice>> = Vec::new();
        for size in 1..=n.min(3) {
            let mut of: Vec<Choice> = subsets(n, size).into_iter().filter_map(|b| self.solve(b)).collect();
            of.retain(|c| c.left <= MOST);
            of.sort_by(|a, b| a.left.total_cmp(&b.left));
            // Three independent vectors leave nothing whatever the target is.
            if size < 3 && of.first().is_some_and(|c| c.left <= EXACT) {
                of.retain(|c| c.left <= EXACT);
                // Vectors of the data before their products.
                of.sort_by(|a, b| a.basis.cmp(&b.basis));
                of.truncate(SEVERAL);
                return of;
            }
            if size == 3 {
                of.sort_by(|a, b| a.basis.cmp(&b.basis));
            }
            of.truncate(NOISY);
            by_size.push(of);
        }
        by_size.into_iter().flatten().collect()
    }

    /// The scalars of a choice; `None` where its vectors are independent in too few rows, or their units do not allow it.
    fn solve(&self, basis: Vec<usize>) -> Option<Choice> {
        let (n, k) = (self.scalars.rows(), basis.len());
        if basis.iter().any(|&b| self.target.dimension.div(self.basis[b].dimension).is_none()) {
            return None;
        }
        let mut choice = Choice {
            rows: Vec::new(),
            scalars: vec![Vec::new(); k],
            errors: vec![Vec::new(); k],
            basis,
            left: 0.0,
        };
        let (mut squares, mut whole) = (0.0, 0.0);
        for row in 0..n {
            // Components count by their errors, where these are known.
            let error = |c: usize| self.target.sigma.as_ref().map_or(1.0, |s| s[c][row]);
            let y = DVector::from_fn(3, |c, _| self.target.components[c][row] / error(c));
            let mut a = DMatrix::from_fn(3, k, |c, b| self.basis[choice.basis[b]].values[c][row]);
            let lengths: Vec<f64> = (0..k).map(|b| a.column(b).norm()).collect();
            whole += y.norm_squared();
            if lengths.contains(&0.0) {
                squares += y.norm_squared();
                continue;
            }
            (0..k).for_each(|b| a.column_mut(b).scale_mut(1.0 / lengths[b]));
            (0..3).for_each(|c| a.row_mut(c).scale_mut(1.0 / error(c)));
            let svd = a.clone().svd(true, true);
            if svd.singular_values.min() <= INDEPENDENT * svd.singular_values.max() {
                continue;
            }
            let (Ok(s), Ok(inverse)) = (svd.solve(&y, 0.0), svd.clone().pseudo_inverse(0.0)) else {
                continue;
            };
            squares += (&a * &s - &y).norm_squared();
            choice.rows.push(row);
            for b in 0..k {
                choice.scalars[b].push(s[b] / lengths[b]);
                choice.errors[b].push(inverse.row(b).norm() / lengths[b]);
            }
        }
        choice.left = (squares / whole).sqrt();
        (choice.rows.len() >= 3 && 2 * choice.rows.len() >= n && choice.left.is_finite()).then_some(choice)
    }

    /// Models of one scalar of a choice, that with the shortest description first, and what the search came to.
    fn scalar(
        &self,
        choice: &Choice,
        place: usize,
        work: u64,
        progress: &dyn Fn(&Report<'_>),
    ) -> Result<(Vec<Part>, Option<Found>), RegressError> {
        let vector = &self.basis[choice.basis[place]];
        let mut problem = self.scalars.pick(&choice.rows);
        problem.target = choice.scalars[place].clone();
        problem.target_symbol = Symbol::new(&format!("scalar of {}", vector.name));
        let none = Dimension::NONE;
        problem.target_dimension = self.target.dimension.div(vector.dimension).unwrap_or(none);
        problem.target_unit = None;
        problem.resolution = None;
        problem.sigma = None;
        let free = (3 - choice.basis.len()) * choice.rows.len();
        if self.target.sigma.is_some() {
            problem.sigma = Some(choice.errors[place].clone());
        } else if choice.left > EXACT && free > 0 {
            // The scatter of the components, from what the choice leaves.
            let n = self.stacked.rows() as f64;
            let scatter = choice.left
                * crate::numeric::statistics::rms(&self.stacked.target)
                * (n / free as f64).sqrt();
            problem.sigma = Some(choice.errors[place].iter().map(|e| e * scatter).collect());
        }
        let plan = Plan { work: Some(work), ..self.plan.clone() };
        parts::laws(&problem, 0.0, &plan, self.cancel, progress, self.journal)
    }

    /// Laws of the vector from laws of its scalars.
    fn join(&self, choice: &Choice, laws: &[Vec<Part>]) -> Vec<Candidate> {
        let mut found = Vec::new();
        for pick in parts::picks(laws) {
            let (scalars, parameters) = template::together(pick.iter().map(|p| &p.model));
            let basis = choice.basis.iter().map(|&b| Expr::symbol(self.basis[b].name.as_str()));
            let terms = scalars.into_iter().zip(basis).map(|(s, b)| Expr::product([s, b]));
            let model = Model { template: Expr::sum(terms), parameters, engine: "vectors" };
            let solved = parts::solved(&self.stacked, self.plan, model, &pick, self.cancel);
            found.extend(solved.into_iter().map(|s| s.0));
        }
        for c in &mut found {
            c.evidence = format!(
                "{} of {} vectors and cross products; what is left of the target: {:.1e} of its RMS",
                choice.basis.len(),
                self.basis.len(),
                choice.left
            )
            .into();
        }
        found
    }

    fn told(&self, c: &Candidate) -> VectorLaw {
        let component = |k: usize| {
            let pairs: Vec<(Symbol, Expr)> =
                self.basis.iter().map(|b| (Symbol::new(&b.name), b.parts[k].clone())).collect();
            expand(&c.expr.substitute(&pairs), &self.derived)
        };
        VectorLaw {
            law: c.clone(),
            words: spoken(&c.expr).to_string(),
            components: [component(0), component(1), component(2)],
        }
    }
}

/// All choices of `size` of `n`, in their order.
fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        all = all
            .into_iter()
            .flat_map(|s| {
                let next = s.last().map_or(0, |l| l + 1);
                (next..n).map(move |k| s.iter().copied().chain([k]).collect())
            })
            .collect();
    }
    all
}
