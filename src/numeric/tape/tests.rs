//! Laws of the tape: blocks equal points, derivatives equal differences, complex equals real on the axis.

use super::*;
use proptest::prelude::*;

fn cases() -> u32 {
    std::env::var("PHYS_CASES").ok().and_then(|s| s.parse().ok()).unwrap_or(256)
}

fn x() -> Expr {
    Expr::symbol("x")
}
fn y() -> Expr {
    Expr::symbol("y")
}

fn tape(outputs: &[Expr]) -> Tape {
    Tape::compile(outputs, &["x".into(), "y".into()]).unwrap()
}

/// Smooth expressions of x and y, defined for positive arguments.
fn smooth() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(x()),
        Just(y()),
        (1i64..7, 1i64..5).prop_map(|(n, d)| Expr::ratio(n, d)),
        (0.2f64..3.0).prop_map(Expr::float),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::sum([a, b])),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::product([a, b])),
            (inner.clone(), -3i64..4).prop_map(|(a, n)| Expr::power(a, Expr::int(n))),
            (inner.clone(), -3i64..4).prop_map(|(a, n)| Expr::power(a, Expr::ratio(n, 2))),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| { Expr::power(a, Expr::call(Function::Tanh, vec![b])) }),
            inner.clone().prop_map(|a| Expr::call(Function::Sin, vec![a])),
            inner.clone().prop_map(|a| Expr::call(Function::Atan, vec![a])),
            inner.clone().prop_map(|a| Expr::call(Function::Tanh, vec![a])),
            inner.prop_map(|a| Expr::call(Function::Exp, vec![Expr::call(Function::Cos, vec![a])])),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn blocks_points_and_complex_agree(e in smooth()) {
        let tape = tape(std::slice::from_ref(&e));
        let xs: Vec<f64> = (0..300).map(|i| 0.3 + 0.01 * f64::from(i)).collect();
        let column = tape.eval(&[&xs, &[1.7]]).remove(0);
        prop_assert_eq!(column.len(), 300);
        for i in [0, 255, 256, 299] {
            let point = tape.eval_point(&[xs[i], 1.7])[0];
            prop_assert!(point == column[i] || (point.is_nan() && column[i].is_nan()));
            let complex = tape.eval_complex_point(&[(xs[i], 0.0), (1.7, 0.0)])[0];
            if point.is_finite() {
                prop_assert!((complex.0 - point).abs() <= 1e-12 * point.abs().max(1e-300));
                prop_assert_eq!(complex.1, 0.0);
            }
        }
    }

    #[test]
    fn the_tape_agrees_with_the_tree(e in smooth(), at in 0.3f64..2.0, other in 0.3f64..2.0) {
        let values = |s: &Symbol| Some(if s.name() == "x" { at } else { other });
        let outputs = [e.clone(), e.diff(&"x".into())];
        let tape = tape(&outputs);
        let found = tape.eval_point(&[at, other]);
        for (value, e) in found.iter().zip(&outputs) {
            if let Some(known) = e.evaluate(&values).filter(|k| value.is_finite() && k.is_finite()) {
                // Sums cancel: rounding is that of the largest term, here below 1e4 of the result.
                prop_assert!((value - known).abs() <= 1e-9 * known.abs().max(1e-3), "{value} {known}");
            }
        }
        let by_x = tape.jacobian(&[&[at], &[other]], &[0])[0][1][0];
        if found[1].is_finite() && found[1].abs() < 1e8 {
            prop_assert!((by_x - found[1]).abs() <= 1e-7 * found[1].abs().max(1e-3), "{by_x} {}", found[1]);
        }
    }

    #[test]
    fn derivatives_are_complex_steps(e in smooth(), at in 0.3f64..2.0, other in 0.3f64..2.0) {
        let tape = tape(std::slice::from_ref(&e));
        let found = &tape.jacobian(&[&[at], &[other]], &[0, 1])[0];
        let h = 1e-100;
        let steps = [
            tape.eval_complex_point(&[(at, h), (other, 0.0)])[0].1 / h,
            tape.eval_complex_point(&[(at, 0.0), (other, h)])[0].1 / h,
        ];
        for (derivative, step) in [found[1][0], found[2][0]].into_iter().zip(steps) {
            if found[0][0].is_finite() && step.is_finite() && step.abs() < 1e8 {
                prop_assert!(
                    (derivative - step).abs() <= 1e-7 * step.abs().max(1e-3),
                    "{derivative} {step}"
                );
            }
        }
    }
}

