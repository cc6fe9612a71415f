//! The terminal back end: lines in braille dots (2 by 4 to a character), bars in eighths, images in half blocks of 256
//! colours or in shades, axes in box-drawing characters. Without colours curves differ by their dashes, without Unicode
//! by their characters.

use unicode_width::UnicodeWidthChar;

use super::axis::{Axis, Projection};
use super::colour;
use super::figure::{Figure, Image, Layer, Mark, Panel};
use super::scene::{Frame, Point};
use super::ticks::{Ticks, marked, ticks};
use super::typeset;
use crate::base::Canvas;

/// Figures are not drawn wider than this: lines would lose their slope.
const WIDEST: usize = 100;
/// The narrowest panel that stands beside another.
const NARROW: usize = 36;
/// Above this many points markers are dots.
const MANY: usize = 150;

/// A character with its colours.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cell {
    /// What is written; `\0` is the right half of a wide one.
    glyph: char,
    ink: Option<u8>,
    paper: Option<u8>,
}

const BLANK: Cell = Cell { glyph: ' ', ink: None, paper: None };

/// A rectangle of characters.
struct Page {
    width: usize,
    cells: Vec<Cell>,
}

impl Page {
    fn new(width: usize, height: usize) -> Page {
        Page { width, cells: vec![BLANK; width * height] }
    }

    fn height(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    fn set(&mut self, column: usize, row: usize, cell: Cell) {
        if column < self.width
            && let Some(place) = self.cells.get_mut(row * self.width + column)
        {
            *place = cell;
        }
    }

    /// Writes a text; what does not fit is cut.
    fn write(&mut self, column: usize, row: usize, text: &str, ink: Option<u8>) {
        let mut at = column;
        for glyph in text.chars() {
            let wide = glyph.width().unwrap_or(0);
            if wide == 0 || at + wide > self.width {
                continue;
            }
            self.set(at, row, Cell { glyph, ink, paper: None });
            if wide == 2 {
                self.set(at + 1, row, Cell { glyph: '\0', ink, paper: None });
            }
            at += wide;
        }
    }

    fn paste(&mut self, other: &Page, column: usize, row: usize) {
        for r in 0..other.height() {
            for c in 0..other.width {
                self.set(column + c, row + r, other.cells[r * other.width + c]);
            }
        }
    }

    /// Lines with escapes, blanks at their ends left out.
    fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for row in self.cells.chunks(self.width.max(1)) {
            let end = row.iter().rposition(|c| *c != BLANK).map_or(0, |k| k + 1);
            let mut line = String::new();
            let mut now = (None, None);
            for cell in row[..end].iter().filter(|c| c.glyph != '\0') {
                if (cell.ink, cell.paper) != now {
                    if now != (None, None) {
                        line.push_str("\x1b[0m");
                    }
                    if let Some(ink) = cell.ink {
                        line.push_str(&format!("\x1b[38;5;{ink}m"));
                    }
                    if let Some(paper) = cell.paper {
                        line.push_str(&format!("\x1b[48;5;{paper}m"));
                    }
                    now = (cell.ink, cell.paper);
                }
                line.push(cell.glyph);
            }
            if now != (None, None) {
                line.push_str("\x1b[0m");
            }
            lines.push(line);
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines.join("\n")
    }
}

fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The figure as lines of text.
pub fn draw(figure: &Figure, canvas: &Canvas) -> String {
    let whole = canvas.width.clamp(1, WIDEST.max(figure.columns * 80));
    let fitting = ((whole + 2) / (NARROW + 2)).max(1);
    let columns = figure.columns.clamp(1, fitting).min(figure.panels.len().max(1));
    let whole = if columns == 1 { whole.min(WIDEST) } else { whole };
    let rows = figure.panels.len().div_ceil(columns);
    let title = usize::from(!figure.title.is_empty());
    let height = match rows {
        0 | 1 => canvas.height.clamp(8, 40) - title,
        n => ((canvas.height.saturating_sub(title)) / n).max(15),
    };
    let own = (whole + 2) / columns - 2;
    let pages: Vec<Page> = figure.panels.iter().map(|p| Plan::new(p, canvas, own, height).page()).collect();
    let heights: Vec<usize> =
        pages.chunks(columns).map(|row| row.iter().map(Page::height).max().unwrap_or(0)).collect();
    let gap = usize::from(rows > 1);
    let total = title + heights.iter().sum::<usize>() + gap * rows.saturating_sub(1);
    let mut page = Page::new(whole, total);
    if title == 1 {
        let words = spelled(&figure.title, canvas);
        page.write(whole.saturating_sub(width(&words)) / 2, 0, &words, None);
    }
    let mut top = title;
    for (row, height) in pages.chunks(columns).zip(&heights) {
        for (k, panel) in row.iter().enumerate() {
            page.paste(panel, k * (own + 2), top);
        }
        top += height + gap;
    }
    page.text()
}

fn spelled(text: &str, canvas: &Canvas) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if canvas.unicode { text } else { typeset::ascii(&text) }
}

