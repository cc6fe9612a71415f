//! Limited-memory BFGS: the direction is -H g, H an approximation of the inverse Hessian from the last pairs
//! s = w' - w and y = g' - g by the two-loop recursion (Nocedal & Wright 2006, alg. 7.4 and 7.5, H0 = (s y / y y) I of
//! eq. 7.20), the length a strong Wolfe step. All vectors are f64 whatever the model's precision. On batches that change, both
//! gradients of a pair are those of one batch.

use std::collections::VecDeque;

use super::line_search::{Point, Wolfe, strong_wolfe};
use super::{Ground, Method, Taken};
use crate::base::StopReason;
use crate::networks::bytes::{Reader, Writer};
use crate::networks::error::NetworkError;
use crate::networks::parameters::Parameters;
use crate::networks::settings::Settings;

/// Scalar product.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What was learned of the curvature.
#[derive(Clone, Debug, Default)]
pub struct Curvature {
    /// s and y, the oldest first.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl Curvature {
    /// Takes a pair in where the curvature along it is positive; `most` are kept.
    pub fn learn(&mut self, s: Vec<f64>, y: Vec<f64>, most: usize) {
        if dot(&s, &y) <= 1e-14 * dot(&y, &y).sqrt() * dot(&s, &s).sqrt() {
            return;
        }
        self.pairs.push_back((s, y));
        while self.pairs.len() > most {
            self.pairs.pop_front();
        }
    }

    /// -H g.
    pub fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let add = |q: &mut [f64], a: f64, x: &[f64]| q.iter_mut().zip(x).for_each(|(q, x)| *q += a * x);
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let alpha = dot(s, &q) / dot(s, y);
            add(&mut q, -alpha, y);
            alphas.push(alpha);
        }
        if let Some((s, y)) = self.pairs.back() {
            let scale = dot(s, y) / dot(y, y);
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for ((s, y), alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = dot(y, &q) / dot(s, y);
            add(&mut q, alpha - beta, s);
        }
        q
    }
}

/// The state of the method.
struct Lbfgs {
    memory: usize,
    evaluations: usize,
    curvature: Curvature,
    /// Loss and gradient at the last point, where the next step sees the same function.
    here: Option<(f64, Vec<f64>)>,
}

/// Begins `lbfgs`.
pub(super) fn begin(s: &Settings, _: &Parameters) -> Result<Box<dyn Method>, NetworkError> {
    Ok(Box::new(Lbfgs {
        memory: s.count("memory"),
        evaluations: s.count("evaluations"),
        curvature: Curvature::default(),
        here: None,
    }))
}

impl Method for Lbfgs {
    fn step(&mut self, ground: &mut Ground<'_>, _: f64, _: Option<f64>) -> Result<Taken, NetworkError> {
        let single = ground.model().dtype() != candle_core::DType::F64;
        let weights = ground.model().parameters.flatten()?;
        let kept = self.here.take().filter(|_| ground.fixed());
        let (mut evaluations, (loss, gradient)) = match kept {
            Some(here) => (0, here),
            None => (1, ground.at(&weights)?),
        };
        let finite = gradient.iter().all(|g| g.is_finite());
        if !loss.is_finite() || !finite {
            return Ok(Taken::unusable(loss));
        }
        let mut direction = self.curvature.direction(&gradient);
        let mut slope = dot(&direction, &gradient);
        if !(slope < 0.0 && direction.iter().all(|d| d.is_finite())) {
            self.curvature = Curvature::default();
            direction = self.curvature.direction(&gradient);
            slope = dot(&direction, &gradient);
        }
        if slope == 0.0 {
            let ended = ground.fixed().then_some(StopReason::Found);
            return Ok(Taken { ended, ..Taken::step(loss, evaluations) });
        }
        // Without curvature the gradient has no scale of its own: the first trial moves weights by 1 in all at most.
        let size: f64 = gradient.iter().map(|g| g.abs()).sum();
        let first = if self.curvature.pairs.is_empty() { (1.0 / size).min(1.0) } else { 1.0 };
        let wolfe = Wolfe {
            decrease: 1e-4,
            curvature: 0.9,
            rounding: if single { 1e-7 } else { 1e-15 },
            evaluations: self.evaluations,
        };
        let start = Point { length: 0.0, value: loss, slope, gradient };
        let moved = |a: f64| -> Vec<f64> { weights.iter().zip(&direction).map(|(w, d)| w + a * d).collect() };
        let searched = strong_wolfe(&start, first, wolfe, &mut |length| {
            let (value, gradient) = ground.at(&moved(length))?;
            Ok::<_, NetworkError>(Point { length, value, slope: dot(&direction, &gradient), gradient })
        })?;
        evaluations += searched.evaluations as u64;
        let Some(point) = searched.point.filter(|p| p.gradient.iter().all(|g| g.is_finite())) else {
            ground.model().parameters.assign(&weights)?;
            // A line without a lower point: begin anew along the gradient; without curvature nothing is left to try.
            let fresh = self.curvature.pairs.is_empty();
            self.curvature = Curvature::default();
            let ended = (fresh && ground.fixed()).then_some(StopReason::Saturated);
            self.here = ground.fixed().then_some((loss, start.gradient));
            return Ok(Taken { ended, ..Taken::step(loss, evaluations) });
        };
        let after = moved(point.length);
        ground.model().parameters.assign(&after)?;
        let s: Vec<f64> = after.iter().zip(&weights).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = point.gradient.iter().zip(&start.gradient).map(|(a, b)| a - b).collect();
        self.curvature.learn(s, y, self.memory);
        self.here = ground.fixed().then_some((point.value, point.gradient));
        Ok(Taken::step(loss, evaluations))
    }

