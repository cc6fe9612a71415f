//! Functions without a formula: sums of products of Chebyshev polynomials up to a total degree, over the box of their
//! arguments (L. N. Trefethen, "Approximation Theory and Approximation Practice", 2013, ch. 3). Beyond the box they go on
//! straight, so that arguments which move during a fit stay harmless.

use crate::numeric::linear_least_squares;

/// Ratio of the ends of a positive range above which its logarithm is the variable.
const WIDE: f64 = 30.0;
/// Most functions of a basis.
const MOST: usize = 60;

/// Products of Chebyshev polynomials on a box.
#[derive(Clone, Debug)]
pub struct Basis {
    /// Middle, half width, and whether the logarithm is the variable, of each argument.
    axes: Vec<(f64, f64, bool)>,
    /// Degrees in each argument, of each function.
    degrees: Vec<Vec<usize>>,
}

/// Values of the functions of a basis, and their derivatives by each argument: function, row.
pub struct Spread {
    pub values: Vec<Vec<f64>>,
    pub slopes: Vec<Vec<Vec<f64>>>,
}

/// Chebyshev polynomials up to a degree with their derivatives.
fn chebyshev(z: f64, degree: usize) -> Vec<(f64, f64)> {
    let inside = z.clamp(-1.0, 1.0);
    let mut all: Vec<(f64, f64)> = vec![(1.0, 0.0), (inside, 1.0)];
    for k in 2..=degree {
        let ((a, da), (b, db)) = (all[k - 2], all[k - 1]);
        all.push((2.0 * inside * b - a, 2.0 * b + 2.0 * inside * db - da));
    }
    all.truncate(degree + 1);
    let beyond = z - inside;
    all.iter().map(|(t, d)| (t + d * beyond, *d)).collect()
}

impl Basis {
    /// Up to a total degree on the range of the arguments, widened by a share of it; fewer functions where the degree would
    /// make too many.
    pub fn new(args: &[Vec<f64>], degree: usize, widened: f64) -> Basis {
        let axes = args.iter().map(|x| {
            let (low, high) =
                x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
            let log = low > 0.0 && high / low > WIDE;
            let (low, high) = if log { (low.ln(), high.ln()) } else { (low, high) };
            let half = 0.5 * (high - low) * (1.0 + widened);
            (0.5 * (low + high), if half > 0.0 && half.is_finite() { half } else { 1.0 }, log)
        });
        let axes: Vec<(f64, f64, bool)> = axes.collect();
        let mut degrees = Vec::new();
        for total in 0..=degree {
            let own = of_total(total, axes.len());
            if degrees.len() + own.len() > MOST {
                break;
            }
            degrees.extend(own);
        }
        Basis { axes, degrees }
    }

    /// The number of functions.
    pub fn len(&self) -> usize {
        self.degrees.len()
    }

    /// Values and derivatives at points.
    pub fn spread(&self, args: &[Vec<f64>]) -> Spread {
        let (m, n) = (self.len(), args.first().map_or(0, Vec::len));
        let mut values = vec![Vec::with_capacity(n); m];
        let mut slopes = vec![vec![Vec::with_capacity(n); m]; self.axes.len()];
        let highest = self.degrees.iter().flatten().copied().max().unwrap_or(0);
        for row in 0..n {
            let at: Vec<(Vec<(f64, f64)>, f64)> = self
                .axes
                .iter()
                .zip(args)
                .map(|((middle, half, log), x)| {
                    let x = x[row];
                    let (z, dz) = if *log { (x.ln(), 1.0 / x) } else { (x, 1.0) };
                    (chebyshev((z - middle) / half, highest), dz / half)
                })
                .collect();
            for (k, degrees) in self.degrees.iter().enumerate() {
                values[k].push(degrees.iter().zip(&at).map(|(d, (t, _))| t[*d].0).product());
                for (axis, list) in slopes.iter_mut().enumerate() {
                    let factors = degrees.iter().zip(&at).enumerate().map(|(other, (d, (t, scale)))| {
                        if other == axis { t[*d].1 * scale } else { t[*d].0 }
                    });
                    list[k].push(factors.product());
                }
            }
        }
        Spread { values, slopes }
    }

    /// The coefficients that come nearest to values at points.
    pub fn project(&self, args: &[Vec<f64>], values: &[f64]) -> Option<Vec<f64>> {
        let spread = self.spread(args);
        let columns: Vec<&[f64]> = spread.values.iter().map(Vec::as_slice).collect();
        linear_least_squares(&columns, values, None, false).ok().map(|f| f.coefficients)
    }
}

/// All ways to share a total degree among arguments.
fn of_total(total: usize, arguments: usize) -> Vec<Vec<usize>> {
    if arguments <= 1 {
        return vec![vec![total; arguments]];
    }
    (0..=total)
        .flat_map(|first| {
            of_total(total - first, arguments - 1).into_iter().map(move |mut rest| {
                rest.insert(0, first);
                rest
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_function_of_two_arguments_is_met_with_its_slopes() {
        let grid: Vec<(f64, f64)> =
            (0..15).flat_map(|a| (0..15).map(move |b| (f64::from(a) * 0.1, 1.0 + f64::from(b)))).collect();
        let args = [grid.iter().map(|g| g.0).collect::<Vec<f64>>(), grid.iter().map(|g| g.1).collect()];
        let basis = Basis::new(&args, 9, 0.0);
        let law = |x: f64, y: f64| (x + 0.1 * y).sin();
        let values: Vec<f64> = grid.iter().map(|g| law(g.0, g.1)).collect();
        let c = basis.project(&args, &values).unwrap();
        let there = [vec![0.33], vec![7.7]];
        let spread = basis.spread(&there);
        let sum = |lists: &[Vec<f64>]| -> f64 { lists.iter().zip(&c).map(|(v, c)| v[0] * c).sum() };
        assert!((sum(&spread.values) - law(0.33, 7.7)).abs() < 1e-7);
        assert!((sum(&spread.slopes[1]) - 0.1 * (0.33f64 + 0.77).cos()).abs() < 1e-6);
        // Straight beyond the box.
        let beyond: Vec<f64> =
            [1.4, 1.5, 1.6].iter().map(|x| sum(&basis.spread(&[vec![*x], vec![7.0]]).values)).collect();
        assert!((beyond[2] - 2.0 * beyond[1] + beyond[0]).abs() < 1e-9);
    }
}
