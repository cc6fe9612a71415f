//! The PNG back end: shapes painted in pure Rust by tiny-skia without SIMD, text as outlines, cells pixel by pixel, so
//! that every machine paints the same bytes.

use tiny_skia::{
    Color, ColorU8, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8,
    Stroke, StrokeDash, Transform,
};

use super::colour::Rgb;
use super::font::{Font, Piece};
use super::scene::{Anchor, Point, Scene, Shape};

/// Most pixels on a side.
const MOST: f64 = 20_000.0;

/// The file, `scale` pixels to a unit.
pub fn paint(scene: &Scene, scale: f64) -> Vec<u8> {
    let scale = if scale.is_finite() { scale.clamp(0.05, 20.0) } else { 1.0 };
    let side = |units: f64| (units * scale).round().clamp(1.0, MOST) as u32;
    let Some(mut map) = Pixmap::new(side(scene.width), side(scene.height)) else { return Vec::new() };
    map.fill(Color::WHITE);
    let font = Font::new();
    let whole = Transform::from_scale(scale as f32, scale as f32);
    for shape in &scene.shapes {
        draw(&mut map, shape, &font, whole, scale);
    }
    encode(&map)
}

/// The file of an opaque picture, without its alpha.
fn encode(map: &Pixmap) -> Vec<u8> {
    let bytes: Vec<u8> = map.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, map.width(), map.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let written = encoder.write_header().and_then(|mut w| w.write_image_data(&bytes));
    // Writing into memory does not fail; an empty file says so where it does.
    if written.is_err() {
        file.clear();
    }
    file
}

/// A file of one pixel a cell.
pub fn cells(columns: usize, pixels: &[Rgb]) -> Vec<u8> {
    let columns = columns.max(1);
    let Some(mut map) = Pixmap::new(columns as u32, pixels.len().div_ceil(columns) as u32) else {
        return Vec::new();
    };
    for (to, from) in map.pixels_mut().iter_mut().zip(pixels) {
        *to = opaque(*from);
    }
    encode(&map)
}

fn opaque([r, g, b]: Rgb) -> PremultipliedColorU8 {
    ColorU8::from_rgba(r, g, b, 255).premultiply()
}

fn ink([r, g, b]: Rgb, alpha: f64) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn path(parts: &[Vec<Point>], close: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for part in parts {
        for (k, (x, y)) in part.iter().enumerate() {
            let (x, y) = (*x as f32, *y as f32);
            if k == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
        }
        if close {
            builder.close();
        }
    }
    builder.finish()
}

fn draw(map: &mut Pixmap, shape: &Shape, font: &Font, whole: Transform, scale: f64) {
    match shape {
        Shape::Lines { parts, pen } => {
            let Some(path) = path(parts, false) else { return };
            let dash = (!pen.dash.is_empty())
                .then(|| StrokeDash::new(pen.dash.iter().map(|d| *d as f32).collect(), 0.0))
                .flatten();
            let stroke = Stroke {
                width: pen.width as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                dash,
                ..Stroke::default()
            };
            map.stroke_path(&path, &ink(pen.colour, 1.0), &stroke, whole, None);
        }
        Shape::Area { parts, ink: colour, alpha } => {
            if let Some(path) = path(parts, true) {
                map.fill_path(&path, &ink(*colour, *alpha), FillRule::Winding, whole, None);
            }
        }
        Shape::Disc { at, radius, ink: colour } => {
            if let Some(path) = PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32) {
                map.fill_path(&path, &ink(*colour, 1.0), FillRule::Winding, whole, None);
            }
        }
        Shape::Text { at, size, anchor, upwards, ink: colour, text } => {
            let (placed, width) = font.glyphs(text);
            let start = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -0.5 * width,
                Anchor::End => -width,
            };
            let em = size / font.em();
            let mut builder = PathBuilder::new();
            for (id, x) in placed {
                let point = |px: f32, py: f32| -> (f32, f32) {
                    let (u, v) = ((start + x + f64::from(px)) * em, f64::from(py) * em);
                    let (x, y) = if *upwards { (at.0 - v, at.1 - u) } else { (at.0 + u, at.1 - v) };
                    (x as f32, y as f32)
                };
                for piece in font.outline(id) {
                    match piece {
                        Piece::Move(x, y) => {
                            let (x, y) = point(x, y);
                            builder.move_to(x, y);
                        }
                        Piece::Line(x, y) => {
                            let (x, y) = point(x, y);
                            builder.line_to(x, y);
                        }
                        Piece::Curve(a, b, x, y) => {
                            let ((a, b), (x, y)) = (point(a, b), point(x, y));
                            builder.quad_to(a, b, x, y);
                        }
                        Piece::Close => builder.close(),
                    }
                }
            }
            if let Some(path) = builder.finish() {
                map.fill_path(&path, &ink(*colour, 1.0), FillRule::Winding, whole, None);
            }
        }
        Shape::Cells { at, size, columns, pixels } => {
            let columns = (*columns).max(1);
            let rows = pixels.len() / columns;
            let (width, height) = (map.width() as usize, map.height() as usize);
            let edge = |v: f64, most: usize| (v * scale).round().clamp(0.0, most as f64) as usize;
            let (left, right) = (edge(at.0, width), edge(at.0 + size.0, width));
            let (top, bottom) = (edge(at.1, height), edge(at.1 + size.1, height));
            let all = map.pixels_mut();
            for y in top..bottom {
                let row = ((y - top) * rows / (bottom - top)).min(rows.saturating_sub(1));
                for x in left..right {
                    let column = (x - left) * columns / (right - left);
                    if let (Some(to), Some(from)) =
                        (all.get_mut(y * width + x), pixels.get(row * columns + column))
                    {
                        *to = opaque(*from);
                    }
                }
            }
        }
    }
}
