//! The faults of data: files that cannot be read, cells that are no numbers, laws that cannot be fitted. Each
//! says the place (row and column), what was expected, and what to type.

use crate::base::{Code, Fault};
use crate::numeric::NumericError;
use std::borrow::Cow;

/// A text of a file (a cell, a header, a name) as messages and hints quote it: at most 80 characters, the last an
/// ellipsis where more were cut.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    cut(text, 80)
}

/// A message or hint of the reader of headers, which quotes parts of a header.
fn short_words(text: &str) -> Cow<'_, str> {
    cut(text, 240)
}

fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect::<String>().into(),
    }
}

/// Where in a file: rows count from 0 below the header, as `d[0]` does; lines from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The row below the header.
    pub row: usize,
    /// The line of the file; 0 where it has none.
    pub line: u64,
    /// The column's name.
    pub column: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}, column `{}` of {}", self.row, short(&self.column), self.file)?;
        if self.line > 0 { write!(f, " (line {})", self.line) } else { Ok(()) }
    }
}

/// The faults of the data layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)] // the messages say what the fields are
pub enum DataError {
    #[error("expected a file, found nothing at {path}")]
    NotFound { path: String, nearest: Option<String> },
    #[error("expected a file, found the directory {path}")]
    Directory { path: String, example: Option<String> },
    #[error("expected to read {path}, found {reason}")]
    Unreadable { path: String, reason: String },
    #[error("expected text in {path}, found {found}")]
    NotText { path: String, found: String, latin: bool },
    #[error("expected a header and rows, found an empty file {path}")]
    Empty { path: String },
    #[error("expected a name as header of column {column} of {file}, found {found}")]
    Header { file: String, column: usize, found: String, hint: Option<String> },
    #[error("expected different names of columns, found `{}` as column {first} and as column {second}", short(.name))]
    DuplicateHeader { name: String, first: usize, second: usize },
    #[error("expected a header in the first line of {file}, found numbers: {}", short(.found))]
    NumericHeader { file: String, found: String, hint: String },
    #[error("expected rows below the header of {file}, found none")]
    NoRows { file: String },
    #[error("expected {expected} cells in row {row} of {file} (line {line}), found {found}")]
    Ragged { file: String, row: usize, line: u64, expected: usize, found: usize },
    #[error("expected a number in {place}, found an empty cell")]
    MissingCell { place: Place },
    #[error("expected a number in {place}, found `{}`", short(.text))]
    TextCell { place: Place, text: String },
    #[error("expected a finite number in {place}, found `{}`", short(.text))]
    NotFinite { place: Place, text: String },
    #[error("{} in the header of column `{}` of {file}", short_words(.message), short(.column))]
    HeaderUnit { file: String, column: String, message: String, hint: Option<String> },
    #[error("expected cells separated by commas in {file}, found {found}")]
    Separator { file: String, found: &'static str, command: String },
    #[error("expected a column `{0}` for the errors `± {0}`, found none", short(.name))]
    ErrorsWithoutColumn { name: String, nearest: Option<String> },
    #[error("expected a standard error of at least 0 in {place}, found {value}")]
    NegativeError { place: Place, value: f64 },
    #[error("expected to write {path}, found {reason}; the old file is unchanged")]
    Write { path: String, reason: String },
    #[error("expected a column of the data, found `{}`; the columns are {}", short(.name), list(.columns))]
    UnknownColumn { name: String, columns: Vec<String>, nearest: Option<String> },
    #[error("expected a column of numbers, found the {} `{}`", if *.what == "texts" { "labels" } else { .what }, short(.name))]
    NotNumeric { name: String, what: &'static str, numeric: Vec<String> },
    #[error("expected {expected} rows in {}, found {found}", short(.name))]
    Length { name: String, expected: usize, found: usize },
    #[error("expected a row from 0 to {}, found {row}", .rows.saturating_sub(1))]
    Row { row: usize, rows: usize },
    #[error("expected {expected} for `{option}`, found {found}")]
    Option { option: &'static str, expected: &'static str, found: String },
    #[error("expected a domain for every symbol of the formula, found none for `{symbol}`")]
    NoDomain { symbol: String, unit: Option<String> },
    #[error("expected the formula to have a value at the points of its domain, found {found} at {at}")]
    Undefined { found: f64, at: String },
    #[error("expected at least {parameters} rows for {parameters} parameters ({}), found {rows}", list(.names))]
    FewerRows { rows: usize, parameters: usize, names: Vec<String> },
    #[error("expected a parameter to fit, found only columns")]
    NoParameter { example: String },
    #[error("expected a column on the left of `==`, found none; the columns are {}", list(.columns))]
    NoColumn { columns: Vec<String>, nearest: Option<(String, String)> },
    #[error("expected data that determine {}, found {}", list(.names), why(.names))]
    NotDetermined { names: Vec<String> },
    #[error("expected finite values of both sides, found {value} in row {row}")]
    Residual { row: usize, value: f64 },
    #[error("expected standard errors above 0, found {value} in row {row}")]
    ZeroError { row: usize, value: f64 },
    #[error("expected an NPY file of NumPy at {path}, found {found}")]
    Npy { path: String, found: String },
    #[error("expected numbers, booleans or texts in {path}, found {what} (type `{descr}`)")]
    NpyType { path: String, what: String, descr: String },
    #[error("expected {expected} in {path}, found {found}")]
    NpySize { path: String, expected: String, found: String },
    #[error("expected {expected} in {path}, found {found}")]
    NpyShape { path: String, expected: String, found: String, hint: String },
    #[error("expected a ZIP archive of NPY files at {path}, found {found}")]
    Npz { path: String, found: String },
    #[error("expected arrays of one length in {path}, found {} in `{}` and {} in `{}`", .first.1, short(&.first.0), .other.1, short(&.other.0))]
    NpzLengths { path: String, first: (String, usize), other: (String, usize) },
    #[error("expected an array of {path}, found `{}`; the arrays are {}", short(.name), list(.members))]
    UnknownMember { path: String, name: String, members: Vec<String>, nearest: Option<String> },
    #[error("expected a file that can be read, found {path}: {format} is not built in this version")]
    NotBuilt { path: String, format: String, command: String },
    #[error("expected {expected} headers for the columns of {file}, found {found}")]
    HeaderCount { file: String, expected: usize, found: usize },
    #[error("expected the same columns in every dataset, found no `{}` in dataset {place}", short(.name))]
    UnlikeColumns { name: String, place: usize },
    #[error("expected {expected} in both columns `{}`, found {found}", short(.name))]
    UnlikeValues { name: String, expected: String, found: String },
    #[error("expected a value in every row of `{}`, found none in row {row}", short(.name))]
    MissingValue { name: String, row: usize },
    #[error("expected columns of one value a cell for CSV, found the arrays `{}` {shape}", short(.name))]
    NoCell { name: String, shape: String },
    #[error("expected arrays of one shape for an array of NumPy, found `{}` {shape}", short(.name))]
    Varying { name: String, shape: String },
    #[error("expected an image at {path}, found {found}")]
    Image { path: String, found: String, hint: String },
    #[error("expected images of one size, found {} in {} and {} in {}", .first.1, .first.0, .other.1, .other.0)]
    ImageSizes { first: (String, String), other: (String, String), hint: String },
    #[error("expected PNG images in {path}, found {found}")]
    NoImages { path: String, found: String, hint: String },
    #[error(transparent)]
    Numeric(#[from] NumericError),
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", short(n))).collect();
    quoted.join(", ")
}

fn why(names: &[String]) -> &'static str {
    if names.len() > 1 { "that only a combination of them matters" } else { "that it has no effect" }
}

impl DataError {
    pub(super) fn option(option: &'static str, expected: &'static str, found: impl ToString) -> DataError {
        DataError::Option { option, expected, found: found.to_string() }
    }
}

impl Fault for DataError {
    fn code(&self) -> Code {
        match self {
            DataError::NotFound { .. } => Code(3001),
            DataError::Directory { .. } => Code(3002),
            DataError::Unreadable { .. } => Code(3003),
            DataError::NotText { .. } => Code(3004),
            DataError::Empty { .. } => Code(3005),
            DataError::Header { .. } => Code(3006),
            DataError::DuplicateHeader { .. } => Code(3007),
            DataError::NumericHeader { .. } => Code(3008),
            DataError::NoRows { .. } => Code(3009),
            DataError::Ragged { .. } => Code(3010),
            DataError::MissingCell { .. } => Code(3011),
            DataError::TextCell { .. } => Code(3012),
            DataError::NotFinite { .. } => Code(3013),
            DataError::HeaderUnit { .. } => Code(3014),
            DataError::Separator { .. } => Code(3015),
            DataError::ErrorsWithoutColumn { .. } => Code(3016),
            DataError::NegativeError { .. } => Code(3017),
            DataError::Write { .. } => Code(3018),
            DataError::UnknownColumn { .. } => Code(3019),
            DataError::NotNumeric { .. } => Code(3021),
            DataError::Length { .. } => Code(3022),
            DataError::Row { .. } => Code(3023),
            DataError::Option { .. } => Code(3024),
            DataError::NoDomain { .. } => Code(3025),
            DataError::Undefined { .. } => Code(3026),
            DataError::FewerRows { .. } => Code(3027),
            DataError::NoParameter { .. } => Code(3028),
            DataError::NoColumn { .. } => Code(3029),
            DataError::NotDetermined { .. } => Code(3030),
            DataError::Residual { .. } => Code(3031),
            DataError::ZeroError { .. } => Code(3032),
            DataError::Npy { .. } => Code(3040),
            DataError::NpyType { .. } => Code(3041),
            DataError::NpySize { .. } => Code(3042),
            DataError::NpyShape { .. } => Code(3043),
            DataError::Npz { .. } => Code(3044),
            DataError::NpzLengths { .. } => Code(3045),
            DataError::UnknownMember { .. } => Code(3046),
            DataError::NotBuilt { .. } => Code(3047),
            DataError::HeaderCount { .. } => Code(3048),
            DataError::UnlikeColumns { .. } => Code(3050),
            DataError::UnlikeValues { .. } => Code(3051),
            DataError::MissingValue { .. } => Code(3052),
            DataError::NoCell { .. } => Code(3053),
            DataError::Varying { .. } => Code(3057),
            DataError::Image { .. } => Code(3054),
            DataError::ImageSizes { .. } => Code(3055),
            DataError::NoImages { .. } => Code(3056),
            DataError::Numeric(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            DataError::NotFound { nearest, .. } => format!("read(\"{}\")", nearest.as_ref()?),
            DataError::Directory { example, .. } => match example {
                Some(code) => code.clone(),
                None => "give the path of a CSV file in it".to_string(),
            },
            DataError::Unreadable { path, .. } => format!("chmod +r '{path}'"),
            DataError::NotText { path, latin, .. } => {
                if *latin {
                    format!("iconv -f latin1 -t utf-8 '{path}' > utf8.csv")
                } else {
                    "save the table as CSV, in UTF-8".to_string()
                }
            }
            DataError::Empty { .. } | DataError::NoRows { .. } => {
                "the first line names the columns, the others hold one row each: t [s],x [m]".to_string()
            }
            DataError::Header { hint, .. } | DataError::HeaderUnit { hint, .. } => {
                short_words(hint.as_ref()?).into_owned()
            }
            DataError::DuplicateHeader { name, .. } => {
                format!("rename one of them, such as {}_2", short(name))
            }
            DataError::NumericHeader { hint, .. } => format!("put a line above the numbers: {hint}"),
            DataError::Ragged { expected, found, .. } => {
                if found > expected {
                    "quote cells that contain a comma: \"1,5\"".to_string()
                } else {
                    "an empty cell still needs its comma: 1,,3".to_string()
                }
            }
            DataError::MissingCell { place } => format!("read(\"{}\", missing: drop)", place.file),
            DataError::TextCell { place, text } => {
                let decimal = text.replace(',', ".");
                if text.contains(',') && decimal.parse::<f64>().is_ok() {
                    format!("write decimals with a point: {}", short(&decimal))
                } else if let Some((number, unit)) =
                    text.split_once(' ').filter(|(n, _)| n.parse::<f64>().is_ok())
                {
                    format!(
                        "write the unit in the header, {} [{}], and {} in the cell",
                        short(&place.column),
                        short(unit),
                        short(number)
                    )
                } else {
                    format!("a missing value is an empty cell: read(\"{}\", missing: drop)", place.file)
                }
            }
            DataError::NotFinite { place, text } if place.line == 0 => match text.as_str() {
                "nan" => format!("read(\"{}\", missing: keep)", place.file),
                _ => "write nan where there is no number, and read with `missing: drop`".to_string(),
            },
            DataError::NotFinite { place, .. } => {
                format!("leave the cell empty, and read(\"{}\", missing: drop)", place.file)
            }
            DataError::Separator { command, .. } => command.clone(),
            DataError::ErrorsWithoutColumn { name, nearest } => match nearest {
                Some(nearest) => format!("± {}", short(nearest)),
                None => format!("add the column {}", short(name)),
            },
            DataError::NegativeError { .. } => {
                "a standard error is a size: write it without sign".to_string()
            }
            DataError::UnknownColumn { nearest, .. } => format!("did you mean `{}`?", short(nearest.as_ref()?)),
            DataError::NotNumeric { numeric, .. } => format!("the columns of numbers are {}", list(numeric)),
            DataError::NoDomain { symbol, unit } => match unit {
                Some(unit) if unit != "1" => format!("var {symbol} [{unit}] in 1..5"),
                _ => format!("var {symbol} in 1..5"),
            },
            DataError::Undefined { .. } => "narrow the domains, such as x in 0.1..5".to_string(),
            DataError::FewerRows { names, .. } => {
                let first = names.first().map_or("a", String::as_str);
                format!("put a value in for some of them: (y == ...)({first}: 1)")
            }
            DataError::NoParameter { example } => example.clone(),
            DataError::NoColumn { nearest, .. } => {
                let (found, nearest) = nearest.as_ref()?;
                format!("write `{nearest}` for `{found}`")
            }
            DataError::NotDetermined { names } if names.len() > 1 => {
                format!("keep one of them, such as {}", names[0])
            }
            DataError::NotDetermined { .. } => return None,
            DataError::Residual { .. } => "leave such rows out: fit(filter(d, x > 0), ...)".to_string(),
            DataError::ZeroError { .. } => "give every row an error above 0".to_string(),
            DataError::Npy { .. } => "write the array with numpy.save(\"x.npy\", x)".to_string(),
            DataError::NpyType { what, .. } => match what.as_str() {
                "dates" | "differences of dates" => {
                    "write numbers of seconds: numpy.save(\"t.npy\", t.astype(\"datetime64[s]\").astype(float))"
                        .to_string()
                }
                _ => "write plain numbers instead: numpy.save(\"x.npy\", x.astype(float))".to_string(),
            },
            DataError::NpySize { .. } => "write the file again: numpy.save(\"x.npy\", x)".to_string(),
            DataError::NpyShape { hint, .. } => hint.clone(),
            DataError::Npz { .. } => "write the arrays with numpy.savez(\"d.npz\", t=t, x=x)".to_string(),
            DataError::NpzLengths { path, first, .. } => {
                format!("read(\"{path}\", member: \"{}\")", first.0)
            }
            DataError::UnknownMember { path, nearest, members, .. } => {
                let name = nearest.as_ref().or(members.first())?;
                format!("read(\"{path}\", member: \"{name}\")")
            }
            DataError::NotBuilt { command, .. } => format!("convert it: {command}"),
            DataError::HeaderCount { expected, .. } => {
                let names: Vec<String> = (0..(*expected).min(6)).map(|k| format!("\"x{k} [m]\"")).collect();
                format!("headers: [{}]", names.join(", "))
            }
            DataError::UnlikeColumns { name, .. } => {
                format!("drop(d, {})", short(name.trim_start_matches("± ")))
            }
            DataError::UnlikeValues { .. } => return None,
            DataError::MissingValue { name, .. } => format!("drop_missing(d, {})", short(name)),
            DataError::NoCell { name, shape } if shape.starts_with("[..") => format!("drop(d, {})", short(name)),
            DataError::NoCell { .. } => "export(d, \"d.npz\")".to_string(),
            DataError::Varying { name, .. } => format!("drop(d, {})", short(name)),
            DataError::Image { hint, .. }
            | DataError::ImageSizes { hint, .. }
            | DataError::NoImages { hint, .. } => hint.clone(),
            DataError::Numeric(error) => error.hint()?,
            DataError::Write { .. }
            | DataError::Length { .. }
            | DataError::Row { .. }
            | DataError::Option { .. } => {
                return None;
            }
        })
    }
}

/// The explanations behind `phys explain`.
pub const CODES: &[(u16, &str, &str)] = &[
    (
        3001,
        "no such file",
        "The path of a file to read is relative to the script. Nothing is there; the hint is the file of that folder with the nearest name.",
    ),
    (
        3002,
        "a directory instead of a file",
        "A file of data was expected and a directory found: `read(\"data\")`. Name the file in it: `read(\"data/planets.csv\")`. A folder of images is read by `images(\"data\")`.",
    ),
    (
        3003,
        "a file that cannot be read",
        "The file exists, and the system does not let it be read. The message says why; often the rights are missing: `chmod +r file.csv`.",
    ),
    (
        3004,
        "a file that is no text",
        "A CSV file is text in UTF-8. The file holds other bytes: it is a picture or a spreadsheet, or text in an older encoding, which `iconv -f latin1 -t utf-8` converts.",
    ),
    (
        3005,
        "an empty file",
        "A CSV file has a header line with the names of its columns, such as `t [s],x [m]`, and one line for each row. The file holds nothing.",
    ),
    (
        3006,
        "a column without a name",
        "Every column has a header: a name and, where it has one, its unit: `r [m]`. The header of errors is `± r [m]`.",
    ),
    (
        3007,
        "two columns of one name",
        "Names tell columns apart, so each occurs once: `x,x` is refused. Rename one of the columns.",
    ),
    (
        3008,
        "numbers where the header should be",
        "The first line of a CSV file names the columns. Here it holds only numbers; put a line such as `x,y` above it.",
    ),
    (
        3009,
        "a table without rows",
        "The file has a header and nothing below it. There is nothing to learn from no rows.",
    ),
    (
        3010,
        "a row of another length",
        "Every row has one cell for each header. A comma inside a text or number needs quotes (`\"1,5\"`), and an empty cell still needs its comma (`1,,3`).",
    ),
    (
        3011,
        "a missing cell",
        "A cell of a column of numbers is empty. `read(\"f.csv\", missing: drop)` leaves such rows out.",
    ),
    (
        3012,
        "a text in a column of numbers",
        "Most cells of the column are numbers, and this one is not: `four`, or `1,5` with a decimal comma. Numbers have a decimal point; units stand in the header.",
    ),
    (
        3013,
        "NaN or an infinity in a column",
        "Measured numbers are finite; `nan` and `inf` come from a computation that failed before. Leave the cell empty and read with `missing: drop`.",
    ),
    (
        3014,
        "a unit that does not exist",
        "The bracket of a header holds a unit in the syntax of phys: `v [km/s]`, `g [m/s^2]`, `T [degC]`.",
    ),
    (
        3015,
        "another separator than the comma",
        "The cells of the header are separated by semicolons or tabs. Convert the file: `tr ';' ',' < in.csv > out.csv` (decimal commas become points first).",
    ),
    (
        3016,
        "errors of a column that is not there",
        "A column headed `± v` holds the standard errors of the column `v`, which is missing. Check the spelling of both headers.",
    ),
    (3017, "a negative standard error", "A standard error is the size of a scatter, so at least 0."),
    (
        3018,
        "a file that cannot be written",
        "The file was written beside its place and was to be renamed; that failed, and what stood there before is unchanged. The message says why: a full disk, a missing folder, missing rights.",
    ),
    (
        3019,
        "no such column",
        "The data have no column of this name. The message lists them; the hint is the nearest.",
    ),
    (
        3020,
        "equal columns",
        "A warning: two columns hold the same numbers, so that no search can tell them apart. Leave one out: `select(d, a, y)`.",
    ),
    (
        3021,
        "labels where numbers are needed",
        "A column of text is a label, and one of arrays holds images or spectra. A fit, a target and arithmetic need numbers.",
    ),
    (3022, "columns of different lengths", "All columns of a dataset have one value for each row."),
    (3023, "no such row", "Rows count from 0; `d[-1]` is the last."),
    (
        3024,
        "an option out of range",
        "An option of `sample`, `split` or `fit` has a value it cannot have, such as a negative noise.",
    ),
    (
        3025,
        "a symbol without a domain",
        "`sample` draws every symbol of the formula from its declared domain: `var x [m] in 1..5`. A `param` keeps its starting value.",
    ),
    (
        3026,
        "a formula without value on its domain",
        "At too many of the points drawn the formula has no finite value, such as `log(x)` for `x in -5..0`. Narrow the domain.",
    ),
    (
        3027,
        "fewer rows than parameters",
        "A fit determines at most as many parameters as there are rows. Take more rows, or give parameters their values.",
    ),
    (
        3028,
        "nothing to fit",
        "All names of the equation are columns. A name that is no column is a parameter: `fit(d, v == H0*r)`.",
    ),
    (
        3029,
        "no column on the left side",
        "The left side of the equation is the target, an expression of columns: `v`, or `1/lambda`.",
    ),
    (
        3030,
        "parameters that the data do not determine",
        "Changing the named parameters together leaves every row as it is: in `y == a*b*x` only the product of a and b matters. Keep one of them, or add data that tell them apart.",
    ),
    (
        3031,
        "a row without a value",
        "In some row a side of the equation is no finite number: a division by zero, a logarithm of a negative number. Leave such rows out: `filter(d, x > 0)`.",
    ),
    (
        3032,
        "a standard error of 0",
        "A fit weighs each row by 1/error^2. An error of 0 would make one row outweigh all others.",
    ),
    (
        3040,
        "no NPY file",
        "A file that ends in `.npy` begins with the bytes `93 4E 55 4D 50 59` and a header that tells type and shape, as `numpy.save` writes it. This one does not.",
    ),
    (
        3041,
        "an array of another type",
        "Read are booleans, integers, floats of 2, 4 or 8 bytes, complex numbers and texts. Python objects (pickles) are never read, since reading one can run a program; convert dates to numbers of seconds first.",
    ),
    (
        3042,
        "an array with too few or too many bytes",
        "The header tells a shape and a type, and their product is not the number of bytes that follow: the file was cut off, or something stands behind the array.",
    ),
    (
        3043,
        "an array that is no table",
        "An array of one dimension is a column, one of two dimensions has a row for each sample and a column for each number (`read(\"x.npy\", as: arrays)`: one column of arrays), real numbers of more dimensions are a column of arrays. Records have one dimension.",
    ),
    (
        3044,
        "no NPZ file",
        "A file that ends in `.npz` is a ZIP archive of NPY files, as `numpy.savez` writes it. This one is damaged, is something else, or unpacks to more than 2 GiB.",
    ),
    (
        3045,
        "arrays of different lengths",
        "The arrays of an NPZ file become the columns of one dataset, so they have one length. Read one of them: `read(\"d.npz\", member: \"train\")`.",
    ),
    (
        3046,
        "no such array",
        "The NPZ file has no array of this name. The message lists them; the hint is the nearest.",
    ),
    (
        3047,
        "a format that is not built in this version",
        "Read are CSV, NPY and NPZ. The hint is a command that converts the file with the libraries that made it.",
    ),
    (
        3048,
        "another number of headers than of columns",
        "`headers:` names the columns of a file that has no header line, one for each: `read(\"a.npy\", headers: [\"t [s]\", \"x [m]\"])`.",
    ),
    (
        3050,
        "datasets with different columns",
        "`concat` puts rows below each other, so every dataset has the columns of the first, with errors where the first has errors. Leave out or rename the others: `drop(d, x)`, `rename(d, x: y)`.",
    ),
    (
        3051,
        "columns that do not fit together",
        "Columns that are joined or put below each other hold the same kind of values, in units that convert: `[km]` and `[m]`, but not `[km]` and `[s]`.",
    ),
    (
        3052,
        "a missing value where one is needed",
        "A fit or a search uses every row. Leave out the rows that lack a value: `drop_missing(d, x)`.",
    ),
    (
        3053,
        "arrays in a CSV file",
        "A cell of a CSV file holds one number or text, and a column of arrays more. NumPy's files hold them: `export(d, \"d.npz\")`.",
    ),
    (
        3054,
        "an image that cannot be read",
        "Images are PNG files. This one is something else, is damaged or cut off, or is too large; the message says which.",
    ),
    (
        3055,
        "images of different sizes",
        "The images of a folder become one column of arrays, so they have one size and one number of channels. Scale them, `images(\"folder\", size: [64, 64])`, or bring them to one kind of colour, `channels: 1` or `channels: 3`.",
    ),
    (
        3056,
        "a folder without images",
        "A folder of images holds PNG files, or a folder for each class with PNG files in it, each with one at least, and not both. The message says what was found instead.",
    ),
    (
        3057,
        "rows of different lengths in a NumPy file",
        "The arrays of a NumPy file have one shape. Rows that differ in the number of their elements (`[..40, 3]`: up to 40) have no place there: leave the column out, `drop(d, x)`, or write a row for each element.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character_and_only_where_it_is_long() {
        for c in ['x', 'é', '\u{FFFD}', '😀'] {
            let long = |n: usize| c.to_string().repeat(n);
            for n in [0, 1, 79, 80] {
                assert_eq!(short(&long(n)), long(n));
            }
            for n in [81, 1000] {
                assert_eq!(short(&long(n)), long(79) + "…");
            }
        }
    }

    #[test]
    fn codes_ascend_in_their_layer() {
        assert!(super::CODES.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(super::CODES.iter().all(|c| c.0 / 1000 == 3));
    }
}
