//! Does the law hold beyond the rows it was fitted to? Along each column the constants are fitted again to the inner 70 %
//! of the rows, the structure held, and the residuals of the outer rows are compared with those inside. Outside more is
//! expected: the fitted constants have errors. With r the residuals, s their size inside and J the derivatives by the
//! constants with covariance C, the law holds where
//!
//! ```text
//! rms(r outside) <= 2 s sqrt(1 + mean(J C J^T)/s^2)
//! ```
//!
//! Residuals are counted in standard errors where the target has them, in shares of the law where the scatter grows with it.

use super::measure::{Kind as How, Measured, full};
use crate::base::{CancelToken, EventSink};
use crate::data::{self, Column, Dataset, FitResult, ParamSpec};
use crate::expression::{Expr, Kind, Symbol};
use crate::language::operations as op;
use crate::numeric::{Tape, statistics};

/// Share of the rows on either side that is outside.
const OUTER: f64 = 0.15;
/// How many times the expected residual is still taken for it.
const FACTOR: f64 = 2.0;
/// Rounding of floats through a fit, relative to the target.
const ROUNDING: f64 = 1e-11;
/// Fewest rows outside.
const FEWEST: usize = 2;

/// What residuals are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// The unit of residuals.
    Unit,
    /// The law's value.
    Share,
    /// Standard errors of the target.
    Errors,
}

/// The check along one column.
pub(super) struct Check {
    /// The column.
    pub column: std::sync::Arc<Column>,
    /// The ends of what is inside, in its unit.
    pub inner: (f64, f64),
    /// Rows inside and outside.
    pub rows: (usize, usize),
    /// What came out, or why nothing did.
    pub outcome: Result<Outcome, String>,
}

/// Residuals inside and outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Size of the residuals inside, for the degrees of freedom.
    pub inside: f64,
    /// Root mean square of the residuals outside.
    pub outside: f64,
    /// Ratio of the two; 1 where both are rounding.
    pub ratio: f64,
    /// Largest ratio at which the law holds.
    pub limit: f64,
    /// What they are counted in.
    pub scale: Scale,
}

impl Outcome {
    /// Whether the law holds outside.
    pub fn holds(&self) -> bool {
        self.ratio <= self.limit
    }
}

/// The law with its fitted constants as symbols.
struct Opened {
    law: Expr,
    constants: Vec<ParamSpec>,
}

fn opened(law: &Expr) -> Opened {
    let law = op::settle(law);
    let leaves = law.uncertain_leaves();
    let symbol = |k: usize| Symbol::new(&format!("#{k}"));
    let constants = leaves
        .iter()
        .enumerate()
        .map(|(k, u)| ParamSpec { start: Some(u.value()), ..ParamSpec::free(symbol(k)) })
        .collect();
    let law = law.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => match leaves.iter().position(|l| l == u) {
            Some(k) => Expr::symbol(symbol(k)),
            None => e,
        },
        _ => e,
    });
    Opened { law, constants }
}

/// The checks along all columns that vary.
pub(super) fn checks(m: &Measured<'_>, cancel: &CancelToken) -> Vec<Check> {
    let opened = match m.kind {
        How::Columns => Ok(opened(&m.law().expr)),
        How::Vector => Err("the law is that of a vector"),
    };
    let vary = m.features.iter().filter(|c| {
        let x = c.floats_in_unit();
        x.iter().any(|v| v.is_finite() && *v != x[0])
    });
    vary.take_while(|_| cancel.stop().is_none()).map(|c| along(m, &opened, c, cancel)).collect()
}

fn along(
    m: &Measured<'_>,
    opened: &Result<Opened, &str>,
    column: &std::sync::Arc<Column>,
    cancel: &CancelToken,
) -> Check {
    let x = column.floats_in_unit();
    let finite: Vec<f64> = x.iter().copied().filter(|v| v.is_finite()).collect();
    let inner = (statistics::quantile(&finite, OUTER), statistics::quantile(&finite, 1.0 - OUTER));
    let has_value = |k: &usize| m.residuals[*k].is_finite() && x[*k].is_finite();
    let (inside, outside): (Vec<usize>, Vec<usize>) =
        (0..x.len()).filter(has_value).partition(|k| (inner.0..=inner.1).contains(&x[*k]));
    let rows = (inside.len(), outside.len());
    let outcome = match opened {
        Ok(opened) => judge(m, opened, &inside, &outside, cancel),
        Err(why) => Err((*why).into()),
    };
    Check { column: column.clone(), inner, rows, outcome }
}

