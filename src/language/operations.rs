//! Arithmetic on values: expressions, and lists, columns and matrices element by element. Units are
//! checked here once more, on the values (the checker has done it on the source where it could).

use std::sync::Arc;

use super::context::Context;
use super::dimension::{self, Mismatch};
use super::error::{Error, Result, fault, fault_hint};
use super::value::{Value, is_matrix};
use crate::base::{Number, Span};
use crate::expression::{Expr, Flags, Kind};
use crate::syntax::tree::Operator;
use crate::units::Unit;

/// The fault of a mismatch found in a value.
pub fn unit_fault(m: &Mismatch, span: Span) -> Error {
    match m {
        Mismatch::Terms(..) | Mismatch::Open(..) => fault(6021, span, m.message()),
        Mismatch::NotPure(..) => fault_hint(6022, span, m.message(), "divide by a quantity of the same unit"),
    }
}

/// Offset and logarithmic quantities (`20 [degC]`) as SI quantities; everything else as it is.
pub fn settle(e: &Expr) -> Expr {
    if !e.flags().has(Flags::UNIT) {
        return e.clone();
    }
    let (value, unit) = e.split_unit();
    let Some(unit) = unit.filter(|u| !u.is_ordinary()) else { return e.clone() };
    let si = Unit::coherent(unit.dimension());
    let exact = match (value.as_number(), unit.offset()) {
        (Some(n), Some(offset)) if unit.scale().float().is_none() && unit.scale().pi_power() == 0 => {
            Some(&(n + offset) * unit.scale().exact())
        }
        _ => None,
    };
    let number = match exact {
        Some(n) => Expr::number(n),
        None => match value.evaluate(&|_| None) {
            Some(x) => match value.uncertain_leaves().is_empty() {
                true => Expr::float(unit.to_si(x)),
                // An offset is added exactly, so that the uncertainty stays.
                false => Expr::product([
                    Expr::sum([value, Expr::number(unit.offset().cloned().unwrap_or(Number::ZERO))]),
                    Expr::scale_factor(unit.scale()),
                ]),
            },
            None => value,
        },
    };
    Expr::product([number, Expr::unit(si)])
}

/// Converts a quantity to a unit; a symbolic expression is only checked.
pub fn convert(context: &Context, value: &Value, unit: &Unit, span: Span) -> Result<Value> {
    match value.plain() {
        Value::List(items) => {
            let items: Result<Vec<Value>> = items.iter().map(|v| convert(context, v, unit, span)).collect();
            Ok(Value::list(items?))
        }
        Value::Column(c) => convert(context, &column_values(c), unit, span),
        other => {
            let e = expr_of(other, span)?;
            let e = settle(&e);
            let d = dimension::of(&e, &context.declarations).map_err(|m| unit_fault(&m, span))?;
            match d {
                Some(d) if d != unit.dimension() => {
                    let found = Unit::coherent(d);
                    let message = format!("expected a unit of [{unit}], found a quantity in [{found}]");
                    let mut error = fault(6021, span, message);
                    if let Ok(missing) = Unit::coherent(unit.dimension()).div(&found) {
                        error.hint = Some(format!(
                            "multiply by something in [{}]",
                            Unit::coherent(missing.dimension())
                        ));
                    }
                    return Err(error);
                }
                Some(_) if e.is_symbolic() => return Ok(Value::Expr(e)),
                None if e.is_symbolic() => return Ok(Value::Expr(e)),
                _ => {}
            }
            if !unit.is_ordinary() {
                let si = match e.split_unit() {
                    (n, Some(own)) => Expr::product([n, Expr::scale_factor(own.scale())]),
                    (n, None) => n,
                };
                let value = match (si.as_number(), unit.offset()) {
                    (Some(n), Some(offset))
                        if unit.scale().float().is_none() && unit.scale().pi_power() == 0 =>
                    {
                        let inverse = unit.scale().exact().recip().unwrap_or(Number::ONE);
                        Expr::number(&(n * &inverse) - offset)
                    }
                    _ => Expr::float(unit.from_si(si.evaluate(&|_| None).unwrap_or(f64::NAN))),
                };
                return Ok(Value::Expr(Expr::product([value, Expr::unit(unit.clone())])));
            }
            let (number, own) = e.split_unit();
            let number = match own {
                Some(own) => match own.convert_scale(unit) {
                    Ok(scale) => Expr::product([number, Expr::scale_factor(&scale)]),
                    Err(error) => return Err(super::error::lift(&error, span)),
                },
                // No unit leaf outside (a sum of quantities, a pure number): divide by the unit's size.
                None => {
                    let si = strip_units(&number);
                    Expr::product([si, Expr::scale_factor(&unit.scale().recip())])
                }
            };
            if number.is_zero() {
                return Ok(Value::Expr(Expr::product([Expr::zero(), Expr::unit(unit.clone())])));
            }
            Ok(Value::Expr(Expr::product([number, Expr::unit(unit.clone())])))
        }
    }
}

