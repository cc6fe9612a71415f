//! Roots of one equation and of several by numbers: the language's side of `numeric::roots` and `numeric::newton`.

use super::Body;
use super::numeric::{Unknown, declared_bounds, fixed, number, record, same_unit, seed, symbol_of, unit_for};
use super::systems::quantity;
use crate::base::{Code, Diagnostic, Span, StopReason};
use crate::expression::{Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::render;
use crate::language::unknowns::Dimensions;
use crate::language::value::Value;
use crate::numeric::newton::{self, Equations};
use crate::numeric::{Scratch, Tape, roots};
use crate::units::Dimension;
use nalgebra::DMatrix;
use rand::RngExt;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("nsolve", nsolve)];

/// Intervals in which a range is searched for changes of sign.
const CELLS: usize = 1_024;
/// Starts that are tried for several equations.
const STARTS: usize = 100;

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
