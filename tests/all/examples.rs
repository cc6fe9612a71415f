//! Every program of examples/ runs, and prints its `.out` where there is one. One that says that its last digits differ between
//! processors has none.

use crate::support::{all, bless, files, phys, root, run_with, shown, snapshot};
use std::time::Duration;

#[test]
fn examples_run() {
    let programs = files(&root().join("examples"), "phys", &[]);
    assert!(programs.len() >= 6, "only {} examples", programs.len());
    all(&programs, "examples", |path| {
        let mut command = phys();
        command.current_dir(root()).arg("run").arg(shown(path));
        let ran = run_with(command, None, Duration::from_secs(240));
        let expected = path.with_extension("out");
        let mut fault = String::new();
        let source = std::fs::read_to_string(path).unwrap_or_default();
        if expected.exists() || bless() && !source.contains("differ between processors") {
            fault += &snapshot(&expected, &ran.stdout).unwrap_or_default();
        }
        if ran.status != Some(0) {
            fault += &format!("    exit {:?}\n", ran.status);
            for line in ran.stderr.lines().take(20) {
                fault += &format!("    | {line}\n");
            }
        }
        (!fault.is_empty()).then(|| format!("{}\n{fault}", shown(path)))
    });
}
