//! Arrays of one shape, one a row of a column: images, spectra, paths. The numbers lie row by row in the precision in
//! which they came, since images are large; they are shared, so that a column is cheap to copy.

use std::sync::Arc;

/// Numbers in the precision in which they are kept.
#[derive(Clone, PartialEq, Debug)]
pub enum Numbers {
    /// Whole numbers from 0 to 255.
    U8(Arc<Vec<u8>>),
    /// Single floats.
    F32(Arc<Vec<f32>>),
    /// Floats.
    F64(Arc<Vec<f64>>),
}

impl Numbers {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Numbers::U8(x) => x.len(),
            Numbers::F32(x) => x.len(),
            Numbers::F64(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number.
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Numbers::U8(x) => f64::from(x[i]),
            Numbers::F32(x) => f64::from(x[i]),
            Numbers::F64(x) => x[i],
        }
    }
}

impl From<Vec<u8>> for Numbers {
    fn from(x: Vec<u8>) -> Numbers {
        Numbers::U8(Arc::new(x))
    }
}

impl From<Vec<f32>> for Numbers {
    fn from(x: Vec<f32>) -> Numbers {
        Numbers::F32(Arc::new(x))
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(x: Vec<f64>) -> Numbers {
        Numbers::F64(Arc::new(x))
    }
}

/// Arrays of one shape, one a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    sizes: Vec<usize>,
    rows: usize,
    numbers: Numbers,
}

impl Stack {
    /// Arrays of `sizes`, row by row; `None` where an axis is empty or the numbers do not fill the last row.
    pub fn new(sizes: &[usize], numbers: impl Into<Numbers>) -> Option<Stack> {
        let numbers = numbers.into();
        let width = sizes.iter().try_fold(1usize, |n, s| n.checked_mul(*s)).filter(|w| *w > 0)?;
        let whole = !sizes.is_empty() && numbers.len().is_multiple_of(width);
        whole.then(|| Stack { sizes: sizes.to_vec(), rows: numbers.len() / width, numbers })
    }

