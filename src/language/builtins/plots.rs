//! Figures: from values of the language to panels. Curves go through the tape in SI; an axis takes the unit of what is
//! drawn on it first, and the rest is converted.

use std::sync::Arc;

use super::Body;
use crate::base::{Code, Diagnostic, Span};
use crate::data::{Column, Dataset, Role, Values};
use crate::expression::print::{self, Style};
use crate::expression::{Declaration, Declarations, Domain, Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{FrontValue, Function, Value, is_matrix};
use crate::language::{dimension, render};
use crate::numeric::{Scratch, Tape};
use crate::plot::colour::Map;
use crate::plot::{
    self, Axis, Bins, Contours, Figure, Front, Image, Layer, Mark, Panel, PlotError, Projection, Series,
    Streams, typeset,
};
use crate::units::{Dimension, Unit};

/// The table.
pub const TABLE: &[(&str, Body)] = &[
    ("plot", plot),
    ("histogram", histogram),
    ("heatmap", heatmap),
    ("contour", contour),
    ("image", image),
    ("phase_portrait", phase_portrait),
    ("grid", grid),
];

/// Panels that one dataset may give.
const PANELS: usize = 6;

fn told<T>(result: std::result::Result<T, PlotError>, span: Span) -> Result<T> {
    result.map_err(|e| lift(&e, span))
}

fn notice(context: &Context, span: Span, words: String) {
    context.notify(Diagnostic::notice(Code(3120), span, words));
}

// ---- numbers -----------------------------------------------------------------------------------------------------

/// Numbers in SI with what their axis says of them.
#[derive(Clone)]
struct Numbers {
    name: String,
    values: Vec<f64>,
    errors: Option<Vec<f64>>,
    unit: Option<Unit>,
    dimension: Dimension,
    /// The name of a column, as a symbol would be called.
    raw: Option<String>,
}

impl Numbers {
    fn in_unit(&self, unit: &Unit) -> Vec<f64> {
        self.values.iter().map(|v| unit.from_si(*v)).collect()
    }

    fn errors_in_unit(&self, unit: &Unit) -> Option<Vec<f64>> {
        let errors = self.errors.as_ref()?;
        let from = |v: f64| unit.from_si(v);
        Some(self.values.iter().zip(errors).map(|(v, e)| 0.5 * (from(v + e) - from(v - e)).abs()).collect())
    }
}

fn of_column(c: &Column, at: Span) -> Result<Numbers> {
    if matches!(c.values, Values::Label(_) | Values::Complex(_)) {
        let what = if matches!(c.values, Values::Label(_)) {
            "column of labels"
        } else {
            "column of complex numbers"
        };
        return Err(lift(&PlotError::Kind { found: what.into() }, at));
    }
    Ok(Numbers {
        name: typeset::name(&c.name),
        values: c.si_values(),
        errors: c.si_errors().filter(|e| e.iter().any(|e| *e > 0.0)),
        unit: c.unit.clone(),
        dimension: c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension),
        raw: Some(c.name.to_string()),
    })
}

/// A list of numbers; all of one dimension.
fn of_list(
    context: &Context,
    items: &[Value],
    name: String,
    axis: &'static str,
    at: Span,
) -> Result<Numbers> {
    let mut numbers = Numbers {
        name,
        values: Vec::with_capacity(items.len()),
        errors: None,
        unit: None,
        dimension: Dimension::NONE,
        raw: None,
    };
    let mut errors = Vec::with_capacity(items.len());
    let mut first: Option<(Dimension, String)> = None;
    for item in items {
        let Some(e) = item.as_expr() else {
            let found = match item.plain() {
                Value::Text(_) => "list of texts".into(),
                other => format!("list with a {}", other.kind_name()),
            };
            return Err(lift(&PlotError::Kind { found }, at));
        };
        let e = op::settle(&e);
        if e.is_symbolic() {
            let symbols: Vec<String> = e.symbols().iter().map(|s| s.to_string()).collect();
            let fault = PlotError::Unbound { expr: shown(context, &e), open: symbols.clone(), symbols };
            return Err(lift(&fault, at));
        }
        let (value, sigma) = match e.uncertain_leaves().is_empty() {
            true => (e.evaluate(&|_| None).unwrap_or(f64::NAN), 0.0),
            false => e.uncertainty().unwrap_or((f64::NAN, 0.0)),
        };
        let own = dimension::of(&e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at))?;
        if let Some(own) = own {
            match &first {
                None => {
                    numbers.unit = render::in_unit(&e, value, 0.0).0;
                    numbers.dimension = own;
                    first = Some((own, shown(context, &e)));
                }
                Some((known, text)) if *known != own => {
                    let fault = PlotError::Units {
                        axis,
                        first: text.clone(),
                        expected: Box::new(numbers.unit.clone().unwrap_or(Unit::coherent(*known))),
                        second: shown(context, &e),
                        found: Box::new(render::in_unit(&e, value, 0.0).0.unwrap_or(Unit::coherent(own))),
                    };
                    return Err(lift(&fault, at));
                }
                _ => {}
            }
        }
        numbers.values.push(value);
        errors.push(sigma);
    }
    if errors.iter().any(|e| *e > 0.0) {
        numbers.errors = Some(errors);
    }
    Ok(numbers)
}

/// A value as numbers, where it is a list or column of them.
fn numbers(context: &Context, value: &Value, axis: &'static str, at: Span) -> Result<Option<Numbers>> {
    Ok(match value.plain() {
        Value::Column(c) => Some(of_column(c, at)?),
        Value::List(items) => {
            let name = bound(context, value).map(|n| typeset::name(&n)).unwrap_or_default();
            Some(of_list(context, items, name, axis, at)?)
        }
        _ => None,
    })
}

fn shown(context: &Context, e: &Expr) -> String {
    render::expr(e, &Style { digits: Some(4), ..context.style.clone() })
}

/// The name a value is bound to.
fn bound(context: &Context, value: &Value) -> Option<String> {
    let same = |other: &Value| match (value.plain(), other.plain()) {
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Dataset(a), Value::Dataset(b)) => Arc::ptr_eq(a, b),
        (Value::Expr(a), Value::Expr(b)) => a.is_symbolic() && a.as_symbol().is_none() && a == b,
        _ => false,
    };
    context.globals.iter().filter(|(n, v)| &***n != "ans" && same(v)).map(|(n, _)| n.to_string()).min()
}

// ---- axes --------------------------------------------------------------------------------------------------------

/// An axis that takes the unit of what comes first.
struct Growing {
    which: &'static str,
    axis: Axis,
    /// What set the unit.
    first: Option<String>,
    dimension: Dimension,
}

impl Growing {
    fn new(which: &'static str, log: bool) -> Growing {
        Growing { which, axis: Axis { log, ..Axis::default() }, first: None, dimension: Dimension::NONE }
    }

    /// The unit that values of this dimension are drawn in.
    fn take(&mut self, name: &str, unit: Option<Unit>, own: Dimension, at: Span) -> Result<Unit> {
        match &self.first {
            None => {
                self.first = Some(name.to_string());
                self.dimension = own;
                self.axis.unit =
                    unit.or_else(|| (!own.is_none()).then(|| Unit::coherent(own))).filter(|u| !u.is_one());
            }
            Some(first) if self.dimension != own => {
                let fault = PlotError::Units {
                    axis: self.which,
                    first: first.clone(),
                    expected: Box::new(self.axis.unit.clone().unwrap_or(Unit::one())),
                    second: name.to_string(),
                    found: Box::new(unit.unwrap_or(Unit::coherent(own))),
                };
                return Err(lift(&fault, at));
            }
            _ => {}
        }
        Ok(self.unit())
    }

