//! Engines say what happens through typed events; terminal, JSON and (later) run folders and
//! notebooks are listeners. Nothing outside the front ends prints.

use super::diagnostic::Diagnostic;
use super::drawing::Drawing;
use super::stop::StopReason;
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
    /// A file was read.
    Read(Read),
    /// A search, a fit or a training ended.
    Finding(Arc<Finding>),
}

/// A file of data that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Where it is, as it was opened.
    pub path: std::path::PathBuf,
    /// What it holds, in words (`24 rows: r [Mpc], v [km/s]`).
    pub summary: String,
}

/// What a search, a fit or a training came to. Texts are exact (floats in the shortest digits that read back), so that
/// two runs can be compared.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Finding {
    /// What was done ("regress").
    pub task: String,
    /// The name its result is bound to, where there is one.
    pub name: Option<String>,
    /// What was looked for (the target's name).
    pub target: String,
    /// The answer as it is shown, several lines.
    pub text: String,
    /// The laws, smallest first.
    pub laws: Vec<FoundLaw>,
    /// Figures of the whole, by name ("work").
    pub figures: Vec<(&'static str, f64)>,
    /// Why it stopped.
    pub stopped: Option<StopReason>,
    /// The seed it used.
    pub seed: u64,
    /// Whether the answer was taken from a checkpoint.
    pub resumed: bool,
    /// The answer beside its data, for a report, where they are known.
    pub part: Option<Part>,
}

/// A part of a report, made when it is asked for: HTML whose identifiers begin with the word it is given. Empty where
/// there is nothing to show.
#[derive(Clone)]
pub struct Part(Arc<dyn Fn(&str) -> String + Send + Sync>);

impl Part {
    /// A part that `make` makes.
    pub fn new(make: impl Fn(&str) -> String + Send + Sync + 'static) -> Part {
        Part(Arc::new(make))
    }

    /// The HTML.
    pub fn html(&self, word: &str) -> String {
        (self.0)(word)
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Part) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Part")
    }
}

/// A law of a [`Finding`].
#[derive(Clone, Debug, PartialEq)]
pub struct FoundLaw {
    /// In exact form.
    pub expression: String,
    /// As LaTeX.
    pub latex: String,
    /// Its number of operators and leaves.
    pub size: usize,
    /// Mean squared residual in SI.
    pub loss: f64,
    /// Share of the target's variance explained.
    pub r2: f64,
    /// Description length in nats.
    pub description_length: f64,
    /// What it is made of, by name: words, parts, constants of groups.
    pub beside: Vec<(String, String)>,
    /// Whether it is the one chosen.
    pub chosen: bool,
}

/// How far long work is. Rates and times left are the listener's business: engines know no clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done ("regress").
    pub task: String,
    /// Units of work done so far.
    pub done: u64,
    /// Units of work in all, where that is known; the work is over when all are done.
    pub total: Option<u64>,
    /// Seconds after which the work stops by the clock, where it does.
    pub limit: Option<f64>,
    /// What one unit is ("candidates").
    pub unit: &'static str,
    /// The best so far, in words.
    pub best: Option<String>,
    /// All that is worth showing so far, a line each: the front of a search.
    pub lines: Vec<String>,
}

/// Tells how far a piece of work is, and that it is over when it is dropped.
#[derive(Debug)]
pub struct Meter<'a> {
    sink: &'a EventSink,
    progress: Progress,
}

impl<'a> Meter<'a> {
    /// Begins a piece of work; `unit` is what is counted ("rows").
    pub fn new(sink: &'a EventSink, task: &str, unit: &'static str, total: Option<u64>) -> Meter<'a> {
        let progress =
            Progress { task: task.into(), done: 0, total, limit: None, unit, best: None, lines: Vec::new() };
        sink.send(Event::Progress(progress.clone()));
        Meter { sink, progress }
    }

    /// Says that the work stops after so many seconds.
    pub fn limit(mut self, seconds: Option<f64>) -> Meter<'a> {
        self.progress.limit = seconds;
        self
    }

    /// Says that `done` units are done. `best`, where there is a new one, is the best so far in words.
    pub fn at(&mut self, done: u64, best: Option<String>) {
        self.progress.done = done;
        if best.is_some() {
            self.progress.best = best;
        }
        self.sink.send(Event::Progress(self.progress.clone()));
    }

    /// Shows lines beside the next figures.
    pub fn lines(&mut self, lines: Vec<String>) {
        self.progress.lines = lines;
    }

    /// Says what the whole is, where that was not known at the start.
    pub fn total(&mut self, total: u64) {
        self.progress.total = Some(total);
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.progress.done = self.progress.total.unwrap_or(self.progress.done);
        self.progress.total = Some(self.progress.done);
        self.sink.send(Event::Progress(self.progress.clone()));
    }
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
