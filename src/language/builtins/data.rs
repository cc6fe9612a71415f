//! Datasets, fits and laws from data: the language's side of `data` and `regression`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Body;
use crate::base::{Event, Finding, FoundLaw, Meter, Read};
use crate::data::{self, Dataset, Missing, ParamSpec, ReadOptions, Sample, Values};
use crate::expression::print::Style;
use crate::expression::{Declaration, Declarations, Domain, Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{Fit, Record, Value};
use crate::language::{dimension, render, unknowns};
use crate::regression;
use crate::syntax::tree::Name;
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("read", read), ("images", images), ("sample", sample), ("fit", fit)];

/// Images are scaled to at most so many pixels along an axis.
const MOST_PIXELS: usize = 8192;

/// The seed of a call, else that of the session.
pub(super) fn seed(context: &Context, args: &Args) -> Result<u64> {
    match args.get("seed") {
        None => Ok(context.seed),
        Some(_) => {
            let n = args.integer("seed")?;
            u64::try_from(n).map_err(|_| {
                fault(6006, args.span_of("seed"), format!("expected a seed of at least 0, found {n}"))
            })
        }
    }
}

fn read(context: &mut Context, args: &Args) -> Result<Value> {
    let path = context.path(&args.word("path")?);
    let missing = match &*args.word("missing")? {
        "drop" => Missing::Drop,
        "keep" => Missing::Keep,
        _ => Missing::Fault,
    };
    let headers = match args.get("headers") {
        None => None,
        Some(_) => Some(
            args.list("headers")?
                .iter()
                .map(|v| match v {
                    Value::Text(t) => Ok(t.to_string()),
                    other => Err(args.wrong("headers", "texts", other)),
                })
                .collect::<Result<Vec<String>>>()?,
        ),
    };
    let member = args.get("member").map(|_| args.word("member")).transpose()?.map(|m| m.to_string());
    let whole = &*args.word("as")? == "arrays";
    let meter = Meter::new(&context.events, &format!("read {}", path.display()), "rows", None);
    let found = data::read(&path, &context.catalogue, &ReadOptions { missing, headers, member, whole });
    drop(meter);
    let found = found.map_err(|e| lift(&e, args.span_of("path")))?;
    for note in &found.notes {
        context.notify(crate::base::Diagnostic { span: Some(args.span_of("path")), ..note.clone() });
    }
    context.events.send(Event::Read(Read { path, summary: summary(&found) }));
    Ok(Value::Dataset(Arc::new(found)))
}

/// A folder of images.
fn images(context: &mut Context, args: &Args) -> Result<Value> {
    let path = context.path(&args.word("folder")?);
    let size = match args.get("size") {
        None => None,
        Some(given) => {
            let sizes: Vec<Option<usize>> = args
                .list("size")?
                .iter()
                .map(|v| v.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok()))
                .collect();
            match sizes.as_slice() {
                [Some(height), Some(width)]
                    if (1..=MOST_PIXELS).contains(height) && (1..=MOST_PIXELS).contains(width) =>
                {
                    Some((*height, *width))
                }
                _ => {
                    return Err(args.wrong(
                        "size",
                        "the height and the width in pixels, such as [64, 64]",
                        given,
                    ));
                }
            }
        }
    };
    let channels = match args.get("channels") {
        None => None,
        Some(given) => match args.integer("channels")? {
            n @ (1 | 3) => Some(n as usize),
            _ => return Err(args.wrong("channels", "1 (grey) or 3 (colour)", given)),
        },
    };
    let meter = Meter::new(&context.events, &format!("read {}", path.display()), "images", None);
    let found = data::read_images(&path, &data::ImageOptions { size, channels });
    drop(meter);
    let found = found.map_err(|e| lift(&e, args.span_of("folder")))?;
    for note in &found.notes {
        context.notify(crate::base::Diagnostic { span: Some(args.span_of("folder")), ..note.clone() });
    }
    context.events.send(Event::Read(Read { path, summary: summary(&found) }));
    Ok(Value::Dataset(Arc::new(found)))
}

/// Rows and columns of a dataset in words.
fn summary(d: &Dataset) -> String {
    let columns: Vec<String> = d.columns().iter().map(|c| c.shown_header()).collect();
    format!("{} rows: {}", d.rows(), columns.join(", "))
}

