//! Where the cursor of a line that is being typed stands: in a name, behind a dot, inside a unit, a string or a call. One
//! pass over the text before the cursor with a stack of what is open; the text may be faulty or unfinished, so the
//! parser is no help here. Every bracket remembers where the value it belongs to begins (`d[0]` of `d[0].`).

use std::ops::Range;

/// What is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing that has an ending: a comment, a number.
    Nothing,
    /// A name, keyword or option.
    Name,
    /// A name behind the dot of this value.
    Member(Range<usize>),
    /// A unit inside its bracket.
    Unit,
    /// A string; of `value["` the place of the value.
    Text(Option<Range<usize>>),
    /// A name behind a backslash, which is part of the word.
    Glyph,
    /// A module after `use`.
    Module,
    /// A name after `use module:`.
    Import(Range<usize>),
}

/// The call or block around the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub callee: Range<usize>,
    /// Options that stand before the cursor.
    pub given: Vec<String>,
    /// The option whose value is being typed.
    pub option: Option<String>,
    /// How many arguments stand before that of the cursor.
    pub position: usize,
    /// Whether it is a block, where every entry is an option.
    pub block: bool,
    /// Whether the word at the cursor begins its argument.
    pub begins: bool,
}

/// The cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What is being typed.
    pub place: Place,
    /// Where the word that is being typed begins.
    pub start: usize,
    /// The call around it.
    pub call: Option<Call>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `(`, `[` of a list, `{` of a record or a body.
    Plain,
    Call,
    Index,
    Unit,
    Block,
    /// `{` inside a string.
    Interpolation,
}

struct Open {
    bracket: Bracket,
    /// Where it stands.
    at: usize,
    /// Where the value before it begins; where it begins itself, if there is none.
    value: usize,
    position: usize,
    given: Vec<String>,
    option: Option<String>,
    argument: usize,
}

/// What the last token was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Start,
    Name,
    Keyword,
    Number,
    Arrow,
    /// A closed bracket or string.
    Closed,
    Dot,
    Sign,
}

/// Whether a character belongs to names.
pub fn is_part(c: char) -> bool {
    (c.is_alphanumeric() || c == '_' || c == '\'' || c == '′')
        && !matches!(c, '⁰'..='⁹' | '¹' | '²' | '³' | 'ª' | 'º')
}

const KEYWORDS: &[&str] = &[
    "if", "then", "else", "for", "in", "where", "var", "param", "const", "unit", "check", "use", "as",
    "rule", "when", "and", "or", "not", "true", "false",
];

/// Words that are reserved, for completion.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().copied()
}

struct Scan<'t> {
    text: &'t str,
    open: Vec<Open>,
    last: Last,
    /// Where the last token ends.
    end: usize,
    /// Where the value that the last token belongs to begins.
    value: usize,
    /// Where the last name begins.
    name: usize,
    /// Whether a `for` or `if` waits for the `{` of its body.
    head: bool,
    statement: usize,
}

/// Where the cursor stands.
pub fn cursor(text: &str, at: usize) -> Cursor {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut scan = Scan {
        text: &text[..end],
        open: Vec::new(),
        last: Last::Start,
        end: 0,
        value: 0,
        name: 0,
        head: false,
        statement: 0,
    };
    scan.run()
}

