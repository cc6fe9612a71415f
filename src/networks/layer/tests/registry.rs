//! What every row of the table promises, checked on its samples: a kind without samples fails.

use candle_core::{DType, Tensor, Var};

use super::super::super::check::{self, Function, Gap, Subject, all, check, keeping_graphs, normal};
use super::super::super::model::{Model, Pass, output_shape};
use super::super::super::parameters::Precision;
use super::super::{KINDS, Kind, Preset, Sample, Setting};
use super::{difference, evaluate, layer, model, shake, shapes};
use crate::base::random::Streams;

/// Inputs of a sample.
fn inputs(kind: &Kind, sample: &Sample, batch: usize) -> Vec<Tensor> {
    let input = |(i, shape): (usize, &super::Shape)| {
        let x = normal(&format!("input{i}"), &shape.batched(batch));
        if !kind.traits.tokens {
            return x;
        }
        let vocabulary = layer(sample.layer).size_or("vocabulary", 1) as f64;
        (x.abs().unwrap() * 3.0).unwrap().clamp(0.0, vocabulary - 1.0).unwrap().floor().unwrap()
    };
    shapes(sample.inputs).iter().enumerate().map(input).collect()
}

fn samples() -> impl Iterator<Item = (&'static Kind, &'static Sample)> {
    KINDS.iter().flat_map(|kind| kind.samples.iter().map(move |sample| (kind, sample)))
}

#[test]
fn rows_are_complete() {
    for (i, kind) in KINDS.iter().enumerate() {
        let name = kind.name;
        assert!(!kind.samples.is_empty(), "{name} has no sample");
        assert!(KINDS[..i].iter().all(|k| k.name != name), "{name} twice");
        assert!(kind.docs.ends_with('.') && kind.inputs.0 >= 1 && kind.inputs.0 <= kind.inputs.1, "{name}");
        assert!(kind.samples.iter().all(|s| layer(s.layer).kind().name == name), "{name}: a foreign sample");
        let first_default = kind.options.iter().position(|o| o.preset != Preset::Required);
        for (at, option) in kind.options.iter().enumerate() {
            assert!(option.docs.ends_with('.'), "{name}.{}", option.name);
            assert!(first_default.is_some_and(|d| at >= d) == (option.preset != Preset::Required), "{name}");
            if let Some(setting) = option.preset.setting().filter(|s| *s != Setting::Absent) {
                assert_eq!(option.accept(name, &setting).unwrap(), setting, "{name}.{}", option.name);
            }
        }
    }
    // an option that differs from its default in no sample is not tried
    let mut untried = Vec::new();
    for kind in KINDS {
        for option in kind.options.iter().filter(|o| o.preset != Preset::Required) {
            let preset = option.preset.setting().unwrap_or(Setting::Absent);
            let tried = kind.samples.iter().any(|s| *layer(s.layer).setting(option.name) != preset);
            if !tried && !["epsilon", "momentum", "init", "activation"].contains(&option.name) {
                untried.push(format!("{}.{}", kind.name, option.name));
            }
        }
    }
    assert_eq!(untried, [""; 0]);
}

#[test]
fn a_layer_reads_back_as_printed() {
    for (_, sample) in samples() {
        let read = layer(sample.layer);
        assert_eq!(layer(&read.to_string()), read);
        assert_eq!(read.to_string(), sample.layer);
    }
}

#[test]
fn the_planned_shape_is_that_of_the_output() {
    for (kind, sample) in samples() {
        let planned = output_shape(&layer(sample.layer), &shapes(sample.inputs)).unwrap();
        for precision in [Precision::F32, Precision::F64] {
            let model = Model::new(&layer(sample.layer), &shapes(sample.inputs), precision, Streams::new(1));
            let model = model.unwrap_or_else(|e| panic!("{}: {e}", sample.layer));
            for batch in [1, 3] {
                let inputs = inputs(kind, sample, batch);
                for mut pass in [Pass::evaluation(), Pass::inference(), Pass::training(Streams::new(1), 0)] {
                    let y =
                        model.forward(&inputs, &mut pass).unwrap_or_else(|e| panic!("{}: {e}", sample.layer));
                    assert_eq!(y.dims(), planned.batched(batch), "{}", sample.layer);
                    assert_eq!(y.dtype(), precision.dtype(), "{}", sample.layer);
                    assert!(super::values(&y).iter().all(|v| v.is_finite()), "{}", sample.layer);
                }
            }
        }
    }
}

#[test]
fn strides_of_the_input_do_not_matter() {
    for (kind, sample) in samples() {
        let model = model(sample.layer, sample.inputs);
        shake(&model);
        let straight = inputs(kind, sample, 3);
        let turned: Vec<Tensor> = straight
            .iter()
            .map(|x| {
                let last = x.rank() - 1;
                x.transpose(0, last).unwrap().contiguous().unwrap().transpose(0, last).unwrap()
            })
            .collect();
        let gap = difference(&evaluate(&model, &straight), &evaluate(&model, &turned));
        assert!(gap < 1e-13, "{}: {gap:e}", sample.layer);
    }
}

