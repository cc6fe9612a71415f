//! Circular and hyperbolic functions as polynomials. Multiple angles and sums of angles are expanded into sine and cosine of
//! base angles, tangents become quotients; then the numerator and the denominator are reduced modulo
//! `sin^2 + cos^2 = 1` once by the sine and once by the cosine. On what is a trigonometric polynomial of these angles this finds
//! every identity. Hyperbolic functions beside exponentials of the same argument become exponentials.

use super::normal::list;
use super::rules::count_calls;
use crate::algebra::expand::expand;
use crate::algebra::facts::Knowledge;
use crate::algebra::rational;
use crate::base::Number;
use crate::expression::{Expr, Function, Kind};

/// Multiples of an angle are taken apart up to this one.
const MAX_MULTIPLE: i64 = 4;

fn call(f: Function, x: Expr) -> Expr {
    Expr::call(f, vec![x])
}

fn square(f: Function, x: &Expr) -> Expr {
    call(f, x.clone()).powi(2)
}

/// Angles of circular (or hyperbolic) functions in `e`.
fn arguments(e: &Expr, functions: &[Function]) -> Vec<(Function, Expr)> {
    let mut out: Vec<(Function, Expr)> = Vec::new();
    e.visit(&mut |node| {
        if let Kind::Call(f, args) = node.kind()
            && functions.contains(f)
            && !out.iter().any(|(g, x)| g == f && *x == args[0])
        {
            out.push((*f, args[0].clone()));
        }
    });
    out
}

/// The terms of an angle: rational coefficient and rest.
fn split(angle: &Expr) -> Option<Vec<(Number, Expr)>> {
    angle
        .terms()
        .iter()
        .map(|t| {
            let (c, rest) = t.split_coefficient();
            c.as_number().map(|c| (c.clone(), rest))
        })
        .collect()
}

fn common_unit(a: &Number, b: &Number) -> Number {
    let (q, s) = (a.denominator(), b.denominator());
    let top = (&a.numerator() * &s).gcd(&(&b.numerator() * &q));
    top.checked_div(&(&q * &s)).map_or(Number::ONE, |n| n.abs())
}

/// Base angles: for each rest the unit of which all coefficients are multiples.
fn units(angles: &[(Function, Expr)]) -> Vec<(Expr, Number)> {
    let mut units: Vec<(Expr, Number)> = Vec::new();
    for (c, rest) in angles.iter().filter_map(|(_, x)| split(x)).flatten() {
        match units.iter_mut().find(|(r, _)| *r == rest) {
            Some(unit) => unit.1 = common_unit(&unit.1, &c),
            None => units.push((rest, c.abs())),
        }
    }
    units
}

/// Sine and cosine of an angle in those of the base angles; `None` where it would grow too much.
fn of_base(angle: &Expr, units: &[(Expr, Number)], hyperbolic: bool) -> Option<(Expr, Expr)> {
    let (sine, cosine) =
        if hyperbolic { (Function::Sinh, Function::Cosh) } else { (Function::Sin, Function::Cos) };
    let parts = split(angle)?;
    if parts.len() > 3 {
        return None;
    }
    let (mut s, mut c) = (Expr::zero(), Expr::one());
    let mut total = 0;
    for (k, rest) in parts {
        let (_, unit) = units.iter().find(|(r, _)| *r == rest)?;
        let n = k.checked_div(unit)?.to_i64()?;
        total += n.abs();
        if total > MAX_MULTIPLE + 1 || n.abs() > MAX_MULTIPLE {
            return None;
        }
        let base = Expr::product([Expr::number(unit.clone()), rest]);
        let (bs, bc) = (call(sine, base.clone()), call(cosine, base));
        let bs = if n < 0 { bs.negate() } else { bs };
        for _ in 0..n.abs() {
            let cross = Expr::product([s.clone(), bs.clone()]);
            let cross = if hyperbolic { cross } else { cross.negate() };
            let next = expand(&(Expr::product([s, bc.clone()]) + Expr::product([c.clone(), bs.clone()])));
            c = expand(&(Expr::product([c, bc.clone()]) + cross));
            s = next;
        }
    }
    Some((s, c))
}

