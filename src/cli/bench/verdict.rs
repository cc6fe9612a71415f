//! Whether a law that was found is the true one.
//!
//! `solved` (robust). A law counts in one of three ways.
//! - *structure*: it is equal to the truth as the language decides it: one structure after numbers are folded, every
//!   fitted constant within three standard errors.
//! - *algebra*: with the constants put in that make it the truth, and which lie within the errors of those found, the
//!   simplifier proves the two equal.
//! - *numbers*: no proof, but with such constants the two agree to the last digits on fresh points of the domain and on
//!   points of a domain widened by a quarter on each side, no part of the law is superfluous, and it has at most 2.5 times
//!   the truth's size.
//!
//! The constants are put in by fitting them anew to exact values of the truth. A polynomial that follows a sine within the
//! noise cannot be made exact by any constants and never counts; nor does a law with a small term too many, whose
//! constant goes to 0 and leaves a superfluous part behind.
//!
//! `solved_literal` is the definition of La Cava et al. 2021 (NeurIPS, definition 4.1): the model is not constant, and its
//! difference from the truth simplifies to a constant, or its ratio to the truth to a constant that is not 0; numbers are
//! rounded to three decimals, those below 1e-4 to 0, and models that explain less than half of the variance are not
//! looked at.
#![allow(
    clippy::needless_range_loop,
    clippy::too_many_arguments,
    clippy::neg_cmp_op_on_partial_ord,
    clippy::type_complexity,
    reason = "rows are walked by place, a negated comparison is false for NaN too"
)]

use nalgebra::DMatrix;

use super::problems::{Problem, plain};
use super::rows;
use crate::algebra::{self, Limits};
use crate::base::{CancelToken, Span};
use crate::data::{self, Sample};
use crate::expression::{Declarations, Domain, Expr, Kind, Symbol};
use crate::language::operations::strip_units;
use crate::language::{Context, decide};
use crate::numeric::{Options, Tape, levenberg_marquardt, statistics};
use crate::regression::{exact_values, size};

/// Fresh points of the domain, and as many of the widened one.
const POINTS: usize = 400;
/// Relative deviation that is rounding.
const EXACT: f64 = 1e-8;
/// Relative deviation that a law found in exact data may have as it stands, and its constants.
const CLOSE: f64 = 1e-6;
/// Relative deviation at which exact data have refuted a law.
const FAR: f64 = 1e-3;
/// Values below this share of the median size are measured against that.
const SMALL: f64 = 1e-3;
/// How many times the truth's size a law without proof may have.
const MOST_SIZE: f64 = 2.5;
/// Standard errors within which a constant must lie.
const ERRORS: f64 = 3.0;
/// Share of the domain that is added at each side.
const WIDER: f64 = 0.25;

/// How a law was found to be the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One structure, all constants within their errors.
    Structure,
    /// Proved equal.
    Algebra,
    /// Equal by numbers.
    Numbers,
    /// It is another law.
    Other,
}

impl Verdict {
    /// Whether it counts.
    pub fn holds(self) -> bool {
        self != Verdict::Other
    }

    /// The word in results.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Structure => "structure",
            Verdict::Algebra => "algebra",
            Verdict::Numbers => "numbers",
            Verdict::Other => "other",
        }
    }
}

/// Judges laws against one truth.
pub struct Judge<'a> {
    problem: &'a Problem,
    /// Relative precision of constants found in the data: that of rounding, or of the digits given.
    precision: f64,
    /// Whether the data are exact, so that a law must fit them as it stands.
    exact: bool,
    inputs: Vec<Symbol>,
    /// Points of the domain, then of the widened one; a column an input.
    columns: Vec<Vec<f64>>,
    /// The truth there, all finite.
    truth: Vec<f64>,
    /// What deviations are measured against.
    scale: Vec<f64>,
}