/// Every unit replaced by its SI factor.
pub fn strip_units(e: &Expr) -> Expr {
    if !e.flags().has(Flags::UNIT) {
        return e.clone();
    }
    e.transform(&mut |e| match e.kind() {
        Kind::Unit(u) => Expr::scale_factor(u.scale()),
        _ => e,
    })
}

/// The value as an expression, or the fault that it is none.
pub fn expr_of(value: &Value, span: Span) -> Result<Expr> {
    value.as_expr().ok_or_else(|| {
        fault(6016, span, format!("expected a number or an expression, found a {}", value.kind_name()))
    })
}

/// The elements of a column as quantities, uncertain where it has errors.
pub fn column_values(c: &crate::data::Column) -> Value {
    Value::list((0..c.len()).map(|row| column_element(c, row)).collect())
}

/// One element of a column.
pub fn column_element(c: &crate::data::Column, row: usize) -> Value {
    use crate::base::hash;
    use crate::data::Values;
    if c.is_missing(row) {
        return Value::Nothing;
    }
    let uncertain = |value: f64, sigma: f64| {
        // Two values are one measurement where name, row, value and error agree.
        let words = [row as u64, value.to_bits(), sigma.to_bits()];
        let id = words.into_iter().fold(hash::of_str(&c.name), hash::combine);
        Expr::uncertain(crate::expression::Uncertain::new(id | 1 << 63, value, sigma))
    };
    let errors = c.errors.as_ref().map(|e| e[row]);
    let number = match &c.values {
        Values::Array(stack) => {
            let mut numbers = stack.row(row);
            return array_value(stack, &mut numbers, &stack.sizes_of(row), c.unit.as_ref());
        }
        Values::Label(labels) => return Value::Text(labels[row].clone()),
        Values::Integer(v) if errors.is_some() => uncertain(v[row] as f64, errors.unwrap_or(0.0)),
        Values::Integer(v) => Expr::int(v[row]),
        Values::F64(v) => errors.map_or_else(|| Expr::float(v[row]), |sigma| uncertain(v[row], sigma)),
        Values::Complex(v) => {
            Expr::sum([Expr::float(v[row].0), Expr::product([Expr::float(v[row].1), Expr::i()])])
        }
    };
    match &c.unit {
        Some(unit) if !unit.is_one() => Value::Expr(Expr::product([number, Expr::unit(unit.clone())])),
        _ => Value::Expr(number),
    }
}

/// An array as lists within lists.
fn array_value(
    stack: &crate::data::Stack,
    numbers: &mut dyn Iterator<Item = f64>,
    sizes: &[usize],
    unit: Option<&Unit>,
) -> Value {
    use crate::data::Numbers;
    let Some((n, rest)) = sizes.split_first() else {
        let x = numbers.next().unwrap_or(f64::NAN);
        let number = match stack.numbers() {
            Numbers::U8(_) => Expr::int(x as i64),
            Numbers::F32(_) | Numbers::F64(_) => Expr::float(x),
        };
        return match unit.filter(|u| !u.is_one()) {
            Some(unit) => Value::Expr(Expr::product([number, Expr::unit(unit.clone())])),
            None => Value::Expr(number),
        };
    };
    Value::list((0..*n).map(|_| array_value(stack, numbers, rest, unit)).collect())
}

