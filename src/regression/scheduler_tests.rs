//! What the scheduler promises: the same bytes on any number of threads, after a stop at any step, and by `work:` after a stop
//! by the clock; a front whenever it is cancelled; and an answer or a clear fault whatever the data are.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::checkpoint::{self, Kept};
use super::scheduler::Run;
use super::tests::{
    ENERGY, LENGTH, MASS, NONE, SPEED, coulomb, dimension, plan, s, sample, search, told, whole,
};
use super::{Constants, Found, Keeping, Method, Plan, Problem, RegressError, regress, regress_kept};
use crate::base::{CancelToken, StopReason};
use crate::expression::{Expr, Kind};
use crate::units::{Catalogue, Unit};

fn units() -> Catalogue {
    let text = "unit metre, m\nunit second, s\nunit kilogram, kg\n";
    Catalogue::load(&[("test", text)]).unwrap()
}

/// Two features and noise, so that nothing ends the search early.
fn noisy(rows: usize) -> Problem {
    let features = [("x", NONE, 1.0, 4.0), ("z", NONE, 1.0, 4.0)];
    sample(&features, NONE, |x| 2.3 * x[0] / (1.0 + 0.7 * x[1]) + x[0].sin(), rows, 0.01, 3)
}

fn auto(work: u64) -> Plan {
    Plan { method: Method::Auto, work: Some(work), ..plan() }
}

fn go(problem: &Problem, plan: &Plan) -> Found {
    regress(problem, plan, &CancelToken::new(), &|_| {}).unwrap()
}

fn bytes(found: &Found) -> Vec<u8> {
    checkpoint::encode(&found.clone().into(), &units()).unwrap()
}

#[test]
fn threads_change_nothing() {
    for problem in [noisy(60), coulomb(0.0, 2).pick(&(0..200).collect::<Vec<_>>())] {
        let plan = auto(3_000_000);
        let (one, two) = (go(&problem, &plan), go(&problem, &Plan { threads: 2, ..plan.clone() }));
        assert_eq!((one.work, one.steps, one.refined), (two.work, two.steps, two.refined));
        assert_eq!(told(&one), told(&two));
    }
}

#[test]
fn a_search_goes_on_at_any_step_as_if_it_had_not_stopped() {
    let (problem, catalogue, cancel) = (noisy(40), units(), CancelToken::new());
    let plan = auto(2_000_000);
    let mut run = Run::new(&problem, &problem, &plan, Vec::new());
    let mut states = vec![checkpoint::state(&run, &catalogue).unwrap()];
    while run.step(&cancel).is_none() {
        states.push(checkpoint::state(&run, &catalogue).unwrap());
    }
    assert!(states.len() > 12, "{}", states.len());
    let whole = bytes(&run.finish(StopReason::Work));
    for (k, pair) in states.windows(2).enumerate() {
        let mut again = Run::new(&problem, &problem, &plan, Vec::new());
        checkpoint::resume(&mut again, &pair[0], &catalogue).unwrap();
        assert_eq!(checkpoint::state(&again, &catalogue).unwrap(), pair[0], "state {k}");
        assert_eq!(again.step(&cancel), None);
        let next = checkpoint::state(&again, &catalogue).unwrap();
        assert!(
            next == pair[1],
            "step {k}\n{}\n{}",
            String::from_utf8_lossy(&next),
            String::from_utf8_lossy(&pair[1])
        );
    }
    // From the middle to the end, through the front door; and a state of another search is refused.
    let refused = Cell::new(0);
    let refuse = || refused.set(refused.get() + 1);
    for (from, times) in [(&states[states.len() / 2], 0), (&b"{}".to_vec(), 1)] {
        let keeping = Keeping { catalogue: &catalogue, from: Some(from), keep: &|_, _| {}, refuse: &refuse };
        let found = regress_kept(&problem, &plan, &cancel, &|_| {}, Some(&keeping)).unwrap();
        assert_eq!((found.stopped, refused.get()), (StopReason::Work, times));
        assert!(bytes(&found) == whole);
    }
    let other = noisy(41);
    assert!(
        checkpoint::resume(&mut Run::new(&other, &other, &plan, Vec::new()), &states[3], &catalogue)
            .is_none()
    );
}

