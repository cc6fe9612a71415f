//! Arrays, one a row of a column: images, spectra, paths. All have one shape, or differ in the size of their first axis
//! alone: sets, sentences, events. The numbers lie row by row in the precision in which they came, since images are
//! large; they are shared, so that a column is cheap to copy.

use std::ops::Range;
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

/// Arrays, one a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Stack {
    /// Of a row; the first is that of the longest where rows differ in it.
    sizes: Vec<usize>,
    rows: usize,
    numbers: Numbers,
    /// Where the rows begin and the last ends along the first axis, where they may differ in it.
    starts: Option<Arc<Vec<usize>>>,
}

impl Stack {
    /// Arrays of `sizes`, row by row; `None` where an axis is empty or the numbers do not fill the last row.
    pub fn new(sizes: &[usize], numbers: impl Into<Numbers>) -> Option<Stack> {
        let numbers = numbers.into();
        let width = sizes.iter().try_fold(1usize, |n, s| n.checked_mul(*s)).filter(|w| *w > 0)?;
        let whole = !sizes.is_empty() && numbers.len().is_multiple_of(width);
        whole.then(|| Stack { sizes: sizes.to_vec(), rows: numbers.len() / width, numbers, starts: None })
    }

    /// Arrays whose first axis has the length of its row and whose other sizes are `rest`; `None` where an axis is empty
    /// or the numbers are not as many.
    pub fn varying(lengths: &[usize], rest: &[usize], numbers: impl Into<Numbers>) -> Option<Stack> {
        let numbers = numbers.into();
        let width = rest.iter().try_fold(1usize, |n, s| n.checked_mul(*s)).filter(|w| *w > 0)?;
        let starts = sums(lengths.iter().copied());
        let total = starts.last().copied().unwrap_or(0).checked_mul(width)?;
        if lengths.contains(&0) || total != numbers.len() {
            return None;
        }
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let sizes = std::iter::once(longest).chain(rest.iter().copied()).collect();
        Some(Stack { sizes, rows: lengths.len(), numbers, starts: Some(Arc::new(starts)) })
    }

    /// Sizes of the array of a row; where rows differ in the first, those of the longest.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Whether rows may differ in the size of the first axis.
    pub fn varies(&self) -> bool {
        self.starts.is_some()
    }

    /// The size of the first axis of a row, which must exist.
    pub fn length(&self, row: usize) -> usize {
        self.starts.as_ref().map_or_else(|| self.sizes[0], |s| s[row + 1] - s[row])
    }

    /// The sizes of the array of a row, which must exist.
    pub fn sizes_of(&self, row: usize) -> Vec<usize> {
        std::iter::once(self.length(row)).chain(self.sizes[1..].iter().copied()).collect()
    }

    /// Where the rows begin and the last ends along the first axis; `None` where all have one shape.
    pub fn starts(&self) -> Option<&Arc<Vec<usize>>> {
        self.starts.as_ref()
    }

    /// How many arrays.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Numbers of an element of the first axis.
    fn rest(&self) -> usize {
        self.sizes[1..].iter().product()
    }

    /// Where the numbers of a row lie, which must exist.
    pub(super) fn span(&self, row: usize) -> Range<usize> {
        let rest = self.rest();
        match &self.starts {
            Some(s) => s[row] * rest..s[row + 1] * rest,
            None => row * self.sizes[0] * rest..(row + 1) * self.sizes[0] * rest,
        }
    }

