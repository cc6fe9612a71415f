//! The one integration binary: programs with their exact output, errors with their exact words, the commands'
//! contracts, and the laws of the house (layers, licences, codes). `PHYS_BLESS=1` rewrites the snapshots.

mod bench;
mod book;
mod cli;
mod codes;
mod errors;
mod examples;
mod exports;
mod fuzz;
mod laws;
mod layering;
mod licences;
#[cfg(feature = "networks")]
mod networks;
#[cfg(unix)]
mod prompt;
mod report;
mod rows;
mod runs;
mod spec;
mod stdlib;
mod support;
#[cfg(unix)]
mod terminal;
#[cfg(feature = "networks")]
mod training;
