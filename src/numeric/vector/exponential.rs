//! exp, sinh, cosh, tanh. The argument is `n log 2 + r` with |r| <= log(2)/2, the reduction in two parts (Cody &
//! Waite, "Software Manual for the Elementary Functions", 1980); `exp r` is a minimax polynomial, its leading
//! terms summed with their rounding error. The hyperbolic functions take the even and the odd part of `exp r`
//! apart, so that nothing cancels near zero.

use super::level::{SHIFT, Unit, fast_two_sum, polynomial, power_of_two};
use std::f64::consts::{LN_2, LOG2_E};

/// The first 40 bits of log 2: exact times any exponent.
pub(super) const LN2_HIGH: f64 = 0.693_147_180_559_208_2;
/// The rest of log 2.
pub(super) const LN2_LOW: f64 = 7.371_002_565_167_799e-13;

/// `(exp r - 1 - r - r^2/2)/r^3`, error 2^-57 of `exp r`.
const EXP: [f64; 9] = [
    0.16666666666666685,
    0.041666666666602896,
    0.008333333333314005,
    0.0013888888927221059,
    0.00019841269904721112,
    2.480150815800501e-05,
    2.7557226263453093e-06,
    2.7625391016302393e-07,
    2.5115033838508753e-08,
];

/// `(exp r - 1 - r)/r^2`, error 2^-34: for single precision.
const EXP_SHORT: [f64; 6] = [
    0.5000000077853921,
    0.16666666860537288,
    0.04166627010183223,
    0.00833326440290346,
    0.0013946062022813681,
    0.00019918356012514697,
];

/// `(sinh r - r)/r^3` in powers of `r^2`, error 2^-61.
const SINH: [f64; 5] = [
    0.16666666666666677,
    0.008333333333321624,
    0.00019841269886133214,
    2.7557244210284164e-06,
    2.510903407387295e-08,
];

/// `(cosh r - 1 - r^2/2)/r^4` in powers of `r^2`, error 2^-57.
const COSH: [f64; 4] =
    [0.04166666666660289, 0.0013888888927223008, 2.4801508155764366e-05, 2.762539184696089e-07];

/// `n`, `r` and what `r` lost: `x = n log 2 + r + low`.
#[inline(always)]
fn reduce<U: Unit>(x: f64) -> (f64, f64, f64) {
    let n = U::fma(x, LOG2_E, SHIFT) - SHIFT;
    let high = U::fma(-n, LN2_HIGH, x);
    let low = n * LN2_LOW;
    let r = high - low;
    (n, r, (high - r) - low)
}

#[inline(always)]
fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

#[inline(always)]
pub(crate) fn exp<U: Unit>(x: f64) -> f64 {
    let (value, n) = mantissa::<U>(reduce::<U>(clamp(x, -746.0, 710.0)));
    scaled::<U>(value, n)
}

/// Sizes of arguments whose value is a normal number.
pub(super) const EASY: f64 = 708.0;

/// exp for |x| < [`EASY`].
#[inline(always)]
pub(crate) fn exp_easy<U: Unit>(x: f64) -> f64 {
    let (value, n) = mantissa::<U>(reduce::<U>(x));
    value * power_of_two(n + SHIFT)
}

/// `exp(x + rest)` for a `rest` that is small beside `x`; it is of no account where the value overflows.
#[inline(always)]
pub(super) fn exp_of_sum<U: Unit>(x: f64, rest: f64) -> f64 {
    let rest = if x.abs() < 750.0 { rest } else { 0.0 };
    let (n, r, low) = reduce::<U>(clamp(x, -746.0, 710.0));
    let sum = r + rest;
    let (value, n) = mantissa::<U>((n, sum, low + (rest - (sum - r))));
    scaled::<U>(value, n)
}

/// `exp(r + low)`.
#[inline(always)]
fn mantissa<U: Unit>((n, r, low): (f64, f64, f64)) -> (f64, f64) {
    let z = r * r;
    let tail = U::fma(z * r, polynomial::<U, 9>(r, &EXP), U::fma(0.5, z, U::fma(r, low, low)));
    let (sum, error) = fast_two_sum(1.0, r);
    (sum + (error + tail), n)
}

/// `value * 2^n` in two steps, as 2^n alone may not be a normal number.
#[inline(always)]
fn scaled<U: Unit>(value: f64, n: f64) -> f64 {
    let half = U::fma(n, 0.5, SHIFT);
    let other = (n - (half - SHIFT)) + SHIFT;
    value * power_of_two(half) * power_of_two(other)
}

/// For single precision: about 34 bits.
#[inline(always)]
pub(super) fn exp_short<U: Unit>(x: f64) -> f64 {
    let k = U::fma(clamp(x, -120.0, 120.0), LOG2_E, SHIFT);
    let r = U::fma(SHIFT - k, LN_2, clamp(x, -120.0, 120.0));
    let value = U::fma(r * r, polynomial::<U, 6>(r, &EXP_SHORT), r) + 1.0;
    value * power_of_two(k)
}

