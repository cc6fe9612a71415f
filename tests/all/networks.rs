//! Networks in the language: what users of PyTorch and Lightning expect of declaring, training, keeping and using them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use phys::base::{CancelToken, EventSink};
use phys::language::Value;
use phys::plot::{Figure, Mark, Panel, Series};
use phys::session::{Session, Status};

use crate::support::{phys, run_with};

/// Runs a script in a folder.
pub fn ran(folder: &Path, script: &str, options: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("net.phys"), script).expect("a scratch file");
    let mut command = phys();
    command.current_dir(folder).args(["run", "--quiet"]).args(options).arg("net.phys");
    let ran = run_with(command, None, Duration::from_secs(300));
    (ran.status, ran.stdout + &ran.stderr)
}

/// Everything the script checks holds.
pub fn holds(script: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (status, text) = ran(folder.path(), script, &[]);
    assert!(script.contains("check "), "nothing is checked: {script}");
    assert_eq!(status, Some(0), "{script}\n{text}");
}

/// The script is refused with these words.
pub fn refused(script: &str, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (status, text) = ran(folder.path(), script, &[]);
    assert_ne!(status, Some(0), "{script}\n{text}");
    for word in words {
        assert!(text.contains(word), "{script}\nexpected {word:?} in\n{text}");
    }
}

const SINE: &str = "var x in -1..2\nd = sample(sin(pi*x), points: 60, name: \"y\")\n";

#[test]
fn networks_are_values_that_print_as_their_source() {
    holds(
        "net = chain(conv(8, 3), relu, pool(2), residual(chain(conv(8, 3), relu)), flatten, dense(3))\n\
         check text(net) == \"chain(conv(8, 3), relu, pool(2), residual(chain(conv(8, 3), relu)), flatten, dense(3))\"\n\
         t = summary(net, input: [1, 8, 8])\n\
         check t.output[0] == \"[3]\"\n\
         check text(mlp(width: 4, depth: 1, activation: sine(frequency: 2.0))) == \"chain(dense(4), sine(frequency: 2.0), dense(1))\"\n\
         hidden = [dense(4), tanh]\n\
         check text(chain(hidden, hidden, dense(1))) == \"chain(dense(4), tanh, dense(4), tanh, dense(1))\"\n",
    );
}

#[test]
fn a_shape_that_does_not_fit_is_told_before_training() {
    refused(
        "summary(chain(conv(8, 3), flatten, conv(4, 3)), input: [1, 8, 8])\n",
        &["P4207", "chain[2] conv(4, 3)"],
    );
    refused("chain(dense(3), relux)\n", &["relux"]);
    refused("dense(0)\n", &["P4204", "units"]);
    refused("dense(3, sise: 2)\n", &["P6003", "sise"]);
    refused(&format!("{SINE}train(dense(1), d, batch: 100)\n"), &["P4246"]);
    refused(&format!("{SINE}train(dense(1), d, optimizer: adam(rat: 0.1))\n"), &["P6003", "rat"]);
    refused(
        &format!("{SINE}train(dense(1), d, optimizer: levenberg_marquardt, loss: mae)\n"),
        &["P4250", "lbfgs"],
    );
    refused(
        &format!("{SINE}train(dense(1), d, optimizer: lbfgs, schedule: cosine)\n"),
        &["P4250", "schedule"],
    );
    refused(&format!("{SINE}train(dense(3), d)\n"), &["P4249"]);
    refused(
        "d = dataset({x: [1.0, 2.0, 3.0], c: [\"a\", \"b\", \"a\"]})\ntrain(dense(3), d, target: c)\n",
        &["P4247"],
    );
    refused("d = dataset({x: [1.0, 2.0, 1.0/0.0], y: [1.0, 2.0, 3.0]})\ntrain(dense(1), d)\n", &["expected"]);
}

#[test]
fn a_law_inside_a_network_finds_its_constants() {
    holds(
        "var t [s] in 0..10\n\
         param a [m] = 0.7\nparam g [1/s] = 0.4\nparam w [1/s] = 2.2\n\
         truth = 1.5 [m] * exp(-0.25 [1/s] * t) * cos(2 [1/s] * t)\n\
         d = sample(truth, points: 100, name: \"y\")\n\
         m = train(formula(a*exp(-g*t)*cos(w*t), inputs: [t]), d) { optimizer: levenberg_marquardt, precision: double, steps: 60 }\n\
         check evaluate(m, d).rmse < 1e-8\n\
         law = symbolic(m)\n\
         check abs(substitute(law, t, 3 [s]) - substitute(truth, t, 3 [s])) < 1e-7 [m]\n",
    );
}

