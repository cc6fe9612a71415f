//! Where long work keeps its state between runs. An engine asks for the state under its key before it begins, and gives
//! a new one from time to time; what the bytes mean is its own affair. The key names the work: what is done, a hash of
//! everything that decides the result, and how many equal pieces of work came before ([`key`]).

use std::fmt::Debug;

/// A store of states, one a key.
pub trait Checkpoints: Send + Sync + Debug {
    /// The state kept under a key by an earlier run.
    fn load(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps a state in place of the one before. Where that fails the store tells its user; the work goes on.
    fn save(&self, key: &str, state: &[u8]);

    /// A number for a further piece of work of this name: 0, 1, ... in the order in which they begin.
    fn turn(&self, name: &str) -> u64;

    /// Says that the state under a key cannot be used, and why.
    fn refuse(&self, key: &str, reason: &str);
}

/// The key of a piece of work: `regress-0123456789abcdef-0`.
pub fn key(store: &dyn Checkpoints, task: &str, hash: u64) -> String {
    let name = format!("{task}-{hash:016x}");
    let turn = store.turn(&name);
    format!("{name}-{turn}")
}
