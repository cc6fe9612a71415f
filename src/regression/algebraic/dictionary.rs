//! What relations are made of: variables and functions of them (atoms), functions of the target (links), and the products
//! of both, by their degree.

use std::collections::HashMap;
use std::sync::Arc;

use crate::algebra::cancel;
use crate::base::Number;
use crate::expression::{Expr, Function, Kind};
use crate::regression::options::Plan;
use crate::regression::problem::Problem;
use crate::units::{Dimension, Unit};

/// A variable or a function of some.
#[derive(Clone, Debug)]
pub struct Atom {
    /// What it is in the features.
    pub expr: Expr,
    /// Its values on all rows, divided by `scale`.
    pub values: Arc<[f64]>,
    /// The root of its mean square.
    pub scale: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Atom {
    /// An atom from its values; `None` where they are not finite or do not vary.
    pub fn new(expr: Expr, mut values: Vec<f64>, dimension: Dimension) -> Option<Atom> {
        let scale = (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
        let scale = if scale.is_finite() { scale } else { values.iter().fold(0.0, |m, v| v.abs().max(m)) };
        if !(scale.is_finite() && scale > 0.0) || values.iter().all(|v| *v == values[0]) {
            return None;
        }
        values.iter_mut().for_each(|v| *v /= scale);
        let finite = values.iter().all(|v| v.is_finite());
        finite.then(|| Atom { expr, values: values.into(), scale, dimension })
    }

    /// The features themselves.
    pub fn features(problem: &Problem) -> Vec<Atom> {
        let one = |k: usize| {
            let expr = Expr::symbol(problem.names[k].clone());
            Atom::new(expr, problem.columns[k].clone(), problem.dimension(k))
        };
        problem.useful().into_iter().filter_map(one).collect()
    }

    fn plain(&self) -> Vec<f64> {
        self.values.iter().map(|v| v * self.scale).collect()
    }

    /// Its square.
    pub fn squared(&self) -> Option<Atom> {
        let values = self.values.iter().map(|v| v * v * self.scale * self.scale).collect();
        Atom::new(self.expr.powi(2), values, self.dimension.pow(&Number::int(2))?)
    }

    /// Its reciprocal.
    pub fn inverted(&self) -> Option<Atom> {
        let values = self.values.iter().map(|v| 1.0 / (v * self.scale)).collect();
        Atom::new(self.expr.recip(), values, self.dimension.recip())
    }

    /// The sum or difference of two of one dimension.
    pub fn plus(&self, other: &Atom, sign: f64) -> Option<Atom> {
        if self.dimension != other.dimension {
            return None;
        }
        let (a, b) = (self.plain(), other.plain());
        let values = a.iter().zip(&b).map(|(a, b)| a + sign * b).collect();
        Atom::new(&self.expr + &(&Expr::int(sign as i64) * &other.expr), values, self.dimension)
    }

    /// The product of two, or their ratio.
    pub fn with(&self, other: &Atom, divided: bool) -> Option<Atom> {
        let q = if divided { -1 } else { 1 };
        let values =
            self.values.iter().zip(other.values.iter()).map(|(a, b)| if divided { a / b } else { a * b });
        let dimension = self.dimension.mul(other.dimension.pow(&Number::int(q))?)?;
        let scale = if divided { self.scale / other.scale } else { self.scale * other.scale };
        let values: Vec<f64> = values.map(|v| v * scale).collect();
        Atom::new(Expr::product([self.expr.clone(), other.expr.powi(q)]), values, dimension)
    }
}

/// Functions that become atoms of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Sine and cosine of an angle.
    Angle,
    /// The same of twice the angle, of which the others are products, but not the other way round.
    HalfAngle,
    /// The exponential.
    Exp,
    /// The logarithm; what has a unit is divided by it.
    Log,
    /// The square root.
    Sqrt,
    /// The cube root.
    Cbrt,
    /// The hyperbolic tangent.
    Tanh,
    /// The root of one plus and minus the square.
    Pythagoras,
    /// The tangent: ratios of sines and cosines of low degree in it are of a high one in these.
    Tan,
}

impl Shape {
    /// All, those first that laws hold most often.
    pub const ALL: [Shape; 8] = [
        Shape::Angle,
        Shape::Exp,
        Shape::Log,
        Shape::Sqrt,
        Shape::HalfAngle,
        Shape::Pythagoras,
        Shape::Cbrt,
        Shape::Tanh,
    ];

