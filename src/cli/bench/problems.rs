//! A problem of a suite: a law that is to be found, and the data it is looked for in. Problems are values of modules of
//! the library and are read through the session like those of any script.

use super::Settings;
use super::suites::{Protocol, Suite};
use crate::base::{Diagnostic, Span, hash};
use crate::data::{self, Column, Dataset, Role, Sample, Values};
use crate::expression::{Declarations, Expr, Kind};
use crate::language::operations::strip_units;
use crate::language::value::Law;
use crate::language::{Context, Value, dimension};
use crate::units::Unit;

/// Rows of the clean test set.
pub const TEST_ROWS: usize = 2000;
/// Most training rows of SRBench.
const SRBENCH_ROWS: usize = 10_000;
/// The share of the data that SRBench trains on.
const SRBENCH_TRAIN: f64 = 0.75;

/// A problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its name in its module.
    pub name: String,
    /// The set it is counted in.
    pub set: String,
    /// The law in SI numbers; measured constants are numbers too.
    pub truth: Expr,
    /// Units and domains of its variables.
    pub declarations: Declarations,
    /// The unit of its value.
    pub unit: Option<Unit>,
    /// How its data come about.
    pub protocol: Protocol,
}

/// What is searched, and what the answer is tried on.
#[derive(Clone, Debug)]
pub struct Data {
    /// Columns of the variables, then the target.
    pub train: Dataset,
    /// The same without noise, at other points.
    pub test: Dataset,
}

/// The problems of a suite, in the order of its modules.
///
/// # Errors
/// A module that cannot be read.
pub fn problems(suite: &Suite, context: &mut Context) -> Result<Vec<Problem>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for written in suite.modules {
        let modules: Vec<String> = match written.strip_suffix('.') {
            Some(_) => {
                context.library.module_names().filter(|n| n.starts_with(written)).map(String::from).collect()
            }
            None => vec![written.to_string()],
        };
        for module in modules {
            let Value::Module(content) = context.library_module(&module, Span::new(0, 0, 0))? else {
                continue;
            };
            for (name, value) in &content.record.entries {
                if suite.left_out.contains(&&**name) {
                    continue;
                }
                if let Value::Law(law) = value.plain() {
                    found.push(Problem::of_law(name, set_of(&module, name), law, suite.protocol));
                }
            }
        }
    }
    Ok(found)
}

/// What a problem is counted in: the two sets of the Feynman benchmark, else its file.
fn set_of(module: &str, name: &str) -> String {
    match module {
        "physics.feynman" if name.starts_with("test_") => "bonus".into(),
        _ => module.rsplit('.').next().unwrap_or(module).into(),
    }
}

/// A law as a relation of SI numbers: units become factors and measured constants their values.
pub fn plain(e: &Expr) -> Expr {
    strip_units(e).transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => Expr::float(u.value()),
        _ => e,
    })
}

impl Problem {
    fn of_law(name: &str, set: String, law: &Law, protocol: Protocol) -> Problem {
        let found = dimension::of(&law.formula, &law.declarations).ok().flatten();
        Problem {
            name: name.into(),
            set,
            truth: plain(&law.formula),
            declarations: law.declarations.clone(),
            unit: law.unit.clone().or_else(|| found.map(Unit::coherent)),
            protocol,
        }
    }

    /// The data for a seed.
    ///
    /// # Errors
    /// A law that cannot be sampled.
    pub fn data(&self, settings: &Settings, seed: u64) -> Result<Data, Box<Diagnostic>> {
        let lift = |e: data::DataError| Box::new(Diagnostic::from_fault(&e, None));
        // A seed of its own for the test, so that its points are others.
        let other = hash::combine(hash::of_str("bench/test"), seed);
        let sample = |points: usize, noise: f64, seed: u64| {
            data::sample(&Sample {
                formula: &self.truth,
                target: &self.name,
                target_unit: self.unit.clone(),
                declarations: &self.declarations,
                points,
                noise,
                relative_noise: 0.0,
                seed,
            })
            .map_err(lift)
        };
        let rows = match self.protocol {
            Protocol::Srbench => settings.rows.map_or(SRBENCH_ROWS, |r| r.min(SRBENCH_ROWS)),
            _ => settings.rows.unwrap_or(super::ROWS),
        };
        let tests = match self.protocol {
            Protocol::Srbench => (rows as f64 * (1.0 / SRBENCH_TRAIN - 1.0)).ceil() as usize,
            _ => TEST_ROWS,
        };
        let train = rounded(sample(rows, settings.noise, seed)?, settings.digits).map_err(lift)?;
        Ok(Data { train, test: sample(tests, 0.0, other)? })
    }
}

/// Every value with so many significant digits, as it would be read from a file.
fn rounded(data: Dataset, digits: Option<u8>) -> Result<Dataset, data::DataError> {
    let Some(digits) = digits else { return Ok(data) };
    let columns = data.columns().iter().map(|c| match &c.values {
        Values::F64(values) => {
            let places = usize::from(digits.max(1)) - 1;
            let short: Vec<String> = values
                .iter()
                .map(|v| {
                    let v: f64 = format!("{v:.places$e}").parse().unwrap_or(*v);
                    format!("{v:e}")
                })
                .collect();
            let decimals = short.iter().filter_map(|s| decimals(s)).max();
            let values = short.iter().zip(values).map(|(s, v)| s.parse().unwrap_or(*v)).collect();
            Column { values: Values::F64(values), decimals, ..(**c).clone() }
        }
        _ => (**c).clone(),
    });
    Dataset::new("rounded", columns.collect())
}

/// Digits after the point of a number written as `1.25e-3`.
fn decimals(written: &str) -> Option<i32> {
    let (mantissa, exponent) = written.split_once('e')?;
    let after = mantissa.split_once('.').map_or(0, |(_, d)| d.len()) as i32;
    Some(after - exponent.parse::<i32>().ok()?)
}

impl Data {
    /// The test as inputs and target in SI.
    pub fn test_columns(&self) -> (Vec<(crate::expression::Symbol, Vec<f64>)>, Vec<f64>) {
        let mut inputs = Vec::new();
        let mut target = Vec::new();
        for c in self.test.columns() {
            match c.role {
                Role::Target => target = c.si_values(),
                _ => inputs.push((crate::expression::Symbol::new(&c.name), c.si_values())),
            }
        }
        (inputs, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_the_digits_a_file_would_show() {
        let c = Column::floats("x", None, vec![1.234567, 0.001234567, 1500.0]);
        let d = rounded(Dataset::new("d", vec![c]).unwrap(), Some(4)).unwrap();
        let c = &d.columns()[0];
        assert_eq!(c.floats_in_unit(), [1.235, 0.001235, 1500.0]);
        // 0.001235 has six digits after the point.
        assert_eq!(c.decimals, Some(6));
        assert_eq!(decimals("1.5e3"), Some(-2));
        assert_eq!(decimals("2e0"), Some(0));
    }
}
