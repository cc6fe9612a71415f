//! Closed forms: laws that linear algebra finds. Power laws (`power_law.rs`); sparse combinations of terms, directly or
//! through a link on the target, and rational functions of them (`sparse.rs`, over the terms of `terms.rs`); laws with one
//! constant inside a function (`inner.rs`).

mod inner;
mod power_law;
mod sparse;
mod terms;

use super::engine::Engine;

/// The engines, cheapest first.
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(power_law::PowerLaw::default()),
        Box::new(sparse::Sparse::linear()),
        Box::new(sparse::Sparse::links()),
        Box::new(inner::Inner::default()),
        Box::new(sparse::Sparse::rational()),
    ]
}
