//! The two number types the operations work in (`f32`, `f64`), the choice between them, and the
//! way work is split over threads.
//!
//! Threads: the pool is rayon's global one, sized by `RAYON_NUM_THREADS` (as candle's is). Work is
//! split over samples, rows or blocks of a fixed size only, and every sum has one fixed order, so
//! results are the same bytes on any number of threads.

use candle_core::WithDType;
use rayon::prelude::*;

use super::lanes::Kernels;

/// `f32` or `f64`: arithmetic, bits, and the kernels chosen for this processor.
pub(crate) trait Real:
    WithDType
    + Copy
    + Send
    + Sync
    + 'static
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::SubAssign
    + std::ops::MulAssign
    + PartialOrd
{
    const ZERO: Self;
    const ONE: Self;
    const MIN: Self;
    /// A number of the type nearest to `x`.
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    fn sqrt(self) -> Self;
    fn ln(self) -> Self;
    /// `self * b + c`, fused where `FMA` says the processor can.
    fn fma<const FMA: bool>(self, b: Self, c: Self) -> Self;
    /// `e^self`, branch free.
    fn exp<const FMA: bool>(self) -> Self;
    /// `e^self - 1`, branch free, for `self <= 80`.
    fn expm1<const FMA: bool>(self) -> Self;
    fn tanh<const FMA: bool>(self) -> Self;
    fn erf<const FMA: bool>(self) -> Self;
    /// Sine of `self + quarter * pi/2` for `|self| <= SIN_BOUND`.
    fn sin_quarter<const FMA: bool>(self, quarter: i32) -> Self;
    const SIN_BOUND: Self;
    /// The library's sine and cosine, for arguments beyond `SIN_BOUND`.
    fn sin_far(self, quarter: i32) -> Self;
    fn abs(self) -> Self;
    fn kernels() -> &'static Kernels<Self>;
    /// The numbers of a storage of this type.
    fn numbers(storage: &mut candle_core::CpuStorage) -> candle_core::Result<&mut [Self]>;
}

macro_rules! real {
    ($t:ident, $variant:ident, $kernels:path, $math:ident) => {
        impl Real for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            const MIN: $t = $t::NEG_INFINITY;
            const SIN_BOUND: $t = super::math::$math::SIN_BOUND;
            #[inline(always)]
            fn of(x: f64) -> $t {
                x as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn sqrt(self) -> $t {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn ln(self) -> $t {
                $t::ln(self)
            }
            #[inline(always)]
            fn abs(self) -> $t {
                $t::abs(self)
            }
            #[inline(always)]
            fn fma<const FMA: bool>(self, b: $t, c: $t) -> $t {
                if FMA { self.mul_add(b, c) } else { self * b + c }
            }
            #[inline(always)]
            fn exp<const FMA: bool>(self) -> $t {
                super::math::$math::exp::<FMA>(self)
            }
            #[inline(always)]
            fn expm1<const FMA: bool>(self) -> $t {
                super::math::$math::expm1::<FMA>(self)
            }
            #[inline(always)]
            fn tanh<const FMA: bool>(self) -> $t {
                super::math::$math::tanh::<FMA>(self)
            }
            #[inline(always)]
            fn erf<const FMA: bool>(self) -> $t {
                super::math::$math::erf::<FMA>(self)
            }
            #[inline(always)]
            fn sin_quarter<const FMA: bool>(self, quarter: i32) -> $t {
                super::math::$math::sin_quarter::<FMA>(self, quarter)
            }
            fn sin_far(self, quarter: i32) -> $t {
                match quarter & 3 {
                    0 => $t::sin(self),
                    1 => $t::cos(self),
                    2 => -$t::sin(self),
                    _ => -$t::cos(self),
                }
            }
            fn kernels() -> &'static Kernels<$t> {
                $kernels()
            }
            fn numbers(storage: &mut candle_core::CpuStorage) -> candle_core::Result<&mut [$t]> {
                match storage {
                    candle_core::CpuStorage::$variant(v) => Ok(v),
                    other => Err(candle_core::Error::UnsupportedDTypeForOp(
                        candle_core::backend::BackendStorage::dtype(other),
                        "a change in place",
                    )),
                }
            }
        }
    };
}
real!(f32, F32, super::lanes::kernels_f32, single);
real!(f64, F64, super::lanes::kernels_f64, double);

