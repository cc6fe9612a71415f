//! Layer 1: from text to tokens to the syntax tree, and back (the formatter).
//!
//! Entry points: [`parse`] reads a whole source and reports every fault; `format` prints a tree with its
//! comments in the standard layout.
//!
//! The way of a text: `lexer` cuts raw tokens (logos), `resolve` settles by context what each bracket and each
//! line end is, the LR(1) parser generated from `grammar/phys.lalrpop` calls the actions of `builder`, which
//! fill the arena of [`tree::Tree`]. No step recurses with the depth of the text.

mod builder;
mod compare;
mod errors;
mod expect;
mod format;
mod highlight;
mod layout;
mod lexer;
mod names;
mod parse;
mod print;
mod resolve;
mod token;
pub mod tree;
mod unit;

pub use compare::same_tree;
pub use errors::{CODES, SyntaxError};
pub use format::format;
pub use highlight::{TokenClass, tokens};
pub use names::{is_name, normalise_name, normalise_unit};
pub use parse::{Parsed, parse};
pub use print::{is_plain_name, print_expr, unit_text};
pub use unit::{parse_header, parse_unit};

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, unused)] // generated code
    grammar,
    "/phys.rs"
);