fn judge(
    m: &Measured<'_>,
    opened: &Opened,
    inside: &[usize],
    outside: &[usize],
    cancel: &CancelToken,
) -> Result<Outcome, String> {
    let constants = opened.constants.len();
    if outside.len() < FEWEST {
        return Err(format!("{} of {FEWEST} rows that are needed lie outside", outside.len()));
    }
    if inside.len() <= constants + 1 {
        return Err(format!("{} rows inside are too few for {constants} constants", inside.len()));
    }
    let part = |rows: &[usize]| m.data.take(rows).map_err(|e| e.to_string());
    let (inner, outer) = (part(inside)?, part(outside)?);
    let target = Symbol::new(&m.target.name);
    let fitted: Option<FitResult> = match constants {
        0 => None,
        _ => {
            let left = Expr::symbol(target.clone());
            let events = EventSink::none();
            let found = data::fit(&inner, &left, &opened.law, &opened.constants, None, cancel, &events);
            Some(found.map_err(|e| format!("the constants could not be fitted inside: {e}"))?)
        }
    };
    let numbers: Vec<f64> = match &fitted {
        Some(f) => opened.constants.iter().map(|p| value_of(f, &p.symbol)).collect(),
        None => Vec::new(),
    };
    let inputs: Vec<Symbol> =
        opened.law.symbols().into_iter().filter(|s| m.data.get(s.name()).is_some()).collect();
    let all: Vec<Symbol> = inputs.iter().chain(opened.constants.iter().map(|p| &p.symbol)).cloned().collect();
    let tape = Tape::compile(std::slice::from_ref(&opened.law), &all).map_err(|e| e.to_string())?;
    // Values in SI, then derivatives by the constants.
    let evaluate = |d: &Dataset| -> Vec<Vec<f64>> {
        let mut lists: Vec<Vec<f64>> =
            inputs.iter().map(|s| d.get(s.name()).map_or_else(Vec::new, |c| c.si_values())).collect();
        lists.extend(numbers.iter().map(|v| vec![*v]));
        let lists: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
        let wrt: Vec<usize> = (inputs.len()..all.len()).collect();
        let found = match constants {
            0 => tape.eval(&lists),
            _ => tape.jacobian(&lists, &wrt).swap_remove(0),
        };
        found.into_iter().map(|list| full(list, d.rows())).collect()
    };
    let has_errors = m.target.errors.is_some();
    let scale = match &fitted {
        _ if has_errors => Scale::Errors,
        Some(f) if f.relative => Scale::Share,
        _ => Scale::Unit,
    };
    let column = |d: &Dataset| d.get(&m.target.name).cloned();
    let (Some(inner_target), Some(outer_target)) = (column(&inner), column(&outer)) else {
        return Err("the target is no column".into());
    };
    let sizes = |target: &Column, law: &[f64]| -> Vec<f64> {
        match scale {
            Scale::Unit => vec![m.difference.scale().to_f64(); law.len()],
            Scale::Share => law.iter().map(|v| v.abs()).collect(),
            Scale::Errors => target.si_errors().unwrap_or_else(|| vec![1.0; law.len()]),
        }
    };
    let (inner_law, outer_law) = (evaluate(&inner), evaluate(&outer));
    let (inner_sizes, outer_sizes) =
        (sizes(&inner_target, &inner_law[0]), sizes(&outer_target, &outer_law[0]));
    let scaled = |target: &Column, law: &[f64], sizes: &[f64]| -> Vec<f64> {
        let y = target.si_values();
        y.iter().zip(law).zip(sizes).map(|((y, f), s)| (y - f) / s).collect()
    };
    let inner_left = scaled(&inner_target, &inner_law[0], &inner_sizes);
    let outer_left = scaled(&outer_target, &outer_law[0], &outer_sizes);
    let n = inner_left.len() as f64;
    let inside = statistics::rms(&inner_left) * (n / (n - constants as f64)).sqrt();
    let outside = statistics::rms(&outer_left);
    if !(inside.is_finite() && outside.is_finite()) {
        return Err("the law has no value at some row".into());
    }
    // The rounding of floats, and of the digits as they were read.
    let digit = m.target.resolution().map_or(0.0, |r| r * m.difference.scale().to_f64() / 12f64.sqrt());
    let rounding = (ROUNDING * statistics::rms(&m.target.si_values())).max(digit);
    let typical = statistics::median(&inner_sizes);
    let floor = if typical > 0.0 { rounding / typical } else { 0.0 };
    let spread = inside.max(floor).max(f64::MIN_POSITIVE);
    let ratio = outside.max(floor).max(f64::MIN_POSITIVE) / spread;
    let expected = fitted.as_ref().map_or(0.0, |f| {
        let c = &f.covariance;
        let variance = |row: usize| -> f64 {
            let slope = |k: usize| outer_law[1 + k][row] / outer_sizes[row];
            let pairs = (0..constants).flat_map(|a| (0..constants).map(move |b| (a, b)));
            pairs.map(|(a, b)| slope(a) * slope(b) * c.matrix[a * constants + b]).sum()
        };
        statistics::mean(&(0..outer_law[0].len()).map(variance).collect::<Vec<f64>>()).max(0.0)
    });
    let expected = if expected.is_finite() { expected } else { 0.0 };
    let limit = FACTOR * (1.0 + expected / (spread * spread)).sqrt();
    Ok(Outcome { inside, outside, ratio, limit, scale })
}

fn value_of(f: &FitResult, symbol: &Symbol) -> f64 {
    f.parameters.iter().find(|(s, _)| s == symbol).map_or(f64::NAN, |(_, u)| u.value())
}
