//! NumPy's NPY format, versions 1 to 3 (numpy.lib.format): magic bytes, a Python dictionary as text that says type,
//! order and shape, then the values. Read are booleans, integers, floats, complex numbers and texts of one or two
//! dimensions in either byte order and either element order, and structured types, whose fields become columns.
//! Nothing is allocated for values that the file does not hold: sizes are checked before.

mod header;
#[cfg(test)]
mod tests;

use super::column::Values;
use super::error::DataError;
use header::{Field, Header, Kind};
use std::collections::HashMap;
use std::sync::Arc;

/// Arrays have at most this many columns.
pub(super) const MAX_COLUMNS: usize = 100_000;

/// Names with values, of one length each.
pub(super) type Arrays = Vec<(String, Values)>;

/// The columns of an NPY file. `base` names an array without fields: itself where it has one dimension, with the
/// column's number where it has two.
///
/// # Errors
/// Bytes that are no such file, another type, more than two dimensions, missing or further bytes.
pub(super) fn parse(file: &str, base: &str, bytes: &[u8]) -> Result<Arrays, DataError> {
    let (header, start) = header::parse(file, bytes)?;
    let body = &bytes[start..];
    let layout = Layout::of(file, &header, Some(body.len() as u64))?;
    let mut labels = HashMap::new();
    let columns = layout.columns(base).into_iter();
    Ok(columns.map(|(name, place)| (name, decode(body, layout.rows, &place, &mut labels))).collect())
}

/// The names of the columns, from the first bytes of a file.
///
/// # Errors
/// As [`parse`], for what stands before the values.
pub(super) fn names(file: &str, base: &str, bytes: &[u8]) -> Result<Vec<String>, DataError> {
    let (header, _) = header::parse(file, bytes)?;
    let layout = Layout::of(file, &header, None)?;
    Ok(layout.columns(base).into_iter().map(|(name, _)| name).collect())
}

/// Where the values lie.
struct Layout<'a> {
    rows: usize,
    /// The fields of a record, or the one kind of a plain array.
    fields: &'a [Field],
    /// Bytes from one row to the next, but for Fortran order.
    record: usize,
    /// Columns of an array of two dimensions.
    across: Option<usize>,
    /// Whether such an array lies column by column.
    fortran: bool,
}

/// One column: its kind, where its first value lies, how far the next is.
struct Place<'a> {
    field: &'a Field,
    offset: usize,
    stride: usize,
}

