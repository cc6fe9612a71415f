//! Layer 4: laws from data. Engines propose models (`engine.rs`), the one whose step is most worth its work at a time
//! (`scheduler.rs`); each model is refined in the target's own space,
//! its constants are snapped where the data allow it (`refine.rs`, `snap.rs`), and the result goes into one archive
//! of accuracy against size (`front.rs`).
//!
//! All numbers are in coherent SI units.

mod algebraic;
pub mod cancel;
pub mod candidate;
pub mod checkpoint;
pub mod closed;
pub mod complex;
pub mod complexity;
pub mod describe;
pub mod dimension_algebra;
mod engine;
mod error;
pub mod exhaustive;
pub mod form;
mod front;
mod genetic;
pub mod groups;
mod guesses;
pub mod journal;
pub mod loss;
mod options;
mod parts;
pub mod prepare;
mod problem;
mod projective;
mod refine;
pub mod rules;
mod scheduler;
mod size;
mod snap;
pub mod spelling;
mod symmetry;
mod template;
pub mod vectors;

pub use candidate::{Candidate, ConstantInfo, Model, Parameter};
pub use complex::{
    ComplexColumn, ComplexLaw, ComplexTarget, FoundComplex, regress_complex, regress_complex_kept,
};
pub use engine::{
    Batch, Engine, INTERVAL, Keep, Keeping, Report, SWITCHES, Search, Step, regress, regress_kept,
};
pub use error::{CODES, RegressError};
pub use front::{Found, Front};
pub use groups::{FoundGroups, GroupLaw, OwnConstant, regress_groups, regress_groups_kept};
pub use journal::{Journal, Keeper};
pub use options::{Constants, Criteria, Method, OwnOperator, Plan, Until};
pub use problem::Problem;
pub use scheduler::Gain;
pub use size::size;
pub use snap::{Choice, exact_values};
pub use template::numbers;
pub use vectors::{
    Derived, FoundVector, VectorLaw, VectorTarget, Vectors, regress_vector, regress_vector_kept,
};

#[cfg(test)]
mod scheduler_tests;
#[cfg(test)]
mod tests;
