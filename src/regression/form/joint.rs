//! A form with laws in its holes: one model of the data, whose constants are those of the form and of all laws. What two of
//! them say together, as the factor before a hole and that of its law, is said by one; the units follow from the whole.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::units::{Units, Unknown};
use super::{Form, Problem};
use crate::base::CancelToken;
use crate::expression::{Expr, Kind, Symbol};
use crate::numeric::Tape;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::front::Front;
use crate::regression::options::{Constants, Plan};
use crate::regression::spelling::{Reader, Writer};
use crate::regression::{describe, refine, template};
use crate::units::Dimension;

/// Share of a parameter's effect beyond which it is that of others.
const SAME: f64 = 1e-8;
/// Relative growth of the residuals that is no loss.
const ROUNDING: f64 = 1e-6;
/// Rows on which parameters are told apart.
const ROWS: usize = 200;

/// A law proposed for a hole: its numbers opened as parameters.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The law of the formal arguments and of the parameters.
    pub law: Expr,
    /// The parameters: symbols that no other hole has, and their starts.
    pub parameters: Vec<(Symbol, f64)>,
    /// Constants of the form that it was found beside.
    pub constants: Vec<f64>,
}

/// A law with its numbers opened; exponents that are exact stay. An offset of 1 is a number as any other: that of another hole
/// may stand for it.
pub fn opened(law: &Expr, hole: usize, constants: &[f64]) -> Proposal {
    let mut parameters = Vec::new();
    let law = template::numbers(law, true, &mut |start, _| {
        let symbol = Symbol::new(&format!("#{hole}.{}", parameters.len()));
        parameters.push((symbol.clone(), start));
        Expr::symbol(symbol)
    });
    Proposal { law, parameters, constants: constants.to_vec() }
}

/// The form with laws in its holes.
pub fn filled(form: &Form, laws: &[Expr]) -> Expr {
    form.template.transform(&mut |e| match e.kind() {
        Kind::Apply(name, args) => match form.holes.iter().position(|h| h.name == *name) {
            Some(hole) => {
                let pairs: Vec<(Symbol, Expr)> =
                    form.holes[hole].arguments.iter().cloned().zip(args.iter().cloned()).collect();
                laws[hole].substitute(&pairs)
            }
            None => e,
        },
        _ => e,
    })
}

/// A form with laws in its holes, refined.
#[derive(Clone, Debug)]
pub struct Joint {
    /// The whole law.
    pub candidate: crate::regression::Candidate,
    /// The laws of the holes, of their formal arguments.
    pub laws: Vec<Expr>,
    /// The constants of the form.
    pub constants: Vec<Expr>,
}

impl Joint {
    /// It as JSON.
    pub fn write(&self, w: &mut Writer<'_>) -> Json {
        json!([w.candidate(&self.candidate), w.laws(&self.laws), w.laws(&self.constants)])
    }

    /// What [`Joint::write`] wrote.
    pub fn read(value: &Json, r: &Reader<'_>) -> Option<Joint> {
        Some(Joint {
            candidate: r.candidate(&value[0])?,
            laws: r.laws(&value[1])?,
            constants: r.laws(&value[2])?,
        })
    }
}

/// What joint models are made for.
pub struct Joining<'a> {
    /// The form.
    pub form: &'a Form,
    /// All data.
    pub problem: &'a Problem,
    /// Some rows.
    pub few: Problem,
    /// The options.
    pub plan: &'a Plan,
    /// Asked in every loop.
    pub cancel: &'a CancelToken,
}

