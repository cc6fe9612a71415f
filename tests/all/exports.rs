//! Laws as programs of other languages, verified by running them: every operator and function in C, Rust, NumPy, SymPy,
//! PyTorch and JAX at 20 points against the evaluation here. `PHYS_PYTHON` names the Python (`python3` without it); what
//! a machine lacks is said on standard error and passed over.

use phys::base::{CancelToken, EventSink};
use phys::expression::{Domain, Expr, Function, Kind, Symbol};
use phys::language::Value;
use phys::session::{Session, Status};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Points a law is compared at.
const POINTS: usize = 20;

/// Declarations and formula. Together they hold every function but `O`.
const LAWS: &[(&str, &str)] = &[
    (
        "var x in -2..2; var y in 0.5..3",
        "x^2 - 3*x*y + y^3/2 - 5/2 + x/(3*y) - (x - y)/(x^2 + y) + 7*x^5*y^(-3)",
    ),
    (
        "var x in -2..2; var y in 0.5..3",
        "sqrt(y)*exp(-x^2/2) + log(y) + log10(y)^2 + log2(y) + y^(1/3) - y^(-3/2)",
    ),
    (
        "var x in -2..2; var y in 0.5..3",
        "2^x + y^x + y^(5/3) + 1/sqrt(2*pi*y) + e*x + (x^2)^(1/3) + (2/7)^x + 10^(-x)",
    ),
    (
        "var x in -2..2; var y in 0.5..3",
        "sin(x) + cos(x)^2 + tan(x/3) + asin(x/3) + acos(x/3) + atan(x) + atan2(y, x) + atan2(x, 2)",
    ),
    ("var x in -2..2; var y in 0.5..3", "sinh(x) + cosh(x) + tanh(x) + asinh(x) + acosh(y + 1) + atanh(x/3)"),
    (
        "var x in -2..2; var y in 0.5..3",
        "abs(x) + sign(x) + step(x - y/2) + floor(3*x) + ceil(3*x)*y + round(2*x) + mod(x, y) + mod(y, 3/4)",
    ),
    (
        "var x in -2..2; var y in 0.5..3",
        "min(x, y, 1/2) + max(x, y, 2) + re(x) + 2*im(x) + conj(x)*y + arg(x)",
    ),
    (
        "var x in -2..2; var y in 0.5..3",
        "y*(if x < 0 then x^2 else 1/y) + from_sympy(\"Piecewise((x**2, x < 0), (sin(x), ((x < 1) & (y > 1)) | Eq(x, y)), (1/y, True)) + Piecewise((1, ~((x > 0) & (y > 1))), (1/10, True))\")",
    ),
    ("var m [kg] in 1..5; var v [km/h] in 1..100", "m*v^2/2 + 3.5 [J] - (2.5 ± 0.1)*1 [N*km]/m*1 [kg]"),
    (
        "var x in -2..2; var y in 0.5..3; s = x^2 + y^2 + 1",
        "sqrt(s) + exp(-s)/s + sin(sqrt(s)) + 1/(s + sqrt(s))^2",
    ),
    (
        "var λ in 1..2; var class in 1..2; var y1 in 1..2; var c1 in 1..2; var lambda in 3..4; var theta' in 1..2; var self in 1..2; var law in 1..2",
        "λ*class + y1/c1 - lambda^2*theta' + self*law + 0.25*c1^2",
    ),
    ("", "2*pi + sqrt(2)"),
    (
        "var x in -2..2; var y in 0.5..3",
        "gamma(y) + loggamma(y) + factorial(y) + erf(x) + erfc(x) + 1/gamma(x/5 - 1/2)",
    ),
];

/// A law in the folder as `law<n>`, with the arguments of its function in order.
struct Exported {
    number: usize,
    formula: Expr,
    arguments: Vec<(Symbol, f64, f64)>,
}

