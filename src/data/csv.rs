//! Reads CSV files (RFC 4180 with a header line). A header is `name [unit]`; `± v [km/s]` heads the standard
//! errors of `v`. A column whose cells are all texts is a label; where most are numbers, a text is a fault.
//! Cells are trimmed; a byte order mark and CRLF are allowed; empty lines are passed over.

use super::column::{Column, Role, Values};
use super::dataset::Dataset;
use super::error::{DataError, Place, short};
use super::write::reason;
use crate::base::{Code, Diagnostic, Fault, hash, suggest};
use crate::syntax;
use crate::units::{Catalogue, Unit};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What to do about empty cells in columns of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Missing {
    /// Report the first.
    #[default]
    Fault,
    /// Leave out the rows that have one.
    Drop,
    /// Keep the rows, with a mask.
    Keep,
}

/// How to read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadOptions {
    /// Empty cells.
    pub missing: Missing,
    /// The headers of a file that has none: a CSV file of rows only, a plain array.
    pub headers: Option<Vec<String>>,
    /// The one array of an NPZ file to read.
    pub member: Option<String>,
    /// Whether the rows of an array of two dimensions are arrays, not a column for each of their numbers.
    pub whole: bool,
}

impl ReadOptions {
    /// Only what to do about empty cells.
    pub fn missing(missing: Missing) -> ReadOptions {
        ReadOptions { missing, ..ReadOptions::default() }
    }
}

/// Reads a CSV file.
///
/// # Errors
/// The first fault, with its row and column; see [`DataError`].
pub fn read_csv(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Dataset, DataError> {
    let text = read_text(path)?;
    read_csv_text(&path.display().to_string(), &text, catalogue, options)
}

/// Names of columns, each with its unit where the header has one.
pub type Names = Vec<(Arc<str>, Option<Unit>)>;

/// The names and units of a CSV file's columns, without those of errors.
///
/// # Errors
/// As [`read_csv`], for the header.
pub(super) fn read_names(
    path: &Path,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Names, DataError> {
    let text = read_text(path)?;
    let file = path.display().to_string();
    let headers = match &options.headers {
        Some(given) => given_headers(&file, given, catalogue)?,
        None => {
            let first = reader(without_mark(&text)).records().next();
            let first = first.ok_or_else(|| DataError::Empty { path: file.clone() })?;
            let (_, cells) = record(&file, first)?;
            let headers = headers(&file, &cells, catalogue)?.into_iter();
            headers.map(|h| (h.name, h.unit, h.errors)).collect()
        }
    };
    Ok(headers.into_iter().filter(|h| !h.2).map(|(name, unit, _)| (name, unit)).collect())
}

/// Name, unit, whether the column holds errors.
pub(super) type GivenHeader = (Arc<str>, Option<Unit>, bool);

/// Headers as options give them.
pub(super) fn given_headers(
    file: &str,
    given: &[String],
    catalogue: &Catalogue,
) -> Result<Vec<GivenHeader>, DataError> {
    let found = headers_of(file, given, catalogue)?.into_iter();
    Ok(found.map(|h| (h.name, h.unit, h.errors)).collect())
}

/// The fault of headers that are more or fewer than the columns.
pub(super) fn check_count(file: &str, given: usize, columns: usize) -> Result<(), DataError> {
    if given == columns {
        return Ok(());
    }
    let (expected, found) = (columns, given);
    Err(DataError::HeaderCount { file: file.to_string(), expected, found })
}

/// Reads CSV from text; `name` is what messages call it.
///
/// # Errors
/// As [`read_csv`].
pub fn read_csv_text(
    name: &str,
    text: &str,
    catalogue: &Catalogue,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    let mut records = records(name, text)?.into_iter().peekable();
    let Some((_, first)) = records.peek() else { return Err(DataError::Empty { path: name.to_string() }) };
    let headers = match &options.headers {
        Some(given) => {
            check_count(name, given.len(), first.len())?;
            headers_of(name, given, catalogue)?
        }
        None => {
            let headers = headers(name, first, catalogue)?;
            records.next();
            headers
        }
    };
    let rows: Vec<(u64, Vec<String>)> = records.collect();
    if rows.is_empty() {
        return Err(DataError::NoRows { file: name.to_string() });
    }
    for (row, (line, cells)) in rows.iter().enumerate() {
        if cells.len() != headers.len() {
            return Err(DataError::Ragged {
                file: name.to_string(),
                row,
                line: *line,
                expected: headers.len(),
                found: cells.len(),
            });
        }
    }
    let table = Table { file: name, headers: &headers, rows: &rows };
    let columns = (0..headers.len()).map(|k| table.column(k, options)).collect::<Result<Vec<_>, _>>()?;
    assemble(name, columns, options)
}

/// The fault of a path that leads to no file.
pub(super) fn check_file(path: &Path) -> Result<(), DataError> {
    let shown = path.display().to_string();
    if path.is_dir() {
        let file = csv_files(path).into_iter().next();
        let example = match file {
            Some(file) => Some(format!("read(\"{}\")", path.join(file).display())),
            None => super::images::is_folder_of_images(path).then(|| format!("images(\"{shown}\")")),
        };
        return Err(DataError::Directory { path: shown, example });
    }
    match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(DataError::NotFound { path: shown, nearest: nearest_file(path) })
        }
        Err(e) => Err(DataError::Unreadable { path: shown, reason: reason(&e) }),
        Ok(_) => Ok(()),
    }
}

