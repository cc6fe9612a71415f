//! What a training minimises: a scalar of a model and a batch. [`Supervised`] compares outputs with targets by a
//! [`Loss`]; experiments bring their own (the residual of a differential equation, the noise of a diffusion).

use candle_core::{D, DType, Tensor};

use super::data::Source;
use super::error::NetworkError;
use super::lengths::{Lengths, Presence};
use super::loss::{Loss, TargetKind};
use super::metric::{Measured, Metric};
use super::model::{Model, Pass};
use super::optimise::jacobian::{self, Jacobian};
use super::scaling::{Link, Scaling};
use super::shape::Shape;

/// Rows that are used together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The inputs of the network, each `[rows, ...]`.
    pub inputs: Vec<Tensor>,
    /// The lengths of the rows of each input, where they differ; none for inputs whose rows are as long as the tensor.
    pub lengths: Vec<Option<Lengths>>,
    /// What the outputs are compared with, `[rows, ...]`.
    pub target: Option<Tensor>,
    /// The lengths of the rows of the target, where they differ.
    pub target_lengths: Option<Lengths>,
    /// Weights of the rows, `[rows]`.
    pub weights: Option<Tensor>,
}

impl Batch {
    /// A batch without weights.
    pub fn new(inputs: Vec<Tensor>, target: Option<Tensor>) -> Batch {
        Batch { inputs, lengths: Vec::new(), target, target_lengths: None, weights: None }
    }

    /// How many rows it has; 0 without inputs.
    pub fn rows(&self) -> usize {
        self.inputs.first().and_then(|t| t.dims().first().copied()).unwrap_or(0)
    }
}

/// Sums over a batch that was only looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// What the loss of the batch counts for in a mean of several: its rows, or the sum of their weights.
    pub weight: f64,
    /// Its loss.
    pub loss: f64,
}

/// What is minimised.
pub trait Objective: Send + Sync {
    /// What it is, exactly: the key of a checkpoint holds a hash of it.
    fn describe(&self) -> String;

    /// What it is called in messages (`cross_entropy`).
    fn name(&self) -> String;

    /// Whether model and data fit, before the training starts.
    ///
    /// # Errors
    /// They do not.
    fn check(&self, _model: &Model, _data: &dyn Source, _which: &'static str) -> Result<(), NetworkError> {
        Ok(())
    }

    /// The loss of a batch, a scalar whose graph reaches the parameters.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn loss(&self, model: &Model, batch: &Batch, pass: &mut Pass) -> Result<Tensor, NetworkError>;

    /// Whether [`Objective::residuals`] has an answer.
    fn is_sum_of_squares(&self) -> bool {
        false
    }

    /// Residuals r, one long column, such that the loss is the mean of r^2; `None` where it is no sum of squares.
    fn residuals(
        &self,
        _model: &Model,
        _batch: &Batch,
        _pass: &mut Pass,
    ) -> Option<Result<Tensor, NetworkError>> {
        None
    }

    /// Residuals with their derivatives by the parameters; `None` where it is no sum of squares. An objective that
    /// knows how its residuals depend on rows gives a quicker one than this, which goes backward once a residual.
    fn jacobian(
        &self,
        model: &Model,
        batch: &Batch,
        pass: &mut Pass,
    ) -> Option<Result<Jacobian, NetworkError>> {
        let residuals = self.residuals(model, batch, pass)?;
        Some(residuals.and_then(|r| jacobian::by_rows(&r, &model.parameters, pass)))
    }

    /// The figures of merit that [`Objective::evaluate`] sums.
    fn metrics(&self) -> &[&'static Metric] {
        &[]
    }

    /// The loss of a batch, and its part of the sums of the metrics, one list each.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn evaluate(
        &self,
        model: &Model,
        batch: &Batch,
        pass: &mut Pass,
        _sums: &mut [Vec<f64>],
    ) -> Result<Evaluation, NetworkError> {
        let loss = scalar(&self.loss(model, batch, pass)?)?;
        Ok(Evaluation { weight: batch.rows() as f64, loss })
    }
}

/// A tensor of one number as that number.
pub(crate) fn scalar(x: &Tensor) -> Result<f64, NetworkError> {
    Ok(x.detach().to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?)
}

/// A tensor as numbers, row by row.
pub(crate) fn numbers(x: &Tensor) -> Result<Vec<f64>, NetworkError> {
    Ok(x.detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?)
}

/// What a loss compares.
struct Faced {
    output: Tensor,
    target: Tensor,
    weights: Option<Tensor>,
}

