//! What `regress` asks of laws: constraints, complexity, loss, stop condition, operators of the user, guesses, read from the
//! language into the terms of a search (`regression::Criteria`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::suggest;
use crate::expression::{Declaration, Declarations, Expr, Kind, Symbol};
use crate::language::calls::Args;
use crate::language::context::{Context, Scope};
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{Field, Function, Record, Value};
use crate::language::{dimension, unknowns};
use crate::regression::complexity::{Complexity, WORDS};
use crate::regression::form::Form;
use crate::regression::loss::Loss;
use crate::regression::rules::{Limit, Name, Rules};
use crate::regression::{Criteria, Model, OwnOperator, Parameter, Problem, RegressError, Until};
use crate::syntax::tree::{ExprId, ExprKind, Tree};
use crate::units::{Dimension, Unit};

/// The constraints there are.
const CONSTRAINTS: [&str; 8] =
    ["forbid", "nesting", "arguments", "require", "exclude", "bounds", "monotone", "limits"];

/// Everything that a call asks of laws.
pub(super) fn criteria(context: &mut Context, args: &Args, problem: &Problem) -> Result<Criteria> {
    let complexity = complexity(args, problem)?;
    let largest = match args.get("size") {
        Some(_) => {
            let n = args.integer("size")?;
            let size = usize::try_from(n).ok().filter(|n| *n > 0);
            Some(size.ok_or_else(|| {
                fault(6006, args.span_of("size"), format!("expected a size of at least 1, found {n}"))
            })?)
        }
        None => None,
    };
    Ok(Criteria {
        complexity,
        largest,
        rules: rules(args, problem)?,
        loss: loss(context, args, problem)?,
        until: until(context, args)?,
    })
}

fn record<'a>(args: &'a Args, name: &str) -> Result<&'a [(crate::syntax::tree::Name, Value)]> {
    match args.get(name).map(Value::plain) {
        None => Ok(&[]),
        Some(Value::Record(r)) => Ok(&r.entries),
        Some(other) => Err(args.wrong(name, "a record", other)),
    }
}

/// The name that a value stands for: a function or a symbol.
fn name_of(value: &Value) -> Option<String> {
    match value.plain() {
        Value::Function(f) => Some(super::regress::operator_name(f)),
        Value::Text(t) => Some(t.to_string()),
        Value::Expr(e) => e.as_symbol().map(|s| s.name().to_string()),
        _ => None,
    }
}

fn complexity(args: &Args, problem: &Problem) -> Result<Complexity> {
    let at = args.span_of("complexity");
    let mut weights = BTreeMap::new();
    for (name, value) in record(args, "complexity")? {
        let known = WORDS.contains(&&**name)
            || crate::expression::Function::from_name(name).is_some()
            || problem.names.iter().any(|n| n.name() == &**name);
        if !known {
            let columns = problem.names.iter().map(Symbol::name);
            let near = suggest::nearest(name, WORDS.into_iter().chain(columns));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("columns, functions, and {}", WORDS.join(", ")),
            };
            return Err(fault_hint(6006, at, format!("expected something to count, found `{name}`"), hint));
        }
        let count = value.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok());
        let Some(count) = count else {
            let message = format!("expected a whole number of at least 0 for `{name}`");
            return Err(fault_hint(6006, at, message, "complexity: {exp: 3, constant: 2}"));
        };
        weights.insert(name.to_string(), count);
    }
    Ok(Complexity { weights })
}

