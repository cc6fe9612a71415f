//! Spectra and statistics of lists of numbers: the language's side of `numeric::fourier` and `numeric::statistics`.

use super::Body;
use super::numeric::number;
use super::systems::quantity;
use crate::expression::{Covariance, Expr, Uncertain};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::render;
use crate::language::value::Value;
use crate::numeric::{fourier, linear_least_squares, statistics};
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("fft", fft),
    ("ifft", fft),
    ("fft_frequencies", fft_frequencies),
    ("quantile", quantile),
    ("rms", rms),
    ("standard_error", standard_error),
    ("covariance", covariance),
    ("correlation", covariance),
    ("histogram_counts", histogram_counts),
    ("linear_regression", linear_regression),
];

/// The elements of a list of numbers in SI, with the unit they are shown in.
fn floats(context: &mut Context, args: &Args, name: &str) -> Result<(Vec<f64>, Unit)> {
    let (pairs, unit) = complex(context, args, name)?;
    match pairs.iter().position(|(_, im)| *im != 0.0) {
        None => Ok((pairs.into_iter().map(|(re, _)| re).collect(), unit)),
        Some(k) => Err(fault(
            6006,
            args.span_of(name),
            format!("expected real numbers in `{name}`, element {k} is complex"),
        )),
    }
}

fn complex(context: &mut Context, args: &Args, name: &str) -> Result<(Vec<(f64, f64)>, Unit)> {
    let value = args.value(name)?.clone();
    let at = args.span_of(name);
    let items = context.elements(&value, at)?;
    if items.is_empty() {
        return Err(fault(6006, at, format!("`{name}` expects at least one element, found none")));
    }
    let mut first: Option<Expr> = None;
    let mut pairs = Vec::with_capacity(items.len());
    for item in &items {
        let e = op::settle(&op::expr_of(item, at)?);
        match &first {
            None => first = Some(e.clone()),
            Some(f) => op::same_units(context, f, &e, at)?,
        }
        let pair = match e.evaluate(&|_| None) {
            Some(x) => Some((x, 0.0)),
            None => e.evaluate_complex(&|_| None),
        };
        pairs
            .push(pair.ok_or_else(|| fault(6006, at, format!("expected numbers in `{name}`, found `{e}`")))?);
    }
    let unit = items
        .iter()
        .find_map(|v| {
            let e = op::settle(&v.as_expr()?);
            let si = e.evaluate(&|_| None).unwrap_or(1.0);
            render::in_unit(&e, si, 0.0).0
        })
        .unwrap_or_else(Unit::one);
    Ok((pairs, unit))
}

pub(super) fn with_unit(number: Expr, unit: &Unit) -> Value {
    Value::Expr(if unit.is_one() { number } else { Expr::product([number, Expr::unit(unit.clone())]) })
}

fn fft(context: &mut Context, args: &Args) -> Result<Value> {
    let (pairs, unit) = complex(context, args, "xs")?;
    let inverse = &*args.signature.name == "ifft";
    let mut found = if inverse { fourier::inverse(&pairs) } else { fourier::forward(&pairs) };
    let largest = found.iter().fold(0.0f64, |m, (re, im)| m.max(re.abs()).max(im.abs()));
    // What rounding leaves where the transform is exactly 0.
    let rounding = 4.0 * f64::EPSILON * largest * (pairs.len() as f64).sqrt();
    for (re, im) in &mut found {
        if re.abs() <= rounding {
            *re = 0.0;
        }
        if im.abs() <= rounding {
            *im = 0.0;
        }
    }
    let items = found
        .into_iter()
        .map(|(re, im)| {
            let (re, im) = (unit.from_si(re), unit.from_si(im));
            let number = match im == 0.0 {
                true => Expr::float(re),
                false => Expr::sum([Expr::float(re), Expr::product([Expr::float(im), Expr::i()])]),
            };
            with_unit(number, &unit)
        })
        .collect();
    Ok(Value::list(items))
}

fn fft_frequencies(context: &mut Context, args: &Args) -> Result<Value> {
    let count = args.integer("count")?;
    if !(1..=crate::language::members::MAX_ELEMENTS).contains(&count) {
        return Err(fault(6006, args.span_of("count"), format!("expected at least 1 sample, found {count}")));
    }
    let spacing = args.expr("spacing")?;
    let si = number(context, &spacing, args.span_of("spacing"))?;
    if !(si > 0.0 && si.is_finite()) {
        return Err(fault(
            6006,
            args.span_of("spacing"),
            format!("expected a positive spacing, found `{spacing}`"),
        ));
    }
    let own = render::in_unit(&spacing, si, 0.0).0.unwrap_or_else(Unit::one);
    let unit = Unit::one().div(&own).map_err(|e| lift(&e, args.span_of("spacing")))?;
    let found = fourier::frequencies(count as usize, own.from_si(si));
    Ok(Value::list(found.into_iter().map(|x| with_unit(Expr::float(x), &unit)).collect()))
}

