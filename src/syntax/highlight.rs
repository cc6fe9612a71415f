//! Classes of tokens, for colours at the prompt and in editors.

use super::lexer::lex;
use super::resolve::resolve;
use super::token::Tok;
use crate::base::Span;

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenClass {
    /// A reserved word.
    Keyword,
    /// A number.
    Number,
    /// A string, or the part of one outside `{ }`.
    String,
    /// `# ...`.
    Comment,
    /// An operator, a bracket or another sign.
    Operator,
    /// A name.
    Name,
    /// A unit with its bracket.
    Unit,
}

/// The tokens of a text with their classes, in order. Works on faulty texts as well.
pub fn tokens(text: &str) -> Vec<(TokenClass, Span)> {
    let lexed = lex(text, 0);
    let resolved = resolve(text, 0, &lexed);
    let mut out: Vec<(TokenClass, Span)> =
        lexed.comments.iter().map(|c| (TokenClass::Comment, c.span)).collect();
    for (start, tok, end) in resolved.tokens {
        if start < end {
            out.push((class(tok), Span::new(0, start, end)));
        }
    }
    out.sort_by_key(|(_, span)| span.start);
    // In a faulty text a lexeme can be read in two ways; each letter has one class.
    let mut end = 0;
    out.retain_mut(|(_, span)| {
        span.start = span.start.max(end);
        end = end.max(span.end);
        span.start < span.end
    });
    out
}

fn class(tok: Tok) -> TokenClass {
    use Tok::*;
    match tok {
        Name | Quantity => TokenClass::Name,
        Int | Float | Digits => TokenClass::Number,
        Str | RawStr | StrHead | StrMid | StrTail => TokenClass::String,
        Unit | UnitSign => TokenClass::Unit,
        If | Then | Else | For | In | Where | Var | Param | Const | UnitWord | Check | Use | As | Extern
        | Rule | When | And | Or | Not | True | False => TokenClass::Keyword,
        _ => TokenClass::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_a_line() {
        let text = "var r [m] in 1..5 # radius\nprint(\"{r:4}\")";
        let classes: Vec<(TokenClass, &str)> =
            tokens(text).into_iter().map(|(c, s)| (c, &text[s.start as usize..s.end as usize])).collect();
        use TokenClass::*;
        assert_eq!(
            classes,
            [
                (Keyword, "var"),
                (Name, "r"),
                (Unit, "[m]"),
                (Keyword, "in"),
                (Number, "1"),
                (Operator, ".."),
                (Number, "5"),
                (Comment, "# radius"),
                (Name, "print"),
                (Operator, "("),
                (String, "\"{"),
                (Name, "r"),
                (Number, ":4"),
                (String, "}\""),
                (Operator, ")"),
            ]
        );
    }
}
