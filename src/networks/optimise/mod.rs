//! Optimisers: how weights follow from what a batch says, one row of [`OPTIMISERS`] each. Some step along the gradient at
//! a rate; some search along a line on the same batch; some need residuals whose squares are summed, and are refused to
//! objectives without. All of them run in the one training loop and keep a state that is written and read without loss.

use std::fmt;

use candle_core::Tensor;
use nalgebra::DVector;

use super::bytes::{Reader, Writer};
use super::error::NetworkError;
use super::model::{Model, Pass};
use super::objective::{Batch, Objective, scalar};
use super::ops;
use super::parameters::Parameters;
use super::settings::{Range, Setting, Settings};
use crate::base::random::Streams;
use crate::base::{CancelToken, StopReason, suggest};
use jacobian::Jacobian;

pub mod average;
mod first_order;
pub mod jacobian;
pub mod lbfgs;
mod levenberg_marquardt;
pub mod line_search;
mod natural_gradient;
pub(crate) mod numbers;
pub mod schedule;

pub use average::Average;
pub use schedule::{Clock, Plateau, SCHEDULES, Schedule};

/// What a method needs of an objective.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// A gradient; steps at a rate.
    Gradient,
    /// A gradient; searches along a line, so it has no use for schedules and clipping.
    Line,
    /// Residuals whose squares are summed; searches by itself.
    Residuals,
}

/// Makes the state of a method.
type Begin = fn(&Settings, &Parameters) -> Result<Box<dyn Method>, NetworkError>;

/// A row of the table of optimisers.
pub struct OptimiserKind {
    /// Its name.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// What it is set by.
    pub settings: &'static [Setting],
    begin: Begin,
}

impl fmt::Debug for OptimiserKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn setting(name: &'static str, default: f64, range: Range, docs: &'static str) -> Setting {
    Setting { name, default, range, docs }
}

/// What a method of residuals needs.
const SQUARES: &str = "a sum of squares (mse, a residual)";

const RATE: Setting = setting("rate", 1e-3, Range::Positive, "the rate, before the schedule");
const DECAY: Setting =
    setting("decay", 0.0, Range::NotNegative, "weight decay, on weights and not on biases");
const BETA1: Setting = setting("beta1", 0.9, Range::Share, "memory of the mean of gradients");
const BETA2: Setting = setting("beta2", 0.999, Range::Share, "memory of the mean of their squares");
const EPSILON: Setting = setting("epsilon", 1e-8, Range::Positive, "keeps the quotient finite");

/// Every optimiser.
pub const OPTIMISERS: &[OptimiserKind] = &[
    OptimiserKind {
        name: "sgd",
        docs: "gradient descent with momentum",
        needs: Needs::Gradient,
        settings: &[
            setting("rate", 1e-2, Range::Positive, "the rate, before the schedule"),
            setting("momentum", 0.9, Range::Share, "share of the last step that is kept"),
            setting("nesterov", 0.0, Range::Flag, "whether the gradient is looked ahead"),
            DECAY,
        ],
        begin: first_order::sgd,
    },
    OptimiserKind {
        name: "adam",
        docs: "gradient over the root of its mean square",
        needs: Needs::Gradient,
        settings: &[RATE, BETA1, BETA2, EPSILON, DECAY],
        begin: first_order::adam,
    },
    OptimiserKind {
        name: "adamw",
        docs: "adam with weight decay apart from the gradient",
        needs: Needs::Gradient,
        settings: &[
            RATE,
            BETA1,
            BETA2,
            EPSILON,
            setting("decay", 1e-2, Range::NotNegative, "weight decay, on weights and not on biases"),
        ],
        begin: first_order::adamw,
    },
    OptimiserKind {
        name: "lbfgs",
        docs: "quasi-Newton steps from the last gradients, with a line search",
        needs: Needs::Line,
        settings: &[
            setting("memory", 20.0, Range::Count, "steps that the curvature is learned from"),
            setting("evaluations", 25.0, Range::Count, "most evaluations of a line search"),
        ],
        begin: lbfgs::begin,
    },
    OptimiserKind {
        name: "levenberg_marquardt",
        docs: "damped Gauss-Newton steps for sums of squares",
        needs: Needs::Residuals,
        settings: &[
            setting("damping", 1e-3, Range::Positive, "the first damping, relative to the curvature"),
            setting("tries", 20.0, Range::Count, "most dampings tried in a step"),
        ],
        begin: levenberg_marquardt::begin,
    },
    OptimiserKind {
        name: "natural_gradient",
        docs: "Gauss-Newton steps in function space by a pseudo-inverse with a cut-off, and a line search",
        needs: Needs::Residuals,
        settings: &[
            setting(
                "cutoff",
                1e-3,
                Range::Inside,
                "least singular value used at first, relative to the greatest",
            ),
            setting(
                "adapt",
                1.0,
                Range::Flag,
                "whether the cut-off falls while steps are long and rises where they fail",
            ),
            setting("least", 1e-12, Range::Inside, "what it may fall to"),
            setting("halvings", 20.0, Range::Count, "most halvings of a step"),
        ],
        begin: natural_gradient::begin,
    },
];

