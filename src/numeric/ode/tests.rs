//! Laws of the integrators: orders, invariants, published references.

use super::*;
use crate::expression::{Expr, Symbol};
use std::f64::consts::PI;

fn times(end: f64, count: usize) -> Vec<f64> {
    (0..count).map(|k| end * k as f64 / (count - 1) as f64).collect()
}

fn solve(
    f: impl FnMut(f64, &[f64], &mut [f64]),
    start: &[f64],
    times: &[f64],
    method: Method,
    relative: f64,
) -> Path {
    let options = Options { relative, ..Options::default() };
    integrate(&mut Closure(f), start, times, method, &options, &CancelToken::new()).unwrap()
}

fn last(path: &Path) -> Vec<f64> {
    path.states.iter().map(|s| s[s.len() - 1]).collect()
}

fn kepler(_: f64, y: &[f64], f: &mut [f64]) {
    let r3 = (y[0] * y[0] + y[1] * y[1]).powf(1.5);
    f.copy_from_slice(&[y[2], y[3], -y[0] / r3, -y[1] / r3]);
}

fn lorenz(_: f64, y: &[f64], f: &mut [f64]) {
    f.copy_from_slice(&[10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3.0 * y[2]]);
}

fn robertson(_: f64, y: &[f64], f: &mut [f64]) {
    let (slow, fast, middle) = (0.04 * y[0], 3e7 * y[1] * y[1], 1e4 * y[1] * y[2]);
    f.copy_from_slice(&[-slow + middle, slow - middle - fast, fast]);
}

#[test]
fn rows_of_the_explicit_method_add_up() {
    use super::dop853_table::{A, C};
    for (s, row) in A.iter().enumerate() {
        let sum: f64 = row.iter().map(|(_, a)| a).sum();
        let place = if s == 12 { 1.0 } else { C[s] };
        assert!((sum - place).abs() < 1e-14, "row {s}: {sum}");
    }
}

/// A step of fixed size, by a tolerance that never refuses.
#[test]
fn the_explicit_method_is_of_order_eight() {
    use super::dop853_table::A;
    // y' = cos(t) y, y = exp(sin t): twelve stages by hand.
    let f = |t: f64, y: f64| t.cos() * y;
    let run = |n: usize| {
        let h = 4.0 / n as f64;
        let mut y = 1.0;
        for k in 0..n {
            let t = k as f64 * h;
            let mut slopes: Vec<f64> = Vec::new();
            for (s, row) in A.iter().take(12).enumerate() {
                let at = y + h * row.iter().map(|(j, a)| a * slopes[*j]).sum::<f64>();
                slopes.push(f(t + super::dop853_table::C[s] * h, at));
            }
            y += h * A[12].iter().map(|(j, a)| a * slopes[*j]).sum::<f64>();
        }
        (y - 4f64.sin().exp()).abs()
    };
    let order = (run(8) / run(16)).log2();
    assert!((7.3..9.5).contains(&order), "order {order}");
}

#[test]
fn the_symplectic_method_is_of_order_eight() {
    let run = |n: usize| {
        let mut drift = Closure(|_: f64, p: &[f64], q: &mut [f64]| q[0] = p[0]);
        let mut kick = Closure(|_: f64, q: &[f64], p: &mut [f64]| p[0] = -q[0].sin());
        let mut split = symplectic::Split { drift: &mut drift, kick: &mut kick, evaluations: 0 };
        let mut at = symplectic::Point::new(0.0, &[1.0], &[0.5]);
        (0..n).for_each(|_| split.step(&mut at, 4.0 / n as f64));
        (at.q[0], at.p[0])
    };
    let exact = run(256);
    let miss = |n: usize| (run(n).0 - exact.0).hypot(run(n).1 - exact.1);
    let order = (miss(8) / miss(16)).log2();
    assert!((7.0..9.5).contains(&order), "order {order}");
}

/// Errors follow the tolerance, and the dense output is as good as the steps.
#[test]
fn errors_follow_the_tolerance() {
    let grid = times(20.0, 401);
    for (method, tolerances, within) in
        [(Method::Explicit, [1e-6, 1e-9, 1e-12], 300.0), (Method::Stiff, [1e-4, 1e-6, 1e-8], 3000.0)]
    {
        for relative in tolerances {
            let path =
                solve(|_, y, f| f.copy_from_slice(&[y[1], -y[0]]), &[1.0, 0.0], &grid, method, relative);
            assert_eq!(path.end, End::Complete);
            let worst = grid
                .iter()
                .enumerate()
                .map(|(k, t)| (path.states[0][k] - t.cos()).abs().max((path.states[1][k] + t.sin()).abs()))
                .fold(0.0, f64::max);
            assert!(worst < within * relative, "{method:?} {relative:e}: {worst:e}");
        }
    }
}

