//! From a model to a law of groups: first every constant is own to each group, then one after the other is shared where
//! that shortens the description, and a shared one becomes exact where the data allow it.

use super::super::candidate::{Candidate, ConstantInfo, Model, Parameter};
use super::super::complexity::Complexity;
use super::super::describe;
use super::super::options::Plan;
use super::super::problem::Problem;
use super::super::{refine, snap};
use super::fit::{Fit, Grouped, Role, places};
use super::{GroupLaw, OwnConstant};
use crate::base::{CancelToken, hash};
use crate::expression::{Covariance, Expr, Symbol, Uncertain};
use crate::numeric::Tape;
use crate::units::{Dimension, Unit};
use nalgebra::DMatrix;

/// Nats that making a constant exact may save beside its digits: leaves that vanish.
const SLACK: f64 = 12.0;
/// Exact values of a constant that are tried.
const TRIED: usize = 3;

/// A law on its way: what each constant is to the groups, and what the fit came to.
#[derive(Clone)]
struct State {
    roles: Vec<Role>,
    /// Exact values of the constants that are held.
    exact: Vec<(Symbol, Expr)>,
    snapped: Vec<ConstantInfo>,
    /// The law whose constants that are neither 0 nor 1 stand as symbols.
    skeleton: Expr,
    fit: Fit,
    /// Code of the exact constants.
    code: f64,
    /// Total code length.
    length: f64,
}

/// A model after its first fit.
pub struct Prepared {
    /// The law with its constants as symbols.
    pub template: Expr,
    parameters: Vec<Parameter>,
    engine: &'static str,
    tape: Tape,
    state: State,
    /// Least code length that any roles of the constants could come to; nothing is known where the groups are too small for
    /// constants of their own.
    pub bound: f64,
    /// Sum of squared residuals of the first fit.
    pub sse: f64,
    /// Row evaluations so far.
    pub work: u64,
    complexity: Complexity,
}

/// The model with units made of named constants where the options say so, fitted: with constants own to each group, or
/// shared ones where a group has too few rows for that.
pub fn prepare(
    grouped: &Grouped<'_>,
    source: &Problem,
    plan: &Plan,
    model: &Model,
    cancel: &CancelToken,
) -> Option<Prepared> {
    let refine::Named { template, skeleton, parameters, .. } = refine::named(source, plan, model, cancel)?;
    if template.is_undefined() || template.is_zero() {
        return None;
    }
    let tape = grouped.compiled(&template, &parameters)?;
    let complexity = plan.criteria.complexity.clone();
    let (k, groups) = (parameters.len(), grouped.counts.len());
    let start: Vec<Vec<f64>> = parameters.iter().map(|p| vec![p.start; groups]).collect();
    let enough = grouped.counts.iter().all(|n| *n >= k) && grouped.problem.rows() > k * groups;
    let roles = vec![if enough { Role::Own } else { Role::Shared }; k];
    let fit = grouped.fit(&tape, &roles, &start)?;
    let sse = fit.chi2.unwrap_or(fit.sse);
    let bound = match enough {
        true => {
            describe::residual_code(grouped.problem, fit.sse, fit.chi2, fit.relative)
                + describe::tree_code(&skeleton, grouped.problem.names.len(), &complexity)
        }
        false => f64::NEG_INFINITY,
    };
    let state = State {
        roles,
        exact: Vec::new(),
        snapped: Vec::new(),
        skeleton,
        fit,
        code: 0.0,
        length: f64::INFINITY,
    };
    let work = (grouped.problem.rows() * (1 + k)) as u64;
    let engine = model.engine;
    let mut prepared = Prepared { template, parameters, engine, tape, state, bound, sse, work, complexity };
    prepared.state.length = prepared.length(grouped, &prepared.state);
    prepared.state.length.is_finite().then_some(prepared)
}

