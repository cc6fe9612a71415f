//! Every operation on its samples: gradients against finite differences in f64, f32 against f64.

use std::collections::BTreeSet;

use candle_core::{DType, Result, Tensor, Var};

use super::super::*;
use super::{tokens, u};
use crate::networks::check::{
    Function, Gap, Sample, Subject, all, check, distinct, keeping_graphs, off_zero, uniform,
};

type F = fn(&[Tensor]) -> Result<Tensor>;

/// An operation with sample inputs; the words behind its name tell samples apart.
struct Row {
    name: &'static str,
    leaves: fn() -> Vec<Tensor>,
    f: F,
}

macro_rules! rows {
    ($($name:literal [$($leaf:expr),* $(,)?] |$x:ident| $f:expr;)*) => {
        &[$(Row { name: $name, leaves: || vec![$($leaf),*], f: |$x| $f }),*]
    };
}

/// Bounds of first gradients.
const BOUNDS: Gap = Gap { variable: 1e-7, ..Gap::MILLIONTH };

#[rustfmt::skip]
const ROWS: &[Row] = rows! {
    "conv2d" [u("x", &[2, 3, 5, 6]), u("k", &[5, 3, 3, 2]), u("b", &[5])] |x| conv2d(&x[0], &x[1], Some(&x[2]), &Conv::default());
    "conv2d padded" [u("x", &[5, 2, 4, 5]), u("k", &[9, 2, 3, 3])] |x| conv2d(&x[0], &x[1], None, &Conv::padded(1));
    "conv2d stride 2" [u("x", &[2, 2, 7, 8]), u("k", &[3, 2, 3, 3]), u("b", &[3])] |x| conv2d(&x[0], &x[1], Some(&x[2]), &Conv::padded(1).stride(2));
    "conv2d stride 3 kernel 2" [u("x", &[2, 2, 8, 7]), u("k", &[3, 2, 2, 2])] |x| conv2d(&x[0], &x[1], None, &Conv::default().stride(3));
    "conv2d dilation" [u("x", &[1, 2, 7, 9]), u("k", &[2, 2, 3, 3])] |x| conv2d(&x[0], &x[1], None, &Conv::padded(2).dilation(2));
    "conv2d stride 2 dilation 3" [u("x", &[2, 1, 9, 10]), u("k", &[2, 1, 3, 2])] |x| conv2d(&x[0], &x[1], None, &Conv { stride: (2, 3), padding: (1, 2), dilation: (3, 2), groups: 1 });
    "conv2d groups" [u("x", &[2, 4, 5, 5]), u("k", &[6, 2, 3, 3]), u("b", &[6])] |x| conv2d(&x[0], &x[1], Some(&x[2]), &Conv::padded(1).groups(2));
    "conv2d depthwise" [u("x", &[2, 3, 5, 5]), u("k", &[3, 1, 3, 3])] |x| conv2d(&x[0], &x[1], None, &Conv::padded(1).groups(3));
    "conv2d 1x1" [u("x", &[2, 3, 3, 4]), u("k", &[4, 3, 1, 1])] |x| conv2d(&x[0], &x[1], None, &Conv::default());
    "conv2d wide padding" [u("x", &[1, 1, 3, 3]), u("k", &[1, 1, 2, 2])] |x| conv2d(&x[0], &x[1], None, &Conv::padded(3).stride(2));
    "conv2d strided input" [u("x", &[6, 2, 9, 3]), u("k", &[3, 4, 3, 3])] |x| conv2d(&x[0].permute((1, 3, 0, 2))?.narrow(3, 1, 7)?, &x[1].transpose(0, 1)?.narrow(1, 0, 3)?, None, &Conv::padded(1));
    "conv1d" [u("x", &[2, 3, 9]), u("k", &[4, 3, 3]), u("b", &[4])] |x| conv1d(&x[0], &x[1], Some(&x[2]), &Conv::padded(1).stride(2));
    "conv1d no padding" [u("x", &[3, 2, 7]), u("k", &[2, 2, 4])] |x| conv1d(&x[0], &x[1], None, &Conv::default());
    "conv_transpose2d" [u("x", &[2, 3, 3, 4]), u("k", &[3, 2, 2, 2]), u("b", &[2])] |x| conv_transpose2d(&x[0], &x[1], Some(&x[2]), &Conv::default().stride(2), (0, 0));
    "conv_transpose2d extra" [u("x", &[1, 4, 3, 4]), u("k", &[4, 2, 3, 3]), u("b", &[4])] |x| conv_transpose2d(&x[0], &x[1], Some(&x[2]), &Conv::padded(1).stride(2).groups(2), (1, 1));
    "pad2d zero" [u("x", &[2, 1, 3, 4])] |x| pad2d(&x[0], (1, 2), (0, 3), Padding::Zero);
    "pad2d periodic" [u("x", &[2, 2, 3, 4])] |x| pad2d(&x[0], (4, 2), (1, 5), Padding::Periodic);
    "pad2d replicate" [u("x", &[1, 2, 3, 4])] |x| pad2d(&x[0], (2, 1), (1, 2), Padding::Replicate);
    "pad2d reflect" [u("x", &[1, 2, 3, 4])] |x| pad2d(&x[0], (2, 1), (1, 2), Padding::Reflect);
    "pad1d periodic" [u("x", &[2, 3, 5])] |x| pad1d(&x[0], 2, 1, Padding::Periodic);
    "upsample_nearest" [u("x", &[2, 2, 3, 4])] |x| upsample_nearest(&x[0], 6, 8);
    "upsample_nearest uneven" [u("x", &[1, 2, 3, 5])] |x| upsample_nearest(&x[0], 7, 6);
    "upsample_nearest with another consumer" [u("x", &[1, 2, 3, 4])] |x| pad2d(&x[0], (0, 3), (0, 4), Padding::Zero)? + upsample_nearest(&x[0].sqr()?, 6, 8)?;
    "upsample_bilinear" [u("x", &[1, 2, 3, 4])] |x| upsample_bilinear(&x[0], 7, 8);
    "avg_pool2d" [u("x", &[2, 2, 7, 6])] |x| avg_pool2d(&x[0], (2, 3), (2, 2), (0, 0));
    "avg_pool2d padded" [u("x", &[1, 2, 5, 7])] |x| avg_pool2d(&x[0], (3, 3), (2, 1), (1, 1));
    "max_pool2d" [distinct("x", &[2, 2, 4, 6])] |x| max_pool2d(&x[0], (2, 2), (2, 2), (0, 0));
    "max_pool2d overlapping" [distinct("x", &[1, 2, 7, 6])] |x| max_pool2d(&x[0], (3, 2), (2, 1), (1, 0));
    "max_pool2d with another consumer" [distinct("x", &[1, 1, 5, 5])] |x| (max_pool2d(&x[0], (2, 2), (2, 2), (0, 0))? * x[0].narrow(2, 0, 2)?.narrow(3, 0, 2)?)?.sin();
    "global_avg_pool" [u("x", &[2, 3, 4, 5])] |x| global_avg_pool(&x[0]);
    "global_max_pool" [distinct("x", &[2, 3, 4, 5])] |x| global_max_pool(&x[0]);
    "layer_norm" [u("x", &[2, 2, 37]), u("g", &[37]), u("b", &[37])] |x| layer_norm(&x[0], &x[1], Some(&x[2]), 1e-5);
    "layer_norm strided" [u("x", &[6, 3, 2]), u("g", &[3])] |x| layer_norm(&x[0].transpose(1, 2)?, &x[1], None, 1e-5);
    "rms_norm" [u("x", &[5, 33]), u("g", &[33])] |x| rms_norm(&x[0], &x[1], 1e-5);
    "group_norm" [u("x", &[2, 6, 3, 3]), u("g", &[6]), u("b", &[6])] |x| group_norm(&x[0], &x[1], &x[2], 3, 1e-5);
    "batch_norm" [u("x", &[3, 2, 4, 5]), u("g", &[2]), u("b", &[2])] |x| Ok(batch_norm(&x[0], &x[1], &x[2], 1e-5)?.y);
    "batch_norm of vectors" [u("x", &[7, 3]), u("g", &[3]), u("b", &[3])] |x| Ok(batch_norm(&x[0], &x[1], &x[2], 1e-5)?.y);
    "batch_norm_with" [u("x", &[3, 2, 4]), u("g", &[2]), u("b", &[2]), u("m", &[2]), uniform("v", &[2], 0.5, 1.5)] |x| batch_norm_with(&x[0], &x[1], &x[2], &x[3], &x[4], 1e-5);
    "channel_affine" [u("x", &[3, 2, 4]), u("a", &[2]), u("b", &[2])] |x| channel_affine(&x[0], &x[1], &x[2]);
    "softmax" [uniform("x", &[3, 35], -3.0, 3.0)] |x| softmax(&x[0]);
    "log_softmax" [uniform("x", &[2, 3, 5], -3.0, 3.0)] |x| log_softmax(&x[0]);
    "relu" [off_zero("x", &[40])] |x| relu(&x[0]);
    "activate leaky_relu" [off_zero("x", &[40])] |x| activate(&x[0], Activation::LeakyRelu(0.1));
    "activate elu" [off_zero("x", &[40])] |x| activate(&x[0], Activation::Elu(1.3));
    "selu" [off_zero("x", &[40])] |x| selu(&x[0]);
    "gelu" [uniform("x", &[41], -4.0, 4.0)] |x| gelu(&x[0]);
    "gelu_tanh" [uniform("x", &[41], -4.0, 4.0)] |x| gelu_tanh(&x[0]);
    "silu" [uniform("x", &[41], -4.0, 4.0)] |x| silu(&x[0]);
    "tanh" [uniform("x", &[41], -3.0, 3.0)] |x| tanh(&x[0]);
    "sigmoid" [uniform("x", &[41], -4.0, 4.0)] |x| sigmoid(&x[0]);
    "softplus" [uniform("x", &[41], -4.0, 4.0)] |x| softplus(&x[0]);
    "softsign" [off_zero("x", &[41])] |x| softsign(&x[0]);
    "sin" [uniform("x", &[5, 8], -9.0, 9.0)] |x| sin(&x[0].t()?);
    "cos" [uniform("x", &[41], -9.0, 9.0)] |x| cos(&x[0]);
    "exp" [u("x", &[41])] |x| exp(&x[0]);
    "linear" [u("x", &[3, 2, 5]), u("w", &[4, 5]), u("b", &[4])] |x| linear(&x[0], &x[1], Some(&x[2]));
    "linear of a transposed input" [u("x", &[3, 5, 2]), u("w", &[4, 5]), u("b", &[4])] |x| linear(&x[0].transpose(1, 2)?, &x[1], Some(&x[2]));
    "matmul" [u("a", &[2, 3, 4]), u("b", &[2, 4, 5])] |x| matmul(&x[0], &x[1]);
    "matmul of transposed and narrowed" [u("a", &[2, 4, 3]), u("b", &[2, 5, 6])] |x| matmul(&x[0].transpose(1, 2)?, &x[1].transpose(1, 2)?.narrow(1, 1, 4)?);
    "matmul with one matrix" [u("a", &[2, 4, 3]), u("b", &[4, 5])] |x| matmul(&x[0].transpose(1, 2)?, &x[1]);
    "matmul broadcast" [u("a", &[3, 4]), u("b", &[2, 1, 4, 2])] |x| matmul(&x[0], &x[1]);
    "attention" [u("q", &[2, 3, 8]), u("k", &[2, 5, 8]), u("v", &[2, 5, 8])] |x| attention(&x[0], &x[1], &x[2], 2, &Mask::default());
    "attention of a later part" [u("q", &[1, 2, 4]), u("k", &[1, 4, 4]), u("v", &[1, 4, 4])] |x| attention(&x[0], &x[1], &x[2], 1, &Mask { added: None, causal: true });
    "attention masked" [u("q", &[2, 3, 4]), u("k", &[2, 3, 4]), u("v", &[2, 3, 4])] |x| attention(&x[0], &x[1], &x[2], 2, &Mask { added: Some(u("m", &[2, 1, 3, 3])), causal: true });
    "self_attention" [u("x", &[2, 4, 12])] |x| self_attention(&x[0], 2, &Mask { added: Some(u("m", &[4, 4])), causal: true });
    "embedding" [u("t", &[5, 3])] |x| embedding(&tokens(&[4, 0, 4, 2, 1, 4], &[2, 3]), &x[0]);
    "gather_rows" [u("x", &[5, 2, 2])] |x| gather_rows(&x[0], &tokens(&[3, 3, 0], &[3]));
    "scatter_add" [u("x", &[5, 2])] |x| scatter_add(&x[0], &tokens(&[3, 1, 3, 0, 3], &[5]), 5);
    "segment_mean" [u("x", &[5, 2])] |x| segment_mean(&x[0], &tokens(&[3, 1, 3, 0, 3], &[5]), 4);
    "pick" [u("x", &[2, 3, 4])] |x| pick(&x[0], &tokens(&[0, 3, 1, 2, 2, 0], &[2, 3]));
    "dropout" [u("x", &[4, 5])] |x| dropout(&x[0], 0.4, &mut crate::base::random::Streams::new(3).stream("mask"));
    "sum_rows" [u("x", &[3, 2, 5])] |x| sum_rows(&x[0]);
    "channel_sum" [u("x", &[3, 2, 5])] |x| channel_sum(&x[0]);
    "sum_all" [u("x", &[3, 5])] |x| sum_all(&x[0]);
    "mean_all" [u("x", &[3, 5])] |x| mean_all(&x[0].t()?);
    "transpose" [u("x", &[3, 2, 5])] |x| transpose(&x[0], 0, 2);
    "contiguous" [u("x", &[3, 20, 18])] |x| contiguous(&x[0].permute((2, 0, 1))?.narrow(1, 1, 2)?);
};

