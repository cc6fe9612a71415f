//! The data of a problem: rows for the search, which may be noisy and rounded, and exact rows for the test.

use rand::RngExt;

use super::problems::{Origin, Problem};
use super::{ROWS, Settings};
use crate::base::random::Streams;
use crate::base::{CancelToken, Code, Diagnostic, hash};
use crate::data::{self, Column, Dataset, Role, Sample, Values};
use crate::expression::{Declarations, Domain, Expr, Symbol};
use crate::numeric::ode::{self, End, TapeRates};
use crate::numeric::{Tape, normal, statistics};

/// Rows of a test that the problem does not state.
const TEST_ROWS: usize = 2000;
/// Most training rows of SRBench.
const SRBENCH_ROWS: usize = 10_000;
/// Test rows of SRBench where data are drawn: a quarter of the hundred thousand rows that PMLB has of a law.
const SRBENCH_TEST: usize = 25_000;
/// The share of the rows that SRBench trains on.
const SRBENCH_TRAIN: f64 = 0.75;
/// Points that may be drawn for each one that is kept.
const REDRAWS: usize = 1000;
/// Local error of the paths, as a share of a state's size.
const TOLERANCE: f64 = 1e-12;

/// Rows that a problem states.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Random points.
    Random {
        /// Where.
        domains: Declarations,
        /// How many.
        points: usize,
        /// Values of this size and more are drawn again.
        below: Option<f64>,
    },
    /// All combinations of these values.
    Grid(Vec<(Symbol, Vec<f64>)>),
}

impl Rows {
    /// A grid over domains, with the step that `step` gives a variable and its range.
    pub fn grid(domains: &Declarations, step: impl Fn(&Symbol, f64, f64) -> Option<f64>) -> Rows {
        let mut axes = Vec::new();
        for (symbol, declared) in domains.iter() {
            let Some((low, high)) = declared.domain.as_ref().map(Domain::bounds) else { continue };
            let step = step(symbol, low, high).filter(|s| *s > 0.0).unwrap_or(f64::INFINITY);
            // The last value counts where rounding alone puts it past the end.
            let count = ((high - low) / step * (1.0 + 1e-12) + 1e-9).floor() as usize + 1;
            axes.push((symbol.clone(), (0..count).map(|k| low + k as f64 * step).collect()));
        }
        Rows::Grid(axes)
    }
}

/// Paths of a system.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The states.
    pub states: Vec<Symbol>,
    /// Their rates.
    pub rates: Vec<Expr>,
    /// Where each path begins.
    pub starts: Vec<Vec<f64>>,
    /// Time between two rows.
    pub step: f64,
    /// Rows of a path.
    pub points: usize,
}

/// What is searched, and what the answer is tried on.
#[derive(Clone, Debug)]
pub struct Data {
    /// Columns of the variables, then the target.
    pub train: Dataset,
    /// The same, exact, at other points.
    pub test: Dataset,
}

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

fn lift(e: data::DataError) -> Box<Diagnostic> {
    Box::new(Diagnostic::from_fault(&e, None))
}

/// The data of a problem for a seed.
///
/// # Errors
/// A law that has no value on its domain, a system without a path.
pub fn data(problem: &Problem, settings: &Settings, seed: u64) -> Result<Data> {
    // A seed of its own for the test, so that its points are others.
    let other = hash::combine(hash::of_str("bench/test"), seed);
    let domains = &problem.declarations;
    let (train, test) = match &problem.origin {
        Origin::Drawn => {
            let rows = settings.rows.unwrap_or(ROWS);
            (drawn(problem, domains, rows, None, seed)?, drawn(problem, domains, TEST_ROWS, None, other)?)
        }
        Origin::Srbench => {
            let rows = settings.rows.map_or(SRBENCH_ROWS, |r| r.min(SRBENCH_ROWS));
            (drawn(problem, domains, rows, None, seed)?, drawn(problem, domains, SRBENCH_TEST, None, other)?)
        }
        Origin::Stated { train, test } => {
            let test = match test {
                Some(test) => stated(problem, test, other)?,
                None => drawn(problem, domains, TEST_ROWS, below(train), other)?,
            };
            (stated(problem, train, seed)?, test)
        }
        Origin::System(system) => match system.rates.first() {
            Some(rate) => return data(rate, settings, seed),
            None => return Err(Box::new(Diagnostic::error(Code(8034), None, "a system without rates"))),
        },
        Origin::Paths(paths) => {
            let (train, test) = split(&of_paths(problem, paths)?, seed)?;
            let most = settings.rows.unwrap_or(usize::MAX).min(SRBENCH_ROWS).min(train.rows());
            (train.slice(0..most), test)
        }
    };
    let train = noisy(train, settings.noise, seed)?;
    Ok(Data { train: rounded(train, settings.digits).map_err(lift)?, test })
}

