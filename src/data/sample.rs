//! Samples a formula: its symbols are drawn from their declared domains (uniformly in the declared unit, or one
//! of the listed values), the formula gives the target, and normal noise may be added. Every symbol has its own
//! random stream `sample/NAME`, so that neither another symbol nor the noise moves its values.

use super::column::{Column, Role, Values};
use super::dataset::Dataset;
use super::error::DataError;
use super::table::significant;
use crate::base::random::{Rng, Streams};
use crate::expression::{Declaration, Declarations, Domain, Expr, Symbol};
use crate::numeric::{Tape, normal, statistics};
use crate::units::Unit;
use rand::RngExt;

/// Rounds in which points without a value are drawn again.
const REDRAWS: usize = 100;
/// Most points of one sample.
const MAX_POINTS: usize = 100_000_000;

/// What to sample.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The formula.
    pub formula: &'a Expr,
    /// The name of its column.
    pub target: &'a str,
    /// The unit of its column; `None` for plain SI numbers.
    pub target_unit: Option<Unit>,
    /// Domains and units of the symbols. A `param` keeps its starting value.
    pub declarations: &'a Declarations,
    /// Number of rows.
    pub points: usize,
    /// Normal noise of sigma = this times the RMS of the target.
    pub noise: f64,
    /// Normal noise of sigma = this times each value.
    pub relative_noise: f64,
    /// The seed.
    pub seed: u64,
}

/// Draws the points: one column for each symbol, sorted by name, then the target.
///
/// # Errors
/// A symbol without a domain, an option out of range, a formula without a value on its domain, and what
/// [`Tape::compile`] refuses.
pub fn sample(plan: &Sample<'_>) -> Result<Dataset, DataError> {
    validate(plan)?;
    let mut drawn = Vec::new();
    let mut fixed = Vec::new();
    for symbol in plan.formula.symbols() {
        let declared = plan.declarations.get(&symbol);
        match declared.and_then(|d| d.start) {
            Some(start) => fixed.push((symbol, start)),
            None => drawn.push(Variable::new(symbol, declared)?),
        }
    }
    let inputs: Vec<Symbol> =
        drawn.iter().map(|v| v.symbol.clone()).chain(fixed.iter().map(|(s, _)| s.clone())).collect();
    let tape = Tape::compile(std::slice::from_ref(plan.formula), &inputs)?;
    let streams = Streams::new(plan.seed);
    let mut sources: Vec<Rng> =
        drawn.iter().map(|v| streams.stream(&format!("sample/{}", v.symbol))).collect();
    let mut columns: Vec<Vec<f64>> = drawn
        .iter()
        .zip(&mut sources)
        .map(|(variable, rng)| (0..plan.points).map(|_| variable.draw(rng)).collect())
        .collect();
    let mut target = evaluate(&tape, &drawn, &columns, &fixed, plan.points);
    for round in 0.. {
        let bad: Vec<usize> = (0..plan.points).filter(|i| !target[*i].is_finite()).collect();
        let Some(&first) = bad.first() else { break };
        if round == REDRAWS || drawn.is_empty() {
            let value = |(v, c): (&Variable, &Vec<f64>)| v.describe(c[first]);
            let at: Vec<String> = drawn.iter().zip(&columns).map(value).collect();
            let at = if at.is_empty() { "every point".to_string() } else { at.join(", ") };
            return Err(DataError::Undefined { found: target[first], at });
        }
        for (k, variable) in drawn.iter().enumerate() {
            bad.iter().for_each(|i| columns[k][*i] = variable.draw(&mut sources[k]));
        }
        let again: Vec<Vec<f64>> = columns.iter().map(|c| bad.iter().map(|i| c[*i]).collect()).collect();
        for (i, value) in bad.iter().zip(evaluate(&tape, &drawn, &again, &fixed, bad.len())) {
            target[*i] = value;
        }
    }
    add_noise(plan, streams, &mut target);
    if let Some(unit) = &plan.target_unit {
        target.iter_mut().for_each(|y| *y = unit.from_si(*y));
    }
    let mut all: Vec<Column> =
        drawn.iter().zip(columns).map(|(variable, values)| variable.column(values)).collect();
    let last = Column::floats(plan.target, plan.target_unit.clone(), target);
    all.push(last.with_role(Role::Target));
    Dataset::new("sample", all)
}

fn validate(plan: &Sample<'_>) -> Result<(), DataError> {
    if plan.points == 0 || plan.points > MAX_POINTS {
        return Err(DataError::option("points", "a number from 1 to 100000000", plan.points));
    }
    for (option, noise) in [("noise", plan.noise), ("relative_noise", plan.relative_noise)] {
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(DataError::option(option, "a number of at least 0", noise));
        }
    }
    Ok(())
}

