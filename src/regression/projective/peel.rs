//! Steps from the target backwards: a function h of the target that may be a product where the target itself is none.
//! `y = m*log(h)`; `y = u(h)` for invertible u; `y^p = m*(c + h)` and `y^p = m*f*(c + h)`, with m a product of powers of
//! the dimension of y^p.

use super::nodes::{Arena, Constant, Node};
use super::view::{K, Lane, Point, View, length, log};
use crate::base::Number;
use crate::expression::{Expr, Function};
use crate::regression::candidate::Parameter;
use crate::regression::options::Plan;
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// An invertible function of a target without dimension.
pub struct Link {
    /// g with h = g(y).
    pub forward: fn(f64) -> f64,
    inverse: fn(Expr) -> Expr,
    needs: &'static str,
}

macro_rules! link {
    ($forward:expr, $function:ident, $needs:literal) => {
        Link { forward: $forward, inverse: |h| Expr::call(Function::$function, vec![h]), needs: $needs }
    };
}

/// Links: the outermost function of the law.
pub const LINKS: &[Link] = &[
    link!(|y| y.ln(), Exp, "exp"),
    link!(|y| y.exp(), Log, "log"),
    link!(|y| y.asin(), Sin, "sin"),
    link!(|y| y.acos(), Cos, "cos"),
    link!(|y| y.tan(), Atan, "atan"),
    link!(|y| y.sin(), Asin, "asin"),
    link!(|y| y.cos(), Acos, "acos"),
    link!(|y| y.atanh(), Tanh, "tanh"),
];

/// A step backwards.
#[derive(Clone, Debug)]
pub enum Peel {
    /// h = y
    Plain,
    /// ln h = y/m, exponents of m in halves.
    Logarithm(Vec<i8>),
    /// h = g(y/m), exponents of m in halves.
    Link(usize, Vec<i8>),
    /// h = y^p/(m*f) - c: p in halves, exponents of m in halves, f a factor of an arena to the power 1 or -1.
    Offset { power: i8, product: Vec<i8>, factor: Option<(Node, bool)>, offset: Constant },
}

/// A step with what it makes of the target on the probe rows.
#[derive(Clone, Debug)]
pub struct Target {
    /// The step.
    pub peel: Peel,
    /// The direction of ln |h|.
    pub point: Point,
    /// The length of its coordinates.
    pub size: f64,
    /// Distance of directions below which they are one, by the resolution of the data.
    pub tolerance: f64,
}

/// Relative resolution of the target and of the features.
#[derive(Clone, Copy, Debug)]
pub struct Grain {
    /// Of the target.
    pub target: f64,
    /// Of the coarsest feature.
    pub features: f64,
}

/// Digits from which on numbers count as exact.
const EXACT: usize = 12;
/// Digits below which numbers count as chosen, not rounded.
const CHOSEN: usize = 4;

/// Units of the last digit that a resolution counts: what directions differ by on the mean of many rounded numbers.
pub const UNITS: f64 = 0.12;

/// The relative resolution of a column: [`UNITS`] of the last digit, where its numbers have few.
pub fn resolution(column: &[f64]) -> f64 {
    let digits = |x: f64| {
        (1..EXACT).find(|&s| {
            let spelled: f64 = format!("{x:.*e}", s - 1).parse().unwrap_or(f64::NAN);
            (spelled - x).abs() <= 4.0 * f64::EPSILON * x.abs()
        })
    };
    let step = column.len().div_ceil(64).max(1);
    let most = column.iter().step_by(step).map(|x| digits(*x).unwrap_or(EXACT)).max().unwrap_or(EXACT);
    if (CHOSEN..EXACT).contains(&most) { UNITS * 10f64.powi(1 - most as i32) } else { 1e-15 }
}

impl Grain {
    /// That of the data of a problem.
    pub fn of(problem: &Problem) -> Grain {
        let features = problem.useful().into_iter().map(|k| resolution(&problem.columns[k]));
        Grain { target: resolution(&problem.target), features: features.fold(1e-15, f64::max) }
    }
}

/// Directions closer than this are one, however exact the data.
const CLOSEST: f64 = 2e-8;

