//! Laws of the training loop: known answers by every optimiser, resuming equals never stopping byte for byte, threads
//! change nothing, what breaks is named.

mod lengths;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::base::random::Streams;
use crate::base::{CancelToken, Checkpoints, EventSink, Fault};
use crate::networks::data::{Array, Arrays, Augment, Place, Stream, Values};
use crate::networks::layer::Layer;
use crate::networks::loss::Loss;
use crate::networks::metric::metric;
use crate::networks::objective::{Batch, Supervised};
use crate::networks::optimise::{Average, OPTIMISERS, Optimiser, Schedule};
use crate::networks::parameters::Precision;
use crate::networks::shape::Shape;
use candle_core::Tensor;
use rand_distr::{Distribution, StandardNormal};

/// A sine over one period and a half, without noise. It is not odd about 0, where a network without biases is.
fn sine(rows: usize) -> Arrays {
    let x: Vec<f64> = (0..rows).map(|k| -1.0 + 3.0 * k as f64 / (rows - 1) as f64).collect();
    let y = x.iter().map(|x| (std::f64::consts::PI * x).sin()).collect();
    let inputs = vec![Array::of_columns("inputs", &[("x", &x)])];
    Arrays::new(inputs, Some(Array::new("y", &[], Values::F64(y)))).unwrap()
}

/// Two half circles that reach into each other, with noise.
fn moons(rows: usize) -> Arrays {
    let mut rng = Streams::new(7).stream("moons");
    let (mut points, mut labels) = (Vec::new(), Vec::new());
    for k in 0..rows {
        let t = std::f64::consts::PI * (k / 2) as f64 / (rows / 2 - 1) as f64;
        let (x, y) = if k % 2 == 0 { (t.cos(), t.sin()) } else { (1.0 - t.cos(), 0.5 - t.sin()) };
        for at in [x, y] {
            let z: f64 = StandardNormal.sample(&mut rng);
            points.push(at + 0.1 * z);
        }
        labels.push((k % 2) as u32);
    }
    let target = Array::new("label", &[], Values::Index(labels));
    Arrays::new(vec![Array::new("points", &[2], Values::F64(points))], Some(target)).unwrap()
}

fn model(text: &str, inputs: usize, precision: Precision) -> Model {
    let network: Layer = text.parse().unwrap();
    Model::new(&network, &[Shape::new(&[inputs])], precision, Streams::new(1)).unwrap()
}

fn objective(loss: &str, metrics: &[&str]) -> Supervised {
    let metrics = metrics.iter().map(|m| metric(m).unwrap()).collect();
    Supervised::new(Loss::new(loss, &[]).unwrap(), metrics).unwrap()
}

fn optimiser(name: &str, given: &[(&str, f64)]) -> Optimiser {
    Optimiser::new(name, given).unwrap()
}

fn run(model: Model, objective: &dyn Objective, data: &Arrays, plan: &Plan) -> Trained {
    let (events, cancel) = (EventSink::none(), CancelToken::new());
    let watch = Watch { events: &events, name: None, checkpoints: None, cancel: &cancel };
    train(model, objective, Data { train: data, validation: None }, plan, watch).unwrap()
}

/// Root of the mean squared error on all rows.
fn rmse(trained: &Trained, data: &Arrays) -> f64 {
    let order = Order { size: None, streams: Streams::new(0), dtype: trained.model.dtype() };
    evaluate(&trained.model, &objective("mse", &[]), data, &order).unwrap().0.sqrt()
}

