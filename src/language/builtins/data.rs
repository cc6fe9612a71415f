//! Datasets, fits and laws from data: the language's side of `data` and `regression`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Body;
use crate::base::{
    CancelToken, Checkpoints, Event, EventSink, Finding, FoundLaw, Meter, Read, StopReason, checkpoint,
};
use crate::data::{self, Dataset, Missing, ParamSpec, ReadOptions, Role, Sample, Values};
use crate::expression::print::Style;
use crate::expression::{Declaration, Declarations, Domain, Expr, Kind, Relation, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{Fit, FrontValue, Function, Record, Value};
use crate::language::{dimension, render, unknowns};
use crate::regression::checkpoint::Kept;
use crate::regression::{self, Constants, Found, Keeping, Plan, Problem, RegressError};
use crate::syntax::tree::{Name, Operator};
use crate::units::{Catalogue, Dimension, Unit};

/// Least time between two states of a search that are written.
const PAUSE: Duration = Duration::from_millis(100);

/// The table.
pub const TABLE: &[(&str, Body)] = &[("read", read), ("sample", sample), ("fit", fit), ("regress", regress)];

/// The seed of a call, else that of the session.
pub(super) fn seed(context: &Context, args: &Args) -> Result<u64> {
    match args.get("seed") {
        None => Ok(context.seed),
        Some(_) => {
            let n = args.integer("seed")?;
            u64::try_from(n).map_err(|_| {
                fault(6006, args.span_of("seed"), format!("expected a seed of at least 0, found {n}"))
            })
        }
    }
}

fn read(context: &mut Context, args: &Args) -> Result<Value> {
    let path = context.path(&args.word("path")?);
    let missing = match &*args.word("missing")? {
        "drop" => Missing::Drop,
        "keep" => Missing::Keep,
        _ => Missing::Fault,
    };
    let headers = match args.get("headers") {
        None => None,
        Some(_) => Some(
            args.list("headers")?
                .iter()
                .map(|v| match v {
                    Value::Text(t) => Ok(t.to_string()),
                    other => Err(args.wrong("headers", "texts", other)),
                })
                .collect::<Result<Vec<String>>>()?,
        ),
    };
    let member = args.get("member").map(|_| args.word("member")).transpose()?.map(|m| m.to_string());
    let found = data::read(&path, &context.catalogue, &ReadOptions { missing, headers, member })
        .map_err(|e| lift(&e, args.span_of("path")))?;
    for note in &found.notes {
        context.notify(crate::base::Diagnostic { span: Some(args.span_of("path")), ..note.clone() });
    }
    context.events.send(Event::Read(Read { path, summary: summary(&found) }));
    Ok(Value::Dataset(Arc::new(found)))
}

/// Rows and columns of a dataset in words.
fn summary(d: &Dataset) -> String {
    let columns: Vec<String> = d.columns().iter().map(|c| c.header()).collect();
    format!("{} rows: {}", d.rows(), columns.join(", "))
}

fn sample(context: &mut Context, args: &Args) -> Result<Value> {
    let value = args.value("formula")?.clone();
    let formula = args.expr("formula")?;
    let points = args.integer("points")?;
    if !(1..=100_000_000).contains(&points) {
        return Err(fault(
            6031,
            args.span_of("points"),
            format!("expected at least 1 point, found {points}"),
        ));
    }
    let mut declarations = context.declarations.clone();
    let mut unit = None;
    let mut name = args.word("name")?;
    if let Value::Law(law) = value.plain() {
        declarations = law.declarations.or(&declarations);
        unit = law.unit.clone();
        if name.is_empty()
            && let Some(n) = &law.name
        {
            name = n.clone();
        }
    }
    if name.is_empty() {
        name = context
            .globals
            .iter()
            .filter(|(_, v)| v.as_expr().is_some_and(|e| e == formula) && formula.as_symbol().is_none())
            .map(|(n, _)| n.clone())
            .min()
            .unwrap_or_else(|| "y".into());
    }
    for s in formula.symbols() {
        if declarations.get(&s).is_none_or(|d| d.domain.is_none()) {
            return Err(fault_hint(
                6030,
                args.span_of("formula"),
                format!("expected a domain for `{s}`, found none"),
                format!("var {s} in 1..5"),
            ));
        }
    }
    let found =
        dimension::of(&formula, &declarations).map_err(|m| op::unit_fault(&m, args.span_of("formula")))?;
    let unit = unit.or_else(|| found.map(Unit::coherent));
    let plan = Sample {
        formula: &formula,
        target: &name,
        target_unit: unit,
        declarations: &declarations,
        points: points as usize,
        noise: args.real("noise")?,
        relative_noise: args.real("relative_noise")?,
        seed: seed(context, args)?,
    };
    let meter = Meter::new(&context.events, "sample", "rows", Some(plan.points as u64));
    let found = data::sample(&plan).map_err(|e| lift(&e, args.span))?;
    drop(meter);
    Ok(Value::Dataset(Arc::new(found)))
}

/// What the columns of a dataset say of the symbols with their names.
pub fn column_declarations(d: &Dataset) -> Declarations {
    let mut declarations = Declarations::new();
    for c in d.columns() {
        if matches!(c.values, Values::Label(_)) {
            continue;
        }
        let si = c.si_values();
        let (low, high) =
            si.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        let domain = (low <= high).then_some(Domain::Interval { low, high });
        let declared = Declaration {
            unit: Some(c.unit.clone().unwrap_or_else(Unit::one)),
            domain,
            ..Declaration::default()
        };
        declarations.insert(Symbol::new(&c.name), declared);
    }
    declarations
}

fn fit(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let equation = args.expr("equation")?;
    let at = args.span_of("equation");
    let Kind::Relation(Relation::Eq, lhs, rhs) = equation.kind() else {
        return Err(fault_hint(6006, at, "`equation` expects one equation", "fit(data, v == H0*r)"));
    };
    let columns = column_declarations(&d);
    let mut parameters: Vec<Symbol> = rhs.symbols();
    parameters.extend(lhs.symbols());
    parameters.retain(|s| columns.get(s).is_none());
    parameters.dedup();
    parameters.sort();
    parameters.dedup();
    if parameters.is_empty() {
        return Err(fault_hint(
            6004,
            at,
            "expected at least one parameter, found only columns and numbers",
            "a name that is no column is a parameter: `y == a*x`",
        ));
    }
    let mut known = columns.clone();
    for p in &parameters {
        if let Some(declared) = context.declarations.get(p) {
            known.insert(p.clone(), declared.clone());
        }
    }
    let found = unknowns::solve(lhs, rhs, &parameters, &known).map_err(|m| op::unit_fault(&m, at))?;
    let starts = starts(args)?;
    let specs: Vec<ParamSpec> = parameters
        .iter()
        .map(|p| {
            let declared = context.declarations.get(p);
            ParamSpec {
                symbol: p.clone(),
                start: starts.get(p.name()).copied().or_else(|| declared.and_then(|d| d.start)),
                bounds: declared
                    .and_then(|d| d.domain.as_ref())
                    .map_or((f64::NEG_INFINITY, f64::INFINITY), Domain::bounds),
            }
        })
        .collect();
    let sigma = sigma_column(&d, args)?;
    let result = data::fit(&d, lhs, rhs, &specs, sigma.as_deref(), &context.cancel, &context.events)
        .map_err(|e| lift(&e, args.span))?;
    for p in &parameters {
        if known.get(p).is_none_or(|d| d.unit.is_none()) && found.get(p).is_some_and(Option::is_none) {
            context.notify(crate::base::Diagnostic::notice(
                crate::base::Code(6025),
                at,
                format!("the equation leaves the unit of `{p}` open; its number is for coherent SI units"),
            ));
        }
    }
    if result.relative {
        context.notify(crate::base::Diagnostic::notice(
            crate::base::Code(6026),
            at,
            format!("the scatter grows with `{lhs}`; the errors are for noise in proportion to it"),
        ));
    }
    let units = parameters
        .iter()
        .filter_map(|p| {
            let unit = context.declarations.get(p).and_then(|d| d.unit.clone());
            let unit = unit.or_else(|| found.get(p).copied().flatten().map(Unit::coherent))?;
            Some((p.clone(), unit))
        })
        .collect();
    let found = Arc::new(Fit { result, equation: (lhs.clone(), rhs.clone()), units, columns });
    let law = found.law();
    let finding = Finding {
        task: "fit".into(),
        name: context.binding.as_ref().map(|n| n.to_string()),
        target: lhs.to_string(),
        text: render::line(&Value::Fit(found.clone()), &context.style),
        laws: vec![FoundLaw {
            expression: render::expr(&law, &Style::exact()),
            latex: law.latex(),
            size: regression::size(&law),
            loss: found.result.residual_rms * found.result.residual_rms,
            r2: found.result.r2,
            description_length: f64::NAN,
            chosen: true,
        }],
        figures: vec![("chi2", found.result.chi2), ("rms", found.result.residual_rms)],
        stopped: Some(found.result.stopped),
        ..Finding::default()
    };
    context.events.send(Event::Finding(Arc::new(finding)));
    Ok(Value::Fit(found))
}

fn starts(args: &Args) -> Result<BTreeMap<String, f64>> {
    let mut starts = BTreeMap::new();
    if let Some(v) = args.get("start") {
        let Value::Record(r) = v.plain() else {
            return Err(args.wrong("start", "a record of starting values", v));
        };
        for (name, value) in &r.entries {
            let e = op::settle(&op::expr_of(value, args.span_of("start"))?);
            let number = e.evaluate(&|_| None).ok_or_else(|| {
                fault(6006, args.span_of("start"), format!("expected a number, found `{e}`"))
            })?;
            starts.insert(name.to_string(), number);
        }
    }
    Ok(starts)
}

/// Standard errors in SI: a column's name, a number or a quantity for all rows; else the errors that the target's
/// column brings.
fn sigma_column(d: &Dataset, args: &Args) -> Result<Option<Vec<f64>>> {
    let Some(v) = args.get("sigma") else { return Ok(None) };
    let at = args.span_of("sigma");
    match v.plain() {
        Value::Text(name) => {
            let c = d.column(name).map_err(|e| lift(&e, at))?;
            Ok(Some(c.si_values()))
        }
        Value::Column(c) => Ok(Some(c.si_values())),
        other => {
            let e = op::settle(&op::expr_of(other, at)?);
            if let Some(s) = e.as_symbol()
                && let Ok(c) = d.column(s.name())
            {
                return Ok(Some(c.si_values()));
            }
            match e.evaluate(&|_| None).filter(|x| *x > 0.0) {
                Some(x) => Ok(Some(vec![x; d.rows()])),
                None => Err(fault(6006, at, format!("expected a column or a positive number, found `{e}`"))),
            }
        }
    }
}

/// Members of a fit: its parameters, then what is known of the whole.
pub fn fit_member(f: &Fit, name: &str) -> (Option<Value>, Vec<String>) {
    if let Some(e) = f.parameter(name) {
        return (Some(Value::Expr(e)), Vec::new());
    }
    let r = &f.result;
    let value = match name {
        "law" | "best" => Some(Value::Expr(f.law())),
        "r2" => Some(Value::Expr(Expr::float(r.r2))),
        "chi2" => Some(Value::Expr(Expr::float(r.chi2))),
        "dof" => Some(Value::int(r.dof as i64)),
        "rms" => Some(Value::Expr(Expr::float(r.residual_rms))),
        "residuals" => Some(Value::list(r.residuals.iter().map(|x| Value::Expr(Expr::float(*x))).collect())),
        "parameters" => {
            let entries = r
                .parameters
                .iter()
                .filter_map(|(s, _)| f.parameter(s.name()).map(|e| (Name::from(s.name()), Value::Expr(e))))
                .collect();
            Some(Value::Record(Arc::new(Record { entries })))
        }
        "covariance" => {
            let n = r.parameters.len();
            let rows = (0..n)
                .map(|i| {
                    Value::list(
                        (0..n).map(|j| Value::Expr(Expr::float(r.covariance.matrix[i * n + j]))).collect(),
                    )
                })
                .collect();
            Some(Value::list(rows))
        }
        "stopped" => Some(Value::text(r.stopped.word())),
        _ => None,
    };
    let mut known: Vec<String> = r.parameters.iter().map(|(s, _)| s.to_string()).collect();
    known.extend(
        ["law", "r2", "chi2", "dof", "rms", "residuals", "parameters", "covariance", "stopped"]
            .map(String::from),
    );
    (value, known)
}

/// What a search is asked to do, from the language or the command line.
#[derive(Clone, Debug)]
pub struct Request {
    /// The target's column; the last numeric one where `None`.
    pub target: Option<Arc<str>>,
    /// `auto` or `closed`.
    pub method: Arc<str>,
    /// The operators by name.
    pub operators: Vec<String>,
    /// Which constants may be fitted.
    pub constants: Constants,
    /// A column of standard errors.
    pub sigma: Option<Arc<str>>,
    /// Whether units are used.
    pub units: bool,
    /// Seconds; `None` for no limit.
    pub time: Option<f64>,
    /// Work; `None` for no limit.
    pub work: Option<u64>,
    /// The seed.
    pub seed: u64,
    /// Threads; 0 for all.
    pub threads: usize,
    /// Engines and families that stay off.
    pub without: Vec<String>,
}

/// Who watches a search, and where it keeps its state.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// Is told how far it is.
    pub events: &'a EventSink,
    /// What the result is bound to.
    pub name: Option<&'a str>,
    /// Where searches and their states are kept.
    pub checkpoints: Option<&'a dyn Checkpoints>,
    /// Reads the units of what was kept.
    pub catalogue: &'a Catalogue,
    /// Asked in every loop.
    pub cancel: &'a CancelToken,
}

