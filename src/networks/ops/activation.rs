//! Activation functions with vectorised kernels. The derivative is one kernel too, written through
//! the result where it can be (tanh, sigmoid, exp, the piecewise linear ones and elu) and through
//! the argument elsewhere. Second derivatives: yes, of any order.

use candle_core::{Result, Shape, Tensor, WithDType};

use super::custom::{Made, View, apply, wants};
use super::real::{Real, by_type, chunks, unset, vectorised};

/// Elements a job takes.
const BLOCK: usize = 1 << 14;
/// SELU (Klambauer et al. 2017, arXiv:1706.02515): scale and alpha.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
/// Of the tanh form of gelu (Hendrycks and Gimpel 2016, arXiv:1606.08415).
const GELU_CUBE: f64 = 0.044_715;

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Activation {
    /// max(x, 0); slope 0 at 0.
    Relu,
    /// x for x > 0, otherwise slope x (slope >= 0).
    LeakyRelu(f64),
    /// x for x > 0, otherwise alpha (e^x - 1) (alpha >= 0).
    Elu(f64),
    /// scale times elu(alpha), the self-normalising constants.
    Selu,
    /// x Phi(x) with the normal distribution function.
    Gelu,
    /// The tanh approximation of gelu.
    GeluTanh,
    /// x sigmoid(x).
    Silu,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// ln(1 + e^x).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// e^x.
    Exp,
}

const RELU: usize = 0;
const LEAKY: usize = 1;
const ELU: usize = 2;
const GELU: usize = 3;
const GELU_TANH: usize = 4;
const SILU: usize = 5;
const TANH: usize = 6;
const SIGMOID: usize = 7;
const SOFTPLUS: usize = 8;
const SIN: usize = 9;
const COS: usize = 10;
const EXP: usize = 11;
const SOFTSIGN: usize = 12;

#[inline(always)]
fn sigmoid_of<T: Real, const FMA: bool>(x: T) -> T {
    T::ONE / (T::ONE + (-x).exp::<FMA>())
}

/// ln(1 + z) for 0 <= z <= 1: 2 artanh(s) as a series in s, |s| <= 0.1716.
#[inline(always)]
fn log1p_unit<T: Real, const FMA: bool>(z: T) -> T {
    let large = z > T::of(std::f64::consts::SQRT_2 - 1.0);
    let s = (if large { z - T::ONE } else { z }) / (z + T::of(if large { 3.0 } else { 2.0 }));
    let q = s * s;
    let mut p = T::of(1.0 / 21.0);
    let mut i = 19;
    while i > 0 {
        p = p.fma::<FMA>(q, T::of(1.0 / i as f64));
        i -= 2;
    }
    (s + s).fma::<FMA>(p, T::of(if large { std::f64::consts::LN_2 } else { 0.0 }))
}

#[inline(always)]
fn value_of<T: Real, const KIND: usize, const FMA: bool>(x: T, [a, b]: [T; 2]) -> T {
    match KIND {
        RELU => {
            if x <= T::ZERO {
                T::ZERO
            } else {
                x
            }
        }
        LEAKY => {
            if x > T::ZERO {
                x
            } else {
                x * a
            }
        }
        ELU => (if x > T::ZERO { x } else { x.expm1::<FMA>() * a }) * b,
        GELU => {
            let half = T::of(0.5) * x;
            half.fma::<FMA>((x * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf::<FMA>(), half)
        }
        GELU_TANH => {
            let u =
                T::of((2.0 / std::f64::consts::PI).sqrt()) * x * (x * x).fma::<FMA>(T::of(GELU_CUBE), T::ONE);
            let half = T::of(0.5) * x;
            half.fma::<FMA>(u.tanh::<FMA>(), half)
        }
        SILU => x * sigmoid_of::<T, FMA>(x),
        TANH => x.tanh::<FMA>(),
        SIGMOID => sigmoid_of::<T, FMA>(x),
        SOFTPLUS => (if x > T::ZERO { x } else { T::ZERO }) + log1p_unit::<T, FMA>((-x.abs()).exp::<FMA>()),
        SIN => x.sin_quarter::<FMA>(0),
        COS => x.sin_quarter::<FMA>(1),
        EXP => x.exp::<FMA>(),
        _ => x / (T::ONE + x.abs()),
    }
}

/// The derivative; `z` is the result where [`Activation::through_result`], otherwise the argument.
#[inline(always)]
fn slope_of<T: Real, const KIND: usize, const FMA: bool>(z: T, [a, b]: [T; 2]) -> T {
    match KIND {
        RELU => {
            if z > T::ZERO {
                T::ONE
            } else {
                T::ZERO
            }
        }
        LEAKY => {
            if z > T::ZERO {
                T::ONE
            } else {
                a
            }
        }
        ELU => {
            if z > T::ZERO {
                b
            } else {
                a.fma::<FMA>(b, z)
            }
        }
        GELU => {
            let phi = (T::of(-0.5) * z * z).exp::<FMA>() * T::of(0.398_942_280_401_432_7);
            let cdf =
                T::of(0.5).fma::<FMA>((z * T::of(std::f64::consts::FRAC_1_SQRT_2)).erf::<FMA>(), T::of(0.5));
            z.fma::<FMA>(phi, cdf)
        }
        GELU_TANH => {
            let c = T::of((2.0 / std::f64::consts::PI).sqrt());
            let z2 = z * z;
            let t = (c * z * z2.fma::<FMA>(T::of(GELU_CUBE), T::ONE)).tanh::<FMA>();
            let du = c * z2.fma::<FMA>(T::of(3.0 * GELU_CUBE), T::ONE);
            T::of(0.5) * (T::ONE + t + z * (T::ONE - t * t) * du)
        }
        SILU => {
            let s = sigmoid_of::<T, FMA>(z);
            s.fma::<FMA>(z * (T::ONE - s), s)
        }
        TANH => (-z).fma::<FMA>(z, T::ONE),
        SIGMOID => z * (T::ONE - z),
        SOFTPLUS => sigmoid_of::<T, FMA>(z),
        SIN => z.sin_quarter::<FMA>(1),
        COS => z.sin_quarter::<FMA>(2),
        EXP => z,
        _ => {
            let d = T::ONE + z.abs();
            T::ONE / (d * d)
        }
    }
}

vectorised! {
    fn values<T, const KIND: usize>(x: &[T], y: &mut [T], p: [T; 2]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = value_of::<T, KIND, FMA>(*x, p);
        }
    }
}

