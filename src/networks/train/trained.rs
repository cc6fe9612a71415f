//! What a training came to.

use std::fmt;

use crate::base::StopReason;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::model::Model;
use crate::networks::parameters::Parameters;

/// An epoch of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps done at its end.
    pub steps: u64,
    /// The rate of its last step.
    pub rate: f64,
    /// Mean loss of its batches, each as it was before its step.
    pub loss: f64,
    /// Loss of the validation data at its end.
    pub validation: Option<f64>,
    /// Figures of merit of the validation data, in the order of the objective's.
    pub metrics: Vec<f64>,
}

/// A batch on which a training broke.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Divergence {
    /// Its epoch, from 1.
    pub epoch: u64,
    /// Its place in the epoch, from 1.
    pub batch: u64,
    /// Its rows, from 0, where they have names.
    pub rows: Vec<usize>,
    /// What happened: `a loss of NaN`, `a gradient that is not finite`.
    pub found: String,
    /// Where the batch itself holds a number that is not finite.
    pub data: Option<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a finite loss, found {} at epoch {}, batch {}",
            self.found, self.epoch, self.batch
        )?;
        if !self.rows.is_empty() {
            let shown: Vec<String> = self.rows.iter().take(8).map(usize::to_string).collect();
            let more = if self.rows.len() > 8 {
                format!(" ... ({} in all)", self.rows.len())
            } else {
                String::new()
            };
            write!(f, " (rows {}{more})", shown.join(", "))?;
        }
        match &self.data {
            Some(data) => write!(f, "; {data}"),
            None => Ok(()),
        }
    }
}

/// Why a training ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// `Finished` for the length that was asked for, `Work` for the bound on it, `Goal`, `Saturated` for patience or a method
    /// that can go no lower, `Found` where the gradient is 0, `Time`, `Cancelled`.
    Stopped(StopReason),
    /// Loss or weights are not finite, or far above the first; the last good weights are kept.
    Diverged(Divergence),
    /// The generator of the data failed after the first step; the weights are those before.
    Failed {
        /// The epoch, from 1.
        epoch: u64,
        /// The batch of the epoch, from 1.
        batch: u64,
        /// Its words.
        message: String,
    },
}

impl Ended {
    /// The word used in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Ended::Stopped(reason) => reason.word(),
            Ended::Diverged(_) => "diverged",
            Ended::Failed { .. } => "failed",
        }
    }

    /// The end that a word tells of, without what is known of a divergence; of a word that is none, that all was done.
    pub fn of_word(word: &str) -> Ended {
        match StopReason::from_word(word) {
            Some(reason) => Ended::Stopped(reason),
            None if word == "diverged" => Ended::Diverged(Divergence::default()),
            None if word == "failed" => Ended::Failed { epoch: 0, batch: 0, message: String::new() },
            None => Ended::Stopped(StopReason::Finished),
        }
    }

    pub(super) fn save(&self, out: &mut Writer) {
        match self {
            Ended::Stopped(reason) => out.text(reason.word()),
            Ended::Failed { epoch, batch, message } => {
                out.text("failed");
                out.u64(*epoch);
                out.u64(*batch);
                out.text(message);
            }
            Ended::Diverged(d) => {
                out.text("diverged");
                out.u64(d.epoch);
                out.u64(d.batch);
                out.u64(d.rows.len() as u64);
                d.rows.iter().for_each(|r| out.u64(*r as u64));
                out.text(&d.found);
                out.option(d.data.as_ref(), |out, x| out.text(x));
            }
        }
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Option<Ended> {
        let word = from.text()?;
        if word == "failed" {
            let (epoch, batch, message) = (from.u64()?, from.u64()?, from.text()?.to_string());
            return Some(Ended::Failed { epoch, batch, message });
        }
        if word != "diverged" {
            return StopReason::from_word(word).map(Ended::Stopped);
        }
        let (epoch, batch, count) = (from.u64()?, from.u64()?, from.u64()?);
        let mut rows = Vec::new();
        for _ in 0..count {
            rows.push(usize::try_from(from.u64()?).ok()?);
        }
        let found = from.text()?.to_string();
        let data = from.option(|from| from.text().map(str::to_string))?;
        Some(Ended::Diverged(Divergence { epoch, batch, rows, found, data }))
    }
}

/// What a training came to.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model with the best weights: those of the lowest loss (of validation where there is one), averaged where an
    /// average is kept.
    pub model: Model,
    /// The loss of these weights; `None` where no epoch ended.
    pub best_loss: Option<f64>,
    /// The epoch they are of, from 1; 0 where no epoch ended.
    pub best_epoch: u64,
    /// The last good weights, not averaged.
    pub last: Parameters,
    /// The buffers that belong to them.
    pub last_buffers: Parameters,
    /// One record an epoch.
    pub history: Vec<Record>,
    /// Why it ended.
    pub ended: Ended,
    /// Steps done: as `work:` it replays to these weights.
    pub steps: u64,
    /// Evaluations of the objective on a batch, those of validation not counted.
    pub evaluations: u64,
    /// Whether it was taken, or went on, from a checkpoint.
    pub resumed: bool,
}
