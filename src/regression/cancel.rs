//! Laws without the quotients that cancel in them, as in `x*(y/x + 2)`: engines make laws from factors modulo powers of the
//! columns, and some of these are sums in other words.

use super::candidate::Candidate;
use super::front::{Found, Front};
use super::options::Plan;
use super::size::size;
use crate::algebra;
use crate::expression::{Expr, Kind};

/// The law with what cancels left out, where it is no larger so.
pub fn cancelled(law: &Expr) -> Expr {
    let Some((whole, lost)) = algebra::cancel(law) else { return law.clone() };
    if lost.is_empty() {
        return law.clone();
    }
    let forms = [algebra::expand(&whole), whole];
    let least = forms.into_iter().min_by_key(size);
    least.filter(|e| size(e) <= size(law)).unwrap_or_else(|| law.clone())
}

/// The law as a sum of terms in each of which what cancels is left out.
fn term_by_term(law: &Expr) -> Expr {
    let without = |t: &Expr| algebra::cancel(t).map_or_else(|| t.clone(), |(whole, _)| whole);
    Expr::sum(algebra::expand(law).terms().iter().map(without))
}

/// The numbers of a law in a fixed order, its exponents not among them.
fn numbers(e: &Expr, found: &mut Vec<String>) {
    match e.kind() {
        Kind::Number(n) if n.abs().is_one() => {}
        Kind::Number(_) | Kind::Float(_) | Kind::Uncertain(_) | Kind::Constant(_) | Kind::Unit(_) => {
            found.push(e.prefix());
        }
        Kind::Power(base, exponent) if exponent.as_number().is_some() => numbers(base, found),
        _ => e.children().into_iter().for_each(|c| numbers(c, found)),
    }
}

/// Whether two laws hold the same numbers, each as often: constants and their errors are then those of both.
fn same_numbers(a: &Expr, b: &Expr) -> bool {
    let sorted = |e: &Expr| {
        let mut all = Vec::new();
        numbers(e, &mut all);
        all.sort();
        all
    };
    sorted(a) == sorted(b)
}

/// A candidate whose law is smaller with what cancels left out, if it is so, obeys what is asked for, and has the same
/// constants.
fn shorter(c: &Candidate, plan: &Plan) -> Option<Candidate> {
    // Only a quotient can cancel.
    algebra::cancel(&c.expr).filter(|(_, lost)| !lost.is_empty())?;
    let complexity = &plan.criteria.complexity;
    let forms = [cancelled(&c.expr), term_by_term(&c.expr)].into_iter();
    let obeys = |e: &Expr| same_numbers(&c.expr, e) && plan.criteria.rules.allow_form(e, complexity);
    let least = forms.filter(obeys).min_by_key(|e| complexity.of(e))?;
    let size = complexity.of(&least);
    (size < c.size).then(|| Candidate { expr: least, size, ..c.clone() })
}

/// What was found, each law as small as it is without what cancels.
pub fn written_out(mut found: Found, plan: &Plan) -> Found {
    let laws = found.front.candidates();
    let new: Vec<Option<Candidate>> = laws.iter().map(|c| shorter(c, plan)).collect();
    if new.iter().any(Option::is_some) {
        let mut front = Front::new(found.front.floor());
        let all = new.into_iter().zip(laws).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
        all.for_each(|c| front.insert(c));
        front.settle();
        found.front = front;
    }
    if let Some(new) = found.runner_up.as_ref().and_then(|c| shorter(c, plan)) {
        found.runner_up = Some(new);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::StopReason;
    use crate::expression::{Covariance, Uncertain};
    use crate::regression::tests::plan;

    fn candidate(expr: Expr, length: f64, loss: f64) -> Candidate {
        Candidate {
            size: size(&expr),
            expr,
            constants: Vec::new(),
            loss,
            r2: 0.5,
            description_length: length,
            engine: "test".into(),
            evidence: "".into(),
        }
    }

    #[test]
    fn what_cancels_is_written_out_with_its_constants() {
        let [x, y, z] = ["x", "y", "z"].map(Expr::symbol);
        let covariance = Covariance { size: 2, matrix: vec![0.01, 0.002, 0.002, 0.04] };
        let ab = Uncertain::joint(5, &[2.5, 0.7], covariance);
        let [a, b] = [0, 1].map(|k| Expr::uncertain(ab[k].clone()));
        let law = x.powi(2) * (&a * &y / (x.powi(2) * &z) + Expr::one()) + &b * &z;
        let front = vec![candidate(y.clone(), 9.0, 3.0), candidate(law.clone(), -50.0, 0.1)];
        let found = Found {
            front: Front::restore(front, 0.0),
            stopped: StopReason::Found,
            work: 0,
            notes: Vec::new(),
            steps: 0,
            refined: 0,
            runner_up: None,
            noise: None,
        };
        let found = written_out(found, &plan());
        let best = found.front.best().unwrap();
        assert_eq!(best.expr, &a * &y / &z + x.powi(2) + &b * &z);
        assert_eq!((best.size, best.size < size(&law)), (size(&best.expr), true));
        let leaves = best.expr.uncertain_leaves();
        assert_eq!(leaves.len(), 2);
        assert_eq!(leaves[0].covariance(&leaves[1]), 0.002);
        // A constant that would stand twice stays before its bracket.
        let twice = &a * x.clone() * (&y / &x + &b);
        let written = shorter(&candidate(twice, 0.0, 1.0), &plan()).unwrap();
        assert_eq!(written.expr, &a * (&y + &b * &x));
    }
}
