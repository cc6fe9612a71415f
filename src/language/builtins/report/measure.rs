//! The laws of a front on the rows of the data: what was measured, what the chosen law says, and what is left.

use std::sync::Arc;

use super::ROWS;
use crate::base::Span;
use crate::data::{Column, DataError, Dataset, Role};
use crate::expression::{Expr, Symbol};
use crate::language::builtins::predict;
use crate::language::error::{Result, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::FrontValue;
use crate::numeric::{NumericError, Tape, statistics};
use crate::regression::Candidate;
use crate::units::Unit;

/// A front beside its data. Lists have one entry a row of `data`.
pub(super) struct Measured<'a> {
    /// The front.
    pub front: &'a FrontValue,
    /// The place of the chosen law.
    pub place: usize,
    /// The rows that are used: whole ones, evenly spaced where there are very many.
    pub data: Dataset,
    /// Where they stand in the data as given, counted from 1.
    pub rows: Vec<usize>,
    /// Rows of the data as given, and those of them with a missing value.
    pub all: (usize, usize),
    /// The target's column.
    pub target: Arc<Column>,
    /// The columns of numbers beside the target, those of the law first.
    pub features: Vec<Arc<Column>>,
    /// The unit of the target.
    pub unit: Unit,
    /// The unit of residuals: that of the target, the coherent one where that has an offset or is logarithmic.
    pub difference: Unit,
    /// The target in its unit.
    pub target_values: Vec<f64>,
    /// The chosen law in the same unit.
    pub fitted: Vec<f64>,
    /// The first minus the second.
    pub residuals: Vec<f64>,
    /// How laws have values.
    pub kind: Kind,
}

/// How the laws of a front have values on data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As laws of the columns, constants of groups among them.
    Columns,
    /// Component by component: the rows of the data stand three times.
    Vector,
}

impl Kind {
    /// That of a front beside data whose columns its laws hold, or the components of a vector.
    fn of(front: &FrontValue, place: usize, d: &Dataset) -> Kind {
        let parts = front.parts.get(place).map_or(&[][..], Vec::as_slice);
        let vector = d.get(&front.target).is_none()
            && parts.len() == 3
            && parts.iter().all(|(name, _)| d.get(name).is_some());
        if vector { Kind::Vector } else { Kind::Columns }
    }

    /// The values in SI of the law at a place, one a row.
    fn values(
        self,
        front: &FrontValue,
        place: usize,
        d: &Dataset,
        (front_at, data_at): (Span, Span),
    ) -> Result<Vec<f64>> {
        let numeric = |e: NumericError| lift(&e, front_at);
        match self {
            Kind::Columns => {
                let mut all = d.clone();
                for c in predict::of_groups(front, Some(place), d, data_at)? {
                    all = all.with_column(c).map_err(|e| lift(&e, data_at))?;
                }
                values(&front.found.front.candidates()[place].expr, &all).map_err(numeric)
            }
            Kind::Vector => {
                let mut all = Vec::with_capacity(d.rows());
                let count = d.rows() / 3;
                for (k, (_, law)) in front.parts[place].iter().enumerate() {
                    let rows: Vec<usize> = (k * count..(k + 1) * count).collect();
                    let part = d.take(&rows).map_err(|e| lift(&e, data_at))?;
                    all.extend(values(law, &part).map_err(numeric)?);
                }
                Ok(all)
            }
        }
    }
}

/// The rows of data once for each component of a vector, which stands in a column of its own.
fn stacked(front: &FrontValue, place: usize, d: &Dataset) -> std::result::Result<Dataset, DataError> {
    let mut values = Vec::with_capacity(3 * d.rows());
    let mut unit = None;
    for (name, _) in &front.parts[place] {
        let column = d.numbers(name)?;
        let own = unit.get_or_insert_with(|| column.unit.clone()).clone().unwrap_or_else(Unit::one);
        values.extend(column.si_values().into_iter().map(|x| own.from_si(x)));
    }
    Dataset::concat(&[d, d, d])?.with_column(Column::floats(&front.target, unit.flatten(), values))
}