#[test]
fn derivatives_of_all_functions_are_differences() {
    for row in crate::expression::function::FUNCTIONS {
        if row.function == Function::Order {
            continue;
        }
        let args = if row.arity.0 == 2 || row.arity.1 > 1 { vec![x(), y()] } else { vec![x()] };
        let tape = tape(&[Expr::call(row.function, args)]);
        for at in [0.3, 0.7, 1.6, 2.4] {
            let f = |x: f64, y: f64| tape.eval_point(&[x, y])[0];
            let found = &tape.jacobian(&[&[at], &[1.1]], &[0, 1])[0];
            let h = 1e-5;
            let by_x = (f(at + h, 1.1) - f(at - h, 1.1)) / (2.0 * h);
            let by_y = (f(at, 1.1 + h) - f(at, 1.1 - h)) / (2.0 * h);
            if by_x.is_nan() {
                continue;
            }
            assert!((found[1][0] - by_x).abs() < 1e-6 * by_x.abs().max(1.0), "{} at {at}", row.name);
            assert!((found[2][0] - by_y).abs() < 1e-6 * by_y.abs().max(1.0), "{} at {at}", row.name);
        }
    }
}

/// Expressions of sums, products and quotients alone: their bits are known.
fn arithmetic() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![Just(x()), Just(y()), (-3.0f64..3.0).prop_map(Expr::float)];
    leaf.prop_recursive(6, 40, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::sum([a, b])),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::product([a, b])),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a - b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a / b),
            (inner, 2i64..9).prop_map(|(a, n)| Expr::power(a, Expr::int(n))),
        ]
    })
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// The value of a tape where every instruction rounds to single precision.
fn single(tape: &Tape, at: &[f32]) -> f32 {
    let mut registers: Vec<f32> = Vec::new();
    let round = |a: f64| f64::from(a as f32);
    for op in &tape.code {
        let r = |k: u32| f64::from(registers[k as usize]);
        let value = match *op {
            Op::Input(k) => f64::from(at[k as usize]),
            Op::Powi(a, n) => {
                // Products are rounded one by one.
                let (mut result, mut base, mut left) = (1.0, r(a), n);
                loop {
                    if left & 1 == 1 {
                        result = round(result * base);
                    }
                    left >>= 1;
                    if left == 0 {
                        break result;
                    }
                    base = round(base * base);
                }
            }
            op => evaluate::scalar(tape.level, op, r),
        };
        registers.push(value as f32);
    }
    registers[tape.outputs[0] as usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_level_and_every_number_of_rows_gives_the_bits_of_the_points(
        e in smooth(), f in arithmetic(), rows in 0usize..700
    ) {
        let outputs = [e.clone(), f, x(), Expr::sum([e.clone(), Expr::int(1)]), e];
        let xs: Vec<f64> = (0..rows).map(|i| 0.3 + 0.01 * i as f64).collect();
        let ys: Vec<f64> = xs.iter().map(|x| 2.5 - x).collect();
        let mut lists = Vec::new();
        for level in Level::available() {
            let tape = tape(&outputs).at_level(level);
            let columns = tape.eval(&[&xs, &ys]);
            for (list, k) in columns.iter().zip(0..) {
                prop_assert_eq!(list.len(), if rows == 1 { 1 } else { rows });
                for i in (0..rows).step_by(37).chain(rows.saturating_sub(70)..rows) {
                    prop_assert!(same(list[i], tape.eval_point(&[xs[i], ys[i]])[k]));
                }
            }
            lists.push(columns);
        }
        if let [.., a, b] = lists.as_slice()
            && lists.len() == 3
        {
            for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
                prop_assert!(same(*a, *b));
            }
        }
    }

    #[test]
    fn single_precision_rounds_every_operation(f in arithmetic(), rows in 1usize..300) {
        let xs: Vec<f32> = (0..rows).map(|i| 0.3 + 0.01 * i as f32).collect();
        let ys: Vec<f32> = xs.iter().map(|x| 1.3 - x).collect();
        for level in Level::available() {
            let tape = tape(std::slice::from_ref(&f)).at_level(level);
            // Powers of powers become so high that they are no products any more, and rounded to half a unit.
            prop_assume!(!tape.code.iter().any(|op| matches!(op, Op::Power(..))));
            let found = tape.eval_f32(&[&xs, &ys]).remove(0);
            prop_assert_eq!(found.len(), rows);
            for i in 0..rows {
                let known = single(&tape, &[xs[i], ys[i]]);
                let (a, b) = (found[i], known);
                prop_assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()), "{a} {b}");
            }
        }
    }

    #[test]
    fn reverse_is_forward_and_symbolic(e in smooth(), at in 0.3f64..2.0, other in 0.3f64..2.0) {
        let outputs = [e.clone(), Expr::product([e.clone(), x()])];
        let values = tape(&outputs);
        let rows = 300;
        let xs: Vec<f64> = (0..rows).map(|i| at + 0.001 * i as f64).collect();
        let columns: [&[f64]; 2] = [&xs, &[other]];
        let forward = values.jacobian_forward(&columns, &[0, 1]);
        let reverse = values.jacobian_reverse(&columns, &[0, 1]);
        let symbols: [Symbol; 2] = ["x".into(), "y".into()];
        let symbolic = tape(&symbols.clone().map(|s| e.diff(&s))).eval(&columns);
        for (a, b) in forward.iter().flatten().flatten().zip(reverse.iter().flatten().flatten()) {
            // Terms cancel in another order.
            let close = (a - b).abs() <= 1e-8 * a.abs().max(1e-3);
            prop_assert!(close || !a.is_finite() || a.abs() > 1e8, "{a} {b}");
        }
        for (a, b) in symbolic.iter().flatten().zip(reverse[0][1..].iter().flatten()) {
            let close = (a - b).abs() <= 1e-7 * a.abs().max(1e-3);
            prop_assert!(close || !(a - b).is_finite() || a.abs() > 1e8, "{a} {b}");
        }
        // The adjoint of a number that stands at all points is the sum.
        let weights: Vec<f64> = (0..rows).map(|i| 1.0 - 0.01 * i as f64).collect();
        let back = values.pull_back(&columns, &[&weights, &[2.0]], &[1, 0]);
        prop_assert_eq!((back[0].len(), back[1].len()), (1, rows));
        let terms = |k: usize, i: usize| weights[i] * reverse[0][k][i] + 2.0 * reverse[1][k][i];
        let total: f64 = (0..rows).map(|i| terms(2, i)).sum();
        let size: f64 = (0..rows).map(|i| terms(2, i).abs()).sum();
        if size < 1e8 {
            prop_assert!((back[0][0] - total).abs() <= 1e-8 * size.max(1e-3), "{} {total}", back[0][0]);
        }
        for (i, found) in back[1].iter().enumerate() {
            let close = (found - terms(1, i)).abs() <= 1e-7 * found.abs().max(1e-3);
            prop_assert!(close || !found.is_finite() || found.abs() > 1e6);
        }
    }
}

