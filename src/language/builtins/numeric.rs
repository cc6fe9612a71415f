//! Roots, integrals, minima, spectra and statistics by numbers: the language's side of `numeric`.

use std::collections::BTreeMap;

use super::Body;
use super::systems::quantity;
use crate::algebra;
use crate::base::{Code, Diagnostic, Span, StopReason};
use crate::expression::{Covariance, Domain, Expr, Kind, Relation, Symbol, Uncertain};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::render;
use crate::language::unknowns::Dimensions;
use crate::language::value::Value;
use crate::numeric::minimize::{self, Method, Objective};
use crate::numeric::newton::{self, Equations};
use crate::numeric::quadrature::{self, Integral, Tolerance};
use crate::numeric::{Scratch, Tape, fourier, linear_least_squares, roots, statistics};
use crate::units::{Dimension, Unit};
use nalgebra::DMatrix;
use rand::RngExt;

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("nsolve", nsolve),
    ("nintegrate", nintegrate),
    ("minimize", minimum),
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

/// Intervals in which a range is searched for changes of sign.
const CELLS: usize = 1_024;
/// Starts that are tried for several equations.
const STARTS: usize = 100;

/// One symbol with what is known of it: the range of its values in SI, the unit it is shown in.
struct Unknown {
    symbol: Symbol,
    unit: Unit,
    bounds: (f64, f64),
}

