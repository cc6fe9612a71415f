//! Laws of vectors and of complex numbers: three columns that are one vector, columns of complex numbers, as features and as
//! targets of `regress`.

use std::sync::Arc;

use super::regress::{Request, boxed, problem};
use crate::base::{CancelToken, Fault, hash};
use crate::data::{self, Column, Dataset, Values};
use crate::expression::Symbol;
use crate::language::calls::Args;
use crate::language::error::{Result, fault_hint};
use crate::language::operations as op;
use crate::language::value::Value;
use crate::regression::checkpoint::Answer;
use crate::regression::vectors::{Derived, expand, invariants, spoken};
use crate::regression::{
    ComplexColumn, ComplexTarget, Found, Front, Journal, Plan, Problem, RegressError, Report, VectorTarget,
    Vectors, complex, regress_complex_kept, regress_vector_kept,
};
use crate::syntax::tree::Name;
use crate::units::{Dimension, Unit};

/// A vector and its three columns.
pub type Triple = (Name, [Arc<str>; 3]);

/// The vectors of a call: `vectors: {r: [x, y, z]}`.
pub(super) fn vectors(args: &Args) -> Result<Vec<Triple>> {
    let Some(value) = args.get("vectors") else { return Ok(Vec::new()) };
    let Value::Record(r) = value.plain() else { return Err(args.wrong("vectors", "a record", value)) };
    let at = args.span_of("vectors");
    let one = |(name, value): &(Name, Value)| -> Result<Triple> {
        let names: Option<Vec<Arc<str>>> = op::as_list(value).and_then(|items| {
            items
                .iter()
                .map(|v| match v.plain() {
                    Value::Text(t) => Some(t.clone()),
                    v => v.as_expr()?.as_symbol().map(|s| Arc::from(s.name())),
                })
                .collect()
        });
        match names.as_deref() {
            Some([x, y, z]) => Ok((name.clone(), [x.clone(), y.clone(), z.clone()])),
            _ => {
                let message = format!("expected three columns as components of `{name}`");
                Err(fault_hint(6006, at, message, format!("vectors: {{{name}: [x, y, z]}}")))
            }
        }
    };
    r.entries.iter().map(one).collect()
}

/// The vectors as places of columns.
pub(super) fn places(
    problem: &Problem,
    triples: &[Triple],
) -> std::result::Result<Vec<Vectors>, Box<dyn Fault>> {
    let one = |(name, columns): &Triple| {
        let place = |c: &Arc<str>| {
            problem.names.iter().position(|n| n.name() == &**c).ok_or_else(|| {
                let columns = problem.names.iter().map(Symbol::to_string).collect();
                boxed(RegressError::RuleColumn { name: c.to_string(), columns })
            })
        };
        let columns = [place(&columns[0])?, place(&columns[1])?, place(&columns[2])?];
        Ok(Vectors { name: Symbol::new(name), columns })
    };
    triples.iter().map(one).collect()
}

/// The complex columns of a dataset but `target`.
fn complex_columns(d: &Dataset, target: &str) -> Vec<ComplexColumn> {
    let others = d.columns().iter().filter(|c| *c.name != *target);
    others.filter_map(|c| complex_column(c)).collect()
}

fn complex_column(c: &Column) -> Option<ComplexColumn> {
    let Values::Complex(values) = &c.values else { return None };
    let scale = c.unit.as_ref().map_or(1.0, |u| u.scale().to_f64());
    Some(ComplexColumn {
        name: Symbol::new(&c.name),
        re: values.iter().map(|z| z.0 * scale).collect(),
        im: values.iter().map(|z| z.1 * scale).collect(),
        dimension: c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension),
        unit: c.unit.clone(),
    })
}

/// Whether the target of a request is a vector, or a column of complex numbers.
pub(super) fn is_typed(d: &Dataset, request: &Request) -> bool {
    let Some(target) = &request.target else { return false };
    let complex = d.get(target).is_some_and(|c| matches!(c.values, Values::Complex(_)));
    complex || request.vectors.iter().any(|(n, _)| **n == **target)
}