#[test]
fn a_clean_sine_is_learned_by_each_optimiser() {
    let data = sine(100);
    let full = |name: &str, given: &[(&str, f64)], steps: u64| {
        let plan = Plan::new(optimiser(name, given), Length::Steps(steps));
        let plan = match optimiser(name, given).kind().needs {
            crate::networks::optimise::Needs::Gradient => {
                Plan { schedule: Schedule::new("cosine", &[]).unwrap(), ..plan }
            }
            _ => plan,
        };
        let trained = run(
            model("chain(dense(20), tanh, dense(1))", 1, Precision::F64),
            &objective("mse", &[]),
            &data,
            &plan,
        );
        (rmse(&trained, &data), trained.evaluations)
    };
    type Row = (&'static str, &'static [(&'static str, f64)], u64, f64);
    let limits: [Row; 6] = [
        ("sgd", &[("rate", 0.05)], 4000, 2e-1),
        ("adam", &[("rate", 0.03)], 12000, 5e-2),
        ("adamw", &[("rate", 0.03)], 4000, 5e-2),
        ("lbfgs", &[], 1000, 1e-3),
        ("levenberg_marquardt", &[], 300, 1e-6),
        ("natural_gradient", &[], 300, 1e-6),
    ];
    assert!(OPTIMISERS.iter().all(|k| limits.iter().any(|l| l.0 == k.name)));
    for (name, given, steps, limit) in limits {
        let begun = Instant::now();
        let (found, evaluations) = full(name, given, steps);
        println!(
            "sine: {name}: rms {found:.3e} in {steps} steps, {evaluations} evaluations, {:.2} s",
            begun.elapsed().as_secs_f64()
        );
        assert!(found < limit, "{name}: {found}");
    }
}

#[test]
fn two_moons_are_told_apart_by_each_optimiser_that_can() {
    let data = moons(400);
    let (train_part, held) = data.split(0.25, Streams::new(3)).unwrap();
    for kind in OPTIMISERS {
        let rate: &[(&str, f64)] = match kind.name {
            "sgd" => &[("rate", 0.1)],
            "adam" | "adamw" => &[("rate", 0.03)],
            _ => &[],
        };
        let first_order = kind.needs == crate::networks::optimise::Needs::Gradient;
        let plan = Plan {
            batch: first_order.then_some(32),
            patience: Some(30),
            ..Plan::new(optimiser(kind.name, rate), Length::Epochs(60))
        };
        let goal = objective("cross_entropy", &["accuracy"]);
        let data = Data { train: &train_part, validation: Some(&held) };
        let (events, cancel) = (EventSink::none(), CancelToken::new());
        let watch = Watch { events: &events, name: None, checkpoints: None, cancel: &cancel };
        let found =
            train(model("chain(dense(16), tanh, dense(2))", 2, Precision::F32), &goal, data, &plan, watch);
        if kind.needs == crate::networks::optimise::Needs::Residuals {
            let e = found.unwrap_err();
            assert_eq!(
                e.to_string(),
                format!("{}: expected a sum of squares (mse, a residual), found cross_entropy", kind.name)
            );
            assert_eq!(e.hint().as_deref(), Some("optimizer: lbfgs"));
            // As numbers, -1 and 1, the moons are a sum of squares.
            let signs = |part: &Arrays| part.clone().map_target(|label| 2.0 * label - 1.0);
            let (train_part, held) = (signs(&train_part), signs(&held));
            let source = Data { train: &train_part, validation: Some(&held) };
            let small = model("chain(dense(8), tanh, dense(1))", 2, Precision::F64);
            let trained = train(small, &objective("mse", &["rmse"]), source, &plan, watch).unwrap();
            println!(
                "moons: {}: mse {:.4}, epoch {}",
                kind.name,
                trained.best_loss.unwrap(),
                trained.best_epoch
            );
            assert!(trained.best_loss.unwrap() < 0.1, "{}: {:?}", kind.name, trained.best_loss);
            continue;
        }
        let trained = found.unwrap();
        let best = &trained.history[trained.best_epoch as usize - 1];
        println!(
            "moons: {}: loss {:.4}, accuracy {:.3}, epoch {}",
            kind.name,
            best.validation.unwrap(),
            best.metrics[0],
            best.epoch
        );
        assert!(best.validation.unwrap() < 0.05 && best.metrics[0] >= 0.97, "{}: {best:?}", kind.name);
    }
}

/// A store in memory.
#[derive(Debug, Default)]
struct Memory {
    states: Mutex<HashMap<String, Vec<u8>>>,
    refused: Mutex<Vec<String>>,
}

impl Checkpoints for Memory {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        self.states.lock().unwrap().get(key).cloned()
    }
    fn save(&self, key: &str, state: &[u8]) {
        self.states.lock().unwrap().insert(key.into(), state.to_vec());
    }
    fn turn(&self, _: &str) -> u64 {
        0
    }
    fn refuse(&self, _: &str, reason: &str) {
        self.refused.lock().unwrap().push(reason.into());
    }
}

/// Trains with a store and stops by the token once so many steps are done; `u64::MAX` for never.
fn run_until(
    stop: u64,
    store: &Memory,
    model: Model,
    objective: &dyn Objective,
    data: Data<'_>,
    plan: &Plan,
) -> Trained {
    let cancel = CancelToken::new();
    let token = cancel.clone();
    let events = EventSink::new(move |event| {
        if let Event::Progress(p) = event
            && p.done >= stop
        {
            token.cancel();
        }
    });
    let watch = Watch { events: &events, name: None, checkpoints: Some(store), cancel: &cancel };
    train(model, objective, data, plan, watch).unwrap()
}

/// Everything that a training came to, as bytes and words.
fn all_of(t: &Trained) -> (Vec<u8>, Vec<u8>, String) {
    let words = format!(
        "{:?} {:?} {} {:?} {} {}",
        t.history, t.best_loss, t.best_epoch, t.ended, t.steps, t.evaluations
    );
    (t.model.parameters.to_bytes().unwrap(), t.last.to_bytes().unwrap(), words)
}

#[test]
fn resuming_equals_never_stopping() {
    let augment = || vec![Augment::new("pixel_noise", &[("sigma", 0.01)]).unwrap()];
    for kind in OPTIMISERS {
        for precision in [Precision::F32, Precision::F64] {
            let (train_part, held) = sine(50).split(0.2, Streams::new(0)).unwrap();
            let train_part = train_part.with_augments(augment()).unwrap();
            let first_order = kind.needs == crate::networks::optimise::Needs::Gradient;
            let base = Plan { batch: Some(16), ..Plan::new(optimiser(kind.name, &[]), Length::Epochs(4)) };
            let mut plans =
                vec![base.clone(), Plan { batch: None, length: Length::Epochs(6), ..base.clone() }];
            if first_order {
                let average = Average::Exponential { decay: 0.9 };
                let schedule = Schedule::new("plateau", &[("patience", 1.0), ("tolerance", 0.5)]).unwrap();
                plans.push(Plan { average, schedule, clip: Some(0.5), ..base.clone() });
                plans.push(Plan {
                    average: Average::Stochastic { from: 1 },
                    length: Length::Steps(10),
                    ..base
                });
            }
            for plan in plans {
                let fixed = sine(50);
                let data = if plan.batch.is_none() {
                    Data { train: &fixed, validation: None }
                } else {
                    Data { train: &train_part, validation: Some(&held) }
                };
                let goal = objective("mse", &["rmse", "r2"]);
                let fresh = || model("chain(dense(6), tanh, dense(1))", 1, precision);
                let whole = run_until(u64::MAX, &Memory::default(), fresh(), &goal, data, &plan);
                let expected = all_of(&whole);
                assert!(whole.steps > 3);
                for stop in 0..whole.steps {
                    let store = Memory::default();
                    let part = run_until(stop, &store, fresh(), &goal, data, &plan);
                    assert_eq!(part.ended, Ended::Stopped(StopReason::Cancelled), "{plan:?} {stop}");
                    assert_eq!(part.steps, stop);
                    let resumed = run_until(u64::MAX, &store, fresh(), &goal, data, &plan);
                    assert!(resumed.resumed && store.refused.lock().unwrap().is_empty());
                    assert_eq!(all_of(&resumed), expected, "{plan:?} stopped at {stop}");
                    // What is finished is not done again.
                    let again = run_until(0, &store, fresh(), &goal, data, &plan);
                    assert_eq!(all_of(&again), expected);
                }
            }
        }
    }
}

#[test]
fn resuming_keeps_masks_and_running_statistics() {
    let (train_part, held) = sine(50).split(0.2, Streams::new(0)).unwrap();
    let data = Data { train: &train_part, validation: Some(&held) };
    let goal = objective("mse", &["rmse"]);
    for (name, average) in
        [("adam", Average::None), ("adamw", Average::Exponential { decay: 0.9 }), ("lbfgs", Average::None)]
    {
        let plan = Plan { batch: Some(16), average, ..Plan::new(optimiser(name, &[]), Length::Epochs(3)) };
        let fresh = || model("chain(dense(6), batch_norm, tanh, dropout(0.2), dense(1))", 1, Precision::F32);
        let with_buffers = |t: &Trained| {
            (all_of(t), t.model.buffers.to_bytes().unwrap(), t.last_buffers.to_bytes().unwrap())
        };
        let whole = with_buffers(&run_until(u64::MAX, &Memory::default(), fresh(), &goal, data, &plan));
        for stop in 0..9 {
            let store = Memory::default();
            run_until(stop, &store, fresh(), &goal, data, &plan);
            let resumed = run_until(u64::MAX, &store, fresh(), &goal, data, &plan);
            assert!(resumed.resumed);
            assert_eq!(with_buffers(&resumed), whole, "{name} stopped at {stop}");
        }
    }
}

#[test]
fn a_foreign_or_cut_state_is_refused() {
    let (data, goal) = (sine(20), objective("mse", &[]));
    let source = Data { train: &data, validation: None };
    let plan = Plan { batch: Some(5), ..Plan::new(optimiser("adam", &[]), Length::Epochs(2)) };
    let fresh = || model("chain(dense(3), tanh, dense(1))", 1, Precision::F64);
    let store = Memory::default();
    let expected = all_of(&run_until(u64::MAX, &store, fresh(), &goal, source, &plan));
    let (key, whole) = store.states.lock().unwrap().drain().next().unwrap();
    let other = Memory::default();
    let wider = model("chain(dense(4), tanh, dense(1))", 1, Precision::F64);
    run_until(u64::MAX, &other, wider, &goal, source, &plan);
    let foreign = other.states.lock().unwrap().drain().next().unwrap().1;
    let cuts = (0..whole.len()).step_by(41).map(|end| whole[..end].to_vec());
    for bad in cuts.chain([foreign, [&whole[..], b"x"].concat(), b"not a state".to_vec()]) {
        store.states.lock().unwrap().insert(key.clone(), bad);
        let found = run_until(u64::MAX, &store, fresh(), &goal, source, &plan);
        assert!(!found.resumed);
        assert_eq!(all_of(&found), expected);
        assert_eq!(
            store.refused.lock().unwrap().pop().as_deref(),
            Some("it is cut short, or of another network, or was written by another version")
        );
    }
    // The key differs with anything that decides the result.
    for other in [Plan { seed: 1, ..plan.clone() }, Plan { batch: Some(4), ..plan.clone() }] {
        assert!(!run_until(u64::MAX, &store, fresh(), &goal, source, &other).resumed);
    }
}

/// Prints what trainings come to; run by [`threads_change_nothing`] in processes of their own, as the number of threads is
/// that of a process.
#[test]
#[ignore = "part of threads_change_nothing"]
fn print_trainings() {
    let data = moons(300);
    let (train_part, held) = data.split(0.2, Streams::new(0)).unwrap();
    for name in ["sgd", "adam", "lbfgs"] {
        let plan = Plan { batch: Some(64), ..Plan::new(optimiser(name, &[]), Length::Epochs(3)) };
        let goal = objective("cross_entropy", &["accuracy", "f1"]);
        let source = Data { train: &train_part, validation: Some(&held) };
        let wide = model("chain(dense(256), tanh, dense(256), tanh, dense(2))", 2, Precision::F32);
        let (best, last, words) =
            all_of(&run_until(u64::MAX, &Memory::default(), wide, &goal, source, &plan));
        let hash = crate::base::hash::of_bytes(&[best, last].concat());
        println!("training {name} {hash:016x} {words}");
    }
    let plan =
        Plan { batch: Some(64), ..Plan::new(optimiser("levenberg_marquardt", &[]), Length::Epochs(3)) };
    let wide = model("chain(dense(20), tanh, dense(20), tanh, dense(1))", 1, Precision::F64);
    let found = all_of(&run(wide, &objective("mse", &[]), &sine(128), &plan));
    println!("training levenberg_marquardt {:016x} {}", crate::base::hash::of_bytes(&found.0), found.2);
}

#[test]
fn threads_change_nothing() {
    let of = |threads: &str| -> Vec<String> {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "networks::train::tests::print_trainings", "--ignored", "--nocapture"]);
        let out = child.env("RAYON_NUM_THREADS", threads).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().filter_map(|l| l.split_once("training ")).map(|(_, words)| words.to_string()).collect()
    };
    let (one, two) = (of("1"), of("2"));
    assert_eq!(one.len(), 4, "{one:?}");
    assert_eq!(one, two);
}

