//! Every program in README.md and docs/ runs. A block marked `phys` is a script; one marked `phys-prompt` has lines
//! that begin with `> `, each followed by what it shows. Scripts stand beside a copy of examples/data. Blocks marked
//! `phys-example` are those of the declarations, which `stdlib.rs` runs.

use crate::support::{all, difference, files, phys, root, run_with, shown};
use std::path::PathBuf;
use std::time::Duration;

struct Block {
    path: PathBuf,
    line: usize,
    prompt: bool,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    let mut pages = files(&root().join("docs"), "md", &["book"]);
    pages.push(root().join("README.md"));
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        let mut open: Option<Block> = None;
        for (number, line) in page.lines().enumerate() {
            match &mut open {
                Some(_) if line.trim_end() == "```" => found.extend(open.take()),
                Some(block) => {
                    block.text += line;
                    block.text.push('\n');
                }
                None => {
                    let prompt = line.trim_end() == "```phys-prompt";
                    if prompt || line.trim_end() == "```phys" {
                        open =
                            Some(Block { path: path.clone(), line: number + 1, prompt, text: String::new() });
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_program_of_the_book_runs() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a scratch folder");
    for table in files(&root().join("examples/data"), "csv", &[]) {
        let name = table.file_name().expect("a file has a name").to_owned();
        std::fs::copy(&table, data.join(name)).expect("a copy");
    }
    let blocks: Vec<(usize, Block)> = blocks().into_iter().enumerate().collect();
    assert!(!blocks.is_empty());
    all(&blocks, "programs of the book", |(number, block)| {
        let (mut code, mut expected) = (String::new(), String::new());
        for line in block.text.lines() {
            match line.strip_prefix("> ").or(line.strip_prefix("| ")) {
                Some(input) if block.prompt => code += &format!("{input}\n"),
                _ if block.prompt => expected += &format!("{line}\n"),
                _ => code += &format!("{line}\n"),
            }
        }
        let script = folder.path().join(format!("block{number}.phys"));
        std::fs::write(&script, code).ok()?;
        let mut command = phys();
        command.arg("run").arg(&script);
        let ran = run_with(command, None, Duration::from_secs(120));
        let mut fault = String::new();
        if ran.status != Some(0) {
            fault += &format!("    exit {:?}\n", ran.status);
            for line in ran.stderr.lines().take(20) {
                fault += &format!("    | {line}\n");
            }
        }
        if block.prompt && ran.stdout != expected {
            fault += &difference(&expected, &ran.stdout);
        }
        (!fault.is_empty()).then(|| format!("{}:{}\n{fault}", shown(&block.path), block.line))
    });
}
