//! Faults: their words and hints.

use candle_core::{Device, Tensor};

use super::super::super::model::{Model, Pass, output_shape};
use super::super::super::parameters::Precision;
use super::super::{Layer, Setting};
use super::{layer, model, shapes};
use crate::base::Fault;
use crate::base::random::Streams;

/// Message and hint of a text that is no network for these inputs.
fn fault(text: &str, inputs: &[&[usize]]) -> String {
    let read: Result<Layer, _> = text.parse();
    let error = match read {
        Ok(network) => output_shape(&network, &shapes(inputs)).unwrap_err(),
        Err(error) => error,
    };
    let hint = error.hint().map_or(String::new(), |h| format!(" | {h}"));
    format!("{} {error}{hint}", error.code())
}

#[test]
fn what_is_wrong_with_a_layer() {
    for (text, wanted) in [
        ("dens(3)", "P4201 expected a layer, found `dens` | dense"),
        ("chain(conv(3, 3), batchnorm)", "P4201 expected a layer, found `batchnorm` | batch_norm"),
        (
            "dense(3, bais: true)",
            "P4202 expected an option of `dense` (units, bias, init), found `bais` | bias",
        ),
        ("relu(3)", "P4202 expected an option of `relu` (it has none), found `3`"),
        ("dense", "P4203 expected the option `units` of `dense`, found none | dense(units: 2)"),
        ("dense(0)", "P4204 expected a whole number from 1 for `units` of `dense`, found 0 | units: 2"),
        ("dense(2.5)", "P4204 expected a whole number from 1 for `units` of `dense`, found 2.5 | units: 2"),
        (
            "dropout(1.0)",
            "P4204 expected a number from 0 to below 1 for `rate` of `dropout`, found 1.0 | rate: 0.1",
        ),
        (
            "conv(3, 3, padding: cirular)",
            "P4204 expected same, valid, circular or a whole number from 0 for `padding` of `conv`, found cirular | padding: circular",
        ),
        ("pool(2, kind: min)", "P4204 expected one of max, mean for `kind` of `pool`, found min"),
        ("chain", "P4205 expected at least one layer inside `chain`, found 0 | chain(dense(8))"),
        ("residual(relu, tanh)", "P4205 expected one layer inside `residual`, found 2 | residual(dense(8))"),
        (
            "chain(relu",
            "P4206 expected `,` or `)`, found the end at byte 10 of a network, after `chain(relu` | chain(dense(8), tanh, dense(1))",
        ),
        (
            "dense(3) 4",
            "P4206 expected the end, found `4` at byte 9 of a network, after `dense(3) ` | chain(dense(8), tanh, dense(1))",
        ),
    ] {
        assert_eq!(fault(text, &[&[4]]), wanted);
    }
}

#[test]
fn what_does_not_fit_its_input() {
    for (text, inputs, wanted) in [
        (
            "chain(conv(4, 3), relu, dense(2))",
            &[&[1, 8, 8][..]][..],
            "P4207 chain[2] dense(2): expected [features] or [length, features], found [4, 8, 8] | chain(flatten, dense(2))",
        ),
        (
            "chain(dense(4), residual(chain(tanh, conv(4, 3))))",
            &[&[3]],
            "P4207 chain[1] residual[0] chain[1] conv(4, 3): expected [length, features] or [channels, height, width], found [4]",
        ),
        (
            "chain(conv(4, 5, padding: valid))",
            &[&[1, 4, 8]],
            "P4207 chain[0] conv(4, 5, padding: valid): expected at least 5 along every axis for this kernel, found [1, 4, 8] | padding: same",
        ),
        (
            "pool(2)",
            &[&[3, 6, 9]],
            "P4208 pool(2): expected a pool size that divides 9, found 2 | pool(2, stride: 2), which leaves out the rest",
        ),
        (
            "patches(4)",
            &[&[3, 8, 10]],
            "P4208 patches(4): expected a patch size that divides 10, found 4 | size: 5",
        ),
        (
            "attention(3)",
            &[&[5, 8]],
            "P4208 attention(3): expected a number of heads that divides 8, found 3 | heads: 2",
        ),
        (
            "conv(4, 3, groups: 3)",
            &[&[6, 4, 4]],
            "P4208 conv(4, 3, groups: 3): expected a number of groups that divides 4, found 3 | groups: 2",
        ),
        (
            "group_norm(3)",
            &[&[4, 2, 2]],
            "P4208 group_norm(3): expected a number of groups that divides 4, found 3 | groups: 2",
        ),
        (
            "reshape([2, 5])",
            &[&[3, 4]],
            "P4204 expected a shape of at most three axes with 12 numbers, as [3, 4] has for `shape` of `reshape`, found [2, 5]",
        ),
        (
            "d4_conv(2, 3)",
            &[&[3, 4, 4]],
            "P4207 d4_conv(2, 3): expected channels in eights, as d4_lift makes them, found [3, 4, 4] | chain(d4_lift(2, 3), d4_conv(2, 3))",
        ),
        (
            "d4_lift(2, 4)",
            &[&[3, 4, 4]],
            "P4204 expected an odd number (an even one needs padding: valid) for `kernel` of `d4_lift`, found 4 | kernel: 5",
        ),
        (
            "residual(pool(3, stride: 1))",
            &[&[3, 8, 8]],
            "P4207 residual(...): expected an inner layer that gives [3, 8, 8] or fewer positions, found [3, 6, 6] | padding: same",
        ),
        (
            "parallel(conv(2, 3), pool(2))",
            &[&[3, 8, 8]],
            "P4207 parallel(...): expected branches of the same positions as [2, 8, 8], found [3, 4, 4] | merge: concat",
        ),
        ("cross_attention(2)", &[&[3, 4]], "P4209 cross_attention(2): expected 2 inputs, found 1"),
        (
            "transformer_block(2, cross: true)",
            &[&[3, 4]],
            "P4209 transformer_block(2, cross: true): expected 2 inputs (a sequence, and another one to attend to), found 1",
        ),
        ("chain(dense(2), relu)", &[&[3], &[4]], "P4209 chain(...): expected one input, found 2"),
        (
            "message_passing(4)",
            &[&[5, 2]],
            "P4204 expected fewer than the 5 nodes for `neighbours` of `message_passing`, found 8 | neighbours: 4",
        ),
        ("element(5)", &[&[5, 2]], "P4204 expected an index from -5 to 4 for `index` of `element`, found 5"),
        (
            "normalise([1, 2], 1.0)",
            &[&[3]],
            "P4204 expected one number or 3 (one a feature of [3]) for `mean` of `normalise`, found 2 numbers",
        ),
        (
            "conv_transpose(2, 1)",
            &[&[3, 4, 4]],
            "P4204 expected at least the stride 2 for `kernel` of `conv_transpose`, found 1 | kernel: 2",
        ),
        ("dense(2)", &[&[0]], "P4207 dense(2): expected sizes from 1, found [0]"),
    ] {
        assert_eq!(fault(text, inputs), wanted);
    }
}

