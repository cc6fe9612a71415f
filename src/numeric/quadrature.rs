//! Definite integrals. The range is cut into panels, each measured by the Gauss-Kronrod pair of 10 and 21 points (Kronrod
//! 1965; nodes as in Piessens et al., "QUADPACK", 1983); the panel of the largest error is halved until the sum of the
//! errors is small enough. Infinite ranges are mapped by x = a ± s (1/v - 1), with s where |x f(x)| is largest. A panel
//! at an end that stays worst however small it gets holds a singularity: it is measured by the tanh-sinh rule
//! (Takahasi & Mori, Publ. RIMS 9 (1974) 721), which sees the end at distances down to 1e-300.

use std::collections::BinaryHeap;

use super::error::NumericError;
use crate::base::{CancelToken, StopReason};

/// Positive nodes of the 21-point rule, and 0.
#[rustfmt::skip]
const NODES: [f64; 11] = [
    0.995_657_163_025_808_1, 0.973_906_528_517_171_7, 0.930_157_491_355_708_2, 0.865_063_366_688_984_5,
    0.780_817_726_586_416_9, 0.679_409_568_299_024_4, 0.562_757_134_668_604_7, 0.433_395_394_129_247_2,
    0.294_392_862_701_460_2, 0.148_874_338_981_631_22, 0.0,
];
/// Their weights.
#[rustfmt::skip]
const KRONROD: [f64; 11] = [
    0.011_694_638_867_371_874, 0.032_558_162_307_964_725, 0.054_755_896_574_351_995, 0.075_039_674_810_919_96,
    0.093_125_454_583_697_6, 0.109_387_158_802_297_64, 0.123_491_976_262_065_84, 0.134_709_217_311_473_34,
    0.142_775_938_577_060_09, 0.147_739_104_901_338_49, 0.149_445_554_002_916_9,
];
/// Weights of the 10-point rule, at every second node.
#[rustfmt::skip]
const GAUSS: [f64; 5] = [
    0.066_671_344_308_688_14, 0.149_451_349_150_580_6, 0.219_086_362_515_982_04, 0.269_266_719_309_996_35,
    0.295_524_224_714_752_87,
];
/// Most panels.
const MAX_PANELS: usize = 4_000;
/// Halvings after which a panel at an end goes to the tanh-sinh rule.
const DEPTH: u32 = 7;

/// How exact an integral is to be: the weaker of both bounds holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tolerance {
    /// As a share of the integral.
    pub relative: f64,
    /// In its units.
    pub absolute: f64,
}

/// An integral.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Integral {
    /// Its value.
    pub value: f64,
    /// A bound of its error, as the rules estimate it.
    pub error: f64,
    /// Values of the integrand that were taken.
    pub evaluations: u64,
    /// Whether the error is within the tolerance, or as small as rounding lets it be.
    pub converged: bool,
    /// Whether the integrand was 0 wherever it was looked at.
    pub vanishes: bool,
    /// Why it stopped: `Found`, or the bound that was met.
    pub stopped: StopReason,
}

/// The integrand at many points at once: places, values.
pub type Integrand<'a> = dyn FnMut(&[f64], &mut Vec<f64>) + 'a;