impl Peel {
    /// ln |h| for values of y, m and f; with the factor by which relative errors of y grow.
    pub fn logs(&self, y: &[f64], m: &[f64], f: &[f64]) -> (Vec<f64>, f64) {
        match self {
            Peel::Plain => (y.iter().map(|y| y.abs().ln()).collect(), 1.0),
            Peel::Logarithm(_) => {
                let logs: Vec<f64> = y.iter().zip(m).map(|(y, m)| y / m).collect();
                let largest = rms(logs.iter().copied());
                (logs, largest)
            }
            Peel::Link(k, _) => {
                let g = LINKS[*k].forward;
                let y: Vec<f64> = y.iter().zip(m).map(|(y, m)| y / m).collect();
                let h: Vec<f64> = y.iter().map(|y| g(*y)).collect();
                let growth = rms(y.iter().zip(&h).map(|(y, h)| (g(y * (1.0 + 1e-7)) / h - 1.0) / 1e-7));
                (h.iter().map(|h| h.abs().ln()).collect(), growth)
            }
            Peel::Offset { power, factor, offset, .. } => {
                let c = offset.value();
                let ratio = |i: usize| {
                    let base = raise(y[i], *power) / m[i];
                    match factor {
                        Some((_, false)) => base / f[i],
                        Some((_, true)) => base * f[i],
                        None => base,
                    }
                };
                let ratios: Vec<f64> = (0..y.len()).map(ratio).collect();
                let growth = rms(ratios.iter().map(|r| r / (r - c)));
                (ratios.iter().map(|r| (r - c).abs().ln()).collect(), growth)
            }
        }
    }

    /// The exponents of its product of powers.
    pub fn product(&self) -> Option<&[i8]> {
        match self {
            Peel::Logarithm(m) | Peel::Link(_, m) | Peel::Offset { product: m, .. } => Some(m),
            _ => None,
        }
    }

    /// Its factor.
    pub fn factor(&self) -> Option<Node> {
        match self {
            Peel::Offset { factor, .. } => factor.map(|(f, _)| f),
            _ => None,
        }
    }

    /// The values of h with their signs.
    pub fn values(&self, y: &[f64], m: &[f64], f: &[f64]) -> Vec<f64> {
        match self {
            Peel::Plain => y.to_vec(),
            Peel::Logarithm(_) => y.iter().zip(m).map(|(y, m)| (y / m).exp()).collect(),
            Peel::Link(k, _) => y.iter().zip(m).map(|(y, m)| (LINKS[*k].forward)(y / m)).collect(),
            Peel::Offset { power, factor, offset, .. } => (0..y.len())
                .map(|i| {
                    let base = raise(y[i], *power) / m[i];
                    let base = match factor {
                        Some((_, false)) => base / f[i],
                        Some((_, true)) => base * f[i],
                        None => base,
                    };
                    base - offset.value()
                })
                .collect(),
        }
    }

    /// The dimension that h must have; `None` where there is no such.
    pub fn dimension(&self, problem: &Problem, view: &View) -> Option<Dimension> {
        match self {
            Peel::Plain => Some(problem.goal()),
            Peel::Offset { power, product, .. } => {
                let mut dimension = problem.goal().pow(&Number::ratio(i64::from(*power), 2)?)?;
                for (h, v) in product.iter().zip(&view.variables).filter(|(h, _)| **h != 0) {
                    dimension = dimension.div(v.dimension.pow(&Number::ratio(i64::from(*h), 2)?)?)?;
                }
                Some(dimension)
            }
            _ => Some(Dimension::NONE),
        }
    }