/// Outputs compared with targets.
#[derive(Clone, Debug)]
pub struct Supervised {
    loss: Loss,
    metrics: Vec<&'static Metric>,
    scaling: Option<Scaling>,
}

impl Supervised {
    /// A loss, and the figures of merit to report beside it.
    ///
    /// # Errors
    /// A metric of classes beside a loss of numbers, or the reverse.
    pub fn new(loss: Loss, metrics: Vec<&'static Metric>) -> Result<Supervised, NetworkError> {
        let target = loss.kind().target;
        let classes = matches!(target, TargetKind::Classes | TargetKind::Flags);
        if let Some(odd) = metrics.iter().find(|m| m.classes != classes) {
            let (expected, hint) =
                if classes { ("a metric of classes", "accuracy") } else { ("a metric of numbers", "rmse") };
            return Err(NetworkError::LossInput {
                loss: loss.to_string(),
                expected: expected.into(),
                found: format!("`{}`", odd.name),
                hint: Some(hint.into()),
            });
        }
        Ok(Supervised { loss, metrics, scaling: None })
    }

    /// With outputs and targets brought to numbers near 1 before the loss sees them. Metrics see them as they are.
    pub fn with_scaling(self, scaling: Option<Scaling>) -> Supervised {
        Supervised { scaling, ..self }
    }

    /// The loss.
    pub fn loss_of(&self) -> &Loss {
        &self.loss
    }

    fn target<'a>(&self, batch: &'a Batch) -> Result<&'a Tensor, NetworkError> {
        batch.target.as_ref().ok_or_else(|| self.no_target())
    }

    /// Output and target as the loss sees them.
    fn seen(&self, faced: &Faced) -> Result<(Tensor, Tensor), NetworkError> {
        match &self.scaling {
            Some(scaling) => scaling.both(&self.loss, &faced.output, &faced.target),
            None => Ok((faced.output.clone(), faced.target.clone())),
        }
    }

    fn residuals_of(&self, faced: &Faced) -> Result<Tensor, NetworkError> {
        let (output, target) = self.seen(faced)?;
        let found = self.loss.residuals(&output, &target, faced.weights.as_ref());
        found.unwrap_or_else(|| Err(self.no_target()))
    }

    /// Output, target and weights of a batch as the loss compares them: rows, or where the output varies in length all
    /// elements of all rows, one below the other.
    fn faced(&self, model: &Model, batch: &Batch, output: Tensor) -> Result<Faced, NetworkError> {
        let target = self.target(batch)?.clone();
        let weights = batch.weights.clone();
        let Some(varies) = model.output.varies() else { return Ok(Faced { output, target, weights }) };
        let full =
            |t: &Tensor| -> Result<Lengths, NetworkError> { Ok(Lengths::new(vec![t.dim(1)?; t.dim(0)?])) };
        let own = match batch.lengths.get(varies.input).and_then(Option::as_ref) {
            Some(lengths) => lengths.through(varies),
            None => full(&output)?,
        };
        let theirs = batch.target_lengths.clone().map_or_else(|| full(&target), Ok)?;
        if let Some(row) = own.rows().iter().zip(theirs.rows()).position(|(a, b)| a != b) {
            return Err(NetworkError::Length {
                path: format!("{}: the target", self.loss),
                expected: format!("{} elements as in the output", own.rows()[row]),
                row,
                found: theirs.rows()[row],
            });
        }
        let gather = |t: &Tensor| match Presence::new(own.clone(), t.dim(1)?) {
            Some(presence) => presence.gather(t),
            None => Ok(t.contiguous()?.flatten(0, 1)?),
        };
        let weights = match weights {
            Some(w) => {
                let rows = own.rows().iter().enumerate();
                let rows: Vec<u32> = rows.flat_map(|(k, n)| std::iter::repeat_n(k as u32, *n)).collect();
                Some(w.index_select(&Tensor::from_vec(rows, own.total(), w.device())?, 0)?)
            }
            None => None,
        };
        Ok(Faced { output: gather(&output)?, target: gather(&target)?, weights })
    }

    fn no_target(&self) -> NetworkError {
        NetworkError::LossInput {
            loss: self.loss.to_string(),
            expected: "data with a target".into(),
            found: "none".into(),
            hint: None,
        }
    }
}

impl Objective for Supervised {
    fn describe(&self) -> String {
        let names: Vec<&str> = self.metrics.iter().map(|m| m.name).collect();
        let scaling = &self.scaling;
        format!("supervised {} {:?} {names:?} {scaling:?}", self.loss, self.loss.class_weights())
    }

