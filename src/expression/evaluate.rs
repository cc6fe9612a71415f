//! Numbers from expressions, one at a time (many at once: `numeric::Tape`). Units count as their factor to SI,
//! uncertain numbers as their value. Real first; where a step leaves the reals the whole is done again over
//! the complex numbers with principal branches (`complex.rs`), and a result whose imaginary part is rounding is real.

use std::collections::HashMap;
use std::sync::Arc;

use super::complex::Complex;
use super::function::Function;
use super::node::{Derivative, Expr, Flags, Kind, Node, Relation};
use super::propagate::ROUNDING;
use super::symbol::Symbol;

/// Levels beyond which nothing is evaluated: the recursion would overflow the stack.
const MAX_DEPTH: u32 = 10_000;

impl Expr {
    /// The real value, in SI, with the symbols' values from `symbols`; `None` where a symbol has none, where the value is
    /// not real, and where there is none (NaN).
    pub fn evaluate(&self, symbols: &dyn Fn(&Symbol) -> Option<f64>) -> Option<f64> {
        if self.depth() > MAX_DEPTH {
            return None;
        }
        if !self.flags().has(Flags::IMAGINARY) {
            let value = Real { symbols, done: HashMap::new() }.value(self)?;
            if !value.is_nan() {
                return Some(value);
            }
            if self.is_undefined() {
                return None;
            }
        }
        let (re, im) = self.evaluate_complex(&|s| symbols(s).map(|x| (x, 0.0)))?;
        (im.abs() <= ROUNDING * re.abs() || im == 0.0).then_some(re)
    }

    /// The complex value (real and imaginary part), in SI, on principal branches; `None` where a symbol has no value or
    /// there is none.
    pub fn evaluate_complex(&self, symbols: &dyn Fn(&Symbol) -> Option<(f64, f64)>) -> Option<(f64, f64)> {
        if self.depth() > MAX_DEPTH {
            return None;
        }
        let z = Imaginary { symbols, done: HashMap::new() }.value(self)?;
        (!z.re.is_nan() && !z.im.is_nan()).then_some((z.re, z.im))
    }

    /// The real value of an expression without symbols.
    pub fn to_f64(&self) -> Option<f64> {
        self.as_f64().filter(|x| !x.is_nan()).or_else(|| self.evaluate(&|_| None))
    }

    /// Whether a condition holds, exactly where both sides are exact numbers; `None` where that is open. Floats are
    /// compared up to rounding (1e-12 relative), uncertain numbers are equal within 3 standard errors; an equation
    /// of exact numbers that agree only as floats stays open.
    pub fn decide(&self, symbols: &dyn Fn(&Symbol) -> Option<f64>) -> Option<bool> {
        match self.kind() {
            Kind::Bool(b) => Some(*b),
            Kind::Not(a) => a.decide(symbols).map(|x| !x),
            Kind::And(items) => connective(items, true, symbols),
            Kind::Or(items) => connective(items, false, symbols),
            Kind::Relation(op, a, b) => relation(*op, a, b, symbols),
            _ => None,
        }
    }
}

