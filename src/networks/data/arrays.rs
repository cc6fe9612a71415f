//! Rows in memory: inputs, target and weights of equal length. Parts of them (a validation set) are views of the same
//! numbers.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};

use super::array::Change;
use super::augment::below;
use super::{Array, Augment, Order, Place, Source, Values};
use crate::base::hash;
use crate::base::random::{Rng, Streams};
use crate::networks::error::NetworkError;
use crate::networks::objective::Batch;
use crate::networks::shape::Shape;

/// The order of an epoch, with what it was drawn from.
#[derive(Debug)]
struct Shuffled {
    streams: Streams,
    epoch: u64,
    rows: Arc<Vec<u32>>,
}

/// Inputs, and what belongs to each of their rows.
#[derive(Debug)]
pub struct Arrays {
    inputs: Vec<Array>,
    target: Option<Array>,
    weights: Option<Arc<Vec<f64>>>,
    classes: Vec<String>,
    augments: Vec<Augment>,
    /// The rows that belong to this part.
    rows: Arc<Vec<u32>>,
    /// That of the last epoch that was asked for.
    shuffled: Mutex<Option<Shuffled>>,
}

impl Clone for Arrays {
    fn clone(&self) -> Arrays {
        self.part(self.rows.to_vec())
    }
}

impl Arrays {
    /// Inputs of a network in their order, and the target.
    ///
    /// # Errors
    /// No rows, or arrays of different lengths.
    pub fn new(inputs: Vec<Array>, target: Option<Array>) -> Result<Arrays, NetworkError> {
        let Some(first) = inputs.first() else { return Err(NetworkError::NoRows { array: "inputs".into() }) };
        let rows = |a: &Array| {
            let found = a.values.len();
            a.rows().ok_or_else(|| NetworkError::Lengths {
                first: format!("sizes {:?}", a.sizes),
                rows: found.div_ceil(a.width().max(1)) * a.width(),
                other: a.name.clone(),
                found,
            })
        };
        let n = rows(first)?;
        for a in inputs.iter().chain(&target) {
            let found = rows(a)?;
            if found != n {
                let (first, other) = (first.name.clone(), a.name.clone());
                return Err(NetworkError::Lengths { first, rows: n, other, found });
            }
        }
        if n == 0 {
            return Err(NetworkError::NoRows { array: first.name.clone() });
        }
        Ok(Arrays {
            inputs,
            target,
            weights: None,
            classes: Vec::new(),
            augments: Vec::new(),
            rows: Arc::new((0..n as u32).collect()),
            shuffled: Mutex::new(None),
        })
    }