/// The standard error of each constant where those before it are known: their product is the volume of the joint errors, so
/// that constants which the data tell only together are charged together.
fn conditional_errors(covariance: &DMatrix<f64>) -> Vec<f64> {
    let m = covariance.nrows();
    let own: Vec<f64> = (0..m).map(|k| covariance[(k, k)].max(0.0).sqrt()).collect();
    let correlation = DMatrix::from_fn(m, m, |i, j| {
        let scale = own[i] * own[j];
        if i == j {
            1.0 + 1e-14
        } else if scale > 0.0 {
            covariance[(i, j)] / scale
        } else {
            0.0
        }
    });
    match correlation.cholesky() {
        Some(c) => (0..m).map(|k| own[k] * c.l_dirty()[(k, k)]).collect(),
        None => own,
    }
}

impl Prepared {
    fn length(&self, grouped: &Grouped<'_>, state: &State) -> f64 {
        let (problem, fit) = (grouped.problem, &state.fit);
        let mut length = describe::residual_code(problem, fit.sse, fit.chi2, fit.relative)
            + describe::tree_code(&state.skeleton, problem.names.len(), &self.complexity)
            + state.code;
        let errors = conditional_errors(&fit.covariance);
        for (place, &(k, g)) in places(&state.roles, grouped.counts.len()).iter().enumerate() {
            let shared = state.roles[k] == Role::Shared;
            let rows = if shared { problem.rows() } else { grouped.counts[g] };
            let error = errors[place];
            length += describe::constant_code(fit.values[k][g], error, rows);
            // One bit says whether a constant is shared; its unit is said once.
            if g == 0 {
                length += std::f64::consts::LN_2;
                if !self.parameters[k].dimension.is_none() {
                    length += describe::UNIT_PRICE;
                }
            }
        }
        length
    }

    /// The same with a constant in another role, all others fitted again.
    fn with_role(
        &mut self,
        grouped: &Grouped<'_>,
        state: &State,
        constant: usize,
        role: Role,
    ) -> Option<State> {
        let mut new = state.clone();
        new.roles[constant] = role;
        let groups = grouped.counts.len();
        let mut start = state.fit.values.clone();
        if role == Role::Shared {
            let weight = |g: usize| state.fit.error(&state.roles, constant, g).powi(-2);
            let values = &state.fit.values[constant];
            let total: f64 = (0..groups).map(weight).sum();
            let mean = (0..groups).map(|g| weight(g) * values[g]).sum::<f64>() / total;
            let plain = values.iter().sum::<f64>() / groups as f64;
            start[constant] = vec![if mean.is_finite() { mean } else { plain }; groups];
        }
        self.fitted(grouped, new, &start)
    }

    fn fitted(&mut self, grouped: &Grouped<'_>, mut new: State, start: &[Vec<f64>]) -> Option<State> {
        self.work += (grouped.problem.rows() * (1 + places(&new.roles, 1).len())) as u64;
        new.fit = grouped.fit(&self.tape, &new.roles, start)?;
        new.length = self.length(grouped, &new);
        new.length.is_finite().then_some(new)
    }

    /// Changes one constant from a role to another as long as that shortens the description, each time the one that
    /// shortens it most.
    fn turn(&mut self, grouped: &Grouped<'_>, mut state: State, from: Role, to: Role) -> State {
        loop {
            let mut best: Option<State> = None;
            for k in 0..self.parameters.len() {
                if state.roles[k] != from {
                    continue;
                }
                if let Some(new) = self.with_role(grouped, &state, k, to)
                    && new.length < best.as_ref().map_or(state.length, |b| b.length)
                {
                    best = Some(new);
                }
            }
            match best {
                Some(new) => state = new,
                None => return state,
            }
        }
    }