fn connective(items: &[Expr], all: bool, symbols: &dyn Fn(&Symbol) -> Option<f64>) -> Option<bool> {
    let mut open = false;
    for item in items {
        match item.decide(symbols) {
            Some(x) if x != all => return Some(!all),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(all)
}

fn relation(op: Relation, a: &Expr, b: &Expr, symbols: &dyn Fn(&Symbol) -> Option<f64>) -> Option<bool> {
    let flags = a.flags().with(b.flags());
    let equality = matches!(op, Relation::Eq | Relation::Ne);
    if a == b && !flags.has(Flags::UNDEFINED) {
        return Some(matches!(op, Relation::Eq | Relation::Le | Relation::Ge));
    }
    if let (Some(x), Some(y)) = (a.as_number(), b.as_number()) {
        return Some(match op {
            Relation::Eq => x == y,
            Relation::Ne => x != y,
            Relation::Lt => x < y,
            Relation::Le => x <= y,
            Relation::Gt => x > y,
            Relation::Ge => x >= y,
        });
    }
    if !flags.has(Flags::FLOAT)
        && let Some(difference) = (a - b).as_number()
    {
        return relation(op, &Expr::number(difference.clone()), &Expr::zero(), symbols);
    }
    if equality && flags.has(Flags::UNCERTAIN) && !flags.has(Flags::SYMBOL) {
        return a.equal_within(b, 3.0).map(|same| same == (op == Relation::Eq));
    }
    let exact = !flags.has(Flags::FLOAT) && !flags.has(Flags::SYMBOL);
    match (a.evaluate(symbols), b.evaluate(symbols)) {
        (Some(x), Some(y)) => {
            if x == y || (x - y).abs() <= ROUNDING * x.abs().max(y.abs()) {
                if exact {
                    return None;
                }
                return Some(matches!(op, Relation::Eq | Relation::Le | Relation::Ge));
            }
            Some(op.holds(x, y))
        }
        _ if equality => {
            let complex = |s: &Symbol| symbols(s).map(|x| (x, 0.0));
            let (p, q) = (a.evaluate_complex(&complex)?, b.evaluate_complex(&complex)?);
            let apart = (p.0 - q.0).hypot(p.1 - q.1);
            let near = apart <= ROUNDING * p.0.hypot(p.1).max(q.0.hypot(q.1));
            if near && exact { None } else { Some(near == (op == Relation::Eq)) }
        }
        _ => None,
    }
}

struct Real<'a> {
    symbols: &'a dyn Fn(&Symbol) -> Option<f64>,
    done: HashMap<*const Node, f64>,
}

impl Real<'_> {
    /// NaN where there is no real value.
    fn value(&mut self, e: &Expr) -> Option<f64> {
        match e.kind() {
            Kind::Number(n) => return Some(n.to_f64()),
            Kind::Float(x) => return Some(*x),
            Kind::Uncertain(u) => return Some(u.value()),
            Kind::Unit(u) => return Some(u.to_si(1.0)),
            Kind::Constant(c) => return Some(c.to_f64().unwrap_or(f64::NAN)),
            Kind::Symbol(s) => return (self.symbols)(s),
            _ => {}
        }
        let at = Arc::as_ptr(&e.0);
        if let Some(known) = self.done.get(&at) {
            return Some(*known);
        }
        let value = self.inner(e)?;
        self.done.insert(at, value);
        Some(value)
    }

    fn inner(&mut self, e: &Expr) -> Option<f64> {
        Some(match e.kind() {
            Kind::Sum(items) => {
                let mut total = 0.0;
                for t in items {
                    total += self.value(t)?;
                }
                total
            }
            Kind::Product(items) => {
                let mut offset = None;
                let mut product = 1.0;
                for f in items {
                    match f.kind() {
                        Kind::Unit(u) if !u.is_ordinary() => offset = Some(u),
                        _ => product *= self.value(f)?,
                    }
                }
                offset.map_or(product, |u| u.to_si(product))
            }
            Kind::Power(b, x) => {
                let base = self.value(b)?;
                match x.as_i64().and_then(|n| i32::try_from(n).ok()).filter(|n| n.abs() <= 64) {
                    Some(n) => base.powi(n),
                    None if x.as_number().is_some_and(|n| *n == crate::base::Number::HALF) => base.sqrt(),
                    None => base.powf(self.value(x)?),
                }
            }
            Kind::Call(f, args) => {
                let mut values = Vec::with_capacity(args.len());
                for a in args {
                    values.push(self.value(a)?);
                }
                (f.row().value)(&values)
            }
            Kind::Derivative(d) => {
                let (f, x) = known_derivative(d)?;
                let x = self.value(x)?;
                gamma_slope(f, x)
            }
            Kind::Piecewise(branches, otherwise) => {
                for (condition, value) in branches {
                    if self.holds(condition)? {
                        return self.value(value);
                    }
                }
                return self.value(otherwise);
            }
            _ => return None,
        })
    }

    /// Comparisons of floats as they are: inside a formula a point on the border is as good as its neighbours.
    fn holds(&mut self, condition: &Expr) -> Option<bool> {
        Some(match condition.kind() {
            Kind::Bool(b) => *b,
            Kind::Not(a) => !self.holds(a)?,
            Kind::Relation(op, a, b) => op.holds(self.value(a)?, self.value(b)?),
            Kind::And(items) | Kind::Or(items) => {
                let all = matches!(condition.kind(), Kind::And(_));
                for item in items {
                    if self.holds(item)? != all {
                        return Some(!all);
                    }
                }
                all
            }
            _ => return None,
        })
    }
}

/// The first derivatives of gamma and its kin, which have no function of their own.
fn known_derivative(d: &Derivative) -> Option<(Function, &Expr)> {
    match (Function::from_name(d.function.name())?, &*d.orders, &*d.args) {
        (f @ (Function::Gamma | Function::LogGamma | Function::Factorial), [1], [x]) => Some((f, x)),
        _ => None,
    }
}

fn gamma_slope(f: Function, x: f64) -> f64 {
    match f {
        Function::Factorial => libm::tgamma(x + 1.0) * digamma(x + 1.0),
        Function::Gamma => libm::tgamma(x) * digamma(x),
        _ => digamma(x),
    }
}

/// The digamma function: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun, 6.3.5 and 6.3.18);
/// reflection (6.3.7) left of 0.
fn digamma(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        if x.fract() == 0.0 {
            return f64::NAN;
        }
        return digamma(1.0 - x) - PI / (PI * x).tan();
    }
    let (mut x, mut result) = (x, 0.0);
    while x < 10.0 {
        result -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series =
        y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0)))));
    result + x.ln() - 0.5 / x - series
}

struct Imaginary<'a> {
    symbols: &'a dyn Fn(&Symbol) -> Option<(f64, f64)>,
    done: HashMap<*const Node, Complex>,
}

