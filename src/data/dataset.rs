//! A dataset: columns of one length with different names. Columns are shared, so that choosing and adding some
//! costs nothing; rows are chosen by mask, range or seeded shuffle.

use super::column::{Cell, Column, Role};
use super::error::DataError;
use crate::base::random::Streams;
use crate::base::{Diagnostic, suggest};
use rand::RngExt;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Columns of one length.
#[derive(Clone, PartialEq, Debug)]
pub struct Dataset {
    columns: Vec<Arc<Column>>,
    rows: usize,
    /// Where it came from: a file's name, or what made it.
    pub source: Arc<str>,
    /// What is worth knowing about it (two columns are equal, rows were left out).
    pub notes: Vec<Diagnostic>,
}

/// The parts of a dataset for learning and judging. Every row is in exactly one.
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    /// To learn from.
    pub train: Dataset,
    /// To choose by; may have no rows.
    pub validation: Dataset,
    /// To judge by.
    pub test: Dataset,
}

impl Dataset {
    /// A dataset of columns.
    ///
    /// # Errors
    /// Two columns of one name, or of different lengths.
    pub fn new(source: &str, columns: Vec<Column>) -> Result<Dataset, DataError> {
        let rows = columns.first().map_or(0, Column::len);
        let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            check_length(column, rows)?;
            if let Some(first) = places.insert(column.name.clone(), at) {
                let name = column.name.to_string();
                return Err(DataError::DuplicateHeader { name, first: first + 1, second: at + 1 });
            }
        }
        let columns = columns.into_iter().map(Arc::new).collect();
        Ok(Dataset { columns, rows, source: source.into(), notes: Vec::new() })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| &*c.name)
    }

    /// A column, if it is there.
    pub fn get(&self, name: &str) -> Option<&Arc<Column>> {
        self.columns.iter().find(|c| &*c.name == name)
    }

    /// A column.
    ///
    /// # Errors
    /// [`DataError::UnknownColumn`] with the nearest name.
    pub fn column(&self, name: &str) -> Result<&Arc<Column>, DataError> {
        self.get(name).ok_or_else(|| self.unknown(name))
    }

    pub(super) fn unknown(&self, name: &str) -> DataError {
        DataError::UnknownColumn {
            name: name.to_string(),
            columns: self.names().map(str::to_string).collect(),
            nearest: suggest::nearest(name, self.names()).map(str::to_string),
        }
    }

    /// A column of real numbers.
    ///
    /// # Errors
    /// No such column, or one of texts.
    pub fn numbers(&self, name: &str) -> Result<&Arc<Column>, DataError> {
        let column = self.column(name)?;
        if column.is_numeric() {
            return Ok(column);
        }
        let numeric = self.columns.iter().filter(|c| c.is_numeric()).map(|c| c.name.to_string()).collect();
        let what = column.kind();
        Err(DataError::NotNumeric { name: name.to_string(), what, numeric })
    }

    /// What is to be explained: the column with that role, else the last numeric feature.
    pub fn target(&self) -> Option<&Arc<Column>> {
        let set = self.columns.iter().find(|c| c.role == Role::Target);
        set.or_else(|| self.columns.iter().rev().find(|c| c.is_numeric() && c.role == Role::Feature))
    }

    /// The numeric columns beside the target.
    pub fn features(&self) -> impl Iterator<Item = &Arc<Column>> {
        let target = self.target().map(|t| t.name.clone());
        self.columns
            .iter()
            .filter(move |c| matches!(c.role, Role::Feature | Role::Independent) && c.is_numeric())
            .filter(move |c| Some(&c.name) != target.as_ref())
    }

    /// The same data with another target.
    ///
    /// # Errors
    /// No such column, or one of texts.
    pub fn with_target(&self, name: &str) -> Result<Dataset, DataError> {
        self.numbers(name)?;
        let mut data = self.clone();
        for column in &mut data.columns {
            let role = match column.role {
                _ if &*column.name == name => Role::Target,
                Role::Target => Role::Feature,
                other => other,
            };
            if column.role != role {
                *column = Arc::new(column.as_ref().clone().with_role(role));
            }
        }
        Ok(data)
    }

    /// The data with a further column, or with one replaced.
    ///
    /// # Errors
    /// [`DataError::Length`] where it has another number of rows.
    pub fn with_column(&self, column: Column) -> Result<Dataset, DataError> {
        let mut data = self.clone();
        if data.columns.is_empty() {
            data.rows = column.len();
        }
        check_length(&column, data.rows)?;
        match data.columns.iter().position(|c| c.name == column.name) {
            Some(at) => data.columns[at] = Arc::new(column),
            None => data.columns.push(Arc::new(column)),
        }
        Ok(data)
    }

    /// Some of the columns, in this order.
    ///
    /// # Errors
    /// A name that is no column, or that is given twice.
    pub fn select(&self, names: &[&str]) -> Result<Dataset, DataError> {
        let mut columns: Vec<Arc<Column>> = Vec::with_capacity(names.len());
        for name in names {
            if let Some(at) = columns.iter().position(|c| &*c.name == *name) {
                let second = columns.len() + 1;
                return Err(DataError::DuplicateHeader { name: name.to_string(), first: at + 1, second });
            }
            columns.push(self.column(name)?.clone());
        }
        Ok(Dataset { columns, rows: self.rows, source: self.source.clone(), notes: Vec::new() })
    }

    /// The rows with these numbers, in this order.
    ///
    /// # Errors
    /// [`DataError::Row`] for a number past the end.
    pub fn take(&self, rows: &[usize]) -> Result<Dataset, DataError> {
        if let Some(row) = rows.iter().find(|r| **r >= self.rows) {
            return Err(DataError::Row { row: *row, rows: self.rows });
        }
        Ok(self.taken(rows))
    }

    fn taken(&self, rows: &[usize]) -> Dataset {
        let columns = self.columns.iter().map(|c| Arc::new(c.take(rows))).collect();
        Dataset { columns, rows: rows.len(), source: self.source.clone(), notes: self.notes.clone() }
    }

    /// The rows where `keep` is true.
    ///
    /// # Errors
    /// [`DataError::Length`] where the mask has another length.
    pub fn filter(&self, keep: &[bool]) -> Result<Dataset, DataError> {
        if keep.len() != self.rows {
            let (expected, found) = (self.rows, keep.len());
            return Err(DataError::Length { name: "the condition".to_string(), expected, found });
        }
        let rows: Vec<usize> = (0..self.rows).filter(|i| keep[*i]).collect();
        Ok(self.taken(&rows))
    }

    /// A range of rows, cut at the end of the data.
    pub fn slice(&self, range: Range<usize>) -> Dataset {
        let rows: Vec<usize> = (range.start..range.end.min(self.rows)).collect();
        self.taken(&rows)
    }

    /// One row: names and values.
    ///
    /// # Errors
    /// [`DataError::Row`] past the end.
    pub fn row(&self, row: usize) -> Result<Vec<(&Arc<Column>, Cell)>, DataError> {
        if row >= self.rows {
            return Err(DataError::Row { row, rows: self.rows });
        }
        Ok(self.columns.iter().filter_map(|c| c.cell(row).map(|cell| (c, cell))).collect())
    }

    /// The rows in which every one of these columns has a value; all columns for an empty list.
    pub fn complete_rows(&self, names: &[&str]) -> Vec<usize> {
        let used: Vec<&Arc<Column>> =
            self.columns.iter().filter(|c| names.is_empty() || names.contains(&&*c.name)).collect();
        (0..self.rows).filter(|i| used.iter().all(|c| !c.is_missing(*i))).collect()
    }

    /// Shuffles the rows (stream "split" of the seed; Fisher & Yates) and parts them: the shares `train` and
    /// `validation`, rounded to whole rows, and the rest as test.
    ///
    /// # Errors
    /// [`DataError::Option`] for shares below 0 or of more than 1 together.
    pub fn split(&self, train: f64, validation: f64, seed: u64) -> Result<Split, DataError> {
        for (option, share) in [("train", train), ("validation", validation)] {
            if !(0.0..=1.0).contains(&share) {
                return Err(DataError::option(option, "a share from 0 to 1", share));
            }
        }
        if train + validation > 1.0 + 1e-12 {
            return Err(DataError::option("validation", "shares of at most 1 together", train + validation));
        }
        let mut order: Vec<usize> = (0..self.rows).collect();
        let mut rng = Streams::new(seed).stream("split");
        for i in (1..order.len()).rev() {
            order.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        let count = |share: f64| (share * self.rows as f64).round() as usize;
        let first = count(train).min(self.rows);
        let second = count(train + validation).clamp(first, self.rows);
        Ok(Split {
            train: self.taken(&order[..first]),
            validation: self.taken(&order[first..second]),
            test: self.taken(&order[second..]),
        })
    }
}

