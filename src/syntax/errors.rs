//! The faults of the syntax layer, each with a stable code, words of the form "expected X, found Y" and a hint that
//! is code to type. Places are attached by whoever raises one.

use thiserror::Error;

use crate::base::{Code, Diagnostic, Fault, Span};

/// What can be wrong with a text.
#[derive(Error, Clone, Debug, PartialEq)]
pub enum SyntaxError {
    /// A token that cannot stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What could stand here, in words.
        expected: String,
        /// What stands here.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// The text ended too early.
    #[error("expected {expected}, found the end of the text")]
    UnexpectedEnd {
        /// What could follow, in words.
        expected: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// An opening bracket without its partner.
    #[error("expected {closer} to close this bracket, found none")]
    Unclosed {
        /// The missing bracket.
        closer: &'static str,
    },
    /// A closing bracket without its partner.
    #[error("expected an open bracket that {found} closes, found none")]
    Unopened {
        /// The bracket.
        found: &'static str,
    },
    /// A string that is not closed on its line.
    #[error("expected \" before the end of the line, found an open string")]
    OpenString {
        /// What was written of it.
        text: String,
    },
    /// An unknown escape in a string.
    #[error("expected \\n, \\t, \\\", \\\\, \\{{ or \\}} in a string, found {found}")]
    Escape {
        /// The escape as typed.
        found: String,
    },
    /// A number in a form that is not one.
    #[error("expected {expected}, found {found}")]
    Number {
        /// What a number looks like.
        expected: &'static str,
        /// What was typed.
        found: String,
        /// The number as it could be typed.
        hint: Option<String>,
    },
    /// A character that is no sign of the language.
    #[error("expected a name, a number or an operator, found {found}")]
    Character {
        /// The character in words.
        found: String,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// A sign of another language.
    #[error("expected {expected}, found {found}")]
    Foreign {
        /// The sign here.
        expected: &'static str,
        /// The sign typed.
        found: String,
        /// Code to type.
        hint: String,
    },
    /// Two values side by side.
    #[error("expected an operator between two values, found none")]
    SideBySide {
        /// Code to type.
        hint: String,
    },
    /// `f (x)`.
    #[error("expected the bracket of a call right behind its name, found a space")]
    SpacedCall {
        /// Code to type.
        hint: String,
    },
    /// A line that begins with a sign.
    #[error(
        "expected the sign at the end of the line above, found it at the start of a line: it reads two ways"
    )]
    LeadingSign {
        /// `+` or `-`.
        sign: char,
    },
    /// `F + 1 = 3`.
    #[error("expected a name before =, found {found}: = binds, == states")]
    BindTarget {
        /// What stands before `=`.
        found: String,
        /// Code to type.
        hint: String,
    },
    /// `f(a = 3)`, or an entry without a name.
    #[error("expected `name: value`, found {found}")]
    Entry {
        /// What was typed.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// `a == b == c`.
    #[error("expected comparisons that all point one way, found {found}")]
    Chain {
        /// The operators.
        found: String,
        /// Code to type.
        hint: String,
    },
    /// `3 [m] [s]`, `3 [m]^2`.
    #[error("expected {expected}, found {found}")]
    UnitPlace {
        /// What could stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
        /// Code to type.
        hint: String,
    },
    /// A unit bracket that cannot be read.
    #[error("expected {expected} in a unit, found {found}")]
    UnitSyntax {
        /// What could stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// `f'(x)`.
    #[error(
        "expected a function's name before the bracket, found {found}: a prime names the time derivative of a symbol"
    )]
    PrimeCall {
        /// The name with primes.
        found: String,
        /// Code to type.
        hint: String,
    },
    /// Nesting beyond the limit.
    #[error("expected at most {limit} levels of nesting, found more")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A source beyond the limit.
    #[error("expected at most {limit} bytes of source, found {found}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size.
        found: usize,
    },
    /// `x |> 3`.
    #[error("expected a call or a name after |>, found {found}")]
    PipeTarget {
        /// What stands there.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// Something well formed in the wrong place.
    #[error("expected {expected}, found {found}")]
    Misplaced {
        /// What could stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// A word in a `var` line that is no assumption.
    #[error("expected real, complex, integer, a comparison with 0 or `in`, found {found}")]
    Assumption {
        /// The word.
        found: String,
        /// Code to type.
        hint: Option<String>,
    },
    /// A type that is not one.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What could stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A column header that cannot be read.
    #[error("expected a column header such as `r [m]`, found {found}")]
    Header {
        /// The header.
        found: String,
    },
    /// More faults than are worth listing.
    #[error("expected at most {limit} faults, found more: the others are not listed")]
    TooMany {
        /// How many are listed.
        limit: usize,
    },
    /// `1/2x`.
    #[error("{found} is {meaning}: a number that touches a name binds tighter than /")]
    TightProduct {
        /// What was typed.
        found: String,
        /// How it is read.
        meaning: String,
        /// Code to type.
        hint: String,
    },
    /// `1/2 [s]`.
    #[error("{found} is {meaning}: a unit binds tighter than /")]
    TightUnit {
        /// What was typed.
        found: String,
        /// How it is read.
        meaning: String,
        /// Code to type.
        hint: String,
    },
}

impl Fault for SyntaxError {
    fn code(&self) -> Code {
        Code(match self {
            SyntaxError::Unexpected { .. } => 1001,
            SyntaxError::UnexpectedEnd { .. } => 1002,
            SyntaxError::Unclosed { .. } => 1003,
            SyntaxError::Unopened { .. } => 1004,
            SyntaxError::OpenString { .. } => 1005,
            SyntaxError::Escape { .. } => 1006,
            SyntaxError::Number { .. } => 1007,
            SyntaxError::Character { .. } => 1008,
            SyntaxError::Foreign { .. } => 1009,
            SyntaxError::SideBySide { .. } => 1010,
            SyntaxError::SpacedCall { .. } => 1011,
            SyntaxError::LeadingSign { .. } => 1012,
            SyntaxError::BindTarget { .. } => 1013,
            SyntaxError::Entry { .. } => 1014,
            SyntaxError::Chain { .. } => 1015,
            SyntaxError::UnitPlace { .. } => 1016,
            SyntaxError::UnitSyntax { .. } => 1017,
            SyntaxError::PrimeCall { .. } => 1018,
            SyntaxError::TooDeep { .. } => 1019,
            SyntaxError::TooLarge { .. } => 1020,
            SyntaxError::PipeTarget { .. } => 1021,
            SyntaxError::Misplaced { .. } => 1022,
            SyntaxError::Assumption { .. } => 1023,
            SyntaxError::Type { .. } => 1024,
            SyntaxError::Header { .. } => 1025,
            SyntaxError::TooMany { .. } => 1026,
            SyntaxError::TightProduct { .. } => 1030,
            SyntaxError::TightUnit { .. } => 1031,
        })
    }

    fn hint(&self) -> Option<String> {
        match self {
            SyntaxError::Unexpected { hint, .. }
            | SyntaxError::UnexpectedEnd { hint, .. }
            | SyntaxError::Number { hint, .. }
            | SyntaxError::Character { hint, .. }
            | SyntaxError::Entry { hint, .. }
            | SyntaxError::UnitSyntax { hint, .. }
            | SyntaxError::PipeTarget { hint, .. }
            | SyntaxError::Misplaced { hint, .. }
            | SyntaxError::Assumption { hint, .. } => hint.clone(),
            SyntaxError::Foreign { hint, .. }
            | SyntaxError::SideBySide { hint }
            | SyntaxError::SpacedCall { hint }
            | SyntaxError::BindTarget { hint, .. }
            | SyntaxError::Chain { hint, .. }
            | SyntaxError::UnitPlace { hint, .. }
            | SyntaxError::PrimeCall { hint, .. }
            | SyntaxError::TightProduct { hint, .. }
            | SyntaxError::TightUnit { hint, .. } => Some(hint.clone()),
            SyntaxError::Unclosed { closer } => Some((*closer).to_owned()),
            SyntaxError::OpenString { text } => Some(format!("{}\"", text.trim_end())),
            SyntaxError::Escape { .. } => Some("r\"...\" takes everything as it is".to_owned()),
            SyntaxError::LeadingSign { sign } => {
                Some(format!("end the line above with {sign}, or bracket the whole"))
            }
            _ => None,
        }
    }
}

impl SyntaxError {
    /// The error at a place.
    pub fn at(&self, span: Span) -> Diagnostic {
        Diagnostic::from_fault(self, span)
    }

    /// The warning at a place.
    pub fn warning_at(&self, span: Span) -> Diagnostic {
        Diagnostic { severity: crate::base::Severity::Warning, ..self.at(span) }
    }
}

/// Code, title and explanation of every fault of this layer, for `phys explain`.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        1001,
        "unexpected token",
        "The text could not go on with what stands at this place. The message lists what could stand there. Example: `x = )`.",
    ),
    (
        1002,
        "unexpected end",
        "The text ended where something had to follow, for instance after an operator. Example: `x = 1 +`.",
    ),
    (
        1003,
        "unclosed bracket",
        "A bracket was opened and never closed. A new statement at the indentation of the bracket's line shows that it was forgotten. Example: `x = sin(a`.",
    ),
    (
        1004,
        "unmatched closing bracket",
        "A closing bracket has no open partner of its kind. Example: `x = a)`.",
    ),
    (
        1005,
        "unclosed string",
        "A string is closed on the line on which it began; `\\n` is a newline inside it. Example: `print(\"abc)`.",
    ),
    (
        1006,
        "unknown escape",
        "Inside `\"...\"` a backslash begins `\\n`, `\\t`, `\\\"`, `\\\\`, `\\{` or `\\}`. A raw string `r\"\\alpha\"` takes everything as it is.",
    ),
    (
        1007,
        "malformed number",
        "Digits stand on both sides of the decimal point (`5.0e3`, `0.5`), integers are decimal, and an uncertain number is written `1.234 ± 0.005`. Examples of the fault: `5.e3`, `.5`, `0x1F`, `1.234(5)`.",
    ),
    (1008, "unknown character", "The character is no part of the language. Example: `a $ b`."),
    (
        1009,
        "operator of another language",
        "Powers are written `^`, logic `and`, `or`, `not`, bindings `=`, and `mod(a, b)` and `factorial(n)` are functions. Examples of the fault: `x**2`, `a && b`.",
    ),
    (
        1010,
        "two values side by side",
        "Only a number that touches a name, a bracket or a root multiplies (`2x`); everything else needs `*`. Examples of the fault: `2 m`, `m v`, `(a+b)(a-b)`, `x^2y`.",
    ),
    (
        1011,
        "space before a call's bracket",
        "`f(x)` calls f; with a space the bracket is a second value. Write `f(x)` to call or `f*(x)` to multiply.",
    ),
    (
        1012,
        "line that begins with a sign",
        "A line that begins with `+` or `-` below a complete line could go on with it or be a statement of its own. End the upper line with the sign, or put brackets around the whole.",
    ),
    (
        1013,
        "binding to what is no name",
        "`=` binds a name or defines a function; an equation is written with `==`. Examples of the fault: `f(2) = 3`, `x' = v`, `F + 1 = 3`.",
    ),
    (
        1014,
        "malformed named argument",
        "Named arguments, options and entries of records are written `name: value`. Example of the fault: `f(a = 3)`.",
    ),
    (
        1015,
        "chained comparison",
        "`a < b <= c` and `a > b >= c` mean both comparisons; other chains are written with `and`. Example of the fault: `a == b == c`.",
    ),
    (
        1016,
        "misplaced unit",
        "A unit attaches once, to a value that has none; `->` converts. A power stands inside the unit or outside a bracket: `3 [m^2]`, `(3 [m])^2`. Examples of the fault: `3 [m] [s]`, `3 [m]^2`.",
    ),
    (
        1017,
        "malformed unit",
        "A unit is built of unit names with `*`, `/`, `^` and brackets; the only number is 1. Examples: `[kg*m^2/s^2]`, `[V^(1/2)]`, `[1/s]`.",
    ),
    (
        1018,
        "primed name called",
        "`x'` is the time derivative of the symbol x. The derivative of a function is written `diff(f(x), x)`.",
    ),
    (
        1019,
        "nesting too deep",
        "Expressions and blocks may be nested 1000 levels deep. Give parts of the expression names of their own.",
    ),
    (
        1020,
        "source too large",
        "A source may have 8 MB. Data belongs in a file that is read with `read(\"file.csv\")`.",
    ),
    (
        1021,
        "nothing to pipe into",
        "On the right of `|>` stands a call or a name: `x |> f(a)` is `f(x, a)`. Put other operators outside brackets: `(x |> f) + 1`.",
    ),
    (
        1022,
        "misplaced part",
        "What stands here is well formed but has another place. Examples: a second block behind a call, `m[i, j]` for `m[i][j]`, `(a, b)` for `[a, b]`.",
    ),
    (
        1023,
        "unknown assumption",
        "A `var` line says, in this order, its names, a unit, assumptions (`real`, `complex`, `integer`, `> 0`, `!= 0`) and `in` with a domain. Example: `var r [m] real > 0 in 1..5`.",
    ),
    (
        1024,
        "malformed type",
        "Types are names such as `real`, `list[real]`, `quantity[m/s]`, `record{a: real}`, `one_of(a, b)`, with `?` for an optional one.",
    ),
    (
        1025,
        "malformed column header",
        "The header of a column is a name, optionally with a unit: `r [m]`; `± v [km/s]` holds the standard errors of v.",
    ),
    (1026, "too many faults", "Only the first faults of a source are listed."),
    (
        1030,
        "number that binds tighter than a division",
        "`1/2x` is `1/(2x)`. Write the brackets, or `1/2*x` for x/2, and the warning is gone.",
    ),
    (
        1031,
        "unit that binds tighter than a division",
        "`1/2 [s]` is `1/(2 [s])`. Write the brackets, or `(1/2) [s]` for half a second, and the warning is gone.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_are_sorted_and_of_this_layer() {
        assert!(CODES.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(
            CODES.iter().all(|(code, title, text)| (1001..1100).contains(code)
                && !title.is_empty()
                && text.len() > 20)
        );
    }
}