impl Measured<'_> {
    /// The chosen law.
    pub fn law(&self) -> &Candidate {
        &self.front.found.front.candidates()[self.place]
    }

    /// Residuals that are numbers.
    pub fn finite(&self) -> Vec<f64> {
        self.residuals.iter().copied().filter(|r| r.is_finite()).collect()
    }

    /// Share of the target's variance that the law explains, over the rows at which it has a value.
    pub fn r2(&self) -> f64 {
        let pairs = self.target_values.iter().zip(&self.residuals).filter(|(_, r)| r.is_finite());
        let (y, r): (Vec<f64>, Vec<f64>) = pairs.unzip();
        statistics::r2(&y, &r)
    }

    /// The row with the largest residual.
    pub fn largest(&self) -> Option<usize> {
        let size = |k: &usize| self.residuals[*k].abs();
        let finite = (0..self.residuals.len()).filter(|k| self.residuals[*k].is_finite());
        finite.max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a)))
    }

    /// Root mean square of the residuals of the law at a place of the front, in the unit of residuals.
    pub fn rms_of(&self, place: usize) -> f64 {
        let Ok(values) = self.kind.values(self.front, place, &self.data, Default::default()) else {
            return f64::NAN;
        };
        let left = differences(&self.target, &self.unit, &self.target_values, &values);
        let left: Vec<f64> = left.into_iter().filter(|r| r.is_finite()).collect();
        statistics::rms(&left)
    }
}

/// The values of a law in SI, one a row.
pub(super) fn values(law: &Expr, d: &Dataset) -> std::result::Result<Vec<f64>, NumericError> {
    let law = op::settle(law);
    let inputs: Vec<Symbol> = law.symbols();
    let tape = Tape::compile(std::slice::from_ref(&law), &inputs)?;
    let columns: Vec<Vec<f64>> =
        inputs.iter().map(|s| d.get(s.name()).map_or_else(Vec::new, |c| c.si_values())).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    Ok(full(tape.eval(&columns).swap_remove(0), d.rows()))
}

/// One value for each row; a law without columns gives one for all.
pub(super) fn full(list: Vec<f64>, rows: usize) -> Vec<f64> {
    if list.len() == rows { list } else { vec![list.first().copied().unwrap_or(f64::NAN); rows] }
}

/// The target minus the law, whose values are in SI, in the unit of residuals.
fn differences(target: &Column, unit: &Unit, measured: &[f64], law: &[f64]) -> Vec<f64> {
    if !unit.is_ordinary() {
        return target.si_values().iter().zip(law).map(|(y, f)| y - f).collect();
    }
    measured.iter().zip(law).map(|(y, f)| y - unit.from_si(*f)).collect()
}

