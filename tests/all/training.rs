//! What a training promises about its columns, options and results: units and names count, what makes no sense is told
//! before anything is computed, and what was trained can be read, predicted with and taken up again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::networks::{holds, ran, refused};
use crate::support::{phys, run_with};

/// Told, and no fault.
fn tells(script: &str, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (status, text) = ran(folder.path(), script, &[]);
    assert_eq!(status, Some(0), "{script}\n{text}");
    for word in words {
        assert!(text.contains(word), "{script}\nexpected {word:?} in\n{text}");
    }
}

/// A column of lengths and one of times.
const UNITS: &str = "d = dataset({x: [1 [m], 2 [m], 3 [m]], y: [1 [s], 2 [s], 3 [s]]})\n\
     m = train(dense(1), d) { optimizer: lbfgs, precision: double, steps: 30 }\n";

/// A model reads columns of the dimensions that it was trained with, in any unit of these.
#[test]
fn units_of_columns_are_those_of_the_training() {
    holds(&format!(
        "{UNITS}p = predict(m, dataset({{x: [0.001 [km], 0.003 [km]]}}))\n\
         check abs(p[1] - 3 [s]) < 1e-6 [s]\n\
         check abs(evaluate(m, dataset({{x: [100 [cm], 200 [cm]], y: [1000 [ms], 2000 [ms]]}})).rmse) < 1e-6\n"
    ));
    let other = "e = dataset({x: [1 [kg], 2 [kg], 3 [kg]], y: [1 [s], 2 [s], 3 [s]]})\n";
    for (line, words) in [
        ("predict(m, e)\n", ["P6021", "`x` in [m]", "in [kg]", "net.phys:4:12"]),
        ("evaluate(m, e)\n", ["P6021", "`x` in [m]", "in [kg]", "net.phys:4:13"]),
        ("train(m, e) { steps: 1 }\n", ["P6021", "`x` in [m]", "in [kg]", "net.phys:4:10"]),
        (
            "train(dense(1), {train: d, validation: e}) { steps: 1 }\n",
            ["P6021", "`x` in [m]", "in [kg]", "net.phys:4:17"],
        ),
        ("predict(m, dataset({x: [1, 2]}))\n", ["P6021", "`x` in [m]", "without a unit", "x*(1 [m])"]),
        (
            "evaluate(m, dataset({x: [1 [m]], y: [1 [kg]]}))\n",
            ["P6021", "`y` in [s]", "in [kg]", "net.phys:4:13"],
        ),
        (
            "train(m, with(e, z: x)) { inputs: z, steps: 1 }\n",
            ["P6021", "in [m] in place of `x`", "`z` in [kg]", "net.phys:4:35"],
        ),
    ] {
        refused(&format!("{UNITS}{other}{line}"), &words);
    }
    refused(
        "d = dataset({x: [1, 2, 3], y: [1, 2, 3]})\nm = train(dense(1), d) { steps: 1 }\n\
         predict(m, dataset({x: [1 [m]]}))\n",
        &["P6021", "`x` without a unit", "in [m]", "x/(1 [m])"],
    );
    // What is refused can be mended as the hint says.
    holds(&format!(
        "{UNITS}e = dataset({{x: [1, 2]}})\ncheck length(predict(m, with(e, x: x*(1 [m])))) == 2\n"
    ));
}

