//! Vectors among the features and as target. A law that does not depend on how the axes lie is one of invariants: for a
//! scalar target of norms, dot products, norms of cross products and triple products (`invariants`; every scalar that is
//! invariant under rotations is a function of dot products and triple products: H. Weyl, "The Classical Groups", 1939,
//! theorem 2.9.A), for a vector target a sum of vectors and their cross products with such scalars (`target.rs`).

mod target;
#[cfg(test)]
mod tests;

pub use target::{FoundVector, VectorLaw, VectorTarget, regress_vector, regress_vector_kept};

use super::error::RegressError;
use super::problem::Problem;
use crate::base::Number;
use crate::expression::{Expr, Kind, Symbol};
use crate::units::Dimension;

/// A vector among the features.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// Its name in laws.
    pub name: Symbol,
    /// The places of its components.
    pub columns: [usize; 3],
}

/// A scalar made of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// Its symbol in laws; the name says what it is.
    pub symbol: Symbol,
    /// What it is in components.
    pub definition: Expr,
    /// What it is in words of vectors.
    pub words: String,
}

/// Vectors up to which triple products are made: beyond, they outnumber all others.
const TRIPLES: usize = 4;
/// Share of the product of norms below which a product is the rounding of 0.
const NOTHING: f64 = 1e-13;

/// A vector in components, with its values.
#[derive(Clone, Debug)]
struct Components {
    name: String,
    parts: [Expr; 3],
    values: [Vec<f64>; 3],
    dimension: Dimension,
}

impl Components {
    fn of(problem: &Problem, vector: &Vectors) -> Result<Components, RegressError> {
        let name = vector.name.to_string();
        let known = problem.columns.len();
        if let Some(column) = vector.columns.iter().find(|k| **k >= known) {
            return Err(RegressError::Component { vector: name, column: *column, known });
        }
        let dimension = problem.dimension(vector.columns[0]);
        if vector.columns.iter().any(|&k| problem.dimension(k) != dimension) {
            return Err(RegressError::Components { vector: name });
        }
        Ok(Components {
            name,
            parts: vector.columns.map(|k| Expr::symbol(problem.names[k].clone())),
            values: vector.columns.map(|k| problem.columns[k].clone()),
            dimension,
        })
    }

    fn cross(&self, other: &Components) -> Option<Components> {
        let turn = |k: usize| ((k + 1) % 3, (k + 2) % 3);
        let part = |k: usize| {
            let (i, j) = turn(k);
            &self.parts[i] * &other.parts[j] - &self.parts[j] * &other.parts[i]
        };
        let values = |k: usize| -> Vec<f64> {
            let (i, j) = turn(k);
            let (a, b) = (&self.values, &other.values);
            (0..a[0].len()).map(|r| a[i][r] * b[j][r] - a[j][r] * b[i][r]).collect()
        };
        Some(Components {
            name: format!("cross({}, {})", self.name, other.name),
            parts: [part(0), part(1), part(2)],
            values: [values(0), values(1), values(2)],
            dimension: self.dimension.mul(other.dimension)?,
        })
    }

    fn rows(&self) -> usize {
        self.values[0].len()
    }

    /// The norm in each row.
    fn norms(&self) -> Vec<f64> {
        let [x, y, z] = &self.values;
        (0..self.rows()).map(|r| x[r].hypot(y[r]).hypot(z[r])).collect()
    }
}

/// A scalar column on its way.
struct Scalar {
    derived: Derived,
    values: Vec<f64>,
    dimension: Dimension,
    /// The product of the norms that it is made of.
    scale: Vec<f64>,
}

fn scalar(
    words: String,
    definition: Expr,
    values: Vec<f64>,
    dimension: Dimension,
    scale: Vec<f64>,
) -> Scalar {
    let derived = Derived { symbol: Symbol::new(&words), definition, words };
    Scalar { derived, values, dimension, scale }
}