/// An optimiser with its settings.
#[derive(Clone, Debug)]
pub struct Optimiser {
    kind: &'static OptimiserKind,
    settings: Settings,
}

impl PartialEq for Optimiser {
    fn eq(&self, other: &Optimiser) -> bool {
        self.kind.name == other.kind.name && self.settings == other.settings
    }
}

impl fmt::Display for Optimiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.name, self.settings)
    }
}

impl Optimiser {
    /// The optimiser of a name: `Optimiser::new("adam", &[("rate", 0.01)])`.
    ///
    /// # Errors
    /// No such optimiser, no such setting, or a value out of its range.
    pub fn new(name: &str, given: &[(&str, f64)]) -> Result<Optimiser, NetworkError> {
        let names = || OPTIMISERS.iter().map(|k| k.name);
        let Some(kind) = OPTIMISERS.iter().find(|k| k.name == name) else {
            return Err(NetworkError::UnknownName {
                what: "an optimiser",
                name: name.into(),
                names: names().collect::<Vec<_>>().join(", "),
                nearest: suggest::nearest(name, names()).map(str::to_string),
            });
        };
        Ok(Optimiser { kind, settings: Settings::new(name, kind.settings, given)? })
    }

    /// Its row of the table.
    pub fn kind(&self) -> &'static OptimiserKind {
        self.kind
    }

    /// The base rate; 1 for methods that find their own step.
    pub fn rate(&self) -> f64 {
        if self.kind.needs == Needs::Gradient { self.settings.get("rate") } else { 1.0 }
    }

    /// Whether it can minimise an objective, with this schedule and clipping.
    ///
    /// # Errors
    /// It cannot; the message says what it needs.
    pub fn check(
        &self,
        objective: &dyn Objective,
        schedule: &Schedule,
        clip: bool,
    ) -> Result<(), NetworkError> {
        let refuse = |expected, found: String, hint| {
            Err(NetworkError::Refused { method: self.kind.name.into(), expected, found, hint })
        };
        if self.kind.needs == Needs::Residuals && !objective.is_sum_of_squares() {
            return refuse(SQUARES, objective.name(), "optimizer: lbfgs");
        }
        if self.kind.needs != Needs::Gradient && *schedule != Schedule::default() {
            return refuse(
                "no schedule, as it finds its own step",
                format!("`{schedule}`"),
                "schedule: constant_rate",
            );
        }
        if self.kind.needs != Needs::Gradient && clip {
            return refuse("no clipping, as it finds its own step", "`clip`".into(), "optimizer: adam");
        }
        Ok(())
    }

    /// Its state before the first step.
    pub(crate) fn begin(&self, parameters: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
        (self.kind.begin)(&self.settings, parameters)
    }
}

/// A step that was taken, or the reason why not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    /// The loss before the step.
    pub loss: f64,
    /// Whether loss and gradient were finite.
    pub usable: bool,
    /// Whether it was the gradient that was not.
    pub gradient: bool,
    /// Evaluations of the objective.
    pub evaluations: u64,
    /// Why the method can go no further on this batch.
    pub ended: Option<StopReason>,
}

impl Taken {
    /// A step.
    pub fn step(loss: f64, evaluations: u64) -> Taken {
        Taken { loss, usable: true, gradient: false, evaluations, ended: None }
    }

    /// Nothing was done, as the loss, or else the gradient, is not finite.
    pub fn unusable(loss: f64) -> Taken {
        Taken { loss, usable: false, gradient: loss.is_finite(), evaluations: 1, ended: None }
    }
}

