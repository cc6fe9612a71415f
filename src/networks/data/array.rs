//! An array in memory: rows of one shape, or of one but for the first size, and batches of them as tensors, filled up with
//! zeros to the longest row of the batch.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::base::hash;
use crate::data::{Numbers, Stack};
use crate::networks::error::NetworkError;
use crate::networks::lengths::{Lengths, Varies};
use crate::networks::shape::Shape;

/// Changes a row: its place in the batch, its numbers.
pub(super) type Change<'a> = dyn Fn(usize, &mut [f64]) + 'a;

/// The numbers of an array, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Single floats.
    F32(Vec<f32>),
    /// Floats.
    F64(Vec<f64>),
    /// Classes or tokens.
    Index(Vec<u32>),
    /// Those of a column of arrays, shared with its dataset.
    Shared(Numbers),
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Values::F32(x) => x.len(),
            Values::F64(x) => x.len(),
            Values::Index(x) => x.len(),
            Values::Shared(x) => x.len(),
        }
    }

    pub(super) fn at(&self, i: usize) -> f64 {
        match self {
            Values::F32(x) => f64::from(x[i]),
            Values::F64(x) => x[i],
            Values::Index(x) => f64::from(x[i]),
            Values::Shared(x) => x.at(i),
        }
    }
}

/// An array: rows of one shape, but for the first size, which may vary.
#[derive(Clone, Debug)]
pub struct Array {
    pub(super) name: String,
    /// The first is that of the longest row, where they differ.
    pub(super) sizes: Vec<usize>,
    pub(super) values: Arc<Values>,
    /// Where rows begin and the last ends along the first axis, where they differ.
    pub(super) starts: Option<Arc<Vec<usize>>>,
    pub(super) columns: Vec<String>,
}

impl Array {
    /// `values` row by row, each row of `sizes` (`[]` for one number a row).
    pub fn new(name: &str, sizes: &[usize], values: Values) -> Array {
        let (values, columns) = (Arc::new(values), Vec::new());
        Array { name: name.into(), sizes: sizes.to_vec(), values, starts: None, columns }
    }

    /// The arrays of a column.
    pub fn of_stack(name: &str, stack: &Stack) -> Array {
        Array::like_stack(name, stack, Values::Shared(stack.numbers().clone()))
    }

    /// Arrays of the shapes of a column's with other values, as many.
    pub fn like_stack(name: &str, stack: &Stack, values: Values) -> Array {
        Array { starts: stack.starts().cloned(), ..Array::new(name, stack.sizes(), values) }
    }

    /// One column a slice, under their names.
    pub fn of_columns(name: &str, columns: &[(&str, &[f64])]) -> Array {
        let rows = columns.first().map_or(0, |c| c.1.len());
        let shortest = columns.iter().map(|c| c.1.len()).min().unwrap_or(rows).min(rows);
        let values = (0..shortest).flat_map(|i| columns.iter().map(move |c| c.1[i])).collect();
        Array::new(name, &[columns.len()], Values::F64(values)).with_columns(columns.iter().map(|c| c.0))
    }

    /// With names of the columns (the last axis), for messages.
    pub fn with_columns<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Array {
        self.columns = names.map(str::to_string).collect();
        self
    }

