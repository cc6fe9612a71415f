//! Integrals and minima by numbers: the language's side of `numeric::quadrature` and `numeric::minimize`, and what it
//! shares with the search for roots.

use std::collections::BTreeMap;

use super::Body;
use super::spectra::with_unit;
use super::systems::quantity;
use crate::algebra;
use crate::base::{Code, Diagnostic, Span, StopReason};
use crate::expression::{Domain, Expr, Kind, Symbol, Uncertain};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::render;
use crate::language::unknowns::Dimensions;
use crate::language::value::Value;
use crate::numeric::minimize::{self, Method, Objective};
use crate::numeric::quadrature::{self, Integral, Tolerance};
use crate::numeric::{Scratch, Tape};
use crate::units::{Dimension, Unit};

/// The table.
pub const TABLE: &[(&str, Body)] = &[("nintegrate", nintegrate), ("minimize", minimum)];

/// One symbol with what is known of it: the range of its values in SI, the unit it is shown in.
pub(super) struct Unknown {
    pub symbol: Symbol,
    pub unit: Unit,
    pub bounds: (f64, f64),
}

/// The symbol that an argument is.
pub(super) fn symbol_of(e: &Expr, name: &str, at: Span) -> Result<Symbol> {
    e.as_symbol().cloned().ok_or_else(|| {
        fault_hint(
            6006,
            at,
            format!("`{name}` expects a symbol, found `{e}`"),
            "a name that is bound to a value is no symbol: choose another one",
        )
    })
}

/// The values of the symbols that are not searched for: starting values of parameters.
pub(super) fn fixed(
    context: &Context,
    exprs: &[&Expr],
    searched: &[Symbol],
    at: Span,
) -> Result<Vec<(Symbol, f64)>> {
    let mut found: BTreeMap<Symbol, f64> = BTreeMap::new();
    for symbol in exprs.iter().flat_map(|e| e.symbols()).filter(|s| !searched.contains(s)) {
        let Some(start) = context.declarations.get(&symbol).and_then(|d| d.start) else {
            let message = format!("expected a symbol with a value, found `{symbol}`");
            let hint = format!("give it a value before: {symbol} = 1, or param {symbol} = 1");
            return Err(fault_hint(6403, at, message, hint));
        };
        found.insert(symbol, start);
    }
    Ok(found.into_iter().collect())
}

/// A number in SI, parameters at their starting values.
pub(super) fn number(context: &Context, e: &Expr, at: Span) -> Result<f64> {
    let start = |s: &Symbol| context.declarations.get(s).and_then(|d| d.start);
    let settled = op::settle(e);
    match settled.evaluate(&start).filter(|x| !x.is_nan()) {
        Some(x) => Ok(x),
        None => Err(fault(6006, at, format!("expected a number, found `{e}`"))),
    }
}

/// The declared bounds of a symbol, by domain and sign.
pub(super) fn declared_bounds(context: &Context, symbol: &Symbol) -> Option<(f64, f64)> {
    let declared = context.declarations.get(symbol)?;
    match &declared.domain {
        Some(domain @ Domain::Interval { .. }) => Some(domain.bounds()),
        _ => {
            let a = &declared.assumptions;
            match (a.positive || a.nonnegative, a.negative || a.nonpositive) {
                (true, _) => Some((0.0, f64::INFINITY)),
                (_, true) => Some((f64::NEG_INFINITY, 0.0)),
                _ => None,
            }
        }
    }
}

/// The unit an unknown is shown in: declared, as it was written in a start or range, coherent.
pub(super) fn unit_for(
    context: &Context,
    symbol: &Symbol,
    written: &[Expr],
    dimension: Option<Dimension>,
) -> Unit {
    let fits = |u: &Unit| dimension.is_none_or(|d| u.dimension() == d);
    let declared = context.declarations.get(symbol).and_then(|d| d.unit.clone());
    let from = written.iter().find_map(|e| e.split_unit().1);
    declared.or(from).filter(fits).unwrap_or_else(|| dimension.map_or_else(Unit::one, Unit::coherent))
}

/// Entries of a record argument, if it was given.
pub(super) fn record(args: &Args, name: &str) -> Result<Vec<(Symbol, Expr)>> {
    let Some(value) = args.get(name) else { return Ok(Vec::new()) };
    let Value::Record(r) = value.plain() else {
        return Err(args.wrong(name, "a record of starting values", value));
    };
    let at = args.span_of(name);
    r.entries.iter().map(|(n, v)| Ok((Symbol::new(n), op::expr_of(v, at)?))).collect()
}