impl Watch<'_> {
    /// A search that was finished before, else `search`, which goes on where it was and keeps its state from time to time.
    fn finished_or(
        &self,
        hash: u64,
        search: impl FnOnce(Option<&Keeping<'_>>) -> std::result::Result<Found, RegressError>,
    ) -> std::result::Result<(Found, bool), RegressError> {
        let Some(store) = self.checkpoints else { return Ok((search(None)?, false)) };
        let key = checkpoint::key(store, "regress", hash);
        let refuse = || store.refuse(&key, "it is cut short or was written by another version");
        let kept = store.load(&key);
        let mut from = None;
        if let Some(bytes) = &kept {
            match regression::checkpoint::decode(bytes, self.catalogue) {
                Some(Kept::Finished(found)) => return Ok((*found, true)),
                Some(Kept::Under) => from = Some(bytes.as_slice()),
                None => refuse(),
            }
        }
        // When a state was written, and how long that took; writing is never most of the work.
        let written: Cell<Option<(Instant, Duration)>> = Cell::new(None);
        let keep = |last: bool, state: &dyn Fn() -> Option<Vec<u8>>| {
            let due = written.get().is_none_or(|(when, took)| when.elapsed() >= (took * 10).max(PAUSE));
            if due || last {
                let begun = Instant::now();
                if let Some(bytes) = state() {
                    store.save(&key, &bytes);
                }
                written.set(Some((Instant::now(), begun.elapsed())));
            }
        };
        let keeping = Keeping { catalogue: self.catalogue, from, keep: &keep, refuse: &refuse };
        let found = search(Some(&keeping))?;
        if found.stopped != StopReason::Cancelled
            && let Some(bytes) = regression::checkpoint::encode(&found, self.catalogue)
        {
            store.save(&key, &bytes);
        }
        Ok((found, false))
    }

    /// The work as listeners are told of it.
    fn task(&self) -> String {
        self.name.map_or_else(|| "regress".into(), |name| format!("regress {name}"))
    }

    /// Tells listeners how far a search is, and each gain that they were not told of as metrics.
    fn report(&self, meter: &RefCell<Meter<'_>>, told: &Cell<usize>, report: &regression::Report<'_>) {
        let mut words = None;
        if let (Some(new), Some(c)) = (report.gains.get(told.get()..), report.front.best())
            && !new.is_empty()
        {
            told.set(report.gains.len());
            let law = render::expr(&c.expr, &Style { digits: Some(4), max_nodes: 60 });
            words = Some(format!("{law}   r2 {:.6}", c.r2));
            for g in new {
                for (name, value) in [("loss", g.loss), ("r2", g.r2), ("size", g.size as f64)] {
                    let (task, step, name) = (self.task(), g.work, name.to_string());
                    self.events.send(Event::Metric { task, step, name, value });
                }
            }
        }
        meter.borrow_mut().at(report.work, words);
    }
}