/// The integral of `f` from `low` to `high`, either of which may be infinite.
///
/// # Errors
/// [`NumericError::Integrand`] where a panel has no finite value inside; a range with NaN.
pub fn integral(
    f: &mut Integrand<'_>,
    low: f64,
    high: f64,
    tolerance: Tolerance,
    cancel: &CancelToken,
) -> Result<Integral, NumericError> {
    if low.is_nan() || high.is_nan() {
        return Err(NumericError::Integrand { at: f64::NAN, value: f64::NAN });
    }
    if low > high {
        let mut found = integral(f, high, low, tolerance, cancel)?;
        found.value = -found.value;
        return Ok(found);
    }
    let mut work = Search { f, evaluations: 0, scratch: Vec::new(), seen: false, bad: None };
    let mut heap: BinaryHeap<Panel> = BinaryHeap::new();
    if low < high {
        for (map, a, b) in work.pieces(low, high) {
            // A few panels, so that a narrow peak is not missed as easily.
            for k in 0..4 {
                let at = |k: u32| a + (b - a) * f64::from(k) / 4.0;
                let (left, right) = (at(k), if k == 3 { b } else { at(k + 1) });
                heap.push(work.panel(map, (left, right), 0, (k == 0, k == 3)));
            }
        }
    }
    // Panels that cannot become better.
    let mut done: Vec<Panel> = Vec::new();
    let mut stopped = StopReason::Found;
    let totals = |heap: &BinaryHeap<Panel>, done: &[Panel]| {
        let all = || heap.iter().chain(done);
        let value = super::statistics::sum_of(all().map(|p| p.value));
        (value, all().map(|p| p.error).sum::<f64>())
    };
    let (value, error) = loop {
        let (value, error) = totals(&heap, &done);
        let bound = tolerance.absolute.max(tolerance.relative * value.abs());
        if error <= bound {
            break (value, error);
        }
        let Some(worst) = heap.pop() else { break (value, error) };
        if let Some(reason) = cancel.stop() {
            stopped = reason;
            heap.push(worst);
            break (value, error);
        }
        if heap.len() + done.len() > MAX_PANELS {
            stopped = StopReason::Work;
            heap.push(worst);
            break (value, error);
        }
        let (a, b) = worst.range;
        let middle = 0.5 * (a + b);
        if !(a < middle && middle < b) || b - a <= 1e-13 * a.abs().max(b.abs()) && worst.depth > 40 {
            done.push(worst);
            continue;
        }
        let (at_low, at_high) = worst.ends;
        if worst.depth >= DEPTH && (at_low || at_high) {
            let better = work.tanh_sinh(&worst, bound);
            done.push(if better.error < worst.error { better } else { worst });
            continue;
        }
        heap.push(work.panel(worst.map, (a, middle), worst.depth + 1, (at_low, false)));
        heap.push(work.panel(worst.map, (middle, b), worst.depth + 1, (false, at_high)));
    };
    if !value.is_finite() || !error.is_finite() {
        let (at, value) = work.bad.unwrap_or((f64::NAN, f64::NAN));
        return Err(NumericError::Integrand { at, value });
    }
    let magnitude: f64 = heap.iter().chain(&done).map(|p| p.magnitude).sum();
    let rounding = 100.0 * f64::EPSILON * magnitude;
    let converged = error <= tolerance.absolute.max(tolerance.relative * value.abs()).max(rounding);
    if !converged && stopped == StopReason::Found {
        stopped = StopReason::Saturated;
    }
    Ok(Integral { value, error, evaluations: work.evaluations, converged, vanishes: !work.seen, stopped })
}

/// From the parameter of a panel to the variable.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Map {
    /// The variable itself.
    Plain,
    /// x = from + scale (1/v - 1), v in 0..1; the sign of the scale is the direction.
    Tail { from: f64, scale: f64 },
}

impl Map {
    /// Place and its derivative by the parameter.
    fn at(self, v: f64) -> (f64, f64) {
        match self {
            Map::Plain => (v, 1.0),
            Map::Tail { from, scale } => (from + scale * (1.0 / v - 1.0), scale.abs() / (v * v)),
        }
    }
}

/// A part of the range with its integral. The worst of a heap is its greatest.
#[derive(Clone, Debug)]
struct Panel {
    map: Map,
    range: (f64, f64),
    depth: u32,
    /// Whether it touches the lower and the upper end of its piece.
    ends: (bool, bool),
    value: f64,
    error: f64,
    /// The integral of the absolute value.
    magnitude: f64,
}

