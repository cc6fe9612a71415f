//! What is trained on: the rows of a dataset, those that a split made, or those that a function makes.

use super::*;

/// The parts of the data: to train on, to validate with.
pub(super) struct Parts {
    /// The rows, or the first of those that a function makes.
    pub train: Arc<Dataset>,
    /// The function, and how many rows of it are an epoch.
    pub made: Option<(Function, usize)>,
    pub validation: Option<Arc<Dataset>>,
}

/// The parts that `data` and `rows` name.
pub(super) fn parts(context: &mut Context, args: &Args) -> Result<Parts> {
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
        Some(Value::Dataset(d)) if d.rows() > 0 => Some(d.clone()),
        // `split` without a share for it.
        Some(Value::Dataset(_)) if is_split(&value) => None,
        Some(Value::Dataset(_)) => {
            let message = "expected rows to validate with, found a dataset without rows";
            return Err(fault_hint(6006, at, message, "split(d, train: 0.8, validation: 0.2)"));
        }
        Some(other) if !matches!(other, Value::Nothing) => {
            let message = format!("expected a dataset to validate with, found a {}", other.kind_name());
            return Err(fault_hint(6006, at, message, "{train: d, validation: e}"));
        }
        _ => None,
    };
    let share = args.real("validation")?;
    if !(0.0..1.0).contains(&share) {
        let message = format!("expected a share from 0 to below 1 for `validation`, found {share}");
        return Err(fault_hint(4251, args.span_of("validation"), message, "validation: 0.2"));
    }
    if share > 0.0 && validation.is_some() {
        let message = "expected `validation` or rows to validate with in the record, found both";
        return Err(fault_hint(6006, args.span_of("validation"), message, "leave one out"));
    }
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
            if share > 0.0 {
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

/// Whether a record is one that `split` makes.
fn is_split(value: &Value) -> bool {
    matches!(value, Value::Record(r) if r.get("test").is_some())
}

/// Rows as a network takes them.
pub(super) struct Rows {
    /// To train on; of a function the first.
    pub train: Arrays,
    /// The function that makes them, where one does.
    pub made: Option<Generated>,
    /// To validate with.
    pub validation: Option<Arrays>,
}

impl Rows {
    /// With weights, a share set apart for validation, and augmentations.
    pub fn read(
        context: &Context,
        args: &Args,
        parts: &Parts,
        task: &Task,
        streams: Streams,
    ) -> Result<Rows> {
        let at = args.span_of("data");
        let mut train = task.taken(&parts.train, at)?;
        let made = parts.made.as_ref().map(|(f, n)| {
            let task = task.clone();
            Generated::new(context, f, *n, at, &train, Box::new(move |d| task.taken(d, at)))
        });
        if let Some(w) = &task.weights {
            train = train.with_weights(w.si_values()).map_err(|e| lift(&e, args.span_of("weights")))?;
        }
        let share = args.real("validation")?;
        let validation = match &parts.validation {
            Some(v) => Some(task.taken(v, at)?),
            None if share > 0.0 => {
                let (rest, held) =
                    train.split(share, streams).map_err(|e| lift(&e, args.span_of("validation")))?;
                train = rest;
                Some(held)
            }
            None => None,
        };
        train = train.with_augments(augments(args)?).map_err(|e| lift(&e, args.span_of("augment")))?;
        Ok(Rows { train, made, validation })
    }

    /// What the training loop takes.
    pub fn data(&self) -> Data<'_> {
        Data {
            train: self.made.as_ref().map_or(&self.train as &dyn Source, |m| m as &dyn Source),
            validation: self.validation.as_ref().map(|v| v as &dyn Source),
        }
    }
}

fn augments(args: &Args) -> Result<Vec<Augment>> {
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
    Ok(augments)
}
