//! phys: a symbolic-first scientific language. A physical law is a value: checked for units,
//! simplified in an e-graph, differentiated, sampled, fitted, and found again in data.
//!
//! The modules are layers; each uses only those below it (`tests/all/layering.rs` fails otherwise).

// 0
pub mod base;
// 1
pub mod expression;
pub mod syntax;
pub mod units;
// 2
pub mod algebra;
pub mod numeric;
// 3
pub mod data;
pub mod plot;
// 4
#[cfg(feature = "networks")]
pub mod networks;
pub mod regression;
// 5
pub mod discovery;
// 6
pub mod language;
// 7
pub mod session;
// 8
pub mod cli;
pub mod repl;
