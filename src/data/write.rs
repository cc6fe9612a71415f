//! Writes files whole or not at all: the bytes go to a new file beside the old, which then takes its place by a
//! rename (atomic on POSIX file systems). Datasets are written as CSV that reads back as it was.

use super::column::Values;
use super::dataset::Dataset;
use super::error::DataError;
use super::stack::Stack;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file atomically; on a fault the old file, if any, is unchanged.
///
/// # Errors
/// [`DataError::Write`] with the system's reason.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let fault = |reason: String| DataError::Write { path: path.display().to_string(), reason };
    if path.is_dir() {
        return Err(fault("a directory of that name".to_string()));
    }
    // A link keeps pointing to the file that is replaced.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = place.file_name().ok_or_else(|| fault("no file name".to_string()))?.to_string_lossy();
    let folder = match place.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return Err(fault(format!("no folder {}", folder.display())));
    }
    let mut count = 0;
    let (beside, mut file) = loop {
        let beside = folder.join(format!(".{name}.part{}-{count}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => break (beside, file),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && count < 1000 => count += 1,
            Err(e) => return Err(fault(reason(&e))),
        }
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let rights = fs::metadata(&place).map(|m| m.permissions());
    if let Ok(rights) = rights {
        // The new file is as readable as the old; where that fails it has the default rights.
        let _ = fs::set_permissions(&beside, rights);
    }
    written.and_then(|()| fs::rename(&beside, &place)).map_err(|e| {
        // The part is useless now; that it cannot be removed changes nothing for the user.
        let _ = fs::remove_file(&beside);
        fault(reason(&e))
    })
}

pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = plain.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
}

/// A dataset as CSV: the header with units, errors as columns `± v [km/s]`, missing values as empty cells.
///
/// # Errors
/// [`DataError::Write`] where a text cannot be written as CSV, [`DataError::NoCell`] where a column holds arrays.
pub fn csv_text(data: &Dataset) -> Result<String, DataError> {
    let fault = |e: String| DataError::Write { path: data.source.to_string(), reason: e };
    if let Some(column) = data.columns().iter().find(|c| c.arrays().is_some()) {
        let (name, shape) = (column.name.to_string(), column.arrays().map_or(String::new(), Stack::shape));
        return Err(DataError::NoCell { name, shape });
    }
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut header = Vec::new();
    for column in data.columns() {
        header.push(column.header());
        if column.errors.is_some() {
            header.push(format!("± {}", column.header()));
        }
    }
    // A header of numbers would be taken for a row.
    if header.iter().all(|h| h.parse::<f64>().is_ok())
        && let Some(at) = data.columns().iter().position(|c| c.is_numeric())
    {
        header[at].push_str(" [1]");
    }
    writer.write_record(&header).map_err(|e| fault(e.to_string()))?;
    for row in 0..data.rows() {
        let mut record = Vec::with_capacity(header.len());
        for column in data.columns() {
            record.push(match &column.values {
                // A line without letters would be passed over.
                _ if column.is_missing(row) && header.len() == 1 => "NA".to_string(),
                _ if column.is_missing(row) => String::new(),
                Values::F64(v) => float_text(v[row], column.decimals),
                Values::Integer(v) => v[row].to_string(),
                Values::Label(v) => v[row].to_string(),
                Values::Complex(v) => format!("{:?}{:+?}i", v[row].0, v[row].1),
                // Refused above.
                Values::Array(_) => String::new(),
            });
            if let Some(errors) = &column.errors {
                record.push(match column.is_missing(row) {
                    true => String::new(),
                    false => float_text(errors[row], None),
                });
            }
        }
        writer.write_record(&record).map_err(|e| fault(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| fault(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| fault(e.to_string()))
}

/// The decimals as read where they suffice, else the shortest digits that read back.
fn float_text(x: f64, decimals: Option<i32>) -> String {
    if let Some(d) = decimals.filter(|d| (1..=17).contains(d)) {
        let fixed = format!("{x:.*}", d as usize);
        if fixed.parse() == Ok(x) {
            return fixed;
        }
    }
    format!("{x:?}")
}

/// Writes a dataset as CSV, atomically.
///
/// # Errors
/// [`DataError::Write`]; the old file is unchanged.
pub fn write_csv(data: &Dataset, path: &Path) -> Result<(), DataError> {
    write_atomic(path, csv_text(data)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(write_atomic(folder.path(), b"x").is_err());
        assert!(write_atomic(&folder.path().join("no/a.txt"), b"x").is_err());
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert!(matches!(write_atomic(&taken, b"x"), Err(DataError::Write { .. })));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 2);
    }
}
