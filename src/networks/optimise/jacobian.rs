//! Residuals with their derivatives by every parameter, row by row in f64. Backward gives the gradient of one number, so
//! in general each residual costs one backward. Where each row of the output depends on its own row of the input only and
//! the parameters are those of dense layers, one backward an output serves all rows: with y = W x + b at a row and e the
//! derivative of the row's residual by y, the derivatives by W and b are e x^T and e.

use candle_core::{DType, Tensor, Var};
use nalgebra::{DMatrix, DVector};

use crate::base::random::Streams;
use crate::networks::error::NetworkError;
use crate::networks::layer::Layer;
use crate::networks::model::{Model, Pass};
use crate::networks::objective::{Batch, numbers};
use crate::networks::ops;
use crate::networks::parameters::{Parameters, Precision};
use crate::networks::shape::Shape;

/// Residuals r and their derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Jacobian {
    /// r.
    pub residuals: DVector<f64>,
    /// dr/dw, one row a residual, one column a parameter in the order of `Parameters::flatten`.
    pub matrix: DMatrix<f64>,
}

/// One backward for each residual: right for every objective.
///
/// # Errors
/// The graph of a residual cannot be gone back, or the token of the pass says to stop.
pub fn by_rows(residuals: &Tensor, parameters: &Parameters, pass: &Pass) -> Result<Jacobian, NetworkError> {
    let r = numbers(residuals)?;
    let flat = residuals.flatten_all()?;
    let mut matrix = DMatrix::zeros(r.len(), parameters.count());
    for i in 0..r.len() {
        pass.go_on()?;
        let mut at = 0;
        for g in ops::gradients(&flat.narrow(0, i, 1)?.sum_all()?, parameters.vars())? {
            for (k, g) in numbers(&g)?.into_iter().enumerate() {
                matrix[(i, at + k)] = g;
            }
            at += g.elem_count();
        }
    }
    Ok(Jacobian { residuals: DVector::from_vec(r), matrix })
}

/// A dense layer met on the way: what went in, and a variable of zeros that was added to what came out.
struct Tap {
    /// `[rows, places, inputs]`.
    input: Tensor,
    /// `[rows, places, units]`.
    probe: Var,
    /// Where its parameters begin: weight, then bias.
    weight: usize,
    bias: Option<usize>,
}

/// Layers one after the other, with the prefix of their names; those of a chain inside a chain count by themselves.
fn flatten<'a>(layer: &'a Layer, prefix: &str, all: &mut Vec<(String, &'a Layer)>) {
    if layer.kind().name != "chain" {
        all.push((prefix.to_string(), layer));
        return;
    }
    for (i, inner) in layer.inner().iter().enumerate() {
        let name = if prefix.is_empty() { i.to_string() } else { format!("{prefix}.{i}") };
        flatten(inner, &name, all);
    }
}

