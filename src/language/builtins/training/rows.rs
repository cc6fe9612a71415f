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
    /// One of these classes, in a column of this name.
    Classes(Arc<str>, Vec<String>),
    /// Nobody said.
    Nothing,
}

impl Gives {
    /// The names of the columns that it gives.
    pub fn columns(&self) -> Vec<Arc<str>> {
        match self {
            Gives::Columns(fields) | Gives::Tokens(fields) => fields.iter().map(|f| f.name.clone()).collect(),
            Gives::Arrays(field, _) => vec![field.name.clone()],
            Gives::Classes(name, _) => vec![name.clone()],
            Gives::Nothing => Vec::new(),
        }
    }
}

/// A trained network.
#[derive(Debug)]
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
        let kind = if matches!(c.values, Values::Label(_)) { "text" } else { c.kind() };
        let message = format!("expected a column of numbers, found {kind} in `{}`", c.name);
        return Err(fault_hint(6006, at, message, "inputs: [a, b]"));
    }
    all_there(c, at)?;
    Ok(c.si_values())
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
pub(super) fn token(x: f64, at: Span) -> Result<u32> {
    whole(x).ok_or_else(|| {
        let message = format!("expected tokens (whole numbers from 0), found {x}");
        fault_hint(6006, at, message, "inputs: [a, b]")
    })
}

/// The columns as one array.
pub(super) fn array(d: &Dataset, reads: &Reads, at: Span) -> Result<Array> {
    if let (Some(own), [field]) = (&reads.arrays, reads.columns.as_slice()) {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        let stack = arrays_of(c, own, &reads.sizes, at)?;
        if !reads.tokens {
            return Ok(Array::of_stack(&field.name, &stack));
        }
        let all = stack.floats().into_iter().map(|x| token(x, at));
        let values = Numbers::Index(all.collect::<Result<Vec<u32>>>()?);
        return Ok(Array::like_stack(&field.name, &stack, values));
    }
    let mut columns = Vec::new();
    for field in &reads.columns {
        let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
        columns.push(numbers_of(c, at)?);
    }
    let rows = d.rows();
    let all = (0..rows).flat_map(|i| columns.iter().map(move |c| c[i]));
    let values = if reads.tokens {
        Numbers::Index(all.map(|x| token(x, at)).collect::<Result<Vec<u32>>>()?)
    } else {
        Numbers::F64(all.collect())
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
            array(d, &reads, at).map(Some)
        }
        Gives::Arrays(field, sizes) => {
            let c = d.column(&field.name).map_err(|e| lift(&e, at))?;
            let stack = arrays_of(c, sizes, sizes, at)?;
            if loss.kind().target != TargetKind::Classes {
                return Ok(Some(Array::of_stack(&field.name, &stack)));
            }
            let class = |(row, x): (usize, f64)| {
                whole(x).ok_or_else(|| {
                    let message = format!(
                        "expected classes (whole numbers from 0) in `{}`, found {x} in row {}",
                        field.name,
                        row + 1
                    );
                    fault_hint(6006, at, message, "number the classes 0, 1, 2 and so on")
                })
            };
            let all = (0..stack.len()).flat_map(|row| stack.row(row).map(move |x| (row, x)));
            let values = Numbers::Index(all.map(class).collect::<Result<Vec<u32>>>()?);
            Ok(Some(Array::like_stack(&field.name, &stack, values)))
        }
        Gives::Classes(column, names) => {
            let c = d.column(column).map_err(|e| lift(&e, at))?;
            let words = crate::language::builtins::regress::group_words(c);
            let mut labels = Vec::with_capacity(words.len());
            for (row, word) in words.iter().enumerate() {
                let Some(k) = names.iter().position(|n| n == word) else {
                    let message =
                        format!("expected a class of the training, found `{word}` in row {}", row + 1);
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
        Gives::Classes(_, names) => made.with_classes(names.clone()),
        _ => made,
    })
}
