//! Layers, and what a training is asked for, as values: one body for all rows of the tables of `networks`. A bare name of
//! the library stands for the row with its defaults: `chain(dense(3), relu)`, `optimizer: adam`.

use std::fmt;
use std::sync::Arc;

use super::Body;
use crate::base::Span;
use crate::expression;
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Error, Result, fault, fault_hint, lift};
use crate::language::types::Signature;
use crate::language::value::{Function, Value};
use crate::networks::data::{AUGMENTS, Augment};
use crate::networks::layer::{self, Inner, KINDS, Layer, OptionRow, OptionType, Setting};
use crate::networks::loss::{LOSSES, Loss};
use crate::networks::optimise::{OPTIMISERS, Optimiser, SCHEDULES, Schedule};
use crate::networks::settings;

/// Something that a training is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// How weights follow from gradients.
    Optimiser(Optimiser),
    /// How the rate changes.
    Schedule(Schedule),
    /// What is minimised.
    Loss(Loss),
    /// A change of the inputs at random.
    Augment(Augment),
}

impl Part {
    /// What it is, in words of the language.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Part::Optimiser(_) => "optimizer",
            Part::Schedule(_) => "schedule",
            Part::Loss(_) => "loss",
            Part::Augment(_) => "augmentation",
        }
    }

    /// A part as it prints: `huber(delta: 0.5)`.
    pub fn read(text: &str) -> Option<Part> {
        let (name, rest) = text.split_at(text.find('(').unwrap_or(text.len()));
        let inside = rest.trim_start_matches('(').trim_end_matches(')');
        let entry = |e: &'_ str| -> Option<(String, f64)> {
            let (name, value) = e.split_once(':')?;
            Some((name.trim().to_string(), value.trim().parse().ok()?))
        };
        let entries = inside.split(',').filter(|e| !e.trim().is_empty()).map(entry);
        let entries = entries.collect::<Option<Vec<(String, f64)>>>()?;
        let given: Vec<(&str, f64)> = entries.iter().map(|(n, x)| (n.as_str(), *x)).collect();
        Part::of(name, &given)?.ok()
    }

    fn of(
        name: &str,
        given: &[(&str, f64)],
    ) -> Option<std::result::Result<Part, crate::networks::NetworkError>> {
        Some(if OPTIMISERS.iter().any(|k| k.name == name) {
            Optimiser::new(name, given).map(Part::Optimiser)
        } else if SCHEDULES.iter().any(|k| k.name == name) {
            Schedule::new(name, given).map(Part::Schedule)
        } else if LOSSES.iter().any(|k| k.name == name) {
            Loss::new(name, given).map(Part::Loss)
        } else if AUGMENTS.iter().any(|k| k.name == name) {
            Augment::new(name, given).map(Part::Augment)
        } else {
            return None;
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Optimiser(x) => x.fmt(f),
            Part::Schedule(x) => x.fmt(f),
            Part::Loss(x) => x.fmt(f),
            Part::Augment(x) => x.fmt(f),
        }
    }
}

/// The names of all bodies here.
pub fn names() -> impl Iterator<Item = &'static str> {
    let parts = OPTIMISERS.iter().map(|k| k.name).chain(SCHEDULES.iter().map(|k| k.name));
    let parts = parts.chain(LOSSES.iter().map(|k| k.name)).chain(AUGMENTS.iter().map(|k| k.name));
    let layers = KINDS.iter().map(|k| k.name).filter(|n| !is_function(n));
    layers.chain(parts)
}

/// Layers that are functions of the language, too: they have no declaration of their own.
pub fn is_function(name: &str) -> bool {
    super::TABLES.iter().flat_map(|t| t.iter()).any(|(n, _)| *n == name)
}

/// The body of a declared function.
pub fn body(name: &str) -> Option<Body> {
    if KINDS.iter().any(|k| k.name == name) && !is_function(name) {
        return Some(made);
    }
    Part::of(name, &[]).map(|_| part as Body)
}

