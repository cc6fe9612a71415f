//! Complex arithmetic on principal branches, for evaluation only. Branch cuts as in Kahan, "Branch cuts for complex
//! elementary functions" (1987); error function by its series and continued fraction (Abramowitz and Stegun, 7.1.6 and
//! 7.1.14), gamma by Lanczos' approximation (g = 7, n = 9).

use super::function::Function;
use std::f64::consts::PI;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    pub const ZERO: Complex = Complex { re: 0.0, im: 0.0 };
    pub const I: Complex = Complex { re: 0.0, im: 1.0 };

    pub fn real(re: f64) -> Complex {
        Complex { re, im: 0.0 }
    }

    pub fn add(self, o: Complex) -> Complex {
        Complex { re: self.re + o.re, im: self.im + o.im }
    }

    fn sub(self, o: Complex) -> Complex {
        Complex { re: self.re - o.re, im: self.im - o.im }
    }

    pub fn mul(self, o: Complex) -> Complex {
        // Real factors are exact also at infinity.
        if self.im == 0.0 {
            return Complex { re: self.re * o.re, im: if o.im == 0.0 { 0.0 } else { self.re * o.im } };
        }
        if o.im == 0.0 {
            return Complex { re: self.re * o.re, im: self.im * o.re };
        }
        Complex { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }

    fn scale(self, k: f64) -> Complex {
        self.mul(Complex::real(k))
    }

    /// By Smith's method (1962): no overflow for large parts, no loss for tiny ones.
    fn div(self, o: Complex) -> Complex {
        if o.im == 0.0 {
            return Complex { re: self.re / o.re, im: if self.im == 0.0 { 0.0 } else { self.im / o.re } };
        }
        if o.re.abs() >= o.im.abs() {
            let r = o.im / o.re;
            let d = o.re + o.im * r;
            Complex { re: (self.re + self.im * r) / d, im: (self.im - self.re * r) / d }
        } else {
            let r = o.re / o.im;
            let d = o.re * r + o.im;
            Complex { re: (self.re * r + self.im) / d, im: (self.im * r - self.re) / d }
        }
    }

    fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }

    fn arg(self) -> f64 {
        // A zero imaginary part counts as +0: the cuts belong to the upper side.
        (if self.im == 0.0 { 0.0 } else { self.im }).atan2(self.re)
    }

    fn exp(self) -> Complex {
        let size = self.re.exp();
        if self.im == 0.0 {
            return Complex::real(size);
        }
        let (s, c) = self.im.sin_cos();
        Complex { re: size * c, im: size * s }
    }

    fn ln(self) -> Complex {
        Complex { re: self.abs().ln(), im: self.arg() }
    }

    fn sqrt(self) -> Complex {
        if self.im == 0.0 {
            return if self.re >= 0.0 {
                Complex::real(self.re.sqrt())
            } else {
                Complex { re: 0.0, im: (-self.re).sqrt() }
            };
        }
        // The larger part directly, the other by division: no cancellation.
        let r = ((self.re.abs() + self.abs()) / 2.0).sqrt();
        if self.re >= 0.0 {
            Complex { re: r, im: self.im / (2.0 * r) }
        } else {
            Complex { re: self.im.abs() / (2.0 * r), im: r.copysign(self.im) }
        }
    }

    pub fn powi(self, n: i64) -> Complex {
        if self.im == 0.0 {
            return Complex::real(self.re.powi(n as i32));
        }
        let mut result = Complex::real(1.0);
        let mut base = self;
        let mut left = n.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = result.mul(base);
            }
            base = base.mul(base);
            left >>= 1;
        }
        if n < 0 { Complex::real(1.0).div(result) } else { result }
    }

    pub fn pow(self, x: Complex) -> Complex {
        if self == Complex::ZERO {
            return match x.re {
                re if re > 0.0 => Complex::ZERO,
                _ if x == Complex::ZERO => Complex::real(1.0),
                _ => Complex::real(f64::NAN),
            };
        }
        if x == Complex::real(0.5) {
            return self.sqrt();
        }
        if x == Complex::real(-0.5) {
            return Complex::real(1.0).div(self.sqrt());
        }
        if self.im == 0.0 && x.im == 0.0 && self.re > 0.0 {
            return Complex::real(self.re.powf(x.re));
        }
        self.ln().mul(x).exp()
    }

    fn sin(self) -> Complex {
        let (s, c) = self.re.sin_cos();
        Complex { re: s * self.im.cosh(), im: c * self.im.sinh() }
    }

    fn cos(self) -> Complex {
        let (s, c) = self.re.sin_cos();
        Complex { re: c * self.im.cosh(), im: -s * self.im.sinh() }
    }

    fn sinh(self) -> Complex {
        let (s, c) = self.im.sin_cos();
        Complex { re: self.re.sinh() * c, im: self.re.cosh() * s }
    }

    fn cosh(self) -> Complex {
        let (s, c) = self.im.sin_cos();
        Complex { re: self.re.cosh() * c, im: self.re.sinh() * s }
    }

    fn tanh(self) -> Complex {
        // Beyond this the quotient is 1 to all digits, and cosh may overflow.
        if self.re.abs() > 20.0 {
            let decay = 4.0 * (-2.0 * self.re.abs()).exp();
            return Complex { re: self.re.signum(), im: decay * self.im.sin() * self.im.cos() };
        }
        self.sinh().div(self.cosh())
    }

    /// `i*self`.
    fn turned(self) -> Complex {
        Complex { re: -self.im, im: self.re }
    }

    /// `-i*self`.
    fn turned_back(self) -> Complex {
        Complex { re: self.im, im: -self.re }
    }

    fn asinh(self) -> Complex {
        if self.re < 0.0 || (self.re == 0.0 && self.im < 0.0) {
            return self.scale(-1.0).asinh().scale(-1.0);
        }
        let root = self.mul(self).add(Complex::real(1.0)).sqrt();
        // Tiny imaginary parts survive: ln(1 + w) by its derivative is not needed, the argument is never near 1.
        self.add(root).ln()
    }

    fn acosh(self) -> Complex {
        let one = Complex::real(1.0);
        self.add(self.add(one).sqrt().mul(self.sub(one).sqrt())).ln()
    }

    fn atanh(self) -> Complex {
        let one = Complex::real(1.0);
        one.add(self).ln().sub(one.sub(self).ln()).scale(0.5)
    }

    fn asin(self) -> Complex {
        self.turned().asinh().turned_back()
    }

    fn acos(self) -> Complex {
        Complex::real(PI / 2.0).sub(self.asin())
    }

    fn atan(self) -> Complex {
        self.turned().atanh().turned_back()
    }

    fn gamma(self) -> Complex {
        const COEFFICIENTS: [f64; 9] = [
            0.999_999_999_999_809_9,
            676.520_368_121_885_1,
            -1_259.139_216_722_402_8,
            771.323_428_777_653_1,
            -176.615_029_162_140_6,
            12.507_343_278_686_905,
            -0.138_571_095_265_720_12,
            9.984_369_578_019_572e-6,
            1.505_632_735_149_311_6e-7,
        ];
        let one = Complex::real(1.0);
        if self.re < 0.5 {
            let sine = self.scale(PI).sin();
            return Complex::real(PI).div(sine.mul(one.sub(self).gamma()));
        }
        let z = self.sub(one);
        let mut sum = Complex::real(COEFFICIENTS[0]);
        for (k, c) in COEFFICIENTS.iter().enumerate().skip(1) {
            sum = sum.add(Complex::real(*c).div(z.add(Complex::real(k as f64))));
        }
        let t = z.add(Complex::real(7.5));
        t.pow(z.add(Complex::real(0.5))).mul(t.scale(-1.0).exp()).mul(sum).scale((2.0 * PI).sqrt())
    }

    fn erf(self) -> Complex {
        if self.re < 0.0 {
            return self.scale(-1.0).erf().scale(-1.0);
        }
        let square = self.mul(self);
        let bell = square.scale(-1.0).exp().scale(1.0 / PI.sqrt());
        if self.abs() < 5.0 {
            // 2/sqrt(pi) exp(-z^2) z sum (2 z^2)^n / (2n + 1)!!
            let mut term = self;
            let mut sum = self;
            for n in 1..200 {
                term = term.mul(square).scale(2.0 / f64::from(2 * n + 1));
                sum = sum.add(term);
                if term.abs() < 1e-18 * sum.abs() {
                    break;
                }
            }
            return bell.mul(sum).scale(2.0);
        }
        let mut fraction = self;
        for k in (1..=60).rev() {
            fraction = self.add(Complex::real(f64::from(k) / 2.0).div(fraction));
        }
        Complex::real(1.0).sub(bell.div(fraction))
    }
}