/// The symbol that an argument is.
fn symbol_of(e: &Expr, name: &str, at: Span) -> Result<Symbol> {
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
fn fixed(context: &Context, exprs: &[&Expr], searched: &[Symbol], at: Span) -> Result<Vec<(Symbol, f64)>> {
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
fn number(context: &Context, e: &Expr, at: Span) -> Result<f64> {
    let start = |s: &Symbol| context.declarations.get(s).and_then(|d| d.start);
    let settled = op::settle(e);
    match settled.evaluate(&start).filter(|x| !x.is_nan()) {
        Some(x) => Ok(x),
        None => Err(fault(6006, at, format!("expected a number, found `{e}`"))),
    }
}

/// The declared bounds of a symbol, by domain and sign.
fn declared_bounds(context: &Context, symbol: &Symbol) -> Option<(f64, f64)> {
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
fn unit_for(context: &Context, symbol: &Symbol, written: &[Expr], dimension: Option<Dimension>) -> Unit {
    let fits = |u: &Unit| dimension.is_none_or(|d| u.dimension() == d);
    let declared = context.declarations.get(symbol).and_then(|d| d.unit.clone());
    let from = written.iter().find_map(|e| e.split_unit().1);
    declared.or(from).filter(fits).unwrap_or_else(|| dimension.map_or_else(Unit::one, Unit::coherent))
}

/// Left and right side of an equation; an expression is meant to be 0.
fn sides(e: &Expr, at: Span) -> Result<(Expr, Expr)> {
    match e.kind() {
        Kind::Relation(Relation::Eq, a, b) => Ok((op::settle(a), op::settle(b))),
        Kind::Relation(..) | Kind::Bool(_) | Kind::And(_) | Kind::Or(_) | Kind::Not(_) => {
            let message = format!("`equation` expects an equation, found `{e}`");
            Err(fault_hint(6006, at, message, "nsolve(cos(x) == x, x)"))
        }
        _ => Ok((op::settle(e), Expr::zero())),
    }
}

/// Entries of a record argument, if it was given.
fn record(args: &Args, name: &str) -> Result<Vec<(Symbol, Expr)>> {
    let Some(value) = args.get(name) else { return Ok(Vec::new()) };
    let Value::Record(r) = value.plain() else {
        return Err(args.wrong(name, "a record of starting values", value));
    };
    let at = args.span_of(name);
    r.entries.iter().map(|(n, v)| Ok((Symbol::new(n), op::expr_of(v, at)?))).collect()
}

/// Checks that what was written for a symbol has its unit.
fn same_unit(search: &mut Dimensions<'_>, symbol: &Symbol, written: &Expr, at: Span) -> Result<()> {
    let own = search.symbol(symbol);
    let given = search.of(&op::settle(written)).map_err(|m| op::unit_fault(&m, at))?;
    if search.units.unify(&own, &given) {
        return Ok(());
    }
    let (own, given) = (search.shown(&own), search.shown(&given));
    Err(fault(6021, at, format!("`{symbol}` is in [{own}], found a value in [{given}]")))
}

fn seed(context: &Context, args: &Args) -> Result<u64> {
    match args.get("seed") {
        None => Ok(context.seed),
        Some(_) => u64::try_from(args.integer("seed")?)
            .map_err(|_| fault(6006, args.span_of("seed"), "expected a seed of at least 0")),
    }
}

// Roots.

fn nsolve(context: &mut Context, args: &Args) -> Result<Value> {
    let written = args.value("equation")?.clone();
    let at = args.span_of("equation");
    match op::as_list(&written) {
        Some(items) => {
            let equations = items.iter().map(|v| op::expr_of(v, at)).collect::<Result<Vec<Expr>>>()?;
            several(context, args, &equations)
        }
        None => one(context, args, &op::expr_of(&written, at)?),
    }
}

fn one(context: &mut Context, args: &Args, equation: &Expr) -> Result<Value> {
    let at = args.span_of("equation");
    let (left, right) = sides(equation, at)?;
    let unknown_at = args.span_of("unknown");
    let unknown = symbol_of(&op::expr_of(args.value("unknown")?, unknown_at)?, "unknown", unknown_at)?;
    if !left.contains_symbol(&unknown) && !right.contains_symbol(&unknown) {
        let message = format!("expected an equation for `{unknown}`, found `{equation}`");
        return Err(fault(6006, at, message));
    }
    let searched = [unknown.clone()];
    let fixed = fixed(context, &[&left, &right], &searched, at)?;
    let mut written: Vec<Expr> = Vec::new();
    let start = match args.get("start") {
        Some(v) => {
            let e = op::expr_of(v, args.span_of("start"))?;
            written.push(e.clone());
            Some(number(context, &e, args.span_of("start"))?)
        }
        None => None,
    };
    let mut bounds = declared_bounds(context, &unknown);
    let mut given = bounds.is_some_and(|(l, h)| l.is_finite() && h.is_finite());
    if let Some(v) = args.get("in") {
        let Value::Range(low, high) = v.plain() else {
            return Err(args.wrong("in", "a range such as 0..3", v));
        };
        let place = args.span_of("in");
        bounds = Some((number(context, low, place)?, number(context, high, place)?));
        written.extend([low.clone(), high.clone()]);
        given = true;
    }
    let dimension = {
        let mut search = Dimensions::new(&context.declarations);
        for e in &written {
            let place = if args.is_given("in") { args.span_of("in") } else { args.span_of("start") };
            same_unit(&mut search, &unknown, e, place)?;
        }
        let equation = Expr::relation(Relation::Eq, left.clone(), right.clone());
        search.of(&equation).map_err(|m| op::unit_fault(&m, at))?;
        let own = search.symbol(&unknown);
        search.decided(&own)
    };
    let unit = unit_for(context, &unknown, &written, dimension);
    let (low, high) = bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if low > high {
        return Err(fault(6006, args.span_of("in"), "expected a range from low to high"));
    }
    let unknown = Unknown { symbol: unknown, unit, bounds: (low, high) };
    let mut search = Scan::new(&unknown, &left, &right, &fixed, at)?;
    let all = args.boolean("all")?;
    if let Some(start) = start
        && !all
    {
        let found = newton::newton(&mut search, 1, &[start], &[unknown.bounds], &context.cancel);
        if found.converged {
            return Ok(Value::Expr(quantity(found.point[0], &unknown.unit)));
        }
    }
    let mut roots = search.roots(context, args.span)?;
    let shown = |x: f64| render::expr(&quantity(x, &unknown.unit), &context.style);
    if roots.is_empty() {
        let place = match (low.is_finite(), high.is_finite()) {
            (false, false) => String::new(),
            _ => format!(" in {}..{}", shown(low), shown(high)),
        };
        let message = format!("expected a root of `{equation}`{place}, found none");
        let hint = match given {
            true => "choose another range: in: 0..10".to_string(),
            false => format!("say where: in: 0..10, or start: 1, or var {} in 0..10", unknown.symbol),
        };
        return Err(fault_hint(6406, args.span, message, hint));
    }
    if all {
        return Ok(Value::list(roots.iter().map(|x| Value::Expr(quantity(*x, &unknown.unit))).collect()));
    }
    // Without a range the nearest to 0, or to the start, is meant.
    let near = start.or((!given).then_some(0.0));
    if let Some(near) = near {
        roots.sort_by(|a, b| (a - near).abs().total_cmp(&(b - near).abs()).then(b.total_cmp(a)));
    }
    if roots.len() > 1 && near.is_none() {
        let message = format!("{} roots of the equation lie in the range; this is the least", roots.len());
        context.notify(Diagnostic::notice(Code(6407), args.span, message).hint("all: true"));
    }
    Ok(Value::Expr(quantity(roots[0], &unknown.unit)))
}

/// One equation in one unknown.
struct Scan {
    tape: Tape,
    fixed: Vec<f64>,
    bounds: (f64, f64),
    scratch: Scratch,
    point: Vec<f64>,
    out: Vec<f64>,
}

impl Scan {
    fn new(u: &Unknown, left: &Expr, right: &Expr, fixed: &[(Symbol, f64)], at: Span) -> Result<Scan> {
        let mut inputs = vec![u.symbol.clone()];
        inputs.extend(fixed.iter().map(|(s, _)| s.clone()));
        let tape = Tape::compile(&[left.clone(), right.clone()], &inputs).map_err(|e| lift(&e, at))?;
        let fixed: Vec<f64> = fixed.iter().map(|(_, x)| *x).collect();
        let point = vec![0.0; inputs.len()];
        Ok(Scan { tape, fixed, bounds: u.bounds, scratch: Scratch::default(), point, out: Vec::new() })
    }

    /// Both sides at a point.
    fn sides(&mut self, x: f64) -> (f64, f64) {
        self.point[0] = x;
        self.point[1..].copy_from_slice(&self.fixed);
        self.tape.eval_point_with(&self.point, &mut self.scratch, &mut self.out);
        (self.out[0], self.out[1])
    }

    fn gap(&mut self, x: f64) -> f64 {
        let (a, b) = self.sides(x);
        a - b
    }

    /// The places at which the range is looked at: even, or over decades where it has no end.
    fn grid(&self) -> Vec<f64> {
        let (low, high) = self.bounds;
        if low.is_finite() && high.is_finite() {
            let share = |k: usize| k as f64 / CELLS as f64;
            return (0..=CELLS)
                .map(|k| if k == CELLS { high } else { low + (high - low) * share(k) })
                .collect();
        }
        // Eight decades in fine steps, and some more.
        let distances: Vec<f64> = (-1200..=1200).map(|k| 10f64.powf(f64::from(k) / 150.0)).collect();
        let mut grid: Vec<f64> = match (low.is_finite(), high.is_finite()) {
            (true, _) => distances.iter().map(|d| low + d).chain([low]).collect(),
            (_, true) => distances.iter().map(|d| high - d).chain([high]).collect(),
            _ => distances.iter().flat_map(|d| [*d, -*d]).chain([0.0]).collect(),
        };
        grid.sort_by(f64::total_cmp);
        grid
    }

    /// All roots that a grid shows: changes of sign, and minima of the gap that touch 0.
    fn roots(&mut self, context: &Context, at: Span) -> Result<Vec<f64>> {
        let grid = self.grid();
        let gaps: Vec<f64> = grid.iter().map(|x| self.gap(*x)).collect();
        let mut found: Vec<f64> = Vec::new();
        for k in 0..grid.len() {
            if k % 64 == 0 {
                context.poll(at)?;
            }
            if gaps[k] == 0.0 {
                found.push(grid[k]);
                continue;
            }
            if k + 1 < grid.len() && gaps[k + 1] != 0.0 && gaps[k] * gaps[k + 1] < 0.0 {
                let (a, b) = (grid[k], grid[k + 1]);
                if let Ok(x) = roots::brent(|x| self.gap(x), a, b, 0.0) {
                    let (left, right) = self.sides(x);
                    // At a pole the gap grows where the signs meet.
                    let most = gaps[k].abs().max(gaps[k + 1].abs());
                    if (left - right).abs() <= (1e-6 * most).max(1e-12 * (left.abs() + right.abs())) {
                        found.push(x);
                    }
                }
            }
            let inside = k > 0 && k + 1 < grid.len();
            if inside
                && gaps[k].abs() <= gaps[k - 1].abs()
                && gaps[k].abs() <= gaps[k + 1].abs()
                && gaps[k] * gaps[k - 1] > 0.0
                && gaps[k] * gaps[k + 1] > 0.0
            {
                let bounds = [(grid[k - 1], grid[k + 1])];
                let touched = newton::newton(self, 1, &[grid[k]], &bounds, &context.cancel);
                let x = touched.point[0];
                let (left, right) = self.sides(x);
                let near = gaps[k - 1].abs().min(gaps[k + 1].abs());
                let size = left.abs() + right.abs();
                if (left - right).abs() <= (1e-13 * size).max(1e-13 * near)
                    && touched.stopped != StopReason::Work
                {
                    found.push(x);
                }
            }
        }
        found.sort_by(f64::total_cmp);
        let width = grid.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        found.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * a.abs().max(b.abs()).max(width));
        Ok(found)
    }
}

impl Equations for Scan {
    fn residuals(&mut self, x: &[f64], out: &mut [f64], sizes: &mut [f64]) {
        let (a, b) = self.sides(x[0]);
        out[0] = a - b;
        sizes[0] = a.abs() + b.abs();
    }

    fn jacobian(&mut self, x: &[f64], out: &mut DMatrix<f64>) {
        self.point[0] = x[0];
        self.point[1..].copy_from_slice(&self.fixed);
        let columns: Vec<&[f64]> = self.point.iter().map(std::slice::from_ref).collect();
        let j = self.tape.jacobian(&columns, &[0]);
        out[(0, 0)] = j[0][1][0] - j[1][1][0];
    }
}

/// Several equations: the outputs of the tape are all left sides, then all right sides.
struct Many {
    tape: Tape,
    count: usize,
    unknowns: usize,
    fixed: Vec<f64>,
}

impl Many {
    fn point(&self, x: &[f64]) -> Vec<f64> {
        x.iter().chain(&self.fixed).copied().collect()
    }
}

impl Equations for Many {
    fn residuals(&mut self, x: &[f64], out: &mut [f64], sizes: &mut [f64]) {
        let values = self.tape.eval_point(&self.point(x));
        for i in 0..self.count {
            let (a, b) = (values[i], values[self.count + i]);
            out[i] = a - b;
            sizes[i] = a.abs() + b.abs();
        }
    }

    fn jacobian(&mut self, x: &[f64], out: &mut DMatrix<f64>) {
        let point = self.point(x);
        let columns: Vec<&[f64]> = point.iter().map(std::slice::from_ref).collect();
        let wrt: Vec<usize> = (0..self.unknowns).collect();
        let j = self.tape.jacobian(&columns, &wrt);
        for i in 0..self.count {
            for k in 0..self.unknowns {
                out[(i, k)] = j[i][k + 1][0] - j[self.count + i][k + 1][0];
            }
        }
    }
}

fn several(context: &mut Context, args: &Args, equations: &[Expr]) -> Result<Value> {
    let (at, unknown_at) = (args.span_of("equation"), args.span_of("unknown"));
    let items = args.list("unknown")?;
    let symbols = items
        .iter()
        .map(|v| symbol_of(&op::expr_of(v, unknown_at)?, "unknown", unknown_at))
        .collect::<Result<Vec<Symbol>>>()?;
    if equations.is_empty() || symbols.len() > equations.len() {
        let message = format!(
            "expected as many equations as unknowns, found {} for {}",
            equations.len(),
            symbols.len()
        );
        return Err(fault_hint(6006, at, message, "nsolve([x + y == 3, x*y == 2], [x, y])"));
    }
    let sides = equations.iter().map(|e| sides(e, at)).collect::<Result<Vec<(Expr, Expr)>>>()?;
    let all: Vec<&Expr> = sides.iter().flat_map(|(a, b)| [a, b]).collect();
    let fixed = fixed(context, &all, &symbols, at)?;
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
    for (a, b) in &sides {
        let equation = Expr::relation(Relation::Eq, a.clone(), b.clone());
        search.of(&equation).map_err(|m| op::unit_fault(&m, at))?;
    }
    let dimensions: Vec<Option<Dimension>> = symbols
        .iter()
        .map(|s| {
            let own = search.symbol(s);
            search.decided(&own)
        })
        .collect();
    let unknowns: Vec<Unknown> = symbols
        .iter()
        .zip(dimensions)
        .map(|(symbol, dimension)| {
            let written: Vec<Expr> =
                starts.iter().filter(|(s, _)| s == symbol).map(|(_, e)| e.clone()).collect();
            Unknown {
                unit: unit_for(context, symbol, &written, dimension),
                bounds: declared_bounds(context, symbol).unwrap_or((f64::NEG_INFINITY, f64::INFINITY)),
                symbol: symbol.clone(),
            }
        })
        .collect();
    let mut inputs = symbols.clone();
    inputs.extend(fixed.iter().map(|(s, _)| s.clone()));
    let outputs: Vec<Expr> =
        sides.iter().map(|(a, _)| a.clone()).chain(sides.iter().map(|(_, b)| b.clone())).collect();
    let tape = Tape::compile(&outputs, &inputs).map_err(|e| lift(&e, at))?;
    let mut many = Many {
        tape,
        count: equations.len(),
        unknowns: symbols.len(),
        fixed: fixed.iter().map(|(_, x)| *x).collect(),
    };
    let mut first = Vec::with_capacity(unknowns.len());
    for u in &unknowns {
        let (low, high) = u.bounds;
        first.push(match starts.iter().find(|(s, _)| *s == u.symbol) {
            Some((_, e)) => number(context, e, start_at)?,
            None if low.is_finite() && high.is_finite() => low + 0.6 * (high - low),
            None => context.declarations.get(&u.symbol).and_then(|d| d.start).unwrap_or(1.0),
        });
    }
    let bounds: Vec<(f64, f64)> = unknowns.iter().map(|u| u.bounds).collect();
    let mut rng = context.streams(Some(seed(context, args)?)).stream("nsolve");
    for k in 0..STARTS {
        context.poll(args.span)?;
        let start: Vec<f64> = match k {
            0 => first.clone(),
            // Within the bounds, or around the first start over some decades.
            _ => first
                .iter()
                .zip(&bounds)
                .map(|(x, (l, h))| {
                    let u: f64 = rng.random();
                    let sign = if rng.random::<f64>() < 0.5 { -1.0 } else { 1.0 };
                    if l.is_finite() && h.is_finite() {
                        l + (h - l) * u
                    } else {
                        (x.abs().max(1e-300) * sign * 10f64.powf(4.0 * u - 2.0)).clamp(*l, *h)
                    }
                })
                .collect(),
        };
        let found = newton::newton(&mut many, equations.len(), &start, &bounds, &context.cancel);
        if found.converged {
            let entries = unknowns
                .iter()
                .zip(&found.point)
                .map(|(u, x)| (u.symbol.name(), Value::Expr(quantity(*x, &u.unit))))
                .collect();
            return Ok(Value::record(entries));
        }
    }
    let names: Vec<String> = symbols.iter().map(|s| format!("{s}: 1")).collect();
    let message = format!("expected a root of the equations, found none from {STARTS} starts");
    Err(fault_hint(6406, args.span, message, format!("start: {{{}}}", names.join(", "))))
}

// Integrals.

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

// Minima.

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

// Lists.

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

fn with_unit(number: Expr, unit: &Unit) -> Value {
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
