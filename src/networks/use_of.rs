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

/// What a model gives for rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// The numbers, row by row.
    pub numbers: Vec<f64>,
    /// How many elements each row has, where the output varies in length.
    pub lengths: Option<Vec<usize>>,
}

/// The outputs of a model for all rows of a source, `at_once` rows at a time.
///
/// # Errors
/// Shapes that do not fit, or a generator that fails.
pub fn outputs(model: &Model, source: &dyn Source, at_once: usize) -> Result<Outputs, NetworkError> {
    let order = order(model, at_once);
    let (mut all, mut lengths) = (Vec::new(), Vec::new());
    for index in 0..source.batches(order.size) {
        let batch = source.plain(index, &order)?;
        let output = model.forward_rows(&batch.inputs, &batch.lengths, &mut Pass::inference())?;
        let presence = model.present(&batch.lengths, &output)?;
        if model.output.varies().is_some() {
            match &presence {
                Some(presence) => lengths.extend(presence.rows()),
                None => lengths.resize(lengths.len() + output.dim(0)?, output.dim(1)?),
            }
        }
        all.extend(numbers(&match presence {
            Some(presence) => presence.gather(&output)?,
            None => output,
        })?);
    }
    Ok(Outputs { numbers: all, lengths: model.output.varies().map(|_| lengths) })
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
