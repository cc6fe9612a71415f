//! Functions known by their values: a function is evaluated on a few rows of the data, and its values are mapped to
//! eight numbers, the mean and seven random directions orthogonal to it. From these come two keys of 64 bits: one of the
//! function up to its sign, rounded to nine digits, and one of its class, the function up to a factor and an offset, whose
//! rounding follows the resolution of the data. The map is linear, so that sums need no values.

use crate::base::hash;
use crate::base::random::Streams;
use crate::numeric::normal::standard_normals;
use crate::numeric::vector::lanes::{Task, run};
use crate::numeric::vector::{Level, Unit};

/// Rows on which functions are compared.
pub const ROWS: usize = 32;
/// Numbers a function is mapped to.
pub const COORDINATES: usize = 8;

/// The values of a function.
pub type Values = [f64; ROWS];
/// The mean of the values and their parts along the random directions.
pub type Image = [f64; COORDINATES];

/// The key of the class of constants.
pub const CONSTANT: u64 = 1;

/// Numbers beyond these in size are no function's values.
const LARGEST: f64 = 1e280;
/// Values that vary by less than this share are a constant.
const FLAT: f64 = 1e-11;
/// Cells of the unit interval that values are rounded to.
const CELLS: f64 = (1u64 << 30) as f64;
/// Bits of a float's mantissa beyond the rounding.
const DROPPED: u32 = 22;
/// The finest cells of a class: floats reach it after some cancellation.
const FINEST: f64 = 1.0 / (1u64 << 27) as f64;
/// A cell in units of the error that a value may have.
const CELL_IN_ERRORS: f64 = 32.0;
/// Coordinates that may lie near a border of their cell in a look-up.
const NEAR_BORDERS: usize = 4;

/// The map from values to images, and the cells of the class key.
pub struct Projection {
    columns: [Image; ROWS],
    grid: f64,
    /// Instructions of this processor.
    pub level: Level,
}

struct Project<'a>(&'a [Image; ROWS], &'a Values);

impl Task for Project<'_> {
    type Output = Image;
    #[inline(always)]
    fn run<U: Unit>(self) -> Image {
        const STRANDS: usize = 4;
        let mut parts = [[0.0; COORDINATES]; STRANDS];
        for (columns, values) in self.0.as_chunks::<STRANDS>().0.iter().zip(self.1.as_chunks::<STRANDS>().0) {
            for k in 0..STRANDS {
                for j in 0..COORDINATES {
                    parts[k][j] = U::fma(columns[k][j], values[k], parts[k][j]);
                }
            }
        }
        std::array::from_fn(|j| (parts[0][j] + parts[1][j]) + (parts[2][j] + parts[3][j]))
    }
}

