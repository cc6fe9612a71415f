//! Canonical calls, relations, conditions and piecewise expressions: exact values at the points where a
//! table knows them, floats at floats, parity; nothing that needs an assumption.

use super::canonical::Num;
use super::function::Function;
use super::node::{Expr, Flags, Kind, Relation};
use super::symbol::{Constant, Symbol};
use crate::base::Number;

impl Expr {
    /// A known function of its arguments. The number of arguments is the caller's to check.
    pub fn call(function: Function, args: Vec<Expr>) -> Expr {
        if let [x] = args.as_slice() {
            if let Some(value) = at_known_point(function, x) {
                return value;
            }
            if x.is_negated()
                || matches!(x.kind(), Kind::Sum(items) if super::canonical::leads_negative(items))
            {
                if function.is_odd() {
                    return Expr::call(function, vec![x.negate()]).negate();
                }
                if function.is_even() {
                    return Expr::call(function, vec![x.negate()]);
                }
            }
        }
        if args.iter().all(Expr::is_plain_number) {
            let any_float = args.iter().any(|a| matches!(a.kind(), Kind::Float(_)));
            if any_float
                && function != Function::Order
                && let Some(values) = args.iter().map(Expr::as_f64).collect::<Option<Vec<f64>>>()
                && let Some(value) = at_floats(function, &values)
            {
                return value;
            }
            if let Some(numbers) =
                args.iter().map(|a| a.as_number().cloned()).collect::<Option<Vec<Number>>>()
                && let Some(value) = at_exact(function, &numbers)
            {
                return value;
            }
        }
        match (function, args.as_slice()) {
            (Function::Min | Function::Max, [only]) => only.clone(),
            (Function::Min | Function::Max, _) => extremum(function, args),
            _ => Expr::raw(Kind::Call(function, args.into())),
        }
    }

    /// An undefined function of its arguments.
    pub fn apply(function: Symbol, args: Vec<Expr>) -> Expr {
        Expr::raw(Kind::Apply(function, args.into()))
    }

    /// A derivative of an undefined function; the function itself where all orders are 0.
    pub fn derivative(function: Symbol, orders: Vec<u32>, args: Vec<Expr>) -> Expr {
        debug_assert_eq!(orders.len(), args.len());
        if orders.iter().all(|n| *n == 0) {
            return Expr::apply(function, args);
        }
        Expr::raw(Kind::Derivative(Box::new(super::node::Derivative {
            function,
            orders: orders.into(),
            args: args.into(),
        })))
    }

    /// An equation or inequality. Stays as written, also where it could be decided.
    pub fn relation(op: Relation, a: Expr, b: Expr) -> Expr {
        Expr::raw(Kind::Relation(op, a, b))
    }

    /// `a == b`.
    pub fn equation(a: Expr, b: Expr) -> Expr {
        Expr::relation(Relation::Eq, a, b)
    }

    /// A decided condition.
    pub fn boolean(value: bool) -> Expr {
        Expr::raw(Kind::Bool(value))
    }

    /// Negation; relations are turned round.
    // Not `ops::Not`: it takes conditions only, like its siblings `and` and `or`.
    #[allow(clippy::should_implement_trait)]
    pub fn not(condition: Expr) -> Expr {
        match condition.kind() {
            Kind::Bool(b) => Expr::boolean(!b),
            Kind::Not(inner) => inner.clone(),
            Kind::Relation(op, a, b) => Expr::relation(op.negated(), a.clone(), b.clone()),
            _ => Expr::raw(Kind::Not(condition)),
        }
    }

    /// All of the conditions.
    pub fn and(items: impl IntoIterator<Item = Expr>) -> Expr {
        connective(items, true)
    }

    /// Any of the conditions.
    pub fn or(items: impl IntoIterator<Item = Expr>) -> Expr {
        connective(items, false)
    }

    /// The first value whose condition holds, else `otherwise`. Decided conditions are resolved.
    pub fn piecewise(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
        let mut kept: Vec<(Expr, Expr)> = Vec::new();
        let mut last = otherwise;
        for (condition, value) in branches {
            let decided = match condition.kind() {
                Kind::Bool(_) => None,
                _ if condition.is_symbolic() => None,
                _ => condition.decide(&|_| None),
            };
            let condition = decided.map_or(condition, Expr::boolean);
            match condition.kind() {
                Kind::Bool(false) => {}
                Kind::Bool(true) => {
                    last = value;
                    break;
                }
                _ => kept.push((condition, value)),
            }
        }
        while kept.last().is_some_and(|(_, v)| *v == last) {
            kept.pop();
        }
        if kept.is_empty() {
            return last;
        }
        if let Kind::Piecewise(inner, rest) = last.kind() {
            kept.extend(inner.iter().cloned());
            let rest = rest.clone();
            return Expr::raw(Kind::Piecewise(kept.into(), rest));
        }
        Expr::raw(Kind::Piecewise(kept.into(), last))
    }
}

