//! Values to some hundred bits, to measure the errors of the vector functions: numbers of two parts (Dekker 1971;
//! Hida, Li & Bailey, ARITH 15 (2001) 155), power series after a reduction. The file stands alone, so that a
//! benchmark can include it; `reference.txt`, made by mpmath (`tools/vector_reference.py`), is its own check.

/// The sum of two doubles, the second at most half a unit of the first.
#[derive(Clone, Copy, Debug)]
pub struct Two(pub f64, pub f64);

/// A value `mantissa * 2^exponent`: no overflow, no underflow.
#[derive(Clone, Copy, Debug)]
pub struct Scaled(pub Two, pub i32);

const LN_2: [f64; 3] = [std::f64::consts::LN_2, 2.3190468138462996e-17, 5.707708438416212e-34];
const HALF_PI: [f64; 4] =
    [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33, 5.562271104316826e-50];
const LN_10: Two = Two(std::f64::consts::LN_10, -2.1707562233822494e-16);

fn sum(a: f64, b: f64) -> Two {
    let s = a + b;
    let part = s - a;
    Two(s, (a - (s - part)) + (b - part))
}

fn product(a: f64, b: f64) -> Two {
    let p = a * b;
    Two(p, a.mul_add(b, -p))
}

impl Two {
    fn of(x: f64) -> Two {
        Two(x, 0.0)
    }
    fn add(self, b: Two) -> Two {
        let (s, t) = (sum(self.0, b.0), sum(self.1, b.1));
        let s = sum(s.0, s.1 + t.0);
        sum(s.0, s.1 + t.1)
    }
    fn neg(self) -> Two {
        Two(-self.0, -self.1)
    }
    fn sub(self, b: Two) -> Two {
        self.add(b.neg())
    }
    fn mul(self, b: Two) -> Two {
        let p = product(self.0, b.0);
        sum(p.0, p.1 + (self.0 * b.1 + self.1 * b.0))
    }
    fn div(self, b: Two) -> Two {
        let q = self.0 / b.0;
        let rest = self.sub(b.mul(Two::of(q)));
        let q2 = rest.0 / b.0;
        let rest = rest.sub(b.mul(Two::of(q2)));
        Two(q, 0.0).add(Two(q2, 0.0)).add(Two::of(rest.0 / b.0))
    }
    fn sqrt(self) -> Two {
        if self.0 == 0.0 {
            return self;
        }
        let root = Two::of(self.0.sqrt());
        root.add(self.sub(root.mul(root)).div(root.add(root)))
    }
    fn scale(self, by: f64) -> Two {
        Two(self.0 * by, self.1 * by)
    }
    fn is_less(self, x: f64) -> bool {
        self.0.abs() < x
    }
}

/// `x - n * parts`, the products exact.
fn minus_multiple(x: Two, n: f64, parts: &[f64]) -> Two {
    parts.iter().fold(x, |x, part| x.sub(product(n, *part)))
}

/// `1 + x (c1 + x (c2 + ...))` with `c_k/c_(k-1)` the reciprocal of `ratio(k)`.
fn series(x: Two, terms: i32, ratio: impl Fn(i32) -> f64) -> Two {
    (1..=terms).rev().fold(Two::of(1.0), |rest, k| Two::of(1.0).add(x.mul(rest).div(Two::of(ratio(k)))))
}

fn exp(x: Two) -> Scaled {
    let n = (x.0 / LN_2[0]).round();
    let r = minus_multiple(x, n, &LN_2);
    Scaled(series(r, 28, f64::from), n as i32)
}

fn log(x: f64) -> Two {
    let (mut m, mut k) = (x, 0.0);
    if m < f64::MIN_POSITIVE {
        (m, k) = (m * 2f64.powi(54), -54.0);
    }
    let exponent = ((m.to_bits() >> 52) as i32) - 1023;
    m = f64::from_bits((m.to_bits() & ((1 << 52) - 1)) | (1023 << 52));
    k += f64::from(exponent);
    if m > 1.4 {
        (m, k) = (0.5 * m, k + 1.0);
    }
    let s = sum(m, -1.0).div(sum(m, 1.0));
    let z = s.mul(s);
    let atanh = (0..30)
        .rev()
        .fold(Two::of(0.0), |rest, j| Two::of(1.0).div(Two::of(f64::from(2 * j + 1))).add(z.mul(rest)));
    minus_multiple(Two::of(0.0), -k, &LN_2).add(s.mul(atanh).scale(2.0))
}