    fn save(&self, out: &mut Writer) {
        out.u64(self.curvature.pairs.len() as u64);
        for (s, y) in &self.curvature.pairs {
            out.f64s(s);
            out.f64s(y);
        }
        out.option(self.here.as_ref(), |out, (loss, gradient)| {
            out.f64(*loss);
            out.f64s(gradient);
        });
    }

    fn load(&mut self, from: &mut Reader<'_>, parameters: &Parameters) -> Option<()> {
        let n = parameters.count();
        let vector = |from: &mut Reader<'_>| from.f64s().filter(|x| x.len() == n);
        let pairs = from.u64()?;
        self.curvature = Curvature::default();
        for _ in 0..pairs {
            self.curvature.pairs.push_back((vector(from)?, vector(from)?));
        }
        self.here = from.option(|from| Some((from.f64()?, vector(from)?)))?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minimises a function from a start; the steps needed until the gradient is below 1e-9.
    fn minimise(f: impl Fn(&[f64]) -> (f64, Vec<f64>), start: &[f64]) -> (Vec<f64>, usize) {
        let (mut x, mut curvature) = (start.to_vec(), Curvature::default());
        let (mut value, mut gradient) = f(&x);
        for step in 0..500 {
            if gradient.iter().all(|g| g.abs() < 1e-9) {
                return (x, step);
            }
            let direction = curvature.direction(&gradient);
            let first = if curvature.pairs.is_empty() { 1e-3 } else { 1.0 };
            let slope = dot(&direction, &gradient);
            let at = |a: f64| -> Vec<f64> { x.iter().zip(&direction).map(|(x, d)| x + a * d).collect() };
            let wolfe = Wolfe { decrease: 1e-4, curvature: 0.9, rounding: 1e-15, evaluations: 40 };
            let start = Point { length: 0.0, value, slope, gradient: gradient.clone() };
            let found = strong_wolfe::<()>(&start, first, wolfe, &mut |length| {
                let (value, gradient) = f(&at(length));
                Ok(Point { length, value, slope: dot(&direction, &gradient), gradient })
            });
            let point = found.unwrap().point.unwrap();
            let next = at(point.length);
            let s = next.iter().zip(&x).map(|(a, b)| a - b).collect();
            let y = point.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            curvature.learn(s, y, 10);
            (x, value, gradient) = (next, point.value, point.gradient);
        }
        panic!("no minimum: {gradient:?}");
    }

    #[test]
    fn known_minima_are_found() {
        // Rosenbrock 1960 in n dimensions (minimum at 1), from its usual start.
        let rosenbrock = |x: &[f64]| {
            let (mut f, mut g) = (0.0, vec![0.0; x.len()]);
            for i in 0..x.len() - 1 {
                let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
                f += a * a + 100.0 * b * b;
                g[i] += -2.0 * a - 400.0 * x[i] * b;
                g[i + 1] += 200.0 * b;
            }
            (f, g)
        };
        for (n, most) in [(2, 60), (10, 120), (30, 400)] {
            let start: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
            let (x, steps) = minimise(rosenbrock, &start);
            // Of even n > 2 there is a second minimum near (-1, 1, ...).
            assert!(x[1..].iter().all(|x| (x - 1.0).abs() < 1e-7), "{x:?}");
            assert!(steps < most, "{n}: {steps}");
        }
        // The same in independent pairs, of a hundred dimensions.
        let pairs = |x: &[f64]| {
            let parts = x.chunks(2).map(rosenbrock);
            parts.fold((0.0, Vec::new()), |(f, g), (part, slope)| (f + part, [g, slope].concat()))
        };
        let start: Vec<f64> =
            (0..100).map(|i| if i % 2 == 0 { -1.2 - i as f64 / 100.0 } else { 1.0 }).collect();
        let (x, steps) = minimise(pairs, &start);
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-7) && steps < 300, "{steps}");
        // Beale 1958, minimum at (3, 1/2).
        let beale = |x: &[f64]| {
            let (mut f, mut g) = (0.0, vec![0.0; 2]);
            for (i, c) in [1.5, 2.25, 2.625].into_iter().enumerate() {
                let p = i as i32 + 1;
                let r = c - x[0] + x[0] * x[1].powi(p);
                f += r * r;
                g[0] += 2.0 * r * (x[1].powi(p) - 1.0);
                g[1] += 2.0 * r * x[0] * f64::from(p) * x[1].powi(p - 1);
            }
            (f, g)
        };
        let (x, _) = minimise(beale, &[1.0, 1.0]);
        assert!((x[0] - 3.0).abs() < 1e-7 && (x[1] - 0.5).abs() < 1e-7, "{x:?}");
    }

    #[test]
    fn a_quadratic_of_n_dimensions_is_solved_in_about_n_steps() {
        let quadratic = |x: &[f64]| {
            let scale = |i: usize| (i + 1) as f64 * (i + 1) as f64;
            let f = x.iter().enumerate().map(|(i, x)| scale(i) * x * x / 2.0).sum();
            (f, x.iter().enumerate().map(|(i, x)| scale(i) * x).collect())
        };
        let (x, steps) = minimise(quadratic, &[1.0; 8]);
        assert!(x.iter().all(|x| x.abs() < 1e-8) && steps < 40, "{steps}");
    }
}
