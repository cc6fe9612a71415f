//! The expressions of Python that SymPy's texts are made of: numbers, names, strings, operators, calls and tuples. By
//! precedence climbing over a list of tokens, with Python's precedences
//! (<https://docs.python.org/3/reference/expressions.html#operator-precedence>).

use super::{ImportError, Language, MAX_CHAIN, MAX_DEPTH};

/// A part of the text with its place; places do not count when two are compared.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The number of its first character, from 1.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.kind == other.kind
    }
}

/// What a part is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    Number(String),
    Name(String),
    Text(String),
    /// `-x`, `+x`, `~x`, `not x`.
    Prefix(&'static str, Box<Node>),
    /// `a + b` and all other operators of two operands.
    Infix(&'static str, Box<Node>, Box<Node>),
    /// A callee with its positional arguments.
    Call(Box<Node>, Vec<Node>),
    /// `(x)`.
    Bracket(Box<Node>),
    /// `(a, b)`, `(a,)`, `[a, b]`.
    Tuple(Vec<Node>),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Number(String),
    Name(String),
    Text(String),
    Sign(&'static str),
    End,
}

/// Numbers, names and signs of a text; a longer chain would overflow the stack where it is given up.
const MAX_TOKENS: usize = 10_000;

/// Longer ones first.
const SIGNS: &[&str] = &[
    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", "=", "<", ">", "&",
    "|", "~", "^", ".", ":",
];

/// Infix operators with their binding; those of one binding group to the left.
const INFIX: &[(&str, u8)] = &[
    ("or", 1),
    ("and", 2),
    ("==", 4),
    ("!=", 4),
    ("<", 4),
    ("<=", 4),
    (">", 4),
    (">=", 4),
    ("|", 5),
    ("^", 6),
    ("&", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("//", 10),
    ("%", 10),
    ("**", 12),
];
const NOT: u8 = 3;
const SIGN: u8 = 11;
const POWER: u8 = 12;

pub(super) fn fault(at: usize, expected: impl Into<String>, found: impl Into<String>) -> ImportError {
    let (expected, found) = (expected.into(), found.into());
    ImportError { language: Language::Sympy, at, expected, found, hint: None }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ImportError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let (c, at) = (chars[i], i + 1);
        let next = chars.get(i + 1).copied().unwrap_or(' ');
        if c.is_whitespace() {
            i += 1;
        } else if c.is_ascii_digit() || (c == '.' && next.is_ascii_digit()) {
            let start = i;
            while i < chars.len() {
                let exponent = matches!(chars[i], 'e' | 'E') && {
                    let after = chars.get(i + 1).copied().unwrap_or(' ');
                    let signed =
                        matches!(after, '+' | '-') && chars.get(i + 2).is_some_and(char::is_ascii_digit);
                    after.is_ascii_digit() || signed
                };
                let sign = matches!(chars[i], '+' | '-') && matches!(chars[i - 1], 'e' | 'E');
                if !(chars[i].is_ascii_digit() || chars[i] == '.' || exponent || sign) {
                    break;
                }
                i += 1;
            }
            found.push((at, Token::Number(chars[start..i].iter().collect())));
        } else if c.is_alphabetic() || c == '_' {
            let start = i;
            while i < chars.len() && (chars[i].is_alphanumeric() || chars[i] == '_') {
                i += 1;
            }
            found.push((at, Token::Name(chars[start..i].iter().collect())));
        } else if c == '\'' || c == '"' {
            let start = i + 1;
            i = start;
            while i < chars.len() && chars[i] != c {
                i += 1;
            }
            if i == chars.len() {
                return Err(fault(at, format!("a closing {c}"), "the end"));
            }
            found.push((at, Token::Text(chars[start..i].iter().collect())));
            i += 1;
        } else {
            let rest: String = chars[i..chars.len().min(i + 2)].iter().collect();
            let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) else {
                return Err(fault(at, "an expression of SymPy", format!("`{c}`")));
            };
            found.push((at, Token::Sign(sign)));
            i += sign.len();
        }
    }
    found.push((chars.len() + 1, Token::End));
    if found.len() > MAX_TOKENS {
        return Err(fault(
            found[MAX_TOKENS].0,
            format!("at most {MAX_TOKENS} numbers, names and signs"),
            "more",
        ));
    }
    Ok(found)
}

/// The tree of a whole text.
pub(super) fn parse(text: &str) -> Result<Node, ImportError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let node = parser.expr(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.wrong("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn at(&self) -> usize {
        self.tokens[self.next].0
    }

    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(s) if *s == sign)
    }

    fn wrong(&self, expected: &str) -> ImportError {
        let found = match self.peek() {
            Token::Number(t) | Token::Name(t) => format!("`{t}`"),
            Token::Text(t) => format!("the text `{t}`"),
            Token::Sign(s) => format!("`{s}`"),
            Token::End => "the end".into(),
        };
        fault(self.at(), expected, found)
    }

    fn needs(&mut self, sign: &str) -> Result<(), ImportError> {
        if !self.is(sign) {
            return Err(self.wrong(&format!("`{sign}`")));
        }
        self.advance();
        Ok(())
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn expr(&mut self, least: u8) -> Result<Node, ImportError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let at = self.at();
            return Err(fault(at, format!("at most {MAX_DEPTH} levels of brackets"), "more"));
        }
        let mut left = self.operand()?;
        let mut chained = 0;
        while let Some((sign, binding)) = self.infix().filter(|(_, b)| *b >= least) {
            self.advance();
            // Powers group to the right, and a sign may stand behind `**`.
            let right = self.expr(if binding == POWER { SIGN } else { binding + 1 })?;
            let at = left.at;
            // Longer chains are read in a loop for sums and products only; what was read is nested all the same.
            chained += 1;
            let most = if matches!(sign, "+" | "-" | "*" | "/") { MAX_CHAIN } else { MAX_DEPTH };
            if chained > most {
                return Err(fault(self.at(), format!("at most {most} operators in a row"), "more"));
            }
            left = Node { at, kind: Kind::Infix(sign, Box::new(left), Box::new(right)) };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn infix(&self) -> Option<(&'static str, u8)> {
        let word = match self.peek() {
            Token::Sign(s) => *s,
            Token::Name(n) => n.as_str(),
            _ => return None,
        };
        INFIX.iter().find(|(own, _)| *own == word).copied()
    }

    fn operand(&mut self) -> Result<Node, ImportError> {
        let at = self.at();
        let token = self.peek().clone();
        let prefix = match &token {
            Token::Sign(sign @ ("-" | "+" | "~")) => Some((*sign, SIGN)),
            Token::Name(word) if word == "not" => Some(("not", NOT)),
            _ => None,
        };
        if let Some((sign, binding)) = prefix {
            self.advance();
            let inner = self.expr(binding)?;
            return Ok(Node { at, kind: Kind::Prefix(sign, Box::new(inner)) });
        }
        let mut node = match token {
            Token::Number(text) => {
                self.advance();
                Node { at, kind: Kind::Number(text) }
            }
            Token::Name(name) => {
                self.advance();
                Node { at, kind: Kind::Name(name) }
            }
            Token::Text(text) => {
                self.advance();
                Node { at, kind: Kind::Text(text) }
            }
            Token::Sign("(") => {
                self.advance();
                let (mut items, comma) = self.items(")")?;
                match (items.len(), comma) {
                    (1, false) => Node { at, kind: Kind::Bracket(Box::new(items.remove(0))) },
                    (0, _) => return Err(fault(at + 1, "an expression", "`)`")),
                    _ => Node { at, kind: Kind::Tuple(items) },
                }
            }
            Token::Sign("[") => {
                self.advance();
                Node { at, kind: Kind::Tuple(self.items("]")?.0) }
            }
            _ => return Err(self.wrong("an expression")),
        };
        while self.is("(") {
            self.advance();
            let items = self.items(")")?.0;
            node = Node { at, kind: Kind::Call(Box::new(node), items) };
        }
        Ok(node)
    }

    /// What stands before a closing bracket, without named options, and whether a comma ends it.
    fn items(&mut self, close: &str) -> Result<(Vec<Node>, bool), ImportError> {
        let mut items = Vec::new();
        let mut comma = false;
        while !self.is(close) {
            if !items.is_empty() && !comma {
                return Err(self.wrong(&format!("`,` or `{close}`")));
            }
            let named = matches!(self.peek(), Token::Name(_))
                && matches!(self.tokens.get(self.next + 1), Some((_, Token::Sign("="))));
            if named {
                self.advance();
                self.advance();
                self.expr(0)?;
            } else {
                items.push(self.expr(0)?);
            }
            comma = self.is(",");
            if comma {
                self.advance();
            } else if !self.is(close) {
                return Err(self.wrong(&format!("`,` or `{close}`")));
            }
        }
        self.needs(close)?;
        Ok((items, comma))
    }
}
