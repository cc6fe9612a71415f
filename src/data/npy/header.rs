//! The header of an NPY file: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`, a Python literal. Read
//! are the literals that NumPy writes: dictionaries, lists, tuples, strings, integers, True and False.

use crate::data::error::{DataError, short};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Headers are at most this long.
const MAX_HEADER: usize = 1 << 20;
/// Literals nest at most this deep.
const MAX_DEPTH: usize = 16;

/// What elements are; sizes in bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    Bool,
    Integer(usize),
    Unsigned(usize),
    Float(usize),
    Complex(usize),
    Bytes(usize),
    Unicode(usize),
}

impl Kind {
    /// Whether elements are real numbers.
    pub fn is_real(self) -> bool {
        matches!(self, Kind::Bool | Kind::Integer(_) | Kind::Unsigned(_) | Kind::Float(_))
    }

    pub fn size(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Integer(n) | Kind::Unsigned(n) | Kind::Float(n) | Kind::Complex(n) => n,
            Kind::Bytes(n) | Kind::Unicode(n) => n,
        }
    }
}

/// A field of a record; a plain array has one without name.
pub(super) struct Field {
    pub name: Option<String>,
    pub kind: Kind,
    /// Whether the first byte of a number is its highest.
    pub big: bool,
    /// Bytes from the start of the record.
    pub offset: u64,
    /// Elements in a record.
    pub count: u64,
    /// Its sizes in a record, where it has a shape of its own.
    pub sizes: Option<Vec<u64>>,
}

/// What stands before the values.
pub(super) struct Header {
    pub fields: Vec<Field>,
    /// Whether the array has no fields.
    pub plain: bool,
    pub fortran: bool,
    pub shape: Vec<u64>,
    /// Bytes of an element or record.
    pub size: u64,
}

/// The header, and where the values begin.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<(Header, usize), DataError> {
    let fault = |found: String| DataError::Npy { path: file.to_string(), found };
    if bytes.is_empty() {
        return Err(DataError::Empty { path: file.to_string() });
    }
    if !bytes.starts_with(MAGIC) {
        let shown: Vec<String> = bytes.iter().take(6).map(|b| format!("{b:02X}")).collect();
        return Err(fault(format!("a file that begins with the bytes {}", shown.join(" "))));
    }
    let version = *bytes.get(6).ok_or_else(|| fault("only its first 6 bytes".to_string()))?;
    let start = match version {
        1 => 10,
        2 | 3 => 12,
        other => return Err(fault(format!("version {other} of the format"))),
    };
    let short = || fault("a header that ends early".to_string());
    let length = bytes.get(8..start).ok_or_else(short)?;
    let length = length.iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b));
    if length > MAX_HEADER {
        return Err(fault(format!("a header of {length} bytes")));
    }
    let end = start + length;
    let text = bytes.get(start..end).ok_or_else(short)?;
    let text = match version {
        3 => {
            std::str::from_utf8(text).map_err(|_| fault("a header that is no UTF-8".to_string()))?.to_string()
        }
        _ => text.iter().map(|b| char::from(*b)).collect(),
    };
    let literal = Reader { text: &text, at: 0 }
        .whole()
        .ok_or_else(|| fault(format!("the header {}", shortened(text.trim()))))?;
    let Literal::Dict(entries) = literal else { return Err(fault("a header that is no dictionary".into())) };
    let entry = |name: &str| {
        let found = entries.iter().find(|(key, _)| *key == Literal::Text(name.to_string()));
        found.map(|(_, v)| v).ok_or_else(|| fault(format!("a header without '{name}'")))
    };
    let Literal::Tuple(shape) = entry("shape")? else { return Err(fault("a shape that is no tuple".into())) };
    let shape: Vec<u64> = shape
        .iter()
        .map(|d| if let Literal::Integer(n) = d { u64::try_from(*n).ok() } else { None })
        .collect::<Option<_>>()
        .ok_or_else(|| fault("a shape of other things than natural numbers".into()))?;
    let Literal::Bool(fortran) = *entry("fortran_order")? else {
        return Err(fault("a 'fortran_order' that is neither True nor False".into()));
    };
    let (fields, size, plain) = fields(file, entry("descr")?)?;
    Ok((Header { fields, plain, fortran, shape, size }, end))
}