/// A function of complex arguments; `None` where it has a meaning for real ones only and these are not.
pub(super) fn call(f: Function, args: &[Complex]) -> Option<Complex> {
    use Function::*;
    let x = *args.first()?;
    let real = |x: f64| Some(Complex::real(x));
    match f {
        Re => return real(x.re),
        Im => return real(x.im),
        Conj => return Some(Complex { re: x.re, im: -x.im }),
        Arg => return real(x.arg()),
        Abs => return real(x.abs()),
        _ => {}
    }
    if args.iter().all(|z| z.im == 0.0) {
        let values: Vec<f64> = args.iter().map(|z| z.re).collect();
        let value = (f.row().value)(&values);
        if !value.is_nan() {
            return real(value);
        }
    }
    Some(match f {
        Exp => x.exp(),
        Log => x.ln(),
        Log10 => x.ln().scale(1.0 / std::f64::consts::LN_10),
        Log2 => x.ln().scale(1.0 / std::f64::consts::LN_2),
        Sin => x.sin(),
        Cos => x.cos(),
        Tan => x.turned().tanh().turned_back(),
        Asin => x.asin(),
        Acos => x.acos(),
        Atan => x.atan(),
        Sinh => x.sinh(),
        Cosh => x.cosh(),
        Tanh => x.tanh(),
        Asinh => x.asinh(),
        Acosh => x.acosh(),
        Atanh => x.atanh(),
        Factorial => x.add(Complex::real(1.0)).gamma(),
        Gamma => x.gamma(),
        LogGamma if x.re > 0.0 && x.re < 20.0 && x.im.abs() < 1.0 => x.gamma().ln(),
        Erf => x.erf(),
        Erfc => Complex::real(1.0).sub(x.erf()),
        // arg(x + iy), continued: -i ln((x + iy)/sqrt(x^2 + y^2)).
        Atan2 => {
            let (y, x) = (x, *args.get(1)?);
            let size = x.mul(x).add(y.mul(y)).sqrt();
            x.add(y.turned()).div(size).ln().turned_back()
        }
        _ => return None,
    })
}
