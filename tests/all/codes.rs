//! Every error code is explained, belongs to one layer and is used once.

use crate::support::{code_only, files, root, run, shown, snapshot};
use std::collections::BTreeMap;

/// Code literals `Code(1234)` of src/ with a place each.
fn used() -> BTreeMap<u16, String> {
    let mut codes = BTreeMap::new();
    for path in files(&root().join("src"), "rs", &[]) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        // Base's own tests make codes up.
        let text = code_only(&text);
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in text.match_indices("Code(") {
            let digits: String = text[at + 5..].chars().take_while(|c| c.is_ascii_digit()).collect();
            if let Ok(code) = digits.parse() {
                let line = text[..at].matches('\n').count() + 1;
                codes.entry(code).or_insert_with(|| format!("{}:{line}", shown(&path)));
            }
        }
    }
    codes
}

/// Rows `(1234, ...)` of the tables named `CODES`, with their places.
fn explained() -> Vec<(u16, String)> {
    let mut rows = Vec::new();
    for path in files(&root().join("src"), "rs", &[]) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let text = code_only(&text);
        for (start, _) in text.match_indices("const CODES: &[(u16") {
            let table = &text[start..];
            let open = table.find("= &[").map_or(0, |i| i + 4);
            let end = table.find("];").unwrap_or(table.len());
            let body = &table[open.min(end)..end];
            for (at, _) in body.match_indices('(') {
                let digits: String =
                    body[at + 1..].trim_start().chars().take_while(|c| c.is_ascii_digit()).collect();
                if let Ok(code) = digits.parse() {
                    rows.push((code, shown(&path)));
                }
            }
        }
    }
    rows
}

#[test]
fn every_code_is_explained() {
    let mut faults = String::new();
    let used = used();
    for (code, place) in &used {
        let ran = run(&["explain", &format!("P{code:04}")]);
        if ran.status != Some(0) || ran.stdout.trim().is_empty() {
            faults += &format!("{place}: P{code:04} is not explained\n");
        }
    }
    assert!(!used.is_empty(), "no code found in src/");
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_code_stands_in_one_table_of_its_layer() {
    let mut faults = String::new();
    let mut seen: BTreeMap<u16, String> = BTreeMap::new();
    for (code, place) in explained() {
        if let Some(first) = seen.insert(code, place.clone()) {
            faults += &format!("P{code:04} is explained in {first} and in {place}\n");
        }
        let layer = match place.split('/').nth(1).unwrap_or_default() {
            "base" => 0,
            "units" | "syntax" | "expression" => 1,
            "numeric" | "algebra" => 2,
            "data" | "simulate" | "plot" => 3,
            "networks" | "regression" | "discovery" => 4,
            "experiments" => 5,
            "language" => 6,
            "session" => 7,
            _ => 8,
        };
        if code / 1000 != layer {
            faults += &format!("{place}: P{code:04} stands in layer {layer}\n");
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// The page of the book is what `phys explain` prints.
#[test]
fn the_book_lists_every_code() {
    let ran = run(&["explain"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let difference = snapshot(&root().join("docs/src/errors.md"), &ran.stdout);
    assert!(difference.is_none(), "\n{}", difference.unwrap_or_default());
}