fn read_text(path: &Path) -> Result<String, DataError> {
    check_file(path)?;
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|e| DataError::Unreadable { path: shown.clone(), reason: reason(&e) })?;
    let not_text = |found: String, latin| DataError::NotText { path: shown.clone(), found, latin };
    if let Some(at) = bytes.iter().take(8192).position(|b| *b == 0) {
        return Err(not_text(format!("the byte 0x00 at {at}"), false));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let bytes = e.as_bytes();
        // Mostly printable: text in an older encoding; else no text at all.
        let odd = bytes.iter().filter(|b| **b < 9 || (14..32).contains(*b)).count();
        let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
        not_text(format!("the byte 0x{:02X} in line {line}", bytes[at]), odd == 0)
    })
}

fn csv_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| n.ends_with(".csv") || n.ends_with(".CSV"))
        .collect();
    names.sort();
    names
}

fn nearest_file(path: &Path) -> Option<String> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let wanted = path.file_name()?.to_str()?;
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    let with_ending = format!("{wanted}.csv");
    let found = match names.iter().find(|n| **n == with_ending) {
        Some(n) => n,
        None => suggest::nearest(wanted, names.iter().map(String::as_str))?,
    };
    Some(path.with_file_name(found).display().to_string())
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// Line and trimmed cells of a record.
fn record(
    file: &str,
    record: Result<csv::StringRecord, csv::Error>,
) -> Result<(u64, Vec<String>), DataError> {
    let record = record.map_err(|e| DataError::Unreadable {
        path: file.to_string(),
        reason: e.to_string().to_lowercase(),
    })?;
    let line = record.position().map_or(0, csv::Position::line);
    Ok((line, record.iter().map(str::to_string).collect()))
}

/// All records but empty lines.
fn records(file: &str, text: &str) -> Result<Vec<(u64, Vec<String>)>, DataError> {
    let mut found = Vec::new();
    for next in reader(without_mark(text)).records() {
        let (line, cells) = record(file, next)?;
        if !(cells.len() == 1 && cells[0].is_empty()) {
            found.push((line, cells));
        }
    }
    Ok(found)
}

struct Header {
    name: Arc<str>,
    unit: Option<Unit>,
    errors: bool,
}

