//! The three forms of a complex law, as real laws of two rows for each complex number, and as one complex expression.

use crate::algebra;
use crate::expression::{Expr, Function, Kind, Symbol};

/// How a complex number is made of two real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// a + i*b
    Cartesian,
    /// a*exp(i*b)
    Polar,
    /// 1/(a + i*b)
    Reciprocal,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 3] = [Form::Cartesian, Form::Polar, Form::Reciprocal];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Form::Cartesian => "a + i*b",
            Form::Polar => "a*exp(i*b)",
            Form::Reciprocal => "1/(a + i*b)",
        }
    }

    /// Real part times `re` plus imaginary part times `im`.
    pub fn real(self, a: &Expr, b: &Expr, re: &Expr, im: &Expr) -> Expr {
        match self {
            Form::Cartesian => a * re + b * im,
            Form::Polar => {
                let turned = |f| Expr::call(f, vec![b.clone()]);
                Expr::product([
                    a.clone(),
                    turned(Function::Cos) * re.clone() + turned(Function::Sin) * im.clone(),
                ])
            }
            Form::Reciprocal => Expr::product([a * re - b * im, Expr::sum([a.powi(2), b.powi(2)]).recip()]),
        }
    }

    /// As one complex expression; `features` are the names of complex features, whose parts are symbols.
    pub fn complex(self, a: &Expr, b: &Expr, features: &[Symbol]) -> Expr {
        match self {
            Form::Cartesian => whole(&(a + &Expr::product([Expr::i(), b.clone()])), features),
            Form::Polar => polar(a, b, features),
            Form::Reciprocal => Form::Cartesian.complex(a, b, features).recip(),
        }
    }
}

/// The symbol of a part of a complex feature.
pub fn part(function: Function, feature: &Symbol) -> Symbol {
    Symbol::new(&format!("{function}({feature})"))
}

/// Real and imaginary parts of a feature as the feature and its conjugate, where that makes the law smaller.
fn whole(law: &Expr, features: &[Symbol]) -> Expr {
    let mut law = law.clone();
    for feature in features {
        let (re, im) = (part(Function::Re, feature), part(Function::Im, feature));
        if !law.contains_symbol(&re) && !law.contains_symbol(&im) {
            continue;
        }
        let z = Expr::symbol(feature.clone());
        let conjugate = Expr::call(Function::Conj, vec![z.clone()]);
        let half = |e: Expr| Expr::product([Expr::ratio(1, 2), e]);
        let pairs =
            [(re, half(&z + &conjugate)), (im, half(Expr::product([Expr::i().negate(), &z - &conjugate])))];
        if let Ok(other) = algebra::try_expand(&law.substitute(&pairs))
            && algebra::size(&other) < algebra::size(&law)
        {
            law = other;
        }
    }
    law
}

/// `a*exp(i*b)`: an exponential of `a` goes with the other, and a power of the modulus of a feature goes with as many of its
/// arguments.
fn polar(a: &Expr, b: &Expr, features: &[Symbol]) -> Expr {
    let (mut a, mut b, mut powers) = (a.clone(), b.clone(), Vec::new());
    for feature in features {
        let (modulus, argument) = (part(Function::Abs, feature), part(Function::Arg, feature));
        let power = a.factors().iter().find_map(|f| {
            let (base, exponent) = f.base_exponent();
            (base.as_symbol() == Some(&modulus)).then_some(exponent).filter(|e| e.as_i64().is_some())
        });
        let Some(power) = power else { continue };
        let modulus = Expr::power(Expr::symbol(modulus), power.clone());
        let rest = &b - &Expr::product([power.clone(), Expr::symbol(argument.clone())]);
        if !rest.contains_symbol(&argument) {
            a = Expr::product(a.factors().iter().filter(|f| **f != modulus).cloned());
            b = rest;
            powers.push(Expr::power(Expr::symbol(feature.clone()), power));
        }
    }
    let mut exponent = Expr::product([Expr::i(), b]);
    let mut factors = Vec::new();
    for f in a.factors() {
        match f.kind() {
            Kind::Call(Function::Exp, inside) => exponent = Expr::sum([inside[0].clone(), exponent]),
            _ => factors.push(f.clone()),
        }
    }
    factors.extend(powers);
    factors.push(Expr::call(Function::Exp, vec![exponent]));
    Expr::product(factors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::read::parse;

    #[test]
    fn the_real_forms_are_those_of_the_complex_ones() {
        let (a, b) = (parse("2*x + 1"), parse("x^2"));
        for form in Form::ALL {
            let complex = form.complex(&a, &b, &[]);
            let of = |re: i64, im: i64| form.real(&a, &b, &Expr::int(re), &Expr::int(im));
            for x in [0.3, -1.1, 2.7] {
                let (re, im) = complex.evaluate_complex(&|_| Some((x, 0.0))).unwrap();
                assert!((of(1, 0).evaluate(&|_| Some(x)).unwrap() - re).abs() < 1e-12, "{complex}");
                assert!((of(0, 1).evaluate(&|_| Some(x)).unwrap() - im).abs() < 1e-12, "{complex}");
            }
        }
    }

    #[test]
    fn parts_of_a_feature_become_the_feature() {
        let z = [Symbol::new("z")];
        let symbol = |f| Expr::symbol(part(f, &z[0]));
        let (re, im) = (symbol(Function::Re), symbol(Function::Im));
        assert_eq!(Form::Cartesian.complex(&re, &im, &z), parse("z"));
        assert_eq!(Form::Cartesian.complex(&re, &im.negate(), &z), parse("conj(z)"));
        let square = (re.powi(2) - im.powi(2), Expr::int(2) * re * im);
        assert_eq!(Form::Cartesian.complex(&square.0, &square.1, &z), parse("z^2"));
        let (abs, arg) = (symbol(Function::Abs), symbol(Function::Arg));
        assert_eq!(Form::Polar.complex(&abs.powi(-1), &arg.negate(), &z), parse("1/z"));
        assert_eq!(Form::Polar.complex(&parse("3*exp(-x)"), &parse("2*x"), &z), parse("3*exp(-x + 2*i*x)"));
    }
}
