//! One operation more by meeting in the middle (P. C. van Oorschot, M. J. Wiener, J. Cryptology 12, 1 (1999), for the
//! idea): the target is undone by one function a of the table, and what is left is looked up among the classes, so that a
//! factor C and an offset c come free: y = a*z, a/z, z/a, a + z, z - a, and the same through roots, exponentials,
//! logarithms, squares, inverses and waves, with z = C*b + c. With both a and b up to size L this covers laws up to size
//! 2L + 1 whose last operation joins the two.
#![allow(clippy::nonminimal_bool, reason = "the two conditions are two reasons")]

use std::ops::Range;

use rayon::prelude::*;

use super::grammar::Grammar;
use super::key::{ROWS, Values};
use super::table::Table;
use crate::base::{CancelToken, Number};
use crate::expression::{Expr, Function};
use crate::regression::candidate::{Model, Parameter};
use crate::regression::options::{Constants, Plan};
use crate::units::Dimension;

/// How the target is undone by a function a: y is the form with z in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peel {
    /// y = a*z.
    Product,
    /// y = a/z.
    Ratio,
    /// y = z/a.
    Quotient,
    /// y = a + z.
    Sum,
    /// y = z - a.
    Difference,
    /// y = a*sqrt(z).
    Root,
    /// y = a/sqrt(z).
    InverseRoot,
    /// y = a*exp(z).
    Exp,
    /// y = exp(z)/a.
    ExpOver,
    /// y = a*log(z).
    Log,
    /// y = a*z^2.
    Square,
    /// y = a*sin(z), |z| up to pi/2.
    Sin,
    /// y = a*cos(z), z from 0 to pi.
    Cos,
    /// y = a*tan(z), |z| up to pi/2.
    Tan,
    /// y = a*tanh(z).
    Tanh,
    /// y = sqrt(a + z).
    RootSum,
    /// y = sqrt(z - a).
    RootDifference,
    /// y = 1/(a + z).
    InverseSum,
    /// y = 1/(z - a).
    InverseDifference,
    /// y = a + sqrt(z), or minus.
    PlusRoot,
    /// y = a + exp(z), or minus.
    PlusExp,
    /// y = a + 1/z.
    PlusInverse,
}

impl Peel {
    /// All that the operators allow.
    pub fn allowed(g: &Grammar) -> Vec<Peel> {
        let all = [
            (Peel::Product, g.multiply),
            (Peel::Ratio, g.divide),
            (Peel::Quotient, g.divide),
            (Peel::Sum, g.add),
            (Peel::Difference, g.subtract),
            (Peel::Root, g.roots()),
            (Peel::InverseRoot, g.roots() && g.divide),
            (Peel::Exp, g.calls(Function::Exp)),
            (Peel::ExpOver, g.calls(Function::Exp) && g.divide),
            (Peel::Log, g.calls(Function::Log)),
            (Peel::Square, g.multiply || g.power),
            (Peel::Sin, g.calls(Function::Sin)),
            (Peel::Cos, g.calls(Function::Cos)),
            (Peel::Tan, g.calls(Function::Tan)),
            (Peel::Tanh, g.calls(Function::Tanh)),
            (Peel::RootSum, g.roots() && g.add),
            (Peel::RootDifference, g.roots() && g.subtract),
            (Peel::InverseSum, g.divide && g.add),
            (Peel::InverseDifference, g.divide && g.subtract),
            (Peel::PlusRoot, g.roots() && g.add),
            (Peel::PlusExp, g.calls(Function::Exp) && g.add),
            (Peel::PlusInverse, g.divide && g.add),
        ];
        all.into_iter().filter(|p| p.1).map(|p| p.0).collect()
    }

    /// The dimension of z, `None` where a does not go with the target.
    fn dimension(self, y: Dimension, a: Dimension) -> Option<Dimension> {
        let none = |agrees: bool| agrees.then_some(Dimension::NONE);
        match self {
            Peel::Product => y.div(a),
            Peel::Ratio => a.div(y),
            Peel::Quotient => y.mul(a),
            Peel::Sum | Peel::Difference => (y == a).then_some(y),
            Peel::Root => y.div(a)?.pow(&Number::TWO),
            Peel::InverseRoot => a.div(y)?.pow(&Number::TWO),
            Peel::Exp | Peel::ExpOver => none(true),
            Peel::Log | Peel::Sin | Peel::Cos | Peel::Tan | Peel::Tanh => none(y == a),
            Peel::Square => y.div(a)?.pow(&Number::HALF),
            Peel::RootSum | Peel::RootDifference => y.mul(y).filter(|d| *d == a),
            Peel::InverseSum | Peel::InverseDifference => Some(y.recip()).filter(|d| *d == a),
            Peel::PlusRoot => y.mul(y).filter(|_| y == a),
            Peel::PlusExp => none(y == a),
            Peel::PlusInverse => Some(y.recip()).filter(|_| y == a),
        }
    }

