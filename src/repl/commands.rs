//! The commands of the prompt, one row a command: its name, what it takes, what it does. Lines that begin with `?` ask
//! what is known of something.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Prompt;
use super::display::{row, wrapped};
use crate::base::{Code, Diagnostic, suggest};
use crate::cli::read_file;
use crate::data::write_atomic;
use crate::language::{Context, Value};
use crate::session::complete::files;
use crate::session::{Candidate, Completion, Options, Piece, Session, Status, complete};

/// What a command takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Code,
    File,
    Word(&'static [&'static str]),
}

type Action = fn(&mut Prompt, &str) -> bool;

struct Command {
    name: &'static str,
    takes: Takes,
    shown: &'static str,
    what: &'static str,
    run: Action,
}

const COMMANDS: &[Command] = &[
    Command {
        name: ":vars",
        takes: Takes::Nothing,
        shown: ":vars",
        what: "what is bound and declared",
        run: vars,
    },
    Command {
        name: ":out",
        takes: Takes::Nothing,
        shown: ":out",
        what: "all results so far, out[0] first",
        run: out,
    },
    Command {
        name: ":time",
        takes: Takes::Code,
        shown: ":time expr",
        what: "runs a line and tells how long it took",
        run: time,
    },
    Command {
        name: ":bench",
        takes: Takes::Code,
        shown: ":bench expr",
        what: "runs a line many times: median and quartiles",
        run: bench,
    },
    Command {
        name: ":limit",
        takes: Takes::Word(&["off"]),
        shown: ":limit 10 s",
        what: "time limit of every following line; `off` lifts it",
        run: limit,
    },
    Command {
        name: ":latex",
        takes: Takes::Code,
        shown: ":latex expr",
        what: "a value as LaTeX",
        run: latex,
    },
    Command {
        name: ":digits",
        takes: Takes::Word(&["full"]),
        shown: ":digits 6",
        what: "significant digits of what is shown; `full` for all",
        run: digits,
    },
    Command {
        name: ":pretty",
        takes: Takes::Word(&["on", "off"]),
        shown: ":pretty off",
        what: "formulas on one line, or in two dimensions (`on`)",
        run: pretty,
    },
    Command {
        name: ":reading",
        takes: Takes::Word(&["on", "off"]),
        shown: ":reading off",
        what: "whether a line is read out where its meaning is not obvious",
        run: reading,
    },
    Command {
        name: ":save",
        takes: Takes::File,
        shown: ":save file.phys",
        what: "writes the session as a script: the lines that ran",
        run: save,
    },
    Command {
        name: ":load",
        takes: Takes::File,
        shown: ":load file.phys",
        what: "runs a file within the session",
        run: load,
    },
    Command {
        name: ":run",
        takes: Takes::File,
        shown: ":run file.phys",
        what: "runs a script on its own, as `phys run` does",
        run: run_file,
    },
    Command {
        name: ":reset",
        takes: Takes::Nothing,
        shown: ":reset",
        what: "forgets everything that was bound and declared",
        run: reset,
    },
    Command { name: ":help", takes: Takes::Nothing, shown: ":help", what: "this list", run: help },
    Command {
        name: ":quit",
        takes: Takes::Nothing,
        shown: ":quit",
        what: "ends the session (also Ctrl-D)",
        run: |_, _| false,
    },
];

/// Other names of commands.
const ALIASES: &[(&str, &str)] =
    &[(":q", ":quit"), (":exit", ":quit"), (":h", ":help"), ("?", ":help"), (":?", ":help")];

const HELP: &[(&str, &str)] = &[
    ("expr", "shows its value; `;` at the end hides it; `ans` is the last value, `out[n]` an earlier one"),
    ("?name", "what a function, binding, constant or keyword is"),
    ("??name", "where it is defined, as text"),
    ("?\"words\"", "searches the documentation"),
    ("?[N]", "what a unit is"),
    ("Tab", "completes names, options, units, columns, files; `\\alpha` becomes a letter"),
    ("Up, Ctrl-R", "lines of the history that begin with, or hold, what was typed"),
    ("Ctrl-C", "stops a line with what it has found; twice gives it up"),
];

