//! What networks read and give: columns of datasets as arrays, with their names and units.

use super::*;

/// A column that a model reads or gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// The unit in which it is shown; numbers are in SI.
    pub unit: Option<Unit>,
}

impl Field {
    pub(super) fn of(c: &Column) -> Field {
        Field { name: c.name.clone(), unit: c.unit.clone() }
    }

    /// Its dimension; a column without a unit holds pure numbers.
    pub(super) fn dimension(&self) -> Dimension {
        self.unit.as_ref().map_or(Dimension::NONE, Unit::dimension)
    }

    /// Its unit in words: `in [m]`, `without a unit`.
    pub(super) fn in_unit(&self) -> String {
        match self.unit.as_ref().filter(|u| !u.is_one()) {
            Some(unit) => format!("in [{unit}]"),
            None => "without a unit".into(),
        }
    }

    /// The declaration of a symbol that this column may stand for.
    pub(super) fn declared(&self, name: &str) -> String {
        match self.unit.as_ref().filter(|u| !u.is_one()) {
            Some(unit) => format!("var {name} [{unit}]"),
            None => format!("var {name}"),
        }
    }

    /// A fault where a column that stands for this one has another dimension.
    fn admits(&self, c: &Column, at: Span) -> Result<()> {
        let own = Field::of(c);
        if own.dimension() == self.dimension() {
            return Ok(());
        }
        let (name, expected, found) = (&c.name, self.in_unit(), own.in_unit());
        let message = format!("expected `{name}` {expected} as in the training, found it {found}");
        let hint = match &self.unit {
            Some(unit) if own.dimension().is_none() => format!("with(data, {name}: {name}*(1 [{unit}]))"),
            Some(unit) => format!("a column of this name in [{unit}]"),
            None => format!("with(data, {name}: {name}/(1 [{}]))", Unit::coherent(own.dimension())),
        };
        Err(fault_hint(6021, at, message, hint))
    }
}

/// One input of a network: columns side by side, in the shape that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reads {
    /// The columns.
    pub columns: Vec<Field>,
    /// The shape of a row.
    pub sizes: Shape,
    /// Whether they are whole numbers that stand for tokens.
    pub tokens: bool,
    /// The shape of the arrays of the one column, where it holds arrays.
    pub arrays: Option<Shape>,
}

/// What a network gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Gives {
    /// Numbers.
    Columns(Vec<Field>),
    /// A token at every place of a sequence.
    Tokens(Vec<Field>),
    /// Arrays of these sizes; of classes of their places where the loss is of classes.
    Arrays(Field, Shape),
    /// One of these classes.
    Classes(Classes),
    /// Nobody said.
    Nothing,
}

/// The classes of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    /// The column.
    pub column: Field,
    /// Their names in the order of the outputs.
    pub names: Vec<String>,
    /// Whether they are whole numbers in the column's unit.
    pub numbers: bool,
}

impl Classes {
    /// These answers as a column: numbers where the classes are numbers, else their names.
    pub(super) fn column_of(&self, answers: impl Iterator<Item = usize>) -> Column {
        let name = |k: usize| self.names.get(k).map_or("", String::as_str);
        let Field { name: column, unit } = &self.column;
        if self.numbers {
            let values = answers.map(|k| name(k).parse::<i64>().unwrap_or_default()).collect();
            return Column::new(column, unit.clone(), Values::Integer(values));
        }
        Column::new(column, None, Values::Label(answers.map(|k| name(k).into()).collect()))
    }

    /// The names of columns with a number for each class.
    pub(super) fn headers(&self) -> impl Iterator<Item = String> + '_ {
        let one = |name: &String| match self.numbers {
            true => format!("{}_{name}", self.column.name),
            false => name.clone(),
        };
        self.names.iter().map(one)
    }
}

