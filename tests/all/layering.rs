//! The folders are the architecture: a room uses only rooms of lower layers, and a sibling only where this table says
//! so. Every `crate::`, `phys::` and `super::` path of src/ is resolved, wherever it stands. A re-export cannot hide
//! an import: the line that re-exports is itself checked, and the crate's root re-exports nothing.

use crate::support::{code_only, files, root, shown};
use std::path::Path;

/// Room, layer, siblings it may use.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("base", 0, &[]),
    ("units", 1, &["syntax"]),
    ("syntax", 1, &[]),
    ("expression", 1, &["units", "syntax"]),
    ("numeric", 2, &[]),
    ("algebra", 2, &["numeric"]),
    ("data", 3, &[]),
    ("simulate", 3, &[]),
    ("plot", 3, &[]),
    ("networks", 4, &[]),
    // One file: regression/transformer.rs (see `allowed`).
    ("regression", 4, &["networks"]),
    ("discovery", 5, &[]),
    ("experiments", 5, &[]),
    ("language", 6, &[]),
    ("session", 7, &[]),
    ("cli", 8, &[]),
    // The prompt renders with the file the commands render with.
    ("repl", 8, &["cli"]),
    ("kernel", 8, &[]),
    ("lsp", 8, &[]),
];

fn room(name: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    ROOMS.iter().find(|r| r.0 == name)
}

/// Whether the file at `from` (segments below src, without extension) may name the module path `to`.
fn allowed(from: &[String], to: &[String]) -> Result<(), String> {
    let Some(target) = to.first() else { return Ok(()) };
    let here = from.first().map(String::as_str).unwrap_or_default();
    // main.rs and lib.rs see everything.
    if from.len() == 1 && matches!(here, "main" | "lib") || here == target {
        return Ok(());
    }
    let (Some(mine), Some(theirs)) = (room(here), room(target)) else {
        return Err(format!("`{target}` is no room of the house; name the item where it lives"));
    };
    if theirs.1 < mine.1 {
        return Ok(());
    }
    let path = to.join("::");
    let named = mine.2.iter().any(|s| path == *s || path.starts_with(&format!("{s}::")));
    if theirs.1 == mine.1
        && named
        && (theirs.0 != "networks" || from.last().is_some_and(|f| f == "transformer"))
    {
        return Ok(());
    }
    let way = if theirs.1 > mine.1 { "upwards" } else { "sideways" };
    Err(format!("{here} (layer {}) reaches {way} to {path} (layer {})", mine.1, theirs.1))
}

/// Every path that begins at byte `at` of `text` with the segments `prefix`: groups `{a, b::c}` are spread.
fn spread(text: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    let bytes = text.as_bytes();
    let skip = |mut at: usize| {
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        at
    };
    loop {
        at = skip(at);
        if bytes.get(at) == Some(&b'{') {
            at += 1;
            loop {
                at = skip(at);
                match bytes.get(at) {
                    None => return at,
                    Some(b'}') => return at + 1,
                    Some(b',') => at += 1,
                    Some(_) => {
                        let used = spread(&text[at..], &path, paths);
                        at += used.max(1);
                        let rest = &text[at..];
                        // `as name` after an item.
                        at += rest.find([',', '}', '{']).unwrap_or(rest.len());
                    }
                }
            }
        }
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] == b'*')
        {
            at += 1;
        }
        if at > start {
            path.push(text[start..at].to_string());
        }
        let end = at;
        at = skip(at);
        if at > start && text[at..].starts_with("::") {
            at += 2;
        } else {
            paths.push(path);
            return end;
        }
    }
}

/// The module a file is: its segments below src, `mod` dropped.
fn module(path: &Path) -> Vec<String> {
    let below = path.strip_prefix(root().join("src")).unwrap_or(path).with_extension("");
    let mut segments: Vec<String> =
        below.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if segments.last().is_some_and(|s| s == "mod") {
        segments.pop();
    }
    segments
}

/// Whether the parent declares this file as `#[cfg(test)] mod name;`: tests may lean on their siblings.
fn only_for_tests(path: &Path, file: &[String]) -> bool {
    let parent = path.parent().map(|p| p.join("mod.rs")).and_then(|p| std::fs::read_to_string(p).ok());
    file.last().is_some_and(|name| parent.is_some_and(|p| p.contains(&format!("#[cfg(test)]\nmod {name};"))))
}

