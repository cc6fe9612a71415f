//! Engines say what happens through typed events; terminal, JSON and (later) run folders and
//! notebooks are listeners. Nothing outside the front ends prints.

use super::diagnostic::Diagnostic;
use super::drawing::Drawing;
use std::sync::{Arc, Mutex};

/// Something that happened while a script runs.
#[derive(Clone, Debug)]
pub enum Event {
    /// Text of `print` or of a bare expression, one or more lines without the final newline.
    Text(String),
    /// A warning or notice met while running.
    Diagnostic(Diagnostic),
    /// A figure that was shown.
    Figure(Arc<dyn Drawing>),
    /// Long work goes on.
    Progress(Progress),
    /// A number that long work reports of one of its steps (a loss of an epoch).
    Metric {
        /// What is being done ("regress").
        task: String,
        /// The step (round, epoch) it belongs to.
        step: u64,
        /// What was measured ("loss").
        name: String,
        /// Its value.
        value: f64,
    },
}

/// How far long work is. Rates and times left are the listener's business: engines know no clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done ("regress").
    pub task: String,
    /// Units of work done so far.
    pub done: u64,
    /// Units of work in all, where that is known.
    pub total: Option<u64>,
    /// What one unit is ("candidates").
    pub unit: &'static str,
    /// The best so far, in words.
    pub best: Option<String>,
}

/// Where events go. Cheap to clone; may be shared between threads.
#[derive(Clone)]
pub struct EventSink(Arc<dyn Fn(Event) + Send + Sync>);

impl EventSink {
    /// A sink that calls `listener` with each event.
    pub fn new(listener: impl Fn(Event) + Send + Sync + 'static) -> EventSink {
        EventSink(Arc::new(listener))
    }

    /// A sink that drops everything.
    pub fn none() -> EventSink {
        EventSink::new(|_| {})
    }

    /// A sink that collects, and the collection.
    pub fn collect() -> (EventSink, Arc<Mutex<Vec<Event>>>) {
        let list = Arc::new(Mutex::new(Vec::new()));
        let into = list.clone();
        let sink = EventSink::new(move |event| {
            if let Ok(mut list) = into.lock() {
                list.push(event);
            }
        });
        (sink, list)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        (self.0)(event)
    }
}

impl std::fmt::Debug for EventSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventSink")
    }
}
