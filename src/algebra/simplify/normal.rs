//! What facts alone allow, bottom-up: cancelling equal bases (the base is listed where it is not known to be nonzero),
//! roots and logarithms of products taken apart where signs are known, exponentials of logarithms undone. The
//! pieces are put together again at the end, by [`combine_roots`] and by the rules, where that is smaller.

use super::{region, walk};
use crate::algebra::facts::Knowledge;
use crate::algebra::rational;
use crate::base::Number;
use crate::expression::{Expr, Function, Kind};

/// Brings `e` into the form in which most cancels. `fractions`: whether sums of fractions under roots become one
/// fraction. What is cancelled goes to `conditions`.
pub(super) fn normal(e: &Expr, fractions: bool, know: &Knowledge, conditions: &mut Vec<Expr>) -> Expr {
    walk::bottom_up(e, &mut |node| top(node, fractions, know, conditions))
}

fn top(e: Expr, fractions: bool, know: &Knowledge, conditions: &mut Vec<Expr>) -> Expr {
    match e.kind() {
        Kind::Product(items) => cancel_bases(&e, items, know, conditions),
        Kind::Power(b, x) => power(&e, b, x, fractions, know, conditions).unwrap_or(e),
        Kind::Call(Function::Log, args) => logarithm(&args[0], know).unwrap_or(e),
        Kind::Call(Function::Exp, args) => exponential(&args[0], know, conditions).unwrap_or(e),
        Kind::Call(Function::Abs, args) => {
            let x = know.of(&args[0]);
            if x.is_nonnegative() {
                args[0].clone()
            } else if x.is_nonpositive() {
                args[0].negate()
            } else {
                e
            }
        }
        _ => e,
    }
}

/// Lists what must not be 0, in its factors, unless it is known.
pub(super) fn list(base: &Expr, know: &Knowledge, conditions: &mut Vec<Expr>) {
    match base.kind() {
        Kind::Product(items) => items.iter().for_each(|f| list(f, know, conditions)),
        Kind::Power(b, x) if know.of(x).finite => list(b, know, conditions),
        Kind::Call(Function::Abs | Function::Sign, args) => list(&args[0], know, conditions),
        _ if know.of(base).nonzero => {}
        Kind::Number(_) | Kind::Float(_) => {}
        _ => {
            let base = match base.kind() {
                Kind::Sum(items) if items.iter().all(Expr::is_negated) => base.negate(),
                _ => base.clone(),
            };
            if !conditions.contains(&base) {
                conditions.push(base);
            }
        }
    }
}

/// `x^a * x^b` is `x^(a + b)` for `x != 0`.
fn cancel_bases(e: &Expr, items: &[Expr], know: &Knowledge, conditions: &mut Vec<Expr>) -> Expr {
    let repeated = items.iter().enumerate().any(|(i, f)| {
        let base = f.base_exponent().0;
        !base.is_plain_number() && items[i + 1..].iter().any(|g| g.base_exponent().0 == base)
    });
    if !repeated {
        return e.clone();
    }
    let mut groups: Vec<(Expr, Vec<Expr>)> = Vec::new();
    for f in items {
        let (base, exponent) = f.base_exponent();
        match groups.iter_mut().find(|(b, _)| *b == base) {
            Some(group) => group.1.push(exponent),
            None => groups.push((base, vec![exponent])),
        }
    }
    Expr::product(groups.into_iter().map(|(base, exponents)| {
        if let [only] = exponents.as_slice() {
            return Expr::power(base, only.clone());
        }
        if base.is_plain_number() {
            return Expr::product(exponents.into_iter().map(|x| Expr::power(base.clone(), x)));
        }
        let total = Expr::sum(exponents);
        // A pole that stays needs no condition.
        if !total.is_negated() {
            list(&base, know, conditions);
        }
        Expr::power(base, total)
    }))
}

fn power(
    e: &Expr,
    base: &Expr,
    exponent: &Expr,
    fractions: bool,
    know: &Knowledge,
    conditions: &mut Vec<Expr>,
) -> Option<Expr> {
    if let Some(n) = exponent.as_number()
        && n.is_integer()
    {
        // abs(x)^2 is x^2 for real x.
        return match base.kind() {
            Kind::Call(Function::Abs, args) if n.is_even() && know.of(&args[0]).real => {
                Some(Expr::power(args[0].clone(), exponent.clone()))
            }
            _ => None,
        };
    }
    if !know.of(exponent).real {
        return None;
    }
    let simple = match base.kind() {
        Kind::Sum(_) => {
            let mut own = Vec::new();
            let together = if fractions {
                rational::cancel(base).map(|(e, c)| {
                    own = c;
                    e
                })
            } else {
                None
            };
            let base = together.unwrap_or_else(|| base.clone());
            let base = match base.kind() {
                Kind::Sum(_) => region::content(&base),
                _ => base,
            };
            matches!(base.kind(), Kind::Product(_) | Kind::Power(..)).then_some((base, own))
        }
        _ => Some((base.clone(), Vec::new())),
    };
    let (base, own) = simple?;
    let (mut outside, mut inside) = (Vec::new(), Vec::new());
    for f in base.factors() {
        match root_of_factor(f, exponent, know) {
            Some(root) => outside.push(root),
            None => inside.push(f.clone()),
        }
    }
    if outside.is_empty() {
        return None;
    }
    // A lone positive symbol is its own root.
    if inside.is_empty() && outside.len() == 1 && outside[0] == *e {
        return None;
    }
    own.iter().for_each(|c| list(c, know, conditions));
    if !inside.is_empty() {
        outside.push(Expr::power(Expr::product(inside), exponent.clone()));
    }
    let items = outside.iter().flat_map(Expr::factors).cloned().collect::<Vec<_>>();
    let product = Expr::product(items);
    match product.kind() {
        Kind::Product(items) => Some(cancel_bases(&product, items, know, conditions)),
        _ => Some(product),
    }
}