/// A loss that is 0 and has no gradient.
struct Cusp;

impl Objective for Cusp {
    fn describe(&self) -> String {
        self.name()
    }
    fn name(&self) -> String {
        "cusp".into()
    }
    fn loss(&self, model: &Model, batch: &Batch, pass: &mut Pass) -> Result<Tensor, NetworkError> {
        let output = model.forward(&batch.inputs, pass)?;
        Ok((&output - output.detach())?.sqr()?.sqrt()?.mean_all()?)
    }
}

#[test]
fn a_step_to_weights_that_are_not_finite_is_undone() {
    let data = sine(40);
    for (length, name) in [(3, "adam"), (1, "adam"), (3, "sgd"), (3, "lbfgs")] {
        let fresh = model("dense(1)", 1, Precision::F32);
        let before = fresh.parameters.flatten().unwrap();
        let plan = Plan { batch: Some(10), ..Plan::new(optimiser(name, &[]), Length::Steps(length)) };
        let trained = run(fresh, &Cusp, &data, &plan);
        let Ended::Diverged(d) = &trained.ended else { panic!("{name}: {:?}", trained.ended) };
        let what = if name == "lbfgs" {
            "a gradient that is not finite"
        } else {
            "a step to weights that are not finite"
        };
        assert!(
            d.to_string().starts_with(&format!("expected a finite loss, found {what} at epoch 1, batch 1")),
            "{d}"
        );
        assert_eq!(trained.last.flatten().unwrap(), before);
        assert_eq!(trained.model.parameters.flatten().unwrap(), before);
    }
}