#[test]
fn the_energy_of_an_oscillator_does_not_drift_over_ten_thousand_periods() {
    let grid = times(2.0 * PI * 1e4, 1001);
    let mut drift = Closure(|_: f64, p: &[f64], q: &mut [f64]| q[0] = p[0]);
    let mut kick = Closure(|_: f64, q: &[f64], p: &mut [f64]| p[0] = -q[0]);
    let options = Options { relative: 1e-10, ..Options::default() };
    let start: (&[f64], &[f64]) = (&[1.0], &[0.0]);
    let path = symplectic(&mut drift, &mut kick, start, &grid, &options, &CancelToken::new()).unwrap();
    assert_eq!(path.end, End::Complete);
    let energy = |k: usize| 0.5 * (path.states[0][k].powi(2) + path.states[1][k].powi(2));
    let off: Vec<f64> = (0..grid.len()).map(|k| energy(k) / 0.5 - 1.0).collect();
    assert!(off.iter().all(|e| e.abs() < 1e-9), "{:e}", off.iter().fold(0.0f64, |m, e| m.max(e.abs())));
    // The last tenth is no further off than the first.
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let drift = (mean(&off[900..]) - mean(&off[..100])).abs();
    assert!(drift < 1e-12, "{drift:e}");
}

#[test]
fn keplers_orbit_closes_and_keeps_its_invariants() {
    let e = 0.6;
    let start = [1.0 - e, 0.0, 0.0, ((1.0f64 + e) / (1.0 - e)).sqrt()];
    let grid = times(20.0 * PI, 201);
    let path = solve(kepler, &start, &grid, Method::Auto, 1e-12);
    let end = last(&path);
    assert!(start.iter().zip(&end).all(|(a, b)| (a - b).abs() < 1e-8), "{end:?}");
    for k in 0..grid.len() {
        let y: Vec<f64> = path.states.iter().map(|s| s[k]).collect();
        let energy = 0.5 * (y[2] * y[2] + y[3] * y[3]) - 1.0 / y[0].hypot(y[1]);
        let momentum = y[0] * y[3] - y[1] * y[2];
        assert!((energy + 0.5).abs() < 1e-10 && (momentum - (1.0 - e * e).sqrt()).abs() < 1e-10);
    }
    assert_eq!((path.method, path.stiff_from), (Method::Explicit, None));
    let mut drift = Closure(|_: f64, p: &[f64], q: &mut [f64]| q.copy_from_slice(p));
    let mut kick = Closure(|_: f64, q: &[f64], p: &mut [f64]| {
        let r3 = (q[0] * q[0] + q[1] * q[1]).powf(1.5);
        p.copy_from_slice(&[-q[0] / r3, -q[1] / r3]);
    });
    let options = Options::default();
    let halves = (&start[..2], &start[2..]);
    let path = symplectic(&mut drift, &mut kick, halves, &grid, &options, &CancelToken::new()).unwrap();
    let end = last(&path);
    assert!(start.iter().zip(&end).all(|(a, b)| (a - b).abs() < 1e-6), "{end:?}");
    // Symplectic maps of a central force keep the angular momentum to rounding.
    assert!((end[0] * end[3] - end[1] * end[2] - 0.8).abs() < 1e-13);
}

/// Lorenz' equations by their Taylor series: the recursion for the coefficients, order 30, small steps.
fn lorenz_by_taylor(start: [f64; 3], end: f64, steps: usize) -> [f64; 3] {
    let h = end / steps as f64;
    let mut at = start;
    for _ in 0..steps {
        let (mut x, mut y, mut z) = (vec![at[0]], vec![at[1]], vec![at[2]]);
        for n in 0..30 {
            let product = |a: &[f64], b: &[f64]| (0..=n).map(|k| a[k] * b[n - k]).sum::<f64>();
            let (xz, xy) = (product(&x, &z), product(&x, &y));
            let m = (n + 1) as f64;
            let next = [10.0 * (y[n] - x[n]) / m, (28.0 * x[n] - xz - y[n]) / m, (xy - 8.0 / 3.0 * z[n]) / m];
            x.push(next[0]);
            y.push(next[1]);
            z.push(next[2]);
        }
        let sum = |c: &[f64]| c.iter().rev().fold(0.0, |s, c| s * h + c);
        at = [sum(&x), sum(&y), sum(&z)];
    }
    at
}

