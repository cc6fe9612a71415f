//! Elementary functions without branches, so that loops over them vectorise: range reduction and
//! polynomials. Errors measured by the test `elementary_functions_are_accurate`: at most 3 units in
//! the last place for exp, expm1, tanh and sin, 2 units in the last place of 1 for erf.
//!
//! exp: x = n ln 2 + r, |r| <= ln 2 / 2, Taylor series in r. tanh x = m / (m + 2), m = expm1(2x).
//! erf: x P(x^2) for |x| <= 1, otherwise 1 - exp(-x^2) Q((x - 5/2)/(x + 5/2)); P and Q are Chebyshev
//! interpolants computed with 60 digits. sin: reduction by pi/2 in three parts (Cody and Waite).

macro_rules! poly {
    ($fma:ident, $x:expr, [$($c:expr),+ $(,)?]) => {{
        let x = $x;
        let c = [$($c),+];
        let mut y = c[c.len() - 1];
        let mut i = c.len() - 1;
        while i > 0 {
            i -= 1;
            y = y.fma::<$fma>(x, c[i]);
        }
        y
    }};
}

pub(super) mod single {
    use super::super::real::Real;
    pub(crate) const SIN_BOUND: f32 = 1e5;
    /// Adding it rounds to the nearest integer, which then stands in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;

    #[inline(always)]
    fn power_of_two(n: i32) -> f32 {
        f32::from_bits(((n + 127) as u32) << 23)
    }

    /// n and r of x = n ln 2 + r.
    #[inline(always)]
    fn reduce<const FMA: bool>(x: f32) -> (i32, f32) {
        let shifted = x.fma::<FMA>(std::f32::consts::LOG2_E, MAGIC);
        let n = shifted - MAGIC;
        let r = n.fma::<FMA>(-LN2_HIGH, x);
        let r = n.fma::<FMA>(-LN2_LOW, r);
        ((shifted.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32), r)
    }

    /// (e^r - 1) for a reduced r.
    #[inline(always)]
    fn small<const FMA: bool>(r: f32) -> f32 {
        let q = poly!(FMA, r, [0.5f32, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0]);
        (r * r).fma::<FMA>(q, r)
    }

    #[inline(always)]
    pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
        let x = if x > 89.0 { 89.0 } else { x };
        let x = if x < -104.0 { -104.0 } else { x };
        let (n, r) = reduce::<FMA>(x);
        let half = n >> 1;
        (1.0 + small::<FMA>(r)) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
    }

    #[inline(always)]
    pub(crate) fn expm1<const FMA: bool>(x: f32) -> f32 {
        let x = if x < -30.0 { -30.0 } else { x };
        let x = if x > 80.0 { 80.0 } else { x };
        let (n, r) = reduce::<FMA>(x);
        let scale = power_of_two(n);
        scale.fma::<FMA>(small::<FMA>(r), scale - 1.0)
    }

    #[inline(always)]
    pub(crate) fn tanh<const FMA: bool>(x: f32) -> f32 {
        let a = x.abs();
        let a = if a > 10.0 { 10.0 } else { a };
        let m = expm1::<FMA>(2.0 * a);
        (m / (m + 2.0)).copysign(x)
    }

    #[inline(always)]
    pub(crate) fn erf<const FMA: bool>(x: f32) -> f32 {
        let a = x.abs();
        let a = if a > 4.0 { 4.0 } else { a };
        let near = a * poly!(
            FMA,
            a * a,
            [
                std::f32::consts::FRAC_2_SQRT_PI,
                -0.376_126_26,
                0.112_835_95,
                -0.026_854_213,
                0.005_189_087_4,
                -8.016_864e-4,
                7.875_875e-5,
            ]
        );
        let t = (a - 2.5) / (a + 2.5);
        let q = poly!(
            FMA,
            t,
            [
                0.210_806_36f32,
                -0.371_736_73,
                0.251_713_1,
                -0.125_033_7,
                0.039_925_948,
                -0.003_971_68,
                -0.002_667_191_7,
                6.357_462e-4,
            ]
        );
        let far = 1.0 - exp::<FMA>(-a * a) * q;
        (if a > 1.0 { far } else { near }).copysign(x)
    }

    #[inline(always)]
    pub(crate) fn sin_quarter<const FMA: bool>(x: f32, quarter: i32) -> f32 {
        // The reduction in f64: exact enough with one constant over the whole bound.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let w = x as f64;
        let shifted = w.fma::<FMA>(std::f64::consts::FRAC_2_PI, MAGIC);
        let n = shifted - MAGIC;
        let r = n.fma::<FMA>(-std::f64::consts::FRAC_PI_2, w) as f32;
        let n = (shifted.to_bits() as i32).wrapping_add(quarter);
        let z = r * r;
        let s = (r * z)
            .fma::<FMA>(poly!(FMA, z, [-1.0f32 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0]), r);
        let c = z.fma::<FMA>(
            poly!(FMA, z, [-0.5f32, 1.0 / 24.0, -1.0 / 720.0, 1.0 / 40_320.0, -1.0 / 3_628_800.0]),
            1.0,
        );
        let y = if n & 1 == 0 { s } else { c };
        f32::from_bits(y.to_bits() ^ (((n & 2) as u32) << 30))
    }
}

