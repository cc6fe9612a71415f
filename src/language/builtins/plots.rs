//! Figures: from values of the language to panels. Curves go through the tape in SI; an axis takes the unit of what is
//! drawn on it first, and the rest is converted.

mod axes;
mod curves;
mod numbers;
pub(super) mod panels;
mod parts;
mod plane;

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

use axes::*;
use curves::*;
use numbers::*;
use panels::*;
use parts::*;
use plane::*;

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
