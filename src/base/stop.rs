//! Why a bounded search stopped.

use std::fmt;

/// The reason, part of every answer of a bounded search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StopReason {
    /// What was looked for is there; more work could not improve it.
    Found,
    /// What the user asked for is reached.
    Goal,
    /// All that was asked for is done: every epoch of a training.
    Finished,
    /// Nothing new can be derived or tried.
    Saturated,
    /// The bound on nodes was reached.
    Nodes,
    /// The bound on work was reached.
    Work,
    /// The time limit the user set was reached.
    Time,
    /// Ctrl-C, or the host asked to stop.
    Cancelled,
}

impl StopReason {
    /// The reason that a word stands for.
    pub fn from_word(word: &str) -> Option<StopReason> {
        use StopReason::*;
        [Found, Goal, Finished, Saturated, Nodes, Work, Time, Cancelled]
            .into_iter()
            .find(|r| r.word() == word)
    }

    /// The word used in JSON and in messages.
    pub fn word(self) -> &'static str {
        match self {
            StopReason::Found => "found",
            StopReason::Goal => "goal",
            StopReason::Finished => "finished",
            StopReason::Saturated => "saturated",
            StopReason::Nodes => "nodes",
            StopReason::Work => "work",
            StopReason::Time => "time",
            StopReason::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