fn sample(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("formula")?.clone();
    let formula = args.expr("formula")?;
    let points = args.integer("points")?;
    if !(1..=100_000_000).contains(&points) {
        return Err(fault(
            6031,
            args.span_of("points"),
            format!("expected at least 1 point, found {points}"),
        ));
    }
    let mut declarations = context.declarations.clone();
    let mut unit = None;
    let mut name = args.word("name")?;
    if let Value::Law(law) = value.plain() {
        declarations = law.declarations.or(&declarations);
        unit = law.unit.clone();
        if name.is_empty()
            && let Some(n) = &law.name
        {
            name = n.clone();
        }
    }
    if name.is_empty() {
        name = context
            .globals
            .iter()
            .filter(|(_, v)| v.as_expr().is_some_and(|e| e == formula) && formula.as_symbol().is_none())
            .map(|(n, _)| n.clone())
            .min()
            .unwrap_or_else(|| "y".into());
    }
    for s in formula.symbols() {
        if declarations.get(&s).is_none_or(|d| d.domain.is_none()) {
            return Err(fault_hint(
                6030,
                args.span_of("formula"),
                format!("expected a domain for `{s}`, found none"),
                format!("var {s} in 1..5"),
            ));
        }
    }
    let found =
        dimension::of(&formula, &declarations).map_err(|m| op::unit_fault(&m, args.span_of("formula")))?;
    let unit = unit.or_else(|| found.map(Unit::coherent));
    let plan = Sample {
        formula: &formula,
        target: &name,
        target_unit: unit,
        declarations: &declarations,
        points: points as usize,
        noise: args.real("noise")?,
        relative_noise: args.real("relative_noise")?,
        seed: seed(context, args)?,
    };
    let meter = Meter::new(&context.events, "sample", "rows", Some(plan.points as u64));
    let found = data::sample(&plan).map_err(|e| lift(&e, args.span))?;
    drop(meter);
    Ok(Value::Dataset(Arc::new(found)))
}

/// What the columns of a dataset say of the symbols with their names.
pub fn column_declarations(d: &Dataset) -> Declarations {
    let mut declarations = Declarations::new();
    for c in d.columns() {
        if matches!(c.values, Values::Label(_)) {
            continue;
        }
        let si = c.si_values();
        let (low, high) =
            si.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let domain = (low <= high).then_some(Domain::Interval { low, high });
        let declared = Declaration {
            unit: Some(c.unit.clone().unwrap_or_else(Unit::one)),
            domain,
            ..Declaration::default()
        };
        declarations.insert(Symbol::new(&c.name), declared);
    }
    declarations
}

fn fit(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let equation = args.expr("equation")?;
    let at = args.span_of("equation");
    let Kind::Relation(Relation::Eq, lhs, rhs) = equation.kind() else {
        return Err(fault_hint(6006, at, "`equation` expects one equation", "fit(data, v == H0*r)"));
    };
    let columns = column_declarations(&d);
    let mut parameters: Vec<Symbol> = rhs.symbols();
    parameters.extend(lhs.symbols());
    parameters.retain(|s| columns.get(s).is_none());
    parameters.dedup();
    parameters.sort();
    parameters.dedup();
    if parameters.is_empty() {
        return Err(fault_hint(
            6004,
            at,
            "expected at least one parameter, found only columns and numbers",
            "a name that is no column is a parameter: `y == a*x`",
        ));
    }
    let mut known = columns.clone();
    for p in &parameters {
        if let Some(declared) = context.declarations.get(p) {
            known.insert(p.clone(), declared.clone());
        }
    }
    let found = unknowns::solve(lhs, rhs, &parameters, &known).map_err(|m| op::unit_fault(&m, at))?;
    let starts = starts(args)?;
    let specs: Vec<ParamSpec> = parameters
        .iter()
        .map(|p| {
            let declared = context.declarations.get(p);
            ParamSpec {
                symbol: p.clone(),
                start: starts.get(p.name()).copied().or_else(|| declared.and_then(|d| d.start)),
                bounds: declared
                    .and_then(|d| d.domain.as_ref())
                    .map_or((f64::NEG_INFINITY, f64::INFINITY), Domain::bounds),
            }
        })
        .collect();
    let sigma = sigma_column(&d, args)?;
    let result = data::fit(&d, lhs, rhs, &specs, sigma.as_deref(), &context.cancel, &context.events)
        .map_err(|e| lift(&e, args.span))?;
    for p in &parameters {
        if known.get(p).is_none_or(|d| d.unit.is_none()) && found.get(p).is_some_and(Option::is_none) {
            context.notify(crate::base::Diagnostic::notice(
                crate::base::Code(6025),
                at,
                format!("the equation leaves the unit of `{p}` open; its number is for coherent SI units"),
            ));
        }
    }
    if result.relative {
        context.notify(crate::base::Diagnostic::notice(
            crate::base::Code(6026),
            at,
            format!("the scatter grows with `{lhs}`; the errors are for noise in proportion to it"),
        ));
    }
    let units = parameters
        .iter()
        .filter_map(|p| {
            let unit = context.declarations.get(p).and_then(|d| d.unit.clone());
            let unit = unit.or_else(|| found.get(p).copied().flatten().map(Unit::coherent))?;
            Some((p.clone(), unit))
        })
        .collect();
    let found = Arc::new(Fit { result, equation: (lhs.clone(), rhs.clone()), units, columns });
    let law = found.law();
    let finding = Finding {
        task: "fit".into(),
        name: context.binding.as_ref().map(|n| n.to_string()),
        target: lhs.to_string(),
        text: render::line(&Value::Fit(found.clone()), &context.style),
        laws: vec![FoundLaw {
            expression: render::expr(&law, &Style::exact()),
            latex: law.latex(),
            size: regression::size(&law),
            loss: found.result.residual_rms * found.result.residual_rms,
            r2: found.result.r2,
            description_length: f64::NAN,
            beside: Vec::new(),
            chosen: true,
        }],
        figures: vec![("chi2", found.result.chi2), ("rms", found.result.residual_rms)],
        stopped: Some(found.result.stopped),
        ..Finding::default()
    };
    context.events.send(Event::Finding(Arc::new(finding)));
    Ok(Value::Fit(found))
}