fn below(rows: &Rows) -> Option<f64> {
    match rows {
        Rows::Random { below, .. } => *below,
        Rows::Grid(_) => None,
    }
}

/// The size that all values of a problem's data are below, where it states one.
pub fn limit(problem: &Problem) -> Option<f64> {
    match &problem.origin {
        Origin::Stated { train, .. } => below(train),
        _ => None,
    }
}

fn stated(problem: &Problem, rows: &Rows, seed: u64) -> Result<Dataset> {
    match rows {
        Rows::Random { domains, points, below } => drawn(problem, domains, *points, *below, seed),
        Rows::Grid(axes) => {
            let all: usize = axes.iter().map(|(_, values)| values.len()).product();
            let mut inner = 1;
            let mut columns = Vec::new();
            // The last variable runs fastest.
            for (symbol, values) in axes.iter().rev() {
                let column = (0..all).map(|row| values[row / inner % values.len()]).collect();
                columns.push(Column::floats(symbol.name(), None, column));
                inner *= values.len();
            }
            columns.reverse();
            table(problem, columns, |y| y.is_finite())
        }
    }
}

/// Random points where the law has a value. Every variable has its own stream, so that more points go on where fewer end.
fn drawn(
    problem: &Problem,
    domains: &Declarations,
    points: usize,
    below: Option<f64>,
    seed: u64,
) -> Result<Dataset> {
    let keep = |y: f64| y.is_finite() && below.is_none_or(|b| y.abs() < b);
    let mut tried = points;
    loop {
        let mut columns = Vec::new();
        for symbol in &problem.variables {
            let alone = Expr::symbol(symbol.clone());
            let sampled = data::sample(&Sample {
                formula: &alone,
                target: "#",
                target_unit: None,
                declarations: domains,
                points: tried,
                noise: 0.0,
                relative_noise: 0.0,
                seed,
            })
            .map_err(lift)?;
            columns.extend(sampled.get(symbol.name()).map(|c| (**c).clone()));
        }
        let found = table(problem, columns, keep);
        match found {
            Ok(found) if found.rows() >= points => return Ok(found.slice(0..points)),
            found if tried >= points.saturating_mul(REDRAWS) => return found,
            _ => tried = tried.saturating_mul(4),
        }
    }
}

/// Columns with the law's values as target; rows that are not to be kept are left out.
fn table(problem: &Problem, columns: Vec<Column>, keep: impl Fn(f64) -> bool) -> Result<Dataset> {
    let inputs: Vec<Symbol> = columns.iter().map(|c| Symbol::new(&c.name)).collect();
    let tape = Tape::compile(std::slice::from_ref(&problem.truth), &inputs)
        .map_err(|e| Box::new(Diagnostic::from_fault(&e, None)))?;
    let si: Vec<Vec<f64>> = columns.iter().map(Column::si_values).collect();
    let lists: Vec<&[f64]> = si.iter().map(Vec::as_slice).collect();
    let target = tape.eval(&lists).swap_remove(0);
    let rows: Vec<usize> = (0..target.len()).filter(|i| keep(target[*i])).collect();
    if rows.is_empty() {
        let message = format!("expected a value of `{}` on its domain, found none", problem.name);
        return Err(Box::new(Diagnostic::error(Code(8034), None, message)));
    }
    let mut all: Vec<Column> = columns.iter().map(|c| c.take(&rows)).collect();
    let own = |y: f64| problem.unit.as_ref().map_or(y, |u| u.from_si(y));
    let values = rows.iter().map(|i| own(target[*i])).collect();
    all.push(Column::floats(&problem.name, problem.unit.clone(), values).with_role(Role::Target));
    Dataset::new("bench", all).map_err(lift)
}