/// Expands angles and tangents; `None` where there is nothing to do.
fn expanded(e: &Expr, hyperbolic: bool) -> Option<Expr> {
    use Function::*;
    let names = if hyperbolic { [Sinh, Cosh, Tanh] } else { [Sin, Cos, Tan] };
    let angles = arguments(e, &names);
    if angles.len() < 2 || angles.len() > 12 {
        return None;
    }
    let units = units(&angles);
    let related = angles.len() > units.len();
    if !related {
        return None;
    }
    Some(e.transform(&mut |node| {
        let Kind::Call(f, args) = node.kind() else { return node };
        let Some(which) = names.iter().position(|g| g == f) else { return node };
        let Some((s, c)) = of_base(&args[0], &units, hyperbolic) else { return node };
        match which {
            0 => s,
            1 => c,
            _ => s / c,
        }
    }))
}

/// High powers of `f` replaced through `f^2 = value`.
fn reduced(e: &Expr, f: Function, by: &dyn Fn(&Expr) -> Expr) -> Expr {
    let replaced = e.transform(&mut |node| {
        let Kind::Power(b, x) = node.kind() else { return node };
        let (Kind::Call(g, args), Some(n)) = (b.kind(), x.as_i64()) else { return node };
        if *g != f || n < 2 {
            return node;
        }
        by(&args[0]).powi(n / 2) * b.powi(n % 2)
    });
    if replaced == *e { replaced } else { expand(&replaced) }
}

/// Other ways of writing `e`, with what must not be 0; made for being shrunk afterwards.
pub(super) fn candidates(e: &Expr, know: &Knowledge) -> Vec<(Expr, Vec<Expr>)> {
    use Function::*;
    let counts = count_calls(e);
    let count = |names: &[Function]| -> usize {
        counts.iter().filter(|(f, _)| names.contains(f)).map(|(_, n)| n).sum()
    };
    let (circular, hyperbolic) = (count(&[Sin, Cos, Tan]), count(&[Sinh, Cosh, Tanh]));
    let mut out = Vec::new();
    if circular < 2 && hyperbolic == 0 {
        return out;
    }
    let mut put = |e: &Expr, f: Function, by: &dyn Fn(&Expr) -> Expr| {
        let Some((top, bottom, poles)) = rational::expanded_fraction(e) else { return };
        let (top, bottom) = (reduced(&top, f, by), reduced(&bottom, f, by));
        if bottom.is_zero() {
            return;
        }
        let mut conditions = Vec::new();
        poles.iter().for_each(|p| list(p, know, &mut conditions));
        let whole = if bottom.is_one() { top } else { top / bottom };
        if let Some((whole, poles)) = rational::cancel(&whole) {
            poles.iter().for_each(|p| list(p, know, &mut conditions));
            out.push((whole, conditions));
        }
    };
    if let Some(open) = expanded(e, false) {
        put(&open, Cos, &|x| Expr::one() - square(Sin, x));
        put(&open, Sin, &|x| Expr::one() - square(Cos, x));
    }
    if let Some(open) = expanded(e, true) {
        put(&open, Cosh, &|x| Expr::one() + square(Sinh, x));
        put(&open, Sinh, &|x| square(Cosh, x) - Expr::one());
    }
    if let Some(open) = exponentials(e)
        && let Some((whole, poles)) = rational::cancel(&open)
    {
        let mut conditions = Vec::new();
        poles.iter().for_each(|p| list(p, know, &mut conditions));
        out.push((whole, conditions));
    }
    out
}

/// Hyperbolic functions as exponentials, where both occur.
fn exponentials(e: &Expr) -> Option<Expr> {
    use Function::*;
    let hyperbolic = arguments(e, &[Sinh, Cosh, Tanh]);
    if hyperbolic.is_empty() || arguments(e, &[Exp]).is_empty() {
        return None;
    }
    Some(e.transform(&mut |node| {
        let Kind::Call(f @ (Sinh | Cosh | Tanh), args) = node.kind() else { return node };
        let (up, down) = (call(Exp, args[0].clone()), call(Exp, args[0].negate()));
        let half = Expr::number(Number::HALF);
        match f {
            Sinh => half * (up - down),
            Cosh => half * (up + down),
            _ => (&up - &down) / (up + down),
        }
    }))
}