fn rules(args: &Args, problem: &Problem) -> Result<Rules> {
    let at = args.span_of("constraints");
    let mut rules = Rules::default();
    let column = |name: &str| -> Result<usize> {
        problem.names.iter().position(|n| n.name() == name).ok_or_else(|| {
            let columns = problem.names.iter().map(Symbol::to_string).collect();
            lift(&RegressError::RuleColumn { name: name.to_string(), columns }, at)
        })
    };
    let operator = |name: &str| -> Result<Name> {
        Name::of(name).ok_or_else(|| {
            let message = format!("expected an operator or a function, found `{name}`");
            fault_hint(6006, at, message, "sin, exp, power, divide")
        })
    };
    let list = |key: &str, value: &Value| -> Result<Vec<Value>> {
        match op::as_list(value) {
            Some(items) => Ok(items.to_vec()),
            None if matches!(value.plain(), Value::Expr(_) | Value::Function(_) | Value::Record(_)) => {
                Ok(vec![value.clone()])
            }
            None => Err(fault(6006, at, format!("`{key}` expects a list, found a {}", value.kind_name()))),
        }
    };
    let entries = |key: &str, value: &Value| -> Result<Arc<Record>> {
        match value.plain() {
            Value::Record(r) => Ok(r.clone()),
            other => Err(fault(6006, at, format!("`{key}` expects a record, found a {}", other.kind_name()))),
        }
    };
    let named = |key: &str, value: &Value| -> Result<String> {
        name_of(value)
            .ok_or_else(|| fault(6006, at, format!("`{key}` expects names, found a {}", value.kind_name())))
    };
    for (key, value) in record(args, "constraints")? {
        match &**key {
            "forbid" => {
                for shape in list(key, value)? {
                    let e = op::settle(&op::expr_of(&shape, at)?);
                    rules.wild.extend(e.symbols().into_iter().filter(|s| !problem.names.contains(s)));
                    rules.forbidden.push(e);
                }
            }
            "nesting" => {
                for (outer, inner) in &entries(key, value)?.entries {
                    let inner: Result<Vec<Name>> =
                        list(outer, inner)?.iter().map(|v| operator(&named(outer, v)?)).collect();
                    rules.nesting.push((operator(outer)?, inner?));
                }
            }
            "arguments" => {
                for (name, most) in &entries(key, value)?.entries {
                    let most = most.as_expr().and_then(|e| e.as_i64()).and_then(|n| usize::try_from(n).ok());
                    let Some(most) = most.filter(|n| *n > 0) else {
                        let message = format!("expected the largest size of an argument of `{name}`");
                        return Err(fault_hint(6006, at, message, "arguments: {exp: 5}"));
                    };
                    rules.arguments.push((operator(name)?, most));
                }
            }
            "require" | "exclude" => {
                for item in list(key, value)? {
                    let name = named(key, &item)?;
                    let symbol = problem.names[column(&name)?].clone();
                    if &**key == "require" { &mut rules.required } else { &mut rules.excluded }.push(symbol);
                }
            }
            "bounds" => {
                let Value::Range(low, high) = value.plain() else {
                    let message = format!("`bounds` expects a range, found a {}", value.kind_name());
                    return Err(fault_hint(6006, at, message, "bounds: -10..10"));
                };
                let end = |e: &Expr| op::settle(e).evaluate(&|_| None);
                let (Some(low), Some(high)) = (end(low), end(high)) else {
                    return Err(fault_hint(6006, at, "expected numbers as bounds", "bounds: -10..10"));
                };
                rules.bounds = Some((low, high));
            }
            "monotone" => {
                for (name, way) in &entries(key, value)?.entries {
                    let way = named(name, way)?;
                    let rising = match way.as_str() {
                        "rising" => true,
                        "falling" => false,
                        other => {
                            let message = format!("expected rising or falling for `{name}`, found `{other}`");
                            return Err(fault_hint(6006, at, message, format!("{name}: rising")));
                        }
                    };
                    rules.monotone.push((column(name)?, rising));
                }
            }
            "limits" => {
                for item in list(key, value)? {
                    rules.limits.push(limit(entries(key, &item)?.as_ref(), args, problem)?);
                }
            }
            other => {
                let near = suggest::nearest(other, CONSTRAINTS);
                let hint = near.map_or(CONSTRAINTS.join(", "), |n| format!("did you mean `{n}`?"));
                return Err(fault_hint(6006, at, format!("expected a constraint, found `{other}`"), hint));
            }
        }
    }
    Ok(rules)
}

