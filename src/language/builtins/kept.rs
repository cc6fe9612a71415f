//! Long work that is not done again once it is finished, and goes on where it was once it was stopped.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::{Checkpoints, checkpoint};
use crate::regression::Keeper;
use crate::regression::checkpoint::Kept;
use crate::units::Catalogue;

/// Least time between two states that are written.
const PAUSE: Duration = Duration::from_millis(100);

/// Where states are kept, and what reads their units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub store: Option<&'a dyn Checkpoints>,
    pub catalogue: &'a Catalogue,
}

/// What work finds as bytes: the writer says `None` for what is not to be kept, the reader for bytes of another form.
pub(super) type Form<'f, T> =
    (&'f dyn Fn(&T, &Catalogue) -> Option<Vec<u8>>, &'f dyn Fn(&[u8], &Catalogue) -> Option<Kept<T>>);

impl Place<'_> {
    /// What work of a name, and with a hash of all that decides it, found before, else what `work` finds, which goes on where
    /// it was and keeps its state from time to time; whether it was found before.
    pub fn finished_or<T, E>(
        &self,
        (name, hash): (&str, u64),
        (encode, decode): Form<'_, T>,
        work: impl FnOnce(Option<Keeper<'_>>) -> Result<T, E>,
    ) -> Result<(T, bool), E> {
        let Some(store) = self.store else { return Ok((work(None)?, false)) };
        let key = checkpoint::key(store, name, hash);
        let refuse = || store.refuse(&key, "it is cut short or was written by another version");
        let kept = store.load(&key);
        let mut from = None;
        if let Some(bytes) = &kept {
            match decode(bytes, self.catalogue) {
                Some(Kept::Finished(found)) => return Ok((*found, true)),
                Some(Kept::Under) => from = Some(bytes.as_slice()),
                None => refuse(),
            }
        }
        // When a state was written, and how long that took; writing is never most of the work.
        let written: Mutex<Option<(Instant, Duration)>> = Mutex::new(None);
        let keep = |last: bool, state: &dyn Fn() -> Option<Vec<u8>>| {
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            let due = written.is_none_or(|(when, took)| when.elapsed() >= (took * 10).max(PAUSE));
            if due || last {
                let begun = Instant::now();
                if let Some(bytes) = state() {
                    store.save(&key, &bytes);
                }
                *written = Some((Instant::now(), begun.elapsed()));
            }
        };
        let found = work(Some(Keeper { catalogue: self.catalogue, from, keep: &keep, refuse: &refuse }))?;
        if let Some(bytes) = encode(&found, self.catalogue) {
            store.save(&key, &bytes);
        }
        Ok((found, false))
    }
}