#[test]
fn a_batch_that_breaks_a_training_is_named_and_good_weights_stay() {
    // A generator whose batch 4 (the fifth) holds a NaN.
    let stream = Stream::new("sine", 3, 8, vec![vec![1]], Some(vec![1]), |rng, rows, dtype| {
        let x: Vec<f64> = (0..rows).map(|_| StandardNormal.sample(rng)).collect();
        let make = |v: Vec<f64>| {
            Tensor::from_vec(v, (rows, 1), &candle_core::Device::Cpu)
                .and_then(|t| t.to_dtype(dtype))
                .map_err(|e| e.to_string())
        };
        let y: Vec<f64> = x.iter().map(|x| x.sin()).collect();
        Ok(Batch::new(vec![make(x)?], Some(make(y)?)))
    });
    let calls = Arc::new(Mutex::new(0));
    let bad = {
        let (stream, calls) = (stream.clone(), calls.clone());
        Stream::new("broken", 3, 8, vec![vec![1]], Some(vec![1]), move |_, rows, dtype| {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            let place = Place { epoch: 0, index: *calls };
            let order = Order { size: Some(rows), streams: Streams::new(0), dtype };
            let batch = stream.batch(place, &order).map_err(|e| e.to_string())?;
            if *calls != 5 {
                return Ok(batch);
            }
            let hole = Tensor::from_slice(
                &[1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0, 1.0],
                (8, 1),
                batch.inputs[0].device(),
            );
            let hole = hole.and_then(|t| t.to_dtype(dtype)).map_err(|e| e.to_string())?;
            Ok(Batch::new(vec![hole], batch.target))
        })
    };
    let goal = objective("mse", &[]);
    let (events, cancel) = (EventSink::none(), CancelToken::new());
    let watch = Watch { events: &events, name: None, checkpoints: None, cancel: &cancel };
    let plan = Plan::new(optimiser("adam", &[]), Length::Epochs(4));
    let fresh = || model("chain(dense(4), tanh, dense(1))", 1, Precision::F32);
    let trained = train(fresh(), &goal, Data { train: &bad, validation: None }, &plan, watch).unwrap();
    let Ended::Diverged(d) = &trained.ended else { panic!("{:?}", trained.ended) };
    assert_eq!(
        d.to_string(),
        "expected a finite loss, found a loss of NaN at epoch 2, batch 2; input 1 of the batch holds NaN in row 2, column 0"
    );
    assert_eq!((trained.steps, trained.best_epoch, trained.ended.word()), (4, 1, "diverged"));
    assert!(trained.last.flatten().unwrap().iter().all(|w| w.is_finite()));

    // A rate that is far too great: the weights before the last finite loss stay.
    let data = sine(40);
    let plan = Plan { batch: Some(10), ..Plan::new(optimiser("sgd", &[("rate", 1e3)]), Length::Epochs(50)) };
    let linear = model("dense(1)", 1, Precision::F32);
    let trained = run(linear, &goal, &data, &plan);
    let Ended::Diverged(d) = &trained.ended else { panic!("{:?}", trained.ended) };
    assert!(
        d.to_string().starts_with("expected a finite loss, found a loss of ") && d.rows.len() == 10,
        "{d}"
    );
    assert!(trained.last.flatten().unwrap().iter().all(|w| w.is_finite()));
}

