//! From the tree of a SymPy text to an expression. `str` and `srepr` are read alike: what one writes with operators the
//! other writes as calls (`Add`, `Mul`, `Pow`). `1/2` is the exact ratio, as `sympify` reads it. Where SymPy spells a
//! function of phys by others (`log(x)/log(10)`), that spelling is read as the function.

use super::ImportError;
use super::python::{Kind, Node, fault, parse};
use crate::base::Number;
use crate::expression::function::Function;
use crate::expression::node::{Expr, Relation};
use crate::expression::print::{is_taken_by_sympy, sympy_function};
use crate::expression::symbol::{Constant, Symbol};

type Result<T> = std::result::Result<T, ImportError>;

pub(super) fn read(text: &str) -> Result<Expr> {
    expr(&parse(text)?)
}

/// A name of SymPy, its number of arguments, and what it is here.
type Spelling = (&'static str, usize, fn(&[Expr]) -> Expr);

/// Functions of SymPy that phys spells by others.
const SPELT: &[Spelling] = &[
    ("sqrt", 1, |a| a[0].clone().sqrt()),
    ("cbrt", 1, |a| Expr::power(a[0].clone(), Expr::ratio(1, 3))),
    ("root", 2, |a| Expr::power(a[0].clone(), a[1].clone().recip())),
    ("Pow", 2, |a| Expr::power(a[0].clone(), a[1].clone())),
    ("ln", 1, |a| call(Function::Log, &a[0])),
    ("abs", 1, |a| call(Function::Abs, &a[0])),
    ("sec", 1, |a| call(Function::Cos, &a[0]).recip()),
    ("csc", 1, |a| call(Function::Sin, &a[0]).recip()),
    ("cot", 1, |a| call(Function::Tan, &a[0]).recip()),
    ("sech", 1, |a| call(Function::Cosh, &a[0]).recip()),
    ("csch", 1, |a| call(Function::Sinh, &a[0]).recip()),
    ("coth", 1, |a| call(Function::Tanh, &a[0]).recip()),
    ("asec", 1, |a| call(Function::Acos, &a[0].clone().recip())),
    ("acsc", 1, |a| call(Function::Asin, &a[0].clone().recip())),
    ("acot", 1, |a| call(Function::Atan, &a[0].clone().recip())),
    ("asech", 1, |a| call(Function::Acosh, &a[0].clone().recip())),
    ("acsch", 1, |a| call(Function::Asinh, &a[0].clone().recip())),
    ("acoth", 1, |a| call(Function::Atanh, &a[0].clone().recip())),
    ("Eq", 2, |a| Expr::relation(Relation::Eq, a[0].clone(), a[1].clone())),
    ("Equality", 2, |a| Expr::relation(Relation::Eq, a[0].clone(), a[1].clone())),
    ("Ne", 2, |a| Expr::relation(Relation::Ne, a[0].clone(), a[1].clone())),
    ("Unequality", 2, |a| Expr::relation(Relation::Ne, a[0].clone(), a[1].clone())),
    ("Lt", 2, |a| Expr::relation(Relation::Lt, a[0].clone(), a[1].clone())),
    ("StrictLessThan", 2, |a| Expr::relation(Relation::Lt, a[0].clone(), a[1].clone())),
    ("Le", 2, |a| Expr::relation(Relation::Le, a[0].clone(), a[1].clone())),
    ("LessThan", 2, |a| Expr::relation(Relation::Le, a[0].clone(), a[1].clone())),
    ("Gt", 2, |a| Expr::relation(Relation::Gt, a[0].clone(), a[1].clone())),
    ("StrictGreaterThan", 2, |a| Expr::relation(Relation::Gt, a[0].clone(), a[1].clone())),
    ("Ge", 2, |a| Expr::relation(Relation::Ge, a[0].clone(), a[1].clone())),
    ("GreaterThan", 2, |a| Expr::relation(Relation::Ge, a[0].clone(), a[1].clone())),
    ("Not", 1, |a| Expr::not(a[0].clone())),
];

fn call(f: Function, x: &Expr) -> Expr {
    Expr::call(f, vec![x.clone()])
}

/// The name in phys of a SymPy symbol: what [`crate::expression::print::sympy_name`] changed is changed back.
fn symbol(name: &str) -> Symbol {
    let mut plain = name;
    let mut primes = 0;
    while let Some(stem) = plain.strip_suffix("_prime").filter(|s| !s.is_empty()) {
        (plain, primes) = (stem, primes + 1);
    }
    if let Some(stem) = plain.strip_suffix('_')
        && is_taken_by_sympy(stem)
        && Constant::from_name(stem).is_none()
    {
        plain = stem;
    }
    Symbol::new(&format!("{plain}{}", "'".repeat(primes)))
}

fn all(nodes: &[Node]) -> Result<Vec<Expr>> {
    nodes.iter().map(expr).collect()
}

fn expr(node: &Node) -> Result<Expr> {
    let at = node.at;
    Ok(match &node.kind {
        Kind::Number(text) => number(text, at)?,
        Kind::Name(name) => match name.as_str() {
            "pi" => Expr::pi(),
            "E" => Expr::constant(Constant::E),
            "I" => Expr::i(),
            "oo" => Expr::constant(Constant::Infinity),
            "nan" => Expr::float(f64::NAN),
            "true" | "True" => Expr::boolean(true),
            "false" | "False" => Expr::boolean(false),
            _ if is_taken_by_sympy(name) => {
                let mut e = fault(at, "a symbol or constant of phys", format!("`{name}`, which SymPy keeps"));
                e.hint = Some(format!("a symbol of that name is `{name}_` there"));
                return Err(e);
            }
            _ => Expr::symbol(symbol(name)),
        },
        Kind::Text(text) => return Err(fault(at, "an expression", format!("the text `{text}`"))),
        Kind::Tuple(_) => return Err(fault(at, "one expression", "several in brackets")),
        Kind::Bracket(inner) => expr(inner)?,
        Kind::Prefix(sign, x) => match *sign {
            "-" => expr(x)?.negate(),
            "+" => expr(x)?,
            _ => Expr::not(expr(x)?),
        },
        Kind::Infix(sign, a, b) => infix(node, sign, a, b)?,
        Kind::Call(callee, args) => match &callee.kind {
            Kind::Name(name) => called(name, args, at)?,
            Kind::Call(inner, _) if matches!(&inner.kind, Kind::Name(n) if n == "Function") => {
                Expr::apply(undefined(callee)?, all(args)?)
            }
            _ => return Err(fault(callee.at, "the name of a function", "an expression")),
        },
    })
}

fn number(text: &str, at: usize) -> Result<Expr> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Number::parse_integer(text)
            .map(Expr::number)
            .ok_or_else(|| fault(at, "a number", format!("`{text}`")));
    }
    text.parse().map(Expr::float).map_err(|_| fault(at, "a number", format!("`{text}`")))
}