#[inline(always)]
pub(crate) fn exp_single<U: Unit>(x: f32) -> f32 {
    exp_short::<U>(f64::from(x)) as f32
}

/// sinh and cosh of `|x|` over `2^scale`, each with its rounding error.
struct Pair {
    sinh: (f64, f64),
    cosh: (f64, f64),
    scale: f64,
}

#[inline(always)]
fn pair<U: Unit>(x: f64) -> Pair {
    let (n, r, low) = reduce::<U>(x);
    let z = r * r;
    let sinh_tail = U::fma(r * z, polynomial::<U, 5>(z, &SINH), low);
    let cosh_tail = U::fma(z * z, polynomial::<U, 4>(z, &COSH), U::fma(0.5, z, r * low));
    let (s, s_low) = fast_two_sum(r, sinh_tail);
    let (c, c_low) = fast_two_sum(1.0, cosh_tail);
    // exp x/2 and exp(-x)/2 are a (c + s) and b (c - s); beyond 2^64 the second is nothing.
    let m = if n > 64.0 { 64.0 } else { n };
    let a = 0.5 * power_of_two(m + SHIFT);
    let b = 0.5 * power_of_two(SHIFT - m);
    let (difference, sum) = (a - b, a + b);
    let both = |even: f64, odd: f64, even_low: f64, odd_low: f64, sign: f64| {
        let (d, d_low) = fast_two_sum(a * even, sign * b * even);
        let (g, g_low) = fast_two_sum(a * odd, -sign * b * odd);
        let (high, error) = fast_two_sum(d, g);
        (high, error + d_low + g_low + (even_low + odd_low))
    };
    Pair {
        sinh: both(c, s, difference * c_low, sum * s_low, -1.0),
        cosh: both(c, s, sum * c_low, difference * s_low, 1.0),
        scale: (n - m) + SHIFT,
    }
}

/// Below it sinh, tanh, sin, ... are their argument.
pub(super) const TINY: f64 = 7.450_580_596_923_828e-9; // 2^-27

#[inline(always)]
pub(crate) fn sinh<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    let p = pair::<U>(if size > 711.0 { 711.0 } else { size });
    let value = (p.sinh.0 + p.sinh.1) * power_of_two(p.scale);
    if size < TINY { x } else { value.copysign(x) }
}

#[inline(always)]
pub(crate) fn cosh<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    let p = pair::<U>(if size > 711.0 { 711.0 } else { size });
    (p.cosh.0 + p.cosh.1) * power_of_two(p.scale)
}

#[inline(always)]
pub(crate) fn tanh<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    let p = pair::<U>(if size > 20.0 { 20.0 } else { size });
    let value = quotient::<U>(p.sinh, p.cosh);
    if size < TINY { x } else { value.copysign(x) }
}

/// A quotient of sums of two, rounded once but for the error of its correction.
#[inline(always)]
pub(super) fn quotient<U: Unit>(a: (f64, f64), b: (f64, f64)) -> f64 {
    let inverse = 1.0 / b.0;
    let first = a.0 * inverse;
    let rest = U::minus_product(a.0, first, b.0) + (a.1 - first * b.1);
    U::fma(rest, inverse, first)
}

/// sinh and cosh of `|x|` up to 120, to 49 bits.
#[inline(always)]
fn pair_short<U: Unit>(x: f64) -> (f64, f64) {
    let size = x.abs();
    let size = if size > 120.0 { 120.0 } else { size };
    let k = U::fma(size, LOG2_E, SHIFT);
    let r = U::fma(SHIFT - k, LN_2, size);
    let z = r * r;
    let s = U::fma(r * z, polynomial::<U, 5>(z, &SINH), r);
    let c = U::fma(z * z, polynomial::<U, 4>(z, &COSH), U::fma(0.5, z, 1.0));
    let a = 0.5 * power_of_two(k);
    let b = 0.5 * power_of_two(SHIFT - (k - SHIFT));
    (U::fma(a - b, c, (a + b) * s), U::fma(a + b, c, (a - b) * s))
}

#[inline(always)]
pub(crate) fn sinh_single<U: Unit>(x: f32) -> f32 {
    (pair_short::<U>(f64::from(x)).0 as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn cosh_single<U: Unit>(x: f32) -> f32 {
    pair_short::<U>(f64::from(x)).1 as f32
}

#[inline(always)]
pub(crate) fn tanh_single<U: Unit>(x: f32) -> f32 {
    let (s, c) = pair_short::<U>(f64::from(x));
    ((s / c) as f32).copysign(x)
}