/// `{x: 0, y: 1}`: where the column x is 0 the target y is 1.
fn limit(entries: &Record, args: &Args, problem: &Problem) -> Result<Limit> {
    let at = args.span_of("constraints");
    let mut limit = Limit { at: Vec::new(), value: f64::NAN };
    let mut met = false;
    for (name, value) in &entries.entries {
        let e = op::settle(&op::expr_of(value, at)?);
        let infinite = e.evaluate(&|_| None).filter(|x| !x.is_nan());
        let Some(number) = infinite else {
            return Err(fault(6006, at, format!("expected a number for `{name}`, found `{e}`")));
        };
        let place = problem.names.iter().position(|n| n.name() == &**name);
        let own = match place {
            Some(k) => problem.dimension(k),
            None => problem.goal(),
        };
        let found = dimension::of(&e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at))?;
        if let Some(found) = found.filter(|d| problem.dimensions.is_some() && *d != own && number != 0.0)
            && number.is_finite()
        {
            let (expected, found) = (Unit::coherent(own), Unit::coherent(found));
            let message = format!("expected `{name}` in [{expected}], found [{found}]");
            return Err(fault_hint(6021, at, message, format!("{name}: ... [{expected}]")));
        }
        match place {
            Some(k) => limit.at.push((k, number)),
            None if *name.as_ref() == *problem.target_symbol.name() => {
                limit.value = number;
                met = true;
            }
            None => {
                let columns = problem.names.iter().map(Symbol::to_string).collect();
                return Err(lift(&RegressError::RuleColumn { name: name.to_string(), columns }, at));
            }
        }
    }
    if limit.at.is_empty() || !met || limit.value.is_infinite() {
        let first = problem.names.first().map_or("x", Symbol::name);
        let hint = format!("limits: [{{{first}: 0, {}: 1}}]", problem.target_symbol);
        return Err(fault_hint(6006, at, "expected columns and the target with their values", hint));
    }
    Ok(limit)
}

/// The loss as a function of two arguments, applied to a prediction and a target.
fn loss(context: &mut Context, args: &Args, problem: &Problem) -> Result<Option<Loss>> {
    let at = args.span_of("loss");
    let function = match args.value("loss")?.plain() {
        Value::Text(t) if &**t == "squares" => return Ok(None),
        Value::Expr(e) if e.as_symbol().is_some_and(|s| s.name() == "squares") => return Ok(None),
        Value::Function(f) => f.clone(),
        other => {
            let message =
                format!("`loss` expects a function of two arguments, found a {}", other.kind_name());
            return Err(fault_hint(6006, at, message, "absolute(p, y) = abs(p - y); ... loss: absolute"));
        }
    };
    let (p, y) = (Symbol::new("prediction"), Symbol::new("target"));
    let arguments = [&p, &y].map(|s| Value::Expr(Expr::symbol(s.clone()))).to_vec();
    let value = context.apply(&function, arguments, at)?;
    let Some(e) = value.as_expr() else {
        let message = format!("expected a loss that is a number, found a {}", value.kind_name());
        return Err(fault_hint(6006, at, message, "absolute(p, y) = abs(p - y)"));
    };
    let e = op::settle(&e);
    let mut known = Declarations::new();
    let unit = Some(problem.target_unit.clone().filter(|_| problem.dimensions.is_some()));
    for s in [&p, &y] {
        let unit = unit.clone().flatten().or_else(|| Some(Unit::one()));
        known.insert(s.clone(), Declaration { unit, ..Declaration::default() });
    }
    dimension::of(&e, &known).map_err(|m| op::unit_fault(&m, at))?;
    Loss::new(&e, &p, &y, &problem.target).map(Some).map_err(|e| lift(&e, at))
}

/// When a law is good enough.
fn until(context: &mut Context, args: &Args) -> Result<Option<Until>> {
    let Some(_) = args.get("until") else { return Ok(None) };
    let f = args.formula("until")?;
    let known = ["loss", "r2", "size"];
    let mut scope: Scope = f.captured.iter().map(|(n, v)| (n.clone(), Some(v.clone()))).collect();
    scope.extend(known.map(|n| (crate::syntax::tree::Name::from(n), None)));
    let outer = std::mem::replace(&mut context.locals, vec![scope]);
    let found = condition(context, &f.tree, f.body);
    context.locals = outer;
    let e = found?;
    let wrong = e.symbols().into_iter().find(|s| !known.contains(&s.name())).map(|s| s.to_string());
    let logic = e.flags().has(crate::expression::Flags::LOGIC);
    if let Some(s) = wrong.or_else(|| (!logic).then(|| e.to_string())) {
        let message = format!("expected a condition on loss, r2 and size, found `{s}`");
        return Err(fault_hint(6006, args.span_of("until"), message, "until: loss < 1e-6 and size < 10"));
    }
    Ok(Some(Until(e)))
}

