//! Faults of a session. Codes P70xx.

use std::any::Any;

use crate::base::{Code, Diagnostic};

/// The report of a panic.
pub fn bug(panic: &(dyn Any + Send)) -> Diagnostic {
    let words = panic
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into());
    Diagnostic::error(Code(7001), None, format!("this is a bug in phys: {words}"))
        .hint("the session goes on as it was before this line; please report the line")
}

/// What the codes mean.
pub const CODES: &[(u16, &str, &str)] = &[(
    7001,
    "bug",
    "The evaluation ended in a panic. That is a fault of phys, never of the program; the session goes on as it was.",
)];
