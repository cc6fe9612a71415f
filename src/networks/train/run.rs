//! A training under way: what a step and the end of an epoch do to its state.

use super::state::{Best, Snapshot, State, put, snapshot};
use super::trained::{Divergence, Ended, Record, Trained};
use super::{Data, Length, Plan, StopReason, evaluate};
use crate::base::random::Streams;
use crate::base::{CancelToken, hash};
use crate::networks::data::{Order, Place, Source};
use crate::networks::error::NetworkError;
use crate::networks::model::{Model, Pass};
use crate::networks::objective::{Batch, Objective, numbers};
use crate::networks::optimise::numbers::Numbers;
use crate::networks::optimise::{Clock, Ground};

/// A training under way.
pub(super) struct Run<'a> {
    model: Model,
    objective: &'a dyn Objective,
    data: Data<'a>,
    plan: &'a Plan,
    order: Order,
    /// Batches of an epoch.
    batches: u64,
    /// Whether all steps see the same function of the weights: the same batch, and a network that is no other in training.
    fixed: bool,
    /// Polled within a step.
    cancel: CancelToken,
    state: State,
}

/// Rows that weights are judged by at the end of an epoch, where no validation data do.
const JUDGED: usize = 256;

/// Whether a network computes something else in training than afterwards.
fn differs(model: &Model) -> bool {
    !model.buffers.is_empty() || model.network.drops()
}

