//! A token polled in every loop: Ctrl-C, a time limit or a host program sets it, and the work returns
//! what it has found so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::stop::StopReason;

/// A shared flag with an optional deadline.
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl CancelToken {
    /// A token that nobody has set.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// The same flag with a deadline; the earlier of both deadlines holds.
    pub fn with_deadline(&self, deadline: Instant) -> CancelToken {
        let deadline = self.deadline.map_or(deadline, |d| d.min(deadline));
        CancelToken { flag: self.flag.clone(), deadline: Some(deadline) }
    }

    /// Asks all holders to stop.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Makes the token fresh again (the prompt does so before each line).
    pub fn reset(&self) {
        self.flag.store(false, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop; cheap enough for inner loops.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Why to stop now, if at all. Looks at the clock only where a deadline was set.
    pub fn stop(&self) -> Option<StopReason> {
        if self.is_cancelled() {
            return Some(StopReason::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Some(StopReason::Time),
            _ => None,
        }
    }
}