    /// Makes shared constants exact where that shortens the description, the one that is known best first.
    fn snap(&mut self, grouped: &Grouped<'_>, mut state: State, cancel: &CancelToken) -> State {
        let mut tried = Vec::new();
        loop {
            let relative = |k: usize| {
                let value = state.fit.values[k][0];
                if value == 0.0 { f64::INFINITY } else { state.fit.error(&state.roles, k, 0) / value.abs() }
            };
            let next = (0..self.parameters.len())
                .filter(|k| state.roles[*k] == Role::Shared && !tried.contains(k))
                .min_by(|a, b| relative(*a).total_cmp(&relative(*b)));
            let Some(k) = next.filter(|_| cancel.stop().is_none()) else { return state };
            tried.push(k);
            let (value, error) = (state.fit.values[k][0], state.fit.error(&state.roles, k, 0));
            let unit = Unit::coherent(self.parameters[k].dimension);
            let choices: Vec<snap::Choice> = if self.parameters[k].dimension.is_none() {
                snap::exact_values(value, error)
            } else {
                let decimal = snap::decimal(value, error).map(|c| {
                    let value = Expr::product([c.value, Expr::unit(unit.clone())]);
                    snap::Choice { value, ..c }
                });
                snap::zero(value, error).into_iter().chain(decimal).collect()
            };
            let most = describe::constant_code(value, error, grouped.problem.rows()) + SLACK;
            let mut best: Option<State> = None;
            for choice in choices.into_iter().filter(|c| c.code <= most).take(TRIED) {
                let Some(exact) = choice.value.evaluate(&|_| None) else { continue };
                let Some(mut new) = self.held(grouped, &state, k, &choice, exact) else { continue };
                if new.length < best.as_ref().map_or(state.length, |b| b.length) {
                    if !choice.value.is_zero() {
                        new.snapped.push(ConstantInfo {
                            value: exact,
                            error: 0.0,
                            unit: unit.clone(),
                            exact: Some(choice.value),
                            fitted: (value, error),
                            gained: state.length - new.length,
                        });
                    }
                    best = Some(new);
                }
            }
            state = best.unwrap_or(state);
        }
    }

    fn held(
        &mut self,
        grouped: &Grouped<'_>,
        state: &State,
        constant: usize,
        choice: &snap::Choice,
        value: f64,
    ) -> Option<State> {
        let mut new = state.clone();
        let pair = (self.parameters[constant].symbol.clone(), choice.value.clone());
        new.exact.push(pair.clone());
        if choice.value.is_zero() || choice.value.as_number().is_some_and(|n| n.abs().is_one()) {
            let law = self.template.substitute(&new.exact);
            if law.is_undefined() || law.is_zero() {
                return None;
            }
            new.skeleton = new.skeleton.substitute(&[pair]);
            // A constant that went with this one is no longer a part of the law.
            let gone =
                |k: usize| new.roles[k] != Role::Held && !law.contains_symbol(&self.parameters[k].symbol);
            if (0..self.parameters.len()).any(|k| k != constant && gone(k)) {
                return None;
            }
        }
        new.roles[constant] = Role::Held;
        new.code += choice.code;
        let mut start = state.fit.values.clone();
        start[constant].iter_mut().for_each(|v| *v = value);
        self.fitted(grouped, new, &start)
    }

    /// The law with the shortest description that this model has.
    pub fn finish(&mut self, grouped: &Grouped<'_>, plan: &Plan, cancel: &CancelToken) -> Option<GroupLaw> {
        let first = self.state.clone();
        let own = first.roles.contains(&Role::Own) || self.parameters.is_empty();
        let mut state = match own {
            true => self.turn(grouped, first, Role::Own, Role::Shared),
            false => self.turn(grouped, first, Role::Shared, Role::Own),
        };
        if own && state.roles.contains(&Role::Own) {
            // Constants that are own only because others are.
            let mut all = state.clone();
            all.roles = vec![Role::Shared; self.parameters.len()];
            let mean = |v: &Vec<f64>| vec![v.iter().sum::<f64>() / v.len() as f64; v.len()];
            let start: Vec<Vec<f64>> = state.fit.values.iter().map(mean).collect();
            if let Some(all) = self.fitted(grouped, all, &start) {
                let turned = self.turn(grouped, all, Role::Shared, Role::Own);
                if turned.length < state.length {
                    state = turned;
                }
            }
        }
        let state = self.snap(grouped, state, cancel);
        self.law(grouped, plan, &state)
    }

