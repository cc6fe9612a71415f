//! Trained networks as files: safetensors with the weights, the network that they belong to, and what its numbers mean.

use serde_json::{Value as Json, json};

use super::Body;
use super::networks::Part;
use super::training::{Classes, Field, Gives, ModelValue, Reads};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::value::Value;
use crate::networks::metric::{METRICS, Metric};
use crate::networks::scaling::Scaling;
use crate::networks::train::{Ended, Trained};
use crate::networks::{Model, NetworkError, Shape, Varies};
use crate::units::{Catalogue, Unit};
use std::sync::Arc;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("load", load)];

fn field(f: &Field) -> Json {
    json!({"name": &*f.name, "unit": f.unit.as_ref().map(Unit::to_string)})
}

/// Sizes as a list; behind a word where the first varies.
fn shape(s: &Shape) -> Json {
    if s.varies().is_some() { json!({"varying": s.sizes()}) } else { json!(s.sizes()) }
}

/// The bytes of a file.
pub fn bytes(m: &ModelValue) -> std::result::Result<Vec<u8>, NetworkError> {
    let reads: Vec<Json> = m
        .reads
        .iter()
        .map(|r| {
            let columns: Vec<Json> = r.columns.iter().map(field).collect();
            let arrays = r.arrays.as_ref().map(shape);
            json!({"columns": columns, "sizes": shape(&r.sizes), "tokens": r.tokens, "arrays": arrays})
        })
        .collect();
    let gives = match &m.gives {
        Gives::Columns(fields) => json!({"columns": fields.iter().map(field).collect::<Vec<Json>>()}),
        Gives::Tokens(fields) => json!({"tokens": fields.iter().map(field).collect::<Vec<Json>>()}),
        Gives::Arrays(f, sizes) => json!({"array": field(f), "sizes": shape(sizes)}),
        Gives::Classes(Classes { column, names, numbers }) => {
            json!({"column": field(column), "classes": names, "numbers": numbers})
        }
        Gives::Nothing => Json::Null,
    };
    let metrics: Vec<&str> = m.metrics.iter().map(|m| m.name).collect();
    let about = json!({
        "reads": reads,
        "gives": gives,
        "loss": Part::Loss(m.loss.clone()).to_string(),
        "class_weights": m.loss.class_weights(),
        "metrics": metrics,
        "scaling": m.scaling.as_ref().map(|s| json!({"shift": s.shift, "factor": s.factor})),
        "seed": m.seed,
        "best_loss": m.trained.best_loss,
        "stopped": m.trained.ended.word(),
    });
    m.trained.model.to_bytes_about(&about)
}

fn load(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("path");
    let path = context.path(&args.word("path")?);
    let shown = path.display();
    let bytes = std::fs::read(&path)
        .map_err(|e| fault(6040, at, format!("expected a file of a trained network at `{shown}`: {e}")))?;
    let model = Model::from_bytes(&bytes).map_err(|e| lift(&e, at))?;
    let about = Model::about(&bytes).map_err(|e| lift(&e, at))?;
    let Some(found) = value(model, &about, &context.catalogue) else {
        let message = format!(
            "expected a file of `export(model, ...)`, found `{shown}`, which does not say what its numbers mean"
        );
        return Err(fault_hint(6040, at, message, "export(model, \"model.safetensors\")"));
    };
    Ok(Value::Model(Arc::new(found)))
}

fn value(model: Model, about: &Json, catalogue: &Catalogue) -> Option<ModelValue> {
    let field = |f: &Json| -> Option<Field> {
        let unit = match &f["unit"] {
            Json::Null => None,
            unit => Some(catalogue.parse(unit.as_str()?).ok()?),
        };
        Some(Field { name: f["name"].as_str()?.into(), unit })
    };
    let fields = |list: &Json| list.as_array()?.iter().map(field).collect::<Option<Vec<Field>>>();
    let sizes = |found: &Json| {
        let size = |n: &Json| usize::try_from(n.as_u64()?).ok();
        let (list, varies) = match &found["varying"] {
            Json::Null => (found, None),
            list => (list, Some(Varies::with(0))),
        };
        let sizes = list.as_array()?.iter().map(size).collect::<Option<Vec<usize>>>()?;
        Some(Shape::new(&sizes).varying(varies))
    };
    let reads = |r: &Json| -> Option<Reads> {
        let arrays = match &r["arrays"] {
            Json::Null => None,
            list => Some(sizes(list)?),
        };
        let (columns, sizes) = (fields(&r["columns"])?, sizes(&r["sizes"])?);
        Some(Reads { columns, sizes, tokens: r["tokens"].as_bool()?, arrays })
    };
    let gives = match &about["gives"] {
        Json::Null => Gives::Nothing,
        gives if gives["classes"].is_array() => {
            let names = gives["classes"].as_array()?.iter().map(|n| n.as_str().map(str::to_string));
            // Files of earlier versions name the column alone.
            let column = match gives["column"].as_str() {
                Some(name) => Field { name: name.into(), unit: None },
                None => field(&gives["column"])?,
            };
            let numbers = gives["numbers"].as_bool().unwrap_or(false);
            Gives::Classes(Classes { column, names: names.collect::<Option<_>>()?, numbers })
        }
        gives if gives["array"].is_object() => {
            Gives::Arrays(field(&gives["array"])?, sizes(&gives["sizes"])?)
        }
        gives if gives["tokens"].is_array() => Gives::Tokens(fields(&gives["tokens"])?),
        gives => Gives::Columns(fields(&gives["columns"])?),
    };
    let Part::Loss(mut loss) = Part::read(about["loss"].as_str()?)? else { return None };
    if let Some(weights) = about["class_weights"].as_array() {
        loss = loss.with_class_weights(weights.iter().map(Json::as_f64).collect::<Option<_>>()?).ok()?;
    }
    let numbers = |list: &Json| list.as_array()?.iter().map(Json::as_f64).collect::<Option<Vec<f64>>>();
    let metric = |n: &Json| METRICS.iter().find(|m| Some(m.name) == n.as_str());
    let metrics: Vec<&'static Metric> =
        about["metrics"].as_array()?.iter().map(metric).collect::<Option<_>>()?;
    let reads = about["reads"].as_array()?.iter().map(reads).collect::<Option<Vec<Reads>>>()?;
    let trained = Trained {
        last: model.parameters.clone(),
        last_buffers: model.buffers.clone(),
        model,
        best_loss: about["best_loss"].as_f64(),
        best_epoch: 0,
        history: Vec::new(),
        ended: Ended::of_word(about["stopped"].as_str().unwrap_or_default()),
        steps: 0,
        evaluations: 0,
        resumed: false,
    };
    let scaling = match &about["scaling"] {
        Json::Null => None,
        s => Some(Scaling { shift: numbers(&s["shift"])?, factor: numbers(&s["factor"])? }),
    };
    Some(ModelValue {
        trained,
        reads,
        gives,
        loss,
        scaling,
        metrics,
        seed: about["seed"].as_u64()?,
        seconds: 0.0,
    })
}
