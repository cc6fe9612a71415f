//! Datasets put together: one below the other, or side by side where their keys agree (a hash join that keeps the
//! order of the left rows). Also renaming and leaving out columns, and rows without missing values.

use super::column::{Column, Values};
use super::dataset::Dataset;
use super::error::DataError;
use super::stack::Stack;
use crate::units::Unit;
use std::collections::HashMap;
use std::sync::Arc;

/// A join has at most this many rows.
const MAX_ROWS: usize = 100_000_000;

/// Which rows of a join stay that have no partner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// None.
    Inner,
    /// Those of the left dataset.
    Left,
    /// Those of both.
    Outer,
}

impl Dataset {
    /// The data without some columns.
    ///
    /// # Errors
    /// A name that is no column.
    pub fn without(&self, names: &[&str]) -> Result<Dataset, DataError> {
        names.iter().try_for_each(|n| self.column(n).map(|_| ()))?;
        let rest: Vec<&str> = self.names().filter(|n| !names.contains(n)).collect();
        self.select(&rest)
    }

    /// The data with other names of columns: pairs of old and new.
    ///
    /// # Errors
    /// A name that is no column, or two columns of one name.
    pub fn rename(&self, pairs: &[(&str, &str)]) -> Result<Dataset, DataError> {
        pairs.iter().try_for_each(|(old, _)| self.column(old).map(|_| ()))?;
        let columns = self.columns().iter().map(|c| {
            let new = pairs.iter().find(|(old, _)| **old == *c.name).map_or(&*c.name, |(_, new)| *new);
            Column { name: new.into(), ..(**c).clone() }
        });
        Dataset::new(&self.source, columns.collect())
    }

    /// The rows that have a value in each of these columns; in every column for an empty list.
    ///
    /// # Errors
    /// A name that is no column.
    pub fn drop_missing(&self, names: &[&str]) -> Result<Dataset, DataError> {
        names.iter().try_for_each(|n| self.column(n).map(|_| ()))?;
        self.take(&self.complete_rows(names))
    }

    /// The rows of all, one dataset after the other, in the columns and units of the first.
    ///
    /// # Errors
    /// Datasets with other columns, units that do not convert, texts beside numbers.
    pub fn concat(parts: &[&Dataset]) -> Result<Dataset, DataError> {
        let [first, rest @ ..] = parts else { return Dataset::new("concat", Vec::new()) };
        for (at, part) in rest.iter().enumerate() {
            let lacks = first.names().find(|n| part.get(n).is_none());
            let extra = part.names().find(|n| first.get(n).is_none());
            if let Some(name) = lacks.or(extra) {
                let place = if lacks.is_some() { at + 2 } else { 1 };
                return Err(DataError::UnlikeColumns { name: name.to_string(), place });
            }
        }
        let mut columns = Vec::with_capacity(first.columns().len());
        for column in first.columns() {
            let mut all = vec![(**column).clone()];
            for part in rest {
                let own = part.column(&column.name)?;
                all.push(like(own, column)?);
            }
            columns.push(stack(all)?);
        }
        Dataset::new(&first.source, columns)
    }

