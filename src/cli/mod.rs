//! Layer 8: the commands, one file each. Exit codes: 0 done; 1 a check or a computation failed; 2 usage, or faults
//! found before anything ran; 130 interrupted, with what was found so far.

mod bench;
pub mod charset;
mod check;
mod diff;
mod doc;
mod eval;
mod explain;
mod fmt;
pub mod json;
mod progress;
mod record;
mod regress;
pub mod render;
mod run;
pub mod terminal;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::base::{CancelToken, Code, Diagnostic};
use crate::session::{Options, Session, Status, on_worker};
use terminal::Terminal;

/// What the codes of this layer mean (`phys explain`).
pub const CODES: &[(u16, &str, &str)] = &[
    (
        8001,
        "file cannot be used as a script",
        "The file does not exist, is a folder, cannot be read, or is no UTF-8 text. The message says which.",
    ),
    (8002, "unknown code", "`phys explain` knows codes of the form P2103, as printed before every message."),
    (
        8003,
        "result cannot be written",
        "The place given with `--json` is a folder or lies in a folder that does not exist. It is looked at before anything runs, so that no result is lost.",
    ),
    (
        8004,
        "no law found",
        "The search ended before it had a single law. With `--time` or `--work` it may have been stopped too early.",
    ),
    (
        8005,
        "line is no text",
        "A line given to `phys eval --lines` is not UTF-8. The line is answered with this error and the next one is read.",
    ),
    (
        8006,
        "run folder cannot be written",
        "A script that searches or trains leaves a folder `runs/SCRIPT/TIME/`. It is made before work begins, so that none is lost. `--runs DIR` or the variable PHYS_RUNS names another place; `--no-record` or PHYS_RUNS=none leaves none.",
    ),
    (
        8007,
        "no run folder",
        "`--resume` and `phys diff` take the folder of an earlier run, `runs/SCRIPT/TIME`, with its `manifest.json`.",
    ),
    (
        8008,
        "run cannot go on here",
        "`--resume` goes on with a run of the same script, with the same seed and options: then what was finished is taken over and the rest gives the same bytes as a run that never stopped.",
    ),
    (
        8009,
        "checkpoint cannot be used",
        "A file in `checkpoints/` of the run folder, or the one of `--checkpoint`, was cut short or changed, or was written by another version of phys. Where it is removed, its work is done again.",
    ),
    (
        8010,
        "run folder not written in whole",
        "The disk is full, or the folder was removed while the script ran. The values that were shown are right; what could not be written is missing in the folder.",
    ),
    (
        8011,
        "no such name in the library",
        "`phys doc` knows the functions and modules of the standard library.",
    ),
    (
        8012,
        "run of a script that has changed",
        "`--resume` with the run of an earlier text of the script begins a run of its own. Of the earlier one it takes over searches and trainings whose call, data and seed are the same, as their checkpoints say; it tells which begin anew.",
    ),
    (
        8020,
        "unknown command of the prompt",
        "Lines that begin with `:` are commands of the prompt, such as `:vars` or `:time expr`. `:help` lists them all.",
    ),
    (
        8021,
        "wrong argument of a command",
        "What stands behind a command of the prompt is not what it takes: `:digits 6`, `:limit 10 s`, `:save session.phys`.",
    ),
    (
        8022,
        "line too long",
        "A line of the prompt holds at most 200000 bytes (20000 if they are typed) and 5000 line ends; nothing of a longer one is run. Write it to a file and give `:load file.phys`.",
    ),
    (
        8023,
        "line given up",
        "The line did not stop when asked to, with Ctrl-C pressed twice or its time limit long over. It was given up: the session is as it was before the line.",
    ),
    (
        8024,
        "nothing known of a name",
        "`?name` found neither a function, constant, unit or module of the library nor a binding of the session. `?\"words\"` searches the documentation.",
    ),
    (
        8030,
        "unknown suite",
        "`phys bench` knows the suites that `phys bench --help` lists, such as `feynman`, `laws`, `strogatz`, `srbench` or `nguyen`.",
    ),
    (
        8031,
        "option of another suite",
        "Some options belong to one suite: `--set` to `feynman`, `--half` to `laws`; `--units` is for laws whose variables have units.",
    ),
    (
        8032,
        "results cannot be kept",
        "The file given with `--out` cannot be written, or holds something else than results of `phys bench`. Nothing in it was changed.",
    ),
    (
        8033,
        "unknown problem",
        "A name given with `--only` is none of the suite. Names are those of the library, as `I_12_2` in `physics.feynman`.",
    ),
    (
        8034,
        "problem without data",
        "The law of a problem has no value anywhere on its domain, or the paths of its system come to a singularity. Its result says so; the others are not touched.",
    ),
];