/// Residuals of a chain of dense layers and layers without parameters, with one backward for each residual of a row.
/// `residuals` gives them for an output, the same number for each row, those of a row together. `None` where the network
/// is not of this form.
///
/// # Errors
/// Shapes that do not fit.
pub fn by_layers(
    model: &Model,
    batch: &Batch,
    pass: &mut Pass,
    residuals: &dyn Fn(&Tensor) -> Result<Tensor, NetworkError>,
) -> Result<Option<Jacobian>, NetworkError> {
    let ([input], [shape]) = (batch.inputs.as_slice(), model.inputs.as_slice()) else { return Ok(None) };
    if shape.varies().is_some() {
        return Ok(None);
    }
    let mut layers = Vec::new();
    flatten(&model.network, "", &mut layers);
    let precision = if model.dtype() == DType::F64 { Precision::F64 } else { Precision::F32 };
    let mut flow = input.to_dtype(model.dtype())?;
    let (rows, mut shape): (usize, Shape) = (flow.dim(0)?, shape.clone());
    let mut taps: Vec<Tap> = Vec::new();
    let mut offsets = Vec::new();
    let mut at = 0;
    for var in model.parameters.vars() {
        offsets.push(at);
        at += var.elem_count();
    }
    let mut seen = 0;
    for (prefix, layer) in layers {
        let name = |own: &str| if prefix.is_empty() { own.to_string() } else { format!("{prefix}.{own}") };
        let place = |own: &str| model.parameters.names().iter().position(|n| *n == name(own));
        if layer.kind().name != "dense" {
            let part = Model::new(layer, &[shape], precision, Streams::new(0))?;
            if !part.parameters.is_empty() || !part.buffers.is_empty() {
                return Ok(None);
            }
            flow = part.forward(&[flow], pass)?;
            shape = part.output;
            continue;
        }
        let Some(weight) = place("weight") else { return Ok(None) };
        let bias = place("bias");
        seen += 1 + usize::from(bias.is_some());
        let w = model.parameters.vars()[weight].as_tensor();
        let (units, inputs) = w.dims2()?;
        let x = flow.contiguous()?.reshape((rows, (), inputs))?;
        let places = x.dim(1)?;
        let probe = Var::zeros((rows, places, units), model.dtype(), x.device())?;
        let mut y = x.reshape((rows * places, inputs))?.matmul(&w.t()?)?;
        if let Some(b) = bias {
            y = y.broadcast_add(model.parameters.vars()[b].as_tensor())?;
        }
        let y = (y.reshape((rows, places, units))? + probe.as_tensor())?;
        shape = shape.with_features(units);
        flow = y.reshape(shape.batched(rows))?;
        taps.push(Tap { input: x.detach(), probe, weight: offsets[weight], bias: bias.map(|b| offsets[b]) });
    }
    // A parameter that no tap covers (of a layer that this file does not know) makes the way back incomplete.
    if seen != model.parameters.len() {
        return Ok(None);
    }
    let r = residuals(&flow)?;
    let values = numbers(&r)?;
    if rows == 0 || values.len() % rows != 0 {
        return Ok(None);
    }
    let each = values.len() / rows;
    let table = r.reshape((rows, each))?;
    let mut matrix = DMatrix::zeros(values.len(), model.parameters.count());
    for j in 0..each {
        pass.go_on()?;
        let probes: Vec<Var> = taps.iter().map(|t| t.probe.clone()).collect();
        let by_probe = ops::gradients(&table.narrow(1, j, 1)?.sum_all()?, &probes)?;
        for (tap, e) in taps.iter().zip(&by_probe) {
            let by_weight = e.transpose(1, 2)?.contiguous()?.matmul(&tap.input)?;
            put(&mut matrix, j, each, tap.weight, &by_weight)?;
            if let Some(bias) = tap.bias {
                put(&mut matrix, j, each, bias, &e.sum(1)?)?;
            }
        }
    }
    Ok(Some(Jacobian { residuals: DVector::from_vec(values), matrix }))
}

/// Puts derivatives `[rows, ...]` of residual `j` of each row into the columns from `column`.
fn put(
    matrix: &mut DMatrix<f64>,
    j: usize,
    each: usize,
    column: usize,
    derivatives: &Tensor,
) -> Result<(), NetworkError> {
    let rows = derivatives.dim(0)?;
    let all = numbers(derivatives)?;
    let width = all.len() / rows.max(1);
    for (i, row) in all.chunks(width.max(1)).enumerate() {
        for (k, d) in row.iter().enumerate() {
            matrix[(i * each + j, column + k)] = *d;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_quick_way_is_the_general_one() {
        let networks: [(&str, &[usize]); 4] = [
            ("chain(dense(5), tanh, dense(2))", &[3]),
            ("dense(2)", &[3]),
            ("chain(chain(dense(4), relu), dense(3, bias: false), tanh, dense(1))", &[2]),
            ("chain(dense(4), tanh, dense(2))", &[3, 2]),
        ];
        for (text, shape) in networks {
            let network: Layer = text.parse().unwrap();
            let model = Model::new(&network, &[Shape::new(shape)], Precision::F64, Streams::new(3)).unwrap();
            let count = 7 * shape.iter().product::<usize>();
            let x: Vec<f64> = (0..count).map(|k| (k as f64 * 1.3).sin()).collect();
            let sizes = Shape::new(shape).batched(7);
            let batch = Batch::new(vec![Tensor::from_vec(x, sizes, &Device::Cpu).unwrap()], None);
            let of = |o: &Tensor| Ok((o.sin()? * 1.5)?.flatten_all()?);
            let pass = || Pass::training(Streams::new(0), 0);
            let quick = by_layers(&model, &batch, &mut pass(), &of).unwrap().unwrap();
            let output = model.forward(&batch.inputs, &mut pass()).unwrap();
            let slow = by_rows(&of(&output).unwrap(), &model.parameters, &pass()).unwrap();
            assert!((&quick.matrix - &slow.matrix).amax() < 1e-14, "{text}");
            assert!((&quick.residuals - &slow.residuals).amax() < 1e-14, "{text}");
        }
    }
}