fn at_least(args: &Args, name: &str, found: usize, least: usize) -> Result<()> {
    if found >= least {
        return Ok(());
    }
    let message = format!("`{}` expects at least {least} elements, found {found}", args.signature.name);
    Err(fault(6006, args.span_of(name), message))
}

fn quantile(context: &mut Context, args: &Args) -> Result<Value> {
    let (xs, unit) = floats(context, args, "xs")?;
    let p = args.real("p")?;
    if !(0.0..=1.0).contains(&p) {
        return Err(fault_hint(
            6006,
            args.span_of("p"),
            format!("expected a share from 0 to 1, found {p}"),
            "p: 0.5",
        ));
    }
    Ok(Value::Expr(quantity(statistics::quantile(&xs, p), &unit)))
}

fn rms(context: &mut Context, args: &Args) -> Result<Value> {
    let (xs, unit) = floats(context, args, "xs")?;
    Ok(Value::Expr(quantity(statistics::rms(&xs), &unit)))
}

fn standard_error(context: &mut Context, args: &Args) -> Result<Value> {
    let (xs, unit) = floats(context, args, "xs")?;
    at_least(args, "xs", xs.len(), 2)?;
    let error = statistics::standard_deviation(&xs) / (xs.len() as f64).sqrt();
    Ok(Value::Expr(quantity(error, &unit)))
}

/// Two lists of one length, in their units.
type Pairs = ((Vec<f64>, Unit), (Vec<f64>, Unit));

fn two(context: &mut Context, args: &Args) -> Result<Pairs> {
    let (xs, ys) = (floats(context, args, "xs")?, floats(context, args, "ys")?);
    if xs.0.len() != ys.0.len() {
        let message =
            format!("expected lists of equal length, found {} and {} elements", xs.0.len(), ys.0.len());
        return Err(fault(6014, args.span, message));
    }
    at_least(args, "xs", xs.0.len(), 2)?;
    Ok((xs, ys))
}

fn covariance(context: &mut Context, args: &Args) -> Result<Value> {
    let ((xs, u), (ys, v)) = two(context, args)?;
    if &*args.signature.name == "correlation" {
        let r = statistics::correlation(&xs, &ys);
        if r.is_nan() {
            return Err(fault(6006, args.span, "expected lists that vary, found a constant one"));
        }
        // Rounding may lead beyond 1.
        return Ok(Value::Expr(Expr::float(r.clamp(-1.0, 1.0))));
    }
    let unit = u.mul(&v).unwrap_or_else(|_| Unit::one());
    Ok(Value::Expr(quantity(statistics::covariance(&xs, &ys), &unit)))
}

fn histogram_counts(context: &mut Context, args: &Args) -> Result<Value> {
    let (xs, unit) = floats(context, args, "xs")?;
    let bins = usize::try_from(args.integer("bins")?).ok().filter(|n| (1..=1_000_000).contains(n));
    let Some(bins) = bins else {
        return Err(fault_hint(6006, args.span_of("bins"), "expected from 1 to 1000000 bins", "bins: 10"));
    };
    let (edges, counts) = statistics::histogram(&xs, bins);
    Ok(Value::record(vec![
        ("edges", Value::list(edges.iter().map(|x| Value::Expr(quantity(*x, &unit))).collect())),
        ("counts", Value::list(counts.iter().map(|n| Value::int(*n as i64)).collect())),
    ]))
}

fn linear_regression(context: &mut Context, args: &Args) -> Result<Value> {
    let ((xs, u), (ys, v)) = two(context, args)?;
    let ones = vec![1.0; xs.len()];
    let fit = linear_least_squares(&[&ones, &xs], &ys, None, false).map_err(|e| lift(&e, args.span))?;
    if !fit.undetermined.is_empty() {
        return Err(fault(6006, args.span_of("xs"), "expected xs that vary, found a constant list"));
    }
    let slope_unit = v.div(&u).map_err(|e| lift(&e, args.span))?;
    let id = context.new_identity(2);
    let unknown = (0..2).any(|k| !fit.covariance[(k, k)].is_finite());
    // In the units shown, so that the numbers keep their correlation.
    let (intercept, slope) = (v.from_si(fit.coefficients[0]), slope_unit.from_si(fit.coefficients[1]));
    let scales = [v.from_si(1.0), slope_unit.from_si(1.0)];
    let numbers = if unknown {
        [Expr::float(intercept), Expr::float(slope)]
    } else {
        let covariance = (0..2).flat_map(|i| (0..2).map(move |j| (i, j)));
        let matrix = covariance.map(|(i, j)| fit.covariance[(i, j)] * scales[i] * scales[j]).collect();
        let joint = Uncertain::joint(id, &[intercept, slope], Covariance { size: 2, matrix });
        [Expr::uncertain(joint[0].clone()), Expr::uncertain(joint[1].clone())]
    };
    let [intercept, slope] = numbers;
    Ok(Value::record(vec![
        ("slope", with_unit(slope, &slope_unit)),
        ("intercept", with_unit(intercept, &v)),
        ("r2", Value::Expr(Expr::float(statistics::r2(&ys, &fit.residuals)))),
    ]))
}
