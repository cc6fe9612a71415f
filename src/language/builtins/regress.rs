//! Laws from data: `regress`, its options and what is known of its answer.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Body;
use super::criteria;
use super::data::{column_declarations, seed};
use super::explain;
use super::kept::Place;
use super::typed::{self, Triple};
use crate::base::random::Streams;
use crate::base::{CancelToken, Checkpoints, Event, EventSink, Finding, FoundLaw, Meter, StopReason, hash};
use crate::data::{self, Dataset, Role, Values};
use crate::expression::print::Style;
use crate::expression::{Declarations, Expr, Symbol};
use crate::language::calls::Args;
use crate::language::context::Context;
use crate::language::error::{Result, fault, fault_hint, lift};
use crate::language::operations as op;
use crate::language::value::{FrontValue, Function, Groups, Record, Score, Select, Value};
use crate::language::{dimension, render};
use crate::numeric::Tape;
use crate::regression::checkpoint::Answer;
use crate::regression::form::{Filled, Form, regress_form_kept};
use crate::regression::{
    self, Candidate, Constants, Criteria, Journal, Keeper, Model, OwnOperator, Plan, Problem,
    regress_groups_kept,
};
use crate::syntax::tree::{Name, Operator};
use crate::units::{Catalogue, Dimension, Unit};

/// The table.
pub const TABLE: &[(&str, Body)] = &[("regress", regress)];

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
    /// A column of row weights.
    pub weights: Option<Arc<str>>,
    /// Share of the rows that laws are scored on and not fitted to.
    pub holdout: f64,
    /// Which law of the front is the answer.
    pub select: Select,
    /// What is asked of laws.
    pub criteria: Criteria,
    /// Operators of the user.
    pub own: Vec<OwnOperator>,
    /// Laws to begin with.
    pub guesses: Vec<Model>,
    /// Whether engines see the target without its noise.
    pub denoise: bool,
    /// A form with holes.
    pub form: Option<Form>,
    /// A column whose values tell groups of rows apart, which may have constants of their own.
    pub group: Option<Arc<str>>,
    /// Triples of columns that are vectors.
    pub vectors: Vec<Triple>,
}

