//! `phys bench SUITE`: searches the laws of a suite in data made from them, several problems side by side, and tells
//! how many were found again.
//!
//! Each search runs on one thread, and its time is the processor time of that thread, so that a busy machine shortens
//! no search. Results go to `--out` line by line; a bench that was stopped goes on there.

mod problems;
mod report;
mod resume;
mod rows;
mod solve;
mod suites;
mod systems;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use self::problems::Problem;
use self::resume::{Key, Results};
use self::solve::Slot;
use self::suites::{OPERATORS, Protocol, Suite};
use super::terminal::{Terminal, writable, write_json};
use super::{exit, interruptible, seconds, session};
use crate::base::{CancelToken, Code, Diagnostic, Event, Progress, Span, hash, suggest};
use crate::discovery;
use crate::session::{Options, Status};

/// Training rows unless `--rows` says otherwise.
pub const ROWS: usize = 1000;
/// Processor seconds a problem, unless `--time` or `--work` says otherwise.
const TIME: f64 = 20.0;
/// Pause between two looks at the clocks.
const LOOK: Duration = Duration::from_millis(5);
/// Stack of a thread that searches, and of one where the system gives no more.
const STACKS: [usize; 2] = [256 << 20, 16 << 20];

/// A part of the Feynman suite.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
enum Set {
    /// The hundred laws of the Lectures
    Feynman,
    /// The twenty of other textbooks
    Bonus,
    /// Both
    All,
}

/// A half of the laws.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq)]
enum Half {
    /// Laws whose name has an even hash: those that may be looked at while the search is tuned
    Tuned,
    /// The others; the table tells their number only, unless --show-untouched
    Untouched,
    /// Both
    All,
}

/// The arguments of the command.
#[derive(Args, Debug)]
#[command(after_help = suites::list())]
pub struct Arguments {
    /// The suite
    suite: String,
    /// A part of `feynman`
    #[arg(long, value_enum)]
    set: Option<Set>,
    /// A half of `laws`, by the hash of a law's name: even is tuned, odd is untouched
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Show the laws of the untouched half that were missed
    #[arg(long)]
    show_untouched: bool,
    /// Give the units of the columns; without it the numbers alone
    #[arg(long)]
    units: bool,
    /// Normal noise on the training target: sigma in units of its root mean square
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, value_parser = noise)]
    noise: f64,
    /// Normal noise on the states of `odebench`: sigma as a share of each value
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = noise)]
    relative_noise: Option<f64>,
    /// Training rows [default: 1000; srbench: 10000]
    #[arg(long, value_name = "N", value_parser = rows)]
    rows: Option<usize>,
    /// Round the training data to so many significant digits
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: Option<u8>,
    /// Processor seconds of a problem [default: 20, without --work]
    #[arg(long, value_name = "S", value_parser = seconds)]
    time: Option<f64>,
    /// Work of a problem; the same answers on every machine, where --time does not come first
    #[arg(long, value_name = "N")]
    work: Option<u64>,
    /// Seeds of data and search
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// Problems that are searched side by side (default: one a core)
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only these problems
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Which engines search: auto, closed, algebraic, projective, exhaustive, symmetry, genetic; for `odebench` auto, sindy,
    /// genetic
    #[arg(long, default_value = "auto")]
    method: String,
    /// Operators and functions that laws may use, or `literature`, or `phys` [default: those of `regress`; in classic
    /// suites first those of the literature, then those of phys]
    #[arg(long, value_name = "LIST", value_delimiter = ',', allow_hyphen_values = true)]
    operators: Vec<String>,
    /// Engines and families that stay off (an ablation)
    #[arg(long, value_name = "FAMILY", value_delimiter = ',', value_parser = super::switch)]
    without: Vec<String>,
    /// The file of results, one JSON object a line; what it holds of the same settings is not done again
    #[arg(long, value_name = "FILE.jsonl")]
    out: Option<PathBuf>,
    /// Write results and summary as JSON (`-`: standard output)
    #[arg(long, value_name = "PATH")]
    json: Option<String>,
    /// Show every problem, not the misses alone
    #[arg(long, short)]
    verbose: bool,
    /// Tell no progress
    #[arg(long, short)]
    quiet: bool,
}

fn noise(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..=10.0).contains(&x) => Ok(x),
        _ => Err("expected a number from 0 to 10".into()),
    }
}

fn rows(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if (3..=10_000_000).contains(&n) => Ok(n),
        _ => Err("expected a number of at least 3".into()),
    }
}

