//! Patterns. Every symbol of a pattern stands for anything; sums and products match in any order, with backtracking.
//! At the top a pattern that is a sum matches some terms of a longer sum that share a multiplier
//! (`A*sin(x)^2 + A*cos(x)^2 + b` against `sin(x)^2 + cos(x)^2`), and one that is a product matches some factors.

use crate::base::Number;
use crate::expression::{Expr, Kind, Symbol};

/// What the symbols of a pattern stand for.
pub(super) type Bindings = Vec<(Symbol, Expr)>;

type Then<'a> = &'a mut dyn FnMut(&mut Bindings) -> bool;

fn bound<'a>(bindings: &'a Bindings, symbol: &Symbol) -> Option<&'a Expr> {
    bindings.iter().find(|(s, _)| s == symbol).map(|(_, e)| e)
}

/// The pattern with its symbols replaced; `None` where one is not bound.
pub(super) fn instantiate(pattern: &Expr, bindings: &Bindings) -> Option<Expr> {
    if let Kind::Symbol(s) = pattern.kind() {
        return bound(bindings, s).cloned();
    }
    if !pattern.is_symbolic() {
        return Some(pattern.clone());
    }
    let mut missing = false;
    let result = pattern.map_children(|child| {
        instantiate(child, bindings).unwrap_or_else(|| {
            missing = true;
            child.clone()
        })
    });
    (!missing).then_some(result)
}

fn is_variable(e: &Expr) -> bool {
    matches!(e.kind(), Kind::Symbol(_))
}

/// Matches the whole of `subject`; calls `then` for every way until it says that this was the one.
fn matches(pattern: &Expr, subject: &Expr, bindings: &mut Bindings, then: Then) -> bool {
    if let Kind::Symbol(s) = pattern.kind() {
        if let Some(known) = bound(bindings, s) {
            return *known == *subject && then(bindings);
        }
        bindings.push((s.clone(), subject.clone()));
        if then(bindings) {
            return true;
        }
        bindings.pop();
        return false;
    }
    if !pattern.is_symbolic() {
        return pattern == subject && then(bindings);
    }
    if let Some(whole) = instantiate(pattern, bindings) {
        return whole == *subject && then(bindings);
    }
    match (pattern.kind(), subject.kind()) {
        (Kind::Sum(p), Kind::Sum(s)) => match_all(p, s, &|v| Expr::sum(v), bindings, then),
        (Kind::Product(p), Kind::Product(s)) => match_all(p, s, &|v| Expr::product(v), bindings, then),
        (Kind::Power(b, x), Kind::Power(c, y)) => {
            matches(b, c, bindings, &mut |bindings| matches(x, y, bindings, then))
        }
        (Kind::Call(f, p), Kind::Call(g, s)) if f == g && p.len() == s.len() => {
            match_in_order(p, s, bindings, then)
        }
        (Kind::Relation(f, a, b), Kind::Relation(g, c, d)) if f == g => {
            matches(a, c, bindings, &mut |bindings| matches(b, d, bindings, then))
        }
        _ => false,
    }
}

fn match_in_order(patterns: &[Expr], subjects: &[Expr], bindings: &mut Bindings, then: Then) -> bool {
    match (patterns, subjects) {
        ([p, ps @ ..], [s, ss @ ..]) => {
            matches(p, s, bindings, &mut |bindings| match_in_order(ps, ss, bindings, then))
        }
        _ => then(bindings),
    }
}

/// All of the patterns with all of the subjects in any order; a last free symbol takes all that is left.
fn match_all(
    patterns: &[Expr],
    subjects: &[Expr],
    join: &dyn Fn(Vec<Expr>) -> Expr,
    bindings: &mut Bindings,
    then: Then,
) -> bool {
    if patterns.len() > subjects.len() || subjects.len() > 32 {
        return false;
    }
    let mut order: Vec<&Expr> = patterns.iter().collect();
    order.sort_by_key(|p| (is_variable(p), p.is_symbolic(), p.node_count()));
    let rest = order.last().copied().filter(|p| is_variable(p));
    let fixed = if rest.is_some() { &order[..order.len() - 1] } else { &order[..] };
    if rest.is_none() && patterns.len() != subjects.len() {
        return false;
    }
    some_of(fixed, subjects, 0, bindings, &mut |bindings, used| {
        let Some(rest) = rest else { return then(bindings) };
        let left: Vec<Expr> =
            (0..subjects.len()).filter(|i| used & (1 << i) == 0).map(|i| subjects[i].clone()).collect();
        matches(rest, &join(left), bindings, then)
    })
}

fn some_of(
    patterns: &[&Expr],
    subjects: &[Expr],
    used: u32,
    bindings: &mut Bindings,
    then: &mut dyn FnMut(&mut Bindings, u32) -> bool,
) -> bool {
    let [p, rest @ ..] = patterns else { return then(bindings, used) };
    for (i, s) in subjects.iter().enumerate() {
        if used & (1 << i) != 0 {
            continue;
        }
        let used = used | (1 << i);
        if matches(p, s, bindings, &mut |bindings| some_of(rest, subjects, used, bindings, then)) {
            return true;
        }
    }
    false
}

