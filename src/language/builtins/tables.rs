//! Datasets as tables: choosing, deriving, ordering, grouping and joining, and their way into files of arrays.

use std::sync::Arc;

use super::Body;
use crate::data::{self, Array, Column, Dataset, Join, Values};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::formulas::{Formula, ROWS, from_values};
use crate::language::operations as op;
use crate::language::value::{Function, Record, Value};

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("filter", filter),
    ("select", select),
    ("with", with),
    ("rename", rename),
    ("drop", drop_columns),
    ("group", group),
    ("unique", unique),
    ("head", head),
    ("tail", tail),
    ("drop_missing", drop_missing),
    ("is_missing", is_missing),
    ("count", count),
    ("describe", describe),
    ("split", split),
    ("dataset", dataset),
    ("preview", preview),
];

fn set(d: Dataset) -> Value {
    Value::Dataset(Arc::new(d))
}

/// Names that a variadic parameter or one of type `columns` took.
fn names(args: &Args, parameter: &str) -> Result<Vec<Arc<str>>> {
    let items = args.list(parameter)?;
    items
        .iter()
        .map(|v| match v {
            Value::Text(t) => Ok(t.clone()),
            other => Err(args.wrong(parameter, "names of columns", other)),
        })
        .collect()
}

fn filter(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let condition = args.formula("condition")?;
    let mask = Formula::new(&d, &condition, args.span_of("condition")).mask(context)?;
    // A row that lacks what the condition asks for does not fulfil it.
    let mask: Vec<bool> = mask.into_iter().map(|t| t == Some(true)).collect();
    Ok(set(d.filter(&mask).map_err(|e| lift(&e, args.span))?))
}

fn select(_: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let names = names(args, "columns")?;
    if names.is_empty() {
        return Err(fault_hint(6004, args.span, "expected at least one column", "select(d, a, T)"));
    }
    let names: Vec<&str> = names.iter().map(|n| &**n).collect();
    Ok(set(d.select(&names).map_err(|e| lift(&e, args.span_of("columns")))?))
}

fn with(context: &mut Context, args: &Args) -> Result<Value> {
    let mut d = (*args.dataset("data")?).clone();
    let formulas = args.formulas("columns")?;
    if formulas.is_empty() {
        return Err(fault_hint(6004, args.span, "expected at least one new column", "with(d, v: x/t)"));
    }
    for (name, formula) in formulas {
        let at = formula.tree.span(formula.body);
        let mut column = Formula::new(&d, &formula, at).column(context, &name)?;
        if let Some(old) = d.get(&name).filter(|_| column.is_numeric()) {
            column.role = old.role;
        } else if column.role == data::Role::Target {
            column.role = data::Role::Feature;
        }
        d = d.with_column(column).map_err(|e| lift(&e, at))?;
    }
    Ok(set(d))
}

fn rename(_: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let mut pairs = Vec::new();
    for (new, formula) in args.formulas("names")? {
        let at = formula.tree.span(formula.body);
        let old = Formula::new(&d, &formula, at).names()?;
        let [old] = old.as_slice() else {
            return Err(fault_hint(6006, at, "expected one name", "rename(d, new: old)"));
        };
        d.column(old).map_err(|e| lift(&e, at))?;
        pairs.push((old.clone(), new));
    }
    if pairs.is_empty() {
        return Err(fault_hint(6004, args.span, "expected at least one new name", "rename(d, new: old)"));
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(old, new)| (&**old, &**new)).collect();
    Ok(set(d.rename(&pairs).map_err(|e| lift(&e, args.span))?))
}

fn drop_columns(_: &mut Context, args: &Args) -> Result<Value> {
    let names = names(args, "columns")?;
    let names: Vec<&str> = names.iter().map(|n| &**n).collect();
    let found = args.dataset("data")?.without(&names);
    Ok(set(found.map_err(|e| lift(&e, args.span_of("columns")))?))
}

