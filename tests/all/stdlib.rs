//! The standard library is well formed: every file of stdlib/ parses and checks on its own.

use crate::support::{all, files, root, run, shown};

#[test]
fn every_module_checks() {
    let modules = files(&root().join("stdlib"), "phys", &[]);
    all(&modules, "modules", |path| {
        let ran = run(&["check", &path.display().to_string()]);
        (ran.status != Some(0)).then(|| format!("{}\n{}", shown(path), ran.stderr))
    });
}
