//! Layer 8: the commands, one file each. Exit codes: 0 done; 1 a check or a computation failed; 2 usage or faults found
//! before anything ran; 130 interrupted, results kept.

mod check;
mod eval;
pub mod explain;
mod fmt;
mod json;
pub mod output;
mod regress;
pub mod render;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::base::CancelToken;

/// Exit status of a failed computation.
pub const FAILED: u8 = 1;
/// Exit status of usage errors and faults found before anything ran.
pub const FAULTY: u8 = 2;
/// Exit status after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// A symbolic-first scientific language. Without a command: a prompt, or a script from standard input.
#[derive(Parser)]
#[command(name = "phys", version, about, arg_required_else_help = false)]
struct Arguments {
    /// Runs this text and shows the values of its bare expressions.
    #[arg(short = 'e', value_name = "TEXT")]
    text: Option<String>,
    /// Writes the values as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "PATH", global = true)]
    json: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a script (`-`: from standard input).
    Run(run::RunArguments),
    /// Checks scripts: syntax, names, types, units, options. Runs nothing.
    Check {
        /// The scripts.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Formats scripts in place.
    Fmt {
        /// The scripts.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Changes nothing; fails where a file is not formatted.
        #[arg(long)]
        check: bool,
    },
    /// Finds laws in the columns of a CSV file.
    Regress(regress::RegressArguments),
    /// Evaluates lines of standard input, one JSON object each.
    Eval(eval::EvalArguments),
    /// Explains an error code.
    Explain {
        /// The code, such as P6021; without one, all of them.
        code: Option<String>,
    },
}

/// The prompt: what runs without a command; it is told where JSON goes.
pub type Prompt = fn(Option<String>, CancelToken) -> u8;

/// Runs the program.
pub fn main(prompt: Prompt) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(a) => a,
        Err(e) => {
            let code = if e.use_stderr() { FAULTY } else { 0 };
            // A closed pipe is no fault.
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let cancel = CancelToken::new();
    let flag = cancel.clone();
    // Without a handler Ctrl-C ends the program, as usual.
    let _ = ctrlc::set_handler(move || {
        if flag.is_cancelled() {
            std::process::exit(INTERRUPTED as i32);
        }
        flag.cancel();
    });
    let done = crate::session::on_worker(move || dispatch(arguments, cancel, prompt));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(words) => {
            output::error_line(&words);
            ExitCode::from(FAILED)
        }
    }
}

fn dispatch(arguments: Arguments, cancel: CancelToken, prompt: Prompt) -> u8 {
    let json = arguments.json;
    let without_json =
        matches!(arguments.command, Some(Command::Fmt { .. } | Command::Eval(_) | Command::Explain { .. }));
    if json.is_some() && without_json {
        output::error_line(
            "error[P8002]: --json goes with -e, run, check and regress; eval writes JSON by itself",
        );
        return FAULTY;
    }
    match (arguments.text, arguments.command) {
        (Some(text), None) => run::text("<command line>", &text, &PathBuf::from("."), json, None, cancel),
        (Some(_), Some(_)) => {
            output::error_line("expected either -e TEXT or a command, found both");
            FAULTY
        }
        (None, Some(Command::Run(a))) => run::file(a, json, cancel),
        (None, Some(Command::Check { files })) => check::files(&files, json, cancel),
        (None, Some(Command::Fmt { files, check })) => fmt::files(&files, check),
        (None, Some(Command::Regress(a))) => regress::file(a, json, cancel),
        (None, Some(Command::Eval(a))) => eval::lines(a, cancel),
        (None, Some(Command::Explain { code })) => explain::explain(code.as_deref()),
        (None, None) => prompt(json, cancel),
    }
}

/// Runs a script from standard input.
pub fn run_standard_input(json: Option<String>, cancel: CancelToken) -> u8 {
    run::standard_input(json, None, cancel)
}