/// Checks that what was written for a symbol has its unit.
pub(super) fn same_unit(
    search: &mut Dimensions<'_>,
    symbol: &Symbol,
    written: &Expr,
    at: Span,
) -> Result<()> {
    let own = search.symbol(symbol);
    let given = search.of(&op::settle(written)).map_err(|m| op::unit_fault(&m, at))?;
    if search.units.unify(&own, &given) {
        return Ok(());
    }
    let (own, given) = (search.shown(&own), search.shown(&given));
    Err(fault(6021, at, format!("`{symbol}` is in [{own}], found a value in [{given}]")))
}

pub(super) fn seed(context: &Context, args: &Args) -> Result<u64> {
    match args.get("seed") {
        None => Ok(context.seed),
        Some(_) => u64::try_from(args.integer("seed")?)
            .map_err(|_| fault(6006, args.span_of("seed"), "expected a seed of at least 0")),
    }
}

fn nintegrate(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("f");
    let f = args.expr("f")?;
    let variable = symbol_of(&args.expr("variable")?, "variable", args.span_of("variable"))?;
    let place = args.span_of("range");
    let (ends, low, high) = match args.get("range") {
        Some(v) => {
            let Value::Range(low, high) = v.plain() else {
                return Err(args.wrong("range", "a range such as 0..1", v));
            };
            let ends = (number(context, low, place)?, number(context, high, place)?);
            (ends, low.clone(), high.clone())
        }
        None => {
            let declared = context.declarations.get(&variable);
            let bounds = match declared.and_then(|d| d.domain.as_ref()) {
                Some(domain @ Domain::Interval { .. }) => domain.bounds(),
                _ => {
                    let message = format!("expected a range of `{variable}`, found none");
                    let hint = format!("nintegrate(..., {variable}, 0..1)");
                    return Err(fault_hint(6030, args.span, message, hint));
                }
            };
            let unit = declared
                .and_then(|d| d.unit.clone())
                .map_or_else(Unit::one, |u| Unit::coherent(u.dimension()));
            (bounds, quantity(bounds.0, &unit), quantity(bounds.1, &unit))
        }
    };
    let mut search = Dimensions::new(&context.declarations);
    for end in [&low, &high] {
        same_unit(&mut search, &variable, end, place)?;
    }
    let integrand = search.of(&f).map_err(|m| op::unit_fault(&m, at))?;
    let own = search.symbol(&variable);
    let dimension = search.decided(&integrand.times(&own)).unwrap_or(Dimension::NONE);
    let fixed = fixed(context, &[&f], std::slice::from_ref(&variable), at)?;
    let relative = args.real("tolerance")?;
    if !(1e-15..=0.1).contains(&relative) {
        let error = crate::numeric::NumericError::Tolerance { found: relative };
        return Err(lift(&error, args.span_of("tolerance")));
    }
    let tolerance = Tolerance { relative, absolute: 0.0 };
    let mut found = integral(context, &f, &variable, &fixed, ends, tolerance, at)?;
    if !found.converged && ends.0.is_finite() && ends.1.is_finite() {
        // From both ends inward the distance to the end is known exactly, also where the end is not 0.
        if let Some(better) = by_distances(context, &f, &variable, &fixed, (&low, &high), tolerance, at)
            && better.error < found.error
        {
            found = better;
        }
    }
    let unit = Unit::coherent(dimension);
    let shown = |x: f64| render::expr(&quantity(x, &unit), &context.style);
    if !found.converged {
        context.poll(args.span)?;
        let message = format!(
            "expected an error below {} of the integral, found {} of {}",
            crate::expression::print::float(relative, &context.style),
            shown(found.error),
            shown(found.value)
        );
        let hint = "does it converge? Cut the range where the integrand is singular or ends";
        context.notify(Diagnostic::warning(Code(6408), args.span, message).hint(hint));
    } else if found.vanishes && !f.is_zero() && ends.0 != ends.1 {
        let message = "the integrand was 0 wherever it was looked at".to_string();
        context.notify(Diagnostic::warning(Code(6408), args.span, message).hint("a narrower range"));
    }
    // An error of some units in the last place says nothing: the number is then as exact as any.
    let number = if found.error <= 1e-12 * found.value.abs() || found.error == 0.0 {
        Expr::float(unit.from_si(found.value))
    } else {
        let id = context.new_identity(1);
        Expr::uncertain(Uncertain::new(id, unit.from_si(found.value), unit.from_si(found.error)))
    };
    Ok(with_unit(number, &unit))
}