#[test]
fn patience_goal_work_and_time_say_why() {
    let (data, goal) = (sine(40), objective("mse", &[]));
    let base =
        Plan { batch: Some(10), ..Plan::new(optimiser("adam", &[("rate", 0.01)]), Length::Epochs(200)) };
    let fresh = || model("chain(dense(8), tanh, dense(1))", 1, Precision::F64);
    let reason = |plan: &Plan| {
        let t = run(fresh(), &goal, &data, plan);
        let Ended::Stopped(reason) = t.ended else { panic!("{:?}", t.ended) };
        (reason, t)
    };
    let (why, t) = reason(&Plan { goal: Some(0.3), ..base.clone() });
    assert_eq!(why, StopReason::Goal);
    assert!(t.best_loss.unwrap() <= 0.3 && t.history.len() < 200);
    let (why, t) = reason(&Plan { work: Some(7), ..base.clone() });
    assert_eq!((why, t.steps, t.history.len()), (StopReason::Work, 7, 2));
    let stuck = Plan { optimiser: optimiser("sgd", &[("rate", 1e-300)]), patience: Some(3), ..base.clone() };
    let (why, t) = reason(&stuck);
    // Shuffled sums differ in rounding, so that epochs may gain by chance.
    assert!(why == StopReason::Saturated && t.history.len() < 100);
    let (why, t) = reason(&Plan { time: Some(1e-9), ..base.clone() });
    assert_eq!((why, t.steps), (StopReason::Time, 0));
    assert_eq!(t.best_epoch, 0);
    let (why, t) = reason(&base);
    assert_eq!((why, t.steps), (StopReason::Finished, 800));
    // A bound that is the length itself cuts nothing off.
    assert_eq!(reason(&Plan { work: Some(800), ..base.clone() }).0, StopReason::Finished);
    // As `work:` the steps of a training replay it.
    let half = reason(&Plan { work: Some(401), ..base.clone() }).1;
    let again = reason(&Plan { work: Some(half.steps), ..base }).1;
    assert_eq!(all_of(&half), all_of(&again));
}