    fn name(&self) -> String {
        self.loss.kind().name.into()
    }

    fn check(&self, model: &Model, data: &dyn Source, which: &'static str) -> Result<(), NetworkError> {
        let shape = data.target().ok_or_else(|| self.no_target())?;
        let (output, target) = (&model.output, &shape);
        if output.varies().is_some() != target.varies().is_some() {
            let output_varies = output.varies().is_some();
            return Err(NetworkError::LossInput {
                loss: self.loss.to_string(),
                expected: if output_varies {
                    format!(
                        "a target that varies in length as the outputs {output}, or outputs of one length"
                    )
                } else {
                    format!("a target of the shape of the outputs, {output}")
                },
                found: format!("a target of shape {target}"),
                hint: output_varies.then(|| "global_pool or deep_set at the end".to_string()),
            });
        }
        // Where lengths vary, each element is a row.
        let free = usize::from(output.varies().is_some());
        let (output, shape) = (Shape::new(&output.sizes()[free..]), &shape.sizes()[free..]);
        let classes = self.loss.check_shapes(&output, shape)?;
        match classes {
            Some(classes) => data.check_classes(classes, which),
            None => Ok(()),
        }
    }

    fn loss(&self, model: &Model, batch: &Batch, pass: &mut Pass) -> Result<Tensor, NetworkError> {
        let output = model.forward_rows(&batch.inputs, &batch.lengths, pass)?;
        let faced = self.faced(model, batch, output)?;
        let (output, target) = self.seen(&faced)?;
        self.loss.value(&output, &target, faced.weights.as_ref())
    }

    fn is_sum_of_squares(&self) -> bool {
        self.loss.kind().squares
    }

    fn residuals(
        &self,
        model: &Model,
        batch: &Batch,
        pass: &mut Pass,
    ) -> Option<Result<Tensor, NetworkError>> {
        self.is_sum_of_squares().then(|| {
            let output = model.forward_rows(&batch.inputs, &batch.lengths, pass)?;
            self.residuals_of(&self.faced(model, batch, output)?)
        })
    }

    fn jacobian(
        &self,
        model: &Model,
        batch: &Batch,
        pass: &mut Pass,
    ) -> Option<Result<Jacobian, NetworkError>> {
        if !self.is_sum_of_squares() {
            return None;
        }
        let of = |output: &Tensor| {
            let (target, weights) = (self.target(batch)?.clone(), batch.weights.clone());
            self.residuals_of(&Faced { output: output.clone(), target, weights })
        };
        match jacobian::by_layers(model, batch, pass, &of) {
            Ok(Some(found)) => Some(Ok(found)),
            Ok(None) => {
                let residuals = self.residuals(model, batch, pass)?;
                Some(residuals.and_then(|r| jacobian::by_rows(&r, &model.parameters, pass)))
            }
            Err(e) => Some(Err(e)),
        }
    }

    fn metrics(&self) -> &[&'static Metric] {
        &self.metrics
    }

    fn evaluate(
        &self,
        model: &Model,
        batch: &Batch,
        pass: &mut Pass,
        sums: &mut [Vec<f64>],
    ) -> Result<Evaluation, NetworkError> {
        let output = model.forward_rows(&batch.inputs, &batch.lengths, pass)?;
        let faced = self.faced(model, batch, output)?;
        let (seen, seen_target) = self.seen(&faced)?;
        let Faced { output, target, weights } = faced;
        let loss = scalar(&self.loss.value(&seen, &seen_target, weights.as_ref())?)?;
        let weight = match &weights {
            Some(w) => scalar(w)?,
            None => output.dim(0)? as f64,
        };
        if !self.metrics.is_empty() {
            let classes = self.loss.kind().target == TargetKind::Classes;
            let output = if classes && output.rank() == 4 { output.permute((0, 2, 3, 1))? } else { output };
            let flags = self.loss.kind().target == TargetKind::Flags;
            let width = if flags { 1 } else { output.dim(D::Minus1)? };
            let (mut output, target) = (numbers(&output.contiguous()?)?, numbers(&target)?);
            output
                .iter_mut()
                .enumerate()
                .for_each(|(i, o)| *o = Link::of(&self.loss, i % width, width).apply(*o));
            let rows = output.len().checked_div(width).unwrap_or(0);
            let measured = Measured { rows, output: &output, width, target: &target, classes };
            self.metrics.iter().zip(sums).for_each(|(m, s)| m.add(s, &measured));
        }
        Ok(Evaluation { weight, loss })
    }
}