/// A line that begins with `:` or `?`, cut into its command and the rest.
pub fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    if line.starts_with('?') {
        return Some(("?", line));
    }
    line.starts_with(':').then(|| line.split_once(char::is_whitespace).unwrap_or((line, "")))
}

fn find(name: &str) -> Option<&'static Command> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, whole)| whole);
    COMMANDS.iter().find(|c| c.name == name)
}

/// Whether a line of code stands behind a command.
pub fn takes_code(command: &str) -> bool {
    find(command).is_some_and(|c| c.takes == Takes::Code)
}

/// How the word at the cursor of a command could end; `None` for lines of code.
pub fn complete_line(context: &Context, line: &str, at: usize) -> Option<Completion> {
    let before = line.get(..at)?;
    let lead = before.len() - before.trim_start().len();
    let typed = &before[lead..];
    let plain = |start: usize, words: Vec<String>| {
        let candidates = words.into_iter().map(|w| Candidate { label: w.clone(), text: w }).collect();
        Some(Completion { start, candidates })
    };
    if let Some(asked) = typed.strip_prefix('?') {
        let start = lead + typed.len() - asked.trim_start_matches('?').len();
        if asked.trim_start_matches('?').starts_with('[') {
            // As behind a number.
            let shifted = format!("1{}", &before[start..]);
            let found = complete(context, &shifted, shifted.len());
            return Some(Completion { start: found.start + start - 1, ..found });
        }
        let word = &before[start..];
        let mut names = context.known_names();
        names.extend(context.library.module_names().filter(|n| *n != "prelude").map(str::to_string));
        names.sort();
        return plain(start, names.into_iter().filter(|n| !word.is_empty() && n.starts_with(word)).collect());
    }
    if !typed.starts_with(':') {
        return None;
    }
    let Some((name, _)) = typed.split_once(char::is_whitespace) else {
        let names = COMMANDS.iter().filter(|c| c.name.starts_with(typed));
        return plain(lead, names.map(|c| c.name.to_string()).collect());
    };
    let rest = &before[lead + name.len()..];
    let start = lead + name.len() + (rest.len() - rest.trim_start().len());
    match find(name).map(|c| c.takes) {
        Some(Takes::Code) => None,
        Some(Takes::File) => Some(files(&context.folder, &before[start..], start, false)),
        Some(Takes::Word(words)) => plain(
            start,
            words.iter().filter(|w| w.starts_with(&before[start..])).map(|w| w.to_string()).collect(),
        ),
        _ => plain(start, Vec::new()),
    }
}

/// Does what a line that begins with `:` or `?` says; whether the session goes on.
pub fn run(prompt: &mut Prompt, line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('?') && line != "?" {
        ask(prompt, line);
        return true;
    }
    let (name, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(n, r)| (n, r.trim()));
    match find(name) {
        Some(command) if command.takes == Takes::Nothing && !rest.is_empty() => {
            let message = format!("expected nothing behind `{}`, found `{rest}`", command.name);
            prompt.fault(Diagnostic::error(Code(8021), None, message).hint(command.shown));
            true
        }
        Some(command) if command.takes == Takes::Code && rest.is_empty() => {
            let message = format!("expected an expression behind `{}`, found nothing", command.name);
            prompt.fault(Diagnostic::error(Code(8021), None, message).hint(command.shown));
            true
        }
        Some(command) => (command.run)(prompt, rest),
        None => {
            let near = suggest::nearest(name, COMMANDS.iter().map(|c| c.name));
            // What is no command may be a short form of one.
            let near = near.or_else(|| COMMANDS.iter().map(|c| c.name).find(|c| c.starts_with(name)));
            let message = format!("expected a command of the prompt, found `{name}`");
            let hint = near.map_or_else(|| ":help".to_string(), |n| format!("did you mean `{n}`?"));
            prompt.fault(Diagnostic::error(Code(8020), None, message).hint(hint));
            true
        }
    }
}

