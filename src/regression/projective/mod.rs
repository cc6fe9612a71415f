//! Projective search: laws modulo products of powers.
//!
//! A law is written y = C * prod x_i^p_i * prod f_j^q_j with factors f_j that are no products of powers. Logarithms on a
//! few probe rows, projected at right angles to 1 and to all ln |x_i|, forget C and every power at once, for any real
//! exponents. What is left of y is a direction that one lookup in a table of the directions of factors explains
//! (`library.rs`), or a plane of two or a space of three of them (`span.rs`). Inner constants are fitted along the curve
//! of directions that they draw (`scan.rs`). Steps backwards from the target (`peel.rs`) reach laws with an outer sum or
//! function, sums of terms are solved by their scalar products (`linear.rs`), and sums and differences of features are
//! added as further variables (`extend.rs`). Every hit is checked on many rows, with its signs (`hit.rs`), and goes on as
//! a model whose constants are fitted in the target's own space.
//!
//! That a law is a product of powers times few dimensionless factors is Buckingham's theorem (E. Buckingham, Phys. Rev. 4,
//! 345 (1914)); the projection is that of variable projection (G. Golub, V. Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)).
#![allow(
    clippy::needless_range_loop,
    clippy::too_many_arguments,
    clippy::neg_cmp_op_on_partial_ord,
    clippy::type_complexity,
    reason = "rows are walked by place, a negated comparison is false for NaN too"
)]

mod extend;
mod hit;
mod lattice;
mod library;
mod linear;
mod nodes;
mod offset;
mod peel;
mod scan;
mod span;
mod stages;
#[cfg(test)]
mod tests;
mod view;

pub use peel::{Grain, UNITS, resolution};

use super::engine::Engine;

/// The engines, cheapest first.
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![Box::new(stages::Projective::default())]
}
