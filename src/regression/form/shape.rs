//! A form compiled: its calls of functions to find, inner ones first, each standing for a column of its own, and the form
//! over these columns. Values, derivatives by all parameters (forward, through calls inside calls), and by the value of a
//! call (in reverse).

use nalgebra::DMatrix;

use super::curve::Basis;
use super::{Form, RegressError};
use crate::expression::{Expr, Kind, Symbol};
use crate::numeric::Tape;

/// A call of a hole.
struct Call {
    hole: usize,
    /// Its arguments, of the columns, the constants and the calls.
    args: Tape,
    /// Whether they depend on more than the columns.
    moves: bool,
}

/// A form over columns, ready to be evaluated.
pub struct Shape {
    features: usize,
    constants: usize,
    calls: Vec<Call>,
    top: Tape,
}

/// What stands in a hole.
#[derive(Clone)]
pub enum Part {
    /// A curve.
    Curve {
        /// Its functions.
        basis: Basis,
        /// Their coefficients.
        coefficients: Vec<f64>,
    },
    /// A law of the formal arguments, then its parameters.
    Law {
        /// The law.
        tape: std::sync::Arc<Tape>,
        /// Its parameters.
        values: Vec<f64>,
    },
}

/// Values and derivatives of a part at points.
struct Slopes {
    value: Vec<f64>,
    by_args: Vec<Vec<f64>>,
    by_parameters: Vec<Vec<f64>>,
}

impl Part {
    /// Its parameters.
    pub fn parameters(&self) -> &[f64] {
        match self {
            Part::Curve { coefficients, .. } => coefficients,
            Part::Law { values, .. } => values,
        }
    }

    fn parameters_mut(&mut self) -> &mut [f64] {
        match self {
            Part::Curve { coefficients, .. } => coefficients,
            Part::Law { values, .. } => values,
        }
    }

    fn slopes(&self, args: &[Vec<f64>]) -> Slopes {
        match self {
            Part::Curve { basis, coefficients } => {
                let spread = basis.spread(args);
                let n = args.first().map_or(0, Vec::len);
                let sum = |lists: &[Vec<f64>]| -> Vec<f64> {
                    let mut total = vec![0.0; n];
                    for (list, c) in lists.iter().zip(coefficients) {
                        total.iter_mut().zip(list).for_each(|(t, v)| *t += c * v);
                    }
                    total
                };
                let by_args = spread.slopes.iter().map(|s| sum(s)).collect();
                Slopes { value: sum(&spread.values), by_args, by_parameters: spread.values }
            }
            Part::Law { tape, values } => {
                let own: Vec<[f64; 1]> = values.iter().map(|v| [*v]).collect();
                let columns: Vec<&[f64]> =
                    args.iter().map(Vec::as_slice).chain(own.iter().map(|v| v.as_slice())).collect();
                let wrt: Vec<usize> = (0..columns.len()).collect();
                let mut all = tape.jacobian(&columns, &wrt).swap_remove(0);
                let by_parameters = all.split_off(1 + args.len());
                let by_args = all.split_off(1);
                Slopes { value: all.swap_remove(0), by_args, by_parameters }
            }
        }
    }

    /// Its values.
    pub fn values(&self, args: &[Vec<f64>]) -> Vec<f64> {
        match self {
            Part::Curve { .. } => self.slopes(args).value,
            Part::Law { tape, values } => {
                let own: Vec<[f64; 1]> = values.iter().map(|v| [*v]).collect();
                let columns: Vec<&[f64]> =
                    args.iter().map(Vec::as_slice).chain(own.iter().map(|v| v.as_slice())).collect();
                tape.eval(&columns).swap_remove(0)
            }
        }
    }
}

/// Constants of a form, and what stands in its holes.
#[derive(Clone)]
pub struct State {
    /// The constants.
    pub constants: Vec<f64>,
    /// The holes.
    pub parts: Vec<Part>,
}

impl State {
    /// All parameters: the constants, then those of each part.
    pub fn parameters(&self) -> Vec<f64> {
        let parts = self.parts.iter().flat_map(|p| p.parameters());
        self.constants.iter().chain(parts).copied().collect()
    }

