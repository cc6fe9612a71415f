//! The semantics of the language: every program of tests/spec prints exactly what stands in its `.out`.

use crate::support::{all, expected_status, files, phys, root, run_with, shown, snapshot};
use std::time::Duration;

#[test]
fn programs_print_what_they_should() {
    let programs = files(&root().join("tests/spec"), "phys", &["parts", "data"]);
    assert!(programs.len() >= 60, "only {} programs", programs.len());
    all(&programs, "programs", |path| {
        let source = std::fs::read_to_string(path).ok()?;
        let mut command = phys();
        command.arg("run").arg(path);
        let ran = run_with(command, None, Duration::from_secs(60));
        let expected = expected_status(&source).unwrap_or(0);
        let mut fault = snapshot(&path.with_extension("out"), &ran.stdout).unwrap_or_default();
        if ran.status != Some(expected) {
            fault += &format!("    exit {:?}, expected {expected}\n", ran.status);
        }
        if fault.is_empty() {
            return None;
        }
        for line in ran.stderr.lines().take(12) {
            fault += &format!("    | {line}\n");
        }
        Some(format!("{}\n{fault}", shown(path)))
    });
}