/// Inputs of a law are the columns of their names, whatever the order of the columns.
#[test]
fn a_law_reads_the_columns_of_its_names() {
    let data = "var x [m]\nvar t [s]\nparam v [m/s] = 2\n\
                d = dataset({t: [1 [s], 2 [s], 3 [s]], x: [1 [m], 5 [m], 2 [m]], q: [4 [m], 11 [m], 11 [m]]})\n";
    let law = "formula(x + v*t, inputs: [x, t])";
    for network in [law.to_string(), format!("chain({law})"), format!("parallel({law}, merge: add)")] {
        holds(&format!(
            "{data}m = train({network}, d) {{ target: q, optimizer: levenberg_marquardt, precision: double, steps: 30 }}\n\
             check m.inputs == [\"x\", \"t\"]\n\
             check evaluate(m, d).rmse < 1e-9\n\
             check close(m.params.v, 3 [m/s], rel: 1e-9)\n\
             check abs(substitute(substitute(symbolic(m), x, 1 [m]), t, 1 [s]) - 4 [m]) < 1e-8 [m]\n"
        ));
    }
    holds(&format!(
        "{data}m = train({law}, d) {{ target: q, inputs: [x, t], optimizer: levenberg_marquardt, precision: double, steps: 9 }}\n\
         check m.inputs == [\"x\", \"t\"]\n"
    ));
    let train =
        |law: &str, options: &str| format!("{data}train({law}, d) {{ target: q, steps: 1, {options} }}\n");
    refused(&train(law, "inputs: [t, x]"), &["P6006", "in its order, x, t", "found t, x", "inputs: [x, t]"]);
    // Columns of other names are bound by their places, with the units that were declared.
    refused(
        &format!("{data}train({law}, rename(d, s: x)) {{ target: q, steps: 1 }}\n"),
        &["P6021", "`t` in [s]"],
    );
    refused(&train("formula(x*t, inputs: [x, t])", ""), &["P6021", "`q` in [m]", "[m*s]", "param k"]);
    refused(&train("formula(v*t, inputs: [t])", "inputs: [x]"), &["P6006", "in its order, t", "found x"]);
    // More columns than the law reads.
    refused(&train("formula(v*t, inputs: [t])", ""), &["P4207", "1 feature (t)", "found [2]", "inputs: [t]"]);
    holds(&format!(
        "{data}m = train(formula(v*t, inputs: [t]), d) {{ target: q, inputs: t, optimizer: lbfgs, precision: double }}\n\
         check m.inputs == [\"t\"]\n"
    ));
    refused(
        &train("chain(dense(3), formula(v*t, inputs: [t]))", ""),
        &["P4207", "1 feature (t)", "found [3]", "dense(1)"],
    );
    refused(
        "var x\nparam a = 1\nsummary(formula(a*x, inputs: [x]), input: [5])\n",
        &["P4207", "1 feature (x)"],
    );
    // A law that is written to a file is read back with all that it says.
    holds(&format!(
        "{data}m = train({law}, d) {{ target: q, optimizer: levenberg_marquardt, precision: double, steps: 30 }}\n\
         export(m, \"m.safetensors\")\nn = load(\"m.safetensors\")\n\
         check n.params.v == m.params.v\n\
         check text(n.network) == text(m.network)\n"
    ));
}

#[test]
fn what_stands_between_training_and_its_file_is_found_before() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = |path: &str| {
        format!(
            "print(\"began\")\nd = dataset({{x: [1, 2, 3], y: [1, 2, 3]}})\nm = train(dense(1), d)\nexport(m, \"{path}\")\n"
        )
    };
    for (path, words) in [("m.pt", ["P6040", "`.pt`"]), ("absent/m.safetensors", ["P3018", "absent"])] {
        let (status, text) = ran(folder.path(), &script(path), &[]);
        assert_eq!(status, Some(2), "{text}");
        assert!(
            !text.contains("began") && text.contains(words[1]) && text.contains("net.phys:4:11"),
            "{text}"
        );
    }
    assert_eq!(ran(folder.path(), &script("m.safetensors"), &[]).0, Some(0));
    // A network so deep that it could not be read back.
    let deep = "d = dataset({x: [1, 2, 3], y: [1, 2, 3]})\nnest(n) = if n == 0 then dense(1) else chain(nest(n - 1))\n";
    refused(
        &format!("{deep}train(nest(300), d) {{ steps: 1 }}\n"),
        &["P4207", "at most 256 deep", "found 30"],
    );
    holds(&format!(
        "{deep}m = train(nest(250), d) {{ steps: 1 }}\nexport(m, \"m.safetensors\")\n\
         check predict(load(\"m.safetensors\"), d)[0] == predict(m, d)[0]\n"
    ));
}