/// A condition whose parts are not decided yet: `and`, `or` and `not` are kept.
fn condition(context: &mut Context, tree: &Arc<Tree>, id: ExprId) -> Result<Expr> {
    let all = |context: &mut Context, parts: &[ExprId]| -> Result<Vec<Expr>> {
        parts.iter().map(|p| condition(context, tree, *p)).collect()
    };
    match tree.expr(id) {
        ExprKind::And(parts) => Ok(Expr::and(all(context, parts)?)),
        ExprKind::Or(parts) => Ok(Expr::or(all(context, parts)?)),
        ExprKind::Not(part) => Ok(Expr::not(condition(context, tree, *part)?)),
        _ => {
            let value = context.evaluate(tree, id)?;
            Ok(op::settle(&op::expr_of(&value, tree.span(id))?))
        }
    }
}

/// The form that `form` asks for: functions that nothing defines are its holes, names that are no columns its constants.
pub(super) fn form(context: &mut Context, args: &Args, problem: &Problem) -> Result<Option<Form>> {
    let Some(_) = args.get("form") else { return Ok(None) };
    let at = args.span_of("form");
    let f = args.formula("form")?;
    let mut scope: Scope = f.captured.iter().map(|(n, v)| (n.clone(), Some(v.clone()))).collect();
    let mut open = vec![f.body];
    while let Some(id) = open.pop() {
        let kind = f.tree.expr(id);
        if let ExprKind::Call { callee, args, .. } = kind
            && let ExprKind::Name(name) = f.tree.expr(*callee)
            && !scope.contains_key(name)
            && context.library.signatures(name).is_none()
        {
            let variables = (1..=args.len()).map(|k| Symbol::new(&format!("x{k}"))).collect();
            let hole = Field { name: Symbol::new(name), variables };
            scope.insert(name.clone(), Some(Value::Field(Arc::new(hole))));
        }
        kind.each_child(|child| open.push(child));
    }
    scope.extend(problem.names.iter().map(|n| (crate::syntax::tree::Name::from(n.name()), None)));
    let outer = std::mem::replace(&mut context.locals, vec![scope]);
    let value = context.evaluate(&f.tree, f.body);
    context.locals = outer;
    let template = op::settle(&op::expr_of(&value?, at)?);
    let mut form = Form::of(&template, &problem.names).map_err(|e| lift(&e, at))?;
    for c in &mut form.constants {
        if let Some(declared) = context.declarations.get(&c.symbol) {
            c.start = declared.start;
            c.dimension = declared.unit.as_ref().map(Unit::dimension);
        }
    }
    Ok(Some(form))
}

/// The operators of the user among those of a call.
pub(super) fn own_operators(context: &mut Context, args: &Args) -> Result<Vec<OwnOperator>> {
    let at = args.span_of("operators");
    let mut own = Vec::new();
    for value in args.list("operators")?.iter() {
        let Value::Function(Function::User(f)) = value else { continue };
        let arguments: Vec<Symbol> =
            f.params.iter().filter(|p| p.default.is_none()).map(|p| Symbol::new(&p.name.name)).collect();
        if !(1..=2).contains(&arguments.len()) {
            let message = format!(
                "expected an operator of one or two arguments, found `{}` of {}",
                f.name,
                arguments.len()
            );
            return Err(fault(6006, at, message));
        }
        let values = arguments.iter().map(|s| Value::Expr(Expr::symbol(s.clone()))).collect();
        let value = context.apply(&Function::User(f.clone()), values, at)?;
        let Some(body) = value.as_expr() else {
            let message = format!("expected numbers of `{}`, found a {}", f.name, value.kind_name());
            return Err(fault(6006, at, message));
        };
        let body = op::settle(&body);
        if let Some(s) = body.symbols().into_iter().find(|s| !arguments.contains(s)) {
            let message = format!("expected `{}` to depend on its arguments alone, found `{s}`", f.name);
            return Err(fault(6006, at, message));
        }
        let mut known = Declarations::new();
        for s in &arguments {
            known.insert(s.clone(), Declaration { unit: Some(Unit::one()), ..Declaration::default() });
        }
        let found = dimension::of(&body, &known).map_err(|m| op::unit_fault(&m, at))?;
        if let Some(found) = found.filter(|d| !d.is_none()) {
            let message =
                format!("expected a pure number of `{}`, found [{}]", f.name, Unit::coherent(found));
            return Err(fault(6021, at, message));
        }
        own.push(OwnOperator { name: f.name.to_string(), arguments, body });
    }
    Ok(own)
}

