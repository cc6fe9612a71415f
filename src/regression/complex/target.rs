//! Laws of a complex target. In each form (`join.rs`) the two real numbers are laws that `regress` finds; their constants are
//! fitted again to real and imaginary parts at once, those that agree are made one, and the description length of the
//! complex law with its data decides.

use super::super::candidate::{Candidate, Model};
use super::super::complexity::Complexity;
use super::super::engine::Report;
use super::super::error::RegressError;
use super::super::front::Front;
use super::super::journal::Journal;
use super::super::options::{Constants, Plan};
use super::super::parts::{self, Part, WORK};
use super::super::problem::Problem;
use super::super::vectors::{Derived, expand};
use super::super::{describe, template};
use super::join::Form;
use super::unwrap::unwrapped;
use super::{ComplexColumn, ComplexTarget, checked};
use crate::base::{CancelToken, StopReason};
use crate::expression::{Expr, Symbol};
use crate::numeric::statistics;
use crate::units::Dimension;

/// Relative difference up to which the complex law is the real one.
const SAME: f64 = 1e-6;
/// Rows on which that is looked at.
const LOOKED_AT: usize = 50;
/// Names of the columns that say of a row whether it is a real or an imaginary part.
const PARTS: [&str; 2] = ["re#", "im#"];

/// A law of a complex target.
#[derive(Clone, Debug)]
pub struct ComplexLaw {
    /// The law, a complex expression of the features. Loss, R2 and description length are those of real and imaginary parts
    /// together.
    pub law: Candidate,
    /// The form in which it was found: `a + i*b`.
    pub form: &'static str,
}

/// What a search for a complex target returns.
#[derive(Clone, Debug)]
pub struct FoundComplex {
    /// The laws of the front of size against loss, smallest first.
    pub laws: Vec<ComplexLaw>,
    /// The place of the law with the shortest description.
    pub best: usize,
    /// Why it stopped.
    pub stopped: StopReason,
    /// The work done, in row evaluations of one term.
    pub work: u64,
    /// What is worth knowing about the data.
    pub notes: Vec<String>,
}

impl FoundComplex {
    /// The law with the shortest description.
    pub fn best(&self) -> Option<&ComplexLaw> {
        self.laws.get(self.best)
    }
}

/// What the parts of a search share.
struct Searching<'a> {
    /// The features, complex ones as four real columns.
    real: Problem,
    derived: Vec<Derived>,
    names: Vec<Symbol>,
    /// All real parts, then all imaginary parts.
    stacked: Problem,
    features: &'a [ComplexColumn],
    target: &'a ComplexTarget,
    plan: &'a Plan,
    cancel: &'a CancelToken,
}

/// Finds laws of a complex target. The columns of `problem` are real features; its own target plays no part, but says the
/// number of rows. `progress` is told the share of all, with the laws of the real number that is searched.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress_complex(
    problem: &Problem,
    features: &[ComplexColumn],
    target: &ComplexTarget,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
) -> Result<FoundComplex, RegressError> {
    regress_complex_kept((problem, features), target, plan, cancel, progress, &Journal::none())
}

/// The same, going on from what a journal holds. Real features come with the complex ones.
///
/// # Errors
/// Data or options that cannot be used; see [`RegressError`].
pub fn regress_complex_kept(
    (problem, features): (&Problem, &[ComplexColumn]),
    target: &ComplexTarget,
    plan: &Plan,
    cancel: &CancelToken,
    progress: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> Result<FoundComplex, RegressError> {
    checked(&target.column, problem.rows())?;
    plan.validate()?;
    let (real, derived) = super::parts(problem, features)?;
    let notes = validated(&real, target)?;
    let stacked = stack(&real, target);
    let names = features.iter().map(|z| z.name.clone()).collect();
    let searching = Searching { real, derived, names, stacked, features, target, plan, cancel };
    let floor = describe::noise_floor(&searching.stacked);
    let mut front = Front::new(if target.sigma.is_some() { 0.0 } else { floor * floor });
    let mut found =
        FoundComplex { laws: Vec::new(), best: 0, stopped: StopReason::Saturated, work: 0, notes };
    let (mut all, mut error, mut done, mut stops) = (Vec::new(), None, 0u64, Vec::new());
    let searches = 2 * Form::ALL.len() as u64;
    for (place, form) in (1..).zip(Form::ALL) {
        let mut laws = Vec::new();
        for (part, whole) in searching.split(form).into_iter().flatten() {
            let before = found.work;
            let told = |r: &Report<'_>| {
                let share = (done as f64 + r.share) / searches as f64;
                progress(&Report { share, work: before + r.work, front: r.front, gains: r.gains });
            };
            let work = plan.work.map_or(WORK, |w| w.saturating_sub(before) / (searches - done));
            let own = Plan { work: Some(work), ..plan.clone() };
            match parts::laws(&part, whole, &own, cancel, &told, journal) {
                Ok((models, searched)) => {
                    stops.push(searched.as_ref().map_or(StopReason::Found, |s| s.stopped));
                    found.work += searched.map_or(0, |s| s.work);
                    laws.push(models);
                }
                Err(e) => error = Some(e),
            }
            done += 1;
        }
        if laws.len() == 2 {
            let law = |law: Candidate| ComplexLaw { law, form: form.words() };
            all.extend(journal.step(
                "joint",
                cancel,
                || searching.join(form, &laws),
                |all, w| w.candidates(all.iter().map(|l| &l.law)),
                |all, r| Some(r.candidates(all)?.into_iter().map(law).collect()),
            ));
        }
        done = 2 * place;
    }
    all.iter().for_each(|l: &ComplexLaw| front.insert(l.law.clone()));
    front.settle();
    let of = |c: &Candidate| {
        let same = all.iter().filter(|l| l.law.expr == c.expr);
        same.min_by(|a, b| a.law.description_length.total_cmp(&b.law.description_length)).cloned()
    };
    found.laws = front.candidates().iter().filter_map(of).collect();
    found.best = front.best_index().unwrap_or(0);
    use StopReason::{Cancelled, Found, Saturated, Time, Work};
    let any = [Cancelled, Time, Found, Work].into_iter().find(|r| stops.contains(r));
    found.stopped = cancel.stop().or(any).unwrap_or(Saturated);
    match error {
        Some(e) if found.laws.is_empty() => Err(e),
        _ => Ok(found),
    }
}

