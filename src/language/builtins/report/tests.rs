//! Reports of fronts made by hand.

use super::*;
use crate::base::{Span, StopReason};
use crate::data::Column;
use crate::expression::{Expr, Function, Uncertain};
use crate::language::builtins::data::column_declarations;
use crate::language::value::Select;
use crate::regression::{Candidate, ConstantInfo, Found, Front};
use crate::units::{Catalogue, Unit};

/// Numbers between -1 and 1 without a pattern.
fn scatter(k: usize) -> f64 {
    ((k as f64 * 12.9898 + 0.5).sin() * 43758.5453).fract()
}

fn metre() -> Unit {
    Catalogue::load(&[("x.phys", "unit metre, m\nunit kilometre, km = 1000 [m]\n")])
        .unwrap()
        .parse("km")
        .unwrap()
}

fn fitted(value: f64, error: f64) -> ConstantInfo {
    ConstantInfo { value, error, unit: Unit::one(), exact: None, fitted: (value, error), gained: 0.0 }
}

fn candidate(expr: Expr, length: f64, loss: f64, constants: Vec<ConstantInfo>) -> Candidate {
    Candidate {
        size: crate::regression::size(&expr),
        expr,
        constants,
        loss,
        r2: 0.5,
        description_length: length,
        engine: "by hand".into(),
        evidence: "a < b & c".into(),
    }
}

fn front(d: &Dataset, target: &str, laws: Vec<Candidate>) -> FrontValue {
    let mut all = Front::new(0.0);
    laws.into_iter().for_each(|l| all.insert(l));
    let found = Found {
        front: all,
        stopped: StopReason::Saturated,
        work: 1234,
        notes: Vec::new(),
        steps: 7,
        refined: 3,
        runner_up: None,
        noise: None,
    };
    FrontValue {
        select: Select::default(),
        holdout: None,
        parts: Vec::new(),
        groups: None,
        words: Vec::new(),
        found,
        target: target.into(),
        target_unit: d.get(target).and_then(|c| c.unit.clone()),
        declarations: column_declarations(d),
        seconds: 0.0,
        seed: 42,
        resumed: false,
    }
}

fn x() -> Expr {
    Expr::symbol("x")
}

/// y [km] = 3000 m * x^2 with a little scatter, beside a column that says nothing.
fn squares(points: usize) -> Dataset {
    let xs: Vec<f64> = (0..points).map(|k| 1.0 + 4.0 * k as f64 / points as f64).collect();
    let ys = xs.iter().enumerate().map(|(k, x)| 3.0 * x * x + 0.01 * scatter(k)).collect();
    let idle = (0..points).map(|k| scatter(3 * k + 1)).collect();
    let columns = vec![
        Column::floats("x", None, xs),
        Column::floats("idle", None, idle),
        Column::floats("y", Some(metre()), ys),
    ];
    Dataset::new("squares", columns).unwrap()
}

/// The truth, and a line that is smaller.
fn square_laws() -> Vec<Candidate> {
    let metre = Expr::unit(Unit::coherent(metre().dimension()));
    let constant = |value: f64, id: u64| Expr::uncertain(Uncertain::new(id, value, 2.0)) * metre.clone();
    let square = constant(3000.0, 1) * x().powi(2);
    let line = constant(12000.0, 2) * x();
    vec![
        candidate(square, -300.0, 30.0, vec![fitted(3000.0, 2.0)]),
        candidate(line, -20.0, 9e7, vec![fitted(12000.0, 2.0)]),
    ]
}

fn page_of(front: &FrontValue, d: &Dataset) -> String {
    let measured = measure::measure(front, d, Default::default()).unwrap_or_else(|e| panic!("{}", e.message));
    let checks = extrapolate::checks(&measured, &CancelToken::new());
    page::document(&measured, &checks, &Style { digits: Some(6), ..Style::default() })
}

/// The page read as XML.
fn read(page: &str) -> roxmltree::Document<'_> {
    let body = page.strip_prefix("<!doctype html>\n").expect("a document");
    roxmltree::Document::parse(body).unwrap_or_else(|e| panic!("{e}\n{page}"))
}

