//! Rows that differ in the size of their first axis: sets, sequences, events. Statically a shape says that its first size
//! [`Varies`], and how it follows from that of a row of an input; at run time a batch brings the [`Lengths`] of its rows.
//! Tensors are filled up behind the last element of a row; what stands there is never part of a result.

use std::sync::Arc;

use candle_core::{DType, Tensor};

use super::error::NetworkError;
use super::ops;

/// How the first size of a row follows from that of the same row of a network's input: floor((n + shift)/stride).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Varies {
    /// Which input of the network.
    pub input: usize,
    shift: isize,
    stride: usize,
}

impl Varies {
    /// As the input itself.
    pub fn with(input: usize) -> Varies {
        Varies { input, shift: 0, stride: 1 }
    }

    /// After a layer that makes floor((n + shift)/stride) of n: those of nested floors are one.
    pub(crate) fn then(self, shift: isize, stride: usize) -> Varies {
        Varies { shift: self.shift + shift * self.stride as isize, stride: self.stride * stride, ..self }
    }

    /// The size for a row of `n`; 0 where nothing is left.
    pub(crate) fn of(&self, n: usize) -> usize {
        let sum = n as isize + self.shift;
        usize::try_from(sum.div_euclid(self.stride as isize)).unwrap_or(0)
    }

    /// Whether both make the same of their inputs' sizes.
    pub(crate) fn is_like(&self, other: &Varies) -> bool {
        (self.shift, self.stride) == (other.shift, other.stride)
    }
}

/// First sizes of the rows of a batch, each at least 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Lengths(Arc<Vec<usize>>);

impl Lengths {
    /// Of these sizes.
    pub fn new(rows: Vec<usize>) -> Lengths {
        Lengths(Arc::new(rows))
    }

    /// The sizes.
    pub fn rows(&self) -> &[usize] {
        &self.0
    }

    /// The greatest.
    pub fn longest(&self) -> usize {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// After the layers that a shape tells of.
    pub(crate) fn through(&self, varies: &Varies) -> Lengths {
        Lengths::new(self.0.iter().map(|n| varies.of(*n)).collect())
    }

    /// The sum.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}

/// Which elements of a tensor `[batch, longest, ...]` are there.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    lengths: Lengths,
    longest: usize,
}

impl Presence {
    /// Of rows of these lengths in a tensor with so many places a row; `None` where all places are filled.
    pub fn new(lengths: Lengths, longest: usize) -> Option<Presence> {
        let full = lengths.rows().iter().all(|n| *n >= longest);
        (!full).then_some(Presence { lengths, longest })
    }

    /// The lengths of the rows.
    pub fn rows(&self) -> &[usize] {
        self.lengths.rows()
    }

    fn places(&self) -> impl Iterator<Item = bool> + '_ {
        let longest = self.longest;
        self.rows().iter().flat_map(move |n| (0..longest).map(move |i| i < *n))
    }

    /// The sizes `[batch, longest, 1, ...]` with so many axes.
    fn sizes(&self, rank: usize) -> Vec<usize> {
        let mut sizes = vec![1; rank.max(2)];
        (sizes[0], sizes[1]) = (self.rows().len(), self.longest);
        sizes
    }

    /// 1 where an element is there, else 0, for tensors like this one.
    pub fn mask(&self, like: &Tensor) -> Result<Tensor, NetworkError> {
        let numbers: Vec<f64> = self.places().map(|there| f64::from(u8::from(there))).collect();
        let mask = Tensor::from_vec(numbers, self.sizes(like.rank()), like.device())?;
        Ok(mask.to_dtype(like.dtype())?)
    }

    /// 0 where an element is there, else minus infinity: `[batch, 1, 1, longest]`, added to the scores of attention.
    pub fn hidden(&self, like: &Tensor) -> Result<Tensor, NetworkError> {
        let numbers: Vec<f64> =
            self.places().map(|there| if there { 0.0 } else { f64::NEG_INFINITY }).collect();
        let sizes = (self.rows().len(), 1, 1, self.longest);
        Ok(Tensor::from_vec(numbers, sizes, like.device())?.to_dtype(like.dtype())?)
    }

    /// The tensor with zeros where no element is, whatever stood there.
    pub fn zeroed(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let there: Vec<u8> = self.places().map(u8::from).collect();
        let there = Tensor::from_vec(there, self.sizes(x.rank()), x.device())?;
        let there = there.broadcast_as(x.shape())?.contiguous()?;
        let x = ops::contiguous(x)?;
        Ok(there.where_cond(&x, &x.zeros_like()?)?)
    }

    /// The tensor with zeros where no element is; the numbers there must be finite.
    pub fn masked(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        Ok(x.broadcast_mul(&self.mask(x)?)?)
    }

    /// The elements that are there, one below the other: `[elements, ...]` of `[batch, longest, ...]`.
    pub fn gather(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let places: Vec<u32> =
            self.places().enumerate().filter(|(_, there)| *there).map(|(i, _)| i as u32).collect();
        let index = Tensor::from_vec(places, self.lengths.total(), x.device())?;
        let flat = ops::contiguous(x)?.flatten(0, 1)?;
        if x.dtype() == DType::U32 {
            return Ok(flat.index_select(&index, 0)?);
        }
        Ok(ops::gather_rows(&flat, &index)?)
    }

    /// Back from [`Presence::gather`], with zeros where no element is.
    pub fn spread(&self, elements: &Tensor) -> Result<Tensor, NetworkError> {
        let nothing = self.lengths.total() as u32;
        let mut next = 0;
        let place = |there: bool| {
            if !there {
                return nothing;
            }
            next += 1;
            next - 1
        };
        let places: Vec<u32> = self.places().map(place).collect();
        let index = Tensor::from_vec(places, (self.rows().len(), self.longest), elements.device())?;
        let zeros = elements.narrow(0, 0, 1)?.zeros_like()?;
        Ok(ops::gather_rows(&Tensor::cat(&[&ops::contiguous(elements)?, &zeros], 0)?, &index)?)
    }

    /// The sum over the elements, for each row.
    pub fn sum(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        Ok(self.masked(x)?.sum(1)?)
    }

    /// The mean over the elements, for each row; 0 where there is none.
    pub fn mean(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let shares: Vec<f64> = self.rows().iter().map(|n| 1.0 / (*n).max(1) as f64).collect();
        let mut sizes = vec![1; x.rank() - 1];
        sizes[0] = shares.len();
        let shares = Tensor::from_vec(shares, sizes, x.device())?.to_dtype(x.dtype())?;
        Ok(self.sum(x)?.broadcast_mul(&shares)?)
    }

    /// The greatest of the elements of `[rows, longest, features]`, for each row; 0 where there is none.
    pub fn greatest(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let some: Vec<f64> = self.rows().iter().map(|n| f64::from(u8::from(*n > 0))).collect();
        let some = Tensor::from_vec(some, (self.rows().len(), 1), x.device())?.to_dtype(x.dtype())?;
        Ok(self.lowered(x)?.max(1)?.broadcast_mul(&some)?)
    }

    /// The tensor with a number below all others where no element is: for the greatest of a row.
    pub fn lowered(&self, x: &Tensor) -> Result<Tensor, NetworkError> {
        let least = if x.dtype() == DType::F64 { f64::MIN / 4.0 } else { f64::from(f32::MIN) / 4.0 };
        let mask = self.mask(x)?;
        let low = ((1.0 - &mask)? * least)?;
        Ok(x.broadcast_mul(&mask)?.broadcast_add(&low)?)
    }
}