#[test]
fn a_trained_network_is_an_expression_with_its_derivative() {
    holds(&format!(
        "{SINE}m = train(mlp(width: 8, depth: 2), d) {{ optimizer: lbfgs, precision: double, steps: 60, seed: 2 }}\n\
         law = symbolic(m)\n\
         p = predict(m, d)\n\
         check abs(substitute(law, x, d.x[7]) - p[7]) < 1e-10\n\
         check abs(substitute(law, x, d.x[50]) - p[50]) < 1e-10\n\
         h = 1e-4\n\
         slope = (substitute(law, x, 0.3 + h) - substitute(law, x, 0.3 - h))/(2*h)\n\
         check abs(substitute(diff(law, x), x, 0.3) - slope) < 1e-5\n"
    ));
}

#[test]
fn models_are_kept_as_files() {
    holds(&format!(
        "{SINE}m = train(mlp(width: 8), d) {{ epochs: 3, seed: 2 }}\n\
         export(m, \"m.safetensors\")\n\
         n = load(\"m.safetensors\")\n\
         check max(abs(predict(n, d) - predict(m, d))) == 0\n\
         check evaluate(n, d).loss == evaluate(m, d).loss\n\
         further = train(n, d) {{ epochs: 40 }}\n\
         check further.loss < m.loss\n"
    ));
    refused("load(\"nothing.safetensors\")\n", &["P6040"]);
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::write(folder.path().join("bad.safetensors"), b"not at all").expect("a scratch file");
    let (status, text) = ran(folder.path(), "load(\"bad.safetensors\")\n", &[]);
    assert!(status != Some(0) && text.contains("P4214"), "{text}");
}

#[test]
fn classes_units_and_a_split() {
    holds(
        "xs = [1.0*k for k in 0..99]\n\
         d = dataset({x: xs, kind: [if k < 50 then \"low\" else \"high\" for k in 0..99]})\n\
         parts = split(d, train: 0.8, seed: 1)\n\
         m = train(mlp(width: 8, depth: 1, outputs: 2), parts) { target: kind, optimizer: adam(rate: 0.05), epochs: 60, seed: 1 }\n\
         check m.classes == [\"high\", \"low\"]\n\
         check evaluate(m, parts.test).accuracy > 0.8\n\
         check predict(m, d)[0] == \"low\"\n\
         check predict(m, d)[99] == \"high\"\n\
         check length(m.history.loss) == m.epochs\n",
    );
    holds(
        "var l [m] in 1..4\n\
         d = sample(2*pi*sqrt(l/(9.81 [m/s^2])), points: 40, name: \"T\")\n\
         m = train(mlp(width: 8, depth: 1), d) { optimizer: levenberg_marquardt, precision: double, steps: 50 }\n\
         T = predict(m, d)\n\
         check abs(T[3] - d.T[3]) < 1e-3 [s]\n\
         check abs(substitute(symbolic(m), l, 2 [m]) - 2*pi*sqrt(2/9.81) [s]) < 1e-3 [s]\n",
    );
}

/// Same bytes on one and on two threads, and after an interruption.
#[test]
fn trainings_repeat_to_the_byte() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = format!(
        "{SINE}m = train(mlp(width: 16), d) {{ epochs: 30, batch: 8, optimizer: adamw, schedule: cosine, validation: 0.2, seed: 5 }}\n\
         export(m, \"m.safetensors\")\n"
    );
    let mut all = Vec::new();
    for threads in ["1", "2"] {
        let (status, text) = ran(folder.path(), &script, &["--threads", threads]);
        assert_eq!(status, Some(0), "{text}");
        all.push(fs::read(folder.path().join("m.safetensors")).expect("the model"));
    }
    assert_eq!(all[0], all[1]);
}

/// The figure that a script shows last.
fn figure(script: &str) -> Figure {
    let Ok(mut session) = Session::new(EventSink::none(), CancelToken::new()) else {
        panic!("the embedded library loads");
    };
    let mut last = None;
    let (status, told) = session.run("<test>", script, Path::new("."), &mut |v, _| last = Some(v.clone()));
    assert_eq!(status, Status::Done, "{script}: {told:?}");
    match last {
        Some(Value::Figure(figure)) => (*figure).clone(),
        other => panic!("{script}: {other:?}"),
    }
}