impl Scan<'_> {
    fn run(&mut self) -> Cursor {
        let text = self.text;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let next = at + c.len_utf8();
            match c {
                '#' => match text[at..].find('\n') {
                    Some(n) => at += n,
                    None => return self.found(Place::Nothing, text.len()),
                },
                '\n' => {
                    self.line_end(at);
                    at = next;
                }
                '"' => match self.string(at, next) {
                    Ok(after) => at = after,
                    Err(cursor) => return *cursor,
                },
                '}' if self.open.last().is_some_and(|o| o.bracket == Bracket::Interpolation) => {
                    let start = self.open.pop().map_or(at, |o| o.at);
                    match self.string(start, next) {
                        Ok(after) => at = after,
                        Err(cursor) => return *cursor,
                    }
                }
                '\\' => {
                    let word = text[next..].find(|c: char| !is_glyph(c)).map_or(text.len(), |n| next + n);
                    if word == text.len() {
                        return self.found(Place::Glyph, at);
                    }
                    at = word;
                }
                c if c.is_ascii_digit() => at = self.number(at),
                c if is_part(c) && !c.is_numeric() => at = self.word(at),
                c if c.is_whitespace() => at = next,
                c => at = self.sign(c, at, next),
            }
        }
        self.at_end()
    }

    fn found(&self, place: Place, start: usize) -> Cursor {
        let call = self.open.iter().rev().find(|o| !matches!(o.bracket, Bracket::Unit | Bracket::Index));
        let call = call.filter(|o| matches!(o.bracket, Bracket::Call | Bracket::Block)).map(|o| Call {
            callee: o.value..self.text[..o.at].trim_end().len(),
            given: o.given.clone(),
            option: o.option.clone(),
            position: o.position,
            block: o.bracket == Bracket::Block,
            begins: self.text.get(o.argument..start).is_some_and(|t| t.trim().is_empty()),
        });
        Cursor { place, start, call }
    }

    fn token(&mut self, last: Last, end: usize) {
        self.last = last;
        self.end = end;
    }

    fn is_operand(&self) -> bool {
        matches!(self.last, Last::Name | Last::Number | Last::Closed)
    }

    fn line_end(&mut self, at: usize) {
        match self.open.last_mut() {
            Some(o) if o.bracket == Bracket::Block && self.last != Last::Sign => {
                o.position += 1;
                o.option = None;
                o.argument = at + 1;
            }
            Some(_) => {}
            None => self.statement = at + 1,
        }
    }

    /// From behind a quote, or behind the `}` of an interpolation, to the end of the string.
    fn string(&mut self, start: usize, from: usize) -> Result<usize, Box<Cursor>> {
        let text = self.text;
        let verbatim = text[..start].ends_with('r') && self.last == Last::Name && self.end == start;
        let target = self.open.last().filter(|o| {
            o.bracket == Bracket::Index && text[o.at + 1..start].trim().is_empty() && from == start + 1
        });
        let target = target.map(|o| o.value..o.at);
        let mut chars = text[from..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.value = start;
                    self.token(Last::Closed, from + i + 1);
                    return Ok(from + i + 1);
                }
                '\n' => {
                    self.token(Last::Closed, from + i);
                    return Ok(from + i);
                }
                '\\' if !verbatim => {
                    chars.next();
                }
                '{' if !verbatim => {
                    self.push(Bracket::Interpolation, start, start, from + i + 1);
                    self.token(Last::Sign, from + i + 1);
                    return Ok(from + i + 1);
                }
                _ => {}
            }
        }
        Err(Box::new(self.found(Place::Text(target), from)))
    }

    fn push(&mut self, bracket: Bracket, at: usize, value: usize, argument: usize) {
        self.open.push(Open { bracket, at, value, position: 0, given: Vec::new(), option: None, argument });
    }

    fn number(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = at;
        while end < bytes.len() {
            let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
            match bytes[end] {
                b'0'..=b'9' | b'_' => end += 1,
                b'.' if digit(end + 1) => end += 1,
                b'e' | b'E'
                    if digit(end + 1)
                        || matches!(bytes.get(end + 1), Some(b'+' | b'-')) && digit(end + 2) =>
                {
                    end += 2;
                }
                _ => break,
            }
        }
        self.value = at;
        self.token(Last::Number, end);
        end
    }

    fn word(&mut self, at: usize) -> usize {
        let end = self.text[at..].find(|c| !is_part(c)).map_or(self.text.len(), |n| at + n);
        let word = &self.text[at..end];
        if self.last != Last::Dot {
            self.value = at;
        }
        self.name = at;
        let keyword = self.last != Last::Dot && KEYWORDS.contains(&word) && end < self.text.len();
        match word {
            "for" | "if" if keyword => self.head = true,
            "then" if keyword => self.head = false,
            _ => {}
        }
        self.token(if keyword { Last::Keyword } else { Last::Name }, end);
        end
    }

    fn sign(&mut self, c: char, at: usize, next: usize) -> usize {
        let touching = self.end == at && at > 0;
        match c {
            '(' => {
                let called = touching && matches!(self.last, Last::Name | Last::Closed);
                let value = if called { self.value } else { at };
                self.push(if called { Bracket::Call } else { Bracket::Plain }, at, value, next);
                self.token(Last::Sign, next);
            }
            '[' => {
                let bracket = match self.last {
                    Last::Arrow | Last::Number => Bracket::Unit,
                    Last::Name | Last::Closed if touching => Bracket::Index,
                    Last::Name | Last::Closed => Bracket::Unit,
                    _ => Bracket::Plain,
                };
                let value = if bracket == Bracket::Index { self.value } else { at };
                self.push(bracket, at, value, next);
                self.token(Last::Sign, next);
            }
            '{' => {
                let bracket = if self.head || !self.is_operand() { Bracket::Plain } else { Bracket::Block };
                self.head = false;
                let value = if bracket == Bracket::Block { self.value } else { at };
                self.push(bracket, at, value, next);
                self.token(Last::Sign, next);
            }
            ')' | ']' | '}' => {
                if let Some(open) = self.open.pop() {
                    self.value = open.value;
                }
                self.token(Last::Closed, next);
            }
            ',' => {
                if let Some(o) = self.open.last_mut() {
                    o.position += 1;
                    o.option = None;
                    o.argument = next;
                }
                self.token(Last::Sign, next);
            }
            ';' => {
                match self.open.last_mut() {
                    Some(o) => {
                        o.position += 1;
                        o.option = None;
                        o.argument = next;
                    }
                    None => self.statement = next,
                }
                self.token(Last::Start, next);
            }
            ':' => {
                if self.last == Last::Name
                    && let Some(o) = self.open.last_mut()
                    && matches!(o.bracket, Bracket::Call | Bracket::Block)
                {
                    let name = self.text[self.name..self.end].to_string();
                    o.given.push(name.clone());
                    o.option = Some(name);
                }
                self.token(Last::Sign, next);
            }
            '.' if self.text[next..].starts_with('.') => {
                self.token(Last::Sign, next + 1);
                return next + 1;
            }
            '.' if self.is_operand() => self.token(Last::Dot, next),
            '-' if self.text[next..].starts_with('>') => {
                self.token(Last::Arrow, next + 1);
                return next + 1;
            }
            '→' => self.token(Last::Arrow, next),
            // Superscripts end a value.
            '⁰'..='⁹' | '¹' | '²' | '³' => self.token(Last::Closed, next),
            _ => self.token(Last::Sign, next),
        }
        next
    }

    fn at_end(&self) -> Cursor {
        let text = self.text;
        let typed = self.end == text.len();
        if self.open.last().is_some_and(|o| o.bracket == Bracket::Unit) {
            let start = text
                .rfind(|c: char| !is_unit(c))
                .map_or(0, |i| i + text[i..].chars().next().map_or(1, char::len_utf8));
            return self.found(Place::Unit, start);
        }
        let statement = text.get(self.statement..).unwrap_or("");
        let lead = self.statement + statement.len() - statement.trim_start().len();
        if self.open.is_empty()
            && let Some(rest) = text.get(lead..).and_then(|s| s.strip_prefix("use"))
            && rest.starts_with(char::is_whitespace)
        {
            let module = lead + 3 + rest.len() - rest.trim_start().len();
            let word = text.rfind(|c: char| !is_part(c)).map_or(0, |i| i + 1);
            return match text[module..].find(':') {
                Some(colon) => {
                    self.found(Place::Import(module..module + colon), word.max(module + colon + 1))
                }
                None => self.found(Place::Module, module),
            };
        }
        match self.last {
            Last::Number if typed => self.found(Place::Nothing, text.len()),
            Last::Dot if typed => self.found(Place::Member(self.value..self.end - 1), text.len()),
            Last::Name if typed => {
                let before = text[..self.name].trim_end();
                if self.value < self.name && before.ends_with('.') {
                    self.found(Place::Member(self.value..before.len() - 1), self.name)
                } else {
                    self.found(Place::Name, self.name)
                }
            }
            _ => self.found(Place::Name, text.len()),
        }
    }
}