vectorised! {
    fn slopes<T, const KIND: usize>(z: &[T], g: &[T], d: &mut [T], p: [T; 2]) {
        for ((d, z), g) in d.iter_mut().zip(z).zip(g) {
            *d = *g * slope_of::<T, KIND, FMA>(*z, p);
        }
    }
}

macro_rules! by_kind {
    ($kind:expr, $k:ident => $call:expr) => {
        match $kind {
            Activation::Relu => {
                const $k: usize = RELU;
                $call
            }
            Activation::LeakyRelu(_) => {
                const $k: usize = LEAKY;
                $call
            }
            Activation::Elu(_) | Activation::Selu => {
                const $k: usize = ELU;
                $call
            }
            Activation::Gelu => {
                const $k: usize = GELU;
                $call
            }
            Activation::GeluTanh => {
                const $k: usize = GELU_TANH;
                $call
            }
            Activation::Silu => {
                const $k: usize = SILU;
                $call
            }
            Activation::Tanh => {
                const $k: usize = TANH;
                $call
            }
            Activation::Sigmoid => {
                const $k: usize = SIGMOID;
                $call
            }
            Activation::Softplus => {
                const $k: usize = SOFTPLUS;
                $call
            }
            Activation::Softsign => {
                const $k: usize = SOFTSIGN;
                $call
            }
            Activation::Sin => {
                const $k: usize = SIN;
                $call
            }
            Activation::Cos => {
                const $k: usize = COS;
                $call
            }
            Activation::Exp => {
                const $k: usize = EXP;
                $call
            }
        }
    };
}

impl Activation {
    fn parameters<T: Real>(self) -> [T; 2] {
        match self {
            Activation::LeakyRelu(a) => [T::of(a), T::ONE],
            Activation::Elu(a) => [T::of(a), T::ONE],
            Activation::Selu => [T::of(SELU_ALPHA), T::of(SELU_SCALE)],
            _ => [T::ONE, T::ONE],
        }
    }

    /// Whether the derivative is computed from the result instead of the argument.
    fn through_result(self) -> bool {
        use Activation::*;
        matches!(self, Relu | LeakyRelu(_) | Elu(_) | Selu | Tanh | Sigmoid | Exp)
    }

