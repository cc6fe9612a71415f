//! What is needed of a form before a search: functions that are called in one way with arguments that vary, names with one
//! meaning, values on the data, and units that go together.

use super::shape::{Shape, State};
use super::units::{Units, Unknown};
use super::{Form, FormConstant, Hole, Problem, RegressError};
use crate::expression::{Expr, Flags, Kind, Symbol};
use crate::units::{Dimension, Unit};

impl Form {
    /// The form that an expression is over columns of these names: functions that are not defined are holes, other symbols
    /// constants. Arguments of a hole are named after the columns it is called with where all calls agree, else x1, x2, ...
    ///
    /// # Errors
    /// A form without holes, a hole called in two ways.
    pub fn of(template: &Expr, names: &[Symbol]) -> Result<Form, RegressError> {
        let mut calls: Vec<(Symbol, Vec<Vec<Expr>>)> = Vec::new();
        template.visit(&mut |e| {
            if let Kind::Apply(name, args) = e.kind() {
                match calls.iter_mut().find(|c| c.0 == *name) {
                    Some(own) => own.1.push(args.to_vec()),
                    None => calls.push((name.clone(), vec![args.to_vec()])),
                }
            }
        });
        calls.sort_by(|a, b| a.0.cmp(&b.0));
        let hole = |(name, calls): &(Symbol, Vec<Vec<Expr>>)| {
            let first = &calls[0];
            if let Some(other) = calls.iter().find(|c| c.len() != first.len()) {
                return Err(RegressError::FormArity {
                    hole: name.to_string(),
                    expected: first.len().max(other.len()),
                    found: first.len().min(other.len()),
                });
            }
            let column = |e: &Expr| e.as_symbol().filter(|s| names.contains(s)).cloned();
            let plain: Option<Vec<Symbol>> = first.iter().map(column).collect();
            let different = |list: &Vec<Symbol>| (1..list.len()).all(|k| !list[..k].contains(&list[k]));
            let arguments = match plain.filter(|p| calls.len() == 1 && different(p)) {
                Some(plain) => plain,
                None => (1..=first.len()).map(|k| Symbol::new(&format!("x{k}"))).collect(),
            };
            Ok(Hole { name: name.clone(), arguments })
        };
        let holes: Vec<Hole> = calls.iter().map(hole).collect::<Result<_, _>>()?;
        if holes.is_empty() {
            return Err(RegressError::FormHoles);
        }
        let constants = template.symbols().into_iter().filter(|s| !names.contains(s));
        let constants =
            constants.map(|symbol| FormConstant { symbol, dimension: None, start: None }).collect();
        Ok(Form { template: template.clone(), holes, constants })
    }

    /// Checks the names and calls against columns.
    pub(super) fn validate(&self, names: &[Symbol]) -> Result<(), RegressError> {
        if self.holes.is_empty() {
            return Err(RegressError::FormHoles);
        }
        let meanings = (names.iter().map(|n| (n, "a column")))
            .chain(self.constants.iter().map(|c| (&c.symbol, "a constant")))
            .chain(self.holes.iter().map(|h| (&h.name, "a function")));
        let meanings: Vec<(&Symbol, &'static str)> = meanings.collect();
        for (k, (name, second)) in meanings.iter().enumerate() {
            if let Some((_, first)) = meanings[..k].iter().find(|m| m.0 == *name) {
                return Err(RegressError::FormName { name: name.to_string(), first, second });
            }
        }
        let mut fault = None;
        let mut called = vec![false; self.holes.len()];
        self.template.visit(&mut |e| {
            let own = match e.kind() {
                Kind::Derivative(d) => {
                    Some(RegressError::FormPart { found: format!("a derivative of `{}`", d.function) })
                }
                Kind::Apply(name, args) => match self.holes.iter().position(|h| h.name == *name) {
                    None => Some(RegressError::FormPart {
                        found: format!("the function `{name}`, which is not to find"),
                    }),
                    Some(hole) => {
                        called[hole] = true;
                        let expected = self.holes[hole].arguments.len();
                        (args.len() != expected).then(|| RegressError::FormArity {
                            hole: name.to_string(),
                            expected,
                            found: args.len(),
                        })
                    }
                },
                Kind::Symbol(s) if !meanings.iter().any(|m| m.0 == s) => {
                    Some(RegressError::FormSymbol { symbol: s.to_string() })
                }
                _ => None,
            };
            if fault.is_none() {
                fault = own;
            }
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        if self.template.flags().has(Flags::IMAGINARY) || self.template.is_undefined() {
            return Err(RegressError::FormPart { found: format!("`{}`", self.template) });
        }
        for (hole, called) in self.holes.iter().zip(called) {
            if hole.arguments.is_empty() {
                return Err(RegressError::FormArgument {
                    hole: hole.name.to_string(),
                    found: "no argument".into(),
                });
            }
            if !called {
                return Err(RegressError::FormUnused { hole: hole.name.to_string() });
            }
        }
        Ok(())
    }

    /// Checks what the holes are called with on the data: finite values that vary.
    pub(super) fn arguments(
        &self,
        shape: &Shape,
        problem: &Problem,
        state: &State,
    ) -> Result<(), RegressError> {
        let trace = shape.evaluate(&problem.columns, state, None);
        for (k, hole) in self.holes.iter().enumerate() {
            let calls = shape.calls_of(k);
            if calls.iter().any(|c| shape.moves(*c)) {
                continue;
            }
            for place in 0..hole.arguments.len() {
                let all = || calls.iter().flat_map(|c| &trace.args[*c][place]);
                if let Some(row) = all().position(|x| !x.is_finite()) {
                    return Err(RegressError::FormNotFinite { row: row % problem.rows() + 1 });
                }
                let first = all().next().copied().unwrap_or(0.0);
                if all().all(|x| *x == first) {
                    let found = format!("{first} in every row");
                    return Err(RegressError::FormArgument { hole: hole.name.to_string(), found });
                }
            }
        }
        Ok(())
    }

    /// The units that the form gives its holes and constants; `None` where units play no part.
    pub(super) fn units(&self, problem: &Problem) -> Result<Option<Units>, RegressError> {
        let Some(dimensions) = &problem.dimensions else { return Ok(None) };
        let known = |s: &Symbol| -> Option<Dimension> {
            let column = problem.names.iter().position(|n| n == s).map(|k| dimensions[k]);
            column.or_else(|| self.constants.iter().find(|c| c.symbol == *s)?.dimension)
        };
        let mut units = Units::of(&self.template, problem.target_dimension, &known).map_err(|why| {
            RegressError::FormUnits { unit: Unit::coherent(problem.target_dimension).to_string(), why }
        })?;
        for c in self.constants.iter().filter(|c| c.dimension.is_none()) {
            units.pin(&Unknown::Constant(c.symbol.clone()));
        }
        Ok(Some(units))
    }
}