fn infix(node: &Node, sign: &'static str, a: &Node, b: &Node) -> Result<Expr> {
    let relation = match sign {
        "==" => Some(Relation::Eq),
        "!=" => Some(Relation::Ne),
        "<" => Some(Relation::Lt),
        "<=" => Some(Relation::Le),
        ">" => Some(Relation::Gt),
        ">=" => Some(Relation::Ge),
        _ => None,
    };
    if let Some(op) = relation {
        if matches!(&a.kind, Kind::Infix("==" | "!=" | "<" | "<=" | ">" | ">=", ..)) {
            let mut e = fault(b.at, "one comparison", "a chain of them");
            e.hint = Some("(a < x) & (x < b)".into());
            return Err(e);
        }
        return Ok(Expr::relation(op, expr(a)?, expr(b)?));
    }
    // Sums and products of many operands are chains to the left: walked in a loop, not by recursion.
    if matches!(sign, "+" | "-" | "*" | "/") {
        if let Some(known) = spelt_by_others(node)? {
            return Ok(known);
        }
        let sum = matches!(sign, "+" | "-");
        let mut items = Vec::new();
        let mut left = node;
        while let Kind::Infix(sign, a, b) = &left.kind {
            if matches!(*sign, "+" | "-") != sum || !matches!(*sign, "+" | "-" | "*" | "/") {
                break;
            }
            let right = expr(b)?;
            items.push(match *sign {
                "-" => right.negate(),
                "/" => right.recip(),
                _ => right,
            });
            left = a;
        }
        items.push(expr(left)?);
        items.reverse();
        return Ok(if sum { Expr::sum(items) } else { Expr::product(items) });
    }
    let (x, y) = (expr(a)?, expr(b)?);
    Ok(match sign {
        "**" => Expr::power(x, y),
        "//" => call(Function::Floor, &(x / y)),
        "%" => Expr::call(Function::Mod, vec![x, y]),
        "&" | "and" => Expr::and([x, y]),
        "|" | "or" => Expr::or([x, y]),
        _ => {
            let mut e = fault(a.at, "`**` for powers", format!("`{sign}`"));
            e.hint = Some("x**2".into());
            return Err(e);
        }
    })
}

