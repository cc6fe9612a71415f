//! Words for the generated parser's faults: what could have stood at a place, in a physicist's words
//! instead of a list of sixty tokens, and the hint for mistakes that are often made.

use super::builder::Builder;
use super::errors::SyntaxError;
use super::token::Tok;

/// The fault of finding `tok` (or the end of the text) where one of `expected` had to stand.
pub fn explain(b: &Builder<'_>, l: u32, tok: Option<Tok>, r: u32, expected: &[String]) -> SyntaxError {
    let has = |name: &str| expected.iter().any(|e| e.trim_matches('"') == name);
    let words = describe(&has);
    let Some(tok) = tok else {
        let hint = match () {
            () if has("else") && !has("name") => Some("else 0".to_owned()),
            () if has("body{") => Some("{ ... }".to_owned()),
            () => None,
        };
        return SyntaxError::UnexpectedEnd { expected: words, hint };
    };
    let found = found(b, l, tok, r);
    let hint = hint(b, l, tok, r, &has);
    SyntaxError::Unexpected { expected: words, found, hint }
}

fn describe(has: &dyn Fn(&str) -> bool) -> String {
    let mut words: Vec<&str> = Vec::new();
    let value = has("int") && has("(");
    if value {
        words.push("a value");
    } else if has("name") {
        words.push("a name");
    }
    if has("*") && !value {
        words.push("an operator");
    }
    for (token, word) in [
        ("then", "`then`"),
        ("else", "`else`"),
        ("body{", "`{`"),
        ("=", "`=`"),
        ("=>", "`=>`"),
        (":", "`:`"),
        (",", "`,`"),
        ("entry,", "`,`"),
        (")", "`)`"),
        ("]", "`]`"),
        ("}", "`}`"),
        ("}body", "`}`"),
        ("unit", "a unit in square brackets"),
        ("int", "0"),
    ] {
        let listed = match token {
            // Inside a value these say nothing.
            "unit" => has("unit") && words.is_empty(),
            "int" => has("int") && !value && words.is_empty(),
            "=" | "," | "->" if has("*") && has("newline") => false,
            _ => has(token),
        };
        if listed && !words.contains(&word) {
            words.push(word);
        }
    }
    if has("->") && !has("*") {
        words.push("`->`");
    }
    if has("call(") && !has("*") {
        words.push("`(`");
    }
    if has("newline") && has("*") {
        words.push("the end of the statement");
    } else if has("newline") && !value {
        words.push("the end of the line");
    } else if has("strtail") && !value {
        words.push("`}`");
    }
    match words.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn found(b: &Builder<'_>, l: u32, tok: Tok, r: u32) -> String {
    let text = b.shown(l, r, "");
    match tok {
        Tok::Newline | Tok::EntryEnd if text != ";" => "the end of the line".to_owned(),
        Tok::StrTail | Tok::StrMid => "`}`".to_owned(),
        Tok::StrHead | Tok::Str | Tok::RawStr => "a string".to_owned(),
        _ if is_word(tok) => format!("the reserved word `{text}`"),
        _ if text.is_empty() => "the end of what is open".to_owned(),
        _ => format!("`{text}`"),
    }
}

fn is_word(tok: Tok) -> bool {
    use Tok::*;
    matches!(
        tok,
        If | Then
            | Else
            | For
            | In
            | Where
            | Var
            | Param
            | Const
            | UnitWord
            | Check
            | Use
            | As
            | Extern
            | Rule
            | When
            | And
            | Or
            | Not
    )
}

fn hint(b: &Builder<'_>, l: u32, tok: Tok, r: u32, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let at = b.tokens.partition_point(|t| t.0 < l);
    let before = at.checked_sub(1).and_then(|i| b.tokens.get(i)).map(|t| t.1);
    let value = has("int") && has("(");
    let text = b.shown(l, r, "");
    match tok {
        Tok::Assign if !value => Some("==".to_owned()),
        Tok::Name if before == Some(Tok::Arrow) => {
            // The unit goes on to the end of the product.
            let line = b.slice(l, b.text.len() as u32);
            let end =
                line.find(|c: char| !(c.is_alphanumeric() || "*/^·_%".contains(c))).unwrap_or(line.len());
            Some(format!("-> [{}]", &line[..end]))
        }
        Tok::If if value => Some("(if c then a else b)".to_owned()),
        Tok::StrMid | Tok::StrTail if value => Some("\\{ for a brace in a string".to_owned()),
        _ if is_word(tok) && has("name") && !value => Some(format!("{text}_")),
        _ if has("else") && !has("name") => Some("else 0".to_owned()),
        _ if has("body{") => Some("{ ... }".to_owned()),
        Tok::RParen if before == Some(Tok::Group) => Some("f() calls; ( ) holds one expression".to_owned()),
        _ => None,
    }
}