impl<'a> Layout<'a> {
    /// `available` are the bytes that follow the header, where they are known.
    fn of(file: &str, header: &'a Header, available: Option<u64>) -> Result<Layout<'a>, DataError> {
        let parts: Vec<String> = header.shape.iter().map(u64::to_string).collect();
        let shape = match parts.as_slice() {
            [only] => format!("({only},)"),
            parts => format!("({})", parts.join(", ")),
        };
        let wrong_size = |expected: String, found: u64| DataError::NpySize {
            path: file.to_string(),
            expected: format!("{expected} for the shape {shape}"),
            found: format!("{found} bytes"),
        };
        let wrong_shape =
            |found: String| DataError::NpyShape { path: file.to_string(), found, structured: !header.plain };
        let across = match header.shape.as_slice() {
            [] | [_] => None,
            [_, columns] if header.plain => Some(*columns),
            _ => return Err(wrong_shape(format!("the shape {shape}"))),
        };
        let columns =
            across.unwrap_or_else(|| header.fields.iter().fold(0, |n, f| n.saturating_add(f.count)));
        let rows = header.shape.first().copied().unwrap_or(1);
        if rows == 0 || columns == 0 {
            return Err(DataError::NoRows { file: file.to_string() });
        }
        let record = header.size.checked_mul(across.unwrap_or(1));
        let bytes = record.and_then(|n| n.checked_mul(rows)).filter(|n| *n <= i64::MAX as u64);
        let (Some(record), Some(bytes)) = (record, bytes) else {
            return Err(wrong_size("more bytes than can be addressed".into(), available.unwrap_or(0)));
        };
        if let Some(found) = available.filter(|n| *n != bytes) {
            return Err(wrong_size(format!("{bytes} bytes of values"), found));
        }
        if columns > MAX_COLUMNS as u64 {
            return Err(wrong_shape(format!("{columns} columns")));
        }
        Ok(Layout {
            rows: rows as usize,
            fields: &header.fields,
            record: record as usize,
            across: across.map(|n| n as usize),
            fortran: header.fortran && across.is_some(),
        })
    }

    /// The columns with their names; `base` is that of an array without fields.
    fn columns(&self, base: &str) -> Vec<(String, Place<'a>)> {
        let mut found = Vec::new();
        for field in self.fields {
            let name = field.name.as_deref().unwrap_or(base);
            let parted = if name.ends_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
            let size = field.kind.size();
            for k in 0..self.across.unwrap_or(field.count as usize) {
                let many = self.across.is_some() || field.many;
                let own = if many { format!("{name}{parted}{k}") } else { name.to_string() };
                let (offset, stride) = if self.fortran {
                    (k * self.rows * size, size)
                } else {
                    (field.offset as usize + k * size, self.record)
                };
                found.push((own, Place { field, offset, stride }));
            }
        }
        found
    }
}

/// The values of one column; `labels` are the texts met so far, so that equal ones share their letters.
fn decode(body: &[u8], rows: usize, place: &Place<'_>, labels: &mut HashMap<Vec<u8>, Arc<str>>) -> Values {
    let kind = place.field.kind;
    let size = kind.size();
    let cell = |row: usize| {
        let at = place.offset + row * place.stride;
        body.get(at..at + size).unwrap_or(&[])
    };
    let big = place.field.big;
    let rows = 0..rows;
    match kind {
        Kind::Bool => Values::Integer(rows.map(|r| i64::from(cell(r).iter().any(|b| *b != 0))).collect()),
        Kind::Integer(_) => Values::Integer(rows.map(|r| signed(cell(r), big)).collect()),
        Kind::Unsigned(_) => {
            let numbers: Vec<u64> = rows.map(|r| unsigned(cell(r), big)).collect();
            // A number above 2^63 - 1 makes its column floats, as in NumPy.
            match numbers.iter().map(|n| i64::try_from(*n)).collect::<Result<Vec<i64>, _>>() {
                Ok(whole) => Values::Integer(whole),
                Err(_) => Values::F64(numbers.iter().map(|n| *n as f64).collect()),
            }
        }
        Kind::Float(_) => Values::F64(rows.map(|r| float(cell(r), big)).collect()),
        Kind::Complex(n) => Values::Complex(
            rows.map(|r| {
                let (re, im) = cell(r).split_at((n / 2).min(cell(r).len()));
                (float(re, big), float(im, big))
            })
            .collect(),
        ),
        Kind::Bytes(_) | Kind::Unicode(_) => Values::Label(
            rows.map(|r| {
                let raw = cell(r);
                if let Some(known) = labels.get(raw) {
                    return known.clone();
                }
                let text: Arc<str> = match kind {
                    Kind::Bytes(_) => raw.iter().map(|b| char::from(*b)).collect::<String>(),
                    _ => raw
                        .chunks_exact(4)
                        .map(|c| {
                            char::from_u32(unsigned(c, big) as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
                        })
                        .collect(),
                }
                .trim_end_matches('\0')
                .into();
                labels.insert(raw.to_vec(), text.clone());
                text
            })
            .collect(),
        ),
    }
}

fn unsigned(bytes: &[u8], big: bool) -> u64 {
    let join = |n: u64, b: &u8| n << 8 | u64::from(*b);
    if big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
}

fn signed(bytes: &[u8], big: bool) -> i64 {
    let shift = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    (unsigned(bytes, big) << shift) as i64 >> shift
}

/// A float of 2, 4 or 8 bytes (IEEE 754 binary16, 32, 64).
fn float(bytes: &[u8], big: bool) -> f64 {
    let bits = unsigned(bytes, big);
    match bytes.len() {
        8 => f64::from_bits(bits),
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => {
            let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
            let (exponent, mantissa) = ((bits >> 10 & 0x1F) as i32, (bits & 0x3FF) as f64);
            sign * match exponent {
                0 => mantissa * 2f64.powi(-24),
                0x1F if mantissa == 0.0 => f64::INFINITY,
                0x1F => f64::NAN,
                _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
            }
        }
    }
}

/// An array of one or two dimensions as an NPY file: `columns` of one kind and length, in C order. One column
/// without `table` is an array of one dimension.
pub(super) fn array(columns: &[&Values], table: bool) -> Vec<u8> {
    let rows = columns.first().map_or(0, |c| c.len());
    let descr = columns.iter().map(|c| Descr::of(c)).reduce(Descr::both).unwrap_or(Descr::Float);
    let shape = if table { format!("({rows}, {})", columns.len()) } else { format!("({rows},)") };
    let mut out = header::text(&format!("'{}'", descr.code()), &shape);
    for row in 0..rows {
        for column in columns {
            descr.write(column, row, &mut out);
        }
    }
    out
}

/// Columns with names as an NPY file of a structured type.
pub(super) fn structured(columns: &[(String, &Values)]) -> Vec<u8> {
    let rows = columns.first().map_or(0, |c| c.1.len());
    let descrs: Vec<Descr> = columns.iter().map(|(_, c)| Descr::of(c)).collect();
    let fields: Vec<String> = columns
        .iter()
        .zip(&descrs)
        .map(|((name, _), d)| format!("({}, '{}')", header::quoted(name), d.code()))
        .collect();
    let mut out = header::text(&format!("[{}]", fields.join(", ")), &format!("({rows},)"));
    for row in 0..rows {
        for ((_, column), descr) in columns.iter().zip(&descrs) {
            descr.write(column, row, &mut out);
        }
    }
    out
}

/// How values are written, all in little-endian order.
#[derive(Clone, Copy, PartialEq)]
enum Descr {
    Integer,
    Float,
    Complex,
    /// UTF-32, so many characters.
    Unicode(usize),
}

impl Descr {
    fn of(values: &Values) -> Descr {
        match values {
            Values::Integer(_) => Descr::Integer,
            Values::F64(_) => Descr::Float,
            Values::Complex(_) => Descr::Complex,
            Values::Label(v) => Descr::Unicode(v.iter().map(|t| t.chars().count()).max().unwrap_or(0).max(1)),
        }
    }

    /// What holds values of both.
    fn both(self, other: Descr) -> Descr {
        match (self, other) {
            (Descr::Unicode(a), Descr::Unicode(b)) => Descr::Unicode(a.max(b)),
            (Descr::Unicode(a), _) | (_, Descr::Unicode(a)) => Descr::Unicode(a),
            (Descr::Complex, _) | (_, Descr::Complex) => Descr::Complex,
            (Descr::Float, _) | (_, Descr::Float) => Descr::Float,
            _ => Descr::Integer,
        }
    }

    fn code(self) -> String {
        match self {
            Descr::Integer => "<i8".to_string(),
            Descr::Float => "<f8".to_string(),
            Descr::Complex => "<c16".to_string(),
            Descr::Unicode(n) => format!("<U{n}"),
        }
    }

    fn write(self, values: &Values, row: usize, out: &mut Vec<u8>) {
        match (self, values) {
            (Descr::Integer, Values::Integer(v)) => out.extend(v[row].to_le_bytes()),
            (Descr::Float, Values::F64(v)) => out.extend(v[row].to_le_bytes()),
            (Descr::Float, Values::Integer(v)) => out.extend((v[row] as f64).to_le_bytes()),
            (Descr::Complex, Values::Complex(v)) => {
                out.extend(v[row].0.to_le_bytes());
                out.extend(v[row].1.to_le_bytes());
            }
            (Descr::Complex, Values::F64(v)) => {
                out.extend(v[row].to_le_bytes());
                out.extend(0f64.to_le_bytes());
            }
            (Descr::Complex, Values::Integer(v)) => {
                out.extend((v[row] as f64).to_le_bytes());
                out.extend(0f64.to_le_bytes());
            }
            (Descr::Unicode(n), Values::Label(v)) => {
                let mut letters = 0;
                for c in v[row].chars().take(n) {
                    out.extend((c as u32).to_le_bytes());
                    letters += 1;
                }
                out.extend(std::iter::repeat_n(0u8, 4 * (n - letters)));
            }
            (Descr::Unicode(n), _) => out.extend(std::iter::repeat_n(0u8, 4 * n)),
            (Descr::Integer | Descr::Float, _) | (Descr::Complex, Values::Label(_)) => {
                out.extend(f64::NAN.to_le_bytes());
            }
        }
    }
}