/// Where what stands on the page of a panel.
struct Plan<'a> {
    panel: &'a Panel,
    canvas: &'a Canvas,
    x: Projection,
    y: Projection,
    value: Option<Projection>,
    x_ticks: Ticks,
    y_ticks: Ticks,
    y_labels: Vec<String>,
    value_labels: Vec<String>,
    value_ticks: Ticks,
    width: usize,
    /// First column and row inside the frame.
    left: usize,
    top: usize,
    /// Size inside the frame.
    columns: usize,
    rows: usize,
}

impl<'a> Plan<'a> {
    fn new(panel: &'a Panel, canvas: &'a Canvas, page: usize, height: usize) -> Plan<'a> {
        let x = panel.x_projection();
        let y = panel.y_projection(&x);
        let value = panel.value_projection();
        let spell = |labels: &[String]| labels.iter().map(|l| spelled(l, canvas)).collect::<Vec<_>>();
        let below = 2 + usize::from(!panel.x.label(0).is_empty()) + legend_rows(panel, canvas, page);
        // The names of vertical axes stand on a line of their own, where there are any.
        let mut vertical = [&panel.y, &panel.value].into_iter();
        let named = vertical.any(|a| !a.name.is_empty() || a.unit.is_some()) || ticks(&y, 5).exponent != 0;
        let top = 1 + usize::from(named) + usize::from(!panel.title.is_empty());
        let rows = height.saturating_sub(top + below).max(4);
        let y_ticks = marked(&panel.y, &y, (rows / 3).clamp(2, 7));
        let y_labels = spell(&y_ticks.labels);
        let widest = |labels: &[String]| labels.iter().map(|l| width(l)).max().unwrap_or(0);
        let left = widest(&y_labels) + 2;
        let value_ticks = value.map(|v| ticks(&v, (rows / 4).clamp(2, 6))).unwrap_or_default();
        let value_labels = spell(&value_ticks.labels);
        let right = if value.is_some() { 1 + 1 + 2 + 1 + widest(&value_labels) } else { 2 };
        let columns = page.saturating_sub(left + right).max(10);
        let x_ticks = fitting(&panel.x, &x, columns, canvas);
        Plan {
            panel,
            canvas,
            x,
            y,
            value,
            x_ticks,
            y_ticks,
            y_labels,
            value_labels,
            value_ticks,
            width: page,
            left,
            top,
            columns,
            rows,
        }
    }

    fn page(&self) -> Page {
        let panel = self.panel;
        let x_label = spelled(&panel.x.label(self.x_ticks.exponent), self.canvas);
        let legend = legend_lines(panel, self.canvas, self.width);
        let below = 2 + usize::from(!x_label.is_empty()) + legend.len();
        let mut page = Page::new(self.width.max(self.left + self.columns + 1), self.top + self.rows + below);
        let centre = |words: &str| (self.left + self.columns / 2).saturating_sub(width(words) / 2);
        let mut row = 0;
        if !panel.title.is_empty() {
            let words = spelled(&panel.title, self.canvas);
            page.write(centre(&words), 0, &words, None);
            row = 1;
        }
        let y_label = spelled(&panel.y.label(self.y_ticks.exponent), self.canvas);
        page.write(self.left.saturating_sub(1), row, &y_label, None);
        if self.value.is_some() {
            let words = spelled(&panel.value.label(self.value_ticks.exponent), self.canvas);
            let start = page.width.saturating_sub(width(&words)).max(self.left + width(&y_label) + 1);
            page.write(start, row, &words, None);
        }
        self.frame(&mut page);
        self.marks(&mut page);
        let mut row = self.top + self.rows + 2;
        if !x_label.is_empty() {
            page.write(centre(&x_label), row, &x_label, None);
            row += 1;
        }
        for (k, line) in legend.iter().enumerate() {
            let mut at = self.left.min(2);
            for (sample, ink, name) in line {
                page.write(at, row + k, sample, *ink);
                page.write(at + width(sample) + 1, row + k, name, None);
                at += width(sample) + 1 + width(name) + 3;
            }
        }
        page
    }

    fn frame(&self, page: &mut Page) {
        let [corner_a, corner_b, corner_c, corner_d, flat, upright, left_tick, low_tick] =
            if self.canvas.unicode {
                ['┌', '┐', '└', '┘', '─', '│', '┤', '┬']
            } else {
                ['+', '+', '+', '+', '-', '|', '+', '+']
            };
        let plain = |glyph| Cell { glyph, ink: None, paper: None };
        let (l, r) = (self.left - 1, self.left + self.columns);
        let (t, b) = (self.top - 1, self.top + self.rows);
        for c in self.left..r {
            page.set(c, t, plain(flat));
            page.set(c, b, plain(flat));
        }
        for row in self.top..b {
            page.set(l, row, plain(upright));
            page.set(r, row, plain(upright));
        }
        for (c, row, glyph) in [(l, t, corner_a), (r, t, corner_b), (l, b, corner_c), (r, b, corner_d)] {
            page.set(c, row, plain(glyph));
        }
        let inside = |t: &f64| (-1e-6..=1.0 + 1e-6).contains(t);
        for (v, label) in self.y_ticks.major.iter().zip(&self.y_labels) {
            let Some(place) = Some(self.y.place(*v)).filter(inside) else { continue };
            let row = self.top + self.row(place);
            page.set(l, row, plain(left_tick));
            page.write(l.saturating_sub(width(label)), row, label, None);
        }
        let mut free = 0;
        for (v, label) in self.x_ticks.major.iter().zip(&self.x_ticks.labels) {
            let Some(place) = Some(self.x.place(*v)).filter(inside) else { continue };
            let label = spelled(label, self.canvas);
            let c = self.left + self.column(place);
            page.set(c, b, plain(low_tick));
            let start = (c + 1).saturating_sub(width(&label).div_ceil(2));
            let start = start.min(page.width.saturating_sub(width(&label)));
            if start >= free {
                page.write(start, b + 1, &label, None);
                free = start + width(&label) + 1;
            }
        }
        if let Some(value) = &self.value {
            let column = r + 2;
            for row in 0..self.rows {
                let places = [0.25, 0.75].map(|h| 1.0 - (row as f64 + h) / self.rows as f64);
                for c in 0..2 {
                    page.set(column + c, self.top + row, self.shade(places[0], places[1]));
                }
            }
            for (v, label) in self.value_ticks.major.iter().zip(&self.value_labels) {
                if let Some(place) = Some(value.place(*v)).filter(inside) {
                    page.write(column + 3, self.top + self.row(place), label, None);
                }
            }
        }
    }

    fn row(&self, place: f64) -> usize {
        (((1.0 - place) * self.rows as f64) as usize).min(self.rows - 1)
    }

    fn column(&self, place: f64) -> usize {
        ((place * self.columns as f64) as usize).min(self.columns - 1)
    }

    /// A cell of an image: the value of its upper and of its lower half, as places on the axis of colours.
    fn shade(&self, upper: f64, lower: f64) -> Cell {
        if self.canvas.colour && self.canvas.unicode {
            let ink = |place: f64| Some(colour::terminal(self.panel.map.at(place)));
            return Cell { glyph: '▀', ink: ink(upper), paper: ink(lower) };
        }
        let mean = 0.5 * (upper + lower);
        let shades: Vec<char> = if self.canvas.unicode { " ░▒▓█" } else { " .:-=+*#%@" }.chars().collect();
        let glyph = match mean.is_nan() {
            true => '?',
            false => shades[((mean.clamp(0.0, 1.0) * shades.len() as f64) as usize).min(shades.len() - 1)],
        };
        Cell { glyph, ink: None, paper: None }
    }

    fn marks(&self, page: &mut Page) {
        let mut dots = Dots::new(self.columns, self.rows, self.canvas.unicode);
        let mut glyphs: Vec<(usize, usize, char, Option<u8>)> = Vec::new();
        for (layer, hue) in self.panel.layers.iter().zip(self.panel.hues()) {
            self.layer(layer, hue, page, &mut dots, &mut glyphs);
        }
        dots.print(page, self.left, self.top);
        for (c, r, glyph, ink) in glyphs {
            page.set(self.left + c, self.top + r, Cell { glyph, ink, paper: None });
        }
    }

    fn ink(&self, hue: usize) -> Option<u8> {
        self.canvas.colour.then(|| colour::terminal(colour::CURVES[hue % colour::CURVES.len()]))
    }

    fn layer(
        &self,
        layer: &Layer,
        hue: usize,
        page: &mut Page,
        dots: &mut Dots,
        glyphs: &mut Vec<(usize, usize, char, Option<u8>)>,
    ) {
        let ink = self.ink(hue);
        let at = |p: &Point| dots_place(self, p);
        match &layer.mark {
            Mark::Series(s) => {
                let points: Vec<Point> = s.points.iter().map(at).collect();
                if s.line {
                    dots.line(&points, dash(self.canvas, hue, s.dashed), character(hue), ink);
                }
                for (k, p) in s.points.iter().enumerate() {
                    if let Some(e) = s.y_errors.as_ref().and_then(|e| e.get(k)) {
                        let low = if self.y.log && p.1 <= *e { self.y.ends().0 } else { p.1 - e };
                        dots.line(&[at(&(p.0, low)), at(&(p.0, p.1 + e))], (1, 1), '|', ink);
                    }
                    if let Some(e) = s.x_errors.as_ref().and_then(|e| e.get(k)) {
                        let low = if self.x.log && p.0 <= *e { self.x.ends().0 } else { p.0 - e };
                        dots.line(&[at(&(low, p.1)), at(&(p.0 + e, p.1))], (1, 1), '-', ink);
                    }
                }
                if s.markers {
                    for p in points {
                        let Some((c, r)) = dots.cell(p) else { continue };
                        match s.points.len() > MANY {
                            true => dots.dot(p, character(hue), ink),
                            false => glyphs.push((c, r, marker(self.canvas, hue), ink)),
                        }
                    }
                }
            }
            Mark::Bars(b) => self.bars(&b.edges, &b.heights, ink, page),
            Mark::Image(i) => self.image(i, page),
            Mark::Contours(c) => {
                for (level, points) in &c.levels {
                    let place = self.value.map_or(0.5, |v| v.place(*level));
                    let over = self.panel.layers.iter().any(|l| matches!(l.mark, Mark::Image(_)));
                    let ink = self.canvas.colour.then(|| colour::terminal(self.panel.map.at(place)));
                    // Dots over an image would hide it.
                    if !over {
                        let points: Vec<Point> = points.iter().map(at).collect();
                        dots.line(&points, (1, 1), '*', ink);
                    }
                }
            }
            Mark::Streams(s) => {
                let ink = self.canvas.colour.then_some(245);
                for line in &s.lines {
                    let points: Vec<Point> = line.iter().map(at).collect();
                    dots.line(&points, (1, 1), '.', ink);
                    let middle = points.len() / 2;
                    if let (Some(a), Some(b)) = (points.get(middle.saturating_sub(4)), points.get(middle))
                        && let Some((c, r)) = dots.cell(*b)
                    {
                        glyphs.push((c, r, arrow(b.0 - a.0, b.1 - a.1, self.canvas.unicode), ink));
                    }
                }
            }
            Mark::Front(f) => {
                let points: Vec<Point> = f.points.iter().map(at).collect();
                let steps: Vec<Point> =
                    points.windows(2).flat_map(|w| [w[0], (w[1].0, w[0].1), w[1]]).collect();
                dots.line(&steps, (1, 1), '.', self.canvas.colour.then_some(245));
                for (k, p) in points.iter().enumerate() {
                    let Some((c, r)) = dots.cell(*p) else { continue };
                    let chosen = f.chosen == Some(k);
                    let glyph = match (chosen, self.canvas.unicode) {
                        (true, true) => '★',
                        (true, false) => '*',
                        (false, true) => '●',
                        (false, false) => 'o',
                    };
                    glyphs.push((c, r, glyph, if chosen { self.ink(1) } else { ink }));
                }
            }
        }
    }

    fn bars(&self, edges: &[f64], heights: &[f64], ink: Option<u8>, page: &mut Page) {
        let eighths: Vec<char> = " ▁▂▃▄▅▆▇█".chars().collect();
        for c in 0..self.columns {
            let x = self.x.value((c as f64 + 0.5) / self.columns as f64);
            let k = edges.partition_point(|e| *e <= x);
            let Some(height) = k.checked_sub(1).and_then(|k| heights.get(k)) else { continue };
            let place = self.y.place(*height);
            if !place.is_finite() || place <= 0.0 {
                continue;
            }
            let parts = (place.min(1.0) * self.rows as f64 * 8.0).round() as usize;
            for r in 0..self.rows {
                let part = parts.saturating_sub(8 * r).min(8);
                let glyph = match self.canvas.unicode {
                    true => eighths[part],
                    false if part >= 4 => '#',
                    false => ' ',
                };
                if glyph != ' ' {
                    page.set(self.left + c, self.top + self.rows - 1 - r, Cell { glyph, ink, paper: None });
                }
            }
        }
    }

    fn image(&self, image: &Image, page: &mut Page) {
        let Some(value) = &self.value else { return };
        let count = image.values.len() / image.columns.max(1);
        let value_at = |c: f64, r: f64| -> Option<f64> {
            let (x, y) = (self.x.value(c / self.columns as f64), self.y.value(1.0 - r / self.rows as f64));
            let u = (x - image.x.0) / (image.x.1 - image.x.0);
            let v = (y - image.y.0) / (image.y.1 - image.y.0);
            let inside = (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v);
            let column = ((u * image.columns as f64) as usize).min(image.columns.saturating_sub(1));
            let row = ((v * count as f64) as usize).min(count.saturating_sub(1));
            let found = image.values.get(row * image.columns + column)?;
            inside.then(|| value.place(*found))
        };
        for r in 0..self.rows {
            for c in 0..self.columns {
                let (x, y) = (c as f64 + 0.5, r as f64);
                if let (Some(upper), Some(lower)) = (value_at(x, y + 0.25), value_at(x, y + 0.75)) {
                    page.set(self.left + c, self.top + r, self.shade(upper, lower));
                }
            }
        }
    }
}