#[test]
fn the_best_weights_are_those_of_the_lowest_validation_loss() {
    let data = moons(120);
    let (train_part, held) = data.split(0.5, Streams::new(3)).unwrap();
    let source = Data { train: &train_part, validation: Some(&held) };
    let goal = objective("cross_entropy", &["accuracy"]);
    // So fast that it fits the noise.
    let plan =
        Plan { batch: Some(10), ..Plan::new(optimiser("adam", &[("rate", 0.05)]), Length::Epochs(80)) };
    let wide = model("chain(dense(64), tanh, dense(2))", 2, Precision::F64);
    for average in [Average::None, Average::Exponential { decay: 0.9 }, Average::Stochastic { from: 40 }] {
        let plan = Plan { average, ..plan.clone() };
        let t = run_until(
            u64::MAX,
            &Memory::default(),
            model("chain(dense(64), tanh, dense(2))", 2, Precision::F64),
            &goal,
            source,
            &plan,
        );
        let lowest = t.history.iter().map(|r| r.validation.unwrap()).fold(f64::MAX, f64::min);
        let order = Order { size: Some(10), streams: Streams::new(0), dtype: wide.dtype() };
        let (loss, metrics) = evaluate(&t.model, &goal, &held, &order).unwrap();
        assert_eq!((Some(loss), loss), (t.best_loss, lowest));
        assert_eq!(metrics, t.history[t.best_epoch as usize - 1].metrics);
        assert!(t.last.flatten().unwrap() != t.model.parameters.flatten().unwrap());
    }
}