fn dot(a: &Components, b: &Components) -> Option<Scalar> {
    let terms = (0..3).map(|k| &a.parts[k] * &b.parts[k]);
    let value = |r: usize| (0..3).map(|k| a.values[k][r] * b.values[k][r]).sum::<f64>();
    let scale = a.norms().iter().zip(b.norms()).map(|(a, b)| a * b).collect();
    Some(scalar(
        format!("dot({}, {})", a.name, b.name),
        Expr::sum(terms),
        (0..a.rows()).map(value).collect(),
        a.dimension.mul(b.dimension)?,
        scale,
    ))
}

fn norm(a: &Components, scale: Vec<f64>) -> Scalar {
    let square = Expr::sum(a.parts.iter().map(|p| p.powi(2)));
    scalar(format!("norm({})", a.name), square.sqrt(), a.norms(), a.dimension, scale)
}

/// The invariants of vectors: norms, then products of two, then of three.
fn scalars(vectors: &[Components]) -> Vec<Scalar> {
    let mut found: Vec<Scalar> = vectors.iter().map(|v| norm(v, v.norms())).collect();
    let pairs = |k: usize| (k + 1..vectors.len()).map(move |j| (k, j));
    for (a, b) in (0..vectors.len()).flat_map(pairs) {
        let (a, b) = (&vectors[a], &vectors[b]);
        found.extend(dot(a, b));
        let scale: Vec<f64> = a.norms().iter().zip(b.norms()).map(|(a, b)| a * b).collect();
        found.extend(a.cross(b).map(|c| norm(&c, scale)));
    }
    if vectors.len() <= TRIPLES {
        for (a, b) in (0..vectors.len()).flat_map(pairs) {
            for c in b + 1..vectors.len() {
                let Some(turned) = vectors[b].cross(&vectors[c]) else { continue };
                found.extend(dot(&vectors[a], &turned));
            }
        }
    }
    // Products of vectors that are parallel, or orthogonal, in all rows.
    found.retain(|s| s.values.iter().zip(&s.scale).any(|(v, scale)| v.abs() > NOTHING * scale));
    found
}

fn components(problem: &Problem, vectors: &[Vectors]) -> Result<Vec<Components>, RegressError> {
    vectors.iter().map(|v| Components::of(problem, v)).collect()
}

/// The problem with invariants of the vectors in place of their components, and what each of them is.
///
/// # Errors
/// A vector of columns that are not there, or whose units differ.
pub fn invariants(problem: &Problem, vectors: &[Vectors]) -> Result<(Problem, Vec<Derived>), RegressError> {
    let scalars = scalars(&components(problem, vectors)?);
    let plain: Vec<usize> =
        (0..problem.columns.len()).filter(|k| !vectors.iter().any(|v| v.columns.contains(k))).collect();
    let mut new = problem.clone();
    new.names = plain.iter().map(|&k| problem.names[k].clone()).collect();
    new.columns = plain.iter().map(|&k| problem.columns[k].clone()).collect();
    new.units = plain.iter().map(|&k| problem.units[k].clone()).collect();
    new.dimensions = problem.dimensions.as_ref().map(|d| plain.iter().map(|&k| d[k]).collect());
    let mut derived = Vec::with_capacity(scalars.len());
    for s in scalars {
        new.names.push(s.derived.symbol.clone());
        new.columns.push(s.values);
        new.units.push(None);
        if let Some(d) = &mut new.dimensions {
            d.push(s.dimension);
        }
        derived.push(s.derived);
    }
    Ok((new, derived))
}

/// A law with invariants written out in components.
pub fn expand(law: &Expr, derived: &[Derived]) -> Expr {
    let pairs: Vec<(Symbol, Expr)> =
        derived.iter().map(|d| (d.symbol.clone(), d.definition.clone())).collect();
    law.substitute(&pairs)
}

/// A law in words of vectors: the square of a norm is a dot product.
pub fn spoken(law: &Expr) -> Expr {
    law.transform(&mut |e| {
        let squared = match e.kind() {
            Kind::Power(base, exponent) if exponent.as_number().is_some_and(|n| *n == Number::TWO) => {
                base.as_symbol()
            }
            _ => None,
        };
        let name = squared.and_then(|s| s.name().strip_prefix("norm(")?.strip_suffix(')'));
        name.map_or(e.clone(), |v| Expr::symbol(format!("dot({v}, {v})").as_str()))
    })
}