impl<'a> Judge<'a> {
    /// A judge; `None` where the truth has no value anywhere.
    pub fn new(problem: &'a Problem, noise: f64, digits: Option<u8>) -> Option<Judge<'a>> {
        let inputs = problem.truth.symbols();
        let tape = Tape::compile(std::slice::from_ref(&problem.truth), &inputs).ok()?;
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); inputs.len()];
        for domain in [problem.declarations.clone(), widened(&problem.declarations)] {
            let points = draw(problem, &inputs, &domain)?;
            columns.iter_mut().zip(points).for_each(|(c, p)| c.extend(p));
        }
        let values = evaluate(&tape, &columns);
        let limit = rows::limit(problem).unwrap_or(f64::INFINITY);
        let finite: Vec<usize> = (0..values.len()).filter(|i| values[*i].abs() < limit).collect();
        if finite.is_empty() {
            return None;
        }
        let keep = |c: &[f64]| finite.iter().map(|i| c[*i]).collect::<Vec<f64>>();
        let truth = keep(&values);
        let sizes: Vec<f64> = truth.iter().map(|y| y.abs()).collect();
        let least = (SMALL * statistics::median(&sizes)).max(f64::MIN_POSITIVE);
        Some(Judge {
            problem,
            precision: digits.map_or(CLOSE, |n| CLOSE.max(10f64.powi(1 - i32::from(n)))),
            exact: noise == 0.0 && digits.is_none(),
            columns: columns.iter().map(|c| keep(c)).collect(),
            scale: sizes.iter().map(|y| y.max(least)).collect(),
            inputs,
            truth,
        })
    }

    /// The robust verdict on a law in SI.
    pub fn robust(&self, found: &Expr, context: &mut Context) -> Verdict {
        let found = strip_units(found);
        if found.symbols().iter().any(|s| !self.inputs.contains(s)) {
            return Verdict::Other;
        }
        if self.exact && !self.deviation(&plain(&found)).is_some_and(|d| d <= FAR) {
            return Verdict::Other;
        }
        context.declarations = self.problem.declarations.clone();
        if decide::laws_agree(context, &found, &self.problem.truth, Span::new(0, 0, 0)).unwrap_or(false) {
            return Verdict::Structure;
        }
        let Some((fitted, put)) = self.put(&found) else { return Verdict::Other };
        if self.proved(&put, context) {
            return Verdict::Algebra;
        }
        let as_found = !self.exact || self.deviation(&plain(&found)).is_some_and(|d| d <= CLOSE);
        let small = size(&fitted) as f64 <= MOST_SIZE * size(&self.problem.truth) as f64;
        if as_found && small && !self.has_superfluous_part(&fitted) {
            Verdict::Numbers
        } else {
            Verdict::Other
        }
    }

    /// The largest relative deviation from the truth; `None` where the law has no value.
    fn deviation(&self, law: &Expr) -> Option<f64> {
        let tape = Tape::compile(std::slice::from_ref(law), &self.inputs).ok()?;
        let values = evaluate(&tape, &self.columns);
        let mut most = 0.0f64;
        for (i, y) in self.truth.iter().enumerate() {
            let value = if values.len() == 1 { values[0] } else { values[i] };
            if !value.is_finite() {
                return None;
            }
            most = most.max((value - y).abs() / self.scale[i]);
        }
        Some(most)
    }

    /// The law with the constants that make it the truth: as floats, and as exact numbers where such are near. `None` where
    /// there are none, or not within the errors of those found.
    fn put(&self, found: &Expr) -> Option<(Expr, Expr)> {
        let mut start: Vec<f64> = Vec::new();
        let mut errors: Vec<f64> = Vec::new();
        let mut symbols: Vec<Symbol> = Vec::new();
        let leaves = found.uncertain_leaves();
        for (k, u) in leaves.iter().enumerate() {
            start.push(u.value());
            errors.push(u.sigma());
            symbols.push(Symbol::new(&format!("constant#{k}")));
        }
        let template = found.transform(&mut |e| match e.kind() {
            Kind::Uncertain(u) => match leaves.iter().position(|l| l == u) {
                Some(k) => Expr::symbol(symbols[k].clone()),
                None => e,
            },
            _ => e,
        });
        let values = self.fit(&template, &symbols, &start)?;
        for (k, value) in values.iter().enumerate() {
            let reach = (ERRORS * errors[k]).max(self.precision * value.abs());
            if !((value - start[k]).abs() <= reach) {
                return None;
            }
        }
        let with = |number: &dyn Fn(f64) -> Expr| {
            let pairs: Vec<(Symbol, Expr)> =
                symbols.iter().cloned().zip(values.iter().map(|v| number(*v))).collect();
            template.substitute(&pairs)
        };
        let fitted = with(&|v| Expr::float(v));
        if !self.deviation(&fitted).is_some_and(|d| d <= EXACT) {
            return None;
        }
        Some((fitted, with(&near)))
    }

    /// Constants fitted to the truth, relative deviations weighted alike.
    fn fit(&self, template: &Expr, symbols: &[Symbol], start: &[f64]) -> Option<Vec<f64>> {
        if symbols.is_empty() {
            return Some(Vec::new());
        }
        let n = self.truth.len();
        if n <= symbols.len() {
            return None;
        }
        let mut inputs = self.inputs.clone();
        inputs.extend(symbols.iter().cloned());
        let tape = Tape::compile(std::slice::from_ref(template), &inputs).ok()?;
        let unit: Vec<f64> = start.iter().map(|s| if *s == 0.0 { 1.0 } else { s.abs() }).collect();
        let wrt: Vec<usize> = (self.inputs.len()..inputs.len()).collect();
        let own = |q: &[f64]| -> Vec<Vec<f64>> { q.iter().zip(&unit).map(|(q, u)| vec![q * u]).collect() };
        fn lists<'c>(columns: &'c [Vec<f64>], own: &'c [Vec<f64>]) -> Vec<&'c [f64]> {
            columns.iter().chain(own).map(Vec::as_slice).collect()
        }
        let at = |list: &[f64], i: usize| if list.len() == 1 { list[0] } else { list[i] };
        let first: Vec<f64> = start.iter().zip(&unit).map(|(s, u)| s / u).collect();
        let found = levenberg_marquardt(
            |q, r| {
                let own = own(q);
                let y = tape.eval(&lists(&self.columns, &own)).swap_remove(0);
                for i in 0..n {
                    r[i] = (at(&y, i) - self.truth[i]) / self.scale[i];
                }
            },
            |q, j: &mut DMatrix<f64>| {
                let own = own(q);
                let derivatives = tape.jacobian(&lists(&self.columns, &own), &wrt);
                for k in 0..wrt.len() {
                    for i in 0..n {
                        j[(i, k)] = at(&derivatives[0][k + 1], i) * unit[k] / self.scale[i];
                    }
                }
            },
            n,
            &first,
            &Options { cancel: CancelToken::new(), ..Options::default() },
        )
        .ok()?;
        Some(found.parameters.iter().zip(&unit).map(|(q, u)| q * u).collect())
    }

    fn proved(&self, law: &Expr, context: &mut Context) -> bool {
        let Ok(rules) = context.rules(Span::new(0, 0, 0)) else { return false };
        let (a, b) = (exactly(law), exactly(&self.problem.truth));
        let verdict =
            algebra::equivalent(&a, &b, &self.problem.declarations, &rules, &context.cancel, context.seed);
        // The square of a ratio of roots is a fraction that cancels; the sign is known from the numbers.
        verdict == algebra::Verdict::Proved || squared(&(&a / &b)).is_some_and(|c| c.is_one())
    }

    /// Whether the law is still the truth without one term of a sum or one factor of a product.
    fn has_superfluous_part(&self, law: &Expr) -> bool {
        without_one_part(law).iter().any(|less| self.deviation(less).is_some_and(|d| d <= EXACT))
    }

    /// The verdict by the definition of SRBench.
    pub fn literal(&self, found: &Expr, r2_test: f64, context: &mut Context) -> bool {
        let model = rounded(&strip_units(found));
        let truth = rounded(&self.problem.truth);
        if !model.is_symbolic() || !(r2_test > 0.5) {
            return false;
        }
        let Ok(rules) = context.rules(Span::new(0, 0, 0)) else { return false };
        let constant = |e: Expr, may_vanish: bool| {
            if !self.is_level(&e) {
                return false;
            }
            let simple = algebra::simplify(
                &e,
                &self.problem.declarations,
                &rules,
                &Limits::default(),
                &context.cancel,
            )
            .expr;
            // What is level at all points and has a constant square is constant.
            let level = !simple.is_symbolic() || algebra::vanishes(&e) || squared(&e).is_some();
            level && !simple.is_undefined() && (may_vanish || !simple.is_zero())
        };
        // The truth's own numbers may be rounded before or after the comparison: a third times 14.2 is no three decimals.
        let whole = &self.problem.truth;
        let after = |e: Expr| rounded(&algebra::expand(&e));
        constant(&truth - &model, true)
            || constant(&model / &truth, false)
            || constant(after(whole - &model), true)
            || constant(after(&model / whole), false)
    }

    /// Whether an expression has one value at all points, up to rounding: what has not need not be simplified.
    fn is_level(&self, e: &Expr) -> bool {
        let Ok(tape) = Tape::compile(std::slice::from_ref(e), &self.inputs) else { return false };
        let values = evaluate(&tape, &self.columns);
        let finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let most = self.scale.iter().fold(1.0f64, |m, s| m.max(*s));
        let Some(first) = finite.first() else { return false };
        finite.iter().all(|v| (v - first).abs() <= CLOSE * most.max(first.abs()))
    }
}

