//! What an instrument sees of data: every column of numbers or arrays but the independent ones with a normal error, of a share of
//! the column's RMS (`noise`) or of each value (`relative_noise`). Every column has its own stream `observe/NAME`.

use super::column::{Column, Role, Values};
use super::dataset::Dataset;
use super::error::DataError;
use super::stack::Stack;
use crate::base::random::Streams;
use crate::numeric::{normal, statistics};

/// How to look.
#[derive(Clone, Debug)]
pub struct Observe<'a> {
    /// Columns that are known exactly.
    pub independent: &'a [String],
    /// Sigma as a share of the column's RMS.
    pub noise: f64,
    /// Sigma as a share of each value.
    pub relative_noise: f64,
    /// The seed.
    pub seed: u64,
}

/// The data as seen.
///
/// # Errors
/// A noise that is negative or not finite.
pub fn observe(data: &Dataset, plan: &Observe<'_>) -> Result<Dataset, DataError> {
    for (option, noise) in [("noise", plan.noise), ("relative_noise", plan.relative_noise)] {
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(DataError::option(option, "a number of at least 0", noise));
        }
    }
    let streams = Streams::new(plan.seed);
    let mut seen = data.clone();
    for column in data.columns() {
        let exact = plan.independent.iter().any(|name| **name == *column.name);
        let arrays = column.arrays();
        if exact || !(column.is_numeric() || arrays.is_some()) || column.role == Role::Error {
            continue;
        }
        let values = arrays.map_or_else(|| column.floats_in_unit(), Stack::floats);
        let present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        let sigma = plan.noise * statistics::rms(&present);
        let mut rng = streams.stream(&format!("observe/{}", column.name));
        let noisy: Vec<f64> = values
            .into_iter()
            .map(|x| {
                let absolute = if plan.noise > 0.0 { sigma * normal::standard_normal(&mut rng) } else { 0.0 };
                let relative = if plan.relative_noise > 0.0 {
                    plan.relative_noise * normal::standard_normal(&mut rng)
                } else {
                    0.0
                };
                (x + absolute) * (1.0 + relative)
            })
            .collect();
        let noisy = match arrays {
            Some(stack) => Values::Array(stack.with_numbers(noisy)),
            None => Values::F64(noisy),
        };
        let own = Column { values: noisy, decimals: None, ..column.as_ref().clone() };
        seen = seen.with_column(own)?;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> Dataset {
        let t: Vec<f64> = (0..20_000).map(|k| k as f64 * 0.01).collect();
        let x = t.iter().map(|t| 5.0 * t.cos()).collect();
        let v = vec![3.0; t.len()];
        let columns = vec![
            Column::floats("t", None, t).with_role(Role::Independent),
            Column::floats("x", None, x),
            Column::floats("v", None, v),
        ];
        Dataset::new("path", columns).unwrap()
    }

    fn residuals(a: &Dataset, b: &Dataset, name: &str) -> Vec<f64> {
        let values = |d: &Dataset| d.column(name).unwrap().floats_in_unit();
        values(a).iter().zip(values(b)).map(|(a, b)| b - a).collect()
    }

    #[test]
    fn noise_is_a_share_of_the_rms_and_time_stays() {
        let (data, independent) = (path(), ["t".to_string()]);
        let plan = Observe { independent: &independent, noise: 0.02, relative_noise: 0.0, seed: 1 };
        let seen = observe(&data, &plan).unwrap();
        assert_eq!(seen.column("t").unwrap(), data.column("t").unwrap());
        assert_eq!(seen.column("t").unwrap().role, Role::Independent);
        for name in ["x", "v"] {
            let rms = statistics::rms(&data.column(name).unwrap().floats_in_unit());
            let sigma = statistics::standard_deviation(&residuals(&data, &seen, name));
            assert!((sigma / (0.02 * rms) - 1.0).abs() < 0.03, "{name}: {sigma}");
        }
        assert_eq!(observe(&data, &plan).unwrap(), seen);
        assert_ne!(observe(&data, &Observe { seed: 2, ..plan.clone() }).unwrap(), seen);
        // A column's noise does not depend on the other columns.
        let alone = observe(&data.select(&["t", "v"]).unwrap(), &plan).unwrap();
        assert_eq!(alone.column("v").unwrap(), seen.column("v").unwrap());
    }

    #[test]
    fn relative_noise_multiplies_and_no_noise_changes_nothing() {
        let (data, independent) = (path(), ["t".to_string()]);
        let plan = Observe { independent: &independent, noise: 0.0, relative_noise: 0.1, seed: 1 };
        let seen = observe(&data, &plan).unwrap();
        let ratio: Vec<f64> = residuals(&data, &seen, "x")
            .iter()
            .zip(data.column("x").unwrap().floats_in_unit())
            .map(|(r, x)| r / x)
            .collect();
        assert!((statistics::standard_deviation(&ratio) / 0.1 - 1.0).abs() < 0.03);
        assert_eq!(observe(&data, &Observe { relative_noise: 0.0, ..plan.clone() }).unwrap(), data);
        assert!(observe(&data, &Observe { noise: -1.0, ..plan }).is_err());
    }
}