/// A point in dots, y downwards.
fn dots_place(plan: &Plan, (x, y): &Point) -> Point {
    let (w, h) = ((2 * plan.columns) as f64, (4 * plan.rows) as f64);
    (plan.x.place(*x) * w, (1.0 - plan.y.place(*y)) * h)
}

/// As many ticks as labels fit beside each other.
fn fitting(of: &Axis, axis: &Projection, columns: usize, canvas: &Canvas) -> Ticks {
    let mut count = (columns / 9).clamp(2, 9);
    loop {
        let found = marked(of, axis, count);
        let needed: usize = found.labels.iter().map(|l| width(&spelled(l, canvas)) + 2).sum();
        if needed <= columns || count <= 2 {
            return found;
        }
        count -= 1;
    }
}

/// Dots on and dots off, by which curves differ where colours do not.
fn dash(canvas: &Canvas, hue: usize, dashed: bool) -> (usize, usize) {
    match (dashed, canvas.colour || !canvas.unicode) {
        (true, _) => (3, 6),
        (false, true) => (1, 1),
        (false, false) => [(1, 1), (1, 2), (4, 7), (1, 4), (6, 8), (1, 6), (8, 12), (2, 5)][hue % 8],
    }
}

fn character(hue: usize) -> char {
    ['*', '+', 'o', 'x', '#', '@', '%', '~'][hue % 8]
}

