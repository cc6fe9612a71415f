//! sin, cos, tan and their inverses. The argument is `n pi/2 + r` with |r| <= pi/4, the reduction in three parts
//! (Cody & Waite 1980), exact to 2^-60 of `r` up to |x| = 2^30; beyond, single numbers go to the `libm` crate,
//! which has Payne and Hanek's reduction. The inverse functions reduce to |u| <= 1/2 as `atan((t-1)/(t+1))`,
//! `atan(1/t)` and `asin sqrt((1-x)/2)`. Polynomials are minimax.

use super::exponential::{TINY, quotient};
use super::level::{SHIFT, Unit, fast_two_sum, polynomial, two_sum};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, FRAC_PI_4, PI};

/// Greatest size of an argument that is reduced here.
pub(crate) const FAR: f64 = 1_073_741_824.0; // 2^30

const HALF_PI: [f64; 3] = [FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

/// `(sin r - r)/r^3` in powers of `r^2`, error 2^-58.
const SIN: [f64; 6] = [
    -0.16666666666666632,
    0.008333333333322424,
    -0.00019841269829816408,
    2.755731369501586e-06,
    -2.5050758617603776e-08,
    1.5896825732503012e-10,
];

/// `(cos r - 1 + r^2/2)/r^4` in powers of `r^2`, error 2^-64.
const COS: [f64; 6] = [
    0.0416666666666666,
    -0.0013888888888874138,
    2.4801587289491132e-05,
    -2.7557314355014895e-07,
    2.087572365062214e-09,
    -1.1359667987078087e-11,
];

/// As [`SIN`] and [`COS`], errors 2^-37 and 2^-43: for single precision.
const SIN_SHORT: [f64; 4] =
    [-0.1666666664162597, 0.008333329385776397, -0.00019839334793328336, 2.7183110564430416e-06];
const COS_SHORT: [f64; 4] =
    [0.04166666662282565, -0.0013888883753210637, 2.4799519956507135e-05, -2.721023340617685e-07];

/// `(atan u - u)/u^3` in powers of `u^2`, |u| <= 1/2, error 2^-62.
const ATAN: [f64; 13] = [
    -0.33333333333333315,
    0.19999999999993445,
    -0.14285714284977719,
    0.111111110693622,
    -0.0909090769204107,
    0.0769227747620743,
    -0.06666223701081357,
    0.058778093568315565,
    -0.05230030346222872,
    0.0458953429630637,
    -0.037121326922312306,
    0.023659358843249264,
    -0.008368800335690764,
];

/// `(asin u - u)/u^3` in powers of `u^2`, |u| <= 1/2, error 2^-60.
const ASIN: [f64; 13] = [
    0.16666666666666763,
    0.07499999999970261,
    0.04464285717512162,
    0.030381942683596966,
    0.02237221566050505,
    0.017351600092793042,
    0.013980961401846955,
    0.011397776607381501,
    0.010786524767495132,
    0.0036830602240324048,
    0.02176345140969388,
    -0.02107722143972666,
    0.032676844084321754,
];

/// As [`ATAN`] and [`ASIN`], errors 2^-36: for single precision.
const ATAN_SHORT: [f64; 7] = [
    -0.33333332937697135,
    0.19999958497672612,
    -0.1428423538666361,
    0.11085907077279454,
    -0.08857287031408313,
    0.06459976070097706,
    -0.02997740140151458,
];
const ASIN_SHORT: [f64; 7] = [
    0.16666667189843506,
    0.07499948156322728,
    0.044660163334190685,
    0.03011025675249292,
    0.024618330820706337,
    0.007469240324887119,
    0.034692816676897414,
];

/// The quadrant (its low two bits) and sine and cosine of `r`, each as a leading sum and the rest.
struct Reduced {
    quadrant: u64,
    sin: (f64, f64),
    cos: (f64, f64),
}

#[inline(always)]
fn reduce<U: Unit>(x: f64) -> Reduced {
    let shifted = U::fma(x, FRAC_2_PI, SHIFT);
    let n = shifted - SHIFT;
    // Exact: a multiple of 2^-53 below 1.
    let first = U::minus_product(x, n, HALF_PI[0]);
    let second = n * HALF_PI[1];
    let error = U::product_error(n, HALF_PI[1], second);
    let (r, e) = two_sum(first, -second);
    let low = U::fma(-n, HALF_PI[2], e - error);
    let z = r * r;
    let sin_tail = U::fma(z * r, polynomial::<U, 6>(z, &SIN), low * U::fma(-0.5, z, 1.0));
    let half = 0.5 * z;
    let lead = 1.0 - half;
    let lead_low = (1.0 - lead) - half;
    let square_low = U::product_error(r, r, z);
    let cos_tail =
        U::fma(z * z, polynomial::<U, 6>(z, &COS), -(r * low)) + U::fma(-0.5, square_low, lead_low);
    Reduced { quadrant: shifted.to_bits(), sin: (r, sin_tail), cos: (lead, cos_tail) }
}

/// sin for an even, cos for an odd quadrant, negative in the upper two.
#[inline(always)]
fn in_quadrant(quadrant: u64, sin: f64, cos: f64) -> f64 {
    let value = if quadrant & 1 == 0 { sin } else { cos };
    f64::from_bits(value.to_bits() ^ ((quadrant & 2) << 62))
}

#[inline(always)]
pub(crate) fn sin<U: Unit>(x: f64) -> f64 {
    let r = reduce::<U>(x);
    let value = in_quadrant(r.quadrant, r.sin.0 + r.sin.1, r.cos.0 + r.cos.1);
    if x.abs() < TINY { x } else { value }
}

#[inline(always)]
pub(crate) fn cos<U: Unit>(x: f64) -> f64 {
    let r = reduce::<U>(x);
    in_quadrant(r.quadrant.wrapping_add(1), r.sin.0 + r.sin.1, r.cos.0 + r.cos.1)
}

#[inline(always)]
pub(crate) fn tan<U: Unit>(x: f64) -> f64 {
    let r = reduce::<U>(x);
    let (s, c) = (two_sum(r.sin.0, r.sin.1), fast_two_sum(r.cos.0, r.cos.1));
    let even = r.quadrant & 1 == 0;
    let above = (if even { s.0 } else { -c.0 }, if even { s.1 } else { -c.1 });
    let below = (if even { c.0 } else { s.0 }, if even { c.1 } else { s.1 });
    let value = quotient::<U>(above, below);
    if x.abs() < TINY { x } else { value }
}

/// For single precision, from the same quadrants.
#[inline(always)]
fn reduce_short<U: Unit>(x: f64) -> (u64, f64, f64) {
    let shifted = U::fma(x, FRAC_2_PI, SHIFT);
    let n = shifted - SHIFT;
    let r = U::fma(-n, HALF_PI[1], U::minus_product(x, n, HALF_PI[0]));
    let z = r * r;
    let sin = U::fma(z * r, polynomial::<U, 4>(z, &SIN_SHORT), r);
    let cos = U::fma(z * z, polynomial::<U, 4>(z, &COS_SHORT), U::fma(-0.5, z, 1.0));
    (shifted.to_bits(), sin, cos)
}

#[inline(always)]
pub(crate) fn sin_single<U: Unit>(x: f32) -> f32 {
    let (quadrant, sin, cos) = reduce_short::<U>(f64::from(x));
    let value = in_quadrant(quadrant, sin, cos) as f32;
    // Keeps the sign of zero.
    if x == 0.0 { x } else { value }
}

#[inline(always)]
pub(crate) fn cos_single<U: Unit>(x: f32) -> f32 {
    let (quadrant, sin, cos) = reduce_short::<U>(f64::from(x));
    in_quadrant(quadrant.wrapping_add(1), sin, cos) as f32
}

#[inline(always)]
pub(crate) fn tan_single<U: Unit>(x: f32) -> f32 {
    let (quadrant, sin, cos) = reduce_short::<U>(f64::from(x));
    let even = quadrant & 1 == 0;
    let value = (if even { sin } else { -cos }) / (if even { cos } else { sin });
    if x == 0.0 { x } else { value as f32 }
}

#[inline(always)]
pub(crate) fn atan<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    // Beyond 1e30 the value is pi/2; products with its error would overflow.
    let t = if size > 1e30 { 1e30 } else { size };
    let (middle, large) = (t >= 0.5, t > 2.0);
    let above = if large {
        -1.0
    } else if middle {
        t - 1.0
    } else {
        t
    };
    let sum = t + 1.0;
    let below = if large {
        t
    } else if middle {
        sum
    } else {
        1.0
    };
    // What `t + 1` lost.
    let below_low = if middle & !large { two_sum(t, 1.0).1 } else { 0.0 };
    let base = if large {
        FRAC_PI_2
    } else if middle {
        FRAC_PI_4
    } else {
        0.0
    };
    let base_low = if large {
        HALF_PI[1]
    } else if middle {
        0.5 * HALF_PI[1]
    } else {
        0.0
    };
    let inverse = 1.0 / below;
    let u = above * inverse;
    let u_low = (U::minus_product(above, u, below) - u * below_low) * inverse;
    let z = u * u;
    let tail = U::fma(u * z, polynomial::<U, 13>(z, &ATAN), u_low + base_low);
    let (h, e) = fast_two_sum(base, u);
    let value = h + (e + tail);
    let value = if t < TINY { t } else { value };
    value.copysign(x)
}

