//! Samples a curve where it bends. Points start at equal distances on the axis; an interval is halved while its middle
//! lies off the straight line by more than the eye sees, at most [`DEPTH`] times. Where neighbours still differ by much,
//! the interval is bisected: a jump that does not shrink is a discontinuity, and the line is broken there. The edge of
//! what is defined is found by bisection too.

use super::axis::{HUGE, Projection};

/// Intervals to begin with; no power of two, so that periods are not met in step.
const START: usize = 181;
/// Halvings of one interval.
const DEPTH: usize = 9;
/// Points in all.
const MOST: usize = 20_000;
/// What the eye does not see, in heights of the axis.
const FLAT: f64 = 5e-4;
/// Bisections at jumps and edges.
const BISECTIONS: usize = 48;

/// A sampled curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The points; NaN breaks the line.
    pub points: Vec<(f64, f64)>,
    /// How many of the first [`Curve::asked`] points have no real value.
    pub undefined: usize,
    /// At how many points the curve was asked first.
    pub asked: usize,
    /// What of y is worth seeing, where the curve has a pole.
    pub focus: Option<(f64, f64)>,
}

/// Samples `f`, which takes many x at once, along an axis. `log_y`: whether heights are ratios.
pub fn curve(f: &mut dyn FnMut(&[f64]) -> Vec<f64>, axis: &Projection, log_y: bool) -> Curve {
    let mut call = |places: &[f64]| -> Vec<f64> {
        let xs: Vec<f64> = places.iter().map(|t| axis.value(*t)).collect();
        let mut ys = f(&xs);
        ys.resize(places.len(), f64::NAN);
        ys
    };
    let mut places: Vec<f64> = (0..=START).map(|k| k as f64 / START as f64).collect();
    let mut values = call(&places);
    let asked = places.len();
    let defined = |y: f64| !y.is_nan();
    let undefined = values.iter().filter(|y| !defined(**y)).count();
    let height = |y: f64| if log_y { y.log10() } else { y };
    let seen = |y: f64| y.abs() < HUGE && (!log_y || y > 0.0);
    let first: Vec<f64> = values.iter().copied().filter(|y| seen(*y)).map(height).collect();
    let scale = usual(&first).map_or(1.0, |(low, high)| if high > low { high - low } else { 1.0 });

    // Halve while the middle is off the line. `open` marks intervals that may still bend.
    let mut open = vec![true; places.len() - 1];
    for _ in 0..DEPTH {
        let marked: Vec<usize> = (0..open.len()).filter(|k| open[*k]).collect();
        if marked.is_empty() || places.len() + marked.len() > MOST {
            break;
        }
        let middles: Vec<f64> = marked.iter().map(|k| 0.5 * (places[*k] + places[k + 1])).collect();
        let found = call(&middles);
        let (mut new_places, mut new_values) = (Vec::new(), Vec::new());
        let mut new_open = Vec::new();
        let mut next = 0;
        for k in 0..open.len() {
            new_places.push(places[k]);
            new_values.push(values[k]);
            if marked.get(next) != Some(&k) {
                new_open.push(false);
                continue;
            }
            let (a, m, b) = (values[k], found[next], values[k + 1]);
            let bends = match (seen(a), seen(m), seen(b)) {
                (true, true, true) => {
                    let off = (height(m) - 0.5 * (height(a) + height(b))).abs();
                    let jump = (height(a) - height(b)).abs();
                    off > FLAT * scale || jump > 0.2 * scale
                }
                (false, false, false) => false,
                _ => true,
            };
            new_places.push(middles[next]);
            new_values.push(m);
            new_open.extend([bends, bends]);
            next += 1;
        }
        new_places.extend(places.last());
        new_values.extend(values.last());
        (places, values, open) = (new_places, new_values, new_open);
    }

    let mut points = Vec::with_capacity(places.len());
    let mut pole = false;
    for k in 0..places.len() {
        if k > 0 {
            let (a, b) = (values[k - 1], values[k]);
            let jump = (height(a) - height(b)).abs();
            match (seen(a), seen(b)) {
                (true, true) if jump > 0.05 * scale => {
                    if let Some(((ta, ya), (tb, yb))) =
                        jump_in(&mut call, (places[k - 1], a), (places[k], b), &height)
                    {
                        pole |= [ya, yb].iter().any(|y| height(*y).abs() > 50.0 * scale + height(a).abs());
                        for (t, y) in [(ta, ya), (0.5 * (ta + tb), f64::NAN), (tb, yb)] {
                            points.push((axis.value(t), y));
                        }
                    }
                }
                (true, false) | (false, true) => {
                    let edge = edge_in(&mut call, (places[k - 1], a), (places[k], b), &seen);
                    points.push((axis.value(edge.0), edge.1));
                }
                _ => {}
            }
        }
        let y = values[k];
        pole |= y.is_infinite();
        points.push((axis.value(places[k]), if seen(y) { y } else { f64::NAN }));
    }
    let all: Vec<f64> = points.iter().map(|p| p.1).filter(|y| seen(*y)).collect();
    let whole = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(*y), b.max(*y)));
    let focus = usual(&first).and_then(|(low, high)| {
        // Beside a pole a curve grows as it is looked at more closely.
        let coarse =
            first.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(*y), b.max(*y)));
        let size = coarse.1 - coarse.0;
        let grows = height(whole.1) - coarse.1 > 3.0 * size || coarse.0 - height(whole.0) > 3.0 * size;
        if log_y || !(pole || grows) {
            return None;
        }
        let size = high - low;
        Some((whole.0.max(low - 0.7 * size), whole.1.min(high + 0.7 * size)))
    });
    let focus = focus.filter(|(a, b)| a < b);
    Curve { points, undefined, asked, focus }
}

