//! Power series. An expression is turned into a truncated Laurent series in `h = x - a` from the leaves up: sums,
//! products, powers by Miller's recurrence, exponentials, logarithms, sines and cosines by the differential
//! equations they fulfil (Knuth, TAOCP 2, 4.7), inverse functions by integrating their derivatives, all else by
//! repeated differentiation. Each series knows up to which power it is right; where cancellation leaves
//! too few terms, everything is done again with more.

use super::error::AlgebraError;
use super::expand::expand;
use super::rational::{cancel, vanishes};
use crate::base::Number;
use crate::expression::{Expr, Flags, Function, Kind, Symbol};

/// The highest order.
pub const MAX_ORDER: u32 = 200;
/// Order of a series that breaks off by itself.
const EXACT: i64 = i64::MAX;

/// The series of `e` in powers of `variable - about`, up to but without the power `order`, with the
/// remainder `O((variable - about)^order)` as a term. What is a polynomial of lower degree comes without one.
///
/// # Errors
/// About infinity, where there is no series in integer powers, and for orders above [`MAX_ORDER`].
pub fn series(e: &Expr, variable: &Symbol, about: &Expr, order: u32) -> Result<Expr, AlgebraError> {
    if about.flags().has(Flags::INFINITE) {
        return Err(AlgebraError::SeriesAtInfinity { variable: variable.name().to_string() });
    }
    if order > MAX_ORDER {
        return Err(AlgebraError::OrderTooHigh { limit: MAX_ORDER, found: order });
    }
    if about.contains_symbol(variable) {
        return Err(AlgebraError::NoSeries {
            variable: variable.name().to_string(),
            found: format!("the variable itself in the point {about}"),
        });
    }
    let order = order as i64;
    let mut extra = 0;
    let found = loop {
        let work = Expansion { variable, about, cap: order + extra };
        match work.of(e) {
            Ok(s) if s.order >= order => break s,
            Ok(_) | Err(Stop::TooFewTerms) if extra < 48 => extra = extra * 2 + 3,
            Ok(_) | Err(Stop::TooFewTerms) => {
                return Err(AlgebraError::NoSeries {
                    variable: variable.name().to_string(),
                    found: format!("a first term that cannot be found in {e}"),
                });
            }
            Err(Stop::Nothing(found)) => {
                return Err(AlgebraError::NoSeries { variable: variable.name().to_string(), found });
            }
        }
    };
    let h = Expr::symbol(variable.clone()) - about.clone();
    let complete = found.order == EXACT && found.low + (found.terms.len() as i64) <= order;
    let mut items: Vec<Expr> = found
        .terms
        .into_iter()
        .enumerate()
        .map(|(k, c)| (found.low + k as i64, c))
        .filter(|(k, c)| *k < order && !c.is_zero())
        .map(|(k, c)| neat(c) * h.powi(k))
        .collect();
    if !complete {
        let power = h.powi(order);
        items
            .push(Expr::call(Function::Order, vec![if power.is_negated() { power.negate() } else { power }]));
    }
    Ok(Expr::sum(items))
}

/// The shorter of a coefficient and its cancelled form.
fn neat(c: Expr) -> Expr {
    match cancel(&c) {
        Some((short, _)) if short.node_count() < c.node_count() => short,
        _ => c,
    }
}

/// Why there is no series yet.
enum Stop {
    /// More terms are needed.
    TooFewTerms,
    /// There is none, because of this.
    Nothing(String),
}

type Result1<T> = std::result::Result<T, Stop>;

/// `h^low * (terms[0] + terms[1]*h + ...) + O(h^order)`
#[derive(Clone)]
struct Series {
    low: i64,
    terms: Vec<Expr>,
    order: i64,
}

fn tidy(e: Expr) -> Expr {
    if e.is_plain_number() { e } else { expand(&e) }
}

/// `sum over k of a_k*b_(n-k)`, for k in a range.
fn convolution(a: &[Expr], b: &[Expr], n: usize, from: usize, weight: impl Fn(usize) -> Expr) -> Expr {
    let items = (from..=n)
        .filter(|k| *k < a.len() && n - k < b.len() && !a[*k].is_zero() && !b[n - k].is_zero())
        .map(|k| Expr::product([weight(k), a[k].clone(), b[n - k].clone()]));
    tidy(Expr::sum(items))
}

impl Series {
    fn constant(e: Expr) -> Series {
        Series { low: 0, terms: vec![e], order: EXACT }.trimmed()
    }