/// The quadrant, sine and cosine of the rest.
fn sin_cos(x: Two) -> (i64, Two, Two) {
    let n = (x.0 / HALF_PI[0]).round();
    let r = minus_multiple(x, n, &HALF_PI);
    let z = r.mul(r).neg();
    let sin = r.mul(series(z, 16, |k| f64::from(2 * k * (2 * k + 1))));
    let cos = series(z, 16, |k| f64::from(2 * k * (2 * k - 1)));
    (n as i64, sin, cos)
}

fn in_quadrant(n: i64, sin: Two, cos: Two) -> Two {
    let value = if n & 1 == 0 { sin } else { cos };
    if n & 2 == 0 { value } else { value.neg() }
}

fn tan(x: Two) -> Two {
    let (n, sin, cos) = sin_cos(x);
    if n & 1 == 0 { sin.div(cos) } else { cos.div(sin).neg() }
}

fn atan(x: Two) -> Two {
    let start = Two::of(x.0.atan());
    let t = tan(start);
    start.add(x.sub(t).div(Two::of(1.0).add(x.mul(t))))
}

/// sinh and cosh of `x` over the power of two.
fn sinh_cosh(x: f64) -> (Two, Two, i32) {
    let Scaled(e, k) = exp(Two::of(x.abs()));
    let inverse = if k < 200 { Two::of(1.0).div(e).scale(2f64.powi(-2 * k)) } else { Two::of(0.0) };
    let cosh = e.add(inverse).scale(0.5);
    let sinh = if x.abs() < 0.3 {
        let z = product(x, x);
        Two::of(x.abs()).mul(series(z, 14, |k| f64::from(2 * k * (2 * k + 1)))).scale(2f64.powi(-k))
    } else {
        e.sub(inverse).scale(0.5)
    };
    (if x < 0.0 { sinh.neg() } else { sinh }, cosh, k)
}

/// The value of a function, by name, of finite arguments inside its domain (|x| up to 2^30 for sin, cos, tan).
pub fn value(name: &str, x: f64, y: f64) -> Scaled {
    let one = Two::of(1.0);
    // Where the function is its argument to 90 bits, or its argument is so small that products underflow.
    if x.abs() < 1e-40 && ["sin", "tan", "asin", "atan", "sinh", "tanh"].contains(&name) {
        return Scaled(Two::of(x * 2f64.powi(500)), -500);
    }
    let plain = |value: Two| Scaled(value, 0);
    match name {
        "exp" => exp(Two::of(x)),
        "log" => plain(log(x)),
        "log2" => plain(log(x).div(Two(LN_2[0], LN_2[1]))),
        "log10" => plain(log(x).div(LN_10)),
        "sin" | "cos" => {
            let (n, sin, cos) = sin_cos(Two::of(x));
            plain(in_quadrant(if name == "sin" { n } else { n + 1 }, sin, cos))
        }
        "tan" => plain(tan(Two::of(x))),
        "atan" if x.abs() > 1e30 => {
            let half = Two(HALF_PI[0], HALF_PI[1]).sub(Two::of(1.0 / x.abs()));
            plain(if x < 0.0 { half.neg() } else { half })
        }
        "atan" => plain(atan(Two::of(x))),
        "asin" | "acos" if x.abs() == 1.0 => {
            let half = Two(HALF_PI[0], HALF_PI[1]);
            plain(match (name, x > 0.0) {
                ("asin", true) => half,
                ("asin", false) => half.neg(),
                (_, true) => Two::of(0.0),
                (_, false) => half.scale(2.0),
            })
        }
        "asin" => plain(atan(Two::of(x).div(sum(1.0, -x).mul(sum(1.0, x)).sqrt()))),
        "acos" => plain(atan(sum(1.0, -x).div(sum(1.0, x)).sqrt()).scale(2.0)),
        "sinh" | "cosh" => {
            let (sinh, cosh, k) = sinh_cosh(x);
            Scaled(if name == "sinh" { sinh } else { cosh }, k)
        }
        "tanh" if x.abs() > 40.0 => plain(if x < 0.0 { one.neg() } else { one }),
        "tanh" => {
            let (sinh, cosh, _) = sinh_cosh(x);
            plain(sinh.div(cosh))
        }
        _ => exp(log(x).mul(Two::of(y))),
    }
}

