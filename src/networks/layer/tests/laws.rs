//! Symmetries, order in time, and what training passes change.

use candle_core::{IndexOp, Tensor};

use super::super::super::check::normal;
use super::super::super::model::Pass;
use super::super::equivariant::{sources, undone};
use super::{difference, evaluate, model, shake, values};
use crate::base::random::Streams;

/// An image `[batch, channels, n, n]` under a symmetry of the square.
fn turned(x: &Tensor, symmetry: usize) -> Tensor {
    let (batch, channels, n, _) = x.dims4().unwrap();
    let places: Vec<u32> = sources(symmetry, n).into_iter().map(|p| p as u32).collect();
    let places = Tensor::new(places, x.device()).unwrap();
    let flat = x.flatten_from(2).unwrap().contiguous().unwrap();
    flat.index_select(&places, 2).unwrap().reshape((batch, channels, n, n)).unwrap()
}

#[test]
fn the_eight_symmetries_are_a_group() {
    let corner = |g| sources(g, 2);
    for g in 0..8 {
        assert!((0..g).all(|h| corner(h) != corner(g)));
        assert_eq!(undone(g, g), 0);
        let mut images: Vec<_> = (0..8).map(|h| undone(g, h)).collect();
        images.sort_unstable();
        assert_eq!(images, (0..8).collect::<Vec<_>>());
    }
    // a quarter turn to the left, and a mirror left to right
    assert_eq!(sources(1, 2), [1, 3, 0, 2]);
    assert_eq!(sources(4, 2), [1, 0, 3, 2]);
}

#[test]
fn turned_convolutions_turn_with_the_image() {
    for padding in ["same", "circular", "valid"] {
        let body = format!(
            "d4_lift(3, 3, padding: {padding}), d4_norm, relu, residual(d4_conv(2, 3)), d4_norm, silu, d4_conv(2, 3, padding: {padding})"
        );
        let x = normal("image", &[2, 2, 8, 8]);
        for end in [
            "d4_pool",
            "pool(2), d4_pool(kind: mean)",
            "d4_pool, global_pool",
            "global_pool(kind: max), d4_pool",
        ] {
            let net = model(&format!("chain({body}, {end})"), &[&[2, 8, 8]]);
            shake(&net);
            for training in [true, false] {
                let run = |x: &Tensor| {
                    let mut pass =
                        if training { Pass::training(Streams::new(0), 0) } else { Pass::evaluation() };
                    net.forward(std::slice::from_ref(x), &mut pass).unwrap()
                };
                let still = run(&x);
                for g in 0..8 {
                    let wanted = if still.rank() == 4 { turned(&still, g) } else { still.clone() };
                    let gap = difference(&run(&turned(&x, g)), &wanted);
                    assert!(gap < 1e-12, "{padding}, {end}, symmetry {g}: {gap:e}");
                }
            }
        }
        // an ordinary convolution does not
        let plain = model("chain(conv(3, 3), relu, conv(1, 3))", &[&[2, 8, 8]]);
        let y = evaluate(&plain, std::slice::from_ref(&x));
        assert!(difference(&evaluate(&plain, &[turned(&x, 1)]), &turned(&y, 1)) > 1e-3);
    }
}

/// The elements of `[batch, elements, features]` in another order.
fn shuffled(x: &Tensor, order: &[u32]) -> Tensor {
    x.index_select(&Tensor::new(order, x.device()).unwrap(), 1).unwrap()
}

const ORDER: [u32; 6] = [4, 0, 5, 3, 1, 2];

#[test]
fn the_order_of_a_set_does_not_matter() {
    for text in [
        "deep_set(chain(dense(8), tanh, dense(5)), dense(2))",
        "deep_set(dense(8), dense(2), pool: max)",
        "chain(dense(4), attention(2), attention_pool(2, seeds: 2))",
        "chain(set_dense(5), tanh, set_dense(3, pool: max), global_pool(kind: sum))",
        "chain(dense(4), transformer_block(2), global_pool(kind: max))",
        "chain(message_passing(4, neighbours: 3), average)",
    ] {
        let net = model(text, &[&[6, 3]]);
        shake(&net);
        let x = normal("set", &[2, 6, 3]);
        let gap =
            difference(&evaluate(&net, std::slice::from_ref(&x)), &evaluate(&net, &[shuffled(&x, &ORDER)]));
        assert!(gap < 1e-13, "{text}: {gap:e}");
    }
}

