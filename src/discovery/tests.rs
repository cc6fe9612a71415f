//! The discovery of systems whose equations are known.

use super::curve::{Spline, fornberg, noise, slopes};
use super::*;
use crate::base::random::{Rng, Streams};
use crate::expression::{Function, Symbol, Uncertain};
use crate::numeric::normal::standard_normal;
use crate::numeric::ode::Closure;
use crate::regression;
use crate::units::Dimension;
use rand::RngExt;

type Law = fn(f64, &[f64], &mut [f64]);

fn generator(name: &str) -> Rng {
    Streams::new(1).stream(name)
}

/// How noisy points are.
#[derive(Clone, Copy)]
enum Seen {
    Exact,
    /// A share of each state's RMS.
    Absolute(f64),
    Relative(f64),
}

fn paths(
    names: &[&str],
    rate: impl Fn(f64, &[f64], &mut [f64]) + Copy,
    starts: &[&[f64]],
    span: f64,
    points: usize,
    seen: Seen,
) -> Paths {
    let mut rng = generator("test/paths");
    let times: Vec<f64> = (0..points).map(|k| span * k as f64 / (points - 1) as f64).collect();
    let options = ode::Options { relative: 1e-12, ..ode::Options::default() };
    let one = |start: &&[f64]| {
        let mut rates = Closure(rate);
        let found =
            ode::integrate(&mut rates, start, &times, ode::Method::Auto, &options, &CancelToken::new());
        let mut states = found.unwrap().states;
        for x in &mut states {
            let size = statistics::rms(x);
            for x in x.iter_mut() {
                let z = standard_normal(&mut rng);
                match seen {
                    Seen::Exact => {}
                    Seen::Absolute(s) => *x += s * size * z,
                    Seen::Relative(s) => *x *= 1.0 + s * z,
                }
            }
        }
        Path { times: times.clone(), states }
    };
    Paths {
        over: Symbol::new("t"),
        over_dimension: Dimension::NONE,
        names: names.iter().map(|n| Symbol::new(n)).collect(),
        dimensions: None,
        units: vec![None; names.len()],
        paths: starts.iter().map(one).collect(),
        sigma: None,
    }
}

fn plan(work: u64) -> Plan {
    Plan {
        method: Method::Auto,
        operators: OPERATORS.iter().map(|o| o.to_string()).collect(),
        constants: Constants::Free,
        work,
        threads: 2,
        seed: 0,
        identity: 1,
        forced: false,
    }
}

fn find(paths: &Paths, plan: &Plan) -> Discovered {
    discover(paths, plan, &CancelToken::new(), &|_| {}).unwrap_or_else(|f| panic!("{f}"))
}

/// The largest deviation of the rates found from those of the truth, relative to each rate's size, on the points.
fn deviation(paths: &Paths, found: &Discovered, rate: impl Fn(f64, &[f64], &mut [f64])) -> f64 {
    let n = paths.names.len();
    let mut worst = 0.0f64;
    for (k, law) in found.rates.iter().enumerate() {
        let (mut size, mut left) = (0.0, 0.0);
        for path in &paths.paths {
            for row in 0..path.times.len() {
                let y: Vec<f64> = (0..n).map(|j| path.states[j][row]).collect();
                let mut truth = vec![0.0; n];
                rate(path.times[row], &y, &mut truth);
                let value = law.expr.evaluate(&|s| {
                    let place = paths.names.iter().position(|name| name == s);
                    place.map(|j| y[j]).or((*s == paths.over).then_some(path.times[row]))
                });
                size += truth[k] * truth[k];
                left += (value.unwrap_or(f64::NAN) - truth[k]).powi(2);
            }
        }
        worst = worst.max((left / size).sqrt());
    }
    worst
}

fn told(found: &Discovered) -> String {
    let laws: Vec<String> = found.rates.iter().map(|r| format!("{} ({})", r.expr, r.engine)).collect();
    format!("{} r2 {:?} noise {:?} {:?}", laws.join(" | "), found.r2, found.noise, found.stopped)
}

fn lorenz(_: f64, y: &[f64], out: &mut [f64]) {
    out[0] = 10.0 * (y[1] - y[0]);
    out[1] = y[0] * (28.0 - y[2]) - y[1];
    out[2] = y[0] * y[1] - 8.0 / 3.0 * y[2];
}

fn pendulum(_: f64, y: &[f64], out: &mut [f64]) {
    out[0] = y[1];
    out[1] = -9.81 * y[0].sin() - 0.1 * y[1];
}

fn hunters(_: f64, y: &[f64], out: &mut [f64]) {
    out[0] = 1.1 * y[0] - 0.4 * y[0] * y[1];
    out[1] = 0.1 * y[0] * y[1] - 0.4 * y[1];
}