    /// The values of z and the sign of the form; not finite where there are none.
    fn undo(self, y: &Values, a: &Values, z: &mut Values) -> Option<f64> {
        let mut fill = |f: &dyn Fn(f64, f64) -> f64| {
            for ((z, y), a) in z.iter_mut().zip(y).zip(a) {
                *z = f(*y, *a);
            }
        };
        // The sign that all values have.
        let sign = |f: &dyn Fn(f64, f64) -> f64| {
            let first = f(y[0], a[0]).signum();
            y.iter().zip(a).all(|(y, a)| f(*y, *a) * first > 0.0).then_some(first)
        };
        let ratio = |y: f64, a: f64| y / a;
        let rest = |y: f64, a: f64| y - a;
        match self {
            Peel::Product => fill(&ratio),
            Peel::Ratio => fill(&|y, a| a / y),
            Peel::Quotient => fill(&|y, a| y * a),
            Peel::Sum => fill(&rest),
            Peel::Difference => fill(&|y, a| y + a),
            Peel::Root => {
                let s = sign(&ratio)?;
                fill(&|y, a| (y / a).powi(2));
                return Some(s);
            }
            Peel::InverseRoot => {
                let s = sign(&ratio)?;
                fill(&|y, a| (a / y).powi(2));
                return Some(s);
            }
            Peel::Exp => {
                let s = sign(&ratio)?;
                fill(&|y, a| (y / a).abs().ln());
                return Some(s);
            }
            Peel::ExpOver => {
                let s = sign(&|y, a| y * a)?;
                fill(&|y, a| (y * a).abs().ln());
                return Some(s);
            }
            Peel::Log => {
                if y.iter().zip(a).any(|(y, a)| (y / a).abs() >= 30.0) {
                    return None;
                }
                fill(&|y, a| (y / a).exp());
            }
            Peel::Square => {
                let s = sign(&ratio)?;
                fill(&|y, a| (y / a).abs().sqrt());
                return Some(s);
            }
            Peel::Sin | Peel::Cos | Peel::Tanh => {
                if !y.iter().zip(a).all(|(y, a)| (y / a).abs() <= 1.0) {
                    return None;
                }
                match self {
                    Peel::Sin => fill(&|y, a| (y / a).asin()),
                    Peel::Cos => fill(&|y, a| (y / a).acos()),
                    _ => fill(&|y, a| (y / a).atanh()),
                }
            }
            Peel::Tan => fill(&|y, a| (y / a).atan()),
            Peel::RootSum | Peel::RootDifference => {
                let s = sign(&|y, _| y)?;
                let turn = if self == Peel::RootSum { -1.0 } else { 1.0 };
                fill(&|y, a| y * y + turn * a);
                return Some(s);
            }
            Peel::InverseSum => fill(&|y, a| 1.0 / y - a),
            Peel::InverseDifference => fill(&|y, a| 1.0 / y + a),
            Peel::PlusRoot => {
                let s = sign(&rest)?;
                fill(&|y, a| (y - a).powi(2));
                return Some(s);
            }
            Peel::PlusExp => {
                let s = sign(&rest)?;
                fill(&|y, a| (y - a).abs().ln());
                return Some(s);
            }
            Peel::PlusInverse => fill(&|y, a| 1.0 / (y - a)),
        }
        Some(1.0)
    }

