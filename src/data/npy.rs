//! NumPy's NPY format, versions 1 to 3 (numpy.lib.format): magic bytes, a Python dictionary as text that says type,
//! order and shape, then the values. Read are booleans, integers, floats, complex numbers and texts of one or two
//! dimensions in either byte order and either element order, real numbers of more dimensions (an array a row), and
//! structured types, whose fields become columns.
//! Nothing is allocated for values that the file does not hold: sizes are checked before.

mod header;
#[cfg(test)]
mod tests;

use super::column::Values;
use super::error::DataError;
use super::stack::{Numbers, Stack};
use header::{Field, Header, Kind};
use std::collections::HashMap;
use std::sync::Arc;

/// Arrays have at most this many columns.
pub(super) const MAX_COLUMNS: usize = 100_000;

/// Names with values, of one length each.
pub(super) type Arrays = Vec<(String, Values)>;

/// The columns of an NPY file. `base` names an array without fields: itself where it has one dimension, with the
/// column's number where it has two, unless `whole` keeps such a row as an array.
///
/// # Errors
/// Bytes that are no such file, another type, texts of more than two dimensions, missing or further bytes.
pub(super) fn parse(file: &str, base: &str, bytes: &[u8], whole: bool) -> Result<Arrays, DataError> {
    let (header, start) = header::parse(file, bytes)?;
    let body = &bytes[start..];
    let layout = Layout::of(file, &header, Some(body.len() as u64), whole)?;
    let mut labels = HashMap::new();
    let columns = layout.columns(base).into_iter();
    Ok(columns.map(|(name, place)| (name, decode(body, layout.rows, &place, &mut labels))).collect())
}

/// The names of the columns, from the first bytes of a file.
///
/// # Errors
/// As [`parse`], for what stands before the values.
pub(super) fn names(file: &str, base: &str, bytes: &[u8], whole: bool) -> Result<Vec<String>, DataError> {
    let (header, _) = header::parse(file, bytes)?;
    let layout = Layout::of(file, &header, None, whole)?;
    Ok(layout.columns(base).into_iter().map(|(name, _)| name).collect())
}

/// Where the values lie.
struct Layout<'a> {
    rows: usize,
    /// The fields of a record, or the one kind of a plain array.
    fields: &'a [Field],
    /// Bytes from one row to the next, but for Fortran order.
    record: usize,
    /// Sizes of a row of a plain array.
    across: &'a [u64],
    /// Whether such an array lies with its first axis fastest.
    fortran: bool,
    /// Whether rows of one axis are arrays, too.
    whole: bool,
}

/// One column: its kind, where its first value lies, how far the next is.
struct Place<'a> {
    field: &'a Field,
    offset: usize,
    stride: usize,
    /// Of arrays their sizes, and from one element to the next along each axis.
    array: Option<(Vec<usize>, Vec<usize>)>,
}

