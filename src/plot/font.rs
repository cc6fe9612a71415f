//! The embedded font: a subset of DejaVu Sans (see licences/). Text is drawn as outlines, so that it looks the same
//! everywhere; kerning is left out.

use ttf_parser::{Face, GlyphId, OutlineBuilder};

static DATA: &[u8] = include_bytes!("fonts/dejavu-sans.ttf");

/// A piece of an outline, in font units, y upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piece {
    /// Begins a contour.
    Move(f32, f32),
    /// A straight line.
    Line(f32, f32),
    /// A quadratic curve: control point, end.
    Curve(f32, f32, f32, f32),
    /// Ends a contour.
    Close,
}

/// The font.
pub struct Font {
    face: Option<Face<'static>>,
}

/// A glyph with the distance from the start of its text, in font units.
pub type Placed = (u16, f64);

impl Font {
    /// Reads it.
    pub fn new() -> Font {
        Font { face: Face::parse(DATA, 0).ok() }
    }

    /// Font units to an em.
    pub fn em(&self) -> f64 {
        self.face.as_ref().map_or(2048.0, |f| f64::from(f.units_per_em()))
    }

    fn glyph(&self, c: char) -> Option<GlyphId> {
        let face = self.face.as_ref()?;
        face.glyph_index(c).or_else(|| face.glyph_index('\u{FFFD}'))
    }

    /// Whether a character has a glyph.
    #[cfg(test)]
    pub fn covers(&self, c: char) -> bool {
        self.face.as_ref().is_some_and(|f| f.glyph_index(c).is_some())
    }

    /// The glyphs of a text and its whole width, in font units.
    pub fn glyphs(&self, text: &str) -> (Vec<Placed>, f64) {
        let mut glyphs = Vec::new();
        let mut at = 0.0;
        for id in text.chars().filter_map(|c| self.glyph(c)) {
            glyphs.push((id.0, at));
            at += self.face.as_ref().and_then(|f| f.glyph_hor_advance(id)).map_or(0.0, f64::from);
        }
        (glyphs, at)
    }

    /// The width of a text at a size.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        self.glyphs(text).1 * size / self.em()
    }

    /// The outline of a glyph; empty for a space.
    pub fn outline(&self, glyph: u16) -> Vec<Piece> {
        let mut pieces = Pieces(Vec::new());
        if let Some(face) = &self.face {
            face.outline_glyph(GlyphId(glyph), &mut pieces);
        }
        pieces.0
    }
}

struct Pieces(Vec<Piece>);

impl OutlineBuilder for Pieces {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Piece::Move(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Piece::Line(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.push(Piece::Curve(x1, y1, x, y));
    }

    // TrueType outlines have no cubic curves.
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        self.0.push(Piece::Line(x, y));
    }

    fn close(&mut self) {
        self.0.push(Piece::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there_and_covers_what_labels_need() {
        let font = Font::new();
        let greek: String = ('α'..='ω').chain('Α'..='Ρ').chain('Σ'..='Ω').collect();
        let signs = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉·×−±′√∞≤≥≠→∂∫∑ħℏÅ°µΩ☉★●○";
        let ascii: String = (' '..='~').collect();
        let missing: Vec<char> =
            ascii.chars().chain(greek.chars()).chain(signs.chars()).filter(|c| !font.covers(*c)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(!font.outline(font.glyphs("A").0[0].0).is_empty());
        assert!(font.width("ii", 12.0) < font.width("WW", 12.0));
    }
}