impl Exported {
    /// The points, spread over the domains by the additive recurrence of the golden ratio and its kin.
    fn points(&self) -> Vec<Vec<f64>> {
        (1..=POINTS)
            .map(|k| {
                self.arguments
                    .iter()
                    .enumerate()
                    .map(|(i, (_, low, high))| {
                        let share = (k as f64 * (0.618_033_988_749_894_9 + 0.131 * i as f64)).fract();
                        low + (high - low) * share
                    })
                    .collect()
            })
            .collect()
    }

    fn values(&self) -> Vec<f64> {
        let at = |p: &Vec<f64>| {
            let place = |s: &Symbol| self.arguments.iter().position(|a| a.0 == *s).map(|i| p[i]);
            self.formula.evaluate(&place).expect("a value at every point")
        };
        self.points().iter().map(at).collect()
    }
}

/// Runs a script in the folder; its last value.
fn run(folder: &Path, text: &str) -> Result<Option<Value>, String> {
    let mut session =
        Session::new(EventSink::none(), CancelToken::new()).expect("the embedded library loads");
    let mut last = None;
    let (status, told) = session.run("<export>", text, folder, &mut |v, _| last = Some(v.clone()));
    match status {
        Status::Done => Ok(last),
        _ => {
            let words = |d: &phys::base::Diagnostic| {
                format!("{} {}; {}", d.code, d.message, d.hint.as_deref().unwrap_or(""))
            };
            Err(told.iter().filter(|d| d.is_error()).map(words).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// All laws that the language takes, written into the folder.
fn export_all(folder: &Path, word: &str, extension: &str) -> Vec<Exported> {
    let mut all = Vec::new();
    for (number, (declared, formula)) in LAWS.iter().enumerate() {
        let text =
            format!("{declared}\nF = {formula}\nexport(F, \"law{number}.{extension}\", as: {word})\nF");
        let last = match run(folder, &text) {
            Ok(last) => last,
            Err(fault) if word == "rust" && fault.starts_with("P1210") => continue,
            Err(fault) => panic!("{formula}: {fault}"),
        };
        let formula = last.and_then(|v| v.as_expr()).expect("a formula");
        let arguments = formula
            .symbols()
            .into_iter()
            .map(|s| {
                let range =
                    declared.split("; ").find(|d| d.starts_with(&format!("var {s} "))).expect("declared");
                let (low, high) = range.rsplit(' ').next().and_then(|r| r.split_once("..")).expect("a range");
                let scale = if range.contains("km/h") { 1.0 / 3.6 } else { 1.0 };
                let end = |t: &str| t.parse::<f64>().expect("a number") * scale;
                (s, end(low), end(high))
            })
            .collect();
        all.push(Exported { number, formula, arguments });
    }
    all
}

/// Compares the lines of an output, one value each, with the evaluation here.
fn compare(laws: &[Exported], output: &str, what: &str) {
    let mut lines = output.lines();
    let mut faults = String::new();
    for law in laws {
        for (point, value) in law.points().iter().zip(law.values()) {
            let line = lines.next().unwrap_or("nothing");
            let found: f64 = line.trim().parse().unwrap_or(f64::NAN);
            if (found - value).abs() > 1e-12 * value.abs().max(1.0) || found.is_nan() {
                let _ = writeln!(faults, "law{} at {point:?}: {line}, expected {value}", law.number);
            }
        }
    }
    assert!(faults.is_empty() && lines.next().is_none(), "{what}:\n{faults}");
}

/// What a command printed; `None` where the machine has no such program.
fn output(command: &mut Command) -> Option<String> {
    let ran = command.output().ok()?;
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{command:?}\n{told}\n{}", String::from_utf8_lossy(&ran.stdout));
    Some(String::from_utf8_lossy(&ran.stdout).into_owned())
}

fn numbers(point: &[f64]) -> String {
    point.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_laws_hold_every_function() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut seen = BTreeSet::new();
    for law in export_all(folder.path(), "phys", "phys") {
        law.formula.visit(&mut |e| {
            if let Kind::Call(f, _) = e.kind() {
                seen.insert(f.name());
            }
        });
    }
    let known = phys::expression::function::FUNCTIONS.iter().map(|r| r.function);
    let missing: Vec<_> = known.filter(|f| *f != Function::Order && !seen.contains(f.name())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn c_agrees() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "c", "c");
    let mut main = "#include <stdio.h>\n".to_string();
    let mut calls = String::new();
    let mut command = Command::new("cc");
    command.current_dir(folder.path()).args(["-std=c99", "-Wall", "-Wextra", "-Werror", "main.c"]);
    for law in &laws {
        let n = law.number;
        let unit = format!("#define law law_{n}\n#include \"law{n}.c\"\n");
        fs::write(folder.path().join(format!("unit{n}.c")), unit).expect("a scratch file");
        command.arg(format!("unit{n}.c"));
        let parameters = vec!["double"; law.arguments.len()].join(", ");
        let parameters = if parameters.is_empty() { "void" } else { &parameters };
        let _ = writeln!(main, "double law_{n}({parameters});");
        for point in law.points() {
            let _ = writeln!(calls, "    printf(\"%.17g\\n\", law_{n}({}));", numbers(&point));
        }
    }
    let _ = writeln!(main, "int main(void) {{\n{calls}    return 0;\n}}");
    fs::write(folder.path().join("main.c"), main).expect("a scratch file");
    if output(command.args(["-o", "laws", "-lm"])).is_none() {
        eprintln!("no `cc` here: C is not verified");
        return;
    }
    let found = output(&mut Command::new(folder.path().join("laws"))).expect("the program starts");
    assert!(laws.len() == LAWS.len());
    compare(&laws, &found, "C");
}

#[test]
fn rust_agrees() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "rust", "rs");
    let (mut main, mut calls) = ("#![deny(warnings)]\n".to_string(), String::new());
    for law in &laws {
        let n = law.number;
        // The constants are there to be used, not all used here.
        let _ = writeln!(main, "mod law{n} {{ include!(\"law{n}.rs\"); }}");
        for point in law.points() {
            let _ = writeln!(calls, "    println!(\"{{:?}}\", law{n}::law({}));", numbers(&point));
        }
    }
    let _ = writeln!(main, "fn main() {{\n{calls}}}");
    fs::write(folder.path().join("main.rs"), main).expect("a scratch file");
    let mut command = Command::new("rustc");
    command.current_dir(folder.path()).args(["--edition", "2021", "main.rs", "-o", "laws"]);
    if output(&mut command).is_none() {
        eprintln!("no `rustc` here: Rust is not verified");
        return;
    }
    let found = output(&mut Command::new(folder.path().join("laws"))).expect("the program starts");
    // All but the one with erf and gamma.
    assert_eq!(laws.len(), LAWS.len() - 1);
    compare(&laws, &found, "Rust");
}

/// Runs Python text in the folder; `None`, said aloud, where a module is missing.
fn python(folder: &Path, modules: &str, text: &str) -> Option<String> {
    let program = std::env::var_os("PHYS_PYTHON").unwrap_or_else(|| "python3".into());
    let mut probe = Command::new(&program);
    probe.args(["-c", &format!("import {modules}")]).env("JAX_PLATFORMS", "cpu");
    if !probe.output().is_ok_and(|ran| ran.status.success()) {
        eprintln!("`{}` has no {modules}: not verified", program.to_string_lossy());
        return None;
    }
    fs::write(folder.join("main.py"), text).expect("a scratch file");
    let mut command = Command::new(&program);
    command.current_dir(folder).arg("main.py").env("JAX_ENABLE_X64", "1").env("JAX_PLATFORMS", "cpu");
    output(&mut command)
}

/// A program that calls every law with all points at once and prints the values; `array` makes a column of numbers.
fn at_once(laws: &[Exported], head: &str, array: &str, more: &str) -> String {
    let mut text = format!(
        "{head}\ndef show(value):\n    for y in np.broadcast_to(np.asarray(value), ({POINTS},)):\n        print(repr(float(y)))\n"
    );
    for law in laws {
        let n = law.number;
        let points = law.points();
        let columns: Vec<String> = (0..law.arguments.len())
            .map(|i| format!("{array}([{}])", numbers(&points.iter().map(|p| p[i]).collect::<Vec<_>>())))
            .collect();
        let _ =
            writeln!(text, "import law{n}\npoints = [{}]\nvalue = law{n}.law(*points)", columns.join(", "));
        let _ = writeln!(text, "{}\nshow(value)", more.replace("law_", &format!("law{n}")));
    }
    text
}

#[test]
fn numpy_agrees() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "numpy", "py");
    let text = at_once(&laws, "import numpy as np\nnp.seterr(all=\"ignore\")", "np.array", "");
    if let Some(found) = python(folder.path(), "numpy, scipy.special", &text) {
        compare(&laws, &found, "NumPy");
    }
}