    fn unit(&self) -> Unit {
        self.axis.unit.clone().unwrap_or(Unit::one())
    }
}

/// A unit option: its text, read.
fn unit_option(context: &Context, args: &Args, name: &str) -> Result<Option<Unit>> {
    if !args.is_given(name) {
        return Ok(None);
    }
    let text = args.word(name)?;
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    context.catalogue.parse(text).map(Some).map_err(|e| lift(&e, args.span_of(name)))
}

/// The ends of a range in SI, and its unit.
struct Ends {
    low: f64,
    high: f64,
    unit: Option<Unit>,
    dimension: Dimension,
}

fn ends(low: &Expr, high: &Expr, option: &'static str, at: Span) -> Result<Ends> {
    let value = |e: &Expr| op::settle(e).evaluate(&|_| None);
    let own = |e: &Expr| dimension::of(e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at));
    let wrong = |found: String| {
        let expected = "a range of finite numbers, the lower end first".to_string();
        Err(lift(&PlotError::Option { option, expected, found, hint: "0..10" }, at))
    };
    let (Some(a), Some(b)) = (value(low), value(high)) else { return wrong(format!("{low}..{high}")) };
    if !(a.is_finite() && b.is_finite() && a < b && b - a < 1e300) {
        return wrong(format!("{low}..{high}"));
    }
    let unit = high.split_unit().1.or_else(|| low.split_unit().1);
    let dimension = own(high)?.or(own(low)?).unwrap_or(Dimension::NONE);
    Ok(Ends { low: a, high: b, unit, dimension })
}

fn range_option(args: &Args, name: &'static str) -> Result<Option<Ends>> {
    match args.get(name).map(Value::plain) {
        Some(Value::Range(low, high)) => ends(low, high, name, args.span_of(name)).map(Some),
        _ => Ok(None),
    }
}

/// Sets unit and range of an axis from the options, before anything is drawn on it.
fn prepare(
    axis: &mut Growing,
    unit: Option<Unit>,
    range: &Option<Ends>,
    option: &str,
    at: Span,
) -> Result<()> {
    if let Some(unit) = unit {
        axis.take(&format!("{option}_unit"), Some(unit.clone()), unit.dimension(), at)?;
    }
    if let Some(ends) = range
        && !ends.dimension.is_none()
    {
        axis.take(option, ends.unit.clone(), ends.dimension, at)?;
    }
    Ok(())
}

/// The range of an axis in its unit: plain numbers are in it already.
fn set_range(axis: &mut Growing, range: &Option<Ends>) {
    let unit = axis.unit();
    axis.axis.range = range.as_ref().map(|r| match r.dimension.is_none() && r.unit.is_none() {
        true => (r.low, r.high),
        false => (unit.from_si(r.low), unit.from_si(r.high)),
    });
}

// ---- curves ------------------------------------------------------------------------------------------------------

/// An expression to be drawn.
struct Curve {
    expr: Expr,
    declarations: Declarations,
    unit: Option<Unit>,
    name: String,
}

/// A variable with its range in SI.
#[derive(Clone)]
struct Variable {
    symbol: Symbol,
    low: f64,
    high: f64,
    unit: Option<Unit>,
    dimension: Dimension,
    /// The only values it takes, in SI.
    values: Option<Vec<f64>>,
}

/// `x in 0..1`, as it comes out of an evaluation.
fn condition(value: &Value, at: Span) -> Result<Option<Variable>> {
    let Value::Expr(e) = value.plain() else { return Ok(None) };
    let Kind::And(parts) = e.kind() else { return Ok(None) };
    let (mut low, mut high, mut symbol) = (None, None, None);
    for part in parts {
        let Kind::Relation(relation, a, b) = part.kind() else { return Ok(None) };
        let (s, bound, above) = match (a.as_symbol(), b.as_symbol(), relation) {
            (Some(s), None, Relation::Le | Relation::Lt) => (s, b, true),
            (Some(s), None, Relation::Ge | Relation::Gt) => (s, b, false),
            (None, Some(s), Relation::Le | Relation::Lt) => (s, a, false),
            (None, Some(s), Relation::Ge | Relation::Gt) => (s, a, true),
            _ => return Ok(None),
        };
        if symbol.get_or_insert_with(|| s.clone()) != s {
            return Ok(None);
        }
        *(if above { &mut high } else { &mut low }) = Some(bound.clone());
    }
    let (Some(low), Some(high), Some(symbol)) = (low, high, symbol) else { return Ok(None) };
    let ends = ends(&low, &high, "range", at)?;
    Ok(Some(Variable {
        symbol,
        low: ends.low,
        high: ends.high,
        unit: ends.unit,
        dimension: ends.dimension,
        values: None,
    }))
}

/// The variable over its declared domain.
fn declared(symbol: &Symbol, declarations: &Declarations) -> Option<Variable> {
    let d = declarations.get(symbol)?;
    let domain = d.domain.as_ref()?;
    let (low, high) = domain.bounds();
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return None;
    }
    let whole = (low.ceil() as i64..=high.floor() as i64).take(2001).map(|k| k as f64);
    let values = match domain {
        Domain::Values(v) => Some(v.clone()),
        _ if d.assumptions.integer && high - low < 2000.0 => Some(whole.collect()),
        _ => None,
    };
    let unit = d.unit.clone();
    let dimension = unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
    Some(Variable { symbol: symbol.clone(), low, high, unit, dimension, values })
}

impl Curve {
    /// Its free symbols: those without a starting value.
    fn free(&self) -> Vec<Symbol> {
        let fixed = |s: &Symbol| self.declarations.get(s).is_some_and(|d| d.start.is_some());
        self.expr.symbols().into_iter().filter(|s| !fixed(s)).collect()
    }

    /// The dimension of its values where the variables have these.
    fn dimension(&self, variables: &[&Variable], at: Span) -> Result<Dimension> {
        let mut declarations = self.declarations.clone();
        for v in variables {
            let old = declarations.get(&v.symbol).cloned().unwrap_or_default();
            let unit = old.unit.clone().or(Some(Unit::coherent(v.dimension)));
            declarations.insert(v.symbol.clone(), Declaration { unit, ..old });
        }
        let found = dimension::of(&self.expr, &declarations).map_err(|m| op::unit_fault(&m, at))?;
        Ok(found.unwrap_or(Dimension::NONE))
    }

    /// The unit it was written in, where its symbols bring none.
    fn unit_of(&self, own: Dimension) -> Option<Unit> {
        self.unit.clone().filter(|u| u.dimension() == own)
    }

    /// A program of the variables, parameters at their starting values.
    fn tape(&self, variables: &[&Symbol], at: Span) -> Result<Tape> {
        let fixed: Vec<(Symbol, Expr)> = self
            .expr
            .symbols()
            .into_iter()
            .filter(|s| !variables.contains(&s))
            .filter_map(|s| Some((s.clone(), Expr::float(self.declarations.get(&s)?.start?))))
            .collect();
        let inputs: Vec<Symbol> = variables.iter().map(|s| (*s).clone()).collect();
        Tape::compile(&[self.expr.substitute(&fixed)], &inputs).map_err(|e| lift(&e, at))
    }
}

/// What stands in a call of `plot`.
#[derive(Default)]
struct Parts {
    figures: Vec<Figure>,
    curves: Vec<Curve>,
    data: Vec<Numbers>,
    sets: Vec<Arc<Dataset>>,
    fronts: Vec<Arc<FrontValue>>,
    variable: Option<Variable>,
}