/// A bit that flips in a file of weights is noticed, wherever it is; so is a weight that is no number.
#[test]
fn files_of_weights_have_a_checksum() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = "d = dataset({x: [1, 2, 3], y: [1, 2, 3]})\nm = train(mlp(width: 3), d) { steps: 2, seed: 1 }\n\
                  export(m, \"m.safetensors\")\n";
    let (status, text) = ran(folder.path(), script, &[]);
    assert_eq!(status, Some(0), "{text}");
    let bytes = fs::read(folder.path().join("m.safetensors")).expect("the model");
    let head =
        8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().expect("eight"))).expect("a size");
    let load = "load(\"b.safetensors\")\n";
    for place in [head, head + 7, (head + bytes.len()) / 2, bytes.len() - 1] {
        let mut other = bytes.clone();
        other[place] ^= 1;
        fs::write(folder.path().join("b.safetensors"), other).expect("a scratch file");
        let (status, text) = ran(folder.path(), load, &[]);
        assert!(status == Some(1) && text.contains("P4214") && text.contains("changed"), "{place}: {text}");
    }
    // A file of an earlier version has none: its numbers are looked at.
    let mut other = bytes.clone();
    let at = bytes.windows(6).position(|w| w == b"sha256").expect("a checksum");
    other[at] = b'x';
    fs::write(folder.path().join("b.safetensors"), &other).expect("a scratch file");
    assert_eq!(ran(folder.path(), load, &[]).0, Some(0));
    other[head..head + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(folder.path().join("b.safetensors"), &other).expect("a scratch file");
    let (status, text) = ran(folder.path(), load, &[]);
    assert!(status == Some(1) && text.contains("P4214") && text.contains("NaN"), "{text}");
}

/// Tokens: a vocabulary may hold more than the sequences do, and sequences may be columns of arrays.
#[test]
fn a_vocabulary_may_hold_tokens_that_never_come() {
    let data = "f(k) = {src: [mod(k, 5) + 1, mod(k + 1, 5) + 1], a: [0, mod(k, 5) + 1, mod(k + 1, 5) + 1],\n\
                \x20       b: [mod(k, 5) + 1, mod(k + 1, 5) + 1, 6]}\n\
                d = dataset(f, rows: 20)\n\
                m = train(encoder_decoder(vocabulary: 9, width: 16, depth: 1, heads: 2), d) { epochs: 120, target: b, inputs: a,\n\
                \x20   second: src, loss: cross_entropy, optimizer: adam(rate: 0.01), seed: 1 }\n";
    holds(&format!(
        "{data}check evaluate(m, d).accuracy > 0.9\n\
         g = generate(m, head(d, 3), first: 0, last: 6)\n\
         check length(g) == 3\n\
         check g[0][0] == d.src[0][0]\n"
    ));
    let few = data.replace("epochs: 120", "epochs: 1");
    for (options, words) in [
        ("first: 0, last: 99", ["P6006", "from 0 to 8 for `last`", "found 99"]),
        ("first: 9, last: 6", ["P6006", "from 0 to 8 for `first`", "found 9"]),
        ("first: 0, last: 6, temperature: 1, top: 0", ["P6006", "`top`", "found 0"]),
    ] {
        refused(&format!("{few}generate(m, d, {options})\n"), &words);
    }
    // Classes of rows are another matter.
    refused(
        "d = dataset({x: [1.0, 2, 3], c: [\"a\", \"b\", \"a\"]})\ntrain(dense(3), d)\n",
        &["P4247", "class 2"],
    );
}