/// The square of an expression, where it cancels to a number.
fn squared(e: &Expr) -> Option<Expr> {
    let (square, _) = algebra::cancel(&e.powi(2))?;
    (!square.is_symbolic() && !square.is_undefined()).then_some(square)
}

fn evaluate(tape: &Tape, columns: &[Vec<f64>]) -> Vec<f64> {
    let lists: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    tape.eval(&lists).swap_remove(0)
}

/// Points of a domain where the truth has a value, in SI; where it has none in the widened one, no points.
fn draw(problem: &Problem, inputs: &[Symbol], domain: &Declarations) -> Option<Vec<Vec<f64>>> {
    let sampled = data::sample(&Sample {
        formula: &problem.truth,
        target: "truth#",
        target_unit: None,
        declarations: domain,
        // Where large values are left out, few of the points remain.
        points: if rows::limit(problem).is_some() { 5 * POINTS } else { POINTS },
        noise: 0.0,
        relative_noise: 0.0,
        seed: crate::base::hash::of_str("bench/verdict"),
    });
    let Ok(sampled) = sampled else { return Some(vec![Vec::new(); inputs.len()]) };
    inputs.iter().map(|s| sampled.get(s.name()).map(|c| c.si_values())).collect()
}

/// The domains, each wider by a quarter of its width at both ends; what has one sign keeps it.
fn widened(declarations: &Declarations) -> Declarations {
    let mut wide = Declarations::new();
    for (symbol, declared) in declarations.iter() {
        let mut declared = declared.clone();
        if let Some(Domain::Interval { low, high }) = declared.domain {
            let more = WIDER * (high - low);
            let outer_low = if low >= 0.0 { (low - more).max(0.5 * low) } else { low - more };
            let outer_high = if high <= 0.0 { (high + more).min(0.5 * high) } else { high + more };
            declared.domain = Some(Domain::Interval { low: outer_low, high: outer_high });
            declared.written = None;
        }
        wide.insert(symbol.clone(), declared);
    }
    wide
}