impl Parts {
    fn read(context: &mut Context, items: &[Value], at: Span) -> Result<Parts> {
        let mut parts = Parts::default();
        for item in items {
            if let Some(v) = condition(item, at)? {
                if parts.variable.is_some() {
                    let fault = PlotError::Option {
                        option: "items",
                        expected: "one range".into(),
                        found: "two".into(),
                        hint: "plot(F, x in 0..10)",
                    };
                    return Err(lift(&fault, at));
                }
                parts.variable = Some(v);
            }
        }
        for item in items {
            parts.add(context, item, at)?;
        }
        Ok(parts)
    }

    fn add(&mut self, context: &mut Context, item: &Value, at: Span) -> Result<()> {
        if condition(item, at)?.is_some() {
            return Ok(());
        }
        match item.plain() {
            Value::Figure(f) => self.figures.push((**f).clone()),
            Value::Dataset(d) => self.sets.push(d.clone()),
            Value::Front(f) => self.fronts.push(f.clone()),
            Value::Column(c) => self.data.push(of_column(c, at)?),
            Value::List(items) if items.is_empty() => {
                return Err(lift(&PlotError::Nothing { found: "an empty list".into() }, at));
            }
            Value::List(items) if is_matrix(items) => {
                let pairs: Vec<Arc<Vec<Value>>> = items.iter().filter_map(op::as_list).collect();
                if pairs[0].len() != 2 || !pairs.iter().flat_map(|p| p.iter()).all(|v| v.as_expr().is_some())
                {
                    return Err(lift(&PlotError::Kind { found: "matrix: its form is image(m)".into() }, at));
                }
                for (k, axis) in [(0, "x"), (1, "y")] {
                    let column: Vec<Value> = pairs.iter().map(|p| p[k].clone()).collect();
                    self.data.push(of_list(context, &column, String::new(), axis, at)?);
                }
            }
            Value::List(items) => {
                let drawn = |v: &Value| match v.plain() {
                    Value::Expr(e) => e.is_symbolic(),
                    Value::Figure(_)
                    | Value::Law(_)
                    | Value::Column(_)
                    | Value::List(_)
                    | Value::Dataset(_) => true,
                    _ => false,
                };
                if items.iter().any(drawn) {
                    for item in items.iter() {
                        self.add(context, item, at)?;
                    }
                } else {
                    let axis = if self.data.is_empty() { "x" } else { "y" };
                    self.data.extend(numbers(context, item, axis, at)?);
                }
            }
            Value::Function(f) => {
                let curve = self.function(context, f, at)?;
                self.curves.push(curve);
            }
            Value::Law(law) => {
                let name = law.name.as_ref().map(|n| typeset::name(n)).unwrap_or_default();
                self.curves.push(Curve {
                    expr: law.formula.clone(),
                    declarations: law.declarations.or(&context.declarations),
                    unit: law.unit.clone(),
                    name,
                });
            }
            Value::Fit(f) => self.expression(context, &f.law(), None, at)?,
            Value::Expr(e) => {
                let name = bound(context, item);
                self.expression(context, &e.clone(), name, at)?;
            }
            other => return Err(lift(&PlotError::Kind { found: other.kind_name().into() }, at)),
        }
        Ok(())
    }

    fn expression(&mut self, context: &mut Context, e: &Expr, name: Option<String>, at: Span) -> Result<()> {
        let e = op::settle(e);
        if let Kind::Relation(Relation::Eq, a, b) = e.kind() {
            // `y == f(x)` is the curve y.
            return match a.as_symbol() {
                Some(s) => self.expression(context, b, Some(s.name().to_string()), at),
                None => {
                    self.expression(context, a, None, at)?;
                    self.expression(context, b, None, at)
                }
            };
        }
        if let Some(s) = e.as_symbol()
            && context.library.signatures(s.name()).is_some()
            && context.declarations.get(s).is_none()
            && self.variable.as_ref().is_none_or(|v| v.symbol != *s)
        {
            let f = Function::Builtin(s.name().into());
            let curve = self.function(context, &f, at)?;
            self.curves.push(curve);
            return Ok(());
        }
        let name = match name {
            Some(n) => typeset::name(&n),
            None => typeset::expression(&shown(context, &e)),
        };
        let unit = e.split_unit().1;
        self.curves.push(Curve { expr: e, declarations: context.declarations.clone(), unit, name });
        Ok(())
    }

    /// A function is drawn through its value at a symbol.
    fn function(&mut self, context: &mut Context, f: &Function, at: Span) -> Result<Curve> {
        let (own, name) = match f {
            Function::User(u) => (u.params.first().map(|p| p.name.name.to_string()), u.name.to_string()),
            Function::Builtin(n) => (None, n.to_string()),
            Function::Operator(_) => {
                return Err(lift(&PlotError::Kind { found: "operator".into() }, at));
            }
        };
        let symbol = match &self.variable {
            Some(v) => v.symbol.clone(),
            None => Symbol::new(&own.unwrap_or_else(|| "x".into())),
        };
        let value = context.apply(f, vec![Value::Expr(Expr::symbol(symbol))], at)?;
        let expr = op::settle(&op::expr_of(&value, at)?);
        let unit = expr.split_unit().1;
        Ok(Curve { expr, declarations: context.declarations.clone(), unit, name: typeset::name(&name) })
    }

    /// The variable that all curves are drawn over.
    fn over(
        &self,
        context: &Context,
        x: &Option<Ends>,
        base: Option<&Panel>,
        at: Span,
    ) -> Result<Option<Variable>> {
        let mut free: Vec<Symbol> = self.curves.iter().flat_map(Curve::free).collect();
        free.sort();
        free.dedup();
        let column = self.data.first().filter(|_| self.data.len() > 1).and_then(|d| d.raw.clone());
        let known = |s: &Symbol| self.curves.iter().find_map(|c| declared(s, &c.declarations));
        let chosen = match &self.variable {
            Some(v) => v.symbol.clone(),
            None => match free.as_slice() {
                [] => {
                    // Numbers are lines across what else is there.
                    return Ok(x.as_ref().map(|r| Variable {
                        symbol: Symbol::new("x"),
                        low: r.low,
                        high: r.high,
                        unit: r.unit.clone(),
                        dimension: r.dimension,
                        values: None,
                    }));
                }
                [only] => only.clone(),
                several => several
                    .iter()
                    .find(|s| column.as_deref() == Some(s.name()))
                    .or_else(|| several.iter().find(|s| known(s).is_some()))
                    .unwrap_or(&several[several.len() - 1])
                    .clone(),
            },
        };
        for curve in &self.curves {
            let open: Vec<String> =
                curve.free().iter().filter(|s| **s != chosen).map(|s| s.to_string()).collect();
            if !open.is_empty() {
                let symbols = curve.free().iter().map(|s| s.to_string()).collect();
                let expr = bound(context, &Value::Expr(curve.expr.clone()));
                let expr = expr.unwrap_or_else(|| shown(context, &curve.expr));
                return Err(lift(&PlotError::Unbound { expr, symbols, open }, at));
            }
        }
        if let Some(v) = &self.variable {
            let own = known(&v.symbol).and_then(|k| k.unit);
            let dimension = own.as_ref().map_or(v.dimension, Unit::dimension);
            let unit = v.unit.clone().or(own);
            return Ok(Some(Variable { unit, dimension, ..v.clone() }));
        }
        let found = known(&chosen);
        if let Some(r) = x {
            let own =
                self.curves.iter().find_map(|c| c.declarations.get(&chosen).and_then(|d| d.unit.clone()));
            // Plain numbers are in the declared unit.
            let bare = r.dimension.is_none() && r.unit.is_none();
            let si = |v: f64| match &own {
                Some(u) if bare => u.to_si(v),
                _ => v,
            };
            let unit = r.unit.clone().or(own.clone());
            let dimension = unit.as_ref().map_or(r.dimension, Unit::dimension);
            return Ok(Some(Variable {
                symbol: chosen,
                low: si(r.low),
                high: si(r.high),
                unit,
                dimension,
                values: None,
            }));
        }
        if column.as_deref() == Some(chosen.name())
            && let Some(data) = self.data.first()
        {
            let finite = data.values.iter().copied().filter(|v| v.is_finite());
            let (low, high) =
                finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            if low < high {
                return Ok(Some(Variable {
                    symbol: chosen,
                    low,
                    high,
                    unit: data.unit.clone(),
                    dimension: data.dimension,
                    values: None,
                }));
            }
        }
        if let Some(found) = found {
            return Ok(Some(found));
        }
        if let Some(base) = base {
            let unit = base.x.unit.clone();
            let (low, high) = base.x_projection().ends();
            let si = |v: f64| unit.as_ref().map_or(v, |u| u.to_si(v));
            let dimension = unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
            return Ok(Some(Variable {
                symbol: chosen,
                low: si(low),
                high: si(high),
                unit,
                dimension,
                values: None,
            }));
        }
        Err(lift(&PlotError::NoRange { symbol: chosen.to_string() }, at))
    }
}