fn fields(file: &str, descr: &Literal) -> Result<(Vec<Field>, u64, bool), DataError> {
    let fault = |found: &str| DataError::Npy { path: file.to_string(), found: found.to_string() };
    let field = |name: Option<String>, code: &str, offset: u64| -> Result<Field, DataError> {
        let (kind, big) = kind(file, code)?;
        Ok(Field { name, kind, big, offset, count: 1, sizes: None })
    };
    if let Literal::Text(code) = descr {
        let field = field(None, code, 0)?;
        let size = field.kind.size() as u64;
        return Ok((vec![field], size, true));
    }
    let Literal::List(items) = descr else { return Err(fault("a type that is neither a text nor a list")) };
    let (mut fields, mut offset) = (Vec::new(), 0u64);
    for item in items {
        let Literal::Tuple(parts) = item else { return Err(fault("a field that is no tuple")) };
        let (name, code, shape) = match parts.as_slice() {
            [name, Literal::Text(code)] => (name, code, None),
            [name, Literal::Text(code), Literal::Tuple(shape)] => (name, code, Some(shape)),
            [_, Literal::List(_), ..] => {
                let (what, descr) = ("fields within fields".to_string(), "[...]".to_string());
                return Err(DataError::NpyType { path: file.to_string(), what, descr });
            }
            _ => return Err(fault("a field that is no pair of name and type")),
        };
        let name = match name {
            Literal::Text(name) => name,
            // A title stands before the name.
            Literal::Tuple(pair) => match pair.as_slice() {
                [_, Literal::Text(name)] => name,
                _ => return Err(fault("a field whose name is no text")),
            },
            _ => return Err(fault("a field whose name is no text")),
        };
        let endless = || fault("a field of no or endless size");
        let natural = |d: &Literal| match d {
            Literal::Integer(d) => u64::try_from(*d).ok(),
            _ => None,
        };
        let sizes = shape.map(|s| s.iter().map(natural).collect::<Option<Vec<u64>>>().ok_or_else(endless));
        let sizes = sizes.transpose()?;
        let count = sizes.iter().flatten().try_fold(1u64, |n, d| n.checked_mul(*d));
        let count = count.filter(|n| *n > 0).ok_or_else(endless)?;
        let size = match code.strip_prefix("|V").and_then(|n| n.parse::<u64>().ok()) {
            // Filling between aligned fields.
            Some(n) if name.is_empty() => n,
            _ => {
                let mut own = field(Some(name.clone()), code, offset)?;
                own.count = count;
                own.sizes = sizes;
                let size = own.kind.size() as u64;
                fields.push(own);
                size
            }
        };
        offset = size.checked_mul(count).and_then(|n| offset.checked_add(n)).ok_or_else(endless)?;
    }
    if fields.is_empty() {
        return Err(fault("a type without fields"));
    }
    Ok((fields, offset, false))
}

/// The kind a type code such as `<f8` stands for, and whether it is big-endian.
fn kind(file: &str, code: &str) -> Result<(Kind, bool), DataError> {
    let unsupported = |what: &str| DataError::NpyType {
        path: file.to_string(),
        what: what.to_string(),
        descr: shortened(code),
    };
    let (order, rest) = match code.chars().next() {
        Some(c @ ('<' | '>' | '|' | '=')) => (c, &code[1..]),
        _ => ('|', code),
    };
    let mut chars = rest.chars();
    let letter = chars.next().unwrap_or(' ');
    let number = chars.as_str();
    let size = number.parse::<usize>().ok().filter(|n| *n < 1 << 30 && number.len() < 11);
    let big = order == '>';
    let kind = match (letter, size) {
        ('b' | '?', Some(1)) => Kind::Bool,
        ('i', Some(n @ (1 | 2 | 4 | 8))) => Kind::Integer(n),
        ('u', Some(n @ (1 | 2 | 4 | 8))) => Kind::Unsigned(n),
        ('f', Some(n @ (2 | 4 | 8))) => Kind::Float(n),
        ('c', Some(n @ (8 | 16))) => Kind::Complex(n),
        ('S' | 'a', Some(n)) if n > 0 => Kind::Bytes(n),
        ('U', Some(n)) if n > 0 => Kind::Unicode(4 * n),
        ('O', _) => return Err(unsupported("Python objects")),
        ('M', _) => return Err(unsupported("dates")),
        ('m', _) => return Err(unsupported("differences of dates")),
        ('V', _) => return Err(unsupported("raw bytes")),
        ('f' | 'g' | 'c' | 'G', _) => return Err(unsupported("floats of another precision")),
        ('S' | 'U', _) => return Err(unsupported("texts without letters")),
        _ => return Err(unsupported("another type")),
    };
    Ok((kind, big))
}