impl Default for Request {
    /// All engines on all threads, without a limit.
    fn default() -> Request {
        Request {
            target: None,
            method: "auto".into(),
            operators: Vec::new(),
            constants: Constants::Free,
            sigma: None,
            units: true,
            time: None,
            work: None,
            seed: 0,
            threads: 0,
            without: Vec::new(),
            weights: None,
            holdout: 0.0,
            select: Select::default(),
            criteria: Criteria::default(),
            own: Vec::new(),
            guesses: Vec::new(),
            denoise: false,
            form: None,
            group: None,
            vectors: Vec::new(),
        }
    }
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
    /// Where states are kept.
    fn place(&self) -> Place<'_> {
        Place { store: self.checkpoints, catalogue: self.catalogue }
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
            let short = Style { digits: Some(4), max_nodes: 60 };
            let law = render::expr(&c.expr, &short);
            words = Some(format!("{law}   r2 {:.6}", c.r2));
            let lines = report
                .front
                .candidates()
                .iter()
                .map(|c| format!("  {:>3}  {:>9.3e}  {}", c.size, c.loss, render::expr(&c.expr, &short)));
            meter.borrow_mut().lines(lines.collect());
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

/// The problem that a dataset and the options of a call are.
pub fn problem(d: &Dataset, request: &Request) -> std::result::Result<Problem, Box<dyn crate::base::Fault>> {
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
            || !c.is_numeric()
            || c.role == Role::Error
            || [&request.sigma, &request.weights, &request.group]
                .iter()
                .any(|s| s.as_ref().is_some_and(|s| *s == c.name))
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
    let row_weights = match &request.weights {
        Some(name) => {
            let own = d.numbers(name).map_err(boxed)?.si_values();
            let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
            Some(if mean > 0.0 { own.iter().map(|w| w / mean).collect() } else { own })
        }
        None => None,
    };
    Ok(Problem {
        names: features.iter().map(|c| Symbol::new(&c.name)).collect(),
        columns: features.iter().map(|c| c.si_values()).collect(),
        dimensions: request.units.then(|| features.iter().map(|c| dimension_of(c)).collect()),
        units: features.iter().map(|c| c.unit.clone()).collect(),
        target: target.si_values(),
        target_symbol: Symbol::new(&target.name),
        target_dimension: dimension_of(&target),
        target_unit: target.unit.clone(),
        sigma,
        row_weights,
        resolution: target.resolution().map(|r| target.unit.as_ref().map_or(r, |u| u.scale().to_f64() * r)),
    })
}

/// The rows to search on, and those that laws are scored on, chosen by the seed.
fn set_apart(problem: Problem, request: &Request) -> (Problem, Option<Problem>) {
    let n = problem.rows();
    let count = (request.holdout * n as f64).round() as usize;
    if count == 0 || count >= n {
        return (problem, None);
    }
    let mut rng = Streams::new(request.seed).stream("regress/holdout");
    let mut apart = vec![false; n];
    for row in rand::seq::index::sample(&mut rng, n, count) {
        apart[row] = true;
    }
    let rows = |held: bool| (0..n).filter(|&k| apart[k] == held).collect::<Vec<usize>>();
    (problem.pick(&rows(false)), Some(problem.pick(&rows(true))))
}

/// How laws do on rows they were not fitted to.
fn scores(laws: &[Candidate], apart: &Problem) -> Vec<Score> {
    let n = apart.rows() as f64;
    let mean = apart.target.iter().sum::<f64>() / n;
    let spread: f64 = apart.target.iter().map(|y| (y - mean).powi(2)).sum();
    let lists: Vec<&[f64]> = apart.columns.iter().map(Vec::as_slice).collect();
    laws.iter()
        .map(|c| {
            let tape = Tape::compile(std::slice::from_ref(&c.expr), &apart.names).ok();
            let sse = tape.map_or(f64::NAN, |tape| {
                let values = tape.eval(&lists).swap_remove(0);
                let at = |k: usize| if values.len() == 1 { values[0] } else { values[k] };
                (0..apart.rows()).map(|k| (at(k) - apart.target[k]).powi(2)).sum()
            });
            Score { r2: 1.0 - sse / spread, rms: (sse / n).sqrt() }
        })
        .collect()
}

/// The search itself, shared by the built-in and the command. `identity` numbers the uncertain constants.
pub fn regress_dataset(
    d: &Dataset,
    request: &Request,
    identity: u64,
    watch: Watch<'_>,
) -> std::result::Result<FrontValue, Box<dyn crate::base::Fault>> {
    let started = Instant::now();
    let typed = typed::is_typed(d, request);
    let all = if typed { typed::base(d, request)? } else { problem(d, request)? };
    let (all, derived) = if typed { (all, Vec::new()) } else { typed::with_parts(d, request, all)? };
    let (problem, apart) = set_apart(all, request);
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
        criteria: request.criteria.clone(),
        own: request.own.clone(),
        guesses: request.guesses.clone(),
        denoise: request.denoise,
    };
    let cancel = match plan.deadline {
        Some(t) => watch.cancel.with_deadline(t),
        None => watch.cancel.clone(),
    };
    let meter =
        RefCell::new(Meter::new(watch.events, &watch.task(), "evaluations", plan.work).limit(request.time));
    let told = Cell::new(0);
    let tell = |r: &regression::Report<'_>| watch.report(&meter, &told, r);
    let asked = match (&request.form, &request.group) {
        _ if typed => Asked::Typed,
        (Some(form), _) => Asked::Form(form),
        (None, Some(column)) => {
            let (of, names) = grouped(d, column).map_err(boxed)?;
            Asked::Groups { of, names }
        }
        (None, None) => Asked::Plain,
    };
    let own = match asked {
        Asked::Typed => typed::fingerprint(d, request),
        ref other => other.fingerprint(),
    };
    let hash = hash::combine(regression::checkpoint::fingerprint(&problem, &plan), own);
    let search = |keeper: Option<Keeper<'_>>| -> std::result::Result<Answer, Box<dyn crate::base::Fault>> {
        if let Asked::Plain = asked {
            let keeping = keeper.map(|k| k.keeping());
            let found = regression::regress_kept(&problem, &plan, &cancel, &tell, keeping.as_ref());
            return Ok(regression::cancel::written_out(found.map_err(boxed)?, &plan).into());
        }
        let journal = keeper.map_or_else(Journal::none, |k| Journal::new(k, hash));
        match &asked {
            Asked::Form(form) => {
                let found = regress_form_kept(&problem, form, &plan, &cancel, &tell, &journal);
                let found = found.map_err(boxed)?;
                let parts = found.filled.iter().map(|f| named_parts(form, f)).collect();
                Ok(Answer { parts, ..found.found.into() })
            }
            Asked::Groups { of, names } => {
                let found = regress_groups_kept(&problem, (of, names), &plan, &cancel, &tell, &journal);
                let found = found.map_err(boxed)?;
                let own = found.laws.iter().map(|l| l.own.clone()).collect();
                let groups = Some((found.groups.clone(), own));
                Ok(Answer { groups, ..found.into_found().into() })
            }
            _ => typed::search(d, request, &plan, &cancel, &tell, &journal),
        }
    };
    let encode = |answer: &Answer, catalogue: &Catalogue| match answer.found.stopped {
        StopReason::Cancelled => None,
        _ => regression::checkpoint::encode(answer, catalogue),
    };
    let form = (&encode as _, &regression::checkpoint::decode as _);
    let (answer, resumed) = watch.place().finished_or(("regress", hash), form, search)?;
    drop(meter);
    let Answer { mut found, parts, mut words, groups } = answer;
    let groups = groups.zip(request.group.as_ref()).map(|((names, own), column)| Groups {
        column: Name::from(&**column),
        names,
        own,
    });
    let named = |(name, e): (String, Expr)| (Name::from(name.as_str()), e);
    let parts = parts.into_iter().map(|own| own.into_iter().map(named).collect()).collect();
    let holdout = apart.map(|apart| scores(found.front.candidates(), &apart));
    if !derived.is_empty() {
        let written = typed::written(found, &derived);
        (found, words) = (written.found, written.words);
    }
    Ok(FrontValue {
        select: request.select,
        holdout,
        parts,
        groups,
        words,
        resumed,
        found,
        target: match &request.target {
            Some(vector) if typed => Name::from(&**vector),
            _ => Name::from(problem.target_symbol.name()),
        },
        target_unit: problem.target_unit.clone(),
        declarations: column_declarations(d),
        seconds: started.elapsed().as_secs_f64(),
        seed: request.seed,
    })
}

