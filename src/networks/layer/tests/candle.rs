//! Networks beside the models of candle-transformers and the layers of candle-nn with the same weights, in
//! single precision: their outputs differ by less than 1e-5. Forward only: candle's fused operations have
//! no backward.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN, gru, lstm};
use candle_nn::{Activation, Module, VarBuilder, group_norm};
use candle_transformers::models::{bert, t5, vit};

use super::super::super::check::normal;
use super::super::super::model::Model;
use super::super::super::parameters::Precision;
use super::{difference, evaluate, layer, shake, shapes};
use crate::base::random::Streams;

const BOUND: f64 = 1e-5;

/// A model in f32 whose every parameter takes part.
fn single(text: &str, inputs: &[&[usize]]) -> Model {
    let model = Model::new(&layer(text), &shapes(inputs), Precision::F32, Streams::new(1)).unwrap();
    shake(&model);
    model
}

fn numbers(name: &str, sizes: &[usize]) -> Tensor {
    normal(name, sizes).to_dtype(DType::F32).unwrap()
}

fn tokens(rows: &[&[u32]]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &Device::Cpu).unwrap()
}

fn zeros(sizes: &[usize]) -> Tensor {
    Tensor::zeros(sizes, DType::F32, &Device::Cpu).unwrap()
}

fn close(ours: &Tensor, theirs: &Tensor, what: &str) {
    let gap = difference(ours, theirs);
    assert!(gap < BOUND, "{what}: {gap:e}");
}

/// Our weights, taken in the order of the layers, under candle's names.
struct Given {
    ours: std::vec::IntoIter<Tensor>,
    theirs: HashMap<String, Tensor>,
}

impl Given {
    fn of(model: &Model) -> Given {
        Given { ours: model.parameters.frozen().into_iter(), theirs: HashMap::new() }
    }

    fn next(&mut self) -> Tensor {
        self.ours.next().unwrap()
    }

    fn set(&mut self, name: &str, value: Tensor) {
        assert!(self.theirs.insert(name.to_string(), value).is_none(), "{name} twice");
    }

    fn weight(&mut self, name: &str) {
        let value = self.next();
        self.set(&format!("{name}.weight"), value);
    }

    /// The weight and bias of a dense layer or of a normalisation.
    fn pair(&mut self, name: &str) {
        self.weight(name);
        let bias = self.next();
        self.set(&format!("{name}.bias"), bias);
    }

    /// Queries, keys and values, which stand in one matrix here, and the projection of what is seen.
    fn attention(&mut self, parts: [String; 3], out: &str) {
        let (weight, bias) = (self.next(), self.next());
        let width = weight.dim(1).unwrap();
        for (i, name) in parts.iter().enumerate() {
            self.set(&format!("{name}.weight"), weight.narrow(0, i * width, width).unwrap());
            self.set(&format!("{name}.bias"), bias.narrow(0, i * width, width).unwrap());
        }
        self.pair(out);
    }

    /// All weights are given away.
    fn builder(mut self) -> VarBuilder<'static> {
        assert!(self.ours.next().is_none());
        VarBuilder::from_tensors(self.theirs, DType::F32, &Device::Cpu)
    }
}

#[test]
fn a_vision_transformer() {
    let net = single(
        "chain(patches(4), dense(12), class_token, position, transformer_block(3), transformer_block(3), \
         layer_norm, element(0), dense(5))",
        &[&[3, 8, 8]],
    );
    let mut given = Given::of(&net);
    let projection = given.next().reshape((12, 3, 4, 4)).unwrap();
    given.set("vit.embeddings.patch_embeddings.projection.weight", projection);
    let bias = given.next();
    given.set("vit.embeddings.patch_embeddings.projection.bias", bias);
    let (class, positions) = (given.next(), given.next());
    given.set("vit.embeddings.cls_token", class.reshape((1, 1, 12)).unwrap());
    given.set("vit.embeddings.position_embeddings", positions.unsqueeze(0).unwrap());
    for i in 0..2 {
        let block = format!("vit.encoder.layer.{i}");
        given.pair(&format!("{block}.layernorm_before"));
        let parts = ["query", "key", "value"].map(|p| format!("{block}.attention.attention.{p}"));
        given.attention(parts, &format!("{block}.attention.output.dense"));
        given.pair(&format!("{block}.layernorm_after"));
        given.pair(&format!("{block}.intermediate.dense"));
        given.pair(&format!("{block}.output.dense"));
    }
    given.pair("vit.layernorm");
    given.pair("classifier");
    let config = vit::Config {
        hidden_size: 12,
        num_hidden_layers: 2,
        num_attention_heads: 3,
        intermediate_size: 48,
        hidden_act: Activation::Gelu,
        layer_norm_eps: 1e-5,
        image_size: 8,
        patch_size: 4,
        num_channels: 3,
        qkv_bias: true,
    };
    let theirs = vit::Model::new(&config, 5, given.builder()).unwrap();
    let image = numbers("image", &[2, 3, 8, 8]);
    close(&evaluate(&net, std::slice::from_ref(&image)), &theirs.forward(&image).unwrap(), "vit");
}

