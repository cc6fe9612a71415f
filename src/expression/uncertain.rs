//! Uncertain numbers. Each has an identity of its own, so that the same measurement used twice is
//! fully correlated with itself; the parameters of one fit share a covariance matrix. An expression keeps
//! them as leaves, and the uncertainty of a result follows from its derivatives by them
//! (first-order propagation, JCGM 100:2008, eq. 13).

use crate::base::hash;
use std::sync::Arc;

/// A measured value with its standard uncertainty.
#[derive(Clone, Debug)]
pub struct Uncertain(Arc<UncertainData>);

#[derive(Debug)]
struct UncertainData {
    id: u64,
    value: f64,
    sigma: f64,
    joint: Option<(Arc<Covariance>, usize)>,
}

/// The covariance matrix of numbers that were measured together, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// Number of quantities.
    pub size: usize,
    /// `size * size` entries.
    pub matrix: Vec<f64>,
}

impl Uncertain {
    /// `value ± sigma` with the identity `id`. `sigma` is not negative.
    pub fn new(id: u64, value: f64, sigma: f64) -> Uncertain {
        Uncertain(Arc::new(UncertainData { id, value, sigma: sigma.abs(), joint: None }))
    }

    /// Numbers with a common covariance matrix; the i-th gets the identity `id + i`.
    pub fn joint(id: u64, values: &[f64], covariance: Covariance) -> Vec<Uncertain> {
        let covariance = Arc::new(covariance);
        values
            .iter()
            .enumerate()
            .map(|(i, &value)| {
                let variance = covariance.matrix.get(i * covariance.size + i).copied().unwrap_or(0.0);
                Uncertain(Arc::new(UncertainData {
                    id: id.wrapping_add(i as u64),
                    value,
                    sigma: variance.max(0.0).sqrt(),
                    joint: Some((covariance.clone(), i)),
                }))
            })
            .collect()
    }

    /// One of numbers with a common covariance matrix: that at `place` of it, with the identity `id`.
    pub fn member(id: u64, value: f64, covariance: Arc<Covariance>, place: usize) -> Uncertain {
        let variance = covariance.matrix.get(place * covariance.size + place).copied().unwrap_or(0.0);
        let sigma = variance.max(0.0).sqrt();
        Uncertain(Arc::new(UncertainData { id, value, sigma, joint: Some((covariance, place)) }))
    }

    /// The common covariance matrix and its place in it, where it was measured together with others.
    pub fn joint_covariance(&self) -> Option<(&Arc<Covariance>, usize)> {
        self.0.joint.as_ref().map(|(covariance, place)| (covariance, *place))
    }

    /// Its identity.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The value.
    pub fn value(&self) -> f64 {
        self.0.value
    }

    /// The standard uncertainty.
    pub fn sigma(&self) -> f64 {
        self.0.sigma
    }

    /// The covariance with another number: its variance with itself, an entry of the common matrix,
    /// or 0.
    pub fn covariance(&self, other: &Uncertain) -> f64 {
        if self.0.id == other.0.id {
            return self.0.sigma * self.0.sigma;
        }
        match (&self.0.joint, &other.0.joint) {
            (Some((a, i)), Some((b, j))) if Arc::ptr_eq(a, b) => a.matrix[i * a.size + j],
            _ => 0.0,
        }
    }

    /// A fixed hash of identity and value.
    pub fn stable_hash(&self) -> u64 {
        hash::combine(hash::mix(self.0.id), self.0.value.to_bits() ^ self.0.sigma.to_bits().rotate_left(17))
    }
}

impl PartialEq for Uncertain {
    fn eq(&self, other: &Uncertain) -> bool {
        self.0.id == other.0.id && self.0.value == other.0.value && self.0.sigma == other.0.sigma
    }
}
