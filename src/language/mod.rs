//! Layer 6: checker, evaluator, values and built-ins. The way of a program: the checker (`check/`) reads the
//! whole tree and reports every fault; the evaluator (`statements.rs`, `evaluate.rs`, `calls.rs`) runs it. What
//! Rust implements stands in `builtins/`, declared in `stdlib/`.

pub mod arguments;
pub mod builtins;
pub mod calls;
pub mod check;
pub mod context;
pub mod decide;
pub mod dimension;
pub mod error;
pub mod evaluate;
pub mod formulas;
pub mod library;
pub mod members;
pub mod operations;
pub mod overrides;
pub mod render;
pub mod statements;
pub mod system;
pub mod types;
mod unknowns;
pub mod value;

pub use context::Context;
pub use error::Error;
pub use library::Library;
pub use value::Value;
