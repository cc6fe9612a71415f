//! Laws of the checker: programs that run have no fault; each fault is found where it is, once; what is inferred is
//! what comes out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{Inferred, check, inspect, predict};
use crate::base::{CancelToken, Diagnostic, EventSink, Source};
use crate::language::context::Context;
use crate::language::library::Library;
use crate::language::value::Value;
use crate::syntax::tree::{StatementKind, Tree};

fn context() -> Context {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| match Library::load(None) {
        Ok(library) => library,
        Err(fault) => panic!("{}: {:?}", fault.1.name, fault.0),
    });
    Context::new(library.clone(), EventSink::none(), CancelToken::default())
}

fn parse(context: &mut Context, text: &str) -> Arc<Tree> {
    let source = context.add_source("test", text);
    let parsed = crate::syntax::parse(&source);
    assert!(!parsed.diagnostics.iter().any(Diagnostic::is_error), "{text}: {:?}", parsed.diagnostics);
    Arc::new(parsed.tree)
}

fn faults(text: &str) -> Vec<Diagnostic> {
    let mut context = context();
    let tree = parse(&mut context, text);
    check(&context, &tree)
}

/// The codes of a program's faults, in order.
fn codes(text: &str) -> Vec<u16> {
    faults(text).iter().filter(|d| d.is_error()).map(|d| d.code.0).collect()
}

/// The codes of what is said of a program that has no fault, with the lines.
fn notices(text: &str) -> Vec<(u16, usize)> {
    let line = |d: &Diagnostic| text[..d.span.unwrap_or_default().start as usize].matches('\n').count() + 1;
    let found = faults(text);
    assert!(!found.iter().any(Diagnostic::is_error), "{text}: {found:?}");
    found.iter().map(|d| (d.code.0, line(d))).collect()
}

/// The inferred unit of a binding, `?` in it where it is not known.
fn unit(text: &str, name: &str) -> String {
    let mut context = context();
    let tree = parse(&mut context, text);
    let checked = inspect(&context, &tree);
    assert!(checked.diagnostics.is_empty(), "{text}: {:?}", checked.diagnostics);
    match checked.bindings.iter().find(|(n, _)| &**n == name) {
        Some((_, Inferred::Quantity(q))) => q.dim.shown(),
        other => format!("{other:?}"),
    }
}

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|e| e == "phys") {
            found.push(path);
        }
    }
    found.sort();
}

const NO_FAULT: [u16; 0] = [];

