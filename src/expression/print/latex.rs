//! LaTeX: fractions, roots, Greek names, subscripts (`q1` is q_{1}), partial derivatives. Needs amsmath for `cases`
//! and `\text` only.

use super::order::{self, Layout};
use super::{Style, number};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Derivative, Expr, Kind, Relation};
use crate::expression::symbol::Constant;

/// How tightly a text binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Logic,
    Sum,
    Sign,
    Product,
    Power,
    Atom,
}

pub(super) fn text(e: &Expr) -> String {
    write(e).0
}

fn at(e: &Expr, place: Binding) -> String {
    let (text, own) = write(e);
    if own < place { bracketed(&text) } else { text }
}

fn bracketed(text: &str) -> String {
    format!("\\left({text}\\right)")
}

fn write(e: &Expr) -> (String, Binding) {
    let atom = |text: &str| (text.to_owned(), Binding::Atom);
    match e.kind() {
        Kind::Number(n) if n.is_integer() => {
            (n.to_string(), if n.is_negative() { Binding::Sign } else { Binding::Atom })
        }
        Kind::Number(n) => {
            let sign = if n.is_negative() { "-" } else { "" };
            let text = format!("{sign}\\frac{{{}}}{{{}}}", n.abs().numerator(), n.denominator());
            (text, if n.is_negative() { Binding::Sign } else { Binding::Product })
        }
        Kind::Float(x) => {
            let text = float(*x);
            let own = match (*x < 0.0, text.contains("\\cdot")) {
                (true, _) => Binding::Sign,
                (_, true) => Binding::Product,
                _ => Binding::Atom,
            };
            (text, own)
        }
        Kind::Uncertain(u) => {
            let text = number::uncertain(u.value(), u.sigma());
            let parts: Vec<String> = text.split(" ± ").map(power_of_ten).collect();
            (parts.join(" \\pm "), Binding::Sum)
        }
        Kind::Constant(c) => atom(match c {
            Constant::Pi => "\\pi",
            Constant::E => "e",
            Constant::I => "i",
            Constant::Infinity => "\\infty",
        }),
        Kind::Symbol(s) => {
            let text = name(s.name());
            // A symbol with a prime or an index takes a power in braces.
            let own = if s.primes() > 0 { Binding::Product } else { Binding::Atom };
            (text, own)
        }
        Kind::Sum(items) => {
            let mut out = String::new();
            for (i, term) in order::terms(items).iter().enumerate() {
                let text = at(term, Binding::Sign);
                match text.strip_prefix('-') {
                    Some(rest) if i > 0 => out.push_str(&format!(" - {rest}")),
                    _ if i > 0 => out.push_str(&format!(" + {text}")),
                    _ => out.push_str(&text),
                }
            }
            (out, Binding::Sum)
        }
        Kind::Product(_) | Kind::Unit(_) => product(e),
        Kind::Power(b, x) => {
            if x.as_f64().is_some_and(|v| v < 0.0) {
                return product(e);
            }
            power(b, x)
        }
        Kind::Call(f, args) => (call(*f, args, None), Binding::Atom),
        Kind::Apply(f, args) => (format!("{}{}", name(f.name()), arguments(args)), Binding::Atom),
        Kind::Derivative(d) => (derivative(d), Binding::Product),
        Kind::Relation(op, a, b) => {
            let sign = match op {
                Relation::Eq => "=",
                Relation::Ne => "\\neq",
                Relation::Lt => "<",
                Relation::Le => "\\leq",
                Relation::Gt => ">",
                Relation::Ge => "\\geq",
            };
            (format!("{} {sign} {}", at(a, Binding::Sum), at(b, Binding::Sum)), Binding::Logic)
        }
        Kind::Not(a) => (format!("\\neg {}", at(a, Binding::Atom)), Binding::Logic),
        Kind::And(items) => (joined(items, " \\land "), Binding::Logic),
        Kind::Or(items) => (joined(items, " \\lor "), Binding::Logic),
        Kind::Bool(b) => atom(if *b { "\\text{true}" } else { "\\text{false}" }),
        Kind::Piecewise(branches, otherwise) => {
            let mut rows: Vec<String> =
                branches.iter().map(|(c, v)| format!("{} & \\text{{if }} {}", text(v), text(c))).collect();
            rows.push(format!("{} & \\text{{otherwise}}", text(otherwise)));
            (format!("\\begin{{cases}} {} \\end{{cases}}", rows.join(" \\\\ ")), Binding::Sum)
        }
    }
}

