//! Laws are found again in data made from them, in tables of measurements, and in whatever order, unit and number of
//! threads the data come.

use super::candidate::Parameter;
use super::refine::fit;
use super::{Candidate, Constants, Criteria, Found, Method, Plan, Problem, RegressError, regress};
use crate::base::random::Streams;
use crate::base::{CancelToken, Fault, StopReason};
use crate::expression::{Expr, Function, Symbol};
use crate::numeric::normal::standard_normals;
use crate::units::Dimension;
use rand::RngExt;

pub(super) const NONE: [i16; 7] = [0; 7];
pub(super) const LENGTH: [i16; 7] = [1, 0, 0, 0, 0, 0, 0];
pub(super) const MASS: [i16; 7] = [0, 1, 0, 0, 0, 0, 0];
const TIME: [i16; 7] = [0, 0, 1, 0, 0, 0, 0];
pub(super) const SPEED: [i16; 7] = [1, 0, -1, 0, 0, 0, 0];
const ACCELERATION: [i16; 7] = [1, 0, -2, 0, 0, 0, 0];
const FORCE: [i16; 7] = [1, 1, -2, 0, 0, 0, 0];
pub(super) const ENERGY: [i16; 7] = [2, 1, -2, 0, 0, 0, 0];
const CHARGE: [i16; 7] = [0, 0, 1, 1, 0, 0, 0];
const PERMITTIVITY: [i16; 7] = [-3, -1, 4, 2, 0, 0, 0];

pub(super) fn dimension(d: [i16; 7]) -> Dimension {
    Dimension::from_exponents(d.map(|e| (e, 1))).unwrap()
}