/// An exact number within rounding of a float, else the float.
fn near(x: f64) -> Expr {
    let exact = exact_values(x, 0.0).into_iter().next();
    exact.map_or_else(|| Expr::float(x), |choice| choice.value)
}

/// Floats with few digits as the fractions they were written as.
fn exactly(e: &Expr) -> Expr {
    e.transform(&mut |e| match e.kind() {
        Kind::Float(x) => decimal(*x, 12).unwrap_or(e),
        _ => e,
    })
}

/// A float as the fraction of its shortest digits, where these are at most so many.
fn decimal(x: f64, most: usize) -> Option<Expr> {
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let after = mantissa.split_once('.').map_or(0, |(_, d)| d.len()) as i32;
    if digits.trim_start_matches('-').len() > most {
        return None;
    }
    let whole: i64 = digits.parse().ok()?;
    Some(Expr::int(whole) * Expr::int(10).powi(i64::from(exponent - after)))
}

/// Numbers of three decimals for floats and fitted constants; 0 for those below 1e-4.
fn rounded(e: &Expr) -> Expr {
    let number = |x: f64| -> Expr {
        if x.abs() < 1e-4 {
            return Expr::zero();
        }
        let thousandths = (x * 1000.0).round();
        if thousandths.abs() < 9e15 { Expr::ratio(thousandths as i64, 1000) } else { Expr::float(x) }
    };
    e.transform(&mut |e| match e.kind() {
        Kind::Float(x) => number(*x),
        Kind::Uncertain(u) => number(u.value()),
        _ => e,
    })
}

