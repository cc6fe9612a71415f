//! Rows from a generator that never ends: a simulator that draws each batch from a random stream of its own, named after
//! the generator and numbered by the batch.

use std::fmt;
use std::sync::Arc;

use candle_core::DType;

use super::{Order, Place, Source};
use crate::base::hash;
use crate::base::random::{Rng, Streams};
use crate::networks::error::NetworkError;
use crate::networks::objective::Batch;
use crate::networks::shape::Shape;

/// Makes a batch of so many rows of this type of number, or says why not.
type Make = dyn Fn(&mut Rng, usize, DType) -> Result<Batch, String> + Send + Sync;

/// A generator as a source.
#[derive(Clone)]
pub struct Stream {
    name: String,
    batches: u64,
    size: usize,
    inputs: Vec<Vec<usize>>,
    target: Option<Vec<usize>>,
    version: u64,
    make: Arc<Make>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.name)
    }
}

impl Stream {
    /// A generator: its name, that of its random stream; how many batches are an epoch; rows of a batch where the plan
    /// says nothing; sizes of inputs and target of a row; and what makes a batch.
    pub fn new(
        name: &str,
        batches: u64,
        size: usize,
        inputs: Vec<Vec<usize>>,
        target: Option<Vec<usize>>,
        make: impl Fn(&mut Rng, usize, DType) -> Result<Batch, String> + Send + Sync + 'static,
    ) -> Stream {
        let make = Arc::new(make);
        Stream {
            name: name.into(),
            batches: batches.max(1),
            size: size.max(1),
            inputs,
            target,
            version: 0,
            make,
        }
    }

    /// The same with a hash of what decides the rows beside the name (the settings of a simulator).
    pub fn with_version(mut self, version: u64) -> Stream {
        self.version = version;
        self
    }

    fn draw(&self, path: &str, number: u64, order: &Order) -> Result<Batch, NetworkError> {
        let mut rng: Rng = Streams::block(order.streams, &format!("data/{}{path}", self.name), number);
        let rows = order.size.unwrap_or(self.size);
        let fault =
            |message: String| NetworkError::Generator { name: self.name.clone(), batch: number, message };
        let batch = (self.make)(&mut rng, rows, order.dtype).map_err(fault)?;
        let fits = |sizes: &[usize], dims: &[usize]| dims.first() == Some(&rows) && dims[1..] == *sizes;
        let inputs = batch.inputs.len() == self.inputs.len()
            && batch.inputs.iter().zip(&self.inputs).all(|(t, sizes)| fits(sizes, t.dims()));
        let target = match (&batch.target, &self.target) {
            (Some(t), Some(sizes)) => fits(sizes, t.dims()),
            (None, None) => true,
            _ => false,
        };
        if inputs && target {
            return Ok(batch);
        }
        let dims: Vec<&[usize]> = batch.inputs.iter().chain(&batch.target).map(|t| t.dims()).collect();
        Err(fault(format!(
            "{rows} rows of {:?} and {:?} are declared, {dims:?} came",
            self.inputs, self.target
        )))
    }
}

impl Source for Stream {
    fn fingerprint(&self) -> u64 {
        let words =
            format!("{} {} {} {:?} {:?}", self.name, self.batches, self.size, self.inputs, self.target);
        hash::combine(hash::of_str(&words), self.version)
    }

    fn rows(&self) -> Option<usize> {
        None
    }

    fn batches(&self, _: Option<usize>) -> u64 {
        self.batches
    }

    fn inputs(&self) -> Vec<Shape> {
        self.inputs.iter().map(|s| Shape::new(s)).collect()
    }

    fn target(&self) -> Option<Shape> {
        self.target.as_deref().map(Shape::new)
    }

    fn check(&self) -> Result<(), NetworkError> {
        Ok(())
    }

    fn check_classes(&self, _: usize, _: &'static str) -> Result<(), NetworkError> {
        Ok(())
    }

    fn batch(&self, place: Place, order: &Order) -> Result<Batch, NetworkError> {
        self.draw("", place.epoch.wrapping_mul(self.batches).wrapping_add(place.index), order)
    }

    fn plain(&self, index: u64, order: &Order) -> Result<Batch, NetworkError> {
        self.draw("/plain", index, order)
    }

    fn rows_of(&self, _: Place, _: &Order) -> Vec<usize> {
        Vec::new()
    }

    fn fixed(&self, _: Option<usize>) -> bool {
        false
    }
}