/// The distance of a computed value in units in the last place of the true one; a value that overflows is
/// infinite.
pub fn ulps(found: f64, Scaled(true_value, exponent): Scaled) -> f64 {
    if true_value.is_less(0.0) || true_value.0 == 0.0 {
        return if found == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let magnitude = |x: f64| ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    // The exponent of the value's last place.
    let last = (magnitude(true_value.0) + exponent - 52).max(-1074);
    if magnitude(true_value.0) + exponent > 1023 {
        return if found.is_infinite() { 0.0 } else { f64::INFINITY };
    }
    if !found.is_finite() {
        // Just below the greatest number rounding may give infinity.
        return if magnitude(true_value.0) + exponent == 1023 && found.is_infinite() {
            0.5
        } else {
            f64::INFINITY
        };
    }
    let scale = |x: f64, k: i32| x * 2f64.powi(k / 2) * 2f64.powi(k - k / 2);
    let difference = Two::of(scale(found, -exponent)).sub(true_value);
    scale(difference.0, exponent - last).abs()
}

/// A fixed sequence of numbers (Steele, Lea & Flood, OOPSLA 2014, splitmix64).
pub struct Sequence(pub u64);

impl Sequence {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * 2f64.powi(-53)
    }
}

/// An argument inside the domain: of any exponent, of the region where the function bends, or beside a special
/// point. A second for powers.
pub fn argument(name: &str, sequence: &mut Sequence) -> (f64, f64) {
    let kind = sequence.bits() % 4;
    let sign = if sequence.bits() & 1 == 0 { 1.0 } else { -1.0 };
    let any = f64::from_bits(sequence.bits() >> 1);
    let any = if any.is_finite() { any } else { 1.5 };
    let middle = 2f64.powf(24.0 * sequence.unit() - 14.0);
    let u = sequence.unit();
    match name {
        "exp" | "sinh" | "cosh" => match kind {
            0 => (sign * any.min(712.0), 0.0),
            1 => (sign * middle, 0.0),
            _ => (1455.0 * u - 745.0, 0.0),
        },
        "tanh" | "atan" => (sign * if kind == 0 { any } else { middle }, 0.0),
        "log" | "log2" | "log10" => match kind {
            0 | 1 => (any, 0.0),
            2 => (0.5 + 1.5 * u, 0.0),
            _ => (1.0 + sign * 2f64.powf(-52.0 * u), 0.0),
        },
        "sin" | "cos" | "tan" => match kind {
            0 => (sign * if any < 1_073_741_824.0 { any } else { 1e9 * u }, 0.0),
            1 => (sign * middle, 0.0),
            2 => {
                // Beside multiples of pi/2.
                let n = (2f64.powf(29.0 * u)).floor();
                let x = n * HALF_PI[0];
                (f64::from_bits(x.to_bits().wrapping_add(sequence.bits() % 5).wrapping_sub(2)), 0.0)
            }
            _ => (sign * 8.0 * u, 0.0),
        },
        "asin" | "acos" => match kind {
            0 => (sign * any.min(1.0), 0.0),
            1 => (sign * (1.0 - 2f64.powf(-53.0 * u)), 0.0),
            _ => (sign * u, 0.0),
        },
        _ => {
            let x = if kind == 0 { any } else { middle };
            let greatest = 744.0 / x.ln().abs().max(1e-300);
            let y = sign * if kind == 1 { 8.0 * u } else { greatest.min(1e18) * u };
            (if kind == 3 { 1.0 + sign * 2f64.powf(-40.0 * u) } else { x }, y)
        }
    }
}

/// How far two values are apart, relative to the second.
pub fn distance(Scaled(a, j): Scaled, Scaled(b, k): Scaled) -> f64 {
    let difference = a.sub(b.scale(2f64.powi(k - j)));
    if difference.0 == 0.0 { 0.0 } else { (difference.0 / (b.0 * 2f64.powi(k - j))).abs() }
}
