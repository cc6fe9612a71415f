//! log, log2, log10 and powers. `x = 2^k m` with m from sqrt(1/2) to sqrt 2 and s = (m-1)/(m+1):
//! `log m = 2s + 2s^3/3 + ...`, a minimax polynomial in s^2. Sums carry their rounding error; the logarithm of
//! a power carries some 65 bits (after Tang, ACM Trans. Math. Softw. 16 (1990) 378, without his tables).

use super::exponential::{LN2_HIGH, LN2_LOW, exp_of_sum, exp_short};
use super::level::{Unit, fast_two_sum, polynomial};
use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

/// `(log m - 2s)/s^3` in powers of s^2, error 2^-59 of `log m`.
const LOG: [f64; 7] = [
    0.6666666666666734,
    0.3999999999941468,
    0.2857142874238814,
    0.22222198573093752,
    0.18183564332107413,
    0.15314050370570076,
    0.14795951799360638,
];

/// The same less 2/3, over s^2, error 2^-66.
const POWER: [f64; 7] = [
    0.40000000000002256,
    0.28571428570100094,
    0.22222222519820298,
    0.1818178437685825,
    0.15386756851433622,
    0.13256829578834017,
    0.13196213315541044,
];

/// As [`LOG`], error 2^-37: for single precision.
const LOG_SHORT: [f64; 4] =
    [0.6666666564548259, 0.40000335184231056, 0.2853730887429616, 0.23582146939242632];

const TWO_THIRDS: (f64, f64) = (0.6666666666666666, 3.700743415417188e-17);
const LOG2_E_LOW: f64 = 2.0355273740931033e-17;
const LOG10_E_LOW: f64 = 1.098319650216765e-17;
const LOG10_2_HIGH: f64 = 0.301_029_995_663_611_77; // 40 bits
const LOG10_2_LOW: f64 = 3.694239077158931e-13;

/// `k` and `m` of a positive number; subnormal numbers are scaled first, unless there are none.
#[inline(always)]
fn split<const NORMAL: bool>(x: f64) -> (f64, f64) {
    const ROOT: u64 = 0x3fe6_a09e_667f_3bcd; // sqrt(1/2)
    const EXPONENT: u64 = 0xfff << 52;
    const BIAS: f64 = 4_503_599_627_371_520.0; // 2^52 + 1024
    let small = !NORMAL & (x < f64::MIN_POSITIVE);
    let scaled = if small { x * 18_014_398_509_481_984.0 } else { x };
    let bits = scaled.to_bits();
    let from_root = bits.wrapping_sub(ROOT);
    let m = f64::from_bits(bits.wrapping_sub(from_root & EXPONENT));
    let k = f64::from_bits((from_root.wrapping_add(1 << 62) >> 52) | 4_503_599_627_370_496.0f64.to_bits());
    (k - if small { BIAS + 54.0 } else { BIAS }, m)
}

/// The values at 0, infinity and where there is none.
#[inline(always)]
fn edges(x: f64, value: f64) -> f64 {
    let value = if x == f64::INFINITY { x } else { value };
    let value = if x > 0.0 { value } else { f64::NAN };
    if x == 0.0 { f64::NEG_INFINITY } else { value }
}

/// `log m` as a leading sum and the rest.
#[inline(always)]
fn log_of_part<U: Unit>(k_part: f64, m: f64) -> (f64, f64) {
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let half = 0.5 * f * f;
    let half_low = U::product_error(0.5 * f, f, half);
    let (h, e) = fast_two_sum(k_part, f);
    let (h, e2) = fast_two_sum(h, -half);
    let rest = s * U::fma(z, polynomial::<U, 7>(z, &LOG), half);
    (h, (rest - half_low) + (e + e2))
}

#[inline(always)]
fn log_inside<U: Unit, const NORMAL: bool>(x: f64) -> f64 {
    let (k, m) = split::<NORMAL>(x);
    let (h, rest) = log_of_part::<U>(k * LN2_HIGH, m);
    h + U::fma(k, LN2_LOW, rest)
}

#[inline(always)]
pub(crate) fn log<U: Unit>(x: f64) -> f64 {
    edges(x, log_inside::<U, false>(x))
}

/// Whether a number is positive, normal and finite, by its bits: one comparison.
#[inline(always)]
pub(crate) fn is_easy_log(x: f64) -> bool {
    const FIRST: u64 = f64::MIN_POSITIVE.to_bits();
    x.to_bits().wrapping_sub(FIRST) < f64::INFINITY.to_bits() - FIRST
}

/// log of a normal positive number.
#[inline(always)]
pub(crate) fn log_easy<U: Unit>(x: f64) -> f64 {
    log_inside::<U, true>(x)
}

/// `k*scale + log(m)*factor`, numbers of two parts.
#[inline(always)]
fn log_in_base<U: Unit>(x: f64, scale: (f64, f64), factor: (f64, f64)) -> f64 {
    let (k, m) = split::<false>(x);
    let (h, rest) = log_of_part::<U>(0.0, m);
    let (h, low) = fast_two_sum(h, rest);
    let product = h * factor.0;
    let error = U::product_error(h, factor.0, product) + U::fma(h, factor.1, low * factor.0);
    let (sum, e) = fast_two_sum(k * scale.0, product);
    edges(x, sum + (e + U::fma(k, scale.1, error)))
}

#[inline(always)]
pub(crate) fn log2<U: Unit>(x: f64) -> f64 {
    log_in_base::<U>(x, (1.0, 0.0), (LOG2_E, LOG2_E_LOW))
}

#[inline(always)]
pub(crate) fn log10<U: Unit>(x: f64) -> f64 {
    log_in_base::<U>(x, (LOG10_2_HIGH, LOG10_2_LOW), (LOG10_E, LOG10_E_LOW))
}