/// The power of one factor, where it may be taken alone.
fn root_of_factor(f: &Expr, exponent: &Expr, know: &Knowledge) -> Option<Expr> {
    let (base, own) = f.base_exponent();
    let facts = know.of(&base);
    let times = |x: &Expr| Expr::product([x.clone(), exponent.clone()]);
    if let Some(n) = own.as_number()
        && n.is_integer()
        && n.is_even()
        && facts.real
    {
        let size = if facts.is_nonnegative() {
            base
        } else if facts.is_nonpositive() {
            base.negate()
        } else {
            Expr::call(Function::Abs, vec![base])
        };
        return Some(Expr::power(size, times(&own)));
    }
    if facts.is_positive() && know.of(&own).real || (facts.is_nonnegative() && own.as_number().is_some()) {
        return Some(Expr::power(base, times(&own)));
    }
    // A factor that is not negative as a whole.
    know.of(f).is_nonnegative().then(|| Expr::power(f.clone(), exponent.clone()))
}

fn logarithm(x: &Expr, know: &Knowledge) -> Option<Expr> {
    let log = |x: Expr| Expr::call(Function::Log, vec![x]);
    match x.kind() {
        Kind::Call(Function::Exp, args) if know.of(&args[0]).real => Some(args[0].clone()),
        Kind::Power(b, n) if know.of(b).is_positive() && know.of(n).real => {
            Some(Expr::product([n.clone(), log(b.clone())]))
        }
        Kind::Product(items) => {
            let (outside, inside): (Vec<_>, Vec<_>) =
                items.iter().cloned().partition(|f| know.of(f).is_positive());
            if outside.is_empty() || (outside.len() == 1 && inside.is_empty()) {
                return None;
            }
            let mut terms: Vec<Expr> =
                outside.into_iter().map(|f| logarithm(&f, know).unwrap_or_else(|| log(f))).collect();
            if !inside.is_empty() {
                terms.push(log(Expr::product(inside)));
            }
            Some(Expr::sum(terms))
        }
        _ => None,
    }
}

/// `exp(a*log(x) + b)` is `x^a*exp(b)`.
fn exponential(x: &Expr, know: &Knowledge, conditions: &mut Vec<Expr>) -> Option<Expr> {
    let mut outside = Vec::new();
    let mut inside = Vec::new();
    for term in x.terms() {
        let at = term.factors().iter().position(|f| matches!(f.kind(), Kind::Call(Function::Log, _)));
        match at.map(|i| (i, term.factors()[i].kind())) {
            Some((i, Kind::Call(_, args))) => {
                let rest = term.factors().iter().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| f.clone());
                list(&args[0], know, conditions);
                outside.push(Expr::power(args[0].clone(), Expr::product(rest)));
            }
            _ => inside.push(term.clone()),
        }
    }
    if outside.is_empty() {
        return None;
    }
    outside.push(Expr::call(Function::Exp, vec![Expr::sum(inside)]));
    Some(Expr::product(outside))
}

/// Puts roots of one degree under one root: `sqrt(a)*sqrt(b)` is `sqrt(a*b)` where all but one are known not to be negative.
pub(super) fn combine_roots(e: &Expr, know: &Knowledge) -> Expr {
    walk::bottom_up(e, &mut |node| match node.kind() {
        Kind::Product(items) => combine(items, know).unwrap_or(node),
        _ => node,
    })
}

fn combine(items: &[Expr], know: &Knowledge) -> Option<Expr> {
    let degree = |f: &Expr| -> Option<Number> {
        let Kind::Power(b, x) = f.kind() else { return None };
        let n = x.as_number()?;
        let fixed = b.is_plain_number() || matches!(b.kind(), Kind::Constant(_) | Kind::Unit(_));
        (!n.is_integer() && !fixed).then(|| n.abs())
    };
    let mut degrees: Vec<Number> = items.iter().filter_map(degree).collect();
    degrees.sort();
    let shared: Vec<Number> = degrees.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0].clone()).collect();
    if shared.is_empty() {
        return None;
    }
    let mut left: Vec<Expr> = items.to_vec();
    for n in shared {
        let (mut group, others): (Vec<Expr>, Vec<Expr>) =
            left.into_iter().partition(|f| degree(f).as_ref() == Some(&n));
        // One may be of unknown sign; it decides which way the root stands.
        group.sort_by_key(|f| know.of(&f.base_exponent().0).is_nonnegative());
        let free = group.iter().filter(|f| !know.of(&f.base_exponent().0).is_nonnegative()).count();
        let apart = free.saturating_sub(1);
        left = others;
        left.extend(group.drain(..apart));
        if group.len() < 2 {
            left.extend(group);
            continue;
        }
        let negative = if free == 1 || apart > 0 {
            group[0].base_exponent().1.is_negated()
        } else {
            group.iter().all(|f| f.base_exponent().1.is_negated())
        };
        let inside = group.iter().map(|f| {
            let (b, x) = f.base_exponent();
            if x.is_negated() == negative { b } else { b.recip() }
        });
        let exponent = if negative { -&n } else { n };
        left.push(Expr::power(Expr::product(inside), Expr::number(exponent)));
    }
    Some(Expr::product(left))
}