    /// All numbers, row by row, the last axis fastest.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The numbers of a row, which must exist.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> + '_ {
        self.span(row).map(|i| self.numbers.at(i))
    }

    /// All numbers as floats.
    pub fn floats(&self) -> Vec<f64> {
        (0..self.numbers.len()).map(|i| self.numbers.at(i)).collect()
    }

    /// The same arrays in another shape; `None` where it has another number of numbers. Where rows differ in the first
    /// axis, the other axes alone get other sizes.
    pub fn reshaped(&self, sizes: &[usize]) -> Option<Stack> {
        let product = |sizes: &[usize]| sizes.iter().product::<usize>();
        let fits = match &self.starts {
            Some(_) => !sizes.is_empty() && product(&sizes[1..]) == self.rest(),
            None => product(sizes) == product(&self.sizes),
        };
        let first = if self.varies() { self.sizes[0] } else { *sizes.first()? };
        let sizes = std::iter::once(first).chain(sizes.get(1..)?.iter().copied()).collect();
        fits.then(|| Stack { sizes, ..self.clone() })
    }

    /// The same arrays as ones that may differ in the size of the first axis.
    pub fn as_varying(&self) -> Stack {
        if self.varies() {
            return self.clone();
        }
        let starts = sums(std::iter::repeat_n(self.sizes[0], self.rows));
        Stack { starts: Some(Arc::new(starts)), ..self.clone() }
    }

    /// The arrays with every number changed, as floats.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Stack {
        self.with_numbers((0..self.numbers.len()).map(|i| change(self.numbers.at(i))).collect())
    }

    /// As many arrays of the same shape with these numbers.
    pub(super) fn with_numbers(&self, numbers: Vec<f64>) -> Stack {
        Stack { numbers: numbers.into(), ..self.clone() }
    }

    /// Arrays of the same kind with these lengths, where they differ, and numbers.
    fn with(&self, lengths: impl Iterator<Item = usize>, rows: usize, numbers: Numbers) -> Stack {
        let mut sizes = self.sizes.clone();
        let starts = self.starts.as_ref().map(|_| {
            let starts = sums(lengths);
            sizes[0] = starts.windows(2).map(|s| s[1] - s[0]).max().unwrap_or(sizes[0]);
            Arc::new(starts)
        });
        Stack { sizes, rows, numbers, starts }
    }

    /// The rows with these numbers, which must exist, in this order.
    pub fn take(&self, rows: &[usize]) -> Stack {
        let all = rows.iter().map(|r| Some(*r)).collect::<Vec<_>>();
        self.take_or_missing(&all)
    }

    /// The rows with these numbers; NaN, and 0 of whole numbers, where there is none: one element where rows differ.
    pub fn take_or_missing(&self, rows: &[Option<usize>]) -> Stack {
        fn pick<T: Copy>(all: &[T], spans: impl Iterator<Item = (Range<usize>, usize)>, none: T) -> Vec<T> {
            let mut found = Vec::new();
            for (span, lacking) in spans {
                found.extend_from_slice(&all[span]);
                found.resize(found.len() + lacking, none);
            }
            found
        }
        let nothing = if self.varies() { 1 } else { self.sizes[0] };
        let spans = || {
            rows.iter().map(|row| match row {
                Some(r) => (self.span(*r), 0),
                None => (0..0, nothing * self.rest()),
            })
        };
        let numbers = match &self.numbers {
            Numbers::U8(x) => pick(x, spans(), 0).into(),
            Numbers::F32(x) => pick(x, spans(), f32::NAN).into(),
            Numbers::F64(x) => pick(x, spans(), f64::NAN).into(),
        };
        let lengths = rows.iter().map(|row| row.map_or(nothing, |r| self.length(r)));
        self.with(lengths, rows.len(), numbers)
    }

    /// Whether the other's arrays can stand below these: of the same shape, but for the first size where either varies.
    pub fn is_like(&self, other: &Stack) -> bool {
        let free = usize::from(self.varies() || other.varies());
        self.sizes.len() == other.sizes.len() && self.sizes[free..] == other.sizes[free..]
    }

    /// One below the other, in the widest precision among them; `None` for none or for different sizes.
    pub fn concat(parts: &[&Stack]) -> Option<Stack> {
        let first = parts.iter().find(|p| p.varies()).or(parts.first())?;
        if parts.iter().any(|p| !p.is_like(first)) {
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
        let lengths = parts.iter().flat_map(|p| (0..p.rows).map(|r| p.length(r)));
        Some(first.with(lengths, rows, numbers))
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

    /// The sizes as shown: `[1, 28, 28]`, and `[..40, 3]` where rows have up to 40 elements.
    pub fn shape(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        format!("[{}{}]", if self.varies() { ".." } else { "" }, sizes.join(", "))
    }

    /// How rows compare: number by number, the shorter first where all of its are those of the longer.
    pub(super) fn compare(&self, i: usize, j: usize) -> std::cmp::Ordering {
        let mut orders = self.row(i).zip(self.row(j)).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
        orders.find(|o| o.is_ne()).unwrap_or_else(|| self.length(i).cmp(&self.length(j)))
    }
}

/// 0, and the sums of the first, the first two, ...
fn sums(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut total = 0;
    let ends = lengths.map(|n| {
        total += n;
        total
    });
    std::iter::once(0).chain(ends).collect()
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
        assert_eq!((s.len(), s.length(1), s.shape()), (2, 3, "[3]".to_string()));
        assert_eq!(s.reshaped(&[1, 3]).unwrap().sizes(), [1, 3]);
        assert!(s.reshaped(&[2]).is_none());
    }

    #[test]
    fn lengths_and_numbers_agree() {
        assert!(Stack::varying(&[1, 2], &[2], vec![1.0; 5]).is_none());
        assert!(Stack::varying(&[1, 0], &[2], vec![1.0; 2]).is_none());
        let s = Stack::varying(&[1, 3], &[2], vec![1u8; 8]).unwrap();
        assert_eq!((s.len(), s.shape()), (2, "[..3, 2]".to_string()));
        assert_eq!(s.reshaped(&[9, 1, 2]).unwrap().sizes(), [3, 1, 2]);
        assert!(s.reshaped(&[6]).is_none());
        let one = Stack::new(&[4, 2], vec![1u8; 8]).unwrap();
        assert_eq!(Stack::concat(&[&one, &s]).unwrap().shape(), "[..4, 2]");
        assert_eq!(one.as_varying().take(&[0]).row(0).count(), 8);
        assert!(!one.is_like(&Stack::new(&[3, 2], vec![1u8; 6]).unwrap()));
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

        #[test]
        fn rows_of_different_lengths_stay_whole(
            rows in prop::collection::vec(prop::collection::vec(any::<[f32; 2]>(), 1..5), 1..6),
            places in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        ) {
            let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
            let s = Stack::varying(&lengths, &[2], rows.concat().concat()).unwrap();
            let places: Vec<usize> = places.iter().map(|p| p.index(rows.len())).collect();
            let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
            let wanted = |r: usize| bits(rows[r].concat().iter().map(|x| f64::from(*x)).collect());
            let taken = s.take(&places);
            prop_assert_eq!(taken.sizes()[0], places.iter().map(|p| lengths[*p]).max().unwrap());
            for (k, r) in places.iter().enumerate() {
                prop_assert_eq!(bits(taken.row(k).collect()), wanted(*r));
                prop_assert_eq!(taken.sizes_of(k), vec![lengths[*r], 2]);
            }
            let both = Stack::concat(&[&s, &taken]).unwrap();
            prop_assert_eq!(bits(both.row(s.len()).collect()), wanted(places[0]));
            prop_assert_eq!(both.take(&(0..s.len()).collect::<Vec<_>>()), s.clone());
            let gap = s.take_or_missing(&[None, Some(0)]);
            prop_assert!(gap.length(0) == 1 && gap.row(0).all(f64::is_nan));
            prop_assert_eq!(bits(gap.row(1).collect()), wanted(0));
        }
    }
}