/// `sort(d, by: [kind, -v])`: names, a formula, or a list of them; a minus turns the order around.
pub fn sort(context: &mut Context, args: &Args) -> Result<Value> {
    use crate::syntax::tree::{ExprKind, StrPart};
    let d = args.dataset("data")?;
    let by = args.formula("by")?;
    let all_down = args.boolean("descending")?;
    let ids = match by.tree.expr(by.body) {
        ExprKind::List(items) => items.clone(),
        _ => vec![by.body],
    };
    let mut keys: Vec<(Column, bool)> = Vec::with_capacity(ids.len());
    for id in ids {
        let at = by.tree.span(id);
        let (id, down) = match by.tree.expr(id) {
            ExprKind::Neg(inner) => (*inner, !all_down),
            ExprKind::Sum(terms) if matches!(terms.as_slice(), [(crate::syntax::tree::Sign::Minus, _)]) => {
                (terms[0].1, !all_down)
            }
            _ => (id, all_down),
        };
        let column = match by.tree.expr(id) {
            ExprKind::Str { parts, .. } if matches!(parts.as_slice(), [StrPart::Text(_)]) => {
                let [StrPart::Text(name)] = parts.as_slice() else { continue };
                (**d.column(name).map_err(|e| lift(&e, at))?).clone()
            }
            _ => {
                let part = crate::language::value::UserFunction {
                    name: by.name.clone(),
                    params: Vec::new(),
                    result: None,
                    body: id,
                    wheres: Vec::new(),
                    tree: by.tree.clone(),
                    captured: by.captured.clone(),
                };
                Formula::new(&d, &part, at).column(context, "by")?
            }
        };
        keys.push((column, down));
    }
    let keys: Vec<(&Column, bool)> = keys.iter().map(|(c, down)| (c, *down)).collect();
    Ok(set(d.take(&data::order(&keys, d.rows())).map_err(|e| lift(&e, args.span))?))
}

fn group(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let by = names(args, "by")?;
    let by: Vec<&str> = by.iter().map(|n| &**n).collect();
    let groups = d.groups(&by).map_err(|e| lift(&e, args.span_of("by")))?;
    let mut found = groups.keys.clone();
    let formulas = args.formulas("values")?;
    if formulas.is_empty() {
        let counts = groups.rows.iter().map(|g| g.len() as i64).collect();
        let column = fresh(&found, Column::new("count", None, Values::Integer(counts)), args.span)?;
        return Ok(set(found.with_column(column).map_err(|e| lift(&e, args.span))?));
    }
    let parts: Vec<Dataset> = groups
        .rows
        .iter()
        .map(|g| d.take(g))
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| lift(&e, args.span))?;
    for (name, formula) in formulas {
        let at = formula.tree.span(formula.body);
        let mut values = Vec::with_capacity(parts.len());
        for part in &parts {
            context.poll(at)?;
            values.push(Formula::new(part, &formula, at).value(context)?);
        }
        let column = fresh(&found, from_values(&name, &values, at)?, at)?;
        found = found.with_column(column).map_err(|e| lift(&e, at))?;
    }
    Ok(set(found))
}

/// A column whose name the dataset does not have.
fn fresh(d: &Dataset, column: Column, at: crate::base::Span) -> Result<Column> {
    if d.get(&column.name).is_none() {
        return Ok(column);
    }
    let name = &column.name;
    let message = format!("expected a new name, found `{name}`, a column that groups are made by");
    Err(fault_hint(6007, at, message, format!("{name}_of_group: ...")))
}

/// `join` of datasets.
pub fn join(_: &mut Context, args: &Args) -> Result<Value> {
    let (left, right) = (args.dataset("left")?, args.dataset("right")?);
    let on = names(args, "on")?;
    let on: Vec<&str> = on.iter().map(|n| &**n).collect();
    let how = match &*args.word("how")? {
        "inner" => Join::Inner,
        "left" => Join::Left,
        _ => Join::Outer,
    };
    Ok(set(left.join(&right, &on, how).map_err(|e| lift(&e, args.span))?))
}

/// `concat` of datasets.
pub fn concat(_: &mut Context, args: &Args) -> Result<Value> {
    let items = args.list("data")?;
    let parts: Result<Vec<Arc<Dataset>>> = items
        .iter()
        .map(|v| match v.plain() {
            Value::Dataset(d) => Ok(d.clone()),
            other => Err(args.wrong("data", "datasets", other)),
        })
        .collect();
    let parts = parts?;
    let parts: Vec<&Dataset> = parts.iter().map(|d| &**d).collect();
    Ok(set(Dataset::concat(&parts).map_err(|e| lift(&e, args.span))?))
}

fn unique(context: &mut Context, args: &Args) -> Result<Value> {
    if let Some(Value::Dataset(d)) = args.get("data") {
        let names = names(args, "columns")?;
        let names: Vec<&str> = names.iter().map(|n| &**n).collect();
        return Ok(set(d.unique(&names).map_err(|e| lift(&e, args.span_of("columns")))?));
    }
    let value = args.value("xs")?.clone();
    if let Value::Column(c) = value.plain() {
        let d = Dataset::new("unique", vec![(**c).clone()]).map_err(|e| lift(&e, args.span))?;
        let d = d.unique(&[]).map_err(|e| lift(&e, args.span))?;
        return Ok(op::as_list(&Value::Column(d.columns()[0].clone())).map_or(Value::Nothing, Value::List));
    }
    let mut found: Vec<Value> = Vec::new();
    for item in context.elements(&value, args.span_of("xs"))? {
        context.poll(args.span)?;
        let mut known = false;
        for other in &found {
            known = known || crate::language::decide::equal_values(context, other, &item, args.span)?;
        }
        if !known {
            found.push(item);
        }
    }
    Ok(Value::list(found))
}

