//! Laws of rows of different lengths, for every row of the table in every form of its samples that takes them: a row gives
//! the same beside longer ones as alone, and so do its gradients, whatever stands behind its end.

use candle_core::{Tensor, Var};

use super::super::super::check::{self, Function, Gap, Subject, check, keeping_graphs, normal};
use super::super::super::error::NetworkError;
use super::super::super::lengths::{Lengths, Varies};
use super::super::super::model::{Model, Pass, output_shape};
use super::super::super::ops;
use super::super::super::parameters::Precision;
use super::super::{KINDS, Kind, Sample, Varying};
use super::{Shape, difference, layer, shake, shapes, values};
use crate::base::Fault;
use crate::base::random::Streams;

/// The rows of the batches here.
const ROWS: usize = 3;

/// A sample with inputs that vary.
struct Case {
    kind: &'static Kind,
    text: &'static str,
    shapes: Vec<Shape>,
}

fn varying(shape: Shape, input: usize) -> Shape {
    shape.varying(Some(Varies::with(input)))
}

/// All choices of inputs of a sample that vary, with what planning says.
fn choices(kind: &'static Kind, sample: &'static Sample) -> Vec<(Case, Result<Shape, NetworkError>)> {
    let plain = shapes(sample.inputs);
    let choice = |set: usize| {
        let shapes: Vec<Shape> = plain
            .iter()
            .enumerate()
            .map(|(k, s)| if set >> k & 1 == 1 { varying(s.clone(), k) } else { s.clone() })
            .collect();
        let planned = output_shape(&layer(sample.layer), &shapes);
        (Case { kind, text: sample.layer, shapes }, planned)
    };
    (1..1 << plain.len()).map(choice).collect()
}

fn cases() -> Vec<Case> {
    let all = KINDS.iter().flat_map(|k| k.samples.iter().flat_map(move |s| choices(k, s)));
    all.filter(|(_, planned)| planned.is_ok()).map(|(case, _)| case).collect()
}

impl Case {
    fn model(&self) -> Model {
        let model = Model::new(&layer(self.text), &self.shapes, Precision::F64, Streams::new(1)).unwrap();
        shake(&model);
        model
    }

    /// The lengths of the rows of each input: as planned, one less, two less, at least one.
    fn lengths(&self) -> Vec<Option<Lengths>> {
        let own = |s: &Shape| {
            s.varies()
                .map(|_| Lengths::new((0..ROWS).map(|k| s.sizes()[0].saturating_sub(k).max(1)).collect()))
        };
        self.shapes.iter().map(own).collect()
    }

    /// Inputs filled up with `behind` after the end of a row.
    fn inputs(&self, behind: f64) -> Vec<Tensor> {
        let lengths = self.lengths();
        let input = |(i, shape): (usize, &Shape)| {
            let x = normal(&format!("input{i}"), &shape.batched(ROWS));
            let mut x = values(&x);
            if self.kind.traits.tokens {
                let vocabulary = layer(self.text).size_or("vocabulary", 1) as f64;
                x.iter_mut().for_each(|x| *x = (x.abs() * 3.0).floor().min(vocabulary - 1.0));
            }
            if let Some(lengths) = &lengths[i] {
                let element = shape.count() / shape.sizes()[0];
                for (row, n) in x.chunks_mut(shape.count()).zip(lengths.rows()) {
                    row[n * element..].fill(behind);
                }
            }
            Tensor::from_vec(x, shape.batched(ROWS), &candle_core::Device::Cpu).unwrap()
        };
        self.shapes.iter().enumerate().map(input).collect()
    }

    /// The inputs of one row alone.
    fn alone(&self, inputs: &[Tensor], row: usize) -> Vec<Tensor> {
        let cut = |(x, lengths): (&Tensor, &Option<Lengths>)| {
            let x = x.narrow(0, row, 1).unwrap();
            lengths.as_ref().map_or_else(|| x.clone(), |l| x.narrow(1, 0, l.rows()[row]).unwrap())
        };
        inputs.iter().zip(&self.lengths()).map(cut).collect()
    }
}

