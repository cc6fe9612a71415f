//! Layer 1: from text to tokens to the syntax tree, and back (the formatter).
//!
//! Entry points: [`parse`] reads a whole source and reports every fault; [`format`] prints a tree with its
//! comments in the standard layout.

pub mod tree;