fn series(panel: &Panel, k: usize) -> &Series {
    match &panel.layers[k].mark {
        Mark::Series(series) => series,
        other => panic!("{other:?}"),
    }
}

/// `plot(model)`: a line of losses by epoch for training and for validation, and a mark at the best.
#[test]
fn a_model_is_drawn_as_its_history() {
    let whole = figure(&format!(
        "{SINE}m = train(mlp(width: 8), d) {{ epochs: 12, batch: 8, validation: 0.25, seed: 3 }}\nplot(m, title: \"Sine\")\n"
    ));
    assert_eq!((whole.title.as_str(), whole.panels.len()), ("Sine", 1));
    let panel = &whole.panels[0];
    assert_eq!((panel.x.name.as_str(), panel.y.name.as_str()), ("epoch", "loss"));
    assert!(panel.y.log && panel.x.whole && !panel.x.log);
    let names: Vec<&str> = panel.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names[..2], ["training", "validation"]);
    for k in 0..2 {
        let epochs: Vec<f64> = series(panel, k).points.iter().map(|p| p.0).collect();
        assert_eq!(epochs, (1..=12).map(f64::from).collect::<Vec<f64>>());
        assert!(series(panel, k).line);
    }
    let [best] = series(panel, 2).points[..] else { panic!("one mark") };
    assert!(series(panel, 2).markers && names[2] == format!("best, epoch {}", best.0));
    // It lies on the lowest point of the line of validation.
    let lowest = series(panel, 1).points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    assert!(series(panel, 1).points.contains(&best) && best.1 == lowest);
    // A loss that is not positive everywhere has a linear axis; without validation there is one line.
    let plain = figure(
        "d = dataset({x: [0.0, 1.0, 2.0, 3.0], y: [1.0, 1.0, 1.0, 1.0]})\n\
         plot(train(dense(2), d) { loss: gaussian_nll, epochs: 30, optimizer: adam(rate: 0.1), seed: 1 }, labels: [\"a\"])\n",
    );
    let panel = &plain.panels[0];
    assert_eq!((panel.layers.len(), panel.layers[0].name.as_str()), (2, "a"));
    let positive = series(panel, 0).points.iter().all(|p| p.1 > 0.0) && series(panel, 1).points[0].1 > 0.0;
    assert!(!positive && !panel.y.log);
    // Two trainings over each other.
    let both = figure(&format!(
        "{SINE}a = train(mlp(width: 4), d) {{ epochs: 1, seed: 3 }}\nb = train(mlp(width: 8), d) {{ epochs: 3, seed: 3 }}\nplot(a, b)\n"
    ));
    assert_eq!((both.panels.len(), both.panels[0].layers.len()), (1, 4));
    assert!(series(&both.panels[0], 0).markers);
    refused(
        &format!(
            "{SINE}export(train(dense(1), d) {{ steps: 1 }}, \"m.safetensors\")\nplot(load(\"m.safetensors\"))\n"
        ),
        &["P3101", "loaded from a file", "net.phys:4:6", "plot(train(model, data))"],
    );
}

/// Images whose left and right parts are of different classes, with the class of every pixel.
const MAPS: &str = "edge(k) = 1 + mod(k, 3)\n\
     kind(k, i, j) = if j < edge(k) then 0 else if i < 2 then 1 else 2\n\
     level(k, i, j) = 0.5*kind(k, i, j) + 0.05*mod(k + i*j, 3)\n\
     d = dataset({image: [[[[level(k, i, j) for j in 0..3] for i in 0..3]] for k in 0..11],\n\
     \x20            mask: [[[kind(k, i, j) for j in 0..3] for i in 0..3] for k in 0..11]})\n";