/// What is accepted means something.
#[test]
fn options_that_make_no_sense_are_refused() {
    let data = "d = dataset({x: [1, 2, 3, 4], z: [4, 3, 2, 1], y: [1, 2, 3, 4]})\n\
                c = dataset({x: [1, 2, 3, 4, 5, 6], kind: [\"a\", \"b\", \"c\", \"a\", \"b\", \"c\"]})\n\
                w = dataset({x: [1, 2, 3, 4], kind: [\"\", \"\", \"\", \"\"]})\n\
                n = dataset({x: [1, 2, 3, 4], k: [1, 0, -2, 3]})\n\
                h = dataset({x: [1, 2, 3, 4], k: [0.5, 0, 1, 3]})\n";
    for (line, words) in [
        ("train(dense(1), d) { validation: -0.2 }", ["P4251", "from 0 to below 1", "found -0.2"]),
        ("train(dense(1), d) { inputs: [x, y] }", ["P6006", "the target `y` among them", "inputs: [x, z]"]),
        ("train(dense(1), d) { inputs: y }", ["P6006", "the target `y` among them", "inputs:"]),
        ("train(dense(1), d) { inputs: [x, x] }", ["P6006", "`x` twice", "inputs: [x]"]),
        ("train(dense(2), d) { target: [y, y] }", ["P6006", "`y` twice", "target: [y]"]),
        (
            "train(dense(1), {train: d, validation: filter(d, x > 9)})",
            ["P6006", "rows to validate with", "without rows"],
        ),
        (
            "train(dense(1), split(d, train: 0.5, validation: 0.25, seed: 1)) { validation: 0.3 }",
            ["P6006", "found both", "leave one out"],
        ),
        ("train(dense(2), w)", ["P6006", "at least two classes in `kind`", "alone"]),
        (
            "train(dense(1), c) { loss: binary_cross_entropy }",
            ["P6006", "two classes for binary_cross_entropy", "found 3 (a, b, c)"],
        ),
        (
            "train(dense(1), h) { loss: binary_cross_entropy }",
            ["P6006", "whole numbers or words", "found 0.5 in row 0"],
        ),
        (
            "train(dense(3), h) { loss: cross_entropy }",
            ["P6006", "whole numbers or words", "found 0.5 in row 0"],
        ),
        ("train(dense(1), d) { work: 0 }", ["P4251", "`work`", "found 0"]),
        (
            "train(dense(1), d) { epochs: 30, average_from: 100 }",
            ["P4251", "`average_from`", "100 of 30 epochs"],
        ),
        ("train(dense(1), d) { time: 1 [s], schedule: cosine }", ["P4250", "cosine", "a time alone"]),
        ("mlp(depth: -5)", ["P6006", "`depth`", "found -5"]),
        ("mlp(outputs: 0)", ["P4204", "in `mlp`", "net.phys:6:1"]),
        ("train(dense(1), n) { loss: poisson_nll }", ["P6006", "counts", "found -2 in row 2"]),
        ("train(dense(1), c) { loss: mse }", ["P6006", "numbers for mse in `kind`", "found text"]),
        ("dense(10^12)", ["P4204", "from 1 to 16777216", "1000000000000"]),
    ] {
        refused(&format!("{data}{line}\n"), &words);
    }
    // A network that gives back what it reads is one; `split` without validation is one.
    holds(&format!(
        "{data}m = train(chain(dense(1), dense(2)), d) {{ inputs: [x, z], target: [x, z], steps: 2 }}\n\
         check m.target == [\"x\", \"z\"]\n\
         n = train(dense(1), split(d, train: 0.5, seed: 1)) {{ validation: 0.5 }}\n\
         check n.epochs == 20\n"
    ));
}

/// What may be meant is done, and told.
#[test]
fn what_may_be_meant_is_told() {
    let data = "d = dataset({x: [1.0*k for k in 0..19], y: [sin(0.3*k) for k in 0..19]})\n";
    for (options, words) in [
        ("optimizer: lbfgs, batch: 8, steps: 2", ["P4259", "other rows"]),
        ("optimizer: levenberg_marquardt, batch: 8, steps: 2", ["P4259", "other rows"]),
    ] {
        tells(&format!("{data}m = train(mlp(width: 3), d) {{ {options} }}\n"), &words);
    }
    tells(
        &format!(
            "{data}m = train(chain(dense(4), dropout(0.2), dense(1)), d) {{ optimizer: lbfgs, steps: 2 }}\n"
        ),
        &["P4259", "dropout"],
    );
    tells(
        "d = dataset({x: [1, 2, 3], y: [1 ± 0.1, 2 ± 0.2, 3 ± 0.1]})\nm = train(dense(1), d) { steps: 1 }\n",
        &["P4260", "`y`", "weights: w"],
    );
}