/// As a list, where it is a list, a column or a range that counts.
pub fn as_list(value: &Value) -> Option<Arc<Vec<Value>>> {
    match value.plain() {
        Value::List(items) => Some(items.clone()),
        Value::Column(c) => match column_values(c) {
            Value::List(items) => Some(items),
            _ => None,
        },
        _ => None,
    }
}

/// `a op b`.
pub fn binary(context: &Context, op: Operator, a: &Value, b: &Value, span: Span) -> Result<Value> {
    let (left, right) = (as_list(a), as_list(b));
    match (left, right) {
        (None, None) => {
            if let (Value::Text(x), Value::Text(y), Operator::Add) = (a.plain(), b.plain(), op) {
                return Ok(Value::text(format!("{x}{y}")));
            }
            let (x, y) = (operand(a, op, span)?, operand(b, op, span)?);
            scalar(context, op, &x, &y, span)
        }
        (Some(x), Some(y)) => {
            if op == Operator::Mul && (is_matrix(&x) || is_matrix(&y)) {
                return matrix_product(context, &x, &y, span);
            }
            if x.len() != y.len() {
                let message =
                    format!("expected lists of equal length, found {} and {} elements", x.len(), y.len());
                return Err(fault(6014, span, message));
            }
            let items: Result<Vec<Value>> =
                x.iter().zip(y.iter()).map(|(a, b)| binary(context, op, a, b, span)).collect();
            Ok(Value::list(items?))
        }
        (Some(x), None) => {
            let items: Result<Vec<Value>> = x.iter().map(|a| binary(context, op, a, b, span)).collect();
            Ok(Value::list(items?))
        }
        (None, Some(y)) => {
            let items: Result<Vec<Value>> = y.iter().map(|b| binary(context, op, a, b, span)).collect();
            Ok(Value::list(items?))
        }
    }
}

fn operand(v: &Value, op: Operator, span: Span) -> Result<Expr> {
    let e = v.as_expr().ok_or_else(|| {
        let word = match op {
            Operator::Add => "add",
            Operator::Sub => "subtract",
            Operator::Mul => "multiply",
            Operator::Div => "divide",
            Operator::Pow => "raise to a power",
        };
        fault(6016, span, format!("expected numbers or expressions to {word}, found a {}", v.kind_name()))
    })?;
    Ok(settle(&e))
}

/// `a op b` of expressions, with the units checked.
pub fn scalar(context: &Context, op: Operator, a: &Expr, b: &Expr, span: Span) -> Result<Value> {
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mul => a * b,
        Operator::Div => a / b,
        Operator::Pow => Expr::power(a.clone(), b.clone()),
    };
    if op == Operator::Pow
        && let Kind::Power(base, exponent) = result.kind()
        && base.as_number().is_some()
        && exponent.as_number().is_some_and(Number::is_integer)
    {
        let message = format!("expected a number that can be written, found {base} to the power {exponent}");
        return Err(fault_hint(6024, span, message, "a float holds its size: 10.0^300"));
    }
    match op {
        Operator::Add | Operator::Sub => same_units(context, a, b, span)?,
        Operator::Pow => {
            if let Some(d) = dimension::of(b, &context.declarations).map_err(|m| unit_fault(&m, span))?
                && !d.is_none()
            {
                return Err(unit_fault(&Mismatch::NotPure(b.clone(), d), span));
            }
        }
        _ => {}
    }
    context.checked(result, span)
}

/// Both must have one dimension, where it is known.
pub fn same_units(context: &Context, a: &Expr, b: &Expr, span: Span) -> Result<()> {
    if a.is_plain_number() && b.is_plain_number() {
        return Ok(());
    }
    let da = dimension::of(a, &context.declarations).map_err(|m| unit_fault(&m, span))?;
    let db = dimension::of(b, &context.declarations).map_err(|m| unit_fault(&m, span))?;
    match (da, db) {
        (Some(x), Some(y)) if x != y => Err(unit_fault(&Mismatch::Terms(a.clone(), x, b.clone(), y), span)),
        _ => Ok(()),
    }
}