    /// Whether laws that hold it rarely hold its argument beside it, or need not.
    pub fn replaces(self) -> bool {
        !matches!(self, Shape::Log | Shape::Tanh | Shape::Pythagoras)
    }

    /// The atoms that the function of another makes; none where it is not defined on the data, or not allowed.
    pub fn of(self, x: &Atom, plan: &Plan) -> Vec<Atom> {
        let plain = x.plain();
        let number = x.dimension.is_none();
        let call = |f: Function, argument: &Expr, values: &[f64], by: &dyn Fn(f64) -> f64| {
            let values = values.iter().map(|v| by(*v)).collect();
            Atom::new(Expr::call(f, vec![argument.clone()]), values, Dimension::NONE)
        };
        let root = |n: i64| {
            let q = Number::ratio(1, n)?;
            let values = plain.iter().map(|v| if n == 3 { v.cbrt() } else { v.sqrt() }).collect();
            Atom::new(Expr::power(x.expr.clone(), Expr::number(q.clone())), values, x.dimension.pow(&q)?)
        };
        let spread = plain.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let found: Vec<Option<Atom>> = match self {
            Shape::Angle | Shape::HalfAngle if number && plan.allows("sin") && plan.allows("cos") => {
                let half = self == Shape::HalfAngle;
                let argument = if half { &x.expr * &Expr::ratio(1, 2) } else { x.expr.clone() };
                let by = if half { 0.5 } else { 1.0 };
                // Beyond some turns rows say little; nearly 0 the two are a polynomial.
                if !(1e-3..200.0).contains(&(spread * by)) {
                    return Vec::new();
                }
                vec![
                    call(Function::Sin, &argument, &plain, &|v| (v * by).sin()),
                    call(Function::Cos, &argument, &plain, &|v| (v * by).cos()),
                ]
            }
            Shape::Exp if number && plan.allows("exp") && (1e-3..40.0).contains(&spread) => {
                vec![call(Function::Exp, &x.expr, &plain, &f64::exp)]
            }
            Shape::Tan if number && plan.allows("tan") && (1e-3..1.6).contains(&spread) => {
                vec![call(Function::Tan, &x.expr, &plain, &f64::tan)]
            }
            Shape::Tanh if number && plan.allows("tanh") && (1e-3..20.0).contains(&spread) => {
                vec![call(Function::Tanh, &x.expr, &plain, &f64::tanh)]
            }
            Shape::Log if plan.allows("log") && plain.iter().all(|v| *v > 0.0) => {
                let argument = match number {
                    true => x.expr.clone(),
                    false => Expr::product([x.expr.clone(), Expr::unit(Unit::coherent(x.dimension)).recip()]),
                };
                vec![call(Function::Log, &argument, &plain, &f64::ln)]
            }
            Shape::Sqrt if plan.allows("sqrt") && plain.iter().all(|v| *v > 0.0) => vec![root(2)],
            Shape::Cbrt if plan.allows("^") && plain.iter().all(|v| *v > 0.0) => vec![root(3)],
            Shape::Pythagoras if number && plan.allows("sqrt") => {
                let one = |sign: f64| {
                    let values = plain.iter().map(|v| (1.0 + sign * v * v).sqrt()).collect();
                    let square = &x.expr.powi(2) * &Expr::int(sign as i64);
                    Atom::new((&Expr::one() + &square).sqrt(), values, Dimension::NONE)
                };
                vec![one(-1.0)]
            }
            _ => Vec::new(),
        };
        found.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}

/// A function of the target that stands in a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The target itself.
    Plain,
    /// Its logarithm: the law is an exponential.
    Log,
    /// Its tangent: the law is an angle.
    Tan,
    /// Its sine.
    Sin,
    /// Its cosine.
    Cos,
    /// Its exponential: the law is a logarithm.
    Exp,
    /// log(1/y - 1): the law is 1/(exp(...) + 1).
    Logit,
    /// log(1/y + 1): the law is 1/(exp(...) - 1).
    Bose,
    /// log(1 - y): the law is 1 - exp(...).
    Rest,
    /// log(-log(1 - y)): the law is 1 - exp(-exp(...)), as that of the least of many (W. Weibull, J. Appl. Mech. 18, 293
    /// (1951)).
    Least,
    /// log(-log(y)): the law is exp(-exp(...)), as that of the largest of many (E. Gumbel, Statistics of Extremes (1958)).
    Largest,
    /// tan(y/2): the law is twice an angle between -pi/2 and pi/2.
    HalfTan,
}

impl Link {
    /// All but the plain one.
    pub const OUTER: [Link; 11] = [
        Link::Log,
        Link::Tan,
        Link::Cos,
        Link::Sin,
        Link::Exp,
        Link::Logit,
        Link::Bose,
        Link::Rest,
        Link::Least,
        Link::Largest,
        Link::HalfTan,
    ];