#[inline(always)]
pub(crate) fn atan_single<U: Unit>(x: f32) -> f32 {
    let t = f64::from(x).abs();
    let (middle, large) = (t >= 0.5, t > 2.0);
    let above = if large {
        -1.0
    } else if middle {
        t - 1.0
    } else {
        t
    };
    let below = if large {
        t
    } else if middle {
        t + 1.0
    } else {
        1.0
    };
    let base = if large {
        FRAC_PI_2
    } else if middle {
        FRAC_PI_4
    } else {
        0.0
    };
    let u = above / below;
    let z = u * u;
    let value = base + U::fma(u * z, polynomial::<U, 7>(z, &ATAN_SHORT), u);
    (value as f32).copysign(x)
}

/// `asin u` for the `u` of the reduction: `u`, what it lost, and the polynomial's part.
struct Arc {
    far: bool,
    u: f64,
    tail: f64,
}

#[inline(always)]
fn arc<U: Unit>(size: f64) -> Arc {
    let far = size >= 0.5;
    let z = if far { 0.5 * (1.0 - size) } else { size * size };
    let root = z.sqrt();
    let u = if far { root } else { size };
    let divisor = if far & (root > 0.0) { 2.0 * root } else { 1.0 };
    let lost = U::minus_product(z, root, root) / divisor;
    let tail = U::fma(u * z, polynomial::<U, 13>(z, &ASIN), if far { lost } else { 0.0 });
    Arc { far, u, tail }
}

