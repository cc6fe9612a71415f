//! What a training is for: which columns a network reads, what it gives, and the loss that compares the two.

use super::*;

/// The network that a training begins with.
pub(super) struct Start {
    /// The trained one that is trained further.
    pub before: Option<Arc<ModelValue>>,
    /// Its layers.
    pub own: Layer,
}

impl Start {
    /// What `network` is.
    pub fn read(context: &mut Context, args: &Args) -> Result<Start> {
        let given = args.value("network")?;
        let before = match given.plain() {
            Value::Model(m) => Some(m.clone()),
            _ => None,
        };
        Ok(Start { before, own: networks::network(context, given, args.span_of("network"))? })
    }

    /// The trained one, where an option does not ask for something else.
    pub fn unless(&self, args: &Args, option: &str) -> Option<&ModelValue> {
        self.before.as_deref().filter(|_| !args.is_given(option))
    }
}

/// What a network reads and gives, and what is minimised.
#[derive(Clone)]
pub(super) struct Task {
    pub reads: Vec<Reads>,
    pub gives: Gives,
    /// Without the weights that balance classes.
    pub loss: Loss,
    /// The weights of rows.
    pub weights: Option<Arc<Column>>,
}

impl Task {
    /// What the options ask for, or a trained network says of itself, or the columns suggest.
    pub fn read(context: &Context, args: &Args, start: &Start, d: &Dataset) -> Result<Task> {
        let targets = targets(args, start, d)?;
        let given = given_loss(args)?;
        let gives = gives(args, start, d, &targets, given.as_ref())?;
        let loss = match (given, start.unless(args, "target")) {
            (Some(loss), _) => loss,
            (None, Some(m)) => m.loss.clone(),
            (None, None) => {
                let name = if matches!(gives, Gives::Classes(_)) { "cross_entropy" } else { "mse" };
                Loss::new(name, &[]).map_err(|e| lift(&e, args.span))?
            }
        };
        let weights = match &*args.word("weights")? {
            "none" => None,
            word => Some(d.numbers(word).map_err(|e| lift(&e, args.span_of("weights")))?.clone()),
        };
        let reads = reads(args, start, d, &targets, weights.as_ref())?;
        laws::check_units(&start.own, &reads, &gives, &loss, &context.catalogue, args)?;
        if let Some(c) = targets.iter().find_map(|t| d.column(t).ok()).filter(|_| weights.is_none()) {
            errors_unused(context, c, args.span_of("data"));
        }
        Ok(Task { reads, gives, loss, weights })
    }

    /// The rows of a dataset as the network takes them.
    pub fn taken(&self, d: &Dataset, at: Span) -> Result<Arrays> {
        taken(d, &self.reads, &self.gives, Some(&self.loss), at)
    }

    /// The loss, with weights of classes by their rows where that is asked for.
    pub fn balanced(&self, args: &Args, rows: &Arrays) -> Result<Loss> {
        if !args.boolean("balanced")? {
            return Ok(self.loss.clone());
        }
        let at = args.span_of("balanced");
        let Gives::Classes(classes) = &self.gives else {
            let message = "expected classes for `balanced`, found a target of numbers";
            return Err(fault_hint(6006, at, message, "weights: w"));
        };
        self.loss.clone().with_class_weights(rows.balanced(classes.names.len())).map_err(|e| lift(&e, at))
    }
}

/// Tells that the errors of a target do not count.
fn errors_unused(context: &Context, c: &Column, at: Span) {
    if c.errors.is_none() {
        return;
    }
    let name = &c.name;
    let message = format!("every row counts alike: the errors of `{name}` are not used");
    let hint = "weights: w, with a column w of 1/error^2";
    context.notify(Diagnostic::notice(Code(4260), at, message).hint(hint));
}

/// The names of the target's columns: those given, those of before, the dataset's target, or its last column.
fn targets(args: &Args, start: &Start, d: &Dataset) -> Result<Vec<Arc<str>>> {
    if let Some(names) = words(args, "target")? {
        return distinct(names, "target", args);
    }
    if let Some(m) = &start.before {
        return Ok(m.gives.columns());
    }
    let declared = d.columns().iter().find(|c| c.role == Role::Target);
    let last = || d.columns().iter().rev().find(|c| c.role != Role::Error);
    Ok(declared.or_else(last).map(|c| c.name.clone()).into_iter().collect())
}

fn given_loss(args: &Args) -> Result<Option<Loss>> {
    let Some(v) = args.get("loss") else { return Ok(None) };
    match networks::part_of(v, args.span_of("loss"))? {
        Part::Loss(loss) => Ok(Some(loss)),
        other => {
            let message = format!("`loss` expects a loss, found an {}", other.kind_name());
            Err(fault_hint(6006, args.span_of("loss"), message, "loss: mse"))
        }
    }
}

