use super::*;
use crate::base::random::Streams;
use crate::expression::Function;
use crate::expression::arbitrary::{cases, random_expr};
use crate::expression::node::{Flags, Kind};
use crate::expression::read::parse;
use crate::expression::symbol::Symbol;

fn names() -> Vec<Symbol> {
    ["x", "y", "lambda", "E", "theta1", "x'", "S"].map(Symbol::new).to_vec()
}

/// Random expressions that have a value; at least 200.
fn trees(what: &str) -> Vec<Expr> {
    let mut trees = Vec::new();
    for case in 0..cases().max(200) as u64 {
        let mut rng = Streams::new(case).stream(what);
        trees.extend([4, 9, 20].map(|nodes| random_expr(&mut rng, nodes, &names())));
    }
    trees.retain(|e| !e.flags().has(Flags::UNDEFINED));
    assert!(trees.len() >= 200, "{}", trees.len());
    trees
}

fn round_trips(
    trees: &[Expr],
    write: impl Fn(&Expr) -> String,
    read: impl Fn(&str) -> Result<Expr, ImportError>,
) {
    let mut faults = Vec::new();
    for e in trees {
        let text = write(e);
        match read(&text) {
            Ok(again) if again == *e => {}
            Ok(again) => faults.push(format!("{e}\n  {text}\n  reads as {again}\n")),
            Err(fault) => faults.push(format!("{e}\n  {text}\n  {fault}\n")),
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {}\n{}",
        faults.len(),
        trees.len(),
        faults[..faults.len().min(8)].concat()
    );
}

#[test]
fn what_sympy_gets_comes_back() {
    round_trips(&trees("str"), Expr::sympy, Expr::from_sympy);
}

#[test]
fn what_srepr_gets_comes_back() {
    round_trips(&trees("srepr"), Expr::srepr, Expr::from_sympy);
}

/// LaTeX shows six digits and no difference between 2 and 2.0, so that floats are compared as numbers.
#[test]
fn what_latex_shows_comes_back() {
    let exact = |e: &Expr| {
        e.transform(&mut |e| match e.kind() {
            Kind::Float(x) => crate::base::Number::from_f64_decimal(*x).map_or(e, Expr::number),
            _ => e,
        })
    };
    let trees: Vec<Expr> =
        trees("latex").iter().map(exact).filter(|e| !e.flags().has(Flags::UNDEFINED)).collect();
    round_trips(&trees, Expr::latex, |text| Expr::from_latex(text).map(|e| exact(&e)));
}

#[test]
fn both_forms_of_sympy_are_read() {
    for (text, phys) in [
        ("x**2/2 + sin(x)*exp(-y) - 1", "x^2/2 + sin(x)*exp(-y) - 1"),
        ("-x**2", "-x^2"),
        ("2**-x", "2^(-x)"),
        ("2**3**x", "2^(3^x)"),
        ("a - b - c*d/e_/f", "a - b - c*d/e_/f"),
        ("Rational(1, 2)*S(3)", "3/2"),
        ("S('x/2') + Float('0.5')", "x/2 + 0.5"),
        ("Add(Mul(Integer(2), Symbol('x', positive=True)), Integer(1))", "2*x + 1"),
        ("Pow(Symbol(\"x'\"), Rational(1, 2))", "sqrt(x')"),
        ("Piecewise((x, x > 0), (0, True))", "if x > 0 then x else 0"),
        (
            "Piecewise((x, (x > 0) & (y < 1)), (-x, Or(x < -1, ~(y > 2))), (0, True))",
            "if x > 0 and y < 1 then x else if x < -1 or y <= 2 then -x else 0",
        ),
        (
            "Min(x, 3) + Max(y, x) + Abs(x) + Mod(x, 2) + Heaviside(x)",
            "min(x, 3) + max(y, x) + abs(x) + mod(x, 2) + step(x)",
        ),
        ("Heaviside(x, 1/2)", "step(x)"),
        ("log(x, 3)", "log(x)/log(3)"),
        ("log(x)/log(10) + log(y)/log(2)", "log10(x) + log2(y)"),
        ("sec(x) + root(x, 3) + E + I*pi", "1/cos(x) + x^(1/3) + e + i*pi"),
        ("Derivative(u(x, t), (x, 2), t)", "diff(u(x, t), x, 2, t)"),
        ("Derivative(Function('u')(x), x, 2)", "diff(u(x), x, 2)"),
        ("Subs(Derivative(u(x), x), x, 3)", "diff(u(x), x)(x: 3)"),
        ("Equality(Symbol('y'), Symbol('x'))", "y == x"),
        ("1.5e-3*x + .5 + 2.", "1.5e-3*x + 0.5 + 2.0"),
        ("lambda_*beta_", "lambda*beta"),
        ("x // y", "floor(x/y)"),
    ] {
        assert_eq!(Expr::from_sympy(text), Ok(parse(phys)), "{text}");
    }
}

#[test]
fn latex_is_read() {
    for (text, phys) in [
        ("\\frac{1}{2} m v^{2}", "m*v^2/2"),
        ("\\frac{\\partial^{2} u\\left(x, t\\right)}{\\partial x^{2}}", "diff(u(x, t), x, 2)"),
        ("\\sin^{2}\\left(\\omega t\\right)", "sin(omega*t)^2"),
        ("v_{\\mathrm{max}} + \\sqrt[3]{x}", "v_max + x^(1/3)"),
        ("a \\left(b + c\\right)", "a*(b + c)"),
        ("f\\left(b + c\\right)", "f(b + c)"),
        ("e^{-\\frac{x^{2}}{2}}", "exp(-x^2/2)"),
        ("1.5 \\cdot 10^{-12}", "1.5e-12"),
        ("x \\geq 2", "x >= 2"),
        ("2x^2", "2*x^2"),
    ] {
        assert_eq!(Expr::from_latex(text), Ok(parse(phys)), "{text}");
    }
}

#[test]
fn faults_say_where_and_what_would_be_right() {
    for (text, at, expected, found) in [
        ("x + ", 5, "an expression", "the end"),
        ("sin(x", 6, "`,` or `)`", "the end"),
        ("x^2", 1, "`**` for powers", "`^`"),
        ("x + Sin(y)", 5, "`sin`", "`Sin`"),
        ("x*besselj(0, y)", 3, "a function that phys has", "`besselj`"),
        ("x + lambda", 5, "a symbol or constant of phys", "`lambda`, which SymPy keeps"),
        ("1 < x < 2", 9, "one comparison", "a chain of them"),
        ("sin(x, y)", 1, "1 argument of `sin`", "2"),
        ("x $ y", 3, "an expression of SymPy", "`$`"),
        ("x y", 3, "an operator or the end", "`y`"),
        ("Symbol('x)", 8, "a closing '", "the end"),
        ("1.2.3", 1, "a number", "`1.2.3`"),
    ] {
        let fault = Expr::from_sympy(text).unwrap_err();
        assert_eq!(
            (fault.at, fault.expected.as_str(), fault.found.as_str()),
            (at, expected, found),
            "{text}"
        );
        assert!(fault.hint().is_some() && fault.code() == Code(1206));
    }
    for (text, at, expected, found) in [
        ("\\frac{x}{", 10, "a formula", "the end"),
        ("\\left(x + 1", 12, "`\\right`", "the end"),
        ("3\\,\\mathrm{m}", 2, "an operator or the end", "`\\,`"),
        ("\\foo x", 1, "a formula", "`\\foo`"),
        ("\\operatorname{foo}\\left(x\\right)", 14, "a function of phys", "`foo`"),
    ] {
        let fault = Expr::from_latex(text).unwrap_err();
        assert_eq!(
            (fault.at, fault.expected.as_str(), fault.found.as_str()),
            (at, expected, found),
            "{text}"
        );
        assert!(fault.hint().is_some() && fault.code() == Code(1207));
    }
    // Neither depth nor length ends in anything but an expression or a fault.
    for n in [90, 150, 100_000] {
        for (open, close) in
            [("(", ")"), ("sin(", ")"), ("-", ""), ("x**", ""), ("x & ", ""), ("x % ", ""), ("x + ", "")]
        {
            let _ = Expr::from_sympy(&format!("{}x{}", open.repeat(n), close.repeat(n)));
        }
        for (open, close) in
            [("\\left(", "\\right)"), ("{", "}"), ("\\sqrt{", "}"), ("x^", ""), ("\\neg", "")]
        {
            let _ = Expr::from_latex(&format!("{}x{}", open.repeat(n), close.repeat(n)));
        }
    }
}

#[test]
fn no_text_of_random_characters_does_more_than_fail() {
    use rand::RngExt;
    let parts = [
        "x",
        "1",
        ".",
        "(",
        ")",
        "*",
        "**",
        ",",
        "sin",
        "'",
        "\\frac",
        "\\left",
        "\\right",
        "{",
        "}",
        "^",
        "_",
        "\\text",
        "\\begin",
        "10",
        "\\cdot",
        "d",
        " ",
        "|",
        "Piecewise",
        "Derivative",
        "Subs",
        "Mul",
        "\\",
        "é",
        "=",
    ];
    for case in 0..cases() as u64 * 4 {
        let mut rng = Streams::new(case).stream("garbage");
        let text: String =
            (0..rng.random_range(1..14)).map(|_| parts[rng.random_range(0..parts.len())]).collect();
        let _ = (Expr::from_sympy(&text), Expr::from_latex(&text));
    }
    assert_eq!(
        Expr::from_latex("\\Gamma\\left(x\\right)"),
        Ok(Expr::call(Function::Gamma, vec![parse("x")]))
    );
}