#[test]
fn listeners_are_told() {
    let (events, told) = EventSink::collect();
    let cancel = CancelToken::new();
    let watch = Watch { events: &events, name: Some("net"), checkpoints: None, cancel: &cancel };
    let (data, held) = sine(30).split(0.5, Streams::new(0)).unwrap();
    let plan = Plan { batch: Some(5), ..Plan::new(optimiser("adam", &[]), Length::Epochs(2)) };
    let source = Data { train: &data, validation: Some(&held) };
    train(model("dense(1)", 1, Precision::F32), &objective("mse", &["rmse"]), source, &plan, watch).unwrap();
    let told = told.lock().unwrap();
    let metrics: Vec<(u64, &str)> = told
        .iter()
        .filter_map(|e| match e {
            Event::Metric { step, name, task, .. } if task == "train net" => Some((*step, name.as_str())),
            _ => None,
        })
        .collect();
    let each = ["loss", "validation_loss", "rmse", "rate"];
    let expected: Vec<(u64, &str)> = (1..=2).flat_map(|e| each.map(|name| (e, name))).collect();
    assert_eq!(metrics, expected);
    let last =
        told.iter().rev().find_map(|e| if let Event::Progress(p) = e { Some(p) } else { None }).unwrap();
    assert_eq!((last.done, last.total, last.unit), (6, Some(6), "steps"));
}