impl PartialEq for Panel {
    fn eq(&self, other: &Panel) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Panel {}
impl PartialOrd for Panel {
    fn partial_cmp(&self, other: &Panel) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Panel {
    fn cmp(&self, other: &Panel) -> std::cmp::Ordering {
        self.error.total_cmp(&other.error).then(other.range.0.total_cmp(&self.range.0))
    }
}

struct Search<'a, 'b> {
    f: &'a mut Integrand<'b>,
    evaluations: u64,
    scratch: Vec<f64>,
    /// Whether a value other than 0 was seen.
    seen: bool,
    /// Where a value was not finite.
    bad: Option<(f64, f64)>,
}

impl Search<'_, '_> {
    fn values(&mut self, places: &[f64]) -> Vec<f64> {
        (self.f)(places, &mut self.scratch);
        self.evaluations += places.len() as u64;
        self.seen |= self.scratch.iter().any(|y| *y != 0.0);
        std::mem::take(&mut self.scratch)
    }

    /// The range as pieces: a map and the range of its parameter.
    fn pieces(&mut self, low: f64, high: f64) -> Vec<(Map, f64, f64)> {
        match (low.is_finite(), high.is_finite()) {
            (true, true) => vec![(Map::Plain, low, high)],
            (true, false) => self.half_line(low, 1.0),
            (false, true) => self.half_line(high, -1.0),
            (false, false) => {
                let mut all = self.half_line(0.0, -1.0);
                all.extend(self.half_line(0.0, 1.0));
                all
            }
        }
    }

    /// A half line from `from`: up to the place of its greatest weight as it is, the rest mapped.
    fn half_line(&mut self, from: f64, sign: f64) -> Vec<(Map, f64, f64)> {
        let scale = sign * self.scale(from, sign);
        let near = from + scale;
        let (a, b) = if sign > 0.0 { (from, near) } else { (near, from) };
        vec![(Map::Plain, a, b), (Map::Tail { from: near, scale }, 0.0, 1.0)]
    }

    /// Where |d f(from + d)|, the weight of a factor of e, is greatest over eighty decades.
    fn scale(&mut self, from: f64, sign: f64) -> f64 {
        let distances: Vec<f64> = (-320..=320).map(|k| 10f64.powf(f64::from(k) / 8.0)).collect();
        let places: Vec<f64> = distances.iter().map(|d| from + sign * d).collect();
        let values = self.values(&places);
        let mut best = (0.0, 1.0);
        for ((d, x), y) in distances.iter().zip(&places).zip(&values) {
            let weight = (d * y).abs();
            if *x != from && weight.is_finite() && weight > best.0 {
                best = (weight, *d);
            }
        }
        best.1
    }

    fn panel(&mut self, map: Map, range: (f64, f64), depth: u32, ends: (bool, bool)) -> Panel {
        let (center, half) = (0.5 * (range.0 + range.1), 0.5 * (range.1 - range.0));
        let nodes: [f64; 21] = std::array::from_fn(|k| match k {
            0..=10 => -NODES[k],
            _ => NODES[20 - k],
        });
        let mapped: Vec<(f64, f64)> = nodes.iter().map(|u| map.at(center + half * u)).collect();
        let places: Vec<f64> = mapped.iter().map(|(x, _)| *x).collect();
        let values = self.values(&places);
        let mut y = [0.0; 21];
        let mut finite = true;
        for k in 0..21 {
            y[k] = values[k] * mapped[k].1;
            if !y[k].is_finite() {
                // Where the map is steep a value of 0 is 0.
                y[k] = 0.0;
                if values[k] != 0.0 {
                    finite = false;
                    self.bad = Some((places[k], values[k]));
                }
            }
        }
        self.scratch = values;
        let weight = |k: usize| KRONROD[k.min(20 - k)];
        let kronrod: f64 = (0..21).map(|k| weight(k) * y[k]).sum();
        let gauss: f64 = (0..5).map(|k| GAUSS[k] * (y[2 * k + 1] + y[19 - 2 * k])).sum();
        let magnitude: f64 = (0..21).map(|k| weight(k) * y[k].abs()).sum();
        let spread: f64 = (0..21).map(|k| weight(k) * (y[k] - 0.5 * kronrod).abs()).sum();
        let mut error = (kronrod - gauss).abs();
        // The rule of QUADPACK: the difference of the rules overrates the error of the better one.
        if spread > 0.0 && error > 0.0 {
            error = spread * (200.0 * error / spread).powf(1.5).min(1.0);
        }
        error = error.max(10.0 * f64::EPSILON * magnitude);
        if !finite {
            error = f64::INFINITY;
        }
        Panel {
            map,
            range,
            depth,
            ends,
            value: kronrod * half,
            error: error * half,
            magnitude: magnitude * half,
        }
    }

