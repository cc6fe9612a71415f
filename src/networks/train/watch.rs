//! Who watches a training, and where it keeps its state.

use std::time::{Duration, Instant};

use crate::base::{CancelToken, Checkpoints, EventSink, checkpoint};
use crate::networks::error::NetworkError;

/// Least time between two states that are written.
const PAUSE: Duration = Duration::from_millis(100);

/// Who watches a training, and where it keeps its state.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// Is told how far it is.
    pub events: &'a EventSink,
    /// What the result is bound to.
    pub name: Option<&'a str>,
    /// Where states are kept.
    pub checkpoints: Option<&'a dyn Checkpoints>,
    /// Asked before each step.
    pub cancel: &'a CancelToken,
}

impl Watch<'_> {
    /// The work as listeners are told of it.
    pub(super) fn task(&self) -> String {
        self.name.map_or_else(|| "train".into(), |name| format!("train {name}"))
    }
}

/// Keeps the state of one training.
pub(super) struct Keeper<'a> {
    store: Option<(&'a dyn Checkpoints, String)>,
    /// When a state was written, and how long that took; writing is never most of the work.
    written: Option<(Instant, Duration)>,
}

impl<'a> Keeper<'a> {
    /// Of the training that this hash names.
    pub fn new(store: Option<&'a dyn Checkpoints>, hash: u64) -> Keeper<'a> {
        let store = store.map(|store| (store, checkpoint::key(store, "train", hash)));
        Keeper { store, written: None }
    }

    /// The state of an earlier run that `read` takes. One that it does not take is refused: the training begins anew.
    pub fn resume<T>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let (store, key) = self.store.as_ref()?;
        let bytes = store.load(key)?;
        let state = read(&bytes);
        if state.is_none() {
            store.refuse(key, "it is cut short, or of another network, or was written by another version");
        }
        state
    }

    /// Keeps a state, now and then or where it is the last.
    pub fn keep(
        &mut self,
        last: bool,
        state: impl FnOnce() -> Result<Vec<u8>, NetworkError>,
    ) -> Result<(), NetworkError> {
        let Some((store, key)) = &self.store else { return Ok(()) };
        let due = self.written.is_none_or(|(when, took)| when.elapsed() >= (took * 10).max(PAUSE));
        if due || last {
            let begun = Instant::now();
            store.save(key, &state()?);
            self.written = Some((Instant::now(), begun.elapsed()));
        }
        Ok(())
    }
}
