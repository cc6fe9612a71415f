//! Networks: layers and networks as plain values, their weights, what they are trained on and the training itself. The
//! only code that names the tensor library.
//!
//! A [`Layer`] is data; with shapes for its inputs it becomes a [`Model`] with [`Parameters`]; `train` changes those.

pub(crate) mod bytes;
#[cfg(test)]
pub(crate) mod check;
mod codes;
pub mod data;
pub mod error;
pub mod generate;
pub mod layer;
pub mod lengths;
pub mod loss;
pub mod metric;
pub mod model;
pub mod objective;
pub mod ops;
pub mod optimise;
pub mod parameters;
pub mod scaling;
pub mod settings;
pub mod shape;
pub mod symbolic;
pub mod train;
pub mod use_of;

pub use codes::CODES;
pub use error::NetworkError;
pub use layer::{KINDS, Kind, Layer, Setting};
pub use lengths::{Lengths, Varies};
pub use model::{Model, Pass, SummaryRow, output_shape, summary};
pub use parameters::{Parameters, Precision};
pub use shape::Shape;