fn integral(
    context: &Context,
    f: &Expr,
    variable: &Symbol,
    fixed: &[(Symbol, f64)],
    (low, high): (f64, f64),
    tolerance: Tolerance,
    at: Span,
) -> Result<Integral> {
    let mut inputs = vec![variable.clone()];
    inputs.extend(fixed.iter().map(|(s, _)| s.clone()));
    let tape = Tape::compile(std::slice::from_ref(f), &inputs).map_err(|e| lift(&e, at))?;
    let constants: Vec<Vec<f64>> = fixed.iter().map(|(_, x)| vec![*x]).collect();
    let mut out = vec![Vec::new()];
    let mut scratch = Scratch::default();
    let mut many = |x: &[f64], y: &mut Vec<f64>| {
        let mut columns: Vec<&[f64]> = vec![x];
        columns.extend(constants.iter().map(Vec::as_slice));
        tape.eval_with(&columns, &mut out, &mut scratch);
        y.clear();
        y.extend_from_slice(&out[0]);
    };
    quadrature::integral(&mut many, low, high, tolerance, &context.cancel).map_err(|e| lift(&e, at))
}

/// The integral in two halves, by the distances from the ends, which are put in as they were written.
fn by_distances(
    context: &Context,
    f: &Expr,
    variable: &Symbol,
    fixed: &[(Symbol, f64)],
    (low, high): (&Expr, &Expr),
    tolerance: Tolerance,
    at: Span,
) -> Option<Integral> {
    let (low, high) = (op::strip_units(low), op::strip_units(high));
    let x = Expr::symbol(variable.clone());
    let half = 0.5 * (high.evaluate(&|_| None)? - low.evaluate(&|_| None)?);
    let put = |place: Expr| {
        let moved = op::strip_units(f).substitute(&[(variable.clone(), place)]);
        // Sums under roots and in denominators lose their common part only when multiplied out.
        moved.transform(&mut |e| match e.kind() {
            Kind::Sum(_) => algebra::expand::try_expand(&e).unwrap_or(e),
            _ => e,
        })
    };
    let left = put(Expr::sum([low, x.clone()]));
    let right = put(Expr::sum([high, Expr::product([Expr::int(-1), x])]));
    let mut parts = Vec::new();
    for e in [left, right] {
        parts.push(integral(context, &e, variable, fixed, (0.0, half), tolerance, at).ok()?);
    }
    let (a, b) = (parts[0], parts[1]);
    Some(Integral {
        value: a.value + b.value,
        error: a.error + b.error,
        evaluations: a.evaluations + b.evaluations,
        converged: a.converged && b.converged,
        vanishes: a.vanishes && b.vanishes,
        stopped: if a.converged { b.stopped } else { a.stopped },
    })
}

struct Surface {
    tape: Tape,
    unknowns: Vec<usize>,
    fixed: Vec<f64>,
    scratch: Scratch,
    point: Vec<f64>,
    out: Vec<f64>,
}

impl Surface {
    fn place(&mut self, x: &[f64]) {
        self.point.clear();
        self.point.extend(x.iter().chain(&self.fixed));
    }
}

impl Objective for Surface {
    fn value(&mut self, x: &[f64]) -> f64 {
        self.place(x);
        self.tape.eval_point_with(&self.point, &mut self.scratch, &mut self.out);
        self.out[0]
    }

    fn gradient(&mut self, x: &[f64], out: &mut [f64]) -> f64 {
        self.place(x);
        let columns: Vec<&[f64]> = self.point.iter().map(std::slice::from_ref).collect();
        let found = self.tape.jacobian(&columns, &self.unknowns);
        out.iter_mut().zip(&found[0][1..]).for_each(|(o, d)| *o = d[0]);
        found[0][0][0]
    }
}