    /// The rows of this dataset beside those of another that agree with them in the columns `on`. Rows stay in the
    /// order of this dataset, then of the other. A column of the other that has a name of this dataset's gets the
    /// ending `_right`. Missing keys agree with nothing.
    ///
    /// # Errors
    /// A key that is no column of both, or whose units do not convert; too many rows.
    pub fn join(&self, other: &Dataset, on: &[&str], how: Join) -> Result<Dataset, DataError> {
        let mut own_keys = Vec::with_capacity(on.len());
        let mut other_keys = Vec::with_capacity(on.len());
        for name in on {
            let own = self.column(name)?;
            own_keys.push(own.clone());
            other_keys.push(Arc::new(like(other.column(name)?, own)?));
        }
        let whole = own_keys
            .iter()
            .zip(&other_keys)
            .map(|(a, b)| matches!((&a.values, &b.values), (Values::Integer(_), Values::Integer(_))))
            .collect::<Vec<bool>>();
        let mut places: HashMap<Vec<Atom>, Vec<usize>> = HashMap::with_capacity(other.rows());
        for row in 0..other.rows() {
            if let Some(key) = key(&other_keys, &whole, row) {
                places.entry(key).or_default().push(row);
            }
        }
        let mut pairs: Vec<(Option<usize>, Option<usize>)> = Vec::with_capacity(self.rows());
        let mut met = vec![false; if how == Join::Outer { other.rows() } else { 0 }];
        for row in 0..self.rows() {
            match key(&own_keys, &whole, row).and_then(|k| places.get(&k)) {
                Some(partners) => {
                    if pairs.len() + partners.len() > MAX_ROWS {
                        return Err(DataError::option(
                            "on",
                            "keys that give at most 100 000 000 rows",
                            "more",
                        ));
                    }
                    for partner in partners {
                        pairs.push((Some(row), Some(*partner)));
                        if let Some(m) = met.get_mut(*partner) {
                            *m = true;
                        }
                    }
                }
                None if how == Join::Inner => {}
                None => pairs.push((Some(row), None)),
            }
        }
        pairs.extend(met.iter().enumerate().filter(|(_, met)| !**met).map(|(row, _)| (None, Some(row))));
        let left: Vec<Option<usize>> = pairs.iter().map(|p| p.0).collect();
        let right: Vec<Option<usize>> = pairs.iter().map(|p| p.1).collect();
        let mut columns: Vec<Column> = self.columns().iter().map(|c| c.take_or_missing(&left)).collect();
        if how == Join::Outer && pairs.iter().any(|p| p.0.is_none()) {
            // A row of the other dataset alone has its keys.
            let alone: Vec<Option<usize>> =
                pairs.iter().map(|p| if p.0.is_none() { p.1 } else { None }).collect();
            for key in &other_keys {
                if let Some(column) = columns.iter_mut().find(|c| c.name == key.name) {
                    fill(column, &key.take_or_missing(&alone));
                }
            }
        }
        for column in other.columns() {
            if on.contains(&&*column.name) {
                continue;
            }
            let mut taken = column.take_or_missing(&right);
            if self.get(&column.name).is_some() {
                taken.name = format!("{}_right", column.name).into();
            }
            // The target stays that of this dataset.
            if taken.role == super::column::Role::Target {
                taken.role = super::column::Role::Feature;
            }
            columns.push(taken);
        }
        Dataset::new(&self.source, columns)
    }
}

/// One value of a key.
#[derive(PartialEq, Eq, Hash)]
enum Atom {
    Integer(i64),
    Float(u64),
    Label(Arc<str>),
}

/// The key of a row; `None` where a part of it is missing.
fn key(columns: &[Arc<Column>], whole: &[bool], row: usize) -> Option<Vec<Atom>> {
    let mut key = Vec::with_capacity(columns.len());
    for (column, whole) in columns.iter().zip(whole) {
        if column.is_missing(row) {
            return None;
        }
        let float = |x: f64| (!x.is_nan()).then(|| Atom::Float((x + 0.0).to_bits()));
        let atom = match &column.values {
            Values::Integer(v) if *whole => Atom::Integer(v[row]),
            Values::Integer(v) => float(v[row] as f64)?,
            Values::F64(v) => float(v[row])?,
            Values::Label(v) => Atom::Label(v[row].clone()),
            Values::Complex(v) => {
                key.push(float(v[row].0)?);
                float(v[row].1)?
            }
            Values::Array(v) => {
                // Rows that differ in length end somewhere.
                key.push(Atom::Integer(v.length(row) as i64));
                key.extend(v.row(row).map(float).collect::<Option<Vec<Atom>>>()?);
                continue;
            }
        };
        key.push(atom);
    }
    Some(key)
}

/// A column in the unit of another of its name, which must hold the same kind of values.
fn like(column: &Column, model: &Column) -> Result<Column, DataError> {
    let kind = |c: &Column| match c.arrays() {
        Some(stack) => format!("arrays {}", stack.shape()),
        None => c.kind().to_string(),
    };
    let alike = match (column.arrays(), model.arrays()) {
        (Some(a), Some(b)) => a.is_like(b),
        _ => kind(column) == kind(model),
    };
    if !alike {
        return Err(DataError::UnlikeValues {
            name: column.name.to_string(),
            expected: kind(model),
            found: kind(column),
        });
    }
    let unit = |u: Unit| if u.is_one() { "numbers without unit".to_string() } else { format!("[{u}]") };
    column.in_unit(model.unit.as_ref()).map_err(|(found, expected)| DataError::UnlikeValues {
        name: column.name.to_string(),
        expected: unit(expected),
        found: unit(found),
    })
}

