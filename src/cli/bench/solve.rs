//! One problem: its data, the search, the verdicts, and the result as a line of JSON.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::Settings;
use super::problems::{Origin, Problem, plain};
use super::resume::Key;
use super::rows::{self, Data};
use super::systems::{self, System};
use super::verdict::{Judge, Verdict};
use crate::base::{CancelToken, EventSink, StopReason};
use crate::cli::json::number;
use crate::cli::record::clock::{ThreadClock, thread_seconds};
use crate::expression::Expr;
use crate::expression::print::Style;
use crate::language::builtins::regress::{Request, Watch, regress_dataset};
use crate::language::value::FrontValue;
use crate::language::{Context, render};
use crate::numeric::{Tape, statistics};
use crate::regression::{Constants, Criteria, Method, Plan};

/// A search that a thread is at, for the one that looks at the clocks.
#[derive(Debug, Default)]
pub struct Slot(Mutex<Option<Searching>>);

#[derive(Debug)]
struct Searching {
    clock: ThreadClock,
    /// Where the thread's clock stands when the time is over.
    end: f64,
    token: CancelToken,
}

impl Slot {
    /// Stops the search where its time is over or all is to stop.
    pub fn look(&self, interrupt: &CancelToken) {
        let now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(s) = &*now
            && (interrupt.is_cancelled() || s.clock.seconds() >= s.end)
        {
            s.token.cancel();
        }
    }

    fn set(&self, searching: Option<Searching>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = searching;
    }
}

/// The clocks of one search.
struct Timing {
    started: Instant,
    before: f64,
    token: CancelToken,
}

impl Timing {
    /// Starts them, and lets the slot stop the search where its time is over.
    fn begin(slot: &Slot, time: Option<f64>) -> Timing {
        let token = CancelToken::new();
        let started = Instant::now();
        let before = thread_seconds(started);
        let clock = ThreadClock::here();
        let end = time.map_or(f64::INFINITY, |limit| clock.seconds() + limit);
        slot.set(Some(Searching { clock, end, token: token.clone() }));
        Timing { started, before, token }
    }

    /// Seconds on the clock, and of processor time of this thread.
    fn spent(&self) -> (f64, f64) {
        (self.started.elapsed().as_secs_f64(), thread_seconds(self.started) - self.before)
    }
}

/// What became of a problem.
#[derive(Debug, Default)]
pub struct Solved {
    verdict: Option<Verdict>,
    literal: bool,
    in_front: bool,
    seconds: f64,
    cpu_seconds: f64,
    work: u64,
    rows: usize,
    expression: Option<String>,
    size: Option<usize>,
    r2_test: Option<f64>,
    engine: Option<String>,
    stopped: String,
    fault: Option<String>,
    /// Shares of the variance that a system explains: on its first path, and on its second.
    explained: Option<(f64, f64)>,
}

/// The options of the search, for a check before anything runs.
pub fn plan(settings: &Settings) -> Plan {
    Plan {
        method: settings.method.parse().unwrap_or(Method::Auto),
        operators: settings.operators.clone(),
        constants: Constants::Free,
        work: settings.work,
        deadline: None,
        threads: 1,
        seed: 0,
        identity: 1,
        without: settings.without.clone(),
        criteria: Criteria::default(),
        own: Vec::new(),
        guesses: Vec::new(),
        denoise: false,
    }
}

/// Searches a problem and judges what was found.
pub fn solve(
    problem: &Problem,
    settings: &Settings,
    seed: u64,
    context: &mut Context,
    slot: &Slot,
    interrupt: &CancelToken,
) -> Solved {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        if let Origin::System(system) = &problem.origin {
            return learn(system, settings, seed, context, slot, interrupt);
        }
        let data = match rows::data(problem, settings, seed) {
            Ok(data) => data,
            Err(d) => {
                return Solved { fault: Some(d.message), stopped: "failed".into(), ..Solved::default() };
            }
        };
        let mut solved = search(problem, &data, settings, seed, context, slot, interrupt);
        if let (Some(front), false) = (&solved.1, interrupt.is_cancelled()) {
            judge(problem, settings, &data, front, context, &mut solved.0);
        }
        solved.0
    }));
    slot.set(None);
    tried.unwrap_or_else(|_| Solved {
        fault: Some("internal error".into()),
        stopped: "failed".into(),
        ..Solved::default()
    })
}

/// A system: its rates, how it follows both paths, and whether it is the truth but for its constants.
fn learn(
    system: &System,
    settings: &Settings,
    seed: u64,
    context: &mut Context,
    slot: &Slot,
    interrupt: &CancelToken,
) -> Solved {
    let timing = Timing::begin(slot, settings.time);
    let spent = std::cell::Cell::new((0.0, 0.0));
    let searched = || {
        slot.set(None);
        spent.set(timing.spent());
    };
    let learned = systems::learn(system, settings, seed, context, &timing.token, &searched);
    slot.set(None);
    let (seconds, cpu_seconds) = spent.get();
    let mut solved = Solved { seconds, cpu_seconds, rows: system.paths.points, ..Solved::default() };
    match learned {
        Ok(learned) => {
            let found = &learned.found;
            solved.work = found.work;
            let stopped = match found.stopped {
                StopReason::Cancelled if !interrupt.is_cancelled() => StopReason::Time,
                other => other,
            };
            solved.stopped = stopped.word().into();
            let laws: Vec<String> =
                found.rates.iter().map(|r| render::expr(&r.expr, &Style::exact())).collect();
            solved.expression = Some(laws.join(" | "));
            solved.size = Some(found.rates.iter().map(|r| r.size).sum());
            solved.engine = found.rates.first().map(|r| r.engine.clone());
            solved.r2_test = Some(learned.generalisation);
            solved.explained = Some((learned.reconstruction, learned.generalisation));
            let same = learned.structure.iter().all(|s| *s);
            solved.verdict = Some(if same { Verdict::Structure } else { Verdict::Other });
            solved.in_front = same;
        }
        Err(fault) => {
            solved.fault = Some(fault.message);
            solved.stopped = "failed".into();
        }
    }
    solved
}

