//! Datasets from NumPy's files and back. Names of fields and members are headers as in CSV files (`v [km/s]`,
//! `± v [km/s]`) where they read as such, else plain names. NaN stands for a missing value.

use super::column::{Column, Role, Values};
use super::csv::{Missing, Names, ReadOptions, assemble};
use super::dataset::Dataset;
use super::error::{DataError, Place};
use super::stack::{Numbers, Stack};
use super::{npy, npz};
use crate::syntax;
use crate::units::{Catalogue, Unit};
use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::Arc;

/// The columns of an array without names are `x0`, `x1`, ...
const BASE: &str = "x";

/// Reads NPY from bytes; `name` is what messages call them.
///
/// # Errors
/// Bytes that are no such file, types and shapes that are no table, missing values unless options allow them.
pub fn read_npy_bytes(
    name: &str,
    bytes: &[u8],
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    dataset(name, npy::parse(name, BASE, bytes, options.whole)?, catalogue, options)
}

/// Reads NPZ from bytes; `name` is what messages call them.
///
/// # Errors
/// As [`read_npy_bytes`]; arrays of different lengths.
pub fn read_npz_bytes(
    name: &str,
    bytes: &[u8],
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    let members = npz::parse(name, bytes, options.member.as_deref(), options.whole)?;
    let length = |arrays: &npy::Arrays| arrays.first().map_or(0, |(_, v)| v.len());
    if let [(first, arrays), rest @ ..] = members.as_slice() {
        let rows = length(arrays);
        if let Some((other, arrays)) = rest.iter().find(|(_, a)| length(a) != rows) {
            return Err(DataError::NpzLengths {
                path: name.to_string(),
                first: (first.clone(), rows),
                other: (other.clone(), length(arrays)),
            });
        }
    }
    dataset(name, members.into_iter().flat_map(|m| m.1).collect(), catalogue, options)
}