/// Which search is asked for.
enum Asked<'a> {
    /// That for a law.
    Plain,
    /// That for a vector or for complex numbers.
    Typed,
    /// That for the holes of a form.
    Form(&'a Form),
    /// That for a law whose constants differ between groups: the group of each row, and their names.
    Groups { of: Vec<usize>, names: Vec<String> },
}

impl Asked<'_> {
    /// A hash of what decides the answer beside data and options.
    fn fingerprint(&self) -> u64 {
        match self {
            Asked::Plain | Asked::Typed => 0,
            Asked::Form(form) => {
                let words = format!("{:?} {:?}", form.holes, form.constants);
                hash::combine(hash::of_str(&form.template.prefix()), hash::of_str(&words))
            }
            Asked::Groups { of, names } => {
                let begin = hash::of_str(&format!("{names:?}"));
                of.iter().fold(begin, |h, g| hash::combine(h, *g as u64))
            }
        }
    }
}

/// What a law puts into a form, by name.
fn named_parts(form: &Form, filled: &Filled) -> Vec<(String, Expr)> {
    let holes = form.holes.iter().map(|h| h.name.to_string());
    let constants = form.constants.iter().map(|c| c.symbol.to_string());
    let laws = filled.laws.iter().chain(&filled.constants).cloned();
    holes.chain(constants).zip(laws).collect()
}