    /// Without zeros in front.
    fn trimmed(mut self) -> Series {
        let zeros = self.terms.iter().take_while(|c| c.is_zero() || vanishes(c)).count();
        self.terms.drain(..zeros);
        self.low += zeros as i64;
        if self.terms.is_empty() && self.order != EXACT {
            self.low = self.order;
        }
        self
    }

    fn is_exact_zero(&self) -> bool {
        self.terms.is_empty() && self.order == EXACT
    }

    /// How many terms are known: up to the order, or the cap.
    fn cut(mut self, cap: i64) -> Series {
        let limit = self.order.min(cap);
        if self.low + self.terms.len() as i64 > limit {
            self.terms.truncate((limit - self.low).max(0) as usize);
            self.order = limit;
        }
        self
    }

    fn plus(&self, other: &Series, cap: i64) -> Series {
        if self.is_exact_zero() {
            return other.clone();
        }
        if other.is_exact_zero() {
            return self.clone();
        }
        let order = self.order.min(other.order);
        let low = self.low.min(other.low);
        let end = (self.low + self.terms.len() as i64).max(other.low + other.terms.len() as i64).min(order);
        let at = |s: &Series, k: i64| -> Expr {
            usize::try_from(k - s.low).ok().and_then(|i| s.terms.get(i).cloned()).unwrap_or_else(Expr::zero)
        };
        let terms = (low..end).map(|k| tidy(at(self, k) + at(other, k))).collect();
        Series { low, terms, order }.trimmed().cut(cap)
    }

    fn times(&self, other: &Series, cap: i64) -> Series {
        if self.is_exact_zero() || other.is_exact_zero() {
            return Series::constant(Expr::zero());
        }
        let low = self.low + other.low;
        let reach = |order: i64, by: i64| if order == EXACT { EXACT } else { order + by };
        let order = reach(self.order, other.low).min(reach(other.order, self.low));
        if self.terms.is_empty() || other.terms.is_empty() {
            return Series { low: order, terms: Vec::new(), order };
        }
        let full = self.terms.len() + other.terms.len() - 1;
        let wanted = (order.min(cap).saturating_sub(low)).max(0) as usize;
        let order = if wanted < full { order.min(low + wanted as i64) } else { order };
        let terms = (0..full.min(wanted))
            .map(|n| convolution(&self.terms, &other.terms, n, 0, |_| Expr::one()))
            .collect();
        Series { low, terms, order }.trimmed()
    }

    fn scaled(&self, c: &Expr) -> Series {
        let terms = self.terms.iter().map(|t| tidy(c * t)).collect();
        Series { low: self.low, terms, order: self.order }
    }

    /// Terms from h^0 to below the cap; the series has no negative powers.
    fn dense(&self, cap: i64) -> (Vec<Expr>, i64) {
        let end = self.order.min(cap).max(0);
        let terms = (0..end)
            .map(|k| {
                usize::try_from(k - self.low)
                    .ok()
                    .and_then(|i| self.terms.get(i).cloned())
                    .unwrap_or_else(Expr::zero)
            })
            .collect();
        (terms, end)
    }

    fn of_dense(terms: Vec<Expr>, order: i64) -> Series {
        Series { low: 0, terms, order }.trimmed()
    }

    fn derivative(&self) -> Series {
        let terms =
            self.terms.iter().enumerate().map(|(k, c)| tidy(Expr::int(self.low + k as i64) * c)).collect();
        let order = if self.order == EXACT { EXACT } else { self.order - 1 };
        Series { low: self.low - 1, terms, order }.trimmed()
    }

    /// The integral with this constant; there is no 1/h.
    fn integral(&self, constant: Expr, cap: i64) -> Series {
        let terms = self
            .terms
            .iter()
            .enumerate()
            .map(|(k, c)| c * &Expr::ratio(1, self.low + k as i64 + 1))
            .collect();
        let order = if self.order == EXACT { EXACT } else { self.order + 1 };
        let rest = Series { low: self.low + 1, terms, order }.cut(cap);
        Series::constant(constant).plus(&rest, cap)
    }
}

struct Expansion<'a> {
    variable: &'a Symbol,
    about: &'a Expr,
    /// No powers from here on are computed.
    cap: i64,
}

