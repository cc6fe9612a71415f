//! What a trained network says of itself: its members, its history as a table and as a figure, its line.

use super::*;
use crate::plot::{Axis, Layer, Mark, Panel, Series};

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
        "target" => match m.gives.columns() {
            names if names.is_empty() => None,
            names => Some(Value::list(names.iter().map(|n| Value::text(&**n)).collect())),
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