/// The output of a row that is there: as many elements as `like` has.
fn present(y: &Tensor, row: usize, like: &Tensor) -> Tensor {
    let y = y.narrow(0, row, 1).unwrap();
    if y.rank() > 1 && y.dims()[1] != like.dims()[1] { y.narrow(1, 0, like.dims()[1]).unwrap() } else { y }
}

fn projected(y: &Tensor, row: usize) -> Tensor {
    let weights = normal(&format!("projection{row}"), &[y.elem_count()]);
    (y.flatten_all().unwrap() * weights).unwrap().sum_all().unwrap()
}

#[test]
fn every_kind_says_what_it_makes_of_lengths() {
    for kind in KINDS {
        let all: Vec<_> = kind.samples.iter().flat_map(|s| choices(kind, s)).collect();
        match kind.varying {
            Varying::Refused(_) => {
                for (case, planned) in all {
                    let e = planned.expect_err(case.text);
                    assert_eq!(e.code().to_string(), "P4217", "{}: {e}", case.text);
                    assert!(e.to_string().contains(kind.name) && e.hint().is_some(), "{e}");
                }
            }
            _ => assert!(all.iter().any(|(_, planned)| planned.is_ok()), "{} takes none", kind.name),
        }
    }
}

#[test]
fn a_row_beside_longer_ones_is_the_row_alone() {
    let mut seen = 0;
    for case in cases() {
        let (model, inputs, lengths) = (case.model(), case.inputs(f64::NAN), case.lengths());
        let y = model.forward_rows(&inputs, &lengths, &mut Pass::evaluation()).unwrap();
        for row in 0..ROWS {
            let alone = model.forward(&case.alone(&inputs, row), &mut Pass::evaluation()).unwrap();
            let gap = difference(&present(&y, row, &alone), &alone);
            assert!(gap < 1e-12, "{} {:?} row {row}: {gap:e}", case.text, case.shapes);
            seen += 1;
        }
    }
    assert!(seen > 3 * KINDS.len(), "{seen}");
}

#[test]
fn gradients_of_a_row_beside_longer_ones_are_those_alone() {
    for case in cases() {
        let (model, lengths) = (case.model(), case.lengths());
        let given: Vec<Var> = case.inputs(f64::NAN).iter().map(|x| Var::from_tensor(x).unwrap()).collect();
        let inputs: Vec<Tensor> = given.iter().map(|v| v.as_tensor().clone()).collect();
        let first = usize::from(case.kind.traits.tokens);
        let vars: Vec<Var> = model.parameters.vars().iter().chain(&given[first..]).cloned().collect();
        let y = model.forward_rows(&inputs, &lengths, &mut Pass::evaluation()).unwrap();
        let (mut together, mut apart) = (Vec::new(), Vec::new());
        for row in 0..ROWS {
            let alone = model.forward(&case.alone(&inputs, row), &mut Pass::evaluation()).unwrap();
            together.push(projected(&present(&y, row, &alone), row));
            apart.push(projected(&alone, row));
        }
        let slopes = |all: &[Tensor]| {
            let sum = Tensor::stack(all, 0).unwrap().sum_all().unwrap();
            ops::gradients(&sum, &vars).unwrap()
        };
        for ((a, b), var) in slopes(&together).iter().zip(&slopes(&apart)).zip(&vars) {
            let size = values(b).iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            let gap = difference(a, b);
            assert!(gap < 1e-12 * size, "{} {:?} by {:?}: {gap:e}", case.text, case.shapes, var.dims());
        }
    }
}