/// Columns of one name, unit and kind, one below the other.
fn stack(parts: Vec<Column>) -> Result<Column, DataError> {
    let with = parts.iter().filter(|c| c.errors.is_some()).count();
    if with != 0 && with != parts.len() {
        let place = parts.iter().position(|c| c.errors.is_none()).unwrap_or(0) + 1;
        return Err(DataError::UnlikeColumns { name: format!("± {}", parts[0].name), place });
    }
    let whole = parts.iter().all(|c| matches!(c.values, Values::Integer(_)));
    let rows: usize = parts.iter().map(Column::len).sum();
    let values = match &parts[0].values {
        Values::Label(_) => Values::Label(flat(&parts, |v| match v {
            Values::Label(v) => v.clone(),
            _ => Vec::new(),
        })),
        Values::Complex(_) => Values::Complex(flat(&parts, |v| match v {
            Values::Complex(v) => v.clone(),
            _ => Vec::new(),
        })),
        Values::Array(first) => {
            let stacks: Vec<&Stack> = parts.iter().filter_map(Column::arrays).collect();
            // `like` saw to equal shapes.
            Values::Array(Stack::concat(&stacks).unwrap_or_else(|| first.clone()))
        }
        _ if whole => Values::Integer(flat(&parts, |v| match v {
            Values::Integer(v) => v.clone(),
            _ => Vec::new(),
        })),
        _ => Values::F64(flat(&parts, |v| match v {
            Values::F64(v) => v.clone(),
            Values::Integer(v) => v.iter().map(|n| *n as f64).collect(),
            _ => Vec::new(),
        })),
    };
    let mut missing = Vec::with_capacity(rows);
    for c in &parts {
        missing.extend((0..c.len()).map(|i| c.is_missing(i)));
    }
    let decimals = parts.iter().map(|c| c.decimals).reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
    Ok(Column {
        name: parts[0].name.clone(),
        unit: parts[0].unit.clone(),
        role: parts[0].role,
        values,
        missing: missing.contains(&true).then_some(missing),
        errors: (with > 0).then(|| parts.iter().flat_map(|c| c.errors.clone().unwrap_or_default()).collect()),
        decimals,
    })
}

fn flat<T>(parts: &[Column], values: impl Fn(&Values) -> Vec<T>) -> Vec<T> {
    parts.iter().flat_map(|c| values(&c.values)).collect()
}

/// Puts the values of another column where one has none.
fn fill(column: &mut Column, from: &Column) {
    let rows: Vec<usize> =
        (0..column.len()).filter(|i| column.is_missing(*i) && !from.is_missing(*i)).collect();
    if let (Values::Integer(a), Values::F64(_)) = (&column.values, &from.values) {
        column.values = Values::F64(a.iter().map(|n| *n as f64).collect());
    }
    if let (Values::Array(a), Values::Array(b)) = (&mut column.values, &from.values) {
        *a = a.with_rows(b, &rows);
    }
    for i in rows {
        match (&mut column.values, &from.values) {
            (Values::F64(a), Values::F64(b)) => a[i] = b[i],
            (Values::F64(a), Values::Integer(b)) => a[i] = b[i] as f64,
            (Values::Integer(a), Values::Integer(b)) => a[i] = b[i],
            (Values::Label(a), Values::Label(b)) => a[i] = b[i].clone(),
            (Values::Complex(a), Values::Complex(b)) => a[i] = b[i],
            (Values::Array(_), Values::Array(_)) => {}
            _ => continue,
        }
        if let Some(missing) = &mut column.missing {
            missing[i] = false;
        }
        if let (Some(a), Some(b)) = (&mut column.errors, &from.errors) {
            a[i] = b[i];
        }
    }
    column.missing = column.missing.take().filter(|m| m.contains(&true));
}

#[cfg(test)]
mod tests;
