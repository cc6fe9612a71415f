//! Losses against their definitions and against finite differences, in f64; what does not fit is named.

use candle_core::{DType, Device, Tensor, Var};

use super::*;
use crate::base::Fault;

fn tensor(values: &[f64], sizes: &[usize]) -> Tensor {
    Tensor::from_slice(values, sizes, &Device::Cpu).unwrap()
}

fn loss(name: &str, given: &[(&str, f64)]) -> Loss {
    Loss::new(name, given).unwrap()
}

fn value(loss: &Loss, o: &Tensor, t: &Tensor, w: Option<&Tensor>) -> f64 {
    loss.value(o, t, w).unwrap().to_scalar().unwrap()
}

/// Numbers without a pattern, between -2 and 2.
fn numbers(n: usize, seed: f64) -> Vec<f64> {
    (0..n).map(|k| 2.0 * ((k as f64 + seed) * (1.7 + k as f64 * 0.31)).sin()).collect()
}

/// A target for outputs of `sizes` (rows first).
fn target(loss: &Loss, sizes: &[usize]) -> Tensor {
    let n: usize = sizes.iter().product();
    let last = sizes[sizes.len() - 1];
    match loss.kind().target {
        TargetKind::Values => tensor(&numbers(n, 5.0), sizes),
        TargetKind::Located => {
            let mut half = sizes.to_vec();
            half[sizes.len() - 1] = last / 2;
            tensor(&numbers(n / 2, 5.0), &half)
        }
        TargetKind::Classes => {
            let classes: Vec<u32> = (0..n / last).map(|k| ((k * 7 + 1) % last) as u32).collect();
            Tensor::from_vec(classes, &sizes[..sizes.len() - 1], &Device::Cpu).unwrap()
        }
        TargetKind::Flags => {
            tensor(&numbers(n, 5.0).iter().map(|x| f64::from(*x > 0.0)).collect::<Vec<_>>(), sizes)
        }
        TargetKind::Probabilities => {
            let mut p: Vec<f64> = numbers(n, 5.0).iter().map(|x| x * x).collect();
            // One of them is 0.
            p[1] = 0.0;
            for row in p.chunks_mut(last) {
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|x| *x /= sum);
            }
            tensor(&p, sizes)
        }
    }
}

/// Every loss in all the ways that its settings allow.
fn all() -> Vec<Loss> {
    let mut all: Vec<Loss> = LOSSES.iter().map(|k| loss(k.name, &[])).collect();
    all.push(loss("huber", &[("delta", 0.3)]));
    all.push(loss("quantile_loss", &[("q", 0.9)]));
    all.push(loss("cross_entropy", &[("smoothing", 0.2)]));
    all.push(loss("cross_entropy", &[]).with_class_weights(vec![1.0, 0.5, 2.0, 3.0]).unwrap());
    all.push(
        loss("cross_entropy", &[("smoothing", 0.1)]).with_class_weights(vec![1.0, 0.5, 2.0, 3.0]).unwrap(),
    );
    all.push(loss("binary_cross_entropy", &[("positive", 3.0)]));
    all.push(loss("moments", &[("log", 0.0)]));
    all
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for loss in all() {
        for sizes in [vec![5, 4], vec![3, 2, 4]] {
            let n: usize = sizes.iter().product();
            let x = numbers(n, 1.0);
            let t = target(&loss, &sizes);
            let row_weights = tensor(&[0.5, 2.0, 1.0, 0.1, 1.5][..sizes[0]], &[sizes[0]]);
            for w in [None, Some(&row_weights)] {
                let o = Var::from_tensor(&tensor(&x, &sizes)).unwrap();
                let store = loss.value(&o, &t, w).unwrap().backward().unwrap();
                let g = store.get(&o).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
                let scale = g.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
                let h = 1e-3;
                for k in 0..n {
                    let at = |h: f64| {
                        let mut x = x.clone();
                        x[k] += h;
                        value(&loss, &tensor(&x, &sizes), &t, w)
                    };
                    // Central differences of sixth order: the error is of order h^6 = 1e-18, the rounding 1e-13.
                    let d = |h: f64| at(h) - at(-h);
                    let fd = (45.0 * d(h) - 9.0 * d(2.0 * h) + d(3.0 * h)) / (60.0 * h);
                    assert!(
                        (fd - g[k]).abs() <= 1e-9 * scale.max(1e-3),
                        "{loss} {sizes:?} {k}: {fd} {}",
                        g[k]
                    );
                }
            }
        }
    }
}