/// Help names what the language has.
#[test]
fn help_names_what_there_is() {
    let data = "d = dataset({x: [1.0, 2, 3, 4], y: [1.0, 2, 3, 4]})\n";
    for (line, words) in [
        ("shift_pixels(most: 0)", vec!["P4242", "shift_pixels(most: 2)"]),
        ("pixel_noise(sigma: -1)", vec!["P4242", "pixel_noise(sigma: 0.01)"]),
        ("step_decay(every: 0)", vec!["P4242", "step_decay(every: 30)"]),
        ("quantile_loss(q: 2)", vec!["P4242", "quantile_loss(q: 0.5)"]),
        ("train(dense(1), d, optimizer: lbfgs, schedule: cosine)", vec!["P4250", "schedule: constant_rate"]),
        ("train(dense(1), d, time: 0 [s])", vec!["P4251", "time: 60 [s]"]),
        ("chain(conv2d(3, 3), relu)", vec!["did you mean `conv`?"]),
        ("chain(linear(3), relu)", vec!["did you mean `dense`?"]),
        ("chain(dense(3), swish)", vec!["`swish`", "silu"]),
        ("chain(dense(3), batchnorm)", vec!["`batchnorm`", "batch_norm"]),
        ("chain(maxpool(2))", vec!["did you mean `pool`?"]),
        ("adam(learning_rate: 0.1)", vec!["did you mean `rate`?"]),
        ("adam(lr: 0.1)", vec!["did you mean `rate`?"]),
        ("train(dense(1), d, batch_size: 2)", vec!["did you mean `batch`?"]),
        ("train(dense(1), d, learning_rate: 0.1)", vec!["optimizer: adam(rate: 0.001)"]),
        ("summary(chain(conv(3, 3), pool(2)), input: [1, 7, 7])", vec!["P4208", "pool(2, stride: 2)"]),
        ("predict(train(dense(1), d), filter(d, x > 9))", vec!["P4244", "at least one row"]),
        (
            "predict(train(dense(1), d), dataset({x: [\"a\", \"b\"]}))",
            vec!["P6006", "text in `x`", "leave it out"],
        ),
    ] {
        refused(&format!("{data}{line}\n"), &words);
    }
    // Rows count from 0, as indices do.
    refused(
        "d = dataset({x: [1.0, 2, 3], c: [\"a\", \"b\", \"a\"]})\nm = train(dense(2), d) { epochs: 1 }\n\
         evaluate(m, dataset({x: [1.0, 2], c: [\"a\", \"z\"]}))\n",
        &["found `z` in row 1"],
    );
    // A bad cell makes a column one of texts.
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::write(folder.path().join("d.csv"), "x,w,y\n1,2,3\n2,oops,5\n3,4,7\n").expect("a scratch file");
    for (script, name) in [("train(dense(1), d)", "`w`"), ("train(dense(1), d) { target: w }", "`w`")] {
        let (status, text) = ran(folder.path(), &format!("d = read(\"d.csv\")\n{script}\n"), &[]);
        assert!(status != Some(0) && text.contains(name), "{text}");
        assert!(text.contains("`oops` in row 1") || text.contains("found `oops`"), "{text}");
    }
    // Arrays and numbers are two inputs.
    refused(
        "d = dataset({a: [1, 2], p: [[[1, 2], [3, 4]], [[1, 2], [3, 4]]], y: [1, 2]})\n\
         train(chain(flatten, dense(1)), d) { target: y }\n",
        &["P6006", "expected one input", "the arrays `p`", "the numbers `a`", "inputs: p", "`second`"],
    );
}

/// Classes come back as they were given, with probabilities that add up to one.
#[test]
fn classes_come_back_as_they_were_given() {
    let classes =
        "d = dataset({x: [1.0*k for k in 0..39], kind: [if k < 20 then 3 else 7 for k in 0..39]})\n";
    for (network, loss) in [("dense(2)", "cross_entropy"), ("dense(1)", "binary_cross_entropy")] {
        holds(&format!(
            "{classes}m = train({network}, d) {{ loss: {loss}, optimizer: lbfgs, steps: 60, metrics: [accuracy, auc], seed: 1 }}\n\
             p = predict(m, d)\n\
             check p[0] == 3\n\
             check p[39] == 7\n\
             check mean(p) == 5\n\
             check m.classes == [3, 7]\n\
             q = predict(m, d, probabilities: true)\n\
             check max(abs(q.kind_3 + q.kind_7 - 1)) < 1e-6\n\
             check q.kind_3[0] > 0.5\n\
             check q.kind_7[39] > 0.5\n\
             check evaluate(m, d).auc == 1\n\
             export(m, \"m.safetensors\")\n\
             check predict(load(\"m.safetensors\"), d)[39] == 7\n"
        ));
    }
    holds(
        "d = dataset({x: [1.0*k for k in 0..39], kind: [if k < 20 then \"low\" else if k < 30 then \"mid\" else \"top\" for k in 0..39]})\n\
         m = train(dense(3), d) { optimizer: lbfgs, seed: 1 }\n\
         q = predict(m, d, probabilities: true)\n\
         check abs(q.low[3] + q.mid[3] + q.top[3] - 1) < 1e-6\n\
         check predict(m, {x: 39.0}) == \"top\"\n\
         check predict(m, {x: 39.0}, probabilities: true).top > 0.5\n",
    );
    refused(
        "d = dataset({x: [1.0, 2, 3], c: [\"a\", \"b\", \"c\"]})\ntrain(dense(3), d) { metrics: [auc] }\n",
        &["P6006", "two classes for `auc`"],
    );
    refused(
        "d = dataset({x: [1.0, 2], y: [1.0, 2]})\npredict(train(dense(1), d), d, probabilities: true)\n",
        &["P6006", "a model of classes"],
    );
}