/// The rows by operation.
pub(in crate::networks) fn subjects() -> Vec<Subject> {
    let mut all: Vec<Subject> = Vec::new();
    for row in ROWS {
        let (name, words) = row.name.split_once(' ').unwrap_or((row.name, "plain"));
        let (leaves, f) = (row.leaves, row.f);
        let make = move |_| {
            let vars: Vec<Var> = leaves().iter().map(|l| Var::from_tensor(l).unwrap()).collect();
            let x: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
            (vars, Box::new(move || f(&x)) as Function)
        };
        let sample = Sample { text: words.to_string(), make: Box::new(make) };
        match all.iter_mut().find(|s| s.name == name) {
            Some(subject) => subject.samples.push(sample),
            None => all.push(Subject { name, samples: vec![sample] }),
        }
    }
    all
}

/// Functions of `ops` that give no tensor which a gradient flows through: they change variables in place, give plain
/// numbers, or walk the graph.
const OTHERS: [&str; 8] = ["adam", "axpby", "deep", "deep_pool", "dot", "gradients", "norm", "sgd"];

#[test]
fn every_operation_has_a_row() {
    let source = include_str!("../mod.rs");
    let lists = source.split("\npub use ").skip(1).filter_map(|s| s.split_once(';')).map(|(list, _)| list);
    let public: BTreeSet<&str> = lists
        .flat_map(|list| list.split_once("::").unwrap().1.split(['{', '}', ',']))
        .map(str::trim)
        .filter(|name| name.starts_with(char::is_lowercase) && !OTHERS.contains(name))
        .collect();
    let rows: BTreeSet<&str> = subjects().iter().map(|s| s.name).collect();
    assert_eq!(public, rows);
}