    /// The same with other parameters.
    pub fn with(&self, parameters: &[f64]) -> State {
        let mut new = self.clone();
        let mut next = parameters.iter();
        let own = new.constants.iter_mut().chain(new.parts.iter_mut().flat_map(|p| p.parameters_mut()));
        own.zip(&mut next).for_each(|(old, new)| *old = *new);
        new
    }
}

/// A form evaluated.
pub struct Trace {
    /// Call, argument, row.
    pub args: Vec<Vec<Vec<f64>>>,
    /// Call, row.
    pub calls: Vec<Vec<f64>>,
    /// The form.
    pub value: Vec<f64>,
}

fn placeholder(k: usize) -> Symbol {
    Symbol::new(&format!("#call{k}"))
}

impl Shape {
    /// Compiles a form over features.
    pub fn new(form: &Form, names: &[Symbol]) -> Result<Shape, RegressError> {
        let mut calls: Vec<(usize, Vec<Expr>)> = Vec::new();
        let top = form.template.transform(&mut |e| match e.kind() {
            Kind::Apply(name, args) => match form.holes.iter().position(|h| h.name == *name) {
                Some(hole) => {
                    let own = (hole, args.to_vec());
                    let place = calls.iter().position(|c| *c == own).unwrap_or_else(|| {
                        calls.push(own);
                        calls.len() - 1
                    });
                    Expr::symbol(placeholder(place))
                }
                None => e,
            },
            _ => e,
        });
        let mut inputs = names.to_vec();
        inputs.extend(form.constants.iter().map(|c| c.symbol.clone()));
        inputs.extend((0..calls.len()).map(placeholder));
        let compiled = |outputs: &[Expr]| {
            Tape::compile(outputs, &inputs).map_err(|f| RegressError::FormPart { found: f.to_string() })
        };
        let moves =
            |args: &[Expr]| inputs[names.len()..].iter().any(|s| args.iter().any(|a| a.contains_symbol(s)));
        Ok(Shape {
            features: names.len(),
            constants: form.constants.len(),
            calls: calls
                .iter()
                .map(|(hole, args)| Ok(Call { hole: *hole, args: compiled(args)?, moves: moves(args) }))
                .collect::<Result<_, RegressError>>()?,
            top: compiled(&[top])?,
        })
    }

    /// The calls of a hole.
    pub fn calls_of(&self, hole: usize) -> Vec<usize> {
        (0..self.calls.len()).filter(|c| self.calls[*c].hole == hole).collect()
    }

    /// Whether the arguments of a call depend on constants or other calls.
    pub fn moves(&self, call: usize) -> bool {
        self.calls[call].moves
    }

    /// The terms that an evaluation comes to.
    pub fn work(&self) -> usize {
        1 + self.calls.len()
    }

    /// Evaluates the form; `fixed` gives the values of some call.
    pub fn evaluate(&self, columns: &[Vec<f64>], state: &State, fixed: Option<(usize, &[f64])>) -> Trace {
        let own: Vec<[f64; 1]> = state.constants.iter().map(|v| [*v]).collect();
        let none = [0.0];
        let (mut args, mut calls): (Vec<Vec<Vec<f64>>>, Vec<Vec<f64>>) = Default::default();
        let all = |calls: &[Vec<f64>], tape: &Tape| {
            let open = self.calls.len() - calls.len();
            let inputs: Vec<&[f64]> = columns
                .iter()
                .map(Vec::as_slice)
                .chain(own.iter().map(|v| v.as_slice()))
                .chain(calls.iter().map(Vec::as_slice))
                .chain(std::iter::repeat_n(none.as_slice(), open))
                .collect();
            tape.eval(&inputs)
        };
        for (k, call) in self.calls.iter().enumerate() {
            let at = all(&calls, &call.args);
            let value = match fixed {
                Some((place, values)) if place == k => values.to_vec(),
                _ => state.parts[call.hole].values(&at),
            };
            args.push(at);
            calls.push(value);
        }
        let value = all(&calls, &self.top).swap_remove(0);
        Trace { args, calls, value }
    }

