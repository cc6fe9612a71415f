//! A law as a layer: any expression of its inputs whose constants are trained. Values and derivatives are those of
//! the numeric core's tapes; the derivative of an expression is an expression, so gradients of gradients are right to
//! any order.

use std::sync::{Arc, OnceLock};

use candle_core::{Shape as Sizes, Tensor};

use super::super::error::NetworkError;
use super::super::ops;
use super::super::parameters::Init;
use super::super::shape::Shape;
use super::plan::{Node, Plan, Run, Site};
use super::{Behaviour, Layer, Setting};
use crate::base::Source;
use crate::expression::{Expr, Symbol, read};
use crate::numeric::Tape;
use crate::syntax;
use crate::syntax::tree::StatementKind;

/// The symbol of an input of a law.
pub fn input(k: usize) -> Symbol {
    Symbol::new(&format!("x{k}"))
}

/// The symbol of a constant of a law.
pub fn constant(k: usize) -> Symbol {
    Symbol::new(&format!("c{k}"))
}

/// Expressions with their derivatives, compiled when they are first asked for.
struct Formulas {
    all: Vec<Expr>,
    inputs: Vec<Symbol>,
    constants: Vec<Symbol>,
    tape: Tape,
    slopes: OnceLock<Option<[Arc<Formulas>; 2]>>,
}

impl Formulas {
    fn new(all: Vec<Expr>, inputs: &[Symbol], constants: &[Symbol]) -> Option<Formulas> {
        let symbols: Vec<Symbol> = inputs.iter().chain(constants).cloned().collect();
        let tape = Tape::compile(&all, &symbols).ok()?;
        let (inputs, constants) = (inputs.to_vec(), constants.to_vec());
        Some(Formulas { all, inputs, constants, tape, slopes: OnceLock::new() })
    }

    /// All derivatives by the inputs, and by the constants: expression after expression.
    fn slopes(&self) -> candle_core::Result<&[Arc<Formulas>; 2]> {
        let by = |symbols: &[Symbol]| {
            let all = self.all.iter().flat_map(|e| symbols.iter().map(|s| e.diff(s))).collect();
            Formulas::new(all, &self.inputs, &self.constants).map(Arc::new)
        };
        let made = self.slopes.get_or_init(|| Some([by(&self.inputs)?, by(&self.constants)?]));
        made.as_ref().ok_or_else(|| candle_core::Error::Msg("the law has no derivative".into()))
    }
}

/// The values `[rows, expressions]` at inputs `[rows, inputs]` for constants `[constants]`.
fn values(set: &Arc<Formulas>, x: &Tensor, c: &Tensor) -> candle_core::Result<Tensor> {
    let (own, slopes) = (set.clone(), set.clone());
    ops::by_columns(
        "formula",
        [x, c],
        move |columns, constants| {
            let rows = columns.first().map_or(1, Vec::len);
            let scalars: Vec<Vec<f64>> = constants.iter().map(|x| vec![*x]).collect();
            let lists: Vec<&[f64]> = columns.iter().chain(&scalars).map(Vec::as_slice).collect();
            let found = own.tape.eval(&lists);
            let at = |list: &Vec<f64>, k: usize| if list.len() == 1 { list[0] } else { list[k] };
            let all = (0..rows).flat_map(|k| found.iter().map(move |list| at(list, k))).collect();
            (all, Sizes::from((rows, found.len())))
        },
        move |inputs, gradient| {
            let [by_input, by_constant] = slopes.slopes()?;
            let (rows, outputs) = gradient.dims2()?;
            let each = |set: &Arc<Formulas>, count: usize| {
                let slopes = values(set, inputs[0], inputs[1])?.reshape((rows, outputs, count))?;
                slopes.broadcast_mul(&gradient.unsqueeze(2)?)?.sum(1)
            };
            let x = if slopes.inputs.is_empty() { None } else { Some(each(by_input, slopes.inputs.len())?) };
            let c = match slopes.constants.len() {
                0 => None,
                n => Some(each(by_constant, n)?.sum(0)?),
            };
            Ok(vec![x, c])
        },
    )
}

/// The law of a layer as it was written, with the places of its inputs and constants as symbols.
pub(crate) fn law(layer: &Layer) -> Option<Expr> {
    let source = Source::new(0, "law", layer.text("law"));
    let parsed = syntax::parse(&source);
    if parsed.diagnostics.iter().any(|d| d.is_error()) || parsed.tree.statements.len() != 1 {
        return None;
    }
    let StatementKind::Expr { value: id, .. } = &parsed.tree.statements[0].kind else { return None };
    read::expr(&parsed.tree, *id, &|_| None).ok()
}