/// The formula in SI units at columns in their own units.
fn evaluate(
    tape: &Tape,
    drawn: &[Variable],
    columns: &[Vec<f64>],
    fixed: &[(Symbol, f64)],
    points: usize,
) -> Vec<f64> {
    let si: Vec<Vec<f64>> = drawn
        .iter()
        .zip(columns)
        .map(|(variable, c)| c.iter().map(|x| variable.to_si(*x)).collect())
        .chain(fixed.iter().map(|(_, value)| vec![*value]))
        .collect();
    let lists: Vec<&[f64]> = si.iter().map(Vec::as_slice).collect();
    let mut values = tape.eval(&lists).swap_remove(0);
    // A formula without symbols has one value.
    values.resize(points, values.first().copied().unwrap_or(f64::NAN));
    values
}

fn add_noise(plan: &Sample<'_>, streams: Streams, target: &mut [f64]) {
    if plan.noise > 0.0 {
        let sigma = plan.noise * statistics::rms(target);
        let mut rng = streams.stream("sample/ noise");
        target.iter_mut().for_each(|y| *y += sigma * normal::standard_normal(&mut rng));
    }
    if plan.relative_noise > 0.0 {
        let mut rng = streams.stream("sample/ relative noise");
        target.iter_mut().for_each(|y| *y *= 1.0 + plan.relative_noise * normal::standard_normal(&mut rng));
    }
}

/// A symbol that is drawn, in its declared unit.
struct Variable {
    symbol: Symbol,
    unit: Option<Unit>,
    integer: bool,
    domain: Domain,
}

impl Variable {
    fn new(symbol: Symbol, declared: Option<&Declaration>) -> Result<Variable, DataError> {
        let unit = declared.and_then(|d| d.unit.clone());
        let none = || DataError::NoDomain {
            symbol: symbol.name().to_string(),
            unit: unit.as_ref().map(ToString::to_string),
        };
        let (declared, domain) =
            declared.and_then(|d| d.domain.as_ref().map(|domain| (d, domain))).ok_or_else(none)?;
        let own = |x: f64| unit.as_ref().map_or(x, |u| u.from_si(x));
        // The numbers as written have no rounding from SI and back.
        let written: Option<Vec<f64>> =
            declared.written.as_ref().and_then(|w| w.iter().map(Expr::as_f64).collect());
        let domain = match (domain, written.as_deref()) {
            (Domain::Interval { .. }, Some([low, high])) => Domain::Interval { low: *low, high: *high },
            (Domain::Interval { low, high }, _) => Domain::Interval { low: own(*low), high: own(*high) },
            (Domain::Values(values), Some(written)) if written.len() == values.len() => {
                Domain::Values(written.to_vec())
            }
            (Domain::Values(values), _) => Domain::Values(values.iter().map(|x| own(*x)).collect()),
        };
        let integer = declared.assumptions.integer;
        let good = match &domain {
            Domain::Interval { low, high } if integer => low.ceil() <= high.floor() && high - low < 9e15,
            Domain::Interval { low, high } => low <= high && (high - low).is_finite(),
            Domain::Values(values) => !values.is_empty() && values.iter().all(|x| x.is_finite()),
        };
        if good { Ok(Variable { unit: unit.clone(), integer, domain, symbol }) } else { Err(none()) }
    }

    fn draw(&self, rng: &mut Rng) -> f64 {
        match &self.domain {
            Domain::Interval { low, high } if self.integer => {
                rng.random_range(low.ceil() as i64..=high.floor() as i64) as f64
            }
            Domain::Interval { low, high } => {
                let u: f64 = rng.random();
                (low + (high - low) * u).clamp(*low, *high)
            }
            Domain::Values(values) => values[rng.random_range(0..values.len() as u64) as usize],
        }
    }

    fn to_si(&self, x: f64) -> f64 {
        self.unit.as_ref().map_or(x, |u| u.to_si(x))
    }

    fn describe(&self, x: f64) -> String {
        match &self.unit {
            Some(unit) if !unit.is_one() => format!("{} = {} [{unit}]", self.symbol, significant(x, 6)),
            _ => format!("{} = {}", self.symbol, significant(x, 6)),
        }
    }

