//! The figure: panels, axes, layers. Values of layers are in the units of their axes.

use super::axis::{Axis, Projection};
use super::colour::Map;
use super::error::PlotError;
use super::layout;
use crate::base::{Canvas, Drawing};
use crate::units::{Dimension, Unit};

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Above all panels; may be empty.
    pub title: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row.
    pub columns: usize,
    /// Width in units of the SVG (96 to an inch).
    pub width: f64,
    /// Height in units of the SVG.
    pub height: f64,
}

/// Axes with what is drawn on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Above the frame; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What colours stand for, where there are images or contours.
    pub value: Axis,
    /// The colours of values.
    pub map: Map,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// Whether a unit is as long on both axes.
    pub square: bool,
}

/// Something drawn on the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in the legend; empty for none.
    pub name: String,
    /// What is drawn.
    pub mark: Mark,
}

/// What a layer draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Points, a line through them, or both.
    Series(Series),
    /// A histogram.
    Bars(Bars),
    /// Values on a grid.
    Image(Image),
    /// Lines of equal value.
    Contours(Contours),
    /// Lines of flow.
    Streams(Streams),
    /// Size against loss of the laws of a search.
    Front(Front),
}

/// Points in order; a coordinate that is NaN breaks the line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// x and y.
    pub points: Vec<(f64, f64)>,
    /// Standard errors of x.
    pub x_errors: Option<Vec<f64>>,
    /// Standard errors of y.
    pub y_errors: Option<Vec<f64>>,
    /// Whether they are joined.
    pub line: bool,
    /// Whether each is marked.
    pub markers: bool,
    /// Whether the line is dashed.
    pub dashed: bool,
    /// What of y is worth seeing, where that is not all (beside a pole).
    pub focus: Option<(f64, f64)>,
    /// Whether the points are of a curve: its gaps are no fault of data.
    pub sampled: bool,
}

/// Bars between edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Edges, one more than bars.
    pub edges: Vec<f64>,
    /// Heights.
    pub heights: Vec<f64>,
}

/// Values on a grid of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Left and right end of the grid.
    pub x: (f64, f64),
    /// Lower and upper end; the first row of values is at the first.
    pub y: (f64, f64),
    /// Values in a row.
    pub columns: usize,
    /// The values, row by row; NaN where there is none.
    pub values: Vec<f64>,
}

/// Lines of equal value.
#[derive(Clone, Debug, PartialEq)]
pub struct Contours {
    /// Each value with its lines, joined by NaN.
    pub levels: Vec<(f64, Vec<(f64, f64)>)>,
}

/// Lines of flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Streams {
    /// The lines, in the direction of the flow.
    pub lines: Vec<Vec<(f64, f64)>>,
}

/// The front of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Size and loss.
    pub points: Vec<(f64, f64)>,
    /// The place of the chosen law.
    pub chosen: Option<usize>,
}

/// The smallest and largest of what has a place; `None` where nothing has.
fn extent(values: impl Iterator<Item = f64>, axis: &Axis) -> Option<(f64, f64)> {
    values.filter(|v| axis.shows(*v)).fold(None, |e: Option<(f64, f64)>, v| match e {
        None => Some((v, v)),
        Some((a, b)) => Some((a.min(v), b.max(v))),
    })
}