/// A point is a row: what is predicted for it is what is predicted for the rows, one by one.
#[test]
fn a_record_is_one_row() {
    holds(&format!(
        "{UNITS}p = predict(m, d)\n\
         check close(predict(m, {{x: 2 [m]}}), p[1], rel: 1e-9)\n\
         check close(predict(m, {{x: 300 [cm]}}), p[2], rel: 1e-9)\n\
         e = dataset({{x: [1.0, 2, 3], a: [1.0, 2, 3], b: [3.0, 2, 1]}})\n\
         n = train(dense(2), e) {{ target: [a, b], steps: 3 }}\n\
         check close(predict(n, {{x: 2.0}}).b, predict(n, e).b[1], rel: 1e-5)\n\
         var x\n\
         check predict(3*x^2, {{x: 2}}) == 12\n"
    ));
    refused(&format!("{UNITS}predict(m, {{x: 2 [kg]}})\n"), &["P6021", "`x` in [m]"]);
    refused(&format!("{UNITS}predict(m, {{z: 2 [m]}})\n"), &["`z`"]);
    refused(&format!("{UNITS}predict(m, 3)\n"), &["P6006"]);
}

#[test]
fn a_model_tells_its_last_weights() {
    let data = "d = dataset({x: [1.0*k for k in 0..19], y: [sin(0.3*k) for k in 0..19]})\n";
    holds(&format!(
        "{data}m = train(chain(dense(3), tanh, dense(1)), d) {{ epochs: 30, optimizer: sgd(rate: 1.0), seed: 1 }}\n\
         check evaluate(m.last, d).loss >= evaluate(m, d).loss\n\
         check m.last.best_epoch == m.epochs\n\
         w = m.weights\n\
         check length(w) == 4\n\
         check w[0].sizes == [3, 1]\n\
         check length(w[0].values) == 3\n"
    ));
    // The weights are those that compute.
    holds(
        "d = dataset({x: [1.0, 2, 3], y: [2.0, 4, 6]})\n\
         m = train(dense(1), d) { normalise: false, steps: 5, precision: double, seed: 1 }\n\
         w = m.weights[0].values[0][0]\n\
         b = m.weights[1].values[0]\n\
         check close(predict(m, d)[1], 2*w + b, rel: 1e-12)\n",
    );
}

/// Lengths: what nobody asked for, and what bounds alone say.
#[test]
fn lengths_and_bounds() {
    let data = "d = dataset({x: [1.0*k for k in 0..19], y: [sin(0.3*k) for k in 0..19]})\n";
    holds(&format!(
        "{data}check train(mlp(width: 3), d).epochs == 20\n\
         m = train(mlp(width: 3), d) {{ optimizer: lbfgs, precision: double, seed: 1 }}\n\
         check m.steps <= 200\n\
         check m.steps > 20\n\
         n = train(mlp(width: 3), d) {{ work: 45 }}\n\
         check n.steps == 45\n\
         check n.stopped == \"work\"\n\
         q = train(mlp(width: 3), d) {{ time: 0.3 [s] }}\n\
         check q.stopped == \"time\"\n\
         check q.epochs > 20\n\
         check train(mlp, d).parameters == train(mlp(), d).parameters\n"
    ));
    // An option of a trial takes the place of its rival.
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script =
        format!("{data}m = train(mlp(width: 3), d) {{ epochs: 500, smoke: {{steps: 2}} }}\nprint(m.steps)\n");
    let (status, text) = ran(folder.path(), &script, &["--smoke"]);
    assert!(status == Some(0) && text.lines().any(|l| l.trim() == "2"), "{text}");
    // A plateau does not fall to nothing.
    holds(&format!(
        "{data}m = train(dense(1), d) {{ epochs: 300, optimizer: adam(rate: 1e-3), schedule: plateau(patience: 1, tolerance: 0.9), seed: 1 }}\n\
         check m.history.rate[-1] >= 1e-9*0.999\n"
    ));
}

