//! The texts that diagnostics point into, shared between a session and whoever renders its messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Source;

/// Sources by number; cheap to clone, all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Sources(Arc<Mutex<BTreeMap<u32, Source>>>);

impl Sources {
    /// Adds one, or replaces that with the same number.
    pub fn insert(&self, source: Source) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(source.id, source);
    }

    /// Adds all.
    pub fn update(&self, sources: &BTreeMap<u32, Source>) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.extend(sources.iter().map(|(id, s)| (*id, s.clone())));
    }

    /// The source with this number.
    pub fn get(&self, id: u32) -> Option<Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}