/// Whether a character belongs to the spelling of a unit.
fn is_unit(c: char) -> bool {
    is_part(c) && c != '\'' || matches!(c, '%' | '‰' | '°')
}

/// Whether a character belongs to a word behind a backslash.
fn is_glyph(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '^' | '_' | '-' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(text: &str) -> (Place, &str) {
        let found = cursor(text, text.len());
        (found.place, &text[found.start..])
    }

    #[test]
    fn places_are_told_apart() {
        use Place::*;
        for (text, place, word) in [
            ("simp", Name, "simp"),
            ("x + si", Name, "si"),
            ("", Name, ""),
            ("9.81 [m", Unit, "m"),
            ("9.81[kg*m/s", Unit, "s"),
            ("v -> [km/", Unit, ""),
            ("(a + b) [N", Unit, "N"),
            ("var r [k", Unit, "k"),
            ("xs[k", Name, "k"),
            ("[al", Name, "al"),
            ("for k in [al", Name, "al"),
            ("d.te", Member(0..1), "te"),
            ("d[0].", Member(0..4), ""),
            ("1 + f(x, y).lo", Member(4..11), "lo"),
            ("1..k", Name, "k"),
            ("d[\"or", Text(Some(0..1)), "or"),
            ("read(\"da", Text(None), "da"),
            ("print(\"{al", Name, "al"),
            ("print(\"{al}be", Text(None), "be"),
            ("# simp", Nothing, ""),
            ("2 + \\alp", Glyph, "\\alp"),
            ("use phys", Module, "phys"),
            ("use physics.con", Module, "physics.con"),
            ("use physics.constants: h", Import(4..21), "h"),
            ("12", Nothing, ""),
        ] {
            assert_eq!(at_end(text), (place, word), "{text}");
        }
    }

    #[test]
    fn the_call_around_the_cursor_is_found() {
        let call =
            |text: &str| cursor(text, text.len()).call.map(|c| (text[c.callee.clone()].to_string(), c));
        let (callee, found) = call("regress(data, me").unwrap();
        assert_eq!((callee.as_str(), found.position, found.begins, found.block), ("regress", 1, true, false));
        let (_, found) = call("regress(data, method: cl").unwrap();
        assert_eq!(found.option.as_deref(), Some("method"));
        let (callee, found) = call("found = regress(data) {\n  time: 20 [s]\n  op").unwrap();
        assert_eq!(callee, "regress(data)");
        assert_eq!((found.given, found.option, found.block), (vec!["time".to_string()], None, true));
        assert!(call("for k in xs { al").is_none());
        assert!(call("f(x) + al").is_none());
        assert_eq!(call("f(g(x), al").unwrap().0, "f");
        assert_eq!(call("f(x + al").map(|c| c.1.begins), Some(false));
    }

    #[test]
    fn no_text_breaks_the_scan() {
        let text = "d[\"é{x}\\\" # → ² [°C] ∂ 1.5e-3 }{)]( \\alpha \n use x: y";
        for (at, _) in text.char_indices() {
            let found = cursor(text, at);
            assert!(found.start <= at, "{at}");
        }
    }
}