fn headers(file: &str, cells: &[String], catalogue: &Catalogue) -> Result<Vec<Header>, DataError> {
    if let [only] = cells {
        for (sign, found) in [(';', "semicolons"), ('\t', "tabs")] {
            if only.contains(sign) {
                let shown = if sign == '\t' { "\\t" } else { ";" };
                let command = format!("tr '{shown}' ',' < '{file}' > commas.csv");
                return Err(DataError::Separator { file: file.to_string(), found, command });
            }
        }
    }
    // A byte order mark may stand in the middle of a file that was put together.
    let bare = |c: char| c.is_whitespace() || c == '\u{FEFF}';
    if cells.iter().all(|c| c.trim_matches(bare).parse::<f64>().is_ok()) {
        let names: Vec<String> = (1..=cells.len()).map(|k| format!("x{k}")).collect();
        return Err(DataError::NumericHeader {
            file: file.to_string(),
            found: cells.join(","),
            hint: names.join(","),
        });
    }
    headers_of(file, cells, catalogue)
}

fn headers_of(file: &str, cells: &[String], catalogue: &Catalogue) -> Result<Vec<Header>, DataError> {
    let mut headers: Vec<Header> = Vec::with_capacity(cells.len());
    let mut places: HashMap<(Arc<str>, bool), usize> = HashMap::with_capacity(cells.len());
    for (k, cell) in cells.iter().enumerate() {
        let header = header(file, k + 1, cell.trim(), catalogue)?;
        if let Some(at) = places.insert((header.name.clone(), header.errors), k) {
            let name = if header.errors { format!("± {}", header.name) } else { header.name.to_string() };
            return Err(DataError::DuplicateHeader { name, first: at + 1, second: k + 1 });
        }
        headers.push(header);
    }
    if let Some(lone) = headers.iter().find(|h| h.errors && !places.contains_key(&(h.name.clone(), false))) {
        let names: Vec<&str> = headers.iter().filter(|h| !h.errors).map(|h| &*h.name).collect();
        return Err(DataError::ErrorsWithoutColumn {
            name: lone.name.to_string(),
            nearest: suggest::nearest(&lone.name, names).map(str::to_string),
        });
    }
    Ok(headers)
}

fn header(file: &str, column: usize, cell: &str, catalogue: &Catalogue) -> Result<Header, DataError> {
    let unreadable = |found: String, hint| DataError::Header { file: file.to_string(), column, found, hint };
    if cell.is_empty() {
        return Err(unreadable("an empty cell".to_string(), Some(format!("x{column}"))));
    }
    let bad_unit = |name: &str, message: String, hint| {
        let (file, column) = (file.to_string(), name.to_string());
        DataError::HeaderUnit { file, column, message, hint }
    };
    let bare = |cell: &str| cell.split('[').next().unwrap_or(cell).trim().to_string();
    let (name, unit, errors) = syntax::parse_header(cell).map_err(|d| {
        if bare(cell).trim_start_matches('±').trim().is_empty() {
            unreadable(format!("`{}`", short(cell)), Some(format!("x{column} {}", short(cell))))
        } else {
            bad_unit(&bare(cell), d.message, d.hint)
        }
    })?;
    if unit.is_none() && name.contains(['[', ']']) {
        let bare = bare(cell);
        let message = format!("expected `{} [unit]`, found `{}`", short(&bare), short(cell));
        return Err(bad_unit(&bare, message, Some(format!("{} [m]", short(&bare)))));
    }
    let unit = match unit {
        None => None,
        Some(unit) => {
            let found = catalogue.resolve(&unit);
            Some(found.map_err(|(e, _)| bad_unit(&name, e.to_string(), e.hint()))?)
        }
    };
    Ok(Header { name: column_name(name), unit, errors })
}

/// The name of a column as names are compared. The normal form of a few letters, such as U+FE7E, begins with a blank,
/// which a header cannot keep.
pub(super) fn column_name(name: Arc<str>) -> Arc<str> {
    if !syntax::is_name(&name) {
        return name;
    }
    let normal = syntax::normalise_name(&name);
    let trimmed = normal.trim();
    if trimmed.len() == normal.len() { normal } else { trimmed.into() }
}