/// A symbolic-first scientific language.
#[derive(Parser, Debug)]
#[command(name = "phys", version, about, args_conflicts_with_subcommands = true)]
#[command(after_help = "Without a command: the prompt, or a script from standard input.")]
struct Cli {
    /// Run one line
    #[arg(short = 'e', value_name = "EXPR", allow_hyphen_values = true)]
    expression: Option<String>,
    /// The prompt, after this script if one is given
    #[arg(short = 'i', value_name = "FILE", num_args = 0..=1, conflicts_with = "expression")]
    interactive: Option<Option<PathBuf>>,
    #[command(flatten)]
    options: RunOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a script
    Run {
        /// The script; `-` is standard input
        file: PathBuf,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Report every fault and run nothing
    Check {
        /// The scripts
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Write what was found as JSON (`-`: standard output)
        #[arg(long, value_name = "PATH")]
        json: Option<String>,
    },
    /// Format scripts in place, comments kept
    Fmt {
        /// The scripts; `-` formats standard input to standard output
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Change nothing; list what would change and end with status 1
        #[arg(long)]
        check: bool,
    },
    /// Find laws in a table
    Regress(regress::Arguments),
    /// Search the laws of a suite in data made from them, and tell how many are found again
    Bench(bench::Arguments),
    /// Evaluate lines of standard input, one JSON object each
    Eval {
        /// One line in, one JSON object out
        #[arg(long, required = true)]
        lines: bool,
        /// Seconds a line may take
        #[arg(long, default_value_t = 10.0, value_parser = seconds)]
        limit: f64,
    },
    /// Tell in what two runs differ; exit 0 where their values are the same, 1 where not
    Diff {
        /// A run folder
        a: PathBuf,
        /// Another
        b: PathBuf,
        /// Write the differences as JSON (`-`: standard output)
        #[arg(long, value_name = "PATH")]
        json: Option<String>,
    },
    /// Print the reference of a function or module; without a name, write all of it
    Doc {
        /// A function (`regress`) or module (`core.lists`) of the library
        name: Option<String>,
        /// The folder that the pages are written to
        #[arg(long, value_name = "DIR", default_value = "docs/src/reference", conflicts_with = "name")]
        out: PathBuf,
    },
    /// Tell what an error code means
    Explain {
        /// The code, as P2103; without one, all of them as a page
        code: Option<String>,
    },
}

/// Options of what runs.
#[derive(Args, Debug, Clone)]
struct RunOptions {
    /// Write the values of bare expressions as JSON (`-`: standard output)
    #[arg(long, value_name = "PATH")]
    json: Option<String>,
    /// Seed of everything random [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// Threads of searches (default: all)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Significant digits of what is shown
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
    /// Set an option of the call whose result is bound to a name; may be repeated
    #[arg(long, value_name = "NAME.OPTION=VALUE")]
    set: Vec<String>,
    /// Use what calls say under `smoke:`: a trial that takes seconds
    #[arg(long)]
    smoke: bool,
    /// The folder of run folders [default: PHYS_RUNS, else runs; PHYS_RUNS=none keeps nothing]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    runs: Option<PathBuf>,
    /// Leave no run folder
    #[arg(long, conflicts_with_all = ["runs", "resume"])]
    no_record: bool,
    /// Go on with an earlier run of the script: what it finished is not done again
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// Tell neither progress nor the place of the run folder
    #[arg(long, short)]
    quiet: bool,
}

/// An engine or a family of laws that a search leaves out.
fn switch(text: &str) -> Result<String, String> {
    match crate::regression::SWITCHES.contains(&text) {
        true => Ok(text.to_string()),
        false => Err(format!("expected an engine or a family: {}", crate::regression::SWITCHES.join(", "))),
    }
}

/// Seconds above 0.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 1e9 => Ok(s),
        _ => Err("expected seconds above 0".into()),
    }
}

/// How the prompt starts.
#[derive(Debug, Default)]
pub struct Start {
    /// The session's options.
    pub options: Options,
    /// A script that runs first.
    pub script: Option<PathBuf>,
    /// Lines in place of a terminal.
    pub lines: Option<String>,
}

/// The prompt, which is told how it starts.
pub type Prompt = fn(Start) -> ExitCode;

/// Reads the arguments and does what they say; without a command on a terminal, the prompt runs.
pub fn main(prompt: Prompt) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Where even that cannot be written there is nobody to tell.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    // A panic is caught by the session and reported there; the place helps whoever mends it.
    std::panic::set_hook(Box::new(|info| {
        if let Some(place) = info.location() {
            terminal::complain(&format!("phys: internal error at {place}"));
        }
    }));
    match on_worker(move || command(cli, prompt)) {
        Ok(code) => code,
        Err(words) => {
            terminal::complain(&format!("phys: internal error: {words}"));
            ExitCode::from(1)
        }
    }
}

