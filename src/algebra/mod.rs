//! Layer 2: simplification, calculus, equations, series.

pub mod collect;
pub mod equivalent;
pub mod error;
pub mod expand;
mod factor;
pub mod facts;
mod fraction;
mod gcd;
mod kernels;
mod polynomial;
mod probe;
pub mod rational;
pub mod series;
pub mod simplify;
pub mod size;
pub mod solve;
pub mod system;
mod verify;

pub use collect::collect;
pub use equivalent::{Verdict, equivalent};
pub use error::{AlgebraError, CODES};
pub use expand::{expand, try_expand};
pub use facts::{Facts, Knowledge, prove};
pub use rational::{cancel, cancel_and_factor, factor, numerator_denominator, together, vanishes};
pub use series::series;
pub use simplify::{Limits, Rule, Rules, Simplified, nonzero_condition, simplify};
pub use size::{Costs, Token, size, size_by};
pub use solve::{Solutions, solve};
pub use system::solve_linear_system;
