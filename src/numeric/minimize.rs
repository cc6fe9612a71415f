//! Minima of functions of several bounded variables: BFGS on the variables that are not held at a bound, with a
//! backtracking line search (Nocedal & Wright, 2nd ed. 2006, ch. 6 and 16.7), then the simplex of Nelder & Mead (Computer
//! Journal 7 (1965) 308, with the parameters of Gao & Han, Comput. Optim. Appl. 51 (2012) 259) where the gradient fails;
//! from several starts, of which the best is told. Variables are measured in their own scales.

use crate::base::random::Streams;
use crate::base::{CancelToken, StopReason};
use nalgebra::{DMatrix, DVector};
use rand::RngExt;

/// The function, and its gradient.
pub trait Objective {
    /// The value; NaN or infinite where there is none.
    fn value(&mut self, x: &[f64]) -> f64;
    /// The value, and the gradient into `out`.
    fn gradient(&mut self, x: &[f64], out: &mut [f64]) -> f64;
}

/// Which method to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// BFGS, and the simplex where the gradient fails.
    Auto,
    /// BFGS.
    Bfgs,
    /// The simplex of Nelder & Mead.
    Simplex,
}

/// Where a search ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Minimum {
    /// The variables.
    pub point: Vec<f64>,
    /// The value there.
    pub value: f64,
    /// Values and gradients that were taken.
    pub evaluations: u64,
    /// `Found` where no step goes down; a bound otherwise.
    pub stopped: StopReason,
}

/// Bounds of the search.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// The method.
    pub method: Method,
    /// Number of starts: the first is given, the others are drawn within the bounds.
    pub starts: usize,
    /// Relative change of the variables at which a search ends.
    pub tolerance: f64,
    /// Most evaluations.
    pub evaluations: u64,
    /// The seed of the starts.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { method: Method::Auto, starts: 8, tolerance: 1e-12, evaluations: 1_000_000, seed: 0 }
    }
}

/// Searches the least value within `bounds`. Starts are drawn where all bounds are finite.
pub fn minimize(
    f: &mut dyn Objective,
    start: &[f64],
    bounds: &[(f64, f64)],
    options: &Options,
    cancel: &CancelToken,
) -> Minimum {
    let mut search = Search { f, bounds, options, cancel, evaluations: 0, stopped: None };
    let finite = bounds.iter().all(|(l, h)| (h - l).is_finite());
    let count = if finite { options.starts.max(1) } else { 1 };
    let mut rng = Streams::new(options.seed).stream("minimize");
    let mut best: Option<(Vec<f64>, f64)> = None;
    let mut stopped = StopReason::Found;
    for k in 0..count {
        let from: Vec<f64> = match k {
            0 => start.iter().zip(bounds).map(|(x, (l, h))| x.clamp(*l, *h)).collect(),
            _ => bounds.iter().map(|(l, h)| l + (h - l) * rng.random::<f64>()).collect(),
        };
        let (point, value) = search.descend(from);
        // The first of equals; a better one must be better by more than rounding.
        if best
            .as_ref()
            .is_none_or(|(_, known)| known.is_nan() || value < *known - 1e-12 * known.abs().max(value.abs()))
        {
            best = Some((point, value));
        }
        if let Some(reason) = search.stopped {
            stopped = reason;
            break;
        }
    }
    let (point, value) = best.unwrap_or_else(|| (start.to_vec(), f64::NAN));
    Minimum { point, value, evaluations: search.evaluations, stopped }
}

struct Search<'a> {
    f: &'a mut dyn Objective,
    bounds: &'a [(f64, f64)],
    options: &'a Options,
    cancel: &'a CancelToken,
    evaluations: u64,
    stopped: Option<StopReason>,
}

