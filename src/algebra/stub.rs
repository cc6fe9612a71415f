use crate::base::*;
use crate::expression::*;
pub struct Rules;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct RErr;
impl Fault for RErr {
    fn code(&self) -> Code {
        Code(1)
    }
}
impl Rules {
    pub fn load(_: &[(&str, &str)]) -> Result<Rules, Diagnostic> {
        Ok(Rules)
    }
    pub fn add(&mut self, _: read::Rule) -> Result<(), RErr> {
        Ok(())
    }
}
pub struct Limits {
    pub nodes: usize,
    pub iterations: usize,
    pub time: Option<std::time::Duration>,
}
impl Default for Limits {
    fn default() -> Limits {
        Limits { nodes: 2000, iterations: 10, time: None }
    }
}
pub struct Simplified {
    pub expr: Expr,
    pub conditions: Vec<Expr>,
    pub stopped: StopReason,
}
pub fn simplify(e: &Expr, _: &Declarations, _: &Rules, _: &Limits, _: &CancelToken) -> Simplified {
    Simplified { expr: e.clone(), conditions: vec![], stopped: StopReason::Saturated }
}
pub enum Verdict {
    Proved,
    Held { points: usize },
    Counterexample { point: Vec<(Symbol, f64)>, a: f64, b: f64 },
    Undecided,
}
pub fn equivalent(_: &Expr, _: &Expr, _: &Declarations, _: &Rules, _: &CancelToken, _: u64) -> Verdict {
    Verdict::Undecided
}
pub fn prove(_: &Expr, _: &Declarations) -> Option<bool> {
    None
}
pub fn size(_: &Expr) -> usize {
    1
}
pub fn nonzero_condition(e: &Expr) -> Expr {
    e.clone()
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