/// The search itself, shared by the built-in and the command. `identity` numbers the uncertain constants.
pub fn regress_dataset(
    d: &Dataset,
    request: &Request,
    identity: u64,
    watch: Watch<'_>,
) -> std::result::Result<FrontValue, Box<dyn crate::base::Fault>> {
    let started = Instant::now();
    let target = match &request.target {
        Some(name) => d.numbers(name).map_err(boxed)?,
        None => match d.target() {
            Some(c) => c,
            None => return Err(boxed(regression::RegressError::NoTarget)),
        },
    };
    let target = target.clone();
    let skip = |c: &data::Column| {
        c.name == target.name
            || matches!(c.values, Values::Label(_) | Values::Complex(_))
            || c.role == Role::Error
            || request.sigma.as_ref().is_some_and(|s| *s == c.name)
    };
    let features: Vec<&data::Column> = d.columns().iter().map(|c| &**c).filter(|c| !skip(c)).collect();
    for c in features.iter().copied().chain([&*target]) {
        if let Some(row) = (0..c.len()).find(|i| c.is_missing(*i)) {
            return Err(boxed(data::DataError::MissingValue { name: c.name.to_string(), row }));
        }
    }
    let dimension_of = |c: &data::Column| c.unit.as_ref().map_or(Dimension::NONE, Unit::dimension);
    let sigma = match &request.sigma {
        Some(name) => Some(d.column(name).map_err(boxed)?.si_values()),
        None => target.si_errors(),
    };
    let problem = Problem {
        names: features.iter().map(|c| Symbol::new(&c.name)).collect(),
        columns: features.iter().map(|c| c.si_values()).collect(),
        dimensions: request.units.then(|| features.iter().map(|c| dimension_of(c)).collect()),
        units: features.iter().map(|c| c.unit.clone()).collect(),
        target: target.si_values(),
        target_symbol: Symbol::new(&target.name),
        target_dimension: dimension_of(&target),
        target_unit: target.unit.clone(),
        sigma,
        resolution: target.resolution().map(|r| target.unit.as_ref().map_or(r, |u| u.scale().to_f64() * r)),
    };
    let plan = Plan {
        method: request.method.parse().map_err(boxed)?,
        operators: request.operators.clone(),
        constants: request.constants.clone(),
        work: request.work,
        deadline: request.time.map(|t| started + Duration::from_secs_f64(t.clamp(0.0, 1e9))),
        threads: request.threads,
        seed: request.seed,
        identity,
        without: request.without.clone(),
    };
    let cancel = match plan.deadline {
        Some(t) => watch.cancel.with_deadline(t),
        None => watch.cancel.clone(),
    };
    let search = |keeping: Option<&Keeping<'_>>| {
        let meter = RefCell::new(
            Meter::new(watch.events, &watch.task(), "evaluations", plan.work).limit(request.time),
        );
        let told = Cell::new(0);
        regression::regress_kept(&problem, &plan, &cancel, &|r| watch.report(&meter, &told, r), keeping)
    };
    let hash = regression::checkpoint::fingerprint(&problem, &plan);
    let (found, resumed) = watch.finished_or(hash, search).map_err(boxed)?;
    Ok(FrontValue {
        resumed,
        found,
        target: Name::from(&*target.name),
        target_unit: target.unit.clone(),
        declarations: column_declarations(d),
        seconds: started.elapsed().as_secs_f64(),
        seed: request.seed,
    })
}