fn part(_: &mut Context, args: &Args) -> Result<Value> {
    let name = args.signature.name.clone();
    let mut given: Vec<(&str, f64)> = Vec::new();
    for p in &args.signature.params {
        if !args.is_given(&p.name) {
            continue;
        }
        let value = args.value(&p.name)?;
        let number = match value.as_expr().map(|e| e.kind().clone()) {
            Some(expression::Kind::Bool(b)) => f64::from(u8::from(b)),
            _ => args.real(&p.name)?,
        };
        given.push((&p.name, number));
    }
    match Part::of(&name, &given) {
        Some(Ok(part)) => Ok(Value::Part(Arc::new(part))),
        Some(Err(e)) => Err(lift(&e, args.span)),
        None => Err(fault(6001, args.span, format!("expected a function, found `{name}`"))),
    }
}

fn made(context: &mut Context, args: &Args) -> Result<Value> {
    let name = args.signature.name.clone();
    let kind = layer::kind(&name).map_err(|e| lift(&e, args.span))?;
    let mut inner = Vec::new();
    match kind.inner {
        Inner::None => {}
        Inner::Named(names) => {
            for name in names {
                inner.push(network(context, args.value(name)?, args.span_of(name))?);
            }
        }
        Inner::Some => {
            for value in args.list("layers")?.iter() {
                layers(context, value, args.span_of("layers"), &mut inner)?;
            }
        }
    }
    let mut options: Vec<(&str, Setting)> = Vec::new();
    for row in kind.options.iter().filter(|row| args.is_given(row.name)) {
        if let Some(value) = args.get(row.name) {
            options.push((row.name, setting(value, args, row.name)?));
        }
    }
    let made = Layer::new(&name, &options, inner).map_err(|e| lift(&e, args.span))?;
    Ok(Value::Network(Arc::new(made)))
}

/// An option's value as layers keep it.
fn setting(value: &Value, args: &Args, name: &str) -> Result<Setting> {
    match value.plain() {
        Value::Text(word) => Ok(Setting::Word(word.to_string())),
        Value::List(items) => {
            let number = |v: &Value| {
                v.as_expr()
                    .and_then(|e| e.evaluate(&|_| None))
                    .ok_or_else(|| args.wrong(name, "a list of numbers", v))
            };
            Ok(Setting::List(items.iter().map(number).collect::<Result<Vec<f64>>>()?))
        }
        Value::Expr(e) => match e.kind() {
            expression::Kind::Bool(b) => Ok(Setting::Boolean(*b)),
            _ => match e.as_i64() {
                Some(n) => Ok(Setting::Integer(n)),
                None => Ok(Setting::Real(args.real(name)?)),
            },
        },
        other => Err(args.wrong(name, "a number or a word", other)),
    }
}

/// A value as one network: a network, the name of a layer, a list as a chain.
pub fn network(context: &mut Context, value: &Value, at: Span) -> Result<Layer> {
    let mut found = Vec::new();
    layers(context, value, at, &mut found)?;
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        _ => Layer::chain(found).map_err(|e| lift(&e, at)),
    }
}

/// The layers that a value is; a list is each of its elements.
fn layers(context: &mut Context, value: &Value, at: Span, found: &mut Vec<Layer>) -> Result<()> {
    match value.plain() {
        Value::Network(n) => found.push((**n).clone()),
        Value::Model(m) => found.push(m.network().clone()),
        Value::List(items) => items.iter().try_for_each(|v| layers(context, v, at, found))?,
        Value::Function(Function::Builtin(name)) => found.push(bare(context, name, at)?),
        Value::Expr(e) if matches!(e.kind(), expression::Kind::Symbol(_)) => {
            found.push(bare(context, &e.to_string(), at)?)
        }
        other => {
            let message = format!("expected a layer, found a {}", other.kind_name());
            return Err(fault_hint(6006, at, message, "chain(dense(32), tanh, dense(1))"));
        }
    }
    Ok(())
}

/// A layer by its name alone, or what a function of the library that is written in phys gives with its defaults: `mlp`.
fn bare(context: &mut Context, name: &str, at: Span) -> Result<Layer> {
    let written = |s: &Arc<Signature>| s.body.is_some() && s.params.iter().all(|p| p.is_optional());
    let is_written = context.library.signatures(name).is_some_and(|all| all.iter().any(written));
    if is_written && layer::kind(name).is_err() {
        let made = context.apply(&Function::Builtin(name.into()), Vec::new(), at)?;
        if let Value::Network(network) = made.plain() {
            return Ok((**network).clone());
        }
    }
    Layer::new(name, &[], Vec::new()).map_err(|e| lift(&e, at))
}

