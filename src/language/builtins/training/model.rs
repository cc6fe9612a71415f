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
    metric.classes == is_of_classes(&m.gives, &m.loss)
}

/// Whether what is given are classes: of rows, or of the places of arrays.
pub(super) fn is_of_classes(gives: &Gives, loss: &Loss) -> bool {
    let classes = matches!(loss.kind().target, TargetKind::Classes | TargetKind::Flags);
    matches!(gives, Gives::Classes(..) | Gives::Tokens(_)) || classes && matches!(gives, Gives::Arrays(..))
}

/// What a model gives for the rows of a dataset: a column of numbers, arrays or classes, a dataset where it gives several
/// numbers.
pub fn predict(context: &Context, m: &ModelValue, d: &Dataset, at: Span) -> Result<Value> {
    let rows = rows_of(m, d, false, at)?;
    let use_of::Outputs { numbers: found, lengths } =
        use_of::in_pool(context.threads, || use_of::outputs(&m.trained.model, &rows, AT_ONCE))
            .map_err(|e| lift(&e, at))?;
    let width = found.len() / d.rows().max(1);
    let last = m.trained.model.output.sizes().last().copied().unwrap_or(1).max(1);
    let link = |(k, o): (usize, f64)| Link::of(&m.loss, k % last, last).apply(o);
    let found: Vec<f64> = found.into_iter().enumerate().map(link).collect();
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

pub(super) fn summarise(_: &mut Context, args: &Args) -> Result<Value> {
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
                let whole = |e: &Expr| e.as_i64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
                // A first size within a range varies.
                let varies = matches!(items.first().map(Value::plain), Some(Value::Range(..)));
                let size = |(k, v): (usize, &Value)| {
                    let n = match v.plain() {
                        Value::Range(low, high) if k == 0 => whole(low).and(whole(high)),
                        _ => v.as_expr().as_ref().and_then(whole),
                    };
                    n.ok_or_else(|| args.wrong("input", "sizes", v))
                };
                let sizes: Vec<usize> = items.iter().enumerate().map(size).collect::<Result<_>>()?;
                shapes.push(Shape::new(&sizes).varying(varies.then(|| Varies::with(shapes.len()))));
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

/// The tokens of every row.
fn sequences_of(d: &Dataset, reads: &Reads, at: Span) -> Result<Vec<Vec<u32>>> {
    if let (Some(own), [field]) = (&reads.arrays, reads.columns.as_slice()) {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        let stack = arrays_of(c, own, &reads.sizes, at)?;
        let row = |r: usize| stack.row(r).map(|x| token(x, at)).collect();
        return (0..stack.len()).map(row).collect();
    }
    let mut columns = Vec::new();
    for f in &reads.columns {
        columns.push(numbers_of(d.column(&f.name).map_err(|e| lift(&e, at))?, at)?);
    }
    Ok((0..d.rows()).map(|k| columns.iter().map(|c| c[k] as u32).collect()).collect())
}

pub(super) fn generate(context: &mut Context, args: &Args) -> Result<Value> {
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
    let sources = sequences_of(&d, source, at)?;
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
pub(super) fn formula(context: &mut Context, args: &Args) -> Result<Value> {
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