impl Gives {
    /// The names of the columns that it gives.
    pub fn columns(&self) -> Vec<Arc<str>> {
        match self {
            Gives::Columns(fields) | Gives::Tokens(fields) => fields.iter().map(|f| f.name.clone()).collect(),
            Gives::Arrays(field, _) => vec![field.name.clone()],
            Gives::Classes(classes) => vec![classes.column.name.clone()],
            Gives::Nothing => Vec::new(),
        }
    }
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct ModelValue {
    /// Weights, history, and why it ended.
    pub trained: Trained,
    /// What it reads.
    pub reads: Vec<Reads>,
    /// What it gives.
    pub gives: Gives,
    /// What was minimised.
    pub loss: Loss,
    /// Location and size of the targets that the loss sees them in.
    pub scaling: Option<Scaling>,
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
pub(super) fn numbers_of(c: &Column, at: Span) -> Result<Vec<f64>> {
    if !c.is_numeric() {
        let found = match (odd_cell(c), &c.values) {
            (Some((row, cell)), _) => format!("`{cell}` in row {row} of `{}`", c.name),
            (None, Values::Label(_)) => format!("text in `{}`", c.name),
            _ => format!("{} in `{}`", c.kind(), c.name),
        };
        let message = format!("expected a column of numbers, found {found}");
        return Err(fault_hint(6006, at, message, "leave it out, or number its words"));
    }
    all_there(c, at)?;
    Ok(c.si_values())
}

/// The first cell of a column of texts that is no number, where nearly all others are: one bad cell makes a column of a
/// file one of texts.
pub(super) fn odd_cell(c: &Column) -> Option<(usize, Arc<str>)> {
    let Values::Label(all) = &c.values else { return None };
    let is_number = |t: &Arc<str>| t.trim().parse::<f64>().is_ok();
    let odd = all.iter().filter(|t| !is_number(t)).count();
    let first = || all.iter().position(|t| !is_number(t)).map(|row| (row, all[row].clone()));
    (odd <= 1.max(all.len() / 20) && all.len() >= 3).then(first).flatten()
}

/// A fault where a value is missing.
pub(super) fn all_there(c: &Column, at: Span) -> Result<()> {
    match (0..c.len()).find(|i| c.is_missing(*i)) {
        Some(row) => Err(lift(&DataError::MissingValue { name: c.name.to_string(), row }, at)),
        None => Ok(()),
    }
}

/// The shape of the arrays of a column.
pub(super) fn shape_of(stack: &Stack) -> Shape {
    Shape::new(stack.sizes()).varying(stack.varies().then(|| Varies::with(0)))
}

/// The arrays of a column of the shape `own`, in SI and in the shape that the network takes.
pub(super) fn arrays_of(c: &Column, own: &Shape, sizes: &Shape, at: Span) -> Result<Stack> {
    // Rows that may differ in length may also agree in it.
    let fits = |s: &&Stack| own.takes(s.sizes()) && (own.varies().is_some() || !s.varies());
    let stack = c.arrays().filter(fits).ok_or_else(|| {
        let found = c.arrays().map_or_else(|| c.kind().to_string(), |s| format!("arrays {}", s.shape()));
        let message = format!("expected arrays {own} in `{}` as in the training, found {found}", c.name);
        fault(6006, at, message)
    })?;
    all_there(c, at)?;
    let varying = own.varies().map(|_| stack.as_varying());
    let stack = varying.as_ref().unwrap_or(stack);
    let stack = match &c.unit {
        Some(unit) if !unit.is_one() => stack.map(|x| unit.to_si(x)),
        _ => stack.clone(),
    };
    let shape = stack.shape();
    stack
        .reshaped(sizes.sizes())
        .ok_or_else(|| fault(6006, at, format!("expected arrays {sizes}, found {shape}")))
}

/// A whole number from 0.
fn whole(x: f64) -> Option<u32> {
    (x >= 0.0 && x.fract() == 0.0 && x <= f64::from(u32::MAX)).then_some(x as u32)
}

/// A whole number from 0 that stands for a token.
pub(super) fn token(x: f64, name: &str, at: Span) -> Result<u32> {
    whole(x).ok_or_else(|| {
        let message = format!("expected tokens (whole numbers from 0) in `{name}`, found {x}");
        fault_hint(6006, at, message, "number the tokens 0, 1, 2 and so on")
    })
}

/// The columns as one array.
pub(super) fn array(d: &Dataset, reads: &Reads, at: Span) -> Result<Array> {
    if let (Some(own), [field]) = (&reads.arrays, reads.columns.as_slice()) {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        field.admits(c, at)?;
        let stack = arrays_of(c, own, &reads.sizes, at)?;
        if !reads.tokens {
            return Ok(Array::of_stack(&field.name, &stack));
        }
        let all = stack.floats().into_iter().map(|x| token(x, &field.name, at));
        let values = Numbers::Index(all.collect::<Result<Vec<u32>>>()?);
        return Ok(Array::like_stack(&field.name, &stack, values));
    }
    let mut columns = Vec::new();
    for field in &reads.columns {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        let numbers = numbers_of(c, at)?;
        field.admits(c, at)?;
        columns.push(numbers);
    }
    let rows = d.rows();
    let all = (0..rows).flat_map(|i| columns.iter().zip(&reads.columns).map(move |(c, f)| (c[i], f)));
    let values = if reads.tokens {
        Numbers::Index(all.map(|(x, f)| token(x, &f.name, at)).collect::<Result<Vec<u32>>>()?)
    } else {
        Numbers::F64(all.map(|(x, _)| x).collect())
    };
    let name = reads.columns.first().map_or("inputs", |f| &*f.name);
    let array = Array::new(name, reads.sizes.sizes(), values);
    Ok(if reads.sizes.rank() == 1 {
        array.with_columns(reads.columns.iter().map(|f| &*f.name))
    } else {
        array
    })
}

/// The target as an array.
pub(super) fn target(d: &Dataset, gives: &Gives, loss: &Loss, at: Span) -> Result<Option<Array>> {
    match gives {
        Gives::Nothing => Ok(None),
        Gives::Columns(fields) | Gives::Tokens(fields) => {
            let (sizes, tokens) = (Shape::from([fields.len()]), matches!(gives, Gives::Tokens(_)));
            let reads = Reads { columns: fields.clone(), sizes, tokens, arrays: None };
            let target = array(d, &reads, at)?;
            in_range(loss, &target, fields, at)?;
            Ok(Some(target))
        }
        Gives::Arrays(field, sizes) => {
            let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
            field.admits(c, at)?;
            let stack = arrays_of(c, sizes, sizes, at)?;
            if loss.kind().target != TargetKind::Classes {
                let target = Array::of_stack(&field.name, &stack);
                in_range(loss, &target, std::slice::from_ref(field), at)?;
                return Ok(Some(target));
            }
            let class = |(row, x): (usize, f64)| {
                whole(x).ok_or_else(|| {
                    let message = format!(
                        "expected classes (whole numbers from 0) in `{}`, found {x} in row {}",
                        field.name, row
                    );
                    fault_hint(6006, at, message, "number the classes 0, 1, 2 and so on")
                })
            };
            let all = (0..stack.len()).flat_map(|row| stack.row(row).map(move |x| (row, x)));
            let values = Numbers::Index(all.map(class).collect::<Result<Vec<u32>>>()?);
            Ok(Some(Array::like_stack(&field.name, &stack, values)))
        }
        Gives::Classes(Classes { column: Field { name: column, .. }, names, .. }) => {
            let c = d.column(column).map_err(|e| lift(&e, at))?;
            all_there(c, at)?;
            let words = crate::language::builtins::regress::group_words(c);
            let mut labels = Vec::with_capacity(words.len());
            for (row, word) in words.iter().enumerate() {
                let Some(k) = names.iter().position(|n| n == word) else {
                    let message = format!("expected a class of the training, found `{word}` in row {row}");
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

/// Refuses numbers that a loss makes nothing of: counts below 0, shares beyond 0 to 1.
fn in_range(loss: &Loss, target: &Array, fields: &[Field], at: Span) -> Result<()> {
    let (fits, expected): (fn(f64) -> bool, &str) = match (loss.kind().name, loss.kind().target) {
        ("poisson_nll", _) => (|x| x >= 0.0, "counts (numbers of at least 0)"),
        (_, TargetKind::Flags) => (|x| (0.0..=1.0).contains(&x), "yes and no (numbers from 0 to 1)"),
        (_, TargetKind::Probabilities) => (|x| x >= 0.0, "probabilities (numbers of at least 0)"),
        _ => return Ok(()),
    };
    // What is not finite is told with its row and column before the training.
    let odd = target.numbers().enumerate().find(|(_, x)| x.is_finite() && !fits(*x));
    let Some((k, x)) = odd else { return Ok(()) };
    let name = fields.get(k % fields.len().max(1)).map_or("", |f| &*f.name);
    let row = k / target.sizes().iter().product::<usize>().max(1);
    let message = format!("{}: expected {expected} in `{name}`, found {x} in row {row}", loss.kind().name);
    Err(fault_hint(6006, at, message, "loss: mse"))
}

/// The rows of a dataset as a network takes them, with the target for a loss.
pub(super) fn taken(
    d: &Dataset,
    reads: &[Reads],
    gives: &Gives,
    loss: Option<&Loss>,
    at: Span,
) -> Result<Arrays> {
    let inputs = reads.iter().map(|r| array(d, r, at)).collect::<Result<Vec<_>>>()?;
    let target = loss.map(|loss| target(d, gives, loss, at)).transpose()?.flatten();
    let made = Arrays::new(inputs, target).map_err(|e| lift(&e, at))?;
    Ok(match gives {
        Gives::Classes(classes) => made.with_classes(classes.names.clone()),
        _ => made,
    })
}