    /// y from h, for logarithms times `scale`. `None` where dimensions do not fit.
    pub fn inverse(
        &self,
        problem: &Problem,
        view: &View,
        arena: &Arena,
        h: Expr,
        scale: f64,
        parameters: &mut Vec<Parameter>,
    ) -> Option<Expr> {
        let powers = |m: &[i8]| -> Option<(Expr, Dimension)> {
            let mut dimension = Dimension::NONE;
            let mut factors = Vec::new();
            for (h, v) in m.iter().zip(&view.variables).filter(|(h, _)| **h != 0) {
                let p = Number::ratio(i64::from(*h), 2)?;
                dimension = dimension.mul(v.dimension.pow(&p)?)?;
                factors.push(Expr::power(v.expr.clone(), Expr::number(p)));
            }
            Some((Expr::product(factors), dimension))
        };
        match self {
            Peel::Plain => Some(h),
            Peel::Link(k, m) => {
                let (m, dimension) = powers(m)?;
                (problem.goal() == dimension).then(|| m * (LINKS[*k].inverse)(h))
            }
            Peel::Logarithm(m) => {
                let (m, dimension) = powers(m)?;
                let symbol = Parameter::symbol(parameters.len());
                let dimension = problem.goal().div(dimension)?;
                parameters.push(Parameter { symbol: symbol.clone(), start: scale, dimension });
                Some(Expr::symbol(symbol) * m * Expr::call(Function::Log, vec![h]))
            }
            Peel::Offset { power, product, factor, offset } => {
                let (m, _) = powers(product)?;
                let power = Number::ratio(i64::from(*power), 2)?;
                let dimension = self.dimension(problem, view)?;
                let c = match offset {
                    Constant::Exact(p, q) if dimension.is_none() => Expr::ratio(i64::from(*p), i64::from(*q)),
                    Constant::Exact(..) => return None,
                    Constant::Free(start) => {
                        let symbol = Parameter::symbol(parameters.len());
                        parameters.push(Parameter { symbol: symbol.clone(), start: *start, dimension });
                        Expr::symbol(symbol)
                    }
                };
                let mut whole = m * (c + h);
                if let Some((f, inverse)) = factor {
                    let f = arena.expr(view, *f, parameters)?;
                    whole = if *inverse { whole / f } else { whole * f };
                }
                Some(Expr::power(whole, Expr::number(power.recip()?)))
            }
        }
    }
}

/// y^(h/2).
fn raise(y: f64, halves: i8) -> f64 {
    if halves % 2 == 0 { y.powi(i32::from(halves / 2)) } else { y.powf(f64::from(halves) / 2.0) }
}

fn rms(x: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0f64);
    x.for_each(|x| {
        sum += x * x;
        n += 1.0;
    });
    (sum / n.max(1.0)).sqrt()
}

impl Target {
    /// The step on the probe rows; `None` where h is not finite, 0 or alike.
    pub fn new(view: &View, y: &Lane, grain: Grain, peel: Peel, factor: Option<&Lane>) -> Option<Target> {
        let m = peel.product().map(|m| view.monomial(m));
        let one = [1.0; K];
        let (logs, growth) = match (&peel, m) {
            // The commonest by far, without lists.
            (Peel::Offset { power, factor: None, offset, .. }, Some(m)) => {
                let c = offset.value();
                let mut rest = [0.0; K];
                let mut growth = 0.0;
                for k in 0..K {
                    let ratio = raise(y[k], *power) / m[k];
                    rest[k] = ratio - c;
                    growth += (ratio / rest[k]).powi(2);
                }
                (log(view.level, &rest), (growth / K as f64).sqrt())
            }
            (_, m) => {
                let (logs, growth) = peel.logs(y, &m.unwrap_or(one), factor.unwrap_or(&one));
                (std::array::from_fn(|k| logs[k]), growth)
            }
        };
        let point = view.point(&logs)?;
        let size = length(&point);
        let error = (grain.target + 2.0 * grain.features) * growth;
        if !size.is_finite() || size <= 0.0 || !error.is_finite() {
            return None;
        }
        let tolerance = (3.0 * error * (view.width() as f64).sqrt() / size).max(CLOSEST);
        Some(Target { peel, point: point.map(|x| x / size), size, tolerance })
    }
}

/// The links that a target may have behind each of the products of powers `of`, exponents in halves.
pub fn links(plan: &Plan, of: &[Vec<i8>]) -> Vec<Peel> {
    let allowed = (0..LINKS.len()).filter(|&k| plan.allows(LINKS[k].needs));
    allowed.flat_map(|k| of.iter().map(move |m| Peel::Link(k, m.clone()))).collect()
}