/// The words of an element and all inside it.
fn words(node: roxmltree::Node<'_, '_>) -> String {
    node.descendants().filter(|n| n.is_text()).filter_map(|n| n.text()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_page_holds_law_front_figures_and_checks() {
    let d = squares(120);
    let page = page_of(&front(&d, "y", square_laws()), &d);
    let read = read(&page);
    let text = words(read.root());
    for part in [
        "A law for y",
        "Constants",
        "On the data",
        "Beyond the fitted range",
        "Front",
        "Figures",
        "How it was found",
        "by hand",
        "a < b & c",
        "work 1234",
        "42",
        "squares",
        "3000",
        "120",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    // Two laws in the front, the chosen one marked; front, parity, residuals, and those against two columns.
    let chosen: Vec<_> = read.descendants().filter(|n| n.attribute("class") == Some("chosen")).collect();
    assert_eq!(chosen.len(), 1);
    assert!(words(chosen[0]).contains("★") && words(chosen[0]).contains("x^2"));
    assert_eq!(read.descendants().filter(|n| n.has_tag_name("svg")).count(), 5);
    // Residuals in the unit of the target: the scatter of 0.01 km, uniform.
    let rms: f64 = {
        let row =
            read.descendants().find(|n| n.has_tag_name("tr") && words(*n).starts_with("RMS of residuals"));
        let words = words(row.expect("a row"));
        assert!(words.ends_with(" km"), "{words}");
        words.rsplit(' ').nth(1).and_then(|w| w.parse().ok()).expect("a number")
    };
    assert!((0.004..0.008).contains(&rms), "{rms}");
    // No identifier twice, and nothing from elsewhere.
    let mut ids: Vec<&str> = read.descendants().filter_map(|n| n.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(count > 0 && ids.len() == count);
    assert!(!page.contains("http") && !page.contains("<script"));
    // The same again.
    assert_eq!(page, page_of(&front(&d, "y", square_laws()), &d));
}

#[test]
fn the_largest_residual_is_told_with_its_row() {
    let mut d = squares(60);
    let mut y = d.get("y").unwrap().floats_in_unit();
    y[16] += 5.0;
    d = d.select(&["x", "idle"]).unwrap().with_column(Column::floats("y", Some(metre()), y)).unwrap();
    let front = front(&d, "y", square_laws());
    let m = measure::measure(&front, &d, Default::default()).unwrap();
    assert_eq!(m.largest().map(|k| m.rows[k]), Some(17));
    assert!(page_of(&front, &d).contains("row 17"));
}

#[test]
fn laws_are_told_from_their_neighbours_by_extrapolation() {
    let d = squares(200);
    let along = |law: &Candidate, column: &str| {
        let front = front(&d, "y", vec![law.clone()]);
        let m = measure::measure(&front, &d, Default::default()).unwrap();
        let all = extrapolate::checks(&m, &CancelToken::new());
        assert_eq!(all.len(), 2);
        let check = all.into_iter().find(|c| &*c.column.name == column).unwrap();
        assert!(check.rows.0 + check.rows.1 == 200 && (55..=65).contains(&check.rows.1), "{:?}", check.rows);
        check.outcome.unwrap()
    };
    let square = square_laws().swap_remove(0);
    assert!(along(&square, "x").holds() && along(&square, "idle").holds());
    // A straight line: inside it errs by curvature alone, outside it runs away; along a column that says nothing it errs
    // everywhere alike.
    let metre = || Expr::unit(Unit::coherent(metre().dimension()));
    let constant = |value: f64, id: u64| Expr::uncertain(Uncertain::new(id, value, 2.0)) * metre();
    let line = candidate(constant(18e3, 2) * x() + constant(-25e3, 3), 0.0, 1e7, Vec::new());
    let found = along(&line, "x");
    assert!(!found.holds() && found.ratio > 3.0, "{found:?}");
    assert!(along(&line, "idle").ratio < 1.6);
}

#[test]
fn exact_laws_and_laws_without_constants_hold() {
    let xs: Vec<f64> = (0..50).map(|k| 0.1 + 0.1 * k as f64).collect();
    let sines = |xs: &[f64]| xs.iter().map(|x| (2.0 * x).sin()).collect::<Vec<f64>>();
    let ys = sines(&xs);
    let d = Dataset::new("s", vec![Column::floats("x", None, xs), Column::floats("y", None, ys)]).unwrap();
    let sine = |inside: Expr| Expr::call(Function::Sin, vec![inside * x()]);
    for inside in [Expr::int(2), Expr::uncertain(Uncertain::new(3, 2.0, 1e-9))] {
        let front = front(&d, "y", vec![candidate(sine(inside), 1.0, 1e-30, Vec::new())]);
        let m = measure::measure(&front, &d, Default::default()).unwrap();
        assert!(m.r2() > 1.0 - 1e-12);
        let checks = extrapolate::checks(&m, &CancelToken::new());
        assert!(checks.iter().all(|c| c.outcome.as_ref().is_ok_and(|o| o.holds())));
    }
}

#[test]
fn what_cannot_be_checked_says_why() {
    // Two values of x: nothing lies outside.
    let xs: Vec<f64> = (0..20).map(|k| (1 + k % 2) as f64).collect();
    let ys: Vec<f64> = xs.iter().map(|x| 3.0 * x).collect();
    let d = Dataset::new("two", vec![Column::floats("x", None, xs), Column::floats("y", None, ys)]).unwrap();
    let law = Expr::uncertain(Uncertain::new(1, 3.0, 1e-9)) * x();
    let front = front(&d, "y", vec![candidate(law, 1.0, 0.0, Vec::new())]);
    let page = page_of(&front, &d);
    read(&page);
    assert!(page.contains("not checked: 0 of 2 rows that are needed lie outside"), "{page}");
}

#[test]
fn names_are_no_markup() {
    let name = "a<b>&\"c";
    let ys: Vec<f64> = (0..30).map(|k| k as f64).collect();
    let d = Dataset::new("<i>", vec![Column::floats(name, None, ys.clone()), Column::floats("y<", None, ys)]);
    let d = d.unwrap();
    let front = front(&d, "y<", vec![candidate(Expr::symbol(name), 1.0, 0.0, Vec::new())]);
    let page = page_of(&front, &d);
    let text = words(read(&page).root());
    assert!(text.contains(name) && text.contains("y<") && text.contains("<i>"), "{text}");
}

#[test]
fn missing_values_and_very_many_rows_are_told() {
    let n = ROWS + 5_000;
    let xs: Vec<f64> = (0..n).map(|k| k as f64).collect();
    let mut ys: Vec<f64> = xs.iter().map(|x| 2.0 * x).collect();
    ys[0] = f64::NAN;
    let mut y = Column::floats("y", None, ys);
    y.missing = Some((0..n).map(|k| k == 0).collect());
    let d = Dataset::new("many", vec![Column::floats("x", None, xs), y]).unwrap();
    let front = front(&d, "y", vec![candidate(Expr::int(2) * x(), 1.0, 0.0, Vec::new())]);
    let m = measure::measure(&front, &d, Default::default()).unwrap();
    assert_eq!((m.rows.len(), m.rows[0], m.all), (ROWS, 2, (n, 1)));
    let page = page_of(&front, &d);
    assert!(page.contains("1 of 25000, left out") && page.contains("20000 of 24999, evenly spaced"));
    assert!(page.contains("figures show 1000 of the rows"));
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn fronts_and_data_that_do_not_belong_together_are_refused() {
    let d = squares(40);
    let refused = |front: &FrontValue, d: &Dataset| {
        let at = (Span::default(), Span::default());
        measure::measure(front, d, at).err().map(|e| (e.code.0, e.message.clone())).unwrap_or_default()
    };
    let good = front(&d, "y", square_laws());
    assert_eq!(refused(&good, &d).0, 0);
    let (code, message) = refused(&front(&d, "y", Vec::new()), &d);
    assert!(code == 6006 && message.contains("empty"), "{message}");
    let (code, message) = refused(&good, &d.select(&["idle", "y"]).unwrap());
    assert!(code == 3006 || message.contains("`x`"), "{code} {message}");
    let (_, message) = refused(&good, &d.select(&["x", "idle"]).unwrap());
    assert!(message.contains("`y`"), "{message}");
    // The same names in other units.
    let bare = d.select(&["x", "idle"]).unwrap();
    let bare = bare.with_column(Column::floats("y", None, vec![1.0; 40])).unwrap();
    let (code, message) = refused(&good, &bare);
    assert!(code == 6021 && message.contains("[km]") && message.contains("`y`"), "{message}");
    // No whole row.
    let mut gone = Column::floats("x", None, vec![f64::NAN; 40]);
    gone.missing = Some(vec![true; 40]);
    let none = d.select(&["idle", "y"]).unwrap().with_column(gone).unwrap();
    assert_eq!(refused(&good, &none).0, 6014);
    // As a part of a report such a front shows nothing.
    let made = part(&Arc::new(good), &Arc::new(bare), &Style::default());
    assert_eq!(made.html("a"), "");
}

#[test]
fn parts_of_one_page_share_no_identifier() {
    let d = Arc::new(squares(30));
    let made = part(&Arc::new(front(&d, "y", square_laws())), &d, &Style::default());
    let page = format!("<div>{}{}</div>", made.html("a"), made.html("b"));
    let read = roxmltree::Document::parse(&page).unwrap_or_else(|e| panic!("{e}"));
    let mut ids: Vec<&str> = read.descendants().filter_map(|n| n.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let uses = read.descendants().filter_map(|n| n.attribute("href")).filter(|h| h.starts_with('#'));
    for href in uses {
        assert!(ids.binary_search(&&href[1..]).is_ok(), "{href}");
    }
}
