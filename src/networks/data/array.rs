//! An array in memory: rows of one shape, and batches of them as tensors.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::base::hash;
use crate::data::{Numbers, Stack};
use crate::networks::error::NetworkError;

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

/// An array: rows of one shape.
#[derive(Clone, Debug)]
pub struct Array {
    pub(super) name: String,
    pub(super) sizes: Vec<usize>,
    pub(super) values: Arc<Values>,
    pub(super) columns: Vec<String>,
}

impl Array {
    /// `values` row by row, each row of `sizes` (`[]` for one number a row).
    pub fn new(name: &str, sizes: &[usize], values: Values) -> Array {
        Array { name: name.into(), sizes: sizes.to_vec(), values: Arc::new(values), columns: Vec::new() }
    }

    /// The arrays of a column.
    pub fn of_stack(name: &str, stack: &Stack) -> Array {
        Array::new(name, stack.sizes(), Values::Shared(stack.numbers().clone()))
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

    /// Numbers of a row.
    pub(super) fn width(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Its rows; `None` where the numbers do not fill the last.
    pub(super) fn rows(&self) -> Option<usize> {
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
        let width = self.width();
        let mut sizes = vec![rows.len()];
        sizes.extend(&self.sizes);
        let spans = || rows.iter().map(|r| *r as usize * width..(*r as usize + 1) * width);
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
                all.extend_from_slice(&row);
            }
            if index.is_some() {
                let all: Vec<u32> = all.into_iter().map(|x| x as u32).collect();
                return Ok(Tensor::from_vec(all, sizes, device)?);
            }
            return Ok(Tensor::from_vec(all, sizes, device)?.to_dtype(dtype)?);
        }
        if let Some(x) = index {
            let all: Vec<u32> = spans().flat_map(|s| x[s].iter().copied()).collect();
            return Ok(Tensor::from_vec(all, sizes, device)?);
        }
        let singles = |x: &[f32]| spans().flat_map(|s| x[s].iter().copied()).collect::<Vec<f32>>();
        let tensor = match &*self.values {
            Values::F32(x) => Tensor::from_vec(singles(x), sizes, device)?,
            Values::Shared(Numbers::F32(x)) => Tensor::from_vec(singles(x), sizes, device)?,
            Values::Shared(Numbers::U8(x)) => {
                let all: Vec<f32> = spans().flat_map(|s| x[s].iter().map(|b| f32::from(*b))).collect();
                Tensor::from_vec(all, sizes, device)?
            }
            _ => {
                let all: Vec<f64> = spans().flat_map(|s| s.map(|k| self.values.at(k))).collect();
                Tensor::from_vec(all, sizes, device)?
            }
        };
        Ok(tensor.to_dtype(dtype)?)
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let start = hash::of_str(&format!("{} {:?}", self.name, self.sizes));
        match &*self.values {
            Values::F32(x) => x.iter().fold(start, |h, x| hash::combine(h, u64::from(x.to_bits()))),
            Values::F64(x) => x.iter().fold(start, |h, x| hash::combine(h, x.to_bits())),
            Values::Index(x) => x.iter().fold(start, |h, x| hash::combine(h, u64::from(*x))),
            Values::Shared(x) => (0..x.len()).fold(start, |h, i| hash::combine(h, x.at(i).to_bits())),
        }
    }
}
