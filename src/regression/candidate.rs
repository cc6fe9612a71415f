//! A law that was found, and a model on its way to one.

use std::sync::Arc;

use crate::expression::{Expr, Kind, Symbol};
use crate::units::{Dimension, Unit};

/// A law with its constants and its figures.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The law: fitted constants are uncertain numbers with their unit, snapped ones exact.
    pub expr: Expr,
    /// Its constants.
    pub constants: Vec<ConstantInfo>,
    /// Mean squared residual in SI (weighted by 1/sigma^2 where errors are known).
    pub loss: f64,
    /// Share of the target's variance explained.
    pub r2: f64,
    /// Description length in nats.
    pub description_length: f64,
    /// Binary operators and leaves.
    pub size: usize,
    /// Which engine proposed it.
    pub engine: Arc<str>,
    /// On what evidence it stands: what its engine looked through, and how well it agrees.
    pub evidence: Arc<str>,
}

impl Candidate {
    /// The law with its fitted constants open again, as a model that `engine` proposes.
    pub fn reopened(&self, engine: &'static str) -> Model {
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut ids: Vec<u64> = Vec::new();
        let template = self.expr.transform(&mut |e| match e.kind() {
            Kind::Uncertain(u) => {
                let k = ids.iter().position(|id| *id == u.id()).unwrap_or_else(|| {
                    ids.push(u.id());
                    let symbol = Parameter::symbol(ids.len() - 1);
                    parameters.push(Parameter { symbol, start: u.value(), dimension: Dimension::NONE });
                    ids.len() - 1
                });
                Expr::symbol(parameters[k].symbol.clone())
            }
            _ => e,
        });
        Model { template, parameters, engine }
    }
}

/// A constant of a law.
#[derive(Clone, Debug)]
pub struct ConstantInfo {
    /// Its value in `unit`.
    pub value: f64,
    /// Its standard error; 0 where exact.
    pub error: f64,
    /// Its unit.
    pub unit: Unit,
    /// Its exact form, where it was snapped.
    pub exact: Option<Expr>,
    /// Value and standard error as they were fitted; those above where it was not snapped.
    pub fitted: (f64, f64),
    /// Nats by which the exact form made the description shorter; 0 where it was not snapped.
    pub gained: f64,
}

/// A law with parameters, before they are fitted in the target's space.
#[derive(Clone, Debug)]
pub struct Model {
    /// The law; parameters are symbols.
    pub template: Expr,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// Which engine proposes it.
    pub engine: &'static str,
}

/// A parameter of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its symbol in the template.
    pub symbol: Symbol,
    /// Where to start.
    pub start: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Parameter {
    /// The symbol of the k-th parameter of a model; no name of a column looks like it.
    pub fn symbol(k: usize) -> Symbol {
        Symbol::new(&format!("#{k}"))
    }
}