/// Laws to begin with: those of `guesses`, and of the front `from`. Names that are no columns, and floats, are constants to
/// be fitted.
pub(super) fn guesses(context: &Context, args: &Args, problem: &Problem) -> Result<Vec<Model>> {
    let at = args.span_of("guesses");
    let mut models = Vec::new();
    for value in args.list("guesses")?.iter() {
        let e = op::settle(&op::expr_of(value, at)?);
        models.push(guess(context, &e, problem).map_err(|fault| lift(&fault, at))?);
    }
    if let Some(Value::Front(f)) = args.get("from").map(Value::plain) {
        let at = args.span_of("from");
        for c in f.found.front.candidates() {
            models.push(guess(context, &c.expr, problem).map_err(|fault| lift(&fault, at))?);
        }
    }
    Ok(models)
}

fn guess(context: &Context, e: &Expr, problem: &Problem) -> std::result::Result<Model, RegressError> {
    let mut known = Declarations::new();
    for (k, name) in problem.names.iter().enumerate() {
        let unit = Some(Unit::coherent(problem.dimension(k)));
        known.insert(name.clone(), Declaration { unit, ..Declaration::default() });
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    // Numbers that are not exact are fitted.
    let open = e.transform(&mut |e| match e.kind() {
        Kind::Float(x) => fitted(*x, &mut parameters),
        Kind::Uncertain(u) => fitted(u.value(), &mut parameters),
        Kind::Unit(_) if problem.dimensions.is_none() => e.evaluate(&|_| None).map_or(e, Expr::float),
        _ => e,
    });
    let numbers = parameters.len();
    for s in open.symbols() {
        if problem.names.contains(&s) || parameters.iter().any(|p| p.symbol == s) {
            continue;
        }
        let start = context.declarations.get(&s).and_then(|d| d.start).unwrap_or(1.0);
        parameters.push(Parameter { symbol: s, start, dimension: Dimension::NONE });
    }
    for p in &parameters[..numbers] {
        known.insert(p.symbol.clone(), Declaration { unit: Some(Unit::one()), ..Declaration::default() });
    }
    let wrong = |found: String| RegressError::GuessUnit {
        guess: e.to_string(),
        expected: Unit::coherent(problem.goal()).to_string(),
        found,
    };
    let target = Symbol::new("#target");
    known.insert(
        target.clone(),
        Declaration { unit: Some(Unit::coherent(problem.goal())), ..Declaration::default() },
    );
    let names: Vec<Symbol> = parameters[numbers..].iter().map(|p| p.symbol.clone()).collect();
    let found = match unknowns::solve(&Expr::symbol(target), &open, &names, &known) {
        Ok(found) => found,
        Err(_) => {
            let own = dimension::of(&open, &known).ok().flatten();
            return Err(wrong(own.map_or_else(|| "no one unit".into(), |d| Unit::coherent(d).to_string())));
        }
    };
    let mut template = open;
    for (k, p) in parameters.iter_mut().enumerate() {
        if k >= numbers {
            p.dimension = found.get(&p.symbol).copied().flatten().unwrap_or(Dimension::NONE);
            let symbol = Parameter::symbol(k);
            template = template.substitute(&[(p.symbol.clone(), Expr::symbol(symbol.clone()))]);
            p.symbol = symbol;
        }
    }
    let value = template.evaluate(&|s| {
        let column = problem.names.iter().position(|n| n == s).map(|k| problem.columns[k][0]);
        column.or_else(|| parameters.iter().find(|p| p.symbol == *s).map(|p| p.start))
    });
    if value.is_none_or(|v| !v.is_finite()) {
        return Err(RegressError::GuessValue { guess: e.to_string() });
    }
    Ok(Model { template, parameters, engine: "guess" })
}

fn fitted(start: f64, parameters: &mut Vec<Parameter>) -> Expr {
    let symbol = Parameter::symbol(parameters.len());
    parameters.push(Parameter { symbol: symbol.clone(), start, dimension: Dimension::NONE });
    Expr::symbol(symbol)
}
