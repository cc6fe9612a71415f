//! SymPy's `srepr`: every node as a call that builds it, names of symbols in quotes. `sympy.srepr` is documented at
//! <https://docs.sympy.org/latest/modules/printing.html>.

use super::Style;
use super::number;
use super::order;
use super::sympy::sympy_function_name;
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Kind, Relation};
use crate::expression::symbol::Constant;

pub(super) fn text(e: &Expr) -> String {
    let mut out = String::new();
    write(e, &mut out);
    out
}

fn call(name: &str, args: &[Expr], out: &mut String) {
    out.push_str(name);
    out.push('(');
    for (i, a) in args.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(a, out);
    }
    out.push(')');
}

/// A name in Python's quotes.
fn quoted(name: &str) -> String {
    if name.contains('\'') { format!("\"{name}\"") } else { format!("'{name}'") }
}

fn write(e: &Expr, out: &mut String) {
    match e.kind() {
        Kind::Number(n) => rational(n, out),
        Kind::Float(x) => float(*x, out),
        Kind::Uncertain(u) => float(u.value(), out),
        Kind::Unit(u) => write(&Expr::scale_factor(u.scale()), out),
        Kind::Constant(c) => out.push_str(match c {
            Constant::Pi => "pi",
            Constant::E => "E",
            Constant::I => "I",
            Constant::Infinity => "oo",
        }),
        Kind::Symbol(s) => out.push_str(&format!("Symbol({})", quoted(s.name()))),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Sum(items) => call("Add", &order::terms(items), out),
        Kind::Product(items) => call("Mul", items, out),
        Kind::Power(b, x) => call("Pow", &[b.clone(), x.clone()], out),
        Kind::Call(f, args) => function(*f, args, out),
        Kind::Apply(f, args) => call(&format!("Function({})", quoted(f.name())), args, out),
        Kind::Derivative(d) => {
            let (args, put_in) = super::line::derivative_arguments(d);
            if !put_in.is_empty() {
                out.push_str("Subs(");
            }
            out.push_str("Derivative(");
            call(&format!("Function({})", quoted(d.function.name())), &args, out);
            for (slot, n) in d.orders.iter().enumerate().filter(|(_, n)| **n > 0) {
                out.push_str(", ");
                call("Tuple", &[args[slot].clone(), Expr::int(i64::from(*n))], out);
            }
            out.push(')');
            if !put_in.is_empty() {
                let (names, values): (Vec<Expr>, Vec<Expr>) =
                    put_in.into_iter().map(|(s, v)| (Expr::symbol(s), v)).unzip();
                for items in [names, values] {
                    out.push_str(", ");
                    call("Tuple", &items, out);
                }
                out.push(')');
            }
        }
        Kind::Relation(op, a, b) => {
            let name = match op {
                Relation::Eq => "Equality",
                Relation::Ne => "Unequality",
                Relation::Lt => "StrictLessThan",
                Relation::Le => "LessThan",
                Relation::Gt => "StrictGreaterThan",
                Relation::Ge => "GreaterThan",
            };
            call(name, &[a.clone(), b.clone()], out);
        }
        Kind::Not(a) => call("Not", std::slice::from_ref(a), out),
        Kind::And(items) => call("And", items, out),
        Kind::Or(items) => call("Or", items, out),
        Kind::Piecewise(branches, otherwise) => {
            out.push_str("Piecewise(");
            for (condition, value) in branches {
                call("ExprCondPair", &[value.clone(), condition.clone()], out);
                out.push_str(", ");
            }
            call("ExprCondPair", &[otherwise.clone(), Expr::boolean(true)], out);
            out.push(')');
        }
    }
}

fn rational(n: &Number, out: &mut String) {
    out.push_str(&if n.is_integer() {
        format!("Integer({n})")
    } else {
        format!("Rational({}, {})", n.numerator(), n.denominator())
    });
}

fn float(x: f64, out: &mut String) {
    out.push_str(&match x {
        _ if x.is_nan() => "nan".into(),
        f64::INFINITY => "oo".into(),
        f64::NEG_INFINITY => "Mul(Integer(-1), oo)".into(),
        _ => format!("Float('{}', precision=53)", number::float(x, &Style::exact())),
    });
}

fn function(f: Function, args: &[Expr], out: &mut String) {
    match (f, args) {
        (Function::Log10 | Function::Log2, _) => {
            out.push_str("Mul(");
            call("log", args, out);
            let base = if f == Function::Log10 { 10 } else { 2 };
            out.push_str(&format!(", Pow(log(Integer({base})), Integer(-1)))"));
        }
        // Half away from zero, as in `sympy.rs`.
        (Function::Round, _) => {
            out.push_str("Mul(");
            call("sign", args, out);
            out.push_str(", floor(Add(");
            call("Abs", args, out);
            out.push_str(", Rational(1, 2))))");
        }
        _ => call(sympy_function_name(f).unwrap_or_else(|| f.name()), args, out),
    }
}
