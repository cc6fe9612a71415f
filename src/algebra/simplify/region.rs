//! Sums, products and integer powers as rational functions of what stands inside them: several ways of writing each are
//! compared by size and the smallest is kept (as it is, one cancelled fraction, factored, common factors
//! taken out of sums, squares completed, multiplied out).

use super::normal::list;
use super::walk;
use crate::algebra::expand::expand;
use crate::algebra::facts::{ExprMap, Knowledge};
use crate::algebra::rational;
use crate::algebra::size::size;
use crate::base::Number;
use crate::expression::{Expr, Kind};

/// Larger expressions are not factored.
const MAX_NODES: u32 = 600;

/// How good a way of writing is: its size, then how often symbols occur.
pub(super) fn cost(e: &Expr) -> (usize, usize) {
    (size(e), leaves(e))
}

fn leaves(e: &Expr) -> usize {
    match e.kind() {
        Kind::Symbol(_) => 1,
        _ if !e.is_symbolic() => 0,
        Kind::Sum(items) | Kind::Product(items) | Kind::Call(_, items) => items.iter().map(leaves).sum(),
        _ => e.children().into_iter().map(leaves).sum(),
    }
}

/// A way of writing an expression, with what must not be 0.
pub(super) struct Best {
    pub(super) expr: Expr,
    pub(super) cost: (usize, usize),
    pub(super) conditions: Vec<Expr>,
}

impl Best {
    pub(super) fn new(expr: Expr) -> Best {
        Best { cost: cost(&expr), expr, conditions: Vec::new() }
    }

    /// Takes another way where it is better; of equals the one with fewer conditions.
    pub(super) fn offer(&mut self, expr: Expr, conditions: &[Expr]) {
        if expr.is_undefined() || expr == self.expr && conditions.len() >= self.conditions.len() {
            return;
        }
        let new = cost(&expr);
        if new < self.cost || (new == self.cost && self.conditions.len() > conditions.len()) {
            *self = Best { expr, cost: new, conditions: conditions.to_vec() };
        }
    }
}

/// Results by expression.
pub(super) type Memo = ExprMap<(Expr, Vec<Expr>)>;

/// Rewrites every region of `e`, innermost first.
pub(super) fn shrink(e: &Expr, know: &Knowledge, memo: &mut Memo, conditions: &mut Vec<Expr>) -> Expr {
    if e.depth() < 2 {
        return e.clone();
    }
    if let Some((known, own)) = memo.get(e) {
        conditions.extend_from_slice(own);
        return known.clone();
    }
    let mut own = Vec::new();
    let inner = kernels(e, &mut |kernel| {
        walk::with_children(kernel, &mut |child| shrink(child, know, memo, &mut own))
    });
    let best = region(&inner, know);
    own.extend(best.conditions);
    conditions.extend_from_slice(&own);
    memo.insert(e.clone(), (best.expr.clone(), own));
    best.expr
}

/// Applies `f` to the kernels: what is no sum, product or integer power, seen from the top.
fn kernels(e: &Expr, f: &mut dyn FnMut(&Expr) -> Expr) -> Expr {
    match e.kind() {
        _ if e.depth() < 2 => e.clone(),
        Kind::Sum(_) | Kind::Product(_) => walk::with_children(e, &mut |child| kernels(child, f)),
        Kind::Power(b, x) if x.as_i64().is_some() => {
            let base = kernels(b, f);
            if base.ptr_eq(b) { e.clone() } else { Expr::power(base, x.clone()) }
        }
        _ => f(e),
    }
}

fn has_sum(e: &Expr) -> bool {
    match e.kind() {
        Kind::Sum(_) => true,
        Kind::Product(items) => items.iter().any(has_sum),
        Kind::Power(b, x) => x.as_i64().is_some() && has_sum(b),
        _ => false,
    }
}

/// Whether anything is divided by inside.
fn has_denominator(e: &Expr) -> bool {
    match e.kind() {
        Kind::Sum(items) | Kind::Product(items) => items.iter().any(has_denominator),
        Kind::Power(b, x) => x.is_negated() || has_denominator(b),
        Kind::Number(n) => !n.is_integer(),
        _ => false,
    }
}