impl Projection {
    /// The map for data whose values are known to `error`, in units of their spread.
    pub fn new(error: f64) -> Projection {
        let mut rng = Streams::new(0).stream("regress/exhaustive/projection");
        let mut directions = vec![vec![1.0 / (ROWS as f64).sqrt(); ROWS]];
        for _ in 1..COORDINATES {
            let mut d = standard_normals(&mut rng, ROWS);
            for other in &directions {
                let along: f64 = d.iter().zip(other).map(|(x, y)| x * y).sum();
                d.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
            let length = d.iter().map(|x| x * x).sum::<f64>().sqrt();
            d.iter_mut().for_each(|x| *x /= length);
            directions.push(d);
        }
        Projection {
            columns: std::array::from_fn(|i| std::array::from_fn(|j| directions[j][i])),
            grid: (CELL_IN_ERRORS * error).max(FINEST),
            level: Level::detect(),
        }
    }

    /// The image of values.
    #[inline]
    pub fn image(&self, values: &Values) -> Image {
        run(self.level, Project(&self.columns, values))
    }

    /// Whether classes can be told apart at this resolution.
    pub fn resolves(&self) -> bool {
        self.grid < 0.1
    }

    /// The class of an image; [`CONSTANT`] for constants, `None` where values are not finite or all 0.
    pub fn class(&self, image: &Image) -> Option<u64> {
        let Some(unit) = direction(image)? else { return Some(CONSTANT) };
        Some(fold(unit.map(|u| self.cell(u).floor() as i64)))
    }

    fn cell(&self, u: f64) -> f64 {
        u / self.grid + 0.5
    }

    /// The classes an image may have, given its error; none for constants.
    pub fn classes(&self, image: &Image, visit: &mut impl FnMut(u64)) {
        let Some(Some(unit)) = direction(image) else { return };
        let margin = 1.0 / CELL_IN_ERRORS;
        let mut probe = |unit: [f64; COORDINATES - 1]| {
            let mut cells = [0i64; COORDINATES - 1];
            let mut near = [(0usize, 0i64); NEAR_BORDERS];
            let mut count = 0;
            for (j, u) in unit.into_iter().enumerate() {
                let x = self.cell(u);
                let floor = x.floor();
                cells[j] = floor as i64;
                let step = if x - floor < margin { -1 } else { i64::from(x - floor > 1.0 - margin) };
                if step != 0 && count < NEAR_BORDERS {
                    near[count] = (j, step);
                    count += 1;
                }
            }
            for choice in 0..1u32 << count {
                let mut moved = cells;
                for (k, (j, step)) in near[..count].iter().enumerate() {
                    moved[*j] += i64::from(choice >> k & 1) * step;
                }
                visit(fold(moved));
            }
        };
        probe(unit);
        // The sign of the first coordinate is that of the whole; where it is unsure, both are looked up.
        if unit[0].abs() < margin * self.grid {
            probe(unit.map(|u| -u));
        }
    }
}

/// Folds cells into a key that is neither 0, the empty place, nor [`CONSTANT`].
fn fold<const N: usize>(cells: [i64; N]) -> u64 {
    cells.iter().fold(0x5eed, |h, c| hash::combine(h, *c as u64)) | 2
}

/// The unit vector of the variation, its first coordinate positive; `Some(None)` for constants.
fn direction(image: &Image) -> Option<Option<[f64; COORDINATES - 1]>> {
    let total = extent(image);
    if !(total > 1.0 / LARGEST && total < LARGEST) {
        return None;
    }
    let mut unit: [f64; COORDINATES - 1] = std::array::from_fn(|j| image[j + 1] / total);
    let spread = unit.iter().map(|c| c * c).sum::<f64>().sqrt();
    if spread <= FLAT {
        return Some(None);
    }
    let signed = if unit[0] < 0.0 { -spread } else { spread };
    unit.iter_mut().for_each(|c| *c /= signed);
    Some(Some(unit))
}

/// The sum of absolute coordinates: how large a function is.
#[inline]
pub fn extent(image: &Image) -> f64 {
    image.iter().map(|c| c.abs()).sum()
}

/// The key of a function up to its sign; `None` where values are not finite or all 0.
pub fn function(image: &Image) -> Option<u64> {
    let total = extent(image);
    if !(total > 1.0 / LARGEST && total < LARGEST) {
        return None;
    }
    let spread = image[1..].iter().map(|c| (c / total).powi(2)).sum::<f64>().sqrt();
    // The last digits of a mantissa are rounded away.
    let rounded = |x: f64| ((x.abs().to_bits() + (1 << (DROPPED - 1))) >> DROPPED) as i64;
    if spread <= FLAT {
        return Some(fold([-1, rounded(image[0])]));
    }
    let size = spread * total;
    let scale = (if image[1] < 0.0 { -CELLS } else { CELLS }) / size;
    let cell = |c: f64| (c * scale + 0.5).floor() as i64;
    let mean = image[0] / (image[0].abs() + size) * if image[1] < 0.0 { -CELLS } else { CELLS };
    Some(fold([
        rounded(size),
        (mean + 0.5).floor() as i64,
        cell(image[1]),
        cell(image[2]),
        cell(image[3]),
        cell(image[4]),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(values: &Values) -> Image {
        Projection::new(0.0).image(values)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            std::env::var("PHYS_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256)
        ))]

        /// A class knows neither factor nor offset, a function not its sign; both know everything else.
        #[test]
        fn keys_forget_what_they_should(
            values in proptest::array::uniform32(-1.0f64..1.0),
            factor in (-3.0f64..3.0).prop_filter("a factor", |f| f.abs() > 1e-2),
            offset in -2.0f64..2.0,
            row in 0usize..ROWS,
            scale in -200i32..200,
        ) {
            let p = Projection::new(0.0);
            let class = p.class(&image(&values));
            let moved: Values = values.map(|v| factor * v + offset);
            let mut classes = Vec::new();
            p.classes(&image(&moved), &mut |c| classes.push(c));
            prop_assert!(classes.contains(&class.unwrap()));
            let large: Values = values.map(|v| v * 10f64.powi(scale));
            let key = function(&image(&large)).unwrap();
            prop_assert_eq!(function(&image(&large.map(|v| -v))).unwrap(), key);
            prop_assert_ne!(function(&image(&large.map(|v| 1.000_001 * v))).unwrap(), key);
            let mut other = values;
            other[row] += 1e-4;
            prop_assert_ne!(p.class(&image(&other)), class);
            prop_assert_eq!(p.class(&[offset; ROWS].map(|v| v + 4.0).as_slice().try_into().map(|v: Values| image(&v)).unwrap()), Some(CONSTANT));
        }

        /// Rounded values have the class of exact ones.
        #[test]
        fn rounding_is_looked_past(values in proptest::array::uniform32(-1.0f64..1.0), digits in 3i32..7) {
            let step = 10f64.powi(-digits);
            let spread = {
                let mean = values.iter().sum::<f64>() / ROWS as f64;
                (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / ROWS as f64).sqrt()
            };
            let p = Projection::new(step / spread);
            let class = p.class(&p.image(&values)).unwrap();
            let rounded = values.map(|v| (v / step).round() * step);
            let mut classes = Vec::new();
            p.classes(&p.image(&rounded), &mut |c| classes.push(c));
            prop_assert!(classes.contains(&class));
        }
    }
}