fn matrix_product(context: &Context, x: &[Value], y: &[Value], span: Span) -> Result<Value> {
    let row = |v: &Value| match v {
        Value::List(items) => Some(items.clone()),
        _ => None,
    };
    let shape = |v: &[Value]| match v.first().and_then(row) {
        Some(first) => format!("{}x{}", v.len(), first.len()),
        None => format!("{}", v.len()),
    };
    let mismatch =
        || fault(6014, span, format!("expected matching shapes, found {} and {}", shape(x), shape(y)));
    let dot = |a: &[Value], b: &[Value]| -> Result<Value> {
        if a.len() != b.len() {
            return Err(mismatch());
        }
        let mut total: Option<Value> = None;
        for (p, q) in a.iter().zip(b) {
            let term = binary(context, Operator::Mul, p, q, span)?;
            total = Some(match total {
                None => term,
                Some(t) => binary(context, Operator::Add, &t, &term, span)?,
            });
        }
        Ok(total.unwrap_or_else(|| Value::int(0)))
    };
    match (is_matrix(x), is_matrix(y)) {
        (true, true) => {
            let columns = y.first().and_then(row).map_or(0, |r| r.len());
            if x.first().and_then(row).map_or(0, |r| r.len()) != y.len() {
                return Err(mismatch());
            }
            let column =
                |k: usize| -> Vec<Value> { y.iter().filter_map(row).map(|r| r[k].clone()).collect() };
            let columns: Vec<Vec<Value>> = (0..columns).map(column).collect();
            let rows: Result<Vec<Value>> = x
                .iter()
                .filter_map(row)
                .map(|r| -> Result<Value> {
                    let cells: Result<Vec<Value>> = columns.iter().map(|c| dot(&r, c)).collect();
                    Ok(Value::list(cells?))
                })
                .collect();
            Ok(Value::list(rows?))
        }
        (true, false) => {
            let cells: Result<Vec<Value>> = x.iter().filter_map(row).map(|r| dot(&r, y)).collect();
            Ok(Value::list(cells?))
        }
        (false, _) => {
            if x.len() != y.len() {
                return Err(mismatch());
            }
            let width = y.first().and_then(row).map_or(0, |r| r.len());
            let cells: Result<Vec<Value>> = (0..width)
                .map(|k| dot(x, &y.iter().filter_map(row).map(|r| r[k].clone()).collect::<Vec<_>>()))
                .collect();
            Ok(Value::list(cells?))
        }
    }
}

/// `a · b` of vectors; `*` of anything else.
pub fn dot(context: &Context, a: &Value, b: &Value, span: Span) -> Result<Value> {
    match (as_list(a), as_list(b)) {
        (Some(x), Some(y)) if !is_matrix(&x) && !is_matrix(&y) => {
            if x.len() != y.len() {
                return Err(fault(
                    6014,
                    span,
                    format!("expected vectors of equal length, found {} and {}", x.len(), y.len()),
                ));
            }
            let mut total = Value::int(0);
            for (p, q) in x.iter().zip(y.iter()) {
                let term = binary(context, Operator::Mul, p, q, span)?;
                total = binary(context, Operator::Add, &total, &term, span)?;
            }
            Ok(total)
        }
        _ => binary(context, Operator::Mul, a, b, span),
    }
}

/// `a × b` of vectors with three elements; `*` of numbers.
pub fn cross(context: &Context, a: &Value, b: &Value, span: Span) -> Result<Value> {
    match (as_list(a), as_list(b)) {
        (Some(x), Some(y)) => {
            if x.len() != 3 || y.len() != 3 {
                return Err(fault(6014, span, "expected vectors with three elements"));
            }
            let component = |i: usize, j: usize| -> Result<Value> {
                let p = binary(context, Operator::Mul, &x[i], &y[j], span)?;
                let q = binary(context, Operator::Mul, &x[j], &y[i], span)?;
                binary(context, Operator::Sub, &p, &q, span)
            };
            Ok(Value::list(vec![component(1, 2)?, component(2, 0)?, component(0, 1)?]))
        }
        _ => binary(context, Operator::Mul, a, b, span),
    }
}

