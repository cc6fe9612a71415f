//! What can be wrong with a network, its layers, its weights or its training. Codes P42xx: 4201 to 4229 layers and
//! models, 4230 to 4239 operations, from 4240 data, losses, optimisers and training.

use crate::base::{Code, Fault, StopReason};

use super::shape::Shape;

/// A fault of the networks layer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// A layer that is no closed formula stands in a network that is asked for as one.
    #[error("expected layers that are formulas, found {path}")]
    NotAnalytic {
        /// The layer's place.
        path: String,
    },
    /// No layer has this name.
    #[error("expected a layer, found `{found}`")]
    UnknownLayer {
        /// What was given.
        found: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The layer has no such option.
    #[error("expected an option of `{layer}` ({options}), found `{found}`")]
    UnknownOption {
        /// The layer's name.
        layer: &'static str,
        /// Its options, as a list.
        options: String,
        /// What was given.
        found: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// An option without default was not given.
    #[error("expected the option `{option}` of `{layer}`, found none")]
    MissingOption {
        /// The layer's name.
        layer: &'static str,
        /// The option's name.
        option: &'static str,
        /// A call with it.
        example: String,
    },
    /// The value of an option is not of its type or out of its range.
    #[error("expected {expected} for `{option}` of `{layer}`, found {found}")]
    OptionValue {
        /// The layer's name.
        layer: &'static str,
        /// The option's name.
        option: &'static str,
        /// What is allowed.
        expected: String,
        /// What was given.
        found: String,
        /// A value that would be right.
        hint: Option<String>,
    },
    /// A wrong number of layers inside a layer.
    #[error("expected {expected} inside `{layer}`, found {found}")]
    InnerLayers {
        /// The layer's name.
        layer: &'static str,
        /// How many, in words.
        expected: &'static str,
        /// How many were given.
        found: usize,
    },
    /// The text is no layer.
    #[error("expected {expected}, found {found} at byte {at} of a network, after `{before}`")]
    Text {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// The place, in bytes.
        at: usize,
        /// The last of the text before it.
        before: String,
    },
    /// A layer gets an input of the wrong shape.
    #[error("{path}: expected {expected}, found {found}")]
    Shape {
        /// The layer, by its place: `chain[3] conv(32, 3)`.
        path: String,
        /// What the layer takes.
        expected: String,
        /// What it got, or would make.
        found: String,
        /// A layer to put before it, or another option.
        hint: Option<String>,
    },
    /// A size that does not divide another.
    #[error("{path}: expected {what} that divides {total}, found {found}")]
    Divide {
        /// The layer, by its place.
        path: String,
        /// Which size: `a pool size`, `a number of heads`.
        what: &'static str,
        /// The size to be divided.
        total: usize,
        /// The divisor.
        found: usize,
        /// A divisor that would be right.
        hint: Option<String>,
    },
    /// A layer that takes rows of one length gets an input whose rows differ.
    #[error("{path}: expected rows of one length, found {found}")]
    Varying {
        /// The layer, by its place.
        path: String,
        /// The shape.
        found: String,
        /// What would be right.
        hint: String,
    },
    /// A row of a batch that is too short, or too long, or unlike the same row of another input.
    #[error("{path}: expected {expected} in row {row} of the batch, found {found}")]
    Length {
        /// The layer, by its place.
        path: String,
        /// Which lengths it takes.
        expected: String,
        /// The row, from 0.
        row: usize,
        /// Its length.
        found: usize,
    },
    /// A wrong number of inputs.
    #[error("{path}: expected {expected}, found {found}")]
    Inputs {
        /// The layer, by its place.
        path: String,
        /// How many, in words.
        expected: String,
        /// How many were given.
        found: usize,
    },
    /// A tensor given to a model has another shape than the model was made for.
    #[error("expected input {index} of shape [batch, {expected}], found {found}")]
    InputShape {
        /// Which input, from 0.
        index: usize,
        /// The shape without the batch axis, without brackets.
        expected: String,
        /// The shape found, in brackets.
        found: String,
    },
    /// A token outside of the vocabulary.
    #[error("{path}: expected tokens 0 to {last}, found {found}")]
    Token {
        /// The layer, by its place.
        path: String,
        /// The last token of the vocabulary.
        last: usize,
        /// What was found.
        found: f64,
    },
    /// Weights of another number than the network has.
    #[error("expected {expected} numbers, found {found}")]
    Count {
        /// How many numbers the parameters have.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// Weights of another network.
    #[error("expected weights of this network, found others: {difference}")]
    Architecture {
        /// The first difference, by name.
        difference: String,
    },
    /// Bytes that hold no weights.
    #[error("expected weights (safetensors), found {found}")]
    Weights {
        /// What is wrong with them.
        found: String,
    },
    /// A name that a table does not have: of a loss, a metric, an optimiser, a schedule.
    #[error("expected {what} ({names}), found `{name}`")]
    UnknownName {
        /// What was looked for, with its article.
        what: &'static str,
        /// What was given.
        name: String,
        /// The names there are.
        names: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A loss, an optimiser or a schedule has no such setting.
    #[error("expected {expected}, found `{name}`", expected = settings_of(.of, .names))]
    UnknownSetting {
        /// What it should belong to.
        of: String,
        /// What was given.
        name: String,
        /// The settings there are.
        names: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A setting out of its range.
    #[error("expected {expected} for {name}, found {found}")]
    SettingRange {
        /// `adam(rate)`.
        name: String,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        found: f64,
        /// A value that is right.
        default: f64,
    },
    /// A number of the data that is not finite.
    #[error("expected finite numbers in `{array}`, found {found} in row {row}, column {column}")]
    NotFinite {
        /// The name of the array.
        array: String,
        /// The row, from 0.
        row: usize,
        /// The column: its name, or its place from 0.
        column: String,
        /// What stands there.
        found: f64,
    },
    /// Data without rows.
    #[error("expected at least one row, found none in `{array}`")]
    NoRows {
        /// The name of the array.
        array: String,
    },
    /// Arrays of different lengths.
    #[error("expected {rows} rows in `{other}` as in `{first}`, found {found}")]
    Lengths {
        /// The array that is the measure.
        first: String,
        /// Its rows.
        rows: usize,
        /// The array that differs.
        other: String,
        /// Its rows.
        found: usize,
    },
    /// A batch larger than the data.
    #[error("expected a batch of at most the {rows} rows of the {which} data, found {batch}")]
    BatchSize {
        /// `training` or `validation`.
        which: &'static str,
        /// The batch.
        batch: usize,
        /// The rows there are.
        rows: usize,
    },
    /// A class without rows.
    #[error("expected rows of every class in the {which} data, found none of {class}")]
    EmptyClass {
        /// `training` or `validation`.
        which: &'static str,
        /// The class: its name, or its number from 0.
        class: String,
        /// How many classes there are.
        classes: usize,
    },
    /// A label that is none of the classes.
    #[error("expected classes from 0 to {last}, found {found} in row {row} of `{array}`")]
    ClassRange {
        /// The name of the array.
        array: String,
        /// The last class that the network can answer.
        last: usize,
        /// Whether the classes are those of the pixels of an image.
        image: bool,
        /// The row, from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// A loss and what it is given do not fit.
    #[error("{loss}: expected {expected}, found {found}")]
    LossInput {
        /// The loss.
        loss: String,
        /// What it takes.
        expected: String,
        /// What it got.
        found: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// A method that makes no sense for this objective or plan.
    #[error("{method}: expected {expected}, found {found}")]
    Refused {
        /// The method.
        method: String,
        /// What it needs.
        expected: &'static str,
        /// What there is.
        found: String,
        /// What to use instead.
        hint: &'static str,
    },
    /// A value of a plan that makes no sense.
    #[error("expected {expected} for `{what}`, found {found}")]
    PlanValue {
        /// The option.
        what: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        found: String,
        /// A value that is right.
        hint: &'static str,
    },
    /// A generator of data that failed.
    #[error("expected a batch from the generator `{name}` at batch {batch}, found: {message}")]
    Generator {
        /// The generator.
        name: String,
        /// The batch, from 0.
        batch: u64,
        /// Its words.
        message: String,
    },
    /// Somebody asked to stop in the middle of a step. The training loop takes the step back.
    #[error("stopped: {}", reason.word())]
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// A fault of an operation on tensors that none of the checks foresaw.
    #[error("{place}{message}")]
    Tensor {
        /// The layer, by its place, with a colon behind it; empty where no layer is at work.
        place: String,
        /// What the operation said.
        message: String,
    },
}

impl NetworkError {
    /// A layer that takes another shape.
    pub fn shape(path: impl Into<String>, expected: impl Into<String>, found: &Shape) -> NetworkError {
        NetworkError::Shape {
            path: path.into(),
            expected: expected.into(),
            found: found.to_string(),
            hint: None,
        }
    }

    /// The same fault with other code as its hint, where the fault has room for one.
    pub fn with_hint(mut self, text: impl Into<String>) -> NetworkError {
        match &mut self {
            NetworkError::Shape { hint, .. }
            | NetworkError::Divide { hint, .. }
            | NetworkError::OptionValue { hint, .. } => *hint = Some(text.into()),
            _ => {}
        }
        self
    }
}

impl From<candle_core::Error> for NetworkError {
    fn from(error: candle_core::Error) -> NetworkError {
        let message = error.to_string().lines().next().unwrap_or_default().to_string();
        NetworkError::Tensor { place: String::new(), message }
    }
}

impl Fault for NetworkError {
    fn code(&self) -> Code {
        Code(match self {
            NetworkError::UnknownLayer { .. } => 4201,
            NetworkError::NotAnalytic { .. } => 4216,
            NetworkError::UnknownOption { .. } => 4202,
            NetworkError::MissingOption { .. } => 4203,
            NetworkError::OptionValue { .. } => 4204,
            NetworkError::InnerLayers { .. } => 4205,
            NetworkError::Text { .. } => 4206,
            NetworkError::Shape { .. } => 4207,
            NetworkError::Divide { .. } => 4208,
            NetworkError::Inputs { .. } => 4209,
            NetworkError::InputShape { .. } => 4210,
            NetworkError::Token { .. } => 4211,
            NetworkError::Count { .. } => 4212,
            NetworkError::Architecture { .. } => 4213,
            NetworkError::Weights { .. } => 4214,
            NetworkError::Tensor { .. } => 4215,
            NetworkError::Varying { .. } => 4217,
            NetworkError::Length { .. } => 4218,
            NetworkError::UnknownName { .. } => 4240,
            NetworkError::UnknownSetting { .. } => 4241,
            NetworkError::SettingRange { .. } => 4242,
            NetworkError::NotFinite { .. } => 4243,
            NetworkError::NoRows { .. } => 4244,
            NetworkError::Lengths { .. } => 4245,
            NetworkError::BatchSize { .. } => 4246,
            NetworkError::EmptyClass { .. } => 4247,
            NetworkError::ClassRange { .. } => 4248,
            NetworkError::LossInput { .. } => 4249,
            NetworkError::Refused { .. } => 4250,
            NetworkError::PlanValue { .. } => 4251,
            NetworkError::Generator { .. } => 4252,
            NetworkError::Stopped { .. } => 4253,
        })
    }

    fn hint(&self) -> Option<String> {
        match self {
            NetworkError::UnknownLayer { nearest, .. } | NetworkError::UnknownOption { nearest, .. } => {
                nearest.clone()
            }
            NetworkError::NotAnalytic { .. } => Some("dense layers with tanh, sin, gelu ...".into()),
            NetworkError::MissingOption { example, .. } => Some(example.clone()),
            NetworkError::OptionValue { hint, .. }
            | NetworkError::Shape { hint, .. }
            | NetworkError::Divide { hint, .. } => hint.clone(),
            NetworkError::Varying { hint, .. } => Some(hint.clone()),
            NetworkError::InnerLayers { layer, .. } => Some(format!("{layer}(dense(8))")),
            NetworkError::Text { .. } => Some("chain(dense(8), tanh, dense(1))".into()),
            NetworkError::UnknownName { nearest, .. } | NetworkError::UnknownSetting { nearest, .. } => {
                nearest.clone()
            }
            NetworkError::SettingRange { name, default, .. } => {
                Some(name.replace(')', &format!(": {default})")))
            }
            // A number within an array has no name to filter by.
            NetworkError::NotFinite { column, .. } if column.parse::<usize>().is_ok() => None,
            NetworkError::NotFinite { column, .. } => Some(format!("filter(data, {column} < inf)")),
            NetworkError::BatchSize { rows, .. } => Some(format!("batch: {rows}")),
            NetworkError::EmptyClass { .. } => Some("fewer classes, or more rows of that class".into()),
            NetworkError::ClassRange { found, .. } if *found < 0.0 || found.fract() != 0.0 => {
                Some("number the classes 0, 1, 2 and so on".into())
            }
            NetworkError::ClassRange { found, image: true, .. } => Some(format!("conv({}, 1)", found + 1.0)),
            NetworkError::ClassRange { found, .. } => Some(format!("dense({})", found + 1.0)),
            NetworkError::LossInput { hint, .. } => hint.clone(),
            NetworkError::Refused { hint, .. } | NetworkError::PlanValue { hint, .. } => Some((*hint).into()),
            _ => None,
        }
    }
}

/// `a setting of adam (rate, decay)`, or that there are none.
fn settings_of(of: &str, names: &str) -> String {
    if names.is_empty() { format!("no settings of {of}") } else { format!("a setting of {of} ({names})") }
}
