//! The two alphabets of the parser. [`Raw`] is what the logos automaton cuts from the text, without any
//! context; [`Tok`] is what the grammar reads, after `resolve` has decided which bracket is which, where a
//! statement ends and where a number touches what it multiplies.

use logos::{Lexer, Logos};

use super::names;

/// Tokens without context. Variants without a pattern are made by hand: keywords from names, the parts of
/// strings from a quote.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(skip r"[ \t\r\u{A0}\u{2009}\u{202F}\u{FEFF}]+")]
pub enum Raw {
    #[token("\n")]
    Newline,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*", extend_name)]
    Name,
    #[regex(r"[0-9](_?[0-9])*")]
    Int,
    #[regex(r"[0-9](_?[0-9])*(\.[0-9](_?[0-9])*([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")]
    Float,
    #[token("r\"")]
    VerbatimQuote,
    #[token("\"")]
    Quote,
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semi,
    #[token(":")]
    Colon,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("...")]
    #[token("…")]
    Ellipsis,
    #[token("=")]
    Assign,
    #[token("==")]
    EqEq,
    #[token("!=")]
    #[token("≠")]
    Ne,
    #[token("<")]
    Lt,
    #[token("<=")]
    #[token("≤")]
    Le,
    #[token(">")]
    Gt,
    #[token(">=")]
    #[token("≥")]
    Ge,
    #[token("->")]
    #[token("→")]
    Arrow,
    #[token("=>")]
    #[token("⇒")]
    FatArrow,
    #[token("+")]
    Plus,
    #[token("-")]
    #[token("−")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    #[token("÷")]
    Slash,
    #[token("·")]
    #[token("\u{387}")]
    #[token("⋅")]
    CenterDot,
    #[token("×")]
    Cross,
    #[token("^")]
    Caret,
    #[token("±")]
    #[token("+/-")]
    PlusMinus,
    #[token("√")]
    Root,
    #[token("|>")]
    Pipe,
    #[token("?")]
    Question,
    /// `x²`: a run of superscripts.
    #[regex(r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")]
    Super,
    /// `%` or `°C`, which are words only inside units.
    #[regex(r"[%‰°][A-Za-z]*")]
    UnitSign,
    // Habits of other languages: read as what was meant, and reported.
    #[token("**")]
    StarStar,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("!")]
    Bang,
    #[token(":=")]
    ColonEq,
    #[token("<>")]
    LtGt,
    #[token("==>")]
    LongArrow,
    /// What no rule accepts.
    #[regex(r"[^\x00-\x7F]", other, priority = 0)]
    Bad,

    // Keywords.
    If,
    Then,
    Else,
    For,
    In,
    Where,
    Var,
    Param,
    Const,
    Unit,
    Check,
    Use,
    As,
    Extern,
    Rule,
    When,
    And,
    Or,
    Not,
    True,
    False,
    // Strings.
    Str,
    Verbatim,
    StrHead,
    StrMid,
    StrTail,
}

/// A name goes on behind its ASCII part with letters of any script, subscript digits, marks and primes; then it may
/// turn out to be a keyword.
fn extend_name(lex: &mut Lexer<'_, Raw>) -> Raw {
    let rest = lex.remainder();
    match rest.as_bytes().first() {
        Some(b'\'') | Some(0x80..) => {
            let more = names::continued(rest);
            lex.bump(more);
            if more > 0 { Raw::Name } else { keyword(lex.slice()).unwrap_or(Raw::Name) }
        }
        _ => keyword(lex.slice()).unwrap_or(Raw::Name),
    }
}

/// A character beyond ASCII that is no sign of the language: the start of a name, or nothing.
fn other(lex: &mut Lexer<'_, Raw>) -> Raw {
    match lex.slice().chars().next() {
        Some('∈') => Raw::In,
        Some('∞' | '∂') => Raw::Name,
        Some(c) if names::is_start(c) => {
            let more = names::continued(lex.remainder());
            lex.bump(more);
            Raw::Name
        }
        _ => Raw::Bad,
    }
}

