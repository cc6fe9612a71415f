//! How to search.

use super::error::RegressError;
use crate::expression::Expr;
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
}

impl Plan {
    /// Whether laws may use an operator or function.
    pub fn allows(&self, name: &str) -> bool {
        self.operators.iter().any(|o| o == name)
    }

    /// Every name must be one that laws can hold.
    pub fn validate(&self) -> Result<(), RegressError> {
        for name in &self.operators {
            let known = ["+", "-", "*", "/", "^", "sqrt", "cbrt", "ln"].contains(&name.as_str())
                || crate::expression::Function::from_name(name).is_some();
            if !known {
                return Err(RegressError::Operator { found: name.clone() });
            }
        }
        Ok(())
    }
}