    /// The target from a and z.
    fn redo(self, sign: f64, a: f64, z: f64) -> f64 {
        match self {
            Peel::Product => a * z,
            Peel::Ratio => a / z,
            Peel::Quotient => z / a,
            Peel::Sum => a + z,
            Peel::Difference => z - a,
            Peel::Root => sign * a * z.sqrt(),
            Peel::InverseRoot => sign * a / z.sqrt(),
            Peel::Exp => sign * a * z.exp(),
            Peel::ExpOver => sign * z.exp() / a,
            Peel::Log => a * z.ln(),
            Peel::Square => sign * a * z * z,
            Peel::Sin => a * z.sin(),
            Peel::Cos => a * z.cos(),
            Peel::Tan => a * z.tan(),
            Peel::Tanh => a * z.tanh(),
            Peel::RootSum => sign * (a + z).sqrt(),
            Peel::RootDifference => sign * (z - a).sqrt(),
            Peel::InverseSum => 1.0 / (a + z),
            Peel::InverseDifference => 1.0 / (z - a),
            Peel::PlusRoot => a + sign * z.sqrt(),
            Peel::PlusExp => a + sign * z.exp(),
            Peel::PlusInverse => a + 1.0 / z,
        }
    }

    /// Whether a factor on z is one on the whole, so that an offset of 0 lets it stand in front.
    fn scales(self) -> bool {
        matches!(
            self,
            Peel::Product | Peel::Ratio | Peel::Quotient | Peel::Root | Peel::InverseRoot | Peel::Square
        )
    }

    /// The law; z comes as an expression.
    fn law(self, sign: f64, a: Expr, z: Expr) -> Expr {
        let call = |f, z: Expr| Expr::call(f, vec![z]);
        let signed = |e: Expr| if sign < 0.0 { e.negate() } else { e };
        match self {
            Peel::Product => a * z,
            Peel::Ratio => a / z,
            Peel::Quotient => z / a,
            Peel::Sum => a + z,
            Peel::Difference => z - a,
            Peel::Root => signed(a * z.sqrt()),
            Peel::InverseRoot => signed(a / z.sqrt()),
            Peel::Exp => signed(a * call(Function::Exp, z)),
            Peel::ExpOver => signed(call(Function::Exp, z) / a),
            Peel::Log => a * call(Function::Log, z),
            Peel::Square => signed(a * z.powi(2)),
            Peel::Sin => a * call(Function::Sin, z),
            Peel::Cos => a * call(Function::Cos, z),
            Peel::Tan => a * call(Function::Tan, z),
            Peel::Tanh => a * call(Function::Tanh, z),
            Peel::RootSum => signed((a + z).sqrt()),
            Peel::RootDifference => signed((z - a).sqrt()),
            Peel::InverseSum => (a + z).recip(),
            Peel::InverseDifference => (z - a).recip(),
            Peel::PlusRoot => a + signed(z.sqrt()),
            Peel::PlusExp => a + signed(call(Function::Exp, z)),
            Peel::PlusInverse => a + z.recip(),
        }
    }
}

/// The target on the rows.
pub struct Target {
    /// Its values.
    pub values: Values,
    /// Its dimension.
    pub dimension: Dimension,
    /// How far a law may be from it.
    pub tolerance: f64,
}

/// Two functions that make the target: z = factor*b + offset in the form of the peel.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Sizes of both.
    pub size: usize,
    /// The form.
    pub peel: Peel,
    /// The function that undoes.
    pub a: u32,
    /// The function looked up.
    pub b: u32,
    sign: f64,
    factor: f64,
    offset: f64,
}

/// Functions a thread takes at once.
const CHUNK: usize = 64;

/// Undoes the target by the functions in `range` and looks up what is left; pairs of which one is at least `from`.
/// `None` where somebody asked to stop.
pub fn meet(
    table: &Table,
    target: &Target,
    peels: &[Peel],
    range: Range<u32>,
    from: u32,
    cancel: &CancelToken,
) -> Option<Vec<Hit>> {
    let ids: Vec<u32> = range.collect();
    let found: Vec<Option<Vec<Hit>>> = ids
        .par_chunks(CHUNK)
        .map(|chunk| {
            if cancel.stop().is_some() {
                return None;
            }
            let mut hits = Vec::new();
            let (mut buffer, mut z) = ([0.0; ROWS], [0.0; ROWS]);
            for &a in chunk {
                let d = table.dimension(a);
                let x = table.values(a, &mut buffer);
                for &peel in peels {
                    if peel.dimension(target.dimension, d).is_none() {
                        continue;
                    }
                    let Some(sign) = peel.undo(&target.values, x, &mut z) else { continue };
                    let image = table.projection.image(&z);
                    table.projection.classes(&image, &mut |class| {
                        if let Some(b) = table.member(class).filter(|b| a.max(*b) >= from) {
                            hits.extend(hit(table, target, peel, sign, (a, x), b, &z));
                        }
                    });
                }
            }
            Some(hits)
        })
        .collect();
    let mut hits: Vec<Hit> = found.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    hits.sort_by_key(|h| (h.size, h.peel, h.a, h.b));
    hits.dedup_by_key(|h| (h.peel, h.a, h.b));
    Some(hits)
}