/// The variables of a sample (parameters, and inputs that gradients flow through) and its inputs made of them.
fn variables(kind: &Kind, sample: &Sample, model: &Model) -> (Vec<Var>, Vec<Tensor>) {
    let mut vars = model.parameters.vars().to_vec();
    let mut given = Vec::new();
    for (i, x) in inputs(kind, sample, 2).into_iter().enumerate() {
        if kind.traits.tokens && i == 0 {
            given.push(x);
        } else {
            let var = Var::from_tensor(&x).unwrap();
            given.push(var.as_tensor().clone());
            vars.push(var);
        }
    }
    (vars, given)
}

/// The kinds with their samples.
pub(in crate::networks) fn subjects() -> Vec<Subject> {
    let sample = |kind: &'static Kind, sample: &'static Sample| {
        let sizes: Vec<String> = sample.inputs.iter().map(|i| format!("{i:?}")).collect();
        let make = |training: bool| {
            let model = model(sample.layer, sample.inputs);
            shake(&model);
            let (vars, given) = variables(kind, sample, &model);
            let f = move || {
                let mut pass = if training { Pass::training(Streams::new(3), 5) } else { Pass::evaluation() };
                model.forward(&given, &mut pass).map_err(|e| candle_core::Error::Msg(e.to_string()))
            };
            (vars, Box::new(f) as Function)
        };
        check::Sample { text: format!("`{}` {}", sample.layer, sizes.join(", ")), make: Box::new(make) }
    };
    let subject = |kind: &'static Kind| {
        let samples = kind.samples.iter().map(|s| sample(kind, s)).collect();
        Subject { name: kind.name, samples }
    };
    KINDS.iter().map(subject).collect()
}

#[test]
fn gradients_agree_with_differences() {
    check(subjects, (false, 1), Gap::MILLIONTH, all);
    check(subjects, (true, 1), Gap::MILLIONTH, all);
}

#[test]
fn second_derivatives_where_promised() {
    const NAME: &str = "networks::layer::tests::registry::second_derivatives_where_promised";
    if keeping_graphs(NAME).is_none() {
        let promised = |name: &str, _| super::super::kind(name).unwrap().traits.second;
        check(subjects, (false, 2), Gap::MILLIONTH, promised);
        check(subjects, (true, 2), Gap::MILLIONTH, promised);
    }
}

#[test]
fn single_precision_agrees_with_double() {
    for (kind, sample) in samples() {
        let double = model(sample.layer, sample.inputs);
        let single =
            Model::new(&layer(sample.layer), &shapes(sample.inputs), Precision::F32, Streams::new(1))
                .unwrap();
        // first weights do not depend on the precision but for their rounding
        for (a, b) in double.parameters.vars().iter().zip(single.parameters.vars()) {
            let rounded = a.as_detached_tensor().to_dtype(DType::F32).unwrap();
            assert_eq!(difference(&rounded, &b.as_detached_tensor()), 0.0, "{}", sample.layer);
        }
        let given = inputs(kind, sample, 2);
        let gap = difference(&evaluate(&double, &given), &evaluate(&single, &given));
        assert!(gap < 2e-5, "{}: {gap:e}", sample.layer);
    }
}

#[test]
fn a_row_is_a_declaration() {
    let declared = |name: &str| super::super::kind(name).unwrap().declaration();
    assert_eq!(
        declared("pool"),
        "## The greatest number or the mean of windows.\n\
         ## size: Size of a window; divides the input unless a stride is given.\n\
         ## stride: From one window to the next; the size unless given. What no whole window covers is left out.\n\
         ## kind: What a window becomes.\n\
         extern pool(size: any, stride: any?, kind: one_of(max, mean) = max) -> network"
    );
    assert!(declared("chain").ends_with("extern chain(layers: network...) -> network"));
    assert!(declared("deep_set").ends_with(
        "extern deep_set(element: network, readout: network, pool: one_of(mean, sum, max) = mean) -> network"
    ));
}

#[test]
fn threads_do_not_change_a_bit() {
    for (text, inputs) in [
        (super::networks::resnet(1, 5), [3, 16, 16]),
        (super::networks::vit(4, 32, 1, 4, 5), [3, 16, 16]),
        (super::networks::unet(8, 1, 1), [3, 16, 16]),
    ] {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let net =
                    Model::new(&layer(&text), &shapes(&[&inputs]), Precision::F32, Streams::new(1)).unwrap();
                let x = normal("x", &[16, 3, 16, 16]);
                let y = net.forward(&[x], &mut Pass::training(Streams::new(1), 0)).unwrap();
                let loss = y.sqr().unwrap().sum_all().unwrap();
                // on this thread, which belongs to the pool
                let slopes = loss.backward().unwrap();
                let mut all = super::values(&y);
                all.extend(net.parameters.vars().iter().flat_map(|v| super::values(slopes.get(v).unwrap())));
                all.extend(net.buffers.flatten().unwrap());
                all
            })
        };
        assert_eq!(run(1), run(2), "{text}");
    }
}
