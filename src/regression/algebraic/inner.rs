//! Relations that hold a function with one inner constant: u(c*T) joins the variables, and for each c the question is
//! linear. A relation ties terms without the target to terms with it, so that the spaces which both span meet: the least
//! angle between them falls to 0 at the true c (for the angles: A. Bjorck, G. Golub, Math. Comput. 27, 579 (1973)). c is
//! looked for on a grid, wide against the size of T, and refined by golden section. Rates with a threshold, gates,
//! saturations, decays beside other terms and powers with an open exponent are of this kind; the generalized
//! Prony method (T. Peter, G. Plonka, Inverse Problems 29, 025001 (2013)) is the case of one column.

use nalgebra::DMatrix;

use super::dictionary::{Atom, Term};
use super::relation::dot;
use crate::expression::{Expr, Function};
use crate::numeric::golden::golden;
use crate::regression::candidate::Parameter;
use crate::regression::options::Plan;
use crate::units::{Dimension, Unit};

/// Points of the grid to one factor of e.
const FINENESS: f64 = 5.0;
/// Range of |c| times the extent of T.
const LOW: f64 = 0.1;
const HIGH: f64 = 100.0;
/// Points of the grid of a frequency, and the largest number of periods across the data.
const WAVES: usize = 160;
const PERIODS: f64 = 12.0;
/// Steps of the golden section: to the last digit.
const STEPS: usize = 75;
/// Most minima that are refined.
const MINIMA: usize = 8;
/// An angle below so many times the rounding is none.
const SHARP: f64 = 200.0;
/// A column whose part outside the ones before it is smaller adds nothing.
const DEPENDENT: f64 = 1e-11;
/// Terms up to which a group is looked at.
pub const LARGEST: usize = 28;

/// The function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// exp(c*T); one sign does, since a relation may be divided by it.
    Exp,
    /// T^c.
    Power,
    /// log(T + c), or log(-c - T) where that is the positive one.
    Log,
    /// sin(c*T) and cos(c*T).
    Angle,
}

impl Shape {
    /// All, those first that laws hold most often.
    pub const ALL: [Shape; 4] = [Shape::Exp, Shape::Power, Shape::Log, Shape::Angle];

    /// How many atoms it makes.
    pub fn atoms(self) -> usize {
        if self == Shape::Angle { 2 } else { 1 }
    }

    /// Whether it may stand in a law of these values.
    pub fn allowed(self, values: &[f64], plan: &Plan) -> bool {
        match self {
            Shape::Exp => plan.allows("exp"),
            Shape::Power => plan.allows("^") && values.iter().all(|v| *v > 0.0),
            Shape::Log => plan.allows("log"),
            Shape::Angle => plan.allows("sin") && plan.allows("cos"),
        }
    }
}

/// A function of an argument whose constant is open.
#[derive(Clone, Debug)]
pub struct Inner {
    pub shape: Shape,
    /// The argument T.
    pub argument: Atom,
}

impl Inner {
    /// The values whose multiples stand in the function, shifted or scaled so that grids are alike for all.
    fn values(&self) -> Vec<f64> {
        let scale = self.argument.scale;
        let plain = self.argument.values.iter().map(|v| v * scale);
        if self.shape == Shape::Power { plain.map(f64::ln).collect() } else { plain.collect() }
    }

    /// Grids of c, each of them one curve.
    fn grids(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = high - low;
        if !(range > 0.0 && range.is_finite()) {
            return Vec::new();
        }
        let steps = ((HIGH / LOW).ln() * FINENESS) as i32;
        let even = |k: i32| LOW * (f64::from(k) / FINENESS).exp();
        match self.shape {
            // Beyond some powers of e the numbers end.
            Shape::Exp | Shape::Power => {
                let most = low.abs().max(high.abs());
                let sizes = (0..=steps).map(|k| even(k) / range).filter(|c| c * most < 300.0);
                vec![sizes.collect()]
            }
            Shape::Log => {
                let away: Vec<f64> = (-35..20).map(|k| (f64::from(k) / FINENESS).exp() * range).collect();
                vec![away.iter().map(|a| a - low).collect(), away.iter().map(|a| -high - a).collect()]
            }
            Shape::Angle => {
                let most = std::f64::consts::TAU * PERIODS / range;
                vec![(1..=WAVES).map(|k| most * k as f64 / WAVES as f64).collect()]
            }
        }
    }

