//! What the user is told: every program of tests/errors/PHASE writes exactly its `.err` to standard error, whose last
//! line is the exit status. Faults of all phases but `data` and `run` are found before anything ran: status 2 and
//! nothing on standard output.

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
