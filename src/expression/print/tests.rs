//! What is printed reads back, and looks as a physicist writes it.

use super::*;
use crate::base::random::Streams;
use crate::expression::arbitrary::{cases, random_expr, random_tree};
use crate::expression::node::{Flags, Kind};
use crate::expression::read::{parse, parse_with};
use crate::expression::symbol::Symbol;
use crate::expression::uncertain::Uncertain;
use crate::units::Unit;

fn names() -> Vec<Symbol> {
    ["x", "y", "a", "B", "theta1", "x'"].map(Symbol::new).to_vec()
}

#[test]
fn sums_products_and_powers_look_as_written_by_hand() {
    for (typed, printed) in [
        ("1/2*m*v^2", "1/2*m*v^2"),
        ("v^2*m/2", "1/2*m*v^2"),
        ("x^2/6", "x^2/6"),
        ("-x^2/2", "-x^2/2"),
        ("3*x/2", "3*x/2"),
        ("(-1/2*v*m)", "-1/2*m*v"),
        ("q1*q2/(4*pi*epsilon*r^2)", "q1*q2/(4*pi*epsilon*r^2)"),
        ("(-G*m1*m2/r)", "-G*m1*m2/r"),
        ("3*k/(2*x)", "3*k/(2*x)"),
        ("1/(2*x)", "1/(2*x)"),
        ("r*2*pi", "2*pi*r"),
        ("2*sin(x)*cos(x)", "2*cos(x)*sin(x)"),
        ("(b + c)*a", "a*(b + c)"),
        ("(b + c)/d", "(b + c)/d"),
        ("m/sqrt(1 - v^2/c^2)", "m/sqrt(1 - v^2/c^2)"),
        ("-4*a*c + b^2", "b^2 - 4*a*c"),
        ("-x1 + x2", "x2 - x1"),
        ("1 - x^2", "1 - x^2"),
        ("1 + x + x^2", "x^2 + x + 1"),
        ("x*y + x^2 + y^2", "x^2 + y^2 + x*y"),
        ("1/2*m*v^2 - 1/2*k*x^2", "1/2*m*v^2 - 1/2*k*x^2"),
        ("x*cos(x) + 3 + sin(x) + x^2", "x^2 + x*cos(x) + sin(x) + 3"),
        ("a - b - c", "a - b - c"),
        ("k*x + m*x''", "m*x'' + k*x"),
        ("(x^2 - 1)*exp(-x^2/2)", "(x^2 - 1)*exp(-x^2/2)"),
        ("(-b - sqrt(b^2 - 4*a*c))/(2*a)", "(-b - sqrt(b^2 - 4*a*c))/(2*a)"),
        ("(-b + sqrt(b^2 - 4*a*c))/(2*a)", "(-b + sqrt(b^2 - 4*a*c))/(2*a)"),
        ("x*(b - a)", "x*(b - a)"),
        ("x*(a - b)", "x*(a - b)"),
        ("(v - v0)/a", "(v - v0)/a"),
        ("1/sqrt(2*pi)", "1/sqrt(2*pi)"),
        ("exp(-x^2/2)/sqrt(2*pi)", "exp(-x^2/2)/sqrt(2*pi)"),
        ("2*pi*sqrt(L/g)", "2*pi*sqrt(L/g)"),
        ("x^(-1/2)", "1/sqrt(x)"),
        ("x^(1/3)", "x^(1/3)"),
        ("x^y^z", "x^y^z"),
        ("(x^y)^z", "(x^y)^z"),
        ("e^(-x)", "exp(-x)"),
        ("sqrt(8)", "2*sqrt(2)"),
        ("3/2*sqrt(2)", "3/sqrt(2)"),
        ("(1 + sqrt(5))/2", "(1 + sqrt(5))/2"),
        ("pi/4", "pi/4"),
        ("1 + 2*i", "1 + 2*i"),
        ("x/x", "x/x"),
        ("1 - x^2/6 + x^4/120 + O(x^6)", "1 - x^2/6 + x^4/120 + O(x^6)"),
        ("1/0", "1/0"),
        ("log(0)", "log(0)"),
        ("-inf", "-inf"),
        ("2*(if x > 0 then 1 else 0)", "2*(if x > 0 then 1 else 0)"),
        ("if x > 0 then x else -x", "if x > 0 then x else -x"),
        ("if x > 1 then 2 else if x > 0 then 1 else 0", "if x > 1 then 2 else if x > 0 then 1 else 0"),
        ("a < b and (b < c or not (c < d and a < d))", "a < b and (b < c or not (c < d and a < d))"),
        ("diff(u(x, t), t) + u(x, t)*diff(u(x, t), x)", "diff(u(x, t), t) + u(x, t)*diff(u(x, t), x)"),
        ("diff(u(x, t), x, 2)", "diff(u(x, t), x, 2)"),
        ("(-2)^x", "(-2)^x"),
        ("(1/2)^x", "(1/2)^x"),
        ("1.5*x", "1.5*x"),
        ("1.0*x", "1.0*x"),
        ("2.0", "2.0"),
        ("x^2.5", "x^2.5"),
        ("1e-12*x", "1e-12*x"),
        ("F == m*a", "F == a*m"),
        ("(x^2 + y^2 + z^2)^(3/2)", "(x^2 + y^2 + z^2)^(3/2)"),
        ("sin(omega0*t + phi)^2", "sin(omega0*t + phi)^2"),
    ] {
        assert_eq!(parse(typed).to_string(), printed, "{typed}");
    }
}