impl<'a> Layout<'a> {
    /// `available` are the bytes that follow the header, where they are known.
    fn of(
        file: &str,
        header: &'a Header,
        available: Option<u64>,
        whole: bool,
    ) -> Result<Layout<'a>, DataError> {
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
        let wrong_shape = |expected: &str, found: String, hint: &str| DataError::NpyShape {
            path: file.to_string(),
            expected: expected.to_string(),
            found,
            hint: hint.to_string(),
        };
        let across = header.shape.get(1..).unwrap_or(&[]);
        if !across.is_empty() && !header.plain {
            let hint = "write one dimension of records: numpy.save(\"x.npy\", x.ravel())";
            return Err(wrong_shape("one dimension of records", format!("the shape {shape}"), hint));
        }
        let arrays = |axes: usize| axes > 1 || (whole && axes == 1);
        let no_numbers = |f: &&Field| {
            let axes = if header.plain { across.len() } else { f.sizes.as_ref().map_or(0, Vec::len) };
            arrays(axes) && !f.kind.is_real()
        };
        if let Some(field) = header.fields.iter().find(no_numbers) {
            let complex = matches!(field.kind, Kind::Complex(_));
            let what = if complex { "complex numbers" } else { "texts" };
            let hint = match complex {
                true => "write real and imaginary parts: numpy.savez(\"x.npz\", re=x.real, im=x.imag)",
                false => "write one dimension of texts: numpy.save(\"x.npy\", x.ravel())",
            };
            let found = format!("{what} in the shape {shape}");
            return Err(wrong_shape("arrays of real numbers", found, hint));
        }
        let many = |n: u64, axes: usize, count: u64| n.saturating_add(if arrays(axes) { 1 } else { count });
        let columns = match across {
            [] => header.fields.iter().fold(0, |n, f| many(n, f.sizes.as_ref().map_or(0, Vec::len), f.count)),
            axes => many(0, axes.len(), axes[0]),
        };
        let rows = header.shape.first().copied().unwrap_or(1);
        if rows == 0 || columns == 0 || across.contains(&0) {
            return Err(DataError::NoRows { file: file.to_string() });
        }
        let record = across.iter().try_fold(header.size, |n, d| n.checked_mul(*d));
        let bytes = record.and_then(|n| n.checked_mul(rows)).filter(|n| *n <= i64::MAX as u64);
        let (Some(record), Some(bytes)) = (record, bytes) else {
            return Err(wrong_size("more bytes than can be addressed".into(), available.unwrap_or(0)));
        };
        if let Some(found) = available.filter(|n| *n != bytes) {
            return Err(wrong_size(format!("{bytes} bytes of values"), found));
        }
        if columns > MAX_COLUMNS as u64 {
            let most = format!("at most {MAX_COLUMNS} columns");
            let hint = format!("read(\"{file}\", as: arrays)");
            return Err(wrong_shape(&most, format!("{columns}"), &hint));
        }
        Ok(Layout {
            rows: rows as usize,
            fields: &header.fields,
            record: record as usize,
            across,
            fortran: header.fortran && !across.is_empty(),
            whole,
        })
    }

    /// The columns with their names; `base` is that of an array without fields.
    fn columns(&self, base: &str) -> Vec<(String, Place<'a>)> {
        let mut found = Vec::new();
        for field in self.fields {
            let name = field.name.as_deref().unwrap_or(base);
            let parted = if name.ends_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
            let size = field.kind.size();
            let axes = field.sizes.as_deref().unwrap_or(self.across);
            let stride = if self.fortran { size } else { self.record };
            if axes.len() > 1 || (self.whole && axes.len() == 1) {
                let sizes: Vec<usize> = axes.iter().map(|d| *d as usize).collect();
                let steps = match self.fortran {
                    true => (0..sizes.len())
                        .map(|k| sizes[..k].iter().product::<usize>() * self.rows * size)
                        .collect(),
                    false => {
                        (0..sizes.len()).map(|k| sizes[k + 1..].iter().product::<usize>() * size).collect()
                    }
                };
                let array = Some((sizes, steps));
                found.push((name.to_string(), Place { field, offset: field.offset as usize, stride, array }));
                continue;
            }
            let count = axes.first().map_or(field.count, |n| *n) as usize;
            for k in 0..count {
                let own = if axes.is_empty() { name.to_string() } else { format!("{name}{parted}{k}") };
                let step = if self.fortran { self.rows * size } else { size };
                let offset = field.offset as usize + k * step;
                found.push((own, Place { field, offset, stride, array: None }));
            }
        }
        found
    }
}