fn shortened(text: &str) -> String {
    short(text).replace(char::is_control, "\u{FFFD}")
}

/// A Python literal.
#[derive(PartialEq, Debug)]
enum Literal {
    Text(String),
    Integer(i128),
    Bool(bool),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn whole(mut self) -> Option<Literal> {
        let found = self.literal(0)?;
        self.blank();
        (self.at == self.text.len()).then_some(found)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn eat(&mut self, c: char) -> bool {
        self.blank();
        let found = self.peek() == Some(c);
        if found {
            self.next();
        }
        found
    }

    fn literal(&mut self, depth: usize) -> Option<Literal> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blank();
        match self.peek()? {
            '\'' | '"' => self.string().map(Literal::Text),
            '(' => {
                self.next();
                self.items(')', depth).map(Literal::Tuple)
            }
            '[' => {
                self.next();
                self.items(']', depth).map(Literal::List)
            }
            '{' => {
                self.next();
                let mut entries = Vec::new();
                while !self.eat('}') {
                    let key = self.literal(depth + 1)?;
                    if !self.eat(':') {
                        return None;
                    }
                    entries.push((key, self.literal(depth + 1)?));
                    if !self.eat(',') {
                        return self.eat('}').then_some(Literal::Dict(entries));
                    }
                }
                Some(Literal::Dict(entries))
            }
            '-' | '0'..='9' => {
                let start = self.at;
                self.next();
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.next();
                }
                let number = self.text[start..self.at].parse().ok()?;
                // Python 2 wrote long integers as 3L.
                if self.peek() == Some('L') {
                    self.next();
                }
                Some(Literal::Integer(number))
            }
            _ => {
                for (word, value) in [("True", true), ("False", false)] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Some(Literal::Bool(value));
                    }
                }
                None
            }
        }
    }

    fn items(&mut self, end: char, depth: usize) -> Option<Vec<Literal>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(self.literal(depth + 1)?);
            if !self.eat(',') {
                return self.eat(end).then_some(items);
            }
        }
        Some(items)
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == quote => return Some(text),
                '\\' => text.push(match self.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'x' => self.code(2)?,
                    'u' => self.code(4)?,
                    'U' => self.code(8)?,
                    c => c,
                }),
                c => text.push(c),
            }
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let mut n = 0;
        for _ in 0..digits {
            n = n * 16 + self.next()?.to_digit(16)?;
        }
        char::from_u32(n)
    }
}

/// A name as Python writes it.
pub(super) fn quoted(name: &str) -> String {
    let mut text = String::from("'");
    for c in name.chars() {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", c as u32)),
            c => text.push(c),
        }
    }
    text + "'"
}

/// Magic bytes and header of an array of this type and shape: version 1 where it can say it, 3 for names beyond
/// Latin-1, 2 for a long header. The values begin at a multiple of 64.
pub(super) fn text(descr: &str, shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let (mut version, body) = match latin {
        Some(bytes) => (1u8, bytes),
        None => (3, text.into_bytes()),
    };
    if version == 1 && body.len() > 0xFFFF - 80 {
        version = 2;
    }
    let before = if version == 1 { 10 } else { 12 };
    let length = (before + body.len() + 1).next_multiple_of(64) - before;
    let mut out = MAGIC.to_vec();
    out.extend([version, 0]);
    match version {
        1 => out.extend((length as u16).to_le_bytes()),
        _ => out.extend((length as u32).to_le_bytes()),
    }
    out.extend_from_slice(&body);
    out.resize(before + length - 1, b' ');
    out.push(b'\n');
    out
}