fn starts(args: &Args) -> Result<BTreeMap<String, f64>> {
    let mut starts = BTreeMap::new();
    if let Some(v) = args.get("start") {
        let Value::Record(r) = v.plain() else {
            return Err(args.wrong("start", "a record of starting values", v));
        };
        for (name, value) in &r.entries {
            let e = op::settle(&op::expr_of(value, args.span_of("start"))?);
            let number = e.evaluate(&|_| None).ok_or_else(|| {
                fault(6006, args.span_of("start"), format!("expected a number, found `{e}`"))
            })?;
            starts.insert(name.to_string(), number);
        }
    }
    Ok(starts)
}

/// Standard errors in SI: a column's name, a number or a quantity for all rows; else the errors that the target's
/// column brings.
fn sigma_column(d: &Dataset, args: &Args) -> Result<Option<Vec<f64>>> {
    let Some(v) = args.get("sigma") else { return Ok(None) };
    let at = args.span_of("sigma");
    match v.plain() {
        Value::Text(name) => {
            let c = d.column(name).map_err(|e| lift(&e, at))?;
            Ok(Some(c.si_values()))
        }
        Value::Column(c) => Ok(Some(c.si_values())),
        other => {
            let e = op::settle(&op::expr_of(other, at)?);
            if let Some(s) = e.as_symbol()
                && let Ok(c) = d.column(s.name())
            {
                return Ok(Some(c.si_values()));
            }
            match e.evaluate(&|_| None).filter(|x| *x > 0.0) {
                Some(x) => Ok(Some(vec![x; d.rows()])),
                None => Err(fault(6006, at, format!("expected a column or a positive number, found `{e}`"))),
            }
        }
    }
}

/// Members of a fit: its parameters, then what is known of the whole.
pub fn fit_member(f: &Fit, name: &str) -> (Option<Value>, Vec<String>) {
    if let Some(e) = f.parameter(name) {
        return (Some(Value::Expr(e)), Vec::new());
    }
    let r = &f.result;
    let value = match name {
        "law" | "best" => Some(Value::Expr(f.law())),
        "r2" => Some(Value::Expr(Expr::float(r.r2))),
        "chi2" => Some(Value::Expr(Expr::float(r.chi2))),
        "dof" => Some(Value::int(r.dof as i64)),
        "rms" => Some(Value::Expr(Expr::float(r.residual_rms))),
        "residuals" => Some(Value::list(r.residuals.iter().map(|x| Value::Expr(Expr::float(*x))).collect())),
        "parameters" => {
            let entries = r
                .parameters
                .iter()
                .filter_map(|(s, _)| f.parameter(s.name()).map(|e| (Name::from(s.name()), Value::Expr(e))))
                .collect();
            Some(Value::Record(Arc::new(Record { entries })))
        }
        "covariance" => {
            let n = r.parameters.len();
            let rows = (0..n)
                .map(|i| {
                    Value::list(
                        (0..n).map(|j| Value::Expr(Expr::float(r.covariance.matrix[i * n + j]))).collect(),
                    )
                })
                .collect();
            Some(Value::list(rows))
        }
        "stopped" => Some(Value::text(r.stopped.word())),
        _ => None,
    };
    let mut known: Vec<String> = r.parameters.iter().map(|(s, _)| s.to_string()).collect();
    known.extend(
        ["law", "r2", "chi2", "dof", "rms", "residuals", "parameters", "covariance", "stopped"]
            .map(String::from),
    );
    (value, known)
}