    fn law(&self, grouped: &Grouped<'_>, plan: &Plan, state: &State) -> Option<GroupLaw> {
        let (problem, groups) = (grouped.problem, grouped.counts.len());
        let exact = refine::unfold_logarithms(problem, &self.template.substitute(&state.exact));
        let covariance = grouped
            .proportional(&self.tape, &state.roles, &state.fit)
            .unwrap_or_else(|| state.fit.covariance.clone());
        let open = places(&state.roles, groups);
        let values: Vec<f64> = open.iter().map(|&(k, g)| state.fit.values[k][g]).collect();
        if covariance.iter().any(|x| x.is_nan()) {
            return None;
        }
        let m = open.len();
        let matrix: Vec<f64> = (0..m * m).map(|k| covariance[(k / m, k % m)]).collect();
        let identity = plan.identity ^ (hash::combine(exact.stable_hash(), plan.seed) >> 1);
        let uncertain = Uncertain::joint(identity, &values, Covariance { size: m, matrix });
        let unit = |k: usize| Unit::coherent(self.parameters[k].dimension);
        let mut constants = state.snapped.clone();
        let mut own: Vec<OwnConstant> = Vec::new();
        let mut pairs = Vec::new();
        for (&(k, g), u) in open.iter().zip(uncertain) {
            let symbol = &self.parameters[k].symbol;
            if state.roles[k] == Role::Shared {
                constants.push(ConstantInfo {
                    value: u.value(),
                    error: u.sigma(),
                    unit: unit(k),
                    exact: None,
                    fitted: (u.value(), u.sigma()),
                    gained: 0.0,
                });
                pairs.push((symbol.clone(), Expr::product([Expr::uncertain(u), Expr::unit(unit(k))])));
            } else {
                if g == 0 {
                    let name = free_name(problem, own.len());
                    pairs.push((symbol.clone(), Expr::symbol(name.clone())));
                    own.push(OwnConstant { symbol: name, unit: unit(k), values: Vec::new() });
                }
                if let Some(constant) = own.last_mut() {
                    constant.values.push(u);
                }
            }
        }
        let size = self.complexity.of(&exact);
        let allowed = plan.criteria.largest.is_none_or(|most| size <= most)
            && plan.criteria.rules.allow_form(&exact, &self.complexity);
        if !allowed {
            return None;
        }
        let n = problem.rows() as f64;
        let mean = problem.target.iter().sum::<f64>() / n;
        let spread: f64 = problem.target.iter().map(|y| (y - mean).powi(2)).sum();
        let r2 = if spread > 0.0 { 1.0 - state.fit.sse / spread } else { 1.0 };
        let rms = crate::numeric::statistics::rms(&problem.target);
        let share = if rms > 0.0 { (state.fit.sse / n).sqrt() / rms } else { 0.0 };
        let law = Candidate {
            size,
            expr: exact.substitute(&pairs),
            constants,
            loss: state.fit.chi2.unwrap_or(state.fit.sse) / n,
            r2,
            description_length: state.length,
            engine: self.engine.into(),
            evidence: format!(
                "{} of {} fitted constants own to each of {groups} groups; agrees on all {} rows to {share:.1e} of the \
                 target's RMS",
                own.len(),
                state.roles.iter().filter(|r| **r != Role::Held).count(),
                problem.rows(),
            )
            .into(),
        };
        Some(GroupLaw { law, own })
    }
}

/// The name of the k-th own constant: c1, c2 ... without those that columns have.
fn free_name(problem: &Problem, k: usize) -> Symbol {
    let taken = |name: &str| problem.names.iter().chain([&problem.target_symbol]).any(|s| s.name() == name);
    let mut names = (1..).map(|i| format!("c{i}")).filter(|name| !taken(name));
    // The list does not end.
    Symbol::new(&names.nth(k).unwrap_or_default())
}

/// Whether a dimension is one that constants of a law may have.
pub fn allowed(plan: &Plan, dimension: Dimension) -> bool {
    dimension.is_none() || !matches!(plan.constants, super::super::options::Constants::Dimensionless)
}
