//! What a script is made of: the files it uses, and whether it does work that a run folder keeps (the library's
//! declarations say which calls do: `## run: search`).

use std::path::{Path, PathBuf};

use crate::base::Source;
use crate::language::Context;
use crate::language::statements::read_script;
use crate::syntax::tree::{ExprKind, Statement, StatementKind, Tree, UsePath};

/// A file that a script uses.
#[derive(Clone, Debug, PartialEq)]
pub struct UsedFile {
    /// Its path as written.
    pub written: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A script with what it uses.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The files, each once, in the order in which they are first used.
    pub used: Vec<UsedFile>,
    /// What it does that a run folder keeps ("search"), each once.
    pub work: Vec<String>,
}

/// Reads what a checked script uses; nothing is evaluated.
pub fn survey(context: &Context, tree: &Tree, folder: &Path) -> Program {
    let mut program = Program::default();
    visit(context, tree, folder, &mut program);
    program
}

fn visit(context: &Context, tree: &Tree, folder: &Path, program: &mut Program) {
    // A name that is mentioned counts as called: it may be piped into, or handed to a function.
    for node in &tree.exprs {
        let ExprKind::Name(name) = &node.kind else { continue };
        for signature in context.library.signatures(name).unwrap_or_default() {
            if let Some(work) = signature.run.as_ref().filter(|w| !program.work.contains(w)) {
                program.work.push(work.clone());
            }
        }
    }
    for written in used_files(&tree.statements) {
        let path = if folder.as_os_str() == "." { PathBuf::from(&written) } else { folder.join(&written) };
        if program.used.iter().any(|u| u.path == path) {
            continue;
        }
        let Ok(text) = read_script(&path) else { continue };
        let inner = crate::syntax::parse(&Source::new(0, &written, &text)).tree;
        let below = path.parent().map_or_else(|| folder.to_path_buf(), Path::to_path_buf);
        program.used.push(UsedFile { written, path, text });
        visit(context, &inner, &below, program);
    }
}

fn used_files(statements: &[Statement]) -> Vec<String> {
    let mut found = Vec::new();
    for s in statements {
        match &s.kind {
            StatementKind::Use { module: UsePath::File(path, _), .. } => found.push(path.clone()),
            StatementKind::For { body, .. } => found.extend(used_files(body)),
            StatementKind::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| found.extend(used_files(body)));
                otherwise.iter().for_each(|body| found.extend(used_files(body)));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CancelToken, EventSink};
    use crate::language::Library;

    #[test]
    fn work_is_found_through_used_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        std::fs::write(folder.path().join("lib/a.phys"), "use \"b.phys\"\ng(d) = d |> regress\n").unwrap();
        std::fs::write(folder.path().join("lib/b.phys"), "use \"a.phys\"\nx = 1\n").unwrap();
        let context = Context::new(Library::load(None).unwrap(), EventSink::none(), CancelToken::new());
        let look = |text: &str| {
            survey(&context, &crate::syntax::parse(&Source::new(0, "s", text)).tree, folder.path())
        };
        let found = look("use \"lib/a.phys\"\n1 + 1\n");
        let written: Vec<&str> = found.used.iter().map(|u| u.written.as_str()).collect();
        assert_eq!(written, ["lib/a.phys", "b.phys"]);
        assert_eq!(found.work, ["search"]);
        assert!(look("x = 1\nfit(d, y == a*x)\n").work.is_empty());
    }
}