/// A method under way.
pub(crate) trait Method {
    /// Changes the weights of the model of `ground` once.
    fn step(&mut self, ground: &mut Ground<'_>, rate: f64, clip: Option<f64>) -> Result<Taken, NetworkError>;

    /// Writes the state.
    fn save(&self, out: &mut Writer);

    /// Reads the state that was written by the same method for the same parameters.
    fn load(&mut self, from: &mut Reader<'_>, parameters: &Parameters) -> Option<()>;
}

/// The objective on one batch, as a function of the weights.
pub(crate) struct Ground<'a> {
    model: &'a Model,
    objective: &'a dyn Objective,
    batch: &'a Batch,
    streams: Streams,
    step: u64,
    /// Whether every step sees the same batch.
    fixed: bool,
    cancel: &'a CancelToken,
}

impl<'a> Ground<'a> {
    /// The objective on a batch at a step.
    pub fn new(
        model: &'a Model,
        objective: &'a dyn Objective,
        batch: &'a Batch,
        streams: Streams,
        step: u64,
        fixed: bool,
        cancel: &'a CancelToken,
    ) -> Ground<'a> {
        Ground { model, objective, batch, streams, step, fixed, cancel }
    }

    /// The model, whose weights are the place on the ground.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// Whether every step sees the same function: the same batch, and no mask drawn so far.
    pub fn fixed(&self) -> bool {
        self.fixed
    }

    /// Masks are the same for every evaluation of a step.
    fn pass(&self) -> Pass {
        Pass::training(self.streams, self.step).with_cancel(self.cancel)
    }

    /// Remembers whether an evaluation drew random numbers.
    fn saw(&mut self, pass: &Pass) {
        self.fixed &= pass.rng == self.pass().rng;
    }

    /// Loss and gradients here.
    pub fn gradients(&mut self) -> Result<(f64, Vec<Tensor>), NetworkError> {
        let mut pass = self.pass();
        let loss = self.objective.loss(self.model, self.batch, &mut pass)?;
        self.saw(&pass);
        let value = scalar(&loss)?;
        if !value.is_finite() {
            return Ok((value, Vec::new()));
        }
        Ok((value, ops::gradients(&loss, self.model.parameters.vars())?))
    }

    /// Loss and gradient at other weights, which become the model's.
    pub fn at(&mut self, weights: &[f64]) -> Result<(f64, Vec<f64>), NetworkError> {
        self.model.parameters.assign(weights)?;
        let (loss, gradients) = self.gradients()?;
        let mut flat = Vec::with_capacity(weights.len());
        for g in &gradients {
            flat.extend(super::objective::numbers(g)?);
        }
        flat.resize(weights.len(), f64::NAN);
        Ok((loss, flat))
    }

    /// The loss at other weights, which become the model's.
    pub fn loss_at(&mut self, weights: &[f64]) -> Result<f64, NetworkError> {
        self.model.parameters.assign(weights)?;
        let mut pass = Pass { frozen: true, ..self.pass() };
        scalar(&self.objective.loss(self.model, self.batch, &mut pass)?)
    }

    /// Residuals at other weights, which become the model's.
    pub fn residuals_at(&mut self, weights: &[f64]) -> Result<DVector<f64>, NetworkError> {
        self.model.parameters.assign(weights)?;
        let mut pass = Pass { frozen: true, ..self.pass() };
        let found = self.objective.residuals(self.model, self.batch, &mut pass);
        let found = found.unwrap_or_else(|| Err(self.no_residuals()))?;
        Ok(DVector::from_vec(super::objective::numbers(&found)?))
    }

    /// Residuals and their derivatives here. An objective that has none was refused before.
    pub fn jacobian(&mut self) -> Result<Jacobian, NetworkError> {
        let mut pass = self.pass();
        let found = self.objective.jacobian(self.model, self.batch, &mut pass);
        self.saw(&pass);
        found.unwrap_or_else(|| Err(self.no_residuals()))
    }

    fn no_residuals(&self) -> NetworkError {
        NetworkError::Refused {
            method: "a method of residuals".into(),
            expected: SQUARES,
            found: self.objective.name(),
            hint: "optimizer: lbfgs",
        }
    }
}
