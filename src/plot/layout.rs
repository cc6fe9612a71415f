//! From figure to shapes. Each panel gets margins as wide as its labels need (panels of one column share them, so that
//! frames stand in line), ticks as close as labels fit, and a legend in the corner where it hides nothing, or above
//! the frame where it would hide something everywhere.

use super::axis::{Axis, Projection};
use super::colour::{self, Rgb};
use super::figure::{Figure, Image, Layer, Mark, Panel, Series};
use super::font::Font;
use super::scene::{Anchor, Frame, Pen, Point, Scene, Shape};
use super::ticks::{Ticks, marked, ticks};

const INK: Rgb = [30, 30, 30];
const LABEL: f64 = 14.0;
const SMALL: f64 = 12.5;
const TITLE: f64 = 15.5;
/// Lengths of ticks.
const TICK: f64 = 6.0;
/// Space about everything.
const EDGE: f64 = 10.0;
/// Width of a bar of colours.
const BAR: f64 = 16.0;
/// Radius of a marker.
const MARKER: f64 = 3.4;

/// The shapes of a figure.
pub fn scene(figure: &Figure) -> Scene {
    let font = Font::new();
    let mut shapes = Vec::new();
    let (width, height) = (figure.width.max(100.0), figure.height.max(80.0));
    let mut top = 0.0;
    if !figure.title.is_empty() {
        top = 30.0;
        shapes.push(text((0.5 * width, 23.0), TITLE + 1.0, Anchor::Middle, &figure.title));
    }
    let columns = figure.columns.clamp(1, figure.panels.len().max(1));
    let rows = figure.panels.len().div_ceil(columns).max(1);
    let cell = (width / columns as f64, (height - top) / rows as f64);
    let mut plans: Vec<Plan> = figure.panels.iter().map(|p| Plan::new(&font, p, cell)).collect();
    // Frames of one column begin at one place, those of one row end at one.
    for k in 0..plans.len() {
        let (column, row) = (k % columns, k / columns);
        let mates: Vec<usize> = (0..plans.len()).filter(|m| m % columns == column).collect();
        let left = mates.iter().map(|m| plans[*m].margins.left).fold(0.0, f64::max);
        let right = mates.iter().map(|m| plans[*m].margins.right).fold(0.0, f64::max);
        let mates: Vec<usize> = (0..plans.len()).filter(|m| m / columns == row).collect();
        let bottom = mates.iter().map(|m| plans[*m].margins.bottom).fold(0.0, f64::max);
        let above = mates.iter().map(|m| plans[*m].margins.top).fold(0.0, f64::max);
        plans[k].shared = Margins { left, right, bottom, top: above };
    }
    for (k, plan) in plans.iter().enumerate() {
        let corner = ((k % columns) as f64 * cell.0, top + (k / columns) as f64 * cell.1);
        plan.draw(&font, corner, cell, &mut shapes);
    }
    let title = figure.summary();
    Scene { width, height, title, shapes }
}

fn text(at: Point, size: f64, anchor: Anchor, words: &str) -> Shape {
    Shape::Text { at, size, anchor, upwards: false, ink: INK, text: words.to_string() }
}

fn lines(parts: Vec<Vec<Point>>, pen: Pen) -> Shape {
    Shape::Lines { parts, pen }
}

#[derive(Clone, Copy, Debug, Default)]
struct Margins {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Where the legend stands.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    None,
    /// In a corner: right, lower.
    Corner(bool, bool),
    Above,
}

/// What a panel needs and how it is projected.
struct Plan<'a> {
    panel: &'a Panel,
    x: Projection,
    y: Projection,
    value: Option<Projection>,
    x_ticks: Ticks,
    y_ticks: Ticks,
    value_ticks: Option<Ticks>,
    legend: Place,
    margins: Margins,
    shared: Margins,
}