/// The group of each row and the names of the groups, in the order in which they appear.
fn grouped(d: &Dataset, column: &str) -> std::result::Result<(Vec<usize>, Vec<String>), data::DataError> {
    let c = d.column(column)?;
    let words = group_words(c);
    let mut names: Vec<String> = Vec::new();
    let of = words
        .into_iter()
        .map(|w| {
            names.iter().position(|n| *n == w).unwrap_or_else(|| {
                names.push(w);
                names.len() - 1
            })
        })
        .collect();
    Ok((of, names))
}

/// The cells of a column of groups as words.
pub(super) fn group_words(c: &data::Column) -> Vec<String> {
    match &c.values {
        Values::Label(all) => all.iter().map(|t| t.to_string()).collect(),
        Values::Array(all) => {
            (0..all.len()).map(|i| format!("{:?}", all.row(i).collect::<Vec<f64>>())).collect()
        }
        _ => c.floats_in_unit().iter().map(f64::to_string).collect(),
    }
}

pub(super) fn boxed<F: crate::base::Fault + 'static>(f: F) -> Box<dyn crate::base::Fault> {
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
    let targets = args.list("target")?;
    let names: Vec<Arc<str>> = targets
        .iter()
        .map(|t| match t {
            Value::Text(t) => Ok(t.clone()),
            other => Err(args.wrong("target", "names of columns", other)),
        })
        .collect::<Result<_>>()?;
    let [only] = names.as_slice() else {
        if names.is_empty() {
            let at = args.span_of("target");
            return Err(fault_hint(6006, at, "expected a target, found an empty list", "target: [x, y]"));
        }
        // Several outputs: a front each, none of them a feature of another.
        let fronts = names
            .iter()
            .map(|name| {
                let others: Vec<Arc<str>> = names.iter().filter(|n| *n != name).cloned().collect();
                Ok((Name::from(&**name), one(context, args, Some(name.clone()), &others)?))
            })
            .collect::<Result<Vec<_>>>()?;
        return Ok(Value::Record(Arc::new(Record { entries: fronts })));
    };
    one(context, args, (&**only != "last").then(|| only.clone()), &[])
}

/// A bound on work that was given.
fn bound(args: &Args) -> Result<Option<u64>> {
    let Some(_) = args.get("work") else { return Ok(None) };
    let n = args.integer("work")?;
    let work = u64::try_from(n)
        .map_err(|_| fault(6006, args.span_of("work"), format!("expected work of at least 0, found {n}")))?;
    Ok(Some(work))
}

/// The dataset without the columns that `features` leaves out.
fn narrowed(
    context: &Context,
    args: &Args,
    d: &Arc<Dataset>,
    whole: &Problem,
    seed: u64,
) -> Result<Option<Arc<Dataset>>> {
    let Some(_) = args.get("features") else { return Ok(None) };
    let at = args.span_of("features");
    let n = args.integer("features")?;
    let Some(count) = usize::try_from(n).ok().filter(|n| *n > 0) else {
        return Err(fault(6006, at, format!("expected a number of columns of at least 1, found {n}")));
    };
    whole.validate().map_err(|e| lift(&e, args.span))?;
    let selection = regression::prepare::features(whole, count, seed, &context.cancel);
    let name = |k: &usize| whole.names[*k].name();
    let chosen: Vec<&str> = selection.chosen.iter().map(name).collect();
    let mut words = format!(
        "laws are looked for in {} of {} columns: {}",
        chosen.len(),
        whole.names.len(),
        chosen.join(", ")
    );
    let idle: Vec<&str> =
        selection.chosen.iter().filter(|k| !selection.matter.contains(k)).map(name).collect();
    if !idle.is_empty() {
        words += &format!("; {} may not matter", idle.join(", "));
    }
    context.notify(crate::base::Diagnostic::notice(crate::base::Code(4020), at, words));
    let dropped = |c: &str| whole.names.iter().any(|n| n.name() == c) && !chosen.contains(&c);
    let kept: Vec<&str> = d.names().filter(|c| !dropped(c)).collect();
    d.select(&kept).map(|d| Some(Arc::new(d))).map_err(|e| lift(&e, at))
}

