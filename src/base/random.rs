//! Named random streams. One root seed; a stream per purpose, named by its path
//! (`"regress/island3"`). The generator is ChaCha8 with the seed as key and a fixed hash of the path
//! as stream number, so that no stream depends on how much another was used or on the threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::hash;

/// The generator of one stream.
pub type Rng = ChaCha8Rng;

/// A root seed from which streams are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// Streams of a seed.
    pub fn new(seed: u64) -> Streams {
        Streams { seed }
    }

    /// The seed.
    pub fn seed(self) -> u64 {
        self.seed
    }

    /// The stream with this path, from its start.
    pub fn stream(self, path: &str) -> Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(hash::of_str(path));
        rng
    }

    /// The stream of block `index` under a path (parallel draws use one stream a block of rows).
    pub fn block(self, path: &str, index: u64) -> Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(hash::combine(hash::of_str(path), index));
        rng
    }
}