#[test]
fn reordering_a_set_reorders_the_answers() {
    for text in ["set_dense(4)", "attention(3)", "transformer_block(1)", "each(chain(dense(2), tanh))"] {
        let net = model(text, &[&[6, 3]]);
        shake(&net);
        let x = normal("set", &[2, 6, 3]);
        let y = shuffled(&evaluate(&net, std::slice::from_ref(&x)), &ORDER);
        assert!(difference(&y, &evaluate(&net, &[shuffled(&x, &ORDER)])) < 1e-13, "{text}");
    }
    let net = model("message_passing(4, neighbours: 2, box: 2.0)", &[&[6, 3], &[6, 2]]);
    let (h, x) = (normal("h", &[2, 6, 3]), normal("x", &[2, 6, 2]));
    let y = shuffled(&evaluate(&net, &[h.clone(), x.clone()]), &ORDER);
    let moved = evaluate(&net, &[shuffled(&h, &ORDER), shuffled(&x, &ORDER)]);
    assert!(difference(&y, &moved) < 1e-13);
}

#[test]
fn messages_know_the_symmetries_of_space() {
    let (h, x) = (normal("h", &[2, 6, 3]), normal("x", &[2, 6, 2]));
    let text = "message_passing(4, neighbours: 3, edges: distance)";
    let net = model(text, &[&[6, 3], &[6, 2]]);
    let y = evaluate(&net, &[h.clone(), x.clone()]);
    let (sine, cosine) = 0.7f64.sin_cos();
    let turn = Tensor::new(&[[cosine, sine], [-sine, cosine]], x.device()).unwrap();
    let turned = x.broadcast_matmul(&turn).unwrap().affine(1.0, 5.0).unwrap();
    assert!(difference(&y, &evaluate(&net, &[h.clone(), turned.clone()])) < 1e-10);
    // displacements see the turn
    let net = model("message_passing(4, neighbours: 3)", &[&[6, 3], &[6, 2]]);
    let y = evaluate(&net, &[h.clone(), x.clone()]);
    assert!(difference(&y, &evaluate(&net, &[h.clone(), turned])) > 1e-3);
    // whole periods and a shift of all points change nothing in a box
    let net = model("message_passing(4, neighbours: 3, box: [1.5, 2])", &[&[6, 3], &[6, 2]]);
    let y = evaluate(&net, &[h.clone(), x.clone()]);
    let periods =
        Tensor::new(&[[[1.5, -4.0]; 3], [[0.0, 2.0]; 3]], x.device()).unwrap().reshape((1, 6, 2)).unwrap();
    let moved = x.broadcast_add(&periods).unwrap().affine(1.0, 0.3).unwrap();
    assert!(difference(&y, &evaluate(&net, &[h, moved])) < 1e-10);
}

/// Rolled along an axis.
fn rolled(x: &Tensor, axis: usize, by: usize) -> Tensor {
    let n = x.dim(axis).unwrap();
    Tensor::cat(&[x.narrow(axis, n - by, by).unwrap(), x.narrow(axis, 0, n - by).unwrap()], axis).unwrap()
}

#[test]
fn circular_convolutions_shift_with_the_input() {
    let net = model(
        "chain(conv(4, 3, padding: circular), tanh, conv(2, [4, 5], padding: circular))",
        &[&[2, 6, 7]],
    );
    let x = normal("image", &[2, 2, 6, 7]);
    let moved = rolled(&rolled(&x, 2, 2), 3, 5);
    let wanted = rolled(&rolled(&evaluate(&net, &[x]), 2, 2), 3, 5);
    assert!(difference(&evaluate(&net, &[moved]), &wanted) < 1e-14);
    let net = model(
        "chain(conv(4, 3, padding: circular, dilation: 2), sin, conv(2, 4, padding: circular))",
        &[&[9, 2]],
    );
    let x = normal("sequence", &[2, 9, 2]);
    assert!(difference(&evaluate(&net, &[rolled(&x, 1, 4)]), &rolled(&evaluate(&net, &[x]), 1, 4)) < 1e-14);
}

