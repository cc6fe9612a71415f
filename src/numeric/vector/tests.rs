//! Laws of the vector functions: errors below those stated, special values, the same bits at every level with
//! fused multiply-adds.

use super::reference::{Scaled, Sequence, Two, argument, distance, ulps, value};
use super::*;

fn cases() -> usize {
    20 * std::env::var("PHYS_CASES").ok().and_then(|s| s.parse().ok()).unwrap_or(256)
}

/// The largest errors stated in the book, in units in the last place, double and single.
const STATED: &[(&str, f64, f64)] = &[
    ("exp", 0.85, 0.502),
    ("log", 0.70, 0.502),
    ("log2", 0.70, 0.502),
    ("log10", 0.70, 0.502),
    ("sin", 0.80, 0.502),
    ("cos", 0.85, 0.502),
    ("tan", 0.95, 0.502),
    ("asin", 0.75, 0.502),
    ("acos", 0.75, 0.502),
    ("atan", 0.80, 0.502),
    ("sinh", 0.75, 0.502),
    ("cosh", 0.75, 0.502),
    ("tanh", 0.75, 0.502),
    ("pow", 0.95, 0.505),
];

fn function(name: &str) -> Option<Elementary> {
    Elementary::ALL.iter().copied().find(|f| f.name() == name)
}

fn apply(name: &str, level: Level, x: &[f64], y: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    match function(name) {
        Some(f) => f.apply(level, x, &mut out),
        None => pow(level, x, y, &mut out),
    }
    out
}

fn apply_f32(name: &str, level: Level, x: &[f32], y: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    match function(name) {
        Some(f) => f.apply_f32(level, x, &mut out),
        None => pow_f32(level, x, y, &mut out),
    }
    out
}

fn arguments(name: &str, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut sequence = Sequence(seed);
    (0..cases()).map(|_| argument(name, &mut sequence)).unzip()
}

#[test]
fn every_function_has_a_stated_error() {
    for f in Elementary::ALL {
        assert!(STATED.iter().any(|row| row.0 == f.name()), "{}", f.name());
    }
}

#[test]
fn the_reference_agrees_with_mpmath() {
    let bits = |s: &str| f64::from_bits(u64::from_str_radix(s, 16).unwrap());
    for line in include_str!("reference.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (x, y) = (bits(words[1]), bits(words[2]));
        let known = Scaled(Two(bits(words[3]), bits(words[4])), words[5].parse().unwrap());
        let found = value(words[0], x, y);
        // pow: the logarithm's 100 bits, less the exponent's.
        assert!(distance(found, known) < 2f64.powi(-80), "{line}: {}", distance(found, known));
        if words[0] == "pow" {
            continue;
        }
        // And so do the functions themselves.
        let f = function(words[0]).unwrap();
        for level in Level::available() {
            let error = ulps(f.value(level, x), known);
            assert!(error < 0.95, "{level:?} {} {x:e}: {error} ulp", words[0]);
        }
    }
}

#[test]
fn errors_stay_below_those_stated() {
    for &(name, stated, _) in STATED {
        let (x, y) = arguments(name, 1);
        let known: Vec<Scaled> = x.iter().zip(&y).map(|(x, y)| value(name, *x, *y)).collect();
        for level in Level::available() {
            for (i, found) in apply(name, level, &x, &y).into_iter().enumerate() {
                let error = ulps(found, known[i]);
                assert!(error <= stated, "{level:?} {name}({:e}, {:e}) = {found:e}: {error} ulp", x[i], y[i]);
            }
        }
    }
}

#[test]
fn single_precision_is_double_precision_rounded_or_beside_it() {
    for &(name, _, stated) in STATED {
        let (x, y) = arguments(name, 2);
        let single = |list: &[f64]| list.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let double = |list: &[f32]| list.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let (x, y) = (single(&x), single(&y));
        let known = apply(name, Level::detect(), &double(&x), &double(&y));
        for level in Level::available() {
            for (i, found) in apply_f32(name, level, &x, &y).into_iter().enumerate() {
                let rounded = known[i] as f32;
                if rounded.is_nan() || rounded.is_infinite() || found.is_infinite() {
                    assert!(found == rounded || (found.is_nan() && rounded.is_nan()), "{name} {:e}", x[i]);
                    continue;
                }
                let last = ((((known[i].to_bits() >> 52) & 0x7ff) as i32) - 1023 - 23).max(-149);
                let error = (f64::from(found) - known[i]).abs() * 2f64.powi(-last);
                assert!(error <= stated, "{level:?} {name}({:e}, {:e}) = {found:e}: {error} ulp", x[i], y[i]);
            }
        }
    }
}

#[test]
fn levels_with_fused_products_give_the_same_bits_and_so_do_single_values() {
    let any = {
        let mut sequence = Sequence(3);
        (0..cases()).map(|_| f64::from_bits(sequence.bits())).collect::<Vec<f64>>()
    };
    for &(name, ..) in STATED {
        let (mut x, mut y) = arguments(name, 4);
        x.extend(&any);
        y.extend(any.iter().rev());
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let levels: Vec<Level> = Level::available().into_iter().filter(|l| *l > Level::Portable).collect();
        let lists: Vec<Vec<f64>> = levels.iter().map(|level| apply(name, *level, &x, &y)).collect();
        for list in &lists {
            for i in 0..x.len() {
                assert!(same(list[i], lists[0][i]), "{name} {:e} {:e}", x[i], y[i]);
            }
        }
        if let Some(f) = function(name) {
            for level in Level::available() {
                let list = apply(name, level, &x, &y);
                for i in 0..x.len() {
                    assert!(same(f.value(level, x[i]), list[i]), "{level:?} {name} {:e}", x[i]);
                }
            }
        }
        // Any bits at all: no function of the portable level is far from the others.
        let portable = apply(name, Level::Portable, &x, &y);
        for (list, i) in lists.iter().flat_map(|list| (0..x.len()).map(move |i| (list, i))) {
            let close = (portable[i] - list[i]).abs() <= 1e-15 * list[i].abs();
            assert!(
                close || same(portable[i], list[i]) || list[i].abs() < 1e-300,
                "{name} {:e} {:e}",
                x[i],
                y[i]
            );
        }
    }
}