/// A feature: name, dimension, range.
type Feature = (&'static str, [i16; 7], f64, f64);

/// Rows drawn evenly from the features' ranges, the target from `law`, noise as a share of its RMS.
pub(super) fn sample(
    features: &[Feature],
    goal: [i16; 7],
    law: impl Fn(&[f64]) -> f64,
    rows: usize,
    noise: f64,
    seed: u64,
) -> Problem {
    let mut rng = Streams::new(seed).stream("test/rows");
    let columns: Vec<Vec<f64>> = features
        .iter()
        .map(|(_, _, low, high)| (0..rows).map(|_| low + (high - low) * rng.random::<f64>()).collect())
        .collect();
    let mut target: Vec<f64> =
        (0..rows).map(|i| law(&columns.iter().map(|c| c[i]).collect::<Vec<_>>())).collect();
    let rms = crate::numeric::statistics::rms(&target);
    let mut rng = Streams::new(seed).stream("test/noise");
    for (y, e) in target.iter_mut().zip(standard_normals(&mut rng, rows)) {
        *y += noise * rms * e;
    }
    Problem {
        names: features.iter().map(|f| Symbol::new(f.0)).collect(),
        columns,
        dimensions: Some(features.iter().map(|f| dimension(f.1)).collect()),
        units: vec![None; features.len()],
        target,
        target_symbol: Symbol::new("y_target"),
        target_dimension: dimension(goal),
        target_unit: None,
        sigma: None,
        row_weights: None,
        resolution: None,
    }
}

pub(super) fn plan() -> Plan {
    Plan {
        method: Method::Closed,
        operators: ["+", "-", "*", "/", "^", "sqrt", "exp", "log", "sin", "cos"].map(String::from).to_vec(),
        constants: Constants::Free,
        work: None,
        deadline: None,
        threads: 1,
        seed: 0,
        identity: 1 << 40,
        without: Vec::new(),
        criteria: Criteria::default(),
        own: Vec::new(),
        guesses: Vec::new(),
        denoise: false,
    }
}

pub(super) fn search(problem: &Problem) -> Found {
    regress(problem, &plan(), &CancelToken::new(), &|_| {}).unwrap()
}

pub(super) fn s(name: &str) -> Expr {
    Expr::symbol(name)
}

/// The law as text, for messages.
pub(super) fn told(found: &Found) -> String {
    let line = |c: &Candidate| {
        format!(
            "\n    {:2} loss {:.3e} dl {:.2} {} [{}]",
            c.size, c.loss, c.description_length, c.expr, c.engine
        )
    };
    format!(
        "best {:?} of{}",
        found.front.best_index(),
        found.front.candidates().iter().map(line).collect::<String>()
    )
}

/// The search ended with a law that holds.
#[track_caller]
pub(super) fn holds(found: &Found) {
    let best = found.front.best();
    assert!(
        found.stopped == StopReason::Found && best.is_some_and(|b| b.r2 > 1.0 - 1e-12),
        "{:?} {}",
        found.stopped,
        told(found)
    );
}

/// The chosen law is this one, all its constants exact.
#[track_caller]
fn exactly(problem: &Problem, law: &Expr) {
    let found = search(problem);
    let best = found.front.best().unwrap();
    assert!(best.expr == *law, "expected {law}, found {}", told(&found));
    whole(problem, &found);
}

/// The chosen law has this size and `constants` fitted constants, and agrees with `law` on all rows.
#[track_caller]
fn nearly(problem: &Problem, law: impl Fn(&[f64]) -> f64, size: usize, fitted: &[f64], relative: f64) {
    let found = search(problem);
    let best = found.front.best().unwrap();
    assert!(best.size <= size, "size above {size}: {}", told(&found));
    let values = on_rows(problem, &best.expr);
    let largest = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    for (i, v) in values.iter().enumerate() {
        let row: Vec<f64> = problem.columns.iter().map(|c| c[i]).collect();
        assert!(
            (v - law(&row)).abs() <= relative * largest,
            "row {i}: {v}, not {} {}",
            law(&row),
            told(&found)
        );
    }
    for value in fitted {
        let near = |c: &&super::ConstantInfo| {
            c.exact.is_none() && (c.value - value).abs() <= 4.0 * c.error + 1e-9 * value.abs()
        };
        assert!(
            best.constants.iter().any(|c| near(&c)),
            "no constant {value}: {:?} {}",
            best.constants,
            told(&found)
        );
    }
    let open = best.constants.iter().filter(|c| c.exact.is_none()).count();
    assert_eq!(open, fitted.len(), "{:?} {}", best.constants, told(&found));
    whole(problem, &found);
}

fn on_rows(problem: &Problem, law: &Expr) -> Vec<f64> {
    (0..problem.rows())
        .map(|i| {
            let value = |s: &Symbol| problem.names.iter().position(|n| n == s).map(|k| problem.columns[k][i]);
            law.evaluate(&value).unwrap_or(f64::NAN)
        })
        .collect()
}

/// The dimension of a law by scaling: each base unit is made `2^k` times smaller in all columns and in the law's own
/// units; the value must scale as the target does.
fn scales_as_target(problem: &Problem, c: &Candidate) {
    let Some(dimensions) = &problem.dimensions else { return };
    for base in 0..7 {
        let factor = |d: Dimension| {
            let (n, m) = d.exponents()[base];
            2f64.powf(f64::from(n) / f64::from(m))
        };
        let scaled = c.expr.transform(&mut |e| match e.kind() {
            crate::expression::Kind::Unit(u) => Expr::float(factor(u.dimension())) * Expr::unit(u.clone()),
            _ => e,
        });
        for i in [0, problem.rows() / 2] {
            let column = |s: &Symbol| problem.names.iter().position(|n| n == s);
            let plain = c.expr.evaluate(&|s| column(s).map(|k| problem.columns[k][i])).unwrap();
            let large = scaled
                .evaluate(&|s| column(s).map(|k| problem.columns[k][i] * factor(dimensions[k])))
                .unwrap();
            let expected = plain * factor(problem.target_dimension);
            assert!((large - expected).abs() <= 1e-9 * expected.abs(), "{} in base unit {base}", c.expr);
        }
    }
}

/// What holds of every answer: a Pareto front, finite figures, losses that are those of the laws, the target's unit.
pub(super) fn whole(problem: &Problem, found: &Found) {
    let front = found.front.candidates();
    for (k, c) in front.iter().enumerate() {
        assert!(c.loss.is_finite() && c.description_length.is_finite() && c.r2 <= 1.0 + 1e-12);
        for (j, d) in front.iter().enumerate() {
            let beaten = d.size <= c.size && d.loss < c.loss || d.size < c.size && d.loss <= c.loss;
            assert!(!beaten || j == k, "{} beats {}: {}", d.expr, c.expr, told(found));
        }
        if problem.sigma.is_none() {
            let n = problem.rows() as f64;
            let values = on_rows(problem, &c.expr);
            let loss = values.iter().zip(&problem.target).map(|(v, y)| (v - y).powi(2)).sum::<f64>() / n;
            let size = crate::numeric::statistics::rms(&problem.target);
            assert!(
                (loss.sqrt() - c.loss.sqrt()).abs() <= 1e-9 * size,
                "{} has loss {loss}: {}",
                c.expr,
                told(found)
            );
        }
        scales_as_target(problem, c);
    }
}

pub(super) fn coulomb(noise: f64, seed: u64) -> Problem {
    let features = [
        ("q1", CHARGE, 1.0, 5.0),
        ("q2", CHARGE, 1.0, 5.0),
        ("r", LENGTH, 1.0, 5.0),
        ("epsilon", PERMITTIVITY, 1.0, 5.0),
    ];
    let law = |x: &[f64]| x[0] * x[1] / (4.0 * std::f64::consts::PI * x[3] * x[2] * x[2]);
    sample(&features, FORCE, law, 1000, noise, seed)
}

fn coulomb_law() -> Expr {
    s("q1") * s("q2") / (Expr::int(4) * Expr::pi() * s("epsilon") * s("r").powi(2))
}

#[test]
fn coulomb_with_units_at_each_noise() {
    for (noise, seed) in [(0.0, 1), (0.01, 1), (0.01, 2), (0.01, 3), (0.001, 4)] {
        exactly(&coulomb(noise, seed), &coulomb_law());
    }
}

#[test]
fn coulomb_without_units() {
    let mut problem = coulomb(0.01, 5);
    problem.dimensions = None;
    exactly(&problem, &coulomb_law());
}

#[test]
fn kinetic_energy_and_others_with_exact_constants() {
    let half = Expr::ratio(1, 2);
    for seed in 1..4 {
        let features = [("m", MASS, 1.0, 5.0), ("v", SPEED, 1.0, 5.0)];
        let law = |x: &[f64]| 0.5 * x[0] * x[1] * x[1];
        exactly(&sample(&features, ENERGY, law, 200, 0.001, seed), &(&half * s("m") * s("v").powi(2)));
        let features = [("L", LENGTH, 0.1, 2.0), ("g", ACCELERATION, 8.0, 12.0)];
        let law = |x: &[f64]| 2.0 * std::f64::consts::PI * (x[0] / x[1]).sqrt();
        let expected = Expr::int(2) * Expr::pi() * (s("L") / s("g")).sqrt();
        exactly(&sample(&features, TIME, law, 100, 0.0, seed), &expected);
        exactly(&sample(&features, TIME, law, 400, 1e-4, seed), &expected);
    }
}

#[test]
fn ideal_gas_with_a_constant_that_carries_its_unit() {
    let features = [
        ("n", [0, 0, 0, 0, 0, 1, 0], 1.0, 3.0),
        ("T", [0, 0, 0, 0, 1, 0, 0], 250.0, 400.0),
        ("V", [3, 0, 0, 0, 0, 0, 0], 0.01, 0.05),
    ];
    let law = |x: &[f64]| 8.314462618 * x[0] * x[1] / x[2];
    for noise in [0.0, 0.01] {
        let problem = sample(&features, [-1, 1, -2, 0, 0, 0, 0], law, 300, noise, 1);
        nearly(&problem, law, 7, &[8.314462618], 2e-3);
    }
}

#[test]
fn polynomials_exactly() {
    for seed in 1..4 {
        let x = [("x", NONE, -2.0, 2.0)];
        for noise in [0.0, 0.01] {
            exactly(
                &sample(&x, NONE, |x| x[0] * x[0] + 1.0, 50, noise, seed),
                &(s("x").powi(2) + Expr::one()),
            );
        }
        let law = |x: &[f64]| x[0].powi(3) - 2.0 * x[0] + 0.5;
        let expected = s("x").powi(3) - Expr::int(2) * s("x") + Expr::ratio(1, 2);
        exactly(&sample(&x, NONE, law, 80, 0.0, seed), &expected);
        let xy = [("x", NONE, -2.0, 2.0), ("y", NONE, 1.0, 3.0)];
        let law = |x: &[f64]| 3.0 * x[0] * x[1] - x[1] * x[1] + 2.0;
        let expected = Expr::int(3) * s("x") * s("y") - s("y").powi(2) + Expr::int(2);
        exactly(&sample(&xy, NONE, law, 200, 0.001, seed), &expected);
    }
}

#[test]
fn sums_of_terms_of_one_dimension() {
    let features = [("v", SPEED, 1.0, 5.0), ("t", TIME, 1.0, 5.0), ("a", ACCELERATION, 1.0, 5.0)];
    let law = |x: &[f64]| x[0] * x[1] + 0.5 * x[2] * x[1] * x[1];
    let expected = s("v") * s("t") + Expr::ratio(1, 2) * s("a") * s("t").powi(2);
    for noise in [0.0, 0.01] {
        exactly(&sample(&features, LENGTH, law, 300, noise, 2), &expected);
    }
}

#[test]
fn decay_with_a_rate() {
    for (noise, seed) in [(0.0, 1), (0.01, 2), (0.01, 3)] {
        let law = |x: &[f64]| 3.7 * (-0.83 * x[0]).exp();
        let fitted: &[f64] = if noise == 0.0 { &[] } else { &[3.7, 0.83] };
        let problem = sample(&[("x", NONE, 0.0, 4.0)], NONE, law, 200, noise, seed);
        let found = search(&problem);
        let best = found.front.best().unwrap();
        assert!(best.size <= 10, "{}", told(&found));
        assert!(best.r2 > 0.99, "{}", told(&found));
        assert!(best.expr.to_string().contains("exp"), "{}", told(&found));
        for value in fitted {
            let near = |c: &super::ConstantInfo| (c.value.abs() - value).abs() < 4.0 * c.error;
            assert!(best.constants.iter().any(near), "{:?}", best.constants);
        }
        // With units the rate carries one.
        let problem = sample(&[("t", TIME, 0.0, 4.0)], SPEED, law, 200, noise, seed);
        let found = search(&problem);
        assert!(found.front.best().unwrap().expr.to_string().contains("exp"), "{}", told(&found));
        whole(&problem, &found);
    }
}

#[test]
fn inverse_of_a_sum_and_rational_functions() {
    for noise in [0.0, 1e-3] {
        let x = [("x", NONE, 0.5, 4.0)];
        let problem = sample(&x, NONE, |x| 1.0 / (2.0 + 3.0 * x[0]), 100, noise, 1);
        exactly(&problem, &(Expr::int(2) + Expr::int(3) * s("x")).recip());
        let problem = sample(&x, NONE, |x| x[0] / (1.0 + x[0] * x[0]), 200, noise, 3);
        let found = search(&problem);
        assert!(found.front.best().unwrap().loss <= 2.0 * noise * noise + 1e-20, "{}", told(&found));
        assert!(found.front.best().unwrap().size <= 7, "{}", told(&found));
    }
}

#[test]
fn lorentz_factor_and_root_of_a_sum() {
    let features = [("v", SPEED, 0.1, 0.9), ("c", SPEED, 1.0, 2.0)];
    let law = |x: &[f64]| 1.0 / (1.0 - x[0] * x[0] / x[1] / x[1]).sqrt();
    let expected = (Expr::one() - s("v").powi(2) / s("c").powi(2)).sqrt().recip();
    exactly(&sample(&features, NONE, law, 200, 0.0, 1), &expected);
    let features = [("a", LENGTH, 1.0, 5.0), ("b", LENGTH, 1.0, 5.0)];
    let expected = (s("a").powi(2) + s("b").powi(2)).sqrt();
    exactly(&sample(&features, LENGTH, |x| x[0].hypot(x[1]), 200, 0.001, 1), &expected);
}

#[test]
fn functions_of_a_column() {
    let x = [("x", NONE, 0.5, 6.0)];
    let sin = Expr::call(Function::Sin, vec![s("x")]);
    exactly(
        &sample(&x, NONE, |x| 2.0 * x[0].sin() + 1.0, 200, 0.001, 1),
        &(Expr::int(2) * sin + Expr::one()),
    );
    let log = Expr::call(Function::Log, vec![s("x")]);
    exactly(&sample(&x, NONE, |x| 3.0 * x[0].ln(), 200, 0.001, 1), &(Expr::int(3) * log));
}

/// A table of two columns with units given as factors to SI.
fn table(feature: (&str, [i16; 7], f64), target: (&str, [i16; 7], f64), rows: &[(f64, f64)]) -> Problem {
    Problem {
        names: vec![Symbol::new(feature.0)],
        columns: vec![rows.iter().map(|r| r.0 * feature.2).collect()],
        dimensions: Some(vec![dimension(feature.1)]),
        units: vec![None],
        target: rows.iter().map(|r| r.1 * target.2).collect(),
        target_symbol: Symbol::new(target.0),
        target_dimension: dimension(target.1),
        target_unit: None,
        sigma: None,
        row_weights: None,
        resolution: None,
    }
}

const AU: f64 = 149_597_870_700.0;
const DAY: f64 = 86_400.0;
const PARSEC: f64 = 3.085_677_581_491_367e16;

fn planets() -> Problem {
    table(
        ("a", LENGTH, AU),
        ("T", TIME, DAY),
        &[
            (0.38709927, 87.9691),
            (0.72333566, 224.701),
            (1.00000261, 365.256363),
            (1.52371034, 686.980),
            (2.7660, 1680.2),
            (5.20288700, 4332.589),
            (9.53667594, 10759.22),
            (19.18916464, 30685.4),
            (30.06992276, 60189.0),
            (39.48211675, 90560.0),
        ],
    )
}

#[test]
fn kepler_in_ten_orbits() {
    let problem = planets();
    let found = search(&problem);
    let best = found.front.best().unwrap();
    assert_eq!(best.size, 5, "{}", told(&found));
    assert_eq!(best.constants.len(), 1);
    let k = &best.constants[0];
    // T = 2 pi a^(3/2)/sqrt(G M)
    let sun = 2.0 * std::f64::consts::PI / 1.32712440018e20f64.sqrt();
    assert!((k.value / sun - 1.0).abs() < 2e-3 && k.error > 0.0 && k.error < 1e-3 * sun, "{k:?}");
    let unit = Dimension::from_exponents([(-3, 2), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (0, 1)]).unwrap();
    assert_eq!(k.unit.dimension(), unit);
    whole(&problem, &found);
    // Ten orbits that scatter by one part in a thousand, in forty samples. The three largest decide the constant.
    let (mut sum, mut within, mut right) = (0.0, 0, 0);
    for seed in 0..40 {
        let mut problem = planets();
        let mut rng = Streams::new(seed).stream("test/noise");
        let errors = standard_normals(&mut rng, 10);
        problem.target = problem.columns[0]
            .iter()
            .zip(errors)
            .map(|(a, e)| sun * a.powf(1.5) * (1.0 + 1e-3 * e))
            .collect();
        let found = search(&problem);
        let best = found.front.best().unwrap();
        whole(&problem, &found);
        right += usize::from(best.size == 5 && best.constants.len() == 1);
        let law = found.front.candidates().iter().find(|c| c.size == 5).unwrap();
        let pull = (law.constants[0].value - sun) / law.constants[0].error;
        (sum, within) = (sum + pull, within + usize::from(pull.abs() <= 3.0));
    }
    let told = format!("mean {}, {within} within 3 errors, {right} chosen", sum / 40.0);
    assert!((sum / 40.0).abs() <= 4.0 / 40f64.sqrt() && within >= 36 && right >= 38, "{told}");
}

#[test]
fn rydberg_in_seven_lines() {
    let problem = table(
        ("n", NONE, 1.0),
        ("lambda", LENGTH, 1e-9),
        &[
            (3.0, 656.4614),
            (4.0, 486.2721),
            (5.0, 434.1692),
            (6.0, 410.2892),
            (7.0, 397.1198),
            (8.0, 389.0166),
            (9.0, 383.6485),
        ],
    );
    let found = search(&problem);
    let best = found.front.best().unwrap();
    whole(&problem, &found);
    let limit = best.expr.evaluate(&|_| Some(1e9)).unwrap();
    assert!((limit * 1.0967758e7 / 4.0 - 1.0).abs() < 1e-4, "{limit} {}", told(&found));
    assert!(best.loss.sqrt() < 3e-12, "{}", told(&found));
}

#[test]
fn hubble_in_twenty_four_nebulae() {
    let rows = [
        (0.032, 170.0),
        (0.034, 290.0),
        (0.214, -130.0),
        (0.263, -70.0),
        (0.275, -185.0),
        (0.275, -220.0),
        (0.45, 200.0),
        (0.5, 290.0),
        (0.5, 270.0),
        (0.63, 200.0),
        (0.8, 300.0),
        (0.9, -30.0),
        (0.9, 650.0),
        (0.9, 150.0),
        (0.9, 500.0),
        (1.0, 920.0),
        (1.1, 450.0),
        (1.1, 500.0),
        (1.4, 500.0),
        (1.7, 960.0),
        (2.0, 500.0),
        (2.0, 850.0),
        (2.0, 800.0),
        (2.0, 1090.0),
    ];
    let problem = table(("r", LENGTH, 1e6 * PARSEC), ("v", SPEED, 1e3), &rows);
    let found = search(&problem);
    let best = found.front.best().unwrap();
    assert_eq!(best.size, 3, "{}", told(&found));
    let slope = &best.constants[0];
    let h = 1e3 / (1e6 * PARSEC);
    assert!((slope.value / h - 423.9).abs() < 1.0 && (slope.error / h - 42.2).abs() < 1.0, "{slope:?}");
    whole(&problem, &found);
}

#[test]
fn scales_from_the_quantum_to_the_stars() {
    let features = [("m", MASS, 1e-31, 1e-27), ("v", SPEED, 1e2, 1e5)];
    let law = |x: &[f64]| 0.5 * x[0] * x[1] * x[1];
    exactly(&sample(&features, ENERGY, law, 200, 0.0, 1), &(Expr::ratio(1, 2) * s("m") * s("v").powi(2)));
    let h = 6.62607015e-34;
    let law = |x: &[f64]| h * x[0];
    let problem = sample(&[("f", [0, 0, -1, 0, 0, 0, 0], 1e13, 1e15)], ENERGY, law, 50, 1e-3, 1);
    nearly(&problem, law, 3, &[h], 1e-3);
    let g = 6.6743e-11;
    let features = [("M", MASS, 1e29, 1e31), ("m", MASS, 1e22, 1e26), ("d", LENGTH, 1e10, 1e12)];
    let law = |x: &[f64]| g * x[0] * x[1] / (x[2] * x[2]);
    nearly(&sample(&features, FORCE, law, 300, 1e-3, 1), law, 9, &[g], 1e-3);
}

#[test]
fn data_rounded_to_six_digits() {
    for seed in 1..3 {
        let mut problem = coulomb(0.0, seed);
        for y in &mut problem.target {
            *y = (*y * 1e6).round() / 1e6;
        }
        problem.resolution = Some(1e-6);
        exactly(&problem, &coulomb_law());
        problem.resolution = None;
        exactly(&problem, &coulomb_law());
    }
}

#[test]
fn known_errors_count() {
    let law = |x: &[f64]| 2.5 * x[0];
    let mut problem = sample(&[("x", NONE, 1.0, 5.0)], NONE, law, 200, 0.0, 1);
    let mut rng = Streams::new(3).stream("test/sigma");
    let sigma: Vec<f64> = problem.target.iter().map(|y| 0.05 * y).collect();
    for ((y, s), e) in problem.target.iter_mut().zip(&sigma).zip(standard_normals(&mut rng, 200)) {
        *y += s * e;
    }
    problem.sigma = Some(sigma);
    let found = search(&problem);
    let best = found.front.best().unwrap();
    // The mean of 200 squares of standard normals has the standard deviation 0.1.
    assert!((best.loss - 1.0).abs() < 0.4, "{}", told(&found));
    assert_eq!(best.expr, Expr::ratio(5, 2) * s("x"), "{}", told(&found));
}

/// Deviations of fitted parameters in units of their standard errors, over many samples: their mean lies within
/// 4/sqrt(N) of 0, their mean square within 4 sqrt(2/N) of 1, and no more lie beyond 3 than Student's tails allow.
#[track_caller]
fn honest(truth: &[f64], template: &Expr, samples: u64, problem: impl Fn(u64) -> Problem) {
    let parameters: Vec<Parameter> = truth
        .iter()
        .enumerate()
        .map(|(k, start)| Parameter {
            symbol: Parameter::symbol(k),
            start: *start,
            dimension: Dimension::NONE,
        })
        .collect();
    for (k, value) in truth.iter().enumerate() {
        let (mut sum, mut squares, mut within) = (0.0, 0.0, 0);
        for seed in 0..samples {
            let found = fit(&problem(seed), template, &parameters, &CancelToken::new()).unwrap();
            let pull = (found.values[k] - value) / found.covariance[(k, k)].sqrt();
            (sum, squares) = (sum + pull, squares + pull * pull);
            within += u64::from(pull.abs() <= 3.0);
        }
        let n = samples as f64;
        let told = format!("{template}, #{k}: {} {} {within}", sum / n, squares / n);
        assert!((sum / n).abs() <= 4.0 / n.sqrt(), "{told}");
        assert!((squares / n - 1.0).abs() <= 4.0 * (2.0 / n).sqrt() + 0.1, "{told}");
        assert!(within * 40 >= samples * 39, "{told}");
    }
}

#[test]
fn standard_errors_are_honest() {
    let p = |k: usize| Expr::symbol(Parameter::symbol(k));
    let four_pi = 4.0 * std::f64::consts::PI;
    let template = p(0) * s("q1") * s("q2") / (s("epsilon") * s("r").powi(2));
    honest(&[1.0 / four_pi], &template, 400, |seed| coulomb(0.01, seed));
    let call = |f: Function, e: Expr| Expr::call(f, vec![e]);
    let law = |x: &[f64]| 3.7 * (-0.83 * x[0]).exp();
    honest(&[3.7, -0.83], &(p(0) * call(Function::Exp, p(1) * s("x"))), 400, |seed| {
        sample(&[("x", NONE, 0.0, 4.0)], NONE, law, 100, 0.01, seed)
    });
    let law = |x: &[f64]| 1.7123 * (2.3456 * x[0] + 0.4137).sin() + 5.0;
    let template = p(0) * call(Function::Sin, p(1) * s("t") + p(2)) + p(3);
    honest(&[1.7123, 2.3456, 0.4137, 5.0], &template, 400, |seed| {
        sample(&[("t", NONE, 0.0, 20.0)], NONE, law, 60, 0.01, seed)
    });
    // Noise in proportion to the target: sixty orbits over two decades, errors of one part in a thousand.
    let template = p(0) * Expr::power(s("a"), Expr::ratio(3, 2));
    honest(&[2.0], &template, 400, |seed| {
        let mut problem = sample(&[("a", NONE, 0.0, 2.0)], NONE, |x| x[0], 60, 0.0, seed);
        let errors = standard_normals(&mut Streams::new(seed).stream("test/relative"), 60);
        problem.columns[0].iter_mut().for_each(|a| *a = 10f64.powf(*a));
        problem.target = problem.columns[0]
            .iter()
            .zip(errors)
            .map(|(a, e)| 2.0 * a.powf(1.5) * (1.0 + 1e-3 * e))
            .collect();
        problem
    });
}

#[test]
fn the_exact_constant_is_found_in_most_samples() {
    // A constant that lies within its error of 1/(4*pi) is taken for it; of twenty samples one may lie outside.
    let exact = (0..20).filter(|&seed| {
        let mut problem = coulomb(0.01, seed);
        problem.target.truncate(250);
        problem.columns.iter_mut().for_each(|c| c.truncate(250));
        search(&problem).front.best().is_some_and(|b| b.expr == coulomb_law())
    });
    let exact = exact.count();
    assert!(exact >= 18, "{exact} of 20");
}

#[test]
fn named_constants_are_offered() {
    let c = 299_792_458.0;
    let light = Expr::int(299_792_458) * Expr::unit(crate::units::Unit::coherent(dimension(SPEED)));
    let law = |x: &[f64]| x[0] * c * c;
    let problem = sample(&[("m", MASS, 1.0, 5.0)], ENERGY, law, 100, 1e-3, 1);
    let plan =
        Plan { constants: Constants::Named(vec![("c".into(), light.clone(), dimension(SPEED))]), ..plan() };
    let found = regress(&problem, &plan, &CancelToken::new(), &|_| {}).unwrap();
    let best = found.front.best().unwrap();
    assert!(best.expr == light.powi(2) * s("m"), "{}", told(&found));
}

#[test]
fn order_of_rows_and_threads_change_nothing() {
    let problem = coulomb(0.01, 11);
    let first = search(&problem);
    let mut turned = problem.clone();
    turned.target.reverse();
    turned.columns.iter_mut().for_each(|c| c.reverse());
    let second = search(&turned);
    assert_eq!(first.front.best().unwrap().expr, second.front.best().unwrap().expr);
    let plan = Plan { threads: 2, ..plan() };
    let third = regress(&problem, &plan, &CancelToken::new(), &|_| {}).unwrap();
    assert_eq!(first.work, third.work);
    assert_eq!(told(&first), told(&third));
}

#[test]
fn units_of_the_columns_change_nothing() {
    // Lengths in kilometres, masses in grams: the same laws, their constants rescaled.
    for seed in 12..15 {
        let plain = coulomb(0.01, seed);
        let law = search(&plain).front.best().unwrap().expr.clone();
        let expected = on_rows(&plain, &law);
        for (length, mass) in [(1e-3f64, 1.0f64), (1e9, 1e-6)] {
            let mut problem = plain.clone();
            let factor = |d: [i16; 7]| length.powi(d[0].into()) * mass.powi(d[1].into());
            for (column, d) in problem.columns.iter_mut().zip([CHARGE, CHARGE, LENGTH, PERMITTIVITY]) {
                column.iter_mut().for_each(|x| *x *= factor(d));
            }
            problem.target.iter_mut().for_each(|y| *y *= factor(FORCE));
            let found = search(&problem);
            let best = &found.front.best().unwrap().expr;
            assert_eq!(best == &coulomb_law(), law == coulomb_law(), "{law} {}", told(&found));
            for (a, b) in on_rows(&problem, best).iter().zip(&expected) {
                assert!((a / factor(FORCE) / b - 1.0).abs() < 1e-7, "{law} {}", told(&found));
            }
        }
    }
}

#[test]
fn bad_data_and_odd_data() {
    let good = || sample(&[("x", NONE, 1.0, 5.0), ("z", NONE, 1.0, 5.0)], NONE, |x| x[0], 20, 0.0, 1);
    let fault = |p: &Problem| {
        let e = regress(p, &plan(), &CancelToken::new(), &|_| {}).unwrap_err();
        assert!(e.hint().is_some() && super::CODES.iter().any(|c| c.0 == e.code().0));
        e.code().0
    };
    let mut p = good();
    p.target.clear();
    p.columns.iter_mut().for_each(Vec::clear);
    assert_eq!(fault(&p), 4002);
    let mut p = good();
    (p.names, p.columns, p.dimensions) = (vec![], vec![], Some(vec![]));
    assert_eq!(fault(&p), 4003);
    let mut p = good();
    p.columns[1][4] = f64::NAN;
    assert_eq!(fault(&p), 4004);
    let mut p = good();
    p.target.truncate(2);
    p.columns.iter_mut().for_each(|c| c.truncate(2));
    assert_eq!(fault(&p), 4005);
    let mut p = good();
    p.sigma = Some(vec![0.0; 20]);
    assert_eq!(fault(&p), 4006);
    let mut p = good();
    p.target_dimension = dimension(MASS);
    let plan_without = Plan { constants: Constants::Dimensionless, ..plan() };
    let e = regress(&p, &plan_without, &CancelToken::new(), &|_| {}).unwrap_err();
    assert!(matches!(e, RegressError::NoUnit { .. }));
    let mut p = good();
    p.target.fill(4.2);
    assert_eq!(fault(&p), 4010);
    // Equal columns count once, and are noted.
    let mut p = good();
    p.columns[1] = p.columns[0].clone();
    let found = search(&p);
    assert_eq!(found.front.best().unwrap().expr, s("x"));
    assert_eq!(found.notes.len(), 1);
}

#[test]
fn a_search_stops_where_it_is_told() {
    let problem = coulomb(0.01, 13);
    let cancel = CancelToken::new();
    cancel.cancel();
    assert_eq!(regress(&problem, &plan(), &cancel, &|_| {}).unwrap().stopped, StopReason::Cancelled);
    let late = CancelToken::new().with_deadline(std::time::Instant::now());
    assert_eq!(regress(&problem, &plan(), &late, &|_| {}).unwrap().stopped, StopReason::Time);
    let little = Plan { work: Some(1), ..plan() };
    let found = regress(&problem, &little, &CancelToken::new(), &|_| {}).unwrap();
    assert_eq!(found.stopped, StopReason::Work);
    assert!(found.front.best().is_some());
    let seen = std::cell::RefCell::new(Vec::new());
    regress(&problem, &plan(), &CancelToken::new(), &|p| seen.borrow_mut().push(p.share)).unwrap();
    assert!(seen.borrow().is_sorted() && seen.borrow().last() == Some(&1.0));
}

#[test]
fn waves_offsets_and_open_exponents() {
    for seed in 1..3 {
        let law = |x: &[f64]| 1.7123 * (2.3456 * x[0] + 0.4137).sin() + 5.0;
        let problem = sample(&[("t", TIME, 0.0, 20.0)], LENGTH, law, 300, 1e-3, seed);
        nearly(&problem, law, 10, &[1.7123, 2.3456, 0.4137, 5.0], 2e-3);
        let law = |x: &[f64]| 3.0 * (7.1 * x[0]).cos();
        let problem = sample(&[("x", NONE, -3.0, 3.0)], NONE, law, 300, 1e-3, seed);
        let found = search(&problem);
        let best = found.front.best().unwrap();
        assert!(best.size <= 8 && best.r2 > 0.99999, "{}", told(&found));
        let law = |x: &[f64]| 290.0 + 80.0 * (-x[0] / 130.0).exp();
        let problem = sample(&[("t", TIME, 0.0, 600.0)], [0, 0, 0, 0, 1, 0, 0], law, 120, 1e-3, seed);
        nearly(&problem, law, 8, &[290.0, 80.0, -1.0 / 130.0], 2e-3);
        let law = |x: &[f64]| 2.2 * x[0].powf(1.37);
        nearly(&sample(&[("x", NONE, 0.5, 9.0)], NONE, law, 200, 1e-3, seed), law, 5, &[2.2, 1.37], 2e-3);
    }
}

#[test]
fn a_product_of_powers_and_an_exponential() {
    // Arrhenius with the temperature's unit, and a density of the form x^2*exp(-a*x).
    let law = |x: &[f64]| 4.0e7 * (-5200.0 / x[0]).exp();
    let problem =
        sample(&[("T", [0, 0, 0, 0, 1, 0, 0], 280.0, 400.0)], [0, 0, -1, 0, 0, 0, 0], law, 100, 1e-3, 1);
    nearly(&problem, law, 7, &[4.0e7, -5200.0], 1e-2);
    let law = |x: &[f64]| 2.0 * x[0] * x[0] * (-1.3 * x[0]).exp();
    let found = search(&sample(&[("x", NONE, 0.1, 6.0)], NONE, law, 300, 1e-3, 1));
    assert!(
        found.front.best().unwrap().size <= 11 && found.front.best().unwrap().r2 > 0.9999,
        "{}",
        told(&found)
    );
}
