//! The SVG back end: one self-contained document. Each glyph that occurs is a path that is defined once; numbers have
//! two decimals at most; grids of cells are embedded as PNG.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::colour::Rgb;
use super::font::{Font, Piece};
use super::png;
use super::scene::{Anchor, Pen, Point, Scene, Shape};
use crate::base::markup;

/// The document.
pub fn document(scene: &Scene) -> String {
    let font = Font::new();
    let mut glyphs: BTreeMap<u16, String> = BTreeMap::new();
    let mut body = String::new();
    for shape in &scene.shapes {
        draw(shape, &font, &mut glyphs, &mut body);
    }
    let (w, h) = (number(scene.width), number(scene.height));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\">\n\
         <title>{}</title>\n<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n",
        escape(&scene.title)
    );
    if !glyphs.is_empty() {
        text.push_str("<defs>\n");
        for (id, path) in &glyphs {
            let _ = writeln!(text, "<path id=\"g{id}\" d=\"{path}\"/>");
        }
        text.push_str("</defs>\n");
    }
    text.push_str(&body);
    text.push_str("</svg>\n");
    text
}

/// A number with at most two decimals.
fn number(v: f64) -> String {
    let text = format!("{v:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text in an attribute or a title: one line.
fn escape(text: &str) -> String {
    markup::escape(&text.replace(['\t', '\n', '\r'], " "))
}

fn path(parts: &[Vec<Point>], close: bool) -> String {
    let mut d = String::new();
    for part in parts {
        for (k, (x, y)) in part.iter().enumerate() {
            let _ = write!(d, "{}{} {}", if k == 0 { "M" } else { "L" }, number(*x), number(*y));
        }
        if close {
            d.push('Z');
        }
    }
    d
}

fn stroke(pen: &Pen) -> String {
    let mut text = format!(
        "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
        hex(pen.colour),
        number(pen.width)
    );
    if !pen.dash.is_empty() {
        let dash: Vec<String> = pen.dash.iter().map(|d| number(*d)).collect();
        let _ = write!(text, " stroke-dasharray=\"{}\"", dash.join(" "));
    }
    text
}

fn draw(shape: &Shape, font: &Font, glyphs: &mut BTreeMap<u16, String>, out: &mut String) {
    match shape {
        Shape::Lines { parts, pen } if !parts.is_empty() => {
            let _ = writeln!(out, "<path {} d=\"{}\"/>", stroke(pen), path(parts, false));
        }
        Shape::Area { parts, ink, alpha } if !parts.is_empty() => {
            let opacity =
                if *alpha < 1.0 { format!(" fill-opacity=\"{}\"", number(*alpha)) } else { String::new() };
            let _ = writeln!(out, "<path fill=\"{}\"{opacity} d=\"{}\"/>", hex(*ink), path(parts, true));
        }
        Shape::Lines { .. } | Shape::Area { .. } => {}
        Shape::Disc { at, radius, ink } => {
            let _ = writeln!(
                out,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
                number(at.0),
                number(at.1),
                number(*radius),
                hex(*ink)
            );
        }
        Shape::Text { at, size, anchor, upwards, ink, text } => {
            let (placed, width) = font.glyphs(text);
            let start = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -0.5 * width,
                Anchor::End => -width,
            };
            let scale = size / font.em();
            let turn = if *upwards { " rotate(-90)" } else { "" };
            let _ = write!(
                out,
                "<g aria-label=\"{}\" fill=\"{}\" transform=\"translate({} {}){turn} scale({scale:.6} {:.6})\">",
                escape(text),
                hex(*ink),
                number(at.0),
                number(at.1),
                -scale
            );
            for (id, x) in placed {
                let outline = glyphs.entry(id).or_insert_with(|| outline(font, id));
                if !outline.is_empty() {
                    let _ = write!(out, "<use href=\"#g{id}\" x=\"{}\"/>", number(start + x));
                }
            }
            glyphs.retain(|_, path| !path.is_empty());
            out.push_str("</g>\n");
        }
        Shape::Cells { at, size, columns, pixels } => {
            let file = png::cells(*columns, pixels);
            let _ = writeln!(
                out,
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
                 style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
                number(at.0),
                number(at.1),
                number(size.0),
                number(size.1),
                base64(&file)
            );
        }
    }
}

fn outline(font: &Font, id: u16) -> String {
    let mut d = String::new();
    let n = |v: f32| number(f64::from(v));
    for piece in font.outline(id) {
        let _ = match piece {
            Piece::Move(x, y) => write!(d, "M{} {}", n(x), n(y)),
            Piece::Line(x, y) => write!(d, "L{} {}", n(x), n(y)),
            Piece::Curve(a, b, x, y) => write!(d, "Q{} {} {} {}", n(a), n(b), n(x), n(y)),
            Piece::Close => write!(d, "Z"),
        };
    }
    d
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for k in 0..4 {
            if k <= chunk.len() {
                out.push(LETTERS[(word >> (18 - 6 * k) & 63) as usize] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_are_written_shortly() {
        assert_eq!([number(1.0), number(-0.001), number(2.345), number(10.0)], ["1", "0", "2.35", "10"]);
        assert_eq!([base64(b"f"), base64(b"fo"), base64(b"foo")], ["Zg==", "Zm8=", "Zm9v"]);
        assert_eq!(escape("a<b & \"c\"\u{1}"), "a&lt;b &amp; &quot;c&quot;");
    }
}
