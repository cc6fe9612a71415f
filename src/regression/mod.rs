//! Layer 4: laws from data. Engines propose models (`engine.rs`); each model is refined in the target's own space,
//! its constants are snapped where the data allow it (`refine.rs`, `snap.rs`), and the result goes into one archive
//! of accuracy against size (`front.rs`). Later engines (projective, genetic) are further rows of the same table.
//!
//! All numbers are in coherent SI units.

pub mod candidate;
pub mod checkpoint;
pub mod closed;
pub mod describe;
pub mod dimension_algebra;
mod engine;
mod error;
pub mod exhaustive;
mod front;
mod options;
mod problem;
mod projective;
mod refine;
mod size;
mod snap;

pub use candidate::{Candidate, ConstantInfo};
pub use engine::{Batch, Engine, Report, Search, Step, regress};
pub use error::{CODES, RegressError};
pub use front::{Found, Front};
pub use options::{Constants, Method, Plan};
pub use problem::Problem;
pub use size::size;
pub use snap::{Choice, exact_values};

#[cfg(test)]
mod tests;
