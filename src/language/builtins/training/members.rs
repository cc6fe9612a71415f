//! What a trained network says of itself: its members, its history as a table and as a figure, its line.

use super::*;
use crate::networks::NetworkError;
use crate::plot::{Axis, Layer, Mark, Panel, Series};
use crate::units::Catalogue;

/// The names of a model's members.
const MEMBERS: [&str; 15] = [
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
    "last",
    "weights",
    "params",
];

/// Members of a model.
pub fn model_member(m: &ModelValue, name: &str, catalogue: &Catalogue) -> (Option<Value>, Vec<String>) {
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
            Gives::Classes(c) if c.numbers => {
                let number = |n: &String| Value::int(n.parse().unwrap_or_default());
                Some(Value::list(c.names.iter().map(number).collect()))
            }
            Gives::Classes(c) => Some(texts(&c.names)),
            _ => None,
        },
        "inputs" => {
            let all: Vec<String> =
                m.reads.iter().flat_map(|r| &r.columns).map(|f| f.name.to_string()).collect();
            Some(texts(&all))
        }
        "target" => match m.gives.columns() {
            names if names.is_empty() => None,
            names => Some(Value::list(names.iter().map(|n| Value::text(&**n)).collect())),
        },
        "last" => Some(Value::Model(Arc::new(last(m)))),
        "weights" => weights(m).ok(),
        "params" => params(m, catalogue).ok(),
        _ => None,
    };
    (value, MEMBERS.map(String::from).to_vec())
}

/// The model with the weights of the last step in place of the best ones; nobody computed their loss.
fn last(m: &ModelValue) -> ModelValue {
    let t = &m.trained;
    let model = t.model.with_weights(&t.last, &t.last_buffers);
    let best_epoch = t.history.len() as u64;
    ModelValue { trained: Trained { model, best_loss: None, best_epoch, ..t.clone() }, ..m.clone() }
}

/// The weights: for each variable a record of its name, its sizes, and a column of its numbers, a row for each place along
/// its first axis.
fn weights(m: &ModelValue) -> std::result::Result<Value, NetworkError> {
    let mut all = Vec::new();
    for (name, sizes, numbers) in m.trained.model.parameters.numbers()? {
        let inner = sizes.get(1..).unwrap_or_default();
        let values = match Stack::new(inner, numbers.clone()).filter(|_| !inner.is_empty()) {
            Some(stack) => Values::Array(stack),
            None => Values::F64(numbers),
        };
        let sizes = sizes.iter().map(|n| Value::int(*n as i64)).collect();
        let entries = vec![
            (Name::from("name"), Value::text(&name)),
            (Name::from("sizes"), Value::list(sizes)),
            (Name::from("values"), Value::Column(Arc::new(Column::new(&name, None, values)))),
        ];
        all.push(Value::Record(Arc::new(Record { entries })));
    }
    Ok(Value::list(all))
}

/// What was found for the `param`s of laws in the network, in the units of their declarations.
fn params(m: &ModelValue, catalogue: &Catalogue) -> std::result::Result<Value, NetworkError> {
    let all = m.trained.model.parameters.numbers()?;
    let number = |variable: &str, k: usize| all.iter().find(|(n, ..)| n == variable)?.2.get(k).copied();
    let entry = |c: laws::Constant| {
        let x = number(&c.variable, c.place)?;
        let unit = c.unit.as_deref().filter(|u| *u != "1").and_then(|u| catalogue.parse(u).ok());
        let value = match unit {
            Some(unit) => Expr::float(unit.from_si(x)) * Expr::unit(unit),
            None => Expr::float(x),
        };
        Some((Name::from(c.name.as_str()), Value::Expr(value)))
    };
    let entries = laws::constants(m.network()).into_iter().filter_map(entry).collect();
    Ok(Value::Record(Arc::new(Record { entries })))
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

/// The losses of a training by epoch, with a mark at the weights that are the model.
pub fn history_panel(m: &ModelValue, at: Span) -> Result<Panel> {
    let t = &m.trained;
    if t.history.is_empty() {
        let found = match &t.ended {
            Ended::Diverged(_) => "one whose first epoch diverged",
            _ if t.steps > 0 => "one that was stopped in its first epoch",
            _ => "one that was loaded from a file",
        };
        let message = format!("expected a model with a history of its training, found {found}");
        return Err(fault_hint(3101, at, message, "plot(train(model, data))"));
    }
    let curve = |name: &str, loss: &dyn Fn(&train::Record) -> Option<f64>| {
        let points: Vec<(f64, f64)> =
            t.history.iter().filter_map(|r| Some((r.epoch as f64, loss(r)?))).collect();
        let markers = points.len() == 1;
        Layer::new(name, Mark::Series(Series { points, line: true, markers, ..Series::default() }))
    };
    let mut layers = vec![curve("training", &|r| Some(r.loss))];
    if t.history.iter().any(|r| r.validation.is_some()) {
        layers.push(curve("validation", &|r| r.validation));
    }
    if let Some(loss) = t.best_loss {
        let points = vec![(t.best_epoch as f64, loss)];
        let mark = Series { points, markers: true, ..Series::default() };
        layers.push(Layer::new(format!("best, epoch {}", t.best_epoch), Mark::Series(mark)));
    }
    let positive = |l: &Layer| matches!(&l.mark, Mark::Series(s) if s.points.iter().all(|p| p.1 > 0.0));
    Ok(Panel {
        x: Axis { whole: true, ..Axis::new("epoch", None) },
        y: Axis { log: layers.iter().all(positive), ..Axis::new("loss", None) },
        layers,
        ..Panel::default()
    })
}

/// `model of 1 234 parameters: validation loss 0.0123 after 20 epochs, stopped: finished, seed 1`.
pub fn line(m: &ModelValue) -> String {
    let t = &m.trained;
    let loss = t.best_loss.map_or_else(|| "no loss".to_string(), |x| format!("loss {x:.4e}"));
    let on = if t.history.iter().any(|r| r.validation.is_some()) { "validation " } else { "" };
    let record = t.history.iter().find(|r| r.epoch == t.best_epoch);
    let figures: String = record
        .map(|r| m.metrics.iter().zip(&r.metrics).map(|(k, x)| format!(", {} {x:.4}", k.name)).collect())
        .unwrap_or_default();
    let after = match t.history.len() {
        0 => String::new(),
        1 => " after 1 epoch".to_string(),
        n => format!(" after {n} epochs"),
    };
    let (count, stopped) = (t.model.parameters.count(), t.ended.word());
    format!("model of {count} parameters: {on}{loss}{figures}{after}, stopped: {stopped}, seed {}", m.seed)
}
