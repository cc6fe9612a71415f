//! `phys fmt FILE...`: the standard layout, in place and whole or not at all. A file with syntax faults stays as it is.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::terminal::{Terminal, say};
use super::{exit, script};
use crate::base::{Diagnostic, Source};
use crate::session::{Sources, Status};
use crate::{data, syntax};

pub(super) fn files(files: &[PathBuf], check: bool) -> ExitCode {
    let mut status = Status::Done;
    for file in files {
        let sources = Sources::default();
        let terminal = Terminal::new(None, sources.clone());
        match format(file, check, &sources) {
            Ok(false) => {}
            // A changed file is a failure only where none should change.
            Ok(true) if check && status == Status::Done => status = Status::Failed,
            Ok(true) => {}
            Err((faults, ended)) => {
                for d in &faults {
                    terminal.diagnostic(d);
                }
                status = if status == Status::Faulty { status } else { ended };
            }
        }
    }
    exit(status)
}

/// Whether the file's layout differs from the standard one.
fn format(file: &Path, check: bool, sources: &Sources) -> Result<bool, (Vec<Diagnostic>, Status)> {
    let (name, text, _) = script(file).map_err(|d| (vec![*d], Status::Faulty))?;
    let source = Source::new(0, &name, &text);
    sources.insert(source.clone());
    let parsed = syntax::parse(&source);
    if parsed.has_errors() {
        return Err((parsed.diagnostics.into_iter().filter(Diagnostic::is_error).collect(), Status::Faulty));
    }
    let formatted = syntax::format(&source, &parsed);
    let differs = formatted != text;
    if check {
        if differs {
            say(&name);
        }
    } else if file == Path::new("-") {
        // No line is added: the text ends as it ends.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(formatted.as_bytes()).and_then(|()| out.flush());
    } else if differs {
        data::write_atomic(file, formatted.as_bytes())
            .map_err(|e| (vec![Diagnostic::from_fault(&e, None)], Status::Failed))?;
    }
    Ok(differs)
}