fn boxed<F: crate::base::Fault + 'static>(f: F) -> Box<dyn crate::base::Fault> {
    Box::new(f)
}

/// The names of operators and functions that a search may use.
pub fn operator_name(f: &Function) -> String {
    match f {
        Function::Operator(o) => match o {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::Div => "/",
            Operator::Pow => "^",
        }
        .into(),
        Function::Builtin(name) => name.to_string(),
        Function::User(f) => f.name.to_string(),
    }
}

/// The operators that an option names.
pub(super) fn operators(args: &Args) -> Result<Vec<String>> {
    Ok(args
        .list("operators")?
        .iter()
        .filter_map(|v| match v {
            Value::Function(f) => Some(operator_name(f)),
            _ => None,
        })
        .collect())
}

/// The constants that an option allows.
pub(super) fn constants(context: &Context, args: &Args) -> Result<Constants> {
    let at = args.span_of("constants");
    Ok(match args.value("constants")?.plain() {
        Value::Text(t) => match &**t {
            "free" => Constants::Free,
            "dimensionless" => Constants::Dimensionless,
            other => {
                return Err(fault_hint(
                    6006,
                    at,
                    format!(
                        "`constants` expects free, dimensionless or a list of constants, found `{other}`"
                    ),
                    "constants: free",
                ));
            }
        },
        Value::Expr(e) if e.as_symbol().is_some_and(|s| s.name() == "free") => Constants::Free,
        Value::Expr(e) if e.as_symbol().is_some_and(|s| s.name() == "dimensionless") => {
            Constants::Dimensionless
        }
        other => {
            let Some(items) = op::as_list(other) else {
                return Err(args.wrong("constants", "free, dimensionless or a list of constants", other));
            };
            let mut named = Vec::new();
            for item in items.iter() {
                let e = op::settle(&op::expr_of(item, at)?);
                let d = dimension::of(&e, &Declarations::new()).map_err(|m| op::unit_fault(&m, at))?;
                named.push((render::expr(&e, &context.style), e, d.unwrap_or(Dimension::NONE)));
            }
            Constants::Named(named)
        }
    })
}