/// Segmentation: a class for every pixel is trained by cross entropy, counted, and predicted as a map.
#[test]
fn every_place_of_an_array_has_a_class() {
    let net = "chain(conv(12, 1), tanh, conv(3, 1))";
    holds(&format!(
        "{MAPS}m = train({net}, d) {{ target: mask, loss: cross_entropy, optimizer: adam(rate: 0.05), epochs: 150, batch: 4, seed: 1 }}\n\
         check evaluate(m, d).accuracy > 0.99\n\
         p = predict(m, d)\n\
         check p[0][1][0] == 0\n\
         check p[0][1][2] == 1\n\
         check p[0][3][3] == 2\n\
         check m.target == [\"mask\"]\n\
         export(m, \"m.safetensors\")\n\
         n = load(\"m.safetensors\")\n\
         check evaluate(n, d).loss == evaluate(m, d).loss\n\
         check n.stopped == \"finished\"\n\
         parts = split(d, train: 0.75, seed: 1)\n\
         turned = train({net}, parts) {{ target: mask, loss: cross_entropy, epochs: 100, optimizer: adam(rate: 0.05), seed: 1,\n\
         \x20   augment: [quarter_turns, flip_vertical, shift_pixels(most: 1)] }}\n\
         check evaluate(turned, d).accuracy > 0.99\n"
    ));
    let train = |d: &str| {
        format!("{MAPS}{d}train({net}, e) {{ target: mask, loss: cross_entropy, epochs: 1, seed: 1 }}\n")
    };
    refused(
        &train("e = with(d, mask: mask/2)\n"),
        &["P6006", "whole numbers from 0", "`mask`", "0.5", "in row 0"],
    );
    refused(&train("e = with(d, mask: mask - 1)\n"), &["P6006", "whole numbers from 0", "-1"]);
    refused(
        &train("e = with(d, mask: mask + 1)\n"),
        &["P4248", "classes from 0 to 2", "found 3", "conv(4, 1)"],
    );
    refused(&train("e = with(d, mask: mask*0)\n"), &["P4247"]);
    refused(
        &format!(
            "{MAPS}train(chain(conv(3, 1), flatten, dense(3)), d) {{ target: mask, loss: cross_entropy }}\n"
        ),
        &["P4249", "[4, 4]"],
    );
    // A class that the network does not know is no surprise of an evaluation.
    refused(
        &format!(
            "{MAPS}m = train({net}, d) {{ target: mask, loss: cross_entropy, epochs: 1, seed: 1 }}\n\
             evaluate(m, with(d, mask: mask + 1))\n"
        ),
        &["P4248", "found 3", "net.phys:7:13"],
    );
    // Rows that a function makes are checked as they come.
    refused(
        "row(k) = {x: [1.0*mod(k, 3), 2.0], y: [mod(k, if k < 1000 then 3 else 4), 0]}\n\
         train(chain(dense(6), reshape([2, 3])), row) { target: y, loss: cross_entropy, rows: 1010, batch: 1010, epochs: 1 }\n",
        &["classes from 0 to 2", "found 3"],
    );
}

/// The unit of a target changes nothing: the loss is of numbers less their mean over their deviation.
#[test]
fn the_unit_of_the_target_does_not_matter() {
    let script = |scale: &str, how: &str| {
        format!(
            "d = dataset({{x: [1.0*k for k in 0..40], y: [{scale}*sin(0.2*k) for k in 0..40]}})\n\
             m = train(mlp(width: 16), d) {{ epochs: 150, {how}, seed: 1 }}\n\
             check evaluate(m, d).r2 > 0.9\n\
             check close(evaluate(m, d).loss, m.loss, rel: 1e-6)\n\
             check m.loss < 0.1\n"
        )
    };
    for scale in ["1", "1e-9", "1e-28", "1e20"] {
        for how in [
            "optimizer: adam(rate: 0.01)",
            "optimizer: sgd(rate: 0.05)",
            "loss: huber, optimizer: adam(rate: 0.01)",
        ] {
            holds(&script(scale, how));
        }
    }
    // The same script in two units of the target trains to the same network.
    holds(
        "d = dataset({x: [1.0*k for k in 0..40], y: [sin(0.2*k) [m] for k in 0..40]})\n\
         e = dataset({x: [1.0*k for k in 0..40], y: [1000*sin(0.2*k) [mm] for k in 0..40]})\n\
         f(d) = train(mlp(width: 8), d) { epochs: 20, seed: 1 }\n\
         check close(f(d).loss, f(e).loss, rel: 1e-4)\n",
    );
}

