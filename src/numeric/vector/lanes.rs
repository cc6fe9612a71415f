//! Loops over chunks of [`LANES`] numbers, compiled once for each [`Level`]. The inner loop has a fixed length
//! and no branch, so that the compiler turns it into vector instructions. An operand is a pointer to chunks and a
//! step: 1 walks them, 0 reads the first again and again, which is how a constant costs no memory.

use super::level::{Base, Fused, Level, Unit};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Numbers in a chunk.
pub(crate) const LANES: usize = 64;

/// What a loop turns over at once.
pub(crate) type Chunk<T> = [T; LANES];

/// Single or double precision.
pub(crate) trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    const NAN: Self;
    fn from_double(x: f64) -> Self;
    fn to_double(self) -> f64;
    fn floor(self) -> Self;
    fn map<M: Map, U: Unit, const EASY: bool>(self) -> Self;
    fn zip<Z: Zip, U: Unit, const EASY: bool>(self, other: Self) -> Self;
}

macro_rules! real {
    ($T:ident, $method:ident, $easy:ident) => {
        impl Real for $T {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = $T::NAN;
            #[inline(always)]
            fn from_double(x: f64) -> Self {
                x as $T
            }
            #[inline(always)]
            fn to_double(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $T::floor(self)
            }
            #[inline(always)]
            fn map<M: Map, U: Unit, const EASY: bool>(self) -> Self {
                if EASY { M::$easy::<U>(self) } else { M::$method::<U>(self) }
            }
            #[inline(always)]
            fn zip<Z: Zip, U: Unit, const EASY: bool>(self, other: Self) -> Self {
                if EASY { Z::$easy::<U>(self, other) } else { Z::$method::<U>(self, other) }
            }
        }
    };
}
real!(f64, double, easy_double);
real!(f32, single, easy_single);

/// A function of one number. Chunks whose numbers are all easy take a shorter way to the same bits.
pub(crate) trait Map: 'static {
    /// Whether some arguments go to [`Map::slow`].
    const HAS_FAR: bool = false;
    /// Whether the easy functions differ from the others.
    const HAS_EASY: bool = false;
    fn double<U: Unit>(x: f64) -> f64;
    fn single<U: Unit>(x: f32) -> f32;
    #[inline(always)]
    fn easy_double<U: Unit>(x: f64) -> f64 {
        Self::double::<U>(x)
    }
    #[inline(always)]
    fn easy_single<U: Unit>(x: f32) -> f32 {
        Self::single::<U>(x)
    }
    #[inline(always)]
    fn is_easy(_: f64) -> bool {
        true
    }
    #[inline(always)]
    fn is_far(_: f64) -> bool {
        false
    }
    fn slow(_: f64) -> f64 {
        f64::NAN
    }
}

/// A function of two numbers, as [`Map`].
pub(crate) trait Zip: 'static {
    const HAS_EASY: bool = false;
    fn double<U: Unit>(x: f64, y: f64) -> f64;
    fn single<U: Unit>(x: f32, y: f32) -> f32;
    #[inline(always)]
    fn easy_double<U: Unit>(x: f64, y: f64) -> f64 {
        Self::double::<U>(x, y)
    }
    #[inline(always)]
    fn easy_single<U: Unit>(x: f32, y: f32) -> f32 {
        Self::single::<U>(x, y)
    }
    #[inline(always)]
    fn is_easy(_: f64, _: f64) -> bool {
        true
    }
}

/// Where an operand stands: a pointer to chunks, as many as the loop turns over or one.
#[derive(Clone, Copy)]
pub(crate) struct Source<T> {
    first: *const Chunk<T>,
    /// 1, or 0 for a constant.
    step: usize,
}

impl<T> Source<T> {
    /// Chunks one after another.
    #[inline(always)]
    pub fn chunks(first: *const Chunk<T>) -> Source<T> {
        Source { first, step: 1 }
    }

    /// One chunk, read again and again.
    #[inline(always)]
    pub fn constant(first: *const Chunk<T>) -> Source<T> {
        Source { first, step: 0 }
    }

    /// The operand `chunks` further on.
    #[inline(always)]
    pub fn further(self, chunks: usize) -> Source<T> {
        Source { first: self.first.wrapping_add(chunks), step: self.step }
    }