/// The range of the middle eight tenths.
fn usual(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied();
    Some((at(0.1)?, at(0.9)?))
        .map(|(low, high)| if high > low { (low, high) } else { (sorted[0], sorted[sorted.len() - 1]) })
}

type Sample = (f64, f64);

/// The two sides of a jump between two points; `None` where the curve is only steep.
fn jump_in(
    call: &mut dyn FnMut(&[f64]) -> Vec<f64>,
    mut a: Sample,
    mut b: Sample,
    height: &dyn Fn(f64) -> f64,
) -> Option<(Sample, Sample)> {
    let first = (height(a.1) - height(b.1)).abs();
    for _ in 0..BISECTIONS {
        let t = 0.5 * (a.0 + b.0);
        if t <= a.0 || t >= b.0 {
            break;
        }
        let y = call(&[t])[0];
        if !y.is_finite() {
            return Some((a, b));
        }
        let (left, right) = ((height(a.1) - height(y)).abs(), (height(y) - height(b.1)).abs());
        if left.max(right) < 0.05 * first {
            return None;
        }
        if left > right { b = (t, y) } else { a = (t, y) }
    }
    let last = (height(a.1) - height(b.1)).abs();
    (last > 0.3 * first).then_some((a, b))
}

/// The last point that is seen between one that is and one that is not.
fn edge_in(
    call: &mut dyn FnMut(&[f64]) -> Vec<f64>,
    a: Sample,
    b: Sample,
    seen: &dyn Fn(f64) -> bool,
) -> Sample {
    let (mut inside, mut outside) = if seen(a.1) { (a, b) } else { (b, a) };
    for _ in 0..BISECTIONS {
        let t = 0.5 * (inside.0 + outside.0);
        let y = call(&[t])[0];
        if seen(y) { inside = (t, y) } else { outside = (t, y) }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(f: impl Fn(f64) -> f64, low: f64, high: f64) -> Curve {
        let axis = Projection { low, high, log: false };
        curve(&mut |xs| xs.iter().map(|x| f(*x)).collect(), &axis, false)
    }

    fn gaps(c: &Curve) -> usize {
        c.points.windows(2).filter(|w| !w[0].1.is_nan() && w[1].1.is_nan()).count()
    }

    #[test]
    fn points_lie_on_the_curve_in_order_and_no_bend_is_missed() {
        let c = sample(|x| (x * x).sin(), 0.0, 12.0);
        assert!(c.points.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(c.points.iter().all(|(x, y)| (y - (x * x).sin()).abs() < 1e-12));
        for w in c.points.windows(2) {
            let x = 0.5 * (w[0].0 + w[1].0);
            let off = ((x * x).sin() - 0.5 * (w[0].1 + w[1].1)).abs();
            assert!(off < 0.01, "{off} at {x}");
        }
        assert!(c.points.len() < 6000 && gaps(&c) == 0 && c.focus.is_none());
        assert!(sample(|x| 2.0 * x + 1.0, 0.0, 1.0).points.len() < 400);
    }

    #[test]
    fn poles_and_jumps_break_the_line_and_steep_slopes_do_not() {
        let tan = sample(f64::tan, 0.0, 10.0);
        assert_eq!(gaps(&tan), 3);
        let (low, high) = tan.focus.unwrap();
        assert!(low > -50.0 && high < 50.0 && low < -1.0 && high > 1.0);
        let floor = sample(f64::floor, 0.0, 5.5);
        assert_eq!((gaps(&floor), floor.focus), (5, None));
        assert_eq!(gaps(&sample(|x| (1e4 * x).tanh(), -1.0, 1.1)), 0);
        let square = sample(|x| 1.0 / (x * x), -1.0, 1.0);
        assert!(square.focus.unwrap().1 < 1e4);
        assert!(sample(f64::exp, 0.0, 20.0).focus.is_none());
    }

    #[test]
    fn the_edge_of_what_is_defined_is_found() {
        let c = sample(|x| (1.0 - x * x).sqrt(), -2.0, 2.0);
        let inside: Vec<f64> = c.points.iter().filter(|p| !p.1.is_nan()).map(|p| p.0).collect();
        assert!((inside[0] + 1.0).abs() < 1e-9 && (inside[inside.len() - 1] - 1.0).abs() < 1e-9);
        assert!(c.undefined > 80 && c.asked == START + 1);
        assert_eq!(sample(|_| f64::NAN, 0.0, 1.0).undefined, START + 1);
    }
}