fn connective(items: impl IntoIterator<Item = Expr>, all: bool) -> Expr {
    let mut kept: Vec<Expr> = Vec::new();
    for item in items {
        match item.kind() {
            Kind::Bool(b) if *b == all => {}
            Kind::Bool(_) => return item,
            Kind::And(inner) if all => kept.extend(inner.iter().cloned()),
            Kind::Or(inner) if !all => kept.extend(inner.iter().cloned()),
            _ => kept.push(item),
        }
    }
    let mut unique: Vec<Expr> = Vec::with_capacity(kept.len());
    for item in kept {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    match unique.len() {
        0 => Expr::boolean(all),
        1 => unique.remove(0),
        _ if all => Expr::raw(Kind::And(unique.into())),
        _ => Expr::raw(Kind::Or(unique.into())),
    }
}

/// `min` and `max`: nested ones flattened, numbers folded, arguments sorted, each once.
fn extremum(function: Function, args: Vec<Expr>) -> Expr {
    let mut number: Option<Expr> = None;
    let mut rest: Vec<Expr> = Vec::new();
    let mut stack: Vec<Expr> = args.into_iter().rev().collect();
    while let Some(arg) = stack.pop() {
        match arg.kind() {
            Kind::Call(f, inner) if *f == function => stack.extend(inner.iter().rev().cloned()),
            _ if arg.is_plain_number() => {
                number = Some(match number {
                    None => arg,
                    Some(n) => {
                        let (x, y) = (n.as_f64().unwrap_or(f64::NAN), arg.as_f64().unwrap_or(f64::NAN));
                        if (function == Function::Min) == (y < x) { arg } else { n }
                    }
                });
            }
            _ if rest.contains(&arg) => {}
            _ => rest.push(arg),
        }
    }
    rest.sort_by_key(Expr::stable_hash);
    rest.extend(number);
    if rest.len() == 1 { rest.remove(0) } else { Expr::raw(Kind::Call(function, rest.into())) }
}

/// Whether `x` is a rational multiple of pi, and which.
fn multiple_of_pi(x: &Expr) -> Option<Number> {
    match x.kind() {
        Kind::Constant(Constant::Pi) => Some(Number::ONE),
        Kind::Product(items)
            if items.len() == 2 && matches!(items[1].kind(), Kind::Constant(Constant::Pi)) =>
        {
            items[0].as_number().cloned()
        }
        Kind::Number(n) if n.is_zero() => Some(Number::ZERO),
        _ => None,
    }
}

/// sin(k*pi/12) for k = 0..24 where it has one radical at most: multiples of pi/6 and pi/4.
fn sine_of_twelfths(k: i64) -> Option<Expr> {
    let k = k.rem_euclid(24);
    if k >= 12 {
        return sine_of_twelfths(k - 12).map(|e| e.negate());
    }
    let k = if k > 6 { 12 - k } else { k };
    Some(match k {
        0 => Expr::zero(),
        2 => Expr::number(Number::HALF),
        3 => Expr::int(2).sqrt().recip(),
        4 => Expr::product([Expr::number(Number::HALF), Expr::int(3).sqrt()]),
        6 => Expr::one(),
        _ => return None,
    })
}

fn at_known_point(function: Function, x: &Expr) -> Option<Expr> {
    use Function::*;
    if x.is_zero() && x.as_number().is_some() {
        return match function {
            Sin | Tan | Asin | Atan | Sinh | Tanh | Asinh | Atanh | Erf | Abs | Sign | Floor | Ceil
            | Round | Re | Im | Conj => Some(Expr::zero()),
            Exp | Cos | Cosh | Erfc | Factorial => Some(Expr::one()),
            Acos => Some(Expr::product([Expr::number(Number::HALF), Expr::pi()])),
            Step => Some(Expr::number(Number::HALF)),
            Log | Log10 | Log2 | Gamma | LogGamma => Some(Expr::raw(Kind::Product(
                [Expr::float(f64::NAN), Expr::raw(Kind::Call(function, [x.clone()].into()))].into(),
            ))),
            _ => None,
        };
    }
    match function {
        Sin | Cos | Tan => {
            let twelfths = &multiple_of_pi(x)? * &Number::int(12);
            let k = twelfths.floor();
            if k != twelfths {
                return None;
            }
            let k =
                k.checked_div(&Number::int(24)).map(|q| &k - &(&q.floor() * &Number::int(24)))?.to_i64()?;
            match function {
                Sin => sine_of_twelfths(k),
                Cos => sine_of_twelfths(k + 6),
                _ => {
                    let (s, c) = (sine_of_twelfths(k)?, sine_of_twelfths(k + 6)?);
                    if c.is_zero() { None } else { Some(s / c) }
                }
            }
        }
        Log => match x.kind() {
            Kind::Number(n) if n.is_one() => Some(Expr::zero()),
            Kind::Constant(Constant::E) => Some(Expr::one()),
            Kind::Constant(Constant::Infinity) => Some(x.clone()),
            Kind::Call(Exp, args) if args[0].is_plain_number() => Some(args[0].clone()),
            _ => None,
        },
        Exp => match x.kind() {
            Kind::Number(n) if n.is_one() => Some(Expr::constant(Constant::E)),
            Kind::Constant(Constant::Infinity) => Some(x.clone()),
            Kind::Product(items) => match items.as_ref() {
                [c, inf] if c.is_negated() && matches!(inf.kind(), Kind::Constant(Constant::Infinity)) => {
                    Some(Expr::zero())
                }
                // exp(i*pi*q) by Euler's formula where sine and cosine are known.
                items if items.iter().any(|f| matches!(f.kind(), Kind::Constant(Constant::I))) => {
                    let angle = Expr::product(
                        items.iter().filter(|f| !matches!(f.kind(), Kind::Constant(Constant::I))).cloned(),
                    );
                    let cosine = at_known_point(Cos, &angle)?;
                    let sine = at_known_point(Sin, &angle)?;
                    Some(Expr::sum([cosine, Expr::product([Expr::i(), sine])]))
                }
                _ => None,
            },
            _ => None,
        },
        Asin | Acos | Atan => inverse_trigonometric(function, x),
        Abs => match x.kind() {
            Kind::Number(n) => Some(Expr::number(n.abs())),
            Kind::Constant(Constant::I) => Some(Expr::one()),
            Kind::Constant(_) => Some(x.clone()),
            Kind::Call(Abs | Exp, _) if !x.flags().has(Flags::IMAGINARY) => Some(x.clone()),
            Kind::Unit(_) => Some(x.clone()),
            Kind::Product(items) if super::canonical::complex_parts(x).is_none() => {
                let (out, inside): (Vec<_>, Vec<_>) = items.iter().cloned().partition(|f| {
                    f.is_plain_number()
                        || matches!(f.kind(), Kind::Constant(Constant::Pi | Constant::E) | Kind::Unit(_))
                });
                if out.is_empty() {
                    return None;
                }
                let out = out.into_iter().map(|f| Expr::call(Abs, vec![f]));
                Some(Expr::product(out.chain([Expr::call(Abs, vec![Expr::product(inside)])])))
            }
            _ => {
                let (re, im) = super::canonical::complex_parts(x)?;
                let square = re.mul(&re).add(&im.mul(&im));
                Some(square.expr().sqrt())
            }
        },
        Re | Im | Conj | Arg => complex_function(function, x),
        Sign => match x.kind() {
            Kind::Constant(Constant::I) => None,
            Kind::Constant(_) | Kind::Unit(_) => Some(Expr::one()),
            _ => None,
        },
        _ => None,
    }
}

fn inverse_trigonometric(function: Function, x: &Expr) -> Option<Expr> {
    // The table is made of radicals; nothing with a symbol or of more parts is in it.
    if x.is_symbolic() || x.node_count() > 8 {
        return None;
    }
    if x.is_negated() {
        // Odd ones are handled by parity; acos(-x) = pi - acos(x).
        return match function {
            Function::Acos => {
                let known = inverse_trigonometric(function, &x.negate())?;
                Some(Expr::pi() - known)
            }
            _ => None,
        };
    }
    if let Kind::Constant(Constant::Infinity) = x.kind() {
        return (function == Function::Atan).then(|| Expr::product([Expr::number(Number::HALF), Expr::pi()]));
    }
    let rows: [(Expr, i64); 4] = [
        (Expr::number(Number::HALF), 2),
        (Expr::int(2).sqrt().recip(), 3),
        (Expr::product([Expr::number(Number::HALF), Expr::int(3).sqrt()]), 4),
        (Expr::one(), 6),
    ];
    let pi_twelfths = |k: i64| Expr::product([Expr::ratio(k, 12), Expr::pi()]);
    match function {
        Function::Asin => rows.iter().find(|(v, _)| v == x).map(|(_, k)| pi_twelfths(*k)),
        Function::Acos => rows.iter().find(|(v, _)| v == x).map(|(_, k)| pi_twelfths(6 - k)),
        _ => {
            let rows = [(Expr::int(3).sqrt().recip(), 2), (Expr::one(), 3), (Expr::int(3).sqrt(), 4)];
            rows.iter().find(|(v, _)| v == x).map(|(_, k)| pi_twelfths(*k))
        }
    }
}

fn complex_function(function: Function, x: &Expr) -> Option<Expr> {
    let (re, im) = match (Num::of(x), super::canonical::complex_parts(x)) {
        (Some(n), _) => (n, Num::Exact(Number::ZERO)),
        (None, Some(parts)) => parts,
        _ => return None,
    };
    match function {
        Function::Re => Some(re.expr()),
        Function::Im => Some(im.expr()),
        Function::Conj => Some(Expr::sum([re.expr(), Expr::product([im.neg().expr(), Expr::i()])])),
        _ => {
            if im.is_zero() {
                return Some(if re.is_negative() { Expr::pi() } else { Expr::zero() });
            }
            if re.is_zero() {
                let half = Expr::product([Expr::number(Number::HALF), Expr::pi()]);
                return Some(if im.is_negative() { half.negate() } else { half });
            }
            Some(Expr::call(Function::Atan2, vec![im.expr(), re.expr()]))
        }
    }
}

fn at_floats(function: Function, values: &[f64]) -> Option<Expr> {
    let value = (function.row().value)(values);
    if value.is_nan() && !values.iter().any(|v| v.is_nan()) {
        let x = values[0];
        // Outside the real domain: the principal complex value where it is elementary.
        return match function {
            Function::Log if x < 0.0 => Some(Expr::sum([
                Expr::float((-x).ln()),
                Expr::product([Expr::float(std::f64::consts::PI), Expr::i()]),
            ])),
            _ => None,
        };
    }
    if value.is_infinite()
        && values.iter().all(|v| v.is_finite())
        && matches!(function, Function::Log | Function::Atanh | Function::Gamma | Function::LogGamma)
    {
        return Some(Expr::float(f64::NAN));
    }
    Some(Expr::float(value))
}

fn at_exact(function: Function, numbers: &[Number]) -> Option<Expr> {
    use Function::*;
    let x = numbers.first()?;
    Some(match function {
        Sign => Expr::int(if x.is_positive() { 1 } else { -1 }),
        Step => Expr::int(x.is_positive() as i64),
        Floor => Expr::number(x.floor()),
        Ceil => Expr::number(-(-x).floor()),
        Round => {
            let half = (&x.abs() + &Number::HALF).floor();
            Expr::number(if x.is_negative() { -half } else { half })
        }
        Mod => {
            let q = x.checked_div(&numbers[1])?.floor();
            Expr::number(x - &(&numbers[1] * &q))
        }
        Min => Expr::number(numbers.iter().min()?.clone()),
        Max => Expr::number(numbers.iter().max()?.clone()),
        Factorial | Gamma => {
            let n = x.to_i64()? - (function == Gamma) as i64;
            if !(0..=1000).contains(&n) {
                return None;
            }
            Expr::number((2..=n).fold(Number::ONE, |product, k| &product * &Number::int(k)))
        }
        Log10 | Log2 => {
            let base = Number::int(if function == Log10 { 10 } else { 2 });
            let (mut k, mut left) = (0i64, x.clone());
            if !x.is_positive() {
                return None;
            }
            while left > Number::ONE {
                left = left.checked_div(&base)?;
                k += 1;
            }
            while left < Number::ONE {
                left = &left * &base;
                k -= 1;
            }
            if !left.is_one() {
                return None;
            }
            Expr::int(k)
        }
        Atan2 => {
            let (y, x) = (x, numbers.get(1)?);
            match (y.is_zero(), x.is_zero()) {
                (true, true) => Expr::zero(),
                (true, false) => {
                    if x.is_negative() {
                        Expr::pi()
                    } else {
                        Expr::zero()
                    }
                }
                (false, true) => {
                    Expr::product([Expr::ratio(if y.is_negative() { -1 } else { 1 }, 2), Expr::pi()])
                }
                (false, false) => return None,
            }
        }
        _ => return None,
    })
}
