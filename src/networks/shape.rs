//! The shape of one example: `[features]`, `[length, features]` (a sequence, a set, the nodes of a graph) or
//! `[channels, height, width]` (an image). The batch axis stands before it in every tensor and is no part of it. The first
//! size may vary from row to row: then it is the longest that was planned for, shown as `[..40, 3]`.

use std::fmt;

use super::lengths::Varies;

/// The most numbers that a tensor may have here: more is a mistake in a size, not a network.
pub(crate) const MOST: usize = 1 << 31;

/// The product of sizes; the greatest number there is where it would be more.
pub(crate) fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |p: usize, s| p.saturating_mul(*s))
}

/// Sizes along the axes of one example.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Shape(Vec<usize>, Option<Varies>);

impl Shape {
    /// The shape with these sizes.
    pub fn new(sizes: &[usize]) -> Shape {
        Shape(sizes.to_vec(), None)
    }

    /// The same shape with a first size that varies with the rows of an input; a shape without axes has none.
    pub fn varying(mut self, varies: Option<Varies>) -> Shape {
        self.1 = varies.filter(|_| self.rank() > 0);
        self
    }

    /// How the first size varies, if it does.
    pub fn varies(&self) -> Option<&Varies> {
        self.1.as_ref()
    }

    /// Whether the sizes agree and vary alike, be it with different inputs, whose lengths then must agree row by row.
    pub(crate) fn is_like(&self, other: &Shape) -> bool {
        let alike = match (&self.1, &other.1) {
            (Some(a), Some(b)) => a.is_like(b),
            (None, None) => true,
            _ => false,
        };
        alike && self.0 == other.0
    }

    /// Whether a row of these sizes has this shape.
    pub(crate) fn takes(&self, sizes: &[usize]) -> bool {
        let free = usize::from(self.1.is_some());
        sizes.len() == self.rank() && sizes[free..] == self.0[free..] && !sizes.contains(&0)
    }

    /// The shape of a row in a tensor, whose first size decides where it varies.
    pub(crate) fn actual(&self, x: &candle_core::Tensor) -> Shape {
        match (self.1, x.dims().get(1)) {
            (Some(_), Some(n)) => self.with(0, *n),
            _ => self.clone(),
        }
    }

    /// The sizes.
    pub fn sizes(&self) -> &[usize] {
        &self.0
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// How many numbers one example has.
    pub fn count(&self) -> usize {
        product(&self.0)
    }

    /// The axis of the features: the first of an image, else the last. 0 for a shape without axes.
    pub fn feature_axis(&self) -> usize {
        if self.rank() == 3 { 0 } else { self.rank().saturating_sub(1) }
    }

    /// How many features there are at every position (1 for a shape without axes).
    pub fn features(&self) -> usize {
        self.0.get(self.feature_axis()).copied().unwrap_or(1)
    }

    /// How many positions there are (pixels, points, steps); 1 for `[features]`.
    pub fn positions(&self) -> usize {
        self.count().checked_div(self.features()).unwrap_or(0)
    }

    /// The same positions with another number of features.
    pub fn with_features(&self, features: usize) -> Shape {
        self.with(self.feature_axis(), features)
    }

    /// The same shape with another size along an axis.
    pub fn with(&self, axis: usize, size: usize) -> Shape {
        let mut sizes = self.0.clone();
        if let Some(s) = sizes.get_mut(axis) {
            *s = size;
        }
        Shape(sizes, self.1)
    }

    /// The shape without an axis; without the first nothing varies.
    pub fn without(&self, axis: usize) -> Shape {
        let sizes = self.0.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, s)| *s).collect();
        Shape(sizes, None).varying(self.1.filter(|_| axis > 0))
    }

    /// The sizes with the batch in front: the shape of a tensor.
    pub fn batched(&self, batch: usize) -> Vec<usize> {
        std::iter::once(batch).chain(self.0.iter().copied()).collect()
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Shape {
        Shape::new(&sizes)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", if self.1.is_some() { ".." } else { "" })?;
        for (i, size) in self.0.iter().enumerate() {
            write!(f, "{}{size}", if i > 0 { ", " } else { "" })?;
        }
        write!(f, "]")
    }
}