#[inline(always)]
pub(crate) fn asin<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    let Arc { far, u, tail } = arc::<U>(size);
    let (h, e) = fast_two_sum(FRAC_PI_2, -2.0 * u);
    let outer = h + (e + U::fma(-2.0, tail, HALF_PI[1]));
    let value = if far { outer } else { u + tail };
    let value = if size < TINY { size } else { value };
    value.copysign(x)
}

#[inline(always)]
pub(crate) fn acos<U: Unit>(x: f64) -> f64 {
    let size = x.abs();
    let Arc { far, u, tail } = arc::<U>(size);
    let negative = x < 0.0;
    let sign = if negative { -1.0 } else { 1.0 };
    // Near 0: pi/2 - asin x. Near 1: 2 asin u. Near -1: pi - 2 asin u.
    let base = if far { if negative { PI } else { 0.0 } } else { FRAC_PI_2 };
    let base_low = if far { if negative { 2.0 * HALF_PI[1] } else { 0.0 } } else { HALF_PI[1] };
    let factor = if far { 2.0 * sign } else { -sign };
    let (h, e) = fast_two_sum(base, factor * u);
    h + (e + U::fma(factor, tail, base_low))
}

#[inline(always)]
fn arc_short<U: Unit>(size: f64) -> (bool, f64) {
    let far = size >= 0.5;
    let z = if far { 0.5 * (1.0 - size) } else { size * size };
    let u = if far { z.sqrt() } else { size };
    (far, U::fma(u * z, polynomial::<U, 7>(z, &ASIN_SHORT), u))
}

#[inline(always)]
pub(crate) fn asin_single<U: Unit>(x: f32) -> f32 {
    let (far, value) = arc_short::<U>(f64::from(x).abs());
    let value = if far { FRAC_PI_2 - 2.0 * value } else { value };
    (value as f32).copysign(x)
}

#[inline(always)]
pub(crate) fn acos_single<U: Unit>(x: f32) -> f32 {
    let (far, value) = arc_short::<U>(f64::from(x).abs());
    let negative = x < 0.0;
    let outer = if negative { PI - 2.0 * value } else { 2.0 * value };
    let inner = if negative { FRAC_PI_2 + value } else { FRAC_PI_2 - value };
    (if far { outer } else { inner }) as f32
}