/// Names and units of the columns of an NPY file, from its first bytes.
///
/// # Errors
/// As [`read_npy_bytes`], for what stands before the values.
pub(super) fn npy_names(
    name: &str,
    mut source: impl Read,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Names, DataError> {
    let mut head = Vec::new();
    let read = source.by_ref().take(1 << 21).read_to_end(&mut head);
    read.map_err(|e| DataError::Unreadable { path: name.to_string(), reason: super::write::reason(&e) })?;
    columns_of(name, npy::names(name, BASE, &head, options.whole)?, catalogue, options)
}

/// Names and units of the columns of an NPZ file.
///
/// # Errors
/// As [`read_npz_bytes`], for what stands before the values.
pub(super) fn npz_names(
    name: &str,
    source: impl Read + Seek,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Names, DataError> {
    let members = npz::names(name, source, options.member.as_deref(), options.whole)?;
    columns_of(name, members.into_iter().flat_map(|m| m.1).collect(), catalogue, options)
}

fn columns_of(
    file: &str,
    names: Vec<String>,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Names, DataError> {
    let found = headers(file, &names, catalogue, options)?;
    Ok(found.into_iter().filter(|h| !h.2).map(|(name, unit, _)| (name, unit)).collect())
}

type Header = (Arc<str>, Option<Unit>, bool);

/// Headers of the columns: those that options give, which must be right, else what the names say.
fn headers(
    file: &str,
    names: &[String],
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Vec<Header>, DataError> {
    if let Some(given) = &options.headers {
        super::csv::check_count(file, given.len(), names.len())?;
        return super::csv::given_headers(file, given, catalogue);
    }
    let mut found: Vec<Header> = names.iter().map(|n| header(n, catalogue)).collect();
    let plain: HashSet<Arc<str>> = found.iter().filter(|h| !h.2).map(|h| h.0.clone()).collect();
    let mut met = HashSet::new();
    for (h, name) in found.iter_mut().zip(names) {
        // Errors without a column to belong to, or twice, are a column.
        if h.2 && (!plain.contains(&h.0) || !met.insert(h.0.clone())) {
            *h = (name.as_str().into(), None, false);
        }
    }
    Ok(found)
}

/// What a name says as a header; the name itself where it is none.
fn header(name: &str, catalogue: &Catalogue) -> Header {
    let read = || {
        let (name, unit, errors) = syntax::parse_header(name).ok()?;
        let unit = match unit {
            Some(unit) => Some(catalogue.resolve(&unit).ok()?),
            None => None,
        };
        Some((super::csv::column_name(name), unit, errors))
    };
    read().unwrap_or_else(|| (if name.is_empty() { BASE.into() } else { name.into() }, None, false))
}

fn dataset(
    file: &str,
    arrays: npy::Arrays,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    let names: Vec<String> = arrays.iter().map(|a| a.0.clone()).collect();
    let headers = headers(file, &names, catalogue, options)?;
    let mut columns = Vec::with_capacity(arrays.len());
    for ((name, unit, errors), (_, values)) in headers.into_iter().zip(arrays) {
        columns.push(column(file, &name, unit, errors, values, options)?);
    }
    assemble(file, columns, options)
}

fn column(
    file: &str,
    name: &str,
    unit: Option<Unit>,
    errors: bool,
    values: Values,
    options: &ReadOptions,
) -> Result<Column, DataError> {
    let shown = if errors { format!("± {name}") } else { name.to_string() };
    let place = |row: usize| Place { file: file.to_string(), row, line: 0, column: shown.clone() };
    let parts: Vec<f64> = match &values {
        Values::F64(v) => v.clone(),
        // Missing where either part is.
        Values::Complex(v) => v.iter().map(|(re, im)| re + 0.0 * im).collect(),
        Values::Integer(_) => Vec::new(),
        Values::Array(v) if errors => {
            return Err(DataError::NpyShape {
                path: file.to_string(),
                expected: format!("one standard error a row in `{shown}`"),
                found: format!("arrays {}", v.shape()),
                hint: "leave the errors out, or give them another name".to_string(),
            });
        }
        // Missing where a number of the array is.
        Values::Array(v) => (0..v.len()).map(|row| v.row(row).fold(0.0, |sum, x| sum + 0.0 * x)).collect(),
        Values::Label(v) if errors || unit.is_some() => {
            let text = v.first().map(|t| t.to_string()).unwrap_or_default();
            return Err(DataError::TextCell { place: place(0), text });
        }
        Values::Label(_) => Vec::new(),
    };
    let infinite = |x: &f64| x.is_infinite();
    let endless = match &values {
        Values::Complex(v) => v.iter().position(|(re, im)| infinite(re) || infinite(im)),
        Values::Array(v) => (0..v.len()).find(|row| v.row(*row).any(|x| infinite(&x))),
        _ => parts.iter().position(infinite),
    };
    if let Some(row) = endless {
        return Err(DataError::NotFinite { place: place(row), text: "inf".to_string() });
    }
    let missing: Vec<bool> = parts.iter().map(|x| x.is_nan()).collect();
    if let Some(row) = missing.iter().position(|m| *m).filter(|_| options.missing == Missing::Fault) {
        return Err(DataError::NotFinite { place: place(row), text: "nan".to_string() });
    }
    let values = match values {
        // What is missing has no parts.
        Values::Complex(mut v) => {
            v.iter_mut().zip(&missing).filter(|(_, m)| **m).for_each(|(z, _)| *z = (f64::NAN, f64::NAN));
            Values::Complex(v)
        }
        values => values,
    };
    let mut column = Column::new(name, unit, values);
    column.missing = missing.contains(&true).then_some(missing);
    if errors {
        column.role = Role::Error;
        let sizes = column.floats_in_unit();
        if let Some(row) = sizes.iter().position(|e| *e < 0.0) {
            return Err(DataError::NegativeError { place: place(row), value: sizes[row] });
        }
        column.values = Values::F64(sizes);
    }
    Ok(column)
}

/// Columns with their errors under their headers; missing numbers are NaN, so that they are floats.
fn written(data: &Dataset) -> Vec<(String, Values)> {
    let mut all = Vec::new();
    for column in data.columns() {
        let values = match &column.values {
            Values::Integer(_) | Values::F64(_) if column.missing.is_some() => {
                Values::F64(column.floats_in_unit())
            }
            Values::Complex(v) if column.missing.is_some() => Values::Complex(
                v.iter()
                    .enumerate()
                    .map(|(i, z)| if column.is_missing(i) { (f64::NAN, f64::NAN) } else { *z })
                    .collect(),
            ),
            // Whole numbers have no NaN.
            Values::Array(v) if column.missing.is_some() => {
                let rows: Vec<Option<usize>> =
                    (0..v.len()).map(|i| (!column.is_missing(i)).then_some(i)).collect();
                let floats = match v.numbers() {
                    Numbers::U8(x) => {
                        Stack::new(v.sizes(), x.iter().map(|x| f32::from(*x)).collect::<Vec<f32>>())
                    }
                    _ => None,
                };
                Values::Array(floats.as_ref().unwrap_or(v).take_or_missing(&rows))
            }
            values => values.clone(),
        };
        all.push((column.header(), values));
        if let Some(errors) = &column.errors {
            let errors = errors.iter().enumerate();
            let errors = errors.map(|(i, e)| if column.is_missing(i) { f64::NAN } else { *e }).collect();
            all.push((format!("± {}", column.header()), Values::F64(errors)));
        }
    }
    all
}

/// A fault where the rows of arrays differ in length, for which NumPy's arrays have no place.
fn of_one_shape<'a>(columns: impl Iterator<Item = (&'a str, &'a Values)>) -> Result<(), DataError> {
    for (name, values) in columns {
        if let Values::Array(stack) = values
            && stack.varies()
        {
            return Err(DataError::Varying { name: name.to_string(), shape: stack.shape() });
        }
    }
    Ok(())
}

fn checked(data: &Dataset) -> Result<(), DataError> {
    of_one_shape(data.columns().iter().map(|c| (&*c.name, &c.values)))
}

/// A dataset as an NPY file of a structured type, a field for each column and for its errors, headed as in CSV.
///
/// # Errors
/// [`DataError::Varying`] where the arrays of a column differ in length.
pub fn npy_bytes(data: &Dataset) -> Result<Vec<u8>, DataError> {
    checked(data)?;
    let columns = written(data);
    Ok(npy::structured(&columns.iter().map(|(name, v)| (name.clone(), v)).collect::<Vec<_>>()))
}

/// A dataset as an NPZ file, an array for each column and for its errors, named as in CSV.
///
/// # Errors
/// [`DataError::Write`] where the archive cannot be written, [`DataError::Varying`] where the arrays of a column differ in
/// length.
pub fn npz_bytes(data: &Dataset) -> Result<Vec<u8>, DataError> {
    checked(data)?;
    let members: Vec<(String, Vec<u8>)> =
        written(data).iter().map(|(name, v)| (name.clone(), npz::single(v))).collect();
    npz::archive(&data.source, &members)
}

/// An array: the numbers or texts of one dimension, or the columns of a matrix.
#[derive(Clone, PartialEq, Debug)]
pub enum Array {
    /// One dimension.
    Vector(Values),
    /// Two dimensions, by columns of equal length.
    Matrix(Vec<Values>),
}

impl Array {
    /// Values of one dimension.
    ///
    /// # Errors
    /// [`DataError::Varying`] where they are arrays that differ in length.
    pub fn vector(name: &str, values: Values) -> Result<Array, DataError> {
        of_one_shape(std::iter::once((name, &values)))?;
        Ok(Array::Vector(values))
    }

    /// As an NPY file. Columns of a matrix are written as the widest of their kinds.
    pub fn npy(&self) -> Vec<u8> {
        match self {
            Array::Vector(values) => npz::single(values),
            Array::Matrix(columns) => npy::array(&columns.iter().collect::<Vec<_>>(), true),
        }
    }
}

/// Arrays by name as an NPZ file.
///
/// # Errors
/// [`DataError::Write`] where the archive cannot be written.
pub fn npz_of_arrays(arrays: &[(String, Array)]) -> Result<Vec<u8>, DataError> {
    let members: Vec<(String, Vec<u8>)> = arrays.iter().map(|(name, a)| (name.clone(), a.npy())).collect();
    npz::archive("npz", &members)
}