/// All paths a file names that lead out of its module, resolved from the root, each with its line.
fn paths_of(file: &[String], text: &str) -> Vec<(usize, Vec<String>)> {
    let code = code_only(text);
    let mut found = Vec::new();
    let mut depth = 0i32;
    // Names and depths of the inline modules that are open.
    let mut inline: Vec<i32> = Vec::new();
    let mut pending = false;
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let word = &rest[..end];
            // Only the start of a path: `crate`, `phys` and `super` after `::` belong to what stands before.
            let inside = code[..at].trim_end().ends_with("::");
            if word == "mod" && !inside {
                pending = true;
            } else if matches!(word, "crate" | "super" | "phys")
                && !inside
                && rest[end..].trim_start().starts_with("::")
            {
                let mut base = file.to_vec();
                let mut tail = at;
                let mut ups = 0;
                loop {
                    let piece = code[tail..].trim_start();
                    tail = code.len() - piece.len();
                    let Some(after) = piece.strip_prefix("super").or_else(|| piece.strip_prefix("self"))
                    else {
                        break;
                    };
                    let Some(after) = after.trim_start().strip_prefix("::") else { break };
                    if piece.starts_with("super") {
                        ups += 1;
                    }
                    tail = code.len() - after.len();
                }
                if word == "super" {
                    // Inline modules swallow their `super`s first.
                    let out = ups - (inline.len() as i32).min(ups);
                    for _ in 0..out {
                        base.pop();
                    }
                } else {
                    base.clear();
                    tail = at + end;
                    let after = code[tail..].trim_start();
                    tail = code.len() - after.len() + 2;
                }
                let line = code[..at].matches('\n').count() + 1;
                let mut spread_out = Vec::new();
                spread(&code[tail..], &base, &mut spread_out);
                // A macro lives at the root by its nature.
                let is_macro = code[tail..]
                    .trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
                    .starts_with('!');
                if !is_macro {
                    found.extend(spread_out.into_iter().map(|p| (line, p)));
                }
                at = tail;
                continue;
            }
            at += end;
            continue;
        }
        match first {
            '{' => {
                depth += 1;
                if pending {
                    inline.push(depth);
                    pending = false;
                }
            }
            '}' => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            ';' => pending = false,
            _ => {}
        }
        at += first.len_utf8();
    }
    found
}

