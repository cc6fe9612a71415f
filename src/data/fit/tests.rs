//! Fits against known answers: textbook formulas, NIST's Misra1a, Hubble's table, recovered laws.

use super::*;
use crate::data::testing::{catalogue, declare};
use crate::data::{Column, ReadOptions, Sample, read_csv_text, sample};
use crate::expression::Function;

fn s(name: &str) -> Expr {
    Expr::symbol(name)
}

fn read(text: &str) -> Dataset {
    read_csv_text("f.csv", text, &catalogue(), &ReadOptions::default()).unwrap()
}

fn go(data: &Dataset, lhs: Expr, rhs: Expr) -> Result<FitResult, DataError> {
    fit(data, &lhs, &rhs, &[], None, &CancelToken::new(), &EventSink::none())
}

fn value(fit: &FitResult, name: &str) -> Uncertain {
    fit.parameters.iter().find(|(s, _)| s.name() == name).unwrap().1.clone()
}

#[test]
fn hubbles_constant_of_1929() {
    let data = read(include_str!("../../../tests/spec/data/hubble1929.csv"));
    let found = go(&data, s("v"), s("H0") * s("r")).unwrap();
    let unit = catalogue().parse("km/(s*Mpc)").unwrap();
    let h0 = value(&found, "H0");
    assert_eq!(unit.from_si(h0.value()).round(), 424.0);
    assert_eq!(unit.from_si(h0.sigma()).round(), 42.0);
    assert_eq!((found.dof, found.errors_known), (23, false));
}

#[test]
fn rydberg_from_balmers_lines() {
    let data = read(
        "n,lambda [nm]\n3,656.4614\n4,486.2721\n5,434.1692\n6,410.2892\n7,397.1198\n8,389.0166\n9,383.6485\n",
    );
    let found = go(&data, s("lambda").recip(), s("R") * (Expr::ratio(1, 4) - s("n").powi(-2))).unwrap();
    assert!((value(&found, "R").value() / 1.09678e7 - 1.0).abs() < 1e-5);
    assert!(found.r2 > 0.999_999);
}

#[test]
fn misra1a_without_a_start() {
    let x = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0];
    let y =
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78];
    let columns = vec![Column::floats("x", None, x.to_vec()), Column::floats("y", None, y.to_vec())];
    let data = Dataset::new("nist", columns).unwrap();
    let decay = Expr::call(Function::Exp, vec![(s("b2") * s("x")).negate()]);
    let found = go(&data, s("y"), s("b1") * (Expr::one() - decay)).unwrap();
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-7, "{a} {b}");
    close(value(&found, "b1").value(), 2.3894212918e2);
    close(value(&found, "b2").value(), 5.5015643181e-4);
    close(value(&found, "b1").sigma(), 2.7070075241);
    close(value(&found, "b2").sigma(), 7.2668688436e-6);
    close(found.residual_rms, (1.2455138894e-1f64 / 14.0).sqrt());
}

#[test]
fn boxbod_of_nist_without_a_start() {
    // From NIST's first start, (1, 1), descent alone ends on a plateau at b1 = 172.5.
    let data = read("x,y\n1,109\n2,149\n3,149\n5,191\n7,213\n10,224\n");
    let decay = Expr::call(Function::Exp, vec![(s("b2") * s("x")).negate()]);
    let found = go(&data, s("y"), s("b1") * (Expr::one() - decay)).unwrap();
    assert!((value(&found, "b1").value() / 2.1380940889e2 - 1.0).abs() < 1e-8);
    assert!((value(&found, "b2").value() / 5.4723748542e-1 - 1.0).abs() < 1e-8);
    assert!((value(&found, "b2").sigma() / 1.0455993237e-1 - 1.0).abs() < 1e-6);
    assert!((found.chi2 / 1.1680088766e3 - 1.0).abs() < 1e-8);
}

