//! How far long work is, on standard error. On a terminal one line is drawn again and again (`regress  3.1 M
//! evaluations  1.2 M/s  45 %  12 s left  best ...`) and erased before anything else is written; elsewhere a plain
//! line comes after five seconds and then ever more rarely. Rates and times left are reckoned here: engines know no
//! clock. While a task is open a thread draws the line anew, so that a long step is seen to go on.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::base::Progress;

/// A line is drawn only for work that takes longer.
const PATIENCE: Duration = Duration::from_millis(300);
/// Time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// When the first plain line comes.
const FIRST: Duration = Duration::from_secs(5);
/// The longest time between two plain lines.
const RAREST: Duration = Duration::from_secs(60);

/// Lines that are shown above it at most.
const LINES: usize = 12;
/// Time between two looks of the thread that draws.
const TICK: Duration = Duration::from_millis(250);

/// The line, shared between those that report and the thread that draws.
#[derive(Clone, Debug)]
pub struct Live(Arc<Mutex<State>>);

/// What is known of the work.
#[derive(Debug)]
pub struct State {
    terminal: bool,
    quiet: bool,
    task: Option<Task>,
    drawn: bool,
    /// Lines that were drawn above it.
    above: usize,
    ticking: bool,
}

#[derive(Debug)]
struct Task {
    progress: Progress,
    started: Instant,
    /// When it was last drawn or told.
    last: Instant,
    /// Between the last plain line and the next.
    pause: Duration,
}

impl Live {
    /// A line on standard error, or none where the user wants quiet.
    pub fn new(quiet: bool) -> Live {
        // A terminal that cannot erase a line gets plain ones.
        let able = std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        let terminal = able && io::stderr().is_terminal();
        Live(Arc::new(Mutex::new(State {
            terminal,
            quiet,
            task: None,
            drawn: false,
            above: 0,
            ticking: false,
        })))
    }

    /// Takes hold of the line: while it is held nobody draws.
    pub fn hold(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how far work is, where it is time to.
    pub fn report(&self, progress: &Progress) {
        let mut state = self.hold();
        if state.quiet {
            return;
        }
        if progress.total == Some(progress.done) {
            state.clear();
            state.task = None;
            return;
        }
        let now = Instant::now();
        match &mut state.task {
            Some(task) if task.progress.task == progress.task => task.progress = progress.clone(),
            task => *task = Some(Task { progress: progress.clone(), started: now, last: now, pause: FIRST }),
        }
        state.draw(now);
        if !std::mem::replace(&mut state.ticking, true) {
            let line = Arc::downgrade(&self.0);
            // Where no thread can be started the line is drawn at reports only.
            let _ = std::thread::Builder::new().name("progress".into()).spawn(move || tick(&line));
        }
    }
}

/// Draws until nobody holds the line any more.
fn tick(line: &Weak<Mutex<State>>) {
    loop {
        std::thread::sleep(TICK);
        let Some(line) = line.upgrade() else { return };
        line.lock().unwrap_or_else(PoisonError::into_inner).draw(Instant::now());
    }
}

impl State {
    fn draw(&mut self, now: Instant) {
        let Some(task) = &mut self.task else { return };
        let elapsed = now - task.started;
        if self.terminal {
            if elapsed < PATIENCE || (self.drawn && now - task.last < FRAME) {
                return;
            }
            task.last = now;
            let plain = |l: &String| l.chars().filter(|c| !c.is_control()).collect::<String>() + "\n";
            let lines: Vec<String> = task.progress.lines.iter().take(LINES).map(plain).collect();
            // Lines longer than the terminal is wide are cut by it, not broken.
            let text = format!("\x1b[?7l{}{}\x1b[?7h", lines.concat(), line(&task.progress, elapsed));
            write(&(erase(self.above) + &text));
            self.drawn = true;
            self.above = lines.len();
        } else if now - task.last >= task.pause {
            task.last = now;
            task.pause = (task.pause * 2).min(RAREST);
            write(&format!("{}\n", line(&task.progress, elapsed)));
        }
    }

    /// Erases the line, so that something else can be written.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write(&erase(std::mem::take(&mut self.above)));
        }
    }

    /// Erases the line for good: the work is over.
    pub fn end(&mut self) {
        self.clear();
        self.task = None;
    }
}

/// What erases a line and those above it.
fn erase(above: usize) -> String {
    match above {
        0 => "\r\x1b[2K".into(),
        n => format!("\r\x1b[{n}A\x1b[J"),
    }
}

/// Where standard error is closed there is nobody to tell.
fn write(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// `regress  3.1 M evaluations  1.2 M/s  45 %  12 s left  best ...`.
fn line(p: &Progress, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let mut parts = vec![p.task.clone()];
    if p.done > 0 {
        parts.push(format!("{} {}", count(p.done as f64), p.unit));
    }
    let rate = if seconds > 0.0 { p.done as f64 / seconds } else { 0.0 };
    if rate > 0.0 {
        parts.push(format!("{}/s", count(rate)));
    }
    match p.total.filter(|t| *t > 0) {
        Some(total) => {
            parts.push(format!("{:.0} %", 100.0 * p.done as f64 / total as f64));
            if rate > 0.0 {
                parts.push(format!("{} left", duration(total.saturating_sub(p.done) as f64 / rate)));
            }
        }
        None => match p.limit {
            Some(limit) => parts.push(format!(
                "{}, at most {} left",
                duration(seconds),
                duration((limit - seconds).max(0.0))
            )),
            None => parts.push(duration(seconds)),
        },
    }
    if let Some(best) = &p.best {
        parts.push(format!("best {}", best.split('\n').next().unwrap_or_default()));
    }
    parts.join("  ").chars().filter(|c| !c.is_control()).collect()
}

/// A number of things with three digits: `12`, `3.1 M`.
fn count(n: f64) -> String {
    let scales = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e4, " k")];
    match scales.iter().find(|(size, _)| n >= *size) {
        Some((size, word)) => {
            let size = if *size == 1e4 { 1e3 } else { *size };
            format!("{:.1}{word}", n / size)
        }
        None => format!("{n:.0}"),
    }
}

/// Seconds as a person says them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 119.5 => format!("{s:.0} s"),
        s if s < 7170.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_rate_share_rest_and_best() {
        let p = Progress {
            task: "regress".into(),
            done: 2_500_000,
            total: Some(10_000_000),
            limit: None,
            unit: "evaluations",
            best: Some("a*x\u{1b}[2J\nsecond".into()),
            lines: Vec::new(),
        };
        let shown = line(&p, Duration::from_secs(10));
        assert_eq!(shown, "regress  2.5 M evaluations  250.0 k/s  25 %  30 s left  best a*x[2J");
        let timed =
            line(&Progress { total: None, limit: Some(60.0), done: 0, ..p.clone() }, Duration::from_secs(18));
        assert_eq!(timed, "regress  18 s, at most 42 s left  best a*x[2J");
        let open = line(&Progress { total: None, best: None, ..p }, Duration::from_millis(2500));
        assert_eq!(open, "regress  2.5 M evaluations  1.0 M/s  2.5 s");
    }

    #[test]
    fn quiet_is_quiet() {
        let live = Live::new(true);
        live.report(&Progress {
            task: "t".into(),
            done: 0,
            total: None,
            limit: None,
            unit: "rows",
            best: None,
            lines: Vec::new(),
        });
        let state = live.hold();
        assert!(state.task.is_none() && !state.drawn && !state.ticking);
    }
}
