//! The columns a law has are chosen among others, and the noise put on a law is found and taken away, whatever the threads.

use super::process::{Rows, evidence_and_slope};
use super::{Selection, Smooth, factor, features, smooth};
use crate::base::CancelToken;
use crate::base::random::Streams;
use crate::expression::Symbol;
use crate::numeric::normal::standard_normals;
use crate::numeric::statistics::rms;
use crate::regression::Problem;
use crate::units::Dimension;
use nalgebra::DMatrix;
use rand::RngExt;

/// A law of some columns.
type Law = fn(&[f64]) -> f64;

/// Columns drawn evenly from a range, the target by a law of those at `places`, noise as a share of its RMS; the law's own
/// values, and the noise's standard deviation.
fn sample(
    rows: usize,
    count: usize,
    range: (f64, f64),
    places: &[usize],
    law: Law,
    noise: f64,
    seed: u64,
) -> (Problem, Vec<f64>, f64) {
    let mut rng = Streams::new(seed).stream("test/rows");
    let mut draw = || range.0 + (range.1 - range.0) * rng.random::<f64>();
    let columns: Vec<Vec<f64>> = (0..count).map(|_| (0..rows).map(|_| draw()).collect()).collect();
    let at = |i: usize| places.iter().map(|&c| columns[c][i]).collect::<Vec<f64>>();
    let truth: Vec<f64> = (0..rows).map(|i| law(&at(i))).collect();
    let sigma = noise * rms(&truth);
    let deviates = standard_normals(&mut Streams::new(seed).stream("test/noise"), rows);
    let target = truth.iter().zip(deviates).map(|(y, e)| y + sigma * e).collect();
    let problem = Problem {
        names: (0..count).map(|k| Symbol::new(&format!("x{k}"))).collect(),
        columns,
        dimensions: None,
        units: vec![None; count],
        target,
        target_symbol: Symbol::new("y"),
        target_dimension: Dimension::NONE,
        target_unit: None,
        sigma: None,
        row_weights: None,
        resolution: None,
    };
    (problem, truth, sigma)
}

fn chosen(problem: &Problem, k: usize) -> Selection {
    features(problem, k, 1, &CancelToken::new())
}

fn smoothed(problem: &Problem) -> Option<Smooth> {
    smooth(problem, 1, &CancelToken::new())
}

/// RMS of the difference over `unit`.
fn apart(a: &[f64], b: &[f64], unit: f64) -> f64 {
    rms(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>()) / unit
}

#[test]
fn factors_and_inverses_make_the_matrix_again() {
    let n = 131;
    let root = DMatrix::from_fn(n, n, |i, j| ((i * 7 + j * j) as f64).sin());
    let a = &root * root.transpose() + DMatrix::identity(n, n);
    let l = factor::cholesky(a.clone()).unwrap();
    assert!((&l * l.transpose() - &a).amax() < 1e-10);
    let inverse = factor::square(&factor::lower_inverse(&l));
    assert!((inverse * a - DMatrix::identity(n, n)).amax() < 1e-10);
    assert!(factor::cholesky(-DMatrix::<f64>::identity(60, 60)).is_none());
}

#[test]
fn the_slope_of_the_evidence_is_its_derivative() {
    let (problem, ..) = sample(40, 2, (-1.5, 1.5), &[0, 1], |x| x[0].exp() * x[1], 0.1, 3);
    for degree in 0..3 {
        let rows = Rows {
            columns: problem.columns.clone(),
            target: problem.target.clone(),
            variances: (0..40).map(|i| 0.5 + 0.025 * f64::from(i)).collect(),
            degree,
        };
        let point = [0.3, -0.2, -3.0];
        let (_, slope) = evidence_and_slope(&rows, &point).unwrap();
        for k in 0..3 {
            let at = |h: f64| {
                let mut moved = point;
                moved[k] += h;
                evidence_and_slope(&rows, &moved).unwrap().0
            };
            let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((difference - slope[k]).abs() < 1e-5 * (1.0 + slope[k].abs()), "{degree} {k}");
        }
    }
}

#[test]
fn three_of_twenty_columns_are_chosen_for_products_of_mean_zero_too() {
    let laws: [(Law, (f64, f64)); 3] = [
        (|x| x[0] * x[1] + x[2], (-1.0, 1.0)),
        (|x| x[0] * x[1] * x[2], (-1.0, 1.0)),
        (|x| x[0] * x[1] / (x[2] * x[2]), (1.0, 5.0)),
    ];
    for (seed, (law, range)) in laws.into_iter().enumerate() {
        let (problem, ..) = sample(100, 20, range, &[13, 2, 7], law, 0.1, seed as u64);
        let found = chosen(&problem, 3);
        assert_eq!((&found.chosen, &found.matter), (&vec![2, 7, 13], &vec![2, 7, 13]), "{:?}", found.scores);
    }
}

#[test]
fn constant_and_repeated_columns_are_not_chosen_and_of_many_asked_for_only_those_matter_that_do() {
    let (mut problem, ..) = sample(100, 8, (1.0, 3.0), &[1, 4], |x| x[0] * x[1], 0.05, 5);
    problem.columns[0].fill(2.5);
    problem.columns[6] = problem.columns[4].clone();
    let found = chosen(&problem, 4);
    assert_eq!(found.chosen.len(), 4);
    assert!(!found.chosen.contains(&0) && !found.chosen.contains(&6), "{found:?}");
    assert_eq!(found.matter, vec![1, 4]);
    assert!(found.scores[0] == 0.0 && found.scores[6] == 0.0);
    assert!(found.chosen.iter().all(|c| (found.scores[*c] > 0.05) == [1, 4].contains(c)), "{found:?}");
}

