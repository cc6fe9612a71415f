//! Trainings on rows of different lengths: interrupted or not, on one thread or two, in batches of any size.

use super::*;
use crate::data::Stack;
use crate::networks::lengths::Varies;
use crate::networks::use_of;

/// Clouds of 1 to 6 points in the plane.
fn points(rows: usize) -> Stack {
    let lengths: Vec<usize> = (0..rows).map(|k| 1 + k * 5 % 6).collect();
    let total: usize = lengths.iter().sum();
    let numbers: Vec<f64> = (0..2 * total).map(|k| (k as f64 * 0.7).sin()).collect();
    Stack::varying(&lengths, &[2], numbers).unwrap()
}

/// The clouds with the mean of a point's product as the target.
fn clouds(rows: usize) -> Arrays {
    let x = points(rows);
    let mean = |r: usize| {
        let all: Vec<f64> = x.row(r).collect();
        all.chunks(2).map(|p| p[0] * p[1]).sum::<f64>() / x.length(r) as f64
    };
    let y = Array::new("y", &[], Values::F64((0..rows).map(mean).collect()));
    Arrays::new(vec![Array::of_stack("x", &x)], Some(y)).unwrap()
}

/// The clouds with a number for every point.
fn marked(rows: usize) -> Arrays {
    let x = points(rows);
    let all = x.floats();
    let y: Vec<f64> = all.chunks(2).map(|p| p[0] - 2.0 * p[1]).collect();
    let y = Stack::varying(&(0..rows).map(|r| x.length(r)).collect::<Vec<_>>(), &[], y).unwrap();
    Arrays::new(vec![Array::of_stack("x", &x)], Some(Array::of_stack("y", &y))).unwrap()
}

fn of_clouds(text: &str, precision: Precision) -> Model {
    let shape = Shape::new(&[6, 2]).varying(Some(Varies::with(0)));
    Model::new(&text.parse().unwrap(), &[shape], precision, Streams::new(1)).unwrap()
}

const SEES_ALL: &str =
    "chain(dense(4), batch_norm, dropout(0.1), attention(2), conv(3, 3), gru(4), global_pool, dense(1))";

#[test]
fn resuming_on_any_threads_equals_never_stopping() {
    let goal = objective("mse", &["rmse"]);
    let (train_part, held) = clouds(40).split(0.25, Streams::new(0)).unwrap();
    let noise = Augment::new("pixel_noise", &[("sigma", 0.01)]).unwrap();
    let train_part = train_part.with_augments(vec![noise]).unwrap();
    let data = Data { train: &train_part, validation: Some(&held) };
    let plan = Plan { batch: Some(8), ..Plan::new(optimiser("adamw", &[]), Length::Epochs(2)) };
    let fresh = || of_clouds(SEES_ALL, Precision::F32);
    let whole = all_of(&run_until(u64::MAX, &Memory::default(), fresh(), &goal, data, &plan));
    for stop in [0, 3, 5, 7] {
        let store = Memory::default();
        run_until(stop, &store, fresh(), &goal, data, &plan);
        let resumed = run_until(u64::MAX, &store, fresh(), &goal, data, &plan);
        assert!(resumed.resumed);
        assert_eq!(all_of(&resumed), whole, "stopped at {stop}");
    }
    for threads in [1, 2] {
        let found = use_of::in_pool(threads, || {
            all_of(&run_until(u64::MAX, &Memory::default(), fresh(), &goal, data, &plan))
        });
        assert_eq!(found, whole, "{threads} threads");
    }
}

#[test]
fn the_size_of_a_batch_changes_no_figure() {
    for (data, text) in
        [(clouds(30), SEES_ALL), (marked(30), "chain(dense(3), set_dense(2), tanh, dense(1))")]
    {
        let model = of_clouds(text, Precision::F64);
        let goal = objective("mse", &["rmse", "mae", "r2"]);
        let of = |size: usize| use_of::evaluate(&model, &goal, &data, size).unwrap();
        let outputs = |size: usize| use_of::outputs(&model, &data, size).unwrap();
        let (loss, figures) = of(30);
        assert!((loss.sqrt() - figures[0]).abs() < 1e-12);
        for size in [1, 7] {
            let found = of(size);
            assert!((found.0 - loss).abs() < 1e-12, "{text}");
            assert!(found.1.iter().zip(&figures).all(|(a, b)| (a - b).abs() < 1e-12), "{text}");
            let (a, b) = (outputs(size), outputs(30));
            assert_eq!((a.lengths, a.numbers.len()), (b.lengths, b.numbers.len()));
            assert!(a.numbers.iter().zip(&b.numbers).all(|(a, b)| (a - b).abs() < 1e-12), "{text}");
        }
    }
}

#[test]
fn a_loss_of_every_element_is_that_of_elements_as_rows() {
    let goal = objective("mse", &["rmse", "r2"]);
    let sets = of_clouds("dense(1)", Precision::F64);
    let flat = Model::new(&"dense(1)".parse().unwrap(), &[Shape::new(&[2])], Precision::F64, Streams::new(1));
    let x = points(20);
    let y: Vec<f64> = x.floats().chunks(2).map(|p| p[0] - 2.0 * p[1]).collect();
    let rows = Arrays::new(
        vec![Array::new("x", &[2], Values::F64(x.floats()))],
        Some(Array::new("y", &[], Values::F64(y))),
    );
    let a = use_of::evaluate(&sets, &goal, &marked(20), 6).unwrap();
    let b = use_of::evaluate(&flat.unwrap(), &goal, &rows.unwrap(), 6).unwrap();
    assert!((a.0 - b.0).abs() < 1e-12 && a.1.iter().zip(&b.1).all(|(a, b)| (a - b).abs() < 1e-12));
    // Least squares need the derivatives of every residual.
    let plan = Plan { batch: None, ..Plan::new(optimiser("levenberg_marquardt", &[]), Length::Steps(10)) };
    assert!(run(sets, &goal, &marked(20), &plan).best_loss.unwrap() < 1e-20);
}

#[test]
fn targets_of_other_lengths_are_named() {
    let goal = objective("mse", &[]);
    let data = marked(4);
    let plan = Plan { batch: Some(2), ..Plan::new(optimiser("adam", &[]), Length::Epochs(1)) };
    let refused = |model: Model, data: &Arrays| {
        let data = Data { train: data, validation: None };
        let store = Memory::default();
        let watch = Watch {
            events: &EventSink::new(|_| {}),
            name: None,
            checkpoints: Some(&store),
            cancel: &CancelToken::new(),
        };
        let e = train(model, &goal, data, &plan, watch).unwrap_err();
        format!("{} {e}; {}", e.code(), e.hint().unwrap_or_default())
    };
    assert_eq!(
        refused(of_clouds("dense(1)", Precision::F64), &clouds(4)),
        "P4249 mse: expected a target that varies in length as the outputs [..6, 1], or outputs of one length, \
         found a target of shape []; global_pool or deep_set at the end"
    );
    assert!(refused(of_clouds("chain(average, dense(1))", Precision::F64), &data).starts_with("P4249"));
    let shorter = of_clouds("conv(1, 2, padding: valid)", Precision::F64);
    assert!(refused(shorter, &data).contains("expected"), "lengths of the output differ from the target's");
    let uniform =
        Model::new(&"dense(1)".parse().unwrap(), &[Shape::new(&[6, 2])], Precision::F64, Streams::new(1));
    assert_eq!(
        refused(uniform.unwrap(), &data),
        "P4210 expected input 0 of shape [batch, 6, 2], found [batch, ..6, 2]; "
    );
}