impl Search<'_> {
    fn goes_on(&mut self) -> bool {
        if self.stopped.is_none() {
            self.stopped = self.cancel.stop();
        }
        if self.stopped.is_none() && self.evaluations >= self.options.evaluations {
            self.stopped = Some(StopReason::Work);
        }
        self.stopped.is_none()
    }

    fn value(&mut self, x: &[f64]) -> f64 {
        self.evaluations += 1;
        let y = self.f.value(x);
        if y.is_nan() { f64::INFINITY } else { y }
    }

    fn clamped(&self, x: Vec<f64>) -> Vec<f64> {
        x.into_iter().zip(self.bounds).map(|(x, (l, h))| x.clamp(*l, *h)).collect()
    }

    fn descend(&mut self, start: Vec<f64>) -> (Vec<f64>, f64) {
        match self.options.method {
            Method::Simplex => self.simplex(start),
            Method::Bfgs => {
                let (x, y, _) = self.bfgs(start);
                (x, y)
            }
            Method::Auto => {
                let (x, y, smooth) = self.bfgs(start);
                if smooth || !self.goes_on() {
                    return (x, y);
                }
                let (x, y) = self.simplex(x);
                // A simplex may have stopped on a slope that BFGS can go down.
                let (u, v, _) = self.bfgs(x.clone());
                if v < y { (u, v) } else { (x, y) }
            }
        }
    }

    /// The scale of each variable: the width of its bounds, or its size.
    fn scales(&self, x: &[f64]) -> Vec<f64> {
        let scale = |(x, (l, h)): (&f64, &(f64, f64))| {
            let width = h - l;
            if width.is_finite() && width > 0.0 {
                width
            } else if *x != 0.0 {
                x.abs()
            } else {
                1.0
            }
        };
        x.iter().zip(self.bounds).map(scale).collect()
    }

    /// Point, value, and whether the gradient led to a minimum.
    fn bfgs(&mut self, start: Vec<f64>) -> (Vec<f64>, f64, bool) {
        let n = start.len();
        let scales = self.scales(&start);
        let mut x = start;
        let mut g = vec![0.0; n];
        self.evaluations += 1;
        let mut y = self.f.gradient(&x, &mut g);
        if !y.is_finite() || g.iter().any(|g| !g.is_finite()) {
            return (x, if y.is_nan() { f64::INFINITY } else { y }, false);
        }
        let scaled = |g: &[f64]| DVector::from_fn(n, |i, _| g[i] * scales[i]);
        let mut slope = scaled(&g);
        let mut inverse = DMatrix::<f64>::identity(n, n);
        let mut fresh = true;
        let mut flat = 0;
        while self.goes_on() {
            // A variable at a bound that the descent would leave is held.
            let held: Vec<bool> = (0..n)
                .map(|i| {
                    let (l, h) = self.bounds[i];
                    x[i] <= l && slope[i] > 0.0 || x[i] >= h && slope[i] < 0.0
                })
                .collect();
            let free = DVector::from_fn(n, |i, _| if held[i] { 0.0 } else { slope[i] });
            if free.iter().all(|s| *s == 0.0) {
                return (x, y, true);
            }
            let mut direction = -(&inverse * &free);
            (0..n).filter(|i| held[*i]).for_each(|i| direction[i] = 0.0);
            if direction.dot(&free) >= 0.0 {
                inverse = DMatrix::identity(n, n);
                direction = -free.clone();
                fresh = true;
            }
            // The first step of a fresh search is not longer than a tenth of the scales.
            let longest = direction.amax();
            let mut lambda = if fresh && longest > 0.1 { 0.1 / longest } else { 1.0 };
            let falling = direction.dot(&free);
            let (mut next, mut found) = (Vec::new(), None);
            for _ in 0..60 {
                let trial = (0..n).map(|i| x[i] + lambda * direction[i] * scales[i]).collect();
                next = self.clamped(trial);
                let v = self.value(&next);
                let (armijo, rounding) = (y + 1e-4 * lambda * falling, 4.0 * f64::EPSILON * y.abs());
                if v.is_finite() && v <= armijo.max(y - rounding) && (v < y || v <= armijo) {
                    found = Some(v);
                    break;
                }
                let parabola = -falling * lambda * lambda / (2.0 * (v - y - falling * lambda));
                let shorter = if parabola.is_finite() && parabola > 0.0 { parabola } else { 0.5 * lambda };
                lambda = shorter.clamp(0.1 * lambda, 0.5 * lambda);
            }
            let Some(v) = found else {
                if fresh {
                    // No way down along the gradient itself: a minimum, or a kink.
                    let steep = free.amax() * 1e-8 > f64::EPSILON.sqrt() * y.abs().max(f64::MIN_POSITIVE);
                    return (x, y, !steep);
                }
                inverse = DMatrix::identity(n, n);
                fresh = true;
                continue;
            };
            self.evaluations += 1;
            let mut after = vec![0.0; n];
            let again = self.f.gradient(&next, &mut after);
            if after.iter().any(|g| !g.is_finite()) || !again.is_finite() {
                return (next, v, false);
            }
            let step = DVector::from_fn(n, |i, _| (next[i] - x[i]) / scales[i]);
            let now = scaled(&after);
            let change = &now - &slope;
            let curvature = step.dot(&change);
            if curvature > 1e-12 * step.norm() * change.norm() {
                if fresh {
                    inverse *= curvature / change.dot(&change);
                }
                let hy = &inverse * &change;
                let factor = (1.0 + change.dot(&hy) / curvature) / curvature;
                inverse += &step * step.transpose() * factor
                    - (&hy * step.transpose() + &step * hy.transpose()) / curvature;
                fresh = false;
            }
            let moved = (0..n)
                .map(|i| (next[i] - x[i]).abs() / x[i].abs().max(next[i].abs()).max(1e-3 * scales[i]))
                .fold(0.0, f64::max);
            let gain = y - v;
            (x, y, slope) = (next, v, now);
            flat =
                if moved <= self.options.tolerance || gain <= f64::EPSILON * y.abs() { flat + 1 } else { 0 };
            if flat >= 3 {
                return (x, y, true);
            }
        }
        (x, y, true)
    }

    fn simplex(&mut self, start: Vec<f64>) -> (Vec<f64>, f64) {
        let n = start.len();
        let scales = self.scales(&start);
        let dimension = n as f64;
        let (expand, contract, shrink) =
            (1.0 + 2.0 / dimension, 0.75 - 0.5 / dimension, 1.0 - 1.0 / dimension.max(2.0));
        let mut corners: Vec<(f64, Vec<f64>)> = Vec::with_capacity(n + 1);
        let first = self.value(&start);
        corners.push((first, start.clone()));
        for i in 0..n {
            let mut corner = start.clone();
            let step = 0.05 * scales[i];
            corner[i] += if corner[i] + step > self.bounds[i].1 { -step } else { step };
            let corner = self.clamped(corner);
            corners.push((self.value(&corner), corner));
        }
        while self.goes_on() {
            corners.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (best, worst) = (corners[0].clone(), corners[n].clone());
            let wide = (0..n)
                .map(|i| {
                    let size = best.1[i].abs().max(1e-3 * scales[i]);
                    corners.iter().map(|c| (c.1[i] - best.1[i]).abs()).fold(0.0, f64::max) / size
                })
                .fold(0.0, f64::max);
            if wide <= self.options.tolerance.max(1e-15) {
                break;
            }
            let center: Vec<f64> =
                (0..n).map(|i| corners[..n].iter().map(|c| c.1[i]).sum::<f64>() / dimension).collect();
            let along =
                |by: f64| (0..n).map(|i| center[i] + by * (worst.1[i] - center[i])).collect::<Vec<_>>();
            let reflected = self.clamped(along(-1.0));
            let value = self.value(&reflected);
            let replacement = if value < best.0 {
                let far = self.clamped(along(-expand));
                let farther = self.value(&far);
                Some(if farther < value { (farther, far) } else { (value, reflected) })
            } else if value < corners[n - 1].0 {
                Some((value, reflected))
            } else {
                let by = if value < worst.0 { -contract } else { contract };
                let near = self.clamped(along(by));
                let nearer = self.value(&near);
                (nearer < value.min(worst.0)).then_some((nearer, near))
            };
            match replacement {
                Some(corner) => corners[n] = corner,
                None => {
                    for corner in &mut corners[1..] {
                        let nearer: Vec<f64> =
                            corner.1.iter().zip(&best.1).map(|(x, b)| b + shrink * (x - b)).collect();
                        *corner = (self.value(&nearer), nearer);
                    }
                }
            }
        }
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (value, point) = corners.swap_remove(0);
        (point, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Smooth<F, G>(F, G);

    impl<F: Fn(&[f64]) -> f64, G: Fn(&[f64], &mut [f64])> Objective for Smooth<F, G> {
        fn value(&mut self, x: &[f64]) -> f64 {
            (self.0)(x)
        }
        fn gradient(&mut self, x: &[f64], out: &mut [f64]) -> f64 {
            (self.1)(x, out);
            (self.0)(x)
        }
    }

    fn rosenbrock() -> impl Objective {
        Smooth(
            |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2),
            |x: &[f64], g: &mut [f64]| {
                let d = x[1] - x[0] * x[0];
                g[0] = -2.0 * (1.0 - x[0]) - 400.0 * x[0] * d;
                g[1] = 200.0 * d;
            },
        )
    }

    const FREE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        for (method, within) in [(Method::Bfgs, 1e-9), (Method::Simplex, 1e-7), (Method::Auto, 1e-9)] {
            let options = Options { method, ..Options::default() };
            let found =
                minimize(&mut rosenbrock(), &[-1.2, 1.0], &[FREE, FREE], &options, &CancelToken::new());
            assert_eq!(found.stopped, StopReason::Found);
            assert!(found.point.iter().all(|x| (x - 1.0).abs() < within), "{method:?}: {found:?}");
        }
    }

    #[test]
    fn bounds_hold_and_the_minimum_may_lie_on_one() {
        let bounds = [(-2.0, 0.5), (-1.0, 3.0)];
        let found =
            minimize(&mut rosenbrock(), &[-1.0, 1.0], &bounds, &Options::default(), &CancelToken::new());
        assert_eq!(found.point[0], 0.5);
        assert!((found.point[1] - 0.25).abs() < 1e-7, "{found:?}");
    }

    #[test]
    fn several_starts_find_the_deepest_of_many_minima() {
        let mut waves = Smooth(
            |x: &[f64]| (3.0 * x[0]).sin() + 0.1 * (x[0] - 4.0).powi(2),
            |x: &[f64], g: &mut [f64]| g[0] = 3.0 * (3.0 * x[0]).cos() + 0.2 * (x[0] - 4.0),
        );
        let run = |seed| {
            let options = Options { starts: 30, seed, ..Options::default() };
            minimize(&mut waves, &[-9.0], &[(-10.0, 10.0)], &options, &CancelToken::new())
        };
        let mut run = run;
        let found = run(1);
        assert!((found.point[0] - 3.672).abs() < 2e-3, "{found:?}");
        assert_eq!(found, run(1));
    }

    #[test]
    fn a_kink_is_left_to_the_simplex() {
        let mut kink = Smooth(
            |x: &[f64]| (x[0] - 0.3).abs() + (x[1] + 0.7).abs(),
            |x: &[f64], g: &mut [f64]| {
                g[0] = (x[0] - 0.3).signum();
                g[1] = (x[1] + 0.7).signum();
            },
        );
        let found =
            minimize(&mut kink, &[2.0, 1.0], &[(-5.0, 5.0); 2], &Options::default(), &CancelToken::new());
        assert!((found.point[0] - 0.3).abs() < 1e-6 && (found.point[1] + 0.7).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn the_work_is_bounded() {
        let options = Options { evaluations: 20, ..Options::default() };
        let found = minimize(&mut rosenbrock(), &[-1.2, 1.0], &[FREE, FREE], &options, &CancelToken::new());
        assert_eq!(found.stopped, StopReason::Work);
        assert!(found.value < 24.2 && found.evaluations < 200);
    }
}
