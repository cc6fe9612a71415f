//! Layer 6: checker, evaluator, values and built-ins.

pub mod error;
pub mod library;
pub mod types;
