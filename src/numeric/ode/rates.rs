//! Right sides: expressions on a tape (the Jacobian in forward mode), and closures.

use super::Rates;
use crate::expression::{Expr, Symbol};
use crate::numeric::error::NumericError;
use crate::numeric::{Scratch, Tape};
use nalgebra::DMatrix;

/// Expressions of time, states and parameters.
pub struct TapeRates {
    tape: Tape,
    point: Vec<f64>,
    states: Vec<usize>,
    out: Vec<f64>,
    scratch: Scratch,
}

impl TapeRates {
    /// Compiles the rates of the states, which are in the order of `states`. Parameters keep their values.
    ///
    /// # Errors
    /// What [`Tape::compile`] refuses: symbols without a value, undefined functions.
    pub fn new(
        rates: &[Expr],
        time: &Symbol,
        states: &[Symbol],
        parameters: &[(Symbol, f64)],
    ) -> Result<TapeRates, NumericError> {
        let mut inputs = vec![time.clone()];
        inputs.extend(states.iter().cloned());
        inputs.extend(parameters.iter().map(|(s, _)| s.clone()));
        let tape = Tape::compile(rates, &inputs)?;
        let mut point = vec![0.0; 1 + states.len()];
        point.extend(parameters.iter().map(|(_, value)| *value));
        let states = (1..=states.len()).collect();
        Ok(TapeRates { tape, point, states, out: Vec::new(), scratch: Scratch::default() })
    }

    fn place(&mut self, t: f64, y: &[f64]) {
        self.point[0] = t;
        self.point[1..=y.len()].copy_from_slice(y);
    }
}

impl Rates for TapeRates {
    fn rates(&mut self, t: f64, y: &[f64], out: &mut [f64]) {
        self.place(t, y);
        self.tape.eval_point_with(&self.point, &mut self.scratch, &mut self.out);
        out.copy_from_slice(&self.out);
    }

    fn jacobian(&mut self, t: f64, y: &[f64], out: &mut DMatrix<f64>) {
        self.place(t, y);
        let columns: Vec<&[f64]> = self.point.iter().map(std::slice::from_ref).collect();
        for (i, row) in self.tape.jacobian(&columns, &self.states).iter().enumerate() {
            for j in 0..y.len() {
                out[(i, j)] = row[j + 1][0];
            }
        }
    }
}

/// A closure `f(t, y, out)`; its Jacobian is taken by differences.
pub struct Closure<F: FnMut(f64, &[f64], &mut [f64])>(pub F);

impl<F: FnMut(f64, &[f64], &mut [f64])> Rates for Closure<F> {
    fn rates(&mut self, t: f64, y: &[f64], out: &mut [f64]) {
        (self.0)(t, y, out);
    }
}