#[test]
fn odd_requests_have_answers() {
    let (mut problem, ..) = sample(30, 3, (1.0, 3.0), &[1], |x| x[0], 0.0, 5);
    assert_eq!(chosen(&problem, 0).chosen, Vec::<usize>::new());
    assert_eq!(chosen(&problem, 9).chosen, vec![0, 1, 2]);
    assert_eq!(chosen(&problem.pick(&[0, 1, 2]), 2).chosen.len(), 2);
    let stopped = CancelToken::new();
    stopped.cancel();
    assert_eq!(features(&problem, 2, 0, &stopped).chosen.len(), 2);
    assert_eq!(smooth(&problem, 0, &stopped).filter(|s| s.sigma > 0.0), None);
    let mut flat = problem.clone();
    flat.columns.iter_mut().for_each(|c| c.fill(1.0));
    assert_eq!(chosen(&flat, 2).chosen, Vec::<usize>::new());
    problem.target.fill(1.0);
    assert_eq!(chosen(&problem, 2).chosen, vec![0, 1]);
    assert_eq!(smoothed(&problem), None);
    assert_eq!(smoothed(&problem.pick(&[0, 1, 2])), None);
    problem.target[3] = f64::NAN;
    assert_eq!(smoothed(&problem), None);
    assert_eq!(chosen(&problem, 2).chosen, vec![0, 1]);
}

#[test]
fn noise_is_told_and_taken_away() {
    let laws: [(Law, usize, (f64, f64)); 3] = [
        (|x| x[0].sin(), 1, (0.0, 6.0)),
        (|x| 3.0 * x[0] - x[1] * x[1], 2, (1.0, 5.0)),
        (|x| x[0] * x[1] * x[2] / (x[0] + x[1]), 3, (1.0, 5.0)),
    ];
    for (law, count, range) in laws {
        let places: Vec<usize> = (0..count).collect();
        let (problem, truth, sigma) = sample(200, count, range, &places, law, 0.1, 2);
        let found = smoothed(&problem).unwrap();
        assert!((found.sigma / sigma - 1.0).abs() < 0.2, "{count}: {} {sigma}", found.sigma);
        let left = apart(&found.target, &truth, sigma);
        assert!(left < 0.5, "{count}: {left}");
        // The errors told are those made.
        let pulls = truth.iter().zip(&found.target).zip(&found.error).map(|((y, s), e)| (y - s) / e);
        let pull = rms(&pulls.collect::<Vec<f64>>());
        assert!((0.3..2.5).contains(&pull), "{count}: {pull}");
    }
}

#[test]
fn known_errors_weigh_the_rows() {
    let (mut problem, truth, _) = sample(200, 1, (0.0, 6.0), &[0], |x| x[0].sin(), 0.0, 2);
    let sizes: Vec<f64> = (0..200).map(|i| if i % 2 == 0 { 0.02 } else { 0.5 }).collect();
    let deviates = standard_normals(&mut Streams::new(9).stream("test/noise"), 200);
    problem.target = truth.iter().zip(&sizes).zip(deviates).map(|((y, s), e)| y + s * e).collect();
    let blind = smoothed(&problem).unwrap();
    problem.sigma = Some(sizes.clone());
    let found = smoothed(&problem).unwrap();
    assert!((found.sigma / rms(&sizes) - 1.0).abs() < 0.2, "{}", found.sigma);
    assert!(apart(&found.target, &truth, 1.0) < 0.3 * apart(&blind.target, &truth, 1.0));
    // The sizes are relative: another unit changes nothing.
    problem.sigma = Some(sizes.iter().map(|s| s / 1048576.0).collect());
    assert!(apart(&smoothed(&problem).unwrap().target, &found.target, 1.0) < 1e-6);
}

#[test]
fn exact_data_stay_as_they_are() {
    let laws: [Law; 2] = [|x| 2.0 * x[0] - x[1], |x| (0.5 * x[0]).sin() * x[1]];
    for law in laws {
        let (problem, truth, _) = sample(100, 2, (1.0, 4.0), &[0, 1], law, 0.0, 4);
        let found = smoothed(&problem).unwrap();
        assert_eq!((found.sigma, found.target), (0.0, truth));
    }
}

#[test]
fn length_scales_are_in_the_columns_units_and_the_target_in_its_own() {
    let (mut problem, ..) = sample(100, 2, (1.0, 4.0), &[0, 1], |x| (2.0 * x[0]).sin() + x[1], 0.1, 4);
    let found = smoothed(&problem).unwrap();
    problem.columns[0].iter_mut().for_each(|x| *x *= 1024.0);
    problem.target.iter_mut().for_each(|y| *y *= 0.25);
    let other = smoothed(&problem).unwrap();
    assert!((other.length_scales[0] / found.length_scales[0] / 1024.0 - 1.0).abs() < 1e-6);
    assert!((4.0 * other.sigma / found.sigma - 1.0).abs() < 1e-6);
    assert!(found.length_scales[0] < found.length_scales[1]);
}

#[test]
fn many_rows_are_smoothed_by_a_projection() {
    let (problem, truth, sigma) = sample(1400, 1, (0.0, 6.0), &[0], |x| x[0].sin(), 0.1, 2);
    let found = smoothed(&problem).unwrap();
    assert!((found.sigma / sigma - 1.0).abs() < 0.1);
    assert!(apart(&found.target, &truth, sigma) < 0.2);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (problem, ..) = sample(90, 12, (-1.0, 1.0), &[3, 8], |x| x[0] * x[1], 0.1, 7);
    let (table, ..) = sample(90, 2, (1.0, 20.0), &[0, 1], |x| x[0].ln() / x[1], 0.1, 7);
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let run = |n| pool(n).install(|| (chosen(&problem, 2), smoothed(&table)));
    assert_eq!(run(1), run(2));
}