fn check_length(column: &Column, rows: usize) -> Result<(), DataError> {
    let lengths =
        [Some(column.len()), column.errors.as_ref().map(Vec::len), column.missing.as_ref().map(Vec::len)];
    match lengths.into_iter().flatten().find(|n| *n != rows) {
        Some(found) => Err(DataError::Length { name: column.name.to_string(), expected: rows, found }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Values;

    fn data() -> Dataset {
        let mut v = Column::floats("v", None, (0..10).map(f64::from).collect());
        v.errors = Some(vec![0.5; 10]);
        let names = (0..10).map(|i| format!("n{i}").into()).collect();
        let x = Column::new("x", None, Values::Integer((0..10).collect()));
        Dataset::new("test", vec![Column::new("name", None, Values::Label(names)), x, v]).unwrap()
    }

    #[test]
    fn a_split_keeps_every_row_once_and_rows_together() {
        let data = data();
        let s = data.split(0.5, 0.2, 3).unwrap();
        assert_eq!((s.train.rows(), s.validation.rows(), s.test.rows()), (5, 2, 3));
        let mut all = Vec::new();
        for part in [&s.train, &s.validation, &s.test] {
            let (x, v) = (part.get("x").unwrap().si_values(), part.get("v").unwrap().si_values());
            assert_eq!(x, v);
            assert_eq!(part.get("v").unwrap().errors.as_ref().unwrap().len(), part.rows());
            all.extend(x);
        }
        all.sort_by(f64::total_cmp);
        assert_eq!(all, data.get("x").unwrap().si_values());
        assert_eq!(s, data.split(0.5, 0.2, 3).unwrap());
        assert_ne!(s, data.split(0.5, 0.2, 4).unwrap());
        assert!(data.split(0.9, 0.2, 0).is_err());
    }

    #[test]
    fn columns_are_found_and_near_names_offered() {
        let data = data();
        assert_eq!(&*data.target().unwrap().name, "v");
        assert_eq!(&*data.with_target("x").unwrap().target().unwrap().name, "x");
        assert!(matches!(data.with_target("name"), Err(DataError::NotNumeric { .. })));
        let Err(DataError::UnknownColumn { nearest, .. }) = data.column("nam") else { panic!() };
        assert_eq!(nearest.as_deref(), Some("name"));
        assert_eq!(data.select(&["v", "x"]).unwrap().names().collect::<Vec<_>>(), ["v", "x"]);
        assert_eq!(data.features().map(|c| &*c.name).collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn rows_are_chosen() {
        let data = data();
        assert_eq!(data.slice(2..4).get("x").unwrap().si_values(), [2.0, 3.0]);
        assert_eq!(data.slice(8..40).rows(), 2);
        let odd: Vec<bool> = (0..10).map(|i| i % 2 == 1).collect();
        assert_eq!(data.filter(&odd).unwrap().rows(), 5);
        assert_eq!(data.row(3).unwrap()[0].1, Cell::Label("n3".into()));
        assert!(matches!(data.row(10), Err(DataError::Row { row: 10, rows: 10 })));
    }
}
