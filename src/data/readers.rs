//! The formats of data, one row each: by the ending of a file's name its reader, or how to convert what this
//! version does not read. An ending that is in no row is read as CSV.

use super::arrays;
use super::csv::{self, Names, ReadOptions};
use super::dataset::Dataset;
use super::error::DataError;
use super::write::reason;
use crate::units::Catalogue;
use std::fs::File;
use std::path::Path;

type Read = fn(&Path, &Catalogue, &ReadOptions) -> Result<Dataset, DataError>;
type Header = fn(&Path, &Catalogue, &ReadOptions) -> Result<Names, DataError>;

/// A format of files.
pub struct Format {
    /// What it is called.
    pub name: &'static str,
    /// Endings, in lower case.
    pub endings: &'static [&'static str],
    /// What is done with such a file.
    pub access: Access,
}

/// What is done with the files of a format.
pub enum Access {
    /// They are read: whole, and for the names and units of the columns only.
    Built(Read, Header),
    /// This version does not read them; the command makes a CSV file of one (`{}` stands for its name without ending).
    NotBuilt(&'static str),
}

/// All formats.
pub const FORMATS: &[Format] = &[
    Format {
        name: "CSV",
        endings: &["csv", "txt", "dat"],
        access: Access::Built(csv::read_csv, csv::read_names),
    },
    Format { name: "NPY", endings: &["npy"], access: Access::Built(read_npy, npy_names) },
    Format { name: "NPZ", endings: &["npz"], access: Access::Built(read_npz, npz_names) },
    Format {
        name: "Parquet",
        endings: &["parquet", "pq"],
        access: Access::NotBuilt(
            "import pandas; pandas.read_parquet('{file}').to_csv('{stem}.csv', index=False)",
        ),
    },
    Format {
        name: "Arrow",
        endings: &["feather", "arrow"],
        access: Access::NotBuilt(
            "import pandas; pandas.read_feather('{file}').to_csv('{stem}.csv', index=False)",
        ),
    },
    Format {
        name: "HDF5",
        endings: &["h5", "hdf5", "hdf"],
        access: Access::NotBuilt(
            "import h5py, numpy; f = h5py.File('{file}'); numpy.savez('{stem}.npz', **{k: f[k][()] for k in f})",
        ),
    },
    Format {
        name: "NetCDF",
        endings: &["nc", "nc4", "cdf"],
        access: Access::NotBuilt(
            "import xarray; xarray.open_dataset('{file}').to_dataframe().reset_index().to_csv('{stem}.csv', index=False)",
        ),
    },
    Format {
        name: "FITS",
        endings: &["fits", "fit", "fts"],
        access: Access::NotBuilt(
            "from astropy.table import Table; Table.read('{file}').write('{stem}.csv', format='ascii.csv')",
        ),
    },
    Format {
        name: "Excel",
        endings: &["xlsx", "xls", "ods"],
        access: Access::NotBuilt(
            "import pandas; pandas.read_excel('{file}').to_csv('{stem}.csv', index=False)",
        ),
    },
    Format {
        name: "pickle",
        endings: &["pkl", "pickle"],
        access: Access::NotBuilt(
            "import pandas; pandas.read_pickle('{file}').to_csv('{stem}.csv', index=False)",
        ),
    },
];

/// The format of a file by the ending of its name.
fn format(path: &Path) -> &'static Format {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    FORMATS.iter().find(|f| f.endings.contains(&ending.as_str())).unwrap_or(&FORMATS[0])
}

fn not_built(path: &Path, format: &Format, command: &str) -> DataError {
    let file = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let stem = path.file_stem().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    DataError::NotBuilt {
        path: path.display().to_string(),
        format: format.name.to_string(),
        command: format!("python -c \"{}\"", command.replace("{file}", &file).replace("{stem}", &stem)),
    }
}

/// Reads a file of data in the format that its name says.
///
/// # Errors
/// The first fault of the file, with its place; a format that this version does not read.
pub fn read(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Dataset, DataError> {
    let format = format(path);
    match &format.access {
        Access::Built(read, _) => read(path, catalogue, options),
        Access::NotBuilt(command) => {
            csv::check_file(path)?;
            Err(not_built(path, format, command))
        }
    }
}

/// The names and units of a file's columns, without those of errors: what a checker needs.
///
/// # Errors
/// As [`read`], for the header.
pub fn read_header(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Names, DataError> {
    let format = format(path);
    match &format.access {
        Access::Built(_, names) => names(path, catalogue, options),
        Access::NotBuilt(command) => {
            csv::check_file(path)?;
            Err(not_built(path, format, command))
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    csv::check_file(path)?;
    std::fs::read(path).map_err(|e| unreadable(path, &e))
}

fn open(path: &Path) -> Result<File, DataError> {
    csv::check_file(path)?;
    File::open(path).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, error: &std::io::Error) -> DataError {
    DataError::Unreadable { path: path.display().to_string(), reason: reason(error) }
}

fn read_npy(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Dataset, DataError> {
    arrays::read_npy_bytes(&path.display().to_string(), &bytes(path)?, catalogue, options)
}

fn npy_names(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Names, DataError> {
    arrays::npy_names(&path.display().to_string(), open(path)?, catalogue, options)
}

fn read_npz(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Dataset, DataError> {
    arrays::read_npz_bytes(&path.display().to_string(), &bytes(path)?, catalogue, options)
}

fn npz_names(path: &Path, catalogue: &Catalogue, options: &ReadOptions) -> Result<Names, DataError> {
    arrays::npz_names(&path.display().to_string(), open(path)?, catalogue, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Code, Fault};

    #[test]
    fn endings_choose_one_format_each() {
        let mut all: Vec<&str> = FORMATS.iter().flat_map(|f| f.endings.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(format(Path::new("a.NPY")).name, "NPY");
        assert_eq!(format(Path::new("a")).name, "CSV");
    }

    #[test]
    fn formats_to_come_say_how_to_convert() {
        let folder = tempfile::tempdir().unwrap();
        let units = crate::data::testing::catalogue();
        for ending in ["parquet", "h5", "nc", "fits", "xlsx"] {
            let path = folder.path().join(format!("a.{ending}"));
            std::fs::write(&path, b"x").unwrap();
            let fault = read(&path, &units, &ReadOptions::default()).unwrap_err();
            assert_eq!(fault.code(), Code(3047));
            assert!(fault.to_string().contains("not built in this version"), "{fault}");
            let hint = fault.hint().unwrap();
            assert!(hint.contains(&format!("'a.{ending}'")) && hint.contains("'a."), "{hint}");
            assert!(read_header(&path, &units, &ReadOptions::default()).is_err());
        }
        let absent = read(&folder.path().join("b.nc"), &units, &ReadOptions::default()).unwrap_err();
        assert_eq!(absent.code(), Code(3001));
    }
}