/// `?name`, `??name`, `?"words"`, `?[N]`.
fn ask(prompt: &mut Prompt, line: &str) {
    let source = line.starts_with("??");
    let what = line.trim_start_matches('?').trim();
    if let Some(words) = what.strip_prefix('"') {
        let words = words.trim_end_matches('"');
        let found = prompt.session().search(words);
        if found.is_empty() {
            let message = format!("expected words of the documentation, found nothing with \"{words}\"");
            prompt.fault(Diagnostic::error(Code(8024), None, message).hint("?\"energy\""));
        } else {
            prompt.display.pieces(&found);
        }
        return;
    }
    if let Some(unit) = what.strip_prefix('[') {
        match prompt.session().describe_unit(unit.trim_end_matches(']').trim()) {
            Ok(pieces) => prompt.display.pieces(&pieces),
            Err(words) => prompt.fault(Diagnostic::error(Code(8024), None, words).hint("?[N]")),
        }
        return;
    }
    let name = what.trim_end_matches("()");
    let found = if source { prompt.session().source_of(name) } else { prompt.session().describe(name) };
    match found {
        Ok(pieces) => prompt.display.pieces(&pieces),
        Err(near) => {
            let message = format!("expected a name that is known, found `{name}`");
            let mark = if source { "??" } else { "?" };
            let hint = near.map_or_else(|| format!("?\"{name}\""), |n| format!("{mark}{n}"));
            prompt.fault(Diagnostic::error(Code(8024), None, message).hint(hint));
        }
    }
}

fn help(prompt: &mut Prompt, _: &str) -> bool {
    let rows: Vec<(&str, &str)> =
        HELP.iter().copied().chain(COMMANDS.iter().map(|c| (c.shown, c.what))).collect();
    let pieces: Vec<Piece> = rows.iter().map(|(a, b)| Piece::Row(a.to_string(), b.to_string())).collect();
    prompt.display.pieces(&pieces);
    true
}

fn vars(prompt: &mut Prompt, _: &str) -> bool {
    let all = prompt.session().variables();
    if all.is_empty() {
        prompt.display.remark("nothing is bound");
        return true;
    }
    let width = prompt.display.width().saturating_sub(1).max(10);
    let first = all.iter().map(|(n, ..)| n.chars().count()).max().unwrap_or(0).min(width / 3);
    let second = all.iter().map(|(_, k, _)| k.chars().count()).max().unwrap_or(0).min(width / 3);
    let mut lines = Vec::new();
    for (name, kind, value) in all {
        let head = format!("{name:first$}  {kind:second$}");
        let room = width.saturating_sub(head.chars().count() + 2);
        if room < 8 {
            lines.extend(row(&name, &format!("{kind} {value}"), first, width));
            continue;
        }
        let short: String = match value.chars().count() > room {
            true => value.chars().take(room - 3).chain("...".chars()).collect(),
            false => value,
        };
        lines.push(format!("{head}  {short}").trim_end().to_string());
    }
    prompt.display.text(&lines.join("\n"));
    true
}

fn out(prompt: &mut Prompt, _: &str) -> bool {
    let session = prompt.session();
    let style = session.context.style.clone();
    let lines: Vec<String> = session
        .outputs()
        .iter()
        .enumerate()
        .map(|(k, v)| format!("out[{k}] = {}", crate::language::render::line(v, &style)))
        .collect();
    if lines.is_empty() {
        prompt.display.remark("no results yet");
    } else {
        prompt.display.text(&lines.join("\n"));
    }
    true
}

/// A time as people say it.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "us"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    match value {
        v if v < 10.0 => format!("{v:.2} {unit}"),
        v if v < 100.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

fn time(prompt: &mut Prompt, code: &str) -> bool {
    let begun = Instant::now();
    prompt.line(code);
    let took = begun.elapsed();
    prompt.display.remark(&format!("took {}", spoken(took)));
    true
}