#[test]
fn a_wave_is_found_with_and_without_a_start() {
    let d = declare(&[("x", None, 0.0, 10.0)]);
    let wave = Expr::int(3) * Expr::call(Function::Sin, vec![Expr::int(2) * s("x")]);
    let data = sample(&Sample {
        formula: &wave,
        target: "y",
        target_unit: None,
        declarations: &d,
        points: 100,
        noise: 0.0,
        relative_noise: 0.0,
        seed: 1,
    })
    .unwrap();
    let rhs = s("A") * Expr::call(Function::Sin, vec![s("w") * s("x")]);
    let spec = ParamSpec { symbol: "w".into(), start: Some(1.9), bounds: (1.0, 3.0) };
    for params in [vec![spec], vec![]] {
        let found =
            fit(&data, &s("y"), &rhs, &params, None, &CancelToken::new(), &EventSink::none()).unwrap();
        assert!((value(&found, "w").value().abs() - 2.0).abs() < 1e-9);
        assert!((value(&found, "A").value().abs() - 3.0).abs() < 1e-9);
    }
}

#[test]
fn errors_of_columns_become_weights() {
    // Two measurements of one number: the weighted mean.
    let data = read("v [m],± v [m]\n10,1\n13,2\n");
    let found = go(&data, s("v"), s("a")).unwrap();
    let a = value(&found, "a");
    assert!((a.value() - (10.0 + 13.0 / 4.0) / 1.25).abs() < 1e-12);
    assert!((a.sigma() - 1.25f64.powf(-0.5)).abs() < 1e-12);
    assert!(found.errors_known);
    // Errors of x alone: sigma of the residual is |a| times the error of x, so that the slope's relative error
    // is that of x.
    let data = read("x,± x,y\n1,0.1,2\n2,0.1,4\n3,0.1,6\n");
    let a = value(&go(&data, s("y"), s("a") * s("x")).unwrap(), "a");
    assert!((a.value() - 2.0).abs() < 1e-12);
    assert!((a.sigma() - 0.2 / 14f64.sqrt()).abs() < 1e-9, "{}", a.sigma());
    let data = read("v,± v\n10,1\n13,0\n");
    assert!(matches!(go(&data, s("v"), s("a")), Err(DataError::ZeroError { row: 1, .. })));
}

#[test]
fn sigma_is_absolute_and_replaces_errors() {
    let data = read("v,± v\n10,1\n13,2\n");
    let found =
        fit(&data, &s("v"), &s("a"), &[], Some(&[0.5]), &CancelToken::new(), &EventSink::none()).unwrap();
    assert!((value(&found, "a").value() - 11.5).abs() < 1e-14);
    assert!((value(&found, "a").sigma() - 0.5 / 2f64.sqrt()).abs() < 1e-14);
}

#[test]
fn parameters_of_one_fit_are_correlated() {
    let data = read("x,y\n1,2.1\n2,3.9\n3,6.2\n4,7.8\n");
    let found = go(&data, s("y"), s("a") * s("x") + s("b")).unwrap();
    let (a, b) = (value(&found, "a"), value(&found, "b"));
    assert!(a.covariance(&b) < 0.0);
    assert_eq!(a.covariance(&b), found.covariance.matrix[1]);
}

#[test]
fn linear_parameters_meet_their_bounds() {
    let data = read("x,y\n1,2.1\n2,3.9\n3,6.2\n4,7.8\n");
    let spec = ParamSpec { symbol: "a".into(), start: None, bounds: (0.0, 1.5) };
    let found = fit(
        &data,
        &s("y"),
        &(s("a") * s("x") + s("b")),
        &[spec],
        None,
        &CancelToken::new(),
        &EventSink::none(),
    )
    .unwrap();
    assert_eq!(value(&found, "a").value(), 1.5);
    assert_eq!(found.at_bound, ["a".into()]);
    assert_eq!(value(&found, "a").sigma(), 0.0);
}

#[test]
fn scales_of_si_do_not_matter() {
    // A half-life of a billion years, from counts: the start is found over all decades.
    let tau = 4.5e16;
    let t: Vec<f64> = (1..30).map(|i| f64::from(i) * 3e15).collect();
    let n: Vec<f64> = t.iter().map(|t| 7e20 * (-t / tau).exp()).collect();
    let data =
        Dataset::new("decay", vec![Column::floats("t", None, t), Column::floats("N", None, n)]).unwrap();
    let decay = Expr::call(Function::Exp, vec![(s("t") / s("tau")).negate()]);
    let found = go(&data, s("N"), s("N0") * decay).unwrap();
    assert!((value(&found, "tau").value() / tau - 1.0).abs() < 1e-9);
    assert!((value(&found, "N0").value() / 7e20 - 1.0).abs() < 1e-9);
}