/// Runs a body with the type alias `$t` standing for the dtype's number type.
macro_rules! by_type {
    ($dtype:expr, $name:expr, $t:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $t = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $t = f64;
                $body
            }
            other => Err(candle_core::Error::UnsupportedDTypeForOp(other, $name)),
        }
    };
}
pub(crate) use by_type;

/// Whether the processor has AVX2 and fused multiply-add.
#[inline]
pub(crate) fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Defines a function over slices whose loops the compiler vectorises twice: for AVX2 with fused
/// multiply-add (`FMA` is true in the body), and for the target's base instruction set. Which one
/// runs is found at run time; the two differ by the rounding of `a * b + c`.
macro_rules! vectorised {
    ($(#[$m:meta])* $vis:vis fn $name:ident<$t:ident $(, const $c:ident: $ct:ty)*>($($a:ident: $at:ty),* $(,)?) $(-> $r:ty)? $body:block) => {
        $(#[$m])*
        #[allow(clippy::too_many_arguments)] // kernels take their operands apart
        $vis fn $name<$t: $crate::networks::ops::real::Real $(, const $c: $ct)*>($($a: $at),*) $(-> $r)? {
            #[allow(clippy::too_many_arguments)] // as above
            #[inline(always)]
            fn body<$t: $crate::networks::ops::real::Real $(, const $c: $ct)*, const FMA: bool>($($a: $at),*) $(-> $r)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx2,fma")]
                fn wide<$t: $crate::networks::ops::real::Real $(, const $c: $ct)*>($($a: $at),*) $(-> $r)? {
                    body::<$t $(, $c)*, true>($($a),*)
                }
                if $crate::networks::ops::real::has_fma() {
                    // SAFETY: the processor has the features `wide` is compiled for.
                    return unsafe { wide::<$t $(, $c)*>($($a),*) };
                }
            }
            body::<$t $(, $c)*, false>($($a),*)
        }
    };
}
pub(crate) use vectorised;

/// Number of threads the operations may use.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Elements below which a job is not worth a second thread.
const GRAIN: usize = 1 << 15;

/// A vector of `n` numbers whose values are not set yet.
///
/// Every kernel here writes all elements of its output before any is read.
pub(crate) fn unset<T: Real>(n: usize) -> Vec<T> {
    let mut v: Vec<std::mem::MaybeUninit<T>> = Vec::with_capacity(n);
    // SAFETY: `MaybeUninit` needs no initialisation, and the capacity is `n`.
    unsafe { v.set_len(n) };
    let mut v = std::mem::ManuallyDrop::new(v);
    // SAFETY: same allocation, size and alignment; all bit patterns are numbers, and the callers
    // write every element before reading it. Zeroing instead costs a pass over memory in each op.
    unsafe { Vec::from_raw_parts(v.as_mut_ptr().cast::<T>(), n, v.capacity()) }
}

/// Runs `job(i, chunk)` over the consecutive chunks of `out`, on several threads where it pays.
pub(crate) fn chunks<T: Send>(out: &mut [T], size: usize, job: impl Fn(usize, &mut [T]) + Send + Sync) {
    if size == 0 {
        return;
    }
    if threads() > 1 && out.len() > GRAIN && out.len() > size {
        out.par_chunks_mut(size).enumerate().for_each(|(i, c)| job(i, c));
    } else {
        out.chunks_mut(size).enumerate().for_each(|(i, c)| job(i, c));
    }
}

/// Runs `job(i)` for `i` in `0..n`, on several threads where `work` (in elements) is worth it.
pub(crate) fn each(n: usize, work: usize, job: impl Fn(usize) + Send + Sync) {
    if threads() > 1 && n > 1 && work > GRAIN {
        (0..n).into_par_iter().for_each(job);
    } else {
        (0..n).for_each(job);
    }
}

/// Rows per chunk so that a chunk has about `GRAIN / 2` elements; depends on the shape only.
pub(crate) fn rows_per_chunk(row: usize) -> usize {
    (GRAIN / 2 / row.max(1)).max(1)
}

/// A pointer that may be sent to the threads of one job, which write disjoint parts through it.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(*mut T);
// SAFETY: users write disjoint ranges from different threads, as each use states.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Shared<T> {
        Shared(slice.as_mut_ptr())
    }
    /// The slice `[start, start + len)`.
    ///
    /// # Safety
    /// The range lies in the slice given to `new`, which outlives the result, and no other thread
    /// uses any part of it at the same time.
    #[allow(clippy::mut_from_ref)] // disjointness is the caller's promise
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}