#[test]
fn weights_are_exact_for_polynomials() {
    let xs = [0.0, 0.3, 0.7, 1.1, 1.6];
    let f = |x: f64| 2.0 - x + 3.0 * x * x - 0.5 * x.powi(4);
    for z in [-0.2, 0.3, 0.9, 1.6] {
        let (v, s) = fornberg(z, &xs);
        let dot = |w: &[f64]| w.iter().zip(xs).map(|(w, x)| w * f(x)).sum::<f64>();
        assert!((dot(&v) - f(z)).abs() < 1e-12);
        assert!((dot(&s) - (-1.0 + 6.0 * z - 2.0 * z.powi(3))).abs() < 1e-11);
    }
}

#[test]
fn noise_is_told() {
    let mut rng = generator("test/noise");
    let t: Vec<f64> = (0..400).map(|k| 0.02 * k as f64 + 0.004 * rng.random::<f64>()).collect();
    let x: Vec<f64> = t.iter().map(|t| 3.0 + (1.3 * t).sin() * 2.0).collect();
    match noise(&[(&t, &x)]) {
        Noise::Absolute(s) => assert!(s < 1e-9, "{s}"),
        Noise::Relative(s) => assert!(s < 1e-9, "{s}"),
    }
    let even: Vec<f64> = x.iter().map(|x| x + 0.03 * standard_normal(&mut rng)).collect();
    assert!(matches!(noise(&[(&t, &even)]), Noise::Absolute(s) if (s / 0.03 - 1.0).abs() < 0.15));
    let share: Vec<f64> = x.iter().map(|x| x * (1.0 + 0.05 * standard_normal(&mut rng))).collect();
    assert!(matches!(noise(&[(&t, &share)]), Noise::Relative(s) if (s / 0.05 - 1.0).abs() < 0.15));
}

#[test]
fn slopes_are_as_good_as_they_say() {
    let t: Vec<f64> = (0..300).map(|k| 0.03 * k as f64).collect();
    let x: Vec<f64> = t.iter().map(|t| (1.3 * t).sin() * (-0.1 * t).exp()).collect();
    let truth = |t: f64| (-0.1 * t).exp() * (1.3 * (1.3 * t).cos() - 0.1 * (1.3 * t).sin());
    let found = slopes(&t, &x, 1e-16);
    let inside = found.side..t.len() - found.side;
    let errors: Vec<f64> = inside.map(|k| found.values[k] - truth(t[k])).collect();
    assert!(statistics::rms(&errors) < 3.0 * found.error && found.error < 1e-9, "{}", found.error);
    // Noisy points: a spline, with the error of its slope.
    let mut rng = generator("test/slopes");
    let noisy: Vec<f64> = x.iter().map(|x| x + 0.05 * standard_normal(&mut rng)).collect();
    let spline = Spline::smooth(&t, &noisy, &vec![1.0; t.len()]).unwrap();
    let scores: Vec<f64> =
        (20..280).map(|k| (spline.both(t[k]).1 - truth(t[k])) / spline.slope_error(t[k])).collect();
    assert!((0.3..2.0).contains(&statistics::rms(&scores)), "{}", statistics::rms(&scores));
}

#[test]
fn exact_points_give_exact_systems() {
    let cases: [(&str, Paths, Law); 3] = [
        ("Lorenz", paths(&["x", "y", "z"], lorenz, &[&[1.0, 2.0, 20.0]], 8.0, 800, Seen::Exact), lorenz),
        ("pendulum", paths(&["a", "w"], pendulum, &[&[1.2, 0.0]], 20.0, 800, Seen::Exact), pendulum),
        ("hunters", paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 600, Seen::Exact), hunters),
    ];
    for (name, data, truth) in cases {
        let found = find(&data, &plan(30_000_000));
        assert!(deviation(&data, &found, truth) < 1e-4, "{name}: {}", told(&found));
        assert!(found.r2.iter().all(|r| *r > 0.999), "{name}: {}", told(&found));
    }
}

#[test]
fn noise_does_not_hide_a_system() {
    let cases: [(&str, Paths, Law); 3] = [
        ("hunters", paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 400, Seen::Relative(0.05)), hunters),
        ("pendulum", paths(&["a", "w"], pendulum, &[&[1.2, 0.0]], 20.0, 400, Seen::Absolute(0.02)), pendulum),
        (
            "two paths",
            paths(&["x", "y"], hunters, &[&[10.0, 5.0], &[3.0, 2.0]], 12.0, 200, Seen::Absolute(0.03)),
            hunters,
        ),
    ];
    for (name, data, truth) in cases {
        let found = find(&data, &plan(3_000_000));
        assert!(deviation(&data, &found, truth) < 0.05, "{name}: {}", told(&found));
        assert!(found.r2.iter().all(|r| *r > 0.9), "{name}: {}", told(&found));
    }
}

