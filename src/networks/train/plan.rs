//! What a training is asked for, with every default filled in, and what is checked before it begins.

use super::Data;
use crate::networks::error::NetworkError;
use crate::networks::model::Model;
use crate::networks::objective::Objective;
use crate::networks::optimise::{Average, Needs, Optimiser, Schedule};
use crate::networks::shape::Shape;

/// The most derivatives that a method of residuals keeps at a time.
const MOST_SLOPES: usize = 500_000_000;

/// How long a training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// So many times through the data.
    Epochs(u64),
    /// So many batches.
    Steps(u64),
    /// As many as the bounds of work or time allow, one of which must be there.
    Bounded,
}

/// What a training is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How weights follow from batches.
    pub optimiser: Optimiser,
    /// How the rate changes.
    pub schedule: Schedule,
    /// How long it is.
    pub length: Length,
    /// Rows of a batch; `None` for all (or what a generator gives).
    pub batch: Option<usize>,
    /// Epochs without a lower loss (that of validation where there is one) after which it stops.
    pub patience: Option<u64>,
    /// A loss at which it stops.
    pub goal: Option<f64>,
    /// The greatest norm of all gradients together; longer ones are scaled to it.
    pub clip: Option<f64>,
    /// Which average of the weights is kept.
    pub average: Average,
    /// A loss of so many times the first (or 1, where that is greater) counts as diverged.
    pub diverged: f64,
    /// What order, augmentation, masks and draws come from. The model's first weights have a seed of their own.
    pub seed: u64,
    /// Steps after which it stops, whatever its length.
    pub work: Option<u64>,
    /// Seconds after which it stops, at the end of a step.
    pub time: Option<f64>,
    /// Whether the weights it begins with were trained before: they are among those that the best are chosen from.
    pub further: bool,
}

impl Plan {
    /// A plan with no more than an optimiser and a length.
    pub fn new(optimiser: Optimiser, length: Length) -> Plan {
        Plan {
            optimiser,
            schedule: Schedule::default(),
            length,
            batch: None,
            patience: None,
            goal: None,
            clip: None,
            average: Average::None,
            diverged: 1e6,
            seed: 0,
            work: None,
            time: None,
            further: false,
        }
    }

    /// Steps of the whole training for data with so many batches an epoch; the bound of `work` where it has no length.
    pub fn steps(&self, batches: u64) -> u64 {
        match self.length {
            Length::Epochs(n) => n.saturating_mul(batches),
            Length::Steps(n) => n,
            Length::Bounded => self.work.unwrap_or(u64::MAX),
        }
    }

    /// Epochs of the whole training, the last of which may be a part of one.
    fn epochs(&self, batches: u64) -> u64 {
        match self.length {
            Length::Epochs(n) => n,
            _ => self.steps(batches).div_ceil(batches.max(1)),
        }
    }

