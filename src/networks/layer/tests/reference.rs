//! Layers beside their formulas written out in loops over plain numbers.

use super::super::super::check::normal;
use super::super::super::model::Model;
use super::{evaluate, model, shake, values};

fn close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let gap = found.iter().zip(wanted).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
    assert!(gap < 1e-12, "{what}: {gap:e}");
}

/// The numbers of a parameter.
fn weight(net: &Model, name: &str) -> Vec<f64> {
    values(net.parameters.get(name).unwrap().as_tensor())
}

/// W x + b, W row by row.
fn affine(w: &[f64], x: &[f64], b: &[f64]) -> Vec<f64> {
    let row = |(row, b): (&[f64], &f64)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b;
    w.chunks(x.len()).zip(b).map(row).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The first size that a padding, kernel, stride and dilation lead to, and the padding before.
fn way(n: usize, k: usize, s: usize, d: usize, padding: &str) -> (usize, usize) {
    let reach = d * (k - 1);
    let (before, all) = match padding {
        "valid" => (0, 0),
        "same" | "circular" => (reach / 2, reach),
        p => (p.parse().unwrap(), 2 * p.parse::<usize>().unwrap()),
    };
    ((n + all - reach - 1) / s + 1, before)
}

#[test]
fn convolutions() {
    let (entering, h, w) = (4, 6, 7);
    for padding in ["same", "valid", "circular", "2"] {
        for ((kh, kw), (stride, dilation), groups) in
            [((3, 3), (1, 1), 1), ((2, 3), (2, 1), 2), ((3, 2), (1, 2), 4), ((1, 4), (3, 1), 1)]
        {
            let text = format!(
                "conv(8, [{kh}, {kw}], stride: {stride}, padding: {padding}, dilation: {dilation}, groups: {groups})"
            );
            let net = model(&text, &[&[entering, h, w]]);
            shake(&net);
            let image = normal("image", &[1, entering, h, w]);
            let (x, k, b) = (values(&image), weight(&net, "weight"), weight(&net, "bias"));
            let ((oh, top), (ow, left)) =
                (way(h, kh, stride, dilation, padding), way(w, kw, stride, dilation, padding));
            let pixel = |c: usize, i: isize, j: isize| {
                let inside = (0..h as isize).contains(&i) && (0..w as isize).contains(&j);
                if !inside && padding != "circular" {
                    return 0.0;
                }
                x[(c * h + i.rem_euclid(h as isize) as usize) * w + j.rem_euclid(w as isize) as usize]
            };
            let own = entering / groups;
            let mut wanted = Vec::new();
            for o in 0..8 {
                let first = o / (8 / groups) * own;
                for (i, j) in (0..oh).flat_map(|i| (0..ow).map(move |j| (i, j))) {
                    let mut sum = b[o];
                    for c in 0..own {
                        for (a, e) in (0..kh).flat_map(|a| (0..kw).map(move |e| (a, e))) {
                            let y = (i * stride + a * dilation) as isize - top as isize;
                            let z = (j * stride + e * dilation) as isize - left as isize;
                            sum += k[((o * own + c) * kh + a) * kw + e] * pixel(first + c, y, z);
                        }
                    }
                    wanted.push(sum);
                }
            }
            close(&values(&evaluate(&net, &[image])), &wanted, &text);
        }
    }
}

#[test]
fn transposed_convolutions() {
    for (kernel, stride, padding) in
        [(4, 2, "same"), (3, 2, "valid"), (3, 3, "same"), (5, 2, "1"), (3, 1, "same")]
    {
        let text = format!("conv_transpose(2, {kernel}, stride: {stride}, padding: {padding})");
        let net = model(&text, &[&[5, 3]]);
        shake(&net);
        let sequence = normal("sequence", &[1, 5, 3]);
        let (x, k, b) = (values(&sequence), weight(&net, "weight"), weight(&net, "bias"));
        let full = 4 * stride + kernel;
        let mut spread = vec![[b[0], b[1]]; full];
        for (t, c, o, a) in (0..5).flat_map(|t| {
            (0..3).flat_map(move |c| (0..2).flat_map(move |o| (0..kernel).map(move |a| (t, c, o, a))))
        }) {
            spread[t * stride + a][o] += x[t * 3 + c] * k[(c * 2 + o) * kernel + a];
        }
        let (first, kept) = match padding {
            "valid" => (0, full),
            "same" => ((kernel - stride) / 2, 5 * stride),
            _ => (1, full - 2),
        };
        let wanted: Vec<f64> = spread[first..first + kept].iter().flatten().copied().collect();
        close(&values(&evaluate(&net, &[sequence])), &wanted, &text);
    }
}

#[test]
fn recurrent_units() {
    let (length, features, units) = (5, 2, 3);
    let sequence = normal("sequence", &[1, length, features]);
    let x = values(&sequence);
    for kind in ["gru", "lstm"] {
        let net = model(&format!("{kind}({units})"), &[&[length, features]]);
        shake(&net);
        let (w, u, b) = (weight(&net, "weight"), weight(&net, "state_weight"), weight(&net, "bias"));
        let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
        let mut wanted = Vec::new();
        for t in 0..length {
            let a = affine(&w, &x[t * features..(t + 1) * features], &b);
            let s = affine(&u, &h, &vec![0.0; b.len()]);
            for i in 0..units {
                let gate = |g: usize| a[g * units + i] + s[g * units + i];
                if kind == "gru" {
                    let state_bias = weight(&net, "state_bias");
                    let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)));
                    let n = (a[2 * units + i] + r * (s[2 * units + i] + state_bias[i])).tanh();
                    h[i] = (1.0 - z) * n + z * h[i];
                } else {
                    c[i] = sigmoid(gate(1)) * c[i] + sigmoid(gate(0)) * gate(3).tanh();
                    h[i] = sigmoid(gate(2)) * c[i].tanh();
                }
            }
            wanted.extend_from_slice(&h);
        }
        close(&values(&evaluate(&net, std::slice::from_ref(&sequence))), &wanted, kind);
    }
}

