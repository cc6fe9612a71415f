//! Numbers for what is no number yet, and for places and times: embeddings of tokens, positions, time, random features.

use candle_core::{D, DType, Tensor};

use super::super::error::NetworkError;
use super::super::ops::{self, Activation};
use super::super::parameters::Init;
use super::super::shape::Shape;
use super::Behaviour;
use super::plan::{Node, Plan, Run, Site, Table};

/// A trained row of numbers for every token.
pub(super) struct Embedding;

impl Behaviour for Embedding {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        if inputs[0].rank() != 1 {
            return Err(site.shape_error("[length] (tokens)", &inputs[0]));
        }
        let (vocabulary, width) = (site.layer.size_or("vocabulary", 1), site.layer.size_or("width", 1));
        let output = Shape::from([inputs[0].count(), width]).varying(inputs[0].varies().copied());
        Ok(Plan::new(output).parameter(
            "weight",
            &[vocabulary, width],
            Init::Normal((width as f64).sqrt().recip()),
        ))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let vocabulary = node.layer.size_or("vocabulary", 1);
        let tokens = inputs[0].detach().flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let mut places = Vec::with_capacity(tokens.len());
        for token in tokens {
            if token.fract() != 0.0 || !(0.0..vocabulary as f64).contains(&token) {
                return Err(NetworkError::Token {
                    path: node.path.clone(),
                    last: vocabulary.saturating_sub(1),
                    found: token,
                });
            }
            places.push(token as u32);
        }
        let places = Tensor::from_vec(places, inputs[0].dims(), inputs[0].device())?;
        Ok(ops::embedding(&places, &run.weight(node, "weight")?)?)
    }
}

/// Adds to every position of a sequence a row of numbers of its own: trained, or sines and cosines of geometric wave
/// lengths from 2 pi to 10 000 * 2 pi (Vaswani et al. 2017).
pub(super) struct Position;

impl Behaviour for Position {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        let (length, width) = (x.positions(), x.features());
        let plan = Plan::new(x.clone());
        if site.layer.word("kind") == "learned" {
            return Ok(plan.parameter("weight", &[length, width], Init::Normal(0.02)));
        }
        Ok(plan.constant(&[length, width], Table::Reals(waves_of(0..length, width))))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        let learned = node.layer.word("kind") == "learned";
        let rows = if learned { run.weight(node, "weight")? } else { run.constant(node, 0)? };
        let (known, length) = (rows.dim(0)?, x.dim(1)?);
        let rows = match length.checked_sub(known) {
            None | Some(0) => rows.narrow(0, 0, length)?,
            Some(_) if learned => {
                let lengths = run.lengths(&node.output);
                let row = lengths.as_ref().and_then(|l| l.rows().iter().position(|n| *n > known));
                return Err(NetworkError::Length {
                    path: node.path.clone(),
                    expected: format!("at most {known} elements, as many positions as were trained"),
                    row: row.unwrap_or(0),
                    found: row.and_then(|r| lengths.map(|l| l.rows()[r])).unwrap_or(length),
                });
            }
            Some(more) => {
                let width = rows.dim(1)?;
                let beyond = Tensor::from_vec(waves_of(known..length, width), (more, width), x.device())?;
                Tensor::cat(&[&rows, &beyond.to_dtype(rows.dtype())?], 0)?
            }
        };
        Ok(x.broadcast_add(&rows)?)
    }
}

/// Sines and cosines of positions, row by row.
fn waves_of(positions: std::ops::Range<usize>, width: usize) -> Vec<f64> {
    let wave = |position: usize, i: usize| {
        let angle = position as f64 / 10_000f64.powf((i / 2 * 2) as f64 / width as f64);
        if i.is_multiple_of(2) { angle.sin() } else { angle.cos() }
    };
    positions.flat_map(|p| (0..width).map(move |i| wave(p, i))).collect()
}

/// A trained row before the first of a sequence.
pub(super) struct ClassToken;

