//! The figures of a report as SVG that stands inside a page.

use super::measure::Measured;
use crate::base::{Drawing, Span};
use crate::language::builtins::plots::panels::front_panel;
use crate::plot::{Axis, Figure, Layer, Mark, Panel, Series, typeset};

/// Points that a figure shows at most.
const POINTS: usize = 1_000;
/// Columns against which residuals are drawn.
const COLUMNS: usize = 6;
/// A target of one sign that spans so many times its least value is drawn on logarithmic axes.
const DECADES: f64 = 1e3;

/// A figure with its words.
pub(super) struct Drawn {
    /// What it shows.
    pub words: String,
    /// The document.
    pub svg: String,
    /// Whether it is one of the small ones.
    pub small: bool,
}

/// All figures; `word` begins their identifiers. What has no place on axes is left out.
pub(super) fn all(m: &Measured<'_>, word: &str) -> Vec<Drawn> {
    let target = typeset::name(&m.target.name);
    let mut found: Vec<(String, Panel, bool)> = Vec::new();
    if let Ok(mut panel) = front_panel(m.front, Span::default()) {
        panel.title = String::new();
        found.push(("front: size against loss, the chosen law marked".into(), panel, false));
    }
    let rows = thinned(m);
    found.push((
        format!("parity: {target} of the law against {target} measured"),
        parity(m, &rows, &target),
        false,
    ));
    let log = is_wide(m);
    let x = Axis { log, ..Axis::new(format!("{target} of the law"), Some(m.unit.clone())) };
    found.push(("residuals against the law's value".into(), residuals(m, &rows, x, &m.fitted), false));
    for column in m.features.iter().take(COLUMNS) {
        let name = typeset::name(&column.name);
        let x = Axis::new(name.clone(), column.unit.clone());
        let panel = residuals(m, &rows, x, &column.floats_in_unit());
        found.push((format!("residuals against {name}"), panel, true));
    }
    let mut drawn = Vec::new();
    for (words, panel, small) in found {
        let mut figure = Figure::new(panel);
        (figure.width, figure.height) = if small { (300.0, 220.0) } else { (380.0, 290.0) };
        if figure.settle().is_ok() {
            let svg = inside(&figure.svg(), &format!("{word}{}", drawn.len()));
            drawn.push(Drawn { words, svg, small });
        }
    }
    drawn
}

/// What figures leave out.
pub(super) fn left_out(m: &Measured<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if m.residuals.len() > POINTS {
        notes.push(format!(
            "figures show {POINTS} of the rows, evenly spaced, and the one with the largest residual"
        ));
    }
    if m.features.len() > COLUMNS {
        notes.push(format!("residuals are drawn against {COLUMNS} of {} columns", m.features.len()));
    }
    notes
}

/// Rows that are drawn.
fn thinned(m: &Measured<'_>) -> Vec<usize> {
    let n = m.residuals.len();
    if n <= POINTS {
        return (0..n).collect();
    }
    let mut rows: Vec<usize> = (0..POINTS).map(|k| k * n / POINTS).collect();
    rows.extend(m.largest());
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Whether target and law are positive and span decades.
fn is_wide(m: &Measured<'_>) -> bool {
    let all = || m.target_values.iter().chain(&m.fitted).filter(|v| v.is_finite());
    let (low, high) = all().fold((f64::INFINITY, 0.0f64), |(a, b), v| (a.min(*v), b.max(*v)));
    low > 0.0 && high > DECADES * low
}

fn picked(list: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|r| list[*r]).collect()
}

fn points(points: Vec<(f64, f64)>) -> Series {
    Series { points, markers: true, ..Series::default() }
}

fn line(points: Vec<(f64, f64)>) -> Layer {
    Layer::new("", Mark::Series(Series { points, line: true, dashed: true, ..Series::default() }))
}

/// The ends of what is finite.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
}

fn parity(m: &Measured<'_>, rows: &[usize], target: &str) -> Panel {
    let (x, y) = (picked(&m.target_values, rows), picked(&m.fitted, rows));
    let (low, high) = ends(x.iter().chain(&y).copied());
    let axis =
        |of: &str| Axis { log: is_wide(m), ..Axis::new(format!("{target} {of}"), Some(m.unit.clone())) };
    let mut series = points(x.into_iter().zip(y).collect());
    series.x_errors = m.target.errors.as_ref().map(|e| picked(e, rows));
    Panel {
        x: axis("measured"),
        y: axis("of the law"),
        layers: vec![line(vec![(low, low), (high, high)]), Layer::new("", Mark::Series(series))],
        ..Panel::default()
    }
}

fn residuals(m: &Measured<'_>, rows: &[usize], x: Axis, values: &[f64]) -> Panel {
    let (xs, ys) = (picked(values, rows), picked(&m.residuals, rows));
    let (low, high) = ends(xs.iter().copied());
    let mut series = points(xs.into_iter().zip(ys).collect());
    if m.unit.is_ordinary() {
        series.y_errors = m.target.errors.as_ref().map(|e| picked(e, rows));
    }
    Panel {
        x,
        y: Axis::new("residual", Some(m.difference.clone())),
        layers: vec![line(vec![(low, 0.0), (high, 0.0)]), Layer::new("", Mark::Series(series))],
        ..Panel::default()
    }
}

/// An SVG document as an element of a page, which needs no name space: its identifiers begin with `word`, since those of
/// several meet there.
fn inside(svg: &str, word: &str) -> String {
    let svg = svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
    svg.replace(" id=\"g", &format!(" id=\"{word}g")).replace(" href=\"#g", &format!(" href=\"#{word}g"))
}