    /// The atoms with the constant c as the parameter of this name; `None` where they have no values.
    pub fn with(&self, c: f64, symbol: &Expr) -> Option<Vec<Atom>> {
        let values = self.values();
        let t = &self.argument;
        let call = |f: Function, e: Expr| Expr::call(f, vec![e]);
        let map = |f: &dyn Fn(f64) -> f64| values.iter().map(|v| f(*v)).collect::<Vec<f64>>();
        let unit = || Expr::unit(Unit::coherent(t.dimension));
        let number = t.dimension.is_none();
        let product = Expr::product([symbol.clone(), t.expr.clone()]);
        let all = match self.shape {
            Shape::Exp => {
                vec![Atom::new(call(Function::Exp, product), map(&|v| (c * v).exp()), Dimension::NONE)]
            }
            Shape::Power => {
                let base = if number { t.expr.clone() } else { &t.expr / &unit() };
                vec![Atom::new(Expr::power(base, symbol.clone()), map(&|v| (c * v).exp()), Dimension::NONE)]
            }
            Shape::Log => {
                let sum = &t.expr + symbol;
                let sum = if values[0] + c > 0.0 { sum } else { -&sum };
                let sum = if number { sum } else { &sum / &unit() };
                vec![Atom::new(call(Function::Log, sum), map(&|v| (v + c).abs().ln()), Dimension::NONE)]
            }
            Shape::Angle => vec![
                Atom::new(call(Function::Sin, product.clone()), map(&|v| (c * v).sin()), Dimension::NONE),
                Atom::new(call(Function::Cos, product), map(&|v| (c * v).cos()), Dimension::NONE),
            ],
        };
        all.into_iter().collect()
    }

    /// The constant as a parameter.
    pub fn parameter(&self, c: f64, place: usize) -> Option<Parameter> {
        let dimension = match self.shape {
            Shape::Power => Dimension::NONE,
            Shape::Log => self.argument.dimension,
            _ => self.argument.dimension.recip(),
        };
        (c.is_finite() && c != 0.0).then(|| Parameter {
            symbol: Parameter::symbol(place),
            start: c,
            dimension,
        })
    }