fn join(a: Option<(f64, f64)>, b: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

impl Layer {
    /// A layer.
    pub fn new(name: impl Into<String>, mark: Mark) -> Layer {
        Layer { name: name.into(), mark }
    }

    /// Whether it takes a colour of the curves.
    pub fn is_coloured(&self) -> bool {
        matches!(self.mark, Mark::Series(_) | Mark::Bars(_) | Mark::Front(_))
    }

    fn points(&self) -> Vec<(f64, f64)> {
        match &self.mark {
            Mark::Series(s) => s.points.clone(),
            Mark::Front(f) => f.points.clone(),
            Mark::Bars(b) => {
                b.edges.windows(2).zip(&b.heights).flat_map(|(e, h)| [(e[0], *h), (e[1], *h)]).collect()
            }
            Mark::Image(i) => vec![(i.x.0, i.y.0), (i.x.1, i.y.1)],
            Mark::Contours(c) => c.levels.iter().flat_map(|(_, p)| p.iter().copied()).collect(),
            Mark::Streams(s) => s.lines.iter().flatten().copied().collect(),
        }
    }

    fn x_extent(&self, axis: &Axis) -> Option<(f64, f64)> {
        let points = self.points();
        let mut found = extent(points.iter().map(|p| p.0), axis);
        if let Mark::Series(Series { x_errors: Some(errors), .. }) = &self.mark {
            let ends = points.iter().zip(errors).flat_map(|(p, e)| [p.0 - e, p.0 + e]);
            found = join(found, extent(ends, axis));
        }
        found
    }

    fn y_extent(&self, x: &Projection, axis: &Axis) -> Option<(f64, f64)> {
        let (low, high) = x.ends();
        let seen = |p: &(f64, f64)| p.0 >= low && p.0 <= high;
        let points = self.points();
        if let Mark::Bars(_) = &self.mark
            && !axis.log
        {
            return join(extent(points.iter().filter(|p| seen(p)).map(|p| p.1), axis), Some((0.0, 0.0)));
        }
        let mut found = extent(points.iter().filter(|p| seen(p)).map(|p| p.1), axis);
        if let Mark::Series(s) = &self.mark {
            if let Some(focus) = s.focus.filter(|f| axis.shows(f.0) && axis.shows(f.1)) {
                return Some(focus);
            }
            if let Some(errors) = &s.y_errors {
                let ends =
                    points.iter().zip(errors).filter(|(p, _)| seen(p)).flat_map(|(p, e)| [p.1 - e, p.1 + e]);
                found = join(found, extent(ends, axis));
            }
        }
        found
    }

    /// With every coordinate and every error mapped.
    fn map(&mut self, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) {
        let both = |p: &mut (f64, f64)| *p = (x(p.0), y(p.1));
        let error = |f: &dyn Fn(f64) -> f64, at: f64, e: f64| 0.5 * (f(at + e) - f(at - e)).abs();
        match &mut self.mark {
            Mark::Series(s) => {
                let old = s.points.clone();
                s.points.iter_mut().for_each(both);
                for (k, p) in old.iter().enumerate() {
                    if let Some(e) = s.x_errors.as_mut().and_then(|e| e.get_mut(k)) {
                        *e = error(x, p.0, *e);
                    }
                    if let Some(e) = s.y_errors.as_mut().and_then(|e| e.get_mut(k)) {
                        *e = error(y, p.1, *e);
                    }
                }
                s.focus = s.focus.map(|(a, b)| (y(a), y(b)));
            }
            Mark::Front(f) => f.points.iter_mut().for_each(both),
            Mark::Bars(b) => {
                b.edges.iter_mut().for_each(|e| *e = x(*e));
                b.heights.iter_mut().for_each(|h| *h = y(*h));
            }
            Mark::Image(i) => {
                i.x = (x(i.x.0), x(i.x.1));
                i.y = (y(i.y.0), y(i.y.1));
            }
            Mark::Contours(c) => c.levels.iter_mut().for_each(|(_, p)| p.iter_mut().for_each(both)),
            Mark::Streams(s) => s.lines.iter_mut().flatten().for_each(both),
        }
    }
}

impl Panel {
    /// The horizontal axis over its range, or over all that is drawn.
    pub fn x_projection(&self) -> Projection {
        let found = self.layers.iter().fold(None, |e, l| join(e, l.x_extent(&self.x)));
        let margin = self.layers.iter().fold(0.0f64, |m, l| match &l.mark {
            Mark::Series(s) if s.markers => m.max(0.04),
            Mark::Front(_) => m.max(0.06),
            _ => m,
        });
        let whole = self.layers.iter().any(|l| matches!(l.mark, Mark::Image(_) | Mark::Streams(_)));
        let margin = if whole { 0.0 } else { margin };
        self.x.projection(found, (margin, margin))
    }

    /// The vertical axis over its range, or over all that is drawn above the horizontal one.
    pub fn y_projection(&self, x: &Projection) -> Projection {
        let found = self.layers.iter().fold(None, |e, l| join(e, l.y_extent(x, &self.y)));
        let whole = self
            .layers
            .iter()
            .any(|l| matches!(l.mark, Mark::Image(_) | Mark::Streams(_) | Mark::Contours(_)));
        let bars = self.layers.iter().any(|l| matches!(l.mark, Mark::Bars(_)));
        let margin = match (whole, bars && found.is_some_and(|f| f.0 == 0.0)) {
            (true, _) => (0.0, 0.0),
            (_, true) => (0.0, 0.06),
            _ => (0.06, 0.06),
        };
        self.y.projection(found, margin)
    }

    /// The axis of colours, where there is one.
    pub fn value_projection(&self) -> Option<Projection> {
        let mut found = None;
        for layer in &self.layers {
            match &layer.mark {
                Mark::Image(i) => found = join(found, extent(i.values.iter().copied(), &self.value)),
                Mark::Contours(c) => found = join(found, extent(c.levels.iter().map(|l| l.0), &self.value)),
                _ => {}
            }
        }
        let (low, high) = found?;
        if self.map == Map::Diverging && self.value.range.is_none() && !self.value.log {
            let size = low.abs().max(high.abs());
            return Some(self.value.projection(Some((-size, size)), (0.0, 0.0)));
        }
        Some(self.value.projection(Some((low, high)), (0.0, 0.0)))
    }

    /// The colours that layers have, in their order: places in [`super::colour::CURVES`].
    pub fn hues(&self) -> Vec<usize> {
        let mut next = 0;
        self.layers
            .iter()
            .map(|l| {
                let own = next;
                next += usize::from(l.is_coloured());
                own
            })
            .collect()
    }

    /// The layers that a legend names, where it says anything.
    pub fn legend(&self) -> Vec<usize> {
        let named: Vec<usize> = (0..self.layers.len())
            .filter(|k| self.layers[*k].is_coloured() && !self.layers[*k].name.is_empty())
            .collect();
        let coloured = self.layers.iter().filter(|l| l.is_coloured()).count();
        let told = self.y.name == self.layers.first().map_or("", |l| l.name.as_str());
        if coloured > 1 || !told && !named.is_empty() { named } else { Vec::new() }
    }

    /// Looks whether everything has a place; what has none is told in words.
    ///
    /// # Errors
    /// Nothing to draw, nothing finite, nothing above 0 on a logarithmic axis.
    pub fn settle(&mut self) -> Result<Vec<String>, PlotError> {
        if self.layers.is_empty() {
            return Err(PlotError::Nothing { found: "nothing".into() });
        }
        let mut notes = Vec::new();
        let (x, y, value) = (self.x.clone(), self.y.clone(), self.value.clone());
        let finite = |axis: &Axis| Axis { log: false, ..axis.clone() };
        for layer in &mut self.layers {
            let name = layer.name.clone();
            if let Mark::Image(image) = &mut layer.mark {
                let count = image.values.len();
                if count == 0 {
                    return Err(PlotError::Nothing { found: "an empty matrix".into() });
                }
                let plain = finite(&value);
                let left = image.values.iter().filter(|v| plain.shows(**v)).count();
                if left == 0 {
                    return Err(PlotError::NoFinite { name, count });
                }
                let positive = image.values.iter().filter(|v| value.shows(**v)).count();
                if positive == 0 {
                    return Err(PlotError::NotPositive { axis: "colour", count });
                }
                image.values.iter_mut().filter(|v| !value.shows(**v)).for_each(|v| *v = f64::NAN);
                if positive < count {
                    notes.push(left_out(count - positive, count, &name, positive < left));
                }
                continue;
            }
            let points = layer.points();
            // A line of equal values or of flow may have no points at all.
            if matches!(layer.mark, Mark::Contours(_) | Mark::Streams(_)) {
                continue;
            }
            let is_gap = |p: &(f64, f64)| p.0.is_nan() || p.1.is_nan();
            let sampled = matches!(&layer.mark, Mark::Series(s) if s.sampled);
            let count = if sampled { points.iter().filter(|p| !is_gap(p)).count() } else { points.len() };
            if points.is_empty() {
                return Err(PlotError::Nothing { found: "an empty list".into() });
            }
            let bounded = points.iter().filter(|p| finite(&x).shows(p.0) && finite(&y).shows(p.1));
            let bounded: Vec<&(f64, f64)> = bounded.collect();
            if bounded.is_empty() {
                return Err(PlotError::NoFinite { name, count });
            }
            let bars = matches!(layer.mark, Mark::Bars(_));
            for (axis, which) in [(&x, "x"), (&y, "y")] {
                let shown = |p: &&&(f64, f64)| axis.shows(if which == "x" { p.0 } else { p.1 });
                if bounded.iter().filter(shown).count() == 0 {
                    return Err(PlotError::NotPositive { axis: which, count: bounded.len() });
                }
            }
            let shown = points.iter().filter(|p| x.shows(p.0) && y.shows(p.1)).count();
            if shown < count && !bars {
                notes.push(left_out(count - shown, count, &name, bounded.len() > shown));
            }
            if let Mark::Series(Series { points, .. }) | Mark::Front(Front { points, .. }) = &mut layer.mark {
                points.iter_mut().filter(|p| !(x.shows(p.0) && y.shows(p.1))).for_each(|p| p.1 = f64::NAN);
            }
        }
        Ok(notes)
    }

    /// Takes the layers of another panel, its values converted to the units of this one.
    ///
    /// # Errors
    /// [`PlotError::Units`] where an axis has another dimension.
    pub fn absorb(&mut self, mut other: Panel) -> Result<(), PlotError> {
        let first = self.layers.first().map(|l| l.name.clone()).unwrap_or_default();
        let second = other.layers.first().map(|l| l.name.clone()).unwrap_or_default();
        for (which, mine, theirs) in [("x", &self.x, &other.x), ("y", &self.y, &other.y)] {
            same_dimension(which, mine, &first, theirs, &second)?;
        }
        let convert = |from: &Option<Unit>, to: &Option<Unit>| {
            let (from, to) = (from.clone().unwrap_or(Unit::one()), to.clone().unwrap_or(Unit::one()));
            move |v: f64| if from == to { v } else { from.convert(v, &to).unwrap_or(f64::NAN) }
        };
        let x = convert(&other.x.unit, &self.x.unit);
        let y = convert(&other.y.unit, &self.y.unit);
        other.layers.iter_mut().for_each(|l| l.map(&x, &y));
        if self.y.name != other.y.name {
            self.y.name = String::new();
        }
        if self.x.name.is_empty() {
            self.x.name = other.x.name;
        }
        if self.value_projection().is_none() {
            (self.value, self.map) = (other.value, other.map);
        }
        self.layers.extend(other.layers);
        Ok(())
    }
}

/// The fault where two axes have different dimensions.
pub fn same_dimension(
    which: &'static str,
    mine: &Axis,
    first: &str,
    theirs: &Axis,
    second: &str,
) -> Result<(), PlotError> {
    let dimension = |a: &Axis| a.unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
    if dimension(mine) == dimension(theirs) {
        return Ok(());
    }
    let unit = |a: &Axis| Box::new(a.unit.clone().unwrap_or(Unit::one()));
    let name = |axis: &Axis, layer: &str| if which == "x" { axis.name.clone() } else { layer.to_string() };
    Err(PlotError::Units {
        axis: which,
        first: name(mine, first),
        expected: unit(mine),
        second: name(theirs, second),
        found: unit(theirs),
    })
}

fn left_out(missing: usize, count: usize, name: &str, log: bool) -> String {
    let of = if name.is_empty() { String::new() } else { format!(" of `{name}`") };
    let why = if log { "not finite, or not above 0 on a logarithmic axis" } else { "not finite" };
    let (is, are) = if missing == 1 { ("value", "is") } else { ("values", "are") };
    format!("{missing} {is} among {count}{of} {are} left out: {why}")
}

impl Figure {
    /// Width where nothing is said.
    pub const WIDTH: f64 = 640.0;
    /// Height where nothing is said.
    pub const HEIGHT: f64 = 420.0;

    /// A figure of one panel.
    pub fn new(panel: Panel) -> Figure {
        Figure {
            title: String::new(),
            panels: vec![panel],
            columns: 1,
            width: Figure::WIDTH,
            height: Figure::HEIGHT,
        }
    }

    /// What it shows, on one line.
    pub fn summary(&self) -> String {
        let of = |p: &Panel| {
            // Colours show more than the plane they stand in.
            if !p.value.name.is_empty() {
                return p.value.name.clone();
            }
            let first = p.layers.first().map(|l| l.name.clone()).unwrap_or_default();
            let y = if p.y.name.is_empty() { first } else { p.y.name.clone() };
            match (y.is_empty(), p.x.name.is_empty()) {
                (true, true) => String::new(),
                (false, false) => format!("{y} against {}", p.x.name),
                _ => format!("{y}{}", p.x.name),
            }
        };
        let title = if self.title.is_empty() {
            self.panels.iter().map(of).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; ")
        } else {
            self.title.clone()
        };
        match self.panels.len() {
            1 if title.is_empty() => "figure".into(),
            1 => format!("figure: {title}"),
            n => format!("figure of {n} panels: {title}"),
        }
    }

    /// Looks whether everything has a place; see [`Panel::settle`].
    ///
    /// # Errors
    /// Those of its panels.
    pub fn settle(&mut self) -> Result<Vec<String>, PlotError> {
        let mut notes = Vec::new();
        for panel in &mut self.panels {
            notes.extend(panel.settle()?);
        }
        Ok(notes)
    }
}

/// Figures beside and below each other.
///
/// # Errors
/// None given, or no columns.
pub fn grid(figures: Vec<Figure>, columns: usize) -> Result<Figure, PlotError> {
    let mut panels = Vec::new();
    let mut size = (0.0f64, 0.0f64);
    for figure in figures {
        let one = figure.panels.len() == 1;
        size = (size.0.max(figure.width), size.1.max(figure.height));
        let title = figure.title;
        panels.extend(figure.panels.into_iter().map(|mut p| {
            if one && p.title.is_empty() {
                p.title = title.clone();
            }
            p
        }));
    }
    if panels.is_empty() {
        return Err(PlotError::Nothing { found: "an empty list".into() });
    }
    let columns = columns.clamp(1, panels.len());
    let rows = panels.len().div_ceil(columns);
    // Beside each other panels are a little smaller than alone.
    let shrink = if columns == 1 { 1.0 } else { 0.72 };
    let low = if rows == 1 { 1.0 } else { 0.8 };
    Ok(Figure {
        title: String::new(),
        columns,
        width: (size.0 * shrink * columns as f64).round(),
        height: (size.1 * shrink.max(low * 0.9) * rows as f64 * low.max(0.9)).round(),
        panels,
    })
}

/// Figures of one panel on the same axes.
///
/// # Errors
/// None given, several panels, or units that differ.
pub fn overlay(figures: Vec<Figure>) -> Result<Figure, PlotError> {
    let mut figures = figures.into_iter();
    let Some(mut all) = figures.next() else {
        return Err(PlotError::Nothing { found: "an empty list".into() });
    };
    for mut next in figures {
        match (all.panels.as_mut_slice(), next.panels.len()) {
            ([mine], 1) => mine.absorb(next.panels.swap_remove(0))?,
            _ => {
                return Err(PlotError::Option {
                    option: "items",
                    expected: "figures of one panel to lay over each other".into(),
                    found: "a figure of several".into(),
                    hint: "grid([a, b])",
                });
            }
        }
    }
    Ok(all)
}

impl Drawing for Figure {
    fn title(&self) -> &str {
        &self.title
    }

    fn terminal(&self, canvas: &Canvas) -> String {
        super::terminal::draw(self, canvas)
    }

    fn svg(&self) -> String {
        super::svg::document(&layout::scene(self))
    }

    fn png(&self, scale: f32) -> Vec<u8> {
        super::png::paint(&layout::scene(self), f64::from(scale))
    }
}