/// Real and imaginary part as targets: finite, with rows and features, at least one of them not constant.
fn validated(real: &Problem, target: &ComplexTarget) -> Result<Vec<String>, RegressError> {
    let mut notes = None;
    let mut constant = None;
    for (name, values) in [("re", &target.column.re), ("im", &target.column.im)] {
        let mut one = real.clone();
        one.target = values.clone();
        one.target_symbol = Symbol::new(&format!("{name}({})", target.column.name));
        one.target_unit = target.column.unit.clone();
        one.sigma = target.sigma.clone();
        match one.validate() {
            Ok(more) => notes = Some(more),
            Err(e @ RegressError::Constant { .. }) => constant = Some(e),
            Err(e) => return Err(e),
        }
    }
    match (notes, constant) {
        (Some(notes), _) => Ok(notes),
        (None, Some(e)) => Err(e),
        (None, None) => Err(RegressError::NoRows),
    }
}

/// Real and imaginary parts as rows of one problem.
fn stack(real: &Problem, target: &ComplexTarget) -> Problem {
    let twice = |c: &Vec<f64>| [c.as_slice(), c].concat();
    let (one, none) = (vec![1.0; real.rows()], vec![0.0; real.rows()]);
    let mut all = real.clone();
    all.columns = real.columns.iter().map(twice).collect();
    all.columns.extend([[one.clone(), none.clone()].concat(), [none, one].concat()]);
    all.names.extend(PARTS.map(Symbol::new));
    all.units.extend([None, None]);
    if let Some(d) = &mut all.dimensions {
        d.extend([Dimension::NONE; 2]);
    }
    all.target = [target.column.re.as_slice(), &target.column.im].concat();
    all.target_symbol = target.column.name.clone();
    all.target_dimension = target.column.dimension;
    all.target_unit = target.column.unit.clone();
    all.sigma = target.sigma.as_ref().map(twice);
    all.resolution = target.resolution;
    all
}

