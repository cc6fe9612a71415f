//! Layer 1: the one expression type. See `node.rs` for what an [`Expr`] holds, `canonical.rs`, `power.rs` and
//! `call.rs` for the canonical form its constructors keep.

#[doc(hidden)]
pub mod arbitrary;
mod call;
mod canonical;
mod complex;
pub mod declare;
mod diff;
mod evaluate;
pub mod function;
pub mod import;
mod node;
mod power;
pub mod print;
mod propagate;
pub mod read;
mod substitute;
pub mod symbol;
pub mod uncertain;

pub use declare::{Assumptions, Declaration, Declarations, Domain};
pub use function::Function;
pub use node::{Derivative, Expr, Flags, Kind, Relation};
pub use read::{CODES, ReadError, Rule};
pub use symbol::{Constant, Symbol};
pub use uncertain::{Covariance, Uncertain};