/// The chosen law on the data. `at`: where the front and the data were written.
///
/// # Errors
/// A front without laws; data without a column of the law, or with one of another dimension; no whole row.
pub(super) fn measure<'a>(
    front: &'a FrontValue,
    d: &Dataset,
    (front_at, data_at): (Span, Span),
) -> Result<Measured<'a>> {
    let Some(place) = front.chosen_index() else {
        let message = "expected a front with a law, found an empty one";
        return Err(fault_hint(6006, front_at, message, "explain(found) says why the search stopped"));
    };
    let kind = Kind::of(front, place, d);
    let whole_vector = match kind {
        Kind::Columns => None,
        Kind::Vector => Some(stacked(front, place, d).map_err(|e| lift(&e, data_at))?),
    };
    let d = whole_vector.as_ref().unwrap_or(d);
    let laws: Vec<&Expr> = match kind {
        Kind::Columns => front.found.front.candidates().iter().map(|c| &c.expr).collect(),
        Kind::Vector => front.parts.iter().flatten().map(|p| &p.1).collect(),
    };
    let of_groups = |s: &Symbol| {
        let mut own = front.groups.iter().flat_map(|g| g.own.iter().flatten());
        own.any(|c| c.symbol == *s)
    };
    let mut needed: Vec<Symbol> = Vec::new();
    for s in laws.iter().flat_map(|law| law.symbols()) {
        if !needed.contains(&s) && !of_groups(&s) {
            needed.push(s);
        }
    }
    if kind == Kind::Vector {
        // A row is whole where all of its components are.
        needed.extend(front.parts[place].iter().map(|(name, _)| Symbol::new(name)));
    }
    needed.push(Symbol::new(&front.target));
    for s in &needed {
        let column = d.numbers(s.name()).map_err(|e| lift(&e, data_at))?;
        let unit = |u: Option<&Unit>| u.cloned().unwrap_or_else(Unit::one);
        let searched = front.declarations.get(s).and_then(|declared| declared.unit.clone());
        let (expected, found) = (unit(searched.as_ref()), unit(column.unit.as_ref()));
        if searched.is_some() && expected.dimension() != found.dimension() {
            let message = format!("expected `{s}` in [{expected}] as in the search, found [{found}]");
            return Err(fault_hint(
                6021,
                data_at,
                message,
                "report(found, data, path) takes the data of the search",
            ));
        }
    }
    let names: Vec<&str> = needed.iter().map(Symbol::name).collect();
    let whole = d.complete_rows(&names);
    if whole.is_empty() {
        let message = "expected rows with a value in every column of the laws, found none";
        return Err(fault_hint(6014, data_at, message, "drop_missing(d) says which rows are whole"));
    }
    let missing = d.rows() - whole.len();
    let given = if kind == Kind::Vector { d.rows() / 3 } else { d.rows() };
    let n = whole.len();
    let rows: Vec<usize> = match kind {
        // The components of a row stay together.
        Kind::Vector if n > ROWS => {
            let each = n / 3;
            let some = ROWS / 3;
            (0..3)
                .flat_map(|c| (0..some).map(move |k| c * each + k * each / some))
                .map(|k| whole[k])
                .collect()
        }
        _ if n <= ROWS => whole,
        _ => (0..ROWS).map(|k| whole[k * n / ROWS]).collect(),
    };
    let mut data = d.take(&rows).map_err(|e| lift(&e, data_at))?;
    let target = data.numbers(&front.target).map_err(|e| lift(&e, data_at))?.clone();
    let used: Vec<Symbol> = match kind {
        Kind::Columns => front.found.front.candidates()[place].expr.symbols(),
        Kind::Vector => front.parts[place].iter().flat_map(|p| p.1.symbols()).collect(),
    };
    let component = |c: &Column| kind == Kind::Vector && front.parts[place].iter().any(|p| p.0 == c.name);
    let is_used = |c: &Column| used.iter().any(|s| s.name() == &*c.name);
    let mut features: Vec<Arc<Column>> = data
        .columns()
        .iter()
        .filter(|c| c.name != target.name && c.role != Role::Error && c.is_numeric() && !component(c))
        .filter(|c| front.declarations.get(&Symbol::new(&c.name)).is_some())
        .cloned()
        .collect();
    features.sort_by_key(|c| !is_used(c));
    let unit = target.unit.clone().unwrap_or_else(Unit::one);
    let difference = if unit.is_ordinary() { unit.clone() } else { Unit::coherent(unit.dimension()) };
    let law_values = kind.values(front, place, &data, (front_at, data_at))?;
    // What differs between groups is held where the law is fitted again.
    for c in predict::of_groups(front, Some(place), &data, data_at)? {
        data = data.with_column(c).map_err(|e| lift(&e, data_at))?;
    }
    let target_values = target.floats_in_unit();
    let residuals = differences(&target, &unit, &target_values, &law_values);
    Ok(Measured {
        front,
        place,
        rows: rows.iter().map(|r| r % given + 1).collect(),
        all: (d.rows(), missing),
        fitted: law_values.iter().map(|f| unit.from_si(*f)).collect(),
        data,
        target,
        features,
        unit,
        difference,
        target_values,
        residuals,
        kind,
    })
}