fn region(e: &Expr, know: &Knowledge) -> Best {
    let mut best = Best::new(e.clone());
    if !has_sum(e) || e.node_count() > MAX_NODES {
        return best;
    }
    let forms = rational::cancelled_and_factored(e);
    let mut conditions = Vec::new();
    if let Some((_, factored, poles)) = &forms {
        poles.iter().for_each(|p| list(p, know, &mut conditions));
        best.offer(factored.clone(), &conditions);
        if factored.terms().len() > 1 || factored.factors().len() > 1 || factored.depth() > 2 {
            best.offer(polish(factored), &conditions);
            let joined = unfactor(factored);
            if joined != *factored {
                best.offer(polish(&joined), &conditions);
            }
        }
        if best.cost.0 <= 3 {
            return best;
        }
    }
    best.offer(polish(e), &[]);
    let open = matches!(e.kind(), Kind::Product(_) | Kind::Power(..))
        || e.terms().iter().any(|t| has_sum(t) && !matches!(t.kind(), Kind::Sum(_)));
    if open {
        let expanded = expand(e);
        if expanded.node_count() < 4 * e.node_count() {
            best.offer(expanded.clone(), &[]);
            best.offer(polish(&expanded), &[]);
        }
    }
    if has_denominator(e)
        && let Some((cancelled, _, _)) = forms
    {
        best.offer(polish(&cancelled), &conditions);
        best.offer(cancelled, &conditions);
    }
    best
}

/// Common factors and completed squares in every sum of a region.
fn polish(e: &Expr) -> Expr {
    match e.kind() {
        Kind::Product(_) => e.map_children(polish),
        Kind::Power(b, x) if x.as_i64().is_some() => Expr::power(polish(b), x.clone()),
        Kind::Sum(_) => {
            let outside = content(e);
            if outside != *e {
                return polish_content(&outside);
            }
            let mut best = Best::new(e.clone());
            best.offer(group(e, 0), &[]);
            let squared = squares(e);
            if squared != *e {
                best.offer(squared.clone(), &[]);
                best.offer(group(&squared, 0), &[]);
            }
            best.expr
        }
        _ => e.clone(),
    }
}

fn polish_content(e: &Expr) -> Expr {
    match e.kind() {
        // A number alone in front of a sum.
        Kind::Product(items) => Expr::product(items.iter().map(|f| match f.kind() {
            Kind::Sum(_) if content(f) == *f => polish(f),
            _ => f.clone(),
        })),
        _ => e.clone(),
    }
}

/// Takes the common factors of all terms out of a sum.
pub(super) fn content(e: &Expr) -> Expr {
    let Kind::Sum(items) = e.kind() else { return e.clone() };
    let mut number: Option<Number> = Some(Number::ZERO);
    let mut common: Option<Vec<(Expr, Number)>> = None;
    for term in items.iter() {
        let (c, factors) = term.coefficient_and_factors();
        number = match (number, c.map_or(Some(&Number::ONE), Expr::as_number)) {
            (Some(a), Some(b)) => Some(a.gcd(b)),
            _ => None,
        };
        let powers: Vec<(Expr, Number)> = factors.iter().filter_map(numeric_power).collect();
        common = Some(match common {
            None => powers,
            Some(own) => own
                .into_iter()
                .filter_map(|(base, n)| {
                    let (_, m) = powers.iter().find(|(b, _)| *b == base)?;
                    let both = n.is_negative() == m.is_negative();
                    both.then(|| {
                        let less = if n.abs() <= m.abs() { n } else { m.clone() };
                        (base, less)
                    })
                })
                .collect(),
        });
    }
    let number = number.filter(|n| !n.is_zero()).unwrap_or(Number::ONE);
    let common = common.unwrap_or_default();
    if common.is_empty() && number.is_one() {
        return e.clone();
    }
    let mut outside: Vec<Expr> = vec![Expr::number(number.clone())];
    outside.extend(common.iter().map(|(b, n)| Expr::power(b.clone(), Expr::number(n.clone()))));
    let inverse = number.recip().unwrap_or(Number::ONE);
    let inside = items.iter().map(|term| {
        let factors = term.factors().iter().map(|f| match numeric_power(f) {
            Some((base, n)) => match common.iter().find(|(b, _)| *b == base) {
                Some((_, m)) => Expr::power(base, Expr::number(&n - m)),
                None => f.clone(),
            },
            None => f.clone(),
        });
        Expr::product(factors.chain([Expr::number(inverse.clone())]))
    });
    outside.push(Expr::sum(inside));
    Expr::product(outside)
}

fn numeric_power(f: &Expr) -> Option<(Expr, Number)> {
    if f.is_plain_number() {
        return None;
    }
    let (base, x) = f.base_exponent();
    x.as_number().map(|n| (base, n.clone()))
}