/// The logarithm of a positive finite number, in two parts.
#[inline(always)]
fn log_in_two<U: Unit, const NORMAL: bool>(x: f64) -> (f64, f64) {
    let (k, m) = split::<NORMAL>(x);
    let f = m - 1.0;
    let d = 2.0 + f;
    let d_low = f - (d - 2.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let s_low = U::fma(-s, d_low, U::minus_product(f, s, d)) * inverse;
    // Products of numbers of two parts; the second parts are not made small.
    let z = s * s;
    let z_low = U::fma(2.0 * s, s_low, U::product_error(s, s, z));
    let (c, c_low) = fast_two_sum(TWO_THIRDS.0, z * polynomial::<U, 7>(z, &POWER));
    let p = s * z;
    let p_low = U::product_error(s, z, p) + U::fma(s, z_low, s_low * z);
    let t = p * c;
    let t_low = U::product_error(p, c, t) + U::fma(p, c_low + TWO_THIRDS.1, p_low * c);
    // 2s + s z c + k log 2
    let (h, e) = fast_two_sum(2.0 * s, t);
    let (sum, e2) = fast_two_sum(k * LN2_HIGH, h);
    (sum, U::fma(2.0, s_low, t_low) + U::fma(k, LN2_LOW, e + e2))
}

/// Whether a number is an integer, and whether an odd one. From 2^53 on all are even.
#[inline(always)]
fn parity(y: f64) -> (bool, bool) {
    const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52
    let round = |x: f64| if x < WHOLE { (x + WHOLE) - WHOLE } else { x };
    let size = y.abs();
    let integer = round(size) == size;
    let even = round(0.5 * size) == 0.5 * size;
    (integer, integer & !even)
}

/// What IEEE 754 says of `pow` at zeros, infinities, one, and negative bases.
#[inline(always)]
fn power_edges(x: f64, y: f64, value: f64) -> f64 {
    let size = x.abs();
    let (integer, odd) = parity(y);
    let grows = (y > 0.0) == (size > 1.0);
    let end = if grows { f64::INFINITY } else { 0.0 };
    let value = if (size == 0.0) | (size == f64::INFINITY) { end } else { value };
    let value = if (x < 0.0) & (size < f64::INFINITY) & !integer { f64::NAN } else { value };
    let flip = x.is_sign_negative() & odd;
    let value = if flip { -value } else { value };
    let value = if x.is_nan() | y.is_nan() { f64::NAN } else { value };
    if (y == 0.0) | (x == 1.0) { 1.0 } else { value }
}

/// Beyond it every power other than that of 1 overflows or vanishes.
const GREATEST_EXPONENT: f64 = 3.7e19;

#[inline(always)]
fn limited(y: f64) -> f64 {
    let y = if y > GREATEST_EXPONENT { GREATEST_EXPONENT } else { y };
    if y < -GREATEST_EXPONENT { -GREATEST_EXPONENT } else { y }
}

/// The power of a positive finite number.
#[inline(always)]
fn pow_inside<U: Unit, const NORMAL: bool>(x: f64, y: f64) -> f64 {
    let (h, low) = log_in_two::<U, NORMAL>(x);
    let high = y * h;
    exp_of_sum::<U>(high, U::fma(y, low, U::product_error(y, h, high)))
}

#[inline(always)]
pub(crate) fn pow<U: Unit>(x: f64, y: f64) -> f64 {
    power_edges(x, y, pow_inside::<U, false>(x.abs(), limited(y)))
}

/// Whether a power has a normal positive finite base and a finite exponent.
#[inline(always)]
pub(crate) fn is_easy_pow(x: f64, y: f64) -> bool {
    is_easy_log(x) & (y.abs() <= GREATEST_EXPONENT)
}

#[inline(always)]
pub(crate) fn pow_easy<U: Unit>(x: f64, y: f64) -> f64 {
    pow_inside::<U, true>(x, y)
}

/// For single precision: about 37 bits.
#[inline(always)]
fn log_of_part_short<U: Unit>(m: f64) -> f64 {
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    U::fma(s * z, polynomial::<U, 4>(z, &LOG_SHORT), s + s)
}

#[inline(always)]
pub(crate) fn log_single<U: Unit>(x: f32) -> f32 {
    let (k, m) = split::<true>(f64::from(x));
    edges(f64::from(x), U::fma(k, LN_2, log_of_part_short::<U>(m))) as f32
}

#[inline(always)]
pub(crate) fn log2_single<U: Unit>(x: f32) -> f32 {
    let (k, m) = split::<true>(f64::from(x));
    edges(f64::from(x), U::fma(log_of_part_short::<U>(m), LOG2_E, k)) as f32
}

#[inline(always)]
pub(crate) fn log10_single<U: Unit>(x: f32) -> f32 {
    let (k, m) = split::<true>(f64::from(x));
    let value = U::fma(k, std::f64::consts::LOG10_2, log_of_part_short::<U>(m) * LOG10_E);
    edges(f64::from(x), value) as f32
}

#[inline(always)]
pub(crate) fn pow_single<U: Unit>(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    power_edges(x, y, pow_inside_short::<U>(x.abs(), limited(y))) as f32
}

#[inline(always)]
pub(crate) fn pow_single_easy<U: Unit>(x: f32, y: f32) -> f32 {
    pow_inside_short::<U>(f64::from(x), f64::from(y)) as f32
}

#[inline(always)]
fn pow_inside_short<U: Unit>(x: f64, y: f64) -> f64 {
    let (k, m) = split::<true>(x);
    exp_short::<U>(y * U::fma(k, LN_2, log_of_part_short::<U>(m)))
}
