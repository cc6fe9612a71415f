//! What the user is told when something is wrong. Every layer has one `thiserror` enum that
//! implements [`Fault`]: a stable code, a message of the form "expected X, found Y", and a hint that
//! is code the user could type. The language attaches the place and gets a [`Diagnostic`]; the front
//! ends render it (through ariadne, one file: `cli/render.rs`).

use super::source::Span;
use std::fmt;

/// A stable error code, printed `P2103`: the first digit is the layer; a code is never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:04}", self.0)
    }
}

/// How grave it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Nothing runs, or what ran is stopped.
    Error,
    /// Probably not what was meant; runs all the same.
    Warning,
    /// Worth knowing (a name was shadowed, a unit was inferred).
    Notice,
}

/// An error of a layer: data inside, words here.
pub trait Fault: fmt::Display {
    /// The stable code.
    fn code(&self) -> Code;
    /// Code the user could type instead, or what would be right.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// One message with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error, warning or notice.
    pub severity: Severity,
    /// The stable code.
    pub code: Code,
    /// Lower case, "expected X, found Y", no full stop.
    pub message: String,
    /// The place, where there is one.
    pub span: Option<Span>,
    /// What to write under the place (may be empty).
    pub label: String,
    /// Further places with a remark each ("declared here").
    pub related: Vec<(Span, String)>,
    /// What would be right.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: Code, span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: span.into(),
            label: String::new(),
            related: Vec::new(),
            hint: None,
        }
    }

    /// A warning.
    pub fn warning(code: Code, span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// A notice.
    pub fn notice(code: Code, span: impl Into<Option<Span>>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Notice, ..Diagnostic::error(code, span, message) }
    }

    /// The diagnostic of a layer's fault at a place.
    pub fn from_fault(fault: &dyn Fault, span: impl Into<Option<Span>>) -> Diagnostic {
        Diagnostic { hint: fault.hint(), ..Diagnostic::error(fault.code(), span, fault.to_string()) }
    }

    /// With words under the place.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// With a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// With a further place.
    pub fn related(mut self, span: Span, remark: impl Into<String>) -> Diagnostic {
        self.related.push((span, remark.into()));
        self
    }

    /// Whether it stops the script.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
