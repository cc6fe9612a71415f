//! `train`, `evaluate`, `summary`, and what a trained network says: the language's side of `networks`. Columns become the
//! inputs in the order of the table (or of `inputs:`), as numbers in SI; a target of text is classes. `normalise` puts the
//! means and deviations of the training rows into the network itself, so that a model takes and gives physical numbers.
//! A column of arrays (images) is an input by itself, in its own shape, and may be the target of a network that gives images.

use std::sync::Arc;
use std::time::Instant;

use super::Body;
use super::data::seed;
use super::generated::{self, Generated};
use super::networks::{self, Part};
use crate::base::random::Streams;
use crate::base::{Code, Diagnostic, Event, Finding, Span};
use crate::data::{Column, DataError, Dataset, Role, Stack, Values};
use crate::expression::print::Style;
use crate::expression::{Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::render;
use crate::language::value::{Function, Record, Value};
use crate::networks::data::{Array, Arrays, Source, Values as Numbers};
use crate::networks::generate::{Choice, generate as sequences};
use crate::networks::layer::{self, Layer, Setting};
use crate::networks::loss::{Loss, TargetKind};
use crate::networks::metric::{METRICS, Metric, metric};
use crate::networks::objective::Supervised;
use crate::networks::optimise::{Average, Needs, Optimiser, Schedule};
use crate::networks::train::{self, Data, Ended, Length, Plan, Trained, Watch};
use crate::networks::{Model, Precision, Shape, summary, symbolic, use_of};
use crate::syntax::tree::Name;
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("train", train),
    ("evaluate", evaluate),
    ("summary", summarise),
    ("symbolic", written),
    ("formula", formula),
    ("generate", generate),
];

/// Epochs of a training where nothing is said.
const EPOCHS: u64 = 20;
/// Rows of a batch where nothing is said, for methods that step along gradients.
const BATCH: usize = 32;
/// Rows that are computed at once where nothing is trained.
const AT_ONCE: usize = 256;

/// A column that a model reads or gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// The unit in which it is shown; numbers are in SI.
    pub unit: Option<Unit>,
}

impl Field {
    fn of(c: &Column) -> Field {
        Field { name: c.name.clone(), unit: c.unit.clone() }
    }
}

/// One input of a network: columns side by side, in the shape that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reads {
    /// The columns.
    pub columns: Vec<Field>,
    /// Sizes of a row.
    pub sizes: Vec<usize>,
    /// Whether they are whole numbers that stand for tokens.
    pub tokens: bool,
    /// Sizes of the arrays of the one column, where it holds arrays.
    pub arrays: Option<Vec<usize>>,
}

/// What a network gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Gives {
    /// Numbers.
    Columns(Vec<Field>),
    /// A token at every place of a sequence.
    Tokens(Vec<Field>),
    /// Arrays of these sizes; of classes of their places where the loss is of classes.
    Arrays(Field, Vec<usize>),
    /// One of these classes, in a column of this name.
    Classes(Arc<str>, Vec<String>),
    /// Nobody said.
    Nothing,
}

/// A trained network.
#[derive(Debug)]
pub struct ModelValue {
    /// Weights, history, and why it ended.
    pub trained: Trained,
    /// What it reads.
    pub reads: Vec<Reads>,
    /// What it gives.
    pub gives: Gives,
    /// What was minimised.
    pub loss: Loss,
    /// What it was judged by.
    pub metrics: Vec<&'static Metric>,
    /// The seed.
    pub seed: u64,
    /// Wall-clock seconds (shown apart, never part of a compared value).
    pub seconds: f64,
}

impl ModelValue {
    /// The network, with the layers that normalise.
    pub fn network(&self) -> &Layer {
        &self.trained.model.network
    }
}

/// The numbers of a column in SI; a fault where one is missing.
fn numbers_of(c: &Column, at: Span) -> Result<Vec<f64>> {
    if !c.is_numeric() {
        let kind = if matches!(c.values, Values::Label(_)) { "text" } else { c.kind() };
        let message = format!("expected a column of numbers, found {kind} in `{}`", c.name);
        return Err(fault_hint(6006, at, message, "inputs: [a, b]"));
    }
    all_there(c, at)?;
    Ok(c.si_values())
}

/// A fault where a value is missing.
fn all_there(c: &Column, at: Span) -> Result<()> {
    match (0..c.len()).find(|i| c.is_missing(*i)) {
        Some(row) => Err(lift(&DataError::MissingValue { name: c.name.to_string(), row }, at)),
        None => Ok(()),
    }
}

/// The arrays of a column of sizes `own`, in SI and in the shape that the network takes.
fn arrays_of(c: &Column, own: &[usize], sizes: &[usize], at: Span) -> Result<Stack> {
    let stack = c.arrays().filter(|s| s.sizes() == own).ok_or_else(|| {
        let found = c.arrays().map_or_else(|| c.kind().to_string(), |s| format!("arrays {}", s.shape()));
        let message = format!("expected arrays {own:?} in `{}` as in the training, found {found}", c.name);
        fault(6006, at, message)
    })?;
    all_there(c, at)?;
    let stack = match &c.unit {
        Some(unit) if !unit.is_one() => stack.map(|x| unit.to_si(x)),
        _ => stack.clone(),
    };
    let shape = stack.shape();
    stack.reshaped(sizes).ok_or_else(|| fault(6006, at, format!("expected arrays {sizes:?}, found {shape}")))
}

/// A whole number from 0 that stands for a token or a class.
fn token(x: f64, what: &str, at: Span) -> Result<u32> {
    if x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX) {
        return Ok(x as u32);
    }
    let message = format!("expected {what} (whole numbers from 0), found {x}");
    Err(fault_hint(6006, at, message, "inputs: [a, b]"))
}

/// The columns as one array.
fn array(d: &Dataset, reads: &Reads, at: Span) -> Result<Array> {
    if let (Some(own), [field]) = (&reads.arrays, reads.columns.as_slice()) {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        let stack = arrays_of(c, own, &reads.sizes, at)?;
        if !reads.tokens {
            return Ok(Array::of_stack(&field.name, &stack));
        }
        let all = stack.floats().into_iter().map(|x| token(x, "tokens", at));
        let values = Numbers::Index(all.collect::<Result<Vec<u32>>>()?);
        return Ok(Array::new(&field.name, &reads.sizes, values));
    }
    let mut columns = Vec::new();
    for field in &reads.columns {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        columns.push(numbers_of(c, at)?);
    }
    let rows = d.rows();
    let all = (0..rows).flat_map(|i| columns.iter().map(move |c| c[i]));
    let values = if reads.tokens {
        Numbers::Index(all.map(|x| token(x, "tokens", at)).collect::<Result<Vec<u32>>>()?)
    } else {
        Numbers::F64(all.collect())
    };
    let name = reads.columns.first().map_or("inputs", |f| &*f.name);
    let array = Array::new(name, &reads.sizes, values);
    Ok(if reads.sizes.len() == 1 {
        array.with_columns(reads.columns.iter().map(|f| &*f.name))
    } else {
        array
    })
}