/// The front of one target.
fn one(context: &mut Context, args: &Args, target: Option<Arc<str>>, others: &[Arc<str>]) -> Result<Value> {
    let mut d = args.dataset("data")?;
    if !others.is_empty() {
        let kept: Vec<&str> = d.names().filter(|n| !others.iter().any(|o| **o == **n)).collect();
        d = Arc::new(d.select(&kept).map_err(|e| lift(&e, args.span_of("data")))?);
    }
    let column = |name: &str| match args.get(name) {
        Some(Value::Text(t)) if &**t != "none" => Some(t.clone()),
        _ => None,
    };
    let time = args.real("time")?;
    if time <= 0.0 {
        return Err(fault_hint(6006, args.span_of("time"), "expected a time above 0", "time: 20 [s]"));
    }
    let holdout = args.real("holdout")?;
    if !(0.0..=0.9).contains(&holdout) {
        let message = format!("expected a share of the rows from 0 to 0.9, found {holdout}");
        return Err(fault_hint(6006, args.span_of("holdout"), message, "holdout: 0.2"));
    }
    let work = bound(args)?;
    let mut request = Request {
        target,
        method: args.word("method")?,
        operators: operators(args)?,
        constants: constants(context, args)?,
        sigma: column("sigma"),
        units: args.boolean("units")?,
        time: work.is_none().then_some(time).or(args.is_given("time").then_some(time)),
        work,
        seed: seed(context, args)?,
        threads: context.threads,
        without: Vec::new(),
        weights: column("weights"),
        holdout,
        select: Select::from_word(&args.word("select")?),
        criteria: Criteria::default(),
        own: criteria::own_operators(context, args)?,
        guesses: Vec::new(),
        denoise: args.boolean("denoise")?,
        form: None,
        group: column("group"),
        vectors: typed::vectors(args)?,
    };
    let kinds = typed::is_typed(&d, &request);
    if kinds {
        let others = [
            "form",
            "group",
            "weights",
            "loss",
            "constraints",
            "features",
            "denoise",
            "holdout",
            "guesses",
            "from",
        ];
        if let Some(name) = others.into_iter().find(|n| args.is_given(n)) {
            let message = format!("expected a vector or complex target alone, found `{name}` beside it");
            return Err(fault_hint(6006, args.span_of(name), message, "search one component with it"));
        }
    }
    let base = |d: &Dataset, request: &Request| match kinds {
        true => typed::base(d, request),
        false => problem(d, request).and_then(|p| Ok(typed::with_parts(d, request, p)?.0)),
    };
    let mut whole = base(&d, &request).map_err(|f| lift(&*f, args.span))?;
    if let Some(fewer) = narrowed(context, args, &d, &whole, request.seed)? {
        d = fewer;
        whole = base(&d, &request).map_err(|f| lift(&*f, args.span))?;
    }
    request.criteria = criteria::criteria(context, args, &whole)?;
    request.guesses = criteria::guesses(context, args, &whole)?;
    request.form = criteria::form(context, args, &whole)?;
    if request.form.is_some() && request.group.is_some() {
        let message = "expected a form or a group, found both";
        return Err(fault_hint(6006, args.span_of("group"), message, "filter the rows of one group first"));
    }
    if request.form.is_some()
        && let Some(name) = ["denoise", "guesses", "from"].into_iter().find(|n| args.is_given(n))
    {
        let message = format!("expected a form alone, found `{name}` beside it");
        return Err(fault_hint(6006, args.span_of(name), message, "start a constant: param a = 2"));
    }
    let asked = &request.criteria;
    let beyond = asked.loss.is_some() || asked.rules.about_values() || asked.rules.bounds.is_some();
    if request.group.is_some() && (beyond || request.weights.is_some() || request.denoise) {
        let message =
            "expected constraints on the form alone beside a group, found others, a loss, weights or denoise";
        return Err(fault_hint(6006, args.span_of("group"), message, "leave them out, or search one group"));
    }
    if (request.form.is_some() || request.group.is_some()) && request.holdout > 0.0 {
        let message = "expected all rows beside a form or a group, found some set apart";
        return Err(fault_hint(6006, args.span_of("holdout"), message, "split(d, train: 0.8), then predict"));
    }
    drop(whole);
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
    let part = Some(super::report::part(&front, &d, &context.style));
    context.events.send(Event::Finding(Arc::new(Finding { part, ..finding(context, &front) })));
    Ok(Value::Front(front))
}