/// A curve on its axes; what of it has no value is told.
fn curve_layer(
    context: &Context,
    curve: &Curve,
    variable: &Variable,
    x: &Growing,
    y: &mut Growing,
    style: &str,
    at: Span,
) -> Result<Layer> {
    let own = curve.dimension(&[variable], at)?;
    let unit = y.take(&curve.name, curve.unit_of(own), own, at)?;
    let tape = curve.tape(&[&variable.symbol], at)?;
    let x_unit = x.unit();
    let mut scratch = Scratch::default();
    let mut out = vec![Vec::new()];
    let mut evaluate = |xs: &[f64]| -> Vec<f64> {
        let si: Vec<f64> = xs.iter().map(|v| x_unit.to_si(*v)).collect();
        tape.eval_with(&[&si], &mut out, &mut scratch);
        // An expression without the variable gives one value.
        let mut ys: Vec<f64> = out[0].iter().map(|v| unit.from_si(*v)).collect();
        if ys.len() == 1 {
            ys.resize(xs.len(), ys[0]);
        }
        ys
    };
    if let Some(values) = &variable.values {
        let xs: Vec<f64> = values.iter().map(|v| x_unit.from_si(*v)).collect();
        let points = xs.iter().copied().zip(evaluate(&xs)).collect();
        let line = matches!(style, "line" | "both");
        let series = Series { points, line, markers: style != "line", ..Series::default() };
        return Ok(Layer::new(curve.name.clone(), Mark::Series(series)));
    }
    let (low, high) = (x_unit.from_si(variable.low), x_unit.from_si(variable.high));
    if x.axis.log && low <= 0.0 {
        let fault = PlotError::Option {
            option: "log",
            expected: format!("a range of `{}` above 0 on the logarithmic x axis", variable.symbol),
            found: format!("{}..{}", print::float(low, &context.style), print::float(high, &context.style)),
            hint: "plot(F, x in 0.1..10, log: x)",
        };
        return Err(lift(&fault, at));
    }
    let axis = Projection { low, high, log: x.axis.log };
    let found = plot::curve(&mut evaluate, &axis, y.axis.log);
    if found.undefined == found.asked {
        let fault = PlotError::Undefined {
            expr: shown(context, &curve.expr),
            range: format!(
                "{} in {}..{}",
                variable.symbol,
                print::float(low, &context.style),
                print::float(high, &context.style)
            ),
        };
        return Err(lift(&fault, at));
    }
    if found.undefined > 0 {
        let words = format!(
            "`{}` has no real value at {} of {} points: the curve has a gap there",
            shown(context, &curve.expr),
            found.undefined,
            found.asked
        );
        notice(context, at, words);
    }
    let series = Series {
        points: found.points,
        line: style != "points",
        markers: matches!(style, "points" | "both"),
        focus: found.focus,
        sampled: true,
        ..Series::default()
    };
    Ok(Layer::new(curve.name.clone(), Mark::Series(series)))
}

