//! Losses against their definitions and against finite differences, in f64; what does not fit is named.

use candle_core::{DType, Device, Tensor, Var};

use super::*;
use crate::base::Fault;
use crate::networks::check::{Function, Gap, Sample, Subject, check, every, keeping_graphs};

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

/// A loss, its settings and weights of its classes.
type Sampled = (&'static str, &'static [(&'static str, f64)], Option<[f64; 4]>);

/// Every loss in all the ways that its settings allow.
const SAMPLES: &[Sampled] = &[
    ("mse", &[], None),
    ("mae", &[], None),
    ("huber", &[], None),
    ("huber", &[("delta", 0.3)], None),
    ("log_cosh", &[], None),
    ("quantile_loss", &[], None),
    ("quantile_loss", &[("q", 0.9)], None),
    ("cross_entropy", &[], None),
    ("cross_entropy", &[("smoothing", 0.2)], None),
    ("cross_entropy", &[], Some([1.0, 0.5, 2.0, 3.0])),
    ("cross_entropy", &[("smoothing", 0.1)], Some([1.0, 0.5, 2.0, 3.0])),
    ("binary_cross_entropy", &[], None),
    ("binary_cross_entropy", &[("positive", 3.0)], None),
    ("kl", &[], None),
    ("poisson_nll", &[], None),
    ("gaussian_nll", &[], None),
    ("moments", &[], None),
    ("moments", &[("log", 0.0)], None),
];

fn sampled((name, given, classes): &Sampled) -> Loss {
    let loss = loss(name, given);
    classes.map_or(loss.clone(), |weights| loss.with_class_weights(weights.to_vec()).unwrap())
}

/// The losses with their samples, each for outputs of two shapes, with and without weights of rows.
pub(in crate::networks) fn subjects() -> Vec<Subject> {
    let samples = |of: &'static Sampled| {
        let loss = sampled(of);
        let text = format!("`{loss}`{}", if of.2.is_some() { " with weights of classes" } else { "" });
        let shapes: [&[usize]; 2] = [&[5, 4], &[3, 2, 4]];
        shapes.into_iter().flat_map(|sizes| [(sizes, false), (sizes, true)]).map(move |(sizes, weighted)| {
            let loss = loss.clone();
            let make = move |_| {
                let output = tensor(&numbers(sizes.iter().product(), 1.0), sizes);
                let var = Var::from_tensor(&output).unwrap();
                let (o, t, loss) = (var.as_tensor().clone(), target(&loss, sizes), loss.clone());
                let w = weighted.then(|| tensor(&[0.5, 2.0, 1.0, 0.1, 1.5][..sizes[0]], &[sizes[0]]));
                let f = move || {
                    let value = loss.value(&o, &t, w.as_ref());
                    value.map_err(|e| candle_core::Error::Msg(e.to_string()))
                };
                (vec![var], Box::new(f) as Function)
            };
            Sample { text: text.clone(), make: Box::new(make) }
        })
    };
    let subject = |kind: &LossKind| {
        let own = SAMPLES.iter().filter(|of| of.0 == kind.name);
        Subject { name: kind.name, samples: own.flat_map(samples).collect() }
    };
    LOSSES.iter().map(subject).collect()
}

#[test]
fn samples_are_complete() {
    let mut untried = Vec::new();
    for kind in LOSSES {
        let own: Vec<Loss> = SAMPLES.iter().filter(|of| of.0 == kind.name).map(sampled).collect();
        if own.is_empty() {
            untried.push(kind.name.to_string());
        }
        for setting in kind.settings {
            if own.iter().all(|loss| loss.settings.get(setting.name) == setting.default) {
                untried.push(format!("{}.{}", kind.name, setting.name));
            }
        }
    }
    assert_eq!(untried, [""; 0]);
}

#[test]
fn gradients_agree_with_differences() {
    check(subjects, (true, 1), Gap { variable: 1e-9, ..Gap::MILLIONTH }, every);
}

#[test]
fn second_gradients_agree() {
    const NAME: &str = "networks::loss::tests::second_gradients_agree";
    if keeping_graphs(NAME).is_none() {
        check(subjects, (true, 2), Gap::MILLIONTH, every);
    }
}

#[test]
fn single_precision_is_the_same_number() {
    for loss in SAMPLES.iter().map(sampled) {
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
        "cross_entropy: expected one class for each row with outputs [3], found a target of shape [3]"
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