    /// Sizes of the array of a row.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// How many arrays.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.sizes.iter().product()
    }

    /// All numbers, row by row, the last axis fastest.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The numbers of a row, which must exist.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> + '_ {
        let width = self.width();
        (row * width..(row + 1) * width).map(|i| self.numbers.at(i))
    }

    /// All numbers as floats.
    pub fn floats(&self) -> Vec<f64> {
        (0..self.numbers.len()).map(|i| self.numbers.at(i)).collect()
    }

    /// The same arrays in another shape; `None` where it has another number of numbers.
    pub fn reshaped(&self, sizes: &[usize]) -> Option<Stack> {
        (sizes.iter().product::<usize>() == self.width())
            .then(|| Stack { sizes: sizes.to_vec(), ..self.clone() })
    }

    /// The arrays with every number changed, as floats.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Stack {
        self.with_numbers((0..self.numbers.len()).map(|i| change(self.numbers.at(i))).collect())
    }

    /// As many arrays of the same shape with these numbers.
    pub(super) fn with_numbers(&self, numbers: Vec<f64>) -> Stack {
        Stack { numbers: numbers.into(), ..self.clone() }
    }

    /// The rows with these numbers, which must exist, in this order.
    pub fn take(&self, rows: &[usize]) -> Stack {
        fn pick<T: Copy>(all: &[T], width: usize, rows: &[usize]) -> Vec<T> {
            rows.iter().flat_map(|r| all[r * width..(r + 1) * width].iter().copied()).collect()
        }
        let width = self.width();
        let numbers = match &self.numbers {
            Numbers::U8(x) => pick(x, width, rows).into(),
            Numbers::F32(x) => pick(x, width, rows).into(),
            Numbers::F64(x) => pick(x, width, rows).into(),
        };
        Stack { sizes: self.sizes.clone(), rows: rows.len(), numbers }
    }

    /// The rows with these numbers; NaN, and 0 of whole numbers, where there is none.
    pub fn take_or_missing(&self, rows: &[Option<usize>]) -> Stack {
        fn pick<T: Copy>(all: &[T], width: usize, rows: &[Option<usize>], none: T) -> Vec<T> {
            let mut found = Vec::with_capacity(rows.len() * width);
            for row in rows {
                match row {
                    Some(r) => found.extend_from_slice(&all[r * width..(r + 1) * width]),
                    None => found.resize(found.len() + width, none),
                }
            }
            found
        }
        let width = self.width();
        let numbers = match &self.numbers {
            Numbers::U8(x) => pick(x, width, rows, 0).into(),
            Numbers::F32(x) => pick(x, width, rows, f32::NAN).into(),
            Numbers::F64(x) => pick(x, width, rows, f64::NAN).into(),
        };
        Stack { sizes: self.sizes.clone(), rows: rows.len(), numbers }
    }

    /// One below the other, in the widest precision among them; `None` for none or for different sizes.
    pub fn concat(parts: &[&Stack]) -> Option<Stack> {
        let sizes = parts.first()?.sizes.clone();
        if parts.iter().any(|p| p.sizes != sizes) {
            return None;
        }
        let floats = || parts.iter().flat_map(|s| (0..s.numbers.len()).map(|i| s.numbers.at(i)));
        let numbers: Numbers = if parts.iter().all(|s| matches!(s.numbers, Numbers::U8(_))) {
            floats().map(|x| x as u8).collect::<Vec<u8>>().into()
        } else if parts.iter().any(|s| matches!(s.numbers, Numbers::F64(_))) {
            floats().collect::<Vec<f64>>().into()
        } else {
            floats().map(|x| x as f32).collect::<Vec<f32>>().into()
        };
        let rows = parts.iter().map(|p| p.rows).sum();
        Some(Stack { sizes, rows, numbers })
    }

    /// The same arrays with those of another, of the same sizes and as many, in the rows given.
    pub(super) fn with_rows(&self, other: &Stack, rows: &[usize]) -> Stack {
        let Some(both) = Stack::concat(&[self, other]).filter(|_| self.rows == other.rows) else {
            return self.clone();
        };
        let mut places: Vec<usize> = (0..self.rows).collect();
        rows.iter().for_each(|r| places[*r] = self.rows + r);
        both.take(&places)
    }

    /// The least and the greatest number of a row.
    pub(super) fn extremes(&self, row: usize) -> (f64, f64) {
        self.row(row).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
    }

    /// The sizes as shown: `[1, 28, 28]`.
    pub fn shape(&self) -> String {
        format!("{:?}", self.sizes)
    }

    /// How rows compare: number by number.
    pub(super) fn compare(&self, i: usize, j: usize) -> std::cmp::Ordering {
        let mut orders = self.row(i).zip(self.row(j)).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
        orders.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_and_numbers_agree() {
        assert!(Stack::new(&[2], vec![1.0, 2.0, 3.0]).is_none());
        assert!(Stack::new(&[0], Vec::<f64>::new()).is_none());
        assert!(Stack::new(&[], vec![1.0]).is_none());
        assert!(Stack::new(&[usize::MAX, 3], vec![1.0]).is_none());
        let s = Stack::new(&[3], vec![1u8, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!((s.len(), s.width(), s.shape()), (2, 3, "[3]".to_string()));
        assert_eq!(s.reshaped(&[1, 3]).unwrap().sizes(), [1, 3]);
        assert!(s.reshaped(&[2]).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::data::testing::cases()))]
        #[test]
        fn rows_stay_whole(
            rows in prop::collection::vec(prop::collection::vec(any::<f32>(), 6), 1..6),
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let s = Stack::new(&[2, 3], rows.concat()).unwrap();
            let places: Vec<usize> = places.iter().map(|p| p.index(rows.len())).collect();
            let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
            let wanted = |r: usize| bits(rows[r].iter().map(|x| f64::from(*x)).collect());
            let taken = s.take(&places);
            let kept = s.take_or_missing(&places.iter().map(|p| Some(*p)).collect::<Vec<_>>());
            for (k, r) in places.iter().enumerate() {
                prop_assert_eq!(bits(taken.row(k).collect()), wanted(*r));
                prop_assert_eq!(bits(kept.row(k).collect()), wanted(*r));
            }
            let twice = Stack::concat(&[&s, &s]).unwrap();
            prop_assert_eq!(twice.len(), 2 * s.len());
            prop_assert_eq!(bits(twice.row(s.len()).collect()), wanted(0));
            prop_assert!(s.take_or_missing(&[None]).row(0).all(f64::is_nan));
        }
    }
}