/// The target as an array.
fn target(d: &Dataset, gives: &Gives, loss: &Loss, at: Span) -> Result<Option<Array>> {
    match gives {
        Gives::Nothing => Ok(None),
        Gives::Columns(fields) | Gives::Tokens(fields) => {
            let (sizes, tokens) = (vec![fields.len()], matches!(gives, Gives::Tokens(_)));
            let reads = Reads { columns: fields.clone(), sizes, tokens, arrays: None };
            array(d, &reads, at).map(Some)
        }
        Gives::Arrays(field, sizes) => {
            let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
            let stack = arrays_of(c, sizes, sizes, at)?;
            if loss.kind().target != TargetKind::Classes {
                return Ok(Some(Array::of_stack(&field.name, &stack)));
            }
            let all = stack.floats().into_iter().map(|x| token(x, "classes", at));
            let values = Numbers::Index(all.collect::<Result<Vec<u32>>>()?);
            Ok(Some(Array::new(&field.name, sizes, values)))
        }
        Gives::Classes(column, names) => {
            let c = d.column(column).map_err(|e| lift(&e, at))?;
            let words = super::regress::group_words(c);
            let mut labels = Vec::with_capacity(words.len());
            for (row, word) in words.iter().enumerate() {
                let Some(k) = names.iter().position(|n| n == word) else {
                    let message =
                        format!("expected a class of the training, found `{word}` in row {}", row + 1);
                    return Err(fault_hint(6006, at, message, format!("it has {}", names.join(", "))));
                };
                labels.push(k as u32);
            }
            // Yes and no are numbers to their loss.
            Ok(Some(match loss.kind().target {
                TargetKind::Flags => {
                    Array::new(column, &[1], Numbers::F64(labels.into_iter().map(f64::from).collect()))
                }
                _ => Array::new(column, &[], Numbers::Index(labels)),
            }))
        }
    }
}

/// The rows of a dataset as a network takes them, with the target for a loss.
fn taken(d: &Dataset, reads: &[Reads], gives: &Gives, loss: Option<&Loss>, at: Span) -> Result<Arrays> {
    let inputs = reads.iter().map(|r| array(d, r, at)).collect::<Result<Vec<_>>>()?;
    let target = loss.map(|loss| target(d, gives, loss, at)).transpose()?.flatten();
    let made = Arrays::new(inputs, target).map_err(|e| lift(&e, at))?;
    Ok(match gives {
        Gives::Classes(_, names) => made.with_classes(names.clone()),
        _ => made,
    })
}

/// The words of a `columns` argument.
fn words(args: &Args, name: &str) -> Result<Option<Vec<Arc<str>>>> {
    if !args.is_given(name) || args.get(name).is_none() {
        return Ok(None);
    }
    let word = |v: &Value| match v.plain() {
        Value::Text(t) => Ok(t.clone()),
        other => Err(args.wrong(name, "names of columns", other)),
    };
    args.list(name)?.iter().map(word).collect::<Result<Vec<_>>>().map(Some)
}

fn count(args: &Args, name: &str) -> Result<Option<u64>> {
    if args.get(name).is_none() {
        return Ok(None);
    }
    let n = args.integer(name)?;
    u64::try_from(n).map(Some).map_err(|_| {
        fault(6006, args.span_of(name), format!("`{name}` expects a number of at least 0, found {n}"))
    })
}

fn number(args: &Args, name: &str) -> Result<Option<f64>> {
    args.get(name).map(|_| args.real(name)).transpose()
}

/// The parts of the data: to train on, to validate with.
struct Parts {
    /// The rows, or the first of those that a function makes.
    train: Arc<Dataset>,
    /// The function, and how many rows of it are an epoch.
    made: Option<(Function, usize)>,
    validation: Option<Arc<Dataset>>,
}

fn parts(context: &mut Context, args: &Args) -> Result<Parts> {
    let at = args.span_of("data");
    let value = args.value("data")?.plain().clone();
    let (train, validation) = match &value {
        Value::Record(r) => match r.get("train") {
            Some(train) => (train.plain().clone(), r.get("validation").map(Value::plain)),
            None => {
                return Err(fault_hint(
                    6006,
                    at,
                    "expected a dataset or a record {train, validation, test} of datasets, found a record without `train`",
                    "split(d, train: 0.8)",
                ));
            }
        },
        _ => (value.clone(), None),
    };
    let validation = match validation {
        Some(Value::Dataset(d)) => Some(d.clone()).filter(|d| d.rows() > 0),
        _ => None,
    };
    let rows = count(args, "rows")?;
    match (train, rows) {
        (Value::Dataset(train), None) => Ok(Parts { train, made: None, validation }),
        (Value::Dataset(_), Some(_)) => {
            let message = "`rows` is for a function that makes rows, found a dataset";
            Err(fault_hint(6006, args.span_of("rows"), message, "train(net, f) { rows: 1000 }"))
        }
        (Value::Function(f), Some(n)) if n > 0 => {
            let given = ["weights", "augment", "balanced"].into_iter().find(|o| args.is_given(o));
            if let Some(option) = given {
                let message = format!("`{option}` needs a dataset, found a function that makes rows");
                let hint = "let the function make what it changes: f(k) = {x: noisy(k), y: k}";
                return Err(fault_hint(6006, args.span_of(option), message, hint));
            }
            if args.real("validation")? > 0.0 {
                let message = "expected rows to validate with beside a function, found a share";
                let hint = "train(net, {train: f, validation: d}) { rows: 1000 }";
                return Err(fault_hint(6006, args.span_of("validation"), message, hint));
            }
            let head = generated::head(context, &f, n as usize, at)?;
            Ok(Parts { train: Arc::new(head), made: Some((f, n as usize)), validation })
        }
        (Value::Function(_), _) => {
            let message = "expected the rows of an epoch beside a function that makes them, found none";
            Err(fault_hint(6004, at, message, "train(net, f) { rows: 1000 }"))
        }
        (other, _) => {
            Err(args.wrong("data", "a dataset, the record of a split, or a function of the row", &other))
        }
    }
}

