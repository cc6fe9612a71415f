//! The loops of the instructions: arithmetic, two arithmetic operations in one pass (the value between them never
//! leaves a register), roots, rounding, conditions. Elementary functions: `numeric::vector`.

use super::Op;
use crate::expression::{Function, Relation};
use crate::numeric::vector::lanes::{Body, Chunk, Kernel, Map, MapLoop, Real, Source, Zip, ZipLoop, kernel};
use crate::numeric::vector::{Elementary, Level, Pow, Unit};
use std::marker::PhantomData;

/// The arithmetic of two numbers; the reversed ones take the second operand first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    SubFrom,
    DivInto,
}

trait Both: 'static {
    fn of<T: Real>(a: T, b: T) -> T;
}

macro_rules! both {
    ($($name:ident |$a:ident, $b:ident| $value:expr;)*) => {$(
        struct $name;
        impl Both for $name {
            #[inline(always)]
            fn of<T: Real>($a: T, $b: T) -> T {
                $value
            }
        }
        impl Zip for $name {
            #[inline(always)]
            fn double<U: Unit>(a: f64, b: f64) -> f64 {
                Self::of(a, b)
            }
            #[inline(always)]
            fn single<U: Unit>(a: f32, b: f32) -> f32 {
                Self::of(a, b)
            }
        }
    )*};
}

#[inline(always)]
fn truth<T: Real>(a: T, b: T, holds: bool) -> T {
    let value = if holds { T::ONE } else { T::ZERO };
    if is_nan(a) | is_nan(b) { T::NAN } else { value }
}

#[inline(always)]
#[allow(clippy::eq_op)] // NaN alone differs from itself
fn is_nan<T: Real>(a: T) -> bool {
    a != a
}

#[inline(always)]
fn and_of<T: Real>(a: T, b: T) -> T {
    if (a == T::ZERO) | (b == T::ZERO) { T::ZERO } else { a * b }
}

both! {
    Add |a, b| a + b;
    Sub |a, b| a - b;
    Mul |a, b| a * b;
    Div |a, b| a / b;
    SubFrom |a, b| b - a;
    DivInto |a, b| b / a;
    Eq |a, b| truth(a, b, a == b);
    Ne |a, b| truth(a, b, a != b);
    Lt |a, b| truth(a, b, a < b);
    Le |a, b| truth(a, b, a <= b);
    Gt |a, b| truth(a, b, a > b);
    Ge |a, b| truth(a, b, a >= b);
    And |a, b| and_of(a, b);
    Or |a, b| T::ONE - and_of(T::ONE - a, T::ONE - b);
    Min |a, b| if is_nan(a) | is_nan(b) { T::NAN } else if b < a { b } else { a };
    Max |a, b| if is_nan(a) | is_nan(b) { T::NAN } else if b > a { b } else { a };
    // The sign is that of `b`.
    Mod |a, b| a - b * (a / b).floor();
}

macro_rules! one {
    ($($name:ident |$x:ident| $value:expr;)*) => {$(
        struct $name;
        impl Map for $name {
            #[inline(always)]
            fn double<U: Unit>($x: f64) -> f64 {
                $value
            }
            #[inline(always)]
            fn single<U: Unit>($x: f32) -> f32 {
                $value
            }
        }
    )*};
}

one! {
    Neg |x| -x;
    Sqrt |x| x.sqrt();
    Not |x| 1.0 - x;
    Abs |x| x.abs();
    Floor |x| x.floor();
    Ceil |x| x.ceil();
    Sign |x| if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x * 0.0 };
}

/// `out = (a X b) Y c`.
struct PairLoop<X, Y>(PhantomData<(X, Y)>);

impl<T: Real, X: Both, Y: Both> Body<T> for PairLoop<X, Y> {
    #[inline(always)]
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
        for (i, o) in out.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let (x, y, z) = unsafe { (operands[0].at(i), operands[1].at(i), operands[2].at(i)) };
            for (((o, x), y), z) in o.iter_mut().zip(x).zip(y).zip(z) {
                *o = Y::of(X::of(*x, *y), *z);
            }
        }
    }
}