    /// Derivatives of a tape by the constants and the calls, at a trace.
    fn by_inputs(
        &self,
        columns: &[Vec<f64>],
        state: &State,
        trace: &Trace,
        tape: &Tape,
    ) -> Vec<Vec<Vec<f64>>> {
        let own: Vec<[f64; 1]> = state.constants.iter().map(|v| [*v]).collect();
        let inputs: Vec<&[f64]> = columns
            .iter()
            .map(Vec::as_slice)
            .chain(own.iter().map(|v| v.as_slice()))
            .chain(trace.calls.iter().map(Vec::as_slice))
            .collect();
        let wrt: Vec<usize> = (self.features..inputs.len()).collect();
        let mut all = tape.jacobian(&inputs, &wrt);
        all.iter_mut().for_each(|output| drop(output.remove(0)));
        all
    }

    /// Derivatives of the form by all parameters at a trace of the state.
    pub fn jacobian(&self, columns: &[Vec<f64>], state: &State, trace: &Trace) -> DMatrix<f64> {
        let n = trace.value.len();
        let mut first = vec![self.constants];
        for part in &state.parts {
            first.push(first.last().copied().unwrap_or(0) + part.parameters().len());
        }
        let m = first.last().copied().unwrap_or(0);
        // What a tape changes by, given what the calls change by.
        let through = |inputs: &[Vec<f64>], calls: &[DMatrix<f64>]| {
            let mut total = DMatrix::zeros(n, m);
            for (k, list) in inputs[..self.constants].iter().enumerate() {
                total.column_mut(k).iter_mut().zip(list).for_each(|(t, d)| *t += d);
            }
            for (list, call) in inputs[self.constants..].iter().zip(calls) {
                add_scaled(&mut total, list, call);
            }
            total
        };
        let mut calls: Vec<DMatrix<f64>> = Vec::new();
        for (k, call) in self.calls.iter().enumerate() {
            let slopes = state.parts[call.hole].slopes(&trace.args[k]);
            let mut total = DMatrix::zeros(n, m);
            if self.moves(k) {
                let inputs = self.by_inputs(columns, state, trace, &call.args);
                for (by, inputs) in slopes.by_args.iter().zip(&inputs) {
                    add_scaled(&mut total, by, &through(inputs, &calls));
                }
            }
            for (j, list) in slopes.by_parameters.iter().enumerate() {
                total.column_mut(first[call.hole] + j).iter_mut().zip(list).for_each(|(t, d)| *t += d);
            }
            calls.push(total);
        }
        through(&self.by_inputs(columns, state, trace, &self.top)[0], &calls)
    }

    /// Derivatives of the form by the value of each call, through the calls around it: call, row.
    pub fn adjoints(&self, columns: &[Vec<f64>], state: &State, trace: &Trace) -> Vec<Vec<f64>> {
        let mut top = self.by_inputs(columns, state, trace, &self.top);
        let mut adjoints = top.swap_remove(0).split_off(self.constants);
        for k in (0..self.calls.len()).rev() {
            if !self.moves(k) {
                continue;
            }
            let slopes = state.parts[self.calls[k].hole].slopes(&trace.args[k]);
            let inputs = self.by_inputs(columns, state, trace, &self.calls[k].args);
            for (by, inputs) in slopes.by_args.iter().zip(&inputs) {
                for j in 0..k {
                    let inner = &inputs[self.constants + j];
                    let add: Vec<f64> = (0..inner.len()).map(|i| adjoints[k][i] * by[i] * inner[i]).collect();
                    adjoints[j].iter_mut().zip(add).for_each(|(a, d)| *a += d);
                }
            }
        }
        adjoints
    }
}

/// `total += diagonal(list) * matrix`.
fn add_scaled(total: &mut DMatrix<f64>, list: &[f64], matrix: &DMatrix<f64>) {
    for (mut to, from) in total.column_iter_mut().zip(matrix.column_iter()) {
        for ((t, d), x) in to.iter_mut().zip(list).zip(from.iter()) {
            *t += d * x;
        }
    }
}
