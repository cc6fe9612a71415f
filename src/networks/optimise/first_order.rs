//! Methods that step along the gradient of each batch. With g the gradient, r the rate, t the step from 1 and w the
//! weights; `decay` acts on variables of two axes or more (weights), never on biases and scales:
//!
//! ```text
//! sgd    g += decay w;  v = momentum v + g;  w -= r v       (nesterov: w -= r (g + momentum v))
//! adam   g += decay w;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//!        w -= r m / (1 - b1^t) / ((v / (1 - b2^t))^(1/2) + epsilon)          Kingma & Ba 2015
//! adamw  w -= r decay w, then as adam without decay                          Loshchilov & Hutter 2019
//! ```

use candle_core::Tensor;

use super::{Ground, Method, Taken};
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::ops;
use crate::networks::parameters::Parameters;
use crate::networks::settings::Settings;

/// The state of a method of this file: for each variable its moments, and how many steps it took.
pub(super) struct FirstOrder {
    rule: Rule,
    slots: Vec<[ops::Slot; 2]>,
    steps: u64,
}

#[derive(Clone, Copy)]
enum Rule {
    Sgd(ops::Sgd),
    Adam(ops::Adam),
}

/// Begins `sgd`.
pub(super) fn sgd(s: &Settings, parameters: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    Ok(Box::new(FirstOrder::new(rule_of_sgd(s), parameters)?))
}

/// Begins `adam`.
pub(super) fn adam(s: &Settings, parameters: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    Ok(Box::new(FirstOrder::new(rule_of_adam(s, false), parameters)?))
}

/// Begins `adamw`.
pub(super) fn adamw(s: &Settings, parameters: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    Ok(Box::new(FirstOrder::new(rule_of_adam(s, true), parameters)?))
}

fn rule_of_sgd(s: &Settings) -> Rule {
    Rule::Sgd(ops::Sgd {
        rate: s.get("rate"),
        momentum: s.get("momentum"),
        decay: s.get("decay"),
        nesterov: s.is("nesterov"),
    })
}

fn rule_of_adam(s: &Settings, decoupled: bool) -> Rule {
    Rule::Adam(ops::Adam {
        rate: s.get("rate"),
        beta1: s.get("beta1"),
        beta2: s.get("beta2"),
        eps: s.get("epsilon"),
        decay: s.get("decay"),
        decoupled,
    })
}

impl FirstOrder {
    fn new(rule: Rule, parameters: &Parameters) -> Result<FirstOrder, NetworkError> {
        let mut slots = Vec::with_capacity(parameters.len());
        for var in parameters.vars() {
            slots.push([ops::Slot::zeros(var)?, ops::Slot::zeros(var)?]);
        }
        Ok(FirstOrder { rule, slots, steps: 0 })
    }

    /// Steps every variable in order; `scale` multiplies the gradients.
    fn update(
        &mut self,
        parameters: &Parameters,
        gradients: &[Tensor],
        rate: f64,
        scale: f64,
    ) -> Result<(), NetworkError> {
        self.steps += 1;
        for ((var, gradient), [first, second]) in parameters.vars().iter().zip(gradients).zip(&mut self.slots)
        {
            let weights = var.rank() >= 2;
            match self.rule {
                Rule::Sgd(rule) => {
                    let decay = if weights { rule.decay } else { 0.0 };
                    ops::sgd(var, gradient, first, &ops::Sgd { rate, decay, ..rule }, scale)?;
                }
                Rule::Adam(rule) => {
                    let decay = if weights { rule.decay } else { 0.0 };
                    let rule = ops::Adam { rate, decay, ..rule };
                    ops::adam(var, gradient, first, second, &rule, self.steps, scale)?;
                }
            }
        }
        Ok(())
    }
}

impl Method for FirstOrder {
    fn step(&mut self, ground: &mut Ground<'_>, rate: f64, clip: Option<f64>) -> Result<Taken, NetworkError> {
        let (loss, gradients) = ground.gradients()?;
        if !loss.is_finite() {
            return Ok(Taken::unusable(loss));
        }
        let scale = match clip {
            Some(most) => {
                let norm = ops::norm(&gradients)?;
                if !norm.is_finite() {
                    return Ok(Taken::unusable(loss));
                }
                if norm > most { most / norm } else { 1.0 }
            }
            None => 1.0,
        };
        self.update(&ground.model().parameters, &gradients, rate, scale)?;
        Ok(Taken::step(loss, 1))
    }

    fn save(&self, out: &mut Writer) {
        out.u64(self.steps);
        self.slots.iter().flatten().for_each(|slot| out.f64s(&slot.values()));
    }