/// What decides a result, beside problem and seed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The suite.
    pub suite: &'static str,
    /// Whether units are given.
    pub units: bool,
    /// Noise of the training target in units of its RMS.
    pub noise: f64,
    /// Noise of the states of a system as a share of each value.
    pub relative_noise: f64,
    /// Training rows, where given.
    pub rows: Option<usize>,
    /// Significant digits of the training data.
    pub digits: Option<u8>,
    /// Processor seconds.
    pub time: Option<f64>,
    /// Work.
    pub work: Option<u64>,
    /// Engines.
    pub method: String,
    /// Whose operators: `phys`, `literature` or `given`.
    pub whose: &'static str,
    /// Operators; those of the literature stand in the problem.
    pub operators: Vec<String>,
    /// What stays off.
    pub without: Vec<String>,
}

impl Settings {
    /// One for each choice of operators that is asked for.
    fn of(arguments: &Arguments, suite: &Suite) -> Vec<Settings> {
        let mut own: Vec<String> = OPERATORS.iter().map(|o| o.to_string()).collect();
        if suite.protocol == Protocol::Systems {
            own = discovery::OPERATORS.iter().map(|o| o.to_string()).collect();
        }
        let words: Vec<&str> = arguments.operators.iter().map(String::as_str).collect();
        let choices: Vec<(&'static str, Vec<String>)> = match (words.as_slice(), suite.protocol) {
            ([], Protocol::Stated) => vec![("literature", Vec::new()), ("phys", own)],
            (["literature"], Protocol::Stated) => vec![("literature", Vec::new())],
            ([] | ["phys"], _) => vec![("phys", own)],
            _ => vec![("given", arguments.operators.clone())],
        };
        let one = |(whose, operators)| Settings {
            suite: suite.name,
            units: arguments.units,
            noise: arguments.noise,
            relative_noise: arguments.relative_noise.unwrap_or(0.0),
            rows: arguments.rows,
            digits: arguments.digits,
            time: arguments.time.or_else(|| arguments.work.is_none().then_some(TIME)),
            work: arguments.work,
            method: arguments.method.clone(),
            whose,
            operators,
            without: arguments.without.clone(),
        };
        choices.into_iter().map(one).collect()
    }

    /// The operators that laws of a problem may hold.
    pub fn operators(&self, problem: &Problem) -> Vec<String> {
        match &problem.operators {
            Some(theirs) if self.whose == "literature" => theirs.clone(),
            _ => self.operators.clone(),
        }
    }

    /// As JSON, for the report.
    pub fn json(&self) -> Json {
        let mut told = json!({
            "suite": self.suite,
            "units": self.units,
            "noise": self.noise,
            "rows": self.rows,
            "digits": self.digits,
            "time": self.time,
            "work": self.work,
            "method": self.method,
            "operators": if self.whose == "literature" { json!("literature") } else { json!(self.operators) },
            "without": self.without,
        });
        if self.relative_noise != 0.0 {
            told["relative_noise"] = json!(self.relative_noise);
        }
        told
    }

    /// Their fingerprint in the file of results.
    fn fingerprint(&self) -> String {
        format!("{:016x}", hash::of_str(&self.json().to_string()))
    }
}

/// A problem to be solved from one seed.
#[derive(Clone, Debug)]
struct Task {
    problem: usize,
    settings: usize,
    key: Key,
}