#[test]
fn an_encoder_with_normalisations_after() {
    let net = single(
        "chain(embedding(9, 8), position, layer_norm, transformer_block(2, hidden: 6, norm: after), \
         transformer_block(2, hidden: 6, norm: after))",
        &[&[5]],
    );
    let mut given = Given::of(&net);
    given.weight("embeddings.word_embeddings");
    given.weight("embeddings.position_embeddings");
    // sentences are not told apart here
    given.set("embeddings.token_type_embeddings.weight", zeros(&[2, 8]));
    given.pair("embeddings.LayerNorm");
    for i in 0..2 {
        let block = format!("encoder.layer.{i}");
        let parts = ["query", "key", "value"].map(|p| format!("{block}.attention.self.{p}"));
        given.attention(parts, &format!("{block}.attention.output.dense"));
        given.pair(&format!("{block}.attention.output.LayerNorm"));
        given.pair(&format!("{block}.intermediate.dense"));
        given.pair(&format!("{block}.output.dense"));
        given.pair(&format!("{block}.output.LayerNorm"));
    }
    let config = bert::Config {
        vocab_size: 9,
        hidden_size: 8,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 5,
        layer_norm_eps: 1e-5,
        ..bert::Config::default()
    };
    let theirs = bert::BertModel::load(given.builder(), &config).unwrap();
    let words = tokens(&[&[1, 8, 0, 3, 3], &[2, 2, 7, 5, 4]]);
    let kinds = words.zeros_like().unwrap();
    close(
        &evaluate(&net, std::slice::from_ref(&words)),
        &theirs.forward(&words, &kinds, None).unwrap(),
        "bert",
    );
}

