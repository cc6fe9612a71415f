//! A problem of a suite: a law that is to be found, and how data of it come about. Problems are values of modules of the
//! library and are read through the session like those of any script: a law; a record of a law with the rows that its
//! source states; or a record of a system's rates with the starts of its paths.

use super::rows::{Paths, Rows};
use super::suites::{Protocol, Suite};
use super::systems::System;
use crate::base::{Code, Diagnostic, Span};
use crate::expression::{Declarations, Domain, Expr, Kind, Symbol};
use crate::language::builtins::regress::operator_name;
use crate::language::operations::strip_units;
use crate::language::value::{Law, Record};
use crate::language::{Context, Value, dimension};
use crate::units::Unit;

/// A problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its name in its module.
    pub name: String,
    /// The set it is counted in.
    pub set: String,
    /// The law in SI numbers; measured constants are numbers too.
    pub truth: Expr,
    /// Units and domains of its variables.
    pub declarations: Declarations,
    /// Its variables in order, those that play no part included.
    pub variables: Vec<Symbol>,
    /// The unit of its value.
    pub unit: Option<Unit>,
    /// How its data come about.
    pub origin: Origin,
    /// The operators that the literature allows, where it says so.
    pub operators: Option<Vec<String>>,
}

/// How data come about.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Points drawn from the domains.
    Drawn,
    /// The same in the numbers of SRBench.
    Srbench,
    /// Rows that the problem states.
    Stated {
        /// For the search.
        train: Rows,
        /// For the test; `None`: points drawn from the domains.
        test: Option<Rows>,
    },
    /// Rows of paths of a system, split as in SRBench.
    Paths(Paths),
    /// A whole system, from one path.
    System(Box<System>),
}

/// The problems of a suite, in the order of its modules.
///
/// # Errors
/// A module that cannot be read, or an entry that is no problem.
pub fn problems(suite: &Suite, context: &mut Context) -> Result<Vec<Problem>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for written in suite.modules {
        let modules: Vec<String> = match written.strip_suffix('.') {
            Some(_) => {
                context.library.module_names().filter(|n| n.starts_with(written)).map(String::from).collect()
            }
            None => vec![written.to_string()],
        };
        for module in modules {
            let Value::Module(content) = context.library_module(&module, Span::new(0, 0, 0))? else {
                continue;
            };
            for (name, value) in &content.record.entries {
                let set = set_of(suite, &module, name);
                match value.plain() {
                    Value::Law(law) => found.push(Problem::of_law(name, set, law, suite.protocol)),
                    Value::Record(r) if r.get("starts").is_some() => {
                        let rates = of_system(name, &set, r).ok_or_else(|| odd(&module, name))?;
                        match suite.protocol {
                            Protocol::Systems => found.extend(whole_system(name, rates)),
                            _ => found.extend(rates),
                        }
                    }
                    Value::Record(r) if r.get("law").is_some() => {
                        found.push(of_record(name, set, r).ok_or_else(|| odd(&module, name))?);
                    }
                    _ => {}
                }
            }
        }
    }
    found.retain(|p| !suite.left_out.contains(&p.name.as_str()));
    // Names tell results apart: one that a second file has too is said with its file.
    let mut seen = std::collections::HashSet::new();
    for p in &mut found {
        if !seen.insert(p.name.clone()) {
            p.name = format!("{}.{}", p.set, p.name);
        }
    }
    Ok(found)
}

/// The fault of an entry that cannot be read as a problem.
fn odd(module: &str, name: &str) -> Box<Diagnostic> {
    let message = format!("expected a problem in `{name}` of `{module}`, found a record without rows");
    Box::new(Diagnostic::error(Code(8033), None, message).hint("{law: law {...}, train: {points: 20}}"))
}

/// What a problem is counted in: the two sets of the Feynman benchmark, else its file. SRBench counts both sets as one.
fn set_of(suite: &Suite, module: &str, name: &str) -> String {
    match module {
        "physics.feynman" if suite.name == "feynman" && name.starts_with("test_") => "bonus".into(),
        _ => module.rsplit('.').next().unwrap_or(module).into(),
    }
}

/// A law as a relation of SI numbers: units become factors and measured constants their values.
pub fn plain(e: &Expr) -> Expr {
    strip_units(e).transform(&mut |e| match e.kind() {
        Kind::Uncertain(u) => Expr::float(u.value()),
        _ => e,
    })
}

impl Problem {
    /// The problem of a law.
    pub(super) fn of_law(name: &str, set: String, law: &Law, protocol: Protocol) -> Problem {
        let found = dimension::of(&law.formula, &law.declarations).ok().flatten();
        Problem {
            name: name.into(),
            set,
            truth: plain(&law.formula),
            declarations: law.declarations.clone(),
            variables: law.order.clone(),
            unit: law.unit.clone().or_else(|| found.map(Unit::coherent)),
            origin: if protocol == Protocol::Srbench { Origin::Srbench } else { Origin::Drawn },
            operators: None,
        }
    }
}

fn entry<'a>(r: &'a Record, name: &str) -> Option<&'a Value> {
    r.get(name).map(Value::plain)
}