/// The keyword with this spelling.
pub fn keyword(text: &str) -> Option<Raw> {
    if !(2..=6).contains(&text.len()) {
        return None;
    }
    Some(match text {
        "if" => Raw::If,
        "then" => Raw::Then,
        "else" => Raw::Else,
        "for" => Raw::For,
        "in" => Raw::In,
        "where" => Raw::Where,
        "var" => Raw::Var,
        "param" => Raw::Param,
        "const" => Raw::Const,
        "unit" => Raw::Unit,
        "check" => Raw::Check,
        "use" => Raw::Use,
        "as" => Raw::As,
        "extern" => Raw::Extern,
        "rule" => Raw::Rule,
        "when" => Raw::When,
        "and" => Raw::And,
        "or" => Raw::Or,
        "not" => Raw::Not,
        "true" => Raw::True,
        "false" => Raw::False,
        _ => return None,
    })
}

impl Raw {
    /// Whether it is a reserved word (an ordinary name before `:` and after `.`).
    pub fn is_keyword(self) -> bool {
        (Raw::If as u8..=Raw::False as u8).contains(&(self as u8))
    }
}

/// Tokens of the grammar, without payload: the actions read the text at their place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tok {
    Name,
    Int,
    Float,
    Str,
    RawStr,
    /// `"text{`.
    StrHead,
    /// `}text{`.
    StrMid,
    /// `}text"`.
    StrTail,
    /// `:4` before the end of an interpolation.
    Digits,
    /// A whole unit bracket.
    Unit,
    /// `quantity` in a type, followed by `Unit`.
    Quantity,
    /// A sign such as `%` declared by a `unit` statement.
    UnitSign,
    If,
    Then,
    Else,
    For,
    In,
    Where,
    Var,
    Param,
    Const,
    UnitWord,
    Check,
    Use,
    As,
    Extern,
    Rule,
    When,
    And,
    Or,
    Not,
    True,
    False,
    /// `(` of a group.
    Group,
    /// `(` touching what it calls.
    Call,
    RParen,
    /// `[` of a list.
    List,
    /// `[` touching what it indexes.
    Index,
    RBracket,
    /// `{` of a record.
    Record,
    /// `{` of a block of named arguments.
    Block,
    /// `}` of a record or block.
    REntries,
    /// `{` of a `for` or `if` body.
    Body,
    RBody,
    /// `,` in round or square brackets or in a statement.
    Comma,
    /// `,` between entries.
    EntryComma,
    /// The end of a line that ends a statement.
    Newline,
    /// The end of a line, or `;`, that ends an entry.
    EntryEnd,
    /// `;` after a statement.
    Semi,
    Assign,
    Colon,
    Dot,
    Plus,
    Minus,
    Star,
    Slash,
    CenterDot,
    Cross,
    Caret,
    Super,
    Root,
    PlusMinus,
    DotDot,
    Arrow,
    FatArrow,
    EqEq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Pipe,
    Question,
    Ellipsis,
    /// Zero wide: the number before touches what it multiplies.
    Juxt,
    /// Zero wide: `name(...) =` follows.
    Def,
    /// What no rule accepts; its fault has been reported.
    Error,
}

impl Tok {
    /// Whether an expression (or a statement) may end with it.
    pub fn ends_operand(self) -> bool {
        use Tok::*;
        matches!(
            self,
            Name | Int
                | Float
                | Str
                | RawStr
                | StrTail
                | Unit
                | UnitSign
                | RParen
                | RBracket
                | REntries
                | RBody
                | True
                | False
                | Super
                | Question
                | Ellipsis
                | Error
        )
    }

    /// Whether it is one of the operators that may stand alone as a value.
    pub fn is_bare_operator(self) -> bool {
        matches!(self, Tok::Plus | Tok::Minus | Tok::Star | Tok::Slash | Tok::Caret)
    }
}