    fn load(&mut self, from: &mut Reader<'_>, _: &Parameters) -> Option<()> {
        self.steps = from.u64()?;
        self.slots.iter_mut().flatten().try_for_each(|slot| slot.set(&from.f64s()?).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Streams;
    use crate::networks::optimise::Optimiser;
    use crate::networks::parameters::{Init, ParameterSpec, Precision};
    use candle_core::Device;

    const GRADIENTS: [[f64; 2]; 3] = [[0.5, -1.0], [0.25, 2.0], [-1.0, 0.0]];

    /// The weights [1, -2] after each of the gradients, at rate 0.1.
    fn path(name: &str, given: &[(&str, f64)], sizes: &[usize], precision: Precision) -> Vec<Vec<f64>> {
        let init = Init::Values(vec![1.0, -2.0]);
        let spec = ParameterSpec { name: "w".into(), sizes: sizes.to_vec(), init };
        let parameters = Parameters::new(&[spec], precision, Streams::new(0)).unwrap();
        let settings = Optimiser::new(name, given).unwrap().settings;
        let rule =
            if name == "sgd" { rule_of_sgd(&settings) } else { rule_of_adam(&settings, name == "adamw") };
        let mut first = FirstOrder::new(rule, &parameters).unwrap();
        let step = |g: &[f64; 2]| {
            let g = Tensor::from_slice(g, sizes, &Device::Cpu).unwrap().to_dtype(precision.dtype()).unwrap();
            first.update(&parameters, &[g], 0.1, 1.0).unwrap();
            parameters.flatten().unwrap()
        };
        GRADIENTS.iter().map(step).collect()
    }

    fn same(found: &[Vec<f64>], expected: &[[f64; 2]; 3], tolerance: f64) {
        for (f, e) in found.iter().zip(expected) {
            assert!(f.iter().zip(e).all(|(f, e)| (f - e).abs() < tolerance), "{found:?} {expected:?}");
        }
    }

    #[test]
    fn sgd_is_its_formula() {
        let plain = [[0.95, -1.9], [0.925, -2.1], [1.025, -2.1]];
        same(&path("sgd", &[("momentum", 0.0)], &[2], Precision::F64), &plain, 1e-15);
        same(&path("sgd", &[("momentum", 0.0)], &[2], Precision::F32), &plain, 1e-6);
        // v: (0.5, -1), (0.7, 1.1), (-0.37, 0.99)
        let momentum = [[0.95, -1.9], [0.88, -2.01], [0.917, -2.109]];
        same(&path("sgd", &[("momentum", 0.9)], &[2], Precision::F64), &momentum, 1e-15);
        // g + 0.9 v: (0.95, -1.9), (0.88, 2.99), (-1.333, 0.891)
        let nesterov = [[0.905, -1.81], [0.817, -2.109], [0.9503, -2.1981]];
        let given = [("momentum", 0.9), ("nesterov", 1.0)];
        same(&path("sgd", &given, &[2], Precision::F64), &nesterov, 1e-15);
        // Decay acts on two axes and more only.
        let given = [("momentum", 0.0), ("decay", 0.5)];
        let decayed = [[0.9, -1.8], [0.83, -1.91], [0.8885, -1.8145]];
        same(&path("sgd", &given, &[1, 2], Precision::F64), &decayed, 1e-15);
        same(&path("sgd", &given, &[2], Precision::F64), &plain, 1e-15);
    }

    #[test]
    fn adam_is_its_formula() {
        // By hand: m and v from 0, both corrected, epsilon 1e-8.
        let by_hand = |decay: f64, decoupled: bool| {
            let (mut w, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
            let mut all = [[0.0; 2]; 3];
            for (t, g) in GRADIENTS.iter().enumerate() {
                for k in 0..2 {
                    let g = if decoupled { g[k] } else { g[k] + decay * w[k] };
                    m[k] = 0.9 * m[k] + 0.1 * g;
                    v[k] = 0.999 * v[k] + 0.001 * g * g;
                    let (mc, vc) = (
                        m[k] / (1.0 - 0.9f64.powi(t as i32 + 1)),
                        v[k] / (1.0 - 0.999f64.powi(t as i32 + 1)),
                    );
                    if decoupled {
                        w[k] -= 0.1 * decay * w[k];
                    }
                    w[k] -= 0.1 * mc / (vc.sqrt() + 1e-8);
                }
                all[t] = w;
            }
            all
        };
        // The first step is the rate in the sign of the gradient.
        same(&path("adam", &[], &[2], Precision::F64)[..1], &[[0.9, -1.9]; 3], 1e-8);
        same(&path("adam", &[], &[2], Precision::F64), &by_hand(0.0, false), 1e-14);
        same(&path("adam", &[], &[2], Precision::F32), &by_hand(0.0, false), 2e-6);
        same(&path("adam", &[("decay", 0.1)], &[1, 2], Precision::F64), &by_hand(0.1, false), 1e-14);
        same(&path("adamw", &[("decay", 0.1)], &[1, 2], Precision::F64), &by_hand(0.1, true), 1e-14);
        same(&path("adamw", &[("decay", 0.1)], &[2], Precision::F64), &by_hand(0.0, true), 1e-14);
    }
}