#[test]
fn pytorch_agrees_and_trains_its_constants() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "pytorch", "py");
    let head =
        "import numpy as np\nimport torch\ndef array(x):\n    return torch.tensor(x, dtype=torch.float64)\n";
    let more = "module = law_.Law()\nagain = module(*points)\n\
                assert np.array_equal(np.asarray(again.detach()), np.asarray(value))\n\
                for p in module.parameters():\n    \
                (slope,) = torch.autograd.grad(module(*points).sum(), p)\n    \
                with torch.no_grad():\n        \
                step = 1e-6*max(1.0, abs(float(p)))\n        \
                p += step\n        high = float(module(*points).sum())\n        \
                p -= 2*step\n        low = float(module(*points).sum())\n        p += step\n    \
                assert abs(float(slope) - (high - low)/(2*step)) <= 1e-6*max(1.0, abs(float(slope)))\n";
    let text = at_once(&laws, head, "array", more);
    if let Some(found) = python(folder.path(), "torch", &text) {
        compare(&laws, &found, "PyTorch");
    }
}

#[test]
fn jax_agrees_and_differentiates_by_its_constants() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "jax", "py");
    let head = "import numpy as np\nimport jax\nimport jax.numpy as jnp\n";
    let more = "for name in getattr(law_, \"CONSTANTS\", {}):\n    \
                constants = dict(law_.CONSTANTS)\n    total = lambda c: jnp.sum(law_.law(*points, constants=c))\n    \
                slope = float(jax.grad(total)(constants)[name])\n    step = 1e-6*max(1.0, abs(constants[name]))\n    \
                high = float(total({**constants, name: constants[name] + step}))\n    \
                low = float(total({**constants, name: constants[name] - step}))\n    \
                assert abs(slope - (high - low)/(2*step)) <= 1e-6*max(1.0, abs(slope))\n";
    let text = at_once(&laws, head, "jnp.array", more);
    if let Some(found) = python(folder.path(), "jax", &text) {
        compare(&laws, &found, "JAX");
    }
}