fn joined(items: &[Expr], word: &str) -> String {
    let parts: Vec<String> = items
        .iter()
        .map(|e| if matches!(e.kind(), Kind::And(_) | Kind::Or(_)) { bracketed(&text(e)) } else { text(e) })
        .collect();
    parts.join(word)
}

fn arguments(args: &[Expr]) -> String {
    let parts: Vec<String> = args.iter().map(text).collect();
    bracketed(&parts.join(", "))
}

fn float(x: f64) -> String {
    match x {
        _ if x.is_nan() => "\\text{undefined}".into(),
        _ if x.is_infinite() => if x > 0.0 { "\\infty" } else { "-\\infty" }.into(),
        _ => power_of_ten(&number::float(x, &Style::default())),
    }
}

/// `1.5e-12` as 1.5 \cdot 10^{-12}.
fn power_of_ten(text: &str) -> String {
    match text.split_once('e') {
        Some(("1", power)) => format!("10^{{{power}}}"),
        Some((mantissa, power)) => format!("{mantissa} \\cdot 10^{{{power}}}"),
        None => text.to_owned(),
    }
}

fn power(b: &Expr, x: &Expr) -> (String, Binding) {
    if let Some(n) = x.as_number().filter(|n| n.numerator().is_one() && !n.is_integer()) {
        let degree = n.denominator();
        return if degree == Number::TWO {
            (format!("\\sqrt{{{}}}", text(b)), Binding::Atom)
        } else {
            (format!("\\sqrt[{degree}]{{{}}}", text(b)), Binding::Atom)
        };
    }
    if let (Kind::Call(f, args), Some(n)) = (b.kind(), x.as_i64())
        && n > 1
        && command(*f).is_some_and(|c| c.starts_with('\\'))
    {
        return (call(*f, args, Some(n)), Binding::Power);
    }
    let base = match b.kind() {
        Kind::Symbol(s) if s.primes() > 0 => format!("{{{}}}", name(s.name())),
        _ => at(b, Binding::Atom),
    };
    (format!("{base}^{{{}}}", text(x)), Binding::Power)
}

/// The command of a function that LaTeX sets in roman.
fn command(f: Function) -> Option<&'static str> {
    use Function::*;
    Some(match f {
        Log => "\\ln",
        Sin => "\\sin",
        Cos => "\\cos",
        Tan => "\\tan",
        Asin => "\\arcsin",
        Acos => "\\arccos",
        Atan => "\\arctan",
        Sinh => "\\sinh",
        Cosh => "\\cosh",
        Tanh => "\\tanh",
        Min => "\\min",
        Max => "\\max",
        Arg => "\\arg",
        Gamma => "\\Gamma",
        _ => return None,
    })
}

fn call(f: Function, args: &[Expr], exponent: Option<i64>) -> String {
    use Function::*;
    let x = || text(&args[0]);
    match f {
        Exp => return format!("e^{{{}}}", x()),
        Abs => return format!("\\left|{}\\right|", x()),
        Floor => return format!("\\left\\lfloor {}\\right\\rfloor", x()),
        Ceil => return format!("\\left\\lceil {}\\right\\rceil", x()),
        Conj => return format!("\\overline{{{}}}", x()),
        Factorial => return format!("{}!", at(&args[0], Binding::Atom)),
        Log10 => return format!("\\log_{{10}}{}", arguments(args)),
        Log2 => return format!("\\log_{{2}}{}", arguments(args)),
        Order => return format!("O{}", arguments(args)),
        LogGamma => return format!("\\ln \\Gamma{}", arguments(args)),
        Step => return format!("\\theta{}", arguments(args)),
        _ => {}
    }
    let name = command(f).map_or_else(|| format!("\\operatorname{{{}}}", f.name()), str::to_owned);
    let raised = exponent.map_or(String::new(), |n| format!("^{{{n}}}"));
    format!("{name}{raised}{}", arguments(args))
}