/// Whether a law stands in the network.
fn holds_law(layer: &Layer) -> bool {
    layer.kind().name == "formula" || layer.inner().iter().any(holds_law)
}

/// Whether an input is one of tokens: the layer that takes it says so.
fn takes_tokens(layer: &Layer, input: usize) -> bool {
    let inner = layer.inner();
    match layer.kind().name {
        "chain" if input == 0 => inner.first().is_some_and(|l| takes_tokens(l, 0)),
        "chain" => inner.iter().any(|l| takes_tokens(l, input)),
        "conditioned" if input == 0 => inner.get(1).is_some_and(|l| takes_tokens(l, 0)),
        "conditioned" => inner.first().is_some_and(|l| takes_tokens(l, input - 1)),
        _ => input == 0 && layer.kind().traits.tokens,
    }
}

fn train(context: &mut Context, args: &Args) -> Result<Value> {
    let started = Instant::now();
    let at = args.span_of("data");
    let parts = parts(context, args)?;
    let d = &parts.train;
    let given = args.value("network")?;
    let before = match given.plain() {
        Value::Model(m) => Some(m.clone()),
        _ => None,
    };
    let own = networks::network(given, args.span_of("network"))?;
    // What it gives.
    let last = || {
        let declared = d.columns().iter().find(|c| c.role == Role::Target).map(|c| c.name.clone());
        declared.or_else(|| d.columns().iter().rev().find(|c| c.role != Role::Error).map(|c| c.name.clone()))
    };
    let targets = match words(args, "target")? {
        Some(names) => names,
        None => match &before {
            Some(m) => match &m.gives {
                Gives::Columns(fields) | Gives::Tokens(fields) => {
                    fields.iter().map(|f| f.name.clone()).collect()
                }
                Gives::Arrays(field, _) => vec![field.name.clone()],
                Gives::Classes(name, _) => vec![name.clone()],
                Gives::Nothing => Vec::new(),
            },
            None => last().into_iter().collect(),
        },
    };
    let mut columns = Vec::new();
    for name in &targets {
        columns.push(d.column(name).map_err(|e| lift(&e, args.span_of("target")))?.clone());
    }
    let given_loss = match args.get("loss") {
        None => None,
        Some(v) => match networks::part_of(v, args.span_of("loss"))? {
            Part::Loss(loss) => Some(loss),
            other => {
                let message = format!("`loss` expects a loss, found an {}", other.kind_name());
                return Err(fault_hint(6006, args.span_of("loss"), message, "loss: mse"));
            }
        },
    };
    let wants_classes = given_loss
        .as_ref()
        .is_some_and(|l| matches!(l.kind().target, TargetKind::Classes | TargetKind::Flags));
    let label = columns.iter().position(|c| matches!(c.values, Values::Label(_)));
    let gives = match (&before, columns.as_slice()) {
        (Some(m), _) if !args.is_given("target") => m.gives.clone(),
        (_, [c]) if let Some(stack) = c.arrays() => Gives::Arrays(Field::of(c), stack.sizes().to_vec()),
        (_, all) if let Some(c) = all.iter().find(|c| c.arrays().is_some()) => {
            let message =
                format!("expected one column of arrays as the target, found `{}` beside others", c.name);
            return Err(fault_hint(6006, args.span_of("target"), message, format!("target: {}", c.name)));
        }
        (_, [c]) if wants_classes || label.is_some() => {
            let mut names: Vec<String> = Vec::new();
            for word in super::regress::group_words(c) {
                if !names.contains(&word) {
                    names.push(word);
                }
            }
            // Numbers in their order, words in that of the alphabet: the same classes whatever the order of rows.
            match c.values {
                Values::Label(_) => names.sort(),
                _ => names.sort_by(|a, b| {
                    let value = |s: &String| s.parse::<f64>().unwrap_or(f64::NAN);
                    value(a).total_cmp(&value(b))
                }),
            }
            Gives::Classes(c.name.clone(), names)
        }
        (_, []) => Gives::Nothing,
        (_, all) => match label {
            Some(k) => {
                let message = format!(
                    "expected targets that are numbers, or one column of classes, found the text `{}` among them",
                    all[k].name
                );
                return Err(fault_hint(
                    6006,
                    args.span_of("target"),
                    message,
                    format!("target: {}", all[k].name),
                ));
            }
            None if wants_classes => Gives::Tokens(all.iter().map(|c| Field::of(c)).collect()),
            None => Gives::Columns(all.iter().map(|c| Field::of(c)).collect()),
        },
    };
    let loss = match given_loss {
        Some(loss) => loss,
        None => match &before {
            Some(m) if !args.is_given("target") => m.loss.clone(),
            _ => {
                let name = if matches!(gives, Gives::Classes(..)) { "cross_entropy" } else { "mse" };
                Loss::new(name, &[]).map_err(|e| lift(&e, args.span))?
            }
        },
    };
    // What it reads.
    let weights = match &*args.word("weights")? {
        "none" => None,
        word => Some(d.numbers(word).map_err(|e| lift(&e, args.span_of("weights")))?.clone()),
    };
    let reads = match &before {
        Some(m) if !args.is_given("inputs") => m.reads.clone(),
        _ => {
            let second = words(args, "second")?.unwrap_or_default();
            let free = |c: &Column| {
                !targets.contains(&c.name)
                    && !second.contains(&c.name)
                    && weights.as_ref().is_none_or(|w| w.name != c.name)
                    && c.role != Role::Error
                    && (c.is_numeric() || c.arrays().is_some())
            };
            let first = match words(args, "inputs")? {
                Some(names) => names,
                None => d.columns().iter().filter(|c| free(c)).map(|c| c.name.clone()).collect(),
            };
            if first.is_empty() {
                let message = "expected columns of numbers or arrays beside the target, found none";
                return Err(fault_hint(6006, at, message, "inputs: [a, b]"));
            }
            let mut all: Vec<Reads> = Vec::new();
            for (option, names) in [("inputs", first), ("second", second)] {
                all.extend(inputs(d, &names, args.span_of(option))?);
            }
            for (k, r) in all.iter_mut().enumerate() {
                r.tokens = takes_tokens(&own, k);
            }
            if let Some(r) = all.first_mut().filter(|_| args.get("shape").is_some()) {
                r.sizes = shape(args, r)?;
            }
            all
        }
    };
    let arrays = |d: &Dataset, at: Span| taken(d, &reads, &gives, Some(&loss), at);
    let mut rows = arrays(d, at)?;
    let made = parts.made.as_ref().map(|(f, n)| {
        let (reads, gives, loss) = (reads.clone(), gives.clone(), loss.clone());
        let take = Box::new(move |d: &Dataset| taken(d, &reads, &gives, Some(&loss), at));
        Generated::new(context, f, *n, at, &rows, take)
    });
    if let Some(w) = &weights {
        rows = rows.with_weights(w.si_values()).map_err(|e| lift(&e, args.span_of("weights")))?;
    }
    let seed = seed(context, args)?;
    let streams = Streams::new(seed);
    let share = args.real("validation")?;
    let (mut rows, validation) = match &parts.validation {
        Some(v) => (rows, Some(arrays(v, at)?)),
        None if share > 0.0 => {
            let (rest, held) =
                rows.split(share, streams).map_err(|e| lift(&e, args.span_of("validation")))?;
            (rest, Some(held))
        }
        None => (rows, None),
    };
    let mut augments = Vec::new();
    for v in args.list("augment")?.iter() {
        match networks::part_of(v, args.span_of("augment"))? {
            Part::Augment(a) => augments.push(a),
            other => {
                let message = format!("`augment` expects augmentations, found a {}", other.kind_name());
                return Err(fault_hint(6006, args.span_of("augment"), message, "augment: [quarter_turns]"));
            }
        }
    }
    let mut loss = loss;
    if args.boolean("balanced")? {
        let Gives::Classes(_, names) = &gives else {
            let message = "expected classes for `balanced`, found a target of numbers";
            return Err(fault_hint(6006, args.span_of("balanced"), message, "weights: w"));
        };
        loss = loss
            .with_class_weights(rows.balanced(names.len()))
            .map_err(|e| lift(&e, args.span_of("balanced")))?;
    }
    // The network.
    let model = match &before {
        Some(m) => m.trained.model.copy().map_err(|e| lift(&e, args.span_of("network")))?,
        None => {
            let laws = holds_law(&own);
            if laws && args.is_given("normalise") && args.boolean("normalise")? {
                let message = "expected physical numbers for a law in the network, found `normalise: true`";
                let hint = "normalise: false, and normalise(mean, deviation) before other layers";
                return Err(fault_hint(6006, args.span_of("normalise"), message, hint));
            }
            let whole = if args.boolean("normalise")? && !laws {
                normalised(&own, d, &reads, &gives, &loss, at)?
            } else {
                own.clone()
            };
            let precision =
                if &*args.word("precision")? == "double" { Precision::F64 } else { Precision::F32 };
            let shapes: Vec<Shape> = reads.iter().map(|r| Shape::new(&r.sizes)).collect();
            Model::new(&whole, &shapes, precision, streams).map_err(|e| lift(&e, args.span_of("network")))?
        }
    };
    rows = rows.with_augments(augments).map_err(|e| lift(&e, args.span_of("augment")))?;
    let metrics = metrics(args, &gives, &loss)?;
    let objective =
        Supervised::new(loss.clone(), metrics.clone()).map_err(|e| lift(&e, args.span_of("loss")))?;
    let mut plan = plan(args, seed)?;
    // The batch that nobody asked for is no larger than the data.
    if !args.is_given("batch") && made.is_none() {
        plan.batch = plan.batch.map(|n| n.min(rows.len()));
    }
    let watch = Watch {
        events: &context.events,
        name: context.binding.as_deref(),
        checkpoints: context.checkpoints.as_deref(),
        cancel: &context.cancel,
    };
    let data = Data {
        train: made.as_ref().map_or(&rows as &dyn Source, |m| m as &dyn Source),
        validation: validation.as_ref().map(|v| v as &dyn Source),
    };
    let trained = use_of::in_pool(context.threads, || train::train(model, &objective, data, &plan, watch))
        .map_err(|e| lift(&e, args.span))?;
    if let Ended::Diverged(what) = &trained.ended {
        let message = format!("{what}; the last good weights are kept");
        context.notify(Diagnostic::warning(Code(4257), args.span, message));
    }
    let seconds = started.elapsed().as_secs_f64();
    let model = ModelValue { trained, reads, gives, loss, metrics, seed, seconds };
    let model = Arc::new(model);
    context.events.send(Event::Finding(Arc::new(finding(context, &model))));
    Ok(Value::Model(model))
}

