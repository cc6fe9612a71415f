//! Layer 0: what every other layer stands on and what knows nothing of physics: places in a
//! source, diagnostics, exact numbers, random streams, cancellation, events and suggestions.

pub mod cancel;
pub mod checkpoint;
pub mod diagnostic;
pub mod drawing;
pub mod events;
pub mod hash;
pub mod markup;
pub mod memory;
pub mod number;
pub mod random;
pub mod source;
pub mod stop;
pub mod suggest;
pub mod threads;

pub use cancel::CancelToken;
pub use checkpoint::Checkpoints;
pub use diagnostic::{Code, Diagnostic, Fault, Severity};
pub use drawing::{Canvas, Drawing};
pub use events::{Event, EventSink, Finding, FoundLaw, Meter, Part, Progress, Read};
pub use number::Number;
pub use source::{Source, Span};
pub use stop::StopReason;
pub use threads::Threads;