struct Table<'a> {
    file: &'a str,
    headers: &'a [Header],
    rows: &'a [(u64, Vec<String>)],
}

/// How a cell reads.
enum Read {
    Empty,
    Number,
    NotFinite,
    Text,
}

fn read_cell(cell: &str) -> Read {
    match cell {
        "" => Read::Empty,
        // What tables write for a missing number.
        "NA" | "N/A" | "n/a" | "null" | "None" | "-" | "--" => Read::Empty,
        _ => match cell.parse::<f64>() {
            // An overflow to infinity, such as 1e999, is written with digits.
            Ok(x) if x.is_finite() => Read::Number,
            Ok(_) => Read::NotFinite,
            Err(_) => Read::Text,
        },
    }
}

impl Table<'_> {
    fn place(&self, row: usize, column: usize) -> Place {
        let header = &self.headers[column];
        let name = if header.errors { format!("± {}", header.name) } else { header.name.to_string() };
        Place { file: self.file.to_string(), row, line: self.rows[row].0, column: name }
    }

    fn cells(&self, k: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |(_, cells)| cells[k].as_str())
    }

    fn column(&self, k: usize, options: &ReadOptions) -> Result<Column, DataError> {
        let header = &self.headers[k];
        let (mut numbers, mut texts, mut odd) = (0usize, 0usize, 0usize);
        for cell in self.cells(k) {
            match read_cell(cell) {
                Read::Number => numbers += 1,
                Read::Text => texts += 1,
                Read::NotFinite => odd += 1,
                Read::Empty => {}
            }
        }
        let must_be_numbers = header.unit.is_some() || header.errors;
        if texts > 0 && numbers + odd <= texts && !must_be_numbers {
            let labels = self.cells(k).map(Arc::from).collect();
            return Ok(Column::new(&header.name, None, Values::Label(labels)));
        }
        let mut missing = vec![false; self.rows.len()];
        for (row, cell) in self.cells(k).enumerate() {
            match read_cell(cell) {
                Read::Number => {}
                Read::Empty if options.missing == Missing::Fault => {
                    return Err(DataError::MissingCell { place: self.place(row, k) });
                }
                Read::Empty => missing[row] = true,
                Read::NotFinite => {
                    return Err(DataError::NotFinite { place: self.place(row, k), text: cell.to_string() });
                }
                Read::Text => {
                    return Err(DataError::TextCell { place: self.place(row, k), text: cell.to_string() });
                }
            }
        }
        let values = self.numbers(k, &missing, header.errors);
        let mut column = Column::new(&header.name, header.unit.clone(), values);
        column.decimals = self.cells(k).zip(&missing).filter(|(_, m)| !**m).map(|(c, _)| decimals(c)).max();
        column.missing = missing.contains(&true).then_some(missing);
        if header.errors {
            column.role = Role::Error;
            let negative = column.floats_in_unit().iter().position(|e| *e < 0.0);
            if let Some(row) = negative {
                let value = column.floats_in_unit()[row];
                return Err(DataError::NegativeError { place: self.place(row, k), value });
            }
        }
        Ok(column)
    }

    /// Whole numbers where every cell is one, unless floats are asked for.
    fn numbers(&self, k: usize, missing: &[bool], floats: bool) -> Values {
        let cells = || self.cells(k).zip(missing);
        if !floats {
            let whole: Option<Vec<i64>> =
                cells().map(|(c, m)| if *m { Some(0) } else { c.parse().ok() }).collect();
            if let Some(whole) = whole {
                return Values::Integer(whole);
            }
        }
        Values::F64(cells().map(|(c, m)| if *m { f64::NAN } else { c.parse().unwrap_or(f64::NAN) }).collect())
    }
}