fn rows(args: &Args) -> Result<usize> {
    let n = args.integer("rows")?;
    usize::try_from(n)
        .map_err(|_| fault(6006, args.span_of("rows"), format!("expected a number of rows, found {n}")))
}

fn head(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(set(args.dataset("data")?.slice(0..rows(args)?)))
}

fn tail(_: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    Ok(set(d.slice(d.rows().saturating_sub(rows(args)?)..d.rows())))
}

fn drop_missing(_: &mut Context, args: &Args) -> Result<Value> {
    let names = names(args, "columns")?;
    let names: Vec<&str> = names.iter().map(|n| &**n).collect();
    let found = args.dataset("data")?.drop_missing(&names);
    Ok(set(found.map_err(|e| lift(&e, args.span_of("columns")))?))
}

fn is_missing(_: &mut Context, args: &Args) -> Result<Value> {
    let lacks = |v: &Value| Value::boolean(matches!(v, Value::Nothing));
    // `get` takes a missing value for a missing argument.
    let value = args.values.first().and_then(Option::as_ref).unwrap_or(&Value::Nothing);
    Ok(match value.plain() {
        Value::Column(c) => Value::list((0..c.len()).map(|i| Value::boolean(c.is_missing(i))).collect()),
        Value::List(items) => Value::list(items.iter().map(lacks).collect()),
        other => lacks(other),
    })
}

fn count(context: &mut Context, args: &Args) -> Result<Value> {
    let n = match args.get("xs").map(Value::plain) {
        None => {
            return context.lookup(ROWS).ok_or_else(|| {
                let message =
                    "`count()` counts the rows of a group, which there are only in `group` and `with`";
                fault_hint(6004, args.span, message, "group(d, by: kind) { n: count() }, or length(d)")
            });
        }
        Some(Value::Dataset(d)) => d.rows(),
        Some(other) => match op::as_list(other) {
            Some(items) => items.iter().filter(|v| !matches!(v, Value::Nothing)).count(),
            None => return Err(args.wrong("xs", "a list, column or dataset", other)),
        },
    };
    Ok(Value::int(n as i64))
}

fn describe(_: &mut Context, args: &Args) -> Result<Value> {
    Ok(set(args.dataset("data")?.describe().map_err(|e| lift(&e, args.span))?))
}

fn split(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let (train, validation) = (args.real("train")?, args.real("validation")?);
    if !(train > 0.0 && validation >= 0.0 && train + validation <= 1.0 + 1e-12) {
        return Err(fault_hint(
            6006,
            args.span,
            format!("expected shares that add up to at most 1, found {train} and {validation}"),
            "split(d, train: 0.8, validation: 0.1)",
        ));
    }
    let seed = super::data::seed(context, args)?;
    let parts = d.split(train, validation, seed).map_err(|e| lift(&e, args.span))?;
    Ok(Value::record(vec![
        ("train", set(parts.train)),
        ("validation", set(parts.validation)),
        ("test", set(parts.test)),
    ]))
}

/// The rows of these numbers that a function makes: `f(k)` is the record of row k.
pub(super) fn rows_of(
    context: &mut Context,
    f: &Function,
    numbers: std::ops::Range<u64>,
    at: crate::base::Span,
) -> Result<Dataset> {
    let mut columns: Vec<(crate::syntax::tree::Name, Vec<Value>)> = Vec::new();
    for (row, k) in numbers.enumerate() {
        context.poll(at)?;
        let made = context.apply(f, vec![Value::int(k as i64)], at)?;
        let Value::Record(record) = made.plain() else {
            let message = format!("expected a record for row {k}, found a {}", made.kind_name());
            return Err(fault_hint(6006, at, message, "f(k) = {x: k, y: 2*k}"));
        };
        if row == 0 {
            columns = record.entries.iter().map(|(n, _)| (n.clone(), Vec::new())).collect();
        }
        if record.entries.len() != columns.len() {
            let (expected, found) = (columns.len(), record.entries.len());
            return Err(fault(6014, at, format!("expected {expected} entries in row {k}, found {found}")));
        }
        for (name, cells) in &mut columns {
            let Some(value) = record.get(name) else {
                return Err(fault(
                    6014,
                    at,
                    format!("expected `{name}` in row {k} as in the first, found none"),
                ));
            };
            cells.push(value.clone());
        }
    }
    let columns: Result<Vec<Column>> =
        columns.iter().map(|(name, cells)| from_values(name, cells, at)).collect();
    Dataset::new("rows of a function", columns?).map_err(|e| lift(&e, at))
}

