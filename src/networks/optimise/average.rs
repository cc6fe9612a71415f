//! Averages of the weights along the path of a training, which lie nearer to the middle of the valley than its last
//! point. Validation and the best weights are those of the average.
//!
//! ```text
//! exponential  a += (1 - d) (w - a) after each step, d = min(decay, (1 + t) / (10 + t))   Polyak & Juditsky 1992
//! stochastic   a is the mean of w over the ends of epochs from `from` on                 Izmailov et al. 2018
//! ```
//!
//! Buffers (running statistics) are averaged as weights are.

use super::numbers::Numbers;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::model::Model;

/// Which average is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Average {
    /// None.
    #[default]
    None,
    /// Exponential moving average after each step.
    Exponential {
        /// Share of the average that a step keeps, from 0 to below 1.
        decay: f64,
    },
    /// Mean over the ends of epochs.
    Stochastic {
        /// Epochs before the first that counts.
        from: u64,
    },
}

/// An average under way.
#[derive(Clone, Debug)]
pub(crate) struct Averaged {
    /// Of parameters and buffers.
    mean: [Numbers; 2],
    /// How many weights are in it.
    count: u64,
}

impl Averaged {
    /// The weights at the start.
    pub fn new(model: &Model) -> Result<Averaged, NetworkError> {
        Ok(Averaged { mean: [Numbers::of(&model.parameters)?, Numbers::of(&model.buffers)?], count: 0 })
    }

    fn take(&mut self, model: &Model, share: f64) -> Result<(), NetworkError> {
        self.count += 1;
        self.mean[0].approach(&model.parameters, share)?;
        self.mean[1].approach(&model.buffers, share)
    }

    /// After a step.
    pub fn after_step(&mut self, average: Average, model: &Model) -> Result<(), NetworkError> {
        let Average::Exponential { decay } = average else { return Ok(()) };
        let t = self.count as f64;
        self.take(model, 1.0 - decay.min((1.0 + t) / (10.0 + t)))
    }

    /// After an epoch, counted from 1.
    pub fn after_epoch(&mut self, average: Average, epoch: u64, model: &Model) -> Result<(), NetworkError> {
        match average {
            Average::Stochastic { from } if epoch > from => self.take(model, 1.0 / (self.count as f64 + 1.0)),
            _ => Ok(()),
        }
    }

    /// Whether something is in it.
    pub fn begun(&self) -> bool {
        self.count > 0
    }

    /// The average of the parameters and of the buffers.
    pub fn mean(&mut self) -> &mut [Numbers; 2] {
        &mut self.mean
    }

    /// Writes it.
    pub fn save(&self, out: &mut Writer) {
        out.u64(self.count);
        self.mean.iter().for_each(|m| m.save(out));
    }

    /// Reads it.
    pub fn load(from: &mut Reader<'_>, model: &Model) -> Option<Averaged> {
        let count = from.u64()?;
        let mean = [Numbers::load(from, &model.parameters)?, Numbers::load(from, &model.buffers)?];
        Some(Averaged { mean, count })
    }
}
