//! Everything that a training remembers between two steps, and its bytes.

use super::trained::{Ended, Record};
use super::{Plan, StopReason};
use crate::networks::bytes::{Reader, Writer};
use crate::networks::data::Place;
use crate::networks::error::NetworkError;
use crate::networks::model::Model;
use crate::networks::optimise::average::Averaged;
use crate::networks::optimise::numbers::Numbers;
use crate::networks::optimise::{Average, Method, Plateau};

/// What the bytes begin with: name and version of the form.
const MARK: &str = "phys training 2";

/// Weights and buffers at some time.
pub(super) type Snapshot = [Numbers; 2];

pub(super) fn snapshot(model: &Model) -> Result<Snapshot, NetworkError> {
    Ok([Numbers::of(&model.parameters)?, Numbers::of(&model.buffers)?])
}

pub(super) fn put(snapshot: &mut Snapshot, model: &Model) -> Result<(), NetworkError> {
    snapshot[0].write(&model.parameters)?;
    snapshot[1].write(&model.buffers)
}

fn load_snapshot(from: &mut Reader<'_>, model: &Model) -> Option<Snapshot> {
    Some([Numbers::load(from, &model.parameters)?, Numbers::load(from, &model.buffers)?])
}

/// The best weights so far.
pub(super) struct Best {
    pub loss: f64,
    pub epoch: u64,
    pub weights: Snapshot,
}

/// All that changes while a training goes on.
pub(super) struct State {
    pub method: Box<dyn Method>,
    /// The next batch.
    pub place: Place,
    /// Steps done.
    pub step: u64,
    pub evaluations: u64,
    /// Sum of the losses of this epoch, and how many.
    pub epoch_loss: f64,
    pub epoch_batches: u64,
    /// The weights that gave the last finite loss, that loss, and its batch.
    pub good: Snapshot,
    pub good_loss: Option<f64>,
    pub good_place: Place,
    /// Memory for the next good weights.
    pub spare: Snapshot,
    pub first_loss: Option<f64>,
    pub averaged: Option<Averaged>,
    pub best: Option<Best>,
    /// Epochs since the best.
    pub waited: u64,
    pub plateau: Plateau,
    pub rate: f64,
    pub history: Vec<Record>,
    pub ended: Option<Ended>,
}

impl State {
    /// Before the first step.
    pub fn begin(model: &Model, plan: &Plan) -> Result<State, NetworkError> {
        let averaged = match plan.average {
            Average::None => None,
            _ => Some(Averaged::new(model)?),
        };
        let start = Place { epoch: 0, index: 0 };
        Ok(State {
            method: plan.optimiser.begin(&model.parameters)?,
            place: start,
            step: 0,
            evaluations: 0,
            epoch_loss: 0.0,
            epoch_batches: 0,
            good: snapshot(model)?,
            good_loss: None,
            good_place: start,
            spare: snapshot(model)?,
            first_loss: None,
            averaged,
            best: None,
            waited: 0,
            plateau: Plateau::default(),
            rate: plan.optimiser.rate(),
            history: Vec::new(),
            ended: None,
        })
    }

    /// The state as bytes. One that was cancelled is under way.
    pub fn save(&self, model: &Model) -> Result<Vec<u8>, NetworkError> {
        let (s, mut out) = (self, Writer::default());
        out.text(MARK);
        out.u64(model.architecture());
        snapshot(model)?.iter().for_each(|x| x.save(&mut out));
        out.u64(s.place.epoch);
        out.u64(s.place.index);
        out.u64(s.step);
        out.u64(s.evaluations);
        out.f64(s.epoch_loss);
        out.u64(s.epoch_batches);
        s.good.iter().for_each(|x| x.save(&mut out));
        out.option(s.good_loss.as_ref(), |out, x| out.f64(*x));
        out.u64(s.good_place.epoch);
        out.u64(s.good_place.index);
        out.option(s.first_loss.as_ref(), |out, x| out.f64(*x));
        out.option(s.averaged.as_ref(), |out, a| a.save(out));
        out.option(s.best.as_ref(), |out, best| {
            out.f64(best.loss);
            out.u64(best.epoch);
            best.weights.iter().for_each(|x| x.save(out));
        });
        out.u64(s.waited);
        s.plateau.save(&mut out);
        out.f64(s.rate);
        out.u64(s.history.len() as u64);
        s.history.iter().for_each(|r| save_record(r, &mut out));
        let ended = s.ended.as_ref().filter(|e| **e != Ended::Stopped(StopReason::Cancelled));
        out.option(ended, |out, e| e.save(out));
        s.method.save(&mut out);
        Ok(out.done())
    }

    /// The state of bytes, whose weights become the model's; `None`, and no change, where they are not whole or of another
    /// network.
    pub fn load(bytes: &[u8], model: &Model, plan: &Plan) -> Option<State> {
        let mut from = Reader::new(bytes);
        let own = from.text()? == MARK && from.u64()? == model.architecture();
        if !own {
            return None;
        }
        let mut now = load_snapshot(&mut from, model)?;
        let from = &mut from;
        let place = |from: &mut Reader<'_>| Some(Place { epoch: from.u64()?, index: from.u64()? });
        let mut state = State {
            place: place(from)?,
            step: from.u64()?,
            evaluations: from.u64()?,
            epoch_loss: from.f64()?,
            epoch_batches: from.u64()?,
            good: load_snapshot(from, model)?,
            good_loss: from.option(|from| from.f64())?,
            good_place: place(from)?,
            first_loss: from.option(|from| from.f64())?,
            averaged: from.option(|from| Averaged::load(from, model))?,
            best: from.option(|from| {
                Some(Best { loss: from.f64()?, epoch: from.u64()?, weights: load_snapshot(from, model)? })
            })?,
            waited: from.u64()?,
            plateau: Plateau::load(from)?,
            rate: from.f64()?,
            history: {
                let mut history = Vec::new();
                for _ in 0..from.u64()? {
                    history.push(load_record(from)?);
                }
                history
            },
            ended: from.option(Ended::load)?,
            method: plan.optimiser.begin(&model.parameters).ok()?,
            spare: now.clone(),
        };
        state.method.load(from, &model.parameters)?;
        let fits = from.at_end() && state.averaged.is_some() == (plan.average != Average::None);
        if !fits || put(&mut now, model).is_err() {
            return None;
        }
        Some(state)
    }
}

fn save_record(r: &Record, out: &mut Writer) {
    out.u64(r.epoch);
    out.u64(r.steps);
    out.f64(r.rate);
    out.f64(r.loss);
    out.option(r.validation.as_ref(), |out, x| out.f64(*x));
    out.f64s(&r.metrics);
}

fn load_record(from: &mut Reader<'_>) -> Option<Record> {
    Some(Record {
        epoch: from.u64()?,
        steps: from.u64()?,
        rate: from.f64()?,
        loss: from.f64()?,
        validation: from.option(|from| from.f64())?,
        metrics: from.f64s()?,
    })
}
