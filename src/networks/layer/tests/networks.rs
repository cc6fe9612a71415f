//! The standard networks as compositions of layers, and the known numbers of their parameters.

use super::super::super::check::normal;
use super::super::super::model::{Pass, summary};
use super::{evaluate, layer, model, shapes};
use crate::base::random::Streams;

fn parameters(text: &str, inputs: &[&[usize]]) -> usize {
    summary(&layer(text), &shapes(inputs)).unwrap_or_else(|e| panic!("{e}"))[0].parameters
}

pub(super) fn mlp(inner: &[usize], out: usize, activation: &str) -> String {
    let body: String = inner.iter().map(|w| format!("dense({w}), {activation}, ")).collect();
    format!("chain({body}dense({out}))")
}

fn block(channels: usize, stride: usize) -> String {
    format!(
        "residual(chain(conv({channels}, 3, stride: {stride}, bias: false), batch_norm, relu, conv({channels}, 3, bias: false), batch_norm)), relu"
    )
}

/// The network of He et al. 2016 for small images: 6 n + 2 layers.
pub(super) fn resnet(n: usize, classes: usize) -> String {
    let stages = [(16, 1), (32, 2), (64, 2)].iter().flat_map(|(channels, stride)| {
        (0..n).map(move |i| block(*channels, if i == 0 { *stride } else { 1 }))
    });
    let stages: Vec<_> = stages.collect();
    format!(
        "chain(conv(16, 3, bias: false), batch_norm, relu, {}, global_pool, dense({classes}))",
        stages.join(", ")
    )
}

pub(super) fn vit(patch: usize, width: usize, depth: usize, heads: usize, classes: usize) -> String {
    let blocks = format!("transformer_block({heads}), ").repeat(depth);
    format!(
        "chain(patches({patch}), dense({width}), class_token, position, {blocks}layer_norm, element(0), dense({classes}))"
    )
}

fn double(channels: usize) -> String {
    let one = format!("conv({channels}, 3, bias: false), batch_norm, relu");
    format!("{one}, {one}")
}

/// Ronneberger, Fischer & Brox 2015, with padding and normalisation.
pub(super) fn unet(base: usize, depth: usize, out: usize) -> String {
    fn level(base: usize, depth: usize) -> String {
        if depth == 0 {
            return double(base);
        }
        let below = level(2 * base, depth - 1);
        format!(
            "{}, skip(chain(pool(2), {below}, conv_transpose({base}, 2))), {}",
            double(base),
            double(base)
        )
    }
    format!("chain({}, conv({out}, 1))", level(base, depth))
}

pub(super) fn encoder_decoder(vocabulary: usize, width: usize, depth: usize, heads: usize) -> String {
    let side = |block: String| {
        format!("embedding({vocabulary}, {width}), position(kind: sinusoidal), {}", block.repeat(depth))
    };
    let encoder = side(format!("transformer_block({heads}), "));
    let decoder = side(format!("transformer_block({heads}, causal: true, cross: true), "));
    format!("conditioned(chain({encoder}layer_norm), chain({decoder}layer_norm, dense({vocabulary})))")
}

#[test]
fn known_numbers_of_parameters() {
    for (text, inputs, wanted) in [
        (mlp(&[512, 512], 10, "relu"), &[&[784][..]][..], 669_706),
        // He et al. 2016 give 0.27 million; with projections at the two steps
        (resnet(3, 10), &[&[3, 32, 32]], 272_474),
        // LeCun et al. 1998 without the sparse links
        ("chain(conv(6, 5, padding: 2), tanh, pool(2, kind: mean), conv(16, 5, padding: valid), tanh, pool(2, kind: mean), flatten, dense(120), tanh, dense(84), tanh, dense(10))".into(), &[&[1, 28, 28]], 61_706),
        // ViT-B/16, Dosovitskiy et al. 2021
        (vit(16, 768, 12, 12, 1000), &[&[3, 224, 224]], 86_567_656),
        (unet(64, 4, 2), &[&[3, 64, 64]], 31_037_698),
    ] {
        assert_eq!(parameters(&text, inputs), wanted, "{text}");
    }
}

#[test]
fn known_numbers_of_multiplications() {
    let cost =
        |text: &str, inputs: &[&[usize]]| summary(&layer(text), &shapes(inputs)).unwrap()[0].multiply_adds;
    assert_eq!(cost(&mlp(&[512, 512], 10, "relu"), &[&[784]]), 784 * 512 + 512 * 512 + 512 * 10);
    // ResNet-20: 40.55 million with shortcuts without weights, and 32 16 16^2 + 64 32 8^2 for the two projections
    assert_eq!(cost(&resnet(3, 10), &[&[3, 32, 32]]), 40_551_040 + 2 * 131_072);
    assert_eq!(cost("each(chain(dense(3), dense(2)))", &[&[5, 4]]), 5 * (12 + 6));
}

