//! A column: name, unit, role, values of one kind, a mask of missing ones, and optional standard errors. The
//! numbers are kept as they were read, in the column's unit; [`Column::si_values`] converts on use.

use super::stack::Stack;
use crate::units::Unit;
use std::sync::Arc;

/// What a column is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Role {
    /// A variable.
    Feature,
    /// The variable that the others are functions of: the time of a path.
    Independent,
    /// What is to be explained; at most one column of a dataset.
    Target,
    /// Standard errors of another column that is not in the dataset any more.
    Error,
    /// Text.
    Label,
}

/// The values, one a row. Missing rows hold NaN, 0 or an empty text.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// Floats.
    F64(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<i64>),
    /// Texts.
    Label(Vec<Arc<str>>),
    /// Complex numbers: real and imaginary part.
    Complex(Vec<(f64, f64)>),
    /// Arrays of one shape, but for the first size, which may vary.
    Array(Stack),
}

impl Values {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Values::F64(v) => v.len(),
            Values::Integer(v) => v.len(),
            Values::Label(v) => v.len(),
            Values::Complex(v) => v.len(),
            Values::Array(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&self, rows: &[usize]) -> Values {
        match self {
            Values::F64(v) => Values::F64(rows.iter().map(|i| v[*i]).collect()),
            Values::Integer(v) => Values::Integer(rows.iter().map(|i| v[*i]).collect()),
            Values::Label(v) => Values::Label(rows.iter().map(|i| v[*i].clone()).collect()),
            Values::Complex(v) => Values::Complex(rows.iter().map(|i| v[*i]).collect()),
            Values::Array(v) => Values::Array(v.take(rows)),
        }
    }
}

/// One value of a column, in its unit.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// A float.
    F64(f64),
    /// A whole number.
    Integer(i64),
    /// A text.
    Label(Arc<str>),
    /// Real and imaginary part.
    Complex(f64, f64),
    /// An array: a stack of one.
    Array(Stack),
    /// Nothing was measured.
    Missing,
}

/// A column of a dataset.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name, as names are compared (`lambda` for a header `λ`).
    pub name: Arc<str>,
    /// The unit of values and errors; `None` where nobody said.
    pub unit: Option<Unit>,
    /// What it is for.
    pub role: Role,
    /// The values, in the unit.
    pub values: Values,
    /// True where a value is missing; `None` where none is.
    pub missing: Option<Vec<bool>>,
    /// Standard errors, in the unit.
    pub errors: Option<Vec<f64>>,
    /// Most digits after the point among the values as read (negative: `1e3` has -3); `None` where computed.
    pub decimals: Option<i32>,
}

impl Column {
    /// A column of values.
    pub fn new(name: &str, unit: Option<Unit>, values: Values) -> Column {
        let role = if matches!(values, Values::Label(_)) { Role::Label } else { Role::Feature };
        Column { name: name.into(), unit, role, values, missing: None, errors: None, decimals: None }
    }

    /// A column of floats in `unit`.
    pub fn floats(name: &str, unit: Option<Unit>, values: Vec<f64>) -> Column {
        Column::new(name, unit, Values::F64(values))
    }