impl Searching<'_> {
    /// The two real numbers of a form as targets, each with the size of the whole; `None` where the data do not allow it.
    fn split(&self, form: Form) -> Option<[(Problem, f64); 2]> {
        let (re, im) = (&self.target.column.re, &self.target.column.im);
        let n = re.len();
        let squares: Vec<f64> = (0..n).map(|i| re[i] * re[i] + im[i] * im[i]).collect();
        if form != Form::Cartesian && squares.iter().any(|s| !s.is_normal()) {
            return None;
        }
        let dimension = self.target.column.dimension;
        let scaled = |by: &dyn Fn(usize) -> f64| {
            self.target.sigma.as_ref().map(|s| (0..n).map(|i| s[i] * by(i)).collect::<Vec<f64>>())
        };
        let part = |target: Vec<f64>, dimension: Dimension, sigma: Option<Vec<f64>>| {
            let resolution = self.target.resolution.filter(|_| form == Form::Cartesian);
            Problem {
                target,
                target_dimension: dimension,
                target_unit: None,
                sigma,
                resolution,
                target_symbol: self.target.column.name.clone(),
                ..self.real.clone()
            }
        };
        Some(match form {
            Form::Cartesian => {
                let size = statistics::rms(&self.stacked.target);
                let sigma = || self.target.sigma.clone();
                [(part(re.clone(), dimension, sigma()), size), (part(im.clone(), dimension, sigma()), size)]
            }
            Form::Polar => {
                let modulus: Vec<f64> = squares.iter().map(|s| s.sqrt()).collect();
                let args: Vec<f64> = (0..n).map(|i| (im[i] + 0.0).atan2(re[i])).collect();
                let mut along: Vec<Vec<f64>> =
                    self.real.columns[..self.real.columns.len() - 4 * self.features.len()].to_vec();
                along.extend(self.features.iter().flat_map(|z| [z.re.clone(), z.im.clone()]));
                let args = unwrapped(&along, &args);
                let of_argument = scaled(&|i| 1.0 / squares[i].sqrt());
                [
                    (part(modulus, dimension, self.target.sigma.clone()), 0.0),
                    (part(args, Dimension::NONE, of_argument), 1.0),
                ]
            }
            Form::Reciprocal => {
                let a: Vec<f64> = (0..n).map(|i| re[i] / squares[i]).collect();
                let b: Vec<f64> = (0..n).map(|i| -im[i] / squares[i]).collect();
                let size = statistics::rms(&[a.as_slice(), &b].concat());
                let sigma = || scaled(&|i| 1.0 / squares[i]);
                let dimension = dimension.recip();
                [(part(a, dimension, sigma()), size), (part(b, dimension, sigma()), size)]
            }
        })
    }

    /// Complex laws from laws of the two real numbers.
    fn join(&self, form: Form, laws: &[Vec<Part>]) -> Vec<ComplexLaw> {
        let mut found = Vec::new();
        let [re, im] = PARTS.map(Expr::symbol);
        // What a parameter came to beside named constants does not say where these stand.
        let named = |m: &Model| {
            let with_unit = m.parameters.iter().any(|p| !p.dimension.is_none());
            with_unit && matches!(self.plan.constants, Constants::Named(_))
        };
        for pick in parts::picks(laws) {
            let (both, parameters) = template::together(pick.iter().map(|p| &p.model));
            let [a, b] = both.as_slice() else { continue };
            let model = Model { template: form.real(a, b, &re, &im), parameters, engine: "complex" };
            let (plain, named) = (model.template.clone(), named(&model));
            for (mut law, values) in parts::solved(&self.stacked, self.plan, model, &pick, self.cancel) {
                let whole = |a: &Expr, b: &Expr| form.complex(a, b, &self.names);
                let short = whole(&a.substitute(&values), &b.substitute(&values));
                let long = law
                    .expr
                    .substitute(&[(Symbol::new(PARTS[0]), Expr::one()), (Symbol::new(PARTS[1]), Expr::i())]);
                let short = expand(&short, &self.derived);
                let complex = match !named && self.same(&law.expr, &short) {
                    true => short,
                    false => expand(&long, &self.derived),
                };
                // The tree is that of the complex law.
                let columns = self.stacked.names.len();
                let node = ((columns + 6) as f64).ln();
                let numbers = |e: &Expr| {
                    describe::tree_code(e, columns, &Complexity::default())
                        - super::super::size(e) as f64 * node
                };
                let size = super::super::size(&complex);
                law.description_length += (size as f64 - law.size as f64) * node;
                law.description_length += numbers(&whole(a, b)) - numbers(&plain);
                law.size = size;
                law.expr = complex;
                law.evidence =
                    format!("found as {}; fitted to real and imaginary parts at once", form.words()).into();
                found.push(ComplexLaw { law, form: form.words() });
            }
        }
        found
    }

    /// Whether a complex law has the values of a real one of stacked rows.
    fn same(&self, real: &Expr, complex: &Expr) -> bool {
        let n = self.target.column.re.len();
        let size = statistics::rms(&self.stacked.target);
        (0..n).step_by(n.div_ceil(LOOKED_AT)).all(|i| {
            let column = |row: usize| {
                move |s: &Symbol| {
                    let k = self.stacked.names.iter().position(|name| name == s)?;
                    Some(self.stacked.columns[k][row])
                }
            };
            let value = |s: &Symbol| {
                let feature = self.features.iter().find(|z| z.name == *s);
                feature.map(|z| (z.re[i], z.im[i])).or_else(|| column(i)(s).map(|x| (x, 0.0)))
            };
            let near = |a: f64, b: f64| (a - b).abs() <= SAME * size;
            match (real.evaluate(&column(i)), real.evaluate(&column(n + i)), complex.evaluate_complex(&value))
            {
                (Some(re), Some(im), Some(z)) => near(re, z.0) && near(im, z.1),
                _ => false,
            }
        })
    }
}