#[test]
fn layers_use_only_what_lies_below() {
    let mut faults = String::new();
    for path in files(&root().join("src"), "rs", &[]) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let file = module(&path);
        if let Some(first) = file.first()
            && file.len() > 1
            && room(first).is_none()
        {
            faults += &format!("{}:1: `{first}` is no room of the house\n", shown(&path));
            continue;
        }
        for (line, to) in paths_of(&file, &text) {
            let sibling = |to: &[String]| {
                let layer = |s: Option<&String>| s.and_then(|s| room(s)).map(|r| r.1);
                layer(to.first()) == layer(file.first())
            };
            if sibling(&to) && only_for_tests(&path, &file) {
                continue;
            }
            if let Err(why) = allowed(&file, &to) {
                faults += &format!("{}:{line}: {why}\n", shown(&path));
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn paths_are_resolved() {
    let file = ["units".to_string(), "unit".to_string()];
    let text = "use crate::{base::Number, syntax::{lexer, tree as t}};\nuse super::scale::Scale;\n\
                mod tests { use super::*; fn f() { super::super::super::data::read() } }\n\
                // crate::cli\nfn g() { \"crate::cli\"; self::h(); phys::algebra::simplify() }";
    let found: Vec<String> =
        paths_of(&file, text).into_iter().map(|(l, p)| format!("{l} {}", p.join("::"))).collect();
    assert_eq!(
        found,
        [
            "1 base::Number",
            "1 syntax::lexer",
            "1 syntax::tree",
            "2 units::scale::Scale",
            "3 units::unit::*",
            "3 data::read",
            "5 algebra::simplify"
        ]
    );
    let path = |s: &str| s.split("::").map(String::from).collect::<Vec<_>>();
    assert!(allowed(&file, &path("base::Number")).is_ok());
    assert!(allowed(&file, &path("syntax::tree")).is_ok());
    assert!(allowed(&file, &path("expression::node")).unwrap_err().contains("sideways"));
    assert!(allowed(&file, &path("data::read")).unwrap_err().contains("upwards"));
    assert!(allowed(&path("regression::engine"), &path("networks::train")).is_err());
    assert!(allowed(&path("regression::transformer"), &path("networks::train")).is_ok());
}

#[test]
fn only_the_front_ends_print() {
    let mut faults = String::new();
    for path in files(&root().join("src"), "rs", &[]) {
        let file = module(&path);
        if matches!(file.first().map(String::as_str), Some("cli" | "repl" | "main" | "kernel" | "lsp")) {
            continue;
        }
        // Tests may tell what they measured.
        if file.iter().any(|part| part == "tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        for (number, line) in code_only(&text).lines().enumerate() {
            for word in ["println!", "eprintln!", "print!", "eprint!", "dbg!"] {
                let Some(at) = line.find(word) else { continue };
                let before = line[..at].chars().next_back();
                if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    faults += &format!("{}:{}: {word} outside cli/ and repl/\n", shown(&path), number + 1);
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn only_networks_names_candle() {
    let mut faults = String::new();
    for path in files(&root().join("src"), "rs", &[]) {
        if module(&path).first().is_some_and(|r| r == "networks") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        for (number, line) in code_only(&text).lines().enumerate() {
            if line.contains("candle") {
                faults += &format!("{}:{}: candle outside networks/\n", shown(&path), number + 1);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// A search that knew the laws of the library would find nothing: it sees the data alone. The layers up to it embed no file and
/// open none that is not the user's, and it never names the folders of the laws.
#[test]
fn the_search_never_reads_the_laws_of_the_library() {
    let mut faults = String::new();
    for path in files(&root().join("src"), "rs", &[]) {
        let file = module(&path);
        let Some(layer) = file.first().and_then(|f| room(f)).map(|r| r.1) else { continue };
        // Figures embed fonts; no search sees a figure.
        if layer > 4
            || file[0] == "plot"
            || only_for_tests(&path, &file)
            || file.last().is_some_and(|f| f == "tests")
        {
            continue;
        }
        let search = file[0] == "regression";
        let text = std::fs::read_to_string(&path).expect("a source file");
        // Without what is for tests alone.
        let mut lines = text.lines().peekable();
        let mut kept = String::new();
        while let Some(line) = lines.next() {
            if line == "#[cfg(test)]" && lines.peek().is_some_and(|l| l.contains("mod ") && l.ends_with('{'))
            {
                break;
            }
            kept += &format!("{line}\n");
        }
        let text = kept.as_str();
        let code = code_only(text);
        let banned: &[&str] = match search {
            true => &[
                "include_str!",
                "include_bytes!",
                "include_dir!",
                "include!",
                "fs::",
                "File",
                "env!",
                "env::",
            ],
            false => &["include_str!", "include_bytes!", "include_dir!", "include!"],
        };
        for (number, line) in code.lines().enumerate() {
            for word in banned.iter().filter(|w| line.contains(**w)) {
                faults += &format!("{}:{}: {word} below the language\n", shown(&path), number + 1);
            }
        }
        // Strings, too: what is no comment may not name them.
        for (number, line) in
            text.lines().enumerate().filter(|(_, l)| search && !l.trim_start().starts_with("//"))
        {
            for word in ["stdlib", "physics/", "physics.", "feynman", "benchmarks"] {
                if line.to_lowercase().contains(word) {
                    faults += &format!("{}:{}: the search names `{word}`\n", shown(&path), number + 1);
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// An option that is parsed must do something.
#[test]
fn every_family_that_can_be_switched_off_is_looked_at() {
    let mut text = String::new();
    for path in files(&root().join("src/regression"), "rs", &[]) {
        if !path.ends_with("engine.rs") {
            text += &std::fs::read_to_string(&path).expect("a source file");
        }
    }
    for family in phys::regression::SWITCHES {
        assert!(text.contains(&format!("\"{family}\"")), "{family}");
    }
}
