//! Layer 3: data. A [`Dataset`] is a list of [`Column`]s of one length; it is read from CSV and NumPy files and folders of images, sampled from
//! formulas, and laws are fitted to it. Numbers stay in the column's unit, as read; units convert on use.

mod arrays;
mod column;
mod combine;
mod csv;
mod dataset;
mod describe;
mod error;
mod fit;
mod images;
mod linear;
mod npy;
mod npz;
mod observe;
mod order;
mod readers;
mod sample;
mod stack;
mod starts;
mod table;
mod write;

pub use arrays::{Array, npy_bytes, npz_bytes, npz_of_arrays, read_npy_bytes, read_npz_bytes};
pub use column::{Cell, Column, Role, Values};
pub use combine::Join;
pub use csv::{Missing, Names, ReadOptions, read_csv, read_csv_text};
pub use dataset::{Dataset, Split};
pub use describe::quantile;
pub use error::{CODES, DataError};
pub use fit::{FitResult, ParamSpec, fit};
pub use images::{ImageOptions, read_images};
pub use linear::linear_parts;
pub use observe::{Observe, observe};
pub use order::{Groups, order};
pub use readers::{Access, FORMATS, Format, read, read_header};
pub use sample::{Sample, sample};
pub use stack::{Numbers, Stack};
pub use write::{csv_text, write_atomic, write_csv};

#[cfg(test)]
mod testing {
    use crate::expression::{Declaration, Declarations, Domain};
    use crate::units::{Catalogue, Unit};

    /// How many random cases a law is tried on.
    pub fn cases() -> u32 {
        std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
    }

    pub fn catalogue() -> Catalogue {
        Catalogue::load(&[
            ("units/si.phys", include_str!("../../stdlib/units/si.phys")),
            ("units/other.phys", include_str!("../../stdlib/units/other.phys")),
        ])
        .unwrap()
    }

    /// Symbols with unit and domain (in SI).
    pub fn declare(rows: &[(&str, Option<Unit>, f64, f64)]) -> Declarations {
        let mut declarations = Declarations::new();
        for (name, unit, low, high) in rows {
            let domain = Some(Domain::Interval { low: *low, high: *high });
            let declaration = Declaration { unit: unit.clone(), domain, ..Declaration::default() };
            declarations.insert((*name).into(), declaration);
        }
        declarations
    }
}