fn marker(canvas: &Canvas, hue: usize) -> char {
    if canvas.unicode {
        ['•', '×', '+', '◦', '▪', '▴', '◆', '▫'][hue % 8]
    } else {
        ['o', 'x', '+', '*', '#', '@', '%', '~'][hue % 8]
    }
}

/// An arrow in the direction of a step, y downwards. Characters are twice as high as wide, dots are square.
fn arrow(dx: f64, dy: f64, unicode: bool) -> char {
    let steep = dy.abs() > 2.4 * dx.abs();
    let flat = dx.abs() > 2.4 * dy.abs();
    let k = match (dx >= 0.0, dy >= 0.0) {
        _ if flat => {
            if dx >= 0.0 {
                0
            } else {
                4
            }
        }
        _ if steep => {
            if dy >= 0.0 {
                6
            } else {
                2
            }
        }
        (true, false) => 1,
        (false, false) => 3,
        (false, true) => 5,
        (true, true) => 7,
    };
    if unicode {
        ['→', '↗', '↑', '↖', '←', '↙', '↓', '↘'][k]
    } else {
        ['>', '/', '^', '\\', '<', '/', 'v', '\\'][k]
    }
}

type Entry = (String, Option<u8>, String);

/// Samples and names of the legend, in lines that fit.
fn legend_lines(panel: &Panel, canvas: &Canvas, room: usize) -> Vec<Vec<Entry>> {
    let hues = panel.hues();
    let mut lines: Vec<Vec<Entry>> = Vec::new();
    let mut used = usize::MAX;
    for k in panel.legend() {
        let (layer, hue) = (&panel.layers[k], hues[k]);
        let name = spelled(&layer.name, canvas);
        let sample = match &layer.mark {
            Mark::Bars(_) => if canvas.unicode { "██" } else { "##" }.to_string(),
            Mark::Series(s) if s.line => {
                let mut strip = Dots::new(4, 1, canvas.unicode);
                strip.line(&[(0.0, 1.5), (7.9, 1.5)], dash(canvas, hue, s.dashed), character(hue), None);
                let mut text: Vec<char> = strip.text();
                if s.markers {
                    text[1] = marker(canvas, hue);
                }
                text.into_iter().collect()
            }
            Mark::Front(_) => if canvas.unicode { "●" } else { "o" }.to_string(),
            _ => marker(canvas, hue).to_string(),
        };
        let own = width(&sample) + 1 + width(&name) + 3;
        if used.saturating_add(own) > room {
            lines.push(Vec::new());
            used = 2;
        }
        used += own;
        let ink = canvas.colour.then(|| colour::terminal(colour::CURVES[hue % colour::CURVES.len()]));
        if let Some(line) = lines.last_mut() {
            line.push((sample, ink, name));
        }
    }
    lines
}