    fn column(&self, values: Vec<f64>) -> Column {
        let whole = self.integer && values.iter().all(|x| x.fract() == 0.0 && x.abs() < 9e15);
        let values = if whole {
            Values::Integer(values.iter().map(|x| *x as i64).collect())
        } else {
            Values::F64(values)
        };
        Column::new(self.symbol.name(), self.unit.clone(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{catalogue, declare};
    use crate::expression::Function;

    fn plan<'a>(formula: &'a Expr, declarations: &'a Declarations) -> Sample<'a> {
        Sample {
            formula,
            target: "y",
            target_unit: None,
            declarations,
            points: 200,
            noise: 0.0,
            relative_noise: 0.0,
            seed: 1,
        }
    }

    #[test]
    fn a_seed_fixes_the_points_and_noise_moves_only_the_target() {
        let d = declare(&[("x", None, 0.0, 10.0), ("z", None, 1.0, 2.0)]);
        let f = Expr::symbol("x") * Expr::symbol("z");
        let clean = sample(&plan(&f, &d)).unwrap();
        assert_eq!(clean, sample(&plan(&f, &d)).unwrap());
        let noisy = sample(&Sample { noise: 0.1, ..plan(&f, &d) }).unwrap();
        assert_eq!(clean.get("x"), noisy.get("x"));
        let (y, with) = (clean.get("y").unwrap().si_values(), noisy.get("y").unwrap().si_values());
        let left: Vec<f64> = y.iter().zip(&with).map(|(a, b)| b - a).collect();
        assert!((statistics::rms(&left) / (0.1 * statistics::rms(&y)) - 1.0).abs() < 0.2);
        let relative = sample(&Sample { relative_noise: 0.1, ..plan(&f, &d) }).unwrap();
        let ratios: Vec<f64> =
            y.iter().zip(relative.get("y").unwrap().si_values()).map(|(a, b)| b / a - 1.0).collect();
        assert!((statistics::rms(&ratios) / 0.1 - 1.0).abs() < 0.2);
        assert_ne!(clean, sample(&Sample { seed: 2, ..plan(&f, &d) }).unwrap());
        // Another symbol does not move the values of x; more points continue them.
        let alone = sample(&Sample { points: 300, ..plan(&Expr::symbol("x"), &d) }).unwrap();
        assert_eq!(alone.slice(0..200).get("x").unwrap().values, clean.get("x").unwrap().values);
        assert!(clean.get("x").unwrap().si_values().iter().all(|x| (0.0..=10.0).contains(x)));
    }

    #[test]
    fn columns_keep_their_units() {
        let units = catalogue();
        let km = units.parse("km").unwrap();
        let d = declare(&[("x", Some(km.clone()), 1000.0, 2000.0)]);
        let f = Expr::symbol("x").powi(2);
        let square = units.parse("km^2").unwrap();
        let data = sample(&Sample { target_unit: Some(square), ..plan(&f, &d) }).unwrap();
        let x = data.get("x").unwrap().floats_in_unit();
        assert!(x.iter().all(|x| (1.0..=2.0).contains(x)));
        for (x, y) in x.iter().zip(data.get("y").unwrap().floats_in_unit()) {
            assert!((y / (x * x) - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn points_without_a_value_are_drawn_again_or_named() {
        let d = declare(&[("x", None, -5.0, 5.0)]);
        let root = Expr::symbol("x").sqrt();
        let data = sample(&plan(&root, &d)).unwrap();
        assert!(data.get("x").unwrap().si_values().iter().all(|x| *x >= 0.0));
        let never = Expr::call(Function::Log, vec![Expr::symbol("x").powi(2).negate() - Expr::one()]);
        assert!(matches!(sample(&plan(&never, &d)), Err(DataError::Undefined { .. })));
        let unknown = Expr::symbol("q");
        assert!(matches!(sample(&plan(&unknown, &d)), Err(DataError::NoDomain { .. })));
        assert!(sample(&Sample { points: 0, ..plan(&root, &d) }).is_err());
        assert!(sample(&Sample { noise: -1.0, ..plan(&root, &d) }).is_err());
    }

    #[test]
    fn listed_values_and_parameters() {
        let mut d = Declarations::new();
        let domain = Some(Domain::Values(vec![1.0, 3.0]));
        d.insert("x".into(), Declaration { domain, ..Declaration::default() });
        d.insert("a".into(), Declaration { start: Some(2.0), ..Declaration::default() });
        let data = sample(&plan(&(Expr::symbol("a") * Expr::symbol("x")), &d)).unwrap();
        assert_eq!(data.names().collect::<Vec<_>>(), ["x", "y"]);
        let y = data.get("y").unwrap().si_values();
        assert!(y.iter().all(|y| *y == 2.0 || *y == 6.0) && y.contains(&2.0) && y.contains(&6.0));
    }
}
