//! Sequences from networks that tell the next token (an encoder and a decoder of the language's `encoder_decoder`): the
//! sampling of candle-transformers, token by token.

use candle_core::{DType, Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};

use super::error::NetworkError;
use super::model::{Model, Pass};
use super::shape::Shape;
use crate::base::hash;

/// How a token is chosen from its logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// The likeliest.
    Likeliest,
    /// At random by the probabilities of logits over a temperature, of the `top` likeliest where that is given.
    Random {
        /// Divides the logits; above 0.
        temperature: f64,
        /// How many of the likeliest.
        top: Option<usize>,
    },
}

/// The tokens that follow `first` for each row of `sources`, up to and without `last`: the network's first input is the
/// sequence so far, its second the source. Row `k` has a random stream of its own, by the seed.
///
/// # Errors
/// A network that takes other inputs than two sequences, or tokens beyond its vocabulary.
pub fn generate(
    model: &Model,
    sources: &[Vec<u32>],
    first: u32,
    last: u32,
    choice: Choice,
    seed: u64,
) -> Result<Vec<Vec<u32>>, NetworkError> {
    let two = model.inputs.len() == 2 && model.inputs.iter().all(|s| s.rank() == 1);
    if !two || model.output.rank() != 2 {
        return Err(NetworkError::Inputs {
            path: model.network.short(),
            expected: "a network of two sequences that tells the next token".into(),
            found: model.inputs.len(),
        });
    }
    let most = model.inputs[0].count();
    let vocabulary = model.output.features();
    let mut all = Vec::with_capacity(sources.len());
    for (row, source) in sources.iter().enumerate() {
        let lengths = match model.inputs[1].varies() {
            Some(_) => Shape::from([source.len()]),
            None => model.inputs[1].clone(),
        };
        let source = Tensor::from_slice(source, lengths.batched(1), &Device::Cpu)?;
        let sampling = match choice {
            Choice::Likeliest => Sampling::ArgMax,
            Choice::Random { temperature, top: Some(k) } => Sampling::TopK { k, temperature },
            Choice::Random { temperature, top: None } => Sampling::All { temperature },
        };
        let mut sampler = LogitsProcessor::from_sampling(hash::combine(seed, row as u64), sampling);
        // What lies behind a position is not seen from it.
        let mut tokens = vec![0; most];
        tokens[0] = first;
        let mut found = Vec::new();
        for place in 0..most {
            let so_far = Tensor::from_slice(&tokens, model.inputs[0].batched(1), &Device::Cpu)?;
            let logits = model.forward(&[so_far, source.clone()], &mut Pass::inference())?;
            let logits = logits.reshape((most, vocabulary))?.get(place)?.to_dtype(DType::F32)?;
            let next = sampler.sample(&logits)?;
            if next == last {
                break;
            }
            found.push(next);
            if place + 1 < most {
                tokens[place + 1] = next;
            }
        }
        all.push(found);
    }
    Ok(all)
}