fn minimum(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("f");
    let f = args.expr("f")?;
    let place = args.span_of("unknowns");
    let mut symbols = args
        .list("unknowns")?
        .iter()
        .map(|v| symbol_of(&op::expr_of(v, place)?, "unknowns", place))
        .collect::<Result<Vec<Symbol>>>()?;
    if symbols.is_empty() {
        let has_value = |s: &Symbol| context.declarations.get(s).is_some_and(|d| d.start.is_some());
        symbols = f.symbols().into_iter().filter(|s| !has_value(s)).collect();
    }
    if symbols.is_empty() {
        return Err(fault_hint(
            6006,
            at,
            format!("expected symbols in `{f}`, found none"),
            "minimize(x^2, x)",
        ));
    }
    let fixed = fixed(context, &[&f], &symbols, at)?;
    let starts = record(args, "start")?;
    let start_at = args.span_of("start");
    let mut search = Dimensions::new(&context.declarations);
    for (symbol, e) in &starts {
        if !symbols.contains(symbol) {
            let names: Vec<&str> = symbols.iter().map(Symbol::name).collect();
            let message = format!("expected an unknown, found `{symbol}`");
            return Err(fault_hint(
                6006,
                start_at,
                message,
                format!("the unknowns are {}", names.join(", ")),
            ));
        }
        same_unit(&mut search, symbol, e, start_at)?;
    }
    let value_dimension = search.of(&f).map_err(|m| op::unit_fault(&m, at))?;
    let value_unit = Unit::coherent(search.decided(&value_dimension).unwrap_or(Dimension::NONE));
    let mut unknowns = Vec::new();
    let mut first = Vec::new();
    for symbol in &symbols {
        let own = search.symbol(symbol);
        let dimension = search.decided(&own);
        let written: Vec<Expr> = starts.iter().filter(|(s, _)| s == symbol).map(|(_, e)| e.clone()).collect();
        let bounds = declared_bounds(context, symbol).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let unit = unit_for(context, symbol, &written, dimension);
        first.push(match written.first() {
            Some(e) => number(context, e, start_at)?,
            // Not the middle: where a function is symmetric its derivative is 0 there.
            None if bounds.0.is_finite() && bounds.1.is_finite() => bounds.0 + 0.55 * (bounds.1 - bounds.0),
            None => 1.0f64.clamp(bounds.0, bounds.1),
        });
        unknowns.push(Unknown { symbol: symbol.clone(), unit, bounds });
    }
    let starts = usize::try_from(args.integer("starts")?).ok().filter(|n| (1..=100_000).contains(n));
    let Some(starts) = starts else {
        return Err(fault_hint(
            6006,
            args.span_of("starts"),
            "expected from 1 to 100000 starts",
            "starts: 8",
        ));
    };
    let tolerance = args.real("tolerance")?;
    if !(1e-15..=0.1).contains(&tolerance) {
        let error = crate::numeric::NumericError::Tolerance { found: tolerance };
        return Err(lift(&error, args.span_of("tolerance")));
    }
    let options = minimize::Options {
        method: match &*args.word("method")? {
            "bfgs" => Method::Bfgs,
            "simplex" => Method::Simplex,
            _ => Method::Auto,
        },
        starts,
        tolerance,
        seed: seed(context, args)?,
        ..minimize::Options::default()
    };
    let mut inputs = symbols.clone();
    inputs.extend(fixed.iter().map(|(s, _)| s.clone()));
    let tape = Tape::compile(std::slice::from_ref(&f), &inputs).map_err(|e| lift(&e, at))?;
    let mut surface = Surface {
        tape,
        unknowns: (0..symbols.len()).collect(),
        fixed: fixed.iter().map(|(_, x)| *x).collect(),
        scratch: Scratch::default(),
        point: Vec::new(),
        out: Vec::new(),
    };
    let bounds: Vec<(f64, f64)> = unknowns.iter().map(|u| u.bounds).collect();
    let found = minimize::minimize(&mut surface, &first, &bounds, &options, &context.cancel);
    if !found.value.is_finite() {
        let message = format!("expected a least value of `{f}`, found {}", found.value);
        return Err(fault_hint(6409, args.span, message, "var x in -1..1"));
    }
    if found.stopped != StopReason::Found {
        let message = format!("the search stopped early: {}", found.stopped);
        context.notify(Diagnostic::warning(Code(6409), args.span, message).hint("starts: 1"));
    }
    let point = unknowns
        .iter()
        .zip(&found.point)
        .map(|(u, x)| (u.symbol.name(), Value::Expr(quantity(*x, &u.unit))))
        .collect();
    Ok(Value::record(vec![
        ("value", Value::Expr(quantity(found.value, &value_unit))),
        ("point", Value::record(point)),
        ("stopped", Value::text(found.stopped.word())),
        ("evaluations", Value::int(found.evaluations as i64)),
    ]))
}
