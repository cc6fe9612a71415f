//! Whether two expressions are equal. The canonical forms are compared, then their difference is simplified, then numbers
//! are put in at random points of the declared domains (both signs for what nobody declared). Points where neither
//! has a value are passed over; a difference that rounding errors explain is none.

use super::probe::{self, LANES, Points};
use super::rational;
use super::simplify::{Limits, Rules, simplify};
use crate::base::CancelToken;
use crate::expression::{Declarations, Expr, Flags, Kind, Symbol};

/// Points that are tried.
const POINTS: usize = 64;

/// The answer of [`equivalent`].
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Equal wherever both are defined, by algebra.
    Proved,
    /// Not proved; equal at this many random points.
    Held {
        /// How many.
        points: usize,
    },
    /// Not equal.
    Counterexample {
        /// Where.
        point: Vec<(Symbol, f64)>,
        /// The value of the first there.
        a: f64,
        /// The value of the second.
        b: f64,
    },
    /// Neither proved nor refuted: no point gave both a value.
    Undecided,
}

impl Verdict {
    /// Whether they count as equal.
    pub fn holds(&self) -> Option<bool> {
        match self {
            Verdict::Proved | Verdict::Held { .. } => Some(true),
            Verdict::Counterexample { .. } => Some(false),
            Verdict::Undecided => None,
        }
    }
}

/// Compares two expressions; equations are equivalent where the differences of their sides are, up to a number.
pub fn equivalent(
    a: &Expr,
    b: &Expr,
    declarations: &Declarations,
    rules: &Rules,
    cancel: &CancelToken,
    seed: u64,
) -> Verdict {
    if a == b && !a.is_undefined() {
        return Verdict::Proved;
    }
    if let (Kind::Relation(f, a1, a2), Kind::Relation(g, b1, b2)) = (a.kind(), b.kind())
        && f == g
    {
        let sides = [(a1, b1), (a2, b2)];
        let verdicts = sides.map(|(x, y)| equivalent(x, y, declarations, rules, cancel, seed));
        if verdicts.iter().all(|v| *v == Verdict::Proved) {
            return Verdict::Proved;
        }
        let (p, q) = (a1 - a2, b1 - b2);
        if let Some((ratio, _)) = rational::cancel(&(&p / &q))
            && ratio.is_plain_number()
            && !ratio.is_zero()
            && (*f == crate::expression::Relation::Eq || !ratio.is_negated())
        {
            return Verdict::Proved;
        }
        return equivalent(&p, &q, declarations, rules, cancel, seed);
    }
    let difference = a - b;
    // Numbers are quick and settle most that is not equal.
    let (held, counterexample) = numbers(a, b, declarations, seed);
    if let Some(found) = counterexample {
        return found;
    }
    if rational::vanishes(&difference) {
        return Verdict::Proved;
    }
    if difference.flags().has(Flags::FLOAT) && held > 0 {
        return Verdict::Held { points: held };
    }
    let simple = simplify(&difference, declarations, rules, &Limits::default(), cancel);
    if simple.expr.is_zero() {
        return Verdict::Proved;
    }
    if let Kind::Number(_) = simple.expr.kind() {
        // A number that is not 0: they differ by it everywhere, whatever rounding says.
        let point = Vec::new();
        return Verdict::Counterexample { point, a: simple.expr.as_f64().unwrap_or(f64::NAN), b: 0.0 };
    }
    let (one, other) = (
        simplify(a, declarations, rules, &Limits::default(), cancel),
        simplify(b, declarations, rules, &Limits::default(), cancel),
    );
    if one.expr == other.expr {
        return Verdict::Proved;
    }
    if held > 0 { Verdict::Held { points: held } } else { Verdict::Undecided }
}

/// How many points agree, and the first that does not.
fn numbers(a: &Expr, b: &Expr, declarations: &Declarations, seed: u64) -> (usize, Option<Verdict>) {
    let mut symbols = a.symbols();
    symbols.extend(b.symbols().into_iter().filter(|s| !a.contains_symbol(s)));
    let mut rng = probe::stream(seed, "equivalent");
    let mut agree = 0;
    for _ in 0..POINTS / LANES {
        let points = Points::draw(&symbols, declarations, &mut rng);
        let found = probe::compare(a, b, &points);
        if let Some(lane) = found.differ {
            let (x, y) = (probe::lanes(a, &points)[lane], probe::lanes(b, &points)[lane]);
            return (agree, Some(Verdict::Counterexample { point: points.point(lane), a: x, b: y }));
        }
        agree += found.agree;
        if symbols.is_empty() {
            agree = agree.min(1);
            break;
        }
    }
    (agree, None)
}