/// What listeners are told of a front.
fn finding(context: &Context, front: &Arc<FrontValue>) -> Finding {
    let best = front.chosen_index();
    let laws = front.found.front.candidates().iter().enumerate().map(|(k, c)| FoundLaw {
        expression: render::expr(&c.expr, &Style::exact()),
        latex: c.expr.latex(),
        size: c.size,
        loss: c.loss,
        r2: c.r2,
        description_length: c.description_length,
        beside: explain::beside(front, Some(k), &Style::exact()).named(),
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
        part: None,
    }
}

/// Members of a front.
pub fn front_member(f: &FrontValue, name: &str) -> (Option<Value>, Vec<String>) {
    let mut known: Vec<String> =
        ["best", "accurate", "steepest", "laws", "r2", "loss", "size", "stopped", "work", "seed"]
            .map(String::from)
            .to_vec();
    known.extend(f.holdout.iter().map(|_| "holdout".to_string()));
    known.extend(f.words.first().iter().map(|_| "words".to_string()));
    known.extend(f.groups.iter().map(|_| "groups".to_string()));
    known.extend(f.parts.first().iter().flat_map(|p| p.iter().map(|(n, _)| n.to_string())));
    known.extend(f.found.noise.iter().map(|_| "noise".to_string()));
    let best = f.chosen();
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
        "holdout" => f.holdout.as_ref().map(|scores| {
            let each = |s: &Score| Value::record(vec![("r2", number(s.r2)), ("rms", number(s.rms))]);
            Value::list(scores.iter().map(each).collect())
        }),
        "size" => best.map(|c| Value::int(c.size as i64)),
        "stopped" => Some(Value::text(f.found.stopped.word())),
        "work" => Some(Value::int(f.found.work as i64)),
        "seed" => Some(Value::int(f.seed as i64)),
        "words" => f.chosen_index().and_then(|k| f.words.get(k)).map(Value::text),
        "groups" if f.groups.is_some() => {
            let table = f.groups.as_ref().zip(f.chosen_index()).and_then(|(g, k)| g.table(k));
            table.map(|t| Value::Dataset(Arc::new(t)))
        }
        "noise" => f.found.noise.map(|sigma| {
            let unit = f.target_unit.clone().filter(|u| !u.is_one());
            Value::Expr(match unit {
                Some(unit) => {
                    let scale = unit.scale().to_f64();
                    Expr::product([Expr::float(sigma / scale), Expr::unit(unit)])
                }
                None => Expr::float(sigma),
            })
        }),
        name => {
            let own = f.chosen_index().and_then(|k| f.parts.get(k));
            own.and_then(|p| p.iter().find(|(n, _)| **n == *name)).map(|(_, e)| Value::Expr(e.clone()))
        }
    };
    (value, known)
}