#[test]
fn single_precision_is_the_same_number() {
    for loss in all() {
        let o = tensor(&numbers(20, 1.0), &[5, 4]);
        let t = target(&loss, &[5, 4]);
        let wide = value(&loss, &o, &t, None);
        let narrow = loss.value(&o.to_dtype(DType::F32).unwrap(), &t, None).unwrap();
        assert_eq!(narrow.dtype(), DType::F32);
        let narrow = f64::from(narrow.to_scalar::<f32>().unwrap());
        assert!((wide - narrow).abs() < 3e-6 * wide.abs().max(1.0), "{loss}: {wide} {narrow}");
    }
}

#[test]
fn values_are_their_definitions() {
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13, "{a} {b}");
    let (o, t) = (tensor(&[1.0, 0.0, -3.0], &[3, 1]), tensor(&[0.5, 0.0, -1.0], &[3]));
    close(value(&loss("mse", &[]), &o, &t, None), (0.25 + 4.0) / 3.0);
    close(value(&loss("mae", &[]), &o, &t, None), 2.5 / 3.0);
    close(value(&loss("huber", &[]), &o, &t, None), (0.125 + 1.5) / 3.0);
    close(value(&loss("log_cosh", &[]), &o, &t, None), (0.5f64.cosh().ln() + 2f64.cosh().ln()) / 3.0);
    close(value(&loss("quantile_loss", &[("q", 0.9)]), &o, &t, None), (0.1 * 0.5 + 0.9 * 2.0) / 3.0);
    // Rows with weights: the same as repeating them.
    close(value(&loss("mse", &[]), &o, &t, Some(&tensor(&[3.0, 0.0, 1.0], &[3]))), (0.75 + 4.0) / 4.0);

    let logits = tensor(&[1.0, 2.0, 0.0, 0.0, -1.0, 3.0], &[2, 3]);
    let classes = Tensor::new(&[1u32, 0], &Device::Cpu).unwrap();
    let log_p = |x: [f64; 3], k: usize| x[k] - x.iter().map(|x| x.exp()).sum::<f64>().ln();
    let (a, b) = ([1.0, 2.0, 0.0], [0.0, -1.0, 3.0]);
    let plain = -(log_p(a, 1) + log_p(b, 0)) / 2.0;
    close(value(&loss("cross_entropy", &[]), &logits, &classes, None), plain);
    let mean = |x: [f64; 3]| (0..3).map(|k| log_p(x, k)).sum::<f64>() / 3.0;
    let smooth = 0.7 * plain - 0.3 * (mean(a) + mean(b)) / 2.0;
    close(value(&loss("cross_entropy", &[("smoothing", 0.3)]), &logits, &classes, None), smooth);
    let weighted = loss("cross_entropy", &[]).with_class_weights(vec![4.0, 1.0, 9.0]).unwrap();
    close(value(&weighted, &logits, &classes, None), -(log_p(a, 1) + 4.0 * log_p(b, 0)) / 5.0);
    // Classes of pixels: the classes are the first axis of an image.
    let image = logits.t().unwrap().contiguous().unwrap().reshape((1, 3, 1, 2)).unwrap();
    close(value(&loss("cross_entropy", &[]), &image, &classes.reshape((1, 1, 2)).unwrap(), None), plain);

    let one = |x: f64, name: &str, t: f64| {
        value(&loss(name, &[]), &tensor(&[x], &[1, 1]), &tensor(&[t], &[1]), None)
    };
    close(one(0.0, "binary_cross_entropy", 1.0), 2f64.ln());
    close(one(2.0, "binary_cross_entropy", 0.0), (1.0 + 2f64.exp()).ln());
    // Far out neither infinite nor NaN.
    close(one(800.0, "binary_cross_entropy", 0.0), 800.0);
    close(one(-800.0, "binary_cross_entropy", 0.0), 0.0);
    close(one(1.5, "poisson_nll", 2.0), 1.5f64.exp() - 3.0);
    let p = tensor(&[0.2, 0.8, 0.0], &[1, 3]);
    let own = 0.2 * 0.2f64.ln() + 0.8 * 0.8f64.ln() - 0.2 * log_p(a, 0) - 0.8 * log_p(a, 1);
    close(value(&loss("kl", &[]), &tensor(&a, &[1, 3]), &p, None), own);

    // Two targets and two rows: means, then spreads.
    let o = tensor(&[1.0, 2.0, 0.5, -0.5, 0.0, 1.0, 0.1, 0.2], &[2, 4]);
    let t = tensor(&[1.5, 2.0, -1.0, 3.0], &[2, 2]);
    let nll = |m: f64, s: f64, t: f64| ((t - m).powi(2) * (-s).exp() + s) / 2.0;
    let mean = (nll(1.0, 0.5, 1.5) + nll(2.0, -0.5, 2.0) + nll(0.0, 0.1, -1.0) + nll(1.0, 0.2, 3.0)) / 4.0;
    close(value(&loss("gaussian_nll", &[]), &o, &t, None), mean);
    let first = (0.25f64 + 1.0).ln() + ((0.25f64 - 0.25).powi(2) + (1.0f64 - 0.01).powi(2)).ln();
    let second = (0.0f64 + 4.0).ln() + ((0.0f64 - 0.25).powi(2) + (4.0f64 - 0.04).powi(2)).ln();
    close(value(&loss("moments", &[]), &o, &t, None), (first + second) / 2.0);
}