/// The inputs that columns make: every column of arrays is one, the columns of numbers are one together, at the place of the
/// first of them.
fn inputs(d: &Dataset, names: &[Arc<str>], at: Span) -> Result<Vec<Reads>> {
    let mut all: Vec<Reads> = Vec::new();
    for name in names {
        let c = d.column(name).map_err(|e| lift(&e, at))?;
        match (c.arrays(), all.iter_mut().find(|r| r.arrays.is_none())) {
            (Some(stack), _) => {
                let sizes = stack.sizes().to_vec();
                let arrays = Some(sizes.clone());
                all.push(Reads { columns: vec![Field::of(c)], sizes, tokens: false, arrays });
            }
            (None, Some(numbers)) => numbers.columns.push(Field::of(c)),
            (None, None) => {
                let columns = vec![Field::of(c)];
                all.push(Reads { columns, sizes: Vec::new(), tokens: false, arrays: None });
            }
        }
    }
    all.iter_mut().filter(|r| r.arrays.is_none()).for_each(|r| r.sizes = vec![r.columns.len()]);
    Ok(all)
}

/// The sizes that `shape` asks for: as many numbers as a row of the input has.
fn shape(args: &Args, reads: &Reads) -> Result<Vec<usize>> {
    let mut sizes = Vec::new();
    for v in args.list("shape")?.iter() {
        match v.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0) {
            Some(n) => sizes.push(n),
            None => return Err(args.wrong("shape", "a list of sizes", v)),
        }
    }
    let product: usize = sizes.iter().product();
    let wanted: usize = reads.sizes.iter().product();
    if product != wanted || sizes.is_empty() {
        let (why, hint) = match (&reads.arrays, reads.columns.first()) {
            (Some(own), Some(field)) => {
                (format!("{wanted} numbers (those of `{}` {own:?})", field.name), format!("shape: {own:?}"))
            }
            _ => (format!("{wanted} numbers (one a column)"), format!("shape: [1, {wanted}]")),
        };
        let message = format!("expected a shape of {why}, found {sizes:?} with {product}");
        return Err(fault_hint(6006, args.span_of("shape"), message, hint));
    }
    Ok(sizes)
}

