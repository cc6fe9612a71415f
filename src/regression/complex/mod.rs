//! Complex numbers among the features and as target. A complex feature stands in laws as its real and imaginary part, its
//! modulus and its argument (`parts`); a complex target y is looked for in three forms, a + i*b, a*exp(i*b) and
//! 1/(a + i*b), with laws a and b of real numbers (`target.rs`). The target's argument is unwrapped along the features
//! (`unwrap.rs`).

mod join;
mod target;
#[cfg(test)]
mod tests;
mod unwrap;

pub use target::{ComplexLaw, FoundComplex, regress_complex, regress_complex_kept};

use super::error::RegressError;
use super::problem::Problem;
use super::vectors::Derived;
use crate::expression::{Expr, Function, Symbol};
use crate::units::{Dimension, Unit};

/// A complex feature.
#[derive(Clone, Debug)]
pub struct ComplexColumn {
    /// Its name in laws.
    pub name: Symbol,
    /// The real parts.
    pub re: Vec<f64>,
    /// The imaginary parts.
    pub im: Vec<f64>,
    /// Its dimension.
    pub dimension: Dimension,
    /// Its unit as in the data.
    pub unit: Option<Unit>,
}

/// A complex target.
#[derive(Clone, Debug)]
pub struct ComplexTarget {
    /// Its values.
    pub column: ComplexColumn,
    /// Standard errors of the real and of the imaginary part.
    pub sigma: Option<Vec<f64>>,
    /// What the last digit is worth, where it was read from text.
    pub resolution: Option<f64>,
}

/// The problem with four real columns of each complex feature, and what they are: `re(z)`, `im(z)`, `abs(z)`, `arg(z)`.
/// Features may be none; `problem` need have no columns of its own.
///
/// # Errors
/// Columns of several lengths.
pub fn parts(problem: &Problem, features: &[ComplexColumn]) -> Result<(Problem, Vec<Derived>), RegressError> {
    let mut new = problem.clone();
    let mut derived = Vec::new();
    for z in features {
        checked(z, problem.rows())?;
        // A zero imaginary part counts as +0, as in the function `arg`.
        let args = (0..z.re.len()).map(|i| (z.im[i] + 0.0).atan2(z.re[i])).collect();
        let columns = [
            (Function::Re, z.re.clone(), z.dimension),
            (Function::Im, z.im.clone(), z.dimension),
            (Function::Abs, z.re.iter().zip(&z.im).map(|(a, b)| a.hypot(*b)).collect(), z.dimension),
            (Function::Arg, args, Dimension::NONE),
        ];
        for (function, values, dimension) in columns {
            let words = format!("{function}({})", z.name);
            let definition = Expr::call(function, vec![Expr::symbol(z.name.clone())]);
            new.names.push(Symbol::new(&words));
            new.columns.push(values);
            new.units.push(None);
            if let Some(d) = &mut new.dimensions {
                d.push(dimension);
            }
            derived.push(Derived { symbol: Symbol::new(&words), definition, words });
        }
    }
    Ok((new, derived))
}

fn checked(z: &ComplexColumn, rows: usize) -> Result<(), RegressError> {
    if z.re.len() != rows || z.im.len() != rows {
        return Err(RegressError::Parts { column: z.name.to_string(), rows, re: z.re.len(), im: z.im.len() });
    }
    Ok(())
}