#[test]
fn people_see_six_digits() {
    let shown = |text: &str| parse(text).display(&Style::default());
    assert_eq!(shown("2.0"), "2");
    assert_eq!(shown("1.0*x"), "x");
    assert_eq!(shown("3.14159265*x^2 - 1.0"), "3.14159*x^2 - 1");
    assert_eq!(shown("-1.0*x"), "-x");
}

fn metre() -> Unit {
    crate::units::Catalogue::load(&[("test", "unit metre, m\nunit second, s\nunit inch = 0.0254 [m]\n")])
        .and_then(|c| c.parse("m").map_err(|e| crate::base::Diagnostic::from_fault(&e, None)))
        .unwrap_or_else(|d| panic!("{d:?}"))
}

#[test]
fn quantities_have_their_unit_at_the_end() {
    let m = metre();
    let read = |text: &str| parse_with(text, &|_| Some(m.clone()));
    for (typed, printed) in [
        ("9.81 [m]", "9.81 [m]"),
        ("3 [m]*x", "3*x [m]"),
        ("(a + b)*1 [m]", "(a + b) [m]"),
        ("x/y*1 [m]", "(x/y) [m]"),
        ("(2/3) [m]", "(2/3) [m]"),
        ("-5 [m]", "-5 [m]"),
        ("x*1 [m] + 2 [m]", "x [m] + 2 [m]"),
        ("(1 [m])^x", "(1 [m])^x"),
        ("9.81 ± 0.02 [m]", "9.81 ± 0.02 [m]"),
        ("2*(9.81 ± 0.02 [m])", "2*(9.81 ± 0.02) [m]"),
    ] {
        let e = read(typed);
        assert_eq!(e.to_string(), printed, "{typed}");
        if !e.flags().has(Flags::UNCERTAIN) {
            assert_eq!(read(printed), e, "{typed}");
        }
    }
    let shown = |text: &str| read(text).display(&Style::default());
    assert_eq!(shown("(2/3) [m]"), "0.666667 [m]");
    assert_eq!(shown("sqrt(2)*1 [m]"), "1.41421 [m]");
    assert_eq!(shown("9000000 [m]"), "9000000 [m]");
}