/// Mean and deviation of every feature of rows of these sizes: of a channel of images, of a column of numbers. A
/// deviation that is nothing but rounding counts as 1.
fn moments(array: &Array, sizes: &[usize]) -> (Vec<f64>, Vec<f64>) {
    let shape = Shape::new(sizes);
    let features = shape.features().max(1);
    // From one number of a feature to the next feature.
    let step: usize = sizes.get(shape.feature_axis() + 1..).unwrap_or(&[]).iter().product();
    let sums = |number: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; features];
        for (i, x) in array.numbers().enumerate() {
            let f = i / step % features;
            sums[f] += number(f, x);
        }
        sums
    };
    let counts = sums(&|_, _| 1.0);
    let means: Vec<f64> = sums(&|_, x| x).iter().zip(&counts).map(|(s, n)| s / n.max(1.0)).collect();
    let squares = sums(&|f, x| (x - means[f]).powi(2));
    let of = |f: usize| {
        let deviation = (squares[f] / (counts[f] - 1.0).max(1.0)).sqrt();
        let whole = deviation > 1e-12 * means[f].abs() && deviation.is_finite();
        if whole { deviation } else { 1.0 }
    };
    let deviations = (0..features).map(of).collect();
    (means, deviations)
}

/// The network between layers that take off means and divide by deviations of the training rows, and give them back.
fn normalised(
    own: &Layer,
    d: &Dataset,
    reads: &[Reads],
    gives: &Gives,
    loss: &Loss,
    at: Span,
) -> Result<Layer> {
    let make = |name: &str, options: &[(&str, Setting)]| {
        Layer::new(name, options, Vec::new()).map_err(|e| lift(&e, at))
    };
    let mut layers = Vec::new();
    match reads.first() {
        // A layer that normalises takes up to three axes.
        Some(r) if !r.tokens && r.sizes.len() <= 3 => {
            let (means, deviations) = moments(&array(d, r, at)?, &r.sizes);
            let list = |x: Vec<f64>| if x.len() == 1 { Setting::Real(x[0]) } else { Setting::List(x) };
            layers.push(make("normalise", &[("mean", list(means)), ("deviation", list(deviations))])?);
        }
        _ => {}
    }
    layers.push(own.clone());
    let scaled =
        matches!(gives, Gives::Columns(_) | Gives::Arrays(..)) && loss.kind().target == TargetKind::Values;
    if scaled
        && !matches!(gives, Gives::Arrays(_, sizes) if sizes.len() > 3)
        && loss.kind().name != "poisson_nll"
        && let Some(numbers) = target(d, gives, loss, at)?
    {
        let (means, deviations) = moments(&numbers, numbers.sizes());
        let list = |x: Vec<f64>| if x.len() == 1 { Setting::Real(x[0]) } else { Setting::List(x) };
        layers.push(make("scale", &[("factor", list(deviations)), ("shift", list(means))])?);
    }
    if layers.len() == 1 { Ok(layers.swap_remove(0)) } else { Layer::chain(layers).map_err(|e| lift(&e, at)) }
}

fn metrics(args: &Args, gives: &Gives, loss: &Loss) -> Result<Vec<&'static Metric>> {
    let at = args.span_of("metrics");
    if args.get("metrics").is_none() {
        let names: &[&str] = match gives {
            Gives::Nothing => &[],
            _ if is_of_classes(gives, loss) => &["accuracy"],
            _ => &["rmse", "r2"],
        };
        return Ok(METRICS.iter().filter(|m| names.contains(&m.name)).collect());
    }
    let mut found = Vec::new();
    for v in args.list("metrics")?.iter() {
        let Value::Text(name) = v.plain() else { return Err(args.wrong("metrics", "names of metrics", v)) };
        found.push(metric(name).map_err(|e| lift(&e, at))?);
    }
    Ok(found)
}

fn plan(args: &Args, seed: u64) -> Result<Plan> {
    let optimiser: Optimiser = match networks::part_of(args.value("optimizer")?, args.span_of("optimizer"))? {
        Part::Optimiser(o) => o,
        other => {
            let message = format!("`optimizer` expects an optimizer, found a {}", other.kind_name());
            return Err(fault_hint(6006, args.span_of("optimizer"), message, "optimizer: adam"));
        }
    };
    let schedule: Schedule = match networks::part_of(args.value("schedule")?, args.span_of("schedule"))? {
        Part::Schedule(s) => s,
        other => {
            let message = format!("`schedule` expects a schedule, found an {}", other.kind_name());
            return Err(fault_hint(6006, args.span_of("schedule"), message, "schedule: cosine"));
        }
    };
    let (epochs, steps) = (count(args, "epochs")?, count(args, "steps")?);
    let length = match (epochs, steps) {
        (Some(_), Some(_)) => {
            let message = "expected `epochs` or `steps`, found both";
            return Err(fault_hint(6006, args.span_of("steps"), message, "leave one out"));
        }
        (_, Some(n)) => Length::Steps(n),
        (n, None) => Length::Epochs(n.unwrap_or(EPOCHS)),
    };
    let by_gradient = optimiser.kind().needs == Needs::Gradient;
    let mut plan = Plan::new(optimiser, length);
    plan.schedule = schedule;
    plan.batch = match count(args, "batch")? {
        Some(n) => Some(n as usize),
        None => by_gradient.then_some(BATCH),
    };
    plan.patience = count(args, "patience")?;
    plan.goal = number(args, "goal")?;
    plan.clip = number(args, "clip")?;
    plan.average = match (number(args, "average")?, count(args, "average_from")?) {
        (Some(decay), None) => Average::Exponential { decay },
        (None, Some(from)) => Average::Stochastic { from },
        (None, None) => Average::None,
        (Some(_), Some(_)) => {
            let message = "expected `average` or `average_from`, found both";
            return Err(fault_hint(6006, args.span_of("average_from"), message, "leave one out"));
        }
    };
    plan.seed = seed;
    plan.work = count(args, "work")?;
    plan.time = number(args, "time")?;
    Ok(plan)
}

