//! `export`: values as files. Which forms a value has stands with the values themselves (`tables.rs`, `plots.rs`); here
//! are those of laws, one row of `FORMS` each.

use super::Body;
use crate::base::Fault;
use crate::data;
use crate::expression::print::code::{self, Constant, Target, Variable};
use crate::expression::print::sympy_name;
use crate::expression::{Declarations, Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{Fit, FrontValue, Law, Value};
use crate::language::{dimension, render};
use crate::units::Unit;

/// The table.
pub const TABLE: &[(&str, Body)] = &[("export", export)];

/// What a file of an expression holds.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    Latex,
    Sympy,
    Code(Target),
}

/// The word of each form and the endings of its files; of two forms with one ending the first is meant where `as` says
/// nothing.
const FORMS: &[(&str, Form, &[&str])] = &[
    ("text", Form::Text, &["txt"]),
    ("phys", Form::Text, &["phys"]),
    ("latex", Form::Latex, &["tex"]),
    ("sympy", Form::Sympy, &["py"]),
    ("c", Form::Code(Target::C), &["c"]),
    ("rust", Form::Code(Target::Rust), &["rs"]),
    ("numpy", Form::Code(Target::Numpy), &["py"]),
    ("pytorch", Form::Code(Target::Pytorch), &["py"]),
    ("jax", Form::Code(Target::Jax), &["py"]),
];

fn export(context: &mut Context, args: &Args) -> Result<Value> {
    let path = context.path(&args.word("path")?);
    let value = args.value("value")?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    let bytes = bytes(context, value, &extension, args)?;
    data::write_atomic(&path, &bytes).map_err(|e| lift(&e, args.span_of("path")))?;
    Ok(Value::Nothing)
}

fn bytes(context: &Context, value: &Value, extension: &str, args: &Args) -> Result<Vec<u8>> {
    let at = args.span_of("path");
    let word = args.word("as")?;
    let form = form(&word, extension, args)?;
    let refused = |hint: &str| {
        let found = if &*word == "auto" { format!("`.{extension}`") } else { format!("`as: {word}`") };
        let message = format!("expected a file of a {}, found {found}", value.kind_name());
        Err(fault_hint(6040, if &*word == "auto" { at } else { args.span_of("as") }, message, hint))
    };
    match value.plain() {
        Value::Figure(f) => {
            return match super::plots::file(f, extension) {
                Some(bytes) if &*word == "auto" || form == Some(Form::Text) => Ok(bytes),
                _ => refused("export(f, \"f.svg\"), .png or .txt"),
            };
        }
        #[cfg(feature = "networks")]
        Value::Model(m) => {
            return match extension {
                "safetensors" if &*word == "auto" => {
                    super::models::bytes(m).map_err(|e| lift(&e, args.span_of("value")))
                }
                _ => refused("export(m, \"m.safetensors\"), or export(symbolic(m), \"m.py\", as: pytorch)"),
            };
        }
        Value::Dataset(_) | Value::Column(_) if &*word != "auto" => {
            return refused("export(d, \"d.csv\"), or .npy, .npz");
        }
        _ => {}
    }
    if let Some(bytes) = super::tables::bytes(value, extension, args)? {
        return Ok(bytes);
    }
    if matches!(value.plain(), Value::Dataset(_) | Value::Column(_)) {
        return refused("export(d, \"d.csv\"), or .npy, .npz");
    }
    let Some(form) = form else {
        return Err(fault_hint(
            6040,
            at,
            format!("expected a file form, found `.{extension}`"),
            "datasets: .csv, .npy, .npz; lists and matrices: .npy, .npz; expressions: .tex, .py, .c, .rs, .txt, .phys",
        ));
    };
    let text = match form {
        Form::Text => render::plain(value, &context.style) + "\n",
        Form::Latex => formula(value, args)?.latex() + "\n",
        Form::Sympy => sympy(&formula(value, args)?),
        Form::Code(target) => {
            let written = law(context, value, args)
                .and_then(|law| code::file(&law, target).map_err(|e| with_path(&e, args, extension)));
            written?
        }
    };
    Ok(text.into_bytes())
}

/// The form that `as` and the ending of the path agree on; `None` where the ending is that of no expression.
fn form(word: &str, extension: &str, args: &Args) -> Result<Option<Form>> {
    if word == "auto" {
        return Ok(FORMS.iter().find(|(_, _, endings)| endings.contains(&extension)).map(|row| row.1));
    }
    let Some((_, form, endings)) = FORMS.iter().find(|(own, ..)| *own == word) else { return Ok(None) };
    if endings.contains(&extension) {
        return Ok(Some(*form));
    }
    let message =
        format!("expected a path that ends in `.{}` for `as: {word}`, found `.{extension}`", endings[0]);
    let path = args.word("path")?;
    let stem = path.strip_suffix(&format!(".{extension}")).unwrap_or(&path);
    let hint = format!("export(law, \"{stem}.{}\", as: {word})", endings[0]);
    Err(fault_hint(6040, args.span_of("path"), message, hint))
}