    /// All that decides the result, exactly. Time is no part of it.
    pub(super) fn words(&self) -> String {
        format!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?} {}",
            self.optimiser,
            self.schedule,
            self.length,
            self.batch,
            self.patience,
            self.goal,
            self.clip,
            self.average,
            self.diverged,
            self.seed,
            self.work,
            self.further
        )
    }

    /// Whether the residuals of a batch and their derivatives have room.
    fn check_size(&self, model: &Model, data: Data<'_>) -> Result<(), NetworkError> {
        let rows = self.batch.or(data.train.rows()).unwrap_or(1);
        let (residuals, weights) = (rows.saturating_mul(model.output.count()), model.parameters.count());
        if self.optimiser.kind().needs != Needs::Residuals || residuals.saturating_mul(weights) <= MOST_SLOPES
        {
            return Ok(());
        }
        Err(NetworkError::Refused {
            method: self.optimiser.kind().name.into(),
            expected: "at most 5e8 derivatives of residuals by weights (4 GB)",
            found: format!("{residuals} residuals and {weights} weights"),
            hint: "optimizer: lbfgs, or a batch of fewer rows",
        })
    }

    fn check_values(&self) -> Result<(), NetworkError> {
        let bad = |what, expected, found: String, hint| {
            Err(NetworkError::PlanValue { what, expected, found, hint })
        };
        let positive = |x: f64| x > 0.0 && x.is_finite();
        match self.length {
            Length::Bounded if self.work.is_none() && self.time.is_none() => {
                return bad("epochs", "a length or a bound", "none".into(), "epochs: 10");
            }
            Length::Epochs(0) => return bad("epochs", "a number >= 1", "0".into(), "epochs: 10"),
            Length::Steps(0) => return bad("steps", "a number >= 1", "0".into(), "steps: 100"),
            _ => {}
        }
        if self.batch == Some(0) {
            return bad("batch", "a number of rows >= 1", "0".into(), "batch: 32");
        }
        if self.patience == Some(0) {
            return bad("patience", "a number of epochs >= 1", "0".into(), "patience: 3");
        }
        if let Some(clip) = self.clip.filter(|x| !positive(*x)) {
            return bad("clip", "a norm > 0", clip.to_string(), "clip: 1");
        }
        if let Some(goal) = self.goal.filter(|x| x.is_nan()) {
            return bad("goal", "a loss", goal.to_string(), "goal: 1e-3");
        }
        if self.work == Some(0) {
            return bad("work", "a number of steps >= 1", "0".into(), "work: 1000");
        }
        if let Some(time) = self.time.filter(|x| !positive(*x)) {
            return bad("time", "seconds > 0", time.to_string(), "time: 60 [s]");
        }
        if !positive(self.diverged) {
            return bad("diverged", "a factor > 0", self.diverged.to_string(), "diverged: 1e6");
        }
        match self.average {
            Average::Exponential { decay } if !(0.0..1.0).contains(&decay) => {
                bad("average", "a decay from 0 to below 1", decay.to_string(), "average: 0.999")
            }
            _ => Ok(()),
        }
    }

    /// Whether the training can begin.
    ///
    /// # Errors
    /// The first thing that is wrong with the plan, the data, or how they fit the model and the objective.
    pub fn check(
        &self,
        model: &Model,
        objective: &dyn Objective,
        data: Data<'_>,
    ) -> Result<(), NetworkError> {
        self.check_values()?;
        if model.parameters.count() == 0 {
            let (path, found) = (model.network.short(), "none".to_string());
            let expected = "a network with weights to train".to_string();
            return Err(NetworkError::Shape {
                path,
                expected,
                found,
                hint: Some("chain(dense(8), tanh, dense(1))".into()),
            });
        }
        let epochs = self.epochs(data.train.batches(self.batch));
        if let Average::Stochastic { from } = self.average
            && from >= epochs
        {
            return Err(NetworkError::PlanValue {
                what: "average_from",
                expected: "an epoch before the last",
                found: format!("{from} of {epochs} epochs"),
                hint: "average_from: 1",
            });
        }
        self.check_size(model, data)?;
        self.optimiser.check(objective, &self.schedule, self.clip.is_some())?;
        if self.schedule.needs_length() && self.length == Length::Bounded && self.work.is_none() {
            return Err(NetworkError::Refused {
                method: self.schedule.name().into(),
                expected: "a number of epochs or steps to run over",
                found: "a time alone".into(),
                hint: "epochs: 100, or schedule: plateau",
            });
        }
        for (which, source) in [("training", Some(data.train)), ("validation", data.validation)] {
            let Some(source) = source else { continue };
            let found = source.inputs();
            if found.len() != model.inputs.len() {
                return Err(NetworkError::Inputs {
                    path: model.network.kind().name.into(),
                    expected: format!("{} inputs", model.inputs.len()),
                    found: found.len(),
                });
            }
            for (index, (shape, given)) in model.inputs.iter().zip(&found).enumerate() {
                let alike = shape.varies().is_some() == given.varies().is_some();
                if !alike || !shape.takes(given.sizes()) {
                    let words = |s: &Shape| s.to_string().trim_matches(['[', ']']).to_string();
                    let (expected, found) = (words(shape), format!("[batch, {}]", words(given)));
                    return Err(NetworkError::InputShape { index, expected, found });
                }
            }
            source.check()?;
            objective.check(model, source, which)?;
        }
        match (self.batch, data.train.rows()) {
            (Some(batch), Some(rows)) if batch > rows => {
                Err(NetworkError::BatchSize { which: "training", batch, rows })
            }
            _ => Ok(()),
        }
    }
}