#[test]
fn faults_name_what_is_wrong() {
    let data = read("x,y,name\n1,2,a\n2,4,b\n3,6.5,c\n");
    let quartic = s("a") * s("x").powi(4) + s("b") * s("x").powi(3) + s("c") * s("x").powi(2) + s("k");
    assert!(matches!(
        go(&data, s("y"), quartic).unwrap_err(),
        DataError::FewerRows { rows: 3, parameters: 4, .. }
    ));
    assert!(matches!(go(&data, s("z"), s("a") * s("x")).unwrap_err(), DataError::NoColumn { .. }));
    assert!(matches!(go(&data, s("y"), s("x")).unwrap_err(), DataError::NoParameter { .. }));
    assert!(matches!(go(&data, s("y"), s("a") * s("name")).unwrap_err(), DataError::NotNumeric { .. }));
    let DataError::NotDetermined { names } = go(&data, s("y"), (s("a") + s("b")) * s("x")).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(names, ["a", "b"]);
    let product = go(&data, s("y"), s("a") * s("b") * s("x")).unwrap_err();
    assert!(matches!(product, DataError::NotDetermined { .. }), "{product:?}");
    let log = Expr::call(Function::Log, vec![s("x") - Expr::int(2)]);
    assert!(matches!(go(&data, s("y"), s("a") * log).unwrap_err(), DataError::Residual { row: 0, .. }));
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let decay = Expr::call(Function::Exp, vec![s("k") * s("x")]);
    let found = fit(&data, &s("y"), &(s("a") * decay), &[], None, &cancelled, &EventSink::none());
    assert!(found.is_err() || found.unwrap().stopped == StopReason::Cancelled);
}

#[test]
fn nonlinear_laws_are_found_from_noisy_samples_without_starts() {
    let call = |f, e| Expr::call(f, vec![e]);
    let exp = |e| call(Function::Exp, e);
    let square = |e: Expr| e.powi(2);
    // Law, its form with parameters, and the parameters' values.
    type Law = (Expr, Expr, Vec<(&'static str, f64)>);
    let laws: Vec<Law> = vec![
        (
            Expr::float(2.5) * Expr::power(s("x"), Expr::float(1.3)),
            s("a") * Expr::power(s("x"), s("b")),
            vec![("a", 2.5), ("b", 1.3)],
        ),
        (
            Expr::float(4.0) * s("x") / (Expr::float(1.7) + s("x")),
            s("a") * s("x") / (s("k") + s("x")),
            vec![("a", 4.0), ("k", 1.7)],
        ),
        (
            Expr::float(3.0) * exp((square(s("x") - Expr::float(4.0)) / Expr::float(2.0)).negate()),
            s("a") * exp((square(s("x") - s("m")) / (Expr::int(2) * square(s("w")))).negate()),
            vec![("a", 3.0), ("m", 4.0), ("w", 1.0)],
        ),
        (
            Expr::float(5.0) / (Expr::one() + exp((s("x") - Expr::float(3.0)).negate() * Expr::float(2.0))),
            s("a") / (Expr::one() + exp((s("x") - s("m")).negate() * s("k"))),
            vec![("a", 5.0), ("k", 2.0), ("m", 3.0)],
        ),
        ((Expr::float(9.0) + s("x").powi(2)).sqrt(), (s("a") + s("x").powi(2)).sqrt(), vec![("a", 9.0)]),
    ];
    let d = declare(&[("x", None, 0.1, 10.0)]);
    for (law, form, values) in laws {
        let data = sample(&Sample {
            formula: &law,
            target: "y",
            target_unit: None,
            declarations: &d,
            points: 300,
            noise: 0.01,
            relative_noise: 0.0,
            seed: 5,
        })
        .unwrap();
        let found = go(&data, s("y"), form).unwrap();
        for (name, known) in values {
            let v = value(&found, name);
            // The sign of a width does not matter.
            let off = (v.value().abs() - known).abs() / v.sigma();
            assert!(off < 5.0, "{law:?}: {name} = {} ± {}", v.value(), v.sigma());
        }
        assert!(found.r2 > 0.99);
    }
}