/// `-a`.
pub fn negate(a: &Value, span: Span) -> Result<Value> {
    match as_list(a) {
        Some(items) => {
            let items: Result<Vec<Value>> = items.iter().map(|v| negate(v, span)).collect();
            Ok(Value::list(items?))
        }
        None => {
            let e = expr_of(a, span)?;
            // `-5 [degC]` is (-5) degC: the number of an offset quantity is what was typed.
            Ok(Value::Expr(e.negate()))
        }
    }
}

/// A known function element by element, with the units of its arguments checked.
pub fn call_function(
    context: &Context,
    f: crate::expression::Function,
    args: &[Value],
    span: Span,
) -> Result<Value> {
    if let Some(length) = args.iter().find_map(|a| as_list(a).map(|l| l.len())) {
        let mut items = Vec::with_capacity(length);
        for k in 0..length {
            let row: Result<Vec<Value>> = args
                .iter()
                .map(|a| match as_list(a) {
                    None => Ok(a.clone()),
                    Some(list) if list.len() == length => Ok(list[k].clone()),
                    Some(list) => Err(fault(
                        6014,
                        span,
                        format!("expected lists of equal length, found {length} and {} elements", list.len()),
                    )),
                })
                .collect();
            items.push(call_function(context, f, &row?, span)?);
        }
        return Ok(Value::list(items));
    }
    let mut exprs = Vec::with_capacity(args.len());
    for a in args {
        let e = settle(&expr_of(a, span)?);
        exprs.push(e);
    }
    // The unit of a pure argument is a pure number: sin(30 [deg]).
    let result = pure_call(f, exprs);
    if result.flags().has(Flags::UNIT) || result.is_symbolic() {
        dimension::of(&result, &context.declarations).map_err(|m| unit_fault(&m, span))?;
    }
    if let (crate::expression::Function::Factorial, Kind::Call(_, a)) = (f, result.kind())
        && a[0].as_number().is_some_and(|n| n.is_negative() || !n.is_integer())
    {
        return Err(fault(6006, span, format!("expected a natural number, found {}", a[0])));
    }
    context.checked(result, span)
}

/// Arguments that are pure numbers lose units such as `[deg]` and `[%]`.
fn pure_call(f: crate::expression::Function, args: Vec<Expr>) -> Expr {
    use crate::expression::Function::*;
    let keeps_units = matches!(
        f,
        Abs | Re | Im | Conj | Floor | Ceil | Round | Min | Max | Mod | Sign | Step | Arg | Atan2
    );
    if keeps_units {
        return units_aware(f, args);
    }
    let args = args
        .into_iter()
        .map(|a| match a.split_unit() {
            (n, Some(u)) if u.dimension().is_none() => Expr::product([n, Expr::scale_factor(u.scale())]),
            _ => a,
        })
        .collect();
    Expr::call(f, args)
}

/// Functions that commute with a change of unit: carried out on the numbers in the first one's unit.
fn units_aware(f: crate::expression::Function, args: Vec<Expr>) -> Expr {
    use crate::expression::Function::*;
    let Some(unit) = args.first().and_then(|a| a.split_unit().1) else { return Expr::call(f, args) };
    let numbers: Option<Vec<Expr>> = args
        .iter()
        .map(|a| match a.split_unit() {
            (n, Some(u)) if !n.flags().has(Flags::UNIT) => {
                u.convert_scale(&unit).ok().map(|s| Expr::product([n, Expr::scale_factor(&s)]))
            }
            _ if a.is_zero() => Some(a.clone()),
            _ => None,
        })
        .collect();
    match numbers {
        None => Expr::call(f, args),
        Some(numbers) => {
            let value = Expr::call(f, numbers);
            match f {
                Sign | Step | Arg | Atan2 => value,
                _ => Expr::product([value, Expr::unit(unit)]),
            }
        }
    }
}