/// Runs the check of a file as a script.
fn check_file(path: &Path) -> Vec<Diagnostic> {
    let mut context = context();
    context.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let text = std::fs::read_to_string(path).expect("a readable program");
    let source = Source::new(0, "test", &text);
    let parsed = crate::syntax::parse(&source);
    let mut all: Vec<Diagnostic> = parsed.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if all.is_empty() {
        context.add_source("test", &text);
        all = check(&context, &Arc::new(parsed.tree));
    }
    all
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn programs_that_run_have_no_fault() {
    let mut all = Vec::new();
    for folder in ["tests/spec", "examples", "stdlib/physics", "tests/errors/run"] {
        programs(&root().join(folder), &mut all);
    }
    assert!(all.len() > 60);
    let wrong: Vec<String> = all
        .iter()
        .flat_map(|p| {
            let found = check_file(p).into_iter().filter(Diagnostic::is_error);
            found.map(move |d| format!("{}: {} {}", p.display(), d.code, d.message))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_are_found_before_anything_runs() {
    let mut all = Vec::new();
    for folder in ["names", "types", "units", "options"] {
        programs(&root().join("tests/errors").join(folder), &mut all);
    }
    all.retain(|p| !p.parent().is_some_and(|f| f.ends_with("parts")));
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|p| {
            let text = std::fs::read_to_string(p).ok()?;
            let wanted = match text.starts_with("# exit: 0") {
                true => 0,
                false => 1 + usize::from(text.starts_with("# Two faults")),
            };
            let found: Vec<Diagnostic> = check_file(p).into_iter().filter(Diagnostic::is_error).collect();
            (found.len() != wanted).then(|| format!("{}: {found:?}", p.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn units_are_inferred_for_every_binding() {
    let coulomb = "var q1, q2 [C] in 1..5\nvar r [m] in 1..5\nvar epsilon [C^2/(N*m^2)] in 1..5\n";
    assert_eq!(unit(&format!("{coulomb}F = q1*q2/(4*pi*epsilon*r^2)"), "F"), "N");
    assert_eq!(unit("F = m*a", "F"), "?");
    assert_eq!(unit("F = m*a\ng = F(m: 2 [kg], a: 3 [m/s^2])", "g"), "N");
    assert_eq!(unit("E = 1/2*m*v^2 + 3 [J]\np = E(v: 2 [m/s])\nq = p(m: 1 [kg])", "q"), "J");
    assert_eq!(unit("x = sqrt(4 [m^2]) + 0", "x"), "m");
    assert_eq!(unit("h = (2 [m])^(3/2)", "h"), "m^(3/2)");
    assert_eq!(unit("f(x) = x^2\ny = f(3 [m])\nz = f(2 [s])", "z"), "s^2");
    assert_eq!(unit("y = sum([1 [m], 2 [m]])/max([3 [s]])", "y"), "m/s");
    assert_eq!(unit("var t [s] in 0..1\nv = diff(5 [m/s^2]*t^2, t)", "v"), "m/s");
    assert_eq!(unit("total = 0\nfor n in 1..3 { total = total + n*1 [m] }", "total"), "m");
    assert_eq!(unit("use physics.constants: c\nE = c^2*2 [kg]", "E"), "J");
    assert_eq!(unit("x = 9.81 ± 0.02 [m/s^2]", "x"), "m/s^2");
    assert_eq!(
        unit("var x [m] in 0..1\nd = sample(3*x, points: 5)\nf = fit(d, y == k*x^2)\nk = f.k", "k"),
        "1/m"
    );
}

#[test]
fn a_symbol_has_one_unit_in_a_statement() {
    assert_eq!(codes("x + 1 [m] == x + 1 [s]"), [6021]);
    assert_eq!(codes("y = sin(x) + x*1 [m]"), [6021]);
    // In another statement it may have another.
    assert_eq!(codes("a = x + 1 [m]\nb = x + 1 [s]\n[a, b]"), NO_FAULT);
}

#[test]
fn one_fault_is_one_report() {
    assert_eq!(codes("d = 1 [m] + 1 [s]\nd + 1 [kg]\nsin(d)"), [6021]);
    assert_eq!(codes("f(x) = x + sin(1 [m])\nf(1)\nf(2)"), [6022]);
    assert_eq!(codes("for k in 1..3 { total = 1 [m] + 1 [s] }"), [6021]);
    assert_eq!(codes("simplfy(x)\nsqrt(1, 2)\n1 [zorkmid]"), [6001, 6005, 1101]);
}

#[test]
fn functions_are_followed_with_their_arguments() {
    let found = faults("f(x) = x + 1 [m]\nf(2 [m])\nf(3 [s])");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].related.len(), 1);
    assert_eq!(codes("f(a, b) = a + b\nf(1 [m], 2 [m])\nf(\"a\", \"b\")\nf([1, 2], 3)"), NO_FAULT);
    assert_eq!(codes("f(n) = if n <= 1 then 1 else n*f(n - 1)\nf(5)"), NO_FAULT);
    assert_eq!(codes("f(x) = g(x) + 1\ng(x) = x^2\nf(2)"), NO_FAULT);
    assert_eq!(codes("f(d) = d.mass\nf({mass: 1})\nf({speed: 1})"), [6002]);
    assert_eq!(codes("f(x) = sin(x)\nf(1 [m])"), [6022]);
    assert_eq!(codes("a = 1 [m]\nf(x) = x + a\na = 1 [s]\nf(1 [m])"), NO_FAULT);
}

#[test]
fn exponents_and_conditions() {
    assert_eq!(codes("var r [m] in 1..5\nvar n in 1..3\nr^n"), NO_FAULT);
    assert_eq!(codes("2^(1 [m])"), [6022]);
    assert_eq!(codes("var r [m] in 1..5\nif r > 0 then r else 0"), NO_FAULT);
    assert_eq!(codes("var r [m] in 1..5\nif r > 0 [m] then r else 1 [s]"), [6021]);
    assert_eq!(codes("var w [1/s] in 1..2\nvar t [s] in 0..1\nsin(w*t)(w: 1 [s])"), [6021]);
    assert_eq!(
        codes("a, b = 3\nsum(1..3)\nxs = [1]\nxs [1]\nextern f(x: real) -> real"),
        [6018, 6006, 6020, 6105]
    );
    assert_eq!(codes("if 2 > 1 then 1 [m] else \"none\""), NO_FAULT);
    assert_eq!(codes("check 3"), [6010]);
    assert_eq!(codes("true and 3 [m]"), [6010]);
}

#[test]
fn columns_are_known_from_headers() {
    let mut context = context();
    context.folder = root().join("tests/spec");
    let mut codes = |text: &str| {
        let tree = parse(&mut context, text);
        check(&context, &tree).iter().map(|d| d.code.0).collect::<Vec<_>>()
    };
    let d = "d = read(\"data/planets.csv\")\n";
    assert_eq!(
        codes(&format!("{d}d.a + 1 [m]\nd.name[0] == \"Earth\"\nfilter(d, name == \"Earth\")")),
        NO_FAULT
    );
    assert_eq!(codes(&format!("{d}d.a + 1 [s]")), [6021]);
    assert_eq!(codes(&format!("{d}d.radius")), [6002]);
    assert_eq!(codes(&format!("{d}select(d, a, radius)")), [6002]);
    assert_eq!(codes(&format!("{d}regress(d, target: radius)")), [6002]);
    assert_eq!(codes(&format!("{d}filter(d, a < 5 [s])")), [6021]);
    assert_eq!(codes(&format!("{d}f = fit(d, T == k*a)\nf.k + 1 [s/m]\nf.b")), [6002]);
    assert_eq!(codes(&format!("{d}regress(d).best(a: 1 [s])")), [6021]);
    assert_eq!(codes("read(\"data/absent.csv\")").len(), 1);
}

#[test]
fn what_was_predicted_comes_out() {
    // Random sums and products of quantities: the dimension before is the dimension after.
    let atoms = ["2 [m]", "3.5 [s]", "1/2", "4 [kg]", "7 [N]", "(9 ± 1) [m]", "0", "pi", "5 [V^(1/2)]"];
    let mut state = 7u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let mut ran = 0;
    for _ in 0..300 {
        let (a, b, c) = (atoms[next(9)], atoms[next(9)], atoms[next(9)]);
        let text = match next(7) {
            0 => format!("({a})*({b})"),
            1 => format!("({a})/({b})*({c})"),
            2 => format!("({a})*({b}) + ({b})*({a})"),
            3 => format!("sqrt(abs(({a})*({b})))"),
            4 => format!("({a})^{}*({b})", next(4)),
            5 => format!("max([({a}), ({a})*2])/({b})"),
            _ => format!("({a}) + ({b})*({c})"),
        };
        let mut context = context();
        let tree = parse(&mut context, &text);
        let StatementKind::Expr { value, .. } = tree.statements[0].kind else { continue };
        let faulty = !check(&context, &tree).is_empty();
        let found = context.evaluate(&tree, value);
        if faulty {
            assert!(found.is_err(), "{text} runs, but has {:?}", check(&context, &tree));
            continue;
        }
        let Ok(found) = found else { continue };
        let Value::Expr(e) = found.plain() else { continue };
        let Ok(Some(after)) = crate::language::dimension::of(e, &context.declarations) else { continue };
        if let Some(before) = predict(&context, &tree) {
            assert_eq!(before, after, "{text}");
            ran += 1;
        }
    }
    assert!(ran > 100, "only {ran} expressions compared");
}

#[test]
fn notices_stand_where_the_name_does() {
    assert_eq!(notices("velocity = 3\nvelocty + 1\nvelocty + 2"), [(6201, 2)]);
    assert_eq!(notices("f(x) = velocity*x\nvelocity = 3\nf(2)"), []);
    assert_eq!(notices("F = m*a\nG = 2*F\nm = 3\nm = 4"), [(6203, 3)]);
    assert_eq!(notices("F = m*a\nfor k in 1..3 { m = k }"), [(6203, 2)]);
    assert_eq!(notices("E = m*c^2\nuse physics.constants: c"), [(6203, 2)]);
    assert_eq!(
        notices("e = 3\ne = 4\nx = 1\nvar x in 1..2\nvar i in 1..3"),
        [(6202, 1), (6202, 4), (6202, 5)]
    );
    assert_eq!(notices("f(e) = e^2\n[i for i in 1..3]\nx where e = 3"), []);
    assert_eq!(notices("d = dataset({e: [1, 2], y: [2, 4]})\nfilter(d, e > 1)"), [(6202, 2)]);
}

#[test]
fn rules_are_checked_where_they_stand() {
    for fine in [
        "rule sin(x)^2 + cos(x)^2 => 1",
        "rule sqrt(x^2) => x when x >= 0",
        "rule log(x*y) => log(x) + log(y) when x > 0 and y > 0",
        "rule (x^a)^b => x^(a*b) when x > 0",
        "rule x - x*sin(y)^2 => x*cos(y)^2",
        "rule a^2 + 2*a*b + b^2 => (a + b)^2",
        "rule abs(x)/x => 0",
        "rule x*1 [m] => x*100 [cm]",
        "x = 3 [m]\nrule sin(x) + sin(-x) => 0",
        "var t [s] in 0..1\nu = field(t)\nrule u(x)^2 => u(x)*u(x) + 0*x",
    ] {
        assert!(!codes(fine).contains(&6021) && !codes(fine).contains(&6001), "{fine}: {:?}", faults(fine));
    }
    assert_eq!(codes("rule x^2 => x"), [6021]);
    assert_eq!(codes("rule sqrt(x) => x^(1/3)"), [6021]);
    assert_eq!(codes("rule x*y => x + y"), [6021]);
    assert_eq!(codes("rule sin(x) => cos(x) + 1 [m]"), [6021]);
    assert_eq!(codes("rule sin(x) => y + z + y"), [2110, 2110]);
    assert_eq!(codes("rule sin(x) => 1 when y > 0"), [2110]);
    assert_eq!(codes("rule sinn(x) => x"), [6001]);
    assert_eq!(codes("rule x => 0"), [6106]);
    assert_eq!(codes("rule a + b => b + a"), [6106]);
    assert_eq!(codes("rule solve(x, y) => x"), [6106]);
    assert_eq!(codes("rule [a, b] => a"), [1200]);
    assert_eq!(codes("rule sin(x) => cos(x) when 3"), [6010]);
    // The library's own rules hold too.
    for (name, text) in context().library.texts_under("rules") {
        assert_eq!(codes(text), NO_FAULT, "{name}: {:?}", faults(text));
    }
}

#[test]
fn a_name_bound_to_a_function_calls_it() {
    assert_eq!(unit("f = sqrt\ny = f(4 [m^2])", "y"), "m");
    assert_eq!(unit("twice(g, x) = g(g(x))\ny = twice(sqrt, 16 [m^4])", "y"), "m");
    assert_eq!(codes("f = sin\nf(1 [m])"), [6022]);
    assert_eq!(codes("f = gamma\nf + 1\nf(3)\ngamma*2"), NO_FAULT);
    assert_eq!(codes("var gamma in 1..2\nf = gamma\nf(3)"), [6005]);
    assert_eq!(codes("f = 2*sqrt\nf(4)"), [6005]);
}

#[test]
fn a_unit_to_an_unknown_power_is_one_unit() {
    let declared = "var r, s [m] in 1..5\nvar n integer in 1..3\n";
    assert_eq!(codes(&format!("{declared}r^n + s^n\nr^n + r^(2*n)\nr^n + 1 [s]")), NO_FAULT);
    assert_eq!(codes(&format!("{declared}r^n + r^n*1 [s]")), [6021]);
    assert_eq!(codes(&format!("{declared}f(k) = r^k\nf(2) + f(3)")), [6021]);
    assert_eq!(codes(&format!("{declared}p = r^n\nq = r^n*1 [s]\nn == 2")), NO_FAULT);
}

#[test]
fn declared_results_are_compared_and_used() {
    assert_eq!(codes("f(x: quantity[m]) -> quantity[m^2] = x^2\nf(3 [m])"), NO_FAULT);
    assert_eq!(codes("f(x: quantity[u]) -> quantity[u^2] = x^2\ny = f(3 [s]) + 1 [s^2]"), NO_FAULT);
    assert_eq!(codes("f(x) -> list[real] = [x, 2*x]\nf(2)"), NO_FAULT);
    assert_eq!(codes("f(n: integer) -> integer = if n <= 1 then 1 else n*f(n - 1)\nf(4)"), NO_FAULT);
    assert_eq!(codes("f(d: dataset) -> network = mlp(width: length(d))"), NO_FAULT);
    // Found where it is declared, once, though it is called.
    assert_eq!(codes("f(x: quantity[m]) -> quantity[m] = x^2\nf(3 [m])"), [6021]);
    assert_eq!(codes("f(x) -> network = \"relu\"\nf(3)"), [6006]);
    assert_eq!(codes("f(x) -> network = 3"), [6006]);
    assert_eq!(codes("f(x) -> list[string] = [1, 2]"), [6006]);
    // Found with the arguments of a call.
    assert_eq!(codes("f(x) -> quantity[m] = x\nf(3 [s])"), [6021]);
    // The type is known where the body is not followed.
    assert_eq!(codes("f(n) -> quantity[m] = if n < 1 then 1 [m] else f(n - 1)\ny = f(4) + 1 [s]"), [6021]);
    assert_eq!(codes("f(x: rael) = x"), [6001]);
    assert_eq!(codes("f(x) -> netwrok = x"), [6001]);
    assert_eq!(codes("f(x) -> list[quantity[furlongs_]] = [x]").len(), 1);
}
