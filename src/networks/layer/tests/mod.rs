//! Laws of layers. What is generated from the table of kinds stands in `registry`.

mod candle;
mod faults;
mod first_weights;
mod laws;
mod networks;
mod reference;
pub(in crate::networks) mod registry;

use candle_core::{DType, Tensor};

use super::super::check::normal;
use super::super::model::{Model, Pass};
use super::super::parameters::Precision;
use super::super::shape::Shape;
use super::Layer;
use crate::base::random::Streams;

/// The layer that a text stands for.
fn layer(text: &str) -> Layer {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn shapes(inputs: &[&[usize]]) -> Vec<Shape> {
    inputs.iter().map(|s| Shape::new(s)).collect()
}

/// A model in f64 for inputs of these shapes.
fn model(text: &str, inputs: &[&[usize]]) -> Model {
    Model::new(&layer(text), &shapes(inputs), Precision::F64, Streams::new(1))
        .unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Moves every parameter, so that what begins as zero takes part.
fn shake(model: &Model) {
    for (name, var) in model.parameters.names().iter().zip(model.parameters.vars()) {
        let noise = (normal(name, var.dims()) * 0.3).unwrap().to_dtype(var.dtype()).unwrap();
        var.set(&(var.as_detached_tensor() + noise).unwrap()).unwrap();
    }
}

/// The output of an evaluation.
fn evaluate(model: &Model, inputs: &[Tensor]) -> Tensor {
    model.forward(inputs, &mut Pass::evaluation()).unwrap_or_else(|e| panic!("{}: {e}", model.network))
}

/// The greatest difference of two tensors of the same shape.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let gap = (a.to_dtype(DType::F64).unwrap() - b.to_dtype(DType::F64).unwrap()).unwrap();
    gap.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f64>().unwrap()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}