impl Expansion<'_> {
    fn nothing<T>(&self, e: &Expr) -> Result1<T> {
        Err(Stop::Nothing(format!("{e} at {} = {}", self.variable, self.about)))
    }

    fn of(&self, e: &Expr) -> Result1<Series> {
        if !e.contains_symbol(self.variable) {
            return Ok(Series::constant(e.clone()));
        }
        match e.kind() {
            Kind::Symbol(_) => {
                Ok(Series { low: 0, terms: vec![self.about.clone(), Expr::one()], order: EXACT }
                    .trimmed()
                    .cut(self.cap.max(1)))
            }
            Kind::Sum(items) => {
                let mut sum = Series::constant(Expr::zero());
                for item in items {
                    sum = sum.plus(&self.of(item)?, self.cap);
                }
                Ok(sum)
            }
            Kind::Product(items) => {
                let mut product = Series::constant(Expr::one());
                // Poles first: what they need is known before regular factors are cut.
                for item in items {
                    product = product.times(&self.of(item)?, self.wide());
                }
                Ok(product.cut(self.cap))
            }
            Kind::Power(b, n) if !n.contains_symbol(self.variable) => {
                let s = self.of(b)?;
                self.power(&s, n, e)
            }
            Kind::Power(b, n) => {
                let exponent = n * &Expr::call(Function::Log, vec![b.clone()]);
                self.of(&Expr::call(Function::Exp, vec![exponent]))
            }
            Kind::Call(function, args) => match args.as_ref() {
                [inside] => {
                    let s = self.of(inside)?;
                    self.call(*function, &s, e)
                }
                _ => self.taylor(e),
            },
            Kind::Apply(..) | Kind::Derivative(_) => self.taylor(e),
            _ => self.nothing(e),
        }
    }

    /// Room for factors with poles on either side.
    fn wide(&self) -> i64 {
        2 * self.cap + 8
    }

    /// By Miller's recurrence: `(1 + u)^p = b`, `n*b_n = sum of (k*p - n + k)*u_k*b_(n-k)`.
    fn power(&self, s: &Series, p: &Expr, e: &Expr) -> Result1<Series> {
        let whole = p.as_i64();
        let Some(lead) = s.terms.first().cloned() else {
            if s.is_exact_zero() && whole.is_some_and(|n| n > 0) {
                return Ok(s.clone());
            }
            return if s.is_exact_zero() { self.nothing(e) } else { Err(Stop::TooFewTerms) };
        };
        if s.low != 0 && whole.is_none() {
            return self.nothing(e);
        }
        let low = s.low * whole.unwrap_or(0);
        let exact_length = match whole {
            Some(n) if n >= 0 && s.order == EXACT => Some((s.terms.len() - 1) * n as usize + 1),
            _ if s.terms.len() == 1 && s.order == EXACT => Some(1),
            _ => None,
        };
        let known = if s.order == EXACT { i64::MAX } else { s.order - s.low };
        let room = (self.wide() - low).max(0).min(known) as usize;
        let length = exact_length.unwrap_or(usize::MAX).min(room);
        let order = if exact_length.is_some_and(|n| n <= room) { EXACT } else { low + room as i64 };
        if length == 0 {
            return Ok(Series { low, terms: Vec::new(), order });
        }
        let inverse = lead.recip();
        let u: Vec<Expr> = s.terms.iter().map(|c| tidy(c * &inverse)).collect();
        let mut b = vec![Expr::one()];
        for n in 1..length {
            let weight = |k: usize| Expr::sum([p * &Expr::int(k as i64), Expr::int(k as i64 - n as i64)]);
            let sum = convolution(&u, &b, n, 1, weight);
            b.push(tidy(sum * Expr::ratio(1, n as i64)));
        }
        let front = Expr::power(lead, p.clone());
        if front.is_undefined() {
            return self.nothing(e);
        }
        let terms = b.into_iter().map(|c| tidy(&front * &c)).collect();
        Ok(Series { low, terms, order }.trimmed())
    }

    /// `(sine, cosine)` of a series, or the hyperbolic ones.
    fn sine_cosine(&self, s: &Series, hyperbolic: bool) -> (Series, Series) {
        let (a, order) = s.dense(self.cap);
        let start = a.first().cloned().unwrap_or_else(Expr::zero);
        let (f, g) =
            if hyperbolic { (Function::Sinh, Function::Cosh) } else { (Function::Sin, Function::Cos) };
        let sign = if hyperbolic { 1 } else { -1 };
        let mut sine = vec![Expr::call(f, vec![start.clone()])];
        let mut cosine = vec![Expr::call(g, vec![start])];
        for n in 1..a.len() {
            let weight = |k: usize| Expr::ratio(k as i64, n as i64);
            let next = convolution(&a, &cosine, n, 1, weight);
            let turned = convolution(&a, &sine, n, 1, weight) * Expr::int(sign);
            sine.push(next);
            cosine.push(turned);
        }
        sine.truncate(order.max(0) as usize);
        cosine.truncate(order.max(0) as usize);
        (Series::of_dense(sine, order), Series::of_dense(cosine, order))
    }

    fn call(&self, function: Function, s: &Series, e: &Expr) -> Result1<Series> {
        use Function::*;
        if s.low < 0 {
            return self.nothing(e);
        }
        if s.order != EXACT && s.order <= 0 {
            return Err(Stop::TooFewTerms);
        }
        let start = if s.low == 0 { s.terms.first().cloned() } else { None }.unwrap_or_else(Expr::zero);
        let value = Expr::call(function, vec![start.clone()]);
        let ratio = |(a, b): (Series, Series)| -> Result1<Series> {
            Ok(a.times(&self.power(&b, &Expr::int(-1), e)?, self.cap))
        };
        let square = || s.times(s, self.wide());
        let one = Series::constant(Expr::one());
        let minus = |s: Series| s.scaled(&Expr::int(-1));
        // The integral of s' * inner^p from the value at the point.
        let integrated = |inner: Series, p: Expr, sign: i64| -> Result1<Series> {
            let slope = s.derivative().times(&self.power(&inner, &p, e)?, self.cap);
            if slope.low < 0 {
                return self.nothing(e);
            }
            Ok(slope.scaled(&Expr::int(sign)).integral(value.clone(), self.cap))
        };
        let half = || Expr::ratio(-1, 2);
        match function {
            Exp => {
                let (a, order) = s.dense(self.cap);
                let mut b = vec![value];
                for n in 1..a.len() {
                    let next = convolution(&a, &b, n, 1, |k| Expr::ratio(k as i64, n as i64));
                    b.push(next);
                }
                b.truncate(order.max(0) as usize);
                Ok(Series::of_dense(b, order))
            }
            Log | Log10 | Log2 => {
                if s.low > 0 || s.terms.is_empty() {
                    return self.nothing(e);
                }
                let base = match function {
                    Log10 => Expr::call(Log, vec![Expr::int(10)]),
                    Log2 => Expr::call(Log, vec![Expr::int(2)]),
                    _ => Expr::one(),
                };
                let slope = s.derivative().times(&self.power(s, &Expr::int(-1), e)?, self.cap);
                Ok(slope.scaled(&base.recip()).integral(value, self.cap))
            }
            Sin => Ok(self.sine_cosine(s, false).0),
            Cos => Ok(self.sine_cosine(s, false).1),
            Tan => ratio(self.sine_cosine(s, false)),
            Sinh => Ok(self.sine_cosine(s, true).0),
            Cosh => Ok(self.sine_cosine(s, true).1),
            Tanh => ratio(self.sine_cosine(s, true)),
            Asin => integrated(one.plus(&minus(square()), self.wide()), half(), 1),
            Acos => integrated(one.plus(&minus(square()), self.wide()), half(), -1),
            Atan => integrated(one.plus(&square(), self.wide()), Expr::int(-1), 1),
            Asinh => integrated(one.plus(&square(), self.wide()), half(), 1),
            Acosh => integrated(square().plus(&minus(one), self.wide()), half(), 1),
            Atanh => integrated(one.plus(&minus(square()), self.wide()), Expr::int(-1), 1),
            Erf | Erfc => {
                let bell = self.call(Exp, &minus(square()), e)?;
                let factor = Expr::int(if function == Erf { 2 } else { -2 }) / Expr::pi().sqrt();
                let slope = s.derivative().times(&bell, self.cap).scaled(&factor);
                Ok(slope.integral(value, self.cap))
            }
            Abs | Sign | Step if !start.is_zero() && !vanishes(&start) => {
                let sign = Expr::call(Sign, vec![start]);
                Ok(if function == Abs { s.scaled(&sign) } else { Series::constant(value) })
            }
            Floor | Ceil | Round => match start.to_f64() {
                // Constant between the steps.
                Some(x) if (2.0 * x).fract() != 0.0 => Ok(Series::constant(value)),
                _ => self.nothing(e),
            },
            Gamma | LogGamma | Factorial => self.taylor(e),
            _ => self.nothing(e),
        }
    }

    /// By repeated differentiation at the point.
    fn taylor(&self, e: &Expr) -> Result1<Series> {
        let mut terms = Vec::new();
        let mut derivative = e.clone();
        let mut factorial = Number::ONE;
        for k in 0..self.cap.max(1) {
            if k > 0 {
                derivative = derivative.diff(self.variable);
                factorial = &factorial * &Number::int(k);
            }
            if derivative.node_count() > 200_000 {
                return self.nothing(e);
            }
            let at = derivative.substitute(&[(self.variable.clone(), self.about.clone())]);
            if at.is_undefined() || at.flags().has(Flags::INFINITE) {
                return self.nothing(e);
            }
            let scale = factorial.recip().map_or_else(Expr::one, Expr::number);
            terms.push(tidy(scale * at));
        }
        Ok(Series { low: 0, terms, order: self.cap.max(1) }.trimmed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::read::parse;

    fn at(text: &str, about: &str, order: u32) -> Expr {
        series(&parse(text), &Symbol::new("x"), &parse(about), order)
            .unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn textbook_series() {
        for (text, order, expected) in [
            ("sin(x)/x", 6, "1 - x^2/6 + x^4/120 + O(x^6)"),
            ("exp(x)", 4, "1 + x + x^2/2 + x^3/6 + O(x^4)"),
            ("1/(1 - x)", 4, "1 + x + x^2 + x^3 + O(x^4)"),
            ("cos(x)", 4, "1 - x^2/2 + O(x^4)"),
            ("sqrt(1 + x)", 3, "1 + x/2 - x^2/8 + O(x^3)"),
            ("tan(x)", 6, "x + x^3/3 + 2*x^5/15 + O(x^6)"),
            ("1/sin(x)", 4, "1/x + x/6 + 7*x^3/360 + O(x^4)"),
            ("(1 - cos(x))/x^2", 3, "1/2 - x^2/24 + O(x^3)"),
            ("x^2 + 3*x", 5, "3*x + x^2"),
            ("(1 + x)^n", 3, "1 + n*x + (n^2 - n)*x^2/2 + O(x^3)"),
        ] {
            let found = at(text, "0", order);
            let difference = found.clone() - parse(&expected.replace("O(", "0*("));
            let rest: Vec<Expr> = expand(&difference)
                .terms()
                .iter()
                .filter(|t| !matches!(t.kind(), Kind::Call(Function::Order, _)))
                .cloned()
                .collect();
            assert!(vanishes(&Expr::sum(rest)), "{text}: {found}");
            assert_eq!(found.to_string().contains("O("), expected.contains("O("), "{text}: {found}");
        }
    }

    #[test]
    fn the_error_falls_as_the_order_says() {
        let functions = [
            "sin(x)",
            "cos(2*x)",
            "exp(x)/(1 + x)",
            "log(2 + x)",
            "tan(x)",
            "sinh(x)",
            "cosh(x)",
            "tanh(x)",
            "asin(x/2)",
            "acos(x/3)",
            "atan(x)",
            "asinh(x)",
            "atanh(x/2)",
            "acosh(3 + x)",
            "erf(x)",
            "sqrt(2 + x)",
            "(3 + x)^(2/3)",
            "exp(sin(x))",
            "x/(exp(x) - 1)",
            "log(1 + x)/x",
            "2^x",
            "(2 + x)^x",
            "abs(x - 3)",
            "log10(2 + x)",
        ];
        for text in functions {
            for about in ["0", "1/4"] {
                let order = 5;
                let e = parse(text);
                let found = at(text, about, order);
                let polynomial = Expr::sum(
                    found
                        .terms()
                        .iter()
                        .filter(|t| !matches!(t.kind(), Kind::Call(Function::Order, _)))
                        .cloned(),
                );
                let a = parse(about).to_f64().unwrap();
                let error = |h: f64| {
                    let x = |_: &Symbol| Some(a + h);
                    (e.evaluate(&x).unwrap() - polynomial.evaluate(&x).unwrap()).abs()
                };
                let (coarse, fine) = (error(0.1), error(0.05));
                assert!(
                    fine < 1e-5 && fine <= coarse / 24.0 + 1e-13,
                    "{text} at {about}: {coarse} {fine} {found}"
                );
            }
        }
    }

    #[test]
    fn undefined_functions_and_faults() {
        let found = at("u(x)", "0", 3);
        assert_eq!(found.terms().len(), 4, "{found}");
        let x = Symbol::new("x");
        for text in ["log(x)", "sqrt(x)", "abs(x)", "exp(1/x)", "sign(x)"] {
            let fault = series(&parse(text), &x, &Expr::zero(), 4).unwrap_err();
            assert!(matches!(fault, AlgebraError::NoSeries { .. }), "{text}");
        }
        let inf = Expr::constant(crate::expression::Constant::Infinity);
        assert!(matches!(series(&parse("1/x"), &x, &inf, 4), Err(AlgebraError::SeriesAtInfinity { .. })));
        assert!(matches!(
            series(&parse("x"), &x, &Expr::zero(), 1000),
            Err(AlgebraError::OrderTooHigh { .. })
        ));
    }
}