    /// With a weight for each row.
    ///
    /// # Errors
    /// Another number of rows, or weights that are negative, not finite, or all 0.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Arrays, NetworkError> {
        let n = self.inputs[0].rows().unwrap_or(0);
        if weights.len() != n {
            let (first, other) = (self.inputs[0].name.clone(), "weights".to_string());
            return Err(NetworkError::Lengths { first, rows: n, other, found: weights.len() });
        }
        let bad = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0));
        let none = weights.iter().all(|w| *w == 0.0);
        if let Some(row) = bad.or(none.then_some(0)) {
            return Err(NetworkError::PlanValue {
                what: "weights",
                expected: "finite numbers >= 0, not all 0",
                found: format!("{} in row {row}", weights[row]),
                hint: "with(data, w: abs(w))",
            });
        }
        self.weights = Some(Arc::new(weights));
        Ok(self)
    }

    /// With names of the classes, for messages.
    pub fn with_classes(mut self, names: Vec<String>) -> Arrays {
        self.classes = names;
        self
    }

    /// With augmentations of the first input, one after the other. A target that is an image moves along.
    ///
    /// # Errors
    /// One of them does not fit the shape of the rows, or the target is an image of another size.
    pub fn with_augments(mut self, augments: Vec<Augment>) -> Result<Arrays, NetworkError> {
        let sizes = &self.inputs[0].sizes;
        augments.iter().try_for_each(|a| a.check(&self.inputs[0].shape(0)))?;
        if let Some(target) = self.target_image() {
            augments.iter().try_for_each(|a| a.check_target(sizes, target))?;
        }
        self.augments = augments;
        Ok(self)
    }

    /// Channels, height and width of a target that is an image or a map of classes.
    fn target_image(&self) -> Option<[usize; 3]> {
        match *self.target.as_ref()?.sizes.as_slice() {
            [height, width] => Some([1, height, width]),
            [channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }

    /// With every number of the target changed, as numbers (classes as -1 and 1).
    pub fn map_target(mut self, change: impl Fn(f64) -> f64) -> Arrays {
        self.target = self.target.map(|t| {
            let values = (0..t.values.len()).map(|i| change(t.values.at(i))).collect();
            Array { values: Arc::new(Values::F64(values)), ..t }
        });
        self
    }

    /// A weight for each class of a part in inverse proportion to its rows, with mean 1 over the rows.
    pub fn balanced(&self, classes: usize) -> Vec<f64> {
        let mut counts = vec![0.0; classes];
        if let Some(target) = &self.target {
            let labels = self.rows.iter().map(|r| target.values.at(*r as usize));
            labels.filter(|c| *c >= 0.0 && *c < classes as f64).for_each(|c| counts[c as usize] += 1.0);
        }
        let (n, k) = (self.rows.len() as f64, classes as f64);
        counts.into_iter().map(|c| if c > 0.0 { n / (k * c) } else { 0.0 }).collect()
    }

    /// The numbers of input `k` of this part, row by row.
    pub fn numbers_of(&self, k: usize) -> impl Iterator<Item = f64> + '_ {
        self.inputs.get(k).into_iter().flat_map(|a| self.within(a))
    }

    /// The numbers of the target of this part, row by row.
    pub fn targets(&self) -> impl Iterator<Item = f64> + '_ {
        self.target.iter().flat_map(|a| self.within(a))
    }

    fn within<'a>(&'a self, a: &'a Array) -> impl Iterator<Item = f64> + 'a {
        self.rows.iter().flat_map(move |r| a.span(*r as usize).map(|i| a.values.at(i)))
    }

    /// The rows of this part.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no rows; never so.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn part(&self, rows: Vec<u32>) -> Arrays {
        Arrays {
            inputs: self.inputs.clone(),
            target: self.target.clone(),
            weights: self.weights.clone(),
            classes: self.classes.clone(),
            augments: self.augments.clone(),
            rows: Arc::new(rows),
            shuffled: Mutex::new(None),
        }
    }

    /// Two parts: the rest, and `share` of the rows chosen at random, of each class the same share where the target is
    /// classes. Both keep the order of the rows.
    ///
    /// # Errors
    /// One part would have no rows.
    pub fn split(&self, share: f64, streams: Streams) -> Result<(Arrays, Arrays), NetworkError> {
        let class_of = |r: u32| match &self.target {
            Some(Array { values, sizes, .. }) if sizes.is_empty() => match &**values {
                Values::Index(x) => x[r as usize],
                _ => 0,
            },
            _ => 0,
        };
        let mut shuffled = self.rows.to_vec();
        shuffle(&mut shuffled, &mut streams.stream("data/split"));
        shuffled.sort_by_key(|r| class_of(*r));
        let (mut held, mut rest) = (Vec::new(), Vec::new());
        for class in shuffled.chunk_by(|a, b| class_of(*a) == class_of(*b)) {
            let count = (share * class.len() as f64).round().clamp(0.0, class.len() as f64) as usize;
            held.extend_from_slice(&class[..count]);
            rest.extend_from_slice(&class[count..]);
        }
        if held.is_empty() || rest.is_empty() {
            return Err(NetworkError::PlanValue {
                what: "validation",
                expected: "a share that leaves rows on both sides",
                found: format!("{share} of {} rows", self.rows.len()),
                hint: "validation: 0.2",
            });
        }
        held.sort_unstable();
        rest.sort_unstable();
        Ok((self.part(rest), self.part(held)))
    }

    /// The rows in the order of an epoch.
    fn order(&self, epoch: u64, streams: Streams) -> Arc<Vec<u32>> {
        let mut kept = self.shuffled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = kept.as_ref().filter(|s| (s.streams, s.epoch) == (streams, epoch)) {
            return last.rows.clone();
        }
        let mut rows = self.rows.to_vec();
        shuffle(&mut rows, &mut streams.block("data/shuffle", epoch));
        let rows = Arc::new(rows);
        *kept = Some(Shuffled { streams, epoch, rows: rows.clone() });
        rows
    }

    /// The rows of the batch at a place.
    fn pick(&self, place: Place, order: &Order) -> Vec<u32> {
        let size = order.size.unwrap_or(self.rows.len());
        // A batch of all rows is not shuffled: its order would change nothing but the rounding of sums.
        let all =
            if size >= self.rows.len() { self.rows.clone() } else { self.order(place.epoch, order.streams) };
        slice(&all, place.index, size)
    }

    /// The batch of these rows; the first input and the target may be changed.
    fn make(
        &self,
        rows: &[u32],
        dtype: DType,
        change: Option<&Change<'_>>,
        beside: Option<&Change<'_>>,
    ) -> Result<Batch, NetworkError> {
        let (mut inputs, mut lengths) = (Vec::with_capacity(self.inputs.len()), Vec::new());
        for (i, a) in self.inputs.iter().enumerate() {
            inputs.push(a.gather(rows, dtype, change.filter(|_| i == 0))?);
            lengths.push(a.lengths(rows));
        }
        let target = self.target.as_ref().map(|t| t.gather(rows, dtype, beside)).transpose()?;
        let weights = match &self.weights {
            Some(w) => {
                let own: Vec<f64> = rows.iter().map(|r| w[*r as usize]).collect();
                Some(Tensor::from_vec(own, rows.len(), &Device::Cpu)?.to_dtype(dtype)?)
            }
            None => None,
        };
        let target_lengths = self.target.as_ref().and_then(|t| t.lengths(rows));
        Ok(Batch { inputs, lengths, target, target_lengths, weights })
    }
}