    /// # Safety
    /// The chunk must lie in memory that is read only, or not at all, by others.
    #[inline(always)]
    pub unsafe fn at<'a>(self, chunk: usize) -> &'a Chunk<T> {
        // SAFETY: the caller's.
        unsafe { &*self.first.add(chunk * self.step) }
    }
}

/// A loop compiled for a level: fills the chunks from operands that it reads.
pub(crate) type Kernel<T> = unsafe fn(&mut [Chunk<T>], &[Source<T>; 3]);

/// The source of a loop.
pub(crate) trait Body<T> {
    /// # Safety
    /// Operands that the loop reads have as many chunks as `out`, apart from it, or one and the step 0.
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]);
}

/// The loop for a level, which the processor must have.
pub(crate) fn kernel<T: 'static, B: Body<T>>(level: Level) -> Kernel<T> {
    match level {
        Level::Portable => portable::<T, B>,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => avx2::<T, B>,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => avx512::<T, B>,
        #[cfg(not(target_arch = "x86_64"))]
        _ => portable::<T, B>,
    }
}

unsafe fn portable<T, B: Body<T>>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
    // SAFETY: the caller's.
    unsafe { B::run::<Base>(out, operands) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<T, B: Body<T>>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
    // SAFETY: the caller's.
    unsafe { B::run::<Fused>(out, operands) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512<T, B: Body<T>>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
    // SAFETY: the caller's.
    unsafe { B::run::<Fused>(out, operands) }
}

/// The loop of a [`Map`].
pub(crate) struct MapLoop<M>(std::marker::PhantomData<M>);

impl<T: Real, M: Map> Body<T> for MapLoop<M> {
    #[inline(always)]
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
        for (i, o) in out.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let x = unsafe { operands[0].at(i) };
            if M::HAS_EASY && x.iter().fold(true, |easy, x| easy & M::is_easy(x.to_double())) {
                for (o, x) in o.iter_mut().zip(x) {
                    *o = x.map::<M, U, true>();
                }
                continue;
            }
            for (o, x) in o.iter_mut().zip(x) {
                *o = x.map::<M, U, false>();
            }
            if M::HAS_FAR && x.iter().fold(false, |far, x| far | M::is_far(x.to_double())) {
                far_lanes::<T, M>(o, x);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn far_lanes<T: Real, M: Map>(out: &mut Chunk<T>, x: &Chunk<T>) {
    for (o, x) in out.iter_mut().zip(x) {
        if M::is_far(x.to_double()) {
            *o = T::from_double(M::slow(x.to_double()));
        }
    }
}

/// The loop of a [`Zip`].
pub(crate) struct ZipLoop<Z>(std::marker::PhantomData<Z>);

impl<T: Real, Z: Zip> Body<T> for ZipLoop<Z> {
    #[inline(always)]
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
        for (i, o) in out.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let (x, y) = unsafe { (operands[0].at(i), operands[1].at(i)) };
            let is_easy = |(x, y): (&T, &T)| Z::is_easy(x.to_double(), y.to_double());
            if Z::HAS_EASY && x.iter().zip(y).fold(true, |easy, pair| easy & is_easy(pair)) {
                for ((o, x), y) in o.iter_mut().zip(x).zip(y) {
                    *o = x.zip::<Z, U, true>(*y);
                }
                continue;
            }
            for ((o, x), y) in o.iter_mut().zip(x).zip(y) {
                *o = x.zip::<Z, U, false>(*y);
            }
        }
    }
}

/// Runs code that is written for a [`Unit`] with the instructions of a level.
pub(crate) trait Task {
    type Output;
    fn run<U: Unit>(self) -> Self::Output;
}

/// Runs a task: [`Level::Avx512`] as [`Level::Avx2`] with the same bits.
#[inline]
pub(crate) fn run<K: Task>(level: Level, task: K) -> K::Output {
    match level {
        Level::Portable => task.run::<Base>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Level::or_less` has cut the level to what the processor has.
        _ => unsafe { run_fused(task) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => task.run::<Base>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_fused<K: Task>(task: K) -> K::Output {
    task.run::<Fused>()
}