/// The variables of a case, and a function of them: all that is there of the output.
fn checked(case: &Case, training: bool) -> (Vec<Var>, Function) {
    let (model, lengths) = (case.model(), case.lengths());
    let given: Vec<Var> = case.inputs(0.5).iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let inputs: Vec<Tensor> = given.iter().map(|v| v.as_tensor().clone()).collect();
    let first = usize::from(case.kind.traits.tokens);
    let vars: Vec<Var> = model.parameters.vars().iter().chain(&given[first..]).cloned().collect();
    let f = move || {
        let mut pass = if training { Pass::training(Streams::new(3), 5) } else { Pass::evaluation() };
        let y = model.forward_rows(&inputs, &lengths, &mut pass);
        let y = y.map_err(|e| candle_core::Error::Msg(e.to_string()))?;
        match model.present(&lengths, &y).map_err(|e| candle_core::Error::Msg(e.to_string()))? {
            Some(presence) => presence.gather(&y).map_err(|e| candle_core::Error::Msg(e.to_string())),
            None => Ok(y),
        }
    };
    (vars, Box::new(f))
}

/// The kinds with their cases.
fn subjects() -> Vec<Subject> {
    let subject = |case: Case| {
        let (name, text) = (case.kind.name, format!("`{}` {:?}", case.text, case.shapes));
        let make = Box::new(move |training| checked(&case, training));
        Subject { name, samples: vec![check::Sample { text, make }] }
    };
    cases().into_iter().map(subject).collect()
}

#[test]
fn gradients_of_masked_layers_agree_with_differences() {
    check(subjects, (false, 1), Gap::MILLIONTH, |_, _| true);
    check(subjects, (true, 1), Gap::MILLIONTH, |_, _| true);
}

#[test]
fn second_derivatives_of_masked_layers() {
    const NAME: &str = "networks::layer::tests::ragged::second_derivatives_of_masked_layers";
    if keeping_graphs(NAME).is_none() {
        check(subjects, (false, 2), Gap::MILLIONTH, |_, _| true);
    }
}

#[test]
fn the_order_of_the_elements_of_a_set_does_not_matter() {
    for text in [
        "global_pool(kind: max)",
        "deep_set(chain(dense(4), tanh), dense(2))",
        "attention_pool(1)",
        "chain(set_dense(3), tanh, average)",
        "chain(transformer_block(1), global_pool)",
        "chain(message_passing(2, neighbours: 2), average)",
    ] {
        let shape = varying(Shape::new(&[5, 2]), 0);
        let model = Model::new(&layer(text), &[shape], Precision::F64, Streams::new(1)).unwrap();
        shake(&model);
        let x = normal("set", &[2, 5, 2]);
        let lengths = [Some(Lengths::new(vec![5, 3]))];
        // The first three elements turned around, in both rows.
        let order = Tensor::new(&[2u32, 1, 0, 3, 4], x.device()).unwrap();
        let turned = x.index_select(&order, 1).unwrap();
        let of = |x: &Tensor| {
            model.forward_rows(std::slice::from_ref(x), &lengths, &mut Pass::evaluation()).unwrap()
        };
        let gap = difference(&of(&x), &of(&turned));
        assert!(gap < 1e-12, "{text}: {gap:e}");
    }
}

#[test]
fn the_statistics_of_a_batch_are_those_of_what_is_there() {
    let shape = varying(Shape::new(&[4, 2]), 0);
    let make = |shape: Shape| {
        let model = Model::new(&layer("batch_norm"), &[shape], Precision::F64, Streams::new(1)).unwrap();
        shake(&model);
        model
    };
    let (sets, rows) = (make(shape), make(Shape::from([2])));
    let x = normal("sets", &[2, 4, 2]);
    let pass = || Pass::training(Streams::new(1), 0);
    let y =
        sets.forward_rows(std::slice::from_ref(&x), &[Some(Lengths::new(vec![4, 1]))], &mut pass()).unwrap();
    let there = |t: &Tensor| t.flatten(0, 1).unwrap().narrow(0, 0, 5).unwrap();
    let wanted = rows.forward(&[there(&x)], &mut pass()).unwrap();
    assert!(difference(&there(&y), &wanted) < 1e-12);
    for (a, b) in sets.buffers.flatten().unwrap().iter().zip(rows.buffers.flatten().unwrap()) {
        assert!((a - b).abs() < 1e-14);
    }
}