fn dataset(context: &mut Context, args: &Args) -> Result<Value> {
    if let Value::Function(f) = args.value("columns")?.plain() {
        let f = f.clone();
        if args.get("rows").is_none() {
            let message = "expected `rows` beside a function that makes them, found none";
            return Err(fault_hint(6004, args.span, message, "dataset(f, rows: 100)"));
        }
        let n = rows(args)? as u64;
        return Ok(set(rows_of(context, &f, 0..n, args.span_of("columns"))?));
    }
    if args.get("rows").is_some() {
        let message = "`rows` is for a function that makes them, found lists";
        return Err(fault_hint(6006, args.span_of("rows"), message, "head(d, 5)"));
    }
    let Value::Record(r) = args.value("columns")?.plain() else {
        return Err(args.wrong(
            "columns",
            "a record of lists, or a function of the row",
            args.value("columns")?,
        ));
    };
    let at = args.span_of("columns");
    let mut columns = Vec::new();
    for (name, value) in &r.entries {
        if let Value::Column(c) = value.plain() {
            columns.push(Column { name: Arc::from(&**name), ..(**c).clone() });
            continue;
        }
        let Some(items) = op::as_list(value) else {
            return Err(fault(
                6006,
                at,
                format!("expected a list in `{name}`, found a {}", value.kind_name()),
            ));
        };
        columns.push(from_values(name, &items, at)?);
    }
    Ok(set(Dataset::new("dataset", columns).map_err(|e| lift(&e, at))?))
}

fn preview(_: &mut Context, args: &Args) -> Result<Value> {
    let rows = args.integer("rows")?.clamp(0, 10_000) as usize;
    Ok(Value::text(args.dataset("data")?.preview(rows)))
}

/// The bytes of a value as a file with this ending; `None` where it has no such form.
pub fn bytes(value: &Value, ending: &str, args: &Args) -> Result<Option<Vec<u8>>> {
    let at = args.span_of("path");
    let alone = |c: &Arc<Column>| Dataset::new("column", vec![(**c).clone()]).map_err(|e| lift(&e, at));
    Ok(Some(match (value.plain(), ending) {
        (Value::Dataset(d), "csv") => data::csv_text(d).map_err(|e| lift(&e, at))?.into_bytes(),
        (Value::Column(c), "csv") => data::csv_text(&alone(c)?).map_err(|e| lift(&e, at))?.into_bytes(),
        (Value::Dataset(d), "npy") => data::npy_bytes(d).map_err(|e| lift(&e, at))?,
        (Value::Dataset(d), "npz") => data::npz_bytes(d).map_err(|e| lift(&e, at))?,
        (Value::Column(c), "npz") => data::npz_bytes(&alone(c)?).map_err(|e| lift(&e, at))?,
        // Errors and missing whole numbers need fields.
        (Value::Column(c), "npy") if c.errors.is_some() || c.missing.is_some() => {
            data::npy_bytes(&alone(c)?).map_err(|e| lift(&e, at))?
        }
        (Value::Column(_) | Value::List(_), "npy") => array(value, args)?.npy(),
        (Value::Record(r), "npz") => {
            let arrays = arrays(r, args)?;
            data::npz_of_arrays(&arrays).map_err(|e| lift(&e, at))?
        }
        _ => return Ok(None),
    }))
}

fn arrays(r: &Record, args: &Args) -> Result<Vec<(String, Array)>> {
    r.entries.iter().map(|(name, value)| Ok((name.to_string(), array(value, args)?))).collect()
}

/// A list, matrix or column as an array of plain numbers (of quantities, in the unit of the first) or texts.
fn array(value: &Value, args: &Args) -> Result<Array> {
    let at = args.span_of("value");
    let plain = |c: Column| {
        if c.errors.is_none() {
            return Ok(c.values);
        }
        let hint = "export(dataset({x: xs}), \"d.npz\")";
        Err(fault_hint(6040, at, "expected numbers for an array, found uncertain ones", hint))
    };
    let vector = |c: Column| {
        let name = c.name.clone();
        Array::vector(&name, plain(c)?).map_err(|e| lift(&e, at))
    };
    if let Value::Column(c) = value.plain() {
        return vector((**c).clone());
    }
    let Some(items) = op::as_list(value) else {
        return Err(args.wrong("value", "lists, matrices or columns", value));
    };
    let nested = |v: &Value| op::as_list(v).is_some_and(|l| l.iter().any(|v| op::as_list(v).is_some()));
    if !crate::language::value::is_matrix(&items) || items.iter().any(nested) {
        return vector(from_values("the list", &items, at)?);
    }
    let rows: Vec<Arc<Vec<Value>>> = items.iter().filter_map(op::as_list).collect();
    let width = rows.first().map_or(0, |r| r.len());
    let columns: Result<Vec<Values>> = (0..width)
        .map(|k| {
            let column: Vec<Value> = rows.iter().map(|r| r[k].clone()).collect();
            plain(from_values("the matrix", &column, at)?)
        })
        .collect();
    Ok(Array::Matrix(columns?))
}