pub(super) mod double {
    use super::super::real::Real;
    pub(crate) const SIN_BOUND: f64 = 1e6;
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

    #[inline(always)]
    fn power_of_two(n: i64) -> f64 {
        f64::from_bits(((n + 1023) as u64) << 52)
    }

    #[inline(always)]
    fn reduce<const FMA: bool>(x: f64) -> (i64, f64) {
        let shifted = x.fma::<FMA>(std::f64::consts::LOG2_E, MAGIC);
        let n = shifted - MAGIC;
        let r = n.fma::<FMA>(-LN2_HIGH, x);
        let r = n.fma::<FMA>(-LN2_LOW, r);
        ((shifted.to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64), r)
    }

    #[inline(always)]
    fn small<const FMA: bool>(r: f64) -> f64 {
        let q = poly!(
            FMA,
            r,
            [
                0.5f64,
                1.0 / 6.0,
                1.0 / 24.0,
                1.0 / 120.0,
                1.0 / 720.0,
                1.0 / 5040.0,
                1.0 / 40_320.0,
                1.0 / 362_880.0,
                1.0 / 3_628_800.0,
                1.0 / 39_916_800.0,
                1.0 / 479_001_600.0,
                1.0 / 6_227_020_800.0,
            ]
        );
        (r * r).fma::<FMA>(q, r)
    }