#[test]
fn a_summary_is_seen_as_a_table() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for line in ["summary(mlp(width: 4), input: [2])\n", "print(summary(mlp(width: 4), input: [2]))\n"] {
        let (status, text) = ran(folder.path(), line, &[]);
        assert_eq!(status, Some(0), "{text}");
        for word in ["layer", "multiply_adds", "dense(4)", "tanh", "37"] {
            assert!(text.contains(word), "{line}: {text}");
        }
    }
    // All of it, and still a dataset.
    holds(
        "t = summary(resnet(blocks: 3), input: [3, 32, 32])\n\
         check length(t.layer) > 60\n\
         check t.parameters[0] == 272474\n\
         check length(filter(t, parameters > 1000).layer) > 3\n\
         check summary(cnn(), input: [1, 28, 28]).output[0] == \"[10]\"\n",
    );
    let (_, text) = ran(folder.path(), "summary(resnet(blocks: 3), input: [3, 32, 32])\n", &[]);
    assert!(text.lines().count() > 60 && !text.contains("more rows"), "{text}");
}

/// A run of a training is the same as itself, and not as another.
#[test]
fn runs_of_trainings_are_compared() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = |args: &[&str]| {
        let mut command = phys();
        command.current_dir(folder.path()).args(args);
        let ran = run_with(command, None, Duration::from_secs(120));
        (ran.status, ran.stdout + &ran.stderr)
    };
    let script = |epochs: u32| {
        format!(
            "d = dataset({{x: [1, 2, 3], y: [1, 2, 3]}})\nm = train(dense(1), d) {{ epochs: {epochs}, seed: 1 }}\nm\n"
        )
    };
    let mut runs = Vec::new();
    for (name, epochs) in [("a", 2), ("b", 2), ("c", 3)] {
        fs::write(folder.path().join("t.phys"), script(epochs)).expect("a scratch file");
        let (status, text) = at(&["run", "--runs", name, "t.phys"]);
        assert_eq!(status, Some(0), "{text}");
        runs.push(newest(&folder.path().join(name)));
    }
    for (a, b, wanted) in [(0, 0, 0), (0, 1, 0), (0, 2, 1)] {
        let (status, text) = at(&["diff", &runs[a], &runs[b]]);
        assert_eq!(status, Some(wanted), "{text}");
        assert!(!text.contains("(none)"), "{text}");
    }
}

/// A fault behind a training costs no training: the mended script takes over what is computed alike.
#[test]
fn a_mended_script_takes_over_what_is_computed_alike() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = |args: &[&str]| {
        let mut command = phys();
        command.current_dir(folder.path()).args(args);
        let ran = run_with(command, None, Duration::from_secs(120));
        (ran.status, ran.stdout + &ran.stderr)
    };
    let script = |epochs: u32, last: &str| {
        let text = format!(
            "d = dataset({{x: [1, 2, 3], y: [1, 2, 3]}})\nm = train(dense(1), d) {{ epochs: 4, seed: 1 }}\n\
             n = train(dense(1), d) {{ epochs: {epochs}, seed: 2 }}\n{last}\n"
        );
        fs::write(folder.path().join("t.phys"), text).expect("a scratch file");
    };
    script(2, "f(k) = k\nexport(m, f(\"m.pt\"))");
    let (status, text) = at(&["run", "--runs", "runs", "t.phys"]);
    assert!(status == Some(1) && text.contains("P6040"), "{text}");
    let run = newest(&folder.path().join("runs"));
    // The same trainings: both are taken over into a run of its own.
    script(2, "export(m, \"m.safetensors\")\nm.loss\nn.loss");
    let (status, text) = at(&["run", "t.phys", "--resume", &run]);
    assert!(status == Some(0) && text.contains("P8012") && !text.contains("begins anew"), "{text}");
    assert_eq!(fs::read_dir(folder.path().join("runs/t")).expect("runs").count(), 2);
    // Another one begins anew, and is said to.
    script(3, "m.loss\nn.loss");
    let (status, text) = at(&["run", "t.phys", "--resume", &run]);
    assert!(status == Some(0) && text.matches("begins anew").count() == 1, "{text}");
    let fresh = at(&["run", "--no-record", "t.phys"]).1;
    let values =
        |text: &str| text.lines().filter(|l| l.parse::<f64>().is_ok()).map(String::from).collect::<Vec<_>>();
    assert_eq!(values(&text), values(&fresh));
}

/// The one run below a folder.
fn newest(folder: &Path) -> String {
    let below =
        |f: &Path| fs::read_dir(f).expect("a folder").flatten().map(|e| e.path()).next().expect("one");
    below(&below(folder)).display().to_string()
}
