//! Trained networks in use: figures of merit, what they say of rows, their layers, their formula.

use super::*;

pub(super) fn model_of(args: &Args) -> Result<Arc<ModelValue>> {
    match args.value("model")?.plain() {
        Value::Model(m) => Ok(m.clone()),
        other => Err(args.wrong("model", "a trained network", other)),
    }
}

/// The rows of a dataset as the model reads them.
pub(super) fn rows_of(m: &ModelValue, d: &Dataset, with_target: bool, at: Span) -> Result<Arrays> {
    taken(d, &m.reads, &m.gives, with_target.then_some(&m.loss), at)
}

pub(super) fn evaluate(context: &mut Context, args: &Args) -> Result<Value> {
    let m = model_of(args)?;
    let d = args.dataset("data")?;
    let at = args.span_of("data");
    let rows = rows_of(&m, &d, true, at)?;
    let objective = Supervised::new(m.loss.clone(), METRICS.iter().filter(|k| fits(k, &m)).collect())
        .map_err(|e| lift(&e, at))?
        .with_scaling(m.scaling.clone());
    objective.check(&m.trained.model, &rows, "evaluation").map_err(|e| lift(&e, at))?;
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
pub(super) fn fits(metric: &Metric, m: &ModelValue) -> bool {
    metric.classes == is_of_classes(&m.gives, &m.loss) && (!metric.two || is_of_two(&m.gives))
}

/// Whether what is given is one of two classes.
pub(super) fn is_of_two(gives: &Gives) -> bool {
    matches!(gives, Gives::Classes(classes) if classes.names.len() == 2)
}

/// Whether what is given are classes: of rows, or of the places of arrays.
pub(super) fn is_of_classes(gives: &Gives, loss: &Loss) -> bool {
    let classes = matches!(loss.kind().target, TargetKind::Classes | TargetKind::Flags);
    matches!(gives, Gives::Classes(_) | Gives::Tokens(_)) || classes && matches!(gives, Gives::Arrays(..))
}

/// The outputs of a model for the rows of a dataset, row by row, as numbers that they stand for, and how many a row has
/// where all have as many.
fn outputs(context: &Context, m: &ModelValue, d: &Dataset, at: Span) -> Result<(use_of::Outputs, usize)> {
    let rows = rows_of(m, d, false, at)?;
    let use_of::Outputs { numbers: found, lengths } =
        use_of::in_pool(context.threads, || use_of::outputs(&m.trained.model, &rows, AT_ONCE))
            .map_err(|e| lift(&e, at))?;
    let width = found.len() / d.rows().max(1);
    let last = m.trained.model.output.sizes().last().copied().unwrap_or(1).max(1);
    let link = |(k, o): (usize, f64)| Link::of(&m.loss, k % last, last).apply(o);
    let numbers = found.into_iter().enumerate().map(link).collect();
    Ok((use_of::Outputs { numbers, lengths }, width))
}

/// The probability of every class for the rows of a dataset, a column each.
pub fn probabilities(context: &Context, m: &ModelValue, d: &Dataset, args: &Args) -> Result<Value> {
    let Gives::Classes(classes) = &m.gives else {
        let message = "expected a model of classes of rows for probabilities, found another";
        return Err(fault_hint(6006, args.span_of("probabilities"), message, "predict(model, data)"));
    };
    let at = args.span_of("data");
    let (use_of::Outputs { numbers: found, .. }, width) = outputs(context, m, d, at)?;
    let share = |row: &[f64]| -> Vec<f64> {
        match row {
            // One output is the logarithm of the odds of the second class.
            [one] => {
                let yes = 1.0 / (1.0 + (-one).exp());
                vec![1.0 / (1.0 + one.exp()), yes]
            }
            _ => {
                let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let all: Vec<f64> = row.iter().map(|x| (x - greatest).exp()).collect();
                let sum: f64 = all.iter().sum();
                all.into_iter().map(|x| x / sum).collect()
            }
        }
    };
    let rows: Vec<Vec<f64>> = found.chunks(width.max(1)).map(share).collect();
    let column = |(k, name): (usize, String)| {
        Column::floats(&name, None, rows.iter().map(|r| r.get(k).copied().unwrap_or(0.0)).collect())
    };
    let d = Dataset::new("probabilities", classes.headers().enumerate().map(column).collect());
    Ok(Value::Dataset(Arc::new(d.map_err(|e| lift(&e, at))?)))
}

/// What a model gives for the rows of a dataset: a column of numbers, arrays or classes, a dataset where it gives several
/// numbers.
pub fn predict(context: &Context, m: &ModelValue, d: &Dataset, at: Span) -> Result<Value> {
    let (use_of::Outputs { numbers: found, lengths }, width) = outputs(context, m, d, at)?;
    if let Gives::Classes(classes) = &m.gives {
        let answers = found.chunks(width.max(1)).map(|row| match row {
            [one] => usize::from(*one > 0.0),
            _ => (0..row.len()).fold(0, |b, k| if row[k] > row[b] { k } else { b }),
        });
        return Ok(Value::Column(Arc::new(classes.column_of(answers))));
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
        let stack = match lengths {
            None if places => answers(&found, output),
            None => Stack::new(output, found),
            // A class, or a number where the target has one, for every element.
            Some(lengths) => {
                let single = matches!(&m.gives, Gives::Arrays(_, shape) if shape.rank() == 1);
                if places {
                    // As if all elements were one row.
                    let all = [&[lengths.iter().sum()], &output[1..]].concat();
                    answers(&found, &all).and_then(|best| Stack::varying(&lengths, &[], best.floats()))
                } else {
                    Stack::varying(&lengths, if single { &[] } else { &output[1..] }, found)
                }
            }
        };
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
        // Deviations stand behind the numbers that they belong to.
        let spread = matches!(Link::of(&m.loss, k, width), Link::Deviation | Link::Size);
        let own = if spread { fields.get(k - fields.len().min(k)) } else { fields.get(k) };
        let name = match own {
            Some(f) if spread => format!("{}_deviation", f.name),
            Some(f) => f.name.to_string(),
            None => format!("y{k}"),
        };
        let unit = own.and_then(|f| f.unit.clone());
        let values = found.iter().skip(k).step_by(width.max(1));
        let shown = |x: f64| match &unit {
            // A difference of temperatures has no zero point.
            Some(u) if spread => x / u.scale().to_f64(),
            Some(u) => u.from_si(x),
            None => x,
        };
        let values = values.map(|x| shown(*x)).collect();
        Column::floats(&name, unit, values)
    };
    if width == 1 {
        return Ok(Value::Column(Arc::new(column(0))));
    }
    let d = Dataset::new("predicted", (0..width).map(column).collect()).map_err(|e| lift(&e, at))?;
    Ok(Value::Dataset(Arc::new(d)))
}

/// For every place of arrays of logits the class with the greatest: the classes are the first axis of an image, else the last.
pub(super) fn answers(logits: &[f64], sizes: &[usize]) -> Option<Stack> {
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

/// A trained network of analytic layers as expressions of its columns; one where it gives one number.
pub(super) fn written(_: &mut Context, args: &Args) -> Result<Value> {
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
    let width = found.len();
    let call = |function: ExprFunction, e: Expr| Expr::call(function, vec![e]);
    let stands_for = |(k, e): (usize, Expr)| {
        let link = Link::of(&m.loss, k, width);
        let e = match link {
            Link::Same => e,
            Link::Exp => call(ExprFunction::Exp, e),
            Link::Deviation => call(ExprFunction::Exp, e * Expr::ratio(1, 2)),
            Link::Size => call(ExprFunction::Abs, e),
        };
        let spread = matches!(link, Link::Deviation | Link::Size);
        let field = if spread { fields.get(k - fields.len().min(k)) } else { fields.get(k) };
        Value::Expr(field.and_then(unit).map_or(e.clone(), |u| e * Expr::unit(u)))
    };
    let mut all: Vec<Value> = found.into_iter().enumerate().map(stands_for).collect();
    Ok(if all.len() == 1 { all.swap_remove(0) } else { Value::list(all) })
}