fn search(
    problem: &Problem,
    data: &Data,
    settings: &Settings,
    seed: u64,
    context: &Context,
    slot: &Slot,
    interrupt: &CancelToken,
) -> (Solved, Option<FrontValue>) {
    let request = Request {
        method: settings.method.as_str().into(),
        operators: settings.operators(problem),
        units: settings.units,
        work: settings.work,
        seed,
        threads: 1,
        without: settings.without.clone(),
        ..Request::default()
    };
    let silent = EventSink::new(|_| {});
    let catalogue = &context.catalogue;
    let timing = Timing::begin(slot, settings.time);
    let watch = Watch { events: &silent, name: None, checkpoints: None, catalogue, cancel: &timing.token };
    let found = regress_dataset(&data.train, &request, 1, watch);
    slot.set(None);
    let (seconds, cpu_seconds) = timing.spent();
    let mut solved = Solved { seconds, cpu_seconds, rows: data.train.rows(), ..Solved::default() };
    match found {
        Ok(front) => {
            solved.work = front.found.work;
            // The token is set by the clock, since an interrupted problem is thrown away.
            let stopped = match front.found.stopped {
                StopReason::Cancelled if !interrupt.is_cancelled() => StopReason::Time,
                other => other,
            };
            solved.stopped = stopped.word().into();
            (solved, Some(front))
        }
        Err(fault) => {
            solved.fault = Some(fault.to_string());
            solved.stopped = "failed".into();
            (solved, None)
        }
    }
}

fn judge(
    problem: &Problem,
    settings: &Settings,
    data: &Data,
    front: &FrontValue,
    context: &mut Context,
    solved: &mut Solved,
) {
    let Some(best) = front.found.front.best() else { return };
    let r2 = r2_test(&best.expr, data);
    solved.expression = Some(render::expr(&best.expr, &Style::exact()));
    solved.size = Some(best.size);
    solved.r2_test = Some(r2);
    solved.engine = Some(best.engine.to_string());
    let Some(judge) = Judge::new(problem, settings.noise, settings.digits) else { return };
    let verdict = judge.robust(&best.expr, context);
    solved.verdict = Some(verdict);
    solved.literal = judge.literal(&best.expr, r2, context);
    solved.in_front = verdict.holds()
        || front
            .found
            .front
            .candidates()
            .iter()
            .any(|c| c.expr != best.expr && judge.robust(&c.expr, context).holds());
}

/// The share of the test target's variance that a law explains; NaN where it has no value.
fn r2_test(law: &Expr, data: &Data) -> f64 {
    let (inputs, target) = data.test_columns();
    let symbols: Vec<_> = inputs.iter().map(|(s, _)| s.clone()).collect();
    let Ok(tape) = Tape::compile(&[plain(law)], &symbols) else { return f64::NAN };
    let columns: Vec<&[f64]> = inputs.iter().map(|(_, c)| c.as_slice()).collect();
    let values = tape.eval(&columns).swap_remove(0);
    let value = |i: usize| if values.len() == 1 { values[0] } else { values[i] };
    let residuals: Vec<f64> = target.iter().enumerate().map(|(i, y)| value(i) - y).collect();
    statistics::r2(&target, &residuals)
}

impl Solved {
    /// The line of the file of results.
    pub fn json(&self, problem: &Problem, settings: &Settings, key: &Key) -> Json {
        let verdict = self.verdict.unwrap_or(Verdict::Other);
        let mut line = json!({
            "problem": key.problem,
            "seed": key.seed,
            "noise": settings.noise,
            "units": settings.units,
            "rows": self.rows,
            "solved": verdict.holds(),
            "solved_literal": self.literal,
            "seconds": number(self.seconds),
            "cpu_seconds": number(self.cpu_seconds),
            "work": self.work,
            "expression": self.expression,
            "size": self.size,
            "r2_test": self.r2_test.map(number),
            "engine": self.engine,
            "stopped": self.stopped,
            "set": problem.set,
            "operators": settings.whose,
            "verdict": verdict.word(),
            "in_front": self.in_front,
            "digits": settings.digits,
            "fault": self.fault,
            "settings": key.settings,
        });
        if let Some((first, second)) = self.explained {
            line["relative_noise"] = json!(settings.relative_noise);
            line["r2_reconstruction"] = number(first);
            line["r2_generalisation"] = number(second);
            line["reconstructed"] = json!(first > systems::ENOUGH);
            line["generalised"] = json!(second > systems::ENOUGH);
        }
        line
    }
}