/// What listeners are told of a model.
fn finding(context: &Context, model: &Arc<ModelValue>) -> Finding {
    let mut figures = Vec::new();
    if let Some(loss) = model.trained.best_loss {
        figures.push(("loss", loss));
    }
    if let Some(record) = model.trained.history.iter().find(|r| r.epoch == model.trained.best_epoch) {
        figures.extend(model.metrics.iter().zip(&record.metrics).map(|(m, x)| (m.name, *x)));
    }
    Finding {
        task: "train".into(),
        name: context.binding.as_ref().map(|n| n.to_string()),
        text: crate::language::render::line(&Value::Model(model.clone()), &context.style),
        target: match &model.gives {
            Gives::Columns(fields) | Gives::Tokens(fields) => {
                fields.iter().map(|f| &*f.name).collect::<Vec<_>>().join(", ")
            }
            Gives::Arrays(field, _) => field.name.to_string(),
            Gives::Classes(name, _) => name.to_string(),
            Gives::Nothing => String::new(),
        },
        laws: Vec::new(),
        figures,
        stopped: match &model.trained.ended {
            Ended::Stopped(reason) => Some(*reason),
            Ended::Diverged(_) => None,
        },
        seed: model.seed,
        resumed: model.trained.resumed,
        part: None,
    }
}

fn model_of(args: &Args) -> Result<Arc<ModelValue>> {
    match args.value("model")?.plain() {
        Value::Model(m) => Ok(m.clone()),
        other => Err(args.wrong("model", "a trained network", other)),
    }
}

/// The rows of a dataset as the model reads them.
fn rows_of(m: &ModelValue, d: &Dataset, with_target: bool, at: Span) -> Result<Arrays> {
    taken(d, &m.reads, &m.gives, with_target.then_some(&m.loss), at)
}

fn evaluate(context: &mut Context, args: &Args) -> Result<Value> {
    let m = model_of(args)?;
    let d = args.dataset("data")?;
    let at = args.span_of("data");
    let rows = rows_of(&m, &d, true, at)?;
    let objective = Supervised::new(m.loss.clone(), METRICS.iter().filter(|k| fits(k, &m)).collect())
        .map_err(|e| lift(&e, at))?;
    let (loss, values) =
        use_of::in_pool(context.threads, || use_of::evaluate(&m.trained.model, &objective, &rows, AT_ONCE))
            .map_err(|e| lift(&e, at))?;
    let value = |x: f64| Value::Expr(Expr::float(x));
    let mut entries = vec![(Name::from("loss"), value(loss))];
    let names = METRICS.iter().filter(|k| fits(k, &m)).map(|k| Name::from(k.name));
    entries.extend(names.zip(values.into_iter().map(value)));
    Ok(Value::Record(Arc::new(Record { entries })))
}

/// Whether a metric is one of what the model gives.
fn fits(metric: &Metric, m: &ModelValue) -> bool {
    metric.classes == is_of_classes(&m.gives, &m.loss)
}

/// Whether what is given are classes: of rows, or of the places of arrays.
fn is_of_classes(gives: &Gives, loss: &Loss) -> bool {
    let classes = matches!(loss.kind().target, TargetKind::Classes | TargetKind::Flags);
    matches!(gives, Gives::Classes(..) | Gives::Tokens(_)) || classes && matches!(gives, Gives::Arrays(..))
}

/// What a model gives for the rows of a dataset: a column of numbers, arrays or classes, a dataset where it gives several
/// numbers.
pub fn predict(context: &Context, m: &ModelValue, d: &Dataset, at: Span) -> Result<Value> {
    let rows = rows_of(m, d, false, at)?;
    let found = use_of::in_pool(context.threads, || use_of::outputs(&m.trained.model, &rows, AT_ONCE))
        .map_err(|e| lift(&e, at))?;
    let width = found.len() / d.rows().max(1);
    if let Gives::Classes(name, names) = &m.gives {
        let label = |row: &[f64]| -> Arc<str> {
            let best = match row {
                [one] => usize::from(*one > 0.0),
                _ => (0..row.len()).fold(0, |b, k| if row[k] > row[b] { k } else { b }),
            };
            names.get(best).map_or("", String::as_str).into()
        };
        let labels = found.chunks(width.max(1)).map(label).collect();
        return Ok(Value::Column(Arc::new(Column::new(name, None, Values::Label(labels)))));
    }
    if let Gives::Tokens(fields) = &m.gives {
        // The likeliest token at every place.
        let places = fields.len();
        let many = width / places.max(1);
        let best = |row: &[f64]| (0..row.len()).fold(0, |b, k| if row[k] > row[b] { k } else { b }) as i64;
        let tokens: Vec<i64> = found.chunks(many.max(1)).map(best).collect();
        let column = |(k, f): (usize, &Field)| {
            let values = tokens.iter().skip(k).step_by(places.max(1)).copied().collect();
            Column::new(&f.name, None, Values::Integer(values))
        };
        let d = Dataset::new("predicted", fields.iter().enumerate().map(column).collect());
        return Ok(Value::Dataset(Arc::new(d.map_err(|e| lift(&e, at))?)));
    }
    let output = m.trained.model.output.sizes();
    let field = match &m.gives {
        Gives::Arrays(field, _) => Some(field.clone()),
        Gives::Nothing if output.len() > 1 => Some(Field { name: "y".into(), unit: None }),
        _ => None,
    };
    if let Some(field) = field {
        let places = m.loss.kind().target == TargetKind::Classes && matches!(m.gives, Gives::Arrays(..));
        let stack = if places { answers(&found, output) } else { Stack::new(output, found) };
        let stack = stack.ok_or_else(|| fault(6006, at, "expected a network that gives numbers"))?;
        let unit = field.unit.clone().filter(|u| !u.is_one());
        let stack = unit.as_ref().map_or_else(|| stack.clone(), |u| stack.map(|x| u.from_si(x)));
        return Ok(Value::Column(Arc::new(Column::new(&field.name, field.unit, Values::Array(stack)))));
    }
    let fields = match &m.gives {
        Gives::Columns(fields) => fields.clone(),
        _ => Vec::new(),
    };
    let column = |k: usize| {
        let own = fields.get(k);
        let name = own.map_or_else(|| format!("y{k}"), |f| f.name.to_string());
        let unit = own.and_then(|f| f.unit.clone());
        let values = found.iter().skip(k).step_by(width.max(1));
        let values = values.map(|x| unit.as_ref().map_or(*x, |u| u.from_si(*x))).collect();
        Column::floats(&name, unit, values)
    };
    if width == 1 {
        return Ok(Value::Column(Arc::new(column(0))));
    }
    let d = Dataset::new("predicted", (0..width).map(column).collect()).map_err(|e| lift(&e, at))?;
    Ok(Value::Dataset(Arc::new(d)))
}

