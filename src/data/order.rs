//! Order and sameness of rows: stable sorting, groups of rows with equal keys, first occurrences. Missing values
//! come last in both directions and are equal to each other; texts compare by code point, complex numbers by their
//! real part, then the imaginary one, arrays number by number.

use super::column::{Column, Values};
use super::dataset::Dataset;
use super::error::DataError;
use std::cmp::Ordering;
use std::sync::Arc;

/// Rows that agree in their keys.
#[derive(Clone, PartialEq, Debug)]
pub struct Groups {
    /// One row a group: its keys.
    pub keys: Dataset,
    /// The rows of each group, in the order of the data.
    pub rows: Vec<Vec<usize>>,
}

/// How two rows of a column compare; missing values come last.
fn compare(column: &Column, i: usize, j: usize, descending: bool) -> Ordering {
    let gone = column.is_missing(i).cmp(&column.is_missing(j));
    if gone.is_ne() || column.is_missing(i) {
        return gone;
    }
    // Both zeros are one number.
    let float = |a: f64, b: f64| (a + 0.0).total_cmp(&(b + 0.0));
    let order = match &column.values {
        Values::F64(v) => float(v[i], v[j]),
        Values::Integer(v) => v[i].cmp(&v[j]),
        Values::Label(v) => v[i].cmp(&v[j]),
        Values::Complex(v) => float(v[i].0, v[j].0).then_with(|| float(v[i].1, v[j].1)),
        Values::Array(v) => v.compare(i, j),
    };
    if descending { order.reverse() } else { order }
}

/// The order of the rows by these columns, the first deciding first; rows that agree keep their order. The flag
/// turns a column's order around. All columns have `rows` rows.
pub fn order(keys: &[(&Column, bool)], rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|i, j| {
        keys.iter()
            .map(|(column, descending)| compare(column, *i, *j, *descending))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    order
}

impl Dataset {
    /// The rows in ascending order of columns.
    ///
    /// # Errors
    /// A name that is no column.
    pub fn sort(&self, names: &[&str], descending: bool) -> Result<Dataset, DataError> {
        let keys: Vec<&Arc<Column>> = names.iter().map(|n| self.column(n)).collect::<Result<_, _>>()?;
        let keys: Vec<(&Column, bool)> = keys.into_iter().map(|c| (&**c, descending)).collect();
        self.take(&order(&keys, self.rows()))
    }

    /// The groups of rows that agree in these columns, in ascending order of the keys; a missing key is a key.
    ///
    /// # Errors
    /// A name that is no column, or that is given twice.
    pub fn groups(&self, names: &[&str]) -> Result<Groups, DataError> {
        let keys = self.select(names)?;
        let columns: Vec<(&Column, bool)> = keys.columns().iter().map(|c| (&**c, false)).collect();
        let mut rows: Vec<Vec<usize>> = Vec::new();
        for row in order(&columns, self.rows()) {
            let same = |other: usize| columns.iter().all(|(c, _)| compare(c, other, row, false).is_eq());
            match rows.last_mut() {
                Some(group) if same(group[0]) => group.push(row),
                _ => rows.push(vec![row]),
            }
        }
        let firsts: Vec<usize> = rows.iter().map(|g| g[0]).collect();
        Ok(Groups { keys: keys.take(&firsts)?, rows })
    }

    /// The first of the rows that agree in these columns, in the order of the data; all columns for an empty list.
    ///
    /// # Errors
    /// As [`Dataset::groups`].
    pub fn unique(&self, names: &[&str]) -> Result<Dataset, DataError> {
        let all: Vec<&str> = self.names().collect();
        let groups = self.groups(if names.is_empty() { &all } else { names })?;
        let mut firsts: Vec<usize> = groups.rows.iter().map(|g| g[0]).collect();
        firsts.sort_unstable();
        self.take(&firsts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data(keys: &[Option<i64>], labels: &[&str]) -> Dataset {
        let mut key = Column::new("k", None, Values::Integer(keys.iter().map(|k| k.unwrap_or(0)).collect()));
        key.missing = Some(keys.iter().map(Option::is_none).collect());
        let label = Column::new("l", None, Values::Label(labels.iter().map(|l| (*l).into()).collect()));
        let place = Column::new("i", None, Values::Integer((0..keys.len() as i64).collect()));
        Dataset::new("test", vec![key, label, place]).unwrap()
    }

    fn places(d: &Dataset) -> Vec<i64> {
        match &d.column("i").unwrap().values {
            Values::Integer(v) => v.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn missing_values_come_last_in_both_directions() {
        let d = data(&[Some(2), None, Some(-1), Some(2)], &["a", "b", "c", "d"]);
        assert_eq!(places(&d.sort(&["k"], false).unwrap()), [2, 0, 3, 1]);
        assert_eq!(places(&d.sort(&["k"], true).unwrap()), [0, 3, 2, 1]);
        assert_eq!(places(&d.unique(&["k"]).unwrap()), [0, 1, 2]);
        assert!(d.sort(&["z"], false).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::data::testing::cases()))]
        #[test]
        fn sorting_is_a_stable_permutation_and_groups_part_the_rows(
            rows in prop::collection::vec((prop::option::of(-3i64..3), 0usize..3), 0..40)
        ) {
            let keys: Vec<Option<i64>> = rows.iter().map(|r| r.0).collect();
            let labels: Vec<&str> = rows.iter().map(|r| ["x", "y", "z"][r.1]).collect();
            let d = data(&keys, &labels);
            let sorted = places(&d.sort(&["k", "l"], false).unwrap());
            let mut expected: Vec<i64> = (0..rows.len() as i64).collect();
            expected.sort_by_key(|i| {
                let i = *i as usize;
                (keys[i].is_none(), keys[i].unwrap_or(0), labels[i], i)
            });
            prop_assert_eq!(&sorted, &expected);
            let groups = d.groups(&["k", "l"]).unwrap();
            prop_assert_eq!(groups.keys.rows(), groups.rows.len());
            prop_assert!(groups.rows.iter().all(|g| g.windows(2).all(|w| w[0] < w[1])));
            let joined: Vec<i64> = groups.rows.concat().iter().map(|i| *i as i64).collect();
            prop_assert_eq!(joined, expected);
            prop_assert_eq!(d.unique(&["k", "l"]).unwrap().rows(), groups.rows.len());
        }
    }
}