#[test]
fn special_values_are_those_of_the_standard() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    let half_pi = std::f64::consts::FRAC_PI_2;
    let rows: &[(&str, f64, f64)] = &[
        ("exp", INF, INF),
        ("exp", -INF, 0.0),
        ("exp", 0.0, 1.0),
        ("exp", -0.0, 1.0),
        ("exp", 710.0, INF),
        ("exp", -746.0, 0.0),
        ("exp", 5e-324, 1.0),
        ("log", 0.0, -INF),
        ("log", -0.0, -INF),
        ("log", 1.0, 0.0),
        ("log", INF, INF),
        ("log", -1.0, NAN),
        ("log", -INF, NAN),
        ("log2", 0.0, -INF),
        ("log2", 5e-324, -1074.0),
        ("log2", 1024.0, 10.0),
        ("log10", 1e15, 15.0),
        ("log10", 1e-5, -5.0),
        ("log10", INF, INF),
        ("sin", -0.0, -0.0),
        ("sin", 5e-324, 5e-324),
        ("sin", INF, NAN),
        ("cos", 0.0, 1.0),
        ("cos", -INF, NAN),
        ("tan", -0.0, -0.0),
        ("tan", INF, NAN),
        ("asin", -0.0, -0.0),
        ("asin", 1.0, half_pi),
        ("asin", -1.0, -half_pi),
        ("asin", 1.0000000000000002, NAN),
        ("acos", 1.0, 0.0),
        ("acos", -1.0, std::f64::consts::PI),
        ("acos", 0.0, half_pi),
        ("acos", -1.5, NAN),
        ("atan", -0.0, -0.0),
        ("atan", INF, half_pi),
        ("atan", -INF, -half_pi),
        ("atan", 5e-324, 5e-324),
        ("sinh", -0.0, -0.0),
        ("sinh", INF, INF),
        ("sinh", -INF, -INF),
        ("sinh", 711.0, INF),
        ("cosh", 0.0, 1.0),
        ("cosh", -INF, INF),
        ("tanh", -0.0, -0.0),
        ("tanh", INF, 1.0),
        ("tanh", -INF, -1.0),
        ("tanh", 5e-324, 5e-324),
    ];
    let check = |name: &str, x: f64, y: f64, known: f64| {
        for level in Level::available() {
            let found = apply(name, level, &[x], &[y])[0];
            let same = found.to_bits() == known.to_bits() || (found.is_nan() && known.is_nan());
            assert!(same, "{level:?} {name}({x:e}, {y:e}) = {found:e}, expected {known:e}");
            let found = apply_f32(name, level, &[x as f32], &[y as f32])[0];
            let known = known as f32;
            let representable = f64::from(x as f32) == x && f64::from(y as f32) == y;
            let same = found.to_bits() == known.to_bits() || (found.is_nan() && known.is_nan());
            assert!(same || !representable, "{level:?} {name}({x:e}, {y:e}) = {found:e}, expected {known:e}");
        }
    };
    for &(name, x, known) in rows {
        check(name, x, 0.0, known);
    }
    for &(name, ..) in STATED {
        check(name, NAN, 2.0, NAN);
    }
    // Powers: every pair of special arguments, as the system's library has them.
    let special = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, 1e300, 5e-324, 9007199254740993.0, 4503599627370497.0, INF];
    let special = special.iter().flat_map(|x| [*x, -*x]).chain([NAN]).collect::<Vec<f64>>();
    for &x in &special {
        for &y in &special {
            let known = x.powf(y);
            if known == 0.0 || known == 1.0 || !known.is_finite() {
                check("pow", x, y, known);
            }
        }
    }
}

#[test]
fn arguments_beyond_the_reduction_go_to_libm() {
    let x: Vec<f64> = (0..200).map(|k| 1e9 * 2f64.powi(5 * k)).chain([-1e22, f64::MAX]).collect();
    for level in Level::available() {
        for (f, known) in [
            (Elementary::Sin, libm::sin as fn(f64) -> f64),
            (Elementary::Cos, libm::cos),
            (Elementary::Tan, libm::tan),
        ] {
            let mut found = vec![0.0; x.len()];
            f.apply(level, &x, &mut found);
            for (x, found) in x.iter().zip(found) {
                if x.abs() > trigonometric::FAR && x.is_finite() {
                    assert_eq!(found, known(*x), "{} {x:e}", f.name());
                }
            }
        }
    }
}

#[test]
fn lists_of_any_length_are_filled() {
    for length in [0, 1, 63, 64, 65, 200] {
        let x: Vec<f64> = (0..length).map(|i| 0.1 * f64::from(i)).collect();
        let found = apply("exp", Level::detect(), &x, &x);
        for (x, found) in x.iter().zip(&found) {
            assert_eq!(*found, Elementary::Exp.value(Level::detect(), *x));
        }
    }
}