#[test]
fn bad_plans_are_refused_before_anything_is_done() {
    let data = sine(20);
    let base = Plan { batch: Some(5), ..Plan::new(optimiser("adam", &[]), Length::Epochs(2)) };
    let goal = objective("mse", &[]);
    let fresh = || model("dense(1)", 1, Precision::F64);
    let check = |plan: &Plan, objective: &dyn Objective, data: &Arrays, model: &Model| {
        let e = plan.check(model, objective, Data { train: data, validation: None }).unwrap_err();
        format!("{} {e}; {}", e.code(), e.hint().unwrap_or_default())
    };
    let plan = |p: Plan| check(&p, &goal, &data, &fresh());
    assert_eq!(
        plan(Plan { batch: Some(21), ..base.clone() }),
        "P4246 expected a batch of at most the 20 rows of the training data, found 21; batch: 20"
    );
    assert_eq!(
        plan(Plan { batch: Some(0), ..base.clone() }),
        "P4251 expected a number of rows >= 1 for `batch`, found 0; batch: 32"
    );
    assert_eq!(
        plan(Plan { length: Length::Epochs(0), ..base.clone() }),
        "P4251 expected a number >= 1 for `epochs`, found 0; epochs: 10"
    );
    assert_eq!(
        plan(Plan { clip: Some(-1.0), ..base.clone() }),
        "P4251 expected a norm > 0 for `clip`, found -1; clip: 1"
    );
    let newton = Plan { optimiser: optimiser("lbfgs", &[]), ..base.clone() };
    assert_eq!(
        plan(Plan { clip: Some(1.0), ..newton.clone() }),
        "P4250 lbfgs: expected no clipping, as it finds its own step, found `clip`; optimizer: adam"
    );
    assert_eq!(
        plan(Plan { schedule: Schedule::new("cosine", &[]).unwrap(), ..newton }),
        "P4250 lbfgs: expected no schedule, as it finds its own step, found `cosine`; schedule: constant_rate"
    );
    let two = model("dense(1)", 2, Precision::F64);
    assert_eq!(
        check(&base, &goal, &data, &two),
        "P4210 expected input 0 of shape [batch, 2], found [batch, 1]; "
    );
    let wide = model("dense(3)", 1, Precision::F64);
    assert_eq!(
        check(&base, &goal, &data, &wide),
        "P4249 mse: expected a target of the shape of the outputs, [3], found a target of shape []; dense(1)"
    );
    let x = Array::of_columns("inputs", &[("x", &[1.0, f64::INFINITY])]);
    let bad = Arrays::new(vec![x], Some(Array::new("y", &[], Values::F64(vec![0.0; 2])))).unwrap();
    assert_eq!(
        check(&Plan { batch: None, ..base.clone() }, &goal, &bad, &fresh()),
        "P4243 expected finite numbers in `inputs`, found inf in row 1, column x; filter(data, x < inf)"
    );
    let classes = objective("cross_entropy", &[]);
    let three = model("dense(3)", 2, Precision::F64);
    assert_eq!(
        check(&base, &classes, &moons(20), &three),
        "P4247 expected rows of every class in the training data, found none of class 2; \
         fewer classes, or more rows of that class"
    );
    let inputs = Array::of_columns("inputs", &[("x", &[1.0, 2.0])]);
    let without = Arrays::new(vec![inputs], None).unwrap();
    assert_eq!(
        check(&base, &goal, &without, &fresh()),
        "P4249 mse: expected data with a target, found none; "
    );
    let e = Supervised::new(Loss::new("mse", &[]).unwrap(), vec![metric("accuracy").unwrap()]).unwrap_err();
    assert_eq!(e.to_string(), "mse: expected a metric of numbers, found `accuracy`");
    let e = Optimiser::new("adma", &[]).unwrap_err();
    assert_eq!(e.hint().as_deref(), Some("adam"));
    let e = Optimiser::new("adam", &[("rate", -1.0)]).unwrap_err();
    assert_eq!(
        format!("{e}; {}", e.hint().unwrap()),
        "expected a number > 0 for adam(rate), found -1; adam(rate: 0.001)"
    );
}

#[test]
fn a_generator_that_fails_or_lies_is_named() {
    let order = Order { size: Some(4), streams: Streams::new(0), dtype: candle_core::DType::F32 };
    let broken = Stream::new("halo", 3, 8, vec![vec![1]], None, |_, _, _| Err("no mass".into()));
    let e = broken.batch(Place { epoch: 1, index: 2 }, &order).unwrap_err();
    assert_eq!(e.to_string(), "expected a batch from the generator `halo` at batch 5, found: no mass");
    let lying = Stream::new("halo", 3, 8, vec![vec![1]], None, |_, _, dtype| {
        let t = Tensor::zeros((3, 1), dtype, &candle_core::Device::Cpu).map_err(|e| e.to_string())?;
        Ok(Batch::new(vec![t], None))
    });
    let e = lying.plain(0, &order).unwrap_err();
    assert!(e.to_string().ends_with("found: 4 rows of [[1]] and None are declared, [[3, 1]] came"), "{e}");
}