    /// Whether the law is an angle, which often depends on angles.
    pub fn angle(self) -> bool {
        matches!(self, Link::Tan | Link::Sin | Link::Cos | Link::HalfTan)
    }

    /// The values, and the law's sign that the inverse leaves open; `None` where the link has no inverse on the data.
    pub fn forward(self, problem: &Problem, plan: &Plan) -> Option<(Vec<f64>, f64)> {
        let y = &problem.target;
        let number = problem.goal().is_none();
        let half = std::f64::consts::FRAC_PI_2;
        let within = |low: f64, high: f64| y.iter().all(|v| (low..=high).contains(v));
        let spread = y.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let positive = y.iter().all(|v| *v > 0.0);
        let inside = y.iter().all(|v| *v > 0.0 && *v < 1.0);
        let map = |f: &dyn Fn(f64) -> f64| Some((y.iter().map(|v| f(*v)).collect(), 1.0));
        match self {
            Link::Plain => map(&|v| v),
            Link::Log if plan.allows("exp") => {
                let sign = if positive { 1.0 } else { -1.0 };
                (positive || y.iter().all(|v| *v < 0.0))
                    .then(|| (y.iter().map(|v| v.abs().ln()).collect(), sign))
            }
            Link::Tan if number && plan.allows("atan") && within(-half, half) => map(&f64::tan),
            Link::Sin if number && plan.allows("asin") && within(-half, half) => map(&f64::sin),
            Link::Cos if number && plan.allows("acos") && within(0.0, 2.0 * half) => map(&f64::cos),
            Link::Exp if number && plan.allows("log") && spread < 30.0 => map(&f64::exp),
            Link::Logit if number && plan.allows("exp") && positive && within(0.0, 1.0) => {
                map(&|v| (1.0 / v - 1.0).ln())
            }
            Link::Bose if number && plan.allows("exp") && positive => map(&|v| (1.0 / v + 1.0).ln()),
            Link::Rest if number && plan.allows("exp") && y.iter().all(|v| *v < 1.0) => {
                map(&|v| (-v).ln_1p())
            }
            Link::Least if number && plan.allows("exp") && inside => map(&|v| (-(-v).ln_1p()).ln()),
            Link::Largest if number && plan.allows("exp") && inside => map(&|v| (-v.ln()).ln()),
            Link::HalfTan if number && plan.allows("atan") && within(-2.0 * half, 2.0 * half) => {
                map(&|v| (v / 2.0).tan())
            }
            _ => None,
        }
    }

    /// The dimension of the linked target.
    pub fn dimension(self, problem: &Problem) -> Dimension {
        if self == Link::Plain { problem.goal() } else { Dimension::NONE }
    }