    /// y = f(x), elementwise on slices.
    pub(crate) fn values<T: Real>(self, x: &[T], y: &mut [T]) {
        let p = self.parameters();
        if let Some(quarter) = self.quarter().filter(|_| x.iter().any(|x| x.abs() > T::SIN_BOUND)) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x.sin_far(quarter));
            return;
        }
        by_kind!(self, K => values::<T, K>(x, y, p));
    }

    /// d = g f', with z as [`Activation::through_result`] says.
    pub(crate) fn slopes<T: Real>(self, z: &[T], g: &[T], d: &mut [T]) {
        let p = self.parameters();
        if let Some(quarter) = self.quarter().filter(|_| z.iter().any(|z| z.abs() > T::SIN_BOUND)) {
            d.iter_mut().zip(z).zip(g).for_each(|((d, z), g)| *d = *g * z.sin_far(quarter + 1));
            return;
        }
        by_kind!(self, K => slopes::<T, K>(z, g, d, p));
    }

    fn quarter(self) -> Option<i32> {
        match self {
            Activation::Sin => Some(0),
            Activation::Cos => Some(1),
            _ => None,
        }
    }

    /// The derivative of the slope by what it is computed from; `None` where it is zero.
    fn bend(self, z: &Tensor) -> Result<Option<Tensor>> {
        use Activation::*;
        let f = |a: Activation, x: &Tensor| activate(x, a);
        Ok(Some(match self {
            Relu | LeakyRelu(_) => return Ok(None),
            Elu(_) | Selu => z.le(&z.zeros_like()?)?.to_dtype(z.dtype())?,
            Exp => z.ones_like()?,
            Tanh => (z * -2.0)?,
            Sigmoid => ((z * -2.0)? + 1.0)?,
            // (2 - x^2) phi(x)
            Gelu => {
                let z2 = z.sqr()?;
                ((2.0 - &z2)? * (f(Exp, &(z2 * -0.5)?)? * 0.398_942_280_401_432_7)?)?
            }
            // u = c (x + a x^3), t = tanh u: (1 - t^2) (u' + x u''/2 - x t u'^2)
            GeluTanh => {
                let c = (2.0 / std::f64::consts::PI).sqrt();
                let z2 = z.sqr()?;
                let t = f(Tanh, &((z * c)? * ((&z2 * GELU_CUBE)? + 1.0)?)?)?;
                let u1 = (((&z2 * (3.0 * GELU_CUBE))? + 1.0)? * c)?;
                let half_x_u2 = (&z2 * (3.0 * GELU_CUBE * c))?;
                let inner = ((&u1 + half_x_u2)? - ((z * &t)? * u1.sqr()?)?)?;
                ((1.0 - t.sqr()?)? * inner)?
            }
            // s = sigmoid(x): s (1 - s) (2 + x (1 - 2 s))
            Silu => {
                let s = f(Sigmoid, z)?;
                let d = (&s * (1.0 - &s)?)?;
                (d * ((z * (1.0 - (s * 2.0)?)?)? + 2.0)?)?
            }
            Softplus => {
                let s = f(Sigmoid, z)?;
                (&s * (1.0 - &s)?)?
            }
            // -2 sign(x) / (1 + |x|)^3
            Softsign => ((z.sign()? * -2.0)? * (z.abs()? + 1.0)?.powf(-3.0)?)?,
            Sin => f(Sin, z)?.neg()?,
            Cos => f(Cos, z)?.neg()?,
        }))
    }
}

/// f(x), elementwise; any shape.
pub fn activate(x: &Tensor, f: Activation) -> Result<Tensor> {
    let dtype = x.dtype();
    apply(
        "activation",
        &[x],
        move |v: &[View]| -> Made {
            by_type!(dtype, "activation", T => {
                let x = v[0].slice::<T>()?;
                let mut y = unset::<T>(x.len());
                chunks(&mut y, BLOCK, |i, y| f.values(&x[i * BLOCK..][..y.len()], y));
                Ok((T::to_cpu_storage_owned(y), Shape::from(v[0].dims())))
            })
        },
        move |i, y, g| Ok(vec![Some(slope(if f.through_result() { y } else { i[0] }, g, f)?)]),
    )
}

/// g f'(x), as an operation of its own so that it can be differentiated.
fn slope(z: &Tensor, g: &Tensor, f: Activation) -> Result<Tensor> {
    let dtype = z.dtype();
    apply(
        "slope of an activation",
        &[z, g],
        move |v: &[View]| -> Made {
            by_type!(dtype, "activation", T => {
                let (z, g) = (v[0].slice::<T>()?, v[1].slice::<T>()?);
                let mut d = unset::<T>(z.len());
                chunks(&mut d, BLOCK, |i, d| {
                    let at = i * BLOCK..i * BLOCK + d.len();
                    f.slopes(&z[at.clone()], &g[at], d);
                });
                Ok((T::to_cpu_storage_owned(d), Shape::from(v[0].dims())))
            })
        },
        move |i, _, h| {
            let (z, g) = (i[0], i[1]);
            let dz = match wants(z) {
                true => f.bend(z)?.map(|b| (h * g)? * b).transpose()?,
                false => None,
            };
            Ok(vec![dz, if wants(g) { Some(slope(z, h, f)?) } else { None }])
        },
    )
}

macro_rules! named {
    ($($(#[$m:meta])* $name:ident => $kind:expr;)*) => {
        $($(#[$m])*
        pub fn $name(x: &Tensor) -> Result<Tensor> {
            activate(x, $kind)
        })*
    };
}
named! {
    /// max(x, 0).
    relu => Activation::Relu;
    /// The exact gelu x Phi(x).
    gelu => Activation::Gelu;
    /// The tanh form of gelu.
    gelu_tanh => Activation::GeluTanh;
    /// Self-normalising exponential linear unit.
    selu => Activation::Selu;
    /// x sigmoid(x).
    silu => Activation::Silu;
    /// Hyperbolic tangent.
    tanh => Activation::Tanh;
    /// 1 / (1 + e^-x).
    sigmoid => Activation::Sigmoid;
    /// ln(1 + e^x).
    softplus => Activation::Softplus;
    /// x / (1 + |x|).
    softsign => Activation::Softsign;
    /// Sine.
    sin => Activation::Sin;
    /// Cosine.
    cos => Activation::Cos;
    /// e^x.
    exp => Activation::Exp;
}