    /// Constants at which terms of the group meet, the sharpest first, each with the terms that it takes. `outer` gives a
    /// term without the function on a row; the last atoms of a term are those of the function.
    pub fn scan(
        &self,
        group: &[Term],
        rows: &[usize],
        outer: &dyn Fn(&Term, usize) -> f64,
        epsilon: f64,
        work: &mut u64,
    ) -> Vec<(f64, Vec<usize>)> {
        let all = self.values();
        let values: Vec<f64> = rows.iter().map(|&r| all[r]).collect();
        let base: Vec<Vec<f64>> = group.iter().map(|t| rows.iter().map(|&r| outer(t, r)).collect()).collect();
        let count = self.shape.atoms();
        let mut angle = |places: &[usize], c: f64| -> f64 {
            *work += (rows.len() * places.len() * places.len() / 4) as u64;
            let functions: Vec<Vec<f64>> = match self.shape {
                Shape::Exp | Shape::Power => {
                    // About the middle, so that nothing overflows; a factor changes no space.
                    let middle = values.iter().sum::<f64>() / values.len() as f64;
                    vec![values.iter().map(|v| (c * (v - middle)).exp()).collect()]
                }
                Shape::Log => vec![values.iter().map(|v| (v + c).abs().ln()).collect()],
                Shape::Angle => vec![
                    values.iter().map(|v| (c * v).sin()).collect(),
                    values.iter().map(|v| (c * v).cos()).collect(),
                ],
            };
            let column = |&k: &usize| {
                let (t, mut own) = (&group[k], base[k].clone());
                let powers = &t.powers[t.powers.len() - count..];
                for (f, p) in functions.iter().zip(powers) {
                    for _ in 0..*p {
                        own.iter_mut().zip(f).for_each(|(v, f)| *v *= f);
                    }
                }
                own
            };
            let with: Vec<bool> = places.iter().map(|&k| group[k].target > 0).collect();
            least_angle(places.iter().map(column).collect(), &with)
        };
        let whole: Vec<usize> = (0..group.len()).collect();
        let mut found: Vec<(f64, f64, Vec<usize>)> = Vec::new();
        for grid in self.grids(&all) {
            let curve: Vec<f64> = grid.iter().map(|c| angle(&whole, *c)).collect();
            let mut minima: Vec<usize> = (0..grid.len())
                .filter(|&k| {
                    curve[k].is_finite()
                        && (k == 0 || curve[k] <= curve[k - 1])
                        && (k + 1 == grid.len() || curve[k] < curve[k + 1])
                })
                .collect();
            minima.sort_by(|&a, &b| curve[a].total_cmp(&curve[b]));
            // Terms that meet whatever the constant is say nothing of it.
            if minima.iter().filter(|&&k| curve[k] <= SHARP * epsilon).count() > 1 {
                continue;
            }
            for &k in minima.iter().take(MINIMA) {
                let (from, to) = (grid[k.saturating_sub(1)], grid[(k + 1).min(grid.len() - 1)]);
                let near = golden(|c| angle(&whole, c), from, to, STEPS, far_from(curve[k]));
                let (mut c, mut least) = (near.x, near.value);
                if least > SHARP * epsilon {
                    continue;
                }
                // Terms that are not needed leave the constant loose: each that can go makes it sharper.
                let mut places = whole.clone();
                for k in (0..group.len()).rev() {
                    let fewer: Vec<usize> = places.iter().copied().filter(|p| *p != k).collect();
                    let both = |with: bool| fewer.iter().any(|&p| (group[p].target > 0) == with);
                    if fewer.len() < 3 || !both(true) || !both(false) {
                        continue;
                    }
                    let holds =
                        |p: &usize| group[*p].powers[group[*p].powers.len() - count..].iter().any(|p| *p > 0);
                    if !fewer.iter().any(holds) {
                        continue;
                    }
                    let start = angle(&fewer, from).min(angle(&fewer, to));
                    let closer = golden(|c| angle(&fewer, c), from, to, STEPS, far_from(start));
                    if closer.value <= SHARP * epsilon {
                        (c, least, places) = (closer.x, closer.value, fewer);
                    }
                }
                found.push((least, c, places));
            }
        }
        found.sort_by(|a, b| a.2.len().cmp(&b.2.len()).then(a.0.total_cmp(&b.0)));
        found.into_iter().map(|f| (f.1, f.2)).collect()
    }
}

/// An orthonormal basis of some columns.
fn basis(columns: impl Iterator<Item = Vec<f64>>) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for mut column in columns {
        let size = dot(&column, &column).sqrt();
        if !(size > 0.0 && size.is_finite()) {
            continue;
        }
        column.iter_mut().for_each(|v| *v /= size);
        remove(&all, &mut column);
        let rest = dot(&column, &column).sqrt();
        if rest > DEPENDENT {
            column.iter_mut().for_each(|v| *v /= rest);
            // What is left of a column that nearly depends is not yet at right angles.
            remove(&all, &mut column);
            let rest = dot(&column, &column).sqrt();
            column.iter_mut().for_each(|v| *v /= rest);
            all.push(column);
        }
    }
    all
}

/// Takes the part along a basis out of a column.
fn remove(basis: &[Vec<f64>], column: &mut [f64]) {
    for _ in 0..2 {
        for q in basis {
            let along = dot(q, column);
            column.iter_mut().zip(q).for_each(|(c, q)| *c -= along * q);
        }
    }
}

