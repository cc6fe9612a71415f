//! First weights, and weights as bytes.

use candle_core::Tensor;

use super::super::super::error::NetworkError;
use super::super::super::model::{Model, Pass};
use super::super::super::parameters::Precision;
use super::{difference, evaluate, layer, model, shapes, values};
use crate::base::random::Streams;
use crate::networks::check::normal;

fn variance(v: &[f64]) -> f64 {
    let mean = v.iter().sum::<f64>() / v.len() as f64;
    v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64
}

/// The variance of the first parameter.
fn first_variance(text: &str, input: &[usize]) -> f64 {
    variance(&values(model(text, &[input]).parameters.vars()[0].as_tensor()))
}

#[test]
fn first_weights_have_the_variance_of_their_rule() {
    for (text, input, wanted) in [
        ("dense(300, init: he)", &[200][..], 2.0 / 200.0),
        ("dense(300, init: lecun)", &[200], 1.0 / 200.0),
        ("dense(300, init: glorot)", &[200], 2.0 / 500.0),
        ("dense(300)", &[200], 2.0 / 500.0),
        ("chain(dense(300), relu)", &[200], 2.0 / 200.0),
        ("chain(dense(300), layer_norm, dropout(0.1), gelu)", &[200], 2.0 / 200.0),
        ("chain(dense(300), selu)", &[200], 1.0 / 200.0),
        ("chain(dense(300), tanh)", &[200], 2.0 / 500.0),
        ("chain(conv(64, 3), batch_norm, relu)", &[32, 8, 8], 2.0 / (32.0 * 9.0)),
        ("chain(conv(64, 5, groups: 4), relu)", &[16, 32], 2.0 / (8.0 * 5.0)),
        ("chain(d4_lift(64, 5), relu)", &[16, 8, 8], 2.0 / (16.0 * 25.0)),
        ("embedding(500, 64)", &[3], 1.0 / 64.0),
    ] {
        let found = first_variance(text, input);
        assert!((found / wanted - 1.0).abs() < 0.05, "{text}: {found} for {wanted}");
    }
    assert!(
        model("dense(9)", &[&[4]]).parameters.get("bias").is_some_and(|b| values(b.as_tensor()) == [0.0; 9])
    );
}

#[test]
fn signals_keep_their_size_in_a_deep_network() {
    let body = "dense(256), relu, ".repeat(20);
    let net = model(&format!("chain({body}dense(10))"), &[&[256]]);
    let y = variance(&values(&evaluate(&net, &[normal("x", &[64, 256])])));
    assert!((0.01..100.0).contains(&y), "{y}");
}

#[test]
fn orthogonal_weights_are() {
    for (text, rows, columns) in [("dense(6, init: orthogonal)", 6, 4), ("dense(3, init: orthogonal)", 3, 4)]
    {
        let w = model(text, &[&[4]]).parameters.vars()[0].as_detached_tensor();
        let short = if rows > columns { w.t().unwrap() } else { w };
        let square = short.contiguous().unwrap().matmul(&short.t().unwrap().contiguous().unwrap()).unwrap();
        let one = Tensor::eye(rows.min(columns), square.dtype(), square.device()).unwrap();
        assert!(difference(&square, &one) < 1e-13, "{text}");
    }
    // every gate of a recurrent unit has a matrix of its own
    let net = model("lstm(5)", &[&[3, 2]]);
    let state = net.parameters.get("state_weight").unwrap().as_detached_tensor();
    for gate in 0..4 {
        let u = state.narrow(0, gate * 5, 5).unwrap();
        let square = u.matmul(&u.t().unwrap().contiguous().unwrap()).unwrap();
        assert!(difference(&square, &Tensor::eye(5, u.dtype(), u.device()).unwrap()) < 1e-13);
    }
    assert_eq!(values(net.parameters.get("bias").unwrap().as_tensor())[5..10], [1.0; 5]);
}

#[test]
fn a_seed_fixes_the_weights_and_names_part_them() {
    let draw = |text: &str, seed: u64| {
        let shapes = shapes(&[&[4]]);
        Model::new(&layer(text), &shapes, Precision::F64, Streams::new(seed)).unwrap().parameters
    };
    let net = draw("chain(dense(4), tanh, dense(4))", 1);
    assert_eq!(net.names(), ["0.weight", "0.bias", "2.weight", "2.bias"]);
    assert_eq!(net.flatten().unwrap(), draw("chain(dense(4), tanh, dense(4))", 1).flatten().unwrap());
    assert_ne!(net.flatten().unwrap(), draw("chain(dense(4), tanh, dense(4))", 2).flatten().unwrap());
    assert_ne!(values(net.vars()[0].as_tensor()), values(net.vars()[2].as_tensor()));
    // a layer more at the end leaves those before as they are
    let longer = draw("chain(dense(4), tanh, dense(4), tanh, dense(1))", 1);
    assert_eq!(longer.flatten().unwrap()[..40], net.flatten().unwrap()[..]);
}