struct SelectLoop;

impl<T: Real> Body<T> for SelectLoop {
    #[inline(always)]
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
        for (i, o) in out.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let (c, x, y) = unsafe { (operands[0].at(i), operands[1].at(i), operands[2].at(i)) };
            for (((o, c), x), y) in o.iter_mut().zip(c).zip(x).zip(y) {
                *o = select(*c, *x, *y);
            }
        }
    }
}

/// The first where the condition is not 0, NaN where it is NaN.
#[inline(always)]
pub(super) fn select<T: Real>(condition: T, a: T, b: T) -> T {
    let value = if condition == T::ZERO { b } else { a };
    if is_nan(condition) { T::NAN } else { value }
}

struct CopyLoop;

impl<T: Real> Body<T> for CopyLoop {
    #[inline(always)]
    unsafe fn run<U: Unit>(out: &mut [Chunk<T>], operands: &[Source<T>; 3]) {
        for (i, o) in out.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *o = *unsafe { operands[0].at(i) };
        }
    }
}

/// What one pass over a block does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Pass {
    /// The operand as it is.
    Copy,
    Arithmetic(Arithmetic),
    /// `(a X b) Y c`.
    Pair(Arithmetic, Arithmetic),
    Power,
    /// Any other instruction; its operands are those of the pass.
    Other(Op),
}

/// How a pass is run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run<T> {
    Loop(Kernel<T>),
    /// Number by number, in double precision.
    Each(fn(&[f64]) -> f64, usize),
}

/// The loop of a pass at a level.
pub(super) fn runner<T: Real>(pass: Pass, level: Level) -> Run<T> {
    use Arithmetic as A;
    fn zip<T: Real, Z: Zip>(level: Level) -> Run<T> {
        Run::Loop(kernel::<T, ZipLoop<Z>>(level))
    }
    fn map<T: Real, M: Map>(level: Level) -> Run<T> {
        Run::Loop(kernel::<T, MapLoop<M>>(level))
    }
    fn pair<T: Real, X: Both>(second: A, level: Level) -> Run<T> {
        Run::Loop(match second {
            A::Add => kernel::<T, PairLoop<X, Add>>(level),
            A::Sub => kernel::<T, PairLoop<X, Sub>>(level),
            A::Mul => kernel::<T, PairLoop<X, Mul>>(level),
            A::Div => kernel::<T, PairLoop<X, Div>>(level),
            A::SubFrom => kernel::<T, PairLoop<X, SubFrom>>(level),
            A::DivInto => kernel::<T, PairLoop<X, DivInto>>(level),
        })
    }
    match pass {
        Pass::Copy => Run::Loop(kernel::<T, CopyLoop>(level)),
        Pass::Power => zip::<T, Pow>(level),
        Pass::Arithmetic(A::Add) => zip::<T, Add>(level),
        Pass::Arithmetic(A::Sub) => zip::<T, Sub>(level),
        Pass::Arithmetic(A::Mul) => zip::<T, Mul>(level),
        Pass::Arithmetic(A::Div) => zip::<T, Div>(level),
        Pass::Arithmetic(A::SubFrom) => zip::<T, SubFrom>(level),
        Pass::Arithmetic(A::DivInto) => zip::<T, DivInto>(level),
        Pass::Pair(A::Add, second) => pair::<T, Add>(second, level),
        Pass::Pair(A::Sub, second) => pair::<T, Sub>(second, level),
        Pass::Pair(A::Mul, second) => pair::<T, Mul>(second, level),
        Pass::Pair(A::Div, second) => pair::<T, Div>(second, level),
        Pass::Pair(A::SubFrom, second) => pair::<T, SubFrom>(second, level),
        Pass::Pair(A::DivInto, second) => pair::<T, DivInto>(second, level),
        Pass::Other(op) => match op {
            Op::Neg(_) => map::<T, Neg>(level),
            Op::Sqrt(_) => map::<T, Sqrt>(level),
            Op::Not(_) => map::<T, Not>(level),
            Op::Call(Function::Abs, _) => map::<T, Abs>(level),
            Op::Call(Function::Floor, _) => map::<T, Floor>(level),
            Op::Call(Function::Ceil, _) => map::<T, Ceil>(level),
            Op::Call(Function::Sign, _) => map::<T, Sign>(level),
            Op::Call(f, _) => match Elementary::of(f) {
                Some(f) => Run::Loop(f.kernel::<T>(level)),
                None => Run::Each(f.row().value, 1),
            },
            Op::Call2(Function::Min, ..) => zip::<T, Min>(level),
            Op::Call2(Function::Max, ..) => zip::<T, Max>(level),
            Op::Call2(Function::Mod, ..) => zip::<T, Mod>(level),
            Op::Call2(f, ..) => Run::Each(f.row().value, 2),
            Op::Compare(Relation::Eq, ..) => zip::<T, Eq>(level),
            Op::Compare(Relation::Ne, ..) => zip::<T, Ne>(level),
            Op::Compare(Relation::Lt, ..) => zip::<T, Lt>(level),
            Op::Compare(Relation::Le, ..) => zip::<T, Le>(level),
            Op::Compare(Relation::Gt, ..) => zip::<T, Gt>(level),
            Op::Compare(Relation::Ge, ..) => zip::<T, Ge>(level),
            Op::And(..) => zip::<T, And>(level),
            Op::Or(..) => zip::<T, Or>(level),
            Op::Select(..) => Run::Loop(kernel::<T, SelectLoop>(level)),
            // The others are passes of their own kind or none.
            _ => Run::Each(|_| f64::NAN, 0),
        },
    }
}