impl Behaviour for ClassToken {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[2])?;
        let varies = x.varies().map(|v| v.then(1, 1));
        let output = Shape::from([x.positions() + 1, x.features()]).varying(varies);
        Ok(Plan::new(output).parameter("weight", &[x.features()], Init::Normal(0.02)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let x = &inputs[0];
        let (batch, _, width) = x.dims3()?;
        let token = run.weight(node, "weight")?.reshape((1, 1, width))?.broadcast_as((batch, 1, width))?;
        Ok(Tensor::cat(&[&token.contiguous()?, &x.contiguous()?], 1)?)
    }
}

/// Sines and cosines of a number, at wave numbers from 1 down to 1/period in geometric steps, half the width each (the
/// time of a diffusion: Ho, Jain & Abbeel 2020).
pub(super) struct TimeEmbedding;

impl Behaviour for TimeEmbedding {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let width = site.layer.size_or("width", 2);
        if inputs[0].count() != 1 || inputs[0].rank() > 1 {
            return Err(site.shape_error("[1] (a time)", &inputs[0]));
        }
        if !width.is_multiple_of(2) {
            let error = site.option_error("width", "an even number", width);
            return Err(error.with_hint(format!("width: {}", width + 1)));
        }
        let (half, period) = (width / 2, site.layer.real("period"));
        let steps = half.saturating_sub(1).max(1) as f64;
        let waves = (0..half).map(|i| period.powf(-(i as f64) / steps)).collect();
        Ok(Plan::new(Shape::from([width])).constant(&[1, half], Table::Reals(waves)))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let time = inputs[0].reshape((inputs[0].dim(0)?, 1))?;
        waves(&time.broadcast_mul(&run.constant(node, 0)?)?)
    }
}

/// Sines beside cosines of angles, along the last axis.
fn waves(angles: &Tensor) -> Result<Tensor, NetworkError> {
    let (sine, cosine) = (ops::activate(angles, Activation::Sin)?, ops::activate(angles, Activation::Cos)?);
    Ok(Tensor::cat(&[sine, cosine], D::Minus1)?)
}

/// Sines and cosines of 2 pi B x with fixed normal random B (Rahimi & Recht 2007; Tancik et al. 2020).
pub(super) struct Fourier;

impl Behaviour for Fourier {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[1, 2])?;
        let waves = site.layer.size_or("waves", 1);
        let normal = Init::Normal(std::f64::consts::TAU * site.layer.real("scale"));
        let cost = x.count() * waves;
        Ok(Plan::new(x.with_features(2 * waves))
            .buffer("wave_numbers", &[waves, x.features()], normal)
            .cost(cost))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let numbers = run.buffer(node, "wave_numbers")?.as_detached_tensor();
        waves(&ops::linear(&inputs[0], &numbers, None)?)
    }
}

/// Scales and shifts every feature by dense functions of the second input, `[features]` of any number: x (1 + a) + b
/// (Perez et al. 2018). It begins as the identity.
pub(super) struct Film;

impl Behaviour for Film {
    fn plan(&self, site: &Site, inputs: &[Shape]) -> Result<Plan, NetworkError> {
        let x = site.ranked(&inputs[0], &[1, 2, 3])?;
        let by = site.ranked(&inputs[1], &[1])?;
        let (features, given) = (x.features(), by.features());
        Ok(Plan::new(x.clone())
            .parameter("weight", &[2 * features, given], Init::Constant(0.0))
            .parameter("bias", &[2 * features], Init::Constant(0.0))
            .cost(2 * features * given))
    }

    fn forward(&self, node: &Node, inputs: &[Tensor], run: &mut Run) -> Result<Tensor, NetworkError> {
        let (x, features) = (&inputs[0], node.inputs[0].features());
        let both = ops::linear(&inputs[1], &run.weight(node, "weight")?, run.bias(node).as_ref())?;
        let mut sizes = vec![1; x.rank()];
        sizes[0] = x.dim(0)?;
        sizes[node.inputs[0].feature_axis() + 1] = features;
        let part = |from: usize| both.narrow(1, from, features)?.contiguous()?.reshape(sizes.as_slice());
        Ok(x.broadcast_mul(&(part(0)? + 1.0)?)?.broadcast_add(&part(features)?)?)
    }
}