#[test]
fn weights_read_back_from_their_bytes() {
    let text = "chain(conv(3, 3), batch_norm, relu, flatten, dense(2))";
    for precision in [Precision::F32, Precision::F64] {
        let make =
            |seed| Model::new(&layer(text), &shapes(&[&[1, 4, 4]]), precision, Streams::new(seed)).unwrap();
        let (a, b) = (make(1), make(2));
        let x = normal("x", &[3, 1, 4, 4]);
        a.forward(std::slice::from_ref(&x), &mut Pass::training(Streams::new(0), 0)).unwrap();
        b.parameters.read_bytes(&a.parameters.to_bytes().unwrap()).unwrap();
        b.buffers.read_bytes(&a.buffers.to_bytes().unwrap()).unwrap();
        assert_eq!(values(&evaluate(&a, std::slice::from_ref(&x))), values(&evaluate(&b, &[x])));
        assert_eq!(a.parameters.to_bytes().unwrap(), b.parameters.to_bytes().unwrap());
        assert_eq!(a.architecture(), b.architecture());
    }
}

#[test]
fn a_model_reads_back_from_its_file() {
    let net = model("chain(conv(3, 3), batch_norm, relu, flatten, dense(2))", &[&[1, 4, 4]]);
    let x = normal("x", &[3, 1, 4, 4]);
    net.forward(std::slice::from_ref(&x), &mut Pass::training(Streams::new(0), 0)).unwrap();
    let bytes = net.to_bytes().unwrap();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!((&read.network, &read.inputs), (&net.network, &net.inputs));
    assert_eq!(values(&evaluate(&read, std::slice::from_ref(&x))), values(&evaluate(&net, &[x])));
    assert_eq!(read.to_bytes().unwrap(), bytes);
    let say = |text: &str, input: &[usize]| model(text, &[input]).read_bytes(&bytes).unwrap_err().to_string();
    assert_eq!(
        say("chain(conv(3, 3), batch_norm, relu, flatten, dense(3))", &[1, 4, 4]),
        "expected weights of this network, found others: chain[4] dense(3) here, dense(2) there"
    );
    assert_eq!(
        say("chain(conv(3, 3), batch_norm, relu, flatten, dense(2))", &[1, 6, 6]),
        "expected weights of this network, found others: inputs [[1, 6, 6]] here, [[1, 4, 4]] there"
    );
    assert!(say("chain(dense(1), relu)", &[2]).ends_with("chain of 2 layers here, chain of 5 layers there"));
    let weights = net.parameters.to_bytes().unwrap();
    assert_eq!(
        Model::from_bytes(&weights).unwrap_err().to_string(),
        "expected weights (safetensors), found a file that does not name its network"
    );
    for end in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..end]).is_err());
    }
}

#[test]
fn a_copy_is_a_snapshot() {
    let net = model("dense(2)", &[&[2]]);
    let (kept, before) = (net.parameters.copy().unwrap(), net.parameters.flatten().unwrap());
    net.parameters.assign(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(kept.flatten().unwrap(), before);
    assert_eq!(net.parameters.flatten().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    net.parameters.set(&kept).unwrap();
    assert_eq!(net.parameters.flatten().unwrap(), before);
}

#[test]
fn bytes_of_others_are_refused() {
    let net = model("chain(dense(3), tanh, dense(2))", &[&[2]]);
    let bytes = net.parameters.to_bytes().unwrap();
    let before = net.parameters.flatten().unwrap();
    let refused = |bytes: &[u8], words: &str| {
        let error = net.parameters.read_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(net.parameters.flatten().unwrap(), before);
    };
    for end in [0, 4, 9, 60, bytes.len() - 1] {
        refused(&bytes[..end], "expected weights (safetensors), found");
    }
    refused(b"PK\x03\x04 something else that is no such file", "expected weights (safetensors), found");
    let other = |text: &str| model(text, &[&[2]]).parameters.to_bytes().unwrap();
    refused(&other("chain(dense(4), tanh, dense(2))"), "`0.weight` is [3, 2] here, [4, 2] there");
    refused(&other("chain(dense(3), dense(2))"), "`1.bias` is there and not here");
    refused(&other("chain(dense(3), tanh, dense(2, bias: false))"), "`2.bias` is here and not there");
    assert!(matches!(net.parameters.assign(&[1.0]), Err(NetworkError::Count { expected: 17, found: 1 })));
}

#[test]
fn the_architecture_is_a_fixed_number() {
    let hash = |text: &str, input: &[usize]| model(text, &[input]).architecture();
    let net = "chain(dense(3), tanh, dense(2))";
    assert_eq!(hash(net, &[2]), hash(net, &[2]));
    for (other, input) in
        [(net, 3), ("chain(dense(3), relu, dense(2))", 2), ("chain(dense(4), tanh, dense(2))", 2)]
    {
        assert_ne!(hash(net, &[2]), hash(other, &[input]));
    }
    assert_eq!(hash(net, &[2]), 1_946_471_643_490_164_414);
}