impl Imaginary<'_> {
    fn value(&mut self, e: &Expr) -> Option<Complex> {
        let at = Arc::as_ptr(&e.0);
        if let Some(known) = self.done.get(&at) {
            return Some(*known);
        }
        let value = self.inner(e)?;
        self.done.insert(at, value);
        Some(value)
    }

    fn inner(&mut self, e: &Expr) -> Option<Complex> {
        let real = Complex::real;
        Some(match e.kind() {
            Kind::Number(n) => real(n.to_f64()),
            Kind::Float(x) => real(*x),
            Kind::Uncertain(u) => real(u.value()),
            Kind::Unit(u) => real(u.to_si(1.0)),
            Kind::Constant(c) => c.to_f64().map_or(Complex::I, real),
            Kind::Symbol(s) => {
                let (re, im) = (self.symbols)(s)?;
                Complex { re, im }
            }
            Kind::Sum(items) => {
                let mut total = Complex::ZERO;
                for t in items {
                    total = total.add(self.value(t)?);
                }
                total
            }
            Kind::Product(items) => {
                let mut offset = None;
                let mut product = Complex::real(1.0);
                for f in items {
                    match f.kind() {
                        Kind::Unit(u) if !u.is_ordinary() => offset = Some(u),
                        _ => product = product.mul(self.value(f)?),
                    }
                }
                offset.map_or(product, |u| real(u.to_si(product.re)))
            }
            Kind::Power(b, x) => {
                let base = self.value(b)?;
                match x.as_i64() {
                    Some(n) if n.abs() <= 64 => base.powi(n),
                    _ => base.pow(self.value(x)?),
                }
            }
            Kind::Call(f, args) => {
                let mut values = Vec::with_capacity(args.len());
                for a in args {
                    values.push(self.value(a)?);
                }
                super::complex::call(*f, &values)?
            }
            Kind::Derivative(d) => {
                let (f, x) = known_derivative(d)?;
                let x = self.value(x)?;
                if x.im != 0.0 {
                    return None;
                }
                real(gamma_slope(f, x.re))
            }
            Kind::Piecewise(branches, otherwise) => {
                for (condition, value) in branches {
                    if self.holds(condition)? {
                        return self.value(value);
                    }
                }
                return self.value(otherwise);
            }
            _ => return None,
        })
    }

    /// Comparisons other than equality look at the real parts.
    fn holds(&mut self, condition: &Expr) -> Option<bool> {
        Some(match condition.kind() {
            Kind::Bool(b) => *b,
            Kind::Not(a) => !self.holds(a)?,
            Kind::Relation(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                match op {
                    Relation::Eq => a.re == b.re && a.im == b.im,
                    Relation::Ne => a.re != b.re || a.im != b.im,
                    _ => op.holds(a.re, b.re),
                }
            }
            Kind::And(items) | Kind::Or(items) => {
                let all = matches!(condition.kind(), Kind::And(_));
                for item in items {
                    if self.holds(item)? != all {
                        return Some(!all);
                    }
                }
                all
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::read::parse;

    #[test]
    fn values_of_known_expressions() {
        for (text, value) in [
            ("sqrt(2)*sqrt(3)", 6f64.sqrt()),
            ("sin(1)^2 + cos(1)^2", 1.0),
            ("exp(i*pi/3) + exp(-i*pi/3)", 1.0),
            ("(-8)^(1/3)*(-8)^(1/3)*(-8)^(1/3)", -8.0),
            ("re((1 + 2*i)^2)", -3.0),
            ("abs(3 + 4*i)", 5.0),
            ("if 1 > 2 then 3 else 4", 4.0),
            ("erf(1/2)", libm::erf(0.5)),
            ("acosh(2) - log(2 + sqrt(3))", 0.0),
            ("max(1, pi, 2)", std::f64::consts::PI),
        ] {
            let found = parse(text).to_f64().unwrap();
            assert!((found - value).abs() < 1e-12, "{text}: {found}");
        }
        for text in ["x", "sqrt(-2)", "1/0", "log(-1)", "inf - inf"] {
            assert_eq!(parse(text).to_f64(), None, "{text}");
        }
        let gamma = parse("gamma(x)").diff(&Symbol::new("x")).evaluate(&|_| Some(1.0)).unwrap();
        assert!((gamma + 0.577_215_664_901_532_9).abs() < 1e-13);
    }

    #[test]
    fn conditions_are_decided_exactly_where_they_are_exact() {
        for (text, verdict) in [
            ("1/3 + 1/6 == 1/2", Some(true)),
            ("10^30 + 1 > 10^30", Some(true)),
            ("10^30 + 1 == 10^30", Some(false)),
            ("sqrt(2) < 3/2", Some(true)),
            ("0.1 + 0.2 == 0.3", Some(true)),
            ("0.1 == 1/10", Some(true)),
            ("0.1 + 0.2 > 0.3", Some(false)),
            ("pi > 3 and x > 0", None),
            ("pi < 3 and x > 0", Some(false)),
            ("pi > 3 or x > 0", Some(true)),
            ("not pi > 3", Some(false)),
            ("i == -i", Some(false)),
            ("x == x", Some(true)),
            ("sin(1)^2 + cos(1)^2 == 1", None),
        ] {
            assert_eq!(parse(text).decide(&|_| None), verdict, "{text}");
        }
        assert_eq!(parse("x > 0").decide(&|_| Some(2.0)), Some(true));
    }
}