/// Factor and offset of a look-up, where the law agrees with the target.
fn hit(
    table: &Table,
    target: &Target,
    peel: Peel,
    sign: f64,
    (a, x): (u32, &Values),
    b: u32,
    z: &Values,
) -> Option<Hit> {
    let mut buffer = [0.0; ROWS];
    let w = table.values(b, &mut buffer);
    let agrees = |factor: f64, offset: f64| {
        let law = x.iter().zip(w).map(|(a, b)| peel.redo(sign, *a, factor * b + offset));
        law.zip(&target.values).all(|(law, y)| (law - y).abs() <= target.tolerance)
    };
    let hit = |factor, offset| Hit { size: table.size(a) + table.size(b), peel, a, b, sign, factor, offset };
    // Without offset where it works.
    let along = |p: &Values, q: &Values| p.iter().zip(q).map(|(p, q)| p * q).sum::<f64>();
    let factor = along(z, w) / along(w, w);
    if agrees(factor, 0.0) {
        return Some(hit(factor, 0.0));
    }
    let mean = |v: &Values| v.iter().sum::<f64>() / ROWS as f64;
    let (mz, mw) = (mean(z), mean(w));
    let (dz, dw) = (z.map(|v| v - mz), w.map(|v| v - mw));
    let factor = along(&dz, &dw) / along(&dw, &dw);
    let offset = mz - factor * mw;
    agrees(factor, offset).then(|| hit(factor, offset))
}

impl Hit {
    /// The law with its parameters; `None` where its constants may not carry the units they would need.
    pub fn model(&self, table: &Table, target: &Target, plan: &Plan) -> Option<Model> {
        let (da, db) = (table.dimension(self.a), table.dimension(self.b));
        let dz = self.peel.dimension(target.dimension, da)?;
        let (a, b) = (table.expr(self.a), table.expr(self.b));
        let mut parameters = Vec::new();
        let mut parameter = |start: f64, dimension: Dimension| {
            let symbol = Parameter::symbol(parameters.len());
            parameters.push(Parameter { symbol: symbol.clone(), start, dimension });
            Expr::symbol(symbol)
        };
        let template = if matches!(self.peel, Peel::Exp | Peel::ExpOver) {
            // The offset is a factor, which carries what unit there is.
            let whole =
                if self.peel == Peel::Exp { target.dimension.div(da) } else { target.dimension.mul(da) };
            let front = parameter(self.sign * self.offset.exp(), whole?);
            let z = parameter(self.factor, db.recip()) * b;
            front * self.peel.law(1.0, a, z)
        } else if self.offset == 0.0 && self.peel.scales() {
            let one = self.peel.redo(self.sign, 1.0, self.factor);
            let whole = match self.peel {
                Peel::Product => target.dimension.div(da)?.div(db)?,
                Peel::Ratio => target.dimension.mul(db)?.div(da)?,
                Peel::Quotient => target.dimension.mul(da)?.div(db)?,
                Peel::Root => target.dimension.div(da)?.div(db.pow(&Number::HALF)?)?,
                Peel::InverseRoot => target.dimension.div(da)?.mul(db.pow(&Number::HALF)?)?,
                _ => target.dimension.div(da)?.div(db.mul(db)?)?,
            };
            // Under a root stands what is positive.
            let under = matches!(self.peel, Peel::Root | Peel::InverseRoot) && self.factor < 0.0;
            let one = if under { self.peel.redo(self.sign, 1.0, -self.factor) } else { one };
            parameter(one, whole) * self.peel.law(1.0, a, if under { b.negate() } else { b })
        } else {
            let mut z = parameter(self.factor, dz.div(db)?) * b;
            if self.offset != 0.0 {
                z = z + parameter(self.offset, dz);
            }
            self.peel.law(self.sign, a, z)
        };
        let carries = parameters.iter().any(|p| !p.dimension.is_none());
        let allowed = !(carries && plan.constants == Constants::Dimensionless) && !template.is_undefined();
        allowed.then_some(Model { template, parameters, engine: super::NAME })
    }
}