/// Puts a list in random order (Fisher & Yates; Durstenfeld 1964).
fn shuffle(list: &mut [u32], rng: &mut Rng) {
    for i in (1..list.len()).rev() {
        list.swap(i, below(rng, i + 1));
    }
}

fn slice(all: &[u32], index: u64, size: usize) -> Vec<u32> {
    let from = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(size).min(all.len());
    all[from..from.saturating_add(size).min(all.len())].to_vec()
}

impl Source for Arrays {
    fn fingerprint(&self) -> u64 {
        let mut total =
            hash::of_str(&format!("{:?}", self.augments.iter().map(Augment::to_string).collect::<Vec<_>>()));
        for a in self.inputs.iter().chain(&self.target) {
            total = hash::combine(total, a.fingerprint());
        }
        if let Some(w) = &self.weights {
            total = w.iter().fold(total, |h, w| hash::combine(h, w.to_bits()));
        }
        self.rows.iter().fold(total, |h, r| hash::combine(h, u64::from(*r)))
    }

    fn rows(&self) -> Option<usize> {
        Some(self.rows.len())
    }

    fn batches(&self, size: Option<usize>) -> u64 {
        let n = self.rows.len();
        n.div_ceil(size.unwrap_or(n).max(1)) as u64
    }

    fn inputs(&self) -> Vec<Shape> {
        self.inputs.iter().enumerate().map(|(k, a)| a.shape(k)).collect()
    }

    fn target(&self) -> Option<Shape> {
        self.target.as_ref().map(|a| a.shape(0))
    }

    fn check(&self) -> Result<(), NetworkError> {
        for a in self.inputs.iter().chain(&self.target) {
            for r in self.rows.iter().map(|r| *r as usize) {
                let span = a.span(r);
                let first = span.start;
                if let Some(k) = span.into_iter().find(|k| !a.values.at(*k).is_finite()) {
                    return Err(NetworkError::NotFinite {
                        array: a.name.clone(),
                        row: r,
                        column: a.column(k - first),
                        found: a.values.at(k),
                    });
                }
            }
        }
        Ok(())
    }

    fn check_classes(&self, classes: usize, which: &'static str) -> Result<(), NetworkError> {
        let Some(target) = &self.target else { return Ok(()) };
        let mut counts = vec![0_u64; classes];
        for r in self.rows.iter().map(|r| *r as usize) {
            for label in target.span(r).map(|k| target.values.at(k)) {
                if !(label >= 0.0 && label.fract() == 0.0 && label < classes as f64) {
                    return Err(NetworkError::ClassRange {
                        array: target.name.clone(),
                        last: classes.saturating_sub(1),
                        image: target.sizes.len() == 2,
                        row: r,
                        found: label,
                    });
                }
                counts[label as usize] += 1;
            }
        }
        // A vocabulary may hold tokens that no sequence has.
        let sequences = target.sizes.len() == 1;
        match counts.iter().position(|c| *c == 0) {
            Some(empty) if which == "training" && !sequences => {
                let name = self.classes.get(empty).map(|n| format!("`{n}`"));
                let class = name.unwrap_or_else(|| format!("class {empty}"));
                Err(NetworkError::EmptyClass { which, class, classes })
            }
            _ => Ok(()),
        }
    }

    fn batch(&self, place: Place, order: &Order) -> Result<Batch, NetworkError> {
        let rows = self.pick(place, order);
        if self.augments.is_empty() {
            return self.make(&rows, order.dtype, None, None);
        }
        let path = format!("data/augment/{}", place.epoch);
        let change = |i: usize, row: &mut [f64]| {
            let sizes = &self.inputs[0].sizes_of(rows[i] as usize);
            let mut rng = order.streams.block(&path, u64::from(rows[i]));
            self.augments.iter().for_each(|a| a.apply(row, sizes, &mut rng));
        };
        let Some(image) = self.target_image() else {
            return self.make(&rows, order.dtype, Some(&change), None);
        };
        // The same draws, of which a target takes those that move it.
        let beside = |i: usize, row: &mut [f64]| {
            let mut rng = order.streams.block(&path, u64::from(rows[i]));
            let sizes = &self.inputs[0].sizes_of(rows[i] as usize);
            let mut input = vec![0.0; sizes.iter().product()];
            for a in &self.augments {
                if a.moves() {
                    a.apply(row, &image, &mut rng.clone());
                }
                a.apply(&mut input, sizes, &mut rng);
            }
        };
        self.make(&rows, order.dtype, Some(&change), Some(&beside))
    }

    fn plain(&self, index: u64, order: &Order) -> Result<Batch, NetworkError> {
        let size = order.size.unwrap_or(self.rows.len());
        self.make(&slice(&self.rows, index, size), order.dtype, None, None)
    }

    fn rows_of(&self, place: Place, order: &Order) -> Vec<usize> {
        self.pick(place, order).into_iter().map(|r| r as usize).collect()
    }

    fn fixed(&self, size: Option<usize>) -> bool {
        self.augments.is_empty() && size.is_none_or(|s| s >= self.rows.len())
    }
}

#[cfg(test)]
mod tests;