fn command(cli: Cli, prompt: Prompt) -> ExitCode {
    match cli.command {
        Some(Command::Run { file, options }) => run::file(&file, &options),
        Some(Command::Check { files, json }) => check::files(&files, json.as_deref()),
        Some(Command::Fmt { files, check }) => fmt::files(&files, check),
        Some(Command::Regress(arguments)) => regress::regress(&arguments),
        Some(Command::Bench(arguments)) => bench::bench(&arguments),
        Some(Command::Eval { limit, .. }) => eval::lines(limit),
        Some(Command::Diff { a, b, json }) => diff::runs(&a, &b, json.as_deref()),
        Some(Command::Doc { name: Some(name), .. }) => doc::name(&name),
        Some(Command::Doc { name: None, out }) => doc::pages(&out),
        Some(Command::Explain { code: None }) => explain::all(),
        Some(Command::Explain { code: Some(code) }) => explain::code(&code),
        None => match &cli.expression {
            Some(text) => run::text("<-e>", text, Path::new(""), &cli.options),
            None => without_command(cli, prompt),
        },
    }
}

/// The prompt, or a script from standard input; such a one that holds commands of the prompt is run line by line.
fn without_command(cli: Cli, prompt: Prompt) -> ExitCode {
    let start = Start { options: cli.options.session(), ..Start::default() };
    let terminal = std::io::stdin().is_terminal();
    if cli.options.json.is_some() && (terminal || cli.interactive.is_some()) {
        terminal::complain("phys: expected a script or -e EXPR with --json, found neither");
        return exit(Status::Faulty);
    }
    if terminal {
        return prompt(Start { script: cli.interactive.flatten(), ..start });
    }
    let text = match script(Path::new("-")) {
        Ok((_, text, _)) => text,
        Err(d) => {
            Terminal::new(cli.options.json.as_deref(), Default::default()).diagnostic(&d);
            return exit(Status::Faulty);
        }
    };
    // No statement begins with one of these.
    let commands = text.lines().any(|l| l.trim_start().starts_with([':', '?']));
    if cli.interactive.is_some() || commands && cli.options.json.is_none() {
        return prompt(Start { script: cli.interactive.flatten(), lines: Some(text), ..start });
    }
    run::text("<stdin>", &text, Path::new(""), &cli.options)
}

impl RunOptions {
    /// As options of a session.
    fn session(&self) -> Options {
        Options {
            seed: self.seed.unwrap_or(0),
            smoke: self.smoke,
            set: self.set.clone(),
            threads: self.threads.map_or(0, usize::from),
            digits: Some(usize::from(self.digits)),
            ..Options::default()
        }
    }
}

/// A session that listens on a terminal; a fault of a shadowing library file is told.
fn session(terminal: &Arc<Terminal>, options: Options, cancel: &CancelToken) -> Result<Session, ExitCode> {
    Session::with(options, terminal.sink(), cancel.clone()).map_err(|d| {
        terminal.diagnostic(&d);
        exit(Status::Faulty)
    })
}

/// The exit code of a status.
fn exit(status: Status) -> ExitCode {
    ExitCode::from(match status {
        Status::Done => 0,
        Status::Failed => 1,
        Status::Faulty => 2,
        Status::Interrupted => 130,
    })
}

/// The text of a script with its name and folder, for the prompt.
///
/// # Errors
/// The file cannot be used.
pub fn read_file(file: &Path) -> Result<(String, String, PathBuf), Box<Diagnostic>> {
    script(file)
}

/// A token that Ctrl-C sets; a second Ctrl-C ends the process at once.
pub fn interruptible() -> CancelToken {
    let token = CancelToken::new();
    let flag = token.clone();
    // Without a handler Ctrl-C ends the process as it always does.
    let _ = ctrlc::set_handler(move || {
        if flag.is_cancelled() {
            std::process::exit(130);
        }
        flag.cancel();
    });
    token
}

/// The text of a script with the name it has in messages and the folder its paths are relative to.
fn script(file: &Path) -> Result<(String, String, PathBuf), Box<Diagnostic>> {
    use crate::language::statements::{read_script, script_text};
    let unusable = |message: String| Box::new(Diagnostic::error(Code(8001), None, message));
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
            .map_err(|e| unusable(format!("standard input cannot be read: {e}")))?;
        let text = script_text(bytes, "<stdin>").map_err(unusable)?;
        return Ok(("<stdin>".into(), text, PathBuf::new()));
    }
    let text = read_script(file).map_err(|message| {
        let mut d = unusable(message);
        d.hint = near(file);
        d
    })?;
    Ok((file.display().to_string(), text, file.parent().map_or_else(PathBuf::new, PathBuf::from)))
}

/// A script beside a missing one with nearly its name, or one inside a folder.
fn near(file: &Path) -> Option<String> {
    let folder = if file.is_dir() { file } else { file.parent()? };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| n.ends_with(".phys"))
        .collect();
    names.sort();
    if file.is_dir() {
        return names.first().map(|n| format!("phys run {}", file.join(n).display()));
    }
    if file.exists() {
        return None;
    }
    let wanted = file.file_name()?.to_str()?;
    let found = crate::base::suggest::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!("did you mean `{}`?", file.with_file_name(found).display()))
}
