//! Models in use: outputs and figures of merit for many rows, and the threads that computations run on.

use super::data::{Order, Source};
use super::error::NetworkError;
use super::model::{Model, Pass};
use super::objective::{Objective, numbers};
use super::ops;
use super::train;
use crate::base::random::Streams;

fn order(model: &Model, size: usize) -> Order {
    Order { size: Some(size), streams: Streams::new(0), dtype: model.dtype() }
}

/// The outputs of a model for all rows of a source, row by row, `at_once` rows at a time.
///
/// # Errors
/// Shapes that do not fit, or a generator that fails.
pub fn outputs(model: &Model, source: &dyn Source, at_once: usize) -> Result<Vec<f64>, NetworkError> {
    let order = order(model, at_once);
    let mut all = Vec::new();
    for index in 0..source.batches(order.size) {
        let batch = source.plain(index, &order)?;
        all.extend(numbers(&model.forward(&batch.inputs, &mut Pass::inference())?)?);
    }
    Ok(all)
}

/// Loss and figures of merit on all rows of a source, `at_once` rows at a time.
///
/// # Errors
/// Shapes that do not fit, or a generator that fails.
pub fn evaluate(
    model: &Model,
    objective: &dyn Objective,
    source: &dyn Source,
    at_once: usize,
) -> Result<(f64, Vec<f64>), NetworkError> {
    train::evaluate(model, objective, source, &order(model, at_once))
}

/// Runs on a pool of so many threads (0: all there are) with stacks deep enough for long graphs.
pub fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    match ops::deep_pool(threads) {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}