#[test]
fn latex_text() {
    for (typed, latex) in [
        ("x^2", "x^{2}"),
        ("x/y", "\\frac{x}{y}"),
        ("sqrt(x + 1)", "\\sqrt{x + 1}"),
        ("1/2*m*v^2", "\\frac{1}{2} m v^{2}"),
        ("alpha_1", "\\alpha_{1}"),
        ("q1*q2", "q_{1} q_{2}"),
        ("omega_0*t", "\\omega_{0} t"),
        ("v_max", "v_{\\mathrm{max}}"),
        ("x''", "x''"),
        ("exp(-x^2/2)", "e^{-\\frac{x^{2}}{2}}"),
        ("sin(x)^2", "\\sin^{2}\\left(x\\right)"),
        ("a*(b + c)", "a \\left(b + c\\right)"),
        ("(a + b)/c", "\\frac{a + b}{c}"),
        ("2*3^x", "2 \\cdot 3^{x}"),
        ("1.5e-12", "1.5 \\cdot 10^{-12}"),
        ("x^(1/3)", "\\sqrt[3]{x}"),
        ("a - b*c", "a - b c"),
        ("diff(u(x, t), x, 2)", "\\frac{\\partial^{2} u\\left(x, t\\right)}{\\partial x^{2}}"),
        ("x >= 2", "x \\geq 2"),
    ] {
        assert_eq!(parse(typed).latex(), latex, "{typed}");
    }
}

#[test]
fn sympy_text() {
    for (typed, sympy) in [
        ("x^2 + 1", "x**2 + 1"),
        ("sqrt(x)*exp(y)", "sqrt(x)*exp(y)"),
        ("lambda*x", "lambda_*x"),
        ("abs(x)", "Abs(x)"),
        ("e^2 + i*pi", "exp(2) + pi*I"),
        ("theta'", "theta_prime"),
        ("log10(x)^2", "(log(x)/log(10))**2"),
        ("gamma*beta", "beta_*gamma_"),
        ("x^(1/3)/3", "x**(1/3)/3"),
        ("if x > 0 then x else 0", "Piecewise((x, Gt(x, 0)), (0, True))"),
        ("u(x) == 0", "Eq(Function('u')(x), 0)"),
        ("diff(u(x, t), x, 2)", "Derivative(Function('u')(x, t), x, 2)"),
        ("diff(u(x, t), x, t)", "Derivative(Function('u')(x, t), x, t)"),
        ("step(x) + inf*y", "oo*y + Heaviside(x)"),
    ] {
        assert_eq!(parse(typed).sympy(), sympy, "{typed}");
    }
}

#[test]
fn two_dimensional_formulas() {
    let drawn = |text: &str| parse(text).pretty().join("\n");
    assert_eq!(drawn("x^2 + 1"), "x² + 1");
    assert_eq!(drawn("(a + b)/c"), "a + b\n─────\n  c");
    assert_eq!(drawn("sqrt(x + 1)"), "  ______\n╲╱ x + 1");
    assert_eq!(drawn("(a/b)^2"), "a²\n──\nb²");
    assert_eq!(drawn("sin(a/b)"), "   ⎛a⎞\nsin⎜─⎟\n   ⎝b⎠");
    assert_eq!(drawn("x^y"), " y\nx");
    for case in 0..cases() as u64 {
        let mut rng = Streams::new(case).stream("pretty");
        // No panic, no empty picture.
        assert!(!random_expr(&mut rng, 25, &names()).pretty().is_empty());
    }
}

#[test]
fn names_of_sympy() {
    for (name, sympy) in
        [("x", "x"), ("lambda", "lambda_"), ("E", "E_"), ("x''", "x_prime_prime"), ("S", "S_"), ("q1", "q1")]
    {
        assert_eq!(sympy_name(name), sympy);
    }
}

#[test]
fn large_shared_trees_are_summarised() {
    let mut e = Expr::symbol("x");
    for _ in 0..80 {
        e = Expr::call(crate::expression::Function::Sin, vec![&e + &e.clone().sqrt()]);
    }
    assert!(e.to_string().starts_with("<expression of "));
    assert!(e.latex().contains("nodes"));
    assert_eq!(e.pretty().len(), 1);
}

/// What has no spelling of its own: NaN inside, infinities that arose from floats.
fn printable(e: &Expr) -> bool {
    !e.flags().has(Flags::UNDEFINED)
}