/// T5 divides no scores by the root of the width (that goes into its queries), has no biases in attention
/// (ours are 0), one table of tokens for both sides, and adds a number for the distance of two positions
/// (0 here).
#[test]
fn an_encoder_and_a_decoder() {
    let dense = "residual(chain(rms_norm, dense(6, bias: false), relu, dense(8, bias: false)))";
    let (reads, sees, writes) = (
        "residual(chain(rms_norm, attention(2)))",
        "residual(chain(rms_norm, cross_attention(2)))",
        "residual(chain(rms_norm, attention(2, causal: true)))",
    );
    let net = single(
        &format!(
            "conditioned(chain(embedding(9, 8), {reads}, {dense}, {reads}, {dense}, rms_norm), \
             chain(embedding(9, 8), {writes}, {sees}, {dense}, {writes}, {sees}, {dense}, rms_norm, \
             dense(9, bias: false)))"
        ),
        &[&[4], &[5]],
    );
    for (name, var) in net.parameters.names().iter().zip(net.parameters.vars()) {
        if name.ends_with("bias") {
            var.set(&zeros(var.dims())).unwrap();
        }
    }
    let mut given = Given::of(&net);
    // projections of one attention: queries, keys and values, and of what is seen
    let project = |given: &mut Given, name: &str, q: Tensor, kv: Tensor| {
        given.set(&format!("{name}.q.weight"), (q / 2.0).unwrap());
        given.set(&format!("{name}.k.weight"), kv.narrow(0, 0, 8).unwrap());
        given.set(&format!("{name}.v.weight"), kv.narrow(0, 8, 8).unwrap());
        given.weight(&format!("{name}.o"));
        given.next();
    };
    let own = |given: &mut Given, name: &str| {
        given.weight(&format!("{name}.layer_norm"));
        let (all, _) = (given.next(), given.next());
        let (q, kv) = (all.narrow(0, 0, 8).unwrap(), all.narrow(0, 8, 16).unwrap());
        project(given, &format!("{name}.SelfAttention"), q, kv);
    };
    let cross = |given: &mut Given, name: &str| {
        given.weight(&format!("{name}.layer_norm"));
        let (q, _, kv, _) = (given.next(), given.next(), given.next(), given.next());
        project(given, &format!("{name}.EncDecAttention"), q, kv);
    };
    let forth = |given: &mut Given, name: &str| {
        given.weight(&format!("{name}.layer_norm"));
        given.weight(&format!("{name}.DenseReluDense.wi"));
        given.weight(&format!("{name}.DenseReluDense.wo"));
    };
    let mut tables = Vec::new();
    for side in ["encoder", "decoder"] {
        tables.push(net.parameters.vars().len() - given.ours.len());
        let table = given.next();
        if side == "encoder" {
            given.set("shared.weight", table);
        }
        for i in 0..2 {
            let block = format!("{side}.block.{i}.layer");
            own(&mut given, &format!("{block}.0"));
            if side == "decoder" {
                cross(&mut given, &format!("{block}.1"));
            }
            forth(&mut given, &format!("{block}.{}", if side == "decoder" { 2 } else { 1 }));
        }
        let distances = format!("{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        given.set(&distances, zeros(&[32, 2]));
        given.weight(&format!("{side}.final_layer_norm"));
    }
    given.weight("lm_head");
    let vars = net.parameters.vars();
    vars[tables[1]].set(&vars[tables[0]].as_detached_tensor().copy().unwrap()).unwrap();

    let config = t5::Config {
        vocab_size: 9,
        d_model: 8,
        d_kv: 4,
        d_ff: 6,
        num_layers: 2,
        num_heads: 2,
        layer_norm_epsilon: 1e-5,
        tie_word_embeddings: false,
        use_cache: false,
        ..t5::Config::default()
    };
    let mut theirs = t5::T5ForConditionalGeneration::load(given.builder(), &config).unwrap();
    let read = tokens(&[&[1, 8, 0, 3, 3], &[2, 2, 7, 5, 4]]);
    let written = tokens(&[&[6, 1, 4, 4], &[0, 3, 8, 1]]);
    let ours = evaluate(&net, &[written.clone(), read.clone()]);
    for last in 0..4 {
        // candle's model gives the logits behind the last token alone
        let begun = written.narrow(1, 0, last + 1).unwrap().contiguous().unwrap();
        let logits = theirs.forward(&read, &begun).unwrap();
        close(&ours.narrow(1, last, 1).unwrap().squeeze(1).unwrap(), &logits, &format!("t5, token {last}"));
    }
}

#[test]
fn recurrent_units() {
    let (x, units) = (numbers("sequence", &[2, 5, 3]), 4);
    let net = single("gru(4)", &[&[5, 3]]);
    let mut given = Given::of(&net);
    for name in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"] {
        let value = given.next();
        given.set(name, value);
    }
    let inner = given.next();
    given.set("bias_hh_l0", Tensor::cat(&[&zeros(&[2 * units]), &inner], 0).unwrap());
    let theirs = gru(3, units, GRUConfig::default(), given.builder()).unwrap();
    let states: Vec<Tensor> = theirs.seq(&x).unwrap().into_iter().map(|s| s.h).collect();
    close(&evaluate(&net, std::slice::from_ref(&x)), &Tensor::stack(&states, 1).unwrap(), "gru");

    let net = single("lstm(4)", &[&[5, 3]]);
    let mut given = Given::of(&net);
    // gates i, f, o, g here and i, f, g, o there
    let order = Tensor::from_vec(
        [0, 1, 3, 2].into_iter().flat_map(|g| (0..4).map(move |i| 4 * g + i)).collect::<Vec<u32>>(),
        4 * units,
        &Device::Cpu,
    )
    .unwrap();
    for name in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"] {
        let value = given.next().index_select(&order, 0).unwrap();
        given.set(name, value);
    }
    given.set("bias_hh_l0", zeros(&[4 * units]));
    let theirs = lstm(3, units, LSTMConfig::default(), given.builder()).unwrap();
    let states = theirs.states_to_tensor(&theirs.seq(&x).unwrap()).unwrap();
    close(&evaluate(&net, std::slice::from_ref(&x)), &states, "lstm");
}

#[test]
fn group_normalisation() {
    let net = single("group_norm(3)", &[&[6, 4, 5]]);
    let mut given = Given::of(&net);
    for name in ["weight", "bias"] {
        let value = given.next();
        given.set(name, value);
    }
    let theirs = group_norm(3, 6, 1e-5, given.builder()).unwrap();
    let x = numbers("image", &[2, 6, 4, 5]);
    close(&evaluate(&net, std::slice::from_ref(&x)), &theirs.forward(&x).unwrap(), "group_norm");
}
