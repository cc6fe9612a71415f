//! Curves through the points of a path, and how noisy the points are. Exact data are interpolated by local polynomials
//! (B. Fornberg, Math. Comp. 51, 699 (1988)), noisy ones smoothed by penalised B-splines whose roughness is chosen by
//! generalised cross-validation (P. Eilers, B. Marx, Statist. Sci. 11, 89 (1996); G. Wahba, "Spline models for observational
//! data", 1990).

use nalgebra::{DMatrix, DVector};

use crate::numeric::statistics;

/// Degree of the splines: their second derivative is smooth.
const DEGREE: usize = 5;
/// Order of the differences of coefficients that are penalised.
const ORDER: usize = 3;
/// Most pieces of a spline, and points for each of them.
const PIECES: usize = 160;
const POINTS_EACH: usize = 3;
/// Roughnesses that are tried first, `STEP` decades apart, from the least on, relative to the data's weight.
const TRIED: i32 = 14;
const STEP: f64 = 1.2;
const LEAST_ROUGH: f64 = 1e-9;
/// What a degree of freedom costs in cross-validation: above 1, so that smooth curves are preferred.
const COST: f64 = 1.3;
/// Most neighbours on a side of a local polynomial.
const SIDE: usize = 6;
/// Share of the largest value of a state below which noise in proportion to it is not counted any smaller.
pub const LEAST: f64 = 0.02;
/// Nats by which noise in proportion to the state must make the residuals shorter to be taken for it.
const DECISIVE: f64 = 3.0;
/// Noise below this share of a state's size is rounding: the points count as exact.
pub const EXACT: f64 = 1e-6;
/// Median of the absolute value of a standard normal deviate.
const MEDIAN: f64 = 0.6745;

/// The noise of a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Noise {
    /// One standard deviation for all points.
    Absolute(f64),
    /// A share of the state's value.
    Relative(f64),
}

/// Weights of values at nodes `xs` that give the interpolating polynomial and its derivative at `z`.
pub fn fornberg(z: f64, xs: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = xs.len();
    let (mut value, mut slope) = (vec![0.0; n], vec![0.0; n]);
    if n == 0 {
        return (value, slope);
    }
    value[0] = 1.0;
    let mut c1 = 1.0;
    let mut c4 = xs[0] - z;
    for i in 1..n {
        let mut c2 = 1.0;
        let c5 = c4;
        c4 = xs[i] - z;
        for j in 0..i {
            let c3 = xs[i] - xs[j];
            c2 *= c3;
            if j == i - 1 {
                slope[i] = c1 * (value[i - 1] - c5 * slope[i - 1]) / c2;
                value[i] = -c1 * c5 * value[i - 1] / c2;
            }
            slope[j] = (c4 * slope[j] - value[j]) / c3;
            value[j] = c4 * value[j] / c3;
        }
        c1 = c2;
    }
    (value, slope)
}

/// The `count` places of `times` that lie nearest around place `k` (as many on either side as there are).
fn around(times: &[f64], k: usize, side: usize) -> std::ops::Range<usize> {
    let count = (2 * side + 1).min(times.len());
    let start = k.saturating_sub(side).min(times.len() - count);
    start..start + count
}

/// How far each point is from the polynomial through `side` neighbours on either side, in units of what its noise and
/// theirs would make; with the size of the state there.
fn strays(times: &[f64], values: &[f64], side: usize) -> Vec<(f64, f64)> {
    let n = times.len();
    (side..n.saturating_sub(side))
        .map(|k| {
            let places: Vec<usize> = (k - side..=k + side).filter(|j| *j != k).collect();
            let nodes: Vec<f64> = places.iter().map(|j| times[*j]).collect();
            let (w, _) = fornberg(times[k], &nodes);
            let there: f64 = places.iter().zip(&w).map(|(j, w)| w * values[*j]).sum();
            let spread = (1.0 + w.iter().map(|w| w * w).sum::<f64>()).sqrt();
            let size = places.iter().map(|j| values[*j].abs()).sum::<f64>() / places.len() as f64;
            ((values[k] - there) / spread, size)
        })
        .collect()
}