#[test]
fn constants_are_within_their_errors() {
    let data = paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 400, Seen::Relative(0.03));
    let found = find(&data, &Plan { method: Method::Sindy, ..plan(0) });
    let constants: Vec<Uncertain> = found.rates.iter().flat_map(|r| r.expr.uncertain_leaves()).collect();
    assert_eq!(constants.len(), 4, "{}", told(&found));
    let truths: [f64; 4] = [1.1, 0.4, 0.1, 0.4];
    for truth in truths {
        let near = constants
            .iter()
            .any(|c| (c.value().abs() - truth).abs() < 4.0 * c.sigma() && c.sigma() < 0.1 * truth);
        assert!(near, "{truth}: {}", told(&found));
    }
}

#[test]
fn a_driven_system_depends_on_time() {
    let driven = |t: f64, y: &[f64], out: &mut [f64]| out[0] = -0.5 * y[0] + 2.0 * (3.0 * t).cos();
    let data = paths(&["x"], driven, &[&[1.0]], 10.0, 500, Seen::Exact);
    let found = find(&data, &Plan { forced: true, ..plan(60_000_000) });
    assert!(deviation(&data, &found, driven) < 1e-3, "{}", told(&found));
}

#[test]
fn a_noisy_driven_system_depends_on_time() {
    let cases: [(&str, Law); 2] = [
        ("phase", |t, y, out| out[0] = -0.5 * y[0] + 2.0 * (3.0 * t + 0.8).sin()),
        ("ramp", |t, y, out| out[0] = 0.7 * t - y[0]),
    ];
    for (name, driven) in cases {
        let data = paths(&["x"], driven, &[&[1.0]], 10.0, 160, Seen::Absolute(0.02));
        let found = find(&data, &Plan { method: Method::Sindy, forced: true, ..plan(0) });
        assert!(deviation(&data, &found, driven) < 0.05, "{name}: {}", told(&found));
        assert_eq!(found.rates[0].engine, "sindy");
    }
    // Only where it is asked for.
    let allows = |_: &str| true;
    let data = paths(&["x"], cases[1].1, &[&[1.0]], 10.0, 160, Seen::Exact);
    let terms = |forced: bool| super::library::library(&data, &data.paths[0].states, &allows, forced);
    let on_time = |all: Vec<super::library::Term>| all.iter().any(|t| t.expr.contains_symbol(&data.over));
    assert!(on_time(terms(true)) && !on_time(terms(false)));
}

/// Metres and seconds as dimensions, of a length and a time.
fn units() -> (Dimension, Dimension) {
    let all = crate::units::Catalogue::load(&[("u.phys", "unit metre, m\nunit second, s\n")]).unwrap();
    let of = |text: &str| all.parse(text).unwrap().dimension();
    (of("m"), of("s"))
}

/// Whether a law has a constant with a unit.
fn has_unit(law: &Expr) -> bool {
    let mut found = false;
    law.visit(&mut |e| found |= matches!(e.kind(), Kind::Unit(_)));
    found
}

#[test]
fn constants_have_units_only_where_they_may() {
    let (length, time) = units();
    let saturating = |_: f64, y: &[f64], out: &mut [f64]| out[0] = -2.0 * y[0] / (1.5 + y[0]) + 0.2;
    let mut data = paths(&["x"], saturating, &[&[5.0]], 8.0, 200, Seen::Absolute(0.01));
    data.dimensions = Some(vec![length]);
    let options = |constants: Constants| Plan { method: Method::Sindy, constants, ..plan(0) };
    let free = find(&data, &options(Constants::Free));
    assert!(has_unit(&free.rates[0].expr) && deviation(&data, &free, saturating) < 0.05, "{}", told(&free));
    // Time has no dimension here, so that x' may be a number times x, and nothing else.
    let bare = find(&data, &options(Constants::Dimensionless));
    let mut all = bare.rates.iter().chain(bare.others.iter().flatten());
    assert!(all.all(|r| !has_unit(&r.expr)), "{}", told(&bare));
    // With a length by name the same is found as a multiple of it, and with a time there is no such multiple.
    let named = |d: Dimension| {
        let value = Expr::float(0.5) * Expr::unit(crate::units::Unit::coherent(d));
        Constants::Named(vec![("a".into(), value, d)])
    };
    let found = find(&data, &options(named(length)));
    assert!(deviation(&data, &found, saturating) < 0.05, "{}", told(&found));
    let found = find(&data, &options(named(time)));
    assert!(!has_unit(&found.rates[0].expr), "{}", told(&found));
}