/// What rows are multiplied with so that all terms count alike, row by row, against what they usually are: an exponential
/// may be large on few of them.
pub fn weights(columns: &[Vec<f64>]) -> Vec<f64> {
    let usual = |v: &Vec<f64>| {
        let mut sizes: Vec<f64> = v.iter().map(|v| v.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        match sizes[sizes.len() / 2] {
            middle if middle > 0.0 => middle,
            _ => sizes[sizes.len() - 1].max(f64::MIN_POSITIVE),
        }
    };
    let usual: Vec<f64> = columns.iter().map(usual).collect();
    (0..columns[0].len())
        .map(|r| 1.0 / columns.iter().zip(&usual).fold(0.0f64, |m, (v, n)| m.max(v[r].abs() / n)))
        .collect()
}

/// The sine of the least angle between the terms without the target and those with it.
fn least_angle(mut columns: Vec<Vec<f64>>, target: &[bool]) -> f64 {
    let rows = columns[0].len();
    let weights = weights(&columns);
    for column in &mut columns {
        column.iter_mut().zip(&weights).for_each(|(v, w)| *v *= w);
    }
    if columns.iter().flatten().any(|v| !v.is_finite()) {
        return f64::INFINITY;
    }
    let side = |with: bool| target.iter().zip(&columns).filter(move |(t, _)| **t == with);
    let without = basis(side(false).map(|(_, c)| c.clone()));
    let mut with = basis(side(true).map(|(_, c)| c.clone()));
    if without.len() + with.len() >= rows || with.is_empty() {
        return f64::INFINITY;
    }
    with.iter_mut().for_each(|c| remove(&without, c));
    let matrix = DMatrix::from_fn(rows, with.len(), |r, k| with[k][r]);
    matrix.singular_values().iter().copied().fold(f64::INFINITY, f64::min)
}

/// At a true constant the angle falls in proportion to the bracket, which is 1/500 after 13 steps.
fn far_from(start: f64) -> impl Fn(usize, f64) -> bool {
    move |step, least| step == 13 && least > 0.05 * start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(values: Vec<f64>) -> Atom {
        Atom::new(Expr::symbol("x"), values, Dimension::NONE).unwrap()
    }

    fn group(of: &[(u8, u8, u8)]) -> Vec<Term> {
        let one =
            |&(target, x, e): &(u8, u8, u8)| Term { target, powers: vec![x, e], dimension: Dimension::NONE };
        of.iter().map(one).collect()
    }

    #[test]
    fn the_constant_of_a_gate_is_read_to_the_last_digits() {
        // y = 1/(1 + exp((x - 2)/0.7)) + x/3.
        let x: Vec<f64> = (0..60).map(|k| 0.1 * f64::from(k)).collect();
        let y: Vec<f64> = x.iter().map(|x| 1.0 / (1.0 + ((x - 2.0) / 0.7).exp()) + x / 3.0).collect();
        let group = group(&[(0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1)]);
        let inner = Inner { shape: Shape::Exp, argument: atom(x.clone()) };
        let rows: Vec<usize> = (0..60).collect();
        let outer = |t: &Term, r: usize| x[r].powi(i32::from(t.powers[0])) * y[r].powi(i32::from(t.target));
        let found = inner.scan(&group, &rows, &outer, 1e-15, &mut 0);
        assert!((found[0].0 - 1.0 / 0.7).abs() < 1e-10, "{found:?}");
        // y + y*E = 1 + x/3 + x*E/3: E itself is not needed.
        assert_eq!(found[0].1, [0, 1, 2, 4, 5]);
    }

    #[test]
    fn angles_between_spaces_are_those_of_geometry() {
        let group = [false, false, true];
        let columns = vec![vec![1.0, 1.0, 1.0, 1.0], vec![1.0, -1.0, 1.0, -1.0], vec![1.0, 1.0, -1.0, -1.0]];
        assert!((least_angle(columns.clone(), &group) - 1.0).abs() < 1e-14);
        let columns = vec![columns[0].clone(), columns[1].clone(), vec![0.5, 1.5, 0.5, 1.5]];
        assert!(least_angle(columns, &group) < 1e-14);
    }
}
