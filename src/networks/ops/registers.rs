//! Vector registers behind one trait: those of AVX-512, of AVX2 with fused multiply-add, and four numbers
//! side by side for every other processor.

/// A vector register of numbers.
pub(super) trait Lanes: Copy {
    type T: Copy;
    const WIDTH: usize;
    unsafe fn zero() -> Self;
    unsafe fn splat(x: Self::T) -> Self;
    unsafe fn load(p: *const Self::T) -> Self;
    unsafe fn store(self, p: *mut Self::T);
    /// `self * b + c`
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    unsafe fn sum(self) -> Self::T;
}

macro_rules! base_lanes {
    ($t:ident) => {
        impl Lanes for [$t; 4] {
            type T = $t;
            const WIDTH: usize = 4;
            #[inline(always)]
            unsafe fn zero() -> Self {
                [0.0; 4]
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                [x; 4]
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: the caller's promise of four readable numbers.
                unsafe { p.cast::<[$t; 4]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: the caller's promise of four writable numbers.
                unsafe { p.cast::<[$t; 4]>().write_unaligned(self) }
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                let mut y = c;
                for i in 0..4 {
                    y[i] += self[i] * b[i];
                }
                y
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                (self[0] + self[2]) + (self[1] + self[3])
            }
        }
    };
}
base_lanes!(f32);
base_lanes!(f64);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;
    macro_rules! lanes {
        ($v:ident, $t:ident, $w:expr, $zero:ident, $splat:ident, $load:ident, $store:ident, $fma:ident) => {
            impl Lanes for $v {
                type T = $t;
                const WIDTH: usize = $w;
                // SAFETY of all: called only from functions compiled for, and run on, processors
                // with these instructions; pointers are the callers' promise.
                #[inline(always)]
                unsafe fn zero() -> Self {
                    unsafe { $zero() }
                }
                #[inline(always)]
                unsafe fn splat(x: $t) -> Self {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(p: *const $t) -> Self {
                    unsafe { $load(p) }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut $t) {
                    unsafe { $store(p, self) }
                }
                #[inline(always)]
                unsafe fn fma(self, b: Self, c: Self) -> Self {
                    unsafe { $fma(self, b, c) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $t {
                    let mut x = [0.0; $w];
                    unsafe { $store(x.as_mut_ptr(), self) };
                    let mut half = $w / 2;
                    while half > 0 {
                        for i in 0..half {
                            x[i] += x[i + half];
                        }
                        half /= 2;
                    }
                    x[0]
                }
            }
        };
    }
    lanes!(
        __m512,
        f32,
        16,
        _mm512_setzero_ps,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps
    );
    lanes!(
        __m512d,
        f64,
        8,
        _mm512_setzero_pd,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd
    );
    lanes!(
        __m256,
        f32,
        8,
        _mm256_setzero_ps,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps
    );
    lanes!(
        __m256d,
        f64,
        4,
        _mm256_setzero_pd,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd
    );
}
