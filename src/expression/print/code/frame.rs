//! The file around a formula: a comment with the law, its variables and constants in units, named constants, helper
//! functions, and the function `law`.

use super::names::Names;
use super::writer::Writer;
use super::{CodeError, Constant, Law, Target};
use crate::expression::print::{Style, number};
use crate::units::Unit;

/// A constant or variable with its name in the file.
struct Named<'a, T> {
    name: String,
    of: &'a T,
}

fn take<'a, T>(items: &'a [T], names: &mut Names, symbol: impl Fn(&T) -> &str) -> Vec<Named<'a, T>> {
    items.iter().map(|of| Named { name: names.take(symbol(of)), of }).collect()
}

fn list<T>(items: &[Named<'_, T>], text: impl Fn(&str) -> String) -> Vec<String> {
    items.iter().map(|i| text(&i.name)).collect()
}

pub(super) fn file(law: &Law, target: Target) -> Result<String, CodeError> {
    let dialect = target.dialect();
    let mut names = Names::new(dialect.reserved);
    let variables = take(&law.variables, &mut names, |v| v.symbol.name());
    let constants = take(&law.constants, &mut names, |c| c.symbol.name());
    let symbols = (variables.iter().map(|v| (v.of.symbol.clone(), v.name.clone())))
        .chain(constants.iter().map(|c| (c.of.symbol.clone(), c.name.clone())))
        .collect();
    let nonnegative = (law.variables.iter())
        .filter(|v| v.bounds.is_some_and(|(low, _)| low >= 0.0))
        .map(|v| v.symbol.clone())
        .chain(law.constants.iter().filter(|c| !c.fitted && c.value >= 0.0).map(|c| c.symbol.clone()))
        .collect();
    let mut writer = Writer::new(target, symbols, nonnegative, &mut names);
    let value = writer.formula(&law.formula)?;
    let locals = writer.locals;

    let arguments = list(&variables, str::to_owned);
    let body: String = locals.iter().map(|(_, text)| format!("{text}\n")).chain([value.clone()]).collect();
    let helpers = helpers(target, &body);
    let parts: Vec<String> = match target {
        Target::C => {
            let lets = locals.iter().map(|(name, text)| format!("    const double {name} = {text};\n"));
            let parameters = match arguments.as_slice() {
                [] => "void".to_owned(),
                all => all.iter().map(|a| format!("double {a}")).collect::<Vec<_>>().join(", "),
            };
            vec![
                header(law, target, &variables, &constants),
                "#include <math.h>\n".into(),
                lines(&constants, |c, remark| format!("/* {remark} */\nstatic const double {c};\n")),
                helpers,
                format!("double law({parameters}) {{\n{}    return {value};\n}}\n", lets.collect::<String>()),
            ]
        }
        Target::Rust => {
            let lets = locals.iter().map(|(name, text)| format!("    let {name} = {text};\n"));
            let parameters = list(&variables, |a| format!("{a}: f64")).join(", ");
            vec![
                header(law, target, &variables, &constants),
                constants
                    .iter()
                    .map(|c| {
                        let (name, value) = (&c.name, c.of.value);
                        let lint = "#[allow(non_upper_case_globals, clippy::all)]";
                        format!("/// {}\n{lint}\npub const {name}: f64 = {value:?};\n", remark(c.of))
                    })
                    .collect(),
                helpers,
                format!(
                    "/// The law.\n#[allow(non_snake_case, clippy::all)]\npub fn law({parameters}) -> f64 {{\n{}    \
                     {value}\n}}\n",
                    lets.collect::<String>()
                ),
            ]
        }
        Target::Numpy | Target::Pytorch | Target::Jax => {
            python(law, target, &variables, &constants, &locals, &value, &helpers)
        }
    };
    let blank = if dialect.extension == "py" { "\n\n" } else { "\n" };
    Ok(parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(blank))
}

fn python(
    law: &Law,
    target: Target,
    variables: &[Named<'_, super::Variable>],
    constants: &[Named<'_, Constant>],
    locals: &[(String, String)],
    value: &str,
    helpers: &str,
) -> Vec<String> {
    let arguments = list(variables, str::to_owned);
    let lets: String = locals.iter().map(|(name, text)| format!("    {name} = {text}\n")).collect();
    let special = locals.iter().any(|(_, t)| t.contains("special.")) || value.contains("special.");
    let defaults = list(constants, |c| format!("{c}={c}"));
    let signature = |more: &[String]| [&arguments, more].concat().join(", ");
    let doc = "    \"\"\"The law, element by element, in coherent SI units.\"\"\"\n";
    let mut parts = vec![header(law, target, variables, constants)];
    match target {
        Target::Pytorch => {
            parts.push("import torch\n".into());
            parts.push(lines(constants, |c, remark| {
                let (name, value) = c.split_once(" = ").unwrap_or((c, "0.0"));
                format!("{name} = torch.tensor({value}, dtype=torch.float64)  # {remark}\n")
            }));
            parts.push(helpers.to_owned());
            let value = if law.formula.is_symbolic() {
                value.to_owned()
            } else {
                format!("torch.tensor({value}, dtype=torch.float64)")
            };
            parts.push(format!("def law({}):\n{doc}{lets}    return {value}\n", signature(&defaults)));
            let fitted: Vec<&Named<'_, Constant>> = constants.iter().filter(|c| c.of.fitted).collect();
            let own: String = fitted
                .iter()
                .map(|c| format!("        self.{0} = torch.nn.Parameter({0}.clone())\n", c.name))
                .collect();
            let passed: Vec<String> = fitted.iter().map(|c| format!("{0}=self.{0}", c.name)).collect();
            let inputs = [&["self".to_owned()], arguments.as_slice()].concat().join(", ");
            parts.push(format!(
                "class Law(torch.nn.Module):\n    \"\"\"The law with its fitted constants as parameters.\"\"\"\n\n    \
                 def __init__(self):\n        super().__init__()\n{own}\n    def forward({inputs}):\n        \
                 return law({})\n",
                signature(&passed)
            ));
        }
        Target::Jax => {
            let more = if special { "from jax.scipy import special\n" } else { "" };
            parts.push(format!("import jax.numpy as jnp\n{more}"));
            parts.push(lines(constants, |c, remark| format!("{c}  # {remark}\n")));
            if !constants.is_empty() {
                let all = list(constants, |c| format!("\"{c}\": {c}")).join(", ");
                parts.push(format!("CONSTANTS = {{{all}}}\n"));
            }
            parts.push(helpers.to_owned());
            let open: String = list(constants, |c| format!("    {c} = constants[\"{c}\"]\n")).concat();
            let more = if constants.is_empty() { Vec::new() } else { vec!["constants=CONSTANTS".to_owned()] };
            parts.push(format!("def law({}):\n{doc}{open}{lets}    return {value}\n", signature(&more)));
        }
        _ => {
            let more = if special { "from scipy import special\n" } else { "" };
            parts.push(format!("import numpy as np\n{more}"));
            parts.push(lines(constants, |c, remark| format!("{c}  # {remark}\n")));
            parts.push(helpers.to_owned());
            let floats: String =
                list(variables, |v| format!("    {v} = np.asarray({v}, dtype=float)\n")).concat();
            parts
                .push(format!("def law({}):\n{doc}{floats}{lets}    return {value}\n", signature(&defaults)));
        }
    }
    parts
}

/// One line for each constant: `name = value`, and what is known of it.
fn lines(constants: &[Named<'_, Constant>], line: impl Fn(&str, &str) -> String) -> String {
    constants.iter().map(|c| line(&format!("{} = {:?}", c.name, c.of.value), &remark(c.of))).collect()
}

/// Unit and standard error of a constant.
fn remark(c: &Constant) -> String {
    let unit = unit(c.unit.as_ref());
    let kind = if c.fitted { "" } else { ", exact" };
    match c.sigma {
        Some(s) => format!("{unit}, standard error {}", number::float(s, &Style::default())),
        None => format!("{unit}{kind}"),
    }
}

fn unit(unit: Option<&Unit>) -> String {
    match unit {
        Some(u) if u.is_one() => "a pure number".into(),
        Some(u) => format!("[{u}]"),
        None => "in its coherent SI unit".into(),
    }
}

/// The helper functions that a text calls, and those that these call.
fn helpers(target: Target, text: &str) -> String {
    let mut found: Vec<&(&str, &str)> = Vec::new();
    let mut seen = text.to_owned();
    let all = target.dialect().helpers;
    for row in all.iter().rev() {
        let called = |(at, _): (usize, &str)| {
            !seen[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        };
        if seen.match_indices(&format!("{}(", row.0)).any(called) {
            seen.push_str(row.1);
            found.push(row);
        }
    }
    let between = if target.dialect().extension == "py" { "\n\n" } else { "\n" };
    found.iter().rev().map(|row| row.1).collect::<Vec<_>>().join(between)
}

/// The comment at the top.
fn header(
    law: &Law,
    target: Target,
    variables: &[Named<'_, super::Variable>],
    constants: &[Named<'_, Constant>],
) -> String {
    let name = law.name.as_deref().unwrap_or("law");
    let mut rows = vec![format!("{name} = {}", law.formula.display(&Style::exact()))];
    rows.extend(law.source.as_ref().map(|s| format!("Source: {s}")));
    rows.push(String::new());
    rows.push("Written by phys. All numbers are in coherent SI units.".into());
    for v in variables {
        let own = v.of.symbol.name();
        let spelt = if own == v.name { String::new() } else { format!(" ({own} in the formula)") };
        let range =
            v.of.bounds.filter(|(a, b)| a.is_finite() || b.is_finite()).map_or(String::new(), |(a, b)| {
                format!(
                    ", known from {} to {}",
                    number::float(a, &Style::default()),
                    number::float(b, &Style::default())
                )
            });
        rows.push(format!("  {}{spelt}: {}{range}", v.name, unit(v.of.unit.as_ref())));
    }
    for c in constants {
        rows.push(format!(
            "  {} = {}: {}",
            c.name,
            number::float(c.of.value, &Style::default()),
            remark(c.of)
        ));
    }
    rows.push(format!("  value of the law: {}", unit(law.unit.as_ref())));
    rows.extend(match target {
        Target::Numpy | Target::C | Target::Rust => None,
        Target::Pytorch => Some("Takes tensors of floating-point numbers.".to_owned()),
        Target::Jax => Some("Single precision unless jax_enable_x64 is set.".to_owned()),
    });
    let rows =
        rows.iter().flat_map(|r| r.split(['\n', '\r'])).map(|r| r.replace("*/", "* /").replace("/*", "/ *"));
    let marked = |mark: &str| -> String {
        rows.clone().map(|r| format!("{mark} {r}").trim_end().to_owned() + "\n").collect()
    };
    match target {
        Target::C => format!("/*\n{} */\n", marked(" *")),
        Target::Rust => marked("//"),
        _ => marked("#"),
    }
}
