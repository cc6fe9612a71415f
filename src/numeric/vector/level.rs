//! Which instructions the loops may use, chosen once a tape or a call from what the processor has. AVX2 and
//! AVX-512 run the same source with fused multiply-adds, so both give the same bits; a processor of another kind
//! with fused multiply-adds gives them too. Without them a product and a sum are rounded apart, which may move
//! the last bit.

/// The instructions that a loop is compiled for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// What every processor of the target has.
    Portable,
    /// x86-64 with AVX2 and FMA: four doubles at once.
    Avx2,
    /// x86-64 with AVX-512 F, VL, DQ and BW: eight doubles at once.
    Avx512,
}

impl Level {
    /// The best that this processor has.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            let fused = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            if fused && wide {
                return Level::Avx512;
            }
            if fused {
                return Level::Avx2;
            }
        }
        Level::Portable
    }

    /// All that this processor has, the least first.
    pub fn available() -> Vec<Level> {
        let best = Level::detect();
        [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|level| *level <= best).collect()
    }

    /// This level, or the best that the processor has if it lacks it.
    pub fn or_less(self) -> Level {
        self.min(Level::detect())
    }
}

/// How products and sums are rounded.
pub(crate) trait Unit: Copy + 'static {
    /// `a*b + c`, rounded once where [`Fused`].
    fn fma(a: f64, b: f64, c: f64) -> f64;
    /// `a*b - product`, exact, where `product` is `a*b` rounded.
    fn product_error(a: f64, b: f64, product: f64) -> f64;
    /// `c - a*b` where the result is exact or nearly so.
    fn minus_product(c: f64, a: f64, b: f64) -> f64;
}

/// One rounding a multiply-add.
#[derive(Clone, Copy)]
#[allow(dead_code)] // some targets use one of the two
pub(crate) struct Fused;

/// Two roundings; for processors without the instruction.
#[derive(Clone, Copy)]
#[allow(dead_code)] // some targets use one of the two
pub(crate) struct Apart;

impl Unit for Fused {
    #[inline(always)]
    fn fma(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
    #[inline(always)]
    fn product_error(a: f64, b: f64, product: f64) -> f64 {
        a.mul_add(b, -product)
    }
    #[inline(always)]
    fn minus_product(c: f64, a: f64, b: f64) -> f64 {
        (-a).mul_add(b, c)
    }
}

impl Unit for Apart {
    #[inline(always)]
    fn fma(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }

    /// Halves of 26 bits (Veltkamp; Dekker, Numer. Math. 18 (1971) 224).
    #[inline(always)]
    fn product_error(a: f64, b: f64, product: f64) -> f64 {
        let halves = |x: f64| {
            let big = x * 134_217_729.0;
            let high = big - (big - x);
            (high, x - high)
        };
        let ((ah, al), (bh, bl)) = (halves(a), halves(b));
        ((ah * bh - product) + ah * bl + al * bh) + al * bl
    }

    #[inline(always)]
    fn minus_product(c: f64, a: f64, b: f64) -> f64 {
        let product = a * b;
        (c - product) - Self::product_error(a, b, product)
    }
}

/// What the portable level uses: fused where every processor of the target has it.
#[cfg(any(target_arch = "aarch64", target_feature = "fma"))]
pub(crate) type Base = Fused;
/// What the portable level uses.
#[cfg(not(any(target_arch = "aarch64", target_feature = "fma")))]
pub(crate) type Base = Apart;

/// `a + b` and its rounding error (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// The same where `a` is 0 or not smaller than `b` (Dekker).
#[inline(always)]
pub(crate) fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// `c[0] + c[1] x + ...` by Horner's rule.
#[inline(always)]
pub(crate) fn polynomial<U: Unit, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let mut sum = c[N - 1];
    let mut at = N - 1;
    while at > 0 {
        at -= 1;
        sum = U::fma(sum, x, c[at]);
    }
    sum
}

/// 1.5 * 2^52: added, it leaves the nearest integer in the low bits.
pub(crate) const SHIFT: f64 = 6_755_399_441_055_744.0;

/// `2^n` for an integer `n` from -1022 to 1023, given as `n + SHIFT`.
#[inline(always)]
pub(crate) fn power_of_two(shifted: f64) -> f64 {
    f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()))
}