/// The values of one column; `labels` are the texts met so far, so that equal ones share their letters.
fn decode(body: &[u8], rows: usize, place: &Place<'_>, labels: &mut HashMap<Vec<u8>, Arc<str>>) -> Values {
    let kind = place.field.kind;
    let size = kind.size();
    if let Some((sizes, steps)) = &place.array {
        return decode_arrays(body, rows, place, sizes, steps);
    }
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

/// The arrays of one column, in the least precision that holds every number of its kind (whole numbers of 32 and 64
/// bits as floats).
fn decode_arrays(body: &[u8], rows: usize, place: &Place<'_>, sizes: &[usize], steps: &[usize]) -> Values {
    let mut places = vec![0usize];
    for (n, step) in sizes.iter().zip(steps) {
        places = places.iter().flat_map(|p| (0..*n).map(move |k| p + k * step)).collect();
    }
    let (kind, big) = (place.field.kind, place.field.big);
    let size = kind.size();
    let places = &places;
    let cells = (0..rows).flat_map(|row| places.iter().map(move |p| place.offset + row * place.stride + p));
    let cells = cells.map(|at| body.get(at..at + size).unwrap_or(&[]));
    let numbers: Numbers = match kind {
        Kind::Bool => cells.map(|c| u8::from(c.iter().any(|b| *b != 0))).collect::<Vec<u8>>().into(),
        Kind::Unsigned(1) => cells.map(|c| c.first().copied().unwrap_or(0)).collect::<Vec<u8>>().into(),
        Kind::Unsigned(2) => cells.map(|c| unsigned(c, big) as f32).collect::<Vec<f32>>().into(),
        Kind::Unsigned(_) => cells.map(|c| unsigned(c, big) as f64).collect::<Vec<f64>>().into(),
        Kind::Integer(1 | 2) => cells.map(|c| signed(c, big) as f32).collect::<Vec<f32>>().into(),
        Kind::Integer(_) => cells.map(|c| signed(c, big) as f64).collect::<Vec<f64>>().into(),
        Kind::Float(8) => cells.map(|c| float(c, big)).collect::<Vec<f64>>().into(),
        _ => cells.map(|c| float(c, big) as f32).collect::<Vec<f32>>().into(),
    };
    match Stack::new(sizes, numbers) {
        Some(stack) => Values::Array(stack),
        // Sizes were checked: no axis is empty, and every row is whole.
        None => Values::F64(Vec::new()),
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
    let shape = match columns {
        [Values::Array(stack)] => format!("({rows}, {})", sizes_text(stack)),
        _ if table => format!("({rows}, {})", columns.len()),
        _ => format!("({rows},)"),
    };
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
        .map(|((name, values), d)| match values {
            Values::Array(s) => format!("({}, '{}', ({},))", header::quoted(name), d.code(), sizes_text(s)),
            _ => format!("({}, '{}')", header::quoted(name), d.code()),
        })
        .collect();
    let mut out = header::text(&format!("[{}]", fields.join(", ")), &format!("({rows},)"));
    for row in 0..rows {
        for ((_, column), descr) in columns.iter().zip(&descrs) {
            descr.write(column, row, &mut out);
        }
    }
    out
}

/// Sizes within a tuple: `1, 28, 28`.
fn sizes_text(stack: &Stack) -> String {
    stack.sizes().iter().map(usize::to_string).collect::<Vec<String>>().join(", ")
}

/// How values are written, all in little-endian order.
#[derive(Clone, Copy, PartialEq)]
enum Descr {
    Byte,
    Single,
    Integer,
    Float,
    Complex,
    /// UTF-32, so many characters.
    Unicode(usize),
}

impl Descr {
    fn of(values: &Values) -> Descr {
        match values {
            Values::Array(s) => match s.numbers() {
                Numbers::U8(_) => Descr::Byte,
                Numbers::F32(_) => Descr::Single,
                Numbers::F64(_) => Descr::Float,
            },
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
            (Descr::Byte, Descr::Byte) => Descr::Byte,
            (Descr::Single, Descr::Single) => Descr::Single,
            (Descr::Float | Descr::Single | Descr::Byte, _)
            | (_, Descr::Float | Descr::Single | Descr::Byte) => Descr::Float,
            _ => Descr::Integer,
        }
    }

    fn code(self) -> String {
        match self {
            Descr::Byte => "|u1".to_string(),
            Descr::Single => "<f4".to_string(),
            Descr::Integer => "<i8".to_string(),
            Descr::Float => "<f8".to_string(),
            Descr::Complex => "<c16".to_string(),
            Descr::Unicode(n) => format!("<U{n}"),
        }
    }

    fn write(self, values: &Values, row: usize, out: &mut Vec<u8>) {
        match (self, values) {
            (_, Values::Array(s)) => {
                let own = s.span(row);
                match s.numbers() {
                    Numbers::U8(x) => out.extend_from_slice(&x[own]),
                    Numbers::F32(x) => x[own].iter().for_each(|x| out.extend(x.to_le_bytes())),
                    Numbers::F64(x) => x[own].iter().for_each(|x| out.extend(x.to_le_bytes())),
                }
            }
            // Arrays alone are written in these.
            (Descr::Byte | Descr::Single, _) => {}
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