/// SymPy's values; its `str` and `srepr` and the `str` of its derivative, read back here.
#[test]
fn sympy_agrees_and_what_it_says_is_read() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let laws = export_all(folder.path(), "sympy", "py");
    let mut text = "import sympy, json\n".to_string();
    for law in &laws {
        let n = law.number;
        let names: Vec<String> =
            law.arguments.iter().map(|a| phys::expression::print::sympy_name(a.0.name())).collect();
        let points: Vec<String> = law.points().iter().map(|p| format!("[{}]", numbers(p))).collect();
        let _ = writeln!(
            text,
            "from law{n} import expression as e\nsymbols = [sympy.Symbol(n) for n in {names:?}]"
        );
        let _ = writeln!(
            text,
            "for point in [{}]:\n    print(sympy.re(e.subs(dict(zip(symbols, point))).evalf(18)))",
            points.join(", ")
        );
        let _ = writeln!(text, "print(json.dumps([str(e), sympy.srepr(e)]))");
    }
    let Some(found) = python(folder.path(), "sympy", &text) else { return };
    let (values, said): (Vec<&str>, Vec<&str>) = found.lines().partition(|l| !l.starts_with('['));
    compare(&laws, &values.join("\n"), "SymPy");
    assert_eq!(said.len(), laws.len());
    for (law, line) in laws.iter().zip(said) {
        let texts: Vec<String> = serde_json::from_str(line).expect("two texts");
        for text in texts {
            let read = Expr::from_sympy(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
            for (point, value) in law.points().iter().zip(law.values()) {
                let place = |s: &Symbol| {
                    let own = |a: &&(Symbol, f64, f64)| {
                        a.0 == *s || phys::expression::print::sympy_name(a.0.name()) == s.name()
                    };
                    law.arguments.iter().position(|a| own(&a)).map(|i| point[i])
                };
                let again = read.evaluate(&place).unwrap_or(f64::NAN);
                assert!(
                    (again - value).abs() <= 1e-11 * value.abs().max(1.0),
                    "{again}, not {value}: {text}"
                );
            }
        }
    }
}