/// Outputs stand for numbers: counts for the exponential of one, deviations for what a loss makes of them.
#[test]
fn predictions_are_means_and_deviations() {
    holds(
        "d = dataset({x: [0.1*k for k in 0..40], y: [round(exp(0.05*k)*10) for k in 0..40]})\n\
         m = train(mlp(width: 8, depth: 1), d) { loss: poisson_nll, optimizer: lbfgs, steps: 200, seed: 1, precision: double }\n\
         p = predict(m, d)\n\
         check close(p[20], d.y[20], rel: 0.15)\n\
         check evaluate(m, d).r2 > 0.98\n\
         check close(substitute(symbolic(m), x, d.x[7]), p[7], rel: 1e-9)\n",
    );
    for loss in ["gaussian_nll", "moments"] {
        holds(&format!(
            "u = observe(dataset({{x: [0.01*k for k in 0..400], y: [1.0 for _ in 0..400]}}), noise: 0.2, over: x, seed: 1).y - 1\n\
             d = dataset({{x: [0.01*k for k in 0..400], y: [(10*k + 1000*u[k]) [mm] for k in 0..400]}})\n\
             m = train(mlp(width: 8, depth: 1, outputs: 2), d) {{ loss: {loss}, optimizer: lbfgs, steps: 200, seed: 1, precision: double }}\n\
             p = predict(m, d)\n\
             check abs(mean(p.y_deviation) - 0.2 [m]) < 0.04 [m]\n\
             check abs(p.y[200] - 2 [m]) < 0.15 [m]\n\
             both = symbolic(m)\n\
             check abs(substitute(both[1], x, d.x[9]) - p.y_deviation[9]) < 1e-9 [m]\n"
        ));
    }
}

/// The kept weights have the loss that the model tells, whatever the last step did.
#[test]
fn the_loss_told_is_that_of_the_weights_kept() {
    for (options, low) in [
        ("epochs: 200, optimizer: sgd(rate: 3.0)", false),
        ("epochs: 30, optimizer: adam(rate: 0.3), batch: 7", true),
        ("epochs: 30, optimizer: adam(rate: 0.01), average: 0.9", true),
    ] {
        holds(&format!(
            "d = dataset({{x: [1.0*k for k in 0..99], y: [sin(0.1*k) for k in 0..99]}})\n\
             m = train(mlp(width: 8, activation: relu), d) {{ {options}, seed: 1 }}\n\
             check close(evaluate(m, d).loss, m.loss, rel: 1e-5)\n\
             check m.loss < {}\n",
            if low { 1.0 } else { 1e6 }
        ));
    }
    // Normalisation by batch statistics computes something else in training: weights are judged as they are used.
    holds(
        "d = dataset({x: [1.0*k for k in 0..23], y: [sin(0.3*k) for k in 0..23]})\n\
         m = train(chain(dense(8), batch_norm, relu, dense(1)), d) { steps: 1, batch: 24, optimizer: sgd(rate: 0.1), clip: 0.05, seed: 1 }\n\
         check close(evaluate(m, d).loss, m.loss, rel: 1e-5)\n",
    );
    // Further training never ends worse than it began.
    holds(
        "var x in -1..2\n\
         d = sample(sin(pi*x), points: 60, name: \"y\")\n\
         m = train(mlp(width: 8, depth: 1), d) { optimizer: levenberg_marquardt, precision: double, steps: 30, seed: 1 }\n\
         n = train(m, d) { optimizer: adam(rate: 0.1), epochs: 2, seed: 1 }\n\
         check n.loss <= m.loss*(1 + 1e-9)\n",
    );
}