/// A part of a training of one sort, by value or by name.
pub fn part_of(value: &Value, at: Span) -> Result<Part> {
    let wrong = |found: String| -> Error {
        fault_hint(
            6006,
            at,
            format!("expected an optimizer, a schedule, a loss or an augmentation, found {found}"),
            "adam(rate: 1e-3)",
        )
    };
    match value.plain() {
        Value::Part(p) => Ok((**p).clone()),
        Value::Function(Function::Builtin(name)) => match Part::of(name, &[]) {
            Some(part) => part.map_err(|e| lift(&e, at)),
            None => Err(wrong(format!("the function `{name}`"))),
        },
        Value::Text(name) => match Part::of(name, &[]) {
            Some(part) => part.map_err(|e| lift(&e, at)),
            None => Err(wrong(format!("`{name}`"))),
        },
        other => Err(wrong(format!("a {}", other.kind_name()))),
    }
}

/// The declarations of all layers, of optimisers, schedules, losses and augmentations, as stdlib/networks/ has them.
pub fn declarations() -> [(&'static str, String); 2] {
    let layers: String = KINDS.iter().filter(|k| !is_function(k.name)).map(declaration).collect();
    let head = "# The layers of networks. A layer takes what the one before gives; sizes follow. A bare name is a layer with its defaults.\n";
    let mut parts = String::from(
        "# What `train` is asked for. A bare name is the row with its defaults: `optimizer: adam`.\n",
    );
    for k in OPTIMISERS {
        parts += &part_declaration(k.name, k.docs, k.settings, "optimizer");
    }
    for k in SCHEDULES {
        parts += &part_declaration(k.name, k.docs, k.settings, "schedule");
    }
    for k in LOSSES {
        parts += &part_declaration(k.name, k.docs, k.settings, "loss");
    }
    for k in AUGMENTS {
        parts += &part_declaration(k.name, k.docs, k.settings, "augmentation");
    }
    [("networks/layers.phys", format!("{head}{layers}")), ("networks/parts.phys", parts)]
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn part_declaration(name: &str, docs: &str, settings: &[settings::Setting], kind: &str) -> String {
    let params: Vec<String> = settings
        .iter()
        .map(|s| match s.range {
            settings::Range::Flag => format!("{}: boolean = {}", s.name, s.default == 1.0),
            settings::Range::Count => format!("{}: integer = {}", s.name, s.default),
            _ => format!("{}: real = {}", s.name, s.default),
        })
        .collect();
    let mut text = format!("\n## {}.\n", capital(docs.trim_end_matches('.')));
    for s in settings {
        text += &format!("## `{}`: {}.\n", s.name, s.docs.trim_end_matches('.'));
    }
    text += &format!("## example: {name}()   # => {name}\n");
    text + &format!("extern {name}({}) -> {kind}\n", params.join(", "))
}

fn option(row: &OptionRow) -> String {
    match (row.kind, row.preset.setting()) {
        (OptionType::WordOrCount(_), None) => format!("{}: word", row.name),
        (OptionType::WordOrCount(_), Some(preset)) => format!("{}: word = \"{preset}\"", row.name),
        _ => row.declaration(),
    }
}

fn declaration(kind: &layer::Kind) -> String {
    let mut params: Vec<String> = match kind.inner {
        Inner::None => Vec::new(),
        Inner::Named(names) => names.iter().map(|n| format!("{n}: network")).collect(),
        Inner::Some => vec!["layers: network...".to_string()],
    };
    params.extend(kind.options.iter().map(option));
    let mut text = format!("\n## {}\n", kind.docs);
    for o in kind.options {
        text += &format!("## `{}`: {}\n", o.name, o.docs);
    }
    if let Some(sample) = kind.samples.first() {
        let call =
            if sample.layer.contains('(') { sample.layer.to_string() } else { format!("{}()", sample.layer) };
        text += &format!("## example: {call}   # => {}\n", sample.layer);
    }
    text + &format!("extern {}({}) -> network\n", kind.name, params.join(", "))
}