#[test]
fn convolutions_of_sequences_are_those_of_flat_images() {
    for options in ["", ", stride: 2", ", padding: circular", ", dilation: 2", ", groups: 2"] {
        let sequence = model(&format!("conv(4, 3{options})"), &[&[8, 2]]);
        let options =
            options.replace("stride: 2", "stride: [1, 2]").replace("dilation: 2", "dilation: [1, 2]");
        let image = model(&format!("conv(4, [1, 3]{options})"), &[&[2, 1, 8]]);
        image.parameters.assign(&sequence.parameters.flatten().unwrap()).unwrap();
        let x = normal("sequence", &[3, 8, 2]);
        let flat = evaluate(&image, &[x.transpose(1, 2).unwrap().unsqueeze(2).unwrap()]);
        let wanted = flat.squeeze(2).unwrap().transpose(1, 2).unwrap();
        assert!(difference(&evaluate(&sequence, &[x]), &wanted) < 1e-14, "{options}");
    }
}

#[test]
fn a_convolution_by_hand() {
    let net = model("conv(1, 3, bias: false)", &[&[4, 1]]);
    net.parameters.assign(&[1.0, 10.0, 100.0]).unwrap();
    let x = Tensor::new(&[[[1.0], [2.0], [3.0], [4.0f64]]], &candle_core::Device::Cpu).unwrap();
    assert_eq!(values(&evaluate(&net, std::slice::from_ref(&x))), [210.0, 321.0, 432.0, 43.0]);
    let net = model("conv(1, 3, bias: false, padding: circular)", &[&[4, 1]]);
    net.parameters.assign(&[1.0, 10.0, 100.0]).unwrap();
    assert_eq!(values(&evaluate(&net, std::slice::from_ref(&x))), [214.0, 321.0, 432.0, 143.0]);
    let net = model("conv_transpose(1, 2, bias: false)", &[&[4, 1]]);
    net.parameters.assign(&[1.0, 10.0]).unwrap();
    assert_eq!(
        values(&evaluate(&net, std::slice::from_ref(&x))),
        [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0]
    );
    let pool = model("pool(2, kind: mean)", &[&[4, 1]]);
    assert_eq!(values(&evaluate(&pool, std::slice::from_ref(&x))), [1.5, 3.5]);
    let up = model("upsample(2, mode: linear)", &[&[4, 1]]);
    assert_eq!(values(&evaluate(&up, &[x])), [1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0]);
}

#[test]
fn what_is_causal_does_not_see_ahead() {
    for text in ["attention(2, causal: true)", "transformer_block(2, causal: true)", "gru(4)", "lstm(4)"] {
        let net = model(text, &[&[5, 4]]);
        shake(&net);
        let x = normal("sequence", &[1, 5, 4]);
        let later =
            Tensor::cat(&[x.narrow(1, 0, 3).unwrap(), (x.narrow(1, 3, 2).unwrap() + 1.0).unwrap()], 1)
                .unwrap();
        let (y, z) = (evaluate(&net, &[x]), evaluate(&net, &[later]));
        assert!(difference(&y.narrow(1, 0, 3).unwrap(), &z.narrow(1, 0, 3).unwrap()) < 1e-15, "{text}");
        assert!(difference(&y, &z) > 1e-3, "{text}");
    }
    // the last state is the last of the sequence; a reverse unit ends at the front
    for kind in ["gru", "lstm"] {
        for (options, place) in [("", 4), (", reverse: true", 0)] {
            let all = model(&format!("{kind}(3{options})"), &[&[5, 2]]);
            let last = model(&format!("{kind}(3, sequence: false{options})"), &[&[5, 2]]);
            let x = normal("sequence", &[2, 5, 2]);
            let end = evaluate(&all, std::slice::from_ref(&x)).i((.., place)).unwrap();
            assert_eq!(difference(&end, &evaluate(&last, &[x])), 0.0);
        }
    }
}

