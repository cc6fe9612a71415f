use crate::base::*;
use crate::expression::*;
use crate::units::*;
#[derive(Debug, thiserror::Error)]
pub enum RegressError {
    #[error("no target")]
    NoTarget,
}
impl Fault for RegressError {
    fn code(&self) -> Code {
        Code(1)
    }
}
#[derive(Clone, Debug)]
pub enum Constants {
    Free,
    Dimensionless,
    Named(Vec<(String, Expr, Dimension)>),
}
#[derive(Clone, Copy, Debug)]
pub enum Method {
    Auto,
    Closed,
}
impl std::str::FromStr for Method {
    type Err = RegressError;
    fn from_str(_: &str) -> Result<Method, RegressError> {
        Ok(Method::Auto)
    }
}
pub struct Plan {
    pub method: Method,
    pub operators: Vec<String>,
    pub constants: Constants,
    pub work: Option<u64>,
    pub deadline: Option<std::time::Instant>,
    pub threads: usize,
    pub seed: u64,
    pub identity: u64,
}
pub struct Problem {
    pub names: Vec<Symbol>,
    pub columns: Vec<Vec<f64>>,
    pub dimensions: Option<Vec<Dimension>>,
    pub units: Vec<Option<Unit>>,
    pub target: Vec<f64>,
    pub target_symbol: Symbol,
    pub target_dimension: Dimension,
    pub target_unit: Option<Unit>,
    pub sigma: Option<Vec<f64>>,
    pub resolution: Option<f64>,
}
#[derive(Debug, Clone)]
pub struct Candidate {
    pub expr: Expr,
    pub size: usize,
    pub loss: f64,
    pub r2: f64,
}
#[derive(Debug)]
pub struct Front(Vec<Candidate>);
impl Front {
    pub fn candidates(&self) -> &[Candidate] {
        &self.0
    }
    pub fn best(&self) -> Option<&Candidate> {
        None
    }
    pub fn best_index(&self) -> Option<usize> {
        None
    }
}
#[derive(Debug)]
pub struct Found {
    pub front: Front,
    pub stopped: StopReason,
    pub work: u64,
    pub notes: Vec<String>,
}
pub fn regress(_: &Problem, _: &Plan, _: &CancelToken, _: &dyn Fn(f64)) -> Result<Found, RegressError> {
    Err(RegressError::NoTarget)
}
