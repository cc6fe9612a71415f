//! Proposed rates: laws with their numbers opened, their description length with the points, and laws again.

use serde_json::{Value as Json, json};

use crate::base::Number;
use crate::expression::{Expr, Kind, Symbol};
use crate::regression::candidate::{Model, Parameter};
use crate::regression::complexity::Complexity;
use crate::regression::spelling::{Reader, Writer, bits, floats, from_bits, from_floats};
use crate::regression::{Constants, describe, dimension_algebra, numbers};
use crate::units::{Dimension, Unit};

/// Largest power of a named constant.
const MOST: f64 = 6.0;
/// The price in nats of a function, and of one inside another.
const CALLED: f64 = 5.0;
const NESTED: f64 = 12.0;

/// A proposal that was shot.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The law.
    pub model: Model,
    /// Its constants.
    pub values: Vec<f64>,
    /// Sum of squared residuals over sigma.
    pub chi2: f64,
    /// Description length in nats.
    pub length: f64,
}

impl Proposal {
    /// It as JSON.
    pub fn write(&self, w: &mut Writer<'_>) -> Json {
        json!([w.model(&self.model), floats(&self.values), bits(self.chi2), bits(self.length)])
    }

    /// What [`Proposal::write`] wrote, its model one of `engines`.
    pub fn read(value: &Json, r: &Reader<'_>, engines: &[&'static str]) -> Option<Proposal> {
        Some(Proposal {
            model: r.model(&value[0], engines)?,
            values: from_floats(&value[1])?,
            chi2: from_bits(&value[2])?,
            length: from_bits(&value[3])?,
        })
    }
}

/// A law with its numbers opened to be fitted again.
pub fn opened(law: &Expr, engine: &'static str) -> Model {
    let mut parameters = Vec::new();
    let template = numbers(law, false, &mut |start, dimension| {
        let symbol = Parameter::symbol(parameters.len());
        parameters.push(Parameter { symbol: symbol.clone(), start, dimension });
        Expr::symbol(symbol)
    });
    Model { template, parameters, engine }
}

/// The law with one term of a sum in it left out, in each way, and the values of the constants that stay. A term goes only
/// where some constant that goes with it is `unsure`.
pub fn shorter(model: &Model, values: &[f64], unsure: &dyn Fn(usize) -> bool) -> Vec<(Model, Vec<f64>)> {
    let with = |template: Expr| {
        let left = template.symbols();
        let stays = |p: &Parameter| left.contains(&p.symbol);
        let gone = (0..values.len()).filter(|k| !stays(&model.parameters[*k])).collect::<Vec<usize>>();
        if !gone.is_empty() && !gone.into_iter().any(unsure) {
            return None;
        }
        let kept = model.parameters.iter().zip(values).filter(|(p, _)| stays(p));
        let (parameters, values) = kept.map(|(p, x)| (p.clone(), *x)).unzip();
        Some((Model { template, parameters, engine: model.engine }, values))
    };
    without_a_term(&model.template).into_iter().filter_map(with).collect()
}

fn without_a_term(e: &Expr) -> Vec<Expr> {
    let mut all = Vec::new();
    if let Kind::Sum(terms) = e.kind() {
        all.extend((0..terms.len()).map(|gone| {
            Expr::sum(terms.iter().enumerate().filter(|(k, _)| *k != gone).map(|(_, t)| t.clone()))
        }));
    }
    for (place, child) in e.children().into_iter().enumerate() {
        for shorter in without_a_term(child) {
            let mut next = 0;
            all.push(e.map_children(|c| {
                next += 1;
                if next == place + 1 { shorter.clone() } else { c.clone() }
            }));
        }
    }
    all
}

/// Powers of named constants whose product has a dimension.
fn powers_of(
    named: &[(String, Expr, Dimension)],
    dimension: Dimension,
) -> Option<impl Iterator<Item = (&Expr, Number)>> {
    let dimensions: Vec<Dimension> = named.iter().map(|n| n.2).collect();
    let powers = dimension_algebra::powers(&dimensions, dimension)?.particular;
    let small = powers.iter().all(|q| q.to_f64().abs() <= MOST);
    small.then(|| named.iter().map(|n| &n.1).zip(powers).filter(|(_, q)| !q.is_zero()))
}

/// Whether a rate may have a constant of a dimension, alone or as a multiple of named ones.
pub fn is_allowed(constants: &Constants, dimension: Dimension) -> bool {
    match constants {
        Constants::Free => true,
        _ if dimension.is_none() => true,
        Constants::Dimensionless => false,
        Constants::Named(named) => powers_of(named, dimension).is_some(),
    }
}

/// A model whose constants with units are multiples of named ones, where only those may have them; `None` where they cannot.
pub fn restricted(mut model: Model, constants: &Constants) -> Option<Model> {
    let named = match constants {
        Constants::Free => return Some(model),
        Constants::Dimensionless => {
            return model.parameters.iter().all(|p| p.dimension.is_none()).then_some(model);
        }
        Constants::Named(named) => named,
    };
    for p in model.parameters.iter_mut().filter(|p| !p.dimension.is_none()) {
        let product = Expr::product(
            powers_of(named, p.dimension)?.map(|(e, q)| Expr::power(e.clone(), Expr::number(q))),
        );
        p.start /= product.evaluate(&|_| None).filter(|v| v.is_normal())?;
        p.dimension = Dimension::NONE;
        let whole = Expr::symbol(p.symbol.clone()) * product;
        model.template = model.template.substitute(&[(p.symbol.clone(), whole)]);
    }
    Some(model)
}

/// Nats by which functions make a rate less likely beforehand than products of powers: most rates are those of mass action,
/// friction and restoring forces. Functions of functions and powers with unknowns in the exponent are rarer still.
fn unusual(e: &Expr, inside: bool) -> f64 {
    let own = match e.kind() {
        Kind::Call(..) if inside => NESTED,
        Kind::Call(..) => CALLED,
        Kind::Power(_, exponent) if exponent.as_number().is_none_or(|n| !n.is_integer()) => {
            if inside {
                NESTED
            } else {
                CALLED
            }
        }
        _ => 0.0,
    };
    let inside = inside || own > 0.0;
    own + e.children().into_iter().map(|c| unusual(c, inside)).sum::<f64>()
}

/// What the starts of windows cost.
pub fn price(windows: usize, points: usize) -> f64 {
    0.5 * windows as f64 * (points as f64).ln()
}

/// The description length of a rate with the points of its state.
pub fn length(model: &Model, values: &[f64], errors: &[f64], chi2: f64, points: usize, states: usize) -> f64 {
    let n = points as f64;
    let mut length = n / 2.0 * (chi2 / n).max(1e-30).ln()
        + describe::tree_code(&model.template, states, &Complexity::default());
    length += unusual(&model.template, false);
    for ((value, error), parameter) in values.iter().zip(errors).zip(&model.parameters) {
        length += describe::constant_code(*value, *error, points);
        if !parameter.dimension.is_none() {
            length += describe::UNIT_PRICE;
        }
    }
    length
}

/// A model with numbers for its parameters, each with its unit.
pub fn written(model: &Model, numbers: impl Iterator<Item = Expr>) -> Expr {
    let places: Vec<(Symbol, Expr)> = model
        .parameters
        .iter()
        .zip(numbers)
        .map(|(p, x)| {
            let unit = Unit::coherent(p.dimension);
            (p.symbol.clone(), if unit.is_one() { x } else { x * Expr::unit(unit) })
        })
        .collect();
    model.template.substitute(&places)
}