#[test]
fn what_cannot_be_trained_is_told() {
    refused("d = dataset({x: [1.0, 2], y: [1.0, 2]})\ntrain(relu, d)\n", &["P4207", "weights to train"]);
    refused(
        "d = dataset({x: [1.0*k for k in 0..99999], y: [1.0*k for k in 0..99999]})\n\
         train(mlp(width: 1000), d) { optimizer: levenberg_marquardt, steps: 2 }\n",
        &["P4250", "100000 residuals", "lbfgs"],
    );
    refused(
        "d = dataset({x: [1.0, 2], y: [1.0, 2]})\ntrain(mlp(width: 46000, depth: 3), d)\n",
        &["P4207", "at most"],
    );
    // Dates in seconds are too fine for single precision.
    holds(
        "d = dataset({t: [1.7e9 + k for k in 0..50], y: [sin(0.1*k) for k in 0..50]})\n\
         m = train(mlp(width: 16, depth: 1), d) { optimizer: lbfgs, steps: 300, precision: double, seed: 1 }\n\
         check evaluate(m, d).r2 > 0.99\n",
    );
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = "d = dataset({t: [1.7e9 + k for k in 0..50], y: [sin(0.1*k) for k in 0..50]})\n\
                  m = train(mlp(width: 16, depth: 1), d) { epochs: 2, seed: 1 }\n";
    let (status, text) = ran(folder.path(), script, &[]);
    assert!(status == Some(0) && text.contains("P4258") && text.contains("precision: double"), "{text}");
    // A function that fails later keeps what was learned.
    let script = "f(k) = if k < 1500 then {x: 1.0*mod(k, 10), y: 2.0*mod(k, 10)} else {x: 1/0, y: 1.0}\n\
                  m = train(dense(1), f) { target: y, rows: 100, epochs: 30, seed: 1 }\n\
                  check m.steps > 20\n";
    let (status, text) = ran(folder.path(), script, &[]);
    assert!(status == Some(0) && text.contains("P4252"), "{text}");
}

/// Means and deviations are those of the rows to train on.
#[test]
fn rows_set_apart_do_not_normalise() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = "d = dataset({x: [1.0*k for k in 0..99], y: [2.0*k for k in 0..99]})\n\
                  m = train(dense(1), d) { validation: 0.3, epochs: 1, seed: 1 }\n\
                  print(m.network)\n";
    let (status, text) = ran(folder.path(), script, &[]);
    assert!(status == Some(0) && text.contains("normalise(") && !text.contains("49.5"), "{text}");
}

#[test]
fn rows_of_different_lengths_are_trained_kept_and_used() {
    holds(
        "cloud(k) = {x: [[sin(1.0*k*j), cos(2.0*k*j)] for j in 0..mod(k, 5)], n: mod(k, 5) + 1}\n\
         d = dataset(cloud, rows: 50)\n\
         parts = split(d, train: 0.8, seed: 1)\n\
         net = chain(dense(8), position(kind: sinusoidal), transformer_block(2), gru(4, sequence: false), dense(1))\n\
         m = train(net, parts) { optimizer: adam(rate: 0.01), epochs: 5, augment: [pixel_noise(sigma: 0.01)], seed: 1 }\n\
         export(m, \"m.safetensors\")\n\
         n = load(\"m.safetensors\")\n\
         check max(abs(predict(n, d) - predict(m, d))) == 0\n\
         longer = dataset({x: [[[0.1*j, 0.2] for j in 0..20], [[1, 2]]], n: [21, 1]})\n\
         check abs(predict(n, longer)[1] - predict(m, longer[1..1])[0]) < 1e-5\n\
         check train(n, longer) { epochs: 1, batch: 2 }.epochs == 1\n\
         g = train(chain(dense(4), tanh, global_pool(kind: sum), dense(1)), cloud) { rows: 60, epochs: 40, batch: 10, optimizer: adam(rate: 0.05), seed: 1 }\n\
         check evaluate(g, d).rmse < 0.5\n",
    );
    let sets = "d = dataset({x: [[[1, 2]], [[3, 4], [5, 6]]], y: [1, 2]})\n";
    refused(
        &format!("{sets}train(chain(dense(4), flatten, dense(1)), d)\n"),
        &["P4217", "flatten", "global_pool"],
    );
    refused(&format!("{sets}train(chain(dense(4), dense(1)), d)\n"), &["P4249", "global_pool"]);
    refused(&format!("{sets}train(deep_set(dense(2), dense(1)), d) {{ shape: [2, 2] }}\n"), &["one length"]);
    refused(&format!("{sets}train(average, d) {{ augment: [flip_vertical], batch: 2 }}\n"), &["[..2, 2]"]);
    refused(
        &format!(
            "{sets}m = train(chain(position, average, dense(1)), d) {{ epochs: 1, batch: 2 }}\n\
                  predict(m, dataset({{x: [[[1, 2], [1, 2], [1, 2]]]}}))\n"
        ),
        &["P4218", "at most 2 elements"],
    );
    refused(
        &format!("{sets}m = train(chain(average, dense(1)), d) {{ epochs: 1, batch: 2 }}\nsymbolic(m)\n"),
        &["arrays"],
    );
}
