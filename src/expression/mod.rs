//! Layer 1: the one expression type. See `node.rs` for what an [`Expr`] holds, `canonical.rs`, `power.rs` and
//! `call.rs` for the canonical form its constructors keep.

mod call;
mod canonical;
pub mod declare;
pub mod function;
mod node;
mod power;
pub mod symbol;
pub mod uncertain;

pub use declare::{Assumptions, Declaration, Declarations, Domain};
pub use function::Function;
pub use node::{Derivative, Expr, Flags, Kind, Relation};
pub use symbol::{Constant, Symbol};
pub use uncertain::{Covariance, Uncertain};
