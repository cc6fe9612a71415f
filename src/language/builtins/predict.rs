//! `predict(found, data)`: what a law says for the rows of a dataset.

use std::sync::Arc;

use super::Body;
use super::data::{column_declarations, fit_member};
use super::regress::group_words;
use crate::base::Span;
use crate::data::{Column, DataError, Dataset};
use crate::expression::{Declaration, Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::dimension;
use crate::language::error::{Result, fault_hint, lift};
use crate::language::formulas::from_values;
use crate::language::operations as op;
use crate::language::value::{FrontValue, Record, Value};
use crate::numeric::Tape;
use crate::syntax::tree::Name;
use crate::units::{Dimension, Unit};

/// The table.
pub const TABLE: &[(&str, Body)] = &[("predict", predict)];

/// The constants that differ between groups as columns of a dataset, for the law of a front at a place.
pub(super) fn of_groups(
    front: &FrontValue,
    place: Option<usize>,
    d: &Dataset,
    at: Span,
) -> Result<Vec<Column>> {
    let Some((groups, place)) = front.groups.as_ref().zip(place) else { return Ok(Vec::new()) };
    let column = d.column(&groups.column).map_err(|e| lift(&e, at))?;
    groups.columns(place, &group_words(column)).map_err(|(row, word)| {
        let message = format!("expected a group of the search, found `{word}` in row {}", row + 1);
        fault_hint(6006, at, message, format!("it has {}", groups.names.join(", ")))
    })
}

/// For the rows of a dataset a column, or a dataset of several; for a record, which is one row, a value, or a record of
/// several.
fn predict(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("data");
    let given = args.value("data")?;
    let Value::Record(point) = given.plain() else { return of_rows(context, args, &*args.dataset("data")?) };
    let columns =
        point.entries.iter().map(|(name, value)| from_values(name, std::slice::from_ref(value), at));
    let d = Dataset::new("a point", columns.collect::<Result<_>>()?).map_err(|e| lift(&e, at))?;
    let found = of_rows(context, args, &d)?;
    Ok(match found.plain() {
        Value::Column(c) => op::column_element(c, 0),
        Value::Dataset(d) => {
            let entry = |c: &Arc<Column>| (Name::from(&*c.name), op::column_element(c, 0));
            Value::Record(Arc::new(Record { entries: d.columns().iter().map(entry).collect() }))
        }
        _ => found,
    })
}

fn of_rows(context: &mut Context, args: &Args, d: &Dataset) -> Result<Value> {
    let model = args.value("model")?;
    let shares = args.boolean("probabilities")?;
    #[cfg(feature = "networks")]
    if let Value::Model(m) = model.plain() {
        return match shares {
            true => super::training::probabilities(context, m, d, args),
            false => super::training::predict(context, m, d, args.span_of("data")),
        };
    }
    #[cfg(not(feature = "networks"))]
    let _ = context;
    if shares {
        let message = "expected a model of classes for probabilities, found a law";
        return Err(fault_hint(6006, args.span_of("probabilities"), message, "predict(law, data)"));
    }
    let (law, unit, name): (Expr, Option<Unit>, String) = match model.plain() {
        Value::Front(f) => {
            let Some(best) = f.chosen() else {
                return Err(fault_hint(
                    6006,
                    args.span_of("model"),
                    "expected a law, found an empty front",
                    "found[0]",
                ));
            };
            (best.expr.clone(), f.target_unit.clone(), f.target.to_string())
        }
        Value::Fit(f) => match fit_member(f, "law").0 {
            Some(Value::Expr(law)) => (law, None, "y".into()),
            _ => return Err(args.wrong("model", "a law, a front or a fit", model)),
        },
        Value::Law(l) => {
            let name = l.name.as_ref().map_or("y".into(), |n| n.to_string());
            (l.formula.clone(), l.unit.clone(), name)
        }
        // Of an equation, what its left side is.
        Value::Expr(e) => match e.kind() {
            Kind::Relation(Relation::Eq, left, right) => (right.clone(), None, left.to_string()),
            _ => (e.clone(), None, "y".into()),
        },
        _ => return Err(args.wrong("model", "a law, a front or a fit", model)),
    };
    let at = args.span_of("model");
    let law = op::settle(&law);
    let symbols = law.symbols();
    let mut columns: Vec<Arc<Column>> = Vec::new();
    let own = match model.plain() {
        Value::Front(f) => of_groups(f, f.chosen_index(), d, args.span_of("data"))?,
        _ => Vec::new(),
    };
    for s in &symbols {
        if let Some(c) = own.iter().find(|c| *c.name == *s.name()) {
            columns.push(Arc::new(c.clone()));
            continue;
        }
        let c = d.numbers(s.name()).map_err(|e| lift(&e, args.span_of("data")))?;
        if let Some(row) = (0..c.len()).find(|i| c.is_missing(*i)) {
            let missing = DataError::MissingValue { name: c.name.to_string(), row };
            return Err(lift(&missing, args.span_of("data")));
        }
        columns.push(c.clone());
    }
    let mut known = column_declarations(d);
    for c in &columns {
        let unit = Some(c.unit.clone().unwrap_or_else(Unit::one));
        known.insert(Symbol::new(&c.name), Declaration { unit, ..Declaration::default() });
    }
    let own = dimension::of(&law, &known).map_err(|m| op::unit_fault(&m, at))?;
    let own = own.unwrap_or(Dimension::NONE);
    let unit = unit.filter(|u| u.dimension() == own).unwrap_or_else(|| Unit::coherent(own));
    // Uncertain constants are inputs too: the errors of the values follow from their derivatives.
    let leaves = law.uncertain_leaves();
    let hidden: Vec<Symbol> = (0..leaves.len()).map(|k| Symbol::new(&format!("#{k}"))).collect();
    let open = law.transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => match leaves.iter().position(|l| l == u) {
            Some(k) => Expr::symbol(hidden[k].clone()),
            None => e,
        },
        _ => e,
    });
    let inputs: Vec<Symbol> = symbols.iter().chain(&hidden).cloned().collect();
    let tape = Tape::compile(std::slice::from_ref(&open), &inputs).map_err(|e| lift(&e, at))?;
    let mut lists: Vec<Vec<f64>> = columns.iter().map(|c| c.si_values()).collect();
    lists.extend(leaves.iter().map(|u| vec![u.value()]));
    let lists: Vec<&[f64]> = lists.iter().map(Vec::as_slice).collect();
    let full = |list: Vec<f64>| -> Vec<f64> {
        if list.len() == d.rows() { list } else { vec![list.first().copied().unwrap_or(f64::NAN); d.rows()] }
    };
    let values = full(tape.eval(&lists).swap_remove(0));
    let errors = (!leaves.is_empty()).then(|| {
        let wrt: Vec<usize> = (symbols.len()..inputs.len()).collect();
        let mut slopes = tape.jacobian(&lists, &wrt).swap_remove(0);
        slopes.remove(0);
        let slopes: Vec<Vec<f64>> = slopes.into_iter().map(full).collect();
        (0..d.rows())
            .map(|row| {
                let mut variance = 0.0;
                for (a, x) in leaves.iter().zip(&slopes) {
                    for (b, y) in leaves.iter().zip(&slopes) {
                        variance += x[row] * y[row] * a.covariance(b);
                    }
                }
                let error = variance.max(0.0).sqrt();
                (unit.from_si(values[row] + error) - unit.from_si(values[row])).abs()
            })
            .collect::<Vec<f64>>()
    });
    let shown = (!unit.is_one()).then(|| unit.clone());
    let values = values.into_iter().map(|x| unit.from_si(x)).collect();
    let column = Column { errors, ..Column::floats(&name, shown, values) };
    Ok(Value::Column(Arc::new(column)))
}