    /// Sizes of a row.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// All numbers, row by row.
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        (0..self.values.len()).map(|i| self.values.at(i))
    }

    /// The shape of a row, as that of an input of a network.
    pub fn shape(&self, input: usize) -> Shape {
        Shape::new(&self.sizes).varying(self.starts.as_ref().map(|_| Varies::with(input)))
    }

    /// Numbers of the longest row.
    pub(super) fn width(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Where the numbers of a row lie.
    pub(super) fn span(&self, row: usize) -> Range<usize> {
        match &self.starts {
            Some(starts) => {
                let rest: usize = self.sizes[1..].iter().product();
                starts[row] * rest..starts[row + 1] * rest
            }
            None => row * self.width()..(row + 1) * self.width(),
        }
    }

    /// The sizes of a row.
    pub(super) fn sizes_of(&self, row: usize) -> Vec<usize> {
        let mut sizes = self.sizes.clone();
        if let Some(starts) = &self.starts {
            sizes[0] = starts[row + 1] - starts[row];
        }
        sizes
    }

    /// The lengths of rows, where they differ.
    pub(super) fn lengths(&self, rows: &[u32]) -> Option<Lengths> {
        let starts = self.starts.as_ref()?;
        let length = |r: &u32| starts[*r as usize + 1] - starts[*r as usize];
        Some(Lengths::new(rows.iter().map(length).collect()))
    }

    /// Its rows; `None` where the numbers do not fill the last.
    pub(super) fn rows(&self) -> Option<usize> {
        if let Some(starts) = &self.starts {
            return Some(starts.len().saturating_sub(1));
        }
        let width = self.width();
        (width > 0 && self.values.len().is_multiple_of(width)).then(|| self.values.len() / width)
    }

    /// The name of number `k` of a row.
    pub(super) fn column(&self, k: usize) -> String {
        let last = self.sizes.last().copied().unwrap_or(1).max(1);
        match self.columns.get(k % last) {
            Some(name) => name.clone(),
            None => k.to_string(),
        }
    }

    /// The rows as a tensor; `change` may change a row (its place in the batch, its numbers).
    pub(super) fn gather(
        &self,
        rows: &[u32],
        dtype: DType,
        change: Option<&Change<'_>>,
    ) -> Result<Tensor, NetworkError> {
        let mut sizes = vec![rows.len()];
        sizes.extend(&self.sizes);
        if let Some(lengths) = self.lengths(rows) {
            sizes[1] = lengths.longest();
        }
        let width: usize = sizes[1..].iter().product();
        let spans = || rows.iter().map(|r| self.span(*r as usize));
        let device = &Device::Cpu;
        let index = match &*self.values {
            Values::Index(x) => Some(x),
            _ => None,
        };
        if let Some(change) = change {
            let mut all = Vec::with_capacity(rows.len() * width);
            let mut row = Vec::with_capacity(width);
            for (i, span) in spans().enumerate() {
                row.clear();
                row.extend(span.map(|k| self.values.at(k)));
                change(i, &mut row);
                row.resize(width, 0.0);
                all.extend_from_slice(&row);
            }
            if index.is_some() {
                let all: Vec<u32> = all.into_iter().map(|x| x as u32).collect();
                return Ok(Tensor::from_vec(all, sizes, device)?);
            }
            return Ok(Tensor::from_vec(all, sizes, device)?.to_dtype(dtype)?);
        }
        if let Some(x) = index {
            return Ok(Tensor::from_vec(filled(spans(), width, |s| x[s].iter().copied()), sizes, device)?);
        }
        let singles = |x: &[f32]| filled(spans(), width, |s| x[s].iter().copied());
        let tensor = match &*self.values {
            Values::F32(x) => Tensor::from_vec(singles(x), sizes, device)?,
            Values::Shared(Numbers::F32(x)) => Tensor::from_vec(singles(x), sizes, device)?,
            Values::Shared(Numbers::U8(x)) => {
                let all = filled(spans(), width, |s| x[s].iter().map(|b| f32::from(*b)));
                Tensor::from_vec(all, sizes, device)?
            }
            _ => {
                let all = filled(spans(), width, |s| s.map(|k| self.values.at(k)));
                Tensor::from_vec(all, sizes, device)?
            }
        };
        Ok(tensor.to_dtype(dtype)?)
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let start = hash::of_str(&format!("{} {:?}", self.name, self.sizes));
        let starts = self.starts.iter().flat_map(|s| s.iter());
        let start = starts.fold(start, |h, s| hash::combine(h, *s as u64));
        match &*self.values {
            Values::F32(x) => x.iter().fold(start, |h, x| hash::combine(h, u64::from(x.to_bits()))),
            Values::F64(x) => x.iter().fold(start, |h, x| hash::combine(h, x.to_bits())),
            Values::Index(x) => x.iter().fold(start, |h, x| hash::combine(h, u64::from(*x))),
            Values::Shared(x) => (0..x.len()).fold(start, |h, i| hash::combine(h, x.at(i).to_bits())),
        }
    }
}

/// The numbers of rows that lie in `spans`, each filled up with zeros to `width` of them.
fn filled<T: Default + Clone, N: Iterator<Item = T>>(
    spans: impl Iterator<Item = Range<usize>>,
    width: usize,
    numbers: impl Fn(Range<usize>) -> N,
) -> Vec<T> {
    let mut all = Vec::new();
    for (row, span) in spans.enumerate() {
        all.extend(numbers(span));
        all.resize((row + 1) * width, T::default());
    }
    all
}
