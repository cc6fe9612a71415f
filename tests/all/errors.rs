//! What the user is told: every program of tests/errors/PHASE writes exactly its `.err` to standard error, whose last
//! line is the exit status. Faults of all phases but `data` and `run` are found before anything ran: status 2 and
//! nothing on standard output.

use phys::base::{CancelToken, Diagnostic, EventSink, Source};
use phys::session::Session;

use crate::support::{all, expected_status, files, phys, root, run_with, shown, snapshot};
use std::time::Duration;

#[test]
fn faults_are_told_in_these_words() {
    let programs = files(&root().join("tests/errors"), "phys", &["parts"]);
    assert!(programs.len() >= 100, "only {} programs", programs.len());
    all(&programs, "programs", |path| {
        let source = std::fs::read_to_string(path).ok()?;
        let folder = path.parent()?;
        let mut command = phys();
        // From within its folder, so that messages name the file alone.
        command.current_dir(folder).arg("run").arg(path.file_name()?);
        let ran = run_with(command, None, Duration::from_secs(60));
        let status = ran.status.map_or("killed".into(), |s| s.to_string());
        let found = format!("{}exit: {status}\n", ran.stderr);
        let mut fault = snapshot(&path.with_extension("err"), &found).unwrap_or_default();

        let phase = folder.file_name()?.to_string_lossy().into_owned();
        let wanted: &[i32] = match (expected_status(&source), phase.as_str()) {
            (Some(0), _) => &[0],
            (Some(1), _) => &[1],
            (_, "data" | "run") => &[1, 2],
            _ => &[2],
        };
        if !ran.status.is_some_and(|s| wanted.contains(&s)) {
            fault += &format!("    exit {status}, expected one of {wanted:?}\n");
        }
        if ran.status == Some(2) && !ran.stdout.is_empty() {
            fault += &format!("    printed before its faults: {:?}\n", ran.stdout);
        }
        if !has_code(&ran.stderr) {
            fault += "    no code\n";
        }
        if ran.stderr.contains("panicked") {
            fault += "    a panic\n";
        }
        (!fault.is_empty()).then(|| format!("{}\n{fault}", shown(path)))
    });
}

/// Whether a code `P1234` is there.
fn has_code(text: &str) -> bool {
    text.as_bytes().windows(5).any(|w| w[0] == b'P' && w[1..].iter().all(u8::is_ascii_digit))
}

/// Whether a text parses.
fn parses(text: &str) -> bool {
    !phys::syntax::parse(&Source::new(0, "hint", text)).diagnostics.iter().any(Diagnostic::is_error)
}

/// The parts of a hint that are code: what stands between backticks, else all of it unless it is prose.
fn code(hint: &str) -> Vec<String> {
    if hint.contains('`') {
        return hint.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    }
    let is_word = |w: &&str| w.len() > 1 && w.chars().all(|c| c.is_lowercase());
    let prose = hint.split([' ', ',', ':']).filter(is_word).count() > 2 || hint.starts_with("it has");
    // Signatures, and what to do with a unit, are no code.
    if prose || hint.contains(") -> ") || hint.contains("by [") || hint.contains("use [") {
        return Vec::new();
    }
    hint.split(", or ")
        .map(|part| part.trim_end_matches(" to multiply").trim_end_matches(" for a unit").into())
        .collect()
}

#[test]
fn hints_that_are_code_can_be_typed() {
    let programs = files(&root().join("tests/errors"), "phys", &["parts"]);
    all(&programs, "programs", |path| {
        let text = std::fs::read_to_string(path).ok()?;
        let mut session = Session::new(EventSink::none(), CancelToken::new()).ok()?;
        session.context.folder = path.parent()?.to_path_buf();
        let (_, found) = session.check("text", &text);
        let mut wrong = Vec::new();
        for d in &found {
            let Some(hint) = &d.hint else { continue };
            if let Some(near) = hint.strip_prefix("did you mean `").and_then(|h| h.split('`').next()) {
                // In the place of what was misspelt it mends that fault.
                let Some(span) = d.span.filter(|s| text.is_char_boundary(s.end as usize)) else { continue };
                let (start, end) = (span.start as usize, span.end as usize);
                let mended = format!("{}{near}{}", &text[..start], &text[end..]);
                let mut again = session.fork(EventSink::none(), CancelToken::new());
                let left = again.check("text", &mended).1;
                let same = |l: &Diagnostic| l.code == d.code && l.span.is_some_and(|s| s.start == span.start);
                if span.source == 0 && left.iter().any(same) {
                    wrong.push(format!("`{near}` does not mend: {}", d.message));
                }
                continue;
            }
            for part in code(hint) {
                // Closers, arguments, and what goes on behind something.
                let closer = matches!(&*part, ")" | "]" | "}");
                let ways = [
                    part.clone(),
                    format!("f({part})"),
                    format!("x {part}"),
                    format!("var x {part}"),
                    format!("if x > 0 then 1 {part}"),
                ];
                if !closer && !ways.iter().any(|w| parses(w)) {
                    wrong.push(format!("hint `{part}` of: {}", d.message));
                }
            }
        }
        (!wrong.is_empty()).then(|| format!("{}: {}", shown(path), wrong.join("; ")))
    });
}