/// The problem of a scalar target with what vectors and complex columns give to laws in place of their parts.
pub(super) fn with_parts(
    d: &Dataset,
    request: &Request,
    problem: Problem,
) -> std::result::Result<(Problem, Vec<Derived>), Box<dyn Fault>> {
    let target = problem.target_symbol.to_string();
    let (problem, mut derived) = match request.vectors.as_slice() {
        [] => (problem, Vec::new()),
        triples => {
            let places = places(&problem, triples)?;
            invariants(&problem, &places).map_err(boxed)?
        }
    };
    match complex_columns(d, &target).as_slice() {
        [] => Ok((problem, derived)),
        columns => {
            let (problem, more) = complex::parts(&problem, columns).map_err(boxed)?;
            derived.extend(more);
            Ok((problem, derived))
        }
    }
}

/// Laws in columns of the data, and how they are said, of laws in derived columns.
pub(super) fn written(mut found: Found, derived: &[Derived]) -> Answer {
    let words = found.front.candidates().iter().map(|c| spoken(&c.expr).to_string()).collect();
    let laws = found.front.candidates().iter().cloned().map(|mut c| {
        c.expr = expand(&c.expr, derived);
        c
    });
    found.front = Front::restore(laws.collect(), found.front.floor());
    if let Some(c) = &mut found.runner_up {
        c.expr = expand(&c.expr, derived);
    }
    Answer { words, ..found.into() }
}

/// The problem of the features beside a typed target, its first part standing for it.
pub(super) fn base(d: &Dataset, request: &Request) -> std::result::Result<Problem, Box<dyn Fault>> {
    let target = request.target.clone().unwrap_or_else(|| "y".into());
    if let Some((_, own)) = request.vectors.iter().find(|(n, _)| **n == *target) {
        let errors = vector_of_errors(request);
        let idle = |n: &str| own[1..].iter().chain(errors.into_iter().flatten()).any(|c| **c == *n);
        let kept: Vec<&str> = d.names().filter(|n| !idle(n)).collect();
        let d = d.select(&kept).map_err(boxed)?;
        let sigma = request.sigma.clone().filter(|_| errors.is_none());
        return problem(&d, &Request { target: Some(own[0].clone()), sigma, ..request.clone() });
    }
    let column = d.column(&target).map_err(boxed)?;
    let Some(z) = complex_column(column) else { return problem(d, request) };
    let unit = column.unit.clone();
    let scale = unit.as_ref().map_or(1.0, |u| u.scale().to_f64());
    let real = Column::floats(&target, unit, z.re.iter().map(|x| x / scale).collect());
    let real = Column { errors: column.errors.clone(), ..real };
    let kept: Vec<&str> = d.names().filter(|n| **n != *target).collect();
    let d = d.select(&kept).and_then(|d| d.with_column(real)).map_err(boxed)?;
    problem(&d, request)
}

/// The columns of the vector that `sigma` names, if it names one.
fn vector_of_errors(request: &Request) -> Option<&[Arc<str>; 3]> {
    let name = request.sigma.as_ref()?;
    request.vectors.iter().find(|(n, _)| **n == **name).map(|(_, columns)| columns)
}

/// Standard errors of the components of a vector: those of the vector or of the one column that `sigma` names, else those that
/// the data give with each component.
fn errors(
    d: &Dataset,
    request: &Request,
    vector: &Name,
    own: &[Arc<str>; 3],
) -> std::result::Result<Option<[Vec<f64>; 3]>, Box<dyn Fault>> {
    if let Some(name) = &request.sigma {
        let one = [name.clone(), name.clone(), name.clone()];
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        for (list, column) in all.iter_mut().zip(vector_of_errors(request).unwrap_or(&one)) {
            *list = d.numbers(column).map_err(boxed)?.si_values();
        }
        return Ok(Some(all));
    }
    let mut known = Vec::new();
    let mut without = None;
    for c in own {
        match d.numbers(c).map_err(boxed)?.si_errors() {
            Some(errors) => known.push(errors),
            None => without = Some(c.to_string()),
        }
    }
    match (<[Vec<f64>; 3]>::try_from(known), without) {
        (Ok(all), _) => Ok(Some(all)),
        (Err(some), Some(component)) if !some.is_empty() => {
            Err(boxed(RegressError::ComponentErrors { vector: vector.to_string(), component }))
        }
        _ => Ok(None),
    }
}