    /// The same column for another purpose.
    pub fn with_role(mut self, role: Role) -> Column {
        self.role = role;
        self
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether its values are real numbers.
    pub fn is_numeric(&self) -> bool {
        matches!(self.values, Values::F64(_) | Values::Integer(_))
    }

    /// Its arrays, if it holds arrays.
    pub fn arrays(&self) -> Option<&Stack> {
        match &self.values {
            Values::Array(stack) => Some(stack),
            _ => None,
        }
    }

    /// What its values are, in words: `numbers`, `texts`.
    pub fn kind(&self) -> &'static str {
        match self.values {
            Values::F64(_) | Values::Integer(_) => "numbers",
            Values::Label(_) => "texts",
            Values::Complex(_) => "complex numbers",
            Values::Array(_) => "arrays",
        }
    }

    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        self.missing.as_ref().is_some_and(|m| m.get(row).copied().unwrap_or(false))
    }

    /// A value in the column's unit; `None` past the end.
    pub fn cell(&self, row: usize) -> Option<Cell> {
        if row >= self.len() {
            return None;
        }
        if self.is_missing(row) {
            return Some(Cell::Missing);
        }
        Some(match &self.values {
            Values::F64(v) => Cell::F64(v[row]),
            Values::Integer(v) => Cell::Integer(v[row]),
            Values::Label(v) => Cell::Label(v[row].clone()),
            Values::Complex(v) => Cell::Complex(v[row].0, v[row].1),
            Values::Array(v) => Cell::Array(v.take(&[row])),
        })
    }

    /// The values as floats in the column's unit; NaN for texts, complex numbers, arrays and missing values.
    pub fn floats_in_unit(&self) -> Vec<f64> {
        let mut values = match &self.values {
            Values::F64(v) => v.clone(),
            Values::Integer(v) => v.iter().map(|n| *n as f64).collect(),
            Values::Label(_) | Values::Complex(_) | Values::Array(_) => vec![f64::NAN; self.len()],
        };
        for (value, missing) in values.iter_mut().zip(self.missing.iter().flatten()) {
            if *missing {
                *value = f64::NAN;
            }
        }
        values
    }

    /// The values in coherent SI units, offsets and logarithms included; NaN where there is no real number.
    pub fn si_values(&self) -> Vec<f64> {
        let mut values = self.floats_in_unit();
        if let Some(unit) = &self.unit {
            values.iter_mut().for_each(|v| *v = unit.to_si(*v));
        }
        values
    }

    /// The standard errors in coherent SI units (of a logarithmic unit, through its derivative).
    pub fn si_errors(&self) -> Option<Vec<f64>> {
        let errors = self.errors.as_ref()?;
        let Some(unit) = &self.unit else { return Some(errors.clone()) };
        if !unit.is_logarithmic() {
            return Some(errors.iter().map(|e| unit.scale().apply(*e)).collect());
        }
        // 10^((v + e)/d) - 10^((v - e)/d), halved: the derivative for small e.
        let halves = self.floats_in_unit();
        let si = |v: f64| unit.to_si(v);
        Some(halves.iter().zip(errors).map(|(v, e)| 0.5 * (si(v + e) - si(v - e)).abs()).collect())
    }

    /// Half of what the last digit as read is worth is the rounding of the values; this is the whole digit, in
    /// the column's unit.
    pub fn resolution(&self) -> Option<f64> {
        self.decimals.map(|d| 10f64.powi(-d))
    }

    /// The rows with these numbers, which must exist, in this order.
    pub fn take(&self, rows: &[usize]) -> Column {
        Column {
            name: self.name.clone(),
            unit: self.unit.clone(),
            role: self.role,
            values: self.values.take(rows),
            missing: self
                .missing
                .as_ref()
                .map(|m| rows.iter().map(|i| m[*i]).collect::<Vec<bool>>())
                .filter(|m| m.contains(&true)),
            errors: self.errors.as_ref().map(|e| rows.iter().map(|i| e[*i]).collect()),
            decimals: self.decimals,
        }
    }

    /// The rows with these numbers, in this order; a missing value where there is none.
    pub fn take_or_missing(&self, rows: &[Option<usize>]) -> Column {
        fn pick<T: Clone>(values: &[T], rows: &[Option<usize>], none: T) -> Vec<T> {
            rows.iter().map(|r| r.map_or_else(|| none.clone(), |i| values[i].clone())).collect()
        }
        let missing: Vec<bool> = rows.iter().map(|r| r.is_none_or(|i| self.is_missing(i))).collect();
        Column {
            name: self.name.clone(),
            unit: self.unit.clone(),
            role: self.role,
            values: match &self.values {
                Values::F64(v) => Values::F64(pick(v, rows, f64::NAN)),
                Values::Integer(v) => Values::Integer(pick(v, rows, 0)),
                Values::Label(v) => Values::Label(pick(v, rows, "".into())),
                Values::Complex(v) => Values::Complex(pick(v, rows, (f64::NAN, f64::NAN))),
                Values::Array(v) => Values::Array(v.take_or_missing(rows)),
            },
            missing: missing.contains(&true).then_some(missing),
            errors: self.errors.as_ref().map(|e| pick(e, rows, 0.0)),
            decimals: self.decimals,
        }
    }

    /// The same quantities in another unit; no unit is the unit 1.
    ///
    /// # Errors
    /// Both units, where they do not convert.
    pub fn in_unit(&self, unit: Option<&Unit>) -> Result<Column, (Unit, Unit)> {
        let own = self.unit.clone().unwrap_or_else(Unit::one);
        let to = unit.cloned().unwrap_or_else(Unit::one);
        if own == to {
            return Ok(Column { unit: unit.cloned(), ..self.clone() });
        }
        let numbers = self.is_numeric() || self.arrays().is_some();
        let logarithm = own.is_logarithmic() || to.is_logarithmic();
        if !numbers || own.dimension() != to.dimension() || (logarithm && self.errors.is_some()) {
            return Err((own, to));
        }
        // One factor rounds once; an offset needs the way over SI.
        let factor = if own.is_ordinary() && to.is_ordinary() {
            own.convert_scale(&to).ok().map(|s| s.to_f64())
        } else {
            None
        };
        let change = |v: f64| match factor {
            Some(f) => v * f,
            None => to.from_si(own.to_si(v)),
        };
        let values = match &self.values {
            Values::Array(stack) => Values::Array(stack.map(change)),
            _ => Values::F64(self.floats_in_unit().into_iter().map(change).collect()),
        };
        let ratio = own.scale().div(to.scale()).to_f64();
        Ok(Column {
            unit: unit.cloned(),
            values,
            errors: self.errors.as_ref().map(|e| e.iter().map(|x| x * ratio).collect()),
            decimals: None,
            ..self.clone()
        })
    }

    /// The header as shown, with the shape of arrays: `image [1, 28, 28]`.
    pub fn shown_header(&self) -> String {
        let Some(stack) = self.arrays() else { return self.header() };
        match &self.unit {
            Some(unit) if !unit.is_one() => format!("{} {} [{unit}]", self.name, stack.shape()),
            _ => format!("{} {}", self.name, stack.shape()),
        }
    }

    /// The header in a CSV file: `v [km/s]`.
    pub fn header(&self) -> String {
        match &self.unit {
            Some(unit) if !unit.is_one() => format!("{} [{unit}]", self.name),
            _ => self.name.to_string(),
        }
    }
}