/// What the columns of the target make of a network's output.
fn gives(
    args: &Args,
    start: &Start,
    d: &Dataset,
    targets: &[Arc<str>],
    loss: Option<&Loss>,
) -> Result<Gives> {
    let at = args.span_of("target");
    let mut columns = Vec::new();
    for name in targets {
        columns.push(d.column(name).map_err(|e| lift(&e, at))?);
    }
    if let Some(m) = start.unless(args, "target") {
        return Ok(m.gives.clone());
    }
    let of_classes = loss.is_some_and(|l| matches!(l.kind().target, TargetKind::Classes | TargetKind::Flags));
    let is_text = |c: &&&Arc<Column>| matches!(c.values, Values::Label(_));
    let fields = |all: &[&Arc<Column>]| all.iter().map(|c| Field::of(c)).collect();
    match columns.as_slice() {
        [] => Ok(Gives::Nothing),
        [c] if let Some(stack) = c.arrays() => Ok(Gives::Arrays(Field::of(c), shape_of(stack))),
        all if let Some(c) = all.iter().find(|c| c.arrays().is_some()) => {
            let message =
                format!("expected one column of arrays as the target, found `{}` beside others", c.name);
            Err(fault_hint(6006, at, message, format!("target: {}", c.name)))
        }
        [c] if of_classes || is_text(&c) => classes(c, loss, at).map(Gives::Classes),
        all => match all.iter().find(is_text) {
            Some(c) => {
                let message = format!(
                    "expected targets that are numbers, or one column of classes, found the text `{}` among them",
                    c.name
                );
                Err(fault_hint(6006, at, message, format!("target: {}", c.name)))
            }
            None if of_classes => Ok(Gives::Tokens(fields(all))),
            None => Ok(Gives::Columns(fields(all))),
        },
    }
}

/// The classes of a column: numbers in their order, words in that of the alphabet, the same whatever the order of rows.
fn classes(c: &Column, loss: Option<&Loss>, at: Span) -> Result<Classes> {
    let (column, name) = (Field::of(c), &c.name);
    let refuse = |expected: &str, found: String, hint: &str| {
        Err(fault_hint(6006, at, format!("expected {expected} in `{name}`, found {found}"), hint))
    };
    all_there(c, at)?;
    if let Some((row, cell)) = odd_cell(c) {
        return refuse(
            "numbers or classes",
            format!("`{cell}` in row {row} among numbers"),
            "mend the cell, or leave its row out",
        );
    }
    let numbers = !matches!(c.values, Values::Label(_));
    let kind = loss.map(Loss::kind);
    if let Some(kind) = kind.filter(|k| !matches!(k.target, TargetKind::Classes | TargetKind::Flags)) {
        return refuse(&format!("numbers for {}", kind.name), "text".into(), "loss: cross_entropy");
    }
    let odd = || c.floats_in_unit().into_iter().enumerate().find(|(_, x)| x.fract() != 0.0);
    if let Some((row, x)) = numbers.then(odd).flatten() {
        return refuse("classes (whole numbers or words)", format!("{x} in row {row}"), "loss: mse");
    }
    let mut names: Vec<String> = Vec::new();
    for word in crate::language::builtins::regress::group_words(c) {
        if !names.contains(&word) {
            names.push(word);
        }
    }
    if numbers {
        let value = |s: &String| s.parse::<f64>().unwrap_or(f64::NAN);
        names.sort_by(|a, b| value(a).total_cmp(&value(b)));
    } else {
        names.sort();
    }
    let shown = || names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    if let [only] = names.as_slice() {
        return refuse(
            "at least two classes",
            format!("`{only}` alone"),
            "target: c, a column of several classes",
        );
    }
    if kind.is_some_and(|k| k.target == TargetKind::Flags) && names.len() != 2 {
        let found = format!("{} ({})", names.len(), shown());
        return refuse("two classes for binary_cross_entropy", found, "loss: cross_entropy");
    }
    Ok(Classes { column, names, numbers })
}

/// Names of which each stands once.
pub(super) fn distinct(names: Vec<Arc<str>>, option: &str, args: &Args) -> Result<Vec<Arc<str>>> {
    let again = names.iter().enumerate().find(|(k, n)| names[..*k].contains(n));
    let Some((_, name)) = again else { return Ok(names) };
    let message = format!("expected different columns for `{option}`, found `{name}` twice");
    let mut once: Vec<&str> = Vec::new();
    for name in &names {
        if !once.contains(&&**name) {
            once.push(name);
        }
    }
    Err(fault_hint(6006, args.span_of(option), message, format!("{option}: [{}]", once.join(", "))))
}