/// For every place of arrays of logits the class with the greatest: the classes are the first axis of an image, else the last.
fn answers(logits: &[f64], sizes: &[usize]) -> Option<Stack> {
    let shape = Shape::new(sizes);
    let (classes, axis) = (shape.features(), shape.feature_axis());
    let mut places = sizes.to_vec();
    places.remove(axis);
    let step: usize = sizes[axis + 1..].iter().product();
    let outer = logits.len().checked_div(classes * step)?;
    let best = |(o, p): (usize, usize)| {
        let at = |k: usize| logits[(o * classes + k) * step + p];
        (0..classes).fold(0, |b, k| if at(k) > at(b) { k } else { b }) as f64
    };
    let all = (0..outer).flat_map(|o| (0..step).map(move |p| (o, p)));
    Stack::new(&places, all.map(best).collect::<Vec<f64>>())
}

fn summarise(_: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("network");
    let value = args.value("network")?;
    let rows = match value.plain() {
        Value::Model(m) => m.trained.model.summary(),
        _ => {
            let network = networks::network(value, at)?;
            let mut shapes = Vec::new();
            let inputs = args.list("input")?;
            if inputs.is_empty() {
                let message = "expected the sizes of an input, found none";
                return Err(fault_hint(6006, args.span, message, "summary(net, input: [3, 32, 32])"));
            }
            let nested = inputs.iter().all(|v| matches!(v.plain(), Value::List(_)));
            let lists: Vec<Value> = if nested { inputs.to_vec() } else { vec![Value::List(inputs)] };
            for list in lists {
                let items = crate::language::operations::as_list(&list).unwrap_or_default();
                let size = |v: &Value| {
                    let n = v.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok());
                    n.filter(|n| *n > 0).ok_or_else(|| args.wrong("input", "sizes", v))
                };
                let sizes: Vec<usize> = items.iter().map(size).collect::<Result<_>>()?;
                shapes.push(Shape::new(&sizes));
            }
            summary(&network, &shapes).map_err(|e| lift(&e, at))?
        }
    };
    let labels = |f: &dyn Fn(&crate::networks::SummaryRow) -> String| {
        Values::Label(rows.iter().map(|r| Arc::from(f(r).as_str())).collect())
    };
    let columns = vec![
        Column::new("layer", None, labels(&|r| format!("{}{}", "  ".repeat(r.depth), r.layer))),
        Column::new("output", None, labels(&|r| r.output.to_string())),
        Column::new("parameters", None, Values::Integer(rows.iter().map(|r| r.parameters as i64).collect())),
        Column::new(
            "multiply_adds",
            None,
            Values::Integer(rows.iter().map(|r| r.multiply_adds as i64).collect()),
        ),
    ];
    let table = Dataset::new("summary", columns).map_err(|e| lift(&e, at))?;
    Ok(Value::Dataset(Arc::new(table)))
}

/// A trained network of analytic layers as expressions of its columns; one where it gives one number.
fn written(_: &mut Context, args: &Args) -> Result<Value> {
    let m = model_of(args)?;
    if m.reads.iter().any(|r| r.arrays.is_some()) || matches!(m.gives, Gives::Arrays(..)) {
        let message = "expected a network of columns of numbers for an expression, found one of arrays";
        return Err(fault_hint(6006, args.span_of("model"), message, "predict(model, data)"));
    }
    // A network computes with numbers in SI.
    let unit = |f: &Field| f.unit.as_ref().map(|u| Unit::coherent(u.dimension())).filter(|u| !u.is_one());
    let pure = |f: &Field| {
        let symbol = Expr::symbol(Symbol::new(&f.name));
        unit(f).map_or(symbol.clone(), |u| symbol * Expr::unit(u).recip())
    };
    let inputs: Vec<Vec<Expr>> = m.reads.iter().map(|r| r.columns.iter().map(pure).collect()).collect();
    let found = symbolic::symbolic(&m.trained.model, &inputs).map_err(|e| lift(&e, args.span_of("model")))?;
    let fields = match &m.gives {
        Gives::Columns(fields) => fields.clone(),
        _ => Vec::new(),
    };
    let mut all: Vec<Value> = found
        .into_iter()
        .enumerate()
        .map(|(k, e)| match fields.get(k).and_then(unit) {
            Some(u) => Value::Expr(e * Expr::unit(u)),
            None => Value::Expr(e),
        })
        .collect();
    Ok(if all.len() == 1 { all.swap_remove(0) } else { Value::list(all) })
}

fn generate(context: &mut Context, args: &Args) -> Result<Value> {
    let m = model_of(args)?;
    let d = args.dataset("data")?;
    let at = args.span_of("data");
    let Some(source) = m.reads.get(1).filter(|r| r.tokens) else {
        let message = "expected a model whose second input is tokens, found another";
        return Err(fault_hint(
            6006,
            args.span_of("model"),
            message,
            "train(encoder_decoder(vocabulary: 20), d, second: [s0, s1])",
        ));
    };
    let mut columns = Vec::new();
    for f in &source.columns {
        columns.push(numbers_of(d.column(&f.name).map_err(|e| lift(&e, at))?, at)?);
    }
    let sources: Vec<Vec<u32>> =
        (0..d.rows()).map(|k| columns.iter().map(|c| c[k] as u32).collect()).collect();
    let token = |name: &str| -> Result<u32> {
        let n = args.integer(name)?;
        u32::try_from(n).map_err(|_| {
            fault(6006, args.span_of(name), format!("expected a token of at least 0, found {n}"))
        })
    };
    let temperature = args.real("temperature")?;
    let choice = match count(args, "top")? {
        _ if temperature < 0.0 => {
            let message = format!("expected a temperature of at least 0, found {temperature}");
            return Err(fault(6006, args.span_of("temperature"), message));
        }
        _ if temperature == 0.0 => Choice::Likeliest,
        top => Choice::Random { temperature, top: top.map(|n| n as usize) },
    };
    let (first, last, seed) = (token("first")?, token("last")?, seed(context, args)?);
    let found =
        use_of::in_pool(context.threads, || sequences(&m.trained.model, &sources, first, last, choice, seed));
    let row = |tokens: Vec<u32>| Value::list(tokens.into_iter().map(|t| Value::int(i64::from(t))).collect());
    Ok(Value::list(found.map_err(|e| lift(&e, at))?.into_iter().map(row).collect()))
}