#[test]
fn states_are_offered_on_the_way_and_at_the_end_of_a_search_that_is_cut() {
    let (problem, catalogue) = (noisy(40), units());
    let plan = auto(4_000_000);
    let kept = RefCell::new(Vec::new());
    let keep =
        |last: bool, state: &dyn Fn() -> Option<Vec<u8>>| kept.borrow_mut().push((last, state().unwrap()));
    let keeping = Keeping { catalogue: &catalogue, from: None, keep: &keep, refuse: &|| panic!("refused") };
    let whole = regress_kept(&problem, &plan, &CancelToken::new(), &|_| {}, Some(&keeping)).unwrap();
    assert!(kept.borrow().len() >= 2 && kept.borrow().iter().all(|k| !k.0));
    let cancel = CancelToken::new();
    let stop = |r: &super::Report<'_>| {
        if r.work > 1_500_000 {
            cancel.cancel()
        }
    };
    let cut = regress_kept(&problem, &plan, &cancel, &stop, Some(&keeping)).unwrap();
    assert_eq!(cut.stopped, StopReason::Cancelled);
    let (last, state) = kept.borrow_mut().pop().unwrap();
    assert!(last && matches!(checkpoint::decode(&state, &catalogue), Some(Kept::Under)));
    let keeping = Keeping { from: Some(&state), ..keeping };
    let again = regress_kept(&problem, &plan, &CancelToken::new(), &|_| {}, Some(&keeping)).unwrap();
    assert!(bytes(&again) == bytes(&whole));
}

#[test]
fn work_replays_what_the_clock_cut() {
    let problem = noisy(200);
    for milliseconds in [1, 15, 60, 150, 400] {
        let late = CancelToken::new().with_deadline(Instant::now() + Duration::from_millis(milliseconds));
        let plan = Plan { work: None, ..auto(0) };
        let cut = regress(&problem, &plan, &late, &|_| {}).unwrap();
        let again = go(&problem, &auto(cut.work));
        assert_eq!((again.work, told(&again)), (cut.work, told(&cut)), "{milliseconds} ms");
    }
    // Ctrl-C from another thread, in the middle of whatever goes on.
    for milliseconds in [3, 40, 200] {
        let token = CancelToken::new();
        let (to, plan) = (token.clone(), Plan { work: None, ..auto(0) });
        let cut = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(milliseconds));
                to.cancel();
            });
            regress(&problem, &plan, &token, &|_| {}).unwrap()
        });
        let again = go(&problem, &auto(cut.work));
        assert_eq!((again.work, told(&again)), (cut.work, told(&cut)), "{milliseconds} ms");
    }
}

#[test]
fn cancelled_after_any_step_it_gives_the_front_so_far() {
    let problem = noisy(40);
    let plan = auto(1_000_000);
    let mut shares = Vec::new();
    for steps in 0..30 {
        let (cancel, seen) = (CancelToken::new(), Cell::new(0));
        let last = Cell::new(0.0);
        let found = regress(&problem, &plan, &cancel, &|r| {
            assert!(r.share >= last.get() && r.share <= 1.0);
            last.set(r.share);
            if seen.replace(seen.get() + 1) == steps {
                cancel.cancel();
            }
        });
        let found = found.unwrap();
        assert!(found.stopped == StopReason::Cancelled || found.stopped == StopReason::Work);
        assert_eq!(found.front.best().is_some(), found.steps > 0);
        whole(&problem, &found);
        finite(&found);
        shares.push(found.work);
    }
    assert!(shares.is_sorted());
    let none = go(&problem, &auto(0));
    assert_eq!((none.stopped, none.work, none.front.candidates().len()), (StopReason::Work, 0, 0));
}

/// No constant of a front is NaN or infinite, nor its error; exact ones keep what was fitted.
#[track_caller]
fn finite(found: &Found) {
    for c in found.front.candidates() {
        assert!(!c.evidence.is_empty() && c.description_length.is_finite());
        for k in &c.constants {
            let numbers = [k.value, k.error, k.fitted.0, k.fitted.1, k.gained];
            assert!(numbers.iter().all(|x| x.is_finite()), "{k:?}");
            assert!(k.exact.is_none() || k.gained > 0.0 && k.error == 0.0, "{k:?}");
        }
        c.expr.visit(&mut |e| match e.kind() {
            Kind::Float(x) => assert!(x.is_finite(), "{}", c.expr),
            Kind::Uncertain(u) => assert!(u.value().is_finite() && u.sigma().is_finite(), "{}", c.expr),
            _ => {}
        });
    }
}

#[test]
fn a_law_is_explained() {
    let problem = coulomb(0.01, 3).pick(&(0..400).collect::<Vec<_>>());
    let found = search(&problem);
    let best = found.front.best().unwrap();
    assert!(best.evidence.contains("400 rows"), "{}", best.evidence);
    let second = found.runner_up.as_ref().unwrap();
    assert!(second.description_length >= best.description_length && second.expr != best.expr);
    let k = best.constants.iter().find(|k| k.exact.is_some()).unwrap();
    // 1/(4*pi) with what it was before.
    assert!((k.fitted.0 - k.value).abs() <= 3.0 * k.fitted.1 && k.fitted.1 > 0.0 && k.gained > 0.0, "{k:?}");
    assert!(found.steps > 0 && found.refined >= found.front.candidates().len() as u64);
}

