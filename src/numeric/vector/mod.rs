//! Elementary functions of lists, in double and single precision, as vector instructions of the running
//! processor. Largest errors over the whole range stand in the book (engines/numeric) and are tested; special
//! values are those of IEEE 754 and of C's annex F. Methods and sources: `exponential.rs`, `logarithm.rs`,
//! `trigonometric.rs`; single precision is computed in double with shorter polynomials. Sine, cosine and
//! tangent of arguments beyond 2^30 go number by number to the `libm` crate.

mod exponential;
pub(crate) mod lanes;
mod level;
mod logarithm;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod trigonometric;

use crate::expression::Function;
use lanes::{Chunk, Kernel, LANES, Map, MapLoop, Real, Source, Task, Zip, ZipLoop, kernel, run};
pub(crate) use level::Unit;

pub use level::Level;

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the names are the documentation
pub enum Elementary {
    Exp,
    Log,
    Log2,
    Log10,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
}

impl Elementary {
    /// The vectorised form of a function, where there is one.
    pub fn of(f: Function) -> Option<Elementary> {
        Some(match f {
            Function::Exp => Elementary::Exp,
            Function::Log => Elementary::Log,
            Function::Log2 => Elementary::Log2,
            Function::Log10 => Elementary::Log10,
            Function::Sin => Elementary::Sin,
            Function::Cos => Elementary::Cos,
            Function::Tan => Elementary::Tan,
            Function::Asin => Elementary::Asin,
            Function::Acos => Elementary::Acos,
            Function::Atan => Elementary::Atan,
            Function::Sinh => Elementary::Sinh,
            Function::Cosh => Elementary::Cosh,
            Function::Tanh => Elementary::Tanh,
            _ => return None,
        })
    }
}

macro_rules! maps {
    ($($name:ident: $file:ident::$double:ident, $single:ident $(, far $slow:ident)? $(, easy $easy:ident $is_easy:expr)?;)*) => {
        $(
            pub(crate) struct $name;
            impl Map for $name {
                #[inline(always)]
                fn double<U: Unit>(x: f64) -> f64 {
                    $file::$double::<U>(x)
                }
                #[inline(always)]
                fn single<U: Unit>(x: f32) -> f32 {
                    $file::$single::<U>(x)
                }
                $(
                    const HAS_FAR: bool = true;
                    #[inline(always)]
                    fn is_far(x: f64) -> bool {
                        (x.abs() > trigonometric::FAR) & (x.abs() < f64::INFINITY)
                    }
                    fn slow(x: f64) -> f64 {
                        libm::$slow(x)
                    }
                )?
                $(
                    const HAS_EASY: bool = true;
                    #[inline(always)]
                    fn is_easy(x: f64) -> bool {
                        $is_easy(x)
                    }
                    #[inline(always)]
                    fn easy_double<U: Unit>(x: f64) -> f64 {
                        $file::$easy::<U>(x)
                    }
                )?
            }
        )*

        impl Elementary {
            /// All of them.
            pub const ALL: &'static [Elementary] = &[$(Elementary::$name),*];

            /// The loop over chunks.
            pub(crate) fn kernel<T: Real>(self, level: Level) -> Kernel<T> {
                match self {
                    $(Elementary::$name => kernel::<T, MapLoop<$name>>(level),)*
                }
            }

            /// One value, with the bits of [`Elementary::apply`].
            #[inline(always)]
            pub(crate) fn at<U: Unit>(self, x: f64) -> f64 {
                match self {
                    $(Elementary::$name if $name::is_far(x) => $name::slow(x),
                    Elementary::$name => $name::double::<U>(x),)*
                }
            }

            /// Its name in lower case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Elementary::$name => stringify!($double),)*
                }
            }
        }
    };
}