#[test]
fn printing_and_reading_give_the_same_expression() {
    let mut faults = Vec::new();
    for case in 0..cases() as u64 {
        let mut rng = Streams::new(case).stream("print");
        for nodes in [4, 9, 20] {
            let e = random_expr(&mut rng, nodes, &names());
            if !printable(&e) {
                continue;
            }
            let text = e.to_string();
            let again = parse(&text);
            if again != e {
                faults.push(format!("case {case}: {text}\nreads as {again}\n{e:?}\n{again:?}\n"));
            }
            let prefix = e.prefix();
            let again = Expr::from_prefix(&prefix);
            if again.as_ref() != Ok(&e) {
                faults.push(format!("case {case}: {text}\n{prefix}\nreads as {again:?}\n{e:?}\n"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults[..faults.len().min(6)].concat());
}

#[test]
fn prefix_tokens() {
    assert_eq!(Expr::from_prefix("+ ^ x 2 1"), Ok(parse("x^2 + 1")));
    let u = Expr::uncertain(Uncertain::new(7, 9.81, 0.02)) * Expr::symbol("gamma");
    assert_eq!(Expr::from_prefix(&u.prefix()), Ok(u));
    let m = Expr::unit(metre()) * Expr::float(1e300);
    assert_eq!(Expr::from_prefix_with(&m.prefix(), &|text| (text == "m").then(metre)), Ok(m));
    for (text, fault) in [
        ("+ x", PrefixError::Operands { operator: "+".into(), expected: 2, found: 1 }),
        ("x y", PrefixError::Count { found: 2 }),
        ("", PrefixError::Count { found: 0 }),
        ("?", PrefixError::Token { found: "?".into() }),
        ("if:99999999999999999999 x", PrefixError::Token { found: "if:99999999999999999999".into() }),
    ] {
        assert_eq!(Expr::from_prefix(text), Err(fault), "{text}");
    }
}

#[test]
fn the_canonical_form_is_a_fixed_point_and_keeps_values() {
    let symbols = &names()[..3];
    let (mut compared, mut seen) = (0, 0);
    let mut faults = Vec::new();
    for case in 0..cases() as u64 {
        let mut rng = Streams::new(case).stream("canonical");
        let any = random_expr(&mut rng, 16, symbols);
        let tree = random_tree(&mut rng, 16, symbols.len());
        let e = tree.to_expr(symbols);
        // What has no value is kept as it was asked for.
        for e in [&any, &e].into_iter().filter(|e| !e.is_undefined()) {
            e.visit(&mut |part| {
                let again = part.map_children(Expr::clone);
                if again != *part {
                    faults.push(format!("case {case}: {part} becomes {again}\n{part:?}\n{again:?}\n"));
                }
            });
        }
        for point in [[0.7, 1.3, 2.1], [-0.4, 0.9, -1.7]] {
            let value = tree.value(&point, &mut 0.0);
            seen += 1;
            let noisy = [0.3, 0.6, 0.8].map(|seed| tree.value(&point, &mut { seed }));
            let spread = noisy.iter().map(|v| (v - value).abs()).fold(0.0, f64::max);
            // Where rounding decides, nothing can be compared.
            if e.is_undefined()
                || value.is_nan()
                || !noisy.iter().all(|v| v.is_finite())
                || value.abs() > 1e12
                || spread > 1e-6 * (1.0 + value.abs())
            {
                continue;
            }
            compared += 1;
            let at = |s: &Symbol| symbols.iter().position(|own| own == s).map(|i| point[i]);
            let found = e.evaluate(&at).unwrap_or(f64::NAN);
            if found.is_nan() || (found - value).abs() > 1e-11 * (1.0 + value.abs()) + 10.0 * spread {
                faults.push(format!("case {case}: {e} at {point:?} is {found}, was {value}: {tree:?}\n"));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults[..faults.len().min(8)].concat());
    assert!(compared * 5 > seen, "{compared} of {seen}");
    assert!(!matches!(parse("x").kind(), Kind::Sum(_)));
}

#[test]
fn a_wide_formula_goes_on_in_blocks() {
    let e = parse("(a + b)/(c + d) + (c + d)/(e1 + f) + (g + h)/(k + l)");
    let whole = e.pretty_within(&Style::default(), 80).unwrap();
    assert_eq!(whole.len(), 3);
    let narrow = e.pretty_within(&Style::default(), 20).unwrap();
    assert!(
        narrow.len() > 3 && narrow.iter().all(|r| unicode_width::UnicodeWidthStr::width(r.as_str()) <= 20)
    );
    assert!(e.pretty_within(&Style::default(), 5).is_none());
}