    #[inline(always)]
    pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
        let x = if x > 710.0 { 710.0 } else { x };
        let x = if x < -746.0 { -746.0 } else { x };
        let (n, r) = reduce::<FMA>(x);
        // A shift of 64-bit lanes with sign is not in AVX2; the halves are taken from n + 2048 >= 0.
        let half = (((n + 2048) as u64) >> 1) as i64 - 1024;
        (1.0 + small::<FMA>(r)) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
    }

    #[inline(always)]
    pub(crate) fn expm1<const FMA: bool>(x: f64) -> f64 {
        let x = if x < -60.0 { -60.0 } else { x };
        let x = if x > 80.0 { 80.0 } else { x };
        let (n, r) = reduce::<FMA>(x);
        let scale = power_of_two(n);
        scale.fma::<FMA>(small::<FMA>(r), scale - 1.0)
    }

    #[inline(always)]
    pub(crate) fn tanh<const FMA: bool>(x: f64) -> f64 {
        let a = x.abs();
        let a = if a > 20.0 { 20.0 } else { a };
        let m = expm1::<FMA>(2.0 * a);
        (m / (m + 2.0)).copysign(x)
    }

    #[inline(always)]
    pub(crate) fn erf<const FMA: bool>(x: f64) -> f64 {
        let a = x.abs();
        let a = if a > 6.0 { 6.0 } else { a };
        let near = a * poly!(
            FMA,
            a * a,
            [
                std::f64::consts::FRAC_2_SQRT_PI,
                -0.376_126_389_031_837_5,
                0.112_837_916_709_548_79,
                -0.026_866_170_645_076_793,
                0.005_223_977_624_818_014,
                -8.548_326_980_833_79e-4,
                1.205_533_111_164_271e-4,
                -1.492_559_526_683_118_2e-5,
                1.646_100_048_412_136_8e-6,
                -1.635_031_270_105_469_5e-7,
                1.465_977_527_404_743_6e-8,
                -1.137_284_885_679_167_4e-9,
                5.957_176_147_748_91e-11,
            ]
        );
        let t = (a - 2.5) / (a + 2.5);
        let q = poly!(
            FMA,
            t,
            [
                0.210_806_364_061_143_6f64,
                -0.371_736_733_948_973_4,
                0.251_713_193_217_449_4,
                -0.125_033_052_378_824_7,
                0.039_922_539_075_574_934,
                -0.003_993_701_166_223_16,
                -0.002_642_365_963_784_453,
                8.759_154_630_794_507e-4,
                2.283_803_659_815_318_2e-4,
                -1.288_774_153_636_973_6e-4,
                -3.418_206_354_980_217e-5,
                1.861_707_208_191_06e-5,
                7.551_301_779_944_253e-6,
                -2.314_093_095_114_217_7e-6,
                -1.797_063_065_406_87e-6,
                1.296_692_682_538_941_6e-7,
                3.365_700_673_623_710_4e-7,
            ]
        );
        let far = 1.0 - exp::<FMA>(-a * a) * q;
        (if a > 1.0 { far } else { near }).copysign(x)
    }

    #[inline(always)]
    pub(crate) fn sin_quarter<const FMA: bool>(x: f64, quarter: i32) -> f64 {
        // pi/2 in parts of 33, 33 and 53 bits: n times the first two is exact below SIN_BOUND.
        const P1: f64 = 1.570_796_326_734_125_6;
        const P2: f64 = 6.077_100_506_303_966e-11;
        const P3: f64 = 2.022_266_248_795_950_6e-21;
        let shifted = x.fma::<FMA>(std::f64::consts::FRAC_2_PI, MAGIC);
        let n = shifted - MAGIC;
        let r = n.fma::<FMA>(-P1, x);
        let r = n.fma::<FMA>(-P2, r);
        let r = n.fma::<FMA>(-P3, r);
        let n = (shifted.to_bits() as i64).wrapping_add(quarter as i64);
        let z = r * r;
        let s = (r * z).fma::<FMA>(
            poly!(
                FMA,
                z,
                [
                    -1.0f64 / 6.0,
                    1.0 / 120.0,
                    -1.0 / 5040.0,
                    1.0 / 362_880.0,
                    -1.0 / 39_916_800.0,
                    1.0 / 6_227_020_800.0,
                    -1.0 / 1_307_674_368_000.0,
                    1.0 / 355_687_428_096_000.0,
                ]
            ),
            r,
        );
        let c = z.fma::<FMA>(
            poly!(
                FMA,
                z,
                [
                    -0.5f64,
                    1.0 / 24.0,
                    -1.0 / 720.0,
                    1.0 / 40_320.0,
                    -1.0 / 3_628_800.0,
                    1.0 / 479_001_600.0,
                    -1.0 / 87_178_291_200.0,
                    1.0 / 20_922_789_888_000.0,
                    -1.0 / 6_402_373_705_728_000.0,
                ]
            ),
            1.0,
        );
        let y = if n & 1 == 0 { s } else { c };
        f64::from_bits(y.to_bits() ^ (((n & 2) as u64) << 62))
    }
}