#[test]
fn residuals_square_to_the_loss() {
    let (o, t) = (tensor(&numbers(12, 1.0), &[4, 3]), tensor(&numbers(12, 2.0), &[4, 3]));
    for w in [None, Some(tensor(&[1.0, 0.0, 3.0, 0.5], &[4]))] {
        let mse = loss("mse", &[]);
        let r = mse.residuals(&o, &t, w.as_ref()).unwrap().unwrap();
        let mean: f64 = r.sqr().unwrap().mean_all().unwrap().to_scalar().unwrap();
        assert!((mean - value(&mse, &o, &t, w.as_ref())).abs() < 1e-14);
    }
    assert!(loss("mae", &[]).residuals(&o, &t, None).is_none());
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let message = |name: &str, output: &[usize], target: &[usize]| {
        let e = loss(name, &[]).check_shapes(&Shape::new(output), target).unwrap_err();
        (e.to_string(), e.hint())
    };
    let (text, hint) = message("mse", &[3], &[2]);
    assert_eq!(text, "mse: expected a target of the shape of the outputs, [3], found a target of shape [2]");
    assert_eq!(hint.as_deref(), Some("dense(2)"));
    let (text, _) = message("cross_entropy", &[3], &[3]);
    assert_eq!(
        text,
        "cross_entropy: expected a class for each of [] with outputs [3], found a target of shape [3]"
    );
    let (text, hint) = message("gaussian_nll", &[3], &[3]);
    assert_eq!(text, "gaussian_nll: expected outputs that are twice the targets, 6, found outputs [3]");
    assert_eq!(hint.as_deref(), Some("dense(6)"));
    let fits = |name: &str, output: &[usize], target: &[usize]| {
        loss(name, &[]).check_shapes(&Shape::new(output), target).unwrap()
    };
    assert_eq!(fits("mse", &[1], &[]), None);
    assert_eq!(fits("cross_entropy", &[5], &[]), Some(5));
    assert_eq!(fits("cross_entropy", &[7, 5], &[7]), Some(5));
    assert_eq!(fits("cross_entropy", &[5, 8, 9], &[8, 9]), Some(5));
    assert_eq!(fits("moments", &[4], &[2]), None);
    let e = Loss::new("cross_entropi", &[]).unwrap_err();
    assert_eq!(e.hint().as_deref(), Some("cross_entropy"));
    let e = loss("mse", &[]).with_class_weights(vec![1.0]).unwrap_err();
    assert_eq!(
        e.to_string(),
        "mse: expected class weights >= 0 of cross_entropy, found a loss without classes"
    );
    let e = loss("cross_entropy", &[]).with_class_weights(vec![1.0, f64::NAN]).unwrap_err();
    assert_eq!(e.to_string(), "cross_entropy: expected class weights >= 0 of cross_entropy, found NaN");
    let weighted = loss("cross_entropy", &[]).with_class_weights(vec![1.0, 2.0]).unwrap();
    let e = weighted.check_shapes(&Shape::new(&[3]), &[]).unwrap_err();
    assert_eq!(
        e.to_string(),
        "cross_entropy: expected a weight for each of 3 classes, found 2 class weights"
    );
}
