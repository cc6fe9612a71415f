//! NPZ files: NPY files in a ZIP archive, as `numpy.savez` and `savez_compressed` write them. What an archive
//! unpacks to is bounded, and an array is unpacked only as far as its bytes come.

use super::column::Values;
use super::error::DataError;
use super::npy;
use std::io::{Cursor, Read, Seek, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An archive unpacks to at most this many bytes.
const MAX_UNPACKED: u64 = 2 << 30;
/// Bytes of a member that hold its header.
const HEAD: u64 = 1 << 20;

/// The arrays of an archive, each with its columns: `member` alone where it is given; `whole` keeps rows as arrays.
///
/// # Errors
/// An archive that cannot be read or is too large; what [`npy::parse`] refuses; no such member.
pub(super) fn parse(
    file: &str,
    bytes: &[u8],
    member: Option<&str>,
    whole: bool,
) -> Result<Vec<(String, npy::Arrays)>, DataError> {
    let mut budget = MAX_UNPACKED;
    each(file, Cursor::new(bytes), member, |name, reader| {
        let mut unpacked = Vec::new();
        let read = reader.take(budget + 1).read_to_end(&mut unpacked);
        read.map_err(|e| damaged(file, name, &e))?;
        let size = unpacked.len() as u64;
        if size > budget {
            return Err(fault(file, format!("more than {MAX_UNPACKED} bytes in it")));
        }
        budget -= size;
        npy::parse(&place(file, name), name, &unpacked, whole)
    })
}

/// The names of the columns of each array.
///
/// # Errors
/// As [`parse`], for what stands before the values.
pub(super) fn names(
    file: &str,
    source: impl Read + Seek,
    member: Option<&str>,
    whole: bool,
) -> Result<Vec<(String, Vec<String>)>, DataError> {
    each(file, source, member, |name, reader| {
        let mut head = Vec::new();
        reader.take(HEAD).read_to_end(&mut head).map_err(|e| damaged(file, name, &e))?;
        npy::names(&place(file, name), name, &head, whole)
    })
}

fn each<T>(
    file: &str,
    source: impl Read + Seek,
    member: Option<&str>,
    mut read: impl FnMut(&str, &mut dyn Read) -> Result<T, DataError>,
) -> Result<Vec<(String, T)>, DataError> {
    let mut archive = ZipArchive::new(source).map_err(|e| fault(file, words(&e)))?;
    let mut found = Vec::new();
    let mut others = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|e| fault(file, words(&e)))?;
        let whole = entry.name().map_err(|e| fault(file, words(&e)))?.into_owned();
        let Some(name) = whole.strip_suffix(".npy").map(str::to_string) else { continue };
        if member.is_some_and(|m| m != name) {
            others.push(name);
            continue;
        }
        let values = read(&name, &mut entry)?;
        found.push((name, values));
    }
    match (found.is_empty(), member) {
        (false, _) => Ok(found),
        (true, Some(name)) => Err(DataError::UnknownMember {
            path: file.to_string(),
            name: name.to_string(),
            nearest: crate::base::suggest::nearest(name, others.iter().map(String::as_str))
                .map(str::to_string),
            members: others,
        }),
        (true, None) => Err(fault(file, "no file that ends in .npy".to_string())),
    }
}

fn place(file: &str, name: &str) -> String {
    format!("{file}/{name}")
}

fn fault(file: &str, found: String) -> DataError {
    DataError::Npz { path: file.to_string(), found }
}

fn words(error: &zip::result::ZipError) -> String {
    error.to_string().to_lowercase()
}

fn damaged(file: &str, name: &str, error: &std::io::Error) -> DataError {
    fault(file, format!("a damaged array `{name}` ({})", error.to_string().to_lowercase()))
}

/// An archive of NPY files.
///
/// # Errors
/// [`DataError::Write`] where the archive cannot be written.
pub(super) fn archive(source: &str, members: &[(String, Vec<u8>)]) -> Result<Vec<u8>, DataError> {
    let fault = |reason: String| DataError::Write { path: source.to_string(), reason };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        // No date: the same arrays give the same bytes.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .large_file(bytes.len() > u32::MAX as usize / 2);
        writer.start_file(format!("{name}.npy"), options).map_err(|e| fault(words(&e)))?;
        writer.write_all(bytes).map_err(|e| fault(e.to_string()))?;
    }
    writer.finish().map(Cursor::into_inner).map_err(|e| fault(words(&e)))
}

/// One column as an NPY file of one dimension, of arrays of one more than they have.
pub(super) fn single(values: &Values) -> Vec<u8> {
    npy::array(&[values], false)
}
