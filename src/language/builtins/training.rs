//! `train`, `evaluate`, `summary`, and what a trained network says: the language's side of `networks`. Columns become the
//! inputs in the order of the table (or of `inputs:`), as numbers in SI; a target of text is classes. `normalise` puts the
//! means and deviations of the training rows into the network itself, so that a model takes and gives physical numbers.
//! A column of arrays (images) is an input by itself, in its own shape, and may be the target of a network that gives images.

mod model;
mod rows;

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
use crate::networks::{Model, Precision, Shape, Varies, summary, symbolic, use_of};
use crate::syntax::tree::Name;
use crate::units::Unit;

use model::{evaluate, formula, generate, is_of_classes, summarise, written};
pub use model::{line, model_member, predict};
pub use rows::{Field, Gives, ModelValue, Reads};
use rows::{array, arrays_of, numbers_of, shape_of, taken, target, token};

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
        (_, [c]) if let Some(stack) = c.arrays() => Gives::Arrays(Field::of(c), shape_of(stack)),
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
                // Numbers of which rows have more or fewer are a sequence of one feature.
                if r.sizes.varies().is_some() && r.sizes.rank() == 1 && !r.tokens {
                    r.sizes = Shape::from([r.sizes.count(), 1]).varying(r.sizes.varies().copied());
                }
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
            let shapes: Vec<Shape> = reads.iter().map(|r| r.sizes.clone()).collect();
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
                let sizes = shape_of(stack);
                let arrays = Some(sizes.clone());
                all.push(Reads { columns: vec![Field::of(c)], sizes, tokens: false, arrays });
            }
            (None, Some(numbers)) => numbers.columns.push(Field::of(c)),
            (None, None) => {
                let columns = vec![Field::of(c)];
                all.push(Reads { columns, sizes: Shape::from([1]), tokens: false, arrays: None });
            }
        }
    }
    let numbers = all.iter_mut().filter(|r| r.arrays.is_none());
    numbers.for_each(|r| r.sizes = Shape::from([r.columns.len()]));
    Ok(all)
}

/// The sizes that `shape` asks for: as many numbers as a row of the input has.
fn shape(args: &Args, reads: &Reads) -> Result<Shape> {
    if reads.sizes.varies().is_some() {
        let message = format!("expected rows of one length for `shape`, found {}", reads.sizes);
        return Err(fault_hint(6006, args.span_of("shape"), message, "leave `shape` out"));
    }
    let mut sizes = Vec::new();
    for v in args.list("shape")?.iter() {
        match v.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0) {
            Some(n) => sizes.push(n),
            None => return Err(args.wrong("shape", "a list of sizes", v)),
        }
    }
    let product: usize = sizes.iter().product();
    let wanted = reads.sizes.count();
    if product != wanted || sizes.is_empty() {
        let (why, hint) = match (&reads.arrays, reads.columns.first()) {
            (Some(own), Some(field)) => {
                (format!("{wanted} numbers (those of `{}` {own})", field.name), format!("shape: {own}"))
            }
            _ => (format!("{wanted} numbers (one a column)"), format!("shape: [1, {wanted}]")),
        };
        let message = format!("expected a shape of {why}, found {sizes:?} with {product}");
        return Err(fault_hint(6006, args.span_of("shape"), message, hint));
    }
    Ok(Shape::new(&sizes))
}

/// Mean and deviation of every feature of rows of this shape: of a channel of images, of a column of numbers; of all numbers
/// where their first size varies and they are no sequence. A deviation that is nothing but rounding counts as 1.
fn moments(array: &Array, shape: &Shape) -> (Vec<f64>, Vec<f64>) {
    let together = shape.varies().is_some() && shape.rank() != 2;
    let features = if together { 1 } else { shape.features().max(1) };
    // From one number of a feature to the next feature.
    let step: usize = shape.sizes().get(shape.feature_axis() + 1..).unwrap_or(&[]).iter().product();
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
        Some(r) if !r.tokens && r.sizes.rank() <= 3 => {
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
        && !matches!(gives, Gives::Arrays(_, shape) if shape.rank() > 3)
        && loss.kind().name != "poisson_nll"
        && let Some(numbers) = target(d, gives, loss, at)?
    {
        let (means, deviations) = moments(&numbers, &numbers.shape(0));
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
