//! `phys fmt`.

use std::path::PathBuf;

use super::{FAILED, FAULTY, output, render};
use crate::base::{Diagnostic, Source};
use crate::language::statements::read_script;

/// Formats files in place; one that does not parse stays as it is.
pub fn files(files: &[PathBuf], check: bool) -> u8 {
    let mut code = 0;
    for path in files {
        let shown = path.display().to_string();
        let text = match read_script(path) {
            Ok(text) => text,
            Err(words) => {
                output::error_line(&format!("error[P6040]: {words}"));
                code = FAULTY;
                continue;
            }
        };
        let source = Source::new(0, &shown, &text);
        let parsed = crate::syntax::parse(&source);
        if parsed.diagnostics.iter().any(Diagnostic::is_error) {
            let errors: Vec<Diagnostic> =
                parsed.diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
            render::show(&errors, &std::collections::BTreeMap::from([(0, source)]));
            code = FAULTY;
            continue;
        }
        let formatted = crate::syntax::format(&source, &parsed);
        if formatted == text {
            continue;
        }
        if check {
            output::line(&shown);
            code = code.max(FAILED);
        } else if let Err(e) = crate::data::write_atomic(path, formatted.as_bytes()) {
            output::error_line(&format!("error[P8001]: {e}"));
            code = FAULTY;
        }
    }
    code
}