#[test]
fn dropout_drops_in_training_only() {
    let net = model("dropout(0.25)", &[&[4000]]);
    let x = Tensor::ones((2, 4000), candle_core::DType::F64, &candle_core::Device::Cpu).unwrap();
    assert_eq!(difference(&evaluate(&net, std::slice::from_ref(&x)), &x), 0.0);
    let pass = |seed, step| {
        let y = net.forward(std::slice::from_ref(&x), &mut Pass::training(Streams::new(seed), step)).unwrap();
        values(&y)
    };
    let y = pass(1, 0);
    assert!(y.iter().all(|v| *v == 0.0 || (*v - 1.0 / 0.75).abs() < 1e-15));
    let dropped = y.iter().filter(|v| **v == 0.0).count() as f64 / y.len() as f64;
    assert!((dropped - 0.25).abs() < 0.02, "{dropped}");
    assert_eq!(y, pass(1, 0));
    assert_ne!(y, pass(1, 1));
    assert_ne!(y, pass(2, 0));
}

#[test]
fn batch_norm_follows_the_batch() {
    let net = model("batch_norm(affine: false)", &[&[2, 5, 3]]);
    let x = (normal("image", &[4, 2, 5, 3]) * 3.0).unwrap().affine(1.0, 7.0).unwrap();
    let y = net.forward(std::slice::from_ref(&x), &mut Pass::training(Streams::new(0), 0)).unwrap();
    let channel = values(&y.i((.., 1)).unwrap());
    let mean = channel.iter().sum::<f64>() / 60.0;
    let variance = channel.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 60.0;
    assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-5);
    let numbers = values(&x.i((.., 1)).unwrap());
    let mean = numbers.iter().sum::<f64>() / 60.0;
    let variance = numbers.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 59.0;
    let kept = net.buffers.flatten().unwrap();
    assert_eq!(net.buffers.names(), ["mean", "variance"]);
    assert!((kept[1] - 0.1 * mean).abs() < 1e-12, "{kept:?}");
    assert!((kept[3] - (0.9 + 0.1 * variance)).abs() < 1e-12, "{kept:?}");
    // an evaluation keeps them and does not look at the batch
    let one = evaluate(&net, &[x.narrow(0, 0, 1).unwrap()]);
    assert_eq!(difference(&one, &evaluate(&net, &[x]).narrow(0, 0, 1).unwrap()), 0.0);
    assert_eq!(net.buffers.flatten().unwrap(), kept);
}

#[test]
fn norms_by_hand() {
    let x = Tensor::new(&[[1.0, 2.0, 3.0, 6.0f64]], &candle_core::Device::Cpu).unwrap();
    let close = |text: &str, wanted: [f64; 4]| {
        let y = values(&evaluate(&model(text, &[&[4]]), std::slice::from_ref(&x)));
        assert!(y.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{text}: {y:?}");
    };
    let deviation = 3.5f64.sqrt();
    close("layer_norm(epsilon: 1e-12)", [-2.0, -1.0, 0.0, 3.0].map(|v| v / deviation));
    close("rms_norm(epsilon: 1e-12)", [1.0, 2.0, 3.0, 6.0].map(|v| v / 12.5f64.sqrt()));
    close("group_norm(2, epsilon: 1e-12)", [-1.0, 1.0, -1.0, 1.0]);
    close("normalise([1, 2, 3, 4], 2.0)", [0.0, 0.0, 0.0, 1.0]);
    close("scale(2.0, shift: [0, 1, 0, 1])", [2.0, 5.0, 6.0, 13.0]);
}

#[test]
fn film_begins_as_the_identity() {
    let net = model("film", &[&[2, 3, 3], &[4]]);
    let (x, by) = (normal("x", &[2, 2, 3, 3]), normal("by", &[2, 4]));
    assert_eq!(difference(&evaluate(&net, &[x.clone(), by]), &x), 0.0);
}

#[test]
fn patches_are_squares_in_reading_order() {
    let x = Tensor::arange(0.0, 16.0f64, &candle_core::Device::Cpu).unwrap().reshape((1, 1, 4, 4)).unwrap();
    let y = evaluate(&model("patches(2)", &[&[1, 4, 4]]), &[x]);
    assert_eq!(values(&y)[..8], [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
}