    /// The law, from what the linked target is.
    pub fn inverse(self, e: Expr, problem: &Problem, sign: f64) -> Expr {
        match self {
            Link::Plain => e,
            Link::Log => {
                let unit = Unit::coherent(problem.goal());
                let unit = (!problem.goal().is_none()).then(|| Expr::unit(unit));
                Expr::product([Expr::int(sign as i64), exponential(&e)].into_iter().chain(unit))
            }
            Link::Tan => Expr::call(Function::Atan, vec![e]),
            Link::Sin => Expr::call(Function::Asin, vec![e]),
            Link::Cos => Expr::call(Function::Acos, vec![e]),
            Link::Exp => Expr::call(Function::Log, vec![e]),
            Link::Logit => (&Expr::call(Function::Exp, vec![e]) + &Expr::one()).recip(),
            Link::Bose => (&Expr::call(Function::Exp, vec![e]) - &Expr::one()).recip(),
            Link::Rest => &Expr::one() - &exponential(&e),
            Link::Least => &Expr::one() - &Expr::call(Function::Exp, vec![-&exponential(&e)]),
            Link::Largest => Expr::call(Function::Exp, vec![-&exponential(&e)]),
            Link::HalfTan => &Expr::int(2) * &Expr::call(Function::Atan, vec![e]),
        }
    }
}

/// exp(e), with exp(a*log(x) + ...) = x^a*exp(...).
fn exponential(e: &Expr) -> Expr {
    let (mut factors, mut rest) = (Vec::new(), Vec::new());
    for t in spread(e) {
        let t = cancel(&t).map_or(t, |c| c.0);
        match power(&t) {
            Some(p) => factors.push(p),
            None => rest.push(t),
        }
    }
    factors.push(Expr::call(Function::Exp, vec![Expr::sum(rest)]));
    Expr::product(factors)
}

/// A sum over a product as a sum.
fn spread(e: &Expr) -> Vec<Expr> {
    let is_sum = |f: &Expr| f.terms().len() > 1;
    match e.factors().iter().position(is_sum) {
        Some(k) if e.factors().iter().filter(|f| is_sum(f)).count() == 1 => {
            let others = e.factors().iter().enumerate().filter(|(i, _)| *i != k).map(|(_, f)| f.clone());
            let other = Expr::product(others);
            e.factors()[k].terms().iter().map(|t| t * &other).collect()
        }
        _ => e.terms().to_vec(),
    }
}

/// x^a for a*log(x).
fn power(t: &Expr) -> Option<Expr> {
    let log = |f: &Expr| match f.kind() {
        Kind::Call(Function::Log, inside) => Some(inside[0].clone()),
        _ => None,
    };
    let mut logs = t.factors().iter().enumerate().filter_map(|(k, f)| Some((k, log(f)?)));
    let (place, inside) = logs.next()?;
    let none_left = logs.next().is_none();
    let others = t.factors().iter().enumerate().filter(|(i, _)| *i != place).map(|(_, f)| f.clone());
    none_left.then(|| Expr::power(inside, Expr::product(others)))
}

/// A product of powers of the linked target and of atoms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The power of the target.
    pub target: u8,
    /// Those of the atoms.
    pub powers: Vec<u8>,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Term {
    /// The sum of all exponents.
    pub fn degree(&self) -> usize {
        usize::from(self.target) + self.powers.iter().map(|p| usize::from(*p)).sum::<usize>()
    }
}

/// Products of atoms alone of one degree after the other, up to `degree` and `most`.
pub fn products(atoms: &[Atom], degree: usize, most: usize) -> Vec<Term> {
    let one = Term { target: 0, powers: vec![0; atoms.len()], dimension: Dimension::NONE };
    let mut all = vec![one];
    let mut last = 0..1;
    for _ in 0..degree {
        let begin = all.len();
        for k in last.clone() {
            // The next factor is no earlier than the last one, so that each product comes once.
            let from = all[k].powers.iter().rposition(|p| *p > 0).unwrap_or(0);
            for a in from..atoms.len() {
                if all.len() >= most {
                    return all;
                }
                let mut term = all[k].clone();
                term.powers[a] += 1;
                if let Some(d) = term.dimension.mul(atoms[a].dimension) {
                    term.dimension = d;
                    all.push(term);
                }
            }
        }
        last = begin..all.len();
    }
    all
}

/// Products with some powers of the target, by degree.
pub fn terms(products: &[Term], dimension: Dimension, powers: &[u8], degree: usize) -> Vec<Term> {
    let mut all: Vec<Term> = Vec::new();
    for &k in powers {
        let Some(of_target) = dimension.pow(&Number::int(i64::from(k))) else { continue };
        for p in products.iter().filter(|p| p.degree() + usize::from(k) <= degree) {
            if let Some(d) = p.dimension.mul(of_target) {
                all.push(Term { target: k, powers: p.powers.clone(), dimension: d });
            }
        }
    }
    all.sort_by_key(Term::degree);
    all
}

/// Whether a group can hold a relation that no smaller group holds: terms with and without the target (or with two powers
/// of it), at least three, and no factor common to all.
pub fn worthy(group: &[Term]) -> bool {
    let low = group.iter().map(|t| t.target).min();
    let with = group.iter().any(|t| t.target > 0);
    let common = |k: usize| group.iter().all(|t| t.powers[k] > 0);
    group.len() >= 3 && low == Some(0) && with && !(0..group[0].powers.len()).any(common)
}

/// The terms by dimension, in the order of the first of each.
pub fn groups(terms: &[Term]) -> Vec<Vec<Term>> {
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut all: Vec<Vec<Term>> = Vec::new();
    for t in terms {
        let place = *places.entry(t.dimension.stable_hash()).or_insert(all.len());
        if place == all.len() {
            all.push(Vec::new());
        }
        all[place].push(t.clone());
    }
    all
}