/// The noise of a state, from all paths: what neighbours cannot foretell, by the polynomial for which that is least.
pub fn noise(paths: &[(&[f64], &[f64])]) -> Noise {
    let mut best: Option<(f64, Vec<(f64, f64)>)> = None;
    for side in 1..=SIDE {
        let all: Vec<(f64, f64)> = paths.iter().flat_map(|(t, x)| strays(t, x, side)).collect();
        if all.len() < 8 {
            break;
        }
        let level = statistics::median(&all.iter().map(|s| s.0.abs()).collect::<Vec<f64>>()) / MEDIAN;
        if best.as_ref().is_none_or(|b| level < b.0) {
            best = Some((level, all));
        }
    }
    let Some((level, all)) = best else { return Noise::Absolute(0.0) };
    let largest = all.iter().fold(0.0f64, |m, s| m.max(s.1));
    let sizes: Vec<f64> = all.iter().map(|s| s.1.max(LEAST * largest)).collect();
    let shares: Vec<f64> = all.iter().zip(&sizes).map(|(s, size)| s.0.abs() / size).collect();
    let share = statistics::median(&shares) / MEDIAN;
    // The code of a Laplace distribution: a mean is surer than a median, and outliers count less than in squares.
    let n = all.len() as f64;
    let absolute = n * (all.iter().map(|s| s.0.abs()).sum::<f64>() / n).ln();
    let relative = n * (shares.iter().sum::<f64>() / n).ln() + sizes.iter().map(|s| s.ln()).sum::<f64>();
    if relative < absolute - DECISIVE { Noise::Relative(share) } else { Noise::Absolute(level) }
}

/// Slopes at the points of exact data, with the standard deviation of their error: the number of neighbours is that for
/// which rounding and what the next polynomial would change are least together.
pub struct Slopes {
    /// The slope at each point.
    pub values: Vec<f64>,
    /// Standard deviation of its error.
    pub error: f64,
    /// Neighbours on a side.
    pub side: usize,
}

/// Slopes of exact data whose values have errors of standard deviation `rounding`.
pub fn slopes(times: &[f64], values: &[f64], rounding: f64) -> Slopes {
    let by = |side: usize| -> (Vec<f64>, f64) {
        let mut spread = 0.0;
        let slopes = (0..times.len())
            .map(|k| {
                let places = around(times, k, side);
                let (_, w) = fornberg(times[k], &times[places.clone()]);
                spread += w.iter().map(|w| w * w).sum::<f64>();
                w.iter().zip(&values[places]).map(|(w, x)| w * x).sum()
            })
            .collect();
        (slopes, (spread / times.len() as f64).sqrt() * rounding)
    };
    let most = SIDE.min((times.len() - 1) / 2);
    let all: Vec<(Vec<f64>, f64)> = (1..=most).map(by).collect();
    let mut best: Option<(f64, usize)> = None;
    for side in 1..most {
        let inside = side..times.len().saturating_sub(side).max(side + 1);
        let change: Vec<f64> = inside.map(|k| all[side - 1].0[k] - all[side].0[k]).collect();
        let error = statistics::rms(&change).hypot(all[side - 1].1);
        if best.is_none_or(|b| error < b.0) {
            best = Some((error, side));
        }
    }
    let (error, side) = best.unwrap_or((0.0, 1));
    Slopes { values: all[side - 1].0.clone(), error, side }
}

/// A smoothing spline with uniform knots.
#[derive(Clone, Debug)]
pub struct Spline {
    low: f64,
    step: f64,
    pieces: usize,
    coefficients: Vec<f64>,
    /// Covariance of the coefficients.
    covariance: DMatrix<f64>,
    /// Effective degrees of freedom.
    pub freedom: f64,
}

/// A spline for one roughness.
struct Best {
    power: f64,
    score: f64,
    c: DVector<f64>,
    inverse: DMatrix<f64>,
    freedom: f64,
    scatter: f64,
}

/// The values at `x` (0 to 1 within a piece) of the B-splines of a degree that are not 0 there.
fn basis(x: f64, degree: usize) -> [f64; DEGREE + 1] {
    let mut n = [0.0; DEGREE + 1];
    n[0] = 1.0;
    for d in 1..=degree {
        let mut saved = 0.0;
        for (r, value) in n[..d].iter_mut().enumerate() {
            let right = (r + 1) as f64 - x;
            let left = x + (d - 1 - r) as f64;
            let part = *value / d as f64;
            *value = saved + right * part;
            saved = left * part;
        }
        n[d] = saved;
    }
    n
}