#[test]
fn lorenz_agrees_with_its_taylor_series() {
    let start = [1.0, 1.0, 1.0];
    let reference = lorenz_by_taylor(start, 10.0, 2000);
    let path = solve(lorenz, &start, &times(10.0, 11), Method::Auto, 1e-12);
    let end = last(&path);
    // Errors grow as exp(0.9 t): four digits are lost on the way.
    assert!(reference.iter().zip(&end).all(|(a, b)| (a - b).abs() < 1e-7), "{reference:?} {end:?}");
}

/// The reference of Hairer & Wanner's test set at t = 1e11.
#[test]
fn robertsons_problem_ends_at_its_reference() {
    let grid = [0.0, 40.0, 4e5, 1e11];
    for method in [Method::Stiff, Method::Auto] {
        let path = solve(robertson, &[1.0, 0.0, 0.0], &grid, method, 1e-8);
        assert_eq!(path.end, End::Complete, "{:?}", path.work);
        let reference = [0.208_334_014_970_125_5e-7, 0.833_336_077_033_471_3e-13, 0.999_999_979_166_505];
        for (found, expected) in last(&path).iter().zip(reference) {
            assert!((found / expected - 1.0).abs() < 2e-4, "{method:?}: {found:e} {expected:e}");
        }
        assert!((path.states[0][1] - 0.715_827_07).abs() < 1e-6, "{:?}", path.states);
        assert!(path.work.steps < 2000, "{:?}", path.work);
        assert_eq!(path.method, Method::Stiff);
    }
}

/// Stiff and accurate: y' = -1000 (y - cos t) - sin t.
#[test]
fn the_stiff_method_takes_steps_that_stability_denies_the_explicit_one() {
    let f = |t: f64, y: &[f64], f: &mut [f64]| f[0] = -1e5 * (y[0] - t.cos()) - t.sin();
    let grid = times(10.0, 21);
    let stiff = solve(f, &[1.0], &grid, Method::Stiff, 1e-8);
    let explicit = solve(f, &[1.0], &grid, Method::Explicit, 1e-8);
    let auto = solve(f, &[1.0], &grid, Method::Auto, 1e-8);
    assert!(stiff.work.evaluations * 100 < explicit.work.evaluations, "{:?} {:?}", stiff.work, explicit.work);
    assert!(auto.stiff_from.is_some() && auto.work.evaluations * 20 < explicit.work.evaluations);
    for path in [stiff, explicit, auto] {
        let worst = grid.iter().zip(&path.states[0]).map(|(t, y)| (t.cos() - y).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst:e} {path:?}");
    }
}

#[test]
fn a_pole_is_told_with_its_place_and_state() {
    let f = |_: f64, y: &[f64], f: &mut [f64]| f.copy_from_slice(&[1.0, y[1] * y[1]]);
    for method in [Method::Auto, Method::Explicit, Method::Stiff] {
        let path = solve(f, &[0.0, 1.0], &times(4.0, 41), method, 1e-9);
        let End::Singular { t, state, value } = path.end else { panic!("{method:?}: {:?}", path.end) };
        assert!((t - 1.0).abs() < 1e-6 && state == 1 && value > 1e6, "{method:?}: {:?}", path.end);
        // What was before stays: y = 1/(1 - t).
        assert_eq!(path.times.len(), 10, "{method:?}");
        let worst =
            (0..10).map(|k| (path.states[1][k] * (1.0 - path.times[k]) - 1.0).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6);
    }
    let mut drift = Closure(|_: f64, p: &[f64], q: &mut [f64]| q[0] = p[0]);
    let mut kick = Closure(|_: f64, q: &[f64], p: &mut [f64]| p[0] = 6.0 * q[0] * q[0]);
    // q = 1/(1 - t)^2
    let halves: (&[f64], &[f64]) = (&[1.0], &[2.0]);
    let path =
        symplectic(&mut drift, &mut kick, halves, &times(4.0, 41), &Options::default(), &CancelToken::new())
            .unwrap();
    let stopped =
        matches!(path.end, End::Singular { t, .. } if t < 1.5) || matches!(path.end, End::Stopped { .. });
    assert!(stopped, "{:?}", path.end);
}