#[test]
fn sympy_interface() {
    // A law that was found is differentiated and integrated there: what integrates the derivative is the law, and both
    // agree with what is found here.
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = "var x in 0.5..3; var k in 1..2\n\
                  found = regress(sample(k*x^2 + 3*sin(x), points: 80), work: 5000000)\n\
                  check found.best == k*x^2 + 3*sin(x)\n\
                  export(found.best, \"law.py\", as: sympy)\n\
                  [diff(found.best, x)(x: 1.2, k: 1.7), nintegrate(found.best(k: 1.7), x, 0..2)]";
    let here = run(folder.path(), script).unwrap_or_else(|fault| panic!("{fault}"));
    let Some(Value::List(here)) = here else { panic!("no list: {here:?}") };
    let here: Vec<f64> = here.iter().filter_map(|v| v.as_expr()?.evaluate(&|_| None)).collect();
    let text = "import sympy\nfrom law import expression as law\n\
                x, k = sympy.symbols('x k')\n\
                slope, area = sympy.diff(law, x), sympy.integrate(law, x)\n\
                assert sympy.simplify(sympy.diff(area, x) - law) == 0, area\n\
                assert sympy.simplify(sympy.integrate(slope, x) - law).diff(x) == 0, slope\n\
                print(float(slope.subs({x: 1.2, k: 1.7})))\n\
                print(float((area.subs(x, 2) - area.subs(x, 0)).subs(k, 1.7)))\n";
    let Some(there) = python(folder.path(), "sympy", text) else { return };
    let there: Vec<f64> = there.lines().map(|l| l.parse().expect("a number")).collect();
    assert_eq!((here.len(), there.len()), (2, 2));
    for (a, b) in here.iter().zip(&there) {
        assert!((a - b).abs() <= 1e-8 * a.abs(), "{here:?} {there:?}");
    }
}

#[test]
fn srepr_is_what_sympy_evaluates() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut text =
        "from sympy import *\nfrom sympy.functions.elementary.piecewise import ExprCondPair\n".to_string();
    for (declared, formula) in LAWS {
        let script = format!("{declared}\nF = {formula}\nsrepr(F) + \"\\n\" + sympy(F)");
        let Ok(Some(Value::Text(both))) = run(folder.path(), &script) else { panic!("{formula}") };
        let (srepr, plain) = both.split_once('\n').expect("two lines");
        let _ = writeln!(text, "a, b = eval({srepr:?}), sympify({plain:?})");
        // Names are quoted there and made safe here.
        let _ = writeln!(text, "a = a.subs({{s: Symbol(n) for s, n in [(Symbol('λ'), 'λ')]}})");
        let _ = writeln!(text, "names = lambda e: len(e.free_symbols)\nassert names(a) == names(b), (a, b)");
        if !declared.contains("λ") {
            let _ = writeln!(
                text,
                "point = {{s: Float(0.7) + k/7 for k, s in enumerate(sorted(b.free_symbols, key=str))}}"
            );
            let _ = writeln!(text, "assert abs(N(a.subs(point)) - N(b.subs(point))) < 1e-12, (a, b)");
        }
    }
    let _ = python(folder.path(), "sympy", &text);
}