maps! {
    Exp: exponential::exp, exp_single, easy exp_easy |x: f64| x.abs() < exponential::EASY;
    Log: logarithm::log, log_single, easy log_easy logarithm::is_easy_log;
    Log2: logarithm::log2, log2_single;
    Log10: logarithm::log10, log10_single;
    Sin: trigonometric::sin, sin_single, far sin;
    Cos: trigonometric::cos, cos_single, far cos;
    Tan: trigonometric::tan, tan_single, far tan;
    Asin: trigonometric::asin, asin_single;
    Acos: trigonometric::acos, acos_single;
    Atan: trigonometric::atan, atan_single;
    Sinh: exponential::sinh, sinh_single;
    Cosh: exponential::cosh, cosh_single;
    Tanh: exponential::tanh, tanh_single;
}

/// `x^y`.
pub(crate) struct Pow;

impl Zip for Pow {
    #[inline(always)]
    fn double<U: Unit>(x: f64, y: f64) -> f64 {
        logarithm::pow::<U>(x, y)
    }
    #[inline(always)]
    fn single<U: Unit>(x: f32, y: f32) -> f32 {
        logarithm::pow_single::<U>(x, y)
    }
    const HAS_EASY: bool = true;
    #[inline(always)]
    fn is_easy(x: f64, y: f64) -> bool {
        logarithm::is_easy_pow(x, y)
    }
    #[inline(always)]
    fn easy_double<U: Unit>(x: f64, y: f64) -> f64 {
        logarithm::pow_easy::<U>(x, y)
    }
    #[inline(always)]
    fn easy_single<U: Unit>(x: f32, y: f32) -> f32 {
        logarithm::pow_single_easy::<U>(x, y)
    }
}

impl Elementary {
    /// Fills `out` with the values at `x`, as many as the shorter list has.
    pub fn apply(self, level: Level, x: &[f64], out: &mut [f64]) {
        let level = level.or_less();
        over(self.kernel(level), x, x, out);
    }

    /// The same in single precision.
    pub fn apply_f32(self, level: Level, x: &[f32], out: &mut [f32]) {
        let level = level.or_less();
        over(self.kernel(level), x, x, out);
    }

    /// One value, with the bits of [`Elementary::apply`].
    pub fn value(self, level: Level, x: f64) -> f64 {
        struct One(Elementary, f64);
        impl Task for One {
            type Output = f64;
            #[inline(always)]
            fn run<U: Unit>(self) -> f64 {
                self.0.at::<U>(self.1)
            }
        }
        run(level.or_less(), One(self, x))
    }
}

/// Fills `out` with `x^y`, as many as the shortest list has.
pub fn pow(level: Level, x: &[f64], y: &[f64], out: &mut [f64]) {
    over(kernel::<f64, ZipLoop<Pow>>(level.or_less()), x, y, out);
}

/// The same in single precision.
pub fn pow_f32(level: Level, x: &[f32], y: &[f32], out: &mut [f32]) {
    over(kernel::<f32, ZipLoop<Pow>>(level.or_less()), x, y, out);
}

/// Whole chunks in place, the rest by way of a chunk of its own.
fn over<T: Real>(kernel: Kernel<T>, x: &[T], y: &[T], out: &mut [T]) {
    let length = x.len().min(y.len()).min(out.len());
    let (x_chunks, x_rest) = x[..length].as_chunks::<LANES>();
    let (y_chunks, y_rest) = y[..length].as_chunks::<LANES>();
    let (out_chunks, out_rest) = out[..length].as_chunks_mut::<LANES>();
    let (x, y) = (Source::chunks(x_chunks.as_ptr()), Source::chunks(y_chunks.as_ptr()));
    // SAFETY: the lists have the chunks of `out`, and the level of the kernel has been cut to the processor's.
    unsafe { kernel(out_chunks, &[x, y, y]) };
    if !out_rest.is_empty() {
        let (x, y) = (filled(x_rest), filled(y_rest));
        let (x, y) = (Source::constant(&x), Source::constant(&y));
        let mut last = [[T::ZERO; LANES]];
        // SAFETY: as above.
        unsafe { kernel(&mut last, &[x, y, y]) };
        out_rest.copy_from_slice(&last[0][..out_rest.len()]);
    }
}

/// A chunk that begins with some numbers; the others are any that no function finds hard.
fn filled<T: Real>(numbers: &[T]) -> Chunk<T> {
    let mut chunk = [T::ONE; LANES];
    chunk[..numbers.len()].copy_from_slice(numbers);
    chunk
}