#[test]
fn rest_stays_at_rest_and_noise_is_no_singularity() {
    // The force on the second is rounding: 9.81 - 3 * 3.27.
    let f = |_: f64, y: &[f64], f: &mut [f64]| f.copy_from_slice(&[y[1], 9.81 - 3.0 * y[0]]);
    for method in [Method::Auto, Method::Stiff] {
        let path = solve(f, &[3.27, 0.0], &times(1e3, 11), method, 1e-10);
        assert_eq!(path.end, End::Complete);
        assert!(path.work.steps < 20_000, "{:?}", path.work);
        assert!(path.states[0].iter().all(|x| (x - 3.27).abs() < 1e-9));
    }
}

#[test]
fn units_do_not_matter() {
    // The same oscillator in units that are 1e-30 and 1e20 times as large.
    let scaled = |size: f64| {
        let f = move |_: f64, y: &[f64], f: &mut [f64]| f.copy_from_slice(&[y[1], -y[0]]);
        let path = solve(f, &[size, 0.0], &times(10.0, 11), Method::Auto, 1e-9);
        (path.work.steps, path.states[0][10] / size)
    };
    let (steps, end) = scaled(1.0);
    for size in [2f64.powi(-100), 2f64.powi(60)] {
        assert_eq!(scaled(size), (steps, end));
    }
}

#[test]
fn tapes_give_the_same_as_closures() {
    let (t, x, v, k) = (Symbol::new("t"), Symbol::new("x"), Symbol::new("v"), Symbol::new("k"));
    let e = |s: &Symbol| Expr::symbol(s.clone());
    let force = Expr::product([Expr::int(-1), e(&k), e(&x)]);
    let mut tape = TapeRates::new(&[e(&v), force], &t, &[x.clone(), v.clone()], &[(k, 4.0)]).unwrap();
    let mut exact = DMatrix::zeros(2, 2);
    tape.jacobian(0.0, &[1.0, 2.0], &mut exact);
    assert_eq!(exact, DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -4.0, 0.0]));
    let grid = times(PI, 5);
    let run = |rates: &mut dyn Rates, method| {
        integrate(rates, &[1.0, 0.0], &grid, method, &Options::default(), &CancelToken::new()).unwrap()
    };
    let mut closure = Closure(|_: f64, y: &[f64], f: &mut [f64]| f.copy_from_slice(&[y[1], -4.0 * y[0]]));
    let (a, b) = (run(&mut tape, Method::Auto), run(&mut closure, Method::Auto));
    assert_eq!(a.states, b.states);
    assert!((a.states[0][4] - 1.0).abs() < 1e-7);
}

#[test]
fn what_cannot_begin_is_refused_and_what_is_stopped_says_so() {
    let flat = |_: f64, _: &[f64], f: &mut [f64]| f[0] = 0.0;
    let run = |start: &[f64], times: &[f64], relative: f64, cancel: &CancelToken| {
        let options = Options { relative, ..Options::default() };
        integrate(&mut Closure(flat), start, times, Method::Auto, &options, cancel)
    };
    let fresh = CancelToken::new();
    assert!(matches!(
        run(&[f64::NAN], &[0.0, 1.0], 1e-9, &fresh),
        Err(NumericError::NotFinite { row: 1, .. })
    ));
    assert_eq!(run(&[1.0], &[0.0, 0.0], 1e-9, &fresh), Err(NumericError::Times));
    assert_eq!(run(&[1.0], &[0.0], 1e-9, &fresh), Err(NumericError::Times));
    assert!(matches!(run(&[1.0], &[0.0, 1.0], 1.0, &fresh), Err(NumericError::Tolerance { .. })));
    assert_eq!(run(&[1.0], &[0.0, 1.0], 1e-9, &fresh).map(|p| p.states), Ok(vec![vec![1.0, 1.0]]));
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let path = run(&[1.0], &[0.0, 1.0], 1e-9, &cancelled).unwrap();
    assert_eq!(path.end, End::Stopped { t: 0.0, reason: StopReason::Cancelled });
    assert_eq!(path.times, [0.0]);
}