/// A fault of a language, with a call that works as its hint.
fn with_path(e: &code::CodeError, args: &Args, extension: &str) -> crate::language::error::Error {
    let mut error = *lift(e, args.span_of("value"));
    if let code::CodeError::Function { others, .. } = e
        && let Some(other) = others.iter().filter_map(|w| Target::from_word(w)).next()
    {
        let path = args.word("path").unwrap_or_default();
        let stem = path.strip_suffix(&format!(".{extension}")).unwrap_or(&path);
        error.hint = Some(format!("export(law, \"{stem}.{}\", as: {})", other.extension(), other.word()));
    } else {
        error.hint = e.hint();
    }
    Box::new(error)
}

/// The expression of a value that has one; the law of a fit, the best law of a front.
fn formula(value: &Value, args: &Args) -> Result<Expr> {
    match value.plain() {
        Value::Fit(f) => Ok(f.law()),
        Value::Front(f) => best(f, args),
        other => op::expr_of(other, args.span_of("value")),
    }
}

fn best(f: &FrontValue, args: &Args) -> Result<Expr> {
    f.chosen().map(|c| c.expr.clone()).ok_or_else(|| {
        let hint = "regress(data, time: 60 [s])";
        fault_hint(6040, args.span_of("value"), "expected a front with a law, found an empty one", hint)
    })
}

/// A SymPy module that binds `expression`.
fn sympy(e: &Expr) -> String {
    let names: Vec<String> = e.symbols().iter().map(|s| sympy_name(s.name())).collect();
    let symbols = match names.len() {
        0 => String::new(),
        1 => format!("{0} = symbols(\"{0}\")\n", names[0]),
        _ => format!("{} = symbols(\"{}\")\n", names.join(", "), names.join(" ")),
    };
    format!("from sympy import *\n\n{symbols}expression = {}\n", e.sympy())
}

/// A value as a law for other languages.
fn law(context: &Context, value: &Value, args: &Args) -> Result<code::Law> {
    let at = args.span_of("value");
    match value.plain() {
        Value::Law(l) => of_law(l, args),
        Value::Fit(f) => of_fit(context, f, args),
        Value::Front(f) => {
            let declarations = f.declarations.or(&context.declarations);
            let found = written(&best(f, args)?, &[], &declarations, true, args)?;
            let unit = f.target_unit.as_ref().map(coherent).or(found.unit);
            Ok(code::Law { name: Some(f.target.to_string()), unit, ..found })
        }
        other => {
            let e = op::settle(&op::expr_of(other, at)?);
            let (name, e) = match e.kind() {
                Kind::Relation(Relation::Eq, left, right) => (Some(left.to_string()), right.clone()),
                _ => (None, e),
            };
            Ok(code::Law { name, ..written(&e, &[], &context.declarations, true, args)? })
        }
    }
}

fn of_law(l: &Law, args: &Args) -> Result<code::Law> {
    let found = written(&l.formula, &l.order, &l.declarations, true, args)?;
    let unit = l.unit.as_ref().map(coherent).or(found.unit);
    let name = l.name.as_ref().map(|n| n.to_string());
    Ok(code::Law { name, unit, source: l.source.as_ref().map(|s| s.to_string()), ..found })
}

/// The right side of the equation, its parameters as constants under their names.
fn of_fit(context: &Context, f: &Fit, args: &Args) -> Result<code::Law> {
    let parameters: Vec<Constant> = f
        .result
        .parameters
        .iter()
        .map(|(symbol, value)| Constant {
            symbol: symbol.clone(),
            value: value.value(),
            sigma: Some(value.sigma()),
            unit: f.units.iter().find(|(s, _)| s == symbol).map(|(_, u)| coherent(u)),
            fitted: true,
        })
        .collect();
    let (left, right) = &f.equation;
    let declarations = f.columns.or(&context.declarations);
    let mut found = written(right, &[], &declarations, false, args)?;
    found.variables.retain(|v| parameters.iter().all(|p| p.symbol != v.symbol));
    found.constants.splice(0..0, parameters.into_iter().filter(|p| right.contains_symbol(&p.symbol)));
    let whole = dimension::of(&f.law(), &declarations).ok().flatten().map(Unit::coherent);
    Ok(code::Law { name: Some(left.to_string()), unit: whole, ..found })
}

fn coherent(unit: &Unit) -> Unit {
    Unit::coherent(unit.dimension())
}

/// A formula with its numbers named; the variables in `order`, then by the alphabet.
fn written(
    e: &Expr,
    order: &[Symbol],
    declarations: &Declarations,
    fitted: bool,
    args: &Args,
) -> Result<code::Law> {
    let at = args.span_of("value");
    let unit = dimension::of(e, declarations).map_err(|m| op::unit_fault(&m, at))?.map(Unit::coherent);
    let (formula, constants) = code::named(e, order, fitted).map_err(|f| lift(&f, at))?;
    let used = e.symbols();
    let mut symbols: Vec<Symbol> = order.iter().filter(|s| used.contains(s)).cloned().collect();
    symbols.extend(used.iter().filter(|s| !order.contains(s)).cloned());
    let variables = symbols
        .into_iter()
        .map(|symbol| {
            let declared = declarations.get(&symbol);
            Variable {
                unit: declared.and_then(|d| d.unit.as_ref()).map(coherent),
                bounds: declared.and_then(|d| d.domain.as_ref()).map(crate::expression::Domain::bounds),
                symbol,
            }
        })
        .collect();
    Ok(code::Law { name: None, source: None, formula, variables, constants, unit })
}
