//! Stands in for `solve` and `series` until they land.
#![allow(missing_docs)]
use crate::base::*;
use crate::expression::*;
#[derive(Debug, thiserror::Error)]
#[error("not there yet")]
pub struct RErr;
impl Fault for RErr {
    fn code(&self) -> Code {
        Code(1)
    }
}
pub struct Solutions {
    pub roots: Vec<Expr>,
    pub conditions: Vec<Expr>,
    pub identity: bool,
}
pub fn solve(_: &Expr, _: &Symbol, _: &Declarations) -> Result<Solutions, RErr> {
    Err(RErr)
}
pub fn solve_linear_system(
    _: &[Expr],
    _: &[Symbol],
    _: &Declarations,
) -> Result<(Vec<Expr>, Vec<Expr>), RErr> {
    Err(RErr)
}
pub fn series(_: &Expr, _: &Symbol, _: &Expr, _: u32) -> Result<Expr, RErr> {
    Err(RErr)
}