/// Runs the command.
pub(super) fn bench(arguments: &Arguments) -> ExitCode {
    let options = Options::default();
    let json = arguments.json.as_deref();
    let terminal = Terminal::with(json, options.sources.clone(), arguments.quiet);
    let refuse = |d: &Diagnostic| {
        terminal.diagnostic(d);
        exit(Status::Faulty)
    };
    let (suite, settings) = match writable(json).and_then(|()| checked(arguments)) {
        Ok(both) => both,
        Err(d) => return refuse(&d),
    };
    let interrupt = interruptible();
    let mut session = match session(&terminal, options, &interrupt) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let problems = problems::problems(suite, &mut session.context).and_then(|all| chosen(arguments, all));
    let problems = match problems {
        Ok(problems) => problems,
        Err(d) => return refuse(&d),
    };
    let mut results = match arguments.out.as_deref().map_or_else(|| Ok(Results::none()), Results::open) {
        Ok(results) => results,
        Err(d) => return refuse(&d),
    };
    // Read once, shared by the copies that the threads work on.
    if let Err(d) = session.context.rules(Span::new(0, 0, 0)) {
        return refuse(&d);
    }
    let tasks = tasks(arguments, &settings, &problems);
    let mut lines: Vec<Option<Json>> = tasks.iter().map(|t| results.get(&t.key).cloned()).collect();
    let taken = lines.iter().flatten().count();
    if taken > 0 && !arguments.quiet {
        super::terminal::complain(&format!(
            "bench {}: {taken} of {} results taken over",
            suite.name,
            tasks.len()
        ));
    }
    let started = Instant::now();
    let run = Run { terminal: &terminal, settings: &settings, problems: &problems, tasks: &tasks };
    let jobs = arguments
        .jobs
        .map_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
    if let Err(d) = run.all(&session.context, jobs, &interrupt, &mut lines, &mut results) {
        terminal.clear();
        terminal.diagnostic(&d);
        return exit(Status::Failed);
    }
    terminal.clear();
    let report = report::Report::new(&settings, lines, started.elapsed().as_secs_f64());
    let hidden = arguments.half.is_some_and(|h| h != Half::Tuned) && !arguments.show_untouched;
    terminal.text(&report.table(arguments.verbose, hidden));
    if let Err(d) = write_json(json, &report.json()) {
        terminal.diagnostic(&d);
        return exit(Status::Failed);
    }
    let status = if interrupt.is_cancelled() { Status::Interrupted } else { Status::Done };
    std::mem::forget(session);
    exit(status)
}

/// The suite and the settings, where the options fit them.
fn checked(arguments: &Arguments) -> Result<(&'static Suite, Vec<Settings>), Box<Diagnostic>> {
    let suite = suites::find(&arguments.suite)?;
    let misfit = |option: &str, fits: &str| {
        let message = format!("expected an option of the suite `{}`, found `{option}`", suite.name);
        Err(Box::new(Diagnostic::error(Code(8031), None, message).hint(fits.to_string())))
    };
    if arguments.set.is_some() && suite.name != "feynman" {
        return misfit("--set", "phys bench feynman --set bonus");
    }
    if (arguments.half.is_some() || arguments.show_untouched) && suite.name != "laws" {
        return misfit("--half", "phys bench laws --half tuned");
    }
    if arguments.units && suite.protocol != Protocol::Drawn {
        return misfit("--units", "its variables have none: leave it out");
    }
    let states_rows = matches!(suite.protocol, Protocol::Stated | Protocol::Systems);
    if arguments.rows.is_some() && states_rows {
        return misfit("--rows", "its problems state their rows: leave it out");
    }
    let systems = suite.protocol == Protocol::Systems;
    if systems && arguments.noise != 0.0 {
        return misfit("--noise", "phys bench odebench --relative-noise 0.05");
    }
    if arguments.relative_noise.is_some() && !systems {
        return misfit("--relative-noise", "phys bench odebench --relative-noise 0.05");
    }
    let for_laws = [("--digits", arguments.digits.is_some()), ("--without", !arguments.without.is_empty())];
    if let Some((option, _)) = for_laws.iter().find(|o| systems && o.1) {
        return misfit(option, "it is for laws: leave it out");
    }
    let all = Settings::of(arguments, suite);
    let fault = |f: &dyn crate::base::Fault| Box::new(Diagnostic::from_fault(f, None));
    match systems {
        true => arguments.method.parse::<discovery::Method>().map(|_| ()).map_err(|e| fault(&e))?,
        false => arguments.method.parse::<crate::regression::Method>().map(|_| ()).map_err(|e| fault(&e))?,
    }
    for settings in &all {
        solve::plan(settings).validate().map_err(|e| fault(&e))?;
    }
    Ok((suite, all))
}

/// The problems that the options choose.
fn chosen(arguments: &Arguments, all: Vec<Problem>) -> Result<Vec<Problem>, Box<Diagnostic>> {
    for name in &arguments.only {
        if !all.iter().any(|p| p.name == *name) {
            let message = format!("expected a problem of the suite `{}`, found `{name}`", arguments.suite);
            let d = Diagnostic::error(Code(8033), None, message);
            let near = suggest::nearest(name, all.iter().map(|p| p.name.as_str()));
            return Err(Box::new(match near {
                Some(near) => d.hint(format!("--only {near}")),
                None => d,
            }));
        }
    }
    Ok(all
        .into_iter()
        .filter(|p| arguments.only.is_empty() || arguments.only.contains(&p.name))
        .filter(|p| match arguments.set {
            Some(Set::Feynman) => p.set != "bonus",
            Some(Set::Bonus) => p.set == "bonus",
            Some(Set::All) | None => true,
        })
        .filter(|p| match arguments.half {
            Some(Half::Tuned) => suites::is_tuned(&p.name),
            Some(Half::Untouched) => !suites::is_tuned(&p.name),
            Some(Half::All) | None => true,
        })
        .collect())
}