    /// The tanh-sinh rule on a panel: the distance to the nearer end is known to full precision where the end is 0.
    fn tanh_sinh(&mut self, panel: &Panel, bound: f64) -> Panel {
        let (a, b) = panel.range;
        let width = b - a;
        let (mut value, mut magnitude, mut before) = (0.0, 0.0, f64::NAN);
        let mut error = f64::INFINITY;
        for level in 0..8u32 {
            let step = 0.5f64.powi(level as i32);
            // New abscissae of this level: all at first, then the odd multiples of the step.
            let count = (6.0 / step) as i64;
            let marks: Vec<f64> =
                (-count..=count).filter(|k| level == 0 || k % 2 != 0).map(|k| k as f64 * step).collect();
            let mut places = Vec::with_capacity(marks.len());
            let mut factors = Vec::with_capacity(marks.len());
            for t in &marks {
                // Distance to the nearer end as a share of the width: 1/(1 + exp(pi sinh|t|)).
                let share = 1.0 / (1.0 + (std::f64::consts::PI * t.abs().sinh()).exp());
                let distance = width * share;
                let v = if *t < 0.0 { a + distance } else { b - distance };
                let (x, slope) = panel.map.at(v);
                let weight = width * std::f64::consts::PI * t.cosh() * share * (1.0 - share) * slope;
                places.push(x);
                factors.push((weight, *t, v > a && v < b));
            }
            let values = self.values(&places);
            let (mut sum, mut absolute) = (0.0, 0.0);
            let (mut low_edge, mut high_edge) = ((f64::INFINITY, 0.0), (f64::NEG_INFINITY, 0.0));
            for (y, (weight, t, inside)) in values.iter().zip(&factors) {
                let term = y * weight;
                if !inside || !term.is_finite() {
                    continue;
                }
                sum += term;
                absolute += term.abs();
                if *t < low_edge.0 {
                    low_edge = (*t, term.abs());
                }
                if *t > high_edge.0 {
                    high_edge = (*t, term.abs());
                }
            }
            self.scratch = values;
            value = if level == 0 { sum * step } else { 0.5 * value + sum * step };
            magnitude = if level == 0 { absolute * step } else { 0.5 * magnitude + absolute * step };
            // What lies beyond the last point that could be told from the end.
            let edge = if level == 0 { f64::INFINITY } else { 2.0 * (low_edge.1 + high_edge.1) };
            error = (value - before).abs() + edge;
            before = value;
            if level > 2 && error <= (0.1 * bound).max(4.0 * f64::EPSILON * magnitude) {
                break;
            }
        }
        Panel { value, error: error.max(4.0 * f64::EPSILON * magnitude), magnitude, ..panel.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    const FINE: Tolerance = Tolerance { relative: 1e-12, absolute: 0.0 };

    fn found(f: impl Fn(f64) -> f64, low: f64, high: f64) -> Integral {
        let mut many = |x: &[f64], y: &mut Vec<f64>| {
            y.clear();
            y.extend(x.iter().map(|x| f(*x)));
        };
        integral(&mut many, low, high, FINE, &CancelToken::new()).unwrap()
    }

    #[test]
    fn one_panel_is_exact_for_polynomials_of_degree_31() {
        for degree in 0..=31 {
            let mut power = |x: &[f64], y: &mut Vec<f64>| {
                y.clear();
                y.extend(x.iter().map(|x| x.powi(degree)));
            };
            let mut search =
                Search { f: &mut power, evaluations: 0, scratch: Vec::new(), seen: false, bad: None };
            let panel = search.panel(Map::Plain, (0.0, 1.0), 0, (true, true));
            let exact = 1.0 / f64::from(degree + 1);
            assert!((panel.value - exact).abs() < 4e-16, "degree {degree}: {}", panel.value - exact);
        }
        let total: f64 = 2.0 * KRONROD[..10].iter().sum::<f64>() + KRONROD[10];
        assert!((total - 2.0).abs() < 1e-15 && (2.0 * GAUSS.iter().sum::<f64>() - 2.0).abs() < 1e-15);
    }

    #[test]
    fn known_integrals_are_within_their_errors() {
        type Case = (&'static str, fn(f64) -> f64, f64, f64, f64);
        let cases: &[Case] = &[
            ("gauss", |x| (-x * x).exp(), f64::NEG_INFINITY, f64::INFINITY, PI.sqrt()),
            (
                "small gauss",
                |x| (-(x / 1e-12).powi(2)).exp(),
                f64::NEG_INFINITY,
                f64::INFINITY,
                1e-12 * PI.sqrt(),
            ),
            ("lorentz", |x| 1.0 / (1.0 + x * x), f64::NEG_INFINITY, f64::INFINITY, PI),
            ("planck", |x| x.powi(3) / x.exp_m1(), 0.0, f64::INFINITY, PI.powi(4) / 15.0),
            ("root", |x| 1.0 / x.sqrt(), 0.0, 1.0, 2.0),
            ("steep", |x| x.powf(-0.9), 0.0, 1.0, 10.0),
            ("logarithm", f64::ln, 0.0, 1.0, -1.0),
            ("slow tail", |x| x.powf(-1.25), 1.0, f64::INFINITY, 4.0),
            ("negative", f64::exp, f64::NEG_INFINITY, 0.0, 1.0),
            ("waves", |x| (50.0 * x).sin().powi(2), 0.0, PI, PI / 2.0),
            ("kink", |x| (x - 0.3).abs(), 0.0, 1.0, 0.29),
            ("circle", |x| (1.0 - x * x).max(0.0).sqrt(), -1.0, 1.0, PI / 2.0),
        ];
        for (name, f, low, high, exact) in cases {
            let i = found(f, *low, *high);
            let miss = (i.value - exact).abs();
            assert!(i.converged, "{name}: {i:?}");
            assert!(miss <= i.error.max(4e-15 * exact.abs()), "{name}: off by {miss:e}, {i:?}");
            assert!(miss <= 1e-10 * exact.abs(), "{name}: off by {miss:e}, {i:?}");
        }
    }

    #[test]
    fn a_reversed_range_changes_the_sign_and_an_empty_one_gives_zero() {
        assert!((found(|x| x, 2.0, 0.0).value + 2.0).abs() < 1e-14);
        assert_eq!(found(|x| x, 1.0, 1.0).value, 0.0);
    }

    #[test]
    fn what_has_no_integral_does_not_converge() {
        assert!(!found(|x| 1.0 / x, 0.0, 1.0).converged);
        assert!(!found(|x| 1.0 / x, 1.0, f64::INFINITY).converged);
        assert!(!found(|x| 1.0 / (x - 0.3), 0.0, 1.0).converged);
        let mut none = |x: &[f64], y: &mut Vec<f64>| {
            y.clear();
            y.extend(x.iter().map(|x| x.sqrt()));
        };
        let negative = integral(&mut none, -1.0, 0.0, FINE, &CancelToken::new());
        assert!(matches!(negative, Err(NumericError::Integrand { .. })));
        let cancelled = CancelToken::new();
        cancelled.cancel();
        let mut wave = |x: &[f64], y: &mut Vec<f64>| {
            y.clear();
            y.extend(x.iter().map(|x| (1e4 * x).sin()));
        };
        let stopped = integral(&mut wave, 0.0, 10.0, FINE, &cancelled).unwrap();
        assert_eq!((stopped.converged, stopped.stopped), (false, StopReason::Cancelled));
    }
}