fn product(e: &Expr) -> (String, Binding) {
    let layout = Layout::of(e);
    let sign = if layout.negative { "-" } else { "" };
    let mut numbers: Vec<String> = Vec::new();
    if let Some(x) = layout.float.filter(|x| *x != 1.0 || layout.above.is_empty()) {
        numbers.push(float(x));
    }
    if let Some(n) = &layout.ratio {
        numbers.push(format!("\\frac{{{}}}{{{}}}", n.numerator(), n.denominator()));
    }
    let above = factors(numbers, layout.above_number.as_ref(), &layout.above, !layout.has_below());
    let (mut body, mut own) = if layout.has_below() {
        let below = factors(Vec::new(), layout.below_number.as_ref(), &layout.below, false);
        (format!("\\frac{{{above}}}{{{below}}}"), Binding::Product)
    } else {
        (above, Binding::Product)
    };
    if !layout.units.is_empty() {
        let units: Vec<String> = layout.units.iter().map(crate::units::Unit::latex).collect();
        body = format!("{body}\\,{}", units.join("\\,"));
    }
    if layout.negative {
        own = Binding::Sign;
    }
    (format!("{sign}{body}"), own)
}

/// Factors side by side; `open` where a lone sum would stand beside nothing that brackets it.
fn factors(mut parts: Vec<String>, number: Option<&Number>, items: &[Expr], open: bool) -> String {
    parts.extend(number.map(Number::to_string));
    let lone = parts.is_empty() && items.len() == 1;
    for item in items {
        let part = if lone && !open { text(item) } else { at(item, Binding::Product) };
        // Two numbers side by side would read as one.
        let digit = part.starts_with(|c: char| c.is_ascii_digit());
        match parts.last_mut() {
            Some(last) if digit && last.ends_with(|c: char| c.is_ascii_digit() || c == '}') => {
                last.push_str(" \\cdot ");
                last.push_str(&part);
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { "1".into() } else { parts.join(" ") }
}

fn derivative(d: &Derivative) -> String {
    let (args, put_in) = super::line::derivative_arguments(d);
    let total: u32 = d.orders.iter().sum();
    let raised = |n: u32| if n > 1 { format!("^{{{n}}}") } else { String::new() };
    let letter = if args.len() == 1 { "d" } else { "\\partial" };
    let below: Vec<String> = d
        .orders
        .iter()
        .zip(&args)
        .filter(|(n, _)| **n > 0)
        .map(|(n, a)| format!("{letter} {}{}", text(a), raised(*n)))
        .collect();
    let top = format!("{letter}{} {}{}", raised(total), name(d.function.name()), arguments(&args));
    let fraction = format!("\\frac{{{top}}}{{{}}}", below.join(" "));
    if put_in.is_empty() {
        return fraction;
    }
    let values: Vec<String> =
        put_in.iter().map(|(s, v)| format!("{} = {}", name(s.name()), text(v))).collect();
    format!("\\left.{fraction}\\right|_{{{}}}", values.join(", "))
}

const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
];

/// A name: Greek, index after `_` or where digits begin, primes; words upright.
fn name(full: &str) -> String {
    let primes = full.len() - full.trim_end_matches('\'').len();
    let plain = &full[..full.len() - primes];
    let (stem, index) = match plain.split_once('_') {
        Some((stem, index)) if !stem.is_empty() && !index.is_empty() => (stem, index.replace('_', ",")),
        _ => {
            let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
            if stem.is_empty() { (plain, String::new()) } else { (stem, plain[stem.len()..].to_owned()) }
        }
    };
    let (stem, more) = {
        let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
        if bare.is_empty() { (stem, "") } else { (bare, &stem[bare.len()..]) }
    };
    let index = if more.is_empty() { index } else { format!("{more},{index}") };
    let index = index.trim_end_matches(',').to_owned();
    let mut out = word(stem);
    if !index.is_empty() {
        let parts: Vec<String> = index.split(',').map(word).collect();
        out.push_str(&format!("_{{{}}}", parts.join(",")));
    }
    out.push_str(&"'".repeat(primes));
    out
}

fn word(text: &str) -> String {
    if GREEK.contains(&text) {
        return format!("\\{text}");
    }
    match text {
        "hbar" | "ħ" => return "\\hbar".into(),
        "omicron" => return "o".into(),
        _ => {}
    }
    let safe = text.replace('_', "\\_");
    if text.chars().count() > 1 && !text.chars().all(|c| c.is_ascii_digit()) {
        format!("\\mathrm{{{safe}}}")
    } else {
        safe
    }
}
