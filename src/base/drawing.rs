//! What a listener needs of a figure: its forms. Figures are made two layers up; terminal, run folder and notebooks
//! draw them through this trait and know no more of them.

use std::fmt::Debug;

/// How a terminal can draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Canvas {
    /// Columns of text.
    pub width: usize,
    /// Lines of text.
    pub height: usize,
    /// Whether colour escapes may be sent.
    pub colour: bool,
    /// Whether characters beyond ASCII may be sent.
    pub unicode: bool,
}

impl Default for Canvas {
    fn default() -> Canvas {
        Canvas { width: 80, height: 24, colour: false, unicode: true }
    }
}

/// A figure as its listeners see it. The same figure gives the same bytes everywhere.
pub trait Drawing: Debug + Send + Sync {
    /// Its title, which may be empty.
    fn title(&self) -> &str;

    /// Lines of text, at most `canvas.width` columns wide, without the final newline.
    fn terminal(&self, canvas: &Canvas) -> String;

    /// A self-contained SVG document.
    fn svg(&self) -> String;

    /// A PNG file, `scale` pixels to a unit of the SVG.
    fn png(&self, scale: f32) -> Vec<u8>;
}
