//! A dataset in numbers: for each column how many values it has and lacks, mean, standard deviation (divisor
//! n - 1), extremes and quartiles. Quartiles interpolate linearly between order statistics (Hyndman & Fan 1996,
//! definition 7), as NumPy does. Numbers are in the column's unit, which is named beside them.

use super::column::{Column, Values};
use super::dataset::Dataset;
use super::error::DataError;
use super::stack::Stack;
use crate::units::Unit;
use std::sync::Arc;

/// The value below which a share `p` of sorted numbers lies; NaN for none.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = p.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(last);
    // Exact at the places themselves, also where a neighbour is infinite.
    if part == 0.0 { sorted[low] } else { sorted[low] + part * (sorted[high] - sorted[low]) }
}

/// Sum with the error of each addition carried along (Neumaier 1974).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0f64, 0.0f64);
    for x in values {
        let next = total + x;
        lost += if total.abs() >= x.abs() { (total - next) + x } else { (x - next) + total };
        total = next;
    }
    total + lost
}

impl Dataset {
    /// The columns of this dataset as rows of another: `column`, `unit`, `count`, `missing`, `mean`, `std`, `min`,
    /// `q1`, `median`, `q3`, `max`. A column of texts has only the first four, one of
    /// arrays no quartiles.
    ///
    /// # Errors
    /// None that a dataset can cause.
    pub fn describe(&self) -> Result<Dataset, DataError> {
        const NUMBERS: [&str; 7] = ["mean", "std", "min", "q1", "median", "q3", "max"];
        let mut numbers: [Vec<f64>; 7] = Default::default();
        let (mut counts, mut lacks) = (Vec::new(), Vec::new());
        let (mut names, mut units): (Vec<Arc<str>>, Vec<Arc<str>>) = (Vec::new(), Vec::new());
        for column in self.columns() {
            names.push(column.name.clone());
            let unit = column.unit.as_ref().filter(|u| !u.is_one()).map(Unit::to_string);
            units.push(unit.unwrap_or_default().into());
            let missing = (0..column.len()).filter(|i| column.is_missing(*i)).count();
            counts.push((column.len() - missing) as i64);
            lacks.push(missing as i64);
            for (place, value) in numbers.iter_mut().zip(summary(column)) {
                place.push(value);
            }
        }
        let mut columns = vec![
            Column::new("column", None, Values::Label(names)),
            Column::new("unit", None, Values::Label(units)),
            Column::new("count", None, Values::Integer(counts)),
            Column::new("missing", None, Values::Integer(lacks)),
        ];
        for (name, values) in NUMBERS.into_iter().zip(numbers) {
            let missing: Vec<bool> = values.iter().map(|v| v.is_nan()).collect();
            let mut column = Column::floats(name, None, values);
            column.missing = missing.contains(&true).then_some(missing);
            columns.push(column);
        }
        Dataset::new("describe", columns)
    }
}

/// Mean, standard deviation and extremes of all numbers in the arrays; quartiles are left out.
fn array_summary(column: &Column, stack: &Stack) -> [f64; 7] {
    let rows = || (0..stack.len()).filter(|i| !column.is_missing(*i)).flat_map(|i| stack.row(i));
    let n = rows().count() as f64;
    if n == 0.0 {
        return [f64::NAN; 7];
    }
    let mean = sum(rows()) / n;
    let std =
        if n > 1.0 { (sum(rows().map(|v| (v - mean) * (v - mean))) / (n - 1.0)).sqrt() } else { f64::NAN };
    let (low, high) = rows().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    [mean, std, low, f64::NAN, f64::NAN, f64::NAN, high]
}

/// Mean, standard deviation, minimum, quartiles, maximum; NaN where there is none.
fn summary(column: &Column) -> [f64; 7] {
    if let Some(stack) = column.arrays() {
        return array_summary(column, stack);
    }
    if !column.is_numeric() {
        return [f64::NAN; 7];
    }
    let mut values: Vec<f64> = column.floats_in_unit();
    values.retain(|v| !v.is_nan());
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let mean = if values.is_empty() { f64::NAN } else { sum(values.iter().copied()) / n };
    let squares = sum(values.iter().map(|v| (v - mean) * (v - mean)));
    let std = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::NAN };
    let at = |p| quantile(&values, p);
    [mean, std, at(0.0), at(0.25), at(0.5), at(0.75), at(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quartiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0.25, 0.5, 0.75])
        let v = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([0.25, 0.5, 0.75].map(|p| quantile(&v, p)), [1.75, 3.0, 5.0]);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[3.0], 0.25), 3.0);
    }

    #[test]
    fn texts_and_empty_columns_have_counts_only() {
        let mut x = Column::floats("x", None, vec![f64::NAN, 2.0]);
        x.missing = Some(vec![true, false]);
        let name = Column::new("name", None, Values::Label(vec!["a".into(), "b".into()]));
        let d = Dataset::new("test", vec![x, name]).unwrap().describe().unwrap();
        assert_eq!(d.get("count").unwrap().values, Values::Integer(vec![1, 2]));
        assert_eq!(d.get("missing").unwrap().values, Values::Integer(vec![1, 0]));
        assert!(d.get("std").unwrap().is_missing(0) && d.get("mean").unwrap().is_missing(1));
        assert_eq!(d.get("mean").unwrap().floats_in_unit()[0], 2.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::data::testing::cases()))]
        #[test]
        fn describe_agrees_with_the_direct_formulas(values in prop::collection::vec(-1e3f64..1e3, 2..30)) {
            let d = Dataset::new("test", vec![Column::floats("x", None, values.clone())]).unwrap();
            let d = d.describe().unwrap();
            let of = |name: &str| d.get(name).unwrap().floats_in_unit()[0];
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            prop_assert!((of("mean") - mean).abs() < 1e-10 && (of("std") - std).abs() < 1e-9);
            let below = |q: f64| values.iter().filter(|v| **v <= q).count() as f64 / n;
            for (name, share) in [("q1", 0.25), ("median", 0.5), ("q3", 0.75)] {
                let at = of(name);
                prop_assert!(below(at) >= share - 1.0 / n && of("min") <= at && at <= of("max"));
            }
        }
    }
}