fn bench(prompt: &mut Prompt, code: &str) -> bool {
    const BUDGET: Duration = Duration::from_secs(1);
    let code = code.to_string();
    let Some(measured) = prompt.attend(move |session| session.bench(&code, BUDGET)) else { return true };
    match measured {
        Ok(mut times) => {
            times.sort();
            let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
            prompt.display.text(&format!(
                "median {}, quartiles {} to {}, fastest {}, {} runs",
                spoken(at(0.5)),
                spoken(at(0.25)),
                spoken(at(0.75)),
                spoken(at(0.0)),
                times.len()
            ));
        }
        Err(status) => prompt.ended(status),
    }
    true
}

fn limit(prompt: &mut Prompt, rest: &str) -> bool {
    if rest.is_empty() {
        let words = prompt.limit.map_or_else(|| "no limit".to_string(), |l| format!("limit {}", spoken(l)));
        prompt.display.remark(&words);
        return true;
    }
    if rest == "off" {
        prompt.limit = None;
        return true;
    }
    match seconds(rest, &prompt.session().context) {
        Some(s) => prompt.limit = Some(s),
        None => {
            let message = format!("expected a time above 0, found `{rest}`");
            prompt.fault(Diagnostic::error(Code(8021), None, message).hint(":limit 10 s"));
        }
    }
    true
}

/// `10`, `10 s`, `1.5 [min]` as a time.
fn seconds(text: &str, context: &Context) -> Option<Duration> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let value: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim().trim_start_matches('[').trim_end_matches(']').trim();
    let scale = if unit.is_empty() {
        1.0
    } else {
        let unit = context.catalogue.parse(unit).ok()?;
        let second = context.catalogue.parse("s").ok()?;
        (unit.dimension() == second.dimension()).then(|| unit.scale().to_f64())?
    };
    let seconds = value * scale;
    (seconds > 0.0 && seconds < 1e9).then(|| Duration::from_secs_f64(seconds))
}

fn latex(prompt: &mut Prompt, code: &str) -> bool {
    let text = format!("latex({code})");
    let found = prompt.attend(move |session| {
        let mut copy = session.backup(session.context.events.clone(), session.context.cancel.clone());
        copy.line(&text)
    });
    if let Some(line) = found {
        match line.value.as_ref().map(Value::plain) {
            Some(Value::Text(t)) => prompt.display.text(t),
            _ => prompt.ended(line.status),
        }
    }
    true
}

fn digits(prompt: &mut Prompt, rest: &str) -> bool {
    let style = &mut prompt.session_mut().context.style;
    match (rest, rest.parse()) {
        ("", _) => {
            let words = style.digits.map_or_else(|| "full".to_string(), |d| d.to_string());
            prompt.display.remark(&format!("digits {words}"));
        }
        ("full", _) => style.digits = None,
        (_, Ok(digits @ 1..=17)) => style.digits = Some(digits),
        _ => {
            let message = format!("expected 1 to 17 digits, found `{rest}`");
            prompt.fault(Diagnostic::error(Code(8021), None, message).hint(":digits 6"));
        }
    }
    true
}

/// `on`, `off`, or nothing, which turns it over.
fn switch(prompt: &mut Prompt, name: &str, rest: &str, now: bool) -> Option<bool> {
    match rest {
        "on" => Some(true),
        "off" => Some(false),
        "" => Some(!now),
        _ => {
            let message = format!("expected on or off, found `{rest}`");
            prompt.fault(Diagnostic::error(Code(8021), None, message).hint(format!("{name} off")));
            None
        }
    }
}

fn pretty(prompt: &mut Prompt, rest: &str) -> bool {
    use std::sync::atomic::Ordering;
    let now = prompt.display.pretty.load(Ordering::Relaxed);
    if let Some(on) = switch(prompt, ":pretty", rest, now) {
        prompt.display.pretty.store(on, Ordering::Relaxed);
        prompt.display.remark(if on { "pretty on" } else { "pretty off" });
    }
    true
}

fn reading(prompt: &mut Prompt, rest: &str) -> bool {
    let now = prompt.reading;
    if let Some(on) = switch(prompt, ":reading", rest, now) {
        prompt.reading = on;
        prompt.display.remark(if on { "reading on" } else { "reading off" });
    }
    true
}