/// What a law says of its inputs, its constants and itself, for those who know which columns it is fed with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    /// Names of the inputs with their units, where these are known, in words.
    pub inputs: Vec<Named>,
    /// The same of the constants; a number that nobody named has no letters.
    pub constants: Vec<Named>,
    /// The unit of the value, where it is known, in words.
    pub gives: Option<String>,
}

/// A name and its unit.
pub type Named = (String, Option<String>);

impl Signature {
    /// Of a layer that is a law; `None` where it names no inputs.
    pub fn of(layer: &Layer) -> Option<Signature> {
        if layer.kind().name != "formula" || layer.text("inputs").is_empty() {
            return None;
        }
        let one = |word: &str| match word.split_once(" [") {
            Some((name, unit)) => (name.to_string(), Some(unit.trim_end_matches(']').to_string())),
            None => (word.to_string(), None),
        };
        let all = |text: &str| match text {
            "" => Vec::new(),
            text => text.split(", ").map(one).collect(),
        };
        let gives = Some(layer.text("gives").to_string()).filter(|g| !g.is_empty());
        Some(Signature { inputs: all(layer.text("inputs")), constants: all(layer.text("params")), gives })
    }

    /// The settings of a layer that say so.
    pub fn settings(&self) -> Vec<(&'static str, Setting)> {
        let one = |(name, unit): &Named| match unit {
            Some(unit) => format!("{name} [{unit}]"),
            None => name.clone(),
        };
        let all = |list: &[Named]| list.iter().map(one).collect::<Vec<_>>().join(", ");
        let named = self.constants.iter().any(|(name, _)| !name.is_empty());
        let texts = [
            ("inputs", all(&self.inputs)),
            ("params", if named { all(&self.constants) } else { String::new() }),
            ("gives", self.gives.clone().unwrap_or_default()),
        ];
        texts.into_iter().filter(|(_, t)| !t.is_empty()).map(|(n, t)| (n, Setting::Text(t))).collect()
    }

    /// The names of the inputs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|(name, _)| name.as_str())
    }
}

pub(super) struct Formula;

impl Behaviour for Formula {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[1, 2])?;
        if let Some(own) = Signature::of(site.layer).filter(|own| own.inputs.len() != x.features()) {
            let (n, names) = (own.inputs.len(), own.names().collect::<Vec<_>>().join(", "));
            let plural = if n == 1 { "" } else { "s" };
            let hint = format!("inputs: [{names}] of the training, or dense({n}) before the law");
            return Err(site.shape_error(format!("{n} feature{plural} ({names})"), x).with_hint(hint));
        }
        let bad = || {
            site.option_error(
                "law",
                "a formula of x0, x1, ... and constants c0, c1, ...",
                site.layer.text("law"),
            )
        };
        let law = law(site.layer).ok_or_else(bad)?;
        let constants = site.layer.reals("constants");
        let names: Vec<Symbol> = (0..constants.len()).map(constant).collect();
        let given: Vec<Symbol> = (0..x.features()).map(input).collect();
        let unknown = law.symbols().into_iter().find(|s| !names.contains(s) && !given.contains(s));
        if let Some(symbol) = unknown {
            let expected = format!(
                "{} features for the law's `{symbol}`",
                symbol.name().trim_start_matches(['x', 'c']).parse::<usize>().map_or(0, |k| k + 1)
            );
            return Err(site.shape_error(expected, x));
        }
        let set = Formulas::new(vec![law], &given, &names).ok_or_else(bad)?;
        let plan = Plan::new(x.with_features(1)).made(Arc::new(set));
        Ok(if constants.is_empty() {
            plan
        } else {
            plan.parameter("constants", &[constants.len()], Init::Values(constants))
        })
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        // A law may have no value at the zeros that fill up rows.
        let presence = run.presence(&node.inputs[0], &inputs[0])?;
        let x = &match &presence {
            Some(presence) => presence.gather(&inputs[0])?,
            None => inputs[0].clone(),
        };
        let features = node.inputs[0].features();
        let rows = x.elem_count() / features.max(1);
        let own = node.layer.reals("constants");
        let c = match own.len() {
            0 => Tensor::zeros(0, x.dtype(), x.device())?,
            _ => run.weight(node, "constants")?,
        };
        let set = node.made.clone().and_then(|made| made.downcast::<Formulas>().ok());
        let set = set.ok_or_else(|| candle_core::Error::Msg("the law was not compiled".into()))?;
        let y = values(&set, &x.reshape((rows, features))?, &c)?;
        let mut sizes = x.dims().to_vec();
        if let Some(last) = sizes.last_mut() {
            *last = 1;
        }
        let y = y.reshape(sizes)?;
        match presence {
            Some(presence) => presence.spread(&y),
            None => Ok(y),
        }
    }
}