/// The inputs: those given, those of before, or all columns of numbers and arrays that have no other part to play.
fn reads(
    args: &Args,
    start: &Start,
    d: &Dataset,
    targets: &[Arc<str>],
    weights: Option<&Arc<Column>>,
) -> Result<Vec<Reads>> {
    if let Some(m) = start.unless(args, "inputs") {
        return Ok(m.reads.clone());
    }
    let second = distinct(words(args, "second")?.unwrap_or_default(), "second", args)?;
    let free = |c: &Column| {
        !targets.contains(&c.name)
            && !second.contains(&c.name)
            && weights.is_none_or(|w| w.name != c.name)
            && c.role != Role::Error
            && (c.is_numeric() || c.arrays().is_some())
    };
    let first = match words(args, "inputs")? {
        Some(names) => distinct(names, "inputs", args)?,
        None => {
            for c in d.columns().iter().filter(|c| c.role != Role::Error && !targets.contains(&c.name)) {
                if let Some((row, cell)) = odd_cell(c) {
                    let message = format!("expected numbers in `{}`, found `{cell}` in row {row}", c.name);
                    let hint = format!("drop(data, {}), or mend the cell", c.name);
                    return Err(fault_hint(6006, args.span_of("data"), message, hint));
                }
            }
            d.columns().iter().filter(|c| free(c)).map(|c| c.name.clone()).collect()
        }
    };
    let first = laws::bound(&start.own, d, first, args)?;
    if first.is_empty() {
        let message = "expected columns of numbers or arrays beside the target, found none";
        return Err(fault_hint(6006, args.span_of("data"), message, "inputs: [a, b]"));
    }
    // A network may give back what it reads; a part of it would be read off.
    let whole = args.is_given("target") && *targets == *first;
    if let Some(name) = targets.iter().find(|t| first.contains(t)).filter(|_| !whole) {
        let message = format!("expected inputs beside the target, found the target `{name}` among them");
        let at = args.span_of(if args.is_given("inputs") { "inputs" } else { "target" });
        let rest = d.columns().iter().filter(|c| c.is_numeric() && !targets.contains(&c.name));
        let rest: Vec<&str> = rest.map(|c| &*c.name).collect();
        return Err(fault_hint(6006, at, message, format!("inputs: [{}]", rest.join(", "))));
    }
    let mut all: Vec<Reads> = Vec::new();
    for (option, names) in [("inputs", first), ("second", second)] {
        all.extend(inputs(d, &names, args.span_of(option))?);
    }
    for (k, r) in all.iter_mut().enumerate() {
        r.tokens = takes_tokens(&start.own, k);
        // Numbers of which rows have more or fewer are a sequence of one feature.
        if r.sizes.varies().is_some() && r.sizes.rank() == 1 && !r.tokens {
            r.sizes = Shape::from([r.sizes.count(), 1]).varying(r.sizes.varies().copied());
        }
    }
    if all.len() > start.own.takes() {
        return Err(too_many(&all, start.own.takes(), args));
    }
    if let Some(m) = &start.before {
        like_before(&m.reads, &all, args)?;
    }
    if let Some(r) = all.first_mut().filter(|_| args.get("shape").is_some()) {
        r.sizes = shape(args, r)?;
    }
    Ok(all)
}

/// The fault of more inputs than a network takes: every column of arrays is one.
fn too_many(all: &[Reads], takes: usize, args: &Args) -> Error {
    let one = |r: &Reads| {
        let names: Vec<&str> = r.columns.iter().map(|f| &*f.name).collect();
        match (&r.arrays, names.as_slice()) {
            (Some(_), _) => format!("the arrays `{}`", names.join(", ")),
            (None, [only]) => format!("the numbers `{only}`"),
            (None, all) => format!("the numbers {}", all.join(", ")),
        }
    };
    let expected = if takes == 1 { "one input".to_string() } else { format!("{takes} inputs") };
    let found: Vec<String> = all.iter().map(one).collect();
    let message = format!("expected {expected} for the network, found {}: {}", all.len(), found.join("; "));
    let name = all.iter().find(|r| r.arrays.is_some()).and_then(|r| r.columns.first());
    let hint = name.map_or_else(|| "inputs: [a]".to_string(), |f| format!("inputs: {}", f.name));
    let at = args.span_of(if args.is_given("inputs") { "inputs" } else { "data" });
    fault_hint(6006, at, message, format!("{hint}, or a network of two inputs, the other by `second`"))
}

/// Refuses inputs of other dimensions than a network was trained with.
fn like_before(before: &[Reads], now: &[Reads], args: &Args) -> Result<()> {
    let fields = |reads: &[Reads]| reads.iter().flat_map(|r| r.columns.clone()).collect::<Vec<Field>>();
    for (was, is) in fields(before).iter().zip(&fields(now)) {
        if was.dimension() != is.dimension() {
            let message = format!(
                "expected a column {} in place of `{}`, found `{}` {}",
                was.in_unit(),
                was.name,
                is.name,
                is.in_unit()
            );
            let at = args.span_of("inputs");
            return Err(fault_hint(6021, at, message, format!("inputs: [{}]", was.name)));
        }
    }
    Ok(())
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