fn regress(context: &mut Context, args: &Args) -> Result<Value> {
    let d = args.dataset("data")?;
    let target = args.word("target")?;
    let operators = operators(args)?;
    let constants = constants(context, args)?;
    let sigma = match args.get("sigma") {
        Some(Value::Text(t)) if &**t != "none" => Some(t.clone()),
        _ => None,
    };
    let time = args.real("time")?;
    if time <= 0.0 {
        return Err(fault_hint(6006, args.span_of("time"), "expected a time above 0", "time: 20 [s]"));
    }
    let work = match args.get("work") {
        Some(_) => {
            let n = args.integer("work")?;
            Some(u64::try_from(n).map_err(|_| {
                fault(6006, args.span_of("work"), format!("expected work of at least 0, found {n}"))
            })?)
        }
        None => None,
    };
    let request = Request {
        target: (&*target != "last").then_some(target),
        method: args.word("method")?,
        operators,
        constants,
        sigma,
        units: args.boolean("units")?,
        time: work.is_none().then_some(time).or(args.is_given("time").then_some(time)),
        work,
        seed: seed(context, args)?,
        threads: context.threads,
        without: Vec::new(),
    };
    let identity = context.new_identity(1 << 20);
    let watch = Watch {
        events: &context.events,
        name: context.binding.as_deref(),
        checkpoints: context.checkpoints.as_deref(),
        catalogue: &context.catalogue,
        cancel: &context.cancel,
    };
    let front = regress_dataset(&d, &request, identity, watch).map_err(|f| lift(&*f, args.span))?;
    for note in &front.found.notes {
        context.notify(crate::base::Diagnostic::notice(crate::base::Code(4020), args.span, note.clone()));
    }
    let front = Arc::new(front);
    context.events.send(Event::Finding(Arc::new(finding(context, &front))));
    Ok(Value::Front(front))
}