/// A hash of the columns that a typed search looks at beside those of its [`base`].
pub(super) fn fingerprint(d: &Dataset, request: &Request) -> u64 {
    let triples: Vec<(&str, &[Arc<str>])> = request.vectors.iter().map(|(n, c)| (&**n, &c[..])).collect();
    let mut total = hash::of_str(&format!("{:?} {triples:?}", request.target));
    for c in d.columns() {
        total = hash::combine(total, hash::of_str(&c.name));
        let unit = c.unit.as_ref().map_or_else(String::new, Unit::to_string);
        total = hash::combine(total, hash::of_str(&unit));
        let pair = |h: u64, z: &(f64, f64)| hash::combine(hash::combine(h, z.0.to_bits()), z.1.to_bits());
        total = match &c.values {
            Values::Complex(all) => all.iter().fold(total, pair),
            Values::Label(_) => total,
            _ => c.si_values().iter().fold(total, |h, x| hash::combine(h, x.to_bits())),
        };
        total = c.si_errors().iter().flatten().fold(total, |h, x| hash::combine(h, x.to_bits()));
    }
    total
}

/// The search for a vector or for complex numbers.
pub(super) fn search(
    d: &Dataset,
    request: &Request,
    plan: &Plan,
    cancel: &CancelToken,
    tell: &dyn Fn(&Report<'_>),
    journal: &Journal<'_>,
) -> std::result::Result<Answer, Box<dyn Fault>> {
    let target = request.target.clone().unwrap_or_else(|| "y".into());
    let problem = base(d, request)?;
    if let Some((name, own)) = request.vectors.iter().find(|(n, _)| **n == *target) {
        let mut columns = Vec::with_capacity(3);
        for c in own {
            columns.push(d.numbers(c).map_err(boxed)?.clone());
        }
        let [x, y, z] = columns.as_slice() else {
            return Err(boxed(RegressError::NoTarget));
        };
        let dimension = |c: &data::Column| c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
        if dimension(x) != dimension(y) || dimension(x) != dimension(z) {
            return Err(boxed(RegressError::Components { vector: name.to_string() }));
        }
        let vector = VectorTarget {
            name: Symbol::new(name),
            components: [x, y, z].map(|c| c.si_values()),
            dimension: dimension(x),
            unit: x.unit.clone(),
            sigma: errors(d, request, name, own)?,
            resolution: problem.resolution,
        };
        let is_other = |n: &Name| n != name && request.sigma.as_deref() != Some(&**n);
        let others: Vec<Triple> = request.vectors.iter().filter(|(n, _)| is_other(n)).cloned().collect();
        let places = places(&problem, &others)?;
        let found = regress_vector_kept((&problem, &places), &vector, plan, cancel, tell, journal);
        let found = found.map_err(boxed)?;
        let words = found.laws.iter().map(|l| l.words.clone()).collect();
        let components = |l: &crate::regression::VectorLaw| {
            own.iter().map(|c| c.to_string()).zip(l.components.iter().cloned()).collect()
        };
        let parts = found.laws.iter().map(components).collect();
        let laws = found.laws.into_iter().map(|l| l.law).collect();
        let found = told(laws, found.stopped, found.work, found.notes);
        return Ok(Answer { words, parts, ..found.into() });
    }
    let column = d.column(&target).map_err(boxed)?;
    let Some(z) = complex_column(column) else { return Err(boxed(RegressError::NoTarget)) };
    let own = ComplexTarget { column: z, sigma: problem.sigma.clone(), resolution: None };
    let features = complex_columns(d, &target);
    let found = regress_complex_kept((&problem, &features), &own, plan, cancel, tell, journal);
    let found = found.map_err(boxed)?;
    let words = found.laws.iter().map(|l| l.law.expr.to_string()).collect();
    let laws = found.laws.into_iter().map(|l| l.law).collect();
    Ok(Answer { words, ..told(laws, found.stopped, found.work, found.notes).into() })
}

fn told(
    laws: Vec<crate::regression::Candidate>,
    stopped: crate::base::StopReason,
    work: u64,
    notes: Vec<String>,
) -> Found {
    Found {
        front: Front::restore(laws, 0.0),
        stopped,
        work,
        notes,
        steps: 0,
        refined: 0,
        runner_up: None,
        noise: None,
    }
}
