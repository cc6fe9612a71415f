//! How to search.

use super::candidate::Model;
use super::complexity::Complexity;
use super::error::RegressError;
use super::loss::Loss;
use super::rules::Rules;
use crate::expression::{Expr, Symbol};
use crate::units::Dimension;

/// Which engines run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All that are built.
    Auto,
    /// Closed forms only.
    Closed,
    /// Algebraic relations only.
    Algebraic,
    /// The projective search only.
    Projective,
    /// The exhaustive search only.
    Exhaustive,
    /// The search with scalings read from the data only.
    Symmetry,
    /// The genetic search only.
    Genetic,
}

impl std::str::FromStr for Method {
    type Err = RegressError;

    fn from_str(word: &str) -> Result<Method, RegressError> {
        match word {
            "auto" => Ok(Method::Auto),
            "closed" => Ok(Method::Closed),
            "algebraic" => Ok(Method::Algebraic),
            "projective" => Ok(Method::Projective),
            "exhaustive" => Ok(Method::Exhaustive),
            "symmetry" => Ok(Method::Symmetry),
            "genetic" => Ok(Method::Genetic),
            _ => Err(RegressError::Method { found: word.into() }),
        }
    }
}

/// Which constants a law may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Constants {
    /// Fitted ones, also with a unit, at a price.
    Free,
    /// Fitted ones without unit.
    Dimensionless,
    /// Fitted ones without unit, and these: name, value, dimension.
    Named(Vec<(String, Expr, Dimension)>),
}

/// An operator that the user wrote: a function of one or two arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnOperator {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Symbol>,
    /// What it is of them.
    pub body: Expr,
}

/// When a law is good enough: a condition on `loss`, `r2` and `size`.
#[derive(Clone, Debug, PartialEq)]
pub struct Until(pub Expr);

impl Until {
    /// Whether a law with these figures ends the search.
    pub fn met(&self, loss: f64, r2: f64, size: usize) -> bool {
        let value = |s: &Symbol| match s.name() {
            "loss" => Some(loss),
            "r2" => Some(r2),
            "size" => Some(size as f64),
            _ => None,
        };
        self.0.decide(&value) == Some(true)
    }
}

/// What is asked of laws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// How large they are.
    pub complexity: Complexity,
    /// How large they may be.
    pub largest: Option<usize>,
    /// What they must obey.
    pub rules: Rules,
    /// What is minimised; squares where `None`.
    pub loss: Option<Loss>,
    /// When one is good enough.
    pub until: Option<Until>,
}

impl Criteria {
    /// All of it in words, for a fingerprint.
    pub fn words(&self) -> String {
        let loss = self.loss.as_ref().map_or("squares", Loss::words);
        let until = self.until.as_ref().map_or_else(String::new, |u| u.0.prefix());
        format!("{:?} {:?} {:?} {loss} {until}", self.complexity, self.largest, self.rules)
    }
}

/// All options, every default filled in.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which engines run.
    pub method: Method,
    /// Names of operators and functions that laws may use.
    pub operators: Vec<String>,
    /// Which constants laws may have.
    pub constants: Constants,
    /// Bound on the work, in row evaluations of one term.
    pub work: Option<u64>,
    /// When to stop by the clock.
    pub deadline: Option<std::time::Instant>,
    /// Threads; 0 for all.
    pub threads: usize,
    /// The seed.
    pub seed: u64,
    /// The identity of the first uncertain constant.
    pub identity: u64,
    /// Engines, and families of the projective search, that stay off: for ablations.
    pub without: Vec<String>,
    /// What is asked of laws.
    pub criteria: Criteria,
    /// Operators of the user, which the genetic search uses.
    pub own: Vec<OwnOperator>,
    /// Laws to begin with.
    pub guesses: Vec<Model>,
    /// Whether engines see the target without its noise (`prepare::smooth`).
    pub denoise: bool,
}

impl Plan {
    /// Whether laws may use an operator or function.
    pub fn allows(&self, name: &str) -> bool {
        self.operators.iter().any(|o| o == name)
    }

    /// Every name must be one that laws can hold.
    pub fn validate(&self) -> Result<(), RegressError> {
        for name in &self.operators {
            if self.own.iter().any(|o| o.name == *name) {
                continue;
            }
            let known = ["+", "-", "*", "/", "^", "sqrt", "cbrt", "ln"].contains(&name.as_str())
                || crate::expression::Function::from_name(name).is_some();
            if !known {
                return Err(RegressError::Operator { found: name.clone() });
            }
        }
        Ok(())
    }
}