/// `log(x)/log(10)` and `sign(x)*floor(Abs(x) + 1/2)`, as operators or calls, are log10 and round.
fn spelt_by_others(node: &Node) -> Result<Option<Expr>> {
    fn of<'a>(node: &'a Node, name: &str) -> Option<&'a [Node]> {
        match &node.kind {
            Kind::Call(callee, args) if matches!(&callee.kind, Kind::Name(n) if n == name) => Some(args),
            _ => None,
        }
    }
    fn same(node: &Node, text: &str) -> bool {
        parse(text).is_ok_and(|t| t == *node)
    }
    let (a, b, divided) = match &node.kind {
        Kind::Infix("*", a, b) => (&**a, &**b, false),
        Kind::Infix("/", a, b) => (&**a, &**b, true),
        _ => match of(node, "Mul") {
            Some([a, b]) => match of(b, "Pow") {
                Some([base, exponent]) if same(exponent, "Integer(-1)") => (a, base, true),
                _ => (a, b, false),
            },
            _ => return Ok(None),
        },
    };
    if divided {
        let (Some([x]), Some([base])) = (of(a, "log"), of(b, "log")) else { return Ok(None) };
        let function = match () {
            () if same(base, "10") || same(base, "Integer(10)") => Function::Log10,
            () if same(base, "2") || same(base, "Integer(2)") => Function::Log2,
            () => return Ok(None),
        };
        return Ok(Some(call(function, &expr(x)?)));
    }
    let (Some([x]), Some([inner])) = (of(a, "sign"), of(b, "floor")) else { return Ok(None) };
    let (first, second) = match &inner.kind {
        Kind::Infix("+", p, q) => (&**p, &**q),
        _ => match of(inner, "Add") {
            Some([p, q]) => (p, q),
            _ => return Ok(None),
        },
    };
    let half = same(second, "1/2") || same(second, "Rational(1, 2)");
    match of(first, "Abs") {
        Some([y]) if half && x == y => Ok(Some(call(Function::Round, &expr(x)?))),
        _ => Ok(None),
    }
}

fn called(name: &str, args: &[Node], at: usize) -> Result<Expr> {
    let wrong = |expected: &str| fault(at, format!("{expected} of `{name}`"), args.len().to_string());
    if let Some((_, count, build)) = SPELT.iter().find(|row| row.0 == name) {
        let values = all(args)?;
        return if values.len() == *count {
            Ok(build(&values))
        } else {
            Err(wrong(&arguments(*count, *count)))
        };
    }
    if let Some(f) = sympy_function(name) {
        let (least, most) = f.row().arity;
        return match (f, args) {
            (Function::Log, [x, base]) => {
                let (x, base) = (expr(x)?, expr(base)?);
                Ok(call(Function::Log, &x) / call(Function::Log, &base))
            }
            // The value at 0: SymPy's own default is 1/2.
            (Function::Step, [x, zero]) if expr(zero)?.as_number() == Some(&Number::HALF) => {
                Ok(call(f, &expr(x)?))
            }
            (Function::Order, [x, ..]) => Ok(call(f, &expr(x)?)),
            _ if !(least..=most).contains(&args.len()) => Err(wrong(&arguments(least, most))),
            _ => Ok(Expr::call(f, all(args)?)),
        };
    }
    Ok(match (name, args) {
        ("Add", _) => Expr::sum(all(args)?),
        ("Mul", _) => {
            let node = Node {
                at,
                kind: Kind::Call(Box::new(Node { at, kind: Kind::Name(name.into()) }), args.to_vec()),
            };
            match spelt_by_others(&node)? {
                Some(known) => known,
                None => Expr::product(all(args)?),
            }
        }
        ("And", _) => Expr::and(all(args)?),
        ("Or", _) => Expr::or(all(args)?),
        ("Integer" | "S" | "sympify" | "Float" | "Rational", [x]) => match &x.kind {
            Kind::Text(text) if name == "Float" => match text.as_str() {
                "inf" => Expr::constant(Constant::Infinity),
                "-inf" => Expr::constant(Constant::Infinity).negate(),
                "nan" => Expr::float(f64::NAN),
                text => Expr::float(
                    text.parse().map_err(|_| fault(x.at, "a number in quotes", format!("`{text}`")))?,
                ),
            },
            Kind::Text(text) => read(text).map_err(|mut e| {
                e.at += x.at;
                e
            })?,
            _ if name == "Float" => {
                let value = expr(x)?;
                let float = value.to_f64().ok_or_else(|| fault(x.at, "a number", format!("`{value}`")))?;
                Expr::float(float)
            }
            _ => expr(x)?,
        },
        ("Float", [x, _]) => called(name, std::slice::from_ref(x), at)?,
        ("Rational", [p, q]) => expr(p)? / expr(q)?,
        ("Symbol" | "Dummy", [Node { kind: Kind::Text(text), .. }]) => Expr::symbol(Symbol::new(text)),
        ("Symbol" | "Dummy", _) => return Err(fault(at, "a name in quotes", "something else")),
        ("Piecewise", _) => piecewise(args, at)?,
        ("Derivative", [f, variables @ ..]) if !variables.is_empty() => derivative(f, variables)?,
        ("Subs", [e, old, new]) => {
            let (old, new) = (items(old), items(new));
            if old.len() != new.len() {
                return Err(fault(at, "as many values as symbols", new.len().to_string()));
            }
            let mut pairs = Vec::with_capacity(old.len());
            for (s, v) in old.into_iter().zip(new) {
                pairs.push((variable(s)?, expr(v)?));
            }
            expr(e)?.substitute(&pairs)
        }
        _ if is_taken_by_sympy(name) => {
            let mut e = fault(at, "a function that phys has", format!("`{name}`"));
            e.hint = Some("expand it in SymPy first: expand_func(e), e.rewrite(exp), e.doit()".into());
            return Err(e);
        }
        _ => {
            let near = |n: &&str| n.eq_ignore_ascii_case(name);
            let spelt = SPELT.iter().map(|row| row.0).find(near);
            let known = crate::expression::function::FUNCTIONS
                .iter()
                .filter_map(|r| crate::expression::print::sympy_function_name(r.function));
            if let Some(right) = spelt.or_else(|| known.into_iter().find(near)) {
                let mut e = fault(at, format!("`{right}`"), format!("`{name}`"));
                e.hint = Some(format!("{right}(x)"));
                return Err(e);
            }
            Expr::apply(symbol(name), all(args)?)
        }
    })
}