impl<'a> Plan<'a> {
    fn new(font: &Font, panel: &'a Panel, cell: (f64, f64)) -> Plan<'a> {
        let x = panel.x_projection();
        let y = panel.y_projection(&x);
        let value = panel.value_projection();
        let y_ticks = marked(&panel.y, &y, ((cell.1 - 80.0) / 52.0).clamp(2.0, 9.0) as usize);
        let widest = |t: &Ticks| t.labels.iter().map(|l| font.width(l, SMALL)).fold(0.0, f64::max);
        let mut left = EDGE + widest(&y_ticks) + 8.0;
        if !panel.y.label(y_ticks.exponent).is_empty() {
            left += LABEL + 8.0;
        }
        let mut right = EDGE + 8.0;
        let value_ticks = value.map(|v| ticks(&v, ((cell.1 - 80.0) / 60.0).clamp(2.0, 7.0) as usize));
        if let Some(t) = &value_ticks {
            right = EDGE + 12.0 + BAR + 8.0 + widest(t);
            if !panel.value.label(t.exponent).is_empty() {
                right += LABEL + 8.0;
            }
        }
        let inner = (cell.0 - left - right).max(40.0);
        let x_ticks = fitting(font, &panel.x, &x, inner);
        // Half of the last label stands beside the frame.
        if let (Some(v), Some(label), true) = (x_ticks.major.last(), x_ticks.labels.last(), value.is_none()) {
            let place = x.place(*v).max(x.place(x_ticks.major[0]));
            right = right.max(0.5 * font.width(label, SMALL) - (1.0 - place) * inner + 6.0);
        }
        let mut top = EDGE + 6.0;
        if !panel.title.is_empty() {
            top += TITLE + 6.0;
        }
        let mut bottom = EDGE + SMALL + 8.0;
        if !panel.x.label(x_ticks.exponent).is_empty() {
            bottom += LABEL + 8.0;
        }
        let mut plan = Plan {
            panel,
            x,
            y,
            value,
            x_ticks,
            y_ticks,
            value_ticks,
            legend: Place::None,
            margins: Margins { left, right, top, bottom },
            shared: Margins::default(),
        };
        plan.legend = plan.place_legend(font, cell);
        if plan.legend == Place::Above {
            let rows = plan.strip(font, inner).len();
            plan.margins.top += rows as f64 * (SMALL + 7.0) + 2.0;
        }
        plan
    }

    /// The rectangle of the axes in a cell.
    fn frame(&self, corner: Point, cell: (f64, f64), margins: Margins) -> Frame {
        let mut frame = Frame {
            left: corner.0 + margins.left,
            top: corner.1 + margins.top,
            width: (cell.0 - margins.left - margins.right).max(20.0),
            height: (cell.1 - margins.top - margins.bottom).max(20.0),
        };
        if self.panel.square {
            let (w, h) = ((self.x.high - self.x.low).abs(), (self.y.high - self.y.low).abs());
            let scale = (frame.width / w).min(frame.height / h);
            if scale.is_finite() && scale > 0.0 {
                let (width, height) = (scale * w, scale * h);
                frame.left += 0.5 * (frame.width - width);
                frame.top += 0.5 * (frame.height - height);
                (frame.width, frame.height) = (width, height);
            }
        }
        frame
    }

    fn point(&self, frame: &Frame, (x, y): Point) -> Point {
        (frame.left + self.x.place(x) * frame.width, frame.bottom() - self.y.place(y) * frame.height)
    }

    fn project(&self, frame: &Frame, points: &[Point]) -> Vec<Point> {
        points.iter().map(|p| self.point(frame, *p)).collect()
    }

    /// The names of the legend in rows that fit above the frame.
    fn strip(&self, font: &Font, width: f64) -> Vec<Vec<usize>> {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0.0;
        for k in self.panel.legend() {
            let own = 34.0 + font.width(&self.panel.layers[k].name, SMALL) + 18.0;
            if used + own > width && used > 0.0 {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += own;
            if let Some(row) = rows.last_mut() {
                row.push(k);
            }
        }
        rows
    }

    fn legend_size(&self, font: &Font) -> (f64, f64) {
        let named = self.panel.legend();
        let width = named.iter().map(|k| font.width(&self.panel.layers[*k].name, SMALL)).fold(0.0, f64::max);
        (width + 46.0, named.len() as f64 * (SMALL + 6.0) + 8.0)
    }

    /// The first corner in which nothing is hidden; above the frame where there is none.
    fn place_legend(&self, font: &Font, cell: (f64, f64)) -> Place {
        if self.panel.legend().is_empty() {
            return Place::None;
        }
        let covered = |l: &Layer| matches!(l.mark, Mark::Image(_) | Mark::Contours(_) | Mark::Streams(_));
        if self.panel.layers.iter().any(covered) {
            return Place::Above;
        }
        let frame = self.frame((0.0, 0.0), cell, self.margins);
        let size = self.legend_size(font);
        if size.0 > 0.6 * frame.width || size.1 > 0.6 * frame.height {
            return Place::Above;
        }
        let mut marks: Vec<Point> = Vec::new();
        for layer in &self.panel.layers {
            match &layer.mark {
                Mark::Series(s) => {
                    let points = self.project(&frame, &s.points);
                    for part in frame.cut_line(&points) {
                        for w in part.windows(2).filter(|_| s.line) {
                            let steps = ((w[1].0 - w[0].0).hypot(w[1].1 - w[0].1) / 6.0).ceil().min(200.0);
                            marks.extend((0..=steps as usize).map(|k| {
                                let t = k as f64 / steps.max(1.0);
                                (w[0].0 + t * (w[1].0 - w[0].0), w[0].1 + t * (w[1].1 - w[0].1))
                            }));
                        }
                    }
                    marks.extend(points.iter().filter(|p| frame.holds(**p, 1.0)));
                    if let Some(errors) = &s.y_errors {
                        for (p, e) in s.points.iter().zip(errors) {
                            marks.push(self.point(&frame, (p.0, p.1 + e)));
                            marks.push(self.point(&frame, (p.0, p.1 - e)));
                        }
                    }
                }
                Mark::Front(f) => marks.extend(self.project(&frame, &f.points)),
                Mark::Bars(b) => {
                    for (e, h) in b.edges.windows(2).zip(&b.heights) {
                        let (a, c) = (self.point(&frame, (e[0], *h)), self.point(&frame, (e[1], *h)));
                        let steps = ((frame.bottom() - a.1) / 8.0).clamp(1.0, 100.0) as usize;
                        for k in 0..=steps {
                            let y = a.1 + (frame.bottom() - a.1) * k as f64 / steps as f64;
                            marks.extend([(a.0, y), (0.5 * (a.0 + c.0), y), (c.0, y)]);
                        }
                    }
                }
                _ => {}
            }
        }
        let corners = [(true, false), (false, false), (true, true), (false, true)];
        let free = corners.into_iter().find(|(right, low)| {
            let place = corner(&frame, size, *right, *low);
            !marks.iter().any(|m| place.holds(*m, 7.0))
        });
        free.map_or(Place::Above, |(right, low)| Place::Corner(right, low))
    }

    fn draw(&self, font: &Font, at: Point, cell: (f64, f64), shapes: &mut Vec<Shape>) {
        let frame = self.frame(at, cell, self.shared);
        let panel = self.panel;
        if !panel.title.is_empty() {
            let y = at.1 + EDGE + TITLE;
            shapes.push(text((frame.left + 0.5 * frame.width, y), TITLE, Anchor::Middle, &panel.title));
        }
        // Points lie on curves, whatever was named first.
        let hues = panel.hues();
        let (above, below): (Vec<usize>, Vec<usize>) = (0..hues.len())
            .partition(|k| matches!(&panel.layers[*k].mark, Mark::Series(s) if s.markers && !s.line));
        for k in below.into_iter().chain(above) {
            let ink = colour::CURVES[hues[k] % colour::CURVES.len()];
            self.layer(&frame, &panel.layers[k], ink, hues[k], shapes);
        }
        self.axes(font, &frame, cell, at, shapes);
        if let (Some(value), Some(t)) = (&self.value, &self.value_ticks) {
            self.colour_bar(font, &frame, value, t, shapes);
        }
        self.draw_legend(font, &frame, shapes);
    }

    fn axes(&self, font: &Font, frame: &Frame, cell: (f64, f64), at: Point, shapes: &mut Vec<Shape>) {
        let (left, right, top, bottom) = (frame.left, frame.right(), frame.top, frame.bottom());
        // Over an image ticks would be lost: they stand outside.
        let outside = self.panel.layers.iter().any(|l| matches!(l.mark, Mark::Image(_)));
        let side = if outside { -1.0 } else { 1.0 };
        let mut marks = Vec::new();
        let inside = |t: f64| (-1e-6..=1.0 + 1e-6).contains(&t);
        for (values, length) in [(&self.x_ticks.major, TICK), (&self.x_ticks.minor, 0.5 * TICK)] {
            for place in values.iter().map(|v| self.x.place(*v)).filter(|t| inside(*t)) {
                let x = left + place * frame.width;
                marks.push(vec![(x, bottom), (x, bottom - side * length)]);
                if !outside {
                    marks.push(vec![(x, top), (x, top + length)]);
                }
            }
        }
        for (values, length) in [(&self.y_ticks.major, TICK), (&self.y_ticks.minor, 0.5 * TICK)] {
            for place in values.iter().map(|v| self.y.place(*v)).filter(|t| inside(*t)) {
                let y = bottom - place * frame.height;
                marks.push(vec![(left, y), (left + side * length, y)]);
                if !outside {
                    marks.push(vec![(right, y), (right - length, y)]);
                }
            }
        }
        shapes.push(lines(marks, Pen::solid(INK, 1.0)));
        let border =
            vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
        shapes.push(lines(vec![border], Pen::solid(INK, 1.2)));
        let clear = if outside { TICK } else { 2.0 };
        for (v, label) in self.x_ticks.major.iter().zip(&self.x_ticks.labels) {
            let x = left + self.x.place(*v) * frame.width;
            shapes.push(text((x, bottom + clear + SMALL + 2.0), SMALL, Anchor::Middle, label));
        }
        let mut widest: f64 = 0.0;
        for (v, label) in self.y_ticks.major.iter().zip(&self.y_ticks.labels) {
            let y = bottom - self.y.place(*v) * frame.height;
            widest = widest.max(font.width(label, SMALL));
            shapes.push(text((left - clear - 4.0, y + 0.36 * SMALL), SMALL, Anchor::End, label));
        }
        let x_label = self.panel.x.label(self.x_ticks.exponent);
        if !x_label.is_empty() {
            let y = bottom + clear + SMALL + LABEL + 9.0;
            shapes.push(text((left + 0.5 * frame.width, y), LABEL, Anchor::Middle, &x_label));
        }
        let y_label = self.panel.y.label(self.y_ticks.exponent);
        if !y_label.is_empty() {
            // As far out as the widest labels of its column need.
            let x = (at.0 + self.shared.left - self.margins.left + EDGE + LABEL)
                .min(left - widest - clear - 10.0);
            let room = cell.1 - 8.0;
            shapes.push(Shape::Text {
                at: (x, top + 0.5 * frame.height),
                size: fit(font, &y_label, LABEL, room),
                anchor: Anchor::Middle,
                upwards: true,
                ink: INK,
                text: y_label,
            });
        }
    }

    fn colour_bar(&self, font: &Font, frame: &Frame, value: &Projection, t: &Ticks, shapes: &mut Vec<Shape>) {
        let left = frame.right() + 12.0;
        let (top, bottom) = (frame.top, frame.bottom());
        let steps = 128;
        let pixels = (0..steps).map(|k| self.panel.map.at(1.0 - (k as f64 + 0.5) / steps as f64)).collect();
        shapes.push(Shape::Cells { at: (left, top), size: (BAR, frame.height), columns: 1, pixels });
        let border = vec![
            (left, top),
            (left + BAR, top),
            (left + BAR, bottom),
            (left, bottom),
            (left, top),
            (left + BAR, top),
        ];
        shapes.push(lines(vec![border], Pen::solid(INK, 1.0)));
        let mut marks = Vec::new();
        let mut widest: f64 = 0.0;
        for (v, label) in t.major.iter().zip(&t.labels) {
            let y = bottom - value.place(*v) * frame.height;
            marks.push(vec![(left + BAR, y), (left + BAR + 4.0, y)]);
            widest = widest.max(font.width(label, SMALL));
            shapes.push(text((left + BAR + 8.0, y + 0.36 * SMALL), SMALL, Anchor::Start, label));
        }
        shapes.push(lines(marks, Pen::solid(INK, 1.0)));
        let label = self.panel.value.label(t.exponent);
        if !label.is_empty() {
            shapes.push(Shape::Text {
                at: (left + BAR + 8.0 + widest + 6.0 + LABEL, top + 0.5 * frame.height),
                size: fit(font, &label, LABEL, frame.height + 40.0),
                anchor: Anchor::Middle,
                upwards: true,
                ink: INK,
                text: label,
            });
        }
    }

    fn draw_legend(&self, font: &Font, frame: &Frame, shapes: &mut Vec<Shape>) {
        let hues = self.panel.hues();
        let entry = |k: usize, x: f64, y: f64, shapes: &mut Vec<Shape>| {
            let layer = &self.panel.layers[k];
            let ink = colour::CURVES[hues[k] % colour::CURVES.len()];
            let middle = y - 0.36 * SMALL;
            match &layer.mark {
                Mark::Bars(_) => {
                    shapes.push(Shape::Area {
                        parts: vec![vec![
                            (x + 4.0, middle - 5.0),
                            (x + 24.0, middle - 5.0),
                            (x + 24.0, middle + 5.0),
                            (x + 4.0, middle + 5.0),
                        ]],
                        ink,
                        alpha: 0.45,
                    });
                }
                Mark::Series(s) => {
                    if s.line {
                        shapes.push(lines(vec![vec![(x, middle), (x + 28.0, middle)]], pen(s, ink)));
                    }
                    if s.markers {
                        marker(hues[k], (x + 14.0, middle), ink, shapes);
                    }
                }
                _ => marker(0, (x + 14.0, middle), ink, shapes),
            }
            shapes.push(text((x + 34.0, y), SMALL, Anchor::Start, &layer.name));
        };
        match self.legend {
            Place::None => {}
            Place::Corner(right, low) => {
                let place = corner(frame, self.legend_size(font), right, low);
                for (row, k) in self.panel.legend().into_iter().enumerate() {
                    let y = place.top + 4.0 + (row as f64 + 0.5) * (SMALL + 6.0) + 0.36 * SMALL;
                    entry(k, place.left + 6.0, y, shapes);
                }
            }
            Place::Above => {
                let rows = self.strip(font, frame.width);
                let count = rows.len();
                for (row, names) in rows.into_iter().enumerate() {
                    let y = frame.top - 9.0 - (count - 1 - row) as f64 * (SMALL + 7.0);
                    let mut x = frame.left;
                    for k in names {
                        entry(k, x, y, shapes);
                        x += 34.0 + font.width(&self.panel.layers[k].name, SMALL) + 18.0;
                    }
                }
            }
        }
    }

    fn layer(&self, frame: &Frame, layer: &Layer, ink: Rgb, hue: usize, shapes: &mut Vec<Shape>) {
        match &layer.mark {
            Mark::Series(s) => self.series(frame, s, ink, hue, shapes),
            Mark::Bars(b) => {
                let base = frame.bottom() - self.y.place(0.0).clamp(0.0, 1.0) * frame.height;
                let base = if self.y.log { frame.bottom() } else { base };
                let mut parts = Vec::new();
                let mut outline = Vec::new();
                for (e, h) in b.edges.windows(2).zip(&b.heights) {
                    if !self.panel.x.shows(e[0]) || *h == 0.0 && !self.y.log {
                        let (a, c) = (self.point(frame, (e[0], 0.0)).0, self.point(frame, (e[1], 0.0)).0);
                        outline.extend([(a, base), (c, base)]);
                        continue;
                    }
                    let y = self.point(frame, (e[0], *h)).1;
                    let y = if y.is_finite() { y.clamp(frame.top, frame.bottom()) } else { base };
                    let x = |v: f64| {
                        (frame.left + self.x.place(v) * frame.width).clamp(frame.left, frame.right())
                    };
                    let (a, c) = (x(e[0]), x(e[1]));
                    if a < c {
                        parts.push(vec![(a, base), (a, y), (c, y), (c, base)]);
                        outline.extend([(a, y), (c, y)]);
                    }
                }
                if let (Some(first), Some(last)) = (outline.first().copied(), outline.last().copied()) {
                    outline.insert(0, (first.0, base));
                    outline.push((last.0, base));
                }
                shapes.push(Shape::Area { parts, ink, alpha: 0.35 });
                shapes.push(lines(frame.cut_line(&outline), Pen::solid(ink, 1.4)));
            }
            Mark::Image(i) => self.image(frame, i, shapes),
            Mark::Contours(c) => {
                let over = self.panel.layers.iter().any(|l| matches!(l.mark, Mark::Image(_)));
                for (level, points) in &c.levels {
                    let place = self.value.map_or(0.5, |v| v.place(*level));
                    let ink = if over { [255, 255, 255] } else { self.panel.map.at(place) };
                    let parts = frame.cut_line(&self.project(frame, points));
                    shapes.push(lines(parts, Pen::solid(ink, if over { 0.9 } else { 1.6 })));
                }
            }
            Mark::Streams(s) => self.streams(frame, s.lines.as_slice(), shapes),
            Mark::Front(f) => {
                let points = self.project(frame, &f.points);
                let steps: Vec<Point> =
                    points.windows(2).flat_map(|w| [w[0], (w[1].0, w[0].1), w[1]]).collect();
                shapes.push(lines(frame.cut_line(&steps), Pen::solid([150, 150, 150], 1.2)));
                for (k, p) in points.iter().enumerate().filter(|(_, p)| frame.holds(**p, 0.5)) {
                    if f.chosen == Some(k) {
                        shapes.push(Shape::Area {
                            parts: vec![star(*p, 9.0)],
                            ink: colour::CURVES[1],
                            alpha: 1.0,
                        });
                    } else {
                        shapes.push(Shape::Disc { at: *p, radius: 4.2, ink });
                    }
                }
            }
        }
    }

    fn series(&self, frame: &Frame, s: &Series, ink: Rgb, hue: usize, shapes: &mut Vec<Shape>) {
        let points = self.project(frame, &s.points);
        if s.line {
            let parts = frame.cut_line(&thinned(&points, frame));
            shapes.push(lines(parts, pen(s, ink)));
        }
        let mut bars = Vec::new();
        let mut bar = |a: Point, b: Point, cap: Point| {
            if let Some((a, b)) = frame.cut(a, b) {
                bars.push(vec![a, b]);
                for end in [a, b] {
                    bars.push(vec![(end.0 - cap.0, end.1 - cap.1), (end.0 + cap.0, end.1 + cap.1)]);
                }
            }
        };
        // On a logarithmic axis a bar may reach below 0: it then ends at the frame.
        let low = |axis: &Projection, v: f64| if axis.log && v <= 0.0 { axis.ends().0 } else { v };
        for (k, (x, y)) in s.points.iter().enumerate() {
            if let Some(e) = s.y_errors.as_ref().and_then(|e| e.get(k)).filter(|e| **e > 0.0) {
                let ends = (self.point(frame, (*x, low(&self.y, y - e))), self.point(frame, (*x, y + e)));
                bar(ends.0, ends.1, (3.0, 0.0));
            }
            if let Some(e) = s.x_errors.as_ref().and_then(|e| e.get(k)).filter(|e| **e > 0.0) {
                let ends = (self.point(frame, (low(&self.x, x - e), *y)), self.point(frame, (x + e, *y)));
                bar(ends.0, ends.1, (0.0, 3.0));
            }
        }
        if !bars.is_empty() {
            shapes.push(lines(bars, Pen::solid(ink, 1.2)));
        }
        if s.markers {
            let mut taken = std::collections::BTreeSet::new();
            let many = points.len() > 2000;
            for p in points.into_iter().filter(|p| frame.holds(*p, 0.5)) {
                // Markers on the same half unit hide each other.
                let key = ((p.0 * 2.0).round() as i64, (p.1 * 2.0).round() as i64);
                if many && !taken.insert(key) {
                    continue;
                }
                match many {
                    true => shapes.push(Shape::Disc { at: p, radius: 1.3, ink }),
                    false => marker(hue, p, ink, shapes),
                }
            }
        }
    }

    fn image(&self, frame: &Frame, image: &Image, shapes: &mut Vec<Shape>) {
        let Some(value) = &self.value else { return };
        if image.columns == 0 || image.values.len() < image.columns {
            return;
        }
        let rows = image.values.len() / image.columns;
        let colour_at = |row: usize, column: usize| {
            self.panel.map.at(value.place(image.values[row * image.columns + column]))
        };
        let (a, b) = (self.point(frame, (image.x.0, image.y.0)), self.point(frame, (image.x.1, image.y.1)));
        let fits = frame.holds(a, 0.5) && frame.holds(b, 0.5) && !self.x.log && !self.y.log;
        if fits && a.0 < b.0 {
            // The first row is the lower one, unless the axis runs backwards.
            let upper = if b.1 < a.1 { b.1 } else { a.1 };
            let pixels = (0..rows)
                .flat_map(|r| {
                    let row = if b.1 < a.1 { rows - 1 - r } else { r };
                    (0..image.columns).map(move |c| (row, c))
                })
                .map(|(r, c)| colour_at(r, c))
                .collect();
            let size = (b.0 - a.0, (b.1 - a.1).abs());
            shapes.push(Shape::Cells { at: (a.0, upper), size, columns: image.columns, pixels });
            return;
        }
        // Part of it, or a logarithmic axis: what lies under each unit of the frame.
        let (w, h) = (frame.width.round().max(1.0) as usize, frame.height.round().max(1.0) as usize);
        let mut pixels = Vec::with_capacity(w * h);
        for r in 0..h {
            let y = self.y.value(1.0 - (r as f64 + 0.5) / h as f64);
            let v = (y - image.y.0) / (image.y.1 - image.y.0);
            for c in 0..w {
                let x = self.x.value((c as f64 + 0.5) / w as f64);
                let u = (x - image.x.0) / (image.x.1 - image.x.0);
                pixels.push(if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                    colour_at((v * rows as f64) as usize, (u * image.columns as f64) as usize)
                } else {
                    [255, 255, 255]
                });
            }
        }
        shapes.push(Shape::Cells {
            at: (frame.left, frame.top),
            size: (frame.width, frame.height),
            columns: w,
            pixels,
        });
    }

    fn streams(&self, frame: &Frame, all: &[Vec<Point>], shapes: &mut Vec<Shape>) {
        let ink = [86, 102, 124];
        let mut parts = Vec::new();
        let mut heads = Vec::new();
        for line in all {
            let points = self.project(frame, line);
            let middle = points.len() / 2;
            if let (Some(tip), Some(tail)) = (points.get(middle), points.get(middle.saturating_sub(3))) {
                let (dx, dy) = (tip.0 - tail.0, tip.1 - tail.1);
                let size = dx.hypot(dy);
                if size > 0.0 && frame.holds(*tip, 0.0) {
                    let (ux, uy) = (dx / size, dy / size);
                    let back = (tip.0 - 5.0 * ux, tip.1 - 5.0 * uy);
                    heads.push(vec![
                        (tip.0 + 3.0 * ux, tip.1 + 3.0 * uy),
                        (back.0 - 3.6 * uy, back.1 + 3.6 * ux),
                        (back.0 + 3.6 * uy, back.1 - 3.6 * ux),
                    ]);
                }
            }
            parts.extend(frame.cut_line(&smoothed(&points)));
        }
        shapes.push(lines(parts, Pen::solid(ink, 1.1)));
        shapes.push(Shape::Area { parts: heads, ink, alpha: 1.0 });
    }
}

/// As many ticks as labels fit beside each other.
fn fitting(font: &Font, of: &Axis, axis: &Projection, width: f64) -> Ticks {
    let mut count = (width / 54.0).clamp(2.0, 10.0) as usize;
    loop {
        let found = marked(of, axis, count);
        let needed: f64 = found.labels.iter().map(|l| font.width(l, SMALL) + 14.0).sum();
        if needed <= width || count <= 2 {
            return found;
        }
        count -= 1;
    }
}

/// The size at which a text is at most this long.
fn fit(font: &Font, words: &str, size: f64, room: f64) -> f64 {
    let width = font.width(words, size);
    if width > room { (size * room / width).max(8.0) } else { size }
}

fn corner(frame: &Frame, size: (f64, f64), right: bool, low: bool) -> Frame {
    let gap = 10.0;
    Frame {
        left: if right { frame.right() - gap - size.0 } else { frame.left + gap },
        top: if low { frame.bottom() - gap - size.1 } else { frame.top + gap },
        width: size.0,
        height: size.1,
    }
}

fn pen(s: &Series, ink: Rgb) -> Pen {
    Pen { colour: ink, width: 1.8, dash: if s.dashed { vec![7.0, 4.0] } else { Vec::new() } }
}

/// The marker of a curve's number: circle, square, triangle, diamond.
fn marker(hue: usize, (x, y): Point, ink: Rgb, shapes: &mut Vec<Shape>) {
    let r = MARKER;
    let corners = match hue % 4 {
        0 => {
            shapes.push(Shape::Disc { at: (x, y), radius: r, ink });
            return;
        }
        1 => vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
        2 => vec![(x, y - 1.25 * r), (x + 1.15 * r, y + 0.8 * r), (x - 1.15 * r, y + 0.8 * r)],
        _ => vec![(x, y - 1.35 * r), (x + 1.35 * r, y), (x, y + 1.35 * r), (x - 1.35 * r, y)],
    };
    shapes.push(Shape::Area { parts: vec![corners], ink, alpha: 1.0 });
}

/// Cosines and sines of the corners of a star, each point and each notch, clockwise from the top.
const STAR: [(f64, f64); 10] = [
    (0.0, -1.0),
    (0.235114, -0.323607),
    (0.951057, -0.309017),
    (0.380423, 0.123607),
    (0.587785, 0.809017),
    (0.0, 0.4),
    (-0.587785, 0.809017),
    (-0.380423, 0.123607),
    (-0.951057, -0.309017),
    (-0.235114, -0.323607),
];

fn star((x, y): Point, r: f64) -> Vec<Point> {
    STAR.iter().map(|(a, b)| (x + r * a, y + r * b)).collect()
}

/// At most four points for each half unit of width (first, lowest, highest, last), where a line rises in x: what is
/// left out would be drawn on top of them.
fn thinned(points: &[Point], frame: &Frame) -> Vec<Point> {
    let slots = frame.width * 2.0;
    let turns = points.windows(2).any(|w| w[1].0 < w[0].0);
    if turns || (points.len() as f64) < 4.0 * slots {
        return points.to_vec();
    }
    let slot = |p: &Point| (p.0 * 2.0).floor();
    let mut out: Vec<Point> = Vec::new();
    let mut start = 0;
    while start < points.len() {
        let end = (start..points.len())
            .find(|k| points[*k].1.is_nan() || slot(&points[*k]) != slot(&points[start]))
            .unwrap_or(points.len());
        if end == start {
            out.push(points[start]);
            start += 1;
            continue;
        }
        let run = &points[start..end];
        let lowest = (0..run.len()).min_by(|a, b| run[*a].1.total_cmp(&run[*b].1)).unwrap_or(0);
        let highest = (0..run.len()).max_by(|a, b| run[*a].1.total_cmp(&run[*b].1)).unwrap_or(0);
        let mut kept = vec![0, lowest, highest, run.len() - 1];
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept.into_iter().map(|k| run[k]));
        start = end;
    }
    out
}

/// A line without the points that lie within a twentieth of a unit of their neighbours' chord.
fn smoothed(points: &[Point]) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    let mut start = 0;
    while start < points.len() {
        out.push(points[start]);
        let mut end = start + 1;
        while end + 1 < points.len() && end - start < 24 {
            let (a, b) = (points[start], points[end + 1]);
            let length = (b.0 - a.0).hypot(b.1 - a.1);
            let off = |p: &Point| {
                ((b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0)).abs() > 0.05 * length.max(1e-9)
            };
            if points[start + 1..=end].iter().any(off) {
                break;
            }
            end += 1;
        }
        start = end;
    }
    out
}