#[test]
fn laws_fits_fronts_and_equations_are_laws() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = "var x [m] in 1..5\n\
        data = sample(3 [m/s^2]*x/(1 [m]) + 2 [m/s^2], name: \"a\", points: 30, relative_noise: 0.01, seed: 3)\n\
        f = fit(data, a == k*x + b)\n\
        export(f, \"fit.c\")\n\
        found = regress(data, work: 20000)\n\
        export(found, \"front.rs\")\n\
        export(found[0], \"element.py\", as: numpy)\n\
        export(law { formula: m*v^2/2, variables: {v: 1..5 [m/s], m: 1..5 [kg]}, source: \"a book */ of laws\" }, \"law.rs\")\n\
        export(a == 3*x, \"equation.py\", as: jax)\n\
        export(f, \"fit.tex\")\n\
        export(found, \"front.py\")\n";
    run(folder.path(), script).unwrap_or_else(|e| panic!("{e}"));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file");
    let fit = read("fit.c");
    for part in
        ["a = ", "x: [m]", "[1/s^2], standard error", "[m/s^2], standard error", "double law(double x)"]
    {
        assert!(fit.contains(part), "{part}\n{fit}");
    }
    assert!(fit.contains("static const double k = ") && fit.contains("static const double b = "), "{fit}");
    let law = read("law.rs");
    assert!(
        law.contains("pub fn law(v: f64, m: f64) -> f64") && law.contains("value of the law: [J]"),
        "{law}"
    );
    assert!(law.contains("Source: a book"), "{law}");
    let equation = read("equation.py");
    assert!(equation.contains("# a = 3*x") && equation.contains("def law(x):"), "{equation}");
    assert!(read("front.rs").contains("value of the law: [m/s^2]"), "{}", read("front.rs"));
    assert!(read("element.py").contains("import numpy as np"));
    assert!(read("fit.tex").contains("x") && read("front.py").contains("expression = "));
}

#[test]
fn what_cannot_be_exported_is_said() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (text, told) in [
        (
            "var x; export(x^2, \"a.c\", as: rust)",
            "P6040 expected a path that ends in `.rs` for `as: rust`, found `.c`; export(law, \"a.rs\", as: rust)",
        ),
        (
            "var x; export(erf(x), \"a.rs\")",
            "P1210 expected functions of Rust, found `erf`, which it lacks; export(law, \"a.c\", as: c)",
        ),
        (
            "var x; export(i*x, \"a.c\")",
            "P1211 expected a formula of real numbers, found the imaginary unit; ",
        ),
        (
            "u = field(x); export(u(x), \"a.py\", as: jax)",
            "P1211 expected a formula of real numbers, found the undefined function `u`; ",
        ),
        (
            "var x; export(x < 2, \"a.c\")",
            "P1211 expected a formula of real numbers, found the condition `x < 2`; ",
        ),
        (
            "export(dataset({x: [1]}), \"a.py\", as: numpy)",
            "P6040 expected a file of a dataset, found `as: numpy`; export(d, \"d.csv\"), or .npy, .npz",
        ),
        ("export(\"text\", \"a.rs\")", "P6016 expected a number or an expression, found a string; "),
        ("var x; export(x, \"a.foo\")", "P6040 expected a file form, found `.foo`; "),
        (
            "from_sympy(\"x + Sin(y)\")",
            "P1206 expected `sin` at character 5 of the text, found `Sin`; sin(x)",
        ),
        ("from_latex(\"x +\")", "P1207 expected a formula at character 4 of the text, found the end; "),
    ] {
        let fault = run(folder.path(), text).expect_err(text);
        assert!(fault.starts_with(told), "{text}\n{fault}\n{told}");
    }
    assert_eq!(fs::read_dir(folder.path()).map(Iterator::count).ok(), Some(0));
}

#[test]
fn the_domain_of_a_law_is_in_si() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let text = "var v [km/h] in 36..72\nexport(v^2, \"a.c\")\nv";
    run(folder.path(), text).unwrap_or_else(|e| panic!("{e}"));
    let file = fs::read_to_string(folder.path().join("a.c")).expect("a file");
    assert!(file.contains("v: [m/s], known from 10 to 20"), "{file}");
    assert_eq!(Domain::Interval { low: 10.0, high: 20.0 }.bounds(), (10.0, 20.0));
}
