//! Runs a tape on complex numbers, with principal values: a cut along the negative real axis belongs to the
//! upper half plane, whatever the sign of zero. Comparisons by size hold between real numbers only; gamma, erf
//! and rounding have values on the real axis only; elsewhere they are NaN.

use super::{Op, Tape};
use crate::expression::{Function, Relation};
use crate::numeric::vector::Level;
use nalgebra::Complex;

type C = Complex<f64>;

/// Below this ratio of imaginary to real part the value is the first order of Taylor's series to rounding. The
/// logarithmic formulas of the inverse functions would lose so small an imaginary part; complex steps (Squire &
/// Trapp, SIAM Rev. 40 (1998) 110) need it.
const STEP: f64 = 1e-20;

const NAN: C = C::new(f64::NAN, f64::NAN);

/// Removes the sign of a zero imaginary part.
fn above_cut(z: C) -> C {
    if z.im == 0.0 { C::new(z.re, 0.0) } else { z }
}

fn truth(b: bool) -> C {
    C::new(f64::from(u8::from(b)), 0.0)
}

impl Tape {
    /// The outputs at one complex point, numbers as (real part, imaginary part).
    pub fn eval_complex_point(&self, point: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut registers: Vec<C> = Vec::with_capacity(self.code.len());
        for op in &self.code {
            let r = |k: u32| registers[k as usize];
            let value = match *op {
                Op::Constant(x) => C::new(x, 0.0),
                Op::Imaginary => C::new(0.0, 1.0),
                Op::Input(k) => point.get(k as usize).map_or(NAN, |(re, im)| C::new(*re, *im)),
                Op::Add(a, b) => r(a) + r(b),
                Op::Sub(a, b) => r(a) - r(b),
                Op::Mul(a, b) => times(r(a), r(b)),
                Op::Div(a, b) if r(b).im == 0.0 => C::new(r(a).re / r(b).re, r(a).im / r(b).re),
                Op::Div(a, b) => r(a) / r(b),
                Op::Neg(a) => -r(a),
                Op::Powi(a, n) => powi(r(a), n),
                Op::Sqrt(a) => sqrt(r(a)),
                Op::Power(a, b) => power(r(a), r(b)),
                Op::Call(f, a) => call(f, above_cut(r(a))),
                Op::Call2(f, a, b) if r(a).im == 0.0 && r(b).im == 0.0 => {
                    C::new(real_of_two(f, r(a).re, r(b).re), 0.0)
                }
                Op::Call2(..) => NAN,
                Op::Compare(relation, a, b) => compare(relation, r(a), r(b)),
                Op::Not(a) => C::new(1.0, 0.0) - r(a),
                Op::And(a, b) => truth_of(*op, r(a), r(b)),
                Op::Or(a, b) => truth_of(*op, r(a), r(b)),
                Op::Select(c, a, b) => match r(c).re {
                    c if c.is_nan() => NAN,
                    c if c != 0.0 => r(a),
                    _ => r(b),
                },
            };
            registers.push(value);
        }
        self.outputs.iter().map(|k| registers[*k as usize]).map(|z| (z.re, z.im)).collect()
    }
}

/// NaN on either side has no minimum and no maximum.
fn real_of_two(f: Function, a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { (f.row().value)(&[a, b]) }
}

/// The product; a real factor scales both parts, so that 0 times an infinity stays out.
fn times(a: C, b: C) -> C {
    match (a.im == 0.0, b.im == 0.0) {
        (true, true) => C::new(a.re * b.re, 0.0),
        (true, false) => b * a.re,
        (false, true) => a * b.re,
        (false, false) => a * b,
    }
}

fn truth_of(op: Op, a: C, b: C) -> C {
    let value = super::evaluate::scalar(Level::Portable, op, |k| match op {
        Op::And(first, _) | Op::Or(first, _) if k == first => a.re,
        _ => b.re,
    });
    C::new(value, 0.0)
}

fn powi(z: C, n: u32) -> C {
    if z.im == 0.0 {
        return C::new(super::kernels::powi(z.re, n), 0.0);
    }
    let (mut result, mut base, mut left) = (C::new(1.0, 0.0), z, n);
    while left > 0 {
        if left & 1 == 1 {
            result *= base;
        }
        left >>= 1;
        base *= base;
    }
    result
}

fn sqrt(z: C) -> C {
    let z = above_cut(z);
    if z.im == 0.0 {
        return if z.re < 0.0 { C::new(0.0, (-z.re).sqrt()) } else { C::new(z.re.sqrt(), 0.0) };
    }
    z.sqrt()
}

fn power(base: C, exponent: C) -> C {
    let (base, exponent) = (above_cut(base), above_cut(exponent));
    if base.im == 0.0 && exponent.im == 0.0 {
        let real = base.re.powf(exponent.re);
        if !real.is_nan() {
            return C::new(real, 0.0);
        }
    }
    if base.re == 0.0 && base.im == 0.0 {
        return if exponent.re > 0.0 { C::new(0.0, 0.0) } else { NAN };
    }
    (exponent * base.ln()).exp()
}

fn compare(relation: Relation, a: C, b: C) -> C {
    if a.re.is_nan() || a.im.is_nan() || b.re.is_nan() || b.im.is_nan() {
        return NAN;
    }
    match relation {
        Relation::Eq => truth(a == b),
        Relation::Ne => truth(a != b),
        _ if a.im == 0.0 && b.im == 0.0 => truth(relation.holds(a.re, b.re)),
        _ => NAN,
    }
}

fn call(f: Function, z: C) -> C {
    use Function::*;
    match f {
        Re => return C::new(z.re, 0.0),
        Im => return C::new(z.im, 0.0),
        Conj => return above_cut(z.conj()),
        Arg => return C::new(z.im.atan2(z.re), 0.0),
        Abs => return C::new(z.re.hypot(z.im), 0.0),
        _ => {}
    }
    if z.im == 0.0 {
        let real = (f.row().value)(&[z.re]);
        if !real.is_nan() {
            return C::new(real, 0.0);
        }
    }
    if z.im.abs() < STEP * z.re.abs() {
        let real = (f.row().value)(&[z.re]);
        let slope = super::tangent::slope(f, z.re, real);
        if real.is_finite() && slope.is_finite() {
            return C::new(real, z.im * slope);
        }
    }
    match f {
        Exp => z.exp(),
        Log => z.ln(),
        Log10 => z.ln() / std::f64::consts::LN_10,
        Log2 => z.ln() / std::f64::consts::LN_2,
        Sin => z.sin(),
        Cos => z.cos(),
        Tan => z.tan(),
        Asin => z.asin(),
        Acos => z.acos(),
        Atan => z.atan(),
        Sinh => z.sinh(),
        Cosh => z.cosh(),
        Tanh => z.tanh(),
        Asinh => z.asinh(),
        Acosh => z.acosh(),
        Atanh => z.atanh(),
        Sign if z.re != 0.0 || z.im != 0.0 => z / z.re.hypot(z.im),
        _ => NAN,
    }
}