#[test]
fn a_branch_that_is_not_chosen_has_no_derivative() {
    // The derivative of the root at 0 is infinite.
    let condition = Expr::relation(Relation::Gt, x(), Expr::int(0));
    let root = Expr::product([y(), x().sqrt()]);
    let e = Expr::sum([Expr::piecewise(vec![(condition, root)], Expr::product([y(), x()])), x()]);
    let tape = tape(std::slice::from_ref(&e));
    for by in [
        tape.jacobian_forward(&[&[0.0, 4.0], &[3.0]], &[0, 1]),
        tape.jacobian_reverse(&[&[0.0, 4.0], &[3.0]], &[0, 1]),
    ] {
        assert_eq!(by[0][1], [4.0, 1.75]);
        assert_eq!(by[0][2], [0.0, 2.0]);
    }
}

#[test]
fn registers_share_slots() {
    // A sum of forty products of sines: the sum, a term, and what the term needs.
    let term = |k: i64| Expr::product([Expr::call(Function::Sin, vec![x() * Expr::int(k)]), y()]);
    let tape = tape(&[Expr::sum((1..41).map(term))]);
    assert!(tape.work() > 100);
    assert!(tape.program.slots <= 3, "{}", tape.program.slots);
    // A chain needs two.
    let chain =
        (0..30).fold(x(), |e, k| Expr::call(if k % 2 == 0 { Function::Sin } else { Function::Exp }, vec![e]));
    assert!(self::tape(&[chain]).program.slots <= 2);
}