/// Every constant of a front is one that the option allows.
#[track_caller]
fn allowed(problem: &Problem, found: &Found, constants: &Constants) {
    whole(problem, found);
    finite(found);
    for c in found.front.candidates() {
        match constants {
            Constants::Free => {}
            _ => assert!(c.constants.iter().all(|k| k.unit == Unit::one()), "{} {}", c.expr, told(found)),
        }
        if *constants == Constants::Dimensionless {
            c.expr.visit(&mut |e| assert!(!matches!(e.kind(), Kind::Unit(_)), "{}", c.expr));
        }
    }
}

#[test]
fn constants_are_those_that_are_allowed_whatever_the_engine() {
    let light = Expr::int(299_792_458) * Expr::unit(Unit::coherent(dimension(SPEED)));
    let named = Constants::Named(vec![("c".into(), light.clone(), dimension(SPEED))]);
    let c = 299_792_458.0;
    let rest = sample(&[("m", MASS, 1.0, 5.0)], ENERGY, |x| x[0] * c * c, 60, 0.0, 1);
    let features = [("m", MASS, 1.0, 5.0), ("v", SPEED, 0.2 * c, 0.8 * c)];
    let moving = |x: &[f64]| x[0] * c * c / (1.0 - (x[1] / c).powi(2)).sqrt();
    let moving = sample(&features, ENERGY, moving, 60, 0.0, 2);
    let half = |x: &[f64]| 0.5 * x[0] * x[1] * x[1];
    let kinetic = sample(&features, ENERGY, half, 60, 1e-3, 3);
    for method in ["closed", "projective", "auto"] {
        let method: Method = method.parse().unwrap();
        for constants in [Constants::Free, Constants::Dimensionless, named.clone()] {
            let plan = Plan { method, constants: constants.clone(), ..auto(1_500_000) };
            for problem in [&moving, &kinetic] {
                allowed(problem, &go(problem, &plan), &constants);
            }
            let found = go(&kinetic, &plan);
            if method != Method::Projective {
                let law = Expr::ratio(1, 2) * s("m") * s("v").powi(2);
                assert_eq!(found.front.best().unwrap().expr, law, "{constants:?} {}", told(&found));
            }
            match regress(&rest, &plan, &CancelToken::new(), &|_| {}) {
                Ok(found) if constants == named && method != Method::Projective => {
                    assert_eq!(found.front.best().unwrap().expr, light.clone().powi(2) * s("m"));
                }
                Ok(found) => allowed(&rest, &found, &constants),
                Err(e) => {
                    assert!(matches!(e, RegressError::NoUnit { .. }) && constants == Constants::Dimensionless)
                }
            }
        }
    }
}

#[test]
fn named_constants_join_to_the_shortest_law() {
    // The Schwarzschild radius 2*G*M/c^2 with more constants than units.
    let constant = |name: &str, value: f64, d: [i16; 7]| {
        (name.to_string(), Expr::float(value) * Expr::unit(Unit::coherent(dimension(d))), dimension(d))
    };
    let (g, c, h) = (6.6743e-11, 299_792_458.0, 6.62607015e-34);
    let all = vec![
        constant("h", h, [2, 1, -1, 0, 0, 0, 0]),
        constant("m", 1.67e-27, MASS),
        constant("G", g, [3, -1, -2, 0, 0, 0, 0]),
        constant("c", c, SPEED),
    ];
    let problem = sample(&[("M", MASS, 1e30, 9e30)], LENGTH, |x| 2.0 * g * x[0] / (c * c), 60, 1e-4, 1);
    let plan = Plan { constants: Constants::Named(all), ..plan() };
    let found = go(&problem, &plan);
    let best = found.front.best().unwrap();
    assert_eq!(
        best.constants.iter().filter_map(|k| k.exact.clone()).collect::<Vec<_>>(),
        [Expr::int(2)],
        "{}",
        told(&found)
    );
}