#[test]
fn the_layers_suffice_for_the_standard_networks() {
    for (name, text, inputs, output) in [
        ("mlp", mlp(&[16, 16], 1, "tanh"), &[&[2][..]][..], &[1][..]),
        ("siren", format!("chain(dense(16), sine(frequency: 30.0), {}", &mlp(&[16], 1, "sin")[6..]), &[&[2]], &[1]),
        ("cnn", "chain(conv(8, 3), relu, pool(2), conv(16, 3), relu, pool(2), flatten, dense(32), relu, dropout(0.5), dense(5))".into(), &[&[1, 16, 16]], &[5]),
        ("resnet", resnet(1, 5), &[&[1, 16, 16]], &[5]),
        ("vit", vit(4, 16, 2, 4, 5), &[&[3, 16, 16]], &[5]),
        ("unet", unet(4, 2, 1), &[&[1, 16, 16]], &[1, 16, 16]),
        ("unet of sequences", unet(4, 2, 3), &[&[16, 2]], &[16, 3]),
        ("gru network", "chain(gru(8), gru(8, sequence: false), dense(2))".into(), &[&[7, 3]], &[2]),
        ("film of images", "chain(each(chain(conv(4, 3), relu, global_pool)), gru(8, sequence: false), dense(2))".into(), &[&[5, 1, 6, 6]], &[2]),
        ("both ways", "chain(parallel(lstm(4), lstm(4, reverse: true)), average, dense(2))".into(), &[&[7, 3]], &[2]),
        ("set", "deep_set(chain(dense(16), relu, dense(16)), chain(relu, dense(16), relu, dense(2)), pool: sum)".into(), &[&[9, 3]], &[2]),
        ("set attention", "chain(dense(8), transformer_block(2, norm: after), transformer_block(2, norm: after), attention_pool(2), flatten, dense(2))".into(), &[&[9, 3]], &[2]),
        ("graph", "chain(message_passing(8, neighbours: 4, box: 1.0), silu, message_passing(8, neighbours: 4, box: 1.0), global_pool, dense(1))".into(), &[&[9, 2], &[9, 3]], &[1]),
        ("encoder and decoder", encoder_decoder(11, 8, 2, 2), &[&[4], &[6]], &[4, 11]),
        ("turning", "chain(d4_lift(4, 3), d4_norm, relu, pool(2), residual(chain(d4_conv(4, 3), d4_norm, relu)), d4_conv(4, 3), d4_norm, relu, d4_pool, global_pool, dense(3))".into(), &[&[1, 12, 12]], &[3]),
        (
            "diffusion",
            "conditioned(chain(time_embedding(8), dense(16), silu), chain(conv(4, 3), film, silu, skip(chain(pool(2), conv(8, 3), film, silu, upsample(2), conv(4, 3))), conv(4, 3), film, silu, conv(1, 1)))".into(),
            &[&[1, 8, 8], &[1]],
            &[1, 8, 8],
        ),
        ("two branches", "chain(parallel(chain(input(0), flatten, dense(4)), chain(input(1), dense(4)), merge: multiply), dense(1))".into(), &[&[1, 4, 4], &[3]], &[1]),
        ("deep operator", "parallel(chain(input(0), dense(8), tanh, dense(4)), chain(input(1), dense(8), tanh, dense(4)), merge: multiply)".into(), &[&[10], &[2]], &[4]),
    ] {
        let net = model(&text, inputs);
        let given: Vec<_> = inputs
            .iter()
            .enumerate()
            .map(|(i, shape)| {
                let sizes: Vec<usize> = std::iter::once(2).chain(shape.iter().copied()).collect();
                let x = normal(&format!("input{i}"), &sizes);
                if name == "encoder and decoder" { (x.abs().unwrap() * 3.0).unwrap().floor().unwrap().clamp(0.0, 10.0).unwrap() } else { x }
            })
            .collect();
        assert_eq!(net.output.sizes(), output, "{name}");
        let y = evaluate(&net, &given);
        assert_eq!(y.dims()[1..], *output, "{name}");
        assert_eq!(layer(&net.network.to_string()), net.network, "{name}");
        // every parameter takes part
        super::shake(&net);
        let loss = net.forward(&given, &mut Pass::training(Streams::new(0), 0)).unwrap();
        let loss = (loss * normal("weights", y.dims())).unwrap().sum_all().unwrap();
        let slopes = crate::networks::ops::gradients(&loss, net.parameters.vars()).unwrap();
        for (parameter, slope) in net.parameters.names().iter().zip(slopes) {
            assert!(super::values(&slope).iter().any(|g| *g != 0.0), "{name}: {parameter} has no gradient");
        }
    }
}

#[test]
fn the_summary_counts() {
    let net = model("chain(conv(4, 3), relu, pool(2), flatten, dense(3))", &[&[1, 4, 4]]);
    let rows: Vec<String> = net
        .summary()
        .iter()
        .map(|r| format!("{} {} {} {} {}", r.depth, r.layer, r.output, r.parameters, r.multiply_adds))
        .collect();
    assert_eq!(
        rows,
        [
            "0 chain(...) [3] 91 624",
            "1 conv(4, 3) [4, 4, 4] 40 576",
            "1 relu [4, 4, 4] 0 0",
            "1 pool(2) [4, 2, 2] 0 0",
            "1 flatten [16] 0 0",
            "1 dense(3) [3] 51 48",
        ]
    );
    assert_eq!(net.parameters.count(), 91);
}
