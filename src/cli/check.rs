//! `phys check`.

use std::path::PathBuf;

use super::{FAULTY, output, render, run};
use crate::base::{CancelToken, Diagnostic, EventSink};
use crate::language::statements::read_script;

/// Checks files; every fault of every file is shown.
pub fn files(files: &[PathBuf], cancel: CancelToken) -> u8 {
    let mut code = 0;
    for path in files {
        let Some(mut session) = run::session(EventSink::none(), cancel.clone()) else { return FAULTY };
        match read_script(path) {
            Ok(text) => {
                session.context.folder = path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
                let (_, diagnostics) = session.check(&path.display().to_string(), &text);
                render::show(&diagnostics, &session.context.sources);
                if diagnostics.iter().any(Diagnostic::is_error) {
                    code = FAULTY;
                }
            }
            Err(words) => {
                output::error_line(&format!("error[P6040]: {words}"));
                code = FAULTY;
            }
        }
    }
    code
}