/// All problems from all seeds, with each choice of operators.
fn tasks(arguments: &Arguments, settings: &[Settings], problems: &[Problem]) -> Vec<Task> {
    let fingerprints: Vec<String> = settings.iter().map(Settings::fingerprint).collect();
    let mut tasks = Vec::new();
    for seed in &arguments.seeds {
        for (settings, fingerprint) in fingerprints.iter().enumerate() {
            for (problem, p) in problems.iter().enumerate() {
                let key = Key { problem: p.name.clone(), seed: *seed, settings: fingerprint.clone() };
                tasks.push(Task { problem, settings, key });
            }
        }
    }
    tasks
}

/// What the threads share.
struct Run<'a> {
    terminal: &'a std::sync::Arc<Terminal>,
    settings: &'a [Settings],
    problems: &'a [Problem],
    tasks: &'a [Task],
}

/// What the threads fill.
struct Filled<'a> {
    lines: &'a mut Vec<Option<Json>>,
    results: &'a mut Results,
    fault: Option<Box<Diagnostic>>,
}

impl Run<'_> {
    /// Solves what is not known, several problems side by side.
    fn all(
        &self,
        context: &crate::language::Context,
        jobs: usize,
        interrupt: &CancelToken,
        lines: &mut Vec<Option<Json>>,
        results: &mut Results,
    ) -> Result<(), Box<Diagnostic>> {
        let open: Vec<usize> = (0..lines.len()).filter(|k| lines[*k].is_none()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let next = AtomicUsize::new(0);
        let filled = Mutex::new(Filled { lines, results, fault: None });
        self.progress(&filled);
        let slots: Vec<Slot> = (0..jobs.min(open.len())).map(|_| Slot::default()).collect();
        std::thread::scope(|scope| {
            let workers: Vec<_> = slots
                .iter()
                .map(|slot| {
                    let mut own = context.clone();
                    let (next, open, filled) = (&next, &open, &filled);
                    scope.spawn(move || {
                        let mut work = || {
                            while let Some(&k) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                                if interrupt.is_cancelled() {
                                    break;
                                }
                                self.one(k, &mut own, slot, interrupt, filled);
                            }
                        };
                        // A pool of one thread: the search stays on it, and so does its processor time.
                        let pool = STACKS.iter().find_map(|size| {
                            rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(*size).build().ok()
                        });
                        match pool {
                            Some(pool) => pool.install(work),
                            None => work(),
                        }
                    })
                })
                .collect();
            while workers.iter().any(|w| !w.is_finished()) {
                std::thread::sleep(LOOK);
                slots.iter().for_each(|slot| slot.look(interrupt));
            }
        });
        let filled = filled.into_inner().unwrap_or_else(PoisonError::into_inner);
        filled.fault.map_or(Ok(()), Err)
    }

    /// Solves one problem and keeps the result.
    fn one(
        &self,
        k: usize,
        context: &mut crate::language::Context,
        slot: &Slot,
        interrupt: &CancelToken,
        filled: &Mutex<Filled<'_>>,
    ) {
        let task = &self.tasks[k];
        let (problem, settings) = (&self.problems[task.problem], &self.settings[task.settings]);
        let solved = solve::solve(problem, settings, task.key.seed, context, slot, interrupt);
        // What was stopped half-way is no result.
        if interrupt.is_cancelled() {
            return;
        }
        let line = solved.json(problem, settings, &task.key);
        let mut all = filled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(e) = all.results.push(&line) {
            let d = Diagnostic::error(Code(8032), None, format!("the results cannot be written: {e}"));
            all.fault = Some(Box::new(d));
            interrupt.cancel();
        }
        all.lines[k] = Some(line);
        drop(all);
        self.progress(filled);
    }

    fn progress(&self, filled: &Mutex<Filled<'_>>) {
        let all = filled.lock().unwrap_or_else(PoisonError::into_inner);
        let done = all.lines.iter().flatten().count();
        let solved = all.lines.iter().flatten().filter(|l| l["solved"] == true).count();
        drop(all);
        self.terminal.event(&Event::Progress(Progress {
            task: format!("bench {}", self.settings.first().map_or("", |s| s.suite)),
            done: done as u64,
            total: Some(self.tasks.len() as u64),
            limit: None,
            unit: "problems",
            best: Some(format!("{solved} solved")),
            lines: Vec::new(),
        }));
    }
}