fn legend_rows(panel: &Panel, canvas: &Canvas, room: usize) -> usize {
    legend_lines(panel, canvas, room).len()
}

/// Braille dots, or one character a cell.
struct Dots {
    columns: usize,
    rows: usize,
    unicode: bool,
    bits: Vec<u8>,
    glyphs: Vec<char>,
    inks: Vec<Option<u8>>,
}

impl Dots {
    fn new(columns: usize, rows: usize, unicode: bool) -> Dots {
        let n = columns * rows;
        Dots { columns, rows, unicode, bits: vec![0; n], glyphs: vec![' '; n], inks: vec![None; n] }
    }

    /// The character a point lies in.
    fn cell(&self, (x, y): Point) -> Option<(usize, usize)> {
        let (w, h) = ((2 * self.columns) as f64, (4 * self.rows) as f64);
        let inside = x >= -1e-6 && x <= w + 1e-6 && y >= -1e-6 && y <= h + 1e-6;
        inside.then(|| {
            let c = (x.max(0.0) / 2.0) as usize;
            let r = (y.max(0.0) / 4.0) as usize;
            (c.min(self.columns - 1), r.min(self.rows - 1))
        })
    }

    fn dot(&mut self, p: Point, glyph: char, ink: Option<u8>) {
        let Some((c, r)) = self.cell(p) else { return };
        let (x, y) = (
            (p.0.max(0.0) as usize).min(2 * self.columns - 1),
            (p.1.max(0.0) as usize).min(4 * self.rows - 1),
        );
        // Dots 1 to 8 of the Unicode block: 1 2 3 7 on the left, 4 5 6 8 on the right.
        let bit = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]][y % 4][x % 2];
        let k = r * self.columns + c;
        self.bits[k] |= bit;
        self.glyphs[k] = glyph;
        self.inks[k] = ink;
    }

    /// A line through points; `dash` is (on, of) dots.
    fn line(&mut self, points: &[Point], dash: (usize, usize), glyph: char, ink: Option<u8>) {
        let frame =
            Frame { left: 0.0, top: 0.0, width: (2 * self.columns) as f64, height: (4 * self.rows) as f64 };
        let mut count = 0usize;
        for part in frame.cut_line(points) {
            for w in part.windows(2) {
                let (dx, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
                let steps = dx.abs().max(dy.abs()).ceil().max(1.0);
                let mut last = None;
                for k in 0..=steps as usize {
                    let t = k as f64 / steps;
                    let p = (w[0].0 + t * dx, w[0].1 + t * dy);
                    let place = (p.0 as i64, p.1 as i64);
                    if last == Some(place) {
                        continue;
                    }
                    if k > 0 {
                        count += 1;
                    }
                    last = Some(place);
                    if count % dash.1 < dash.0 {
                        self.dot(p, glyph, ink);
                    }
                }
            }
        }
    }

    fn text(&self) -> Vec<char> {
        let braille = |bits: u8| char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ');
        (0..self.bits.len())
            .map(|k| match (self.bits[k], self.unicode) {
                (0, _) => ' ',
                (bits, true) => braille(bits),
                (_, false) => self.glyphs[k],
            })
            .collect()
    }

    fn print(&self, page: &mut Page, left: usize, top: usize) {
        for (k, glyph) in self.text().into_iter().enumerate().filter(|(k, _)| self.bits[*k] != 0) {
            let (column, row) = (left + k % self.columns, top + k / self.columns);
            // A line over a bar keeps the bar behind it.
            let below = page.cells.get(row * page.width + column).copied().unwrap_or(BLANK);
            let paper = if below.glyph == '█' { below.ink } else { None };
            page.set(column, row, Cell { glyph, ink: self.inks[k], paper });
        }
    }
}
