//! `train`, `evaluate`, `summary`, and what a trained network says: the language's side of `networks`. Columns become the
//! inputs in the order of the table (or of `inputs:`), as numbers in SI; a target of text is classes. `normalise` puts the
//! means and deviations of the training rows into the network itself, so that a model takes and gives physical numbers.
//! A column of arrays (images) is an input by itself, in its own shape, and may be the target of a network that gives images.

mod data;
mod laws;
mod layers;
mod members;
mod model;
mod network;
mod plan;
mod rows;
mod sequences;
mod task;

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
use crate::expression::{Expr, Function as ExprFunction, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Error, Result, fault, fault_hint, lift};
use crate::language::render;
use crate::language::value::{Function, Record, Value};
use crate::networks::data::{Array, Arrays, Augment, Source, Values as Numbers};
use crate::networks::generate::{Choice, generate as sequences};
use crate::networks::layer::{self, Layer, Setting};
use crate::networks::loss::{Loss, TargetKind};
use crate::networks::metric::{METRICS, Metric, metric};
use crate::networks::objective::{Objective, Supervised};
use crate::networks::optimise::{Average, Needs, Optimiser, Schedule};
use crate::networks::scaling::{Link, Scaling};
use crate::networks::train::{self, Data, Ended, Length, Plan, Trained, Watch};
use crate::networks::{Model, Precision, Shape, Varies, summary, symbolic, use_of};
use crate::syntax::tree::Name;
use crate::units::{Dimension, Unit};

use data::{Rows, parts};
use laws::formula;
use layers::summarise;
pub use members::{history_panel, line, model_member};
use model::{evaluate, is_of_classes, is_of_two, model_of, written};
pub use model::{predict, probabilities};
use network::begun;
use plan::{metrics, plan};
pub use rows::{Classes, Field, Gives, ModelValue, Reads};
use rows::{all_there, arrays_of, odd_cell, shape_of, taken, token};
use sequences::generate;
use task::{Start, Task};

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("train", train),
    ("evaluate", evaluate),
    ("summary", summarise),
    ("symbolic", written),
    ("formula", formula),
    ("generate", generate),
];

/// Rows that are computed at once where nothing is trained.
const AT_ONCE: usize = 256;

/// Reads what is asked for, trains, and tells what came of it.
fn train(context: &mut Context, args: &Args) -> Result<Value> {
    let started = Instant::now();
    let parts = parts(context, args)?;
    let start = Start::read(context, args)?;
    let task = Task::read(context, args, &start, &parts.train)?;
    let seed = seed(context, args)?;
    let streams = Streams::new(seed);
    let rows = Rows::read(context, args, &parts, &task, streams)?;
    let loss = task.balanced(args, &rows.train)?;
    let (model, scaling) = begun(context, args, &start, &task, &rows.train, streams)?;
    let metrics = metrics(args, &task.gives, &loss)?;
    let objective =
        Supervised::new(loss.clone(), metrics.clone()).map_err(|e| lift(&e, args.span_of("loss")))?;
    let objective = objective.with_scaling(scaling.clone());
    let plan = Plan { further: start.before.is_some(), ..plan(context, args, seed, &rows, &model)? };
    let watch = Watch {
        events: &context.events,
        name: context.binding.as_deref(),
        checkpoints: context.checkpoints.as_deref(),
        cancel: &context.cancel,
    };
    let trained =
        use_of::in_pool(context.threads, || train::train(model, &objective, rows.data(), &plan, watch))
            .map_err(|e| lift(&e, args.span))?;
    if let Ended::Diverged(what) = &trained.ended {
        if trained.steps == 0 {
            let message = format!("{what}, before anything was learned");
            return Err(fault_hint(
                4257,
                args.span,
                message,
                "optimizer: adam(rate: 1e-4), or precision: double",
            ));
        }
        let message = format!("{what}; the last good weights are kept");
        context.notify(Diagnostic::warning(Code(4257), args.span, message));
    }
    if let Ended::Failed { epoch, batch, message } = &trained.ended {
        let message = format!(
            "expected rows for batch {batch} of epoch {epoch}, found: {message}; what was learned before is kept"
        );
        context.notify(Diagnostic::warning(Code(4252), args.span, message));
    }
    let seconds = started.elapsed().as_secs_f64();
    let Task { reads, gives, .. } = task;
    let model = Arc::new(ModelValue { trained, reads, gives, loss, scaling, metrics, seed, seconds });
    context.events.send(Event::Finding(Arc::new(finding(context, &model))));
    Ok(Value::Model(model))
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
        target: model.gives.columns().join(", "),
        laws: Vec::new(),
        figures,
        stopped: match &model.trained.ended {
            Ended::Stopped(reason) => Some(*reason),
            Ended::Diverged(_) | Ended::Failed { .. } => None,
        },
        seed: model.seed,
        resumed: model.trained.resumed,
        part: None,
    }
}