#[test]
fn odd_data_give_a_front_or_a_clear_fault() {
    let features = [("x", NONE, 1.0, 5.0), ("z", NONE, 1.0, 5.0)];
    let good = || sample(&features, NONE, |x| x[0] * x[0] / x[1], 40, 0.0, 1);
    let plan = auto(1_500_000);
    let answers = |name: &str, problem: &Problem| {
        let found = regress(problem, &plan, &CancelToken::new(), &|_| {});
        let found = found.unwrap_or_else(|e| panic!("{name}: {e}"));
        whole(problem, &found);
        finite(&found);
        assert!(found.front.best().is_some(), "{name}");
        found
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for column in 0..3 {
            let mut p = good();
            match column {
                2 => p.target[7] = bad,
                k => p.columns[k][7] = bad,
            }
            let e = regress(&p, &plan, &CancelToken::new(), &|_| {}).unwrap_err();
            assert!(matches!(e, RegressError::NotFinite { row: 8, .. }), "{e}");
        }
    }
    let mut p = good();
    p.columns[1].fill(3.0);
    assert_eq!(answers("a constant column", &p).notes.len(), 1);
    let mut p = good();
    p.columns[1] = p.columns[0].clone();
    answers("duplicate columns", &p);
    let mut p = good();
    p.columns[1] = p.columns[0].iter().map(|x| 2.0 * x + 1.0).collect();
    p.target = p.columns[0].iter().map(|x| x + 1.0).collect();
    answers("collinear columns", &p);
    let many: Vec<(&'static str, [i16; 7], f64, f64)> =
        ["a", "b", "c", "d", "f", "g", "h", "k"].iter().map(|n| (*n, NONE, 1.0, 2.0)).collect();
    answers("more columns than rows", &sample(&many, NONE, |x| x[0] * x[1], 6, 0.0, 1));
    let mut p = good();
    for column in p.columns.iter_mut().chain([&mut p.target]) {
        column.iter_mut().for_each(|x| *x = x.round());
    }
    p.resolution = Some(1.0);
    answers("integers", &p);
    let mut p = good();
    p.target.iter_mut().for_each(|y| *y = (*y * 1e3).round() / 1e3);
    p.resolution = Some(1e-3);
    answers("rounded", &p);
    let mut p = good();
    p.target[3] = 1e12;
    p.target[9] = -1e9;
    answers("heavy tails", &p);
    for exponent in [-34, -20, 12, 30] {
        let scale = 10f64.powi(exponent);
        let mut p = good();
        p.columns[0].iter_mut().for_each(|x| *x *= scale);
        p.target.iter_mut().for_each(|y| *y *= scale * scale);
        let found = answers("scales", &p);
        assert_eq!(found.front.best().unwrap().expr, s("x").powi(2) / s("z"), "{exponent} {}", told(&found));
    }
    let mut p = good();
    p.target_dimension = dimension(MASS);
    let none = Plan { constants: Constants::Dimensionless, ..plan.clone() };
    let e = regress(&p, &none, &CancelToken::new(), &|_| {}).unwrap_err();
    assert!(matches!(e, RegressError::NoUnit { .. }));
    answers("a unit that no column has", &p);
    let mut p = good();
    p.target.iter_mut().enumerate().for_each(|(k, y)| *y = if k == 5 { 1.0 } else { 0.0 });
    answers("zeros", &p);
    p.columns[0].iter_mut().enumerate().for_each(|(k, x)| *x = (k % 2) as f64);
    answers("two values", &p);
}

#[test]
fn rounded_features_do_not_keep_a_search_going() {
    let features = [("m", MASS, 1.0, 5.0), ("u", SPEED, 0.1, 0.8), ("c", SPEED, 1.0, 2.0)];
    let law = |x: &[f64]| x[0] * x[2] * x[2] / (1.0 - (x[1] / x[2]).powi(2)).sqrt();
    for digits in [8usize, 6, 5] {
        let mut problem = sample(&features, ENERGY, law, 300, 0.0, 4);
        let round = |x: &mut f64| *x = format!("{x:.*e}", digits - 1).parse().unwrap();
        problem.columns.iter_mut().flatten().chain(&mut problem.target).for_each(round);
        let found = go(&problem, &auto(400_000_000));
        let best = found.front.best().unwrap();
        assert_eq!(found.stopped, StopReason::Found, "{digits} {}", told(&found));
        assert!(best.constants.iter().all(|c| c.exact.is_some()) && best.size <= 14, "{}", told(&found));
    }
    // What rounding does not explain is no law yet.
    let other = |x: &[f64]| {
        x[0] * x[2] * x[2] + 0.1 * x[0] * x[1] * x[1] * (2.7 * x[1] / x[2] + 0.3).sin().exp().tanh()
    };
    let mut problem = sample(&features, ENERGY, other, 300, 0.0, 4);
    let round = |x: &mut f64| *x = format!("{x:.5e}").parse().unwrap();
    problem.columns.iter_mut().flatten().chain(&mut problem.target).for_each(round);
    let found = go(&problem, &auto(3_000_000));
    assert_ne!(found.stopped, StopReason::Found, "{}", told(&found));
}