/// Attention of projected queries to keys with their values, all row by row with this width.
fn attend(q: &[f64], k: &[f64], v: &[f64], width: usize, heads: usize, causal: bool) -> Vec<Vec<f64>> {
    let size = width / heads;
    let answer = |(i, q): (usize, &[f64])| {
        let mut out = vec![0.0; width];
        for head in 0..heads {
            let part = head * size..(head + 1) * size;
            let seen = if causal { i + 1 } else { k.len() / width };
            let score = |k: &[f64]| {
                let product: f64 = part.clone().map(|d| q[d] * k[d]).sum();
                (product / (size as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = k.chunks(width).take(seen).map(score).collect();
            let total: f64 = scores.iter().sum();
            for (score, v) in scores.iter().zip(v.chunks(width)) {
                part.clone().for_each(|d| out[d] += score / total * v[d]);
            }
        }
        out
    };
    q.chunks(width).enumerate().map(answer).collect()
}

#[test]
fn attentions() {
    let (length, width) = (4, 6);
    let (sequence, memory) = (normal("sequence", &[1, length, width]), normal("memory", &[1, 3, 5]));
    let rows = |x: &[f64], n: usize, w: &[f64], b: &[f64]| -> Vec<f64> {
        x.chunks(n).flat_map(|row| affine(w, row, b)).collect()
    };
    for (heads, causal) in [(1, false), (3, false), (2, true)] {
        let text = format!("attention({heads}, causal: {causal})");
        let net = model(&text, &[&[length, width]]);
        shake(&net);
        let x = values(&sequence);
        let (w, b) = (weight(&net, "weight"), weight(&net, "bias"));
        let third =
            |i: usize| rows(&x, width, &w[i * width * width..][..width * width], &b[i * width..][..width]);
        let seen = attend(&third(0), &third(1), &third(2), width, heads, causal).concat();
        let wanted = rows(&seen, width, &weight(&net, "out_weight"), &weight(&net, "out_bias"));
        close(&values(&evaluate(&net, std::slice::from_ref(&sequence))), &wanted, &text);
    }
    let net = model("cross_attention(2)", &[&[length, width], &[3, 5]]);
    shake(&net);
    let q = rows(&values(&sequence), width, &weight(&net, "query_weight"), &weight(&net, "query_bias"));
    let (w, b) = (weight(&net, "weight"), weight(&net, "bias"));
    let half =
        |i: usize| rows(&values(&memory), 5, &w[i * width * 5..][..width * 5], &b[i * width..][..width]);
    let seen = attend(&q, &half(0), &half(1), width, 2, false).concat();
    let wanted = rows(&seen, width, &weight(&net, "out_weight"), &weight(&net, "out_bias"));
    close(&values(&evaluate(&net, &[sequence, memory])), &wanted, "cross_attention(2)");
}

#[test]
fn activations() {
    let x = normal("x", &[1, 40]);
    let numbers = values(&x);
    for (text, f) in [
        ("leaky_relu(slope: 0.1)", (|x: f64| x.max(0.1 * x)) as fn(f64) -> f64),
        ("elu(alpha: 0.5)", |x| if x > 0.0 { x } else { 0.5 * x.exp_m1() }),
        ("selu", |x| 1.0507009873554805 * if x > 0.0 { x } else { 1.6732632423543772 * x.exp_m1() }),
        ("silu", |x| x * sigmoid(x)),
        ("softplus", |x| x.exp().ln_1p()),
        ("softsign", |x| x / (1.0 + x.abs())),
        ("sine(frequency: 3.0)", |x| (3.0 * x).sin()),
        ("tanh", f64::tanh),
        ("sigmoid", sigmoid),
    ] {
        let wanted: Vec<f64> = numbers.iter().map(|x| f(*x)).collect();
        close(&values(&evaluate(&model(text, &[&[40]]), std::slice::from_ref(&x))), &wanted, text);
    }
    // gelu at 1 and -2: x times the normal distribution function
    let net = model("gelu", &[&[2]]);
    let two = candle_core::Tensor::new(&[[1.0, -2.0f64]], x.device()).unwrap();
    close(&values(&evaluate(&net, &[two])), &[0.841_344_746_068_543, -0.045_500_263_896_358_4], "gelu");
}

#[test]
fn positions_and_times() {
    let zero = (normal("x", &[1, 3, 4]) * 0.0).unwrap();
    let y = values(&evaluate(&model("position(kind: sinusoidal)", &[&[3, 4]]), &[zero]));
    let row = |p: f64| [p.sin(), p.cos(), (p / 100.0).sin(), (p / 100.0).cos()];
    close(&y, &[row(0.0), row(1.0), row(2.0)].concat(), "position");
    let time = candle_core::Tensor::new(&[[3.0f64]], &candle_core::Device::Cpu).unwrap();
    let y = values(&evaluate(&model("time_embedding(4, period: 100.0)", &[&[1]]), &[time]));
    close(&y, &[3f64.sin(), 0.03f64.sin(), 3f64.cos(), 0.03f64.cos()], "time_embedding");
}