#[test]
fn what_lengths_forbid_is_told_with_its_place() {
    let planned = |text: &str, sizes: &[usize]| {
        let e = output_shape(&layer(text), &[varying(Shape::new(sizes), 0)]).unwrap_err();
        format!("{} {e}; {}", e.code(), e.hint().unwrap_or_default())
    };
    assert_eq!(
        planned("chain(dense(4), flatten, dense(1))", &[5, 3]),
        "P4217 chain[1] flatten: expected rows of one length, found [..5, 4]; \
         global_pool, attention_pool or deep_set before it"
    );
    assert!(
        planned("chain(conv(2, 3, padding: circular))", &[5, 3]).ends_with("found [..5, 3]; padding: same")
    );
    assert!(planned("dense(2)", &[5]).contains("P4207 dense(2): expected [length, features]"));
    assert!(planned("residual(conv(3, 3, stride: 2))", &[5, 3]).starts_with("P4207"));
    assert!(planned("skip(average)", &[5, 3]).starts_with("P4207"));
    let run = |text: &str, shapes: &[Shape], x: &[Tensor], lengths: &[Vec<usize>]| {
        let model = Model::new(&layer(text), shapes, Precision::F64, Streams::new(1)).unwrap();
        let lengths: Vec<_> = lengths.iter().map(|l| Some(Lengths::new(l.clone()))).collect();
        model.forward_rows(x, &lengths, &mut Pass::evaluation()).unwrap_err().to_string()
    };
    let shape = |n: usize| varying(Shape::new(&[n, 2]), 0);
    let x = normal("x", &[2, 4, 2]);
    assert_eq!(
        run("chain(tanh, element(-3))", &[shape(4)], std::slice::from_ref(&x), &[vec![4, 2]]),
        "chain[1] element(-3): expected an element -3 in row 1 of the batch, found 2"
    );
    assert_eq!(
        run("position", &[shape(3)], std::slice::from_ref(&x), &[vec![2, 4]]),
        "position: expected at most 3 elements, as many positions as were trained in row 1 of the batch, found 4"
    );
    assert!(
        run("conv(1, 3, padding: valid)", &[shape(4)], std::slice::from_ref(&x), &[vec![4, 2]])
            .contains("in row 1 of the batch, found 2")
    );
    assert!(
        run(
            "message_passing(2)",
            &[shape(4), varying(Shape::new(&[4, 2]), 1)],
            &[x.clone(), x.clone()],
            &[vec![4, 2], vec![4, 3]]
        )
        .contains("expected 2 elements as in the input beside it in row 1 of the batch, found 3")
    );
    assert!(
        run("tanh", &[shape(4)], std::slice::from_ref(&x), &[vec![4, 5]])
            .contains("expected 1 to 4 elements in row 1")
    );
}

#[test]
fn sizes_that_vary_are_seen_in_the_summary() {
    let shapes = [varying(Shape::new(&[40, 3]), 0)];
    let net = layer("chain(dense(8), class_token, conv(4, 3, stride: 2), gru(5), average)");
    let rows = super::super::super::model::summary(&net, &shapes).unwrap();
    let outputs: Vec<String> = rows.iter().map(|r| r.output.to_string()).collect();
    assert_eq!(outputs, ["[5]", "[..40, 8]", "[..41, 8]", "[..21, 4]", "[..21, 5]", "[5]"]);
}

#[test]
fn a_model_from_a_file_takes_longer_rows_than_it_was_made_for() {
    let shape = varying(Shape::new(&[3, 2]), 0);
    let net = layer("chain(position(kind: sinusoidal), conv(4, 3), attention(2), gru(3), element(-1))");
    let model = Model::new(&net, &[shape], Precision::F64, Streams::new(1)).unwrap();
    shake(&model);
    let read = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!((&read.inputs, &read.output), (&model.inputs, &model.output));
    assert_eq!(read.inputs[0].to_string(), "[..3, 2]");
    let x = normal("x", &[2, 7, 2]);
    let lengths = [Some(Lengths::new(vec![7, 2]))];
    let [a, b] = [&model, &read]
        .map(|m| m.forward_rows(std::slice::from_ref(&x), &lengths, &mut Pass::inference()).unwrap());
    assert_eq!(difference(&a, &b), 0.0);
}