fn arguments(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".into(),
        (n, m) if n == m => format!("{n} arguments"),
        (n, _) => format!("at least {n} argument"),
    }
}

/// The name in `Function('u')`.
fn undefined(callee: &Node) -> Result<Symbol> {
    match &callee.kind {
        Kind::Call(_, names) => match names.as_slice() {
            [Node { kind: Kind::Text(name), .. }] => Ok(symbol(name)),
            _ => Err(fault(callee.at, "the name of a function in quotes", "something else")),
        },
        _ => Err(fault(callee.at, "Function('u')", "something else")),
    }
}

/// What a tuple or `Tuple(...)` holds; itself where it is none.
fn items(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::Tuple(items) => items.iter().collect(),
        Kind::Call(callee, args) if matches!(&callee.kind, Kind::Name(n) if n == "Tuple" || n == "ExprCondPair") => {
            args.iter().collect()
        }
        Kind::Bracket(inner) => vec![inner],
        _ => vec![node],
    }
}

fn piecewise(args: &[Node], at: usize) -> Result<Expr> {
    let mut branches = Vec::with_capacity(args.len());
    let mut otherwise = None;
    for pair in args {
        let [value, condition] = items(pair)[..] else {
            return Err(fault(pair.at, "a pair of value and condition", "something else"));
        };
        let (value, condition) = (expr(value)?, expr(condition)?);
        if condition == Expr::boolean(true) {
            otherwise = Some(value);
            break;
        }
        branches.push((condition, value));
    }
    match (branches.is_empty(), otherwise) {
        (true, None) => Err(fault(at, "a pair of value and condition", "none")),
        (_, otherwise) => Ok(Expr::piecewise(branches, otherwise.unwrap_or_else(|| Expr::float(f64::NAN)))),
    }
}

fn variable(node: &Node) -> Result<Symbol> {
    let e = expr(node)?;
    e.as_symbol().cloned().ok_or_else(|| fault(node.at, "a symbol", format!("`{e}`")))
}

/// `Derivative(f, x, (y, 2))`, `Derivative(f, x, 2)`: variables, each with its order where that is not 1.
fn derivative(f: &Node, variables: &[Node]) -> Result<Expr> {
    let mut result = expr(f)?;
    let mut last: Option<Symbol> = None;
    for node in variables {
        let (name, count) = match (items(node)[..].to_vec().as_slice(), &last) {
            ([x], Some(s)) if expr(x)?.as_i64().is_some() => (s.clone(), expr(x)?.as_i64().map(|n| n - 1)),
            ([x], _) => (variable(x)?, Some(1)),
            ([x, n], _) => (variable(x)?, expr(n)?.as_i64()),
            _ => return Err(fault(node.at, "a symbol and an order", "something else")),
        };
        let Some(order) = count.filter(|n| (0..1000).contains(n)) else {
            return Err(fault(node.at, "an order from 1 to 999", "something else"));
        };
        result = result.diff_n(&name, order as u32);
        last = Some(name);
    }
    Ok(result)
}