/// The expression without one term of one of its sums, or one factor of one of its products, in every way.
fn without_one_part(e: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    let (items, join): (&[Expr], fn(Vec<Expr>) -> Expr) = match e.kind() {
        Kind::Sum(items) => (items, |v| Expr::sum(v)),
        Kind::Product(items) => (items, |v| Expr::product(v)),
        _ => (&[], |v| Expr::sum(v)),
    };
    for skipped in 0..items.len() {
        let kept = items.iter().enumerate().filter(|(k, _)| *k != skipped).map(|(_, x)| x.clone());
        found.push(join(kept.collect()));
    }
    for (place, child) in e.children().into_iter().enumerate() {
        for less in without_one_part(child) {
            let mut at = 0;
            found.push(e.map_children(|c| {
                at += 1;
                if at - 1 == place { less.clone() } else { c.clone() }
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::EventSink;
    use crate::cli::bench::suites::Protocol;
    use crate::language::Value;
    use crate::session::{Session, Status};
    use std::path::Path;

    struct Court {
        session: Session,
    }

    impl Court {
        fn new() -> Court {
            Court { session: Session::new(EventSink::none(), CancelToken::new()).unwrap() }
        }

        fn value(&mut self, text: &str) -> Value {
            let mut last = None;
            let (status, told) =
                self.session.run("<test>", text, Path::new("."), &mut |v, _| last = Some(v.clone()));
            assert_eq!(status, Status::Done, "{text}: {told:?}");
            last.unwrap()
        }

        fn problem(&mut self, formula: &str, variables: &str) -> Problem {
            let text = format!("law {{ formula: {formula}, variables: {{{variables}}} }}");
            let value = self.value(&text);
            let Value::Law(law) = value.plain() else { panic!("{text}") };
            Problem::of_law("p", "s".into(), law, Protocol::Drawn)
        }

        /// The verdict on a law, in data with this noise.
        fn robust(&mut self, problem: &Problem, noise: f64, law: &str) -> Verdict {
            let found = self.value(law).as_expr().unwrap();
            Judge::new(problem, noise, None).unwrap().robust(&found, &mut self.session.context)
        }

        fn literal(&mut self, problem: &Problem, law: &str) -> bool {
            let found = self.value(law).as_expr().unwrap();
            Judge::new(problem, 0.0, None).unwrap().literal(&found, 0.9, &mut self.session.context)
        }
    }

    #[test]
    fn one_law_in_other_words_counts() {
        let mut court = Court::new();
        let p = court.problem("sqrt(x^2 + y^2)", "x: 1..5, y: 1..5");
        assert_eq!(court.robust(&p, 0.0, "sqrt(y^2 + x^2)"), Verdict::Structure);
        assert!(court.robust(&p, 0.0, "x*sqrt(1 + y^2/x^2)").holds());
        assert!(court.robust(&p, 0.0, "1/sqrt(1/(x^2 + y^2))").holds());
        assert_eq!(court.robust(&p, 0.0, "y*sqrt((x^2/y + y)/y)"), Verdict::Algebra);
        assert!(court.literal(&p, "y*sqrt((x^2/y + y)/y)/3"));
        let p = court.problem("3*y*sin(x)", "x: 0.1..3, y: 1..2");
        assert!(court.robust(&p, 0.0, "3*y*cos(x - pi/2)").holds());
        let p = court.problem("3*x*exp(-2*y)", "x: 1..2, y: 0..1");
        assert_eq!(court.robust(&p, 0.1, "(3.001 ± 0.001)*x*exp((-2.01 ± 0.01)*y)"), Verdict::Structure);
        // The same with its constants elsewhere.
        assert!(court.robust(&p, 0.1, "x*exp((1.0985 ± 0.0003) - (2.005 ± 0.005)*y)").holds());
        assert_eq!(court.robust(&p, 0.1, "(3.01 ± 0.001)*x*exp((-2.01 ± 0.01)*y)"), Verdict::Other);
        assert_eq!(court.robust(&p, 0.1, "x*exp((1.0985 ± 0.0003) - (2.05 ± 0.005)*y)"), Verdict::Other);
    }

    #[test]
    fn what_only_follows_a_law_never_counts() {
        let mut court = Court::new();
        let p = court.problem("sin(x)", "x: 0.1..1");
        for noise in [0.0, 0.1] {
            for law in [
                "x",
                "x - x^3/6",
                "x - x^3/6 + x^5/120",
                "x - x^3/6 + x^5/120 - x^7/5040",
                "(1.0 ± 0.1)*x - (0.1666 ± 0.01)*x^3 + (0.0083 ± 0.01)*x^5",
                "x*(1 - (0.1666 ± 0.01)*x^2)",
                "x*exp(-(0.1666 ± 0.01)*x^2)",
                // A small term or factor too many.
                "sin(x) + x/10^9",
                "sin(x) + (1e-9 ± 1e-9)*x",
                "sin(x)*(1 + (1e-12 ± 1e-9)*x)",
                "sin(x)*exp((1e-12 ± 1e-9)*x)",
                "sin(x + (1e-13 ± 1e-9)*x^3)",
                "sin(x)*cos(x/10^6)",
                // Almost the same.
                "sin(1.001*x)",
                "1.0001*sin(x)",
                "sin(x)^1.001",
                "sin(x) + 0.0001",
                "tanh(x)",
                "1/2",
            ] {
                assert_eq!(court.robust(&p, noise, law), Verdict::Other, "{law} at noise {noise}");
            }
        }
        let p = court.problem("x^2*y", "x: 1..3, y: 1..3");
        for law in ["x^(2.001)*y", "x^2*y^(1.0001)", "x^2*y + x/10^7", "x^(5/2)*y", "x^2*y*(1 + 0.00001*y)"] {
            assert_eq!(court.robust(&p, 0.0, law), Verdict::Other, "{law}");
        }
        assert_eq!(court.robust(&p, 0.0, "x^2*y"), Verdict::Structure);
        assert_eq!(court.robust(&p, 0.1, "x^(2.0 ± 0.01)*y"), Verdict::Structure);
        assert_eq!(court.robust(&p, 0.1, "x^(2.04 ± 0.01)*y"), Verdict::Other);
    }

    #[test]
    fn the_literal_verdict_is_that_of_the_paper() {
        let mut court = Court::new();
        let p = court.problem("2*sin(x)", "x: 0.1..3");
        for law in [
            "2*sin(x)",
            "1.9998*sin(x)",
            "sin(x)",
            "2*sin(x) + 5.3",
            "2.0001*sin(x) + 0.00001*x",
            "sin(x)/7",
            "(1.9999 ± 0.001)*sin(x)",
        ] {
            assert!(court.literal(&p, law), "{law}");
        }
        for law in ["2*x", "7", "2*sin(1.001*x)", "2*sin(x) + 0.001*x", "2*sin(x)*x", "0.00001*sin(x)"] {
            assert!(!court.literal(&p, law), "{law}");
        }
    }

    #[test]
    fn parts_are_left_out_one_by_one() {
        let e = Expr::symbol("x") * (Expr::symbol("y") + Expr::one());
        let words: Vec<String> = without_one_part(&e).iter().map(Expr::to_string).collect();
        assert_eq!(words.len(), 4, "{words:?}");
        for less in ["x", "y + 1", "x*y"] {
            assert!(words.iter().any(|w| w == less), "{less} is not among {words:?}");
        }
    }
}