impl Spline {
    /// Smooths points with weights 1/sigma (known up to a factor); its covariance is for the scatter that is left.
    pub fn smooth(times: &[f64], values: &[f64], weights: &[f64]) -> Option<Spline> {
        let n = times.len();
        let pieces = (n / POINTS_EACH).clamp(4, PIECES);
        let (low, high) = (times[0], times[n - 1]);
        let step = (high - low) / pieces as f64;
        let width = pieces + DEGREE;
        let mut gram = DMatrix::<f64>::zeros(width, width);
        let mut right = DVector::<f64>::zeros(width);
        let mut square = 0.0;
        let place = |t: f64| {
            let u = ((t - low) / step).clamp(0.0, pieces as f64);
            let piece = (u.floor() as usize).min(pieces - 1);
            (piece, u - piece as f64)
        };
        for ((t, y), w) in times.iter().zip(values).zip(weights) {
            let (piece, x) = place(*t);
            let b = basis(x, DEGREE);
            let w2 = w * w;
            square += w2 * y * y;
            for i in 0..=DEGREE {
                right[piece + i] += w2 * b[i] * y;
                for j in 0..=DEGREE {
                    gram[(piece + i, piece + j)] += w2 * b[i] * b[j];
                }
            }
        }
        // Differences of order 3: 1, -3, 3, -1.
        let mut rough = DMatrix::<f64>::zeros(width, width);
        let signs = [-1.0, 3.0, -3.0, 1.0];
        for k in 0..width - ORDER {
            for i in 0..=ORDER {
                for j in 0..=ORDER {
                    rough[(k + i, k + j)] += signs[i] * signs[j];
                }
            }
        }
        let scale = gram.trace() / rough.trace();
        let by = |power: f64| -> Option<Best> {
            let cholesky = (&gram + &rough * (scale * LEAST_ROUGH * 10f64.powf(power))).cholesky()?;
            let c = cholesky.solve(&right);
            let inverse = cholesky.inverse();
            let freedom = inverse.component_mul(&gram).sum();
            let rss = (square - 2.0 * c.dot(&right) + c.dot(&(&gram * &c))).max(1e-24 * square);
            let left = n as f64 - COST * freedom;
            let score = rss / (left * left);
            let scatter = rss / (n as f64 - freedom);
            (left > 0.0).then_some(Best { power, score, c, inverse, freedom, scatter })
        };
        let least =
            |powers: &[f64]| powers.iter().filter_map(|p| by(*p)).min_by(|a, b| a.score.total_cmp(&b.score));
        // Coarsely, then around the best.
        let first = least(&(0..TRIED).map(|k| STEP * f64::from(k)).collect::<Vec<f64>>())?;
        let near = least(&[-0.75, -0.5, -0.25, 0.25, 0.5, 0.75].map(|share| first.power + STEP * share));
        let Best { c, inverse, freedom, scatter, .. } = match near {
            Some(near) if near.score < first.score => near,
            _ => first,
        };
        Some(Spline {
            low,
            step,
            pieces,
            coefficients: c.iter().copied().collect(),
            covariance: inverse * scatter,
            freedom,
        })
    }

    fn place(&self, t: f64) -> (usize, f64) {
        let u = ((t - self.low) / self.step).clamp(0.0, self.pieces as f64);
        let piece = (u.floor() as usize).min(self.pieces - 1);
        (piece, u - piece as f64)
    }

    /// The value at `t`.
    pub fn value(&self, t: f64) -> f64 {
        self.both(t).0
    }

    /// Value and slope at `t`; those of the end beyond it.
    pub fn both(&self, t: f64) -> (f64, f64) {
        let (piece, x) = self.place(t);
        let c = &self.coefficients[piece..=piece + DEGREE];
        let value = basis(x, DEGREE).iter().zip(c).map(|(b, c)| b * c).sum();
        let slope =
            basis(x, DEGREE - 1).iter().zip(c.windows(2)).map(|(b, c)| b * (c[1] - c[0])).sum::<f64>();
        (value, slope / self.step)
    }

    /// Standard deviation of the slope at `t`.
    pub fn slope_error(&self, t: f64) -> f64 {
        let (piece, x) = self.place(t);
        let lower = basis(x, DEGREE - 1);
        // Slope = sum of (b[i-1] - b[i]) c[i].
        let w: Vec<f64> = (0..=DEGREE)
            .map(|i| {
                let before = if i > 0 { lower[i - 1] } else { 0.0 };
                let own = if i < DEGREE { lower[i] } else { 0.0 };
                (before - own) / self.step
            })
            .collect();
        let mut variance = 0.0;
        for i in 0..=DEGREE {
            for j in 0..=DEGREE {
                variance += w[i] * w[j] * self.covariance[(piece + i, piece + j)];
            }
        }
        variance.max(0.0).sqrt()
    }
}
