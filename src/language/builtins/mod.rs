//! The bodies of what the standard library declares, one family a file. Every row of the tables has its `extern`
//! declaration and the other way round (a test compares them).

pub mod algebra;
pub mod criteria;
pub mod data;
pub mod discover;
pub mod elementary;
pub mod explain;
pub mod export;
#[cfg(feature = "networks")]
mod generated;
mod kept;
pub mod lists;
pub mod matrices;
#[cfg(feature = "networks")]
pub mod models;
#[cfg(feature = "networks")]
pub mod networks;
pub mod numeric;
pub mod output;
pub mod plots;
pub mod predict;
pub mod regress;
pub mod report;
pub mod roots;
pub mod spectra;
pub mod symbolic;
pub mod systems;
pub mod tables;
#[cfg(feature = "networks")]
pub mod training;
mod typed;

use super::calls::Args;
use super::context::Context;
use super::error::Result;
use super::value::Value;

/// The one shape of every body.
pub type Body = fn(&mut Context, &Args) -> Result<Value>;

/// All tables.
const TABLES: &[&[(&str, Body)]] = &[
    elementary::TABLE,
    lists::TABLE,
    matrices::TABLE,
    symbolic::TABLE,
    algebra::TABLE,
    data::TABLE,
    discover::TABLE,
    explain::TABLE,
    export::TABLE,
    numeric::TABLE,
    predict::TABLE,
    regress::TABLE,
    report::TABLE,
    roots::TABLE,
    spectra::TABLE,
    systems::TABLE,
    output::TABLE,
    plots::TABLE,
    tables::TABLE,
    #[cfg(feature = "networks")]
    models::TABLE,
    #[cfg(feature = "networks")]
    training::TABLE,
];

/// The body of a declared function.
pub fn body(name: &str) -> Option<Body> {
    let own = TABLES.iter().flat_map(|t| t.iter()).find(|(n, _)| *n == name).map(|(_, b)| *b);
    #[cfg(feature = "networks")]
    let own = own.or_else(|| networks::body(name));
    own
}

/// The names of all bodies.
pub fn names() -> impl Iterator<Item = &'static str> {
    let own = TABLES.iter().flat_map(|t| t.iter()).map(|(n, _)| *n);
    #[cfg(feature = "networks")]
    let own = own.chain(networks::names());
    own
}
