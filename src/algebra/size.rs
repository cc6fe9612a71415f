//! The size of an expression: leaves plus binary operators, a function one operator. A rational number is one leaf
//! wherever it stands and whatever its sign, also where the printer writes it in two parts (`5*x/2` is the product of
//! 5/2 and x); a sign in front of anything else is one operator. `a + b + c` is 5, `x^2` is 3, `sqrt(x)` is 2, `5*x/2` is
//! 3, `-x` is 2. Products are counted as they are printed otherwise: negative powers below a bar.

use crate::base::Number;
use crate::expression::{Constant, Expr, Function, Kind, Symbol};

/// Leaves plus operators of the written expression.
pub fn size(e: &Expr) -> usize {
    size_by(e, &Alike)
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// A number, a unit, a named constant.
    Number,
    /// A symbol.
    Symbol(&'a Symbol),
    /// a + b.
    Add,
    /// a - b, and -a where the sign stands alone.
    Subtract,
    /// a*b.
    Multiply,
    /// a/b.
    Divide,
    /// a^b.
    Power,
    /// sqrt(a).
    Root,
    /// A function.
    Call(Function),
    /// Anything else: conditions, branches, derivatives.
    Other,
}

/// What each token counts for.
pub trait Costs {
    /// Of one.
    fn of(&self, token: Token<'_>) -> usize;
}

/// Every token counts once.
struct Alike;

impl Costs for Alike {
    #[inline]
    fn of(&self, _: Token<'_>) -> usize {
        1
    }
}

/// The size where tokens have costs of their own.
pub fn size_by<C: Costs>(e: &Expr, costs: &C) -> usize {
    let all = |items: &[Expr]| items.iter().map(|x| size_by(x, costs)).sum::<usize>();
    let other = |n: usize| n * costs.of(Token::Other);
    match e.kind() {
        Kind::Symbol(s) => costs.of(Token::Symbol(s)),
        Kind::Number(_) | Kind::Float(_) | Kind::Uncertain(_) | Kind::Unit(_) | Kind::Constant(_) => {
            costs.of(Token::Number)
        }
        Kind::Bool(_) => other(1),
        Kind::Sum(items) => {
            // A positive term is written first where there is one; the signs of the others are the operators.
            let bodies: usize = items.iter().map(|t| term(t, costs).0).sum();
            let minus = items.iter().filter(|t| t.is_negated()).count();
            let sign = if minus == items.len() { term(&items[0], costs).1 } else { 0 };
            let minus = minus.min(items.len() - 1);
            let plus = items.len() - 1 - minus;
            bodies + plus * costs.of(Token::Add) + minus * costs.of(Token::Subtract) + sign
        }
        Kind::Product(_) | Kind::Power(..) => {
            let (body, sign) = term(e, costs);
            body + sign
        }
        Kind::Call(f, args) => costs.of(Token::Call(*f)) + all(args),
        Kind::Apply(_, args) => other(1) + all(args),
        Kind::Derivative(d) => other(1 + d.orders.iter().filter(|n| **n > 0).count()) + all(&d.args),
        Kind::Relation(_, a, b) => other(1) + size_by(a, costs) + size_by(b, costs),
        Kind::Not(a) => other(1) + size_by(a, costs),
        Kind::And(items) | Kind::Or(items) => other(items.len() - 1) + all(items),
        Kind::Piecewise(branches, last) => {
            let each = |(c, v): &(Expr, Expr)| other(1) + size_by(c, costs) + size_by(v, costs);
            other(1) + size_by(last, costs) + branches.iter().map(each).sum::<usize>()
        }
    }
}

/// A positive power of a base: root, base alone or power.
fn power<C: Costs>(base: &Expr, exponent: &Expr, costs: &C) -> usize {
    let body = size_by(base, costs);
    match exponent.kind() {
        Kind::Number(n) if n.is_one() => body,
        Kind::Number(n) if *n == Number::HALF => costs.of(Token::Root) + body,
        _ => costs.of(Token::Power) + body + size_by(exponent, costs),
    }
}

/// The size of a term without its sign, and what the sign costs where it is an operator of its own (`-x`, but not
/// `-2*x`, `-1/2*x*y` or what a sum takes in).
fn term<C: Costs>(e: &Expr, costs: &C) -> (usize, usize) {
    let items = match e.kind() {
        Kind::Product(items) => items.as_ref(),
        Kind::Power(..) => std::slice::from_ref(e),
        _ => return (size_by(e, costs), 0),
    };
    // Sizes and numbers of factors above and below the bar.
    let (mut above, mut below) = ((0, 0), (0, 0));
    let mut number = None;
    let mut turns = false;
    let mixed = |e: &Expr| matches!(e.kind(), Kind::Sum(t) if t.iter().any(Expr::is_negated));
    for f in items {
        match f.kind() {
            Kind::Number(n) if items.len() > 1 => number = Some(n),
            Kind::Power(b, x) if x.is_negated() => {
                turns |= x.as_i64() == Some(-1) && mixed(b);
                below = (below.0 + power(b, &x.negate(), costs), below.1 + 1);
            }
            Kind::Power(b, x) => above = (above.0 + power(b, x, costs), above.1 + 1),
            _ => {
                turns |= mixed(f);
                above = (above.0 + size_by(f, costs), above.1 + 1);
            }
        }
    }
    let mut sign = 0;
    if let Some(n) = number {
        if n.is_minus_one() {
            sign = usize::from(!turns) * costs.of(Token::Subtract);
        } else {
            above = (above.0 + costs.of(Token::Number), above.1 + 1);
        }
    }
    if above.1 == 0 {
        above = (costs.of(Token::Number), 1);
    }
    let operators = (above.1 - 1) * costs.of(Token::Multiply) + below.1 * costs.of(Token::Divide);
    let shared = shared_roots(items) * costs.of(Token::Root);
    ((above.0 + below.0 + operators).saturating_sub(shared), sign)
}

/// What is saved by writing radicals of numbers and pi under one root with one of a symbolic base: `1/sqrt(2*pi*x)`.
fn shared_roots(items: &[Expr]) -> usize {
    let fraction = |f: &Expr| match f.kind() {
        Kind::Power(b, x) => x.as_number().filter(|n| !n.is_integer()).map(|n| {
            let fixed = b.as_number().is_some() || matches!(b.kind(), Kind::Constant(Constant::Pi));
            (n.clone(), fixed)
        }),
        _ => None,
    };
    let roots: Vec<(Number, bool)> = items.iter().filter_map(fraction).collect();
    if roots.len() < 2 {
        return 0;
    }
    let mut saved = 0;
    for (i, (x, _)) in roots.iter().enumerate() {
        if roots[..i].iter().any(|(y, _)| x == y) {
            continue;
        }
        let fixed = roots.iter().filter(|(y, fixed)| x == y && *fixed).count();
        let free = roots.iter().filter(|(y, fixed)| x == y && !*fixed).count();
        let group = fixed + usize::from(free == 1);
        if fixed > 0 && group > 1 {
            saved += group - 1;
        }
    }
    saved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Flags;

    #[test]
    fn counted_as_written() {
        let (a, b, x) = (Expr::symbol("a"), Expr::symbol("b"), Expr::symbol("x"));
        assert_eq!(size(&Expr::sum([a.clone(), b.clone(), x.clone()])), 5);
        assert_eq!(size(&x.powi(2)), 3);
        assert_eq!(size(&x.clone().sqrt()), 2);
        assert_eq!(size(&(Expr::ratio(-1, 2) * x.clone())), 3);
        assert_eq!(size(&(Expr::ratio(5, 2) * x.clone())), 3);
        assert_eq!(size(&x.clone().negate()), 2);
        assert_eq!(size(&(&a - &b)), 3);
        assert_eq!(size(&(Expr::int(-2) * a.clone() - b.clone())), 6);
        // 3*a/(2*sqrt(x)): 3/2, a and x, a product, a quotient and a root.
        assert_eq!(size(&(Expr::ratio(3, 2) * a.clone() / x.clone().sqrt())), 6);
        assert_eq!(size(&x.recip()), 3);
        assert_eq!(size(&Expr::ratio(1, 2)), 1);
    }

    /// A counter on texts: operators, names and numbers, a ratio one leaf where it is written as one.
    fn counted(text: &str) -> usize {
        let text = text.replace("**", "^");
        let mut tokens: Vec<String> = Vec::new();
        for c in text.chars() {
            let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            match tokens.last_mut() {
                Some(last) if word(c) && last.chars().all(word) => last.push(c),
                _ if c == ' ' => tokens.push(String::new()),
                _ => tokens.push(c.to_string()),
            }
        }
        tokens.retain(|t| !t.is_empty());
        let number = |t: Option<&String>| t.is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
        let mut total = 0;
        for (i, t) in tokens.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| tokens.get(i));
            let after = tokens.get(i + 1);
            let opens = before.is_none_or(|b| ["(", ",", "+", "-", "*", "/", "^"].contains(&b.as_str()));
            total += match t.as_str() {
                "(" | ")" | "," => 0,
                "-" if opens && number(after) && tokens.get(i + 2).is_none_or(|t| t != "^") => 0,
                "/" if number(before)
                    && number(after)
                    && tokens.get(i + 2).is_none_or(|t| t != "^")
                    && i.checked_sub(2)
                        .and_then(|i| tokens.get(i))
                        .is_none_or(|t| t != "*" && t != "/" && t != "^") =>
                {
                    continue;
                }
                _ if number(Some(t))
                    && before.is_some_and(|b| b == "/")
                    && number(i.checked_sub(2).and_then(|i| tokens.get(i)))
                    && after.is_none_or(|t| t != "^")
                    && i.checked_sub(3)
                        .and_then(|i| tokens.get(i))
                        .is_none_or(|t| t != "*" && t != "/" && t != "^") =>
                {
                    continue;
                }
                _ => 1,
            };
        }
        total
    }

    #[test]
    fn a_rational_counts_as_an_integer_does() {
        let names: Vec<crate::expression::Symbol> = ["x", "y"].into_iter().map(Into::into).collect();
        for case in 0..400u64 {
            let mut rng = crate::base::random::Streams::new(case).stream("size/rational");
            let e = crate::expression::arbitrary::random_expr(&mut rng, 2 + (case % 20) as usize, &names);
            if !matches!(e.kind(), Kind::Symbol(_) | Kind::Call(..) | Kind::Power(..)) || e.is_undefined() {
                continue;
            }
            let whole = size(&(Expr::int(5) * e.clone()));
            for n in [Expr::ratio(5, 2), Expr::ratio(-1, 2), Expr::ratio(1, 7)] {
                let product = n * e.clone();
                if matches!(product.kind(), Kind::Product(items) if items.len() == 2) {
                    assert_eq!(size(&product), whole, "{product}");
                }
            }
        }
    }

    /// Whether a product holds a fraction, which the text may write in two parts.
    fn split(e: &Expr) -> bool {
        let mut found = false;
        e.visit(&mut |e| {
            if let Kind::Product(items) = e.kind() {
                found |= items.iter().any(|i| i.as_number().is_some_and(|n| !n.is_integer()));
            }
        });
        found
    }

    #[test]
    fn the_size_is_that_of_the_sympy_text() {
        let names: Vec<crate::expression::Symbol> =
            ["x", "y", "a"].into_iter().map(crate::expression::Symbol::new).collect();
        let (mut same, mut all) = (0, 0);
        for case in 0..400u64 {
            let mut rng = crate::base::random::Streams::new(case).stream("size");
            let e = crate::expression::arbitrary::random_expr(&mut rng, 3 + (case % 20) as usize, &names);
            if split(&e)
                || e.is_undefined()
                || e.flags().has(Flags::FLOAT.with(Flags::APPLY).with(Flags::LOGIC).with(Flags::UNIT))
            {
                continue;
            }
            all += 1;
            let (own, text) = (size(&e), counted(&e.sympy()));
            same += usize::from(own == text);
            assert!(own.abs_diff(text) <= 2 + text / 12, "{own} {text} {}", e.sympy());
        }
        assert!(same * 10 >= all * 9, "{same} of {all}");
    }
}