/// Points near each other in order are a line, scattered ones are not.
fn is_path(points: &[(f64, f64)]) -> bool {
    if points.len() < 30 {
        return false;
    }
    let size = |f: fn(&(f64, f64)) -> f64| {
        let all = points.iter().map(f).filter(|v| v.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if high > low { high - low } else { 1.0 }
    };
    let (w, h) = (size(|p| p.0), size(|p| p.1));
    let steps = points.windows(2).map(|p| (p[1].0 - p[0].0).abs() / w + (p[1].1 - p[0].1).abs() / h);
    let steps: Vec<f64> = steps.filter(|s| s.is_finite()).collect();
    steps.iter().sum::<f64>() / (steps.len().max(1) as f64) < 0.15
}

fn points_layer(x: &Numbers, y: &Numbers, units: (&Unit, &Unit), style: &str, at: Span) -> Result<Layer> {
    if x.values.len() != y.values.len() {
        let fault = PlotError::Lengths {
            x: x.values.len(),
            x_name: if x.name.is_empty() { "x".into() } else { x.name.clone() },
            y: y.values.len(),
            y_name: if y.name.is_empty() { "y".into() } else { y.name.clone() },
        };
        return Err(lift(&fault, at));
    }
    let points: Vec<(f64, f64)> = x.in_unit(units.0).into_iter().zip(y.in_unit(units.1)).collect();
    let (x_errors, y_errors) = (x.errors_in_unit(units.0), y.errors_in_unit(units.1));
    let (line, markers) = match style {
        "line" => (true, false),
        "points" => (false, true),
        "both" => (true, true),
        _ => {
            let path = x_errors.is_none() && y_errors.is_none() && is_path(&points);
            (path, !path)
        }
    };
    let series = Series { points, x_errors, y_errors, line, markers, ..Series::default() };
    Ok(Layer::new(y.name.clone(), Mark::Series(series)))
}

/// The panel of everything that shares one pair of axes.
fn panel(
    context: &mut Context,
    args: &Args,
    parts: &Parts,
    data: &[Numbers],
    base: Option<&Panel>,
) -> Result<Panel> {
    let at = args.span_of("items");
    let log = args.word("log")?;
    let style = args.word("style")?;
    let (x_range, y_range) = (range_option(args, "x")?, range_option(args, "y")?);
    let mut x = Growing::new("x", log.contains('x'));
    let mut y = Growing::new("y", log.contains('y'));
    prepare(&mut x, unit_option(context, args, "x_unit")?, &x_range, "x", args.span_of("x"))?;
    prepare(&mut y, unit_option(context, args, "y_unit")?, &y_range, "y", args.span_of("y"))?;
    let mut layers = Vec::new();
    if let Some((first, rest)) = data.split_first() {
        let index;
        let (abscissa, ordinates) = if rest.is_empty() {
            let values = (0..first.values.len()).map(|k| k as f64).collect();
            index = Numbers {
                name: "index".into(),
                values,
                errors: None,
                unit: None,
                dimension: Dimension::NONE,
                raw: None,
            };
            (&index, std::slice::from_ref(first))
        } else {
            (first, rest)
        };
        let x_unit = x.take(&abscissa.name, abscissa.unit.clone(), abscissa.dimension, at)?;
        x.axis.name = abscissa.name.clone();
        x.axis.whole = rest.is_empty();
        for own in ordinates {
            let y_unit = y.take(&own.name, own.unit.clone(), own.dimension, at)?;
            layers.push(points_layer(abscissa, own, (&x_unit, &y_unit), &style, at)?);
        }
    }
    if !parts.curves.is_empty() {
        match parts.over(context, &x_range, base, at)? {
            Some(variable) => {
                x.take(variable.symbol.name(), variable.unit.clone(), variable.dimension, at)?;
                if x.axis.name.is_empty() {
                    x.axis.name = typeset::name(variable.symbol.name());
                }
                for curve in &parts.curves {
                    context.poll(at)?;
                    layers.push(curve_layer(context, curve, &variable, &x, &mut y, &style, at)?);
                }
            }
            None if !layers.is_empty() || base.is_some() => {
                // Numbers are lines across the data.
                let ends = match base {
                    Some(base) => base.x_projection().ends(),
                    None => Panel { x: x.axis.clone(), layers: layers.clone(), ..Panel::default() }
                        .x_projection()
                        .ends(),
                };
                if let Some(base) = base {
                    x.axis.unit = base.x.unit.clone();
                }
                for curve in &parts.curves {
                    let own = curve.dimension(&[], at)?;
                    let unit = y.take(&curve.name, curve.unit_of(own), own, at)?;
                    let value = curve.expr.evaluate(&|_| None).map_or(f64::NAN, |v| unit.from_si(v));
                    let points = vec![(ends.0, value), (ends.1, value)];
                    let series = Series { points, line: true, dashed: true, ..Series::default() };
                    layers.push(Layer::new(curve.name.clone(), Mark::Series(series)));
                }
            }
            None => {
                // Numbers alone are points.
                let values: Vec<Value> = parts.curves.iter().map(|c| Value::Expr(c.expr.clone())).collect();
                let all = of_list(context, &values, String::new(), "y", at)?;
                let unit = y.take("y", all.unit.clone(), all.dimension, at)?;
                let points = all.in_unit(&unit).into_iter().enumerate().map(|(k, v)| (k as f64, v)).collect();
                let y_errors = all.errors_in_unit(&unit);
                x.axis.name = "index".into();
                x.axis.whole = true;
                let series = Series { points, y_errors, markers: true, ..Series::default() };
                layers.push(Layer::new("", Mark::Series(series)));
            }
        }
    }
    set_range(&mut x, &x_range);
    set_range(&mut y, &y_range);
    if let Some(first) = layers.first()
        // A curve over one column of data explains what the column shows.
        && (data.len() == 2 || layers.iter().all(|l| l.name == first.name))
    {
        y.axis.name = first.name.clone();
    }
    Ok(Panel { x: x.axis, y: y.axis, layers, ..Panel::default() })
}

/// The columns that a dataset draws: groups of x first, then y of one dimension each.
fn groups(set: &Dataset, at: Span) -> Result<Vec<Vec<Numbers>>> {
    let numeric: Vec<&Arc<Column>> =
        set.columns().iter().filter(|c| c.is_numeric() && c.role != Role::Error).collect();
    if set.rows() == 0 || numeric.is_empty() {
        let found =
            if set.rows() == 0 { "a dataset without rows" } else { "a dataset without columns of numbers" };
        return Err(lift(&PlotError::Nothing { found: found.into() }, at));
    }
    if let Some(target) = numeric.iter().find(|c| c.role == Role::Target) {
        let target = of_column(target, at)?;
        let features: Vec<&&Arc<Column>> = numeric.iter().filter(|c| c.role != Role::Target).collect();
        if features.is_empty() {
            return Ok(vec![vec![target]]);
        }
        return features.into_iter().map(|c| Ok(vec![of_column(c, at)?, target.clone()])).collect();
    }
    let first = of_column(numeric[0], at)?;
    if numeric.len() == 1 {
        return Ok(vec![vec![first]]);
    }
    let mut groups: Vec<Vec<Numbers>> = Vec::new();
    for column in &numeric[1..] {
        let own = of_column(column, at)?;
        match groups.iter_mut().find(|g| g[1].dimension == own.dimension) {
            Some(group) => group.push(own),
            None => groups.push(vec![first.clone(), own]),
        }
    }
    Ok(groups)
}

/// The front of a search.
fn front_panel(f: &FrontValue, at: Span) -> Result<Panel> {
    let candidates = f.found.front.candidates();
    if candidates.is_empty() {
        return Err(lift(&PlotError::Nothing { found: "a front without laws".into() }, at));
    }
    let mut points: Vec<(f64, f64)> = candidates.iter().map(|c| (c.size as f64, c.loss)).collect();
    let largest = points.iter().map(|p| p.1).fold(0.0, f64::max);
    // A loss of zero has no place on a logarithmic axis: it stands below all that rounding can tell.
    let least = if largest > 0.0 { largest * 1e-32 } else { 1e-32 };
    points.iter_mut().for_each(|p| p.1 = p.1.max(least));
    let chosen = f.found.front.best_index();
    let style = Style { digits: Some(4), ..Style::default() };
    let name = match f.found.front.best() {
        Some(best) => {
            let law = typeset::expression(&render::expr(&best.expr, &style));
            let law = if law.chars().count() > 60 { "the chosen law".into() } else { law };
            format!("{} = {law}", typeset::name(&f.target))
        }
        None => "laws".into(),
    };
    Ok(Panel {
        x: Axis { whole: true, ..Axis::new("size", None) },
        y: Axis { log: true, ..Axis::new("loss", None) },
        title: name,
        layers: vec![Layer::new("loss", Mark::Front(Front { points, chosen }))],
        ..Panel::default()
    })
}

// ---- built-ins ---------------------------------------------------------------------------------------------------

fn size(args: &Args, option: &'static str) -> Result<f64> {
    let n = args.integer(option)?;
    if !(100..=10_000).contains(&n) {
        let fault = PlotError::Option {
            option,
            expected: "100 to 10000".into(),
            found: n.to_string(),
            hint: "width: 640, height: 420",
        };
        return Err(lift(&fault, args.span_of(option)));
    }
    Ok(n as f64)
}

/// Sizes, a title, and the notes of what was left out.
fn finish(context: &Context, args: &Args, mut figure: Figure) -> Result<Value> {
    let at = args.span;
    if args.is_given("width") || figure.panels.len() == 1 {
        figure.width = size(args, "width")?;
    }
    if args.is_given("height") || figure.panels.len() == 1 {
        figure.height = size(args, "height")?;
    }
    let title = args.word("title")?;
    if !title.is_empty() {
        figure.title = title.to_string();
    }
    for note in told(figure.settle(), at)? {
        notice(context, at, note);
    }
    Ok(Value::Figure(Arc::new(figure)))
}

/// Names from the options.
fn relabel(args: &Args, figure: &mut Figure) -> Result<()> {
    let labels = args.list("labels")?;
    let mut labels = labels.iter().filter_map(|v| match v.plain() {
        Value::Text(t) => Some(t.to_string()),
        _ => None,
    });
    let axis_name = |name: &str| match args.signature.param(name) {
        Some(_) if args.is_given(name) => args.word(name).map(Some),
        _ => Ok(None),
    };
    let (x, y) = (axis_name("x_label")?, axis_name("y_label")?);
    for panel in &mut figure.panels {
        for layer in panel.layers.iter_mut().filter(|l| l.is_coloured()) {
            if let Some(label) = labels.next() {
                layer.name = label;
            }
        }
        if let Some(name) = &x {
            panel.x.name = name.to_string();
        }
        if let Some(name) = &y {
            panel.y.name = name.to_string();
        }
    }
    Ok(())
}

fn plot(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("items");
    let items = args.list("items")?;
    if items.is_empty() {
        return Err(lift(&PlotError::Nothing { found: "nothing".into() }, args.span));
    }
    let mut parts = Parts::read(context, &items, at)?;
    let mut figures = std::mem::take(&mut parts.figures);
    for front in std::mem::take(&mut parts.fronts) {
        figures.push(Figure::new(front_panel(&front, at)?));
    }
    let sets = std::mem::take(&mut parts.sets);
    let mut all: Vec<Vec<Numbers>> = Vec::new();
    for set in &sets {
        all.extend(groups(set, at)?);
    }
    if all.len() > PANELS {
        notice(
            context,
            at,
            format!("{} of {} panels are drawn: plot(d.x, d.y) draws one", PANELS, all.len()),
        );
        all.truncate(PANELS);
    }
    let mut panels = Vec::new();
    if all.is_empty() && (!parts.curves.is_empty() || !parts.data.is_empty()) {
        let data = std::mem::take(&mut parts.data);
        let base = figures.first().and_then(|f| f.panels.first()).cloned();
        // The data say what the variable of a curve runs over.
        parts.data = data.clone();
        panels.push(panel(context, args, &parts, &data, base.as_ref())?);
    }
    for group in &all {
        parts.data = group.clone();
        panels.push(panel(context, args, &parts, group, None)?);
    }
    if panels.is_empty() && figures.is_empty() {
        return Err(lift(&PlotError::Nothing { found: "a range alone".into() }, at));
    }
    let several = panels.len() > 1;
    let mut made: Vec<Figure> = panels.into_iter().map(Figure::new).collect();
    let mut figure = if several {
        told(plot::grid(made, 2), at)?
    } else {
        figures.append(&mut made);
        told(plot::overlay(figures), at)?
    };
    let log = args.word("log")?;
    for panel in &mut figure.panels {
        panel.x.log |= log.contains('x');
        panel.y.log |= log.contains('y');
    }
    relabel(args, &mut figure)?;
    finish(context, args, figure)
}

fn histogram(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("items");
    let items = args.list("items")?;
    let mut all = Vec::new();
    for item in items.iter() {
        match numbers(context, item, "x", at)? {
            Some(n) if n.values.is_empty() => {
                return Err(lift(&PlotError::Nothing { found: "an empty list".into() }, at));
            }
            Some(n) => all.push(n),
            None => return Err(lift(&PlotError::Kind { found: item.kind_name().into() }, at)),
        }
    }
    let Some(first) = all.first() else {
        return Err(lift(&PlotError::Nothing { found: "nothing".into() }, args.span));
    };
    let density = args.boolean("density")?;
    let range = range_option(args, "x")?;
    let mut x = Growing::new("x", false);
    prepare(&mut x, None, &range, "x", args.span_of("x"))?;
    x.axis.name = if all.len() == 1 { first.name.clone() } else { String::new() };
    let mut drawn = Vec::new();
    for own in &all {
        let unit = x.take(&own.name, own.unit.clone(), own.dimension, at)?;
        let values = own.in_unit(&unit);
        let count = values.iter().filter(|v| !v.is_finite()).count();
        if count == values.len() {
            return Err(lift(&PlotError::NoFinite { name: own.name.clone(), count }, at));
        }
        if count > 0 {
            notice(context, at, format!("{count} values of `{}` are left out: not finite", own.name));
        }
        drawn.push((own.name.clone(), values));
    }
    set_range(&mut x, &range);
    let limits = x.axis.range.take();
    let mut bins = bins(context, args, &x)?;
    // Histograms over each other share their bins.
    if drawn.len() > 1 && !matches!(bins, Bins::Edges(_)) {
        let together: Vec<f64> = drawn.iter().flat_map(|(_, v)| v.iter().copied()).collect();
        bins = Bins::Edges(plot::histogram(&together, &bins, limits, false).edges);
    }
    let layers: Vec<Layer> = drawn
        .into_iter()
        .map(|(name, values)| Layer::new(name, Mark::Bars(plot::histogram(&values, &bins, limits, density))))
        .collect();
    if layers.iter().all(|l| matches!(&l.mark, Mark::Bars(b) if b.heights.iter().all(|h| *h == 0.0))) {
        return Err(lift(&PlotError::Nothing { found: "no value inside the bins".into() }, at));
    }
    let log = &*args.word("log")? == "y";
    let unit = x.axis.unit.as_ref().filter(|_| density).and_then(|u| Unit::one().div(u).ok());
    let y = Axis { log, ..Axis::new(if density { "density" } else { "count" }, unit) };
    let mut figure = Figure::new(Panel { x: x.axis, y, layers, ..Panel::default() });
    // The axis says what is counted.
    if all.len() == 1 && !args.is_given("labels") {
        figure.panels[0].layers[0].name = figure.panels[0].y.name.clone();
    }
    relabel(args, &mut figure)?;
    finish(context, args, figure)
}

fn bins(context: &Context, args: &Args, x: &Growing) -> Result<Bins> {
    let at = args.span_of("bins");
    let wrong = |found: String| {
        let expected = "1 to 10000 bins, or a list of rising edges".to_string();
        Err(lift(&PlotError::Option { option: "bins", expected, found, hint: "bins: 20" }, at))
    };
    let Some(value) = args.get("bins") else { return Ok(Bins::Auto) };
    if let Some(found) = numbers(context, value, "x", at)? {
        let bare = found.dimension.is_none();
        let unit = if bare { Unit::one() } else { x.unit() };
        if !bare && found.dimension != x.dimension {
            let expected = Box::new(x.unit());
            let found = Box::new(found.unit.unwrap_or(Unit::one()));
            let (first, second) = (x.first.clone().unwrap_or_default(), "bins".to_string());
            return Err(lift(&PlotError::Units { axis: "x", first, expected, second, found }, at));
        }
        let edges = found.in_unit(&unit);
        let rising = edges.len() > 1 && edges.windows(2).all(|w| w[0] < w[1]);
        return if rising { Ok(Bins::Edges(edges)) } else { wrong("edges that do not rise".into()) };
    }
    match value.as_expr().and_then(|e| e.as_i64()) {
        Some(n) if (1..=10_000).contains(&n) => Ok(Bins::Count(n as usize)),
        Some(n) => wrong(n.to_string()),
        None => wrong(format!("a {}", value.kind_name())),
    }
}

/// A variable of a plane: `x in 0..1`, or a symbol with a domain.
fn plane_variable(context: &Context, args: &Args, name: &str) -> Result<Variable> {
    let at = args.span_of(name);
    let value = args.value(name)?;
    if let Some(v) = condition(value, at)? {
        let own = context.declarations.get(&v.symbol).and_then(|d| d.unit.clone());
        let dimension = own.as_ref().map_or(v.dimension, Unit::dimension);
        return Ok(Variable { unit: v.unit.clone().or(own), dimension, ..v });
    }
    let Some(symbol) = value.as_expr().and_then(|e| e.as_symbol().cloned()) else {
        return Err(fault_hint(
            6006,
            at,
            format!("`{name}` expects a variable or its range, found a {}", value.kind_name()),
            format!("{name} in 0..10"),
        ));
    };
    match declared(&symbol, &context.declarations).filter(|v| v.low < v.high) {
        Some(v) => Ok(v),
        None => Err(lift(&PlotError::NoRange { symbol: symbol.to_string() }, at)),
    }
}

/// An expression over a plane.
fn plane_curve(context: &Context, args: &Args, name: &str, x: &Variable, y: &Variable) -> Result<Curve> {
    let at = args.span_of(name);
    let value = args.value(name)?;
    let e = op::settle(&op::expr_of(value, at)?);
    let name = bound(context, value).map(|n| typeset::name(&n));
    let name = name.unwrap_or_else(|| typeset::expression(&shown(context, &e)));
    let (declarations, unit) = match value.plain() {
        Value::Law(law) => (law.declarations.or(&context.declarations), law.unit.clone()),
        _ => (context.declarations.clone(), e.split_unit().1),
    };
    let curve = Curve { expr: e, declarations, unit, name };
    let free = curve.free();
    let open: Vec<String> =
        free.iter().filter(|s| **s != x.symbol && **s != y.symbol).map(|s| s.to_string()).collect();
    if !open.is_empty() {
        let symbols = free.iter().map(|s| s.to_string()).collect();
        return Err(lift(&PlotError::Unbound { expr: shown(context, &curve.expr), symbols, open }, at));
    }
    Ok(curve)
}

fn axis_of(v: &Variable) -> (Axis, Unit, (f64, f64)) {
    let unit = v.unit.clone().unwrap_or(Unit::coherent(v.dimension));
    let axis = Axis::new(typeset::name(v.symbol.name()), Some(unit.clone()));
    let ends = (unit.from_si(v.low), unit.from_si(v.high));
    (axis, unit, ends)
}

/// Values of a curve at the points of a plane, row by row from below, in the unit.
fn plane_values(
    curve: &Curve,
    x: (&Variable, &[f64]),
    y: (&Variable, &[f64]),
    unit: &Unit,
    at: Span,
) -> Result<Vec<f64>> {
    let tape = curve.tape(&[&x.0.symbol, &y.0.symbol], at)?;
    let mut scratch = Scratch::default();
    let mut out = vec![Vec::new()];
    let mut values = Vec::with_capacity(x.1.len() * y.1.len());
    for row in y.1 {
        tape.eval_with(&[x.1, &[*row]], &mut out, &mut scratch);
        let constant = out[0].len() == 1;
        values.extend((0..x.1.len()).map(|k| unit.from_si(out[0][if constant { 0 } else { k }])));
    }
    Ok(values)
}

fn map_option(args: &Args) -> Result<Map> {
    Ok(match &*args.word("colours")? {
        "diverging" => Map::Diverging,
        "grey" => Map::Grey,
        _ => Map::Sequential,
    })
}

/// The number of points along an axis.
fn points_option(args: &Args) -> Result<usize> {
    let n = args.integer("points")?;
    if !(2..=2000).contains(&n) {
        let fault = PlotError::Option {
            option: "points",
            expected: "2 to 2000".into(),
            found: n.to_string(),
            hint: "points: 200",
        };
        return Err(lift(&fault, args.span_of("points")));
    }
    Ok(n as usize)
}

/// `n` values between two ends in SI, at the middles of cells or with both ends.
fn spaced(low: f64, high: f64, n: usize, middles: bool) -> Vec<f64> {
    let shift = if middles { 0.5 } else { 0.0 };
    let parts = if middles { n as f64 } else { (n - 1) as f64 };
    (0..n).map(|k| low + (high - low) * (k as f64 + shift) / parts).collect()
}

fn values_axis(args: &Args, curve: &Curve, own: Dimension) -> Result<(Axis, Unit)> {
    let mut axis =
        Growing::new("colour", args.signature.param("scale").is_some() && &*args.word("scale")? == "log");
    let range = if args.signature.param("values").is_some() { range_option(args, "values")? } else { None };
    prepare(&mut axis, None, &range, "values", args.span_of("values"))?;
    let unit = axis.take(&curve.name, curve.unit_of(own), own, args.span_of("value"))?;
    set_range(&mut axis, &range);
    axis.axis.name = curve.name.clone();
    Ok((axis.axis, unit))
}

fn heatmap(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("value");
    if matches!(args.value("value")?.plain(), Value::List(_)) {
        return Err(lift(&PlotError::Kind { found: "list: a matrix is drawn by image(m)".into() }, at));
    }
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let curve = plane_curve(context, args, "value", &x, &y)?;
    let own = curve.dimension(&[&x, &y], at)?;
    let (value, unit) = values_axis(args, &curve, own)?;
    let n = points_option(args)?;
    let (x_axis, _, x_ends) = axis_of(&x);
    let (y_axis, _, y_ends) = axis_of(&y);
    let rows = (n * 3).div_ceil(4).max(2);
    let (xs, ys) = (spaced(x.low, x.high, n, true), spaced(y.low, y.high, rows, true));
    context.poll(at)?;
    let values = plane_values(&curve, (&x, &xs), (&y, &ys), &unit, at)?;
    let image = Image { x: x_ends, y: y_ends, columns: n, values };
    let mut panel = Panel {
        x: x_axis,
        y: y_axis,
        value,
        map: map_option(args)?,
        layers: vec![Layer::new(curve.name.clone(), Mark::Image(image))],
        ..Panel::default()
    };
    let count = args.integer("contours")?;
    if count > 0
        && let Some(axis) = panel.value_projection()
    {
        let levels = plot::levels(&axis, count.min(100) as usize);
        let lines = contour_lines(&curve, &x, &y, &unit, &levels, n, at)?;
        panel.layers.push(Layer::new("", Mark::Contours(lines)));
    }
    finish(context, args, plane_title(Figure::new(panel)))
}

/// A long expression stands above its figure, not beside its bar of colours.
fn plane_title(mut figure: Figure) -> Figure {
    for panel in &mut figure.panels {
        if panel.value.name.chars().count() > 20 {
            figure.title = std::mem::take(&mut panel.value.name);
        }
    }
    figure
}

fn contour_lines(
    curve: &Curve,
    x: &Variable,
    y: &Variable,
    unit: &Unit,
    levels: &[f64],
    n: usize,
    at: Span,
) -> Result<Contours> {
    let (xs, ys) = (spaced(x.low, x.high, n, false), spaced(y.low, y.high, n, false));
    let values = plane_values(curve, (x, &xs), (y, &ys), unit, at)?;
    let ((_, x_unit, _), (_, y_unit, _)) = (axis_of(x), axis_of(y));
    let xs: Vec<f64> = xs.iter().map(|v| x_unit.from_si(*v)).collect();
    let ys: Vec<f64> = ys.iter().map(|v| y_unit.from_si(*v)).collect();
    Ok(Contours { levels: levels.iter().map(|l| (*l, plot::contour(&xs, &ys, &values, *l))).collect() })
}

fn contour(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("value");
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let curve = plane_curve(context, args, "value", &x, &y)?;
    let own = curve.dimension(&[&x, &y], at)?;
    let (value, unit) = values_axis(args, &curve, own)?;
    let n = points_option(args)?;
    let (xs, ys) = (spaced(x.low, x.high, n, false), spaced(y.low, y.high, n, false));
    let values = plane_values(&curve, (&x, &xs), (&y, &ys), &unit, at)?;
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.abs() < 1e300).collect();
    if finite.is_empty() {
        return Err(lift(&PlotError::NoFinite { name: curve.name.clone(), count: values.len() }, at));
    }
    let levels = match (args.value("levels")?, args.span_of("levels")) {
        (v, place) if op::as_list(v).is_some() => {
            numbers(context, v, "y", place)?.map(|n| n.in_unit(&unit)).unwrap_or_default()
        }
        (v, place) => match v.as_expr().and_then(|e| e.as_i64()) {
            Some(count) if (1..=200).contains(&count) => {
                let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
                let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                plot::levels(&Projection { low, high, log: false }, count as usize)
            }
            _ => {
                let fault = PlotError::Option {
                    option: "levels",
                    expected: "1 to 200 levels, or a list of values".into(),
                    found: render::line(v, &context.style),
                    hint: "levels: [0.1, 0.2, 0.5]",
                };
                return Err(lift(&fault, place));
            }
        },
    };
    let lines = contour_lines(&curve, &x, &y, &unit, &levels, n, at)?;
    if lines.levels.iter().all(|(_, l)| l.is_empty()) {
        let found = format!("a value that crosses no level of `{}`", shown(context, &curve.expr));
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    let ((x_axis, _, x_ends), (y_axis, _, y_ends)) = (axis_of(&x), axis_of(&y));
    let panel = Panel {
        x: Axis { range: Some(x_ends), ..x_axis },
        y: Axis { range: Some(y_ends), ..y_axis },
        value,
        map: map_option(args)?,
        layers: vec![Layer::new("", Mark::Contours(lines))],
        ..Panel::default()
    };
    finish(context, args, plane_title(Figure::new(panel)))
}

fn image(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("matrix");
    let value = args.value("matrix")?;
    let rows = op::as_list(value).unwrap_or_default();
    if rows.is_empty() {
        let found = if matches!(value.plain(), Value::List(_)) {
            "an empty list".into()
        } else {
            format!("a {}", value.kind_name())
        };
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    if !is_matrix(&rows) {
        let words = "`matrix` expects rows of one length, found rows of several";
        return Err(fault_hint(6006, at, words, "image([[0, 1], [2, 3]])"));
    }
    let lists: Vec<Arc<Vec<Value>>> = rows.iter().filter_map(op::as_list).collect();
    let columns = lists[0].len();
    let cells: Vec<Value> = lists.iter().flat_map(|r| r.iter().cloned()).collect();
    let name = bound(context, value).map(|n| typeset::name(&n)).unwrap_or_default();
    let found = of_list(context, &cells, name, "colour", at)?;
    let mut axis = Growing::new("colour", &*args.word("scale")? == "log");
    let range = range_option(args, "values")?;
    prepare(&mut axis, None, &range, "values", args.span_of("values"))?;
    let unit = axis.take(&found.name, found.unit.clone(), found.dimension, at)?;
    set_range(&mut axis, &range);
    axis.axis.name = found.name.clone();
    let (w, h) = (columns as f64, rows.len() as f64);
    let image = Image { x: (-0.5, w - 0.5), y: (-0.5, h - 0.5), columns, values: found.in_unit(&unit) };
    let panel = Panel {
        x: Axis { whole: true, ..Axis::new("column", None) },
        // The first row is the upper one.
        y: Axis { range: Some((h - 0.5, -0.5)), whole: true, ..Axis::new("row", None) },
        value: axis.axis,
        map: map_option(args)?,
        layers: vec![Layer::new(found.name, Mark::Image(image))],
        square: (0.25..=4.0).contains(&(w / h)),
        ..Panel::default()
    };
    finish(context, args, Figure::new(panel))
}

fn phase_portrait(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span;
    let (x, y) = (plane_variable(context, args, "x")?, plane_variable(context, args, "y")?);
    let u = plane_curve(context, args, "u", &x, &y)?;
    let v = plane_curve(context, args, "v", &x, &y)?;
    // Both are rates: their units differ as those of the variables do.
    let (du, dv) = (u.dimension(&[&x, &y], at)?, v.dimension(&[&x, &y], at)?);
    if let (Some(a), Some(b)) = (du.div(x.dimension), dv.div(y.dimension))
        && a != b
        && u.expr.is_symbolic()
        && v.expr.is_symbolic()
    {
        return Err(fault(
            6021,
            at,
            format!(
                "expected rates of one kind, found `u` in [{}] of `{}` and `v` in [{}] of `{}`",
                Unit::coherent(du),
                x.symbol,
                Unit::coherent(dv),
                y.symbol
            ),
        ));
    }
    let density = args.integer("density")?;
    if !(4..=80).contains(&density) {
        let fault = PlotError::Option {
            option: "density",
            expected: "4 to 80".into(),
            found: density.to_string(),
            hint: "density: 22",
        };
        return Err(lift(&fault, args.span_of("density")));
    }
    let inputs = [&x.symbol, &y.symbol];
    let both = [u.tape(&inputs, args.span_of("u"))?, v.tape(&inputs, args.span_of("v"))?];
    let state = std::cell::RefCell::new((Scratch::default(), Vec::new()));
    let (w, h) = (x.high - x.low, y.high - y.low);
    let flow = |s: f64, t: f64| -> (f64, f64) {
        let point = [x.low + s * w, y.low + t * h];
        let mut state = state.borrow_mut();
        let (scratch, out) = &mut *state;
        both[0].eval_point_with(&point, scratch, out);
        let a = out.first().copied().unwrap_or(f64::NAN);
        both[1].eval_point_with(&point, scratch, out);
        (a / w, out.first().copied().unwrap_or(f64::NAN) / h)
    };
    let ((x_axis, x_unit, x_ends), (y_axis, y_unit, y_ends)) = (axis_of(&x), axis_of(&y));
    let lines = plot::streams(&flow, density as usize)
        .into_iter()
        .map(|line| {
            line.into_iter()
                .map(|(s, t)| (x_unit.from_si(x.low + s * w), y_unit.from_si(y.low + t * h)))
                .collect()
        })
        .collect::<Vec<Vec<(f64, f64)>>>();
    if lines.is_empty() {
        let found = "a flow that is zero or has no value everywhere".to_string();
        return Err(lift(&PlotError::Nothing { found }, at));
    }
    let mut layers = vec![Layer::new("", Mark::Streams(Streams { lines }))];
    if args.boolean("nullclines")? {
        for (curve, variable) in [(&u, &x), (&v, &y)] {
            let found = contour_lines(curve, &x, &y, &Unit::one(), &[0.0], 161, at)?;
            let points: Vec<(f64, f64)> = found.levels.into_iter().flat_map(|(_, l)| l).collect();
            if !points.is_empty() {
                let name = format!("{}′ = 0", typeset::name(variable.symbol.name()));
                let series = Series { points, line: true, sampled: true, ..Series::default() };
                layers.push(Layer::new(name, Mark::Series(series)));
            }
        }
    }
    let panel = Panel {
        x: Axis { range: Some(x_ends), ..x_axis },
        y: Axis { range: Some(y_ends), ..y_axis },
        layers,
        ..Panel::default()
    };
    finish(context, args, Figure::new(panel))
}

fn grid(context: &mut Context, args: &Args) -> Result<Value> {
    let at = args.span_of("figures");
    let figures: Vec<Figure> = args
        .list("figures")?
        .iter()
        .filter_map(|v| match v.plain() {
            Value::Figure(f) => Some((**f).clone()),
            _ => None,
        })
        .collect();
    let columns = args.integer("columns")?;
    if !(1..=20).contains(&columns) {
        let fault = PlotError::Option {
            option: "columns",
            expected: "1 to 20".into(),
            found: columns.to_string(),
            hint: "columns: 2",
        };
        return Err(lift(&fault, args.span_of("columns")));
    }
    let mut figure = told(plot::grid(figures, columns as usize), at)?;
    if args.get("width").is_some() {
        figure.width = size(args, "width")?;
    }
    if args.get("height").is_some() {
        figure.height = size(args, "height")?;
    }
    let title = args.word("title")?;
    if !title.is_empty() {
        figure.title = title.to_string();
    }
    let _ = context;
    Ok(Value::Figure(Arc::new(figure)))
}

/// What `export` writes of a figure, by the file's ending; `None` for other endings.
pub fn file(figure: &Figure, extension: &str) -> Option<Vec<u8>> {
    use crate::base::{Canvas, Drawing};
    Some(match extension {
        "png" => figure.png(2.0),
        "svg" => figure.svg().into_bytes(),
        "txt" => (figure.terminal(&Canvas::default()) + "\n").into_bytes(),
        _ => return None,
    })
}
