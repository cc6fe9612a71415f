//! From directions that agree to a model: exponents by least squares on many rows, rounded to ratios; signs checked row
//! by row; the law written back from the peeled target.

use super::nodes::{Arena, Node};
use super::peel::Peel;
use super::view::View;
use crate::base::Number;
use crate::expression::Expr;
use crate::numeric::linear_least_squares;
use crate::regression::candidate::{Model, Parameter};
use crate::regression::problem::Problem;
use crate::units::Dimension;

/// Rows that a hit is checked on.
pub const ROWS: usize = 400;

/// The rows of the check: evenly spread.
pub fn check_rows(problem: &Problem) -> Vec<usize> {
    let n = problem.rows();
    let step = n.div_ceil(ROWS).max(1);
    (0..n).step_by(step).collect()
}

/// An exponent as a ratio: twelfths, else hundredths or thousandths.
fn rounded(x: f64, tolerance: f64) -> Option<Number> {
    [12i64, 100, 1000].into_iter().find_map(|q| {
        let p = (x * q as f64).round();
        let reach = if q == 12 { tolerance } else { tolerance.min(1e-5) };
        ((x - p / q as f64).abs() <= reach && p.abs() < 1e4).then(|| Number::ratio(p as i64, q)).flatten()
    })
}

/// The model of `h = C * prod variables^p * prod factors^q`; `None` where it does not hold within `tolerance` (of ln |h|) on
/// the rows, where an exponent is no ratio, or signs differ.
pub fn model(
    problem: &Problem,
    view: &View,
    arena: &Arena,
    peel: &Peel,
    factors: &[Node],
    rows: &[usize],
    tolerance: f64,
    engine: &'static str,
) -> Option<Model> {
    let m = peel.product().map_or_else(|| vec![1.0; rows.len()], |m| view.monomial_on(m, rows));
    let f = peel.factor().map_or_else(|| vec![1.0; rows.len()], |f| arena.values_on(view, f, rows));
    let y: Vec<f64> = rows.iter().map(|&i| problem.target[i]).collect();
    let (h, _) = peel.logs(&y, &m, &f);
    let logs: Vec<Vec<f64>> = factors.iter().map(|&f| arena.logs_on(view, f, rows)).collect();
    let of_variables: Vec<Vec<f64>> =
        view.variables.iter().map(|v| rows.iter().map(|&i| v.values[i].abs().ln()).collect()).collect();
    let finite = |k: usize| h[k].is_finite() && logs.iter().chain(&of_variables).all(|l| l[k].is_finite());
    let kept: Vec<usize> = (0..rows.len()).filter(|&k| finite(k)).collect();
    let n = of_variables.len();
    // Rows where a factor or h is 0 say nothing; too many of them say that it is no such law.
    if kept.len() * 10 < rows.len() * 8 || kept.len() < n + factors.len() + 3 {
        return None;
    }
    let pick = |l: &[f64]| -> Vec<f64> { kept.iter().map(|&k| l[k]).collect() };
    let goal = pick(&h);
    let columns: Vec<Vec<f64>> = of_variables.iter().chain(&logs).map(|l| pick(l)).collect();
    // Columns about their means, so that scales of 1e-34 do no harm.
    let mean = |l: &[f64]| l.iter().sum::<f64>() / l.len() as f64;
    let centred = |l: &[f64]| -> Vec<f64> {
        let mean = mean(l);
        l.iter().map(|x| x - mean).collect()
    };
    let design: Vec<Vec<f64>> = columns.iter().map(|c| centred(c)).collect();
    let lists: Vec<&[f64]> = design.iter().map(Vec::as_slice).collect();
    let solved = linear_least_squares(&lists, &centred(&goal), None, false).ok()?;
    let exact = |coefficients: &[f64]| -> f64 {
        let mut worst = 0.0f64;
        let goal = centred(&goal);
        for (k, g) in goal.iter().enumerate() {
            let fit: f64 = design.iter().zip(coefficients).map(|(c, b)| c[k] * b).sum();
            worst = worst.max((fit - g).abs());
        }
        worst
    };
    let mut coefficients = solved.coefficients;
    for k in solved.undetermined {
        coefficients[k] = 0.0;
    }
    if !(exact(&coefficients) <= tolerance) {
        return None;
    }
    // y = k*m*log(h) determines h up to a power: its largest exponent is 1.
    let mut scale = 1.0;
    if let Peel::Logarithm(_) = peel {
        scale = coefficients.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        if scale == 0.0 {
            return None;
        }
        coefficients.iter_mut().for_each(|c| *c /= scale);
    }
    let exact = |coefficients: &[f64]| {
        exact(&coefficients.iter().map(|c| c * scale).collect::<Vec<f64>>()) / scale.abs()
    };
    // The exponent of exp(T) is a constant of its own; all others are ratios.
    let plain = |k: usize| k >= n && matches!(factors[k - n], Node::Exponential(_));
    let mut exponents = Vec::with_capacity(coefficients.len());
    for k in 0..coefficients.len() {
        if plain(k) {
            exponents.push(Number::ONE);
            continue;
        }
        let exponent = rounded(coefficients[k], (30.0 * tolerance).clamp(2e-5, 0.02))?;
        coefficients[k] = exponent.to_f64();
        exponents.push(exponent);
    }
    if !(exact(&coefficients) <= 30.0 * tolerance) {
        return None;
    }
    let constant =
        mean(&goal) / scale - columns.iter().zip(&coefficients).map(|(c, b)| mean(c) * b).sum::<f64>();

    // Signs: factors that are negative throughout are turned; all others must give one sign in all rows.
    let sign_of = |values: Vec<f64>| -> Vec<f64> { pick(&values).into_iter().map(f64::signum).collect() };
    let of_target = sign_of(peel.values(&y, &m, &f));
    let of_variables: Vec<Vec<f64>> =
        view.variables.iter().map(|v| sign_of(rows.iter().map(|&i| v.values[i]).collect())).collect();
    let of_factors: Vec<Vec<f64>> =
        factors.iter().map(|&f| sign_of(arena.values_on(view, f, rows))).collect();
    // The sign of the constant and which factors are turned, for powers of the variables and products by which the
    // factors are multiplied.
    let signs = |powers: &[Number], spelled: &[Vec<i8>]| -> Option<(f64, Vec<bool>)> {
        let mut signs = of_target.clone();
        let mut turned = vec![false; factors.len()];
        let mut take = |p: &Number, own: &[f64], turn: Option<&mut bool>| -> Option<()> {
            if p.is_integer() {
                if p.is_odd() {
                    signs.iter_mut().zip(own).for_each(|(s, x)| *s *= x);
                }
            } else if own.iter().any(|x| *x < 0.0) {
                let turn = turn.filter(|_| own.iter().all(|x| *x < 0.0))?;
                *turn = true;
            }
            Some(())
        };
        for (p, own) in powers.iter().zip(&of_variables).filter(|(p, _)| !p.is_zero()) {
            take(p, own, None)?;
        }
        for k in (0..factors.len()).filter(|k| !plain(n + k) && !exponents[n + k].is_zero()) {
            let mut own = of_factors[k].clone();
            for (h, v) in spelled[k].iter().zip(&of_variables).filter(|(h, _)| **h != 0) {
                if h % 2 != 0 && v.iter().any(|x| *x < 0.0) {
                    return None;
                }
                if (h / 2) % 2 != 0 {
                    own.iter_mut().zip(v).for_each(|(s, x)| *s *= x);
                }
            }
            take(&exponents[n + k], &own, Some(&mut turned[k]))?;
        }
        let first = signs[0];
        signs.iter().all(|s| *s == first).then_some((first, turned))
    };

    // The law, in the shortest of its spellings: a sum may be multiplied by a product of powers that the rest of the law
    // is divided by.
    let write = |spelled: &[Vec<i8>]| -> Option<Model> {
        let mut dimension = peel.dimension(problem, view)?;
        for (v, p) in view.variables.iter().zip(&exponents).filter(|(_, p)| !p.is_zero()) {
            dimension = dimension.div(v.dimension.pow(p)?)?;
        }
        let mut powers: Vec<Number> = exponents[..n].to_vec();
        for (by, q) in spelled.iter().zip(&exponents[n..]) {
            for (p, h) in powers.iter_mut().zip(by).filter(|(_, h)| **h != 0) {
                *p = &*p - &(q * &Number::ratio(i64::from(*h), 2)?);
            }
        }
        let (sign, turned) = signs(&powers, spelled)?;
        let mut parameters = vec![Parameter {
            symbol: Parameter::symbol(0),
            start: sign * constant.exp(),
            dimension: Dimension::NONE,
        }];
        let mut product = vec![Expr::symbol(Parameter::symbol(0))];
        for (v, p) in view.variables.iter().zip(powers).filter(|(_, p)| !p.is_zero()) {
            product.push(Expr::power(v.expr.clone(), Expr::number(p)));
        }
        for (k, &node) in factors.iter().enumerate() {
            let exponent = &exponents[n + k];
            if let Node::Exponential(inside) = node {
                let start = super::nodes::Constant::Free(coefficients[n + k]);
                let inside = arena.scaled(view, start, inside, &mut parameters)?;
                product.push(Expr::call(crate::expression::Function::Exp, vec![inside]));
            } else if !exponent.is_zero() {
                let own = arena.multiplied(view, node, &spelled[k], &mut parameters)?;
                let own = if turned[k] { own.negate() } else { own };
                product.push(Expr::power(own, Expr::number(exponent.clone())));
            }
        }
        if problem.dimensions.is_some() {
            parameters[0].dimension = dimension;
        }
        if !parameters.iter().all(|p| p.start.is_finite()) {
            return None;
        }
        let template = peel.inverse(problem, view, arena, Expr::product(product), scale, &mut parameters)?;
        Some(Model { template, parameters, engine })
    };
    let mut choices: Vec<Vec<Vec<i8>>> = vec![Vec::new()];
    for &f in factors {
        let own: Vec<Vec<i8>> = arena.spellings(view, f);
        choices = choices
            .iter()
            .flat_map(|c| own.iter().map(move |o| c.iter().cloned().chain([o.clone()]).collect()))
            .collect();
        choices.truncate(64);
    }
    choices.iter().filter_map(|c| write(c)).min_by_key(|m| crate::regression::size(&m.template))
}