/// What a pattern leaves of a product: the factors with the matched ones taken out.
fn factors_of(
    pattern: &[&Expr],
    factors: &[Expr],
    bindings: &mut Bindings,
    then: &mut dyn FnMut(&mut Bindings, &[Expr]) -> bool,
) -> bool {
    let [p, rest @ ..] = pattern else { return then(bindings, factors) };
    for (i, s) in factors.iter().enumerate() {
        let without = |part: Option<Expr>| -> Vec<Expr> {
            let mut left: Vec<Expr> = factors[..i].to_vec();
            left.extend(part);
            left.extend_from_slice(&factors[i + 1..]);
            left
        };
        let left = without(None);
        if matches(p, s, bindings, &mut |bindings| factors_of(rest, &left, bindings, then)) {
            return true;
        }
        // A part of an integer power.
        let (base, n) = p.base_exponent();
        let (own, k) = s.base_exponent();
        if let (Some(n), Some(k)) = (n.as_i64(), k.as_i64())
            && n.signum() == k.signum()
            && k.abs() > n.abs()
        {
            let left = without(Some(own.powi(k - n)));
            if matches(&base, &own, bindings, &mut |bindings| factors_of(rest, &left, bindings, then)) {
                return true;
            }
        }
    }
    false
}

fn ratio(a: Option<&Expr>, b: Option<&Expr>) -> Option<Expr> {
    let number = |e: Option<&Expr>| e.map_or(Some(Number::ONE), |e| e.as_number().cloned());
    match (a.map(Expr::kind), number(b)) {
        (Some(Kind::Float(x)), Some(n)) => Some(Expr::float(x / n.to_f64())),
        (_, Some(n)) => Some(Expr::number(number(a)?.checked_div(&n)?)),
        _ => None,
    }
}

/// Matches a term of a pattern against a term: the multiplier that is left.
fn term(
    pattern: &Expr,
    subject: &Expr,
    bindings: &mut Bindings,
    then: &mut dyn FnMut(&mut Bindings, Expr) -> bool,
) -> bool {
    let (pc, pf) = pattern.coefficient_and_factors();
    let (sc, sf) = subject.coefficient_and_factors();
    let Some(c) = ratio(sc, pc) else { return false };
    let wanted: Vec<&Expr> = pf.iter().collect();
    factors_of(&wanted, sf, bindings, &mut |bindings, left| {
        then(bindings, Expr::product(left.iter().cloned().chain([c.clone()])))
    })
}

/// Rewrites some terms of a sum. `accept` gets the bindings and says whether the rule may be used.
pub(super) fn rewrite_sum(
    pattern: &[Expr],
    right: &Expr,
    subject: &[Expr],
    accept: &mut dyn FnMut(&Bindings, &Expr) -> bool,
) -> Option<Expr> {
    if pattern.len() > subject.len() || subject.len() > 32 {
        return None;
    }
    let mut order: Vec<&Expr> = pattern.iter().collect();
    // The constant last: any term is a multiple of it.
    order.sort_by_key(|p| (!p.is_symbolic(), is_variable(p), p.node_count()));
    let (first, rest) = order.split_first()?;
    let mut result = None;
    for (i, s) in subject.iter().enumerate() {
        let found = term(first, s, &mut Vec::new(), &mut |bindings, multiplier| {
            other_terms(rest, subject, 1 << i, &multiplier, bindings, &mut |bindings, used| {
                let Some(value) = instantiate(right, bindings) else { return false };
                let new = Expr::product([multiplier.clone(), value]);
                let left = (0..subject.len()).filter(|i| used & (1 << i) == 0).map(|i| subject[i].clone());
                let whole = Expr::sum(left.chain([new]));
                if accept(bindings, &whole) {
                    result = Some(whole);
                    return true;
                }
                false
            })
        });
        if found {
            break;
        }
    }
    result
}

fn other_terms(
    patterns: &[&Expr],
    subject: &[Expr],
    used: u32,
    multiplier: &Expr,
    bindings: &mut Bindings,
    then: &mut dyn FnMut(&mut Bindings, u32) -> bool,
) -> bool {
    let [p, rest @ ..] = patterns else { return then(bindings, used) };
    if let Some(whole) = instantiate(p, bindings) {
        let wanted = Expr::product([multiplier.clone(), whole]);
        return (0..subject.len()).any(|i| {
            used & (1 << i) == 0
                && subject[i] == wanted
                && other_terms(rest, subject, used | (1 << i), multiplier, bindings, then)
        });
    }
    (0..subject.len()).any(|i| {
        used & (1 << i) == 0
            && term(p, &subject[i], bindings, &mut |bindings, own| {
                own == *multiplier && other_terms(rest, subject, used | (1 << i), multiplier, bindings, then)
            })
    })
}

/// Rewrites some factors of a product, or a node of another kind as a whole.
pub(super) fn rewrite_product(
    pattern: &Expr,
    right: &Expr,
    subject: &Expr,
    accept: &mut dyn FnMut(&Bindings, &Expr) -> bool,
) -> Option<Expr> {
    let mut result = None;
    term(pattern, subject, &mut Vec::new(), &mut |bindings, left| {
        let Some(value) = instantiate(right, bindings) else { return false };
        let whole = Expr::product([left, value]);
        if accept(bindings, &whole) {
            result = Some(whole);
            return true;
        }
        false
    });
    result
}

/// Rewrites a node that is no sum or product.
pub(super) fn rewrite_whole(
    pattern: &Expr,
    right: &Expr,
    subject: &Expr,
    accept: &mut dyn FnMut(&Bindings, &Expr) -> bool,
) -> Option<Expr> {
    let mut result = None;
    matches(pattern, subject, &mut Vec::new(), &mut |bindings| {
        let Some(value) = instantiate(right, bindings) else { return false };
        if accept(bindings, &value) {
            result = Some(value);
            return true;
        }
        false
    });
    result
}
