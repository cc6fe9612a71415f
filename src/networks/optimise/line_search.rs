//! A step length that satisfies the strong Wolfe conditions (Nocedal & Wright, "Numerical Optimization", 2006, alg. 3.5 and
//! 3.6): with f the function along a line and f' its slope,
//!
//! ```text
//! f(a) <= f(0) + c1 a f'(0)      and      |f'(a)| <= c2 |f'(0)|
//! ```
//!
//! Trial lengths inside a bracket are minima of the cubic through values and slopes of its ends (eq. 3.59). A value that is
//! not finite counts as too far. Near a minimum, where differences of f drown in rounding, a length also counts that
//! satisfies the conditions on slopes alone (Hager & Zhang 2005, the approximate Wolfe conditions).

/// A point of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// How far along.
    pub length: f64,
    /// The function there.
    pub value: f64,
    /// Its derivative along the line.
    pub slope: f64,
    /// Its gradient.
    pub gradient: Vec<f64>,
}

/// What a search is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wolfe {
    /// c1, of sufficient decrease.
    pub decrease: f64,
    /// c2, of curvature.
    pub curvature: f64,
    /// Relative rounding error of the function.
    pub rounding: f64,
    /// Most evaluations.
    pub evaluations: usize,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// The best point; `None` where no point was lower than the start.
    pub point: Option<Point>,
    /// Evaluations used.
    pub evaluations: usize,
}

/// The minimum of the cubic with these values and slopes at two lengths, kept off the ends of the bracket.
fn cubic(a: &Point, b: &Point) -> f64 {
    let width = b.length - a.length;
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt() * width.signum();
    let found = b.length - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    let (low, high) = (a.length.min(b.length), a.length.max(b.length));
    let edge = 0.1 * (high - low);
    if found.is_finite() { found.clamp(low + edge, high - edge) } else { (low + high) / 2.0 }
}

struct Search<'a, E> {
    start: &'a Point,
    wolfe: Wolfe,
    left: usize,
    evaluate: &'a mut dyn FnMut(f64) -> Result<Point, E>,
}

impl<E> Search<'_, E> {
    fn at(&mut self, length: f64) -> Result<Point, E> {
        self.left = self.left.saturating_sub(1);
        (self.evaluate)(length)
    }

    /// Lies above the line of sufficient decrease.
    fn high(&self, p: &Point) -> bool {
        p.value.is_nan() || p.value > self.start.value + self.wolfe.decrease * p.length * self.start.slope
    }

    fn flat(&self, p: &Point) -> bool {
        p.slope.abs() <= -self.wolfe.curvature * self.start.slope
    }

    /// Is as low as the start up to rounding, and satisfies the conditions on slopes.
    fn nearly(&self, p: &Point) -> bool {
        let (s, w) = (self.start, self.wolfe);
        (p.value - s.value).abs() <= w.rounding * s.value.abs()
            && (2.0 * w.decrease - 1.0) * s.slope >= p.slope
            && p.slope >= w.curvature * s.slope
    }

    /// Alg. 3.6: `low` is the lowest point so far that is low enough; the conditions hold somewhere between the two.
    fn zoom(&mut self, mut low: Point, mut high: Point) -> Result<Point, E> {
        while self.left > 0 {
            let width = (high.length - low.length).abs();
            if width <= 1e-12 * high.length.abs().max(low.length.abs()) {
                break;
            }
            let finite = high.value.is_finite() && high.slope.is_finite();
            let length = if finite { cubic(&low, &high) } else { (low.length + high.length) / 2.0 };
            let p = self.at(length)?;
            if self.nearly(&p) {
                return Ok(p);
            }
            if self.high(&p) || p.value >= low.value {
                high = p;
                continue;
            }
            if self.flat(&p) {
                return Ok(p);
            }
            if p.slope * (high.length - low.length) >= 0.0 {
                high = low;
            }
            low = p;
        }
        Ok(low)
    }

    /// Alg. 3.5.
    fn run(&mut self, first: f64) -> Result<Point, E> {
        let (mut before, mut length) = (self.start.clone(), first);
        while self.left > 0 {
            let p = self.at(length)?;
            if self.nearly(&p) {
                return Ok(p);
            }
            if self.high(&p) || before.length > 0.0 && p.value >= before.value {
                return self.zoom(before, p);
            }
            if self.flat(&p) {
                return Ok(p);
            }
            if p.slope >= 0.0 {
                return self.zoom(p, before);
            }
            length = 2.0 * p.length;
            before = p;
        }
        Ok(before)
    }
}

/// Searches from `start` (length 0, a negative slope) with `first` as the first trial length.
///
/// # Errors
/// Those of `evaluate`, which gives the point at a length.
pub fn strong_wolfe<E>(
    start: &Point,
    first: f64,
    wolfe: Wolfe,
    evaluate: &mut dyn FnMut(f64) -> Result<Point, E>,
) -> Result<Searched, E> {
    let mut search = Search { start, wolfe, left: wolfe.evaluations, evaluate };
    let found = search.run(first)?;
    let evaluations = wolfe.evaluations - search.left;
    Ok(Searched { point: (found.length > 0.0).then_some(found), evaluations })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WOLFE: Wolfe = Wolfe { decrease: 1e-4, curvature: 0.1, rounding: 1e-15, evaluations: 40 };

    fn search(f: fn(f64) -> (f64, f64), first: f64) -> Searched {
        let point = |a: f64| Point { length: a, value: f(a).0, slope: f(a).1, gradient: vec![f(a).1] };
        strong_wolfe::<()>(&point(0.0), first, WOLFE, &mut |a| Ok(point(a))).unwrap()
    }

    #[test]
    fn the_conditions_hold_where_they_can() {
        // The first function of Moré & Thuente 1994, a quartic, and one that is infinite beyond 2.
        let functions: [fn(f64) -> (f64, f64); 3] = [
            |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)),
            |a| ((a - 3.0).powi(4) + a, 4.0 * (a - 3.0).powi(3) + 1.0),
            |a| {
                if a < 2.0 {
                    (-(2.0 - a).ln() - 3.0 * a, 1.0 / (2.0 - a) - 3.0)
                } else {
                    (f64::NAN, f64::NAN)
                }
            },
        ];
        for f in functions {
            for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
                let found = search(f, first);
                let p = found.point.unwrap();
                assert!(p.value <= f(0.0).0 + 1e-4 * p.length * f(0.0).1, "{p:?}");
                assert!(p.slope.abs() <= 0.1 * f(0.0).1.abs(), "{p:?}");
                assert!(found.evaluations < 30);
            }
        }
    }
}