/// The value of one instruction, its operands read by `r`: the bits of the loops.
#[inline(always)]
pub(super) fn value<U: Unit>(op: Op, inputs: &[f64], r: impl Fn(u32) -> f64) -> f64 {
    match op {
        Op::Constant(x) => x,
        Op::Imaginary => f64::NAN,
        Op::Input(k) => inputs.get(k as usize).copied().unwrap_or(f64::NAN),
        Op::Add(a, b) => r(a) + r(b),
        Op::Sub(a, b) => r(a) - r(b),
        Op::Mul(a, b) => r(a) * r(b),
        Op::Div(a, b) => r(a) / r(b),
        Op::Neg(a) => -r(a),
        Op::Powi(a, n) => powi(r(a), n),
        Op::Sqrt(a) => r(a).sqrt(),
        Op::Power(a, b) => Pow::double::<U>(r(a), r(b)),
        Op::Call(f, a) => match Elementary::of(f) {
            Some(f) => f.at::<U>(r(a)),
            None => (f.row().value)(&[r(a)]),
        },
        Op::Call2(Function::Min, a, b) => Min::of(r(a), r(b)),
        Op::Call2(Function::Max, a, b) => Max::of(r(a), r(b)),
        Op::Call2(f, a, b) => (f.row().value)(&[r(a), r(b)]),
        Op::Compare(relation, a, b) => truth(r(a), r(b), relation.holds(r(a), r(b))),
        Op::Not(a) => 1.0 - r(a),
        Op::And(a, b) => and_of(r(a), r(b)),
        Op::Or(a, b) => 1.0 - and_of(1.0 - r(a), 1.0 - r(b)),
        Op::Select(c, a, b) => select(r(c), r(a), r(b)),
    }
}

/// `x^n` by squaring.
#[inline(always)]
pub(super) fn powi(x: f64, n: u32) -> f64 {
    let (mut result, mut base, mut left) = (1.0, x, n);
    loop {
        if left & 1 == 1 {
            result *= base;
        }
        left >>= 1;
        if left == 0 {
            return result;
        }
        base *= base;
    }
}