impl<'a> Run<'a> {
    /// Before the first step.
    pub fn begin(
        model: Model,
        objective: &'a dyn Objective,
        data: Data<'a>,
        plan: &'a Plan,
        cancel: &CancelToken,
    ) -> Result<Run<'a>, NetworkError> {
        let state = State::begin(&model, plan)?;
        let order = Order { size: plan.batch, streams: Streams::new(plan.seed), dtype: model.dtype() };
        let batches = data.train.batches(plan.batch).max(1);
        let fixed = batches == 1 && data.train.fixed(plan.batch) && !differs(&model);
        let cancel = cancel.clone();
        let mut run = Run { model, objective, data, plan, order, batches, fixed, cancel, state };
        if plan.further
            && let Some(loss) = run.loss_now()?
        {
            let weights = snapshot(&run.model)?;
            run.judge(loss, 0, weights);
        }
        Ok(run)
    }

    /// A hash of all that decides the result.
    pub fn fingerprint(&self) -> Result<u64, NetworkError> {
        let words = format!("{} {}", self.objective.describe(), self.plan.words());
        let mut total = hash::combine(hash::of_str(&words), self.model.architecture());
        for set in [&self.model.parameters, &self.model.buffers] {
            total = set.flatten()?.iter().fold(total, |h, x| hash::combine(h, x.to_bits()));
        }
        total = hash::combine(total, hash::of_str(&format!("{:?}", self.model.dtype())));
        total = hash::combine(total, self.data.train.fingerprint());
        Ok(hash::combine(total, self.data.validation.map_or(0, |v| v.fingerprint())))
    }

    /// Steps in all; `None` where only time bounds them.
    pub fn steps(&self) -> Option<u64> {
        Some(self.plan.steps(self.batches)).filter(|n| *n < u64::MAX)
    }

    /// Steps done.
    pub fn step_number(&self) -> u64 {
        self.state.step
    }

    /// Why it is over, if it is.
    pub fn ended(&self) -> Option<&Ended> {
        self.state.ended.as_ref()
    }

    /// Stops between two steps.
    pub fn interrupt(&mut self, reason: StopReason) {
        self.state.ended = Some(Ended::Stopped(reason));
    }

    /// The best loss in words.
    pub fn best_in_words(&self) -> Option<String> {
        let best = self.state.best.as_ref()?;
        Some(format!("loss {:.4e} at epoch {}", best.loss, best.epoch))
    }

    /// The step itself: a batch, its loss, new weights.
    pub fn step(&mut self) -> Result<(), NetworkError> {
        let s = &mut self.state;
        let batch = match self.data.train.batch(s.place, &self.order) {
            // What was learned so far is worth more than the rows that did not come.
            Err(e) if s.step > 0 && self.data.train.rows().is_none() => {
                let message = match e {
                    NetworkError::Generator { message, .. } => message,
                    other => other.to_string(),
                };
                let (epoch, batch) = (s.place.epoch + 1, s.place.index + 1);
                s.ended = Some(Ended::Failed { epoch, batch, message });
                return Ok(());
            }
            other => other?,
        };
        let clock = Clock { step: s.step, steps: self.plan.steps(self.batches), epoch: s.place.epoch };
        s.rate = self.plan.optimiser.rate() * self.plan.schedule.factor(clock, &s.plateau);
        // The weights as they are now become good if their loss is finite.
        s.spare[0].read(&self.model.parameters)?;
        s.spare[1].read(&self.model.buffers)?;
        let streams = self.order.streams;
        let mut ground =
            Ground::new(&self.model, self.objective, &batch, streams, s.step, self.fixed, &self.cancel);
        let taken = match s.method.step(&mut ground, s.rate, self.plan.clip) {
            Err(NetworkError::Stopped { reason }) => {
                put(&mut s.spare, &self.model)?;
                s.ended = Some(Ended::Stopped(reason));
                return Ok(());
            }
            other => other?,
        };
        s.evaluations += taken.evaluations;
        let first = *s.first_loss.get_or_insert(taken.loss);
        if !taken.usable || taken.loss > self.plan.diverged * first.abs().max(1.0) {
            let finite = Numbers::of(&self.model.parameters)?.finite();
            return self.diverge(taken.loss, taken.gradient, &batch, finite);
        }
        std::mem::swap(&mut s.good, &mut s.spare);
        s.good_loss = Some(taken.loss);
        s.good_place = s.place;
        s.epoch_loss += taken.loss;
        s.epoch_batches += 1;
        s.step += 1;
        s.place.index += 1;
        if let Some(averaged) = &mut s.averaged {
            averaged.after_step(self.plan.average, &self.model)?;
        }
        if let Some(reason) = taken.ended {
            s.ended = Some(Ended::Stopped(reason));
        } else if self.plan.length != Length::Bounded && s.step >= self.plan.steps(self.batches) {
            s.ended = Some(Ended::Stopped(StopReason::Finished));
        } else if self.plan.work.is_some_and(|w| s.step >= w) {
            s.ended = Some(Ended::Stopped(StopReason::Work));
        }
        Ok(())
    }

    /// Puts the last good weights back and says which batch broke the training by its loss, or its gradient: this one, or
    /// the one before, where its step made weights that are not finite.
    fn diverge(
        &mut self,
        loss: f64,
        gradient: bool,
        batch: &Batch,
        finite: bool,
    ) -> Result<(), NetworkError> {
        let s = &mut self.state;
        let data = not_finite(batch)?;
        let (place, found) = if finite || data.is_some() {
            let first = s.first_loss.unwrap_or(loss);
            let found = match gradient {
                true => "a gradient that is not finite".to_string(),
                false if loss.is_finite() => {
                    let times = self.plan.diverged;
                    format!("a loss of {loss:.4e}, above {times:e} times the first, {first:.4e},")
                }
                false => format!("a loss of {loss}"),
            };
            (s.place, found)
        } else {
            (s.good_place, "a step to weights that are not finite".to_string())
        };
        let rows = self.data.train.rows_of(place, &self.order);
        let (epoch, batch) = (place.epoch + 1, place.index + 1);
        s.ended = Some(Ended::Diverged(Divergence { epoch, batch, rows, found, data }));
        put(&mut s.good, &self.model)
    }

    /// Whether an epoch ended with the last step, or the training did.
    pub fn epoch_is_over(&self) -> bool {
        let s = &self.state;
        let whole = s.place.index >= self.batches;
        // One that is cancelled goes on later in the middle of its epoch.
        let over = matches!(&s.ended, Some(Ended::Stopped(reason)) if *reason != StopReason::Cancelled);
        s.epoch_batches > 0 && (whole || over)
    }

    /// The end of an epoch: averages, validation, the best weights, patience, schedule, history. `None` where the weights
    /// are no longer finite.
    pub fn finish_epoch(&mut self) -> Result<Option<Record>, NetworkError> {
        let s = &mut self.state;
        let epoch = s.place.epoch + 1;
        let mut raw = snapshot(&self.model)?;
        if !raw[0].finite() {
            self.diverge(f64::NAN, false, &Batch::new(Vec::new(), None), false)?;
            return Ok(None);
        }
        if let Some(averaged) = &mut s.averaged {
            averaged.after_epoch(self.plan.average, epoch, &self.model)?;
        }
        let average = s.averaged.as_mut().filter(|a| a.begun()).map(|a| a.mean().clone());
        // The loss of a single batch is that of the weights before the step.
        let single = self.fixed && average.is_none() && self.data.validation.is_none();
        let mut judged = average.unwrap_or_else(|| if single { s.good.clone() } else { raw.clone() });
        let (mut validation, mut metrics, mut now) = (None, Vec::new(), None);
        if !single {
            put(&mut judged, &self.model)?;
            match self.data.validation {
                Some(source) => {
                    let (loss, values) = self.validate(source)?;
                    (validation, metrics) = (Some(loss), values);
                }
                None => now = self.loss_now()?,
            }
            put(&mut raw, &self.model)?;
        }
        let record = self.record(epoch, validation, metrics);
        let loss = validation.or(now).unwrap_or(record.loss);
        self.judge(loss, epoch, judged);
        let s = &mut self.state;
        self.plan.schedule.observe(&mut s.plateau, loss);
        s.history.push(record.clone());
        s.place = Place { epoch, index: 0 };
        (s.epoch_loss, s.epoch_batches) = (0.0, 0);
        if s.ended.is_none() {
            if self.plan.goal.is_some_and(|goal| loss <= goal) {
                s.ended = Some(Ended::Stopped(StopReason::Goal));
            } else if self.plan.patience.is_some_and(|p| s.waited >= p) {
                s.ended = Some(Ended::Stopped(StopReason::Saturated));
            }
        }
        Ok(Some(record))
    }

    fn validate(&self, source: &dyn Source) -> Result<(f64, Vec<f64>), NetworkError> {
        let rows = source.rows().unwrap_or(usize::MAX);
        let order = Order { size: self.order.size.map(|n| n.min(rows)), ..self.order };
        evaluate(&self.model, self.objective, source, &order)
    }

    /// The loss of the weights as they are: of validation, or of up to [`JUDGED`] training rows in batches that lie evenly
    /// among all. `None` where a function makes the rows, which may be dear.
    fn loss_now(&self) -> Result<Option<f64>, NetworkError> {
        if let Some(source) = self.data.validation {
            return Ok(Some(self.validate(source)?.0));
        }
        let source = self.data.train;
        let Some(rows) = source.rows() else { return Ok(None) };
        let size = self.order.size.unwrap_or(rows).min(rows).max(1);
        let order = Order { size: Some(size), ..self.order };
        let batches = source.batches(order.size).max(1);
        let count = (JUDGED.div_ceil(size) as u64).clamp(1, batches);
        let (mut sum, mut weight) = (0.0, 0.0);
        for k in 0..count {
            let batch = source.plain(k * batches / count, &order)?;
            let mut sums = vec![Vec::new(); self.objective.metrics().len()];
            let seen = self.objective.evaluate(&self.model, &batch, &mut Pass::inference(), &mut sums)?;
            sum += seen.weight * seen.loss;
            weight += seen.weight;
        }
        Ok(Some(sum / weight))
    }

    /// Once a training is over: where the losses were those of weights before a step, the last weights get theirs; where
    /// they were those of some rows, the best weights get that of all.
    pub fn settle(&mut self) -> Result<(), NetworkError> {
        let over = !matches!(&self.state.ended, Some(Ended::Stopped(StopReason::Cancelled)));
        if !over || self.data.validation.is_some() || self.data.train.rows().is_none() {
            return Ok(());
        }
        let all = |run: &Run| {
            Ok::<_, NetworkError>(evaluate(&run.model, run.objective, run.data.train, &run.order)?.0)
        };
        if self.fixed && self.state.averaged.is_none() {
            if matches!(self.state.ended, Some(Ended::Stopped(_))) {
                let (loss, weights) = (all(self)?, snapshot(&self.model)?);
                self.judge(loss, self.state.place.epoch, weights);
            }
            return Ok(());
        }
        let Some(mut best) = self.state.best.take() else {
            // It broke in its first epoch.
            self.state.good_loss = (self.state.step > 0).then(|| all(self)).transpose()?;
            return Ok(());
        };
        let mut now = snapshot(&self.model)?;
        put(&mut best.weights, &self.model)?;
        best.loss = all(self)?;
        put(&mut now, &self.model)?;
        self.state.best = Some(best);
        Ok(())
    }

    fn record(&self, epoch: u64, validation: Option<f64>, metrics: Vec<f64>) -> Record {
        let s = &self.state;
        let loss = s.epoch_loss / s.epoch_batches.max(1) as f64;
        Record { epoch, steps: s.step, rate: s.rate, loss, validation, metrics }
    }

    fn judge(&mut self, loss: f64, epoch: u64, weights: Snapshot) {
        let s = &mut self.state;
        if s.best.as_ref().is_none_or(|best| loss < best.loss) && !loss.is_nan() {
            s.best = Some(Best { loss, epoch, weights });
            s.waited = 0;
        } else {
            s.waited += 1;
        }
    }

    /// What the training came to.
    pub fn report(mut self, resumed: bool) -> Result<Trained, NetworkError> {
        let (last, last_buffers) = (self.model.parameters.copy()?, self.model.buffers.copy()?);
        let (mut best_loss, mut best_epoch) = (None, 0);
        if let Some(best) = &mut self.state.best {
            put(&mut best.weights, &self.model)?;
            (best_loss, best_epoch) = (Some(best.loss), best.epoch);
        } else if self.state.step > 0 {
            best_loss = self.state.good_loss;
        }
        let s = self.state;
        Ok(Trained {
            model: self.model,
            best_loss,
            best_epoch,
            last,
            last_buffers,
            history: s.history,
            ended: s.ended.unwrap_or(Ended::Stopped(StopReason::Finished)),
            steps: s.step,
            evaluations: s.evaluations,
            resumed,
        })
    }

    /// The state as bytes.
    pub fn save(&self) -> Result<Vec<u8>, NetworkError> {
        self.state.save(&self.model)
    }

    /// Takes a state over; `None`, and no change, where it is not whole or of another network.
    pub fn load(&mut self, bytes: &[u8]) -> Option<()> {
        self.state = State::load(bytes, &self.model, self.plan)?;
        Some(())
    }
}

/// The first number of a batch that is not finite, in words.
fn not_finite(batch: &Batch) -> Result<Option<String>, NetworkError> {
    let inputs = batch.inputs.iter().enumerate().map(|(i, t)| (format!("input {}", i + 1), t));
    for (name, tensor) in inputs.chain(batch.target.iter().map(|t| ("the target".to_string(), t))) {
        let all = numbers(tensor)?;
        let width = all.len() / batch.rows().max(1);
        if let Some(k) = all.iter().position(|x| !x.is_finite()) {
            let (row, column) = (k / width.max(1), k % width.max(1));
            return Ok(Some(format!("{name} of the batch holds {} in row {row}, column {column}", all[k])));
        }
    }
    Ok(None)
}
