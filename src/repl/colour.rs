//! Colours of a line that is being typed, from the lexer: keywords, numbers, strings, units in their brackets, functions
//! that the library or the session knows, comments, and the brackets that belong together at the cursor.

use std::collections::HashSet;

use crate::syntax::{TokenClass, tokens};

/// Longer lines are left uncoloured: they are pasted, not read.
pub const MAX: usize = 4_000;

const KEYWORD: &str = "35";
const NUMBER: &str = "36";
const STRING: &str = "32";
const UNIT: &str = "33";
const FUNCTION: &str = "34";
const COMMENT: &str = "2";
const MATCH: &str = "1;4";
const COMMAND: &str = "1";

/// The line with colours, the bracket at the cursor and its partner marked.
pub fn line(text: &str, at: Option<usize>, functions: &HashSet<String>) -> String {
    let lead = text.len() - text.trim_start().len();
    let code = match text[lead..].starts_with([':', '?']) {
        true => lead + text[lead..].find(char::is_whitespace).unwrap_or(text.len() - lead),
        false => 0,
    };
    let mut out = String::with_capacity(text.len() * 2);
    paint(&mut out, COMMAND, &text[..code]);
    let body = &text[code..];
    let pair = at.and_then(|at| matching(body, at.checked_sub(code)?));
    let mut done = 0;
    for (class, span) in tokens(body) {
        let (start, end) = (span.start as usize, span.end as usize);
        if start < done || end > body.len() {
            continue;
        }
        out.push_str(&body[done..start]);
        let piece = &body[start..end];
        let colour = match class {
            TokenClass::Keyword => KEYWORD,
            TokenClass::Number => NUMBER,
            TokenClass::String => STRING,
            TokenClass::Comment => COMMENT,
            TokenClass::Unit => UNIT,
            TokenClass::Name if functions.contains(piece) => FUNCTION,
            TokenClass::Operator if pair.is_some_and(|(a, b)| a == start || b == start) => MATCH,
            TokenClass::Name | TokenClass::Operator => "",
        };
        paint(&mut out, colour, piece);
        done = end;
    }
    out.push_str(&body[done..]);
    out
}

/// A text in a colour; every line on its own, so that none runs over into the next.
fn paint(out: &mut String, colour: &str, text: &str) {
    if colour.is_empty() || text.is_empty() {
        out.push_str(text);
        return;
    }
    for (k, line) in text.split('\n').enumerate() {
        if k > 0 {
            out.push('\n');
        }
        if !line.is_empty() {
            out.push_str(&format!("\x1b[{colour}m{line}\x1b[0m"));
        }
    }
}

/// The bracket at or before a place and its partner.
fn matching(text: &str, at: usize) -> Option<(usize, usize)> {
    let mut brackets: Vec<(usize, char)> = Vec::new();
    for (class, span) in tokens(text) {
        let (start, end) = (span.start as usize, span.end as usize);
        let piece = text.get(start..end)?;
        if class == TokenClass::Operator
            && let Some(c) = piece.chars().next().filter(|c| "()[]{}".contains(*c))
        {
            brackets.push((start, c));
        }
    }
    let here = |place: usize| brackets.iter().position(|(s, _)| *s == place);
    let k = here(at).or_else(|| here(at.checked_sub(1)?))?;
    let opens = |c: char| matches!(c, '(' | '[' | '{');
    let mut depth = 0i64;
    let forward = opens(brackets[k].1);
    let order: Vec<usize> = if forward { (k..brackets.len()).collect() } else { (0..=k).rev().collect() };
    for j in order {
        depth += if opens(brackets[j].1) == forward { 1 } else { -1 };
        if depth == 0 {
            return Some((brackets[k].0, brackets[j].0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("\x1b[") {
            out.push_str(&rest[..at]);
            rest = rest[at..].split_once('m').map_or("", |(_, after)| after);
        }
        out + rest
    }

    #[test]
    fn colours_change_no_letter() {
        let functions = HashSet::from(["sin".to_string()]);
        for text in [
            "var r [m] in 1..5 # radius",
            "print(\"{r:4} é\")\nsin(x) + 9.81 [m/s^2]",
            ":time sin(x)",
            "?[N]",
            "f(]) \"open",
            "[ (",
            "",
        ] {
            for at in 0..=text.len() {
                assert_eq!(plain(&line(text, Some(at), &functions)), text);
            }
        }
        assert!(line("sin(x)", None, &functions).starts_with("\x1b[34msin\x1b[0m"));
    }

    #[test]
    fn brackets_find_their_partner() {
        assert_eq!(matching("f(g(x), y)", 1), Some((1, 9)));
        assert_eq!(matching("f(g(x), y)", 10), Some((9, 1)));
        assert_eq!(matching("f(g(x)", 1), None);
        assert_eq!(matching("f(\")\")", 1), Some((1, 5)));
    }
}