/// What listeners are told of a front.
fn finding(context: &Context, front: &Arc<FrontValue>) -> Finding {
    let best = front.found.front.best_index();
    let laws = front.found.front.candidates().iter().enumerate().map(|(k, c)| FoundLaw {
        expression: render::expr(&c.expr, &Style::exact()),
        latex: c.expr.latex(),
        size: c.size,
        loss: c.loss,
        r2: c.r2,
        description_length: c.description_length,
        chosen: Some(k) == best,
    });
    Finding {
        task: "regress".into(),
        name: context.binding.as_ref().map(|n| n.to_string()),
        target: front.target.to_string(),
        laws: laws.collect(),
        text: render::line(&Value::Front(front.clone()), &context.style),
        figures: vec![("work", front.found.work as f64)],
        stopped: Some(front.found.stopped),
        seed: front.seed,
        resumed: front.resumed,
    }
}

/// Members of a front.
pub fn front_member(f: &FrontValue, name: &str) -> (Option<Value>, Vec<String>) {
    let known = ["best", "accurate", "steepest", "laws", "r2", "loss", "size", "stopped", "work", "seed"]
        .map(String::from)
        .to_vec();
    let best = f.found.front.best();
    let number = |x: f64| Value::Expr(Expr::float(x));
    let value = match name {
        "best" => best.map(|c| Value::Expr(c.expr.clone())),
        "accurate" => f.found.front.accurate().map(|c| Value::Expr(c.expr.clone())),
        "steepest" => f.found.front.steepest().map(|c| Value::Expr(c.expr.clone())),
        "laws" => Some(Value::list(
            f.found.front.candidates().iter().map(|c| Value::Expr(c.expr.clone())).collect(),
        )),
        "r2" => best.map(|c| number(c.r2)),
        "loss" => best.map(|c| number(c.loss)),
        "size" => best.map(|c| Value::int(c.size as i64)),
        "stopped" => Some(Value::text(f.found.stopped.word())),
        "work" => Some(Value::int(f.found.work as i64)),
        "seed" => Some(Value::int(f.seed as i64)),
        _ => None,
    };
    (value, known)
}
