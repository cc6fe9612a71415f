//! Laws of vectors are found again, with and without units, and hold in components.

use super::super::tests::{ENERGY, LENGTH, MASS, NONE, SPEED, plan, sample, search};
use super::super::{Found, Plan, Problem, RegressError};
use super::*;
use crate::base::CancelToken;
use crate::base::random::Streams;
use crate::numeric::normal::standard_normals;

const FORCE: [i16; 7] = [1, 1, -2, 0, 0, 0, 0];
const CHARGE: [i16; 7] = [0, 0, 1, 1, 0, 0, 0];
const MOMENTUM: [i16; 7] = [1, 1, -1, 0, 0, 0, 0];
/// Electric field strength.
const FIELD: [i16; 7] = [1, 1, -3, -1, 0, 0, 0];
/// Magnetic flux density.
const FLUX: [i16; 7] = [0, 1, -2, -1, 0, 0, 0];

type Vector = (&'static str, [i16; 7]);

/// Rows of scalars and vectors; components are drawn from -2 to 3.
fn data(
    scalars: &[(&'static str, [i16; 7], f64, f64)],
    vectors: &[Vector],
    rows: usize,
    units: bool,
) -> (Problem, Vec<Vectors>) {
    let names: Vec<String> =
        vectors.iter().flat_map(|v| ["x", "y", "z"].map(|c| format!("{}_{c}", v.0))).collect();
    let mut features = scalars.to_vec();
    for (k, name) in names.iter().enumerate() {
        features.push((name.clone().leak(), vectors[k / 3].1, -2.0, 3.0));
    }
    let mut problem = sample(&features, NONE, |x| x[0], rows, 0.0, 3);
    if !units {
        problem.dimensions = None;
    }
    let place = |k: usize| scalars.len() + 3 * k;
    let vectors = vectors
        .iter()
        .enumerate()
        .map(|(k, v)| Vectors { name: Symbol::new(v.0), columns: [place(k), place(k) + 1, place(k) + 2] })
        .collect();
    (problem, vectors)
}

fn row(problem: &Problem, i: usize) -> Vec<f64> {
    problem.columns.iter().map(|c| c[i]).collect()
}

fn of(row: &[f64], first: usize) -> [f64; 3] {
    [row[first], row[first + 1], row[first + 2]]
}

fn turned(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn scalar_product(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn value(problem: &Problem, law: &Expr, i: usize) -> f64 {
    law.evaluate(&|s| problem.names.iter().position(|n| n == s).map(|k| problem.columns[k][i])).unwrap()
}

/// The law of a scalar target in words; it holds in components, to rounding.
#[track_caller]
fn scalar_law(problem: &Problem, vectors: &[Vectors], goal: [i16; 7], law: impl Fn(&[f64]) -> f64) -> String {
    let mut problem = problem.clone();
    problem.target = (0..problem.rows()).map(|i| law(&row(&problem, i))).collect();
    problem.target_dimension = super::super::tests::dimension(goal);
    let (invariant, derived) = invariants(&problem, vectors).unwrap();
    let found: Found = search(&invariant);
    let best = &found.front.best().unwrap().expr;
    let plain = expand(best, &derived);
    let size = problem.target.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    for i in 0..problem.rows() {
        let left = value(&problem, &plain, i) - problem.target[i];
        assert!(left.abs() <= 1e-9 * size, "{best}");
        // What is said in words is the same.
        let words = value(&invariant, best, i) - problem.target[i];
        assert!(words.abs() <= 1e-9 * size, "{best}");
    }
    spoken(best).to_string()
}

#[test]
fn invariants_are_what_their_definitions_say() {
    let (problem, vectors) =
        data(&[("m", MASS, 1.0, 2.0)], &[("r", LENGTH), ("p", MOMENTUM), ("s", SPEED)], 5, true);
    let (invariant, derived) = invariants(&problem, &vectors).unwrap();
    let names: Vec<&str> = derived.iter().map(|d| d.symbol.name()).collect();
    assert_eq!(
        names,
        [
            "norm(r)",
            "norm(p)",
            "norm(s)",
            "dot(r, p)",
            "norm(cross(r, p))",
            "dot(r, s)",
            "norm(cross(r, s))",
            "dot(p, s)",
            "norm(cross(p, s))",
            "dot(r, cross(p, s))"
        ]
    );
    for d in &derived {
        let k = invariant.names.iter().position(|n| *n == d.symbol).unwrap();
        for i in 0..5 {
            let (found, defined) = (invariant.columns[k][i], value(&problem, &d.definition, i));
            assert!((found - defined).abs() <= 1e-12 * (1.0 + defined.abs()), "{}", d.words);
        }
    }
    // Turning all vectors by one rotation changes nothing.
    let mut other = problem.clone();
    let (sin, cos) = 0.7f64.sin_cos();
    for v in &vectors {
        for i in 0..5 {
            let [x, y, z] = v.columns.map(|k| problem.columns[k][i]);
            let (x, y) = (cos * x - sin * y, sin * x + cos * y);
            other.columns[v.columns[0]][i] = x;
            other.columns[v.columns[1]][i] = cos * y - sin * z;
            other.columns[v.columns[2]][i] = sin * y + cos * z;
        }
    }
    let again = invariants(&other, &vectors).unwrap().0;
    for (a, b) in invariant.columns.iter().flatten().zip(again.columns.iter().flatten()) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs()));
    }
}

#[test]
fn scalars_of_vectors() {
    for units in [true, false] {
        let (problem, vectors) = data(&[("m", MASS, 0.5, 2.0)], &[("p", MOMENTUM)], 20, units);
        let law =
            scalar_law(&problem, &vectors, ENERGY, |x| scalar_product(of(x, 1), of(x, 1)) / (2.0 * x[0]));
        assert!(law.contains("dot(p, p)"), "{law}");
        let (problem, vectors) = data(&[], &[("F", FORCE), ("d", LENGTH)], 20, units);
        let law = scalar_law(&problem, &vectors, ENERGY, |x| scalar_product(of(x, 0), of(x, 3)));
        assert_eq!(law, "dot(F, d)");
        let action = [2, 1, -1, 0, 0, 0, 0];
        let (problem, vectors) = data(&[], &[("r", LENGTH), ("p", MOMENTUM)], 20, units);
        let norm = |a: [f64; 3]| scalar_product(a, a).sqrt();
        let law = scalar_law(&problem, &vectors, action, |x| norm(turned(of(x, 0), of(x, 3))));
        assert_eq!(law, "norm(cross(r, p))");
    }
}

fn target(
    problem: &Problem,
    law: impl Fn(&[f64]) -> [f64; 3],
    noise: f64,
    dimension: [i16; 7],
) -> VectorTarget {
    let all: Vec<[f64; 3]> = (0..problem.rows()).map(|i| law(&row(problem, i))).collect();
    let size = crate::numeric::statistics::rms(all.as_flattened());
    let errors = standard_normals(&mut Streams::new(9).stream("noise"), 3 * all.len());
    let part = |k: usize| (0..all.len()).map(|i| all[i][k] + noise * size * errors[3 * i + k]).collect();
    VectorTarget {
        name: Symbol::new("F"),
        components: [part(0), part(1), part(2)],
        dimension: super::super::tests::dimension(dimension),
        unit: None,
        sigma: None,
        resolution: None,
    }
}

fn quick() -> Plan {
    Plan { work: Some(3_000_000), ..plan() }
}

/// The law of a vector; its components agree with `law` to a share of the largest.
#[track_caller]
fn vector_law(
    (problem, vectors): &(Problem, Vec<Vectors>),
    goal: [i16; 7],
    law: impl Fn(&[f64]) -> [f64; 3] + Copy,
    noise: f64,
    share: f64,
) -> VectorLaw {
    let target = target(problem, law, noise, goal);
    let found = regress_vector(problem, vectors, &target, &quick(), &CancelToken::new(), &|_| {}).unwrap();
    let best = found.best().unwrap().clone();
    let size = target.components.iter().flatten().fold(0.0f64, |m, y| m.max(y.abs()));
    for i in 0..problem.rows() {
        let truth = law(&row(problem, i));
        for (component, truth) in best.components.iter().zip(truth) {
            let left = value(problem, component, i) - truth;
            let all: Vec<&str> = found.laws.iter().map(|l| l.words.as_str()).collect();
            assert!(left.abs() <= share * size, "{left} of {size}: {} of {all:?}", best.words);
        }
    }
    best
}

fn lorentz(x: &[f64]) -> [f64; 3] {
    let (e, vb) = (of(x, 1), turned(of(x, 4), of(x, 7)));
    [0, 1, 2].map(|k| x[0] * (e[k] + vb[k]))
}

#[test]
fn the_force_of_lorentz() {
    for units in [true, false] {
        let data = data(&[("q", CHARGE, 0.5, 2.0)], &[("E", FIELD), ("v", SPEED), ("B", FLUX)], 20, units);
        let found = vector_law(&data, FORCE, lorentz, 0.0, 1e-9);
        assert_eq!(found.words, "cross(v, B)*q + E*q");
        assert!(found.law.constants.is_empty() || found.law.constants.iter().all(|c| c.exact.is_some()));
        let noisy = vector_law(&data, FORCE, lorentz, 0.01, 0.02);
        assert_eq!(noisy.words, "cross(v, B)*q + E*q");
    }
}

#[test]
fn gravity_with_its_constant() {
    let law = |x: &[f64]| {
        let r = of(x, 2);
        let norm = scalar_product(r, r).sqrt();
        r.map(|c| -6.674 * x[0] * x[1] * c / norm.powi(3))
    };
    for units in [true, false] {
        let data = data(&[("m1", MASS, 0.5, 2.0), ("m2", MASS, 1.0, 4.0)], &[("r", LENGTH)], 25, units);
        let found = vector_law(&data, FORCE, law, 0.0, 1e-9);
        // The constant is exact in the law: 6.674 = 3337/500.
        assert!(found.words.starts_with("(-3337*m1*m2*r/(500*norm(r)^3))") || !units, "{}", found.words);
        assert_eq!(found.words.ends_with("[m^3/(kg*s^2)]"), units, "{}", found.words);
        // It is told as a constant of the law, with its unit and what it was fitted to.
        let [constant] = found.law.constants.as_slice() else { panic!("{:?}", found.law.constants) };
        assert!((constant.value.abs() - 6.674).abs() < 1e-6, "{constant:?}");
        assert!(constant.exact.is_some() || !units, "{constant:?}");
        assert_eq!(constant.unit.is_one(), !units);
        assert!((constant.fitted.0.abs() - 6.674).abs() < 1e-6 && constant.fitted.1 >= 0.0, "{constant:?}");
    }
}

#[test]
fn one_constant_in_two_terms_is_fitted_once() {
    let law = |x: &[f64]| {
        let (e, vb) = (of(x, 0), turned(of(x, 3), of(x, 6)));
        [0, 1, 2].map(|k| 1.7321 * e[k] + 1.7321 * vb[k])
    };
    let data = data(&[], &[("E", NONE), ("v", NONE), ("B", NONE)], 30, false);
    let found = vector_law(&data, NONE, law, 0.02, 0.02);
    let open = found.law.constants.iter().filter(|c| c.exact.is_none()).count();
    assert!(open <= 1 && found.law.constants.len() == 1, "{} {:?}", found.words, found.law.constants);
}

#[test]
fn vectors_that_are_none() {
    let (mut problem, vectors) = data(&[], &[("F", FORCE), ("d", LENGTH)], 5, true);
    let wrong = [Vectors { name: Symbol::new("a"), columns: [0, 1, 9] }];
    let error = RegressError::Component { vector: "a".into(), column: 9, known: 6 };
    assert_eq!(invariants(&problem, &wrong).map(|_| ()), Err(error));
    problem.dimensions.as_mut().unwrap()[4] = crate::units::Dimension::TIME;
    let error = RegressError::Components { vector: "d".into() };
    assert_eq!(invariants(&problem, &vectors).map(|_| ()), Err(error));
    let nothing = target(&problem, |_| [0.0; 3], 0.0, NONE);
    problem.dimensions = None;
    let run = regress_vector(&problem, &vectors, &nothing, &quick(), &CancelToken::new(), &|_| {});
    assert!(matches!(run, Err(RegressError::Constant { .. })));
}

#[test]
fn resuming_equals_never_stopping() {
    use crate::base::StopReason;
    let (problem, vectors) =
        data(&[("q", NONE, 0.5, 2.0)], &[("E", NONE), ("v", NONE), ("B", NONE)], 30, false);
    let law = |x: &[f64]| {
        let (e, vb) = (of(x, 1), turned(of(x, 4), of(x, 7)));
        [0, 1, 2].map(|k| x[0] * (e[k] + 1.7 * vb[k]) / (1.0 + 0.31 * x[0]))
    };
    let target = target(&problem, law, 0.02, NONE);
    let plan = Plan { work: Some(8_000_000), ..plan() };
    let whole = regress_vector(&problem, &vectors, &target, &plan, &CancelToken::new(), &|_| {}).unwrap();
    let (found, states) = super::super::journal::tests::in_pieces(2, |journal, cancel| {
        let run = regress_vector_kept((&problem, &vectors), &target, &plan, cancel, &|_| {}, journal);
        run.ok().filter(|f| f.stopped != StopReason::Cancelled)
    });
    assert_eq!(format!("{found:?}"), format!("{whole:?}"));
    assert!(states.len() > 1, "cut {} times", states.len());
}
