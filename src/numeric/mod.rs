//! Layer 2: numbers in bulk. The [`Tape`] evaluates expressions at many points, by real, complex and dual
//! numbers; least squares (linear and not), differential equations, quadrature, roots, minima, Fourier
//! transforms, statistics and normal deviates stand on it or beside it.

mod error;
pub mod fourier;
pub mod golden;
pub mod least_squares;
pub mod linear;
pub mod minimize;
pub mod newton;
pub mod noise;
pub mod normal;
pub mod ode;
pub mod quadrature;
pub mod roots;
pub mod statistics;
mod tape;
pub mod vector;

pub use error::{CODES, NumericError};
pub use least_squares::{LeastSquares, Options, levenberg_marquardt, multi_start};
pub use linear::{LinearFit, linear_least_squares};
pub use noise::relative_covariance;
pub use tape::{BLOCK, Scratch, Tape};