impl<'a> Joining<'a> {
    pub fn new(form: &'a Form, problem: &'a Problem, plan: &'a Plan, cancel: &'a CancelToken) -> Joining<'a> {
        let n = problem.rows();
        let rows: Vec<usize> = (0..n.min(ROWS)).map(|k| k * n / n.min(ROWS)).collect();
        Joining { form, problem, few: problem.pick(&rows), plan, cancel }
    }

    /// The dimensions of all parameters of a law of the data: open ones are pure numbers, the first before the others;
    /// `None` where no units go together.
    fn dimensions(&self, law: &Expr, parameters: &[Parameter]) -> Option<Vec<Dimension>> {
        let Some(dimensions) = &self.problem.dimensions else {
            return Some(vec![Dimension::NONE; parameters.len()]);
        };
        let known = |s: &Symbol| {
            let column = self.problem.names.iter().position(|n| n == s).map(|k| dimensions[k]);
            let given = || self.form.constants.iter().find(|c| c.symbol == *s).and_then(|c| c.dimension);
            column.or_else(given)
        };
        let mut units = Units::of(law, self.problem.target_dimension, &known).ok()?;
        let each = parameters.iter().map(|p| {
            if let Some(d) = known(&p.symbol) {
                return Some(d);
            }
            let unknown = Unknown::Constant(p.symbol.clone());
            units.pin(&unknown);
            units.get(&unknown)
        });
        each.collect()
    }

    /// The places of parameters whose effect on the law is that of those before them.
    fn idle(&self, law: &Expr, parameters: &[Parameter]) -> Option<Vec<usize>> {
        let mut inputs = self.few.names.clone();
        inputs.extend(parameters.iter().map(|p| p.symbol.clone()));
        let tape = Tape::compile(std::slice::from_ref(law), &inputs).ok()?;
        let own: Vec<[f64; 1]> = parameters.iter().map(|p| [p.start]).collect();
        let columns: Vec<&[f64]> =
            self.few.columns.iter().map(Vec::as_slice).chain(own.iter().map(|v| v.as_slice())).collect();
        let wrt: Vec<usize> = (self.few.names.len()..inputs.len()).collect();
        let mut effects = tape.jacobian(&columns, &wrt).swap_remove(0);
        effects.remove(0);
        if effects.iter().flatten().any(|x| !x.is_finite()) {
            return None;
        }
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut idle = Vec::new();
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (place, mut effect) in effects.into_iter().enumerate() {
            let before = norm(&effect);
            // Twice is enough (Kahan and Parlett).
            for _ in 0..2 {
                for b in &basis {
                    let dot: f64 = b.iter().zip(&effect).map(|(b, e)| b * e).sum();
                    effect.iter_mut().zip(b).for_each(|(e, b)| *e -= dot * b);
                }
            }
            let left = norm(&effect);
            if left <= SAME * before || left == 0.0 {
                idle.push(place);
            } else {
                effect.iter_mut().for_each(|e| *e /= left);
                basis.push(effect);
            }
        }
        Some(idle)
    }

    /// Sum of squares of a law on a few rows.
    fn squares(&self, law: &Expr, parameters: &[Parameter]) -> Option<f64> {
        if law.is_undefined() || law.is_zero() {
            return None;
        }
        let fitted = refine::fit(&self.few, law, parameters, self.cancel)?;
        Some(fitted.chi2.unwrap_or(fitted.sse))
    }

    /// The laws in the form, their constants fitted with those of the form; `None` where that does not work out. The work,
    /// in row evaluations, comes with it.
    pub fn refine(&self, proposals: &[&Proposal], constants: &[f64], front: &Front) -> (Option<Joint>, u64) {
        let mut work = 0;
        let joint = self.refined(proposals, constants, front, &mut work);
        (joint, work)
    }

    fn refined(
        &self,
        proposals: &[&Proposal],
        constants: &[f64],
        front: &Front,
        work: &mut u64,
    ) -> Option<Joint> {
        let laws: Vec<Expr> = proposals.iter().map(|p| p.law.clone()).collect();
        let form = self.form.constants.iter().zip(constants).map(|(c, x)| (c.symbol.clone(), *x));
        let own = proposals.iter().flat_map(|p| p.parameters.iter().cloned());
        let mut parameters: Vec<Parameter> = form
            .chain(own)
            .map(|(symbol, start)| Parameter { symbol, start, dimension: Dimension::NONE })
            .collect();
        let whole = filled(self.form, &laws);
        parameters.retain(|p| whole.contains_symbol(&p.symbol));
        *work += (self.problem.rows() * (1 + parameters.len())) as u64;
        if whole.is_undefined() {
            return None;
        }
        let mut held: BTreeMap<Symbol, Expr> = BTreeMap::new();
        let idle = self.idle(&whole, &parameters)?;
        let mut law = whole;
        if !idle.is_empty() {
            let idle: Vec<Parameter> = idle.iter().map(|k| parameters[*k].clone()).collect();
            parameters.retain(|p| !idle.iter().any(|i| i.symbol == p.symbol));
            let starts: Vec<(Symbol, Expr)> =
                idle.iter().map(|p| (p.symbol.clone(), Expr::float(p.start))).collect();
            let floor = self.few.rows() as f64
                * if self.few.sigma.is_some() { 0.0 } else { describe::noise_floor(&self.few).powi(2) };
            let least = self.squares(&law.substitute(&starts), &parameters)?;
            for (k, p) in idle.iter().enumerate() {
                if !law.contains_symbol(&p.symbol) {
                    continue;
                }
                *work += 3 * (self.few.rows() * (1 + parameters.len())) as u64;
                let later = &starts[k + 1..];
                let value = [0, 1, -1].into_iter().find(|v| {
                    let there = law.substitute(&[(p.symbol.clone(), Expr::int(*v))]);
                    let squares = self.squares(&there.substitute(later), &parameters);
                    squares.is_some_and(|s| s <= least * (1.0 + ROUNDING) + floor)
                })?;
                law = law.substitute(&[(p.symbol.clone(), Expr::int(value))]);
                held.insert(p.symbol.clone(), Expr::int(value));
            }
            parameters.retain(|p| law.contains_symbol(&p.symbol));
        }
        let dimensions = self.dimensions(&law, &parameters)?;
        parameters.iter_mut().zip(dimensions).for_each(|(p, d)| p.dimension = d);
        // Constants of the form were asked for, with whatever unit; those of laws are as the options say.
        let of_form = |p: &Parameter| self.form.constants.iter().any(|c| c.symbol == p.symbol);
        let mut plan = self.plan.clone();
        if plan.constants == Constants::Dimensionless {
            if parameters.iter().any(|p| !p.dimension.is_none() && !of_form(p)) {
                return None;
            }
            plan.constants = Constants::Free;
        }
        let model = Model { template: law, parameters, engine: "form" };
        let refined = refine::refined(self.problem, &plan, &model, front, self.cancel)?;
        let mut pairs: Vec<(Symbol, Expr)> = refined.values;
        pairs.extend(held);
        // What the whole does not depend on is 0, or 1 where its law has no value then.
        for (law, proposal) in laws.iter().zip(proposals) {
            for (symbol, _) in &proposal.parameters {
                if pairs.iter().any(|(s, _)| s == symbol) {
                    continue;
                }
                let nothing = law.substitute(&pairs).substitute(&[(symbol.clone(), Expr::zero())]);
                let value = if nothing.is_undefined() { Expr::one() } else { Expr::zero() };
                pairs.push((symbol.clone(), value));
            }
        }
        // A constant of the form that the laws leave no place for.
        let constant = |c: &super::FormConstant| {
            let value = pairs.iter().find(|(s, _)| *s == c.symbol).map(|(_, v)| v.clone());
            value.unwrap_or_else(Expr::one)
        };
        Some(Joint {
            laws: laws.iter().map(|l| l.substitute(&pairs)).collect(),
            constants: self.form.constants.iter().map(constant).collect(),
            candidate: refined.candidate,
        })
    }
}
