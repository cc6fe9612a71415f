//! The functions an expression may hold, one row each: name, number of arguments, numeric value and what kind
//! it is. `sqrt` is not among them: it is the power 1/2. `log` is natural.

use std::fmt;

/// A known function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
#[allow(missing_docs)] // the names are the documentation; the table below says the rest
pub enum Function {
    Exp,
    Log,
    Log10,
    Log2,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Abs,
    Sign,
    Step,
    Floor,
    Ceil,
    Round,
    Mod,
    Min,
    Max,
    Factorial,
    Gamma,
    LogGamma,
    Erf,
    Erfc,
    Re,
    Im,
    Conj,
    Arg,
    /// The remainder term `O(x^n)` of a series.
    Order,
}

/// One row of the table.
pub struct FunctionRow {
    /// The function.
    pub function: Function,
    /// Its name in phys.
    pub name: &'static str,
    /// Least and greatest number of arguments (`usize::MAX`: any).
    pub arity: (usize, usize),
    /// Its real value; NaN where it has none.
    pub value: fn(&[f64]) -> f64,
}

/// Round half away from zero, as physicists round.
fn round(x: f64) -> f64 {
    x.round()
}

/// `a - b*floor(a/b)`: the sign is that of `b`.
fn modulo(a: f64, b: f64) -> f64 {
    a - b * (a / b).floor()
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x * 0.0
    }
}

/// Heaviside's step with the value 1/2 at 0.
fn step(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        0.0
    } else if x == 0.0 {
        0.5
    } else {
        f64::NAN
    }
}

macro_rules! functions {
    ($($variant:ident $name:literal $low:literal..=$high:expr, $value:expr;)*) => {
        /// All functions, in the order of the enum.
        pub const FUNCTIONS: &[FunctionRow] = &[$(FunctionRow {
            function: Function::$variant,
            name: $name,
            arity: ($low, $high),
            value: $value,
        }),*];
    };
}

functions! {
    Exp "exp" 1..=1, |a| a[0].exp();
    Log "log" 1..=1, |a| a[0].ln();
    Log10 "log10" 1..=1, |a| a[0].log10();
    Log2 "log2" 1..=1, |a| a[0].log2();
    Sin "sin" 1..=1, |a| a[0].sin();
    Cos "cos" 1..=1, |a| a[0].cos();
    Tan "tan" 1..=1, |a| a[0].tan();
    Asin "asin" 1..=1, |a| a[0].asin();
    Acos "acos" 1..=1, |a| a[0].acos();
    Atan "atan" 1..=1, |a| a[0].atan();
    Atan2 "atan2" 2..=2, |a| a[0].atan2(a[1]);
    Sinh "sinh" 1..=1, |a| a[0].sinh();
    Cosh "cosh" 1..=1, |a| a[0].cosh();
    Tanh "tanh" 1..=1, |a| a[0].tanh();
    Asinh "asinh" 1..=1, |a| a[0].asinh();
    Acosh "acosh" 1..=1, |a| a[0].acosh();
    Atanh "atanh" 1..=1, |a| a[0].atanh();
    Abs "abs" 1..=1, |a| a[0].abs();
    Sign "sign" 1..=1, |a| sign(a[0]);
    Step "step" 1..=1, |a| step(a[0]);
    Floor "floor" 1..=1, |a| a[0].floor();
    Ceil "ceil" 1..=1, |a| a[0].ceil();
    Round "round" 1..=1, |a| round(a[0]);
    Mod "mod" 2..=2, |a| modulo(a[0], a[1]);
    Min "min" 1..=usize::MAX, |a| a.iter().copied().fold(f64::INFINITY, f64::min);
    Max "max" 1..=usize::MAX, |a| a.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Factorial "factorial" 1..=1, |a| libm::tgamma(a[0] + 1.0);
    Gamma "gamma" 1..=1, |a| libm::tgamma(a[0]);
    LogGamma "loggamma" 1..=1, |a| libm::lgamma(a[0]);
    Erf "erf" 1..=1, |a| libm::erf(a[0]);
    Erfc "erfc" 1..=1, |a| libm::erfc(a[0]);
    Re "re" 1..=1, |a| a[0];
    Im "im" 1..=1, |a| a[0] * 0.0;
    Conj "conj" 1..=1, |a| a[0];
    Arg "arg" 1..=1, |a| if a[0] < 0.0 { std::f64::consts::PI } else { a[0] * 0.0 };
    Order "O" 1..=1, |_| f64::NAN;
}

impl Function {
    /// Its row in the table.
    pub fn row(self) -> &'static FunctionRow {
        &FUNCTIONS[self as usize]
    }

    /// Its name in phys.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The function with this name.
    pub fn from_name(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|row| row.name == name).map(|row| row.function)
    }

    /// Whether `f(-x) = -f(x)`.
    pub fn is_odd(self) -> bool {
        use Function::*;
        matches!(self, Sin | Tan | Asin | Atan | Sinh | Tanh | Asinh | Atanh | Erf | Sign)
    }

    /// Whether `f(-x) = f(x)`.
    pub fn is_even(self) -> bool {
        matches!(self, Function::Cos | Function::Cosh | Function::Abs)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (place, row) in FUNCTIONS.iter().enumerate() {
            assert_eq!(row.function as usize, place);
            assert_eq!(Function::from_name(row.name), Some(row.function));
        }
    }
}