/// Takes the factor out of some terms that saves most, again and again: `a*x + b*x + c` is `(a + b)*x + c`.
fn group(e: &Expr, round: u32) -> Expr {
    let Kind::Sum(items) = e.kind() else { return e.clone() };
    if items.len() < 3 || items.len() > 40 || round > 8 {
        return e.clone();
    }
    let mut bases: Vec<Expr> = Vec::new();
    for term in items.iter() {
        for (base, n) in term.factors().iter().filter_map(numeric_power) {
            let power = if n.is_negative() { base.recip() } else { base };
            if !bases.contains(&power) {
                bases.push(power);
            }
        }
    }
    let before = size(e);
    let mut best: Option<(usize, Expr)> = None;
    for power in bases {
        let (base, sign) = power.base_exponent();
        // One exponent in all terms: `x^2 + x*y + z` keeps its square.
        let exponents: Vec<Option<Number>> = items
            .iter()
            .map(|t| {
                let mut powers = t.factors().iter().filter_map(numeric_power);
                powers.find(|(b, _)| *b == base).map(|(_, n)| n)
            })
            .collect();
        let first = exponents.iter().flatten().find(|n| n.is_negative() == sign.is_negated());
        let with: Vec<bool> = exponents.iter().map(|n| n.is_some() && n.as_ref() == first).collect();
        let count = with.iter().filter(|w| **w).count();
        if count < 2 || count == items.len() {
            continue;
        }
        let chosen = Expr::sum(items.iter().zip(&with).filter(|(_, w)| **w).map(|(t, _)| t.clone()));
        let outside = content(&chosen);
        if outside == chosen {
            continue;
        }
        let rest = items.iter().zip(&with).filter(|(_, w)| !**w).map(|(t, _)| t.clone());
        let whole = Expr::sum(rest.chain([outside]));
        let after = size(&whole);
        if after < best.as_ref().map_or(before, |(s, _)| *s) {
            best = Some((after, whole));
        }
    }
    match best {
        Some((_, whole)) => group(&whole, round + 1),
        None => e.clone(),
    }
}

/// The square root of a term, where its exponents are even and its coefficient a square; with the term's sign.
fn root(term: &Expr) -> Option<(Expr, bool)> {
    let (c, factors) = term.coefficient_and_factors();
    let c = c.map_or(Some(Number::ONE), |c| c.as_number().cloned())?;
    let mut out = vec![Expr::number(c.abs().exact_root(2)?)];
    for f in factors {
        let (base, n) = numeric_power(f)?;
        let half = &n * &Number::HALF;
        if !half.is_integer() {
            return None;
        }
        out.push(Expr::power(base, Expr::number(half)));
    }
    Some((Expr::product(out), c.is_negative()))
}

/// Completes squares: `a^2 + 2*a*b + b^2 + c` is `(a + b)^2 + c`.
fn squares(e: &Expr) -> Expr {
    let Kind::Sum(items) = e.kind() else { return e.clone() };
    if items.len() < 3 || items.len() > 40 {
        return e.clone();
    }
    let mut terms: Vec<Expr> = items.to_vec();
    let mut found = Vec::new();
    'again: loop {
        let roots: Vec<(usize, Expr, bool)> = terms
            .iter()
            .enumerate()
            .filter_map(|(i, t)| root(t).map(|(r, negative)| (i, r, negative)))
            .collect();
        for (i, a, sign) in &roots {
            for (j, b, other) in &roots {
                if j <= i || sign != other {
                    continue;
                }
                for plus in [true, false] {
                    let cross =
                        Expr::product([Expr::int(if plus != *sign { 2 } else { -2 }), a.clone(), b.clone()]);
                    let Some(k) = terms.iter().position(|t| *t == cross) else { continue };
                    let side = if plus { a + b } else { a - b };
                    let square = side.powi(2);
                    found.push(if *sign { square.negate() } else { square });
                    let mut at = [*i, *j, k];
                    at.sort_unstable();
                    for place in at.iter().rev() {
                        terms.remove(*place);
                    }
                    continue 'again;
                }
            }
        }
        break;
    }
    if found.is_empty() { e.clone() } else { Expr::sum(terms.into_iter().chain(found)) }
}

/// Multiplies factors with the same exponent out where that is smaller: `(a - b)^2*(a + b)^2` is `(a^2 - b^2)^2`.
fn unfactor(e: &Expr) -> Expr {
    let Kind::Product(items) = e.kind() else { return e.clone() };
    let mut items: Vec<Expr> = items.to_vec();
    'again: loop {
        for i in 0..items.len() {
            for j in i + 1..items.len() {
                let ((a, m), (b, n)) = (items[i].base_exponent(), items[j].base_exponent());
                let small = |e: &Expr| matches!(e.kind(), Kind::Sum(t) if t.len() <= 4);
                if m != n || !small(&a) || !small(&b) {
                    continue;
                }
                let product = expand(&(&a * &b));
                if size(&product) > size(&a) + size(&b) + 1 {
                    continue;
                }
                items.remove(j);
                items.remove(i);
                items.push(Expr::power(product, m));
                continue 'again;
            }
        }
        break;
    }
    Expr::product(items)
}
