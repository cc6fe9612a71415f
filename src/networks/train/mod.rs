//! The training loop: one page for every experiment. A network, an objective and batches go in; what comes out has the best
//! and the last weights, the history, and why it ended. The loop is a function of the seed alone: order, augmentation and
//! masks come from streams named after epoch and step, all state is in `state::State`, and that is written and read without
//! loss, so a training that was interrupted between any two steps ends in the same bytes as one that never stopped.

mod plan;
mod run;
mod state;
mod trained;
mod watch;

pub use plan::{Length, Plan};
pub use trained::{Divergence, Ended, Record, Trained};
pub use watch::Watch;

use std::time::{Duration, Instant};

use run::Run;
use watch::Keeper;

use super::data::{Order, Source};
use super::error::NetworkError;
use super::model::{Model, Pass};
use super::objective::Objective;
use super::ops;
use crate::base::{Event, Meter, StopReason};

/// What is trained on, and what it is judged by.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    /// Batches of it make the steps.
    pub train: &'a dyn Source,
    /// Its loss decides which weights are the best, and when patience ends; without it that of the training does.
    pub validation: Option<&'a dyn Source>,
}

/// Trains a model. Its parameters change in place: clones of the model change with it.
///
/// # Errors
/// Plan, data, objective and model do not fit each other, found before anything is done; or an operation fails. A loss
/// that is not finite is no error: [`Ended::Diverged`] names the batch, and the last good weights are kept.
pub fn train(
    model: Model,
    objective: &dyn Objective,
    data: Data<'_>,
    plan: &Plan,
    watch: Watch<'_>,
) -> Result<Trained, NetworkError> {
    plan.check(&model, objective, data)?;
    // Going back through a deep graph recurses.
    ops::deep(|| on_deep_stack(model, objective, data, plan, watch))?
}

fn on_deep_stack(
    model: Model,
    objective: &dyn Objective,
    data: Data<'_>,
    plan: &Plan,
    watch: Watch<'_>,
) -> Result<Trained, NetworkError> {
    let deadline = plan.time.map(|t| Instant::now() + Duration::from_secs_f64(t.min(1e9)));
    let cancel = deadline.map_or_else(|| watch.cancel.clone(), |at| watch.cancel.with_deadline(at));
    let mut run = Run::begin(model, objective, data, plan, &cancel)?;
    let mut keeper = Keeper::new(watch.checkpoints, run.fingerprint()?);
    let resumed = keeper.resume(|bytes| run.load(bytes)).is_some();

    let mut meter = Meter::new(watch.events, &watch.task(), "steps", run.steps()).limit(plan.time);

    while run.ended().is_none() {
        match cancel.stop() {
            Some(reason) => run.interrupt(reason),
            None => run.step()?,
        }
        if run.epoch_is_over()
            && let Some(record) = run.finish_epoch()?
        {
            tell(&watch, objective, &record);
        }
        keeper.keep(false, || run.save())?;
        meter.at(run.step_number(), run.best_in_words());
    }

    run.settle()?;
    keeper.keep(true, || run.save())?;
    run.report(resumed)
}

/// Tells listeners of an epoch.
fn tell(watch: &Watch<'_>, objective: &dyn Objective, record: &Record) {
    let send = |name: &str, value: f64| {
        let (task, step, name) = (watch.task(), record.epoch, name.to_string());
        watch.events.send(Event::Metric { task, step, name, value });
    };
    send("loss", record.loss);
    if let Some(loss) = record.validation {
        send("validation_loss", loss);
    }
    objective.metrics().iter().zip(&record.metrics).for_each(|(m, value)| send(m.name, *value));
    send("rate", record.rate);
}

/// Loss and figures of merit of a model on all rows of a source, in batches of `order`: the mean of the batches' losses
/// by their weights, and each metric of all rows together.
///
/// # Errors
/// Shapes that do not fit, or a generator that fails.
pub fn evaluate(
    model: &Model,
    objective: &dyn Objective,
    source: &dyn Source,
    order: &Order,
) -> Result<(f64, Vec<f64>), NetworkError> {
    let mut sums = vec![Vec::new(); objective.metrics().len()];
    let (mut loss, mut weight) = (0.0, 0.0);
    for index in 0..source.batches(order.size) {
        let batch = source.plain(index, order)?;
        let seen = objective.evaluate(model, &batch, &mut Pass::inference(), &mut sums)?;
        loss += seen.weight * seen.loss;
        weight += seen.weight;
    }
    let metrics = objective.metrics().iter().zip(&sums).map(|(m, s)| m.value(s)).collect();
    Ok((loss / weight, metrics))
}

#[cfg(test)]
mod tests;