/// A law as a layer: its inputs by name, in the order of the columns; all else that is no number are constants to train.
fn formula(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("law");
    let law = match args.value("law")?.plain() {
        Value::Front(f) => match f.chosen() {
            Some(c) => c.expr.clone(),
            None => return Err(fault_hint(6006, at, "expected a law, found an empty front", "found[0]")),
        },
        Value::Fit(f) => f.law(),
        other => crate::language::operations::expr_of(other, at)?,
    };
    let law = match law.kind() {
        Kind::Relation(Relation::Eq, _, right) => right.clone(),
        _ => law,
    };
    let inputs = words(args, "inputs")?.unwrap_or_default();
    let mut places: Vec<(Symbol, Expr)> = Vec::new();
    for (k, name) in inputs.iter().enumerate() {
        places.push((Symbol::new(name), Expr::symbol(layer::formula::input(k))));
    }
    let mut starts: Vec<f64> = Vec::new();
    for symbol in law.symbols().into_iter().filter(|s| !inputs.iter().any(|n| **n == *s.name())) {
        let Some(start) = context.declarations.get(&symbol).and_then(|d| d.start) else {
            let message = format!("expected an input or a `param` with a first value, found `{symbol}`");
            return Err(fault_hint(6006, at, message, format!("param {symbol} = 1")));
        };
        places.push((symbol, Expr::symbol(layer::formula::constant(starts.len()))));
        starts.push(start);
    }
    // Fitted constants are trained further; numbers with a unit are numbers in SI.
    let law = law.substitute(&places).transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => {
            starts.push(u.value());
            Expr::symbol(layer::formula::constant(starts.len() - 1))
        }
        Kind::Unit(u) => Expr::float(u.scale().to_f64()),
        _ => e,
    });
    let mut options = vec![("law", Setting::Text(render::expr(&law, &Style::exact())))];
    if !starts.is_empty() {
        options.push(("constants", Setting::List(starts)));
    }
    let made = Layer::new("formula", &options, Vec::new()).map_err(|e| lift(&e, at))?;
    Ok(Value::Network(Arc::new(made)))
}

/// The names of a model's members.
const MEMBERS: [&str; 12] = [
    "network",
    "loss",
    "history",
    "parameters",
    "epochs",
    "steps",
    "stopped",
    "seed",
    "classes",
    "inputs",
    "target",
    "best_epoch",
];

/// Members of a model.
pub fn model_member(m: &ModelValue, name: &str) -> (Option<Value>, Vec<String>) {
    let t = &m.trained;
    let number = |x: f64| Value::Expr(Expr::float(x));
    let texts = |all: &[String]| Value::list(all.iter().map(Value::text).collect());
    let value = match name {
        "network" => Some(Value::Network(Arc::new(m.network().clone()))),
        "loss" => t.best_loss.map(number),
        "history" => history(m).ok().map(|d| Value::Dataset(Arc::new(d))),
        "parameters" => Some(Value::int(t.model.parameters.count() as i64)),
        "epochs" => Some(Value::int(t.history.len() as i64)),
        "best_epoch" => Some(Value::int(t.best_epoch as i64)),
        "steps" => Some(Value::int(t.steps as i64)),
        "stopped" => Some(Value::text(t.ended.word())),
        "seed" => Some(Value::int(m.seed as i64)),
        "classes" => match &m.gives {
            Gives::Classes(_, names) => Some(texts(names)),
            _ => None,
        },
        "inputs" => {
            let all: Vec<String> =
                m.reads.iter().flat_map(|r| &r.columns).map(|f| f.name.to_string()).collect();
            Some(texts(&all))
        }
        "target" => match &m.gives {
            Gives::Columns(fields) | Gives::Tokens(fields) => {
                Some(texts(&fields.iter().map(|f| f.name.to_string()).collect::<Vec<_>>()))
            }
            Gives::Arrays(field, _) => Some(texts(&[field.name.to_string()])),
            Gives::Classes(name, _) => Some(texts(&[name.to_string()])),
            Gives::Nothing => None,
        },
        _ => None,
    };
    (value, MEMBERS.map(String::from).to_vec())
}

/// The epochs of a training as a table.
fn history(m: &ModelValue) -> std::result::Result<Dataset, DataError> {
    let rows = &m.trained.history;
    let floats = |name: &str, f: &dyn Fn(&train::Record) -> f64| {
        Column::floats(name, None, rows.iter().map(f).collect())
    };
    let mut columns = vec![
        Column::new("epoch", None, Values::Integer(rows.iter().map(|r| r.epoch as i64).collect())),
        floats("loss", &|r| r.loss),
    ];
    if rows.iter().any(|r| r.validation.is_some()) {
        columns.push(floats("validation_loss", &|r| r.validation.unwrap_or(f64::NAN)));
    }
    for (k, metric) in m.metrics.iter().enumerate() {
        columns.push(floats(metric.name, &|r| r.metrics.get(k).copied().unwrap_or(f64::NAN)));
    }
    columns.push(floats("rate", &|r| r.rate));
    Dataset::new("history", columns)
}

/// `model of 1 234 parameters: loss 0.0123 (validation 0.0140), 20 epochs, stopped: done`.
pub fn line(m: &ModelValue) -> String {
    let t = &m.trained;
    let loss = t.best_loss.map_or_else(|| "no loss".to_string(), |x| format!("loss {x:.4e}"));
    let on = if t.history.iter().any(|r| r.validation.is_some()) { "validation " } else { "" };
    let epochs = t.history.len();
    let record = t.history.iter().find(|r| r.epoch == t.best_epoch);
    let figures: String = record
        .map(|r| m.metrics.iter().zip(&r.metrics).map(|(k, x)| format!(", {} {x:.4}", k.name)).collect())
        .unwrap_or_default();
    format!(
        "model of {} parameters: {on}{loss}{figures} after {epochs} {}, stopped: {}, seed {}",
        t.model.parameters.count(),
        if epochs == 1 { "epoch" } else { "epochs" },
        t.ended.word(),
        m.seed
    )
}