#[test]
fn what_a_model_does_not_take() {
    let net = model("chain(embedding(4, 2), flatten)", &[&[3]]);
    let say = |inputs: &[Tensor]| net.forward(inputs, &mut Pass::evaluation()).unwrap_err().to_string();
    let tensor = |v: &[[f64; 3]; 1]| Tensor::new(v, &Device::Cpu).unwrap();
    assert_eq!(
        say(&[tensor(&[[0.0, 4.0, 1.0]])]),
        "chain[0] embedding(4, 2): expected tokens 0 to 3, found 4"
    );
    assert_eq!(
        say(&[tensor(&[[0.0, 0.5, 1.0]])]),
        "chain[0] embedding(4, 2): expected tokens 0 to 3, found 0.5"
    );
    assert_eq!(say(&[]), "chain(...): expected one input, found 0");
    let wide = Tensor::new(&[[0u32, 1, 2, 3]], &Device::Cpu).unwrap();
    assert_eq!(say(&[wide]), "expected input 0 of shape [batch, 3], found [1, 4]");
    let whole = Tensor::new(&[[0u32, 3, 2]], &Device::Cpu).unwrap();
    assert_eq!(net.forward(&[whole], &mut Pass::evaluation()).unwrap().dims(), [1, 6]);
}

#[test]
fn values_of_the_wrong_type_are_faults() {
    for value in
        [Setting::Absent, true.into(), "many".into(), Setting::List(vec![]), f64::NAN.into(), (-1.0).into()]
    {
        assert!(Layer::new("dense", &[("units", value.clone())], vec![]).is_err(), "{value}");
    }
    assert!(Layer::new("dense", &[("units", 3.0.into())], vec![]).is_ok());
    let deep = "chain(".repeat(500) + "relu" + &")".repeat(500);
    assert!(deep.parse::<Layer>().is_err());
    let network = layer("dense(3)");
    assert!(Model::new(&network, &shapes(&[]), Precision::F64, Streams::new(0)).is_err());
}

/// Texts a slip away from networks, and shapes no sample has: a fault or a shape, never a panic.
#[test]
fn slips_are_faults() {
    let inputs: [&[&[usize]]; 10] = [
        &[],
        &[&[]],
        &[&[1]],
        &[&[8]],
        &[&[1, 1]],
        &[&[3, 8]],
        &[&[8, 1, 1]],
        &[&[8, 5, 7]],
        &[&[2, 2, 2, 2]],
        &[&[3, 4], &[3, 2]],
    ];
    for sample in super::super::KINDS.iter().flat_map(|k| k.samples) {
        let network = layer(sample.layer);
        for shape in inputs {
            let _ = output_shape(&network, &shapes(shape));
        }
        let text = sample.layer;
        for i in 0..text.len() {
            let _ = text[..i].parse::<Layer>();
            let _ = text[i..].parse::<Layer>();
            let _ = format!("{}{}", &text[..i], &text[i + 1..]).parse::<Layer>();
            for c in ["(", "9", "é", "]", "-"] {
                let slip = format!("{}{c}{}", &text[..i], &text[i..]);
                if let Ok(network) = slip.parse::<Layer>() {
                    let _ = output_shape(&network, &shapes(sample.inputs));
                }
            }
        }
    }
}

#[test]
fn sizes_beyond_memory_are_faults() {
    for (text, inputs) in [
        ("dense(16777216)", &[&[1 << 20][..]][..]),
        ("conv(16777216, [16777215, 16777215])", &[&[3, 8, 8]]),
        ("conv_transpose(16777216, 16777216, padding: valid)", &[&[3, 8, 8]]),
        ("upsample(16777216)", &[&[3, 8, 8]]),
        ("d4_lift(16777216, 9)", &[&[3, 9, 9]]),
        ("attention_pool(1, seeds: 16777216)", &[&[5, 8192]]),
        ("chain(gru(16777216), gru(16777216))", &[&[5, 3]]),
        ("embedding(16777216, 16777216)", &[&[5]]),
        ("each(dense(2))", &[&[usize::MAX, usize::MAX]]),
    ] {
        let error = output_shape(&layer(text), &shapes(inputs)).unwrap_err().to_string();
        assert!(error.contains("of at most 2147483648 numbers, found more"), "{error}");
    }
    assert!("dense(16777217)".parse::<Layer>().is_err());
}
