//! Networks in the language: what users of PyTorch and Lightning expect of declaring, training, keeping and using them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{phys, run_with};

/// Runs a script in a folder.
fn ran(folder: &Path, script: &str, options: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("net.phys"), script).expect("a scratch file");
    let mut command = phys();
    command.current_dir(folder).args(["run", "--quiet"]).args(options).arg("net.phys");
    let ran = run_with(command, None, Duration::from_secs(300));
    (ran.status, ran.stdout + &ran.stderr)
}

/// Everything the script checks holds.
fn holds(script: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (status, text) = ran(folder.path(), script, &[]);
    assert!(script.contains("check "), "nothing is checked: {script}");
    assert_eq!(status, Some(0), "{script}\n{text}");
}

/// The script is refused with these words.
fn refused(script: &str, words: &[&str]) {
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