/// The file behind a command, or a fault.
fn path(prompt: &mut Prompt, command: &str, rest: &str) -> Option<PathBuf> {
    let name = rest.trim().trim_matches('"');
    if name.is_empty() {
        let message = format!("expected a file behind `{command}`, found nothing");
        prompt.fault(Diagnostic::error(Code(8021), None, message).hint(format!("{command} session.phys")));
        return None;
    }
    Some(match name.strip_prefix("~/") {
        Some(below) => {
            std::env::var_os("HOME").map_or_else(|| PathBuf::from(name), |h| Path::new(&h).join(below))
        }
        None => PathBuf::from(name),
    })
}

fn save(prompt: &mut Prompt, rest: &str) -> bool {
    let Some(file) = path(prompt, ":save", rest) else { return true };
    let script = prompt.session().script();
    let count = script.lines().count();
    match write_atomic(&file, script.as_bytes()) {
        Ok(()) => {
            let lines = if count == 1 { "1 line".to_string() } else { format!("{count} lines") };
            prompt.display.remark(&format!("{lines} in {}", file.display()));
        }
        Err(e) => prompt.fault(Diagnostic::from_fault(&e, None)),
    }
    true
}

fn load(prompt: &mut Prompt, rest: &str) -> bool {
    if let Some(file) = path(prompt, ":load", rest) {
        prompt.load(&file, true);
    }
    true
}

fn run_file(prompt: &mut Prompt, rest: &str) -> bool {
    let Some(file) = path(prompt, ":run", rest) else { return true };
    match read_file(&file) {
        Ok((name, text, folder)) => prompt.run_apart(name, text, folder),
        Err(d) => prompt.fault(*d),
    }
    true
}

fn reset(prompt: &mut Prompt, _: &str) -> bool {
    prompt.reset();
    prompt.display.remark("nothing is bound");
    true
}

impl Prompt {
    /// Runs a script in a session of its own.
    fn run_apart(&mut self, name: String, text: String, folder: PathBuf) {
        let (display, options) = (self.display.clone(), self.options());
        let status = self.attend(move |session| {
            let style = session.context.style.clone();
            let events = session.context.events.clone();
            let fresh = Session::with(options, events, session.context.cancel.clone());
            fresh.map(|mut fresh| {
                fresh
                    .run(&name, &text, &folder, &mut |value, visible| {
                        if visible {
                            display.value(value, &style, None);
                        }
                    })
                    .0
            })
        });
        match status {
            Some(Ok(status)) => self.ended(status),
            Some(Err(d)) => self.fault(*d),
            None => {}
        }
    }

    /// The options a session of this prompt starts with.
    fn options(&self) -> Options {
        let context = &self.session().context;
        Options {
            seed: context.seed,
            threads: context.threads,
            digits: context.style.digits,
            sources: self.session().sources().clone(),
            ..Options::default()
        }
    }

    /// Says how a run ended, where nothing else has.
    pub fn ended(&mut self, status: Status) {
        match status {
            Status::Done => {}
            Status::Interrupted => self.display.remark("interrupted"),
            Status::Faulty | Status::Failed => self.failed = true,
        }
    }
}

/// Words for narrow terminals, shared with the greeting.
pub fn narrow(text: &str, width: usize) -> String {
    wrapped(text, width).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_commands() {
        assert_eq!(split(" :time 1 + 1"), Some((":time", "1 + 1")));
        assert_eq!(split("?sin"), Some(("?", "?sin")));
        assert_eq!(split("x + 1"), None);
        assert!(takes_code(":bench") && !takes_code(":save"));
    }

    #[test]
    fn times_are_spoken() {
        assert_eq!(spoken(Duration::from_nanos(1_234)), "1.23 us");
        assert_eq!(spoken(Duration::from_millis(250)), "250 ms");
        assert_eq!(spoken(Duration::from_secs(12)), "12.0 s");
    }
}