/// Digits after the point, less the exponent.
fn decimals(cell: &str) -> i32 {
    let (mantissa, exponent) = match cell.find(['e', 'E']) {
        Some(at) => (&cell[..at], cell[at + 1..].parse::<i32>().unwrap_or(0)),
        None => (cell, 0),
    };
    let after = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
    after.saturating_sub(exponent)
}

/// Attaches errors to their columns, leaves incomplete rows out, and notes equal columns.
pub(super) fn assemble(
    file: &str,
    columns: Vec<Column>,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    let (errors, mut columns): (Vec<Column>, Vec<Column>) =
        columns.into_iter().partition(|c| c.role == Role::Error);
    let places: HashMap<Arc<str>, usize> =
        columns.iter().enumerate().map(|(at, c)| (c.name.clone(), at)).collect();
    for error in errors {
        let Some(column) = places.get(&error.name).map(|at| &mut columns[*at]) else { continue };
        let mut sizes = error.floats_in_unit();
        if let Some(unit) = &error.unit {
            let own = column.unit.get_or_insert_with(Unit::one);
            // Errors have a factor also where values have an offset: 0.5 degC is 0.5 K.
            let factor = if own == unit {
                1.0
            } else if own.dimension() == unit.dimension() && !own.is_logarithmic() {
                unit.scale().div(own.scale()).to_f64()
            } else {
                return Err(DataError::HeaderUnit {
                    file: file.to_string(),
                    column: format!("± {}", column.name),
                    message: format!("expected [{own}], found [{unit}]"),
                    hint: Some(format!("± {}", column.header())),
                });
            };
            sizes.iter_mut().for_each(|s| *s *= factor);
        }
        if let Some(lost) = &error.missing {
            let missing = column.missing.get_or_insert_with(|| vec![false; lost.len()]);
            missing.iter_mut().zip(lost).for_each(|(m, l)| *m |= l);
        }
        column.errors = Some(sizes);
    }
    let mut data = Dataset::new(file, columns)?;
    if options.missing == Missing::Drop {
        let complete = data.complete_rows(&[]);
        let lost = data.rows() - complete.len();
        if complete.is_empty() {
            return Err(DataError::NoRows { file: file.to_string() });
        }
        if lost > 0 {
            data = data.take(&complete)?;
            let message = format!("{lost} rows of {} with missing cells were left out", file);
            data.notes.push(Diagnostic::notice(Code(3011), None, message));
        }
    }
    note_equal_columns(&mut data);
    Ok(data)
}

/// Notes the columns that repeat another, the first few of them.
fn note_equal_columns(data: &mut Dataset) {
    const MOST: usize = 8;
    if data.rows() < 2 {
        return;
    }
    let mut met: HashMap<u64, Vec<Arc<Column>>> = HashMap::new();
    let mut notes = Vec::new();
    for b in data.columns().iter().filter(|c| c.is_numeric()) {
        let same = |a: &Arc<Column>| a.values == b.values && a.unit == b.unit && a.missing == b.missing;
        let alike = met.entry(digest(b)).or_default();
        match alike.iter().find(|a| same(a)) {
            None => alike.push(b.clone()),
            Some(_) if notes.len() >= MOST => {}
            Some(a) => {
                let message = format!(
                    "expected different columns, found the same numbers in `{}` and `{}`",
                    short(&a.name),
                    short(&b.name)
                );
                let rest: Vec<&str> = data.names().filter(|n| *n != &*b.name).take(12).collect();
                let hint = format!("select(d, {})", rest.join(", "));
                notes.push(Diagnostic::warning(Code(3020), None, message).hint(hint));
            }
        }
    }
    data.notes.extend(notes);
}

/// A number that is equal for equal values.
fn digest(column: &Column) -> u64 {
    let combine = |n: u64, bits: u64| hash::combine(n, bits);
    match &column.values {
        Values::F64(v) => v.iter().fold(1, |n, x| combine(n, (x + 0.0).to_bits())),
        Values::Integer(v) => v.iter().fold(2, |n, x| combine(n, *x as u64)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
