//! What individuals must obey, and the laws that they are: the rules of a search, and individuals to and from models.

use super::{Genome, Maker};
use crate::expression::{Expr, Symbol};
use crate::numeric::Tape;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::genetic::island::Member;
use crate::regression::genetic::tree::{Node, Tree};
use crate::regression::options::Criteria;
use crate::units::Dimension;

impl Maker<'_> {
    /// Whether the rules about forms allow it, but for the columns that it must hold.
    pub(super) fn has_form(&self, genome: &Genome) -> bool {
        let rules = &self.criteria.rules;
        if rules.is_empty() {
            return true;
        }
        let (factors, intercept) = (vec![2.0; genome.terms.len()], f64::from(u8::from(genome.intercept)));
        let template = self.model(genome, &factors, intercept).map(|m| m.template);
        template.is_some_and(|law| rules.allow_parts(&law, &self.criteria.complexity))
    }

    /// Whether a fitted individual is no larger than it may be and has the values it must have.
    pub fn obeys(&self, member: &Member) -> bool {
        let Criteria { largest, rules, .. } = self.criteria;
        if largest.is_some_and(|most| member.size > most) {
            return false;
        }
        let inner = member.genome.terms.iter().flat_map(|t| &t.nodes);
        let within = |n: &Node| !matches!(n, Node::Constant(c) if !rules.allow_constant(*c));
        if rules.bounds.is_some() && !inner.copied().all(|n| within(&n)) {
            return false;
        }
        if !rules.about_values() {
            return true;
        }
        let fit = &member.fit;
        let Some(model) = self.model(&member.genome, &fit.factors, fit.intercept) else { return false };
        let mut inputs = self.problem.names.clone();
        inputs.extend(model.parameters.iter().map(|p| p.symbol.clone()));
        let Ok(tape) = Tape::compile(std::slice::from_ref(&model.template), &inputs) else { return false };
        let values: Vec<f64> = model.parameters.iter().map(|p| p.start).collect();
        rules.allow_values(self.problem, &tape, &values)
    }

    /// Whether an individual holds all columns that it must hold.
    pub fn is_whole(&self, genome: &Genome) -> bool {
        let leaves = &self.library.grammar.leaves;
        self.criteria.rules.required.iter().all(|s| {
            genome
                .terms
                .iter()
                .flat_map(|t| &t.nodes)
                .any(|n| matches!(n, Node::Leaf(k) if leaves[usize::from(*k)].expr.as_symbol() == Some(s)))
        })
    }

    /// The individual that a law of the user is, its terms apart.
    pub fn genome_of(&self, guess: &Model) -> Option<Genome> {
        let leaves = &self.library.grammar.leaves;
        let leaf = |s: &Symbol| {
            if let Some(p) = guess.parameters.iter().find(|p| p.symbol == *s) {
                return Some(Node::Constant(p.start));
            }
            leaves.iter().position(|l| l.expr.as_symbol() == Some(s)).map(|k| Node::Leaf(k as u16))
        };
        let terms = guess.template.terms().iter().map(|t| Tree::of_law(t, &leaf)).collect::<Option<_>>()?;
        Some(Genome { terms, intercept: false, link: None })
    }

    /// The law of an individual with these coefficients, its constants as parameters.
    pub fn model(&self, genome: &Genome, factors: &[f64], intercept: f64) -> Option<Model> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let push = |start: f64, dimension: Dimension, parameters: &mut Vec<Parameter>| {
            let symbol = Parameter::symbol(parameters.len());
            parameters.push(Parameter { symbol: symbol.clone(), start, dimension });
            Expr::symbol(symbol)
        };
        let goal = self.goal(genome.link)?;
        let mut sum: Vec<Expr> = Vec::new();
        for (term, factor) in genome.terms.iter().zip(factors) {
            let types = term.dimensions(&self.typing)?;
            let own = types[types.len() - 1].unwrap_or(goal);
            let factor = push(*factor, goal.div(own)?, &mut parameters);
            sum.push(factor * term.expr(&self.typing, own, &mut parameters)?);
        }
        if genome.intercept {
            sum.push(push(intercept, goal, &mut parameters));
        }
        let sum = Expr::sum(sum);
        let template = match genome.link {
            None => sum,
            Some(Node::Raise(h)) => Expr::power(sum, Expr::ratio(i64::from(h), 2)),
            Some(Node::Call(f)) => Expr::call(f, vec![sum]),
            Some(_) => return None,
        };
        Some(Model { template, parameters, engine: crate::regression::genetic::NAME })
    }
}
