//! `phys explain P2103`: what a code means, from the tables of all layers; also the page of the book that lists them.

use std::process::ExitCode;

use super::exit;
use super::terminal::{Terminal, say};
use crate::base::{Code, Diagnostic};
use crate::session::{Sources, Status};

type Table = &'static [(u16, &'static str, &'static str)];

/// The rooms that speak, with their tables, in the order of their codes.
const TABLES: &[(&str, Table)] = &[
    ("Syntax", crate::syntax::CODES),
    ("Units", crate::units::CODES),
    ("Expressions", crate::expression::CODES),
    ("Numerical work", crate::numeric::CODES),
    ("Algebra", crate::algebra::error::CODES),
    ("Data", crate::data::CODES),
    ("Figures", crate::plot::CODES),
    ("Regression", crate::regression::CODES),
    ("Systems in data", crate::discovery::CODES),
    #[cfg(feature = "networks")]
    ("Networks", crate::networks::CODES),
    ("The language", crate::language::error::CODES),
    ("Sessions", crate::session::CODES),
    ("The commands", super::CODES),
];

/// Tells what one code means.
pub(super) fn code(text: &str) -> ExitCode {
    let digits = text.trim().trim_start_matches(['P', 'p']);
    let rows = || TABLES.iter().flat_map(|(_, table)| table.iter());
    let found = digits.parse::<u16>().ok().filter(|_| digits.len() == 4);
    match found.and_then(|n| rows().find(|(code, ..)| *code == n)) {
        Some((number, title, meaning)) => {
            say(&format!("{}: {title}\n\n{}", Code(*number), wrapped(meaning, 80)));
            exit(Status::Done)
        }
        None => {
            let known: Vec<String> = rows().map(|(n, ..)| Code(*n).to_string()).collect();
            let near = crate::base::suggest::nearest(&format!("P{digits}"), known.iter().map(String::as_str));
            let d = Diagnostic::error(Code(8002), None, format!("expected a code as P1001, found `{text}`"));
            let hint = format!("phys explain {}", near.unwrap_or("P1001"));
            Terminal::new(None, Sources::default()).diagnostic(&d.hint(hint));
            exit(Status::Faulty)
        }
    }
}

/// The page of the book.
pub(super) fn all() -> ExitCode {
    let mut page = String::from(
        "# Error codes\n\nEvery message carries a code, `P` and four digits; the first digit is the layer that speaks. \
         `phys explain P1101`\nprints what one means; without a code it prints this page. A code is never given a second meaning.\n",
    );
    for (room, table) in TABLES {
        page += &format!("\n## {room}\n");
        for (number, title, meaning) in table.iter() {
            page += &format!("\n### {}: {title}\n\n{}\n", Code(*number), wrapped(meaning, 110));
        }
    }
    say(page.trim_end());
    exit(Status::Done)
}

/// Words on lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in words(paragraph) {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += &word;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The words of a text; code between backticks is one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if inside => *last += &format!(" {word}"),
            _ => words.push(word.to_string()),
        }
        inside ^= word.matches('`').count() % 2 == 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_ordered_and_say_something() {
        let rows: Vec<_> = TABLES.iter().flat_map(|(_, t)| t.iter()).collect();
        for pair in rows.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} {}", pair[0].0, pair[1].0);
        }
        assert!(rows.iter().all(|(_, title, text)| !title.is_empty() && text.len() > 20));
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrapped("ab cd ef\ngh", 5), "ab cd\nef\ngh");
        assert_eq!(wrapped("ab `c d` e", 5), "ab\n`c d`\ne");
    }
}