fn number(value: &Value) -> Option<f64> {
    value.as_expr()?.evaluate(&|_| None)
}

fn whole(value: &Value) -> Option<usize> {
    number(value).filter(|x| *x >= 1.0 && x.fract() == 0.0 && *x < 1e9).map(|x| x as usize)
}

/// `{law: ..., train: ..., test: ..., operators: ...}`.
fn of_record(name: &str, set: String, r: &Record) -> Option<Problem> {
    let Value::Law(law) = entry(r, "law")? else { return None };
    let mut problem = Problem::of_law(name, set, law, Protocol::Stated);
    let rows = |value: &Value| -> Option<Rows> {
        let Value::Record(r) = value.plain() else { return None };
        rows(r, &law.declarations)
    };
    let test = match r.get("test") {
        Some(test) => Some(rows(test)?),
        None => None,
    };
    problem.origin = Origin::Stated { train: rows(r.get("train")?)?, test };
    if let Some(Value::List(items)) = entry(r, "operators") {
        let names = items.iter().map(|v| match v.plain() {
            Value::Function(f) => Some(operator_name(f)),
            // A function's name in a list that no call reads is a symbol.
            other => other.as_expr()?.as_symbol().map(|s| s.name().to_string()),
        });
        problem.operators = Some(names.collect::<Option<Vec<String>>>()?);
    }
    Some(problem)
}

/// `{ranges: {...}, points: n}`, `step:` or `count:` in place of `points:`, and perhaps `below:`.
fn rows(r: &Record, declared: &Declarations) -> Option<Rows> {
    let mut domains = declared.clone();
    if let Some(Value::Record(ranges)) = entry(r, "ranges") {
        for (name, range) in &ranges.entries {
            let Value::Range(low, high) = range.plain() else { return None };
            let symbol = Symbol::new(name);
            let mut declaration = declared.get(&symbol)?.clone();
            let end = |e: &Expr| e.evaluate(&|_| None);
            declaration.domain = Some(Domain::Interval { low: end(low)?, high: end(high)? });
            declaration.written = None;
            domains.insert(symbol, declaration);
        }
    }
    let below = r.get("below").and_then(number);
    if let Some(points) = entry(r, "points") {
        return Some(Rows::Random { domains, points: whole(points)?, below });
    }
    if let Some(count) = entry(r, "count") {
        let count = whole(count)?;
        let step = |low: f64, high: f64| (high - low) / (count.max(2) - 1) as f64;
        return Some(Rows::grid(&domains, |_, low, high| Some(step(low, high))));
    }
    match entry(r, "step")? {
        Value::Record(steps) => {
            let steps: Vec<(String, f64)> = steps
                .entries
                .iter()
                .map(|(n, v)| Some((n.to_string(), number(v)?)))
                .collect::<Option<Vec<_>>>()?;
            Some(Rows::grid(&domains, |s, _, _| steps.iter().find(|(n, _)| n == s.name()).map(|(_, v)| *v)))
        }
        one => {
            let step = number(one)?;
            Some(Rows::grid(&domains, |_, _, _| Some(step)))
        }
    }
}

/// The system of its rates as one problem, counted by its number of states.
fn whole_system(name: &str, rates: Vec<Problem>) -> Option<Problem> {
    let first = rates.first()?.clone();
    let Origin::Paths(paths) = first.origin.clone() else { return None };
    let set = match paths.states.len() {
        1 => "1 state".to_string(),
        n => format!("{n} states"),
    };
    Some(Problem {
        name: name.into(),
        set,
        origin: Origin::System(Box::new(System { paths, rates })),
        ..first
    })
}

/// `{x: law, y: law, starts: [...], step: h, points: n}`: one problem for each rate, numbered from 1.
fn of_system(name: &str, set: &str, r: &Record) -> Option<Vec<Problem>> {
    let laws: Vec<(Symbol, &Law)> = r
        .entries
        .iter()
        .filter_map(|(n, v)| match v.plain() {
            Value::Law(law) => Some((Symbol::new(n), &**law)),
            _ => None,
        })
        .collect();
    let Some(Value::List(starts)) = entry(r, "starts") else { return None };
    let starts: Vec<Vec<f64>> = starts
        .iter()
        .map(|start| match start.plain() {
            Value::List(values) => values.iter().map(number).collect::<Option<Vec<f64>>>(),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    if starts.iter().any(|s| s.len() != laws.len()) {
        return None;
    }
    let paths = Paths {
        states: laws.iter().map(|(s, _)| s.clone()).collect(),
        rates: laws.iter().map(|(_, law)| plain(&law.formula)).collect(),
        starts,
        step: number(r.get("step")?)?,
        points: whole(r.get("points")?)?,
    };
    let problem = |(k, (_, law)): (usize, &(Symbol, &Law))| Problem {
        origin: Origin::Paths(paths.clone()),
        ..Problem::of_law(&format!("{name}{}", k + 1), set.into(), law, Protocol::Srbench)
    };
    Some(laws.iter().enumerate().map(problem).collect())
}