#[test]
fn without_plus_there_are_no_sums() {
    let data = paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 300, Seen::Relative(0.03));
    let operators = OPERATORS.iter().filter(|o| **o != "+").map(|o| o.to_string()).collect();
    let found = find(&data, &Plan { method: Method::Sindy, operators, ..plan(0) });
    for rate in found.rates.iter().chain(found.others.iter().flatten()) {
        let mut sums = false;
        rate.expr.visit(&mut |e| {
            // A difference of two states has only a minus.
            sums |=
                matches!(e.kind(), Kind::Sum(items) if items.iter().filter(|t| !t.is_negated()).count() > 1);
        });
        assert!(!sums, "{}", rate.expr);
    }
}

#[test]
fn what_cancels_is_left_out() {
    let (x, y) = (|| Expr::symbol("x"), || Expr::symbol("y"));
    let ratio = |p: i64, q: i64| Expr::number(crate::base::Number::ratio(p, q).unwrap());
    let law = (x() * (ratio(43, 100) * y() / x() + ratio(9, 2))).negate();
    let found = regression::cancel::cancelled(&law);
    assert_eq!(found, (ratio(43, 100) * y() + ratio(9, 2) * x()).negate());
    assert!(regression::size(&found) < regression::size(&law));
    // What has a pole keeps it, and what is written otherwise stays so.
    for law in
        [y() / x() + ratio(9, 2), x() * (y() + ratio(9, 2)), Expr::call(Function::Sin, vec![x()]) / x()]
    {
        assert_eq!(regression::cancel::cancelled(&law), law);
    }
}

#[test]
fn identities_of_searches_do_not_meet() {
    for states in [1, 2, 9, 40] {
        let plan = Plan { identity: 7, ..plan(0) };
        let of = |k: usize| super::table::engine(&plan, regression::Method::Auto, 0, k).identity;
        let last = of(super::table::SEARCHES * states - 1);
        // The next search of a session begins after them.
        assert!(last < plan.identity + identities(states) && of(1) - of(0) >= 1 << 16);
    }
}

#[test]
fn threads_change_nothing() {
    let data = paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 300, Seen::Relative(0.05));
    let by = |threads: usize| told(&find(&data, &Plan { threads, ..plan(2_000_000) }));
    assert_eq!(by(1), by(2));
}

#[test]
fn faults_are_told() {
    let good = paths(&["x"], |_, y, out| out[0] = -y[0], &[&[1.0]], 3.0, 60, Seen::Exact);
    let fault = |paths: &Paths| {
        discover(paths, &plan(0), &CancelToken::new(), &|_| {}).err().map_or(0, |f| f.code().0)
    };
    let with = |change: &dyn Fn(&mut Paths)| {
        let mut other = good.clone();
        change(&mut other);
        fault(&other)
    };
    assert_eq!(with(&|p| p.names.clear()), 4101);
    assert_eq!(with(&|p| p.paths[0].times.truncate(5)), 4102);
    assert_eq!(with(&|p| p.paths.clear()), 4102);
    assert_eq!(with(&|p| p.paths[0].states[0][7] = f64::NAN), 4103);
    assert_eq!(with(&|p| p.paths[0].times.swap(3, 4)), 4104);
    assert_eq!(with(&|p| p.paths[0].states[0].fill(2.0)), 4105);
    assert_eq!(with(&|p| p.sigma = Some(vec![vec![vec![0.0; 60]]])), 4106);
    assert!("other".parse::<Method>().is_err());
    // Cancelled before it begins: no panic.
    let cancel = CancelToken::new();
    cancel.cancel();
    let _ = discover(&good, &plan(1_000_000), &cancel, &|_| {});
}

#[test]
fn resuming_equals_never_stopping() {
    for (seen, work) in [(Seen::Relative(0.05), 2_500_000), (Seen::Exact, 3_000_000)] {
        let data = paths(&["x", "y"], hunters, &[&[10.0, 5.0]], 30.0, 200, seen);
        let plan = plan(work);
        let whole = find(&data, &plan);
        let (found, states) = regression::journal::tests::in_pieces(3, |journal, cancel| {
            let run = discover_kept(&data, &plan, cancel, &|_| {}, journal);
            run.ok().filter(|f| f.stopped != StopReason::Cancelled)
        });
        assert_eq!(format!("{found:?}"), format!("{whole:?}"));
        if matches!(seen, Seen::Relative(_)) {
            assert!(states.len() > 1, "cut {} times", states.len());
        }
        // What is found is as it was when it is read again.
        let catalogue = crate::units::Catalogue::load(&[("u.phys", "unit metre, m\n")]).unwrap();
        let bytes = checkpoint::encode(&found, &catalogue).unwrap();
        match checkpoint::decode(&bytes, &catalogue) {
            Some(regression::checkpoint::Kept::Finished(again)) => {
                assert_eq!(format!("{again:?}"), format!("{whole:?}"));
            }
            other => panic!("{other:?}"),
        }
    }
}
