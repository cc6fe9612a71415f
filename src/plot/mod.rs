//! Layer 3: figures. A [`Figure`] says what is drawn: panels with axes, each with layers (curves, points with errors,
//! histograms, images, contours, streams, fronts). Three back ends draw it: `terminal.rs` in braille dots, and, from
//! the one list of shapes that `layout.rs` makes, `svg.rs` and `png.rs`. The font is embedded and drawn as outlines,
//! numbers are written with fixed precision and nothing is asked of the system: a figure gives the same bytes
//! everywhere.

mod axis;
pub mod colour;
mod contour;
mod error;
mod figure;
mod font;
mod histogram;
mod layout;
mod png;
mod sample;
mod scene;
mod streams;
mod svg;
mod terminal;
#[cfg(test)]
mod tests;
mod ticks;
pub mod typeset;

pub use axis::{Axis, Projection};
pub use contour::{contour, levels};
pub use error::{CODES, PlotError};
pub use figure::{Bars, Contours, Figure, Front, Image, Layer, Mark, Panel, Series, Streams, grid, overlay};
pub use histogram::{Bins, histogram};
pub use sample::{Curve, curve};
pub use streams::streams;
pub use ticks::{Ticks, ticks};
