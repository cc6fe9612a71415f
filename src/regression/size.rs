//! The size of a law: binary operators and leaves, a rational as one leaf, a function one operator.

use crate::expression::Expr;

/// Its size; units and uncertain constants count as the number they multiply.
pub fn size(e: &Expr) -> usize {
    crate::algebra::size(e)
}