#[test]
fn gradients_agree_with_differences() {
    check(subjects, (false, 1), BOUNDS, all);
}

/// Where backward passes keep their graph, formulas stand in for the kernels of normalisation and attention:
/// the first order is checked anew, and of these the third, too.
#[test]
fn second_gradients_agree() {
    const NAME: &str = "networks::ops::tests::table::second_gradients_agree";
    if keeping_graphs(NAME).is_none() {
        check(subjects, (false, 1), BOUNDS, all);
        check(subjects, (false, 2), Gap { variable: 1e-6, ..Gap::MILLIONTH }, all);
        let formulas = |name: &str, numbers: usize| {
            (name.ends_with("_norm") || name.ends_with("attention")) && numbers < 200
        };
        check(subjects, (false, 3), Gap { variable: 1e-6, ..Gap::MILLIONTH }, formulas);
        single_precision_agrees_with_double();
    }
}

fn run(row: &Row, dtype: DType) -> Vec<Vec<f64>> {
    let leaves: Vec<Var> =
        (row.leaves)().iter().map(|l| Var::from_tensor(&l.to_dtype(dtype).unwrap()).unwrap()).collect();
    let x: Vec<Tensor> = leaves.iter().map(|v| v.as_tensor().clone()).collect();
    let y = (row.f)(&x).unwrap();
    let loss = (&y * uniform("w", y.dims(), -1.0, 1.0).to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
    let mut all = vec![y];
    all.extend(gradients(&loss, &leaves).unwrap());
    all.iter()
        .map(|t| {
            t.to_dtype(DType::F64).unwrap().contiguous().unwrap().flatten_all().unwrap().to_vec1().unwrap()
        })
        .collect()
}

#[test]
fn single_precision_agrees_with_double() {
    for row in ROWS {
        for (a, b) in run(row, DType::F32).iter().zip(run(row, DType::F64)) {
            let size = b.iter().fold(1e-3f64, |m, x| m.max(x.abs()));
            let e = a.iter().zip(&b).fold(0.0f64, |m, (x, y)| m.max((x - y).abs())) / size;
            assert!(e < 2e-5, "{}: {e}", row.name);
        }
    }
}