/// The rows of all paths of a system, with the exact rate as target.
fn of_paths(problem: &Problem, paths: &Paths) -> Result<Dataset> {
    let fault = |message: String| Box::new(Diagnostic::error(Code(8034), None, message));
    let times: Vec<f64> = (0..paths.points).map(|k| k as f64 * paths.step).collect();
    let mut states: Vec<Vec<f64>> = vec![Vec::new(); paths.states.len()];
    for start in &paths.starts {
        let mut rates = TapeRates::new(&paths.rates, &Symbol::new("#t"), &paths.states, &[])
            .map_err(|e| Box::new(Diagnostic::from_fault(&e, None)))?;
        let options = ode::Options { relative: TOLERANCE, ..ode::Options::default() };
        let path =
            ode::integrate(&mut rates, start, &times, ode::Method::Auto, &options, &CancelToken::new())
                .map_err(|e| Box::new(Diagnostic::from_fault(&e, None)))?;
        if path.end != End::Complete {
            return Err(fault(format!("a path of `{}` cannot be followed to its end", problem.name)));
        }
        states.iter_mut().zip(path.states).for_each(|(all, one)| all.extend(one));
    }
    let columns = paths.states.iter().zip(states).map(|(s, v)| Column::floats(s.name(), None, v));
    table(problem, columns.collect(), |y| y.is_finite())
}

/// Three quarters of the rows, in random order, and the others.
fn split(data: &Dataset, seed: u64) -> Result<(Dataset, Dataset)> {
    let n = data.rows();
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = Streams::new(seed).stream("bench/split");
    // Fisher and Yates.
    for k in (1..n).rev() {
        order.swap(k, rng.random_range(0..=k as u64) as usize);
    }
    let train = (SRBENCH_TRAIN * n as f64).round() as usize;
    Ok((data.take(&order[..train]).map_err(lift)?, data.take(&order[train..]).map_err(lift)?))
}

/// Normal noise on the target: sigma in units of its root mean square, in the column's unit.
fn noisy(data: Dataset, noise: f64, seed: u64) -> Result<Dataset> {
    if noise == 0.0 {
        return Ok(data);
    }
    let columns = data.columns().iter().map(|c| {
        let mut c = (**c).clone();
        if c.role == Role::Target {
            let mut values = c.floats_in_unit();
            let sigma = noise * statistics::rms(&values);
            let mut rng = Streams::new(seed).stream("bench/noise");
            values.iter_mut().for_each(|y| *y += sigma * normal::standard_normal(&mut rng));
            c.values = Values::F64(values);
        }
        c
    });
    Dataset::new("noisy", columns.collect()).map_err(lift)
}

/// Every value with so many significant digits, as it would be read from a file.
fn rounded(data: Dataset, digits: Option<u8>) -> std::result::Result<Dataset, data::DataError> {
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
    pub fn test_columns(&self) -> (Vec<(Symbol, Vec<f64>)>, Vec<f64>) {
        let mut inputs = Vec::new();
        let mut target = Vec::new();
        for c in self.test.columns() {
            match c.role {
                Role::Target => target = c.si_values(),
                _ => inputs.push((Symbol::new(&c.name), c.si_values())),
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

    #[test]
    fn a_grid_holds_both_ends() {
        let mut domains = Declarations::new();
        let interval = |low, high| crate::expression::Declaration {
            domain: Some(Domain::Interval { low, high }),
            ..Default::default()
        };
        domains.insert("x".into(), interval(-1.0, 1.0));
        domains.insert("y".into(), interval(0.05, 10.05));
        let steps = |s: &Symbol, _, _| Some(if s.name() == "x" { 0.1 } else { 2.0 });
        let Rows::Grid(axes) = Rows::grid(&domains, steps) else { panic!("a grid") };
        assert_eq!((axes[0].1.len(), axes[1].1.len()), (21, 6));
        assert!((axes[0].1[20] - 1.0).abs() < 1e-12 && (axes[1].1[5] - 10.05).abs() < 1e-12);
    }

    #[test]
    fn a_split_keeps_every_row_once_and_depends_on_the_seed() {
        let c = Column::floats("x", None, (0..40).map(f64::from).collect());
        let d = Dataset::new("d", vec![c]).unwrap();
        let (train, test) = split(&d, 3).unwrap();
        assert_eq!((train.rows(), test.rows()), (30, 10));
        let mut all = train.columns()[0].floats_in_unit();
        all.extend(test.columns()[0].floats_in_unit());
        all.sort_by(f64::total_cmp);
        assert_eq!(all, (0..40).map(f64::from).collect::<Vec<_>>());
        assert_eq!(split(&d, 3).unwrap().0, train);
        assert_ne!(split(&d, 4).unwrap().0, train);
    }
}
