//! Where batches come from. A [`Source`] gives the batch at a place of the training and remembers nothing: order and
//! augmentation of an epoch, and the draws of a generator, come from random streams named after the place, so a resumed
//! training continues as if it had never stopped, on any number of threads.

mod array;
mod arrays;
mod augment;
mod stream;

pub use array::{Array, Values};
pub use arrays::Arrays;
pub use augment::{AUGMENTS, Augment};
pub use stream::Stream;

use candle_core::DType;

use super::error::NetworkError;
use super::objective::Batch;
use super::shape::Shape;
use crate::base::random::Streams;

/// A batch of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The batch of the epoch, from 0.
    pub index: u64,
}

/// How batches are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Rows of a batch; `None` for all.
    pub size: Option<usize>,
    /// What order and augmentation are drawn from.
    pub streams: Streams,
    /// The precision of the model.
    pub dtype: DType,
}

/// Data to train on or to validate with.
pub trait Source: Send + Sync {
    /// A hash of all that it gives: the key of a checkpoint holds it.
    fn fingerprint(&self) -> u64;

    /// Rows in all; `None` where they never end.
    fn rows(&self) -> Option<usize>;

    /// Batches of an epoch.
    fn batches(&self, size: Option<usize>) -> u64;

    /// The shape of each input without the batch axis.
    fn inputs(&self) -> Vec<Shape>;

    /// The shape of the target without the batch axis.
    fn target(&self) -> Option<Shape>;

    /// Whether the data can be used: finite numbers, equal lengths.
    ///
    /// # Errors
    /// They cannot; the message names row and column.
    fn check(&self) -> Result<(), NetworkError>;

    /// Whether labels are classes below `classes` and, where it is trained on, none of these is empty. Sequences may lack
    /// classes: these are tokens of a vocabulary.
    ///
    /// # Errors
    /// They are not.
    fn check_classes(&self, classes: usize, which: &'static str) -> Result<(), NetworkError>;

    /// The batch at a place of a training.
    ///
    /// # Errors
    /// A generator failed.
    fn batch(&self, place: Place, order: &Order) -> Result<Batch, NetworkError>;

    /// Batch `index` of an evaluation: the same rows in the same order every time, not augmented.
    ///
    /// # Errors
    /// A generator failed.
    fn plain(&self, index: u64, order: &Order) -> Result<Batch, NetworkError>;

    /// The rows of the batch at a place, counted from 0, for messages; empty where rows have no names.
    fn rows_of(&self, place: Place, order: &Order) -> Vec<usize>;

    /// Whether all batches of this size are the same.
    fn fixed(&self, size: Option<usize>) -> bool;
}