#[test]
fn columns_that_are_too_short_have_no_value_beyond_their_end() {
    let tape = tape(&[Expr::sum([x(), y()])]);
    let long: Vec<f64> = (0..400).map(f64::from).collect();
    let found = tape.eval(&[&long, &long[..300]]).remove(0);
    assert_eq!(found[299], 598.0);
    assert!(found[300..].iter().all(|v| v.is_nan()));
    assert!(tape.eval(&[&long]).remove(0).iter().all(|v| v.is_nan()));
    let by = tape.jacobian(&[&long, &long[..257]], &[1]);
    assert!(by[0][0][257..].iter().all(|v| v.is_nan()) && by[0][0][256] == 512.0);
    assert!(tape.eval(&[&[], &[1.0]])[0].is_empty());
}

#[test]
fn common_terms_are_computed_once() {
    let square = x().powi(2);
    let e = Expr::sum([Expr::call(Function::Sin, vec![square.clone()]), square.clone()]);
    // x, x^2, sin, sum.
    assert_eq!(tape(&[e, square]).work(), 4);
}

#[test]
fn units_are_exact_factors() {
    let catalogue = crate::units::Catalogue::load(&[
        ("si", include_str!("../../../stdlib/units/si.phys")),
        ("other", include_str!("../../../stdlib/units/other.phys")),
    ])
    .unwrap();
    let unit = |text: &str| Expr::unit(catalogue.parse(text).unwrap());
    let speed = Expr::product([Expr::int(90), unit("km/h")]);
    assert_eq!(tape(&[speed]).eval_point(&[0.0, 0.0]), [25.0]);
    let speed = Expr::product([x(), unit("km/h")]);
    assert_eq!(tape(&[speed]).eval_point(&[18.0, 0.0]), [5.0]);
    let offset = Tape::compile(&[Expr::product([x(), unit("degC")])], &["x".into()]);
    assert!(matches!(offset, Err(NumericError::NoValue { .. })));
}

#[test]
fn conditions_choose_and_undecided_ones_have_no_value() {
    let condition = Expr::relation(Relation::Lt, x(), Expr::int(1));
    let e = Expr::piecewise(vec![(condition, Expr::call(Function::Log, vec![x()]))], y());
    let tape = tape(std::slice::from_ref(&e));
    assert_eq!(tape.eval_point(&[0.5, 3.0]), [0.5f64.ln()]);
    assert_eq!(tape.eval_point(&[-2.0, 3.0]).len(), 1);
    assert_eq!(tape.eval_point(&[2.0, 3.0]), [3.0]);
    assert!(tape.eval_point(&[f64::NAN, 3.0])[0].is_nan());
    let by = &tape.jacobian(&[&[0.5, 2.0], &[3.0]], &[0, 1])[0];
    assert_eq!(by[1], [2.0, 0.0]);
    assert_eq!(by[2], [0.0, 1.0]);
}

#[test]
fn principal_values_off_the_real_axis() {
    let root = tape(&[x().sqrt(), Expr::call(Function::Log, vec![x()]), Expr::power(x(), Expr::ratio(1, 3))]);
    assert!(root.eval_point(&[-4.0, 0.0])[0].is_nan());
    let at = root.eval_complex_point(&[(-4.0, -0.0), (0.0, 0.0)]);
    assert_eq!(at[0], (0.0, 2.0));
    assert_eq!(at[1].1, std::f64::consts::PI);
    assert!((at[2].0 - 4f64.cbrt() / 2.0).abs() < 1e-15);
    let i = tape(&[Expr::product([Expr::i(), x()])]);
    assert_eq!(i.eval_complex_point(&[(2.0, 0.0), (0.0, 0.0)]), [(0.0, 2.0)]);
}

#[test]
fn what_has_no_value_is_named() {
    let inputs: [Symbol; 1] = ["omega".into()];
    let fault = Tape::compile(&[Expr::symbol("omeg")], &inputs).unwrap_err();
    assert_eq!(fault, NumericError::UnknownSymbol { name: "omeg".into(), nearest: Some("omega".into()) });
    let field = Expr::apply("u".into(), vec![Expr::symbol("omega")]);
    assert_eq!(
        Tape::compile(&[field], &inputs).unwrap_err(),
        NumericError::UndefinedFunction { name: "u".into() }
    );
}
